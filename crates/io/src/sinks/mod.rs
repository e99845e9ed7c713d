//! One file a format. A new one is listed in [`SINKS`].

mod arrow;
mod csv;
mod json;
mod jsonl;
mod parquet;
mod rust;
mod sql;
#[cfg(feature = "sqlite")]
mod sqlite;

#[cfg(feature = "sqlite")]
pub(crate) use sqlite::Cells;

use std::sync::Arc;

use lookalike_ruleset::TableSchema;
use polars::prelude::DataFrame;

use crate::part::Body;
use crate::text::RowText;
use crate::{Error, Output, Part, Pending, SinkOptions};

/// Turns units of rows into parts, on any thread.
pub trait Encoder: Send + Sync {
    /// Encodes one unit.
    ///
    /// # Errors
    /// The frame is not what the table says, or holds a value that the format cannot.
    fn encode(&self, frame: &DataFrame) -> Result<Part, Error>;
}

/// Writes parts in order. Dropped before [`finish`](Sink::finish), it leaves nothing behind.
pub trait Sink: Send {
    /// The half that makes the parts.
    fn encoder(&self) -> Arc<dyn Encoder>;

    /// Writes one part.
    ///
    /// # Errors
    /// The write failed, or the part is of another kind of sink.
    fn write(&mut self, part: Part) -> Result<(), Error>;

    /// Writes the end of the file. It gets its name when the result is published.
    ///
    /// # Errors
    /// The write failed.
    fn finish(self: Box<Self>) -> Result<Pending, Error>;

    /// Ends the table and begins another one in the same file.
    ///
    /// # Errors
    /// The write failed, or a file of the format holds one table ([`SinkKind::holds`]).
    fn next_table(self: Box<Self>, schema: &TableSchema, _: &SinkOptions) -> Result<Box<dyn Sink>, Error> {
        Err(Error::Option(format!(
            "the file has a table already, so `{}` needs one of its own",
            schema.table
        )))
    }
}

/// What a file of a format holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holds {
    /// One table.
    Table,
    /// All tables of a run, one after the other, parents before children.
    Run,
}

/// Opens a sink of a table.
pub type OpenSink = fn(&TableSchema, Output, &SinkOptions) -> Result<Box<dyn Sink>, Error>;

/// A file format that rows can be written in.
#[derive(Clone, Copy, Debug)]
pub struct SinkKind {
    /// Name, as the user gives it.
    pub name: &'static str,
    /// File name extension, without the point.
    pub extension: &'static str,
    /// What it is, in one line.
    pub summary: &'static str,
    /// What a file of it holds.
    pub holds: Holds,
    /// Opens a sink of a table.
    pub open: OpenSink,
}

/// All formats.
pub static SINKS: &[SinkKind] = &[
    csv::KIND,
    jsonl::KIND,
    parquet::KIND,
    arrow::KIND,
    json::KIND,
    sql::KIND,
    #[cfg(feature = "sqlite")]
    sqlite::KIND,
    rust::KIND,
];

/// Refuses a table without columns.
fn require_columns(schema: &TableSchema) -> Result<(), Error> {
    if schema.fields.is_empty() {
        return Err(Error::NoColumns { table: schema.table.clone() });
    }
    Ok(())
}

/// The sink of the text formats.
struct TextSink {
    encoder: Arc<RowText>,
    output: Output,
    rows: u64,
    /// How many bytes of the first row are left out.
    cut: usize,
    /// What stands behind the last row.
    tail: &'static [u8],
}

impl TextSink {
    fn new(encoder: RowText, output: Output) -> TextSink {
        TextSink { encoder: Arc::new(encoder), output, rows: 0, cut: 0, tail: b"" }
    }
}

impl Sink for TextSink {
    fn encoder(&self) -> Arc<dyn Encoder> {
        self.encoder.clone()
    }

    fn write(&mut self, part: Part) -> Result<(), Error> {
        let Body::Bytes(text) = part.body else {
            return Err(Error::ForeignPart { format: self.encoder.format });
        };
        let cut = if self.rows == 0 { self.cut.min(text.len()) } else { 0 };
        self.rows += part.rows;
        self.output.write(&text[cut..])?;
        self.encoder.buffers.give(text);
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> Result<Pending, Error> {
        self.output.write(self.tail)?;
        self.output.finish(self.rows)
    }
}

impl Encoder for RowText {
    fn encode(&self, frame: &DataFrame) -> Result<Part, Error> {
        self.encode(frame)
    }
}
