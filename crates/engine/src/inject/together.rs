//! Rows that belong together by their values, wherever they stand: those of a window of time, of an entity, or of both.
//!
//! Two passes over all rows see which of them there are, and which rows are theirs. What is held is a key and a number for
//! each window or entity while they are dealt, and the rows of those that are spoilt.

use std::collections::{BTreeMap, HashMap};

use lookalike_core::stream::open01;
use lookalike_core::{Permutation, Rows, Seed};
use lookalike_ruleset::Type;
use polars::prelude::*;

use super::{Dealt, Held, MAX_HELD, Planned};
use crate::array;
use crate::entity::Place;
use crate::generators::template::texts_of;
use crate::plan::{Error, Tables};
use crate::run::BLOCK_ROWS;

/// Most bytes of text that names entities.
const MAX_NAMES: usize = 1 << 28;

/// What makes rows belong together.
pub(crate) struct Together {
    /// Number of the column whose values lie in windows side by side (numbers, microseconds or, of dates, days), and the length
    /// of a window. Without it, all rows of an entity belong together.
    pub window: Option<(usize, f64)>,
    pub wanted: Wanted,
}

/// How many are to be spoilt.
#[derive(Clone, Copy)]
pub(crate) enum Wanted {
    /// So many windows or entities as the plan says.
    Groups,
    /// So many rows.
    Rows,
    /// A share of all windows or entities.
    Share(f64),
}

/// Whose a row is, and in which window.
type Key = (u64, i64);

/// The rows of some windows or entities.
#[derive(Default)]
pub(crate) struct Groups {
    /// The rows of each: of a window in the order of its column and, where that is equal, of their numbers.
    members: Vec<Vec<u64>>,
    /// Each row that is in one: its number, where it is, and its place there; in order.
    rows: Vec<(u64, u32, u32)>,
}

impl Groups {
    /// The rows of each, in order.
    pub(super) fn new(members: Vec<Vec<u64>>) -> Groups {
        let mut groups = Groups::default();
        for (group, members) in members.into_iter().enumerate() {
            let places = members.iter().enumerate().map(|(place, row)| (*row, group as u32, place as u32));
            groups.rows.extend(places);
            groups.members.push(members);
        }
        groups.rows.sort_unstable();
        groups
    }

    /// What it takes of the memory for units, each of 8 bytes.
    pub fn size(&self) -> u64 {
        3 * self.rows.len() as u64
    }

    /// Where a row is, and its place there.
    pub fn find(&self, row: u64) -> Option<(u32, Place)> {
        let at = self.rows.binary_search_by_key(&row, |(row, ..)| *row).ok()?;
        let (_, group, ordinal) = self.rows[at];
        let members = &self.members[group as usize];
        let place = Place { entity: members[0], ordinal: u64::from(ordinal), count: members.len() as u64 };
        Some((group, place))
    }

    /// The rows that belong to one that comes first.
    pub fn members(&self, first: u64) -> &[u64] {
        self.find(first).map_or(&[], |(group, _)| &self.members[group as usize])
    }
}

/// Numbers for the values of a column that says whose a row is: a whole number is its own, texts are numbered as they come.
#[derive(Default)]
pub(super) struct Entities {
    numbers: HashMap<Box<str>, u64>,
    bytes: usize,
}

impl Entities {
    /// The number of each value; none for null.
    pub fn of(&mut self, series: &Series, ty: Type) -> Result<Vec<Option<u64>>, Error> {
        let internal = |error: PolarsError| Error::Internal(error.to_string());
        if *series.dtype() == DataType::Int64 {
            let values = series.i64().map_err(internal)?;
            return Ok(values.iter().map(|value| value.map(|value| value as u64)).collect());
        }
        let texts = texts_of(series, ty).map_err(|failure| Error::Internal(failure.message))?;
        let mut number = |text: &str| {
            if let Some(number) = self.numbers.get(text) {
                return *number;
            }
            let number = self.numbers.len() as u64;
            self.bytes += text.len();
            self.numbers.insert(text.into(), number);
            number
        };
        Ok(texts.str().map_err(internal)?.iter().map(|text| text.map(&mut number)).collect())
    }

    pub fn are_too_many(&self) -> bool {
        self.bytes > MAX_NAMES || self.numbers.len() as u64 > MAX_HELD
    }
}

