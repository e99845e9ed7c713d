//! The kinds of anomaly: a file each, and a line each in [`ANOMALIES`].

mod amount;
mod drift;
mod duplicate;
mod inversion;
mod late;
mod level_shift;
mod noise;
mod out_of_order;
mod runs;
mod set;
mod spike;
mod stuck;

use crate::anomaly::AnomalyKind;

/// Every kind of anomaly. Lookup, the manual, the JSON Schema and the tests over all kinds are driven by it.
pub static ANOMALIES: &[AnomalyKind] = &[
    drift::KIND,
    duplicate::KIND,
    inversion::KIND,
    late::KIND,
    level_shift::KIND,
    noise::KIND,
    out_of_order::KIND,
    set::KIND,
    spike::KIND,
    stuck::KIND,
];
