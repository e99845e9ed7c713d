//! Anomalies: how many were asked for, and how many were found.

use serde::Serialize;

/// The anomalies of a table.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Anomalies {
    /// Rows of the table.
    pub rows: u64,
    /// Rows with at least one.
    pub spoilt: u64,
    /// Anomaly by anomaly, in the ruleset's order.
    pub kinds: Vec<AnomalyKind>,
}

/// One anomaly.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct AnomalyKind {
    /// Its name in the ruleset.
    pub name: String,
    /// What it does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub about: Option<String>,
    /// Rows that were to have it; absent where that is not known.
    pub wanted: Option<f64>,
    /// Rows that have it.
    pub got: u64,
    /// Cells that it changed; absent where that is not known.
    pub cells: Option<u64>,
    /// An example, with its row.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub example: Option<String>,
}
