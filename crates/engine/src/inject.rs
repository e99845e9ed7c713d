//! The injector: which rows get which anomaly, and the rows with their anomalies.
//!
//! Each anomaly deals its units (rows, runs of rows, or all children of a parent) by a keyed permutation: the first so and so many that are eligible
//! and not taken by an anomaly before it are spoilt. The plan keeps one number for each anomaly, the place in the
//! permutation where it had enough; so the quota is exact and yet any row can tell alone whether it is spoilt.

use std::sync::Arc;

use lookalike_core::stream::below;
use lookalike_core::{Permutation, Rows, Seed, Stream};
use lookalike_ruleset::anomaly::Burst;
use lookalike_ruleset::{Span, Type};
use polars::prelude::*;

use crate::anomaly::{Anomaly, Hits};
use crate::array;
use crate::entity::Place;
use crate::generator::{Block, Categories, Failure, Output};
use crate::plan::{Error, Tables};

/// The anomalies of a table, ready to run.
pub(crate) struct Injector {
    /// In the order in which they choose: those that take many rows at a time, then those with a condition, then the others.
    pub anomalies: Vec<Planned>,
    /// Name of the label column.
    pub label: Option<String>,
    /// Names of the anomalies, as declared.
    pub names: Arc<Categories>,
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
    /// Number of the column with the parent's row, of which a burst has only one.
    pub per: Option<usize>,
    pub units: Units,
    /// How many units are to be spoilt.
    pub wanted: u64,
    /// Units whose rank in the permutation is below it are spoilt, if they are eligible.
    pub threshold: u64,
}

impl Injector {
    /// The anomalies, with the exact number of rows that have each, where it takes single rows.
    pub fn declared(&self) -> Vec<(String, Option<u64>)> {
        let rows = |code: usize| {
            let planned = self.anomalies.iter().find(|planned| planned.code as usize == code)?;
            (!planned.units.is_run()).then_some(planned.wanted)
        };
        self.names.values().iter().enumerate().map(|(code, name)| (name.clone(), rows(code))).collect()
    }
}

/// What an anomaly takes at a time, in the order in which it is dealt.
pub(crate) struct Units {
    burst: Option<(Burst, u64, Stream)>,
    /// The link whose parents' children are taken together.
    whole: Option<usize>,
    permutation: Permutation,
    /// How many there are.
    pub count: u64,
}

impl Units {
    /// The units of a table with so many rows.
    pub fn new(rows: u64, burst: Option<Burst>, seed: Seed) -> Units {
        let (burst, count) = match burst {
            None => (None, rows),
            Some(burst) => {
                let stream = seed.derive("burst").stream();
                // Where the first begins is random too, so that they do not stand at round numbers.
                let offset = below(stream.word(0, 2), burst.high.min(rows + 1));
                let count = (rows - offset.min(rows)) / burst.high;
                (Some((burst, offset, stream)), count)
            }
        };
        Units { burst, whole: None, permutation: Permutation::new(count.max(1), seed.derive("units")), count }
    }

    /// The children of each of so many parents, through a link by its number.
    pub fn children(parents: u64, link: usize, seed: Seed) -> Units {
        let permutation = Permutation::new(parents.max(1), seed.derive("units"));
        Units { burst: None, whole: Some(link), permutation, count: parents }
    }

    /// Whether a unit has several rows.
    pub fn is_run(&self) -> bool {
        self.burst.is_some() || self.whole.is_some()
    }

    /// First row and number of rows of a unit.
    fn extent(&self, unit: u64) -> (u64, u64) {
        match &self.burst {
            None => (unit, 1),
            Some((burst, offset, stream)) => {
                let rows = burst.low + below(stream.word(unit, 0), burst.high - burst.low + 1);
                let shift = below(stream.word(unit, 1), burst.high - rows + 1);
                (offset + unit * burst.high + shift, rows)
            }
        }
    }

