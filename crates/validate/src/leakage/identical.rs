//! `IdenticalMatchShare`: are real rows copied?

use crate::model::{Attribute, Direction, Metric, Question};
use crate::reference::{Copies, Figure, Outcome, noise, short};

use super::Context;

pub(crate) static METRIC: Metric = Metric {
    name: "IdenticalMatchShare",
    summary: "are real rows copied?",
    definition: "share of all synthetic rows that equal a row of the reference in all columns but ids and free text. Held against \
                 the share of the holdout's rows that do, or of the reference's rows that equal another. Noise: the difference \
                 of two binomial shares; the threshold allows a fifth of the margin more.",
    direction: Direction::Lower,
    question: Question::Leakage,
    attribute: Attribute::Diversity,
};

pub(crate) fn measure(context: &Context<'_>, copies: std::io::Result<Copies>) -> Outcome {
    share(context, copies, "rows")
}

/// The share of the synthetic entries that the reference has, beside that of other real ones.
pub(super) fn share(context: &Context<'_>, copies: std::io::Result<Copies>, what: &str) -> Outcome {
    let Copies { all, known } =
        copies.map_err(|error| format!("a temporary file cannot be read: {error}"))?;
    if all[0] == 0 || all[1] == 0 {
        return Err("one of the two tables has no values here".to_owned());
    }
    let (n, m) = (all[0] as f64, all[1] as f64);
    // Other real ones: the holdout's, else the reference's beside each other.
    let others = if all[2] > 0 { 2 } else { 0 };
    let (expected, others) = (known[others] as f64 / all[others] as f64, all[others] as f64);
    // A null share has noise as well: as much as if one row of the baseline had been copied.
    let noise = noise::shares(expected.max(1.0 / others).min(0.5), others, m, context.tolerance.alpha);
    Ok(Figure {
        value: known[1] as f64 / m,
        expected,
        threshold: (expected + noise.bound + context.tolerance.margin / 5.0).min(1.0),
        n: (n + m) as u64,
        basis: "the binomial law",
        detail: format!("{} of {m} {what}; a share of {} of other real ones", known[1], short(expected)),
    })
}
