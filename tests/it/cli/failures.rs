//! What cannot work: each ends with the right code and with words, and leaves no file behind.

use super::{ORDERS, Place};

/// Refuses the ruleset with code 2 and the words of the snapshot, and writes nothing.
#[track_caller]
fn refused(place: &Place, name: &str) {
    let outcome = place.run("generate x.yaml -o out -q").expect(2);
    assert_eq!(outcome.text, "");
    if place.path("out").exists() {
        assert_eq!(place.files("out"), [""; 0]);
    }
    outcome.snapshot(name);
}

#[test]
fn files_that_are_no_rulesets() {
    let place = Place::new();
    refused(&place, "missing_ruleset");
    place.run("generate .").expect(2).snapshot("folder_for_a_ruleset");
    refused(&Place::with(""), "empty_ruleset");
    let place = Place::new();
    place.write("x.yaml", b"\x7fELF\x02\x01\x01\0\0\xff\xfe\x00binary");
    refused(&place, "binary_ruleset");
    place.write("x.txt", "lookalike: 1");
    place.run("check x.txt").expect(2).snapshot("unknown_extension");
}

#[test]
fn huge_files_are_not_read() {
    let place = Place::new();
    let file = std::fs::File::create(place.path("x.yaml")).unwrap();
    file.set_len(100 << 20).unwrap();
    refused(&place, "huge_ruleset");
}

#[test]
fn deep_nesting_is_refused() {
    refused(
        &Place::with(&format!("lookalike: 1\na: {}{}\n", "[".repeat(20_000), "]".repeat(20_000))),
        "deep_lists",
    );
    let deep = format!("a: {}{{constant: 1}}{}", "{mixture: [{weight: 1, of: ".repeat(40), "}]}".repeat(40));
    refused(&Place::with_columns("5", &[&deep]), "deep_generators");
}

#[test]
fn numbers_that_cannot_be() {
    refused(&Place::with_columns("1e30", &["a: {constant: 1}"]), "rows_1e30");
    refused(&Place::with_columns("-1", &["a: {constant: 1}"]), "rows_negative");
    refused(&Place::with_columns("5", &["a: {choice: {x: 0, y: 0}}"]), "weights_sum_to_zero");
    refused(&Place::with_columns("5", &["a: {choice: {x: -1, y: 2}}"]), "weights_negative");
    refused(&Place::with_columns("5", &["a: {normal: {mean: nan, std_dev: 1}}"]), "nan");
    refused(
        &Place::with_columns("5", &["a: {normal: {mean: 1e308, std_dev: 1e308}, type: int}"]),
        "numbers_that_do_not_fit",
    );
}

#[test]
fn unique_values_that_run_out() {
    refused(
        &Place::with_columns("1k", &["a: {pattern: 'x[0-9]', unique: true}"]),
        "pattern_with_too_few_words",
    );
    refused(&Place::with_columns("1k", &["a: {int_range: [1, 10], unique: true}"]), "int_range_too_small");
}

#[test]
fn conditions_that_cannot_hold() {
    let place = Place::with_columns("5", &["a: {int_range: [1, 10]}"]);
    let text = String::from_utf8(place.read("x.yaml")).unwrap();
    place.write("x.yaml", format!("{text}    require: ['a > 10']\n"));
    refused(&place, "require_that_cannot_hold");
}

#[test]
fn files_outside_the_tree_need_leave() {
    let place = Place::new();
    std::fs::create_dir_all(place.path("inner")).unwrap();
    place.write("facts.csv", "key,value\na,1\n");
    let text = ORDERS.replace("tables:", "lookups:\n  facts: {file: ../facts.csv, key: [key]}\ntables:");
    place.write("inner/x.yaml", text);
    place.run("check inner/x.yaml").expect(2).snapshot("file_outside_the_tree");
    place.run("check inner/x.yaml --allow-path .").expect(0);
}

#[test]
fn folders_that_cannot_be_written() {
    let place = Place::with(ORDERS);
    place.write("file", "in the way");
    place.run("generate x.yaml -q -o file").expect(4).snapshot("folder_is_a_file");
    place.run("generate x.yaml -q -o file/out").expect(4).snapshot("folder_below_a_file");
    std::fs::create_dir_all(place.path("out/orders.csv")).unwrap();
    place.run("generate x.yaml -q -o out").expect(4).snapshot("folder_in_the_way");
    assert_eq!(place.files("out"), ["orders.csv"]);
}

#[cfg(unix)]
#[test]
fn folders_without_permission() {
    use std::os::unix::fs::PermissionsExt;
    let place = Place::with(ORDERS);
    std::fs::create_dir(place.path("closed")).unwrap();
    std::fs::set_permissions(place.path("closed"), std::fs::Permissions::from_mode(0o555)).unwrap();
    if std::fs::write(place.path("closed/probe"), "").is_ok() {
        eprintln!("SKIPPED: whoever runs this may write everywhere (root?)");
        return;
    }
    place.run("generate x.yaml -q -o closed").expect(4).snapshot("folder_without_permission");
}

#[test]
fn a_failing_run_leaves_earlier_files_as_they_were() {
    // The first rows are fine, so that the run fails when it is under way.
    let text = ORDERS.replace("    columns:", "    require: ['id <> 200000']\n    columns:");
    let place = Place::with(&text);
    place.run("generate x.yaml -q -o out --format csv").expect(0);
    place.write("out/orders.csv", "precious");
    place.write("out/manifest.json", "precious, too");
    place
        .run("generate x.yaml -q -o out --rows 300k --format csv")
        .expect(2)
        .snapshot("condition_that_stops_holding");
    assert_eq!(place.read("out/orders.csv"), b"precious");
    assert_eq!(place.read("out/manifest.json"), b"precious, too");
    assert_eq!(place.files("out"), ["manifest.json", "orders.csv", "report"]);
}

#[cfg(unix)]
#[test]
fn a_disk_that_is_full() {
    let place = Place::with(ORDERS);
    // A limit on the size of files stands for the disk; with its signal ignored, writes beyond it fail.
    let program = env!("CARGO_BIN_EXE_lookalike");
    for format in ["csv", "parquet", "jsonl", "arrow", "sql", "sqlite"] {
        let line = format!(
            "trap '' XFSZ; ulimit -f 64; exec '{program}' generate x.yaml -q -o out --rows 300k --format {format}"
        );
        let outcome = place.outcome(place.program("sh".as_ref()).args(["-c", &line])).expect(4);
        assert_eq!(place.files("out"), [""; 0], "{format}");
        outcome.snapshot(&format!("full_disk_{format}"));
    }
}

#[cfg(target_os = "linux")]
#[test]
fn standard_output_that_is_full() {
    let place = Place::with(ORDERS);
    for line in ["generate x.yaml -q -o -", "kinds", "preview x.yaml", "check x.yaml --format json"] {
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let mut command = place.command();
        command.args(line.split_whitespace()).stdout(full);
        let output =
            command.stderr(std::process::Stdio::piped()).spawn().unwrap().wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(4), "{line}");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(said.starts_with("error: cannot write standard output: "), "{line}: {said}");
    }
}
