//! The report of a run, in a browser.

use lookalike::Ruleset;
use lookalike::pipeline::{self, Destination, Job, Quiet};
use lookalike_validate::testing::browse;

fn ebs(rows: u64) -> Ruleset {
    let path =
        concat!(env!("CARGO_MANIFEST_DIR"), "/rulesets/trusted-advisor/underutilized-ebs-volumes.yaml");
    Ruleset::loader().rows(rows).path(path).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn the_ebs_run_has_its_charts_and_opens_in_a_browser() {
    let folder = tempfile::tempdir().unwrap();
    let job =
        Job { destination: Destination::Folder(folder.path().to_owned()), report: true, ..Job::default() };
    pipeline::generate(&ebs(1000), &job, &Quiet, &std::sync::atomic::AtomicBool::new(false)).unwrap();
    let report = folder.path().join(pipeline::REPORT);
    let json: serde_json::Value =
        serde_json::from_slice(&std::fs::read(report.join("report.json")).unwrap()).unwrap();
    assert_eq!(json["verdict"], "pass");
    let charts: Vec<(String, String)> = json["tables"][0]["charts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|chart| {
            (chart["title"].as_str().unwrap().to_owned(), chart["chart"].as_str().unwrap().to_owned())
        })
        .collect();
    for (title, kind) in [
        ("Underutilized", "bars"),
        ("Volume Size", "histogram"),
        ("Volume Type", "bars"),
        ("Snapshot Age", "histogram"),
        ("Volume Size by Volume Type", "boxes"),
        ("Monthly Storage Cost against Volume Size", "scatter"),
    ] {
        let wanted = (title.to_owned(), kind.to_owned());
        assert!(charts.contains(&wanted), "{wanted:?} is not among {charts:?}");
    }
    let page = std::fs::read_to_string(report.join("index.html")).unwrap();
    for width in [1400, 500] {
        let Some(seen) = browse(&page, "snapshot age", width) else { return };
        assert!(seen.errors.is_empty(), "{:?}", seen.errors);
        assert_eq!((seen.charts, seen.visible), (charts.len() as u64, charts.len() as u64));
        assert_eq!((seen.found, seen.failed), (1, 0));
        assert!(seen.overflow <= 0.0, "{} pixels too wide", seen.overflow);
        assert!(seen.collisions.is_empty(), "{:?}", seen.collisions);
    }
}
