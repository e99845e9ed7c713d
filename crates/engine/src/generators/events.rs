//! `events`: points in time at which things happen, more often at some hours, on some days and in some months than others.

use std::ops::Range;
use std::sync::Arc;

use lookalike_core::stream::open01;
use lookalike_core::{Seed, declared};
use lookalike_ruleset::decode::{DAY, Decode, NonNegative, Number, Spanned, Stamp, Time, wrong};
use lookalike_ruleset::{Diagnostic, Json, Node, Problems, Span, Type, params};
use polars::prelude::*;
use serde_json::json;

use super::cycle::{Cycle, Hours, Months, Weekdays};
use super::days::Days;
use super::intensity::{Intensity, LONGEST, Shape};
use super::spread::Spread;
use super::steps::{SECOND, step_of};
use super::zone::{Points, Zone, input_of};
use crate::array;
use crate::build::{Builder, stamp_text};
use crate::entity::{Entity, Per};
use crate::generator::{
    Block, Failure, Generator, Group, InputName, Kind, Output, Promise, Rule, Site, Words,
};

params! {
    /// Days with a factor of their own.
    struct Holidays {
        /// The days: dates, month and day for every year, or a column of a lookup's file.
        days: Days,
        /// Factor of their weights, beside those of hour, day of the week and month; 0 unless given.
        weight: NonNegative = NonNegative(0.0),
    }
}

/// How stamps follow the rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Order {
    /// Each row for itself.
    Random,
    /// Rising with the rows of an entity.
    Sorted,
}

impl Decode for Order {
    fn decode(node: &Node, problems: &mut Problems) -> Option<Self> {
        match node.as_scalar().map(|scalar| scalar.text.as_str()) {
            Some("random") => Some(Order::Random),
            Some("sorted") => Some(Order::Sorted),
            _ => {
                wrong(node, Self::what(), problems);
                None
            }
        }
    }
    fn what() -> String {
        "random or sorted".into()
    }
    fn schema() -> Json {
        json!({"enum": ["random", "sorted"]})
    }
}

params! {
    /// When things happen.
    struct Params {
        /// Earliest stamp: a date (its beginning in `zone`), a stamp, or `clock` with an offset.
        from: Spanned<Stamp>,
        /// End of the period, itself excluded.
        to: Spanned<Stamp>,
        /// Time zone whose clocks and calendar the weights refer to; UTC unless given.
        zone: Zone = Zone::utc(),
        /// Weights of the hours of the day.
        hours: Option<Cycle<Hours>>,
        /// Weights of the days of the week.
        weekdays: Option<Cycle<Weekdays>>,
        /// Weights of the months.
        months: Option<Cycle<Months>>,
        /// Days with a factor of their own.
        holidays: Option<Holidays>,
        /// Growth in a year, compounded hour by hour: with 20% the rate rises by the factor 1.2.
        growth: Option<Spanned<Number>>,
        /// `random`: each row for itself. `sorted`: stamps rise with the rows of an entity and differ.
        order: Order = Order::Random,
        /// With `order: sorted`: what the entities are; the whole table unless given.
        per: Option<Per>,
        /// Column of dates or stamps before which nothing happens in a row.
        after: Option<Spanned<String>>,
        /// Column of dates or stamps from which on nothing happens in a row.
        before: Option<Spanned<String>>,
        /// `null`: rows for which no stamp is left get null. Without it that is an error.
        empty: Option<Node>,
        /// Distance between neighbouring stamps: 1s unless given, 1ms with `order: sorted`.
        step: Option<Spanned<Time>>,
    }
}

/// The step of sorted stamps where none is given. They must differ, and a busy minute has more than 60 events; at a
/// thousand stamps a second, collisions matter to hardly anything that is counted in rows.
const MILLISECOND: Time = Time(1000);

