//! Pictures of a column beside its reference, from the values that are compared.

use lookalike_ruleset::Type;

use crate::charts::{Axis, Bar, Bars, Chart, Ecdf, EcdfPoint, Histogram, Profile, Series};
use crate::cycles::{in_days, steps, within};
use crate::model::Measure;
use crate::statistics::{Numbers, scale};

use super::Role;
use super::columns::Sides;

/// Columns that fail a check, and others, of which each so many are drawn.
pub(crate) const COLUMNS: usize = 60;

/// Points of a distribution function.
const POINTS: usize = 200;

/// Bars of a chart.
const BARS: usize = 24;

/// Steps of time.
const STEPS: usize = 60;

/// A column as it is in the data and in the reference; nothing for ids, and where either side has no values.
pub(crate) fn charts(name: &str, role: Role, sides: &Sides) -> Vec<Chart> {
    if sides.need_values().is_err() {
        return Vec::new();
    }
    let charts = match role {
        Role::Number => numbers(name, sides),
        Role::Time => times(name, sides).into_iter().collect(),
        Role::Category | Role::Boolean => vec![bars(name, sides)],
        Role::Id => Vec::new(),
    };
    charts.into_iter().map(Chart::private).collect()
}

fn title(name: &str) -> String {
    format!("{name} beside the reference")
}

/// How many of the values, which rise, are at most `x`.
fn upto(sorted: &[f64], x: f64) -> usize {
    sorted.partition_point(|value| *value <= x)
}

/// How many of the values, which rise, are in each bin. A value on an edge belongs to the bin above it, the last edge to the last
/// bin.
fn counts(sorted: &[f64], edges: &[f64]) -> Vec<u64> {
    let last = edges.len() - 1;
    let below = |at: usize| match at {
        0 => 0,
        at if at == last => sorted.len(),
        at => sorted.partition_point(|value| *value < edges[at]),
    };
    (0..last).map(|at| (below(at + 1) - below(at)) as u64).collect()
}

fn numbers(name: &str, sides: &Sides) -> Vec<Chart> {
    let ty = sides.ty;
    let mut all = Numbers::default();
    sides.sorted.iter().flatten().for_each(|value| all.add(*value));
    // Of a constant on both sides there is nothing to see.
    let Some((edges, log)) = all.edges(ty) else { return Vec::new() };
    let factor = scale(ty);
    let x = Axis { label: name.to_owned(), measure: Measure::from(ty), log };
    let histogram = Histogram {
        x: x.clone(),
        counts: counts(&sides.sorted[1], &edges),
        reference: counts(&sides.sorted[0], &edges),
        edges: edges.iter().map(|edge| edge * factor).collect(),
        nulls: sides.nulls[1] as u64,
        ..Histogram::default()
    };
    let places = places(&sides.sorted);
    let shares = |sorted: &[f64]| -> Vec<EcdfPoint> {
        let share = |x: f64| upto(sorted, x) as f64 / sorted.len() as f64;
        places.iter().map(|x| EcdfPoint { x: x * factor, share: share(*x) }).collect()
    };
    let ecdf = Ecdf {
        x,
        points: shares(&sides.sorted[1]),
        reference: shares(&sides.sorted[0]),
        declared: Vec::new(),
    };
    vec![
        Chart::new(title(name), [name], histogram),
        Chart::new(format!("{}: shares up to each value", title(name)), [name], ecdf),
    ]
}

/// Where distribution functions are told: at every value if there are few, else at quantiles of both sides, and at both ends.
fn places(sorted: &[Vec<f64>; 2]) -> Vec<f64> {
    let mut places = Vec::new();
    for values in sorted {
        let different = values.chunk_by(|a, b| a == b).map(|same| same[0]).take(POINTS + 1);
        let different: Vec<f64> = different.collect();
        if different.len() <= POINTS {
            places.extend(different);
        } else {
            let last = values.len() - 1;
            places.extend((0..=POINTS).map(|at| values[at * last / POINTS]));
        }
    }
    places.sort_by(f64::total_cmp);
    places.dedup();
    places
}

