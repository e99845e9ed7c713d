//! Tables that belong together beside their references: keys, numbers of children, and how columns of parent and child
//! hang together.

use std::collections::HashMap;

use crate::model::Metric;

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

/// Compares how tables hang together with how their references do. Checks belong to the child's table; their columns are the
/// child's key, or `parent.column` and `child.column` for pairs across the link.
///
/// A link whose tables are not among those given is skipped, and a note says so.
pub fn compare_links(
    real: &[Table<'_>],
    synthetic: &[Table<'_>],
    links: &[Link],
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
    for link in links {
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
        let sides = [(&real[p], &real[c]), (&synthetic[sp], &synthetic[sc])];
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
