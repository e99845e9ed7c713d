//! Two tables, cell by cell.

use std::ops::Range;

use lookalike_engine::run::UNIT_ROWS;
use lookalike_io::texts;
use lookalike_ruleset::{Field, Type};
use polars::prelude::*;
use sha2::{Digest, Sha256};

use super::folders::File;
use super::{CellChange, ColumnChange, Options, RowName, TableDifference, Tolerance};
use crate::Error;
use crate::lock::What;

/// Compares the rows of two files. `known` is the key that the data's manifest names.
pub(super) fn compare(
    table: &str,
    before: &File,
    after: &File,
    known: &[String],
    options: &Options,
) -> Result<TableDifference, Error> {
    let wanted = if options.key.is_empty() { known } else { &options.key };
    let keys = [before, after].map(|file| key_columns(file, wanted));
    let [before_key, after_key] = match (keys, options.key.is_empty()) {
        ([Ok(a), Ok(b)], _) => [a, b],
        // A key that nobody asked for and that is not there.
        (_, true) => [Vec::new(), Vec::new()],
        ([Err(error), _] | [_, Err(error)], false) => return Err(error),
    };
    let shared = shared_columns(before, after, options);
    let mut found = TableDifference {
        table: table.to_owned(),
        key: if before_key.is_empty() { Vec::new() } else { wanted.to_vec() },
        rows_before: Some(before.source.rows()),
        rows_after: Some(after.source.rows()),
        structure: structure(before, after, options),
        changed_cells: shared.iter().map(|column| (column.name.clone(), 0)).collect(),
        ..TableDifference::default()
    };
    let sides = Sides { before, after, before_key, after_key, shared, shown: options.shown };
    sides.look(&mut found)?;
    found.changed_cells.retain(|(_, cells)| *cells > 0);
    Ok(found)
}

/// A column that both sides have.
struct Shared {
    name: String,
    at: [usize; 2],
    fields: [Field; 2],
    tolerance: Option<Tolerance>,
}

struct Sides<'a> {
    before: &'a File,
    after: &'a File,
    before_key: Vec<usize>,
    after_key: Vec<usize>,
    shared: Vec<Shared>,
    shown: usize,
}

/// Places of the columns of a key.
fn key_columns(file: &File, key: &[String]) -> Result<Vec<usize>, Error> {
    let fields = &file.source.schema().fields;
    let place = |name: &String| {
        fields.iter().position(|field| field.name == *name).ok_or_else(|| {
            let known: Vec<_> = fields.iter().map(|field| format!("`{}`", field.name)).collect();
            let known = known.join(", ");
            Error::Request(format!(
                "{} has no column `{name}` for a key; it has {known}",
                file.path.display()
            ))
        })
    };
    key.iter().map(place).collect()
}

fn shared_columns(before: &File, after: &File, options: &Options) -> Vec<Shared> {
    let others = &after.source.schema().fields;
    let column = |(at, field): (usize, &Field)| {
        let other = others.iter().position(|other| other.name == field.name)?;
        let allowed = options.tolerance.iter().rev();
        let tolerance = allowed.clone().find(|(of, _)| of.as_ref() == Some(&field.name));
        let tolerance = tolerance.or_else(|| allowed.clone().find(|(of, _)| of.is_none()));
        Some(Shared {
            name: field.name.clone(),
            at: [at, other],
            fields: [field.clone(), others[other].clone()],
            tolerance: tolerance.map(|(_, tolerance)| *tolerance),
        })
    };
    let fields = before.source.schema().fields.iter().enumerate();
    fields.filter(|(_, field)| !options.ignore.contains(&field.name)).filter_map(column).collect()
}

/// What differs in the columns themselves. Types count where both formats say them: those of text are only found.
fn structure(before: &File, after: &File, options: &Options) -> Vec<ColumnChange> {
    let (old, new) = (&before.source.schema().fields, &after.source.schema().fields);
    let asked = |field: &&Field| !options.ignore.contains(&field.name);
    let mut changes = Vec::new();
    let mut push = |column: Option<&Field>, what| {
        changes.push(ColumnChange { column: column.map(|field| field.name.clone()), what });
    };
    for field in old.iter().filter(asked) {
        match new.iter().find(|other| other.name == field.name) {
            None => push(Some(field), What::Gone),
            Some(other) if before.is_typed && after.is_typed && other.ty != field.ty => {
                let what = What::Type { before: field.ty.to_string(), after: other.ty.to_string() };
                push(Some(field), what);
            }
            Some(_) => {}
        }
    }
    let place = |field: &Field| old.iter().position(|other| other.name == field.name);
    for field in new.iter().filter(asked).filter(|field| place(field).is_none()) {
        push(Some(field), What::New);
    }
    let places: Vec<usize> = new.iter().filter(asked).filter_map(place).collect();
    if !places.is_sorted() {
        push(None, What::Order);
    }
    changes
}

