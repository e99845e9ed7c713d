//! `--lock` and `--locked`.

use super::{ORDERS, Place};

#[test]
fn locked_rows_must_not_change_unnoticed() {
    let place = Place::with(ORDERS);
    place.run("check x.yaml --locked").expect(2).snapshot("locked_without_a_lock");
    place.run("generate x.yaml --lock").expect(0);
    assert_eq!(place.files("."), ["lookalike.lock", "outputs", "x.yaml"]);
    place.run("check x.yaml --locked").expect(0);
    place.run("generate x.yaml --locked -o same").expect(0);

    // Words and the order of keys are no change of the rows.
    place.write("x.yaml", ORDERS.replace("median: 40, p95: 300", "p95: 300, median: 40") + "# The end.\n");
    place.run("check x.yaml --locked").expect(0);

    // A weight is; the file is named, the rows are told, and nothing is written.
    place.write("x.yaml", ORDERS.replace("paid: 75%, lost: 5%", "paid: 70%, lost: 10%"));
    place.run("check x.yaml --locked --difference d.md").expect(1).snapshot("locked_and_changed");
    assert!(
        String::from_utf8(place.read("d.md"))
            .unwrap()
            .contains("| orders | state | has other values; the first are in rows ")
    );
    place.run("generate x.yaml --locked -o other --difference d.json").expect(1);
    let difference: serde_json::Value = serde_json::from_slice(&place.read("d.json")).unwrap();
    assert_eq!(difference["changes"][0]["column"], "state");
    assert!(!place.path("other").exists());

    // What is locked anew is told once more.
    let outcome = place.run("generate x.yaml --lock").expect(0);
    assert!(outcome.stderr.contains("table `orders`, column `state` has other values"));
    place.run("check x.yaml --locked").expect(0);
}

#[test]
fn profiles_are_locked_on_their_own() {
    let place = Place::with(&ORDERS.replace("seed: 42\n", "seed: 42\nprofiles: {ci: {rows: 10}}\n"));
    place.run("generate x.yaml --lock -p ci").expect(0);
    place.run("check x.yaml --locked -p ci").expect(0);
    place.run("check x.yaml --locked").expect(2);
    assert_eq!(place.read("outputs/orders-42/orders.csv").split(|byte| *byte == b'\n').count(), 12);
    let outcome = place.run("generate x.yaml --locked --rows 5").expect(2);
    assert!(outcome.stderr.contains("cannot be used with"), "{}", outcome.stderr);
}
