//! The kinds of anomaly: a file each, and a line each in [`ANOMALIES`].

mod broken_key;
mod cells;
mod date_fault;
mod mismatch;
mod missing;
mod outlier;
mod set;
mod swap;
#[cfg(test)]
mod testing;
mod unit_error;

use crate::anomaly::AnomalyKind;

/// Every kind of anomaly. Lookup, the manual, the JSON Schema and the tests over all kinds are driven by it.
pub static ANOMALIES: &[AnomalyKind] = &[
    broken_key::KIND,
    date_fault::KIND,
    mismatch::KIND,
    missing::KIND,
    outlier::KIND,
    set::KIND,
    swap::KIND,
    unit_error::KIND,
];
