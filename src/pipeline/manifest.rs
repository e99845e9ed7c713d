//! What a run says of itself: what it made, from what, and how.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use lookalike_core::Rows;
use lookalike_engine::plan::TablePlan;
use lookalike_io::Pending;
use lookalike_ruleset::texts::Texts;
use lookalike_validate::model::{DataFile, Report, Verdict};
use serde::Serialize;

use super::write::View;
use super::{Job, Slice};
use crate::data::DataEntry;
use crate::parts::PartFile;
use crate::{Error, Ruleset, protect};

/// What a run made: what, from what, how. Written as `manifest.json` beside the files.
#[derive(Clone, Debug, Serialize)]
pub struct Manifest {
    /// Version of the program.
    pub lookalike: &'static str,
    /// Version of this file's form.
    pub manifest: u32,
    /// The ruleset.
    pub ruleset: RulesetEntry,
    /// Seed in use.
    pub seed: u64,
    /// The ruleset's clock.
    pub clock: Option<String>,
    /// The file that the rows come from, where they are given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data: Option<DataEntry>,
    /// Values of the parameters, as written.
    pub params: serde_json::Map<String, serde_json::Value>,
    /// Rows made: `all`, `range a..b` or `shard i/n`.
    pub slice: String,
    /// The texts by language models that the rows take; absent where there are none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub texts: Vec<TextsEntry>,
    /// The tables.
    pub tables: Vec<TableEntry>,
    /// The files that hold all tables.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<FileEntry>,
    /// What the validation said; absent where there was none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub validation: Option<ValidationEntry>,
    /// How long it took. The only part that differs from run to run.
    pub timing: Timing,
}

/// The ruleset of a [`Manifest`].
#[derive(Clone, Debug, Serialize)]
pub struct RulesetEntry {
    /// Name.
    pub name: String,
    /// SHA-256 over its texts, lookups, files of rows and parameters.
    pub sha256: String,
    /// The files that it was read from, as named.
    pub files: Vec<String>,
}

/// Texts of a [`Manifest`].
#[derive(Clone, Debug, Serialize)]
pub struct TextsEntry {
    /// Name in the ruleset.
    pub name: String,
    /// The file that keeps them, as named.
    pub file: String,
    /// The model that the ruleset asks.
    pub model: String,
    /// How many texts the file keeps.
    pub kept: u64,
    /// How many different texts the rows of this run lack, so that the ruleset's `fallback` stands in for them.
    pub fallback: u64,
}

/// A table of a [`Manifest`].
#[derive(Clone, Debug, Serialize)]
pub struct TableEntry {
    /// Name.
    pub name: String,
    /// What a row is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub about: Option<String>,
    /// Rows made in this run.
    pub rows: u64,
    /// Number of the first of them.
    pub first_row: u64,
    /// Rows of the whole table.
    pub table_rows: u64,
    /// The column that tells rows apart, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// Of rows drawn once, the share that met every `require`; absent where there is none. From the first rows of the run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub acceptance: Option<f64>,
    /// The columns, in order.
    pub columns: Vec<ColumnEntry>,
    /// Of each anomaly, how many rows of this run have it; absent where the table has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub anomalies: Option<BTreeMap<String, u64>>,
    /// Anomalies that happen less often in the whole table than the ruleset wants, since too few rows can take them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub shortfalls: Vec<Shortfall>,
    /// The parts whose rows come from files.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<PartEntry>,
    /// What the noise in its columns promises; absent where there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub privacy: Option<protect::Statement>,
    /// The files.
    pub files: Vec<FileEntry>,
}

/// An anomaly that happens less often than the ruleset wants.
#[derive(Clone, Debug, Serialize)]
pub struct Shortfall {
    /// The anomaly.
    pub anomaly: String,
    /// How many rows, bursts, windows or entities were to have it.
    pub wanted: u64,
    /// How many have it.
    pub got: u64,
}

/// A part of a table whose rows come from a file.
#[derive(Clone, Debug, Serialize)]
pub struct PartEntry {
    /// Name of the part.
    pub part: String,
    /// Rows of the whole table that it takes; of a row that is taken twice, two.
    pub taken: u64,
    /// The file.
    #[serde(flatten)]
    pub data: DataEntry,
}

