//! Distances to the closest records.

use crate::model::{Attribute, Direction, Metric, Question};
use crate::reference::{Figure, Outcome, short};

use super::Context;
use super::index::{Closest, Index};
use super::space::Space;

macro_rules! metric {
    ($name:literal, $summary:literal, $definition:literal, $direction:ident) => {
        Metric {
            name: $name,
            summary: $summary,
            definition: $definition,
            direction: Direction::$direction,
            question: Question::Leakage,
            attribute: Attribute::Diversity,
        }
    };
}

pub(crate) static DISTANCE: Metric = metric!(
    "DistanceToClosestRecord",
    "are rows nearer to real rows than real rows are to each other?",
    "the greatest excess of the share of synthetic rows within some distance of the reference over the share of other real rows \
     (of the holdout, or of the reference's rows beside each other) within that distance. Distance: Gower's, the mean over the \
     columns of differences in units of the reference's range, 1 for categories that differ. Noise: Smirnov's law, one-sided.",
    Lower
);
pub(crate) static RATIO: Metric = metric!(
    "NearestNeighbourDistanceRatio",
    "does one real row stand out as the source of a row?",
    "the same excess, of the ratio of the distances to the closest and the second closest row of the reference: a ratio near 0 \
     says that a row was taken from one person.",
    Lower
);
pub(crate) static HOLDOUT_SHARE: Metric = metric!(
    "ClosestRecordHoldoutShare",
    "are rows nearer to those that the data was made from than to others of the same truth?",
    "share of the synthetic rows that are nearer to the reference than to a holdout of the same size, ties counting half. One half \
     says that the reference has left no trace of its own. Noise: the binomial law, and the sizes of both tables.",
    Lower
);
pub(crate) static OVERFITTING: Metric = metric!(
    "DCROverfittingProtection",
    "as ClosestRecordHoldoutShare, in SDMetrics' scale",
    "min(2 (1 - s), 1), with s the share of the synthetic rows that are strictly nearer to the reference than to the holdout; each \
     table measures in its own range, and both are taken whole. The ranges alone can move it far, so it has no verdict: \
     ClosestRecordHoldoutShare has.",
    Higher
);

pub(crate) fn measure(context: &Context<'_>, spaces: &[Option<Space>; 3]) -> Vec<(&'static Metric, Outcome)> {
    let [Some(real), Some(synthetic), holdout] = spaces else { return Vec::new() };
    let most = context.options.queries;
    let seed = context.seed.derive("queries");
    let index = Index::new(real);
    let rows = synthetic.sample(most, seed.derive("synthetic"));
    let found: Vec<Closest> = rows.iter().map(|&row| index.closest(synthetic.row(row), None)).collect();
    let baseline: Vec<Closest> = match holdout {
        Some(holdout) => holdout
            .sample(most, seed.derive("holdout"))
            .into_iter()
            .map(|row| index.closest(holdout.row(row), None))
            .collect(),
        None => real
            .sample(most, seed.derive("reference"))
            .into_iter()
            .map(|row| index.closest(real.row(row), Some(row)))
            .collect(),
    };
    let distance = |closest: &Closest| closest.first;
    let ratio = |closest: &Closest| if closest.second > 0.0 { closest.first / closest.second } else { 1.0 };
    let mut out = vec![
        (&DISTANCE, Ok(excess(context, &found, &baseline, distance))),
        (&RATIO, Ok(excess(context, &found, &baseline, ratio))),
    ];
    let Some(holdout) = holdout else { return out };
    let whole = Index::new(holdout);
    let strictly = found
        .iter()
        .zip(&rows)
        .filter(|(found, row)| found.first < whole.closest(synthetic.row(**row), None).first);
    let strictly = strictly.count() as f64 / rows.len() as f64;
    // Of tables of unequal size, the larger one is nearer to everything.
    let equal = real.rows.min(holdout.rows);
    let cut = |space: &Space, name: &str| Space {
        values: space
            .sample(equal, seed.derive(name))
            .into_iter()
            .flat_map(|row| space.row(row).to_vec())
            .collect(),
        width: space.width,
        rows: equal,
        all_rows: space.all_rows,
        // One measure for both.
        dimensions: real.dimensions.clone(),
    };
    let (left, right) = (cut(real, "left"), cut(holdout, "right"));
    let (left, right) = (Index::new(&left), Index::new(&right));
    let share = rows
        .iter()
        .map(|&row| {
            let point = synthetic.row(row);
            let (a, b) = (left.closest(point, None).first, right.closest(point, None).first);
            match a.total_cmp(&b) {
                std::cmp::Ordering::Less => 1.0,
                std::cmp::Ordering::Equal => 0.5,
                std::cmp::Ordering::Greater => 0.0,
            }
        })
        .sum::<f64>()
        / rows.len() as f64;
    let n = rows.len() as f64;
    let error = (0.25 * (1.0 / n + 2.0 / equal as f64)).sqrt();
    let reach = crate::reference::noise::two_sided(context.tolerance.alpha) * error;
    let count = |rows: usize| crate::text::grouped(rows as u64);
    let detail =
        format!("{} rows, beside {} of the reference and of the holdout", count(rows.len()), count(equal));
    out.push((
        &HOLDOUT_SHARE,
        Ok(Figure {
            value: share,
            expected: 0.5,
            threshold: (0.5 + reach + context.tolerance.margin).min(1.0),
            n: rows.len() as u64,
            basis: "the binomial law",
            detail,
        }),
    ));
    // The expectation for tables of these sizes: a larger one is nearer.
    let expected = real.rows as f64 / (real.rows + holdout.rows) as f64;
    out.push((
        &OVERFITTING,
        Ok(Figure {
            value: (2.0 * (1.0 - strictly)).min(1.0),
            expected: (2.0 * (1.0 - expected)).min(1.0),
            // Ranges of heavy tails differ by themselves, and with them the distances.
            threshold: f64::NAN,
            n: rows.len() as u64,
            basis: "the binomial law",
            detail: format!("a share of {} is nearer to the reference", short(strictly)),
        }),
    ));
    out
}

/// How much more of `found` than of `baseline` lies below some value, at most.
fn excess(
    context: &Context<'_>,
    found: &[Closest],
    baseline: &[Closest],
    of: impl Fn(&Closest) -> f64,
) -> Figure {
    let ascending = |items: &[Closest]| {
        let mut values: Vec<f64> = items.iter().map(&of).collect();
        values.sort_unstable_by(f64::total_cmp);
        values
    };
    let (found, baseline) = (ascending(found), ascending(baseline));
    let (n, m) = (found.len() as f64, baseline.len() as f64);
    let mut greatest = 0.0f64;
    for (i, &value) in found.iter().enumerate() {
        if found.get(i + 1) != Some(&value) {
            let below = baseline.partition_point(|&other| other <= value) as f64;
            greatest = greatest.max((i + 1) as f64 / n - below / m);
        }
    }
    let scale = (1.0 / n + 1.0 / m).sqrt();
    let bound = scale * (libm::log(1.0 / context.tolerance.alpha) / 2.0).sqrt();
    let median = |values: &[f64]| values[values.len() / 2];
    Figure {
        value: greatest,
        // The mean of Smirnov's one-sided law, √(π/8).
        expected: 0.626_657_068_657_750_1 * scale,
        threshold: (bound + context.tolerance.margin).min(1.0),
        n: (found.len() + baseline.len()) as u64,
        basis: "Smirnov's one-sided law",
        detail: format!("median {} against {}", short(median(&found)), short(median(&baseline))),
    }
}
