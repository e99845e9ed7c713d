//! Moments up to the fourth, in one pass and mergeable: P. Pébay, "Formulas for robust, one-pass parallel computation of
//! covariances and arbitrary-order statistical moments", Sandia report SAND2008-6212, 2008.

use serde::Serialize;

/// Count, mean and central moments of numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Moments {
    /// How many numbers.
    pub count: u64,
    /// Their mean.
    pub mean: f64,
    m2: f64,
    m3: f64,
    m4: f64,
}

impl Moments {
    /// Adds a number.
    pub fn add(&mut self, value: f64) {
        let before = self.count as f64;
        self.count += 1;
        let n = self.count as f64;
        let delta = value - self.mean;
        let step = delta / n;
        let square = step * step;
        let term = delta * step * before;
        self.mean += step;
        self.m4 += term * square * (n * n - 3.0 * n + 3.0) + 6.0 * square * self.m2 - 4.0 * step * self.m3;
        self.m3 += term * step * (n - 2.0) - 3.0 * step * self.m2;
        self.m2 += term;
    }

    /// Adds what another has seen.
    pub fn merge(&mut self, other: &Moments) {
        if other.count == 0 {
            return;
        }
        if self.count == 0 {
            *self = *other;
            return;
        }
        let (a, b) = (self.count as f64, other.count as f64);
        let n = a + b;
        let delta = other.mean - self.mean;
        let (d, d2) = (delta / n, delta * delta / n);
        let m2 = self.m2 + other.m2 + d2 * a * b;
        let m3 = self.m3 + other.m3 + d2 * d * a * b * (a - b) + 3.0 * d * (a * other.m2 - b * self.m2);
        let m4 = self.m4
            + other.m4
            + d2 * d * d * a * b * (a * a - a * b + b * b)
            + 6.0 * d * d * (a * a * other.m2 + b * b * self.m2)
            + 4.0 * d * (a * other.m3 - b * self.m3);
        *self = Moments { count: self.count + other.count, mean: self.mean + d * b, m2, m3, m4 };
    }

    /// Standard deviation, with n - 1; none of fewer than two numbers.
    pub fn std(&self) -> Option<f64> {
        (self.count > 1).then(|| (self.m2.max(0.0) / (self.count as f64 - 1.0)).sqrt())
    }

    /// Skewness m3 / m2^1.5; none where nothing varies.
    pub fn skewness(&self) -> Option<f64> {
        let n = self.count as f64;
        (self.m2 > 0.0)
            .then(|| n.sqrt() * self.m3 / (self.m2 * self.m2.sqrt()))
            .filter(|value| value.is_finite())
    }

    /// Excess kurtosis m4 / m2² - 3; none where nothing varies.
    pub fn kurtosis(&self) -> Option<f64> {
        (self.m2 > 0.0)
            .then(|| self.count as f64 * self.m4 / (self.m2 * self.m2) - 3.0)
            .filter(|value| value.is_finite())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_as_the_whole() {
        let values: Vec<f64> = (0..1000).map(|at| f64::from(at * at % 97) / 7.0 - 3.0).collect();
        let mut whole = Moments::default();
        values.iter().for_each(|value| whole.add(*value));
        let mut parts = Moments::default();
        for part in values.chunks(130) {
            let mut moments = Moments::default();
            part.iter().for_each(|value| moments.add(*value));
            parts.merge(&moments);
        }
        let mean = values.iter().sum::<f64>() / 1000.0;
        let central =
            |power: i32| values.iter().map(|value| (value - mean).powi(power)).sum::<f64>() / 1000.0;
        for moments in [whole, parts] {
            assert_eq!(moments.count, 1000);
            assert!((moments.mean - mean).abs() < 1e-12);
            assert!((moments.std().unwrap() - (central(2) * 1000.0 / 999.0).sqrt()).abs() < 1e-12);
            assert!((moments.skewness().unwrap() - central(3) / central(2).powf(1.5)).abs() < 1e-11);
            assert!((moments.kurtosis().unwrap() - (central(4) / central(2).powi(2) - 3.0)).abs() < 1e-10);
        }
    }

    #[test]
    fn few_and_equal_numbers_have_no_shape() {
        let mut moments = Moments::default();
        assert_eq!((moments.std(), moments.skewness()), (None, None));
        moments.add(5.0);
        assert_eq!((moments.mean, moments.std(), moments.kurtosis()), (5.0, None, None));
        moments.add(5.0);
        assert_eq!((moments.std(), moments.skewness()), (Some(0.0), None));
    }
}
