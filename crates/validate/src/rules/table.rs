//! One table against its rules: what it must be, made ready.

use lookalike_core::Rows;
use lookalike_core::declared::{self, Facts, Promise};
use lookalike_ruleset::expect::{Expectation, On};
use lookalike_ruleset::{TableSchema, Type};
use polars::prelude::*;

use super::links::Links;
use super::twin::Twin;
use crate::cells::Map;
use crate::cycles::{Cycle, cycles};
use crate::model::Note;
use crate::text::grouped;

/// Places at which distribution functions are compared.
const EDGES: usize = 1024;

/// Shares up to so many categories are compared one by one.
const CATEGORIES: usize = 10_000;

/// Why laws are not tested where it is not known which rows have anomalies.
pub(super) const UNKNOWN_ROWS: &str =
    "the rows without anomalies are not known: put the file of marks beside the data";

/// What a table must be.
#[derive(Clone, Debug)]
pub struct TableRules {
    /// The columns as written, with anomalies and labels.
    pub schema: TableSchema,
    /// The columns without anomalies, which can make other types of them.
    pub clean: TableSchema,
    /// What the table is, for readers.
    pub about: Option<String>,
    /// What is declared.
    pub declared: declared::Table,
    /// What is expected of it.
    pub expects: Vec<Expectation>,
    /// Rows of the same ruleset made with another seed; for columns whose law is not known in closed form.
    pub twin: Option<DataFrame>,
    /// Column by whose values statistics are grouped.
    pub by: Option<String>,
    /// Whether the rows are all of the table's, so that quotas are exact.
    pub whole: bool,
    /// Whether quotas of anomalies are exact.
    pub exact_anomalies: bool,
    /// Rows without anomalies are known; else only those without a label are looked at, and laws are not tested.
    pub clean_known: bool,
}

impl TableRules {
    /// Where there are anomalies and nothing tells which rows have them: how many rows at most, if that is fixed.
    pub(super) fn unmarked(&self) -> Option<Option<u64>> {
        let declared = &self.declared;
        let unmarked = !self.clean_known && !declared.anomalies.is_empty() && declared.label.is_none();
        unmarked.then(|| declared.anomalies.iter().map(|anomaly| anomaly.rows).sum())
    }

    /// Whether an expectation, by its number, is held against the rows without anomalies. What no anomaly changes is the same in
    /// all rows, so it is read in all of them.
    pub fn looks_at_clean(&self, expectation: usize) -> bool {
        let Some(about) = self.expects.get(expectation) else { return false };
        about.on == On::Clean && (self.clean_known || self.is_anomalous(expectation))
    }

    /// Whether an anomaly changes something that an expectation reads.
    pub(super) fn is_anomalous(&self, expectation: usize) -> bool {
        self.declared.anomalous_expects.get(expectation).copied().unwrap_or(true)
    }

    /// Whether an anomaly changes one of these columns.
    pub(super) fn is_changed(&self, columns: &[String]) -> bool {
        self.declared.columns.iter().any(|column| column.anomalous && columns.contains(&column.name))
    }

    /// Which rows an expectation, by its number, is held against.
    pub(super) fn seen(&self, expectation: usize) -> Seen {
        match (&self.declared.label, self.looks_at_clean(expectation)) {
            (Some(_), true) if !self.clean_known => Seen::Unlabelled,
            (None, true) if !self.clean_known => Seen::Mixed,
            _ if !self.whole => Seen::Part,
            _ => Seen::All,
        }
    }

