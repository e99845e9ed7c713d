//! What a validation found: the one model that the page, the JSON file, the Markdown summary and the JUnit file are written
//! from.
//!
//! A [`Report`] holds [`TableReport`]s, these hold [`ColumnReport`]s, [`Check`]s and [`Chart`]s. Checks and charts are in one list
//! each, and name the columns that they speak of; the page sorts them. `report.json` is this model as it stands, and
//! `schema/report.schema.json` describes it.

use lookalike_ruleset::Type;
use serde::{Serialize, Serializer};

use crate::charts::Chart;
pub use crate::scorecard::Score;
use crate::text::counted;

/// Version of the form of `report.json`. It rises when a reader of the old form would misread the new one; new fields alone
/// do not raise it.
pub const REPORT_VERSION: u32 = 1;

/// What a check answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
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
#[cfg_attr(test, derive(schemars::JsonSchema))]
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
#[cfg_attr(test, derive(schemars::JsonSchema))]
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
#[cfg_attr(test, derive(schemars::JsonSchema))]
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
#[cfg_attr(test, derive(schemars::JsonSchema))]
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
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Check {
    /// The metric.
    #[serde(serialize_with = "by_name")]
    #[cfg_attr(test, schemars(with = "String"))]
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
    /// Probability of a figure at least as bad if all is well; after the correction for many checks. The check fails where it is
    /// 0.0001 or less.
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

/// Metrics are listed once, in [`Report::metrics`]; a check names its own.
fn by_name<S: Serializer>(metric: &&'static Metric, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(metric.name)
}

/// What a validation found, whole.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Report {
    /// Version of this form: [`REPORT_VERSION`].
    pub report: u32,
    /// What was validated, as a headline: `underutilized-ebs-volumes`.
    pub title: String,
    /// `fail` where a check failed, else `pass`; `info` where there was nothing to judge.
    pub verdict: Verdict,
    /// Whether the report as a whole may leave the house: false where a check or a chart shows something of private rows.
    pub for_release: bool,
    /// What the data were made from, and how.
    pub provenance: Provenance,
    /// The eight attributes, in the order of [`Attribute`].
    pub scorecard: Vec<Score>,
    /// The tables, in order.
    pub tables: Vec<TableReport>,
    /// What is known of privacy; absent where no private rows were anywhere near.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub privacy: Option<Privacy>,
    /// The metrics that the checks use, by name: the legend.
    pub metrics: Vec<&'static Metric>,
}

impl Report {
    /// A report of `tables`: verdict, scorecard and legend follow from their checks.
    pub fn new(
        title: impl Into<String>,
        provenance: Provenance,
        tables: Vec<TableReport>,
        privacy: Option<Privacy>,
    ) -> Report {
        let checks: Vec<&Check> = tables.iter().flat_map(|table| &table.checks).collect();
        let verdict = Verdict::of(checks.iter().copied());
        let for_release = checks.iter().all(|check| check.for_release)
            && tables.iter().flat_map(|table| &table.charts).all(|chart| chart.for_release)
            && tables.iter().flat_map(|table| &table.notes).all(|note| note.for_release);
        let scorecard =
            Attribute::ALL.iter().map(|&attribute| Score::new(attribute, &checks, &provenance)).collect();
        let mut metrics: Vec<&'static Metric> = checks.iter().map(|check| check.metric).collect();
        metrics.sort_by_key(|metric| metric.name);
        metrics.dedup_by_key(|metric| metric.name);
        Report {
            report: REPORT_VERSION,
            title: title.into(),
            verdict,
            for_release,
            provenance,
            scorecard,
            tables,
            privacy,
            metrics,
        }
    }

    /// The same report without what is not for release: checks and charts that show something of private rows, and what is
    /// known of the files that hold them.
    pub fn releasable(&self) -> Report {
        let mut tables = self.tables.clone();
        for table in &mut tables {
            let (checks, charts) = (table.checks.len(), table.charts.len());
            table.checks.retain(|check| check.for_release);
            table.charts.retain(|chart| chart.for_release);
            table.notes.retain(|note| note.for_release);
            let (checks, charts) = (checks - table.checks.len(), charts - table.charts.len());
            if checks + charts > 0 {
                table.notes.push(Note::new(format!(
                    "{} and {} that compare with private rows are left out of this report, whatever they found",
                    counted(checks as u64, "check", "checks"),
                    counted(charts as u64, "chart", "charts")
                )));
            }
        }
        let mut provenance = self.provenance.clone();
        provenance.reference = provenance.reference.filter(|reference| !reference.private);
        Report::new(self.title.clone(), provenance, tables, self.privacy.clone())
    }

