//! Locks: what a ruleset made when it was locked, so that a change of its rows does not go by unnoticed.
//!
//! A lock holds digests of the rows' *values*, column by column. So a comment, another order of keys or another file format
//! changes nothing, while another weight, seed or version of the engine shows, with the table, the columns and the rows
//! from which on it does.
//!
//! ```
//! use std::path::Path;
//! use std::sync::atomic::AtomicBool;
//!
//! use lookalike::lock::Lock;
//! use lookalike::{Error, Ruleset};
//!
//! let text = "{lookalike: 1, tables: {orders: {columns: {state: {choice: {open: 20%, paid: 80%}}}}}}";
//! let lock = |text: &str| Lock::of(&Ruleset::from_str(text)?, Path::new("shop.yaml"), None, 1, &AtomicBool::new(false));
//! let before = lock(text)?;
//! assert!(before.compare(&lock(&text.replace(": {orders", ":   {orders"))?).is_none());
//! let difference = before.compare(&lock(&text.replace("20%, paid: 80%", "30%, paid: 70%"))?).expect("other rows");
//! assert!(difference.to_text().contains("state"));
//! # Ok::<(), Error>(())
//! ```

mod difference;

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use lookalike_engine::run::{BLOCK_ROWS, UNIT_ROWS, in_order};
use lookalike_ruleset::document::LANGUAGE_VERSION;
use lookalike_ruleset::{Field, Type};
use polars::prelude::*;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::{Error, Ruleset};

pub use difference::{Change, Difference, What};

/// Name of the file, beside the rulesets that it is about.
pub const FILE: &str = "lookalike.lock";

/// The version of the file's form.
const VERSION: u32 = 1;

/// The largest lock file that is read, in bytes.
const MAX_BYTES: u64 = 64 << 20;

/// The locks of the rulesets in a folder.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LockFile {
    /// Version of the file's form.
    pub lookalike_lock: u32,
    /// The locks, sorted by ruleset and profile.
    pub locks: Vec<Lock>,
}

/// What a ruleset made when it was locked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lock {
    /// The ruleset's file name.
    pub ruleset: String,
    /// The profile, if it is that of one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
    /// Version of the engine.
    pub engine: String,
    /// Version of the ruleset language.
    pub language: i64,
    /// Digest of the ruleset's texts, lookups and params.
    pub digest: String,
    /// Seed.
    pub seed: u64,
    /// Clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clock: Option<String>,
    /// The tables, in the order of the ruleset.
    pub tables: Vec<TableLock>,
}

/// A table of a [`Lock`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TableLock {
    /// Name.
    pub name: String,
    /// How many rows.
    pub rows: u64,
    /// The columns, in order.
    pub columns: Vec<ColumnLock>,
}

/// A column of a [`Lock`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ColumnLock {
    /// Name.
    pub name: String,
    /// Type.
    pub r#type: String,
    /// Digests of the values in rows 0, 1, 2 to 3, 4 to 7, 8 to 15 and so on: the first 16 hexadecimal digits of SHA-256.
    pub digests: Vec<String>,
}

/// The rows that the digest at `at` is about.
fn rows_of(at: usize) -> Range<u64> {
    if at == 0 { 0..1 } else { 1 << (at - 1)..1 << at }
}

impl LockFile {
    /// The lock file beside a ruleset.
    pub fn path_for(ruleset: &Path) -> PathBuf {
        ruleset.with_file_name(FILE)
    }

