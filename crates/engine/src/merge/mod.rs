//! Merging: rows of several inputs in one table, in exact shares, with keys that stay apart and children that follow their
//! parents.
//!
//! A merged table makes any of its rows alone, as every table here does: which input a row comes from is dealt by a keyed
//! permutation, and so is which of an input's rows are taken. Rows of an input stay in their order, so that files are read
//! from front to back. What a merge holds is about two bits for each row of an input that is not taken whole, and, of a
//! table with children, the key of each row.

pub(crate) mod deal;
mod keys;
pub(crate) mod picks;
mod reconcile;
mod sample;

use std::ops::Range;
use std::sync::Arc;

use lookalike_core::Seed;
use lookalike_ruleset::subset::Align;
use lookalike_ruleset::{Field, TableSchema, Type};
use polars::prelude::*;

use crate::array;
use crate::generator::{Categories, Failure, Output};
use crate::plan::Error;
use crate::run::BLOCK_ROWS;
use crate::shares::largest_remainder;
use crate::subsets::aligned;
use deal::Interleave;
use keys::{Keys, follow, key_column};
use picks::Picks;
use sample::sample;

pub use reconcile::{Conflict, reconcile};

/// Most rows of a table with children in one input: their keys are held.
pub const MAX_PARENTS: u64 = 1 << 24;

/// Most different combinations of values in the columns by which rows are stratified.
pub const MAX_STRATA: usize = 65_536;

/// Rows between two that are wanted, from which on they are read apart.
const GAP: u64 = 256;

/// Rows that can be read anywhere and from any thread; `E` is what can go wrong.
pub trait Input<E>: Send + Sync {
    /// Names and types of the columns.
    fn schema(&self) -> &TableSchema;

    /// How many rows there are.
    fn rows(&self) -> u64;

    /// Reads some rows: the columns at these places of the schema.
    ///
    /// # Errors
    /// When they cannot be read.
    fn columns(&self, rows: Range<u64>, wanted: &[usize]) -> Result<DataFrame, E>;
}

/// One input of a table that is to be merged.
pub struct Part<E> {
    /// What it is called in messages, such as the name of a file.
    pub name: String,
    /// The rows.
    pub input: Arc<dyn Input<E>>,
    /// How many rows are to come from it; ignored where they follow from a parent's.
    pub rows: u64,
    /// How its times are moved, and the point in time that a stretch leaves where it is, in microseconds.
    pub align: Option<(Align, i64)>,
}

/// How a table is merged, besides its parts.
pub struct Rule {
    /// Name of the table.
    pub table: String,
    /// Names of the inputs, as keys and provenance have them, in the order of the parts.
    pub names: Vec<String>,
    /// Chance.
    pub seed: Seed,
    /// Whether the parts lie mixed; else one after the other.
    pub interleaved: bool,
    /// Whether rows are drawn with replacement.
    pub replace: bool,
    /// Columns whose values, combined, keep their shares in each part.
    pub stratify: Vec<String>,
    /// The column whose values are made anew, so that no two rows have the same.
    pub key: Option<String>,
    /// Name of a column that says which input a row comes from.
    pub provenance: Option<String>,
}

/// Which of a parent's rows a child's are of. Of several parents the first one leads: a row of the child comes as often as
/// its first parent's row, provided that all its parents' rows are taken at all; one that has no further parent (null) does
/// without.
pub struct Parent<'a, E> {
    /// The parent's table, merged.
    pub table: &'a Merged<E>,
    /// The child's column with the parent's key.
    pub column: String,
}

/// Why a table cannot be merged.
#[derive(Debug)]
pub enum Refused<E> {
    /// Rows could not be read.
    Read(E),
    /// Columns do not go together.
    Conflicts(Vec<Conflict>),
    /// Anything else, in words.
    Rule(String),
}

impl<E> From<E> for Refused<E> {
    fn from(error: E) -> Refused<E> {
        Refused::Read(error)
    }
}

/// A merged table, ready to make any of its rows.
pub struct Merged<E> {
    schema: TableSchema,
    names: Vec<String>,
    parts: Vec<Ready<E>>,
    interleave: Interleave,
    /// Position of the key that is made anew.
    key: Option<usize>,
    /// Positions of the parents' keys in the columns.
    parents: Vec<usize>,
    provenance: Option<Arc<Categories>>,
}

