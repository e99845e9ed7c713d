//! A file for each subcommand: its arguments, and `run`.

pub mod check;
pub mod completions;
pub mod diff;
#[cfg(feature = "bedrock")]
pub mod draft;
pub mod explain;
pub mod fit;
pub mod generate;
pub mod inject;
pub mod kinds;
pub mod merge;
pub mod preview;
#[cfg(feature = "bedrock")]
pub mod refine;
pub mod release;
pub mod schema;
#[cfg(feature = "bedrock")]
pub mod texts;
pub mod validate;
