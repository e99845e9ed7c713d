//! `interval`: a series at a fixed distance in time, for each entity from its start.

use jiff::Span as JiffSpan;
use lookalike_core::Stream;
use lookalike_core::stream::open01;
use lookalike_ruleset::decode::{Decode, Share, Spanned, Time};
use lookalike_ruleset::{Diagnostic, Json, Node, Problems, Span, Type, params};
use polars::prelude::*;
use serde_json::json;

use super::start::{Start, Starts};
use super::steps::{SECOND, step_of};
use super::zone::{Zone, beyond, date_of, day_of};
use crate::array;
use crate::build::Builder;
use crate::entity::{Entity, Per};
use crate::generator::{Block, Failure, Generator, Group, InputName, Kind, Output, Rule, Site};

/// The distance of a series: of a fixed length, or in days or months of the calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Every {
    /// Microseconds.
    Time(i64),
    /// Days of the calendar; a week has 7.
    Days(i64),
    /// Months of the calendar; a year has 12.
    Months(i64),
}

impl Every {
    fn parse(text: &str) -> Option<Every> {
        let span: JiffSpan = text.trim().parse().ok()?;
        let months = i64::from(span.get_years()) * 12 + i64::from(span.get_months());
        let days = i64::from(span.get_weeks()) * 7 + i64::from(span.get_days());
        let time = span.years(0).months(0).weeks(0).days(0);
        let time = i64::try_from(jiff::SignedDuration::try_from(time).ok()?.as_micros()).ok()?;
        match (months, days, time) {
            (1.., 0, 0) => Some(Every::Months(months)),
            (0, 1.., 0) => Some(Every::Days(days)),
            (0, 0, 1..) => Some(Every::Time(time)),
            _ => None,
        }
    }
}

impl Decode for Every {
    fn decode(node: &Node, problems: &mut Problems) -> Option<Self> {
        let text = String::decode(node, problems)?;
        let every = Every::parse(&text);
        if every.is_none() {
            problems.push(
                Diagnostic::error("bad-duration", node.span, format!("`{text}` is not a distance in time"))
                    .label(format!("expected {}", Self::what()))
                    .help("it is longer than nothing, and has no mixture of months, days and hours, which have no fixed ratio"),
            );
        }
        every
    }
    fn what() -> String {
        "a distance such as 15m or 1h, or in units of the calendar: 1d, 1w, 1mo or 1y".into()
    }
    fn schema() -> Json {
        json!({"type": "string"})
    }
}

params! {
    /// A series at a fixed distance.
    struct Params {
        /// First value: a date, a stamp, `clock` with an offset, or a column that holds each entity's.
        start: Start,
        /// Distance of the values: 15m, 1h; 1d, 1w, 1mo and 1y go by the calendar.
        every: Every,
        /// Time zone for dates, days and months; UTC unless given.
        zone: Zone = Zone::utc(),
        /// What the series belong to; the whole table unless given.
        per: Per = Per::table(),
        /// Values lie up to this share of the distance to their neighbours aside; below 50%.
        jitter: Spanned<Share> = Spanned { value: Share(0.0), span: Span::default() },
        /// With `jitter`: values lie whole steps aside.
        step: Spanned<Time> = Spanned { value: SECOND, span: Span::default() },
    }
}

impl Rule for Params {
    fn build(self, span: Span, builder: &mut Builder<'_>) -> Option<Box<dyn Generator>> {
        let jitter = self.jitter.value.0;
        if jitter >= 0.5 {
            builder.problems.push(
                Diagnostic::error(
                    "bad-value",
                    self.jitter.span,
                    "with so much jitter neighbours would change places",
                )
                .label("expected less than 50%")
                .help("for quite irregular times use `arrivals`, or `events` with `order: sorted`"),
            );
            return None;
        }
        let step = step_of(self.step, builder.problems)?;
        Some(Box::new(Interval { params: self, jitter, step, span, ready: None }))
    }
}

struct Interval {
    params: Params,
    jitter: f64,
    /// In microseconds.
    step: i64,
    span: Span,
    ready: Option<Ready>,
}

