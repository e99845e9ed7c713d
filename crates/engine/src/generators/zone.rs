//! Time zones, from the database that comes with the program: the machine's own would give other values on other machines.

use jiff::civil::{self, DateTime};
use jiff::tz::{TimeZone, TimeZoneDatabase};
use jiff::{Span as JiffSpan, Timestamp};
use lookalike_ruleset::decode::{DAY, Decode, Spanned, Stamp};
use lookalike_ruleset::diagnostic::did_you_mean;
use lookalike_ruleset::{Diagnostic, Json, Node, Problems, Type};
use serde_json::json;

use crate::build::resolve_stamp;
use crate::generator::{Block, Failure, InputId, InputName, Output, Site};

/// A time zone of the IANA database, by name: `Europe/Berlin`.
#[derive(Clone, Debug)]
pub(super) struct Zone(TimeZone);

impl Decode for Zone {
    fn decode(node: &Node, problems: &mut Problems) -> Option<Self> {
        let name = String::decode(node, problems)?;
        let database = TimeZoneDatabase::bundled();
        let found = database.get(&name).ok();
        if found.is_none() {
            let known: Vec<String> = database.available().map(|name| name.as_str().to_owned()).collect();
            problems.push(
                Diagnostic::error("bad-value", node.span, format!("`{name}` is not a time zone"))
                    .label(format!("expected {}", Self::what()))
                    .help(did_you_mean(&name, "time zones", known.iter().map(String::as_str))),
            );
        }
        found.map(Zone)
    }
    fn what() -> String {
        "a time zone of the IANA database, such as Europe/Berlin or UTC".into()
    }
    fn schema() -> Json {
        json!({"type": "string"})
    }
}

impl Zone {
    /// Coordinated universal time.
    pub(super) fn utc() -> Zone {
        Zone(TimeZone::UTC)
    }

    /// The point, in microseconds, at which clocks show `local`. Of an hour that is repeated it is the first one; a time
    /// that is skipped is moved later by the length of the gap. `None` outside the years -9999 to 9999.
    pub(super) fn micros(&self, local: DateTime) -> Option<i64> {
        let point = self.0.to_ambiguous_timestamp(local).compatible().ok()?;
        Some(point.as_microsecond())
    }

    /// The point at which a day begins, given in days since 1970-01-01.
    pub(super) fn midnight(&self, day: i64) -> Option<i64> {
        self.micros(date_of(day)?.at(0, 0, 0, 0))
    }

    /// What clocks show at a point in microseconds.
    pub(super) fn local(&self, micros: i64) -> Option<DateTime> {
        Some(self.0.to_datetime(Timestamp::from_microsecond(micros).ok()?))
    }

    /// How many microseconds clocks are ahead of UTC at a point, and the point up to which they are.
    pub(super) fn offset(&self, micros: i64) -> Option<(i64, i64)> {
        let point = Timestamp::from_microsecond(micros).ok()?;
        let until = self.0.following(point).next().map_or(i64::MAX, |next| next.timestamp().as_microsecond());
        Some((i64::from(self.0.to_offset(point).seconds()) * 1_000_000, until))
    }

    /// A stamp of the ruleset in microseconds; a date is the beginning of its day in this zone. `None` after a problem.
    pub(super) fn resolve(&self, stamp: Spanned<Stamp>, site: &mut Site<'_>) -> Option<i64> {
        let micros = match stamp.value {
            Stamp::Date(day) => self.midnight(i64::from(day)),
            other => {
                let micros = resolve_stamp(other, site)?;
                Timestamp::from_microsecond(micros).ok().map(|_| micros)
            }
        };
        if micros.is_none() {
            site.problems.push(
                Diagnostic::error("bad-value", stamp.span, "this lies outside the years -9999 to 9999")
                    .label("beyond the calendar"),
            );
        }
        micros
    }
}

/// A date by its days since 1970-01-01.
pub(super) fn date_of(day: i64) -> Option<civil::Date> {
    let days = JiffSpan::new().try_days(day).ok()?;
    civil::date(1970, 1, 1).checked_add(days).ok()
}

