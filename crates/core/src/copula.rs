//! The Gaussian copula: words of several columns that rise and fall together, while each alone stays uniform.
//!
//! Let ε be independent standard normal numbers and L the [`Factor`] of a correlation matrix R = L Lᵀ. Then z = L ε are
//! normal with correlations R, and Φ(zⱼ) are uniform. A column whose values rise with its word gets the word of its Φ(zⱼ).
//!
//! What users ask for is a correlation of the *values* (Pearson) or of their ranks (Spearman), which is nearer to 0 than the
//! normal one. [`Score`] describes one column's values as a function of z; [`Pair`] gives the correlation of two scores as a
//! function of the normal correlation ρ, and its inverse. With the normalised Hermite polynomials hₖ and
//! aₖ = E g(Z) hₖ(Z), F. G. Mehler's formula (1866) says
//!
//! > E g₁(X) g₂(Y) = Σₖ aₖ bₖ ρᵏ  for standard normal X, Y with correlation ρ.
//!
//! **Accuracy**: the correlation of two scores is right to 2e-4 for all ρ, and to 3e-5 where no score has jumps.

use std::f64::consts::{PI, TAU};
use std::sync::{LazyLock, OnceLock};

use crate::special::{normal_cdf, normal_quantile};
use crate::stream::open01;

/// The most columns that can be correlated with each other.
pub const MAX_MEMBERS: usize = 64;

/// How far an entry of L Lᵀ may be from the matrix that was asked for.
const TOLERANCE: f64 = 1e-6;

/// The word at the standard normal number z: the 2⁶⁴-fold of Φ(z). Rises with z, and `word_at(-z)` is `!word_at(z)` (but at
/// 0), so both tails are equally fine.
pub fn word_at(z: f64) -> u64 {
    const WORDS: f64 = 18_446_744_073_709_551_616.0;
    if z <= 0.0 { (normal_cdf(z) * WORDS) as u64 } else { !((normal_cdf(-z) * WORDS) as u64) }
}

/// The standard normal number of a word; about −8.2 to 8.2.
pub fn normal_of(word: u64) -> f64 {
    normal_quantile(open01(word))
}

// ---- matrices --------------------------------------------------------------------------------------------------------

/// A symmetric matrix with ones on its diagonal and numbers from −1 to 1 elsewhere: correlations, if it is also positive
/// semi-definite, which [`factor`](Matrix::factor) finds out.
#[derive(Clone, Debug, PartialEq)]
pub struct Matrix {
    size: usize,
    cells: Vec<f64>,
}

/// Why numbers are no correlation matrix; rows and columns count from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MatrixError {
    /// A row is not as long as there are rows.
    #[error("row {row} does not have as many entries as there are rows")]
    NotSquare {
        /// The first such row.
        row: usize,
    },
    /// An entry is not a number from −1 to 1.
    #[error("the entry in row {row}, column {column} is not a number from -1 to 1")]
    OutOfRange {
        /// Row of the first such entry.
        row: usize,
        /// Its column.
        column: usize,
    },
    /// An entry of the diagonal is not 1.
    #[error("the entry in row {row}, column {row} is not 1")]
    Diagonal {
        /// Row and column of the first such entry.
        row: usize,
    },
    /// An entry below the diagonal differs from the one above.
    #[error("the entries in row {row}, column {column} and in row {column}, column {row} differ")]
    NotSymmetric {
        /// Row of the entry below the diagonal.
        row: usize,
        /// Its column.
        column: usize,
    },
}

impl Matrix {
    /// Ones on the diagonal, zeros elsewhere: nothing is correlated.
    pub fn identity(size: usize) -> Matrix {
        let mut matrix = Matrix { size, cells: vec![0.0; size * size] };
        for at in 0..size {
            matrix.cells[at * size + at] = 1.0;
        }
        matrix
    }

