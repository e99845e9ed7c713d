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
            println!("{:?} {} {} {:?} p={:?} {}", check.verdict, check.metric.name, check.table, check.columns, check.p_value, check.message);
        }
        let failed: Vec<String> = failures(&reports)
            .iter()
            .map(|check| format!("{} {:?}: {}", check.metric.name, check.columns, check.message))
            .collect();
        assert!(failed.is_empty(), "{path}: {failed:#?}");
    }
}
