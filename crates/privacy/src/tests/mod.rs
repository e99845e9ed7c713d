//! Tests of what holds between the parts: the books, the kill switch, the audits.

pub(crate) mod audits;
mod books;
mod doors;
mod killed;
mod mechanisms;
mod neighbours;

use std::path::Path;

use crate::{Budget, Opening, Result, Session, Table, Unit};

pub(crate) fn clock() -> String {
    "2026-01-01T00:00:00Z".into()
}

/// An opening on a named table, with budget file and ledger in `folder`.
pub(crate) fn opening(folder: &Path, unit: Unit, budget: Budget) -> Opening<'static> {
    Opening {
        table: Table::Named("table"),
        unit,
        budget,
        total: None,
        stage: "release",
        ledger: folder.join("ledger.jsonl"),
        state: folder.join("budget.jsonl"),
        clock,
    }
}

pub(crate) fn session(folder: &Path, unit: Unit, epsilon: f64) -> Result<Session> {
    Session::open(opening(folder, unit, Budget::new(epsilon, 1e-6)?))
}

/// A folder in memory where there is such a thing: thousands of lines are waited for until they are on the disk.
pub(crate) fn quick_folder() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap()
}
