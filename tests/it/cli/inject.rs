//! `lookalike inject`, on files as they come.

use std::collections::BTreeMap;
use std::path::Path;

use super::Place;

/// A file of `tests/data`.
fn data(name: &str) -> Vec<u8> {
    std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name)).unwrap()
}

/// The rows of a CSV file, each as its cells with quotes and all, and its line end.
fn raw(bytes: &[u8], delimiter: u8) -> Vec<(Vec<String>, String)> {
    let (mut rows, mut cells, mut cell, mut quoted) = (Vec::new(), Vec::new(), Vec::new(), false);
    let text = |bytes: &mut Vec<u8>| String::from_utf8(std::mem::take(bytes)).unwrap();
    for (at, byte) in bytes.iter().enumerate() {
        let starts = cell.is_empty() || quoted;
        match byte {
            b'"' if starts || cell.first() == Some(&b'"') => {
                quoted = !quoted;
                cell.push(*byte);
            }
            byte if *byte == delimiter && !quoted => cells.push(text(&mut cell)),
            b'\r' if !quoted && bytes.get(at + 1) == Some(&b'\n') => {}
            b'\n' if !quoted => {
                cells.push(text(&mut cell));
                let end = if at > 0 && bytes[at - 1] == b'\r' { "\r\n" } else { "\n" };
                rows.push((std::mem::take(&mut cells), end.to_owned()));
            }
            byte => cell.push(*byte),
        }
    }
    rows
}

/// A raw cell without its quotes; none for null, which is nothing or `null`.
fn value(cell: &str, null: &str) -> Option<String> {
    match cell.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
        Some(inner) => Some(inner.replace("\"\"", "\"")),
        None => Some(cell.to_owned()).filter(|cell| !cell.is_empty() && cell != null),
    }
}

/// What a mark says: before and after.
type Change = (Option<String>, Option<String>);

/// The marks by row and column; an empty field is null, since nothing is marked that became or was the empty text.
fn marks(bytes: &[u8]) -> BTreeMap<(usize, String), Change> {
    let mut reader = csv::Reader::from_reader(bytes);
    let names = ["table", "row", "column", "kind", "instance", "severity", "before", "after"];
    assert_eq!(reader.headers().unwrap(), &names[..]);
    let text = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
    let mut marks = BTreeMap::new();
    for record in reader.records().map(|record| record.unwrap()) {
        let change = (text(&record[6]), text(&record[7]));
        assert!(marks.insert((record[1].parse().unwrap(), record[2].to_owned()), change).is_none());
    }
    marks
}

/// Holds a dirty CSV file against the clean one: cells without a mark are the same bytes, and marks lead from one to the
/// other and back.
fn assert_marks_tell_the_truth(
    clean: &[u8],
    dirty: &[u8],
    marked: &[u8],
    delimiter: u8,
    null: &str,
    label: bool,
) {
    let marks = marks(marked);
    let (clean, dirty) = (raw(clean, delimiter), raw(dirty, delimiter));
    assert_eq!(clean.len(), dirty.len());
    let header: Vec<String> = clean[0]
        .0
        .iter()
        .map(|cell| value(cell.trim_start_matches('\u{feff}'), "").unwrap_or_default())
        .collect();
    assert_eq!(dirty[0].0[..header.len()], clean[0].0[..]);
    let mut seen = 0;
    for (row, ((clean, clean_end), (dirty, dirty_end))) in clean.iter().zip(&dirty).skip(1).enumerate() {
        assert_eq!(clean_end, dirty_end, "row {row}: the line end");
        if clean.len() == 1 && header.len() > 1 {
            assert_eq!(clean, dirty, "the empty lines at the end");
            continue;
        }
        assert_eq!(dirty.len(), header.len() + usize::from(label), "row {row}");
        let mut spoilt = false;
        for (column, name) in header.iter().enumerate() {
            let Some((before, after)) = marks.get(&(row, name.clone())) else {
                assert_eq!(clean[column], dirty[column], "row {row}, column {name}: not marked");
                continue;
            };
            assert_eq!(value(&clean[column], null), *before, "row {row}, column {name}: before");
            assert_eq!(value(&dirty[column], null), *after, "row {row}, column {name}: after");
            assert_ne!(before, after);
            (seen, spoilt) = (seen + 1, true);
        }
        if label {
            assert!(!spoilt || !dirty[header.len()].is_empty(), "row {row} has a label");
        }
    }
    assert_eq!(seen, marks.len(), "each mark is about a cell");
    assert!(seen > 0);
}

