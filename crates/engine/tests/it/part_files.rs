//! Parts of a table whose rows are those of a file.

use std::sync::Arc;

use lookalike_core::Rows;
use lookalike_engine::plan::Overrides;
use lookalike_engine::testing::plan_with;
use lookalike_engine::{PartRows, Plan};
use lookalike_ruleset::document::NoFiles;
use lookalike_ruleset::{Diagnostic, Field, TableSchema, Type};
use polars::prelude::*;

use crate::given::Held;

/// Three hundred orders, with columns in another order than the table's and one that it has not.
fn orders() -> (TableSchema, DataFrame) {
    let rows = 0..300i64;
    let frame = df!(
        "note" => rows.clone().map(|row| format!("n{row}")).collect::<Vec<_>>(),
        "amount" => rows.clone().map(|row| row as f64 + 0.25).collect::<Vec<_>>(),
        "region" => rows.clone().map(|row| (row % 7 != 0).then(|| format!("file{}", row % 3))).collect::<Vec<_>>(),
        "number" => rows.collect::<Vec<_>>(),
    );
    let field = |name: &str, ty| Field {
        name: name.into(),
        ty,
        nullable: true,
        plain: false,
        json: false,
        about: None,
    };
    let fields = vec![
        field("note", Type::Text),
        field("amount", Type::Float),
        field("region", Type::Text),
        field("number", Type::Int),
    ];
    (TableSchema { table: "orders".into(), fields }, frame.unwrap())
}

fn text(subsets: &str) -> String {
    format!(
        "lookalike: 1
seed: 5
tables:
  orders:
    rows: 1001
    columns:
      id: {{sequence: {{start: 1}}}}
      region: {{choice: [north, south]}}
      amount: {{int_range: [1000, 2000]}}
      double: {{expr: amount * 2}}
      place: {{expr: row_number}}
    draws:
      number: {{int_range: [10000, 20000]}}
      row_number: {{expr: number}}
    subsets: {subsets}
  lines:
    rows: 400
    belongs_to: {{order: {{table: orders, pick: uniform}}}}
    columns: {{order: {{expr: order.id}}, region: {{expr: order.region}}, place: {{expr: order.place}}}}
"
    )
}

fn compile(text: &str, (schema, frame): (TableSchema, DataFrame)) -> Result<Plan, Vec<Diagnostic>> {
    let rows = PartRows {
        table: "orders".into(),
        part: "real".into(),
        file: "real.csv".into(),
        rows: Arc::new(Held::of(schema, &frame)),
    };
    plan_with(text, &NoFiles, &Overrides { parts: vec![rows], ..Overrides::default() })
}

fn made(subsets: &str) -> Plan {
    compile(&text(subsets), orders()).unwrap_or_else(|problems| panic!("{problems:#?}"))
}

fn ints(frame: &DataFrame, column: &str) -> Vec<Option<i64>> {
    frame.column(column).unwrap().i64().unwrap().iter().collect()
}

fn texts(frame: &DataFrame, column: &str) -> Vec<Option<String>> {
    let texts = frame.column(column).unwrap().cast(&DataType::String).unwrap();
    texts.str().unwrap().iter().map(|text| text.map(str::to_owned)).collect()
}

fn whole(plan: &Plan) -> DataFrame {
    plan.tables[0].frame(&(0..plan.tables[0].rows).into()).unwrap()
}

const SHARES: &str = "{label: source, parts: {made: {share: 90%}, real: {share: 10%, from: real.csv}}}";

#[test]
fn a_parts_rows_are_the_files() {
    let (_, file) = orders();
    let plan = made(SHARES);
    let frame = whole(&plan);
    let plain = whole(&made(&SHARES.replace(", from: real.csv", "")));
    let (regions, amounts, places) =
        (texts(&frame, "region"), texts(&frame, "amount"), ints(&frame, "place"));
    let mut taken = Vec::new();
    for (row, source) in texts(&frame, "source").into_iter().enumerate() {
        let amount: f64 = amounts[row].as_ref().unwrap().parse().unwrap();
        let cell =
            |frame: &DataFrame, column: &str| frame.column(column).unwrap().get(row).unwrap().to_string();
        assert_eq!(cell(&frame, "id"), (row + 1).to_string(), "what the file has not follows its rule");
        if source.as_deref() == Some("made") {
            assert_eq!(cell(&frame, "region"), cell(&plain, "region"));
            assert_eq!(amount, cell(&plain, "amount").parse::<f64>().unwrap());
            continue;
        }
        let number = places[row].unwrap() as usize;
        assert_eq!(amount, number as f64 + 0.25);
        assert_eq!(regions[row], texts(&file, "region")[number]);
        let double: f64 = texts(&frame, "double")[row].as_ref().unwrap().parse().unwrap();
        assert_eq!(double, 2.0 * amount, "rules read what the file says");
        taken.push(number);
    }
    assert_eq!(taken.len(), 100);
    assert!(taken.windows(2).all(|pair| pair[0] < pair[1]), "in the file's order, and none twice");
    assert!(taken[0] < 60 && taken[99] >= 240, "from all over the file");
    assert_eq!(plan.tables[0].rows_from_files().collect::<Vec<_>>(), [("real", 300, 100)]);
}

