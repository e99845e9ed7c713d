//! Box plot by group: a number's statistics in each category of another column.

use serde::Serialize;

use super::Axis;

/// Statistics of a number by group.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Boxes {
    /// The number.
    pub value: Axis,
    /// What the groups are: usually a column's name.
    pub by: String,
    /// The groups, in the order in which they are to be shown.
    pub groups: Vec<Group>,
}

/// A group. Statistics are of the values that are not null, and absent where there are none.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Group {
    /// Its name.
    pub label: String,
    /// Rows in it.
    pub count: u64,
    /// Of them, nulls.
    pub nulls: u64,
    /// Mean.
    pub mean: Option<f64>,
    /// Standard deviation, with n - 1.
    pub std: Option<f64>,
    /// Least, 5 %, 25 %, 50 %, 75 %, 95 %, greatest.
    pub quantiles: Option<[f64; 7]>,
}
