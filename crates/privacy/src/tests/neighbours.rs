//! Whole runs on neighbouring tables: all that noise is put on moves by no more than the ledger says.
//!
//! Both tables are asked the same questions, since the answers are made up: a spy stands where the noise comes from, keeps what
//! each step would have been put on, and answers without it. So the steps of the two runs can be held side by side. That they are
//! the same steps, in number, words, sizes and declared sensitivities, is a part of what is tested: what is asked, and the shape
//! of what comes out, do not depend on the rows.
//!
//! All units but one have a single row, which no bound cuts off. The one that comes and goes has up to 24 rows of any kind, with
//! values that nobody listed, beyond all bounds, and none.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::{opening, quick_folder};
use crate::fit::{self, Aim, Cells, Method, Schema};
use crate::mechanisms::spy::{About, Seen};
use crate::release::tests::{plan_of, table};
use crate::release::{self, Plan, Query, Released};
use crate::{Budget, Session, Unit};

/// A row: region, kind, city, size. An empty text is none.
type Row = [&'static str; 4];

const REGIONS: [&str; 5] = ["north", "south", "", "atlantis", "(other)"];
const KINDS: [&str; 4] = ["a", "b", "", "c"];
const CITIES: [&str; 6] = ["Bonn", "Kiel", "Ulm", "", "Nowhere", "\u{1f}"];
const SIZES: [&str; 12] =
    ["7", "55.5", "-19.9", "100", "0", "", "nan", "inf", "-inf", "1e300", "-1e300", "many"];

fn row() -> impl Strategy<Value = Row> {
    let one = |words: &'static [&'static str]| prop::sample::select(words);
    (one(&REGIONS), one(&KINDS), one(&CITIES), one(&SIZES)).prop_map(|(a, b, c, d)| [a, b, c, d])
}

/// Whether two runs were asked the same, and each step's difference keeps to what was declared.
fn compare(without: &[Seen], with: &[Seen]) -> Result<(), TestCaseError> {
    prop_assert_eq!(without.len(), with.len());
    for (a, b) in without.iter().zip(with) {
        prop_assert_eq!((&a.query, a.sensitivity), (&b.query, b.sensitivity));
        // Scores are sums of floats, whose last bits are in the lattice's own margin.
        let most = a.sensitivity * (1.0 + 1e-9);
        match (&a.about, &b.about) {
            (About::Vector { norm, values }, About::Vector { values: others, .. }) => {
                prop_assert_eq!(values.len(), others.len(), "{}", &a.query);
                let moves = values.iter().zip(others).map(|(a, b)| a.abs_diff(*b) as f64);
                let moved = match *norm {
                    "L1" => moves.sum::<f64>(),
                    _ => moves.map(|x| x * x).sum::<f64>().sqrt(),
                };
                prop_assert!(
                    moved <= most,
                    "{}: {} moved by {}, {} is declared",
                    &a.query,
                    norm,
                    moved,
                    a.sensitivity
                );
            }
            (About::Scores(scores), About::Scores(others)) => {
                prop_assert_eq!(scores.len(), others.len(), "{}", &a.query);
                for (score, other) in scores.iter().zip(others) {
                    prop_assert!(
                        (score - other).abs() <= most,
                        "{}: {} {} {}",
                        &a.query,
                        score,
                        other,
                        a.sensitivity
                    );
                }
            }
            (About::Ranks { rows, values }, About::Ranks { values: others, .. }) => {
                // What a value more or less does to ranks is tested beside the mechanism.
                let mut counts: BTreeMap<i64, i64> = BTreeMap::new();
                values.iter().for_each(|value| *counts.entry(*value).or_default() += 1);
                others.iter().for_each(|value| *counts.entry(*value).or_default() -= 1);
                let moved: u64 = counts.values().map(|count| count.unsigned_abs()).sum();
                prop_assert!(moved <= u64::from(*rows), "{}: {} values of {}", &a.query, moved, rows);
            }
            (About::Keys { bounds, counts }, About::Keys { counts: others, .. }) => {
                let mut keys: Vec<&String> = counts.keys().chain(others.keys()).collect();
                keys.sort_unstable();
                keys.dedup();
                let count =
                    |counts: &BTreeMap<String, i64>, key: &String| counts.get(key).copied().unwrap_or(0);
                let moves = keys.iter().map(|key| count(counts, key).abs_diff(count(others, key)));
                let moves: Vec<u64> = moves.filter(|moved| *moved > 0).collect();
                prop_assert!(moves.len() <= bounds.m() as usize, "{}: {} keys", &a.query, moves.len());
                prop_assert!(
                    moves.iter().all(|moved| *moved <= u64::from(bounds.r())),
                    "{}: {:?}",
                    &a.query,
                    moves
                );
                let moved = moves.iter().map(|x| x * x).sum::<u64>();
                prop_assert!(moved <= bounds.l2_squared(), "{}: {} {:?}", &a.query, moved, bounds);
                prop_assert_eq!(a.sensitivity, bounds.l2());
            }
            other => return Err(TestCaseError::fail(format!("{}: {other:?}", a.query))),
        }
    }
    Ok(())
}

