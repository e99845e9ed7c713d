//! `lookalike generate`: the main verb.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use clap::ValueEnum;

use crate::Ruleset;
use crate::cli::args::{self, Report, RulesetArgs};
use crate::cli::commands::validate;
use crate::cli::failure::Failure;
use crate::cli::locking::{self, LockedArgs};
use crate::cli::output::{Format, OutputArgs};
use crate::cli::{exit, terminal};
use crate::io::{Quote, Template};
use crate::pipeline::{self, Destination, Job, Manifest, Slice};

/// Arguments of `generate`.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  lookalike generate rulesets/orders.yaml --rows 1m --format parquet
  lookalike generate rulesets/orders.yaml --seed 7 -o /tmp/orders
  lookalike generate rulesets/orders.yaml -o - --range 5000..5010
  lookalike generate rulesets/orders.yaml --shard 2/8 --format csv

The same ruleset and seed give the same bytes, whatever the threads, slices and other tables.")]
pub struct Args {
    #[command(flatten)]
    ruleset: RulesetArgs,
    /// Only check the ruleset; write nothing.
    #[arg(long, help_heading = "Ruleset")]
    check: bool,
    /// How to write what is wrong with the ruleset; json and sarif silence all else.
    #[arg(long, value_enum, value_name = "FORMAT", default_value = "text", help_heading = "Ruleset")]
    diagnostics: Report,
    /// Write digests of the rows into lookalike.lock, beside the ruleset.
    #[arg(long, conflicts_with_all = ["locked", "params", "rows", "scale", "seed", "tables", "range", "shard"], help_heading = "Locking")]
    lock: bool,
    #[command(flatten)]
    locked: LockedArgs,

    /// Rows of every table, such as 10k, or of one; may be repeated. Rows that follow from a parent's do so still.
    #[arg(long, value_name = "[TABLE=]N", value_parser = args::rows, allow_negative_numbers = true, conflicts_with_all = ["scale", "locked"], help_heading = "Rows")]
    rows: Vec<(Option<String>, u64)>,
    /// Rows times this, such as 0.1, as each table's `scaling` says.
    #[arg(long, value_name = "X", value_parser = args::factor, allow_negative_numbers = true, conflicts_with = "locked", help_heading = "Rows")]
    scale: Option<f64>,
    /// Write tables with anomalies without them, too, as ….clean.….
    #[arg(long, help_heading = "Rows")]
    clean: bool,
    /// Where not enough rows can take an anomaly, take those that there are.
    #[arg(long, help_heading = "Rows")]
    lenient: bool,
    /// Another seed than the ruleset's.
    #[arg(long, value_name = "S", value_parser = args::whole, allow_negative_numbers = true, conflicts_with = "locked", help_heading = "Rows")]
    seed: Option<u64>,
    /// Only this table; may be repeated.
    #[arg(long = "table", value_name = "TABLE", help_heading = "Rows")]
    tables: Vec<String>,
    /// Only rows A to B, counted from 0; B is left out.
    #[arg(long, value_name = "A..B", value_parser = args::range, conflicts_with = "shard", help_heading = "Rows")]
    range: Option<Slice>,
    /// Only the I-th of N parts; the parts joined are the whole.
    #[arg(long, value_name = "I/N", value_parser = args::shard, help_heading = "Rows")]
    shard: Option<Slice>,

