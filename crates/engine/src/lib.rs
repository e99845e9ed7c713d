//! Turns a checked ruleset into rows.
//!
//! [`compile`](fn@compile) makes a [`Plan`] out of a loaded ruleset; a [`TablePlan`] makes any rows of its table, at any time, in any
//! order, on any thread: every cell is a pure function of (ruleset, seed, table, column, row).

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
mod subsets;
#[doc(hidden)]
pub mod testing;
pub mod wanted;

pub use generator::{Block, Failure, Generator, Kind, Output, Rule, Site};
pub use generators::KINDS;
pub use given::{Given, GivenTable, PartRows};
pub use plan::{Column, Error, Plan, TablePlan, compile};