impl Rule for Params {
    fn build(self, span: Span, builder: &mut Builder<'_>) -> Option<Box<dyn Generator>> {
        let problems = &mut *builder.problems;
        if let Some(node) = self.empty.as_ref().filter(|node| !node.is_null()) {
            problems.push(
                Diagnostic::error(
                    "bad-value",
                    node.span,
                    format!("found {} where only null can stand", node.describe()),
                )
                .label("expected null")
                .help(
                    "write `empty: null`; to use another value, wrap the column in an `expr` with `coalesce`",
                ),
            );
            return None;
        }
        if let Some(per) = self.per.as_ref().filter(|_| self.order == Order::Random) {
            problems.push(
                Diagnostic::error("bad-value", per.span(), "`per` says nothing about stamps in random order")
                    .label("needs `order: sorted`")
                    .help("add `order: sorted`, or remove `per`"),
            );
            return None;
        }
        if let Some(growth) = self.growth.as_ref().filter(|growth| growth.value.0 <= -1.0) {
            problems.push(
                Diagnostic::error(
                    "bad-value",
                    growth.span,
                    "a rate cannot shrink by 100 % or more in a year",
                )
                .label("expected a growth above -100%"),
            );
            return None;
        }
        let default = if self.order == Order::Sorted { MILLISECOND } else { SECOND };
        let step = step_of(self.step.unwrap_or(Spanned { value: default, span }), problems)?;
        Some(Box::new(Events { params: self, step, span, ready: None }))
    }
}

struct Events {
    params: Params,
    /// In microseconds.
    step: i64,
    span: Span,
    ready: Option<Ready>,
}

struct Ready {
    intensity: Arc<Intensity>,
    after: Option<Points>,
    before: Option<Points>,
    draw: Draw,
}

enum Draw {
    Random(Words),
    Sorted(Entity, Seed),
}

impl Events {
    fn per(&self) -> Per {
        self.params.per.clone().unwrap_or_else(Per::table)
    }

    /// The period, its weights and what is wrong with them.
    fn intensity(&self, site: &mut Site<'_>) -> Option<Intensity> {
        let Params { from, to, zone, hours, weekdays, months, holidays, growth, .. } = &self.params;
        let holidays = match holidays {
            Some(Holidays { days, weight }) => Some((days.resolve(site)?, weight.0)),
            None => None,
        };
        let (first, end) = (zone.resolve(*from, site), zone.resolve(*to, site));
        let (first, end) = (first?, end?);
        let period = i128::from(end) - i128::from(first);
        if period <= 0 || period > i128::from(LONGEST) {
            let (message, label) = if period <= 0 {
                (
                    format!("the period is empty: it runs from {} to {}", stamp_text(first), stamp_text(end)),
                    "holds no stamp",
                )
            } else {
                (format!("the period has {} days", period / i128::from(DAY)), "expected at most 200 years")
            };
            site.problems.push(
                Diagnostic::error("bad-value", to.span, message)
                    .label(label)
                    .related(from.span, "it begins here")
                    .help("`to` is the end of the period and itself excluded"),
            );
            return None;
        }
        let shape = Shape {
            hours: hours.as_ref().map(|cycle| cycle.weights.clone()),
            weekdays: weekdays.as_ref().map(|cycle| cycle.weights.clone()),
            months: months.as_ref().map(|cycle| cycle.weights.clone()),
            holidays,
            rate: growth.map_or(0.0, |growth| libm::log1p(growth.value.0)),
        };
        let made = Intensity::new(first, end, self.step, zone, &shape);
        if made.is_err() {
            site.error(
                "bad-weights",
                "no stamp of the period can be drawn: their weights add up to 0, or to more than numbers can hold",
                "hour, day of the week, month and holiday each give a factor, and a stamp's weight is their product",
            );
        }
        made.ok()
    }