/// A column of a [`Manifest`].
#[derive(Clone, Debug, Serialize)]
pub struct ColumnEntry {
    /// Name.
    pub name: String,
    /// Type.
    pub r#type: String,
    /// Whether nulls can occur.
    pub nullable: bool,
    /// Whether values are free of repetitions.
    pub unique: bool,
    /// What it means.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub about: Option<String>,
}

/// A file of a [`Manifest`].
#[derive(Clone, Debug, Serialize)]
pub struct FileEntry {
    /// Name, relative to the manifest.
    pub file: String,
    /// What is in it: `rows`, `anomalies` (the cells that were changed) or `clean` (the rows without anomalies).
    pub holds: &'static str,
    /// Format.
    pub format: &'static str,
    /// Size in bytes.
    pub bytes: u64,
    /// SHA-256 of the content.
    pub sha256: String,
}

/// The validation of a [`Manifest`].
#[derive(Clone, Debug, Serialize)]
pub struct ValidationEntry {
    /// `pass` or `fail`.
    pub verdict: &'static str,
    /// Checks that passed.
    pub passed: u64,
    /// Checks that failed.
    pub failed: u64,
    /// The page to read, relative to the manifest; absent where none was written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub page: Option<String>,
    /// All that was found.
    #[serde(skip)]
    pub report: Report,
}

impl ValidationEntry {
    pub(super) fn new(report: Report, page: Option<String>) -> ValidationEntry {
        let count = |verdict| report.checks().filter(|check| check.verdict == verdict).count() as u64;
        let (passed, failed) = (count(Verdict::Pass), count(Verdict::Fail));
        let verdict = if failed > 0 { Verdict::Fail } else { Verdict::Pass }.name();
        ValidationEntry { verdict, passed, failed, page, report }
    }
}

/// The timing of a [`Manifest`].
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Timing {
    /// Wall time of the run without start-up, in seconds.
    pub seconds: f64,
    /// Rows over seconds.
    pub rows_per_second: f64,
    /// Bytes written over seconds.
    pub bytes_per_second: f64,
    /// Threads that generated and encoded.
    pub threads: usize,
}

/// What the rows of a run take of texts by language models, and lack. Where rows are given, their texts are not made.
pub(super) fn texts(
    ruleset: &Ruleset,
    tables: &[(&TablePlan, std::ops::Range<u64>)],
    is_given: bool,
) -> Result<Vec<TextsEntry>, Error> {
    let rows: Vec<_> = tables.iter().map(|(plan, rows)| (plan.name.clone(), rows.clone())).collect();
    let missing = ruleset.missing_texts(if is_given { &[] } else { &rows })?;
    let entry = |texts: &Arc<Texts>| TextsEntry {
        name: texts.name.clone(),
        file: texts.file.clone(),
        model: texts.decl.model.clone(),
        kept: texts.kept.len() as u64,
        fallback: missing.iter().filter(|ask| ask.texts == texts.name).count() as u64,
    };
    Ok(ruleset.texts().iter().map(entry).collect())
}

/// The files with rows, for the report.
pub(super) fn data_files(entries: &[TableEntry], shared: &[FileEntry]) -> Vec<DataFile> {
    let with_rows = |file: &&FileEntry| file.holds == View::Rows.name();
    let file = |entry: &TableEntry, file: &FileEntry| DataFile {
        table: entry.name.clone(),
        file: file.file.clone(),
        bytes: file.bytes,
        rows: entry.rows,
        sha256: Some(file.sha256.clone()),
    };
    // A file with all tables is listed for each of them.
    let of = |entry| entry_files(entry, shared).filter(with_rows).map(move |found| file(entry, found));
    entries.iter().flat_map(of).collect()
}

fn entry_files<'a>(entry: &'a TableEntry, shared: &'a [FileEntry]) -> impl Iterator<Item = &'a FileEntry> {
    entry.files.iter().chain(shared)
}

pub(crate) fn round_to(value: f64, digits: i32) -> f64 {
    let factor = 10f64.powi(digits);
    (value * factor).round() / factor
}

