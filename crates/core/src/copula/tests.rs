use super::*;
use crate::law::Law;
use crate::laws::{IntRange, LogNormal, Normal, Pareto, Poisson, Uniform};

fn score_of(law: &dyn Law) -> Score {
    let values = |words: &[u64]| Ok::<_, ()>(words.iter().map(|word| law.quantile(open01(*word))).collect());
    Score::sample(values).unwrap().unwrap()
}

/// 1 with this probability, else 0.
fn binary(probability: f64) -> Score {
    let value = |word: &u64| if open01(*word) > 1.0 - probability { 1.0 } else { 0.0 };
    Score::sample(|words: &[u64]| Ok::<_, ()>(words.iter().map(value).collect())).unwrap().unwrap()
}

const RHOS: [f64; 15] =
    [-1.0, -0.999, -0.99, -0.95, -0.8, -0.5, -0.1, 0.0, 0.2, 0.6, 0.9, 0.97, 0.99, 0.9995, 1.0];

fn agree(pair: &Pair, tolerance: f64, what: &str, exact: impl Fn(f64) -> f64) {
    for rho in RHOS {
        let (got, expected) = (pair.correlation(rho), exact(rho));
        assert!((got - expected).abs() < tolerance, "{what} at {rho}: {got}, exactly {expected}");
        let back = pair.correlation(pair.solve(got).unwrap());
        assert!((back - got).abs() < 1e-9, "{what} at {rho}: {back} for {got}");
    }
}

#[test]
fn closed_forms_without_jumps() {
    let normal = score_of(&Normal::new(100.0, 15.0).unwrap());
    let uniform = score_of(&Uniform::new(-3.0, 8.0).unwrap());
    agree(&Pair::new(&normal, &normal), 1e-5, "normal", |rho| rho);
    let spearman = |rho: f64| 6.0 / PI * libm::asin(rho / 2.0);
    agree(&Pair::new(&uniform, &uniform), 1e-5, "uniform", spearman);
    agree(&Pair::new(&normal.ranks(), &uniform.ranks()), 1e-5, "ranks", spearman);
    // E Z Φ(Z) = 1 / √(4π).
    agree(&Pair::new(&normal, &uniform), 1e-5, "normal and uniform", |rho| rho * (3.0 / PI).sqrt());
    for rho in RHOS {
        assert!((normal_from_spearman(spearman(rho)) - rho).abs() < 1e-15);
    }
}

/// exp(ρ s t) − 1, over the geometric mean of the same for s, s and t, t at ρ = 1.
#[test]
fn log_normals() {
    for (s, t) in [(0.5f64, 0.5f64), (1.0, 0.3), (1.5, 1.5), (2.0, 1.0)] {
        let [left, right] = [s, t].map(|sigma| score_of(&LogNormal::new(2.0, sigma).unwrap()));
        let scale = (libm::expm1(s * s) * libm::expm1(t * t)).sqrt();
        let exact = |rho: f64| libm::expm1(rho * s * t) / scale;
        let pair = Pair::new(&left, &right);
        agree(&pair, 3e-5, "log-normal", exact);
        let (low, high) = pair.range();
        assert!((low - exact(-1.0)).abs() < 3e-5 && (high - exact(1.0)).abs() < 3e-5, "{low} to {high}");
        assert!(pair.solve(low - 2e-4).is_none() && pair.solve(high + 2e-4).is_none());
        assert_eq!((pair.solve(low - 5e-5), pair.solve(high + 5e-5)), (Some(-1.0), Some(1.0)));
    }
}

/// W. F. Sheppard (1899): two binaries split at the median have correlation (2 / π) arcsin ρ.
#[test]
fn median_splits() {
    let pair = Pair::new(&binary(0.5), &binary(0.5));
    agree(&pair, 1e-4, "median splits", |rho| 2.0 / PI * libm::asin(rho));
}

