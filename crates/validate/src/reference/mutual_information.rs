//! `MutualInformationDifference`: does one column tell as much about the other?

use std::collections::BTreeMap;

use lookalike_core::special::gamma_p_inverse;

use crate::model::{Attribute, Direction, Metric, Question};

use super::contingency_similarity::{Cell, cells};
use super::pairs::{Lane, PairMetric, PairOutcome};
use super::{Figure, Outcome, Tolerance, noise, short};

pub(crate) static METRIC: Metric = Metric {
    name: "MutualInformationDifference",
    summary: "does one column tell as much about another as in the reference?",
    definition: "the absolute difference of the mutual information of two columns, in nats, each corrected for its bias by (G. Miller \
                 1955) and W. Madow. Numbers and times are cut into ten bins over the reference's range; a null is a value. Noise: \
                 the normal limit, and for independent columns the chi-squared law.",
    direction: Direction::Lower,
    question: Question::Reference,
    attribute: Attribute::Statistics,
};

pub(crate) const PAIR: PairMetric =
    PairMetric { metric: &METRIC, applies: |_, _| true, measure, strong: None };

fn measure(a: &Lane, b: &Lane, tolerance: Tolerance) -> PairOutcome {
    PairOutcome { outcome: figure(a, b, tolerance), strength: [None, None] }
}

fn figure(a: &Lane, b: &Lane, tolerance: Tolerance) -> Outcome {
    let cells = cells(a, b);
    let real = information(&cells, 0, a.codes[0].len(), "the reference")?;
    let synthetic = information(&cells, 1, a.codes[1].len(), "the synthetic table")?;
    let error = (real.variance / real.n + synthetic.variance / synthetic.n).sqrt();
    let free = real.free.max(synthetic.free);
    let least = real.n.min(synthetic.n);
    let independent = match free > 0.0 {
        true => {
            (2.0 * gamma_p_inverse(free / 2.0, 1.0 - tolerance.alpha / 2.0) - free).max(0.0) / (2.0 * least)
        }
        false => 0.0,
    };
    Ok(Figure {
        value: (real.nats - synthetic.nats).abs(),
        expected: (2.0 / std::f64::consts::PI).sqrt() * error + (2.0 * free).sqrt() / (2.0 * least),
        threshold: noise::two_sided(tolerance.alpha) * error + independent + tolerance.margin,
        n: (real.n + synthetic.n) as u64,
        basis: "the normal limit",
        detail: format!("{} nats against {}", short(synthetic.nats), short(real.nats)),
    })
}

struct Information {
    nats: f64,
    /// Of √n times the estimate.
    variance: f64,
    free: f64,
    n: f64,
}

fn information(cells: &[Cell], side: usize, rows: usize, what: &str) -> Result<Information, String> {
    let n = rows as f64;
    let (mut first, mut second) = (BTreeMap::new(), BTreeMap::new());
    let mut occupied = 0.0;
    for ((a, b), count) in cells {
        let count = count[side] as f64;
        if count > 0.0 {
            *first.entry(*a).or_insert(0.0) += count;
            *second.entry(*b).or_insert(0.0) += count;
            occupied += 1.0;
        }
    }
    if occupied * 5.0 > n {
        return Err(format!(
            "{what} has {rows} rows for {occupied} combinations, and it takes 5 rows for each"
        ));
    }
    let (mut nats, mut squares) = (0.0, 0.0);
    for ((a, b), count) in cells {
        let count = count[side] as f64;
        if count > 0.0 {
            let point = libm::log(count * n / (first[a] * second[b]));
            nats += count / n * point;
            squares += count / n * point * point;
        }
    }
    let (k, l) = (first.len() as f64, second.len() as f64);
    Ok(Information {
        nats: nats - (occupied - k - l + 1.0) / (2.0 * n),
        variance: (squares - nats * nats).max(0.0),
        free: (k - 1.0) * (l - 1.0),
        n,
    })
}
