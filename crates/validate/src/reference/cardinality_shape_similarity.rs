//! `CardinalityShapeSimilarity`: are the numbers of children distributed alike?

use crate::model::{Attribute, Direction, Metric, Question};

use super::ks_complement;
use super::links::{Joined, LinkMetric};
use super::{Outcome, Tolerance};

pub(crate) static METRIC: Metric = Metric {
    name: "CardinalityShapeSimilarity",
    summary: "are the numbers of children distributed alike?",
    definition: "KSComplement of the numbers of children of all parents, of those without any, too. Noise: Kolmogorov's law.",
    direction: Direction::Higher,
    question: Question::Reference,
    attribute: Attribute::Integrity,
};

pub(crate) const LINK: LinkMetric = LinkMetric { metric: &METRIC, measure };

fn measure(real: &Joined, synthetic: &Joined, tolerance: Tolerance) -> Outcome {
    Ok(ks_complement::figure(&real.children, &synthetic.children, tolerance))
}
