//! What a ruleset declares about the values of a column, as plain data: the engine says it, validation checks it.

use std::fmt::Debug;
use std::sync::Arc;

use crate::Law;

/// How numbers are spread: a law with what modifiers make of it. Dates count in days, stamps and lengths of time in
/// microseconds.
#[derive(Clone, Debug)]
pub enum Spread {
    /// By a law.
    Law(Arc<dyn Law>),
    /// Some values with their probabilities, which add up to 1; values rise.
    Points(Vec<(f64, f64)>),
    /// `first + step × k`, for k in 0..count alike.
    Steps {
        /// Smallest value.
        first: f64,
        /// Distance.
        step: f64,
        /// How many.
        count: f64,
    },
    /// Rounded to whole multiples of `step`, half away from zero.
    Rounded {
        /// What is rounded.
        of: Box<Spread>,
        /// Distance of the values.
        step: f64,
    },
    /// Values outside moved to the nearer end.
    Clamped {
        /// What is clamped.
        of: Box<Spread>,
        /// Lower end.
        low: f64,
        /// Upper end.
        high: f64,
    },
    /// Each value from one of several, with probabilities that add up to 1.
    Mixture(Vec<(f64, Spread)>),
}

impl Spread {
    /// Some values with weights, which need not be in order or add up to anything.
    pub fn points(weighted: impl IntoIterator<Item = (f64, f64)>) -> Spread {
        let mut points: Vec<(f64, f64)> = weighted.into_iter().filter(|(_, weight)| *weight > 0.0).collect();
        points.sort_by(|a, b| a.0.total_cmp(&b.0));
        let total: f64 = points.iter().map(|(_, weight)| weight).sum();
        points.iter_mut().for_each(|(_, weight)| *weight /= total);
        points.dedup_by(|later, earlier| {
            let same = later.0 == earlier.0;
            if same {
                earlier.1 += later.1;
            }
            same
        });
        Spread::Points(points)
    }

    /// P(X ≤ x).
    pub fn cdf(&self, x: f64) -> f64 {
        match self {
            Spread::Law(law) => law.cdf(x),
            Spread::Points(points) => points
                .iter()
                .take_while(|(value, _)| *value <= x)
                .map(|(_, share)| share)
                .sum::<f64>()
                .min(1.0),
            Spread::Steps { first, step, count } => {
                (((x - first) / step + SLACK).floor() + 1.0).clamp(0.0, *count) / count
            }
            Spread::Rounded { of, step } => {
                // Everything up to the middle between this multiple and the next one; the middle itself goes away from 0.
                let middle = ((x / step + SLACK).floor() + 0.5) * step;
                of.cdf(if middle > 0.0 { middle.next_down() } else { middle })
            }
            Spread::Clamped { low, .. } if x < *low => 0.0,
            Spread::Clamped { high, .. } if x >= *high => 1.0,
            Spread::Clamped { of, .. } => of.cdf(x),
            Spread::Mixture(parts) => {
                parts.iter().map(|(share, part)| share * part.cdf(x)).sum::<f64>().min(1.0)
            }
        }
    }

    /// The smallest x with `cdf(x) >= u`, for u from 0 to 1; the ends of [`support`](Self::support) at 0 and 1.
    pub fn quantile(&self, u: f64) -> f64 {
        let (first, last) = self.support();
        if u <= 0.0 || u >= 1.0 {
            return if u <= 0.0 { first } else { last };
        }
        match self {
            Spread::Law(law) => law.quantile(u),
            Spread::Points(points) => {
                let mut sum = 0.0;
                let reached = points.iter().find(|(_, share)| {
                    sum += share;
                    sum >= u - ROUNDING
                });
                reached.map_or(last, |(value, _)| *value)
            }
            Spread::Steps { first, step, count } => {
                first + step * ((u * count - ROUNDING * count).ceil() - 1.0).clamp(0.0, count - 1.0)
            }
            Spread::Rounded { of, step } => rounded(of.quantile(u), *step),
            Spread::Clamped { of, low, high } => of.quantile(u).clamp(*low, *high),
            Spread::Mixture(parts) => {
                // Between the quantiles of the parts, halved until no number lies between.
                let each =
                    || parts.iter().filter(|(share, _)| *share > 0.0).map(|(_, part)| part.quantile(u));
                let (mut below, mut reached) =
                    (each().fold(f64::INFINITY, f64::min), each().fold(f64::NEG_INFINITY, f64::max));
                if self.cdf(below) >= u {
                    return below;
                }
                loop {
                    let middle = below.midpoint(reached);
                    if middle <= below || middle >= reached {
                        return reached;
                    }
                    if self.cdf(middle) >= u {
                        reached = middle;
                    } else {
                        below = middle;
                    }
                }
            }
        }
    }

