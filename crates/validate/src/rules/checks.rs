//! The checks of one table, from what was found in its rows.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use lookalike_core::declared::{self, Promise};
use lookalike_ruleset::Type;

use super::FALSE_ALARM;
use super::found::{ColumnFound, Found, LeafFound, Odd};
use super::keys::repeated;
use super::metrics;
use super::probability::{self, adjust, dkw};
use super::table::{Prepared, PreparedColumn, PreparedFit, Seen, UNKNOWN_ROWS};
use super::twin::check_twin;
use crate::cells::{number_text, shortened};
use crate::cycles::Cycle;
use crate::model::{Check, Metric, TableReport, Verdict};
use crate::text::{counted, grouped, number};

/// A value that is to be expected so often does occur: it is absent with a probability of 4e-18.
const EXPECTED: f64 = 40.0;

/// A check whose verdict may hang on how many others there are.
pub struct Pending {
    pub(super) check: Check,
    pub(super) p: Option<f64>,
}

pub(super) fn check(metric: &'static Metric, table: &str, columns: &[&str], n: u64) -> Check {
    Check {
        metric,
        table: table.to_owned(),
        columns: columns.iter().map(|column| (*column).to_owned()).collect(),
        rule: None,
        value: None,
        reference: None,
        threshold: None,
        p_value: None,
        n,
        verdict: Verdict::Pass,
        message: String::new(),
        for_release: true,
    }
}

/// An exact check: `count` values are wrong, and none may be.
pub(super) fn exact(mut check: Check, odd: &Odd, none: &str, some: impl FnOnce(&str) -> String) -> Pending {
    check.value = Some(odd.count as f64);
    check.reference = Some(0.0);
    check.threshold = Some(0.0);
    if odd.count == 0 {
        check.message = none.to_owned();
    } else {
        check.verdict = Verdict::Fail;
        let example = odd.first.as_ref().map_or_else(String::new, |(row, value)| {
            if value.is_empty() {
                format!("the first in row {row}")
            } else {
                format!("the first in row {row}: {value}")
            }
        });
        check.message = some(&example);
    }
    Pending { check, p: None }
}

/// Where nobody knows which rows are anomalous, so many rows that break a rule are as it should be: up to `most`, if that is
/// known. What may not be null in any row is not forgiven.
pub(super) fn forgive(pending: &mut Pending, most: Option<u64>) {
    let check = &mut pending.check;
    if check.verdict != Verdict::Fail
        || check.threshold != Some(0.0)
        || check.metric.name == metrics::NOT_NULL.name
    {
        return;
    }
    match most {
        Some(most) if check.value.is_some_and(|count| count <= most as f64) => {
            check.verdict = Verdict::Pass;
            let _ = write!(check.message, "; {} are to be anomalous", rows_text(most));
        }
        Some(most) => {
            let _ = write!(check.message, "; only {} are to be anomalous", rows_text(most));
        }
        None => {
            check.verdict = Verdict::Info;
            check.message.push_str("; how many rows are to be anomalous is not fixed");
        }
    }
    check.threshold = most.map(|most| most as f64);
}

pub(super) fn rows_text(count: u64) -> String {
    if count == 1 { "1 row".to_owned() } else { format!("{} rows", grouped(count)) }
}

/// Gives verdicts: all probabilities of a run are adjusted together.
pub fn judge(mut pending: Vec<Pending>) -> Vec<Check> {
    let mut p_values: Vec<f64> = pending.iter().filter_map(|pending| pending.p).collect();
    adjust(&mut p_values);
    let tested: Vec<&mut Pending> = pending.iter_mut().filter(|pending| pending.p.is_some()).collect();
    for (pending, p) in tested.into_iter().zip(p_values) {
        pending.check.p_value = Some(p);
        pending.check.verdict = if p <= FALSE_ALARM { Verdict::Fail } else { Verdict::Pass };
    }
    pending.into_iter().map(|pending| pending.check).collect()
}

