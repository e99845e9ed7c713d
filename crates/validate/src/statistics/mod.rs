//! Statistics of columns, in one pass over blocks of rows: mergeable, and the same whatever the threads, as long as parts are
//! merged in the order of their rows.

mod digest;
mod distinct;
mod moments;
mod over_time;
pub mod sample;

use lookalike_ruleset::Type;

pub use digest::Digest;
pub use distinct::{Counts, EXACT};
pub use moments::Moments;

use crate::cells::{Cells, hash, hash_word, number_text};
use crate::charts::{Axis, Bar, Bars, Histogram};
use crate::model::{ColumnSummary, Distinct, Measure, NumberSummary, Quantile, Top};

/// Probabilities of the quantiles that are told.
const QUANTILES: [f64; 9] = [0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99];

/// Frequent values that are told.
const TOP: usize = 10;

/// Bars of a chart.
const BARS: usize = 24;

/// Statistics of one column.
#[derive(Clone, Debug)]
pub struct Statistics {
    ty: Type,
    /// Rows, with nulls.
    pub count: u64,
    /// Nulls.
    pub nulls: u64,
    numbers: Numbers,
    texts: Counts<String>,
}

/// Statistics of numbers: of the values themselves, or of the lengths of text.
#[derive(Clone, Debug)]
pub struct Numbers {
    moments: Moments,
    min: f64,
    max: f64,
    counts: Counts<u64>,
    /// From where there are too many different values to count.
    digest: Option<Digest>,
}

fn hash_number(key: &u64) -> u64 {
    hash_word(*key, 0)
}

fn hash_text(key: &String) -> u64 {
    hash(key.as_bytes(), 0)
}

impl Default for Numbers {
    fn default() -> Numbers {
        Numbers {
            moments: Moments::default(),
            min: f64::INFINITY,
            max: f64::NEG_INFINITY,
            counts: Counts::new(),
            digest: None,
        }
    }
}

impl Numbers {
    /// Adds a number.
    pub fn add(&mut self, value: f64) {
        self.note(value);
        let key = if value == 0.0 { 0 } else { value.to_bits() };
        if self.digest.is_none() && self.counts.is_full() && !self.counts.contains(&key) {
            self.digest = Some(digest_of(&self.counts));
        }
        self.counts.add(&key, hash_word(key, 0), 1, hash_number);
        if let Some(digest) = &mut self.digest {
            digest.add(value, 1.0);
        }
    }

    /// What hangs on the order of numbers.
    fn note(&mut self, value: f64) {
        self.moments.add(value);
        self.min = self.min.min(value);
        self.max = self.max.max(value);
    }

    /// What does not, of a number that was noted so many times; while all values are counted.
    fn count(&mut self, value: f64, times: u64) {
        let key = if value == 0.0 { 0 } else { value.to_bits() };
        self.counts.add(&key, hash_word(key, 0), times, hash_number);
    }

    /// Adds what another has seen.
    pub fn merge(&mut self, other: &Numbers) {
        self.moments.merge(&other.moments);
        self.min = self.min.min(other.min);
        self.max = self.max.max(other.max);
        let own = self.digest.is_none().then(|| self.counts.clone());
        self.counts.merge(&other.counts, hash_number);
        if !self.counts.is_exact() {
            let mut digest =
                self.digest.take().unwrap_or_else(|| own.map_or_else(Digest::default, |own| digest_of(&own)));
            match &other.digest {
                Some(theirs) => digest.merge(theirs),
                None => digest.merge(&digest_of(&other.counts)),
            }
            self.digest = Some(digest);
        }
    }

    /// The values with their counts, rising; none where there are too many.
    fn sorted(&self) -> Option<Vec<(f64, u64)>> {
        self.counts.is_exact().then(|| sorted(&self.counts))
    }

    /// Mean; none of nothing.
    pub fn mean(&self) -> Option<f64> {
        (self.moments.count > 0).then_some(self.moments.mean)
    }

    /// The moments.
    pub fn moments(&self) -> &Moments {
        &self.moments
    }

    /// Least and greatest; none of nothing.
    pub fn range(&self) -> Option<(f64, f64)> {
        (self.moments.count > 0).then_some((self.min, self.max))
    }

