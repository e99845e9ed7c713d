//! Tables whose rows are given: anomalies treat them as they treat rows that are made.

use std::sync::Arc;

use lookalike_core::Rows;
use lookalike_engine::anomalies::ANOMALIES;
use lookalike_engine::inject::Spoilt;
use lookalike_engine::plan::Overrides;
use lookalike_engine::testing::plan_with;
use lookalike_engine::{Given, GivenTable, Plan};
use lookalike_ruleset::document::NoFiles;
use lookalike_ruleset::{Field, TableSchema};
use polars::prelude::{Column, DataFrame, DataType, IdxCa, IdxSize, Series};

/// Rows that a test holds.
pub(crate) struct Held {
    schema: TableSchema,
    frame: DataFrame,
}

impl Held {
    /// As a file would have them: without anything that the generator knew besides.
    pub(crate) fn of(schema: TableSchema, frame: &DataFrame) -> Held {
        let text = |column: &Column| match column.dtype() {
            DataType::Enum(..) => column.cast(&DataType::String).unwrap(),
            _ => column.clone(),
        };
        let columns = frame.columns().iter().map(text).collect();
        let fields = schema.fields.into_iter().map(|field| Field { nullable: true, plain: false, ..field });
        let schema = TableSchema { table: schema.table, fields: fields.collect() };
        Held { schema, frame: DataFrame::new(frame.height(), columns).unwrap() }
    }
}

impl Given for Held {
    fn schema(&self) -> &TableSchema {
        &self.schema
    }
    fn rows(&self) -> u64 {
        self.frame.height() as u64
    }
    fn read(&self, rows: &Rows, columns: &[usize]) -> Result<Vec<Series>, String> {
        let index: IdxCa = rows.iter().map(|row| Some(row as IdxSize)).collect();
        let read = |at: &usize| self.frame.columns()[*at].take(&index).map(|c| c.take_materialized_series());
        columns.iter().map(read).collect::<Result<_, _>>().map_err(|error| error.to_string())
    }
}

const ROWS: u64 = 2000;

/// A column for everything that an example of an anomaly names.
const COLUMNS: &str = "
      id: {sequence: {start: 1}}
      customer_id: {pattern: 'c-[0-9]{6}', unique: true}
      City: {choice: [Rome, Oslo, Lima]}
      Country: {lookup_free: 0}
      Region: {choice: [north, south, east]}
      Born: {date_range: [1950-01-01, 2000-01-01]}
      Name: {person: name, null: 5%}
      First: {person: first_name}
      Last: {person: last_name}
      Code: {pattern: '[A-Z]{2}[0-9]{4}'}
      note: {choice: [good, fair, poor], null: 20%}
      load: {random_walk: {std_dev: 2, start: 100}, round: 2}
      at: {datetime_range: [2025-01-01, 2026-01-01]}
      Size: {int_range: [8, 16000]}
      Temperature: {normal: {mean: 15, std_dev: 8}, round: 1}
      Price: {log_normal: {median: 40, p95: 300}, round: 2}
";

fn text(anomalies: &str) -> String {
    let columns = COLUMNS.replace(
        "{lookup_free: 0}",
        "{by: City, cases: {Rome: {constant: Italy}, Oslo: {constant: Norway}, Lima: {constant: Peru}}}",
    );
    format!(
        "lookalike: 1\nseed: 11\nclock: 2026-01-01\ntables:\n  t:\n    rows: {ROWS}\n    columns:{columns}    anomalies: {anomalies}\n"
    )
}

fn compile(text: &str, given: Option<Held>) -> Plan {
    let given = given.into_iter().map(|rows| GivenTable { table: "t".into(), rows: Arc::new(rows) });
    let overrides = Overrides { given: given.collect(), ..Overrides::default() };
    plan_with(text, &NoFiles, &overrides).unwrap_or_else(|problems| panic!("{text}\n{problems:#?}"))
}

fn spoilt(plan: &Plan, rows: Rows) -> Spoilt {
    plan.tables[0].spoilt(&rows).unwrap_or_else(|error| panic!("{error}"))
}

/// Everything as text, so that a category is as good as its name.
fn texts(frame: &DataFrame) -> Vec<Vec<String>> {
    let column = |column: &Column| {
        let values = column.as_materialized_series();
        (0..values.len()).map(|row| values.get(row).unwrap().to_string()).collect()
    };
    frame.columns().iter().map(column).collect()
}

