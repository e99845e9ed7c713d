//! Correct data pass.

use std::path::PathBuf;

use lookalike::Ruleset;

use super::{examine, failures};

fn shipped(path: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("rulesets").join(path)
}

#[test]
fn shipped_rulesets_pass() {
    for path in [
        "trusted-advisor/underutilized-ebs-volumes.yaml",
        "trusted-advisor/underutilized-ebs-volumes-as-published.yaml",
        "aws/ebs-estate.yaml",
        "relational/airline-reservations.yaml",
        "people/customers.yaml",
    ] {
        let ruleset = Ruleset::from_path(shipped(path)).unwrap();
        let reports = examine(&ruleset, |_, _| {});
        for check in reports.iter().flat_map(|report| &report.checks) {
            println!(
                "{:?} {} {} {:?} p={:?} {}",
                check.verdict, check.metric.name, check.table, check.columns, check.p_value, check.message
            );
        }
        let failed: Vec<String> = failures(&reports)
            .iter()
            .map(|check| format!("{} {:?}: {}", check.metric.name, check.columns, check.message))
            .collect();
        assert!(failed.is_empty(), "{path}: {failed:#?}");
    }
}

/// The whole run is accused with a probability of 1e-4 at most, whatever the number of rows; 1,000 seeds together with one of
/// 0.1, and more than one accusation with 0.005.
#[test]
fn a_thousand_seeds_raise_no_alarm() {
    let mut alarms = Vec::new();
    for seed in 0..1000u64 {
        let rows = [100, 101, 137, 250][seed as usize % 4];
        let path = shipped("trusted-advisor/underutilized-ebs-volumes.yaml");
        let ruleset = Ruleset::loader().seed(seed).rows(rows).path(path).unwrap();
        let reports = examine(&ruleset, |_, _| {});
        let failed = failures(&reports);
        if !failed.is_empty() {
            alarms.push(format!(
                "seed {seed}: {} {:?} {}",
                failed[0].metric.name, failed[0].columns, failed[0].message
            ));
        }
    }
    assert!(alarms.len() <= 1, "{alarms:#?}");
}

/// Names are many and each is rare, so each sample has others. A table is accused with a probability of 1e-4 at most; 200 of them
/// together once with 0.02, and more than once with 2e-4.
#[test]
fn rare_values_raise_no_alarm() {
    let mut alarms = Vec::new();
    for seed in 0..200u64 {
        let rows = [5, 20, 70, 200][seed as usize % 4];
        let text = format!(
            "{{lookalike: 1, seed: {seed}, tables: {{t: {{rows: {rows}, columns: {{name: {{person: name}}, city: {{place: city}}, \
             word: {{lorem: {{words: 1}}}}}}}}}}}}"
        );
        let ruleset = Ruleset::from_str(&text).unwrap_or_else(|error| panic!("{error}"));
        for check in failures(&examine(&ruleset, |_, _| {})) {
            alarms.push(format!("seed {seed}: {} {:?} {}", check.metric.name, check.columns, check.message));
        }
    }
    assert!(alarms.len() <= 1, "{alarms:#?}");
}

/// Tables that are hardly any.
#[test]
fn degenerate_tables_are_sane() {
    let text = |rows: u64| {
        format!(
            "{{lookalike: 1, seed: 3, tables: {{t: {{rows: {rows}, columns: {{nothing: {{constant: null, type: int}}, \
             same: 7, maybe: {{normal: {{mean: 0, std_dev: 1}}, null: 100%}}, id: {{sequence: {{}}}}, \
             word: {{pattern: '[a-z]{{3}}'}}}}}}}}}}"
        )
    };
    for rows in [0, 1, 2, 100] {
        let ruleset = Ruleset::from_str(&text(rows)).unwrap_or_else(|error| panic!("{error}"));
        let reports = examine(&ruleset, |_, _| {});
        let odd: Vec<_> = failures(&reports)
            .iter()
            .map(|c| format!("{} {:?} {}", c.metric.name, c.columns, c.message))
            .collect();
        assert!(odd.is_empty(), "{rows} rows: {odd:?}");
        assert_eq!(reports[0].rows, rows);
        assert_eq!(reports[0].columns.len(), 5);
    }
    let columns: Vec<String> = (0..1000).map(|at| format!("c{at}: {{int_range: [0, {at}]}}")).collect();
    let wide = format!("{{lookalike: 1, tables: {{t: {{rows: 200, columns: {{{}}}}}}}}}", columns.join(", "));
    let ruleset = Ruleset::from_str(&wide).unwrap();
    let reports = examine(&ruleset, |_, _| {});
    assert!(failures(&reports).is_empty());
    assert_eq!(reports[0].columns.len(), 1000);
}
