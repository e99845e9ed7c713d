//! Given data: a file's rows, or a frame's, into which the anomalies of a ruleset are put.
//!
//! ```
//! use lookalike::language::read::Format;
//! use lookalike::polars::prelude::*;
//! use lookalike::{Ruleset, data};
//!
//! let clean = df!("load" => [15.5, 16.0, 17.25, 18.0])?;
//! let rules = "{lookalike: 1, tables: {readings: {anomalies: {count: 1, kinds: {gone: {missing: load}}}}}}";
//! let ruleset = Ruleset::loader().given(None, data::rows_of("readings", &clean)?).text(rules, Format::Yaml)?;
//! let readings = ruleset.table("readings")?;
//! assert_eq!(readings.collect()?.column("load")?.null_count(), 1);
//! assert_eq!(readings.marks()?.column("kind")?.str()?.get(0), Some("gone"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! [`Data`] does the same for a file; [`pipeline::inject`](crate::pipeline::inject) writes one.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use lookalike_core::Rows;
use lookalike_engine::{Given, TablePlan};
use lookalike_io::sources::{self, Patch, Text};
use lookalike_io::{Source, SourceKind, SourceOptions};
use lookalike_ruleset::{Field, TableSchema};
use polars::prelude::{DataFrame, IntoColumn, Series, StringChunked};
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::Error;

/// A file whose rows anomalies are put into.
#[derive(Clone)]
pub struct Data {
    path: PathBuf,
    kind: &'static SourceKind,
    source: Arc<dyn Source>,
    /// The columns whose types were given; none where the file itself has types.
    typed: Option<Vec<String>>,
}

/// The data of a manifest.
#[derive(Clone, Debug, Serialize)]
pub struct DataEntry {
    /// Name of the file.
    pub file: String,
    /// Format.
    pub format: &'static str,
    /// Rows.
    pub rows: u64,
    /// Size in bytes; absent where the table is protected, since it depends on the values.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
    /// SHA-256 of the content; absent where the table is protected, since guesses at the content could be held against it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
}

impl DataEntry {
    /// Without what depends on the values in the file.
    pub(crate) fn hide(&mut self) {
        (self.bytes, self.sha256) = (None, None);
    }
}

impl Data {
    /// Opens a file, in the format called `format` or that of its extension.
    ///
    /// # Errors
    /// As [`sources::open`].
    pub fn open(path: &Path, format: Option<&str>, options: &SourceOptions) -> Result<Data, Error> {
        let kind = sources::kind_of(path, format)?;
        let source: Arc<dyn Source> = (kind.open)(path, options)?.into();
        let names = || options.types.iter().map(|(name, _)| name.clone()).collect();
        let typed = source.text().is_some().then(names);
        Ok(Data { path: path.to_path_buf(), kind, source, typed })
    }

    /// Name of the format.
    pub fn format(&self) -> &'static str {
        self.kind.name
    }

    /// Names and types of the columns.
    pub fn schema(&self) -> &TableSchema {
        self.source.schema()
    }

    /// Whether the type of a column was found from all of its cells.
    pub(crate) fn found_type(&self, column: &str) -> bool {
        self.typed.as_ref().is_some_and(|typed| typed.iter().all(|name| name != column))
    }

    /// The rows, for [`Loader::given`](crate::Loader::given).
    pub fn rows(&self) -> Arc<dyn Given> {
        Arc::new(FileRows(self.source.clone()))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The file's text, where the format called `format` is its own and is text: then only marked cells are written anew.
    pub(crate) fn text_as(&self, format: &str) -> Option<&dyn Text> {
        self.source.text().filter(|_| format == self.kind.name)
    }

    /// What a manifest says of the file; reads it through.
    pub(crate) fn entry(&self) -> Result<DataEntry, Error> {
        let failed = |source| lookalike_io::Error::Read { path: self.path.clone(), source };
        let mut file = std::fs::File::open(&self.path).map_err(failed)?;
        let (mut hasher, mut bytes, mut buffer) = (Sha256::new(), 0, vec![0; 1 << 16]);
        loop {
            match file.read(&mut buffer) {
                Ok(0) => break,
                Ok(read) => {
                    hasher.update(&buffer[..read]);
                    bytes += read as u64;
                }
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => return Err(failed(error).into()),
            }
        }
        let name = self.path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
        let sha256 = hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(DataEntry {
            file: name,
            format: self.kind.name,
            rows: self.source.rows(),
            bytes: Some(bytes),
            sha256: Some(sha256),
        })
    }
}

/// The rows of a source as the engine reads them.
struct FileRows(Arc<dyn Source>);

impl Given for FileRows {
    fn schema(&self) -> &TableSchema {
        self.0.schema()
    }

    fn rows(&self) -> u64 {
        self.0.rows()
    }

    fn read(&self, rows: &Rows, columns: &[usize]) -> Result<Vec<Series>, String> {
        let read = match rows {
            Rows::Range(range) => self.0.columns(range.clone(), columns),
            Rows::List(list) => self.0.scattered(list, columns),
        };
        let columns = read.map_err(|error| error.to_string())?.into_columns();
        Ok(columns.into_iter().map(|column| column.take_materialized_series()).collect())
    }
}

/// The rows of a frame as the engine reads them.
struct FrameRows {
    schema: TableSchema,
    frame: DataFrame,
}