/// A part, ready.
struct Ready<E> {
    name: String,
    input: Arc<dyn Input<E>>,
    picks: Picks,
    /// For each column of the table, its position among the part's, and whether its times are moved.
    columns: Vec<Option<(usize, bool)>>,
    align: Option<(Align, i64)>,
    /// Of a child's parents, where the part's rows are.
    parents: Vec<Keys>,
    /// Rows of a child that lack a parent in the same input.
    orphans: u64,
}

/// What a merge took from an input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken {
    /// Rows that the input has.
    pub of: u64,
    /// Rows that come from it.
    pub rows: u64,
    /// Rows of a child that were left out because the input lacks a parent for them.
    pub orphans: u64,
}

/// Divides `rows` among inputs by shares, exactly by largest remainder.
pub fn by_shares(rows: u64, shares: &[f64]) -> Vec<u64> {
    largest_remainder(rows, shares)
}

/// The largest number of rows that inputs of these sizes give in these shares without taking a row twice.
pub fn most_rows(sizes: &[u64], shares: &[f64]) -> u64 {
    let sum: f64 = shares.iter().sum();
    let most = |(size, share): (&u64, &f64)| if *share > 0.0 { *size as f64 * sum / share } else { f64::MAX };
    let mut rows = sizes.iter().zip(shares).map(most).fold(f64::MAX, f64::min).ceil();
    if rows >= 9e15 {
        return 0;
    }
    // Remainders may go either way by one row.
    rows += sizes.len() as f64;
    let mut rows = rows as u64;
    while rows > 0 && by_shares(rows, shares).iter().zip(sizes).any(|(wanted, size)| wanted > size) {
        rows -= 1;
    }
    rows
}

