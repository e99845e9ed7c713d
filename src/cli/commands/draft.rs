//! `lookalike draft`: a model writes a ruleset from a description.

use std::path::{Path, PathBuf};

use lookalike_draft::Task;
use lookalike_ruleset::document::NoFiles;

use crate::cli::args;
use crate::cli::drafting::{self, Compiler, ModelArgs, Parts, Target, read_text};
use crate::cli::failure::Failure;
use crate::io::{SOURCES, SourceOptions};

/// Arguments of `draft`.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  lookalike draft \"orders of a book shop, 5 % of them returned\" -o orders.yaml
  lookalike draft \"like this, for a German bank\" --sample accounts.csv -o accounts.yaml
  lookalike draft \"orders of a book shop\" -o orders.yaml --dry-run

A model on Amazon Bedrock writes the ruleset, never the rows. The compiler checks it, mistakes
go back to the model, and nothing is written that does not compile. Of a sample, statistics are
sent, and no rows unless you say so. Every answer is recorded, so that a second run calls nobody.")]
pub struct Args {
    /// What the data is, in your words.
    #[arg(value_name = "DESCRIPTION")]
    words: String,
    /// File of rows to resemble; the model is told statistics of its columns.
    #[arg(long, value_name = "FILE")]
    sample: Option<PathBuf>,
    /// Send the first rows of the sample, too: 20 unless a number is given.
    #[arg(long, value_name = "N", num_args = 0..=1, require_equals = true, default_missing_value = "20")]
    #[arg(value_parser = args::positive, requires = "sample")]
    send_sample_rows: Option<usize>,
    /// Text files about the data; may be repeated.
    #[arg(long = "from-docs", value_name = "FILE", num_args = 1..)]
    docs: Vec<PathBuf>,
    /// SQL file with CREATE TABLE statements.
    #[arg(long, value_name = "FILE")]
    ddl: Option<PathBuf>,
    /// File to write.
    #[arg(short, long, value_name = "FILE", default_value = "ruleset.yaml")]
    output: PathBuf,
    /// Overwrite the file without a question.
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    model: ModelArgs,
}

/// Rows of the sample that are looked at.
const LOOKED_AT: u64 = 100_000;

/// Drafts.
pub fn run(args: &Args) -> Result<(), Failure> {
    let target = Target { before: before(&args.output)?, path: args.output.clone(), yes: args.yes };
    if args.words.trim().is_empty() {
        return Err(Failure::usage("the description is empty").help("say in a sentence what the data is"));
    }
    let mut parts = Parts::default();
    parts.words("your words", &args.words);
    if let Some(path) = &args.sample {
        sample(path, args.send_sample_rows, &mut parts)?;
    }
    if let Some(path) = &args.ddl {
        parts.material(format!("the schema {}", name(path)), read_text(path)?);
    }
    for path in &args.docs {
        parts.material(format!("the document {}", name(path)), read_text(path)?);
    }
    let session = args.model.session(&args.output)?;
    let task = Task {
        model: session.model().to_owned(),
        system: drafting::system(),
        words: parts.text(),
        tool: Some(drafting::tool()),
    };
    let mut compiler = Compiler { name: args.output.display().to_string(), files: &NoFiles };
    match session.run(&task, &parts, &mut compiler)? {
        Some(outcome) => drafting::finish(outcome, &compiler, &session, &target),
        None => Ok(()),
    }
}

/// What a file to be overwritten holds.
///
/// # Errors
/// When it is no ruleset in YAML, or its folder is missing: better known before a model is paid.
pub fn before(path: &Path) -> Result<Option<String>, Failure> {
    if !path.extension().is_some_and(|extension| extension == "yaml" || extension == "yml") {
        return Err(Failure::usage(format!(
            "`{}` is not written: rulesets are drafted in YAML",
            path.display()
        ))
        .help("give a file that ends in .yaml with `-o`"));
    }
    let folder = path.parent().filter(|folder| *folder != Path::new("")).unwrap_or(Path::new("."));
    if !folder.is_dir() {
        return Err(Failure::usage(format!("there is no folder `{}`", folder.display()))
            .help("make it first, or choose another file with `-o`"));
    }
    if path.exists() { read_text(path).map(Some) } else { Ok(None) }
}

/// A file's name without its folders, which are nobody's business.
fn name(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

fn sample(path: &Path, rows: Option<usize>, parts: &mut Parts) -> Result<(), Failure> {
    let extension = path.extension().map(|extension| extension.to_string_lossy().to_lowercase());
    let kind =
        SOURCES.iter().find(|kind| kind.extensions.iter().any(|known| Some(*known) == extension.as_deref()));
    let Some(kind) = kind else {
        let known: Vec<String> = SOURCES
            .iter()
            .flat_map(|kind| kind.extensions)
            .map(|extension| format!(".{extension}"))
            .collect();
        return Err(Failure::usage(format!("`{}` cannot be read as a sample", path.display()))
            .help(format!("it must end in {}", known.join(", "))));
    };
    let source = (kind.open)(path, &SourceOptions::default())?;
    let frame = source.read(0..source.rows().min(LOOKED_AT))?;
    let fields = &source.schema().fields;
    let label = format!("statistics of the {} columns of {}, no rows", fields.len(), name(path));
    parts.material(label, drafting::describe(fields, &frame)?);
    if let Some(rows) = rows {
        let head = frame.head(Some(rows));
        let mut lines = Vec::new();
        for row in 0..head.height() {
            let mut line = serde_json::Map::new();
            for (field, column) in fields.iter().zip(head.columns()) {
                let cell = column.as_materialized_series().slice(row as i64, 1);
                let text = crate::io::texts(field, &cell)?;
                line.insert(field.name.clone(), text.get(0).map(str::to_owned).into());
            }
            lines.push(serde_json::Value::from(line).to_string());
        }
        parts.material(format!("the first {} rows of {}", lines.len(), name(path)), lines.join("\n"));
    }
    Ok(())
}
