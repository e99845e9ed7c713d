//! `arrivals`: a series with a random distance between neighbours, for each entity from its start.

use std::sync::{Mutex, PoisonError};

use lookalike_core::{Seed, Stream};
use lookalike_ruleset::decode::{Spanned, Time};
use lookalike_ruleset::{Diagnostic, Span, Type, params};
use polars::prelude::*;

use super::lengths::Lengths;
use super::start::{Start, Starts};
use super::steps::step_of;
use super::zone::{Zone, beyond};
use crate::array;
use crate::build::Builder;
use crate::entity::{Entity, Per};
use crate::generator::{Block, Failure, Generator, Group, InputName, Kind, Output, Rule, Site};

params! {
    /// A series with random gaps.
    struct Params {
        /// First value: a date, a stamp, `clock` with an offset, or a column that holds each entity's.
        start: Start,
        /// Distance from one value to the next.
        gap: Lengths,
        /// Time zone for dates; UTC unless given.
        zone: Zone = Zone::utc(),
        /// What the series belong to; the whole table unless given.
        per: Per = Per::table(),
        /// Gaps are whole steps, at least one.
        step: Spanned<Time> = Spanned { value: MILLISECOND, span: Span::default() },
    }
}

const MILLISECOND: Time = Time(1000);

/// The most rows of an entity. Its last row costs as many draws, several seconds.
const MOST: u64 = 100_000_000;

/// Sums are remembered for every so many rows of the table.
const STRIDE: u64 = 1024;

impl Rule for Params {
    fn build(self, span: Span, builder: &mut Builder<'_>) -> Option<Box<dyn Generator>> {
        let step = step_of(self.step, builder.problems)?;
        Some(Box::new(Arrivals { params: self, step, span, ready: None }))
    }
}

struct Arrivals {
    params: Params,
    /// In microseconds.
    step: i64,
    span: Span,
    ready: Option<Ready>,
}

struct Ready {
    starts: Starts,
    entity: Entity,
    seed: Seed,
    /// If the table is the one entity: the time from the start to rows 0, `STRIDE`, 2 `STRIDE`, … A note of what could be
    /// added up again at any time, so values do not depend on who asked for what before.
    marks: Mutex<Vec<i64>>,
}

/// How far the rows of an entity are added up.
#[derive(Clone, Copy)]
struct Sum {
    entity: u64,
    stream: Stream,
    ordinal: u64,
    /// Time from the start to the row with this ordinal, in microseconds; as large as can be if it does not fit.
    micros: i64,
}

impl Arrivals {
    fn advance(&self, sum: &mut Sum, ordinal: u64) {
        while sum.ordinal < ordinal {
            sum.ordinal += 1;
            let gap = self.params.gap.micros(sum.stream.word(sum.ordinal, 0));
            let steps = ((gap as u64 + self.step as u64 / 2) / self.step as u64).max(1);
            sum.micros = sum.micros.saturating_add((steps as i64).saturating_mul(self.step));
        }
    }

    /// The sum at the last mark before a row of the table.
    fn at_mark(&self, ready: &Ready, ordinal: u64) -> Sum {
        let stream = ready.seed.derive_index(0).stream();
        let mark = (ordinal / STRIDE) as usize;
        let mut marks = ready.marks.lock().unwrap_or_else(PoisonError::into_inner);
        while marks.len() <= mark {
            let last = marks.len() as u64 - 1;
            let mut sum = Sum { entity: 0, stream, ordinal: last * STRIDE, micros: marks[last as usize] };
            self.advance(&mut sum, (last + 1) * STRIDE);
            marks.push(sum.micros);
        }
        Sum { entity: 0, stream, ordinal: mark as u64 * STRIDE, micros: marks[mark] }
    }
}

impl Generator for Arrivals {
    fn inputs(&self, inputs: &mut Vec<InputName>) {
        self.params.start.inputs(inputs);
        self.params.per.inputs(true, inputs);
    }

    fn prepare(&mut self, site: &mut Site<'_>) -> Option<Output> {
        let starts = self.params.start.prepare(&self.params.zone, site);
        let entity = self.params.per.prepare(true, site);
        let (starts, entity) = (starts?, entity?);
        if let (Entity::Table { rows }, Starts::Fixed { .. }) = (entity, starts) {
            site.demand.unique = None;
            if rows > MOST {
                site.problems.push(
                    Diagnostic::error(
                        "bad-value",
                        self.span,
                        format!("a series of {rows} rows is too long to add up"),
                    )
                    .label(format!("expected at most {MOST} rows"))
                    .help("use `events` with `order: sorted`, which makes any row alone, or `per: <link>`"),
                );
                return None;
            }
        }
        let nullable = starts.nullable();
        let seed = site.seed.derive("gaps");
        self.ready = Some(Ready { starts, entity, seed, marks: Mutex::new(vec![0]) });
        Some(Output { nullable, ..Output::of(Type::Datetime) })
    }

    // The attempt does not count: a row's place follows from those before it, which are not drawn again.
    fn has_place(&self) -> bool {
        true
    }

