//! The text of single cells, as the text formats write them.

use lookalike_ruleset::{Field, TableSchema, Type};
use polars::prelude::*;

use crate::{CsvOptions, Error, Output, SINKS, SinkOptions};

/// The values of a column as CSV writes them, without quotes; nulls stay null.
///
/// # Errors
/// When the column does not hold what the field says.
pub fn texts(field: &Field, series: &Series) -> Result<StringChunked, Error> {
    if field.ty == Type::Text {
        let texts = series.cast(&DataType::String).map_err(|error| Error::Option(error.to_string()))?;
        return Ok(texts.str().map_err(|error| Error::Option(error.to_string()))?.clone());
    }
    // No other type has a line break or a quote in its text.
    let schema = TableSchema {
        table: "cells".into(),
        fields: vec![Field { nullable: true, name: "c".into(), ..field.clone() }],
    };
    let csv = CsvOptions { header: false, ..CsvOptions::default() };
    let kind = SINKS.iter().find(|kind| kind.name == "csv").expect("CSV is among the sinks");
    let mut sink = (kind.open)(&schema, Output::memory(), &SinkOptions { csv, ..SinkOptions::default() })?;
    let column = series.clone().with_name("c".into()).into_column();
    let frame = DataFrame::new(series.len(), vec![column]).map_err(|e| Error::Option(e.to_string()))?;
    sink.write(sink.encoder().encode(&frame)?)?;
    let bytes = sink.finish()?.into_bytes().unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes);
    let valid = series.is_not_null();
    Ok(text.lines().zip(valid.iter()).map(|(line, valid)| (valid == Some(true)).then_some(line)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_read_as_in_csv() {
        let field =
            |ty| Field { name: "x".into(), ty, nullable: true, plain: false, json: false, about: None };
        let floats = Series::new("".into(), [Some(1.5), None, Some(1e21)]);
        let texts_of = |field: &Field, series: &Series| -> Vec<Option<String>> {
            texts(field, series).unwrap().iter().map(|text| text.map(str::to_owned)).collect()
        };
        assert_eq!(texts_of(&field(Type::Float), &floats), [Some("1.5".into()), None, Some("1e+21".into())]);
        let words = Series::new("".into(), [Some("a, \"b\"\nc"), Some(""), None]);
        assert_eq!(
            texts_of(&field(Type::Text), &words),
            [Some("a, \"b\"\nc".into()), Some(String::new()), None]
        );
        let none = Series::new_empty("".into(), &DataType::Float64);
        assert_eq!(texts_of(&field(Type::Float), &none), [None::<String>; 0]);
    }
}