    /// Formats, with commas between them [default: csv,parquet; csv for standard output].
    #[arg(
        long = "format",
        value_name = "FORMAT",
        value_enum,
        value_delimiter = ',',
        help_heading = "Output"
    )]
    formats: Vec<Format>,
    /// Write each row into a file named after its values, such as {region}/{id}.json, in a folder called as its table. The
    /// names end in .json (one row), .jsonl or .csv.
    #[arg(long, value_name = "TEMPLATE", value_parser = template, conflicts_with = "formats", help_heading = "Output")]
    split_by: Option<Template>,
    /// Do not hold the rows against the rules, and write no report.
    #[arg(long, help_heading = "Output")]
    no_report: bool,
    /// Where it is kept what the records of protected tables lose [default: ledger.jsonl in the folder]; needed with `-o -`.
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    ledger: Option<PathBuf>,
    /// CSV: what stands for null.
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true, help_heading = "Output")]
    csv_null: String,
    /// CSV: which values are quoted.
    #[arg(long, value_enum, value_name = "WHICH", default_value = "minimal", help_heading = "Output")]
    csv_quote: CsvQuote,
    /// CSV: what stands between values; `tab` for a tab.
    #[arg(long, value_name = "C", default_value = ",", value_parser = delimiter, help_heading = "Output")]
    csv_delimiter: u8,
    #[command(flatten)]
    output: OutputArgs,
    /// Rows that are generated at a time.
    #[arg(long, value_name = "N", value_parser = args::positive, help_heading = "Running")]
    block_rows: Option<usize>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum CsvQuote {
    Minimal,
    All,
    Text,
}

fn template(text: &str) -> Result<Template, String> {
    Template::parse(text).map_err(|error| error.to_string())
}

pub(super) fn delimiter(text: &str) -> Result<u8, String> {
    match (text, text.as_bytes()) {
        ("tab" | "\\t", _) => Ok(b'\t'),
        (_, [byte]) => Ok(*byte),
        _ => Err("expected one ASCII character, such as `;`, or `tab`".into()),
    }
}

impl Args {
    fn job(&self, ruleset: &Ruleset) -> Job {
        let to_stdout = self.output.is_stdout();
        let standard: &[&str] = if to_stdout { &["csv"] } else { &["csv", "parquet"] };
        let mut job = self.output.job(ruleset.name(), ruleset.seed(), &self.formats, standard);
        job.options.csv.null.clone_from(&self.csv_null);
        job.options.csv.delimiter = self.csv_delimiter;
        job.options.csv.quote = match self.csv_quote {
            CsvQuote::Minimal => Quote::Minimal,
            CsvQuote::All => Quote::All,
            CsvQuote::Text => Quote::Text,
        };
        if let Some(template) = &self.split_by {
            job.formats = vec![*template.kind()];
        }
        Job {
            tables: self.tables.clone(),
            slice: self.range.or(self.shard).unwrap_or(Slice::All),
            split: self.split_by.clone(),
            block_rows: self.block_rows.unwrap_or(job.block_rows),
            clean: self.clean,
            report: !self.no_report && !to_stdout,
            ledger: self.ledger.clone(),
            ..job
        }
    }
}

/// Generates.
pub fn run(args: &Args) -> Result<(), Failure> {
    let quiet = args.output.quiet || args.diagnostics != Report::Text;
    let mut loader = args.ruleset.loader();
    if let Some(seed) = args.seed {
        loader = loader.seed(seed);
    }
    for (table, rows) in &args.rows {
        loader = match table {
            None => loader.rows(*rows),
            Some(table) => loader.table_rows(table, *rows),
        };
    }
    loader = loader.lenient(args.lenient);
    if let Some(scale) = args.scale {
        loader = loader.scale(scale);
    }
    let ruleset = match args.diagnostics {
        // Errors are told in any case, warnings only if not quiet.
        Report::Text => {
            let ruleset = loader.path(&args.ruleset.path)?;
            if !quiet {
                terminal::tell(&Report::Text.render(ruleset.warnings(), ruleset.sources()));
            }
            ruleset
        }
        machine => machine.load(loader, &args.ruleset, |text| {
            terminal::tell(text);
            Ok(())
        })?,
    };
    if args.check {
        if !quiet {
            terminal::tell(&args.ruleset.verdict(&ruleset));
        }
        return Ok(());
    }
    if args.lock {
        crate::lock::check(&ruleset)?;
    }
    let job = args.job(&ruleset);
    let stop = stop_on_signal();
    args.locked.enforce(&ruleset, &args.ruleset, job.threads, &stop)?;
    let progress = terminal::progress(quiet);
    let result = pipeline::generate(&ruleset, &job, &*progress, &stop);
    // The bar is to be gone before anything else is said.
    drop(progress);
    let manifest = result?;
    let locked = args.lock.then(|| locking::lock(&ruleset, &args.ruleset, job.threads, &stop)).transpose()?;
    if !quiet {
        terminal::tell(&locked.unwrap_or_default());
        terminal::tell(&summary(&manifest, &job.destination));
    }
    match (&manifest.validation, &job.destination) {
        (Some(validation), Destination::Folder(folder)) => {
            let page = validation.page.as_ref().map(|page| folder.join(page));
            validate::conclude(&validation.report, page.as_deref(), quiet)
        }
        _ => Ok(()),
    }
}