impl Prepared {
    /// The checks of the table by itself, and its part of the report. `found` keeps only its keys, for [`Links::checks`](super::Links::checks).
    ///
    /// # Errors
    /// When a temporary file cannot be read.
    pub fn finish(&self, found: &mut Found) -> std::io::Result<(Vec<Pending>, TableReport)> {
        let table = self.rules.schema.table.as_str();
        let mut checks = Vec::new();
        for (at, column) in self.rules.declared.columns.iter().enumerate() {
            self.check_column(table, column, &self.columns[at], &found.columns[at], &mut checks);
            if column.unique {
                checks.extend(self.uniqueness(std::slice::from_ref(&column.name), found)?);
            }
        }
        if let Some(columns) = &self.rules.declared.unique {
            checks.extend(self.uniqueness(columns, found)?);
        }
        for ((rule, known), odd) in self.rules.declared.requires.iter().zip(&found.missed) {
            let mut base = check(&metrics::REQUIREMENT, table, &[], found.rows);
            base.rule = Some(rule.clone());
            if *known {
                checks.push(exact(base, odd, "every row meets the condition", |example| {
                    format!("{} do not meet `{rule}`, {example}", rows_text(odd.count))
                }));
            } else {
                base.verdict = Verdict::Info;
                base.message = "not looked at: the condition reads draws, which are not in the file".into();
                checks.push(Pending { check: base, p: None });
            }
        }
        for (pair, sums) in self.pairs.iter().zip(&found.pairs) {
            let columns = pair.at.map(|at| self.rules.declared.columns[at].name.as_str());
            let mut base = check(&metrics::RANK_CORRELATION, table, &columns, sums.n);
            base.reference = Some(pair.wanted);
            match sums.correlation(pair.wanted) {
                Some((r, p)) => {
                    base.value = Some(r);
                    base.message = format!("{} where {} is declared", number(r), number(pair.wanted));
                    checks.push(Pending { check: base, p: Some(p) });
                }
                None => {
                    base.verdict = Verdict::Skipped;
                    base.message = "too few rows, or a column that does not vary".into();
                    checks.push(Pending { check: base, p: None });
                }
            }
        }
        for (columns, reason) in &self.untested {
            let columns = columns.each_ref().map(String::as_str);
            let mut base = check(&metrics::RANK_CORRELATION, table, &columns, found.rows);
            base.verdict = Verdict::Info;
            base.message = format!("not tested: {reason}");
            checks.push(base.into());
        }
        if let Some(most) = self.rules.unmarked() {
            // That a key repeats which no anomaly changes is no anomaly.
            let sure = |check: &Check| {
                check.metric.name == metrics::UNIQUENESS.name && !self.rules.is_changed(&check.columns)
            };
            let unsure = checks.iter_mut().filter(|pending| !sure(&pending.check));
            unsure.for_each(|pending| forgive(pending, most));
        }
        if let Some((label, parts)) = &self.rules.declared.parts {
            for (part, wanted) in parts {
                let got = found.parts.get(part).copied().unwrap_or(0);
                let mut base = check(&metrics::SUBSET_SIZE, table, &[label], found.rows);
                base.rule = Some(part.clone());
                (base.value, base.reference) = (Some(got as f64), Some(*wanted as f64));
                let unknown = !self.rules.clean_known && self.rules.is_changed(std::slice::from_ref(label));
                if unknown {
                    base.verdict = Verdict::Info;
                    base.message = format!(
                        "{}; not judged: anomalies change the column, and which rows have them is not known",
                        rows_text(got)
                    );
                } else if self.rules.whole {
                    base.threshold = Some(*wanted as f64);
                    base.verdict = if got == *wanted { Verdict::Pass } else { Verdict::Fail };
                    base.message = format!("{} of {} asked for", rows_text(got), grouped(*wanted));
                } else {
                    base.verdict = Verdict::Info;
                    base.message = format!("{}, of a part of the table", rows_text(got));
                }
                checks.push(Pending { check: base, p: None });
            }
            let unknown: u64 = found
                .parts
                .iter()
                .filter(|(name, _)| !parts.iter().any(|(part, _)| part == *name))
                .map(|(_, n)| n)
                .sum();
            let odd = Odd { count: unknown, first: None };
            let base = check(&metrics::CATEGORY_SET, table, &[label], found.rows);
            checks.push(exact(base, &odd, "all values are parts", |_| {
                format!("{} of no declared part", rows_text(unknown))
            }));
        }
        self.check_anomalies(table, found, &mut checks);
        for (at, (expectation, found)) in self.rules.expects.iter().zip(&mut found.expects).enumerate() {
            let seen = self.rules.seen(at);
            let mut pending = found.checks(expectation, table, seen)?;
            if let Some(most) = self.rules.unmarked().filter(|_| seen == Seen::Mixed) {
                pending.iter_mut().for_each(|pending| forgive(pending, most));
            }
            checks.extend(pending);
        }
        Ok((checks, self.report(found)))
    }