/// Values over time, and by the hour, the day of the week and the month, as far as the span of time shows them.
fn times(name: &str, sides: &Sides) -> Option<Chart> {
    let ty = sides.ty;
    let (unit, factor) = (in_days(ty)?, scale(ty));
    let [real, own] = &sides.sorted;
    let ends = [real, own].into_iter().flat_map(|sorted| [sorted.first(), sorted.last()]).flatten();
    let (low, high) =
        ends.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), x| (low.min(*x), high.max(*x)));
    if low >= high {
        return None;
    }
    let edges = steps(low, high, STEPS, (ty == Type::Date).then_some(1.0));
    // The reference is scaled to as many values.
    let ratio = own.len() as f64 / real.len() as f64;
    let counts = |sorted: &[f64], by: f64| -> Vec<Option<f64>> {
        counts(sorted, &edges).into_iter().map(|count| Some(count as f64 * by)).collect()
    };
    let profiles = within((high - low) * unit, ty == Type::Datetime).map(|cycle| {
        let values = |sorted: &[f64], by: f64| {
            let mut values = vec![0.0; cycle.places()];
            sorted.iter().for_each(|value| values[cycle.place(value * unit)] += by);
            values.into_iter().map(Some).collect::<Vec<_>>()
        };
        Profile {
            cycle: cycle.name().to_owned(),
            labels: (0..cycle.places()).map(|at| cycle.label(at)).collect(),
            values: values(own, 1.0),
            declared: Vec::new(),
            reference: values(real, ratio),
        }
    });
    let series = Series {
        time: Axis::of(name, Measure::from(ty)),
        value: Axis::linear("rows"),
        values: counts(own, 1.0),
        reference: counts(real, ratio),
        profiles: profiles.collect(),
        edges: edges.iter().map(|edge| edge * factor).collect(),
    };
    Some(Chart::new(format!("{}, scaled to as many rows", title(name)), [name], series))
}

/// The most frequent categories of both sides.
fn bars(name: &str, sides: &Sides) -> Chart {
    let values = sides.values();
    let share = |at: usize, side: usize| sides.counts[at][side] as f64 / values[side];
    let weight = |at: usize| share(at, 0).max(share(at, 1));
    let mut order: Vec<usize> = (0..sides.counts.len().min(sides.names.len())).collect();
    order.sort_by(|a, b| {
        weight(*b).total_cmp(&weight(*a)).then_with(|| sides.names[*a].cmp(&sides.names[*b]))
    });
    let hidden = order.split_off(order.len().min(BARS));
    let bar = |at: usize| Bar {
        label: sides.names[at].clone(),
        count: sides.counts[at][1],
        reference: Some(share(at, 0)),
        ..Bar::default()
    };
    let data = Bars {
        label: name.to_owned(),
        others: hidden.iter().map(|at| sides.counts[*at][1]).sum(),
        other_categories: Some(hidden.len() as u64),
        nulls: sides.nulls[1] as u64,
        bars: order.into_iter().map(bar).collect(),
    };
    Chart::new(title(name), [name], data)
}

#[cfg(test)]
mod tests {
    use polars::prelude::{NamedFrom, Series as Values};

    use super::*;
    use crate::charts::ChartData;

    fn drawn(role: Role, ty: Type, real: Values, own: Values) -> Vec<Chart> {
        let charts = charts("x", role, &Sides::of(ty, role, &real, &own));
        assert!(charts.iter().all(|chart| !chart.for_release && chart.columns == ["x"]));
        charts
    }

    fn floats(n: i64, shift: f64) -> Values {
        Values::new("x".into(), (0..n).map(|i| i as f64 + shift).collect::<Vec<_>>())
    }

