//! From a plan and the rows to figures.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::plan::{Draw, Groups, Item, Measure, NULL, Noise, OTHER, Plan, Query, Z95};
use crate::{Error, Result, Session, Unit, keep_groups};

/// The columns that a plan reads, by name, as text; all of the same length.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Columns {
    columns: BTreeMap<String, Vec<Option<String>>>,
    rows: usize,
}

impl Columns {
    /// Columns with so many rows each.
    pub fn new(rows: usize) -> Columns {
        Columns { columns: BTreeMap::new(), rows }
    }

    /// Adds a column.
    ///
    /// # Errors
    /// When it has another length.
    pub fn add(&mut self, name: impl Into<String>, values: Vec<Option<String>>) -> Result<()> {
        if values.len() != self.rows {
            return Err(Error::Internal("columns differ in length".into()));
        }
        self.columns.insert(name.into(), values);
        Ok(())
    }

    fn column(&self, name: &str) -> Result<&[Option<String>]> {
        self.columns.get(name).map(Vec::as_slice).ok_or_else(|| {
            let known: Vec<String> = self.columns.keys().map(|name| format!("`{name}`")).collect();
            Error::request(
                format!("the table has no column `{name}`"),
                format!("it has {}", known.join(", ")),
            )
        })
    }
}

/// A figure with its error.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Figure {
    /// Values of the columns of groups, then of the bin or the share of a quantile.
    pub keys: Vec<String>,
    /// The figure; none where the noise leaves nothing to say.
    pub value: Option<f64>,
    /// Its standard error, of the noise.
    pub std_error: Option<f64>,
    /// Half the width of an interval that holds what was computed without noise with probability 95 %.
    pub half_width: Option<f64>,
}

/// The figures of a release.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Released {
    /// Name of the release.
    pub name: String,
    /// What it means.
    pub about: Option<String>,
    /// In words: `sum of cost by region`.
    pub title: String,
    /// Names of the keys.
    pub keys: Vec<String>,
    /// What the figure is: `count`, `sum_cost`.
    pub figure: String,
    /// The figures.
    pub figures: Vec<Figure>,
    /// What was done after the noise, and what to keep in mind.
    pub notes: Vec<String>,
}

/// Checks that the columns of a plan are there, and that each row names its unit, so that nothing has to be refused once a
/// session is open.
///
/// # Errors
/// When a column is missing, or the unit of a row is.
pub fn check(plan: &Plan, table: &Columns) -> Result<()> {
    plan.columns().into_iter().try_for_each(|name| table.column(name).map(drop))?;
    units(&plan.unit, table).map(drop)
}

/// Makes the figures of a plan. All of its cost is asked for before a row is looked at.
///
/// # Errors
/// [`Error::Budget`] when it does not fit; when a column is missing, or the unit of a row is; and when charging or drawing
/// fails.
pub fn run(plan: &Plan, session: &mut Session, table: &Columns) -> Result<Vec<Released>> {
    session.require("this release", plan.cost()?)?;
    let rows = Rows::bounded(&plan.unit, table)?;
    let mut all: Vec<Released> = Vec::new();
    for item in &plan.items {
        let mut released = release(item, session, table, &rows)?;
        post_process(item, &mut released, &all);
        all.push(released);
    }
    Ok(all)
}

/// The rows that are left of a table after truncation, with their units.
struct Rows {
    rows: Vec<usize>,
    units: Vec<u64>,
}

impl Rows {
    fn bounded(unit: &Unit, table: &Columns) -> Result<Rows> {
        let units = units(unit, table)?;
        // A row that is its own unit needs no truncation.
        let rows = match unit.column {
            None => (0..table.rows).collect(),
            Some(_) => unit.truncate(&units)?,
        };
        let units = rows.iter().map(|&row| units[row]).collect();
        Ok(Rows { rows, units })
    }
}

/// The number of each row's unit.
fn units(unit: &Unit, table: &Columns) -> Result<Vec<u64>> {
    let Some(name) = &unit.column else { return Ok((0..table.rows as u64).collect()) };
    let column = table.column(name)?;
    let mut numbers: BTreeMap<&str, u64> = BTreeMap::new();
    let mut units = Vec::with_capacity(column.len());
    for value in column {
        let Some(value) = value.as_deref().filter(|value| !value.is_empty()) else {
            return Err(Error::request(
                format!("column `{name}` does not name a unit in every row"),
                "rows without a unit cannot be protected; leave them out of the table, or give each a unit of its own",
            ));
        };
        let next = numbers.len() as u64;
        units.push(*numbers.entry(value).or_insert(next));
    }
    Ok(units)
}

