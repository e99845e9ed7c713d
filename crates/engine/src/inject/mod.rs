//! The injector: which rows get which anomaly, and the rows with their anomalies.
//!
//! Each anomaly deals its units (rows, runs of rows, windows of time, or all rows of an entity) by a keyed permutation:
//! the first so and so many that are eligible and not taken by an anomaly before it are spoilt; one that overlaps does not
//! look whether they are taken. The plan keeps one number for each anomaly, the place in the permutation where it had
//! enough; so the quota is exact and yet any row can tell alone whether it is spoilt. While they are few, the plan holds
//! the units themselves, which is faster and gives the same.

mod deal;
pub(crate) mod order;
mod spoil;
mod together;
mod units;

use std::sync::Arc;

use lookalike_core::declared;
use lookalike_ruleset::Span;
use polars::prelude::*;
use polars_arrow::bitmap::{Bitmap, MutableBitmap};

use crate::anomaly::Anomaly;
use crate::array;
use crate::entity::Place;
use crate::generator::{Categories, Failure, Output};
use crate::plan::{Error, Tables};
use order::Ordering;

pub use crate::shares::largest_remainder;
pub(crate) use together::{Groups, Together, Wanted};
pub(crate) use units::Units;

/// The anomalies of a table, ready to run.
pub(crate) struct Injector {
    /// In the order in which they choose: those that take many rows at a time, then those with a condition, then the others.
    pub anomalies: Vec<Planned>,
    /// Name of the label column.
    pub label: Option<String>,
    /// Names of the anomalies, as declared.
    pub names: Arc<Categories>,
    /// What each does, in the user's words.
    pub about: Vec<Option<String>>,
}

/// One anomaly.
pub(crate) struct Planned {
    /// Its place among the names.
    pub code: u32,
    pub span: Span,
    pub anomaly: Box<dyn Anomaly>,
    /// Numbers of the columns that it changes.
    pub columns: Vec<usize>,
    /// Numbers of the columns that it reads.
    pub inputs: Vec<usize>,
    /// Number of the column that says which rows are eligible.
    pub when: Option<usize>,
    pub severity: Option<usize>,
    /// Number of the column that says whose a row is, of which a burst or a window has only one: the parent's row, or any
    /// value.
    pub per: Option<usize>,
    /// The numbers of the columns by whose values rows are in order, and that say whose they are, if not by their numbers.
    pub order: Option<(usize, Option<usize>)>,
    /// That order.
    pub ordering: Option<Ordering>,
    /// Whether it takes rows without looking who else does.
    pub overlap: bool,
    pub units: Units,
    /// How many units are to be spoilt; of windows with a `rate`, how many rows.
    pub wanted: u64,
    /// How many are.
    pub got: u64,
    /// Units whose rank in the permutation is below it are spoilt, if they are eligible.
    pub threshold: u64,
    pub held: Held,
    /// For which rows the condition holds, where that was found out for all of them.
    pub holds: Option<Bitmap>,
}

impl Injector {
    /// The anomalies that happen less often than they are to, with how often they are to and do.
    pub fn shortfalls(&self) -> impl Iterator<Item = (&str, u64, u64)> {
        let short = self.anomalies.iter().filter(|planned| planned.got < planned.wanted);
        short
            .map(|planned| (self.names.values()[planned.code as usize].as_str(), planned.wanted, planned.got))
    }

    /// The anomalies, with the exact number of rows that have each, where it takes single rows.
    pub fn declared(&self) -> Vec<declared::Anomaly> {
        let rows = |code: usize| {
            let planned = self.anomalies.iter().find(|planned| planned.code as usize == code)?;
            (planned.units.by_rows() || !planned.units.is_run()).then_some(planned.wanted)
        };
        let names = self.names.values().iter().zip(&self.about).enumerate();
        names
            .map(|(code, (name, about))| declared::Anomaly {
                name: name.clone(),
                about: about.clone(),
                rows: rows(code),
            })
            .collect()
    }
}

