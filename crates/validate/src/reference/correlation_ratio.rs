//! `CorrelationRatioDifference`: do categories tell as much about a number?

use std::collections::BTreeMap;

use lookalike_core::special::gamma_p_inverse;

use crate::model::{Attribute, Direction, Metric, Question};

use super::pairs::{Lane, PairMetric, PairOutcome};
use super::{Figure, Outcome, Tolerance, noise, short};

pub(crate) static METRIC: Metric = Metric {
    name: "CorrelationRatioDifference",
    summary: "do categories tell as much about a number as in the reference?",
    definition: "the absolute difference of η, the square root of the share of a number's variance that lies between the means of the \
                 categories (K. Pearson 1905), over rows in which neither is null. Noise: the normal limit of η² with the kurtosis \
                 of the number, and for independent columns the chi-squared law.",
    direction: Direction::Lower,
    question: Question::Reference,
    attribute: Attribute::Statistics,
};

pub(crate) const PAIR: PairMetric =
    PairMetric { metric: &METRIC, applies: |a, b| a.is_discrete() != b.is_discrete(), measure, strong: None };

fn measure(a: &Lane, b: &Lane, tolerance: Tolerance) -> PairOutcome {
    let (category, number) = if a.role.is_discrete() { (a, b) } else { (b, a) };
    PairOutcome { outcome: figure(category, number, tolerance), strength: [None, None] }
}

fn figure(category: &Lane, number: &Lane, tolerance: Tolerance) -> Outcome {
    let of =
        |side: usize, what: &str| ratio(category, number, side).map_err(|why| format!("in {what} {why}"));
    let (real, synthetic) = (of(0, "the reference")?, of(1, "the synthetic table")?);
    let kurtosis = ((real.kurtosis + synthetic.kurtosis) / 2.0 / 3.0).max(1.0).sqrt();
    let eta2 = real.eta2;
    let error =
        (4.0 * eta2 * (1.0 - eta2) * (1.0 - eta2) * noise::spread(real.n, synthetic.n)).sqrt() * kurtosis;
    let free = real.groups.max(synthetic.groups) - 1.0;
    let least = real.n.min(synthetic.n);
    let chance = match free > 0.0 {
        true => {
            (1.0 - eta2) * 2.0 * gamma_p_inverse(free / 2.0, 1.0 - tolerance.alpha / 2.0) / least * kurtosis
        }
        false => 0.0,
    };
    // A distance of squares as one of roots, whichever side it goes to.
    let root = |reach: f64| {
        let eta = eta2.sqrt();
        ((eta2 + reach).min(1.0).sqrt() - eta).max(eta - (eta2 - reach).max(0.0).sqrt())
    };
    let fold = (2.0 / std::f64::consts::PI).sqrt();
    Ok(Figure {
        value: (eta2.sqrt() - synthetic.eta2.sqrt()).abs(),
        expected: root(fold * error + (1.0 - eta2) * (2.0 * free).sqrt() / least),
        threshold: root(noise::two_sided(tolerance.alpha) * error + chance) + tolerance.margin,
        n: (real.n + synthetic.n) as u64,
        basis: "the normal limit",
        detail: format!("η {} against {}", short(synthetic.eta2.sqrt()), short(eta2.sqrt())),
    })
}

struct Ratio {
    eta2: f64,
    kurtosis: f64,
    groups: f64,
    n: f64,
}

fn ratio(category: &Lane, number: &Lane, side: usize) -> Result<Ratio, String> {
    let null = category.null();
    let pairs: Vec<(u32, f64)> = category.codes[side]
        .iter()
        .zip(&number.numbers[side])
        .filter(|(code, value)| **code != null && !value.is_nan())
        .map(|(&code, &value)| (code, value))
        .collect();
    let n = pairs.len() as f64;
    let mut groups: BTreeMap<u32, (f64, f64)> = BTreeMap::new();
    let Some(&(_, origin)) = pairs.first() else { return Err("no row has both values".to_owned()) };
    for &(code, value) in &pairs {
        let group = groups.entry(code).or_default();
        group.0 += 1.0;
        group.1 += value - origin;
    }
    if groups.len() as f64 * 5.0 > n {
        return Err(format!(
            "there are {n} rows for {} categories, and it takes 5 rows for each",
            groups.len()
        ));
    }
    let mean = groups.values().map(|group| group.1).sum::<f64>() / n;
    let between: f64 =
        groups.values().map(|(count, sum)| count * (sum / count - mean) * (sum / count - mean)).sum();
    let (mut second, mut fourth) = (0.0, 0.0);
    for (_, value) in &pairs {
        let d = value - origin - mean;
        second += d * d;
        fourth += d * d * d * d;
    }
    if second == 0.0 {
        return Err("the number is constant".to_owned());
    }
    Ok(Ratio {
        eta2: (between / second).clamp(0.0, 1.0),
        kurtosis: fourth * n / (second * second),
        groups: groups.len() as f64,
        n,
    })
}
