//! `events`: points in time at which things happen, more often at some hours, on some days and in some months than others.

use std::ops::Range;

use lookalike_core::Seed;
use lookalike_core::stream::open01;
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
use crate::generator::{Block, Failure, Generator, Group, InputName, Kind, Output, Rule, Site, Words};

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
    intensity: Intensity,
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
    fn within(&self, ready: &Ready, block: &Block<'_>) -> Result<Option<Vec<Range<u64>>>, Failure> {
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
        self.ready = Some(Ready { intensity, after, before, draw });
        Some(Output { nullable, ..Output::of(Type::Datetime) })
    }

    fn fill(&self, block: &Block<'_>) -> Result<Series, Failure> {
        let ready = self.ready.as_ref().expect("set in prepare");
        let intensity = &ready.intensity;
        let within = self.within(ready, block)?;
        let within = |at: usize| match &within {
            Some(ranges) => ranges[at].clone(),
            None => 0..intensity.len(),
        };
        let mut positions: Vec<Option<u64>> = Vec::with_capacity(block.len());
        match &ready.draw {
            Draw::Random(words) => words.for_each(block, |word| {
                let range = within(positions.len());
                positions.push((!range.is_empty()).then(|| intensity.at_share(&range, open01(word))));
            }),
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
            Some(_) => {
                let column = Int64Chunked::from_iter_options(PlSmallStr::EMPTY, stamps.into_iter());
                Ok(column.into_datetime(TimeUnit::Microseconds, None).into_series())
            }
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
