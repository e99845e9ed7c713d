//! Series of a parent's rows, for all kinds that make such: in order within each parent, and any row alone.

use std::sync::Arc;

use lookalike_core::{Rows, Seed};
use lookalike_ruleset::decode::Named;
use lookalike_ruleset::read::{Format, read};
use lookalike_ruleset::{Problems, Sources, Type};

use crate::KINDS;
use crate::array;
use crate::build::Builder;
use crate::generator::{Block, Demand, Generator, Output, Site, World};

/// How many children each parent has; the third has none.
const COUNTS: [usize; 6] = [3, 200, 0, 1, 65, 900];

/// When each parent began, in microseconds.
fn since(parent: usize) -> i64 {
    1_700_000_000_000_000 + parent as i64 * 86_400_000_000
}

/// The rows of the children as (parent, place, count), in an order of our choice.
fn children() -> Vec<(usize, usize, usize)> {
    let of = |(parent, count): (usize, &usize)| {
        (0..*count).map(move |at| (parent, at, *count)).collect::<Vec<_>>()
    };
    COUNTS.iter().enumerate().flat_map(of).collect()
}

/// What the plan would give a generator for the link `p` with the column `p.since`.
const NAMES: [&str; 4] = ["p.#row", "p.#ordinal", "p.#count", "p.since"];

fn prepared(yaml: &str) -> Result<Box<dyn Generator>, &'static str> {
    let mut sources = Sources::new();
    let file = sources.add("<text>", yaml);
    let mut problems = Problems::new();
    let node = read(&sources, file, Format::Yaml, &mut problems).unwrap();
    let entry = &node.as_map().unwrap()[0];
    let kind = KINDS.iter().find(|kind| kind.name == entry.key).unwrap();
    let vocabulary = Named(Vec::new());
    let generator = (kind.build)(&entry.value, &mut Builder::new(&[KINDS], &vocabulary, &mut problems));
    let world = World { clock: Some(since(9)), ..World::new(Seed::new(1)) };
    let types = [Type::Int, Type::Int, Type::Int, Type::Datetime];
    let columns: Vec<(String, Option<Output>)> =
        NAMES.iter().zip(types).map(|(name, ty)| ((*name).to_owned(), Some(Output::of(ty)))).collect();
    let ready = generator.and_then(|mut generator| {
        let mut site = Site {
            seed: Seed::new(3),
            table: Seed::new(2),
            rows: children().len() as u64,
            span: entry.value.span,
            demand: Demand::default(),
            world: &world,
            columns: &columns,
            scope: &[],
            problems: &mut problems,
        };
        generator.prepare(&mut site)?;
        Some(generator)
    });
    ready.ok_or_else(|| problems.into_sorted()[0].code)
}

/// The values of these children, asked for in one block.
fn values(generator: &dyn Generator, numbers: &[usize], attempt: u32) -> Result<Vec<i64>, String> {
    let children = children();
    let ints =
        |of: &dyn Fn((usize, usize, usize)) -> i64| numbers.iter().map(|at| of(children[*at])).collect();
    let columns = [
        Some(array::ints(ints(&|(parent, ..)| parent as i64))),
        Some(array::ints(ints(&|(_, at, _)| at as i64))),
        Some(array::ints(ints(&|(.., count)| count as i64))),
        Some(array::from_ints(ints(&|(parent, ..)| since(parent)), Type::Datetime).unwrap()),
    ];
    let rows = Rows::List(Arc::from_iter(numbers.iter().map(|at| *at as u64)));
    let series = generator.fill(&Block::new(&rows, attempt, &columns)).map_err(|failure| failure.message)?;
    Ok(series.to_physical_repr().i64().unwrap().iter().map(Option::unwrap).collect())
}

const SERIES: [&str; 4] = [
    "events: {from: 2023-11-01, to: 2023-12-01, order: sorted, per: p, after: p.since, hours: {9-17: 5, else: 1}}",
    "arrivals: {start: p.since, per: p, gap: {exponential: {mean: 5m}}}",
    "interval: {start: p.since, per: p, every: 1h, jitter: 40%}",
    "interval: {start: p.since, per: p, every: 1mo, zone: Europe/Berlin}",
];

#[test]
fn each_parent_has_a_series_of_its_own() {
    for yaml in SERIES {
        let generator = prepared(yaml).unwrap();
        let all: Vec<usize> = (0..children().len()).collect();
        let whole = values(&*generator, &all, 0).unwrap();
        let mut before: Option<((usize, usize, usize), i64)> = None;
        for (child, value) in children().into_iter().zip(&whole) {
            assert!(*value >= since(child.0) - 1_440_000_000, "{yaml}: {child:?} before its parent");
            if let Some((last, earlier)) = before.filter(|(last, _)| last.0 == child.0) {
                assert!(earlier < *value, "{yaml}: {last:?} and {child:?}");
            }
            before = Some((child, *value));
        }
        // The first parents with enough children differ in more than their beginning.
        let since_parent = |at: usize| whole[at] - since(children()[at].0);
        if !yaml.contains("1mo") {
            assert!((1..3).any(|at| since_parent(at) != since_parent(3 + at)), "{yaml}");
        }
    }
}

#[test]
fn any_children_are_made_alone_and_in_any_order() {
    for yaml in SERIES {
        let generator = prepared(yaml).unwrap();
        let count = children().len();
        let whole = values(&*generator, &(0..count).collect::<Vec<_>>(), 0).unwrap();
        let scattered: Vec<usize> = (0..2 * count).map(|at| at * 7919 % count).collect();
        let backwards: Vec<usize> = (0..count).rev().collect();
        for numbers in [scattered, backwards, vec![count - 1], vec![2, 2, 1]] {
            let expected: Vec<i64> = numbers.iter().map(|at| whole[*at]).collect();
            assert_eq!(values(&*prepared(yaml).unwrap(), &numbers, 0).unwrap(), expected, "{yaml}");
        }
    }
}

#[test]
fn rows_drawn_again_keep_their_place_in_the_order() {
    for yaml in &SERIES[..2] {
        let generator = prepared(yaml).unwrap();
        let some: Vec<usize> = (0..50).collect();
        assert_eq!(values(&*generator, &some, 0), values(&*generator, &some, 7), "{yaml}");
    }
}

#[test]
fn children_that_do_not_fit_fail_or_are_null() {
    let crowded = "from: 2023-11-14, to: 2023-11-27, step: 1h, order: sorted, per: p, after: p.since";
    let generator = prepared(&format!("events: {{{crowded}}}")).unwrap();
    // The second parent has 200 children, and 12 days before the end.
    assert!(values(&*generator, &(0..203).collect::<Vec<_>>(), 0).is_ok());
    let failure = values(&*generator, &[300, 5], 0).unwrap_err();
    assert!(failure.starts_with("row 300: its entity has 900 rows, but only "), "{failure}");
    assert!(prepared(&format!("events: {{{crowded}, empty: null}}")).is_ok());
}

#[test]
fn limits_must_be_the_parents() {
    let period = "from: 2023-11-14, to: 2023-11-27, order: sorted, per: p";
    assert_eq!(prepared(&format!("events: {{{period}, before: since}}")).err(), Some("bad-value"));
    assert!(prepared(&format!("events: {{{period}, before: p.since}}")).is_ok());
}
