//! What a sample of rows shows over time: how many rows there are, and what goes with the time or its cycles.

use lookalike_ruleset::Type;

use super::sample::{CHARTS, Sample, Side, explained_by};
use crate::charts::{Axis, Chart, Profile, Series};
use crate::cycles::{Cycle, steps, within};
use crate::model::Measure;

/// Rows, at least, that tell something about time.
const ROWS: usize = 100;
/// Steps of time at most, and rows that each has on average at least.
const STEPS: (usize, usize) = (60, 20);
/// Of a number's ranks, so much must be explained by the time, or by its place in a cycle, to be worth a chart.
const EXPLAINED: f64 = 0.1;
/// Seconds of a day.
const DAY: f64 = 86_400.0;

/// Rows in groups that follow each other.
struct Groups {
    /// Of each row; none for nulls.
    codes: Vec<Option<u32>>,
    count: usize,
}

impl Groups {
    /// The share of rows in each group.
    fn shares(&self) -> Vec<Option<f64>> {
        let mut counts = vec![0u64; self.count];
        self.codes.iter().flatten().for_each(|code| counts[*code as usize] += 1);
        let all = counts.iter().sum::<u64>().max(1) as f64;
        counts.into_iter().map(|count| Some(count as f64 / all)).collect()
    }

    /// The mean of the numbers in each group; none where there are none.
    fn means(&self, numbers: &[f64]) -> Vec<Option<f64>> {
        let mut sums = vec![(0.0f64, 0u64); self.count];
        for (number, code) in numbers.iter().zip(&self.codes) {
            if let Some(code) = code.filter(|_| !number.is_nan()) {
                let (sum, count) = &mut sums[code as usize];
                (*sum, *count) = (*sum + number, *count + 1);
            }
        }
        sums.into_iter().map(|(sum, count)| (count > 0).then(|| sum / count as f64)).collect()
    }
}

/// A column of times.
struct Times<'a> {
    side: &'a Side<'a>,
    edges: Vec<f64>,
    steps: Groups,
    cycles: Vec<(Cycle, Groups)>,
}

impl<'a> Times<'a> {
    /// None for other columns, and where too few rows have a time.
    fn of(side: &'a Side<'a>) -> Option<Times<'a>> {
        if !matches!(side.field.ty, Type::Date | Type::Datetime) {
            return None;
        }
        let times = side.numbers?;
        let known = || times.iter().copied().filter(|time| !time.is_nan());
        let n = known().count();
        let (low, high) =
            known().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), x| (low.min(x), high.max(x)));
        if n < ROWS || low >= high {
            return None;
        }
        let wanted = (n / STEPS.1).clamp(2, STEPS.0);
        let edges = steps(low, high, wanted, (side.field.ty == Type::Date).then_some(DAY));
        let count = edges.len() - 1;
        let steps = |time: f64| edges[1..count].partition_point(|edge| *edge <= time);
        let group = |count: usize, code: &dyn Fn(f64) -> usize| {
            let code = |time: &f64| (!time.is_nan()).then(|| code(*time).min(count - 1) as u32);
            Groups { codes: times.iter().map(code).collect(), count }
        };
        let cycles = within((high - low) / DAY, side.field.ty == Type::Datetime);
        let cycles = cycles.map(|cycle| (cycle, group(cycle.places(), &|time| cycle.place(time / DAY))));
        Some(Times { side, steps: group(count, &steps), cycles: cycles.collect(), edges })
    }

    fn chart(
        &self,
        title: &str,
        columns: &[&str],
        value: Axis,
        of: &dyn Fn(&Groups) -> Vec<Option<f64>>,
    ) -> Chart {
        let profile = |(cycle, groups): &(Cycle, Groups)| Profile {
            cycle: cycle.name().to_owned(),
            labels: (0..cycle.places()).map(|at| cycle.label(at)).collect(),
            values: of(groups),
            ..Profile::default()
        };
        let series = Series {
            time: Axis::of(&self.side.field.name, Measure::from(self.side.field.ty)),
            value,
            edges: self.edges.clone(),
            values: of(&self.steps),
            reference: Vec::new(),
            profiles: self.cycles.iter().map(profile).collect(),
        };
        Chart::new(title, columns.iter().copied(), series)
    }

    /// How much of a number's ranks the time explains, by its steps or by a cycle.
    fn explains(&self, number: &Side<'_>) -> f64 {
        let groups = std::iter::once(&self.steps).chain(self.cycles.iter().map(|(_, groups)| groups));
        groups.map(|groups| explained_by(&number.ranks, &groups.codes, groups.count)).fold(0.0, f64::max)
    }
}

