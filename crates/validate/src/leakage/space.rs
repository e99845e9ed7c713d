//! Rows as points: numbers as they are, categories as codes, and a distance between them.

use lookalike_core::Seed;

use crate::reference::{Coder, NULL, numbers, sample};

use super::Context;

/// A table's rows, row by row.
pub(crate) struct Space {
    /// The values; NaN for nulls.
    pub values: Vec<f64>,
    /// How many there are of each row.
    pub width: usize,
    /// Rows held.
    pub rows: usize,
    /// Rows of the table.
    pub all_rows: usize,
    /// What the columns are.
    pub dimensions: Vec<Dimension>,
}

/// A column of a space.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Dimension {
    /// Numbers, which differ by their distance over the range that they have in this space; 1 at most.
    Range(f64),
    /// Codes, which are equal or differ by 1.
    Code,
}

impl Space {
    /// The spaces of reference, synthetic table and holdout, with the same codes.
    pub fn of(context: &Context<'_>) -> [Option<Space>; 3] {
        let width = context.columns.len();
        let most = (context.options.cells / width.max(1)).max(1);
        let kept = [0, 1, 2].map(|side| {
            let rows = context.tables[side].map_or(0, |table| table.rows());
            sample(rows, most, context.seed.derive("rows").derive_index(side as u64))
        });
        let mut spaces = [0, 1, 2].map(|side| {
            context.tables[side].map(|table| Space {
                values: vec![f64::NAN; kept[side].len() * width],
                width,
                rows: kept[side].len(),
                all_rows: table.rows(),
                dimensions: Vec::with_capacity(width),
            })
        });
        for (at, (name, role)) in context.columns.iter().enumerate() {
            let mut coder = Coder::default();
            for side in 0..3 {
                let (Some(space), Some(table)) = (&mut spaces[side], context.tables[side]) else { continue };
                let Some(series) = table.series(name) else { continue };
                let values: Vec<f64> = match role.is_continuous() {
                    true => numbers(series),
                    false => coder
                        .codes(series)
                        .into_iter()
                        .map(|code| if code == NULL { f64::NAN } else { f64::from(code) })
                        .collect(),
                };
                let (mut least, mut greatest) = (f64::INFINITY, f64::NEG_INFINITY);
                for (to, &from) in kept[side].iter().enumerate() {
                    let value = values[from];
                    space.values[to * width + at] = value;
                    if !value.is_nan() {
                        least = least.min(value);
                        greatest = greatest.max(value);
                    }
                }
                space.dimensions.push(match role.is_continuous() {
                    true => Dimension::Range((greatest - least).max(0.0)),
                    false => Dimension::Code,
                });
            }
        }
        spaces
    }

    /// A row's values.
    pub fn row(&self, row: usize) -> &[f64] {
        &self.values[row * self.width..(row + 1) * self.width]
    }

    /// At most `most` rows, drawn evenly.
    pub fn sample(&self, most: usize, seed: Seed) -> Vec<usize> {
        sample(self.rows, most, seed)
    }

    /// The sum of the columns' distances between a point and a row, or infinity as soon as it exceeds `limit`. (J. C. Gower, "A
    /// general coefficient of similarity and some of its properties", Biometrics 27 (1971), as SDMetrics has it: two nulls
    /// are equal, and a null is as far from a value as can be.)
    pub fn distance(&self, point: &[f64], row: usize, limit: f64) -> f64 {
        let mut sum = 0.0;
        for ((&x, &y), dimension) in point.iter().zip(self.row(row)).zip(&self.dimensions) {
            sum += dimension.distance(x, y);
            if sum > limit {
                return f64::INFINITY;
            }
        }
        sum
    }
}

impl Dimension {
    /// Between two values, 0 to 1.
    pub fn distance(self, x: f64, y: f64) -> f64 {
        if x.is_nan() || y.is_nan() {
            return f64::from(u8::from(x.is_nan() != y.is_nan()));
        }
        match self {
            Dimension::Range(range) if range > 0.0 => ((x - y).abs() / range).min(1.0),
            _ => f64::from(u8::from(x != y)),
        }
    }
}
