//! `mixture`: each row from one of several generators, by weight.

use std::collections::BTreeMap;

use lookalike_core::Seed;
use lookalike_core::declared::{self, Spread};
use lookalike_core::stream::Stream;
use lookalike_ruleset::decode::{NonNegative, Spanned};
use lookalike_ruleset::{Diagnostic, Node, Span, params};
use polars::prelude::*;

use super::branches::Branches;
use super::choice::check_weights;
use crate::build::Builder;
use crate::generator::{Block, Failure, Generator, Group, InputName, Kind, Output, Promise, Rule, Site};
use crate::pick::Pick;

params! {
    /// A part of a mixture.
    pub struct Part {
        /// Share of the rows, as a percentage or as a number; only proportions count.
        weight: Spanned<NonNegative>,
        /// The generator: anything that can stand as a column.
        of: Node,
    }
}

struct Mixture {
    weights: Vec<f64>,
    pick: Pick,
    branches: Branches,
    stream: Option<Stream>,
}

impl Generator for Mixture {
    fn inputs(&self, inputs: &mut Vec<InputName>) {
        self.branches.inputs(inputs);
    }

    fn prepare(&mut self, site: &mut Site<'_>) -> Option<Output> {
        self.stream = Some(site.seed.derive("pick").stream());
        let parts = site.seed.derive("part");
        let seeds: Vec<Seed> =
            (0..self.branches.specs.len()).map(|at| parts.derive_index(at as u64)).collect();
        // A larger word would have to give a larger value, whichever part is picked: it does not.
        let words = site.demand.words.take();
        let output = self.branches.prepare(&seeds, site);
        site.demand.words = words;
        output
    }

    fn promise(&self) -> Promise<'_> {
        let total: f64 = self.weights.iter().sum();
        let parts = self.branches.specs.iter().zip(&self.weights).filter(|(_, weight)| **weight > 0.0);
        let parts: Option<Vec<(f64, declared::Promise)>> =
            parts.map(|(spec, weight)| Some((weight / total, spec.drawn_always()?))).collect();
        parts.and_then(mixed).map_or(Promise::Nothing, Promise::Drawn)
    }

    fn fill(&self, block: &Block<'_>) -> Result<Series, Failure> {
        let stream = self.stream.expect("set in prepare").with_attempt(block.attempt);
        self.branches.fill(block, &self.pick.picks(block.rows, stream))
    }
}

/// What is promised of a mixture: of numbers, or of values with shares.
pub(crate) fn mixed(parts: Vec<(f64, declared::Promise)>) -> Option<declared::Promise> {
    let mut spreads = Vec::new();
    let mut shares: BTreeMap<String, f64> = BTreeMap::new();
    for (weight, part) in parts {
        match part {
            declared::Promise::Spread(spread) => spreads.push((weight, spread)),
            declared::Promise::Shares(values) => {
                values
                    .into_iter()
                    .for_each(|(value, share)| *shares.entry(value).or_default() += weight * share);
            }
            _ => return None,
        }
    }
    match (spreads.is_empty(), shares.is_empty()) {
        (false, true) => Some(declared::Promise::Spread(Spread::Mixture(spreads))),
        (true, false) => Some(declared::Promise::Shares(shares.into_iter().collect())),
        _ => None,
    }
}

impl Rule for Vec<Part> {
    fn build(self, span: Span, builder: &mut Builder<'_>) -> Option<Box<dyn Generator>> {
        if self.is_empty() {
            builder.problems.push(Diagnostic::error("bad-value", span, "a mixture needs at least one part"));
            return None;
        }
        let weights: Vec<f64> = self.iter().map(|part| part.weight.value.0).collect();
        let valid = check_weights(&weights, false, span, builder.problems);
        let specs: Vec<_> = self.iter().map(|part| builder.spec(&part.of)).collect();
        let specs = specs.into_iter().collect::<Option<Vec<_>>>()?;
        valid.then(|| -> Box<dyn Generator> {
            let pick = Pick::new(&weights);
            Box::new(Mixture { weights, pick, branches: Branches::new(specs), stream: None })
        })
    }
}

pub(super) const KIND: Kind = Kind {
    name: "mixture",
    group: Group::Basic,
    summary: "Each row from one of several generators, by weight.",
    details: "The parts may be of any kind, with modifiers of their own, as long as one type holds all their values. \
              Modifiers beside `mixture` apply to all parts.",
    example: "{mixture: [{weight: 70%, of: {choice: [8, 20, 50, 100]}}, {weight: 30%, of: {log_normal: {median: 80, p95: 1000}, round: 0}}]}",
    ..Kind::of::<Vec<Part>>()
};
