//! Parts of a table whose rows are those of files.
//!
//! Each column of a file that is used is a hidden column, null outside the part; the table's columns read them as they read
//! any rule's values. Which row of the file a row of the part is follows from the part's rows before it, so that a file is
//! read from front to back, as in a merge.

use std::sync::Arc;

use lookalike_core::{Rows, Seed};
use polars::prelude::*;

use crate::generator::{Block, Failure, Generator, InputId, InputName, Output, Site};
use crate::given::Given;
use crate::merge::deal::Interleave;
use crate::merge::picks::Picks;
use crate::plan::{Error, Tables};

/// Most rows of a table that takes some from a file: it keeps how many of each part come before every 4,096th row.
pub(crate) const MAX_ROWS: u64 = 1 << 32;

/// The files of a table.
pub(crate) struct PartFiles {
    pub files: Vec<PartFile>,
    /// Which row is of which part; none until that is known.
    dealt: Option<Interleave>,
}

/// A part whose rows come from a file.
pub(crate) struct PartFile {
    /// Number of the part among its table's.
    pub part: usize,
    /// Name of the part.
    pub name: String,
    /// Name of the file.
    pub file: String,
    pub rows: Arc<dyn Given>,
    pub replace: bool,
    /// Which of its rows are taken, once it is known how many.
    pub picks: Picks,
}

impl PartFile {
    /// Name of the hidden column with the values of one of the file's columns.
    pub fn column(&self, column: &str) -> String {
        format!("#from {}.{column}", self.name)
    }
}

impl PartFiles {
    /// Files whose parts' sizes are not known yet.
    pub fn new(files: Vec<PartFile>) -> PartFiles {
        PartFiles { files, dealt: None }
    }

    /// Finds out which rows of the files are taken, once it is known how large the parts are.
    pub fn deal(&mut self, dealt: Interleave, seed: Seed) {
        let sizes = dealt.sizes();
        for file in &mut self.files {
            let seed = seed.derive("file").derive(&file.name);
            file.picks = Picks::of(file.rows.rows(), sizes[file.part], file.replace, seed);
        }
        self.dealt = Some(dealt.counted());
    }

    /// Whether that is known.
    pub fn is_dealt(&self) -> bool {
        self.dealt.is_some()
    }

    /// Some columns of a file, by their places, for rows of the table; null in rows of other parts.
    fn read(&self, file: usize, rows: &Rows, places: &[usize]) -> Result<Vec<Series>, String> {
        let (file, dealt) = (&self.files[file], self.dealt.as_ref().ok_or("the parts have no rows yet")?);
        let (parts, ordinals) = dealt.ordinals(rows);
        let mut own = Vec::new();
        let index = parts.iter().zip(ordinals).map(|(part, ordinal)| {
            (*part as usize == file.part).then(|| {
                own.push(ordinal);
                own.len() as IdxSize - 1
            })
        });
        let index: IdxCa = index.collect();
        let mut taken = Vec::with_capacity(own.len());
        for run in own.chunk_by(|a, b| a + 1 == *b) {
            taken.extend(file.picks.rows(run[0]..run[0] + run.len() as u64));
        }
        let rows = match (taken.first(), taken.windows(2).all(|pair| pair[0] + 1 == pair[1])) {
            (Some(first), true) => Rows::Range(*first..first + taken.len() as u64),
            _ => Rows::from(taken),
        };
        let read = file.rows.read(&rows, places)?;
        read.iter().map(|series| series.take(&index).map_err(|error| error.to_string())).collect()
    }
}

impl Tables {
    /// Fills the columns of a file that are needed, all at once.
    pub(crate) fn fill_from_file(
        &self,
        at: usize,
        file: usize,
        wanted: &[(usize, usize)],
        rows: &Rows,
        filled: &mut [Option<Series>],
    ) -> Result<(), Error> {
        let places: Vec<usize> = wanted.iter().map(|(_, place)| *place).collect();
        let read = self.0[at].files.read(file, rows, &places);
        let read = read.map_err(|message| Error::Given { table: self.0[at].name.clone(), message })?;
        for ((own, _), series) in wanted.iter().zip(read) {
            filled[*own] = Some(series);
        }
        Ok(())
    }
}

/// A part's rule for a column: what the file has.
pub(crate) struct FromFile {
    pub column: InputName,
    pub id: Option<InputId>,
}

impl Generator for FromFile {
    fn inputs(&self, inputs: &mut Vec<InputName>) {
        inputs.push(self.column.clone());
    }

    fn prepare(&mut self, site: &mut Site<'_>) -> Option<Output> {
        // The file's values are what they are, correlated or not.
        site.demand.words = None;
        let (id, output) = site.input(&self.column.name)?;
        self.id = Some(id);
        Some(output)
    }

    fn fill(&self, block: &Block<'_>) -> Result<Series, Failure> {
        Ok(block.input(self.id.expect("set in prepare")).into_owned())
    }

    fn has_place(&self) -> bool {
        true
    }
}
