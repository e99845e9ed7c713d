//! Sinks, what writes the rows of a table to a file, and sources, what reads them.
//!
//! A sink is made of two halves. Its [`Encoder`] turns a unit of rows into a [`Part`] on any thread; the [`Sink`] takes
//! the parts in order and does nothing but write them. So the costly work, text or compressed pages, runs on all the
//! workers, while one thread keeps the order.
//!
//! The bytes are a function of the rows alone. How a frame is chunked never shows; how the rows are cut into units does
//! not show in text formats, and is the row groups (record batches) of the binary ones.
//!
//! ```
//! use lookalike_io::{Output, SINKS, SinkOptions, SourceOptions, read_all};
//! use lookalike_ruleset::{Field, TableSchema, Type};
//! use polars::prelude::df;
//!
//! let field = |name: &str, ty| Field { name: name.into(), ty, nullable: false, plain: false, json: false, about: None };
//! let fields = vec![field("city", Type::Text), field("km", Type::Int)];
//! let schema = TableSchema { table: "trips".into(), fields };
//! let trips = df!("city" => ["Graz", "Linz, Wels"], "km" => [7i64, 12])?;
//!
//! let folder = tempfile::tempdir()?;
//! let path = folder.path().join("trips.csv");
//! let csv = SINKS.iter().find(|kind| kind.name == "csv").expect("it comes with the crate");
//! let mut sink = (csv.open)(&schema, Output::file(&path)?, &SinkOptions::default())?;
//! sink.write(sink.encoder().encode(&trips)?)?;
//! // Until it is published, there is no file of that name.
//! sink.finish()?.publish()?;
//! assert_eq!(std::fs::read_to_string(&path)?, "city,km\nGraz,7\n\"Linz, Wels\",12\n");
//! assert!(read_all(&path, None, &SourceOptions::default())?.equals(&trips));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

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
