//! What a ruleset expects of a table, group by group.

use std::collections::BTreeMap;

use lookalike_core::Rows;
use lookalike_ruleset::expect::{Claim, Expectation};
use lookalike_ruleset::{TableSchema, Type};
use polars::prelude::*;

use super::checks::{Pending, check};
use super::keys::{Keys, repeated};
use super::metrics::EXPECTATION;
use super::probability::{self, PairSums};
use super::table::Seen;
use crate::cells::{Cells, number_text};
use crate::model::Verdict;
use crate::statistics::{Numbers, Statistics};
use crate::text::{grouped, number};

/// Groups that are told apart; the rows of others are not looked at, and the check says so.
const GROUPS: usize = 1000;

/// What was found for one expectation.
#[derive(Debug, Default)]
pub(super) struct ExpectFound {
    groups: BTreeMap<String, Group>,
    /// Rows of groups beyond the limit.
    left_out: u64,
    keys: Keys,
}

#[derive(Clone, Debug, Default)]
struct Group {
    rows: u64,
    yes: u64,
    no: u64,
    /// The first row for which the condition does not hold, or whose value is null.
    first: Option<u64>,
    numbers: Numbers,
    statistics: Option<Statistics>,
    pairs: PairSums,
}

impl ExpectFound {
    pub(super) fn look(
        expectation: &Expectation,
        schema: &TableSchema,
        frame: &DataFrame,
        numbers: &Rows,
        condition: Option<&[Option<bool>]>,
    ) -> PolarsResult<ExpectFound> {
        let mut found = ExpectFound::default();
        let there = |name: &str| frame.column(name).is_ok();
        if expectation.columns.iter().chain(&expectation.by).any(|column| !there(&column.value)) {
            return Ok(found);
        }
        let series =
            |name: &str| -> PolarsResult<&Series> { Ok(frame.column(name)?.as_materialized_series()) };
        let type_of = |name: &str| schema.fields.iter().find(|f| f.name == name).map_or(Type::Text, |f| f.ty);
        let mut members: BTreeMap<String, Vec<u32>> = BTreeMap::new();
        match &expectation.by {
            None => {
                members.insert(String::new(), (0..frame.height() as u32).collect());
            }
            Some(by) => {
                let cells = Cells::of(series(&by.value)?)?;
                let ty = type_of(&by.value);
                for row in 0..frame.height() {
                    let name = cells.text(row, ty);
                    if let Some(rows) = members.get_mut(&name) {
                        rows.push(row as u32);
                    } else if members.len() < GROUPS {
                        members.insert(name, vec![row as u32]);
                    } else {
                        found.left_out += 1;
                    }
                }
            }
        }
        if expectation.claim == Claim::Unique {
            let by = expectation.by.as_ref().map(|by| series(&by.value)).transpose()?;
            let columns = expectation.columns.iter().map(|column| series(&column.value));
            let columns = by.map(Ok).into_iter().chain(columns).collect::<PolarsResult<Vec<_>>>()?;
            found.keys.add(&columns, numbers).map_err(|e| PolarsError::ComputeError(e.to_string().into()))?;
        }
        let cells = expectation.columns.iter().map(|column| Cells::of(series(&column.value)?));
        let cells = cells.collect::<PolarsResult<Vec<_>>>()?;
        for (name, rows) in members {
            let mut group = Group { rows: rows.len() as u64, ..Group::default() };
            if let Some(condition) = condition {
                for row in &rows {
                    match condition.get(*row as usize).copied().flatten() {
                        Some(true) => group.yes += 1,
                        Some(false) => {
                            group.no += 1;
                            group.first.get_or_insert(numbers.get(*row as usize));
                        }
                        None => {
                            group.first.get_or_insert(numbers.get(*row as usize));
                        }
                    }
                }
            }
            match (&expectation.claim, cells.as_slice()) {
                (Claim::NotNull, [cells]) => {
                    let nulls = cells.nulls();
                    for row in rows.iter().filter(|row| nulls[**row as usize]) {
                        group.no += 1;
                        group.first.get_or_insert(numbers.get(*row as usize));
                    }
                }
                (Claim::Distinct, [_]) => {
                    let column = &expectation.columns[0].value;
                    let mut statistics = Statistics::new(type_of(column));
                    statistics.add(&Cells::of(&series(column)?.take_slice(&rows)?)?);
                    group.statistics = Some(statistics);
                }
                (Claim::Correlation, [Cells::Numbers(a), Cells::Numbers(b)]) => {
                    for row in &rows {
                        if let (Some(a), Some(b)) = (a.get(*row as usize), b.get(*row as usize)) {
                            group.pairs.add(a, b);
                        }
                    }
                }
                (_, [Cells::Numbers(values)]) => {
                    rows.iter()
                        .filter_map(|row| values.get(*row as usize))
                        .for_each(|value| group.numbers.add(value));
                }
                _ => {}
            }
            found.groups.insert(name, group);
        }
        Ok(found)
    }