struct Ready {
    starts: Starts,
    entity: Entity,
    stream: Stream,
    /// Whether the values are dates.
    dates: bool,
}

impl Interval {
    /// The value at a distance from the start: microseconds, or days if `dates`. `None` outside the calendar.
    fn value(&self, start: i64, ordinal: i64, dates: bool) -> Option<i64> {
        let months = |count: i64, date: jiff::civil::Date| {
            date.checked_add(JiffSpan::new().try_months(count.checked_mul(ordinal)?).ok()?).ok()
        };
        match self.params.every {
            _ if ordinal == 0 => Some(start),
            Every::Time(micros) => start
                .checked_add(micros.checked_mul(ordinal)?)
                .filter(|micros| jiff::Timestamp::from_microsecond(*micros).is_ok()),
            Every::Days(days) if dates => {
                start.checked_add(days.checked_mul(ordinal)?).filter(|day| date_of(*day).is_some())
            }
            Every::Months(count) if dates => Some(day_of(months(count, date_of(start)?)?)),
            every => {
                let zone = &self.params.zone;
                let local = zone.local(start)?;
                let date = match every {
                    Every::Months(count) => months(count, local.date())?,
                    Every::Days(count) => {
                        date_of(day_of(local.date()).checked_add(count.checked_mul(ordinal)?)?)?
                    }
                    Every::Time(_) => return None,
                };
                zone.micros(date.to_datetime(local.time()))
            }
        }
    }

    /// How far a value is moved, given its word: less than half the way to either neighbour, so that all keep their order.
    fn moved(&self, start: i64, ordinal: i64, here: i64, word: u64) -> Option<i64> {
        let side = 2.0 * open01(word) - 1.0;
        let neighbour = self.value(start, if side < 0.0 { ordinal - 1 } else { ordinal + 1 }, false)?;
        let distance = (neighbour - here).abs() as f64;
        let aside = (side * self.jitter * distance) as i64;
        Some(here + aside / self.step * self.step)
    }
}

impl Generator for Interval {
    fn inputs(&self, inputs: &mut Vec<InputName>) {
        self.params.start.inputs(inputs);
        self.params.per.inputs(true, inputs);
    }

    fn prepare(&mut self, site: &mut Site<'_>) -> Option<Output> {
        let starts = self.params.start.prepare(&self.params.zone, site);
        let entity = self.params.per.prepare(true, site);
        let (starts, entity) = (starts?, entity?);
        let by_time = matches!(self.params.every, Every::Time(_));
        let dates = starts.are_dates() && !by_time && self.jitter == 0.0;
        if let (Entity::Table { rows: rows @ 1.. }, Starts::Fixed { micros, .. }) = (entity, starts) {
            // One series: its values differ, and its end is known.
            site.demand.unique = None;
            let last = i64::try_from(rows - 1).ok().and_then(|last| self.value(micros, last, false));
            if last.is_none_or(|last| jiff::Timestamp::from_microsecond(last).is_err()) {
                site.problems.push(
                    Diagnostic::error(
                        "bad-value",
                        self.span,
                        format!("row {} lies beyond the year 9999", rows - 1),
                    )
                    .label("a series as long as the table")
                    .help("make fewer rows, shorten `every`, or give each parent its series: `per: <link>`"),
                );
                return None;
            }
        }
        let nullable = starts.nullable();
        self.ready = Some(Ready { starts, entity, stream: site.seed.stream(), dates });
        Some(Output { nullable, ..Output::of(if dates { Type::Date } else { Type::Datetime }) })
    }

    fn has_place(&self) -> bool {
        true
    }

