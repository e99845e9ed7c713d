//! The plan: which columns a table has, in which order they are filled, and how rows come out of it.

use std::ops::Deref;
use std::sync::Arc;

use lookalike_core::Rows;
use lookalike_ruleset::expect::Expectation;
use lookalike_ruleset::{Diagnostic, Field, Node, Problems, TableSchema};
use polars::prelude::*;

use crate::build::Spec;
use crate::correlate::Group;
use crate::formula::Formula;
use crate::generator::{Block, Generator, Output};
use crate::given::Given;
use crate::inject::{Injector, Spoilt};
use crate::links::{Children, Link};
use crate::part_files::PartFiles;
use crate::subsets::Parts;

pub use crate::compile::{MAX_ROWS, Overrides, compile};
pub use crate::inject::Marks;

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
    /// Name; of a column that the plan needs besides the user's: what it stands for, such as `customer.region`.
    pub name: String,
    /// Type and properties of the values.
    pub output: Output,
    /// Whether the column is written; draws and what the plan needs besides are not.
    pub written: bool,
    /// The user's words about it.
    pub about: Option<String>,
    /// Whether the ruleset declares its values free of repetitions.
    pub unique: bool,
    /// Columns that are filled before it.
    pub(crate) inputs: Vec<usize>,
    pub(crate) source: Source,
    /// What the values are once anomalies are in them, where that is something else.
    pub(crate) dirty: Option<Output>,
}

/// Where a column's values come from.
pub(crate) enum Source {
    /// The user's rule.
    Rule(Box<Spec>),
    /// The parent's row in a link, or the place among its children.
    Link(usize),
    /// A column of the parent in a link.
    Parent { link: usize, column: usize },
    /// Something about the row's children.
    Children(Children),
    /// The part of the table that the row is of.
    Subset(Arc<Parts>),
    /// A column of the rows that are given, by its place.
    Given(usize),
    /// A column of a part's file, by its place.
    File { file: usize, place: usize },
}

impl Source {
    pub fn rule(spec: Spec) -> Source {
        Source::Rule(Box::new(spec))
    }
}

/// A table, ready to make any of its rows.
pub struct Table {
    /// Name.
    pub name: String,
    /// The user's words about it.
    pub about: Option<String>,
    /// How many rows the table has.
    pub rows: u64,
    /// All columns, draws and hidden ones among them, in the order of the ruleset.
    pub columns: Vec<Column>,
    /// Numbers of the columns so that inputs come first.
    pub(crate) order: Vec<usize>,
    pub(crate) requires: Vec<Requirement>,
    /// Whether a requirement that is NULL holds: while texts are missing, nobody knows.
    pub(crate) null_holds: bool,
    pub(crate) expects: Vec<Expected>,
    pub(crate) links: Vec<Link>,
    /// Correlated columns. Their words are numbered behind the columns.
    pub(crate) groups: Vec<Group>,
    pub(crate) injector: Option<Injector>,
    /// The rows, where they are not made.
    pub(crate) given: Option<Arc<dyn Given>>,
    /// The files whose rows are parts of it.
    pub(crate) files: PartFiles,
}

/// Something that must be true of the table once it is made.
pub(crate) struct Expected {
    pub expectation: Expectation,
    pub formula: Option<Formula>,
    /// Numbers of the columns that the formula reads.
    pub inputs: Vec<usize>,
}

pub(crate) struct Requirement {
    pub formula: Formula,
    pub text: String,
    pub inputs: Vec<usize>,
}

/// All tables of a ruleset: each may make rows of the others on its way.
pub(crate) struct Tables(pub Vec<Table>);

/// A table of a ruleset, with the others that it may need. Reads like a [`Table`]; a copy costs nothing.
#[derive(Clone)]
pub struct TablePlan {
    tables: Arc<Tables>,
    at: usize,
}

impl TablePlan {
    pub(crate) fn all(tables: Tables) -> Vec<TablePlan> {
        let tables = Arc::new(tables);
        (0..tables.0.len()).map(|at| TablePlan { tables: tables.clone(), at }).collect()
    }

    pub(crate) fn tables(&self) -> &Tables {
        &self.tables
    }
}

#[cfg(test)]
impl TablePlan {
    /// Drops what the plan holds of the only table's anomalies, so that each row finds out for itself what it has.
    pub(crate) fn forget(&mut self) {
        let tables = Arc::get_mut(&mut self.tables).expect("the only table");
        tables.0[0].injector.iter_mut().for_each(Injector::forget);
    }
}

