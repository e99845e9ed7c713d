//! Keys of any number of rows in bounded memory, exactly: hashes of 96 bits are sorted in runs, which go to a temporary file
//! where there are many, and are read back in order. Two values that differ have the same hash with a probability of
//! n² / 2^97: 10^-13 for a hundred million rows.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fs::File;
use std::io::{BufReader, BufWriter, Read, Seek, SeekFrom, Write};

use lookalike_core::Rows;
use polars::prelude::*;

use crate::cells::{hash, hash_word};

/// Entries of a run: 16 MiB.
const RUN: usize = 1 << 20;

/// Runs that have a file each. When there are so many, they become one, so that a process does not run out of files.
const MOST_RUNS: usize = 64;

/// What stands for a null: no hash of a value but by chance.
const NULL: u64 = 0x6E75_6C6C_6E75_6C6C;

/// Keys with their rows.
#[derive(Debug, Default)]
pub struct Keys {
    /// Hash in the upper 96 bits, the lower bits of the row number in the others.
    open: Vec<u128>,
    runs: Vec<File>,
    count: u64,
}

impl Keys {
    /// Adds the keys of these rows: the values of the columns together. Rows with a null have none.
    ///
    /// # Errors
    /// When a temporary file cannot be written, or a column holds nothing that can be hashed.
    pub fn add(&mut self, columns: &[&Series], rows: &Rows) -> std::io::Result<()> {
        self.add_hashes(columns, rows, None)
    }

    /// As [`add`](Self::add), where null is a value like any other, so that every row has a key.
    ///
    /// # Errors
    /// As [`add`](Self::add).
    pub fn add_rows(&mut self, columns: &[&Series], rows: &Rows) -> std::io::Result<()> {
        self.add_hashes(columns, rows, Some((NULL, NULL)))
    }

    fn add_hashes(
        &mut self,
        columns: &[&Series],
        rows: &Rows,
        null: Option<(u64, u64)>,
    ) -> std::io::Result<()> {
        let other = |error: PolarsError| std::io::Error::other(error.to_string());
        let height = columns.first().map_or(0, |column| column.len());
        let mut state: Vec<Option<(u64, u64)>> = vec![Some((0, 1)); height];
        for column in columns {
            let mut mix = |at: usize, value: Option<(u64, u64)>| {
                state[at] =
                    state[at].zip(value.or(null)).map(|((a, b), (c, d))| (hash_word(a, c), hash_word(b, d)));
            };
            let word = |value: u64| (hash_word(value, 11), hash_word(value, 13));
            let text = |text: &str| (hash(text.as_bytes(), 11), hash(text.as_bytes(), 13));
            match column.dtype() {
                DataType::String => {
                    column
                        .str()
                        .map_err(other)?
                        .iter()
                        .enumerate()
                        .for_each(|(at, value)| mix(at, value.map(text)));
                }
                DataType::Float64 => {
                    let bits = |value: f64| word(value.to_bits());
                    column
                        .f64()
                        .map_err(other)?
                        .iter()
                        .enumerate()
                        .for_each(|(at, value)| mix(at, value.map(bits)));
                }
                DataType::Decimal(..) => {
                    let physical = column.to_physical_repr();
                    let bits = |value: i128| word(value as u64);
                    physical
                        .i128()
                        .map_err(other)?
                        .iter()
                        .enumerate()
                        .for_each(|(at, v)| mix(at, v.map(bits)));
                }
                DataType::Boolean => {
                    let bits = |value: bool| word(u64::from(value));
                    column
                        .bool()
                        .map_err(other)?
                        .iter()
                        .enumerate()
                        .for_each(|(at, value)| mix(at, value.map(bits)));
                }
                dtype if dtype.is_enum() || dtype.is_categorical() => {
                    let texts = column.cast(&DataType::String).map_err(other)?;
                    texts
                        .str()
                        .map_err(other)?
                        .iter()
                        .enumerate()
                        .for_each(|(at, value)| mix(at, value.map(text)));
                }
                _ => {
                    let whole = column.to_physical_repr().cast(&DataType::Int64).map_err(other)?;
                    let bits = |value: i64| word(value as u64);
                    whole
                        .i64()
                        .map_err(other)?
                        .iter()
                        .enumerate()
                        .for_each(|(at, value)| mix(at, value.map(bits)));
                }
            }
        }
        // In order already here, on the thread that looks at these rows: runs that are in order are merged quickly.
        let mut entries = Vec::with_capacity(height);
        for (at, state) in state.into_iter().enumerate() {
            if let Some((a, b)) = state {
                let row = rows.get(at) as u32;
                entries.push((u128::from(a) << 64) | (u128::from(b >> 32) << 32) | u128::from(row));
            }
        }
        entries.sort_unstable();
        self.append(entries)
    }

