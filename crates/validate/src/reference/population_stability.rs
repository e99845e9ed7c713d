//! `PopulationStabilityIndex`: have the shares moved?

use lookalike_core::special::gamma_p_inverse;

use crate::model::{Attribute, Direction, Metric, Question};

use super::columns::{ColumnMetric, Sides};
use super::{Figure, Outcome, Tolerance, bins, noise};

pub(crate) static METRIC: Metric = Metric {
    name: "PopulationStabilityIndex",
    summary: "have the shares moved?",
    definition: "Σ (q - p) ln(q / p) over the shares p of the reference and q of the synthetic table; below 0.1 is usually called \
                 stable, above 0.25 a shift. Of categories (those with fewer than 20 values on both sides together as one), or of \
                 ten bins between the reference's deciles; a bin that one side lacks counts half a value there; nulls left out. \
                 Noise: the index over 1/n + 1/m has the chi-squared law (B. Yurdakul 2018); a factor 1.5 allows for bins with \
                 few values. The threshold allows twice the margin.",
    direction: Direction::Lower,
    question: Question::Reference,
    attribute: Attribute::Statistics,
};

pub(crate) const COLUMN: ColumnMetric =
    ColumnMetric { metric: &METRIC, applies: |role| role.is_continuous() || role.is_discrete(), measure };

/// Values of a bin on both sides together, at least.
const LEAST: u64 = 20;

fn measure(sides: &Sides, tolerance: Tolerance) -> Outcome {
    sides.need_values()?;
    let [n, m] = sides.values();
    let counts = bins::merged(bins::counts(sides), LEAST);
    let value: f64 = counts
        .iter()
        .map(|count| {
            let share = |count: u64, of: f64| (if count == 0 { 0.5 } else { count as f64 }) / of;
            let (p, q) = (share(count[0], n), share(count[1], m));
            (q - p) * libm::log(q / p)
        })
        .sum();
    let free = (counts.len() as f64 - 1.0).max(0.0);
    let spread = noise::spread(n, m);
    let bound = match free > 0.0 {
        true => 1.5 * spread * 2.0 * gamma_p_inverse(free / 2.0, 1.0 - tolerance.alpha),
        false => 0.0,
    };
    Ok(Figure {
        value,
        expected: spread * free,
        threshold: bound + 2.0 * tolerance.margin,
        n: sides.n(),
        basis: "the chi-squared law",
        detail: format!("over {} bins", counts.len()),
    })
}
