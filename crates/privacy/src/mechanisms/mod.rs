//! The mechanisms: one file each, with what it protects, why its sensitivity is what it says, and what it costs.
//!
//! All of them work on integers, inside OpenDP's measurements: nothing is ever computed as `x + noise` in floating point.
//! Neighbouring tables are those of which one has a unit of privacy more than the other, with all its rows.

pub mod choice;
pub mod gaussian;
pub mod laplace;
pub mod quantile;
pub mod randomised_response;
pub mod threshold;

use opendp::domains::{AtomDomain, VectorDomain};

/// Vectors of whole numbers.
pub(crate) type Ints = VectorDomain<AtomDomain<i64>>;

fn ints() -> Ints {
    VectorDomain::new(AtomDomain::new_non_nan())
}

/// Where noise comes from.
#[derive(Clone, Debug, Default)]
pub(crate) enum Noise {
    /// The operating system, through OpenSSL, inside OpenDP's samplers.
    #[default]
    System,
    /// Made-up noise for tests, from a seed. What it is added to is not private at all.
    #[cfg(test)]
    Double(std::rc::Rc<std::cell::RefCell<double::Double>>),
}

impl Noise {
    /// For the ledger.
    pub(crate) fn describe(&self) -> String {
        match self {
            Noise::System => "operating system, by OpenSSL's RAND_priv_bytes".into(),
            #[cfg(test)]
            Noise::Double(_) => "test double from a seed: NOT PRIVATE".into(),
        }
    }
}

#[cfg(test)]
pub(crate) mod double {
    use super::Noise;
    use crate::Session;

    /// Pseudo-random numbers by SplitMix64; fit for tests of what surrounds the noise, and for nothing else.
    #[derive(Debug)]
    pub(crate) struct Double(u64);

    impl Double {
        /// A number from 0 up to, but not including, 1.
        pub(crate) fn unit(&mut self) -> f64 {
            self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut z = self.0;
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 53) as f64
        }

        /// A number from the standard normal distribution.
        pub(crate) fn normal(&mut self) -> f64 {
            let radius = (-2.0 * (1.0 - self.unit()).ln()).sqrt();
            radius * (std::f64::consts::TAU * self.unit()).cos()
        }
    }

    impl Session {
        /// From here on the session's noise is a test double, and its output not private.
        pub(crate) fn not_private(mut self, seed: u64) -> Session {
            self.noise = Noise::Double(std::rc::Rc::new(std::cell::RefCell::new(Double(seed))));
            self
        }
    }
}
