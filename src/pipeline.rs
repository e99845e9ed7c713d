//! The whole product on one screen: plan, generate, protect, encode, write, publish, describe.
//!
//! ```
//! use std::sync::atomic::AtomicBool;
//!
//! use lookalike::pipeline::{Destination, Job, Quiet, generate};
//!
//! let folder = tempfile::tempdir()?;
//! let text = "{lookalike: 1, tables: {orders: {rows: 100, columns: {id: {sequence: {start: 1}}}}}}";
//! let ruleset = lookalike::Ruleset::from_str(text)?;
//! let job = Job { destination: Destination::Folder(folder.path().to_owned()), report: true, ..Job::default() };
//! let manifest = generate(&ruleset, &job, &Quiet, &AtomicBool::new(false))?;
//! assert_eq!(manifest.tables[0].files[0].file, "orders.csv");
//! assert!(folder.path().join("report/index.html").exists());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use lookalike_core::Rows;
use lookalike_engine::plan::TablePlan;
use lookalike_engine::run::{BLOCK_ROWS, UNIT_ROWS, in_order};
use lookalike_io::sources::Text;
use lookalike_io::{Encoder, Output, Part, Pending, Sink, SinkKind, SinkOptions, Template};
use lookalike_ruleset::texts::Texts;
use lookalike_ruleset::{Field, TableSchema};
use lookalike_validate::model::{DataFile, Report, Throughput, Verdict};
use lookalike_validate::rules::Found;
use polars::prelude::DataFrame;
use serde::Serialize;

use crate::data::{self, Data, DataEntry};
use crate::outputs::{self, Chosen, Outputs};
use crate::parts::PartFile;
use crate::protect::{self, Protected};
use crate::validation::{self, Examined, Examiner, Scope, TableScope};
use crate::{Error, Ruleset, marks};

pub use crate::progress::{Progress, Quiet};

/// Which rows of each table to make.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Slice {
    /// All.
    All,
    /// Rows from the first number up to, but not including, the second.
    Range(u64, u64),
    /// The i-th of n parts of nearly equal size, counted from 1. The parts joined are the whole, byte for byte: only the
    /// first has a header line.
    Shard(u64, u64),
}

impl Slice {
    /// The rows meant, of a table with `rows` rows.
    ///
    /// # Errors
    /// When the slice reaches beyond the table's end.
    pub fn of(self, table: &str, rows: u64) -> Result<std::ops::Range<u64>, Error> {
        match self {
            Slice::All => Ok(0..rows),
            Slice::Range(start, end) if start <= end && end <= rows => Ok(start..end),
            Slice::Range(start, end) => Err(Error::Request(format!(
                "table `{table}` has {rows} rows, so the range {start}..{end} does not lie in it"
            ))),
            Slice::Shard(part, parts) => {
                let at = |i: u64| (u128::from(rows) * u128::from(i) / u128::from(parts)) as u64;
                Ok(at(part - 1)..at(part))
            }
        }
    }

    /// What a file name says of the slice.
    pub(crate) fn file_tag(self) -> String {
        match self {
            Slice::All => String::new(),
            Slice::Range(start, end) => format!(".{start}-{end}"),
            Slice::Shard(part, parts) => format!(".{part}-of-{parts}"),
        }
    }
}

/// Where the rows go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Destination {
    /// Into files in this folder, which is made if need be, with a `manifest.json` beside them.
    Folder(PathBuf),
    /// To standard output: one table in one format, and no manifest.
    Stdout,
}

/// What to make, and where.
#[derive(Clone, Debug)]
pub struct Job {
    /// Names of the tables; none for all.
    pub tables: Vec<String>,
    /// Rows of each table.
    pub slice: Slice,
    /// Where to.
    pub destination: Destination,
    /// Formats.
    pub formats: Vec<SinkKind>,
    /// Options of the formats.
    pub options: SinkOptions,
    /// Names of files, where each row goes into one that is named after its values, in a folder called as its table; the
    /// only format is that of the template then.
    pub split: Option<Template>,
    /// Threads that generate and encode; at least 1. No output depends on it.
    pub threads: usize,
    /// Rows that are generated at a time; at least 1. No output depends on it.
    pub block_rows: usize,
    /// Whether tables with anomalies are written without them, too, into files named `….clean.…`.
    pub clean: bool,
    /// Whether the rows are held against the rules while they pass, and a report is written into the folder `report` beside
    /// them; see [`Manifest::validation`].
    pub report: bool,
    /// The file that keeps what the records of protected tables lose; `ledger.jsonl` in the folder unless given. On standard
    /// output, which has no folder, nothing is written of a protected table without it.
    pub ledger: Option<PathBuf>,
}

