//! Noisy statistics of a private table: rules and a file in; figures, charts, ledger and a statement out.
//!
//! ```no_run
//! use lookalike::privacy::Budget;
//! use lookalike::release;
//!
//! let budget = Budget::new(2.0, 1e-6)?;
//! let plan = release::RulesText::read("release.yaml".as_ref())?.plan(budget)?;
//! println!("{:?}", plan.cost()?);
//! let job = release::Job {
//!     data: "volumes.csv".into(),
//!     budget,
//!     total: None,
//!     state: ".lookalike/budget.jsonl".into(),
//!     output: "outputs/release".into(),
//!     options: Default::default(),
//!     clock: || "2026-01-01T00:00:00Z".to_owned(),
//! };
//! release::release(&plan, &job)?;
//! # Ok::<(), lookalike::Error>(())
//! ```
//!
//! `examples/release.rs` runs it. Single mechanisms, without files, are in [`Session`].

use std::path::{Path, PathBuf};

use lookalike_io::files::read_file;
use lookalike_io::{Output, Pending, Source, SourceOptions, texts};
use lookalike_privacy::release::{self, Columns, NULL, Plan, Released, Rules};
use lookalike_privacy::{Budget, Opening, Session, Statement, Table};
use lookalike_ruleset::decode::Decode;
use lookalike_ruleset::read::{Format, read, text_of};
use lookalike_ruleset::{Diagnostic, Problems, Sources};
use lookalike_validate::charts::{Chart, Estimate, Estimates};
use serde::Serialize;

use crate::{Error, Refusal};

/// What to release, and where to.
#[derive(Clone, Debug)]
pub struct Job {
    /// The private table: a CSV, JSON lines, Parquet or Arrow file.
    pub data: PathBuf,
    /// What the run may spend.
    pub budget: Budget,
    /// What the table may give away over all runs; agreed at its first run.
    pub total: Option<Budget>,
    /// The budget file.
    pub state: PathBuf,
    /// Folder for the output, which is made if need be.
    pub output: PathBuf,
    /// How the file is read.
    pub options: SourceOptions,
    /// The time, for the ledger.
    pub clock: fn() -> String,
}

/// What a release made: `manifest.json` beside the figures.
#[derive(Clone, Debug, Serialize)]
pub struct Manifest {
    /// Version of the program.
    pub lookalike: &'static str,
    /// Version of this file's form.
    pub manifest: u32,
    /// What the run promises.
    pub privacy: Statement,
    /// The same in words, as Markdown.
    pub statement: String,
    /// The releases.
    pub releases: Vec<Released>,
    /// The files with figures, relative to this one.
    pub files: Vec<FileEntry>,
    /// What may leave, in words.
    pub for_release: Vec<String>,
    /// What must stay.
    pub not_for_release: Vec<String>,
}

/// A file of a [`Manifest`].
#[derive(Clone, Debug, Serialize)]
pub struct FileEntry {
    /// Name, relative to the manifest.
    pub file: String,
    /// What is in it: `figures`, `summary`, `chart`.
    pub holds: &'static str,
    /// Size in bytes.
    pub bytes: u64,
    /// SHA-256 of the content.
    pub sha256: String,
}

/// The rules of a release, as text.
#[derive(Clone, Debug)]
pub struct RulesText {
    name: String,
    text: String,
    format: Format,
}

impl RulesText {
    /// Rules in YAML that stand in no file; `name` is for messages.
    pub fn yaml(name: &str, text: String) -> RulesText {
        RulesText { name: name.to_owned(), text, format: Format::Yaml }
    }

    /// Reads a file: YAML, TOML or JSON by its extension.
    ///
    /// # Errors
    /// [`Error::Refused`] when it cannot be read.
    pub fn read(path: &Path) -> Result<RulesText, Error> {
        let name = path.display().to_string();
        let Some(format) = Format::of_path(&name) else {
            let diagnostic =
                Diagnostic::error("cannot-read", None, format!("`{name}` does not hold rules of a release"))
                    .help("rules end in .yaml, .yml, .toml or .json");
            return Err(refuse(vec![diagnostic], Sources::new()));
        };
        let bytes = read_file(path).map_err(|problem| {
            let diagnostic = Diagnostic::error(problem.code, None, problem.message).help(problem.help);
            refuse(vec![diagnostic], Sources::new())
        })?;
        let text = text_of(bytes, &name).map_err(|diagnostic| refuse(vec![*diagnostic], Sources::new()))?;
        Ok(RulesText { name, text, format })
    }