    /// The matrix with these rows.
    ///
    /// # Errors
    /// When they are not square, out of range, not 1 on the diagonal or not symmetric; looked for in this order.
    pub fn from_rows(rows: &[Vec<f64>]) -> Result<Matrix, MatrixError> {
        let size = rows.len();
        if let Some(row) = rows.iter().position(|row| row.len() != size) {
            return Err(MatrixError::NotSquare { row });
        }
        let mut matrix = Matrix::identity(size);
        for (row, entries) in rows.iter().enumerate() {
            if let Some(column) = entries.iter().position(|entry| !(-1.0..=1.0).contains(entry)) {
                return Err(MatrixError::OutOfRange { row, column });
            }
        }
        for (row, entries) in rows.iter().enumerate() {
            if entries[row] != 1.0 {
                return Err(MatrixError::Diagonal { row });
            }
            for column in 0..row {
                if entries[column] != rows[column][row] {
                    return Err(MatrixError::NotSymmetric { row, column });
                }
                matrix.set(row, column, entries[column]);
            }
        }
        Ok(matrix)
    }

    /// How many rows there are.
    pub fn size(&self) -> usize {
        self.size
    }

    /// An entry.
    pub fn get(&self, row: usize, column: usize) -> f64 {
        self.cells[row * self.size + column]
    }

    /// Sets an entry and its mirror image.
    pub fn set(&mut self, row: usize, column: usize, value: f64) {
        self.cells[row * self.size + column] = value;
        self.cells[column * self.size + row] = value;
    }

    /// The lower triangular L with L Lᵀ equal to this matrix, by A.-L. Cholesky's method without pivoting, so that the
    /// rows of L depend on no later row of the matrix. `None` when the matrix is not positive semi-definite: when no L
    /// comes within 1e-6 in each entry.
    pub fn factor(&self) -> Option<Factor> {
        // Below this a row adds nothing of its own; what the rows after it lose is at most the root, 3e-7.
        const NOTHING: f64 = 1e-13;
        let mut rows: Vec<Vec<f64>> = Vec::with_capacity(self.size);
        for at in 0..self.size {
            let mut row: Vec<f64> = Vec::with_capacity(at + 1);
            for (column, other) in rows.iter().enumerate() {
                let rest = self.get(at, column) - dot(&row, &other[..column]);
                let pivot = other[column];
                row.push(if pivot > 0.0 { rest / pivot } else { 0.0 });
            }
            let rest = 1.0 - dot(&row, &row);
            row.push(if rest > NOTHING { rest.sqrt() } else { 0.0 });
            // Exactly of length 1, so that each word stays uniform whatever was rounded.
            let length = dot(&row, &row).sqrt();
            row.iter_mut().for_each(|entry| *entry /= length);
            rows.push(row);
        }
        let matches = |row: usize, column: usize| {
            let product = dot(&rows[row][..=column], &rows[column]);
            (product - self.get(row, column)).abs() <= TOLERANCE
        };
        let valid = (0..self.size).all(|row| (0..row).all(|column| matches(row, column)));
        valid.then_some(Factor { rows })
    }

    /// The nearest correlation matrix in the Frobenius norm, to about 1e-6: alternating projections on the matrices
    /// without negative eigenvalues and on those with a diagonal of ones, with R. L. Dykstra's correction (N. J. Higham,
    /// "Computing the nearest correlation matrix", 2002, algorithm 3.3). It always has a [`factor`](Matrix::factor).
    #[must_use]
    pub fn nearest(&self) -> Matrix {
        let mut nearest = self.clone();
        let mut correction = vec![0.0; self.cells.len()];
        for _ in 0..100 {
            let mut corrected = nearest.clone();
            corrected.cells.iter_mut().zip(&correction).for_each(|(cell, c)| *cell -= c);
            let projected = corrected.without_negative_eigenvalues();
            let cells = projected.cells.iter().zip(&corrected.cells);
            correction.iter_mut().zip(cells).for_each(|(c, (after, before))| *c = after - before);
            let mut next = projected;
            let mut moved = 0f64;
            for at in 0..self.size {
                moved = moved.max((next.get(at, at) - 1.0).abs());
                next.set(at, at, 1.0);
            }
            nearest = next;
            if moved < 1e-9 {
                break;
            }
        }
        // What the projections left undone.
        let least = nearest.eigen().0.into_iter().fold(f64::INFINITY, f64::min);
        if least < 1e-10 { nearest.shrunk((1e-10 - least) / (1.0 - least)) } else { nearest }
    }

