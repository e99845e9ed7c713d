//! The plan: which columns a table has, in which order they are filled, and how rows come out of it.

use lookalike_core::{Rows, Seed};
use lookalike_ruleset::decode::{NamedItem, Stamp};
use lookalike_ruleset::diagnostic::did_you_mean;
use lookalike_ruleset::document::{Loaded, TableDecl, literal};
use lookalike_ruleset::{Diagnostic, Field, Problems, Span, TableSchema};
use polars::prelude::*;

use crate::build::{Builder, Spec, check_vocabulary};
use crate::correlate::Group;
use crate::formula::Formula;
use crate::generator::{Block, Demand, Generator, InputName, Kind, Output, Site, World};

/// How often a row is drawn again for its `require` conditions before the run gives up.
pub const MAX_ATTEMPTS: u32 = 1000;

/// A ruleset, ready to run.
pub struct Plan {
    /// Name of the ruleset.
    pub name: String,
    /// The seed that was used.
    pub seed: u64,
    /// The ruleset's clock in microseconds since 1970-01-01T00:00:00Z.
    pub clock: Option<i64>,
    /// The tables, in the order of the ruleset.
    pub tables: Vec<TablePlan>,
}

impl Plan {
    /// The table called `name`.
    pub fn table(&self, name: &str) -> Option<&TablePlan> {
        self.tables.iter().find(|table| table.name == name)
    }
}

/// A column of a plan.
pub struct Column {
    /// Name.
    pub name: String,
    /// Type and properties of the values.
    pub output: Output,
    /// Whether the column is written; draws are not.
    pub written: bool,
    /// The user's words about it.
    pub about: Option<String>,
    /// Whether the ruleset declares its values free of repetitions.
    pub unique: bool,
    /// Columns that are filled before it.
    inputs: Vec<usize>,
    spec: Spec,
}

/// A table, ready to make any of its rows.
pub struct TablePlan {
    /// Name.
    pub name: String,
    /// The user's words about it.
    pub about: Option<String>,
    /// How many rows the table has.
    pub rows: u64,
    /// All columns, draws among them, in the order of the ruleset.
    pub columns: Vec<Column>,
    /// Numbers of the columns so that inputs come first.
    order: Vec<usize>,
    requires: Vec<Requirement>,
    /// Their words are numbered behind the columns.
    groups: Vec<Group>,
}

struct Requirement {
    formula: Formula,
    text: String,
    inputs: Vec<usize>,
}

/// Rows could not be made.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A cell could not be made.
    #[error("table `{table}`, column `{column}`: {message}")]
    Cell {
        /// The table.
        table: String,
        /// The column.
        column: String,
        /// What happened.
        message: String,
    },
    /// A row never met a `require` condition.
    #[error(
        "table `{table}`: row {row} did not meet `require: {condition}` in {attempts} attempts; of the rows drawn last, {met} in \
         {of} met it"
    )]
    Require {
        /// The table.
        table: String,
        /// The row.
        row: u64,
        /// The condition, as written.
        condition: String,
        /// How often the row was drawn.
        attempts: u32,
        /// How many rows of the first attempt met it.
        met: usize,
        /// How many rows there were in the first attempt.
        of: usize,
    },
    /// Rows beyond the table's end were asked for.
    #[error("table `{table}` has {rows} rows; row {row} was asked for")]
    OutOfRange {
        /// The table.
        table: String,
        /// How many rows it has.
        rows: u64,
        /// The row asked for.
        row: u64,
    },
    /// The run was stopped from outside.
    #[error("interrupted")]
    Interrupted,
    /// Columns could not be put together; a bug.
    #[error("internal error: {0}")]
    Internal(String),
}

/// What the command may change about a ruleset.
#[derive(Clone, Copy, Debug, Default)]
pub struct Overrides {
    /// Another seed.
    pub seed: Option<u64>,
    /// Another number of rows, for every table.
    pub rows: Option<u64>,
    /// Every table's rows times this.
    pub scale: Option<f64>,
}

