//! A number that stands in the ruleset or in a column: levels that may differ from entity to entity. And what the kinds with
//! a path have in common.

use lookalike_core::{Path, Seed};
use lookalike_ruleset::decode::{Decode, Number, Spanned, wrong};
use lookalike_ruleset::{Diagnostic, Json, Node, Problems, params};
use polars::prelude::*;
use serde_json::json;

use crate::entity::{Place, for_each};
use crate::generator::{Block, Failure, InputId, InputName, Output, Site};

params! {
    /// A number that stands in a column.
    struct Named {
        /// Name of the column, of this row or of a parent.
        column: Spanned<String>,
    }
}

/// A number: written down, or that of a column.
#[derive(Clone, Debug)]
pub(super) enum Amount {
    /// Written down.
    Number(f64),
    /// In a column.
    Column(InputName, Option<InputId>),
}

impl Decode for Amount {
    fn decode(node: &Node, problems: &mut Problems) -> Option<Self> {
        if node.as_map().is_some() {
            let Spanned { value: name, span } = Named::decode(node, problems)?.column;
            return Some(Amount::Column(InputName { name, span }, None));
        }
        if node.as_scalar().is_none() {
            wrong(node, Self::what(), problems);
            return None;
        }
        Number::decode(node, problems).map(|number| Amount::Number(number.0))
    }
    fn what() -> String {
        "a number, or `{column: name}` for that of a column".into()
    }
    fn schema() -> Json {
        json!({"anyOf": [Number::schema(), Named::schema()]})
    }
}

impl Amount {
    /// Adds the column, if it is one.
    pub(super) fn inputs(&self, inputs: &mut Vec<InputName>) {
        if let Amount::Column(column, _) = self {
            inputs.push(column.clone());
        }
    }

    /// Finds the column and checks its type; gives whether it can be null.
    pub(super) fn prepare(&mut self, site: &mut Site<'_>) -> Option<bool> {
        let Amount::Column(InputName { name, span }, id) = self else { return Some(false) };
        let (input, output) = site.input(name)?;
        if !output.ty.is_number() {
            site.problems.push(
                Diagnostic::error("wrong-type", *span, format!("`{name}` is of type {}", output.ty))
                    .label("expected a column of numbers")
                    .help("name a column of type int, float or decimal, or write a number"),
            );
            return None;
        }
        *id = Some(input);
        Some(output.nullable)
    }

    /// The numbers for the block's rows.
    pub(super) fn values(&self, block: &Block<'_>) -> Result<Values, Failure> {
        Ok(match self {
            Amount::Number(number) => Values::Number(*number),
            Amount::Column(_, id) => Values::Column(numbers(&block.input(id.expect("set in prepare")))?),
        })
    }
}

/// The numbers of a block.
pub(super) enum Values {
    Number(f64),
    Column(Float64Chunked),
}

impl Values {
    /// The number at a position of the block; `None` where the column is null.
    pub(super) fn get(&self, at: usize) -> Option<f64> {
        match self {
            Values::Number(number) => Some(*number),
            Values::Column(column) => column.get(at),
        }
    }
}

/// A column of numbers as floats, in one piece.
pub(super) fn numbers(series: &Series) -> Result<Float64Chunked, Failure> {
    Ok(series.cast(&DataType::Float64)?.f64()?.rechunk().into_owned())
}

/// A column of floats, of which none may be too large to be one.
pub(super) fn floats(block: &Block<'_>, value: impl Fn(usize) -> Option<f64>) -> Result<Series, Failure> {
    let values: Float64Chunked = (0..block.len()).map(value).collect();
    let beyond = values.iter().position(|value| value.is_some_and(|v| !v.is_finite()));
    if let Some(at) = beyond {
        return Err(Failure::new(format!(
            "row {}: the series leaves the range of floats",
            block.rows.get(at)
        )));
    }
    Ok(values.into_series())
}

/// An output of floats.
pub(super) fn output(nullable: bool) -> Output {
    Output { nullable, ..Output::of(lookalike_ruleset::Type::Float) }
}

/// The path's value for each place: one path for every entity, from the entity's own stream.
///
/// A path belongs to all rows of its entity. So it does not know of attempts: a row that is drawn again for a `require`
/// stays where it is on the path.
pub(super) fn along(path: &Path, seed: Seed, places: &[Place]) -> Vec<f64> {
    let mut values = vec![0.0; places.len()];
    for_each(places, |entity, positions| {
        let mut cursor = path.along(seed.derive_index(entity).stream());
        for at in positions.iter().map(|at| *at as usize) {
            values[at] = cursor.value(places[at].ordinal);
        }
    });
    values
}