    /// With sorted stamps, an entity's rows must agree about their limits.
    fn check_limits(&self, site: &mut Site<'_>) -> Option<()> {
        if self.params.order == Order::Random || self.per().name() == "row" {
            return Some(());
        }
        let per = self.per();
        let prefix = format!("{}.", per.name());
        for name in [&self.params.after, &self.params.before].into_iter().flatten() {
            if per.name() == "table" || !name.value.starts_with(&prefix) {
                let help = if per.name() == "table" {
                    "limits need `per: <link>` and a column of that link's parent; for the whole table, use `from` and `to`".to_owned()
                } else {
                    format!("use a column of the parent: `{prefix}…`")
                };
                site.problems.push(
                    Diagnostic::error(
                        "bad-value",
                        name.span,
                        format!(
                            "the rows of an entity may differ in `{}`, and then have no order",
                            name.value
                        ),
                    )
                    .label("not a column of the entity")
                    .help(help),
                );
                return None;
            }
        }
        Some(())
    }

    /// The positions that are left to each row, if there are limits.
    fn limits(&self, ready: &Ready, block: &Block<'_>) -> Result<Option<Vec<Range<u64>>>, Failure> {
        if ready.after.is_none() && ready.before.is_none() {
            return Ok(None);
        }
        let whole = 0..ready.intensity.len();
        let mut within = vec![whole; block.len()];
        if let Some(after) = &ready.after {
            for (range, micros) in within.iter_mut().zip(after.micros(&self.params.zone, block)?) {
                range.start = micros.map_or(range.start, |micros| ready.intensity.position(micros));
            }
        }
        if let Some(before) = &ready.before {
            for (range, micros) in within.iter_mut().zip(before.micros(&self.params.zone, block)?) {
                range.end = micros.map_or(range.end, |micros| ready.intensity.position(micros));
            }
        }
        Ok(Some(within))
    }

    fn none_left(&self, block: &Block<'_>, at: usize, left: u64, wanted: u64) -> Failure {
        let row = block.rows.get(at);
        let limits: Vec<&str> = [&self.params.after, &self.params.before]
            .into_iter()
            .flatten()
            .map(|name| name.value.as_str())
            .collect();
        let limits = if limits.is_empty() {
            String::new()
        } else {
            format!(" within the limits of {}", limits.join(" and "))
        };
        Failure::new(if wanted == 1 {
            format!(
                "row {row}: no stamp is left{limits}; widen the period, or write `empty: null` for null in such rows"
            )
        } else {
            format!(
                "row {row}: its entity has {wanted} rows, but only {left} stamps are left{limits}; widen the period, shorten \
                 `step`, or write `empty: null` for null in such rows"
            )
        })
    }
}

impl Generator for Events {
    fn inputs(&self, inputs: &mut Vec<InputName>) {
        if self.params.order == Order::Sorted {
            self.per().inputs(true, inputs);
        }
        inputs.extend([&self.params.after, &self.params.before].into_iter().flatten().map(input_of));
    }

    fn prepare(&mut self, site: &mut Site<'_>) -> Option<Output> {
        self.check_limits(site)?;
        let intensity = self.intensity(site)?;
        let mut limit = |name: &Option<Spanned<String>>| match name {
            Some(name) => Points::prepare(name, site).map(Some),
            None => Some(None),
        };
        let (after, before) = (limit(&self.params.after), limit(&self.params.before));
        let (after, before) = (after?, before?);
        let draw = if self.params.order == Order::Sorted {
            let per = self.per();
            let entity = per.prepare(true, site)?;
            if let Entity::Table { rows } = entity {
                // No two rows of the one entity share a stamp.
                site.demand.unique = None;
                if rows > intensity.len() {
                    site.problems.push(
                        Diagnostic::error(
                            "bad-value",
                            self.span,
                            format!(
                                "the table has {rows} rows, but the period only {} stamps",
                                intensity.len()
                            ),
                        )
                        .label("stamps in order must differ")
                        .help("widen the period, shorten `step`, or make fewer rows"),
                    );
                    return None;
                }
            }
            Draw::Sorted(entity, site.seed.derive("sorted"))
        } else {
            Draw::Random(site.words(site.seed))
        };
        let nullable = self.params.empty.is_some();
        self.ready = Some(Ready { intensity: Arc::new(intensity), after, before, draw });
        Some(Output { nullable, ..Output::of(Type::Datetime) })
    }

