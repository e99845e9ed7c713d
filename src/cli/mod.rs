//! The program `lookalike`, and the program `generate`, which is its main verb. Not part of the library's interface.

mod args;
mod commands;
#[cfg(feature = "bedrock")]
mod drafting;
pub mod exit;
mod failure;
mod locking;
mod output;
mod statistics;
mod terminal;

/// The groups of kinds, their titles, and the keys in the place of a kind, for whoever lists the language.
pub use commands::kinds::{GROUPS, REFERENCES, Reference, title};

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use clap::{CommandFactory, Parser, Subcommand};

use commands::{
    check, completions, diff, explain, fit, generate, inject, kinds, merge, preview, release, schema,
    validate,
};
#[cfg(feature = "bedrock")]
use commands::{draft, refine, texts};
use failure::Failure;

use crate::engine::{KINDS, Kind};

/// Data that looks and behaves like the real thing but is about nobody.
#[derive(Parser)]
#[command(name = "lookalike", version, arg_required_else_help = true, disable_help_subcommand = true)]
#[command(after_help = "\
Examples:
  lookalike generate rulesets/orders.yaml            data into outputs/orders-42/
  lookalike check rulesets/orders.yaml               every mistake at once
  lookalike preview rulesets/orders.yaml -n 5        the first rows, on the terminal
  lookalike explain log_normal                       a kind, with values it makes

Exit codes: 0 done, 1 a check failed, 2 bad command line or ruleset, 3 privacy budget,
4 trouble with files, 5 no model could be asked, 70 a bug, 130 interrupted.")]
struct Lookalike {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    colour: args::Colour,
}

#[derive(Subcommand)]
enum Command {
    /// Make the data of a ruleset.
    Generate(generate::Args),
    /// Bring tables of files and rulesets together, in exact shares.
    Merge(merge::Args),
    /// Put the anomalies of a ruleset into given data.
    Inject(inject::Args),
    /// Look for mistakes in a ruleset and report all of them.
    Check(check::Args),
    /// Tell what differs between two outputs, or two rulesets.
    Diff(diff::Args),
    /// Show some rows, and what each column holds.
    Preview(preview::Args),
    /// Hold data against the rules, and against real data.
    Validate(validate::Args),
    /// Release statistics of a private table under differential privacy.
    Release(release::Args),
    /// Make a ruleset from a private table, under differential privacy.
    Fit(fit::Args),
    /// Let a model on Amazon Bedrock write a ruleset from a description.
    #[cfg(feature = "bedrock")]
    Draft(draft::Args),
    /// Let a model change a ruleset.
    #[cfg(feature = "bedrock")]
    Refine(refine::Args),
    /// Ask a model for the texts that a ruleset's rows lack.
    #[cfg(feature = "bedrock")]
    Texts(texts::Args),
    /// List the kinds of generator and the modifiers.
    Kinds(kinds::Args),
    /// Explain a kind, a modifier, a function or the code of a diagnostic.
    Explain(explain::Args),
    /// Print the JSON Schema of rulesets, for editors.
    Schema(schema::Args),
    /// Print a completion script for a shell.
    Completions(completions::Args),
}

/// Make the data of a ruleset.
#[derive(Parser)]
#[command(name = "generate", version)]
struct Generate {
    #[command(flatten)]
    args: generate::Args,
    #[command(flatten)]
    colour: args::Colour,
}

/// Kinds of generator that the program has besides those of the library.
static OWN: OnceLock<&'static [Kind]> = OnceLock::new();

/// Runs the program `lookalike` with kinds of generator of your own: a program in whose `main` this stands knows them as it
/// knows all others, in `generate`, `check`, `preview`, `validate`, `inject`, `kinds`, `explain` and `schema`. The rulesets
/// that `merge` reads and that `draft` and `refine` write have the library's kinds alone.
///
/// ```no_run
/// static KINDS: &[lookalike::engine::Kind] = &[];
///
/// fn main() -> std::process::ExitCode {
///     lookalike::program(KINDS)
/// }
/// ```
///
/// `examples/custom_kind.rs` has a kind to put there.
pub fn program(kinds: &'static [Kind]) -> ExitCode {
    OWN.get_or_init(|| kinds);
    lookalike()
}