    /// Reads the lock file beside a ruleset; one without locks where there is none.
    ///
    /// # Errors
    /// When the file cannot be read, is no lock file, or of another version.
    pub fn beside(ruleset: &Path) -> Result<LockFile, Error> {
        let path = LockFile::path_for(ruleset);
        let refuse = |what: String| Error::Request(format!("{}: {what}", path.display()));
        let size = match std::fs::metadata(&path) {
            Ok(file) => file.len(),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Ok(LockFile { lookalike_lock: VERSION, locks: Vec::new() });
            }
            Err(error) => return Err(refuse(error.to_string())),
        };
        if size > MAX_BYTES {
            return Err(refuse(format!("a lock file has at most {MAX_BYTES} bytes, this one {size}")));
        }
        let text = std::fs::read_to_string(&path).map_err(|error| refuse(error.to_string()))?;
        let hint = "make it anew with `lookalike generate RULESET --lock`";
        let file: LockFile =
            serde_json::from_str(&text).map_err(|error| refuse(format!("no lock file: {error}; {hint}")))?;
        if file.lookalike_lock != VERSION {
            return Err(refuse(format!(
                "version {} of the lock file is not known, only {VERSION}; {hint}",
                file.lookalike_lock
            )));
        }
        Ok(file)
    }

    /// The lock of a ruleset's file, and of a profile if one was chosen.
    pub fn find(&self, ruleset: &Path, profile: Option<&str>) -> Option<&Lock> {
        let name = file_name(ruleset);
        self.locks.iter().find(|lock| lock.ruleset == name && lock.profile.as_deref() == profile)
    }

    /// Puts a lock in, in place of an older one of the same ruleset and profile.
    pub fn put(&mut self, lock: Lock) {
        let key = |lock: &Lock| (lock.ruleset.clone(), lock.profile.clone());
        self.locks.retain(|old| key(old) != key(&lock));
        self.locks.push(lock);
        self.locks.sort_by_key(key);
    }

    /// Writes the file beside a ruleset, in place of an older one.
    ///
    /// # Errors
    /// When it cannot be written; the older one stays then.
    pub fn write_beside(&self, ruleset: &Path) -> Result<(), Error> {
        let mut text =
            serde_json::to_string_pretty(self).map_err(|e| Error::Request(format!("lock file: {e}")))?;
        text.push('\n');
        let mut output = lookalike_io::Output::file(LockFile::path_for(ruleset))?;
        output.write(text.as_bytes())?;
        output.finish(0)?.publish()?;
        Ok(())
    }
}

fn file_name(path: &Path) -> String {
    path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned())
}

/// Refuses a ruleset whose rows no lock may hold: those of a file, which `privacy` protects. A lock has digests of rows as they
/// were before the noise, and guesses at private rows could be held against them.
///
/// # Errors
/// When it is one.
pub(crate) fn check(ruleset: &Ruleset) -> Result<(), Error> {
    let is_private = |table: &crate::Table<'_>| {
        let plan = ruleset.plan().table(table.name());
        table.is_protected() && plan.is_some_and(|plan| plan.has_given_rows())
    };
    match ruleset.tables().find(is_private) {
        None => Ok(()),
        Some(table) => Err(Error::Request(format!(
            "table `{}` has rows of a file, and is protected by `privacy`; a lock would hold digests of these rows without the noise, and \
             guesses could be held against them. Lock a ruleset without such rows",
            table.name()
        ))),
    }
}

impl Lock {
    /// Makes all rows of a ruleset, and the lock that holds them. `path` and `profile` are what it was loaded from.
    ///
    /// # Errors
    /// When a row cannot be made, `stop` was set, or rows of a file are protected by `privacy`.
    pub fn of(
        ruleset: &Ruleset,
        path: &Path,
        profile: Option<&str>,
        threads: usize,
        stop: &AtomicBool,
    ) -> Result<Lock, Error> {
        check(ruleset)?;
        let table = |table: crate::Table<'_>| {
            let fields = table.schema().fields;
            let mut columns: Vec<Hashed> = fields.iter().map(|_| Hashed::default()).collect();
            let work = |unit: u64| {
                let rows = unit * UNIT_ROWS..((unit + 1) * UNIT_ROWS).min(table.len());
                let blocks = table.clone().rows(rows).batches(BLOCK_ROWS);
                blocks.map(|frame| values(&fields, &frame?)).collect::<Result<Vec<_>, Error>>()
            };
            in_order(table.len().div_ceil(UNIT_ROWS), threads, stop, work, |blocks| {
                for block in blocks {
                    for (column, values) in columns.iter_mut().zip(&block) {
                        column.take(values);
                    }
                }
                Ok(())
            })?;
            if stop.load(std::sync::atomic::Ordering::Relaxed) {
                return Err(Error::Interrupted);
            }
            let column = |(field, column): (&Field, Hashed)| ColumnLock {
                name: field.name.clone(),
                r#type: field.ty.to_string(),
                digests: column.finish(),
            };
            Ok(TableLock {
                name: table.name().to_owned(),
                rows: table.len(),
                columns: fields.iter().zip(columns).map(column).collect(),
            })
        };
        Ok(Lock {
            ruleset: file_name(path),
            profile: profile.map(str::to_owned),
            engine: env!("CARGO_PKG_VERSION").to_owned(),
            language: LANGUAGE_VERSION,
            digest: ruleset.digest().to_owned(),
            seed: ruleset.seed(),
            clock: ruleset
                .clock()
                .and_then(|clock| jiff::Timestamp::from_microsecond(clock).ok())
                .map(|stamp| stamp.to_string()),
            tables: ruleset.tables().map(table).collect::<Result<_, _>>()?,
        })
    }

    /// How the rows of `now` differ from those of this lock; nothing if they are the same.
    pub fn compare(&self, now: &Lock) -> Option<Difference> {
        let mut changes = Vec::new();
        for table in &self.tables {
            match now.tables.iter().find(|other| other.name == table.name) {
                None => changes.push(Change::of(&table.name, None, What::Gone)),
                Some(other) => table.compare(other, &mut changes),
            }
        }
        let is_new = |table: &&TableLock| !self.tables.iter().any(|old| old.name == table.name);
        changes.extend(now.tables.iter().filter(is_new).map(|t| Change::of(&t.name, None, What::New)));
        if changes.is_empty() {
            return None;
        }
        let mut reasons = Vec::new();
        if self.digest != now.digest {
            reasons.push("the ruleset, a file that it reads or a param was edited".to_owned());
        }
        if self.seed != now.seed {
            reasons.push(format!("the seed was {}, and is {}", self.seed, now.seed));
        }
        if self.clock != now.clock {
            let said = |clock: &Option<String>| clock.clone().unwrap_or_else(|| "none".into());
            reasons.push(format!("the clock was {}, and is {}", said(&self.clock), said(&now.clock)));
        }
        if self.engine != now.engine {
            reasons.push(format!("the engine was version {}, and is {}", self.engine, now.engine));
        }
        if reasons.is_empty() {
            reasons.push(
                "neither ruleset, seed, clock nor version differ: the rows were asked for in another number, or this build \
                 makes other rows, which is a bug"
                    .to_owned(),
            );
        }
        Some(Difference { ruleset: now.ruleset.clone(), profile: now.profile.clone(), reasons, changes })
    }
}

