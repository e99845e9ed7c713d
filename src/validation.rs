//! From a ruleset to the checks of its data: the engine says what is declared and evaluates it over rows, `lookalike-validate`
//! counts, tests and judges.
//!
//! [`validate`] does all of it for files. For frames there is [`Examiner`]:
//!
//! ```
//! use lookalike::validate::model::Verdict;
//! use lookalike::validation::{Examiner, Scope, TableScope};
//!
//! let text = "{lookalike: 1, tables: {orders: {rows: 1000, columns: {id: {sequence: {start: 1}}, price: {uniform: [1, 9]}}}}}";
//! let ruleset = lookalike::Ruleset::from_str(text)?;
//! let rows = ruleset.table("orders")?.collect()?;
//! let scope = Scope { tables: vec![TableScope::whole("orders", 0..1000)], by: None };
//! let examiner = Examiner::new(&ruleset, &scope)?;
//! // Without anomalies, the rows are the clean rows.
//! let found = examiner.table("orders").unwrap().look(0, &rows, &rows)?;
//! let reports = examiner.finish(vec![("orders".to_owned(), found)], Vec::new())?;
//! assert!(reports[0].checks.iter().all(|check| check.verdict != Verdict::Fail));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Two tables without a ruleset are compared by [`compare`](lookalike_validate::reference::compare), and what one gives away
//! of the other is assessed by [`assess`](lookalike_validate::leakage::assess): see `examples/validate.rs`.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use lookalike_core::Rows;
use lookalike_core::declared::Promise;
use lookalike_engine::TablePlan;
use lookalike_engine::audit::Audit;
use lookalike_engine::run::{UNIT_ROWS, in_order};
use lookalike_io::{SOURCES, Source, SourceOptions};
use lookalike_ruleset::TableSchema;
use lookalike_ruleset::expect::On;
use lookalike_validate::model::{
    Check, DataFile, Metric, Provenance, Reference, Report, RulesetStamp, TableReport, Verdict,
};
use lookalike_validate::rules::{Found, Links, Pending, Prepared, TableRules, View, judge, metrics};
use lookalike_validate::{leakage, reference as compared, report};
use polars::prelude::*;

use crate::progress::Progress;
use crate::{Error, Loader, Ruleset};

/// Rows of a sample with another seed: from so few, up to so many.
const TWIN_ROWS: (u64, u64) = (2_000, 20_000);

/// What is to be looked at.
#[derive(Clone, Debug, Default)]
pub struct Scope {
    /// The tables with the rows that are looked at.
    pub tables: Vec<TableScope>,
    /// Column by whose values statistics are grouped, in every table that has it.
    pub by: Option<String>,
}

/// A table that is looked at.
#[derive(Clone, Debug)]
pub struct TableScope {
    /// Name.
    pub name: String,
    /// Rows.
    pub rows: Range<u64>,
    /// Written columns that are not there, or cannot be read as what they should be.
    pub missing: Vec<String>,
    /// Whether the rows without anomalies are known.
    pub clean_known: bool,
}

impl TableScope {
    /// Rows of a table, with all its columns, and what they were without anomalies.
    pub fn whole(name: impl Into<String>, rows: Range<u64>) -> TableScope {
        TableScope { name: name.into(), rows, missing: Vec::new(), clean_known: true }
    }
}

/// Looks at the tables of a ruleset.
pub struct Examiner {
    tables: Vec<Examined>,
    links: Links,
}

/// A table that is looked at.
pub struct Examined {
    plan: TablePlan,
    audit: Audit,
    prepared: Prepared,
}

