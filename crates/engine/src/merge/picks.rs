//! Which rows of an input are taken, and how often, at a bit or two a row.

use std::ops::Range;

use lookalike_core::Seed;

use super::deal::Copies;

/// Ones or zeros between two remembered places.
const STEP: u64 = 4096;

/// How often each row of an input is taken, in the order of the rows.
///
/// Each row is written as so many ones as it is taken and a zero. The k-th one then says the k-th row taken: as many zeros
/// stand before it as the row's number.
#[derive(Clone, Debug)]
pub enum Picks {
    /// Every row once.
    All(u64),
    /// As the bits say.
    Bits(Bits),
}

/// The bits of [`Picks`], with the places of some of them.
#[derive(Clone, Debug, Default)]
pub struct Bits {
    words: Vec<u64>,
    len: u64,
    /// Places of the ones and of the zeros with the numbers 0, [`STEP`], 2 [`STEP`], …
    places: [Vec<u64>; 2],
    counts: [u64; 2],
}

impl Bits {
    /// Adds a row that is taken so many times.
    pub fn push(&mut self, copies: u64) {
        (0..copies).for_each(|_| self.bit(1));
        self.bit(0);
    }

    fn bit(&mut self, bit: usize) {
        if self.len.is_multiple_of(64) {
            self.words.push(0);
        }
        if self.counts[bit].is_multiple_of(STEP) {
            self.places[bit].push(self.len);
        }
        if let Some(word) = self.words.last_mut() {
            *word |= (bit as u64) << (self.len % 64);
        }
        self.counts[bit] += 1;
        self.len += 1;
    }

    /// The place of the one or zero with a number.
    fn select(&self, bit: usize, number: u64) -> u64 {
        let mut place = self.places[bit][(number / STEP) as usize];
        let mut left = number % STEP;
        // The word, with the bits before the place taken out and the wanted kind as ones.
        let word_at = |at: usize| if bit == 1 { self.words[at] } else { !self.words[at] };
        let mut at = (place / 64) as usize;
        let mut word = word_at(at) & (u64::MAX << (place % 64));
        while u64::from(word.count_ones()) <= left {
            left -= u64::from(word.count_ones());
            at += 1;
            word = word_at(at);
        }
        for _ in 0..left {
            word &= word - 1;
        }
        place = at as u64 * 64 + u64::from(word.trailing_zeros());
        place
    }
}

impl Picks {
    /// Takes `wanted` of `rows` rows: all of them, if that is how many there are, else by chance. With replacement each is
    /// drawn from all rows; without it, none is taken twice before all were taken once.
    pub fn of(rows: u64, wanted: u64, replace: bool, seed: Seed) -> Picks {
        if wanted == rows && !replace {
            return Picks::All(rows);
        }
        let mut copies = Copies::new(rows, wanted, replace, seed);
        let mut bits = Bits::default();
        (0..rows).for_each(|_| bits.push(copies.next()));
        Picks::Bits(bits)
    }

    /// How many rows are taken, each as often as it is.
    pub fn len(&self) -> u64 {
        match self {
            Picks::All(rows) => *rows,
            Picks::Bits(bits) => bits.counts[1],
        }
    }

    /// The rows taken with these numbers, in order: each row as often as it is taken.
    ///
    /// # Panics
    /// When a number is not below [`len`](Self::len).
    pub fn rows(&self, numbers: Range<u64>) -> Vec<u64> {
        let bits = match self {
            Picks::All(_) => return numbers.collect(),
            Picks::Bits(bits) => bits,
        };
        let mut rows = Vec::with_capacity((numbers.end - numbers.start) as usize);
        if numbers.is_empty() {
            return rows;
        }
        let mut place = bits.select(1, numbers.start);
        for number in numbers {
            // On to the next one.
            let mut at = (place / 64) as usize;
            let mut word = bits.words[at] & (u64::MAX << (place % 64));
            while word == 0 {
                at += 1;
                word = bits.words[at];
            }
            place = at as u64 * 64 + u64::from(word.trailing_zeros());
            rows.push(place - number);
            place += 1;
        }
        rows
    }

    /// How many rows are taken before this row, or of all rows, if it is the number of rows.
    pub fn before(&self, row: u64) -> u64 {
        match self {
            Picks::All(_) => row,
            Picks::Bits(_) if row == 0 => 0,
            Picks::Bits(bits) => bits.select(0, row - 1) - (row - 1),
        }
    }

    /// How often a row is taken.
    pub fn copies(&self, row: u64) -> u64 {
        match self {
            Picks::All(_) => 1,
            Picks::Bits(_) => self.before(row + 1) - self.before(row),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn picks_are_found_from_both_sides() {
        let copies = |row: u64| match row % 7 {
            0 => 0,
            3 => row % 200,
            other => other % 3,
        };
        for rows in [0, 1, 8, 1000, 20_000] {
            let mut bits = Bits::default();
            (0..rows).for_each(|row| bits.push(copies(row)));
            let picks = Picks::Bits(bits);
            let all: Vec<u64> = (0..rows).flat_map(|row| (0..copies(row)).map(move |_| row)).collect();
            assert_eq!(picks.len(), all.len() as u64);
            assert_eq!(picks.rows(0..picks.len()), all);
            for start in (0..all.len()).step_by(97) {
                let end = (start + 300).min(all.len());
                assert_eq!(picks.rows(start as u64..end as u64), all[start..end]);
            }
            let mut before = 0;
            for row in 0..rows {
                assert_eq!((picks.before(row), picks.copies(row)), (before, copies(row)), "row {row}");
                before += copies(row);
            }
            assert_eq!(picks.before(rows), before);
        }
    }

    #[test]
    fn all_rows_need_no_bits() {
        let picks = Picks::All(10);
        assert_eq!((picks.len(), picks.before(4), picks.copies(4)), (10, 4, 1));
        assert_eq!(picks.rows(3..6), [3, 4, 5]);
    }
}