impl<E: From<Error>> Merged<E> {
    /// Prepares a merge: brings the types together and finds out which rows are taken.
    ///
    /// # Errors
    /// When rows cannot be read, types do not go together, or the rule does not fit the inputs.
    pub fn new(parts: Vec<Part<E>>, rule: &Rule, parents: &[Parent<'_, E>]) -> Result<Merged<E>, Refused<E>> {
        let inputs: Vec<(&str, &TableSchema)> =
            parts.iter().map(|part| (part.name.as_str(), part.input.schema())).collect();
        let mut schema = reconcile(&rule.table, &inputs).map_err(Refused::Conflicts)?;
        let key = rule.key.as_deref().map(|key| key_column(&mut schema, key, &inputs)).transpose()?;
        let mut parents_at = Vec::with_capacity(parents.len());
        for Parent { column, .. } in parents {
            let at = key_column(&mut schema, column, &inputs)?;
            if parents_at.contains(&at) {
                let message = format!("`{column}` of `{}` has the key of one parent only", rule.table);
                return Err(Refused::Rule(message));
            }
            parents_at.push(at);
        }
        for column in &rule.stratify {
            find(&schema, column)?;
            for (name, schema) in &inputs {
                if schema.fields.iter().all(|field| field.name != *column) {
                    let message = format!("{name} has no column `{column}` to stratify by");
                    return Err(Refused::Rule(message));
                }
            }
        }
        if !parents.is_empty() && !rule.stratify.is_empty() {
            let message =
                format!("rows of `{}` follow their parents, so they cannot be stratified", rule.table);
            return Err(Refused::Rule(message));
        }
        let mut ready = Vec::with_capacity(parts.len());
        for (number, part) in parts.into_iter().enumerate() {
            let own = part.input.schema();
            let moved = part.align.as_ref().map(|(align, _)| align.columns.as_slice()).unwrap_or_default();
            for column in moved {
                let at = find(&schema, &column.value)?;
                if !matches!(schema.fields[at].ty, Type::Date | Type::Datetime) {
                    let message = format!(
                        "`align` moves dates and stamps, but `{}` is {}",
                        column.value, schema.fields[at].ty
                    );
                    return Err(Refused::Rule(message));
                }
            }
            let position = |field: &Field| {
                let at = own.fields.iter().position(|other| other.name == field.name)?;
                Some((at, moved.iter().any(|column| column.value == field.name)))
            };
            let columns: Vec<Option<(usize, bool)>> = schema.fields.iter().map(position).collect();
            let seed = rule.seed.derive("part").derive(&rule.names[number]);
            let (mut found, mut orphans) = (Vec::with_capacity(parents.len()), 0);
            for parent in parents {
                found.push(parent.table.keys(number, &rule.table, &part.name)?);
            }
            let picks = if parents.is_empty() {
                sample(&part, rule, seed)?
            } else {
                let places: Option<Vec<(usize, Type)>> =
                    parents_at.iter().map(|at| Some((columns[*at]?.0, schema.fields[*at].ty))).collect();
                let (picks, lacking) = follow(&part, &places.unwrap_or_default(), &found)?;
                orphans = lacking;
                picks
            };
            ready.push(Ready {
                name: part.name,
                input: part.input,
                picks,
                columns,
                align: part.align,
                parents: found,
                orphans,
            });
        }
        for (parent, at) in parents.iter().zip(&parents_at) {
            let theirs = parent.table.key.map(|key| parent.table.schema.fields[key].ty);
            if theirs != Some(schema.fields[*at].ty) {
                let message = format!(
                    "`{}` of `{}` is {}, but the key of `{}` is {}",
                    parent.column,
                    rule.table,
                    schema.fields[*at].ty,
                    parent.table.schema.table,
                    theirs.map_or("none".to_owned(), |ty| ty.to_string())
                );
                return Err(Refused::Rule(message));
            }
        }
        let mut provenance = None;
        if let Some(name) = &rule.provenance {
            if schema.fields.iter().any(|field| field.name == *name) {
                let message =
                    format!("`{name}` is a column already; give the column of provenance another name");
                return Err(Refused::Rule(message));
            }
            let categories = Categories::new(rule.names.clone());
            let Output { ty, plain, json, .. } = Output::categories(categories.clone());
            let about = Some("which input the row comes from".to_owned());
            schema.fields.push(Field { name: name.clone(), ty, nullable: false, plain, json, about });
            provenance = Some(categories);
        }
        let sizes: Vec<u64> = ready.iter().map(|part| part.picks.len()).collect();
        let interleave =
            Interleave::new(&sizes, rule.interleaved.then(|| rule.seed.derive("order"))).counted();
        Ok(Merged {
            schema,
            names: rule.names.clone(),
            parts: ready,
            interleave,
            key,
            parents: parents_at,
            provenance,
        })
    }

    /// Names and types of the columns.
    pub fn schema(&self) -> &TableSchema {
        &self.schema
    }

    /// How many rows it has.
    pub fn rows(&self) -> u64 {
        self.interleave.rows()
    }

    /// What comes from each input, in the order of the parts.
    pub fn taken(&self) -> Vec<Taken> {
        let taken =
            |part: &Ready<E>| Taken { of: part.input.rows(), rows: part.picks.len(), orphans: part.orphans };
        self.parts.iter().map(taken).collect()
    }

    /// Makes some rows.
    ///
    /// # Errors
    /// When rows cannot be read, a value does not fit, or the rows lie beyond the table's end.
    pub fn frame(&self, rows: Range<u64>) -> Result<DataFrame, E> {
        if rows.end > self.rows() {
            let (table, rows, row) = (self.schema.table.clone(), self.rows(), rows.end - 1);
            return Err(Error::OutOfRange { table, rows, row }.into());
        }
        let (of, before) = self.interleave.look(rows.clone());
        let mut next = vec![0u64; self.parts.len()];
        // Where each row lies once the parts' rows are put one behind the other.
        let mut places = Vec::with_capacity(of.len());
        for part in &of {
            places.push(next[*part as usize]);
            next[*part as usize] += 1;
        }
        let mut starts = Vec::with_capacity(self.parts.len());
        let mut start = 0;
        for count in &next {
            starts.push(start);
            start += count;
        }
        let index: Vec<IdxSize> =
            of.iter().zip(&places).map(|(part, place)| (starts[*part as usize] + place) as IdxSize).collect();
        let mut columns: Vec<Option<Series>> =
            vec![None; self.parts.first().map_or(0, |part| part.columns.len())];
        for (number, part) in self.parts.iter().enumerate().filter(|(number, _)| next[*number] > 0) {
            let numbers = before[number]..before[number] + next[number];
            for (column, series) in columns.iter_mut().zip(self.part(number, part, numbers)?) {
                match column {
                    None => *column = Some(series),
                    Some(column) => {
                        column.append(&series).map_err(internal)?;
                    }
                }
            }
        }
        let mut made = Vec::with_capacity(self.schema.fields.len());
        for (at, (column, field)) in columns.into_iter().zip(&self.schema.fields).enumerate() {
            let series = match column {
                Some(column) => column.rechunk().take_slice(&index).map_err(internal)?,
                None => Series::new_empty("".into(), &array::dtype_of(field.ty)),
            };
            let series = match (self.key == Some(at), field.ty) {
                (true, Type::Int) => array::ints(rows.clone().map(|row| row as i64 + 1).collect()),
                _ => series,
            };
            made.push(series.with_name(field.name.as_str().into()).into_column());
        }
        if let (Some(categories), Some(field)) = (&self.provenance, self.schema.fields.last()) {
            let codes = array::codes(of.into_iter(), categories);
            made.push(codes.with_name(field.name.as_str().into()).into_column());
        }
        DataFrame::new((rows.end - rows.start) as usize, made).map_err(internal).map_err(E::from)
    }

    /// The columns of some of a part's rows, in the table's types and order.
    fn part(&self, number: usize, part: &Ready<E>, numbers: Range<u64>) -> Result<Vec<Series>, E> {
        let rows = part.picks.rows(numbers.clone());
        let found = read_rows(&*part.input, &rows)?;
        let cell = |column: &str, failure: Failure| Error::Cell {
            table: self.schema.table.clone(),
            column: column.to_owned(),
            message: format!("{}: {}", part.name, failure.message),
        };
        let copies = || numbers.clone().zip(&rows).map(|(k, row)| k - part.picks.before(*row));
        let mut columns = Vec::with_capacity(part.columns.len());
        for (at, (place, field)) in part.columns.iter().zip(&self.schema.fields).enumerate() {
            let Some((place, moved)) = place else {
                columns.push(Series::full_null("".into(), rows.len(), &array::dtype_of(field.ty)));
                continue;
            };
            let series = found.columns()[*place].as_materialized_series();
            let mut series = reconcile::convert(series, field.ty).map_err(|f| cell(&field.name, f))?;
            if let (true, Some((align, anchor))) = (*moved, &part.align) {
                series = aligned(&series, field.ty, |_| Some((align, *anchor)))
                    .map_err(|f| cell(&field.name, f))?;
            }
            if let Some(parent) = self.parents.iter().position(|parent| *parent == at) {
                series = self
                    .parent_keys(number, &part.parents[parent], &series, copies())
                    .map_err(|f| cell(&field.name, f))?;
            } else if self.key == Some(at) && field.ty == Type::Text {
                let texts = series.str().map_err(internal)?;
                let made = texts
                    .iter()
                    .zip(copies())
                    .map(|(text, copy)| text.map(|text| self.text_key(number, text, copy)));
                series = made.collect::<StringChunked>().into_series();
            }
            columns.push(series);
        }
        Ok(columns)
    }
}

fn internal(error: PolarsError) -> Error {
    Error::Internal(error.to_string())
}

/// The position of a column, or that there is none.
fn find<E>(schema: &TableSchema, name: &str) -> Result<usize, Refused<E>> {
    let known = || schema.fields.iter().map(|field| field.name.as_str());
    schema.fields.iter().position(|field| field.name == name).ok_or_else(|| {
        let help = lookalike_ruleset::diagnostic::did_you_mean(name, "columns", known());
        Refused::Rule(format!("no input of `{}` has a column `{name}`; {help}", schema.table))
    })
}

/// Reads rows in rising order, with repetitions; rows that lie far apart are read apart.
fn read_rows<E: From<Error>>(input: &dyn Input<E>, rows: &[u64]) -> Result<DataFrame, E> {
    let all: Vec<usize> = (0..input.schema().fields.len()).collect();
    let mut whole: Option<DataFrame> = None;
    let near = |a: &u64, b: &u64| b - a <= GAP;
    for run in rows.chunk_by(near) {
        let mut left = run;
        while let Some(first) = left.first().copied() {
            let (mine, rest) = left.split_at(left.partition_point(|row| row - first < BLOCK_ROWS as u64));
            left = rest;
            let last = mine.last().copied().unwrap_or(first);
            let mut frame = input.columns(first..last + 1, &all)?;
            if mine.len() as u64 != last + 1 - first || mine.windows(2).any(|pair| pair[0] == pair[1]) {
                let index: Vec<IdxSize> = mine.iter().map(|row| (row - first) as IdxSize).collect();
                frame = frame.take(&IdxCa::from_vec("".into(), index)).map_err(internal)?;
            }
            match &mut whole {
                None => whole = Some(frame),
                Some(whole) => {
                    whole.vstack_mut(&frame).map_err(internal)?;
                }
            }
        }
    }
    match whole {
        Some(whole) => Ok(whole),
        None => input.columns(0..0, &all),
    }
}

#[cfg(test)]
mod tests;
