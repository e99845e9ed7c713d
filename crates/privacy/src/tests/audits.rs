//! Audits: what the mechanisms give away, measured on pairs of neighbouring tables. Each audit is run on the real thing,
//! which has to pass, and on a mutant with a planted mistake, which has to be caught.
//!
//! A pair audit raises a false alarm with probability of at most 1e-4 (5e-5 for each of two Clopper-Pearson bounds). The audits
//! of shape and of fresh noise raise none: what they compare is equal for certain, or with probability below 1e-30.

use super::{opening, session};
use crate::mechanisms::{choice, gaussian};
use crate::release::tests::{plan_of, table};
use crate::release::{self, Columns, Plan, Released};
use crate::{Budget, Session, Unit};

/// Error rate of each bound.
pub(crate) const ALPHA: f64 = 5e-5;
pub(crate) const RUNS: usize = 8000;

/// ln of n choose k.
fn ln_choose(n: u64, k: u64) -> f64 {
    let ln_factorial = |n: u64| libm::lgamma(n as f64 + 1.0);
    ln_factorial(n) - ln_factorial(k) - ln_factorial(n - k)
}

/// P(Bin(n, p) >= k).
fn at_least(n: u64, p: f64, k: u64) -> f64 {
    (k..=n).map(|i| (ln_choose(n, i) + i as f64 * p.ln() + (n - i) as f64 * (-p).ln_1p()).exp()).sum()
}

/// The Clopper-Pearson lower bound of a probability of which k in n were seen.
pub(crate) fn lower(n: u64, k: u64, alpha: f64) -> f64 {
    if k == 0 {
        return 0.0;
    }
    let (mut low, mut high) = (0.0, 1.0);
    for _ in 0..50 {
        let middle = (low + high) / 2.0;
        if at_least(n, middle, k) < alpha { low = middle } else { high = middle }
    }
    low
}

/// And the upper bound.
pub(crate) fn upper(n: u64, k: u64, alpha: f64) -> f64 {
    1.0 - lower(n, n - k, alpha)
}

/// Phi^-1, by bisection.
fn normal_quantile(p: f64) -> f64 {
    let (mut low, mut high) = (-40.0, 40.0);
    for _ in 0..200 {
        let middle: f64 = (low + high) / 2.0;
        if 0.5 * libm::erfc(-middle / std::f64::consts::SQRT_2) < p { low = middle } else { high = middle }
    }
    low
}

/// Whether outputs on a pair of neighbours show that mu-Gaussian-DP does not hold: the threshold is fixed on the first half,
/// mu is bounded from below on the second.
pub(crate) fn breaks_mu(without: &[i64], with: &[i64], mu: f64) -> bool {
    let half = without.len() / 2;
    let mean = |values: &[i64]| values.iter().sum::<i64>() as f64 / values.len() as f64;
    let threshold = (mean(&without[..half]) + mean(&with[..half])) / 2.0;
    let above =
        |values: &[i64]| values[half..].iter().filter(|&&value| value as f64 > threshold).count() as u64;
    let n = (without.len() - half) as u64;
    let false_positives = upper(n, above(without), ALPHA);
    let false_negatives = upper(n, n - above(with), ALPHA);
    normal_quantile(1.0 - false_positives) - normal_quantile(false_negatives) > mu
}

/// So many copies of one noisy count.
fn noisy(count: usize, sigma: f64) -> Vec<i64> {
    gaussian::measurement(sigma).unwrap().invoke(&vec![count as i64; RUNS]).unwrap()
}

#[test]
fn half_the_noise_is_caught() {
    let (k, sigma) = (3usize, 6.0);
    let mu = k as f64 / sigma;
    assert!(!breaks_mu(&noisy(100, sigma), &noisy(100 + k, sigma), mu));
    assert!(breaks_mu(&noisy(100, sigma / 2.0), &noisy(100 + k, sigma / 2.0), mu), "mutant: half the noise");
}

