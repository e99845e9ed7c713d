//! Two columns beside their reference.

use lookalike_core::Seed;
use polars::prelude::Series;

use crate::model::{Metric, Verdict};
use crate::text::grouped;

use super::columns::side_seed;
use super::table::{Coder, NULL, Shared, numbers};
use super::{Comparison, Options, Outcome, Pair, Role, Table, Tolerance, check, sample};

/// Bins into which numbers and times are cut to count them beside categories.
const BINS: usize = 10;

/// A column's sampled rows on both sides, as pairs need them.
pub(crate) struct Lane {
    /// The column.
    pub name: String,
    /// What it is.
    pub role: Role,
    /// Values of numbers and times; NaN for nulls.
    pub numbers: [Vec<f64>; 2],
    /// Ranks of the numbers, ties shared; none if there are nulls.
    pub ranks: [Vec<f64>; 2],
    /// Categories, or bins of numbers and times between the edges that the *reference* has; nulls are one more.
    pub codes: [Vec<u32>; 2],
}

impl Lane {
    pub(crate) fn of(name: &str, role: Role, series: [&Series; 2], rows: [&[usize]; 2]) -> Lane {
        let mut lane = Lane {
            name: name.to_owned(),
            role,
            numbers: Default::default(),
            ranks: Default::default(),
            codes: Default::default(),
        };
        if role.is_continuous() {
            lane.numbers = [0, 1].map(|side| {
                let all = numbers(series[side]);
                rows[side].iter().map(|&row| all[row]).collect()
            });
            let edges = edges(&lane.numbers[0]);
            for side in 0..2 {
                let values = &lane.numbers[side];
                if !values.iter().any(|x| x.is_nan()) {
                    lane.ranks[side] = ranks(values);
                }
                lane.codes[side] = values
                    .iter()
                    .map(|&x| match x.is_nan() {
                        true => BINS as u32,
                        false => edges.partition_point(|&edge| edge <= x) as u32,
                    })
                    .collect();
            }
        } else {
            let mut coder = Coder::default();
            lane.codes = [0, 1].map(|side| {
                let all = coder.codes(series[side]);
                rows[side].iter().map(|&row| all[row]).collect()
            });
        }
        lane
    }

    /// What a missing value's code is.
    pub(crate) fn null(&self) -> u32 {
        if self.role.is_continuous() { BINS as u32 } else { NULL }
    }
}

/// The inner edges of ten bins of equal width between the least and the greatest value, as numpy's `histogram` has them.
/// The first bin and the last are open to the outside, so that a value beyond the reference's range falls into them.
fn edges(values: &[f64]) -> Vec<f64> {
    let (mut least, mut greatest) = (f64::INFINITY, f64::NEG_INFINITY);
    for &x in values.iter().filter(|x| !x.is_nan()) {
        least = least.min(x);
        greatest = greatest.max(x);
    }
    if least > greatest {
        (least, greatest) = (0.0, 1.0);
    } else if least == greatest {
        (least, greatest) = (least - 0.5, greatest + 0.5);
    }
    let step = (greatest - least) / BINS as f64;
    (1..BINS).map(|i| i as f64 * step + least).collect()
}

/// Ranks from 1, ties sharing their mean rank.
pub(crate) fn ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_unstable_by(|&a, &b| values[a].total_cmp(&values[b]));
    let mut ranks = vec![0.0; values.len()];
    let mut start = 0;
    while start < order.len() {
        let mut end = start + 1;
        while end < order.len() && values[order[end]] == values[order[start]] {
            end += 1;
        }
        for &row in &order[start..end] {
            ranks[row] = (start + end + 1) as f64 / 2.0;
        }
        start = end;
    }
    ranks
}

/// What a metric of two columns found.
pub(crate) struct PairOutcome {
    pub outcome: Outcome,
    /// How strongly the columns hang together on both sides, where the metric knows.
    pub strength: [Option<f64>; 2],
}

/// A metric of two columns.
pub(crate) struct PairMetric {
    pub metric: &'static Metric,
    pub applies: fn(Role, Role) -> bool,
    pub measure: fn(&Lane, &Lane, Tolerance) -> PairOutcome,
    /// How strong a pair must be in the reference to count in *Column Pair Trends*; none for metrics that do not count there.
    pub strong: Option<f64>,
}

/// The metrics of pairs.
pub(crate) static PAIR_METRICS: &[PairMetric] = &[
    super::correlation_similarity::PEARSON_PAIR,
    super::correlation_similarity::SPEARMAN_PAIR,
    super::contingency_similarity::PAIR,
    super::correlation_ratio::PAIR,
    super::mutual_information::PAIR,
];

