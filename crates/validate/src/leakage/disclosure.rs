//! `DisclosureProtection`: can what is sensitive be guessed from what is known?

use std::collections::{BTreeMap, HashMap};

use crate::model::{Attribute, Direction, Metric, Question};
use crate::reference::{Coder, Figure, NULL, Outcome, Role, Table, noise, numbers, sample, short};

use super::{Context, Options};

macro_rules! metric {
    ($name:literal, $definition:literal) => {
        Metric {
            name: $name,
            summary: "can what is sensitive be guessed from what is known?",
            definition: concat!(
                "correct attribution probability (M. Elliot 2014; G. Taub et al. 2018): an attacker who knows some columns of a real \
                 row looks for synthetic rows with the same values and guesses the sensitive one as often as it occurs among them. \
                 The score is 1 - the mean chance of a right guess, as a part of that of a blind guess (1 - 1/values), at most 1. ",
                $definition,
                " Numbers and times are cut into ten bins over the reference's range. Held against an attacker who has other real \
                 rows instead: the holdout, or one half of the reference against the other."
            ),
            direction: Direction::Higher,
            question: Question::Leakage,
            attribute: Attribute::Diversity,
        }
    };
}

pub(crate) static CAP: Metric =
    metric!("DisclosureProtection (CAP)", "Real rows without such a synthetic row do not count.");
pub(crate) static ZERO_CAP: Metric = metric!(
    "DisclosureProtection (zero CAP)",
    "Real rows without such a synthetic row count as not guessed."
);
pub(crate) static GENERALISED_CAP: Metric = metric!(
    "DisclosureProtection (generalized CAP)",
    "Where there is no such synthetic row, those that differ in the fewest columns are taken; from a sample of the real rows, \
     and of the combinations that occur, where there are many."
);

/// One attack.
pub(crate) struct Target {
    pub known: Vec<String>,
    pub sensitive: String,
}

/// Columns that are taken for sensitive, at most, if none are named.
const MOST_TARGETS: usize = 10;
/// Columns that an attacker knows, if none are named.
const KNOWN: usize = 3;

pub(crate) fn targets(columns: &[(String, Role)], options: &Options) -> Vec<Target> {
    let has = |name: &String| columns.iter().any(|(column, _)| column == name);
    let sensitive: Vec<String> = match options.sensitive.is_empty() {
        false => options.sensitive.iter().filter(|name| has(name)).cloned().collect(),
        true => columns
            .iter()
            .filter(|(_, role)| role.is_discrete())
            .map(|(name, _)| name.clone())
            .take(MOST_TARGETS)
            .collect(),
    };
    sensitive
        .into_iter()
        .map(|sensitive| {
            let known = match options.known.is_empty() {
                false => {
                    options.known.iter().filter(|name| has(name) && **name != sensitive).cloned().collect()
                }
                true => columns
                    .iter()
                    .map(|(name, _)| name.clone())
                    .filter(|name| *name != sensitive)
                    .take(KNOWN)
                    .collect(),
            };
            Target { known, sensitive }
        })
        .filter(|target: &Target| !target.known.is_empty())
        .collect()
}

/// Known columns and the sensitive one of a table's rows, as codes.
struct Rows {
    known: Vec<Vec<u32>>,
    sensitive: Vec<u32>,
}

/// What each combination of known values goes with: how often each sensitive value occurs.
type Attacker = HashMap<Vec<u32>, BTreeMap<u32, f64>>;

/// Combinations that an attacker compares with, at most, where none is equal.
const MOST_COMBINATIONS: usize = 20_000;

pub(crate) fn measure(context: &Context<'_>, target: &Target) -> Vec<(&'static Metric, Outcome)> {
    let metrics = [&CAP, &ZERO_CAP, &GENERALISED_CAP];
    let fail = |reason: &str| metrics.map(|metric| (metric, Err(reason.to_owned()))).to_vec();
    let [Some(real), Some(synthetic), holdout] = rows(context, target) else {
        return fail("a table is missing");
    };
    let mut values = real.sensitive.clone();
    values.sort_unstable();
    values.dedup();
    let blind = 1.0 - 1.0 / values.len() as f64;
    if blind == 0.0 {
        return fail("the sensitive column is constant in the reference, so there is nothing to guess");
    }
    let seed = context.seed.derive("disclosure");
    // Somebody who has other real rows instead of synthetic ones.
    let (victims, others) = match holdout {
        Some(holdout) => ((0..real.sensitive.len()).collect(), holdout),
        None => {
            let half = sample(real.sensitive.len(), real.sensitive.len() / 2, seed.derive("halves"));
            let mut other = vec![true; real.sensitive.len()];
            for &row in &half {
                other[row] = false;
            }
            let rest: Vec<usize> = (0..other.len()).filter(|&row| other[row]).collect();
            let pick = |column: &Vec<u32>| rest.iter().map(|&row| column[row]).collect();
            (half, Rows { known: real.known.iter().map(pick).collect(), sensitive: pick(&real.sensitive) })
        }
    };
    let all: Vec<usize> = (0..real.sensitive.len()).collect();
    let (attacker, baseline) = (attacker(&synthetic), attacker(&others));
    let most = context.options.queries;
    metrics
        .into_iter()
        .map(|metric| {
            let limit = |rows: &[usize], name: &str| match std::ptr::eq(metric, &GENERALISED_CAP) {
                true => {
                    let kept = sample(rows.len(), most, seed.derive(name));
                    kept.into_iter().map(|i| rows[i]).collect()
                }
                false => rows.to_vec(),
            };
            let (all, victims): (Vec<usize>, Vec<usize>) = (limit(&all, "real"), limit(&victims, "victims"));
            let protection = |attacker: &Attacker, rows: &[usize]| {
                guessed(metric, &real, rows, attacker)
                    .map(|(guessed, n)| (((1.0 - guessed) / blind).min(1.0), guessed, n))
            };
            let outcome = match (protection(&attacker, &all), protection(&baseline, &victims)) {
                (Some((value, guess, n)), Some((expected, other, m))) => {
                    let bound = noise::shares(
                        ((guess + other) / 2.0).clamp(0.05, 0.95),
                        n,
                        m,
                        context.tolerance.alpha,
                    )
                    .bound;
                    Ok(Figure {
                        value,
                        expected,
                        threshold: (expected - bound / blind - context.tolerance.margin).max(0.0),
                        n: n as u64,
                        basis: "an attacker with other real rows",
                        detail: format!(
                            "`{}` guessed from `{}` with a chance of {} against {}",
                            target.sensitive,
                            target.known.join("`, `"),
                            short(guess),
                            short(other)
                        ),
                    })
                }
                _ => {
                    Err("no real row has a synthetic or other real row with the same known values".to_owned())
                }
            };
            (metric, outcome)
        })
        .collect()
}

