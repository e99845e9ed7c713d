//! How fast random words, permutations and quantiles are.
//!
//! `philox2x64` and `philox4x32` fill the same 64 Ki words; the second is a plain implementation of the better known
//! member of the family, for comparison only.

use divan::{Bencher, black_box, counter::ItemsCount};
use lookalike_core::stream::open01;
use lookalike_core::{Law, Permutation, Rows, Seed, laws};

const WORDS: usize = 1 << 16;

fn main() {
    let ones = philox4x32([u32::MAX; 4], [u32::MAX; 2]);
    let pi = philox4x32([0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344], [0xa4093822, 0x299f31d0]);
    // The authors' known answers for `philox4x32 10`: a wrong rival would prove nothing.
    assert_eq!(philox4x32([0; 4], [0; 2]), [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8]);
    assert_eq!(ones, [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd]);
    assert_eq!(pi, [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1]);
    divan::main();
}

fn philox4x32(counter: [u32; 4], key: [u32; 2]) -> [u32; 4] {
    let ([mut a, mut b, mut c, mut d], [mut k, mut l]) = (counter, key);
    for _ in 0..10 {
        let first = u64::from(a) * 0xD251_1F53;
        let second = u64::from(c) * 0xCD9E_8D57;
        (a, b, c, d) =
            ((second >> 32) as u32 ^ b ^ k, second as u32, (first >> 32) as u32 ^ d ^ l, first as u32);
        k = k.wrapping_add(0x9E37_79B9);
        l = l.wrapping_add(0xBB67_AE85);
    }
    [a, b, c, d]
}

#[divan::bench]
fn words_philox2x64_range(bencher: Bencher) {
    let stream = Seed::new(1).stream();
    let (rows, mut out) = (Rows::from(0..WORDS as u64), Vec::new());
    bencher.counter(ItemsCount::new(WORDS)).bench_local(|| stream.fill_words(black_box(&rows), 0, &mut out));
}

#[divan::bench]
fn words_philox2x64_list(bencher: Bencher) {
    let stream = Seed::new(1).stream();
    let rows = Rows::from((0..WORDS as u64).map(|row| row * 7 % 100_003).collect::<Vec<_>>());
    let mut out = Vec::new();
    bencher.counter(ItemsCount::new(WORDS)).bench_local(|| stream.fill_words(black_box(&rows), 0, &mut out));
}

#[divan::bench]
fn words_philox4x32_range(bencher: Bencher) {
    let mut out: Vec<u64> = Vec::new();
    bencher.counter(ItemsCount::new(WORDS)).bench_local(|| {
        out.clear();
        for pair in 0..black_box(WORDS as u64) / 2 {
            let [a, b, c, d] = philox4x32([pair as u32, (pair >> 32) as u32, 0, 0], [1, 2]);
            out.extend([u64::from(a) << 32 | u64::from(b), u64::from(c) << 32 | u64::from(d)]);
        }
    });
}

#[divan::bench(args = [1000, 1_000_000, 1_000_000_007, u64::MAX])]
fn permutation_apply(bencher: Bencher, n: u64) {
    let permutation = Permutation::new(n, Seed::new(1));
    bencher
        .counter(ItemsCount::new(1000u32))
        .bench_local(|| (0..1000).map(|i| permutation.apply(black_box(i))).fold(0, u64::wrapping_add));
}

#[divan::bench(args = QUANTILES.iter().map(|(name, _)| name))]
fn quantile(bencher: Bencher, name: &str) {
    let (_, make) = QUANTILES.iter().find(|entry| entry.0 == name).expect("the name comes from the list");
    let law = make();
    let mut words = Vec::new();
    Seed::new(1).stream().fill_words(&Rows::from(0..1000), 0, &mut words);
    bencher
        .counter(ItemsCount::new(1000u32))
        .bench_local(|| words.iter().map(|&word| law.quantile(open01(word))).sum::<f64>());
}

type Make = fn() -> Box<dyn Law>;

fn made<L: Law + 'static>(law: Result<L, lookalike_core::LawError>) -> Box<dyn Law> {
    Box::new(law.expect("the parameters are valid"))
}

const QUANTILES: &[(&str, Make)] = &[
    ("normal", || made(laws::Normal::new(0.0, 1.0))),
    ("log_normal", || made(laws::LogNormal::new(0.0, 1.0))),
    ("gamma 0.3", || made(laws::Gamma::new(0.3, 1.0))),
    ("gamma 2.5", || made(laws::Gamma::new(2.5, 1.0))),
    ("gamma 300", || made(laws::Gamma::new(300.0, 1.0))),
    ("gamma 1e6", || made(laws::Gamma::new(1e6, 1.0))),
    ("beta 2 5", || made(laws::Beta::new(2.0, 5.0))),
    ("beta 0.5 0.5", || made(laws::Beta::new(0.5, 0.5))),
    ("beta 300 500", || made(laws::Beta::new(300.0, 500.0))),
    ("weibull", || made(laws::Weibull::new(1.5, 1.0))),
    ("int_range", || made(laws::IntRange::new(1, 100))),
    ("poisson 4", || made(laws::Poisson::new(4.0))),
    ("poisson 1e6", || made(laws::Poisson::new(1e6))),
    ("poisson 1e8", || made(laws::Poisson::new(1e8))),
    ("binomial 1e9", || made(laws::Binomial::new(1_000_000_000, 0.3))),
    ("geometric", || made(laws::Geometric::new(0.01))),
    ("zipf 1e3", || made(laws::Zipf::new(1000, 1.1))),
    ("zipf 1e9", || made(laws::Zipf::new(1_000_000_000, 1.1))),
    ("histogram", || made(laws::Histogram::new((0..=20).map(f64::from).collect(), &[1.0; 20]))),
];
