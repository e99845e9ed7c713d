//! A curator whose noise comes from a seed: not private, for tests only.

use super::Curator;
use crate::pgm::{Coded, Domain};

/// Adds seeded noise, or none at all and answers that do not depend on the counts.
pub struct Double {
    state: u64,
    rows_per_unit: u64,
    remaining: f64,
    fixed: bool,
    /// What was asked: query and number of cells or candidates.
    pub queries: Vec<(String, usize)>,
}

impl Double {
    pub fn new(rows_per_unit: u64, rho: f64) -> Double {
        Double { state: 1, rows_per_unit, remaining: rho, fixed: false, queries: Vec::new() }
    }

    /// Answers that are a function of the seed and the number of cells alone.
    pub fn fixed(rows_per_unit: u64, rho: f64, seed: u64) -> Double {
        Double { state: seed, fixed: true, ..Double::new(rows_per_unit, rho) }
    }

    /// A number in (0, 1); SplitMix64.
    fn uniform(&mut self) -> f64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.state;
        z = (z ^ z >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ z >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ z >> 31) >> 12) as f64 / (1u64 << 52) as f64 + 1e-17
    }

    fn spend(&mut self, rho: f64, query: &str, cells: usize) -> Result<(), String> {
        if rho > self.remaining {
            return Err(format!("{query} costs {rho}, and {} is left", self.remaining));
        }
        self.remaining -= rho;
        self.queries.push((query.to_owned(), cells));
        Ok(())
    }
}

impl Curator for Double {
    type Error = String;

    fn rows_per_unit(&self) -> u64 {
        self.rows_per_unit
    }

    fn marginal(&mut self, query: &str, counts: &[i64], sigma: f64) -> Result<Vec<i64>, String> {
        let k = self.rows_per_unit as f64;
        self.spend(k * k / (2.0 * sigma * sigma), query, counts.len())?;
        let mut noisy = Vec::new();
        for count in counts {
            let normal = (-2.0 * self.uniform().ln()).sqrt() * (std::f64::consts::TAU * self.uniform()).cos();
            let center = if self.fixed { 100 } else { *count };
            noisy.push(center + (normal * sigma).round() as i64);
        }
        Ok(noisy)
    }

    fn choose(
        &mut self,
        query: &str,
        scores: &[f64],
        sensitivity: f64,
        epsilon: f64,
    ) -> Result<usize, String> {
        self.spend(epsilon * epsilon / 8.0, query, scores.len())?;
        let scale = 2.0 * sensitivity / epsilon;
        let mut noisy = Vec::new();
        for score in scores {
            let gumbel = -(-self.uniform().ln()).ln();
            noisy.push(if self.fixed { 0.0 } else { *score } + gumbel * scale);
        }
        Ok((0..noisy.len()).max_by(|a, b| noisy[*a].total_cmp(&noisy[*b])).expect("candidates"))
    }

    fn remaining_rho(&self) -> f64 {
        self.remaining
    }
}

/// Four columns, each like the one before it in most rows.
pub fn correlated(rows: usize) -> Coded {
    let sizes = [3u32, 4, 3, 5];
    let mut random = Double::new(1, 0.0);
    let mut columns: Vec<Vec<u32>> = vec![Vec::new(); 4];
    for _ in 0..rows {
        let mut before = 0;
        for (column, size) in columns.iter_mut().zip(sizes) {
            let fresh = (random.uniform() * f64::from(size)) as u32;
            before = if random.uniform() < 0.7 && !column.is_empty() { before % size } else { fresh };
            column.push(before);
        }
    }
    Coded::new(Domain::new(sizes.iter().map(|size| *size as usize).collect()), columns)
}

/// A table of four codes by three, and the same without the first k rows: one unit's.
pub fn neighbours(rows: &[(u32, u32)], k: usize) -> (Coded, Coded) {
    let table = |rows: &[(u32, u32)]| {
        let columns = vec![rows.iter().map(|row| row.0).collect(), rows.iter().map(|row| row.1).collect()];
        Coded::new(Domain::new(vec![4, 3]), columns)
    };
    (table(rows), table(&rows[k.min(rows.len())..]))
}

pub fn names(table: &Coded) -> Vec<String> {
    (0..table.domain().len()).map(|at| format!("c{at}")).collect()
}
