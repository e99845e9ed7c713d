//! Validation: correct data pass whatever the seed, and each planted defect is caught by the check that is for it.

mod clean;
mod defects;
mod large;
mod unknown;

use lookalike::Ruleset;
use lookalike::polars::prelude::*;
use lookalike::validate::model::{Check, TableReport, Verdict};
use lookalike::validation::{Examiner, Scope, TableScope};

/// Rows of a table as they are and without their anomalies.
pub struct Frames {
    pub rows: DataFrame,
    pub clean: DataFrame,
}

/// Holds all tables of a ruleset against its rules, after `change`.
pub fn examine(ruleset: &Ruleset, mut change: impl FnMut(&str, &mut Frames)) -> Vec<TableReport> {
    let tables: Vec<(String, u64)> =
        ruleset.tables().map(|table| (table.name().to_owned(), table.len())).collect();
    let scope = tables.iter().map(|(name, rows)| TableScope::whole(name, 0..*rows)).collect();
    let examiner = Examiner::new(ruleset, &Scope { tables: scope, by: None }).unwrap();
    let mut found = Vec::new();
    for (name, _) in &tables {
        let table = ruleset.table(name).unwrap();
        let mut frames = Frames { rows: table.collect().unwrap(), clean: table.clean().unwrap() };
        change(name, &mut frames);
        let examined = examiner.table(name).unwrap();
        // In two parts, so that merging is tried everywhere.
        let half = frames.rows.height() / 2;
        let part = |frame: &DataFrame, at: usize, len: usize| frame.slice(at as i64, len);
        let rest = frames.rows.height() - half;
        let mut all = examined.look(0, &part(&frames.rows, 0, half), &part(&frames.clean, 0, half)).unwrap();
        let later = examined
            .look(half as u64, &part(&frames.rows, half, rest), &part(&frames.clean, half, rest))
            .unwrap();
        all.merge(later).unwrap();
        found.push((name.clone(), all));
    }
    examiner.finish(found, Vec::new()).unwrap()
}

/// The checks that failed.
pub fn failures(reports: &[TableReport]) -> Vec<&Check> {
    reports.iter().flat_map(|report| &report.checks).filter(|check| check.verdict == Verdict::Fail).collect()
}