    /// The text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The plan of the release. No table is looked at.
    ///
    /// # Errors
    /// [`Error::Refused`] with every mistake; [`Error::Privacy`] where the budget makes no sense of it.
    pub fn plan(&self, budget: Budget) -> Result<Plan, Error> {
        let mut sources = Sources::new();
        let file = sources.add(self.name.clone(), self.text.clone());
        let mut problems = Problems::new();
        let planned = read(&sources, file, self.format, &mut problems)
            .and_then(|node| Rules::decode(&node, &mut problems))
            .and_then(|rules| release::plan(&rules, budget, &mut problems));
        match planned {
            Some(plan) if !problems.has_errors() => Ok(plan?),
            _ => Err(refuse(problems.into_sorted(), sources)),
        }
    }
}

fn refuse(diagnostics: Vec<Diagnostic>, sources: Sources) -> Error {
    Error::Refused(Box::new(Refusal { diagnostics, sources }))
}

/// Makes a release. Files appear under their names only when all of them are complete. The ledger, `ledger.jsonl`, is there
/// from the first step on: it holds what was charged, also of a run that fails. What is refused leaves no trace.
///
/// # Errors
/// When the budget does not cover it, the table lacks a column, or files cannot be read or written.
pub fn release(plan: &Plan, job: &Job) -> Result<Manifest, Error> {
    // The form of the table is looked at first, so that a wrong file name does not become a table with a budget.
    // To find types would make how one row's cells are read depend on those of all others; a unit that comes or goes might
    // move any of them from group to group.
    let options = SourceOptions { untyped: true, ..job.options.clone() };
    let source = lookalike_io::open(&job.data, None, &options)?;
    let wanted = places(plan, &*source)?;
    let opening = Opening {
        table: plan.table.as_deref().map_or(Table::File(&job.data), Table::Named),
        unit: plan.unit.clone(),
        budget: plan.budget,
        total: job.total,
        stage: "release",
        ledger: job.output.join("ledger.jsonl"),
        state: job.state.clone(),
        clock: job.clock,
    };
    opening.check("this release", plan.cost()?)?;
    let columns = columns(&*source, &wanted)?;
    release::check(plan, &columns)?;
    // This makes the folders, too, since the ledger is in one of them.
    let mut session = Session::open(opening)?;
    let releases = release::run(plan, &mut session, &columns)?;
    let privacy = session.close(plan.public(), plan.not_counted())?;
    write(plan, job, privacy, releases)
}

/// Where the columns of a plan are in a table.
fn places(plan: &Plan, source: &dyn Source) -> Result<Vec<(String, usize)>, Error> {
    let fields = &source.schema().fields;
    let mut places = Vec::new();
    for column in plan.columns() {
        let Some(place) = fields.iter().position(|field| field.name == column) else {
            let known: Vec<String> = fields.iter().map(|field| format!("`{}`", field.name)).collect();
            let what = match plan.unit.column.as_deref() == Some(column) {
                true => "the table has no column of the unit,",
                false => "the table has no column",
            };
            return Err(Error::Request(format!("{what} `{column}`; it has {}", known.join(", "))));
        };
        places.push((column.to_owned(), place));
    }
    Ok(places)
}

/// Rows that are read at a time.
const BLOCK: u64 = 131_072;

fn columns(source: &dyn Source, wanted: &[(String, usize)]) -> Result<Columns, Error> {
    let rows = source.rows();
    let places: Vec<usize> = wanted.iter().map(|(_, place)| *place).collect();
    let mut values: Vec<Vec<Option<String>>> = vec![Vec::new(); wanted.len()];
    let mut start = 0;
    while start < rows {
        let end = (start + BLOCK).min(rows);
        let frame = source.columns(start..end, &places)?;
        for ((values, place), series) in values.iter_mut().zip(&places).zip(frame.columns()) {
            let field = &source.schema().fields[*place];
            let text = texts(field, series.as_materialized_series())?;
            values.extend(text.iter().map(|value| value.map(str::to_owned)));
        }
        start = end;
    }
    let mut columns = Columns::new(rows as usize);
    for ((name, _), values) in wanted.iter().zip(values) {
        columns.add(name, values)?;
    }
    Ok(columns)
}