/// Makes a plan of a ruleset, adding everything that is wrong with it to `problems`.
///
/// `kinds` are the kinds of generator that the ruleset may use: usually `&[KINDS]`, with a library user's own after it.
pub fn compile(
    loaded: &Loaded,
    kinds: &[&[Kind]],
    overrides: &Overrides,
    problems: &mut Problems,
) -> Option<Plan> {
    let document = &loaded.document;
    let seed = overrides.seed.unwrap_or(document.seed.0);
    let clock = match document.clock {
        Some(Stamp::Clock(_)) => {
            problems.push(
                Diagnostic::error("bad-timestamp", loaded.span, "`clock` cannot depend on itself")
                    .help("write a fixed stamp, such as 2026-01-01T00:00:00Z"),
            );
            None
        }
        other => other.map(|stamp| stamp.micros(0)),
    };
    let mut ignored = Problems::new();
    let params = loaded
        .params
        .iter()
        .filter_map(|p| Some((p.name.clone(), literal(&p.value, p.ty, &mut ignored)?)))
        .collect();
    let root = Seed::new(seed);
    let world = World { seed: root, clock, lookups: loaded.lookups.clone(), params };
    check_vocabulary(&document.vocabulary, problems);
    let mut tables = Vec::new();
    for table in &document.tables.0 {
        let rows = rows_of(&table.value, overrides);
        let compiler =
            Table { loaded, kinds, seed: root.derive("table").derive(&table.name), rows, world: &world };
        tables.extend(compiler.compile(table, problems));
    }
    // A vocabulary entry that nothing uses is checked all the same, so that a shared file has no hidden mistakes.
    let mut builder = Builder::new(kinds, &document.vocabulary, problems);
    for item in &document.vocabulary.0 {
        builder.spec(&item.value);
    }
    let name = document.name.as_ref().map_or_else(|| "ruleset".to_owned(), |name| name.value.clone());
    (!problems.has_errors()).then_some(Plan { name, seed, clock, tables })
}

fn rows_of(table: &TableDecl, overrides: &Overrides) -> u64 {
    let rows = overrides.rows.unwrap_or(table.rows.value.0);
    match overrides.scale {
        Some(scale) => (rows as f64 * scale).round() as u64,
        None => rows,
    }
}

/// Rows are numbered with 63 bits, so that a row number is also an int.
pub const MAX_ROWS: u64 = i64::MAX as u64;

struct Table<'a> {
    loaded: &'a Loaded,
    kinds: &'a [&'a [Kind]],
    seed: Seed,
    rows: u64,
    world: &'a World,
}

struct Draft {
    name: String,
    name_span: Span,
    written: bool,
    spec: Option<Spec>,
    inputs: Vec<usize>,
    /// Whether all inputs are known; where one is not, nothing more can be said about the column.
    resolved: bool,
}

