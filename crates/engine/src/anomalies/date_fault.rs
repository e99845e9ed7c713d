//! `date_fault`: dates as broken programs and forms leave them behind.

use jiff::Timestamp;
use jiff::civil::{Date, date};
use jiff::tz::Offset;
use lookalike_ruleset::decode::{DAY, Spanned};
use lookalike_ruleset::{Node, Span, Type, params, words};
use polars::prelude::*;

use super::cells::{clean_of, ints, named, number_rule, own};
use crate::anomaly::{Anomaly, AnomalyKind, AnomalyRule, Hits, Rules};
use crate::array;
use crate::build::Part;
use crate::generator::{Failure, InputId, InputName, Output, Site};

params! {
    /// Dates as broken programs and forms leave them behind.
    struct Params {
        /// Column of dates or of points in time.
        column: Spanned<String>,
        /// What is wrong: swapped, epoch, future or past.
        r#as: Spanned<Fault>,
        /// With `future` and `past`: how many years; a number, or a generator of whole numbers. 100 unless given.
        years: Option<Part>,
    }
}

words! {
    /// What is wrong with a date.
    enum Fault {
        /// Day and month have changed places.
        Swapped = "swapped",
        /// The beginning of 1970, a computer's zero.
        Epoch = "epoch",
        /// Many years too late.
        Future = "future",
        /// Many years too early.
        Past = "past",
    }
}

impl AnomalyRule for Params {
    fn build(self, _: Span, rules: &mut Rules<'_, '_>) -> Option<Box<dyn Anomaly>> {
        let fault = self.r#as.value;
        let years = self
            .years
            .map(|Part(node): Part| -> (InputName, Node) { (number_rule(rules, "#years", &node), node) });
        if let Some((_, node)) = years.as_ref().filter(|_| !matches!(fault, Fault::Future | Fault::Past)) {
            rules.builder.problems.error(
                "bad-anomaly",
                node.span,
                "`years` goes with `future` and `past`",
                "remove it",
            );
            return None;
        }
        let years = years.map(|(name, _)| name);
        Some(Box::new(DateFault { column: named(&self.column), fault, years, ready: None }))
    }
}

struct DateFault {
    column: InputName,
    fault: Fault,
    years: Option<InputName>,
    ready: Option<(InputId, Type, Option<InputId>)>,
}

impl Anomaly for DateFault {
    fn columns(&self) -> Vec<InputName> {
        vec![self.column.clone()]
    }

    fn inputs(&self, inputs: &mut Vec<InputName>) {
        inputs.extend(self.years.clone());
    }

    fn prepare(&mut self, site: &mut Site<'_>) -> Option<Vec<Output>> {
        let dated = |ty: Type| matches!(ty, Type::Date | Type::Datetime);
        let (id, clean) = clean_of(site, &self.column, dated, "a date or a datetime")?;
        let years = match &self.years {
            Some(years) => Some(own(site, years, |ty| ty == Type::Int, "a whole number")?),
            None => None,
        };
        self.ready = Some((id, clean.ty, years));
        Some(vec![clean])
    }

    fn spoil(&self, hits: &Hits<'_>) -> Result<Vec<Series>, Failure> {
        let (id, ty, years) = self.ready.ok_or_else(|| Failure::new("not prepared"))?;
        let years = years.map(|years| ints(&hits.block.input(years))).transpose()?;
        let clean = hits.block.input(id);
        let micros =
            clean.cast(&array::dtype_of(Type::Datetime))?.to_physical_repr().cast(&DataType::Int64)?;
        let new = |(at, micros): (usize, Option<i64>)| {
            let micros = micros?;
            let years = years.as_ref().map_or(Some(100), |years| years[at]);
            Some(self.fault.of(micros, years).unwrap_or(micros))
        };
        let values = array::stamps(micros.i64()?.iter().enumerate().map(new).collect());
        Ok(vec![if ty == Type::Datetime { values } else { values.cast(&array::dtype_of(ty))? }])
    }
}

impl Fault {
    /// The wrong stamp in place of a right one; `None` where there is none.
    fn of(self, micros: i64, years: Option<i64>) -> Option<i64> {
        let (days, time) = (micros.div_euclid(DAY), micros.rem_euclid(DAY));
        let seconds = days.checked_mul(DAY / 1_000_000)?;
        let day = Offset::UTC.to_datetime(Timestamp::from_second(seconds).ok()?).date();
        let wrong = match self {
            Fault::Epoch => return Some(0),
            Fault::Swapped => Date::new(day.year(), day.day(), day.month()).ok()?,
            Fault::Future => later(day, years?)?,
            Fault::Past => later(day, years?.checked_neg()?)?,
        };
        let days = date(1970, 1, 1).until(wrong).ok()?.get_days();
        Some(i64::from(days) * DAY + time)
    }
}