    fn promise(&self) -> Promise<'_> {
        match &self.ready {
            Some(Ready { intensity, after: None, before: None, draw: Draw::Random(_) }) => {
                let spread = declared::Spread::Law(intensity.clone());
                Promise::Drawn(declared::Promise::Spread(spread))
            }
            _ => Promise::Nothing,
        }
    }

    fn has_place(&self) -> bool {
        matches!(self.ready, Some(Ready { draw: Draw::Sorted(..), .. }))
    }

    fn fill(&self, block: &Block<'_>) -> Result<Series, Failure> {
        let ready = self.ready.as_ref().expect("set in prepare");
        let intensity = &ready.intensity;
        let limits = self.limits(ready, block)?;
        let within = |at: usize| match &limits {
            Some(ranges) => ranges[at].clone(),
            None => 0..intensity.len(),
        };
        let mut positions: Vec<Option<u64>> = Vec::with_capacity(block.len());
        match &ready.draw {
            Draw::Random(words) => {
                let whole = intensity.part(0..intensity.len());
                words.for_each(block, |word| {
                    let narrowed;
                    let part = if limits.is_none() {
                        whole.as_ref()
                    } else {
                        narrowed = intensity.part(within(positions.len()));
                        narrowed.as_ref()
                    };
                    positions.push(part.map(|part| intensity.at_share(part, open01(word))));
                });
            }
            // The attempt does not count: a row drawn again for itself would fall out of the order.
            Draw::Sorted(entity, seed) => {
                let mut spread = Spread::new(intensity, *seed);
                let places = entity.places(block)?;
                if self.params.empty.is_none()
                    && let Some(at) = (0..places.len()).find(|at| {
                        let range = within(*at);
                        places[*at].count > range.end.saturating_sub(range.start)
                    })
                {
                    let range = within(at);
                    let left = range.end.saturating_sub(range.start);
                    return Err(self.none_left(block, at, left, places[at].count));
                }
                positions
                    .extend(places.iter().enumerate().map(|(at, place)| spread.position(*place, within(at))));
            }
        }
        let stamps: Vec<Option<i64>> =
            positions.iter().map(|position| position.map(|position| intensity.stamp(position))).collect();
        match stamps.iter().position(Option::is_none) {
            None => array::from_ints(stamps.into_iter().flatten().collect(), Type::Datetime),
            Some(at) if self.params.empty.is_none() => Err(self.none_left(block, at, 0, 1)),
            Some(_) => Ok(array::stamps(stamps)),
        }
    }
}

pub(super) const KIND: Kind = Kind {
    name: "events",
    group: Group::Time,
    summary: "Points in time at which things happen: by hour, weekday, month, holidays and growth.",
    details: "Stamps are `from`, `from + step`, … before `to`. A stamp's weight is the product of those of its hour, day of the \
              week and month on the clocks of `zone`, of its holiday and of the growth since `from`; rows draw stamps in \
              proportion to the weights. Weights come as a list of all (24, 7 or 12) or as a mapping from some or ranges of \
              them (`{9-17: 10, 18-22: 4, else: 1}`, `{sat-sun: 0}`); what is not listed has the weight of `else`, or 1. So \
              the share of an hour among the 24 is its weight by the sum of all, on days of 24 hours: the hour that a change \
              to summer time skips does not occur, and the one that the change back repeats occurs twice. The rules of the \
              zones are those of the tz database that comes with the program. Holidays are dates, or month and day for every \
              year, or `{in: <lookup>, take: <column>}`; their `weight` is one more factor. `growth: 20%` multiplies the \
              rate by 1.2 a year (365.2425 days). Where `from`, `to`, `after` or `before` is a date, it means the beginning of \
              that day in `zone`. `after` and `before` name columns that narrow the period of a row (from the one on, up to \
              the other, itself excluded; null is no limit); where no stamp is left the run fails, or with `empty: null` the \
              row gets null. With `order: random` each row draws for itself. With `order: sorted` the stamps of an entity \
              (`per: <link>`, or the whole table) rise with its rows and differ, as if all were drawn and then sorted, yet any \
              row can be made alone, in time that grows with the logarithm of their number; an event on a stamp that is taken \
              moves to the next free one. Such stamps depend on the number of the entity's rows, and are kept when `require` \
              draws a row again; limits must then be columns of the parent. The period has at most 200 years.",
    example: "{events: {from: 2025-01-01, to: 2026-01-01, zone: Europe/Berlin, hours: {8-17: 10, 18-22: 4, else: 1}, weekdays: {sat-sun: 0.3}, \
              growth: 20%}}",
    ..Kind::of::<Params>()
};

