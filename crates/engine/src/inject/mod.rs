//! The injector: which rows get which anomaly, and the rows with their anomalies.
//!
//! Each anomaly deals its units (rows, runs of rows, windows of time, or all rows of an entity) by a keyed permutation:
//! the first so and so many that are eligible and not taken by an anomaly before it are spoilt; one that overlaps does not
//! look whether they are taken. The plan keeps one number for each anomaly, the place in the permutation where it had
//! enough; so the quota is exact and yet any row can tell alone whether it is spoilt. While they are few, the plan holds
//! the units themselves, which is faster and gives the same.

pub(crate) mod order;
mod together;

use std::sync::Arc;

use lookalike_core::declared;
use lookalike_core::stream::below;
use lookalike_core::{Permutation, Rows, Seed, Stream};
use lookalike_ruleset::anomaly::Burst;
use lookalike_ruleset::{Span, Type};
use polars::prelude::*;
use polars_arrow::bitmap::{Bitmap, MutableBitmap};

use crate::anomaly::{Anomaly, Hits};
use crate::array;
use crate::entity::Place;
use crate::generator::{Block, Categories, Failure, Output};
use crate::generators::template::texts_of;
use crate::plan::{Error, Tables};
use order::Ordering;
use together::Entities;
pub(crate) use together::{Groups, Together, Wanted};

/// The anomalies of a table, ready to run.
pub(crate) struct Injector {
    /// In the order in which they choose: those that take many rows at a time, then those with a condition, then the others.
    pub anomalies: Vec<Planned>,
    /// Name of the label column.
    pub label: Option<String>,
    /// Names of the anomalies, as declared.
    pub names: Arc<Categories>,
    /// What each does, in the user's words.
    pub about: Vec<Option<String>>,
}

/// One anomaly.
pub(crate) struct Planned {
    /// Its place among the names.
    pub code: u32,
    pub span: Span,
    pub anomaly: Box<dyn Anomaly>,
    /// Numbers of the columns that it changes.
    pub columns: Vec<usize>,
    /// Numbers of the columns that it reads.
    pub inputs: Vec<usize>,
    /// Number of the column that says which rows are eligible.
    pub when: Option<usize>,
    pub severity: Option<usize>,
    /// Number of the column that says whose a row is, of which a burst or a window has only one: the parent's row, or any
    /// value.
    pub per: Option<usize>,
    /// The numbers of the columns by whose values rows are in order, and that say whose they are, if not by their numbers.
    pub order: Option<(usize, Option<usize>)>,
    /// That order.
    pub ordering: Option<Ordering>,
    /// Whether it takes rows without looking who else does.
    pub overlap: bool,
    pub units: Units,
    /// How many units are to be spoilt; of windows with a `rate`, how many rows.
    pub wanted: u64,
    /// How many are.
    pub got: u64,
    /// Units whose rank in the permutation is below it are spoilt, if they are eligible.
    pub threshold: u64,
    pub held: Held,
    /// For which rows the condition holds, where that was found out for all of them.
    pub holds: Option<Bitmap>,
}

impl Injector {
    /// The anomalies that happen less often than they are to, with how often they are to and do.
    pub fn shortfalls(&self) -> impl Iterator<Item = (&str, u64, u64)> {
        let short = self.anomalies.iter().filter(|planned| planned.got < planned.wanted);
        short
            .map(|planned| (self.names.values()[planned.code as usize].as_str(), planned.wanted, planned.got))
    }

    /// The anomalies, with the exact number of rows that have each, where it takes single rows.
    pub fn declared(&self) -> Vec<declared::Anomaly> {
        let rows = |code: usize| {
            let planned = self.anomalies.iter().find(|planned| planned.code as usize == code)?;
            (planned.units.by_rows() || !planned.units.is_run()).then_some(planned.wanted)
        };
        let names = self.names.values().iter().zip(&self.about).enumerate();
        names
            .map(|(code, (name, about))| declared::Anomaly {
                name: name.clone(),
                about: about.clone(),
                rows: rows(code),
            })
            .collect()
    }
}

