//! `lookalike refine`: a model changes a ruleset as told.

use std::path::PathBuf;

use lookalike_draft::Task;
use lookalike_io::files::DiskFiles;

use super::draft::before;
use crate::cli::drafting::{self, Compiler, ModelArgs, OnlyKnown, Parts, Target};
use crate::cli::failure::Failure;

/// Arguments of `refine`.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  lookalike refine orders.yaml \"add a column with the currency; returns are rarer in winter\"
  lookalike refine orders.yaml \"mend what `lookalike check` says\" -o mended.yaml

The model sees the ruleset and what the compiler says of it, no data and no other file. You see
what changes, and rows, before anything is overwritten.")]
pub struct Args {
    /// Ruleset: a .yaml file.
    #[arg(value_name = "RULESET")]
    path: PathBuf,
    /// What to change, in your words.
    #[arg(value_name = "CHANGE")]
    words: String,
    /// File to write, instead of the ruleset itself.
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Overwrite the file without a question.
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    model: ModelArgs,
}

/// Refines.
pub fn run(args: &Args) -> Result<(), Failure> {
    let Some(text) = before(&args.path)? else {
        return Err(Failure::usage(format!("`{}` cannot be read: no such file", args.path.display()))
            .help("`lookalike draft` writes a new one"));
    };
    if args.words.trim().is_empty() {
        return Err(Failure::usage("nothing is to be changed").help("say in a sentence what is to change"));
    }
    let path = args.output.clone().unwrap_or_else(|| args.path.clone());
    if path.parent() != args.path.parent() {
        return Err(Failure::usage(format!("`{}` lies in another folder than the ruleset", path.display()))
            .help("files that a ruleset names are found from its own folder; write beside it, and move it later"));
    }
    let target = Target { before: before(&path)?, path, yes: args.yes };
    let disk = DiskFiles::for_ruleset(&args.path, &[]);
    let files = OnlyKnown::learning(&disk);
    let name = args.path.display().to_string();
    let state = Compiler { name: name.clone(), files: &files }.trial(&text).err();
    let files = files.closed();
    let mut parts = Parts::default();
    parts.words("what to change", format!("Change the ruleset below: {}", args.words));
    parts.words(
        "how to answer",
        "Answer with the whole ruleset in one ```yaml block and nothing else. Keep what need not change as it is, comments, \
         order, `include` and `lookups` too, but name no further files.",
    );
    parts.material("the ruleset", text);
    if let Some(verdict) = state {
        parts.material("what the compiler says of it now", verdict.report);
    }
    let session = args.model.session(&target.path)?;
    let task = Task {
        model: session.model().to_owned(),
        system: drafting::system(),
        words: parts.text(),
        tool: None,
    };
    let mut compiler = Compiler { name, files: &files };
    match session.run(&task, &parts, &mut compiler)? {
        Some(outcome) => drafting::finish(outcome, &compiler, &session, &target),
        None => Ok(()),
    }
}
