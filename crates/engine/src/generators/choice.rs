//! `choice`: one of a list of values, evenly or by weight.

use std::sync::Arc;

use lookalike_core::Permutation;
use lookalike_core::declared::{self, Spread};
use lookalike_core::stream::below;
use lookalike_ruleset::decode::{Decode, parse_number, wrong};
use lookalike_ruleset::document::{guess, literal};
use lookalike_ruleset::expr::Literal;
use lookalike_ruleset::{Diagnostic, Json, Node, Problems, Scalar, Span, Type, Value};
use polars::prelude::*;
use serde_json::json;

use crate::array;
use crate::build::Builder;
use crate::generator::{
    Block, Categories, Failure, Generator, Group, Kind, Output, Promise, Rule, Site, Words,
};
use crate::pick::Pick;

/// The longest list.
const MAX_VALUES: usize = 1_000_000;

/// What was written: values, and weights unless they are even.
#[derive(Debug)]
pub struct Params {
    values: Vec<Node>,
    weights: Option<Vec<f64>>,
}

/// Checks weights and adds what is wrong; percentages must add up to 100 %.
pub(super) fn check_weights(weights: &[f64], percent: bool, span: Span, problems: &mut Problems) -> bool {
    let sum: f64 = weights.iter().sum();
    if let Some(bad) = weights.iter().find(|w| !w.is_finite() || **w < 0.0) {
        problems.error(
            "bad-weights",
            span,
            format!("the weight {bad} is negative"),
            "weights are numbers of at least 0",
        );
        return false;
    }
    if sum <= 0.0 || !sum.is_finite() {
        problems.error(
            "bad-weights",
            span,
            "the weights add up to 0",
            "give at least one value a weight above 0",
        );
        return false;
    }
    if percent && (sum - 1.0).abs() > 1e-6 {
        let shown = (sum * 1e8).round() / 1e6;
        problems.error(
            "bad-weights",
            span,
            format!("the percentages add up to {shown} %, not 100 %"),
            "mend them, or write plain numbers, of which only the proportions count",
        );
        return false;
    }
    true
}

/// Reads weights, adding what is wrong with them at `span` or their own places.
pub(crate) fn read_weights(nodes: &[&Node], span: Span, problems: &mut Problems) -> Option<Vec<f64>> {
    let percent = nodes.iter().all(|n| n.as_scalar().is_some_and(|s| s.text.trim_end().ends_with('%')));
    let mut weights = Vec::with_capacity(nodes.len());
    for node in nodes {
        match node.as_scalar().filter(|_| !node.is_null()).and_then(|s| parse_number(&s.text)) {
            Some(weight) if weight >= 0.0 => weights.push(weight),
            _ => problems.push(
                Diagnostic::error("bad-weights", node.span, format!("{} is not a weight", node.describe()))
                    .label("expected a number of at least 0, or a percentage"),
            ),
        }
    }
    (weights.len() == nodes.len() && check_weights(&weights, percent, span, problems)).then_some(weights)
}

impl Decode for Params {
    fn decode(node: &Node, problems: &mut Problems) -> Option<Self> {
        let (values, weights): (Vec<Node>, Option<Vec<f64>>) = match &node.value {
            Value::List(items) => (items.clone(), None),
            Value::Map(entries) => match (node.get("values"), node.get("weights"), entries.len()) {
                (Some(values), Some(weights), 2) if values.as_list().is_some() => {
                    let values = values.as_list().unwrap_or_default().to_vec();
                    let Some(list) = weights.as_list() else {
                        wrong(weights, "a list of weights", problems);
                        return None;
                    };
                    if list.len() != values.len() {
                        let message = format!("{} values have {} weights", values.len(), list.len());
                        problems.error("bad-weights", weights.span, message, "give each value one weight");
                        return None;
                    }
                    let read = read_weights(&list.iter().collect::<Vec<_>>(), weights.span, problems)?;
                    (values, Some(read))
                }
                _ => {
                    let values = entries
                        .iter()
                        .map(|e| Node {
                            span: e.key_span,
                            value: Value::Scalar(Scalar {
                                text: e.key.clone(),
                                quoted: false,
                                verbatim: None,
                            }),
                        })
                        .collect();
                    let weights: Vec<&Node> = entries.iter().map(|e| &e.value).collect();
                    (values, Some(read_weights(&weights, node.span, problems)?))
                }
            },
            Value::Scalar(_) | Value::Reported => {
                wrong(node, Self::what(), problems);
                return None;
            }
        };
        if values.is_empty() || values.len() > MAX_VALUES {
            problems.error(
                "bad-value",
                node.span,
                format!("a choice among {} values", values.len()),
                format!("list 1 to {MAX_VALUES} values"),
            );
            return None;
        }
        let mut whole = true;
        for value in &values {
            if value.as_scalar().is_none() {
                wrong(value, "a scalar: to choose among generators, use `mixture`", problems);
                whole = false;
            } else if value.is_null() {
                problems.error(
                    "bad-value",
                    value.span,
                    "null cannot be chosen",
                    "write `null: 10%` beside `choice` to make a share of the rows null; the word itself goes into a list, in quotes",
                );
                whole = false;
            }
        }
        whole.then_some(Params { values, weights })
    }
    fn what() -> String {
        "a list of values, a mapping from values to weights, or `{values: […], weights: […]}`".into()
    }
    fn schema() -> Json {
        let scalar = json!({"type": ["string", "number", "boolean", "null"]});
        let weight = json!({"anyOf": [{"type": "number", "minimum": 0}, {"type": "string"}]});
        json!({"anyOf": [
            {"type": "array", "items": scalar, "minItems": 1},
            {"type": "object", "properties": {
                "values": {"type": "array", "items": scalar, "minItems": 1},
                "weights": {"type": "array", "items": weight, "minItems": 1},
            }, "required": ["values", "weights"], "additionalProperties": false},
            {"type": "object", "additionalProperties": weight, "minProperties": 1},
        ]})
    }
}