    fn check_anomalies(&self, table: &str, found: &Found, checks: &mut Vec<Pending>) {
        let declared = &self.rules.declared;
        let Some(label) = &declared.label else { return };
        for declared::Anomaly { name, rows: wanted, .. } in &declared.anomalies {
            let got = found.anomalies.get(name).copied().unwrap_or(0);
            let mut base = check(&metrics::ANOMALY_COUNT, table, &[label], found.rows);
            base.rule = Some(name.clone());
            base.value = Some(got as f64);
            match wanted {
                Some(wanted) if self.rules.whole && self.rules.exact_anomalies => {
                    (base.reference, base.threshold) = (Some(*wanted as f64), Some(*wanted as f64));
                    base.verdict = if got == *wanted { Verdict::Pass } else { Verdict::Fail };
                    base.message = format!("{} of {} asked for", rows_text(got), grouped(*wanted));
                }
                _ => {
                    base.verdict = Verdict::Info;
                    base.message =
                        format!("{} have it; how many that are to be is not fixed", rows_text(got));
                }
            }
            checks.push(Pending { check: base, p: None });
        }
        let is_known = |name: &String| declared.anomalies.iter().any(|known| known.name == *name);
        let unknown: u64 =
            found.anomalies.iter().filter(|(name, _)| !is_known(name)).map(|(_, count)| count).sum();
        let odd = Odd { count: unknown, first: None };
        let base = check(&metrics::CATEGORY_SET, table, &[label], found.rows);
        checks.push(exact(base, &odd, "all labels are declared", |_| {
            format!("{} with a label of no declared anomaly", rows_text(unknown))
        }));
        if found.marked > 0 {
            let base = check(&metrics::MARKS_AGREE, table, &[], found.marked);
            checks.push(exact(
                base,
                &found.marks,
                "the marks have the values that are in the rows",
                |example| {
                    format!("{} marks that do not agree with the rows, {example}", grouped(found.marks.count))
                },
            ));
        }
    }

    fn check_column(
        &self,
        table: &str,
        column: &declared::Column,
        prepared: &PreparedColumn,
        found: &ColumnFound,
        checks: &mut Vec<Pending>,
    ) {
        let name = column.name.as_str();
        let base = |metric, n| check(metric, table, &[name], n);
        let field = self.rules.schema.fields.iter().find(|field| field.name == column.name);
        if field.is_some_and(|field| !field.nullable) {
            checks.push(exact(
                base(&metrics::NOT_NULL, found.statistics.count),
                &found.nulls,
                "no value is null",
                |example| {
                    let row = example.strip_suffix(": null").unwrap_or(example);
                    format!("{} are null, {row}", rows_text(found.nulls.count))
                },
            ));
        }
        let any = |test: &dyn Fn(&Promise) -> bool| column.leaves.iter().any(|leaf| test(&leaf.promise));
        let merged = |of: &dyn Fn(&LeafFound) -> &Odd| {
            let mut all = Odd::default();
            for odd in found.leaves.iter().map(of) {
                let earlier = match (&all.first, &odd.first) {
                    (Some((a, _)), Some((b, _))) => b < a,
                    (None, Some(_)) => true,
                    _ => false,
                };
                all.count += odd.count;
                if earlier {
                    all.first.clone_from(&odd.first);
                }
            }
            all
        };
        let values = found.clean_rows - found.clean_nulls;
        if any(&|promise| matches!(promise, Promise::Spread(_))) {
            let odd = merged(&|leaf| &leaf.out_of_range);
            checks.push(exact(
                base(&metrics::VALUE_RANGE, values),
                &odd,
                "all values lie in their range",
                |example| format!("{} outside the declared range, {example}", rows_text(odd.count)),
            ));
        }
        let listed = prepared.leaves.iter().any(|leaf| leaf.values.is_some())
            || any(&|promise| matches!(promise, Promise::Shares(_)));
        if any(&|promise| matches!(promise, Promise::Matches(_))) {
            let odd = merged(&|leaf| &leaf.unmatched);
            checks.push(exact(
                base(&metrics::PATTERN_MATCH, values),
                &odd,
                "all texts have the declared form",
                |example| format!("{} without the declared form, {example}", rows_text(odd.count)),
            ));
        } else if listed {
            let odd = merged(&|leaf| &leaf.unmatched);
            checks.push(exact(
                base(&metrics::CATEGORY_SET, values),
                &odd,
                "all values are among those declared",
                |example| format!("{} with a value that is not declared, {example}", rows_text(odd.count)),
            ));
        }
        if any(&|promise| matches!(promise, Promise::Computed)) {
            checks.push(exact(
                base(&metrics::COMPUTED_VALUE, found.clean_rows),
                &found.wrong,
                "all values follow from the rule",
                |example| {
                    let expected = found.expected.as_deref().unwrap_or("another value");
                    format!(
                        "{} with another value than the rule gives, {example} instead of {expected}",
                        rows_text(found.wrong.count)
                    )
                },
            ));
        }
        if field.is_some_and(|field| field.nullable)
            && found.leaves.iter().any(|leaf| leaf.rows > 0)
            && column.leaves.iter().any(|leaf| leaf.null.is_some())
        {
            checks.push(exact(
                base(&metrics::ONLY_IF, found.clean_rows),
                &found.not_null,
                "values are null where they must be",
                |example| {
                    format!(
                        "{} with a value where the rule gives none, {example}",
                        rows_text(found.not_null.count)
                    )
                },
            ));
        }
        self.check_nulls(column, found, &base, checks);
        self.check_fit(column, prepared, found, &base, checks);
        if let Some(twin) = &prepared.twin {
            checks.extend(check_twin(twin, found, base(&metrics::SAME_TRUTH, found.clean_rows)));
        }
    }

