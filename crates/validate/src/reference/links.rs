//! Tables that belong together beside their references: keys, numbers of children, and how columns of parent and child
//! hang together.

use std::collections::{BTreeMap, HashMap};

use crate::model::Metric;
use crate::text::{counted, grouped};

use super::columns::side_seed;
use super::pairs::{self, Lane};
use super::table::{Coder, NULL, shared};
use super::{Comparison, Options, Outcome, Role, Table, Tolerance, check, roles, sample};

/// What gives each row of a table a row of another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// The parent's table.
    pub parent: String,
    /// Its key.
    pub parent_key: Vec<String>,
    /// The child's table.
    pub child: String,
    /// The columns that name the parent, in the order of its key.
    pub child_key: Vec<String>,
}

/// Parent and child rows, joined.
pub(crate) struct Joined {
    /// The parent's row of each child, if there is one.
    pub parent_of: Vec<Option<usize>>,
    /// Whether a child names no parent at all.
    pub orphans_by_null: Vec<bool>,
    /// Numbers of children, in ascending order, one for each parent.
    pub children: Vec<f64>,
}

/// A metric of a link.
pub(crate) struct LinkMetric {
    pub metric: &'static Metric,
    pub measure: fn(&Joined, &Joined, Tolerance) -> Outcome,
}

/// The metrics of links.
pub(crate) static LINK_METRICS: &[LinkMetric] = &[
    super::referential_integrity::LINK,
    super::cardinality_shape_similarity::LINK,
    super::cardinality_statistic_similarity::MEAN_LINK,
    super::cardinality_statistic_similarity::MEDIAN_LINK,
    super::cardinality_statistic_similarity::STD_LINK,
    super::cardinality_boundary_adherence::LINK,
];

/// What a comparison of several tables found.
#[derive(Clone, Debug, Default)]
pub struct Whole {
    /// Of each table that both sides have, in the order of the synthetic ones.
    pub tables: Vec<(String, Comparison)>,
    /// Of the links, and of all tables together ([`super::ALL_TABLES`]).
    pub links: Comparison,
}

