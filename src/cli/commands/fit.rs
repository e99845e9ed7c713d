//! `lookalike fit`: a private table becomes a ruleset, under differential privacy.

mod manifest;

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use clap::ValueEnum;

use self::manifest::{About, Made, Manifest, SchemaEntry};
use crate::cli::failure::Failure;
use crate::cli::{args, terminal};
use crate::io::{self, Output, Pending, Source, SourceOptions, files};
use crate::language::Sources;
use crate::privacy::fit::{self, Aim, Cells, Plan, Schema, Style};
use crate::privacy::{Budget, Opening, Session, Statement, Table, Unit};
use crate::{Error, Refusal};

/// Arguments of `fit`.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  lookalike fit clients.csv --schema clients.schema.yaml --epsilon 1 --dry-run
  lookalike fit clients.csv --schema clients.schema.yaml --epsilon 1 -o clients.yaml
  lookalike fit clients.parquet --schema clients.schema.yaml --epsilon 3 --method aim --workload 3 -o clients.yaml

The schema says what is public: columns, bounds, categories. Beside the ruleset come its tables of weights (clients.model/), what is
promised (clients.privacy.md), what was spent on what (clients.ledger.jsonl), and for programs what was made from what
(clients.manifest.json). Rows made from the ruleset cost nothing more.")]
pub struct Args {
    /// The private table: a .csv, .jsonl, .parquet or .arrow file.
    #[arg(value_name = "DATA")]
    data: PathBuf,
    /// What is public about it: a .yaml, .toml or .json file.
    #[arg(long, value_name = "FILE")]
    schema: PathBuf,
    /// How much one unit can show, at most: 1 is a common choice, above 10 promises little.
    #[arg(long, value_name = "E", value_parser = number, allow_negative_numbers = true, help_heading = "Privacy")]
    epsilon: f64,
    /// The probability with which more may show; far below one over the number of units.
    #[arg(long, value_name = "D", value_parser = number, default_value = "1e-9", allow_negative_numbers = true, help_heading = "Privacy")]
    delta: f64,
    /// What all runs on the table may lose; set at its first run [default: the first run's budget].
    #[arg(long, value_name = "E", value_parser = number, allow_negative_numbers = true, help_heading = "Privacy")]
    total_epsilon: Option<f64>,
    /// The file that keeps what tables have given away.
    #[arg(long, value_name = "FILE", default_value = ".lookalike/budget.jsonl", help_heading = "Privacy")]
    state: PathBuf,
    /// Name of the table in that file, for one whose file changes [default: the file's content].
    #[arg(long, value_name = "NAME", help_heading = "Privacy")]
    table_name: Option<String>,
    /// Print what would be measured, its cost and the error to expect; read no rows and spend nothing.
    #[arg(long, help_heading = "Privacy")]
    dry_run: bool,

    /// How to choose what is measured.
    #[arg(long, value_enum, value_name = "METHOD", default_value = "mst", help_heading = "Model")]
    method: Method,
    /// For aim, what matters: all sets of so many columns, or some sets, such as age+sex,age+city+income.
    #[arg(long, value_name = "SETS", default_value = "2", help_heading = "Model")]
    workload: String,
    /// For aim, most cells of the model.
    #[arg(long, value_name = "N", value_parser = args::positive, default_value = "131072", help_heading = "Model")]
    max_cells: usize,
    /// Let numbers of rows be exact, not drawn: less error, but a small table is not the beginning of a large one.
    #[arg(long, help_heading = "Model")]
    exact: bool,

    /// The ruleset to write [default: the table's name and .yaml].
    #[arg(short, long, value_name = "FILE", help_heading = "Output")]
    output: Option<PathBuf>,
    /// CSV: what stands for null, beside nothing; may be repeated.
    #[arg(long, value_name = "TEXT", help_heading = "Output")]
    csv_null: Vec<String>,
    /// Print errors only.
    #[arg(short, long, help_heading = "Output")]
    quiet: bool,
}

/// How to choose what is measured: a tree of pairs, or marginals one by one where the model is worst.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Method {
    Mst,
    Aim,
}

fn number(text: &str) -> Result<f64, String> {
    text.trim().parse().map_err(|_| "expected a number such as 1, 0.5 or 1e-9".into())
}

