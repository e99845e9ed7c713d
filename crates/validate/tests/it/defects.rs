//! Planted defects are found by the matching metric; a second sample of the same truth is not blamed.

use lookalike_validate::leakage;
use lookalike_validate::model::{Check, Verdict};
use lookalike_validate::reference::{self, Options};

use crate::truth::{Row, rows, table};

const ROWS: usize = 2_000;

fn options() -> Options {
    Options { key: vec!["id".to_owned()], ..Options::default() }
}

fn compared(real: &[Row], synthetic: &[Row], options: &Options) -> Vec<Check> {
    let (real, synthetic) = (table(real), table(synthetic));
    reference::compare(&real.table(), &synthetic.table(), options).checks
}

fn assessed(real: &[Row], synthetic: &[Row], holdout: Option<&[Row]>, compare: Options) -> Vec<Check> {
    let (real, synthetic, holdout) = (table(real), table(synthetic), holdout.map(table));
    let options = leakage::Options { compare, queries: 1_000, ..leakage::Options::default() };
    let holdout = holdout.as_ref().map(|holdout| holdout.table());
    leakage::assess(&real.table(), &synthetic.table(), holdout.as_ref(), &options).checks
}

fn failures(checks: &[Check]) -> Vec<String> {
    let failed = checks.iter().filter(|check| check.verdict == Verdict::Fail);
    failed
        .map(|check| format!("{} {}: {}", check.metric.name, check.columns.join(", "), check.message))
        .collect()
}

/// The columns that a check of a defect may speak of; a metric of the table as a whole has none.
type Defect =
    (&'static str, fn(&mut Vec<Row>), &'static [(&'static str, &'static str)], &'static [&'static str]);

/// What is spoilt, which checks must fail, and which columns alone may be blamed.
const DEFECTS: &[Defect] = &[
    (
        "a shifted mean",
        |rows| rows.iter_mut().for_each(|row| row.amount += 12.0),
        &[("KSComplement", "amount"), ("Wasserstein1", "amount"), ("PopulationStabilityIndex", "amount")],
        &["amount"],
    ),
    (
        "a wider spread",
        |rows| rows.iter_mut().for_each(|row| row.score = row.score.map(|score| score * 2.2)),
        &[("StatisticSimilarity (std)", "score"), ("BoundaryAdherence", "score"), ("Wasserstein1", "score")],
        &["score"],
    ),
    (
        "a mean shifted by a few large values",
        |rows| rows.iter_mut().step_by(6).for_each(|row| row.count = 25),
        &[("Wasserstein1", "count"), ("StatisticSimilarity (mean)", "count")],
        &["count"],
    ),
    (
        "values beyond the reference's range",
        |rows| rows.iter_mut().step_by(8).for_each(|row| row.when += 40_000_000_000_000),
        &[("BoundaryAdherence", "when")],
        &["when"],
    ),
    (
        "a range cut short",
        |rows| rows.iter_mut().for_each(|row| row.when = row.when.min(1_724_000_000_000_000)),
        &[("RangeCoverage", "when")],
        &["when"],
    ),
    (
        "a median moved",
        |rows| rows.iter_mut().for_each(|row| row.when = row.when.max(1_719_000_000_000_000)),
        &[("StatisticSimilarity (median)", "when"), ("JensenShannonDistance", "when")],
        &["when"],
    ),
    (
        "swapped shares of categories",
        |rows| {
            let swap = |kind: &str| match kind {
                "gp2" => "sc1".to_owned(),
                "sc1" => "gp2".to_owned(),
                other => other.to_owned(),
            };
            rows.iter_mut().for_each(|row| row.kind = swap(&row.kind));
        },
        &[("TVComplement", "kind"), ("PopulationStabilityIndex", "kind"), ("JensenShannonDistance", "kind")],
        &["kind"],
    ),
    (
        "a missing category",
        |rows| rows.iter_mut().filter(|row| row.kind == "st1").for_each(|row| row.kind = "gp2".to_owned()),
        &[("CategoryCoverage", "kind")],
        &["kind"],
    ),
    (
        "an invented category",
        |rows| rows.iter_mut().step_by(8).for_each(|row| row.kind = "nvme".to_owned()),
        &[("CategoryAdherence", "kind")],
        &["kind"],
    ),
    (
        "a flag set too often",
        |rows| rows.iter_mut().step_by(4).for_each(|row| row.flag = true),
        &[("TVComplement", "flag")],
        &["flag"],
    ),
    (
        "no nulls where there should be some",
        |rows| rows.iter_mut().for_each(|row| row.score = row.score.or(Some(0.0))),
        &[("MissingValueSimilarity", "score")],
        &["score"],
    ),
    (
        "nulls where there should be fewer",
        |rows| rows.iter_mut().step_by(5).for_each(|row| row.zone = None),
        &[("MissingValueSimilarity", "zone")],
        &["zone"],
    ),
    (
        "a correlation lost",
        |rows| {
            let scores: Vec<Option<f64>> = rows.iter().map(|row| row.score).collect();
            let n = rows.len();
            rows.iter_mut().enumerate().for_each(|(i, row)| row.score = scores[(i + n / 2) % n]);
        },
        &[
            ("CorrelationSimilarity (Pearson)", "amount, score"),
            ("CorrelationSimilarity (Spearman)", "amount, score"),
            ("MutualInformationDifference", "amount, score"),
        ],
        &["amount, score"],
    ),
    (
        "a correlation of the wrong sign",
        |rows| rows.iter_mut().for_each(|row| row.score = row.score.map(|score| -score)),
        &[("CorrelationSimilarity (Pearson)", "amount, score")],
        &["amount, score"],
    ),
    (
        "categories that no longer go together",
        |rows| {
            let zones: Vec<Option<String>> = rows.iter().map(|row| row.zone.clone()).collect();
            let n = rows.len();
            rows.iter_mut().enumerate().for_each(|(i, row)| row.zone = zones[(i + n / 2) % n].clone());
        },
        &[
            ("ContingencySimilarity", "kind, zone"),
            ("MutualInformationDifference", "kind, zone"),
            ("TSTR", "kind"),
        ],
        &["kind, zone", "kind", "zone"],
    ),
    (
        "a number that follows a category",
        |rows| {
            rows.iter_mut().for_each(|row| {
                row.when = 1_700_000_000_000_000
                    + if row.flag {
                        row.when % 9_000_000_000_000
                    } else {
                        9_000_000_000_000 + row.when % 21_000_000_000_000
                    }
            })
        },
        &[("CorrelationRatioDifference", "when, flag"), ("ContingencySimilarity", "when, flag")],
        &["when, flag", "when", "flag"],
    ),
    ("a repeated key", |rows| rows[7].id = 3, &[("KeyUniqueness", "id")], &["id"]),
];

