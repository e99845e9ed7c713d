//! Mechanism by mechanism: draws against their exact probabilities, and an audit with a planted mistake for each that
//! `audits.rs` has none for.
//!
//! Tests of distributions raise a false alarm with a probability below 1e-6, pair audits with one of at most 1e-4.

use std::collections::HashMap;

use super::audits::{ALPHA, RUNS, breaks_epsilon, breaks_mu, lower};
use crate::mechanisms::{choice, laplace, quantile, randomised_response, threshold};
use crate::{Cost, Local, Unit};

/// Pearson's statistic of counts for probabilities.
fn pearson(counts: &[f64], shares: &[f64]) -> f64 {
    let (runs, total): (f64, f64) = (counts.iter().sum(), shares.iter().sum());
    let expected = |share: &f64| runs * share / total;
    counts.iter().zip(shares).map(|(n, share)| (n - expected(share)).powi(2) / expected(share)).sum()
}

/// How often a draw is one of the numbers that count.
fn often(runs: usize, draw: impl Fn() -> bool) -> u64 {
    (0..runs).filter(|_| draw()).count() as u64
}

fn laplace_of(value: i64, scale: f64) -> Vec<i64> {
    laplace::measurement(scale).unwrap().invoke(&vec![value; RUNS]).unwrap()
}

/// -6 to 6 and the two tails: 14 degrees of freedom.
#[test]
fn laplace_noise_has_its_distribution() {
    let scale = 2.5f64;
    let q = (-1.0 / scale).exp();
    let share = |z: i64| (1.0 - q) / (1.0 + q) * q.powi(z.unsigned_abs() as i32);
    let tail = q.powi(7) / (1.0 + q);
    let shares: Vec<f64> = std::iter::once(tail).chain((-6..=6).map(share)).chain([tail]).collect();
    let mut counts = [0f64; 15];
    laplace_of(0, scale).into_iter().for_each(|z| counts[(z + 7).clamp(0, 14) as usize] += 1.0);
    assert!(pearson(&counts, &shares) < 54.8, "{counts:?}");
    let variance: f64 = (-400..=400).map(|z: i64| share(z) * (z * z) as f64).sum();
    assert!((laplace::std_dev(scale) / variance.sqrt() - 1.0).abs() < 1e-9);
}

#[test]
fn half_of_laplace_noise_is_caught() {
    let caught = |scale: f64| {
        let above = |value| laplace_of(value, scale).into_iter().filter(|noisy| *noisy >= 1).count() as u64;
        breaks_epsilon(RUNS as u64, above(1), above(0), laplace::epsilon(1.0, 1.0).unwrap())
    };
    assert!(!caught(1.0));
    assert!(caught(0.5), "mutant: half the noise");
}

/// Three candidates, chosen in proportion to exp(epsilon score / 2): 2 degrees of freedom.
#[test]
fn choices_have_their_distribution() {
    let (epsilon, step) = (1.5f64, 1i64 << 20);
    let measurement = choice::measurement(epsilon).unwrap();
    let mut counts = [0f64; 3];
    (0..RUNS / 2).for_each(|_| counts[measurement.invoke(&vec![0, step, 2 * step]).unwrap()] += 1.0);
    let shares = [0.0, 1.0, 2.0].map(|score: f64| (epsilon * score / 2.0).exp());
    assert!(pearson(&counts, &shares) < 27.7, "{counts:?}");
}

/// Two candidates and values between them, so that both are as good; then the unit's, all above. Its coming raises the distance
/// of one candidate by half a rank a row and lowers that of the other.
#[test]
fn half_the_noise_of_a_quantile_is_caught() {
    let (rows, epsilon) = (3u32, 2.0f64);
    let runs = RUNS / 4;
    let declared = quantile::scale(0.5, epsilon * epsilon / 8.0, rows).unwrap();
    let low = |scale: f64, values: &[i64]| {
        let measurement = quantile::measurement(&[0, 10], 0.5, scale).unwrap();
        often(runs, || measurement.invoke(&values.to_vec()).unwrap() == 0)
    };
    let (without, with) = ([5; 3], [5, 5, 5, 20, 20, 20]);
    let caught = |scale: f64| breaks_epsilon(runs as u64, low(scale, &without), low(scale, &with), epsilon);
    assert!(!caught(declared));
    assert!(caught(declared / 2.0), "mutant: half the noise");
    // By the exponential mechanism the lower one is chosen with a probability of 1 / (1 + e^2): 1 degree of freedom.
    let chosen = low(declared, &with) as f64;
    let share = 1.0 / (1.0 + epsilon.exp());
    assert!(pearson(&[chosen, runs as f64 - chosen], &[share, 1.0 - share]) < 24.0, "{chosen}");
}

