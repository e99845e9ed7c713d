//! From numbers to pixels, and which of them are worth a label.

use jiff::civil::{Date, DateTime};

use super::Axis;
use crate::model::Measure;
use crate::text;

/// Maps numbers from `low` to `high` to pixels.
#[derive(Clone, Debug)]
pub(crate) struct Scale {
    measure: Measure,
    log: bool,
    /// Least distance of two ticks: 1 for counts.
    least: f64,
    low: f64,
    high: f64,
    from: f64,
    to: f64,
}

const MINUTE: f64 = 60.0;
const HOUR: f64 = 3600.0;
const DAY: f64 = 86_400.0;

impl Scale {
    /// A scale over the numbers, which need not be finite nor different; logarithmic only where all of them are above 0.
    pub(crate) fn new(axis: &Axis, numbers: impl IntoIterator<Item = f64>, from: f64, to: f64) -> Scale {
        let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
        for number in numbers.into_iter().filter(|number| number.is_finite()) {
            low = low.min(number);
            high = high.max(number);
        }
        if low > high {
            (low, high) = (0.0, 1.0);
        }
        let log = axis.log && low > 0.0;
        if low == high {
            // One number stands in the middle.
            let margin = match axis.measure {
                Measure::Date => DAY,
                Measure::Datetime | Measure::Duration => 1.0,
                Measure::Number | Measure::Share => (low.abs() * 0.1).max(f64::MIN_POSITIVE.max(1e-12)),
            };
            let margin = if low == 0.0 { margin.max(1.0) } else { margin };
            (low, high) = if log { (low / 1.5, high * 1.5) } else { (low - margin, high + margin) };
        }
        (low, high) = (low.max(f64::MIN), high.min(f64::MAX));
        // A range beyond what floats hold.
        if !(high - low).is_finite() {
            (low, high) = (low / 4.0, high / 4.0);
        }
        Scale { measure: axis.measure, log, least: 0.0, low, high, from, to }
    }

    /// The same, from 0 on and a little higher than the highest, for counts and shares.
    pub(crate) fn from_zero(measure: Measure, high: f64, from: f64, to: f64) -> Scale {
        let high = if high > 0.0 && high.is_finite() { high * 1.04 } else { 1.0 };
        Scale { measure, log: false, least: 0.0, low: 0.0, high, from, to }
    }

    /// The same with a margin at both ends.
    pub(crate) fn with_margin(mut self, share: f64) -> Scale {
        if self.log {
            let factor = libm::pow(self.high / self.low, share);
            (self.low, self.high) = (self.low / factor, self.high * factor);
        } else {
            let margin = (self.high - self.low) * share;
            (self.low, self.high) = (self.low - margin, self.high + margin);
        }
        self
    }

    /// The same for numbers that are whole.
    pub(crate) fn whole(self) -> Scale {
        Scale { least: 1.0, ..self }
    }

    pub(crate) fn is_log(&self) -> bool {
        self.log
    }

    /// Where a number is along the axis, from 0 to 1 within it.
    pub(crate) fn place(&self, number: f64) -> f64 {
        if self.log {
            if number <= 0.0 {
                return 0.0;
            }
            libm::log(number / self.low) / libm::log(self.high / self.low)
        } else {
            (number - self.low) / (self.high - self.low)
        }
    }

    /// The pixel of a number; numbers beyond the ends are drawn at the ends.
    pub(crate) fn at(&self, number: f64) -> f64 {
        let place = self.place(number);
        let place = if place.is_nan() { 0.0 } else { place.clamp(0.0, 1.0) };
        self.from + (self.to - self.from) * place
    }

    /// Round numbers within the axis with their labels: about one for each `room` pixels, rising.
    pub(crate) fn ticks(&self, room: f64) -> Vec<(f64, String)> {
        let wanted = ((self.to - self.from).abs() / room).clamp(2.0, 12.0);
        match self.measure {
            Measure::Date | Measure::Datetime => self.time_ticks(wanted),
            Measure::Duration if !self.log => self.duration_ticks(wanted),
            Measure::Duration => self.log_ticks(wanted, &|x| duration(x)),
            Measure::Number if self.log => self.log_ticks(wanted, &|x| short(x)),
            Measure::Share if self.log => self.log_ticks(wanted, &|x| share(x)),
            Measure::Number => self.linear_ticks(wanted, 1.0, &|x, step| with_step(x, step)),
            Measure::Share => {
                self.linear_ticks(wanted, 1.0, &|x, step| format!("{} %", with_step(x * 100.0, step * 100.0)))
            }
        }
    }

