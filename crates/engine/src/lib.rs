//! Turns a checked ruleset into rows.
//!
//! [`compile`](fn@compile) makes a [`Plan`] out of a loaded ruleset; a [`TablePlan`] makes any rows of its table, at any time, in any
//! order, on any thread: every cell is a pure function of (ruleset, seed, table, column, row).
//!
//! ```
//! use lookalike_core::Rows;
//! use lookalike_engine::plan::Overrides;
//! use lookalike_engine::{KINDS, compile};
//! use lookalike_ruleset::document::{NoFiles, load};
//! use lookalike_ruleset::read::Format;
//! use lookalike_ruleset::{Problems, Sources};
//!
//! let text = "{lookalike: 1, tables: {orders: {rows: 1m, columns: {price: {uniform: [1, 9]}}}}}";
//! let (mut sources, mut problems) = (Sources::new(), Problems::new());
//! let file = sources.add("orders.yaml", text);
//! let loaded = load(&mut sources, file, Format::Yaml, &NoFiles, &[], &mut problems).expect("no mistakes");
//! let plan = compile(&loaded, &[KINDS], &Overrides::default(), &mut problems).expect("no mistakes");
//! let orders = plan.table("orders").expect("it is there");
//! let (last, late) = (orders.frame(&Rows::from(999_999..1_000_000))?, orders.frame(&Rows::from(999_990..1_000_000))?);
//! assert!(late.tail(Some(1)).equals(&last));
//! # Ok::<(), lookalike_engine::Error>(())
//! ```
//!
//! The facade `lookalike` does all of this in a line; who extends the engine begins with a [`Kind`] and its [`Generator`].

pub mod anomalies;
pub mod anomaly;
pub mod array;
pub mod audit;
pub mod build;
pub mod chain;
pub mod compile;
mod constraints;
pub mod correlate;
pub mod entity;
pub mod expr;
pub mod formula;
pub mod generator;
pub mod generators;
pub mod given;
pub mod inject;
mod links;
mod locale;
pub mod look;
pub mod machine;
pub mod merge;
mod part_files;
pub mod pick;
pub mod plan;
pub mod run;
pub mod schema;
mod shares;
mod subsets;
#[doc(hidden)]
pub mod testing;
pub mod wanted;

pub use generator::{Block, Failure, Generator, Kind, Output, Rule, Site};
pub use generators::KINDS;
pub use given::{Given, GivenTable, PartRows};
pub use plan::{Column, Error, Plan, TablePlan, compile};
