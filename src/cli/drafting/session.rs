//! Which model is asked, and how: the arguments that all commands with a model share.

use std::fmt::Write as _;
use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::ValueEnum;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use lookalike_draft::providers::{Bedrock, OpenAi, bedrock, openai};
use lookalike_draft::{
    Cause, Connect, Dialogue, Error, Event, Judge, Limits, Outcome, Prices, Provider, Recorder, Task, Usage,
};

use super::parts::{Parts, read_text};
use crate::cli::failure::Failure;
use crate::cli::terminal::{self, DIM, ERROR, STRONG, counted, grouped};
use crate::cli::{args, exit};

/// The model that Bedrock is asked for unless told otherwise: an inference profile that all commercial regions know.
const DEFAULT_MODEL: &str = "global.anthropic.claude-sonnet-4-5-20250929-v1:0";

/// Who is asked. (Comments on the values would turn the compact help into pages.)
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Who {
    Bedrock,
    Openai,
}

/// Where the model is.
#[derive(clap::Args)]
#[command(next_help_heading = "Model")]
pub struct ServiceArgs {
    /// Who is asked: Amazon Bedrock, or an endpoint that speaks as OpenAI's, such as Ollama on this machine.
    #[arg(long, value_enum, value_name = "NAME", default_value = "bedrock")]
    provider: Who,
    /// Id of the model or inference profile [default for Bedrock: global.anthropic.claude-sonnet-4-5-20250929-v1:0].
    #[arg(long, value_name = "ID")]
    model: Option<String>,
    /// AWS region [default: that of the environment or profile].
    #[arg(long, value_name = "REGION")]
    region: Option<String>,
    /// Another address; for `openai` such as http://localhost:11434/v1.
    #[arg(long, value_name = "URL")]
    endpoint_url: Option<String>,
    /// Variable of the environment with the API key, for `openai`.
    #[arg(long, value_name = "NAME", default_value = "OPENAI_API_KEY")]
    api_key_env: String,
    /// Seconds that one answer may take, retries included.
    #[arg(long, value_name = "SECONDS", default_value = "300", value_parser = args::positive)]
    timeout: usize,
}

/// Which model, and how far it may go.
#[derive(clap::Args)]
#[command(next_help_heading = "Model")]
pub struct ModelArgs {
    #[command(flatten)]
    service: ServiceArgs,
    /// Profile of the AWS configuration.
    #[arg(long, value_name = "NAME")]
    profile: Option<String>,
    /// Tokens of all requests and answers together, at most.
    #[arg(long, value_name = "N", default_value = "500k", value_parser = args::positive)]
    max_tokens: usize,
    /// How often the model is asked at most.
    #[arg(long, value_name = "N", default_value = "4", value_parser = args::positive)]
    max_rounds: usize,
    /// JSON file with prices, for an estimate of the cost; none come with the program.
    #[arg(long, value_name = "FILE")]
    prices: Option<PathBuf>,
    /// Folder with the recordings [default: .lookalike/PROVIDER beside the ruleset].
    #[arg(long, value_name = "DIR")]
    recordings: Option<PathBuf>,
    /// Call nobody: use the recordings, and fail where one is missing.
    #[arg(long)]
    offline: bool,
    /// Ask even where an answer is recorded, and replace it.
    #[arg(long, conflicts_with = "offline")]
    anew: bool,
    /// Show what would be sent, and about how many tokens it has; send nothing, write nothing.
    #[arg(long)]
    dry_run: bool,
}

/// Tokens of one answer at most: a long ruleset with room to spare.
const ANSWER_TOKENS: u32 = 16_384;

/// A model that can be asked.
pub struct Session {
    recorder: Recorder,
    model: String,
    limits: Limits,
    prices: Option<Prices>,
    who: Who,
    offline: bool,
    anew: bool,
    dry_run: bool,
}