    /// Multiples of 1, 2 or 5 times a power of ten, counted in `unit`s.
    fn linear_ticks(&self, wanted: f64, unit: f64, label: &dyn Fn(f64, f64) -> String) -> Vec<(f64, String)> {
        let step = nice_step((self.high - self.low) / unit / wanted).max(self.least) * unit;
        let first = libm::ceil(self.low / step - 1e-9);
        let last = libm::floor(self.high / step + 1e-9);
        if step.is_nan() || step <= 0.0 || !(last - first).is_finite() {
            return Vec::new();
        }
        let mut ticks: Vec<(f64, String)> = Vec::new();
        for i in 0..=(last - first).min(40.0) as u32 {
            let value = (first + f64::from(i)) * step;
            let text = label(value / unit, step / unit);
            // Floats so near each other that they read alike.
            if ticks.last().is_none_or(|(_, before)| *before != text) {
                ticks.push((value, text));
            }
        }
        ticks
    }

    fn log_ticks(&self, wanted: f64, label: &dyn Fn(f64) -> String) -> Vec<(f64, String)> {
        let decades = libm::log10(self.high / self.low);
        let (first, last) =
            (libm::floor(libm::log10(self.low)) as i32, libm::ceil(libm::log10(self.high)) as i32);
        if decades < 0.7 {
            return self.linear_ticks(wanted.min(6.0), 1.0, &|x, step| with_step(x, step));
        }
        let factors: &[f64] = if decades * 3.0 <= wanted {
            &[1.0, 2.0, 5.0]
        } else if decades * 2.0 <= wanted {
            &[1.0, 3.0]
        } else {
            &[1.0]
        };
        let every = ((decades / wanted).ceil() as i32).max(1);
        let (first, last) = (first.max(-330), last.min(310));
        let mut ticks = Vec::new();
        for exponent in (first..=last).filter(|exponent| exponent.rem_euclid(every) == 0) {
            for factor in factors {
                let value = factor * power_of_ten(exponent);
                if value >= self.low * 0.999_999 && value <= self.high * 1.000_001 {
                    ticks.push((value, label(value)));
                }
            }
        }
        ticks
    }

    fn duration_ticks(&self, wanted: f64) -> Vec<(f64, String)> {
        let span = self.high.abs().max(self.low.abs());
        let (unit, name) = duration_unit(span);
        // Hours and minutes go by sixes and twelves.
        self.linear_ticks(wanted, unit, &|x, step| format!("{} {name}", with_step(x, step)))
    }

    fn time_ticks(&self, wanted: f64) -> Vec<(f64, String)> {
        let step = (self.high - self.low) / wanted;
        let days = self.measure == Measure::Date;
        let months = step / (30.44 * DAY);
        if !days && step < 1.0 {
            return self.linear_ticks(wanted, 1.0, &|x, step| moment(x, step));
        }
        if step <= 15.0 * DAY {
            let steps: &[f64] = &[
                1.0,
                2.0,
                5.0,
                10.0,
                15.0,
                30.0,
                MINUTE,
                2.0 * MINUTE,
                5.0 * MINUTE,
                10.0 * MINUTE,
                15.0 * MINUTE,
                30.0 * MINUTE,
                HOUR,
                2.0 * HOUR,
                3.0 * HOUR,
                6.0 * HOUR,
                12.0 * HOUR,
                DAY,
                2.0 * DAY,
                7.0 * DAY,
                14.0 * DAY,
            ];
            let least = if days { DAY } else { 1.0 };
            let step = steps.iter().copied().find(|&s| s >= step && s >= least).unwrap_or(14.0 * DAY);
            // Weeks begin on Mondays; 1970-01-05 was one.
            let origin = if step >= 7.0 * DAY { 4.0 * DAY } else { 0.0 };
            let first = libm::ceil((self.low - origin) / step - 1e-9);
            let last = libm::floor((self.high - origin) / step + 1e-9);
            return (0..=(last - first).clamp(-1.0, 40.0) as i64)
                .map(|i| origin + (first + i as f64) * step)
                .map(|value| (value, moment(value, step)))
                .collect();
        }
        let steps = [1.0, 2.0, 3.0, 6.0, 12.0];
        let months = steps
            .iter()
            .copied()
            .find(|&s| s >= months)
            .unwrap_or_else(|| libm::ceil(nice_step(months / 12.0)).max(1.0) * 12.0)
            as i64;
        let Some(start) = civil(self.low) else { return Vec::new() };
        let mut month = i64::from(start.year()) * 12 + i64::from(start.month()) - 1;
        month = month.div_euclid(months) * months;
        let mut ticks = Vec::new();
        for _ in 0..60 {
            let (year, of_year) = (month.div_euclid(12), month.rem_euclid(12));
            let date = i16::try_from(year).ok().and_then(|year| Date::new(year, of_year as i8 + 1, 1).ok());
            let Some(date) = date else { break };
            let value = since_epoch(date);
            if value > self.high {
                break;
            }
            if value >= self.low {
                let text =
                    if months >= 12 { format!("{year}") } else { format!("{year}-{:02}", of_year + 1) };
                ticks.push((value, text));
            }
            month += months;
        }
        ticks
    }
}

