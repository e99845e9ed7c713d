//! `lookalike check`: every diagnostic of a ruleset.

use crate::cli::args::{Report, RulesetArgs};
use crate::cli::failure::Failure;
use crate::cli::terminal;

/// Arguments of `check`.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  lookalike check rulesets/orders.yaml
  lookalike check rulesets/orders.yaml --format sarif > check.sarif

Text goes to standard error; JSON and SARIF go to standard output. The exit code is 2 if there are errors.")]
pub struct Args {
    #[command(flatten)]
    ruleset: RulesetArgs,
    /// How to write what is found.
    #[arg(long, value_enum, value_name = "FORMAT", default_value = "text")]
    format: Report,
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
    if args.format == Report::Text {
        terminal::tell(&args.ruleset.verdict(&ruleset));
    }
    Ok(())
}
