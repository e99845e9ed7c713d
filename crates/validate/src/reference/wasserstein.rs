//! `Wasserstein1`: how far would values have to be moved?

use crate::model::{Attribute, Direction, Measure, Metric, Question};

use super::columns::{ColumnMetric, Sides};
use super::{Figure, Outcome, Role, Tolerance, noise, short};

pub(crate) static METRIC: Metric = Metric {
    name: "Wasserstein1",
    summary: "how far would values have to be moved to be distributed like the reference?",
    definition: "the area between the two distribution functions (L. N. Vaserstein 1969), in standard deviations of the reference; \
                 the message has it in the column's own unit (days, microseconds) too. Noise: the mean area between a normal \
                 process with the variance F(1 - F)(1/n + 1/m) and 0; threshold by the concentration of such a process.",
    direction: Direction::Lower,
    question: Question::Reference,
    attribute: Attribute::Statistics,
};

pub(crate) const COLUMN: ColumnMetric =
    ColumnMetric { metric: &METRIC, applies: Role::is_continuous, measure };

fn measure(sides: &Sides, tolerance: Tolerance) -> Outcome {
    sides.need_values()?;
    let [real, synthetic] = &sides.sorted;
    let deviation = noise::moments(real).1.sqrt();
    if deviation == 0.0 {
        return Err("the reference is constant, so distances have no scale".to_owned());
    }
    let (n, m) = (real.len() as f64, synthetic.len() as f64);
    let (distance, roughness) = areas(real, synthetic);
    let spread = noise::spread(n, m).sqrt();
    let expected = (2.0 / std::f64::consts::PI).sqrt() * spread * roughness;
    let pooled = ((n * noise::moments(real).1 + m * noise::moments(synthetic).1) / (n + m)).sqrt();
    let bound = expected + noise::two_sided_t(tolerance.alpha, n + m - 2.0) * spread * pooled;
    Ok(Figure {
        value: distance / deviation,
        expected: expected / deviation,
        threshold: bound / deviation + tolerance.margin,
        n: sides.n(),
        basis: "the normal limit of the distribution functions",
        detail: match Measure::from(sides.ty) {
            Measure::Number => format!("{} in the column's unit", short(distance)),
            _ => sides.span(distance),
        },
    })
}

/// ∫|F - G| and ∫√(H(1 - H)), with H the pooled distribution function, of ascending values.
fn areas(real: &[f64], synthetic: &[f64]) -> (f64, f64) {
    let (n, m) = (real.len() as f64, synthetic.len() as f64);
    let (mut i, mut j) = (0, 0);
    let mut last = real[0].min(synthetic[0]);
    let (mut distance, mut roughness) = (0.0, 0.0);
    while i < real.len() || j < synthetic.len() {
        let next = match (real.get(i), synthetic.get(j)) {
            (Some(&a), Some(&b)) => a.min(b),
            (Some(&a), None) => a,
            (None, Some(&b)) => b,
            (None, None) => break,
        };
        let (f, g) = (i as f64 / n, j as f64 / m);
        let h = (i + j) as f64 / (n + m);
        distance += (f - g).abs() * (next - last);
        roughness += (h * (1.0 - h)).sqrt() * (next - last);
        last = next;
        while real.get(i).is_some_and(|&a| a <= next) {
            i += 1;
        }
        while synthetic.get(j).is_some_and(|&b| b <= next) {
            j += 1;
        }
    }
    (distance, roughness)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Values of `scipy.stats.wasserstein_distance`.
    #[test]
    fn known_distances() {
        assert_eq!(areas(&[0.0, 1.0, 3.0], &[5.0, 6.0, 8.0]).0, 5.0);
        assert!((areas(&[0.0, 1.0], &[0.0, 0.0, 1.0, 1.0, 3.0]).0 - 0.5).abs() < 1e-15);
        assert!((areas(&[0.5, 1.0, 1.0, 7.0], &[0.1, 2.0, 6.0]).0 - 1.175).abs() < 1e-14);
    }
}
