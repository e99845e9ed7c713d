//! Dealing: which units an anomaly gets, and whether rows may be spoilt.

use lookalike_core::Rows;

use super::together::Entities;
use super::units::Shape;
use super::{Dealt, Held, MAX_HELD, Planned, Units};
use crate::plan::{Error, Tables};

impl Tables {
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
    pub(super) fn room(&self, at: usize, number: usize) -> Result<u64, Error> {
        let held = |planned: &Planned| match &planned.held {
            Held::Nothing => 0,
            Held::Units(units) => units.len() as u64,
            Held::Rows(groups) => groups.size(),
        };
        Ok(MAX_HELD.saturating_sub(self.injector(at)?.anomalies[..number].iter().map(held).sum()))
    }

    /// Whether units may be spoilt: the condition holds for all their rows, and no anomaly before takes any.
    pub(super) fn eligible(&self, at: usize, number: usize, units: &[u64]) -> Result<Vec<bool>, Error> {
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
    pub(super) fn free(&self, at: usize, number: usize, rows: &Rows) -> Result<Vec<bool>, Error> {
        let mut free = vec![true; rows.len()];
        if !self.injector(at)?.anomalies[number].overlap {
            self.taken(at, rows, number, &mut free)?;
        }
        Ok(free)
    }

    /// Takes the rows out for which the condition does not hold.
    pub(super) fn and_when(
        &self,
        at: usize,
        planned: &Planned,
        rows: &Rows,
        good: &mut [bool],
    ) -> Result<(), Error> {
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
}

impl Held {
    pub(super) fn units(units: Option<Vec<u64>>) -> Held {
        match units {
            None => Held::Nothing,
            Some(mut units) => {
                units.sort_unstable();
                Held::Units(units)
            }
        }
    }
}