#[test]
fn any_rows_are_the_same_alone() {
    for order in ["interleaved", "in_order"] {
        let subsets = SHARES
            .replace("{label", &format!("{{order: {order}, label"))
            .replace("10%", "60%")
            .replace("90%", "40%");
        let plan = made(&subsets);
        let (table, all) = (&plan.tables[0], whole(&plan));
        let mut blocks = all.clear();
        for start in (0..1001).step_by(37) {
            blocks.vstack_mut(&table.frame(&Rows::Range(start..1001.min(start + 37))).unwrap()).unwrap();
        }
        assert!(blocks.equals_missing(&all));
        let list: Vec<u64> = (0..500).map(|i| (i * 357 + 5) % 1001).rev().collect();
        let index = IdxCa::from_vec("".into(), list.iter().map(|row| *row as u32).collect());
        assert!(table.frame(&Rows::from(list)).unwrap().equals_missing(&all.take(&index).unwrap()));
        // A child sees what its parent has, from a file or not.
        let lines = plan.tables[1].frame(&(0..400).into()).unwrap();
        let (regions, places) = (texts(&all, "region"), ints(&all, "place"));
        let links = ints(&lines, "order").into_iter().zip(texts(&lines, "region")).zip(ints(&lines, "place"));
        for ((order, region), place) in links {
            let row = order.unwrap() as usize - 1;
            assert_eq!((region, place), (regions[row].clone(), places[row]));
        }
    }
}

#[test]
fn rows_are_taken_as_in_a_merge() {
    let counts = |part: &str| {
        let plan = made(&format!(
            "{{label: source, parts: {{made: {{share: 100%}}, real: {{from: real.csv, {part}}}}}}}"
        ));
        let frame = whole(&plan);
        let mut counts = vec![0u64; 300];
        for (source, place) in texts(&frame, "source").iter().zip(ints(&frame, "place")) {
            if source.as_deref() == Some("real") {
                counts[place.unwrap() as usize] += 1;
            }
        }
        counts
    };
    assert_eq!(counts("replace: false"), [1; 300], "unless something else is said, all rows of the file");
    assert_eq!(counts("count: 300"), [1; 300]);
    let more = counts("count: 700");
    assert!(more.iter().sum::<u64>() == 700 && more.iter().all(|count| (2..=3).contains(count)));
    let drawn = counts("count: 300, replace: true");
    // With replacement e^-1 of the rows come not at all: 110 of 300, with a standard deviation of 5.4.
    let none = drawn.iter().filter(|count| **count == 0).count();
    assert!(drawn.iter().sum::<u64>() == 300 && (75..145).contains(&none), "{none}");
}

#[test]
fn a_parts_own_rule_goes_before_the_file() {
    let subsets = SHARES.replace("from: real.csv", "from: real.csv, columns: {amount: {constant: 7}}");
    let frame = whole(&made(&subsets));
    for (source, amount) in texts(&frame, "source").iter().zip(texts(&frame, "amount")) {
        assert_eq!(source.as_deref() == Some("real"), amount.as_deref() == Some("7"));
    }
}

#[test]
fn types_are_brought_together() {
    let plan = made(SHARES);
    let ty =
        |name: &str| plan.tables[0].schema().fields.into_iter().find(|field| field.name == name).unwrap().ty;
    assert_eq!(ty("amount"), Type::Float, "whole numbers here and others there");
    let refused = |from: &str, to: &str| -> (&'static str, String) {
        let text = text(SHARES).replace(from, to);
        let problems = compile(&text, orders()).err().expect("a diagnostic");
        let problem = problems.into_iter().find(|problem| problem.code != "unknown-column").unwrap();
        (problem.code, problem.message)
    };
    let told = |code, message: &str| (code, message.to_owned());
    assert_eq!(
        refused("amount: {int_range: [1000, 2000]}", "amount: {int_range: [1000, 2000], type: int}"),
        told("wrong-type", "column `amount` of real.csv is float, but the table's rule makes int")
    );
    assert_eq!(
        refused("region: {choice: [north, south]}", "region: {int_range: [1, 2]}"),
        told("wrong-type", "column `region` of real.csv is text, but the table's rule makes int")
    );
    assert_eq!(
        refused("region: {choice: [north, south]}", "region: {pattern: '[a-z]{9}', unique: true}"),
        told("bad-subset", "`region` is unique, so it cannot come from real.csv")
    );
}

#[test]
fn what_cannot_be_is_told() {
    let codes = |subsets: &str, file: (TableSchema, DataFrame)| -> Vec<(&'static str, String)> {
        let problems = compile(&text(subsets), file).err().expect("a diagnostic");
        problems.into_iter().map(|problem| (problem.code, problem.message)).collect()
    };
    let (schema, frame) = orders();
    let unknown = ("unknown-column", "real.csv has a column that `orders` has not: `note`".to_owned());
    let empty = codes(SHARES, (schema.clone(), frame.clear()));
    let none = ("impossible-count", "real.csv has no rows, and 100 are to come from it".to_owned());
    assert_eq!(empty, [none, unknown], "errors first");
    let strange = TableSchema {
        table: "x".into(),
        fields: schema.fields.iter().map(|f| Field { name: format!("_{}", f.name), ..f.clone() }).collect(),
    };
    assert_eq!(codes(SHARES, (strange, frame))[0].0, "bad-subset");
    assert_eq!(codes(&SHARES.replace("real:", "other:"), orders())[0].0, "cannot-read");
    assert_eq!(
        codes(&SHARES.replace("from: real.csv", "replace: true"), orders())[0],
        ("bad-subset", "`real` takes no rows from a file".to_owned())
    );
    let many = SHARES.replace("share: 10%, ", "").replace("90%", "100%");
    let text = text(&many).replace("rows: 1001", "rows: 299");
    let problems = compile(&text, orders()).err().unwrap();
    assert!(problems.iter().any(|problem| problem.code == "impossible-count"), "{problems:#?}");
}
