//! What every kind must be, whoever wrote it. The list of kinds drives the tests, so a new kind is tested by being listed.

use std::collections::BTreeSet;
use std::path::Path;

use lookalike_core::Rows;
use lookalike_engine::build::MODIFIERS;
use lookalike_engine::testing::{example, example_values};
use lookalike_engine::{KINDS, Kind, TablePlan};
use polars::prelude::DataFrame;

const ROWS: u64 = 3000;

fn with_table<T>(kind: &Kind, seed: u64, then: impl FnOnce(&TablePlan) -> T) -> T {
    let plan = example(kind.example, ROWS, seed).unwrap_or_else(|d| panic!("{}: {d:#?}", kind.name));
    then(plan.table("t").unwrap())
}

fn rows_of(table: &TablePlan, rows: Rows) -> DataFrame {
    table.frame(&rows).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn each_is_a_file_of_its_name_and_listed_once_in_order() {
    let names: Vec<&str> = KINDS.iter().map(|kind| kind.name).collect();
    let mut sorted = names.clone();
    sorted.sort_unstable();
    sorted.dedup();
    assert_eq!(names, sorted, "kinds are listed by name, each once");
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/generators");
    let mut files: BTreeSet<String> = BTreeSet::new();
    for entry in std::fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        if std::fs::read_to_string(&path).unwrap().contains("const KIND: Kind") {
            files.insert(path.file_stem().unwrap().to_string_lossy().into_owned());
        }
    }
    assert_eq!(
        files,
        names.iter().map(|n| (*n).to_owned()).collect::<BTreeSet<_>>(),
        "a file for each kind and a line for each file"
    );
}

#[test]
fn each_is_documented() {
    for kind in KINDS {
        assert!(kind.summary.ends_with('.') && kind.summary.len() > 20, "{}: summary", kind.name);
        assert!(kind.details.ends_with('.') && kind.details.len() > 60, "{}: details", kind.name);
        assert!(kind.example.contains(kind.name), "{}: the example shows the kind", kind.name);
        for field in (kind.fields)() {
            assert!(field.doc.ends_with('.'), "{}.{}: documentation", kind.name, field.name);
        }
        assert!((kind.schema)().is_object(), "{}: schema", kind.name);
        assert!(
            !MODIFIERS.iter().any(|modifier| modifier.name == kind.name),
            "{}: is also a modifier",
            kind.name
        );
        assert_eq!(example_values(kind).map(|values| values.len()), Ok(5), "{}: example values", kind.name);
    }
}

#[test]
fn each_gives_the_same_values_again_and_others_for_another_seed() {
    for kind in KINDS {
        let whole = with_table(kind, 1, |table| rows_of(table, Rows::Range(0..ROWS)));
        let again = with_table(kind, 1, |table| rows_of(table, Rows::Range(0..ROWS)));
        assert!(whole.equals_missing(&again), "{}", kind.name);
        if !["constant", "ordinal", "sequence"].contains(&kind.name) {
            let other = with_table(kind, 2, |table| rows_of(table, Rows::Range(0..ROWS)));
            assert!(!whole.equals_missing(&other), "{}: the seed changes nothing", kind.name);
        }
    }
}

#[test]
fn each_makes_parts_that_join_to_the_whole() {
    for kind in KINDS {
        with_table(kind, 3, |table| {
            let whole = rows_of(table, Rows::Range(0..ROWS));
            for (start, end) in [(0, 1), (1, 2), (500, 510), (777, 1777), (2999, 3000), (4, 4)] {
                let part = rows_of(table, Rows::Range(start..end));
                assert!(
                    part.equals_missing(&whole.slice(start as i64, (end - start) as usize)),
                    "{}: {start}..{end}",
                    kind.name
                );
            }
        });
    }
}

#[test]
fn each_makes_scattered_rows_as_in_the_range() {
    for kind in KINDS {
        with_table(kind, 4, |table| {
            let whole = rows_of(table, Rows::Range(0..ROWS));
            let list: Vec<u64> = (0..400u64).map(|i| (i * 1_103_515_245 + 12345) % ROWS).collect();
            let scattered = rows_of(table, Rows::from(list.clone()));
            let positions: Vec<u32> = list.iter().map(|row| *row as u32).collect();
            let expected =
                whole.column("c").unwrap().as_materialized_series().take_slice(&positions).unwrap();
            assert!(
                scattered.column("c").unwrap().as_materialized_series().equals_missing(&expected),
                "{}",
                kind.name
            );
        });
    }
}

#[test]
fn each_makes_no_null_unless_it_says_so() {
    for kind in KINDS {
        with_table(kind, 5, |table| {
            let frame = rows_of(table, Rows::Range(0..ROWS));
            let nulls = frame.column("c").unwrap().null_count();
            assert!(nulls == 0 || table.schema().fields[0].nullable, "{}: {nulls} nulls", kind.name);
        });
    }
}

#[test]
fn each_takes_the_modifiers_that_wrap_it() {
    for kind in KINDS {
        let inner = kind.example.strip_prefix('{').and_then(|e| e.strip_suffix('}')).unwrap();
        let wrapped = format!("{{{inner}, null: 40%, only_if: flag}}");
        let plan = example(&wrapped, ROWS, 6).unwrap_or_else(|d| panic!("{}: {d:#?}", kind.name));
        let table = plan.table("t").unwrap();
        let plain = with_table(kind, 6, |table| rows_of(table, Rows::Range(0..ROWS)));
        let frame = rows_of(table, Rows::Range(0..ROWS));
        let flags = table.select(&Rows::Range(0..ROWS), &["flag"]).unwrap();
        let (column, plain) = (frame.column("c").unwrap(), plain.column("c").unwrap());
        let flags = flags.column("flag").unwrap().bool().unwrap().clone();
        let mut kept = 0;
        for (at, flag) in flags.iter().enumerate() {
            let value = column.get(at).unwrap();
            if value.is_null() {
                continue;
            }
            kept += 1;
            assert_eq!(
                flag,
                Some(true),
                "{}: row {at} is there although the condition does not hold",
                kind.name
            );
            assert_eq!(
                value,
                plain.get(at).unwrap(),
                "{}: modifiers change no value that they keep",
                kind.name
            );
        }
        // 0.5 × 0.6 of 3,000 rows: 900 ± 25; eleven standard deviations. The null constant keeps none.
        assert!((625..1175).contains(&kept) || kind.name == "lookup", "{}: {kept} rows kept", kind.name);
    }
}

#[test]
fn each_modifier_is_documented_and_its_example_runs() {
    for modifier in MODIFIERS {
        assert!(modifier.details.ends_with('.') && modifier.details.len() > 50, "{}: details", modifier.name);
        assert!(
            modifier.example.contains(modifier.name),
            "{}: the example shows the modifier",
            modifier.name
        );
        let plan = example(modifier.example, ROWS, 1).unwrap_or_else(|d| panic!("{}: {d:#?}", modifier.name));
        assert_eq!(rows_of(plan.table("t").unwrap(), Rows::Range(0..ROWS)).height() as u64, ROWS);
    }
}
