//! `constant`: the same value in every row.

use std::sync::Arc;

use lookalike_ruleset::decode::{Decode, wrong};
use lookalike_ruleset::document::{Literal, guess, literal};
use lookalike_ruleset::{Json, Node, Problems, Span, Type};
use polars::prelude::*;
use serde_json::json;

use crate::array;
use crate::build::Builder;
use crate::generator::{Block, Categories, Failure, Generator, Group, Kind, Output, Promise, Rule, Site};

/// The same value in every row. Its type is what it looks like, or the column's `type`.
pub struct Constant {
    node: Option<Node>,
    value: Option<Literal>,
    /// Type of the nulls, where there is no value.
    ty: Type,
    categories: Option<Arc<Categories>>,
}

impl Constant {
    /// The scalar in `node` in every row; a null scalar gives nulls.
    pub fn new(node: &Node) -> Constant {
        Constant {
            node: (!node.is_null()).then(|| node.clone()),
            value: None,
            ty: Type::Text,
            categories: None,
        }
    }

    /// Null in every row.
    pub fn null() -> Constant {
        Constant { node: None, value: None, ty: Type::Text, categories: None }
    }
}

impl Generator for Constant {
    fn prepare(&mut self, site: &mut Site<'_>) -> Option<Output> {
        // A constant among the cases of a correlated column draws nothing.
        site.demand.words = None;
        let wanted = site.demand.ty;
        let Some(node) = &self.node else {
            self.ty = wanted.unwrap_or(Type::Text);
            return Some(Output { nullable: true, ..Output::of(self.ty) });
        };
        let value = match (wanted, node.as_scalar()) {
            (Some(Type::Text) | None, Some(scalar)) if wanted.is_some() => Literal::Text(scalar.text.clone()),
            (Some(ty), _) => literal(node, ty, site.problems)?,
            (None, Some(scalar)) => guess(scalar),
            (None, None) => return None,
        };
        let output = match &value {
            Literal::Text(text) => {
                let categories = Categories::new(vec![text.clone()]);
                self.categories = Some(categories.clone());
                Output::categories(categories)
            }
            other => Output::of(other.ty()?),
        };
        self.value = Some(value);
        Some(output)
    }

    fn promise(&self) -> Promise<'_> {
        Promise::Computed
    }

    fn fill(&self, block: &Block<'_>) -> Result<Series, Failure> {
        let len = block.len();
        match &self.value {
            None | Some(Literal::Null) => {
                Ok(Series::full_null(PlSmallStr::EMPTY, len, &array::dtype_of(self.ty)))
            }
            Some(Literal::Text(_)) => {
                let categories = self.categories.as_ref().expect("set in prepare for text");
                Ok(array::codes(std::iter::repeat_n(0, len), categories))
            }
            Some(Literal::Bool(value)) => Ok(array::bools(std::iter::repeat_n(*value, len))),
            Some(Literal::Int(value)) => Ok(array::ints(vec![*value; len])),
            Some(Literal::Float(value)) => Ok(array::floats(vec![*value; len])),
            Some(Literal::Date(days)) => array::from_ints(vec![i64::from(*days); len], Type::Date),
            Some(Literal::Datetime(micros)) => array::from_ints(vec![*micros; len], Type::Datetime),
            Some(Literal::Duration(micros)) => array::from_ints(vec![*micros; len], Type::Duration),
        }
    }
}

/// The parameters: one scalar.
struct Params(Node);

impl Decode for Params {
    fn decode(node: &Node, problems: &mut Problems) -> Option<Self> {
        if node.as_scalar().is_none() {
            wrong(node, Self::what(), problems);
            return None;
        }
        Some(Params(node.clone()))
    }
    fn what() -> String {
        "a value: text, number, true or false, date, or null".into()
    }
    fn schema() -> Json {
        json!({"type": ["string", "number", "boolean", "null"]})
    }
}

impl Rule for Params {
    fn build(self, _: Span, _: &mut Builder<'_>) -> Option<Box<dyn Generator>> {
        Some(Box::new(Constant::new(&self.0)))
    }
}

pub(super) const KIND: Kind = Kind {
    name: "constant",
    group: Group::Basic,
    summary: "The same value in every row.",
    details: "A scalar in the place of a column means the same: `Currency: USD`. Text in quotes is text; plain `12`, `1.5`, \
              `true` and `2026-01-31` are an int, a float, a bool and a date, as in YAML 1.2, unless `type` says otherwise.",
    example: "{constant: USD}",
    ..Kind::of::<Params>()
};