#[cfg(test)]
mod tests {
    use lookalike_core::Rows;
    use lookalike_core::testing::{chi_squared_p_value, ks_p_value, ks_statistic};

    use super::*;
    use crate::plan::Plan;
    use crate::testing::{column, plan};

    /// The chance that a right sample fails any one of the statistical tests below.
    const FALSE_ALARM: f64 = 1e-6;
    const SECOND: i64 = 1_000_000;
    const HOUR: i64 = 3600 * SECOND;

    fn micros(plan: &Plan, rows: impl Into<Rows>) -> Vec<i64> {
        let frame = plan.tables[0].frame(&rows.into()).unwrap();
        let series = frame.column("c").unwrap().as_materialized_series().to_physical_repr().into_owned();
        series.i64().unwrap().iter().map(Option::unwrap).collect()
    }

    fn made(events: &str, rows: u64) -> Vec<i64> {
        let plan = column(&format!("{{events: {{{events}}}}}"), rows).unwrap_or_else(|d| panic!("{d:#?}"));
        micros(&plan, 0..rows)
    }

    fn stamp(text: &str) -> i64 {
        text.parse::<jiff::Timestamp>().unwrap().as_microsecond()
    }

    fn in_berlin(micros: i64) -> jiff::civil::DateTime {
        let zone = jiff::tz::TimeZoneDatabase::bundled().get("Europe/Berlin").unwrap();
        zone.to_datetime(jiff::Timestamp::from_microsecond(micros).unwrap())
    }

    /// Fails if the counts do not follow the weights; an entry of weight 0 must be empty.
    fn check_shares(counts: &[f64], weights: &[f64]) {
        let (n, sum): (f64, f64) = (counts.iter().sum(), weights.iter().sum());
        let mut statistic = 0.0;
        let mut kept = 0.0;
        for (count, weight) in counts.iter().zip(weights) {
            let expected = n * weight / sum;
            if expected == 0.0 {
                assert_eq!(*count, 0.0, "{counts:?}");
            } else {
                statistic += (count - expected).powi(2) / expected;
                kept += 1.0;
            }
        }
        assert!(chi_squared_p_value(statistic, kept - 1.0) > FALSE_ALARM, "{counts:?} against {weights:?}");
    }

    const BERLIN: &str = "from: 2025-01-01, to: 2026-01-01, zone: Europe/Berlin";

    fn count<const N: usize>(stamps: &[i64], of: impl Fn(jiff::civil::DateTime) -> usize) -> [f64; N] {
        let mut counts = [0.0; N];
        stamps.iter().for_each(|micros| counts[of(in_berlin(*micros))] += 1.0);
        counts
    }

