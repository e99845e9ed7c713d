//! The ledger: a line for every release, which travels with the output.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::journal::{self, Journal};
use crate::{Budget, Cost, Result, Unit};

/// What neighbouring tables are.
pub(crate) const ADJACENCY: &str = "add or remove one unit with all its rows";

/// A line of the ledger.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "line", rename_all = "snake_case")]
pub enum Line {
    /// A run begins.
    Open {
        /// The run.
        id: String,
        /// When, as its caller's clock says.
        time: String,
        /// What kind of run: `release`, `fit`.
        stage: String,
        /// Version of Lookalike.
        lookalike: String,
        /// Keyed fingerprint of the private table.
        fingerprint: String,
        /// The unit of privacy with its bounds.
        unit: Unit,
        /// What neighbouring tables are.
        adjacency: String,
        /// What the run may spend.
        budget: Budget,
        /// The same as a cost.
        allowed: Cost,
        /// What earlier runs have spent of the table.
        spent_before: Cost,
        /// What the table may give away in all.
        table_budget: Budget,
    },
    /// A step is about to be released.
    Charge(Charge),
    /// Records of a table are about to be written with noise on some of their columns, each record by itself.
    Records {
        /// The table.
        table: String,
        /// How many records.
        rows: u64,
        /// The columns.
        columns: Vec<RecordCharge>,
        /// What a record loses at most, all columns together.
        cost: Cost,
        /// What neighbouring records are.
        adjacency: String,
        /// Where the randomness comes from.
        randomness: String,
    },
    /// A run is done.
    Close {
        /// The run.
        id: String,
        /// When.
        time: String,
        /// How many charges it had.
        charges: usize,
        /// What it spent.
        spent: Cost,
        /// Delta of the budget.
        delta: f64,
        /// Epsilon at that delta.
        epsilon: f64,
        /// Delta and epsilon at three deltas.
        curve: Vec<(f64, f64)>,
        /// What all runs on the table have spent.
        table_spent: Cost,
        /// Epsilon of all runs at the delta of the table's budget.
        table_epsilon: f64,
    },
}

/// A step of a run and what it costs. Written before its noise is drawn.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Charge {
    /// Number of the step in its run, from 1.
    pub id: usize,
    /// The run.
    pub parent: String,
    /// When, as the caller's clock says.
    pub time: String,
    /// What kind of run.
    pub stage: String,
    /// Name of the mechanism.
    pub mechanism: String,
    /// What draws its noise, with version.
    pub version: String,
    /// What was asked.
    pub query: String,
    /// Keyed fingerprint of the private table.
    pub fingerprint: String,
    /// The unit of privacy with its bounds.
    pub unit: Unit,
    /// The most by which what was asked moves when a unit comes or goes.
    pub sensitivity: f64,
    /// The norm in which it moves: `L1`, `L2`, `Linf`, `rank`.
    pub norm: String,
    /// Scale of the noise: the standard deviation of a Gaussian, b of a Laplace, the temperature of a choice.
    pub scale: f64,
    /// What the noise is a multiple of.
    pub granularity: f64,
    /// Zero-concentrated loss.
    pub rho: f64,
    /// Delta of its own.
    pub delta: f64,
    /// Sum over the run up to here.
    pub run_total: Cost,
    /// Sum over all runs on the table up to here.
    pub table_total: Cost,
    /// What neighbouring tables are.
    pub adjacency: String,
    /// Where the randomness comes from.
    pub randomness: String,
}

/// A column of records with noise.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RecordCharge {
    /// The column.
    pub column: String,
    /// Name of the mechanism.
    pub mechanism: String,
    /// Probability of the truth, or scale of the noise in the column's unit.
    pub scale: f64,
    /// What a record loses by it: rho.
    pub rho: f64,
    /// The same as pure epsilon, where it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub epsilon: Option<f64>,
}

/// A ledger file, held by this process alone until it is dropped.
#[derive(Debug)]
pub struct Ledger {
    journal: Journal,
}

impl Ledger {
    /// Opens or makes the file; lines are added at its end.
    ///
    /// # Errors
    /// When it cannot be opened, is held by another run, or has a line that is not one of a ledger.
    pub fn open(path: &Path) -> Result<Ledger> {
        let (journal, lines) = Journal::open(path)?;
        parse(path, &lines)?;
        Ok(Ledger { journal })
    }

    /// Adds a line; returns once it is on the disk.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn append(&mut self, line: &Line) -> Result<()> {
        self.journal.append(line)
    }

    /// The lines of a ledger. The torn end of a run that was killed is left out: nothing was released on its account.
    ///
    /// # Errors
    /// When the file cannot be read, or has a line that is not one of a ledger.
    pub fn read(path: &Path) -> Result<Vec<Line>> {
        parse(path, &journal::read(path)?)
    }
}

fn parse(path: &Path, lines: &[String]) -> Result<Vec<Line>> {
    let line = |(at, line): (usize, &String)| -> Result<Line> {
        serde_json::from_str(line).map_err(|e| Journal::damaged(path, at + 1, e))
    };
    lines.iter().enumerate().map(line).collect()
}