    /// Quantiles: exact where all values are counted (the value of rank ⌈q n⌉), else of the digest.
    pub fn quantiles(&self, qs: &[f64]) -> Option<Vec<f64>> {
        if self.moments.count == 0 {
            return None;
        }
        if let Some(sorted) = self.sorted() {
            let n = self.moments.count as f64;
            let of = |q: &f64| {
                let rank = ((q * n).ceil() as u64).max(1);
                let mut seen = 0;
                let found = sorted.iter().find(|(_, count)| {
                    seen += count;
                    seen >= rank
                });
                found.map_or(self.max, |(value, _)| *value)
            };
            return Some(qs.iter().map(of).collect());
        }
        let mut digest = self.digest.clone()?;
        digest.compress();
        Some(qs.iter().map(|q| digest.quantile(*q).unwrap_or(self.max)).collect())
    }

    fn summary(&self, scale: f64) -> Option<NumberSummary> {
        let quantiles = self.quantiles(&QUANTILES)?;
        Some(NumberSummary {
            min: self.min * scale,
            max: self.max * scale,
            mean: self.moments.mean * scale,
            std: self.moments.std().map(|std| std * scale),
            skewness: self.moments.skewness(),
            kurtosis: self.moments.kurtosis(),
            quantiles: QUANTILES
                .iter()
                .zip(quantiles)
                .map(|(p, value)| Quantile { p: *p, value: value * scale })
                .collect(),
        })
    }

    /// Counts in bins with these edges: a number on an edge belongs to the bin above it, the last edge to the last bin.
    fn bins(&self, edges: &[f64]) -> Vec<u64> {
        let mut counts = vec![0; edges.len().saturating_sub(1)];
        if let Some(sorted) = self.sorted() {
            for (value, count) in sorted {
                let at = edges.partition_point(|edge| *edge <= value).clamp(1, counts.len());
                counts[at - 1] += count;
            }
        } else if let Some(digest) = &self.digest {
            let mut digest = digest.clone();
            digest.compress();
            let mut before = 0;
            let last = counts.len() - 1;
            for (at, count) in counts.iter_mut().enumerate() {
                let upto =
                    if at == last { self.moments.count } else { digest.rank(edges[at + 1]).round() as u64 };
                *count = upto.saturating_sub(before);
                before = before.max(upto);
            }
        }
        counts
    }

    /// Edges of bins for a chart, and whether they are even on a logarithmic scale.
    pub(crate) fn edges(&self, ty: Type) -> Option<(Vec<f64>, bool)> {
        let (min, max) = self.range()?;
        if min == max {
            return None;
        }
        if let Some(sorted) = self.sorted().filter(|sorted| sorted.len() <= 2 * BARS)
            && ty == Type::Int
            && max - min <= 2.0 * BARS as f64
        {
            let _ = sorted;
            let bins = (max - min) as usize + 1;
            return Some(((0..=bins).map(|at| min - 0.5 + at as f64).collect(), false));
        }
        let quantiles = self.quantiles(&[0.05, 0.5, 0.999])?;
        let log = min > 0.0 && ty.is_number() && quantiles[2] > 20.0 * quantiles[1] && quantiles[1] > min;
        let bins = 40;
        let at = |share: f64| {
            if log { min * libm::exp(share * libm::log(max / min)) } else { min + share * (max - min) }
        };
        let mut edges: Vec<f64> = (0..=bins).map(|bin| at(f64::from(bin) / f64::from(bins))).collect();
        if matches!(ty, Type::Int | Type::Date) {
            // Whole numbers fall between edges, so that no bin has more of them than its neighbours by accident.
            edges.iter_mut().for_each(|edge| *edge = edge.floor() - 0.5);
            if log {
                edges[0] = edges[0].max(min / 2.0);
            }
            edges[bins as usize] = max + 0.5;
            edges.dedup();
        } else {
            edges[bins as usize] = max;
        }
        Some((edges, log && min > 0.5))
    }
}

fn sorted(counts: &Counts<u64>) -> Vec<(f64, u64)> {
    let mut values: Vec<(f64, u64)> =
        counts.values().iter().map(|(key, count)| (f64::from_bits(**key), *count)).collect();
    values.sort_by(|a, b| a.0.total_cmp(&b.0));
    values
}