    #[test]
    fn hours_and_weekdays_have_their_shares_on_local_clocks() {
        let shape =
            "hours: {0-6: 1, 7-9: 5, 10-17: 10, 18-22: 4, 23: 0}, weekdays: {mon-fri: 10, sat: 4, sun: 2}";
        let mut hours = [1.0; 24];
        hours[7..10].fill(5.0);
        hours[10..18].fill(10.0);
        hours[18..23].fill(4.0);
        hours[23] = 0.0;
        // 2025 has 52 of each day of the week, and one more Wednesday.
        let days = [520.0, 520.0, 530.0, 520.0, 520.0, 208.0, 104.0];
        for order in ["random", "sorted"] {
            let stamps = made(&format!("{BERLIN}, {shape}, order: {order}"), 40_000);
            // Each hour occurs 365 times: the one skipped in March is repeated in October.
            check_shares(&count::<24>(&stamps, |local| local.hour() as usize), &hours);
            let weekday = |local: jiff::civil::DateTime| local.weekday().to_monday_zero_offset() as usize;
            check_shares(&count::<7>(&stamps, weekday), &days);
        }
    }

    #[test]
    fn months_and_holidays_have_their_factors() {
        let stamps = made(
            &format!(
                "{BERLIN}, months: {{dec: 2, feb: 0}}, holidays: {{days: [12-24, 2025-12-25, 2024-12-26], weight: 0.5}}"
            ),
            40_000,
        );
        let lengths = [31.0, 0.0, 31.0, 30.0, 31.0, 30.0, 31.0, 31.0, 30.0, 31.0, 30.0, 2.0 * 30.0];
        check_shares(&count::<12>(&stamps, |local| local.month() as usize - 1), &lengths);
        let day = |local: jiff::civil::DateTime| match (local.month(), local.day()) {
            (12, 24) => 0,
            (12, 25) => 1,
            (12, 26) => 2,
            _ => 3,
        };
        let rest = lengths.iter().sum::<f64>() - 4.0;
        check_shares(&count::<4>(&stamps, day), &[1.0, 1.0, 2.0, rest]);
    }

    #[test]
    fn growth_compounds() {
        let stamps = made("from: 2025-01-01, to: 2027-01-01, growth: 300%", 20_000);
        let half = |micros: &i64| usize::from(*micros >= stamp("2026-01-01T00:00:00Z"));
        let mut counts = [0.0; 2];
        stamps.iter().for_each(|micros| counts[half(micros)] += 1.0);
        // The integrals of 4^t over 365 days each; a year has 365.2425.
        let year = |t: f64| 4f64.powf(t * 365.0 / 365.2425);
        check_shares(&counts, &[year(1.0) - year(0.0), year(2.0) - year(1.0)]);
    }

    #[test]
    fn the_skipped_hour_is_empty_and_the_repeated_one_comes_twice() {
        let two = "zone: Europe/Berlin, hours: {2: 1, else: 0}";
        let skipped = column(&format!("{{events: {{from: 2025-03-30, to: 2025-03-31, {two}}}}}"), 10);
        assert_eq!(skipped.err().unwrap()[0].code, "bad-weights");
        let stamps = made(&format!("from: 2025-10-26, to: 2025-10-27, {two}"), 10_000);
        let start = stamp("2025-10-26T00:00:00Z");
        let mut counts = [0.0; 2];
        stamps.iter().for_each(|micros| counts[((micros - start) / HOUR) as usize] += 1.0);
        check_shares(&counts, &[1.0, 1.0]);
        // Dates are local days.
        let day = made("from: 2025-10-26, to: 2025-10-27, zone: Europe/Berlin, step: 1h, order: sorted", 25);
        assert_eq!((day[0], day[24]), (start - 2 * HOUR, start + 22 * HOUR));
    }

