//! `outlier`: numbers far from where they should be.

use lookalike_core::Stream;
use lookalike_core::stream::open01;
use lookalike_ruleset::decode::{Decode, Number, Pair, Share, Spanned, Time};
use lookalike_ruleset::{Diagnostic, Json, Node, Problems, Span, Type, params, words};
use polars::prelude::*;
use serde_json::json;

use super::cells::{change_numbers, clean_of, named, number_rule, own};
use crate::anomaly::{Anomaly, AnomalyKind, AnomalyRule, Hits, Rules};
use crate::array;
use crate::build::Part;
use crate::generator::{Failure, InputId, InputName, Output, Site};
use crate::look::Look;

params! {
    /// Numbers far from where they should be.
    struct Params {
        /// Column of numbers or lengths of time.
        column: Spanned<String>,
        /// The value is multiplied by this: a number, or a generator of numbers.
        times: Option<Part>,
        /// This is added to the value: a number, or a generator of numbers (lengths of time, for such a column).
        plus: Option<Part>,
        /// The value is replaced by one outside this range.
        beyond: Option<Spanned<Limits>>,
        /// The value is replaced by one outside the range between these quantiles of the column, such as `[1%, 99%]`.
        quantiles: Option<Spanned<Between>>,
        /// With `beyond` and `quantiles`: how far outside, as a share of the range's width; a number, or a generator of
        /// numbers. Unless given, any share from 0 to 1.
        by: Option<Part>,
        /// With `beyond` and `quantiles`: above or below the range, or either by chance.
        side: Option<Spanned<Side>>,
    }
}

words! {
    /// On which side of a range.
    enum Side {
        /// One of the two, evenly.
        Either = "either",
        /// Greater values.
        Above = "above",
        /// Smaller values.
        Below = "below",
    }
}

/// A range; `None` for one that could not be read, which is reported.
#[derive(Clone, Copy, Debug)]
struct Limits(Option<Range>);

/// A range of numbers, or of lengths of time in microseconds.
#[derive(Clone, Copy, Debug)]
struct Range {
    low: f64,
    high: f64,
    of_times: bool,
}

impl Decode for Limits {
    fn decode(node: &Node, problems: &mut Problems) -> Option<Self> {
        let mut silent = Problems::new();
        let range = match Pair::<Number>::decode(node, &mut silent) {
            Some(Pair(low, high)) => Range { low: low.0, high: high.0, of_times: false },
            None => match Pair::<Time>::decode(node, &mut silent) {
                Some(Pair(low, high)) => Range { low: low.0 as f64, high: high.0 as f64, of_times: true },
                None => {
                    lookalike_ruleset::decode::wrong(node, Self::what(), problems);
                    return Some(Limits(None));
                }
            },
        };
        if range.low > range.high {
            problems.error(
                "bad-value",
                node.span,
                "the range ends before it begins",
                "write the smaller end first",
            );
            return Some(Limits(None));
        }
        Some(Limits(Some(range)))
    }
    fn what() -> String {
        "a range `[low, high]` of numbers or of lengths of time".into()
    }
    fn schema() -> Json {
        json!({"anyOf": [Pair::<Number>::schema(), Pair::<Time>::schema()]})
    }
}

/// Two shares; `None` for those that could not be read, which is reported.
#[derive(Clone, Copy, Debug)]
struct Between(Option<[f64; 2]>);

impl Decode for Between {
    fn decode(node: &Node, problems: &mut Problems) -> Option<Self> {
        let Some(Pair(low, high)) = Pair::<Share>::decode(node, problems) else {
            return Some(Between(None));
        };
        if low.0 > high.0 {
            let message = "the range ends before it begins";
            problems.error("bad-value", node.span, message, "write the smaller share first");
            return Some(Between(None));
        }
        Some(Between(Some([low.0, high.0])))
    }
    fn what() -> String {
        "two shares such as `[1%, 99%]`".into()
    }
    fn schema() -> Json {
        Pair::<Share>::schema()
    }
}

