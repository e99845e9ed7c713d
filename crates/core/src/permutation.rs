//! Keyed permutations of the row numbers.

use crate::rows::Rows;
use crate::seed::Seed;
use crate::stream::below;

/// A keyed bijection of `0..n`, computed one number at a time, with no memory of the others.
///
/// It makes exact quotas (row i is in iff `apply(i) < k`), unique values (the word of rank `apply(i)`) and shuffles. As
/// i runs over `0..n`, `apply(i)` takes every value once; which order is chosen by the seed.
///
/// # Construction (frozen)
///
/// A generalised Feistel network: with a = ⌈√n⌉ and b = ⌈n/a⌉ a number is written as `left · b + right`, and rounds
/// alternate between `left ← left + F(right) mod a` and `right ← right + F(left) mod b`, where F is a mix of 64 bits
/// under the round's own 64-bit key, scaled to its range. Each round can be undone, hence so can all. Since a·b exceeds
/// n by less than a, a result outside `0..n` is rare (less than one in √n); it is sent through again until it falls
/// inside (cycle walking: J. Black and P. Rogaway, "Ciphers with arbitrary finite domains", CT-RSA 2002).
///
/// # Number of rounds
///
/// Two numbers that agree in one half move together in the rounds that are keyed by it; in every round a share of
/// about 1/b of the pairs comes to agree. The bias of a pair's joint position therefore shrinks by b per round, and the
/// number of rounds grows as b falls: the least even number, of at least 8, that brings b⁻ʳ below 2⁻⁴⁰.
///
/// Measured with the tests below: at n = 10⁶, 4 rounds fail (neighbours are correlated) and 6 pass; at n = 4, 6 fail.
/// So 8 leave a margin of one turn of both halves, for 3 to 4 nanoseconds a round. Not a cipher: it mixes well, and
/// keeps no secrets.
#[derive(Clone, Debug)]
pub struct Permutation {
    n: u64,
    a: u64,
    b: u64,
    keys: Box<[u64]>,
}

impl Permutation {
    /// The permutation of `0..n` that a seed chooses.
    ///
    /// # Panics
    ///
    /// If `n` is 0: there is no permutation of nothing that could be applied.
    pub fn new(n: u64, seed: Seed) -> Permutation {
        assert!(n > 0, "a permutation needs at least one number");
        let a = (n - 1).isqrt() + 1; // ⌈√n⌉, except that a = 2 for n = 2, where it is the same.
        let b = n.div_ceil(a);
        Permutation { n, a, b, keys: seed.words().take(rounds(b)).collect() }
    }

    /// How many numbers are permuted.
    pub fn n(&self) -> u64 {
        self.n
    }

    /// Where `i` goes. `i` must be below n; otherwise the result means nothing (and debug builds panic).
    #[inline]
    pub fn apply(&self, i: u64) -> u64 {
        // A number between n and a·b is one that is on its way.
        debug_assert!(u128::from(i) < u128::from(self.a) * u128::from(self.b), "{i} is not below {}", self.n);
        let mut at = i;
        loop {
            let (mut left, mut right) = (at / self.b, at % self.b);
            for pair in self.keys.chunks_exact(2) {
                left = add(left, mix(right, pair[0], self.a), self.a);
                right = add(right, mix(left, pair[1], self.b), self.b);
            }
            at = left * self.b + right;
            if at < self.n {
                return at;
            }
        }
    }

    /// Calls `each` with where every row goes, in order. Several rows are on their way at once, which hides most of the time
    /// that a multiplication takes; so this is to be preferred to [`Permutation::apply`] in a loop.
    #[inline]
    pub fn for_each(&self, rows: &Rows, mut each: impl FnMut(u64)) {
        const LANES: usize = 4;
        let mut group = [0; LANES];
        let mut filled = 0;
        for row in rows {
            group[filled] = row;
            filled += 1;
            if filled == LANES {
                self.apply_all(&mut group);
                group.into_iter().for_each(&mut each);
                filled = 0;
            }
        }
        group[..filled].iter().for_each(|&row| each(self.apply(row)));
    }

    /// [`Permutation::apply`] to each number of a group.
    #[inline]
    fn apply_all<const N: usize>(&self, group: &mut [u64; N]) {
        let mut left = group.map(|i| i / self.b);
        let mut right = group.map(|i| i % self.b);
        for pair in self.keys.chunks_exact(2) {
            for lane in 0..N {
                left[lane] = add(left[lane], mix(right[lane], pair[0], self.a), self.a);
            }
            for lane in 0..N {
                right[lane] = add(right[lane], mix(left[lane], pair[1], self.b), self.b);
            }
        }
        for lane in 0..N {
            let at = left[lane] * self.b + right[lane];
            group[lane] = if at < self.n { at } else { self.apply(at) };
        }
    }

