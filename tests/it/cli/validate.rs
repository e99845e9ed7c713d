//! `lookalike validate` as a user runs it.

use super::{ORDERS, Place};

/// Writes a file into a folder of its own.
fn put(place: &Place, name: &str, text: &str) {
    std::fs::create_dir_all(place.path(name).parent().unwrap()).unwrap();
    place.write(name, text);
}

fn orders() -> Place {
    let place = Place::with(&format!(
        "{ORDERS}    expect:\n      - {{share: note IS NULL, is: 30%}}\n      - {{not_null: amount}}\n    anomalies:\n      rate: 4%\n      \
         label: odd\n      kinds: {{dear: {{set: {{amount: amount * 100}}}}}}\n"
    ));
    place.run("generate x.yaml -o data --format csv,parquet --rows 3k").expect(0);
    place
}

#[test]
fn what_was_generated_is_valid_in_every_format() {
    let place = orders();
    assert!(place.path("data/report/index.html").is_file());
    assert!(place.path("data/report/report.json").is_file());
    let told = place.run("validate data --ruleset x.yaml --report page --junit tests.xml").expect(0).stderr;
    assert!(told.contains("checks passed"), "{told}");
    assert!(place.path("page/index.html").is_file());
    assert!(std::fs::read_to_string(place.path("tests.xml")).unwrap().contains("<testsuite"));
    place.run("validate data/orders.csv --ruleset x.yaml -q --by state").expect(0);
    place.run("validate data/orders.parquet --ruleset x.yaml --threads 1").expect(0);
}

#[test]
fn failures_are_named_and_end_with_one() {
    let place = orders();
    let csv = std::fs::read_to_string(place.path("data/orders.csv")).unwrap();
    let mut lines: Vec<String> = csv.lines().map(str::to_owned).collect();
    // A state that there is not, in the row with id 11; and a line twice.
    let state = lines[11].split(',').nth(1).unwrap().to_owned();
    lines[11] = lines[11].replacen(&state, "stolen", 1);
    put(&place, "bad/orders.csv", &(lines.join("\n") + "\n"));
    std::fs::copy(place.path("data/orders.anomalies.csv"), place.path("bad/orders.anomalies.csv")).unwrap();
    let told = place.run("validate bad --ruleset x.yaml").expect(1).stderr;
    assert!(told.contains("failed[CategorySet]"), "{told}");
    assert!(told.contains("`stolen`") && told.contains("row 10"), "{told}");
    assert_eq!(told.matches("failed[").count(), 1, "{told}");
    // A number that is none, and a column less.
    put(&place, "text/orders.csv", &csv.replace("\n11,", "\neleven,"));
    let told = place.run("validate text --ruleset x.yaml").expect(1).stderr;
    assert!(told.contains("failed[ColumnType]") && told.contains("orders.id"), "{told}");
    let swapped: Vec<String> = csv
        .lines()
        .map(|line| {
            let (a, rest) = line.split_once(',').unwrap();
            let (b, rest) = rest.split_once(',').unwrap();
            format!("{b},{a},{rest}")
        })
        .collect();
    put(&place, "order/orders.csv", &(swapped.join("\n") + "\n"));
    let told = place.run("validate order --ruleset x.yaml").expect(1).stderr;
    assert!(told.contains("failed[ColumnNames]"), "{told}");
}

#[test]
fn mistakes_are_told() {
    let place = orders();
    let told = place.run("validate nowhere.csv --ruleset x.yaml").expect(4).stderr;
    assert!(told.contains("nowhere"), "{told}");
    std::fs::create_dir(place.path("empty")).unwrap();
    let told = place.run("validate empty --ruleset x.yaml").expect(2).stderr;
    assert!(told.contains("no file of any of the ruleset's tables: orders"), "{told}");
    let told = place.run("validate data --ruleset x.yaml --by colour").expect(2).stderr;
    assert!(told.contains("no table has a column `colour`"), "{told}");
    let broken =
        ORDERS.to_owned() + "    expect: [{share: state}, {mean: note, at_most: 3}, {holds: amont > 0}]\n";
    place.write("broken.yaml", broken);
    let told = place.run("check broken.yaml").expect(2).stderr;
    assert!(told.contains("bad-expectation") && told.contains("did you mean `amount`?"), "{told}");
}