impl Sides<'_> {
    fn look(&self, found: &mut TableDifference) -> Result<(), Error> {
        let (before, after) = (self.before.source.rows(), self.after.source.rows());
        let mut pairs: Option<Vec<(u64, u64)>> = None;
        let (mut removed, mut added): (Vec<Range<u64>>, Vec<Range<u64>>) = (Vec::new(), Vec::new());
        if self.before_key.is_empty() {
            removed.push(after.min(before)..before);
            added.push(before.min(after)..after);
        } else {
            let (old, new) = (hashes(self.before, &self.before_key)?, hashes(self.after, &self.after_key)?);
            let [old_sorted, new_sorted] = [(self.before, &old), (self.after, &new)].map(|(file, hashes)| {
                let mut sorted: Vec<(u128, u64)> = hashes.iter().copied().zip(0..).collect();
                sorted.sort_unstable();
                match sorted.windows(2).find(|pair| pair[0].0 == pair[1].0) {
                    None => Ok(sorted),
                    Some(pair) => Err(Error::Request(format!(
                        "{} is no key of {}: rows {} and {} have the same values",
                        found.key.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", "),
                        file.path.display(),
                        pair[0].1,
                        pair[1].1
                    ))),
                }
            });
            let find = |sorted: &[(u128, u64)], hash: u128| {
                sorted.binary_search_by_key(&hash, |entry| entry.0).ok().map(|at| sorted[at].1)
            };
            let (old_sorted, new_sorted) = (old_sorted?, new_sorted?);
            // The usual case needs no list of pairs.
            if old != new {
                let mut both = Vec::new();
                for (row, hash) in (0..).zip(&old) {
                    match find(&new_sorted, *hash) {
                        Some(other) => both.push((row, other)),
                        None => push_row(&mut removed, row),
                    }
                }
                for (row, _) in (0..).zip(&new).filter(|(_, hash)| find(&old_sorted, **hash).is_none()) {
                    push_row(&mut added, row);
                }
                pairs = Some(both);
            }
        }
        let length = |ranges: &[Range<u64>]| ranges.iter().map(|range| range.end - range.start).sum();
        (found.removed, found.added) = (length(&removed), length(&added));
        found.first_removed = self.names(self.before, &self.before_key, &removed)?;
        found.first_added = self.names(self.after, &self.after_key, &added)?;
        match pairs {
            None => {
                let both = before.min(after);
                for start in (0..both).step_by(UNIT_ROWS as usize) {
                    let rows: Vec<u64> = (start..both.min(start + UNIT_ROWS)).collect();
                    self.block(&rows, &rows, found)?;
                }
            }
            Some(pairs) => {
                for pairs in pairs.chunks(UNIT_ROWS as usize) {
                    let (old, new): (Vec<u64>, Vec<u64>) = pairs.iter().copied().unzip();
                    self.block(&old, &new, found)?;
                }
            }
        }
        Ok(())
    }

    /// Compares rows that belong to each other.
    fn block(&self, old: &[u64], new: &[u64], found: &mut TableDifference) -> Result<(), Error> {
        let wanted = |side: usize| self.shared.iter().map(|column| column.at[side]).collect::<Vec<_>>();
        let (old_frame, new_frame) =
            (read(self.before, old, &wanted(0))?, read(self.after, new, &wanted(1))?);
        let mut any = vec![false; old.len()];
        let mut masks = Vec::new();
        for (at, column) in self.shared.iter().enumerate() {
            let (a, b) = (series(&old_frame, at), series(&new_frame, at));
            let mask = differing(&column.fields, a, b, column.tolerance)?;
            let cells = mask.iter().filter(|differs| **differs).count() as u64;
            found.changed_cells[at].1 += cells;
            if cells > 0 {
                any.iter_mut().zip(&mask).for_each(|(any, differs)| *any |= differs);
            }
            masks.push((cells > 0).then_some(mask));
        }
        for row in (0..old.len()).filter(|row| any[*row]) {
            found.changed_rows += 1;
            if found.cells.len() >= self.shown {
                continue;
            }
            let name = self.name(self.before, &self.before_key, old[row])?;
            for (at, column) in self.shared.iter().enumerate() {
                if found.cells.len() < self.shown && masks[at].as_ref().is_some_and(|mask| mask[row]) {
                    found.cells.push(CellChange {
                        row: name.clone(),
                        row_after: new[row],
                        column: column.name.clone(),
                        before: text(&column.fields[0], series(&old_frame, at), row)?,
                        after: text(&column.fields[1], series(&new_frame, at), row)?,
                    });
                }
            }
        }
        Ok(())
    }

    /// The first of some rows.
    fn names(&self, file: &File, key: &[usize], rows: &[Range<u64>]) -> Result<Vec<RowName>, Error> {
        rows.iter().cloned().flatten().take(self.shown).map(|row| self.name(file, key, row)).collect()
    }

    fn name(&self, file: &File, key: &[usize], row: u64) -> Result<RowName, Error> {
        if key.is_empty() {
            return Ok(RowName { row, key: Vec::new() });
        }
        let frame = file.source.columns(row..row + 1, key)?;
        let fields = &file.source.schema().fields;
        let key = key.iter().enumerate().map(|(at, column)| text(&fields[*column], series(&frame, at), 0));
        Ok(RowName { row, key: key.collect::<Result<_, Error>>()? })
    }
}