    /// What goes to `i`: the inverse of [`Permutation::apply`], with the same condition.
    #[inline]
    pub fn invert(&self, i: u64) -> u64 {
        debug_assert!(i < self.n, "{i} is not below {}", self.n);
        let mut at = i;
        loop {
            let (mut left, mut right) = (at / self.b, at % self.b);
            for pair in self.keys.rchunks_exact(2) {
                right = subtract(right, mix(left, pair[1], self.b), self.b);
                left = subtract(left, mix(right, pair[0], self.a), self.a);
            }
            at = left * self.b + right;
            if at < self.n {
                return at;
            }
        }
    }
}

fn rounds(b: u64) -> usize {
    const BITS: u32 = 40;
    // For b = 1 (n is 1 or 2) a single round suffices, as there is only one half.
    let halving = b.max(2).ilog2();
    (BITS.div_ceil(halving)).next_multiple_of(2).max(8) as usize
}

/// A number below `n` from `half` under `key`. The multipliers are those of the SplitMix64 finaliser (G. L. Steele,
/// D. Lea and C. H. Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014); its last xor-shift is left
/// out, because scaling looks at the upper bits first, and those are mixed best before it.
#[inline]
fn mix(half: u64, key: u64, n: u64) -> u64 {
    let mut bits = half ^ key;
    bits = (bits ^ bits >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ bits >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    below(bits, n)
}

/// Sum modulo `n` of two numbers below `n`; both are at most 2³², so nothing overflows.
#[inline]
fn add(x: u64, y: u64, n: u64) -> u64 {
    let sum = x + y;
    if sum >= n { sum - n } else { sum }
}

/// Difference modulo `n` of two numbers below `n`.
#[inline]
fn subtract(x: u64, y: u64, n: u64) -> u64 {
    if x >= y { x - y } else { x + n - y }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::testing::chi_squared_p_value;

    #[test]
    fn many_at_once_go_where_each_goes_alone() {
        for n in [1, 2, 3, 5, 10, 4999, 1_000_003, u64::MAX] {
            let permutation = Permutation::new(n, Seed::new(3));
            for rows in [Rows::Range(0..n.min(1003)), Rows::from(vec![n - 1, 0, n / 2, n / 3, n - 1])] {
                let mut all = Vec::new();
                permutation.for_each(&rows, |at| all.push(at));
                assert_eq!(all, rows.iter().map(|row| permutation.apply(row)).collect::<Vec<_>>(), "n = {n}");
            }
        }
    }

    /// Frozen output. Expected values from a second implementation, in Python, with numbers of any size.
    #[test]
    fn known_answers() {
        let apply = |n, i| Permutation::new(n, Seed::new(42)).apply(i);
        assert_eq!((0..10).map(|i| apply(10, i)).collect::<Vec<_>>(), [0, 9, 5, 3, 8, 2, 6, 4, 7, 1]);
        assert_eq!([0, 1, 999_999].map(|i| apply(1_000_000, i)), [929_464, 433_353, 47_813]);
        assert_eq!(
            [0, 1, u64::MAX - 1].map(|i| apply(u64::MAX, i)),
            [17401634052538064975, 9317769039960486776, 1736943176149455201]
        );
    }

    #[test]
    fn it_is_a_bijection() {
        let check = |n, seed| {
            let permutation = Permutation::new(n, Seed::new(seed));
            let mut seen = vec![false; n as usize];
            for i in 0..n {
                let to = permutation.apply(i);
                assert!(
                    !std::mem::replace(&mut seen[to as usize], true),
                    "n {n}, seed {seed}: {to} is taken twice"
                );
                assert_eq!(permutation.invert(to), i, "n {n}, seed {seed}");
            }
        };
        (1..=5000).for_each(|n| check(n, n));
        (1..=40).for_each(|n| (0..50).for_each(|seed| check(n, seed)));
        [65_536, 65_537, 99_999].into_iter().for_each(|n| check(n, 1));
    }

    proptest! {
        #[test]
        fn it_is_invertible_at_any_size(n in 1u64.., shift in 0..64u32, seed: u64, i: u64) {
            let n = (n >> shift).max(1);
            let permutation = Permutation::new(n, Seed::new(seed));
            for i in [i % n, 0, n - 1] {
                let to = permutation.apply(i);
                prop_assert!(to < n);
                prop_assert_eq!(permutation.invert(to), i);
            }
        }
    }

    #[test]
    fn the_largest_sizes_do_not_overflow() {
        for n in
            [u64::MAX, u64::MAX - 1, 1 << 63, (1 << 32) * ((1 << 32) - 1), (1 << 32) * ((1 << 32) - 1) + 1]
        {
            let permutation = Permutation::new(n, Seed::new(3));
            for i in (0..1000).chain(n - 1000..n).chain((0..1000).map(|i| i * (n / 1000))) {
                let to = permutation.apply(i);
                assert!(to < n && permutation.invert(to) == i, "n {n}, i {i}");
            }
        }
    }

    fn chi_squared(counts: &[u32], total: u32) -> f64 {
        let expected = f64::from(total) / counts.len() as f64;
        let statistic =
            counts.iter().map(|&n| (f64::from(n) - expected) * (f64::from(n) - expected) / expected).sum();
        chi_squared_p_value(statistic, counts.len() as f64 - 1.0)
    }

    /// Over 40,000 keys the ordered pair of places of any two neighbours, and the place of 0, are uniform; for n up to 5
    /// so is the whole permutation. False alarm 1e-6 each.
    #[test]
    fn small_permutations_are_uniform_over_keys() {
        const KEYS: u32 = 40_000;
        for n in 2..=12u64 {
            let mut first = vec![0; n as usize];
            let mut pairs = vec![vec![0; (n * (n - 1)) as usize]; n as usize - 1];
            let mut whole = vec![0; if n <= 5 { (1..=n as usize).product() } else { 0 }];
            for seed in 0..KEYS {
                let permutation = Permutation::new(n, Seed::new(u64::from(seed)).derive_index(n));
                let to: Vec<u64> = (0..n).map(|i| permutation.apply(i)).collect();
                first[to[0] as usize] += 1;
                for (counts, two) in pairs.iter_mut().zip(to.windows(2)) {
                    counts[(two[0] * (n - 1) + two[1] - u64::from(two[1] > two[0])) as usize] += 1;
                }
                if n <= 5 {
                    // The rank of the permutation: for each place, how many later ones are smaller.
                    let smaller = |i: usize| to[i..].iter().filter(|&&later| later < to[i]).count();
                    whole[(0..to.len()).fold(0, |rank, i| rank * (to.len() - i) + smaller(i))] += 1;
                }
            }
            assert!(chi_squared(&first, KEYS) > 1e-6, "place of 0, n {n}");
            for (i, counts) in pairs.iter().enumerate() {
                assert!(chi_squared(counts, KEYS) > 1e-6, "places of {i} and {}, n {n}: {counts:?}", i + 1);
            }
            assert!(n > 5 || chi_squared(&whole, KEYS) > 1e-6, "whole permutation, n {n}: {whole:?}");
        }
    }

    /// At n = 10⁶: `apply(i)` and `apply(i + d)` are uncorrelated (within 5 standard deviations, 5 / √n), and their
    /// difference modulo n is uniform over 1000 bins (false alarm 1e-6), for steps d along both halves.
    #[test]
    fn neighbours_are_unrelated() {
        for n in [1_000_000u64, 999_001] {
            let permutation = Permutation::new(n, Seed::new(5));
            let to: Vec<u64> = (0..n).map(|i| permutation.apply(i)).collect();
            for step in [1, 2, 1000, 1001, 7] {
                let (mut sum, mut differences) = (0.0, vec![0; 1000]);
                for i in 0..n as usize {
                    let (here, there) = (to[i], to[(i + step) % n as usize]);
                    sum += (here as f64 / n as f64 - 0.5) * (there as f64 / n as f64 - 0.5);
                    differences[((there + n - here) % n * 1000 / n) as usize] += 1;
                }
                assert!((sum * 12.0 / n as f64).abs() < 5.0 / (n as f64).sqrt(), "n {n}, step {step}");
                assert!(chi_squared(&differences, n as u32) > 1e-6, "n {n}, step {step}");
            }
        }
    }

    /// A quota k = n / 10 is spread over 1000 blocks of consecutive rows like a draw without replacement: the sum of
    /// squared deviations over the hypergeometric variance is nearly chi-squared with 999 degrees of freedom, and both
    /// tails (too uneven, too even) have a false alarm of 1e-6.
    #[test]
    fn a_quota_is_spread_over_the_rows() {
        let (n, blocks) = (1_000_000u64, 1000);
        for k in [n / 10, n / 2, 1000] {
            for seed in 0..5 {
                let permutation = Permutation::new(n, Seed::new(seed));
                let mut counts = vec![0u32; blocks];
                (0..n).for_each(|i| counts[i as usize / blocks] += u32::from(permutation.apply(i) < k));
                assert_eq!(u64::from(counts.iter().sum::<u32>()), k);
                let (share, rows) = (k as f64 / n as f64, n as f64 / blocks as f64);
                let variance = rows * share * (1.0 - share);
                let deviation = |count: &u32| f64::from(*count) - rows * share;
                let statistic = counts.iter().map(|c| deviation(c) * deviation(c) / variance).sum();
                let p = chi_squared_p_value(statistic, blocks as f64 - 1.0);
                assert!(p > 1e-6 && p < 1.0 - 1e-6, "k {k}, seed {seed}: {p}");
            }
        }
    }
}
