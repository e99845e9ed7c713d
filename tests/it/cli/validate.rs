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

/// Anomalies whose rows are known, from the label alone, or not at all.
#[test]
fn without_marks_anomalies_do_not_count_against_the_rules() {
    let orders = ORDERS.replace("p95: 300}", "p95: 300}, truncate: [1, 5000]");
    let rules = format!(
        "{orders}    anomalies:\n      rate: 4%\n      kinds: {{dear: {{set: {{amount: amount * 1000 + 50000}}}}}}\n"
    );
    let place = Place::with(&rules);
    place.run("generate x.yaml -o data --rows 3k --no-report").expect(0);
    place.run("validate data --ruleset x.yaml").expect(0);
    // A file alone: nothing says which rows are odd, but they are no more than there should be.
    std::fs::create_dir(place.path("alone")).unwrap();
    std::fs::rename(place.path("data/orders.anomalies.csv"), place.path("marks.csv")).unwrap();
    std::fs::copy(place.path("data/orders.csv"), place.path("alone/orders.csv")).unwrap();
    place.run("validate alone --ruleset x.yaml --report page").expect(0);
    let summary = std::fs::read_to_string(place.path("page/summary.md")).unwrap();
    assert!(summary.contains("nothing says which rows have them"), "{summary}");
    let told = place.run("validate alone --ruleset x.yaml --marks marks.csv --report page").expect(0).stderr;
    assert!(told.contains("checks passed"), "{told}");
    let summary = std::fs::read_to_string(place.path("page/summary.md")).unwrap();
    assert!(!summary.contains("nothing says which rows"), "{summary}");
    // Ten times as many are too many.
    let csv = std::fs::read_to_string(place.path("alone/orders.csv")).unwrap();
    let worse: Vec<String> = csv
        .lines()
        .enumerate()
        .map(|(at, line)| {
            let mut cells: Vec<&str> = line.split(',').collect();
            let dear = cells[2]
                .parse::<f64>()
                .map_or_else(|_| cells[2].to_owned(), |x| format!("{:.2}", x + 90000.0));
            if at % 3 == 1 {
                cells[2] = &dear;
            }
            cells.join(",")
        })
        .collect();
    put(&place, "worse/orders.csv", &(worse.join("\n") + "\n"));
    let told = place.run("validate worse --ruleset x.yaml").expect(1).stderr;
    assert!(told.contains("only 120 rows are to be anomalous"), "{told}");
    let told = place.run("validate alone --ruleset x.yaml --marks alone/orders.csv").expect(2).stderr;
    assert!(told.contains("has no column `table`"), "{told}");
}