    fn append(&mut self, entries: Vec<u128>) -> std::io::Result<()> {
        self.count += entries.len() as u64;
        if self.open.is_empty() {
            self.open = entries;
        } else {
            self.open.extend(entries);
        }
        if self.open.len() >= RUN {
            self.spill()?;
        }
        Ok(())
    }

    fn spill(&mut self) -> std::io::Result<()> {
        // The stable sort merges runs that are in order.
        self.open.sort();
        let mut file = RunWriter::new()?;
        self.open.drain(..).try_for_each(|entry| file.write(entry))?;
        self.runs.push(file.finish()?);
        self.compact()
    }

    /// Makes one run of many.
    fn compact(&mut self) -> std::io::Result<()> {
        if self.runs.len() < MOST_RUNS {
            return Ok(());
        }
        let mut file = RunWriter::new()?;
        let mut sorted = Sorted::of(&[], &mut self.runs)?;
        while let Some(entry) = sorted.next_entry()? {
            file.write(entry)?;
        }
        self.runs = vec![file.finish()?];
        Ok(())
    }

    /// Adds those that another has seen.
    ///
    /// # Errors
    /// When a temporary file cannot be written.
    pub fn merge(&mut self, other: Keys) -> std::io::Result<()> {
        self.runs.extend(other.runs);
        self.compact()?;
        self.count += other.count - other.open.len() as u64;
        self.append(other.open)
    }

    /// How many keys.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The keys in order.
    ///
    /// # Errors
    /// When a temporary file cannot be read.
    pub fn sorted(&mut self) -> std::io::Result<Sorted<'_>> {
        self.open.sort();
        Sorted::of(&self.open, &mut self.runs)
    }
}

/// A run that is being written.
struct RunWriter(BufWriter<File>);

impl RunWriter {
    fn new() -> std::io::Result<RunWriter> {
        Ok(RunWriter(BufWriter::with_capacity(1 << 18, tempfile::tempfile()?)))
    }

    fn write(&mut self, entry: u128) -> std::io::Result<()> {
        self.0.write_all(&entry.to_le_bytes())
    }

    fn finish(self) -> std::io::Result<File> {
        self.0.into_inner().map_err(|error| error.into_error())
    }
}

enum Run<'a> {
    Open(std::slice::Iter<'a, u128>),
    File(BufReader<&'a mut File>),
}

impl Run<'_> {
    fn next(&mut self) -> std::io::Result<Option<u128>> {
        match self {
            Run::Open(entries) => Ok(entries.next().copied()),
            Run::File(file) => {
                let mut bytes = [0; 16];
                match file.read_exact(&mut bytes) {
                    Ok(()) => Ok(Some(u128::from_le_bytes(bytes))),
                    Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => Ok(None),
                    Err(error) => Err(error),
                }
            }
        }
    }
}

/// Keys in the order of their hashes.
pub struct Sorted<'a> {
    runs: Vec<Run<'a>>,
    heap: BinaryHeap<Reverse<(u128, usize)>>,
}