impl Examiner {
    /// Gets ready.
    ///
    /// # Errors
    /// [`Error::UnknownTable`], or rows with another seed cannot be made.
    pub fn new(ruleset: &Ruleset, scope: &Scope) -> Result<Examiner, Error> {
        let mut tables = Vec::new();
        for table in &scope.tables {
            ruleset.table(&table.name)?;
            let Some(plan) = ruleset.plan().table(&table.name) else { continue };
            let audit = plan.audit(|column| !table.missing.iter().any(|missing| missing == column));
            tables.push((table, plan, audit));
        }
        let twins = twins(ruleset, tables.iter().map(|(table, plan, audit)| (*table, *plan, audit)))?;
        let mut rules = Vec::new();
        for ((table, plan, audit), twin) in tables.iter().zip(twins) {
            let there = |mut schema: TableSchema| {
                schema.fields.retain(|field| !table.missing.contains(&field.name));
                schema
            };
            let schema = there(plan.schema());
            let by = scope.by.clone().filter(|by| schema.fields.iter().any(|field| field.name == *by));
            rules.push(TableRules {
                clean: there(plan.clean_schema()),
                about: plan.about.clone(),
                declared: audit.declared().clone(),
                expects: audit.expectations(),
                twin,
                by,
                whole: table.rows == (0..plan.rows),
                exact_anomalies: !ruleset.is_lenient(),
                clean_known: table.clean_known,
                schema,
            });
        }
        let links = Links::of(&rules);
        let mut examined = Vec::new();
        for (rules, (table, plan, audit)) in rules.into_iter().zip(tables) {
            let prepared =
                Prepared::new(rules, &links, table.rows.end - table.rows.start).map_err(internal)?;
            examined.push(Examined { plan: plan.clone(), audit, prepared });
        }
        Ok(Examiner { tables: examined, links })
    }

    /// The table called `name`, if it is looked at.
    pub fn table(&self, name: &str) -> Option<&Examined> {
        self.tables.iter().find(|table| table.plan.name == name)
    }

    /// The tables' parts of the report, with all checks judged together. `found` are the tables with what was found, in order;
    /// `more` are checks that were made elsewhere.
    ///
    /// # Errors
    /// A temporary file cannot be read.
    pub fn finish(
        &self,
        mut found: Vec<(String, Found)>,
        more: Vec<Check>,
    ) -> Result<Vec<TableReport>, Error> {
        let mut pending: Vec<Pending> = more.into_iter().map(Pending::from).collect();
        let mut reports = Vec::new();
        for (name, found) in &mut found {
            let Some(table) = self.table(name) else { continue };
            let (checks, report) = table.prepared.finish(found).map_err(temporary)?;
            pending.extend(checks);
            reports.push(report);
        }
        pending.extend(self.links.checks(&mut found).map_err(temporary)?);
        for check in judge(pending) {
            if let Some(report) = reports.iter_mut().find(|report| report.name == check.table) {
                report.checks.push(check);
            }
        }
        Ok(reports)
    }
}

impl Examined {
    /// Looks at rows, the first of which is row `first` of the table: as they are, and without their anomalies.
    ///
    /// # Errors
    /// A column is of a type that cannot be read, or a temporary file cannot be written.
    pub fn look(&self, first: u64, rows: &DataFrame, clean: &DataFrame) -> Result<Found, Error> {
        let numbers = Rows::Range(first..first + clean.height() as u64);
        self.look_apart(first, rows, clean, &numbers)
    }

    /// As [`look`](Self::look), where of the rows without anomalies only some are known, of which these are the numbers.
    ///
    /// # Errors
    /// As [`look`](Self::look).
    pub fn look_apart(
        &self,
        first: u64,
        rows: &DataFrame,
        clean: &DataFrame,
        numbers: &Rows,
    ) -> Result<Found, Error> {
        let facts = self.audit.look(clean, numbers)?;
        let dirty = self.audit.conditions(rows, &Rows::Range(first..first + rows.height() as u64))?;
        let sound = self.audit.conditions(clean, numbers)?;
        let expects = self.prepared.rules().expects.iter().zip(dirty).zip(sound);
        let conditions: Vec<_> = expects
            .map(|((expectation, dirty), sound)| if expectation.on == On::Clean { sound } else { dirty })
            .collect();
        let view = View { first, rows, clean, numbers, facts: &facts, conditions: &conditions };
        self.prepared.look(&view).map_err(internal)
    }

    /// The table's plan.
    pub fn plan(&self) -> &TablePlan {
        &self.plan
    }
}

