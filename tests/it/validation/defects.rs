//! Planted defects: the check that is for it fails, and no other does.

use lookalike::Ruleset;
use lookalike::polars::prelude::*;

use super::{Frames, examine, failures};

const RULES: &str = "
lookalike: 1
name: shop
seed: 11
clock: 2026-01-01T00:00:00Z
tables:
  depots:
    rows: 200
    columns:
      depot: {pattern: 'D-[0-9]{5}', unique: true}
      city: {choice: [Bonn, Köln, Trier]}
  orders:
    belongs_to:
      at: {table: depots, per_parent: {poisson: {mean: 20}}}
    columns:
      depot: {expr: at.depot}
      city: {expr: at.city}
      id: {pattern: 'O-[0-9a-f]{8}', unique: true}
      channel: {choice: {web: 60%, app: 35%, phone: 5%}}
      items: {by: channel, cases: {web | app: {geometric: {probability: 40%}, clamp: [0, 50]}, phone: {constant: 1}}}
      price: {log_normal: {median: 20, p95: 150}, truncate: [1, 2000], round: 2}
      total: {expr: items * price, round: 2}
      weight: {normal: {mean: 50, std_dev: 5}}
      height: {normal: {mean: 170, std_dev: 10}}
      coupon: {pattern: 'SAVE-[0-9]{2}', null: 80%}
      express: {bernoulli: 20%}
      courier: {choice: [bike, van], only_if: express}
      ordered: {events: {from: 2025-01-01, to: 2026-01-01, hours: {8-17: 5, else: 1}, weekdays: {sat-sun: 0.3}}}
      rank: {int_range: [1, 6]}
      note: {template: '{word}{number}'}
    draws:
      word: {choice: [ab, abcd, abcdefgh]}
      number: {int_range: [1, 99999]}
    correlate:
      - spearman: [[weight, height, 0.6]]
    subsets:
      label: part
      parts: {early: {share: 70%}, late: {share: 30%}}
    anomalies:
      rate: 5%
      label: odd
      kinds:
        heavy: {set: {weight: weight * 10}}
        lost: {missing: coupon}
";

/// Changes a column of both views.
fn both(frames: &mut Frames, column: &str, change: impl Fn(&Series) -> Series) {
    for frame in [&mut frames.rows, &mut frames.clean] {
        if let Ok(found) = frame.column(column) {
            let name: PlSmallStr = column.into();
            let changed = change(found.as_materialized_series()).with_name(name);
            frame.with_column(changed.into_column()).unwrap();
        }
    }
}

fn floats(frames: &mut Frames, column: &str, change: impl Fn(usize, f64) -> f64) {
    both(frames, column, |series| {
        let values = series.cast(&DataType::Float64).unwrap();
        let values: Float64Chunked = values
            .f64()
            .unwrap()
            .iter()
            .enumerate()
            .map(|(at, value)| value.map(|value| change(at, value)))
            .collect();
        values.into_series().cast(series.dtype()).unwrap()
    });
}

fn ints(frames: &mut Frames, column: &str, change: impl Fn(usize, i64) -> i64) {
    both(frames, column, |series| {
        let values = series.to_physical_repr().cast(&DataType::Int64).unwrap();
        let values: Int64Chunked = values
            .i64()
            .unwrap()
            .iter()
            .enumerate()
            .map(|(at, value)| value.map(|value| change(at, value)))
            .collect();
        values.into_series().cast(series.dtype()).unwrap()
    });
}

fn texts(frames: &mut Frames, column: &str, change: impl Fn(usize, Option<&str>) -> Option<String>) {
    both(frames, column, |series| {
        let values = series.cast(&DataType::String).unwrap();
        let values: StringChunked =
            values.str().unwrap().iter().enumerate().map(|(at, value)| change(at, value)).collect();
        values.into_series()
    });
}

fn bools(frames: &mut Frames, column: &str, change: impl Fn(usize, bool) -> bool) {
    both(frames, column, |series| {
        let values: BooleanChunked = series
            .bool()
            .unwrap()
            .iter()
            .enumerate()
            .map(|(at, value)| value.map(|value| change(at, value)))
            .collect();
        values.into_series()
    });
}

/// Labels of the rows as they are.
fn labels(frames: &mut Frames, change: impl Fn(usize, Option<&str>) -> Option<String>) {
    let series = frames.rows.column("odd").unwrap().cast(&DataType::String).unwrap();
    let values: StringChunked = series
        .as_materialized_series()
        .str()
        .unwrap()
        .iter()
        .enumerate()
        .map(|(at, value)| change(at, value))
        .collect();
    frames.rows.with_column(values.into_series().with_name("odd".into()).into_column()).unwrap();
}