    /// The nearest correlation matrix with so many digits after the point. Where rounding would leave negative eigenvalues,
    /// all correlations are first moved towards 0 by as little as helps.
    #[must_use]
    pub fn nearest_rounded(&self, digits: u8) -> Matrix {
        let unit = 10f64.powi(i32::from(digits));
        let nearest = self.nearest();
        let mut share = 0.0;
        loop {
            let mut rounded = nearest.shrunk(share);
            // Adding 0 turns -0 into 0.
            rounded.cells.iter_mut().for_each(|cell| *cell = (*cell * unit).round() / unit + 0.0);
            // Rounding moves eigenvalues by at most size / 2 units and shrinking raises them by its share: this ends.
            if rounded.factor().is_some() || share >= 1.0 {
                return rounded;
            }
            share = (share + 1.0 / unit).min(1.0);
        }
    }

    /// All correlations times `1 - share`.
    #[must_use]
    pub fn shrunk(&self, share: f64) -> Matrix {
        let mut shrunk = self.clone();
        shrunk.cells.iter_mut().for_each(|cell| *cell *= 1.0 - share);
        (0..self.size).for_each(|at| shrunk.set(at, at, 1.0));
        shrunk
    }

    /// The share by which all correlations must at least be shrunk so that no eigenvalue is negative.
    pub fn excess(&self) -> f64 {
        let least = self.eigen().0.into_iter().fold(f64::INFINITY, f64::min);
        if least < 0.0 { -least / (1.0 - least) } else { 0.0 }
    }

    fn without_negative_eigenvalues(&self) -> Matrix {
        let (values, vectors) = self.eigen();
        let mut result = Matrix { size: self.size, cells: vec![0.0; self.cells.len()] };
        for row in 0..self.size {
            for column in 0..=row {
                let parts = values.iter().zip(&vectors).filter(|(value, _)| **value > 0.0);
                result.set(row, column, parts.map(|(value, v)| value * v[row] * v[column]).sum());
            }
        }
        result
    }

    /// Eigenvalues with their eigenvectors of length 1, in no particular order, to about 1e-14: the cyclic method of
    /// C. G. J. Jacobi (1846), with rotations in the form of H. Rutishauser (1966).
    fn eigen(&self) -> (Vec<f64>, Vec<Vec<f64>>) {
        let n = self.size;
        let mut a = self.clone();
        let mut vectors: Vec<Vec<f64>> =
            (0..n).map(|at| (0..n).map(|k| f64::from(u8::from(at == k))).collect()).collect();
        // It converges quadratically, in about 10 rounds for the largest matrices.
        for _ in 0..50 {
            let off: f64 =
                (0..n).flat_map(|p| (0..p).map(move |q| (p, q))).map(|(p, q)| a.get(p, q).powi(2)).sum();
            if off < 1e-30 {
                break;
            }
            for p in 0..n {
                for q in 0..p {
                    let apq = a.get(p, q);
                    if apq.abs() < 1e-300 {
                        continue;
                    }
                    let theta = (a.get(q, q) - a.get(p, p)) / (2.0 * apq);
                    let t = theta.signum() / (theta.abs() + (theta * theta + 1.0).sqrt());
                    let c = 1.0 / (t * t + 1.0).sqrt();
                    let s = t * c;
                    let (app, aqq) = (a.get(p, p) - t * apq, a.get(q, q) + t * apq);
                    for k in (0..n).filter(|k| *k != p && *k != q) {
                        let (akp, akq) = (a.get(k, p), a.get(k, q));
                        a.set(k, p, c * akp - s * akq);
                        a.set(k, q, s * akp + c * akq);
                    }
                    a.set(p, p, app);
                    a.set(q, q, aqq);
                    a.set(p, q, 0.0);
                    let (head, tail) = vectors.split_at_mut(p);
                    for (vp, vq) in tail[0].iter_mut().zip(&mut head[q]) {
                        (*vp, *vq) = (c * *vp - s * *vq, s * *vp + c * *vq);
                    }
                }
            }
        }
        ((0..n).map(|at| a.get(at, at)).collect(), vectors)
    }
}