    fn fill(&self, block: &Block<'_>) -> Result<Series, Failure> {
        let Ready { starts, entity, stream, dates } = self.ready.as_ref().expect("set in prepare");
        let stream = stream.with_attempt(block.attempt);
        let starts = starts.values(*dates, &self.params.zone, block)?;
        let places = entity.places(block)?;
        let mut values = Vec::with_capacity(block.len());
        for (at, (start, place)) in starts.into_iter().zip(places).enumerate() {
            let value = |start: i64| {
                let ordinal = i64::try_from(place.ordinal).ok()?;
                let here = self.value(start, ordinal, *dates)?;
                if self.jitter == 0.0 {
                    return Some(here);
                }
                self.moved(start, ordinal, here, stream.word(block.rows.get(at), 0))
            };
            values.push(start.map(|start| value(start).ok_or_else(beyond)).transpose()?);
        }
        if *dates {
            let days = values.into_iter().map(|day| day.map(i32::try_from).transpose());
            let days = days.collect::<Result<Vec<_>, _>>().map_err(|_| beyond())?;
            return Ok(Int32Chunked::from_iter_options(PlSmallStr::EMPTY, days.into_iter())
                .into_date()
                .into_series());
        }
        Ok(array::stamps(values))
    }
}

pub(super) const KIND: Kind = Kind {
    name: "interval",
    group: Group::Time,
    summary: "Points in time at a fixed distance, for the table or for each parent's rows.",
    details: "Row k of an entity gets `start` plus k times `every`. Hours and less are lengths of time; days, weeks, months and \
              years go by the calendar of `zone`: the time of day stays over a change to summer time (a time that is skipped \
              moves later by the gap), and months keep the day of `start` or take the month's last (31 January, 28 February, \
              31 March). Dates with days or months give dates, all else gives stamps; a date in front of hours is the beginning \
              of its day in `zone`. `start` may be a column, such as a parent's; null stays null. With `jitter: 10%` a value \
              lies up to a tenth of the distance to its neighbour aside, evenly, by whole steps of a second unless `step` says \
              otherwise; below 50 % all keep their order.",
    example: "{interval: {start: 2026-01-01T00:00:00Z, every: 1h, jitter: 10%}}",
    ..Kind::of::<Params>()
};

#[cfg(test)]
mod tests {
    use lookalike_core::Rows;
    use lookalike_core::testing::{ks_p_value, ks_statistic};

    use super::*;
    use crate::testing::{column, example, plan};

    fn texts(yaml: &str, rows: u64) -> Vec<String> {
        let plan = column(&format!("{{{yaml}, type: text}}"), rows).unwrap_or_else(|d| panic!("{d:#?}"));
        let frame = plan.tables[0].frame(&Rows::from(0..rows)).unwrap();
        let column = frame.column("c").unwrap();
        column.str().unwrap().iter().map(|text| text.unwrap().to_owned()).collect()
    }

    fn micros(yaml: &str, rows: u64) -> Vec<i64> {
        let plan = column(yaml, rows).unwrap_or_else(|d| panic!("{d:#?}"));
        let frame = plan.tables[0].frame(&Rows::from(0..rows)).unwrap();
        let series = frame.column("c").unwrap().as_materialized_series().to_physical_repr().into_owned();
        series.i64().unwrap().iter().map(Option::unwrap).collect()
    }

    #[test]
    fn days_keep_their_hour_over_summer_time() {
        let days = texts("interval: {start: 2025-03-28T01:30:00Z, every: 1d, zone: Europe/Berlin}", 4);
        // 02:30 in Berlin; on the 30th that is skipped and becomes 03:30, which is 01:30 in UTC.
        assert_eq!(
            days,
            ["2025-03-28T01:30:00Z", "2025-03-29T01:30:00Z", "2025-03-30T01:30:00Z", "2025-03-31T00:30:00Z"]
        );
        let hours = texts("interval: {start: 2025-10-26, every: 1h, zone: Europe/Berlin}", 4);
        // Midnight in Berlin, and 2 o'clock twice.
        assert_eq!(hours[0], "2025-10-25T22:00:00Z");
        assert_eq!(hours[3], "2025-10-26T01:00:00Z");
    }

    #[test]
    fn months_take_the_last_day_where_they_must() {
        let months = texts("interval: {start: 2024-01-31, every: 1mo}", 5);
        assert_eq!(months, ["2024-01-31", "2024-02-29", "2024-03-31", "2024-04-30", "2024-05-31"]);
        let years = texts("interval: {start: 2024-02-29T12:00:00Z, every: 1y, zone: UTC}", 5);
        assert_eq!(years[1], "2025-02-28T12:00:00Z");
        assert_eq!(years[4], "2028-02-29T12:00:00Z");
        assert_eq!(texts("interval: {start: 2024-12-30, every: 2w}", 2), ["2024-12-30", "2025-01-13"]);
    }

