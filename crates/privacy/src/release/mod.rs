//! Noisy statistics of a private table: counts, sums, means, quantiles, histograms and contingency tables, each with its
//! error.
//!
//! [`Rules`] say what is wanted and what is public; [`plan`] finds the noise, the cost and the expected error without the
//! table; [`run`] makes the figures through a [`Session`](crate::Session).

mod plan;
mod planning;
mod rules;
mod run;
#[cfg(test)]
pub(crate) mod tests;
mod text;

pub use plan::{Draw, Groups, Item, Measure, NULL, Noise, OTHER, Plan, Query, Z95, number};
pub use planning::plan;
pub use rules::{ColumnRule, NoiseKind, ReleaseRule, Rules, Statistic, UnitRule, Values};
pub use run::{Columns, Figure, Released, check, run};
pub use text::{csv, markdown, plan_text};
