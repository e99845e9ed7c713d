//! The protect stage: noise on single records, between the anomalies and the files, as the ruleset's `privacy` asks for.
//!
//! Noise comes from the operating system, never from the seed, so the protected columns of two runs differ. All else that is
//! written stays what it would have been.

use std::fmt::Write as _;
use std::ops::Range;
use std::path::{Path, PathBuf};

use lookalike_engine::plan::{Plan, TablePlan};
use lookalike_privacy::{Cost, Ledger, Line, Local, RecordCharge};
use lookalike_ruleset::decode::{NamedItem, Number, Positive};
use lookalike_ruleset::document::Document;
use lookalike_ruleset::protection::Protection;
use lookalike_ruleset::{Diagnostic, Field, Problems, Span, Type};
use polars::prelude::{Column, DataFrame, DataType, NamedFrom, Series};
use serde::Serialize;

use crate::data::Data;
use crate::pipeline::{Destination, Job, TableEntry};
use crate::{Error, Ruleset};

/// How the columns of a table are protected.
#[derive(Clone, Debug, PartialEq)]
pub struct Protected {
    /// The table.
    pub table: String,
    columns: Vec<ProtectedColumn>,
}

#[derive(Clone, Debug, PartialEq)]
struct ProtectedColumn {
    name: String,
    local: Local,
    coding: Coding,
}

/// Between values and whole numbers.
#[derive(Clone, Debug, PartialEq)]
enum Coding {
    /// Categories; where the rules say that the column has nulls, null is one more.
    Categories { values: Vec<String>, null: bool },
    /// Multiples of a step; a null counts as the middle of the bounds.
    Steps { step: f64, middle: i64 },
}

/// What a [`Protected`] table says of itself in the manifest.
#[derive(Clone, Debug, Serialize)]
pub struct Statement {
    /// Whom the promise is made to, and against what.
    pub unit: &'static str,
    /// What neighbouring records are.
    pub adjacency: &'static str,
    /// The columns.
    pub columns: Vec<RecordCharge>,
    /// What a record loses at most, all columns together: rho.
    pub rho: f64,
    /// The same as pure epsilon, where every column has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub epsilon: Option<f64>,
    /// Epsilon at delta 1e-6.
    pub epsilon_at_delta_1e6: f64,
    /// Where the randomness comes from.
    pub randomness: &'static str,
    /// Noise is fresh in every run.
    pub reproducible: bool,
    /// What was taken as public.
    pub public: &'static str,
    /// Columns that are written as they are.
    pub not_protected: Vec<String>,
    /// The promise in words.
    pub statement: String,
    /// What may leave, in words.
    pub for_release: &'static str,
    /// What must stay.
    pub not_for_release: &'static str,
}

/// The promise in words.
fn words(columns: &[RecordCharge], epsilon: f64, pure: bool, not_protected: &[String]) -> String {
    let list = |names: &mut dyn Iterator<Item = String>| names.collect::<Vec<_>>().join(", ");
    let noise = |column: &RecordCharge| format!("`{}` by {}", column.column, column.mechanism);
    let delta = if pure { "" } else { " at delta 1e-6" };
    let mut text = format!(
        "Each record was given noise by itself before it was written: {}. Whatever somebody knows already, what they believe \
         about the true values of one record moves by a factor of at most {:.1} (epsilon {epsilon:.4}{delta}).",
        list(&mut columns.iter().map(noise)),
        lookalike_privacy::belief_factor(epsilon)
    );
    if !not_protected.is_empty() {
        let names = list(&mut not_protected.iter().map(|name| format!("`{name}`")));
        let written =
            if not_protected.len() == 1 { "which is written as it is" } else { "written as they are" };
        text.push_str(&format!(" Nothing is promised about {names}, {written}."));
    }
    text.push_str(
        " Not counted: that several records may be about the same person; further runs, whose noise is fresh and whose costs add \
         up; and the number of records.",
    );
    text
}

