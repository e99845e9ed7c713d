//! JSON: one array, whose objects are those of `jsonl`, each on a line of its own.

use lookalike_ruleset::TableSchema;

use super::{Holds, Sink, SinkKind, TextSink, jsonl};
use crate::{Error, Output, SinkOptions};

pub(super) const KIND: SinkKind = SinkKind {
    name: "json",
    extension: "json",
    summary: "a JSON array, one object a row",
    holds: Holds::Table,
    open,
};

fn open(schema: &TableSchema, mut output: Output, options: &SinkOptions) -> Result<Box<dyn Sink>, Error> {
    // A comma stands in front of each row but the table's first.
    let rows = jsonl::objects(KIND.name, schema, b",\n", (*b"} ", 1))?;
    if options.piece.first {
        output.write(b"[")?;
    }
    let mut sink = TextSink::new(rows, output);
    sink.cut = usize::from(!options.piece.after_rows);
    sink.tail = if options.piece.last { b"\n]\n" } else { b"" };
    Ok(Box::new(sink))
}
