//! `lookalike diff`.

use super::{ORDERS, Place};

#[test]
fn outputs_are_compared_by_the_key_of_their_manifest() {
    let place = Place::with(ORDERS);
    place.run("generate x.yaml --no-report -q -o a --format csv").expect(0);
    place.run("generate x.yaml --no-report -q -o b --format parquet").expect(0);
    // The same rows, whatever the format.
    let outcome = place.run("diff a b").expect(0);
    assert_eq!(outcome.text, "a and b are the same\ntable `orders` is the same: 1000 rows, by `id`\n");
    assert_eq!(outcome.stderr, "");

    place.write("x.yaml", ORDERS.replace("paid: 75%, lost: 5%", "paid: 60%, lost: 20%").replace("1k", "999"));
    place.run("generate x.yaml --no-report -q -o c --format csv").expect(0);
    place.run("diff a c --show 3").expect(1).snapshot("diff_of_outputs");
    place.run("diff a c --show 2 --format markdown").expect(1).snapshot("diff_as_markdown");
    place.run("diff a c --show 1 --format json").expect(1).snapshot("diff_as_json");
    place.run("diff a/orders.csv c/orders.csv --ignore state -o d.txt").expect(1);
    let text = String::from_utf8(place.read("d.txt")).unwrap();
    assert!(text.contains("1 row gone: id = 1000") && !text.contains("other values"), "{text}");
    place.write("x.yaml", ORDERS);
    place.run("generate x.yaml --no-report -q -o c --format csv").expect(0);
    place.run("diff a c").expect(0);
}

#[test]
fn rows_are_found_in_any_order() {
    let place = Place::new();
    place.write("a.csv", "id,name,price\n1,one,1.00\n2,two,2.00\n3,three,\n4,four,4.00\n");
    place.write("b.jsonl", "{\"id\":4,\"name\":\"four\",\"price\":4.0}\n{\"id\":2,\"name\":\"zwei\",\"price\":2.01}\n{\"id\":1,\"name\":\"one\",\"price\":1.0}\n{\"id\":5,\"name\":null,\"price\":3.0}\n");
    place.run("diff a.csv b.jsonl --key id").expect(1).snapshot("diff_by_key");
    place.run("diff a.csv b.jsonl --key id --tolerance price=1% --ignore name").expect(1);
    let by_number = place.run("diff a.csv b.jsonl").expect(1);
    assert!(by_number.text.contains("4 rows with other values"), "{by_number}");
    place.write("c.csv", "name,id,price\none,1,1.005\ntwo,2,2.00\nthree,3,\nfour,4,4.00\n");
    let moved = place.run("diff a.csv c.csv --key id --tolerance 0.01").expect(1);
    assert!(moved.text.contains("the table has its columns in another order"), "{moved}");
    assert!(!moved.text.contains("other values"), "{moved}");
}

#[test]
fn what_cannot_be_compared_is_told() {
    let place = Place::with(ORDERS);
    place.write("a.csv", "id,x\n1,a\n1,b\n");
    place.write("b.csv", "id,x\n1,a\n2,b\n");
    std::fs::create_dir(place.path("empty")).unwrap();
    for (line, code, says) in [
        ("diff a.csv b.csv --key id", 2, "`id` is no key of a.csv: rows 0 and 1 have the same values"),
        ("diff a.csv b.csv --key ix", 2, "a.csv has no column `ix` for a key; it has `id`, `x`"),
        ("diff a.csv x.yaml", 2, "a.csv is a file with rows, x.yaml is a ruleset: two of the same sort"),
        ("diff a.csv c.csv", 4, "cannot read c.csv"),
        ("diff empty empty", 2, "empty has no file with rows; they end in .csv"),
        ("diff a.csv b.csv --tolerance x", 2, "expected a number such as 0.01, or a share such as 1%"),
        ("diff x.yaml y.yaml", 2, "y.yaml"),
    ] {
        let outcome = place.run(line).expect(code);
        assert!(outcome.stderr.contains(says), "{line}: {outcome}");
    }
}

#[test]
fn rulesets_are_compared_rule_by_rule() {
    let place = Place::with(ORDERS);
    place.write("same.yaml", ORDERS.replace("median: 40, p95: 300", "p95: 300, median: 40") + "# The end.\n");
    place.run("diff x.yaml same.yaml").expect(0);
    place.write(
        "y.yaml",
        ORDERS
            .replace("open: 20%, paid: 75%", "open: 25%, paid: 70%")
            .replace("log_normal: {median: 40, p95: 300}, round: 2", "int_range: [1, 9]")
            .replace("note: {choice", "remark: {choice")
            .replace("seed: 42", "seed: 43"),
    );
    place.run("diff x.yaml y.yaml").expect(1).snapshot("diff_of_rulesets");
}
