//! Lengths of time by chance: how long something takes or until something happens.

use std::sync::Arc;

use lookalike_core::law::Law;
use lookalike_core::laws::{Exponential, LogNormal, Uniform};
use lookalike_core::stream::open01;
use lookalike_ruleset::decode::{Decode, Pair, Time, unknown_key, wrong};
use lookalike_ruleset::{Diagnostic, Json, Node, Problems, params};
use serde_json::json;

params! {
    /// Waiting times at a constant rate.
    struct ByMean {
        /// Mean.
        mean: Time,
    }
}

params! {
    /// Lengths whose logarithm is normal.
    struct ByQuantiles {
        /// Half of the lengths are below this.
        median: Time,
        /// 95 % of the lengths are below this; greater than the median.
        p95: Time,
    }
}

/// A law of lengths of time that are not negative: a fixed length (`5m`), a range in which all are alike probable
/// (`[1m, 1h]`), `{exponential: {mean: 5m}}` or `{log_normal: {median: 1h, p95: 2d}}`.
#[derive(Clone, Debug)]
pub(super) enum Lengths {
    /// Always the same, in microseconds.
    Fixed(i64),
    /// By a law, in microseconds.
    Law(Arc<dyn Law>),
}

/// What a law's values are cut to, in microseconds: 100,000 years, so that sums with any stamp fit 64 bits.
const LONGEST: f64 = 3.16e18;

impl Lengths {
    /// The length in microseconds that belongs to a word; larger words give larger lengths.
    pub(super) fn micros(&self, word: u64) -> i64 {
        match self {
            Lengths::Fixed(micros) => *micros,
            Lengths::Law(law) => law.quantile(open01(word)).clamp(0.0, LONGEST).round() as i64,
        }
    }
}

const LAWS: [&str; 2] = ["exponential", "log_normal"];

impl Decode for Lengths {
    fn decode(node: &Node, problems: &mut Problems) -> Option<Self> {
        let law = match (node.as_list(), node.as_map()) {
            (Some(_), _) => {
                let Pair(low, high) = Pair::<Time>::decode(node, problems)?;
                if low.0 < 0 || low >= high {
                    problems.push(
                        Diagnostic::error("bad-value", node.span, "this is no range of lengths of time")
                            .label("expected two that are not negative, the shorter one first"),
                    );
                    return None;
                }
                Uniform::new(low.0 as f64, high.0 as f64).map(|law| Arc::new(law) as Arc<dyn Law>)
            }
            (_, Some([entry])) if entry.key == LAWS[0] => {
                let ByMean { mean } = ByMean::decode(&entry.value, problems)?;
                Exponential::new(mean.0 as f64).map(|law| Arc::new(law) as Arc<dyn Law>)
            }
            (_, Some([entry])) if entry.key == LAWS[1] => {
                let ByQuantiles { median, p95 } = ByQuantiles::decode(&entry.value, problems)?;
                LogNormal::from_median_p95(median.0 as f64, p95.0 as f64)
                    .map(|law| Arc::new(law) as Arc<dyn Law>)
            }
            (_, Some(entries)) => {
                match entries.iter().find(|entry| !LAWS.contains(&entry.key.as_str())) {
                    Some(entry) => unknown_key(entry, LAWS, problems),
                    None => wrong(node, Self::what(), problems),
                }
                return None;
            }
            _ => {
                let Time(micros) = Time::decode(node, problems)?;
                if micros < 0 {
                    problems.push(
                        Diagnostic::error("bad-value", node.span, "this length of time is negative")
                            .label("expected at least 0s"),
                    );
                    return None;
                }
                return Some(Lengths::Fixed(micros));
            }
        };
        match law {
            Ok(law) => Some(Lengths::Law(law)),
            Err(error) => {
                problems.push(
                    Diagnostic::error("bad-value", node.span, format!("{error} (in microseconds)"))
                        .label("these lengths make no law"),
                );
                None
            }
        }
    }
    fn what() -> String {
        "a length of time (5m), a range ([1m, 1h]), {exponential: {mean: 5m}} or {log_normal: {median: 1h, p95: 2d}}".into()
    }
    fn schema() -> Json {
        let law = |name: &str, schema: Json| json!({"type": "object", "properties": {name: schema}, "required": [name], "additionalProperties": false});
        json!({"anyOf": [
            Time::schema(),
            Pair::<Time>::schema(),
            law(LAWS[0], ByMean::schema()),
            law(LAWS[1], ByQuantiles::schema()),
        ]})
    }
}
