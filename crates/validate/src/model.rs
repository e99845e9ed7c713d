//! What a validation found: the one model that the page, the JSON file, the Markdown summary and the JUnit file are written
//! from.

use serde::Serialize;

/// What a check answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Question {
    /// Does the data do what the rules say?
    Rules,
    /// Does it look like the reference?
    Reference,
    /// Does it give somebody of the reference away?
    Leakage,
}

/// The attributes of good synthetic data, of which the scorecard speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Attribute {
    /// Same columns, types and relations as the real thing.
    Structure,
    /// Means, spreads, correlations and shapes.
    Statistics,
    /// Daily, weekly and yearly patterns.
    Time,
    /// Anomalies in the proportion and of the kinds asked for.
    Anomalies,
    /// Keys and the numbers of children.
    Integrity,
    /// One coherent picture across columns and tables.
    Consistency,
    /// From a fixture to any volume.
    Scalability,
    /// The variety of the real thing is covered.
    Diversity,
}

/// How a check ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// As it should be.
    Pass,
    /// Not as it should be.
    Fail,
    /// A figure without a threshold.
    Info,
    /// Could not be computed; the message says why.
    Skipped,
}

/// Which way is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// More is better.
    Higher,
    /// Less is better.
    Lower,
    /// Near the reference value is better.
    Near,
}

/// A way to look at data: what its figure means. The list of all of them drives the manual and the report's legend.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Metric {
    /// Name: SDMetrics' where it has one.
    pub name: &'static str,
    /// What it is, in one line.
    pub summary: &'static str,
    /// Formula and source.
    pub definition: &'static str,
    /// Which way is better.
    pub direction: Direction,
    /// Which question it answers.
    pub question: Question,
    /// Which attribute it speaks of.
    pub attribute: Attribute,
}

/// One check: a metric on some columns of a table, with its figure and verdict.
#[derive(Clone, Debug, Serialize)]
pub struct Check {
    /// The metric.
    pub metric: &'static Metric,
    /// The table.
    pub table: String,
    /// The columns looked at; none for the table as a whole.
    pub columns: Vec<String>,
    /// The rule as the ruleset has it, for checks of single rules: `Volume Size > 0`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// The figure.
    pub value: Option<f64>,
    /// What the figure is measured against: the declared value, or what two samples of the same truth would reach.
    pub reference: Option<f64>,
    /// Where the verdict turns.
    pub threshold: Option<f64>,
    /// Probability of a figure at least as bad if all is well; after the correction for many checks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub p_value: Option<f64>,
    /// Values that the figure was computed from.
    pub n: u64,
    /// How it ended.
    pub verdict: Verdict,
    /// What was found, in one sentence; for failures with an example and its row.
    pub message: String,
    /// Whether the figure may leave the house: false for what compares with private rows.
    pub for_release: bool,
}