impl ModelArgs {
    /// Gets ready, with recordings beside `ruleset` unless told otherwise; connects nowhere yet.
    ///
    /// # Errors
    /// When arguments are missing or do not go together.
    pub fn session(&self, ruleset: &Path) -> Result<Session, Failure> {
        let service = &self.service;
        let model = match (&service.model, service.provider) {
            (Some(model), _) if model.trim().is_empty() => {
                return Err(Failure::usage("`--model` names no model"));
            }
            (Some(model), _) => model.clone(),
            (None, Who::Bedrock) => DEFAULT_MODEL.to_owned(),
            (None, Who::Openai) => {
                return Err(Failure::usage("`--provider openai` needs `--model NAME`")
                    .help("for Ollama: `ollama list` names the models that are there"));
            }
        };
        if !self.offline {
            service.check()?;
        }
        let folder =
            ruleset.parent().unwrap_or(Path::new("")).join(".lookalike").join(service.provider.name());
        let folder = self.recordings.clone().unwrap_or(folder);
        let connect = if self.offline { None } else { Some(service.connect(self.profile.as_deref())) };
        let prices = prices(self.prices.as_deref(), &model)?;
        let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        let limits = Limits {
            rounds: count(self.max_rounds),
            tokens: self.max_tokens as u64,
            answer_tokens: ANSWER_TOKENS.min(count(self.max_tokens)),
        };
        let recorder = Recorder::new(folder, connect).anew(self.anew);
        let (who, offline, anew, dry_run) = (service.provider, self.offline, self.anew, self.dry_run);
        Ok(Session { recorder, model, limits, prices, who, offline, anew, dry_run })
    }
}

impl Who {
    /// What it is called in recordings, and in the names of their folders.
    pub fn name(self) -> &'static str {
        match self {
            Who::Bedrock => "bedrock",
            Who::Openai => "openai",
        }
    }
}

/// The prices in a file, which must name the model.
///
/// # Errors
/// When the file cannot be used, or does not.
pub fn prices(path: Option<&Path>, model: &str) -> Result<Option<Prices>, Failure> {
    let text = path.map(read_text).transpose()?;
    let prices = text.as_deref().map(Prices::from_json).transpose().map_err(failure)?;
    if let Some(prices) = &prices {
        prices.of(model).map_err(failure)?;
    }
    Ok(prices)
}

impl ServiceArgs {
    /// Who is asked.
    pub fn who(&self) -> Who {
        self.provider
    }

    /// The model to ask for in the place of another one.
    pub fn model(&self) -> Option<&str> {
        self.model.as_deref()
    }

    /// Refuses arguments that do not go together.
    ///
    /// # Errors
    /// When an address is missing.
    pub fn check(&self) -> Result<(), Failure> {
        if self.provider == Who::Openai && self.endpoint_url.is_none() {
            return Err(Failure::usage("`--provider openai` needs `--endpoint-url URL`")
                .help("for Ollama: `--endpoint-url http://localhost:11434/v1`"));
        }
        Ok(())
    }

    /// What makes the connection, once it is needed; `profile` is one of the AWS configuration.
    pub fn connect(&self, profile: Option<&str>) -> Connect {
        let timeout = Duration::from_secs(self.timeout as u64);
        match self.provider {
            Who::Bedrock => {
                let options = bedrock::Options {
                    region: self.region.clone(),
                    profile: profile.map(str::to_owned),
                    endpoint: self.endpoint_url.clone(),
                    timeout,
                    ..bedrock::Options::default()
                };
                Box::new(move || Ok(Box::new(Bedrock::connect(&options)?) as Box<dyn Provider>))
            }
            Who::Openai => {
                let key = std::env::var(&self.api_key_env).ok().filter(|key| !key.is_empty());
                let options = openai::Options {
                    endpoint: self.endpoint_url.clone().unwrap_or_default(),
                    key,
                    timeout,
                    attempts: 5,
                    backoff: Duration::from_secs(1),
                };
                Box::new(move || Ok(Box::new(OpenAi::connect(options.clone())?) as Box<dyn Provider>))
            }
        }
    }
}

