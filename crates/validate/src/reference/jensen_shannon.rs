//! `JensenShannonDistance`: how different are the shares?

use lookalike_core::special::gamma_p_inverse;

use crate::model::{Attribute, Direction, Metric, Question};

use super::columns::{ColumnMetric, Sides};
use super::{Figure, Outcome, Tolerance, bins, noise};

pub(crate) static METRIC: Metric = Metric {
    name: "JensenShannonDistance",
    summary: "how much does a value tell about which table it is from?",
    definition: "the square root of the Jensen-Shannon divergence in bits (J. Lin 1991): 0 for equal shares, 1 for none in common. \
                 Of categories, or of ten bins between the reference's deciles; nulls left out. Noise: 8 ln 2 times the divergence, \
                 over 1/n + 1/m, has the chi-squared law with one less degree of freedom than there are bins; a factor 1.4 \
                 allows for bins with few values.",
    direction: Direction::Lower,
    question: Question::Reference,
    attribute: Attribute::Statistics,
};

pub(crate) const COLUMN: ColumnMetric =
    ColumnMetric { metric: &METRIC, applies: |role| role.is_continuous() || role.is_discrete(), measure };

fn measure(sides: &Sides, tolerance: Tolerance) -> Outcome {
    sides.need_values()?;
    let [n, m] = sides.values();
    let counts = bins::counts(sides);
    let free = (counts.len() as f64 - 1.0).max(0.0);
    // Bins with few values: (1, 0) contributes 2 ln 2 where the law has 1.
    const FEW: f64 = 1.4;
    let scale = noise::spread(n, m) / (8.0 * std::f64::consts::LN_2);
    let bound = match free > 0.0 {
        true => (FEW * scale * 2.0 * gamma_p_inverse(free / 2.0, 1.0 - tolerance.alpha)).sqrt(),
        false => 0.0,
    };
    Ok(Figure {
        value: distance(&counts, n, m),
        expected: (scale * free).sqrt().min(1.0),
        threshold: (bound + tolerance.margin).min(1.0),
        n: sides.n(),
        basis: "the chi-squared law",
        detail: format!("over {} bins", counts.len()),
    })
}

fn distance(counts: &[[u64; 2]], n: f64, m: f64) -> f64 {
    let part = |p: f64, q: f64| if p > 0.0 { p * libm::log2(2.0 * p / (p + q)) } else { 0.0 };
    let sum: f64 = counts
        .iter()
        .map(|count| {
            let (p, q) = (count[0] as f64 / n, count[1] as f64 / m);
            part(p, q) + part(q, p)
        })
        .sum();
    (sum / 2.0).max(0.0).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Values of `scipy.spatial.distance.jensenshannon(p, q, base=2)`.
    #[test]
    fn known_distances() {
        assert_eq!(distance(&[[1, 0], [0, 1]], 1.0, 1.0), 1.0);
        assert!((distance(&[[1, 1], [1, 0]], 2.0, 1.0) - 0.557_923_045_284_143_8).abs() < 1e-12);
        assert!((distance(&[[2, 1], [5, 1], [3, 8]], 10.0, 10.0) - 0.449_784_263_013_925_66).abs() < 1e-12);
    }
}
