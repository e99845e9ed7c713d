//! The binomial law.

use super::poisson::TABLE_VARIANCE;
use super::table::Table;
use crate::law::{Law, LawError, require, smallest_integer};
use crate::special::{beta_i, normal_quantile};

/// The binomial law: how many of n independent trials succeed.
#[derive(Clone, Debug)]
pub struct Binomial {
    n: f64,
    p: f64,
    /// Up to a variance of about 9 million.
    table: Option<Table>,
}

impl Binomial {
    /// With a number of trials and the probability of success.
    ///
    /// # Errors
    ///
    /// If `n` is above 10¹⁵ or `p` is not between 0 and 1.
    pub fn new(n: u64, p: f64) -> Result<Binomial, LawError> {
        require(n <= 1_000_000_000_000_000, "n", n as f64, "at most 1e15")?;
        require((0.0..=1.0).contains(&p), "p", p, "between 0 and 1")?;
        let n = n as f64;
        let table = (n * p * (1.0 - p) <= TABLE_VARIANCE).then(|| {
            let mode = ((n + 1.0) * p).floor().min(n);
            Table::around(mode, |k| (n - k) / (k + 1.0) * (p / (1.0 - p)))
        });
        Ok(Binomial { n, p, table })
    }

    /// The distribution function at an integer from 0 to n, when there is no table.
    fn at(&self, k: f64) -> f64 {
        if k >= self.n { 1.0 } else { beta_i(self.n - k, k + 1.0, 1.0 - self.p) }
    }
}

impl Law for Binomial {
    fn quantile(&self, u: f64) -> f64 {
        if let Some(table) = &self.table {
            return table.quantile(u);
        }
        // Cornish and Fisher's expansion, good to about one count.
        let z = normal_quantile(u);
        let spread = (self.n * self.p * (1.0 - self.p)).sqrt();
        let guess = self.n * self.p + spread * z + (1.0 - 2.0 * self.p) * (z * z - 1.0) / 6.0 - 0.5;
        smallest_integer(guess, 0.0, self.n, u, |k| self.at(k))
    }

    fn cdf(&self, x: f64) -> f64 {
        match &self.table {
            Some(table) => table.cdf(x),
            None if x < 0.0 => 0.0,
            None => self.at(x.floor()),
        }
    }

    fn support(&self) -> (f64, f64) {
        (if self.p == 1.0 { self.n } else { 0.0 }, if self.p == 0.0 { 0.0 } else { self.n })
    }

    fn is_discrete(&self) -> bool {
        true
    }

    fn mean(&self) -> Option<f64> {
        Some(self.n * self.p)
    }

    fn variance(&self) -> Option<f64> {
        Some(self.n * self.p * (1.0 - self.p))
    }
}
