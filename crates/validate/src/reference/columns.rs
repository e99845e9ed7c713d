//! One column beside its reference.

use lookalike_core::Seed;

use crate::model::Metric;

use super::table::{Coder, NULL, Shared, numbers};
use super::{Comparison, Options, Outcome, Role, Table, Tolerance, check};

/// The values of a column on both sides: the reference first, then the synthetic table.
pub(crate) struct Sides {
    /// Rows.
    pub rows: [f64; 2],
    /// Rows without a value.
    pub nulls: [f64; 2],
    /// Values in ascending order; none unless they are numbers or times.
    pub sorted: [Vec<f64>; 2],
    /// How often each value occurs; none for numbers and times.
    pub counts: Vec<[u64; 2]>,
}

impl Sides {
    /// Values that are not null.
    pub fn values(&self) -> [f64; 2] {
        [self.rows[0] - self.nulls[0], self.rows[1] - self.nulls[1]]
    }

    /// Values on both sides.
    pub fn n(&self) -> u64 {
        (self.values()[0] + self.values()[1]) as u64
    }

    /// # Errors
    /// When one side has no values: nothing can be compared.
    pub fn need_values(&self) -> Result<(), String> {
        match self.values() {
            [0.0, _] => Err("the reference has no values here".to_owned()),
            [_, 0.0] => Err("the synthetic table has no values here".to_owned()),
            _ => Ok(()),
        }
    }

    pub(crate) fn of(
        role: Role,
        real: &polars::prelude::Series,
        synthetic: &polars::prelude::Series,
    ) -> Sides {
        let rows = [real.len() as f64, synthetic.len() as f64];
        if role.is_continuous() {
            let sorted = [real, synthetic].map(|series| {
                let mut values = numbers(series);
                values.retain(|value| !value.is_nan());
                values.sort_unstable_by(f64::total_cmp);
                values
            });
            let nulls = [rows[0] - sorted[0].len() as f64, rows[1] - sorted[1].len() as f64];
            return Sides { rows, nulls, sorted, counts: Vec::new() };
        }
        let mut coder = Coder::default();
        let codes = [coder.codes(real), coder.codes(synthetic)];
        let mut counts = vec![[0; 2]; coder.len()];
        let mut nulls = [0.0; 2];
        for (side, codes) in codes.iter().enumerate() {
            for &code in codes {
                match code {
                    NULL => nulls[side] += 1.0,
                    code => counts[code as usize][side] += 1,
                }
            }
        }
        Sides { rows, nulls, sorted: [Vec::new(), Vec::new()], counts }
    }
}

/// A metric of one column.
pub(crate) struct ColumnMetric {
    pub metric: &'static Metric,
    pub applies: fn(Role) -> bool,
    pub measure: fn(&Sides, Tolerance) -> Outcome,
}

/// The metrics of single columns.
pub(crate) static COLUMN_METRICS: &[ColumnMetric] = &[
    super::missing_value_similarity::COLUMN,
    super::ks_complement::COLUMN,
    super::tv_complement::COLUMN,
    super::boundary_adherence::COLUMN,
    super::range_coverage::COLUMN,
    super::category_adherence::COLUMN,
    super::category_coverage::COLUMN,
    super::statistic_similarity::MEAN_COLUMN,
    super::statistic_similarity::MEDIAN_COLUMN,
    super::statistic_similarity::STD_COLUMN,
    super::wasserstein::COLUMN,
    super::jensen_shannon::COLUMN,
    super::population_stability::COLUMN,
];

/// How many checks of columns there will be.
pub(crate) fn planned(shared: &Shared) -> usize {
    let of = |role: Role| COLUMN_METRICS.iter().filter(|metric| (metric.applies)(role)).count();
    shared.columns.iter().map(|&(_, role)| of(role)).sum()
}

pub(crate) fn compare(
    real: &Table<'_>,
    synthetic: &Table<'_>,
    shared: &Shared,
    options: &Options,
    tolerance: Tolerance,
    out: &mut Comparison,
) {
    let table = &synthetic.schema.table;
    for (name, role) in &shared.columns {
        let (Some(left), Some(right)) = (real.series(name), synthetic.series(name)) else { continue };
        let empty = match (left.len(), right.len()) {
            (0, _) => Some("the reference has no rows"),
            (_, 0) => Some("the synthetic table has no rows"),
            _ => None,
        };
        let sides = match empty {
            None => Some(Sides::of(*role, left, right)),
            Some(_) => None,
        };
        for metric in COLUMN_METRICS.iter().filter(|metric| (metric.applies)(*role)) {
            let outcome = match (&sides, empty) {
                (Some(sides), _) => (metric.measure)(sides, tolerance),
                (None, reason) => Err(reason.unwrap_or_default().to_owned()),
            };
            out.checks.push(check(metric.metric, table, &[name], outcome));
        }
    }
    if !options.key.is_empty() {
        let names: Vec<&str> = options.key.iter().map(String::as_str).collect();
        let outcome = super::key_uniqueness::measure(real, synthetic, &names);
        out.checks.push(check(&super::key_uniqueness::METRIC, table, &names, outcome));
    }
    if let Some(sequence) = &options.sequence {
        let outcome = super::sequence_length_similarity::measure(real, synthetic, sequence, tolerance);
        out.checks.push(check(&super::sequence_length_similarity::METRIC, table, &[sequence], outcome));
    }
}

/// The seed of a sample of rows of one side.
pub(crate) fn side_seed(options: &Options, side: usize) -> Seed {
    Seed::new(options.seed).derive(["reference", "synthetic"][side])
}
