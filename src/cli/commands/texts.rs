//! `lookalike texts`: a model is asked for the texts that a ruleset's rows lack.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::io::IsTerminal as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use lookalike_draft::{Batch, Cause, Message, Prices, Recorder, Request, Sum, Usage};
use lookalike_engine::wanted::{Ask, Wanted};
use lookalike_io::files::DiskFiles;
use lookalike_ruleset::Problems;
use lookalike_ruleset::texts::{Address, Kept, TextsDecl};

use super::generate::stop_after;
use crate::Ruleset;
use crate::cli::args::{self, RulesetArgs};
use crate::cli::drafting::{Keeper, ServiceArgs, failure, prices, printable, set_up};
use crate::cli::exit;
use crate::cli::failure::Failure;
use crate::cli::terminal::{self, DIM, STRONG, counted, grouped};
use crate::texts::Checks;

/// Arguments of `texts`.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  lookalike texts answers.yaml --dry-run
  lookalike texts answers.yaml --max-calls 200 --concurrency 8
  lookalike texts answers.yaml --provider openai --endpoint-url http://localhost:11434/v1

Columns of the kind `llm_text` take their texts from a file beside the ruleset, which this command
fills. Equal prompts are asked once, and never again once they are answered: a run that was stopped
goes on where it was. `lookalike generate` calls nobody.")]
pub struct Args {
    #[command(flatten)]
    ruleset: RulesetArgs,
    /// Rows of every table, such as 10k, or of one; may be repeated.
    #[arg(long, value_name = "[TABLE=]N", value_parser = args::rows, allow_negative_numbers = true, help_heading = "Rows")]
    rows: Vec<(Option<String>, u64)>,
    /// Only the texts of this table; may be repeated.
    #[arg(long = "table", value_name = "TABLE", help_heading = "Rows")]
    tables: Vec<String>,
    /// Another seed than the ruleset's.
    #[arg(long, value_name = "S", value_parser = args::whole, allow_negative_numbers = true, help_heading = "Rows")]
    seed: Option<u64>,
    #[command(flatten)]
    service: ServiceArgs,
    /// Profile of the AWS configuration.
    #[arg(long, value_name = "NAME", help_heading = "Model")]
    aws_profile: Option<String>,
    /// Calls at most, those for better answers among them.
    #[arg(long, value_name = "N", default_value = "1000", value_parser = args::positive, help_heading = "Model")]
    max_calls: usize,
    /// How many calls are out at a time.
    #[arg(long, value_name = "N", default_value = "4", value_parser = args::positive, help_heading = "Model")]
    concurrency: usize,
    /// How often a text is asked for at most, until it is as the ruleset wants it.
    #[arg(long, value_name = "N", default_value = "3", value_parser = args::positive, help_heading = "Model")]
    tries: usize,
    /// JSON file with prices, for an estimate of the cost; none come with the program.
    #[arg(long, value_name = "FILE", help_heading = "Model")]
    prices: Option<PathBuf>,
    /// Call nobody: only look whether a text is missing.
    #[arg(long, help_heading = "Model")]
    offline: bool,
    /// Say how many calls and tokens it would take, and show a prompt; send nothing, write nothing.
    #[arg(long, help_heading = "Model")]
    dry_run: bool,
}

/// More requests at a time than this only wait for each other.
const MOST_AT_A_TIME: usize = 64;
/// Texts that could not be had, listed at most.
const MOST_LISTED: usize = 10;

/// Asks.
pub fn run(args: &Args) -> Result<(), Failure> {
    if args.concurrency > MOST_AT_A_TIME {
        return Err(Failure::usage(format!("at most {MOST_AT_A_TIME} calls can be out at a time")));
    }
    if args.dry_run {
        return args.estimate();
    }
    if !args.offline {
        args.service.check()?;
    }
    let (ruleset, mut asks) = args.look(Wanted::new())?;
    if args.offline {
        return match asks.first() {
            None => complete(&ruleset),
            Some(first) => Err(Failure::new(exit::SERVICE, format!("offline, and {} missing", counted_texts(asks.len())))
                .help(format!("the first is wanted by row {}: {}", first.row, short(&first.prompt)))
                .help("run once without `--offline`, where a model can be reached, and keep the file with the ruleset")),
        };
    }
    if asks.is_empty() {
        return complete(&ruleset);
    }
    // What a run that was killed has left is taken in before anybody is asked.
    args.keepers(&ruleset)?.into_values().try_for_each(Keeper::finish)?;
    let mut run = Run {
        args,
        recorder: Recorder::new("", Some(args.service.connect(args.aws_profile.as_deref()))),
        stop: stop_after(
            "calls that are out",
            "what came in is in a file that ends in .part, and is not lost",
        ),
        calls: 0,
        kept: 0,
        usage: Usage::default(),
        unusable: BTreeMap::new(),
    };
    // Texts whose prompts have texts in them come up once those are there.
    loop {
        let (ruleset, missing) = args.look(Wanted::new())?;
        asks = missing.into_iter().filter(|ask| !run.unusable.contains_key(&ask.address)).collect();
        if asks.is_empty() {
            return run.finish(&ruleset);
        }
        run.round(&ruleset, &asks)?;
    }
}

