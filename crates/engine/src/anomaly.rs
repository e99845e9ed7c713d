//! The shape of every kind of anomaly: which cells it spoils, and what it puts there.

use lookalike_core::Rows;
use lookalike_ruleset::decode::{Decode, FieldDoc};
use lookalike_ruleset::{Entry, Json, Node, Problems, Span, Value};
use polars::prelude::*;

use crate::build::{Builder, Spec};
use crate::entity::Place;
use crate::generator::{Block, Failure, InputId, InputName, Output, Site};
use crate::inject::Groups;
use crate::inject::order::Ordering;
use crate::look::Look;

/// An anomaly, ready to spoil rows.
///
/// **`spoil` is a pure function** of the anomaly's parameters, its seed, the rows and the clean table: a row is spoilt in
/// the same way whatever other rows are asked for.
pub trait Anomaly: Send + Sync {
    /// The columns whose cells it changes.
    fn columns(&self) -> Vec<InputName>;

    /// Adds further columns that it reads. Those that it changes can be read in any case.
    fn inputs(&self, _inputs: &mut Vec<InputName>) {}

    /// Checks the anomaly against its surroundings and gets ready; gives the types of the new values, one for each column
    /// that it changes. Known values may turn to any text, and any type to text: then the whole column is text, all other
    /// values as a CSV file has them. Other types stay. Gives `None` after adding at least one problem.
    fn prepare(&mut self, site: &mut Site<'_>) -> Option<Vec<Output>>;

    /// Looks at the clean table as a whole, once any of its rows can be made and before they are dealt. What it keeps must not
    /// grow with the table. Gives `None` after adding at least one problem.
    fn look(&mut self, _look: &Look<'_>, _problems: &mut Problems) -> Option<()> {
        Some(())
    }

    /// Makes the new values: a series for each column that it changes, with a value for each hit.
    ///
    /// # Errors
    /// When a value cannot be made.
    fn spoil(&self, hits: &Hits<'_>) -> Result<Vec<Series>, Failure>;
}

/// The rows that an anomaly hits, with their clean cells.
pub struct Hits<'a> {
    /// The rows. Inputs are clean.
    pub block: Block<'a>,
    /// Where each row stands in its instance: `entity` is the first row of the instance, which also names it.
    pub places: &'a [Place],
    pub(crate) clean: &'a Clean<'a>,
    /// The rows of windows or entities; without, an instance has consecutive rows.
    pub(crate) groups: Option<&'a Groups>,
    /// The order of rows, where it is not by their numbers.
    pub(crate) ordering: Option<&'a Ordering>,
    /// How many rows the table has.
    pub(crate) table_rows: u64,
}

/// Makes clean cells of any rows of the table: a column, and the rows.
pub(crate) type Clean<'a> = dyn Fn(usize, &Rows) -> Result<Series, Failure> + 'a;

impl Hits<'_> {
    /// The rows of the instance that a place is in, in order.
    pub fn members(&self, place: &Place) -> Rows {
        match self.groups {
            Some(groups) => groups.members(place.entity).to_vec().into(),
            None => (place.entity..place.entity + place.count).into(),
        }
    }

    /// Up to so many rows before and after a row, in the order that the anomaly goes by and of the same entity, with the row
    /// among them; and its position there.
    pub fn around(&self, row: u64, before: u64, after: u64) -> (Rows, usize) {
        match self.ordering {
            Some(ordering) => ordering.around(row, before, after),
            None => {
                let first = row.saturating_sub(before);
                (Rows::Range(first..self.table_rows.min(row + after + 1)), (row - first) as usize)
            }
        }
    }

    /// The clean values of a column in other rows of the table.
    ///
    /// # Errors
    /// When a row lies beyond the table's end, or a cell cannot be made.
    pub fn look_up(&self, column: InputId, rows: &Rows) -> Result<Series, Failure> {
        (self.clean)(column.0, rows)
    }
}

/// What the user writes for a kind of anomaly: parameters that become an anomaly.
pub trait AnomalyRule: Decode {
    /// Makes the anomaly, adding what is wrong with the parameters to the problems.
    fn build(self, span: Span, rules: &mut Rules<'_, '_>) -> Option<Box<dyn Anomaly>>;
}

/// The columns that an anomaly computes for itself, on its way to a plan.
pub struct Rules<'a, 'b> {
    /// Makes generators; also where problems go.
    pub builder: &'a mut Builder<'b>,
    /// Names of the columns that the table writes.
    pub written: Vec<String>,
    pub(crate) rules: Vec<OwnRule>,
}

/// A column that only one anomaly sees.
pub(crate) struct OwnRule {
    pub name: String,
    pub spec: Option<Spec>,
    pub span: Span,
    /// Whether it stands in for the table's column of this name, and so has its type.
    pub replaces: bool,
}

impl Rules<'_, '_> {
    /// Adds a column that only this anomaly sees, under a name that goes before the table's; a scalar is a constant.
    pub fn rule(&mut self, name: &str, node: &Node) -> InputName {
        let spec = self.builder.spec(node);
        self.rules.push(OwnRule { name: name.to_owned(), spec, span: node.span, replaces: false });
        InputName { name: name.to_owned(), span: node.span }
    }

    /// Adds a column that gives new values for the table's column of that name, with its type; text is an expression.
    pub fn replacement(&mut self, name: &str, node: &Node) {
        let expression;
        let node = if node.as_scalar().is_some() {
            let entry = Entry { key: "expr".into(), key_span: node.span, value: node.clone() };
            expression = Node { span: node.span, value: Value::Map(vec![entry]) };
            &expression
        } else {
            node
        };
        let spec = self.builder.spec(node);
        self.rules.push(OwnRule { name: name.to_owned(), spec, span: node.span, replaces: true });
    }
}

/// A kind of anomaly: one file under `anomalies/` and one line in [`crate::anomalies::ANOMALIES`].
#[derive(Clone, Copy)]
pub struct AnomalyKind {
    /// Key in the ruleset; also the name of the file.
    pub name: &'static str,
    /// One line.
    pub summary: &'static str,
    /// Some lines: what it changes, how, and edge cases.
    pub details: &'static str,
    /// An anomaly's value in YAML, complete.
    pub example: &'static str,
    /// Whether it takes runs of rows, and so needs `burst`.
    pub needs_burst: bool,
    /// Makes the anomaly from the value under the key.
    pub build: fn(&Node, &mut Rules<'_, '_>) -> Option<Box<dyn Anomaly>>,
    /// What may be written under the key, in words.
    pub what: fn() -> String,
    /// The keys, if it is a mapping.
    pub fields: fn() -> Vec<FieldDoc>,
    /// JSON Schema of the value under the key.
    pub schema: fn() -> Json,
}

impl AnomalyKind {
    /// A kind whose parameters are `R`; name, summary, details and example are still to be set.
    pub const fn of<R: AnomalyRule>() -> AnomalyKind {
        fn build<R: AnomalyRule>(node: &Node, rules: &mut Rules<'_, '_>) -> Option<Box<dyn Anomaly>> {
            R::decode(node, rules.builder.problems)?.build(node.span, rules)
        }
        AnomalyKind {
            name: "",
            summary: "",
            details: "",
            example: "",
            needs_burst: false,
            build: build::<R>,
            what: R::what,
            fields: R::fields,
            schema: R::schema,
        }
    }
}

impl std::fmt::Debug for AnomalyKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AnomalyKind").field("name", &self.name).finish_non_exhaustive()
    }
}
