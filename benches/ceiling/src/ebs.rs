//! The rules of the table: weights, limits, prices, laws and anomalies, and the drawing of one row.

use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

/// Rows drawn from one seeded stream. A block of CSV text of this many rows stays in a core's second-level cache.
pub const BLOCK: u64 = 4096;

pub const HEADER: &str = "Region,Volume ID,Volume Name,Volume Type,Volume Size,Monthly Storage Cost,Snapshot ID,\
                          Snapshot Name,Snapshot Age,Underutilized,Anomaly\n";
pub const REGIONS: [&str; 4] = ["us-east-1", "us-west-1", "eu-west-1", "ap-southeast-1"];
const REGION_PERCENT: [u32; 4] = [40, 25, 20, 15];

pub const TYPES: [&str; 7] = ["gp2", "gp3", "io1", "io2", "st1", "sc1", "standard"];
const TYPE_PERCENT: [u32; 7] = [40, 20, 10, 10, 10, 5, 5];
/// Least and greatest size in GiB; `rulesets/common/ebs-volume-types.csv` names the source.
const LIMITS: [(u32, u32); 7] =
    [(1, 16384), (1, 65536), (4, 16384), (4, 65536), (125, 16384), (125, 16384), (1, 1024)];
/// Median and 95th percentile of the sizes that are not round, in GiB.
const TAIL: [(f64, f64); 7] = [
    (80.0, 1000.0),
    (100.0, 1500.0),
    (200.0, 2000.0),
    (300.0, 4000.0),
    (800.0, 6000.0),
    (1000.0, 8000.0),
    (50.0, 300.0),
];
const ROUND: [u32; 9] = [8, 10, 20, 30, 50, 100, 200, 500, 1000];
/// The round sizes of st1 and sc1, which start at 125 GiB.
const ROUND_HDD: [u32; 9] = [125, 200, 250, 500, 1000, 1500, 2000, 4000, 8000];

pub const ROLES: [&str; 5] = ["app", "db", "web", "cache", "log"];
pub const STAGES: [&str; 4] = ["prod", "dev", "test", "staging"];
/// `{role}-{stage}-{1..100}`.
pub const NAMES: u32 = 5 * 4 * 100;
/// `old-volume-{1..100}`.
pub const OLD_NAMES: u32 = 100;

pub const MAX_AGE: u32 = 3650;

/// Names of the anomalies, from number 1 on; 0 is an ordinary row.
pub const ANOMALIES: [&str; 6] =
    ["", "oversized_volume", "old_snapshot", "high_cost_low_size", "mismatched_type", "very_old_volume"];

/// The shipped price list, so that the figures are written down once.
const PRICES: &str = include_str!("../../../rulesets/common/ebs-prices.csv");

const SIZE_GRID: usize = 1 << 15;
const AGE_GRID: usize = 1 << 15;

/// One row; text columns are numbers into the lists above.
#[derive(Clone, Copy)]
pub struct Row {
    pub region: u8,
    pub kind: u8,
    /// 0 is null, then the `NAMES`, then the `OLD_NAMES`.
    pub name: u16,
    /// GiB.
    pub size: u32,
    pub cents: u32,
    /// The 13 hex digits that follow the prefix are those of the low 52 bits.
    pub volume_id: u64,
    pub snapshot_id: u64,
    /// Days; 0 is: no snapshot.
    pub age: u16,
    /// 0 is null, else 1 + role × 4 + stage.
    pub snapshot_name: u8,
    pub underutilized: bool,
    pub anomaly: u8,
}

/// What is worked out before the first row.
pub struct Tables {
    seed: u64,
    /// Size less one on a grid of equal probability, by type: seven tenths of the grid are the round sizes, the rest
    /// quantiles of a truncated log-normal law.
    sizes: [Vec<u16>; 7],
    ages: Vec<u16>,
    /// Price of a GiB-month in 1/100,000 USD by region and type.
    prices: [[u32; 8]; 4],
    region_from: [u32; 4],
    type_from: [u32; 7],
}

impl Tables {
    pub fn new(seed: u64) -> Self {
        let mut prices = [[0; 8]; 4];
        for line in PRICES.lines().skip(1) {
            let mut cells = line.split(',');
            let mut next = || cells.next().expect("the price list has four columns");
            let (region, kind, price) = (next(), next(), next());
            let region = REGIONS.iter().position(|name| *name == region);
            let kind = TYPES.iter().position(|name| *name == kind);
            if let (Some(region), Some(kind)) = (region, kind) {
                let price: f64 = price.parse().expect("the third column is a price");
                prices[region][kind] = (price * 1e5).round() as u32;
            }
        }
        let sizes = std::array::from_fn(|kind| {
            let (lo, hi) = LIMITS[kind];
            let (median, p95) = TAIL[kind];
            let sigma = (p95 / median).ln() / quantile(0.95);
            let round = if lo == 125 { &ROUND_HDD } else { &ROUND };
            let rounds = SIZE_GRID * 7 / 10;
            let mut grid: Vec<u16> = (0..rounds).map(|i| (round[i * 9 / rounds] - 1) as u16).collect();
            grid.extend(
                log_normal_grid(SIZE_GRID - rounds, median, sigma, lo, hi).map(|size| (size - 1) as u16),
            );
            grid
        });
        let ages = log_normal_grid(AGE_GRID, 60.0, 1.3, 1, MAX_AGE).map(|age| age as u16).collect();
        Self {
            seed,
            sizes,
            ages,
            prices,
            region_from: thresholds(REGION_PERCENT),
            type_from: thresholds(TYPE_PERCENT),
        }
    }

