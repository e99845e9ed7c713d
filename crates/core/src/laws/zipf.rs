//! Zipf's law.

use super::table::{MOST_ENTRIES, Table};
use crate::law::{Law, LawError, require, smallest_integer};

/// Zipf's law: rank k of n with a probability proportional to k⁻ˢ: popularity of products, words, cities.
#[derive(Clone, Debug)]
pub struct Zipf {
    n: f64,
    exponent: f64,
    ranks: Ranks,
}

#[derive(Clone, Debug)]
enum Ranks {
    /// All of them.
    Few(Table),
    /// The sums of k⁻ˢ over the first ranks, and over all.
    Many { head: Vec<f64>, total: f64 },
}

/// How many ranks are summed one by one before the formula of Euler and Maclaurin takes over.
const HEAD: u32 = 1024;

impl Zipf {
    /// The ranks 1 to `n` with an exponent; 0 makes all alike.
    ///
    /// # Errors
    ///
    /// If `n` is not between 1 and 10¹², or `exponent` is not between 0 and 100.
    pub fn new(n: u64, exponent: f64) -> Result<Zipf, LawError> {
        require((1..=1_000_000_000_000).contains(&n), "n", n as f64, "between 1 and 1e12")?;
        require((0.0..=100.0).contains(&exponent), "exponent", exponent, "between 0 and 100")?;
        let ranks = if n <= MOST_ENTRIES {
            Ranks::Few(Table::new(1.0, (1..=n).map(|k| libm::pow(k as f64, -exponent))))
        } else {
            let head = head(exponent);
            let total = head[HEAD as usize - 1] + beyond_head(n as f64, exponent);
            Ranks::Many { head, total }
        };
        Ok(Zipf { n: n as f64, exponent, ranks })
    }

    /// Σ k^(power − exponent) over all ranks, as a share of the same without `power`.
    fn moment(&self, power: f64) -> f64 {
        let sum = |exponent| {
            let last = self.n.min(f64::from(HEAD)) as usize;
            head(exponent)[last - 1]
                + if self.n > f64::from(HEAD) { beyond_head(self.n, exponent) } else { 0.0 }
        };
        sum(self.exponent - power) / sum(self.exponent)
    }
}

/// Σ k⁻ˢ for k from 1 to each of the first ranks.
fn head(s: f64) -> Vec<f64> {
    let mut sum = 0.0;
    (1..=HEAD)
        .map(|k| {
            sum += libm::pow(f64::from(k), -s);
            sum
        })
        .collect()
}

/// Σ j⁻ˢ for j from `HEAD + 1` to k: the integral, and four terms of Euler and Maclaurin's formula; the first one left
/// out is below 1e-20 of the sum for every allowed exponent.
fn beyond_head(k: f64, s: f64) -> f64 {
    let first = f64::from(HEAD);
    let steps = libm::log(k / first);
    let integral =
        if s == 1.0 { steps } else { libm::pow(first, 1.0 - s) * libm::expm1((1.0 - s) * steps) / (1.0 - s) };
    let ends = |x: f64| {
        let inverse = 1.0 / (x * x);
        let third = s * (s + 1.0) * (s + 2.0);
        let fifth = third * (s + 3.0) * (s + 4.0);
        libm::pow(x, -s)
            * (0.5 - s / (12.0 * x) + third / (720.0 * x) * inverse
                - fifth / (30_240.0 * x) * inverse * inverse)
    };
    integral + ends(k) - ends(first)
}

impl Law for Zipf {
    fn quantile(&self, u: f64) -> f64 {
        let (head, total) = match &self.ranks {
            Ranks::Few(table) => return table.quantile(u),
            Ranks::Many { head, total } => (head, *total),
        };
        let rank = head.partition_point(|sum| sum / total < u);
        if rank < head.len() {
            return rank as f64 + 1.0;
        }
        // The sum from the head to k is about the integral from half a rank after the one to half a rank after the other.
        let start = f64::from(HEAD) + 0.5;
        let needed = u * total - head[head.len() - 1];
        let slow = 1.0 - self.exponent;
        let steps =
            if slow == 0.0 { needed } else { libm::log1p(slow * needed / libm::pow(start, slow)) / slow };
        let guess = start * libm::exp(steps) - 0.5;
        smallest_integer(guess.ceil(), f64::from(HEAD) + 1.0, self.n, u, |k| self.cdf(k))
    }

    fn cdf(&self, x: f64) -> f64 {
        let k = x.floor();
        match &self.ranks {
            Ranks::Few(table) => table.cdf(k),
            Ranks::Many { .. } if k < 1.0 => 0.0,
            Ranks::Many { .. } if k >= self.n => 1.0,
            Ranks::Many { head, total } if k <= f64::from(HEAD) => head[k as usize - 1] / total,
            Ranks::Many { head, total } => {
                ((head[head.len() - 1] + beyond_head(k, self.exponent)) / total).min(1.0)
            }
        }
    }

    fn support(&self) -> (f64, f64) {
        (1.0, self.n)
    }

    fn is_discrete(&self) -> bool {
        true
    }

    fn mean(&self) -> Option<f64> {
        Some(self.moment(1.0))
    }

    fn variance(&self) -> Option<f64> {
        let mean = self.moment(1.0);
        Some((self.moment(2.0) - mean * mean).max(0.0))
    }
}
