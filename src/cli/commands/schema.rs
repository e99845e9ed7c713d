//! `lookalike schema`: the JSON Schema of rulesets.

use std::path::PathBuf;

use lookalike_engine::schema::ruleset_schema;

use crate::cli::failure::Failure;
use crate::cli::known_kinds;
use crate::cli::terminal;
use crate::io::Output;

/// Arguments of `schema`.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  lookalike schema -o schema/ruleset.schema.json

An editor with a YAML language server then checks and completes a ruleset that begins with
  # yaml-language-server: $schema=schema/ruleset.schema.json")]
pub struct Args {
    /// File to write instead of standard output.
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// Prints or writes the schema.
pub fn run(args: &Args) -> Result<(), Failure> {
    let text = format!("{:#}\n", ruleset_schema(&known_kinds()));
    let Some(path) = &args.output else { return terminal::print(&text) };
    let mut output = Output::file(path)?;
    output.write(text.as_bytes())?;
    output.finish(0)?.publish()?;
    Ok(())
}
