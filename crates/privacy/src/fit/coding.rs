//! From cells to codes and back, by what is public.

use lookalike_ruleset::decode::{Stamp, parse_number, parse_stamp};

/// How the cells of a column of numbers are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scale {
    /// Whole numbers.
    Int,
    /// Numbers.
    Float,
    /// Days since 1970-01-01.
    Date,
    /// Seconds since 1970-01-01T00:00:00Z.
    Datetime,
}

impl Scale {
    /// What a bound is.
    pub fn what(self) -> &'static str {
        match self {
            Scale::Int => "a whole number, such as 12 or 10k",
            Scale::Float => "a number",
            Scale::Date => "a date, such as 2026-01-01",
            Scale::Datetime => "a point in time, such as 2026-01-01T00:00:00Z",
        }
    }

    /// A cell's value; none for what is no such value, which then counts as null.
    fn read(self, cell: &str) -> Option<f64> {
        match self {
            Scale::Int | Scale::Float => cell.trim().parse().ok().filter(|value: &f64| value.is_finite()),
            Scale::Date | Scale::Datetime => match parse_stamp(cell)? {
                Stamp::Clock(_) => None,
                stamp => {
                    let unit = if self == Scale::Date { 86_400_000_000 } else { 1_000_000 };
                    Some(stamp.micros(0).div_euclid(unit) as f64)
                }
            },
        }
    }

    /// A value as a ruleset writes it.
    pub fn shown(self, value: f64) -> String {
        match self {
            Scale::Int | Scale::Float => format!("{value}"),
            Scale::Date => civil(value as i64 * 86_400).0,
            Scale::Datetime => civil(value as i64).1,
        }
    }

    /// Whether only whole numbers are values.
    fn is_whole(self) -> bool {
        self != Scale::Float
    }
}

/// Date, and date with time, of seconds since 1970; the proleptic Gregorian calendar by the algorithm "days to civil" of
/// H. Hinnant, <https://howardhinnant.github.io/date_algorithms.html>.
fn civil(seconds: i64) -> (String, String) {
    let (days, rest) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let day_of_era = z.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let mp = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * mp + 2) / 5 + 1;
    let month = if mp < 10 { mp + 3 } else { mp - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    let date = format!("{year:04}-{month:02}-{day:02}");
    let time = format!("{date}T{:02}:{:02}:{:02}Z", rest / 3600, rest / 60 % 60, rest % 60);
    (date, time)
}

/// How a range is cut into bins.
#[derive(Clone, Debug, PartialEq)]
pub enum Cut {
    /// Into so many bins of equal width.
    Even(usize),
    /// At these places.
    At(Vec<f64>),
}

/// Bins of numbers.
#[derive(Clone, Debug, PartialEq)]
pub struct Bins {
    scale: Scale,
    low: f64,
    high: f64,
    /// Where the bins begin, rising; the first at the lower bound.
    starts: Vec<f64>,
    /// Values with a bin of their own, beside the ranges; only of numbers that are not whole, where they have no width.
    points: Vec<f64>,
}

impl Bins {
    /// Bins between two bounds. Bins of whole numbers never begin between two of them.
    pub fn new(scale: Scale, low: f64, high: f64, cut: Cut, spikes: &[f64]) -> Bins {
        let mut starts = vec![low];
        match cut {
            Cut::At(edges) => starts.extend(edges),
            Cut::Even(bins) => {
                let width = if scale.is_whole() { high - low + 1.0 } else { high - low };
                let at = |bin: usize| low + width * bin as f64 / bins as f64;
                starts.extend(
                    (1..bins).map(at).map(|start| if scale.is_whole() { start.round() } else { start }),
                );
            }
        }
        let mut points = Vec::new();
        if scale.is_whole() {
            starts.extend(spikes.iter().flat_map(|spike| [*spike, spike + 1.0]));
            starts.retain(|start| *start <= high);
        } else {
            points.extend(spikes);
            starts.retain(|start| *start < high);
        }
        starts.sort_by(f64::total_cmp);
        starts.dedup();
        Bins { scale, low, high, starts, points }
    }

    /// How many bins there are, null not among them.
    pub fn len(&self) -> usize {
        self.starts.len() + self.points.len()
    }

    /// Whether there are no bins; there always is one.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The lower bound.
    pub fn low(&self) -> f64 {
        self.low
    }

    /// The upper bound.
    pub fn high(&self) -> f64 {
        self.high
    }

