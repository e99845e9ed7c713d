//! Tests of the library and the programs as a whole.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod airline;
#[cfg(all(feature = "bedrock", unix))]
mod book;
#[cfg(feature = "cli")]
mod cli;
mod consultancy;
#[cfg(feature = "sqlite")]
mod databases;
mod docs;
mod ebs;
mod estate;
mod golden;
mod invalid;
mod profiles;
mod report;
mod validation;
