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
//!
//! # What is there
//! | wanted | where | example |
//! |---|---|---|
//! | rows as a `DataFrame` | [`Table::collect`], [`Table::select`], [`Table::batches`] | `examples/dataframe.rs` |
//! | a query that makes only what it needs | [`Table::lazy`], with the feature `lazy` | `examples/lazy.rs` |
//! | rows as structs | [`Table::typed`] | `examples/typed.rs` |
//! | data for tests | [`fixture!`] | `examples/downstream` |
//! | rows for an asynchronous program | [`Table::stream`] | `examples/stream.rs` |
//! | record batches for arrow-rs and DataFusion | the Arrow C data interface | `examples/arrow`, `examples/datafusion` |
//! | another seed, other rows and params | [`Loader`] | |
//! | generators of one's own | [`Loader::kinds`], [`program`] | `examples/custom_kind.rs` |
//! | anomalies in rows of one's own | [`Loader::given`], [`data`] | `examples/inject.rs` |
//! | the truth about anomalies | [`Table::marks`], [`marks`] | `examples/detector.rs` |
//! | checks against rules and reference | [`validation`] | `examples/validate.rs` |
//! | statistics under differential privacy | [`privacy`], [`release`] | `examples/release.rs` |
//! | files, as the program writes them | [`pipeline`], [`merge`] | |
//! | rows that must not change | [`lock`] | |
//! | what differs between two outputs, or two rulesets | [`diff`] | |
//! | the crates underneath | [`language`], [`engine`], [`io`], [`core`] | |
//!
//! Rows are polars data frames; [`polars`] is the version in use. Everything that can fail gives an [`Error`], whose text says
//! what was found, what was expected, and how to mend it.
//!
//! # Features
//! `default-features = false` is the way for a library: rulesets, rows, sources and fixtures, and nothing else to compile.
//!
//! | feature | adds | by default |
//! |---|---|---|
//! | `lazy` | [`Table::lazy`]; polars' lazy engine | |
//! | `validate` | [`validation`]: checks, comparisons, charts, reports | |
//! | `privacy` | [`privacy`]: sessions, budgets, mechanisms, fitting; OpenDP with its own copy of OpenSSL | |
//! | `pipeline` | [`pipeline`], [`merge`], [`release`] and [`protect`]: whole runs into files; the two above | |
//! | `sqlite` | the format `sqlite`, with its own copy of SQLite | yes |
//! | `cli` | the programs `lookalike` and `generate`; `pipeline` and `sqlite` | yes |
//! | `bedrock` | their commands `draft` and `refine`; the AWS SDK | yes |

#![cfg_attr(
    not(feature = "pipeline"),
    allow(dead_code, reason = "what runs into files need lies beside what rows need")
)]

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
#[cfg(feature = "lazy")]
mod lazy;
pub mod lock;
pub mod marks;
#[cfg(feature = "pipeline")]
pub mod merge;
#[cfg(feature = "pipeline")]
mod outputs;
mod parts;
#[cfg(feature = "pipeline")]
pub mod pipeline;
pub mod progress;
#[cfg(feature = "pipeline")]
pub mod protect;
#[cfg(feature = "pipeline")]
pub mod release;
mod ruleset;
mod stream;
#[cfg(test)]
mod testing;
mod texts;
mod typed;
#[cfg(feature = "validate")]
pub mod validation;

#[cfg(feature = "cli")]
pub use cli::program;
pub use error::Error;
pub use lookalike_core as core;
pub use lookalike_engine as engine;
pub use lookalike_io as io;
#[cfg(feature = "privacy")]
pub use lookalike_privacy as privacy;
pub use lookalike_ruleset as language;
#[cfg(feature = "validate")]
pub use lookalike_validate as validate;
pub use polars;
pub use ruleset::{Loader, Refusal, Ruleset, Table};
pub use stream::RowStream;
pub use typed::TypedRows;

/// Runs the Rust fences of the README as documentation tests.
#[cfg(all(doctest, feature = "cli"))]
#[doc = include_str!("../README.md")]
pub struct Readme;
