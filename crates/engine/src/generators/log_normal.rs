//! `log_normal`: positive numbers whose logarithm is normal: sizes, amounts, durations.

use std::sync::Arc;

use lookalike_core::law::{Law, LawError};
use lookalike_core::laws;
use lookalike_ruleset::decode::{Decode, FieldDoc, Number, Positive, wrong};
use lookalike_ruleset::{Json, Node, Problems, params};
use serde_json::json;

use super::numbers::{ByLaw, LawRule};
use crate::generator::{Group, Kind};

params! {
    /// The law by two of its quantiles.
    pub struct ByQuantiles {
        /// Half of the values are below this.
        median: Positive,
        /// 95 % of the values are below this; greater than the median.
        p95: Positive,
    }
}

params! {
    /// The law by its textbook parameters.
    pub struct ByLogarithm {
        /// Mean of the natural logarithm of the values.
        mu: Number,
        /// Standard deviation of the natural logarithm of the values.
        sigma: Positive,
    }
}

/// Positive numbers whose logarithm is normal, given in one of two ways.
#[derive(Clone, Debug)]
pub enum LogNormal {
    /// By median and 95th percentile.
    Quantiles(ByQuantiles),
    /// By mu and sigma.
    Logarithm(ByLogarithm),
}

impl Decode for LogNormal {
    fn decode(node: &Node, problems: &mut Problems) -> Option<Self> {
        if node.as_map().is_none() {
            wrong(node, Self::what(), problems);
            return None;
        }
        if node.get("mu").is_some() || node.get("sigma").is_some() {
            return ByLogarithm::decode(node, problems).map(LogNormal::Logarithm);
        }
        ByQuantiles::decode(node, problems).map(LogNormal::Quantiles)
    }
    fn what() -> String {
        "`{median: …, p95: …}` or `{mu: …, sigma: …}`".into()
    }
    fn schema() -> Json {
        json!({"anyOf": [ByQuantiles::schema(), ByLogarithm::schema()]})
    }
    fn fields() -> Vec<FieldDoc> {
        let either = |mut field: FieldDoc| {
            field.required = false;
            field
        };
        ByQuantiles::fields().into_iter().chain(ByLogarithm::fields()).map(either).collect()
    }
}

impl LawRule for LogNormal {
    fn law(self) -> Result<Arc<dyn Law>, LawError> {
        Ok(Arc::new(match self {
            LogNormal::Quantiles(q) => laws::LogNormal::from_median_p95(q.median.0, q.p95.0)?,
            LogNormal::Logarithm(l) => laws::LogNormal::new(l.mu.0, l.sigma.0)?,
        }))
    }
}

pub(super) const KIND: Kind = Kind {
    name: "log_normal",
    group: Group::Numbers,
    summary: "Positive numbers whose logarithm is normal: sizes, amounts, durations.",
    details: "ln X is normal with mean mu and standard deviation sigma. Given by quantiles, mu = ln(median) and \
              sigma = ln(p95 / median) / 1.6449, where 1.6449 is the 95th percentile of the standard normal law.",
    example: "{log_normal: {median: 80, p95: 1000}}",
    ..Kind::of::<ByLaw<LogNormal>>()
};
