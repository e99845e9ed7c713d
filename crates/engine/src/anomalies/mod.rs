//! The kinds of anomaly: a file each, and a line each in [`ANOMALIES`].

mod amount;
mod drift;
mod inversion;
mod level_shift;
mod noise;
mod runs;
mod set;
mod spike;
mod stuck;

use crate::anomaly::AnomalyKind;

/// Every kind of anomaly. Lookup, the manual, the JSON Schema and the tests over all kinds are driven by it.
pub static ANOMALIES: &[AnomalyKind] =
    &[drift::KIND, inversion::KIND, level_shift::KIND, noise::KIND, set::KIND, spike::KIND, stuck::KIND];