/// What the plan remembers of what it dealt, so that a run need not find it again.
pub(crate) enum Held {
    /// Nothing: there are too many, and each row finds out for itself.
    Nothing,
    /// The units that are spoilt, in order.
    Units(Vec<u64>),
    /// The rows of the windows or entities that are spoilt.
    Rows(Groups),
}

/// Most units or rows that a table's anomalies hold; 8 bytes each.
const MAX_HELD: u64 = 1 << 22;
/// Rows with their anomalies, and the truth about them.
pub struct Spoilt {
    /// The rows as they are written, anomalies and label included.
    pub frame: DataFrame,
    /// The rows without anomalies.
    pub clean: DataFrame,
    /// The cells that anomalies took, also where they left the value as it was: for each anomaly and column, in the order
    /// in which they were put there.
    pub marks: Vec<Marks>,
}

/// The cells of one column that one anomaly took.
#[derive(Clone, Debug)]
pub struct Marks {
    /// Name of the column.
    pub column: String,
    /// Name of the anomaly.
    pub kind: String,
    /// Rows of the cells.
    pub rows: Vec<u64>,
    /// The instance of each: the first row that it spoils.
    pub instances: Vec<u64>,
    /// How bad it is, where the ruleset says.
    pub severity: Option<Vec<Option<f64>>>,
    /// The values that were there: the clean ones, or those of an anomaly before.
    pub before: Series,
    /// The values put there.
    pub after: Series,
}

/// What an anomaly takes of some rows: their positions, in order, and their places in its instances.
#[derive(Default)]
struct Taken {
    positions: Vec<u32>,
    places: Vec<Place>,
}

impl Taken {
    fn push(&mut self, position: usize, place: Place) {
        self.positions.push(position as u32);
        self.places.push(place);
    }
}

/// How an anomaly was dealt.
pub(crate) struct Dealt {
    /// Units that it is to get; of windows with a `rate`, rows.
    pub wanted: u64,
    /// Units that it gets; of windows with a `rate`, rows.
    pub got: u64,
    pub threshold: u64,
    pub held: Held,
}

impl Tables {
    fn injector(&self, at: usize) -> Result<&Injector, Error> {
        self.0[at].injector.as_ref().ok_or_else(|| Error::Internal("the table has no anomalies".into()))
    }
}

impl Injector {
    #[cfg(test)]
    pub fn forget(&mut self) {
        for planned in &mut self.anomalies {
            if let Held::Units(_) = planned.held {
                planned.held = Held::Nothing;
            }
        }
    }

    /// Whether a row may have several anomalies.
    pub fn shares(&self) -> bool {
        self.anomalies.iter().any(|planned| planned.overlap)
    }

    /// What the label says: one of the names or, where rows are shared, any text.
    pub fn label_output(&self) -> Output {
        let names = Output::categories(self.names.clone());
        let one = if self.shares() { Output::text(names.plain) } else { names };
        Output { nullable: true, ..one }
    }

    /// The labels of rows: all names in the order in which they are declared, joined by `+`.
    fn labels(&self, rows: usize, all: &[Taken]) -> Result<Series, Failure> {
        let mut order: Vec<(u32, &Taken)> =
            self.anomalies.iter().zip(all).map(|(planned, taken)| (planned.code, taken)).collect();
        order.sort_by_key(|(code, _)| *code);
        if self.shares() {
            let mut labels: Vec<Option<String>> = vec![None; rows];
            for (code, taken) in order {
                let name = &self.names.values()[code as usize];
                for position in &taken.positions {
                    match &mut labels[*position as usize] {
                        Some(label) => *label = format!("{label}+{name}"),
                        label => *label = Some(name.clone()),
                    }
                }
            }
            return Ok(labels.into_iter().collect::<StringChunked>().into_series());
        }
        let mut codes = vec![0; rows];
        let mut some = MutableBitmap::from_len_zeroed(rows);
        for (code, taken) in order {
            for position in &taken.positions {
                codes[*position as usize] = code;
                some.set(*position as usize, true);
            }
        }
        array::with_validity(array::codes(codes.into_iter(), &self.names), some.into())
    }
}