    /// The stream of one block.
    pub fn stream(&self, block: u64) -> SmallRng {
        SmallRng::seed_from_u64(self.seed ^ block.wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }

    /// Draws the next row of a stream. Small decisions share a word, 16 bits each.
    #[inline(always)]
    pub fn draw(&self, stream: &mut SmallRng) -> Row {
        let (a, b, c) = (stream.next_u64(), stream.next_u64(), stream.next_u64());
        let region = pick(&self.region_from, part(a, 0));
        let kind = pick(&self.type_from, part(a, 1));
        let name = below(b as u32, NAMES);
        let size = u32::from(self.sizes[kind][(b >> 32) as usize % SIZE_GRID]) + 1;
        let mut row = Row {
            region: region as u8,
            kind: kind as u8,
            name: if part(a, 2) < percent(30) { 0 } else { 1 + name as u16 },
            size,
            cents: self.cents(region, kind, size),
            volume_id: c,
            snapshot_id: 0,
            age: 0,
            snapshot_name: 0,
            underutilized: part(a, 3) < percent(17),
            anomaly: 0,
        };
        if part(b, 3) >= percent(40) {
            let d = stream.next_u64();
            // The id takes the low 52 bits of one word; 12 + 12 bits are left over in two of them.
            row.snapshot_id = d;
            row.age = self.ages[((c >> 52) << 3 | (d >> 61)) as usize % AGE_GRID];
            let named = (d >> 52) & 0x1ff;
            row.snapshot_name = if named < 171 { 0 } else { 1 + (name / 100) as u8 };
        }
        // Most words of the row are spent; whether it is an anomaly and which comes from one of its own.
        let e = stream.next_u64();
        if part(e, 0) < percent(10) {
            self.disturb(&mut row, e);
        }
        row
    }

    /// Cost in cents, half a cent rounded up.
    #[inline(always)]
    fn cents(&self, region: usize, kind: usize, size: u32) -> u32 {
        (u64::from(size) * u64::from(self.prices[region][kind])).wrapping_add(500).wrapping_div(1000) as u32
    }

    /// Makes the row one of the five anomalies. Old snapshots need a snapshot, so a row without one has four choices.
    #[cold]
    #[inline(never)]
    fn disturb(&self, row: &mut Row, e: u64) {
        let anomaly = match row.age {
            0 => [1, 3, 4, 5][below((e >> 32) as u32, 4) as usize],
            _ => 1 + below((e >> 32) as u32, 5),
        };
        let (region, u) = (row.region as usize, part(e, 1));
        let fraction = f64::from(u) / 65536.0;
        let mut factor = 1.0;
        row.anomaly = anomaly as u8;
        match anomaly {
            1 => row.size = (f64::from(row.size) * (5.0 + 5.0 * fraction)) as u32,
            2 => row.age = (365 + u * 636 / 65536) as u16,
            3 => {
                row.size = 1 + u * 10 / 65536;
                factor = 10.0 + 10.0 * (e >> 48 & 0xff) as f64 / 256.0;
            }
            4 => row.kind = if row.kind < 2 { 2 } else { 0 } + (u & 1) as u8,
            _ => {
                row.name = (1 + NAMES + u * OLD_NAMES / 65536) as u16;
                if row.age > 0 {
                    row.age = (1000 + u * 1001 / 65536) as u16;
                }
            }
        }
        let (lo, hi) = LIMITS[row.kind as usize];
        row.size = row.size.clamp(lo, hi);
        row.cents = (f64::from(self.cents(region, row.kind as usize, row.size)) * factor) as u32;
    }
}

/// The text of a volume's name; `None` for 0.
pub fn name(name: u32) -> Option<String> {
    let i = name.checked_sub(1)?;
    Some(if i < NAMES {
        format!("{}-{}-{}", ROLES[(i / 400) as usize], STAGES[(i / 100 % 4) as usize], 1 + i % 100)
    } else {
        format!("old-volume-{}", 1 + i - NAMES)
    })
}

/// The text before the date in a snapshot's name, from number 1 on.
pub fn snapshot_stem(name: u32) -> String {
    format!("{}-{}", ROLES[((name - 1) / 4) as usize], STAGES[((name - 1) % 4) as usize])
}

/// The date so many days before 2026-01-01, as `2025-12-31`.
pub fn date_before(age: u32) -> String {
    // Days from civil, Euclidean form; day 0 is 1970-01-01, 2026-01-01 is day 20454.
    let z = 20454 - i64::from(age) + 719_468;
    let (era, day_of_era) = (z / 146_097, z % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let (day, month) =
        (day_of_year - (153 * shifted + 2) / 5 + 1, if shifted < 10 { shifted + 3 } else { shifted - 9 });
    let year = era * 400 + year_of_era + i64::from(month <= 2);
    format!("{year}-{month:02}-{day:02}")
}

/// Spreads eight hex digits over the bytes of a word, as text, all digits at once.
#[inline(always)]
pub fn hex8(x: u32) -> [u8; 8] {
    let x = u64::from(x);
    let x = (x | x << 16) & 0x0000_ffff_0000_ffff;
    let x = (x | x << 8) & 0x00ff_00ff_00ff_00ff;
    let x = (x | x << 4) & 0x0f0f_0f0f_0f0f_0f0f;
    let letters = (x + 0x0606_0606_0606_0606) >> 4 & 0x0101_0101_0101_0101;
    (x + 0x3030_3030_3030_3030 + letters * 0x27).to_be_bytes()
}

/// The 16 bits of a word at 16 × `i`.
#[inline(always)]
fn part(word: u64, i: u32) -> u32 {
    (word >> (16 * i)) as u32 & 0xffff
}

const fn percent(p: u32) -> u32 {
    p * 65536 / 100
}

/// An even draw from `0..n`, off by at most n / 2^32.
#[inline(always)]
fn below(bits: u32, n: u32) -> u32 {
    ((u64::from(bits) * u64::from(n)) >> 32) as u32
}

/// For each choice the 16-bit number from which on it, or a later one, is meant.
fn thresholds<const N: usize>(weights: [u32; N]) -> [u32; N] {
    let mut sum = 0;
    weights.map(|weight| {
        let from = percent(sum);
        sum += weight;
        from
    })
}

/// Counts without a branch; for so few choices faster than a search or an alias table.
#[inline(always)]
fn pick<const N: usize>(from: &[u32; N], bits: u32) -> usize {
    from[1..].iter().map(|&from| usize::from(bits >= from)).sum()
}

/// `n` quantiles, at the middles of cells of equal probability, of a log-normal law cut to `[lo, hi]`, rounded.
fn log_normal_grid(n: usize, median: f64, sigma: f64, lo: u32, hi: u32) -> impl Iterator<Item = u32> {
    let p = |x: u32| probability((f64::from(x) / median).ln() / sigma);
    let (from, to) = (p(lo), p(hi));
    (0..n).map(move |i| {
        let u = from + (to - from) * (i as f64 + 0.5) / n as f64;
        ((median * (sigma * quantile(u)).exp()).round() as u32).clamp(lo, hi)
    })
}

/// The inverse of `quantile`, by bisection.
fn probability(z: f64) -> f64 {
    let (mut lo, mut hi) = (1e-12, 1.0 - 1e-12);
    for _ in 0..50 {
        let mid = (lo + hi) / 2.0;
        if quantile(mid) < z { lo = mid } else { hi = mid }
    }
    lo
}

/// The normal quantile for `0 < p < 1`: P. J. Acklam's rational approximation, relative error below 1.2e-9.
fn quantile(p: f64) -> f64 {
    const A: [f64; 6] = [
        -3.969683028665376e1,
        2.209460984245205e2,
        -2.759285104469687e2,
        1.383577518672690e2,
        -3.066479806614716e1,
        2.506628277459239,
    ];
    const B: [f64; 6] = [
        -5.447609879822406e1,
        1.615858368580409e2,
        -1.556989798598866e2,
        6.680131188771972e1,
        -1.328068155288572e1,
        1.0,
    ];
    const C: [f64; 6] = [
        -7.784894002430293e-3,
        -3.223964580411365e-1,
        -2.400758277161838,
        -2.549732539343734,
        4.374664141464968,
        2.938163982698783,
    ];
    const D: [f64; 5] =
        [7.784695709041462e-3, 3.224671290700398e-1, 2.445134137142996, 3.754408661907416, 1.0];
    let horner = |terms: &[f64], x: f64| terms.iter().fold(0.0, |sum, term| sum * x + term);
    if p < 0.02425 {
        let q = (-2.0 * p.ln()).sqrt();
        horner(&C, q) / horner(&D, q)
    } else if p > 1.0 - 0.02425 {
        -quantile(1.0 - p)
    } else {
        let q = p - 0.5;
        horner(&A, q * q) * q / horner(&B, q * q)
    }
}
