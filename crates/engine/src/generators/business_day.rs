//! `business_day`: whether a day is neither on a weekend nor a holiday.

use lookalike_ruleset::decode::Spanned;
use lookalike_ruleset::{Span, Type, params};
use polars::prelude::*;

use super::cycle::Weekday;
use super::days::{DaySet, Days};
use super::zone::{Points, Zone, input_of};
use crate::build::Builder;
use crate::generator::{Block, Failure, Generator, Group, InputName, Kind, Output, Promise, Rule, Site};

params! {
    /// A calendar, and the column to look up in it.
    struct Params {
        /// Column of dates or stamps.
        of: Spanned<String>,
        /// Days of the week without business.
        weekend: Vec<Weekday> = vec![Weekday(5), Weekday(6)],
        /// Days without business: dates, month and day for every year, or a column of a lookup's file.
        holidays: Option<Days>,
        /// Time zone that says on which day a stamp lies; UTC unless given.
        zone: Zone = Zone::utc(),
    }
}

impl Rule for Params {
    fn build(self, _: Span, _: &mut Builder<'_>) -> Option<Box<dyn Generator>> {
        Some(Box::new(BusinessDay { params: self, ready: None }))
    }
}

struct BusinessDay {
    params: Params,
    ready: Option<(Points, DaySet)>,
}

impl Generator for BusinessDay {
    fn inputs(&self, inputs: &mut Vec<InputName>) {
        inputs.push(input_of(&self.params.of));
    }

    fn prepare(&mut self, site: &mut Site<'_>) -> Option<Output> {
        let holidays = match &self.params.holidays {
            Some(days) => days.resolve(site),
            None => Some(DaySet::default()),
        };
        let of = Points::prepare(&self.params.of, site)?;
        self.ready = Some((of, holidays?));
        Some(Output { nullable: of.nullable, ..Output::of(Type::Bool) })
    }

    fn promise(&self) -> Promise<'_> {
        Promise::Computed
    }

    fn fill(&self, block: &Block<'_>) -> Result<Series, Failure> {
        let (of, holidays) = self.ready.as_ref().expect("set in prepare");
        let open = |day: i64| {
            // 1970-01-01 was a Thursday.
            let weekday = Weekday((day + 3).rem_euclid(7) as usize);
            !self.params.weekend.contains(&weekday) && !holidays.contains(day)
        };
        let days = of.days(&self.params.zone, block)?;
        let values = days.into_iter().map(|day| day.map(open));
        Ok(BooleanChunked::from_iter_options(PlSmallStr::EMPTY, values).into_series())
    }
}

pub(super) const KIND: Kind = Kind {
    name: "business_day",
    group: Group::Time,
    summary: "Whether a day of another column is a business day: neither weekend nor holiday.",
    details: "True for the days that are not among those of `weekend` (`[sat, sun]` unless given; `[]` for none) nor among the \
              `holidays`: dates, month and day for every year (`12-25`), or `{in: <lookup>, take: <column>}` for those of a CSV \
              file. Of a stamp the day on the calendar of `zone` counts. Null for null.",
    example: "{business_day: {of: when, holidays: [2025-04-18, 2025-04-21, 01-01, 12-25]}}",
    ..Kind::of::<Params>()
};

#[cfg(test)]
mod tests {
    use lookalike_core::Rows;
    use lookalike_ruleset::document::{FileProblem, Files};

    use crate::plan::Overrides;
    use crate::testing::{example, plan_with};

    struct Closed;

    impl Files for Closed {
        fn read(&self, _: &str, path: &str) -> Result<(String, Vec<u8>), FileProblem> {
            Ok((path.to_owned(), b"name,day\nCarnival,2025-03-04\nNew Year,01-01\n".to_vec()))
        }
    }

    /// The days of 2025 for which the kind says no, from the column of days `start` on.
    fn closed(start: &str, kind: &str) -> Vec<u64> {
        let text = format!(
            "lookalike: 1\nlookups:\n  closed: {{file: closed.csv, key: [name]}}\ntables:\n  t:\n    rows: 90\n    draws:\n      \
             day: {{sequence: {{start: {start}, step: 1d}}}}\n    columns:\n      c: {{business_day: {{of: day, {kind}}}}}\n"
        );
        let plan = plan_with(&text, &Closed, &Overrides::default()).unwrap_or_else(|d| panic!("{d:#?}"));
        let frame = plan.tables[0].frame(&Rows::from(0..90)).unwrap();
        let open = frame.column("c").unwrap().bool().unwrap().clone();
        (0..90).filter(|at| open.get(*at as usize) == Some(false)).collect()
    }

    #[test]
    fn weekends_and_holidays_are_closed() {
        // 2025 began on a Wednesday.
        let weekends: Vec<u64> = (0..90).filter(|day| matches!((day + 2) % 7, 5 | 6)).collect();
        assert_eq!(closed("2025-01-01", "weekend: [sat, sun]"), weekends);
        assert_eq!(
            closed("2025-01-01", "weekend: [fri]"),
            (0..90).filter(|d| (d + 2) % 7 == 4).collect::<Vec<_>>()
        );
        assert_eq!(closed("2025-01-01", "weekend: [], holidays: [01-02, 2025-02-01, 2024-02-02]"), [1, 31]);
        assert_eq!(closed("2025-01-01", "weekend: [], holidays: {in: closed, take: day}"), [0, 62]);
    }

    #[test]
    fn a_stamp_lies_on_its_local_day() {
        // At 23:30 UTC it is the next day in Berlin.
        let days = closed("2025-01-01T23:30:00Z", "weekend: [], holidays: [01-02], zone: Europe/Berlin");
        assert_eq!(days, [0]);
    }

    #[test]
    fn mistakes_are_refused() {
        for (kind, code) in [
            ("of: when, weekend: [saturday]", "wrong-type"),
            ("of: when, holidays: [2025-02-30]", "bad-timestamp"),
            ("of: when, holidays: {in: colors, take: word}", "unknown-lookup"),
            ("of: when, holidays: {in: colours, take: wrod}", "bad-lookup"),
            ("of: when, holidays: {in: colours, take: word}", "bad-lookup"),
            ("of: number", "wrong-type"),
        ] {
            assert_eq!(
                example(&format!("{{business_day: {{{kind}}}}}"), 10, 1).err().unwrap()[0].code,
                code,
                "{kind}"
            );
        }
    }
}