    /// A false alarm in a million.
    #[test]
    fn jitter_is_even_and_keeps_the_order() {
        let hour = 3_600_000_000i64;
        let values = micros("{interval: {start: 1970-01-01T00:00:00Z, every: 1h, jitter: 40%}}", 20_000);
        assert!(values.is_sorted_by(|a, b| a < b));
        let aside: Vec<f64> =
            values.iter().enumerate().map(|(at, v)| (v - at as i64 * hour) as f64 / hour as f64).collect();
        assert!(values.iter().all(|v| v % 1_000_000 == 0));
        let distance = ks_statistic(aside, |x| ((x + 0.4) / 0.8).clamp(0.0, 1.0));
        // Whole seconds shift the law by up to 1 / 2880.
        assert!(ks_p_value(distance - 1.0 / 2880.0, 20_000.0) > 1e-6, "{distance}");
        let values =
            micros("{interval: {start: 2025-01-31, every: 1mo, jitter: 49%, zone: America/Lima}}", 2000);
        assert!(values.is_sorted_by(|a, b| a < b));
    }

    #[test]
    fn each_entity_starts_at_its_own_value() {
        let text = "lookalike: 1\ntables:\n  t:\n    rows: 100\n    columns:\n      born: {date_range: [2000-01-01, 2020-12-31], null: 20%}\n      \
                    c: {interval: {start: born, every: 1y, per: row}}\n";
        let plan = plan(text).unwrap_or_else(|d| panic!("{d:#?}"));
        let frame = plan.tables[0].frame(&Rows::from(0..100)).unwrap();
        let (born, first) = (frame.column("born").unwrap(), frame.column("c").unwrap());
        assert!(born.equals_missing(&first.clone().with_name("born".into())));
        assert!(plan.tables[0].schema().fields[1].nullable);
    }

    #[test]
    fn unique_comes_for_free() {
        assert!(column("{interval: {start: 2025-01-01, every: 1d}, unique: true}", 100).is_ok());
    }

    #[test]
    fn mistakes_are_refused() {
        for (yaml, code) in [
            ("start: 2025-01-01, every: 0s", "bad-duration"),
            ("start: 2025-01-01, every: -1d", "bad-duration"),
            ("start: 2025-01-01, every: 1mo 3d", "bad-duration"),
            ("start: 2025-01-01, every: often", "bad-duration"),
            ("start: 2025-01-01, every: 1h, jitter: 50%", "bad-value"),
            ("start: 2025-01-01, every: 1h, jitter: 1%, step: 0s", "bad-value"),
            ("start: 2025-01-01, every: 1h, zone: Europe/Berlln", "bad-value"),
            ("start: 2025-01-01, every: 1000y", "bad-value"),
            ("start: word, every: 1h, per: row", "wrong-type"),
            ("start: wodr, every: 1h", "unknown-column"),
            ("every: 1h", "missing-key"),
        ] {
            let problems = example(&format!("{{interval: {{{yaml}}}}}"), 1000, 1).err();
            assert_eq!(problems.unwrap_or_else(|| panic!("{yaml} is accepted"))[0].code, code, "{yaml}");
        }
        let zone =
            &column("{interval: {start: 2025-01-01, every: 1h, zone: Europe/Berlln}}", 1).err().unwrap()[0];
        assert_eq!(zone.help.as_deref(), Some("did you mean `Europe/Berlin`?"));
    }

    #[test]
    fn distances_have_one_unit() {
        assert_eq!(Every::parse("1h 30m"), Some(Every::Time(5_400_000_000)));
        assert_eq!(Every::parse("1w 1d"), Some(Every::Days(8)));
        assert_eq!(Every::parse("1y 6mo"), Some(Every::Months(18)));
        assert_eq!(Every::parse("1d 12h"), None);
    }
}
