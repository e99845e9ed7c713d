//! How often things happen, over the stamps of a period: a weight for every stamp, which depends on its local hour.
//!
//! Stamps lie on a grid: `from`, `from + step`, … before `to`. Those of weight 0 can never be drawn; the others are
//! numbered from 0, and this number is a stamp's *position*. Working with positions makes it a matter of whole numbers
//! whether enough stamps are left, and no rounding lets a stamp slip out of its hour.

use std::ops::Range;

use lookalike_core::Law;
use lookalike_ruleset::decode::DAY;

use super::days::DaySet;
use super::zone::{Zone, date_of};

/// Microseconds in an hour.
const HOUR: i64 = 3_600_000_000;

/// Microseconds in a mean year of the Gregorian calendar.
const YEAR: f64 = 365.2425 * DAY as f64;

/// The longest period, in microseconds: 200 years, that is up to 1.75 million hours of 32 bytes each.
pub(super) const LONGEST: i64 = 73_049 * DAY;

/// What the weight of a local hour is the product of.
#[derive(Clone, Debug)]
pub(super) struct Shape {
    /// By hour of the day, from 0.
    pub(super) hours: Option<Vec<f64>>,
    /// By day of the week, from Monday.
    pub(super) weekdays: Option<Vec<f64>>,
    /// By month, from January.
    pub(super) months: Option<Vec<f64>>,
    /// Days with a factor of their own.
    pub(super) holidays: Option<(DaySet, f64)>,
    /// Rate of change in a year: `exp(rate × years since from)`.
    pub(super) rate: f64,
}

impl Shape {
    fn of_day(&self, day: i64) -> Option<f64> {
        let mut weight = 1.0;
        if let Some(weekdays) = &self.weekdays {
            // 1970-01-01 was a Thursday.
            weight *= weekdays[(day + 3).rem_euclid(7) as usize];
        }
        if let Some(months) = &self.months {
            weight *= months[date_of(day)?.month() as usize - 1];
        }
        if let Some((days, factor)) = &self.holidays
            && days.contains(day)
        {
            weight *= factor;
        }
        Some(weight)
    }
}

/// Neighbouring stamps of one weight.
#[derive(Clone, Copy, Debug)]
struct Run {
    /// Place of the first on the grid.
    place: u64,
    /// Position of the first.
    position: u64,
    /// Weight of each.
    weight: f64,
    /// Weight of all stamps before.
    before: f64,
}

/// The stamps of a period with their weights.
#[derive(Debug)]
pub(super) struct Intensity {
    from: i64,
    step: i64,
    runs: Vec<Run>,
    len: u64,
    total: f64,
}

/// No stamp of the period can be drawn, or the weights are too large for a double.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct NoWeight;

impl Intensity {
    /// The stamps from `from` up to and without `to`, in microseconds, `step` apart. The period must be no longer than
    /// [`LONGEST`] and lie in the calendar.
    pub(super) fn new(
        from: i64,
        to: i64,
        step: i64,
        zone: &Zone,
        shape: &Shape,
    ) -> Result<Intensity, NoWeight> {
        let mut made = Intensity { from, step, runs: Vec::new(), len: 0, total: 0.0 };
        let (mut offset, mut until) = (0, i64::MIN);
        let (mut day, mut of_day) = (i64::MIN, 0.0);
        let mut at = from;
        while at < to {
            if at >= until {
                (offset, until) = zone.offset(at).ok_or(NoWeight)?;
            }
            let local = at + offset;
            if local.div_euclid(DAY) != day {
                day = local.div_euclid(DAY);
                of_day = shape.of_day(day).ok_or(NoWeight)?;
            }
            let hour = (local.rem_euclid(DAY) / HOUR) as usize;
            let mut weight = of_day * shape.hours.as_ref().map_or(1.0, |hours| hours[hour]);
            if shape.rate != 0.0 {
                weight *= libm::exp(shape.rate * ((at - from) as f64 / YEAR));
            }
            // An hour ends on the clock or where the clock is changed: the hour that a zone skips is never met, the one
            // that it repeats is met twice.
            let end = (at - local.rem_euclid(HOUR) + HOUR).min(until).min(to);
            made.push(at, end, weight);
            at = end;
        }
        (made.total > 0.0 && made.total.is_finite()).then_some(made).ok_or(NoWeight)
    }

    fn push(&mut self, start: i64, end: i64, weight: f64) {
        let (first, last) = (self.place(start), self.place(end));
        if first >= last || weight <= 0.0 {
            return;
        }
        let follows = |run: &Run| run.place + (self.len - run.position) == first && run.weight == weight;
        if !self.runs.last().is_some_and(follows) {
            self.runs.push(Run { place: first, position: self.len, weight, before: self.total });
        }
        self.len += last - first;
        self.total += (last - first) as f64 * weight;
    }

    /// The first place on the grid that is not before `micros`.
    fn place(&self, micros: i64) -> u64 {
        let since = (i128::from(micros) - i128::from(self.from)).max(0) as u64;
        since.div_ceil(self.step as u64)
    }

    /// How many stamps can be drawn.
    pub(super) fn len(&self) -> u64 {
        self.len
    }

    /// How many of them lie before `micros`.
    pub(super) fn position(&self, micros: i64) -> u64 {
        let place = self.place(micros);
        let after = self.runs.partition_point(|run| run.place < place);
        let Some(at) = after.checked_sub(1) else { return 0 };
        let end = self.runs.get(after).map_or(self.len, |next| next.position);
        (self.runs[at].position + (place - self.runs[at].place)).min(end)
    }