impl Table<'_> {
    fn compile(&self, table: &NamedItem<TableDecl>, problems: &mut Problems) -> Option<TablePlan> {
        let decl = &table.value;
        if self.rows > MAX_ROWS {
            problems.error(
                "bad-rows",
                decl.rows.span,
                format!("{} rows are too many", self.rows),
                format!("a table has at most {MAX_ROWS} rows"),
            );
            return None;
        }
        let mut drafts = self.drafts(decl, problems);
        let mut requires: Vec<(Formula, String)> = Vec::new();
        for node in &decl.require {
            if let Some(formula) = Formula::parse(node, problems) {
                requires.push((formula, node.as_scalar().map(|s| s.text.clone()).unwrap_or_default()));
            }
        }
        let required_inputs = self.resolve_inputs(&mut drafts, &requires, problems);
        let order = order(&mut drafts, problems);
        let names: Vec<String> = drafts.iter().map(|d| d.name.clone()).collect();
        let mut groups = Group::declare(decl, &names, self.seed, drafts.len(), problems);

        let mut outputs: Vec<(String, Option<Output>)> =
            drafts.iter().map(|d| (d.name.clone(), None)).collect();
        for at in &order {
            let draft = &mut drafts[*at];
            let Some(spec) = draft.spec.as_mut().filter(|_| draft.resolved) else { continue };
            let mut site = Site {
                seed: self.seed.derive("column").derive(&draft.name),
                table: self.seed,
                rows: self.rows,
                span: spec.span,
                demand: Demand { words: Group::words(&groups, *at), ..Demand::default() },
                world: self.world,
                columns: &outputs,
                problems,
            };
            let output = spec.prepare(&mut site);
            outputs[*at].1 = output;
        }
        for group in &mut groups {
            // A member that could not be prepared was reported.
            let ready = |at: usize| drafts[at].spec.as_ref().filter(|_| outputs[at].1.is_some());
            group.finish(ready, problems);
        }
        let mut requirements = Vec::new();
        for ((mut formula, text), inputs) in requires.into_iter().zip(required_inputs) {
            let Some(inputs) = inputs else { continue };
            let mut site = Site {
                seed: self.seed,
                table: self.seed,
                rows: self.rows,
                span: formula.span,
                demand: Demand::default(),
                world: self.world,
                columns: &outputs,
                problems,
            };
            if formula.prepare_condition("require", &mut site).is_some() {
                requirements.push(Requirement { formula, text, inputs });
            }
        }
        warn_unused(&drafts, &requirements, problems);
        if drafts.iter().any(|d| d.spec.is_none()) || outputs.iter().any(|(_, output)| output.is_none()) {
            return None;
        }
        let columns = drafts
            .into_iter()
            .zip(outputs)
            .filter_map(|(draft, (_, output))| {
                let spec = draft.spec?;
                Some(Column {
                    name: draft.name,
                    output: output?,
                    written: draft.written,
                    about: spec.about.clone(),
                    unique: spec.is_unique(),
                    inputs: draft.inputs,
                    spec,
                })
            })
            .collect();
        let plan = TablePlan {
            name: table.name.clone(),
            about: decl.about.clone(),
            rows: self.rows,
            columns,
            order,
            requires: requirements,
            groups,
        };
        plan.try_requirements(decl, problems);
        Some(plan)
    }

    fn drafts(&self, decl: &TableDecl, problems: &mut Problems) -> Vec<Draft> {
        let items = decl
            .columns
            .0
            .iter()
            .map(|item| (item, true))
            .chain(decl.draws.0.iter().map(|item| (item, false)));
        let mut builder = Builder::new(self.kinds, &self.loaded.document.vocabulary, problems);
        items
            .map(|(item, written)| Draft {
                name: item.name.clone(),
                name_span: item.name_span,
                written,
                spec: builder.spec(&item.value),
                inputs: Vec::new(),
                resolved: true,
            })
            .collect()
    }

    /// Turns names of inputs into numbers; unknown names are reported. Gives the inputs of the requirements, `None` for one
    /// that reads something unknown.
    fn resolve_inputs(
        &self,
        drafts: &mut [Draft],
        requires: &[(Formula, String)],
        problems: &mut Problems,
    ) -> Vec<Option<Vec<usize>>> {
        let names: Vec<String> = drafts.iter().map(|d| d.name.clone()).collect();
        let mut resolve = |inputs: Vec<InputName>| {
            let mut all = true;
            let mut found: Vec<usize> = Vec::new();
            for InputName { name, span } in inputs {
                match names.iter().position(|n| *n == name) {
                    Some(at) if !found.contains(&at) => found.push(at),
                    Some(_) => {}
                    None => {
                        all = false;
                        problems.push(
                            Diagnostic::error(
                                "unknown-column",
                                span,
                                format!("the table has no column `{name}`"),
                            )
                            .help(unknown_column_help(&name, &names)),
                        );
                    }
                }
            }
            (found, all)
        };
        for draft in drafts.iter_mut() {
            let mut inputs = Vec::new();
            if let Some(spec) = &draft.spec {
                spec.inputs(&mut inputs);
            }
            (draft.inputs, draft.resolved) = resolve(inputs);
        }
        requires
            .iter()
            .map(|(formula, _)| {
                let mut inputs = Vec::new();
                formula.inputs(&mut inputs);
                let (found, all) = resolve(inputs);
                all.then_some(found)
            })
            .collect()
    }
}

