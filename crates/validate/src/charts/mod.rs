//! Charts: what a statistic looks like. A chart is one file, which holds its numbers and draws them, and one line in each list
//! here.
//!
//! The numbers can be gathered in one pass and in constant memory, and the tables of the report show the same ones.

mod anomalies;
mod bars;
mod boxes;
mod ecdf;
mod frame;
mod histogram;
mod matrix;
mod nulls;
mod scale;
mod scatter;
mod scene;
mod series;

use serde::Serialize;

pub use anomalies::{Anomalies, AnomalyKind};
pub use bars::{Bar, Bars};
pub use boxes::{Boxes, Group};
pub use ecdf::{Ecdf, EcdfPoint};
pub use histogram::Histogram;
pub use matrix::{Matrix, MatrixKind};
pub use nulls::NullMap;
pub use scale::measured;
pub use scatter::{MarkedPoint, Scatter};
pub use scene::Scene;
pub(crate) use scene::escape;
pub use series::{Profile, Series};

use crate::model::{Measure, TextTable};

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

macro_rules! charts {
    ($($(#[$about:meta])* $variant:ident($data:ty) = $name:literal,)*) => {
        /// The numbers of a chart.
        #[derive(Clone, Debug, Serialize)]
        #[serde(tag = "chart", content = "data")]
        pub enum ChartData {$(
            $(#[$about])*
            #[serde(rename = $name)]
            $variant($data),
        )*}

        $(impl From<$data> for ChartData {
            fn from(data: $data) -> ChartData {
                ChartData::$variant(data)
            }
        })*

        impl ChartData {
            /// Name of the chart, as in `report.json` and in names of files.
            pub fn name(&self) -> &'static str {
                match self {$(ChartData::$variant(_) => $name,)*}
            }

            fn picture(&self) -> &dyn Picture {
                match self {$(ChartData::$variant(data) => data,)*}
            }
        }
    };
}

// The list: a line for each chart.
charts! {
    /// How numbers are distributed.
    Histogram(Histogram) = "histogram",
    /// How often each category occurs.
    Bars(Bars) = "bars",
    /// Numbers by group.
    Boxes(Boxes) = "boxes",
    /// The share of numbers up to each.
    Ecdf(Ecdf) = "ecdf",
    /// Columns with columns, or categories with categories.
    Matrix(Matrix) = "matrix",
    /// Two numbers against each other.
    Scatter(Scatter) = "scatter",
    /// What happens over time, and its daily, weekly or yearly profile.
    Series(Series) = "series",
    /// Where values are missing.
    Nulls(NullMap) = "nulls",
    /// Anomalies asked for and found.
    Anomalies(Anomalies) = "anomalies",
}

/// What every chart can do. All three speak of the same numbers.
trait Picture {
    /// Draws it.
    fn draw(&self, title: &str) -> Scene;
    /// What is to be known beside the title, in a few words.
    fn note(&self) -> String;
    /// The numbers as a table.
    fn table(&self) -> TextTable;
}

impl Chart {
    /// Draws it.
    pub fn draw(&self) -> Scene {
        self.data.picture().draw(&self.title)
    }

    /// What is to be known beside the title, in a few words.
    pub fn note(&self) -> String {
        self.data.picture().note()
    }

    /// The same numbers as a table.
    pub fn table(&self) -> TextTable {
        self.data.picture().table()
    }

    /// As SVG: alone on white (`standalone`), or for a page that sets the colours.
    pub fn svg(&self, standalone: bool) -> String {
        self.draw().svg(&self.title, &self.note(), standalone)
    }

    /// As PNG.
    ///
    /// # Errors
    /// Says what could not be drawn or encoded; a bug.
    pub fn png(&self) -> Result<Vec<u8>, String> {
        self.draw().png()
    }
}

/// What spreads and steps of a measure are: the difference of two dates is a length of time.
pub(crate) fn spread_of(measure: Measure) -> Measure {
    match measure {
        Measure::Number | Measure::Share => measure,
        Measure::Date | Measure::Datetime | Measure::Duration => Measure::Duration,
    }
}

#[cfg(test)]
mod tests;