/// Resolves the section `privacy`.
pub(crate) fn resolve(document: &Document, plan: &Plan, problems: &mut Problems) -> Vec<Protected> {
    let mut all = Vec::new();
    for table in &document.privacy.0 {
        let Some(plan) = plan.table(&table.name) else {
            let known = plan.tables.iter().map(|plan| plan.name.as_str());
            let help = lookalike_ruleset::diagnostic::did_you_mean(&table.name, "tables", known);
            bad(table.name_span, format!("there is no table `{}` to protect", table.name), help, problems);
            continue;
        };
        let columns = table.value.0.iter().filter_map(|column| resolve_column(column, plan, problems));
        all.push(Protected { table: table.name.clone(), columns: columns.collect() });
    }
    all
}

fn bad(span: Span, message: impl Into<String>, help: impl Into<String>, problems: &mut Problems) {
    problems.push(Diagnostic::error("bad-privacy", span, message).help(help));
}

fn resolve_column(
    item: &NamedItem<Protection>,
    plan: &TablePlan,
    problems: &mut Problems,
) -> Option<ProtectedColumn> {
    let schema = plan.schema();
    // Whether nulls occur is the rules' to say; of rows that come from a file, nothing public says it.
    let may_be_null = |field: &Field| field.nullable && !plan.has_given_rows();
    let Some(field) = schema.fields.iter().find(|field| field.name == item.name) else {
        let known = schema.fields.iter().map(|field| field.name.as_str());
        let help = lookalike_ruleset::diagnostic::did_you_mean(&item.name, "columns", known);
        bad(item.name_span, format!("there is no column `{}` to protect", item.name), help, problems);
        return None;
    };
    let Protection { randomised_response, laplace, gaussian } = &item.value;
    let wrong_type = |fits: &str, problems: &mut Problems| {
        let message = format!("column `{}` is {}, and this noise is for {fits}", item.name, field.ty);
        let mut help =
            "randomised_response suits text and bool, laplace and gaussian int and float".to_owned();
        if plan.has_given_rows() {
            help.push_str("; say with `--type`, or in the ruleset with `types`, how the file is to be read");
        }
        bad(item.span, message, help, problems);
        None
    };
    let (local, coding) = match (randomised_response, laplace, gaussian) {
        (Some(rule), None, None) => {
            if !matches!(field.ty, Type::Text | Type::Bool) {
                return wrong_type("text and bool", problems);
            }
            let mut values = rule.value.values.clone();
            values.sort_unstable();
            values.dedup();
            let null = may_be_null(field);
            let categories = values.len() + usize::from(null);
            let known =
                field.ty != Type::Bool || values.iter().all(|v| matches!(v.as_str(), "true" | "false"));
            if values.len() < rule.value.values.len() || categories < 2 || !known {
                bad(
                    rule.span,
                    format!("the values of column `{}` are too few, or listed twice", item.name),
                    "list all values that everybody knows to be possible, at least two; for bool `true` and `false`",
                    problems,
                );
                return None;
            }
            let epsilon = rule.value.epsilon.0;
            (Local::RandomisedResponse { categories, epsilon }, Coding::Categories { values, null })
        }
        (None, Some(rule), None) => {
            if !matches!(field.ty, Type::Int | Type::Float) {
                return wrong_type("int and float", problems);
            }
            let (low, high, coding) =
                steps(rule.span, rule.value.min, rule.value.max, rule.value.step, problems)?;
            (Local::Laplace { low, high, epsilon: rule.value.epsilon.0 }, coding)
        }
        (None, None, Some(rule)) => {
            if !matches!(field.ty, Type::Int | Type::Float) {
                return wrong_type("int and float", problems);
            }
            let (low, high, coding) =
                steps(rule.span, rule.value.min, rule.value.max, rule.value.step, problems)?;
            (Local::Gaussian { low, high, rho: rule.value.rho.0 }, coding)
        }
        _ => {
            bad(
                item.span,
                format!("column `{}` needs one kind of noise", item.name),
                "expected one of randomised_response, laplace and gaussian",
                problems,
            );
            return None;
        }
    };
    if let Err(error) = local.cost() {
        bad(item.span, error.to_string(), "choose another cost or other bounds", problems);
        return None;
    }
    Some(ProtectedColumn { name: item.name.clone(), local, coding })
}