fn release(item: &Item, session: &mut Session, table: &Columns, rows: &Rows) -> Result<Released> {
    let mut released = Released {
        name: item.name.clone(),
        about: item.about.clone(),
        title: item.describe(),
        keys: item.groups.columns().into_iter().map(str::to_owned).collect(),
        figure: String::new(),
        figures: Vec::new(),
        notes: Vec::new(),
    };
    let keys = |columns: &[&str]| -> Result<Vec<Vec<Option<&str>>>> {
        let columns = columns.iter().map(|name| table.column(name)).collect::<Result<Vec<_>>>()?;
        Ok(rows
            .rows
            .iter()
            .map(|&row| columns.iter().map(|column| column[row].as_deref()).collect())
            .collect())
    };
    match &item.groups {
        Groups::Discover(columns) => {
            let columns: Vec<&str> = columns.iter().map(String::as_str).collect();
            let found = discover(item, session, rows, &keys(&columns)?, &mut released)?;
            if item.query == Query::Count {
                let noise = item.draws.first().map_or(Noise::Gaussian(0.0), |draw| draw.noise);
                let figure = |(keys, count)| plain(keys, count, 1.0, noise);
                released.figure = "count".into();
                released.figures = found.keys.into_iter().zip(found.counts).map(figure).collect();
            } else {
                by_group(item, session, table, &found.kept, &found.keys, &mut released)?;
            }
        }
        Groups::Public(columns) => {
            let names: Vec<&str> = columns.iter().map(|(name, _)| name.as_str()).collect();
            let groups: Vec<u64> = keys(&names)?.iter().map(|keys| group_of(columns, keys)).collect();
            // One group is no choice of groups: its rows were bounded already.
            let kept = if columns.is_empty() {
                (0..groups.len()).collect()
            } else {
                keep_groups(session.unit(), &rows.units, &groups)?
            };
            let kept: Vec<(usize, usize)> =
                kept.into_iter().map(|at| (rows.rows[at], groups[at] as usize)).collect();
            let count = item.groups.count().unwrap_or(1);
            let names: Vec<Vec<String>> = (0..count).map(|group| names_of(columns, group)).collect();
            by_group(item, session, table, &kept, &names, &mut released)?;
        }
    }
    Ok(released)
}

/// The number of the group of a row with these values, first column slowest.
fn group_of(columns: &[(String, Vec<String>)], keys: &[Option<&str>]) -> u64 {
    columns.iter().zip(keys).fold(0, |group, ((_, values), key)| {
        let code = match key {
            None => values.len() + 1,
            Some(key) => values.iter().position(|value| value == key).unwrap_or(values.len()),
        };
        group * (values.len() as u64 + 2) + code as u64
    })
}

/// The values that stand for a group's number.
fn names_of(columns: &[(String, Vec<String>)], group: usize) -> Vec<String> {
    let mut rest = group;
    let mut names = Vec::new();
    for (_, values) in columns.iter().rev() {
        let code = rest % (values.len() + 2);
        rest /= values.len() + 2;
        names.push(match values.get(code) {
            Some(value) => value.clone(),
            None => if code == values.len() { OTHER } else { NULL }.to_owned(),
        });
    }
    names.reverse();
    names
}

/// Draws a vector.
fn draw(session: &mut Session, query: &str, values: &[i64], draw: &Draw) -> Result<Vec<i64>> {
    match draw.noise {
        Noise::Gaussian(sigma) => session.gaussian(query, values, draw.sensitivity, sigma),
        Noise::Laplace(scale) => session.laplace(query, values, draw.sensitivity, scale),
        Noise::Threshold(..) => Err(Error::Internal("a threshold on public groups".into())),
    }
}

/// The values of a measure in the rows that are kept, in steps and within its bounds; none for what is no number.
fn steps(of: &Measure, table: &Columns, kept: &[(usize, usize)]) -> Result<Vec<Option<i64>>> {
    let column = table.column(&of.column)?;
    let step = |text: &str| -> Option<i64> {
        let value: f64 = text.trim().parse().ok()?;
        // Infinities are beyond the bounds, and clamped to them as any other value; only NaN is none.
        let steps = (value / of.step).round();
        (!steps.is_nan()).then(|| steps.clamp(of.low as f64, of.high as f64) as i64)
    };
    Ok(kept.iter().map(|&(row, _)| column[row].as_deref().and_then(step)).collect())
}

