//! Keys that tables have in common.

use std::collections::{BTreeMap, BTreeSet};

use lookalike_core::declared::Spread;

use super::checks::{Pending, check, exact, forgive, rows_text};
use super::found::{Found, Odd};
use super::keys::{Keys, MOST_CHILDREN, met};
use super::metrics;
use super::probability::dkw;
use super::table::TableRules;
use crate::model::{Check, Verdict};
use crate::text::number;

/// Which columns of which tables are keys for each other.
#[derive(Clone, Debug, Default)]
pub struct Links {
    /// For each table, by name, the groups of columns whose keys are collected.
    wanted: BTreeMap<String, Vec<Vec<String>>>,
    /// Child, columns, parent, columns, the reference, and whether it is the key alone.
    ties: Vec<Tie>,
    /// Tables with anomalies in unknown rows, with how many there are at most.
    unmarked: BTreeMap<String, Option<u64>>,
    /// Tables of which only a part is looked at.
    parts: BTreeSet<String>,
}

#[derive(Clone, Debug)]
struct Tie {
    child: String,
    columns: Vec<String>,
    parent: String,
    parent_columns: Vec<String>,
    children: Option<Spread>,
    /// Whether anomalies change the columns.
    changed: bool,
    /// Whether anomalies change the columns, and not all rows without them are known.
    unknown: bool,
}

impl Links {
    /// The links among some tables.
    pub fn of<'a>(tables: impl IntoIterator<Item = &'a TableRules> + Clone) -> Links {
        let mut links = Links::default();
        let known: Vec<&str> = tables.clone().into_iter().map(|table| table.schema.table.as_str()).collect();
        for table in tables {
            let name = &table.schema.table;
            if let Some(most) = table.unmarked() {
                links.unmarked.insert(name.clone(), most);
            }
            if !table.whole {
                links.parts.insert(name.clone());
            }
            for column in table.declared.columns.iter().filter(|column| column.unique) {
                links.want(name, vec![column.name.clone()]);
            }
            if let Some(columns) = &table.declared.unique {
                links.want(name, columns.clone());
            }
            for key in table
                .declared
                .references
                .iter()
                .filter(|key| key.is_key && known.contains(&key.parent.as_str()))
            {
                let others = table.declared.references.iter().filter(|other| {
                    other.link == key.link && other.column != key.column && other.parent == key.parent
                });
                let alone = std::iter::once((vec![key.column.clone()], vec![key.parent_column.clone()]));
                let pairs = others.map(|other| {
                    let parents = vec![key.parent_column.clone(), other.parent_column.clone()];
                    (vec![key.column.clone(), other.column.clone()], parents)
                });
                for (columns, parent_columns) in alone.chain(pairs) {
                    links.want(name, columns.clone());
                    links.want(&key.parent, parent_columns.clone());
                    let children = (columns.len() == 1).then(|| key.children.clone()).flatten();
                    let changed = table.is_changed(&columns);
                    links.ties.push(Tie {
                        changed,
                        unknown: changed && !table.clean_known,
                        child: name.clone(),
                        columns,
                        parent: key.parent.clone(),
                        parent_columns,
                        children,
                    });
                }
            }
        }
        links
    }

    fn want(&mut self, table: &str, columns: Vec<String>) {
        let wanted = self.wanted.entry(table.to_owned()).or_default();
        if !wanted.contains(&columns) {
            wanted.push(columns);
        }
    }

    pub(super) fn of_table(&self, table: &str) -> &[Vec<String>] {
        self.wanted.get(table).map_or(&[], Vec::as_slice)
    }
}

