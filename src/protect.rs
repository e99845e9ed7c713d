//! The protect stage: noise on single records, between the anomalies and the files, as the ruleset's `privacy` asks for.
//!
//! Noise comes from the operating system, never from the seed, so the protected columns of two runs differ. All else that is
//! written stays what it would have been.

use std::path::Path;

use lookalike_engine::plan::{Plan, TablePlan};
use lookalike_privacy::{Cost, Ledger, Line, Local, RecordCharge};
use lookalike_ruleset::decode::{NamedItem, Number, Positive};
use lookalike_ruleset::document::Document;
use lookalike_ruleset::protection::Protection;
use lookalike_ruleset::{Diagnostic, Problems, Span, Type};
use polars::prelude::{Column, DataFrame, DataType, NamedFrom, Series};
use serde::Serialize;

use crate::Error;
use crate::pipeline::TableEntry;

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
    /// Categories; where the column has nulls, null is one more.
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
        text.push_str(&format!(" Nothing is promised about {names}, written as they are."));
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
    let Some(field) = schema.fields.iter().find(|field| field.name == item.name) else {
        let known = schema.fields.iter().map(|field| field.name.as_str());
        let help = lookalike_ruleset::diagnostic::did_you_mean(&item.name, "columns", known);
        bad(item.name_span, format!("there is no column `{}` to protect", item.name), help, problems);
        return None;
    };
    let Protection { randomised_response, laplace, gaussian } = &item.value;
    let wrong_type = |fits: &str, problems: &mut Problems| {
        let message = format!("column `{}` is {}, and this noise is for {fits}", item.name, field.ty);
        bad(
            item.span,
            message,
            "randomised_response suits text and bool, laplace and gaussian int and float",
            problems,
        );
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
            let categories = values.len() + usize::from(field.nullable);
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
            (
                Local::RandomisedResponse { categories, epsilon },
                Coding::Categories { values, null: field.nullable },
            )
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
        let epsilon_at_delta_1e6 = cost.epsilon(1e-6)?;
        Ok(Statement {
            statement: words(
                &columns,
                epsilon.unwrap_or(epsilon_at_delta_1e6),
                epsilon.is_some(),
                &not_protected,
            ),
            for_release: "the files with rows, this manifest, and ledger.jsonl",
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
            public: "names of columns, the values and bounds in the ruleset, and the number of records",
            not_protected,
        })
    }
}

/// Writes into the ledger of a folder what its records lose. Every run draws fresh noise, so the lines of several runs over
/// the same records add up.
///
/// # Errors
/// When it cannot be written.
pub(crate) fn enter(folder: &Path, tables: &[TableEntry]) -> Result<(), Error> {
    let mut ledger = None;
    for table in tables {
        let Some(statement) = &table.privacy else { continue };
        let ledger = match &mut ledger {
            Some(ledger) => ledger,
            none => none.insert(Ledger::open(&folder.join("ledger.jsonl"))?),
        };
        ledger.append(&Line::Records {
            table: table.name.clone(),
            rows: table.rows,
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
