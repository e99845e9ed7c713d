//! A sample of whole rows, and what it shows of columns together: which go with which, and how.
//!
//! Whether a row is in the sample is decided by its number alone, so samples of parts of a table are parts of its sample,
//! whoever takes them. Tables up to [`ROWS`] rows are taken whole.

use std::collections::BTreeMap;

use lookalike_ruleset::{Field, Type};
use polars::prelude::{DataFrame, IdxCa, IdxSize, NewChunkedArray, PolarsResult};

use super::scale;
use crate::cells::{Cells, hash_word};
use crate::charts::{Axis, Boxes, Chart, Group, MarkedPoint, Matrix, MatrixKind, NullMap, Scatter};
use crate::text::counted;

/// Rows of a sample; about so many of larger tables.
pub const ROWS: u64 = 20_000;
/// Columns that are compared with each other: the first ones that can be.
const COLUMNS: usize = 40;
/// A text with more different values is no category.
const CATEGORIES: usize = 30;
/// Charts of each kind, at most.
pub(super) const CHARTS: usize = 6;
/// Of a number's ranks, so much must be explained by a category to be worth a chart.
const EXPLAINED: f64 = 0.02;
/// So strong must a rank correlation be to be worth a chart.
const CORRELATED: f64 = 0.3;
/// Blocks of rows in the map of missing values.
const BLOCKS: usize = 60;

/// The cells of a column, row by row.
#[derive(Clone, Debug)]
enum Column {
    /// NaN is null.
    Numbers(Vec<f64>),
    Texts(Vec<Option<Box<str>>>),
}

/// Some rows of a table.
#[derive(Clone, Debug, Default)]
pub struct Sample {
    pub(super) rows: Vec<u64>,
    columns: Vec<Column>,
}

impl Sample {
    /// The rows of a frame that are in the sample of a table of `of` rows; the frame's first is row `first`.
    ///
    /// # Errors
    /// A column is missing, or holds nothing that a table can hold.
    pub fn of(fields: &[Field], frame: &DataFrame, first: u64, of: u64) -> PolarsResult<Sample> {
        let below = if of <= ROWS {
            u64::MAX
        } else {
            (u128::from(u64::MAX) * u128::from(ROWS) / u128::from(of)) as u64
        };
        let chosen: Vec<IdxSize> = (0..frame.height())
            .filter(|row| below == u64::MAX || hash_word(first + *row as u64, 0x5A3B) < below)
            .map(|row| row as IdxSize)
            .collect();
        let index = IdxCa::from_slice("".into(), &chosen);
        let mut columns = Vec::with_capacity(fields.len());
        for field in fields {
            let taken = frame.column(&field.name)?.as_materialized_series().take(&index)?;
            columns.push(match Cells::of(&taken)? {
                Cells::Numbers(values) => {
                    let factor = scale(field.ty);
                    Column::Numbers(
                        values.iter().map(|value| value.map_or(f64::NAN, |value| value * factor)).collect(),
                    )
                }
                Cells::Texts(texts) => Column::Texts(texts.iter().map(|text| text.map(Into::into)).collect()),
                Cells::Codes { codes, names } => Column::Texts(
                    codes.iter().map(|code| code.map(|code| names[code as usize].as_str().into())).collect(),
                ),
                Cells::Bools(values) => {
                    let name = |value| if value { "true" } else { "false" };
                    Column::Texts(values.iter().map(|value| value.map(|value| name(value).into())).collect())
                }
            });
        }
        Ok(Sample { rows: chosen.into_iter().map(|row| first + u64::from(row)).collect(), columns })
    }

    /// Adds the sample of the rows after.
    pub fn merge(&mut self, other: Sample) {
        if self.columns.is_empty() {
            *self = other;
            return;
        }
        self.rows.extend(other.rows);
        for (own, other) in self.columns.iter_mut().zip(other.columns) {
            match (own, other) {
                (Column::Numbers(own), Column::Numbers(other)) => own.extend(other),
                (Column::Texts(own), Column::Texts(other)) => own.extend(other),
                // The types of a column do not change from block to block.
                _ => {}
            }
        }
    }

