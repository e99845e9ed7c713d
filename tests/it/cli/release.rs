//! `lookalike release` and the protect stage, as a user meets them.

use std::collections::BTreeMap;
use std::path::Path;

use super::Place;

const RULES: &str = "\
lookalike: 1
unit: {column: client, max_rows: 3, at_most: 10k}
columns:
  region: {values: [north, south]}
  cost: {min: 0, max: 100, step: 0.01}
releases:
  volumes: {statistic: count, by: [region]}
  cost: {statistic: mean, of: cost}
";

/// A folder with rules and a table of 900 rows, three for each of 300 clients.
fn place() -> Place {
    let place = Place::new();
    place.write("rules.yaml", RULES);
    let mut table = String::from("client,region,cost\n");
    for row in 0..900 {
        let region = if row % 4 == 0 { "north" } else { "south" };
        table.push_str(&format!("c{},{region},{}.50\n", row / 3, row % 90));
    }
    place.write("data.csv", table);
    place
}

const RELEASE: &str = "release data.csv --rules rules.yaml --delta 1e-6";

#[test]
fn a_release_is_made_once_and_then_the_budget_is_spent() {
    let place = place();
    let plan = place.run(&format!("{RELEASE} --epsilon 1 --dry-run")).expect(0);
    assert!(plan.text.contains("count of rows by region, 4 groups"), "{plan}");
    assert!(plan.text.contains("has given away nothing yet"), "{plan}");
    assert!(
        !place.path("outputs").exists() && !place.path(".lookalike").exists(),
        "a dry run spends nothing"
    );

    let first = place.run(&format!("{RELEASE} --epsilon 1")).expect(0);
    assert!(first.stderr.contains("to outputs/release"), "{first}");
    assert_eq!(
        place.files("outputs/release"),
        [
            "cost.csv",
            "cost.png",
            "cost.svg",
            "ledger.jsonl",
            "manifest.json",
            "release.md",
            "volumes.csv",
            "volumes.png",
            "volumes.svg"
        ]
    );
    let csv = String::from_utf8(place.read("outputs/release/volumes.csv")).unwrap();
    let keys: Vec<&str> = csv.lines().map(|line| line.split(',').next().unwrap()).collect();
    assert_eq!(keys, ["region", "north", "south", "(other)", "(null)"]);
    assert!(csv.starts_with("region,count,std_error,half_width_95\n"));
    let manifest: serde_json::Value =
        serde_json::from_slice(&place.read("outputs/release/manifest.json")).unwrap();
    let epsilon = manifest["privacy"]["epsilon"].as_f64().unwrap();
    assert!(epsilon <= 1.0 && epsilon > 0.999, "{epsilon}");
    assert_eq!(manifest["privacy"]["unit"]["column"], "client");
    let ledger = String::from_utf8(place.read("outputs/release/ledger.jsonl")).unwrap();
    assert_eq!(ledger.lines().count(), 5, "opening, three draws, closing");
    let summary = String::from_utf8(place.read("outputs/release/release.md")).unwrap();
    for text in [&summary, &ledger, &first.stderr] {
        assert!(!text.to_lowercase().contains("anonym"), "{text}");
    }
    assert!(summary.contains("**Unit of privacy**: `client`, at most 3 rows of each."), "{summary}");

    let second = place.run(&format!("{RELEASE} --epsilon 1 -o again")).expect(3);
    assert!(second.stderr.contains("the table has"), "{second}");
    assert!(!place.path("again/manifest.json").exists());
    let left = place.run(&format!("{RELEASE} --epsilon 1 --dry-run")).expect(0);
    assert!(left.text.contains("is left"), "{left}");
}

#[test]
fn a_total_allows_several_releases() {
    let place = place();
    for run in 0..2 {
        place.run(&format!("{RELEASE} --epsilon 0.5 --total-epsilon 1 -o run{run}")).expect(0);
    }
    let manifest: serde_json::Value = serde_json::from_slice(&place.read("run1/manifest.json")).unwrap();
    let (own, table) = (&manifest["privacy"]["epsilon"], &manifest["privacy"]["table_epsilon"]);
    assert!(table.as_f64().unwrap() > own.as_f64().unwrap() && table.as_f64().unwrap() <= 1.0);
    let other = place.run(&format!("{RELEASE} --epsilon 0.1 --total-epsilon 9 -o run9")).expect(2);
    assert!(other.stderr.contains("was agreed at its first run"), "{other}");
}