fn dot(left: &[f64], right: &[f64]) -> f64 {
    left.iter().zip(right).map(|(l, r)| l * r).sum()
}

/// The lower triangular L of a correlation matrix L Lᵀ.
#[derive(Clone, Debug, PartialEq)]
pub struct Factor {
    rows: Vec<Vec<f64>>,
}

impl Factor {
    /// Entries 0 to `at` of row `at`; those behind are 0. The sum of their squares is 1.
    pub fn row(&self, at: usize) -> &[f64] {
        &self.rows[at]
    }

    /// The matrix L Lᵀ.
    pub fn matrix(&self) -> Matrix {
        let mut matrix = Matrix::identity(self.rows.len());
        for row in 0..self.rows.len() {
            for column in 0..row {
                matrix.set(row, column, dot(&self.rows[row][..=column], &self.rows[column]));
            }
        }
        matrix
    }
}

// ---- from values to the normal scale ---------------------------------------------------------------------------------

/// The normal correlation of two variables with continuous laws whose rank correlation is `spearman`: 2 sin(π r / 6)
/// (K. Pearson, "On further methods of determining correlation", 1907).
pub fn normal_from_spearman(spearman: f64) -> f64 {
    2.0 * libm::sin(PI * spearman / 6.0)
}

/// What is measured of a column, as a non-decreasing function g of a standard normal variable: the values themselves, or
/// their [`ranks`](Score::ranks). Held as a step function; scaled to mean 0 and variance 1.
#[derive(Clone, Debug)]
pub struct Score {
    /// Where the function rises, in order.
    ends: Vec<End>,
    /// Its values between the rises: one more than those.
    values: Vec<f64>,
    /// The probability of each value.
    shares: Vec<f64>,
    /// aₖ for k = 1, 2, …, once asked for.
    hermite: OnceLock<Vec<f64>>,
}

/// A place on the line of normal numbers, with the probabilities on both sides of it.
#[derive(Clone, Copy, Debug)]
struct End {
    at: f64,
    below: f64,
    above: f64,
}

impl End {
    const FIRST: End = End { at: f64::NEG_INFINITY, below: 0.0, above: 1.0 };
    const LAST: End = End { at: f64::INFINITY, below: 1.0, above: 0.0 };

    fn new(at: f64) -> End {
        End { at, below: normal_cdf(at), above: normal_cdf(-at) }
    }

    /// The probability from here to `next`, from the smaller tail because that one is precise.
    fn share_to(&self, next: &End) -> f64 {
        if self.at > 0.0 { self.above - next.above } else { next.below - self.below }
    }

    fn mirrored(&self) -> End {
        End { at: -self.at, below: self.above, above: self.below }
    }
}

/// The words at which values are first asked for, and between each and the next the place where a rise is taken to be.
static GRID: LazyLock<(Vec<u64>, Vec<End>)> = LazyLock::new(|| {
    const HALF: i32 = (8.25 / CELL) as i32;
    let words = (-HALF..=HALF).map(|at| word_at(f64::from(at) * CELL)).collect();
    let middles = (-HALF..HALF).map(|at| End::new((f64::from(at) + 0.5) * CELL)).collect();
    (words, middles)
});

