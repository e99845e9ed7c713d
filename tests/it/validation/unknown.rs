//! What cannot be known from the rows that are there is not judged, and what can be is.

use std::path::Path;
use std::sync::atomic::AtomicBool;

use lookalike::pipeline::{Destination, Job, Quiet, Slice, generate};
use lookalike::validate::model::{Check, Report, Verdict};
use lookalike::validation::{Request, validate};
use lookalike::{Loader, Ruleset};

use super::{examine, failures};

/// Anomalies take rows that are unlike the others: hubs, and late parcels.
const PARCELS: &str = "
lookalike: 1
name: parcels
seed: 3
tables:
  depots:
    rows: 400
    columns:
      depot: {pattern: 'D-[0-9a-f]{8}', unique: true}
      kind: {choice: {hub: 30%, shop: 70%}}
      size: {by: kind, cases: {hub: {int_range: [50, 90]}, shop: {int_range: [1, 9]}}}
    anomalies:
      rate: 20%
      label: fault
      kinds: {shrunk: {when: kind = 'hub', set: {size: 0}}}
    expect:
      - {share: size >= 50, is: 30%, on: clean}
      - {share: kind = 'hub', is: 30%, on: clean}
      - {mean: size, at_least: 18, on: clean}
      - {max: size, at_most: 90, on: clean}
      - {count: true, within: [400, 400], on: clean}
      - {holds: size > 0, on: clean}
  parcels:
    belongs_to: {at: {table: depots, per_parent: {int_range: [2, 12]}}}
    columns:
      depot: {expr: at.depot}
      parcel: {pattern: 'P-[0-9a-f]{10}', unique: true}
      weight: {uniform: [1, 9]}
    subsets: {label: part, parts: {early: {share: 60%}, late: {share: 40%}}}
    anomalies:
      rate: 15%
      label: odd
      kinds: {lost: {when: weight > 5, broken_key: depot}}
";

/// Writes the tables, and validates them: with the files of marks or without, with the columns of labels or without.
fn checked(rules: &str, marks: bool, labels: bool) -> Report {
    let folder = tempfile::tempdir().unwrap();
    let rules =
        if labels { rules.to_owned() } else { rules.replace("label: fault", "").replace("label: odd", "") };
    let path = folder.path().join("rules.yaml");
    std::fs::write(&path, rules).unwrap();
    let ruleset = Ruleset::from_path(&path).unwrap_or_else(|error| panic!("{error}"));
    let data = folder.path().join("data");
    let job = Job { destination: Destination::Folder(data.clone()), ..Job::default() };
    generate(&ruleset, &job, &Quiet, &AtomicBool::new(false)).unwrap();
    if !marks {
        let files = std::fs::read_dir(&data).unwrap().map(|entry| entry.unwrap().path());
        let marks: Vec<_> = files.filter(|path| path.to_string_lossy().contains(".anomalies.")).collect();
        assert!(marks.len() >= 2);
        marks.into_iter().for_each(|path| std::fs::remove_file(path).unwrap());
    }
    validated(&path, &data)
}

fn validated(rules: &Path, data: &Path) -> Report {
    let request = Request::of(data);
    validate(Loader::new(), rules, &request, &Quiet, &AtomicBool::new(false)).unwrap()
}

fn failed(report: &Report) -> Vec<String> {
    report
        .failures()
        .map(|check| format!("{} {:?}: {}", check.metric.name, check.columns, check.message))
        .collect()
}

/// Verdict and message of the checks of a metric, by rule.
fn rules<'a>(report: &'a Report, metric: &str) -> Vec<(&'a str, Verdict, &'a str)> {
    let of = |check: &'a Check| (check.rule.as_deref().unwrap_or(""), check.verdict, check.message.as_str());
    report.checks().filter(|check| check.metric.name == metric).map(of).collect()
}

fn verdict(report: &Report, metric: &str, rule: &str) -> Verdict {
    let found = rules(report, metric);
    let found = found.iter().find(|(name, ..)| name.contains(rule));
    found.unwrap_or_else(|| panic!("no {metric} of {rule}")).1
}

