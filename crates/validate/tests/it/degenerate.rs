//! Tables that have hardly anything in them, or very much: sane answers, never NaN.

use lookalike_ruleset::Type;
use lookalike_validate::leakage;
use lookalike_validate::model::{Check, Verdict};
use lookalike_validate::reference::{self, Link, Options};

use crate::frames::{Data, bools, floats, ints, texts, times};
use crate::truth::{rows, table};

fn all(real: &Data, synthetic: &Data, options: &Options) -> Vec<Check> {
    let mut checks = reference::compare(&real.table(), &synthetic.table(), options).checks;
    let assess = leakage::Options { compare: options.clone(), ..leakage::Options::default() };
    checks.extend(leakage::assess(&real.table(), &synthetic.table(), None, &assess).checks);
    checks.extend(leakage::assess(&real.table(), &synthetic.table(), Some(&real.table()), &assess).checks);
    for check in &checks {
        let figures = [check.value, check.reference, check.threshold];
        assert!(figures.iter().flatten().all(|x| x.is_finite()), "{check:?}");
        assert_eq!(check.verdict == Verdict::Skipped, check.value.is_none(), "{check:?}");
        assert!(!check.message.is_empty() && !check.message.contains("NaN"), "{check:?}");
    }
    checks
}

/// A table of one column of each type, with the same value (or null) in each row.
fn uniform(rows: usize, value: Option<i64>) -> Data {
    let whole = |value: Option<i64>| vec![value; rows];
    Data::new(
        "flat",
        vec![
            ("i", Type::Int, ints(whole(value))),
            ("f", Type::Float, floats(vec![value.map(|x| x as f64); rows])),
            ("w", Type::Datetime, times(whole(value))),
            ("t", Type::Text, texts(vec![value.map(|x| x.to_string()); rows])),
            ("b", Type::Bool, bools(vec![value.map(|_| true); rows])),
        ],
    )
}

#[test]
fn empty_single_constant_and_void_tables() {
    let samples = [
        uniform(0, None),
        uniform(1, Some(5)),
        uniform(1, None),
        uniform(2, Some(5)),
        uniform(60, Some(5)),
        uniform(60, Some(6)),
        uniform(60, None),
    ];
    for (i, real) in samples.iter().enumerate() {
        for (j, synthetic) in samples.iter().enumerate() {
            let checks = all(real, synthetic, &Options::default());
            assert!(checks.len() > 20);
            if i == j && i > 0 {
                // The copies of constants are no leak: other rows of the reference are the same.
                let failed: Vec<&Check> =
                    checks.iter().filter(|check| check.verdict == Verdict::Fail).collect();
                assert!(failed.is_empty(), "{i}: {failed:?}");
            }
        }
    }
    let nothing = Data::new("nothing", vec![]);
    all(&nothing, &nothing, &Options::default());
}

#[test]
fn other_columns_other_types_and_strange_numbers() {
    let real = table(&rows(1, 300));
    let synthetic = Data::new(
        "volumes",
        vec![
            ("amount", Type::Text, texts(vec![Some("12"); 300])),
            ("count", Type::Float, floats((0..300).map(|i| Some(f64::from(i % 7) / 2.0)).collect())),
            (
                "score",
                Type::Float,
                floats([f64::NAN, f64::INFINITY, 1e300, -1e300].repeat(75).into_iter().map(Some).collect()),
            ),
            ("new", Type::Int, ints(vec![Some(1); 300])),
        ],
    );
    let found = reference::compare(&real.table(), &synthetic.table(), &Options::default());
    assert!(found.notes.iter().any(|note| note.contains("`amount` is not compared: it is text, and float")));
    assert!(found.notes.iter().any(|note| note.contains("`kind` of the reference is missing")));
    assert!(found.notes.iter().any(|note| note.contains("`new` is not compared")));
    let structure = found.checks.iter().find(|check| check.metric.name == "TableStructure").unwrap();
    assert_eq!(structure.verdict, Verdict::Fail);
    all(&real, &synthetic, &Options::default());
}

#[test]
fn a_thousand_columns() {
    let wide = |seed: i64| {
        let names: Vec<String> = (0..1_000).map(|i| format!("c{i}")).collect();
        let columns = names.iter().enumerate().map(|(at, name)| {
            let values =
                (0..120).map(|row| Some((row * 7919 + seed * 31 + at as i64 * 104_729) % 97)).collect();
            (name.as_str(), Type::Int, ints(values))
        });
        Data::new("wide", columns.collect())
    };
    let (real, synthetic) = (wide(1), wide(2));
    let checks = all(&real, &synthetic, &Options { max_pairs: 500, ..Options::default() });
    let pairs = checks.iter().filter(|check| check.columns.len() == 2).count();
    assert!(pairs <= 3 * 500, "{pairs}");
    let found = reference::compare(
        &real.table(),
        &synthetic.table(),
        &Options { max_pairs: 500, ..Options::default() },
    );
    assert!(found.notes.iter().any(|note| note.contains("Of 499,500 pairs of columns, 500 are compared")));
    assert!(found.matrices().iter().all(|chart| !chart.for_release));
}