/// Why a column has no score.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ScoreError {
    /// All values are the same, so nothing can be correlated with them.
    #[error("all values are the same")]
    Constant,
    /// A larger word gave a smaller value, or something that is not a number.
    #[error("the values do not rise with the draw")]
    NotRising,
}

/// Terms of Mehler's formula that are summed for scores with jumps, whose terms fall off slowly.
const TERMS: usize = 1024;

/// The same where one score has none; beyond, it has nothing that counts.
const SMOOTH_TERMS: usize = 128;

/// The step function of continuous values has steps this far apart: its correlations are wrong by about a tenth of the square.
const CELL: f64 = 1.0 / 128.0;

/// Discrete values with more jumps than this are not told from continuous ones, which is as well.
const MAX_JUMPS: usize = 1000;

/// Values that take up no more than this share each are as good as continuous: ties lower a rank correlation by the sum of
/// the cubes of their shares, here at most 2e-5.
const SMALL_TIE: f64 = 1.0 / 256.0;

impl Score {
    /// The score of a column whose word is uniform and whose values are `values(words)`, one for each word.
    ///
    /// It asks for about two thousand words; then, if the values rise at no more than a thousand places, for as many more as
    /// it takes to find these places. `None` from `values` is passed on.
    ///
    /// # Errors
    /// When the values do not rise, at all or with the word.
    pub fn sample<E>(
        mut values: impl FnMut(&[u64]) -> Result<Vec<f64>, E>,
    ) -> Result<Result<Score, ScoreError>, E> {
        /// A stretch between two words over which the value rises.
        struct Cell {
            words: (u64, u64),
            values: (f64, f64),
            /// Where it is, as long as it was not halved.
            end: Option<End>,
        }
        let (words, middles) = &*GRID;
        let found = values(words)?;
        if found.iter().any(|value| !value.is_finite()) || !found.is_sorted() {
            return Ok(Err(ScoreError::NotRising));
        }
        let mut cells: Vec<Cell> = words
            .windows(2)
            .zip(found.windows(2))
            .zip(middles)
            .filter(|((_, values), _)| values[0] < values[1])
            .map(|((words, values), end)| Cell {
                words: (words[0], words[1]),
                values: (values[0], values[1]),
                end: Some(*end),
            })
            .collect();
        // Halving finds each jump of discrete values to one part in 2^32 of its cell.
        for _ in 0..32 {
            if cells.len() > MAX_JUMPS {
                break;
            }
            let middles: Vec<u64> =
                cells.iter().map(|cell| cell.words.0 + (cell.words.1 - cell.words.0) / 2).collect();
            let found = values(&middles)?;
            let mut halves = Vec::with_capacity(2 * cells.len());
            for ((cell, middle), value) in cells.iter().zip(middles).zip(found) {
                let (low, high) = cell.values;
                if !(low <= value && value <= high) {
                    return Ok(Err(ScoreError::NotRising));
                }
                if low < value {
                    halves.push(Cell { words: (cell.words.0, middle), values: (low, value), end: None });
                }
                if value < high {
                    halves.push(Cell { words: (middle, cell.words.1), values: (value, high), end: None });
                }
            }
            cells = halves;
        }
        let middle = |(low, high): (u64, u64)| End::new(0.5 * (normal_of(low) + normal_of(high)));
        let ends: Vec<End> =
            cells.iter().map(|cell| cell.end.unwrap_or_else(|| middle(cell.words))).collect();
        let first = cells.first().map_or(0.0, |cell| cell.values.0);
        let values = std::iter::once(first).chain(cells.iter().map(|cell| cell.values.1)).collect();
        let shares = intervals(&ends).map(|(low, high)| low.share_to(high)).collect();
        Ok(Score::of_steps(ends, shares, values))
    }

