//! The budget file: what each private table may give away, and what it has given, over all runs.
//!
//! A table is known by a keyed fingerprint, an HMAC-SHA-256 whose key is drawn at random when the file is made and never
//! leaves it, so the fingerprints in ledgers tell nothing to those who guess at a table's content.
//!
//! There is no way to set a budget back. Whoever deletes the file takes the responsibility that what was released before
//! no longer counts.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;

use hmac::{Hmac, KeyInit, Mac};
use opendp::traits::samplers::fill_bytes;
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use crate::journal::{self, Journal};
use crate::{Budget, Cost, Error, Result, Unit};

/// Which private table it is about.
#[derive(Clone, Copy, Debug)]
pub enum Table<'a> {
    /// The table in a file: one with the same bytes is the same table. A file to which a row was added is another one to
    /// us; where files of one source follow each other, name the table.
    File(&'a Path),
    /// A table by its name, whatever it holds today.
    Named(&'a str),
}

/// What a table may give away and what it has given.
#[derive(Clone, Debug, PartialEq)]
pub struct Account {
    /// The budget, as agreed when the table was first met.
    pub budget: Budget,
    /// The budget as a cost.
    pub allowed: Cost,
    /// What all runs have spent so far.
    pub spent: Cost,
    /// Whether all of it went to Gaussian noise.
    pub all_gaussian: bool,
    /// The column that names the unit of privacy; none for rows.
    pub unit: Option<String>,
    /// How many runs have spent something.
    pub runs: usize,
}

impl Account {
    /// What is left, rounded down.
    pub fn left(&self) -> Cost {
        let left = |allowed: f64, spent: f64| {
            if spent == 0.0 { allowed } else { (allowed - spent).next_down().max(0.0) }
        };
        Cost {
            rho: left(self.allowed.rho, self.spent.rho),
            delta: left(self.allowed.delta, self.spent.delta),
        }
    }
}

/// A line of the budget file.
#[derive(Serialize, Deserialize)]
#[serde(tag = "line", rename_all = "snake_case", deny_unknown_fields)]
enum Entry {
    /// The first line.
    Key {
        /// What this file is, for whoever opens it.
        about: String,
        /// Version of the form.
        version: u32,
        /// The secret, in hexadecimal.
        key: String,
    },
    /// Something of a table is released for the first time.
    Table { table: String, budget: Budget, allowed: Cost, unit: Option<String>, time: String },
    /// A step is about to be released.
    Charge { table: String, run: String, rho: f64, delta: f64, gaussian: bool },
}

const ABOUT: &str =
    "Lookalike: what private tables have given away. Deleting this file does not undo any of it.";
const VERSION: u32 = 1;

/// What a budget file says.
#[derive(Default)]
struct Books {
    key: Vec<u8>,
    accounts: BTreeMap<String, Account>,
    last_run: BTreeMap<String, String>,
}

impl Books {
    fn read(path: &Path, lines: &[String]) -> Result<Books> {
        let mut books = Books::default();
        for (at, line) in lines.iter().enumerate() {
            let damaged = |reason: String| Journal::damaged(path, at + 1, reason);
            let entry: Entry = serde_json::from_str(line).map_err(|e| damaged(e.to_string()))?;
            books.take(entry).map_err(damaged)?;
        }
        Ok(books)
    }

    fn take(&mut self, entry: Entry) -> std::result::Result<(), String> {
        if self.key.is_empty() != matches!(entry, Entry::Key { .. }) {
            return Err("the key belongs on the first line, and nowhere else".into());
        }
        match entry {
            Entry::Key { version, key, .. } => {
                if version != VERSION {
                    return Err(format!("version {version} of the form, where {VERSION} is understood"));
                }
                self.key = unhex(&key).filter(|key| key.len() == 32).ok_or("not a key of 32 bytes")?;
            }
            Entry::Table { table, budget, allowed, unit, .. } => {
                let account =
                    Account { budget, allowed, spent: Cost::default(), all_gaussian: true, unit, runs: 0 };
                if self.accounts.insert(table, account).is_some() {
                    return Err("the table was met before".into());
                }
            }
            Entry::Charge { table, run, rho, delta, gaussian } => {
                if !(rho >= 0.0 && delta >= 0.0) {
                    return Err("a charge below 0".into());
                }
                let account = self.accounts.get_mut(&table).ok_or("a charge to a table that was not met")?;
                let cost = Cost { rho, delta };
                account.spent = Cost::sum([account.spent, cost]).map_err(|e| e.to_string())?;
                account.all_gaussian &= gaussian;
                if self.last_run.get(&table) != Some(&run) {
                    account.runs += 1;
                    self.last_run.insert(table, run);
                }
            }
        }
        Ok(())
    }

    fn fingerprint(&self, table: Table<'_>) -> Result<String> {
        let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(&self.key)
            .map_err(|e| Error::Internal(e.to_string()))?;
        match table {
            Table::Named(name) => {
                mac.update(b"name\0");
                mac.update(name.as_bytes());
            }
            Table::File(path) => {
                mac.update(b"file\0");
                let fail = |source| Error::file("read", path, source);
                let mut file = std::fs::File::open(path).map_err(fail)?;
                let mut buffer = vec![0; 1 << 16];
                loop {
                    match file.read(&mut buffer).map_err(fail)? {
                        0 => break,
                        count => mac.update(&buffer[..count]),
                    }
                }
            }
        }
        Ok(hex(&mac.finalize().into_bytes()))
    }
}

/// The budget file, held by this process alone until it is dropped.
pub struct State {
    journal: Journal,
    books: Books,
}

impl State {
    /// Opens the file, or makes it.
    ///
    /// # Errors
    /// When another run holds it, it cannot be read or written, or a line cannot be understood.
    pub fn open(path: &Path) -> Result<State> {
        let (mut journal, lines) = Journal::open(path)?;
        let mut books = Books::read(path, &lines)?;
        if books.key.is_empty() {
            let mut key = [0; 32];
            fill_bytes(&mut key)?;
            journal.append(&Entry::Key { about: ABOUT.into(), version: VERSION, key: hex(&key) })?;
            books.key = key.to_vec();
        }
        Ok(State { journal, books })
    }

    /// The keyed fingerprint of a table, in hexadecimal.
    ///
    /// # Errors
    /// When its file cannot be read.
    pub fn fingerprint(&self, table: Table<'_>) -> Result<String> {
        self.books.fingerprint(table)
    }

    /// The account of a table, if something of it was released before.
    pub fn account(&self, fingerprint: &str) -> Option<&Account> {
        self.books.accounts.get(fingerprint)
    }

    /// Agrees on the budget of a table that was not met before.
    pub(crate) fn meet(
        &mut self,
        fingerprint: &str,
        budget: Budget,
        unit: &Unit,
        time: String,
    ) -> Result<()> {
        self.write(Entry::Table {
            table: fingerprint.to_owned(),
            budget,
            allowed: budget.cost()?,
            unit: unit.column.clone(),
            time,
        })
    }

    /// Charges a table; returns once that is on the disk.
    pub(crate) fn charge(&mut self, fingerprint: &str, run: &str, cost: Cost, gaussian: bool) -> Result<()> {
        self.write(Entry::Charge {
            table: fingerprint.to_owned(),
            run: run.to_owned(),
            rho: cost.rho,
            delta: cost.delta,
            gaussian,
        })
    }

    fn write(&mut self, entry: Entry) -> Result<()> {
        self.journal.append(&entry)?;
        self.books.take(entry).map_err(Error::Internal)
    }

    /// Looks at the budget file, if there is one, and changes nothing: the account of a table.
    ///
    /// # Errors
    /// When a file that exists cannot be read or understood.
    pub fn look(path: &Path, table: Table<'_>) -> Result<Option<Account>> {
        if !path.exists() {
            return Ok(None);
        }
        let books = Books::read(path, &journal::read(path)?)?;
        if books.key.is_empty() {
            return Ok(None);
        }
        let fingerprint = books.fingerprint(table)?;
        Ok(books.accounts.get(&fingerprint).cloned())
    }
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits = text.bytes().map(|c| char::from(c).to_digit(16)).collect::<Option<Vec<_>>>()?;
    let (pairs, rest) = digits.as_chunks::<2>();
    rest.is_empty().then(|| pairs.iter().map(|[high, low]| (high * 16 + low) as u8).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fingerprints_need_the_key() {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data.csv");
        std::fs::write(&data, "a,b\n1,2\n").unwrap();
        let one = State::open(&folder.path().join("one")).unwrap();
        let two = State::open(&folder.path().join("two")).unwrap();
        let table = Table::File(&data);
        assert_eq!(one.fingerprint(table).unwrap(), one.fingerprint(table).unwrap());
        assert_ne!(one.fingerprint(table).unwrap(), two.fingerprint(table).unwrap());
        let name = data.to_str().unwrap();
        assert_ne!(one.fingerprint(table).unwrap(), one.fingerprint(Table::Named(name)).unwrap());
        drop(one);
        let text = std::fs::read_to_string(folder.path().join("one")).unwrap();
        assert_eq!(text.lines().count(), 1);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = std::fs::metadata(folder.path().join("one")).unwrap().permissions().mode();
            assert_eq!(mode & 0o077, 0, "the key is for its owner only");
        }
    }

    /// The fingerprint is HMAC-SHA-256 as RFC 2104 defines it, computed here from the hash alone.
    #[test]
    fn fingerprints_are_hmacs() {
        use sha2::Digest as _;
        let folder = tempfile::tempdir().unwrap();
        let state = State::open(&folder.path().join("state")).unwrap();
        let pad = |byte: u8| {
            let mut block = [byte; 64];
            block.iter_mut().zip(&state.books.key).for_each(|(b, k)| *b ^= k);
            block
        };
        let inner = Sha256::new().chain_update(pad(0x36)).chain_update(b"name\0table").finalize();
        let outer = Sha256::new().chain_update(pad(0x5c)).chain_update(inner).finalize();
        assert_eq!(state.fingerprint(Table::Named("table")).unwrap(), hex(&outer));
    }

    #[test]
    fn a_damaged_line_stops_everything() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state");
        drop(State::open(&path).unwrap());
        let key = std::fs::read_to_string(&path).unwrap();
        let charge = r#"{"line":"charge","table":"x","run":"r","rho":0.1,"delta":0.0,"gaussian":true}"#;
        for wrong in ["nonsense", "{}", charge, key.trim()] {
            std::fs::write(&path, format!("{key}{wrong}\n")).unwrap();
            assert!(matches!(State::open(&path), Err(Error::Damaged { line: 2, .. })), "{wrong}");
        }
    }
}