#[test]
fn each_defect_is_found_where_it_is() {
    let real = rows(1, ROWS);
    let mut wrong = Vec::new();
    for (what, spoil, must, may) in DEFECTS {
        let mut synthetic = rows(2, ROWS);
        spoil(&mut synthetic);
        let checks = compared(&real, &synthetic, &Options { model_rows: 1_000, ..options() });
        for (metric, columns) in *must {
            let check = checks
                .iter()
                .find(|check| check.metric.name == *metric && check.columns.join(", ") == *columns)
                .unwrap_or_else(|| panic!("{what}: no {metric} of {columns}"));
            if check.verdict != Verdict::Fail {
                wrong.push(format!("{what}: {metric} of {columns} does not see it: {}", check.message));
            }
        }
        for check in checks.iter().filter(|check| check.verdict == Verdict::Fail && !check.columns.is_empty())
        {
            let blamed = check.columns.join(", ");
            // A pair is rightly blamed for what one of its columns alone does; a column that is predicted, for the others.
            let right = may.contains(&blamed.as_str())
                || check.columns.len() > 1
                    && check.columns.iter().any(|column| may.contains(&column.as_str()))
                || check.metric.name == "TSTR";
            if !right {
                wrong.push(format!("{what}: {} blames {blamed}: {}", check.metric.name, check.message));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Which of three columns is which depends on the other two: no column and no pair of columns shows it.
#[test]
fn a_model_sees_what_pairs_do_not() {
    let parity = |seed: u64, honest: bool| {
        let mut rows = rows(seed, ROWS);
        for row in &mut rows {
            let odd = (row.count % 2 == 1) != (row.when / 1_000_000 % 2 == 1);
            row.kind = if row.when / 1_000_000 % 2 == 1 { "odd" } else { "even" }.to_owned();
            row.zone = Some(if row.count % 2 == 1 { "odd" } else { "even" }.to_owned());
            row.flag = if honest { odd } else { row.id % 2 == 0 };
        }
        rows
    };
    let real = parity(1, true);
    for (honest, verdict) in [(true, Verdict::Pass), (false, Verdict::Fail)] {
        let checks = compared(&real, &parity(2, honest), &options());
        let check = checks.iter().find(|check| check.metric.name == "DiscriminatorAUC").unwrap();
        assert_eq!(check.verdict, verdict, "{}", check.message);
        let pairs = checks
            .iter()
            .filter(|check| check.columns == ["kind", "flag"] || check.columns == ["zone", "flag"]);
        assert!(pairs.clone().count() >= 4);
        for check in pairs {
            assert_eq!(check.verdict, Verdict::Pass, "{}: {}", check.metric.name, check.message);
        }
    }
}

/// With no margin at all, and a false alarm of 1 in 20 allowed to the comparison and to the assessment of leakage: of 60 seeds,
/// more than 13 fail with a probability of 0.002 if each does with the 0.0975 that is allowed. The thresholds are bounds, so
/// hardly any does: 2 of these 60.
#[test]
fn a_second_sample_of_the_same_truth_passes() {
    let mut alarms = Vec::new();
    for seed in 0..60 {
        let n = [100, 300, 2_000][seed % 3];
        let m = [100, 700, 1_000][seed / 3 % 3];
        let (real, synthetic) = (rows(1_000 + seed as u64, n), rows(5_000 + seed as u64, m));
        let strict = Options { margin: 0.0, false_alarm: 0.05, model_rows: 0, ..options() };
        let mut failed = failures(&compared(&real, &synthetic, &strict));
        failed.extend(failures(&assessed(&real, &synthetic, None, strict)));
        if !failed.is_empty() {
            alarms.push(format!("seed {seed}, {n} and {m} rows: {}", failed.join("; ")));
        }
    }
    println!("{} of 60 seeds raise an alarm\n{}", alarms.len(), alarms.join("\n"));
    assert!(alarms.len() <= 13, "{} alarms:\n{}", alarms.len(), alarms.join("\n"));
}

/// As users have it: models, margins and a false alarm of 1 in 1,000. One of 12 seeds, each looked at three times,
/// fails with a probability of 0.036 at most.
#[test]
fn a_second_sample_passes_with_the_defaults() {
    for seed in 0..12 {
        let (real, synthetic) = (rows(100 + seed, 1_000), rows(500 + seed, 1_000));
        let holdout = rows(900 + seed, 1_000);
        let failed = failures(&compared(&real, &synthetic, &options()));
        assert!(failed.is_empty(), "seed {seed}: {}", failed.join("\n"));
        for holdout in [None, Some(holdout.as_slice())] {
            let failed = failures(&assessed(&real, &synthetic, holdout, options()));
            assert!(failed.is_empty(), "seed {seed}: {}", failed.join("\n"));
        }
    }
}

/// The same for 1,000 seeds and all sizes from 60 rows up: at most 2 alarms are to be expected, and more than 8 have a
/// probability of 0.0003. None does.
#[test]
#[ignore = "takes most of a minute; CI runs it"]
fn a_thousand_clean_seeds() {
    let mut alarms = Vec::new();
    for seed in 0..1_000_u64 {
        let n = [60, 100, 250, 600][seed as usize % 4];
        let m = [80, 300, 500][seed as usize / 4 % 3];
        let (real, synthetic) = (rows(20_000 + seed, n), rows(30_000 + seed, m));
        let holdout = rows(40_000 + seed, n);
        let holdout = (seed % 2 == 0).then_some(holdout.as_slice());
        // Models take most of the time: every tenth seed has them.
        let models = if seed % 10 == 0 { Options::default().model_rows } else { 0 };
        let options = Options { model_rows: models, ..options() };
        let mut failed = failures(&compared(&real, &synthetic, &options));
        failed.extend(failures(&assessed(&real, &synthetic, holdout, options)));
        if !failed.is_empty() {
            println!("seed {seed}, {n} and {m} rows: {}", failed.join("; "));
            alarms.push(seed);
        }
        if seed % 50 == 49 {
            println!("{} seeds, {} alarms", seed + 1, alarms.len());
        }
    }
    println!("{} of 1,000 seeds raise an alarm", alarms.len());
    assert!(alarms.len() <= 8, "{alarms:?}");
}

/// Many categories, each of which few rows have: those that only one of the tables has tell nothing of the other.
#[test]
fn many_categories_do_not_give_a_sample_away() {
    let named = |seed: u64| {
        let mut rows = rows(seed, 1_500);
        for (at, row) in rows.iter_mut().enumerate() {
            // About 1,000 names, as the amount's last digits and the row have it.
            row.kind = format!("name-{}", (at as u64 * 7 + (row.amount * 100.0) as u64 * 13) % 700);
        }
        rows
    };
    let checks = compared(&named(61), &named(62), &options());
    let found = checks.iter().find(|check| check.metric.name == "DiscriminatorAUC").unwrap();
    assert_eq!(found.verdict, Verdict::Pass, "{}", found.message);
}

fn leaks(what: &str, must: &[&str], must_not: &[&str], spoil: impl Fn(&[Row], &mut Vec<Row>)) {
    let (real, holdout) = (rows(1, ROWS), rows(3, ROWS));
    let mut synthetic = rows(2, ROWS);
    spoil(&real, &mut synthetic);
    for holdout in [None, Some(holdout.as_slice())] {
        let checks = assessed(&real, &synthetic, holdout, options());
        for check in checks.iter().filter(|check| check.verdict != Verdict::Skipped) {
            let name = check.metric.name;
            if must.contains(&name) {
                assert_eq!(check.verdict, Verdict::Fail, "{what}: {name}: {}", check.message);
            }
            if must_not.contains(&name) {
                assert_eq!(check.verdict, Verdict::Pass, "{what}: {name}: {}", check.message);
            }
            assert!(!check.for_release);
        }
        for name in
            must.iter().filter(|name| holdout.is_some() || !name.contains("oldout") && !name.contains("Over"))
        {
            assert!(checks.iter().any(|check| check.metric.name == *name), "{what}: no {name}");
        }
    }
}

#[test]
fn copied_rows_leak() {
    leaks(
        "a third of the rows copied, with new ids and addresses",
        &[
            "IdenticalMatchShare",
            "DistanceToClosestRecord",
            "NearestNeighbourDistanceRatio",
            "NewRowSynthesis",
            "ClosestRecordHoldoutShare",
        ],
        &["CopiedValueShare"],
        |real, synthetic| {
            for (row, real) in synthetic.iter_mut().step_by(3).zip(real) {
                let email = row.email.clone();
                *row = Row { id: row.id, email, ..real.clone() };
            }
        },
    );
}

#[test]
fn a_few_copied_rows_leak() {
    leaks(
        "one row in 40 copied",
        &["IdenticalMatchShare"],
        &["CopiedValueShare", "DistanceToClosestRecord"],
        |real, synthetic| {
            for (row, real) in synthetic.iter_mut().step_by(40).zip(real) {
                *row = Row { id: row.id, email: row.email.clone(), ..real.clone() };
            }
        },
    );
}

#[test]
fn remembered_rows_leak() {
    leaks(
        "rows with a little noise on their numbers",
        &["DistanceToClosestRecord", "NearestNeighbourDistanceRatio", "ClosestRecordHoldoutShare"],
        &["IdenticalMatchShare"],
        |real, synthetic| {
            for (row, real) in synthetic.iter_mut().step_by(2).zip(real) {
                *row = Row {
                    id: row.id,
                    email: row.email.clone(),
                    amount: real.amount + 0.011,
                    when: real.when + 13_000_000,
                    ..real.clone()
                };
            }
        },
    );
}

#[test]
fn copied_addresses_leak() {
    leaks(
        "one address in 20 copied",
        &["CopiedValueShare"],
        &["IdenticalMatchShare", "DistanceToClosestRecord"],
        |real, synthetic| {
            for (row, real) in synthetic.iter_mut().step_by(20).zip(real) {
                row.email.clone_from(&real.email);
            }
        },
    );
}

/// Two columns name the person; what a third says of each is remembered. Other people's rows would not tell it.
#[test]
fn what_is_sensitive_leaks() {
    let people = |seed: u64, remembered: Option<&[Row]>| -> Vec<Row> {
        let mut people = rows(seed, ROWS);
        for (i, row) in people.iter_mut().enumerate() {
            row.kind = format!("k{}", i % 40);
            row.zone = Some(format!("z{}", i / 40));
            if let Some(real) = remembered {
                row.flag = real[i].flag;
            }
        }
        people
    };
    let real = people(1, None);
    let holdout = people(3, None);
    for (synthetic, verdict) in [(people(2, Some(&real)), Verdict::Fail), (people(2, None), Verdict::Pass)] {
        let (real, synthetic, holdout) = (table(&real), table(&synthetic), table(&holdout));
        let options = leakage::Options {
            compare: options(),
            known: vec!["kind".to_owned(), "zone".to_owned()],
            sensitive: vec!["flag".to_owned()],
            ..leakage::Options::default()
        };
        let found = leakage::assess(&real.table(), &synthetic.table(), Some(&holdout.table()), &options);
        let checks: Vec<&Check> = found
            .checks
            .iter()
            .filter(|check| check.metric.name.starts_with("DisclosureProtection"))
            .collect();
        assert_eq!(checks.len(), 3);
        for check in checks {
            assert_eq!(check.verdict, verdict, "{}: {}", check.metric.name, check.message);
        }
    }
}

#[test]
fn the_same_seed_gives_the_same_figures() {
    let (real, synthetic) = (rows(1, 600), rows(2, 600));
    let figures = || -> Vec<(Option<f64>, Option<f64>)> {
        let mut checks = compared(&real, &synthetic, &options());
        checks.extend(assessed(&real, &synthetic, None, options()));
        checks.iter().map(|check| (check.value, check.threshold)).collect()
    };
    assert_eq!(figures(), figures());
}