    pub(super) fn merge(&mut self, other: ExpectFound) -> std::io::Result<()> {
        self.left_out += other.left_out;
        self.keys.merge(other.keys)?;
        for (name, theirs) in other.groups {
            if let Some(own) = self.groups.get_mut(&name) {
                own.rows += theirs.rows;
                own.yes += theirs.yes;
                own.no += theirs.no;
                own.first = own.first.or(theirs.first);
                own.numbers.merge(&theirs.numbers);
                own.pairs.merge(&theirs.pairs);
                match (&mut own.statistics, theirs.statistics) {
                    (Some(own), Some(theirs)) => own.merge(&theirs),
                    (own, theirs) => *own = own.take().or(theirs),
                }
            } else if self.groups.len() < GROUPS {
                self.groups.insert(name, theirs);
            } else {
                self.left_out += theirs.rows;
            }
        }
        Ok(())
    }

    pub(super) fn checks(
        &mut self,
        expectation: &Expectation,
        table: &str,
        seen: Seen,
    ) -> std::io::Result<Vec<Pending>> {
        let columns: Vec<&str> = expectation.columns.iter().map(|column| column.value.as_str()).collect();
        let mut checks = Vec::new();
        if expectation.claim == Claim::Unique {
            let found = repeated(&mut self.keys)?;
            let mut check = check(&EXPECTATION, table, &columns, self.keys.count());
            check.rule = Some(expectation.text.clone());
            (check.value, check.reference, check.threshold) = (Some(found.rows as f64), Some(0.0), Some(0.0));
            check.message = match found.example {
                None => "no value occurs twice".to_owned(),
                Some((a, b)) => {
                    check.verdict = Verdict::Fail;
                    format!("{} rows repeat a value: row {b} has that of row {a}", grouped(found.rows))
                }
            };
            checks.push(check.into());
            return Ok(checks);
        }
        // `is` by groups: each is a test of its own.
        for (name, group) in &self.groups {
            checks.push(group.check(expectation, table, &columns, name, seen));
        }
        if self.left_out > 0 {
            let mut check = check(&EXPECTATION, table, &columns, self.left_out);
            check.rule = Some(expectation.text.clone());
            check.verdict = Verdict::Skipped;
            check.message = format!("{} rows of further groups were not looked at", grouped(self.left_out));
            checks.push(check.into());
        }
        if checks.is_empty() {
            let mut check = check(&EXPECTATION, table, &columns, 0);
            check.rule = Some(expectation.text.clone());
            check.verdict = Verdict::Skipped;
            check.message = "not looked at: there are no rows, or a column is not there".to_owned();
            checks.push(check.into());
        }
        Ok(checks)
    }
}