#[test]
fn a_forgotten_bound_on_rows_is_caught() {
    let unit = Unit::column("client", 3).unwrap();
    let sigma = 6.0;
    let mu = f64::from(unit.k()) / sigma;
    let others: Vec<u64> = (0..100).collect();
    let with: Vec<u64> = others.iter().copied().chain([777; 12]).collect();
    let count = |units: &[u64]| unit.truncate(units).unwrap().len();
    assert!(!breaks_mu(&noisy(count(&others), sigma), &noisy(count(&with), sigma), mu));
    assert!(breaks_mu(&noisy(others.len(), sigma), &noisy(with.len(), sigma), mu), "mutant: no truncation");
}

/// Whether an event that was seen `before` times in n on one table and `after` times on its neighbour shows that pure epsilon
/// does not hold.
pub(crate) fn breaks_epsilon(n: u64, before: u64, after: u64, epsilon: f64) -> bool {
    lower(n, before, ALPHA) > epsilon.exp() * upper(n, after, ALPHA)
}

#[test]
fn a_monotonic_flag_is_caught() {
    // Two candidates; a unit raises the score of one by the sensitivity and lowers that of the other.
    let step = 1i64 << 20;
    let runs = RUNS as u64 / 4;
    let caught = |scale_for: f64| {
        let measurement = choice::measurement(scale_for).unwrap();
        let second = |scores: [i64; 2]| {
            let scores = scores.to_vec();
            (0..runs).filter(|_| measurement.invoke(&scores).unwrap() == 1).count() as u64
        };
        breaks_epsilon(runs, second([0, 0]), second([step, -step]), 2.0)
    };
    assert!(!caught(2.0));
    // With the flag, OpenDP would call noise of half the scale as private as the noise without it: epsilon 4 for 2.
    assert!(caught(4.0), "mutant: monotonic on scores that are not");
}

/// Discrete Gaussian noise against its exact probabilities, exp(-z² / (2 sigma²)) over their sum: Pearson's statistic over
/// -6..=6 and the two tails, 14 degrees of freedom; 55.9 has a false-alarm rate below 1e-6.
#[test]
fn gaussian_noise_has_its_distribution() {
    let sigma = 2.5f64;
    let weight = |z: i64| (-((z * z) as f64) / (2.0 * sigma * sigma)).exp();
    let total: f64 = (-60..=60).map(weight).sum();
    let mut counts = [0f64; 15];
    for z in noisy(0, sigma) {
        counts[(z + 7).clamp(0, 14) as usize] += 1.0;
    }
    let expected = |cell: i64| -> f64 {
        let share: f64 = match cell {
            0 => (-60..=-7).map(weight).sum(),
            14 => (7..=60).map(weight).sum(),
            _ => weight(cell - 7),
        };
        share / total * RUNS as f64
    };
    let statistic: f64 =
        (0..15).map(|cell| (counts[cell as usize] - expected(cell)).powi(2) / expected(cell)).sum();
    assert!(statistic < 55.9, "{statistic} {counts:?}");
}

/// All that leaves a release but for the figures themselves.
fn shape(released: &[Released], plan: &Plan) -> String {
    let mut text = format!("{:?} {:?}", plan.public(), plan.not_counted());
    for released in released {
        let keys: Vec<&Vec<String>> = released.figures.iter().map(|figure| &figure.keys).collect();
        text.push_str(&format!(
            "{} {} {:?} {} {keys:?} {:?}\n",
            released.name, released.title, released.keys, released.figure, released.notes
        ));
    }
    text
}

const RULES: &str = "
lookalike: 1
unit: {column: client, max_rows: 3}
columns:
  region: {values: [north, south]}
  size: {min: 0, max: 100}
releases:
  count: {statistic: count, by: [region]}
  sizes: {statistic: histogram, of: size, by: [region], bins: [0, 10, 100]}
  total: {statistic: sum, of: size, by: [region]}
  middle: {statistic: quantiles, of: size, at: [50%]}
";

fn run(plan: &Plan, columns: &Columns, seed: Option<u64>) -> Vec<Released> {
    let folder = tempfile::tempdir().unwrap();
    let session = session(folder.path(), plan.unit.clone(), 4.0).unwrap();
    let mut session = match seed {
        Some(seed) => session.not_private(seed),
        None => session,
    };
    release::run(plan, &mut session, columns).unwrap()
}