    /// All checks, table by table.
    pub fn checks(&self) -> impl Iterator<Item = &Check> {
        self.tables.iter().flat_map(|table| &table.checks)
    }

    /// The checks that failed: what decides on the exit code.
    pub fn failures(&self) -> impl Iterator<Item = &Check> {
        self.checks().filter(|check| check.verdict == Verdict::Fail)
    }
}

impl Verdict {
    /// All verdicts.
    pub const ALL: [Verdict; 4] = [Verdict::Pass, Verdict::Fail, Verdict::Info, Verdict::Skipped];

    /// Of several checks together: `fail` where one failed, else `pass` where one passed, else `skipped` where one could not
    /// be computed, else `info`.
    pub fn of<'a>(checks: impl IntoIterator<Item = &'a Check>) -> Verdict {
        let mut together = Verdict::Info;
        for check in checks {
            together = match (together, check.verdict) {
                (Verdict::Fail, _) | (_, Verdict::Fail) => Verdict::Fail,
                (Verdict::Pass, _) | (_, Verdict::Pass) => Verdict::Pass,
                (Verdict::Skipped, _) | (_, Verdict::Skipped) => Verdict::Skipped,
                (Verdict::Info, Verdict::Info) => Verdict::Info,
            };
        }
        together
    }

    /// Name, as in `report.json`.
    pub fn name(self) -> &'static str {
        match self {
            Verdict::Pass => "pass",
            Verdict::Fail => "fail",
            Verdict::Info => "info",
            Verdict::Skipped => "skipped",
        }
    }
}

/// What the data were made from, and how. Figures that differ from run to run (times) are absent where a report must be
/// repeatable.
#[derive(Clone, Debug, Default, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Provenance {
    /// Program and version: `lookalike 0.1.0`.
    pub program: String,
    /// The ruleset; absent where the data were compared with a reference alone.
    pub ruleset: Option<RulesetStamp>,
    /// Seed of the data; absent where it is not known.
    pub seed: Option<u64>,
    /// Parameters of the ruleset, as written, in order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub params: Vec<Param>,
    /// The files that were validated.
    pub files: Vec<DataFile>,
    /// What they were compared with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reference: Option<Reference>,
    /// How long making the data took.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub throughput: Option<Throughput>,
    /// When the report was written, as RFC 3339 in UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub written: Option<String>,
}

/// Which ruleset it was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct RulesetStamp {
    /// Name.
    pub name: String,
    /// SHA-256 over its texts, lookups and parameters, in hexadecimal.
    pub sha256: String,
    /// The files that it was read from, as named.
    pub files: Vec<String>,
}

/// A parameter and its value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Param {
    /// Name.
    pub name: String,
    /// Value, as text.
    pub value: String,
}

/// A file of data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct DataFile {
    /// The table that is in it.
    pub table: String,
    /// Its name, as given.
    pub file: String,
    /// Size in bytes.
    pub bytes: u64,
    /// Rows in it.
    pub rows: u64,
    /// SHA-256 of the content, in hexadecimal; absent where it was not computed.
    pub sha256: Option<String>,
}

/// What data were compared with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Reference {
    /// Whether its rows are private: then what compares with them is not for release.
    pub private: bool,
    /// Its files.
    pub files: Vec<DataFile>,
    /// Files of rows that the makers of the data never saw, against which leakage is measured.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub holdout: Vec<DataFile>,
}

/// How long making the data took.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Throughput {
    /// Rows made.
    pub rows: u64,
    /// Wall time in seconds.
    pub seconds: f64,
    /// Threads.
    pub threads: u64,
}

impl Throughput {
    /// As a sentence: `1,000,000 rows made in 0.42 s on 2 threads`.
    pub fn sentence(&self) -> String {
        let threads = if self.threads == 1 { "thread" } else { "threads" };
        let rows = crate::text::grouped(self.rows);
        format!("{rows} rows made in {} s on {} {threads}", crate::text::number(self.seconds), self.threads)
    }
}