/// What the plan remembers of what it dealt, so that a run need not find it again.
pub(crate) enum Held {
    /// Nothing: there are too many, and each row finds out for itself.
    Nothing,
    /// The units that are spoilt, in order.
    Units(Vec<u64>),
    /// The rows of the windows or entities that are spoilt.
    Rows(Groups),
}

/// Most units or rows that a table's anomalies hold; 8 bytes each.
const MAX_HELD: u64 = 1 << 22;

/// What an anomaly takes at a time, in the order in which it is dealt.
pub(crate) struct Units {
    shape: Shape,
    permutation: Permutation,
    /// Chance.
    seed: Seed,
    /// How many there are.
    pub count: u64,
}

enum Shape {
    /// A row.
    Row,
    /// Consecutive rows: how many, where the first of all begins, and chance.
    Burst(Burst, u64, Stream),
    /// The children of a parent in this link.
    Children(usize),
    /// The rows that belong together by their values.
    Together(Together),
}

impl Units {
    /// The units of a table with so many rows.
    pub fn new(rows: u64, burst: Option<Burst>, seed: Seed) -> Units {
        let (shape, count) = match burst {
            None => (Shape::Row, rows),
            Some(burst) => {
                let stream = seed.derive("burst").stream();
                // Where the first begins is random too, so that they do not stand at round numbers.
                let offset = below(stream.word(0, 2), burst.high.min(rows + 1));
                let count = (rows - offset.min(rows)) / burst.high;
                (Shape::Burst(burst, offset, stream), count)
            }
        };
        Units { shape, permutation: Permutation::new(count.max(1), seed.derive("units")), seed, count }
    }

    /// The children of each of so many parents, through a link by its number.
    pub fn children(parents: u64, link: usize, seed: Seed) -> Units {
        let permutation = Permutation::new(parents.max(1), seed.derive("units"));
        Units { shape: Shape::Children(link), permutation, seed, count: parents }
    }

    /// The rows that belong together; which there are comes out when they are dealt.
    pub fn together(together: Together, seed: Seed) -> Units {
        let permutation = Permutation::new(1, seed.derive("units"));
        Units { shape: Shape::Together(together), permutation, seed, count: 0 }
    }

    /// Who chooses first: those that take many rows at a time.
    pub fn turn(&self) -> u8 {
        match self.shape {
            Shape::Together(_) => 0,
            Shape::Burst(..) | Shape::Children(_) => 1,
            Shape::Row => 2,
        }
    }

    /// Whether what is wanted are rows, whatever number of units they are in.
    pub fn by_rows(&self) -> bool {
        matches!(&self.shape, Shape::Together(Together { wanted: Wanted::Rows, .. }))
    }

    fn is_run(&self) -> bool {
        self.turn() < 2
    }

    /// First row and number of rows of a unit of consecutive rows.
    fn extent(&self, unit: u64) -> (u64, u64) {
        match &self.shape {
            Shape::Burst(burst, offset, stream) => {
                let rows = burst.low + below(stream.word(unit, 0), burst.high - burst.low + 1);
                let shift = below(stream.word(unit, 1), burst.high - rows + 1);
                (offset + unit * burst.high + shift, rows)
            }
            _ => (unit, 1),
        }
    }

    /// The unit of consecutive rows that a row is in, and its place there.
    fn of(&self, row: u64) -> Option<(u64, Place)> {
        let Shape::Burst(burst, offset, _) = &self.shape else {
            return Some((row, alone(row)));
        };
        let unit = row.checked_sub(*offset)? / burst.high;
        if unit >= self.count {
            return None;
        }
        let (first, rows) = self.extent(unit);
        let ordinal = row.checked_sub(first).filter(|ordinal| *ordinal < rows)?;
        Some((unit, Place { entity: first, ordinal, count: rows }))
    }
}

/// The place of a row that is an instance of its own.
fn alone(row: u64) -> Place {
    Place { entity: row, ordinal: 0, count: 1 }
}

/// Rows with their anomalies, and the truth about them.
pub struct Spoilt {
    /// The rows as they are written, anomalies and label included.
    pub frame: DataFrame,
    /// The rows without anomalies.
    pub clean: DataFrame,
    /// The cells that anomalies took, also where they left the value as it was: for each anomaly and column, in the order
    /// in which they were put there.
    pub marks: Vec<Marks>,
}

