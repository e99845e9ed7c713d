//! `CorrelationSimilarity`: do numbers rise and fall together alike?

use crate::model::{Attribute, Direction, Metric, Question};

use super::pairs::{Lane, PairMetric, PairOutcome, ranks};
use super::{Figure, Role, Tolerance, noise, short};

macro_rules! metric {
    ($name:literal, $summary:literal, $coefficient:literal) => {
        Metric {
            name: $name,
            summary: $summary,
            definition: concat!(
                "1 - half the absolute difference of the two tables' ",
                $coefficient,
                ", over rows in which neither is null. Not defined where a column is constant. Noise: Fisher's transform, with \
                 the larger of the textbook's error and the one that the values' influence on r shows."
            ),
            direction: Direction::Higher,
            question: Question::Reference,
            attribute: Attribute::Statistics,
        }
    };
}

pub(crate) static PEARSON: Metric =
    metric!("CorrelationSimilarity (Pearson)", "do numbers rise and fall together alike?", "correlations");
pub(crate) static SPEARMAN: Metric = metric!(
    "CorrelationSimilarity (Spearman)",
    "do the ranks of numbers rise and fall together alike?",
    "rank correlations"
);

fn both(a: Role, b: Role) -> bool {
    a.is_continuous() && b.is_continuous()
}

pub(crate) const PEARSON_PAIR: PairMetric = PairMetric {
    metric: &PEARSON,
    applies: both,
    measure: |a, b, tolerance| measure(a, b, false, tolerance),
    strong: Some(0.5),
};
pub(crate) const SPEARMAN_PAIR: PairMetric = PairMetric {
    metric: &SPEARMAN,
    applies: both,
    measure: |a, b, tolerance| measure(a, b, true, tolerance),
    strong: None,
};

fn measure(a: &Lane, b: &Lane, by_rank: bool, tolerance: Tolerance) -> PairOutcome {
    let of = |side: usize| {
        if by_rank && !a.ranks[side].is_empty() && !b.ranks[side].is_empty() {
            return pearson(&a.ranks[side], &b.ranks[side]);
        }
        let (x, y): (Vec<f64>, Vec<f64>) = a.numbers[side]
            .iter()
            .zip(&b.numbers[side])
            .filter(|(x, y)| !x.is_nan() && !y.is_nan())
            .map(|(&x, &y)| (x, y))
            .unzip();
        match by_rank {
            true => pearson(&ranks(&x), &ranks(&y)),
            false => pearson(&x, &y),
        }
    };
    let (real, synthetic) = (of(0), of(1));
    let strength = [&real, &synthetic].map(|side| side.as_ref().ok().map(|side| side.0));
    let outcome = real.map_err(|why| format!("in the reference {why}")).and_then(|real| {
        let synthetic = synthetic.map_err(|why| format!("in the synthetic table {why}"))?;
        let noise = noise::correlations(real, synthetic, tolerance.alpha);
        Ok(Figure {
            value: 1.0 - (real.0 - synthetic.0).abs() / 2.0,
            expected: 1.0 - noise.expected / 2.0,
            threshold: (1.0 - noise.bound / 2.0 - tolerance.margin).max(0.0),
            n: (real.2 + synthetic.2) as u64,
            basis: "Fisher's transform",
            detail: format!("correlation {} against {}", short(synthetic.0), short(real.0)),
        })
    });
    PairOutcome { outcome, strength }
}

/// Pearson's correlation; the mean square of the rows' influence on it (the variance of √n·r in the limit, whatever the
/// law); rows.
fn pearson(x: &[f64], y: &[f64]) -> Result<(f64, f64, f64), String> {
    let n = x.len() as f64;
    if x.len() < 2 {
        return Err(format!("{} rows have both values, and a correlation needs two", x.len()));
    }
    let centre = |values: &[f64]| {
        let origin = values[0];
        let mean = values.iter().map(|v| v - origin).sum::<f64>() / n;
        let centred: Vec<f64> = values.iter().map(|v| v - origin - mean).collect();
        let norm = centred.iter().map(|v| v * v).sum::<f64>().sqrt();
        (centred, norm)
    };
    let constant = |values: &[f64]| values.iter().all(|v| *v == values[0]);
    if constant(x) || constant(y) {
        return Err("one of the columns is constant, so there is no correlation".to_owned());
    }
    let ((x, norm_x), (y, norm_y)) = (centre(x), centre(y));
    let r: f64 = x.iter().zip(&y).map(|(x, y)| (x / norm_x) * (y / norm_y)).sum::<f64>().clamp(-1.0, 1.0);
    if !r.is_finite() {
        return Err("the values are too large for a correlation".to_owned());
    }
    let influence = x
        .iter()
        .zip(&y)
        .map(|(x, y)| {
            let (x, y) = (x / norm_x, y / norm_y);
            let d = n * (x * y - r * (x * x + y * y) / 2.0);
            d * d
        })
        .sum::<f64>()
        / n;
    Ok((r, influence, n))
}