fn internal(error: PolarsError) -> Error {
    lookalike_engine::Error::Internal(error.to_string()).into()
}

/// Adds what was found in the rows after.
pub(crate) fn merge(all: &mut Found, part: Found) -> Result<(), Error> {
    all.merge(part).map_err(temporary)
}

fn temporary(source: std::io::Error) -> Error {
    lookalike_io::Error::Write { path: Some(std::env::temp_dir()), source }.into()
}

/// For each table that has columns whose law is not known in closed form and whose rows are independent, a sample that the
/// ruleset makes with another seed.
fn twins<'a>(
    ruleset: &Ruleset,
    tables: impl Iterator<Item = (&'a TableScope, &'a TablePlan, &'a Audit)>,
) -> Result<Vec<Option<DataFrame>>, Error> {
    let tables: Vec<_> = tables.collect();
    let wants = |audit: &Audit| {
        audit.declared().columns.iter().any(|column| {
            let tested = |leaf: &lookalike_core::declared::Leaf| {
                leaf.independent || matches!(leaf.promise, Promise::Computed)
            };
            column.rows_independent && !column.unique && !column.leaves.iter().all(tested)
        })
    };
    let wanted: Vec<(String, u64)> = tables
        .iter()
        .filter(|(table, _, audit)| table.clean_known && wants(audit))
        .map(|(table, plan, _)| (table.name.clone(), plan.rows.clamp(TWIN_ROWS.0, TWIN_ROWS.1)))
        .collect();
    if wanted.is_empty() {
        return Ok(tables.iter().map(|_| None).collect());
    }
    // Any other seed will do, as long as it is always the same one.
    let seed = ruleset.seed() ^ 0x5EED_5EED_5EED_5EED;
    let plan = ruleset.twin(seed, &wanted).or_else(|| ruleset.twin(seed, &[]));
    let Some(plan) = plan else { return Ok(tables.iter().map(|_| None).collect()) };
    let mut samples = Vec::new();
    for (table, _, _) in &tables {
        let sample = plan.table(&table.name).filter(|_| wanted.iter().any(|(name, _)| *name == table.name));
        samples.push(match sample {
            Some(plan) => Some(plan.clean(&Rows::Range(0..plan.rows.min(TWIN_ROWS.1)))?),
            None => None,
        });
    }
    Ok(samples)
}

// ---- files -----------------------------------------------------------------------------------------------------------

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
    /// Threads; at least 1. No result depends on it.
    pub threads: usize,
}

/// A file with a table, open.
struct DataTable {
    name: String,
    path: PathBuf,
    source: Box<dyn Source>,
    /// Places in the source of the written columns, in the plan's order.
    places: Vec<usize>,
    missing: Vec<String>,
    checks: Vec<Check>,
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
    if let Some(by) = &request.by
        && !first.tables().any(|table| table.schema().fields.iter().any(|field| field.name == *by))
    {
        return Err(Error::Request(format!(
            "no table has a column `{by}`, by which statistics were to be grouped"
        )));
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
    let marks: Vec<Option<MarksFile>> =
        tables.iter().map(|table| MarksFile::open(&ruleset, table)).collect::<Result<_, _>>()?;
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
            more.push(row_count(&table.name, rows, wanted));
        }
    }
    let mut reports = examiner.finish(found, more)?;
    let mut provenance = provenance(&ruleset);
    provenance.seed = manifest.as_ref().and_then(|manifest| manifest.seed);
    provenance.files = tables.iter().map(data_file).collect();
    if let Some(reference) = &request.reference {
        provenance.reference =
            Some(compare(&ruleset, &tables, reference, request.holdout.as_deref(), &mut reports)?);
    }
    Ok(Report::new(ruleset.name(), provenance, reports, None))
}

fn row_count(table: &str, rows: u64, wanted: u64) -> Check {
    let verdict = if rows == wanted { Verdict::Pass } else { Verdict::Fail };
    let message = format!("{rows} rows, {wanted} by the manifest");
    let mut check = judged(&metrics::ROW_COUNT, table, &[], rows, verdict, message);
    (check.value, check.reference, check.threshold) =
        (Some(rows as f64), Some(wanted as f64), Some(wanted as f64));
    check
}