fn write(plan: &Plan, job: &Job, privacy: Statement, releases: Vec<Released>) -> Result<Manifest, Error> {
    let mut pending: Vec<(Pending, &'static str)> = Vec::new();
    let mut file = |name: &str, holds, bytes: &[u8]| -> Result<(), Error> {
        let mut output = Output::file(job.output.join(name))?;
        output.write(bytes)?;
        pending.push((output.finish(0)?, holds));
        Ok(())
    };
    let mut summary = String::from("# Release\n\n");
    if let Some(about) = &plan.about {
        summary.push_str(&format!("{about}\n\n"));
    }
    for released in &releases {
        file(&format!("{}.csv", released.name), "figures", release::csv(released).as_bytes())?;
        summary.push_str(&release::markdown(released));
        summary.push('\n');
        if !released.figures.is_empty() {
            let chart = chart(released);
            let png = chart.png().map_err(Error::Request)?;
            file(&format!("{}.svg", released.name), "chart", chart.svg(true).as_bytes())?;
            file(&format!("{}.png", released.name), "chart", &png)?;
            summary.push_str(&format!("![{}]({}.svg)\n\n", released.title, released.name));
        }
    }
    let statement = privacy.to_markdown();
    let [for_release, not_for_release] = leaves(job);
    summary.push_str(&statement);
    summary.push('\n');
    summary.push_str(&Statement::files(&for_release, &not_for_release));
    file("release.md", "summary", summary.as_bytes())?;
    let entry = |(pending, holds): &(Pending, &'static str)| {
        let written = pending.written();
        let name = written.path.as_deref().and_then(Path::file_name);
        FileEntry {
            file: name.map_or_else(String::new, |name| name.to_string_lossy().into()),
            holds,
            bytes: written.bytes,
            sha256: written.sha256.clone(),
        }
    };
    let files = pending.iter().map(entry).collect();
    let manifest = Manifest {
        lookalike: env!("CARGO_PKG_VERSION"),
        manifest: 1,
        privacy,
        statement,
        releases,
        files,
        for_release,
        not_for_release,
    };
    let mut text = serde_json::to_string_pretty(&manifest).map_err(|e| Error::Request(e.to_string()))?;
    text.push('\n');
    let mut output = Output::file(job.output.join("manifest.json"))?;
    output.write(text.as_bytes())?;
    let described = output.finish(0)?;
    for (pending, _) in pending {
        pending.publish()?;
    }
    described.publish()?;
    Ok(manifest)
}

/// What of a run may leave, and what must stay.
fn leaves(job: &Job) -> [Vec<String>; 2] {
    let name = |path: &Path| path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into());
    let for_release = vec![
        "all figures, tables and charts of this folder, and this page".to_owned(),
        "`manifest.json`, the same for programs".to_owned(),
        "`ledger.jsonl`, what was spent on what".to_owned(),
    ];
    let not_for_release = vec![
        format!("`{}`, the private table", name(&job.data)),
        format!("`{}`, the budget file, with the key of its fingerprints", name(&job.state)),
    ];
    [for_release, not_for_release]
}

/// The figures as bars with error bars. Keys of rows without a value are left out where their interval holds 0.
fn chart(released: &Released) -> Chart {
    let estimate = |figure: &release::Figure| Estimate {
        label: if figure.keys.is_empty() { "all".into() } else { figure.keys.join(", ") },
        value: figure.value,
        half_width: figure.half_width.unwrap_or(0.0),
    };
    let empty = |figure: &&release::Figure| {
        figure.keys.iter().any(|key| key == NULL || key == release::OTHER)
            && figure.value.is_none_or(|value| value <= figure.half_width.unwrap_or(0.0))
    };
    let estimates = released.figures.iter().filter(|figure| !empty(figure)).map(estimate).collect();
    let data = Estimates { label: released.figure.replace('_', " "), estimates };
    Chart::new(released.title.clone(), released.keys.clone(), data)
}