/// P(X > s, Y > t) from the integral of the bivariate density over its correlation (R. L. Plackett, 1954), with
/// r = sin θ, by Simpson's rule.
#[test]
fn unequal_binaries() {
    for (p, q) in [(0.5, 0.5), (0.3, 0.3), (0.1, 0.6), (0.02, 0.9), (0.001, 0.5), (0.001, 0.001)] {
        let (s, t) = (normal_quantile(1.0 - p), normal_quantile(1.0 - q));
        let exact = |rho: f64| {
            const STEPS: u32 = 4000;
            let angle = libm::asin(rho);
            let density = |theta: f64| {
                let (sin, cos) = (libm::sin(theta), libm::cos(theta));
                libm::exp(-0.5 * (s * s + t * t - 2.0 * s * t * sin) / (cos * cos).max(1e-300))
            };
            let sum: f64 = (0..=STEPS)
                .map(|at| {
                    let weight = if at == 0 || at == STEPS { 1.0 } else { f64::from(2 + at % 2 * 2) };
                    weight * density(angle * f64::from(at) / f64::from(STEPS))
                })
                .sum();
            let covariance = sum * angle / f64::from(STEPS) / 3.0 / TAU;
            covariance / (p * (1.0 - p) * q * (1.0 - q)).sqrt()
        };
        let (left, right) = (binary(p), binary(q));
        let pair = Pair::new(&left, &right);
        for rho in RHOS.into_iter().filter(|rho| rho.abs() < 0.9999) {
            let (got, expected) = (pair.correlation(rho), exact(rho));
            assert!((got - expected).abs() < 2e-4, "{p}, {q} at {rho}: {got}, exactly {expected}");
        }
        // The two tails can at most cover each other.
        let most = (p.min(q) - p * q) / (p * (1.0 - p) * q * (1.0 - q)).sqrt();
        assert!((pair.range().1 - most).abs() < 1e-8, "{p}, {q}: {:?}, exactly {most}", pair.range());
        // A continuous and a binary one: Karl Pearson's biserial correlation.
        let biserial = libm::exp(-0.5 * s * s) / TAU.sqrt() / (p * (1.0 - p)).sqrt();
        let normal = score_of(&Normal::new(0.0, 1.0).unwrap());
        agree(&Pair::new(&left, &normal), 2e-5, "biserial", |rho| rho * biserial);
    }
}

/// Against sums over a grid of 490,000 points. Their own error is up to 1e-3, so this finds mistakes of kind and not of
/// accuracy.
#[test]
fn counts_and_ranks_with_ties() {
    let poisson = Poisson::new(1.5).unwrap();
    let range = IntRange::new(1, 5).unwrap();
    let (left, right) = (score_of(&poisson).ranks(), score_of(&range).ranks());
    let pair = Pair::new(&left, &right);
    let middle = |law: &dyn Law, x: f64| 0.5 * (law.cdf(x.next_down()) + law.cdf(x));
    for rho in [-0.9, -0.3, 0.5, 0.95] {
        const SIDE: u32 = 700;
        let at = |k: u32| normal_quantile((f64::from(k) + 0.5) / f64::from(SIDE));
        let (mut n, mut x, mut y, mut xx, mut yy, mut xy) = (0.0, 0.0, 0.0, 0.0, 0.0, 0.0);
        for i in 0..SIDE {
            let u = middle(&poisson, poisson.quantile(normal_cdf(at(i))));
            for j in 0..SIDE {
                let z = rho * at(i) + (1.0f64 - rho * rho).sqrt() * at(j);
                let v = middle(&range, range.quantile(normal_cdf(z)));
                n += 1.0;
                x += u;
                y += v;
                xx += u * u;
                yy += v * v;
                xy += u * v;
            }
        }
        let expected = (n * xy - x * y) / ((n * xx - x * x) * (n * yy - y * y)).sqrt();
        let got = pair.correlation(rho);
        assert!((got - expected).abs() < 1e-3, "{rho}: {got}, by sums {expected}");
    }
    assert!(!left.is_continuous() && score_of(&IntRange::new(1, 1000).unwrap()).is_continuous());
    assert!(Score::continuous_ranks().is_continuous());
}

