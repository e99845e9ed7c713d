//! Sinks, what writes the rows of a table to a file, and sources, what reads them.
//!
//! A sink is made of two halves. Its [`Encoder`] turns a unit of rows into a [`Part`] on any thread; the [`Sink`] takes
//! the parts in order and does nothing but write them. So the costly work, text or compressed pages, runs on all the
//! workers, while one thread keeps the order.
//!
//! The bytes are a function of the rows alone. How a frame is chunked never shows; how the rows are cut into units does
//! not show in text formats, and is the row groups (record batches) of the binary ones.

mod cells;
mod digits;
mod error;
pub mod files;
mod frame;
mod options;
mod output;
mod part;
mod sinks;
pub mod sources;
mod split;
mod sql;
mod staging;
mod text;
mod tree;

pub use cells::texts;
pub use error::Error;
pub use options::{
    CsvOptions, Dialect, ParquetCompression, ParquetOptions, Piece, Quote, SinkOptions, SqlOptions,
};
pub use output::{Output, Pending, Written};
pub use part::Part;
pub use sinks::{Encoder, Holds, OpenSink, SINKS, Sink, SinkKind};
pub use sources::{OpenSource, SOURCES, Source, SourceKind, SourceOptions, open, read_all};
pub use split::{MAX_FILES, Template, split};

#[cfg(test)]
mod tests;
