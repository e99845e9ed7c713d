//! A plan: what is asked of a table, what it costs and how exact it will be, all before a row is read.

use crate::mechanisms::laplace;
use crate::{Budget, Cost, Result, Unit};

/// The key of rows whose value is not among the public ones.
pub const OTHER: &str = "(other)";
/// The key of rows without a value.
pub const NULL: &str = "(null)";
/// Half the width of an interval that holds a normal number with probability 95 %.
pub const Z95: f64 = 1.959_963_984_540_054;
/// Most figures of one release.
pub(super) const MAX_CELLS: usize = 1_000_000;

/// A column of numbers as it is counted: clamped, and in whole steps.
#[derive(Clone, Debug, PartialEq)]
pub struct Measure {
    /// The column.
    pub column: String,
    /// Least value, in steps.
    pub low: i64,
    /// Greatest value, in steps.
    pub high: i64,
    /// A step.
    pub step: f64,
}

impl Measure {
    /// What is subtracted before values are added up for a mean, in steps.
    pub fn centre(&self) -> i64 {
        self.low + (self.high - self.low) / 2
    }

    /// The largest size of a value, in steps.
    pub(super) fn size(&self) -> f64 {
        self.low.unsigned_abs().max(self.high.unsigned_abs()) as f64
    }

    /// The largest size of a value less the centre, in steps.
    pub(super) fn spread(&self) -> f64 {
        (self.high - self.centre()).max(self.centre() - self.low) as f64
    }
}

/// The groups of a release.
#[derive(Clone, Debug, PartialEq)]
pub enum Groups {
    /// All combinations of these values, with one key more each for other values and for none.
    Public(Vec<(String, Vec<String>)>),
    /// What the rows hold in these columns.
    Discover(Vec<String>),
}

impl Groups {
    /// The columns.
    pub fn columns(&self) -> Vec<&str> {
        match self {
            Groups::Public(columns) => columns.iter().map(|(name, _)| name.as_str()).collect(),
            Groups::Discover(columns) => columns.iter().map(String::as_str).collect(),
        }
    }

    /// How many groups there are, where that is public.
    pub fn count(&self) -> Option<usize> {
        match self {
            Groups::Public(columns) => columns
                .iter()
                .try_fold(1usize, |count, (_, values)| count.checked_mul(values.len() + 2))
                .filter(|count| *count <= MAX_CELLS),
            Groups::Discover(_) => None,
        }
    }
}

/// What is asked of the table.
#[derive(Clone, Debug, PartialEq)]
pub enum Query {
    /// Rows in each group.
    Count,
    /// The sum in each group.
    Sum(Measure),
    /// The mean in each group.
    Mean(Measure),
    /// Rows in each bin of each group; bounds in steps.
    Histogram(Measure, Vec<i64>),
    /// Quantiles in each group, from such a histogram.
    Quantiles(Measure, Vec<i64>, Vec<f64>),
}

/// The noise of a release.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Noise {
    /// Gaussian, with this standard deviation in steps.
    Gaussian(f64),
    /// Laplace, with this scale in steps.
    Laplace(f64),
    /// Gaussian, and only counts of at least this much are told.
    Threshold(f64, i64),
}

impl Noise {
    /// Its standard deviation, in steps.
    pub fn std_dev(self) -> f64 {
        match self {
            Noise::Gaussian(sigma) | Noise::Threshold(sigma, _) => sigma,
            Noise::Laplace(scale) => laplace::std_dev(scale),
        }
    }

    /// Half the width of an interval that holds it with probability 95 %, in steps.
    pub fn half_width(self) -> f64 {
        match self {
            Noise::Gaussian(sigma) | Noise::Threshold(sigma, _) => Z95 * sigma,
            // A Laplace number exceeds b ln 20 in size with probability 5 %; the lattice adds less than a step.
            Noise::Laplace(scale) => scale * libm::log(20.0) + 1.0,
        }
    }
}

/// A part of a release that is drawn at once: a vector of whole numbers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Draw {
    /// How far a unit moves it, in the norm of its noise and in steps.
    pub sensitivity: f64,
    /// Its noise.
    pub noise: Noise,
    /// Its cost.
    pub cost: Cost,
}

/// A release, as it will be made.
#[derive(Clone, Debug, PartialEq)]
pub struct Item {
    /// Its name.
    pub name: String,
    /// What it means.
    pub about: Option<String>,
    /// What is asked.
    pub query: Query,
    /// Of which groups.
    pub groups: Groups,
    /// The draws: one, or a mean's sum and count; where keys are discovered, the search for them goes first, and a count
    /// needs no more.
    pub draws: Vec<Draw>,
    /// Figures below 0 are set to 0.
    pub non_negative: bool,
    /// Figures are moved to add up to this release's.
    pub sums_to: Option<String>,
}

impl Item {
    /// In words: `sum of cost by region`.
    pub fn describe(&self) -> String {
        let mut text = match &self.query {
            Query::Count => "count of rows".to_owned(),
            Query::Sum(of) => format!("sum of {}", of.column),
            Query::Mean(of) => format!("mean of {}", of.column),
            Query::Histogram(of, _) => format!("histogram of {}", of.column),
            Query::Quantiles(of, ..) => format!("quantiles of {}", of.column),
        };
        let by = self.groups.columns();
        if !by.is_empty() {
            text.push_str(&format!(" by {}", by.join(", ")));
        }
        text
    }