impl Rule for Params {
    fn build(self, _: Span, _: &mut Builder<'_>) -> Option<Box<dyn Generator>> {
        Some(Box::new(Choice { params: self, pick: None, values: Values::Bools(Vec::new()), source: None }))
    }
}

struct Choice {
    params: Params,
    pick: Option<Pick>,
    values: Values,
    source: Option<Source>,
}

enum Source {
    Draws(Words),
    Unique(Permutation),
}

/// The values by their common type.
enum Values {
    Bools(Vec<bool>),
    Ints(Vec<i64>, Type),
    Floats(Vec<f64>),
    Texts(Arc<Categories>, Vec<u32>),
    LongTexts(Vec<String>),
}

/// The type that holds all literals; text where they have nothing else in common.
fn common_type(literals: &[Literal]) -> Type {
    let mut types = literals.iter().filter_map(Literal::ty);
    let first = types.next().unwrap_or(Type::Text);
    types.fold(first, |a, b| match (a, b) {
        _ if a == b => a,
        (Type::Int, Type::Float) | (Type::Float, Type::Int) => Type::Float,
        (Type::Date, Type::Datetime) | (Type::Datetime, Type::Date) => Type::Datetime,
        _ => Type::Text,
    })
}

impl Generator for Choice {
    fn prepare(&mut self, site: &mut Site<'_>) -> Option<Output> {
        let scalars = || self.params.values.iter().filter_map(Node::as_scalar);
        let wanted = site.demand.ty.filter(|ty| !matches!(ty, Type::Decimal(_)));
        let ty = wanted.unwrap_or_else(|| common_type(&scalars().map(guess).collect::<Vec<_>>()));
        if ty == Type::Text {
            let texts: Vec<String> = scalars().map(|s| s.text.clone()).collect();
            let mut distinct: Vec<String> = Vec::new();
            let mut index = std::collections::BTreeMap::new();
            let mut codes = Vec::with_capacity(texts.len());
            for text in &texts {
                let next = distinct.len() as u32;
                let code = *index.entry(text.clone()).or_insert(next);
                if code == next {
                    distinct.push(text.clone());
                }
                codes.push(code);
            }
            if site.demand.unique.is_some() && distinct.len() < texts.len() {
                site.error(
                    "cannot-be-unique",
                    "the list holds a value twice",
                    "remove the repetition or drop `unique`",
                );
                return None;
            }
            self.values = if distinct.len() <= Categories::MAX {
                Values::Texts(Categories::new(distinct), codes)
            } else {
                Values::LongTexts(texts)
            };
        } else {
            let literals: Vec<Option<Literal>> =
                self.params.values.iter().map(|n| literal(n, ty, site.problems)).collect();
            let literals: Vec<Literal> = literals.into_iter().collect::<Option<_>>()?;
            self.values = match ty {
                Type::Bool => {
                    Values::Bools(literals.iter().map(|l| matches!(l, Literal::Bool(true))).collect())
                }
                Type::Float | Type::Decimal(_) => Values::Floats(
                    literals.iter().map(|l| if let Literal::Float(v) = l { *v } else { 0.0 }).collect(),
                ),
                _ => {
                    let whole = |l: &Literal| match l {
                        Literal::Int(v) | Literal::Datetime(v) | Literal::Duration(v) => *v,
                        Literal::Date(v) => i64::from(*v),
                        _ => 0,
                    };
                    Values::Ints(literals.iter().map(whole).collect(), ty)
                }
            };
        }
        let len = self.params.values.len() as u64;
        self.source = Some(match site.demand.unique.take() {
            None => Source::Draws(site.words(site.seed)),
            Some(span) if self.params.weights.is_some() => {
                site.problems.error(
                    "cannot-be-unique",
                    span,
                    "values with weights cannot be unique",
                    "list the values without weights",
                );
                return None;
            }
            Some(span) if len < site.rows => {
                let message =
                    format!("{} rows need different values, but the list has only {len}", site.rows);
                site.problems.error("too-few-words", span, message, "lengthen the list or drop `unique`");
                return None;
            }
            Some(_) => Source::Unique(Permutation::new(len, site.seed.derive("unique"))),
        });
        self.pick = self.params.weights.as_deref().map(Pick::new);
        Some(match &self.values {
            Values::Texts(categories, _) => Output::categories(categories.clone()),
            Values::LongTexts(texts) => Output::text(texts.iter().all(|t| crate::generator::is_plain(t))),
            Values::Bools(_) => Output::of(Type::Bool),
            Values::Floats(_) => Output::of(Type::Float),
            Values::Ints(_, ty) => Output::of(*ty),
        })
    }

