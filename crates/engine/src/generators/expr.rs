//! `expr`: a value computed from other columns of the row.

use lookalike_ruleset::decode::Decode;
use lookalike_ruleset::{Json, Node, Problems, Span, Type};
use polars::prelude::*;
use serde_json::json;

use crate::array::dtype_of;
use crate::build::Builder;
use crate::formula::Formula;
use crate::generator::{
    Block, Failure, Generator, Group, InputId, InputName, Kind, Output, Promise, Rule, Site,
};

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
    /// The column that the expression is, where it is nothing but a name.
    column: Option<InputId>,
}

impl Generator for Expression {
    fn inputs(&self, inputs: &mut Vec<InputName>) {
        self.formula.inputs(inputs);
    }

    fn prepare(&mut self, site: &mut Site<'_>) -> Option<Output> {
        let wanted = site.demand.ty;
        if let Some(name) = self.formula.as_column() {
            let (id, output) = site.input(&name)?;
            self.column = Some(id);
            return Some(output);
        }
        let (ty, nullable) = self.formula.prepare(site)?;
        self.ty = ty.or(wanted).unwrap_or(Type::Text);
        Some(Output { nullable, ..Output::of(self.ty) })
    }

    fn promise(&self) -> Promise<'_> {
        Promise::Computed
    }

    fn copies(&self) -> Option<InputId> {
        self.column
    }

    fn fill(&self, block: &Block<'_>) -> Result<Series, Failure> {
        if let Some(column) = self.column {
            return Ok(block.input(column).into_owned());
        }
        Ok(self.formula.evaluate(block)?.cast(&dtype_of(self.ty))?)
    }
}

impl Rule for Params {
    fn build(self, _: Span, _: &mut Builder<'_>) -> Option<Box<dyn Generator>> {
        Some(Box::new(Expression { formula: self.0, ty: Type::Text, column: None }))
    }
}

pub(super) const KIND: Kind = Kind {
    name: "expr",
    group: Group::Derived,
    summary: "A value computed from other columns of the row, in SQL.",
    details: "Names of columns stand bare or in double quotes, text in single quotes; `param.name` reads a parameter and \
              `clock` the ruleset's clock, `customer.region` a column of the parent in the link `customer`, and \
              `count(orders)` or `sum(orders.amount)` the row's children. An operation without a result (overflow, \
              division by zero, logarithm of a negative number) is NULL. An expression that is only a name is that column \
              as it is, with its type and digits; in longer ones a decimal is read as a float. `lookalike explain \
              functions` lists what may be called.",
    example: "{expr: 'number * 2 + CASE WHEN flag THEN 1 ELSE 0 END'}",
    ..Kind::of::<Params>()
};
