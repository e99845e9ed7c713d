//! Bar chart: how often each category occurs; with the declared shares, the spoilt rows and the reference beside it.

use serde::Serialize;

/// Counts of categories.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Bars {
    /// What the categories are: usually the column's name.
    pub label: String,
    /// The categories that are shown, in the order in which they are to be shown: by falling count, or as declared.
    pub bars: Vec<Bar>,
    /// Rows in categories that are not shown.
    pub others: u64,
    /// How many categories these are; absent where it is not known.
    pub other_categories: Option<u64>,
    /// Rows without a value.
    pub nulls: u64,
}

/// A category.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Bar {
    /// Its name.
    pub label: String,
    /// Rows in it.
    pub count: u64,
    /// Of them, rows with an anomaly; absent where there are none in the table.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub spoilt: Option<u64>,
    /// Its declared share of the rows that are not null, 0 to 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub declared: Option<f64>,
    /// Its share of the rows of the reference that are not null, 0 to 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reference: Option<f64>,
}
