//! JSON lines: one object a row, with the columns as keys in their order, nulls included.
//!
//! Int, float and decimal are numbers (a decimal with all its digits), bool is a boolean; dates, datetimes and durations
//! are strings, written as in CSV. Text that is known to be JSON is written as it is: so objects and lists get into a row.
//! JSON has no number for NaN and the infinities: they are an error.

use std::sync::Arc;

use lookalike_ruleset::{TableSchema, Type};

use super::{Sink, SinkKind, TextSink, require_columns};
use crate::text::{Buffers, ColumnText, Escape, RowText};
use crate::{Error, Output, SinkOptions};

pub(super) const KIND: SinkKind =
    SinkKind { name: "jsonl", extension: "jsonl", summary: "JSON lines, one object a row", open };

fn open(schema: &TableSchema, output: Output, _: &SinkOptions) -> Result<Box<dyn Sink>, Error> {
    require_columns(schema)?;
    let columns = schema.fields.iter().enumerate().map(|(index, field)| {
        let mut lead = vec![if index == 0 { b'{' } else { b',' }];
        Escape::Json.append(field.name.as_bytes(), &mut lead);
        lead.push(b':');
        let is_string = matches!(field.ty, Type::Text | Type::Date | Type::Datetime | Type::Duration);
        ColumnText::new(lead, is_string && !field.json, field.plain || field.json)
    });
    let rows = RowText {
        format: KIND.name,
        schema: schema.clone(),
        columns: columns.collect(),
        null: b"null".to_vec(),
        escape: Escape::Json,
        end: (*b"}\n", 2),
        buffers: Arc::new(Buffers::default()),
    };
    Ok(Box::new(TextSink::new(rows, output)))
}
