//! Data on disk and on standard output, and that no bytes depend on how they were asked for.

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use super::{ORDERS, Place};

#[test]
fn data_go_to_a_folder_named_after_ruleset_and_seed() {
    let place = Place::with(ORDERS);
    let outcome = place.run("generate x.yaml").expect(0);
    assert_eq!(outcome.text, "");
    assert_eq!(place.files("outputs"), ["orders-42"]);
    assert_eq!(place.files("outputs/orders-42"), ["manifest.json", "orders.csv", "orders.parquet", "report"]);
    outcome.snapshot("generate");
    place
        .run("generate x.yaml --seed 7 --format jsonl,arrow,jsonl --quiet")
        .expect(0)
        .snapshot("generate_quietly");
    assert_eq!(place.files("outputs/orders-7"), ["manifest.json", "orders.arrow", "orders.jsonl", "report"]);
    assert_ne!(place.run("generate x.yaml -o -").stdout, place.run("generate x.yaml -o - --seed 7").stdout);
}

#[test]
fn the_second_program_is_the_verb() {
    let place = Place::with(ORDERS);
    let program = env!("CARGO_BIN_EXE_generate");
    place.outcome(place.program(program.as_ref()).args(["x.yaml", "-o", "a"])).expect(0);
    place.run("generate x.yaml -o b").expect(0);
    for file in ["orders.csv", "orders.parquet"] {
        assert_eq!(place.read(&format!("a/{file}")), place.read(&format!("b/{file}")));
    }
    place
        .outcome(place.program(program.as_ref()).arg("--help"))
        .expect(0)
        .snapshot("help_of_the_second_program");
}

#[test]
fn standard_output_has_the_bytes_of_the_file() {
    let place = Place::with(ORDERS);
    place.run("generate x.yaml -o out --format csv,jsonl,parquet,arrow").expect(0);
    for format in ["csv", "jsonl", "parquet", "arrow"] {
        let outcome = place.run(&format!("generate x.yaml -o - --format {format} --quiet")).expect(0);
        assert_eq!(outcome.stdout, place.read(&format!("out/orders.{format}")), "{format}");
        assert_eq!(outcome.stderr, "");
    }
    assert_eq!(place.run("generate x.yaml -o -").stdout, place.read("out/orders.csv"));
    place.run("generate x.yaml -o - --rows 3").expect(0).snapshot("generate_to_standard_output");
    place.run("generate x.yaml -o - --format csv,jsonl").expect(2).snapshot("two_formats_to_standard_output");
}

#[test]
fn a_range_is_a_slice_of_the_whole() {
    let place = Place::with(ORDERS);
    let whole = place.run("generate x.yaml -o -").expect(0).text;
    let range = place.run("generate x.yaml -o - --range 500..507").expect(0).text;
    let lines: Vec<&str> = whole.lines().collect();
    let expected: Vec<&str> = lines[..1].iter().chain(&lines[501..508]).copied().collect();
    assert_eq!(range.lines().collect::<Vec<_>>(), expected);
    place.run("generate x.yaml --range 0..10 --format csv -o out -q").expect(0);
    assert_eq!(place.files("out"), ["manifest.json", "orders.0-10.csv", "report"]);
}

#[test]
fn shards_joined_are_the_whole() {
    let place = Place::with(ORDERS);
    for format in ["csv", "jsonl"] {
        let whole = place.run(&format!("generate x.yaml -o - --format {format}")).expect(0).stdout;
        let part = |i: u32| {
            place.run(&format!("generate x.yaml -o - --format {format} --shard {i}/7")).expect(0).stdout
        };
        assert_eq!((1..=7).map(part).collect::<Vec<_>>().concat(), whole, "{format}");
    }
}

#[test]
fn threads_and_blocks_do_not_matter() {
    let place = Place::with(ORDERS);
    let files = |flags: &str| {
        place
            .run(&format!(
                "generate x.yaml --no-report --rows 270k --format csv,jsonl,parquet,arrow -o out -q {flags}"
            ))
            .expect(0);
        ["csv", "jsonl", "parquet", "arrow"].map(|format| place.read(&format!("out/orders.{format}")))
    };
    let one = files("--threads 1");
    assert!(one[0].len() > 1_000_000);
    for flags in [
        "--threads 2",
        "--threads 5 --block-rows 1k",
        "--threads 1 --block-rows 1m",
        "--threads 2 --block-rows 65_536",
    ] {
        assert!(files(flags) == one, "{flags}");
    }
}

#[test]
fn rows_of_a_longer_table_are_the_same() {
    let place = Place::with(ORDERS);
    let short = place.run("generate x.yaml -o - --rows 10").expect(0).stdout;
    let long = place.run("generate x.yaml -o - --scale 2").expect(0);
    assert!(long.stdout.starts_with(&short));
    assert_eq!(long.text.lines().count(), 2001);
    assert_eq!(place.run("generate x.yaml -o - --scale 0").expect(0).text, "id,state,amount,note\n");
}

