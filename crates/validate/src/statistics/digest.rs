//! Quantiles of many numbers in little memory, mergeable: a merging t-digest (T. Dunning and O. Ertl, "Computing extremely
//! accurate quantiles using t-digests", 2019), with the scale function k1.

/// Fineness: about so many centroids are kept.
const COMPRESSION: f64 = 400.0;

/// Numbers that are collected before they are merged.
const BUFFER: usize = 8192;

/// A sketch of the distribution of numbers.
#[derive(Clone, Debug, Default)]
pub struct Digest {
    /// Means and weights, by mean.
    centroids: Vec<(f64, f64)>,
    buffer: Vec<(f64, f64)>,
    weight: f64,
    min: f64,
    max: f64,
}

impl Digest {
    /// Adds a number that occurs `weight` times.
    pub fn add(&mut self, value: f64, weight: f64) {
        if self.weight == 0.0 {
            (self.min, self.max) = (value, value);
        }
        self.min = self.min.min(value);
        self.max = self.max.max(value);
        self.weight += weight;
        self.buffer.push((value, weight));
        if self.buffer.len() >= BUFFER {
            self.compress();
        }
    }

    /// Adds what another has seen. The result hangs on the order, so merge in the order of the rows.
    pub fn merge(&mut self, other: &Digest) {
        if other.weight == 0.0 {
            return;
        }
        if self.weight == 0.0 {
            (self.min, self.max) = (other.min, other.max);
        }
        self.min = self.min.min(other.min);
        self.max = self.max.max(other.max);
        self.weight += other.weight;
        self.buffer.extend(other.centroids.iter().chain(&other.buffer));
        self.compress();
    }

    /// Merges the buffer.
    pub fn compress(&mut self) {
        if self.buffer.is_empty() {
            return;
        }
        let mut all = std::mem::take(&mut self.centroids);
        all.append(&mut self.buffer);
        all.sort_by(|a, b| a.0.total_cmp(&b.0));
        let total: f64 = all.iter().map(|(_, weight)| weight).sum();
        // A centroid reaches from k to k + 1, with k1(q) = δ / 2π · asin(2q - 1).
        let scale = COMPRESSION / (2.0 * std::f64::consts::PI);
        let limit = |q: f64| {
            let k = scale * libm::asin((2.0 * q - 1.0).clamp(-1.0, 1.0)) + 1.0;
            if k >= scale * std::f64::consts::FRAC_PI_2 { 1.0 } else { (libm::sin(k / scale) + 1.0) / 2.0 }
        };
        let mut merged: Vec<(f64, f64)> = Vec::with_capacity(COMPRESSION as usize + 8);
        let (mut before, mut until) = (0.0, limit(0.0) * total);
        for (mean, weight) in all {
            match merged.last_mut() {
                Some(last) if before + last.1 + weight <= until || last.0 == mean => {
                    last.1 += weight;
                    if last.0 != mean {
                        last.0 += (mean - last.0) * weight / last.1;
                    }
                }
                last => {
                    if let Some(last) = last {
                        before += last.1;
                        until = limit(before / total) * total;
                    }
                    merged.push((mean, weight));
                }
            }
        }
        self.centroids = merged;
    }

    /// The number below which a share of `q` lies; none where there are no numbers. Call [`compress`](Self::compress) before.
    pub fn quantile(&self, q: f64) -> Option<f64> {
        let centroids = &self.centroids;
        let (first, last) = (centroids.first()?, centroids.last()?);
        let target = q.clamp(0.0, 1.0) * self.weight;
        // Between the middles of neighbouring centroids, and from the outermost to the ends, numbers are taken to be even.
        let (mut at, mut place) = (self.min, 0.0);
        let mut before = 0.0;
        for (mean, weight) in centroids {
            let middle = before + weight / 2.0;
            if target <= middle {
                let share = if middle > place { (target - place) / (middle - place) } else { 1.0 };
                return Some(at + (mean - at) * share);
            }
            (at, place) = (*mean, middle);
            before += weight;
        }
        let _ = first;
        let share = if before > place { (target - place) / (before - place) } else { 1.0 };
        Some((last.0 + (self.max - last.0) * share).min(self.max))
    }

    /// How many numbers are at most `x`, about.
    pub fn rank(&self, x: f64) -> f64 {
        if self.weight == 0.0 || x < self.min {
            return 0.0;
        }
        if x >= self.max {
            return self.weight;
        }
        let (mut at, mut place, mut before) = (self.min, 0.0, 0.0);
        for (mean, weight) in &self.centroids {
            let middle = before + weight / 2.0;
            if x < *mean {
                return place + (middle - place) * ((x - at) / (mean - at)).clamp(0.0, 1.0);
            }
            (at, place) = (*mean, middle);
            before += weight;
        }
        place + (self.weight - place) * ((x - at) / (self.max - at)).clamp(0.0, 1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_near() {
        let mut parts: Vec<Digest> = vec![Digest::default(); 7];
        let n = 200_000u64;
        for at in 0..n {
            // A permutation of 0..n, squared: a skewed law.
            let value = (at * 7919 % n) as f64 / n as f64;
            parts[(at % 7) as usize].add(value * value, 1.0);
        }
        let mut whole = Digest::default();
        parts.iter().for_each(|part| whole.merge(part));
        assert!(whole.centroids.len() < 600, "{}", whole.centroids.len());
        for q in [0.001, 0.01, 0.25, 0.5, 0.9, 0.99, 0.9999] {
            let found = whole.quantile(q).unwrap().sqrt();
            assert!((found - q).abs() < 2.0 * (q * (1.0 - q)).sqrt() / 300.0 + 1e-4, "{q}: {found}");
            assert!((whole.rank(q * q) / n as f64 - q).abs() < 0.004, "{q}");
        }
        assert_eq!(whole.quantile(0.0), Some(0.0));
        assert_eq!(whole.quantile(1.0), Some(whole.max));
        assert_eq!(Digest::default().quantile(0.5), None);
    }
}