fn by_group(
    item: &Item,
    session: &mut Session,
    table: &Columns,
    kept: &[(usize, usize)],
    names: &[Vec<String>],
    released: &mut Released,
) -> Result<()> {
    let title = item.describe();
    let groups = names.len();
    let draws = item.figures();
    let Some(first) = draws.first() else { return Ok(()) };
    match &item.query {
        Query::Count => {
            let mut counts = vec![0i64; groups];
            kept.iter().for_each(|&(_, group)| counts[group] += 1);
            let noisy = draw(session, &title, &counts, first)?;
            released.figure = "count".into();
            released.figures =
                names.iter().zip(noisy).map(|(keys, n)| plain(keys.clone(), n, 1.0, first.noise)).collect();
        }
        Query::Sum(of) => {
            let mut sums = vec![0i64; groups];
            for (&(_, group), value) in kept.iter().zip(steps(of, table, kept)?) {
                sums[group] = sums[group].saturating_add(value.unwrap_or(0));
            }
            let noisy = draw(session, &title, &sums, first)?;
            released.figure = format!("sum_{}", of.column);
            released.figures = names
                .iter()
                .zip(noisy)
                .map(|(keys, n)| plain(keys.clone(), n, of.step, first.noise))
                .collect();
        }
        Query::Mean(of) => {
            let (mut sums, mut counts) = (vec![0i64; groups], vec![0i64; groups]);
            for (&(_, group), value) in kept.iter().zip(steps(of, table, kept)?) {
                if let Some(value) = value {
                    sums[group] = sums[group].saturating_add(value - of.centre());
                    counts[group] += 1;
                }
            }
            let second = draws.get(1).unwrap_or(first);
            let sums = draw(session, &format!("{title}: sums less {} each", of.centre()), &sums, first)?;
            let counts = draw(session, &format!("{title}: counts"), &counts, second)?;
            released.figure = format!("mean_{}", of.column);
            released.figures = names
                .iter()
                .zip(sums.into_iter().zip(counts))
                .map(|(keys, (sum, count))| mean(keys.clone(), sum, count, of, first.noise, second.noise))
                .collect();
            released.notes.push(
                "a mean is a noisy sum over a noisy count; where the count is within three standard errors of 0 there is \
                 nothing to say"
                    .into(),
            );
        }
        Query::Histogram(of, bins) => {
            let cells = in_bins(of, bins, table, kept, groups)?;
            let noisy = draw(session, &title, &cells, first)?;
            released.keys.push("bin".into());
            released.figure = "count".into();
            let labels = labels(of, bins);
            for (keys, cells) in names.iter().zip(noisy.chunks(labels.len())) {
                for (label, &count) in labels.iter().zip(cells) {
                    let keys = keys.iter().chain([label]).cloned().collect();
                    released.figures.push(plain(keys, count, 1.0, first.noise));
                }
            }
            released.notes.push("values beyond the outer bounds are counted in the outer bins".into());
        }
        Query::Quantiles(of, bins, shares) => {
            let cells = in_bins(of, bins, table, kept, groups)?;
            let noisy = draw(session, &title, &cells, first)?;
            released.keys.push("quantile".into());
            released.figure = format!("quantile_{}", of.column);
            for (keys, cells) in names.iter().zip(noisy.chunks(bins.len())) {
                for &share in shares {
                    let keys = keys.iter().cloned().chain([super::number(share)]).collect();
                    released.figures.push(quantile(keys, cells, bins, share, of.step, first.noise.std_dev()));
                }
            }
            released.notes.push(
                "quantiles are read off noisy counts in the bins, and are no finer than these; rows without a value are left \
                 out"
                    .into(),
            );
        }
    }
    Ok(())
}

fn plain(keys: Vec<String>, noisy: i64, step: f64, noise: Noise) -> Figure {
    Figure {
        keys,
        value: Some(noisy as f64 * step),
        std_error: Some(noise.std_dev() * step),
        half_width: Some(noise.half_width() * step),
    }
}