    #[test]
    fn sorted_stamps_rise_and_follow_the_intensity() {
        let rows = 100_000;
        let events = "{events: {from: 1970-01-01, to: 1970-01-02, hours: {0-11: 3, 12-23: 1}, order: sorted}, unique: true}";
        let plan = column(events, rows).unwrap();
        let whole = micros(&plan, 0..rows);
        assert!(whole.is_sorted_by(|a, b| a < b));
        assert!(whole.iter().all(|micros| micros % 1000 == 0));
        for start in (0..10).rev().map(|part| part * 9973) {
            let end = (start + 50).min(rows);
            assert_eq!(micros(&plan, start..end), whole[start as usize..end as usize]);
        }
        let list: Vec<u64> = (0..500).map(|at| at * 7919 % rows).collect();
        let expected: Vec<i64> = list.iter().map(|row| whole[*row as usize]).collect();
        assert_eq!(micros(&plan, list), expected);
        let sample: Vec<f64> = whole.iter().map(|micros| *micros as f64 / HOUR as f64).collect();
        let distance = ks_statistic(sample, |x| if x < 12.0 { x / 16.0 } else { 0.75 + (x - 12.0) / 48.0 });
        assert!(ks_p_value(distance, rows as f64) > FALSE_ALARM, "{distance}");
    }

    #[test]
    fn a_full_period_is_used_to_the_last_stamp() {
        let all = made("from: 1970-01-01, to: 1970-01-02, step: 1m, order: sorted", 1440);
        assert_eq!(all, (0..1440).map(|at| at * 60 * SECOND).collect::<Vec<_>>());
    }

