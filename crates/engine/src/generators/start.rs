//! Where a series begins: at a stamp of the ruleset, or at a column's value.

use lookalike_ruleset::decode::{DAY, Decode, Spanned, Stamp, parse_stamp};
use lookalike_ruleset::{Json, Node, Problems, Type};
use serde_json::json;

use super::zone::{Points, Zone, input_of};
use crate::generator::{Block, Failure, InputName, Site};

/// A date, a stamp, `clock` with an offset, or the name of a column.
#[derive(Clone, Debug)]
pub(super) enum Start {
    /// The same for all.
    Stamp(Spanned<Stamp>),
    /// Each entity its own.
    Column(Spanned<String>),
}

impl Decode for Start {
    fn decode(node: &Node, problems: &mut Problems) -> Option<Self> {
        let Spanned { value: text, span } = Spanned::<String>::decode(node, problems)?;
        Some(match parse_stamp(&text) {
            Some(value) => Start::Stamp(Spanned { value, span }),
            None => Start::Column(Spanned { value: text, span }),
        })
    }
    fn what() -> String {
        format!("{}, or the name of a column", Stamp::what())
    }
    fn schema() -> Json {
        json!({"type": "string"})
    }
}

/// A start, ready to be asked.
#[derive(Clone, Copy, Debug)]
pub(super) enum Starts {
    /// In microseconds.
    Fixed { micros: i64, is_date: bool },
    /// A column.
    Column(Points),
}

impl Start {
    /// Adds the column, if it is one.
    pub(super) fn inputs(&self, inputs: &mut Vec<InputName>) {
        if let Start::Column(name) = self {
            inputs.push(input_of(name));
        }
    }

    /// Gets ready; `None` after a problem. A date of the ruleset means the beginning of its day in `zone`.
    pub(super) fn prepare(&self, zone: &Zone, site: &mut Site<'_>) -> Option<Starts> {
        Some(match self {
            Start::Column(name) => Starts::Column(Points::prepare(name, site)?),
            Start::Stamp(stamp) => {
                let is_date = matches!(stamp.value, Stamp::Date(_));
                Starts::Fixed { micros: zone.resolve(*stamp, site)?, is_date }
            }
        })
    }
}

impl Starts {
    /// Whether they are dates.
    pub(super) fn are_dates(&self) -> bool {
        match self {
            Starts::Fixed { is_date, .. } => *is_date,
            Starts::Column(points) => points.ty == Type::Date,
        }
    }

    /// Whether they can be null.
    pub(super) fn nullable(&self) -> bool {
        matches!(self, Starts::Column(points) if points.nullable)
    }

    /// The start of each row of the block: in microseconds, or with `days` in days since 1970-01-01 on the calendar of
    /// `zone`.
    ///
    /// # Errors
    /// When a value lies outside the calendar.
    pub(super) fn values(
        &self,
        days: bool,
        zone: &Zone,
        block: &Block<'_>,
    ) -> Result<Vec<Option<i64>>, Failure> {
        match self {
            Starts::Fixed { micros, .. } if days => {
                let ahead = zone.offset(*micros).map_or(0, |(ahead, _)| ahead);
                Ok(vec![Some((micros + ahead).div_euclid(DAY)); block.len()])
            }
            Starts::Fixed { micros, .. } => Ok(vec![Some(*micros); block.len()]),
            Starts::Column(points) if days => points.days(zone, block),
            Starts::Column(points) => points.micros(zone, block),
        }
    }
}
