//! Parts of a table whose rows come from files.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

use super::Place;

const RULES: &str = "\
lookalike: 1
name: shop
seed: 4
tables:
  orders:
    rows: 1001
    columns:
      id: {sequence: {start: 1}}
      region: {choice: [north, south]}
      amount: {log_normal: {median: 40, p95: 300}, round: 2}
      day: {date_range: [2026-01-01, 2026-06-30]}
    subsets:
      label: source
      parts:
        made: {share: 60%}
        real: {share: 30%, from: data/real.csv, types: {amount: decimal(2)}}
        far: {share: 10%, from: far.jsonl, replace: true, types: {day: date}, columns: {region: far}}
";

/// Orders made, orders from a CSV file in which nothing is as the ruleset has it, and a few from JSON lines.
fn shop() -> Place {
    let place = Place::with(RULES);
    std::fs::create_dir(place.path("data")).unwrap();
    let mut csv = "comment;day;amount;region\r\n".to_owned();
    for i in 0..500 {
        csv.push_str(&format!("\"says \"\"{i}\"\"\";2025-03-{:02};{i}.5;real{}\r\n", i % 28 + 1, i % 3));
    }
    place.write("data/real.csv", csv);
    let line = |i| format!("{{\"amount\": {i}, \"day\": null}}\n");
    place.write("far.jsonl", (9000..9020).map(line).collect::<String>());
    place
}

/// The rows of a CSV file without quotes.
fn rows(bytes: &[u8]) -> Vec<Vec<String>> {
    let mut reader = csv::Reader::from_reader(bytes);
    reader.records().map(|record| record.unwrap().iter().map(str::to_owned).collect()).collect()
}

#[test]
fn rows_of_files_are_parts_in_exact_shares() {
    let place = shop();
    let told = place.run("generate x.yaml --format csv -o out").expect(0);
    assert!(told.stderr.contains("data/real.csv has a column that `orders` has not: `comment`"), "{told}");
    let bytes = place.read("out/orders.csv");
    let mut counts: BTreeMap<String, u64> = BTreeMap::new();
    let mut taken = Vec::new();
    for (number, row) in rows(&bytes).into_iter().enumerate() {
        let [id, region, amount, day, source] = row.as_slice() else { panic!("{row:?}") };
        *counts.entry(source.clone()).or_default() += 1;
        assert_eq!(*id, (number + 1).to_string());
        match source.as_str() {
            "made" => assert!(["north", "south"].contains(&region.as_str()) && day.starts_with("2026-")),
            "real" => {
                let at = amount.strip_suffix(".50").unwrap().parse::<usize>().unwrap();
                assert_eq!(
                    (region.clone(), day.clone()),
                    (format!("real{}", at % 3), format!("2025-03-{:02}", at % 28 + 1))
                );
                taken.push(at);
            }
            _ => assert!(region == "far" && day.is_empty() && amount.starts_with("90"), "{row:?}"),
        }
    }
    assert_eq!(counts.into_values().collect::<Vec<_>>(), [100, 601, 300]);
    assert!(taken.windows(2).all(|pair| pair[0] < pair[1]));

    let manifest: serde_json::Value = serde_json::from_slice(&place.read("out/manifest.json")).unwrap();
    let parts = &manifest["tables"][0]["parts"];
    let digest: String =
        Sha256::digest(place.read("data/real.csv")).iter().map(|b| format!("{b:02x}")).collect();
    assert_eq!(parts[0]["part"], "real");
    assert_eq!(parts[0]["file"], "data/real.csv");
    assert_eq!(parts[0]["sha256"], digest);
    assert_eq!((&parts[0]["rows"], &parts[0]["taken"]), (&500.into(), &300.into()));
    assert_eq!((&parts[1]["rows"], &parts[1]["taken"]), (&20.into(), &100.into()));

    // Threads, blocks, shards and ranges give the same rows.
    place.run("generate x.yaml --format csv -o again --threads 3 --block-rows 37 -q --no-report").expect(0);
    assert_eq!(place.read("again/orders.csv"), bytes);
    let mut joined = Vec::new();
    for shard in 1..=3 {
        joined.extend(place.run(&format!("generate x.yaml -o - --shard {shard}/3 -q")).expect(0).stdout);
    }
    assert_eq!(joined, bytes);
    let some = place.run("generate x.yaml -o - --range 400..420 -q").expect(0).stdout;
    assert_eq!(rows(&some), rows(&bytes)[400..420]);

    // What the file says is part of what stands for the output.
    let digest = |folder: &str| {
        let text = place.read(&format!("{folder}/manifest.json"));
        serde_json::from_slice::<serde_json::Value>(&text).unwrap()["ruleset"]["sha256"].clone()
    };
    assert_eq!(digest("again"), digest("out"));
    place.write("far.jsonl", "{\"amount\": 1, \"day\": null}\n");
    place.run("generate x.yaml --format csv -o other -q --no-report").expect(0);
    assert_ne!(digest("other"), digest("out"));
    assert_ne!(place.read("other/orders.csv"), bytes);
}

#[test]
fn what_cannot_be_done_is_told() {
    let place = shop();
    let outside = tempfile::tempdir().unwrap();
    std::fs::write(outside.path().join("real.csv"), "amount\n1\n").unwrap();
    place.write("broken.csv", "region,amount\nnorth,1\nsouth,2,3\n");
    place.write("words.csv", "region,amount\nnorth,1\nsouth,plenty\n");
    let refused = |from: &str, says: &[&str]| {
        place.write("y.yaml", RULES.replace("data/real.csv, types: {amount: decimal(2)}", from));
        let told = place.run("generate y.yaml -o out").expect(2);
        says.iter().for_each(|says| assert!(told.stderr.contains(says), "{says}: {told}"));
        assert!(told.stderr.contains("y.yaml:16:"), "{told}");
        assert!(!place.path("out").exists());
    };
    let far = outside.path().join("real.csv").display().to_string();
    refused(&far, &["lies outside the folder tree that may be read", "--allow-path"]);
    refused("nothing.csv", &["`nothing.csv` cannot be read: no such file"]);
    refused("notes.txt", &["`notes.txt` cannot be read"]);
    refused("x.yaml", &["rows are read from files that end in .csv"]);
    refused("broken.csv", &["broken.csv:3:", "this row has 3 values, the header names 2 columns"]);
    refused(
        "words.csv",
        &["column `amount` of words.csv is text, but the table's rule makes decimal(2)", "types"],
    );
    refused("words.csv, types: {amount: float}", &["words.csv:3:", "plenty"]);
    place.write("y.yaml", RULES.replace("data/real.csv", &far));
    place.run(&format!("generate y.yaml -o out --allow-path {}", outside.path().display())).expect(0);

    // A file that rows are read from is not replaced by them.
    place.write("y.yaml", RULES.replace("data/real.csv", "orders.csv"));
    place.write("orders.csv", "amount\n1.5\n");
    let told = place.run("generate y.yaml -o . --format csv --no-report").expect(2);
    assert!(told.stderr.contains("orders.csv would be replaced; write to another folder"), "{told}");
    assert_eq!(place.read("orders.csv"), b"amount\n1.5\n");
}
