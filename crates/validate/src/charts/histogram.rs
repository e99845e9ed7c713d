//! Histogram with density: how numbers are distributed; with the spoilt rows, the declared law and the reference over it.

use serde::Serialize;

use super::Axis;

/// Counts of numbers in bins.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Histogram {
    /// The numbers. Where the axis is logarithmic the edges are, too: their ratios are alike, not their differences.
    pub x: Axis,
    /// Edges of the bins, rising; one more than there are bins. A number on an edge belongs to the bin above it, the last
    /// edge to the last bin. Bins need not be equally wide: what is drawn is counts over widths where they differ.
    pub edges: Vec<f64>,
    /// Rows in each bin.
    pub counts: Vec<u64>,
    /// Of them, rows with an anomaly; empty where there are none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub spoilt: Vec<u64>,
    /// The share of rows that the declared law puts into each bin; empty where none is declared.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub declared: Vec<f64>,
    /// Rows of the reference in each bin; empty where there is none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub reference: Vec<u64>,
    /// Rows that are in no bin because they hold no number.
    pub nulls: u64,
}