const EMPLOYMENT: &str = "\
lookalike: 1
name: dirt
seed: 3
tables:
  employment:
    draws:
      factor: {uniform: [1.5, 3]}
    anomalies:
      rate: 20%
      label: anomaly
      kinds:
        high: {set: {mining_and_logging: 'round(mining_and_logging * factor)'}, when: 'utilities < 560'}
        gone: {missing: [construction, retail_trade], weight: 2}
        thousandfold: {unit_error: {column: wholesale_trade, factor: 1000}}
        flat: {stuck: manufacturing, burst: [3, 5], count: 2}
        no_date: {wrong_type: government}
";

#[test]
fn a_file_that_we_did_not_make_keeps_its_bytes_but_for_the_marked_cells() {
    let place = Place::new();
    place.write("jobs.csv", data("us-employment.csv"));
    place.write("dirt.yaml", EMPLOYMENT);
    let told = place.run("inject jobs.csv --rules dirt.yaml --clean").expect(0);
    assert_eq!(told.text, "");
    let folder = "outputs/dirt-3";
    let files = ["employment.anomalies.csv", "employment.clean.csv", "employment.csv", "manifest.json"];
    assert_eq!(place.files(folder), files);
    let read = |name: &str| place.read(&format!("{folder}/{name}"));
    assert_eq!(read("employment.clean.csv"), data("us-employment.csv"));
    let dirty = read("employment.csv");
    let marked = read("employment.anomalies.csv");
    assert_marks_tell_the_truth(&data("us-employment.csv"), &dirty, &marked, b',', "", true);

    let manifest: serde_json::Value = serde_json::from_slice(&read("manifest.json")).unwrap();
    assert_eq!(manifest["data"]["file"], "jobs.csv");
    assert_eq!(manifest["data"]["rows"], 120);
    assert_eq!(manifest["data"]["bytes"], data("us-employment.csv").len());
    assert_eq!(manifest["data"]["sha256"].as_str().unwrap().len(), 64);
    assert_eq!(manifest["seed"], 3);
    let counts = &manifest["tables"][0]["anomalies"];
    // 24 rows, divided by weight; and two runs besides.
    let shared = ["high", "gone", "thousandfold", "no_date"].map(|kind| counts[kind].as_u64().unwrap());
    assert_eq!(shared.iter().sum::<u64>(), 24, "{counts}");
    assert!((6..=10).contains(&counts["flat"].as_u64().unwrap()), "{counts}");

    // The same again, to standard output, by any number of threads; and other rows by another seed.
    let again = place.run("inject jobs.csv --rules dirt.yaml -o - --threads 3 -q").expect(0);
    assert_eq!(again.stdout, dirty);
    let other = place.run("inject jobs.csv --rules dirt.yaml -o - --seed 4 -q").expect(0);
    assert_ne!(other.stdout, dirty);
}

const NASTY: &str = "\
lookalike: 1
name: dirt
tables:
  people:
    anomalies:
      rate: 50%
      kinds:
        bigger: {set: {Size: 'Size * 10'}, when: 'Size > 100'}
        unnamed: {missing: Name, when: 'Name <> '''''}
        mistyped: {typo: Name, when: 'Name <> '''''}
        dear: {unit_error: {column: Price, factor: 100}}
        swapped: {date_fault: {column: Joined, as: swapped}, when: 'extract(day from Joined) <= 12 and extract(day from Joined) <> extract(month from Joined)'}
        late: {late: {column: Seen, by: {duration_range: [1m, 1h]}}}
        lost: {missing: Ok}
        serial: {typo: Serial}
";