    /// A value as a ruleset writes it.
    pub fn shown(&self, value: f64) -> String {
        self.scale.shown(value)
    }

    /// First and last value of a bin.
    fn ends(&self, bin: usize) -> (f64, f64) {
        if let Some(point) = bin.checked_sub(self.starts.len()).map(|at| self.points[at]) {
            return (point, point);
        }
        let step = if self.scale.is_whole() { 1.0 } else { 0.0 };
        let end = self.starts.get(bin + 1).map_or(self.high, |next| next - step);
        (self.starts[bin], end)
    }

    /// A cell's value within the bounds; none for what is no such value.
    pub fn value(&self, cell: &str) -> Option<f64> {
        let value = self.scale.read(cell)?.clamp(self.low, self.high);
        Some(if self.scale.is_whole() { value.floor() } else { value })
    }

    fn code(&self, cell: &str) -> Option<usize> {
        let value = self.value(cell)?;
        if let Some(at) = self.points.iter().position(|point| *point == value) {
            return Some(self.starts.len() + at);
        }
        Some(self.starts.partition_point(|start| *start <= value).max(1) - 1)
    }

    /// Whether each bin is a single value, so that it needs no drawing within.
    fn are_single(&self) -> bool {
        (0..self.len()).all(|bin| self.ends(bin).0 == self.ends(bin).1)
    }
}

/// How a column's cells become codes. The last code is null's, whether or not a null occurs.
#[derive(Clone, Debug, PartialEq)]
pub enum Coding {
    /// A code for each known value.
    Values {
        /// The values.
        values: Vec<String>,
        /// What stands for all others; null if none.
        other: Option<String>,
    },
    /// A code for each bin.
    Bins(Bins),
}

impl Coding {
    /// How many codes there are, null's among them.
    pub fn size(&self) -> usize {
        match self {
            Coding::Values { values, other } => values.len() + usize::from(other.is_some()) + 1,
            Coding::Bins(bins) => bins.len() + 1,
        }
    }

    /// The code of a cell.
    pub fn code(&self, cell: Option<&str>) -> u32 {
        let null = self.size() - 1;
        let Some(cell) = cell else { return null as u32 };
        let code = match self {
            Coding::Values { values, other } => {
                let found = values.iter().position(|value| value == cell);
                found.or(other.as_ref().map(|_| values.len()))
            }
            Coding::Bins(bins) => bins.code(cell),
        };
        code.unwrap_or(null) as u32
    }

    /// What a code is called; none for null.
    pub fn label(&self, code: usize) -> Option<String> {
        match self {
            Coding::Values { values, other } => {
                values.get(code).or(other.as_ref().filter(|_| code == values.len())).cloned()
            }
            Coding::Bins(bins) if code < bins.len() => {
                let (first, last) = bins.ends(code);
                let (first, last) = (bins.shown(first), bins.shown(last));
                Some(if first == last { first } else { format!("{first} to {last}") })
            }
            Coding::Bins(_) => None,
        }
    }

    /// Whether labels are the values themselves.
    pub fn is_direct(&self) -> bool {
        match self {
            Coding::Values { .. } => true,
            Coding::Bins(bins) => bins.are_single(),
        }
    }

    /// The rule that makes a value of a bin, as YAML in one line.
    pub fn rule(&self, code: usize) -> String {
        let Coding::Bins(bins) = self else { return "null".into() };
        if code >= bins.len() {
            return "null".into();
        }
        let (first, last) = bins.ends(code);
        let kind = match bins.scale {
            _ if first == last => return format!("{{constant: {}}}", bins.shown(first)),
            Scale::Int => "int_range",
            Scale::Float => "uniform",
            Scale::Date => "date_range",
            Scale::Datetime => "datetime_range",
        };
        format!("{{{kind}: [{}, {}]}}", bins.shown(first), bins.shown(last))
    }

