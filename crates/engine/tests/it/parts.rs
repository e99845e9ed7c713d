//! Subsets and anomalies: exact quotas that any row knows alone, and nothing else touched.

use std::collections::{BTreeMap, BTreeSet};

use lookalike_core::Rows;
use lookalike_engine::Plan;
use lookalike_engine::testing::plan;
use lookalike_ruleset::{Field, Type};
use polars::prelude::*;

fn frame(plan: &Plan) -> DataFrame {
    let table = &plan.tables[0];
    table.frame(&Rows::Range(0..table.rows)).unwrap()
}

fn count(frame: &DataFrame, column: &str) -> BTreeMap<Option<String>, u64> {
    let texts = frame.column(column).unwrap().cast(&DataType::String).unwrap();
    let mut counts = BTreeMap::new();
    texts.str().unwrap().iter().for_each(|text| *counts.entry(text.map(str::to_owned)).or_default() += 1);
    counts
}

fn parts(rows: u64, subsets: &str) -> DataFrame {
    let text = format!(
        "lookalike: 1\nseed: 3\ntables: {{t: {{rows: {rows}, columns: {{size: {{int_range: [1, 1000]}}}}, subsets: {subsets}}}}}"
    );
    frame(&plan(&text).unwrap_or_else(|problems| panic!("{problems:#?}")))
}

#[test]
fn shares_are_exact_by_largest_remainder() {
    let shares = "{label: p, parts: {a: {share: 60%}, b: {share: 30%}, c: {share: 10%}}}";
    for (rows, expected) in [(1001, [601, 300, 100]), (1000, [600, 300, 100]), (7, [4, 2, 1]), (1, [1, 0, 0])]
    {
        let counts = count(&parts(rows, shares), "p");
        let found = ["a", "b", "c"].map(|name| counts.get(&Some(name.to_owned())).copied().unwrap_or(0));
        assert_eq!(found, expected, "{rows} rows");
    }
    // A count comes first; shares are of what is left.
    let counts =
        count(&parts(110, "{label: p, parts: {a: {share: 50%}, b: {count: 10}, c: {share: 50%}}}"), "p");
    assert_eq!(counts.into_values().collect::<Vec<_>>(), [50, 10, 50]);
}

#[test]
fn parts_lie_mixed_or_in_order() {
    let order = |order: &str| {
        let frame = parts(
            100,
            &format!("{{label: p, order: {order}, parts: {{a: {{share: 50%}}, b: {{share: 50%}}}}}}"),
        );
        let texts = frame.column("p").unwrap().cast(&DataType::String).unwrap();
        texts.str().unwrap().iter().map(|t| t.unwrap_or("").to_owned()).collect::<Vec<_>>()
    };
    assert!(order("in_order").is_sorted());
    let changes = order("interleaved").windows(2).filter(|w| w[0] != w[1]).count();
    // Fifty of each in random order change 50 times, with a standard deviation of 5: a false alarm in a billion.
    assert!((20..80).contains(&changes), "{changes}");
}

#[test]
fn a_part_changes_its_own_cells_only() {
    let plain = parts(1000, "{label: p, parts: {a: {share: 70%}, b: {share: 30%}}}");
    let other = parts(
        1000,
        "{label: p, parts: {a: {share: 70%}, b: {share: 30%, columns: {size: {int_range: [5000, 6000]}}}}}",
    );
    let of = |frame: &DataFrame, column: &str| frame.column(column).unwrap().as_materialized_series().clone();
    let texts = of(&other, "p").cast(&DataType::String).unwrap();
    let (before, after) = (of(&plain, "size"), of(&other, "size"));
    let mut changed = 0;
    for ((part, before), after) in
        texts.str().unwrap().iter().zip(before.i64().unwrap().iter()).zip(after.i64().unwrap().iter())
    {
        match part {
            Some("b") => {
                assert!((5000..=6000).contains(&after.unwrap()));
                changed += 1;
            }
            _ => assert_eq!(before, after),
        }
    }
    assert_eq!(changed, 300);
}

