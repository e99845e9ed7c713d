//! The unit of privacy, and how its part in a table is bounded before anything else reads the table.

use opendp::traits::samplers::fill_bytes;
use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// Whom the promise is made to: a row, or all rows that share a value of a column.
///
/// Tables are neighbours if one has a unit more than the other, with all its rows. The bounds come from the rules, never
/// from the rows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unit {
    /// The column that names the unit; none where a unit is a row.
    pub column: Option<String>,
    /// The most rows of a unit that are counted, *k*; at least 1. The others are left out, chosen at random.
    pub max_rows: u32,
    /// The most groups that a unit is counted in, where a release is by group.
    pub max_groups: Option<u32>,
    /// The most rows of a unit that are counted in one group.
    pub max_rows_per_group: Option<u32>,
}

impl Unit {
    /// Each row for itself.
    pub fn row() -> Unit {
        Unit { column: None, max_rows: 1, max_groups: None, max_rows_per_group: None }
    }

    /// All rows with the same value of `column`, of which at most `max_rows` are counted.
    ///
    /// # Errors
    /// When `max_rows` is 0.
    pub fn column(column: impl Into<String>, max_rows: u32) -> Result<Unit> {
        let unit = Unit { column: Some(column.into()), max_rows, max_groups: None, max_rows_per_group: None };
        unit.check()
    }

    /// The same unit, counted in at most `max_groups` groups with at most `max_rows_per_group` rows in each.
    ///
    /// # Errors
    /// When a bound is 0.
    pub fn by_group(self, max_groups: Option<u32>, max_rows_per_group: Option<u32>) -> Result<Unit> {
        Unit { max_groups, max_rows_per_group, ..self }.check()
    }

    fn check(self) -> Result<Unit> {
        let zero = |bound: Option<u32>| bound == Some(0);
        if self.max_rows == 0 || zero(self.max_groups) || zero(self.max_rows_per_group) {
            return Err(Error::request(
                "a bound on what a unit contributes is 0",
                "expected at least 1; choose it from what is known in public about the units, not from the rows",
            ));
        }
        Ok(self)
    }

    /// The most rows that a unit has after truncation, *k*.
    pub fn k(&self) -> u32 {
        self.max_rows
    }

    /// The most groups that a unit is in, *m*.
    pub fn m(&self) -> u32 {
        self.max_groups.unwrap_or(self.max_rows).min(self.max_rows)
    }

    /// The most rows that a unit has in one group, *r*.
    pub fn r(&self) -> u32 {
        self.max_rows_per_group.unwrap_or(self.max_rows).min(self.max_rows)
    }

    /// The most by which a vector of counts moves in the L1 norm when a unit comes or goes: min(k, m r).
    pub fn l1(&self) -> f64 {
        f64::from(self.k()).min(f64::from(self.m()) * f64::from(self.r()))
    }

    /// The most by which a vector of counts moves in the L2 norm, as its square.
    ///
    /// A unit adds at most r to a count, to at most m counts, and at most k in all. The sum of squares is largest when full
    /// groups of r come first.
    pub fn l2_squared(&self) -> u64 {
        let (r, m) = (u64::from(self.r()), u64::from(self.m()));
        let rows = u64::from(self.k()).min(m * r);
        (rows / r) * r * r + (rows % r) * (rows % r)
    }

    /// The most by which a vector of counts moves in the L2 norm, rounded up.
    pub fn l2(&self) -> f64 {
        root_up(self.l2_squared())
    }

    /// In words: `row`, or `` `client`, at most 40 rows of each ``.
    pub fn describe(&self) -> String {
        let Some(column) = &self.column else { return "row".into() };
        let mut text = format!("`{column}`, at most {} of each", rows(self.max_rows));
        if let Some(groups) = self.max_groups {
            text.push_str(&format!(", in at most {groups} groups"));
        }
        if let Some(bound) = self.max_rows_per_group {
            text.push_str(&format!(", at most {} in a group", rows(bound)));
        }
        text
    }