impl TableLock {
    fn compare(&self, now: &TableLock, changes: &mut Vec<Change>) {
        if self.rows != now.rows {
            changes.push(Change::of(&self.name, None, What::Rows { before: self.rows, after: now.rows }));
        }
        for column in &self.columns {
            let Some(other) = now.columns.iter().find(|other| other.name == column.name) else {
                changes.push(Change::of(&self.name, Some(&column.name), What::Gone));
                continue;
            };
            if column.r#type != other.r#type {
                let what = What::Type { before: column.r#type.clone(), after: other.r#type.clone() };
                changes.push(Change::of(&self.name, Some(&column.name), what));
                continue;
            }
            // Of tables of different lengths, the last digests are about different rows.
            let common = self.rows.min(now.rows);
            let both = column.digests.iter().zip(&other.digests).enumerate();
            let whole = |at: usize| self.rows == now.rows || rows_of(at).end <= common;
            let differs = both.filter(|(at, (before, after))| whole(*at) && before != after);
            if let Some((at, _)) = differs.into_iter().next() {
                let rows = rows_of(at);
                let what = What::Values { from: rows.start, to: rows.end.min(common) };
                changes.push(Change::of(&self.name, Some(&column.name), what));
            }
        }
        let old = |name: &str| self.columns.iter().position(|column| column.name == name);
        let new = now.columns.iter().filter(|column| old(&column.name).is_none());
        changes.extend(new.map(|column| Change::of(&self.name, Some(&column.name), What::New)));
        let kept: Vec<usize> = now.columns.iter().filter_map(|column| old(&column.name)).collect();
        if !kept.is_sorted() {
            changes.push(Change::of(&self.name, None, What::Order));
        }
    }
}

/// The digests of each column of a frame, as a lock has them: so rows that went through a database or a file can be held
/// against the rows that were locked.
///
/// # Errors
/// When a column does not hold what its field says.
pub fn digests(fields: &[Field], frame: &DataFrame) -> Result<Vec<Vec<String>>, Error> {
    let digests = |values: (Vec<u8>, Vec<usize>)| {
        let mut column = Hashed::default();
        column.take(&values);
        column.finish()
    };
    Ok(values(fields, frame)?.into_iter().map(digests).collect())
}

/// Hashes a column's values, with a digest for rows 0, 1, 2 to 3, 4 to 7 and so on.
#[derive(Default)]
struct Hashed {
    digests: Vec<String>,
    hasher: Sha256,
    row: u64,
}

impl Hashed {
    /// Takes the values that follow: bytes, and where each value ends.
    fn take(&mut self, values: &(Vec<u8>, Vec<usize>)) {
        let (bytes, ends) = values;
        let mut at = 0;
        while at < ends.len() {
            let left = rows_of(self.digests.len()).end - self.row;
            let next = usize::try_from(left).map_or(ends.len(), |left| ends.len().min(at + left));
            let start = if at == 0 { 0 } else { ends[at - 1] };
            self.hasher.update(&bytes[start..ends[next - 1]]);
            self.row += (next - at) as u64;
            at = next;
            if self.row == rows_of(self.digests.len()).end {
                self.close();
            }
        }
    }

