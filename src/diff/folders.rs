//! Which files hold which tables, and what tells their rows apart.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};

use lookalike_io::sources::{self, SOURCES, Source};

use super::{Options, TableDifference, tables};
use crate::Error;

/// The largest manifest that is read, in bytes.
const MAX_BYTES: u64 = 64 << 20;

/// Formats from the one that says most about types to the one that says least.
const PREFERRED: [&str; 4] = ["parquet", "arrow", "jsonl", "csv"];

/// A file with rows.
pub(super) struct File {
    pub path: PathBuf,
    pub source: Box<dyn Source>,
    /// Whether the format says of which types columns are.
    pub is_typed: bool,
}

impl File {
    fn open(path: &Path, options: &Options) -> Result<File, Error> {
        let kind = sources::kind_of(path, None)?;
        let source = (kind.open)(path, &options.source)?;
        Ok(File { path: path.to_path_buf(), source, is_typed: matches!(kind.name, "parquet" | "arrow") })
    }
}

/// Compares two files.
pub(super) fn files(before: &Path, after: &Path, options: &Options) -> Result<TableDifference, Error> {
    let (before, after) = (File::open(before, options)?, File::open(after, options)?);
    let table = before.source.schema().table.clone();
    let beside = before.path.parent().unwrap_or(Path::new(""));
    let key = keys(beside).remove(&table).unwrap_or_default();
    tables::compare(&table, &before, &after, &key, options)
}

/// Compares two folders, table by table.
pub(super) fn folders(before: &Path, after: &Path, options: &Options) -> Result<Vec<TableDifference>, Error> {
    let mut keys = keys(before);
    let (of_before, mut of_after) = (tables_in(before)?, tables_in(after)?);
    let mut found = Vec::new();
    for (table, before) in of_before {
        let Some(after) = of_after.remove(&table) else {
            let rows = Some(File::open(best(&before), options)?.source.rows());
            found.push(TableDifference { table, rows_before: rows, ..TableDifference::default() });
            continue;
        };
        let both = PREFERRED
            .iter()
            .find_map(|format| Some((before.get(format)?.as_path(), after.get(format)?.as_path())));
        let (before, after) = both.unwrap_or_else(|| (best(&before), best(&after)));
        let key = keys.remove(&table).unwrap_or_default();
        let (before, after) = (File::open(before, options)?, File::open(after, options)?);
        found.push(tables::compare(&table, &before, &after, &key, options)?);
    }
    for (table, after) in of_after {
        let rows = Some(File::open(best(&after), options)?.source.rows());
        found.push(TableDifference { table, rows_after: rows, ..TableDifference::default() });
    }
    Ok(found)
}

/// The files of a table by format.
type Formats = BTreeMap<&'static str, PathBuf>;

fn best(formats: &Formats) -> &Path {
    let best = PREFERRED.iter().find_map(|format| formats.get(format));
    best.or_else(|| formats.values().next()).expect("a table has a file")
}

/// The tables in a folder: the names of the files that rows are read from.
fn tables_in(folder: &Path) -> Result<BTreeMap<String, Formats>, Error> {
    let failed = |source| lookalike_io::Error::Read { path: folder.to_path_buf(), source };
    let mut tables: BTreeMap<String, Formats> = BTreeMap::new();
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let Some(stem) = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()) else { continue };
        if let Ok(kind) = sources::kind_of(&path, None)
            && path.is_file()
            && !stem.starts_with('.')
        {
            tables.entry(stem).or_default().insert(kind.name, path);
        }
    }
    if tables.is_empty() {
        let ends: Vec<_> =
            SOURCES.iter().flat_map(|kind| kind.extensions).map(|end| format!(".{end}")).collect();
        return Err(Error::Request(format!(
            "{} has no file with rows; they end in {}",
            folder.display(),
            ends.join(", ")
        )));
    }
    Ok(tables)
}

/// The keys of tables by the manifest in a folder; none where there is none, or none that can be read.
fn keys(folder: &Path) -> BTreeMap<String, Vec<String>> {
    let read = || -> Option<serde_json::Value> {
        let file = std::fs::File::open(folder.join("manifest.json")).ok()?;
        let mut text = String::new();
        file.take(MAX_BYTES).read_to_string(&mut text).ok()?;
        serde_json::from_str(&text).ok()
    };
    let manifest = read().unwrap_or_default();
    let tables = manifest["tables"].as_array().into_iter().flatten();
    let key = |table: &serde_json::Value| {
        Some((table["name"].as_str()?.to_owned(), vec![table["key"].as_str()?.to_owned()]))
    };
    tables.filter_map(key).collect()
}
