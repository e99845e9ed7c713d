//! Formats for databases and programs, and files for single rows.

use super::{ORDERS, Place};

/// Parents that are declared behind their children.
const SHOP: &str = "
lookalike: 1
name: shop
seed: 3
tables:
  visits: {rows: 8, belongs_to: {customer: customers}, columns: {visit: {sequence: {}}, customer: {expr: customer.id}}}
  customers:
    rows: 4
    columns: {id: {sequence: {}}, name: {choice: [\"O'Brien\", Smith]}, age: {int_range: [18, 90]}, born: {date_range: [1950-01-01, 2000-01-01]}}
    anomalies: {label: anomaly, kinds: {gone: {count: 1, missing: [age]}}}
";

#[test]
fn a_script_holds_all_tables() {
    let place = Place::with(SHOP);
    place.run("generate x.yaml --no-report -o out --format sql --clean").expect(0).snapshot("generate_sql");
    assert_eq!(place.files("out"), ["manifest.json", "shop.anomalies.sql", "shop.clean.sql", "shop.sql"]);
    let script = String::from_utf8(place.read("out/shop.sql")).unwrap();
    insta::with_settings!({snapshot_path => "../snapshots", prepend_module_to_snapshot => false}, {
        insta::assert_snapshot!("sql_shop", script);
    });
    let outcome = place.run("generate x.yaml -o - --format sql -q").expect(0);
    assert_eq!(outcome.text, script);
    let copied =
        place.run("generate x.yaml -o - --format sql --sql-copy -q --threads 1 --block-rows 3").expect(0);
    assert!(copied.text.contains("\nCOPY \"visits\" (\"visit\", \"customer\") FROM stdin;\n1\t"), "{copied}");
    place
        .run("generate x.yaml -o - --format sql --sql-copy --sql-dialect mysql")
        .expect(2)
        .snapshot("sql_copy_of_mysql");
    let manifest: serde_json::Value = serde_json::from_slice(&place.read("out/manifest.json")).unwrap();
    assert_eq!(manifest["files"].as_array().unwrap().len(), 3);
    assert_eq!(
        (&manifest["tables"][0]["name"], &manifest["tables"][0]["key"]),
        (&"visits".into(), &"visit".into())
    );
}

#[test]
fn parts_of_a_script_are_run_in_order() {
    let place = Place::with(SHOP);
    let whole = rows(&place.run("generate x.yaml -o - --format sql -q --sql-dialect sqlite").expect(0).text);
    let database = rusqlite::Connection::open_in_memory().unwrap();
    let mut parts = String::new();
    for part in 1..=3 {
        let script =
            place.run(&format!("generate x.yaml -o - --format sql -q --sql-dialect sqlite --shard {part}/3"));
        let script = script.expect(0).text;
        assert_eq!(script.contains("CREATE TABLE"), part == 1, "{script}");
        assert!(!script.contains("FOREIGN KEY"), "{script}");
        database.execute_batch(&script).unwrap();
        parts.push_str(&script);
    }
    let sorted = |mut rows: Vec<String>| {
        rows.sort();
        rows
    };
    assert_eq!(sorted(whole), sorted(rows(&parts)));
    // PostgreSQL takes references once all parents are there.
    let last = place.run("generate x.yaml -o - --format sql -q --shard 3/3").expect(0).text;
    assert!(last.contains(
        "ALTER TABLE \"visits\" ADD FOREIGN KEY (\"customer\") REFERENCES \"customers\" (\"id\");"
    ));
    // A table alone, or some of its rows, refers to nothing.
    for some in ["--table visits", "--range 0..3"] {
        let script = place.run(&format!("generate x.yaml -o - --format sql -q {some}")).expect(0).text;
        assert!(script.contains("PRIMARY KEY") && !script.contains("FOREIGN KEY"), "{script}");
    }
}

/// The lines with rows, without what stands behind them.
fn rows(script: &str) -> Vec<String> {
    let rows = script.lines().filter(|line| line.starts_with('('));
    rows.map(|line| line.trim_end_matches([',', ';']).to_owned()).collect()
}

#[test]
fn sqlite_goes_to_standard_output_too() {
    let place = Place::with(SHOP);
    place.run("generate x.yaml --no-report -q -o out --format sqlite").expect(0);
    assert_eq!(place.files("out"), ["manifest.json", "shop.anomalies.sqlite", "shop.sqlite"]);
    let outcome = place.run("generate x.yaml -o - -q --format sqlite").expect(0);
    assert!(outcome.stdout == place.read("out/shop.sqlite"));
    let database = rusqlite::Connection::open(place.path("out/shop.anomalies.sqlite")).unwrap();
    let marks: i64 =
        database.query_row("SELECT count(*) FROM customers_anomalies", [], |row| row.get(0)).unwrap();
    assert_eq!(marks, 1);
}

#[test]
fn parts_of_json_and_rust_join() {
    let place = Place::with(ORDERS);
    for format in ["json", "rust"] {
        let whole =
            place.run(&format!("generate x.yaml -o - -q --rows 2 --format {format}")).expect(0).stdout;
        // Some parts have no row.
        let part = |part| {
            let line = format!("generate x.yaml -o - -q --rows 2 --format {format} --shard {part}/5");
            place.run(&line).expect(0).stdout
        };
        assert_eq!((1..=5).flat_map(part).collect::<Vec<u8>>(), whole, "{format}");
    }
    let place = Place::with(SHOP);
    place
        .run("generate x.yaml -o out --format json --shard 1/2")
        .expect(2)
        .snapshot("json_parts_with_anomalies");
}

#[test]
fn each_row_has_a_file_of_its_own() {
    let place = Place::with(ORDERS);
    let mut command = place.command();
    command.args([
        "generate",
        "x.yaml",
        "--no-report",
        "-o",
        "out",
        "--rows",
        "20",
        "--split-by",
        "{state}/{id}.json",
    ]);
    place.outcome(&mut command).expect(0).snapshot("generate_split");
    assert_eq!(place.files("out"), ["manifest.json", "orders"]);
    let states = place.files("out/orders");
    let files: Vec<String> =
        states.iter().flat_map(|state| place.files(&format!("out/orders/{state}"))).collect();
    assert_eq!(files.len(), 20);
    let lines = place.run("generate x.yaml -o - -q --rows 20 --format jsonl").expect(0).text;
    let first = lines.lines().next().unwrap();
    let state =
        serde_json::from_str::<serde_json::Value>(first).unwrap()["state"].as_str().unwrap().to_owned();
    assert_eq!(place.read(&format!("out/orders/{state}/1.json")), format!("{first}\n").as_bytes());

    let refused = |template: &str, says: &str| {
        let mut command = place.command();
        command.args(["generate", "x.yaml", "--no-report", "-o", "other", "--split-by", template]);
        let outcome = place.outcome(&mut command).expect(2);
        assert!(outcome.stderr.contains(says), "{outcome}");
        // Nothing is left of what was begun.
        let left = if place.path("other").exists() { place.files("other") } else { Vec::new() };
        assert_eq!(left, [""; 0]);
    };
    refused("../{id}.json", "begins with a point");
    refused("{state}.json", "two rows would be `");
    refused("{stat}.csv", "has no column `stat`");
    place.run("generate x.yaml --split-by {id}.json --format csv").expect(2);
    place.run("generate x.yaml --split-by {id}.csv --shard 1/2").expect(2);
    place.run("generate x.yaml --split-by {id}.json -o -").expect(2);
}
