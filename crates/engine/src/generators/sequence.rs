//! `sequence`: numbers or times at equal steps.

use lookalike_ruleset::decode::{DAY, Decode, Stamp, parse_stamp, parse_time};
use lookalike_ruleset::document::literal;
use lookalike_ruleset::expr::Literal;
use lookalike_ruleset::{Diagnostic, Node, Span, Type, params};
use polars::prelude::*;

use crate::array;
use crate::build::{Builder, resolve_stamp};
use crate::generator::{Block, Failure, Generator, Group, Kind, Output, Promise, Rule, Site};

params! {
    /// Values at equal steps: row i gets start + i × step.
    pub struct Params {
        /// Value of row 0: a whole number, a date or a stamp.
        start: Option<Node>,
        /// What each row adds: a whole number, or a length of time where `start` is a date or stamp.
        step: Option<Node>,
    }
}

enum Start {
    Int(i64),
    Stamp(Stamp),
}

struct Sequence {
    start: Start,
    step: i64,
    first: i64,
    ty: Type,
    span: Span,
}

impl Generator for Sequence {
    fn prepare(&mut self, site: &mut Site<'_>) -> Option<Output> {
        self.first = match self.start {
            Start::Int(start) => start,
            Start::Stamp(stamp) => {
                let micros = resolve_stamp(stamp, site)?;
                // A date with whole days as steps stays a date.
                let date = matches!(stamp, Stamp::Date(_)) && self.step % DAY == 0;
                self.ty = if date { Type::Date } else { Type::Datetime };
                if date {
                    self.step /= DAY;
                    micros / DAY
                } else {
                    micros
                }
            }
        };
        // A sequence repeats a value only if it stands still.
        if self.step != 0 || site.rows <= 1 {
            site.demand.unique = None;
        }
        let last = i128::from(self.first) + i128::from(self.step) * i128::from(site.rows.saturating_sub(1));
        let limit = if self.ty == Type::Date { i128::from(i32::MAX) } else { i128::from(i64::MAX) };
        if last.abs() > limit {
            site.problems.error(
                "bad-value",
                self.span,
                format!("row {} would need the value {last}", site.rows - 1),
                "the values must fit 64 bits",
            );
            return None;
        }
        Some(Output::of(self.ty))
    }

    fn promise(&self) -> Promise<'_> {
        Promise::Computed
    }

    fn has_place(&self) -> bool {
        true
    }

    fn never_repeats(&self) -> bool {
        self.step != 0
    }

    fn fill(&self, block: &Block<'_>) -> Result<Series, Failure> {
        let values = block
            .rows
            .iter()
            .map(|row| self.first.wrapping_add(self.step.wrapping_mul(row as i64)))
            .collect();
        array::from_ints(values, self.ty)
    }
}

impl Rule for Params {
    fn build(self, span: Span, builder: &mut Builder<'_>) -> Option<Box<dyn Generator>> {
        let text = |node: &Node| node.as_scalar().map(|s| s.text.clone()).unwrap_or_default();
        let start = match &self.start {
            None => Start::Int(1),
            Some(node) => match parse_stamp(&text(node)) {
                Some(stamp) => Start::Stamp(stamp),
                None => match literal(node, Type::Int, builder.problems)? {
                    Literal::Int(start) => Start::Int(start),
                    _ => return None,
                },
            },
        };
        let step = match (&start, &self.step) {
            (Start::Int(_), None) => 1,
            (Start::Stamp(_), None) => DAY,
            (Start::Int(_), Some(node)) => lookalike_ruleset::decode::Int::decode(node, builder.problems)?.0,
            (Start::Stamp(_), Some(node)) => match parse_time(&text(node)) {
                Some(step) => step,
                None => {
                    builder.problems.push(
                        Diagnostic::error(
                            "bad-duration",
                            node.span,
                            format!("{} is not a length of time", node.describe()),
                        )
                        .label("expected a length of time such as 1d, because `start` is a date or stamp"),
                    );
                    return None;
                }
            },
        };
        Some(Box::new(Sequence { start, step, first: 0, ty: Type::Int, span }))
    }
}

pub(super) const KIND: Kind = Kind {
    name: "sequence",
    group: Group::Basic,
    summary: "Numbers, dates or stamps at equal steps.",
    details: "Row i gets start + i × step, so the values are unique unless `step` is 0. Without `start` it counts from 1. \
              A date with steps of whole days gives dates; every other start in time gives stamps.",
    example: "{sequence: {start: 1000, step: 1}}",
    ..Kind::of::<Params>()
};
