//! Lists of days: holidays, in the ruleset or in a lookup's file.

use std::collections::BTreeSet;

use lookalike_ruleset::decode::{Decode, Spanned, Stamp, parse_stamp, wrong};
use lookalike_ruleset::diagnostic::did_you_mean;
use lookalike_ruleset::{Diagnostic, Json, Node, Problems, params};
use serde_json::json;

use super::zone::date_of;
use crate::generator::Site;

/// A day of one year, or of every year.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Day {
    /// Days since 1970-01-01.
    Once(i64),
    /// Month and day of the month.
    Yearly(i8, i8),
}

impl Day {
    fn parse(text: &str) -> Option<Day> {
        let text = text.trim();
        if text.len() == 5 {
            // 2024 has a 29 February.
            let date: jiff::civil::Date = format!("2024-{text}").parse().ok()?;
            return Some(Day::Yearly(date.month(), date.day()));
        }
        match parse_stamp(text)? {
            Stamp::Date(days) => Some(Day::Once(i64::from(days))),
            _ => None,
        }
    }
}

impl Decode for Day {
    fn decode(node: &Node, problems: &mut Problems) -> Option<Self> {
        let text = String::decode(node, problems)?;
        let day = Day::parse(&text);
        if day.is_none() {
            problems.push(
                Diagnostic::error("bad-timestamp", node.span, format!("`{text}` is not a day"))
                    .label(format!("expected {}", Self::what())),
            );
        }
        day
    }
    fn what() -> String {
        "a date (2025-12-25), or month and day for every year (12-25)".into()
    }
    fn schema() -> Json {
        json!({"type": "string"})
    }
}

params! {
    /// Days in a lookup's file.
    struct InFile {
        /// Name of the lookup, as under `lookups`.
        r#in: Spanned<String>,
        /// Column of the lookup's file that holds the days.
        take: Spanned<String>,
    }
}

/// What the user writes: a list of days, or where they stand.
#[derive(Clone, Debug)]
pub(super) struct Days(Source);

#[derive(Clone, Debug)]
enum Source {
    List(Vec<Day>),
    File(InFile),
}

impl Decode for Days {
    fn decode(node: &Node, problems: &mut Problems) -> Option<Self> {
        let source = if node.as_list().is_some() {
            Source::List(Vec::decode(node, problems)?)
        } else if node.as_map().is_some() {
            Source::File(InFile::decode(node, problems)?)
        } else {
            wrong(node, Self::what(), problems);
            return None;
        };
        Some(Days(source))
    }
    fn what() -> String {
        "a list of days such as [2025-04-18, 12-25], or {in: <lookup>, take: <column>}".into()
    }
    fn schema() -> Json {
        json!({"anyOf": [Vec::<Day>::schema(), InFile::schema()]})
    }
}

/// Days, ready to be asked.
#[derive(Clone, Debug, Default)]
pub(super) struct DaySet {
    once: BTreeSet<i64>,
    yearly: BTreeSet<(i8, i8)>,
}

impl DaySet {
    /// Whether a day, given in days since 1970-01-01, is one of them.
    pub(super) fn contains(&self, day: i64) -> bool {
        self.once.contains(&day)
            || !self.yearly.is_empty()
                && date_of(day).is_some_and(|date| self.yearly.contains(&(date.month(), date.day())))
    }
}

impl Days {
    /// The days; `None` after a problem.
    pub(super) fn resolve(&self, site: &mut Site<'_>) -> Option<DaySet> {
        let days = match &self.0 {
            Source::List(days) => days.clone(),
            Source::File(place) => place.read(site)?,
        };
        let mut set = DaySet::default();
        for day in days {
            match day {
                Day::Once(day) => set.once.insert(day),
                Day::Yearly(month, day) => set.yearly.insert((month, day)),
            };
        }
        Some(set)
    }
}

impl InFile {
    fn read(&self, site: &mut Site<'_>) -> Option<Vec<Day>> {
        let world = site.world;
        let Spanned { value: name, span } = &self.r#in;
        let Some(file) = world.lookups.iter().find(|lookup| lookup.name == *name) else {
            let help = did_you_mean(name, "lookups", world.lookups.iter().map(|l| l.name.as_str()));
            site.problems.error("unknown-lookup", *span, format!("there is no lookup `{name}`"), help);
            return None;
        };
        let Spanned { value: take, span } = &self.take;
        let Some(at) = file.header.iter().position(|name| name == take) else {
            let help = did_you_mean(take, "columns", file.header.iter().map(String::as_str));
            let message = format!("`{}` has no column `{take}`", file.file);
            site.problems.error("bad-lookup", *span, message, help);
            return None;
        };
        let mut days = Vec::with_capacity(file.lines.len());
        for (number, line) in file.lines.iter().enumerate() {
            let Some(day) = Day::parse(&line[at]) else {
                let message =
                    format!("`{}` on line {} of `{}` is not a day", line[at], number + 2, file.file);
                site.problems.push(
                    Diagnostic::error("bad-lookup", *span, message)
                        .label("expected days in this column")
                        .help("a day is written 2025-12-25, or 12-25 for every year"),
                );
                return None;
            };
            days.push(day);
        }
        Some(days)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_of_one_year_and_of_all() {
        assert_eq!(Day::parse("1970-01-02"), Some(Day::Once(1)));
        assert_eq!(Day::parse("02-29"), Some(Day::Yearly(2, 29)));
        for wrong in ["02-30", "2025-02-29", "clock", "25-12", "2025-12-25T10:00:00Z", ""] {
            assert_eq!(Day::parse(wrong), None, "{wrong}");
        }
        let set = DaySet { once: [5].into(), yearly: [(1, 1)].into() };
        assert!(set.contains(5) && set.contains(0) && set.contains(365) && !set.contains(1));
    }
}