/// A table, and its neighbour with one client more, who alone has a region that nobody listed, a null, and a size beyond the
/// bounds.
fn neighbours() -> [Columns; 2] {
    let rows: Vec<[&str; 3]> = (0..60)
        .map(|i| [["a", "b", "c", "d"][i % 4], ["north", "south"][i % 2], ["5", "50"][i % 2]])
        .collect();
    let more = [["e", "atlantis", "1e300"], ["e", "", "nan"], ["e", "north", "7"]];
    let with: Vec<[&str; 3]> = rows.iter().copied().chain(more).collect();
    [table(&["client", "region", "size"], &rows), table(&["client", "region", "size"], &with)]
}

#[test]
fn a_leaked_number_of_rows_is_caught() {
    let plan = plan_of(RULES, Budget::new(4.0, 1e-6).unwrap()).unwrap();
    let tables = neighbours();
    let [without, with] = [&tables[0], &tables[1]].map(|table| run(&plan, table, Some(1)));
    assert_eq!(shape(&without, &plan), shape(&with, &plan));
    let leaky = |mut released: Vec<Released>, rows: usize| {
        released[0].notes.push(format!("of {rows} rows"));
        shape(&released, &plan)
    };
    assert_ne!(leaky(without, 60), leaky(with, 63), "mutant: the true number of rows in a note");
}

#[test]
fn categories_read_off_the_rows_are_caught() {
    let tables = neighbours();
    let shapes = |values: [&str; 2]| {
        let plans = values.map(|values| {
            let rules = RULES.replace("[north, south]", values);
            plan_of(&rules, Budget::new(4.0, 1e-6).unwrap()).unwrap()
        });
        [0, 1].map(|at| {
            let released = run(&plans[at], &tables[at], Some(1));
            released.iter().map(|r| r.figures.len()).collect::<Vec<_>>()
        })
    };
    let [without, with] = shapes(["[north, south]", "[north, south]"]);
    assert_eq!(without, with);
    let [without, with] = shapes(["[north, south]", "[north, south, atlantis]"]);
    assert_ne!(without, with, "mutant: the values that occur, as the public ones");
}

#[test]
fn noise_from_a_seed_is_caught() {
    let plan = plan_of(RULES, Budget::new(4.0, 1e-6).unwrap()).unwrap();
    let [table, _] = neighbours();
    let values = |seed: Option<u64>| -> Vec<Option<f64>> {
        run(&plan, &table, seed).iter().flat_map(|r| r.figures.iter().map(|figure| figure.value)).collect()
    };
    assert_ne!(values(None), values(None));
    assert_eq!(values(Some(7)), values(Some(7)), "mutant: noise from the ruleset's seed");
}

#[test]
fn keys_that_few_have_are_not_told() {
    let rules = RULES.replace("{values: [north, south]}", "{values: discover}");
    let rules = format!(
        "{}releases:\n  keys: {{statistic: count, by: [region]}}\n",
        rules.split("releases:").next().unwrap()
    );
    let budget = Budget::new(4.0, 1e-6).unwrap().with_thresholds(5e-7).unwrap();
    let plan = plan_of(&rules, budget).unwrap();
    let rows: Vec<[String; 3]> = (0..600)
        .map(|i| [format!("c{i}"), if i == 0 { "secret".into() } else { "common".into() }, "5".into()])
        .collect();
    let rows: Vec<[&str; 3]> =
        rows.iter().map(|row| [row[0].as_str(), row[1].as_str(), row[2].as_str()]).collect();
    let folder = tempfile::tempdir().unwrap();
    let mut session = Session::open(opening(folder.path(), plan.unit.clone(), budget)).unwrap();
    let released = release::run(&plan, &mut session, &table(&["client", "region", "size"], &rows)).unwrap();
    let keys: Vec<&str> = released[0].figures.iter().map(|figure| figure.keys[0].as_str()).collect();
    assert_eq!(keys, ["common"]);
    assert!(session.spent().delta > 0.0 && session.spent().delta <= 5e-7);
}
