//! Numbers by a law: the one generator behind every kind of probability distribution.
//!
//! A value is the law's quantile function at one random word. So every kind costs one draw a row, `truncate` is exact, and
//! values rise with the draw.

use std::sync::Arc;

use lookalike_core::declared::{self, Spread};
use lookalike_core::law::{Law, LawError, Truncated};
use lookalike_core::stream::open01;
use lookalike_ruleset::decode::Decode;
use lookalike_ruleset::{Diagnostic, Json, Node, Problems, Span, Type};
use polars::prelude::*;

use crate::array;
use crate::build::Builder;
use crate::generator::{Block, Failure, Generator, Output, Promise, Rule, Site, Words};

/// Parameters that stand for a law.
pub trait LawRule: Decode {
    /// The law.
    ///
    /// # Errors
    /// When the parameters do not fit together.
    fn law(self) -> Result<Arc<dyn Law>, LawError>;
}

/// Makes any [`LawRule`] a [`Rule`].
pub struct ByLaw<T>(T);

impl<T: LawRule> Decode for ByLaw<T> {
    fn decode(node: &Node, problems: &mut Problems) -> Option<Self> {
        T::decode(node, problems).map(ByLaw)
    }
    fn what() -> String {
        T::what()
    }
    fn schema() -> Json {
        T::schema()
    }
    fn fields() -> Vec<lookalike_ruleset::decode::FieldDoc> {
        T::fields()
    }
}

impl<T: LawRule> Rule for ByLaw<T> {
    fn build(self, span: Span, builder: &mut Builder<'_>) -> Option<Box<dyn Generator>> {
        match self.0.law() {
            Ok(law) => Some(Box::new(Numbers { law, words: None })),
            Err(error) => {
                builder.problems.push(Diagnostic::error("bad-value", span, error.to_string()));
                None
            }
        }
    }
}

/// Numbers by a law.
pub struct Numbers {
    law: Arc<dyn Law>,
    words: Option<Words>,
}

impl Numbers {
    /// Numbers that follow `law`.
    pub fn new(law: Arc<dyn Law>) -> Numbers {
        Numbers { law, words: None }
    }
}

impl Generator for Numbers {
    fn prepare(&mut self, site: &mut Site<'_>) -> Option<Output> {
        if let Some((low, high, span)) = site.demand.truncate.take() {
            match Truncated::try_new(self.law.clone(), low, high) {
                Ok(truncated) => self.law = Arc::new(truncated),
                Err(error) => {
                    let (first, last) = self.law.support();
                    site.problems
                        .push(Diagnostic::error("empty-range", span, error.to_string()).help(format!(
                        "the law's values lie from {first} to {last}; choose a range where it has some weight"
                    )));
                    return None;
                }
            }
        }
        self.words = Some(site.words(site.seed));
        Some(Output::of(if self.law.is_discrete() { Type::Int } else { Type::Float }))
    }

    fn fill(&self, block: &Block<'_>) -> Result<Series, Failure> {
        let words = self.words.expect("set in prepare");
        if self.law.is_discrete() {
            let mut values = Vec::with_capacity(block.len());
            words.for_each(block, |word| values.push(self.law.quantile(open01(word)) as i64));
            return Ok(array::ints(values));
        }
        let mut values = Vec::with_capacity(block.len());
        words.for_each(block, |word| values.push(self.law.quantile(open01(word))));
        match values.iter().position(|v: &f64| !v.is_finite()) {
            Some(at) => {
                let row = block.rows.get(at);
                Err(Failure::new(format!(
                    "row {row}: the law gives a number beyond the range of floats; use `truncate`"
                )))
            }
            None => Ok(array::floats(values)),
        }
    }

    fn promise(&self) -> Promise<'_> {
        Promise::Drawn(declared::Promise::Spread(Spread::Law(self.law.clone())))
    }
}