    /// What the sample shows: numbers by the category that tells most of them, numbers that go with each other, the matrix of
    /// pairs, what happens over time, and where values are missing. `label` is the column that names each row's anomalies, `timed`
    /// are columns of times that have such a chart already; `of` are the table's rows.
    pub fn charts(&self, fields: &[Field], label: Option<&str>, timed: &[&str], of: u64) -> Vec<Chart> {
        let whole = self.rows.len() as u64 == of;
        let sample_of = (!whole).then_some(of);
        let mut sides: Vec<Side<'_>> = Vec::new();
        for (field, column) in fields.iter().zip(&self.columns) {
            if sides.len() < COLUMNS && label != Some(field.name.as_str()) {
                sides.extend(Side::of(field, column));
            }
        }
        let marks = fields.iter().zip(&self.columns).find(|(field, _)| label == Some(field.name.as_str()));
        let marks = match marks {
            Some((_, Column::Texts(texts))) => texts.as_slice(),
            _ => &[],
        };
        let mut charts = self.boxes(&sides, sample_of);
        charts.extend(self.scatters(&sides, marks, sample_of));
        charts.extend(self.over_time(&sides, timed));
        charts.extend(self.matrix(&sides, whole));
        charts.extend(self.nulls(fields));
        charts
    }

    fn boxes(&self, sides: &[Side<'_>], sample_of: Option<u64>) -> Vec<Chart> {
        let mut found: Vec<(f64, usize, usize)> = Vec::new();
        for (i, number) in sides.iter().enumerate().filter(|(_, side)| side.numbers.is_some()) {
            let best = sides
                .iter()
                .enumerate()
                .filter(|(_, side)| side.numbers.is_none())
                .map(|(j, category)| (explained(number, category), i, j))
                .fold((0.0, i, 0), |best, next| if next.0 > best.0 { next } else { best });
            if best.0 >= EXPLAINED {
                found.push(best);
            }
        }
        found.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        found.truncate(CHARTS);
        found.sort_by_key(|(_, i, _)| *i);
        let chart = |(_, i, j): (f64, usize, usize)| {
            let (number, category) = (&sides[i], &sides[j]);
            let values = number.numbers.unwrap_or_default();
            let groups = category.names.iter().enumerate().map(|(code, name)| {
                let rows = (0..values.len()).filter(|row| category.codes[*row] == Some(code as u32));
                group(name, rows.map(|row| values[row]).collect())
            });
            let data = Boxes {
                value: number.axis(),
                by: category.field.name.clone(),
                groups: groups.collect(),
                sample_of,
            };
            let title = format!("{} by {}", number.field.name, category.field.name);
            Chart::new(title, [&number.field.name, &category.field.name], data)
        };
        found.into_iter().map(chart).collect()
    }

    fn scatters(&self, sides: &[Side<'_>], marks: &[Option<Box<str>>], sample_of: Option<u64>) -> Vec<Chart> {
        let mut found: Vec<(f64, usize, usize)> = Vec::new();
        for (i, a) in sides.iter().enumerate().filter(|(_, side)| side.numbers.is_some()) {
            for (j, b) in sides.iter().enumerate().skip(i + 1).filter(|(_, side)| side.numbers.is_some()) {
                if let Some(rho) = rank_correlation(a, b).filter(|rho| rho.abs() >= CORRELATED) {
                    found.push((rho, i, j));
                }
            }
        }
        found.sort_by(|a, b| b.0.abs().total_cmp(&a.0.abs()).then((a.1, a.2).cmp(&(b.1, b.2))));
        found.truncate(CHARTS);
        let chart = |(_, i, j): (f64, usize, usize)| {
            let (a, b) = (&sides[i], &sides[j]);
            let (xs, ys) = (a.numbers.unwrap_or_default(), b.numbers.unwrap_or_default());
            let (mut points, mut spoilt) = (Vec::new(), Vec::new());
            for (row, (&x, &y)) in
                xs.iter().zip(ys).enumerate().filter(|(_, (x, y))| !x.is_nan() && !y.is_nan())
            {
                match marks.get(row) {
                    Some(Some(kind)) => spoilt.push(MarkedPoint { x, y, kind: kind.to_string() }),
                    _ => points.push((x, y)),
                }
            }
            let data = Scatter::of(a.axis(), b.axis(), points, spoilt, sample_of);
            let title = format!("{} against {}", b.field.name, a.field.name);
            Chart::new(title, [&b.field.name, &a.field.name], data)
        };
        found.into_iter().map(chart).collect()
    }

    fn matrix(&self, sides: &[Side<'_>], whole: bool) -> Option<Chart> {
        if sides.len() < 2 {
            return None;
        }
        let names: Vec<String> = sides.iter().map(|side| side.field.name.clone()).collect();
        let mut cells = vec![None; names.len() * names.len()];
        for (i, a) in sides.iter().enumerate() {
            for (j, b) in sides.iter().enumerate().skip(i) {
                let figure = match (a.numbers.is_some(), b.numbers.is_some()) {
                    _ if i == j => Some(1.0),
                    (true, true) => rank_correlation(a, b),
                    (true, false) => Some(libm::sqrt(explained(a, b))),
                    (false, true) => Some(libm::sqrt(explained(b, a))),
                    (false, false) => cramers_v(a, b),
                };
                cells[i * names.len() + j] = figure;
                cells[j * names.len() + i] = figure;
            }
        }
        let sample = if whole {
            String::new()
        } else {
            format!("; from a sample of {}", counted(self.rows.len() as u64, "row", "rows"))
        };
        let first = if sides.len() < COLUMNS {
            String::new()
        } else {
            format!("; the first {COLUMNS} columns that can be compared")
        };
        let measure =
            format!("Rank correlation; with categories correlation ratio and Cramér's V{sample}{first}");
        let data = Matrix {
            kind: MatrixKind::Signed,
            measure,
            rows: names.clone(),
            columns: names,
            cells,
            ..Matrix::default()
        };
        Some(Chart::new("Pairs of columns", Vec::<String>::new(), data))
    }

    fn nulls(&self, fields: &[Field]) -> Option<Chart> {
        let last = self.rows.last()?;
        let blocks = BLOCKS.min(self.rows.len());
        let edges: Vec<u64> =
            (0..blocks).map(|block| self.rows[block * self.rows.len() / blocks]).chain([last + 1]).collect();
        let of_block =
            |block: usize| block * self.rows.len() / blocks..(block + 1) * self.rows.len() / blocks;
        let nulls = self.columns.iter().flat_map(|column| {
            (0..blocks).map(move |block| {
                let is_null = |row: &usize| match column {
                    Column::Numbers(values) => values[*row].is_nan(),
                    Column::Texts(texts) => texts[*row].is_none(),
                };
                of_block(block).filter(is_null).count() as u64
            })
        });
        let nulls: Vec<u64> = nulls.collect();
        let looked = (0..blocks).map(|block| of_block(block).len() as u64).collect();
        let columns = fields.iter().map(|field| field.name.clone()).collect();
        let data = NullMap { columns, edges, nulls, looked };
        Some(Chart::new("Missing values", Vec::<String>::new(), data))
    }
}

/// A column that can be compared with others: numbers, or categories.
pub(super) struct Side<'a> {
    pub(super) field: &'a Field,
    /// The numbers; none for categories.
    pub(super) numbers: Option<&'a [f64]>,
    /// Ranks of the numbers, ties shared; NaN for nulls.
    pub(super) ranks: Vec<f64>,
    /// Categories by falling count, then by name.
    names: Vec<String>,
    codes: Vec<Option<u32>>,
}

impl<'a> Side<'a> {
    /// None for columns that say nothing: constants, and texts that hardly repeat.
    fn of(field: &'a Field, column: &'a Column) -> Option<Side<'a>> {
        match column {
            Column::Numbers(values) => {
                let mut seen = values.iter().filter(|value| !value.is_nan());
                let first = seen.next()?;
                seen.any(|value| value != first).then(|| Side {
                    field,
                    numbers: Some(values),
                    ranks: ranks(values),
                    names: Vec::new(),
                    codes: Vec::new(),
                })
            }
            Column::Texts(texts) => {
                let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
                for text in texts.iter().flatten() {
                    *counts.entry(text).or_default() += 1;
                    if counts.len() > CATEGORIES {
                        return None;
                    }
                }
                let mut names: Vec<(&str, u64)> = counts.into_iter().collect();
                names.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
                let code =
                    |text: &str| names.iter().position(|(name, _)| *name == text).map(|code| code as u32);
                let codes = texts.iter().map(|text| text.as_deref().and_then(code)).collect();
                // As many values as rows are names, not categories.
                let rows: u64 = names.iter().map(|(_, count)| count).sum();
                let names: Vec<String> = names.into_iter().map(|(name, _)| name.to_owned()).collect();
                (names.len() > 1 && rows as usize > names.len() * 2).then_some(Side {
                    field,
                    numbers: None,
                    ranks: Vec::new(),
                    names,
                    codes,
                })
            }
        }
    }

    /// Logarithmic where all numbers are above 0 and the middle nine tenths span more than a factor of 20.
    fn axis(&self) -> Axis {
        let mut sorted: Vec<f64> =
            self.numbers.unwrap_or_default().iter().copied().filter(|x| !x.is_nan()).collect();
        sorted.sort_by(f64::total_cmp);
        let at = |share: f64| {
            sorted.get((share * sorted.len().saturating_sub(1) as f64) as usize).copied().unwrap_or(0.0)
        };
        let plain = matches!(self.field.ty, Type::Int | Type::Float | Type::Decimal(_) | Type::Duration);
        let log = plain && at(0.0) > 0.0 && at(0.95) > 20.0 * at(0.05);
        Axis { label: self.field.name.clone(), measure: self.field.ty.into(), log }
    }
}

fn group(name: &str, values: Vec<f64>) -> Group {
    let count = values.len() as u64;
    let mut sorted: Vec<f64> = values.into_iter().filter(|value| !value.is_nan()).collect();
    sorted.sort_by(f64::total_cmp);
    let n = sorted.len() as f64;
    let mean = (n > 0.0).then(|| sorted.iter().sum::<f64>() / n);
    let std = mean.filter(|_| n > 1.0).map(|mean| {
        libm::sqrt(sorted.iter().map(|value| (value - mean) * (value - mean)).sum::<f64>() / (n - 1.0))
    });
    let quantile = |p: f64| {
        let at = p * (n - 1.0);
        let (low, part) = (sorted[at as usize], at - libm::floor(at));
        let high = sorted[(at as usize + 1).min(sorted.len() - 1)];
        low + (high - low) * part
    };
    let quantiles = (n > 0.0).then(|| [0.0, 0.05, 0.25, 0.5, 0.75, 0.95, 1.0].map(quantile));
    Group { label: name.to_owned(), count, nulls: count - sorted.len() as u64, mean, std, quantiles }
}

/// Ranks from 1, ties sharing their mean; NaN stays.
fn ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).filter(|i| !values[*i].is_nan()).collect();
    order.sort_by(|a, b| values[*a].total_cmp(&values[*b]));
    let mut ranks = vec![f64::NAN; values.len()];
    let mut from = 0;
    while from < order.len() {
        let same = order[from..].iter().take_while(|i| values[**i] == values[order[from]]).count();
        let rank = from as f64 + (same as f64 + 1.0) / 2.0;
        order[from..from + same].iter().for_each(|i| ranks[*i] = rank);
        from += same;
    }
    ranks
}

