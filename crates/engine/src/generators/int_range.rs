//! `int_range`: whole numbers that are equally likely, both ends included.

use lookalike_core::Permutation;
use lookalike_core::declared::{self, Spread};
use lookalike_core::stream::below;
use lookalike_ruleset::decode::{Int, Pair};
use lookalike_ruleset::{Diagnostic, Span, Type};
use polars::prelude::*;

use crate::array;
use crate::build::Builder;
use crate::generator::{Block, Failure, Generator, Group, Kind, Output, Promise, Rule, Site, Words};

struct IntRange {
    low: i64,
    high: i64,
    source: Option<Source>,
}

enum Source {
    Draws(Words),
    Unique(Permutation),
}

impl IntRange {
    /// How many values there are; `None` stands for 2^64.
    fn size(&self) -> Option<u64> {
        u64::try_from(i128::from(self.high) - i128::from(self.low) + 1).ok()
    }
}

impl Generator for IntRange {
    fn prepare(&mut self, site: &mut Site<'_>) -> Option<Output> {
        if let Some((low, high, span)) = site.demand.truncate.take() {
            let (low, high) = (low.ceil() as i64, high.floor() as i64);
            (self.low, self.high) = (self.low.max(low), self.high.min(high));
            if self.low > self.high {
                site.problems.error(
                    "empty-range",
                    span,
                    "no whole number lies in both ranges",
                    "widen `truncate`",
                );
                return None;
            }
        }
        self.source = Some(match site.demand.unique.take() {
            None => Source::Draws(site.words(site.seed)),
            Some(span) => {
                let size = self.size().unwrap_or(u64::MAX);
                if size < site.rows {
                    site.problems.error(
                        "too-few-words",
                        span,
                        format!(
                            "{} rows need different values, but there are only {size} from {} to {}",
                            site.rows, self.low, self.high
                        ),
                        "widen the range or drop `unique`",
                    );
                    return None;
                }
                Source::Unique(Permutation::new(size, site.seed.derive("unique")))
            }
        });
        Some(Output::of(Type::Int))
    }

    fn fill(&self, block: &Block<'_>) -> Result<Series, Failure> {
        let mut values = Vec::with_capacity(block.len());
        match self.source.as_ref().expect("set in prepare") {
            Source::Draws(words) => {
                let size = self.size();
                words.for_each(block, |word| {
                    let offset = size.map_or(word, |size| below(word, size));
                    values.push(self.low.wrapping_add_unsigned(offset));
                });
            }
            Source::Unique(permutation) => {
                permutation.for_each(block.rows, |rank| values.push(self.low.wrapping_add_unsigned(rank)));
            }
        }
        Ok(array::ints(values))
    }

    fn promise(&self) -> Promise<'_> {
        let count = self.size().map_or(TWO_TO_64, |size| size as f64);
        let spread = Spread::Steps { first: self.low as f64, step: 1.0, count };
        Promise::Drawn(declared::Promise::Spread(spread))
    }
}

const TWO_TO_64: f64 = 18_446_744_073_709_551_616.0;

impl Rule for Pair<Int> {
    fn build(self, span: Span, builder: &mut Builder<'_>) -> Option<Box<dyn Generator>> {
        let Pair(Int(low), Int(high)) = self;
        if low > high {
            let message = format!("the range runs from {low} down to {high}");
            builder
                .problems
                .push(Diagnostic::error("bad-value", span, message).help("write the smaller number first"));
            return None;
        }
        Some(Box::new(IntRange { low, high, source: None }))
    }
}

pub(super) const KIND: Kind = Kind {
    name: "int_range",
    group: Group::Numbers,
    summary: "Whole numbers that are equally likely, both ends included.",
    details: "Any range within 64 bits. With `unique: true` no value occurs twice: row i gets the i-th value of a keyed \
              permutation of the range.",
    example: "{int_range: [1, 100]}",
    ..Kind::of::<Pair<Int>>()
};
