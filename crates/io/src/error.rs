use std::io;
use std::path::{Path, PathBuf};

use lookalike_ruleset::Type;
use polars::prelude::{DataType, PolarsError};

/// Why rows could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Writing failed: the disk is full, the folder is missing or not writable, and so on.
    #[error("cannot write {}: {source}", path.as_deref().unwrap_or(Path::new("standard output")).display())]
    Write {
        /// The file, as the user knows it; none for standard output.
        path: Option<PathBuf>,
        /// What the operating system says.
        source: io::Error,
    },
    /// Whoever read the output went away, as `head` does. Usually no error for a command at the end of a pipe.
    #[error("the reader of {} went away", path.as_deref().unwrap_or(Path::new("standard output")).display())]
    BrokenPipe {
        /// The file, as the user knows it; none for standard output.
        path: Option<PathBuf>,
    },
    /// Reading failed: the file is missing, not readable, and so on.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The file, as the user knows it.
        path: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
    /// A text file that is not what its format or a column's type says.
    #[error("{}:{line}:{column}: {message}", path.display())]
    Parse {
        /// The file.
        path: PathBuf,
        /// Line, from 1.
        line: u64,
        /// Column of the line in characters, from 1.
        column: u64,
        /// What was found and what was expected.
        message: String,
    },
    /// A file that is damaged, or holds what no table here can.
    #[error("{}: {message}", path.display())]
    Data {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        message: String,
    },
    /// A table without columns.
    #[error("table `{table}` has no columns to write")]
    NoColumns {
        /// The table.
        table: String,
    },
    /// An option that no file could honour.
    #[error("{0}")]
    Option(String),
    /// The unit has other columns than the table.
    #[error("table `{table}` has the columns {expected:?}, the rows have {found:?}")]
    Columns {
        /// The table.
        table: String,
        /// The table's column names.
        expected: Vec<String>,
        /// The frame's column names.
        found: Vec<String>,
    },
    /// A column of the unit is held as another type than the table's.
    #[error("column `{column}` is {expected}, but the rows hold {found}")]
    Physical {
        /// The column.
        column: String,
        /// Its type in the table.
        expected: Type,
        /// What the frame holds.
        found: Box<DataType>,
    },
    /// A null where the table says that none can be.
    #[error("column `{column}` is not nullable, but the rows hold a null")]
    Null {
        /// The column.
        column: String,
    },
    /// A value that the format has no text for.
    #[error("column `{column}`: {format} cannot hold the value {value}")]
    Value {
        /// The column.
        column: String,
        /// Name of the format.
        format: &'static str,
        /// The value.
        value: String,
    },
    /// A part that another kind of sink encoded.
    #[error("the part was encoded for another format than {format}")]
    ForeignPart {
        /// Name of the format that was to write it.
        format: &'static str,
    },
    /// Units of one table differ in how they hold a text column, once with fixed categories and once without, or with
    /// others.
    #[error("{format}: the units of the table do not agree in their categories")]
    Units {
        /// Name of the format.
        format: &'static str,
    },
    /// The column engine refused.
    #[error("{format}: {source}")]
    Engine {
        /// Name of the format.
        format: &'static str,
        /// What it says.
        source: PolarsError,
    },
}

impl Error {
    /// The error of a write to `path`, or to standard output.
    pub(crate) fn write(path: Option<&Path>, source: io::Error) -> Error {
        let path = path.map(Path::to_path_buf);
        match source.kind() {
            io::ErrorKind::BrokenPipe => Error::BrokenPipe { path },
            _ => Error::Write { path, source },
        }
    }

    /// Names the format in an error of the column engine.
    pub(crate) fn engine(format: &'static str) -> impl Fn(PolarsError) -> Error {
        move |source| Error::Engine { format, source }
    }
}
