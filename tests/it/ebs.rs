//! The EBS findings obey the facts, by a check that shares nothing with the engine: the CSV is read as text and compared with
//! the fact files in integer arithmetic.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;

use lookalike::Ruleset;
use lookalike::pipeline::{Destination, Job, Quiet, generate};

const ROWS: u64 = 50_000;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn facts(file: &str) -> Vec<Line> {
    let mut reader = csv::Reader::from_path(root().join("rulesets/common").join(file)).unwrap();
    reader.deserialize().map(|line| line.unwrap()).collect()
}

type Line = BTreeMap<String, String>;

/// The lines of `findings.csv`, `findings.clean.csv` and `findings.anomalies.csv`.
fn findings(ruleset: &str, rows: u64) -> [Vec<Line>; 3] {
    let path = root().join("rulesets/trusted-advisor").join(ruleset);
    let ruleset = Ruleset::loader().rows(rows).path(path).unwrap_or_else(|error| panic!("{error}"));
    let folder = tempfile::tempdir().unwrap();
    let job = Job { destination: Destination::Folder(folder.path().into()), clean: true, ..Job::default() };
    generate(&ruleset, &job, &Quiet, &AtomicBool::new(false)).unwrap();
    ["findings.csv", "findings.clean.csv", "findings.anomalies.csv"].map(|name| {
        let mut reader = csv::Reader::from_path(folder.path().join(name)).unwrap();
        reader.deserialize().map(|line| line.unwrap()).collect()
    })
}

/// Limits of sizes by volume type.
fn limits() -> BTreeMap<String, (i64, i64)> {
    let limit = |f: &Line| (f["min_size_gib"].parse().unwrap(), f["max_size_gib"].parse().unwrap());
    facts("ebs-volume-types.csv").iter().map(|f| (f["volume_type"].clone(), limit(f))).collect()
}

/// Prices in 10^-7 dollars by region and volume type.
fn prices() -> BTreeMap<(String, String), i64> {
    let key = |f: &Line| (f["region"].clone(), f["volume_type"].clone());
    facts("ebs-prices.csv").iter().map(|f| (key(f), scaled(&f["usd_per_gib_month"], 7))).collect()
}

/// Cents for a size, half rounded up: 10^-7 dollars to 10^-2.
fn cents(prices: &BTreeMap<(String, String), i64>, row: &Line) -> i64 {
    let size: i64 = row["Volume Size"].parse().unwrap();
    (size * prices[&(row["Region"].clone(), row["Volume Type"].clone())] + 50_000) / 100_000
}

/// A decimal text as an integer of 10^-places.
fn scaled(text: &str, places: usize) -> i64 {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    assert!(fraction.len() <= places, "{text} has more than {places} places");
    format!("{whole}{fraction:0<places$}").parse().unwrap()
}

fn is_id(text: &str, prefix: &str, digits: usize) -> bool {
    text.strip_prefix(prefix).is_some_and(|rest| {
        rest.len() == digits && rest.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
    })
}

/// Fails for a correct program with probability 1e-6.
fn share_is(seen: usize, of: usize, share: f64, what: &str) {
    let n = of as f64;
    let z = (seen as f64 - n * share) / (n * share * (1.0 - share)).sqrt();
    assert!(z.abs() < 4.9, "{what}: {seen} of {of} where {share} was declared");
}