    /// Closed hull of the values, possibly infinite.
    pub fn support(&self) -> (f64, f64) {
        match self {
            Spread::Law(law) => law.support(),
            Spread::Points(points) => {
                (points.first().map_or(f64::NAN, |p| p.0), points.last().map_or(f64::NAN, |p| p.0))
            }
            Spread::Steps { first, step, count } => (*first, first + step * (count - 1.0)),
            Spread::Rounded { of, step } => {
                let (low, high) = of.support();
                (rounded(low, *step), rounded(high, *step))
            }
            Spread::Clamped { of, low, high } => {
                let (first, last) = of.support();
                (first.clamp(*low, *high), last.clamp(*low, *high))
            }
            Spread::Mixture(parts) => parts
                .iter()
                .map(|(_, part)| part.support())
                .fold((f64::INFINITY, f64::NEG_INFINITY), |all, one| (all.0.min(one.0), all.1.max(one.1))),
        }
    }

    /// All values, if there are at most `most` and they are listed.
    pub fn values(&self, most: usize) -> Option<Vec<f64>> {
        match self {
            Spread::Points(points) if points.len() <= most => {
                Some(points.iter().map(|(value, _)| *value).collect())
            }
            Spread::Mixture(parts) => {
                let mut all = Vec::new();
                for (_, part) in parts {
                    all.extend(part.values(most)?);
                }
                all.sort_by(f64::total_cmp);
                all.dedup();
                (all.len() <= most).then_some(all)
            }
            _ => None,
        }
    }

    /// About `n` places at which to compare distribution functions: rising, and never on a value that rounding could move
    /// to the other side.
    pub fn edges(&self, n: usize) -> Vec<f64> {
        let mut edges = self.raw_edges(n.max(2));
        edges.retain(|edge| edge.is_finite());
        edges.sort_by(f64::total_cmp);
        edges.dedup();
        edges
    }

    fn raw_edges(&self, n: usize) -> Vec<f64> {
        match self {
            Spread::Law(law) => {
                let whole = if law.is_discrete() { 0.5 } else { 0.0 };
                (1..n).map(|at| law.quantile(at as f64 / n as f64) + whole).collect()
            }
            Spread::Points(points) => {
                let stride = points.len().div_ceil(n).max(1);
                points.windows(2).step_by(stride).map(|pair| pair[0].0.midpoint(pair[1].0)).collect()
            }
            Spread::Steps { first, step, count } => {
                let of = (*count as usize).clamp(1, n);
                (1..of).map(|at| first + ((at as f64 / of as f64 * count).floor() - 0.5) * step).collect()
            }
            Spread::Rounded { of, step } => {
                of.raw_edges(n).into_iter().map(|edge| ((edge / step).round() + 0.5) * step).collect()
            }
            Spread::Clamped { of, low, high } => {
                // Where values pile up at an end, just beside it is the place to look.
                let inside = of.raw_edges(n).into_iter().filter(|edge| edge > low && edge < high);
                inside.chain([low + (high - low) * 1e-9, high - (high - low) * 1e-9]).collect()
            }
            Spread::Mixture(parts) => {
                let each = (n / parts.len().max(1)).max(16);
                parts.iter().flat_map(|(_, part)| part.raw_edges(each)).collect()
            }
        }
    }
}

/// The nearest multiple of a step, half away from zero: of 0.01 the double that is written so, not 0.010000000000000002
/// times a number.
fn rounded(x: f64, step: f64) -> f64 {
    let multiple = (x / step).round();
    if step < 1.0 { multiple / (1.0 / step).round() } else { multiple * step }
}

/// By how much sums of shares may be off.
const ROUNDING: f64 = 1e-12;

/// How far a quotient may lie below a whole number and count as it.
const SLACK: f64 = 1e-6;

/// Tells whether a text has the form that a rule gives it.
pub trait Matcher: Send + Sync + Debug {
    /// Whether it has.
    fn matches(&self, text: &str) -> bool;
}