    /// The rows to keep so that no unit has more than k, given the unit of each row: numbers of rows, rising.
    ///
    /// Which rows of a unit stay is drawn from the operating system's randomness and depends on that unit alone, so adding or
    /// removing a unit changes none of the others: tables that differed in one unit differ in one with at most k rows.
    ///
    /// # Errors
    /// When there is no randomness to be had.
    pub fn truncate(&self, units: &[u64]) -> Result<Vec<usize>> {
        let ranked = ranked(units.iter().copied())?;
        let mut kept = Vec::with_capacity(units.len());
        let mut seen = 0;
        for (at, &(unit, _, row)) in ranked.iter().enumerate() {
            seen = if at > 0 && ranked[at - 1].0 == unit { seen + 1 } else { 1 };
            if seen <= self.max_rows {
                kept.push(row);
            }
        }
        kept.sort_unstable();
        Ok(kept)
    }
}

/// The least number whose square is at least `square`; from 2^52 on, the least whole one.
fn root_up(square: u64) -> f64 {
    if square >= 1 << 52 {
        let root = square.isqrt();
        return (root + u64::from(root * root < square)) as f64;
    }
    let (square, root) = (square as f64, (square as f64).sqrt());
    // Multiplied and subtracted with one rounding, so the sign is that of the exact difference.
    if root.mul_add(root, -square) < 0.0 { root.next_up() } else { root }
}

fn rows(count: u32) -> String {
    if count == 1 { "1 row".into() } else { format!("{count} rows") }
}

/// The rows to keep so that no unit is in more than m groups nor has more than r rows in one, given unit and group of each
/// row: numbers of rows, rising. As [`Unit::truncate`], each unit by itself.
///
/// # Errors
/// When there is no randomness to be had.
pub fn keep_groups(unit: &Unit, units: &[u64], groups: &[u64]) -> Result<Vec<usize>> {
    if unit.max_groups.is_none() && unit.max_rows_per_group.is_none() {
        return Ok((0..units.len()).collect());
    }
    // One ticket for each pair of unit and group, drawn once; the m smallest of a unit stay.
    let mut pairs: Vec<(u64, u64)> = units.iter().copied().zip(groups.iter().copied()).collect();
    pairs.sort_unstable();
    pairs.dedup();
    let tickets = ranked(pairs.iter().map(|pair| pair.0))?;
    let mut stays = vec![false; pairs.len()];
    let mut seen = 0;
    for (at, &(owner, _, pair)) in tickets.iter().enumerate() {
        seen = if at > 0 && tickets[at - 1].0 == owner { seen + 1 } else { 1 };
        stays[pair] = seen <= unit.m();
    }
    let mut kept = Vec::new();
    let place = |row: usize| {
        let found = pairs.binary_search(&(units[row], groups[row]));
        found.map_err(|_| Error::Internal("a pair of unit and group got lost".into()))
    };
    let places = (0..units.len()).map(place).collect::<Result<Vec<_>>>()?;
    let ranked = ranked(places.iter().map(|&place| place as u64))?;
    let mut seen = 0;
    for (at, &(place, _, row)) in ranked.iter().enumerate() {
        seen = if at > 0 && ranked[at - 1].0 == place { seen + 1 } else { 1 };
        if seen <= unit.r() && stays[place as usize] {
            kept.push(row);
        }
    }
    kept.sort_unstable();
    Ok(kept)
}

