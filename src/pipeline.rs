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

mod manifest;
mod write;

use std::path::PathBuf;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use lookalike_engine::plan::TablePlan;
use lookalike_engine::run::BLOCK_ROWS;
use lookalike_io::{Output, Pending, SinkKind, SinkOptions, Template};
use lookalike_validate::model::{Report, Throughput};
use serde::Serialize;

use crate::data::{Data, DataEntry};
use crate::outputs::{Chosen, Outputs};
use crate::parts::PartFile;
use crate::validation::{self, Examiner, Scope, TableScope};
use crate::{Error, Ruleset, protect};
use manifest::{data_files, file_entry, manifest, parts, table_entry, texts};
use write::{Writing, Written, views, write_table};

pub use crate::progress::{Progress, Quiet};
pub(crate) use manifest::round_to;
pub use manifest::{
    ColumnEntry, FileEntry, Manifest, PartEntry, RulesetEntry, Shortfall, TableEntry, TextsEntry, Timing,
    ValidationEntry,
};
pub(crate) use write::View;

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

/// Name of the folder with the report, beside the data.
pub const REPORT: &str = "report";

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