fn budget() -> Budget {
    Budget::new(2.0, 1e-6).unwrap().with_thresholds(5e-7).unwrap()
}

/// The clients of the rows: each of the others, and the one that comes and goes.
fn clients(others: usize, rows: usize) -> Vec<String> {
    (0..rows).map(|row| if row < others { format!("c{row}") } else { "the one".into() }).collect()
}

fn released(rules: &str, others: usize, rows: &[Row], spoil: fn(&mut Plan)) -> (Vec<Released>, Vec<Seen>) {
    let mut plan = plan_of(rules, budget()).unwrap();
    let unit = plan.unit.clone();
    spoil(&mut plan);
    let clients = clients(others, rows.len());
    let lines: Vec<[&str; 5]> = rows
        .iter()
        .zip(&clients)
        .map(|(row, client)| [client.as_str(), row[0], row[1], row[2], row[3]])
        .collect();
    let folder = quick_folder();
    let session = Session::open(opening(folder.path(), unit, budget())).unwrap();
    let (mut session, spy) = session.watched(&["Bonn", "Bonn\u{1f}north", "Kiel", "Kiel\u{1f}south"], 5);
    let columns = table(&["client", "region", "kind", "city", "size"], &lines);
    let released = release::run(&plan, &mut session, &columns).unwrap();
    drop(session);
    let seen = spy.borrow().seen.clone();
    (released, seen)
}

/// Two columns with listed categories, one with bins, one whose bins and one whose values are to be found.
fn fitted(unit: &str, method: &Method, others: usize, rows: &[Row]) -> (String, Vec<Seen>) {
    let text = format!(
        "schema: 1\ntable: t\nunit: {unit}\ncolumns:\n  region: {{categories: [north, south], other: elsewhere}}\n  kind: {{categories: \
         [a, b]}}\n  city: {{discover: true}}\n  size: {{int: [-20, 100], bins: 4, spikes: [0]}}\n  rank: {{float: [-20, 100], \
         quantiles: 3}}\n"
    );
    let schema = Schema::read("s.yaml", &text).unwrap_or_else(|(problems, _)| panic!("{problems:?}"));
    let clients = clients(others, rows.len());
    let mut units = Vec::new();
    for (row, client) in clients.iter().enumerate() {
        units.push(if row > 0 && clients[row - 1] == *client { units[row - 1] } else { row as u64 });
    }
    let kept = schema.unit.truncate(&units).unwrap();
    let units: Vec<u64> = kept.iter().map(|row| units[*row]).collect();
    let cells = |column: usize| {
        let mut cells = Cells::default();
        for row in rows {
            let at = cells.texts.iter().position(|text| text == row[column]);
            cells.rows.push(match at {
                _ if row[column].is_empty() => Cells::NULL,
                Some(at) => at as u32,
                None => {
                    cells.texts.push(row[column].to_owned());
                    cells.texts.len() as u32 - 1
                }
            });
        }
        cells.kept(&kept)
    };
    let cells: Vec<Cells> = [0, 1, 2, 3, 3].map(cells).into();
    let plan = fit::Plan::new(&schema, method.clone(), budget().cost().unwrap());
    let folder = quick_folder();
    let session = Session::open(opening(folder.path(), schema.unit.clone(), budget())).unwrap();
    let (mut session, spy) = session.watched(&["Bonn", "Kiel"], 7);
    let outcome = fit::run(&schema, &plan, &cells, &units, &mut session).unwrap();
    let style = fit::Style { folder: "t.model".into(), exact: false, remarks: Vec::new() };
    let written = fit::write(&schema, &outcome, &style);
    drop(session);
    let seen = spy.borrow().seen.clone();
    (format!("{}{:?}", written.ruleset, written.tables), seen)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn a_release_moves_by_no_more_than_its_ledger_says(
        others in prop::collection::vec(row(), 0..40), unit in prop::collection::vec(row(), 1..24),
        k in 1u32..12, m in prop::option::of(1u32..4), r in prop::option::of(1u32..5),
    ) {
        let bound = |name: &str, bound: Option<u32>| bound.map_or(String::new(), |bound| format!(", {name}: {bound}"));
        let rules = format!(
            "lookalike: 1\nunit: {{column: client, max_rows: {k}{}{}}}\ncolumns:\n  region: {{values: [north, south]}}\n  kind: {{values: \
             [a, b]}}\n  city: {{values: discover}}\n  size: {{min: -20, max: 100, step: 0.5}}\nreleases:\n  all: {{statistic: count}}\n  \
             pure: {{statistic: count, by: [kind], noise: laplace}}\n  table: {{statistic: count, by: [region, kind], sums_to: all, \
             non_negative: true}}\n  sum: {{statistic: sum, of: size, by: [region]}}\n  whole_sum: {{statistic: sum, of: size, noise: \
             laplace}}\n  mean: {{statistic: mean, of: size, by: [kind]}}\n  bins: {{statistic: histogram, of: size, by: [region], bins: \
             [0, 10, 50]}}\n  middle: {{statistic: quantiles, of: size, by: [kind]}}\n  cities: {{statistic: count, by: [city]}}\n  \
             city_sum: {{statistic: sum, of: size, by: [city, region]}}\n  city_mean: {{statistic: mean, of: size, by: [city]}}\n",
            bound("max_groups", m),
            bound("max_rows_per_group", r)
        );
        let with: Vec<Row> = others.iter().chain(&unit).copied().collect();
        let (figures, seen) = released(&rules, others.len(), &others, |_| {});
        let (more_figures, more_seen) = released(&rules, others.len(), &with, |_| {});
        compare(&seen, &more_seen)?;
        // With the same answers to the same questions, what comes out is the same to the letter.
        prop_assert_eq!(figures, more_figures);
    }

    #[test]
    fn a_fit_moves_by_no_more_than_its_ledger_says(
        others in prop::collection::vec(row(), 1..40), unit in prop::collection::vec(row(), 1..24),
        k in 1u32..9, values in prop::option::of(1u32..4), is_aim in any::<bool>(),
    ) {
        let values = values.map_or(String::new(), |values| format!(", max_values: {values}"));
        let bounds = format!("{{column: client, max_rows: {k}{values}}}");
        let workload = Aim::all_sets(5, 2).into_iter().map(|(set, _)| set).collect();
        let method = if is_aim { Method::Aim { workload, max_cells: 500 } } else { Method::Mst };
        let with: Vec<Row> = others.iter().chain(&unit).copied().collect();
        let (ruleset, seen) = fitted(&bounds, &method, others.len(), &others);
        let (more_ruleset, more_seen) = fitted(&bounds, &method, others.len(), &with);
        compare(&seen, &more_seen)?;
        prop_assert_eq!(ruleset, more_ruleset);
    }
}

