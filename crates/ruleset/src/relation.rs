//! How tables hang together and grow: the keys `belongs_to`, `unique` and `scaling` of a table.

use serde_json::json;

use crate::decode::{Decode, FieldDoc, Positive, Share, Spanned, wrong};
use crate::diagnostic::{Diagnostic, Problems};
use crate::node::Node;
use crate::{Json, params};

params! {
    /// A link from each row of a table to a row of another: its parent.
    pub struct Link {
        /// The parent table.
        table: Spanned<String>,
        /// How a row picks its parent: `uniform`, `{zipf: exponent}`, `{weight: column of the parent}` or `{row: expression}`, which computes the parent's row number. For tables with rows of their own.
        pick: Option<Pick>,
        /// How many children each parent has: a column that the parent computes, such as `{int_range: [0, 50]}`. The table's rows follow from it.
        per_parent: Option<Node>,
        /// Share of the rows without a parent.
        null: Spanned<Share> = Spanned { value: Share(0.0), span: crate::Span::default() },
        /// Name of the children in the parent's expressions, as in `count(orders)`; the table's name where none is given.
        children: Option<Spanned<String>>,
    }
}

/// A [`Link`], which may be written as the parent table's name alone.
#[derive(Clone, Debug)]
pub struct LinkDecl(pub Link);

impl Decode for LinkDecl {
    fn decode(node: &Node, problems: &mut Problems) -> Option<Self> {
        if node.as_scalar().is_some() {
            let table = Spanned::decode(node, problems)?;
            let null = Spanned { value: Share(0.0), span: node.span };
            return Some(LinkDecl(Link { table, pick: None, per_parent: None, null, children: None }));
        }
        Link::decode(node, problems).map(LinkDecl)
    }
    fn what() -> String {
        format!("the name of a table, or {}", Link::what())
    }
    fn schema() -> Json {
        json!({"anyOf": [{"type": "string"}, Link::schema()]})
    }
    fn fields() -> Vec<FieldDoc> {
        Link::fields()
    }
}

/// How a row picks its parent.
#[derive(Clone, Debug)]
pub enum Pick {
    /// All parents are equally likely.
    Uniform,
    /// Popularity by Zipf's law with this exponent; which parents are popular is random.
    Zipf(Positive),
    /// In proportion to a column of the parent.
    Weight(Spanned<String>),
    /// The parent's row number, from 0, as an expression over the row's own columns; NULL for no parent.
    Row(Node),
}

impl Decode for Pick {
    fn decode(node: &Node, problems: &mut Problems) -> Option<Self> {
        if node.as_scalar().is_some_and(|scalar| scalar.text == "uniform") {
            return Some(Pick::Uniform);
        }
        match node.as_map() {
            Some([entry]) if entry.key == "zipf" => {
                return Positive::decode(&entry.value, problems).map(Pick::Zipf);
            }
            Some([entry]) if entry.key == "weight" => {
                return Spanned::decode(&entry.value, problems).map(Pick::Weight);
            }
            Some([entry]) if entry.key == "row" => return Some(Pick::Row(entry.value.clone())),
            _ => {}
        }
        wrong(node, Self::what(), problems);
        None
    }
    fn what() -> String {
        "`uniform`, `{zipf: exponent}`, `{weight: column}` or `{row: expression}`".into()
    }
    fn schema() -> Json {
        json!({"anyOf": [
            {"const": "uniform"},
            {"type": "object", "properties": {"zipf": Positive::schema()}, "required": ["zipf"], "additionalProperties": false},
            {"type": "object", "properties": {"weight": {"type": "string"}}, "required": ["weight"], "additionalProperties": false},
            {"type": "object", "properties": {"row": {"type": "string"}}, "required": ["row"], "additionalProperties": false},
        ]})
    }
}

/// How a table's rows follow the scale of a run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Scaling {
    /// Rows times the scale: facts.
    Linear,
    /// The rows stay as they are: dimensions.
    Fixed,
    /// Rows times a power of the scale below 1: what grows, but slower than the facts.
    SubLinear(f64),
}

impl Scaling {
    /// The exponent of `sub_linear` where none is given: the square root.
    pub const SUB_LINEAR: f64 = 0.5;

    /// What a table's rows are multiplied by.
    pub fn factor(self, scale: f64) -> f64 {
        match self {
            Scaling::Linear => scale,
            Scaling::Fixed => 1.0,
            Scaling::SubLinear(exponent) => libm::pow(scale, exponent),
        }
    }
}

impl Decode for Scaling {
    fn decode(node: &Node, problems: &mut Problems) -> Option<Self> {
        match node.as_scalar().map(|scalar| scalar.text.as_str()) {
            Some("linear") => return Some(Scaling::Linear),
            Some("fixed") => return Some(Scaling::Fixed),
            Some("sub_linear") => return Some(Scaling::SubLinear(Self::SUB_LINEAR)),
            _ => {}
        }
        if let Some([entry]) = node.as_map()
            && entry.key == "sub_linear"
        {
            let Positive(exponent) = Positive::decode(&entry.value, problems)?;
            if exponent < 1.0 {
                return Some(Scaling::SubLinear(exponent));
            }
            problems.push(
                Diagnostic::error(
                    "bad-value",
                    entry.value.span,
                    format!("`{exponent}` is not less than linear"),
                )
                .label("expected an exponent between 0 and 1")
                .help("write `scaling: linear` for an exponent of 1"),
            );
            return None;
        }
        wrong(node, Self::what(), problems);
        None
    }
    fn missing() -> Option<Self> {
        Some(Scaling::Linear)
    }
    fn what() -> String {
        "`linear`, `fixed`, `sub_linear` or `{sub_linear: exponent}`".into()
    }
    fn schema() -> Json {
        json!({"anyOf": [
            {"enum": ["linear", "fixed", "sub_linear"]},
            {"type": "object", "properties": {"sub_linear": Positive::schema()}, "required": ["sub_linear"], "additionalProperties": false},
        ]})
    }
}
