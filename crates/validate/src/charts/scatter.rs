//! Scatter with density: two numbers against each other, with the spoilt rows over it.

use serde::Serialize;

use super::Axis;

/// Two numbers against each other: how many rows are where, and single rows.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Scatter {
    /// The number across. Where the axis is logarithmic the edges are, too.
    pub x: Axis,
    /// The number upwards.
    pub y: Axis,
    /// Edges across, rising; one more than there are columns of cells.
    pub x_edges: Vec<f64>,
    /// Edges upwards, rising.
    pub y_edges: Vec<f64>,
    /// Rows in each cell: for each step upwards, all steps across.
    pub counts: Vec<u64>,
    /// Single rows, as (x, y): a sample of at most some thousand, drawn where cells hold few rows. May be empty.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub points: Vec<(f64, f64)>,
    /// Rows with an anomaly: all, or a sample of them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub spoilt: Vec<MarkedPoint>,
    /// Rows of the reference: a sample of them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub reference: Vec<(f64, f64)>,
}

/// A row with an anomaly.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct MarkedPoint {
    /// Across.
    pub x: f64,
    /// Upwards.
    pub y: f64,
    /// Name of the anomaly.
    pub kind: String,
}
