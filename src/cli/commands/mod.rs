//! A file for each subcommand: its arguments, and `run`.

pub mod check;
pub mod completions;
#[cfg(feature = "bedrock")]
pub mod draft;
pub mod explain;
pub mod generate;
pub mod kinds;
pub mod preview;
#[cfg(feature = "bedrock")]
pub mod refine;
pub mod schema;
pub mod validate;
