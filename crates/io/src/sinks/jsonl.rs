//! JSON lines: one object a row, with the columns as keys in their order, nulls included.
//!
//! Int, float and decimal are numbers (a decimal with all its digits), bool is a boolean; dates, datetimes and durations
//! are strings, written as in CSV. Text that is known to be JSON is written as it is: so objects and lists get into a row.
//! JSON has no number for NaN and the infinities: they are an error.

use std::sync::Arc;

use lookalike_ruleset::{TableSchema, Type};

use super::{Holds, Sink, SinkKind, TextSink, require_columns};
use crate::text::{Buffers, ColumnText, Escape, RowText};
use crate::{Error, Output, SinkOptions};

pub(super) const KIND: SinkKind = SinkKind {
    name: "jsonl",
    extension: "jsonl",
    summary: "JSON lines, one object a row",
    holds: Holds::Table,
    open,
};

fn open(schema: &TableSchema, output: Output, _: &SinkOptions) -> Result<Box<dyn Sink>, Error> {
    Ok(Box::new(TextSink::new(objects(KIND.name, schema, b"", (*b"}\n", 2))?, output)))
}

/// Rows as objects, with `before` in front of each and `end` behind its last value.
pub(super) fn objects(
    format: &'static str,
    schema: &TableSchema,
    before: &[u8],
    end: ([u8; 2], usize),
) -> Result<RowText, Error> {
    require_columns(schema)?;
    let columns = schema.fields.iter().enumerate().map(|(index, field)| {
        let mut lead = if index == 0 { [before, b"{"].concat() } else { vec![b','] };
        Escape::Json.append(field.name.as_bytes(), &mut lead);
        lead.push(b':');
        let is_string = matches!(field.ty, Type::Text | Type::Date | Type::Datetime | Type::Duration);
        ColumnText::new(lead, is_string && !field.json, field.plain || field.json)
    });
    Ok(RowText {
        format,
        schema: schema.clone(),
        columns: columns.collect(),
        null: b"null".to_vec(),
        escape: Escape::Json,
        end,
        buffers: Arc::new(Buffers::default()),
    })
}