impl AnomalyRule for Params {
    fn build(self, span: Span, rules: &mut Rules<'_, '_>) -> Option<Box<dyn Anomaly>> {
        let ranged = [self.beyond.is_some(), self.quantiles.is_some()];
        let given = [self.times.is_some(), self.plus.is_some()].into_iter().chain(ranged);
        if given.filter(|given| *given).count() != 1 {
            let help = "such as `times: 10`, `plus: 500`, `beyond: [0, 100]` or `quantiles: [1%, 99%]`";
            let message = "an outlier has one of `times`, `plus`, `beyond` and `quantiles`";
            rules.builder.problems.error("bad-anomaly", span, message, help);
            return None;
        }
        let stray = self.by.as_ref().map(|by| by.0.span).or(self.side.as_ref().map(|side| side.span));
        if let Some(span) = stray.filter(|_| ranged == [false; 2]) {
            let message = "this goes with `beyond` or `quantiles`";
            rules.builder.problems.error("bad-anomaly", span, message, "remove it");
            return None;
        }
        let mut rule =
            |name: &str, part: &Option<Part>| part.as_ref().map(|part| number_rule(rules, name, &part.0));
        let side = self.side.map_or(Side::Either, |side| side.value);
        let (change, rule) = match (self.beyond, self.quantiles) {
            (Some(Spanned { value: Limits(range), span }), _) => {
                let bounds = Bounds::Range(Spanned { value: range?, span });
                (Change::Beyond { bounds, side }, rule("#by", &self.by))
            }
            (None, Some(Spanned { value: Between(shares), span })) => {
                let bounds = Bounds::Quantiles { shares: shares?, span, found: None };
                (Change::Beyond { bounds, side }, rule("#by", &self.by))
            }
            _ if self.times.is_some() => (Change::Times, rule("#times", &self.times)),
            _ => (Change::Plus, rule("#plus", &self.plus)),
        };
        Some(Box::new(Outlier { column: named(&self.column), change, rule, ready: None }))
    }
}

enum Change {
    Times,
    Plus,
    Beyond { bounds: Bounds, side: Side },
}

/// The range that values are put outside of.
enum Bounds {
    /// As written.
    Range(Spanned<Range>),
    /// Between quantiles of the column, which are found by a look at it.
    Quantiles { shares: [f64; 2], span: Span, found: Option<Range> },
}

struct Outlier {
    column: InputName,
    change: Change,
    rule: Option<InputName>,
    ready: Option<Ready>,
}

struct Ready {
    id: InputId,
    ty: Type,
    rule: Option<InputId>,
    stream: Stream,
}

impl Anomaly for Outlier {
    fn columns(&self) -> Vec<InputName> {
        vec![self.column.clone()]
    }

    fn inputs(&self, inputs: &mut Vec<InputName>) {
        inputs.extend(self.rule.clone());
    }

    fn prepare(&mut self, site: &mut Site<'_>) -> Option<Vec<Output>> {
        let what = "a number or a length of time";
        let measured = |ty: Type| ty.is_number() || ty == Type::Duration;
        let (id, clean) = clean_of(site, &self.column, measured, what)?;
        let of_times = clean.ty == Type::Duration;
        if let Change::Beyond { bounds: Bounds::Range(range), .. } = &self.change
            && range.value.of_times != of_times
        {
            let message = format!("`{}` is {}", self.column.name, clean.ty);
            let help =
                if of_times { "its range is one such as `[1h, 2d]`" } else { "its range is one of numbers" };
            site.problems.error("wrong-type", range.span, message, help);
            return None;
        }
        let rule = match (&self.rule, &self.change) {
            (None, _) => None,
            (Some(rule), Change::Plus) if of_times => {
                Some(own(site, rule, |ty| ty == Type::Duration, "a length of time")?)
            }
            (Some(rule), _) => Some(own(site, rule, Type::is_number, "a number")?),
        };
        self.ready = Some(Ready { id, ty: clean.ty, rule, stream: site.seed.derive("outlier").stream() });
        Some(vec![clean])
    }

