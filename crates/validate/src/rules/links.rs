//! Keys that tables have in common.

use std::collections::BTreeMap;

use lookalike_core::declared::Spread;

use super::checks::{Pending, check, exact, forgive, rows_text};
use super::found::{Found, Odd};
use super::keys::{Keys, MOST_CHILDREN, met};
use super::metrics;
use super::probability::dkw;
use super::table::TableRules;
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
}

#[derive(Clone, Debug)]
struct Tie {
    child: String,
    columns: Vec<String>,
    parent: String,
    parent_columns: Vec<String>,
    children: Option<Spread>,
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
                    links.ties.push(Tie {
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
                    checks.extend(children_fit(
                        spread,
                        &met.families,
                        parents,
                        &tie.parent,
                        &columns,
                        &tie.child,
                    ));
                }
            } else {
                let mut base = check(&metrics::COPIED_VALUE, &tie.child, &columns[1..], n);
                base.rule = Some(format!("{}.{}", tie.parent, tie.parent_columns[1]));
                checks.push(exact(base, &odd, "every value is the parent's", |example| {
                    format!("{} with another value than their parent, {example}", rows_text(odd.count))
                }));
            }
        }
        for pending in &mut checks {
            if let Some(most) = self.unmarked.get(&pending.check.table) {
                forgive(pending, *most);
            }
        }
        Ok(checks)
    }
}

fn children_fit(
    spread: &Spread,
    families: &[u64],
    parents: u64,
    parent: &str,
    columns: &[&str],
    child: &str,
) -> Option<Pending> {
    if parents == 0 {
        return None;
    }
    let (mut below, mut worst) = (0, (0.0f64, 0));
    for (size, count) in families.iter().enumerate().take(MOST_CHILDREN) {
        below += count;
        let distance = (below as f64 / parents as f64 - spread.cdf(size as f64 + 0.25)).abs();
        if distance > worst.0 {
            worst = (distance, size);
        }
    }
    let mut base = check(&metrics::CHILDREN_FIT, child, columns, parents);
    base.rule = Some(parent.to_owned());
    (base.value, base.reference) = (Some(worst.0), Some(0.0));
    base.message = format!(
        "the share of `{parent}` with at most {} rows is {} off the declared one",
        worst.1,
        number(worst.0)
    );
    Some(Pending { check: base, p: Some(dkw(worst.0, parents as f64)) })
}