/// 10 to that power: `1e-3` exactly as it is written, unlike a product of tens.
fn power_of_ten(exponent: i32) -> f64 {
    format!("1e{exponent}").parse().unwrap_or(f64::NAN)
}

/// The least of 1, 2 and 5 times a power of ten that is not below `step`.
pub(crate) fn nice_step(step: f64) -> f64 {
    if step <= 0.0 || !step.is_finite() {
        return 1.0;
    }
    let exponent = libm::floor(libm::log10(step)) as i32;
    let power = power_of_ten(exponent);
    for factor in [1.0, 2.0, 5.0] {
        if factor * power >= step * 0.999_999 {
            return factor * power;
        }
    }
    power_of_ten(exponent + 1)
}

fn civil(seconds: f64) -> Option<DateTime> {
    let whole = libm::floor(seconds);
    if !(-3.0e11..3.0e11).contains(&whole) {
        return None;
    }
    let nanoseconds = ((seconds - whole) * 1e9).min(999_999_999.0) as i64;
    let stamp = jiff::Timestamp::new(whole as i64, nanoseconds as i32).ok()?;
    Some(jiff::tz::TimeZone::UTC.to_datetime(stamp))
}

fn since_epoch(date: Date) -> f64 {
    date.to_zoned(jiff::tz::TimeZone::UTC).map_or(f64::NAN, |zoned| zoned.timestamp().as_second() as f64)
}

/// A point in time, as precise as a step of that many seconds needs.
fn moment(seconds: f64, step: f64) -> String {
    let Some(time) = civil(seconds) else { return short(seconds) };
    if step >= DAY {
        return time.date().to_string();
    }
    if step >= MINUTE {
        return if seconds.rem_euclid(DAY) == 0.0 {
            format!("{:02}-{:02}", time.month(), time.day())
        } else {
            format!("{:02}:{:02}", time.hour(), time.minute())
        };
    }
    let decimals = decimals(step);
    let second = f64::from(time.second()) + f64::from(time.subsec_nanosecond()) / 1e9;
    let width = if decimals == 0 { 2 } else { 3 + decimals };
    format!("{:02}:{:02}:{second:0width$.decimals$}", time.hour(), time.minute())
}

/// Digits after the point that a step needs, at most 9.
fn decimals(step: f64) -> usize {
    if step >= 1.0 { 0 } else { (libm::ceil(-libm::log10(step) - 1e-9) as usize).min(9) }
}

/// A number of a linear axis, with the digits that its step needs.
fn with_step(x: f64, step: f64) -> String {
    if x == 0.0 {
        return "0".to_owned();
    }
    let size = x.abs().max(step);
    if size >= 1e15 || step < 1e-6 {
        return text::significant(x, 4);
    }
    for (unit, name) in [(1e12, "T"), (1e9, "G"), (1e6, "M")] {
        if size >= unit && step >= unit / 1000.0 {
            return format!("{}{name}", fixed(x / unit, decimals(step / unit)));
        }
    }
    fixed(x, decimals(step))
}

fn fixed(x: f64, decimals: usize) -> String {
    let text = format!("{:.decimals$}", x.abs());
    let (whole, fraction) = text.split_once('.').map_or((text.as_str(), None), |(w, f)| (w, Some(f)));
    let whole = whole.parse().map_or_else(|_| whole.to_owned(), text::grouped);
    let sign = if x < 0.0 && text.bytes().any(|b| (b'1'..=b'9').contains(&b)) { "−" } else { "" };
    // Trailing zeros of `1.0M` say nothing.
    match fraction.map(|f| f.trim_end_matches('0')).filter(|f| !f.is_empty()) {
        Some(fraction) => format!("{sign}{whole}.{fraction}"),
        None => format!("{sign}{whole}"),
    }
}

/// A number on its own, short: `1.5M`, `12,300`, `0.0012`.
pub(crate) fn short(x: f64) -> String {
    for (unit, name) in [(1e12, "T"), (1e9, "G"), (1e6, "M")] {
        if x.abs() >= unit && x.abs() < unit * 1000.0 {
            return format!("{}{name}", text::significant(x / unit, 3));
        }
    }
    text::significant(x, 3)
}