type Change = Box<dyn Fn(&mut Frames)>;

fn plant(change: impl Fn(&mut Frames) + 'static) -> Change {
    Box::new(change)
}

/// A metric, a column and what spoils it.
fn defects() -> Vec<(&'static str, &'static str, Change)> {
    let text = |value: Option<&str>| value.map(str::to_owned);
    vec![
        ("DistributionFit", "weight", plant(|f| floats(f, "weight", |_, v| v + 3.0))),
        ("DistributionFit", "height", plant(|f| floats(f, "height", |_, v| 170.0 + (v - 170.0) * 1.4))),
        ("DistributionFit", "rank", plant(|f| ints(f, "rank", |at, v| if at % 5 == 0 { 6 } else { v }))),
        (
            "DistributionFit",
            "ordered",
            plant(|f| {
                // The first half of the year takes a share of the second, at the same hours of the same weekdays.
                let (middle, shift) = (1_751_328_000_000_000, 182 * 86_400_000_000i64);
                ints(f, "ordered", move |at, v| {
                    if v >= middle && v - shift >= 1_735_689_600_000_000 && at % 3 == 0 {
                        v - shift
                    } else {
                        v
                    }
                });
            }),
        ),
        (
            "SeasonalFit",
            "ordered",
            plant(|f| {
                let hour = 3_600_000_000;
                ints(f, "ordered", move |_, v| {
                    v - v.rem_euclid(24 * hour) + (v.rem_euclid(24 * hour) + 4 * hour) % (24 * hour)
                });
            }),
        ),
        (
            "CategoryFit",
            "courier",
            plant(move |f| {
                texts(f, "courier", |at, v| {
                    if v.is_some() && at % 2 == 0 { Some("van".into()) } else { v.map(str::to_owned) }
                });
            }),
        ),
        (
            "CategoryFit",
            "express",
            plant(|f| {
                bools(f, "express", |at, v| v || at % 10 == 0);
                // The couriers follow.
                let express = f.clean.column("express").unwrap().bool().unwrap().clone();
                texts(f, "courier", |at, v| {
                    let wanted = if at % 20 == 0 { "bike" } else { "van" };
                    (express.get(at) == Some(true)).then(|| v.unwrap_or(wanted).to_owned())
                });
            }),
        ),
        (
            "RankCorrelation",
            "weight",
            plant(|f| {
                // The weights of the rows before: their law stays.
                both(f, "weight", |series| {
                    series.shift(1).fill_null(FillNullStrategy::Backward(None)).unwrap()
                });
            }),
        ),
        ("ValueRange", "rank", plant(|f| ints(f, "rank", |at, v| if at == 7 { 9 } else { v }))),
        ("ValueRange", "ordered", plant(|f| ints(f, "ordered", |at, v| if at == 7 { 0 } else { v }))),
        (
            "ValueRange",
            "items",
            plant(|f| {
                ints(f, "items", |at, v| if at == 7 { -1 } else { v });
                recompute(f);
            }),
        ),
        (
            "PatternMatch",
            "id",
            plant(move |f| texts(f, "id", move |at, v| if at == 9 { Some("O-xyz".into()) } else { text(v) })),
        ),
        (
            "PatternMatch",
            "coupon",
            plant(move |f| {
                texts(f, "coupon", move |_, v| {
                    v.map(|v| if v == "SAVE-07" { "save-07".into() } else { v.to_owned() })
                })
            }),
        ),
        (
            "CategorySet",
            "channel",
            plant(move |f| {
                texts(f, "channel", move |at, v| if at == 5 { Some("fax".into()) } else { text(v) })
            }),
        ),
        (
            "CategorySet",
            "courier",
            plant(|f| {
                let express = f.clean.column("express").unwrap().bool().unwrap().clone();
                let first = express.iter().position(|express| express == Some(true)).unwrap();
                texts(
                    f,
                    "courier",
                    move |at, v| if at == first { Some("drone".into()) } else { v.map(str::to_owned) },
                );
            }),
        ),
        (
            "Uniqueness",
            "id",
            plant(move |f| {
                texts(f, "id", move |at, v| {
                    if at == 100 {
                        None.or(Some("O-00000000".into()))
                    } else if at == 200 {
                        Some("O-00000000".into())
                    } else {
                        text(v)
                    }
                })
            }),
        ),
        (
            "NullShare",
            "coupon",
            plant(move |f| texts(f, "coupon", move |at, v| if at % 4 == 0 { None } else { text(v) })),
        ),
        (
            "OnlyIf",
            "courier",
            plant(|f| {
                let express = f.clean.column("express").unwrap().bool().unwrap().clone();
                let first = express.iter().position(|express| express == Some(false)).unwrap();
                texts(
                    f,
                    "courier",
                    move |at, v| if at == first { Some("van".into()) } else { v.map(str::to_owned) },
                );
            }),
        ),
        (
            "NotNull",
            "height",
            plant(|f| {
                both(f, "height", |series| {
                    let mask: BooleanChunked = (0..series.len()).map(|at| Some(at == 3)).collect();
                    series.f64().unwrap().set(&mask, None).unwrap().into_series()
                });
            }),
        ),
        ("ComputedValue", "total", plant(|f| floats(f, "total", |at, v| if at == 11 { v + 1.0 } else { v }))),
        (
            "ComputedValue",
            "items",
            plant(|f| {
                let channel = f.clean.column("channel").unwrap().cast(&DataType::String).unwrap();
                let channel = channel.as_materialized_series().str().unwrap().clone();
                let phone = channel.iter().position(|channel| channel == Some("phone")).unwrap();
                ints(f, "items", move |at, v| if at == phone { 2 } else { v });
                recompute(f);
            }),
        ),
        (
            "SubsetSize",
            "part",
            plant(move |f| {
                texts(f, "part", move |at, v| if at < 40 { Some("early".into()) } else { text(v) })
            }),
        ),
        ("AnomalyCount", "odd", plant(|f| labels(f, |_, v| v.filter(|v| *v != "heavy").map(str::to_owned)))),
        (
            "AnomalyCount",
            "odd",
            plant(|f| {
                labels(
                    f,
                    |at, v| {
                        if at % 9 == 0 && v.is_none() { Some("lost".into()) } else { v.map(str::to_owned) }
                    },
                )
            }),
        ),
        (
            "CategorySet",
            "odd",
            plant(|f| {
                labels(
                    f,
                    |at, v| if at == 1 && v.is_none() { Some("weird".into()) } else { v.map(str::to_owned) },
                )
            }),
        ),
        (
            "ForeignKey",
            "depot",
            plant(move |f| {
                texts(f, "depot", move |at, v| if at == 4 { Some("D-x".into()) } else { text(v) })
            }),
        ),
        (
            "CopiedValue",
            "city",
            plant(move |f| {
                texts(f, "city", move |at, v| {
                    if at == 4 {
                        Some(if v == Some("Bonn") { "Trier" } else { "Bonn" }.into())
                    } else {
                        text(v)
                    }
                })
            }),
        ),
        (
            "SameTruth",
            "note",
            plant(move |f| {
                texts(f, "note", move |at, v| if at % 3 == 0 { Some("ab1".into()) } else { text(v) })
            }),
        ),
    ]
}

