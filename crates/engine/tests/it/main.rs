//! Tests of the engine through its public face.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod correlate;
mod every_kind;
mod given;
mod mutations;
mod part_files;
mod parts;
mod purity;
mod relations;
mod rulesets;
mod statistics;
