//! `BoundaryAdherence`: do values stay within the reference's range?

use crate::model::{Attribute, Direction, Metric, Question};

use super::columns::{ColumnMetric, Sides};
use super::{Figure, Outcome, Role, Tolerance, noise};

pub(crate) static METRIC: Metric = Metric {
    name: "BoundaryAdherence",
    summary: "do values stay within the range of the reference?",
    definition: "share of the synthetic values between the reference's least and greatest, both included. Nulls count as \
                 outside if the reference has none, and are left out otherwise. Noise: how many of the greatest pooled \
                 values can fall to one side.",
    direction: Direction::Higher,
    question: Question::Reference,
    attribute: Attribute::Consistency,
};

pub(crate) const COLUMN: ColumnMetric =
    ColumnMetric { metric: &METRIC, applies: Role::is_continuous, measure };

fn measure(sides: &Sides, tolerance: Tolerance) -> Outcome {
    let [real, synthetic] = &sides.sorted;
    let nulls = if sides.nulls[0] > 0.0 { 0.0 } else { sides.nulls[1] };
    figure(real, synthetic, nulls, &|value| sides.text(value), tolerance)
}

/// Of ascending values; `nulls` synthetic rows count as outside. `text` says how a value is told.
pub(crate) fn figure(
    real: &[f64],
    synthetic: &[f64],
    nulls: f64,
    text: &dyn Fn(f64) -> String,
    tolerance: Tolerance,
) -> Outcome {
    let all = synthetic.len() as f64 + nulls;
    if all == 0.0 {
        return Err("the synthetic table has no values here".to_owned());
    }
    let (Some(&least), Some(&greatest)) = (real.first(), real.last()) else {
        // No value lies within a range that there is not.
        return Ok(Figure {
            value: 0.0,
            expected: 1.0,
            threshold: 1.0 - tolerance.margin,
            n: all as u64,
            basis: "the reference has nulls alone",
            detail: format!("{all} values where the reference has none"),
        });
    };
    let below = synthetic.partition_point(|&x| x < least) as f64;
    let above = synthetic.len() as f64 - synthetic.partition_point(|&x| x <= greatest) as f64;
    let (n, m) = (real.len() as f64, synthetic.len() as f64);
    let share = m / (n + m);
    let slack = if m == 0.0 { 0.0 } else { 2.0 * noise::run(share, tolerance.alpha / 2.0) };
    let mut detail = format!("{below} below {} and {above} above {}", text(least), text(greatest));
    if nulls > 0.0 {
        detail += &format!(", {nulls} nulls where the reference has none");
    }
    Ok(Figure {
        value: (m - below - above) / all,
        // Each end is passed by share + share² + … values on average.
        expected: (1.0 - 2.0 * share / (1.0 - share) / all).max(0.0),
        threshold: (1.0 - slack / all - tolerance.margin).max(0.0),
        n: real.len() as u64 + all as u64,
        basis: "ranks of the pooled values",
        detail,
    })
}
