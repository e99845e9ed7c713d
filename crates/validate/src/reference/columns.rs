//! One column beside its reference.

use lookalike_core::Seed;
use lookalike_ruleset::Type;

use crate::charts::{measured, spread_of};
use crate::model::{Measure, Metric, Verdict};
use crate::statistics::scale;
use crate::text::counted;

use super::table::{Coder, NULL, Shared, numbers};
use super::{Comparison, Options, Outcome, Role, Table, Tolerance, check, overlays, short};

/// The values of a column on both sides: the reference first, then the synthetic table.
pub(crate) struct Sides {
    /// Type in the reference.
    pub ty: Type,
    /// Rows.
    pub rows: [f64; 2],
    /// Rows without a value.
    pub nulls: [f64; 2],
    /// Values in ascending order; none unless they are numbers or times.
    pub sorted: [Vec<f64>; 2],
    /// How often each value occurs; none for numbers and times.
    pub counts: Vec<[u64; 2]>,
    /// What the values are called, for categories; in the order of the counts.
    pub names: Vec<String>,
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

    /// A value as readers know it: times as such, not in microseconds.
    pub fn text(&self, value: f64) -> String {
        match Measure::from(self.ty) {
            Measure::Number => short(value),
            measure => measured(value * scale(self.ty), measure),
        }
    }

    /// The difference of two values: of times, a length of time.
    pub fn span(&self, value: f64) -> String {
        match Measure::from(self.ty) {
            Measure::Number => short(value),
            measure => measured(value * scale(self.ty), spread_of(measure)),
        }
    }

    /// A category as it is called in a message.
    pub fn name(&self, at: usize) -> String {
        self.names.get(at).map_or_else(|| "one value".to_owned(), |name| format!("`{name}`"))
    }

    /// Some of the categories with such counts, as a part of a message: `: a, b, c, …`.
    pub fn examples(&self, like: impl Fn(&[u64; 2]) -> bool) -> String {
        const MOST: usize = 3;
        let found = self.counts.iter().zip(&self.names).filter(|(count, _)| like(count));
        let mut names: Vec<String> = found.take(MOST + 1).map(|(_, name)| format!("`{name}`")).collect();
        if names.len() > MOST {
            names[MOST] = "…".to_owned();
        }
        if names.is_empty() { String::new() } else { format!(": {}", names.join(", ")) }
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
        ty: Type,
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
            return Sides { ty, rows, nulls, sorted, counts: Vec::new(), names: Vec::new() };
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
        let booleans = *real.dtype() == polars::prelude::DataType::Boolean;
        let names = if role.is_discrete() { coder.labels(booleans) } else { Vec::new() };
        Sides { ty, rows, nulls, sorted: [Vec::new(), Vec::new()], counts, names }
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
    let (mut failures, mut others, mut left_out) = (0, 0, 0);
    for (name, role) in &shared.columns {
        let (Some(left), Some(right)) = (real.series(name), synthetic.series(name)) else { continue };
        let empty = match (left.len(), right.len()) {
            (0, _) => Some("the reference has no rows"),
            (_, 0) => Some("the synthetic table has no rows"),
            _ => None,
        };
        let sides = match (empty, real.ty(name)) {
            (None, Some(ty)) => Some(Sides::of(ty, *role, left, right)),
            _ => None,
        };
        let first = out.checks.len();
        for metric in COLUMN_METRICS.iter().filter(|metric| (metric.applies)(*role)) {
            let outcome = match (&sides, empty) {
                (Some(sides), _) => (metric.measure)(sides, tolerance),
                (None, reason) => Err(reason.unwrap_or_default().to_owned()),
            };
            out.checks.push(check(metric.metric, table, &[name], outcome));
        }
        let failed = out.checks[first..].iter().any(|check| check.verdict == Verdict::Fail);
        let count = if failed { &mut failures } else { &mut others };
        if let Some(sides) = &sides {
            let charts = overlays::charts(name, *role, sides);
            *count += usize::from(!charts.is_empty());
            if *count <= overlays::COLUMNS {
                out.charts.extend(charts);
            } else if !charts.is_empty() {
                left_out += 1;
            }
        }
    }
    if left_out > 0 {
        out.notes.push(format!(
            "{} are not drawn beside the reference: of columns that fail a check, and of the others, the first {} are.",
            counted(left_out, "column", "columns"),
            overlays::COLUMNS
        ));
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
