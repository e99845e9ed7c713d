use lookalike_ruleset::{Field, TableSchema, Type};
use polars::prelude::{DataFrame, DataType, Series, TimeUnit};

use crate::Error;

/// Digits of a decimal column: 18, the most that 64 bits hold.
pub(crate) const DECIMAL_PRECISION: usize = 18;

/// The columns of a unit in one chunk each, once they are seen to be what the table says.
pub(crate) fn columns(frame: &DataFrame, schema: &TableSchema) -> Result<Vec<Series>, Error> {
    let names = || frame.columns().iter().map(|column| column.name().as_str());
    if !names().eq(schema.fields.iter().map(|field| field.name.as_str())) {
        return Err(Error::Columns {
            table: schema.table.clone(),
            expected: schema.fields.iter().map(|field| field.name.clone()).collect(),
            found: names().map(str::to_owned).collect(),
        });
    }
    schema
        .fields
        .iter()
        .zip(frame.columns())
        .map(|(field, column)| {
            if !holds(field, column.dtype()) {
                return Err(Error::Physical {
                    column: field.name.clone(),
                    expected: field.ty,
                    found: Box::new(column.dtype().clone()),
                });
            }
            let series = column.as_materialized_series().rechunk();
            match series.null_count() {
                0 => Ok(series),
                _ if field.nullable => Ok(series),
                _ => Err(Error::Null { column: field.name.clone() }),
            }
        })
        .collect()
}

/// Whether a field may be held as `dtype`.
fn holds(field: &Field, dtype: &DataType) -> bool {
    match field.ty {
        Type::Text => matches!(dtype, DataType::String | DataType::Enum(..)),
        ty => *dtype == physical(ty),
    }
}

/// What a type is held as. Text may be an enum as well.
pub(crate) fn physical(ty: Type) -> DataType {
    match ty {
        Type::Bool => DataType::Boolean,
        Type::Int => DataType::Int64,
        Type::Float => DataType::Float64,
        Type::Decimal(scale) => DataType::Decimal(DECIMAL_PRECISION, usize::from(scale)),
        Type::Text => DataType::String,
        Type::Date => DataType::Date,
        Type::Datetime => DataType::Datetime(TimeUnit::Microseconds, None),
        Type::Duration => DataType::Duration(TimeUnit::Microseconds),
    }
}
