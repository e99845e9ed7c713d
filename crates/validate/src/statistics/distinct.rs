//! Which values there are and how often: exactly up to a bound, then by sketches.
//!
//! Beyond the bound the number of different values comes from a HyperLogLog (P. Flajolet et al., 2007, with the linear
//! counting of small cardinalities; standard error 0.8 %), the most frequent values from a Misra–Gries summary (merged as in
//! P. K. Agarwal et al., "Mergeable summaries", 2013), whose counts are lower bounds.

use std::hash::Hash;

use crate::cells::Map;

/// Up to so many different values are counted exactly.
pub const EXACT: usize = 16_384;

/// Frequent values that are kept beyond.
const FREQUENT: usize = 256;

const BITS: u32 = 14;

/// Counts of values.
#[derive(Clone, Debug)]
pub enum Counts<K> {
    /// Of each value.
    Exact(Map<K, u64>),
    /// Of frequent values, at least; and a sketch of how many values there are.
    Sketch {
        /// HyperLogLog's registers.
        registers: Vec<u8>,
        /// Values with lower bounds of their counts.
        frequent: Map<K, u64>,
    },
}

impl<K> Default for Counts<K> {
    fn default() -> Counts<K> {
        Counts::Exact(Map::default())
    }
}

impl<K: Hash + Eq + Ord + Clone> Counts<K> {
    /// Nothing counted.
    pub fn new() -> Counts<K> {
        Counts::default()
    }

    /// Counts a value, whose hash is given, `count` times.
    pub fn add<Q>(&mut self, value: &Q, hash: u64, count: u64, hash_of: fn(&K) -> u64)
    where
        K: std::borrow::Borrow<Q>,
        Q: ?Sized + Hash + Eq + ToOwned<Owned = K>,
    {
        match self {
            Counts::Exact(counts) => {
                if let Some(known) = counts.get_mut(value) {
                    *known += count;
                    return;
                }
                if counts.len() < EXACT {
                    counts.insert(value.to_owned(), count);
                    return;
                }
                self.overflow(hash_of);
                self.add(value, hash, count, hash_of);
            }
            Counts::Sketch { registers, frequent } => {
                register(registers, hash);
                if let Some(known) = frequent.get_mut(value) {
                    *known += count;
                } else if !frequent.is_empty() {
                    frequent.insert(value.to_owned(), count);
                    if frequent.len() > 2 * FREQUENT {
                        prune(frequent);
                    }
                }
            }
        }
    }

    /// From exact counts to sketches.
    fn overflow(&mut self, hash_of: fn(&K) -> u64) {
        if let Counts::Exact(counts) = self {
            let mut frequent = std::mem::take(counts);
            let mut registers = vec![0; 1 << BITS];
            frequent.keys().for_each(|key| register(&mut registers, hash_of(key)));
            if frequent.values().all(|count| *count == 1) {
                // So many values and none twice: nothing is frequent.
                frequent.clear();
            } else {
                prune(&mut frequent);
            }
            *self = Counts::Sketch { registers, frequent };
        }
    }

    /// Adds what another has counted.
    pub fn merge(&mut self, other: &Counts<K>, hash_of: fn(&K) -> u64) {
        let mut sorted = other.values();
        // The order decides only what sketches keep.
        if !matches!((&*self, other), (Counts::Exact(own), Counts::Exact(theirs)) if own.len() + theirs.len() <= EXACT)
        {
            sorted.sort();
        }
        match other {
            Counts::Exact(_) => {
                for (key, count) in sorted {
                    self.add_owned(key, count, hash_of);
                }
            }
            Counts::Sketch { registers: theirs, .. } => {
                self.overflow(hash_of);
                if let Counts::Sketch { registers, frequent } = self {
                    registers.iter_mut().zip(theirs).for_each(|(own, their)| *own = (*own).max(*their));
                    for (key, count) in sorted {
                        *frequent.entry(key.clone()).or_default() += count;
                    }
                    if frequent.len() > FREQUENT {
                        prune(frequent);
                    }
                }
            }
        }
    }

    fn add_owned(&mut self, key: &K, count: u64, hash_of: fn(&K) -> u64) {
        if let Counts::Exact(counts) = self {
            if let Some(known) = counts.get_mut(key) {
                *known += count;
                return;
            }
            if counts.len() < EXACT {
                counts.insert(key.clone(), count);
                return;
            }
            self.overflow(hash_of);
        }
        if let Counts::Sketch { registers, frequent } = self {
            register(registers, hash_of(key));
            if let Some(known) = frequent.get_mut(key) {
                *known += count;
            } else if !frequent.is_empty() {
                frequent.insert(key.clone(), count);
                if frequent.len() > 2 * FREQUENT {
                    prune(frequent);
                }
            }
        }
    }

