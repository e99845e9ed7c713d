//! Files against their ruleset and against real data: `lookalike validate`.

use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use lookalike_core::Rows;
use lookalike_engine::run::{UNIT_ROWS, in_order};
use lookalike_validate::model::Report;
use lookalike_validate::rules::Found;

use super::comparison::{Comparing, compare};
use super::files::{DataTable, data_file, find, open, read_manifest, row_count};
use super::marks::MarksFile;
use super::{Examiner, Scope, TableScope, internal, merge, provenance};
use crate::progress::Progress;
use crate::{Error, Loader, Ruleset};

/// Rows of a table that are held to be compared, unless a request says otherwise.
pub const HELD_ROWS: u64 = 200_000;

/// What to validate.
#[derive(Clone, Debug)]
pub struct Request {
    /// A file with one table, or a folder with a file for each.
    pub data: PathBuf,
    /// Which table a file holds, where its name does not say.
    pub table: Option<String>,
    /// Column by whose values statistics are grouped.
    pub by: Option<String>,
    /// Real data: a file or a folder.
    pub reference: Option<PathBuf>,
    /// Real data that the makers of the data have not seen.
    pub holdout: Option<PathBuf>,
    /// The file of marks, where it is not beside the data under its usual name.
    pub marks: Option<PathBuf>,
    /// How far figures beside real data may lie beyond noise, in units of the score; none for the default.
    pub margin: Option<f64>,
    /// Column whose value says which rows are steps of one sequence, in every table that has it.
    pub sequence: Option<String>,
    /// Rows of a table, about, that are held to be compared with real ones; larger tables are sampled. See [`HELD_ROWS`].
    pub held_rows: u64,
    /// Threads; at least 1. No result depends on it.
    pub threads: usize,
}

impl Request {
    /// Holds data against their rules alone, on all processors.
    pub fn of(data: impl Into<PathBuf>) -> Request {
        Request {
            data: data.into(),
            table: None,
            by: None,
            reference: None,
            holdout: None,
            marks: None,
            margin: None,
            sequence: None,
            held_rows: HELD_ROWS,
            threads: std::thread::available_parallelism().map_or(1, usize::from),
        }
    }
}

