//! The EBS estate agrees with itself: everything that follows from other tables is worked out again here from the
//! files that a user gets, read as text, in integer arithmetic and with a calendar of our own; nothing is shared with
//! the engine.
//!
//! Which rows the tests see is fixed by the seed, so they pass always or never. The two tests of shapes would each fail
//! for a correct ruleset under a new seed with probability 1e-6.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::AtomicBool;

use lookalike::Ruleset;
use lookalike::pipeline::{Destination, Job, Quiet, Slice, generate};

type Row = BTreeMap<String, String>;

/// 2026-01-01, the ruleset's clock.
const CLOCK: i64 = 20454 * DAY;
const DAY: i64 = 86_400;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Twice the size that it has by itself, for more of what is rare.
fn ruleset() -> &'static Ruleset {
    static RULESET: OnceLock<Ruleset> = OnceLock::new();
    RULESET.get_or_init(|| {
        let path = root().join("rulesets/aws/ebs-estate.yaml");
        Ruleset::loader().scale(2.0).path(path).unwrap_or_else(|error| panic!("{error}"))
    })
}

fn write(folder: &Path, tables: &[&str], slice: Slice) {
    let tables = tables.iter().map(|table| (*table).to_owned()).collect();
    let job = Job { tables, slice, destination: Destination::Folder(folder.into()), ..Job::default() };
    generate(ruleset(), &job, &Quiet, &AtomicBool::new(false)).unwrap();
}

fn read(path: &Path) -> Vec<Row> {
    csv::Reader::from_path(path).unwrap().deserialize().map(|line| line.unwrap()).collect()
}

/// The files of one run.
struct Estate {
    accounts: Vec<Row>,
    instances: Vec<Row>,
    volumes: Vec<Row>,
    snapshots: Vec<Row>,
    days: Vec<Row>,
    hours: Vec<Row>,
    findings: Vec<Row>,
    findings_as_written: String,
}

fn estate() -> &'static Estate {
    static ESTATE: OnceLock<Estate> = OnceLock::new();
    ESTATE.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), &[], Slice::All);
        let table = |name: &str| read(&folder.path().join(name).with_extension("csv"));
        Estate {
            accounts: table("accounts"),
            instances: table("instances"),
            volumes: table("volumes"),
            snapshots: table("snapshots"),
            days: table("volume_metrics"),
            hours: table("volume_metrics_hourly"),
            findings: table("findings"),
            findings_as_written: std::fs::read_to_string(folder.path().join("findings.csv")).unwrap(),
        }
    })
}

/// Rows by a column without repetition.
fn by_key<'a>(rows: &'a [Row], key: &str) -> BTreeMap<&'a str, &'a Row> {
    let map: BTreeMap<&str, &Row> = rows.iter().map(|row| (row[key].as_str(), row)).collect();
    assert_eq!(map.len(), rows.len(), "{key} repeats itself");
    map
}

fn whole(row: &Row, column: &str) -> i64 {
    row[column].parse().unwrap_or_else(|_| panic!("{column} is no whole number: {row:?}"))
}

