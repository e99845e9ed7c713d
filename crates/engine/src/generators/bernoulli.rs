//! `bernoulli`: true for a share of the rows.

use lookalike_core::declared;
use lookalike_core::stream::Stream;
use lookalike_ruleset::decode::Share;
use lookalike_ruleset::{Span, Type};
use polars::prelude::*;

use crate::array;
use crate::build::Builder;
use crate::generator::{Block, Failure, Generator, Group, Kind, Output, Promise, Rule, Site};
use crate::pick::threshold;

struct Bernoulli {
    limit: u128,
    stream: Option<Stream>,
}

impl Generator for Bernoulli {
    fn prepare(&mut self, site: &mut Site<'_>) -> Option<Output> {
        self.stream = Some(site.seed.stream());
        Some(Output::of(Type::Bool))
    }

    fn fill(&self, block: &Block<'_>) -> Result<Series, Failure> {
        let mut words = Vec::new();
        self.stream
            .expect("set in prepare")
            .with_attempt(block.attempt)
            .fill_words(block.rows, 0, &mut words);
        Ok(array::bools(words.into_iter().map(|word| u128::from(word) < self.limit)))
    }

    fn promise(&self) -> Promise<'_> {
        let share = self.limit as f64 / 18_446_744_073_709_551_616.0;
        let shares = vec![("true".to_owned(), share), ("false".to_owned(), 1.0 - share)];
        Promise::Drawn(declared::Promise::Shares(shares))
    }
}

impl Rule for Share {
    fn build(self, _: Span, _: &mut Builder<'_>) -> Option<Box<dyn Generator>> {
        Some(Box::new(Bernoulli { limit: threshold(self.0), stream: None }))
    }
}

pub(super) const KIND: Kind = Kind {
    name: "bernoulli",
    group: Group::Basic,
    summary: "True with a given probability, else false.",
    details: "Each row is drawn independently, so the share of true rows varies around the probability p with a standard \
              deviation of √(p (1 - p) / n).",
    example: "{bernoulli: 17%}",
    ..Kind::of::<Share>()
};
