//! `KeyUniqueness`: does the key name each row?

use std::collections::HashSet;

use crate::model::{Attribute, Direction, Metric, Question};

use super::table::{Coder, NULL};
use super::{Figure, Outcome, Table};

pub(crate) static METRIC: Metric = Metric {
    name: "KeyUniqueness",
    summary: "does the key name each row?",
    definition: "share of the synthetic rows whose key occurs for the first time and is not wholly null. The threshold is 1, \
                 or what the reference itself reaches if that is less.",
    direction: Direction::Higher,
    question: Question::Reference,
    attribute: Attribute::Integrity,
};

pub(crate) fn measure(real: &Table<'_>, synthetic: &Table<'_>, key: &[&str]) -> Outcome {
    let of = |table: &Table<'_>| unique_share(table, key);
    let (reference, value) = (of(real)?, of(synthetic)?);
    Ok(Figure {
        value,
        expected: reference,
        threshold: reference,
        n: synthetic.all_rows(),
        basis: "the reference's own keys",
        detail: format!(
            "{} rows repeat a key or have none",
            ((1.0 - value) * synthetic.all_rows() as f64).round()
        ),
    })
}

fn unique_share(table: &Table<'_>, key: &[&str]) -> Result<f64, String> {
    if let Some(share) = table.sampled.and_then(|sampled| sampled.unique) {
        return Ok(share);
    }
    let rows = table.rows();
    if rows == 0 {
        return Err(format!("table `{}` has no rows", table.schema.table));
    }
    let mut columns = Vec::new();
    for name in key {
        let series = table.series(name).ok_or_else(|| format!("there is no column `{name}`"))?;
        columns.push(Coder::default().codes(series));
    }
    let mut seen = HashSet::with_capacity(rows);
    let good = (0..rows)
        .filter(|&row| {
            let codes: Vec<u32> = columns.iter().map(|column| column[row]).collect();
            let void = codes.iter().all(|&code| code == NULL);
            seen.insert(codes) && !void
        })
        .count();
    Ok(good as f64 / rows as f64)
}