fn judged(
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
struct ManifestNotes {
    seed: Option<u64>,
    rows: Vec<(String, u64)>,
}

impl ManifestNotes {
    fn rows_of(&self, table: &str) -> Option<u64> {
        self.rows.iter().find(|(name, _)| name == table).map(|(_, rows)| *rows)
    }
}

/// Largest manifest that is read.
const MAX_MANIFEST: u64 = 16 * 1024 * 1024;

/// The manifest beside the data, if there is one that can be read: it is an aid, nothing hangs on it.
fn read_manifest(data: &Path) -> Option<ManifestNotes> {
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
    Some(ManifestNotes { seed: json.get("seed").and_then(serde_json::Value::as_u64), rows: rows.collect() })
}

/// The files of the tables. In a folder each table may be there in several formats: Parquet before Arrow before text.
fn find(ruleset: &Ruleset, data: &Path, table: Option<&str>) -> Result<Vec<(String, PathBuf)>, Error> {
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
fn beside(folder: &Path, name: &str) -> Option<PathBuf> {
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
fn open(ruleset: &Ruleset, name: String, path: PathBuf) -> Result<DataTable, Error> {
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

/// The file of marks beside a table.
struct MarksFile {
    source: Box<dyn Source>,
    /// Row of the first mark of each chunk.
    starts: Vec<u64>,
    places: Vec<usize>,
}

/// Marks that are read at a time.
const MARKS: u64 = 16_384;

/// Rows without their anomalies, and how well the marks agree with the file.
struct Restored {
    clean: DataFrame,
    checked: u64,
    wrong: u64,
    example: Option<(u64, String)>,
}

impl MarksFile {
    /// The marks of a table that may have some; `None` if there is no such file.
    fn open(ruleset: &Ruleset, table: &DataTable) -> Result<Option<MarksFile>, Error> {
        let spoilt = ruleset.plan().table(&table.name).is_some_and(|plan| plan.has_anomalies());
        let folder = table.path.parent().unwrap_or(Path::new("."));
        let stem = table.path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
        let Some(path) = spoilt.then(|| beside(folder, &format!("{stem}.anomalies"))).flatten() else {
            return Ok(None);
        };
        let schema = crate::marks::schema(&table.name);
        let types = schema.fields.iter().map(|field| (field.name.clone(), field.ty)).collect();
        let options = SourceOptions { types, ..SourceOptions::default() };
        let source = lookalike_io::sources::open(&path, None, &options)?;
        let place = |name: &str| {
            source.schema().fields.iter().position(|field| field.name == name).ok_or_else(|| {
                Error::Request(format!("{} has no column `{name}`: it is no file of marks", path.display()))
            })
        };
        let places = ["row", "column", "kind", "before", "after"].map(place);
        let places = places.into_iter().collect::<Result<Vec<_>, _>>()?;
        let mut starts = Vec::new();
        for start in (0..source.rows()).step_by(MARKS as usize) {
            let first = source.columns(start..start + 1, &places[..1])?;
            let row = first.columns()[0].as_materialized_series().i64().map_err(internal)?.get(0);
            starts.push(row.unwrap_or(0) as u64);
        }
        Ok(Some(MarksFile { source, starts, places }))
    }

    /// Puts back what stood in some rows before their anomalies.
    fn restore(
        &self,
        plan: &TablePlan,
        rows: Range<u64>,
        frame: &DataFrame,
        label: Option<&str>,
    ) -> Result<Restored, Error> {
        let (dirty, clean) = (plan.schema(), plan.clean_schema());
        let from = self.starts.partition_point(|start| *start < rows.start).saturating_sub(1) as u64 * MARKS;
        let to =
            (self.starts.partition_point(|start| *start < rows.end) as u64 * MARKS).min(self.source.rows());
        let marks = self.source.columns(from..to.max(from), &self.places)?;
        let text = |at: usize| -> Result<StringChunked, Error> {
            let series =
                marks.columns()[at].as_materialized_series().cast(&DataType::String).map_err(internal)?;
            Ok(series.str().map_err(internal)?.clone())
        };
        let numbers = marks.columns()[0].as_materialized_series().i64().map_err(internal)?.clone();
        let (columns, kinds, before, after) = (text(1)?, text(2)?, text(3)?, text(4)?);
        // Of each column the marked cells: position in the block, and which mark.
        let mut cells: BTreeMap<&str, Vec<(u32, usize)>> = BTreeMap::new();
        for (mark, (row, column)) in numbers.iter().zip(columns.iter()).enumerate() {
            let row = row.unwrap_or(0) as u64;
            if let (true, Some(column)) = (rows.contains(&row), column) {
                cells.entry(column).or_default().push(((row - rows.start) as u32, mark));
            }
        }
        let mut restored = Restored { clean: frame.clone(), checked: 0, wrong: 0, example: None };
        if let Some(label) = label {
            let labels = frame.column(label).map_err(internal)?.cast(&DataType::String).map_err(internal)?;
            let labels = labels.as_materialized_series().str().map_err(internal)?.clone();
            for (position, mark) in cells.values().flatten() {
                let named = labels.get(*position as usize);
                let kind = kinds.get(*mark).unwrap_or("");
                if !named.is_some_and(|named| named.split('+').any(|name| name == kind)) {
                    restored.differ(rows.start + u64::from(*position), format!("its label is not `{kind}`"));
                }
            }
        }
        for (name, cells) in cells {
            let field = |schema: &TableSchema| schema.fields.iter().find(|field| field.name == name).cloned();
            let (Some(dirty), Some(clean), Ok(column)) = (field(&dirty), field(&clean), frame.column(name))
            else {
                continue;
            };
            let series = column.as_materialized_series();
            let positions: Vec<u32> = cells.iter().map(|(position, _)| *position).collect();
            let are = lookalike_io::texts(&dirty, &series.take_slice(&positions).map_err(internal)?)?;
            for ((position, mark), is) in cells.iter().zip(are.iter()) {
                restored.checked += 1;
                // Nothing and an empty text are one in CSV.
                let told = after.get(*mark).filter(|text| !text.is_empty());
                if told != is.filter(|text| !text.is_empty()) {
                    let row = rows.start + u64::from(*position);
                    restored.differ(row, format!("`{name}` is {is:?}, by the marks {told:?}"));
                }
            }
            let were: StringChunked = cells.iter().map(|(_, mark)| before.get(*mark)).collect();
            let back = if dirty.ty == clean.ty {
                let were =
                    lookalike_io::sources::values(&clean, &were)?.cast(series.dtype()).map_err(internal)?;
                let mut index: Vec<u32> = (0..series.len() as u32).collect();
                positions.iter().enumerate().for_each(|(at, position)| {
                    index[*position as usize] = series.len() as u32 + at as u32;
                });
                let mut both = series.clone();
                both.append(&were.with_name(series.name().clone())).map_err(internal)?;
                both.rechunk().take_slice(&index).map_err(internal)?
            } else {
                // The anomalies made another type of the column.
                let mut texts: Vec<Option<String>> =
                    lookalike_io::texts(&dirty, series)?.iter().map(|text| text.map(str::to_owned)).collect();
                for ((position, _), were) in cells.iter().zip(were.iter()) {
                    texts[*position as usize] = were.map(str::to_owned);
                }
                lookalike_io::sources::values(&clean, &texts.into_iter().collect())?
            };
            restored.clean.with_column(back.with_name(name.into()).into_column()).map_err(internal)?;
        }
        Ok(restored)
    }
}

impl Restored {
    fn differ(&mut self, row: u64, what: String) {
        self.wrong += 1;
        self.example.get_or_insert((row, what));
    }
}

fn data_file(table: &DataTable) -> DataFile {
    file_entry(&table.name, &table.path, table.source.rows())
}

fn file_entry(table: &str, path: &Path, rows: u64) -> DataFile {
    DataFile {
        table: table.to_owned(),
        file: path.display().to_string(),
        bytes: std::fs::metadata(path).map_or(0, |meta| meta.len()),
        rows,
        sha256: None,
    }
}

/// What a report says of the ruleset.
pub(crate) fn provenance(ruleset: &Ruleset) -> Provenance {
    let text = |param: &lookalike_ruleset::document::Param| {
        param.value.as_scalar().map_or(String::new(), |scalar| scalar.text.clone())
    };
    Provenance {
        program: format!("lookalike {}", env!("CARGO_PKG_VERSION")),
        ruleset: Some(RulesetStamp {
            name: ruleset.name().to_owned(),
            sha256: ruleset.digest().to_owned(),
            files: ruleset.sources().iter().map(|source| source.name.clone()).collect(),
        }),
        seed: Some(ruleset.seed()),
        params: ruleset
            .params()
            .iter()
            .map(|param| lookalike_validate::model::Param { name: param.name.clone(), value: text(param) })
            .collect(),
        ..Provenance::default()
    }
}

/// The files of a report in `folder`, written but not yet under their names.
///
/// # Errors
/// A file cannot be written.
pub fn render(report: &Report, folder: &Path, charts: bool) -> Result<Vec<lookalike_io::Pending>, Error> {
    let choice = report::Choice { charts, ..report::Choice::default() };
    let files = report::render(report, choice)
        .map_err(|error| lookalike_engine::Error::Internal(error.to_string()))?;
    let mut pending = Vec::new();
    for file in files {
        let path = folder.join(&file.name);
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent)
                .map_err(|source| lookalike_io::Error::Write { path: Some(parent.to_owned()), source })?;
        }
        let mut output = lookalike_io::Output::file(path)?;
        output.write(&file.bytes)?;
        pending.push(output.finish(0)?);
    }
    Ok(pending)
}

/// The checks of a report as JUnit XML.
///
/// # Errors
/// None but bugs.
pub fn junit(report: &Report) -> Result<Vec<u8>, Error> {
    let choice = report::Choice { charts: false, ..report::Choice::default() };
    let files = report::render(report, choice)
        .map_err(|error| lookalike_engine::Error::Internal(error.to_string()))?;
    let junit = files.into_iter().find(|file| file.name.ends_with("junit.xml"));
    Ok(junit.map(|file| file.bytes).unwrap_or_default())
}

/// Compares tables with real ones, and adds the checks to their reports.
fn compare(
    ruleset: &Ruleset,
    tables: &[DataTable],
    reference: &Path,
    holdout: Option<&Path>,
    reports: &mut [TableReport],
) -> Result<Reference, Error> {
    let real = find_like(ruleset, tables, reference)?;
    let held = holdout.map(|holdout| find_like(ruleset, tables, holdout)).transpose()?.unwrap_or_default();
    let mut entries = Reference { private: true, files: Vec::new(), holdout: Vec::new() };
    let links = links(ruleset, tables);
    let mut options = BTreeMap::new();
    let (mut reals, mut owns, mut helds) = (Vec::new(), Vec::new(), Vec::new());
    for table in tables {
        let of = |list: &[(String, PathBuf)]| {
            list.iter().find(|(name, _)| *name == table.name).map(|(_, p)| p.clone())
        };
        let Some(path) = of(&real) else { continue };
        let schema = ruleset.table(&table.name)?.schema();
        let read = |path: &Path| -> Result<(TableSchema, DataFrame), Error> {
            let options = SourceOptions { table: Some(table.name.clone()), ..SourceOptions::default() };
            let untyped = lookalike_io::sources::open(path, None, &options)?;
            let there = |name: &str| untyped.schema().fields.iter().any(|field| field.name == name);
            let known = schema.fields.iter().filter(|field| there(&field.name));
            let types = known.map(|field| (field.name.clone(), field.ty)).collect();
            // Real data may be less tidy than the rules; then its own types do.
            let typed = lookalike_io::sources::open(path, None, &SourceOptions { types, ..options.clone() });
            let source = typed.unwrap_or(untyped);
            let schema = TableSchema { table: table.name.clone(), fields: source.schema().fields.clone() };
            Ok((schema, source.read(0..source.rows())?))
        };
        let rows = read(&path)?;
        entries.files.push(file_entry(&table.name, &path, rows.1.height() as u64));
        reals.push(rows);
        let schema = TableSchema { table: table.name.clone(), fields: table.source.schema().fields.clone() };
        owns.push((schema, table.source.read(0..table.source.rows())?));
        helds.push(of(&held).map(|path| read(&path).map(|rows| (path, rows))).transpose()?);
        if let Some(Some((path, rows))) = helds.last() {
            entries.holdout.push(file_entry(&table.name, path, rows.1.height() as u64));
        }
        let key = ruleset.plan().table(&table.name).and_then(|plan| {
            plan.columns
                .iter()
                .find(|column| column.written && column.unique)
                .map(|column| column.name.clone())
        });
        let own = compared::Options { key: key.into_iter().collect(), ..compared::Options::default() };
        options.insert(table.name.clone(), own.linked(&table.name, &links));
    }
    let names: Vec<(usize, String)> =
        owns.iter().enumerate().map(|(at, (schema, _))| (at, schema.table.clone())).collect();
    let real_tables: Vec<_> = reals.iter().map(|(schema, rows)| compared::Table::new(schema, rows)).collect();
    let own_tables: Vec<_> = owns.iter().map(|(schema, rows)| compared::Table::new(schema, rows)).collect();
    let whole =
        compared::compare_tables(&real_tables, &own_tables, &links, &options, &compared::Options::default());
    let mut across = whole.links.checks;
    for ((at, name), (_, comparison)) in names.iter().zip(whole.tables) {
        let held = helds[*at].as_ref().map(|(_, (schema, rows))| compared::Table::new(schema, rows));
        let leakage = leakage::Options {
            compare: options.get(name).cloned().unwrap_or_default(),
            ..leakage::Options::default()
        };
        let assessment = leakage::assess(&real_tables[*at], &own_tables[*at], held.as_ref(), &leakage);
        let Some(report) = reports.iter_mut().find(|report| report.name == *name) else { continue };
        report.charts.extend(comparison.matrices());
        report.checks.extend(comparison.checks);
        report.checks.extend(assessment.checks);
        let (mine, others) = across.into_iter().partition(|check: &Check| check.table == *name);
        report.checks.extend::<Vec<Check>>(mine);
        across = others;
    }
    // What speaks of all tables together stands with the first.
    if let Some(report) = reports.first_mut() {
        report.checks.extend(across);
    }
    Ok(entries)
}

/// The links between the tables, by the columns that are written of both sides' keys.
fn links(ruleset: &Ruleset, tables: &[DataTable]) -> Vec<compared::Link> {
    let mut out: Vec<(String, compared::Link)> = Vec::new();
    for table in tables {
        let Some(plan) = ruleset.plan().table(&table.name) else { continue };
        for reference in
            plan.audit(|_| true).declared().references.iter().filter(|reference| reference.is_key)
        {
            let same = |(name, link): &&mut (String, compared::Link)| {
                *name == reference.link && link.child == table.name && link.parent == reference.parent
            };
            let link = match out.iter_mut().find(same) {
                Some((_, link)) => link,
                None => {
                    let link = compared::Link {
                        parent: reference.parent.clone(),
                        parent_key: Vec::new(),
                        child: table.name.clone(),
                        child_key: Vec::new(),
                    };
                    out.push((reference.link.clone(), link));
                    let Some((_, link)) = out.last_mut() else { continue };
                    link
                }
            };
            link.parent_key.push(reference.parent_column.clone());
            link.child_key.push(reference.column.clone());
        }
    }
    out.into_iter().map(|(_, link)| link).collect()
}

/// The files of a reference for the tables that are validated.
fn find_like(ruleset: &Ruleset, tables: &[DataTable], path: &Path) -> Result<Vec<(String, PathBuf)>, Error> {
    match tables {
        [only] if !path.is_dir() => Ok(vec![(only.name.clone(), path.to_owned())]),
        _ => find(ruleset, path, None),
    }
}