    fn look(&mut self, look: &Look<'_>, problems: &mut Problems) -> Option<()> {
        let Change::Beyond { bounds: Bounds::Quantiles { shares, span, found }, .. } = &mut self.change
        else {
            return Some(());
        };
        let ready = self.ready.as_ref()?;
        let name = &self.column.name;
        let quantiles = match look.quantiles(ready.id, shares.as_slice()) {
            Ok(quantiles) => quantiles,
            Err(error) => {
                problems.push(Diagnostic::error("cannot-hold", *span, error.to_string()));
                return None;
            }
        };
        let Some(quantiles) = quantiles else {
            let message = format!("`{name}` has no values, so it has no quantiles");
            problems.error("bad-anomaly", *span, message, "name another column, or use `beyond`");
            return None;
        };
        let (low, high) = (quantiles[0], quantiles[1]);
        if !(low.is_finite() && high.is_finite()) {
            let message = format!("the law of `{name}` has no smallest or no largest value");
            problems.error("bad-anomaly", *span, message, "take shares such as 0.1% and 99.9%");
            return None;
        }
        *found = Some(Range { low, high, of_times: ready.ty == Type::Duration });
        Some(())
    }

    fn spoil(&self, hits: &Hits<'_>) -> Result<Vec<Series>, Failure> {
        let ready = self.ready.as_ref().ok_or_else(|| Failure::new("not prepared"))?;
        let given = ready.rule.map(|rule| array::to_floats(&hits.block.input(rule))).transpose()?;
        let given = |at: usize| given.as_ref().and_then(|given| given[at]);
        let change = |at: usize, value: f64| match &self.change {
            Change::Times => Some(value * given(at)?),
            Change::Plus => Some(value + given(at)?),
            Change::Beyond { bounds, side } => {
                let range = match bounds {
                    Bounds::Range(range) => range.value,
                    Bounds::Quantiles { found, .. } => (*found)?,
                };
                let row = hits.block.rows.get(at);
                let share = match ready.rule {
                    Some(_) => given(at)?,
                    None => open01(ready.stream.word(row, 0)),
                };
                let above = match side {
                    Side::Above => true,
                    Side::Below => false,
                    Side::Either => ready.stream.word(row, 1) >> 63 == 1,
                };
                range.outside(share, above, ready.ty)
            }
        };
        Ok(vec![change_numbers(&hits.block.input(ready.id), ready.ty, change)?])
    }
}

impl Range {
    /// The number outside the range by a share of its width, rounded away from it; `None` if the share is not above 0.
    fn outside(self, share: f64, above: bool, ty: Type) -> Option<f64> {
        let Range { low, high, .. } = self;
        let width = if high > low { high - low } else { high.abs().max(1.0) };
        let excess = Some(share * width).filter(|excess| *excess > 0.0)?;
        let digits = match ty {
            Type::Float => {
                return Some(if above {
                    (high + excess).max(high.next_up())
                } else {
                    (low - excess).min(low.next_down())
                });
            }
            Type::Decimal(scale) => i32::from(scale),
            _ => 0,
        };
        let factor = 10f64.powi(digits);
        let (low, high) = (low * factor, high * factor);
        let excess = excess * factor;
        Some(
            if above {
                (high + excess).ceil().max(high.floor() + 1.0)
            } else {
                (low - excess).floor().min(low.ceil() - 1.0)
            } / factor,
        )
    }
}

pub(super) const KIND: AnomalyKind = AnomalyKind {
    name: "outlier",
    summary: "Numbers far from where they should be.",
    details: "`times` multiplies the value, `plus` adds to it; each is a number or a generator, drawn for each row. \
              `beyond: [low, high]` forgets the value and puts another outside the range: high + by · (high - low), or \
              low - by · (high - low), where `by` is a number or a generator, and unless given evenly spread from 0 to \
              1; `side` is above, below or either (if nothing is said). `quantiles: [25%, 75%]` does so with the range \
              between these quantiles of the column; with `by: 1.5` the value lies on Tukey's fence (Exploratory Data \
              Analysis, 1977). They are those of the column's law, where it is drawn by one law in all rows and nothing \
              is drawn again by `require`; else, and where rows are given, those of its clean values without nulls in \
              the whole table, or in 262,144 of its rows, chosen by number, if it has more. Whole numbers and decimals \
              are rounded, and outside a range away from it; what does not fit the type becomes the largest value that does. Nulls \
              stay, and so does a value whose factor, addend or share is null, and one whose share is not above 0. \
              Works on numbers and lengths of time.",
    example: "{outlier: {column: Size, times: {uniform: [5, 10]}}}",
    ..AnomalyKind::of::<Params>()
};

