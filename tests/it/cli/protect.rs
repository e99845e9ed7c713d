//! The protect stage on made-up rows and on given ones: what leaves, in which order, and what is not told.

use std::process::Stdio;

use super::Place;

/// A table with a protected column and an open one.
pub(super) const PROTECTED: &str = "\
lookalike: 1
name: visits
seed: 1
tables:
  visits:
    rows: 200
    columns:
      id: {sequence: {start: 1}}
      answer: {choice: {yes_please: 50%, no: 50%}}
privacy:
  visits:
    answer: {randomised_response: {epsilon: 1, values: [yes_please, no]}}
";

#[test]
fn a_preview_of_protected_rows_says_what_it_shows() {
    let place = Place::with(PROTECTED);
    let outcome = place.run("preview x.yaml").expect(0);
    assert!(
        outcome.stderr.contains("not for release") && outcome.stderr.contains("before the noise"),
        "{outcome}"
    );
    let open = Place::with(PROTECTED.split("privacy:").next().unwrap());
    assert_eq!(open.run("preview x.yaml").expect(0).stderr, "");
}

/// What leaves by standard output is out at once, so its line in the ledger comes first; without a ledger nothing leaves.
#[test]
fn rows_on_standard_output_are_in_a_ledger_first() {
    let place = Place::with(PROTECTED);
    let refused = place.run("generate x.yaml -o -").expect(2);
    assert!(refused.stderr.contains("--ledger") && refused.text.is_empty(), "{refused}");
    let told = place.run("generate x.yaml -o - --ledger lost.jsonl -q").expect(0);
    assert_eq!(told.text.lines().count(), 201);
    let line = |at: usize| -> serde_json::Value {
        let text = String::from_utf8(place.read("lost.jsonl")).unwrap();
        serde_json::from_str(text.lines().nth(at).unwrap()).unwrap()
    };
    assert_eq!((&line(0)["table"], &line(0)["rows"]), (&"visits".into(), &200.into()));
    // Nobody reads: the rows do not get out, and are in the ledger all the same.
    let mut command = place.command();
    let line_of = "generate x.yaml -o - --range 0..50 --ledger lost.jsonl -q".split_whitespace();
    let mut child = command.args(line_of).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    drop(child.stdout.take());
    child.wait().unwrap();
    assert_eq!(line(1)["rows"], 50);
    // A folder has its own, unless it is kept elsewhere.
    place.run("generate x.yaml -o rows --ledger lost.jsonl -q").expect(0);
    assert_eq!(line(2)["rows"], 200);
    assert!(!place.path("rows/ledger.jsonl").exists());
    // Without anything protected, nobody asks for a ledger.
    let open = Place::with(PROTECTED.split("privacy:").next().unwrap());
    open.run("generate x.yaml -o - -q").expect(0);
}

/// A ledger that cannot be written keeps everything back.
#[test]
fn without_its_line_in_a_ledger_nothing_leaves() {
    let place = Place::with(PROTECTED);
    std::fs::create_dir(place.path("lost")).unwrap();
    for output in ["rows", "-"] {
        let line = format!("generate x.yaml -o {output} --format csv --ledger lost -q");
        let refused = place.run(&line).expect(4);
        assert!(refused.text.is_empty() && refused.stderr.contains("lost"), "{refused}");
    }
    assert_eq!(place.files("rows"), [""; 0]);
}