    /// The run of a position below `len`.
    fn run(&self, position: u64) -> &Run {
        &self.runs[self.runs.partition_point(|run| run.position <= position) - 1]
    }

    /// The stamp at a position below `len`, in microseconds.
    pub(super) fn stamp(&self, position: u64) -> i64 {
        let run = self.run(position);
        self.from + (run.place + (position - run.position)) as i64 * self.step
    }

    /// Weight of all stamps before a position of at most `len`.
    pub(super) fn weight_before(&self, position: u64) -> f64 {
        if position >= self.len {
            return self.total;
        }
        let run = self.run(position);
        run.before + (position - run.position) as f64 * run.weight
    }

    /// The stamps at these positions, for [`at_share`](Self::at_share); `None` if there are none.
    pub(super) fn part(&self, within: Range<u64>) -> Option<Part> {
        let weights =
            (!within.is_empty()).then(|| [within.start, within.end].map(|at| self.weight_before(at)));
        weights.map(|[low, high]| Part { within, low, high })
    }

    /// The position in `part` up to which lies `share`, from 0 to 1, of the part's weight. It rises with the share.
    pub(super) fn at_share(&self, part: &Part, share: f64) -> u64 {
        let weight = part.low + share * (part.high - part.low);
        let after = self.runs.partition_point(|run| run.before <= weight);
        let run = &self.runs[after - 1];
        let end = self.runs.get(after).map_or(self.len, |next| next.position);
        let position = run.position.saturating_add(((weight - run.before) / run.weight) as u64);
        position.min(end - 1).clamp(part.within.start, part.within.end - 1)
    }
}

/// The law of one draw, in microseconds.
impl Law for Intensity {
    fn quantile(&self, u: f64) -> f64 {
        let whole = Part { within: 0..self.len, low: 0.0, high: self.total };
        self.stamp(self.at_share(&whole, u)) as f64
    }

    fn cdf(&self, x: f64) -> f64 {
        // Up to 2^53 microseconds, over 280 years around 1970, every stamp is a double.
        self.weight_before(self.position((x.floor() as i64).saturating_add(1))) / self.total
    }

    fn support(&self) -> (f64, f64) {
        (self.stamp(0) as f64, self.stamp(self.len - 1) as f64)
    }

    fn is_discrete(&self) -> bool {
        true
    }

    fn mean(&self) -> Option<f64> {
        None
    }

    fn variance(&self) -> Option<f64> {
        None
    }
}

/// Some neighbouring stamps, at least one, with the weight before the first and up to the last.
#[derive(Clone, Debug)]
pub(super) struct Part {
    pub(super) within: Range<u64>,
    pub(super) low: f64,
    pub(super) high: f64,
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVEN: Shape = Shape { hours: None, weekdays: None, months: None, holidays: None, rate: 0.0 };

    #[test]
    fn positions_leave_out_what_has_no_weight() {
        // Three days in steps of half an hour, open from 10 to 12: four stamps a day.
        let mut hours = vec![0.0; 24];
        hours[10..12].fill(1.0);
        let shape = Shape { hours: Some(hours), ..EVEN };
        let made = Intensity::new(0, 3 * DAY, HOUR / 2, &Zone::utc(), &shape).unwrap();
        assert_eq!(made.len(), 12);
        for position in 0..12 {
            let stamp = made.stamp(position);
            assert_eq!(stamp, (position / 4) as i64 * DAY + 10 * HOUR + (position % 4) as i64 * HOUR / 2);
            assert_eq!(made.position(stamp), position);
            assert_eq!(made.position(stamp + 1), position + 1);
            assert_eq!(made.weight_before(position), position as f64);
        }
        assert_eq!((made.position(i64::MIN), made.position(i64::MAX)), (0, 12));
        assert_eq!(made.position(DAY), 4);
        let part = made.part(3..9).unwrap();
        assert_eq!([0.0, 0.5, 1.0].map(|share| made.at_share(&part, share)), [3, 6, 8]);
        assert!(made.part(3..3).is_none());
    }

    #[test]
    fn stamps_off_the_hour_take_the_weight_of_their_own_hour() {
        // Steps of 40 minutes from 00:10: in hour 1 lie 01:30 and no other.
        let mut hours = vec![0.0; 24];
        hours[1] = 1.0;
        let shape = Shape { hours: Some(hours), ..EVEN };
        let made = Intensity::new(HOUR / 6, DAY, HOUR / 3 * 2, &Zone::utc(), &shape).unwrap();
        assert_eq!((made.len(), made.stamp(0)), (1, HOUR / 2 * 3));
    }

    #[test]
    fn absurd_weights_do_no_harm() {
        let hours = (0..24).map(|hour| if hour % 2 == 0 { 1e300 } else { 1e-300 }).collect();
        let shape = Shape { hours: Some(hours), ..EVEN };
        let made = Intensity::new(0, DAY, HOUR, &Zone::utc(), &shape).unwrap();
        assert_eq!(made.len(), 24);
        let (one, all) = (made.part(1..2).unwrap(), made.part(0..24).unwrap());
        for share in [0.0, 0.3, 1.0] {
            assert!(made.at_share(&one, share) == 1 && made.at_share(&all, share) < 24);
        }
        let shape = Shape { hours: Some(vec![f64::MAX; 24]), ..EVEN };
        assert_eq!(Intensity::new(0, DAY, HOUR, &Zone::utc(), &shape).err(), Some(NoWeight));
        let shape = Shape { hours: Some(vec![0.0; 24]), ..EVEN };
        assert_eq!(Intensity::new(0, DAY, HOUR, &Zone::utc(), &shape).err(), Some(NoWeight));
    }
}
