//! `expr`: a value computed from other columns of the row.

use lookalike_ruleset::decode::Decode;
use lookalike_ruleset::{Json, Node, Problems, Span, Type};
use polars::prelude::*;
use serde_json::json;

use crate::array::dtype_of;
use crate::build::Builder;
use crate::formula::Formula;
use crate::generator::{Block, Failure, Generator, Group, InputName, Kind, Output, Rule, Site};

struct Params(Formula);

impl Decode for Params {
    fn decode(node: &Node, problems: &mut Problems) -> Option<Self> {
        Formula::parse(node, problems).map(Params)
    }
    fn what() -> String {
        "a SQL expression over columns of the row".into()
    }
    fn schema() -> Json {
        json!({"type": ["string", "number", "boolean"]})
    }
}

struct Expression {
    formula: Formula,
    ty: Type,
}

impl Generator for Expression {
    fn inputs(&self, inputs: &mut Vec<InputName>) {
        self.formula.inputs(inputs);
    }

    fn prepare(&mut self, site: &mut Site<'_>) -> Option<Output> {
        let wanted = site.demand.ty;
        let (ty, nullable) = self.formula.prepare(site)?;
        self.ty = ty.or(wanted).unwrap_or(Type::Text);
        Some(Output { nullable, ..Output::of(self.ty) })
    }

    fn fill(&self, block: &Block<'_>) -> Result<Series, Failure> {
        Ok(self.formula.evaluate(block)?.cast(&dtype_of(self.ty))?)
    }
}

impl Rule for Params {
    fn build(self, _: Span, _: &mut Builder<'_>) -> Option<Box<dyn Generator>> {
        Some(Box::new(Expression { formula: self.0, ty: Type::Text }))
    }
}

pub(super) const KIND: Kind = Kind {
    name: "expr",
    group: Group::Derived,
    summary: "A value computed from other columns of the row, in SQL.",
    details: "Names of columns stand bare or in double quotes, text in single quotes; `param.name` reads a parameter and \
              `clock` the ruleset's clock. An operation without a result (overflow, division by zero, logarithm of a \
              negative number) is NULL. There are no aggregates: a row sees only itself.",
    example: "{expr: 'number * 2 + CASE WHEN flag THEN 1 ELSE 0 END'}",
    ..Kind::of::<Params>()
};
