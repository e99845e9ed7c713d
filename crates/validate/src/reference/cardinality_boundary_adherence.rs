//! `CardinalityBoundaryAdherence`: do numbers of children stay within the reference's range?

use crate::model::{Attribute, Direction, Metric, Question};

use super::boundary_adherence;
use super::links::{Joined, LinkMetric};
use super::{Outcome, Tolerance};

pub(crate) static METRIC: Metric = Metric {
    name: "CardinalityBoundaryAdherence",
    summary: "do numbers of children stay within the range of the reference?",
    definition: "share of the parents with no fewer children than the least, and no more than the greatest number that the \
                 reference has.",
    direction: Direction::Higher,
    question: Question::Reference,
    attribute: Attribute::Integrity,
};

pub(crate) const LINK: LinkMetric = LinkMetric { metric: &METRIC, measure };

fn measure(real: &Joined, synthetic: &Joined, tolerance: Tolerance) -> Outcome {
    boundary_adherence::figure(&real.children, &synthetic.children, 0.0, &super::short, tolerance)
}