impl Sample {
    /// Columns of times, but for those that are `timed` already, and numbers with the time that tells most of them.
    pub(super) fn over_time(&self, sides: &[Side<'_>], timed: &[&str]) -> Vec<Chart> {
        let times: Vec<Times<'_>> = sides.iter().filter_map(Times::of).collect();
        let alone = times
            .iter()
            .filter(|times| !times.cycles.is_empty() && !timed.contains(&times.side.field.name.as_str()));
        let mut charts: Vec<Chart> = alone
            .take(CHARTS)
            .map(|times| {
                let name = times.side.field.name.as_str();
                let value = Axis::of("share of the rows", Measure::Share);
                times.chart(&format!("{name} over time"), &[name], value, &Groups::shares)
            })
            .collect();
        let mut found: Vec<(f64, usize, usize)> = Vec::new();
        for (at, number) in sides.iter().enumerate() {
            if number.numbers.is_none() || matches!(number.field.ty, Type::Date | Type::Datetime) {
                continue;
            }
            let best = times
                .iter()
                .enumerate()
                .map(|(time, times)| (times.explains(number), at, time))
                .fold((0.0, at, 0), |best, next| if next.0 > best.0 { next } else { best });
            if best.0 >= EXPLAINED {
                found.push(best);
            }
        }
        found.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        found.truncate(CHARTS);
        found.sort_by_key(|(_, at, _)| *at);
        charts.extend(found.into_iter().map(|(_, at, time)| {
            let (number, times) = (&sides[at], &times[time]);
            let (name, by) = (number.field.name.as_str(), times.side.field.name.as_str());
            let value = Axis::of(format!("mean of {name}"), number.field.ty.into());
            let numbers = number.numbers.unwrap_or_default();
            times.chart(&format!("{name} over {by}"), &[name, by], value, &|groups| groups.means(numbers))
        }));
        charts
    }
}

#[cfg(test)]
mod tests {
    use lookalike_ruleset::Field;
    use polars::prelude::{Column, DataFrame, DataType, NamedFrom, Series as Values, TimeUnit};

    use super::*;
    use crate::charts::ChartData;

    /// Stamps, and numbers that follow from the number of the row.
    fn charts(n: i64, step: i64, number: impl Fn(i64) -> f64, timed: &[&str]) -> Vec<Chart> {
        let stamps = Values::new("at".into(), (0..n).map(|row| row * step * 1_000_000).collect::<Vec<_>>());
        let stamps = stamps.cast(&DataType::Datetime(TimeUnit::Microseconds, None)).unwrap();
        let numbers = Values::new("load".into(), (0..n).map(number).collect::<Vec<_>>());
        let columns: Vec<Column> = vec![stamps.into(), numbers.into()];
        let frame = DataFrame::new(n as usize, columns).unwrap();
        let field = |name: &str, ty| Field {
            name: name.into(),
            ty,
            nullable: true,
            plain: false,
            json: false,
            about: None,
        };
        let fields = [field("at", Type::Datetime), field("load", Type::Float)];
        let sample = Sample::of(&fields, &frame, 0, n as u64).unwrap();
        let charts = sample.charts(&fields, None, timed, n as u64);
        charts.into_iter().filter(|chart| matches!(chart.data, ChartData::Series(_))).collect()
    }

    #[test]
    fn numbers_with_a_season_are_drawn_over_time() {
        let day = |row: i64| 100.0 + 20.0 * ((row % 24) as f64 / 24.0 * std::f64::consts::TAU).sin();
        let found = charts(24 * 40, 3600, day, &["at"]);
        let [Chart { title, data: ChartData::Series(series), .. }] = found.as_slice() else {
            panic!("{found:?}")
        };
        assert_eq!(title, "load over at");
        let hours = &series.profiles[0];
        assert_eq!((hours.cycle.as_str(), hours.values.len()), ("hour of the day (UTC)", 24));
        assert!(
            (hours.values[6].unwrap() - 120.0).abs() < 1e-9
                && (hours.values[18].unwrap() - 80.0).abs() < 1e-9
        );
        assert_eq!(series.values.len() + 1, series.edges.len());
        assert!(series.values.iter().all(Option::is_some));
    }

    #[test]
    fn what_has_nothing_to_do_with_the_time_is_not() {
        let hash = |row: i64| crate::cells::hash_word(row as u64, 1) as f64;
        assert!(charts(2000, 3600, hash, &["at"]).is_empty());
        // The rows themselves, unless they are drawn already.
        let found = charts(2000, 3600, hash, &[]);
        let [Chart { title, data: ChartData::Series(series), .. }] = found.as_slice() else {
            panic!("{found:?}")
        };
        assert_eq!(title, "at over time");
        assert!((series.values.iter().flatten().sum::<f64>() - 1.0).abs() < 1e-9);
        assert!(charts(50, 3600, |row| row as f64, &[]).is_empty(), "too few rows");
    }
}
