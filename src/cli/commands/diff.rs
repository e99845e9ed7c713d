//! `lookalike diff`: what differs between two outputs, or two rulesets.

use std::path::PathBuf;

use clap::ValueEnum;
use lookalike_ruleset::decode::parse_number;

use crate::cli::failure::Failure;
use crate::cli::{exit, terminal};
use crate::diff::{self, Options, Tolerance};
use crate::io::{Output, SourceOptions};

/// Arguments of `diff`.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  lookalike diff outputs/orders-42 outputs/orders-43
  lookalike diff before.csv after.parquet --key id --ignore updated_at --tolerance amount=0.01
  lookalike diff old/orders.yaml new/orders.yaml --format markdown

Rows are found by their key, in any order, and else by their number. Exit code 1 where something differs.")]
pub struct Args {
    /// A file with rows (CSV, JSON lines, Parquet, Arrow), a folder as written by `generate`, or a ruleset.
    #[arg(value_name = "A")]
    before: PathBuf,
    /// What to compare it with, of the same sort.
    #[arg(value_name = "B")]
    after: PathBuf,
    /// Columns that tell rows apart, with commas between them [default: the key that the manifest names, else none].
    #[arg(long, value_name = "COLUMN", value_delimiter = ',')]
    key: Vec<String>,
    /// A column that may differ; may be repeated.
    #[arg(long, value_name = "COLUMN")]
    ignore: Vec<String>,
    /// By how much numbers may differ, such as 0.01 or 1%; of a column only if one is named. May be repeated.
    #[arg(long, value_name = "[COLUMN=]X", value_parser = tolerance)]
    tolerance: Vec<(Option<String>, Tolerance)>,
    /// How many differences of a table are listed; all are counted.
    #[arg(long, value_name = "N", default_value_t = 20)]
    show: usize,
    /// CSV: what stands for null beside nothing; may be repeated.
    #[arg(long = "null", value_name = "TEXT")]
    nulls: Vec<String>,
    /// How to write what is found.
    #[arg(long, value_enum, value_name = "FORMAT", default_value = "text")]
    format: Format,
    /// Write it into this file instead of standard output.
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    Text,
    Json,
    Markdown,
}

/// `X`, `X%`, `COLUMN=X` or `COLUMN=X%`.
fn tolerance(text: &str) -> Result<(Option<String>, Tolerance), String> {
    let (column, by) = match text.rsplit_once('=') {
        Some((column, by)) => (Some(column.to_owned()), by.trim()),
        None => (None, text.trim()),
    };
    let number = parse_number(by).filter(|number| *number >= 0.0 && number.is_finite());
    let number = number.ok_or("expected a number such as 0.01, or a share such as 1%")?;
    Ok((column, if by.ends_with('%') { Tolerance::Relative(number) } else { Tolerance::Absolute(number) }))
}

/// Compares.
pub fn run(args: &Args) -> Result<(), Failure> {
    let options = Options {
        key: args.key.clone(),
        ignore: args.ignore.clone(),
        tolerance: args.tolerance.clone(),
        shown: args.show,
        source: SourceOptions { csv_nulls: args.nulls.clone(), ..SourceOptions::default() },
    };
    let comparison = diff::compare(&args.before, &args.after, &options)?;
    let text = match args.format {
        Format::Text => comparison.to_text(),
        Format::Markdown => comparison.to_markdown(),
        Format::Json => {
            let json = serde_json::to_string_pretty(&comparison);
            json.map_err(|error| Failure::bug(&error.to_string()))? + "\n"
        }
    };
    match &args.output {
        None => terminal::print(&text)?,
        Some(path) => {
            let mut output = Output::file(path)?;
            output.write(text.as_bytes())?;
            output.finish(0)?.publish()?;
        }
    }
    if comparison.same { Ok(()) } else { Err(Failure::told(exit::THRESHOLD)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tolerances_are_numbers_or_shares() {
        assert_eq!(tolerance("0.5"), Ok((None, Tolerance::Absolute(0.5))));
        assert_eq!(tolerance("a=b=1%"), Ok((Some("a=b".into()), Tolerance::Relative(0.01))));
        for wrong in ["", "x", "-1", "a=", "inf", "1%%"] {
            assert!(tolerance(wrong).is_err(), "{wrong}");
        }
    }
}
