//! Keys: those of parents, found again by their children, and those that are made anew.

use std::collections::HashMap;

use lookalike_ruleset::{TableSchema, Type};
use polars::prelude::*;

use super::picks::{Bits, Picks};
use super::{MAX_PARENTS, Merged, Part, Refused, find, reconcile};
use crate::generator::Failure;
use crate::plan::Error;
use crate::run::BLOCK_ROWS;

/// The keys of a parent's rows in one part.
pub(super) struct Keys {
    rows: HashMap<Key, u64>,
    /// For each row taken, its number in the merged table.
    numbers: Vec<u64>,
    picks: Picks,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Key {
    Int(i64),
    Text(Box<str>),
}

impl std::fmt::Display for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Key::Int(key) => key.fmt(f),
            Key::Text(key) => write!(f, "`{key}`"),
        }
    }
}

impl<E: From<Error>> Merged<E> {
    /// A key of text that no other input nor copy has.
    pub(super) fn text_key(&self, number: usize, text: &str, copy: u64) -> String {
        let name = &self.names[number];
        if copy == 0 { format!("{name}:{text}") } else { format!("{name}:{text}#{}", copy + 1) }
    }

    /// The new keys of the parents of some rows of a child: for the k-th copy of a row that of the parent's k-th, beginning
    /// again where the parent has no more.
    pub(super) fn parent_keys(
        &self,
        number: usize,
        keys: &Keys,
        series: &Series,
        copies: impl Iterator<Item = u64>,
    ) -> Result<Series, Failure> {
        let gone = || Failure::new("an input has changed since it was first read");
        // The parent's row, and which copy of it.
        let find = |old: &Key, copy: u64| {
            let row = *keys.rows.get(old).ok_or_else(gone)?;
            Ok::<_, Failure>((row, copy % keys.picks.copies(row).max(1)))
        };
        let olds = keys_of(series)?.into_iter().zip(copies);
        if *series.dtype() == DataType::String {
            let new = |(old, copy): (Option<Key>, u64)| match old {
                None => Ok(None),
                Some(old) => {
                    let (_, copy) = find(&old, copy)?;
                    let Key::Text(old) = old else { return Err(gone()) };
                    Ok(Some(self.text_key(number, &old, copy)))
                }
            };
            return Ok(olds.map(new).collect::<Result<StringChunked, Failure>>()?.into_series());
        }
        let new = |(old, copy): (Option<Key>, u64)| {
            let Some(old) = old else { return Ok(None) };
            let (row, copy) = find(&old, copy)?;
            let number = keys.numbers.get((keys.picks.before(row) + copy) as usize).ok_or_else(gone)?;
            Ok(Some(*number as i64 + 1))
        };
        Ok(olds.map(new).collect::<Result<Int64Chunked, Failure>>()?.into_series())
    }

    /// The keys of a part's rows, for a child with a part of the same number.
    pub(super) fn keys(&self, number: usize, child: &str, name: &str) -> Result<Keys, Refused<E>> {
        let Some(at) = self.key else {
            let message = format!("`{}` is the parent of `{child}`, so it needs a `key`", self.schema.table);
            return Err(Refused::Rule(message));
        };
        let Some(part) = self.parts.get(number) else {
            return Err(Refused::Rule(format!("{name} has no parent: the inputs of `{child}` are others")));
        };
        let Some((place, _)) = part.columns[at] else {
            let message = format!("{} has no column `{}`", part.name, self.schema.fields[at].name);
            return Err(Refused::Rule(message));
        };
        let all = part.input.rows();
        if all > MAX_PARENTS || part.picks.len() > MAX_PARENTS {
            let message =
                format!("{} has {all} rows; a table with children has at most {MAX_PARENTS}", part.name);
            return Err(Refused::Rule(message));
        }
        let mut rows: HashMap<Key, u64> = HashMap::new();
        for start in (0..all).step_by(BLOCK_ROWS) {
            let frame = part.input.columns(start..all.min(start + BLOCK_ROWS as u64), &[place])?;
            let series = frame.columns()[0].as_materialized_series();
            let series = reconcile::convert(series, self.schema.fields[at].ty)
                .map_err(|f| Refused::Rule(f.message))?;
            for (row, key) in (start..).zip(keys_of(&series).map_err(|f| Refused::Rule(f.message))?) {
                let column = &self.schema.fields[at].name;
                let Some(key) = key else {
                    let message = format!("{}: the key `{column}` is null in row {row}", part.name);
                    return Err(Refused::Rule(message));
                };
                if let Some(first) = rows.insert(key.clone(), row) {
                    let message =
                        format!("{}: the key `{column}` is {key} in two rows, {first} and {row}", part.name);
                    return Err(Refused::Rule(message));
                }
            }
        }
        let mut numbers = vec![0; part.picks.len() as usize];
        for start in (0..self.rows()).step_by(BLOCK_ROWS) {
            let (of, before) = self.interleave.look(start..self.rows().min(start + BLOCK_ROWS as u64));
            let own = (start..).zip(of).filter(|(_, part)| *part as usize == number);
            for (next, (row, _)) in (before[number]..).zip(own) {
                numbers[next as usize] = row;
            }
        }
        Ok(Keys { rows, numbers, picks: part.picks.clone() })
    }
}

