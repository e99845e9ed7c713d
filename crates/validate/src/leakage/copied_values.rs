//! `CopiedValueShare`: are names, ids, free texts of real rows copied?

use std::collections::HashMap;

use polars::prelude::DataType;

use crate::model::{Attribute, Direction, Metric, Question};
use crate::reference::{Figure, Outcome, Table, noise, short};

use super::Context;

pub(crate) static METRIC: Metric = Metric {
    name: "CopiedValueShare",
    summary: "are ids, names or free texts of the reference copied?",
    definition: "share of the synthetic values of a column of ids or free text that occur in the reference. Held against the share \
                 of the holdout's values that do, or of the reference's rows whose value occurs in another. Noise: the \
                 difference of two binomial shares; the threshold allows a fifth of the margin more.",
    direction: Direction::Lower,
    question: Question::Leakage,
    attribute: Attribute::Diversity,
};

pub(crate) fn measure(context: &Context<'_>, column: &str) -> Outcome {
    let values = |table: Option<&Table<'_>>| -> Option<polars::prelude::Series> {
        table?.series(column)?.cast(&DataType::String).ok()
    };
    let [real, synthetic, holdout] = context.tables.map(values);
    let (Some(real), Some(synthetic)) = (&real, &synthetic) else {
        return Err(format!("column `{column}` cannot be read as text"));
    };
    let texts = |series: &polars::prelude::Series| -> Vec<String> {
        series.str().map(|text| text.iter().flatten().map(str::to_owned).collect()).unwrap_or_default()
    };
    let mut counts: HashMap<String, u64> = HashMap::new();
    let real = texts(real);
    for value in &real {
        *counts.entry(value.clone()).or_insert(0) += 1;
    }
    let synthetic = texts(synthetic);
    if real.is_empty() || synthetic.is_empty() {
        return Err("one of the two tables has no values here".to_owned());
    }
    let copied = synthetic.iter().filter(|value| counts.contains_key(*value)).count() as f64;
    let (n, m) = (real.len() as f64, synthetic.len() as f64);
    let held = holdout.as_ref().map(texts).filter(|values| !values.is_empty());
    let (expected, others) = match held {
        Some(held) => {
            let known = held.iter().filter(|value| counts.contains_key(*value)).count() as f64;
            (known / held.len() as f64, held.len() as f64)
        }
        None => (real.iter().filter(|value| counts[*value] > 1).count() as f64 / n, n),
    };
    let noise = noise::shares(expected.max(1.0 / others).min(0.5), others, m, context.tolerance.alpha);
    Ok(Figure {
        value: copied / m,
        expected,
        threshold: (expected + noise.bound + context.tolerance.margin / 5.0).min(1.0),
        n: (n + m) as u64,
        basis: "the binomial law",
        detail: format!("{copied} of {m} values; a share of {} of other real ones", short(expected)),
    })
}
