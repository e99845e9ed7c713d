//! `lookalike validate`: does the data do what the rules say, does it look like the real thing, does it give anybody away?

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use lookalike_validate::model::{Check, Report, Verdict};

use super::generate::stop_on_signal;
use crate::cli::args;
use crate::cli::failure::Failure;
use crate::cli::{exit, own_kinds, terminal};
use crate::validation::{self, Request};
use crate::{Loader, io};

/// Arguments of `validate`.
#[derive(clap::Args)]
#[command(group = clap::ArgGroup::new("written").args(["report", "junit"]).multiple(true))]
#[command(after_help = "\
Examples:
  lookalike validate outputs/orders-42 --ruleset rulesets/orders.yaml
  lookalike validate orders.csv --ruleset rulesets/orders.yaml --by region --report report
  lookalike validate outputs/orders-42 --ruleset rulesets/orders.yaml --reference real/ --holdout held-back/

Exit code 1 where a check fails; each is named on standard error. A correct file fails once in ten thousand runs.")]
pub struct Args {
    /// A file with one table, or a folder as written by `generate`.
    #[arg(value_name = "DATA")]
    data: PathBuf,
    /// The ruleset: a .yaml, .toml or .json file.
    #[arg(long, value_name = "RULESET")]
    ruleset: PathBuf,
    /// Set a parameter of the ruleset; may be repeated.
    #[arg(long = "param", value_name = "NAME=VALUE", value_parser = args::pair)]
    params: Vec<(String, String)>,
    /// Let the ruleset read files in this folder, too; may be repeated.
    #[arg(long = "allow-path", value_name = "DIR")]
    allow_paths: Vec<PathBuf>,
    /// Which table a file holds [default: the one of its name, or the only one].
    #[arg(long, value_name = "TABLE")]
    table: Option<String>,
    /// The file of marks, which says what each anomaly changed [default: the table's, such as orders.anomalies.csv, if it is
    /// beside the data].
    #[arg(long, value_name = "FILE")]
    marks: Option<PathBuf>,

    /// Real data to compare with: a file, or a folder with a file for each table.
    #[arg(long, value_name = "REAL", help_heading = "Comparison")]
    reference: Option<PathBuf>,
    /// Real data that the makers of the data have not seen, to measure leakage against.
    #[arg(long, value_name = "FILE", requires = "reference", help_heading = "Comparison")]
    holdout: Option<PathBuf>,

    /// How far figures may lie beyond what two samples of one truth differ by, from 0 to 1 in units of the score [default:
    /// 0.05]. With 0 only another sample of the same truth passes.
    #[arg(long, value_name = "X", value_parser = args::share, requires = "reference", help_heading = "Comparison")]
    margin: Option<f64>,

    /// Column whose value says which rows are steps of one sequence, such as a sensor's name: the lengths of sequences are
    /// compared.
    #[arg(long, value_name = "COLUMN", requires = "reference", help_heading = "Comparison")]
    sequence: Option<String>,

    /// Statistics by the values of this column, too.
    #[arg(long, value_name = "COLUMN", help_heading = "Output")]
    by: Option<String>,
    /// Write a report into this folder: a page, JSON, Markdown, JUnit and charts.
    #[arg(long, value_name = "DIR", help_heading = "Output")]
    report: Option<PathBuf>,
    /// Write the checks as JUnit XML into this file.
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    junit: Option<PathBuf>,
    /// Write nothing of what compares with private rows: checks, charts and notes are left out of the report and of the JUnit
    /// file. What failed is still named on standard error.
    #[arg(long, requires = "written", help_heading = "Output")]
    release_only: bool,
    /// Threads to work on [default: one for each processor].
    #[arg(long, value_name = "N", value_parser = args::positive, help_heading = "Running")]
    threads: Option<usize>,
    /// Print failures only.
    #[arg(short, long, help_heading = "Running")]
    quiet: bool,
}

/// Validates.
pub fn run(args: &Args) -> Result<(), Failure> {
    let loader = Loader::new().kinds(own_kinds());
    let loader = args.params.iter().fold(loader, |loader, (name, value)| loader.param(name, value));
    let loader = args.allow_paths.iter().fold(loader, Loader::allow_path);
    let request = Request {
        table: args.table.clone(),
        by: args.by.clone(),
        reference: args.reference.clone(),
        holdout: args.holdout.clone(),
        marks: args.marks.clone(),
        margin: args.margin,
        sequence: args.sequence.clone(),
        ..Request::of(&args.data)
    };
    let request = Request { threads: args.threads.unwrap_or(request.threads), ..request };
    let stop = stop_on_signal();
    let progress = terminal::progress(args.quiet);
    let report = validation::validate(loader, &args.ruleset, &request, &*progress, &stop);
    drop(progress);
    let report = report?;
    let mut page = None;
    if let Some(folder) = &args.report {
        let choice = validation::Choice { charts: true, release_only: args.release_only };
        for pending in validation::render(&report, folder, choice)? {
            pending.publish()?;
        }
        page = Some(folder.join("index.html"));
    }
    if let Some(path) = &args.junit {
        let text = validation::junit(&report, args.release_only)?;
        let mut output = io::Output::file(path.clone())?;
        output.write(&text)?;
        output.finish(0)?.publish()?;
    }
    conclude(&report, page.as_deref(), args.quiet)
}

/// Failing checks that are named one by one.
const NAMED: usize = 20;

/// Tells how a validation ended: a line, and the checks that failed.
///
/// # Errors
/// When a check failed.
pub fn conclude(report: &Report, page: Option<&Path>, quiet: bool) -> Result<(), Failure> {
    let count = |verdict| report.checks().filter(|check| check.verdict == verdict).count() as u64;
    let failed: Vec<&Check> = report.failures().collect();
    let see = page.map_or_else(String::new, |page| format!("; see {}", page.display()));
    if failed.is_empty() {
        if !quiet {
            let passed = terminal::counted(count(Verdict::Pass), "check");
            terminal::tell(&format!("{passed} passed{see}\n"));
        }
        return Ok(());
    }
    let mut text = String::new();
    let style = terminal::ERROR;
    for check in failed.iter().take(NAMED) {
        let columns =
            if check.columns.is_empty() { String::new() } else { format!(".{}", check.columns.join(", ")) };
        let rule = check.rule.as_ref().map_or_else(String::new, |rule| format!(" ({rule})"));
        let line = format!("{}{columns}{rule}: {}", check.table, check.message);
        let _ = writeln!(
            text,
            "{style}failed[{}]:{style:#} {}",
            check.metric.name,
            super::super::failure::printable(&line)
        );
    }
    if failed.len() > NAMED {
        let _ = writeln!(text, "… and {} more", failed.len() - NAMED);
    }
    let all = count(Verdict::Pass) + failed.len() as u64;
    let _ = writeln!(text, "{} of {} failed{see}", failed.len(), terminal::counted(all, "check"));
    terminal::tell(&text);
    Err(Failure::told(exit::THRESHOLD))
}