impl Session {
    /// The model's id.
    pub fn model(&self) -> &str {
        &self.model
    }

    /// Where the recordings are.
    pub fn recordings(&self) -> &Path {
        self.recorder.folder()
    }

    /// Asks until `judge` is content. `None` for a dry run, which only shows what would be sent.
    ///
    /// # Errors
    /// When not even a first answer can be had; the user is told how to set up a model if there is none.
    pub fn run(&self, task: &Task, parts: &Parts, judge: &mut dyn Judge) -> Result<Option<Outcome>, Failure> {
        let dialogue = Dialogue { task, limits: self.limits, recorder: &self.recorder };
        if self.dry_run {
            terminal::print(&format!(
                "{STRONG}To the model, as its rules{STRONG:#}\n\n{}\n{STRONG}To the model, as your words{STRONG:#}\n\n{}\n",
                printable(&task.system),
                printable(&task.words)
            ))?;
            terminal::tell(&format!("Nothing was sent. It would be, to the model {}:\n", self.model));
            terminal::tell(&self.list(task, parts));
            terminal::tell(&self.estimate(&dialogue)?);
            return Ok(None);
        }
        let is_recorded = !self.anew && self.recorder.find(&dialogue.opening()).map_err(failure)?.is_some();
        if !self.offline && !is_recorded {
            match self.recorder.provider() {
                Ok(provider) => {
                    terminal::tell(&format!(
                        "asking {} in {}\n",
                        printable(&self.model),
                        printable(&provider.place())
                    ));
                    terminal::tell(&self.estimate(&dialogue)?);
                }
                Err(error) if error.cause == Cause::Setup => return Err(self.set_up(&error, task, parts)),
                Err(error) => return Err(failure(error)),
            }
        }
        let mut watch = Watch::new(self.limits.rounds);
        dialogue.run(judge, &mut |event| watch.event(&event)).map(Some).map_err(failure)
    }

    fn list(&self, task: &Task, parts: &Parts) -> String {
        let guide = ("the rules, and the guide to the language", lookalike_draft::tokens(&task.system));
        let schema = task.tool.as_ref().map(|tool| {
            ("the JSON Schema of the language", lookalike_draft::tokens(&tool.schema.to_string()))
        });
        let before: Vec<_> = std::iter::once(guide).chain(schema).collect();
        parts.list(&before)
    }

    /// What it may take, and cost.
    fn estimate(&self, dialogue: &Dialogue<'_>) -> Result<String, Failure> {
        let (least, most) = dialogue.estimate();
        let cost = match &self.prices {
            None => String::new(),
            Some(prices) => {
                let price = prices.of(&self.model).map_err(failure)?;
                let (least, most) = (price.cost(least), price.cost(most));
                format!("; {least:.2} to {most:.2} {} by the prices of {}", prices.currency, prices.source)
            }
        };
        let tokens = |usage: Usage| grouped(usage.total());
        Ok(printable(&format!(
            "about {} tokens if the first answer is good, at most {} in {}{cost}\n",
            tokens(least),
            tokens(most),
            counted(u64::from(self.limits.rounds), "round"),
        )))
    }

    /// What to set up, and what will be sent then: one screen.
    fn set_up(&self, error: &Error, task: &Task, parts: &Parts) -> Failure {
        let then = format!(
            "`--dry-run` prints every word of it. Answers are kept in {}.",
            self.recordings().display()
        );
        set_up(self.who, error, &self.model, &self.list(task, parts), &then)
    }
}

