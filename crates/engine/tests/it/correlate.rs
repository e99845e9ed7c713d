//! Correlated columns: as wanted, of the same laws as without, and each cell a pure function of its row.
//!
//! Seeds are fixed. A correct program would fail each comparison with probability 6e-7 over the choice of seed, that is beyond
//! 5 standard errors, unless a test says otherwise.

use lookalike_core::law::Law;
use lookalike_core::testing::{ks_p_value, ks_statistic};
use lookalike_core::{Rows, laws};
use lookalike_engine::testing::plan;
use polars::prelude::{BooleanChunked, DataFrame, DataType};

const ROWS: u64 = 100_000;

/// What the engine promises of its own arithmetic; see `lookalike_core::copula`.
const ACCURACY: f64 = 2e-4;

fn ruleset(rows: u64, columns: &str, correlate: &str) -> String {
    format!(
        "{{lookalike: 1, seed: 3, tables: {{t: {{rows: {rows}, columns: {{{columns}}}, correlate: [{correlate}]}}}}}}"
    )
}

fn frame(text: &str, rows: Rows) -> DataFrame {
    let plan = plan(text).unwrap_or_else(|d| panic!("{text}: {d:#?}"));
    plan.table("t").unwrap().frame(&rows).unwrap()
}

/// The values of a column, those of a choice by their place in the list.
fn numbers(frame: &DataFrame, name: &str) -> Vec<f64> {
    let series = frame.column(name).unwrap().as_materialized_series().clone();
    let series = match series.dtype() {
        DataType::Decimal(..) => series,
        _ => series.to_physical_repr().into_owned(),
    };
    series.cast(&DataType::Float64).unwrap().f64().unwrap().iter().map(Option::unwrap).collect()
}

fn pearson(x: &[f64], y: &[f64]) -> f64 {
    let n = x.len() as f64;
    let (mx, my) = (x.iter().sum::<f64>() / n, y.iter().sum::<f64>() / n);
    let product = |a: &[f64], ma: f64, b: &[f64], mb: f64| {
        a.iter().zip(b).map(|(a, b)| (a - ma) * (b - mb)).sum::<f64>()
    };
    product(x, mx, y, my) / (product(x, mx, x, mx) * product(y, my, y, my)).sqrt()
}

/// Middle ranks.
fn ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|a, b| values[*a].total_cmp(&values[*b]));
    let mut ranks = vec![0.0; values.len()];
    let mut below = 0;
    for run in order.chunk_by(|a, b| values[*a] == values[*b]) {
        let middle = below as f64 + (run.len() as f64 - 1.0) / 2.0;
        run.iter().for_each(|at| ranks[*at] = middle);
        below += run.len();
    }
    ranks
}

fn spearman(frame: &DataFrame, left: &str, right: &str) -> f64 {
    pearson(&ranks(&numbers(frame, left)), &ranks(&numbers(frame, right)))
}

/// Whether the rank correlation of two columns is as wanted. On the scale of artanh r the variance is
/// (1 + r² / 2) / (n − 3) (D. G. Bonett and T. A. Wright, 2000); a difference there is 1 / (1 − r²) times that of r.
fn has_spearman(frame: &DataFrame, left: &str, right: &str, wanted: f64) {
    let got = spearman(frame, left, right);
    let n = frame.height() as f64;
    let error = (1.0 - wanted * wanted) * ((1.0 + wanted * wanted / 2.0) / (n - 3.0)).sqrt();
    assert!(
        (got - wanted).abs() < 5.0 * error + ACCURACY,
        "{left}, {right}: {got}, wanted {wanted} with standard error {error}"
    );
}

const MIXED: &str = "income: {log_normal: {median: 40, p95: 120}}, age: {int_range: [18, 90]}, \
                     tier: {choice: {basic: 60%, plus: 30%, gold: 10%}}, visits: {poisson: {mean: 1.5}}";

#[test]
fn rank_correlations_are_as_wanted_whatever_the_laws() {
    let wanted = [
        ("income", "age", 0.8),
        ("income", "tier", -0.5),
        ("age", "tier", -0.3),
        ("income", "visits", 0.4),
        ("age", "visits", 0.0),
        ("tier", "visits", -0.6),
    ];
    let pairs: Vec<String> =
        wanted.iter().map(|(left, right, r)| format!("[{left}, {right}, {r}]")).collect();
    let text = ruleset(ROWS, MIXED, &format!("{{spearman: [{}]}}", pairs.join(", ")));
    let frame = frame(&text, Rows::Range(0..ROWS));
    for (left, right, r) in wanted {
        has_spearman(&frame, left, right, r);
    }
    // The laws are what they are without the group. False-alarm rate 1e-6 each.
    let income = laws::LogNormal::from_median_p95(40.0, 120.0).unwrap();
    let age = laws::IntRange::new(18, 90).unwrap();
    let visits = laws::Poisson::new(1.5).unwrap();
    let tier = |x: f64| if x < 0.0 { 0.0 } else { [0.6, 0.9, 1.0][x.min(2.0) as usize] };
    let follows = |name: &str, cdf: &dyn Fn(f64) -> f64| {
        let p = ks_p_value(ks_statistic(numbers(&frame, name), cdf), ROWS as f64);
        assert!(p > 1e-6, "{name}: p = {p}");
    };
    follows("income", &|x| income.cdf(x));
    follows("age", &|x| age.cdf(x));
    follows("visits", &|x| visits.cdf(x));
    follows("tier", &tier);
}