/// The cells of one column that one anomaly took.
#[derive(Clone, Debug)]
pub struct Marks {
    /// Name of the column.
    pub column: String,
    /// Name of the anomaly.
    pub kind: String,
    /// Rows of the cells.
    pub rows: Vec<u64>,
    /// The instance of each: the first row that it spoils.
    pub instances: Vec<u64>,
    /// How bad it is, where the ruleset says.
    pub severity: Option<Vec<Option<f64>>>,
    /// The values that were there: the clean ones, or those of an anomaly before.
    pub before: Series,
    /// The values put there.
    pub after: Series,
}

/// What an anomaly takes of some rows: their positions, in order, and their places in its instances.
#[derive(Default)]
struct Taken {
    positions: Vec<u32>,
    places: Vec<Place>,
}

impl Taken {
    fn push(&mut self, position: usize, place: Place) {
        self.positions.push(position as u32);
        self.places.push(place);
    }
}

/// How an anomaly was dealt.
pub(crate) struct Dealt {
    /// Units that it is to get; of windows with a `rate`, rows.
    pub wanted: u64,
    /// Units that it gets; of windows with a `rate`, rows.
    pub got: u64,
    pub threshold: u64,
    pub held: Held,
}

impl Tables {
    fn injector(&self, at: usize) -> Result<&Injector, Error> {
        self.0[at].injector.as_ref().ok_or_else(|| Error::Internal("the table has no anomalies".into()))
    }

    /// Deals the units of the anomaly at `number`, with those before it ready; it gets fewer than wanted if not enough are
    /// eligible.
    pub(crate) fn deal(&self, at: usize, number: usize) -> Result<Dealt, Error> {
        let planned = &self.injector(at)?.anomalies[number];
        let Units { shape, permutation, seed, count } = &planned.units;
        match (shape, &planned.ordering) {
            (Shape::Together(together), _) => return self.deal_together(at, number, together, *seed),
            (Shape::Burst(burst, ..), Some(ordering)) => {
                return self.deal_in_order(at, number, *burst, ordering, *seed);
            }
            _ => {}
        }
        let room = self.room(at, number)?;
        let simple = planned.when.is_none() && matches!(shape, Shape::Row | Shape::Burst(..));
        let first = number == 0 || planned.overlap;
        if first && simple && planned.per.is_none() {
            let got = planned.wanted.min(*count);
            let held = (got <= room).then(|| (0..got).map(|rank| permutation.invert(rank)).collect());
            return Ok(Dealt { wanted: planned.wanted, got, threshold: got, held: Held::units(held) });
        }
        let (mut got, mut rank) = (0, 0);
        let mut held = Some(Vec::new());
        while got < planned.wanted && rank < *count {
            let step = (planned.wanted - got).clamp(256, 16_384).min(*count - rank);
            let units: Vec<u64> = (rank..rank + step).map(|rank| permutation.invert(rank)).collect();
            for (unit, eligible) in units.iter().zip(self.eligible(at, number, &units)?) {
                rank += 1;
                if eligible {
                    got += 1;
                    held.iter_mut().for_each(|held| held.push(*unit));
                }
                if got == planned.wanted {
                    break;
                }
            }
            if got > room {
                held = None;
            }
        }
        Ok(Dealt { wanted: planned.wanted, got, threshold: rank, held: Held::units(held) })
    }

    /// How many units the anomaly at `number` may hold besides what those before it do.
    fn room(&self, at: usize, number: usize) -> Result<u64, Error> {
        let held = |planned: &Planned| match &planned.held {
            Held::Nothing => 0,
            Held::Units(units) => units.len() as u64,
            Held::Rows(groups) => groups.size(),
        };
        Ok(MAX_HELD.saturating_sub(self.injector(at)?.anomalies[..number].iter().map(held).sum()))
    }