/// Fits.
pub fn run(args: &Args) -> Result<(), Failure> {
    let (schema, read_from) = schema(&args.schema)?;
    let mut budget = Budget::new(args.epsilon, args.delta)?;
    let mut total = args.total_epsilon.map(|epsilon| Budget::new(epsilon, args.delta)).transpose()?;
    if Plan::needs_delta(&schema) {
        budget = budget.with_thresholds(args.delta / 2.0)?;
        total = total.map(|total| total.with_thresholds(args.delta / 2.0)).transpose()?;
    }
    budget.held_against(schema.units_at_most)?;
    let method = method(args, &schema)?;
    let plan = Plan::new(&schema, method.clone(), budget.cost()?);
    plan.says_something(schema.units_at_most)?;
    if args.dry_run {
        return terminal::print(&format!("{budget}\n{}", plan.describe()));
    }
    let output = args.output.clone().unwrap_or_else(|| format!("{}.yaml", schema.table).into());
    let places = Places::beside(&output)?;
    let opening = Opening {
        table: args.table_name.as_deref().map_or(Table::File(&args.data), Table::Named),
        unit: schema.unit.clone(),
        budget,
        total,
        stage: "fit",
        ledger: places.ledger.clone(),
        state: args.state.clone(),
        clock: || jiff::Timestamp::now().to_string(),
    };
    // All that can be refused is refused before anything is written or agreed: first by the budget, then by the rows.
    opening.check("this fit", plan.cost)?;
    let rows = Private::read(args, &schema)?;
    make_folder(&places.folder)?;
    let mut ruleset = Output::file(&output)?;
    let mut session = Session::open(opening)?;
    let (cells, units) = rows.truncated(&schema.unit)?;
    let outcome = fit::run(&schema, &plan, &cells, &units, &mut session)?;
    drop(cells);
    let statement = session.close(public(&schema), not_counted(&schema))?;

    let written = fit::write(&schema, &outcome, &style(args, &places, &statement));
    let mut made: Vec<Made> = Vec::new();
    for (file, text) in &written.tables {
        let name = format!("{}/{file}", places.folder_name);
        made.push(Made { name, holds: "weights", pending: whole(&places.folder.join(file), text)? });
    }
    let leaves = leaves(args, &places);
    let page = promise(&schema, &statement, &leaves);
    let name = places.statement_name.clone();
    made.push(Made { name, holds: "statement", pending: whole(&places.statement, &page)? });
    ruleset.write(written.ruleset.as_bytes())?;
    made.push(Made { name: file_name(&output), holds: "ruleset", pending: ruleset.finish(0)? });
    let told = (!args.quiet).then(|| summary(args, &output, &outcome, written.tables.len(), &statement));
    let about = About { schema: &schema, read_from, places: &places, leaves };
    let manifest = Manifest::new(args, about, &method, &outcome, statement, &made);
    // It comes last: where it stands, what it describes is complete.
    let described = whole(&places.manifest, &manifest.text()?)?;
    for file in made {
        file.pending.publish()?;
    }
    described.publish()?;
    terminal::tell(&told.unwrap_or_default());
    Ok(())
}

fn file_name(path: &Path) -> String {
    path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into())
}

/// What was taken as known to everybody.
fn public(schema: &Schema) -> Vec<String> {
    let mut public = schema.public();
    public.push("the method and its settings".into());
    public
}

/// What the promise does not cover.
fn not_counted(schema: &Schema) -> Vec<String> {
    let mut lines = vec![
        "columns that are made by a rule, since nothing of them was read".to_owned(),
        "time and memory that the run took".to_owned(),
        "whatever was published of the same units elsewhere".to_owned(),
    ];
    if schema.unit.column.is_none() {
        lines.push("that several rows may be about the same person: the promise is to each row alone".into());
    }
    lines
}

fn style(args: &Args, places: &Places, statement: &Statement) -> Style {
    let promised = format!(
        "Fitted to a private table under differential privacy: epsilon {:.4}, delta {:e}, unit {}.",
        statement.epsilon,
        statement.delta,
        statement.unit.describe()
    );
    let where_from =
        format!("Every number is computed from noisy releases. What is promised: {}.", places.statement_name);
    Style { folder: places.folder_name.clone(), exact: args.exact, remarks: vec![promised, where_from] }
}

/// What may leave, and what must stay.
fn leaves(args: &Args, places: &Places) -> [Vec<String>; 2] {
    let for_release = vec![
        "the ruleset, and every row that is made from it".to_owned(),
        format!("`{}/`, its tables of weights", places.folder_name),
        format!("`{}`, what is promised", places.statement_name),
        format!("`{}`, the same for programs", file_name(&places.manifest)),
        format!("`{}`, what was spent on what", file_name(&places.ledger)),
    ];
    let not_for_release = vec![
        format!("`{}`, the private table", file_name(&args.data)),
        format!("`{}`, the budget file, with the key of its fingerprints", file_name(&args.state)),
    ];
    [for_release, not_for_release]
}

