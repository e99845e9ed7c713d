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

fn facts(file: &str) -> Vec<BTreeMap<String, String>> {
    let mut reader = csv::Reader::from_path(root().join("rulesets/common").join(file)).unwrap();
    reader.deserialize().map(|line| line.unwrap()).collect()
}

fn findings(ruleset: &str) -> Vec<BTreeMap<String, String>> {
    let path = root().join("rulesets/trusted-advisor").join(ruleset);
    let ruleset = Ruleset::loader().rows(ROWS).path(path).unwrap_or_else(|error| panic!("{error}"));
    let folder = tempfile::tempdir().unwrap();
    let job = Job { destination: Destination::Folder(folder.path().into()), ..Job::default() };
    generate(&ruleset, &job, &Quiet, &AtomicBool::new(false)).unwrap();
    let mut reader = csv::Reader::from_path(folder.path().join("findings.csv")).unwrap();
    reader.deserialize().map(|line| line.unwrap()).collect()
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
    let rows = findings("underutilized-ebs-volumes.yaml");
    assert_eq!(rows.len() as u64, ROWS);
    let limits: BTreeMap<String, (i64, i64)> = facts("ebs-volume-types.csv")
        .into_iter()
        .map(|f| {
            (
                f["volume_type"].clone(),
                (f["min_size_gib"].parse().unwrap(), f["max_size_gib"].parse().unwrap()),
            )
        })
        .collect();
    let prices: BTreeMap<(String, String), i64> = facts("ebs-prices.csv")
        .into_iter()
        .map(|f| ((f["region"].clone(), f["volume_type"].clone()), scaled(&f["usd_per_gib_month"], 7)))
        .collect();
    let (mut volumes, mut snapshots) = (BTreeSet::new(), BTreeSet::new());
    for row in &rows {
        let size: i64 = row["Volume Size"].parse().unwrap();
        let (low, high) = limits[&row["Volume Type"]];
        assert!((low..=high).contains(&size), "{row:?}");
        // Cents, half rounded up: 10^-7 dollars to 10^-2.
        let exact = size * prices[&(row["Region"].clone(), row["Volume Type"].clone())];
        assert_eq!(scaled(&row["Monthly Storage Cost"], 2), (exact + 50_000) / 100_000, "{row:?}");
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
    let rows = findings("underutilized-ebs-volumes-as-published.yaml");
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
