//! Values at equal distances: what the ranges of dates, times and lengths of time have in common.

use std::marker::PhantomData;

use lookalike_core::Permutation;
use lookalike_core::declared::{self, Spread};
use lookalike_core::stream::below;
use lookalike_ruleset::decode::{Decode, FieldDoc, Pair, Spanned, Time, wrong};
use lookalike_ruleset::{Diagnostic, Json, Node, Problems, Span};
use serde_json::json;

use crate::generator::{Block, Promise, Site, Words};

/// `first`, `first + step`, `first + 2 step`, … : `count` values, of which rows get one each, all alike probable.
pub(super) struct Steps {
    first: i64,
    step: i64,
    count: u64,
    draw: Draw,
}

enum Draw {
    Random(Words),
    /// For unique values: the row number's place in a permutation of all values.
    Unique(Permutation),
}

impl Steps {
    /// The values from `first` to at most `last` for the generator at `site`, whose demand of uniqueness it takes;
    /// `None` after adding a problem at `span`. The ends in words are for that problem.
    pub(super) fn prepare(
        first: i64,
        last: i64,
        step: i64,
        ends: [String; 2],
        span: Span,
        site: &mut Site<'_>,
    ) -> Option<Steps> {
        if first > last {
            let [from, to] = ends;
            site.problems.push(
                Diagnostic::error(
                    "bad-value",
                    span,
                    format!("the range is empty: it runs from {from} to {to}"),
                )
                .label("holds no value")
                .help("write the earlier or smaller end first"),
            );
            return None;
        }
        let count = (i128::from(last) - i128::from(first)) / i128::from(step) + 1;
        // All 2^64 values of 64 bits: the last one is left out.
        let count = u64::try_from(count).unwrap_or(u64::MAX);
        let draw = match site.demand.unique.take() {
            Some(unique) => {
                enough_words(u128::from(count), unique, site)?;
                Draw::Unique(Permutation::new(count, site.seed.derive("unique")))
            }
            None => Draw::Random(site.words(site.seed.derive("value"))),
        };
        Some(Steps { first, step, count, draw })
    }

    /// What is promised of the values.
    pub(super) fn promise(&self) -> Promise<'_> {
        let spread =
            Spread::Steps { first: self.first as f64, step: self.step as f64, count: self.count as f64 };
        Promise::Drawn(declared::Promise::Spread(spread))
    }

    /// The values for the block's rows.
    pub(super) fn fill(&self, block: &Block<'_>) -> Vec<i64> {
        let mut values = Vec::with_capacity(block.len());
        // The result lies in the range and so fits, even where the product alone does not.
        let value = |at: u64| self.first.wrapping_add((at as i64).wrapping_mul(self.step));
        match &self.draw {
            Draw::Random(words) => words.for_each(block, |word| values.push(value(below(word, self.count)))),
            Draw::Unique(permutation) => {
                permutation.for_each(block.rows, |at| values.push(value(at)));
            }
        }
        values
    }
}

/// Parameters of a range that can be made of its two ends.
pub(super) trait FromEnds<T>: Decode {
    /// The range from one end to the other in these steps.
    fn from_ends(from: T, to: T, step: Spanned<Time>) -> Self;
}

/// The parameters of a range between ends of type `T`: `[from, to]` in steps of a second, or the mapping `P`.
pub(super) struct Ranged<T, P>(pub(super) P, PhantomData<T>);

/// The step where none is given.
pub(super) const SECOND: Time = Time(1_000_000);

impl<T: Decode, P: FromEnds<T>> Decode for Ranged<T, P> {
    fn decode(node: &Node, problems: &mut Problems) -> Option<Self> {
        let params = if node.as_list().is_some() {
            let Pair(from, to) = Pair::decode(node, problems)?;
            P::from_ends(from, to, Spanned { value: SECOND, span: node.span })
        } else if node.as_map().is_some() {
            P::decode(node, problems)?
        } else {
            wrong(node, Self::what(), problems);
            return None;
        };
        Some(Ranged(params, PhantomData))
    }
    fn what() -> String {
        format!("{}, or {}", Pair::<T>::what(), P::what())
    }
    fn schema() -> Json {
        json!({"anyOf": [Pair::<T>::schema(), P::schema()]})
    }
    fn fields() -> Vec<FieldDoc> {
        P::fields()
    }
}

