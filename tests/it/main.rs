//! Tests of the library and the programs as a whole.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod airline;
#[cfg(feature = "cli")]
mod cli;
mod docs;
mod ebs;
mod estate;
mod golden;
mod invalid;
mod profiles;
mod report;
mod validation;