    /// How many different values, and whether that is exact.
    pub fn distinct(&self) -> (u64, bool) {
        match self {
            Counts::Exact(counts) => (counts.len() as u64, true),
            Counts::Sketch { registers, .. } => {
                let m = registers.len() as f64;
                let sum: f64 = registers.iter().map(|rank| 0.5f64.powi(i32::from(*rank))).sum();
                let estimate = 0.7213 / (1.0 + 1.079 / m) * m * m / sum;
                let empty = registers.iter().filter(|rank| **rank == 0).count();
                let linear = estimate <= 2.5 * m && empty > 0;
                let estimate = if linear { m * libm::log(m / empty as f64) } else { estimate };
                (estimate.round() as u64, false)
            }
        }
    }

    /// The values that are known, with their counts, in no order.
    pub fn values(&self) -> Vec<(&K, u64)> {
        match self {
            Counts::Exact(counts) | Counts::Sketch { frequent: counts, .. } => {
                counts.iter().map(|(key, count)| (key, *count)).collect()
            }
        }
    }

    /// The most frequent values, most frequent first.
    pub fn top(&self, most: usize) -> Vec<(K, u64)> {
        let mut all = self.values();
        all.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(b.0)));
        all.into_iter().take(most).map(|(key, count)| (key.clone(), count)).collect()
    }

    /// Whether so many more values can be counted exactly, whatever they are.
    pub fn has_room(&self, more: usize) -> bool {
        matches!(self, Counts::Exact(counts) if counts.len() + more <= EXACT)
    }

    /// Whether one more value is too many to count exactly.
    pub fn is_full(&self) -> bool {
        matches!(self, Counts::Exact(counts) if counts.len() == EXACT)
    }

    /// Whether the value is among those counted.
    pub fn contains(&self, value: &K) -> bool {
        match self {
            Counts::Exact(counts) | Counts::Sketch { frequent: counts, .. } => counts.contains_key(value),
        }
    }

    /// Whether every value is counted.
    pub fn is_exact(&self) -> bool {
        matches!(self, Counts::Exact(_))
    }
}

fn register(registers: &mut [u8], hash: u64) {
    let at = (hash >> (64 - BITS)) as usize;
    let rank = ((hash << BITS) | (1 << (BITS - 1))).leading_zeros() as u8 + 1;
    registers[at] = registers[at].max(rank);
}

/// Takes the count of the next value after the most frequent ones from all of them.
fn prune<K: Ord + Clone + Hash + Eq>(counts: &mut Map<K, u64>) {
    let mut all: Vec<u64> = counts.values().copied().collect();
    if all.len() <= FREQUENT {
        return;
    }
    let (_, limit, _) = all.select_nth_unstable_by(FREQUENT, |a, b| b.cmp(a));
    let limit = *limit;
    counts.retain(|_, count| {
        *count = count.saturating_sub(limit);
        *count > 0
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cells::hash_word;

    fn of(values: impl Iterator<Item = u64>) -> Counts<u64> {
        let mut counts = Counts::new();
        values.for_each(|value| counts.add(&value, hash_word(value, 0), 1, |key| hash_word(*key, 0)));
        counts
    }

    #[test]
    fn few_values_are_counted_exactly() {
        let counts = of((0..30_000).map(|at| at % 100 * (at % 3)));
        assert!(counts.is_exact());
        assert_eq!(counts.top(1)[0].0, 0);
        assert_eq!(counts.values().iter().map(|(_, count)| *count).sum::<u64>(), 30_000);
    }

    #[test]
    fn many_values_are_estimated_and_the_frequent_ones_found() {
        // A tenth of the rows has the value 7; the rest differ.
        let value = |at: u64| if at.is_multiple_of(10) { 7 } else { at };
        let mut whole = of((0..150_000).map(value));
        whole.merge(&of((150_000..300_000).map(value)), |key| hash_word(*key, 0));
        let (distinct, exact) = whole.distinct();
        assert!(!exact);
        assert!((distinct as f64 / 270_001.0 - 1.0).abs() < 0.03, "{distinct}");
        let top = whole.top(1);
        assert_eq!(top[0].0, 7);
        assert!(top[0].1 <= 30_000 && top[0].1 > 27_000, "{}", top[0].1);
    }
}