/// Spearman's rank correlation over the rows where both are known: Pearson's of the ranks among all known values.
fn rank_correlation(a: &Side<'_>, b: &Side<'_>) -> Option<f64> {
    let pairs = || a.ranks.iter().zip(&b.ranks).filter(|(x, y)| !x.is_nan() && !y.is_nan());
    let n = pairs().count() as f64;
    if n < 3.0 {
        return None;
    }
    let (mx, my) = (pairs().map(|(x, _)| x).sum::<f64>() / n, pairs().map(|(_, y)| y).sum::<f64>() / n);
    let (mut xx, mut yy, mut xy) = (0.0, 0.0, 0.0);
    for (x, y) in pairs() {
        xx += (x - mx) * (x - mx);
        yy += (y - my) * (y - my);
        xy += (x - mx) * (y - my);
    }
    (xx > 0.0 && yy > 0.0).then(|| (xy / libm::sqrt(xx * yy)).clamp(-1.0, 1.0))
}

/// The share of the variance of a number's ranks that lies between categories, less what chance gives (epsilon squared,
/// Kelley 1935); 0 to 1.
fn explained(number: &Side<'_>, category: &Side<'_>) -> f64 {
    explained_by(&number.ranks, &category.codes, category.names.len())
}

/// The same of ranks, in so many groups by their codes.
pub(super) fn explained_by(ranks: &[f64], codes: &[Option<u32>], groups: usize) -> f64 {
    let mut groups = vec![(0.0f64, 0.0f64); groups];
    let rows = || ranks.iter().zip(codes).filter(|(rank, code)| !rank.is_nan() && code.is_some());
    let n = rows().count() as f64;
    let mean = rows().map(|(rank, _)| rank).sum::<f64>() / n;
    let mut all = 0.0;
    for (rank, code) in rows() {
        all += (rank - mean) * (rank - mean);
        if let Some(group) = code.and_then(|code| groups.get_mut(code as usize)) {
            *group = (group.0 + 1.0, group.1 + rank);
        }
    }
    let used = groups.iter().filter(|(count, _)| *count > 0.0).count() as f64;
    if all <= 0.0 || n <= used || used < 2.0 {
        return 0.0;
    }
    let square = |(count, sum): &(f64, f64)| {
        if *count > 0.0 { count * (sum / count - mean) * (sum / count - mean) } else { 0.0 }
    };
    let between: f64 = groups.iter().map(square).sum();
    let within = (all - between) / (n - used);
    ((between - (used - 1.0) * within) / all).clamp(0.0, 1.0)
}