/// A mean from a sum of centred values and a count; its error to first order.
fn mean(keys: Vec<String>, sum: i64, count: i64, of: &Measure, noise: Noise, counts: Noise) -> Figure {
    let (sigma_sum, sigma_count) = (noise.std_dev(), counts.std_dev());
    let n = count as f64;
    if n < 3.0 * sigma_count || n < 1.0 {
        return Figure { keys, value: None, std_error: None, half_width: None };
    }
    let offset = sum as f64 / n;
    let value = (of.centre() as f64 + offset).clamp(of.low as f64, of.high as f64);
    let error = (sigma_sum * sigma_sum + offset * offset * sigma_count * sigma_count).sqrt() / n;
    Figure {
        keys,
        value: Some(value * of.step),
        std_error: Some(error * of.step),
        half_width: Some(Z95 * error * of.step),
    }
}

/// Rows in each bin of each group, with one more for no value.
fn in_bins(
    of: &Measure,
    bins: &[i64],
    table: &Columns,
    kept: &[(usize, usize)],
    groups: usize,
) -> Result<Vec<i64>> {
    let cells = groups.checked_mul(bins.len()).filter(|&cells| cells <= 10_000_000).ok_or_else(|| {
        Error::request("more than 10,000,000 bins in all", "take fewer bins, or group by fewer columns")
    })?;
    let mut counts = vec![0i64; cells];
    for (&(_, group), value) in kept.iter().zip(steps(of, table, kept)?) {
        let bin = match value {
            None => bins.len() - 1,
            Some(value) => bins[1..bins.len() - 1].partition_point(|&bound| bound <= value),
        };
        counts[group * bins.len() + bin] += 1;
    }
    Ok(counts)
}

fn labels(of: &Measure, bins: &[i64]) -> Vec<String> {
    let bound = |steps: i64| super::number(steps as f64 * of.step);
    let mut labels: Vec<String> =
        bins.windows(2).map(|pair| format!("{} to {}", bound(pair[0]), bound(pair[1]))).collect();
    labels.push(NULL.to_owned());
    labels
}

/// A quantile from noisy counts in bins: where their running sum passes the share of all. Its interval holds all bounds of
/// bins whose running sum is within what the noise allows, and a bin more on either side.
fn quantile(keys: Vec<String>, cells: &[i64], bins: &[i64], share: f64, step: f64, sigma: f64) -> Figure {
    let counts = &cells[..bins.len() - 1];
    let total: f64 = counts.iter().map(|&count| count as f64).sum();
    let nothing = Figure { keys: keys.clone(), value: None, std_error: None, half_width: None };
    if total < 3.0 * sigma * (counts.len() as f64).sqrt() || total < 1.0 {
        return nothing;
    }
    let wanted = share * total;
    let mut below = 0.0;
    let mut place = None;
    let (mut first, mut last) = (None, None);
    for (bin, &count) in counts.iter().enumerate() {
        let after = below + count as f64;
        if place.is_none() && after >= wanted {
            let inside = if count > 0 { ((wanted - below) / count as f64).clamp(0.0, 1.0) } else { 0.0 };
            place = Some(bins[bin] as f64 + inside * (bins[bin + 1] - bins[bin]) as f64);
        }
        below = after;
        // The running sum less the share of all: the noise of bins below counts 1 - share, of those above -share.
        let (low, high) = ((bin + 1) as f64, (counts.len() - bin - 1) as f64);
        let error = sigma * (low * (1.0 - share) * (1.0 - share) + high * share * share).sqrt();
        if (after - wanted).abs() <= Z95 * error {
            first.get_or_insert(bin);
            last = Some(bin);
        }
    }
    let Some(place) = place else { return nothing };
    let at = bins.partition_point(|&bound| (bound as f64) < place).clamp(1, bins.len() - 1);
    let low = bins[first.unwrap_or(at - 1).min(at - 1)] as f64;
    let high = bins[(last.unwrap_or(at - 1) + 2).max(at).min(bins.len() - 1)] as f64;
    let width = (place - low).max(high - place);
    Figure {
        keys,
        value: Some(place * step),
        std_error: Some(width * step / Z95),
        half_width: Some(width * step),
    }
}

/// What joins the values of a key while it is one text; no value that a CSV file holds is likely to have it, and it is
/// escaped where one has.
const JOIN: char = '\u{1f}';

/// Keys that were found.
struct Found {
    keys: Vec<Vec<String>>,
    /// Their noisy counts.
    counts: Vec<i64>,
    /// The rows that have one of them and are within the unit's bounds, with the number of the key.
    kept: Vec<(usize, usize)>,
}

