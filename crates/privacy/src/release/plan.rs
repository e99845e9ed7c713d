//! From rules to a plan: what is asked of the table, what it costs and how exact it will be, all before a row is read.

use lookalike_ruleset::decode::{NamedItem, Spanned};
use lookalike_ruleset::diagnostic::did_you_mean;
use lookalike_ruleset::{Diagnostic, Problems, Span};

use super::rules::{ColumnRule, NoiseKind, ReleaseRule, Rules, Statistic, UnitRule, Values};
use crate::mechanisms::{gaussian, laplace, threshold};
use crate::{Budget, Cost, Error, Result, Unit, gaussian_sigma, share_out};

/// The key of rows whose value is not among the public ones.
pub const OTHER: &str = "(other)";
/// The key of rows without a value.
pub const NULL: &str = "(null)";
/// Half the width of an interval that holds a normal number with probability 95 %.
pub const Z95: f64 = 1.959_963_984_540_054;
/// Most figures of one release.
const MAX_CELLS: usize = 1_000_000;
/// Largest bound of a value in its steps, so that sums fit.
const MAX_STEPS: f64 = (1u64 << 40) as f64;
/// Delta may not be larger where no number of units is public.
const DELTA_UNBOUND: f64 = 1e-5;

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
    fn size(&self) -> f64 {
        self.low.unsigned_abs().max(self.high.unsigned_abs()) as f64
    }

    /// The largest size of a value less the centre, in steps.
    fn spread(&self) -> f64 {
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
    /// The draws: one, or a mean's sum and count.
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

    /// How exact it will be, in words, before anything is read.
    pub fn expected_error(&self) -> String {
        let width = |draw: &Draw, step: f64| number(draw.noise.half_width() * step);
        match (&self.query, self.draws.as_slice()) {
            (Query::Count, [draw]) => match draw.noise {
                Noise::Threshold(_, at) => {
                    format!("± {} rows; keys with fewer than {at} are left out", width(draw, 1.0))
                }
                _ => format!("± {} rows", width(draw, 1.0)),
            },
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

/// Makes the plan for a budget.
///
/// # Errors
/// None where `problems` got an error; [`Error`] where the budget makes no sense of it.
pub fn plan(rules: &Rules, budget: Budget, problems: &mut Problems) -> Option<Result<Plan>> {
    if rules.lookalike.value.0 != 1 {
        problems.error(
            "bad-language-version",
            rules.lookalike.span,
            format!("version {} of the language", rules.lookalike.value.0),
            "expected `lookalike: 1`",
        );
    }
    let (unit, units_at_most) = unit(rules.unit.as_ref(), problems);
    if rules.releases.0.is_empty() {
        bad(
            Span::default(),
            "nothing is to be released",
            "list at least one release under `releases`",
            problems,
        );
    }
    let asked: Vec<Option<Asked>> =
        rules.releases.0.iter().map(|release| asked(release, rules, problems)).collect();
    for release in &rules.releases.0 {
        sums_to(release, rules, problems);
    }
    if problems.has_errors() {
        return None;
    }
    let asked: Vec<Asked> = asked.into_iter().flatten().collect();
    Some(calibrate(rules, &unit, units_at_most, budget, asked))
}

/// A release before its noise is known.
struct Asked {
    query: Query,
    groups: Groups,
    share: f64,
    noise: NoiseKind,
}

fn bad(span: Span, message: impl Into<String>, help: impl Into<String>, problems: &mut Problems) {
    problems.push(Diagnostic::error("bad-release", span, message).help(help));
}

fn unit(rule: Option<&UnitRule>, problems: &mut Problems) -> (Unit, Option<u64>) {
    let Some(rule) = rule else { return (Unit::row(), None) };
    let mut bound = |bound: &Option<Spanned<lookalike_ruleset::decode::Count>>| -> Option<u32> {
        let bound = bound.as_ref()?;
        match u32::try_from(bound.value.0) {
            Ok(count @ 1..=1_000_000) => Some(count),
            _ => {
                let message = format!("a unit is bounded to {}", bound.value.0);
                bad(bound.span, message, "expected 1 to 1,000,000", problems);
                None
            }
        }
    };
    let (rows, groups, per_group) =
        (bound(&rule.max_rows), bound(&rule.max_groups), bound(&rule.max_rows_per_group));
    let at_most = rule.at_most.as_ref().map(|count| count.value.0);
    let Some(column) = &rule.column else {
        for (bound, name) in [
            (&rule.max_rows, "max_rows"),
            (&rule.max_groups, "max_groups"),
            (&rule.max_rows_per_group, "max_rows_per_group"),
        ] {
            if let Some(bound) = bound {
                let message = format!("`{name}` without a `column`");
                bad(bound.span, message, "where a row is the unit, it is one row in one group", problems);
            }
        }
        return (Unit::row(), at_most);
    };
    let Some(rows) = rows else {
        if rule.max_rows.is_none() {
            bad(
                column.span,
                format!("no bound on the rows of one `{}`", column.value),
                "add `max_rows`, from what is known in public: one unit may otherwise change the figures by any amount",
                problems,
            );
        }
        return (Unit::row(), at_most);
    };
    let unit = Unit {
        column: Some(column.value.clone()),
        max_rows: rows,
        max_groups: groups,
        max_rows_per_group: per_group,
    };
    (unit, at_most)
}

fn column<'a>(
    name: &Spanned<String>,
    rules: &'a Rules,
    needs: &str,
    problems: &mut Problems,
) -> Option<&'a ColumnRule> {
    match rules.columns.find(&name.value) {
        Some(item) => Some(&item.value),
        None => {
            let help = format!(
                "say under `columns` what is public of it: {needs}; {}",
                did_you_mean(&name.value, "columns", rules.columns.names())
            );
            bad(name.span, format!("nothing is said of column `{}`", name.value), help, problems);
            None
        }
    }
}

fn asked(release: &NamedItem<ReleaseRule>, rules: &Rules, problems: &mut Problems) -> Option<Asked> {
    let rule = &release.value;
    let name_is_plain = release.name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'));
    if !name_is_plain {
        bad(
            release.name_span,
            format!("release `{}` cannot name a file", release.name),
            "letters, digits, `-` and `_` are allowed",
            problems,
        );
    }
    let groups = groups(rule, rules, problems);
    let statistic = rule.statistic.value;
    let measure = match (&rule.of, statistic) {
        (None, Statistic::Count) => None,
        (Some(of), Statistic::Count) => {
            bad(of.span, "a count is of rows", "leave `of` out", problems);
            return None;
        }
        (None, _) => {
            bad(release.span, "the column is missing", "add `of: column`", problems);
            return None;
        }
        (Some(of), _) => Some(measure(of, rules, problems)?),
    };
    let bins = |measure: &Measure, problems: &mut Problems| bins(rule, release.span, measure, problems);
    let query = match (statistic, measure) {
        (Statistic::Sum, Some(of)) => Query::Sum(of),
        (Statistic::Mean, Some(of)) => Query::Mean(of),
        (Statistic::Histogram, Some(of)) => {
            let bins = bins(&of, problems)?;
            Query::Histogram(of, bins)
        }
        (Statistic::Quantiles, Some(of)) => {
            let bins = bins(&of, problems)?;
            Query::Quantiles(of, bins, rule.at.iter().map(|share| share.0).collect())
        }
        _ => Query::Count,
    };
    let groups = groups?;
    if matches!(groups, Groups::Discover(_)) && !(query == Query::Count && rule.noise == NoiseKind::Gaussian)
    {
        bad(
            release.span,
            "by unknown keys only counts with Gaussian noise are released",
            "release the counts first; the keys that come out are public then, and can be listed under `values`",
            problems,
        );
        return None;
    }
    if rule.noise == NoiseKind::Laplace && matches!(query, Query::Quantiles(..) | Query::Mean(_)) {
        bad(
            release.span,
            "means and quantiles are released with Gaussian noise",
            "leave `noise` out",
            problems,
        );
        return None;
    }
    if matches!(groups, Groups::Public(_)) && groups.count().is_none() {
        bad(release.span, format!("more than {MAX_CELLS} groups"), "group by fewer columns", problems);
        return None;
    }
    let post = rule.non_negative || rule.sums_to.is_some();
    if post && matches!(query, Query::Mean(_) | Query::Quantiles(..)) {
        bad(
            release.span,
            "only counts, histograms and sums can be made non-negative or add up",
            "leave it out",
            problems,
        );
        return None;
    }
    Some(Asked { query, groups, share: rule.share.0, noise: rule.noise })
}

fn groups(rule: &ReleaseRule, rules: &Rules, problems: &mut Problems) -> Option<Groups> {
    let mut public = Vec::new();
    let mut discover = false;
    let mut complete = true;
    for by in &rule.by {
        let Some(column) = column(by, rules, "`values: [...]`", problems) else {
            complete = false;
            continue;
        };
        match column.values.as_ref().map(|values| &values.value) {
            None => {
                bad(
                    by.span,
                    format!("the values of column `{}` are not public", by.value),
                    "list under `values` what everybody knows that it can hold, or write `values: discover` to pay for \
                     finding out",
                    problems,
                );
                complete = false;
            }
            Some(Values::Discover) => {
                discover = true;
                public.push((by.value.clone(), Vec::new()));
            }
            Some(Values::Public(values)) => {
                let mut sorted = values.clone();
                sorted.sort_unstable();
                sorted.dedup();
                if sorted.len() < values.len() || values.iter().any(|v| v == OTHER || v == NULL) {
                    bad(
                        by.span,
                        format!("a value of `{}` is listed twice, or is {OTHER} or {NULL}", by.value),
                        "list each value once; these two are always there",
                        problems,
                    );
                    complete = false;
                }
                public.push((by.value.clone(), values.clone()));
            }
        }
    }
    complete.then(|| {
        if discover {
            Groups::Discover(public.into_iter().map(|(name, _)| name).collect())
        } else {
            Groups::Public(public)
        }
    })
}

fn measure(of: &Spanned<String>, rules: &Rules, problems: &mut Problems) -> Option<Measure> {
    let column = column(of, rules, "`min`, `max` and `step`", problems)?;
    let (Some(min), Some(max)) = (&column.min, &column.max) else {
        bad(
            of.span,
            format!("no bounds of column `{}`", of.value),
            "add `min` and `max` under `columns`, from what everybody knows: a single value may otherwise change the figure \
             by any amount",
            problems,
        );
        return None;
    };
    let step = column.step.0;
    let steps = |value: f64| value / step;
    let (low, high) = (steps(min.value.0), steps(max.value.0));
    if low >= high || low.abs() > MAX_STEPS || high.abs() > MAX_STEPS {
        bad(
            max.span,
            format!("column `{}` is bounded from {} to {}", of.value, min.value.0, max.value.0),
            "expected `min` below `max`, and both within 2^40 steps",
            problems,
        );
        return None;
    }
    let measure =
        Measure { column: of.value.clone(), low: low.round() as i64, high: high.round() as i64, step };
    if measure.low >= measure.high {
        bad(max.span, "the bounds are less than a step apart", "take a smaller `step`", problems);
        return None;
    }
    Some(measure)
}

fn bins(rule: &ReleaseRule, span: Span, of: &Measure, problems: &mut Problems) -> Option<Vec<i64>> {
    match &rule.bins {
        None if rule.statistic.value == Statistic::Histogram => {
            bad(span, "a histogram needs bins", "add `bins: [0, 10, 100]`, the bounds of the bins", problems);
            None
        }
        None => {
            let width = of.high - of.low;
            let count = width.min(64);
            Some((0..=count).map(|at| of.low + (width as i128 * at as i128 / count as i128) as i64).collect())
        }
        Some(bins) => {
            let steps: Vec<i64> = bins.value.iter().map(|bound| (bound.0 / of.step).round() as i64).collect();
            if steps.len() < 2 || steps.len() > 10_001 || steps.windows(2).any(|pair| pair[0] >= pair[1]) {
                bad(
                    bins.span,
                    "the bounds of the bins do not rise",
                    "expected 2 to 10,001 numbers, each at least a step above the one before",
                    problems,
                );
                return None;
            }
            Some(steps)
        }
    }
}

fn sums_to(release: &NamedItem<ReleaseRule>, rules: &Rules, problems: &mut Problems) {
    let Some(total) = &release.value.sums_to else { return };
    let rule = &release.value;
    let place = |name: &str| rules.releases.names().position(|other| other == name);
    let same = |other: &ReleaseRule| match rule.statistic.value {
        Statistic::Sum => {
            other.statistic.value == Statistic::Sum
                && other.of.as_ref().map(|of| &of.value) == rule.of.as_ref().map(|of| &of.value)
        }
        _ => other.statistic.value == Statistic::Count,
    };
    match rules.releases.find(&total.value) {
        None => {
            let help = did_you_mean(&total.value, "releases", rules.releases.names());
            bad(total.span, format!("there is no release `{}`", total.value), help, problems);
        }
        Some(other)
            if other.value.by.is_empty()
                && same(&other.value)
                && place(&total.value) < place(&release.name) => {}
        Some(_) => bad(
            total.span,
            format!("`{}` cannot add up to `{}`", release.name, total.value),
            "expected a release of the same statistic without `by`, listed before this one",
            problems,
        ),
    }
}

/// Shares the budget out, and finds the noise of each release.
fn calibrate(
    rules: &Rules,
    unit: &Unit,
    units_at_most: Option<u64>,
    budget: Budget,
    asked: Vec<Asked>,
) -> Result<Plan> {
    held_against_units(budget, units_at_most)?;
    let limit = budget.cost()?;
    let keyed = asked.iter().filter(|asked| matches!(asked.groups, Groups::Discover(_))).count();
    if keyed > 0 && limit.delta <= 0.0 {
        return Err(Error::request(
            "keys are to be discovered, but no part of delta is set aside for it",
            "set some aside with --threshold-delta",
        ));
    }
    // A mean is two draws of equal cost.
    let weights: Vec<f64> = asked
        .iter()
        .flat_map(|asked| match asked.query {
            Query::Mean(_) => vec![asked.share / 2.0; 2],
            _ => vec![asked.share],
        })
        .collect();
    let mut shares = share_out(limit.rho, &weights).into_iter();
    let deltas = share_out(limit.delta, &vec![1.0; keyed.max(1)]);
    let mut items = Vec::new();
    for (asked, release) in asked.into_iter().zip(&rules.releases.0) {
        let mut next = || shares.next().ok_or_else(|| Error::Internal("a share is missing".into()));
        let single = asked.groups.columns().is_empty();
        // Without groups there is one cell, which all k rows can be in; bounds by group are then of no use.
        let (l1, l2) =
            if single { (f64::from(unit.k()), f64::from(unit.k())) } else { (unit.l1(), unit.l2()) };
        let noisy = |rho: f64, size: f64| -> Result<Draw> {
            match asked.noise {
                NoiseKind::Gaussian => {
                    let sensitivity = size * l2;
                    let sigma = gaussian_sigma(rho, sensitivity)?;
                    Ok(Draw {
                        sensitivity,
                        noise: Noise::Gaussian(sigma),
                        cost: gaussian::cost(sigma, sensitivity)?,
                    })
                }
                NoiseKind::Laplace => {
                    let sensitivity = size * l1;
                    let scale = laplace::scale(rho, sensitivity)?;
                    Ok(Draw {
                        sensitivity,
                        noise: Noise::Laplace(scale),
                        cost: laplace::cost(scale, sensitivity)?,
                    })
                }
            }
        };
        let draws = match (&asked.query, &asked.groups) {
            (Query::Count, Groups::Discover(_)) => {
                let (sigma, at) = threshold::calibrate(unit, Cost { rho: next()?, delta: deltas[0] })?;
                vec![Draw {
                    sensitivity: l2,
                    noise: Noise::Threshold(sigma, at),
                    cost: threshold::cost(unit, sigma, at)?,
                }]
            }
            (Query::Sum(of), _) => vec![noisy(next()?, of.size())?],
            (Query::Mean(of), _) => vec![noisy(next()?, of.spread())?, noisy(next()?, 1.0)?],
            _ => vec![noisy(next()?, 1.0)?],
        };
        let item = Item {
            name: release.name.clone(),
            about: release.value.about.clone(),
            query: asked.query,
            groups: asked.groups,
            draws,
            non_negative: release.value.non_negative,
            sums_to: release.value.sums_to.as_ref().map(|total| total.value.clone()),
        };
        says_something(&item, unit, units_at_most, budget)?;
        items.push(item);
    }
    Ok(Plan {
        table: rules.table.as_ref().map(|name| name.value.clone()),
        about: rules.about.clone(),
        unit: unit.clone(),
        units_at_most,
        unit_about: rules.unit.as_ref().and_then(|unit| unit.about.clone()),
        budget,
        items,
    })
}

/// Delta is the probability of a failure that may be total, so it has to be far below one over the number of units. That
/// number is private; what is compared is a public bound, or one that suits most tables.
fn held_against_units(budget: Budget, units_at_most: Option<u64>) -> Result<()> {
    match units_at_most {
        Some(units) if budget.delta * units as f64 >= 1.0 => Err(Error::request(
            format!(
                "delta {:e} is not below one over the number of units, which is at most {units}",
                budget.delta
            ),
            "with such a delta one unit's rows could be published as they are; 1e-6 suits most tables. The number of units \
             is taken from `at_most` in the rules, never counted",
        )),
        None if budget.delta > DELTA_UNBOUND => Err(Error::request(
            format!(
                "delta {:e} is above {DELTA_UNBOUND:e}, and nothing public says how many units there are",
                budget.delta
            ),
            "take a smaller delta; or add `at_most` under `unit`, a number that everybody knows. The rows are not counted \
             for this",
        )),
        _ => Ok(()),
    }
}

/// Refuses a count whose noise is larger than the whole table can be, as far as that is public.
fn says_something(item: &Item, unit: &Unit, units_at_most: Option<u64>, budget: Budget) -> Result<()> {
    let (Some(units), Some(draw)) = (units_at_most, item.draws.last()) else { return Ok(()) };
    let most = units as f64 * f64::from(unit.k());
    let width = draw.noise.half_width()
        * match &item.query {
            Query::Sum(of) => 1.0 / of.size(),
            _ => 1.0,
        };
    if width >= most {
        return Err(Error::request(
            format!(
                "epsilon {} is too small to say anything: the noise of `{}` is {} where the whole table holds at most {} rows",
                budget.epsilon,
                item.name,
                item.expected_error(),
                number(most)
            ),
            "spend more on it, release less, or bound a unit's rows more tightly",
        ));
    }
    Ok(())
}
