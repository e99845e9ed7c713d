//! A sample that the ruleset makes with another seed, for columns whose law is not known in closed form.

use lookalike_ruleset::Type;
use polars::prelude::*;

use super::checks::Pending;
use super::found::ColumnFound;
use super::probability::{dkw_two_samples, two_shares};
use crate::cells::{Cells, Map};
use crate::model::Check;
use crate::statistics::Statistics;
use crate::text::{grouped, number};

/// A sample of the truth.
pub(super) enum Twin {
    Numbers { edges: Vec<f64>, below: Vec<u64>, rows: u64, nulls: u64 },
    Lengths { edges: Vec<f64>, below: Vec<u64>, rows: u64, nulls: u64 },
    Shares { names: Map<String, u32>, counts: Vec<u64>, rows: u64, nulls: u64 },
}

impl Twin {
    pub(super) fn new(series: &Series, edges: usize) -> PolarsResult<Twin> {
        let cells = Cells::of(series)?;
        let (rows, nulls) = (series.len() as u64, series.null_count() as u64);
        let of_numbers = |mut values: Vec<f64>| {
            values.sort_by(f64::total_cmp);
            let mut places: Vec<f64> = Vec::new();
            let stride = (values.len() / edges).max(1);
            for at in (0..values.len()).step_by(stride) {
                // Beside the value, so that it does not matter how either sample rounds it.
                let next = values[at..].iter().find(|next| **next > values[at]);
                places.extend(next.map(|next| values[at].midpoint(*next)));
            }
            places.dedup();
            let below =
                places.iter().map(|place| values.partition_point(|value| value <= place) as u64).collect();
            (places, below)
        };
        Ok(match &cells {
            Cells::Numbers(values) => {
                let (edges, below) = of_numbers(values.iter().flatten().collect());
                Twin::Numbers { edges, below, rows, nulls }
            }
            _ => {
                let mut statistics = Statistics::new(Type::Text);
                statistics.add(&cells);
                let (distinct, exact) = statistics.distinct();
                let names = texts_of(&cells);
                if exact && distinct <= 200 {
                    let mut index: Map<String, u32> = Map::default();
                    let mut counts: Vec<u64> = Vec::new();
                    for name in names.into_iter().flatten() {
                        let next = counts.len() as u32;
                        let at = *index.entry(name).or_insert(next);
                        if at == next {
                            counts.push(0);
                        }
                        counts[at as usize] += 1;
                    }
                    Twin::Shares { names: index, counts, rows, nulls }
                } else {
                    let lengths =
                        names.into_iter().flatten().map(|name| name.chars().count() as f64).collect();
                    let (edges, below) = of_numbers(lengths);
                    Twin::Lengths { edges, below, rows, nulls }
                }
            }
        })
    }

    /// What a block of the data has of it. For shares the last count is that of other values.
    pub(super) fn counts(&self, cells: &Cells) -> Vec<u64> {
        match self {
            Twin::Numbers { edges, .. } => {
                let mut counts = vec![0; edges.len() + 1];
                if let Cells::Numbers(values) = cells {
                    values
                        .iter()
                        .flatten()
                        .for_each(|value| counts[edges.partition_point(|edge| *edge < value)] += 1);
                }
                counts
            }
            Twin::Lengths { edges, .. } => {
                let mut counts = vec![0; edges.len() + 1];
                let mut add = |text: &str| {
                    let length = text.chars().count() as f64;
                    counts[edges.partition_point(|edge| *edge < length)] += 1;
                };
                match cells {
                    Cells::Texts(texts) => texts.iter().flatten().for_each(&mut add),
                    cells => texts_of(cells).iter().flatten().for_each(|text| add(text)),
                }
                counts
            }
            Twin::Shares { names, .. } => {
                let mut counts = vec![0; names.len() + 1];
                let mut add = |text: &str| {
                    counts[names.get(text).map_or(names.len(), |at| *at as usize)] += 1;
                };
                match cells {
                    Cells::Texts(texts) => texts.iter().flatten().for_each(&mut add),
                    cells => texts_of(cells).iter().flatten().for_each(|text| add(text)),
                }
                counts
            }
        }
    }
}

fn texts_of(cells: &Cells) -> Vec<Option<String>> {
    match cells {
        Cells::Numbers(values) => values.iter().map(|value| value.map(|value| value.to_string())).collect(),
        Cells::Texts(texts) => texts.iter().map(|text| text.map(str::to_owned)).collect(),
        Cells::Codes { codes, names } => {
            codes.iter().map(|code| code.map(|code| names[code as usize].clone())).collect()
        }
        Cells::Bools(values) => values.iter().map(|value| value.map(|value| value.to_string())).collect(),
    }
}

pub(super) fn check_twin(twin: &Twin, found: &ColumnFound, mut check: Check) -> Option<Pending> {
    let (n, nulls) = (found.clean_rows, found.clean_nulls);
    let values = (n - nulls) as f64;
    let (rows, twin_nulls) = match twin {
        Twin::Numbers { rows, nulls, .. }
        | Twin::Lengths { rows, nulls, .. }
        | Twin::Shares { rows, nulls, .. } => (*rows, *nulls),
    };
    if n == 0 || rows == 0 {
        return None;
    }
    let of_nulls = two_shares(nulls, n, twin_nulls, rows);
    let m = (rows - twin_nulls) as f64;
    let (p, distance, what) = match twin {
        Twin::Numbers { edges, below, .. } | Twin::Lengths { edges, below, .. } => {
            let (mut seen, mut worst) = (0, (0.0f64, 0.0));
            if values > 0.0 && m > 0.0 {
                for ((edge, below), count) in edges.iter().zip(below).zip(&found.twin) {
                    seen += count;
                    let distance = (seen as f64 / values - *below as f64 / m).abs();
                    if distance > worst.0 {
                        worst = (distance, *edge);
                    }
                }
                // All of one sample may lie beyond the other's values.
            }
            let what = if matches!(twin, Twin::Lengths { .. }) { "lengths of the texts" } else { "values" };
            (if values > 0.0 && m > 0.0 { dkw_two_samples(worst.0, values, m) } else { 1.0 }, worst.0, what)
        }
        Twin::Shares { counts, .. } => {
            let mut least = (1.0f64, 0.0f64);
            // Without the values that the twin lacks: of many that are rare, each sample has others.
            for (own, theirs) in found.twin.iter().zip(counts) {
                if values > 0.0 && m > 0.0 {
                    let p = two_shares(*own, n - nulls, *theirs, rows - twin_nulls);
                    let distance = (*own as f64 / values - *theirs as f64 / m).abs();
                    if p < least.0 {
                        least = (p, distance);
                    }
                }
            }
            ((least.0 * counts.len() as f64).min(1.0), least.1, "values")
        }
    };
    let (share, theirs) = (nulls as f64 / n as f64, twin_nulls as f64 / rows as f64);
    check.reference = Some(0.0);
    check.value = Some(distance.max((share - theirs).abs()));
    check.message = if of_nulls < p {
        format!("{} % are null; with another seed it is {} %", number(share * 100.0), number(theirs * 100.0))
    } else {
        format!(
            "the {what} lie {} off those of {} rows made with another seed",
            number(distance),
            grouped(rows)
        )
    };
    Some(Pending { check, p: Some((2.0 * p.min(of_nulls)).min(1.0)) })
}