/// Days since 1970 of a date such as 2026-01-31, by counting.
fn days(text: &str) -> i64 {
    let part = |range: std::ops::Range<usize>| text[range].parse::<i64>().unwrap();
    let (year, month, day) = (part(0..4), part(5..7), part(8..10));
    let leap = |year: i64| i64::from((year % 4 == 0 && year % 100 != 0) || year % 400 == 0);
    let years: i64 = (1970..year).map(|year| 365 + leap(year)).sum();
    let months = [31, 28 + leap(year), 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    years + months[..month as usize - 1].iter().sum::<i64>() + day - 1
}

/// Seconds since 1970 of a stamp such as 2026-01-31T12:00:00Z.
fn seconds(row: &Row, column: &str) -> i64 {
    let text = &row[column];
    assert_eq!(text.len(), 20, "{column} is no stamp in whole seconds: {row:?}");
    let part = |range: std::ops::Range<usize>| text[range].parse::<i64>().unwrap();
    days(text) * DAY + part(11..13) * 3600 + part(14..16) * 60 + part(17..19)
}

/// A decimal text as an integer of 10^-places.
fn scaled(text: &str, places: usize) -> i64 {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    assert!(fraction.len() <= places, "{text} has more than {places} places");
    format!("{whole}{fraction:0<places$}").parse().unwrap()
}

/// A column of a fact file, by volume type.
fn limits(column: &str) -> BTreeMap<String, i64> {
    let facts = read(&root().join("rulesets/common/ebs-volume-types.csv"));
    facts.iter().map(|fact| (fact["volume_type"].clone(), whole(fact, column))).collect()
}

/// Whether a volume should have metrics, and for which days: the whole ones since it was attached, at most 14.
fn days_with_metrics(volume: &Row) -> std::ops::Range<i64> {
    let today = CLOCK / DAY;
    let first = (seconds(volume, "state_since") / DAY + 1).max(today - 14);
    if volume["state"] == "in-use" { first.min(today)..today } else { today..today }
}

/// Reads and writes of volumes by the day, from the daily file.
fn ops_by_day() -> BTreeMap<(&'static str, i64), i64> {
    let rows = &estate().days;
    let ops: BTreeMap<_, _> = rows
        .iter()
        .map(|row| {
            (
                (row["volume_id"].as_str(), days(&row["date"])),
                whole(row, "read_ops") + whole(row, "write_ops"),
            )
        })
        .collect();
    assert_eq!(ops.len(), rows.len(), "a volume has a day twice");
    ops
}

#[test]
fn findings_are_exactly_the_unattached_and_the_idle_volumes() {
    let estate = estate();
    let ops = ops_by_day();
    // What is found, and how many volumes there are of each sort that could be mistaken for it.
    let mut expected = BTreeMap::new();
    let mut sorts: BTreeMap<&str, usize> = BTreeMap::new();
    for volume in &estate.volumes {
        let id = volume["volume_id"].as_str();
        let week: Vec<i64> = (1..=7).filter_map(|ago| ops.get(&(id, CLOCK / DAY - ago)).copied()).collect();
        let is_quiet = week.iter().all(|ops| *ops < 1);
        let sort = match (volume["state"].as_str(), volume["is_boot"].as_str()) {
            ("available", _) => "unattached",
            ("in-use", "false") if is_quiet && week.len() == 7 => "idle",
            ("in-use", "false") if is_quiet => "too young to tell",
            ("in-use", "true") if is_quiet && week.len() == 7 => "quiet boot volume",
            ("in-use", _) if week.len() == 7 && week.iter().sum::<i64>() < 20 => "hardly used",
            ("in-use", _) => "used",
            ("creating" | "deleted", _) => "gone or not there yet",
            other => panic!("{other:?}"),
        };
        *sorts.entry(sort).or_default() += 1;
        if ["unattached", "idle"].contains(&sort) {
            expected.insert(id, sort);
        }
    }
    let found = by_key(&estate.findings, "Volume ID");
    let reasons: BTreeMap<&str, &str> = found.iter().map(|(id, row)| (*id, row["Reason"].as_str())).collect();
    assert_eq!(reasons, expected);
    for (sort, least) in [
        ("unattached", 15),
        ("idle", 10),
        ("used", 150),
        ("quiet boot volume", 3),
        ("hardly used", 3),
        ("gone or not there yet", 10),
    ] {
        assert!(sorts.get(sort).is_some_and(|n| *n >= least), "{sorts:?}");
    }
}

#[test]
fn findings_tell_what_the_other_tables_say() {
    let estate = estate();
    let volumes = by_key(&estate.volumes, "volume_id");
    let mut latest: BTreeMap<&str, &Row> = BTreeMap::new();
    for snapshot in &estate.snapshots {
        let entry = latest.entry(&snapshot["volume_id"]).or_insert(snapshot);
        if seconds(snapshot, "started_at") >= seconds(entry, "started_at") {
            *entry = snapshot;
        }
    }
    let mut with_snapshot = 0;
    for finding in &estate.findings {
        let volume = volumes[finding["Volume ID"].as_str()];
        for (theirs, ours) in [
            ("Region", "region"),
            ("Volume Name", "tag_name"),
            ("Volume Type", "volume_type"),
            ("Volume Size", "size_gib"),
            ("Monthly Storage Cost", "monthly_storage_cost"),
            ("Account ID", "account_id"),
        ] {
            assert_eq!(finding[theirs], volume[ours], "{theirs} of {finding:?}");
        }
        let snapshot = latest.get(volume["volume_id"].as_str());
        for (theirs, ours) in
            [("Snapshot ID", "snapshot_id"), ("Snapshot Name", "name"), ("Snapshot Age", "age_days")]
        {
            let ours = snapshot.map_or("", |snapshot| &snapshot[ours]);
            assert_eq!(finding[theirs], ours, "{theirs} of {finding:?}");
        }
        with_snapshot += usize::from(snapshot.is_some());
    }
    assert!((10..estate.findings.len() - 10).contains(&with_snapshot), "{with_snapshot} have snapshots");
}

#[test]
fn keys_resolve_and_volumes_are_attached_while_in_use() {
    let estate = estate();
    let accounts = by_key(&estate.accounts, "account_id");
    let instances = by_key(&estate.instances, "instance_id");
    let mut boot_volumes: BTreeMap<&str, usize> = BTreeMap::new();
    for instance in &estate.instances {
        assert!(accounts.contains_key(instance["account_id"].as_str()), "{instance:?}");
        let (launched, since) = (seconds(instance, "launched_at"), seconds(instance, "state_since"));
        assert!(launched <= since && since <= CLOCK, "{instance:?}");
        assert!(instance["availability_zone"].starts_with(&instance["region"]), "{instance:?}");
    }
    let mut states = BTreeSet::new();
    for volume in &estate.volumes {
        assert!(accounts.contains_key(volume["account_id"].as_str()), "{volume:?}");
        let (created, since) = (seconds(volume, "created_at"), seconds(volume, "state_since"));
        assert!(created <= since && since <= CLOCK, "{volume:?}");
        assert!(volume["availability_zone"].starts_with(&volume["region"]), "{volume:?}");
        states.insert(volume["state"].as_str());
        assert_eq!(volume["state"] == "in-use", !volume["instance_id"].is_empty(), "{volume:?}");
        if volume["state"] == "in-use" {
            let instance = instances[volume["instance_id"].as_str()];
            for column in ["account_id", "region", "availability_zone"] {
                assert_eq!(volume[column], instance[column], "{volume:?}");
            }
            assert!(created >= seconds(instance, "launched_at"), "{volume:?}");
        }
        if volume["is_boot"] == "true" {
            assert_eq!(volume["state"], "in-use", "{volume:?}");
            *boot_volumes.entry(&volume["instance_id"]).or_default() += 1;
        }
    }
    assert!(states.is_superset(&["in-use", "available", "deleted"].into()), "{states:?}");
    assert!(boot_volumes.len() == instances.len() && boot_volumes.values().all(|n| *n == 1));
    assert!(estate.instances.iter().filter(|instance| instance["state"] == "stopped").count() >= 5);
}

#[test]
fn volumes_obey_the_limits_of_their_types_and_cost_what_the_price_list_says() {
    let estate = estate();
    let [min_size, max_size, max_iops] = ["min_size_gib", "max_size_gib", "max_iops"].map(limits);
    let prices: BTreeMap<(String, String), i64> = read(&root().join("rulesets/common/ebs-prices.csv"))
        .into_iter()
        .map(|f| ((f["region"].clone(), f["volume_type"].clone()), scaled(&f["usd_per_gib_month"], 7)))
        .collect();
    let accounts = by_key(&estate.accounts, "account_id");
    let mut types = BTreeSet::new();
    for volume in &estate.volumes {
        let (kind, size) = (&volume["volume_type"], whole(volume, "size_gib"));
        types.insert(kind.as_str());
        assert!((min_size[kind]..=max_size[kind]).contains(&size), "{volume:?}");
        // The README of the ruleset names the sources of these rules.
        let iops = match kind.as_str() {
            "gp2" => Some((3 * size).clamp(100, 16_000)..=(3 * size).clamp(100, 16_000)),
            "gp3" => Some(3000..=(500 * size).clamp(3000, max_iops[kind])),
            "io1" => Some(100..=(50 * size).min(max_iops[kind])),
            "io2" => Some(100..=(1000 * size).min(max_iops[kind])),
            _ => None,
        };
        match iops {
            Some(iops) => assert!(iops.contains(&whole(volume, "iops")), "{volume:?}"),
            None => assert_eq!(volume["iops"], "", "{volume:?}"),
        }
        assert!(volume["is_boot"] == "false" || !["st1", "sc1"].contains(&kind.as_str()), "{volume:?}");
        if accounts[volume["account_id"].as_str()]["encrypts_by_default"] == "true" {
            assert_eq!(volume["encrypted"], "true", "{volume:?}");
        }
        assert_eq!(volume["state"] == "deleted", volume["monthly_storage_cost"].is_empty(), "{volume:?}");
        if volume["state"] != "deleted" {
            // Cents, half rounded up: 10^-7 dollars to 10^-2.
            let exact = size * prices[&(volume["region"].clone(), kind.clone())];
            assert_eq!(scaled(&volume["monthly_storage_cost"], 2), (exact + 50_000) / 100_000, "{volume:?}");
        }
    }
    assert_eq!(types.len(), 7, "{types:?}");
}

#[test]
fn snapshots_are_younger_and_not_larger_than_their_volumes() {
    let estate = estate();
    let volumes = by_key(&estate.volumes, "volume_id");
    let min_size = limits("min_size_gib");
    by_key(&estate.snapshots, "snapshot_id");
    let mut counts: BTreeMap<&str, i64> = BTreeMap::new();
    let mut smaller = 0;
    for snapshot in &estate.snapshots {
        let volume = volumes[snapshot["volume_id"].as_str()];
        *counts.entry(&volume["volume_id"]).or_default() += 1;
        let (created, started) = (seconds(volume, "created_at"), seconds(snapshot, "started_at"));
        let deleted = volume["state"] == "deleted";
        let ended = if deleted { seconds(volume, "state_since") } else { CLOCK };
        assert!(created <= started && started <= ended, "{snapshot:?} of {volume:?}");
        assert_eq!(whole(snapshot, "age_days"), (CLOCK - started) / DAY, "{snapshot:?}");
        let (size, of) = (whole(snapshot, "size_gib"), whole(volume, "size_gib"));
        assert!(min_size[&volume["volume_type"]] <= size && size <= of, "{snapshot:?} of {volume:?}");
        smaller += usize::from(size < of);
        assert_eq!(snapshot["encrypted"], volume["encrypted"], "{snapshot:?}");
        assert_eq!(snapshot["name"].is_empty(), volume["tag_name"].is_empty(), "{snapshot:?}");
    }
    for volume in &estate.volumes {
        let count = counts.get(volume["volume_id"].as_str()).copied().unwrap_or(0);
        assert_eq!(whole(volume, "snapshots"), count, "{volume:?}");
        assert!(volume["tag_backup"] != "none" || count == 0, "{volume:?}");
    }
    assert!((10..estate.snapshots.len() / 2).contains(&smaller), "{smaller} are smaller than their volumes");
}

#[test]
fn days_are_the_sums_of_their_hours_and_only_attached_volumes_have_them() {
    let estate = estate();
    let volumes = by_key(&estate.volumes, "volume_id");
    let instances = by_key(&estate.instances, "instance_id");
    let max_iops = limits("max_iops");
    // Reads, writes and which hours, from the hourly file.
    let mut sums: BTreeMap<(&str, i64), (i64, i64, BTreeSet<i64>)> = BTreeMap::new();
    let mut idle_hours = 0;
    for row in &estate.hours {
        let hour = seconds(row, "hour");
        let (reads, writes) = (whole(row, "read_ops"), whole(row, "write_ops"));
        assert!(reads >= 0 && writes >= 0, "{row:?}");
        let day = sums.entry((&row["volume_id"], hour.div_euclid(DAY))).or_default();
        (day.0, day.1) = (day.0 + reads, day.1 + writes);
        assert!(hour % 3600 == 0 && day.2.insert(hour), "{row:?}");
        let volume = volumes[row["volume_id"].as_str()];
        let iops =
            if volume["iops"].is_empty() { max_iops[&volume["volume_type"]] } else { whole(volume, "iops") };
        assert!(reads + writes <= 3600 * iops, "{row:?} of {volume:?}");
        let instance = instances[volume["instance_id"].as_str()];
        if instance["state"] == "stopped" && hour >= seconds(instance, "state_since") {
            assert_eq!(reads + writes, 0, "{row:?} on {instance:?}");
            idle_hours += 1;
        }
    }
    assert!(idle_hours > 1000, "{idle_hours} hours on stopped instances");
    assert!(sums.values().all(|(_, _, hours)| hours.len() == 24));
    let days: BTreeMap<(&str, i64), (i64, i64)> = estate
        .days
        .iter()
        .map(|row| {
            let key = (row["volume_id"].as_str(), days(&row["date"]));
            (key, (whole(row, "read_ops"), whole(row, "write_ops")))
        })
        .collect();
    assert_eq!(days.len(), estate.days.len(), "a volume has a day twice");
    assert_eq!(days, sums.iter().map(|(key, sum)| (*key, (sum.0, sum.1))).collect());
    // Which days there are.
    let expected: BTreeSet<(&str, i64)> = estate
        .volumes
        .iter()
        .flat_map(|volume| days_with_metrics(volume).map(|day| (volume["volume_id"].as_str(), day)))
        .collect();
    assert_eq!(days.into_keys().collect::<BTreeSet<_>>(), expected);
    let young = estate.volumes.iter().filter(|volume| (1..14).contains(&days_with_metrics(volume).count()));
    assert!(young.count() >= 3, "too few volumes were attached in these two weeks");
}

/// Of volumes in steady use the operations of an hour are rate x load of the day x load of the hour x luck, where luck
/// has the mean 1 and the variance 1/4. So operations by declared load, in units of their mean over a volume's 336
/// hours, have the mean 1 at every hour of the day and on every weekday, if the declared shapes are there.
#[test]
fn days_and_weeks_have_the_declared_shapes() {
    let estate = estate();
    let instances = by_key(&estate.instances, "instance_id");
    let first = CLOCK - 14 * DAY;
    let steady: BTreeSet<&str> = estate
        .volumes
        .iter()
        .filter(|volume| volume["state"] == "in-use" && days_with_metrics(volume).count() == 14)
        .filter(|volume| {
            let instance = instances[volume["instance_id"].as_str()];
            instance["state"] == "running" && seconds(instance, "state_since") <= first
        })
        .map(|volume| volume["volume_id"].as_str())
        .collect();
    // Hour of the day, weekday, and operations by declared load.
    type Hour = (usize, usize, f64);
    let mut series: BTreeMap<(&str, &str), Vec<Hour>> = BTreeMap::new();
    for row in estate.hours.iter().filter(|row| steady.contains(row["volume_id"].as_str())) {
        let hour = seconds(row, "hour");
        let of_day = (hour % DAY / 3600) as usize;
        let weekday = ((hour / DAY + 3) % 7) as usize; // 1970-01-01 was a Thursday: day 3, where Monday is day 0
        let wave = 1.0 + 0.6 * ((of_day as f64 - 14.0) * std::f64::consts::TAU / 24.0).cos();
        let load = wave * if weekday >= 5 { 0.5 } else { 1.2 };
        for column in ["read_ops", "write_ops"] {
            let ops = whole(row, column) as f64 / load;
            series.entry((&row["volume_id"], column)).or_default().push((of_day, weekday, ops));
        }
    }
    let (mut by_hour, mut by_weekday) = ([(0.0, 0.0); 24], [(0.0, 0.0); 7]);
    let mut used = 0;
    for hours in series.values() {
        let mean = hours.iter().map(|(_, _, ops)| ops).sum::<f64>() / hours.len() as f64;
        // Where there are few, that operations are whole numbers adds to the variance.
        if mean < 100.0 {
            continue;
        }
        assert_eq!(hours.len(), 336);
        used += 1;
        for (hour, weekday, ops) in hours {
            for group in [&mut by_hour[*hour], &mut by_weekday[*weekday]] {
                *group = (group.0 + 1.0, group.1 + ops / mean);
            }
        }
    }
    assert!(used >= 100, "only {used} series are steady");
    let chi_squared =
        |groups: &[(f64, f64)]| -> f64 { groups.iter().map(|(n, sum)| (sum - n).powi(2) / (n * 0.25)).sum() };
    // Dividing by the mean takes a degree of freedom; 71.2 and 39.7 are exceeded with probability 1e-6.
    let (hours, weekdays) = (chi_squared(&by_hour), chi_squared(&by_weekday));
    assert!(hours < 71.2, "chi-squared of 23 degrees is {hours}: {by_hour:?}");
    assert!(weekdays < 39.7, "chi-squared of 6 degrees is {weekdays}: {by_weekday:?}");
}

#[test]
fn parts_of_the_findings_joined_are_the_whole() {
    let folder = tempfile::tempdir().unwrap();
    let mut joined = String::new();
    for part in 1..=3 {
        write(folder.path(), &["findings"], Slice::Shard(part, 3));
        let file = folder.path().join(format!("findings.{part}-of-3.csv"));
        joined += &std::fs::read_to_string(file).unwrap();
    }
    assert_eq!(joined, estate().findings_as_written);
}