/// Items sorted by owner and, inside each owner, at random: owner, ticket, number of the item.
fn ranked(owners: impl Iterator<Item = u64>) -> Result<Vec<(u64, u128, usize)>> {
    let owners: Vec<u64> = owners.collect();
    let mut bytes = vec![0; owners.len() * 16];
    fill_bytes(&mut bytes)?;
    let (tickets, _) = bytes.as_chunks::<16>();
    let mut ranked: Vec<(u64, u128, usize)> = owners
        .into_iter()
        .zip(tickets)
        .enumerate()
        .map(|(row, (owner, ticket))| (owner, u128::from_le_bytes(*ticket), row))
        .collect();
    ranked.sort_unstable();
    Ok(ranked)
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn sensitivities_are_those_of_the_worst_unit() {
        let unit = |k, m, r| Unit::column("client", k).unwrap().by_group(m, r).unwrap();
        assert_eq!(Unit::row().l2_squared(), 1);
        assert_eq!(unit(40, None, None).l2_squared(), 1600);
        assert_eq!(unit(40, Some(4), Some(10)).l2_squared(), 400);
        assert_eq!(unit(7, Some(9), Some(3)).l2_squared(), 9 + 9 + 1);
        assert_eq!(unit(40, Some(2), Some(3)).l1(), 6.0);
        assert!(unit(7, Some(9), Some(3)).l2() >= 19f64.sqrt());
    }

    /// A root that was rounded down may square, rounded once more, to the square itself, as that of 11 does.
    #[test]
    fn roots_are_rounded_up() {
        let root = 11f64.sqrt();
        assert!(root * root >= 11.0 && root_up(11) > root);
        for (square, root) in [(1u64 << 60, 1u64 << 30), ((1 << 60) + 1, (1 << 30) + 1), (u64::MAX, 1 << 32)]
        {
            assert_eq!(root_up(square), root as f64);
        }
        for square in (1..5000).chain([1 << 40, (1 << 40) + 1, (1 << 50) - 3]) {
            // The exact square of a number is that of its 53 digits, moved.
            let is_enough = |root: f64| {
                let bits = root.to_bits();
                let (digits, moved) = (bits & ((1 << 52) - 1) | 1 << 52, 1075 - (bits >> 52));
                u128::from(digits).pow(2) >= u128::from(square) << (2 * moved)
            };
            let root = root_up(square);
            assert!(is_enough(root) && !is_enough(root.next_down()), "{square}");
        }
    }

    #[test]
    fn a_bound_of_nothing_is_refused() {
        assert!(Unit::column("client", 0).is_err());
        assert!(Unit::row().by_group(Some(0), None).is_err());
    }

    proptest! {
        #[test]
        fn truncation_keeps_what_fits(units in prop::collection::vec(0u64..6, 0..80), k in 1u32..8) {
            let unit = Unit::column("client", k).unwrap();
            let kept = unit.truncate(&units).unwrap();
            prop_assert!(kept.is_sorted());
            let count = |rows: &mut dyn Iterator<Item = u64>| {
                rows.fold(BTreeMap::<u64, u32>::new(), |mut counts, unit| {
                    *counts.entry(unit).or_default() += 1;
                    counts
                })
            };
            let before = count(&mut units.iter().copied());
            let after = count(&mut kept.iter().map(|&row| units[row]));
            for (unit, rows) in before {
                prop_assert_eq!(after[&unit], rows.min(k));
            }
        }

        #[test]
        fn no_unit_moves_counts_by_more_than_its_sensitivity(
            rows in prop::collection::vec((0u64..5, 0u64..6), 0..120),
            k in 1u32..12, m in prop::option::of(1u32..6), r in prop::option::of(1u32..6),
        ) {
            let unit = Unit::column("client", k).unwrap().by_group(m, r).unwrap();
            let units: Vec<u64> = rows.iter().map(|row| row.0).collect();
            let kept = unit.truncate(&units).unwrap();
            let units: Vec<u64> = kept.iter().map(|&row| rows[row].0).collect();
            let groups: Vec<u64> = kept.iter().map(|&row| rows[row].1).collect();
            let kept = keep_groups(&unit, &units, &groups).unwrap();
            // Each unit's own part of the counts is what its coming or going changes.
            let mut parts: BTreeMap<u64, BTreeMap<u64, u64>> = BTreeMap::new();
            for row in kept {
                *parts.entry(units[row]).or_default().entry(groups[row]).or_default() += 1;
            }
            for part in parts.values() {
                prop_assert!(part.values().sum::<u64>() as f64 <= unit.l1());
                prop_assert!(part.values().map(|c| c * c).sum::<u64>() <= unit.l2_squared());
            }
        }
    }

    /// Of 10 rows of a unit 3 stay; each of the 120 sets has the same chance. Pearson's statistic over rows, 9 degrees of
    /// freedom scaled by (n - k)/(n - 1) for drawing without replacement; the bound 44.8 has a false-alarm rate of 1e-6.
    #[test]
    fn every_row_has_the_same_chance_to_stay() {
        let unit = Unit::column("client", 3).unwrap();
        let mut counts = [0f64; 10];
        let runs = 6000;
        let mut sets = BTreeSet::new();
        for _ in 0..runs {
            let kept = unit.truncate(&[7; 10]).unwrap();
            kept.iter().for_each(|&row| counts[row] += 1.0);
            sets.insert(kept);
        }
        let expected = f64::from(runs) * 0.3;
        let statistic: f64 = counts.iter().map(|c| (c - expected).powi(2) / expected).sum();
        assert!(statistic / (7.0 / 9.0) < 44.8, "{counts:?}");
        assert_eq!(sets.len(), 120);
    }
}