/// What to set up, and what will be sent then, to which model: one screen. `list` names the parts, and `then` says what
/// becomes of the answers.
pub fn set_up(who: Who, error: &Error, model: &str, list: &str, then: &str) -> Failure {
    let mut text = format!("{ERROR}error:{ERROR:#} {}\n\n", printable(&error.message));
    let heading = |text: &mut String, words: &str| {
        let _ = writeln!(text, "{STRONG}{words}{STRONG:#}");
    };
    match who {
        Who::Openai => {
            error.help.iter().for_each(|line| {
                let _ = writeln!(text, "  {line}");
            });
        }
        Who::Bedrock => {
            heading(&mut text, "To set up Amazon Bedrock");
            for (what, how) in [
                ("credentials", "aws configure sso, then aws sso login; or aws configure;"),
                ("", "or AWS_BEARER_TOKEN_BEDROCK with an API key of Bedrock"),
                ("region", "--region us-east-1, or AWS_REGION, or the region of a profile (AWS_PROFILE)"),
                ("permission", "bedrock:InvokeModel and bedrock:InvokeModelWithResponseStream on the model"),
                (
                    "model",
                    "--model ID; some must be enabled first in the Bedrock console, under Model access",
                ),
            ] {
                let _ = writeln!(text, "  {what:12} {how}");
            }
            heading(&mut text, "\nOr a model of your own");
            text.push_str("  --provider openai --endpoint-url http://localhost:11434/v1 --model NAME\n");
        }
    }
    heading(&mut text, &format!("\nWhat will be sent, to the model {} and to nobody else", printable(model)));
    text.push_str(list);
    let _ = writeln!(text, "{DIM}  {then}{DIM:#}");
    terminal::tell(&text);
    Failure::told(exit::USAGE)
}

/// An error of a model as the end of a command.
pub fn failure(error: Error) -> Failure {
    let code = match error.cause {
        Cause::Setup | Cause::Budget => exit::USAGE,
        Cause::File => exit::OUTPUT,
        _ => exit::SERVICE,
    };
    error.help.iter().fold(Failure::new(code, &error.message), Failure::help)
}

/// `text` without characters that could steer a terminal.
pub fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() && c != '\n' { '�' } else { c }).collect()
}

/// Shows how a dialogue gets on: a spinner on a terminal, lines elsewhere.
struct Watch {
    rounds: u32,
    spinner: Option<ProgressBar>,
    round: u32,
}

impl Watch {
    fn new(rounds: u32) -> Watch {
        let spinner = std::io::stderr().is_terminal().then(|| {
            let style = ProgressStyle::with_template("{spinner} {msg} {elapsed}");
            let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
            bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()))
        });
        Watch { rounds, spinner, round: 0 }
    }

    fn event(&mut self, event: &Event<'_>) {
        match event {
            Event::Asked { round, tokens } => {
                self.round = *round;
                let text =
                    format!("round {round} of {}: about {} tokens sent", self.rounds, grouped(*tokens));
                if let Some(spinner) = &self.spinner {
                    spinner.set_message(text);
                    spinner.enable_steady_tick(Duration::from_millis(120));
                }
            }
            Event::Heard(bytes) => {
                if let Some(spinner) = &self.spinner {
                    let size = terminal::size(*bytes as u64);
                    spinner.set_message(format!("round {} of {}: {size} heard", self.round, self.rounds));
                }
            }
            Event::Answered { usage, is_replay } => {
                let from = if *is_replay { "recorded answer" } else { "answer" };
                let (asked, said) = (grouped(usage.input_tokens), grouped(usage.output_tokens));
                self.line(&format!("round {}: {from}, {asked} tokens asked, {said} answered", self.round));
            }
            Event::Judged(verdict) if verdict.errors == 0 => {
                self.line(&format!("round {}: it compiles", self.round))
            }
            Event::Judged(verdict) => {
                let errors = counted(verdict.errors as u64, "mistake");
                let more = if self.round < self.rounds { "; the model is told" } else { "" };
                self.line(&format!("round {}: {errors}{more}", self.round));
            }
        }
    }

    fn line(&self, text: &str) {
        match &self.spinner {
            Some(spinner) => spinner.suspend(|| terminal::tell(&format!("{text}\n"))),
            None => terminal::tell(&format!("{text}\n")),
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        if let Some(spinner) = &self.spinner {
            spinner.finish_and_clear();
        }
    }
}
