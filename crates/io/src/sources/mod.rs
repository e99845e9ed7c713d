//! Sources: what reads the rows of a table from a file. One file a format; a new one is listed in [`SOURCES`].
//!
//! A source reads any rows from any thread, in memory that does not depend on the file's size: text formats keep the places
//! of some rows, binary ones read one group of rows at a time. Files are untrusted: sizes are bounded, and what is damaged
//! is an error that says where.

mod arrow;
mod csv;
mod disk;
mod groups;
mod jsonl;
mod parquet;
#[cfg(test)]
mod tests;
mod text;
mod values;

use std::ops::Range;
use std::path::Path;

use lookalike_ruleset::{Field, TableSchema};
use polars::prelude::{Column, DataFrame, Series, StringChunked};

use crate::Error;

/// Most bytes of one row of a text format, its line end included.
pub const MAX_ROW_BYTES: usize = 16 * 1024 * 1024;

/// Most columns of a table that is read.
pub const MAX_COLUMNS: usize = 10_000;

/// Most bytes that one group of rows of a binary format may take in memory.
pub const MAX_GROUP_BYTES: u64 = 4 * 1024 * 1024 * 1024;

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
    fn read(&self, rows: Range<u64>) -> Result<DataFrame, Error> {
        let all: Vec<usize> = (0..self.schema().fields.len()).collect();
        self.columns(rows, &all)
    }

    /// As [`read`](Self::read), but only the columns at these places of the schema.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    fn columns(&self, rows: Range<u64>, wanted: &[usize]) -> Result<DataFrame, Error>;

    /// As [`columns`](Self::columns), but of any rows, in the order given.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    fn scattered(&self, rows: &[u64], wanted: &[usize]) -> Result<DataFrame, Error>;

    /// The text of the file, for formats that are text: so that cells can be replaced and all else stays as it is.
    fn text(&self) -> Option<&dyn Text> {
        None
    }
}

/// A new text for one cell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Patch {
    /// Number of the row in the file.
    pub row: u64,
    /// Place of the column in the schema; from the schema's length on, columns that are added.
    pub column: usize,
    /// The value as CSV writes it, without quotes; none for null.
    pub value: Option<String>,
}

/// The text of some rows with their patches.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Patched {
    /// The bytes.
    pub bytes: Vec<u8>,
    /// Of each patch, the value before and after as the file has it, without quotes and escapes; none for null.
    pub cells: Vec<(Option<String>, Option<String>)>,
}

/// A text file whose cells can be replaced.
pub trait Text: Send + Sync {
    /// What stands before the first row, with `added` columns named at the end of a header line.
    ///
    /// # Errors
    /// The file cannot be read.
    fn head(&self, added: &[Field]) -> Result<Vec<u8>, Error>;

    /// The text of some rows with `patches`, which are sorted by row and then column; all else is byte for byte as in the
    /// file. `added` are the columns that patches may add, of which a row without a patch is null.
    ///
    /// # Errors
    /// The file cannot be read, or has changed, or cannot hold a value.
    fn patched(&self, rows: Range<u64>, added: &[Field], patches: &[Patch]) -> Result<Patched, Error>;

    /// What stands behind the last row: empty lines.
    ///
    /// # Errors
    /// The file cannot be read.
    fn tail(&self) -> Result<Vec<u8>, Error>;
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
    /// Text formats: columns whose type is not given are text, as it is written. Nothing is found from the rows, so that no cell
    /// is read in another way because of what stands in another row; the delimiter of CSV is that of the header.
    pub untyped: bool,
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
pub static SOURCES: &[SourceKind] = &[csv::KIND, jsonl::KIND, parquet::KIND, arrow::KIND];

/// The format called `name`, or that of the extension of `path`.
///
/// # Errors
/// [`Error::Option`], listing the formats that there are.
pub fn kind_of(path: &Path, format: Option<&str>) -> Result<&'static SourceKind, Error> {
    let named = |name: &str| SOURCES.iter().find(|kind| kind.name == name);
    if let Some(name) = format {
        return named(name).ok_or_else(|| {
            let names: Vec<_> = SOURCES.iter().map(|kind| kind.name).collect();
            Error::Option(format!("no format `{name}` can be read; there are {}", names.join(", ")))
        });
    }
    let extension =
        path.extension().map(|end| end.to_string_lossy().to_ascii_lowercase()).unwrap_or_default();
    SOURCES.iter().find(|kind| kind.extensions.contains(&extension.as_str())).ok_or_else(|| {
        let ends = SOURCES.iter().flat_map(|kind| kind.extensions).map(|end| format!(".{end}"));
        Error::Option(format!(
            "the name of {} does not say its format; rows are read from files that end in {}",
            path.display(),
            ends.collect::<Vec<_>>().join(", ")
        ))
    })
}