/// The text beside the ruleset: what is promised, and which files may leave.
fn promise(schema: &Schema, statement: &Statement, [may, must_not]: &[Vec<String>; 2]) -> String {
    let (words, files) = (statement.to_markdown(), Statement::files(may, must_not));
    format!("# {}: what is promised\n\n{words}\n{files}", schema.table)
}

fn summary(
    args: &Args,
    output: &Path,
    outcome: &fit::Outcome,
    tables: usize,
    statement: &Statement,
) -> String {
    let total = outcome.fitted.model.total();
    let mut text = format!(
        "{}: about {}, {tables} table{} of weights; spent epsilon {:.4} at delta {:e}\n",
        output.display(),
        terminal::counted(total.round() as u64, "row"),
        if tables == 1 { "" } else { "s" },
        statement.epsilon,
        statement.delta
    );
    // The number of rows is a release by now, so this may depend on it.
    if args.delta * total >= 1.0 {
        text.push_str("warning: delta is not below one over the number of rows; choose a smaller one\n");
    }
    text
}

/// The private table's cells, and the unit of each row.
struct Private {
    cells: Vec<Cells>,
    units: Vec<u64>,
}

impl Private {
    fn read(args: &Args, schema: &Schema) -> Result<Private, Failure> {
        // What a column holds is the schema's to say.
        let options =
            SourceOptions { csv_nulls: args.csv_null.clone(), untyped: true, ..SourceOptions::default() };
        let modelled = schema.modelled().map(|column| column.name.as_str());
        let wanted: Vec<&str> = modelled.chain(schema.unit.column.as_deref()).collect();
        let mut cells = read(&args.data, &wanted, schema, &options)?;
        let Some(column) = &schema.unit.column else {
            let rows = cells.first().map_or(0, |cells| cells.rows.len()) as u64;
            return Ok(Private { cells, units: (0..rows).collect() });
        };
        let units = cells.pop().unwrap_or_default();
        // An empty text is no name, either.
        let nobody = |unit: &u32| units.texts.get(*unit as usize).is_none_or(|name| name.is_empty());
        if units.rows.iter().any(nobody) {
            let failure = Failure::usage(format!("the unit of privacy, `{column}`, is null in some rows"));
            return Err(failure.help("each row must belong to a unit; remove such rows, or give them one"));
        }
        Ok(Private { cells, units: units.rows.iter().map(|unit| u64::from(*unit)).collect() })
    }

    /// The rows within the unit's bounds.
    fn truncated(mut self, unit: &Unit) -> Result<(Vec<Cells>, Vec<u64>), Failure> {
        if unit.column.is_some() {
            let kept = unit.truncate(&self.units)?;
            self.cells.iter_mut().for_each(|column| *column = column.kept(&kept));
            self.units = kept.iter().map(|row| self.units[*row]).collect();
        }
        Ok((self.cells, self.units))
    }
}

/// Where the files go that come with the ruleset.
struct Places {
    folder: PathBuf,
    folder_name: String,
    statement: PathBuf,
    statement_name: String,
    ledger: PathBuf,
    manifest: PathBuf,
}

impl Places {
    fn beside(output: &Path) -> Result<Places, Failure> {
        let stem = output.file_stem().map(|stem| stem.to_string_lossy().into_owned());
        let is_yaml = output.extension().is_some_and(|end| end == "yaml" || end == "yml");
        let Some(stem) = stem.filter(|_| is_yaml) else {
            return Err(Failure::usage(format!("{} is no name for a ruleset", output.display()))
                .help("rulesets are written as .yaml: `-o clients.yaml`"));
        };
        let folder_name = format!("{stem}.model");
        let statement_name = format!("{stem}.privacy.md");
        let folder = output.with_file_name(&folder_name);
        Ok(Places {
            statement: output.with_file_name(&statement_name),
            ledger: output.with_file_name(format!("{stem}.ledger.jsonl")),
            manifest: output.with_file_name(format!("{stem}.manifest.json")),
            folder,
            folder_name,
            statement_name,
        })
    }
}

fn make_folder(path: &Path) -> Result<(), Failure> {
    let failed = |source| io::Error::Write { path: Some(path.to_path_buf()), source };
    Ok(std::fs::create_dir_all(path).map_err(failed)?)
}

fn whole(path: &Path, text: &str) -> Result<Pending, Failure> {
    let mut output = Output::file(path)?;
    output.write(text.as_bytes())?;
    Ok(output.finish(0)?)
}

