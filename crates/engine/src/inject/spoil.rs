//! Rows with their anomalies: what each takes of some rows, and the values that it puts there.

use lookalike_core::Rows;
use lookalike_ruleset::Type;
use polars::prelude::*;

use super::units::{Shape, alone};
use super::{Held, Marks, Planned, Spoilt, Taken};
use crate::anomaly::Hits;
use crate::entity::Place;
use crate::generator::{Block, Failure, Output};
use crate::generators::template::texts_of;
use crate::plan::{Error, Tables};

impl Tables {
    /// What each of the first `count` anomalies takes of some rows. In `free` the rows stay that are left to those that do
    /// not share.
    pub(super) fn taken(
        &self,
        at: usize,
        rows: &Rows,
        count: usize,
        free: &mut [bool],
    ) -> Result<Vec<Taken>, Error> {
        let mut all = Vec::with_capacity(count);
        for (number, planned) in self.injector(at)?.anomalies[..count].iter().enumerate() {
            let taken = match &planned.held {
                _ if planned.threshold == 0 => Taken::default(),
                Held::Nothing => self.taken_by_rank(at, number, rows, free)?,
                Held::Units(units) => self.taken_of(at, planned, units, rows)?,
                Held::Rows(groups) => {
                    let mut taken = Taken::default();
                    for (position, row) in rows.iter().enumerate() {
                        if let Some((_, place)) = groups.find(row) {
                            taken.push(position, place);
                        }
                    }
                    taken
                }
            };
            if !planned.overlap {
                taken.positions.iter().for_each(|position| free[*position as usize] = false);
            }
            all.push(taken);
        }
        Ok(all)
    }

    /// What an anomaly takes of some rows, where the units that it takes are known.
    fn taken_of(&self, at: usize, planned: &Planned, units: &[u64], rows: &Rows) -> Result<Taken, Error> {
        let mut taken = Taken::default();
        let has = |unit: u64| units.binary_search(&unit).is_ok();
        match (&planned.units.shape, rows) {
            (Shape::Row, Rows::Range(range)) => {
                let from = units.partition_point(|row| *row < range.start);
                for row in units[from..].iter().take_while(|row| **row < range.end) {
                    taken.push((row - range.start) as usize, alone(*row));
                }
            }
            (Shape::Children(link), _) => {
                for (position, (parent, place)) in self.places_by(at, *link, rows)?.into_iter().enumerate() {
                    if has(parent) {
                        taken.push(position, place);
                    }
                }
            }
            _ => {
                for (position, row) in rows.iter().enumerate() {
                    if let Some((unit, place)) = planned.units.of(row).filter(|(unit, _)| has(*unit)) {
                        debug_assert!(has(unit));
                        taken.push(position, place);
                    }
                }
            }
        }
        Ok(taken)
    }

    /// What the anomaly at `number` takes of some rows, by the ranks of their units.
    fn taken_by_rank(&self, at: usize, number: usize, rows: &Rows, free: &[bool]) -> Result<Taken, Error> {
        let planned = &self.injector(at)?.anomalies[number];
        let found = self.candidates(at, planned, rows, free)?;
        let good = if planned.units.is_run() {
            // The rows of a unit are neighbours; each unit is looked at once.
            let mut units: Vec<u64> = found.iter().map(|(_, unit, _)| *unit).collect();
            units.sort_unstable();
            units.dedup();
            let eligible = self.eligible(at, number, &units)?;
            found.iter().map(|(_, unit, _)| units.binary_search(unit).is_ok_and(|at| eligible[at])).collect()
        } else {
            let positions: Vec<u32> = found.iter().map(|(position, ..)| *position as u32).collect();
            let mut good = vec![true; found.len()];
            self.and_when(at, planned, &rows.select(&positions), &mut good)?;
            good
        };
        let mut taken = Taken::default();
        for ((position, _, place), _) in found.into_iter().zip(good).filter(|(_, good)| *good) {
            taken.push(position, place);
        }
        Ok(taken)
    }

