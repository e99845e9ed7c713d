//! A look at a table before its rows are dealt to anomalies: what they need to know of a column as a whole.

use lookalike_core::{Permutation, Rows, Seed, declared};
use polars::prelude::*;

use crate::array;
use crate::generator::{InputId, Promise};
use crate::plan::{Error, Source, Tables};
use crate::run::BLOCK_ROWS;

/// Most rows that are looked at; of larger tables so many are chosen. Output depends on it.
const MAX_LOOK: u64 = 1 << 18;

/// A clean table, all of whose rows can be made.
pub struct Look<'a> {
    pub(crate) tables: &'a Tables,
    pub(crate) at: usize,
    /// Chooses the rows.
    pub(crate) seed: Seed,
}

impl Look<'_> {
    /// Quantiles of a column of numbers or lengths of time, one for each share from 0 to 1, nulls aside: of its law, where it
    /// is drawn by one whatever the row and no row is drawn again; else of its clean values in the table, of which 262,144 are
    /// taken where there are more. `None` if the column has no values.
    ///
    /// # Errors
    /// When a cell cannot be made or read.
    pub fn quantiles(&self, column: InputId, shares: &[f64]) -> Result<Option<Vec<f64>>, Error> {
        let table = &self.tables.0[self.at];
        if table.requires.is_empty()
            && let Source::Rule(spec) = &table.columns[column.0].source
            && let Promise::Drawn(declared::Promise::Spread(spread)) = spec.promise()
        {
            return Ok(Some(shares.iter().map(|share| spread.quantile(*share)).collect()));
        }
        let mut values = self.values(column)?;
        if values.is_empty() {
            return Ok(None);
        }
        values.sort_unstable_by(f64::total_cmp);
        // The smallest value up to which at least this share of the values lies.
        let rank = |share: f64| libm::ceil(share * values.len() as f64 - 1e-9).max(1.0) as usize - 1;
        Ok(Some(shares.iter().map(|share| values[rank(*share).min(values.len() - 1)]).collect()))
    }

    /// The column's values without nulls, of all rows or of some.
    fn values(&self, column: InputId) -> Result<Vec<f64>, Error> {
        let rows = self.tables.0[self.at].rows;
        let mut values = Vec::new();
        let mut add = |rows: Rows| -> Result<(), Error> {
            let series: Series = self.tables.frame(self.at, &rows, &[column.0])?.remove(0);
            let floats = array::to_floats(&series).map_err(|failure| Error::Internal(failure.message))?;
            values.extend(floats.into_iter().flatten().filter(|value| value.is_finite()));
            Ok(())
        };
        if rows <= MAX_LOOK {
            for start in (0..rows).step_by(BLOCK_ROWS) {
                add(Rows::Range(start..rows.min(start + BLOCK_ROWS as u64)))?;
            }
            return Ok(values);
        }
        let permutation = Permutation::new(rows, self.seed);
        let mut chosen: Vec<u64> = (0..MAX_LOOK).map(|rank| permutation.invert(rank)).collect();
        // In order, so that files are read from front to back.
        chosen.sort_unstable();
        for rows in chosen.chunks(BLOCK_ROWS) {
            add(Rows::from(rows.to_vec()))?;
        }
        Ok(values)
    }
}
