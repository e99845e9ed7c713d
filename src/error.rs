//! What can go wrong between a ruleset and its files.

use crate::ruleset::Refusal;

/// A ruleset could not be used, or rows not be made or written.
///
/// Its text is meant for people: what was found, what was expected, and how to mend it. What a program may want to know is in
/// the variants:
///
/// ```
/// use lookalike::{Error, Ruleset};
///
/// match Ruleset::from_str("{lookalike: 1, tables: {t: {columns: {a: {unifrom: [0, 1]}}}}}") {
///     Err(Error::Refused(refusal)) => {
///         assert_eq!((refusal.errors(), refusal.diagnostics[0].code), (1, "unknown-kind"));
///     }
///     _ => unreachable!("`unifrom` is no kind"),
/// }
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The ruleset has mistakes; the text of the error is all of them, with their places.
    #[error("{0}")]
    Refused(Box<Refusal>),
    /// The ruleset has no such table.
    #[error("the ruleset has no table `{table}`; it has {}", list(known))]
    UnknownTable {
        /// The name asked for.
        table: String,
        /// The names that there are.
        known: Vec<String>,
    },
    /// Rows could not be made.
    #[error(transparent)]
    Rows(#[from] lookalike_engine::Error),
    /// Rows could not be read from a file or written to one.
    #[error(transparent)]
    Write(#[from] lookalike_io::Error),
    /// A row is no value of the type that it was to be read as.
    #[error("table `{table}`, row {row}{}: {message}", column.as_ref().map_or(String::new(), |name| format!(", column `{name}`")))]
    Typed {
        /// The table.
        table: String,
        /// The row.
        row: u64,
        /// The column, if it is one column's value that does not fit.
        column: Option<String>,
        /// What was found, and what the type expects.
        message: String,
    },
    /// Nothing was released: the budget, or what was asked.
    #[cfg(feature = "privacy")]
    #[error(transparent)]
    Privacy(#[from] lookalike_privacy::Error),
    /// What was asked for makes no sense.
    #[error("{0}")]
    Request(String),
    /// The run was stopped; nothing was left under a final name.
    #[error("interrupted; no file was changed")]
    Interrupted,
}

fn list(names: &[String]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}
