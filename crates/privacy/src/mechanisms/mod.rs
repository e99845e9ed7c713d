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
use opendp::error::Fallible;

use crate::session::Asked;
use crate::{Cost, Result, Session};

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
    /// Keeps what each step is asked about, and answers by itself, so that the answers know nothing of the table.
    #[cfg(test)]
    Spy(std::rc::Rc<std::cell::RefCell<spy::Spy>>),
    /// A mistake for audits to find: the noise is half of what is charged for, as if scores were monotone or a factor 2 had
    /// been forgotten.
    #[cfg(test)]
    Half,
}

impl Noise {
    /// For the ledger.
    pub(crate) fn describe(&self) -> String {
        match self {
            Noise::System => "operating system, by OpenSSL's RAND_priv_bytes".into(),
            #[cfg(test)]
            Noise::Double(_) => "test double from a seed: NOT PRIVATE".into(),
            #[cfg(test)]
            Noise::Spy(_) => "test double that looks on: NOT PRIVATE".into(),
            #[cfg(test)]
            Noise::Half => "half the noise: NOT PRIVATE".into(),
        }
    }
}

/// What is added to each of some whole numbers.
#[derive(Clone, Copy, Debug)]
enum Law {
    Gaussian,
    Laplace,
}

/// Adds noise to whole numbers.
type Sampler = Box<dyn Fn(&Vec<i64>) -> Fallible<Vec<i64>>>;

impl Law {
    fn name(self) -> &'static str {
        match self {
            Law::Gaussian => "discrete Gaussian",
            Law::Laplace => "discrete Laplace",
        }
    }

    /// The norm in which its sensitivity is.
    fn norm(self) -> &'static str {
        match self {
            Law::Gaussian => "L2",
            Law::Laplace => "L1",
        }
    }

    fn cost(self, scale: f64, sensitivity: f64) -> Result<Cost> {
        match self {
            Law::Gaussian => gaussian::cost(scale, sensitivity),
            Law::Laplace => laplace::cost(scale, sensitivity),
        }
    }

    fn sampler(self, scale: f64) -> Result<Sampler> {
        Ok(match self {
            Law::Gaussian => {
                let measurement = gaussian::measurement(scale)?;
                Box::new(move |values: &Vec<i64>| measurement.invoke(values))
            }
            Law::Laplace => {
                let measurement = laplace::measurement(scale)?;
                Box::new(move |values: &Vec<i64>| measurement.invoke(values))
            }
        })
    }
}

impl Session {
    /// Whole numbers with noise of a scale, of which a unit's part has a norm of at most `sensitivity`.
    fn add(
        &mut self,
        law: Law,
        query: &str,
        values: &[i64],
        sensitivity: f64,
        scale: f64,
    ) -> Result<Vec<i64>> {
        let asked = Asked {
            mechanism: law.name(),
            query: query.to_owned(),
            sensitivity,
            norm: law.norm(),
            scale,
            granularity: 1.0,
            cost: law.cost(scale, sensitivity)?,
            gaussian: matches!(law, Law::Gaussian),
        };
        let values = values.to_vec();
        let sampler = match self.noise.clone() {
            Noise::System => law.sampler(scale)?,
            #[cfg(test)]
            Noise::Half => law.sampler(scale / 2.0)?,
            #[cfg(test)]
            Noise::Double(double) => Box::new(move |values: &Vec<i64>| {
                let mut double = double.borrow_mut();
                Ok(values.iter().map(|value| value + double.of(law, scale).round() as i64).collect())
            }),
            #[cfg(test)]
            Noise::Spy(spy) => {
                let query = query.to_owned();
                Box::new(move |values: &Vec<i64>| {
                    let vector = spy::About::Vector { norm: law.norm(), values: values.clone() };
                    let mut spy = spy.borrow_mut();
                    spy.see(&query, sensitivity, vector);
                    Ok(spy.numbers(values.len(), scale))
                })
            }
        };
        self.release(asked, move || sampler(&values))
    }
}

#[cfg(test)]
pub(crate) mod spy {
    use std::collections::BTreeMap;

    use super::double::Double;
    use crate::Unit;

    /// What a step is asked about: what rows made of it before the noise.
    #[derive(Clone, Debug)]
    pub(crate) enum About {
        Vector { norm: &'static str, values: Vec<i64> },
        Scores(Vec<f64>),
        Ranks { rows: u32, values: Vec<i64> },
        Keys { bounds: Unit, counts: BTreeMap<String, i64> },
    }

    /// A step.
    #[derive(Clone, Debug)]
    pub(crate) struct Seen {
        pub query: String,
        pub sensitivity: f64,
        pub about: About,
    }

    /// Keeps the steps.
    #[derive(Debug)]
    pub(crate) struct Spy {
        pub seen: Vec<Seen>,
        double: Double,
        keys: Vec<String>,
    }

    impl Spy {
        pub(super) fn new(double: Double, keys: Vec<String>) -> Spy {
            Spy { seen: Vec::new(), double, keys }
        }

        pub(super) fn see(&mut self, query: &str, sensitivity: f64, about: About) {
            self.seen.push(Seen { query: query.to_owned(), sensitivity, about });
        }

        /// Made-up noisy counts.
        pub(super) fn numbers(&mut self, count: usize, scale: f64) -> Vec<i64> {
            (0..count).map(|_| (100.0 + scale * self.double.normal()) as i64).collect()
        }

        /// One of so many.
        pub(super) fn one_of(&mut self, count: usize) -> usize {
            (self.double.unit() * count as f64) as usize
        }

        /// The keys that every search finds, in order, each so many times.
        pub(super) fn found(&self) -> Vec<(String, i64)> {
            self.keys.iter().map(|key| (key.clone(), 100)).collect()
        }
    }
}

#[cfg(test)]
pub(crate) mod double {
    use super::spy::Spy;
    use super::{Law, Noise};
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

        /// A number from a law.
        pub(super) fn of(&mut self, law: Law, scale: f64) -> f64 {
            match law {
                Law::Gaussian => scale * self.normal(),
                Law::Laplace => {
                    let u = self.unit() - 0.5;
                    -scale * u.signum() * (1.0 - 2.0 * u.abs()).ln()
                }
            }
        }
    }

    impl Session {
        /// From here on the session's noise is a test double, and its output not private.
        pub(crate) fn not_private(mut self, seed: u64) -> Session {
            self.noise = Noise::Double(std::rc::Rc::new(std::cell::RefCell::new(Double(seed))));
            self
        }

        /// From here on what is asked about is kept, and answered without the table. `keys` are found by every search.
        pub(crate) fn watched(
            mut self,
            keys: &[&str],
            seed: u64,
        ) -> (Session, std::rc::Rc<std::cell::RefCell<Spy>>) {
            let keys = keys.iter().map(|key| (*key).to_owned()).collect();
            let spy = std::rc::Rc::new(std::cell::RefCell::new(Spy::new(Double(seed), keys)));
            self.noise = Noise::Spy(spy.clone());
            (self, spy)
        }

        /// From here on the session adds half the noise that it charges for.
        pub(crate) fn half_the_noise(mut self) -> Session {
            self.noise = Noise::Half;
            self
        }
    }
}
