//! An expression of the ruleset, ready to be evaluated over blocks.

use lookalike_ruleset::decode::{Decode, wrong};
use lookalike_ruleset::expr::{Parsed, Resolved, Scope, Typed};
use lookalike_ruleset::{Diagnostic, Json, Node, Problems, Span, Type};
use polars::prelude::*;
use serde_json::json;

use crate::array::dtype_of;
use crate::expr::Program;
use crate::generator::{Block, Failure, InputId, InputName, Output, Site, position};

/// An expression with the columns that it reads.
pub struct Formula {
    parsed: Parsed,
    /// Place in the ruleset.
    pub span: Span,
    ready: Option<Ready>,
}

struct Ready {
    inputs: Vec<(PlSmallStr, InputId)>,
    program: Program,
}

/// An expression as written, for a kind's parameters; [`Formula::parse`] reads it.
#[derive(Clone, Debug)]
pub struct Expression(pub Node);

impl Decode for Expression {
    fn decode(node: &Node, problems: &mut Problems) -> Option<Self> {
        if node.as_scalar().is_none() || node.is_null() {
            wrong(node, Self::what(), problems);
            return None;
        }
        Some(Expression(node.clone()))
    }
    fn what() -> String {
        "a column or a SQL expression over columns of the row".into()
    }
    fn schema() -> Json {
        json!({"type": ["string", "number", "boolean"]})
    }
}

impl Formula {
    /// Reads an expression.
    pub fn parse(node: &Node, problems: &mut Problems) -> Option<Formula> {
        Some(Formula { parsed: Parsed::parse(node, problems)?, span: node.span, ready: None })
    }

    /// Adds the columns that the expression reads. `clock` and `param.name` are not columns.
    pub fn inputs(&self, inputs: &mut Vec<InputName>) {
        for reference in self.parsed.references() {
            if let Some(name) = column_of(&reference.path) {
                inputs.push(InputName { name, span: reference.span });
            }
        }
    }

    /// The column that the expression is, where it is nothing but a column's name.
    pub fn as_column(&self) -> Option<String> {
        column_of(self.parsed.as_name()?)
    }

    /// Checks names and types and gets ready; gives the type of the values, `None` for the NULL literal, and whether they can
    /// be null.
    pub fn prepare(&mut self, site: &mut Site<'_>) -> Option<(Option<Type>, bool)> {
        let typed = self.check(site)?;
        let mut inputs = Vec::new();
        let mut schema = Schema::default();
        for reference in self.parsed.references() {
            if let Some(name) = column_of(&reference.path) {
                let (id, output) = site.input(&name)?;
                let dtype =
                    output.categories.as_ref().map_or_else(|| dtype_of(output.ty), |c| c.dtype().clone());
                schema.insert(name.as_str().into(), dtype);
                inputs.push((name.as_str().into(), id));
            }
        }
        let ty = typed.ty;
        let nullable = typed.nullable(&|name| site.input(name).is_none_or(|(_, output)| output.nullable));
        match Program::new(&[("value", typed)], &schema) {
            Ok(program) => self.ready = Some(Ready { inputs, program }),
            Err(error) => {
                site.problems.push(Diagnostic::error(
                    "bad-expression",
                    self.span,
                    format!("this expression cannot be compiled: {error}"),
                ));
                return None;
            }
        }
        Some((ty, nullable))
    }

    fn check(&self, site: &mut Site<'_>) -> Option<Typed> {
        // A column that could not be prepared was reported; nothing more can be said about expressions that read it.
        for reference in self.parsed.references() {
            if let Some(name) = column_of(&reference.path)
                && let Some(at) = site.position(&name)
                && site.columns[at].1.is_none()
            {
                return None;
            }
        }
        if self.parsed.references().iter().any(|r| r.path == [CLOCK]) {
            site.clock()?;
        }
        let scope = Names { columns: site.columns, scope: site.scope, world: site.world };
        self.parsed.check(&scope, site.problems)
    }

    /// Like [`prepare`](Self::prepare), for an expression that must be true or false.
    pub fn prepare_condition(&mut self, what: &str, site: &mut Site<'_>) -> Option<()> {
        match self.prepare(site)? {
            (Some(Type::Bool), _) => Some(()),
            (other, _) => {
                let found = other.map_or("always NULL".to_owned(), |ty| format!("of type {ty}"));
                site.problems.push(
                    Diagnostic::error(
                        "expression-type",
                        self.span,
                        format!("`{what}` needs a condition; this is {found}"),
                    )
                    .label("expected true or false")
                    .help("compare with something, for example `\"Size\" > 100`"),
                );
                None
            }
        }
    }

    /// The values for the block's rows.
    ///
    /// # Errors
    /// When polars fails; expressions themselves are total.
    pub fn evaluate(&self, block: &Block<'_>) -> Result<Series, Failure> {
        let ready = self.ready.as_ref().expect("formulas are prepared before they are evaluated");
        let columns = ready
            .inputs
            .iter()
            .map(|(name, id)| block.input(*id).into_owned().with_name(name.clone()).into_column())
            .collect();
        let frame = DataFrame::new(block.len(), columns)?;
        let mut values = ready.program.evaluate(&frame)?;
        let column = values.pop().expect("the program has one expression");
        Ok(column.take_materialized_series())
    }
}

/// Name under which expressions read the ruleset's clock.
pub const CLOCK: &str = "clock";

/// Name space of the ruleset's parameters.
const PARAM: &str = "param";

/// The column that a name stands for, if it is one.
fn column_of(path: &[String]) -> Option<String> {
    match path {
        [name] if name == CLOCK => None,
        [space, _] if space == PARAM => None,
        path => Some(path.join(".")),
    }
}

struct Names<'a> {
    columns: &'a [(String, Option<Output>)],
    scope: &'a [String],
    world: &'a crate::generator::World,
}

impl Scope for Names<'_> {
    fn resolve(&self, path: &[String]) -> Option<Resolved> {
        match path {
            [name] if name == CLOCK => self
                .world
                .clock
                .map(|clock| Resolved::Constant(lookalike_ruleset::document::Literal::Datetime(clock))),
            [space, name] if space == PARAM => self
                .world
                .params
                .iter()
                .find(|(param, _)| param == name)
                .map(|(_, value)| Resolved::Constant(value.clone())),
            path => {
                let name = path.join(".");
                let at = position(self.columns, self.scope, &name)?;
                self.columns[at].1.as_ref().map(|output| Resolved::Column { ty: output.ty })
            }
        }
    }

    fn names(&self) -> Vec<String> {
        let columns = self.columns.iter().map(|(name, _)| name.clone());
        let params = self.world.params.iter().map(|(name, _)| format!("param.{name}"));
        columns.chain(params).chain([CLOCK.to_owned()]).collect()
    }
}
