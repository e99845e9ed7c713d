//! Discrete laws in a table.

/// The most entries that a table may have.
pub(super) const MOST_ENTRIES: u64 = 65_536;

/// A law on consecutive integers by its distribution function, with a guide (H.-C. Chen and Y. Asau, "On generating
/// random variates from an empirical distribution", 1974) that makes a quantile cost about two look-ups.
#[derive(Clone, Debug)]
pub(super) struct Table {
    first: f64,
    cumulative: Vec<f64>,
    /// For each g the first entry whose cumulative probability is at least g / len.
    guide: Vec<u32>,
}

impl Table {
    /// The integers from `first` on, with weights that need not sum to 1; at least one must be positive.
    pub(super) fn new(first: f64, weights: impl Iterator<Item = f64>) -> Table {
        let mut sum = 0.0;
        let mut cumulative: Vec<f64> = weights
            .map(|weight| {
                sum += weight;
                sum
            })
            .collect();
        cumulative.iter_mut().for_each(|value| *value /= sum);
        let len = cumulative.len();
        let mut at = 0;
        let guide = (0..len)
            .map(|g| {
                while cumulative[at] < g as f64 / len as f64 {
                    at += 1;
                }
                at as u32
            })
            .collect();
        Table { first, cumulative, guide }
    }

    /// A law with a single peak at `mode`, from the ratio p(k + 1) / p(k), as far on both sides as the probabilities
    /// matter to a double.
    pub(super) fn around(mode: f64, ratio: impl Fn(f64) -> f64) -> Table {
        // What is left out sums to far less than the 1e-16 of the smallest u.
        const NEGLIGIBLE: f64 = 1e-25;
        let upwards =
            std::iter::successors(Some((mode, 1.0)), |&(k, weight)| Some((k + 1.0, weight * ratio(k))))
                .map(|(_, weight)| weight)
                .take_while(|&weight| weight > NEGLIGIBLE);
        let mut downwards: Vec<f64> = std::iter::successors(Some((mode, 1.0)), |&(k, weight)| {
            (k > 0.0).then(|| (k - 1.0, weight / ratio(k - 1.0)))
        })
        .map(|(_, weight)| weight)
        .skip(1)
        .take_while(|&weight| weight > NEGLIGIBLE)
        .collect();
        downwards.reverse();
        let first = mode - downwards.len() as f64;
        Table::new(first, downwards.into_iter().chain(upwards))
    }

    pub(super) fn quantile(&self, u: f64) -> f64 {
        let len = self.cumulative.len();
        let mut at = self.guide[((u * len as f64) as usize).min(len - 1)] as usize;
        // The product above may have been rounded up past an entry.
        while at > 0 && self.cumulative[at - 1] >= u {
            at -= 1;
        }
        while self.cumulative[at] < u && at < len - 1 {
            at += 1;
        }
        self.first + at as f64
    }

    pub(super) fn cdf(&self, x: f64) -> f64 {
        let at = (x - self.first).floor();
        if at < 0.0 { 0.0 } else { self.cumulative[(at as usize).min(self.cumulative.len() - 1)] }
    }
}
