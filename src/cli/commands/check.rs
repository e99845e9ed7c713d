//! `lookalike check`: every diagnostic of a ruleset.

use std::sync::atomic::AtomicBool;

use crate::cli::args::{Report, RulesetArgs};
use crate::cli::failure::Failure;
use crate::cli::locking::LockedArgs;
use crate::cli::terminal;
use crate::pipeline::Job;

/// Arguments of `check`.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  lookalike check rulesets/orders.yaml
  lookalike check rulesets/orders.yaml --format sarif > check.sarif
  lookalike check rulesets/orders.yaml --locked --difference changes.md

Text goes to standard error; JSON and SARIF go to standard output. The exit code is 2 if there are errors,
and 1 if the rows are not those that were locked.")]
pub struct Args {
    #[command(flatten)]
    ruleset: RulesetArgs,
    /// How to write what is found.
    #[arg(long, value_enum, value_name = "FORMAT", default_value = "text")]
    format: Report,
    #[command(flatten)]
    locked: LockedArgs,
}

/// Checks and reports.
pub fn run(args: &Args) -> Result<(), Failure> {
    let say = |text: &str| {
        if args.format == Report::Text {
            terminal::tell(text);
            return Ok(());
        }
        terminal::print(text)
    };
    let ruleset = args.format.load(args.ruleset.loader(), &args.ruleset, say)?;
    let threads = Job::default().threads;
    args.locked.enforce(&ruleset, &args.ruleset, threads, &AtomicBool::new(false))?;
    if args.format == Report::Text {
        terminal::tell(&args.ruleset.verdict(&ruleset));
    }
    Ok(())
}