/// Cramér's V, corrected for what chance gives (Bergsma 2013).
fn cramers_v(a: &Side<'_>, b: &Side<'_>) -> Option<f64> {
    let (r, c) = (a.names.len(), b.names.len());
    let mut counts = vec![0.0f64; r * c];
    for (x, y) in a.codes.iter().zip(&b.codes) {
        if let (Some(x), Some(y)) = (x, y) {
            counts[*x as usize * c + *y as usize] += 1.0;
        }
    }
    let n: f64 = counts.iter().sum();
    if n < 2.0 {
        return None;
    }
    let rows: Vec<f64> = (0..r).map(|i| counts[i * c..(i + 1) * c].iter().sum()).collect();
    let columns: Vec<f64> = (0..c).map(|j| (0..r).map(|i| counts[i * c + j]).sum()).collect();
    let mut chi = 0.0;
    for i in 0..r {
        for j in 0..c {
            let wanted = rows[i] * columns[j] / n;
            if wanted > 0.0 {
                chi += (counts[i * c + j] - wanted) * (counts[i * c + j] - wanted) / wanted;
            }
        }
    }
    let (r, c) = (r as f64, c as f64);
    let phi = (chi / n - (r - 1.0) * (c - 1.0) / (n - 1.0)).max(0.0);
    let (r, c) = (r - (r - 1.0) * (r - 1.0) / (n - 1.0), c - (c - 1.0) * (c - 1.0) / (n - 1.0));
    let least = (r.min(c) - 1.0).max(f64::MIN_POSITIVE);
    Some(libm::sqrt(phi / least).min(1.0))
}

