//! Do columns follow the laws that the ruleset declares? Every test draws from a fixed seed and would fail for a correct
//! program with probability 1e-6 over the choice of seed (two-sided tests at level 1e-6).

use lookalike_core::Rows;
use lookalike_core::law::{Law, Truncated};
use lookalike_core::laws;
use lookalike_core::testing::{chi_squared_p_value, ks_p_value, ks_statistic};
use lookalike_engine::testing::{column, plan};
use polars::prelude::{DataFrame, DataType};

const ALARM: f64 = 1e-6;
const ROWS: u64 = 20_000;

fn frame(yaml: &str) -> DataFrame {
    let plan = column(yaml, ROWS).unwrap_or_else(|d| panic!("{yaml}: {d:#?}"));
    plan.table("t").unwrap().frame(&Rows::Range(0..ROWS)).unwrap()
}

fn numbers(yaml: &str) -> Vec<f64> {
    let frame = frame(yaml);
    let column = frame.column("c").unwrap().cast(&DataType::Float64).unwrap();
    column.f64().unwrap().iter().flatten().collect()
}

/// Kolmogorov–Smirnov for continuous laws.
fn follows(values: Vec<f64>, law: &dyn Law, what: &str) {
    let n = values.len() as f64;
    let p = ks_p_value(ks_statistic(values, |x| law.cdf(x)), n);
    assert!(p > ALARM, "{what}: p = {p}");
}

/// Chi-squared over the values of a discrete law, rare ones put together.
fn counts_follow(values: &[f64], law: &dyn Law, what: &str) {
    let n = values.len() as f64;
    let (mut statistic, mut cells, mut below) = (0.0, 0usize, f64::NEG_INFINITY);
    let (mut expected, mut from) = (0.0, 0.0);
    let last = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let mut k = law.quantile(1e-12);
    while k <= last {
        expected += n * (law.cdf(k) - from);
        from = law.cdf(k);
        if expected >= 25.0 {
            let seen = values.iter().filter(|v| **v > below && **v <= k).count() as f64;
            statistic += (seen - expected).powi(2) / expected;
            cells += 1;
            (below, expected) = (k, 0.0);
        }
        k += 1.0;
    }
    let seen = values.iter().filter(|v| **v > below).count() as f64;
    let rest = n * (1.0 - law.cdf(below));
    if rest > 5.0 {
        statistic += (seen - rest).powi(2) / rest;
        cells += 1;
    }
    assert!(cells > 1, "{what}: too few cells");
    let p = chi_squared_p_value(statistic, (cells - 1) as f64);
    assert!(p > ALARM, "{what}: chi-squared {statistic} over {cells} cells, p = {p}");
}

#[test]
fn continuous_kinds_follow_their_laws() {
    let cases: Vec<(&str, Box<dyn Law>)> = vec![
        ("{uniform: [-2, 3]}", Box::new(laws::Uniform::new(-2.0, 3.0).unwrap())),
        ("{normal: {mean: 100, std_dev: 15}}", Box::new(laws::Normal::new(100.0, 15.0).unwrap())),
        (
            "{log_normal: {median: 80, p95: 1000}}",
            Box::new(laws::LogNormal::from_median_p95(80.0, 1000.0).unwrap()),
        ),
        ("{log_normal: {mu: 1, sigma: 0.5}}", Box::new(laws::LogNormal::new(1.0, 0.5).unwrap())),
        ("{exponential: {mean: 30}}", Box::new(laws::Exponential::new(30.0).unwrap())),
        ("{gamma: {shape: 0.5, scale: 10}}", Box::new(laws::Gamma::new(0.5, 10.0).unwrap())),
        ("{gamma: {shape: 7, scale: 2}}", Box::new(laws::Gamma::new(7.0, 2.0).unwrap())),
        ("{beta: {alpha: 2, beta: 5}}", Box::new(laws::Beta::new(2.0, 5.0).unwrap())),
        (
            "{beta: {alpha: 0.5, beta: 0.5, low: 10, high: 20}}",
            Box::new(laws::Beta::new(0.5, 0.5).unwrap().between(10.0, 20.0).unwrap()),
        ),
        ("{weibull: {shape: 1.5, scale: 1000}}", Box::new(laws::Weibull::new(1.5, 1000.0).unwrap())),
        ("{pareto: {scale: 1, shape: 2.5}}", Box::new(laws::Pareto::new(1.0, 2.5).unwrap())),
        (
            "{triangular: {low: 0, mode: 20, high: 100}}",
            Box::new(laws::Triangular::new(0.0, 20.0, 100.0).unwrap()),
        ),
        (
            "{histogram: {edges: [0, 10, 50, 100], weights: [5, 3, 1]}}",
            Box::new(laws::Histogram::new(vec![0.0, 10.0, 50.0, 100.0], &[5.0, 3.0, 1.0]).unwrap()),
        ),
    ];
    for (yaml, law) in &cases {
        follows(numbers(yaml), law, yaml);
    }
}