/// All kinds of generator, in two lists.
fn known_kinds() -> [&'static [Kind]; 2] {
    [KINDS, own_kinds()]
}

/// The kinds that the library does not have.
fn own_kinds() -> &'static [Kind] {
    OWN.get().copied().unwrap_or_default()
}

/// Runs the program `lookalike`.
pub fn lookalike() -> ExitCode {
    told(|| {
        let Lookalike { command, colour } = parse()?;
        terminal::set_colour(colour.color);
        match command {
            Command::Generate(args) => generate::run(&args),
            Command::Merge(args) => merge::run(&args),
            Command::Inject(args) => inject::run(&args),
            Command::Check(args) => check::run(&args),
            Command::Diff(args) => diff::run(&args),
            Command::Preview(args) => preview::run(&args),
            Command::Validate(args) => validate::run(&args),
            Command::Release(args) => release::run(&args),
            Command::Fit(args) => fit::run(&args),
            #[cfg(feature = "bedrock")]
            Command::Draft(args) => draft::run(&args),
            #[cfg(feature = "bedrock")]
            Command::Refine(args) => refine::run(&args),
            #[cfg(feature = "bedrock")]
            Command::Texts(args) => texts::run(&args),
            Command::Kinds(args) => kinds::run(&args),
            Command::Explain(args) => explain::run(&args),
            Command::Schema(args) => schema::run(&args),
            Command::Completions(args) => completions::run(&args, Lookalike::command()),
        }
    })
}

/// Runs the program `generate`.
pub fn generate() -> ExitCode {
    told(|| {
        let Generate { args, colour } = parse()?;
        terminal::set_colour(colour.color);
        generate::run(&args)
    })
}

/// The arguments; help and mistakes are printed here.
fn parse<A: Parser>() -> Result<A, Failure> {
    A::try_parse().map_err(|error| {
        // Nobody is left to be told of a failure to print.
        let _ = error.print();
        Failure::told(if error.use_stderr() { exit::USAGE } else { exit::DONE })
    })
}

/// Runs `body` with panics told in a few lines, as the bugs that they are.
fn told(body: impl FnOnce() -> Result<(), Failure>) -> ExitCode {
    static REPORTED: AtomicBool = AtomicBool::new(false);
    if std::env::var_os("RUST_BACKTRACE").is_none() {
        std::panic::set_hook(Box::new(|panic| {
            // A worker's panic goes on in the thread that waits for it; one report will do.
            if !REPORTED.swap(true, Ordering::Relaxed) {
                Failure::bug(&panic.to_string()).tell();
            }
        }));
    }
    exit_code(body).into()
}

/// The exit code of `body`, after its failure was told. A panic unwinds the stack, so that temporary files are removed.
fn exit_code(body: impl FnOnce() -> Result<(), Failure>) -> u8 {
    let failure = match catch_unwind(AssertUnwindSafe(body)) {
        Ok(Ok(())) => return exit::DONE,
        Ok(Err(failure)) => failure,
        Err(_) => Failure::told(exit::BUG),
    };
    failure.tell();
    failure.code
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_definitions_of_the_arguments_are_sound() {
        Lookalike::command().debug_assert();
        Generate::command().debug_assert();
    }

    #[test]
    fn failures_and_panics_become_exit_codes() {
        assert_eq!(exit_code(|| Ok(())), exit::DONE);
        assert_eq!(exit_code(|| Err(Failure::told(exit::OUTPUT))), exit::OUTPUT);
        assert_eq!(exit_code(|| panic!("on purpose")), exit::BUG);
    }
}