/// Puts the total right after a change of what it is computed from.
fn recompute(frames: &mut Frames) {
    for frame in [&mut frames.rows, &mut frames.clean] {
        let of = |name: &str| frame.column(name).unwrap().cast(&DataType::Float64).unwrap();
        let (items, prices) = (of("items"), of("price"));
        let total: Float64Chunked = items
            .f64()
            .unwrap()
            .iter()
            .zip(prices.f64().unwrap().iter())
            .map(|(items, price)| Some((items? * price? * 100.0).round() / 100.0))
            .collect();
        let dtype = frame.column("total").unwrap().dtype().clone();
        let total = total.into_series().cast(&dtype).unwrap().with_name("total".into());
        frame.with_column(total.into_column()).unwrap();
    }
}

#[test]
fn every_defect_is_caught_by_its_check_alone() {
    let ruleset = Ruleset::from_str(RULES).unwrap_or_else(|error| panic!("{error}"));
    let clean = examine(&ruleset, |_, _| {});
    let odd: Vec<_> = failures(&clean).iter().map(|c| format!("{} {:?}", c.metric.name, c.columns)).collect();
    assert!(odd.is_empty(), "{odd:?}");
    let mut problems = Vec::new();
    let planted = defects();
    assert!(planted.len() >= 25);
    for (number, (metric, column, change)) in planted.iter().enumerate() {
        let reports = examine(&ruleset, |table, frames| {
            if table == "orders" {
                change(frames);
            }
        });
        let failed = failures(&reports);
        let right = failed
            .iter()
            .any(|check| check.metric.name == *metric && check.columns.iter().any(|c| c == column));
        let others: Vec<String> = failed
            .iter()
            .filter(|check| check.metric.name != *metric || !check.columns.iter().any(|c| c == column))
            .map(|check| format!("{} {:?}: {}", check.metric.name, check.columns, check.message))
            .collect();
        if !right || !others.is_empty() {
            problems
                .push(format!("defect {number} ({metric} of {column}): caught {right}, others {others:?}"));
        }
    }
    assert!(problems.is_empty(), "{problems:#?}");
}