impl Tables {
    /// Deals windows or entities: looks at all rows to see which there are, and then at all rows to see which are theirs.
    pub(super) fn deal_together(
        &self,
        at: usize,
        number: usize,
        together: &Together,
        seed: Seed,
    ) -> Result<Dealt, Error> {
        let planned = &self.injector(at)?.anomalies[number];
        let rows = self.0[at].rows;
        let blocks = || {
            (0..rows).step_by(BLOCK_ROWS).map(|start| Rows::Range(start..rows.min(start + BLOCK_ROWS as u64)))
        };
        let what = if together.window.is_some() { "windows" } else { "entities" };
        let too_many = |words: &str| {
            let message =
                format!("its {what} {words}, and at most {MAX_HELD} are possible; take fewer or other ones");
            let names = &self.injector(at)?.names;
            Err(self.0[at].cell_error(&names.values()[planned.code as usize], message))
        };
        let mut entities = Entities::default();
        // Of each its rows, and whether all of them can be taken.
        let mut found: BTreeMap<Key, (u64, bool)> = BTreeMap::new();
        for block in blocks() {
            let keys = self.keys(at, planned, together, seed, &block, &mut entities)?;
            let mut good = self.free(at, number, &block)?;
            self.and_when(at, planned, &block, &mut good)?;
            for (key, good) in keys.into_iter().zip(good) {
                if let Some((key, _)) = key {
                    let group = found.entry(key).or_insert((0, true));
                    *group = (group.0 + 1, group.1 & good);
                }
            }
            if found.len() as u64 > MAX_HELD {
                return too_many(&format!("are more than {MAX_HELD}"));
            }
            if entities.are_too_many() {
                return too_many("have names too long or too many to be held");
            }
        }
        let wanted = match together.wanted {
            Wanted::Share(share) => (found.len() as f64 * share).round() as u64,
            Wanted::Groups | Wanted::Rows => planned.wanted,
        };
        let by_rows = matches!(together.wanted, Wanted::Rows);
        found.retain(|_, (_, good)| *good);
        let eligible: Vec<(Key, u64)> = found.into_iter().map(|(key, (rows, _))| (key, rows)).collect();
        let permutation = Permutation::new((eligible.len() as u64).max(1), seed.derive("units"));
        let (mut got, mut members) = (0, 0);
        let mut chosen: BTreeMap<Key, u32> = BTreeMap::new();
        for rank in 0..eligible.len() as u64 {
            if got >= wanted {
                break;
            }
            let (key, rows) = eligible[permutation.invert(rank) as usize];
            got += if by_rows { rows } else { 1 };
            members += rows;
            chosen.insert(key, chosen.len() as u32);
        }
        if members > self.room(at, number)? / 3 {
            return too_many(&format!("have {members} rows"));
        }
        let mut values: Vec<Vec<(f64, u64)>> = vec![Vec::new(); chosen.len()];
        for block in blocks() {
            let keys = self.keys(at, planned, together, seed, &block, &mut entities)?;
            for (key, row) in keys.into_iter().zip(&block) {
                if let Some((key, value)) = key
                    && let Some(group) = chosen.get(&key)
                {
                    values[*group as usize].push((value, row));
                }
            }
        }
        if let (None, Some(ordering)) = (together.window, &planned.ordering) {
            values.iter_mut().flatten().for_each(|(value, row)| *value = f64::from(ordering.place(*row)));
        }
        let in_order = |mut values: Vec<(f64, u64)>| {
            values.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
            values.into_iter().map(|(_, row)| row).collect()
        };
        let groups = Groups::new(values.into_iter().map(in_order).collect());
        Ok(Dealt { wanted, got, threshold: chosen.len() as u64, held: Held::Rows(groups) })
    }

    /// Whose each row is, in which window, and its value there; none where something of that is null.
    fn keys(
        &self,
        at: usize,
        planned: &Planned,
        together: &Together,
        seed: Seed,
        rows: &Rows,
        entities: &mut Entities,
    ) -> Result<Vec<Option<(Key, f64)>>, Error> {
        let wanted: Vec<usize> =
            together.window.iter().map(|(column, _)| *column).chain(planned.per).collect();
        let columns = self.frame(at, rows, &wanted)?;
        let owners = match (planned.per, columns.last()) {
            (Some(per), Some(series)) => entities.of(series, self.0[at].columns[per].output.ty)?,
            _ => vec![Some(0); rows.len()],
        };
        let Some((_, length)) = together.window else {
            return Ok(owners.into_iter().map(|owner| owner.map(|owner| ((owner, 0), 0.0))).collect());
        };
        let values = array::to_floats(&columns[0]).map_err(|failure| Error::Internal(failure.message))?;
        // Where the windows begin is random, so that they do not stand at round numbers.
        let phase = open01(seed.derive("window").stream().word(0, 0)) * length;
        let key = |(value, owner): (Option<f64>, Option<u64>)| {
            let value = value.filter(|value| value.is_finite())?;
            Some(((owner?, libm::floor((value - phase) / length) as i64), value))
        };
        Ok(values.into_iter().zip(owners).map(key).collect())
    }
}
