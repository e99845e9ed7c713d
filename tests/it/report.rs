//! The report of a run, in a browser.

use lookalike::Ruleset;
use lookalike::pipeline::{self, Destination, Job, Quiet};
use lookalike::validation::{Choice, Request, render, validate};
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

/// Beside a reference each column has a picture of both sides.
#[test]
fn a_reference_is_drawn_beside_the_data() {
    let folder = tempfile::tempdir().unwrap();
    let stop = std::sync::atomic::AtomicBool::new(false);
    let path =
        concat!(env!("CARGO_MANIFEST_DIR"), "/rulesets/trusted-advisor/underutilized-ebs-volumes.yaml");
    for seed in [1, 2] {
        let ruleset =
            Ruleset::loader().rows(1000).seed(seed).path(path).unwrap_or_else(|error| panic!("{error}"));
        let job =
            Job { destination: Destination::Folder(folder.path().join(seed.to_string())), ..Job::default() };
        pipeline::generate(&ruleset, &job, &Quiet, &stop).unwrap();
    }
    let request = Request {
        by: Some("Volume Type".to_owned()),
        reference: Some(folder.path().join("2")),
        ..Request::of(folder.path().join("1"))
    };
    let report = validate(Ruleset::loader(), path.as_ref(), &request, &Quiet, &stop).unwrap();
    let failed: Vec<&str> = report.failures().map(|check| check.message.as_str()).collect();
    assert!(failed.is_empty(), "{failed:?}");
    let charts = &report.tables[0].charts;
    let kinds = |column: &str| {
        let of = charts.iter().filter(|chart| chart.columns == [column] && !chart.for_release);
        of.map(|chart| chart.data.name()).collect::<Vec<_>>()
    };
    assert_eq!(kinds("Volume Size"), ["histogram", "ecdf"]);
    assert_eq!(kinds("Underutilized"), ["bars"]);
    assert_eq!(kinds("Volume ID"), [""; 0], "an id looks like nothing");
    let pending = render(&report, &folder.path().join("page"), Choice { charts: false, release_only: false });
    pending.unwrap().into_iter().for_each(|file| drop(file.publish().unwrap()));
    let page = std::fs::read_to_string(folder.path().join("page/index.html")).unwrap();
    let Some(seen) = browse(&page, "volume size", 1400) else { return };
    assert!(seen.errors.is_empty(), "{:?}", seen.errors);
    assert_eq!((seen.charts, seen.visible), (charts.len() as u64, charts.len() as u64));
    assert!(seen.collisions.is_empty(), "{:?}", seen.collisions);
    assert!(seen.overflow <= 0.0, "{} pixels too wide", seen.overflow);
}