/// Whole runs with a planted mistake: rows of a unit that are not bounded, and a sum whose bounds are not those of its sensitivity.
#[test]
fn planted_mistakes_move_too_far() {
    let rules = "lookalike: 1\nunit: {column: client, max_rows: 3}\ncolumns: {size: {min: -20, max: 100}}\nreleases: {sum: {statistic: \
                 sum, of: size}}\n";
    let others = [["north", "a", "Ulm", "7"]; 5];
    let with: Vec<Row> = others.iter().copied().chain([["north", "a", "Ulm", "1e300"]; 9]).collect();
    let caught = |spoil: fn(&mut Plan)| {
        let (without, with) = (released(rules, 5, &others, spoil).1, released(rules, 5, &with, spoil).1);
        compare(&without, &with).is_err()
    };
    assert!(!caught(|_| {}));
    assert!(caught(|plan| plan.unit.max_rows = 1000), "mutant: rows of a unit are not bounded");
    let wider: fn(&mut Plan) = |plan| {
        if let Query::Sum(of) = &mut plan.items[0].query {
            of.high *= 10;
        }
    };
    assert!(caught(wider), "mutant: values are moved to other bounds than those that noise is for");
}

/// The comparison is worth something: a unit whose rows are not cut off, and a sensitivity that is too small, are seen.
#[test]
fn what_moves_too_far_is_seen() {
    let seen = |values: Vec<i64>, sensitivity| {
        vec![Seen { query: "q".into(), sensitivity, about: About::Vector { norm: "L2", values } }]
    };
    assert!(compare(&seen(vec![5, 5], 5.0), &seen(vec![8, 9], 5.0)).is_ok());
    assert!(compare(&seen(vec![5, 5], 4.9), &seen(vec![8, 9], 4.9)).is_err());
    assert!(compare(&seen(vec![5, 5], 5.0), &seen(vec![5, 5, 0], 5.0)).is_err(), "another shape");
    let keys = |count: i64| {
        let counts = [("Ulm".to_owned(), count)].into();
        let bounds = Unit::column("client", 2).unwrap();
        vec![Seen { query: "q".into(), sensitivity: bounds.l2(), about: About::Keys { bounds, counts } }]
    };
    assert!(compare(&keys(1), &keys(3)).is_ok());
    assert!(compare(&keys(1), &keys(4)).is_err());
    let scores = |score: f64| {
        vec![Seen { query: "q".into(), sensitivity: 1.0, about: About::Scores(vec![0.0, score]) }]
    };
    assert!(compare(&scores(0.0), &scores(-1.0)).is_ok());
    assert!(compare(&scores(0.0), &scores(1.5)).is_err());
    let ranks = |values: Vec<i64>| {
        vec![Seen { query: "q".into(), sensitivity: 1.0, about: About::Ranks { rows: 1, values } }]
    };
    assert!(compare(&ranks(vec![1, 2]), &ranks(vec![1, 2, 2])).is_ok());
    assert!(compare(&ranks(vec![1, 2]), &ranks(vec![1, 2, 2, 9])).is_err());
}
