//! Days of the week, hours and months: the cycles of time in a law of stamps.

use lookalike_core::declared::Spread;
use lookalike_ruleset::Type;

/// A cycle of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cycle {
    Hour,
    Weekday,
    Month,
}

impl Cycle {
    pub(crate) fn places(self) -> usize {
        match self {
            Cycle::Hour => 24,
            Cycle::Weekday => 7,
            Cycle::Month => 12,
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Cycle::Hour => "hour of the day (UTC)",
            Cycle::Weekday => "day of the week (UTC)",
            Cycle::Month => "month (UTC)",
        }
    }

    pub(crate) fn label(self, at: usize) -> String {
        const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
        const MONTHS: [&str; 12] =
            ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
        match self {
            Cycle::Hour => format!("{at:02}"),
            Cycle::Weekday => DAYS[at].to_owned(),
            Cycle::Month => MONTHS[at].to_owned(),
        }
    }

    /// The place of a number of days since 1970-01-01 with its fraction.
    pub(crate) fn place(self, days: f64) -> usize {
        let day = days.floor() as i64;
        match self {
            Cycle::Hour => (((days - days.floor()) * 24.0 + 1e-9) as usize).min(23),
            // 1970-01-01 was a Thursday.
            Cycle::Weekday => (day + 3).rem_euclid(7) as usize,
            Cycle::Month => {
                // H. Hinnant, "chrono-compatible low-level date algorithms": civil_from_days.
                let z = day + 719_468;
                let doe = z.rem_euclid(146_097);
                let yoe = (doe - doe / 1460 + doe / 36_524 - doe / 146_096) / 365;
                let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
                let mp = (5 * doy + 2) / 153;
                (if mp < 10 { mp + 2 } else { mp - 10 }) as usize
            }
        }
    }
}

/// Days in a unit of a column of times; none of other types.
pub(crate) fn in_days(ty: Type) -> Option<f64> {
    match ty {
        Type::Date => Some(1.0),
        Type::Datetime => Some(1.0 / 86_400e6),
        _ => None,
    }
}

/// The cycles that a span of so many days runs through; those of `stamps` within a day, too.
pub(crate) fn within(days: f64, stamps: bool) -> impl Iterator<Item = Cycle> {
    let all = [(Cycle::Hour, 2.0), (Cycle::Weekday, 14.0), (Cycle::Month, 365.0)];
    all.into_iter()
        .filter(move |(cycle, least)| days >= *least && (stamps || *cycle != Cycle::Hour))
        .map(|(cycle, _)| cycle)
}

/// Edges of equal steps from `low` to `high`, which belongs to the last one: `most` of them, or about as many that are multiples of
/// `whole`, where times are: then no step has more of them than its neighbours by accident.
pub(crate) fn steps(low: f64, high: f64, most: usize, whole: Option<f64>) -> Vec<f64> {
    let step = (high - low) / most as f64;
    let (step, count) = match whole {
        None => (step, most),
        Some(whole) => {
            let step = (step / whole).ceil() * whole;
            (step, ((high - low) / step).floor() as usize + 1)
        }
    };
    (0..=count).map(|at| low + step * at as f64).collect()
}

/// The cycles of a law of times, with the share of each place; only those that the span of time runs through.
pub(crate) fn cycles(spread: &Spread, ty: Type) -> Vec<(Cycle, Vec<f64>)> {
    const LONGEST: f64 = 3.0 * 366.0;
    let Some(unit) = in_days(ty) else { return Vec::new() };
    let (low, high) = spread.support();
    let (first, last) = (low * unit, high * unit);
    if !(first.is_finite() && last.is_finite()) || last - first > 40.0 * 366.0 {
        return Vec::new();
    }
    let per_day = if ty == Type::Datetime && last - first <= LONGEST { 24.0 } else { 1.0 };
    let mut found: Vec<(Cycle, Vec<f64>)> =
        within(last - first, per_day > 1.0).map(|cycle| (cycle, vec![0.0; cycle.places()])).collect();
    if found.is_empty() {
        return found;
    }
    let mut before = 0.0;
    let (start, end) = ((first * per_day).floor() as i64, (last * per_day).floor() as i64);
    for step in start..=end {
        let next = (step + 1) as f64 / per_day / unit;
        // Everything before the step's end; values on a grid never lie half a microsecond or day off it.
        let upto = if step == end { 1.0 } else { spread.cdf(next - 0.5) };
        let share = (upto - before).max(0.0);
        before = upto;
        let day = (step as f64 + 0.5) / per_day;
        found.iter_mut().for_each(|(cycle, shares)| shares[cycle.place(day)] += share);
    }
    found
}
