//! Does the data do what the rules say? A table's rules are prepared once ([`Prepared`]), units of rows are looked at on any
//! thread ([`Prepared::look`]) and what was found is merged in order ([`Found::merge`]); at the end come the checks.

mod checks;
mod expects;
mod found;
pub mod keys;
mod links;
mod look;
pub mod metrics;
mod picture;
pub mod probability;
mod table;
mod twin;

pub use checks::{Pending, judge};
pub use found::Found;
pub use links::Links;
pub use table::{Prepared, TableRules, View};

/// Probability with which anything at all fails in a correct run, at most.
pub const FALSE_ALARM: f64 = 1e-4;