    /// The ranks of any continuous law.
    pub fn continuous_ranks() -> &'static Score {
        static RANKS: LazyLock<Score> = LazyLock::new(|| {
            let score = Score::sample(|words| Ok::<_, ()>(words.iter().map(|word| open01(*word)).collect()));
            score.ok().and_then(Result::ok).expect("uniform numbers rise").ranks()
        });
        &RANKS
    }

    /// The step function with these values below, between and above `ends`.
    fn of_steps(ends: Vec<End>, shares: Vec<f64>, mut values: Vec<f64>) -> Result<Score, ScoreError> {
        // Values are first brought near to 1, so that squares of the largest doubles do not overflow.
        let scale = values.iter().fold(0f64, |most, value| most.max(value.abs())).max(f64::MIN_POSITIVE);
        values.iter_mut().for_each(|value| *value /= scale);
        let mean = dot(&shares, &values);
        values.iter_mut().for_each(|value| *value -= mean);
        let variance: f64 = shares.iter().zip(&values).map(|(share, value)| share * value * value).sum();
        if ends.is_empty() || variance <= 0.0 || variance.is_nan() {
            return Err(ScoreError::Constant);
        }
        let std_dev = variance.sqrt();
        values.iter_mut().for_each(|value| *value /= std_dev);
        Ok(Score { ends, values, shares, hermite: OnceLock::new() })
    }

    /// The score that gives each value its middle rank, (F(x−) + F(x)) / 2: the Pearson correlation of these is Spearman's
    /// with ties.
    #[must_use]
    pub fn ranks(&self) -> Score {
        let mut below = 0.0;
        let middle = |share: &f64| {
            below += share;
            below - 0.5 * share
        };
        let values = self.shares.iter().map(middle).collect();
        Score::of_steps(self.ends.clone(), self.shares.clone(), values).unwrap_or_else(|_| self.clone())
    }

    /// Whether no value takes up enough rows for ties to matter to a rank correlation.
    pub fn is_continuous(&self) -> bool {
        self.shares.iter().all(|share| *share <= SMALL_TIE)
    }

    /// The part of the variance that comes from the outermost two billionths of the draws. Where it is large, sample
    /// variances and Pearson correlations settle at no practical number of rows.
    pub fn tail_share(&self) -> f64 {
        let outer = intervals(&self.ends).map(|(low, high)| low.at >= 6.0 || high.at <= -6.0);
        let parts = outer.zip(&self.shares).zip(&self.values);
        parts.map(|((outer, share), value)| if outer { share * value * value } else { 0.0 }).sum()
    }

    fn hermite(&self) -> &[f64] {
        let terms = if self.is_continuous() { SMOOTH_TERMS } else { TERMS };
        self.hermite.get_or_init(|| hermite(&self.ends, &self.values, terms))
    }

    fn mirrored(&self) -> (Vec<End>, Vec<f64>) {
        (self.ends.iter().rev().map(End::mirrored).collect(), self.values.iter().rev().copied().collect())
    }
}

/// The intervals that `ends` cut the line into.
fn intervals(ends: &[End]) -> impl Iterator<Item = (&End, &End)> {
    std::iter::once(&End::FIRST).chain(ends).zip(ends.iter().chain([&End::LAST]))
}

/// aₖ of a step function for k = 1 to `terms`. Since (hₖ₋₁ φ)′ = −√k hₖ φ, it is the sum of rise · hₖ₋₁(end) φ(end) / √k.
fn hermite(ends: &[End], values: &[f64], terms: usize) -> Vec<f64> {
    let roots: Vec<f64> = (0..=terms).map(|k| (k as f64).sqrt()).collect();
    let mut sums = vec![0.0; terms];
    for (End { at: z, .. }, rise) in ends.iter().zip(values.windows(2).map(|pair| pair[1] - pair[0])) {
        let density = libm::exp(-0.5 * z * z) / TAU.sqrt();
        let (mut before, mut here) = (0.0, density);
        for k in 1..=terms {
            sums[k - 1] += rise * here / roots[k];
            (before, here) = (here, (z * here - roots[k - 1] * before) / roots[k]);
        }
    }
    sums
}