impl Default for Job {
    fn default() -> Job {
        Job {
            tables: Vec::new(),
            slice: Slice::All,
            destination: Destination::Folder("outputs".into()),
            formats: lookalike_io::SINKS.iter().filter(|kind| kind.name == "csv").copied().collect(),
            options: SinkOptions::default(),
            split: None,
            threads: std::thread::available_parallelism().map_or(1, usize::from),
            block_rows: BLOCK_ROWS,
            clean: false,
            report: false,
            ledger: None,
        }
    }
}

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
    fn new(report: Report, page: Option<String>) -> ValidationEntry {
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

/// Makes the rows that `job` asks for and writes them. Files appear under their names only when all of them are complete;
/// an error or a stop leaves what was there before.
///
/// # Errors
/// When the job makes no sense, rows cannot be made or written, or `stop` was set.
pub fn generate(
    ruleset: &Ruleset,
    job: &Job,
    progress: &dyn Progress,
    stop: &AtomicBool,
) -> Result<Manifest, Error> {
    run(ruleset, None, job, progress, stop)
}

/// As [`generate`], of a ruleset whose only table has the rows of `data`. In the data's own format, if that is text, all but
/// the marked cells are written as the file has them, byte for byte.
///
/// # Errors
/// As [`generate`], and when the file cannot be read.
pub fn inject(
    ruleset: &Ruleset,
    data: &Data,
    job: &Job,
    progress: &dyn Progress,
    stop: &AtomicBool,
) -> Result<Manifest, Error> {
    run(ruleset, Some(data), job, progress, stop)
}

fn run(
    ruleset: &Ruleset,
    data: Option<&Data>,
    job: &Job,
    progress: &dyn Progress,
    stop: &AtomicBool,
) -> Result<Manifest, Error> {
    let started = Instant::now();
    let mut tables = choose_tables(ruleset, job)?;
    let ledger = protect::ledger(ruleset, &tables, job)?;
    let lost = protect::lost(ruleset, data, &tables)?;
    if let Destination::Folder(folder) = &job.destination {
        std::fs::create_dir_all(folder)
            .map_err(|source| lookalike_io::Error::Write { path: Some(folder.clone()), source })?;
    }
    let inputs = data.map(Data::path).into_iter().chain(ruleset.parts().iter().map(PartFile::path));
    let inputs: Vec<PathBuf> = inputs.filter_map(|path| path.canonicalize().ok()).collect();
    let texts = texts(ruleset, &tables, data.is_some())?;
    let mut entries = Vec::new();
    let mut finished: Vec<Pending> = Vec::new();
    let examiner = if job.report { examiner(ruleset, &tables)? } else { None };
    let (mut found, mut asked) = (Vec::new(), Vec::new());
    let mut outputs = Outputs::new(ruleset, &mut tables, job)?;
    if let (Some(ledger), Destination::Stdout) = (&ledger, &job.destination) {
        // These rows leave as they are made.
        protect::enter(ledger, &lost)?;
    }
    for (plan, rows) in tables {
        progress.begin(&plan.name, rows.end - rows.start);
        let protected = ruleset.protected(&plan.name);
        let views = views(plan, protected, job)?;
        let examined = examiner.as_ref().and_then(|examiner| examiner.table(&plan.name));
        let writing =
            Writing { plan, rows: rows.clone(), views: &views, data, inputs: &inputs, examined, protected };
        let Written { pending, anomalies, found: in_table } =
            write_table(writing, job, &mut outputs, progress, stop)?;
        if let Some(in_table) = in_table {
            let wanted = rows.end - rows.start;
            asked.push(validation::row_count(&plan.name, in_table.rows(), wanted, "asked for"));
            found.push((plan.name.clone(), in_table));
        }
        progress.end();
        let mut entry = table_entry(plan, rows, job, &views, &pending, anomalies)?;
        entry.parts = parts(ruleset, plan);
        match protected {
            None => entry.key = plan.constraints(false).primary,
            Some(protected) => protected.describe(plan, &mut entry)?,
        }
        entries.push(entry);
        finished.extend(pending.into_iter().flatten().flatten());
    }
    // Files may need another order than the ruleset's.
    let place = |name: &str| ruleset.plan().tables.iter().position(|plan| plan.name == name);
    entries.sort_by_key(|entry| place(&entry.name));
    found.sort_by_key(|(name, _)| place(name));
    let mut files = Vec::new();
    for (view, format, pending) in outputs.finish()? {
        files.push(file_entry(view, format, &pending));
        finished.push(pending);
    }
    let bytes: u64 = finished.iter().map(|pending| pending.written().bytes).sum();
    let rows: u64 = entries.iter().map(|entry| entry.rows).sum();
    let seconds = started.elapsed().as_secs_f64();
    let timing = Timing {
        seconds: round_to(seconds, 4),
        rows_per_second: (rows as f64 / seconds).round(),
        bytes_per_second: (bytes as f64 / seconds).round(),
        threads: job.threads,
    };
    let mut validation = None;
    if let Some(examiner) = examiner {
        let mut provenance = validation::provenance(ruleset);
        provenance.files = data_files(&entries, &files);
        provenance.throughput =
            Some(Throughput { rows, seconds: timing.seconds, threads: job.threads as u64 });
        let tables = examiner.finish(found, asked)?;
        let report = Report::new(ruleset.name(), provenance, tables, None);
        let mut page = None;
        if let Destination::Folder(folder) = &job.destination {
            // The page holds its charts; files of their own are for `lookalike validate --report`.
            let page_alone = validation::Choice { charts: false, ..validation::Choice::default() };
            finished.extend(validation::render(&report, &folder.join(REPORT), page_alone)?);
            page = Some(format!("{REPORT}/index.html"));
        }
        validation = Some(ValidationEntry::new(report, page));
    }
    let mut data = data.map(Data::entry).transpose()?;
    if !lost.is_empty() {
        data.iter_mut().for_each(DataEntry::hide);
    }
    let manifest = Manifest { texts, ..manifest(ruleset, data, job, (entries, files), validation, timing) };
    if let (Some(ledger), Destination::Folder(folder)) = (&ledger, &job.destination) {
        let mut page = Output::file(folder.join("privacy.md"))?;
        page.write(protect::page(ruleset.name(), &lost).as_bytes())?;
        finished.push(page.finish(0)?);
        protect::enter(ledger, &lost)?;
    }
    publish(finished, &manifest, &job.destination)?;
    Ok(manifest)
}

/// What the rows of a run take of texts by language models, and lack. Where rows are given, their texts are not made.
fn texts(
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

/// Name of the folder with the report, beside the data.
pub const REPORT: &str = "report";

/// The files with rows, for the report.
fn data_files(entries: &[TableEntry], shared: &[FileEntry]) -> Vec<DataFile> {
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

/// What looks at the rows. Protected tables are left out: with their noise they do not follow the rules, and figures of the
/// rows without it would undo the protection.
fn examiner(
    ruleset: &Ruleset,
    tables: &[(&TablePlan, std::ops::Range<u64>)],
) -> Result<Option<Examiner>, Error> {
    let open = tables.iter().filter(|(plan, _)| ruleset.protected(&plan.name).is_none());
    let tables: Vec<_> = open.map(|(plan, rows)| TableScope::whole(&plan.name, rows.clone())).collect();
    if tables.is_empty() {
        return Ok(None);
    }
    Examiner::new(ruleset, &Scope { tables, by: None }).map(Some)
}

pub(crate) fn round_to(value: f64, digits: i32) -> f64 {
    let factor = 10f64.powi(digits);
    (value * factor).round() / factor
}

fn choose_tables<'a>(ruleset: &'a Ruleset, job: &Job) -> Result<Chosen<'a>, Error> {
    if job.formats.is_empty() {
        return Err(Error::Request("no format was asked for".into()));
    }
    let mut chosen = Vec::new();
    for name in &job.tables {
        ruleset.table(name)?;
    }
    for plan in &ruleset.plan().tables {
        if job.tables.is_empty() || job.tables.contains(&plan.name) {
            chosen.push((plan, job.slice.of(&plan.name, plan.rows)?));
        }
    }
    let one_file = chosen.len() == 1 || job.formats.iter().all(Outputs::is_shared);
    if job.destination == Destination::Stdout && (!one_file || job.formats.len() > 1) {
        return Err(Error::Request(
            "standard output takes one table in one format; choose them with --table and --format".to_owned(),
        ));
    }
    Ok(chosen)
}

/// What is written of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum View {
    /// The rows, with their anomalies.
    Rows,
    /// The cells that anomalies changed.
    Anomalies,
    /// The rows without anomalies.
    Clean,
}

