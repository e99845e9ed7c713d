//! `lookalike release`: noisy statistics of a private table.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use lookalike_io::SourceOptions;
use lookalike_privacy::{Budget, State, Table, release as figures};

use crate::cli::failure::Failure;
use crate::cli::statistics::Statistics;
use crate::cli::terminal;
use crate::release::{self, Job, RulesText};

/// Release statistics of a private table under differential privacy.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  lookalike release clients.csv --rules rules.yaml --epsilon 1 --delta 1e-6 --dry-run   plan, cost and expected errors
  lookalike release clients.csv --rules rules.yaml --epsilon 1 --delta 1e-6             figures into outputs/release/
  lookalike release clients.csv --epsilon 1 --delta 1e-6 --count --mean cost --by region \\
    --values region=north,south --bounds cost=0..500 --unit client --max-rows 12        the same without a file

What a table has given away is kept in the budget file, and later runs add to it. Nothing sets it back: deleting the file
is your own act, and you answer for it to those whose rows these are.

Exit codes: 0 done, 2 bad command line or rules, 3 the budget does not cover it, 4 files, 70 a bug.")]
pub struct Args {
    /// The private table: a .csv, .jsonl, .parquet or .arrow file.
    #[arg(value_name = "DATA")]
    data: PathBuf,
    /// What to release, and what is public: a .yaml, .toml or .json file.
    #[arg(long, value_name = "FILE")]
    rules: Option<PathBuf>,
    /// What this run may lose: epsilon. 1 is a common choice, 0.1 is strict.
    #[arg(long, value_name = "E", allow_negative_numbers = true)]
    epsilon: f64,
    /// And delta, far below one over the number of units.
    #[arg(long, value_name = "D", allow_negative_numbers = true)]
    delta: f64,
    /// What all runs on the table may lose; set at its first run [default: the first run's budget].
    #[arg(long, value_name = "E", allow_negative_numbers = true)]
    total_epsilon: Option<f64>,
    /// Part of delta for finding keys that nobody knows [default: half of it where keys are discovered, else none].
    #[arg(long, value_name = "D", allow_negative_numbers = true)]
    threshold_delta: Option<f64>,
    /// The file that keeps what tables have given away.
    #[arg(long, value_name = "FILE", default_value = ".lookalike/budget.jsonl")]
    state: PathBuf,
    /// Show the plan, its cost and the expected errors, and spend nothing.
    #[arg(long)]
    dry_run: bool,
    /// Folder to write to.
    #[arg(short, long, value_name = "DIR", default_value = "outputs/release")]
    output: PathBuf,
    /// Print errors only.
    #[arg(short, long)]
    quiet: bool,
    #[command(flatten)]
    statistics: Statistics,
}

/// Releases.
pub fn run(args: &Args) -> Result<(), Failure> {
    let rules = rules(args)?;
    let plain = Budget::new(args.epsilon, args.delta).map_err(crate::Error::from)?;
    let budget = match args.threshold_delta {
        Some(delta) => plain.with_thresholds(delta).map_err(crate::Error::from)?,
        // Half of delta is set aside only if a first look at the rules says that keys are to be discovered.
        None => {
            let half = plain.with_thresholds(args.delta / 2.0).map_err(crate::Error::from)?;
            let plan = rules.plan(half)?;
            if plan.items.iter().any(|item| item.threshold().is_some()) { half } else { plain }
        }
    };
    let plan = rules.plan(budget)?;
    let total = match args.total_epsilon {
        None => None,
        Some(epsilon) => Some(
            Budget::new(epsilon, args.delta)
                .and_then(|total| total.with_thresholds(budget.threshold_delta))
                .map_err(crate::Error::from)?,
        ),
    };
    if args.dry_run {
        let mut text = figures::plan_text(&plan).map_err(crate::Error::from)?;
        if args.rules.is_none() {
            text.insert_str(0, &format!("# the flags as a file for --rules\n{}\n", rules.text()));
        }
        text.push_str(&left(args, plan.table.as_deref())?);
        return terminal::print(&text);
    }
    if !args.quiet {
        terminal::tell(&figures::plan_text(&plan).map_err(crate::Error::from)?);
    }
    let job = Job {
        data: args.data.clone(),
        budget,
        total,
        state: args.state.clone(),
        output: args.output.clone(),
        options: SourceOptions::default(),
        clock: || jiff::Timestamp::now().to_string(),
    };
    let manifest = release::release(&plan, &job)?;
    if !args.quiet {
        terminal::tell(&summary(&manifest, &args.output));
    }
    Ok(())
}

/// The rules: those of the file, or those that the flags stand for.
fn rules(args: &Args) -> Result<RulesText, Failure> {
    match &args.rules {
        Some(path) => Ok(RulesText::read(path)?),
        None if args.statistics.is_empty() => {
            let failure = Failure::usage("nothing is to be released");
            Err(failure.help("say what, such as `--count --by region`, or name a file with `--rules`"))
        }
        None => Ok(RulesText::yaml("flags", args.statistics.rules()?)),
    }
}

/// What is left of the table's budget, as far as there is one.
fn left(args: &Args, name: Option<&str>) -> Result<String, Failure> {
    if name.is_none() && !args.data.exists() {
        return Err(crate::Error::Request(format!("there is no file {}", args.data.display())).into());
    }
    let table = name.map_or(Table::File(&args.data), Table::Named);
    let account = State::look(&args.state, table).map_err(crate::Error::from)?;
    Ok(match account {
        None => "the table has given away nothing yet; this run would set its budget\n".to_owned(),
        Some(account) => {
            let left = account.left();
            let epsilon = left.epsilon(account.budget.delta).unwrap_or(0.0);
            format!("of the table's {}, {left} is left, which is epsilon {epsilon:.4}\n", account.budget)
        }
    })
}

fn summary(manifest: &release::Manifest, output: &Path) -> String {
    let mut text = String::new();
    let (strong, dim) = (terminal::STRONG, terminal::DIM);
    for released in &manifest.releases {
        let figures = terminal::counted(released.figures.len() as u64, "figure");
        let _ =
            writeln!(text, "{strong}{}{strong:#}  {figures}  {dim}{}{dim:#}", released.name, released.title);
    }
    let privacy = &manifest.privacy;
    let _ = writeln!(
        text,
        "epsilon {:.4} at delta {:e} spent; the table's runs so far: epsilon {:.4} of {}",
        privacy.epsilon, privacy.delta, privacy.table_epsilon, privacy.table_budget.epsilon
    );
    let _ = writeln!(text, "to {strong}{}{strong:#}", output.display());
    text
}