fn steps(
    span: Span,
    min: Number,
    max: Number,
    step: Positive,
    problems: &mut Problems,
) -> Option<(i64, i64, Coding)> {
    let (low, high) = ((min.0 / step.0).round(), (max.0 / step.0).round());
    let most = (1u64 << 50) as f64;
    if low >= high || low.abs() > most || high.abs() > most {
        bad(
            span,
            format!("bounds {} and {} with step {}", min.0, max.0, step.0),
            "expected `min` at least a step below `max`, and both within 2^50 steps",
            problems,
        );
        return None;
    }
    let (low, high) = (low as i64, high as i64);
    Some((low, high, Coding::Steps { step: step.0, middle: low + (high - low) / 2 }))
}

impl Protected {
    /// Refuses rows of which a protected column's type was found from its cells: then each record would be read in the light of all
    /// others, and its noise could not hide what it does to theirs.
    ///
    /// # Errors
    /// When there is such a column.
    pub(crate) fn check(&self, rows: &Data, is_part: bool) -> Result<(), Error> {
        let fields = &rows.schema().fields;
        let is_found = |column: &&ProtectedColumn| {
            fields.iter().any(|field| field.name == column.name) && rows.found_type(&column.name)
        };
        let Some(column) = self.columns.iter().find(is_found) else { return Ok(()) };
        let name = &column.name;
        let ty = if matches!(column.coding, Coding::Steps { .. }) { "int" } else { "text" };
        let help = match is_part {
            true => format!("say it in the ruleset, beside `from`: `types: {{{name}: {ty}}}`"),
            false => format!("say it with `--type {name}={ty}`"),
        };
        Err(Error::Request(format!(
            "column `{name}` is protected by `privacy`, but its type is found from all rows, so that one record could change how \
             others are read; {help}"
        )))
    }

    /// The rows with noise in their protected columns.
    ///
    /// # Errors
    /// When there is no randomness to be had.
    pub(crate) fn apply(&self, mut frame: DataFrame) -> Result<DataFrame, Error> {
        for column in &self.columns {
            let internal =
                |error: polars::prelude::PolarsError| lookalike_engine::Error::Internal(error.to_string());
            let series = frame.column(&column.name).map_err(internal)?.as_materialized_series();
            let noisy = column.apply(series)?.cast(series.dtype()).map_err(internal)?;
            frame.replace(&column.name, Column::from(noisy)).map_err(internal)?;
        }
        Ok(frame)
    }

    /// Says in a manifest what the table promises, and leaves out what would tell of its rows as they were before the noise.
    ///
    /// # Errors
    /// As [`statement`](Self::statement).
    pub(crate) fn describe(&self, plan: &TablePlan, entry: &mut TableEntry) -> Result<(), Error> {
        entry.privacy = Some(self.statement(plan)?);
        // Counts of rows before the noise: by them, and by the rows as they are written, more might be found out.
        entry.acceptance = None;
        entry.anomalies = None;
        entry.shortfalls.clear();
        entry.parts.iter_mut().for_each(|part| part.data.hide());
        for column in &mut entry.columns {
            if let Some(protected) = self.columns.iter().find(|protected| protected.name == column.name) {
                column.nullable = matches!(protected.coding, Coding::Categories { null: true, .. });
            }
        }
        Ok(())
    }

