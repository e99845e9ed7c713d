//! What was found in some rows.

use std::collections::BTreeMap;

use super::expects::ExpectFound;
use super::keys::Keys;
use super::probability::PairSums;
use crate::statistics::sample::Sample;
use crate::statistics::{Numbers, Statistics};

/// Groups of grouped statistics.
pub(super) const GROUPS: usize = 50;

/// Values that should not be.
#[derive(Clone, Debug, Default)]
pub(super) struct Odd {
    pub(super) count: u64,
    /// Row and value of the first.
    pub(super) first: Option<(u64, String)>,
}

impl Odd {
    pub(super) fn add(&mut self, row: u64, value: impl FnOnce() -> String) {
        self.count += 1;
        if self.first.is_none() {
            self.first = Some((row, value()));
        }
    }

    pub(super) fn merge(&mut self, other: Odd) {
        self.count += other.count;
        self.first = self.first.take().or(other.first);
    }
}

#[derive(Clone, Debug, Default)]
pub(super) struct LeafFound {
    pub(super) rows: u64,
    pub(super) nulls: u64,
    pub(super) counts: Vec<u64>,
    pub(super) cycles: Vec<Vec<u64>>,
    pub(super) out_of_range: Odd,
    pub(super) unmatched: Odd,
}

#[derive(Clone, Debug)]
pub(super) struct ColumnFound {
    pub(super) statistics: Statistics,
    pub(super) nulls: Odd,
    pub(super) leaves: Vec<LeafFound>,
    pub(super) not_null: Odd,
    pub(super) wrong: Odd,
    pub(super) expected: Option<String>,
    pub(super) twin: Vec<u64>,
    pub(super) clean_rows: u64,
    pub(super) clean_nulls: u64,
}

/// What was found in some rows.
pub struct Found {
    pub(super) rows: u64,
    pub(super) columns: Vec<ColumnFound>,
    /// Columns of the schema that are not declared: labels.
    pub(super) labels: Vec<Statistics>,
    pub(super) missed: Vec<Odd>,
    pub(super) pairs: Vec<PairSums>,
    pub(super) keys: Vec<Keys>,
    pub(super) anomalies: BTreeMap<String, u64>,
    /// Rows with a label.
    pub(super) spoilt: u64,
    /// Of each anomaly the first row that has it alone, with what it changed.
    pub(super) examples: BTreeMap<String, String>,
    pub(super) parts: BTreeMap<String, u64>,
    pub(super) groups: BTreeMap<String, Vec<(u64, u64, Numbers)>>,
    pub(super) marks: Odd,
    pub(super) marked: u64,
    pub(super) sample: Sample,
    pub(super) expects: Vec<ExpectFound>,
}

impl Found {
    /// Adds what was found in the rows after these.
    ///
    /// # Errors
    /// When a temporary file cannot be written.
    pub fn merge(&mut self, other: Found) -> std::io::Result<()> {
        self.rows += other.rows;
        for (own, other) in self.columns.iter_mut().zip(other.columns) {
            own.statistics.merge(&other.statistics);
            own.nulls.merge(other.nulls);
            for (own, other) in own.leaves.iter_mut().zip(other.leaves) {
                own.rows += other.rows;
                own.nulls += other.nulls;
                own.counts.iter_mut().zip(other.counts).for_each(|(own, other)| *own += other);
                for (own, other) in own.cycles.iter_mut().zip(other.cycles) {
                    own.iter_mut().zip(other).for_each(|(own, other)| *own += other);
                }
                own.out_of_range.merge(other.out_of_range);
                own.unmatched.merge(other.unmatched);
            }
            own.not_null.merge(other.not_null);
            own.expected = own.expected.take().or(other.expected);
            own.wrong.merge(other.wrong);
            own.twin.iter_mut().zip(other.twin).for_each(|(own, other)| *own += other);
            own.clean_rows += other.clean_rows;
            own.clean_nulls += other.clean_nulls;
        }
        self.labels.iter_mut().zip(&other.labels).for_each(|(own, other)| own.merge(other));
        self.missed.iter_mut().zip(other.missed).for_each(|(own, other)| own.merge(other));
        self.pairs.iter_mut().zip(&other.pairs).for_each(|(own, other)| own.merge(other));
        self.keys.iter_mut().zip(other.keys).try_for_each(|(own, other)| own.merge(other))?;
        for (name, count) in other.anomalies {
            *self.anomalies.entry(name).or_default() += count;
        }
        self.spoilt += other.spoilt;
        for (name, example) in other.examples {
            self.examples.entry(name).or_insert(example);
        }
        for (name, count) in other.parts {
            *self.parts.entry(name).or_default() += count;
        }
        for (name, theirs) in other.groups {
            if let Some(own) = self.groups.get_mut(&name) {
                for (own, other) in own.iter_mut().zip(theirs) {
                    own.0 += other.0;
                    own.1 += other.1;
                    own.2.merge(&other.2);
                }
            } else if self.groups.len() < GROUPS {
                self.groups.insert(name, theirs);
            }
        }
        self.marks.merge(other.marks);
        self.marked += other.marked;
        self.sample.merge(other.sample);
        self.expects.iter_mut().zip(other.expects).try_for_each(|(own, other)| own.merge(other))
    }

    /// How many rows were looked at.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Notes how marks and rows agree.
    pub fn note_marks(&mut self, checked: u64, wrong: u64, example: Option<(u64, String)>) {
        self.marked += checked;
        self.marks.merge(Odd { count: wrong, first: example });
    }
}
