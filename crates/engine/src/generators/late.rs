//! `late`: when something is known that happened before: most of it at once, a share after a delay.

use lookalike_ruleset::decode::{Share, Spanned};
use lookalike_ruleset::{Span, Type, params};
use polars::prelude::*;

use super::lengths::Lengths;
use super::zone::{Points, Zone, beyond, input_of};
use crate::array;
use crate::build::Builder;
use crate::generator::{Block, Failure, Generator, Group, InputName, Kind, Output, Rule, Site, Words};
use crate::pick::threshold;

params! {
    /// A point in time, later for some rows.
    struct Params {
        /// Column of stamps or dates to start from.
        of: Spanned<String>,
        /// Share of the rows that are late; all unless given.
        share: Share = Share(1.0),
        /// How much later they are.
        delay: Lengths,
    }
}

impl Rule for Params {
    fn build(self, _: Span, _: &mut Builder<'_>) -> Option<Box<dyn Generator>> {
        // Words from here on are late.
        let first = (1u128 << 64) - threshold(self.share.0);
        Some(Box::new(Late { of: self.of, delay: self.delay, first, ready: None }))
    }
}

struct Late {
    of: Spanned<String>,
    delay: Lengths,
    first: u128,
    ready: Option<(Points, Words)>,
}

impl Late {
    /// How much later the row with this word is. The words of late rows are stretched over all words, so that one draw
    /// decides both whether and how much.
    fn delay(&self, word: u64) -> i64 {
        match u128::from(word).checked_sub(self.first) {
            None => 0,
            Some(above) => {
                let share = (1u128 << 64) - self.first;
                // Below 2^64, since `above` is below `share`; the loss of lower bits at the shift is the word's own grain.
                let stretched = if self.first == 0 { above } else { ((above << 63) / share) << 1 };
                self.delay.micros(stretched as u64)
            }
        }
    }
}

impl Generator for Late {
    fn inputs(&self, inputs: &mut Vec<InputName>) {
        inputs.push(input_of(&self.of));
    }

    fn prepare(&mut self, site: &mut Site<'_>) -> Option<Output> {
        let of = Points::prepare(&self.of, site)?;
        self.ready = Some((of, site.words(site.seed)));
        Some(Output { nullable: of.nullable, ..Output::of(Type::Datetime) })
    }

    fn fill(&self, block: &Block<'_>) -> Result<Series, Failure> {
        let (of, words) = self.ready.as_ref().expect("set in prepare");
        let mut points = of.micros(&Zone::utc(), block)?;
        let mut at = 0;
        let mut fits = true;
        words.for_each(block, |word| {
            if let Some(point) = &mut points[at] {
                let later = point.saturating_add(self.delay(word));
                fits &= later < i64::MAX;
                *point = later;
            }
            at += 1;
        });
        if !fits {
            return Err(beyond());
        }
        Ok(array::stamps(points))
    }
}

pub(super) const KIND: Kind = Kind {
    name: "late",
    group: Group::Time,
    summary: "A point in time that follows another one: at once, or for a share of the rows after a delay.",
    details: "A share of the rows gets the stamp of the column `of` plus a delay, the others the stamp itself; a date stands \
              for its midnight in UTC, null stays null. The delay is a fixed length (`5m`), a range in which all lengths are \
              alike probable (`[1m, 1h]`), `{exponential: {mean: 5m}}` or `{log_normal: {median: 1h, p95: 2d}}`. So a table in \
              the order of its events has arrivals out of order. Whether a row is late and how much comes from one draw: larger \
              draws give longer delays.",
    example: "{late: {of: when, share: 20%, delay: {log_normal: {median: 1h, p95: 2d}}}}",
    ..Kind::of::<Params>()
};

#[cfg(test)]
mod tests {
    use lookalike_core::Rows;
    use lookalike_core::testing::{ks_p_value, ks_statistic};

    use crate::testing::plan;

    const HOUR: f64 = 3.6e9;

    fn delays(late: &str, rows: u64) -> Vec<f64> {
        let text = format!(
            "lookalike: 1\ntables:\n  t:\n    rows: {rows}\n    columns:\n      at: {{datetime_range: [2025-01-01, 2025-12-31]}}\n      \
             seen: {{late: {{of: at, {late}}}}}\n"
        );
        let plan = plan(&text).unwrap_or_else(|problems| panic!("{problems:#?}"));
        let frame = plan.tables[0].frame(&Rows::from(0..rows)).unwrap();
        let column = |name: &str| {
            let series = frame.column(name).unwrap().as_materialized_series().to_physical_repr().into_owned();
            series.i64().unwrap().iter().map(Option::unwrap).collect::<Vec<i64>>()
        };
        column("seen").into_iter().zip(column("at")).map(|(seen, at)| (seen - at) as f64).collect()
    }

    /// False alarms: one in 10^6 for the share (4.9 standard deviations) and one in 10^6 for the law.
    #[test]
    fn a_share_is_late_by_the_law() {
        let delays = delays("share: 20%, delay: {exponential: {mean: 2h}}", 20_000);
        let late: Vec<f64> = delays.into_iter().filter(|delay| *delay != 0.0).collect();
        let count = late.len() as f64;
        assert!((count - 4000.0).abs() < 4.9 * (20_000.0f64 * 0.2 * 0.8).sqrt(), "{count} are late");
        let distance = ks_statistic(late, |x| 1.0 - (-x / (2.0 * HOUR)).exp());
        assert!(ks_p_value(distance, count) > 1e-6, "{distance}");
    }

    #[test]
    fn delays_of_all_forms() {
        assert!(delays("delay: 90s", 50).iter().all(|delay| *delay == 9e7));
        assert!(delays("delay: [1h, 2h]", 500).iter().all(|delay| (HOUR..=2.0 * HOUR).contains(delay)));
        assert!(delays("share: 0, delay: 90s", 50).iter().all(|delay| *delay == 0.0));
        let mut sizes = delays("delay: {log_normal: {median: 1h, p95: 2d}}", 4001);
        sizes.sort_by(f64::total_cmp);
        // The median of 4,001 logarithms with standard deviation 2.35 lies within 0.25, over five standard errors.
        assert!((sizes[2000] / HOUR).ln().abs() < 0.25, "{}", sizes[2000]);
    }

    #[test]
    fn what_is_no_delay_is_refused() {
        for (late, code) in [
            ("delay: -5m", "bad-value"),
            ("delay: [2h, 1h]", "bad-value"),
            ("delay: {exponential: {mean: 0s}}", "bad-value"),
            ("delay: {log_normal: {median: 2h, p95: 1h}}", "bad-value"),
            ("delay: {exponental: {mean: 1h}}", "unknown-key"),
            ("delay: {}", "wrong-type"),
            ("delay: soon", "bad-duration"),
            ("share: 20%", "missing-key"),
        ] {
            let problems =
                crate::testing::example(&format!("{{late: {{of: when, {late}}}}}"), 10, 1).err().unwrap();
            assert_eq!(problems[0].code, code, "{late}");
        }
        let problems = crate::testing::example("{late: {of: word, delay: 1h}}", 10, 1).err().unwrap();
        assert_eq!(problems[0].code, "wrong-type");
    }
}