#[test]
fn times_are_shifted_and_stretched() {
    let text = "
lookalike: 1
tables:
  t:
    rows: 50
    columns: {day: {date_range: [2025-01-01, 2025-03-31]}, base: {expr: day}}
    subsets: {label: p, parts: {a: {share: 50%}, b: {share: 50%, align: {columns: [day], shift: 10d, stretch: 3, from: 2025-01-01}}}}
";
    let moved = frame(&plan(text).unwrap());
    let plain = frame(
        &plan(&text.replace(", align: {columns: [day], shift: 10d, stretch: 3, from: 2025-01-01}", ""))
            .unwrap(),
    );
    let days = |frame: &DataFrame| -> Vec<i32> {
        let column = frame.column("day").unwrap().as_materialized_series().to_physical_repr().into_owned();
        column.i32().unwrap().iter().flatten().collect()
    };
    let first = 20_089; // 2025-01-01
    let parts = moved.column("p").unwrap().cast(&DataType::String).unwrap();
    for ((part, plain), moved) in parts.str().unwrap().iter().zip(days(&plain)).zip(days(&moved)) {
        let expected = if part == Some("b") { first + (plain - first) * 3 + 10 } else { plain };
        assert_eq!(moved, expected);
    }
}

const SPOILT: &str = "
lookalike: 1
seed: 9
tables:
  t:
    rows: 5000
    columns:
      id: {sequence: {}}
      size: {int_range: [1, 100]}
      price: {expr: size * rate, round: 2}
      kind: {choice: [a, b, c]}
      note: {pattern: '[a-z]{5}', null: 30%}
    draws: {rate: {uniform: [1, 2]}}
    require: ['size <> 50']
    anomalies:
      rate: 7%
      label: anomaly
      kinds:
        huge: {weight: 2, when: size < 50, draws: {factor: {int_range: [10, 20]}}, set: {size: size * factor}, recompute: [price]}
        odd: {severity: {uniform: [0, 1]}, set: {kind: '''z'' || kind', price: -price * severity}}
        lost: {when: note IS NOT NULL, set: {note: 'NULL'}}
        stuck: {rate: 2%, burst: [4, 12], set: {size: {constant: 7}}}
        frozen: {count: 5, burst: 20, when: id > 100, set: {note: {constant: frozen}}}
";

#[test]
fn any_rows_know_their_anomalies_alone() {
    let plan = plan(SPOILT).unwrap();
    let table = &plan.tables[0];
    let whole = table.spoilt(&Rows::Range(0..5000)).unwrap();
    for parts in [3, 8, 401] {
        let mut at = 0;
        for part in 1..=parts {
            let end = 5000 * part / parts;
            let rows = table.spoilt(&Rows::Range(at..end)).unwrap();
            let slice = |frame: &DataFrame| frame.slice(at as i64, (end - at) as usize);
            assert!(rows.frame.equals_missing(&slice(&whole.frame)), "rows {at}..{end}");
            assert!(rows.clean.equals_missing(&slice(&whole.clean)), "rows {at}..{end}");
            at = end;
        }
    }
    let list: Vec<u64> = (0..700).map(|i| (i * 3571 + 5) % 5000).rev().collect();
    let positions: Vec<u32> = list.iter().map(|row| *row as u32).collect();
    let scattered = table.frame(&Rows::from(list)).unwrap();
    assert!(scattered.equals_missing(&whole.frame.take(&IdxCa::from_vec("".into(), positions)).unwrap()));
    let some = table.select(&Rows::Range(10..90), &["anomaly", "price"]).unwrap();
    assert!(some.equals_missing(&whole.frame.select(["anomaly", "price"]).unwrap().slice(10, 80)));
}

#[test]
fn quotas_are_exact_and_cells_without_a_mark_are_clean() {
    let plan = plan(SPOILT).unwrap();
    let table = &plan.tables[0];
    let spoilt = table.spoilt(&Rows::Range(0..5000)).unwrap();
    let counts = count(&spoilt.frame, "anomaly");
    let named = |name: &str| counts[&Some(name.to_owned())];
    // 7 % of 5,000 are 350: 175, 87.5 and 87.5, of which the first gets the row that is left.
    assert_eq!([named("huge"), named("odd"), named("lost"), named("frozen")], [175, 88, 87, 100]);
    // 2 % are 100 rows, in bursts of 8 on average: 13 of them, rounded.
    let bursts: BTreeSet<u64> =
        spoilt.marks.iter().filter(|m| m.kind == "stuck").flat_map(|m| m.instances.clone()).collect();
    assert_eq!(bursts.len(), 13);
    let mut marked: BTreeSet<(String, u64)> = BTreeSet::new();
    for marks in &spoilt.marks {
        for (i, row) in marks.rows.iter().enumerate() {
            assert!(marked.insert((marks.column.clone(), *row)), "one mark a cell");
            let cell = |frame: &DataFrame| {
                frame.column(&marks.column).unwrap().get(*row as usize).unwrap().to_string()
            };
            assert_eq!(cell(&spoilt.clean), marks.before.get(i).unwrap().to_string());
            assert_eq!(cell(&spoilt.frame), marks.after.get(i).unwrap().to_string());
        }
    }
    for column in ["id", "size", "price", "kind", "note"] {
        let (dirty, clean) = (spoilt.frame.column(column).unwrap(), spoilt.clean.column(column).unwrap());
        for row in 0..5000 {
            if !marked.contains(&(column.to_owned(), row as u64)) {
                assert_eq!(dirty.get(row).unwrap().to_string(), clean.get(row).unwrap().to_string());
            }
        }
    }
}

#[test]
fn one_more_anomaly_moves_none_before_it() {
    let rows_of = |text: &str| -> BTreeSet<u64> {
        let plan = plan(text).unwrap();
        let spoilt = plan.tables[0].spoilt(&Rows::Range(0..5000)).unwrap();
        spoilt.marks.iter().filter(|m| m.kind == "stuck").flat_map(|m| m.rows.clone()).collect()
    };
    let more = format!("{SPOILT}        more: {{count: 9, set: {{size: {{constant: 1}}}}}}\n");
    assert_eq!(rows_of(SPOILT), rows_of(&more));
}

#[test]
fn lenient_takes_what_there_is() {
    use lookalike_engine::plan::Overrides;
    use lookalike_engine::testing::plan_with;
    use lookalike_ruleset::document::NoFiles;
    let text = "{lookalike: 1, tables: {t: {rows: 100, columns: {x: {int_range: [1, 100]}}, \
                anomalies: {rate: 50%, label: a, kinds: {big: {when: x > 90, set: {x: 0}}}}}}}";
    assert_eq!(plan(text).err().unwrap()[0].code, "too-few-eligible");
    let plan = plan_with(text, &NoFiles, &Overrides { lenient: true, ..Overrides::default() }).unwrap();
    let spoilt = plan.tables[0].spoilt(&Rows::Range(0..100)).unwrap();
    let x =
        |frame: &DataFrame| frame.column("x").unwrap().i64().unwrap().iter().flatten().collect::<Vec<_>>();
    let big = x(&spoilt.clean).into_iter().filter(|x| *x > 90).count();
    assert_eq!(x(&spoilt.frame).into_iter().filter(|x| *x == 0).count(), big);
    assert!(big < 50);
}

#[test]
fn bursts_stay_among_the_children_of_one_parent() {
    let text = "
lookalike: 1
tables:
  sensors: {rows: 200, columns: {id: {sequence: {}}}}
  readings:
    belongs_to: {sensor: {table: sensors, per_parent: {int_range: [5, 30]}}}
    columns: {sensor: {expr: sensor.id}, value: {normal: {mean: 0, std_dev: 1}}}
    anomalies: {kinds: {stuck: {count: 100, burst: [3, 9], per: sensor, stuck: value}}}
";
    let plan = plan(text).unwrap();
    let table = &plan.tables[1];
    let spoilt = table.spoilt(&Rows::Range(0..table.rows)).unwrap();
    let sensors = spoilt.clean.column("sensor").unwrap().i64().unwrap().clone();
    let marks = &spoilt.marks[0];
    let mut bursts: BTreeMap<u64, BTreeSet<Option<i64>>> = BTreeMap::new();
    for (row, instance) in marks.rows.iter().zip(&marks.instances) {
        bursts.entry(*instance).or_default().insert(sensors.get(*row as usize));
    }
    assert_eq!(bursts.len(), 100);
    assert!(bursts.values().all(|sensors| sensors.len() == 1));
}

#[test]
fn all_children_of_a_parent_can_be_taken() {
    let text = "
lookalike: 1
tables:
  sensors: {rows: 200, columns: {id: {sequence: {}}}}
  readings:
    belongs_to: {sensor: {table: sensors, per_parent: {int_range: [0, 30]}}}
    columns: {sensor: {expr: sensor.id}, value: {normal: {mean: 0, std_dev: 1}}}
    anomalies: {label: odd, kinds: {dead: {rate: 10%, per: sensor, set: {value: 99}}, one: {count: 40, set: {value: 7}}}}
";
    let plan = plan(text).unwrap();
    let table = &plan.tables[1];
    let whole = table.frame(&Rows::Range(0..table.rows)).unwrap();
    let kinds = whole.column("odd").unwrap().cast(&DataType::String).unwrap();
    let mut by_sensor: BTreeMap<Option<i64>, BTreeSet<Option<&str>>> = BTreeMap::new();
    for (sensor, kind) in
        whole.column("sensor").unwrap().i64().unwrap().iter().zip(kinds.str().unwrap().iter())
    {
        by_sensor.entry(sensor).or_default().insert(kind);
    }
    let dead: Vec<_> = by_sensor.values().filter(|kinds| kinds.contains(&Some("dead"))).collect();
    assert_eq!(dead.len(), 20);
    assert!(dead.iter().all(|kinds| kinds.len() == 1), "all rows of a sensor, or none");
    assert_eq!(count(&whole, "odd")[&Some("one".to_owned())], 40);
    let mut parts = whole.clear();
    for start in (0..table.rows).step_by(7) {
        parts.vstack_mut(&table.frame(&Rows::Range(start..table.rows.min(start + 7))).unwrap()).unwrap();
    }
    assert!(parts.equals_missing(&whole));
}

#[test]
fn all_rows_of_one_value_can_be_taken() {
    let text = "
lookalike: 1
tables:
  readings:
    rows: 3000
    columns:
      client: {pattern: 'c[0-9]{2}', null: 10%}
      value: {int_range: [0, 98]}
    anomalies: {label: odd, kinds: {dead: {rate: 25%, per: client, set: {value: 99}}, one: {count: 40, set: {value: 100}}}}
";
    let plan = plan(text).unwrap_or_else(|problems| panic!("{problems:#?}"));
    let table = &plan.tables[0];
    let whole = table.spoilt(&Rows::Range(0..3000)).unwrap();
    let clients =
        whole.clean.column("client").unwrap().cast(&DataType::String).unwrap().str().unwrap().clone();
    let kinds = whole.frame.column("odd").unwrap().cast(&DataType::String).unwrap();
    let mut by_client: BTreeMap<Option<&str>, BTreeSet<Option<&str>>> = BTreeMap::new();
    for (client, kind) in clients.iter().zip(kinds.str().unwrap().iter()) {
        by_client.entry(client).or_default().insert(kind);
    }
    let all = by_client.keys().flatten().count();
    let dead: Vec<_> = by_client.iter().filter(|(_, kinds)| kinds.contains(&Some("dead"))).collect();
    assert_eq!(dead.len(), (all as f64 * 0.25).round() as usize, "a share of the clients");
    assert!(
        dead.iter().all(|(client, kinds)| client.is_some() && kinds.len() == 1),
        "all rows of one, or none"
    );
    for (first, rows) in instances(&whole, "dead") {
        assert_eq!(rows.first(), Some(&first));
        let client = clients.get(first as usize);
        assert!((0..3000).all(|row| rows.contains(&row) == (clients.get(row as usize) == client)));
    }
    let mut parts = whole.frame.clear();
    for start in (0..3000).step_by(77) {
        parts.vstack_mut(&table.frame(&Rows::Range(start..3000.min(start + 77))).unwrap()).unwrap();
    }
    assert!(parts.equals_missing(&whole.frame));
}

const ORDERED: &str = "
lookalike: 1
seed: 5
tables:
  sensors: {rows: 20, columns: {id: {sequence: {}}}}
  readings:
    rows: 2000
    belongs_to: {sensor: {table: sensors, pick: uniform}}
    columns:
      sensor: {expr: sensor.id}
      at: {datetime_range: [2026-01-01, 2026-01-11], null: 5%}
      value: {normal: {mean: 0, std_dev: 1}}
    anomalies: {label: odd, kinds: {a: ANOMALY}}
";

/// The clean and the dirty values, and of each sensor its rows in time.
fn ordered(anomaly: &str) -> (lookalike_engine::inject::Spoilt, Vec<f64>, Vec<f64>, Vec<Vec<usize>>) {
    let plan = plan(&ORDERED.replace("ANOMALY", anomaly)).unwrap_or_else(|problems| panic!("{problems:#?}"));
    let table = &plan.tables[1];
    let whole = table.spoilt(&Rows::Range(0..2000)).unwrap();
    let mut blocks = whole.frame.clear();
    for start in (0..2000).step_by(171) {
        blocks.vstack_mut(&table.frame(&Rows::Range(start..2000.min(start + 171))).unwrap()).unwrap();
    }
    assert!(blocks.equals_missing(&whole.frame));
    let values = |frame: &DataFrame| frame.column("value").unwrap().f64().unwrap().iter().flatten().collect();
    let sensor = whole.clean.column("sensor").unwrap().i64().unwrap().clone();
    let at = whole.clean.column("at").unwrap().as_materialized_series().to_physical_repr().into_owned();
    let mut by_sensor: BTreeMap<i64, Vec<(i64, usize)>> = BTreeMap::new();
    for (row, (sensor, at)) in sensor.iter().zip(at.i64().unwrap().iter()).enumerate() {
        by_sensor.entry(sensor.unwrap()).or_default().extend(at.map(|at| (at, row)));
    }
    let in_order = |mut rows: Vec<(i64, usize)>| {
        rows.sort_unstable();
        rows.into_iter().map(|(_, row)| row).collect()
    };
    let (clean, dirty) = (values(&whole.clean), values(&whole.frame));
    (whole, clean, dirty, by_sensor.into_values().map(in_order).collect())
}

#[test]
fn bursts_follow_an_order_of_an_entitys_rows() {
    for anomaly in [
        "{stuck: value, burst: [3, 9], count: 60, order: {column: at, per: sensor}}",
        "{stuck: value, burst: [3, 9], count: 60, order: at, per: sensor}",
    ] {
        let (spoilt, clean, dirty, sensors) = ordered(anomaly);
        let found = instances(&spoilt, "a");
        assert_eq!(found.len(), 60);
        for (first, rows) in found {
            let sensor = sensors.iter().find(|rows| rows.contains(&(first as usize))).unwrap();
            let start = sensor.iter().position(|row| *row == first as usize).unwrap();
            let run: BTreeSet<u64> =
                sensor[start..start + rows.len()].iter().map(|row| *row as u64).collect();
            assert_eq!(run, rows, "one after the other in time, of one sensor");
            assert!(rows.iter().all(|row| dirty[*row as usize] == clean[first as usize]));
        }
    }
    // Without an entity, the whole table is one.
    let (spoilt, ..) = ordered("{stuck: value, burst: 5, count: 20, order: at}");
    assert_eq!(instances(&spoilt, "a").len(), 20);
}

#[test]
fn an_entitys_rows_are_in_order() {
    let (spoilt, clean, dirty, sensors) =
        ordered("{drift: {column: value, per_row: 1000}, count: 3, per: sensor, order: at}");
    let found = instances(&spoilt, "a");
    assert_eq!(found.len(), 3);
    for first in found.into_keys() {
        let sensor = sensors.iter().find(|rows| rows[0] == first as usize).unwrap();
        for (k, row) in sensor.iter().enumerate() {
            assert!((dirty[*row] - clean[*row] - 1000.0 * (k + 1) as f64).abs() < 1e-6);
        }
    }
}

#[test]
fn rows_near_by_are_those_of_the_entity() {
    let (spoilt, clean, dirty, sensors) =
        ordered("{spike: {column: value, plus: 1000}, count: 200, order: {column: at, per: sensor}}");
    let mut seen = 0;
    for sensor in &sensors {
        for (place, row) in sensor.iter().enumerate().filter(|(_, row)| clean[**row] != dirty[**row]) {
            let near = [place.checked_sub(1), Some(place + 1)].into_iter().flatten();
            let near: Vec<f64> = near.filter_map(|place| sensor.get(place)).map(|row| clean[*row]).collect();
            let mean = near.iter().sum::<f64>() / near.len() as f64;
            assert!((dirty[*row] - mean - 1000.0).abs() < 1e-9);
            seen += 1;
        }
    }
    // A twentieth of the rows has no stamp, and so nobody near by.
    assert!((170..=200).contains(&seen) && spoilt.marks[0].rows.len() == 200, "{seen}");
    let code = |anomaly: &str| plan(&ORDERED.replace("ANOMALY", anomaly)).err().unwrap()[0].code;
    assert_eq!(code("{missing: [value], count: 1, order: when}"), "unknown-column");
    assert_eq!(code("{missing: [value], count: 1, order: {column: at, per: senso}}"), "unknown-link");
    assert_eq!(
        code("{missing: [value], count: 1, order: at, window: {column: at, length: 1h}}"),
        "bad-anomaly"
    );
    assert_eq!(code("{stuck: value, count: 1, per: sensor}"), "bad-anomaly");
    let words = ORDERED.replace("at: {datetime", "name: {choice: [a, b]}\n      at: {datetime");
    let refused = plan(&words.replace("ANOMALY", "{missing: [value], count: 1, order: name}"));
    assert_eq!(refused.err().unwrap()[0].code, "wrong-type");
}

const WINDOWS: &str = "
lookalike: 1
seed: 5
tables:
  sensors: {rows: 40, columns: {id: {sequence: {}}}}
  readings:
    rows: 4000
    belongs_to: {sensor: {table: sensors, pick: uniform}}
    columns:
      sensor: {expr: sensor.id}
      at: {datetime_range: [2026-01-01, 2026-01-11], null: 5%}
      value: {normal: {mean: 0, std_dev: 1}}
    anomalies: {label: odd, kinds: {dead: {count: 6, window: {column: at, length: 6h}, set: {value: 99}}}}
";

/// The rows of each instance of an anomaly, by its first row.
fn instances(spoilt: &lookalike_engine::inject::Spoilt, kind: &str) -> BTreeMap<u64, BTreeSet<u64>> {
    let mut found: BTreeMap<u64, BTreeSet<u64>> = BTreeMap::new();
    for marks in spoilt.marks.iter().filter(|marks| marks.kind == kind) {
        for (row, instance) in marks.rows.iter().zip(&marks.instances) {
            found.entry(*instance).or_default().insert(*row);
        }
    }
    found
}

#[test]
fn windows_are_taken_whole() {
    let hours = 3_600_000_000.0;
    for (per, rate) in
        [("", "count: 6"), (", per: sensor", "count: 6"), ("", "rate: 10%"), (", per: sensor", "rate: 3%")]
    {
        let text = WINDOWS.replace("count: 6", &format!("{rate}{per}"));
        let plan = plan(&text).unwrap_or_else(|problems| panic!("{problems:#?}"));
        let table = &plan.tables[1];
        let whole = table.spoilt(&Rows::Range(0..4000)).unwrap();
        let column = |name: &str| whole.clean.column(name).unwrap().as_materialized_series().clone();
        let at: Vec<Option<f64>> =
            column("at").to_physical_repr().i64().unwrap().iter().map(|v| v.map(|v| v as f64)).collect();
        let sensor: Vec<i64> = column("sensor").i64().unwrap().iter().flatten().collect();
        let found = instances(&whole, "dead");
        if rate == "count: 6" {
            assert_eq!(found.len(), 6);
        } else {
            // Windows are taken until their rows reach the rate, so without the last one they do not.
            let wanted = if per.is_empty() { 400 } else { 120 };
            let rows: usize = found.values().map(BTreeSet::len).sum();
            let largest = found.values().map(BTreeSet::len).max().unwrap();
            assert!((wanted..wanted + largest).contains(&rows), "{rows}");
        }
        let spoilt: BTreeSet<u64> = found.values().flatten().copied().collect();
        for (first, rows) in &found {
            let times: Vec<f64> = rows.iter().map(|row| at[*row as usize].unwrap()).collect();
            let (low, high) = times.iter().fold((f64::MAX, f64::MIN), |(l, h), t| (l.min(*t), h.max(*t)));
            assert!(high - low < 6.0 * hours);
            assert_eq!(at[*first as usize], Some(low), "an instance is named by its first row in time");
            // Nobody between the first and the last is left out.
            for row in 0..4000u64 {
                let inside = at[row as usize].is_some_and(|time| (low..=high).contains(&time));
                let same = per.is_empty() || sensor[row as usize] == sensor[*first as usize];
                assert!(!(inside && same) || spoilt.contains(&row), "row {row}");
                assert!(per.is_empty() || !rows.contains(&row) || same, "row {row}");
            }
        }
        let mut blocks = whole.frame.clear();
        for start in (0..4000).step_by(171) {
            blocks.vstack_mut(&table.frame(&Rows::Range(start..4000.min(start + 171))).unwrap()).unwrap();
        }
        assert!(blocks.equals_missing(&whole.frame));
    }
}

#[test]
fn windows_know_the_order_of_their_rows() {
    // The first in time is what all others repeat, whatever its number.
    let text = WINDOWS.replace("set: {value: 99}", "stuck: value").replace("null: 5%", "null: 0%");
    let plan = plan(&text).unwrap_or_else(|problems| panic!("{problems:#?}"));
    let spoilt = plan.tables[1].spoilt(&Rows::Range(0..4000)).unwrap();
    let value = |frame: &DataFrame, row: u64| frame.column("value").unwrap().f64().unwrap().get(row as usize);
    for (first, rows) in instances(&spoilt, "dead") {
        assert!(rows.iter().all(|row| value(&spoilt.frame, *row) == value(&spoilt.clean, first)));
    }
}

#[test]
fn windows_that_cannot_be_are_refused() {
    let code = |from: &str, to: &str| plan(&WINDOWS.replace(from, to)).err().unwrap()[0].code;
    assert_eq!(code("count: 6", "count: 900"), "too-few-eligible");
    assert_eq!(code("count: 6", "rate: 100%"), "too-few-eligible");
    assert_eq!(code("length: 6h", "length: 100"), "wrong-type");
    assert_eq!(code("length: 6h", "length: 0h"), "wrong-type");
    assert_eq!(code("column: at", "column: when"), "unknown-column");
    assert_eq!(code("count: 6, ", ""), "bad-anomaly");
    assert_eq!(code("count: 6", "count: 6, burst: 5"), "bad-anomaly");
}

const SHARED: &str = "
lookalike: 1
seed: 9
tables:
  t:
    rows: 2000
    columns: {size: {int_range: [1, 100]}, kind: {choice: [a, b, c]}, note: {pattern: '[a-z]{5}'}}
    anomalies:
      label: anomaly
      kinds:
        huge: {rate: 30%, overlap: true, unit_error: {column: size, factor: 10}}
        lost: {rate: 30%, overlap: true, missing: [size, note]}
        odd: {rate: 20%, mismatch: kind}
        even: {rate: 20%, mismatch: kind}
        low: {count: 30, burst: [2, 9], overlap: true, level_shift: {column: size, plus: -100}}
";

#[test]
fn anomalies_may_share_rows() {
    let plan = plan(SHARED).unwrap_or_else(|problems| panic!("{problems:#?}"));
    let table = &plan.tables[0];
    let Field { ty, nullable, .. } = table.schema().fields.pop().unwrap();
    assert_eq!((ty, nullable), (Type::Text, true));
    let spoilt = table.spoilt(&Rows::Range(0..2000)).unwrap();
    let labels = count(&spoilt.frame, "anomaly");
    let of = |name: &str| -> u64 {
        let has = |label: &Option<String>| label.as_deref().is_some_and(|l| l.split('+').any(|n| n == name));
        labels.iter().filter(|(label, _)| has(label)).map(|(_, rows)| rows).sum()
    };
    // Each has its quota, to the row.
    assert_eq!([of("huge"), of("lost"), of("odd"), of("even")], [600, 600, 400, 400]);
    // Independent quotas of 30 % meet in 180 rows, with a standard deviation of 11; names stand in the ruleset's order.
    let both: u64 = labels
        .iter()
        .filter(|(l, _)| l.as_deref().is_some_and(|l| l.contains("huge+lost")))
        .map(|(_, rows)| rows)
        .sum();
    assert!((110..250).contains(&both), "{both}");
    assert!(
        labels.keys().flatten().all(|label| !label.contains("odd+even")),
        "those that do not share keep apart"
    );

    // Marks, one after the other, turn the clean rows into the dirty ones; backwards, into the clean ones.
    let text = |series: &Series| -> Vec<Option<String>> {
        series.cast(&DataType::String).unwrap().str().unwrap().iter().map(|t| t.map(str::to_owned)).collect()
    };
    for column in spoilt.clean.columns() {
        let clean = text(column.as_materialized_series());
        let dirty = text(spoilt.frame.column(column.name()).unwrap().as_materialized_series());
        let mut cells = clean.clone();
        let marks = || spoilt.marks.iter().filter(|marks| marks.column == column.name().as_str());
        for marks in marks() {
            for ((row, before), after) in marks.rows.iter().zip(text(&marks.before)).zip(text(&marks.after)) {
                let cell = &mut cells[*row as usize];
                assert_eq!(*cell, before);
                *cell = after;
            }
        }
        assert_eq!(cells, dirty);
        for marks in marks().collect::<Vec<_>>().into_iter().rev() {
            for ((row, before), after) in marks.rows.iter().zip(text(&marks.before)).zip(text(&marks.after)) {
                let cell = &mut cells[*row as usize];
                assert_eq!(*cell, after);
                *cell = before;
            }
        }
        assert_eq!(cells, clean);
    }
    let mut blocks = spoilt.frame.clear();
    for start in (0..2000).step_by(93) {
        blocks.vstack_mut(&table.frame(&Rows::Range(start..2000.min(start + 93))).unwrap()).unwrap();
    }
    assert!(blocks.equals_missing(&spoilt.frame));
}

#[test]
fn all_anomalies_may_share_rows() {
    let text = SHARED
        .replace(", overlap: true", "")
        .replace("label: anomaly", "overlap: true\n      label: anomaly");
    let plan = plan(&text).unwrap_or_else(|problems| panic!("{problems:#?}"));
    let frame = plan.tables[0].frame(&Rows::Range(0..2000)).unwrap();
    assert!(count(&frame, "anomaly").keys().flatten().any(|label| label.contains("odd+even")));
}