/// What a rule promises about values.
#[derive(Clone, Debug)]
pub enum Promise {
    /// Numbers, dates, stamps or lengths of time.
    Spread(Spread),
    /// Text, or `true` and `false`: each value with its probability.
    Shares(Vec<(String, f64)>),
    /// Text of a form.
    Matches(Arc<dyn Matcher>),
    /// The value follows from the row's other columns.
    Computed,
    /// The value is what follows from the row's other columns and its number, and noise that is spread so.
    Around(Spread),
    /// Nothing that can be told from the values.
    Nothing,
}

/// One of the rules behind a column: the only one, or that of a case.
#[derive(Clone, Debug)]
pub struct Leaf {
    /// In which case, as in `Volume Type = gp2`; empty if there is only one.
    pub case: String,
    /// Share of nulls; `None` where it is not known.
    pub null: Option<f64>,
    /// What is promised of the values.
    pub promise: Promise,
    /// Whether rows are independent draws of it, so that the goodness of fit can be tested.
    pub independent: bool,
}

/// What is declared about a column.
#[derive(Clone, Debug)]
pub struct Column {
    /// Name.
    pub name: String,
    /// The rules behind it.
    pub leaves: Vec<Leaf>,
    /// Whether values are free of repetitions.
    pub unique: bool,
    /// Whether values name their rows: free of repetitions, or numbered by the row alone.
    pub names_rows: bool,
    /// Whether rows are independent of each other in this column, whatever its law: so that two tables of one ruleset, made
    /// with two seeds, are two samples of one truth.
    pub rows_independent: bool,
    /// Why the law is not tested where it is not.
    pub untested: Option<&'static str>,
    /// Whether every value stands in the ruleset or in a file that it reads, or follows from such values and row numbers: then
    /// that two tables have values in common says nothing.
    pub listed: bool,
    /// Whether an anomaly changes values of it: else it is the same in all rows, with their anomalies and without.
    pub anomalous: bool,
}

/// A column of a child that has the value of its parent's column.
#[derive(Clone, Debug)]
pub struct Reference {
    /// The child's column.
    pub column: String,
    /// Name of the link.
    pub link: String,
    /// The parent table.
    pub parent: String,
    /// The parent's column.
    pub parent_column: String,
    /// Whether it is the key by which the parent is known: free of repetitions.
    pub is_key: bool,
    /// How many children parents have, where that is declared and independent of all else.
    pub children: Option<Spread>,
}

/// A declared correlation of two columns.
#[derive(Clone, Debug)]
pub struct Correlation {
    /// The columns.
    pub columns: [String; 2],
    /// The correlation of their ranks (middle ranks where there are ties), where that is what is declared.
    pub spearman: Option<f64>,
    /// The correlation of their values, where that is what is declared.
    pub pearson: Option<f64>,
    /// The correlation of F(X) and G(Y) under the copula in use, if both are continuous.
    pub grade: f64,
}

/// A declared anomaly.
#[derive(Clone, Debug)]
pub struct Anomaly {
    /// Name.
    pub name: String,
    /// What it does, in the user's words.
    pub about: Option<String>,
    /// Exact number of rows that have it, where that is known.
    pub rows: Option<u64>,
}

/// What is declared about a table.
#[derive(Clone, Debug, Default)]
pub struct Table {
    /// The written columns, in order, without labels.
    pub columns: Vec<Column>,
    /// Columns that have a parent's values.
    pub references: Vec<Reference>,
    /// Columns that name the parents in links of which no combination occurs twice.
    pub unique: Option<Vec<String>>,
    /// Correlations.
    pub correlations: Vec<Correlation>,
    /// The conditions that rows meet, as written, with whether they can be told from the written columns.
    pub requires: Vec<(String, bool)>,
    /// Parts of the table, in exact numbers of rows, with the column that names them.
    pub parts: Option<(String, Vec<(String, u64)>)>,
    /// Anomalies, in the order of the ruleset.
    pub anomalies: Vec<Anomaly>,
    /// The column that says which anomaly a row has.
    pub label: Option<String>,
    /// Of each expectation, whether an anomaly changes anything that it reads.
    pub anomalous_expects: Vec<bool>,
}

/// What holds for all rows of a table as they are written, anomalies included: what a database can be told to enforce.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Constraints {
    /// The column that tells rows apart: without nulls and repetitions.
    pub primary: Option<String>,
    /// Further columns that, each alone or several together, are free of repetitions, nulls aside.
    pub unique: Vec<Vec<String>>,
    /// Columns whose values are in a column of a parent that is free of repetitions.
    pub foreign: Vec<Foreign>,
    /// What the values of a column lie in.
    pub limits: Vec<(String, Limits)>,
}