impl Args {
    /// The ruleset, and what its rows lack.
    fn look(&self, wanted: Wanted) -> Result<(Ruleset, Vec<Ask>), Failure> {
        let wanted = Arc::new(wanted);
        let mut loader = self.ruleset.loader().wanted(wanted.clone());
        if let Some(seed) = self.seed {
            loader = loader.seed(seed);
        }
        for (table, rows) in &self.rows {
            loader = match table {
                None => loader.rows(*rows),
                Some(table) => loader.table_rows(table, *rows),
            };
        }
        let ruleset = loader.path(&self.ruleset.path)?;
        if ruleset.texts().is_empty() {
            return Err(Failure::usage(format!(
                "`{}` has no `texts` to ask for",
                self.ruleset.path.display()
            ))
            .help("`lookalike explain llm_text` shows how a column gets its text from a model"));
        }
        for table in &self.tables {
            ruleset.table(table)?;
        }
        for table in ruleset
            .tables()
            .filter(|table| self.tables.is_empty() || self.tables.iter().any(|t| t == table.name()))
        {
            table.walk()?;
        }
        Ok((ruleset, wanted.asks()))
    }

    /// The model to ask for texts.
    fn model<'a>(&'a self, decl: &'a TextsDecl) -> &'a str {
        self.service.model().unwrap_or(&decl.model)
    }

    fn request(&self, decl: &TextsDecl, prompt: &str) -> Request {
        Request {
            model: self.model(decl).to_owned(),
            system: decl.system.clone(),
            messages: vec![Message::User { text: prompt.to_owned(), answers: None }],
            tool: None,
            max_tokens: u32::try_from(decl.max_tokens.0).unwrap_or(u32::MAX),
            temperature: decl.temperature.map(|temperature| temperature.0),
        }
    }

    /// What keeps the texts, by their name.
    fn keepers(&self, ruleset: &Ruleset) -> Result<BTreeMap<String, Keeper>, Failure> {
        let files = DiskFiles::for_ruleset(&self.ruleset.path, &self.ruleset.allow_paths);
        let from = self.ruleset.path.display().to_string();
        let mut keepers = BTreeMap::new();
        for texts in ruleset.texts() {
            let place = files.place(&from, &texts.decl.file.value);
            let path =
                place.map_err(|problem| Failure::new(exit::OUTPUT, problem.message).help(problem.help))?;
            keepers.insert(texts.name.clone(), Keeper::open(texts, path)?);
        }
        Ok(keepers)
    }

    /// Says what it would take.
    fn estimate(&self) -> Result<(), Failure> {
        // Prompts that have texts in them can be counted before those are there, unless something depends on the texts.
        let (is_whole, (ruleset, asks)) = match self.look(Wanted::counting()) {
            Ok(found) => (true, found),
            Err(_) => (false, self.look(Wanted::new())?),
        };
        if asks.is_empty() {
            return complete(&ruleset);
        }
        let now = self.look(Wanted::new())?.1;
        for texts in ruleset.texts() {
            let Some(first) = now.iter().find(|ask| ask.texts == texts.name) else { continue };
            if !texts.decl.system.is_empty() {
                terminal::print(&format!(
                    "{STRONG}{}, the rules{STRONG:#}\n\n{}\n\n",
                    texts.name,
                    printable(&texts.decl.system)
                ))?;
            }
            terminal::print(&format!(
                "{STRONG}{}, the first prompt{STRONG:#}\n\n{}\n\n",
                texts.name,
                printable(&first.prompt)
            ))?;
        }
        terminal::tell(&format!(
            "Nothing was sent. It would be{}:\n",
            if is_whole { "" } else { ", and what hangs on these texts" }
        ));
        terminal::tell(&self.list(&ruleset, &asks)?);
        Ok(())
    }