/// The rows of a frame, for [`Loader::given`](crate::Loader::given). Columns of categories become text, numbers get 64 bits.
///
/// # Errors
/// When a column is of a type that no table has.
pub fn rows_of(table: &str, frame: &DataFrame) -> Result<Arc<dyn Given>, Error> {
    let (schema, frame) = sources::held(table, frame)?;
    Ok(Arc::new(FrameRows { schema, frame }))
}

impl Given for FrameRows {
    fn schema(&self) -> &TableSchema {
        &self.schema
    }

    fn rows(&self) -> u64 {
        self.frame.height() as u64
    }

    fn read(&self, rows: &Rows, columns: &[usize]) -> Result<Vec<Series>, String> {
        let column = |at: &usize| {
            let series = self.frame.columns()[*at].as_materialized_series();
            match rows {
                Rows::Range(range) => {
                    let range = range.start..range.end.max(range.start);
                    Ok(series.slice(range.start as i64, (range.end - range.start) as usize))
                }
                Rows::List(list) => {
                    let places: Result<Vec<u32>, _> = list.iter().map(|row| u32::try_from(*row)).collect();
                    let places = places.map_err(|error| error.to_string())?;
                    series.take_slice(&places).map_err(|error| error.to_string())
                }
            }
        };
        columns.iter().map(column).collect()
    }
}

/// A unit's text, with its anomalies and without.
pub(crate) struct UnitText {
    pub rows: Vec<u8>,
    pub clean: Vec<u8>,
}

/// The columns that are written beside those of the data: the label.
pub(crate) fn added(plan: &TablePlan, text_columns: usize) -> Vec<Field> {
    plan.schema().fields.split_off(text_columns)
}

/// The text of a unit: that of the file, but for the cells that are marked and the label. `marks` are the unit's, and get the
/// values as the file has them.
pub(crate) fn unit_text(
    text: &dyn Text,
    plan: &TablePlan,
    rows: std::ops::Range<u64>,
    frame: &DataFrame,
    marks: &mut DataFrame,
    with_clean: bool,
) -> Result<UnitText, Error> {
    let internal = |error: polars::prelude::PolarsError| lookalike_engine::Error::Internal(error.to_string());
    let fields = plan.clean_schema().fields;
    let added = added(plan, fields.len());
    let mut patches: Vec<Patch> = Vec::new();
    // Of each mark, its patch: several anomalies may have changed a cell one after the other.
    let mut places: Vec<usize> = Vec::with_capacity(marks.height());
    let numbers = marks.column("row").and_then(|c| c.i64().cloned()).map_err(internal)?;
    let names = marks.column("column").and_then(|c| c.str().cloned()).map_err(internal)?;
    let afters = marks.column("after").and_then(|c| c.str().cloned()).map_err(internal)?;
    for ((row, name), after) in numbers.iter().zip(names.iter()).zip(afters.iter()) {
        let (Some(row), Some(name)) = (row, name) else { continue };
        let Some(column) = fields.iter().position(|field| field.name == name) else {
            return Err(lookalike_engine::Error::Internal(format!("no column `{name}`")).into());
        };
        let patch = Patch { row: row as u64, column, value: after.map(str::to_owned) };
        match patches.last_mut() {
            Some(last) if (last.row, last.column) == (patch.row, patch.column) => *last = patch,
            _ => patches.push(patch),
        }
        places.push(patches.len() - 1);
    }
    let changed = patches.len();
    let mut order: Vec<usize> = (0..changed).collect();
    for (place, field) in added.iter().enumerate() {
        let labels = frame.column(&field.name).map_err(internal)?;
        let labels = lookalike_io::texts(field, labels.as_materialized_series())?;
        for (row, label) in rows.clone().zip(labels.iter()).filter(|(_, label)| label.is_some()) {
            order.push(patches.len());
            patches.push(Patch { row, column: fields.len() + place, value: label.map(str::to_owned) });
        }
    }
    order.sort_by_key(|at| (patches[*at].row, patches[*at].column));
    let sorted: Vec<Patch> = order.iter().map(|at| patches[*at].clone()).collect();
    let patched = text.patched(rows.clone(), &added, &sorted)?;
    let mut cells: Vec<(Option<String>, Option<String>)> = vec![(None, None); patches.len()];
    for (at, cell) in order.into_iter().zip(patched.cells) {
        cells[at] = cell;
    }
    // The marks say what the file said, such as 1.50 for 1.5.
    let befores = marks.column("before").and_then(|c| c.str().cloned()).map_err(internal)?;
    let is = |at: usize, other: Option<&usize>| other == Some(&places[at]);
    let before = |at: usize| match at > 0 && is(at, places.get(at - 1)) {
        true => befores.get(at),
        false => cells[places[at]].0.as_deref(),
    };
    let after = |at: usize| match is(at, places.get(at + 1)) {
        true => afters.get(at),
        false => cells[places[at]].1.as_deref(),
    };
    let texts = |name: &str, of: &dyn Fn(usize) -> Option<String>| {
        (0..places.len()).map(of).collect::<StringChunked>().with_name(name.into())
    };
    let before = texts("before", &|at| before(at).map(str::to_owned));
    let after = texts("after", &|at| after(at).map(str::to_owned));
    marks.with_column(before.into_column()).map_err(internal)?;
    marks.with_column(after.into_column()).map_err(internal)?;
    let clean = if with_clean { text.patched(rows, &[], &[])?.bytes } else { Vec::new() };
    Ok(UnitText { rows: patched.bytes, clean })
}
