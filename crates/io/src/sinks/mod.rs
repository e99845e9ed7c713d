//! One file a format. A new one is listed in [`SINKS`].

mod arrow;
mod csv;
mod jsonl;
mod parquet;

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
    /// Opens a sink of a table.
    pub open: OpenSink,
}

/// All formats.
pub static SINKS: &[SinkKind] = &[csv::KIND, jsonl::KIND, parquet::KIND, arrow::KIND];

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
}

impl TextSink {
    fn new(encoder: RowText, output: Output) -> TextSink {
        TextSink { encoder: Arc::new(encoder), output, rows: 0 }
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
        self.rows += part.rows;
        self.output.write(&text)?;
        self.encoder.buffers.give(text);
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<Pending, Error> {
        self.output.finish(self.rows)
    }
}

impl Encoder for RowText {
    fn encode(&self, frame: &DataFrame) -> Result<Part, Error> {
        self.encode(frame)
    }
}