#[test]
fn noise_differs_from_run_to_run() {
    let place = place();
    for state in ["a", "b"] {
        place.run(&format!("{RELEASE} --epsilon 1 --state {state}.jsonl -o {state}")).expect(0);
    }
    assert_ne!(place.read("a/volumes.csv"), place.read("b/volumes.csv"));
}

#[test]
fn refusals_name_what_is_wrong() {
    let place = place();
    place.write("no-column.csv", "customer,region,cost\na,north,1\n");
    place.write("no-unit.csv", "client,region,cost\na,north,1\n,north,1\n");
    place.write("typo.yaml", RULES.replace("statistic: mean", "statistik: mean"));
    place.write("unbounded.yaml", RULES.replace("max_rows: 3, ", ""));
    for (line, code, words) in [
        ("data.csv --rules rules.yaml --epsilon -1 --delta 1e-6", 2, "epsilon is -1"),
        ("data.csv --rules rules.yaml --epsilon 1 --delta 0", 2, "delta is 0"),
        ("data.csv --rules rules.yaml --epsilon 1 --delta 1e-3", 2, "not below one over the number of units"),
        ("data.csv --rules rules.yaml --epsilon 0.0001 --delta 1e-6", 2, "too small to say anything"),
        ("data.csv --rules typo.yaml --epsilon 1 --delta 1e-6", 2, "unknown key `statistik`"),
        (
            "data.csv --rules unbounded.yaml --epsilon 1 --delta 1e-6",
            2,
            "no bound on the rows of one `client`",
        ),
        ("data.csv --rules nowhere.yaml --epsilon 1 --delta 1e-6", 2, "nowhere.yaml"),
        ("no-column.csv --rules rules.yaml --epsilon 1 --delta 1e-6", 2, "no column of the unit, `client`"),
        ("no-unit.csv --rules rules.yaml --epsilon 1 --delta 1e-6", 2, "does not name a unit in every row"),
        ("rules.yaml --rules rules.yaml --epsilon 1 --delta 1e-6", 2, "rules.yaml"),
    ] {
        let outcome = place.run(&format!("release {line}")).expect(code);
        assert!(outcome.stderr.contains(words), "`{words}` is not in {outcome}");
        assert!(!place.path("outputs/release/manifest.json").exists(), "{line}");
    }
    // None of these spent anything.
    place.run(&format!("{RELEASE} --epsilon 1")).expect(0);
}

/// The consultancy's two commands; its figures are near the truth that its own table has: within five standard errors, which
/// 77 figures miss with a probability below 1e-4.
#[test]
fn the_consultancy_example_runs_from_its_commands() {
    let place = Place::new();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("rulesets/consultancy");
    let (table, rules) = (root.join("underutilized-volumes.yaml"), root.join("release.yaml"));
    place.run(&format!("generate {} --format csv -o data", table.display())).expect(0);
    let release = format!("release data/volumes.csv --rules {} --epsilon 2 --delta 1e-6", rules.display());
    let plan = place.run(&format!("{release} --dry-run")).expect(0);
    assert!(plan.text.contains("volumes_by_region_and_type"), "{plan}");
    place.run(&release).expect(0);
    let mut truth: BTreeMap<(String, String), f64> = BTreeMap::new();
    let mut reader = csv::Reader::from_reader(std::fs::File::open(place.path("data/volumes.csv")).unwrap());
    for record in reader.records() {
        let record = record.unwrap();
        *truth.entry((record[1].to_owned(), record[2].to_owned())).or_default() += 1.0;
    }
    let figures = place.read("outputs/release/volumes_by_region_and_type.csv");
    let mut reader = csv::Reader::from_reader(figures.as_slice());
    let mut cells = 0;
    for record in reader.records() {
        let record = record.unwrap();
        let number = |at: usize| record[at].parse::<f64>().unwrap();
        let truth = truth.get(&(record[0].to_owned(), record[1].to_owned())).copied().unwrap_or(0.0);
        assert!((number(2) - truth).abs() <= 5.0 * number(3), "{record:?} {truth}");
        cells += 1;
    }
    assert_eq!(cells, 13 * 9, "all cells of the cross product, with others and nulls");
    let files = place.files("outputs/release");
    for name in ["volumes.csv", "cost_by_type.svg", "idle_days.png", "release.md", "ledger.jsonl"] {
        assert!(files.iter().any(|file| file == name), "{name} is missing");
    }
}