    fn limited(events: &str) -> Result<Plan, &'static str> {
        let text = format!(
            "lookalike: 1\ntables:\n  t:\n    rows: 3000\n    columns:\n      c: {{events: {{from: 2025-01-01, to: 2026-01-01, zone: Europe/Berlin, {events}}}}}\n    \
             draws:\n      joined: {{date_range: [2024-06-01, 2025-12-31], null: 20%}}\n      \
             left: {{datetime_range: [2025-06-01, 2027-01-01], null: 20%}}\n      word: {{choice: [a, b]}}\n    require: ['coalesce(joined, clock) <> coalesce(left, clock)']\nclock: 2026-01-01\n"
        );
        plan(&text).map_err(|problems| problems[0].code)
    }

    #[test]
    fn columns_narrow_the_period() {
        let plan = limited("after: joined, before: left, empty: null").unwrap();
        assert!(plan.tables[0].schema().fields[0].nullable);
        let frame = plan.tables[0].select(&Rows::from(0..3000), &["c", "joined", "left"]).unwrap();
        let ints = |name: &str| {
            let series = frame.column(name).unwrap().as_materialized_series().to_physical_repr().into_owned();
            let series = series.cast(&DataType::Int64).unwrap();
            series.i64().unwrap().iter().collect::<Vec<_>>()
        };
        let (from, to) = (stamp("2024-12-31T23:00:00Z"), stamp("2025-12-31T23:00:00Z"));
        let (mut empty, mut shares) = (0, Vec::new());
        for ((value, joined), left) in ints("c").into_iter().zip(ints("joined")).zip(ints("left")) {
            // A day begins one or two hours before midnight in UTC.
            let first = joined.map_or(from, |day| {
                let midnight = super::super::zone::date_of(day).unwrap().at(0, 0, 0, 0);
                in_berlin_at(midnight).max(from)
            });
            let end = left.unwrap_or(to).min(to);
            match value {
                Some(value) => {
                    assert!((first..end).contains(&value));
                    shares.push((value - first) as f64 / (end - first) as f64);
                }
                None => {
                    assert!(first >= end);
                    empty += 1;
                }
            }
        }
        assert!(empty > 50, "{empty}");
        let n = shares.len() as f64;
        let distance = ks_statistic(shares, |x| x.clamp(0.0, 1.0));
        assert!(ks_p_value(distance, n) > FALSE_ALARM, "{distance}");
    }

    fn in_berlin_at(local: jiff::civil::DateTime) -> i64 {
        let zone = jiff::tz::TimeZoneDatabase::bundled().get("Europe/Berlin").unwrap();
        zone.to_timestamp(local).unwrap().as_microsecond()
    }

    #[test]
    fn rows_without_a_stamp_fail_unless_null_is_asked_for() {
        let plan = limited("after: joined, before: left").unwrap();
        let error = plan.tables[0].frame(&Rows::from(0..3000)).unwrap_err().to_string();
        assert!(error.contains("no stamp is left within the limits of joined and left"), "{error}");
        assert!(error.contains("`empty: null`"), "{error}");
        // Each row an entity: order says nothing, limits may be any columns.
        assert!(limited("after: joined, order: sorted, per: row").is_ok());
    }

    #[test]
    fn larger_draws_give_later_stamps() {
        // A period of one hour twice: values rise with the word, as correlated columns need.
        let shape = Shape { hours: None, weekdays: None, months: None, holidays: None, rate: -0.5 };
        let intensity = Intensity::new(0, 400 * DAY, HOUR, &Zone::utc(), &shape).unwrap();
        let all = intensity.part(0..intensity.len()).unwrap();
        let at = |step: u64| intensity.at_share(&all, open01(step << 52));
        assert!((0..4096).map(at).collect::<Vec<_>>().is_sorted());
    }

    #[test]
    fn mistakes_are_shown() {
        for (events, code) in [
            ("from: 2025-01-02, to: 2025-01-02", "bad-value"),
            ("from: 2025-01-02, to: 2025-01-01", "bad-value"),
            ("from: 1000-01-01, to: 2025-01-01", "bad-value"),
            ("from: clock - 7000000d, to: 2025-01-01", "bad-value"),
            ("from: 2025-01-01, to: 2026-01-01, zone: Berlin", "bad-value"),
            ("from: 2025-01-01, to: 2026-01-01, hours: {0-23: 0}", "bad-weights"),
            ("from: 2025-01-01, to: 2026-01-01, hours: {9-17: 1}", "bad-weights"),
            ("from: 2025-01-01, to: 2026-01-01, hours: {9-17: 2, 17-20: 3}", "bad-weights"),
            ("from: 2025-01-01, to: 2026-01-01, hours: [1, 2]", "bad-weights"),
            ("from: 2025-01-01, to: 2026-01-01, hours: {24: 1}", "unknown-key"),
            ("from: 2025-01-01, to: 2026-01-01, hours: {9: -1}", "bad-value"),
            ("from: 2025-01-01, to: 2026-01-01, weekdays: {monday: 2}", "unknown-key"),
            ("from: 2025-01-01, to: 2026-01-01, holidays: {days: [2025-02-29]}", "bad-timestamp"),
            ("from: 2025-01-01, to: 2026-01-01, growth: -100%", "bad-value"),
            ("from: 2025-01-01, to: 2035-01-01, growth: 1e300", "bad-weights"),
            ("from: 2025-01-01, to: 2026-01-01, step: 0s", "bad-value"),
            ("from: 2025-01-01, to: 2026-01-01, order: sortd", "wrong-type"),
            ("from: 2025-01-01, to: 2026-01-01, per: table", "bad-value"),
            ("from: 2025-01-01, to: 2026-01-01, empty: 5", "bad-value"),
            ("from: 2025-01-01, to: 2025-01-02, step: 15m, order: sorted", "bad-value"),
            ("from: 2025-01-01, to: 2026-01-01, after: c", "dependency-cycle"),
        ] {
            let problems = column(&format!("{{events: {{{events}}}}}"), 97).err();
            let problems = problems.unwrap_or_else(|| panic!("{events} is accepted"));
            assert!(problems.iter().any(|problem| problem.code == code), "{events}: {problems:#?}");
        }
        assert_eq!(limited("after: word").err(), Some("wrong-type"));
        assert_eq!(limited("after: joned").err(), Some("unknown-column"));
        assert_eq!(limited("after: joined, order: sorted").err(), Some("bad-value"));
    }
}