/// The days of a date since 1970-01-01.
pub(super) fn day_of(date: civil::Date) -> i64 {
    civil::date(1970, 1, 1).until(date).map_or(0, |span| i64::from(span.get_days()))
}

/// A column of dates or stamps that a kind reads.
#[derive(Clone, Copy, Debug)]
pub(super) struct Points {
    input: InputId,
    /// Type of the column: date or datetime.
    pub(super) ty: Type,
    /// Whether the column has nulls.
    pub(super) nullable: bool,
}

/// The name of a column as an input.
pub(super) fn input_of(name: &Spanned<String>) -> InputName {
    InputName { name: name.value.clone(), span: name.span }
}

impl Points {
    /// The column `name`, which must hold dates or stamps; `None` after a problem.
    pub(super) fn prepare(name: &Spanned<String>, site: &mut Site<'_>) -> Option<Points> {
        let (input, Output { ty, nullable, .. }) = site.input(&name.value)?;
        if !matches!(ty, Type::Date | Type::Datetime) {
            site.problems.push(
                Diagnostic::error(
                    "wrong-type",
                    name.span,
                    format!("`{}` is of type {ty}, not a date or a point in time", name.value),
                )
                .label("expected a column of type date or datetime"),
            );
            return None;
        }
        Some(Points { input, ty, nullable })
    }

    /// The points in microseconds; a date is the beginning of its day in `zone`.
    ///
    /// # Errors
    /// When a date lies outside the calendar.
    pub(super) fn micros(&self, zone: &Zone, block: &Block<'_>) -> Result<Vec<Option<i64>>, Failure> {
        let series = block.input(self.input);
        let physical = series.to_physical_repr();
        if self.ty == Type::Datetime {
            return Ok(physical.i64()?.iter().collect());
        }
        // Neighbouring rows often share a day.
        let mut last = (i32::MIN, 0);
        let midnight = |day: i32| {
            if last.0 != day {
                let micros = zone.midnight(i64::from(day)).ok_or_else(beyond)?;
                last = (day, micros);
            }
            Ok(last.1)
        };
        let mut midnight = midnight;
        physical.i32()?.iter().map(|day| day.map(&mut midnight).transpose()).collect()
    }

    /// The days of the points since 1970-01-01, as calendars in `zone` show them.
    ///
    /// # Errors
    /// When a point lies outside the calendar.
    pub(super) fn days(&self, zone: &Zone, block: &Block<'_>) -> Result<Vec<Option<i64>>, Failure> {
        let series = block.input(self.input);
        let physical = series.to_physical_repr();
        if self.ty == Type::Date {
            return Ok(physical.i32()?.iter().map(|day| day.map(i64::from)).collect());
        }
        let mut offset = (0, i64::MAX, i64::MIN);
        let mut day = |micros: i64| {
            if !(offset.1..offset.2).contains(&micros) {
                let (ahead, until) = zone.offset(micros).ok_or_else(beyond)?;
                offset = (ahead, micros, until);
            }
            Ok(micros.saturating_add(offset.0).div_euclid(DAY))
        };
        physical.i64()?.iter().map(|micros| micros.map(&mut day).transpose()).collect()
    }
}

/// A value outside the calendar.
pub(super) fn beyond() -> Failure {
    Failure::new("a date lies outside the years -9999 to 9999")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_change_where_clocks_do() {
        let zone = Zone(TimeZoneDatabase::bundled().get("Europe/Berlin").unwrap());
        let march: Timestamp = "2025-03-30T01:00:00Z".parse().unwrap();
        let october: Timestamp = "2025-10-26T01:00:00Z".parse().unwrap();
        let (march, october) = (march.as_microsecond(), october.as_microsecond());
        const HOUR: i64 = 3_600_000_000;
        assert_eq!(zone.offset(march - 1), Some((HOUR, march)));
        assert_eq!(zone.offset(march), Some((2 * HOUR, october)));
        assert_eq!(Zone::utc().offset(march), Some((0, i64::MAX)));
    }

    #[test]
    fn days_and_dates_correspond() {
        for day in [-719_162, -1, 0, 20_454] {
            assert_eq!(day_of(date_of(day).unwrap()), day);
        }
        assert_eq!(date_of(i64::MAX), None);
    }
}