impl View {
    /// What it is called in file names and in the manifest.
    fn name(self) -> &'static str {
        match self {
            View::Rows => "rows",
            View::Anomalies => "anomalies",
            View::Clean => "clean",
        }
    }

    /// What a file name says of it.
    pub(crate) fn tag(self) -> String {
        if self == View::Rows { String::new() } else { format!(".{}", self.name()) }
    }

    fn schema(self, plan: &TablePlan) -> TableSchema {
        match self {
            View::Rows => plan.schema(),
            View::Anomalies => marks::schema(&plan.name),
            View::Clean => plan.clean_schema(),
        }
    }
}

/// Of a protected table only the rows are written: what anomalies changed, and rows without them, would show what the noise is
/// there to hide.
fn views(plan: &TablePlan, protected: Option<&Protected>, job: &Job) -> Result<Vec<View>, Error> {
    let mut views = vec![View::Rows];
    if protected.is_some() {
        if job.clean && plan.has_anomalies() {
            return Err(Error::Request(format!(
                "table `{}` is protected by `privacy`, so it is not written without its anomalies; leave --clean out",
                plan.name
            )));
        }
        return Ok(views);
    }
    if plan.has_anomalies() && job.destination != Destination::Stdout {
        views.push(View::Anomalies);
        views.extend(job.clean.then_some(View::Clean));
    }
    Ok(views)
}