const PROTECTED: &str = "\
lookalike: 1
name: visits
seed: 1
tables:
  visits:
    rows: 2k
    columns:
      id: {sequence: {start: 1}}
      answer: {choice: {yes_please: 50%, no: 50%}}
      age: {int_range: [20, 60], null: 10%}
    anomalies: {rate: 10%, kinds: {huge: {set: {age: '1000000'}}}}
privacy:
  visits:
    answer: {randomised_response: {epsilon: 1, values: [yes_please, no]}}
    age: {laplace: {epsilon: 1, min: 0, max: 120}}
";

#[test]
fn protected_columns_get_fresh_noise_and_nothing_else_changes() {
    let place = Place::with(PROTECTED);
    for run in ["a", "b"] {
        place.run(&format!("generate x.yaml --format csv -o {run}")).expect(0);
    }
    assert_eq!(
        place.files("a"),
        ["ledger.jsonl", "manifest.json", "privacy.md", "visits.csv"],
        "no file shows what the noise hides"
    );
    let page = String::from_utf8(place.read("a/privacy.md")).unwrap();
    for part in [
        "# visits: what is promised",
        "**A record loses at most**: epsilon 2.0000 (rho 1.000000)",
        "`answer`: randomised response, probability of the truth 0.7311, epsilon 1.0000",
        "`age`: discrete Laplace, scale 120.0000, epsilon 1.0000",
        "Nothing is promised about `id`, which is written as it is",
        "**For release**",
        "**Not for release**",
    ] {
        assert!(page.contains(part), "{part} is not in {page}");
    }
    let column = |run: &str, at: usize| -> Vec<String> {
        let bytes = place.read(&format!("{run}/visits.csv"));
        let mut reader = csv::Reader::from_reader(bytes.as_slice());
        reader.records().map(|record| record.unwrap()[at].to_owned()).collect()
    };
    assert_eq!(column("a", 0), column("b", 0));
    assert_ne!(column("a", 1), column("b", 1));
    assert_ne!(column("a", 2), column("b", 2));
    assert!(column("a", 1).iter().all(|answer| ["yes_please", "no"].contains(&answer.as_str())));
    // Scale 120: what is beyond 120 ln(1e12) is not noise but a value that was let through.
    assert!(column("a", 2).iter().all(|age| age.parse::<f64>().unwrap().abs() < 120.0 + 120.0 * 28.0));
    let manifest: serde_json::Value = serde_json::from_slice(&place.read("a/manifest.json")).unwrap();
    let privacy = &manifest["tables"][0]["privacy"];
    assert!((privacy["epsilon"].as_f64().unwrap() - 2.0).abs() < 1e-9, "{privacy}");
    assert_eq!(privacy["reproducible"], false);
    assert_eq!(privacy["not_protected"], serde_json::json!(["id"]));
    let clean = place.run("generate x.yaml --format csv --clean -o c").expect(2);
    assert!(clean.stderr.contains("is protected"), "{clean}");
}

#[test]
fn noise_that_cannot_be_is_refused() {
    let place =
        Place::with(&PROTECTED.replace("laplace: {epsilon: 1, min: 0, max: 120}", "laplace: {epsilon: 1}"));
    let outcome = place.run("check x.yaml").expect(2);
    assert!(outcome.text.contains("min") || outcome.stderr.contains("min"), "{outcome}");
    for (from, to, words) in [
        ("    age: {laplace", "    agee: {laplace", "there is no column `agee`"),
        ("  visits:\n    answer", "  visit:\n    answer", "there is no table `visit`"),
        ("values: [yes_please, no]", "values: [no]", "too few"),
        (
            "laplace: {epsilon: 1, min: 0, max: 120}",
            "randomised_response: {epsilon: 1, values: [a, b]}",
            "this noise is for text",
        ),
    ] {
        let text = PROTECTED.replace(from, to);
        assert_ne!(text, PROTECTED, "{from}");
        let outcome = Place::with(&text).run("check x.yaml").expect(2);
        assert!(format!("{outcome}").contains(words), "`{words}` is not in {outcome}");
    }
}