#[test]
fn what_compares_with_real_rows_can_be_left_out() {
    let place = orders();
    place.run("generate x.yaml -o real --rows 2k --seed 9 --no-report --format parquet").expect(0);
    let run = "validate data/orders.parquet --ruleset x.yaml --reference real/orders.parquet";
    place.run(&format!("{run} --report all")).expect(0);
    place.run(&format!("{run} --report public --junit public.xml --release-only")).expect(0);
    let read = |name: &str| std::fs::read_to_string(place.path(name)).unwrap();
    for shown in ["KSComplement", "amount beside the reference: shares up to each value"] {
        assert!(read("all/report.json").contains(shown), "{shown}");
    }
    // The charts of the data alone stay in either report.
    let charts = |name: &str| {
        let report: serde_json::Value = serde_json::from_str(&read(name)).unwrap();
        let charts = report["tables"][0]["charts"].as_array().unwrap().clone();
        charts.iter().map(|chart| chart["title"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let (all, public) = (charts("all/report.json"), charts("public/report.json"));
    assert!(public.contains(&"amount".to_owned()) && public.iter().all(|title| all.contains(title)));
    assert!(all.contains(&"state beside the reference".to_owned()), "{all:?}");
    assert!(read("all/summary.md").contains("Not for release"));
    for name in ["public/report.json", "public/index.html", "public/summary.md", "public.xml"] {
        let text = read(name);
        for secret in ["KSComplement", "IdenticalMatchShare", "beside the reference", "real/orders"] {
            assert!(!text.contains(secret), "{name} tells {secret}");
        }
    }
    assert!(read("public/summary.md").contains("left out of this report"));
    let told = place.run(&format!("{run} --release-only")).expect(2).stderr;
    assert!(told.contains("--report") && told.contains("--junit"), "{told}");
    let told = place.run(&format!("{run} --margin 2")).expect(2).stderr;
    assert!(told.contains("a share from 0 to 1"), "{told}");
    let told = place.run("validate data --ruleset x.yaml --margin 0.1").expect(2).stderr;
    assert!(told.contains("--reference"), "{told}");
}

/// Tables in which there is hardly anything, or very much, alone and beside others of their kind.
#[test]
fn odd_tables_have_a_sane_report() {
    let columns = [
        "nothing: {constant: null, type: int}",
        "never: {pattern: '[a-z]{3}', null: 100%}",
        "same: 7",
        "word: hello",
        "id: {sequence: {start: 1}}",
        "size: {log_normal: {median: 20, p95: 90}}",
        "day: {date_range: [2025-01-01, 2026-01-01]}",
        "flag: {bernoulli: 30%}",
    ];
    for rows in ["0", "1", "2", "60"] {
        let place = Place::with_columns(rows, &columns);
        place.run("generate x.yaml -o data").expect(0);
        place.run("generate x.yaml -o real --seed 9 --no-report").expect(0);
        place.run("validate data --ruleset x.yaml --reference real --report page --by flag").expect(0);
        let report: serde_json::Value = serde_json::from_slice(&place.read("page/report.json")).unwrap();
        let table = &report["tables"][0];
        assert_eq!(table["rows"].to_string(), rows);
        assert_eq!(table["columns"].as_array().unwrap().len(), columns.len(), "{rows} rows");
        let checks = table["checks"].as_array().unwrap();
        assert!(checks.len() > 20, "{rows} rows: {} checks", checks.len());
        for check in checks {
            let message = check["message"].as_str().unwrap();
            assert!(
                !message.is_empty() && !message.contains("NaN") && !message.contains("inf "),
                "{rows} rows: {check}"
            );
            assert!(!check["value"].is_null() || check["verdict"] != "pass", "{rows} rows: {check}");
        }
        let page = String::from_utf8(place.read("page/index.html")).unwrap();
        assert!(page.contains("</html>") && !page.contains("NaN"), "{rows} rows");
    }
    let columns: Vec<String> = (0..1000).map(|at| format!("c{at}: {{int_range: [0, {at}]}}")).collect();
    let columns: Vec<&str> = columns.iter().map(String::as_str).collect();
    let place = Place::with_columns("60", &columns);
    place.run("generate x.yaml -o data --format parquet").expect(0);
    place.run("generate x.yaml -o real --seed 9 --no-report --format parquet").expect(0);
    place.run("validate data --ruleset x.yaml --reference real --junit wide.xml").expect(0);
    let wide = String::from_utf8(place.read("wide.xml")).unwrap();
    assert!(wide.matches("<testcase").count() > 10_000, "{}", wide.matches("<testcase").count());
}

/// Which rows are steps of one sequence is said on the command line.
#[test]
fn lengths_of_sequences_are_compared() {
    let place = Place::with_columns(
        "3000",
        &["sensor: {int_range: [1, 400]}", "value: {normal: {mean: 0, std_dev: 1}}"],
    );
    place.run("generate x.yaml -o data --format csv --no-report").expect(0);
    place.run("generate x.yaml -o real --seed 9 --no-report").expect(0);
    let run = "validate data --ruleset x.yaml --reference real --report page --sequence";
    place.run(&format!("{run} sensor")).expect(0);
    let report: serde_json::Value = serde_json::from_slice(&place.read("page/report.json")).unwrap();
    let checks = report["tables"][0]["checks"].as_array().unwrap().clone();
    let lengths: Vec<_> =
        checks.iter().filter(|check| check["metric"] == "SequenceLengthSimilarity").collect();
    assert_eq!((lengths.len(), &lengths[0]["verdict"]), (1, &"pass".into()), "{lengths:?}");
    // The rows of a few sensors twice over.
    let csv = String::from_utf8(place.read("data/t.csv")).unwrap();
    let odd = |line: &&str| {
        line.split(',').next().and_then(|sensor| sensor.parse::<u32>().ok()).is_some_and(|s| s % 2 == 1)
    };
    let more: Vec<&str> = csv.lines().filter(odd).collect();
    place.write("data/t.csv", csv.clone() + &more.join("\n") + "\n");
    let told = place.run(&format!("{run} sensor")).expect(1).stderr;
    assert!(told.contains("failed[SequenceLengthSimilarity]"), "{told}");
    let told = place.run(&format!("{run} colour")).expect(2).stderr;
    assert!(told.contains("no table has a column `colour`"), "{told}");
}

/// Rows that the makers of the data have not seen tell what closeness is normal.
#[test]
fn closeness_is_held_against_a_holdout() {
    let place = orders();
    for (folder, seed) in [("real", 9), ("held", 10)] {
        let run = format!("generate x.yaml -o {folder} --rows 2k --seed {seed} --no-report --format parquet");
        place.run(&run).expect(0);
    }
    let run = "--ruleset x.yaml --reference real/orders.parquet --holdout held/orders.parquet --report page";
    place.run(&format!("validate data/orders.parquet {run}")).expect(0);
    let metrics = || -> Vec<(String, String)> {
        let report: serde_json::Value = serde_json::from_slice(&place.read("page/report.json")).unwrap();
        let checks = report["tables"][0]["checks"].as_array().unwrap().clone();
        let of = |check: &serde_json::Value, key: &str| check[key].as_str().unwrap().to_owned();
        checks.iter().map(|check| (of(check, "metric"), of(check, "verdict"))).collect()
    };
    let verdict =
        |name: &str| metrics().into_iter().find(|(metric, _)| metric == name).map(|(_, verdict)| verdict);
    for name in ["ClosestRecordHoldoutShare", "DistanceToClosestRecord", "NewRowSynthesis"] {
        assert_eq!(verdict(name).as_deref(), Some("pass"), "{name}");
    }
    assert!(verdict("DCROverfittingProtection").is_some());
    // The real rows themselves.
    let told = place.run(&format!("validate real/orders.parquet {run}")).expect(1).stderr;
    for name in
        ["IdenticalMatchShare", "ClosestRecordHoldoutShare", "DistanceToClosestRecord", "NewRowSynthesis"]
    {
        assert!(told.contains(&format!("failed[{name}]")), "{name}: {told}");
    }
}
