//! What idle storage costs: the code under test of a project that takes its test data from Lookalike.

use std::collections::BTreeMap;

use serde::Deserialize;

/// A storage volume.
#[derive(Clone, Debug, Deserialize)]
pub struct Volume {
    /// Where it is.
    pub region: String,
    /// What it costs.
    pub usd_per_month: f64,
    /// For how many days it was idle; none if it is in use.
    pub idle_days: Option<u32>,
}

/// USD a month that volumes cost which were idle for at least `days`, by region.
pub fn wasted(volumes: &[Volume], days: u32) -> BTreeMap<String, f64> {
    let mut wasted = BTreeMap::new();
    for volume in volumes.iter().filter(|volume| volume.idle_days.is_some_and(|idle| idle >= days)) {
        *wasted.entry(volume.region.clone()).or_default() += volume.usd_per_month;
    }
    wasted
}