    fn check_nulls(
        &self,
        column: &declared::Column,
        found: &ColumnFound,
        base: &dyn Fn(&'static Metric, u64) -> Check,
        checks: &mut Vec<Pending>,
    ) {
        // Leaves with the same share are one binomial number.
        let mut by_share: Vec<(f64, u64, u64)> = Vec::new();
        for (leaf, found) in column.leaves.iter().zip(&found.leaves) {
            let Some(share) = leaf.null.filter(|_| found.rows > 0) else { continue };
            match by_share.iter_mut().find(|(known, ..)| *known == share) {
                Some((_, nulls, rows)) => {
                    *nulls += found.nulls;
                    *rows += found.rows;
                }
                None => by_share.push((share, found.nulls, found.rows)),
            }
        }
        if by_share.is_empty()
            || (by_share.iter().all(|(share, ..)| *share == 0.0)
                && by_share.iter().all(|(_, nulls, _)| *nulls == 0))
        {
            return;
        }
        let nullable =
            self.rules.schema.fields.iter().any(|field| field.name == column.name && field.nullable);
        if !nullable || !self.rules.clean_known {
            return;
        }
        let tests = by_share.len() as f64;
        let p = by_share
            .iter()
            .map(|(share, nulls, rows)| probability::binomial(*nulls, *rows, *share))
            .fold(1.0, f64::min)
            * tests;
        let (nulls, rows) =
            by_share.iter().fold((0, 0), |sum, (_, nulls, rows)| (sum.0 + nulls, sum.1 + rows));
        let wanted = by_share.iter().map(|(share, _, rows)| share * *rows as f64).sum::<f64>() / rows as f64;
        let share = nulls as f64 / rows as f64;
        let mut check = base(&metrics::NULL_SHARE, rows);
        (check.value, check.reference) = (Some(share), Some(wanted));
        check.message =
            format!("{} % are null where {} % are declared", number(share * 100.0), number(wanted * 100.0));
        checks.push(Pending { check, p: Some(p.min(1.0)) });
    }

    fn check_fit(
        &self,
        column: &declared::Column,
        prepared: &PreparedColumn,
        found: &ColumnFound,
        base: &dyn Fn(&'static Metric, u64) -> Check,
        checks: &mut Vec<Pending>,
    ) {
        // The worst case of each kind of test: P, distance, words, and how many cases there are.
        type Worst = Option<(f64, f64, String)>;
        let (mut numbers, mut shares): (Worst, Worst) = (None, None);
        let (mut number_cases, mut share_cases, mut number_n, mut share_n) = (0.0, 0.0, 0, 0);
        let mut seasons: Vec<(Cycle, Vec<f64>, Vec<u64>, f64)> = Vec::new();
        for ((leaf, prepared), found) in column.leaves.iter().zip(&prepared.leaves).zip(&found.leaves) {
            let n = found.rows - found.nulls;
            if !leaf.independent || !self.rules.clean_known || n == 0 {
                continue;
            }
            let case = if leaf.case.is_empty() { String::new() } else { format!(" where {}", leaf.case) };
            match (&prepared.fit, &leaf.promise) {
                (PreparedFit::Numbers(edges), Promise::Spread(spread) | Promise::Around(spread)) => {
                    let what = if matches!(leaf.promise, Promise::Around(_)) { "noise" } else { "values" };
                    let (mut below, mut worst) = (0, (0.0f64, 0.0, 0.0, 0.0));
                    for (edge, count) in edges.iter().zip(&found.counts) {
                        below += count;
                        let (is, should) = (below as f64 / n as f64, spread.cdf(*edge));
                        if (is - should).abs() > worst.0 {
                            worst = ((is - should).abs(), *edge, is, should);
                        }
                    }
                    number_cases += 1.0;
                    number_n += n;
                    let p = dkw(worst.0, n as f64);
                    if numbers.as_ref().is_none_or(|(least, ..)| p < *least) {
                        let words = if worst.0 == 0.0 {
                            "no difference".to_owned()
                        } else {
                            let edge = number_text(worst.1, self.type_of(&column.name));
                            format!(
                                "{} % of the {what}{case} are below {edge}, where {} % are declared",
                                number(worst.2 * 100.0),
                                number(worst.3 * 100.0)
                            )
                        };
                        numbers = Some((p, worst.0, words));
                    }
                    for ((cycle, shares), counts) in prepared.cycles.iter().zip(&found.cycles) {
                        let p = probability::multinomial(counts, shares);
                        seasons.push((*cycle, shares.clone(), counts.clone(), p));
                    }
                }
                (PreparedFit::Shares(_), Promise::Shares(declared)) => {
                    let wanted: Vec<f64> = declared.iter().map(|(_, share)| *share).collect();
                    let known: u64 = found.counts.iter().sum();
                    if known == 0 {
                        continue;
                    }
                    share_cases += 1.0;
                    share_n += known;
                    let p = probability::multinomial(&found.counts, &wanted);
                    let of = |at: usize| found.counts[at] as f64 / known as f64;
                    let worst = (0..wanted.len())
                        .max_by(|a, b| (of(*a) - wanted[*a]).abs().total_cmp(&(of(*b) - wanted[*b]).abs()));
                    if let Some(at) = worst.filter(|_| shares.as_ref().is_none_or(|(least, ..)| p < *least)) {
                        let chi = probability::chi_squared(&found.counts, &wanted);
                        let words = format!(
                            "{} % of the values{case} are `{}`, where {} % are declared; χ² = {} with {} degrees of freedom",
                            number(of(at) * 100.0),
                            declared[at].0,
                            number(wanted[at] * 100.0),
                            number(chi),
                            wanted.len().saturating_sub(1)
                        );
                        shares = Some((p, (of(at) - wanted[at]).abs(), words));
                    }
                }
                _ => {}
            }
        }
        let mut push = |metric, worst: Worst, cases: f64, n| {
            if let Some((p, distance, words)) = worst {
                let mut check = base(metric, n);
                check.value = Some(distance);
                check.reference = Some(0.0);
                check.message = words;
                checks.push(Pending { check, p: Some((p * cases).min(1.0)) });
            }
        };
        let tested = numbers.is_some() || shares.is_some();
        push(&metrics::DISTRIBUTION_FIT, numbers, number_cases, number_n);
        push(&metrics::CATEGORY_FIT, shares, share_cases, share_n);
        checks.extend(self.coverage(column, found, base));
        for (cycle, shares, counts, p) in seasons {
            let n: u64 = counts.iter().sum();
            let mut check = base(&metrics::SEASONAL_FIT, n);
            check.rule = Some(cycle.name().to_owned());
            let of = |at: usize| counts[at] as f64 / n as f64;
            let far = |at: usize| (of(at) - shares[at]).abs();
            if let Some(at) = (0..counts.len()).max_by(|a, b| far(*a).total_cmp(&far(*b))) {
                check.value = Some(far(at));
                check.message = format!(
                    "{} % in place {} of the cycle, where {} % are declared",
                    number(of(at) * 100.0),
                    cycle.label(at),
                    number(shares[at] * 100.0)
                );
            }
            check.reference = Some(0.0);
            checks.push(Pending { check, p: Some(p) });
        }
        if !tested
            && prepared.twin.is_none()
            && !column.leaves.iter().all(|leaf| matches!(leaf.promise, Promise::Computed))
        {
            let mut check = base(&metrics::DISTRIBUTION_FIT, found.clean_rows);
            check.verdict = Verdict::Info;
            let why = if !self.rules.clean_known {
                UNKNOWN_ROWS
            } else if let Some(why) = column.untested {
                why
            } else if column.rows_independent {
                "the rule declares no law"
            } else {
                "rows share draws, of a parent, of children or of a series: no test takes them for independent"
            };
            check.message = format!("not tested: {why}");
            checks.push(Pending { check, p: None });
        }
    }

    /// Whether no combination of values of these columns occurs twice; none where their keys were not collected.
    fn uniqueness(&self, columns: &[String], found: &mut Found) -> std::io::Result<Option<Pending>> {
        let Some(at) = self.keys.iter().position(|names| names == columns) else { return Ok(None) };
        let keys = &mut found.keys[at];
        let n = keys.count();
        let repeated = repeated(keys)?;
        let first = repeated.example.map(|(a, b)| (u64::from(b), format!("the value of row {a}")));
        let odd = Odd { count: repeated.rows, first };
        let columns: Vec<&str> = columns.iter().map(String::as_str).collect();
        let what = if columns.len() == 1 { "value" } else { "combination of values" };
        let base = check(&metrics::UNIQUENESS, &self.rules.schema.table, &columns, n);
        Ok(Some(exact(base, &odd, &format!("no {what} occurs twice"), |example| {
            format!("{} with a {what} that occurs before, {example}", rows_text(odd.count))
        })))
    }

    /// Whether all declared values occur that are to be expected; none where hardly any is.
    fn coverage(
        &self,
        column: &declared::Column,
        found: &ColumnFound,
        base: &dyn Fn(&'static Metric, u64) -> Check,
    ) -> Option<Pending> {
        let mut values: BTreeMap<&str, (f64, u64)> = BTreeMap::new();
        let mut n = 0;
        for (leaf, found) in column.leaves.iter().zip(&found.leaves) {
            let Promise::Shares(shares) = &leaf.promise else { continue };
            if !leaf.independent || !self.rules.clean_known || found.counts.len() != shares.len() {
                continue;
            }
            let valued: u64 = found.counts.iter().sum();
            n += valued;
            for ((name, share), count) in shares.iter().zip(&found.counts) {
                let value = values.entry(name).or_default();
                *value = (value.0 + share * valued as f64, value.1 + count);
            }
        }
        values.retain(|_, (expected, _)| *expected >= EXPECTED);
        if values.is_empty() {
            return None;
        }
        let absent: Vec<&str> =
            values.iter().filter(|(_, (_, count))| *count == 0).map(|(name, _)| *name).collect();
        let mut check = base(&metrics::DECLARED_COVERAGE, n);
        let (all, there) = (values.len(), values.len() - absent.len());
        (check.value, check.reference, check.threshold) =
            (Some(there as f64 / all as f64), Some(1.0), Some(1.0));
        check.message =
            format!("{there} of {} that are to be expected occur", counted(all as u64, "value", "values"));
        if let Some(first) = absent.first() {
            check.verdict = Verdict::Fail;
            let _ = write!(check.message, "; `{}` does not", shortened(first));
        }
        Some(check.into())
    }

    fn type_of(&self, column: &str) -> Type {
        let field = self.rules.clean.fields.iter().find(|field| field.name == column);
        field.map_or(Type::Text, |field| field.ty)
    }
}

/// A check whose verdict is known.
impl From<Check> for Pending {
    fn from(check: Check) -> Pending {
        Pending { check, p: None }
    }
}
