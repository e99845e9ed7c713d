//! `KSComplement`: are numbers and times distributed alike?

use crate::model::{Attribute, Direction, Metric, Question};

use super::columns::{ColumnMetric, Sides};
use super::{Figure, Outcome, Role, Tolerance, noise};

pub(crate) static METRIC: Metric = Metric {
    name: "KSComplement",
    summary: "are numbers and times distributed alike?",
    definition: "1 - the Kolmogorov-Smirnov distance of the two columns, the greatest difference of their distribution \
                 functions; nulls left out, numbers rounded to 14 decimals as SDMetrics does. Noise: Kolmogorov's law; \
                 threshold by Massart's inequality.",
    direction: Direction::Higher,
    question: Question::Reference,
    attribute: Attribute::Statistics,
};

pub(crate) const COLUMN: ColumnMetric =
    ColumnMetric { metric: &METRIC, applies: Role::is_continuous, measure };

fn measure(sides: &Sides, tolerance: Tolerance) -> Outcome {
    sides.need_values()?;
    let [real, synthetic] = &sides.sorted;
    Ok(figure(real, synthetic, tolerance))
}

/// Of ascending values, neither empty.
pub(crate) fn figure(real: &[f64], synthetic: &[f64], tolerance: Tolerance) -> Figure {
    let noise = noise::kolmogorov(real.len() as f64, synthetic.len() as f64, tolerance.alpha);
    Figure {
        value: 1.0 - distance(real, synthetic),
        expected: 1.0 - noise.expected,
        threshold: (1.0 - noise.bound - tolerance.margin).max(0.0),
        n: (real.len() + synthetic.len()) as u64,
        basis: "Kolmogorov's law",
        detail: String::new(),
    }
}

/// The greatest difference of the two distribution functions, of ascending values.
pub(crate) fn distance(real: &[f64], synthetic: &[f64]) -> f64 {
    let round = |x: f64| {
        let rounded = (x * 1e14).round_ties_even() / 1e14;
        if rounded.is_finite() { rounded } else { x }
    };
    let (n, m) = (real.len() as f64, synthetic.len() as f64);
    let (mut i, mut j, mut greatest) = (0, 0, 0.0f64);
    while i < real.len() && j < synthetic.len() {
        let at = round(real[i]).min(round(synthetic[j]));
        while i < real.len() && round(real[i]) <= at {
            i += 1;
        }
        while j < synthetic.len() && round(synthetic[j]) <= at {
            j += 1;
        }
        greatest = greatest.max((i as f64 / n - j as f64 / m).abs());
    }
    greatest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_distances() {
        assert_eq!(distance(&[1.0, 2.0, 3.0], &[1.0, 2.0, 3.0]), 0.0);
        assert_eq!(distance(&[1.0, 2.0], &[3.0, 4.0]), 1.0);
        assert_eq!(distance(&[1.0, 1.0, 2.0, 2.0], &[1.0, 2.0, 2.0, 2.0]), 0.25);
        // They differ by less than the rounding: ties.
        assert_eq!(distance(&[0.3], &[0.1 + 0.2]), 0.0);
    }
}
