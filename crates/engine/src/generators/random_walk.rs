//! `random_walk`: numbers that move by random steps.

use lookalike_core::Path;
use lookalike_ruleset::decode::{NonNegative, Number, Pair, Spanned};
use lookalike_ruleset::{Diagnostic, Span, params};
use polars::prelude::*;

use super::amount::{self, Amount};
use crate::build::Builder;
use crate::entity::{Entity, Per};
use crate::generator::{Block, Failure, Generator, Group, InputName, Kind, Output, Rule, Site};

params! {
    /// A random walk.
    struct Params {
        /// Whose rows are one walk: a link, `table` or `row`.
        per: Per = Per::table(),
        /// Value of the first row.
        start: Amount = Amount::Number(0.0),
        /// Mean of a step.
        drift: Amount = Amount::Number(0.0),
        /// Standard deviation of a step.
        std_dev: NonNegative,
        /// Lowest and highest value; the walk is reflected there.
        bounds: Option<Spanned<Pair<Number>>>,
    }
}

struct RandomWalk {
    per: Per,
    start: Amount,
    drift: Amount,
    std_dev: f64,
    bounds: Option<(f64, f64)>,
    path: Path,
    ready: Option<(Entity, lookalike_core::Seed)>,
}

impl Generator for RandomWalk {
    fn inputs(&self, inputs: &mut Vec<InputName>) {
        self.per.inputs(true, inputs);
        self.start.inputs(inputs);
        self.drift.inputs(inputs);
    }

    fn prepare(&mut self, site: &mut Site<'_>) -> Option<Output> {
        let (start, drift) = (self.start.prepare(site), self.drift.prepare(site));
        self.ready = Some((self.per.prepare(true, site)?, site.seed.derive("walk")));
        Some(amount::output(start? | drift?))
    }

    fn has_place(&self) -> bool {
        true
    }

    fn fill(&self, block: &Block<'_>) -> Result<Series, Failure> {
        let (entity, seed) = self.ready.as_ref().expect("set in prepare");
        let places = entity.places(block)?;
        let path = amount::along(&self.path, *seed, &places);
        let (start, drift) = (self.start.values(block)?, self.drift.values(block)?);
        amount::floats(block, |at| {
            let free = start.get(at)? + drift.get(at)? * places[at].ordinal as f64 + self.std_dev * path[at];
            Some(match self.bounds {
                Some((low, high)) => fold(free, low, high),
                None => free,
            })
        })
    }
}

/// Where `x` comes to lie when the line is folded to and fro between `low` and `high`.
fn fold(x: f64, low: f64, high: f64) -> f64 {
    let width = high - low;
    let turn = (x - low).rem_euclid(2.0 * width);
    (low + turn.min(2.0 * width - turn)).clamp(low, high)
}

impl Rule for Params {
    fn build(self, _: Span, builder: &mut Builder<'_>) -> Option<Box<dyn Generator>> {
        let mut refuse = |span, message: String, help: &str| {
            builder.problems.push(Diagnostic::error("bad-value", span, message).help(help));
        };
        let bounds = match self.bounds {
            None => None,
            Some(Spanned { value: Pair(Number(low), Number(high)), span }) => {
                if low >= high || !(2.0 * (high - low)).is_finite() {
                    let help = "write the smaller number first; leave `bounds` out for a walk without";
                    refuse(span, format!("a walk has no room between {low} and {high}"), help);
                    return None;
                }
                if let Amount::Number(start) = self.start
                    && !(low..=high).contains(&start)
                {
                    let message = format!("the walk starts at {start}, outside its bounds");
                    refuse(span, message, "move `start` or `bounds`");
                    return None;
                }
                Some((low, high))
            }
        };
        Some(Box::new(RandomWalk {
            per: self.per,
            start: self.start,
            drift: self.drift,
            std_dev: self.std_dev.0,
            bounds,
            path: Path::walk(),
            ready: None,
        }))
    }
}