#[test]
fn a_nasty_file_keeps_its_bytes_but_for_the_marked_cells() {
    let place = Place::new();
    place.write("nasty.csv", data("nasty.csv"));
    place.write("dirt.yaml", NASTY);
    place.run("inject nasty.csv --rules dirt.yaml --null NULL --clean -o out").expect(0);
    assert_eq!(place.read("out/people.clean.csv"), data("nasty.csv"));
    let (dirty, marked) = (place.read("out/people.csv"), place.read("out/people.anomalies.csv"));
    assert_marks_tell_the_truth(&data("nasty.csv"), &dirty, &marked, b';', "NULL", false);
    let text = String::from_utf8(dirty).unwrap();
    assert!(
        text.contains(";NULL;0") || text.contains(";NULL\r\n"),
        "new nulls are written as the file writes them"
    );
}

#[test]
fn what_was_generated_clean_becomes_what_was_generated_dirty() {
    let ruleset =
        concat!(env!("CARGO_MANIFEST_DIR"), "/rulesets/trusted-advisor/underutilized-ebs-volumes.yaml");
    let place = Place::new();
    let line = format!("generate {ruleset} --rows 2000 --clean --format csv,jsonl,parquet,arrow -o made");
    place.run(&line).expect(0);
    for format in ["csv", "jsonl", "parquet", "arrow"] {
        let line = format!("inject made/findings.clean.{format} --rules {ruleset} --clean -o {format}");
        place.run(&line).expect(0);
        let same = |name: &str| {
            let (made, injected) = (format!("made/{name}.{format}"), format!("{format}/{name}.{format}"));
            assert!(place.read(&made) == place.read(&injected), "{name}.{format}");
        };
        if ["csv", "jsonl"].contains(&format) {
            ["findings", "findings.clean", "findings.anomalies"].into_iter().for_each(same);
        } else {
            // Text of known values has a dictionary there, which a file does not tell from other text.
            same("findings.anomalies");
        }
        // In another format than its own, too.
        let line =
            format!("inject made/findings.clean.{format} --rules {ruleset} --format csv -o {format}-csv");
        place.run(&line).expect(0);
        assert!(
            place.read("made/findings.csv") == place.read(&format!("{format}-csv/findings.csv")),
            "{format}"
        );
    }
}

#[test]
fn all_rows_of_a_client_are_taken_together() {
    let place = Place::new();
    let mut csv = "client_id;at;amount\n".to_owned();
    for i in 0..900 {
        csv.push_str(&format!(
            "\"c{}\";2026-01-{:02} 12:{:02}:00;{}.50\n",
            i * 7 % 31,
            i % 28 + 1,
            i % 60,
            i % 90 + 10
        ));
    }
    place.write("orders.csv", &csv);
    place.write(
        "dirt.yaml",
        "lookalike: 1\nname: dirt\nseed: 3\ntables:\n  orders:\n    anomalies:\n      label: anomaly\n      kinds:\n        \
         lost: {rate: 20%, per: client_id, missing: [amount]}\n        \
         flat: {count: 10, burst: [3, 5], order: {column: at, per: client_id}, stuck: amount}\n        \
         far: {count: 9, outlier: {column: amount, quantiles: [1%, 99%], side: above}}\n",
    );
    place.run("inject orders.csv --rules dirt.yaml -o out").expect(0);
    let (dirty, marked) = (place.read("out/orders.csv"), place.read("out/orders.anomalies.csv"));
    assert_marks_tell_the_truth(csv.as_bytes(), &dirty, &marked, b';', "", true);
    let mut by_client: BTreeMap<String, BTreeMap<String, usize>> = BTreeMap::new();
    let (mut far, mut flat) = (0, 0);
    for (cells, _) in raw(&dirty, b';').into_iter().skip(1) {
        *by_client.entry(cells[0].clone()).or_default().entry(cells[3].clone()).or_default() += 1;
        match cells[3].as_str() {
            "far" => {
                far += 1;
                assert!(cells[2].parse::<f64>().unwrap() > 98.5, "{cells:?}");
            }
            "flat" => flat += 1,
            _ => {}
        }
    }
    let lost: Vec<_> = by_client.values().filter(|kinds| kinds.contains_key("lost")).collect();
    // A fifth of 31 clients, with all their rows.
    assert!(lost.len() == 6 && lost.iter().all(|kinds| kinds.len() == 1), "{by_client:?}");
    assert!(far == 9 && (30..=50).contains(&flat), "{far}, {flat}");
    let again = place.run("inject orders.csv --rules dirt.yaml -o - --threads 3 -q").expect(0);
    assert_eq!(again.stdout, dirty);
}

