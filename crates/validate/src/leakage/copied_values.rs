//! `CopiedValueShare`: are names, ids, free texts of real rows copied?

use crate::model::{Attribute, Direction, Metric, Question};
use crate::reference::{Copies, Outcome};

use super::{Context, identical};

pub(crate) static METRIC: Metric = Metric {
    name: "CopiedValueShare",
    summary: "are ids, names or free texts of the reference copied?",
    definition: "share of the synthetic values of a column of ids or free text that occur in the reference. Held against the share \
                 of the holdout's values that do, or of the reference's rows whose value occurs in another. Noise: the \
                 difference of two binomial shares; the threshold allows a fifth of the margin more.",
    direction: Direction::Lower,
    question: Question::Leakage,
    attribute: Attribute::Diversity,
};

pub(crate) fn measure(context: &Context<'_>, copies: std::io::Result<Copies>) -> Outcome {
    identical::share(context, copies, "values")
}