    /// Which noisy count of rows a key must have to be told, where keys are discovered.
    pub fn threshold(&self) -> Option<i64> {
        match self.draws.first()?.noise {
            Noise::Threshold(_, at) => Some(at),
            _ => None,
        }
    }

    /// The draws that figures are made of.
    pub fn figures(&self) -> &[Draw] {
        match self.draws.as_slice() {
            [search, rest @ ..] if matches!(search.noise, Noise::Threshold(..)) && !rest.is_empty() => rest,
            all => all,
        }
    }

    /// How exact it will be, in words, before anything is read.
    pub fn expected_error(&self) -> String {
        let error = self.error_of_figures();
        match self.threshold() {
            Some(at) => format!("{error}; keys with fewer than {at} rows are left out"),
            None => error,
        }
    }

    fn error_of_figures(&self) -> String {
        let width = |draw: &Draw, step: f64| number(draw.noise.half_width() * step);
        match (&self.query, self.figures()) {
            (Query::Count, [draw]) => format!("± {} rows", width(draw, 1.0)),
            (Query::Sum(of), [draw]) => format!("± {}", width(draw, of.step)),
            (Query::Mean(of), [sum, _]) => {
                format!("± {} over the group's number of rows", width(sum, of.step))
            }
            (Query::Histogram(..), [draw]) => format!("± {} rows in a bin", width(draw, 1.0)),
            (Query::Quantiles(_, bins, _), [draw]) => {
                let rank = draw.noise.std_dev() * Z95 * (bins.len() as f64).sqrt() / 2.0;
                format!("about ± {} rows in rank at the median", number(rank))
            }
            _ => String::new(),
        }
    }

    /// What it costs.
    ///
    /// # Errors
    /// When a cost is no number.
    pub fn cost(&self) -> Result<Cost> {
        Cost::sum(self.draws.iter().map(|draw| draw.cost))
    }
}

/// What is released of a table.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// Name of the table, where the budget belongs to a name.
    pub table: Option<String>,
    /// What the release is for.
    pub about: Option<String>,
    /// Whom the promise is made to.
    pub unit: Unit,
    /// How many units there are at most, as is known to everybody.
    pub units_at_most: Option<u64>,
    /// Where the bounds of the unit come from.
    pub unit_about: Option<String>,
    /// The budget.
    pub budget: Budget,
    /// The releases.
    pub items: Vec<Item>,
}

impl Plan {
    /// What all of it costs.
    ///
    /// # Errors
    /// When a cost is no number.
    pub fn cost(&self) -> Result<Cost> {
        Cost::sum(self.items.iter().flat_map(|item| item.draws.iter().map(|draw| draw.cost)))
    }

    /// The columns that are read, each once.
    pub fn columns(&self) -> Vec<&str> {
        let mut columns: Vec<&str> = self.unit.column.as_deref().into_iter().collect();
        for item in &self.items {
            columns.extend(item.groups.columns());
            columns.extend(match &item.query {
                Query::Count => None,
                Query::Sum(of) | Query::Mean(of) => Some(of.column.as_str()),
                Query::Histogram(of, _) | Query::Quantiles(of, ..) => Some(of.column.as_str()),
            });
        }
        columns.sort_unstable();
        columns.dedup();
        columns
    }

    /// What is taken as known to everybody, in words.
    pub fn public(&self) -> Vec<String> {
        let mut lines = vec!["the names of the columns".to_owned()];
        let mut add = |line: String| {
            if !lines.contains(&line) {
                lines.push(line);
            }
        };
        if self.unit.column.is_some() {
            let why = self.unit_about.as_ref().map_or(String::new(), |about| format!(" ({about})"));
            add(format!("the bounds on what a unit contributes: {}{why}", self.unit.describe()));
        }
        if let Some(units) = self.units_at_most {
            add(format!("that there are at most {units} units"));
        }
        for item in &self.items {
            if let Groups::Public(columns) = &item.groups {
                for (column, values) in columns {
                    add(format!("the {} values of `{column}` in the rules", values.len()));
                }
            }
            let (of, bins) = match &item.query {
                Query::Count => continue,
                Query::Sum(of) | Query::Mean(of) => (of, None),
                Query::Histogram(of, bins) | Query::Quantiles(of, bins, _) => (of, Some(bins)),
            };
            add(format!(
                "the bounds {} to {} and the step {} of `{}`",
                number(of.low as f64 * of.step),
                number(of.high as f64 * of.step),
                of.step,
                of.column
            ));
            if let Some(bins) = bins {
                add(format!("the {} bins of `{}`", bins.len() - 1, item.name));
            }
        }
        lines
    }

    /// What the promise does not cover, in words.
    pub fn not_counted(&self) -> Vec<String> {
        let mut lines = vec![
            "error bars cover the noise; not what bounds cut off: values beyond them, and rows of a unit beyond its share"
                .to_owned(),
            "the time that a run takes".to_owned(),
            "whatever was published of the same units elsewhere".to_owned(),
        ];
        if self.unit.column.is_none() {
            lines.push(
                "that several rows may be about the same person: the promise is to each row alone".into(),
            );
        }
        lines
    }
}

/// A number for readers: four digits that count.
pub fn number(value: f64) -> String {
    if value == 0.0 || !value.is_finite() {
        return format!("{value}");
    }
    let digits = 3 - libm::floor(libm::log10(value.abs())) as i32;
    let text = format!("{:.*}", digits.clamp(0, 12) as usize, value);
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}