#[test]
fn what_cannot_be_done_is_told() {
    let place = Place::new();
    place.write("a.csv", "x,y\n1,2\n3,4,5\n");
    place.write("b.csv", "x,y\n1,2\n3,4\n");
    place.write(
        "r.yaml",
        "{lookalike: 1, tables: {b: {anomalies: {count: 1, kinds: {gone: {missing: [x]}}}}}}",
    );
    place.write("none.yaml", "{lookalike: 1, tables: {b: {columns: {x: {constant: 1}}}}}");
    let two = "{lookalike: 1, tables: {c: &t {anomalies: {count: 1, kinds: {gone: {missing: [x]}}}}, d: *t}}";
    place.write(
        "two.yaml",
        two.replace("&t ", "").replace("*t", "{anomalies: {count: 1, kinds: {gone: {missing: [x]}}}}"),
    );
    place.write(
        "z.yaml",
        "{lookalike: 1, tables: {b: {anomalies: {count: 3, kinds: {gone: {missing: [z]}}}}}}",
    );
    place.write(
        "many.yaml",
        "{lookalike: 1, tables: {b: {anomalies: {count: 3, kinds: {gone: {missing: [x]}}}}}}",
    );
    for (line, code, says) in [
        ("inject nowhere.csv --rules r.yaml", 4, "cannot read nowhere.csv"),
        ("inject a.csv --rules r.yaml", 4, "a.csv:3:5: this row has 3 values, the header names 2 columns"),
        ("inject b.txt --rules r.yaml", 2, "rows are read from files that end in .csv, .tsv, .jsonl"),
        ("inject b.csv --rules r.yaml --data-format xml", 2, "no format `xml` can be read"),
        ("inject b.csv --rules nowhere.yaml", 2, "cannot be read"),
        ("inject b.csv --rules none.yaml", 2, "no table of the ruleset has anomalies"),
        (
            "inject a.csv --rules two.yaml --delimiter ;",
            2,
            "several tables have anomalies or `privacy`: c, d",
        ),
        ("inject b.csv --rules r.yaml --table c", 2, "the ruleset has no table `c` with anomalies"),
        ("inject b.csv --rules r.yaml --type z=int", 2, "b.csv has no column `z`; it has `x`, `y`"),
        ("inject b.csv --rules z.yaml", 2, "the table writes no column `z`"),
        (
            "inject b.csv --rules many.yaml",
            2,
            "is to happen 3 times among the 2 rows of `b`, but only 2 can take it",
        ),
        ("inject b.csv --rules r.yaml -o .", 2, "b.csv would be replaced; write to another folder"),
    ] {
        let told = place.run(line).expect(code);
        assert!(told.stderr.contains(says), "{line}: {told}");
        assert_eq!(told.text, "");
    }
    assert_eq!(place.read("b.csv"), b"x,y\n1,2\n3,4\n");
    assert!(!place.path("outputs").exists());
    place.run("inject b.csv --rules r.yaml --check").expect(0);
    assert!(!place.path("outputs").exists());
    let lenient = place.run("inject b.csv --rules many.yaml --lenient -o -").expect(0);
    assert!(lenient.stderr.contains("it happens as often as it can"), "{lenient}");
    assert_eq!(lenient.text, "x,y\n,2\n,4\n");
    place.run("inject b.csv --rules many.yaml --lenient -o short").expect(0);
    let manifest: serde_json::Value = serde_json::from_slice(&place.read("short/manifest.json")).unwrap();
    let shortfalls = &manifest["tables"][0]["shortfalls"];
    assert_eq!(*shortfalls, serde_json::json!([{"anomaly": "gone", "wanted": 3, "got": 2}]));
}
