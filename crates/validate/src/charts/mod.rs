//! Charts: what a statistic looks like. A chart is one file, which holds its numbers and draws them, and one line in each list
//! here.
//!
//! The numbers can be gathered in one pass and in constant memory, and the tables of the report show the same ones.

mod anomalies;
mod bars;
mod boxes;
mod ecdf;
mod histogram;
mod matrix;
mod nulls;
mod scatter;
mod series;

use serde::Serialize;

pub use anomalies::{Anomalies, AnomalyKind};
pub use bars::{Bar, Bars};
pub use boxes::{Boxes, Group};
pub use ecdf::{Ecdf, EcdfPoint};
pub use histogram::Histogram;
pub use matrix::{Matrix, MatrixKind};
pub use nulls::NullMap;
pub use scatter::{MarkedPoint, Scatter};
pub use series::{Profile, Series};

use crate::model::Measure;

/// A chart: numbers with a title.
#[derive(Clone, Debug, Serialize)]
pub struct Chart {
    /// Title: `Volume Size by Volume Type`.
    pub title: String,
    /// The columns that it speaks of; none for the table as a whole.
    pub columns: Vec<String>,
    /// Whether it may leave the house: false for what shows private rows.
    pub for_release: bool,
    /// The numbers.
    #[serde(flatten)]
    pub data: ChartData,
}

impl Chart {
    /// A chart of columns that may be shown to everybody.
    pub fn new<C: Into<String>>(
        title: impl Into<String>,
        columns: impl IntoIterator<Item = C>,
        data: impl Into<ChartData>,
    ) -> Chart {
        Chart {
            title: title.into(),
            columns: columns.into_iter().map(Into::into).collect(),
            for_release: true,
            data: data.into(),
        }
    }

    /// The same chart, not for release: it shows something of private rows.
    pub fn private(self) -> Chart {
        Chart { for_release: false, ..self }
    }
}

/// An axis, and what is on it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Axis {
    /// Its label: usually the column's name.
    pub label: String,
    /// What its numbers are.
    pub measure: Measure,
    /// Whether it is logarithmic: only where all numbers are above 0.
    pub log: bool,
}

impl Axis {
    /// A linear axis of plain numbers.
    pub fn linear(label: impl Into<String>) -> Axis {
        Axis { label: label.into(), ..Axis::default() }
    }

    /// A logarithmic axis of plain numbers.
    pub fn log(label: impl Into<String>) -> Axis {
        Axis { label: label.into(), log: true, ..Axis::default() }
    }

    /// A linear axis of such numbers.
    pub fn of(label: impl Into<String>, measure: Measure) -> Axis {
        Axis { label: label.into(), measure, log: false }
    }
}

/// The numbers of a chart.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "chart", content = "data", rename_all = "snake_case")]
pub enum ChartData {
    /// How numbers are distributed.
    Histogram(Histogram),
    /// How often each category occurs.
    Bars(Bars),
    /// Numbers by group.
    Boxes(Boxes),
    /// The share of numbers up to each.
    Ecdf(Ecdf),
    /// Two-way: of columns with columns, or of categories with categories.
    Matrix(Matrix),
    /// Two numbers against each other.
    Scatter(Scatter),
    /// What happens over time, and its daily, weekly or yearly profile.
    Series(Series),
    /// Where values are missing.
    Nulls(NullMap),
    /// Anomalies asked for and found.
    Anomalies(Anomalies),
}

macro_rules! into_chart_data {
    ($($variant:ident($data:ty)),* $(,)?) => {$(
        impl From<$data> for ChartData {
            fn from(data: $data) -> ChartData {
                ChartData::$variant(data)
            }
        }
    )*};
}

into_chart_data!(
    Histogram(Histogram),
    Bars(Bars),
    Boxes(Boxes),
    Ecdf(Ecdf),
    Matrix(Matrix),
    Scatter(Scatter),
    Series(Series),
    Nulls(NullMap),
    Anomalies(Anomalies),
);
