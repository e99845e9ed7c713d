//! Time series with seasonal profiles: what happens over time, and by hour of the day, day of the week or month of the year.

use serde::Serialize;

use super::Axis;

/// Rows, or the mean of a number, per step of time.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Series {
    /// The time.
    pub time: Axis,
    /// What is drawn over it: `rows`, or a column's name.
    pub value: Axis,
    /// Where each step begins, rising, and at the end where the last one ends: one more than there are values.
    pub edges: Vec<f64>,
    /// The value of each step; absent where there are no rows to take a mean of.
    pub values: Vec<Option<f64>>,
    /// Of the reference, step by step; empty where there is none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub reference: Vec<Option<f64>>,
    /// Seasonal profiles; those that the span of time can show.
    pub profiles: Vec<Profile>,
}

/// A seasonal profile: what is usual at each place of a cycle.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Profile {
    /// The cycle: `hour of the day`.
    pub cycle: String,
    /// Places of the cycle: `Mon` …
    pub labels: Vec<String>,
    /// The value at each place, in the series' unit; absent where there are no rows.
    pub values: Vec<Option<f64>>,
    /// What was declared; empty where nothing was.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub declared: Vec<f64>,
    /// Of the reference; empty where there is none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub reference: Vec<Option<f64>>,
}