/// A step in microseconds, which must be positive; else a problem.
pub(super) fn step_of(step: Spanned<Time>, problems: &mut Problems) -> Option<i64> {
    let Time(micros) = step.value;
    if micros <= 0 {
        problems.push(
            Diagnostic::error("bad-value", step.span, "the step must be longer than nothing")
                .label("expected for example 1s or 15m"),
        );
        return None;
    }
    Some(micros)
}

/// Whether `words` different values are enough for the table, if all must differ; else a problem at `span`.
pub(super) fn enough_words(words: u128, span: Span, site: &mut Site<'_>) -> Option<()> {
    if u128::from(site.rows) > words {
        let rows = site.rows;
        site.problems.push(
            Diagnostic::error(
                "too-few-words",
                span,
                format!("the table has {rows} rows, but there are only {words} different values"),
            )
            .label("cannot hold")
            .help("allow more values, make fewer rows, or remove `unique`"),
        );
        return None;
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::generator::{Demand, World};
    use lookalike_core::testing::chi_squared_p_value;
    use lookalike_core::{Rows, Seed};

    fn steps(range: [i64; 2], step: i64, unique: bool, rows: u64) -> Result<Steps, &'static str> {
        let world = World::new(Seed::new(1));
        let mut problems = Problems::new();
        let demand = Demand { unique: unique.then(Span::default), ..Demand::default() };
        let mut site = Site {
            seed: Seed::new(3),
            table: Seed::new(1),
            rows,
            span: Span::default(),
            demand,
            world: &world,
            columns: &[],
            scope: &[],
            problems: &mut problems,
        };
        let ends = range.map(|end| end.to_string());
        let made = Steps::prepare(range[0], range[1], step, ends, Span::default(), &mut site);
        assert_eq!(site.demand.unique, None);
        made.ok_or_else(|| problems.into_sorted()[0].code)
    }

    #[test]
    fn every_value_of_a_unique_range_occurs_once() {
        let steps = steps([-10, 90], 4, true, 26).unwrap();
        let rows = Rows::from(0..26);
        let values = steps.fill(&Block::new(&rows, 0, &[]));
        assert_eq!(values.iter().copied().collect::<BTreeSet<_>>(), (-10..=90).step_by(4).collect());
        assert_eq!(values, steps.fill(&Block::new(&rows, 5, &[])), "the attempt does not matter");
    }

    #[test]
    fn impossible_ranges_are_refused() {
        assert_eq!(steps([1, 0], 1, false, 10).err(), Some("bad-value"));
        assert_eq!(steps([-10, 90], 4, true, 27).err(), Some("too-few-words"));
    }

    #[test]
    fn the_widest_range_does_not_overflow() {
        let steps = steps([i64::MIN, i64::MAX], 1, false, 10).unwrap();
        let values = steps.fill(&Block::new(&Rows::from(0..1000), 0, &[]));
        assert!(values.iter().any(|v| *v < i64::MIN / 2) && values.iter().any(|v| *v > i64::MAX / 2));
    }

    /// 100,000 draws of 50 values: a false alarm in a million.
    #[test]
    fn values_are_alike_probable() {
        let steps = steps([100, 149], 1, false, 10).unwrap();
        let mut counts = [0.0; 50];
        for value in steps.fill(&Block::new(&Rows::from(0..100_000), 0, &[])) {
            counts[(value - 100) as usize] += 1.0;
        }
        let statistic = counts.iter().map(|count: &f64| (count - 2000.0).powi(2) / 2000.0).sum();
        assert!(chi_squared_p_value(statistic, 49.0) > 1e-6, "{counts:?}");
    }
}
