//! The kinds of anomaly: a file each, and a line each in [`ANOMALIES`].

mod amount;
mod broken_key;
mod cells;
mod contradiction;
mod cut;
mod date_fault;
mod drift;
mod duplicate;
mod edits;
mod inversion;
mod late;
mod level_shift;
mod mismatch;
mod misread;
mod missing;
mod mojibake;
mod noise;
mod out_of_order;
mod outlier;
mod runs;
mod set;
mod spike;
mod stuck;
mod swap;
#[cfg(test)]
mod testing;
mod typo;
mod unit_error;
mod untidy;
mod wrong_type;

use crate::anomaly::AnomalyKind;

/// Every kind of anomaly. Lookup, the manual, the JSON Schema and the tests over all kinds are driven by it.
pub static ANOMALIES: &[AnomalyKind] = &[
    broken_key::KIND,
    contradiction::KIND,
    cut::KIND,
    date_fault::KIND,
    drift::KIND,
    duplicate::KIND,
    inversion::KIND,
    late::KIND,
    level_shift::KIND,
    mismatch::KIND,
    misread::KIND,
    missing::KIND,
    mojibake::KIND,
    noise::KIND,
    out_of_order::KIND,
    outlier::KIND,
    set::KIND,
    spike::KIND,
    stuck::KIND,
    swap::KIND,
    typo::KIND,
    unit_error::KIND,
    untidy::KIND,
    wrong_type::KIND,
];
