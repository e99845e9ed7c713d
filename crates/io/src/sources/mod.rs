//! Sources: what reads the rows of a table from a file. One file a format; a new one is listed in [`SOURCES`].

use std::ops::Range;
use std::path::Path;

use lookalike_ruleset::TableSchema;
use polars::prelude::DataFrame;

use crate::Error;

/// The rows of a file, at random access and from any thread.
pub trait Source: Send + Sync {
    /// Names and types of the columns: those asked for, else those found.
    fn schema(&self) -> &TableSchema;

    /// How many rows there are.
    fn rows(&self) -> u64;

    /// Reads some rows: the columns of the schema in order, each held as a sink expects it, in one chunk.
    ///
    /// # Errors
    /// The file cannot be read or parsed, named with line and column, or the rows lie beyond its end.
    fn read(&self, rows: Range<u64>) -> Result<DataFrame, Error>;
}

/// How to read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SourceOptions {
    /// Name of the table; unless given, the file's name without extension.
    pub table: Option<String>,
    /// Types of columns, by name; those of other columns are found. A value that does not fit is an error.
    pub types: Vec<(String, lookalike_ruleset::Type)>,
    /// CSV: what stands for null beside nothing.
    pub csv_nulls: Vec<String>,
    /// CSV: what stands between values; found unless given.
    pub csv_delimiter: Option<u8>,
}

/// Opens a file.
pub type OpenSource = fn(&Path, &SourceOptions) -> Result<Box<dyn Source>, Error>;

/// A file format that rows can be read from.
#[derive(Clone, Copy, Debug)]
pub struct SourceKind {
    /// Name, as the user gives it.
    pub name: &'static str,
    /// File name extensions, without the point.
    pub extensions: &'static [&'static str],
    /// What it is, in one line.
    pub summary: &'static str,
    /// Opens a file.
    pub open: OpenSource,
}

/// All formats.
pub static SOURCES: &[SourceKind] = &[];