#[test]
fn a_matrix_says_the_same_as_pairs() {
    let pairs = "{spearman: [[income, age, 0.8], [income, tier, -0.5], [age, tier, -0.3]]}";
    let matrix =
        "{columns: [income, age, tier], spearman: [[1, 0.8, -0.5], [0.8, 1, -0.3], [-0.5, -0.3, 1]]}";
    let make = |correlate| frame(&ruleset(500, MIXED, correlate), Rows::Range(0..500));
    assert!(make(pairs).equals_missing(&make(matrix)));
}

#[test]
fn dates_and_times_are_correlated_and_cases_too() {
    let columns = "day: {date_range: [2020-01-01, 2025-12-31]}, at: {datetime_range: [2025-01-01, 2025-01-02]}, \
                   long: {duration_range: [1s, 1min]}, kind: {choice: [a, b]}, \
                   size: {by: kind, cases: {a: {normal: {mean: 0, std_dev: 1}}, b: {int_range: [1, 3]}}}";
    let correlate = "{spearman: [[day, at, 0.7], [day, long, -0.6], [size, day, 0.3]]}";
    let frame = frame(&ruleset(ROWS, columns, correlate), Rows::Range(0..ROWS));
    has_spearman(&frame, "day", "at", 0.7);
    has_spearman(&frame, "day", "long", -0.6);
    has_spearman(&frame, "at", "long", 0.0);
    // Whole columns of cases have no correlation that could be held exactly; within a case it is as wanted.
    let kind = frame.column("kind").unwrap().cast(&DataType::String).unwrap();
    let is_a: BooleanChunked = kind.str().unwrap().iter().map(|kind| kind == Some("a")).collect();
    has_spearman(&frame.filter(&is_a).unwrap(), "size", "day", 0.3);
}

/// The error is estimated from 50 batches of 2,000 rows, so a false alarm has the probability 8e-6 of Student's t with 49
/// degrees of freedom.
#[test]
fn pearson_correlations_are_of_the_values() {
    let columns = "a: {log_normal: {mu: 0, sigma: 0.8}}, b: {log_normal: {mu: 3, sigma: 0.5}}, \
                   c: {normal: {mean: 5, std_dev: 2}, clamp: [4, 6]}, d: {poisson: {mean: 0.7}}";
    let wanted = [("a", "b", 0.6), ("a", "c", -0.5), ("b", "c", 0.1), ("c", "d", 0.3), ("a", "d", -0.2)];
    let pairs: Vec<String> =
        wanted.iter().map(|(left, right, r)| format!("[{left}, {right}, {r}]")).collect();
    let text = ruleset(ROWS, columns, &format!("{{pearson: [{}]}}", pairs.join(", ")));
    let frame = frame(&text, Rows::Range(0..ROWS));
    for (left, right, r) in wanted {
        let (x, y) = (numbers(&frame, left), numbers(&frame, right));
        let batches: Vec<f64> = x.chunks(2000).zip(y.chunks(2000)).map(|(x, y)| pearson(x, y)).collect();
        let n = batches.len() as f64;
        let mean = batches.iter().sum::<f64>() / n;
        let error = (batches.iter().map(|b| (b - mean).powi(2)).sum::<f64>() / (n - 1.0) / n).sqrt();
        // The correlation of a batch is too near to 0 by about r / 2n.
        assert!(
            (mean - r).abs() < 5.0 * error + ACCURACY + r.abs() / 4000.0,
            "{left}, {right}: {mean}, wanted {r} with standard error {error}"
        );
    }
}

#[test]
fn columns_can_go_wholly_together() {
    let columns = "a: {uniform: [0, 1]}, b: {exponential: {mean: 3}}, c: {normal: {mean: 0, std_dev: 1}}";
    let correlate = "{spearman: [[a, b, 1], [a, c, -1], [b, c, -1]]}";
    let frame = frame(&ruleset(10_000, columns, correlate), Rows::Range(0..10_000));
    assert!(spearman(&frame, "a", "b") > 1.0 - 1e-9);
    assert!(spearman(&frame, "b", "c") < -1.0 + 1e-9);
}