/// A part of a name with spaces is most likely a name that lacks its quotes.
fn unknown_column_help(name: &str, names: &[String]) -> String {
    match names.iter().find(|known| known.contains(' ') && known.split(' ').any(|word| word == name)) {
        Some(known) => {
            format!("did you mean \"{known}\"? Names with spaces stand in double quotes in expressions")
        }
        None => did_you_mean(name, "columns", names.iter().map(String::as_str)),
    }
}

/// The columns so that inputs come first, otherwise as written. A circle is reported with its path, and its columns are
/// marked as not to be resolved.
fn order(drafts: &mut [Draft], problems: &mut Problems) -> Vec<usize> {
    struct Walk<'a> {
        drafts: &'a mut [Draft],
        problems: &'a mut Problems,
        path: Vec<usize>,
        done: Vec<bool>,
        order: Vec<usize>,
    }
    impl Walk<'_> {
        fn visit(&mut self, at: usize) {
            if self.done[at] {
                return;
            }
            if let Some(start) = self.path.iter().position(|p| *p == at) {
                let circle: Vec<&str> =
                    self.path[start..].iter().chain([&at]).map(|p| self.drafts[*p].name.as_str()).collect();
                let message = format!("columns depend on each other in a circle: {}", circle.join(" → "));
                self.problems.error(
                    "dependency-cycle",
                    self.drafts[at].name_span,
                    message,
                    "one of them must be made without the others",
                );
                for part in &self.path[start..] {
                    self.drafts[*part].resolved = false;
                }
                return;
            }
            self.path.push(at);
            for input in self.drafts[at].inputs.clone() {
                self.visit(input);
            }
            self.path.pop();
            self.done[at] = true;
            self.order.push(at);
        }
    }
    let count = drafts.len();
    let mut walk = Walk {
        drafts,
        problems,
        path: Vec::new(),
        done: vec![false; count],
        order: Vec::with_capacity(count),
    };
    for at in 0..count {
        walk.visit(at);
    }
    walk.order
}

fn warn_unused(drafts: &[Draft], requires: &[Requirement], problems: &mut Problems) {
    for (at, draft) in drafts.iter().enumerate() {
        let read =
            drafts.iter().any(|d| d.inputs.contains(&at)) || requires.iter().any(|r| r.inputs.contains(&at));
        if !draft.written && !read && draft.spec.is_some() {
            problems.push(
                Diagnostic::warning(
                    "unused",
                    draft.name_span,
                    format!("nothing reads the draw `{}`", draft.name),
                )
                .help("remove it, or move it to `columns`"),
            );
        }
    }
}

impl TablePlan {
    /// The written columns, as sinks see them.
    pub fn schema(&self) -> TableSchema {
        let fields = self
            .columns
            .iter()
            .filter(|column| column.written)
            .map(|column| Field {
                name: column.name.clone(),
                ty: column.output.ty,
                nullable: column.output.nullable,
                plain: column.output.plain,
                about: column.about.clone(),
            })
            .collect();
        TableSchema { table: self.name.clone(), fields }
    }

    /// Makes the written columns of these rows.
    ///
    /// # Errors
    /// When a row lies beyond the table's end, a cell cannot be made, or a row never meets its requirements.
    pub fn frame(&self, rows: &Rows) -> Result<DataFrame, Error> {
        let wanted: Vec<usize> = (0..self.columns.len()).filter(|at| self.columns[*at].written).collect();
        self.frame_of(rows, &wanted)
    }