/// The text of the data, where it is to be kept in a view and a format.
fn kept_text<'a>(data: Option<&'a Data>, view: View, kind: &SinkKind) -> Option<&'a dyn Text> {
    data.filter(|_| view != View::Anomalies).and_then(|data| data.text_as(kind.name))
}

/// The columns that a view adds to the data's.
fn added(plan: &TablePlan, view: View) -> Vec<Field> {
    if view == View::Rows { data::added(plan, plan.clean_schema().fields.len()) } else { Vec::new() }
}

fn open_sinks(
    plan: &TablePlan,
    data: Option<&Data>,
    inputs: &[PathBuf],
    view: View,
    rows: &std::ops::Range<u64>,
    job: &Job,
    outputs: &mut Outputs<'_>,
) -> Result<Vec<Box<dyn Sink>>, Error> {
    let schema = view.schema(plan);
    let options = outputs.options(plan, view, rows);
    let open = |kind: &SinkKind| {
        if Outputs::is_shared(kind) {
            let schema = outputs::named(schema.clone(), view);
            if let Some(sink) = outputs.go_on(view, kind, &schema, &options) {
                return sink;
            }
            let output = outputs::output(job, &outputs.shared_name(view, kind))?;
            return Ok((kind.open)(&schema, output, &options)?);
        }
        if let (Some(template), View::Rows, Destination::Folder(folder)) =
            (&job.split, view, &job.destination)
        {
            return Ok(lookalike_io::split(template, &schema, folder.join(&plan.name), &options)?);
        }
        let output = match &job.destination {
            Destination::Folder(folder) => {
                let name = format!("{}{}{}.{}", plan.name, view.tag(), job.slice.file_tag(), kind.extension);
                let path = folder.join(name);
                if path.canonicalize().is_ok_and(|path| inputs.contains(&path)) {
                    let message = format!("{} would be replaced; write to another folder", path.display());
                    return Err(Error::Request(message));
                }
                Output::file(path)?
            }
            Destination::Stdout => Output::stdout(),
        };
        let Some(text) = kept_text(data, view, kind) else {
            return Ok((kind.open)(&schema, output, &options)?);
        };
        let mut raw = options.clone();
        raw.csv.header = false;
        let mut sink = (kind.open)(&schema, output, &raw)?;
        sink.write(Part::text(0, text.head(&added(plan, view))?))?;
        Ok(sink)
    };
    job.formats.iter().map(open).collect()
}

/// A unit of a table: its rows, and of each view a part for each format.
struct Unit {
    rows: u64,
    parts: Vec<Vec<Part>>,
    anomalies: BTreeMap<String, u64>,
    found: Option<Found>,
}

/// What encodes a view, by format.
type Encoders = Vec<Arc<dyn Encoder>>;