#[test]
fn links_that_lead_nowhere() {
    let parents = |keys: Vec<Option<i64>>| Data::new("parents", vec![("id", Type::Int, ints(keys))]);
    let children = |keys: Vec<Option<i64>>| Data::new("children", vec![("of", Type::Int, ints(keys))]);
    let link = |key: &str| Link {
        parent: "parents".to_owned(),
        parent_key: vec!["id".to_owned()],
        child: "children".to_owned(),
        child_key: vec![key.to_owned()],
    };
    let check = |real: [Data; 2], synthetic: [Data; 2], key: &str| {
        let found = reference::compare_links(
            &[real[0].table(), real[1].table()],
            &[synthetic[0].table(), synthetic[1].table()],
            &[link(key)],
            &[],
        );
        assert!(found.checks.iter().all(|check| check.value.is_none_or(f64::is_finite)));
        found
    };
    let some = || vec![Some(1), Some(2), Some(3)];
    let good = || [parents(some()), children(vec![Some(1), Some(1), Some(3)])];
    let verdict = |synthetic: [Data; 2], metric: &str| {
        let found = check(good(), synthetic, "of");
        found.checks.iter().find(|check| check.metric.name == metric).unwrap().verdict
    };
    assert_eq!(verdict(good(), "ReferentialIntegrity"), Verdict::Pass);
    let orphan = [parents(some()), children(vec![Some(1), Some(9)])];
    assert_eq!(verdict(orphan, "ReferentialIntegrity"), Verdict::Fail);
    let void = [parents(some()), children(vec![Some(1), None])];
    assert_eq!(verdict(void, "ReferentialIntegrity"), Verdict::Fail);
    check([parents(vec![]), children(vec![])], good(), "of");
    check(good(), [parents(vec![]), children(vec![])], "of");
    check(good(), [parents(vec![None]), children(vec![None])], "of");
    let found = check(good(), good(), "typo");
    assert!(found.checks.iter().any(|check| check.message.contains("table `children` has no column `typo`")));
}

/// The numbers of children drift, though every key is right.
#[test]
fn drifted_numbers_of_children() {
    let family = |each: usize| {
        let keys: Vec<Option<i64>> = (0..400).map(Some).collect();
        let mut of = Vec::new();
        for parent in 0..400 {
            for _ in 0..(parent as usize % (2 * each + 1)) {
                of.push(Some(parent));
            }
        }
        [
            Data::new("parents", vec![("id", Type::Int, ints(keys))]),
            Data::new("children", vec![("of", Type::Int, ints(of))]),
        ]
    };
    let link = Link {
        parent: "parents".to_owned(),
        parent_key: vec!["id".to_owned()],
        child: "children".to_owned(),
        child_key: vec!["of".to_owned()],
    };
    let found = |synthetic: [Data; 2]| {
        let real = family(3);
        reference::compare_links(
            &[real[0].table(), real[1].table()],
            &[synthetic[0].table(), synthetic[1].table()],
            std::slice::from_ref(&link),
            &[],
        )
        .checks
    };
    let failed = |checks: &[Check]| -> Vec<&'static str> {
        checks.iter().filter(|check| check.verdict == Verdict::Fail).map(|check| check.metric.name).collect()
    };
    assert!(failed(&found(family(3))).is_empty());
    let drifted = found(family(5));
    let failed = failed(&drifted);
    for metric in [
        "CardinalityShapeSimilarity",
        "CardinalityStatisticSimilarity (mean)",
        "CardinalityStatisticSimilarity (std)",
        "CardinalityBoundaryAdherence",
        "Cardinality",
    ] {
        assert!(failed.contains(&metric), "{metric} is not among {failed:?}");
    }
}

/// Every type that a column can have is read as what it means.
#[test]
fn columns_of_every_type() {
    use polars::prelude::{DataType, FrozenCategories, TimeUnit};

    let sample = |shift: i64| {
        let values: Vec<Option<i64>> = (0..400).map(|i| Some((i * 37 + shift) % 400)).collect();
        let days = ints(values.clone()).cast(&DataType::Int32).unwrap().cast(&DataType::Date).unwrap();
        let lengths = ints(values.clone()).cast(&DataType::Duration(TimeUnit::Microseconds)).unwrap();
        let prices = floats(values.iter().map(|x| x.map(|x| x as f64 / 100.0)).collect())
            .cast(&DataType::Decimal(18, 2))
            .unwrap();
        let words = texts(values.iter().map(|x| x.map(|x| if x < 100 { "few" } else { "many" })).collect());
        let categories = FrozenCategories::new(["few", "many"]).unwrap();
        let words = words.cast(&DataType::from_frozen_categories(categories)).unwrap();
        Data::new(
            "types",
            vec![
                ("day", Type::Date, days),
                ("length", Type::Duration, lengths),
                ("price", Type::Decimal(2), prices),
                ("word", Type::Text, words),
            ],
        )
    };
    let (real, synthetic) = (sample(1), sample(1));
    let found = reference::compare(&real.table(), &synthetic.table(), &Options::default());
    let value = |metric: &str, column: &str| {
        let check =
            found.checks.iter().find(|check| check.metric.name == metric && check.columns == [column]);
        let check = check.unwrap_or_else(|| panic!("no {metric} of {column}"));
        (check.value, check.message.clone())
    };
    for column in ["day", "length", "price"] {
        assert_eq!(value("KSComplement", column).0, Some(1.0), "{column}");
    }
    assert!(value("RangeCoverage", "price").1.contains("0 to 3.99 against 0 to 3.99"));
    assert!(value("RangeCoverage", "day").1.contains("1970-01-01 to 1971-02-04"));
    assert!(value("RangeCoverage", "length").1.contains("to 399 µs"));
    assert_eq!(value("TVComplement", "word").0, Some(1.0));
    assert!(value("CategoryCoverage", "word").1.contains("0 of 2 categories"));
    let correlated = found.pairs.iter().find(|pair| pair.columns == ["day", "price"]).unwrap();
    assert!((correlated.real.unwrap() - 1.0).abs() < 1e-12);
    let leaks = leakage::assess(&real.table(), &synthetic.table(), None, &leakage::Options::default());
    let copied = leaks.checks.iter().find(|check| check.metric.name == "IdenticalMatchShare").unwrap();
    assert_eq!((copied.value, copied.verdict), (Some(1.0), Verdict::Fail));
}
