//! `ReferentialIntegrity`: has every child its parent?

use crate::model::{Attribute, Direction, Metric, Question};

use super::links::{Joined, LinkMetric};
use super::{Figure, Outcome, Tolerance};

pub(crate) static METRIC: Metric = Metric {
    name: "ReferentialIntegrity",
    summary: "has every child its parent?",
    definition: "share of the child rows whose key is one of the parent's. Children without a key are left out if the \
                 reference has such children, and count as orphans otherwise. The threshold is 1, or what the reference itself \
                 reaches if that is less.",
    direction: Direction::Higher,
    question: Question::Reference,
    attribute: Attribute::Integrity,
};

pub(crate) const LINK: LinkMetric = LinkMetric { metric: &METRIC, measure };

fn measure(real: &Joined, synthetic: &Joined, _: Tolerance) -> Outcome {
    let optional = real.orphans_by_null.contains(&true);
    let share = |side: &Joined| -> Option<(f64, usize)> {
        let counted: Vec<bool> = side
            .parent_of
            .iter()
            .zip(&side.orphans_by_null)
            .filter(|(_, null)| !(optional && **null))
            .map(|(parent, _)| parent.is_some())
            .collect();
        let good = counted.iter().filter(|good| **good).count();
        (!counted.is_empty()).then(|| (good as f64 / counted.len() as f64, counted.len()))
    };
    let (value, n) = share(synthetic).ok_or("the synthetic child table has no row that names a parent")?;
    let reference = share(real).map_or(1.0, |(share, _)| share);
    Ok(Figure {
        value,
        expected: reference,
        threshold: reference,
        n: n as u64,
        basis: "the reference's own keys",
        detail: format!("{} of {n} children have no parent", ((1.0 - value) * n as f64).round()),
    })
}