/// An anomaly over rows that are made, and over the same rows given without their rules.
fn check(name: &str, anomalies: &str) {
    let made = compile(&text(anomalies), None);
    let expected = spoilt(&made, (0..ROWS).into());
    let held = || Held::of(made.tables[0].clean_schema(), &expected.clean);
    let (head, _) =
        text(anomalies).split_once("    columns:").map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
    let bare = format!("{head}    anomalies: {anomalies}\n");
    let given = compile(&bare, Some(held()));
    let found = spoilt(&given, (0..ROWS).into());
    assert!(!found.marks.is_empty(), "{name}: nothing happened");
    assert_eq!(texts(&found.clean), texts(&expected.clean), "{name}: the rows given");
    // A column whose generator has a list of values gets another of the list, others one from another row.
    if name != "mismatch" {
        assert_eq!(texts(&found.frame), texts(&expected.frame), "{name}: as if the rows were made");
    }
    let blocks =
        (0..ROWS).step_by(300).map(|start| spoilt(&given, (start..(start + 300).min(ROWS)).into()).frame);
    let stacked = blocks.reduce(|above, below| above.vstack(&below).unwrap()).unwrap();
    assert_eq!(texts(&stacked), texts(&found.frame), "{name}: blocks are the whole");
}

#[test]
fn every_kind_works_on_given_rows() {
    for kind in ANOMALIES {
        let rate = if kind.example.contains("rate:") { "" } else { "rate: 10%, " };
        check(kind.name, &format!("{{{rate}label: odd, kinds: {{a: {}}}}}", kind.example));
    }
}

#[test]
fn bursts_windows_conditions_and_draws_work_on_given_rows() {
    check(
        "all",
        "{rate: 5%, label: odd, kinds: {
           big: {set: {Size: 'Size * factor'}, draws: {factor: {int_range: [5, 10]}}, when: 'Size > 8000', severity: {uniform: [0, 1]}},
           gone: {missing: [Name], when: 'City = ''Rome'''},
           flat: {stuck: load, burst: [3, 9], rate: 3%},
           shifted: {level_shift: {column: load, plus: 20}, window: {column: at, length: 2d}, rate: 1%},
           late: {late: {column: at, by: {duration_range: [1m, 1h]}}, rate: 2%, overlap: true}}}",
    );
}

#[test]
fn rows_of_one_value_are_taken_together_on_given_rows() {
    check(
        "entities",
        "{label: odd, kinds: {
           dead: {rate: 20%, per: First, set: {Size: 0}},
           lost: {count: 3, per: Code, when: 'Size > 100', missing: [note]},
           flat: {count: 20, burst: [2, 3], per: City, stuck: load},
           late: {count: 5, window: {column: at, length: 6h}, per: Region, level_shift: {column: load, plus: 50}}}}",
    );
}

#[test]
fn rows_are_in_order_on_given_rows() {
    check(
        "order",
        "{label: odd, kinds: {
           flat: {count: 20, burst: [2, 9], order: {column: at, per: City}, stuck: load},
           drift: {count: 2, per: First, order: at, drift: {column: Size, per_row: 7}},
           far: {count: 50, order: {column: at, per: City}, spike: {column: load, plus: 50}},
           late: {count: 50, order: {column: Born, per: Region}, late: {column: Born, by: 3}}}}",
    );
}

#[test]
fn outliers_beyond_quantiles_of_given_rows() {
    // Also of a column that a law makes: over given rows, those of its values count.
    let text = "lookalike: 1\nseed: 11\ntables:\n  t:\n    rows: 2000\n    columns: {x: {normal: {mean: 100, std_dev: 10}, round: 1}}\n";
    let made = compile(text, None);
    let clean = made.tables[0].clean(&(0..ROWS).into()).unwrap();
    let anomalies = "{count: 100, kinds: {far: {outlier: {column: x, quantiles: [25%, 75%], by: 1.5}}}}";
    let bare = format!("lookalike: 1\nseed: 11\ntables:\n  t:\n    anomalies: {anomalies}\n");
    let given = compile(&bare, Some(Held::of(made.tables[0].clean_schema(), &clean)));
    let found = spoilt(&given, (0..ROWS).into());
    let floats = |series: &Series| -> Vec<f64> {
        series.cast(&DataType::Float64).unwrap().f64().unwrap().iter().flatten().collect()
    };
    let mut values = floats(clean.column("x").unwrap().as_materialized_series());
    values.sort_by(f64::total_cmp);
    let (low, high) = (values[499], values[1499]);
    let fences = [low - 1.5 * (high - low), high + 1.5 * (high - low)];
    let after = floats(&found.marks[0].after);
    assert_eq!(after.len(), 100);
    // Rounded away from the range, to a tenth.
    assert!(after.iter().all(|after| fences.iter().any(|fence| (after - fence).abs() < 0.1001)), "{after:?}");
    let part = spoilt(&given, (700..900).into());
    assert_eq!(texts(&part.frame), texts(&found.frame.slice(700, 200)));
}

