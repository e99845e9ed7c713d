//! `NewRowSynthesis`: are rows new?

use crate::model::{Attribute, Direction, Metric, Question};
use crate::reference::{Figure, Outcome, noise, short};

use super::Context;
use super::space::{Dimension, Space};

pub(crate) static METRIC: Metric = Metric {
    name: "NewRowSynthesis",
    summary: "are rows new?",
    definition: "share of the synthetic rows that match no row of the reference. A row matches if categories and nulls are equal, \
                 and numbers and times (counted from 1970) differ by at most 1 % of the synthetic value, as SDMetrics has it. \
                 Held against the same share of the holdout's rows, or of the reference's rows beside each other.",
    direction: Direction::Higher,
    question: Question::Leakage,
    attribute: Attribute::Diversity,
};

/// How far a number may be off, as a part of itself.
const TOLERANCE: f64 = 0.01;

pub(crate) fn measure(context: &Context<'_>, spaces: &[Option<Space>; 3]) -> Outcome {
    let [Some(real), Some(synthetic), holdout] = spaces else {
        return Err("a table is missing".to_owned());
    };
    let seed = context.seed.derive("new rows");
    let most = context.options.queries;
    let groups = Groups::new(real, synthetic);
    let rows = synthetic.sample(most, seed.derive("synthetic"));
    let new = rows.iter().filter(|&&row| !groups.has_match(synthetic.row(row), None)).count() as f64;
    let (others, expected) = match holdout {
        Some(holdout) => {
            let rows = holdout.sample(most, seed.derive("holdout"));
            let new = rows.iter().filter(|&&row| !groups.has_match(holdout.row(row), None)).count();
            (rows.len() as f64, new as f64 / rows.len() as f64)
        }
        None => {
            let rows = real.sample(most, seed.derive("reference"));
            let new = rows.iter().filter(|&&row| !groups.has_match(real.row(row), Some(row))).count();
            (rows.len() as f64, new as f64 / rows.len() as f64)
        }
    };
    let m = rows.len() as f64;
    let value = new / m;
    let p = expected.min(1.0 - 1.0 / others).max(0.5);
    let bound = noise::shares(p, others, m, context.tolerance.alpha).bound;
    Ok(Figure {
        value,
        expected,
        threshold: (expected - bound - context.tolerance.margin).max(0.0),
        n: (m + others) as u64,
        basis: "the binomial law",
        detail: format!(
            "{} of {m} rows match a real one; a share of {} of other real rows",
            m - new,
            short(1.0 - expected)
        ),
    })
}

/// The reference's rows, by categories and nulls, and within those by one number.
struct Groups<'s> {
    real: &'s Space,
    /// The number that leaves the fewest rows to look at.
    number: Option<usize>,
    rows: Vec<(u64, f64, u32)>,
}

impl<'s> Groups<'s> {
    fn new(real: &'s Space, synthetic: &Space) -> Groups<'s> {
        let numbers =
            (0..real.width).filter(|&column| matches!(real.dimensions[column], Dimension::Range(_)));
        // How much of the reference a number's tolerance takes in, on a few rows.
        let few = |space: &Space, most: usize| {
            (0..space.rows).step_by((space.rows / most).max(1)).collect::<Vec<_>>()
        };
        let (queries, targets) = (few(synthetic, 40), few(real, 400));
        let taken = |column: usize| {
            let matches = |query: usize| {
                let x = synthetic.row(query)[column];
                targets
                    .iter()
                    .filter(|&&row| (real.row(row)[column] - x).abs() <= (TOLERANCE * x).abs())
                    .count()
            };
            queries.iter().map(|&query| matches(query)).sum::<usize>()
        };
        let number = numbers.min_by_key(|&column| taken(column));
        let mut rows: Vec<(u64, f64, u32)> = (0..real.rows)
            .map(|row| {
                let values = real.row(row);
                let number = number.map_or(0.0, |column| values[column]);
                (Self::group(real, values), if number.is_nan() { 0.0 } else { number }, row as u32)
            })
            .collect();
        rows.sort_unstable_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)).then(a.2.cmp(&b.2)));
        Groups { real, number, rows }
    }

    /// A number for the categories and nulls of a row. That different ones may share it does not matter: matches are looked at.
    fn group(real: &Space, values: &[f64]) -> u64 {
        values.iter().zip(&real.dimensions).fold(0u64, |hash, (value, dimension)| {
            let word = match (value.is_nan(), dimension) {
                (true, _) => u64::MAX,
                (false, Dimension::Range(_)) => 1,
                (false, Dimension::Code) => value.to_bits(),
            };
            (hash ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29)
        })
    }

    fn has_match(&self, point: &[f64], but: Option<usize>) -> bool {
        let group = Self::group(self.real, point);
        let (least, greatest) = match self.number {
            Some(column) if !point[column].is_nan() => {
                // A hair wider: the test below is exact.
                let x = point[column];
                let reach = (TOLERANCE * x).abs() * (1.0 + 1e-9) + x.abs() * 1e-12;
                (x - reach, x + reach)
            }
            _ => (f64::NEG_INFINITY, f64::INFINITY),
        };
        let start = self.rows.partition_point(|row| (row.0, row.1) < (group, least));
        self.rows[start..]
            .iter()
            .take_while(|row| row.0 == group && row.1 <= greatest)
            .any(|row| Some(row.2 as usize) != but && self.matches(point, row.2 as usize))
    }

    fn matches(&self, point: &[f64], row: usize) -> bool {
        point.iter().zip(self.real.row(row)).zip(&self.real.dimensions).all(|((&x, &y), dimension)| {
            match (x.is_nan() || y.is_nan(), dimension) {
                (true, _) => x.is_nan() && y.is_nan(),
                (false, Dimension::Range(_)) => (y - x).abs() <= (TOLERANCE * x).abs(),
                (false, Dimension::Code) => x == y,
            }
        })
    }
}
