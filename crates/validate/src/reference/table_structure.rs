//! `TableStructure`: has the table the reference's columns?

use std::collections::BTreeSet;

use crate::model::{Attribute, Check, Direction, Metric, Question};

use super::{Figure, Table};

pub(crate) static METRIC: Metric = Metric {
    name: "TableStructure",
    summary: "has the table the columns of the reference?",
    definition: "columns that both tables have with the same type, as a share of the columns that either has. The threshold \
                 is 1.",
    direction: Direction::Higher,
    question: Question::Reference,
    attribute: Attribute::Structure,
};

pub(crate) fn check(real: &Table<'_>, synthetic: &Table<'_>, table: &str) -> Check {
    let columns = |table: &Table<'_>| -> BTreeSet<(String, lookalike_ruleset::Type)> {
        table.schema.fields.iter().map(|field| (field.name.clone(), field.ty)).collect()
    };
    let (a, b) = (columns(real), columns(synthetic));
    let union = a.union(&b).count();
    let outcome = if union == 0 {
        Err("neither table has columns".to_owned())
    } else {
        let odd: Vec<String> =
            a.symmetric_difference(&b).take(5).map(|(name, ty)| format!("`{name}` ({ty})")).collect();
        Ok(Figure {
            value: a.intersection(&b).count() as f64 / union as f64,
            expected: 1.0,
            threshold: 1.0,
            n: union as u64,
            basis: "the reference's columns",
            detail: match odd.is_empty() {
                true => String::new(),
                false => format!("only one of the two has {}", odd.join(", ")),
            },
        })
    };
    super::check(&METRIC, table, &[], outcome)
}