    /// Positions, units and places of the free rows that are spoilt if they are eligible.
    fn candidates(
        &self,
        at: usize,
        planned: &Planned,
        rows: &Rows,
        free: &[bool],
    ) -> Result<Vec<(usize, u64, Place)>, Error> {
        let Planned { units, threshold, overlap, .. } = planned;
        let open = |position: usize| *overlap || free[position];
        let mut found = Vec::new();
        match units.shape {
            Shape::Children(link) => {
                for (position, (parent, place)) in self.places_by(at, link, rows)?.into_iter().enumerate() {
                    if open(position) && units.permutation.apply(parent) < *threshold {
                        found.push((position, parent, place));
                    }
                }
            }
            // Many ranks at a time are found faster than one by one.
            Shape::Row if units.count > 0 => {
                let mut position = 0;
                units.permutation.for_each(rows, |rank| {
                    if rank < *threshold && open(position) {
                        let row = rows.get(position);
                        found.push((position, row, alone(row)));
                    }
                    position += 1;
                });
            }
            _ => {
                for (position, row) in rows.iter().enumerate().filter(|(position, _)| open(*position)) {
                    if let Some((unit, place)) = units.of(row)
                        && units.permutation.apply(unit) < *threshold
                    {
                        found.push((position, unit, place));
                    }
                }
            }
        }
        Ok(found)
    }

    /// Makes rows with their anomalies; `written` are the numbers of the clean columns.
    pub(crate) fn spoil(&self, at: usize, rows: &Rows, written: &[usize]) -> Result<Spoilt, Error> {
        let table = &self.0[at];
        let injector = self.injector(at)?;
        let clean = self.frame(at, rows, written)?;
        let all = self.taken(at, rows, injector.anomalies.len(), &mut vec![true; rows.len()])?;
        let internal = |error: PolarsError| Error::Internal(error.to_string());
        let mut columns = Vec::with_capacity(written.len());
        for (series, number) in clean.iter().zip(written) {
            let column = &table.columns[*number];
            let dirty = column.dirty.as_ref().unwrap_or(&column.output);
            let all = as_output(series, dirty, column.output.ty).map_err(|f| Error::Internal(f.message))?;
            columns.push(Patched { all, index: None });
        }
        let mut marks = Vec::new();
        // Where several change one cell, the one declared last has the last word.
        let mut order: Vec<usize> =
            (0..all.len()).filter(|number| !all[*number].positions.is_empty()).collect();
        order.sort_by_key(|number| injector.anomalies[*number].code);
        for number in order {
            let (planned, Taken { positions, places }) = (&injector.anomalies[number], &all[number]);
            let name = &injector.names.values()[planned.code as usize];
            let hit_rows = rows.select(positions);
            let mut known = vec![None; table.columns.len()];
            for (series, number) in clean.iter().zip(written) {
                known[*number] = Some(series.take_slice(positions).map_err(internal)?);
            }
            let (values, severity) = self.new_values(at, planned, name, &hit_rows, places, known)?;
            for (column, after) in planned.columns.iter().zip(values) {
                let Some(position) = written.iter().position(|number| number == column) else { continue };
                let column = &table.columns[*column];
                if after.len() != places.len() {
                    let message =
                        format!("the anomaly made {} values for {} rows", after.len(), places.len());
                    return Err(table.cell_error(&column.name, message));
                }
                let dirty = column.dirty.as_ref().unwrap_or(&column.output);
                let after = as_output(&after, dirty, column.output.ty)
                    .map_err(|failure| table.cell_error(name, failure.message))?;
                let before = columns[position].replace(positions, &after).map_err(internal)?;
                marks.push(Marks {
                    column: column.name.clone(),
                    kind: name.clone(),
                    rows: hit_rows.iter().collect(),
                    instances: places.iter().map(|place| place.entity).collect(),
                    severity: severity.clone(),
                    before,
                    after,
                });
            }
        }
        let named = |series: Series, number: &usize| {
            series.with_name(table.columns[*number].name.as_str().into()).into_column()
        };
        let mut dirty = Vec::with_capacity(columns.len() + 1);
        for (column, number) in columns.into_iter().zip(written) {
            dirty.push(named(column.finish().map_err(internal)?, number));
        }
        if let Some(label) = &injector.label {
            let series = injector.labels(rows.len(), &all).map_err(|f| Error::Internal(f.message))?;
            dirty.push(series.with_name(label.as_str().into()).into_column());
        }
        let clean = clean.into_iter().zip(written).map(|(series, number)| named(series, number)).collect();
        Ok(Spoilt {
            frame: DataFrame::new(rows.len(), dirty).map_err(internal)?,
            clean: DataFrame::new(rows.len(), clean).map_err(internal)?,
            marks,
        })
    }

