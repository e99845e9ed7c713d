//! Rows in another order than by their numbers: those of each entity by the values of a column.

use lookalike_core::Rows;
use lookalike_core::stream::below;
use lookalike_core::{Permutation, Seed, Stream};
use lookalike_ruleset::anomaly::Burst;

use super::together::{Entities, Groups};
use super::{Dealt, Held, MAX_HELD};
use crate::array;
use crate::plan::{Error, Tables};
use crate::run::BLOCK_ROWS;

/// The place of a row that has none.
const NONE: u32 = u32::MAX;

/// The order of a table's rows: 8 bytes a row.
pub(crate) struct Ordering {
    /// The rows in order, those of an entity together.
    rows: Vec<u32>,
    /// Of each row its place there.
    places: Vec<u32>,
    /// Where the rows of each entity begin, and behind all.
    starts: Vec<u32>,
}

impl Ordering {
    /// The order of rows, each with whose it is and its value; rows that lack one of these have no place.
    fn new(mut keyed: Vec<(u64, f64, u32)>, rows: u64) -> Ordering {
        keyed.sort_unstable_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)).then(a.2.cmp(&b.2)));
        let mut starts = vec![0];
        for owner in keyed.chunk_by(|a, b| a.0 == b.0) {
            starts.push(starts[starts.len() - 1] + owner.len() as u32);
        }
        let rows_in_order: Vec<u32> = keyed.into_iter().map(|(.., row)| row).collect();
        let mut places = vec![NONE; rows as usize];
        rows_in_order.iter().enumerate().for_each(|(place, row)| places[*row as usize] = place as u32);
        Ordering { rows: rows_in_order, places, starts }
    }

    /// The place of a row; rows that have none come last.
    pub fn place(&self, row: u64) -> u32 {
        self.places.get(row as usize).copied().unwrap_or(NONE)
    }

    /// Up to so many rows before and after a row, of the same entity, with it among them; and its position there.
    pub fn around(&self, row: u64, before: u64, after: u64) -> (Rows, usize) {
        let place = self.place(row);
        if place == NONE {
            return (Rows::from(vec![row]), 0);
        }
        let entity = self.starts.partition_point(|start| *start <= place) - 1;
        let (first, last) = (u64::from(self.starts[entity]), u64::from(self.starts[entity + 1]));
        let place = u64::from(place);
        let (from, to) = (place.saturating_sub(before).max(first), (place + after + 1).min(last));
        let rows =
            self.rows[from as usize..to as usize].iter().map(|row| u64::from(*row)).collect::<Vec<_>>();
        (Rows::from(rows), (place - from) as usize)
    }

    /// Runs of rows that follow each other in an entity, apart from each other; where they begin is random.
    fn bursts(&self, burst: Burst, stream: Stream) -> Vec<&[u32]> {
        let mut found = Vec::new();
        for (entity, ends) in self.starts.windows(2).enumerate() {
            let own = &self.rows[ends[0] as usize..ends[1] as usize];
            let offset = below(stream.word(entity as u64, 2), burst.high.min(own.len() as u64 + 1)) as usize;
            for (number, slot) in own[offset.min(own.len())..].chunks_exact(burst.high as usize).enumerate() {
                // Slots are numbered by where they begin in the whole, so that no two share their draws.
                let unit = u64::from(ends[0]) + (offset + number * burst.high as usize) as u64;
                let rows = burst.low + below(stream.word(unit, 0), burst.high - burst.low + 1);
                let shift = below(stream.word(unit, 1), burst.high - rows + 1) as usize;
                found.push(&slot[shift..shift + rows as usize]);
            }
        }
        found
    }
}