#[test]
fn what_has_no_score() {
    let sample = |value: fn(f64) -> f64| {
        Score::sample(|words: &[u64]| Ok::<_, ()>(words.iter().map(|w| value(open01(*w))).collect())).unwrap()
    };
    assert_eq!(sample(|_| 3.0).err(), Some(ScoreError::Constant));
    assert_eq!(sample(|u| -u).err(), Some(ScoreError::NotRising));
    assert_eq!(sample(|u| if u > 0.3 && u < 0.31 { -1.0 } else { 0.0 }).err(), Some(ScoreError::NotRising));
    assert_eq!(sample(|_| f64::NAN).err(), Some(ScoreError::NotRising));
    assert_eq!(Score::sample(|_: &[u64]| Err("no")).err(), Some("no"));
    // Values as large as they can be.
    assert!(sample(|u| u * f64::MAX).is_ok() && sample(|u| u * 1e-300).is_ok());
}

/// The second moment of a log-normal law beyond z = 6 is the share Φ(2σ − 6) of the whole.
#[test]
fn tails() {
    for sigma in [1.0, 2.0, 2.5] {
        let share = score_of(&LogNormal::new(0.0, sigma).unwrap()).tail_share();
        assert!((share - normal_cdf(2.0 * sigma - 6.0)).abs() < 0.01, "{sigma}: {share}");
    }
    assert!(score_of(&Pareto::new(1.0, 1.5).unwrap()).tail_share() > 0.5);
    assert!(score_of(&Normal::new(0.0, 1.0).unwrap()).tail_share() < 1e-6);
}

#[test]
fn words_and_normal_numbers() {
    assert_eq!(word_at(0.0), 1 << 63);
    for z in [-8.0, -3.0, -0.1, 0.2, 1.7, 5.0, 8.0] {
        assert_eq!(word_at(-z), !word_at(z));
        assert!((normal_of(word_at(z)) - z).abs() < 1e-9 * libm::exp(z * z / 2.0), "{z}");
    }
    assert_eq!((word_at(-40.0), word_at(40.0)), (0, u64::MAX));
    let words: Vec<u64> = (-900..900).map(|at| word_at(f64::from(at) / 100.0)).collect();
    assert!(words.is_sorted());
}

// ---- matrices --------------------------------------------------------------------------------------------------------

fn matrix(rows: &[&[f64]]) -> Matrix {
    Matrix::from_rows(&rows.iter().map(|row| row.to_vec()).collect::<Vec<_>>()).unwrap()
}

fn distance(left: &Matrix, right: &Matrix) -> f64 {
    left.cells.iter().zip(&right.cells).map(|(l, r)| (l - r).abs()).fold(0.0, f64::max)
}

#[test]
fn what_is_no_correlation_matrix() {
    let refused = |rows: &[&[f64]]| {
        Matrix::from_rows(&rows.iter().map(|row| row.to_vec()).collect::<Vec<_>>()).unwrap_err()
    };
    assert_eq!(refused(&[&[1.0, 0.5], &[0.5]]), MatrixError::NotSquare { row: 1 });
    assert_eq!(refused(&[&[1.0, 1.5], &[1.5, 1.0]]), MatrixError::OutOfRange { row: 0, column: 1 });
    assert_eq!(refused(&[&[1.0, f64::NAN], &[0.0, 1.0]]), MatrixError::OutOfRange { row: 0, column: 1 });
    assert_eq!(refused(&[&[1.0, 0.5], &[0.5, 0.9]]), MatrixError::Diagonal { row: 1 });
    assert_eq!(refused(&[&[1.0, 0.5], &[0.4, 1.0]]), MatrixError::NotSymmetric { row: 1, column: 0 });
}

#[test]
fn factors_multiply_back() {
    let target = matrix(&[&[1.0, 0.8, -0.5], &[0.8, 1.0, 0.05], &[-0.5, 0.05, 1.0]]);
    let factor = target.factor().unwrap();
    assert!(distance(&factor.matrix(), &target) < 1e-15);
    // A further member leaves the rows of the others as they were.
    let more = matrix(&[
        &[1.0, 0.8, -0.5, 0.1],
        &[0.8, 1.0, 0.05, 0.2],
        &[-0.5, 0.05, 1.0, 0.3],
        &[0.1, 0.2, 0.3, 1.0],
    ]);
    let wider = more.factor().unwrap();
    assert!((0..3).all(|at| wider.row(at) == factor.row(at)));
}