    #[expect(clippy::type_complexity, reason = "new values by column, and the severity of each hit")]
    fn new_values(
        &self,
        at: usize,
        planned: &Planned,
        name: &str,
        rows: &Rows,
        places: &[Place],
        known: Vec<Option<Series>>,
    ) -> Result<(Vec<Series>, Option<Vec<Option<f64>>>), Error> {
        let table = &self.0[at];
        let mut filled: Vec<Option<Series>> = vec![None; table.columns.len()];
        for (number, series) in
            planned.inputs.iter().zip(self.frame_with(at, rows, &planned.inputs, known)?)
        {
            filled[*number] = Some(series);
        }
        let clean = |column: usize, rows: &Rows| -> Result<Series, Failure> {
            let mut series =
                self.frame(at, rows, &[column]).map_err(|error| Failure::new(error.to_string()))?;
            Ok(series.remove(0))
        };
        let groups = match &planned.held {
            Held::Rows(groups) => Some(groups),
            _ => None,
        };
        let hits = Hits {
            block: Block::new(rows, 0, &filled),
            places,
            clean: &clean,
            groups,
            ordering: planned.ordering.as_ref(),
            table_rows: table.rows,
        };
        let failed = |failure: Failure| table.cell_error(name, failure.message);
        let values = planned.anomaly.spoil(&hits).map_err(failed)?;
        let severity = match planned.severity.and_then(|number| filled[number].as_ref()) {
            None => None,
            Some(series) => {
                let series = series.cast(&DataType::Float64).map_err(|e| Error::Internal(e.to_string()))?;
                Some(series.f64().map_err(|e| Error::Internal(e.to_string()))?.iter().collect())
            }
        };
        Ok((values, severity))
    }
}

/// A column of which some values are replaced.
struct Patched {
    /// The clean values, then those put in their place.
    all: Series,
    /// Where each row's value comes from.
    index: Option<Vec<IdxSize>>,
}

impl Patched {
    /// Puts values at these positions; gives those that were there.
    fn replace(&mut self, positions: &[u32], after: &Series) -> PolarsResult<Series> {
        let rows = self.all.len() as IdxSize;
        let before = match &self.index {
            None => self.all.take_slice(positions)?,
            Some(index) => {
                let at: Vec<IdxSize> = positions.iter().map(|position| index[*position as usize]).collect();
                self.all.take_slice(&at)?
            }
        };
        let index = self.index.get_or_insert_with(|| (0..rows).collect());
        for (at, position) in (rows..).zip(positions) {
            index[*position as usize] = at;
        }
        self.all.append(after)?;
        Ok(before)
    }

    fn finish(self) -> PolarsResult<Series> {
        match self.index {
            Some(index) => self.all.rechunk().take_slice(&index),
            None => Ok(self.all),
        }
    }
}

/// A column in the form that its anomalies need: known values become any text, and where some value is no number any more,
/// all are text.
fn as_output(series: &Series, output: &Output, clean: Type) -> Result<Series, Failure> {
    match (&output.categories, output.ty) {
        (None, Type::Text) if *series.dtype() != DataType::String => texts_of(series, clean),
        _ => Ok(series.clone()),
    }
}