/// Two scores: how their correlation hangs on the normal one.
#[derive(Clone, Debug)]
pub struct Pair {
    /// aₖ bₖ for k = 1, 2, …, as long as both are known.
    terms: Vec<f64>,
    low: f64,
    high: f64,
    /// What the terms beyond the last add up to at ρ = −1 and at 1.
    rest: (f64, f64),
}

impl Pair {
    /// The two scores side by side.
    pub fn new(left: &Score, right: &Score) -> Pair {
        let terms: Vec<f64> = left.hermite().iter().zip(right.hermite()).map(|(a, b)| a * b).collect();
        let high = expectation((&left.ends, &left.values), (&right.ends, &right.values));
        let (ends, values) = right.mirrored();
        let low = expectation((&left.ends, &left.values), (&ends, &values));
        let at = |rho| series(&terms, rho);
        let rest = (low - at(-1.0), high - at(1.0));
        Pair { terms, low, high, rest }
    }

    /// The correlations that can be attained: where one falls as the other rises, and where both rise together.
    pub fn range(&self) -> (f64, f64) {
        (self.low, self.high)
    }

    /// The correlation of the scores at the normal correlation `rho`.
    pub fn correlation(&self, rho: f64) -> f64 {
        // Scores with jumps have terms that fall off like k^(-3/2), too slowly near ±1. Those beyond the last are taken to
        // be in just these proportions, and as large as the known ends say: the sum of k^(-3/2) r^k over k > n, by its
        // integral, as a share of that for r = 1.
        let rest = if rho < 0.0 { self.rest.0 } else { self.rest.1 };
        let decay = -libm::log(rho.abs()) * (self.terms.len() as f64 + 0.5);
        let share = if rho == 0.0 || decay > 700.0 {
            0.0
        } else {
            libm::exp(-decay) - (PI * decay).sqrt() * libm::erfc(decay.sqrt())
        };
        series(&self.terms, rho) + rest * share
    }

    /// The normal correlation at which the scores have the correlation `target`, by bisection; a target up to 1e-4 beyond
    /// the attainable range gives −1 or 1. `None` further out.
    pub fn solve(&self, target: f64) -> Option<f64> {
        const SLACK: f64 = 1e-4;
        if target == 0.0 {
            return Some(0.0);
        }
        if target >= self.high {
            return (target <= self.high + SLACK).then_some(1.0);
        }
        if target <= self.low {
            return (target >= self.low - SLACK).then_some(-1.0);
        }
        let (mut low, mut high) = (-1.0, 1.0);
        for _ in 0..53 {
            let middle = 0.5 * (low + high);
            if self.correlation(middle) < target { low = middle } else { high = middle }
        }
        Some(0.5 * (low + high))
    }
}

/// Σ termsₖ ρᵏ for k from 1.
fn series(terms: &[f64], rho: f64) -> f64 {
    rho * terms.iter().rev().fold(0.0, |sum, term| sum * rho + term)
}

/// The expectation of the product of two step functions of one standard normal variable.
fn expectation(left: (&[End], &[f64]), right: (&[End], &[f64])) -> f64 {
    let (mut l, mut r, mut from, mut sum) = (0, 0, &End::FIRST, 0.0);
    loop {
        let (left_end, right_end) =
            (left.0.get(l).unwrap_or(&End::LAST), right.0.get(r).unwrap_or(&End::LAST));
        let to = if left_end.at < right_end.at { left_end } else { right_end };
        sum += from.share_to(to) * left.1[l] * right.1[r];
        if to.at == f64::INFINITY {
            return sum;
        }
        l += usize::from(left_end.at == to.at);
        r += usize::from(right_end.at == to.at);
        from = to;
    }
}

#[cfg(test)]
mod tests;