    /// Texts, tokens and cost, a line for each file of texts.
    fn list(&self, ruleset: &Ruleset, asks: &[Ask]) -> Result<String, Failure> {
        let mut lines = String::new();
        for texts in ruleset.texts() {
            let asks: Vec<&Ask> = asks.iter().filter(|ask| ask.texts == texts.name).collect();
            if asks.is_empty() {
                continue;
            }
            let input_tokens = asks.iter().map(|ask| self.request(&texts.decl, &ask.prompt).tokens()).sum();
            let usage = Usage { input_tokens, output_tokens: asks.len() as u64 * texts.decl.max_tokens.0 };
            let model = self.model(&texts.decl);
            let _ = writeln!(
                lines,
                "  {STRONG}{}{STRONG:#}  {} to {}: about {} tokens, and at most {} of answers{}",
                texts.name,
                counted(asks.len() as u64, "call"),
                printable(model),
                grouped(usage.input_tokens),
                grouped(usage.output_tokens),
                cost(prices(self.prices.as_deref(), model)?.as_ref(), model, usage)?
            );
        }
        let more = (asks.len() as u64 * (self.tries as u64 - 1), self.max_calls as u64);
        let _ = writeln!(
            lines,
            "{DIM}  {} in all, up to {} more if answers are no good, and no more than --max-calls {} in a run{DIM:#}",
            counted(asks.len() as u64, "call"),
            grouped(more.0),
            grouped(more.1)
        );
        Ok(lines)
    }
}

fn cost(prices: Option<&Prices>, model: &str, usage: Usage) -> Result<String, Failure> {
    let Some(prices) = prices else { return Ok(String::new()) };
    let cost = prices.of(model).map_err(failure)?.cost(usage);
    Ok(printable(&format!("; at most {cost:.2} {} by the prices of {}", prices.currency, prices.source)))
}

/// The beginning of a prompt, on one line.
fn short(prompt: &str) -> String {
    let line: String = prompt.chars().take(100).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if line.len() < prompt.len() { line + "…" } else { line }
}

fn counted_texts(count: usize) -> String {
    format!("{} {}", counted(count as u64, "text"), if count == 1 { "is" } else { "are" })
}

fn complete(ruleset: &Ruleset) -> Result<(), Failure> {
    let kept: usize = ruleset.texts().iter().map(|texts| texts.kept.len()).sum();
    terminal::tell(&format!("no text is missing; {} kept\n", counted_texts(kept)));
    Ok(())
}

/// A run that asks.
struct Run<'a> {
    args: &'a Args,
    /// Only connects: the texts' own files are the recordings.
    recorder: Recorder,
    stop: Arc<AtomicBool>,
    calls: u64,
    kept: u64,
    usage: Usage,
    /// Texts that could not be had, with the reason.
    unusable: BTreeMap<Address, (Ask, String)>,
}

