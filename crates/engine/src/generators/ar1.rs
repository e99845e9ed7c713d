//! `ar1`: numbers that wander around a mean, an autoregression of the first order.

use lookalike_core::Path;
use lookalike_ruleset::decode::{Number, Positive, Spanned};
use lookalike_ruleset::{Diagnostic, Span, params};
use polars::prelude::*;

use super::amount::{self, Amount};
use crate::build::Builder;
use crate::entity::{Entity, Per};
use crate::generator::{Block, Failure, Generator, Group, InputName, Kind, Output, Rule, Site};

params! {
    /// An autoregression of the first order.
    struct Params {
        /// Whose rows are one series: a link, `table` or `row`.
        per: Per = Per::table(),
        /// Mean of all values.
        mean: Amount = Amount::Number(0.0),
        /// Standard deviation of all values.
        std_dev: Positive,
        /// Correlation of a row with the one before it, between -1 and 1.
        coefficient: Option<Spanned<Number>>,
        /// In place of `coefficient`: after how many rows half of a deviation from the mean is left.
        half_life: Option<Spanned<Number>>,
    }
}

struct Ar1 {
    per: Per,
    mean: Amount,
    std_dev: f64,
    path: Path,
    ready: Option<(Entity, lookalike_core::Seed)>,
}

impl Generator for Ar1 {
    fn inputs(&self, inputs: &mut Vec<InputName>) {
        self.per.inputs(true, inputs);
        self.mean.inputs(inputs);
    }

    fn prepare(&mut self, site: &mut Site<'_>) -> Option<Output> {
        let nullable = self.mean.prepare(site);
        self.ready = Some((self.per.prepare(true, site)?, site.seed.derive("series")));
        Some(amount::output(nullable?))
    }

    fn has_place(&self) -> bool {
        true
    }

    fn fill(&self, block: &Block<'_>) -> Result<Series, Failure> {
        let (entity, seed) = self.ready.as_ref().expect("set in prepare");
        let path = amount::along(&self.path, *seed, &entity.places(block)?);
        let mean = self.mean.values(block)?;
        amount::floats(block, |at| Some(mean.get(at)? + self.std_dev * path[at]))
    }
}

impl Rule for Params {
    fn build(self, span: Span, builder: &mut Builder<'_>) -> Option<Box<dyn Generator>> {
        let (path, place) = match (self.coefficient, self.half_life) {
            (Some(coefficient), None) => (Path::autoregression(coefficient.value.0), coefficient.span),
            (None, Some(half_life)) => (Path::with_half_life(half_life.value.0), half_life.span),
            (Some(first), Some(second)) => {
                builder.problems.push(
                    Diagnostic::error("bad-value", second.span, "`coefficient` and `half_life` say the same")
                        .label("the second")
                        .related(first.span, "the first")
                        .help("remove one of them"),
                );
                return None;
            }
            (None, None) => {
                builder.problems.error(
                    "missing-key",
                    span,
                    "nothing says how a row depends on the one before it",
                    "add `coefficient: 0.8`, the correlation of neighbours, or `half_life: 3`, in rows",
                );
                return None;
            }
        };
        let path = path
            .map_err(|error| builder.problems.push(Diagnostic::error("bad-value", place, error.to_string())))
            .ok()?;
        Some(Box::new(Ar1 { per: self.per, mean: self.mean, std_dev: self.std_dev.0, path, ready: None }))
    }
}

pub(super) const KIND: Kind = Kind {
    name: "ar1",
    group: Group::Series,
    summary: "Numbers that wander around a mean and come back to it.",
    details: "An autoregression of the first order: x(k) - mean = c (x(k - 1) - mean) + e(k), with independent normal e of \
              standard deviation std_dev √(1 - c²). It is stationary from its first row: every value is normal with `mean` and \
              `std_dev`, and rows d apart have the correlation cᵈ. A `half_life` of h rows means c = 2^(-1/h). Any row can be \
              had without those before it, for 2 log₂ k draws. `mean` may be a column. A row that a `require` refuses does \
              not leave the path.",
    example: "{ar1: {mean: 50, std_dev: 5, coefficient: 0.8}}",
    ..Kind::of::<Params>()
};

#[cfg(test)]
mod tests {
    use lookalike_core::Rows;

    use crate::testing::column;

    /// The coefficient and the variance of the innovations within 5 standard errors; 6e-7 each.
    #[test]
    fn coefficient_and_innovations_are_recovered() {
        let n = 100_000;
        for (how, coefficient) in
            [("coefficient: 0.8", 0.8f64), ("coefficient: -0.6", -0.6), ("half_life: 5", 0.5f64.powf(0.2))]
        {
            let plan = column(&format!("{{ar1: {{mean: 50, std_dev: 5, {how}}}}}"), n).unwrap();
            let frame = plan.table("t").unwrap().frame(&Rows::Range(0..n)).unwrap();
            let x: Vec<f64> =
                frame.column("c").unwrap().f64().unwrap().iter().flatten().map(|x| x - 50.0).collect();
            let products: f64 = x.windows(2).map(|pair| pair[0] * pair[1]).sum();
            let found = products / x.iter().map(|x| x * x).sum::<f64>();
            let rest = 1.0 - coefficient * coefficient;
            assert!((found - coefficient).abs() < 5.0 * (rest / n as f64).sqrt(), "{how}: {found}");
            let squares: f64 = x.windows(2).map(|pair| (pair[1] - coefficient * pair[0]).powi(2)).sum();
            let ratio = squares / (n - 1) as f64 / (25.0 * rest);
            assert!((ratio - 1.0).abs() < 5.0 * (2.0 / n as f64).sqrt(), "{how}: {ratio}");
        }
    }

    #[test]
    fn one_of_two_ways_must_be_chosen() {
        for (how, code) in [
            ("", "missing-key"),
            (", coefficient: 1", "bad-value"),
            (", half_life: 0", "bad-value"),
            (", coefficient: 0.5, half_life: 1", "bad-value"),
        ] {
            let problems = column(&format!("{{ar1: {{std_dev: 1{how}}}}}"), 1).err().unwrap();
            assert_eq!(problems[0].code, code, "{how}");
        }
    }
}