    fn close(&mut self) {
        let digest = std::mem::take(&mut self.hasher).finalize();
        self.digests.push(digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect());
    }

    fn finish(mut self) -> Vec<String> {
        if self.row > 0 && self.row != rows_of(self.digests.len().saturating_sub(1)).end {
            self.close();
        }
        self.digests
    }
}

/// The values of the columns as bytes, and where each ends: a byte that tells null from values, then numbers in eight bytes,
/// and text behind its length.
#[expect(clippy::type_complexity, reason = "for each column, bytes and ends")]
fn values(fields: &[Field], frame: &DataFrame) -> Result<Vec<(Vec<u8>, Vec<usize>)>, Error> {
    let internal = |error: PolarsError| lookalike_engine::Error::Internal(error.to_string());
    let column = |(field, column): (&Field, &Column)| {
        let series = column.as_materialized_series();
        let (mut bytes, mut ends) = (Vec::new(), Vec::with_capacity(series.len()));
        let mut put = |value: Option<&[u8]>| {
            bytes.push(u8::from(value.is_some()));
            bytes.extend_from_slice(value.unwrap_or_default());
            ends.push(bytes.len());
        };
        match field.ty {
            Type::Text => {
                let texts = series.cast(&DataType::String).map_err(internal)?;
                for text in texts.str().map_err(internal)?.iter() {
                    let framed =
                        text.map(|text| [&(text.len() as u64).to_le_bytes(), text.as_bytes()].concat());
                    put(framed.as_deref());
                }
            }
            Type::Bool => {
                for value in series.bool().map_err(internal)?.iter() {
                    put(value.map(|value| [u8::from(value)]).as_ref().map(<[u8; 1]>::as_slice));
                }
            }
            Type::Float => {
                for value in series.f64().map_err(internal)?.iter() {
                    put(value.map(|value| value.to_bits().to_le_bytes()).as_ref().map(<[u8; 8]>::as_slice));
                }
            }
            // Decimals as whole numbers of their last digit, which 18 digits let fit.
            Type::Int | Type::Decimal(_) | Type::Date | Type::Datetime | Type::Duration => {
                let numbers = series.to_physical_repr().cast(&DataType::Int64).map_err(internal)?;
                for value in numbers.i64().map_err(internal)?.iter() {
                    put(value.map(i64::to_le_bytes).as_ref().map(<[u8; 8]>::as_slice));
                }
            }
        }
        Ok((bytes, ends))
    };
    fields.iter().zip(frame.columns()).map(column).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Loader;
    use lookalike_ruleset::read::Format;

    const ORDERS: &str = "
lookalike: 1
seed: 1
tables:
  orders:
    rows: 3000
    columns:
      id: {sequence: {start: 1}}
      state: {choice: {open: 20%, paid: 80%}}
      amount: {uniform: [1, 9], round: 2}
      note: {pattern: '[a-z]{1,5}', null: 50%}
      share: {uniform: [0, 1]}
      express: {bernoulli: 30%}
      ordered: {date_range: [2026-01-01, 2026-02-01]}
";

    fn lock_of(text: &str, change: impl FnOnce(Loader) -> Loader) -> Lock {
        let ruleset = change(Ruleset::loader()).text(text, Format::Yaml).unwrap();
        Lock::of(&ruleset, Path::new("a/orders.yaml"), None, 2, &AtomicBool::new(false)).unwrap()
    }

    fn changes(text: &str) -> Vec<String> {
        let difference = lock_of(ORDERS, |l| l).compare(&lock_of(text, |l| l));
        let line = |change: &Change| {
            format!("{} {} {}", change.table, change.column.clone().unwrap_or_default(), change.what)
        };
        difference.map_or(Vec::new(), |difference| difference.changes.iter().map(line).collect())
    }

    #[test]
    fn digests_cover_rows_in_doubling_steps_whatever_the_blocks() {
        let lock = lock_of(ORDERS, |l| l);
        assert_eq!(lock.tables[0].columns[0].digests.len(), 13);
        let large = lock_of(ORDERS, |l| l.rows(140_000));
        let (small, large) = (&lock.tables[0].columns, &large.tables[0].columns);
        for (small, large) in small.iter().zip(large) {
            assert_eq!(small.digests[..12], large.digests[..12], "{}", small.name);
        }
        let one = lock_of(ORDERS, |l| l.rows(1));
        assert_eq!(one.tables[0].columns[0].digests.len(), 1);
        assert_eq!(lock_of(ORDERS, |l| l.rows(0)).tables[0].columns[0].digests, [""; 0]);
        assert_eq!(lock_of(ORDERS, |l| l.rows(4)).tables[0].columns[0].digests.len(), 3);
        assert_eq!(lock_of(ORDERS, |l| l.rows(5)).tables[0].columns[0].digests.len(), 4);
    }

    #[test]
    fn words_and_the_order_of_keys_change_nothing() {
        let same = ORDERS
            .replace("seed: 1\n", "# A comment.\nseed: 1\n")
            .replace("{uniform: [1, 9], round: 2}", "{round: 2, uniform: [1, 9]}");
        assert_ne!(same, ORDERS);
        assert_eq!(changes(&same), [""; 0]);
    }

    #[test]
    fn a_change_is_told_with_table_column_and_rows() {
        let edited = changes(&ORDERS.replace("open: 20%, paid: 80%", "open: 25%, paid: 75%"));
        assert!(edited[0].starts_with("orders state has other values"), "{edited:?}");
        assert_eq!(edited.len(), 1);
        assert_eq!(
            changes(&ORDERS.replace("rows: 3000", "rows: 2999")),
            ["orders  had 3000 rows, and has 2999"]
        );
        assert_eq!(
            changes(
                &ORDERS.replace("amount: {uniform: [1, 9], round: 2}", "sum: {uniform: [1, 9], round: 3}")
            ),
            ["orders amount is no longer there", "orders sum is new"]
        );
        assert_eq!(
            changes(&ORDERS.replace("round: 2}", "round: 3}")),
            ["orders amount was decimal(2), and is decimal(3)"]
        );
        assert_eq!(
            changes(&ORDERS.replace(
                "      share: {uniform: [0, 1]}\n      express: {bernoulli: 30%}",
                "      express: {bernoulli: 30%}\n      share: {uniform: [0, 1]}"
            )),
            ["orders  has its columns in another order"]
        );
        assert_eq!(
            changes(&ORDERS.replace("  orders:", "  sales:")),
            ["orders  is no longer there", "sales  is new"]
        );
        let nulls = changes(&ORDERS.replace("null: 50%", "null: 49%"));
        assert!(nulls.len() == 1 && nulls[0].starts_with("orders note has other values"), "{nulls:?}");
    }

    #[test]
    fn a_difference_says_why() {
        let before = lock_of(ORDERS, |l| l);
        let seeded = before.compare(&lock_of(ORDERS, |l| l.seed(2))).unwrap();
        assert_eq!(seeded.reasons, ["the seed was 1, and is 2"]);
        let text = seeded.to_text();
        assert!(
            text.starts_with("orders.yaml does not make the rows that were locked\n  table `orders`, column"),
            "{text}"
        );
        assert!(text.ends_with("why: the seed was 1, and is 2\n"), "{text}");
        assert!(
            seeded.to_markdown().contains("| orders | state | has other values"),
            "{}",
            seeded.to_markdown()
        );
        let engine = Lock { engine: "0.0.1".into(), ..lock_of(&ORDERS.replace("9]", "8]"), |l| l) };
        let edited = before.compare(&engine).unwrap();
        assert_eq!(edited.reasons.len(), 2);
        assert!(before.compare(&Lock { engine: "0.0.1".into(), ..before.clone() }).is_none());
    }

    #[test]
    fn lock_files_are_read_back_and_hold_several() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("orders.yaml");
        let mut file = LockFile::beside(&path).unwrap();
        assert!(file.locks.is_empty());
        let lock = lock_of(ORDERS, |l| l.rows(3));
        file.put(Lock { profile: Some("ci".into()), ..lock.clone() });
        file.put(lock.clone());
        file.put(lock.clone());
        file.write_beside(&path).unwrap();
        let read = LockFile::beside(&path).unwrap();
        assert_eq!(read.locks.len(), 2);
        assert_eq!(read.find(&path, None), Some(&lock));
        assert!(read.find(&path, Some("ci")).is_some() && read.find(&path, Some("x")).is_none());
        std::fs::write(LockFile::path_for(&path), "{}").unwrap();
        let error = LockFile::beside(&path).unwrap_err().to_string();
        assert!(error.contains("no lock file: missing field") && error.contains("--lock"), "{error}");
    }
}
