//! Puts anomalies into a frame of one's own, and says what was changed.
//!
//!     cargo run --release --example inject

use lookalike::language::read::Format;
use lookalike::polars::prelude::*;
use lookalike::{Ruleset, data};

const RULES: &str = "
lookalike: 1
seed: 7
tables:
  readings:
    anomalies:
      count: 3
      label: anomaly
      kinds:
        thousandfold: {unit_error: {column: load, factor: 1000}}
        unknown: {missing: sensor, when: load > 20}
";

#[expect(clippy::print_stdout, reason = "the example shows its result")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let sensors = (0..20).map(|row| ["north", "south"][row % 2]).collect::<Vec<_>>();
    let loads = (0..20).map(|row| 15.5 + f64::from(row)).collect::<Vec<_>>();
    let clean = df!("sensor" => sensors, "load" => loads)?;

    let rows = data::rows_of("readings", &clean)?;
    let ruleset = Ruleset::loader().given(None, rows).text(RULES, Format::Yaml)?;
    let readings = ruleset.table("readings")?;
    let dirty: DataFrame = readings.collect()?;
    let marks: DataFrame = readings.marks()?;
    println!("{dirty}\n{marks}");

    assert!(readings.clean()?.equals_missing(&clean));
    assert_eq!(dirty.column("anomaly")?.len() - dirty.column("anomaly")?.null_count(), 3);
    assert_eq!(marks.height(), 3);
    Ok(())
}
