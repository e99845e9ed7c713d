//! The files of tables, and what the manifest beside them says.

use std::path::{Path, PathBuf};

use lookalike_io::{SOURCES, Source, SourceOptions};
use lookalike_validate::model::{Check, DataFile, Metric, Throughput, Verdict};
use lookalike_validate::rules::metrics;
use lookalike_validate::text::{counted, grouped};

use crate::{Error, Ruleset};

/// A file with a table, open.
pub(super) struct DataTable {
    pub(super) name: String,
    pub(super) path: PathBuf,
    pub(super) source: Box<dyn Source>,
    /// Places in the source of the written columns, in the plan's order.
    pub(super) places: Vec<usize>,
    pub(super) missing: Vec<String>,
    pub(super) checks: Vec<Check>,
}

/// Whether a table has as many rows as it should have; `source` says who wants so many: `by the manifest`.
pub(crate) fn row_count(table: &str, rows: u64, wanted: u64, source: &str) -> Check {
    let verdict = if rows == wanted { Verdict::Pass } else { Verdict::Fail };
    let message = format!("{}, {} {source}", counted(rows, "row", "rows"), grouped(wanted));
    let mut check = judged(&metrics::ROW_COUNT, table, &[], rows, verdict, message);
    (check.value, check.reference, check.threshold) =
        (Some(rows as f64), Some(wanted as f64), Some(wanted as f64));
    check
}

pub(super) fn judged(
    metric: &'static Metric,
    table: &str,
    columns: &[&str],
    n: u64,
    verdict: Verdict,
    message: String,
) -> Check {
    Check {
        metric,
        table: table.to_owned(),
        columns: columns.iter().map(|column| (*column).to_owned()).collect(),
        rule: None,
        value: Some(f64::from(u8::from(verdict == Verdict::Pass))),
        reference: Some(1.0),
        threshold: Some(1.0),
        p_value: None,
        n,
        verdict,
        message,
        for_release: true,
    }
}

/// What a manifest says that validation needs.
pub(super) struct ManifestNotes {
    pub(super) seed: Option<u64>,
    pub(super) rows: Vec<(String, u64)>,
    /// How long making the data took.
    pub(super) throughput: Option<Throughput>,
}

impl ManifestNotes {
    pub(super) fn rows_of(&self, table: &str) -> Option<u64> {
        self.rows.iter().find(|(name, _)| name == table).map(|(_, rows)| *rows)
    }
}

/// Largest manifest that is read.
pub(super) const MAX_MANIFEST: u64 = 16 * 1024 * 1024;

/// The manifest beside the data, if there is one that can be read: it is an aid, nothing hangs on it.
pub(super) fn read_manifest(data: &Path) -> Option<ManifestNotes> {
    let folder = if data.is_dir() { data } else { data.parent()? };
    let path = folder.join("manifest.json");
    if std::fs::metadata(&path).ok()?.len() > MAX_MANIFEST {
        return None;
    }
    let json: serde_json::Value = serde_json::from_slice(&std::fs::read(path).ok()?).ok()?;
    let rows =
        json.get("tables")?.as_array()?.iter().filter_map(|table| {
            Some((table.get("name")?.as_str()?.to_owned(), table.get("rows")?.as_u64()?))
        });
    let rows: Vec<(String, u64)> = rows.collect();
    let throughput = json.get("timing").and_then(|timing| {
        let threads = timing.get("threads")?.as_u64()?;
        let rows = rows.iter().map(|(_, rows)| rows).sum();
        Some(Throughput { rows, seconds: timing.get("seconds")?.as_f64()?, threads })
    });
    Some(ManifestNotes { seed: json.get("seed").and_then(serde_json::Value::as_u64), rows, throughput })
}

/// The files of the tables. In a folder each table may be there in several formats: Parquet before Arrow before text.
pub(super) fn find(
    ruleset: &Ruleset,
    data: &Path,
    table: Option<&str>,
) -> Result<Vec<(String, PathBuf)>, Error> {
    let names: Vec<String> = ruleset.tables().map(|table| table.name().to_owned()).collect();
    if !data.is_dir() {
        let stem = data.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
        let name = match table {
            Some(table) => ruleset.table(table)?.name().to_owned(),
            None if names.contains(&stem) => stem,
            None if names.len() == 1 => names[0].clone(),
            None => {
                return Err(Error::Request(format!(
                    "{} does not say which table it holds; name it with --table: {}",
                    data.display(),
                    names.join(", ")
                )));
            }
        };
        return Ok(vec![(name, data.to_owned())]);
    }
    if let Some(table) = table {
        ruleset.table(table)?;
    }
    let mut found = Vec::new();
    for name in names.iter().filter(|name| table.is_none_or(|table| table == *name)) {
        found.extend(beside(data, name).map(|path| (name.clone(), path)));
    }
    if found.is_empty() {
        return Err(Error::Request(format!(
            "{} has no file of any of the ruleset's tables: {}",
            data.display(),
            names.join(", ")
        )));
    }
    Ok(found)
}

