//! Does it look like the real thing? The data beside a reference table.
//!
//! Metrics that SDMetrics knows have its names and its definitions, so that their numbers can be compared; where ours
//! differ, the definition says why. Beside each figure stands what a *second sample of the same truth*, of the same sizes,
//! would reach: no data can be asked to be nearer to a sample than another sample is. The threshold lies where such a
//! second sample would fall short with a stated probability, less a margin that the user allows.
//!
//! A metric is one file and one line: `columns::COLUMN_METRICS` for one column, `pairs::PAIR_METRICS` for two,
//! `links::LINK_METRICS` for two tables; [`METRICS`] has them all.
//!
//! Work is bounded. Pairs are computed from a sample of the rows ([`Options::pair_rows`], less for wide tables) and, in wide
//! tables, for a sample of the pairs ([`Options::max_pairs`]). Who has larger tables than fit into memory hands in samples of
//! their rows ([`Table::sample`]): figures and thresholds are then those of tables of that size. What a sample does not tell
//! is counted in one pass over all rows ([`Census`]): keys that repeat, and rows and values that real ones equal. Links take
//! samples of their own ([`LinkTables`]), by the parent's key, so that parents keep all their children.

pub mod columns;
pub mod links;
pub mod noise;
pub mod pairs;
mod report;
mod rows;
mod table;

mod bins;
mod census;
mod matrix;
mod models;
mod overlays;

mod boundary_adherence;
mod cardinality_boundary_adherence;
mod cardinality_shape_similarity;
mod cardinality_statistic_similarity;
mod category_adherence;
mod category_coverage;
mod contingency_similarity;
mod correlation_ratio;
mod correlation_similarity;
mod discriminator;
mod jensen_shannon;
mod key_uniqueness;
mod ks_complement;
mod missing_value_similarity;
mod mutual_information;
mod population_stability;
mod range_coverage;
mod referential_integrity;
mod sequence_length_similarity;
mod statistic_similarity;
mod table_structure;
mod train_synthetic;
mod tv_complement;
mod wasserstein;

use std::collections::BTreeMap;

use serde::Serialize;

use crate::charts::Chart;
use crate::model::{Check, Metric, Verdict};
use crate::text::grouped;

pub(crate) use census::Copies;
pub use census::{Census, Sought, key_hashes};
pub use links::{Link, LinkTables, Whole, compare_links, compare_sampled, compare_tables};
pub use report::{ALL_TABLES, overall};
pub(crate) use rows::sample;
pub(crate) use table::{Coder, NULL, numbers, shared};
pub use table::{Role, Sampled, Table, roles};

/// How tables are compared.
#[derive(Clone, Debug)]
pub struct Options {
    /// Columns that name a row together; none for a table without a key. They are not compared by value.
    pub key: Vec<String>,
    /// The column that says which rows belong to one sequence, if rows are steps of sequences.
    pub sequence: Option<String>,
    /// What columns are, for those that are not what their values suggest.
    pub roles: BTreeMap<String, Role>,
    /// Probability, at most, that a second sample of the same truth misses any threshold at all; in (0, 1). It is shared
    /// out evenly to the checks.
    pub false_alarm: f64,
    /// How far a figure may lie beyond sampling noise, in units of the score (0 to 1), before it fails. Not for figures that
    /// are either right or wrong, such as keys. With 0, only a second sample of the same truth passes.
    pub margin: f64,
    /// Pairs of columns at most; others are left out, evenly.
    pub max_pairs: usize,
    /// Rows of each table, at most, from which pairs are computed. (SDMetrics takes 50,000, too.)
    pub pair_rows: usize,
    /// Cells of each table, at most, that are held to compute pairs: what bounds memory in wide tables.
    pub pair_cells: usize,
    /// Rows of each table, at most, from which models are trained.
    pub model_rows: usize,
    /// Where samples are drawn from. The same seed gives the same figures.
    pub seed: u64,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            key: Vec::new(),
            sequence: None,
            roles: BTreeMap::new(),
            false_alarm: 0.001,
            margin: 0.05,
            max_pairs: 2_000,
            pair_rows: 50_000,
            pair_cells: 10_000_000,
            model_rows: 4_000,
            seed: 0,
        }
    }
}