fn digest_of(counts: &Counts<u64>) -> Digest {
    let mut digest = Digest::default();
    sorted(counts).into_iter().for_each(|(value, count)| digest.add(value, count as f64));
    digest
}

/// Characters of a text.
fn length(text: &str) -> usize {
    if text.is_ascii() { text.len() } else { text.chars().count() }
}

/// Lengths below this are counted in a table of a block.
const SHORT: usize = 256;

/// How often short lengths occur in a block: most texts are short, and a table is faster than a map.
struct Lengths {
    counts: [u64; SHORT],
    any: bool,
}

impl Default for Lengths {
    fn default() -> Lengths {
        Lengths { counts: [0; SHORT], any: false }
    }
}

impl Lengths {
    fn add(&mut self, length: usize, numbers: &mut Numbers) {
        if length < SHORT && numbers.digest.is_none() && numbers.counts.has_room(SHORT) {
            numbers.note(length as f64);
            self.counts[length] += 1;
            self.any = true;
        } else {
            self.close(numbers);
            numbers.add(length as f64);
        }
    }

    /// Hands over what was counted.
    fn close(&mut self, numbers: &mut Numbers) {
        if std::mem::take(&mut self.any) {
            for (length, count) in self.counts.iter_mut().enumerate().filter(|(_, count)| **count > 0) {
                numbers.count(length as f64, std::mem::take(count));
            }
        }
    }
}

impl Statistics {
    /// Of a column of this type; nothing seen yet.
    pub fn new(ty: Type) -> Statistics {
        Statistics { ty, count: 0, nulls: 0, numbers: Numbers::default(), texts: Counts::new() }
    }

    /// Adds the values of a block.
    pub fn add(&mut self, cells: &Cells) {
        match cells {
            Cells::Numbers(values) => {
                self.count += values.len() as u64;
                self.nulls += values.null_count() as u64;
                values
                    .iter()
                    .flatten()
                    .filter(|value| value.is_finite())
                    .for_each(|value| self.numbers.add(value));
            }
            Cells::Texts(values) => {
                self.count += values.len() as u64;
                self.nulls += values.null_count() as u64;
                let mut lengths = Lengths::default();
                for text in values.iter().flatten() {
                    self.texts.add(text, hash(text.as_bytes(), 0), 1, hash_text);
                    lengths.add(length(text), &mut self.numbers);
                }
                lengths.close(&mut self.numbers);
            }
            Cells::Codes { codes, names } => {
                let mut counts = vec![0u64; names.len()];
                for code in codes {
                    match code {
                        Some(code) => counts[*code as usize] += 1,
                        None => self.nulls += 1,
                    }
                }
                self.count += codes.len() as u64;
                let seen = names.iter().zip(counts).filter(|(_, count)| *count > 0);
                seen.for_each(|(name, count)| self.add_text(name, count));
            }
            Cells::Bools(values) => {
                self.count += values.len() as u64;
                self.nulls += values.null_count() as u64;
                let yes = u64::from(values.sum().unwrap_or(0));
                let no = (values.len() - values.null_count()) as u64 - yes;
                for (text, count) in
                    [("false", no), ("true", yes)].into_iter().filter(|(_, count)| *count > 0)
                {
                    self.texts.add(text, hash(text.as_bytes(), 0), count, hash_text);
                }
            }
        }
    }

    fn add_text(&mut self, text: &str, count: u64) {
        self.texts.add(text, hash(text.as_bytes(), 0), count, hash_text);
        let length = length(text) as f64;
        if self.numbers.digest.is_none() && self.numbers.counts.has_room(1) {
            (0..count).for_each(|_| self.numbers.note(length));
            self.numbers.count(length, count);
        } else {
            (0..count).for_each(|_| self.numbers.add(length));
        }
    }

    /// Adds what another has seen.
    pub fn merge(&mut self, other: &Statistics) {
        self.count += other.count;
        self.nulls += other.nulls;
        self.numbers.merge(&other.numbers);
        self.texts.merge(&other.texts, hash_text);
    }

    fn is_text(&self) -> bool {
        matches!(self.ty, Type::Text | Type::Bool)
    }

    /// Of the numbers; of text, of its lengths.
    pub fn numbers(&self) -> &Numbers {
        &self.numbers
    }