#[cfg(test)]
mod tests {
    use super::super::testing::{changed_numbers, changes, refused};
    use super::KIND;

    const COLUMNS: &[&str] = &[
        "Size: {int_range: [1, 100]}",
        "Price: {uniform: [10, 20], round: 2}",
        "Level: {normal: {mean: 0, std_dev: 1}}",
        "Wait: {duration_range: [1m, 1h], null: 10%}",
        "Name: {choice: [ada, bob]}",
    ];

    #[test]
    fn values_are_multiplied_and_added_to() {
        for (before, after) in changed_numbers(COLUMNS, KIND.example) {
            assert!(after >= (5.0 * before).floor() && after <= (10.0 * before).ceil());
        }
        for (before, after) in changed_numbers(COLUMNS, "{outlier: {column: Price, plus: -0.5}}") {
            assert!((before - after - 0.5).abs() < 1e-9);
        }
        for anomaly in [
            "{outlier: {column: Wait, times: 100}}",
            "{outlier: {column: Wait, plus: {duration_range: [1d, 2d]}}}",
        ] {
            let [found] = changes(COLUMNS, anomaly).try_into().unwrap();
            assert!(found.iter().all(|(before, after)| before.is_none() == after.is_none()));
            assert!(found.iter().all(|(before, after)| before.is_none() || before != after));
        }
    }

    #[test]
    fn values_are_put_outside_a_range() {
        for (column, low, high) in
            [("Size", 1.0, 100.0), ("Price", 10.0, 20.0), ("Level", -3.0, 3.0), ("Level", 7.0, 7.0)]
        {
            let anomaly = format!("{{outlier: {{column: {column}, beyond: [{low}, {high}]}}}}");
            let found = changed_numbers(COLUMNS, &anomaly);
            let above = found.iter().filter(|(_, after)| *after > high).count();
            let below = found.iter().filter(|(_, after)| *after < low).count();
            assert!(above + below == found.len() && above > 30 && below > 30, "{column}: {above}, {below}");
        }
        let anomaly = "{outlier: {column: Size, beyond: [1, 100], by: 10%, side: above}}";
        assert!(changed_numbers(COLUMNS, anomaly).iter().all(|(_, after)| *after == 110.0));
        let anomaly = "{outlier: {column: Wait, beyond: [1m, 1h], by: 1, side: above}}";
        assert!(!changes(COLUMNS, anomaly).is_empty());
    }

    #[test]
    fn values_are_put_beyond_quantiles_of_a_law() {
        // The quartiles of the standard normal law; and the fence one and a half times their distance beyond them.
        let (quartile, fence) = (0.674_489_750_196_081_7, 2.697_959_000_784_327);
        let found = changed_numbers(COLUMNS, "{outlier: {column: Level, quantiles: [25%, 75%]}}");
        assert!(found.iter().all(|(_, after)| after.abs() > quartile && after.abs() < 3.0 * quartile));
        let found = changed_numbers(COLUMNS, "{outlier: {column: Level, quantiles: [25%, 75%], by: 1.5}}");
        assert!(found.iter().all(|(_, after)| (after.abs() - fence).abs() < 1e-9));
        let above = found.iter().filter(|(_, after)| *after > 0.0).count();
        assert!((30..70).contains(&above), "{above}");
        // Prices have a law from 10 to 20, whole numbers one from 1 to 100: by one half of the width above.
        for (column, quantiles, expected) in
            [("Price", "[0%, 100%]", 25.0), ("Size", "[0%, 100%]", 150.0), ("Size", "[10%, 90%]", 130.0)]
        {
            let anomaly =
                format!("{{outlier: {{column: {column}, quantiles: {quantiles}, by: 50%, side: above}}}}");
            let found = changed_numbers(COLUMNS, &anomaly);
            assert!(found.iter().all(|(_, after)| (after - expected).abs() < 1e-9), "{anomaly}: {found:?}");
        }
        assert!(!changes(COLUMNS, "{outlier: {column: Wait, quantiles: [5%, 95%], side: above}}").is_empty());
    }