/// Opens a file in the format called `format`, or in that of its extension.
///
/// Text formats are read once from end to end: to check them, to find the types of columns, and to note where rows begin.
///
/// # Errors
/// The format is not known, the file cannot be read, or not be parsed: the error says where.
pub fn open(path: &Path, format: Option<&str>, options: &SourceOptions) -> Result<Box<dyn Source>, Error> {
    (kind_of(path, format)?.open)(path, options)
}

/// Reads all rows of a file at once.
///
/// # Errors
/// As [`open`] and [`Source::read`].
pub fn read_all(path: &Path, format: Option<&str>, options: &SourceOptions) -> Result<DataFrame, Error> {
    let source = open(path, format, options)?;
    source.read(0..source.rows())
}

/// The rows of a frame as a sink and the engine hold them, and what they are: categories become text, numbers get 64 bits.
///
/// # Errors
/// [`Error::Option`], naming a column of a type that no table has, or a value that is lost.
pub fn held(table: &str, frame: &DataFrame) -> Result<(TableSchema, DataFrame), Error> {
    let (mut fields, mut columns) = (Vec::new(), Vec::new());
    for column in frame.columns() {
        let (ty, series) = groups::held(column.as_materialized_series())
            .map_err(|message| Error::Option(format!("column `{}`: {message}", column.name())))?;
        let nullable = series.null_count() > 0;
        fields.push(Field {
            name: column.name().to_string(),
            ty,
            nullable,
            plain: false,
            json: false,
            about: None,
        });
        columns.push(series.into());
    }
    let frame = DataFrame::new(frame.height(), columns).map_err(Error::engine("frame"))?;
    Ok((TableSchema { table: table.to_owned(), fields }, frame))
}

/// The values of a column from their texts as CSV writes them, without quotes.
///
/// # Errors
/// A text is no value of the field's type.
pub fn values(field: &Field, texts: &StringChunked) -> Result<Series, Error> {
    let mut builder = text::Builder::new(field, texts.len());
    for text in texts.iter() {
        if !builder.push(text) {
            let text = text.unwrap_or_default().escape_debug().to_string();
            return Err(Error::Option(format!("`{text}` in column `{}` is not {}", field.name, field.ty)));
        }
    }
    builder.finish(field).map(Column::take_materialized_series).map_err(Error::engine("values"))
}

/// Name of the table in a file.
fn table_name(path: &Path, options: &SourceOptions) -> String {
    let stem = || path.file_stem().map(|stem| stem.to_string_lossy().into_owned());
    options.table.clone().or_else(stem).unwrap_or_else(|| "table".to_owned())
}

/// The rows asked for, if they lie in the file.
fn within(rows: &Range<u64>, all: u64, path: &Path) -> Result<(), Error> {
    if rows.start <= rows.end && rows.end <= all {
        return Ok(());
    }
    Err(Error::Option(format!(
        "{} has {all} rows, so rows {}..{} do not lie in it",
        path.display(),
        rows.start,
        rows.end
    )))
}

/// Refuses types for columns that there are not.
fn known_types(path: &Path, names: &[String], options: &SourceOptions) -> Result<(), Error> {
    match options.types.iter().find(|(name, _)| !names.contains(name)) {
        None => Ok(()),
        Some((name, _)) => Err(Error::Option(format!(
            "{} has no column `{name}`; it has {}",
            path.display(),
            names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
        ))),
    }
}