/// A flag that the first Ctrl-C or termination signal sets; the second ends the program at once.
pub(super) fn stop_on_signal() -> Arc<AtomicBool> {
    stop_after("rows in work", "hidden files that end in .tmp may be left in the output folder")
}

/// The same, where `work` is brought to its end first, and `left` is what a second signal may leave.
pub(super) fn stop_after(work: &'static str, left: &'static str) -> Arc<AtomicBool> {
    let stop = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&stop);
    // Without a handler the run goes on, and a signal ends it as it ends any program.
    let _ = ctrlc::set_handler(move || {
        if flag.swap(true, Ordering::Relaxed) {
            terminal::tell(&format!("stopped at once; {left}\n"));
            std::process::exit(exit::INTERRUPTED.into());
        }
        terminal::tell(&format!("stopping after the {work}; once more to stop at once\n"));
    });
    stop
}

/// What was made, in a few lines.
pub(super) fn summary(manifest: &Manifest, destination: &Destination) -> String {
    let mut lines: Vec<[String; 3]> = Vec::new();
    let file = |file: &pipeline::FileEntry| match destination {
        Destination::Folder(_) => format!("{} {}", file.file, terminal::size(file.bytes)),
        Destination::Stdout => format!("{} {}", file.format, terminal::size(file.bytes)),
    };
    for table in &manifest.tables {
        let files: Vec<String> = table.files.iter().map(&file).collect();
        lines.push([table.name.clone(), terminal::counted(table.rows, "row"), files.join(", ")]);
    }
    let shared: Vec<String> = manifest.files.iter().map(&file).collect();
    if !shared.is_empty() {
        lines.push(["all of them".to_owned(), String::new(), shared.join(", ")]);
    }
    let width = |at: usize| lines.iter().map(|line| line[at].chars().count()).max().unwrap_or(0);
    let (names, rows) = (width(0), width(1));
    let (strong, dim) = (terminal::STRONG, terminal::DIM);
    let mut text = String::new();
    for [name, count, files] in &lines {
        let _ = writeln!(text, "{strong}{name:names$}{strong:#}  {count:>rows$}  {dim}{files}{dim:#}");
    }
    for texts in manifest.texts.iter().filter(|texts| texts.fallback > 0) {
        let lacks = terminal::counted(texts.fallback, "text");
        let _ = writeln!(text, "`{}` lacks {lacks}, for which the ruleset's fallback stands in", texts.name);
    }
    for table in &manifest.tables {
        let Some(privacy) = &table.privacy else { continue };
        let _ = writeln!(text, "{strong}{}{strong:#}  protected: {}", table.name, privacy.statement);
        let _ = writeln!(text, "{dim}not for release: {}{dim:#}", privacy.not_for_release);
    }
    let place = match destination {
        Destination::Folder(folder) => folder.display().to_string(),
        Destination::Stdout => "standard output".to_owned(),
    };
    let timing = &manifest.timing;
    let speed = terminal::grouped(timing.rows_per_second as u64);
    let _ = writeln!(text, "in {:.2} s, {speed} rows/s, to {strong}{place}{strong:#}", timing.seconds);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delimiters_are_one_byte() {
        assert_eq!(delimiter(";"), Ok(b';'));
        assert_eq!(delimiter("tab"), Ok(b'\t'));
        assert_eq!(delimiter("\\t"), Ok(b'\t'));
        for wrong in ["", "ab", "ä"] {
            assert!(delimiter(wrong).is_err(), "{wrong}");
        }
    }
}
