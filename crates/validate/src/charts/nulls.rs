//! Null map: where in the table values are missing.

use serde::Serialize;

/// Shares of nulls by column and block of rows.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct NullMap {
    /// The columns.
    pub columns: Vec<String>,
    /// Where each block of rows begins, rising, and at the end the number of rows: one more than there are blocks.
    pub edges: Vec<u64>,
    /// Nulls in each block: for each column, all blocks.
    pub nulls: Vec<u64>,
}