#[cfg(test)]
mod tests {
    use polars::prelude::{Column as PolarsColumn, DataType};

    use super::*;

    fn field(name: &str, ty: Type) -> Field {
        Field { name: name.into(), ty, nullable: true, plain: true, json: false, about: None }
    }

    fn fields() -> Vec<Field> {
        vec![
            field("kind", Type::Text),
            field("size", Type::Int),
            field("cost", Type::Float),
            field("id", Type::Text),
            field("note", Type::Text),
        ]
    }

    /// `size` follows `kind`, `cost` follows `size`; `id` is different in each row, and every third row is an anomaly.
    fn frame(rows: std::ops::Range<u64>) -> DataFrame {
        let n = (rows.end - rows.start) as usize;
        let kinds: Vec<&str> = rows.clone().map(|i| ["a", "b", "c"][(i % 3) as usize]).collect();
        let sizes: Vec<Option<i64>> =
            rows.clone().map(|i| (i % 7 != 0).then_some((1 + (i % 3) * 100 + i % 50) as i64)).collect();
        let costs: Vec<f64> = rows.clone().map(|i| (1 + (i % 3) * 100 + i % 50) as f64 * 0.1).collect();
        let ids: Vec<String> = rows.clone().map(|i| format!("id-{i}")).collect();
        let notes: Vec<Option<&str>> = rows.map(|i| (i % 9 == 0).then_some("odd")).collect();
        DataFrame::new(
            n,
            vec![
                PolarsColumn::new("kind".into(), kinds),
                PolarsColumn::new("size".into(), sizes),
                PolarsColumn::new("cost".into(), costs),
                PolarsColumn::new("id".into(), ids),
                PolarsColumn::new("note".into(), notes),
            ],
        )
        .unwrap()
    }

