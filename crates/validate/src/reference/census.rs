//! What all rows of a table are looked through for, in one pass and in bounded memory, where all else is computed from a sample:
//! rows and values that real ones equal, and keys that repeat.

use lookalike_core::Rows;
use polars::prelude::*;

use super::{Role, Table};
use crate::cells::{hash, hash_word};
use crate::rules::keys::{Keys, common, repeated, with_company};

/// The columns that are looked at.
#[derive(Clone, Debug, Default)]
pub struct Sought {
    /// Rows are the same that are equal in all of these.
    pub rows: Vec<(String, Role)>,
    /// Columns of names, ids and free text, each for itself.
    pub values: Vec<String>,
    /// Columns that name a row together.
    pub key: Vec<String>,
}

/// What was found in the rows of one table: hashes of 96 bits, sorted on disk where there are many.
#[derive(Debug, Default)]
pub struct Census {
    rows: Keys,
    values: Vec<Keys>,
    key: Keys,
    /// Whether the key of a row is wholly null.
    void: bool,
}

impl Sought {
    /// All columns that are looked at; some may come twice.
    pub fn columns(&self) -> impl Iterator<Item = &str> {
        let rows = self.rows.iter().map(|(name, _)| name);
        rows.chain(&self.values).chain(&self.key).map(String::as_str)
    }

    /// Looks through rows, the first of which is row `first`.
    ///
    /// # Errors
    /// A temporary file cannot be written.
    pub fn look(&self, frame: &DataFrame, first: u64) -> std::io::Result<Census> {
        let numbers = Rows::Range(first..first + frame.height() as u64);
        let mut found = Census::default();
        let of = |name: &str, continuous: bool| {
            plain(frame.column(name).ok()?.as_materialized_series(), continuous)
        };
        let columns: Vec<Series> =
            self.rows.iter().filter_map(|(name, role)| of(name, role.is_continuous())).collect();
        found.rows.add_rows(&columns.iter().collect::<Vec<_>>(), &numbers)?;
        for name in &self.values {
            let mut keys = Keys::default();
            if let Some(series) = of(name, false) {
                keys.add(&[&series], &numbers)?;
            }
            found.values.push(keys);
        }
        let key: Vec<Series> = self.key.iter().filter_map(|name| of(name, false)).collect();
        if !key.is_empty() && key.len() == self.key.len() {
            found.key.add_rows(&key.iter().collect::<Vec<_>>(), &numbers)?;
            found.void = (0..frame.height())
                .any(|row| key.iter().all(|column| column.get(row).is_ok_and(|v| v.is_null())));
        }
        Ok(found)
    }
}

impl Census {
    /// Adds what was found in the rows after.
    ///
    /// # Errors
    /// A temporary file cannot be written.
    pub fn merge(&mut self, other: Census) -> std::io::Result<()> {
        self.rows.merge(other.rows)?;
        for (own, other) in self.values.iter_mut().zip(other.values) {
            own.merge(other)?;
        }
        self.key.merge(other.key)?;
        self.void |= other.void;
        Ok(())
    }

    /// The share of the rows whose key occurs for the first time and is not wholly null; none where there is no key.
    ///
    /// # Errors
    /// A temporary file cannot be read.
    pub fn unique_share(&mut self) -> std::io::Result<Option<f64>> {
        let rows = self.key.count();
        if rows == 0 {
            return Ok(None);
        }
        let lost = repeated(&mut self.key)?.rows + u64::from(self.void);
        Ok(Some((rows - lost) as f64 / rows as f64))
    }
}

/// How much of a table occurs in the reference.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Copies {
    /// Of the reference, the synthetic table, the holdout.
    pub all: [u64; 3],
    /// Of the reference those that occur more than once, of the others those that occur in the reference.
    pub known: [u64; 3],
}

impl Copies {
    fn of(keys: [Option<&mut Keys>; 3]) -> std::io::Result<Copies> {
        let [Some(real), synthetic, holdout] = keys else { return Ok(Copies::default()) };
        let mut found = Copies::default();
        (found.all[0], found.known[0]) = (real.count(), with_company(real)?);
        for (side, keys) in [synthetic, holdout].into_iter().enumerate() {
            let Some(keys) = keys else { continue };
            (found.all[side + 1], found.known[side + 1]) = (keys.count(), common(real, keys)?);
        }
        Ok(found)
    }

    /// Of whole rows.
    pub(crate) fn of_rows(sides: &mut [Option<Census>; 3]) -> std::io::Result<Copies> {
        Copies::of(sides.each_mut().map(|side| side.as_mut().map(|census| &mut census.rows)))
    }

    /// Of the values of the column at this place of [`Sought::values`].
    pub(crate) fn of_values(sides: &mut [Option<Census>; 3], at: usize) -> std::io::Result<Copies> {
        Copies::of(sides.each_mut().map(|side| side.as_mut().and_then(|census| census.values.get_mut(at))))
    }
}

/// A column in a form in which equal values are equal whatever they are held as: text, or floats with one zero.
fn plain(series: &Series, continuous: bool) -> Option<Series> {
    let is_text = matches!(series.dtype(), DataType::String | DataType::Enum(..) | DataType::Categorical(..));
    if is_text && !continuous {
        return series.cast(&DataType::String).ok();
    }
    let values = super::numbers(series);
    let values: Float64Chunked = values.into_iter().map(|x| (!x.is_nan()).then_some(x + 0.0)).collect();
    Some(values.into_series())
}

/// A hash of each row's key, which decides whether the row is in the sample of a link: the same for parent and child, whatever
/// the columns are called. Keys that are wholly null have none.
pub fn key_hashes(table: &Table<'_>, key: &[String]) -> Vec<Option<u64>> {
    let mut hashes: Vec<(u64, bool)> = vec![(0x4C69_6E6B, false); table.rows()];
    for name in key {
        let Some(series) = table.series(name).and_then(|series| plain(series, false)) else { continue };
        if let Ok(texts) = series.str() {
            for (state, text) in hashes.iter_mut().zip(texts.iter()) {
                let word = text.map_or(0, |text| hash(text.as_bytes(), 17));
                *state = (hash_word(word, state.0), state.1 | text.is_some());
            }
        } else if let Ok(values) = series.f64() {
            for (state, value) in hashes.iter_mut().zip(values.iter()) {
                *state = (hash_word(value.map_or(0, f64::to_bits), state.0), state.1 | value.is_some());
            }
        }
    }
    hashes.into_iter().map(|(hash, any)| any.then_some(hash)).collect()
}
