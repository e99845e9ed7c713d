//! Tests with rows of a ruleset: as structs, as a frame, and a ruleset that is not there.

use downstream::{Volume, wasted};
use lookalike::fixture;
use lookalike::polars::prelude::DataFrame;

#[test]
fn what_is_in_use_is_not_wasted() {
    let volumes: Vec<Volume> = fixture!("volumes.yaml", table = "volumes", rows = 500, typed);
    let all: f64 = volumes.iter().map(|volume| volume.usd_per_month).sum();
    let idle: f64 = wasted(&volumes, 1).values().sum();
    assert!(0.0 < idle && idle < all);
    assert!(wasted(&volumes, 91).is_empty());
}

#[test]
fn longer_idleness_wastes_less() {
    let volumes: Vec<Volume> = fixture!("volumes.yaml", table = "volumes", typed);
    assert_eq!(volumes.len(), 10_000);
    let (week, month) = (wasted(&volumes, 7), wasted(&volumes, 30));
    assert_eq!(week.keys().collect::<Vec<_>>(), ["north", "south", "west"]);
    assert!(month.iter().all(|(region, usd)| *usd < week[region]));
}

#[test]
fn frames_hold_the_same_rows() {
    let frame: DataFrame = fixture!("volumes.yaml", table = "volumes", rows = 50);
    let volumes: Vec<Volume> = fixture!("volumes.yaml", table = "volumes", rows = 50, typed);
    let idle = frame.column("idle_days").unwrap().i64().unwrap();
    assert!(idle.iter().zip(&volumes).all(|(days, volume)| days == volume.idle_days.map(i64::from)));
}

#[test]
#[should_panic(expected = "none.yaml cannot be made")]
fn a_ruleset_that_is_not_there_is_told() {
    let _: DataFrame = fixture!("none.yaml", table = "volumes");
}