    /// The unit that a row is in, and its place there.
    fn of(&self, row: u64) -> Option<(u64, Place)> {
        let Some((burst, offset, _)) = &self.burst else {
            return Some((row, Place { entity: row, ordinal: 0, count: 1 }));
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

impl Planned {
    /// Positions, units and places of the free rows that are spoilt if they are eligible.
    fn candidates(&self, rows: &Rows, hits: &[Option<Hit>]) -> Vec<(u32, u64, Place)> {
        let Units { burst, permutation, count, .. } = &self.units;
        let mut found = Vec::new();
        if burst.is_none() && *count > 0 {
            // Many ranks at a time are found faster than one by one.
            let mut position = 0;
            permutation.for_each(rows, |rank| {
                if rank < self.threshold && hits[position].is_none() {
                    let row = rows.get(position);
                    found.push((position as u32, row, Place { entity: row, ordinal: 0, count: 1 }));
                }
                position += 1;
            });
            return found;
        }
        for (position, row) in rows.iter().enumerate() {
            if hits[position].is_none()
                && let Some((unit, place)) = self.units.of(row)
                && permutation.apply(unit) < self.threshold
            {
                found.push((position as u32, unit, place));
            }
        }
        found
    }
}

/// Rows with their anomalies, and the truth about them.
pub struct Spoilt {
    /// The rows as they are written, anomalies and label included.
    pub frame: DataFrame,
    /// The rows without anomalies.
    pub clean: DataFrame,
    /// The cells that anomalies took, also where they left the value as it was: for each anomaly and column.
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
    /// The clean values.
    pub before: Series,
    /// The values put there.
    pub after: Series,
}

/// A row's anomaly: its position among the anomalies, and the row's place in the instance.
type Hit = (usize, Place);

impl Tables {
    fn injector(&self, at: usize) -> Result<&Injector, Error> {
        self.0[at].injector.as_ref().ok_or_else(|| Error::Internal("the table has no anomalies".into()))
    }

    /// Finds the threshold of the anomaly at `number`, with those before it ready; gives how many units it gets, which
    /// are fewer than wanted if not enough are eligible.
    pub(crate) fn find_threshold(&self, at: usize, number: usize) -> Result<(u64, u64), Error> {
        let planned = &self.injector(at)?.anomalies[number];
        let simple = planned.when.is_none() && planned.per.is_none() && planned.units.whole.is_none();
        if number == 0 && simple {
            let got = planned.wanted.min(planned.units.count);
            return Ok((got, got));
        }
        let (mut got, mut rank) = (0, 0);
        while got < planned.wanted && rank < planned.units.count {
            let step = (planned.wanted - got).clamp(256, 16_384).min(planned.units.count - rank);
            let units: Vec<u64> =
                (rank..rank + step).map(|rank| planned.units.permutation.invert(rank)).collect();
            for eligible in self.eligible(at, number, &units)? {
                rank += 1;
                got += u64::from(eligible);
                if got == planned.wanted {
                    break;
                }
            }
        }
        Ok((got, rank))
    }

    /// Whether units may be spoilt: the condition holds for all their rows, and no anomaly before takes any.
    fn eligible(&self, at: usize, number: usize, units: &[u64]) -> Result<Vec<bool>, Error> {
        let planned = &self.injector(at)?.anomalies[number];
        let extents = self.extents(at, planned, units)?;
        let rows: Rows =
            extents.iter().flat_map(|(first, rows)| *first..first + rows).collect::<Vec<_>>().into();
        let mut good = vec![true; rows.len()];
        for (good, hit) in good.iter_mut().zip(self.hits(at, &rows, number)?) {
            *good = hit.is_none();
        }
        self.and_when(at, planned, &rows, &mut good)?;
        if let Some(per) = planned.per {
            let parents = self.frame(at, &rows, &[per])?.remove(0);
            let parents = parents.i64().map_err(|e| Error::Internal(e.to_string()))?;
            let mut start = 0;
            for (_, length) in &extents {
                let end = start + *length as usize;
                if (start..end).any(|at| parents.get(at) != parents.get(start)) {
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
        match planned.units.whole {
            None => Ok(units.iter().map(|unit| planned.units.extent(*unit)).collect()),
            Some(link) => {
                let children = self.children_by(at, link, &Rows::from(units.to_vec()))?;
                Ok(children.into_iter().map(|rows| (rows.start, rows.end - rows.start)).collect())
            }
        }
    }

    /// Positions, units and places of the free rows that are spoilt if they are eligible.
    fn candidates(
        &self,
        at: usize,
        planned: &Planned,
        rows: &Rows,
        hits: &[Option<Hit>],
    ) -> Result<Vec<(u32, u64, Place)>, Error> {
        let Some(link) = planned.units.whole else { return Ok(planned.candidates(rows, hits)) };
        let places = self.places_by(at, link, rows)?;
        let taken = |(position, (parent, place)): (usize, (u64, Place))| {
            let chosen = planned.units.permutation.apply(parent) < planned.threshold;
            (chosen && hits[position].is_none()).then_some((position as u32, parent, place))
        };
        Ok(places.into_iter().enumerate().filter_map(taken).collect())
    }

    /// Takes the rows out for which the condition does not hold.
    fn and_when(&self, at: usize, planned: &Planned, rows: &Rows, good: &mut [bool]) -> Result<(), Error> {
        let Some(when) = planned.when else { return Ok(()) };
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

    /// The anomaly of each row, among the first `count` anomalies.
    fn hits(&self, at: usize, rows: &Rows, count: usize) -> Result<Vec<Option<Hit>>, Error> {
        let injector = self.injector(at)?;
        let mut hits: Vec<Option<Hit>> = vec![None; rows.len()];
        for (number, planned) in injector.anomalies[..count].iter().enumerate() {
            if planned.threshold == 0 {
                continue;
            }
            let found = self.candidates(at, planned, rows, &hits)?;
            let good = if planned.units.is_run() {
                // The rows of a unit are neighbours; each unit is looked at once.
                let mut units: Vec<u64> = found.iter().map(|(_, unit, _)| *unit).collect();
                units.sort_unstable();
                units.dedup();
                let eligible = self.eligible(at, number, &units)?;
                found
                    .iter()
                    .map(|(_, unit, _)| units.binary_search(unit).is_ok_and(|at| eligible[at]))
                    .collect()
            } else {
                let positions: Vec<u32> = found.iter().map(|(position, ..)| *position).collect();
                let mut good = vec![true; found.len()];
                self.and_when(at, planned, &rows.select(&positions), &mut good)?;
                good
            };
            for ((position, _, place), good) in found.into_iter().zip(good) {
                if good {
                    hits[position as usize] = Some((number, place));
                }
            }
        }
        Ok(hits)
    }

    /// Makes rows with their anomalies; `written` are the numbers of the clean columns.
    pub(crate) fn spoil(&self, at: usize, rows: &Rows, written: &[usize]) -> Result<Spoilt, Error> {
        let table = &self.0[at];
        let injector = self.injector(at)?;
        let clean = self.frame(at, rows, written)?;
        let hits = self.hits(at, rows, injector.anomalies.len())?;
        let internal = |error: PolarsError| Error::Internal(error.to_string());
        // A column's clean values, then those put in their place; and where each row's value comes from.
        let mut columns: Vec<(Series, Option<Vec<IdxSize>>)> =
            clean.iter().map(|c| (c.clone(), None)).collect();
        for (position, number) in written.iter().enumerate() {
            let dirty = &table.columns[*number].dirty;
            if let Some(dirty) = dirty {
                columns[position].0 = as_output(&columns[position].0, dirty).map_err(internal)?;
            }
        }
        let mut marks = Vec::new();
        for (number, planned) in injector.anomalies.iter().enumerate() {
            let of = |hit: &Option<Hit>| hit.filter(|(of, _)| *of == number).map(|(_, place)| place);
            let positions: Vec<u32> = hits
                .iter()
                .enumerate()
                .filter(|(_, hit)| of(hit).is_some())
                .map(|(at, _)| at as u32)
                .collect();
            if positions.is_empty() {
                continue;
            }
            let places: Vec<Place> = hits.iter().filter_map(of).collect();
            let name = &injector.names.values()[planned.code as usize];
            let hit_rows = rows.select(&positions);
            let (values, severity) = self.new_values(at, planned, name, &hit_rows, &places)?;
            for (column, after) in planned.columns.iter().zip(values) {
                let Some(position) = written.iter().position(|number| number == column) else { continue };
                let column = &table.columns[*column];
                if after.len() != places.len() {
                    let message =
                        format!("the anomaly made {} values for {} rows", after.len(), places.len());
                    return Err(table.cell_error(&column.name, message));
                }
                let after = match &column.dirty {
                    Some(dirty) => as_output(&after, dirty).map_err(internal)?,
                    None => after,
                };
                let (all, index) = &mut columns[position];
                let index = index.get_or_insert_with(|| (0..rows.len() as IdxSize).collect());
                for (offset, position) in positions.iter().enumerate() {
                    index[*position as usize] = (all.len() + offset) as IdxSize;
                }
                all.append(&after).map_err(internal)?;
                let before =
                    as_output(&clean[position].take_slice(&positions).map_err(internal)?, &column.output)
                        .map_err(internal)?;
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
        for ((all, index), number) in columns.into_iter().zip(written) {
            let series = match index {
                Some(index) => all.rechunk().take_slice(&index).map_err(internal)?,
                None => all,
            };
            dirty.push(named(series, number));
        }
        if let Some(label) = &injector.label {
            let code = |hit: &Option<Hit>| hit.map(|(number, _)| injector.anomalies[number].code);
            let kept = hits.iter().map(Option::is_some).collect();
            let codes = array::codes(hits.iter().map(|hit| code(hit).unwrap_or(0)), &injector.names);
            let series = array::with_validity(codes, kept).map_err(|f| Error::Internal(f.message))?;
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
    ) -> Result<(Vec<Series>, Option<Vec<Option<f64>>>), Error> {
        let table = &self.0[at];
        let mut filled: Vec<Option<Series>> = vec![None; table.columns.len()];
        for (number, series) in planned.inputs.iter().zip(self.frame(at, rows, &planned.inputs)?) {
            filled[*number] = Some(series);
        }
        let clean = |column: usize, rows: &Rows| -> Result<Series, Failure> {
            let mut series =
                self.frame(at, rows, &[column]).map_err(|error| Failure::new(error.to_string()))?;
            Ok(series.remove(0))
        };
        let hits = Hits { block: Block::new(rows, 0, &filled), places, clean: &clean };
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

/// A column in the form that its anomalies need: known values become any text.
fn as_output(series: &Series, output: &Output) -> PolarsResult<Series> {
    match (&output.categories, output.ty) {
        (None, Type::Text) if *series.dtype() != DataType::String => series.cast(&DataType::String),
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