#[test]
fn every_row_obeys_the_facts() {
    let [_, rows, _] = findings("underutilized-ebs-volumes.yaml", ROWS);
    assert_eq!(rows.len() as u64, ROWS);
    let (limits, prices) = (limits(), prices());
    let (mut volumes, mut snapshots) = (BTreeSet::new(), BTreeSet::new());
    for row in &rows {
        let size: i64 = row["Volume Size"].parse().unwrap();
        let (low, high) = limits[&row["Volume Type"]];
        assert!((low..=high).contains(&size), "{row:?}");
        assert_eq!(scaled(&row["Monthly Storage Cost"], 2), cents(&prices, row), "{row:?}");
        assert!(is_id(&row["Volume ID"], "vol-9999", 13), "{row:?}");
        assert!(volumes.insert(row["Volume ID"].clone()), "{row:?}");
        let snapshot = &row["Snapshot ID"];
        assert_eq!(snapshot.is_empty(), row["Snapshot Age"].is_empty(), "{row:?}");
        if snapshot.is_empty() {
            assert!(row["Snapshot Name"].is_empty(), "{row:?}");
        } else {
            assert!(is_id(snapshot, "snap-9999", 13), "{row:?}");
            assert!(snapshots.insert(snapshot.clone()), "{row:?}");
            let age: i64 = row["Snapshot Age"].parse().unwrap();
            assert!((1..=3650).contains(&age), "{row:?}");
        }
    }
    let count = |column: &str, value: &str| rows.iter().filter(|row| row[column] == value).count();
    for (value, share) in [
        ("gp2", 0.4),
        ("gp3", 0.2),
        ("io1", 0.1),
        ("io2", 0.1),
        ("st1", 0.1),
        ("sc1", 0.05),
        ("standard", 0.05),
    ] {
        share_is(count("Volume Type", value), rows.len(), share, value);
    }
    share_is(count("Region", "us-east-1"), rows.len(), 0.3, "us-east-1");
    share_is(count("Volume Name", ""), rows.len(), 0.3, "volumes without a name");
    share_is(count("Snapshot ID", ""), rows.len(), 0.4, "volumes without a snapshot");
    let flagged = count("Underutilized", "true") as f64 / rows.len() as f64;
    assert!((0.16..0.18).contains(&flagged), "{flagged} are underutilised");
    // Most sizes are round.
    let round = rows
        .iter()
        .filter(|r| {
            [8, 10, 20, 30, 50, 100, 200, 500, 1000].contains(&r["Volume Size"].parse::<i64>().unwrap())
        })
        .count();
    assert!(round as f64 > 0.55 * rows.len() as f64, "{round} sizes are round");
}

#[test]
fn the_published_sample_is_as_published() {
    let [_, rows, _] = findings("underutilized-ebs-volumes-as-published.yaml", ROWS);
    let mut raised = 0;
    for row in &rows {
        let size: i64 = row["Volume Size"].parse().unwrap();
        let low = match row["Volume Type"].as_str() {
            "st1" | "sc1" => 500,
            "io1" => 4,
            _ => 1,
        };
        assert!((low..=1000).contains(&size), "{row:?}");
        assert!(is_id(&row["Volume ID"], "vol-9999", 17), "{row:?}");
        let provisioned = if row["Volume Type"].starts_with("io") { 1.5 } else { 1.0 };
        let waste = if row["Underutilized"] == "true" { 1.6 } else { 1.0 };
        let cost: f64 = row["Monthly Storage Cost"].parse().unwrap();
        let rate = cost / (size as f64 * provisioned * waste);
        // A cent of rounding on a small volume moves the rate.
        let cent = 0.006 / size as f64;
        assert!(rate > 0.05 - cent && rate < 0.15 + cent, "{row:?}");
        raised += usize::from(row["Underutilized"] == "true");
        if row["Snapshot ID"].is_empty() {
            assert!(row["Snapshot Name"].is_empty() && row["Snapshot Age"].is_empty(), "{row:?}");
        }
    }
    share_is(raised, rows.len(), 0.7, "underutilised");
    for region in ["us-east-1", "us-west-2", "eu-west-1", "ap-southeast-1"] {
        share_is(rows.iter().filter(|row| row["Region"] == region).count(), rows.len(), 0.25, region);
    }
}

