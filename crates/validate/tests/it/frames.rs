//! Tables for tests.

use lookalike_ruleset::{Field, TableSchema, Type};
use polars::prelude::{Column, DataFrame, DataType, IntoSeries, NamedFrom, Series, TimeUnit};

/// A table with its columns.
#[derive(Clone)]
pub struct Data {
    pub schema: TableSchema,
    pub frame: DataFrame,
}

impl Data {
    pub fn new(table: &str, columns: Vec<(&str, Type, Series)>) -> Data {
        let field = |name: &str, ty: Type| Field {
            name: name.to_owned(),
            ty,
            nullable: true,
            plain: false,
            json: false,
            about: None,
        };
        let fields = columns.iter().map(|(name, ty, _)| field(name, *ty)).collect();
        let height = columns.first().map_or(0, |(_, _, series)| series.len());
        let columns: Vec<Column> =
            columns.into_iter().map(|(name, _, series)| series.with_name(name.into()).into()).collect();
        Data {
            schema: TableSchema { table: table.to_owned(), fields },
            frame: DataFrame::new(height, columns).unwrap(),
        }
    }

    pub fn table(&self) -> lookalike_validate::reference::Table<'_> {
        lookalike_validate::reference::Table::new(&self.schema, &self.frame)
    }
}

pub fn floats(values: Vec<Option<f64>>) -> Series {
    Series::new("".into(), values)
}

pub fn ints(values: Vec<Option<i64>>) -> Series {
    Series::new("".into(), values)
}

pub fn texts<S: AsRef<str>>(values: Vec<Option<S>>) -> Series {
    let values: Vec<Option<&str>> = values.iter().map(|value| value.as_ref().map(AsRef::as_ref)).collect();
    Series::new("".into(), values)
}

pub fn bools(values: Vec<Option<bool>>) -> Series {
    Series::new("".into(), values)
}

/// Microseconds since 1970.
pub fn times(values: Vec<Option<i64>>) -> Series {
    let physical = Series::new("".into(), values);
    physical
        .i64()
        .unwrap()
        .clone()
        .into_series()
        .cast(&DataType::Datetime(TimeUnit::Microseconds, None))
        .unwrap()
}
