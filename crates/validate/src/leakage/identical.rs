//! `IdenticalMatchShare`: are real rows copied?

use crate::model::{Attribute, Direction, Metric, Question};
use crate::reference::{Coder, Figure, NULL, Outcome, noise, numbers, short};

use super::Context;

pub(crate) static METRIC: Metric = Metric {
    name: "IdenticalMatchShare",
    summary: "are real rows copied?",
    definition: "share of all synthetic rows that equal a row of the reference in all columns but ids and free text. Held against \
                 the share of the holdout's rows that do, or of the reference's rows that equal another. Noise: the difference \
                 of two binomial shares; the threshold allows a fifth of the margin more.",
    direction: Direction::Lower,
    question: Question::Leakage,
    attribute: Attribute::Diversity,
};

pub(crate) fn measure(context: &Context<'_>) -> Outcome {
    let [real, synthetic, holdout] = hashes(context);
    let mut known = real.clone();
    known.sort_unstable();
    let within = |rows: &[u64]| rows.iter().filter(|hash| known.binary_search(hash).is_ok()).count() as f64;
    let copied = within(&synthetic);
    let (n, m) = (real.len() as f64, synthetic.len() as f64);
    let value = copied / m;
    let (expected, others) = match holdout.is_empty() {
        false => (within(&holdout) / holdout.len() as f64, holdout.len() as f64),
        true => {
            let alone = known.chunk_by(|a, b| a == b).filter(|same| same.len() == 1).count() as f64;
            (1.0 - alone / n, n)
        }
    };
    // A null share has noise as well: as much as if one row of the baseline had been copied.
    let noise = noise::shares(expected.max(1.0 / others).min(0.5), others, m, context.tolerance.alpha);
    Ok(Figure {
        value,
        expected,
        threshold: (expected + noise.bound + context.tolerance.margin / 5.0).min(1.0),
        n: (n + m) as u64,
        basis: "the binomial law",
        detail: format!("{copied} of {m} rows; a share of {} of other real rows", short(expected)),
    })
}

/// A hash of each row of reference, synthetic table and holdout, made column by column. Two different rows of tables with a
/// million rows agree by chance with a probability of 1 in 10 million.
fn hashes(context: &Context<'_>) -> [Vec<u64>; 3] {
    let mut out = context.tables.map(|table| vec![0; table.map_or(0, |table| table.rows())]);
    for (name, role) in context.columns {
        let mut coder = Coder::default();
        for (side, hashes) in out.iter_mut().enumerate() {
            let Some(series) = context.tables[side].and_then(|table| table.series(name)) else { continue };
            let words: Vec<u64> = match role.is_continuous() {
                true => numbers(series)
                    .into_iter()
                    .map(|x| if x.is_nan() { u64::MAX } else { (x + 0.0).to_bits() })
                    .collect(),
                false => coder
                    .codes(series)
                    .into_iter()
                    .map(|code| if code == NULL { u64::MAX } else { u64::from(code) })
                    .collect(),
            };
            for (hash, word) in hashes.iter_mut().zip(words) {
                *hash = mix(*hash ^ mix(word));
            }
        }
    }
    out
}

/// The finaliser of SplitMix64 (S. Vigna's constants), after an odd step so that 0 does not stay 0.
fn mix(word: u64) -> u64 {
    let word = word.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ (word >> 31)
}
