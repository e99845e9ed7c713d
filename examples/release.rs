//! Noisy statistics of a private table, under a budget that a second run finds spent.
//!
//!     cargo run --release --example release

use std::sync::atomic::AtomicBool;

use lookalike::io::SourceOptions;
use lookalike::pipeline::{self, Destination, Quiet};
use lookalike::privacy::Budget;
use lookalike::{Error, Ruleset, release};

#[expect(clippy::print_stdout, reason = "the example shows its result")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = tempfile::tempdir()?;
    // A table that stands in for a private one: volumes of 5,000 clients.
    let ruleset = Ruleset::from_path("rulesets/consultancy/underutilized-volumes.yaml")?;
    let job = pipeline::Job {
        tables: vec!["volumes".to_owned()],
        destination: Destination::Folder(folder.path().to_owned()),
        ..pipeline::Job::default()
    };
    pipeline::generate(&ruleset, &job, &Quiet, &AtomicBool::new(false))?;

    let budget = Budget::new(2.0, 1e-6)?;
    let plan = release::RulesText::read("rulesets/consultancy/release.yaml".as_ref())?.plan(budget)?;
    let job = release::Job {
        data: folder.path().join("volumes.csv"),
        budget,
        total: None,
        state: folder.path().join("budget.jsonl"),
        output: folder.path().join("release"),
        options: SourceOptions::default(),
        clock: || "2026-01-01T00:00:00Z".to_owned(),
    };
    let released = release::release(&plan, &job)?;
    for figure in released.releases.iter().filter(|release| release.keys.len() <= 1).flat_map(|r| &r.figures)
    {
        let (value, half) = (figure.value.unwrap_or(f64::NAN), figure.half_width.unwrap_or(f64::NAN));
        println!("{:>16} {value:14.2} ± {half:.2}", figure.keys.join(", "));
    }
    let volumes = released.releases[0].figures[0].value.expect("a count");
    // 5,000 clients have 6.5 volumes each; the noise is some dozens.
    assert!((30_000.0..35_000.0).contains(&volumes));
    assert!(folder.path().join("release/ledger.jsonl").exists());

    let Err(again @ Error::Privacy(_)) = release::release(&plan, &job) else { panic!("the budget is spent") };
    println!("again: {again}");
    Ok(())
}
