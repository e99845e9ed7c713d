//! `SequenceLengthSimilarity`: are sequences as long?

use crate::model::{Attribute, Direction, Metric, Question};

use super::table::{Coder, NULL};
use super::{Outcome, Table, Tolerance, ks_complement};

pub(crate) static METRIC: Metric = Metric {
    name: "SequenceLengthSimilarity",
    summary: "are sequences as long?",
    definition: "KSComplement of the numbers of rows that have the same sequence key. Noise: Kolmogorov's law.",
    direction: Direction::Higher,
    question: Question::Reference,
    attribute: Attribute::Time,
};

pub(crate) fn measure(real: &Table<'_>, synthetic: &Table<'_>, key: &str, tolerance: Tolerance) -> Outcome {
    if real.sampled.or(synthetic.sampled).is_some() {
        return Err(
            "of a table this large a sample of the rows is held, which has no whole sequences".to_owned()
        );
    }
    let lengths = |table: &Table<'_>| -> Result<Vec<f64>, String> {
        let series = table.series(key).ok_or_else(|| format!("there is no column `{key}`"))?;
        let mut coder = Coder::default();
        let codes = coder.codes(series);
        let mut lengths = vec![0.0; coder.len()];
        for code in codes.into_iter().filter(|&code| code != NULL) {
            lengths[code as usize] += 1.0;
        }
        if lengths.is_empty() {
            return Err(format!("table `{}` has no sequences", table.schema.table));
        }
        lengths.sort_unstable_by(f64::total_cmp);
        Ok(lengths)
    };
    Ok(ks_complement::figure(&lengths(real)?, &lengths(synthetic)?, tolerance))
}
