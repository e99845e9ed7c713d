//! A file for each subcommand: its arguments, and `run`.

pub mod check;
pub mod completions;
pub mod explain;
pub mod generate;
pub mod kinds;
pub mod preview;
pub mod schema;
pub mod validate;