/// The position of a column that is or names a key, which is made anew: whole numbers or text.
pub(super) fn key_column<E>(
    schema: &mut TableSchema,
    name: &str,
    inputs: &[(&str, &TableSchema)],
) -> Result<usize, Refused<E>> {
    let at = find(schema, name)?;
    let field = &mut schema.fields[at];
    if !matches!(field.ty, Type::Int | Type::Text) {
        let message = format!("`{name}` is {}, and keys are whole numbers or text", field.ty);
        return Err(Refused::Rule(message));
    }
    field.plain = false;
    if let Some((input, _)) = inputs.iter().find(|(_, schema)| schema.fields.iter().all(|f| f.name != name)) {
        return Err(Refused::Rule(format!("{input} has no column `{name}`, which is a key")));
    }
    Ok(at)
}

/// Keys of whole numbers or text.
fn keys_of(series: &Series) -> Result<Vec<Option<Key>>, Failure> {
    Ok(match series.dtype() {
        DataType::Int64 => series.i64()?.iter().map(|key| key.map(Key::Int)).collect(),
        _ => series.str()?.iter().map(|key| key.map(|key| Key::Text(key.into()))).collect(),
    })
}

/// Which rows of a child are taken, each as often as its first parent, if all are taken; and how many lack a parent.
pub(super) fn follow<E: From<Error>>(
    part: &Part<E>,
    columns: &[(usize, Type)],
    parents: &[Keys],
) -> Result<(Picks, u64), Refused<E>> {
    let all = part.input.rows();
    let (mut bits, mut orphans) = (Bits::default(), 0);
    if columns.is_empty() {
        return Ok((Picks::Bits(bits), 0));
    }
    let places: Vec<usize> = columns.iter().map(|(place, _)| *place).collect();
    let failed = |failure: Failure| Refused::Rule(format!("{}: {}", part.name, failure.message));
    for start in (0..all).step_by(BLOCK_ROWS) {
        let frame = part.input.columns(start..all.min(start + BLOCK_ROWS as u64), &places)?;
        let mut keys = Vec::with_capacity(columns.len());
        for (column, (_, ty)) in frame.columns().iter().zip(columns) {
            let series = reconcile::convert(column.as_materialized_series(), *ty).map_err(failed)?;
            keys.push(keys_of(&series).map_err(failed)?);
        }
        for row in 0..frame.height() {
            // Of each parent how often it is taken; none where there is no such row.
            let mut copies = keys.iter().zip(parents).map(|(keys, parent)| {
                keys[row].as_ref().map(|key| parent.rows.get(key).map(|row| parent.picks.copies(*row)))
            });
            let first = copies.next().flatten().flatten();
            // A further parent may be null.
            let others: Option<Vec<u64>> = copies.flatten().collect();
            match first.zip(others) {
                None => {
                    orphans += 1;
                    bits.push(0);
                }
                Some((copies, others)) => bits.push(if others.contains(&0) { 0 } else { copies }),
            }
        }
    }
    Ok((Picks::Bits(bits), orphans))
}