    fn fill(&self, block: &Block<'_>) -> Result<Series, Failure> {
        let ready = self.ready.as_ref().expect("set in prepare");
        let starts = ready.starts.values(false, &self.params.zone, block)?;
        let mut values = Vec::with_capacity(block.len());
        let mut sum: Option<Sum> = None;
        for (start, place) in starts.into_iter().zip(ready.entity.places(block)?) {
            if place.ordinal >= MOST {
                return Err(Failure::new(format!("a series of more than {MOST} rows is too long to add up")));
            }
            let known = sum.filter(|sum| sum.entity == place.entity && sum.ordinal <= place.ordinal);
            let mut here = match (known, ready.entity) {
                (Some(sum), Entity::Table { .. }) if place.ordinal - sum.ordinal < STRIDE => sum,
                (_, Entity::Table { .. }) => self.at_mark(ready, place.ordinal),
                (Some(sum), _) => sum,
                (None, _) => {
                    let stream = ready.seed.derive_index(place.entity).stream();
                    Sum { entity: place.entity, stream, ordinal: 0, micros: 0 }
                }
            };
            self.advance(&mut here, place.ordinal);
            sum = Some(here);
            let value = |start: i64| {
                let micros = start.checked_add(here.micros)?;
                jiff::Timestamp::from_microsecond(micros).ok().map(|_| micros)
            };
            values.push(start.map(|start| value(start).ok_or_else(beyond)).transpose()?);
        }
        Ok(array::stamps(values))
    }
}

pub(super) const KIND: Kind = Kind {
    name: "arrivals",
    group: Group::Time,
    summary: "Points in time with random gaps, for the table or for each parent's rows.",
    details: "The first row of an entity gets `start`, each further one the stamp before it plus a gap: a fixed length, a range \
              in which all lengths are alike probable (`[1m, 1h]`), `{exponential: {mean: 5m}}` (a Poisson process: independent \
              arrivals at a constant rate) or `{log_normal: {median: 1h, p95: 2d}}`. Gaps are whole steps of a millisecond, \
              unless `step` says otherwise, and at least one, so stamps rise. `start` may be a column, such as a parent's; null \
              stays null. A row's stamp is a sum over all rows before it in the entity: rows in order cost one draw each, a row \
              alone as many as there are before it, of which an entity may have 100 million. They are kept when `require` draws \
              a row again. Where the rate changes with the hour or any row is to be had at once, use `events` with \
              `order: sorted`.",
    example: "{arrivals: {start: 2026-01-01T08:00:00Z, gap: {exponential: {mean: 5m}}}}",
    ..Kind::of::<Params>()
};

#[cfg(test)]
mod tests {
    use lookalike_core::Rows;
    use lookalike_core::testing::{ks_p_value, ks_statistic};

    use crate::plan::Plan;
    use crate::testing::{column, plan};

    fn micros(plan: &Plan, rows: impl Into<Rows>) -> Vec<i64> {
        let frame = plan.tables[0].frame(&rows.into()).unwrap();
        let series = frame.column("c").unwrap().as_materialized_series().to_physical_repr().into_owned();
        series.i64().unwrap().iter().map(Option::unwrap).collect()
    }

    const POISSON: &str = "{arrivals: {start: 1970-01-01, gap: {exponential: {mean: 5m}}}}";

    /// A false alarm in a million.
    #[test]
    fn gaps_follow_their_law() {
        let values = micros(&column(POISSON, 20_001).unwrap(), 0..20_001);
        assert_eq!(values[0], 0);
        let gaps: Vec<f64> = values.windows(2).map(|pair| (pair[1] - pair[0]) as f64 / 3e8).collect();
        assert!(gaps.iter().all(|gap| *gap > 0.0));
        let distance = ks_statistic(gaps, |x| 1.0 - (-x).exp());
        assert!(ks_p_value(distance, 20_000.0) > 1e-6, "{distance}");
    }

    #[test]
    fn rows_are_the_same_however_they_are_asked_for() {
        let whole = micros(&column(POISSON, 20_000).unwrap(), 0..20_000);
        // Backwards, on a plan that has seen nothing before.
        let fresh = column(POISSON, 20_000).unwrap();
        for start in (0..10).rev().map(|part| part * 1999) {
            let end = (start + 700).min(20_000);
            assert_eq!(micros(&fresh, start..end), whole[start as usize..end as usize], "{start}");
        }
        let list: Vec<u64> = (0..300).map(|at| at * 7919 % 20_000).collect();
        let expected: Vec<i64> = list.iter().map(|row| whole[*row as usize]).collect();
        assert_eq!(micros(&fresh, list), expected);
    }

    #[test]
    fn gaps_are_whole_steps_and_at_least_one() {
        let made = column("{arrivals: {start: 1970-01-01, gap: [0s, 3s], step: 1s}}", 1000).unwrap();
        let mut gaps: Vec<i64> =
            micros(&made, 0..1000).windows(2).map(|pair| (pair[1] - pair[0]) / 1000).collect();
        gaps.sort_unstable();
        gaps.dedup();
        assert_eq!(gaps, [1000, 2000, 3000]);
    }

    #[test]
    fn what_cannot_be_added_up_is_refused() {
        let refused = |yaml: &str, rows| column(yaml, rows).err().unwrap()[0].code;
        assert_eq!(refused(POISSON, 100_000_001), "bad-value");
        assert_eq!(refused("{arrivals: {start: 1970-01-01, gap: 0s, step: 0s}}", 10), "bad-value");
        assert_eq!(refused("{arrivals: {start: 1970-01-01}}", 10), "missing-key");
        let beyond = column("{arrivals: {start: 1970-01-01, gap: 3000000d}}", 10).unwrap();
        assert!(beyond.tables[0].frame(&Rows::from(0..10)).is_err());
        let rows = plan(
            "lookalike: 1\ntables:\n  t:\n    rows: 9\n    columns:\n      at: {date_range: [2000-01-01, 2020-12-31]}\n      \
                         c: {arrivals: {start: at, gap: 1h, per: row}}\n",
        );
        assert!(rows.is_ok());
    }
}