#[test]
fn truncated_kinds_follow_the_conditional_law() {
    let normal = Truncated::try_new(laws::Normal::new(0.0, 1.0).unwrap(), 1.0, 2.5).unwrap();
    follows(numbers("{normal: {mean: 0, std_dev: 1}, truncate: [1, 2.5]}"), &normal, "normal");
    let sizes =
        Truncated::try_new(laws::LogNormal::from_median_p95(80.0, 1000.0).unwrap(), 125.0, 16_384.0).unwrap();
    follows(numbers("{log_normal: {median: 80, p95: 1000}, truncate: [125, 16384]}"), &sizes, "log_normal");
    let gamma = Truncated::try_new(laws::Gamma::new(2.0, 10.0).unwrap(), 0.0, 15.0).unwrap();
    follows(numbers("{gamma: {shape: 2, scale: 10}, truncate: [0, 15]}"), &gamma, "gamma");
    let counts = Truncated::try_new(laws::Poisson::new(4.0).unwrap(), 1.0, 6.0).unwrap();
    counts_follow(&numbers("{poisson: {mean: 4}, truncate: [1, 6]}"), &counts, "poisson");
}

#[test]
fn discrete_kinds_follow_their_laws() {
    let cases: Vec<(&str, Box<dyn Law>)> = vec![
        ("{int_range: [-3, 9]}", Box::new(laws::IntRange::new(-3, 9).unwrap())),
        ("{poisson: {mean: 4}}", Box::new(laws::Poisson::new(4.0).unwrap())),
        ("{poisson: {mean: 400}}", Box::new(laws::Poisson::new(400.0).unwrap())),
        ("{binomial: {trials: 20, probability: 30%}}", Box::new(laws::Binomial::new(20, 0.3).unwrap())),
        ("{geometric: {probability: 25%}}", Box::new(laws::Geometric::new(0.25).unwrap())),
        ("{zipf: {ranks: 1000, exponent: 1.1}}", Box::new(laws::Zipf::new(1000, 1.1).unwrap())),
    ];
    for (yaml, law) in &cases {
        counts_follow(&numbers(yaml), law, yaml);
    }
}

/// How often each text occurs, against shares.
fn shares_follow(frame: &DataFrame, column: &str, shares: &[(&str, f64)], what: &str) {
    let texts = frame.column(column).unwrap().cast(&DataType::String).unwrap();
    let texts = texts.str().unwrap();
    let n = texts.len() as f64;
    let statistic: f64 = shares
        .iter()
        .map(|(value, share)| {
            let seen = texts.iter().filter(|text| *text == Some(*value)).count() as f64;
            (seen - n * share).powi(2) / (n * share)
        })
        .sum();
    assert_eq!(
        texts.iter().flatten().filter(|t| !shares.iter().any(|(v, _)| v == t)).count(),
        0,
        "{what}: a value not listed"
    );
    let p = chi_squared_p_value(statistic, (shares.len() - 1) as f64);
    assert!(p > ALARM, "{what}: p = {p}");
}

#[test]
fn choices_follow_their_weights() {
    let frame = frame("{choice: {gp2: 40%, gp3: 35%, io1: 20%, st1: 5%}}");
    shares_follow(&frame, "c", &[("gp2", 0.4), ("gp3", 0.35), ("io1", 0.2), ("st1", 0.05)], "percentages");
    let values: Vec<String> = (0..50).map(|i| format!("v{i}")).collect();
    let frame = self::frame(&format!("{{choice: [{}]}}", values.join(", ")));
    let even: Vec<(&str, f64)> = values.iter().map(|v| (v.as_str(), 0.02)).collect();
    shares_follow(&frame, "c", &even, "an even list");
    let weights: Vec<String> = (1..=50).map(|w| w.to_string()).collect();
    let frame = self::frame(&format!(
        "{{choice: {{values: [{}], weights: [{}]}}}}",
        values.join(", "),
        weights.join(", ")
    ));
    let rising: Vec<(&str, f64)> =
        values.iter().zip(1..).map(|(v, w)| (v.as_str(), f64::from(w) / 1275.0)).collect();
    shares_follow(&frame, "c", &rising, "a list of weights");
}