/// A share as a percentage.
pub(crate) fn share(x: f64) -> String {
    if x > 0.0 && x < 0.001 {
        return "< 0.1 %".to_owned();
    }
    format!("{} %", fixed(x * 100.0, 1))
}

fn duration_unit(span: f64) -> (f64, &'static str) {
    match span {
        s if s < 0.001 => (1e-6, "µs"),
        s if s < 1.0 => (0.001, "ms"),
        s if s < 3.0 * MINUTE => (1.0, "s"),
        s if s < 3.0 * HOUR => (MINUTE, "min"),
        s if s < 3.0 * DAY => (HOUR, "h"),
        s if s < 1000.0 * DAY => (DAY, "d"),
        _ => (365.25 * DAY, "y"),
    }
}

fn duration(seconds: f64) -> String {
    if seconds == 0.0 {
        return "0 s".to_owned();
    }
    let (unit, name) = duration_unit(seconds.abs());
    format!("{} {name}", text::significant(seconds / unit, 3))
}

/// A number of that measure, for tables and hints.
pub fn measured(x: f64, measure: Measure) -> String {
    if !x.is_finite() {
        return text::number(x);
    }
    match measure {
        Measure::Number => text::significant(x, 5),
        Measure::Share => share(x),
        Measure::Duration => duration(x),
        Measure::Date => civil(x).map_or_else(|| text::number(x), |time| time.date().to_string()),
        Measure::Datetime => civil(x).map_or_else(
            || text::number(x),
            |time| {
                let time = time.round(jiff::Unit::Millisecond).unwrap_or(time);
                format!("{} {}", time.date(), time.time())
            },
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(measure: Measure, log: bool, low: f64, high: f64) -> Vec<String> {
        let axis = Axis { label: "x".into(), measure, log };
        Scale::new(&axis, [low, high], 0.0, 500.0).ticks(80.0).into_iter().map(|(_, label)| label).collect()
    }

    #[test]
    fn ticks_are_round() {
        let cases: &[(Measure, bool, f64, f64, &str)] = &[
            (Measure::Number, false, 0.0, 1000.0, "0 200 400 600 800 1,000"),
            (Measure::Number, false, -1.0, 1.0, "−1 −0.5 0 0.5 1"),
            (Measure::Number, false, 0.0, 3.2e6, "0 1M 2M 3M"),
            (Measure::Number, false, 0.0, 0.0007, "0 0.0002 0.0004 0.0006"),
            (Measure::Number, false, 7.0, 7.0, "6.5 7 7.5"),
            (Measure::Number, true, 1.0, 10_000.0, "1 10 100 1,000 10,000"),
            (Measure::Number, true, 4.0, 70.0, "5 10 20 50"),
            (Measure::Number, true, 1e-12, 1e12, "1e-12 1e-8 0.0001 1 10,000 100M 1T"),
            (Measure::Share, false, 0.0, 1.0, "0 % 20 % 40 % 60 % 80 % 100 %"),
            (Measure::Duration, false, 0.0, 7200.0, "0 min 20 min 40 min 60 min 80 min 100 min 120 min"),
            (Measure::Date, false, 1.5e9, 1.5e9 + 3650.0 * DAY, "2018 2020 2022 2024 2026"),
            (
                Measure::Datetime,
                false,
                1.5e9,
                1.5e9 + 3.0,
                "02:40:00.0 02:40:00.5 02:40:01.0 02:40:01.5 02:40:02.0 02:40:02.5 02:40:03.0",
            ),
        ];
        for (measure, log, low, high, expected) in cases {
            let got = labels(*measure, *log, *low, *high).join(" ");
            assert_eq!(got, *expected, "{measure:?} {log} {low} {high}");
        }
    }

    #[test]
    fn ticks_never_run_away() {
        let extremes = [
            f64::MIN,
            -1e300,
            -1e18,
            -1.0,
            -1e-300,
            0.0,
            f64::MIN_POSITIVE,
            1e-9,
            1.0,
            1.0 + f64::EPSILON,
            1e12,
            1e18,
            1e308,
            f64::MAX,
            f64::NAN,
            f64::INFINITY,
        ];
        for measure in [Measure::Number, Measure::Share, Measure::Date, Measure::Datetime, Measure::Duration]
        {
            for log in [false, true] {
                for low in extremes {
                    for high in extremes {
                        let axis = Axis { label: "x".into(), measure, log };
                        let scale = Scale::new(&axis, [low, high], 0.0, 500.0);
                        let ticks = scale.ticks(80.0);
                        assert!(ticks.len() < 62, "{measure:?} {log} {low} {high}: {ticks:?}");
                        assert!(scale.at(low).is_finite() && scale.at(high).is_finite());
                    }
                }
            }
        }
    }
}
