//! `StatisticSimilarity`: have the columns the same mean, median, standard deviation?

use crate::model::{Attribute, Direction, Metric, Question};

use super::columns::{ColumnMetric, Sides};
use super::noise::{self, Noise};
use super::{Figure, Outcome, Role, Tolerance, short};

macro_rules! metric {
    ($name:literal, $summary:literal, $noise:literal) => {
        Metric {
            name: $name,
            summary: $summary,
            definition: concat!(
                "1 - the absolute difference of the two statistics, as a part of the reference's range; at least 0; nulls left \
                 out. Not defined where the reference is constant. Noise: ",
                $noise
            ),
            direction: Direction::Higher,
            question: Question::Reference,
            attribute: Attribute::Statistics,
        }
    };
}

pub(crate) static MEAN: Metric = metric!(
    "StatisticSimilarity (mean)",
    "have the columns the same mean?",
    "Student's law of the difference of two means."
);
pub(crate) static MEDIAN: Metric = metric!(
    "StatisticSimilarity (median)",
    "have the columns the same median?",
    "how far the pooled quantiles reach around the middle."
);
pub(crate) static STD: Metric = metric!(
    "StatisticSimilarity (std)",
    "have the columns the same standard deviation?",
    "the normal limit of the difference, with the variance that the fourth moment gives."
);

pub(crate) const MEAN_COLUMN: ColumnMetric = ColumnMetric {
    metric: &MEAN,
    applies: Role::is_continuous,
    measure: |sides, tolerance| measure(sides, Statistic::Mean, tolerance),
};
pub(crate) const MEDIAN_COLUMN: ColumnMetric = ColumnMetric {
    metric: &MEDIAN,
    applies: Role::is_continuous,
    measure: |sides, tolerance| measure(sides, Statistic::Median, tolerance),
};
pub(crate) const STD_COLUMN: ColumnMetric = ColumnMetric {
    metric: &STD,
    applies: Role::is_continuous,
    measure: |sides, tolerance| measure(sides, Statistic::Std, tolerance),
};

/// What is compared.
#[derive(Clone, Copy)]
pub(crate) enum Statistic {
    /// Arithmetic mean.
    Mean,
    /// Middle value, or the mean of the two middle ones.
    Median,
    /// Standard deviation, with n - 1.
    Std,
}

impl Statistic {
    /// Of ascending values, at least one (NaN for the deviation of one).
    pub(crate) fn of(self, values: &[f64]) -> f64 {
        let n = values.len();
        match self {
            Statistic::Mean => noise::moments(values).0,
            Statistic::Median => {
                let (low, high) = (values[(n - 1) / 2], values[n / 2]);
                low + (high - low) / 2.0
            }
            Statistic::Std => (noise::moments(values).1 * n as f64 / (n as f64 - 1.0)).sqrt(),
        }
    }

    fn name(self) -> &'static str {
        match self {
            Statistic::Mean => "mean",
            Statistic::Median => "median",
            Statistic::Std => "standard deviation",
        }
    }

    fn noise(self, real: &[f64], synthetic: &[f64], alpha: f64) -> Noise {
        match self {
            Statistic::Mean => noise::means(real, synthetic, alpha),
            Statistic::Median => noise::medians(real, synthetic, alpha),
            Statistic::Std => noise::deviations(real, synthetic, alpha),
        }
    }
}

fn measure(sides: &Sides, statistic: Statistic, tolerance: Tolerance) -> Outcome {
    sides.need_values()?;
    let [real, synthetic] = &sides.sorted;
    let text = |value: f64| match statistic {
        Statistic::Std => sides.span(value),
        Statistic::Mean | Statistic::Median => sides.text(value),
    };
    let mut figure = figure(real, synthetic, statistic, tolerance)?;
    figure.detail = format!(
        "{} {} against {}",
        statistic.name(),
        text(statistic.of(synthetic)),
        text(statistic.of(real))
    );
    Ok(figure)
}

/// Of ascending values, neither empty.
pub(crate) fn figure(real: &[f64], synthetic: &[f64], statistic: Statistic, tolerance: Tolerance) -> Outcome {
    let range = real[real.len() - 1] - real[0];
    if range == 0.0 {
        return Err("the reference is constant, so differences have no scale".to_owned());
    }
    let (a, b) = (statistic.of(real), statistic.of(synthetic));
    if b.is_nan() {
        return Err("the synthetic table has one value here, which has no standard deviation".to_owned());
    }
    let noise = statistic.noise(real, synthetic, tolerance.alpha);
    Ok(Figure {
        value: (1.0 - (a - b).abs() / range).max(0.0),
        expected: (1.0 - noise.expected / range).max(0.0),
        threshold: (1.0 - noise.bound / range - tolerance.margin).max(0.0),
        n: (real.len() + synthetic.len()) as u64,
        basis: match statistic {
            Statistic::Median => "the pooled quantiles",
            _ => "the normal limit",
        },
        detail: format!("{} {} against {}", statistic.name(), short(b), short(a)),
    })
}