#[test]
fn semi_definite_matrices_have_factors() {
    for target in [
        matrix(&[&[1.0, 1.0, 0.5], &[1.0, 1.0, 0.5], &[0.5, 0.5, 1.0]]),
        matrix(&[&[1.0, -1.0], &[-1.0, 1.0]]),
        matrix(&[&[1.0, 0.6, 0.8], &[0.6, 1.0, 0.0], &[0.8, 0.0, 1.0]]),
        matrix(&[&[1.0, -0.5, -0.5], &[-0.5, 1.0, -0.5], &[-0.5, -0.5, 1.0]]),
    ] {
        let factor = target.factor().unwrap();
        assert!(distance(&factor.matrix(), &target) < TOLERANCE);
        assert!(factor.rows.iter().all(|row| (dot(row, row) - 1.0).abs() < 1e-15));
    }
    for target in [
        matrix(&[&[1.0, 1.0, 0.5], &[1.0, 1.0, 0.4], &[0.5, 0.4, 1.0]]),
        matrix(&[&[1.0, 0.9, 0.0], &[0.9, 1.0, 0.9], &[0.0, 0.9, 1.0]]),
        matrix(&[&[1.0, -0.51, -0.51], &[-0.51, 1.0, -0.51], &[-0.51, -0.51, 1.0]]),
    ] {
        assert_eq!(target.factor(), None);
        assert!(target.excess() > 0.0 && target.shrunk(target.excess() + 1e-9).factor().is_some());
    }
}

/// The example of Higham (2002), section 4: the matrix with 1, 1, 0, and the nearest one as published.
#[test]
fn the_nearest_matrix_as_published() {
    let target = matrix(&[&[1.0, 1.0, 0.0], &[1.0, 1.0, 1.0], &[0.0, 1.0, 1.0]]);
    let nearest = target.nearest();
    let published = matrix(&[&[1.0, 0.7607, 0.1573], &[0.7607, 1.0, 0.7607], &[0.1573, 0.7607, 1.0]]);
    assert!(distance(&nearest, &published) < 1e-4, "{nearest:?}");
    assert!(nearest.factor().is_some());
    let rounded = target.nearest_rounded(2);
    assert!(rounded.factor().is_some() && distance(&rounded, &published) < 0.02, "{rounded:?}");
}

#[test]
fn nearest_matrices_of_all_sizes_have_factors() {
    let stream = crate::Seed::new(5).stream();
    for size in [2, 3, 5, 12, 30] {
        let mut target = Matrix::identity(size);
        for row in 0..size {
            for column in 0..row {
                target.set(row, column, 2.0 * open01(stream.word((row * 64 + column) as u64, 0)) - 1.0);
            }
        }
        assert!(target.nearest().factor().is_some(), "{size}");
        let rounded = target.nearest_rounded(3);
        assert!(rounded.factor().is_some(), "{size}");
        assert!(rounded.cells.iter().all(|cell| (-1.0..=1.0).contains(cell)));
        let valid = target.shrunk(target.excess() + 1e-9);
        // What is valid is its own nearest.
        assert!(distance(&valid.nearest(), &valid) < 1e-6, "{size}");
    }
}

#[test]
fn eigenvectors_make_the_matrix() {
    let target = matrix(&[&[1.0, 0.3, -0.2], &[0.3, 1.0, 0.9], &[-0.2, 0.9, 1.0]]);
    let (values, vectors) = target.eigen();
    for row in 0..3 {
        for column in 0..3 {
            let sum: f64 = values.iter().zip(&vectors).map(|(value, v)| value * v[row] * v[column]).sum();
            assert!((sum - target.get(row, column)).abs() < 1e-14);
        }
    }
    assert!((values.iter().sum::<f64>() - 3.0).abs() < 1e-14);
}