    /// What a reader must know of rows with anomalies, where they are not known.
    pub(super) fn notes(&self) -> Vec<Note> {
        const WAY_OUT: &str = "`generate` writes a file of marks, such as NAME.anomalies.csv, which says what each anomaly changed: \
                               put it beside the data, or name it with `--marks FILE`";
        let text = match (self.unmarked(), &self.declared.label) {
            _ if self.clean_known || self.declared.anomalies.is_empty() => return Vec::new(),
            (None, Some(label)) => format!(
                "Which rows are anomalous is known from the column `{label}` alone, so rows with a label are not held against the \
                 rules, and laws and shares of what anomalies change are not tested. {WAY_OUT}."
            ),
            (Some(Some(most)), _) => format!(
                "The ruleset declares anomalies, and nothing says which rows have them. So each rule is held to be kept where no more \
                 rows break it than are to be anomalous, {}, and laws and shares are not tested. {WAY_OUT}.",
                grouped(most)
            ),
            _ => format!(
                "The ruleset declares anomalies, and nothing says which rows have them, nor how many. So rows that break a rule are \
                 counted but not judged, and laws and shares are not tested. {WAY_OUT}."
            ),
        };
        vec![Note::new(text)]
    }
}

/// Which rows an expectation was held against.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Seen {
    /// All that it is about.
    All,
    /// Some, which their numbers chose: laws hold there, too, but limits are those of the whole table.
    Part,
    /// Those without a label, where rows without anomalies were asked for: others, whose values anomalies have changed, are
    /// missing, and not at random.
    Unlabelled,
    /// Rows with anomalies among those without, where the latter were asked for.
    Mixed,
}

impl Seen {
    /// Why a figure of these rows is not judged, if it is not: `law` says that it is held against a law, with a tolerance.
    pub(super) fn reason(self, law: bool) -> Option<&'static str> {
        match self {
            Seen::Part if !law => Some("only a part of the table's rows was looked at"),
            Seen::Unlabelled => Some(
                "rows with a label are left out, and not at random: the file of marks beside the data would say what stood in them",
            ),
            Seen::Mixed => Some(
                "anomalous rows are among them: the file of marks beside the data would say which, and what stood in them",
            ),
            Seen::All | Seen::Part => None,
        }
    }
}