impl Deref for TablePlan {
    type Target = Table;
    fn deref(&self) -> &Table {
        &self.tables.0[self.at]
    }
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
    /// Rows that are given could not be read.
    #[error("{message}")]
    Given {
        /// The table.
        table: String,
        /// What happened, with the file and the place where that is known.
        message: String,
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

impl Table {
    /// The written columns as sinks see them, with what anomalies put into them and their label.
    pub fn schema(&self) -> TableSchema {
        let mut schema = self.schema_of(|column| column.dirty.as_ref().unwrap_or(&column.output));
        if let Some(injector) = &self.injector
            && let Some(label) = &injector.label
        {
            let Output { ty, plain, json, nullable, .. } = injector.label_output();
            let about = Some("which anomaly the row has".to_owned());
            schema.fields.push(Field { name: label.clone(), ty, nullable, plain, json, about });
        }
        schema
    }

    /// The written columns without anomalies.
    pub fn clean_schema(&self) -> TableSchema {
        self.schema_of(|column| &column.output)
    }

    fn schema_of(&self, output: impl Fn(&Column) -> &Output) -> TableSchema {
        let field = |column: &Column| {
            let output = output(column);
            Field {
                name: column.name.clone(),
                ty: output.ty,
                nullable: output.nullable,
                plain: output.plain,
                json: output.json,
                about: column.about.clone(),
            }
        };
        let fields = self.columns.iter().filter(|column| column.written).map(field).collect();
        TableSchema { table: self.name.clone(), fields }
    }

    /// The parts whose rows come from files, each with its name, the rows that the file has and those that are taken.
    pub fn rows_from_files(&self) -> impl Iterator<Item = (&str, u64, u64)> {
        self.files.files.iter().map(|file| (file.name.as_str(), file.rows.rows(), file.picks.len()))
    }

    /// Whether rows, or some of them, come from a file or a frame rather than from rules.
    pub fn has_given_rows(&self) -> bool {
        self.given.is_some() || self.rows_from_files().next().is_some()
    }

    /// Whether rows are spoilt on purpose.
    pub fn has_anomalies(&self) -> bool {
        self.injector.is_some()
    }

    /// The anomalies that happen less often than the ruleset wants, since too few rows can take them: name, how often they
    /// should, and how often they do. None unless quotas may be missed.
    pub fn shortfalls(&self) -> impl Iterator<Item = (&str, u64, u64)> {
        self.injector.iter().flat_map(Injector::shortfalls)
    }

    /// Whether rows must meet conditions.
    pub fn has_requirements(&self) -> bool {
        !self.requires.is_empty()
    }

    pub(crate) fn cell_error(&self, column: &str, message: impl Into<String>) -> Error {
        Error::Cell { table: self.name.clone(), column: column.into(), message: message.into() }
    }

    /// The columns that must be computed for some of them, besides those that are known already.
    fn needed(&self, wanted: &[usize], known: &[Option<Series>]) -> Vec<bool> {
        // What the requirements read must be computed too, since they decide which attempt a row comes from.
        let mut needed = vec![false; self.columns.len()];
        let mut open: Vec<usize> = wanted.to_vec();
        open.extend(self.requires.iter().flat_map(|r| r.inputs.iter().copied()));
        while let Some(at) = open.pop() {
            let is_known = known.get(at).is_some_and(Option::is_some);
            if !is_known && !std::mem::replace(&mut needed[at], true) {
                open.extend(&self.columns[at].inputs);
            }
        }
        needed
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
                if !value.unwrap_or(self.null_holds) && slot.is_none() {
                    *slot = Some(number);
                }
            }
        }
        Ok(missed.into_iter().enumerate().filter_map(|(at, number)| Some((at as u32, number?))).collect())
    }
}

impl TablePlan {
    /// Makes the written columns of these rows, with their anomalies.
    ///
    /// # Errors
    /// When a row lies beyond the table's end, a cell cannot be made, or a row never meets its requirements.
    pub fn frame(&self, rows: &Rows) -> Result<DataFrame, Error> {
        if self.has_anomalies() {
            return Ok(self.spoilt(rows)?.frame);
        }
        self.clean(rows)
    }

    /// Makes the written columns of these rows as they are without anomalies.
    ///
    /// # Errors
    /// As [`frame`](Self::frame).
    pub fn clean(&self, rows: &Rows) -> Result<DataFrame, Error> {
        self.frame_of(rows, &self.written())
    }

