//! `CategoryCoverage`: do all categories of the reference occur?

use crate::model::{Attribute, Direction, Metric, Question};

use super::columns::{ColumnMetric, Sides};
use super::{Figure, Outcome, Role, Tolerance, noise};

pub(crate) static METRIC: Metric = Metric {
    name: "CategoryCoverage",
    summary: "do all categories of the reference occur?",
    definition: "share of the reference's categories that occur in the synthetic table; nulls left out. Noise: the pooled \
                 counts, dealt out to both sides; threshold by Bernstein's inequality.",
    direction: Direction::Higher,
    question: Question::Reference,
    attribute: Attribute::Diversity,
};

pub(crate) const COLUMN: ColumnMetric = ColumnMetric { metric: &METRIC, applies: Role::is_discrete, measure };

fn measure(sides: &Sides, tolerance: Tolerance) -> Outcome {
    if sides.values()[0] == 0.0 {
        return Err("the reference has no values here".to_owned());
    }
    let known = sides.counts.iter().filter(|count| count[0] > 0).count() as f64;
    let missed = sides.counts.iter().filter(|count| count[0] > 0 && count[1] == 0).count() as f64;
    let [n, m] = sides.values();
    let noise = noise::alone(sides.counts.iter().copied(), n, m, false, tolerance.alpha);
    // Whole categories are missed.
    let bound = (noise.bound + 1e-9).floor();
    Ok(Figure {
        value: (known - missed) / known,
        expected: (1.0 - noise.expected / known).max(0.0),
        threshold: (1.0 - bound / known - tolerance.margin).max(0.0),
        n: sides.n(),
        basis: "pooled counts dealt out anew",
        detail: format!("{missed} of {known} categories do not occur"),
    })
}