    /// What it promises.
    ///
    /// # Errors
    /// None for a table that was resolved.
    pub(crate) fn statement(&self, plan: &TablePlan) -> Result<Statement, Error> {
        let mut columns = Vec::new();
        let mut costs = Vec::new();
        let mut epsilon = Some(0.0);
        for column in &self.columns {
            let own = column.local.epsilon()?;
            let cost = column.local.cost()?;
            epsilon = epsilon.zip(own).map(|(sum, own)| sum + own);
            costs.push(cost);
            let unit = match column.coding {
                Coding::Categories { .. } => 1.0,
                Coding::Steps { step, .. } => step,
            };
            columns.push(RecordCharge {
                column: column.name.clone(),
                mechanism: column.local.name().to_owned(),
                scale: column.local.scale()? * unit,
                rho: cost.rho,
                epsilon: own,
            });
        }
        let cost = Cost::sum(costs)?;
        let is_protected = |name: &str| self.columns.iter().any(|column| column.name == name);
        let others = plan.schema().fields.into_iter().map(|field| field.name);
        let not_protected: Vec<String> = others.filter(|name| !is_protected(name)).collect();
        // A pure epsilon holds with any delta.
        let epsilon_at_delta_1e6 = cost.epsilon(1e-6)?.min(epsilon.unwrap_or(f64::INFINITY));
        Ok(Statement {
            statement: words(
                &columns,
                epsilon.unwrap_or(epsilon_at_delta_1e6),
                epsilon.is_some(),
                &not_protected,
            ),
            for_release: "the files with rows, manifest.json, privacy.md, and the ledger",
            not_for_release: "the ruleset, which with the seed makes the rows as they were before the noise, and the data that \
                              they were made from",
            unit: "each record by itself",
            adjacency: "one record against any other in its protected columns",
            columns,
            rho: cost.rho,
            epsilon,
            epsilon_at_delta_1e6,
            randomness: "operating system, by OpenSSL's RAND_priv_bytes",
            reproducible: false,
            public: "names and types of columns, the values and bounds in the ruleset, and the number of records",
            not_protected,
        })
    }
}

/// What the records of protected tables will lose: name, number of records, and statement of each.
///
/// # Errors
/// When rows that come from a file cannot be protected.
pub(crate) fn lost(
    ruleset: &Ruleset,
    data: Option<&Data>,
    tables: &[(&TablePlan, Range<u64>)],
) -> Result<Vec<(String, u64, Statement)>, Error> {
    let mut lost = Vec::new();
    for (plan, rows) in tables {
        let Some(protected) = ruleset.protected(&plan.name) else { continue };
        data.iter().try_for_each(|data| protected.check(data, false))?;
        let mut parts = ruleset.parts().iter().filter(|part| part.table == plan.name);
        parts.try_for_each(|part| protected.check(part.data(), true))?;
        lost.push((plan.name.clone(), rows.end - rows.start, protected.statement(plan)?));
    }
    Ok(lost)
}

/// Where it is kept what the records of protected tables lose; none if there are no such tables.
///
/// # Errors
/// When rows are to leave by standard output, and no file was named.
pub(crate) fn ledger(
    ruleset: &Ruleset,
    tables: &[(&TablePlan, Range<u64>)],
    job: &Job,
) -> Result<Option<PathBuf>, Error> {
    let Some((plan, _)) = tables.iter().find(|(plan, _)| ruleset.protected(&plan.name).is_some()) else {
        return Ok(None);
    };
    match (&job.ledger, &job.destination) {
        (Some(ledger), _) => Ok(Some(ledger.clone())),
        (None, Destination::Folder(folder)) => Ok(Some(folder.join("ledger.jsonl"))),
        (None, Destination::Stdout) => Err(Error::Request(format!(
            "table `{}` is protected by `privacy`, and beside standard output there is no place for the ledger of what its records \
             lose; name a file with --ledger, or write into a folder",
            plan.name
        ))),
    }
}

