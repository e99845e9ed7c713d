//! `CardinalityStatisticSimilarity`: have parents as many children on average?

use crate::model::{Attribute, Direction, Metric, Question};

use super::links::{Joined, LinkMetric};
use super::statistic_similarity::{Statistic, figure};
use super::{Outcome, Tolerance};

macro_rules! metric {
    ($name:literal, $summary:literal) => {
        Metric {
            name: $name,
            summary: $summary,
            definition: "StatisticSimilarity of the numbers of children of all parents, of those without any, too.",
            direction: Direction::Higher,
            question: Question::Reference,
            attribute: Attribute::Integrity,
        }
    };
}

pub(crate) static MEAN: Metric =
    metric!("CardinalityStatisticSimilarity (mean)", "have parents as many children on average?");
pub(crate) static MEDIAN: Metric =
    metric!("CardinalityStatisticSimilarity (median)", "has the middle parent as many children?");
pub(crate) static STD: Metric =
    metric!("CardinalityStatisticSimilarity (std)", "do the numbers of children vary as much?");

pub(crate) const MEAN_LINK: LinkMetric = LinkMetric {
    metric: &MEAN,
    measure: |real, synthetic, tolerance| measure(real, synthetic, Statistic::Mean, tolerance),
};
pub(crate) const MEDIAN_LINK: LinkMetric = LinkMetric {
    metric: &MEDIAN,
    measure: |real, synthetic, tolerance| measure(real, synthetic, Statistic::Median, tolerance),
};
pub(crate) const STD_LINK: LinkMetric = LinkMetric {
    metric: &STD,
    measure: |real, synthetic, tolerance| measure(real, synthetic, Statistic::Std, tolerance),
};

fn measure(real: &Joined, synthetic: &Joined, statistic: Statistic, tolerance: Tolerance) -> Outcome {
    figure(&real.children, &synthetic.children, statistic, tolerance)
}