/// Rows from a file get their noise by `inject`, whether or not anomalies are asked for. What the manifest says is the same for a
/// file with other values, but for the noise: no digest, no size, no count of rows that meet a condition.
#[test]
fn given_records_are_protected_and_nothing_is_told_of_them() {
    let rules = "\
lookalike: 1
name: survey
tables:
  other: {columns: {x: {uniform: [0, 1]}}, anomalies: {rate: 1%, kinds: {gone: {missing: x}}}}
  data: {}
privacy:
  other: {x: {laplace: {epsilon: 1, min: 0, max: 1}}}
  data:
    answer: {randomised_response: {epsilon: 1, values: ['yes', 'no']}}
    age: {laplace: {epsilon: 1, min: 0, max: 120}}
";
    let spoilt = rules.replace(
        "data: {}",
        "data: {anomalies: {rate: 10%, kinds: {old: {when: age > 60, set: {age: '121'}}}}}",
    );
    for rules in [rules, &spoilt] {
        let place = Place::new();
        place.write("rules.yaml", rules);
        let mut manifests = Vec::new();
        for (name, ages) in [("a", [70, 80]), ("b", [70, 5])] {
            let row = |at: usize| match at % 7 {
                0 if name == "b" => format!("{at},,\n"),
                _ => format!("{at},{},{}\n", ["yes", "no"][at % 2], ages[at % 2]),
            };
            let rows: String = (0..300).map(row).collect();
            place.write("data.csv", format!("id,answer,age\n{rows}"));
            let line = format!("inject data.csv --rules rules.yaml --table data -o {name} -q --type age=int");
            let refused = place.run(&line).expect(2);
            assert!(refused.stderr.contains("--type answer=text") && !place.path(name).exists(), "{refused}");
            place.run(&format!("{line} --type answer=text")).expect(0);
            assert_eq!(place.files(name), ["data.csv", "ledger.jsonl", "manifest.json", "privacy.md"]);
            let text = String::from_utf8(place.read(&format!("{name}/data.csv"))).unwrap();
            let cells: Vec<Vec<&str>> = text.lines().skip(1).map(|line| line.split(',').collect()).collect();
            assert_eq!(cells.len(), 300);
            assert!(cells.iter().all(|row| ["yes", "no"].contains(&row[1]) && !row[2].is_empty()), "{text}");
            let bytes = place.read(&format!("{name}/manifest.json"));
            let mut manifest: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
            for noisy in ["bytes", "sha256"] {
                manifest["tables"][0]["files"][0][noisy].take();
            }
            manifest["timing"].take();
            manifests.push(manifest);
        }
        assert_eq!(manifests[0], manifests[1]);
        assert_eq!(
            manifests[0]["data"],
            serde_json::json!({"file": "data.csv", "format": "csv", "rows": 300})
        );
    }
}

/// Private rows as a part of a table are in no digest, either.
#[test]
fn private_parts_are_in_no_digest() {
    let place = Place::new();
    place.write(
        "x.yaml",
        "\
lookalike: 1
name: survey
seed: 1
tables:
  people:
    rows: 100
    columns:
      id: {sequence: {start: 1}}
      age: {int_range: [20, 60]}
    subsets: {parts: {real: {share: 50%, from: real.csv, types: {age: int}}, made: {share: 50%}}}
privacy: {people: {age: {laplace: {epsilon: 1, min: 0, max: 120}}}}
",
    );
    place.write("real.csv", "age\n30\n");
    let text = String::from_utf8(place.read("x.yaml")).unwrap();
    place.write("guessed.yaml", text.replace(", types: {age: int}", ""));
    let refused = place.run("generate guessed.yaml -o a --no-report").expect(2);
    assert!(refused.stderr.contains("`types: {age: int}`"), "{refused}");
    let refused = place.run("generate x.yaml -o a --no-report --lock").expect(2);
    assert!(refused.stderr.contains("guesses could be held against them"), "{refused}");
    assert!(!place.path("a").exists() && !place.path("lookalike.lock").exists());
    let mut manifests = Vec::new();
    for (name, age) in [("a", 30), ("b", 7)] {
        let rows: String = (0..60).map(|at| format!("{}\n", age + at % 3)).collect();
        place.write("real.csv", format!("age\n{rows}"));
        place.run(&format!("generate x.yaml -o {name} --format csv --no-report -q")).expect(0);
        let mut manifest: serde_json::Value =
            serde_json::from_slice(&place.read(&format!("{name}/manifest.json"))).unwrap();
        for noisy in ["bytes", "sha256"] {
            manifest["tables"][0]["files"][0][noisy].take();
        }
        manifest["timing"].take();
        manifests.push(manifest);
    }
    assert_eq!(manifests[0], manifests[1]);
}
