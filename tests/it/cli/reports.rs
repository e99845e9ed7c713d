//! `check`, and what it says about rulesets.

use super::{ORDERS, Place};

/// Ten mistakes, each on the line that its comment names.
const TEN: &str = "\
lookalike: 1
name: ten mistakes # 1
seed: 1
tabels: {} # 2
tables:
  t:
    rows: 1k
    columns:
      a: {choise: [x, y]} # 3
      b: {normal: {mean: 1, std_dev: 2, stdev: 2}} # 4
      c: {uniform: [5, 1]} # 5
      d: {bernoulli: 120%} # 6
      e: {expr: 'd +'} # 7
      f: {ref: nothing} # 8
      g: {sequence: {start: 1}, choice: [a]} # 9
      h: {expr: 'zzz + 1'} # 10
";

#[test]
fn a_good_ruleset_is_told_so() {
    let place = Place::with(ORDERS);
    place.run("check x.yaml").expect(0).snapshot("check");
    let json = place.run("check x.yaml --format json").expect(0);
    assert_eq!((json.text.as_str(), json.stderr.as_str()), ("[]\n", ""));
}

#[test]
fn ten_mistakes_are_reported_at_once() {
    let place = Place::with(TEN);
    let outcome = place.run("check x.yaml --format json").expect(2);
    let list: Vec<serde_json::Value> = serde_json::from_slice(&outcome.stdout).unwrap();
    let reported: Vec<u64> = list.iter().map(|diagnostic| diagnostic["line"].as_u64().unwrap()).collect();
    let wrong: Vec<u64> =
        TEN.lines().zip(1..).filter(|(line, _)| line.contains('#')).map(|(_, number)| number).collect();
    assert_eq!(wrong.len(), 10);
    assert_eq!(reported, wrong, "{outcome}");
    assert_eq!(outcome.stderr, "");
    place.run("check x.yaml").expect(2).snapshot("ten_mistakes");
}

#[test]
fn generate_refuses_with_the_same_words() {
    let place = Place::with(TEN);
    let checked = place.run("check x.yaml").expect(2);
    let generated = place.run("generate x.yaml --quiet").expect(2);
    assert_eq!(generated.stderr, checked.stderr);
    assert_eq!(generated.text, "");
    assert_eq!(place.files("."), ["x.yaml"]);
}

#[test]
fn scanners_get_sarif() {
    let place = Place::with(TEN);
    let outcome = place.run("check x.yaml --format sarif").expect(2);
    let log: serde_json::Value = serde_json::from_slice(&outcome.stdout).unwrap();
    assert_eq!(log["version"], "2.1.0");
    assert_eq!(log["runs"][0]["results"].as_array().unwrap().len(), 10);
    let generated = place.run("generate x.yaml --diagnostics sarif").expect(2);
    assert_eq!(generated.stderr, outcome.text);
}

#[test]
fn mistakes_on_the_command_line_are_explained() {
    let place = Place::with(ORDERS);
    for (name, line) in [
        ("range_backwards", "--range 9..3"),
        ("range_of_words", "--range a..b"),
        ("range_beyond_the_end", "--range 0..1001"),
        ("shard_of_none", "--shard 0/4"),
        ("rows_with_a_fraction", "--rows 1.5"),
        ("rows_beyond_all_bounds", "--rows 1e30"),
        ("rows_and_scale", "--rows 5 --scale 2"),
        ("no_threads", "--threads 0"),
        ("unknown_format", "--format cvs"),
        ("compression_level", "--parquet-compression zstd:99"),
        ("unknown_flag", "--sead 5"),
    ] {
        place.run(&format!("generate x.yaml -q {line}")).expect(2).snapshot(&format!("arguments_{name}"));
    }
    assert_eq!(place.files("."), ["x.yaml"]);
}
