//! The Poisson law.

use super::table::Table;
use crate::law::{Law, LawError, require, smallest_integer};
use crate::special::{gamma_q, normal_quantile};

/// The Poisson law: how often something happens in a time.
#[derive(Clone, Debug)]
pub struct Poisson {
    mean: f64,
    /// Up to a mean of about 9 million.
    table: Option<Table>,
}

/// Up to this variance all counts that matter fit into a table: they are within 11 standard deviations on either side.
pub(super) const TABLE_VARIANCE: f64 = 8.5e6;

impl Poisson {
    /// With a mean; for mean 0 every count is 0.
    ///
    /// # Errors
    ///
    /// If `mean` is not between 0 and 1e15.
    pub fn new(mean: f64) -> Result<Poisson, LawError> {
        require((0.0..=1e15).contains(&mean), "mean", mean, "between 0 and 1e15")?;
        let table = (mean <= TABLE_VARIANCE).then(|| Table::around(mean.floor(), |k| mean / (k + 1.0)));
        Ok(Poisson { mean, table })
    }
}

impl Law for Poisson {
    fn quantile(&self, u: f64) -> f64 {
        if let Some(table) = &self.table {
            return table.quantile(u);
        }
        // Cornish and Fisher's expansion, good to about one count.
        let (z, spread) = (normal_quantile(u), self.mean.sqrt());
        let guess = self.mean + spread * z + (z * z - 1.0) / 6.0 - 0.5;
        smallest_integer(guess, 0.0, (self.mean + 40.0 * spread).ceil(), u, |k| gamma_q(k + 1.0, self.mean))
    }

    fn cdf(&self, x: f64) -> f64 {
        match &self.table {
            Some(table) => table.cdf(x),
            None if x < 0.0 => 0.0,
            None if x == f64::INFINITY => 1.0,
            None => gamma_q(x.floor() + 1.0, self.mean),
        }
    }

    fn support(&self) -> (f64, f64) {
        (0.0, if self.mean == 0.0 { 0.0 } else { f64::INFINITY })
    }

    fn is_discrete(&self) -> bool {
        true
    }

    fn mean(&self) -> Option<f64> {
        Some(self.mean)
    }

    fn variance(&self) -> Option<f64> {
        Some(self.mean)
    }
}
