//! Tables whose rows are given: read from a file, or held by the user of the library.

use std::fmt;
use std::sync::Arc;

use lookalike_core::Rows;
use lookalike_ruleset::TableSchema;
use polars::prelude::Series;
use polars_arrow::bitmap::{Bitmap, BitmapBuilder};

use crate::inject::Planned;
use crate::plan::{Error, Tables};
use crate::run::BLOCK_ROWS;

/// Rows that are read instead of made.
pub trait Given: Send + Sync {
    /// Names and types of the columns.
    fn schema(&self) -> &TableSchema;

    /// How many rows there are.
    fn rows(&self) -> u64;

    /// Reads some columns, by their places in the schema, of some rows: each as its type is held, in the order of the rows.
    ///
    /// # Errors
    /// In words, when they cannot be read.
    fn read(&self, rows: &Rows, columns: &[usize]) -> Result<Vec<Series>, String>;
}

/// The rows of a table by its name. A copy costs nothing.
#[derive(Clone)]
pub struct GivenTable {
    /// Name of the table in the ruleset.
    pub table: String,
    /// Its rows.
    pub rows: Arc<dyn Given>,
}

impl fmt::Debug for GivenTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GivenTable").field("table", &self.table).finish_non_exhaustive()
    }
}

/// The rows of a file that are a part of a table. A copy costs nothing.
#[derive(Clone)]
pub struct PartRows {
    /// Name of the table.
    pub table: String,
    /// Name of the part.
    pub part: String,
    /// Name of the file.
    pub file: String,
    /// Its rows.
    pub rows: Arc<dyn Given>,
}

impl fmt::Debug for PartRows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let PartRows { table, part, file, .. } = self;
        f.debug_struct("PartRows")
            .field("table", table)
            .field("part", part)
            .field("file", file)
            .finish_non_exhaustive()
    }
}

impl Tables {
    /// Fills the given columns of a table that are needed, all at once.
    pub(crate) fn fill_given(
        &self,
        at: usize,
        given: &dyn Given,
        wanted: &[(usize, usize)],
        rows: &Rows,
        filled: &mut [Option<Series>],
    ) -> Result<(), Error> {
        let places: Vec<usize> = wanted.iter().map(|(_, place)| *place).collect();
        let read = given.read(rows, &places);
        let read = read.map_err(|message| Error::Given { table: self.0[at].name.clone(), message })?;
        for ((own, _), series) in wanted.iter().zip(read) {
            filled[*own] = Some(series);
        }
        Ok(())
    }

    /// For which rows an anomaly's condition holds, found in one pass: rows that are given are slow to be had one by one.
    pub(crate) fn condition(&self, at: usize, planned: &Planned) -> Result<Option<Bitmap>, Error> {
        let table = &self.0[at];
        let (Some(_), Some(when)) = (&table.given, planned.when) else { return Ok(None) };
        let mut holds = BitmapBuilder::with_capacity(table.rows as usize);
        for start in (0..table.rows).step_by(BLOCK_ROWS) {
            let rows = Rows::Range(start..table.rows.min(start + BLOCK_ROWS as u64));
            let values = self.frame(at, &rows, &[when])?.remove(0);
            let values = values.bool().map_err(|e| Error::Internal(e.to_string()))?;
            values.iter().for_each(|value| holds.push(value == Some(true)));
        }
        Ok(Some(holds.freeze()))
    }
}