impl Run<'_> {
    /// Asks for texts whose prompts are known.
    fn round(&mut self, ruleset: &Ruleset, asks: &[Ask]) -> Result<(), Failure> {
        let list = self.args.list(ruleset, asks)?;
        let provider = match self.recorder.provider() {
            Ok(provider) => provider,
            Err(error) if error.cause == Cause::Setup => {
                let models: BTreeSet<&str> =
                    ruleset.texts().iter().map(|texts| self.args.model(&texts.decl)).collect();
                let models = models.into_iter().collect::<Vec<_>>().join(", ");
                let then = "`--dry-run` shows a prompt of each. Answers are kept beside the ruleset.";
                return Err(set_up(self.args.service.who(), &error, &models, &list, then));
            }
            Err(error) => return Err(failure(error)),
        };
        terminal::tell(&format!("asking in {}\n{list}", printable(&provider.place())));
        let mut keepers = self.args.keepers(ruleset)?;
        let asked = Asked::new(self.args, ruleset, asks)?;
        let batch = Batch {
            provider,
            calls: (self.args.max_calls as u64).saturating_sub(self.calls),
            at_a_time: self.args.concurrency,
            tries: u32::try_from(self.args.tries).unwrap_or(u32::MAX),
        };
        let progress = Progress::new(asks.len() as u64);
        let (unusable, kept) = (&mut self.unusable, &mut self.kept);
        let result = batch.run(&asked.requests, &|at, text| asked.accept(at, text), &self.stop, |told| {
            let ask = &asks[told.at];
            match told.text {
                Ok(text) => {
                    let by = format!("{} {}", provider.name(), asked.requests[told.at].model);
                    let keeper =
                        keepers.get_mut(&ask.texts).ok_or_else(|| Failure::bug("texts without a file"))?;
                    keeper.keep(ask.address, Kept { text, by })?;
                    *kept += 1;
                }
                Err(why) => {
                    unusable.insert(ask.address, (ask.clone(), why));
                }
            }
            progress.advance();
            Ok::<(), Failure>(())
        });
        drop(progress);
        // What came in is kept, however it ended.
        keepers.into_values().try_for_each(Keeper::finish)?;
        let Sum { calls, usage, left, ended } = result?;
        self.calls += calls;
        self.usage += usage;
        if left == 0 {
            return Ok(());
        }
        terminal::tell(&self.said());
        match ended {
            Some(error) => Err(failure(error).help(format!("{} still missing", counted_texts(left)))),
            None if self.stop.load(Ordering::Relaxed) => Err(Failure::new(
                exit::INTERRUPTED,
                format!("stopped; {} still missing", counted_texts(left)),
            )
            .help("the same command goes on from here")),
            None => Err(Failure::bug("requests were left without a reason")),
        }
    }

    fn said(&self) -> String {
        format!(
            "{} kept after {}, {} tokens asked, {} answered\n",
            counted_texts(self.kept as usize),
            counted(self.calls, "call"),
            grouped(self.usage.input_tokens),
            grouped(self.usage.output_tokens)
        )
    }

    /// What came of it.
    fn finish(&self, ruleset: &Ruleset) -> Result<(), Failure> {
        if self.calls > 0 {
            terminal::tell(&self.said());
        }
        if self.unusable.is_empty() {
            return complete(ruleset);
        }
        let mut failure =
            Failure::new(exit::SERVICE, format!("{} not to be had", counted_texts(self.unusable.len())));
        for (ask, why) in self.unusable.values().take(MOST_LISTED) {
            failure = failure.help(format!(
                "row {} of `{}`: {why}; asked: {}",
                ask.row,
                ask.texts,
                short(&ask.prompt)
            ));
        }
        Err(failure.help("run again to ask anew, change the prompt or what the text must be, or give the column a `fallback`"))
    }
}

/// What is asked, and what the answers must be.
struct Asked {
    requests: Vec<Request>,
    /// For each request the place of its checks.
    which: Vec<usize>,
    checks: Vec<Checks>,
}

impl Asked {
    fn new(args: &Args, ruleset: &Ruleset, asks: &[Ask]) -> Result<Asked, Failure> {
        let sound = || Failure::bug("the checks of texts were sound before");
        let mut asked = Asked { requests: Vec::new(), which: Vec::new(), checks: Vec::new() };
        for texts in ruleset.texts() {
            asked.checks.push(Checks::new(&texts.decl, &mut Problems::new()).ok_or_else(sound)?);
        }
        for ask in asks {
            let which = ruleset.texts().iter().position(|texts| texts.name == ask.texts).ok_or_else(sound)?;
            asked.requests.push(args.request(&ruleset.texts()[which].decl, &ask.prompt));
            asked.which.push(which);
        }
        Ok(asked)
    }

    fn accept(&self, at: usize, text: &str) -> Result<String, String> {
        self.checks[self.which[at]].accept(text)
    }
}

/// How many texts are there: a bar on a terminal, a line now and then elsewhere.
struct Progress {
    bar: Option<ProgressBar>,
    of: u64,
    done: std::cell::Cell<(u64, Instant)>,
}

impl Progress {
    /// Time between two lines.
    const LAP: Duration = Duration::from_secs(10);

    fn new(of: u64) -> Progress {
        let bar = std::io::stderr().is_terminal().then(|| {
            let style = ProgressStyle::with_template("{bar:30} {human_pos} of {human_len} texts, {eta} left");
            let bar = ProgressBar::with_draw_target(Some(of), ProgressDrawTarget::stderr());
            bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()).progress_chars("━╸─"))
        });
        Progress { bar, of, done: std::cell::Cell::new((0, Instant::now())) }
    }

    fn advance(&self) {
        let (done, told) = self.done.get();
        let is_due = self.bar.is_none() && told.elapsed() >= Self::LAP;
        self.done.set((done + 1, if is_due { Instant::now() } else { told }));
        if let Some(bar) = &self.bar {
            bar.inc(1);
        } else if is_due {
            terminal::tell(&format!("{} of {} texts\n", grouped(done + 1), grouped(self.of)));
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