/// What a comparison found.
#[derive(Clone, Debug, Default)]
pub struct Comparison {
    /// The checks: of columns, of pairs, of the table.
    pub checks: Vec<Check>,
    /// The pairs that were looked at, for the pair matrix.
    pub pairs: Vec<Pair>,
    /// Columns beside the reference, drawn. They show something of its rows, so they are not for release.
    pub charts: Vec<Chart>,
    /// What was sampled or left out, in full sentences.
    pub notes: Vec<String>,
    /// Score, ceiling and threshold of the pairs that count in *Column Pair Trends*.
    trends: Vec<[f64; 3]>,
}

/// Two columns, and how alike the two tables are in them.
#[derive(Clone, Debug, Serialize)]
pub struct Pair {
    /// The columns.
    pub columns: [String; 2],
    /// Name of the metric that the score is of: Pearson's correlation between numbers, else contingency.
    pub metric: &'static str,
    /// The score, 0 to 1; none if it is not defined.
    pub score: Option<f64>,
    /// What a second sample of the same truth would reach on average.
    pub ceiling: Option<f64>,
    /// How strongly the columns hang together in the reference: Pearson's correlation or Cramér's V.
    pub real: Option<f64>,
    /// The same in the synthetic table.
    pub synthetic: Option<f64>,
    /// Whether that is strong enough in the reference (|r| > 0.5, V > 0.3) to count in *Column Pair Trends*.
    pub strong: bool,
    /// How the check of the score ended.
    pub verdict: Verdict,
}

/// What a metric measured, and what a second sample of the same truth would have reached.
#[derive(Clone, Debug)]
pub(crate) struct Figure {
    /// The figure.
    pub value: f64,
    /// The average of what a second sample would reach.
    pub expected: f64,
    /// Where the verdict turns: at least this if more is better, at most this if less is. NaN for a figure without a verdict.
    pub threshold: f64,
    /// Values that it was computed from.
    pub n: u64,
    /// Where the expectation comes from: a law, or a way of sampling.
    pub basis: &'static str,
    /// What was found, beside the figures: `mean 12.5 against 10.1`.
    pub detail: String,
}

/// A figure, or why there is none.
pub(crate) type Outcome = Result<Figure, String>;

/// What a check may cost in false alarms, and how much slack it has.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tolerance {
    /// Probability of a false alarm.
    pub alpha: f64,
    /// Slack beyond noise, in units of the score.
    pub margin: f64,
}

/// Every metric of a comparison, in the order of the manual.
pub static METRICS: &[&Metric] = &[
    &ks_complement::METRIC,
    &tv_complement::METRIC,
    &correlation_similarity::PEARSON,
    &correlation_similarity::SPEARMAN,
    &contingency_similarity::METRIC,
    &boundary_adherence::METRIC,
    &range_coverage::METRIC,
    &category_adherence::METRIC,
    &category_coverage::METRIC,
    &missing_value_similarity::METRIC,
    &statistic_similarity::MEAN,
    &statistic_similarity::MEDIAN,
    &statistic_similarity::STD,
    &key_uniqueness::METRIC,
    &referential_integrity::METRIC,
    &cardinality_shape_similarity::METRIC,
    &cardinality_statistic_similarity::MEAN,
    &cardinality_statistic_similarity::MEDIAN,
    &cardinality_statistic_similarity::STD,
    &cardinality_boundary_adherence::METRIC,
    &sequence_length_similarity::METRIC,
    &table_structure::METRIC,
    &wasserstein::METRIC,
    &jensen_shannon::METRIC,
    &population_stability::METRIC,
    &mutual_information::METRIC,
    &correlation_ratio::METRIC,
    &discriminator::METRIC,
    &train_synthetic::METRIC,
    &report::COLUMN_SHAPES,
    &report::COLUMN_PAIR_TRENDS,
    &report::CARDINALITY,
    &report::INTERTABLE_TRENDS,
    &report::DATA_VALIDITY,
    &report::DATA_STRUCTURE,
    &report::RELATIONSHIP_VALIDITY,
    &report::QUALITY,
    &report::DIAGNOSTIC,
];