    #[test]
    fn numbers_have_both_sides_in_the_same_bins() {
        let charts = drawn(Role::Number, Type::Float, floats(1000, 0.0), floats(500, 100.0));
        let [ChartData::Histogram(bins), ChartData::Ecdf(ecdf)] = [&charts[0].data, &charts[1].data] else {
            panic!("{charts:?}")
        };
        assert_eq!((bins.counts.iter().sum::<u64>(), bins.reference.iter().sum::<u64>()), (500, 1000));
        assert_eq!(bins.counts[0], 0, "the data begin at 100");
        assert_eq!((ecdf.points.last().unwrap().share, ecdf.reference.last().unwrap().share), (1.0, 1.0));
        assert_eq!(ecdf.points[0].share, 0.0);
        // 100 to 599 against 0 to 999: at 599, all of the one and 0.6 of the other.
        let gap = ecdf.points.iter().zip(&ecdf.reference).map(|(a, b)| (a.share - b.share).abs());
        assert!((gap.fold(0.0, f64::max) - 0.4).abs() < 0.01);
        assert!(charts[1].note().starts_with("Up to 40"), "{}", charts[1].note());
    }

    #[test]
    fn categories_have_shares_and_times_have_profiles() {
        let text = |words: [&str; 4]| Values::new("x".into(), words);
        let charts =
            drawn(Role::Category, Type::Text, text(["a", "a", "a", "b"]), text(["a", "c", "c", "c"]));
        let ChartData::Bars(bars) = &charts[0].data else { panic!("{charts:?}") };
        let seen: Vec<_> =
            bars.bars.iter().map(|bar| (bar.label.as_str(), bar.count, bar.reference)).collect();
        assert_eq!(seen, [("a", 1, Some(0.75)), ("c", 3, Some(0.0)), ("b", 0, Some(0.25))]);
        let booleans = |values: [bool; 4]| Values::new("x".into(), values);
        let charts = drawn(
            Role::Boolean,
            Type::Bool,
            booleans([true, false, false, false]),
            booleans([true, true, false, true]),
        );
        let ChartData::Bars(bars) = &charts[0].data else { panic!("{charts:?}") };
        let labels: Vec<_> = bars.bars.iter().map(|bar| (bar.label.as_str(), bar.count)).collect();
        assert_eq!(labels, [("false", 1), ("true", 3)]);
        let hours = |n: i64| Values::new("x".into(), (0..n).map(|i| i * 3_600_000_000).collect::<Vec<_>>());
        let charts = drawn(Role::Time, Type::Datetime, hours(24 * 30), hours(24 * 15));
        let ChartData::Series(series) = &charts[0].data else { panic!("{charts:?}") };
        let cycles: Vec<&str> = series.profiles.iter().map(|profile| profile.cycle.as_str()).collect();
        assert_eq!(cycles, ["hour of the day (UTC)", "day of the week (UTC)"]);
        let sum = |values: &[Option<f64>]| values.iter().flatten().sum::<f64>();
        assert_eq!((sum(&series.values), sum(&series.reference).round()), (360.0, 360.0));
        // The last moment makes no step of its own.
        assert_eq!((series.values.len(), series.edges.len()), (STEPS, STEPS + 1));
        let last = series.reference.last().unwrap().unwrap();
        assert!((last / series.reference[STEPS - 2].unwrap() - 1.0).abs() < 0.2, "{last}");
        assert_eq!(series.profiles[0].values, vec![Some(15.0); 24]);
        assert_eq!(series.profiles[0].reference, vec![Some(15.0); 24]);
    }

    #[test]
    fn nothing_to_see_is_not_drawn() {
        assert!(drawn(Role::Number, Type::Float, floats(1, 5.0), floats(1, 5.0)).is_empty());
        assert!(drawn(Role::Number, Type::Float, floats(0, 0.0), floats(9, 0.0)).is_empty());
        assert!(drawn(Role::Id, Type::Float, floats(9, 0.0), floats(9, 0.0)).is_empty());
    }
}
