//! Data that looks and behaves like the real thing but is about nobody.
//!
//! A *ruleset* says in YAML which tables there are and how the values of their columns come about. From it Lookalike makes
//! any number of rows, and the same ones every time:
//!
//! ```
//! use lookalike::Ruleset;
//!
//! let ruleset = Ruleset::from_str("
//! lookalike: 1
//! seed: 42
//! tables:
//!   orders:
//!     rows: 10k
//!     columns:
//!       id: {sequence: {start: 1}}
//!       state: {choice: {open: 20%, paid: 75%, lost: 5%}}
//!       amount: {log_normal: {median: 40, p95: 300}, round: 2}
//! ")?;
//! let frame = ruleset.table("orders")?.rows(5_000..5_003).collect()?;
//! assert_eq!(frame.shape(), (3, 3));
//! assert_eq!(frame.column("id")?.i64()?.get(0), Some(5_001));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Every cell is a pure function of (ruleset, seed, table, column, row). So any rows can be made alone, and neither threads
//! nor the size of a run nor further columns or tables change a value.

#[cfg(all(doctest, feature = "cli"))]
mod book;
#[cfg(feature = "cli")]
#[doc(hidden)]
#[allow(rustdoc::invalid_html_tags, reason = "its comments are the help texts of the programs")]
pub mod cli;
pub mod data;
pub mod diff;
mod error;
#[doc(hidden)]
pub mod fixture;
pub mod lock;
pub mod marks;
pub mod merge;
mod outputs;
mod parts;
pub mod pipeline;
pub mod protect;
pub mod release;
mod ruleset;
mod texts;
mod typed;
pub mod validation;

pub use error::Error;
pub use lookalike_core as core;
pub use lookalike_engine as engine;
pub use lookalike_io as io;
pub use lookalike_privacy as privacy;
pub use lookalike_ruleset as language;
pub use lookalike_validate as validate;
pub use polars;
pub use ruleset::{Loader, Refusal, Ruleset, Table};
pub use typed::TypedRows;

/// Runs the Rust fences of the README as documentation tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
pub struct Readme;