/// Compares a table with its reference: columns, pairs of columns, and the table as a whole.
///
/// Whatever cannot be computed is a check that is [`Verdict::Skipped`], whose message says why; no figure is ever NaN.
pub fn compare(real: &Table<'_>, synthetic: &Table<'_>, options: &Options) -> Comparison {
    let mut out = Comparison::default();
    let table = &synthetic.schema.table;
    out.checks.push(table_structure::check(real, synthetic, table));
    for (name, side) in [("reference", real), ("synthetic table", synthetic)] {
        if side.sampled.is_some() {
            out.notes.push(format!(
                "Of the {} rows of the {name}, {} are compared, each chosen by its number alone; repeated keys, and rows and values \
                 that real ones equal, are looked for in all rows.",
                grouped(side.all_rows()),
                grouped(side.rows() as u64)
            ));
        }
    }
    let roles = roles(real, options);
    let shared = shared(real, synthetic, &roles);
    for reason in &shared.left_out {
        out.notes.push(reason.clone());
    }
    // And four of models.
    let planned = columns::planned(&shared) + pairs::planned(&shared, options) + 4;
    let tolerance = Tolerance { alpha: options.false_alarm / planned.max(1) as f64, margin: options.margin };
    columns::compare(real, synthetic, &shared, options, tolerance, &mut out);
    pairs::compare(real, synthetic, &shared, options, tolerance, &mut out);
    models::compare(real, synthetic, &shared, options, tolerance, &mut out);
    report::single(table, &mut out);
    out
}

/// A check from what a metric measured.
pub(crate) fn check(metric: &'static Metric, table: &str, columns: &[&str], outcome: Outcome) -> Check {
    use crate::model::Direction;

    let columns: Vec<String> = columns.iter().map(|&column| column.to_owned()).collect();
    let skipped = |n: u64, reason: String| Check {
        metric,
        table: table.to_owned(),
        columns: columns.clone(),
        rule: None,
        value: None,
        reference: None,
        threshold: None,
        p_value: None,
        n,
        verdict: Verdict::Skipped,
        message: reason,
        for_release: false,
    };
    let figure = match outcome {
        Ok(figure) if !figure.value.is_finite() => {
            return skipped(figure.n, "the values are too large or too small for a finite figure".to_owned());
        }
        Ok(figure) => figure,
        Err(reason) => return skipped(0, reason),
    };
    // Sums in another order may differ in the last digits.
    let slack = 1e-12 * (1.0 + figure.threshold.abs());
    let pass = match metric.direction {
        Direction::Higher => figure.value >= figure.threshold - slack,
        Direction::Lower => figure.value <= figure.threshold + slack,
        Direction::Near => (figure.value - figure.expected).abs() <= figure.threshold + slack,
    };
    let bound = match metric.direction {
        Direction::Higher => "at least",
        Direction::Lower => "at most",
        Direction::Near => "off by at most",
    };
    let detail = if figure.detail.is_empty() { String::new() } else { format!(" ({})", figure.detail) };
    let asked = match figure.threshold.is_nan() {
        true => String::new(),
        false => format!("; {bound} {} asked for ({})", short(figure.threshold), figure.basis),
    };
    let message = format!(
        "{}{detail}; a second sample of the same truth would reach {}{asked}",
        short(figure.value),
        short(figure.expected),
    );
    Check {
        metric,
        table: table.to_owned(),
        columns,
        rule: None,
        value: Some(figure.value),
        reference: figure.expected.is_finite().then_some(figure.expected),
        threshold: figure.threshold.is_finite().then_some(figure.threshold),
        p_value: None,
        n: figure.n,
        verdict: match (figure.threshold.is_nan(), pass) {
            (true, _) => Verdict::Info,
            (false, true) => Verdict::Pass,
            (false, false) => Verdict::Fail,
        },
        message,
        for_release: false,
    }
}

/// A figure for reading: four digits that count.
pub(crate) fn short(value: f64) -> String {
    if value == 0.0 {
        return "0".to_owned();
    }
    let digits = (3 - libm::log10(value.abs()).floor() as i32).clamp(0, 12) as usize;
    let text = format!("{value:.digits$}");
    match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text,
    }
}
