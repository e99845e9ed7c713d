//! A million rows on either side: bounded work, in bounded memory. Run with `--ignored --nocapture` to see the figures.

use std::time::Instant;

use lookalike_validate::leakage;
use lookalike_validate::model::Verdict;
use lookalike_validate::reference::{self, Options};

use crate::truth::{rows, table};

const ROWS: usize = 1_000_000;

/// Peak memory of the process so far, in MiB, where the system tells.
fn peak() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    status.lines().find(|line| line.starts_with("VmHWM")).unwrap_or("unknown").to_owned()
}

#[test]
#[ignore = "takes half a minute; CI runs it"]
fn a_million_rows() {
    let real = rows(1, ROWS);
    let mut synthetic = rows(2, ROWS);
    for (row, real) in synthetic.iter_mut().step_by(50).zip(&real) {
        row.clone_from(real);
    }
    let (real, synthetic) = (table(&real), table(&synthetic));
    let options = Options::default();
    println!("tables made: {}", peak());
    let start = Instant::now();
    let found = reference::compare(&real.table(), &synthetic.table(), &options);
    println!("{} checks in {:?}: {}", found.checks.len(), start.elapsed(), peak());
    println!("{}", found.notes.join("\n"));
    let start = Instant::now();
    let options = leakage::Options { compare: options, ..leakage::Options::default() };
    let leaks = leakage::assess(&real.table(), &synthetic.table(), None, &options);
    println!("{} checks in {:?}: {}", leaks.checks.len(), start.elapsed(), peak());
    println!("{}", leaks.notes.join("\n"));
    let copied = leaks.checks.iter().find(|check| check.metric.name == "IdenticalMatchShare").unwrap();
    println!("{}", copied.message);
    assert_eq!(copied.verdict, Verdict::Fail);
    assert!(copied.value.unwrap() >= 0.02);
    for check in found.checks.iter().chain(&leaks.checks).filter(|check| check.verdict == Verdict::Fail) {
        println!("{} {}: {}", check.metric.name, check.columns.join(", "), check.message);
    }
}