/// Holds files against a ruleset, and against real data.
///
/// # Errors
/// The ruleset is refused, a file cannot be read, or nothing in the data belongs to the ruleset.
pub fn validate(
    loader: Loader,
    ruleset: &Path,
    request: &Request,
    progress: &dyn Progress,
    stop: &AtomicBool,
) -> Result<Report, Error> {
    let manifest = read_manifest(&request.data);
    let loader = match &manifest {
        Some(manifest) if manifest.seed.is_some() => loader.seed(manifest.seed.unwrap_or_default()),
        _ => loader,
    };
    let first = loader.clone().path(ruleset)?;
    let named = [
        (&request.by, "by which statistics were to be grouped"),
        (&request.sequence, "which was to say which rows are steps of one sequence"),
    ];
    for (column, what) in named {
        let has = |column: &String| {
            first.tables().any(|table| table.schema().fields.iter().any(|field| field.name == *column))
        };
        if let Some(column) = column.as_ref().filter(|column| !has(column)) {
            return Err(Error::Request(format!("no table has a column `{column}`, {what}")));
        }
    }
    let mut tables = Vec::new();
    for (name, path) in find(&first, &request.data, request.table.as_deref())? {
        tables.push(open(&first, name, path)?);
    }
    // The plan has as many rows as the files, so that quotas are those of these files.
    let sized = tables.iter().fold(loader.clone(), |loader, table| {
        let follows =
            first.document().tables.find(&table.name).is_some_and(|decl| {
                decl.value.belongs_to.0.iter().any(|link| link.value.0.per_parent.is_some())
            });
        if follows { loader } else { loader.table_rows(&table.name, table.source.rows()) }
    });
    let ruleset = match sized.clone().path(ruleset) {
        Ok(ruleset) => ruleset,
        // Too few rows for the anomalies, for example: then there are as many as can be.
        Err(_) => sized.lenient(true).path(ruleset).or_else(|_| loader.lenient(true).path(ruleset))?,
    };
    let marks: Vec<Option<MarksFile>> = marks_of(&ruleset, &tables, request.marks.as_deref())?;
    let mut scope = Scope { tables: Vec::new(), by: request.by.clone() };
    for (table, marks) in tables.iter().zip(&marks) {
        let spoilt = ruleset.plan().table(&table.name).is_some_and(|plan| plan.has_anomalies());
        let mut of = TableScope::whole(&table.name, 0..table.source.rows());
        of.missing.clone_from(&table.missing);
        of.clean_known = !spoilt || marks.is_some();
        scope.tables.push(of);
    }
    let examiner = Examiner::new(&ruleset, &scope)?;
    let mut found = Vec::new();
    let mut more = Vec::new();
    for (table, marks) in tables.iter().zip(&marks) {
        let Some(examined) = examiner.table(&table.name) else { continue };
        let rows = table.source.rows();
        progress.begin(&table.name, rows);
        let label = examined.audit.declared().label.clone();
        let work = |unit: u64| -> Result<(u64, Found), Error> {
            let start = unit * UNIT_ROWS;
            let end = (start + UNIT_ROWS).min(rows);
            let frame = table.source.columns(start..end, &table.places)?;
            let found = match (marks, &label) {
                (Some(marks), label) => {
                    let restored = marks.restore(examined.plan(), start..end, &frame, label.as_deref())?;
                    let mut found = examined.look(start, &frame, &restored.clean)?;
                    found.note_marks(restored.checked, restored.wrong, restored.example);
                    found
                }
                (None, Some(label)) if examined.plan().has_anomalies() => {
                    let sound = frame.column(label).map_err(internal)?.is_null();
                    let clean = frame.filter(&sound).map_err(internal)?;
                    let kept = sound.iter().enumerate().filter(|(_, sound)| *sound == Some(true));
                    let numbers: Vec<u64> = kept.map(|(at, _)| start + at as u64).collect();
                    examined.look_apart(start, &frame, &clean, &Rows::from(numbers))?
                }
                _ => examined.look(start, &frame, &frame)?,
            };
            Ok((end - start, found))
        };
        let mut all: Option<Found> = None;
        in_order(rows.div_ceil(UNIT_ROWS).max(1), request.threads, stop, work, |(rows, part)| {
            match &mut all {
                Some(all) => merge(all, part)?,
                None => all = Some(part),
            }
            progress.advance(rows);
            Ok::<(), Error>(())
        })?;
        if stop.load(std::sync::atomic::Ordering::Relaxed) {
            return Err(Error::Interrupted);
        }
        progress.end();
        found.extend(all.map(|all| (table.name.clone(), all)));
        more.extend(table.checks.iter().cloned());
        if let Some(wanted) = manifest.as_ref().and_then(|manifest| manifest.rows_of(&table.name)) {
            more.push(row_count(&table.name, rows, wanted, "by the manifest"));
        }
    }
    let mut reports = examiner.finish(found, more)?;
    let mut provenance = provenance(&ruleset);
    provenance.seed = manifest.as_ref().and_then(|manifest| manifest.seed);
    provenance.throughput = manifest.as_ref().and_then(|manifest| manifest.throughput);
    provenance.files = tables.iter().map(data_file).collect();
    if let Some(reference) = &request.reference {
        let comparing = Comparing {
            ruleset: &ruleset,
            tables: &tables,
            reference,
            holdout: request.holdout.as_deref(),
            margin: request.margin,
            sequence: request.sequence.as_deref(),
            held_rows: request.held_rows,
            threads: request.threads,
            stop,
        };
        provenance.reference = Some(compare(&comparing, &mut reports)?);
    }
    Ok(Report::new(ruleset.name(), provenance, reports, None))
}

/// The marks of each table: the file that was named, for the one table that it can be of, else those beside the data.
fn marks_of(
    ruleset: &Ruleset,
    tables: &[DataTable],
    named: Option<&Path>,
) -> Result<Vec<Option<MarksFile>>, Error> {
    let Some(path) = named else {
        return tables.iter().map(|table| MarksFile::beside(ruleset, table)).collect();
    };
    let spoilt =
        |table: &DataTable| ruleset.plan().table(&table.name).is_some_and(|plan| plan.has_anomalies());
    match tables.iter().filter(|table| spoilt(table)).count() {
        0 => Err(Error::Request("no table that is validated has anomalies, so there can be no marks".to_owned())),
        1 => tables
            .iter()
            .map(|table| spoilt(table).then(|| MarksFile::open(path)).transpose())
            .collect(),
        _ => Err(Error::Request(
            "several tables have anomalies: put each table's file of marks beside it, or name the one with --table".to_owned(),
        )),
    }
}