pub(super) const KIND: Kind = Kind {
    name: "random_walk",
    group: Group::Series,
    summary: "Numbers that move from row to row by random steps.",
    details: "Row k of an entity gets start + k drift + std_dev (N₁ + … + N_k) with independent standard normal N, so row 0 \
              gets `start`. Any row can be had without those before it, for 2 log₂ k draws (Lévy's construction). `bounds` \
              fold the free walk: what goes beyond an end by some amount lies within it by that amount; with a drift it runs \
              to and fro. `start` and `drift` may be columns, which then should be the same in all rows of an entity. A row \
              that a `require` refuses does not leave the path.",
    example: "{random_walk: {start: 100, std_dev: 2, bounds: [0, 200]}}",
    ..Kind::of::<Params>()
};

#[cfg(test)]
mod tests {
    use lookalike_core::Rows;
    use lookalike_core::special::normal_cdf;
    use lookalike_core::testing::{ks_p_value, ks_statistic};

    use super::*;
    use crate::testing::{column, plan};

    fn values(yaml: &str, rows: u64) -> Vec<f64> {
        let plan = column(yaml, rows).unwrap_or_else(|d| panic!("{d:#?}"));
        let frame = plan.table("t").unwrap().frame(&Rows::Range(0..rows)).unwrap();
        frame.column("c").unwrap().f64().unwrap().iter().flatten().collect()
    }

    /// Kolmogorov-Smirnov; false alarm 1e-6.
    #[test]
    fn steps_are_normal_around_the_drift() {
        let walk = values("{random_walk: {start: 7, drift: 0.5, std_dev: 2}}", 20_000);
        assert_eq!(walk[0], 7.0);
        let steps: Vec<f64> = walk.windows(2).map(|pair| (pair[1] - pair[0] - 0.5) / 2.0).collect();
        assert!(ks_p_value(ks_statistic(steps, normal_cdf), 19_999.0) > 1e-6);
    }

    #[test]
    fn bounds_reflect() {
        for (x, expected) in [(3.0, 3.0), (-2.0, 2.0), (12.0, 8.0), (21.0, 1.0), (-13.0, 7.0), (10.0, 10.0)] {
            assert_eq!(fold(x, 0.0, 10.0), expected, "{x}");
        }
        let walk = values("{random_walk: {start: 5, std_dev: 1, bounds: [0, 10]}}", 5000);
        assert!(walk.iter().all(|x| (0.0..=10.0).contains(x)));
        // Reflected steps are no longer than free ones: 6 standard deviations, 1e-5 in 5,000 steps.
        assert!(walk.windows(2).all(|pair| (pair[1] - pair[0]).abs() < 6.0));
        assert!(walk.iter().any(|x| *x < 1.0) && walk.iter().any(|x| *x > 9.0));
    }

    /// The values of 20,000 entities at one step are independent normal numbers; 1e-6.
    #[test]
    fn entities_have_paths_of_their_own() {
        let seed = lookalike_core::Seed::new(3);
        let places: Vec<_> = (0..20_000u64)
            .map(|entity| crate::entity::Place { entity: 20_000 - entity, ordinal: 9, count: 10 })
            .collect();
        let at_nine = amount::along(&Path::walk(), seed, &places);
        let scaled: Vec<f64> = at_nine.iter().map(|x| x / 3.0).collect();
        assert!(ks_p_value(ks_statistic(scaled, normal_cdf), 20_000.0) > 1e-6);
        let alone = amount::along(&Path::walk(), seed, &places[123..124]);
        assert_eq!(alone[0], at_nine[123]);
    }

    #[test]
    fn each_row_may_be_an_entity_and_start_at_a_column() {
        let plan = plan(
            "lookalike: 1\ntables:\n  t:\n    rows: 50\n    columns:\n      base: {int_range: [1, 9], null: 20%}\n      \
             c: {random_walk: {per: row, start: {column: base}, std_dev: 3}}\n",
        )
        .unwrap_or_else(|d| panic!("{d:#?}"));
        let frame = plan.table("t").unwrap().frame(&Rows::Range(0..50)).unwrap();
        let base = frame.column("base").unwrap().cast(&DataType::Float64).unwrap();
        assert!(frame.column("c").unwrap().equals_missing(&base));
    }
}
