//! Real tables that are larger than what is held of them: figures come from samples, copies and keys from all rows.

use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use lookalike::pipeline::{Destination, Job, Quiet, generate};
use lookalike::validate::model::{Report, Verdict};
use lookalike::validation::{HELD_ROWS, Request, validate};
use lookalike::{Loader, Ruleset};

const SHOP: &str = "
lookalike: 1
name: shop
seed: 1
tables:
  customers:
    rows: 900
    columns:
      customer: {pattern: 'C-[0-9]{6}', unique: true}
      size: {log_normal: {median: 20, p95: 90}}
      tier: {choice: {gold: 20%, silver: 30%, none: 50%}}
  orders:
    belongs_to: {by: {table: customers, per_parent: {poisson: {mean: 5}}}}
    columns:
      customer: {expr: by.customer}
      order: {pattern: 'O-[0-9a-f]{10}', unique: true}
      price: {log_normal: {median: 50, p95: 400}, round: 2}
      channel: {choice: {web: 70%, shop: 30%}}
      placed: {datetime_range: [2025-01-01, 2026-01-01]}
";

/// Few parents whose draws all their children share, and rows that are numbered.
const FLIGHTS: &str = "
lookalike: 1
name: flights
seed: 1
tables:
  cities: {rows: 12, columns: {city: {sequence: {}}, name: {choice: [Bonn, Köln, Trier, Mainz, Jena, Ulm]}}}
  flights:
    rows: 25
    belongs_to: {at: cities}
    columns: {flight: {sequence: {}}, city: {expr: at.city}}
    draws: {base: {log_normal: {median: 100, p95: 900}}}
  seats:
    belongs_to: {of: {table: flights, per_parent: {int_range: [40, 120]}}}
    columns:
      seat: {sequence: {}}
      flight: {expr: of.flight}
      fare: {expr: of.base * comfort, round: 2}
      window: {bernoulli: 30%}
    draws: {comfort: {uniform: [0.9, 1.1]}}
";

/// Writes the tables of a seed as CSV.
fn write(folder: &Path, rules: &str, seed: u64) -> PathBuf {
    let text = rules;
    let rules = folder.join("rules.yaml");
    std::fs::write(&rules, text).unwrap();
    let ruleset = Ruleset::loader().seed(seed).path(&rules).unwrap_or_else(|error| panic!("{error}"));
    let folder = folder.join(seed.to_string());
    let job = Job { destination: Destination::Folder(folder.clone()), ..Job::default() };
    generate(&ruleset, &job, &Quiet, &AtomicBool::new(false)).unwrap();
    folder
}

fn compared(folder: &Path, data: &Path, real: &Path, held_rows: u64) -> Report {
    let rules = folder.join("rules.yaml");
    let request = Request { reference: Some(real.to_owned()), held_rows, ..Request::of(data) };
    validate(Loader::new(), &rules, &request, &Quiet, &AtomicBool::new(false)).unwrap()
}

fn failed(report: &Report) -> Vec<String> {
    report
        .failures()
        .map(|check| format!("{} {:?}: {}", check.metric.name, check.columns, check.message))
        .collect()
}

#[test]
fn samples_of_large_tables_pass_and_say_what_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let (data, real) = (write(folder.path(), SHOP, 1), write(folder.path(), SHOP, 2));
    for held in [HELD_ROWS, 400] {
        let report = compared(folder.path(), &data, &real, held);
        assert_eq!(failed(&report), Vec::<String>::new(), "{held} rows held");
        let notes: Vec<&str> =
            report.tables.iter().flat_map(|table| &table.notes).map(|note| note.text.as_str()).collect();
        let sampled = notes.iter().filter(|note| note.contains("each chosen by its number alone")).count();
        let linked = notes.iter().filter(|note| note.contains("with all their children")).count();
        assert_eq!((sampled, linked), if held == 400 { (4, 1) } else { (0, 0) }, "{notes:#?}");
        let figure = |metric: &str, table: &str| {
            let check = report.checks().find(|check| check.metric.name == metric && check.table == table);
            check.and_then(|check| check.value)
        };
        // Exact whatever is held: no order is lost, no key repeats.
        assert_eq!(figure("ReferentialIntegrity", "orders"), Some(1.0));
        assert_eq!(figure("KeyUniqueness", "customers"), Some(1.0));
        assert!(report.tables.iter().all(|table| table.notes.iter().all(|note| !note.for_release)));
    }
}