/// The file of a table in a folder.
pub(super) fn beside(folder: &Path, name: &str) -> Option<PathBuf> {
    let order = ["parquet", "arrow", "csv", "jsonl"];
    let mut kinds: Vec<_> = SOURCES.iter().collect();
    kinds.sort_by_key(|kind| order.iter().position(|known| *known == kind.name).unwrap_or(order.len()));
    kinds
        .iter()
        .flat_map(|kind| kind.extensions)
        .map(|extension| folder.join(format!("{name}.{extension}")))
        .find(|path| path.is_file())
}

/// Opens a file as a table of the ruleset, and says how its columns differ from the declared ones.
pub(super) fn open(ruleset: &Ruleset, name: String, path: PathBuf) -> Result<DataTable, Error> {
    let schema = ruleset.table(&name)?.schema();
    let types = |wanted: &dyn Fn(&str) -> bool| {
        schema
            .fields
            .iter()
            .filter(|field| wanted(&field.name))
            .map(|field| (field.name.clone(), field.ty))
            .collect()
    };
    let options = |types| SourceOptions { table: Some(name.clone()), types, ..SourceOptions::default() };
    let mut wrong: Vec<String> = Vec::new();
    let source = match lookalike_io::sources::open(&path, None, &options(types(&|_| true))) {
        Ok(source) => source,
        Err(refused) => {
            // A column that is not there, or has other values: look at what is there.
            let found = lookalike_io::sources::open(&path, None, &options(Vec::new()))?;
            let there = |column: &str| found.schema().fields.iter().any(|field| field.name == column);
            for field in schema.fields.iter().filter(|field| there(&field.name)) {
                let only = options(vec![(field.name.clone(), field.ty)]);
                if lookalike_io::sources::open(&path, None, &only).is_err() {
                    wrong.push(field.name.clone());
                }
            }
            let fits = |column: &str| there(column) && !wrong.iter().any(|wrong| wrong == column);
            lookalike_io::sources::open(&path, None, &options(types(&fits))).map_err(|_| refused)?
        }
    };
    let found: Vec<&str> = source.schema().fields.iter().map(|field| field.name.as_str()).collect();
    let declared: Vec<&str> = schema.fields.iter().map(|field| field.name.as_str()).collect();
    let n = source.rows();
    let quoted = |names: &[&str]| names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    let absent: Vec<&str> = declared.iter().filter(|name| !found.contains(name)).copied().collect();
    let extra: Vec<&str> = found.iter().filter(|name| !declared.contains(name)).copied().collect();
    let (verdict, message) = if !absent.is_empty() {
        (Verdict::Fail, format!("the file has no column {}", quoted(&absent)))
    } else if !extra.is_empty() {
        (Verdict::Fail, format!("the file has columns that are not declared: {}", quoted(&extra)))
    } else if found != declared {
        let at = found.iter().zip(&declared).position(|(a, b)| a != b).unwrap_or(0);
        (Verdict::Fail, format!("column {} is `{}`, where `{}` is declared", at + 1, found[at], declared[at]))
    } else {
        (Verdict::Pass, "all columns stand at their places".to_owned())
    };
    let mut checks = vec![judged(&metrics::COLUMN_NAMES, &name, &[], n, verdict, message)];
    for field in schema.fields.iter().filter(|field| !absent.contains(&field.name.as_str())) {
        let (verdict, message) = if wrong.contains(&field.name) {
            let ty =
                source.schema().fields.iter().find(|found| found.name == field.name).map(|found| found.ty);
            let ty = ty.map_or_else(|| "something else".to_owned(), |ty| ty.to_string());
            (Verdict::Fail, format!("{ty}, where {} is declared", field.ty))
        } else {
            (Verdict::Pass, format!("all values are {}", field.ty))
        };
        checks.push(judged(&metrics::COLUMN_TYPE, &name, &[&field.name], n, verdict, message));
    }
    let place = |name: &str| found.iter().position(|found| *found == name);
    let fine = declared.iter().filter(|name| !wrong.iter().any(|wrong| wrong == *name));
    let places = fine.filter_map(|name| place(name)).collect();
    let missing = absent.iter().map(|name| (*name).to_owned()).chain(wrong.iter().cloned()).collect();
    Ok(DataTable { name, path, source, places, missing, checks })
}

pub(super) fn data_file(table: &DataTable) -> DataFile {
    file_entry(&table.name, &table.path, table.source.rows())
}

pub(super) fn file_entry(table: &str, path: &Path, rows: u64) -> DataFile {
    DataFile {
        table: table.to_owned(),
        file: path.display().to_string(),
        bytes: std::fs::metadata(path).map_or(0, |meta| meta.len()),
        rows,
        sha256: None,
    }
}