fn refused(tables: &str) -> Vec<(&'static str, String)> {
    let made = compile(&text("{rate: 1%, kinds: {a: {missing: [Name]}}}"), None);
    let rows = Held::of(made.tables[0].clean_schema(), &made.tables[0].clean(&(0..10).into()).unwrap());
    let given = vec![GivenTable { table: "t".into(), rows: Arc::new(rows) }];
    let overrides = Overrides { given, ..Overrides::default() };
    let text = format!("lookalike: 1\ntables:\n  t: {tables}\n");
    let problems = plan_with(&text, &NoFiles, &overrides).err().expect("a diagnostic");
    problems.into_iter().map(|problem| (problem.code, problem.message)).collect()
}

#[test]
fn rules_that_do_not_go_with_the_data_are_refused() {
    let told = |code, message: &str| vec![(code, message.to_owned())];
    assert_eq!(
        refused("{anomalies: {rate: 10%, kinds: {a: {missing: [Nam]}}}}"),
        told("unknown-column", "the table writes no column `Nam`")
    );
    assert_eq!(
        refused(
            "{columns: {Weight: {int_range: [1, 2]}}, anomalies: {rate: 10%, kinds: {a: {missing: [Name]}}}}"
        ),
        told("unknown-column", "the data has no column `Weight`")
    );
    assert_eq!(
        refused(
            "{draws: {Size: {int_range: [1, 2]}}, anomalies: {rate: 10%, kinds: {a: {set: {Size: Size}}}}}"
        ),
        [
            ("duplicate-name", "`Size` is a column of the data and a draw".to_owned()),
            ("unused", "nothing reads the draw `Size`".to_owned())
        ]
    );
    assert_eq!(
        refused("{anomalies: {kinds: {a: {count: 1, per: Citi, missing: [Name]}}}}"),
        told("unknown-link", "`t` has no link and no column `Citi`")
    );
    assert_eq!(
        refused("{anomalies: {kinds: {a: {count: 11, per: Code, missing: [Name]}}}}"),
        told(
            "too-few-eligible",
            "`a` is to happen 11 times among the 10 rows of `t`, but only 10 can take it"
        )
    );
    assert_eq!(
        refused("{anomalies: {count: 11, kinds: {a: {missing: [Name]}}}}"),
        told(
            "too-few-eligible",
            "`a` is to happen 11 times among the 10 rows of `t`, but only 10 can take it"
        )
    );
    assert_eq!(
        refused("{anomalies: {rate: 10%, kinds: {a: {set: {Size: 1}, recompute: [Price]}}}}"),
        told("bad-anomaly", "`Price` does not follow from what the anomaly sets")
    );
}

#[test]
fn what_follows_from_a_change_is_made_again_by_the_rulesets_rule() {
    let columns = "columns: {size: {int_range: [1, 100]}, cost: {expr: 'size * 3'}}";
    let anomalies = "anomalies: {rate: 10%, kinds: {big: {set: {size: 'size * 10'}, recompute: [cost]}}}";
    let text = format!("lookalike: 1\ntables:\n  t: {{rows: 500, {columns}, {anomalies}}}\n");
    let made = compile(&text, None);
    let expected = spoilt(&made, (0..500).into());
    let given = compile(&text, Some(Held::of(made.tables[0].clean_schema(), &expected.clean)));
    let found = spoilt(&given, (0..500).into());
    assert_eq!(texts(&found.frame), texts(&expected.frame));
    assert_eq!(found.marks.len(), 2);
}