    fn fill(&self, block: &Block<'_>) -> Result<Series, Failure> {
        let len = self.params.values.len() as u64;
        let picks: Vec<u32> = match self.source.as_ref().expect("set in prepare") {
            Source::Unique(permutation) => {
                block.rows.iter().map(|row| permutation.apply(row) as u32).collect()
            }
            Source::Draws(words) => {
                let mut picks = Vec::with_capacity(block.len());
                match &self.pick {
                    Some(pick) => words.for_each(block, |word| picks.push(pick.pick(word))),
                    None => words.for_each(block, |word| picks.push(below(word, len) as u32)),
                }
                picks
            }
        };
        let each = picks.iter().map(|at| *at as usize);
        match &self.values {
            Values::Texts(categories, codes) => Ok(array::codes(each.map(|at| codes[at]), categories)),
            Values::LongTexts(texts) => Ok(array::texts(each.map(|at| texts[at].as_str()), picks.len())),
            Values::Bools(values) => Ok(array::bools(each.map(|at| values[at]))),
            Values::Floats(values) => Ok(array::floats(each.map(|at| values[at]).collect())),
            Values::Ints(values, ty) => array::from_ints(each.map(|at| values[at]).collect(), *ty),
        }
    }

    fn promise(&self) -> Promise<'_> {
        let weight = |at: usize| self.params.weights.as_ref().map_or(1.0, |weights| weights[at]);
        let shares = |texts: Vec<&str>| {
            let total: f64 = (0..texts.len()).map(weight).sum();
            let mut shares: std::collections::BTreeMap<&str, f64> = std::collections::BTreeMap::new();
            for (at, text) in texts.iter().enumerate() {
                *shares.entry(text).or_default() += weight(at) / total;
            }
            declared::Promise::Shares(
                shares.into_iter().map(|(text, share)| (text.to_owned(), share)).collect(),
            )
        };
        let points = |values: &mut dyn Iterator<Item = f64>| {
            let weighted = values.enumerate().map(|(at, value)| (value, weight(at)));
            declared::Promise::Spread(Spread::points(weighted))
        };
        Promise::Drawn(match &self.values {
            Values::Bools(values) => {
                shares(values.iter().map(|v| if *v { "true" } else { "false" }).collect())
            }
            Values::Texts(categories, codes) => {
                shares(codes.iter().map(|code| categories.values()[*code as usize].as_str()).collect())
            }
            Values::LongTexts(texts) => shares(texts.iter().map(String::as_str).collect()),
            Values::Floats(values) => points(&mut values.iter().copied()),
            Values::Ints(values, _) => points(&mut values.iter().map(|value| *value as f64)),
        })
    }
}

pub(super) const KIND: Kind = Kind {
    name: "choice",
    group: Group::Basic,
    summary: "One of a list of values, evenly or by weight.",
    details: "A list is drawn from evenly. A mapping gives each value a weight: a percentage (they must add up to 100 %) or \
              a number (only proportions count). The values' type is what they look like, or the column's `type`. A \
              probability is kept to 2^-64. `unique: true` deals the values of an even list out without repetition.",
    example: "{choice: {gp2: 40%, gp3: 35%, io1: 25%}}",
    ..Kind::of::<Params>()
};