    /// Makes these rows with their anomalies, the same rows without, and the list of what was changed.
    ///
    /// # Errors
    /// As [`frame`](Self::frame).
    pub fn spoilt(&self, rows: &Rows) -> Result<Spoilt, Error> {
        if !self.has_anomalies() {
            let clean = self.clean(rows)?;
            return Ok(Spoilt { frame: clean.clone(), clean, marks: Vec::new() });
        }
        self.tables.spoil(self.at, rows, &self.written())
    }

    fn written(&self) -> Vec<usize> {
        (0..self.columns.len()).filter(|at| self.columns[*at].written).collect()
    }

    /// Makes some columns of these rows, given by name, in the order given; columns have their anomalies, draws have none.
    /// Only what they need is computed.
    ///
    /// # Errors
    /// As [`frame`](Self::frame); and when a name is not a column or draw of the table.
    pub fn select(&self, rows: &Rows, names: &[&str]) -> Result<DataFrame, Error> {
        let label = self.injector.as_ref().and_then(|injector| injector.label.as_deref());
        let find = |name: &str| self.columns.iter().position(|c| c.name == name);
        for name in names.iter().filter(|name| Some(**name) != label) {
            find(name).ok_or_else(|| self.cell_error(name, "the table has no such column"))?;
        }
        let numbers: Vec<usize> = names.iter().filter_map(|name| find(name)).collect();
        if !self.has_anomalies() {
            return self.frame_of(rows, &numbers);
        }
        let frame = self.tables.spoil(self.at, rows, &numbers)?.frame;
        frame.select(names.iter().copied()).map_err(|error| Error::Internal(error.to_string()))
    }

    fn frame_of(&self, rows: &Rows, wanted: &[usize]) -> Result<DataFrame, Error> {
        let series = self.tables.frame(self.at, rows, wanted)?;
        let columns = wanted
            .iter()
            .zip(series)
            .map(|(at, series)| series.with_name(self.columns[*at].name.as_str().into()).into_column());
        DataFrame::new(rows.len(), columns.collect()).map_err(|error| Error::Internal(error.to_string()))
    }

    /// Of rows drawn once, the share that meet every requirement; 1 without requirements.
    ///
    /// # Errors
    /// As [`frame`](Self::frame).
    pub fn acceptance(&self, rows: &Rows) -> Result<f64, Error> {
        if self.requires.is_empty() || rows.is_empty() {
            return Ok(1.0);
        }
        let needed = self.needed(&[], &[]);
        let columns = self.tables.fill(self.at, rows, 0, &needed, Vec::new())?;
        let missed = self.missed(rows, 0, &columns)?;
        Ok(1.0 - missed.len() as f64 / rows.len() as f64)
    }
}

impl Tables {
    /// Makes some columns of some rows of a table, given by number.
    pub fn frame(&self, at: usize, rows: &Rows, wanted: &[usize]) -> Result<Vec<Series>, Error> {
        self.frame_with(at, rows, wanted, Vec::new())
    }

    /// The same, where some columns of these rows are known: nothing, or a series or none for each column.
    pub fn frame_with(
        &self,
        at: usize,
        rows: &Rows,
        wanted: &[usize],
        mut known: Vec<Option<Series>>,
    ) -> Result<Vec<Series>, Error> {
        let table = &self.0[at];
        let last = match rows {
            Rows::Range(range) => (!range.is_empty()).then(|| range.end - 1),
            Rows::List(list) => list.iter().copied().max(),
        };
        if let Some(row) = last.filter(|row| *row >= table.rows) {
            return Err(Error::OutOfRange { table: table.name.clone(), rows: table.rows, row });
        }
        if !table.requires.is_empty() {
            // A row's attempt is found out by drawing it.
            known.clear();
        }
        let needed = table.needed(wanted, &known);
        let mut columns = self.fill(at, rows, 0, &needed, known)?;
        if !table.requires.is_empty() && !rows.is_empty() {
            self.redraw(at, rows, &needed, &mut columns)?;
        }
        Ok(wanted.iter().map(|at| columns[*at].clone().expect("wanted columns are filled")).collect())
    }