    #[test]
    fn quantiles_of_other_columns_are_those_of_their_values() {
        let columns = &[
            "n: {sequence: {start: 1}}",
            "twice: {expr: '2 * n', only_if: 'n > 100'}",
            "none: {expr: n, null: 100%}",
        ];
        // 1 to 200: a quarter of them is up to 50.
        let found =
            changed_numbers(columns, "{outlier: {column: n, quantiles: [25%, 75%], by: 1, side: above}}");
        assert!(found.iter().all(|(_, after)| *after == 250.0), "{found:?}");
        // 202 to 400 in steps of two: nulls do not count, and stay.
        let [found] =
            changes(columns, "{outlier: {column: twice, quantiles: [0%, 100%], by: 0.5, side: below}}")
                .try_into()
                .unwrap();
        assert!(found.iter().any(|(before, _)| before.is_some()));
        for (before, after) in found {
            assert_eq!(after.as_deref(), before.map(|_| "103"));
        }
        assert_eq!(refused(columns, "{outlier: {column: none, quantiles: [1%, 99%]}}"), ["bad-anomaly"]);
    }

    #[test]
    fn what_does_not_fit_becomes_the_largest() {
        let found = changed_numbers(COLUMNS, "{outlier: {column: Size, times: 1e300}}");
        assert!(found.iter().all(|(_, after)| *after == i64::MAX as f64));
        let found = changed_numbers(COLUMNS, "{outlier: {column: Price, times: 1e300}}");
        assert!(found.iter().all(|(_, after)| *after == 9_007_199_254_740_991.0 / 100.0));
    }

    #[test]
    fn mistakes_are_reported() {
        assert_eq!(refused(COLUMNS, "{outlier: {column: Size}}"), ["bad-anomaly"]);
        assert_eq!(refused(COLUMNS, "{outlier: {column: Size, times: 2, plus: 2}}"), ["bad-anomaly"]);
        assert_eq!(refused(COLUMNS, "{outlier: {column: Size, times: 2, by: 2}}"), ["bad-anomaly"]);
        assert_eq!(refused(COLUMNS, "{outlier: {column: Name, times: 2}}"), ["wrong-type"]);
        assert_eq!(refused(COLUMNS, "{outlier: {column: Size, times: ten}}"), ["wrong-type"]);
        assert_eq!(refused(COLUMNS, "{outlier: {column: Wait, plus: 3}}"), ["wrong-type"]);
        assert_eq!(refused(COLUMNS, "{outlier: {column: Size, beyond: [1h, 2h]}}"), ["wrong-type"]);
        assert_eq!(refused(COLUMNS, "{outlier: {column: Size, beyond: [2, 1]}}"), ["bad-value"]);
        assert_eq!(refused(COLUMNS, "{outlier: {column: Size, quantiles: [99%, 1%]}}"), ["bad-value"]);
        assert_eq!(refused(COLUMNS, "{outlier: {column: Size, quantiles: [1%, 200%]}}"), ["bad-value"]);
        assert_eq!(
            refused(COLUMNS, "{outlier: {column: Size, quantiles: [1%, 99%], times: 2}}"),
            ["bad-anomaly"]
        );
        assert_eq!(refused(COLUMNS, "{outlier: {column: Level, quantiles: [0%, 99%]}}"), ["bad-anomaly"]);
        assert_eq!(refused(COLUMNS, "{outlier: {column: Name, quantiles: [1%, 99%]}}"), ["wrong-type"]);
    }
}
