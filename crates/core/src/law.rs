//! What a law is, and laws cut to an interval.

use std::fmt::Debug;
use std::sync::Arc;

/// A law: the probability distribution of one number, given by its quantile function.
///
/// A value is drawn as `quantile(u)` with u uniform on the open interval (0, 1), so a draw takes exactly one word, is
/// monotone in it (which copulas and truncation rely on), and the same everywhere.
pub trait Law: Send + Sync + Debug {
    /// The smallest x with `cdf(x) >= u`, for u in the open interval (0, 1).
    ///
    /// Exact for discrete laws. Continuous laws answer to about 1e-12, or to the resolution of a double if that is
    /// coarser (near 1, where doubles are 1e-16 apart, a steep law takes few distinct values).
    fn quantile(&self, u: f64) -> f64;

    /// P(X ≤ x).
    fn cdf(&self, x: f64) -> f64;

    /// Closed hull of the values that can occur, possibly infinite.
    fn support(&self) -> (f64, f64);

    /// Whether all values are integers.
    fn is_discrete(&self) -> bool {
        false
    }

    /// The mean; `None` where it is infinite, undefined or has no closed form.
    fn mean(&self) -> Option<f64>;

    /// The variance; `None` where it is infinite, undefined or has no closed form.
    fn variance(&self) -> Option<f64>;
}

macro_rules! law_through_pointer {
    ($($pointer:ty),*) => {$(
        impl<L: Law + ?Sized> Law for $pointer {
            fn quantile(&self, u: f64) -> f64 {
                (**self).quantile(u)
            }
            fn cdf(&self, x: f64) -> f64 {
                (**self).cdf(x)
            }
            fn support(&self) -> (f64, f64) {
                (**self).support()
            }
            fn is_discrete(&self) -> bool {
                (**self).is_discrete()
            }
            fn mean(&self) -> Option<f64> {
                (**self).mean()
            }
            fn variance(&self) -> Option<f64> {
                (**self).variance()
            }
        }
    )*};
}

law_through_pointer!(&L, Box<L>, Arc<L>);

/// Why a law cannot be made.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum LawError {
    /// A parameter outside its range.
    #[error("{parameter} is {value}, but must be {valid}")]
    Parameter {
        /// The parameter's name.
        parameter: &'static str,
        /// What was given.
        value: f64,
        /// What it must be, to follow "must be".
        valid: &'static str,
    },
    /// A list of the wrong length.
    #[error("{list} has {len} entries, but must have {valid}")]
    Length {
        /// The list's name.
        list: &'static str,
        /// Its length.
        len: usize,
        /// What it must have, to follow "must have".
        valid: &'static str,
    },
    /// An interval to which a law cannot be cut, because (nearly) none of its values lie there.
    #[error("practically none of the values lie in [{low}, {high}]; a share of at least 1e-12 is needed")]
    Improbable {
        /// Lower end.
        low: f64,
        /// Upper end.
        high: f64,
        /// The interval's probability under the law.
        probability: f64,
    },
}

/// Refuses `value` unless `ok`.
pub(crate) fn require(
    ok: bool,
    parameter: &'static str,
    value: f64,
    valid: &'static str,
) -> Result<(), LawError> {
    if ok { Ok(()) } else { Err(LawError::Parameter { parameter, value, valid }) }
}

pub(crate) fn require_finite(parameter: &'static str, value: f64) -> Result<(), LawError> {
    require(value.is_finite(), parameter, value, "a finite number")
}

pub(crate) fn require_positive(parameter: &'static str, value: f64) -> Result<(), LawError> {
    require(value > 0.0 && value.is_finite(), parameter, value, "a finite number greater than 0")
}

/// The smallest integer k in `first..=last` with `cdf(k) >= u`, searched for from a guess.
///
/// `cdf(last)` must be at least u. Steps away from the guess double until it is bracketed, then halve; so a guess that
/// is off by d costs about 2 log d evaluations, and plateaus of the computed `cdf` do no harm.
pub(crate) fn smallest_integer(guess: f64, first: f64, last: f64, u: f64, cdf: impl Fn(f64) -> f64) -> f64 {
    let guess = if guess.is_nan() { first } else { guess.round().clamp(first, last) };
    let mut step = 1.0;
    // Invariant below: cdf(below) < u (or below = first - 1) and cdf(reached) >= u (or reached = last).
    let (mut below, mut reached);
    if cdf(guess) >= u {
        reached = guess;
        loop {
            below = (reached - step).max(first - 1.0);
            if below < first || cdf(below) < u {
                break;
            }
            reached = below;
            step *= 2.0;
        }
    } else {
        below = guess;
        loop {
            reached = (below + step).min(last);
            if reached >= last || cdf(reached) >= u {
                break;
            }
            below = reached;
            step *= 2.0;
        }
    }
    while reached - below > 1.0 {
        let middle = below + ((reached - below) / 2.0).floor();
        if cdf(middle) >= u {
            reached = middle;
        } else {
            below = middle;
        }
    }
    reached
}

/// A law conditioned on a closed interval: what remains of it when every value outside is drawn again.
///
/// Exact, and still one word for each draw: u is mapped to `F(low-) + u (F(high) - F(low-))`. Deep in the upper tail the
/// values become coarse, as the doubles just below 1 are 1.1e-16 apart: an interval of probability p there has
/// about p / 1.1e-16 distinct values.
#[derive(Clone, Debug)]
pub struct Truncated<L> {
    law: L,
    low: f64,
    high: f64,
    /// Probability of what lies below the interval.
    below: f64,
    /// Probability of the interval.
    mass: f64,
}

impl<L: Law> Truncated<L> {
    /// The law conditioned on [`low`, `high`]; either end may be infinite.
    ///
    /// # Errors
    ///
    /// If an end is not a number, `low` is above `high`, or the interval has a probability below 1e-12 (which a single
    /// point of a continuous law always has).
    pub fn try_new(law: L, low: f64, high: f64) -> Result<Truncated<L>, LawError> {
        require(!high.is_nan(), "high", high, "a number")?;
        require(low <= high, "low", low, "at most high")?;
        // Just below `low` lies everything that is to be cut off, also for laws with jumps.
        let below = law.cdf(low.next_down());
        let mass = law.cdf(high) - below;
        if mass < 1e-12 || mass.is_nan() {
            return Err(LawError::Improbable { low, high, probability: mass });
        }
        let (first, last) = law.support();
        let (mut low, mut high) = (low.max(first), high.min(last));
        if law.is_discrete() {
            (low, high) = (low.ceil(), high.floor());
        }
        Ok(Truncated { law, low, high, below, mass })
    }
}

impl<L: Law> Law for Truncated<L> {
    fn quantile(&self, u: f64) -> f64 {
        // Rounding may reach 0 or 1, which are outside the law's domain.
        const LEAST: f64 = f64::MIN_POSITIVE;
        const MOST: f64 = 1.0 - f64::EPSILON / 2.0;
        self.law.quantile((self.below + u * self.mass).clamp(LEAST, MOST)).clamp(self.low, self.high)
    }

    fn cdf(&self, x: f64) -> f64 {
        if x < self.low {
            0.0
        } else if x >= self.high {
            1.0
        } else {
            ((self.law.cdf(x) - self.below) / self.mass).clamp(0.0, 1.0)
        }
    }

    fn support(&self) -> (f64, f64) {
        (self.low, self.high)
    }

    fn is_discrete(&self) -> bool {
        self.law.is_discrete()
    }

    fn mean(&self) -> Option<f64> {
        None
    }

    fn variance(&self) -> Option<f64> {
        None
    }
}
