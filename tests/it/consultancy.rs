//! The consultancy's release, made again and again: how often its error bars hold the truth.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::AtomicBool;

use lookalike::pipeline::{self, Destination, Quiet};
use lookalike::privacy::release::{Columns, NULL, OTHER, Plan, Released};
use lookalike::privacy::{self, Budget, Opening, Session, Table};
use lookalike::{Loader, release};

const REPETITIONS: usize = 200;
/// Error rate of each bound on a share.
const ALPHA: f64 = 5e-7;

/// The private table, of fewer clients than the example's, by columns.
fn private(folder: &Path) -> BTreeMap<String, Vec<String>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("rulesets/consultancy/underutilized-volumes.yaml");
    let ruleset = Loader::new().table_rows("clients", 400).path(&root).unwrap();
    let job = pipeline::Job {
        tables: vec!["volumes".to_owned()],
        destination: Destination::Folder(folder.to_owned()),
        ..pipeline::Job::default()
    };
    pipeline::generate(&ruleset, &job, &Quiet, &AtomicBool::new(false)).unwrap();
    let mut reader = csv::Reader::from_path(folder.join("volumes.csv")).unwrap();
    let names: Vec<String> = reader.headers().unwrap().iter().map(str::to_owned).collect();
    let mut columns: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for record in reader.records() {
        for (name, cell) in names.iter().zip(&record.unwrap()) {
            columns.entry(name.clone()).or_default().push(cell.to_owned());
        }
    }
    columns
}

/// What a figure would be without noise, by the words of the rules: with values beyond the bounds counted as the bounds.
fn truth(table: &BTreeMap<String, Vec<String>>, released: &Released, keys: &[String]) -> Option<f64> {
    let numbers = |name: &str, high: f64| -> Vec<f64> {
        table[name].iter().map(|cell| cell.parse::<f64>().unwrap().min(high)).collect()
    };
    let rows = table["Client"].len();
    let grouped = |names: &[&str]| -> Vec<usize> {
        let is_in = |row: &usize| names.iter().zip(keys).all(|(name, key)| table[*name][*row] == *key);
        (0..rows).filter(is_in).collect()
    };
    let idle = || numbers("Idle Days", 512.0);
    Some(match released.name.as_str() {
        "volumes" => rows as f64,
        "volumes_by_region_and_type" => grouped(&["Region", "Volume Type"]).len() as f64,
        "cost_by_type" => {
            let costs = numbers("Monthly Storage Cost", 500.0);
            grouped(&["Volume Type"]).into_iter().map(|row| costs[row]).sum()
        }
        "size_by_type" => {
            let (sizes, group) = (numbers("Volume Size", 2000.0), grouped(&["Volume Type"]));
            if group.is_empty() {
                return None;
            }
            group.iter().map(|row| sizes[*row]).sum::<f64>() / group.len() as f64
        }
        "idle_days" if keys[0] == NULL => 0.0,
        "idle_days" => {
            let (low, high) = keys[0].split_once(" to ").unwrap();
            let (low, high): (f64, f64) = (low.parse().unwrap(), high.parse().unwrap());
            let is_in = |days: &f64| *days >= low && (*days < high || high == 512.0);
            idle().into_iter().filter(is_in).count() as f64
        }
        "idle_days_quantiles" => {
            let mut days = idle();
            days.sort_by(f64::total_cmp);
            let share: f64 = keys[0].parse().unwrap();
            days[((share * rows as f64).ceil() as usize).clamp(1, rows) - 1]
        }
        other => panic!("nothing is known of `{other}`"),
    })
}

/// The Clopper-Pearson bound from below on a share of which k in n were seen.
fn lower(n: usize, k: usize) -> f64 {
    let ln_factorials: Vec<f64> = (0..=n)
        .scan(0.0, |sum, i| {
            *sum += f64::ln(i.max(1) as f64);
            Some(*sum)
        })
        .collect();
    let ln_choose = |i: usize| ln_factorials[n] - ln_factorials[i] - ln_factorials[n - i];
    let at_least = |p: f64| -> f64 {
        (k..=n).map(|i| (ln_choose(i) + i as f64 * p.ln() + (n - i) as f64 * (-p).ln_1p()).exp()).sum()
    };
    let (mut low, mut high) = (0.0, 1.0);
    for _ in 0..50 {
        let middle = (low + high) / 2.0;
        if k > 0 && at_least(middle) >= ALPHA { high = middle } else { low = middle }
    }
    if k == 0 { 0.0 } else { low }
}

fn upper(n: usize, k: usize) -> f64 {
    1.0 - lower(n, n - k)
}

fn repeat(plan: &Plan, columns: &Columns) -> Vec<Released> {
    let folder = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap();
    let mut session = Session::open(Opening {
        table: Table::Named("volumes"),
        unit: plan.unit.clone(),
        budget: plan.budget,
        total: None,
        stage: "release",
        ledger: folder.path().join("ledger.jsonl"),
        state: folder.path().join("budget.jsonl"),
        clock: || "2026-01-01T00:00:00Z".to_owned(),
    })
    .unwrap();
    privacy::release::run(plan, &mut session, columns).unwrap()
}

/// Of 200 repetitions, the share of error bars that hold the truth: 95 % for figures with noise of their own, up to what two
/// Clopper-Pearson bounds at 5e-7 allow; and not less for means, quantiles, and figures that were moved to add up, whose error
/// bars are to first order or wider than need be.
#[test]
fn error_bars_of_the_example_hold_the_truth() {
    let folder = tempfile::tempdir().unwrap();
    let table = private(folder.path());
    let rules = Path::new(env!("CARGO_MANIFEST_DIR")).join("rulesets/consultancy/release.yaml");
    let plan = release::RulesText::read(&rules).unwrap().plan(Budget::new(2.0, 1e-6).unwrap()).unwrap();
    let mut columns = Columns::new(table["Client"].len());
    for (name, cells) in &table {
        columns.add(name, cells.iter().map(|cell| Some(cell.clone())).collect()).unwrap();
    }
    let mut seen: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    let mut known: BTreeMap<(String, Vec<String>), Option<f64>> = BTreeMap::new();
    for _ in 0..REPETITIONS {
        for released in repeat(&plan, &columns) {
            for figure in &released.figures {
                let truth = *known
                    .entry((released.name.clone(), figure.keys.clone()))
                    .or_insert_with(|| truth(&table, &released, &figure.keys));
                let (Some(value), Some(width), Some(truth)) = (figure.value, figure.half_width, truth) else {
                    continue;
                };
                let (n, held) = seen.entry(released.name.clone()).or_default();
                *n += 1;
                *held += usize::from((value - truth).abs() <= width);
            }
        }
    }
    assert_eq!(seen.len(), plan.items.len(), "{seen:?}");
    assert_eq!(seen["volumes_by_region_and_type"].0, REPETITIONS * 13 * 9);
    assert!(
        known.keys().any(|(_, keys)| keys.iter().any(|key| key == OTHER)),
        "cells for other values are there"
    );
    for (name, (n, held)) in seen {
        assert!(n >= REPETITIONS, "{name}: {n}");
        assert!(upper(n, held) >= 0.95, "{name}: {held} of {n}");
        let is_plain = ["volumes", "volumes_by_region_and_type", "cost_by_type"].contains(&name.as_str());
        // On a lattice an interval may hold a little more than its share.
        assert!(!is_plain || lower(n, held) <= 0.955, "{name}: {held} of {n} is too many");
    }
}