impl Links {
    /// The checks between tables.
    ///
    /// # Errors
    /// When a temporary file cannot be read.
    pub fn checks(&self, tables: &mut [(String, Found)]) -> std::io::Result<Vec<Pending>> {
        let mut checks = Vec::new();
        // Children without a parent, by table and key: they have no value to copy either.
        let mut lost: BTreeMap<(String, String), u64> = BTreeMap::new();
        for tie in &self.ties {
            let place = |table: &str, columns: &Vec<String>| {
                let at = self.wanted.get(table)?.iter().position(|wanted| wanted == columns)?;
                Some(at)
            };
            let (Some(child_at), Some(parent_at)) =
                (place(&tie.child, &tie.columns), place(&tie.parent, &tie.parent_columns))
            else {
                continue;
            };
            let mut take = |name: &str, at: usize| {
                let found = tables.iter_mut().find(|(table, _)| table == name)?;
                Some(std::mem::take(found.1.keys.get_mut(at)?))
            };
            let same = tie.child == tie.parent && child_at == parent_at;
            let (Some(mut child), Some(mut parent)) =
                (take(&tie.child, child_at), if same { None } else { take(&tie.parent, parent_at) })
            else {
                continue;
            };
            let n = child.count();
            let parents = parent.count();
            let met = met(&mut child, &mut parent)?;
            let mut give = |name: &str, at: usize, keys: Keys| {
                if let Some(found) = tables.iter_mut().find(|(table, _)| table == name) {
                    found.1.keys[at] = keys;
                }
            };
            give(&tie.child, child_at, child);
            give(&tie.parent, parent_at, parent);
            let columns: Vec<&str> = tie.columns.iter().map(String::as_str).collect();
            let first = met.example.map(|row| (u64::from(row), String::new()));
            let key = (tie.child.clone(), tie.columns[0].clone());
            let before = lost.get(&key).copied().unwrap_or(0);
            if tie.columns.len() == 1 {
                lost.insert(key, met.orphans);
            }
            let alone = tie.columns.len() == 1;
            let odd =
                Odd { count: if alone { met.orphans } else { met.orphans.saturating_sub(before) }, first };
            let parent_columns = tie.parent_columns.join(", ");
            let first_check = checks.len();
            if tie.columns.len() == 1 {
                let mut base = check(&metrics::FOREIGN_KEY, &tie.child, &columns, n);
                base.rule = Some(format!("{}.{parent_columns}", tie.parent));
                checks.push(exact(base, &odd, "every row has a parent", |example| {
                    format!(
                        "{} with a key that `{}` does not have, {example}",
                        rows_text(odd.count),
                        tie.parent
                    )
                }));
                if let Some(spread) = &tie.children {
                    let base = |metric| {
                        let mut check = check(metric, &tie.child, &columns, parents);
                        check.rule = Some(tie.parent.clone());
                        check
                    };
                    if tie.unknown {
                        let mut check = base(&metrics::CHILDREN_FIT);
                        check.verdict = Verdict::Info;
                        check.message = "not tested: anomalies change the keys, and the rows without them are not known: put the file \
                                         of marks beside the data"
                            .to_owned();
                        checks.push(check.into());
                    } else if parents > 0 {
                        checks.push(children_range(spread, &met.families, base(&metrics::CHILDREN_RANGE)));
                        checks.push(children_fit(spread, &met.families, base(&metrics::CHILDREN_FIT)));
                    }
                }
            } else {
                let mut base = check(&metrics::COPIED_VALUE, &tie.child, &columns[1..], n);
                base.rule = Some(format!("{}.{}", tie.parent, tie.parent_columns[1]));
                checks.push(exact(base, &odd, "every value is the parent's", |example| {
                    format!("{} with another value than their parent, {example}", rows_text(odd.count))
                }));
            }
            for pending in &mut checks[first_check..] {
                match self.unmarked.get(&tie.child) {
                    Some(most) if tie.changed => forgive(pending, *most),
                    _ => {}
                }
                // A part of the children has its parents among all of these, but no parent has all its children there.
                let name = pending.check.metric.name;
                let of_families = [metrics::CHILDREN_RANGE.name, metrics::CHILDREN_FIT.name].contains(&name);
                if self.parts.contains(&tie.parent) {
                    unjudged(pending, &tie.parent);
                } else if of_families && self.parts.contains(&tie.child) {
                    unjudged(pending, &tie.child);
                }
            }
        }
        Ok(checks)
    }
}

/// Rows of a part have relatives in the others.
fn unjudged(pending: &mut Pending, part: &str) {
    let check = &mut pending.check;
    check.verdict = Verdict::Info;
    check.message = format!("not judged: only a part of `{part}` was looked at");
    (check.value, check.threshold, pending.p) = (None, None, None);
}

/// Whether no parent has more or fewer children than its law can give it.
fn children_range(spread: &Spread, families: &[u64], base: Check) -> Pending {
    let (low, high) = spread.support();
    // The last number stands for all from there on.
    let beyond =
        |size: usize| size < MOST_CHILDREN && (size as f64) < low - 0.25 || size as f64 > high + 0.25;
    let odd = |(size, count): (usize, &u64)| (*count > 0 && beyond(size)).then_some((size, *count));
    let odd: Vec<(usize, u64)> = families.iter().enumerate().filter_map(odd).collect();
    let count = odd.iter().map(|(_, count)| count).sum();
    let parent = base.rule.clone().unwrap_or_default();
    let least = number(low.max(0.0));
    let range =
        if high.is_finite() { format!("{least} to {}", number(high)) } else { format!("{least} or more") };
    exact(base, &Odd { count, first: None }, &format!("every row of `{parent}` has {range} rows"), |_| {
        let size = odd.last().map_or(0, |(size, _)| *size);
        format!("{} of `{parent}`, such as one with {size}, where {range} are declared", rows_text(count))
    })
}

/// How far the numbers of children lie off their law.
fn children_fit(spread: &Spread, families: &[u64], mut base: Check) -> Pending {
    let parents = base.n as f64;
    let (mut below, mut worst) = (0, (0.0f64, 0));
    for (size, count) in families.iter().enumerate().take(MOST_CHILDREN) {
        below += count;
        let distance = (below as f64 / parents - spread.cdf(size as f64 + 0.25)).abs();
        if distance > worst.0 {
            worst = (distance, size);
        }
    }
    (base.value, base.reference) = (Some(worst.0), Some(0.0));
    base.message = format!(
        "the share of `{}` with at most {} rows is {} off the declared one",
        base.rule.as_deref().unwrap_or_default(),
        worst.1,
        number(worst.0)
    );
    Pending { check: base, p: Some(dkw(worst.0, parents)) }
}
