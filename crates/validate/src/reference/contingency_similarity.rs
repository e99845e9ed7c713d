//! `ContingencySimilarity`: do two columns occur together alike?

use crate::model::{Attribute, Direction, Metric, Question};

use super::pairs::{Lane, PairMetric, PairOutcome};
use super::{Figure, Tolerance, noise, short};

pub(crate) static METRIC: Metric = Metric {
    name: "ContingencySimilarity",
    summary: "do two columns occur together alike?",
    definition: "1 - half the sum of the absolute differences of the shares of all combinations of values; a null is a value. \
                 A number or time beside a category is cut into ten bins of equal width over the range of the *reference*, \
                 the outer bins open; SDMetrics' function does so, too, but its report cuts each table over a range of its \
                 own, so that columns of different position or width can look alike. Noise: the pooled counts, dealt out to \
                 both sides; threshold by McDiarmid's inequality.",
    direction: Direction::Higher,
    question: Question::Reference,
    attribute: Attribute::Statistics,
};

pub(crate) const PAIR: PairMetric = PairMetric {
    metric: &METRIC,
    applies: |a, b| a.is_discrete() || b.is_discrete(),
    measure,
    strong: Some(0.3),
};

fn measure(a: &Lane, b: &Lane, tolerance: Tolerance) -> PairOutcome {
    let cells = cells(a, b);
    let [n, m] = [0, 1].map(|side| a.codes[side].len() as f64);
    let strength = [cramer(&cells, 0), cramer(&cells, 1)];
    if n == 0.0 || m == 0.0 {
        return PairOutcome { outcome: Err("there are no rows to compare".to_owned()), strength };
    }
    let variation: f64 =
        cells.iter().map(|(_, count)| (count[0] as f64 / n - count[1] as f64 / m).abs()).sum();
    let noise = noise::total_variation(cells.iter().map(|(_, count)| *count), n, m, tolerance.alpha);
    let detail = match strength {
        [Some(real), Some(synthetic)] => format!("Cramér's V {} against {}", short(synthetic), short(real)),
        _ => String::new(),
    };
    let outcome = Ok(Figure {
        value: 1.0 - variation / 2.0,
        expected: 1.0 - noise.expected,
        threshold: (1.0 - noise.bound - tolerance.margin).max(0.0),
        n: (n + m) as u64,
        basis: "pooled counts dealt out anew",
        detail,
    });
    PairOutcome { outcome, strength }
}

/// A combination of values that occurs, and how often on both sides.
pub(crate) type Cell = ((u32, u32), [u64; 2]);

/// The combinations that occur on either side, in the order of their codes.
pub(crate) fn cells(a: &Lane, b: &Lane) -> Vec<Cell> {
    count([0, 1].map(|side| (a.codes[side].as_slice(), b.codes[side].as_slice())))
}

/// The combinations of two columns of codes that occur on either side, in the order of their codes.
pub(crate) fn count(sides: [(&[u32], &[u32]); 2]) -> Vec<Cell> {
    let sorted = sides.map(|(a, b)| {
        let mut keys: Vec<u64> = a.iter().zip(b).map(|(&a, &b)| u64::from(a) << 32 | u64::from(b)).collect();
        keys.sort_unstable();
        keys
    });
    let mut out: Vec<Cell> = Vec::new();
    let (mut i, mut j) = (0, 0);
    loop {
        let key = match (sorted[0].get(i), sorted[1].get(j)) {
            (Some(&x), Some(&y)) => x.min(y),
            (Some(&x), None) => x,
            (None, Some(&y)) => y,
            (None, None) => return out,
        };
        let run = |keys: &[u64], from: usize| keys[from..].iter().take_while(|&&other| other == key).count();
        let counts = [run(&sorted[0], i), run(&sorted[1], j)];
        i += counts[0];
        j += counts[1];
        out.push((((key >> 32) as u32, key as u32), counts.map(|count| count as u64)));
    }
}

/// Cramér's V of one side, without bias correction: √(χ² / (n · (the lesser number of values - 1))). None if a column has but one
/// value.
pub(crate) fn cramer(cells: &[Cell], side: usize) -> Option<f64> {
    use std::collections::BTreeMap;

    let (mut first, mut second) = (BTreeMap::new(), BTreeMap::new());
    for ((a, b), count) in cells {
        let count = count[side] as f64;
        if count > 0.0 {
            *first.entry(*a).or_insert(0.0) += count;
            *second.entry(*b).or_insert(0.0) += count;
        }
    }
    let least = first.len().min(second.len());
    if least < 2 {
        return None;
    }
    let sum: f64 = cells
        .iter()
        .filter(|(_, count)| count[side] > 0)
        .map(|((a, b), count)| {
            let count = count[side] as f64;
            count * count / (first[a] * second[b])
        })
        .sum();
    Some(((sum - 1.0).max(0.0) / (least - 1) as f64).sqrt())
}