    fn fill(
        &self,
        at: usize,
        rows: &Rows,
        attempt: u32,
        needed: &[bool],
        mut filled: Vec<Option<Series>>,
    ) -> Result<Vec<Option<Series>>, Error> {
        let table = &self.0[at];
        filled.resize(table.columns.len(), None);
        for group in &table.groups {
            let wanted = group.columns().any(|at| needed[at]);
            let words = wanted.then(|| group.fill(&Block::new(rows, attempt, &[])));
            filled.resize(group.inputs().end, None);
            for (at, words) in group.inputs().zip(words.into_iter().flatten()) {
                filled[at] = Some(words);
            }
        }
        for id in table.order.iter().copied().filter(|id| needed[*id]) {
            if filled[id].is_some() {
                // Made along with another column.
                continue;
            }
            let column = &table.columns[id];
            match &column.source {
                Source::Rule(spec) => {
                    let series = spec
                        .fill(&Block::new(rows, attempt, &filled))
                        .map_err(|failure| table.cell_error(&column.name, failure.message))?;
                    if series.len() != rows.len() {
                        let message =
                            format!("the kind made {} values for {} rows", series.len(), rows.len());
                        return Err(table.cell_error(&column.name, message));
                    }
                    filled[id] = Some(series);
                }
                Source::Link(link) => self.fill_link(at, *link, rows, attempt, &mut filled)?,
                Source::Parent { link, .. } => {
                    let wanted: Vec<(usize, usize)> = (0..table.columns.len())
                        .filter(|own| needed[*own])
                        .filter_map(|own| match table.columns[own].source {
                            Source::Parent { link: other, column } if other == *link => Some((own, column)),
                            _ => None,
                        })
                        .collect();
                    self.fill_inherited(at, *link, &wanted, &mut filled)?;
                }
                Source::Subset(parts) => filled[id] = Some(parts.fill(rows)),
                Source::Given(_) => {
                    let wanted: Vec<(usize, usize)> = (0..table.columns.len())
                        .filter(|own| needed[*own])
                        .filter_map(|own| match table.columns[own].source {
                            Source::Given(place) => Some((own, place)),
                            _ => None,
                        })
                        .collect();
                    let given =
                        table.given.as_deref().ok_or_else(|| Error::Internal("no rows are given".into()))?;
                    self.fill_given(at, given, &wanted, rows, &mut filled)?;
                }
                Source::File { file, .. } => {
                    let wanted: Vec<(usize, usize)> = (0..table.columns.len())
                        .filter(|own| needed[*own])
                        .filter_map(|own| match table.columns[own].source {
                            Source::File { file: other, place } if other == *file => Some((own, place)),
                            _ => None,
                        })
                        .collect();
                    self.fill_from_file(at, *file, &wanted, rows, &mut filled)?;
                }
                Source::Children(children) => {
                    filled[id] = Some(self.fill_children(at, id, children, rows)?);
                }
            }
        }
        filled.truncate(table.columns.len());
        Ok(filled)
    }

    /// Draws the rows that miss a requirement again, and again, each time with the next attempt in every address.
    fn redraw(
        &self,
        at: usize,
        rows: &Rows,
        needed: &[bool],
        columns: &mut [Option<Series>],
    ) -> Result<(), Error> {
        let table = &self.0[at];
        let internal = |error: PolarsError| Error::Internal(error.to_string());
        let mut missed = table.missed(rows, 0, columns)?;
        let first = missed.len();
        // Where each row's values come from once the redrawn rows are put behind the others.
        let mut index: Vec<u32> = (0..rows.len() as u32).collect();
        let mut behind = rows.len() as u32;
        for attempt in 1..=MAX_ATTEMPTS {
            let Some((position, number)) = missed.first().copied() else { break };
            if attempt == MAX_ATTEMPTS {
                return Err(Error::Require {
                    table: table.name.clone(),
                    row: rows.get(position as usize),
                    condition: table.requires[number].text.clone(),
                    attempts: attempt,
                    met: rows.len() - first,
                    of: rows.len(),
                });
            }
            let positions: Vec<u32> = missed.iter().map(|(at, _)| *at).collect();
            let again = rows.select(&positions);
            let fresh = self.fill(at, &again, attempt, needed, Vec::new())?;
            let still = table.missed(&again, attempt, &fresh)?;
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
    pub fn try_requirements(&self, at: usize, requires: &[Node], problems: &mut Problems) {
        let table = &self.0[at];
        if table.requires.is_empty() || table.rows == 0 {
            return;
        }
        let rows = Rows::Range(0..table.rows.min(256));
        let wanted: Vec<usize> = (0..table.columns.len()).filter(|at| table.columns[*at].written).collect();
        if let Err(error) = self.frame(at, &rows, &wanted)
            && let Error::Require { condition, .. } = &error
        {
            let node = requires.iter().find(|n| n.as_scalar().is_some_and(|s| s.text == *condition));
            problems.push(
                Diagnostic::error("cannot-hold", node.map(|n| n.span), error.to_string())
                    .label("this never or hardly ever holds")
                    .help("make the columns meet it by construction: `truncate`, `by` and `cases`, or an `expr`"),
            );
        }
    }
}