/// A column that refers to a parent's key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Foreign {
    /// The child's column.
    pub column: String,
    /// The parent table.
    pub parent: String,
    /// The parent's column.
    pub parent_column: String,
}

/// What the values of a column lie in.
#[derive(Clone, Debug, PartialEq)]
pub enum Limits {
    /// Numbers from the first to the second, both included; either may be infinite. Dates count in days.
    Within(f64, f64),
    /// One of these texts.
    OneOf(Vec<String>),
}

/// The row is null by its rule: a condition does not hold.
pub const MUST_BE_NULL: u32 = u32::MAX;

/// Nothing can be said of the row.
pub const UNKNOWN: u32 = u32::MAX - 1;

/// What was found about one column of a block of rows.
#[derive(Clone, Debug, Default)]
pub struct ColumnFacts {
    /// For each row the leaf that its value comes from; empty if all come from the first.
    pub leaves: Vec<u32>,
    /// Positions of rows whose value is not the computed one.
    pub wrong: Vec<u32>,
    /// What the first of them should be.
    pub expected: Option<String>,
    /// For each row the noise in its value, of rules that have some beside what is computed; NaN where it is not known. Empty for
    /// other rules.
    pub noise: Vec<f64>,
}

/// What was found about a block of rows, beyond the values.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// For each written column.
    pub columns: Vec<ColumnFacts>,
    /// For each `require`, positions of the rows that miss it.
    pub missed: Vec<Vec<u32>>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::laws;

    #[test]
    fn distribution_functions_follow_the_modifiers() {
        let law = || Spread::Law(Arc::new(laws::Uniform::new(0.0, 10.0).unwrap()));
        let rounded = Spread::Rounded { of: Box::new(law()), step: 1.0 };
        assert!((rounded.cdf(0.0) - 0.05).abs() < 1e-12);
        assert!((rounded.cdf(9.0) - 0.95).abs() < 1e-12);
        assert_eq!(rounded.cdf(10.0), 1.0);
        assert_eq!(rounded.support(), (0.0, 10.0));
        let clamped = Spread::Clamped { of: Box::new(law()), low: 2.0, high: 8.0 };
        assert_eq!((clamped.cdf(1.9), clamped.cdf(8.0)), (0.0, 1.0));
        assert!((clamped.cdf(2.0) - 0.2).abs() < 1e-12);
        let points = Spread::points([(3.0, 1.0), (1.0, 2.0), (3.0, 1.0)]);
        assert_eq!(points.values(5), Some(vec![1.0, 3.0]));
        assert_eq!((points.cdf(0.9), points.cdf(1.0), points.cdf(3.0)), (0.0, 0.5, 1.0));
        assert_eq!([0.0, 0.5, 0.51, 1.0].map(|u| points.quantile(u)), [1.0, 1.0, 3.0, 3.0]);
        assert_eq!([0.0, 0.1, 0.5, 0.9, 1.0].map(|u| clamped.quantile(u)), [2.0, 2.0, 5.0, 8.0, 8.0]);
        assert_eq!([0.0, 0.05, 0.06, 0.95].map(|u| rounded.quantile(u)), [0.0, 1.0, 1.0, 10.0]);
        let mixture = Spread::Mixture(vec![(0.25, points), (0.75, clamped)]);
        for at in 1..100 {
            let u = f64::from(at) / 100.0;
            let x = mixture.quantile(u);
            assert!(mixture.cdf(x) >= u && mixture.cdf(x.next_down()) < u, "{u}: {x}");
        }
        assert!((mixture.cdf(5.0) - (0.25 + 0.75 * 0.5)).abs() < 1e-12);
        let steps = Spread::Steps { first: 10.0, step: 5.0, count: 4.0 };
        assert_eq!(
            (steps.cdf(9.0), steps.cdf(10.0), steps.cdf(14.9), steps.cdf(25.0)),
            (0.0, 0.25, 0.25, 1.0)
        );
        assert_eq!([0.0, 0.25, 0.26, 1.0].map(|u| steps.quantile(u)), [10.0, 10.0, 15.0, 25.0]);
        let edges = steps.edges(100);
        assert!(edges.iter().all(|edge| (edge - 10.0) % 5.0 != 0.0), "{edges:?}");
    }
}