/// How often a key with so many rows is told.
fn told(sigma: f64, at: i64, rows: i64) -> u64 {
    let measurement = threshold::measurement(sigma, at).unwrap();
    // Many keys at once are as many draws.
    let keys: HashMap<String, i64> = (0..RUNS).map(|key| (key.to_string(), rows)).collect();
    measurement.invoke(&keys).unwrap().len() as u64
}

#[test]
fn a_key_that_one_unit_has_is_told_no_more_often_than_delta() {
    let delta = 0.01;
    let unit = Unit::column("client", 3).unwrap().by_group(Some(1), None).unwrap();
    let caught = |bounds: &Unit| {
        let (sigma, at) = threshold::calibrate(bounds, Cost { rho: 0.02, delta }).unwrap();
        lower(RUNS as u64, told(sigma, at, i64::from(unit.r())), ALPHA) > delta
    };
    assert!(!caught(&unit));
    assert!(caught(&Unit::row()), "mutant: rows of a unit are not bounded");
}

#[test]
fn half_the_noise_of_a_threshold_is_caught() {
    let unit = Unit::column("client", 3).unwrap().by_group(Some(1), None).unwrap();
    let share = Cost { rho: 0.125, delta: 1e-6 };
    let (declared, at) = threshold::calibrate(&unit, share).unwrap();
    let counts = |sigma: f64, rows: i64| -> Vec<i64> {
        let keys: HashMap<String, i64> = (0..RUNS).map(|key| (key.to_string(), rows)).collect();
        threshold::measurement(sigma, at).unwrap().invoke(&keys).unwrap().into_values().collect()
    };
    // Far above the threshold, all keys are told.
    let caught = |sigma: f64| {
        let [without, with] = [10_000, 10_003].map(|rows| counts(sigma, rows));
        assert_eq!((without.len(), with.len()), (RUNS, RUNS));
        breaks_mu(&without, &with, (2.0 * share.rho).sqrt())
    };
    assert!(!caught(declared));
    assert!(caught(declared / 2.0), "mutant: half the noise");
}

#[test]
fn half_the_noise_of_an_answer_is_caught() {
    let (categories, epsilon, runs) = (4usize, 1.0, RUNS / 4);
    let caught = |truth: f64| {
        let measurement = randomised_response::measurement(categories, truth).unwrap();
        let first = |value: i64| often(runs, || measurement.invoke(&value).unwrap() == 0);
        breaks_epsilon(runs as u64, first(0), first(1), epsilon)
    };
    assert!(!caught(randomised_response::truth(categories, epsilon).unwrap()));
    assert!(caught(randomised_response::truth(categories, 2.0 * epsilon).unwrap()), "mutant: half the noise");
}

/// A record at one bound against one at the other, with values beyond them: where these are let through, bounds three times as
/// wide would be what noise of that size is for.
#[test]
fn records_keep_their_promise_and_forgotten_bounds_do_not() {
    let epsilon = 1.0;
    let (low, high) = (0i64, 20);
    let real = Local::Laplace { low, high, epsilon };
    let mutant = Local::Laplace { low: -high, high: 2 * high, epsilon: 3.0 * epsilon };
    let above = |local: &Local, value| {
        local.protect(&vec![value; RUNS]).unwrap().into_iter().filter(|noisy| *noisy >= high).count() as u64
    };
    let caught =
        |local: &Local| breaks_epsilon(RUNS as u64, above(local, 2 * high), above(local, -high), epsilon);
    assert!(!caught(&real));
    assert!(caught(&mutant), "mutant: values beyond the bounds are not moved to them");

    let rho = 0.125;
    let real = Local::Gaussian { low, high, rho };
    let caught = |local: &Local, mu: f64| {
        breaks_mu(&local.protect(&[low; RUNS]).unwrap(), &local.protect(&[high; RUNS]).unwrap(), mu)
    };
    assert!(!caught(&real, (2.0f64 * rho).sqrt()));
    let half = Local::Gaussian { low, high, rho: 4.0 * rho };
    assert!(caught(&half, (2.0f64 * rho).sqrt()), "mutant: half the noise");
}