/// A table's rules, ready to look at rows.
pub struct Prepared {
    pub(super) rules: TableRules,
    pub(super) columns: Vec<PreparedColumn>,
    pub(super) keys: Vec<Vec<String>>,
    pub(super) pairs: Vec<PreparedPair>,
    /// Declared correlations that are not tested, and why.
    pub(super) untested: Vec<([String; 2], &'static str)>,
    /// Rows that will be looked at.
    pub(super) rows: u64,
}

pub(super) struct PreparedColumn {
    pub(super) ty: Type,
    pub(super) leaves: Vec<PreparedLeaf>,
    pub(super) twin: Option<Twin>,
}

pub(super) struct PreparedLeaf {
    pub(super) fit: PreparedFit,
    /// Values outside are wrong.
    pub(super) range: Option<(f64, f64)>,
    /// Values other than these are wrong.
    pub(super) values: Option<Vec<f64>>,
    /// Cycles of time with the share of each place.
    pub(super) cycles: Vec<(Cycle, Vec<f64>)>,
}

pub(super) enum PreparedFit {
    None,
    Numbers(Vec<f64>),
    Shares(Map<String, u32>),
}

pub(super) struct PreparedPair {
    pub(super) at: [usize; 2],
    /// Edges of each column, and the middle rank of each bin less a half.
    pub(super) edges: [Vec<f64>; 2],
    pub(super) ranks: [Vec<f64>; 2],
    pub(super) wanted: f64,
}

impl Prepared {
    /// Gets ready.
    ///
    /// # Errors
    /// When the twin lacks a column.
    pub fn new(rules: TableRules, links: &Links, rows: u64) -> PolarsResult<Prepared> {
        let edges = EDGES.min((rows as usize).saturating_mul(2).max(64));
        let mut columns = Vec::new();
        for column in &rules.declared.columns {
            let field = rules.clean.fields.iter().find(|field| field.name == column.name);
            let ty = field.map_or(Type::Text, |field| field.ty);
            let leaves = column.leaves.iter().map(|leaf| {
                let independent = leaf.independent && rules.clean_known;
                let (range, values) = match &leaf.promise {
                    Promise::Spread(spread) => (Some(spread.support()), spread.values(1000)),
                    _ => (None, None),
                };
                let fit = match &leaf.promise {
                    Promise::Spread(spread) | Promise::Around(spread) if independent => {
                        PreparedFit::Numbers(spread.edges(edges))
                    }
                    // Without a test the set of values is still checked.
                    Promise::Shares(shares) if shares.len() <= CATEGORIES => {
                        let index = shares.iter().enumerate();
                        PreparedFit::Shares(index.map(|(at, (name, _))| (name.clone(), at as u32)).collect())
                    }
                    _ => PreparedFit::None,
                };
                let cycles = match &leaf.promise {
                    Promise::Spread(spread) if independent => cycles(spread, ty),
                    _ => Vec::new(),
                };
                PreparedLeaf { fit, range, values, cycles }
            });
            let leaves: Vec<PreparedLeaf> = leaves.collect();
            let tested = column
                .leaves
                .iter()
                .all(|leaf| leaf.independent || matches!(leaf.promise, Promise::Computed));
            let twin = match &rules.twin {
                Some(twin) if column.rows_independent && !tested && !column.unique && rules.clean_known => {
                    Some(Twin::new(twin.column(&column.name)?.as_materialized_series(), edges)?)
                }
                _ => None,
            };
            columns.push(PreparedColumn { ty, leaves, twin });
        }
        let mut untested = Vec::new();
        let pairs = rules.declared.correlations.iter().filter_map(|pair| {
            let of = |name: &String| rules.declared.columns.iter().position(|column| column.name == *name);
            let at = [of(&pair.columns[0])?, of(&pair.columns[1])?];
            let spread = |at: usize| match rules.declared.columns[at].leaves.as_slice() {
                [declared::Leaf { promise: Promise::Spread(spread), .. }] => Some(spread),
                _ => None,
            };
            let (spreads, reason) = match (spread(at[0]), spread(at[1])) {
                _ if !rules.clean_known => (None, UNKNOWN_ROWS),
                _ if !rules.declared.requires.is_empty() => {
                    (None, "rows are drawn again for `require`, which changes the correlation")
                }
                (Some(a), Some(b)) => (Some([a, b]), ""),
                _ => (None, "the law of one of the columns is not known in closed form"),
            };
            let Some(spreads) = spreads else {
                untested.push((pair.columns.clone(), reason));
                return None;
            };
            let edges = spreads.map(|spread| spread.edges(EDGES));
            let ranks = [0, 1].map(|side| {
                let upto: Vec<f64> = edges[side].iter().map(|edge| spreads[side].cdf(*edge)).collect();
                let from = std::iter::once(0.0).chain(upto.iter().copied());
                from.zip(upto.iter().copied().chain([1.0])).map(|(a, b)| (a + b) / 2.0 - 0.5).collect()
            });
            Some(PreparedPair { at, edges, ranks, wanted: pair.spearman.unwrap_or(pair.grade) })
        });
        let pairs: Vec<PreparedPair> = pairs.collect();
        let keys = links.of_table(&rules.schema.table).to_vec();
        Ok(Prepared { columns, keys, pairs, untested, rows, rules })
    }

    /// The rules.
    pub fn rules(&self) -> &TableRules {
        &self.rules
    }
}

/// Some rows: as they are, without their anomalies, and what the engine says of them.
pub struct View<'a> {
    /// Number of the first.
    pub first: u64,
    /// As they are in the file.
    pub rows: &'a DataFrame,
    /// Without anomalies: the same rows restored, or where that is not possible those without a label.
    pub clean: &'a DataFrame,
    /// Numbers of the clean rows.
    pub numbers: &'a Rows,
    /// What is known of the clean rows.
    pub facts: &'a Facts,
    /// Of each expectation with a condition, whether it holds in each of its rows.
    pub conditions: &'a [Option<Vec<Option<bool>>>],
}
