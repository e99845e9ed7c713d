//! Profiles: sizes of one ruleset under names of their own.

use lookalike::language::read::Format;
use lookalike::{Error, Loader, Ruleset};

const SHOP: &str = "
lookalike: 1
seed: 1
profiles:
  ci: {rows: 100, tables: {orders: 30}}
  load: {scale: 10, seed: 2}
tables:
  customers:
    rows: 50
    columns: {id: {sequence: {start: 1}}, tier: {choice: [a, b]}}
  orders:
    rows: 60
    columns: {id: {sequence: {start: 1}}, amount: {uniform: [1, 9], round: 2}}
";

fn shop(change: impl FnOnce(Loader) -> Loader) -> Result<Ruleset, Error> {
    change(Ruleset::loader()).text(SHOP, Format::Yaml)
}

fn sizes(ruleset: &Ruleset) -> (u64, u64, u64) {
    let rows = |table| ruleset.table(table).unwrap().len();
    (rows("customers"), rows("orders"), ruleset.seed())
}

#[test]
fn a_profile_sets_rows_and_seed_and_what_is_said_goes_before_it() {
    assert_eq!(sizes(&shop(|l| l).unwrap()), (50, 60, 1));
    assert_eq!(sizes(&shop(|l| l.profile("ci")).unwrap()), (100, 30, 1));
    assert_eq!(sizes(&shop(|l| l.profile("load")).unwrap()), (500, 600, 2));
    assert_eq!(sizes(&shop(|l| l.profile("load").seed(9).rows(7)).unwrap()), (7, 7, 9));
    assert_eq!(sizes(&shop(|l| l.profile("ci").table_rows("orders", 5)).unwrap()), (100, 5, 1));
    assert_eq!(sizes(&shop(|l| l.profile("ci").scale(2.0)).unwrap()), (100, 120, 1));
}

#[test]
fn a_small_profile_is_the_beginning_of_a_large_one() {
    let (small, large) = (shop(|l| l.profile("ci")).unwrap(), shop(|l| l.rows(5000)).unwrap());
    for table in ["customers", "orders"] {
        let small = small.table(table).unwrap();
        let rows = 0..small.len();
        let large = large.table(table).unwrap().rows(rows).collect().unwrap();
        assert!(small.collect().unwrap().equals_missing(&large));
    }
}

#[test]
fn an_unknown_profile_is_refused_with_what_there_is() {
    let Err(Error::Refused(refusal)) = shop(|l| l.profile("cy")) else { panic!("it was taken") };
    let text = refusal.to_string();
    assert!(text.starts_with("error[unknown-profile]: the ruleset has no profile `cy`\n"), "{text}");
    assert!(text.contains("known profiles: ci, load"), "{text}");
}