const PAIRS: &str = "
lookalike: 1
name: shelves
seed: 7
tables:
  products: {rows: 40, columns: {product: {sequence: {}}}}
  shops: {rows: 30, columns: {shop: {pattern: 'S-[0-9]{3}', unique: true}}}
  stock:
    rows: 500
    belongs_to: {of: products, in: shops}
    unique: [of, in]
    columns:
      product: {expr: of.product}
      shop: {expr: in.shop}
      pieces: {int_range: [0, 90]}
";

/// No pair of parents occurs twice where the links are `unique`.
#[test]
fn a_repeated_pair_of_parents_is_caught() {
    let ruleset = Ruleset::from_str(PAIRS).unwrap_or_else(|error| panic!("{error}"));
    let clean = examine(&ruleset, |_, _| {});
    assert!(failures(&clean).is_empty(), "{:?}", failures(&clean));
    let pair = |reports: &[lookalike::validate::model::TableReport]| {
        let checks = reports.iter().flat_map(|report| &report.checks);
        let of_pair = checks.filter(|check| check.metric.name == "Uniqueness" && check.columns.len() == 2);
        of_pair.map(|check| (check.columns.clone(), check.value, check.n)).collect::<Vec<_>>()
    };
    let columns = vec!["product".to_owned(), "shop".to_owned()];
    assert_eq!(pair(&clean), [(columns.clone(), Some(0.0), 500)]);
    // Row 9 is of the parents of row 3.
    let spoilt = examine(&ruleset, |table, frames| {
        if table == "stock" {
            for column in ["product", "shop"] {
                both(frames, column, |series| {
                    let rows: Vec<u32> = (0..500).map(|row| if row == 9 { 3 } else { row }).collect();
                    series.take_slice(&rows).unwrap()
                });
            }
        }
    });
    let failed: Vec<String> =
        failures(&spoilt).iter().map(|check| format!("{}: {}", check.metric.name, check.message)).collect();
    assert_eq!(failed.len(), 1, "{failed:?}");
    assert!(
        failed[0].contains(
            "1 row with a combination of values that occurs before, the first in row 9: the value of row 3"
        ),
        "{failed:?}"
    );
    assert_eq!(pair(&spoilt), [(columns, Some(1.0), 500)]);
}

const SIGNAL: &str = "
lookalike: 1
name: signal
seed: 5
clock: 2026-01-01T00:00:00Z
tables:
  readings:
    rows: 2000
    columns:
      at: {sequence: {start: 2026-01-01, step: 1h}}
      load:
        series:
          at: at
          level: 100
          trend: 0.1
          season: [{period: 1d, amplitude: 20, peak: 14h}]
          noise: {normal: {mean: 0, std_dev: 2}}
";

/// A season that comes too late, a trend that is not there, and noise that is too large are all seen in the noise.
#[test]
fn what_is_wrong_with_a_series_is_seen_in_its_noise() {
    let ruleset = Ruleset::from_str(SIGNAL).unwrap_or_else(|error| panic!("{error}"));
    let clean = examine(&ruleset, |_, _| {});
    assert!(failures(&clean).is_empty(), "{:?}", failures(&clean));
    let fit = clean[0]
        .checks
        .iter()
        .find(|check| check.metric.name == "DistributionFit" && check.columns == ["load"]);
    assert!(fit.is_some_and(|check| check.p_value.is_some() && check.n == 2000), "{fit:?}");
    let day = |at: usize| std::f64::consts::TAU * (at as f64 - 14.0) / 24.0;
    let late = move |at: usize, value: f64| value - 20.0 * day(at).cos() + 20.0 * (day(at) - 0.3).cos();
    type Shift = Box<dyn Fn(usize, f64) -> f64>;
    let changes: [(&str, Shift); 3] = [
        ("season", Box::new(late)),
        ("trend", Box::new(|at, value| value - 0.1 * at as f64 / 24.0)),
        ("noise", Box::new(|at, value| if at % 2 == 0 { value + 3.0 } else { value - 3.0 })),
    ];
    for (what, change) in changes {
        let spoilt = examine(&ruleset, |_, frames| floats(frames, "load", &change));
        let failed: Vec<String> = failures(&spoilt)
            .iter()
            .map(|check| format!("{} {:?} {}", check.metric.name, check.columns, check.message))
            .collect();
        assert_eq!(failed.len(), 1, "{what}: {failed:?}");
        assert!(
            failed[0].starts_with("DistributionFit [\"load\"]") && failed[0].contains("of the noise"),
            "{what}: {failed:?}"
        );
    }
}
