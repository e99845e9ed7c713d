//! The file of marks: what stood in a row before its anomalies.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;

use lookalike_engine::TablePlan;
use lookalike_io::{Source, SourceOptions};
use lookalike_ruleset::TableSchema;
use polars::prelude::*;

use super::files::{DataTable, beside};
use super::internal;
use crate::{Error, Ruleset};

/// The file of marks beside a table.
pub(super) struct MarksFile {
    pub(super) source: Box<dyn Source>,
    /// Row of the first mark of each chunk.
    pub(super) starts: Vec<u64>,
    pub(super) places: Vec<usize>,
}

/// Marks that are read at a time.
pub(super) const MARKS: u64 = 16_384;

/// Rows without their anomalies, and how well the marks agree with the file.
pub(super) struct Restored {
    pub(super) clean: DataFrame,
    pub(super) checked: u64,
    pub(super) wrong: u64,
    pub(super) example: Option<(u64, String)>,
}

impl MarksFile {
    /// The marks beside a table that may have some; `None` if there is no such file.
    pub(super) fn beside(ruleset: &Ruleset, table: &DataTable) -> Result<Option<MarksFile>, Error> {
        let spoilt = ruleset.plan().table(&table.name).is_some_and(|plan| plan.has_anomalies());
        let folder = table.path.parent().unwrap_or(Path::new("."));
        let stem = table.path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
        let path = spoilt.then(|| beside(folder, &format!("{stem}.anomalies"))).flatten();
        path.map(|path| MarksFile::open(&path)).transpose()
    }

    /// The marks in a file.
    pub(super) fn open(path: &Path) -> Result<MarksFile, Error> {
        let schema = crate::marks::schema("marks");
        let types = schema.fields.iter().map(|field| (field.name.clone(), field.ty)).collect();
        let options = SourceOptions { types, ..SourceOptions::default() };
        let source = lookalike_io::sources::open(path, None, &options)?;
        let place = |name: &str| {
            source.schema().fields.iter().position(|field| field.name == name).ok_or_else(|| {
                Error::Request(format!("{} has no column `{name}`: it is no file of marks", path.display()))
            })
        };
        let places = ["row", "column", "kind", "before", "after"].map(place);
        let places = places.into_iter().collect::<Result<Vec<_>, _>>()?;
        let mut starts = Vec::new();
        for start in (0..source.rows()).step_by(MARKS as usize) {
            let first = source.columns(start..start + 1, &places[..1])?;
            let row = first.columns()[0].as_materialized_series().i64().map_err(internal)?.get(0);
            starts.push(row.unwrap_or(0) as u64);
        }
        Ok(MarksFile { source, starts, places })
    }

    /// Puts back what stood in some rows before their anomalies.
    pub(super) fn restore(
        &self,
        plan: &TablePlan,
        rows: Range<u64>,
        frame: &DataFrame,
        label: Option<&str>,
    ) -> Result<Restored, Error> {
        let (dirty, clean) = (plan.schema(), plan.clean_schema());
        let from = self.starts.partition_point(|start| *start < rows.start).saturating_sub(1) as u64 * MARKS;
        let to =
            (self.starts.partition_point(|start| *start < rows.end) as u64 * MARKS).min(self.source.rows());
        let marks = self.source.columns(from..to.max(from), &self.places)?;
        let text = |at: usize| -> Result<StringChunked, Error> {
            let series =
                marks.columns()[at].as_materialized_series().cast(&DataType::String).map_err(internal)?;
            Ok(series.str().map_err(internal)?.clone())
        };
        let numbers = marks.columns()[0].as_materialized_series().i64().map_err(internal)?.clone();
        let (columns, kinds, before, after) = (text(1)?, text(2)?, text(3)?, text(4)?);
        // Of each column the marked cells: position in the block, and which mark.
        let mut cells: BTreeMap<&str, Vec<(u32, usize)>> = BTreeMap::new();
        for (mark, (row, column)) in numbers.iter().zip(columns.iter()).enumerate() {
            let row = row.unwrap_or(0) as u64;
            if let (true, Some(column)) = (rows.contains(&row), column) {
                cells.entry(column).or_default().push(((row - rows.start) as u32, mark));
            }
        }
        let mut restored = Restored { clean: frame.clone(), checked: 0, wrong: 0, example: None };
        if let Some(label) = label {
            let labels = frame.column(label).map_err(internal)?.cast(&DataType::String).map_err(internal)?;
            let labels = labels.as_materialized_series().str().map_err(internal)?.clone();
            for (position, mark) in cells.values().flatten() {
                let named = labels.get(*position as usize);
                let kind = kinds.get(*mark).unwrap_or("");
                if !named.is_some_and(|named| named.split('+').any(|name| name == kind)) {
                    restored.differ(rows.start + u64::from(*position), format!("its label is not `{kind}`"));
                }
            }
        }
        for (name, cells) in cells {
            let field = |schema: &TableSchema| schema.fields.iter().find(|field| field.name == name).cloned();
            let (Some(dirty), Some(clean), Ok(column)) = (field(&dirty), field(&clean), frame.column(name))
            else {
                continue;
            };
            let series = column.as_materialized_series();
            let positions: Vec<u32> = cells.iter().map(|(position, _)| *position).collect();
            let are = lookalike_io::texts(&dirty, &series.take_slice(&positions).map_err(internal)?)?;
            for ((position, mark), is) in cells.iter().zip(are.iter()) {
                restored.checked += 1;
                // Nothing and an empty text are one in CSV.
                let told = after.get(*mark).filter(|text| !text.is_empty());
                if told != is.filter(|text| !text.is_empty()) {
                    let row = rows.start + u64::from(*position);
                    restored.differ(row, format!("`{name}` is {is:?}, by the marks {told:?}"));
                }
            }
            let were: StringChunked = cells.iter().map(|(_, mark)| before.get(*mark)).collect();
            let back = if dirty.ty == clean.ty {
                let were =
                    lookalike_io::sources::values(&clean, &were)?.cast(series.dtype()).map_err(internal)?;
                let mut index: Vec<u32> = (0..series.len() as u32).collect();
                positions.iter().enumerate().for_each(|(at, position)| {
                    index[*position as usize] = series.len() as u32 + at as u32;
                });
                let mut both = series.clone();
                both.append(&were.with_name(series.name().clone())).map_err(internal)?;
                both.rechunk().take_slice(&index).map_err(internal)?
            } else {
                // The anomalies made another type of the column.
                let mut texts: Vec<Option<String>> =
                    lookalike_io::texts(&dirty, series)?.iter().map(|text| text.map(str::to_owned)).collect();
                for ((position, _), were) in cells.iter().zip(were.iter()) {
                    texts[*position as usize] = were.map(str::to_owned);
                }
                lookalike_io::sources::values(&clean, &texts.into_iter().collect())?
            };
            restored.clean.with_column(back.with_name(name.into()).into_column()).map_err(internal)?;
        }
        Ok(restored)
    }
}

impl Restored {
    pub(super) fn differ(&mut self, row: u64, what: String) {
        self.wrong += 1;
        self.example.get_or_insert((row, what));
    }
}
