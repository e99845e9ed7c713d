//! Heat map: columns with columns (correlation, association), or categories with categories (contingency).

use serde::Serialize;

/// A matrix.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Matrix {
    /// What its cells are.
    pub kind: MatrixKind,
    /// What the cells are, in words: `Spearman's rank correlation`.
    pub measure: String,
    /// What the rows are, where that is one thing: a column's name.
    pub row_label: String,
    /// What the columns are.
    pub column_label: String,
    /// Names of the rows.
    pub rows: Vec<String>,
    /// Names of the columns.
    pub columns: Vec<String>,
    /// The cells, row by row; absent where there is no figure.
    pub cells: Vec<Option<f64>>,
}

/// What the cells of a matrix are; decides on colours and on how figures are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum MatrixKind {
    /// -1 to 1, with 0 in the middle: correlations, differences of shares.
    #[default]
    Signed,
    /// 0 to 1: associations, scores.
    Unit,
    /// Shares of the whole, 0 to 1, coloured from 0 to the greatest.
    Share,
    /// Counts, coloured from 0 to the greatest.
    Count,
}