    /// Makes some columns of these rows, given by name, in the order given. Only what they need is computed.
    ///
    /// # Errors
    /// As [`frame`](Self::frame); and when a name is not a column or draw of the table.
    pub fn select(&self, rows: &Rows, names: &[&str]) -> Result<DataFrame, Error> {
        let find = |name: &&str| {
            self.columns
                .iter()
                .position(|c| c.name == **name)
                .ok_or_else(|| self.cell_error(name, "the table has no such column"))
        };
        self.frame_of(rows, &names.iter().map(find).collect::<Result<Vec<_>, _>>()?)
    }

    fn cell_error(&self, column: &str, message: impl Into<String>) -> Error {
        Error::Cell { table: self.name.clone(), column: column.into(), message: message.into() }
    }

    fn frame_of(&self, rows: &Rows, wanted: &[usize]) -> Result<DataFrame, Error> {
        let last = match rows {
            Rows::Range(range) => (!range.is_empty()).then(|| range.end - 1),
            Rows::List(list) => list.iter().copied().max(),
        };
        if let Some(row) = last.filter(|row| *row >= self.rows) {
            return Err(Error::OutOfRange { table: self.name.clone(), rows: self.rows, row });
        }
        // What the requirements read must be computed too, since they decide which attempt a row comes from.
        let mut needed = vec![false; self.columns.len()];
        let mut open: Vec<usize> = wanted.to_vec();
        open.extend(self.requires.iter().flat_map(|r| r.inputs.iter().copied()));
        while let Some(at) = open.pop() {
            if !std::mem::replace(&mut needed[at], true) {
                open.extend(&self.columns[at].inputs);
            }
        }
        let mut columns = self.fill(rows, 0, &needed)?;
        if !self.requires.is_empty() && !rows.is_empty() {
            self.redraw(rows, &needed, &mut columns)?;
        }
        let frame: Vec<polars::prelude::Column> = wanted
            .iter()
            .map(|at| {
                let series = columns[*at].clone().expect("wanted columns are filled");
                series.with_name(self.columns[*at].name.as_str().into()).into_column()
            })
            .collect();
        DataFrame::new(rows.len(), frame).map_err(|error| Error::Internal(error.to_string()))
    }

    fn fill(&self, rows: &Rows, attempt: u32, needed: &[bool]) -> Result<Vec<Option<Series>>, Error> {
        let mut filled: Vec<Option<Series>> = vec![None; self.columns.len()];
        for group in &self.groups {
            let wanted = group.columns().any(|at| needed[at]);
            let words = wanted.then(|| group.fill(&Block::new(rows, attempt, &[])));
            filled.resize(group.inputs().end, None);
            for (at, words) in group.inputs().zip(words.into_iter().flatten()) {
                filled[at] = Some(words);
            }
        }
        for at in self.order.iter().copied().filter(|at| needed[*at]) {
            let column = &self.columns[at];
            let series = column
                .spec
                .fill(&Block::new(rows, attempt, &filled))
                .map_err(|failure| self.cell_error(&column.name, failure.message))?;
            if series.len() != rows.len() {
                return Err(self.cell_error(
                    &column.name,
                    format!("the kind made {} values for {} rows", series.len(), rows.len()),
                ));
            }
            filled[at] = Some(series);
        }
        filled.truncate(self.columns.len());
        Ok(filled)
    }

    /// Positions of the rows that miss a requirement, with the number of the first that each misses.
    fn missed(
        &self,
        rows: &Rows,
        attempt: u32,
        columns: &[Option<Series>],
    ) -> Result<Vec<(u32, usize)>, Error> {
        let block = Block::new(rows, attempt, columns);
        let mut missed: Vec<Option<usize>> = vec![None; rows.len()];
        for (number, require) in self.requires.iter().enumerate() {
            let values = require.formula.evaluate(&block).map_err(|f| Error::Internal(f.message))?;
            let values = values.bool().map_err(|error| Error::Internal(error.to_string()))?;
            for (slot, value) in missed.iter_mut().zip(values.iter()) {
                // A condition that is NULL does not hold.
                if value != Some(true) && slot.is_none() {
                    *slot = Some(number);
                }
            }
        }
        Ok(missed.into_iter().enumerate().filter_map(|(at, number)| Some((at as u32, number?))).collect())
    }