    /// How many different values, and whether that is exact.
    pub fn distinct(&self) -> (u64, bool) {
        if self.is_text() { self.texts.distinct() } else { self.numbers.counts.distinct() }
    }

    /// The statistics for the report: dates and times in seconds.
    pub fn summary(&self) -> ColumnSummary {
        let (count, exact) = self.distinct();
        let numbers = self.numbers.summary(scale(self.ty));
        let (numbers, lengths) = match self.ty {
            Type::Bool => (None, None),
            Type::Text => (None, numbers),
            _ => (numbers, None),
        };
        ColumnSummary {
            count: self.count,
            nulls: self.nulls,
            distinct: Some(Distinct { count, exact }),
            measure: Measure::from(self.ty),
            numbers,
            lengths,
            top: self.top(TOP).into_iter().map(|(value, count)| Top { value, count }).collect(),
        }
    }

    /// The most frequent values as text; none where hardly any value occurs twice.
    fn top(&self, most: usize) -> Vec<(String, u64)> {
        let top: Vec<(String, u64)> = if self.is_text() {
            self.texts.top(most)
        } else {
            let of = |(key, count): (u64, u64)| (number_text(f64::from_bits(key), self.ty), count);
            self.numbers.counts.top(most).into_iter().map(of).collect()
        };
        let says_something = top.first().is_some_and(|(_, count)| *count > 1);
        if says_something || self.distinct().0 <= most as u64 { top } else { Vec::new() }
    }

    /// A picture of the column: bars of categories or a histogram. `declared` gives the declared share of values up to x, or
    /// that of a category.
    pub fn picture(&self, name: &str, declared: &Declared<'_>) -> Option<Picture> {
        if self.is_text() {
            let (distinct, exact) = self.distinct();
            let top = self.texts.top(BARS);
            let shown: u64 = top.iter().map(|(_, count)| count).sum();
            let valued = self.count - self.nulls;
            // A column of ids or names makes no bars.
            if valued == 0 || (distinct > 2 * BARS as u64 && shown * 3 < valued) {
                return None;
            }
            let bars = top.into_iter().map(|(label, count)| Bar {
                declared: match declared {
                    Declared::Shares(shares) => shares(&label),
                    _ => None,
                },
                label,
                count,
                ..Bar::default()
            });
            let bars: Vec<Bar> = bars.collect();
            let other_categories = exact.then(|| distinct.saturating_sub(bars.len() as u64));
            return Some(Picture::Bars(Bars {
                label: name.to_owned(),
                others: valued - shown.min(valued),
                other_categories,
                nulls: self.nulls,
                bars,
            }));
        }
        let (edges, log) = self.numbers.edges(self.ty)?;
        let counts = self.numbers.bins(&edges);
        let declared = match declared {
            Declared::Cdf(cdf) => {
                let last = edges.len() - 1;
                let upto = |at: usize| match at {
                    0 => 0.0,
                    at if at == last => 1.0,
                    at => cdf(edges[at]),
                };
                (0..last).map(|at| (upto(at + 1) - upto(at)).max(0.0)).collect()
            }
            _ => Vec::new(),
        };
        let scale = scale(self.ty);
        let x = Axis { label: name.to_owned(), measure: Measure::from(self.ty), log };
        let edges = edges.into_iter().map(|edge| edge * scale).collect();
        Some(Picture::Histogram(Histogram {
            x,
            edges,
            counts,
            declared,
            nulls: self.nulls,
            ..Histogram::default()
        }))
    }
}

/// What a column looks like.
#[derive(Clone, Debug)]
pub enum Picture {
    /// Of categories.
    Bars(Bars),
    /// Of numbers.
    Histogram(Histogram),
}

/// What is declared of a column's values, for its picture.
pub enum Declared<'a> {
    /// Nothing.
    Nothing,
    /// The share of values up to x.
    Cdf(&'a dyn Fn(f64) -> f64),
    /// The share of a category.
    Shares(&'a dyn Fn(&str) -> Option<f64>),
}

/// From the numbers of a column to those of the report, which has dates and times in seconds.
pub fn scale(ty: Type) -> f64 {
    match ty {
        Type::Date => 86_400.0,
        Type::Datetime | Type::Duration => 1e-6,
        _ => 1.0,
    }
}
