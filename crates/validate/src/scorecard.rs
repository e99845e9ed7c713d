//! The eight attributes of good synthetic data, and how the data fare on them.

use serde::Serialize;

use crate::model::{Attribute, Check, Provenance, Verdict};
use crate::text::{counted, grouped};

impl Attribute {
    /// All eight, in the order of the scorecard.
    pub const ALL: [Attribute; 8] = [
        Attribute::Structure,
        Attribute::Statistics,
        Attribute::Time,
        Attribute::Anomalies,
        Attribute::Integrity,
        Attribute::Consistency,
        Attribute::Scalability,
        Attribute::Diversity,
    ];

    /// Title in the scorecard.
    pub fn title(self) -> &'static str {
        match self {
            Attribute::Structure => "Data structure",
            Attribute::Statistics => "Statistical properties",
            Attribute::Time => "Temporal patterns",
            Attribute::Anomalies => "Anomalies and outliers",
            Attribute::Integrity => "Referential integrity",
            Attribute::Consistency => "Consistency",
            Attribute::Scalability => "Scalability",
            Attribute::Diversity => "Diversity",
        }
    }

    /// What it asks for.
    pub fn meaning(self) -> &'static str {
        match self {
            Attribute::Structure => "the same columns, types and relations as the real thing",
            Attribute::Statistics => "means, spreads, correlations and the shapes of distributions",
            Attribute::Time => "daily, weekly and yearly patterns are kept",
            Attribute::Anomalies => "anomalies of the kinds and in the proportion asked for",
            Attribute::Integrity => {
                "keys are unique, links lead somewhere, parents have as many children as they should"
            }
            Attribute::Consistency => "columns and tables tell one coherent story",
            Attribute::Scalability => "from a fixture to any volume",
            Attribute::Diversity => "the variety of the real thing is covered",
        }
    }
}

/// How the data fare on one attribute.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Score {
    /// The attribute.
    pub attribute: Attribute,
    /// Of its checks together; `info` where nothing was judged.
    pub verdict: Verdict,
    /// Checks that passed.
    pub passed: u64,
    /// Checks that failed.
    pub failed: u64,
    /// Figures without a threshold.
    pub figures: u64,
    /// Checks that could not be computed.
    pub skipped: u64,
    /// The same in one sentence.
    pub message: String,
}

impl Score {
    pub(crate) fn new(attribute: Attribute, checks: &[&Check], provenance: &Provenance) -> Score {
        let mine = || checks.iter().copied().filter(|check| check.metric.attribute == attribute);
        let count = |verdict| mine().filter(|check| check.verdict == verdict).count() as u64;
        let (passed, failed) = (count(Verdict::Pass), count(Verdict::Fail));
        let (figures, skipped) = (count(Verdict::Info), count(Verdict::Skipped));
        let mut parts = Vec::new();
        match (passed + failed, failed) {
            (0, _) => {}
            (1, 0) => parts.push("the one check passed".to_owned()),
            (all, 0) => parts.push(format!("all {} checks passed", grouped(all))),
            (1, _) => parts.push("the one check failed".to_owned()),
            (all, failed) => {
                parts.push(format!("{} of {} checks failed", grouped(failed), grouped(all)));
            }
        }
        if figures > 0 {
            parts.push(counted(figures, "figure", "figures"));
        }
        if skipped > 0 {
            parts.push(format!("{} could not be computed", grouped(skipped)));
        }
        if attribute == Attribute::Scalability
            && let Some(speed) = &provenance.throughput
        {
            parts.push(speed.sentence());
        }
        if parts.is_empty() {
            parts.push("nothing in these data speaks of it".to_owned());
        }
        let message = parts.join("; ");
        Score { attribute, verdict: Verdict::of(mine()), passed, failed, figures, skipped, message }
    }
}
