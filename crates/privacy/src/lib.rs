//! Differential privacy: what leaves a private table, what that costs, and who keeps the books.
//!
//! Where real rows enter, a formal guarantee leaves. Noise is added inside OpenDP's measurements, on integers, from the
//! operating system's randomness and never from a ruleset's seed. Tables come in as plain vectors.

pub mod fit;
pub mod pgm;