    #[test]
    fn pairs_that_belong_together_are_found() {
        let sample = Sample::of(&fields(), &frame(0..900), 0, 900).unwrap();
        let charts = sample.charts(&fields(), Some("note"), &[], 900);
        let titles: Vec<&str> = charts.iter().map(|chart| chart.title.as_str()).collect();
        assert_eq!(
            titles,
            ["size by kind", "cost by kind", "cost against size", "Pairs of columns", "Missing values"]
        );
        let crate::charts::ChartData::Scatter(scatter) = &charts[2].data else { panic!() };
        assert!(scatter.spoilt.iter().all(|point| point.kind == "odd"));
        assert_eq!(scatter.spoilt.len() + scatter.points.len(), 900 - 129);
        let crate::charts::ChartData::Matrix(matrix) = &charts[3].data else { panic!() };
        assert_eq!(matrix.rows, ["kind", "size", "cost"]);
        assert!(matrix.cells[3 + 2].unwrap() > 0.99, "size and cost go together");
        let crate::charts::ChartData::Nulls(nulls) = &charts[4].data else { panic!() };
        assert_eq!(nulls.nulls.iter().sum::<u64>(), 129 + 800);
    }

    #[test]
    fn a_sample_does_not_depend_on_blocks() {
        let of = 200_000;
        let whole = Sample::of(&fields(), &frame(0..50_000), 0, of).unwrap();
        let mut parts = Sample::default();
        for first in (0..50_000).step_by(7_000) {
            let end = (first + 7_000).min(50_000);
            parts.merge(Sample::of(&fields(), &frame(first..end), first, of).unwrap());
        }
        assert_eq!(whole.rows, parts.rows);
        assert_eq!(format!("{:?}", whole.columns), format!("{:?}", parts.columns));
        // A tenth of 50,000, give or take six standard deviations.
        assert!((4_600..5_400).contains(&whole.rows.len()), "{}", whole.rows.len());
    }

    #[test]
    fn nothing_comes_of_nothing() {
        for rows in [0, 1] {
            let sample = Sample::of(&fields(), &frame(0..rows), 0, rows).unwrap();
            for chart in sample.charts(&fields(), None, &[], rows) {
                assert!(chart.draw().problems().is_empty());
            }
        }
        let constant = DataFrame::new(3, vec![PolarsColumn::new("size".into(), [5i64, 5, 5])]).unwrap();
        assert_eq!(constant.column("size").unwrap().dtype(), &DataType::Int64);
        let fields = [field("size", Type::Int)];
        let charts = Sample::of(&fields, &constant, 0, 3).unwrap().charts(&fields, None, &[], 3);
        assert_eq!(charts.len(), 1);
    }