impl<'a> Sorted<'a> {
    /// Of entries in order and of files with such entries.
    fn of(open: &'a [u128], files: &'a mut [File]) -> std::io::Result<Sorted<'a>> {
        let mut runs: Vec<Run<'_>> = vec![Run::Open(open.iter())];
        for file in files {
            file.seek(SeekFrom::Start(0))?;
            runs.push(Run::File(BufReader::with_capacity(1 << 17, file)));
        }
        let mut heap = BinaryHeap::new();
        for (at, run) in runs.iter_mut().enumerate() {
            heap.extend(run.next()?.map(|entry| Reverse((entry, at))));
        }
        Ok(Sorted { runs, heap })
    }

    fn next_entry(&mut self) -> std::io::Result<Option<u128>> {
        let Some(Reverse((entry, at))) = self.heap.pop() else { return Ok(None) };
        self.heap.extend(self.runs[at].next()?.map(|next| Reverse((next, at))));
        Ok(Some(entry))
    }

    fn next(&mut self) -> std::io::Result<Option<(u128, u32)>> {
        Ok(self.next_entry()?.map(|entry| (entry >> 32, entry as u32)))
    }
}

/// What is wrong with keys that should differ.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Repeated {
    /// Rows whose key another row before them has.
    pub rows: u64,
    /// Two rows with the same key.
    pub example: Option<(u32, u32)>,
}

/// Looks for keys that occur twice.
///
/// # Errors
/// When a temporary file cannot be read.
pub fn repeated(keys: &mut Keys) -> std::io::Result<Repeated> {
    let mut sorted = keys.sorted()?;
    let mut found = Repeated::default();
    let mut last: Option<(u128, u32)> = None;
    while let Some((key, row)) = sorted.next()? {
        if let Some((same, first)) = last
            && same == key
        {
            found.rows += 1;
            let pair = (first.min(row), first.max(row));
            found.example = Some(found.example.map_or(pair, |example| example.min(pair)));
        }
        last = Some((key, row));
    }
    Ok(found)
}

/// How many rows of `others` have a key that `known` has.
///
/// # Errors
/// When a temporary file cannot be read.
pub fn common(known: &mut Keys, others: &mut Keys) -> std::io::Result<u64> {
    let (mut known, mut others) = (known.sorted()?, others.sorted()?);
    let (mut here, mut there) = (known.next()?, others.next()?);
    let mut found = 0;
    while let (Some((a, _)), Some((b, _))) = (here, there) {
        if a < b {
            here = known.next()?;
        } else {
            found += u64::from(a == b);
            there = others.next()?;
        }
    }
    Ok(found)
}

/// How many rows have a key that another row has, too.
///
/// # Errors
/// When a temporary file cannot be read.
pub fn with_company(keys: &mut Keys) -> std::io::Result<u64> {
    let mut sorted = keys.sorted()?;
    let (mut found, mut size, mut last) = (0, 0u64, None);
    loop {
        let next = sorted.next()?.map(|(key, _)| key);
        if next == last && next.is_some() {
            size += 1;
            continue;
        }
        if size > 1 {
            found += size;
        }
        if next.is_none() {
            return Ok(found);
        }
        (size, last) = (1, next);
    }
}

/// How the keys of children meet those of their parents.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Met {
    /// Children without a parent.
    pub orphans: u64,
    /// The first of them.
    pub example: Option<u32>,
    /// Of parents, how many have each number of children; numbers from [`MOST_CHILDREN`] on together.
    pub families: Vec<u64>,
}

/// Families up to this size are counted apart.
pub const MOST_CHILDREN: usize = 4096;

