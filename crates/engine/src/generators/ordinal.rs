//! `ordinal`: a row's place among the children of its parent.

use lookalike_ruleset::decode::{Decode, FieldDoc, Int};
use lookalike_ruleset::{Json, Node, Problems, Span, Type, params};
use polars::prelude::*;
use serde_json::json;

use crate::array;
use crate::build::Builder;
use crate::entity::{Entity, Per};
use crate::generator::{Block, Failure, Generator, Group, InputName, Kind, Output, Rule, Site};

params! {
    /// Numbers within a parent's children.
    struct Params {
        /// The link with `per_parent`; `table` numbers the whole table.
        per: Per,
        /// The first child's number.
        start: Int = Int(1),
    }
}

struct Ordinal(Params);

impl Decode for Ordinal {
    fn decode(node: &Node, problems: &mut Problems) -> Option<Self> {
        if node.as_scalar().is_some() {
            return Per::decode(node, problems).map(|per| Ordinal(Params { per, start: Int(1) }));
        }
        Params::decode(node, problems).map(Ordinal)
    }
    fn what() -> String {
        format!("{}, or {}", Per::what(), Params::what())
    }
    fn schema() -> Json {
        json!({"anyOf": [Per::schema(), Params::schema()]})
    }
    fn fields() -> Vec<FieldDoc> {
        Params::fields()
    }
}

impl Rule for Ordinal {
    fn build(self, _: Span, _: &mut Builder<'_>) -> Option<Box<dyn Generator>> {
        Some(Box::new(Numbered { params: self.0, entity: None }))
    }
}

struct Numbered {
    params: Params,
    entity: Option<Entity>,
}

impl Generator for Numbered {
    fn inputs(&self, inputs: &mut Vec<InputName>) {
        self.params.per.inputs(true, inputs);
    }

    fn prepare(&mut self, site: &mut Site<'_>) -> Option<Output> {
        self.entity = Some(self.params.per.prepare(true, site)?);
        if matches!(self.entity, Some(Entity::Table { .. })) {
            site.demand.unique = None;
        }
        Some(Output::of(Type::Int))
    }

    fn has_place(&self) -> bool {
        true
    }

    fn fill(&self, block: &Block<'_>) -> Result<Series, Failure> {
        let places = self.entity.as_ref().expect("set in prepare").places(block)?;
        let start = self.params.start.0;
        Ok(array::ints(places.iter().map(|place| start.wrapping_add_unsigned(place.ordinal)).collect()))
    }
}

pub(super) const KIND: Kind = Kind {
    name: "ordinal",
    group: Group::Basic,
    summary: "A row's number among the children of its parent, from 1.",
    details: "For tables whose rows follow from their parents: the link must have `per_parent`. With the parent's key it \
              makes a composite key, such as order and line. `start` is the first child's number.",
    example: "{ordinal: {per: table, start: 1}}",
    ..Kind::of::<Ordinal>()
};