#[test]
fn nulls_and_truths_come_in_their_shares() {
    let nulls = frame("{constant: 1, null: 30%}").column("c").unwrap().null_count() as f64;
    let truths = frame("{bernoulli: 17%}").column("c").unwrap().bool().unwrap().sum().unwrap();
    for (seen, share, what) in [(nulls, 0.3, "nulls"), (f64::from(truths), 0.17, "truths")] {
        let n = ROWS as f64;
        let z = (seen - n * share) / (n * share * (1.0 - share)).sqrt();
        // |z| < 4.9 fails with probability 1e-6.
        assert!(z.abs() < 4.9, "{what}: {seen} of {n}");
    }
}

#[test]
fn cases_and_mixtures_follow_the_law_of_their_part() {
    let plan = plan(
        "{lookalike: 1, seed: 11, tables: {t: {rows: 20k, columns: {
            kind: {choice: {a: 50%, b: 30%, c: 20%}},
            size: {by: kind, cases: {a: {exponential: {mean: 5}}, b: {normal: {mean: 50, std_dev: 2}, truncate: [48, 53]}}, else: {uniform: [0, 1]}},
            mixed: {mixture: [{weight: 70%, of: {normal: {mean: 0, std_dev: 1}}}, {weight: 30%, of: {uniform: [4, 8]}}]}
        }}}}",
    )
    .unwrap_or_else(|d| panic!("{d:#?}"));
    let frame = plan.table("t").unwrap().frame(&Rows::Range(0..ROWS)).unwrap();
    shares_follow(&frame, "kind", &[("a", 0.5), ("b", 0.3), ("c", 0.2)], "kind");
    let kinds = frame.column("kind").unwrap().cast(&DataType::String).unwrap();
    let sizes = frame.column("size").unwrap().f64().unwrap();
    let laws: [(&str, Box<dyn Law>); 3] = [
        ("a", Box::new(laws::Exponential::new(5.0).unwrap())),
        ("b", Box::new(Truncated::try_new(laws::Normal::new(50.0, 2.0).unwrap(), 48.0, 53.0).unwrap())),
        ("c", Box::new(laws::Uniform::new(0.0, 1.0).unwrap())),
    ];
    for (kind, law) in &laws {
        let rows = kinds.str().unwrap().iter().zip(sizes.iter());
        let values: Vec<f64> = rows.filter(|(k, _)| *k == Some(kind)).filter_map(|(_, v)| v).collect();
        follows(values, law, kind);
    }
    let parts: Vec<std::sync::Arc<dyn Law>> = vec![
        std::sync::Arc::new(laws::Normal::new(0.0, 1.0).unwrap()),
        std::sync::Arc::new(laws::Uniform::new(4.0, 8.0).unwrap()),
    ];
    let mixture = laws::Mixture::new(&[0.7, 0.3], parts).unwrap();
    let mixed: Vec<f64> = frame.column("mixed").unwrap().f64().unwrap().iter().flatten().collect();
    follows(mixed, &mixture, "mixture");
}

#[test]
fn columns_of_the_same_kind_are_independent() {
    let plan = plan(
        "{lookalike: 1, tables: {t: {rows: 20k, columns: {a: {uniform: [0, 1]}, b: {uniform: [0, 1]}}}}}",
    )
    .unwrap();
    let frame = plan.table("t").unwrap().frame(&Rows::Range(0..ROWS)).unwrap();
    let (a, b) = (frame.column("a").unwrap().f64().unwrap(), frame.column("b").unwrap().f64().unwrap());
    // Counts over a 10 × 10 grid against an even spread.
    let mut cells = [0f64; 100];
    for (x, y) in a.iter().flatten().zip(b.iter().flatten()) {
        cells[(x * 10.0) as usize * 10 + (y * 10.0) as usize] += 1.0;
    }
    let statistic: f64 = cells.iter().map(|seen| (seen - 200.0).powi(2) / 200.0).sum();
    let p = chi_squared_p_value(statistic, 99.0);
    assert!(p > ALARM, "p = {p}");
}