/// Rows with a label are left out, and not at random: figures of what anomalies change are told, but not judged.
#[test]
fn figures_of_rows_without_a_label_are_not_judged() {
    let known = checked(PARCELS, true, true);
    assert_eq!(failed(&known), Vec::<String>::new());
    for rule in ["size >= 50", "kind = 'hub'", "mean size", "max size", "count true", "size > 0"] {
        let found = rules(&known, "Expectation");
        let (_, verdict, message) = found.iter().find(|(name, ..)| name.contains(rule)).unwrap();
        assert_eq!(*verdict, Verdict::Pass, "{rule}: {message}");
    }
    for labels in [true, false] {
        let report = checked(PARCELS, false, labels);
        assert_eq!(failed(&report), Vec::<String>::new(), "with labels: {labels}");
        for rule in ["size >= 50", "mean size"] {
            let found = rules(&report, "Expectation");
            let (_, verdict, message) = found.iter().find(|(name, ..)| name.contains(rule)).unwrap();
            assert_eq!(*verdict, Verdict::Info, "{rule}: {message}");
            assert!(message.contains("not judged") && message.contains("file of marks"), "{rule}: {message}");
        }
        // What no anomaly changes is the same in all rows: judged in all of them.
        assert_eq!(verdict(&report, "Expectation", "kind = 'hub'"), Verdict::Pass);
        let share =
            report.checks().find(|check| check.rule.as_deref().is_some_and(|rule| rule.contains("hub")));
        assert_eq!(share.unwrap().n, 400);
        assert_eq!(verdict(&report, "SubsetSize", "early"), Verdict::Pass);
        // No parcel is taken for an orphan because its depot has a label.
        let keys = report.checks().find(|check| check.metric.name == "ForeignKey").unwrap();
        assert_eq!(keys.verdict, Verdict::Pass, "{}", keys.message);
        assert_eq!(verdict(&report, "ChildrenFit", "depots"), Verdict::Info);
    }
}

/// What is beyond a limit in some rows is beyond it in all.
#[test]
fn what_some_rows_prove_fails() {
    let rules = PARCELS.replace("{max: size, at_most: 90, on: clean}", "{max: size, at_most: 60, on: clean}");
    let report = checked(&rules, false, true);
    let failed = failed(&report);
    assert_eq!(failed.len(), 1, "{failed:?}");
    assert!(failed[0].starts_with("Expectation [\"size\"]"), "{failed:?}");
    // Among all rows, the one beyond may be an anomaly.
    let report = checked(&rules, false, false);
    assert!(report.failures().next().is_none());
}

/// A part of the rows lacks parents and children, and its sums are not those of the table.
#[test]
fn parts_of_tables_are_not_judged_as_wholes() {
    let folder = tempfile::tempdir().unwrap();
    let ruleset = Ruleset::from_str(PARCELS).unwrap_or_else(|error| panic!("{error}"));
    let job = Job {
        destination: Destination::Folder(folder.path().to_owned()),
        report: true,
        slice: Slice::Shard(1, 3),
        ..Job::default()
    };
    let manifest = generate(&ruleset, &job, &Quiet, &AtomicBool::new(false)).unwrap();
    let report = manifest.validation.unwrap().report;
    assert_eq!(failed(&report), Vec::<String>::new());
    assert_eq!(verdict(&report, "ForeignKey", "depots"), Verdict::Info);
    assert_eq!(verdict(&report, "ChildrenFit", "depots"), Verdict::Info);
    assert_eq!(verdict(&report, "Expectation", "mean size"), Verdict::Info);
    // Laws hold in any part.
    assert_eq!(verdict(&report, "Expectation", "kind = 'hub'"), Verdict::Pass);
}

/// One parent with too many children is no matter of chance.
#[test]
fn a_parent_with_too_many_children_is_caught() {
    use lookalike::polars::prelude::*;

    let ruleset = Ruleset::from_str(PARCELS).unwrap_or_else(|error| panic!("{error}"));
    let clean = examine(&ruleset, |_, _| {});
    assert!(failures(&clean).is_empty(), "{:?}", failures(&clean));
    // Sixteen parcels in a row go to one depot.
    let spoilt = examine(&ruleset, |table, frames| {
        if table == "parcels" {
            for frame in [&mut frames.rows, &mut frames.clean] {
                let series = frame.column("depot").unwrap().as_materialized_series();
                let rows: Vec<u32> =
                    (0..series.len() as u32).map(|row| if row < 16 { 0 } else { row }).collect();
                let moved = series.take_slice(&rows).unwrap();
                frame.with_column(moved.into_column()).unwrap();
            }
        }
    });
    let found = failures(&spoilt);
    let names: Vec<&str> = found.iter().map(|check| check.metric.name).collect();
    assert_eq!(names, ["ChildrenRange"], "{found:?}");
    assert!(found[0].message.contains("2 to 12 are declared"), "{}", found[0].message);
}