impl Group {
    fn check(
        &self,
        expectation: &Expectation,
        table: &str,
        columns: &[&str],
        name: &str,
        seen: Seen,
    ) -> Pending {
        let mut check = check(&EXPECTATION, table, columns, self.rows);
        let case = match &expectation.by {
            Some(by) => format!(" where {} is {name}", by.value),
            None => String::new(),
        };
        check.rule = Some(format!(
            "{}{}",
            expectation.text,
            if case.is_empty() { String::new() } else { format!(": {name}") }
        ));
        if expectation.claim.is_absolute() {
            let wrong = if expectation.claim == Claim::Holds { self.rows - self.yes } else { self.no };
            (check.value, check.reference, check.threshold) = (Some(wrong as f64), Some(0.0), Some(0.0));
            if wrong == 0 {
                check.message = format!("true of every row{case}");
            } else {
                check.verdict = Verdict::Fail;
                let row = self.first.map_or_else(String::new, |row| format!(", the first in row {row}"));
                check.message = format!("not true of {} rows{case}{row}", grouped(wrong));
            }
            return check.into();
        }
        let valued = self.yes + self.no;
        let figure = match &expectation.claim {
            Claim::Share => (valued > 0).then(|| self.yes as f64 / valued as f64),
            Claim::Count => Some(self.yes as f64),
            Claim::Mean => self.numbers.mean(),
            Claim::Sum => {
                Some(self.numbers.mean().map_or(0.0, |mean| mean * self.numbers.moments().count as f64))
            }
            Claim::StdDev => self.numbers.moments().std(),
            Claim::Min => self.numbers.range().map(|(min, _)| min),
            Claim::Max => self.numbers.range().map(|(_, max)| max),
            Claim::Quantile(q) => self.numbers.quantiles(&[*q]).map(|quantiles| quantiles[0]),
            Claim::Distinct => self.statistics.as_ref().map(|statistics| statistics.distinct().0 as f64),
            Claim::Correlation => self.pairs.correlation(expectation.is.unwrap_or(0.0)).map(|(r, _)| r),
            Claim::Holds | Claim::Unique | Claim::NotNull => None,
        };
        let Some(figure) = figure else {
            check.verdict = Verdict::Skipped;
            check.message = format!("there are no values to compute it from{case}");
            return check.into();
        };
        check.value = Some(figure);
        let text = number_text(figure, Type::Float);
        if let Some(is) = expectation.is {
            check.reference = Some(is);
            if let Some(reason) = seen.reason(true) {
                check.verdict = Verdict::Info;
                check.message = format!("{text}{case}; not judged: {reason}");
                return check.into();
            }
            let p = match &expectation.claim {
                Claim::Share => probability::binomial(self.yes, valued, is),
                Claim::Correlation => self.pairs.correlation(is).map_or(1.0, |(_, p)| p),
                _ => {
                    let moments = self.numbers.moments();
                    let error = moments.std().unwrap_or(0.0) / (moments.count as f64).sqrt();
                    if error > 0.0 {
                        probability::normal((figure - is) / error * 6.0 / 7.0)
                    } else {
                        f64::from(u8::from(figure == is))
                    }
                }
            };
            check.message = format!("{text}{case}, where the law says {}", number(is));
            return Pending { check, p: Some(p) };
        }
        let exact = |limit: f64| limit.abs().max(1.0) * 1e-12;
        let low = expectation.low.is_some_and(|low| figure < low - exact(low));
        let high = expectation.high.is_some_and(|high| figure > high + exact(high));
        // More rows can but lower a minimum, and raise a maximum or a count: what is beyond in some rows is beyond in all.
        let proven = seen != Seen::Mixed
            && match &expectation.claim {
                Claim::Min => low,
                Claim::Max | Claim::Count | Claim::Distinct => high,
                _ => false,
            };
        if let Some(reason) = seen.reason(false).filter(|_| !proven) {
            check.verdict = Verdict::Info;
            check.message = format!("{text}{case}; not judged: {reason}");
            return check.into();
        }
        check.threshold = if low { expectation.low } else { expectation.high.or(expectation.low) };
        check.verdict = if low || high { Verdict::Fail } else { Verdict::Pass };
        let limits = match (expectation.low, expectation.high) {
            (Some(low), Some(high)) => format!("from {} to {}", number(low), number(high)),
            (Some(low), None) => format!("at least {}", number(low)),
            (None, Some(high)) => format!("at most {}", number(high)),
            (None, None) => String::new(),
        };
        check.message = format!("{text}{case}, where {limits} is expected");
        check.into()
    }
}