/// Whether values are compared at all.
fn compared(role: Role) -> bool {
    role != Role::Id
}

/// How many checks of pairs there will be, at most.
pub(crate) fn planned(shared: &Shared, options: &Options) -> usize {
    let columns = shared.columns.iter().filter(|(_, role)| compared(*role)).count();
    (columns * columns.saturating_sub(1) / 2).min(options.max_pairs) * per_pair()
}

/// Metrics of one pair, at most.
pub(crate) fn per_pair() -> usize {
    let roles = [Role::Number, Role::Category];
    let of = |a, b| PAIR_METRICS.iter().filter(|metric| (metric.applies)(a, b)).count();
    roles.iter().flat_map(|&a| roles.iter().map(move |&b| of(a, b))).max().unwrap_or(0)
}

pub(crate) fn compare(
    real: &Table<'_>,
    synthetic: &Table<'_>,
    shared: &Shared,
    options: &Options,
    tolerance: Tolerance,
    out: &mut Comparison,
) {
    let columns: Vec<&(String, Role)> = shared.columns.iter().filter(|(_, role)| compared(*role)).collect();
    if columns.len() < 2 || real.rows() == 0 || synthetic.rows() == 0 {
        return;
    }
    let pairs: Vec<(usize, usize)> =
        (0..columns.len()).flat_map(|a| (a + 1..columns.len()).map(move |b| (a, b))).collect();
    let kept = sample(pairs.len(), options.max_pairs, Seed::new(options.seed).derive("pairs"));
    if kept.len() < pairs.len() {
        out.notes.push(format!(
            "Of {} pairs of columns, {} are compared, drawn evenly.",
            grouped(pairs.len() as u64),
            grouped(kept.len() as u64)
        ));
    }
    let most = rows_held(columns.len(), options);
    let rows = [0, 1].map(|side| {
        let n = [real, synthetic][side].rows();
        sample(n, most, side_seed(options, side))
    });
    if real.rows().max(synthetic.rows()) > most {
        out.notes.push(format!(
            "Pairs of columns are computed from {} rows of each table, drawn evenly.",
            grouped(most as u64)
        ));
    }
    let lanes: Vec<Lane> = columns
        .iter()
        .filter_map(|(name, role)| {
            let series = [real.series(name)?, synthetic.series(name)?];
            Some(Lane::of(name, *role, series, [&rows[0], &rows[1]]))
        })
        .collect();
    if lanes.len() < columns.len() {
        return;
    }
    let pairs = kept.into_iter().map(|i| (&lanes[pairs[i].0], &lanes[pairs[i].1]));
    judge(&synthetic.schema.table, pairs, tolerance, out);
}

/// Rows that are held of a table with so many columns.
pub(crate) fn rows_held(columns: usize, options: &Options) -> usize {
    (options.pair_cells / columns.max(1)).min(options.pair_rows).max(1)
}

/// Compares pairs, whose lanes have the same rows.
pub(crate) fn judge<'l>(
    table: &str,
    pairs: impl Iterator<Item = (&'l Lane, &'l Lane)>,
    tolerance: Tolerance,
    out: &mut Comparison,
) {
    for (a, b) in pairs {
        for metric in PAIR_METRICS.iter().filter(|metric| (metric.applies)(a.role, b.role)) {
            let found = (metric.measure)(a, b, tolerance);
            let figures =
                found.outcome.as_ref().ok().map(|figure| [figure.value, figure.expected, figure.threshold]);
            let check = check(metric.metric, table, &[&a.name, &b.name], found.outcome);
            if let Some(least) = metric.strong {
                let strong = found.strength[0].is_some_and(|strength| strength.abs() > least);
                if let (true, Verdict::Pass | Verdict::Fail, Some(figures)) = (strong, check.verdict, figures)
                {
                    out.trends.push(figures);
                }
                out.pairs.push(Pair {
                    columns: [a.name.clone(), b.name.clone()],
                    metric: metric.metric.name,
                    score: check.value,
                    ceiling: check.reference,
                    real: found.strength[0],
                    synthetic: found.strength[1],
                    strong,
                    verdict: check.verdict,
                });
            }
            out.checks.push(check);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ties_share_their_rank() {
        assert_eq!(ranks(&[3.0, 1.0, 3.0, 2.0]), [3.5, 1.0, 3.5, 2.0]);
    }

    #[test]
    fn edges_of_constant_and_empty_columns() {
        assert_eq!(edges(&[5.0, 5.0])[4], 5.0);
        assert_eq!(edges(&[f64::NAN]).len(), 9);
        assert_eq!(edges(&[0.0, 10.0]), [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0]);
    }
}