pub(super) fn table_entry(
    plan: &TablePlan,
    rows: std::ops::Range<u64>,
    job: &Job,
    views: &[View],
    pending: &[Vec<Option<Pending>>],
    anomalies: BTreeMap<String, u64>,
) -> Result<TableEntry, Error> {
    let sample = Rows::Range(rows.start..rows.end.min(rows.start + 10_000));
    let acceptance =
        if plan.has_requirements() { Some(round_to(plan.acceptance(&sample)?, 4)) } else { None };
    let unique = |name: &str| plan.columns.iter().any(|column| column.name == name && column.unique);
    let columns = plan.schema().fields.into_iter().map(|field| ColumnEntry {
        unique: unique(&field.name),
        name: field.name,
        r#type: field.ty.to_string(),
        nullable: field.nullable,
        about: field.about,
    });
    Ok(TableEntry {
        name: plan.name.clone(),
        about: plan.about.clone(),
        rows: rows.end - rows.start,
        first_row: rows.start,
        table_rows: plan.rows,
        key: None,
        acceptance,
        columns: columns.collect(),
        anomalies: plan.has_anomalies().then_some(anomalies),
        shortfalls: plan
            .shortfalls()
            .map(|(anomaly, wanted, got)| Shortfall { anomaly: anomaly.to_owned(), wanted, got })
            .collect(),
        parts: Vec::new(),
        privacy: None,
        files: views
            .iter()
            .zip(pending)
            .flat_map(|(view, pending)| {
                let own = job.formats.iter().zip(pending).filter_map(|(kind, p)| Some((kind, p.as_ref()?)));
                own.map(|(kind, pending)| file_entry(*view, kind.name, pending))
            })
            .collect(),
    })
}

/// What a manifest says of a table's parts that come from files.
pub(super) fn parts(ruleset: &Ruleset, plan: &TablePlan) -> Vec<PartEntry> {
    let files = ruleset.parts().iter().filter(|file| file.table == plan.name);
    let entry = |file: &PartFile| {
        let (_, _, taken) = plan.rows_from_files().find(|(part, ..)| *part == file.part)?;
        Some(PartEntry { part: file.part.clone(), taken, data: file.entry.clone() })
    };
    files.filter_map(entry).collect()
}

pub(super) fn file_entry(view: View, format: &'static str, pending: &Pending) -> FileEntry {
    let lookalike_io::Written { path, bytes, sha256, .. } = pending.written();
    let name = path
        .as_deref()
        .and_then(Path::file_name)
        .map_or_else(|| "-".into(), |name| name.to_string_lossy().into());
    FileEntry { file: name, holds: view.name(), format, bytes: *bytes, sha256: sha256.clone() }
}

pub(super) fn manifest(
    ruleset: &Ruleset,
    data: Option<DataEntry>,
    job: &Job,
    (tables, files): (Vec<TableEntry>, Vec<FileEntry>),
    validation: Option<ValidationEntry>,
    timing: Timing,
) -> Manifest {
    let text = |param: &lookalike_ruleset::document::Param| {
        param.value.as_scalar().map_or(String::new(), |s| s.text.clone())
    };
    Manifest {
        lookalike: env!("CARGO_PKG_VERSION"),
        manifest: 1,
        ruleset: RulesetEntry {
            name: ruleset.name().to_owned(),
            sha256: ruleset.digest().to_owned(),
            files: ruleset.sources().iter().map(|source| source.name.clone()).collect(),
        },
        seed: ruleset.seed(),
        clock: ruleset
            .clock()
            .and_then(|c| jiff::Timestamp::from_microsecond(c).ok())
            .map(|stamp| stamp.to_string()),
        data,
        params: ruleset.params().iter().map(|param| (param.name.clone(), text(param).into())).collect(),
        slice: match job.slice {
            Slice::All => "all".to_owned(),
            Slice::Range(start, end) => format!("range {start}..{end}"),
            Slice::Shard(part, parts) => format!("shard {part}/{parts}"),
        },
        texts: Vec::new(),
        tables,
        files,
        validation,
        timing,
    }
}