#[test]
fn one_row_in_ten_is_odd_in_one_of_five_ways() {
    for ruleset in ["underutilized-ebs-volumes.yaml", "underutilized-ebs-volumes-as-published.yaml"] {
        for (rows, each) in [(1000, [20; 5]), (107, [3, 2, 2, 2, 2])] {
            let [dirty, clean, marks] = findings(ruleset, rows);
            let names = [
                "oversized_volume",
                "old_snapshot",
                "high_cost_low_size",
                "mismatched_type",
                "very_old_volume",
            ];
            let count = |name: &str| dirty.iter().filter(|row| row["Anomaly"] == name).count();
            assert_eq!(names.map(count), each, "{ruleset}, {rows} rows");
            assert_eq!(
                dirty.iter().filter(|row| !row["Anomaly"].is_empty()).count(),
                each.iter().sum::<usize>()
            );
            // With the marks the dirty rows become clean, and the clean ones dirty.
            let (mut mended, mut spoilt) = (dirty.clone(), clean.clone());
            for mark in &marks {
                let row: usize = mark["row"].parse().unwrap();
                assert_eq!(mark["table"], "findings");
                assert_eq!(mark["kind"], dirty[row]["Anomaly"]);
                assert_eq!(mark["instance"], mark["row"]);
                let cell = mended[row].insert(mark["column"].clone(), mark["before"].clone());
                assert_eq!(cell.as_ref(), Some(&mark["after"]), "{mark:?}");
                let cell = spoilt[row].insert(mark["column"].clone(), mark["after"].clone());
                assert_eq!(cell.as_ref(), Some(&mark["before"]), "{mark:?}");
            }
            dirty.iter().zip(&mut spoilt).for_each(|(dirty, spoilt)| {
                spoilt.insert("Anomaly".into(), dirty["Anomaly"].clone());
            });
            mended.iter_mut().for_each(|row| drop(row.remove("Anomaly")));
            assert_eq!(mended, clean, "{ruleset}, {rows} rows");
            assert_eq!(spoilt, dirty, "{ruleset}, {rows} rows");
        }
    }
}

#[test]
fn anomalies_break_what_they_say_and_nothing_else() {
    let [dirty, clean, _] = findings("underutilized-ebs-volumes.yaml", 20_000);
    let (limits, prices) = (limits(), prices());
    let number = |row: &Line, column: &str| row[column].parse::<i64>().ok();
    let mut seen = BTreeSet::new();
    for (row, before) in dirty.iter().zip(&clean) {
        let size = number(row, "Volume Size").unwrap();
        let (low, high) = limits[&row["Volume Type"]];
        assert!((low..=high).contains(&size), "{row:?}");
        assert_eq!(row["Volume ID"], before["Volume ID"]);
        assert_eq!(row["Snapshot ID"], before["Snapshot ID"]);
        assert_eq!(row["Snapshot ID"].is_empty(), row["Snapshot Age"].is_empty(), "{row:?}");
        let cost = scaled(&row["Monthly Storage Cost"], 2);
        let priced = cents(&prices, row);
        match row["Anomaly"].as_str() {
            "high_cost_low_size" => {
                assert!(size <= 10.max(low), "{row:?}");
                assert!(cost >= priced * 10 - 10 && cost <= priced * 20 + 20, "{row:?}");
            }
            kind => {
                assert_eq!(cost, priced, "{row:?}");
                let old = number(before, "Volume Size").unwrap();
                match kind {
                    "oversized_volume" => assert!(size >= 5 * old && size <= 10 * old, "{row:?}"),
                    "old_snapshot" => assert!(number(row, "Snapshot Age").unwrap() > 365, "{row:?}"),
                    "mismatched_type" => {
                        assert_ne!(row["Volume Type"][..2], before["Volume Type"][..2], "{row:?}");
                    }
                    "very_old_volume" => {
                        assert!(row["Volume Name"].starts_with("old-volume-"), "{row:?}");
                        assert!(number(row, "Snapshot Age").is_none_or(|age| age > 1000), "{row:?}");
                    }
                    _ => {}
                }
            }
        }
        seen.insert(row["Anomaly"].clone());
    }
    assert_eq!(seen.len(), 6);
}