/// Searches for the keys that enough rows have. What comes out is public, so whatever is released by it afterwards is released
/// by known groups; the rows of all other keys are left out.
fn discover(
    item: &Item,
    session: &mut Session,
    rows: &Rows,
    keys: &[Vec<Option<&str>>],
    released: &mut Released,
) -> Result<Found> {
    let Some(&Draw { noise: Noise::Threshold(sigma, at), .. }) = item.draws.first() else {
        return Err(Error::Internal("unknown keys without a threshold".into()));
    };
    let text = |value: &Option<&str>| match value {
        None => NULL.to_owned(),
        Some(value) => value.replace(JOIN, "\u{fffd}"),
    };
    let joined: Vec<String> = keys
        .iter()
        .map(|values| values.iter().map(text).collect::<Vec<_>>().join(&JOIN.to_string()))
        .collect();
    let mut numbers: BTreeMap<&str, u64> = BTreeMap::new();
    let groups: Vec<u64> = joined
        .iter()
        .map(|key| {
            let next = numbers.len() as u64;
            *numbers.entry(key).or_insert(next)
        })
        .collect();
    let bounded = keep_groups(session.unit(), &rows.units, &groups)?;
    let mut counts: BTreeMap<&str, i64> = BTreeMap::new();
    bounded.iter().for_each(|&row| *counts.entry(&joined[row]).or_default() += 1);
    let counts: Vec<(String, i64)> = counts.into_iter().map(|(key, count)| (key.to_owned(), count)).collect();
    let bounds = session.unit().clone();
    let query = match item.query {
        Query::Count => item.describe(),
        _ => format!("keys for {}", item.describe()),
    };
    let found = session.threshold(&query, &bounds, &counts, sigma, at)?;
    released.notes.push(format!(
        "keys with a noisy count of rows below {at} are left out, and so are keys that do not occur; counts just above it are \
         too large on average"
    ));
    // They come sorted.
    let place = |key: &str| found.binary_search_by(|(other, _)| other.as_str().cmp(key)).ok();
    let kept = bounded.iter().filter_map(|&row| Some((rows.rows[row], place(&joined[row])?))).collect();
    let split = |key: &String| key.split(JOIN).map(str::to_owned).collect();
    Ok(Found {
        keys: found.iter().map(|(key, _)| split(key)).collect(),
        counts: found.iter().map(|(_, count)| *count).collect(),
        kept,
    })
}

/// Makes figures add up to a total, or non-negative, or both, and says so. Costs nothing: it reads figures only.
fn post_process(item: &Item, released: &mut Released, earlier: &[Released]) {
    let total = item
        .sums_to
        .as_ref()
        .and_then(|name| earlier.iter().find(|released| released.name == *name))
        .and_then(|released| released.figures.first());
    let mut values: Vec<f64> = released.figures.iter().map(|figure| figure.value.unwrap_or(0.0)).collect();
    let count = values.len() as f64;
    if let Some(total) = total.and_then(|figure| figure.value) {
        let shift = (total - values.iter().sum::<f64>()) / count;
        values.iter_mut().for_each(|value| *value += shift);
        if item.non_negative {
            to_simplex(&mut values, total.max(0.0));
        }
        released.notes.push(format!(
            "after the noise, the figures were moved to add up to that of `{}`",
            item.sums_to.as_deref().unwrap_or("")
        ));
    } else if item.non_negative {
        values.iter_mut().for_each(|value| *value = value.max(0.0));
    }
    if item.non_negative {
        released.notes.push(
            "after the noise, figures below 0 were set to 0, which makes small ones too large on average"
                .into(),
        );
    }
    // An error is left as it was before: what is moved towards what is known errs less, not more.
    for (figure, value) in released.figures.iter_mut().zip(values) {
        figure.value = figure.value.map(|_| value);
    }
}

/// The nearest point that has no negative part and adds up to `total`.
fn to_simplex(values: &mut [f64], total: f64) {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(|a, b| b.total_cmp(a));
    let (mut sum, mut shift) = (0.0, 0.0);
    for (at, value) in sorted.iter().enumerate() {
        sum += value;
        let candidate = (sum - total) / (at as f64 + 1.0);
        if value - candidate > 0.0 {
            shift = candidate;
        }
    }
    values.iter_mut().for_each(|value| *value = (*value - shift).max(0.0));
}
