//! What differs between two outputs, cell by cell, or between two rulesets, rule by rule.
//!
//! ```
//! use lookalike::diff::{Options, compare};
//!
//! let folder = tempfile::tempdir()?;
//! let file = |name: &str, text: &str| {
//!     let path = folder.path().join(name);
//!     std::fs::write(&path, text).map(|()| path)
//! };
//! let before = file("before.csv", "id,state\n1,open\n2,paid\n")?;
//! let after = file("after.csv", "id,state\n2,paid\n1,lost\n3,open\n")?;
//! let options = Options { key: vec!["id".into()], ..Options::default() };
//! let comparison = compare(&before, &after, &options)?;
//! let table = &comparison.tables[0];
//! assert_eq!((table.added, table.removed, table.changed_rows), (1, 0, 1));
//! assert_eq!(table.cells[0].after.as_deref(), Some("lost"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod folders;
mod rules;
mod tables;
mod words;

use std::path::Path;

use lookalike_io::SourceOptions;
use lookalike_io::sources::SOURCES;
use serde::Serialize;

use crate::Error;

/// How to compare.
#[derive(Clone, Debug)]
pub struct Options {
    /// The columns that tell rows apart; if empty, those that the manifest beside the data names, else the row's number.
    pub key: Vec<String>,
    /// Columns that may differ.
    pub ignore: Vec<String>,
    /// By how much numbers may differ: those of a column, or of all. What is named later counts.
    pub tolerance: Vec<(Option<String>, Tolerance)>,
    /// How many differences of a table are listed; all are counted.
    pub shown: usize,
    /// How files are read.
    pub source: SourceOptions,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            key: Vec::new(),
            ignore: Vec::new(),
            tolerance: Vec::new(),
            shown: 20,
            source: SourceOptions::default(),
        }
    }
}

/// By how much two numbers may differ.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Tolerance {
    /// By so much.
    Absolute(f64),
    /// By this share of the one that is farther from 0.
    Relative(f64),
}

impl Tolerance {
    fn allows(self, a: f64, b: f64) -> bool {
        (a - b).abs()
            <= match self {
                Tolerance::Absolute(by) => by,
                Tolerance::Relative(share) => share * a.abs().max(b.abs()),
            }
    }
}

/// What differs.
#[derive(Clone, Debug, Serialize)]
pub struct Comparison {
    /// What was compared, as named.
    pub before: String,
    /// With what.
    pub after: String,
    /// Whether nothing differs.
    pub same: bool,
    /// The tables, if data was compared.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tables: Vec<TableDifference>,
    /// The rules that changed, if rulesets were compared.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<RuleChange>,
}

/// What differs in a table.
#[derive(Clone, Debug, Default, Serialize)]
pub struct TableDifference {
    /// Name.
    pub table: String,
    /// The columns by which rows were found; none if by their number.
    pub key: Vec<String>,
    /// Rows before; none if the table is new.
    pub rows_before: Option<u64>,
    /// Rows after; none if the table is gone.
    pub rows_after: Option<u64>,
    /// What differs in the columns themselves.
    pub structure: Vec<ColumnChange>,
    /// Rows that are gone.
    pub removed: u64,
    /// The first of them.
    pub first_removed: Vec<RowName>,
    /// Rows that are new.
    pub added: u64,
    /// The first of them.
    pub first_added: Vec<RowName>,
    /// Rows on both sides with another value somewhere.
    pub changed_rows: u64,
    /// Of each column with another value somewhere, in how many rows.
    pub changed_cells: Vec<(String, u64)>,
    /// The first cells with another value, by row and column.
    pub cells: Vec<CellChange>,
}

impl TableDifference {
    /// Whether nothing differs.
    pub fn is_same(&self) -> bool {
        self.rows_before.is_some()
            && self.rows_after.is_some()
            && self.structure.is_empty()
            && self.removed + self.added + self.changed_rows == 0
    }
}

/// A change of a column itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ColumnChange {
    /// The column; none if it is about all of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column: Option<String>,
    /// What changed.
    #[serde(flatten)]
    pub what: crate::lock::What,
}

/// Which row it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RowName {
    /// Its number, from 0.
    pub row: u64,
    /// The values of its key, as CSV writes them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub key: Vec<Option<String>>,
}

/// A cell with another value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CellChange {
    /// The row, as it was before.
    #[serde(flatten)]
    pub row: RowName,
    /// Its number after.
    pub row_after: u64,
    /// The column.
    pub column: String,
    /// The value before, as CSV writes it; none for null.
    pub before: Option<String>,
    /// The value after.
    pub after: Option<String>,
}

/// A rule that changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RuleChange {
    /// The file, where it is not the ruleset's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// The table, if it is one's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub table: Option<String>,
    /// The column, if it is one's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column: Option<String>,
    /// The keys that lead to it from there, with points between them.
    pub path: String,
    /// What it said; none if it was not there.
    pub before: Option<String>,
    /// What it says; none if it is gone.
    pub after: Option<String>,
}

/// Compares two files, two folders as written by `generate`, or two rulesets.
///
/// Rows are compared by key or number, whatever their order and format: a decimal of a Parquet file is the same as the text
/// of it in a CSV file. Memory: about 75 bytes a row for the keys, beside some blocks of rows; without a key, the blocks alone.
///
/// # Errors
/// When something cannot be read, is of another sort than the other, or the key does not tell rows apart.
pub fn compare(before: &Path, after: &Path, options: &Options) -> Result<Comparison, Error> {
    let (tables, rules) = match (sort_of(before), sort_of(after)) {
        (Sort::Ruleset, Sort::Ruleset) => (Vec::new(), rules::compare(before, after)?),
        (Sort::File, Sort::File) => (vec![folders::files(before, after, options)?], Vec::new()),
        (Sort::Folder, Sort::Folder) => (folders::folders(before, after, options)?, Vec::new()),
        (a, b) => {
            return Err(Error::Request(format!(
                "{} is {}, {} is {}: two of the same sort are compared",
                before.display(),
                a.words(),
                after.display(),
                b.words()
            )));
        }
    };
    let same = rules.is_empty() && tables.iter().all(TableDifference::is_same);
    let named = |path: &Path| path.display().to_string();
    Ok(Comparison { before: named(before), after: named(after), same, tables, rules })
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Sort {
    File,
    Folder,
    Ruleset,
}

impl Sort {
    fn words(self) -> &'static str {
        match self {
            Sort::File => "a file with rows",
            Sort::Folder => "a folder",
            Sort::Ruleset => "a ruleset",
        }
    }
}

fn sort_of(path: &Path) -> Sort {
    let extension = path.extension().map(|end| end.to_string_lossy().to_ascii_lowercase());
    let is_rows = |end: &String| SOURCES.iter().any(|kind| kind.extensions.contains(&end.as_str()));
    let is_rules = lookalike_ruleset::read::Format::of_path(&path.display().to_string()).is_some();
    match extension {
        _ if path.is_dir() => Sort::Folder,
        Some(end) if is_rows(&end) => Sort::File,
        _ if is_rules => Sort::Ruleset,
        // What cannot be told is left to the sources, which say what they read.
        _ => Sort::File,
    }
}