/// A table.
#[derive(Clone, Debug, Default, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct TableReport {
    /// Name.
    pub name: String,
    /// What a row is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub about: Option<String>,
    /// Rows looked at.
    pub rows: u64,
    /// What a reader must know beside the figures.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<Note>,
    /// The columns, in order.
    pub columns: Vec<ColumnReport>,
    /// All checks of the table, those of single columns and pairs included, and those that tie it to other tables.
    pub checks: Vec<Check>,
    /// All charts of the table. Those that speak of one column are shown with it. Statistics by group, the matrix of pairs
    /// and the anomalies asked for and found are charts, too: each is shown as a picture and as a table.
    pub charts: Vec<Chart>,
}

/// What a reader must know beside the figures: what was sampled, left out or taken for granted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Note {
    /// In full sentences.
    pub text: String,
    /// Whether it may leave the house.
    pub for_release: bool,
}

impl Note {
    /// Of the data alone.
    pub fn new(text: impl Into<String>) -> Note {
        Note { text: sentence(text.into()), for_release: true }
    }

    /// That tells something of private rows.
    pub fn private(text: impl Into<String>) -> Note {
        Note { text: sentence(text.into()), for_release: false }
    }
}

/// The same, with a capital at the beginning.
fn sentence(text: String) -> String {
    let mut rest = text.chars();
    rest.next().map_or_else(String::new, |first| first.to_uppercase().chain(rest).collect())
}

/// A column.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ColumnReport {
    /// Name.
    pub name: String,
    /// Type, as in the ruleset: `decimal(2)`.
    pub r#type: String,
    /// What it means.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub about: Option<String>,
    /// Statistics.
    pub summary: ColumnSummary,
}

/// Statistics of a column.
#[derive(Clone, Debug, Default, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ColumnSummary {
    /// Rows, those with nulls included.
    pub count: u64,
    /// Of them, nulls.
    pub nulls: u64,
    /// Different values among the others; absent where it was not counted.
    pub distinct: Option<Distinct>,
    /// What the numbers in its statistics are.
    pub measure: Measure,
    /// Of numbers, dates, stamps and durations; absent for other types and where all values are null.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub numbers: Option<NumberSummary>,
    /// Of text: the lengths in characters; absent for other types and where all values are null.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lengths: Option<NumberSummary>,
    /// The most frequent values, by falling count, then by value; for types and columns where that says something.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub top: Vec<Top>,
}

/// How many different values there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Distinct {
    /// How many.
    pub count: u64,
    /// Whether that is a count; else it is an estimate.
    pub exact: bool,
}

/// Statistics of numbers. What does not exist (the spread of one value, the skewness of a constant) is absent.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct NumberSummary {
    /// Least.
    pub min: f64,
    /// Greatest.
    pub max: f64,
    /// Mean.
    pub mean: f64,
    /// Standard deviation, with n - 1.
    pub std: Option<f64>,
    /// Skewness: the third standardised moment.
    pub skewness: Option<f64>,
    /// Excess kurtosis: the fourth standardised moment less 3.
    pub kurtosis: Option<f64>,
    /// Quantiles, by rising probability.
    pub quantiles: Vec<Quantile>,
}

/// A quantile.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Quantile {
    /// Probability, 0 to 1.
    pub p: f64,
    /// The value below which that share of the values lies.
    pub value: f64,
}

/// A frequent value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Top {
    /// The value, as text.
    pub value: String,
    /// How often it occurs.
    pub count: u64,
}

/// What a number in statistics and charts is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Measure {
    /// A number.
    #[default]
    Number,
    /// A share, 0 to 1.
    Share,
    /// A date, in seconds since 1970-01-01.
    Date,
    /// A point in time, in seconds since 1970-01-01 00:00 UTC.
    Datetime,
    /// A length of time, in seconds.
    Duration,
}

impl From<Type> for Measure {
    fn from(ty: Type) -> Measure {
        match ty {
            Type::Bool | Type::Int | Type::Float | Type::Decimal(_) | Type::Text => Measure::Number,
            Type::Date => Measure::Date,
            Type::Datetime => Measure::Datetime,
            Type::Duration => Measure::Duration,
        }
    }
}

/// What is known of privacy.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Privacy {
    /// In words: what is guaranteed to whom, and what is not. Paragraphs.
    pub statement: Vec<String>,
    /// The ledger of releases, and whatever else belongs into a table.
    pub tables: Vec<TextTable>,
}

/// A table of text.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct TextTable {
    /// What it shows.
    pub caption: String,
    /// Titles of the columns.
    pub columns: Vec<String>,
    /// The rows, each with as many cells as there are columns.
    pub rows: Vec<Vec<String>>,
}
