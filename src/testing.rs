//! For tests of the facade: a kind that counts what it makes.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use lookalike_engine::build::Builder;
use lookalike_engine::generator::Group;
use lookalike_engine::{Block, Failure, Generator, Kind, Output, Rule, Site, array};
use lookalike_ruleset::{Span, Type, params};
use polars::prelude::Series;

/// The rows that were made, by the name under `counted`.
static MADE: Mutex<BTreeMap<String, Vec<u64>>> = Mutex::new(BTreeMap::new());

/// The rows that `{counted: name}` made, in order.
pub fn made(name: &str) -> Vec<u64> {
    let made = MADE.lock().unwrap_or_else(PoisonError::into_inner);
    let mut rows = made.get(name).cloned().unwrap_or_default();
    rows.sort_unstable();
    rows
}

params! {
    /// Row numbers that are counted.
    struct Counted {
        /// Name of the count.
        name: String,
    }
}

struct Counter(String);

impl Generator for Counter {
    fn prepare(&mut self, _: &mut Site<'_>) -> Option<Output> {
        Some(Output::of(Type::Int))
    }

    fn fill(&self, block: &Block<'_>) -> Result<Series, Failure> {
        assert_ne!(self.0, "panic", "on purpose");
        let mut made = MADE.lock().unwrap_or_else(PoisonError::into_inner);
        made.entry(self.0.clone()).or_default().extend(block.rows.iter());
        Ok(array::ints(block.rows.iter().map(|row| row as i64).collect()))
    }
}

impl Rule for Counted {
    fn build(self, _: Span, _: &mut Builder<'_>) -> Option<Box<dyn Generator>> {
        Some(Box::new(Counter(self.name)))
    }
}

/// The kind `counted`: the numbers of the rows, noted for [`made`]. Under the name `panic` it panics.
pub static COUNTED: &[Kind] = &[Kind {
    name: "counted",
    group: Group::Basic,
    summary: "Row numbers that are counted.",
    example: "{counted: {name: test}}",
    ..Kind::of::<Counted>()
}];