/// Where the wanted correlations can only be met nearly, those of the warning are met. The numbers stand in the snapshot of
/// `valid/correlated.yaml`.
#[test]
fn nearly_met_correlations_are_as_announced() {
    let columns = "a: {uniform: [0, 1]}, b: {exponential: {mean: 5}, round: 1}, c: {int_range: [1, 5]}";
    let matrix = "{columns: [a, b, c], spearman: [[1, 0.6, 0.77], [0.6, 1, 0], [0.77, 0, 1]]}";
    let frame = frame(&ruleset(ROWS, columns, matrix), Rows::Range(0..ROWS));
    has_spearman(&frame, "a", "b", 0.593);
    has_spearman(&frame, "a", "c", 0.76);
    has_spearman(&frame, "b", "c", 0.005);
}

const GROUP: &str = "{columns: [income, age, tier, visits], spearman: \
                     [[1, 0.8, -0.5, 0.2], [0.8, 1, -0.3, 0], [-0.5, -0.3, 1, 0], [0.2, 0, 0, 1]]}";

#[test]
fn cells_do_not_know_of_other_rows() {
    let text = ruleset(3000, MIXED, GROUP);
    let whole = frame(&text, Rows::Range(0..3000));
    let list = vec![2999, 0, 17, 17, 1501];
    let scattered = frame(&text, Rows::from(list.clone()));
    for (at, row) in list.into_iter().enumerate() {
        assert!(scattered.slice(at as i64, 1).equals_missing(&whole.slice(row as i64, 1)), "row {row}");
    }
    let part = frame(&text, Rows::Range(1001..1010));
    assert!(part.equals_missing(&whole.slice(1001, 9)));
    // Nor of which columns are wanted.
    let plan = plan(&text).unwrap();
    let alone = plan.table("t").unwrap().select(&Rows::Range(0..3000), &["tier"]).unwrap();
    assert!(alone.column("tier").unwrap().equals_missing(whole.column("tier").unwrap()));
}

#[test]
fn a_member_at_the_end_changes_no_other() {
    let make = |correlate: &str| frame(&ruleset(1000, MIXED, correlate), Rows::Range(0..1000));
    let all = make(GROUP);
    let without_last =
        make("{columns: [income, age, tier], spearman: [[1, 0.8, -0.5], [0.8, 1, -0.3], [-0.5, -0.3, 1]]}");
    let same = |left: &DataFrame, right: &DataFrame, name: &str| {
        left.column(name).unwrap().equals_missing(right.column(name).unwrap())
    };
    for name in ["income", "age", "tier"] {
        assert!(same(&all, &without_last, name), "{name}");
    }
    assert!(!same(&all, &without_last, "visits"));
    // The first member keeps its words whatever it is correlated with; those after it do not.
    let without_second = make("{spearman: [[income, tier, -0.5]]}");
    assert!(same(&all, &without_second, "income") && !same(&all, &without_second, "tier"));
}

#[test]
fn rows_that_miss_a_requirement_are_drawn_again() {
    let text = ruleset(2000, MIXED, GROUP);
    let without = frame(&text, Rows::Range(0..2000));
    let with = text.replace("correlate:", "require: ['income < 60 OR age < 70'], correlate:");
    let with = frame(&with, Rows::Range(0..2000));
    let (income, age) = (numbers(&with, "income"), numbers(&with, "age"));
    let (old_income, old_age) = (numbers(&without, "income"), numbers(&without, "age"));
    let mut redrawn = 0;
    for row in 0..2000 {
        assert!(income[row] < 60.0 || age[row] < 70.0);
        if old_income[row] < 60.0 || old_age[row] < 70.0 {
            assert!((income[row], age[row]) == (old_income[row], old_age[row]), "row {row}");
        } else {
            redrawn += 1;
        }
    }
    assert!(redrawn > 100, "{redrawn} rows redrawn");
    // The requirement cuts a corner off, and no more.
    assert!(spearman(&with, "income", "age") > 0.5);
}

#[test]
fn the_largest_group_works_and_larger_ones_are_refused() {
    let group = |size: usize| {
        let columns: Vec<String> =
            (0..size).map(|at| format!("c{at}: {{uniform: [0, {}]}}", at + 1)).collect();
        let pairs: Vec<String> = (1..size).map(|at| format!("[c{}, c{at}, 0.4]", at - 1)).collect();
        ruleset(20, &columns.join(", "), &format!("{{spearman: [{}]}}", pairs.join(", ")))
    };
    assert_eq!(frame(&group(64), Rows::Range(0..20)).width(), 64);
    assert_eq!(plan(&group(65)).err().unwrap()[0].code, "bad-correlation");
}