    /// Draws the rows that miss a requirement again, and again, each time with the next attempt in every address.
    fn redraw(&self, rows: &Rows, needed: &[bool], columns: &mut [Option<Series>]) -> Result<(), Error> {
        let internal = |error: PolarsError| Error::Internal(error.to_string());
        let mut missed = self.missed(rows, 0, columns)?;
        let first = missed.len();
        // Where each row's values come from once the redrawn rows are put behind the others.
        let mut index: Vec<u32> = (0..rows.len() as u32).collect();
        let mut behind = rows.len() as u32;
        for attempt in 1..=MAX_ATTEMPTS {
            let Some((position, number)) = missed.first().copied() else { break };
            if attempt == MAX_ATTEMPTS {
                return Err(Error::Require {
                    table: self.name.clone(),
                    row: rows.get(position as usize),
                    condition: self.requires[number].text.clone(),
                    attempts: attempt,
                    met: rows.len() - first,
                    of: rows.len(),
                });
            }
            let positions: Vec<u32> = missed.iter().map(|(at, _)| *at).collect();
            let again = rows.select(&positions);
            let fresh = self.fill(&again, attempt, needed)?;
            let still = self.missed(&again, attempt, &fresh)?;
            let mut open = vec![None; positions.len()];
            for (at, number) in still {
                open[at as usize] = Some(number);
            }
            missed.clear();
            let mut met: Vec<u32> = Vec::new();
            for (at, (position, open)) in positions.iter().zip(open).enumerate() {
                match open {
                    Some(number) => missed.push((*position, number)),
                    None => {
                        index[*position as usize] = behind;
                        behind += 1;
                        met.push(at as u32);
                    }
                }
            }
            if met.is_empty() {
                continue;
            }
            for (old, new) in columns.iter_mut().zip(fresh) {
                if let (Some(old), Some(new)) = (old, new) {
                    old.append(&new.take_slice(&met).map_err(internal)?).map_err(internal)?;
                }
            }
        }
        if behind as usize > rows.len() {
            for column in columns.iter_mut().flatten() {
                *column = column.rechunk().take_slice(&index).map_err(internal)?;
            }
        }
        Ok(())
    }

    /// Tries the requirements on a few rows, so that one that can hardly hold is found when the ruleset is checked.
    fn try_requirements(&self, decl: &TableDecl, problems: &mut Problems) {
        if self.requires.is_empty() || problems.has_errors() || self.rows == 0 {
            return;
        }
        let rows = Rows::Range(0..self.rows.min(256));
        if let Err(error) = self.frame(&rows)
            && let Error::Require { condition, .. } = &error
        {
            let node = decl.require.iter().find(|n| n.as_scalar().is_some_and(|s| s.text == *condition));
            problems.push(
                Diagnostic::error("cannot-hold", node.map(|n| n.span), error.to_string())
                    .label("this never or hardly ever holds")
                    .help("make the columns meet it by construction: `truncate`, `by` and `cases`, or an `expr`"),
            );
        }
    }

    /// Whether rows must meet conditions.
    pub fn has_requirements(&self) -> bool {
        !self.requires.is_empty()
    }

    /// Of rows drawn once, the share that meet every requirement; 1 without requirements.
    ///
    /// # Errors
    /// As [`frame`](Self::frame).
    pub fn acceptance(&self, rows: &Rows) -> Result<f64, Error> {
        if self.requires.is_empty() || rows.is_empty() {
            return Ok(1.0);
        }
        let columns = self.fill(rows, 0, &vec![true; self.columns.len()])?;
        let missed = self.missed(rows, 0, &columns)?;
        Ok(1.0 - missed.len() as f64 / rows.len() as f64)
    }
}