/// The promises in words, for people: `privacy.md` in the folder of a run.
pub(crate) fn page(run: &str, tables: &[(String, u64, Statement)]) -> String {
    let mut text = format!("# {run}: what is promised\n");
    for (table, rows, statement) in tables {
        let _ = writeln!(text, "\n## {table}\n\n{}\n", statement.statement);
        let _ = writeln!(text, "- **Unit of privacy**: {}; {rows} of them.", statement.unit);
        let _ = writeln!(text, "- **Neighbouring records**: {}.", statement.adjacency);
        let epsilon = match statement.epsilon {
            Some(epsilon) => format!("epsilon {epsilon:.4}"),
            None => format!("epsilon {:.4} at delta 1e-6", statement.epsilon_at_delta_1e6),
        };
        let _ =
            writeln!(text, "- **A record loses at most**: {epsilon} (rho {:.6}). By column:", statement.rho);
        for column in &statement.columns {
            let cost = match column.epsilon {
                Some(epsilon) => format!("epsilon {epsilon:.4}"),
                None => format!("rho {:.6}", column.rho),
            };
            let (name, mechanism) = (&column.column, &column.mechanism);
            let what = if mechanism.starts_with("randomised") { "probability of the truth" } else { "scale" };
            let _ = writeln!(text, "  - `{name}`: {mechanism}, {what} {:.4}, {cost}", column.scale);
        }
        let _ = writeln!(text, "- **Randomness**: {}.", statement.randomness);
        let _ = writeln!(text, "- **Taken as public**: {}.", statement.public);
    }
    let leaves = |which: fn(&Statement) -> &'static str| {
        let mut lines: Vec<String> =
            tables.iter().map(|(.., statement)| which(statement).to_owned()).collect();
        lines.dedup();
        lines
    };
    let files = lookalike_privacy::Statement::files(
        &leaves(|statement| statement.for_release),
        &leaves(|statement| statement.not_for_release),
    );
    text + "\n" + &files
}

/// Writes into a ledger what the records of some tables lose: name, number of records, and statement of each. Returns once that
/// is on the disk. Every run draws fresh noise, so the lines of several runs over the same records add up.
///
/// # Errors
/// When it cannot be written.
pub(crate) fn enter(ledger: &Path, tables: &[(String, u64, Statement)]) -> Result<(), Error> {
    let mut ledger = Ledger::open(ledger)?;
    for (table, rows, statement) in tables {
        ledger.append(&Line::Records {
            table: table.clone(),
            rows: *rows,
            columns: statement.columns.clone(),
            cost: Cost::of(statement.rho),
            adjacency: statement.adjacency.to_owned(),
            randomness: statement.randomness.to_owned(),
        })?;
    }
    Ok(())
}

impl ProtectedColumn {
    fn apply(&self, series: &Series) -> Result<Series, Error> {
        let internal =
            |error: polars::prelude::PolarsError| lookalike_engine::Error::Internal(error.to_string());
        let name = series.name().clone();
        match &self.coding {
            Coding::Categories { values, null } => {
                let texts = series.cast(&DataType::String).map_err(internal)?;
                let texts = texts.str().map_err(internal)?;
                // What is not listed has a number that is no category, and becomes any of them.
                let code = |text: Option<&str>| match text {
                    None if *null => values.len() as i64,
                    None => -1,
                    Some(text) => values.iter().position(|value| value == text).map_or(-1, |at| at as i64),
                };
                let codes: Vec<i64> = texts.iter().map(code).collect();
                let noisy = self.local.protect(&codes)?;
                let value = |code: i64| values.get(code as usize).map(String::as_str);
                if series.dtype() == &DataType::Boolean {
                    let bools: Vec<Option<bool>> =
                        noisy.into_iter().map(|code| value(code).map(|text| text == "true")).collect();
                    return Ok(Series::new(name, bools));
                }
                let texts: Vec<Option<&str>> = noisy.into_iter().map(value).collect();
                Ok(Series::new(name, texts))
            }
            Coding::Steps { step, middle } => {
                let numbers = series.cast(&DataType::Float64).map_err(internal)?;
                let numbers = numbers.f64().map_err(internal)?;
                let steps = |number: Option<f64>| match number {
                    Some(number) if !number.is_nan() => (number / step).round() as i64,
                    _ => *middle,
                };
                let noisy = self.local.protect(&numbers.iter().map(steps).collect::<Vec<_>>())?;
                if series.dtype() == &DataType::Float64 {
                    let floats: Vec<f64> = noisy.into_iter().map(|steps| steps as f64 * step).collect();
                    return Ok(Series::new(name, floats));
                }
                let ints: Vec<i64> = noisy.into_iter().map(|n| (n as f64 * step).round() as i64).collect();
                Ok(Series::new(name, ints))
            }
        }
    }
}