/// A table that is written.
struct Written {
    /// The files of each view, by format; none for a file that holds all tables.
    pending: Vec<Vec<Option<Pending>>>,
    /// How often each anomaly happened.
    anomalies: BTreeMap<String, u64>,
    /// What the validation found.
    found: Option<Found>,
}

/// A table that is to be written, and what happens to its rows on the way.
struct Writing<'a> {
    plan: &'a TablePlan,
    rows: std::ops::Range<u64>,
    views: &'a [View],
    /// Where rows are given: the file.
    data: Option<&'a Data>,
    /// The files that rows come from, which are not to be replaced.
    inputs: &'a [PathBuf],
    /// Who looks at them.
    examined: Option<&'a Examined>,
    /// What noise is put on them.
    protected: Option<&'a Protected>,
}

/// Generates, looks, protects and encodes in parallel, writes in order.
fn write_table(
    writing: Writing<'_>,
    job: &Job,
    outputs: &mut Outputs<'_>,
    progress: &dyn Progress,
    stop: &AtomicBool,
) -> Result<Written, Error> {
    let Writing { plan, rows, views, data, inputs, examined, protected } = writing;
    // Protected rows never keep the text of the data.
    let data = data.filter(|_| protected.is_none());
    let mut sinks = Vec::new();
    for view in views {
        sinks.push(open_sinks(plan, data, inputs, *view, &rows, job, outputs)?);
    }
    let text = job.formats.iter().find_map(|kind| kept_text(data, View::Rows, kind));
    let encoders: Vec<Encoders> =
        sinks.iter().map(|sinks| sinks.iter().map(|sink| sink.encoder()).collect()).collect();
    // What else is made than what is written: kept text needs the marks, the validation the rows without anomalies.
    let mut made = views.to_vec();
    if text.is_some() && !made.contains(&View::Anomalies) {
        made.push(View::Anomalies);
    }
    let marks_at = made.iter().position(|view| *view == View::Anomalies);
    if examined.is_some() && plan.has_anomalies() && !made.contains(&View::Clean) {
        made.push(View::Clean);
    }
    let clean = made.iter().position(|view| *view == View::Clean).unwrap_or(0);
    // A table without rows has a unit without rows.
    let units = (rows.end - rows.start).div_ceil(UNIT_ROWS).max(u64::from(examined.is_some()));
    let work = |unit: u64| -> Result<Unit, Error> {
        let start = rows.start + unit * UNIT_ROWS;
        let end = (start + UNIT_ROWS).min(rows.end);
        let (mut frames, anomalies) = unit_frames(plan, start..end, &made, job.block_rows)?;
        let found = examined.map(|examined| examined.look(start, &frames[0], &frames[clean])).transpose()?;
        if let Some(protected) = protected {
            frames = frames.into_iter().map(|frame| protected.apply(frame)).collect::<Result<_, _>>()?;
        }
        let unit = match (text, marks_at) {
            (Some(text), Some(at)) => {
                let mut marks = frames[at].clone();
                let clean = views.contains(&View::Clean);
                let unit = data::unit_text(text, plan, start..end, &frames[0], &mut marks, clean)?;
                frames[at] = marks;
                Some(unit)
            }
            _ => None,
        };
        let encode = |((encoders, frame), view): ((&Encoders, &DataFrame), &View)| {
            let part = |(encoder, kind): (&Arc<dyn Encoder>, &SinkKind)| match unit
                .as_ref()
                .filter(|_| kept_text(data, *view, kind).is_some())
            {
                Some(unit) if *view == View::Rows => Ok(Part::text(end - start, unit.rows.clone())),
                Some(unit) => Ok(Part::text(end - start, unit.clean.clone())),
                None => encoder.encode(frame),
            };
            encoders.iter().zip(&job.formats).map(part).collect::<Result<Vec<_>, _>>()
        };
        let parts = match end - start {
            0 => Vec::new(),
            _ => encoders.iter().zip(&frames).zip(views).map(encode).collect::<Result<_, _>>()?,
        };
        Ok(Unit { rows: end - start, parts, anomalies, found })
    };
    let mut counts = BTreeMap::new();
    let mut found: Option<Found> = None;
    in_order(units, job.threads, stop, work, |unit| {
        for (sinks, parts) in sinks.iter_mut().zip(unit.parts) {
            for (sink, part) in sinks.iter_mut().zip(parts) {
                sink.write(part)?;
            }
        }
        for (anomaly, rows) in unit.anomalies {
            *counts.entry(anomaly).or_default() += rows;
        }
        match (&mut found, unit.found) {
            (Some(all), Some(part)) => validation::merge(all, part)?,
            (all, part) => *all = all.take().or(part),
        }
        progress.advance(unit.rows);
        Ok(())
    })?;
    if stop.load(Ordering::Relaxed) {
        return Err(Error::Interrupted);
    }
    for (sinks, view) in sinks.iter_mut().zip(views) {
        for (sink, kind) in sinks.iter_mut().zip(&job.formats) {
            if let Some(text) = kept_text(data, *view, kind) {
                sink.write(Part::text(0, text.tail()?))?;
            }
        }
    }
    let mut pending = Vec::new();
    for (sinks, view) in sinks.into_iter().zip(views) {
        let mut of_view = Vec::new();
        for (sink, kind) in sinks.into_iter().zip(&job.formats) {
            if Outputs::is_shared(kind) {
                outputs.keep(*view, kind, sink);
                of_view.push(None);
            } else {
                of_view.push(Some(sink.finish()?));
            }
        }
        pending.push(of_view);
    }
    Ok(Written { pending, anomalies: counts, found })
}