/// Adds a row to ranges that rise.
fn push_row(ranges: &mut Vec<Range<u64>>, row: u64) {
    match ranges.last_mut() {
        Some(last) if last.end == row => last.end += 1,
        _ => ranges.push(row..row + 1),
    }
}

fn read(file: &File, rows: &[u64], wanted: &[usize]) -> Result<DataFrame, Error> {
    let (Some(first), Some(last)) = (rows.first(), rows.last()) else { return Ok(DataFrame::default()) };
    let in_a_row = rows.windows(2).all(|pair| pair[0] + 1 == pair[1]);
    Ok(if in_a_row {
        file.source.columns(*first..last + 1, wanted)?
    } else {
        file.source.scattered(rows, wanted)?
    })
}

fn series(frame: &DataFrame, at: usize) -> &Series {
    frame.columns()[at].as_materialized_series()
}

fn text(field: &Field, series: &Series, row: usize) -> Result<Option<String>, Error> {
    Ok(texts(field, &series.slice(row as i64, 1))?.get(0).map(str::to_owned))
}

/// Of each row, a digest of its key.
fn hashes(file: &File, key: &[usize]) -> Result<Vec<u128>, Error> {
    let rows = file.source.rows();
    let fields = &file.source.schema().fields;
    let mut hashes = Vec::with_capacity(usize::try_from(rows).unwrap_or(0));
    for start in (0..rows).step_by(UNIT_ROWS as usize) {
        let frame = file.source.columns(start..rows.min(start + UNIT_ROWS), key)?;
        let columns = key.iter().enumerate().map(|(at, column)| texts(&fields[*column], series(&frame, at)));
        let columns = columns.collect::<Result<Vec<_>, _>>()?;
        let mut columns: Vec<_> = columns.iter().map(|texts| texts.iter()).collect();
        for _ in 0..frame.height() {
            let mut hasher = Sha256::new();
            for values in &mut columns {
                let value = values.next().flatten();
                hasher.update([u8::from(value.is_some())]);
                let value = value.unwrap_or_default();
                hasher.update((value.len() as u64).to_le_bytes());
                hasher.update(value);
            }
            let digest = hasher.finalize();
            hashes.push(digest.iter().take(16).fold(0, |hash, byte| hash << 8 | u128::from(*byte)));
        }
    }
    Ok(hashes)
}

/// Which rows have different values.
fn differing(
    fields: &[Field; 2],
    a: &Series,
    b: &Series,
    tolerance: Option<Tolerance>,
) -> Result<Vec<bool>, Error> {
    let internal = |error: PolarsError| lookalike_engine::Error::Internal(error.to_string());
    let [old, new] = [fields[0].ty, fields[1].ty];
    let numbers = |series: &Series| -> Result<Float64Chunked, Error> {
        let floats = series.cast(&DataType::Float64).map_err(internal)?;
        Ok(floats.f64().map_err(internal)?.clone())
    };
    let units = |series: &Series| -> Result<Int64Chunked, Error> {
        let whole = series.to_physical_repr().cast(&DataType::Int64).map_err(internal)?;
        Ok(whole.i64().map_err(internal)?.clone())
    };
    if old.is_number() && new.is_number() && (old != new || old == Type::Float || tolerance.is_some()) {
        let same = |a: f64, b: f64| {
            a == b || a.is_nan() && b.is_nan() || tolerance.is_some_and(|tolerance| tolerance.allows(a, b))
        };
        let (a, b) = (numbers(a)?, numbers(b)?);
        let differs = |(a, b): (Option<f64>, Option<f64>)| match (a, b) {
            (Some(a), Some(b)) => !same(a, b),
            (a, b) => a.is_some() != b.is_some(),
        };
        return Ok(a.iter().zip(b.iter()).map(differs).collect());
    }
    if old == new && old != Type::Text {
        let (a, b) = (units(a)?, units(b)?);
        return Ok(a.iter().zip(b.iter()).map(|(a, b)| a != b).collect());
    }
    let (a, b) = (texts(&fields[0], a)?, texts(&fields[1], b)?);
    Ok(a.iter().zip(b.iter()).map(|(a, b)| a != b).collect())
}
