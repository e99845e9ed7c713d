//! Validation: does the data do what the rules say, does it look like the real thing, and does it give anybody away?
//!
//! Checks and statistics are computed from blocks of rows in one pass; charts and reports are drawn from the same numbers.

pub mod cells;
pub mod charts;
pub mod leakage;
pub mod model;
pub mod reference;
pub mod report;
pub mod rules;
pub mod statistics;
#[doc(hidden)]
pub mod testing;
pub mod text;

mod cycles;
mod scorecard;

#[cfg(test)]
mod samples;