fn schema(path: &Path) -> Result<(Schema, SchemaEntry), Failure> {
    let name = path.display().to_string();
    let bytes = files::read_file(path)
        .map_err(|problem| Failure::new(crate::cli::exit::OUTPUT, &problem.message).help(&problem.help))?;
    let entry = SchemaEntry::new(path, &bytes);
    let refused = |diagnostics, sources: Sources| Error::Refused(Box::new(Refusal { diagnostics, sources }));
    let text = crate::language::read::text_of(bytes, &name)
        .map_err(|diagnostic| refused(vec![*diagnostic], Sources::new()))?;
    let schema =
        Schema::read(&name, &text).map_err(|(diagnostics, sources)| refused(diagnostics, sources))?;
    Ok((schema, entry))
}

/// Most cells of a model whose tables a ruleset can read.
const MAX_CELLS: usize = 1_000_000;

fn method(args: &Args, schema: &Schema) -> Result<fit::Method, Failure> {
    if args.method == Method::Mst {
        return Ok(fit::Method::Mst);
    }
    if args.max_cells > MAX_CELLS {
        return Err(Failure::usage(format!("a model of {} cells", args.max_cells))
            .help(format!("expected at most {MAX_CELLS}: its tables are read with the ruleset")));
    }
    let names: Vec<&str> = schema.modelled().map(|column| column.name.as_str()).collect();
    let workload = match args.workload.trim().parse() {
        Ok(ways @ 1..=5) => Aim::all_sets(names.len(), ways).into_iter().map(|(set, _)| set).collect(),
        Ok(ways) => {
            return Err(Failure::usage(format!("a workload of all sets of {ways} columns"))
                .help("expected 1 to 5, or some sets, such as age+sex,age+city"));
        }
        Err(_) => {
            let mut sets = Vec::new();
            for set in args.workload.split(',') {
                let mut columns = Vec::new();
                for name in set.split('+').map(str::trim) {
                    let Some(at) = names.iter().position(|column| *column == name) else {
                        let known = names.iter().copied();
                        let help = crate::language::diagnostic::did_you_mean(name, "columns", known);
                        return Err(
                            Failure::usage(format!("no modelled column is called `{name}`")).help(help)
                        );
                    };
                    columns.push(at);
                }
                columns.sort_unstable();
                columns.dedup();
                sets.push(columns);
            }
            sets
        }
    };
    Ok(fit::Method::Aim { workload, max_cells: args.max_cells })
}

/// Rows read at a time.
const BLOCK: u64 = 65_536;

/// The cells of some columns, as text.
fn read(
    path: &Path,
    names: &[&str],
    schema: &Schema,
    options: &SourceOptions,
) -> Result<Vec<Cells>, Failure> {
    let source = io::sources::open(path, None, options)?;
    let places = places(path, &*source, names, schema)?;
    let mut cells: Vec<Cells> = vec![Cells::default(); names.len()];
    let mut known: Vec<HashMap<String, u32>> = vec![HashMap::new(); names.len()];
    let rows = source.rows();
    for start in (0..rows).step_by(BLOCK as usize) {
        let frame = source.columns(start..rows.min(start + BLOCK), &places)?;
        for (at, (cells, known)) in cells.iter_mut().zip(&mut known).enumerate() {
            let field = &source.schema().fields[places[at]];
            let texts = io::texts(field, frame.columns()[at].as_materialized_series())?;
            for text in texts.iter() {
                cells.rows.push(match text {
                    None => Cells::NULL,
                    Some(text) => match known.get(text) {
                        Some(at) => *at,
                        None => {
                            let at = cells.texts.len() as u32;
                            cells.texts.push(text.to_owned());
                            known.insert(text.to_owned(), at);
                            at
                        }
                    },
                });
            }
        }
    }
    Ok(cells)
}

/// The places of columns in a file.
fn places(path: &Path, source: &dyn Source, names: &[&str], schema: &Schema) -> Result<Vec<usize>, Failure> {
    let fields = &source.schema().fields;
    let mut places = Vec::new();
    for name in names {
        let Some(at) = fields.iter().position(|field| field.name == *name) else {
            let known = fields.iter().map(|field| field.name.as_str());
            let help = crate::language::diagnostic::did_you_mean(name, "columns", known);
            let role = if schema.unit.column.as_deref() == Some(name) { " of the unit," } else { "" };
            let message = format!("{} has no column{role} `{name}`", path.display());
            return Err(Failure::usage(message).help(help));
        };
        places.push(at);
    }
    Ok(places)
}