#[test]
fn options_of_formats_are_heard() {
    let place = Place::with(ORDERS);
    place
        .run("generate x.yaml -o - --rows 4 -q --csv-null NULL --csv-quote all --csv-delimiter ;")
        .expect(0)
        .snapshot("csv_options");
    let tabs = place.run("generate x.yaml -o - --rows 4 -q --csv-delimiter tab").expect(0);
    assert!(tabs.text.starts_with("id\tstate\tamount\tnote\n"), "{tabs}");
    let size = |how: &str| {
        place
            .run(&format!("generate x.yaml -o out --format parquet -q --parquet-compression {how}"))
            .expect(0);
        place.read("out/orders.parquet").len()
    };
    let (none, small) = (size("none"), size("zstd:19"));
    assert!(none > small && size("snappy") <= none && size("zstd") <= none, "{none} {small}");
    place.run("generate x.yaml -o - --csv-delimiter x").expect(2).snapshot("csv_delimiter_that_cannot_be");
}

#[test]
fn tables_are_chosen() {
    let place = Place::with(&format!(
        "{ORDERS}  other:\n    rows: 5\n    columns:\n      a: {{sequence: {{start: 10}}}}\n"
    ));
    place.run("generate x.yaml -o out --format csv").expect(0).snapshot("generate_two_tables");
    assert_eq!(place.files("out"), ["manifest.json", "orders.csv", "other.csv", "report"]);
    place.run("generate x.yaml -o - -q").expect(2).snapshot("two_tables_to_standard_output");
    assert_eq!(place.run("generate x.yaml -o - --table other").expect(0).text, "a\n10\n11\n12\n13\n14\n");
    place.run("generate x.yaml -o - --table others").expect(2).snapshot("unknown_table");
}

#[test]
fn params_are_set() {
    let place = Place::with_columns("2", &["a: {constant: {param: word}}"]);
    let text = String::from_utf8(place.read("x.yaml")).unwrap();
    place.write("x.yaml", text.replace("tables:", "params:\n  word: {type: text, default: hello}\ntables:"));
    let outcome = place.run("check x.yaml --param wrod=hi").expect(2);
    assert!(outcome.stderr.contains("word"), "{outcome}");
    place.run("check x.yaml --param word").expect(2).snapshot("param_without_value");
}

#[test]
fn check_writes_nothing() {
    let place = Place::with(ORDERS);
    place.run("generate x.yaml --check").expect(0).snapshot("generate_check");
    assert_eq!(place.files("."), ["x.yaml"]);
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let place = Place::with(ORDERS);
    let mut command = place.command();
    command.args(["generate", "x.yaml", "-o", "-", "--rows", "2m"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(line, "id,state,amount,note\n");
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
}

/// Three levels: orders follow from customers, lines from orders.
const SHOP: &str = "
lookalike: 1
name: shop
seed: 3
tables:
  customers: {rows: 20, scaling: sub_linear, columns: {id: {sequence: {}}, orders: {expr: count(orders)}}}
  orders:
    belongs_to: {customer: {table: customers, per_parent: {int_range: [0, 4]}}}
    columns: {customer: {expr: customer.id}, number: {ordinal: customer}, lines: {expr: count(lines)}, paid: {bernoulli: 50%}}
  lines:
    belongs_to: {order: {table: orders, per_parent: {int_range: [1, 3]}}}
    columns: {customer: {expr: order.customer.id}, order: {expr: order.number}, line: {ordinal: order}, paid: {expr: order.paid}}
    anomalies: {rate: 5%, label: anomaly, kinds: {stuck: {rate: 5%, burst: [2, 9], stuck: line}, twice: {weight: 1, duplicate: {within: 9}}}}
  visits: {rows: 50, belongs_to: {customer: customers}, columns: {customer: {expr: customer.id}}}
";

#[test]
fn parts_of_tables_that_hang_together_join() {
    let place = Place::with(SHOP);
    place.run("generate x.yaml --no-report -o whole -q --format csv --rows 3k --threads 1").expect(0);
    for shard in 1..=8 {
        place
            .run(&format!("generate x.yaml --no-report -o parts -q --format csv --rows 3k --shard {shard}/8"))
            .expect(0);
    }
    for table in ["customers", "orders", "lines", "lines.anomalies", "visits"] {
        let part = |shard| place.read(&format!("parts/{table}.{shard}-of-8.csv"));
        let parts: Vec<u8> = (1..=8).flat_map(part).collect();
        assert_eq!(parts, place.read(&format!("whole/{table}.csv")), "{table}");
    }
    let range = place
        .run("generate x.yaml --no-report -o - -q --rows 3k --table orders --range 1000..1010")
        .expect(0)
        .stdout;
    let whole = String::from_utf8(place.read("whole/orders.csv")).unwrap();
    let expected: Vec<&str> = whole.lines().take(1).chain(whole.lines().skip(1001).take(10)).collect();
    assert_eq!(String::from_utf8(range).unwrap().lines().collect::<Vec<_>>(), expected);
}

#[test]
fn rows_can_be_set_for_one_table() {
    let place = Place::with(SHOP);
    let count = |arguments: &str, table: &str| {
        place
            .run(&format!("generate x.yaml -o - -q --table {table} {arguments}"))
            .expect(0)
            .stdout
            .iter()
            .filter(|b| **b == b'\n')
            .count()
            - 1
    };
    assert_eq!(count("--rows visits=7", "visits"), 7);
    assert_eq!(count("--rows visits=7", "customers"), 20);
    assert_eq!(count("--rows 5 --rows visits=7", "customers"), 5);
    assert_eq!(count("--scale 4", "visits"), 200);
    assert_eq!(count("--scale 4", "customers"), 40);
    place.run("generate x.yaml --rows orders=7").expect(2).snapshot("rows_that_follow");
    place.run("generate x.yaml --rows vists=7").expect(2).snapshot("rows_of_nothing");
}
