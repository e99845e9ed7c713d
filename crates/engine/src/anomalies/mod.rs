//! The kinds of anomaly: a file each, and a line each in [`ANOMALIES`].

mod broken_key;
mod cells;
mod cut;
mod date_fault;
mod edits;
mod mismatch;
mod misread;
mod missing;
mod mojibake;
mod outlier;
mod set;
mod swap;
#[cfg(test)]
mod testing;
mod typo;
mod unit_error;
mod untidy;

use crate::anomaly::AnomalyKind;

/// Every kind of anomaly. Lookup, the manual, the JSON Schema and the tests over all kinds are driven by it.
pub static ANOMALIES: &[AnomalyKind] = &[
    broken_key::KIND,
    cut::KIND,
    date_fault::KIND,
    mismatch::KIND,
    misread::KIND,
    missing::KIND,
    mojibake::KIND,
    outlier::KIND,
    set::KIND,
    swap::KIND,
    typo::KIND,
    unit_error::KIND,
    untidy::KIND,
];