/// The rows of a unit in every view, generated a block at a time; and how many rows have each anomaly.
fn unit_frames(
    plan: &TablePlan,
    rows: std::ops::Range<u64>,
    views: &[View],
    block_rows: usize,
) -> Result<(Vec<DataFrame>, BTreeMap<String, u64>), Error> {
    let block_rows = block_rows.max(1) as u64;
    let mut start = rows.start;
    let mut whole: Vec<DataFrame> = Vec::new();
    let mut anomalies = BTreeMap::new();
    while start < rows.end || whole.is_empty() {
        let end = start.saturating_add(block_rows).min(rows.end);
        let block = Rows::Range(start..end);
        let frames = if plan.has_anomalies() {
            let spoilt = plan.spoilt(&block)?;
            marks::count(&spoilt, &mut anomalies);
            let frame = |view: &View| match view {
                View::Rows => Ok(spoilt.frame.clone()),
                View::Anomalies => marks::frame(plan, &spoilt),
                View::Clean => Ok(spoilt.clean.clone()),
            };
            views.iter().map(frame).collect::<Result<Vec<_>, Error>>()?
        } else {
            vec![plan.frame(&block)?]
        };
        if whole.is_empty() {
            whole = frames;
        } else {
            for (whole, frame) in whole.iter_mut().zip(&frames) {
                whole.vstack_mut(frame).map_err(|e| lookalike_engine::Error::Internal(e.to_string()))?;
            }
        }
        start = end;
    }
    Ok((whole, anomalies))
}

fn table_entry(
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
fn parts(ruleset: &Ruleset, plan: &TablePlan) -> Vec<PartEntry> {
    let files = ruleset.parts().iter().filter(|file| file.table == plan.name);
    let entry = |file: &PartFile| {
        let (_, _, taken) = plan.rows_from_files().find(|(part, ..)| *part == file.part)?;
        Some(PartEntry { part: file.part.clone(), taken, data: file.entry.clone() })
    };
    files.filter_map(entry).collect()
}

fn file_entry(view: View, format: &'static str, pending: &Pending) -> FileEntry {
    let lookalike_io::Written { path, bytes, sha256, .. } = pending.written();
    let name = path
        .as_deref()
        .and_then(Path::file_name)
        .map_or_else(|| "-".into(), |name| name.to_string_lossy().into());
    FileEntry { file: name, holds: view.name(), format, bytes: *bytes, sha256: sha256.clone() }
}

fn manifest(
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

/// Puts all files under their names, the manifest last: where it stands, what it describes is complete.
pub(crate) fn publish(
    files: Vec<Pending>,
    manifest: &impl Serialize,
    destination: &Destination,
) -> Result<(), Error> {
    let described = match destination {
        Destination::Stdout => None,
        Destination::Folder(folder) => {
            let mut text = serde_json::to_string_pretty(manifest)
                .map_err(|e| Error::Request(format!("manifest: {e}")))?;
            text.push('\n');
            let mut output = Output::file(folder.join("manifest.json"))?;
            output.write(text.as_bytes())?;
            Some(output.finish(0)?)
        }
    };
    for pending in files {
        pending.publish()?;
    }
    if let Some(pending) = described {
        pending.publish()?;
    }
    Ok(())
}
