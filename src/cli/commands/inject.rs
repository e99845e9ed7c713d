//! `lookalike inject`: anomalies in given data, and noise on its records.

use std::path::PathBuf;

use lookalike_ruleset::Type;

use super::generate::{delimiter, stop_on_signal, summary};
use super::merge::column_type;
use crate::Loader;
use crate::cli::args::{self, Report};
use crate::cli::failure::Failure;
use crate::cli::output::{Format, OutputArgs};
use crate::cli::{own_kinds, terminal};
use crate::data::Data;
use crate::io::SourceOptions;
use crate::pipeline;

/// Arguments of `inject`.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  lookalike inject flights.csv --rules dirt.yaml                  into outputs/dirt-0/
  lookalike inject flights.csv --rules dirt.yaml --clean -o out   the rows as they were, too
  lookalike inject orders.parquet --rules shop.yaml --table orders --format csv

The table of the ruleset needs no columns, only `anomalies` and, for them, `draws`:
  lookalike: 1
  tables: {flights: {anomalies: {rate: 2%, kinds: {gone: {missing: [carrier]}}}}}
What `privacy` says of it puts noise on each record (then with its own ledger, and without ….anomalies.…).
CSV and JSON lines stay byte for byte as they were, but for the cells listed in ….anomalies.….")]
pub struct Args {
    /// The data: a .csv, .jsonl, .parquet or .arrow file.
    #[arg(value_name = "DATA")]
    data: PathBuf,
    /// The ruleset with the anomalies, or the noise.
    #[arg(long, value_name = "FILE", help_heading = "Ruleset")]
    rules: PathBuf,
    /// Which table of the ruleset the data is [default: the one with anomalies or noise, or with the data's name].
    #[arg(long, value_name = "TABLE", help_heading = "Ruleset")]
    table: Option<String>,
    /// Set a parameter of the ruleset; may be repeated.
    #[arg(long = "param", value_name = "NAME=VALUE", value_parser = args::pair, help_heading = "Ruleset")]
    params: Vec<(String, String)>,
    /// Let the ruleset read files in this folder, too; may be repeated.
    #[arg(long = "allow-path", value_name = "DIR", help_heading = "Ruleset")]
    allow_paths: Vec<PathBuf>,
    /// Another seed than the ruleset's.
    #[arg(long, value_name = "S", value_parser = args::whole, allow_negative_numbers = true, help_heading = "Ruleset")]
    seed: Option<u64>,
    /// Where not enough rows can take an anomaly, take those that there are.
    #[arg(long, help_heading = "Ruleset")]
    lenient: bool,
    /// Only check that ruleset and data go together; write nothing.
    #[arg(long, help_heading = "Ruleset")]
    check: bool,

    /// Format of the data [default: by its extension].
    #[arg(long, value_name = "FORMAT", help_heading = "Data")]
    data_format: Option<String>,
    /// Read a column as this type: bool, int, float, text, date, datetime, duration or decimal(2); may be repeated.
    #[arg(long = "type", value_name = "COLUMN=TYPE", value_parser = column_type, help_heading = "Data")]
    types: Vec<(String, Type)>,
    /// CSV: a word that stands for null, beside nothing; may be repeated. New nulls are written as the first.
    #[arg(long = "null", value_name = "TEXT", help_heading = "Data")]
    nulls: Vec<String>,
    /// CSV: what stands between values; `tab` for a tab [default: found].
    #[arg(long, value_name = "C", value_parser = delimiter, help_heading = "Data")]
    delimiter: Option<u8>,

    /// Formats, with commas between them [default: that of the data].
    #[arg(
        long = "format",
        value_name = "FORMAT",
        value_enum,
        value_delimiter = ',',
        help_heading = "Output"
    )]
    formats: Vec<Format>,
    /// Write the rows as they were, too, as ….clean.….
    #[arg(long, help_heading = "Output")]
    clean: bool,
    /// Where it is kept what the records of protected tables lose [default: ledger.jsonl in the folder]; needed with `-o -`.
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    ledger: Option<PathBuf>,
    #[command(flatten)]
    output: OutputArgs,
}

/// Injects.
pub fn run(args: &Args) -> Result<(), Failure> {
    let options = SourceOptions {
        table: None,
        types: args.types.clone(),
        csv_nulls: args.nulls.clone(),
        csv_delimiter: args.delimiter,
        ..SourceOptions::default()
    };
    let data = Data::open(&args.data, args.data_format.as_deref(), &options)?;
    let loader =
        Loader::new().kinds(own_kinds()).lenient(args.lenient).given(args.table.as_deref(), data.rows());
    let loader = args.params.iter().fold(loader, |loader, (name, value)| loader.param(name, value));
    let loader = args.allow_paths.iter().fold(loader, Loader::allow_path);
    let loader = match args.seed {
        Some(seed) => loader.seed(seed),
        None => loader,
    };
    let ruleset = loader.path(&args.rules)?;
    if !args.output.quiet {
        terminal::tell(&Report::Text.render(ruleset.warnings(), ruleset.sources()));
    }
    if args.check {
        return Ok(());
    }
    let mut job = args.output.job(ruleset.name(), ruleset.seed(), &args.formats, &[data.format()]);
    job.clean = args.clean;
    job.ledger.clone_from(&args.ledger);
    let stop = stop_on_signal();
    let progress = terminal::progress(args.output.quiet);
    let result = pipeline::inject(&ruleset, &data, &job, &*progress, &stop);
    // The bar is to be gone before anything else is said.
    drop(progress);
    let manifest = result?;
    if !args.output.quiet {
        terminal::tell(&summary(&manifest, &job.destination));
    }
    Ok(())
}