/// Looks for each child's key among the parents'.
///
/// # Errors
/// When a temporary file cannot be read.
pub fn met(children: &mut Keys, parents: &mut Keys) -> std::io::Result<Met> {
    let (mut children, mut parents) = (children.sorted()?, parents.sorted()?);
    let mut found = Met::default();
    let (mut child, mut parent) = (children.next()?, parents.next()?);
    let mut size = 0usize;
    let mut family = |size: &mut usize| {
        let at = (*size).min(MOST_CHILDREN);
        if found.families.len() <= at {
            found.families.resize(at + 1, 0);
        }
        found.families[at] += 1;
        *size = 0;
    };
    let (mut orphans, mut example) = (0u64, None::<u32>);
    while let Some((key, row)) = child {
        match parent {
            Some((known, _)) if known < key => {
                family(&mut size);
                // Parents whose keys repeat are one: that they do is told elsewhere.
                loop {
                    parent = parents.next()?;
                    if parent.is_none_or(|(next, _)| next != known) {
                        break;
                    }
                }
            }
            Some((known, _)) if known == key => {
                size += 1;
                child = children.next()?;
            }
            _ => {
                orphans += 1;
                example = Some(example.map_or(row, |example| example.min(row)));
                child = children.next()?;
            }
        }
    }
    while parent.is_some() {
        family(&mut size);
        parent = parents.next()?;
    }
    found.orphans = orphans;
    found.example = example;
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(values: impl IntoIterator<Item = i64>) -> Keys {
        let mut keys = Keys::default();
        let series = Series::new("k".into(), values.into_iter().collect::<Vec<_>>());
        keys.add(&[&series], &Rows::from(0..series.len() as u64)).unwrap();
        keys
    }

    #[test]
    fn repetitions_are_found_in_memory_and_on_disk() {
        let mut few = keys([1, 2, 3, 2, 5, 2]);
        assert_eq!(repeated(&mut few).unwrap(), Repeated { rows: 2, example: Some((1, 3)) });
        let mut spilt = keys(0..1000);
        spilt.spill().unwrap();
        let series = Series::new("k".into(), (999..2000i64).collect::<Vec<_>>());
        spilt.add(&[&series], &Rows::from(1000..1000 + series.len() as u64)).unwrap();
        assert_eq!(repeated(&mut spilt).unwrap(), Repeated { rows: 1, example: Some((999, 1000)) });
        assert_eq!(spilt.count(), 2001);
    }

    #[test]
    fn many_runs_become_one() {
        let mut all = Keys::default();
        for part in 0..2 * MOST_RUNS as i64 {
            // Each part begins with the last value of the part before.
            let mut some = keys(part * 10..part * 10 + 11);
            if part % 3 == 0 {
                some.spill().unwrap();
            }
            all.merge(some).unwrap();
            all.spill().unwrap();
            assert!(all.runs.len() < MOST_RUNS);
        }
        assert_eq!(all.count(), 2 * MOST_RUNS as u64 * 11);
        assert_eq!(repeated(&mut all).unwrap().rows, 2 * MOST_RUNS as u64 - 1);
    }

    #[test]
    fn children_meet_their_parents() {
        let found = met(&mut keys([1, 1, 1, 3, 9]), &mut keys([1, 2, 3, 4])).unwrap();
        assert_eq!((found.orphans, found.example, found.families), (1, Some(4), vec![2, 1, 0, 1]));
    }

    #[test]
    fn rows_in_common_and_in_company_are_counted() {
        assert_eq!(common(&mut keys([1, 2, 2, 5]), &mut keys([2, 2, 3, 5, 9, 2])).unwrap(), 4);
        assert_eq!(common(&mut keys([]), &mut keys([1])).unwrap(), 0);
        assert_eq!(with_company(&mut keys([1, 2, 2, 3, 3, 3, 4])).unwrap(), 5);
        assert_eq!(with_company(&mut keys([7, 7])).unwrap(), 2);
        assert_eq!(with_company(&mut keys([])).unwrap(), 0);
        let series = Series::new("k".into(), [None, Some(1i64), None]);
        let mut rows = Keys::default();
        rows.add_rows(&[&series], &Rows::from(0..3)).unwrap();
        assert_eq!((rows.count(), with_company(&mut rows).unwrap()), (3, 2));
    }

    #[test]
    fn nulls_are_no_keys_and_columns_make_one_key() {
        let a = Series::new("a".into(), [Some("x"), Some("x"), None, Some("y")]);
        let b = Series::new("b".into(), [1i64, 2, 1, 1]);
        let mut keys = Keys::default();
        keys.add(&[&a, &b], &Rows::from(0..4)).unwrap();
        assert_eq!(keys.count(), 3);
        assert_eq!(repeated(&mut keys).unwrap().rows, 0);
    }
}