    /// Whether units may be spoilt: the condition holds for all their rows, and no anomaly before takes any.
    fn eligible(&self, at: usize, number: usize, units: &[u64]) -> Result<Vec<bool>, Error> {
        let planned = &self.injector(at)?.anomalies[number];
        let extents = self.extents(at, planned, units)?;
        let rows: Rows =
            extents.iter().flat_map(|(first, rows)| *first..first + rows).collect::<Vec<_>>().into();
        let mut good = self.free(at, number, &rows)?;
        self.and_when(at, planned, &rows, &mut good)?;
        if let Some(per) = planned.per {
            let mut entities = Entities::default();
            let owners =
                entities.of(&self.frame(at, &rows, &[per])?.remove(0), self.0[at].columns[per].output.ty)?;
            let mut start = 0;
            for (_, length) in &extents {
                let end = start + *length as usize;
                if (start..end).any(|at| owners[at] != owners[start]) {
                    good[start] = false;
                }
                start = end;
            }
        }
        let mut good = good.into_iter();
        let mut all = |rows: u64| good.by_ref().take(rows as usize).fold(true, |all, good| all & good);
        Ok(extents.iter().map(|(_, rows)| all(*rows) && *rows > 0).collect())
    }

    /// First row and number of rows of units.
    fn extents(&self, at: usize, planned: &Planned, units: &[u64]) -> Result<Vec<(u64, u64)>, Error> {
        match planned.units.shape {
            Shape::Children(link) => {
                let children = self.children_by(at, link, &Rows::from(units.to_vec()))?;
                Ok(children.into_iter().map(|rows| (rows.start, rows.end - rows.start)).collect())
            }
            _ => Ok(units.iter().map(|unit| planned.units.extent(*unit)).collect()),
        }
    }

    /// Whether the anomaly at `number` may look at each row: no anomaly before it has it, or it does not care.
    fn free(&self, at: usize, number: usize, rows: &Rows) -> Result<Vec<bool>, Error> {
        let mut free = vec![true; rows.len()];
        if !self.injector(at)?.anomalies[number].overlap {
            self.taken(at, rows, number, &mut free)?;
        }
        Ok(free)
    }

    /// Takes the rows out for which the condition does not hold.
    fn and_when(&self, at: usize, planned: &Planned, rows: &Rows, good: &mut [bool]) -> Result<(), Error> {
        let Some(when) = planned.when else { return Ok(()) };
        if let Some(holds) = &planned.holds {
            for (good, row) in good.iter_mut().zip(rows) {
                *good &= holds.get_bit(row as usize);
            }
            return Ok(());
        }
        let open: Vec<u32> =
            good.iter().enumerate().filter(|(_, good)| **good).map(|(at, _)| at as u32).collect();
        let values = self.frame(at, &rows.select(&open), &[when])?.remove(0);
        let values = values.bool().map_err(|e| Error::Internal(e.to_string()))?;
        for (position, value) in open.into_iter().zip(values.iter()) {
            // A condition that is NULL does not hold.
            good[position as usize] = value == Some(true);
        }
        Ok(())
    }

