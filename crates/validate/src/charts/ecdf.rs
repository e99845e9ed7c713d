//! ECDF: the share of numbers up to each, beside that of the reference and of the declared law.

use serde::Serialize;

use super::Axis;

/// Empirical distribution functions, at chosen points.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Ecdf {
    /// The numbers.
    pub x: Axis,
    /// Of the data, by rising x.
    pub points: Vec<EcdfPoint>,
    /// Of the reference; empty where there is none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub reference: Vec<EcdfPoint>,
    /// Of the declared law; empty where none is declared.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub declared: Vec<EcdfPoint>,
}

/// A point of a distribution function.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct EcdfPoint {
    /// The number.
    pub x: f64,
    /// The share of numbers up to it, 0 to 1.
    pub share: f64,
}