/// A copied row is found wherever it is: the sample has hardly any of them.
#[test]
fn copies_and_repeated_keys_are_found_in_all_rows() {
    let folder = tempfile::tempdir().unwrap();
    let (data, real) = (write(folder.path(), SHOP, 1), write(folder.path(), SHOP, 2));
    let read = |path: &Path| std::fs::read_to_string(path.join("orders.csv")).unwrap();
    let theirs: Vec<String> = read(&real).lines().map(str::to_owned).collect();
    let mut own: Vec<String> = read(&data).lines().map(str::to_owned).collect();
    // Three orders in a hundred have price, channel and time of a real one, and its number.
    let tail = |line: &str| line.split_once(',').unwrap().1.to_owned();
    let copied = (1..own.len().min(theirs.len())).step_by(33).collect::<Vec<_>>();
    for at in &copied {
        let customer = own[*at].split_once(',').unwrap().0.to_owned();
        own[*at] = format!("{customer},{}", tail(&theirs[*at]));
    }
    // And one number occurs twice.
    own[2] = format!("{},{}", own[2].split_once(',').unwrap().0, tail(&own[3]));
    std::fs::write(data.join("orders.csv"), own.join("\n") + "\n").unwrap();
    for held in [HELD_ROWS, 400] {
        let report = compared(folder.path(), &data, &real, held);
        let find = |metric: &str, columns: &[&str]| {
            report
                .checks()
                .find(|check| check.metric.name == metric && check.columns == columns)
                .unwrap()
                .clone()
        };
        let rows = (own.len() - 1) as f64;
        for check in [find("IdenticalMatchShare", &[]), find("CopiedValueShare", &["order"])] {
            let orders = report
                .checks()
                .filter(|other| other.metric.name == check.metric.name && other.columns == check.columns)
                .filter(|other| other.table == "orders");
            let values: Vec<f64> = orders.filter_map(|check| check.value).collect();
            assert_eq!(values, [copied.len() as f64 / rows], "{}: {}", check.metric.name, check.message);
        }
        let copies =
            report.checks().filter(|check| check.metric.name.ends_with("Share") && check.table == "orders");
        assert!(copies.filter(|check| check.verdict == Verdict::Fail).count() >= 2, "{:?}", failed(&report));
        let key = find("KeyUniqueness", &["order"]);
        assert!((key.value.unwrap() - (1.0 - 1.0 / rows)).abs() < 1e-12, "{}", key.message);
    }
}

/// Another sample of the same truth passes where children share what their parents drew, and where rows are numbered. What is
/// wrong in single rows fails all the same.
#[test]
fn rows_that_share_draws_are_not_taken_for_independent() {
    let folder = tempfile::tempdir().unwrap();
    let (data, real) = (write(folder.path(), FLIGHTS, 1), write(folder.path(), FLIGHTS, 2));
    let report = compared(folder.path(), &data, &real, HELD_ROWS);
    assert_eq!(failed(&report), Vec::<String>::new());
    let seats = report.tables.iter().find(|table| table.name == "seats").unwrap();
    assert!(seats.notes.iter().any(|note| note.text.contains("share draws") && note.text.contains("`fare`")));
    assert!(
        seats.checks.iter().any(|check| check.message.contains("rows share draws")),
        "the fares differ by chance"
    );
    // Independent columns are judged as ever, and numbers of rows are no amounts.
    let judged = |metric: &str, column: &str| {
        let mut checks = seats.checks.iter();
        checks
            .find(|check| check.metric.name == metric && check.columns == [column])
            .map(|check| check.verdict)
    };
    assert_eq!(judged("TVComplement", "window"), Some(Verdict::Pass));
    assert_eq!(judged("KSComplement", "seat"), None);
    // Windows twice as often as in truth are noticed.
    let seats = data.join("seats.csv");
    let text = std::fs::read_to_string(&seats).unwrap();
    let lines: Vec<String> = text
        .lines()
        .enumerate()
        .map(|(at, line)| if at % 2 == 1 { line.replace(",false", ",true") } else { line.to_owned() })
        .collect();
    std::fs::write(&seats, lines.join("\n") + "\n").unwrap();
    let report = compared(folder.path(), &data, &real, HELD_ROWS);
    assert!(
        failed(&report).iter().any(|line| line.starts_with("TVComplement [\"window\"]")),
        "{:?}",
        failed(&report)
    );
}
