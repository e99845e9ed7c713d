//! What is still to be asked of a language model: texts that rows need and that no file keeps yet.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use lookalike_ruleset::texts::{Address, Texts};

use crate::generator::Failure;

/// A list of missing texts. Rows that are made with one ([`Overrides::wanted`](crate::plan::Overrides::wanted)) do without the
/// texts that are not there, and put them on the list instead of failing. Such rows are good for nothing else.
#[derive(Debug, Default)]
pub struct Wanted {
    stands_in: bool,
    list: Mutex<BTreeMap<(String, Address), Ask>>,
}

/// A text that is missing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ask {
    /// Name of the texts, as under `texts`.
    pub texts: String,
    /// Where the text will be found.
    pub address: Address,
    /// What the model is asked.
    pub prompt: String,
    /// The first row that needs it.
    pub row: u64,
    /// How many cells need it, as often as they were made.
    pub cells: u64,
}

/// At most this many texts are on a list: a prompt that differs from row to row over more of them is most often a mistake.
pub const MAX_WANTED: usize = 250_000;

impl Wanted {
    /// An empty list. Missing texts are null in the rows; where a prompt is made of another text, it is null as long as that is
    /// missing, and not on the list.
    pub fn new() -> Wanted {
        Wanted::default()
    }

    /// As [`new`](Self::new), but something stands in for each missing text, another for each prompt. So prompts that are made
    /// of other texts are on the list, too, and can be counted, though not asked.
    pub fn counting() -> Wanted {
        Wanted { stands_in: true, ..Wanted::default() }
    }

    fn list(&self) -> MutexGuard<'_, BTreeMap<(String, Address), Ask>> {
        self.list.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts a text on the list; gives what stands in for it.
    pub(crate) fn add(&self, texts: &Texts, prompt: &str, row: u64) -> Result<Option<String>, Failure> {
        let address = texts.decl.address(prompt);
        let mut list = self.list();
        if list.len() >= MAX_WANTED && !list.contains_key(&(texts.name.clone(), address)) {
            return Err(Failure::new(format!(
                "`{}` lacks more than {MAX_WANTED} different texts; make fewer rows, or a prompt of columns with fewer values",
                texts.name
            )));
        }
        let ask = list.entry((texts.name.clone(), address)).or_insert_with(|| Ask {
            texts: texts.name.clone(),
            address,
            prompt: prompt.to_owned(),
            row,
            cells: 0,
        });
        ask.row = ask.row.min(row);
        ask.cells += 1;
        Ok(self.stands_in.then(|| address.to_string()))
    }

    /// Takes everything off the list.
    pub fn clear(&self) {
        self.list().clear();
    }

    /// What is on the list, by texts and in the order of the rows.
    pub fn asks(&self) -> Vec<Ask> {
        let mut asks: Vec<Ask> = self.list().values().cloned().collect();
        asks.sort_by(|a, b| (&a.texts, a.row, a.address).cmp(&(&b.texts, b.row, b.address)));
        asks
    }
}
