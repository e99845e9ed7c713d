//! Does the data do what the rules say? A table's rules are prepared once ([`Prepared`]), units of rows are looked at on any
//! thread ([`Prepared::look`]) and what was found is merged in order ([`Found::merge`]); at the end come the checks.

mod expects;
pub mod keys;
pub mod metrics;
pub mod probability;
mod table;

pub use table::{Found, Links, Pending, Prepared, TableRules, View, judge};

/// Probability with which anything at all fails in a correct run, at most.
pub const FALSE_ALARM: f64 = 1e-4;