    /// The type of the column, where values alone would not tell.
    pub fn type_name(&self) -> Option<&'static str> {
        match self {
            Coding::Values { .. } => Some("text"),
            Coding::Bins(bins) => Some(match bins.scale {
                Scale::Int => "int",
                Scale::Float => "float",
                Scale::Date => "date",
                Scale::Datetime => "datetime",
            }),
        }
    }

    /// Which codes are meant by some values: of categories those listed, of numbers the bins within two bounds.
    pub fn matching(&self, values: &[String]) -> Option<Vec<bool>> {
        let mut codes = vec![false; self.size()];
        match self {
            Coding::Values { values: known, other } => {
                for value in values {
                    let at = known.iter().position(|known| known == value);
                    codes[at.or(other.as_ref().filter(|other| *other == value).map(|_| known.len()))?] = true;
                }
            }
            Coding::Bins(bins) => {
                let read = |text: &String| match bins.scale {
                    Scale::Int | Scale::Float => parse_number(text),
                    _ => bins.scale.read(text),
                };
                let (low, high) = match values {
                    [only] => (read(only)?, read(only)?),
                    [low, high] => (read(low)?, read(high)?),
                    _ => return None,
                };
                for (bin, code) in codes.iter_mut().enumerate().take(bins.len()) {
                    let (first, last) = bins.ends(bin);
                    *code = low <= first && last <= high;
                }
            }
        }
        Some(codes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(coding: &Coding) -> Vec<String> {
        (0..coding.size()).map(|code| coding.label(code).unwrap_or("-".into())).collect()
    }

    #[test]
    fn cells_get_their_codes_and_codes_their_rules() {
        let ages = Coding::Bins(Bins::new(Scale::Int, 0.0, 99.0, Cut::Even(3), &[18.0]));
        assert_eq!(labels(&ages), ["0 to 17", "18", "19 to 32", "33 to 66", "67 to 99", "-"]);
        for (cell, code) in [
            ("0", 0),
            ("17.9", 0),
            ("18", 1),
            ("19", 2),
            ("-5", 0),
            ("1e9", 4),
            ("x", 5),
            ("NaN", 5),
            ("inf", 5),
            ("", 5),
        ] {
            assert_eq!(ages.code(Some(cell)), code, "{cell}");
        }
        assert_eq!(ages.code(None), 5);
        assert_eq!(ages.rule(0), "{int_range: [0, 17]}");
        assert_eq!(ages.rule(1), "{constant: 18}");
        assert!(!ages.is_direct());

        let pay = Coding::Bins(Bins::new(Scale::Float, 0.0, 10.0, Cut::At(vec![2.5]), &[0.0]));
        assert_eq!(labels(&pay), ["0 to 2.5", "2.5 to 10", "0", "-"]);
        for (cell, code) in [("0", 2), ("0.1", 0), ("2.5", 1), ("10", 1), ("99", 1)] {
            assert_eq!(pay.code(Some(cell)), code, "{cell}");
        }
        let born = Coding::Bins(Bins::new(Scale::Date, 0.0, 364.0, Cut::Even(2), &[]));
        assert_eq!(labels(&born), ["1970-01-01 to 1970-07-02", "1970-07-03 to 1970-12-31", "-"]);
        assert_eq!(born.code(Some("1970-07-03")), 1);
        assert_eq!(born.code(Some("1970-07-02T23:59:59Z")), 0);
        let few = Coding::Bins(Bins::new(Scale::Int, 1.0, 3.0, Cut::Even(16), &[]));
        assert_eq!(labels(&few), ["1", "2", "3", "-"]);
        assert!(few.is_direct());
        let sex = Coding::Values { values: vec!["f".into(), "m".into()], other: Some("x".into()) };
        assert_eq!((sex.code(Some("m")), sex.code(Some("?")), sex.code(None), sex.size()), (1, 2, 3, 4));
        let strict = Coding::Values { values: vec!["f".into()], other: None };
        assert_eq!((strict.code(Some("?")), strict.size()), (1, 2));
    }

    #[test]
    fn what_a_rule_bars_are_whole_bins() {
        let ages = Coding::Bins(Bins::new(Scale::Int, 0.0, 99.0, Cut::Even(10), &[]));
        let barred = ages.matching(&["5".into(), "29".into()]).unwrap();
        assert_eq!(
            barred.iter().enumerate().filter(|(_, b)| **b).map(|(at, _)| at).collect::<Vec<_>>(),
            [1, 2]
        );
        let sex = Coding::Values { values: vec!["f".into(), "m".into()], other: None };
        assert_eq!(sex.matching(&["m".into()]), Some(vec![false, true, false]));
        assert_eq!(sex.matching(&["x".into()]), None);
    }

    #[test]
    fn dates_are_those_of_the_calendar() {
        for (seconds, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (-1, "1969-12-31T23:59:59Z"),
            (1_767_225_599, "2025-12-31T23:59:59Z"),
        ] {
            assert_eq!(civil(seconds).1, text);
        }
    }
}
