//! From a ruleset to the checks of its data: the engine says what is declared and evaluates it over rows, `lookalike-validate`
//! counts, tests and judges. [`validate`] is the whole of the command: files against rules, and against real data.
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

mod comparison;
mod files;
mod marks;
mod run;

use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use lookalike_core::Rows;
use lookalike_core::declared::Promise;
use lookalike_engine::TablePlan;
use lookalike_engine::audit::Audit;
use lookalike_engine::wanted::Wanted;
use lookalike_ruleset::TableSchema;
use lookalike_validate::model::{Check, Provenance, Report, RulesetStamp, TableReport};
use lookalike_validate::report;
use lookalike_validate::rules::{Found, Links, Pending, Prepared, TableRules, View, judge};
use polars::prelude::*;

#[cfg(feature = "pipeline")]
pub(crate) use files::row_count;
pub use run::{HELD_ROWS, Request, validate};

use crate::{Error, Ruleset};

/// Rows of a sample with another seed: from so few, up to so many.
const TWIN_ROWS: (u64, u64) = (2_000, 20_000);

/// What is to be looked at.
#[derive(Clone, Debug, Default)]
pub struct Scope {
    /// The tables with the rows that are looked at.
    pub tables: Vec<TableScope>,
    /// Column by whose values statistics are grouped, in every table that has it; in others, and if there is none, it is the first
    /// column by which the ruleset expects something (`expect: [{…, by: region}]`).
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
            let is_there = |by: &String| schema.fields.iter().any(|field| field.name == *by);
            let expects = audit.expectations();
            // What the ruleset expects of groups is also shown by group.
            let asked = expects.iter().filter_map(|expects| expects.by.as_ref()).map(|by| by.value.clone());
            let by = scope.by.clone().filter(is_there).or_else(|| asked.into_iter().find(is_there));
            rules.push(TableRules {
                clean: there(plan.clean_schema()),
                about: plan.about.clone(),
                declared: audit.declared().clone(),
                expects,
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
        let (facts, sound) = self.audit.look(clean, numbers)?;
        let dirty = if std::ptr::eq(rows, clean) {
            sound.clone()
        } else {
            self.audit.conditions(rows, &Rows::Range(first..first + rows.height() as u64))?
        };
        let rules = self.prepared.rules();
        let conditions: Vec<_> = dirty
            .into_iter()
            .zip(sound)
            .enumerate()
            .map(|(at, (dirty, sound))| if rules.looks_at_clean(at) { sound } else { dirty })
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
    let lacking = Arc::new(Wanted::new());
    let plan = ruleset.twin(seed, &wanted, &lacking).or_else(|| ruleset.twin(seed, &[], &lacking));
    let Some(plan) = plan else { return Ok(tables.iter().map(|_| None).collect()) };
    let mut samples = Vec::new();
    for (table, _, _) in &tables {
        let sample = plan.table(&table.name).filter(|_| wanted.iter().any(|(name, _)| *name == table.name));
        samples.push(match sample {
            Some(plan) => {
                lacking.clear();
                let rows = plan.clean(&Rows::Range(0..plan.rows.min(TWIN_ROWS.1)))?;
                // Rows without the texts that belong to them are no sample of the same truth.
                lacking.asks().is_empty().then_some(rows)
            }
            None => None,
        });
    }
    Ok(samples)
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

/// What of a report is written: the charts as files of their own, or the page that holds them alone; all of it, or only what is
/// for release.
pub use lookalike_validate::report::Choice;

/// The files of a report in `folder`, written but not yet under their names.
///
/// # Errors
/// A file cannot be written.
pub fn render(report: &Report, folder: &Path, choice: Choice) -> Result<Vec<lookalike_io::Pending>, Error> {
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

/// The checks of a report, or only those that are for release, as JUnit XML.
///
/// # Errors
/// None but bugs.
pub fn junit(report: &Report, release_only: bool) -> Result<Vec<u8>, Error> {
    let choice = Choice { charts: false, release_only };
    let files = report::render(report, choice)
        .map_err(|error| lookalike_engine::Error::Internal(error.to_string()))?;
    let junit = files.into_iter().find(|file| file.name.ends_with("junit.xml"));
    Ok(junit.map(|file| file.bytes).unwrap_or_default())
}