/// The mean chance of a right guess, and how many rows it is of.
fn guessed(metric: &'static Metric, real: &Rows, rows: &[usize], attacker: &Attacker) -> Option<(f64, f64)> {
    let (mut sum, mut n) = (0.0, 0.0);
    let mut combinations: Vec<&Vec<u32>> = Vec::new();
    if std::ptr::eq(metric, &GENERALISED_CAP) {
        combinations = attacker.keys().collect();
        combinations.sort_unstable();
        let step = combinations.len().div_ceil(MOST_COMBINATIONS).max(1);
        combinations = combinations.into_iter().step_by(step).collect();
    }
    // Rows with the same known values ask the same.
    let mut nearest: HashMap<Vec<u32>, BTreeMap<u32, f64>> = HashMap::new();
    for &row in rows {
        let key: Vec<u32> = real.known.iter().map(|column| column[row]).collect();
        let right = real.sensitive[row];
        let chance = |found: &BTreeMap<u32, f64>| {
            found.get(&right).copied().unwrap_or(0.0) / found.values().sum::<f64>()
        };
        match attacker.get(&key) {
            Some(found) => {
                sum += chance(found);
                n += 1.0;
            }
            None if std::ptr::eq(metric, &ZERO_CAP) => n += 1.0,
            None if std::ptr::eq(metric, &GENERALISED_CAP) => {
                let found = nearest.entry(key.clone()).or_insert_with(|| {
                    let differ = |other: &[u32]| key.iter().zip(other).filter(|(a, b)| a != b).count();
                    let least = combinations.iter().map(|other| differ(other)).min().unwrap_or(0);
                    let mut found = BTreeMap::new();
                    for other in combinations.iter().filter(|other| differ(other) == least) {
                        for (&value, &count) in &attacker[*other] {
                            *found.entry(value).or_insert(0.0) += count;
                        }
                    }
                    found
                });
                if !found.is_empty() {
                    sum += chance(found);
                    n += 1.0;
                }
            }
            None => {}
        }
    }
    (n > 0.0).then(|| (sum / n, n))
}

fn attacker(rows: &Rows) -> Attacker {
    let mut out = Attacker::new();
    for (row, &sensitive) in rows.sensitive.iter().enumerate() {
        let key = rows.known.iter().map(|column| column[row]).collect();
        *out.entry(key).or_default().entry(sensitive).or_insert(0.0) += 1.0;
    }
    out
}

fn rows(context: &Context<'_>, target: &Target) -> [Option<Rows>; 3] {
    let known: Vec<[Vec<u32>; 3]> = target.known.iter().map(|name| codes(context, name)).collect();
    let sensitive = codes(context, &target.sensitive);
    [0, 1, 2].map(|side| {
        context.tables[side].map(|_| Rows {
            known: known.iter().map(|column| column[side].clone()).collect(),
            sensitive: sensitive[side].clone(),
        })
    })
}

/// The codes of a column: categories, or ten bins of equal width over the reference's range, closed to the right.
fn codes(context: &Context<'_>, name: &str) -> [Vec<u32>; 3] {
    const BINS: u32 = 10;
    let series = context.tables.map(|table: Option<&Table<'_>>| table.and_then(|table| table.series(name)));
    if !context.roles.get(name).is_some_and(|role| role.is_continuous()) {
        let mut coder = Coder::default();
        return series.map(|series| series.map_or(Vec::new(), |series| coder.codes(series)));
    }
    let values = series.map(|series| series.map_or(Vec::new(), numbers));
    let (mut least, mut greatest) = (f64::INFINITY, f64::NEG_INFINITY);
    for &x in values[0].iter().filter(|x| !x.is_nan()) {
        least = least.min(x);
        greatest = greatest.max(x);
    }
    let step = (greatest - least) / f64::from(BINS);
    values.map(|values| {
        values
            .into_iter()
            .map(|x| match x.is_nan() {
                true => NULL,
                false => (1..BINS).filter(|&i| least + f64::from(i) * step < x).count() as u32,
            })
            .collect()
    })
}
