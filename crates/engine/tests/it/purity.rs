//! A cell is a pure function of (ruleset, seed, table, column, row): no cell knows of blocks, attempts of other rows, other
//! columns, other tables or the number of rows.

use lookalike_core::Rows;
use lookalike_engine::testing::plan;
use polars::prelude::DataFrame;

const RULESET: &str = "
lookalike: 1
seed: 42
tables:
  things:
    rows: 5000
    columns:
      id: {pattern: 'id-[0-9a-f]{8}', unique: true}
      kind: {choice: {small: 50%, large: 30%, huge: 20%}}
      size:
        by: kind
        cases:
          small: {int_range: [1, 10]}
          large | huge: {log_normal: {median: 80, p95: 1000}, truncate: [10, 5000], round: 0}
      price: {expr: 'size * 0.125', round: 2}
      note: {template: '{kind}-{size}', null: 30%}
      mixed: {mixture: [{weight: 70%, of: {choice: [8, 20, 50]}}, {weight: 30%, of: {normal: {mean: 100, std_dev: 5}, round: 1}}]}
      day: {date_range: [2025-01-01, 2025-12-31], only_if: 'kind <> ''small'''}
    require: ['size < 400 OR kind = ''huge''']
";

fn make(text: &str, rows: Rows) -> DataFrame {
    let plan = plan(text).unwrap_or_else(|d| panic!("{d:#?}"));
    plan.table("things").unwrap().frame(&rows).unwrap()
}

#[test]
fn the_whole_is_its_parts() {
    let whole = make(RULESET, Rows::Range(0..5000));
    for size in [1, 7, 1000, 4999] {
        let mut at = 0;
        while at < 5000 {
            let end = (at + size).min(5000);
            let part = make(RULESET, Rows::Range(at..end));
            assert!(part.equals_missing(&whole.slice(at as i64, (end - at) as usize)), "rows {at}..{end}");
            at = if size < 10 { at + 611 } else { end };
        }
    }
}

#[test]
fn scattered_rows_are_the_same_rows() {
    let whole = make(RULESET, Rows::Range(0..5000));
    let scattered = make(RULESET, Rows::from(vec![4999, 0, 17, 17, 2500]));
    for (at, row) in [4999, 0, 17, 17, 2500].into_iter().enumerate() {
        assert!(scattered.slice(at as i64, 1).equals_missing(&whole.slice(row, 1)), "row {row}");
    }
}

#[test]
fn further_columns_and_tables_change_nothing() {
    let whole = make(RULESET, Rows::Range(0..5000));
    let more = RULESET
        .replace("      kind:", "      extra: {uniform: [0, 1]}\n      kind:")
        .replace("tables:\n", "tables:\n  before:\n    columns:\n      id: {uuid: v4}\n")
        .replace("    require:", "    draws:\n      helper: {normal: {mean: 0, std_dev: 1}}\n    require:");
    let wider = make(&more, Rows::Range(0..5000));
    let kept = wider.drop("extra").unwrap();
    assert_eq!(wider.width(), whole.width() + 1);
    assert!(kept.equals_missing(&whole));
}

#[test]
fn the_order_of_columns_changes_nothing() {
    let whole = make(RULESET, Rows::Range(0..1000));
    let line = "      kind: {choice: {small: 50%, large: 30%, huge: 20%}}\n";
    let moved = RULESET.replace(line, "").replace("    require:", &format!("{line}    require:"));
    let other = make(&moved, Rows::Range(0..1000));
    let names: Vec<String> = whole.get_column_names().iter().map(|n| n.to_string()).collect();
    assert!(other.select(names).unwrap().equals_missing(&whole));
}

#[test]
fn a_small_table_is_the_beginning_of_a_large_one() {
    let whole = make(RULESET, Rows::Range(0..1000));
    let small = make(&RULESET.replace("rows: 5000", "rows: 1000"), Rows::Range(0..1000));
    assert!(small.equals_missing(&whole));
}

#[test]
fn requirements_hold_and_touch_only_rows_that_missed_them() {
    let with = make(RULESET, Rows::Range(0..5000));
    let without = make(&RULESET[..RULESET.find("    require:").unwrap()], Rows::Range(0..5000));
    let sizes = with.column("size").unwrap().i64().unwrap().clone();
    let kinds = with.column("kind").unwrap().cast(&polars::prelude::DataType::String).unwrap();
    let kinds = kinds.str().unwrap().clone();
    let (mut redrawn, mut kept) = (0, 0);
    for row in 0..5000 {
        assert!(sizes.get(row).unwrap() < 400 || kinds.get(row) == Some("huge"), "row {row}");
        if with.slice(row as i64, 1).equals_missing(&without.slice(row as i64, 1)) {
            kept += 1;
        } else {
            redrawn += 1;
        }
    }
    assert!(redrawn > 50 && kept > 4000, "{redrawn} rows redrawn, {kept} kept");
}