/// The same day so many years later, within the years that text can show; 28 February where there is no 29th.
fn later(day: Date, years: i64) -> Option<Date> {
    let year = i64::from(day.year()).checked_add(years).filter(|year| (1..=9999).contains(year))?;
    let year = i16::try_from(year).ok()?;
    Date::new(year, day.month(), day.day()).or_else(|_| Date::new(year, day.month(), 28)).ok()
}

pub(super) const KIND: AnomalyKind = AnomalyKind {
    name: "date_fault",
    summary: "Dates as broken programs and forms leave them behind.",
    details: "`swapped` exchanges day and month, where that gives another date: 3 April for 4 March; days from the \
              13th on, and days such as 5 May, stay. `epoch` is the beginning of 1970, a program's zero. `future` and \
              `past` are 100 years off, or as many as `years` says: a number, or a generator of whole numbers; 29 \
              February becomes the 28th in a year that has none. Points in time keep their time of day (UTC), but for \
              `epoch`, which has midnight. Years stay within 1 to 9999: a value that would leave them stays as it is, \
              and so does null.",
    example: "{date_fault: {column: Born, as: swapped}, when: 'extract(day from Born) <= 12'}",
    ..AnomalyKind::of::<Params>()
};

#[cfg(test)]
mod tests {
    use super::super::testing::{changed, refused};
    use super::KIND;

    const COLUMNS: &[&str] = &[
        "Born: {choice: [2024-02-29, 2024-03-04, 2024-12-01, 2024-11-11], type: date}",
        "Seen: {datetime_range: [2026-01-01, 2026-12-31]}",
        "Name: {choice: [ada, bob]}",
    ];

    #[test]
    fn dates_are_wrong() {
        for (before, after) in changed(COLUMNS, "{date_fault: {column: Born, as: swapped}}") {
            let expected = match before.as_str() {
                "2024-03-04" => "2024-04-03",
                "2024-12-01" => "2024-01-12",
                same => same,
            };
            assert_eq!(after, expected);
        }
        for (before, after) in changed(COLUMNS, "{date_fault: {column: Born, as: past, years: 50}}") {
            assert_eq!(after, before.replace("2024", "1974").replace("02-29", "02-28"));
        }
        assert!(
            changed(COLUMNS, "{date_fault: {column: Born, as: epoch}}")
                .iter()
                .all(|(_, day)| day == "1970-01-01")
        );
    }

    #[test]
    fn stamps_keep_their_time() {
        for (before, after) in changed(COLUMNS, "{date_fault: {column: Seen, as: future}}") {
            assert_eq!(after, before.replace("2026", "2126"));
        }
        for (before, after) in
            changed(COLUMNS, "{date_fault: {column: Seen, as: future, years: {int_range: [1, 9000]}}}")
        {
            assert_eq!(after[4..], before[4..]);
        }
        for (before, after) in changed(COLUMNS, "{date_fault: {column: Seen, as: swapped}}") {
            let (day, month) = (&before[8..10], &before[5..7]);
            assert!(after == before || after == format!("2026-{day}-{month}{}", &before[10..]));
        }
        for (_, after) in changed(COLUMNS, "{date_fault: {column: Seen, as: epoch}}") {
            assert!(after.starts_with("1970-01-01 00:00:00"));
        }
    }

    #[test]
    fn years_without_end_change_nothing() {
        for years in ["9000", "-9000", "9223372036854775807", "-9223372036854775808"] {
            for way in ["past", "future"] {
                let anomaly = format!("{{date_fault: {{column: Seen, as: {way}, years: {years}}}}}");
                assert!(changed(COLUMNS, &anomaly).iter().all(|(before, after)| before == after));
            }
        }
    }

    #[test]
    fn mistakes_are_reported() {
        assert_eq!(refused(COLUMNS, "{date_fault: {column: Name, as: past}}"), ["wrong-type"]);
        assert_eq!(refused(COLUMNS, "{date_fault: {column: Born, as: late}}"), ["bad-value"]);
        assert_eq!(refused(COLUMNS, "{date_fault: {column: Born, as: epoch, years: 3}}"), ["bad-anomaly"]);
        assert_eq!(refused(COLUMNS, "{date_fault: {column: Born, as: past, years: 1.5}}"), ["wrong-type"]);
        assert_eq!(refused(COLUMNS, KIND.example), Vec::<&str>::new());
    }
}