impl Tables {
    /// Finds the order of a table's rows: by the values of a column, and those of each entity by itself.
    pub(crate) fn ordering(&self, at: usize, column: usize, per: Option<usize>) -> Result<Ordering, Error> {
        let table = &self.0[at];
        if table.rows > MAX_HELD {
            let message = format!("the order of {} rows cannot be held; at most {MAX_HELD}", table.rows);
            return Err(table.cell_error(&table.columns[column].name, message));
        }
        let wanted: Vec<usize> = std::iter::once(column).chain(per).collect();
        let mut entities = Entities::default();
        let mut keyed = Vec::with_capacity(table.rows as usize);
        for start in (0..table.rows).step_by(BLOCK_ROWS) {
            let rows = Rows::Range(start..table.rows.min(start + BLOCK_ROWS as u64));
            let columns = self.frame(at, &rows, &wanted)?;
            let values = array::to_floats(&columns[0]).map_err(|failure| Error::Internal(failure.message))?;
            let owners = match per {
                Some(per) => entities.of(&columns[1], table.columns[per].output.ty)?,
                None => vec![Some(0); rows.len()],
            };
            if entities.are_too_many() {
                return Err(
                    table.cell_error(&table.columns[column].name, "its entities are too many to be held")
                );
            }
            for ((value, owner), row) in values.into_iter().zip(owners).zip(&rows) {
                if let (Some(value), Some(owner)) = (value.filter(|value| value.is_finite()), owner) {
                    keyed.push((owner, value, row as u32));
                }
            }
        }
        Ok(Ordering::new(keyed, table.rows))
    }

    /// Deals bursts of rows that follow each other in the anomaly's order.
    pub(super) fn deal_in_order(
        &self,
        at: usize,
        number: usize,
        burst: Burst,
        ordering: &Ordering,
        seed: Seed,
    ) -> Result<Dealt, Error> {
        let planned = &self.injector(at)?.anomalies[number];
        let rows = self.0[at].rows;
        let mut good = Vec::with_capacity(rows as usize);
        for start in (0..rows).step_by(BLOCK_ROWS) {
            let block = Rows::Range(start..rows.min(start + BLOCK_ROWS as u64));
            let mut free = self.free(at, number, &block)?;
            self.and_when(at, planned, &block, &mut free)?;
            good.extend(free);
        }
        let mut bursts = ordering.bursts(burst, seed.derive("burst").stream());
        bursts.retain(|rows| rows.iter().all(|row| good[*row as usize]));
        let permutation = Permutation::new((bursts.len() as u64).max(1), seed.derive("units"));
        let got = planned.wanted.min(bursts.len() as u64);
        let mut taken: Vec<u64> = (0..got).map(|rank| permutation.invert(rank)).collect();
        taken.sort_unstable();
        let members =
            taken.into_iter().map(|unit| bursts[unit as usize].iter().map(|row| u64::from(*row)).collect());
        let groups = Groups::new(members.collect());
        if groups.size() > self.room(at, number)? {
            let names = &self.injector(at)?.names;
            let message =
                format!("its bursts have too many rows to be held; at most {} are possible", MAX_HELD / 3);
            return Err(self.0[at].cell_error(&names.values()[planned.code as usize], message));
        }
        Ok(Dealt { wanted: planned.wanted, got, threshold: got, held: Held::Rows(groups) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_an_entity_are_in_order_and_bursts_stay_in_one() {
        // Three entities whose rows lie mixed; values fall with the row's number, and some rows have none.
        let keyed = (0..3000u32)
            .filter(|row| row % 11 != 0)
            .map(|row| (u64::from(row % 3), -f64::from(row / 2), row));
        let ordering = Ordering::new(keyed.collect(), 3000);
        assert_eq!(ordering.starts.len(), 4);
        let (near, own) = ordering.around(1000, 2, 3);
        let near: Vec<u64> = near.iter().collect();
        assert_eq!((near, own), (vec![1006, 1003, 1000, 997, 994, 991], 2));
        assert_eq!(ordering.around(1001, 5, 5).0.iter().collect::<Vec<_>>(), [1001], "a row without a value");
        let first = u64::from(ordering.rows[0]);
        assert_eq!(ordering.around(first, 9, 0).0.len(), 1);
        let bursts = ordering.bursts(Burst { low: 2, high: 7 }, Seed::new(1).stream());
        assert!(bursts.len() > 300);
        let mut seen = std::collections::BTreeSet::new();
        for rows in bursts {
            assert!((2..=7).contains(&rows.len()));
            assert!(rows.windows(2).all(|pair| pair[0] % 3 == pair[1] % 3 && pair[0] > pair[1]));
            assert!(rows.iter().all(|row| seen.insert(*row)), "bursts are apart");
        }
    }
}
