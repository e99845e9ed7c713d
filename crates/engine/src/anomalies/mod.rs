//! The kinds of anomaly: a file each, and a line each in [`ANOMALIES`].

mod set;

use crate::anomaly::AnomalyKind;

/// Every kind of anomaly. Lookup, the manual, the JSON Schema and the tests over all kinds are driven by it.
pub static ANOMALIES: &[AnomalyKind] = &[set::KIND];