    /// What each of the first `count` anomalies takes of some rows. In `free` the rows stay that are left to those that do
    /// not share.
    fn taken(&self, at: usize, rows: &Rows, count: usize, free: &mut [bool]) -> Result<Vec<Taken>, Error> {
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

impl Held {
    fn units(units: Option<Vec<u64>>) -> Held {
        match units {
            None => Held::Nothing,
            Some(mut units) => {
                units.sort_unstable();
                Held::Units(units)
            }
        }
    }
}

impl Injector {
    #[cfg(test)]
    pub fn forget(&mut self) {
        for planned in &mut self.anomalies {
            if let Held::Units(_) = planned.held {
                planned.held = Held::Nothing;
            }
        }
    }

    /// Whether a row may have several anomalies.
    pub fn shares(&self) -> bool {
        self.anomalies.iter().any(|planned| planned.overlap)
    }

    /// What the label says: one of the names or, where rows are shared, any text.
    pub fn label_output(&self) -> Output {
        let names = Output::categories(self.names.clone());
        let one = if self.shares() { Output::text(names.plain) } else { names };
        Output { nullable: true, ..one }
    }

    /// The labels of rows: all names in the order in which they are declared, joined by `+`.
    fn labels(&self, rows: usize, all: &[Taken]) -> Result<Series, Failure> {
        let mut order: Vec<(u32, &Taken)> =
            self.anomalies.iter().zip(all).map(|(planned, taken)| (planned.code, taken)).collect();
        order.sort_by_key(|(code, _)| *code);
        if self.shares() {
            let mut labels: Vec<Option<String>> = vec![None; rows];
            for (code, taken) in order {
                let name = &self.names.values()[code as usize];
                for position in &taken.positions {
                    match &mut labels[*position as usize] {
                        Some(label) => *label = format!("{label}+{name}"),
                        label => *label = Some(name.clone()),
                    }
                }
            }
            return Ok(labels.into_iter().collect::<StringChunked>().into_series());
        }
        let mut codes = vec![0; rows];
        let mut some = MutableBitmap::from_len_zeroed(rows);
        for (code, taken) in order {
            for position in &taken.positions {
                codes[*position as usize] = code;
                some.set(*position as usize, true);
            }
        }
        array::with_validity(array::codes(codes.into_iter(), &self.names), some.into())
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

/// Divides a number by weights: each part is rounded down, and what is left goes to the largest remainders, the first of
/// equal ones first.
pub fn largest_remainder(total: u64, weights: &[f64]) -> Vec<u64> {
    let sum: f64 = weights.iter().sum();
    if sum <= 0.0 {
        return vec![0; weights.len()];
    }
    let exact: Vec<f64> = weights.iter().map(|weight| total as f64 * (weight / sum)).collect();
    // A product such as 1001 × 0.3 may come out a hair below a whole number that it should be.
    let whole = |share: f64| {
        if (share.round() - share).abs() < 1e-9 * share.max(1.0) { share.round() } else { share.floor() }
    };
    let mut parts: Vec<u64> = exact.iter().map(|share| whole(*share) as u64).collect();
    let mut order: Vec<usize> = (0..weights.len()).collect();
    let remainder = |at: usize| exact[at] - whole(exact[at]);
    order.sort_by(|a, b| remainder(*b).total_cmp(&remainder(*a)).then(a.cmp(b)));
    let mut left = total.saturating_sub(parts.iter().sum());
    for at in order.iter().cycle().take(weights.len() * 2) {
        if left == 0 {
            break;
        }
        if weights[*at] > 0.0 {
            parts[*at] += 1;
            left -= 1;
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn remainders_go_to_the_largest() {
        assert_eq!(largest_remainder(1001, &[0.6, 0.3, 0.1]), [601, 300, 100]);
        assert_eq!(largest_remainder(100, &[1.0; 5]), [20; 5]);
        assert_eq!(largest_remainder(7, &[1.0; 5]), [2, 2, 1, 1, 1]);
        assert_eq!(largest_remainder(10, &[0.3, 0.0, 0.7]), [3, 0, 7]);
        assert_eq!(largest_remainder(0, &[1.0, 2.0]), [0, 0]);
        assert_eq!(largest_remainder(3, &[0.0, 0.0]), [0, 0]);
        for total in 0..500 {
            let parts = largest_remainder(total, &[0.17, 0.33, 0.2, 0.3]);
            assert_eq!(parts.iter().sum::<u64>(), total);
        }
    }

    #[test]
    fn bursts_are_apart_and_within_the_table() {
        for rows in [0, 1, 9, 10, 100, 1000] {
            let units = Units::new(rows, Some(Burst { low: 3, high: 10 }), Seed::new(rows));
            let mut end = 0;
            for unit in 0..units.count {
                let (first, length) = units.extent(unit);
                assert!(first >= end && (3..=10).contains(&length));
                end = first + length;
                for row in first..end {
                    let place = Place { entity: first, ordinal: row - first, count: length };
                    assert_eq!(units.of(row), Some((unit, place)));
                }
            }
            assert!(end <= rows);
            let inside = (0..rows).filter(|row| units.of(*row).is_some()).count() as u64;
            assert_eq!(inside, (0..units.count).map(|unit| units.extent(unit).1).sum::<u64>());
        }
    }
}