    /// Tables of which nothing can be told, or very much: pictures without flaws, figures in their range.
    #[test]
    fn odd_tables_have_sane_pictures() {
        let int = |name: String, values: Vec<Option<i64>>| PolarsColumn::new(name.as_str().into(), values);
        let whole = |rows: usize, columns: Vec<PolarsColumn>| DataFrame::new(rows, columns).unwrap();
        let texts = |values: Vec<Option<&str>>| PolarsColumn::new("t".into(), values);
        let alike = |rows: usize, value: Option<i64>| {
            let text = value.map(|_| "same");
            whole(
                rows,
                vec![
                    int("a".into(), vec![value; rows]),
                    int("b".into(), vec![value; rows]),
                    texts(vec![text; rows]),
                    PolarsColumn::new("f".into(), vec![value.map(|x| x as f64); rows]),
                ],
            )
        };
        let few = vec![
            field("a", Type::Int),
            field("b", Type::Int),
            field("t", Type::Text),
            field("f", Type::Float),
        ];
        let wide: Vec<Field> = (0..1000).map(|at| field(&format!("c{at}"), Type::Int)).collect();
        let of_wide =
            |at: i64| (0..90i64).map(move |row| ((row * at) % 7 != 3).then_some(row * (at % 5) + row % 3));
        let wide_frame =
            whole(90, (0..1000i64).map(|at| int(format!("c{at}"), of_wide(at).collect())).collect());
        let extreme = whole(
            6,
            vec![
                int("a".into(), vec![Some(i64::MAX), Some(i64::MIN), Some(0), None, Some(1), Some(-1)]),
                int("b".into(), vec![Some(1), Some(2), Some(3), Some(4), Some(5), Some(6)]),
                texts(vec![Some(""), Some(""), Some("<b>"), Some("<b>"), None, Some("")]),
                PolarsColumn::new("f".into(), [1e300, -1e300, 1e-300, 0.0, 5.0, 7.0]),
            ],
        );
        let cases = [
            ("empty", &few, alike(0, None)),
            ("one row", &few, alike(1, Some(5))),
            ("one row of nulls", &few, alike(1, None)),
            ("constant", &few, alike(200, Some(5))),
            ("all null", &few, alike(200, None)),
            ("extreme", &few, extreme),
            ("a thousand columns", &wide, wide_frame),
        ];
        for (case, fields, frame) in cases {
            let rows = frame.height() as u64;
            let sample = Sample::of(fields, &frame, 0, rows).unwrap();
            let charts = sample.charts(fields, None, &[], rows);
            let nulls: u64 = frame.columns().iter().map(|column| column.null_count() as u64).sum();
            let mut maps = 0;
            for chart in &charts {
                let problems = chart.draw().problems();
                assert!(problems.is_empty(), "{case}: {}: {problems:?}", chart.title);
                match &chart.data {
                    crate::charts::ChartData::Nulls(map) => {
                        maps += 1;
                        assert_eq!(map.nulls.iter().sum::<u64>(), nulls, "{case}");
                        assert_eq!(map.looked.iter().sum::<u64>(), rows, "{case}");
                    }
                    crate::charts::ChartData::Matrix(matrix) => {
                        let fine = |cell: &Option<f64>| cell.is_none_or(|r| (-1.0..=1.0).contains(&r));
                        assert!(matrix.cells.iter().all(fine), "{case}: {:?}", matrix.cells);
                        assert!(matrix.rows.len() <= COLUMNS, "{case}");
                    }
                    crate::charts::ChartData::Scatter(scatter) => {
                        assert!(scatter.points.iter().all(|(x, y)| x.is_finite() && y.is_finite()), "{case}");
                    }
                    _ => {}
                }
            }
            assert_eq!(maps, usize::from(rows > 0), "{case}: a map of nulls where there are rows");
            assert!(rows > 1 || charts.len() <= 1, "{case}: nothing goes with anything");
        }
    }

    #[test]
    fn associations_have_known_values() {
        let side = |numbers: &'static [f64], codes: &[u32], names: usize| Side {
            field: Box::leak(Box::new(field("x", Type::Int))),
            numbers: Some(numbers),
            ranks: ranks(numbers),
            names: (0..names).map(|i| i.to_string()).collect(),
            codes: codes.iter().map(|code| Some(*code)).collect(),
        };
        let a = side(&[1.0, 2.0, 3.0, 4.0, 5.0], &[], 0);
        let b = side(&[2.0, 1.0, 4.0, 3.0, 5.0], &[], 0);
        // 1 - 6 * (1 + 1 + 1 + 1) / (5 * 24).
        assert!((rank_correlation(&a, &b).unwrap() - 0.8).abs() < 1e-12);
        assert_eq!(ranks(&[3.0, 1.0, 3.0, f64::NAN])[..3], [2.5, 1.0, 2.5]);
        let pure: Vec<u32> = (0..100).map(|i| i % 4).collect();
        let same = side(&[], &pure, 4);
        assert!((cramers_v(&same, &same).unwrap() - 1.0).abs() < 1e-9);
        let other: Vec<u32> = (0..100).map(|i| i / 4 % 4).collect();
        assert!(cramers_v(&same, &side(&[], &other, 4)).unwrap() < 0.05);
    }
}