/// Compares several tables and their links: [`super::compare`] of each, [`compare_links`], and the scores of all together if there
/// are several. `options` are those of the tables by name; a table that has none takes `fallback`. Columns of links are
/// ids, whatever their values look like, unless [`Options::roles`] says otherwise.
pub fn compare_tables(
    real: &[Table<'_>],
    synthetic: &[Table<'_>],
    links: &[Link],
    options: &BTreeMap<String, Options>,
    fallback: &Options,
) -> Whole {
    compare_sampled(real, synthetic, links, &[], options, fallback)
}

/// Parent and child of a link with rows of their own: a sample by the parent's key, so that each parent has all its children.
#[derive(Clone, Copy, Debug)]
pub struct LinkTables<'a> {
    /// Parent and child of the reference.
    pub real: [Table<'a>; 2],
    /// Parent and child of the synthetic tables.
    pub synthetic: [Table<'a>; 2],
}

/// As [`compare_tables`], where for some links, in their order, the tables to join are given.
pub fn compare_sampled(
    real: &[Table<'_>],
    synthetic: &[Table<'_>],
    links: &[Link],
    samples: &[Option<LinkTables<'_>>],
    options: &BTreeMap<String, Options>,
    fallback: &Options,
) -> Whole {
    let option = |table: &Table<'_>| {
        let name = &table.schema.table;
        options.get(name).unwrap_or(fallback).clone().linked(name, links)
    };
    let mut out = Whole::default();
    for own in synthetic {
        let name = &own.schema.table;
        if let Some(reference) = real.iter().find(|table| table.schema.table == *name) {
            out.tables.push((name.clone(), super::compare(reference, own, &option(own))));
        }
    }
    let options: Vec<Options> = real.iter().map(option).collect();
    if !links.is_empty() {
        out.links = compare_all_links(real, synthetic, links, samples, &options);
    }
    if out.tables.len() > 1 {
        let tables: Vec<&Comparison> = out.tables.iter().map(|(_, comparison)| comparison).collect();
        let checks = super::overall(&tables, &out.links);
        out.links.checks.extend(checks);
    }
    out
}

impl Options {
    /// The same, with the columns by which a table is linked to others taken for ids.
    #[must_use]
    pub fn linked(mut self, table: &str, links: &[Link]) -> Options {
        for link in links {
            let up = link.parent_key.iter().filter(|_| link.parent == table);
            let down = link.child_key.iter().filter(|_| link.child == table);
            for column in up.chain(down) {
                self.roles.entry(column.clone()).or_insert(Role::Id);
            }
        }
        self
    }
}

/// Compares how tables hang together with how their references do. Checks belong to the child's table; their columns are the
/// child's key, or `parent.column` and `child.column` for pairs across the link.
///
/// `options` are those of the real tables, in their order. A link whose tables are not among those given is skipped, and a note
/// says so.
pub fn compare_links(
    real: &[Table<'_>],
    synthetic: &[Table<'_>],
    links: &[Link],
    options: &[Options],
) -> Comparison {
    compare_all_links(real, synthetic, links, &[], options)
}

fn compare_all_links(
    real: &[Table<'_>],
    synthetic: &[Table<'_>],
    links: &[Link],
    samples: &[Option<LinkTables<'_>>],
    options: &[Options],
) -> Comparison {
    let mut out = Comparison::default();
    let fallback = Options::default();
    let of = |tables: &[Table<'_>], name: &str| tables.iter().position(|table| table.schema.table == name);
    let option = |at: usize| options.get(at).or(options.first()).unwrap_or(&fallback);
    let planned: usize = links
        .iter()
        .map(|link| {
            let columns = |name: &str| of(real, name).map_or(0, |at| real[at].schema.fields.len());
            let pairs = columns(&link.parent) * columns(&link.child);
            LINK_METRICS.len() + pairs.min(option(0).max_pairs) * pairs::per_pair()
        })
        .sum();
    let tolerance =
        Tolerance { alpha: option(0).false_alarm / planned.max(1) as f64, margin: option(0).margin };
    for (at, link) in links.iter().enumerate() {
        let (Some(p), Some(c), Some(sp), Some(sc)) = (
            of(real, &link.parent),
            of(real, &link.child),
            of(synthetic, &link.parent),
            of(synthetic, &link.child),
        ) else {
            out.notes.push(format!(
                "the link of `{}` to `{}` is not compared: one of the two tables is missing",
                link.child, link.parent
            ));
            continue;
        };
        let sample = samples.get(at).and_then(Option::as_ref);
        let sides = match sample {
            Some(LinkTables { real, synthetic }) => [(&real[0], &real[1]), (&synthetic[0], &synthetic[1])],
            None => [(&real[p], &real[c]), (&synthetic[sp], &synthetic[sc])],
        };
        if sample.is_some() {
            let [(parents, children), (own_parents, own_children)] = sides;
            out.notes.push(format!(
                "The link of `{}` to `{}` is compared for a sample of the parents, chosen by their key, with all their children: {} \
                 of the reference with {}, and {} of the data with {}.",
                link.child,
                link.parent,
                counted(parents.rows() as u64, "parent", "parents"),
                counted(children.rows() as u64, "child", "children"),
                grouped(own_parents.rows() as u64),
                grouped(own_children.rows() as u64)
            ));
        }
        let joined = [join(sides[0].0, sides[0].1, link), join(sides[1].0, sides[1].1, link)];
        let names: Vec<&str> = link.child_key.iter().map(String::as_str).collect();
        for metric in LINK_METRICS {
            let outcome = match &joined {
                [Ok(real), Ok(synthetic)] => (metric.measure)(real, synthetic, tolerance),
                [Err(why), _] | [_, Err(why)] => Err(why.clone()),
            };
            out.checks.push(check(metric.metric, &link.child, &names, outcome));
        }
        if let [Ok(left), Ok(right)] = &joined {
            across(link, sides, [left, right], [option(p), option(c)], tolerance, &mut out);
        }
    }
    super::report::links(&mut out);
    out
}

/// Joins each child to its parent. Keys are equal if all their columns are; two nulls are equal, as they are to SDMetrics.
fn join(parent: &Table<'_>, child: &Table<'_>, link: &Link) -> Result<Joined, String> {
    if link.parent_key.len() != link.child_key.len() || link.parent_key.is_empty() {
        return Err("the two keys of the link do not have the same number of columns".to_owned());
    }
    if parent.rows() == 0 {
        return Err(format!("table `{}` has no rows", link.parent));
    }
    let (mut parent_codes, mut child_codes) = (Vec::new(), Vec::new());
    for (up, down) in link.parent_key.iter().zip(&link.child_key) {
        let missing = |table: &str, column: &str| format!("table `{table}` has no column `{column}`");
        let up_series = parent.series(up).ok_or_else(|| missing(&link.parent, up))?;
        let down_series = child.series(down).ok_or_else(|| missing(&link.child, down))?;
        let mut coder = Coder::default();
        parent_codes.push(coder.codes(up_series));
        child_codes.push(coder.codes(down_series));
    }
    let key =
        |codes: &[Vec<u32>], row: usize| -> Vec<u32> { codes.iter().map(|column| column[row]).collect() };
    let mut first = HashMap::with_capacity(parent.rows());
    for row in 0..parent.rows() {
        first.entry(key(&parent_codes, row)).or_insert(row);
    }
    let mut counts = vec![0.0; parent.rows()];
    let mut parent_of = Vec::with_capacity(child.rows());
    let mut orphans_by_null = Vec::with_capacity(child.rows());
    for row in 0..child.rows() {
        let key = key(&child_codes, row);
        let found = first.get(&key).copied();
        orphans_by_null.push(key.contains(&NULL));
        if let Some(at) = found {
            counts[at] += 1.0;
        }
        parent_of.push(found);
    }
    // A repeated key has the same children each time.
    let mut children: Vec<f64> =
        (0..parent.rows()).map(|row| counts[first[&key(&parent_codes, row)]]).collect();
    children.sort_unstable_by(f64::total_cmp);
    Ok(Joined { parent_of, orphans_by_null, children })
}

/// Pairs of a parent's and a child's column.
fn across<'t>(
    link: &Link,
    sides: [(&'t Table<'t>, &'t Table<'t>); 2],
    joined: [&Joined; 2],
    options: [&Options; 2],
    tolerance: Tolerance,
    out: &mut Comparison,
) {
    let columns = |parent: bool| -> Vec<(String, Role)> {
        let [real, synthetic] = sides.map(|side| if parent { side.0 } else { side.1 });
        let roles = roles(real, options[usize::from(!parent)]);
        let keys = if parent { &link.parent_key } else { &link.child_key };
        let mut columns = shared(real, synthetic, &roles).columns;
        columns.retain(|(name, role)| *role != Role::Id && !keys.contains(name));
        columns
    };
    let (parents, children) = (columns(true), columns(false));
    let held = pairs::rows_held(parents.len() + children.len(), options[1]);
    // Rows of children that have a parent, and the rows of those.
    let rows = [0, 1].map(|side| {
        let linked: Vec<(usize, usize)> = joined[side]
            .parent_of
            .iter()
            .enumerate()
            .filter_map(|(child, parent)| parent.map(|parent| (parent, child)))
            .collect();
        let kept = sample(linked.len(), held, side_seed(options[1], side).derive("links"));
        kept.into_iter().map(|i| linked[i]).unzip::<_, _, Vec<usize>, Vec<usize>>()
    });
    if rows.iter().any(|(parents, _)| parents.is_empty()) {
        return;
    }
    let lanes = |columns: &[(String, Role)], parent: bool| -> Vec<Lane> {
        let table = if parent { &link.parent } else { &link.child };
        columns
            .iter()
            .filter_map(|(name, role)| {
                let of = |side: usize| if parent { sides[side].0 } else { sides[side].1 };
                let at = |side: usize| if parent { &rows[side].0 } else { &rows[side].1 };
                let series = [of(0).series(name)?, of(1).series(name)?];
                Some(Lane::of(&format!("{table}.{name}"), *role, series, [at(0), at(1)]))
            })
            .collect()
    };
    let (parents, children) = (lanes(&parents, true), lanes(&children, false));
    let pairs: Vec<(usize, usize)> =
        (0..parents.len()).flat_map(|a| (0..children.len()).map(move |b| (a, b))).collect();
    let kept = sample(pairs.len(), options[1].max_pairs, side_seed(options[1], 0).derive("pairs"));
    if kept.len() < pairs.len() {
        out.notes.push(format!(
            "of {} pairs of a column of `{}` and one of `{}`, {} are compared, drawn evenly",
            pairs.len(),
            link.parent,
            link.child,
            kept.len()
        ));
    }
    let pairs = kept.into_iter().map(|i| (&parents[pairs[i].0], &children[pairs[i].1]));
    pairs::judge(&link.child, pairs, tolerance, out);
}
