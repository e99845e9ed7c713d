//! Links at run time: which parent a row has, which children a parent has, and what is said of them.
//!
//! Nothing is joined. A row's parent is a row *number*, found without looking at other rows; the parent's cells are made
//! again where they are read. A table that has so and so many children for each parent (`per_parent`) is numbered parent by
//! parent: of the numbers of children only the sums over blocks of parents are kept, so that a child row finds its parent
//! by a binary search and one block.

use std::ops::Range;
use std::sync::OnceLock;

use lookalike_core::law::Law;
use lookalike_core::laws::Zipf;
use lookalike_core::stream::{below, open01};
use lookalike_core::{Permutation, Rows, Seed};
use lookalike_ruleset::expr::Aggregate;
use lookalike_ruleset::{Span, Type};
use polars::prelude::*;

use crate::array;
use crate::entity::Place;
use crate::generator::{Failure, Output};
use crate::plan::{Error, Tables};
use crate::run::BLOCK_ROWS;

/// Parents whose numbers of children are summed up in one number of the plan.
pub(crate) const PARENT_BLOCK: u64 = 1024;

/// Most parents of which the plan holds a number each: a weight, or an aggregate over children that picked them.
pub(crate) const MAX_HELD: u64 = 1 << 22;

/// A link of a table, ready to run.
pub(crate) struct Link {
    pub name: String,
    pub span: Span,
    /// Number of the parent table.
    pub parent: usize,
    /// Name of the children in the parent's expressions.
    pub children: String,
    /// Number of the hidden column with the parent's row.
    pub row: usize,
    /// Numbers of the hidden columns with the place among the parent's children, where something reads them.
    pub ordinal: Option<usize>,
    pub count: Option<usize>,
    /// Share of the rows without a parent.
    pub null: f64,
    pub seed: Seed,
    pub mode: Mode,
}

impl Link {
    fn per_parent(&self) -> Result<&PerParent, Error> {
        match &self.mode {
            Mode::PerParent(per) => Ok(per),
            _ => Err(Error::Internal(format!("link `{}` has no places", self.name))),
        }
    }

    /// Whether a row can be without a parent.
    pub fn nullable(&self) -> bool {
        self.null > 0.0 || matches!(self.mode, Mode::Earlier | Mode::Computed { nullable: true, .. })
    }
}

/// How a row comes to its parent.
pub(crate) enum Mode {
    /// Not known yet; only while the ruleset is compiled.
    Pending,
    /// All parents are equally likely.
    Uniform(u64),
    /// By Zipf's law over the ranks of a permutation of the parents.
    Zipf(Zipf, Permutation),
    /// In proportion to weights, given as sums up to each parent.
    Weight(Vec<f64>),
    /// An earlier row of the same table; the first row has none.
    Earlier,
    /// The row number that a column of the table computes.
    Computed { column: usize, parents: u64, nullable: bool },
    /// One of all combinations of parents, none twice.
    Combination { all: Permutation, part: Part },
    /// Children by parent.
    PerParent(PerParent),
    /// One of the combinations of the other parents, none twice for the same parent in link `within`.
    Within { within: usize, seed: Seed, combinations: u64, part: Part },
}

/// Which of several numbers a combination's number stands for: `combination / stride % size`.
#[derive(Clone, Copy)]
pub(crate) struct Part {
    pub stride: u64,
    pub size: u64,
}

impl Part {
    fn of(self, combination: u64) -> u64 {
        combination / self.stride % self.size
    }
}

/// A table that is numbered parent by parent.
pub(crate) struct PerParent {
    /// Number of the parent's column with the number of children.
    pub counts: usize,
    /// Children of each block of parents and all before it.
    pub ends: Vec<u64>,
}

/// Where rows stand among their parents' children.
#[derive(Default)]
struct Places {
    parents: Vec<u64>,
    ordinals: Vec<u64>,
    counts: Vec<u64>,
}

/// The numbers of children of a block of parents.
struct CountBlock {
    /// First parent.
    first: u64,
    /// First child.
    start: u64,
    /// Number of the child behind each parent's last.
    ends: Vec<u64>,
}

impl Tables {
    /// Counts the children of every parent, block by block; gives the sums and the largest number.
    pub(crate) fn count_children(&self, parent: usize, counts: usize) -> Result<(Vec<u64>, u64), Error> {
        let rows = self.0[parent].rows;
        let (mut ends, mut total, mut most) = (Vec::new(), 0u64, 0u64);
        for start in (0..rows).step_by(BLOCK_ROWS) {
            let end = rows.min(start + BLOCK_ROWS as u64);
            let values = self.numbers_of_children(parent, counts, start..end)?;
            for block in values.chunks(PARENT_BLOCK as usize) {
                for count in block {
                    total = total
                        .checked_add(*count)
                        .ok_or_else(|| self.error(parent, counts, "there are more than 2^64 children"))?;
                    most = most.max(*count);
                }
                ends.push(total);
            }
        }
        Ok((ends, most))
    }

    fn numbers_of_children(&self, parent: usize, counts: usize, rows: Range<u64>) -> Result<Vec<u64>, Error> {
        let first = rows.start;
        let series = self.frame(parent, &Rows::Range(rows), &[counts])?.remove(0);
        let series = series.cast(&DataType::Int64).map_err(|e| Error::Internal(e.to_string()))?;
        let values = series.i64().map_err(|e| Error::Internal(e.to_string()))?;
        let value = |(at, value): (usize, Option<i64>)| {
            let value = value.unwrap_or(0);
            u64::try_from(value).map_err(|_| {
                let row = first + at as u64;
                self.error(parent, counts, format!("row {row} would have {value} children"))
            })
        };
        values.iter().enumerate().map(value).collect()
    }

    fn error(&self, table: usize, column: usize, message: impl Into<String>) -> Error {
        let table = &self.0[table];
        Error::Cell {
            table: table.name.clone(),
            column: table.columns[column].name.clone(),
            message: message.into(),
        }
    }

    fn count_block(&self, link: &Link, per: &PerParent, block: usize) -> Result<CountBlock, Error> {
        let first = block as u64 * PARENT_BLOCK;
        let last = self.0[link.parent].rows.min(first + PARENT_BLOCK);
        let start = if block == 0 { 0 } else { per.ends[block - 1] };
        let mut end = start;
        let counts = self.numbers_of_children(link.parent, per.counts, first..last)?;
        let ends = counts.into_iter().map(|count| {
            end += count;
            end
        });
        Ok(CountBlock { first, start, ends: ends.collect() })
    }

    /// Where child rows stand.
    fn places(&self, link: &Link, per: &PerParent, rows: &Rows) -> Result<Places, Error> {
        let mut block: Option<CountBlock> = None;
        let mut at = 0;
        let mut find = |row: u64, previous: u64| -> Result<(u64, u64, u64), Error> {
            let inside = |b: &CountBlock| b.start <= row && b.ends.last().is_some_and(|end| row < *end);
            if !block.as_ref().is_some_and(inside) {
                let number = per.ends.partition_point(|end| *end <= row);
                block = Some(self.count_block(link, per, number)?);
                at = 0;
            }
            let block = block.as_ref().expect("loaded just above");
            if row < previous {
                at = 0;
            }
            // Rows mostly come in order: the parent is the same as before, or one of the next.
            while block.ends[at] <= row {
                at += 1;
            }
            let start = if at == 0 { block.start } else { block.ends[at - 1] };
            Ok((block.first + at as u64, row - start, block.ends[at] - start))
        };
        let mut places = Places::default();
        let sorted = match rows {
            Rows::Range(_) => true,
            Rows::List(list) => list.is_sorted(),
        };
        let mut previous = 0;
        if sorted {
            for row in rows {
                let (parent, ordinal, count) = find(row, previous)?;
                previous = row;
                places.parents.push(parent);
                places.ordinals.push(ordinal);
                places.counts.push(count);
            }
            return Ok(places);
        }
        let len = rows.len();
        let mut order: Vec<usize> = (0..len).collect();
        order.sort_unstable_by_key(|at| rows.get(*at));
        places = Places { parents: vec![0; len], ordinals: vec![0; len], counts: vec![0; len] };
        for position in order {
            let row = rows.get(position);
            let (parent, ordinal, count) = find(row, previous)?;
            previous = row;
            (places.parents[position], places.ordinals[position], places.counts[position]) =
                (parent, ordinal, count);
        }
        Ok(places)
    }

    /// The children of each of these parents.
    fn children_of(&self, link: &Link, per: &PerParent, parents: &Rows) -> Result<Vec<Range<u64>>, Error> {
        let mut block: Option<(usize, CountBlock)> = None;
        let mut ranges = Vec::with_capacity(parents.len());
        for parent in parents {
            let number = (parent / PARENT_BLOCK) as usize;
            if block.as_ref().is_none_or(|(loaded, _)| *loaded != number) {
                block = Some((number, self.count_block(link, per, number)?));
            }
            let (_, block) = block.as_ref().expect("loaded just above");
            let at = (parent - block.first) as usize;
            let start = if at == 0 { block.start } else { block.ends[at - 1] };
            ranges.push(start..block.ends[at]);
        }
        Ok(ranges)
    }

    /// The parent of each row in a link with children per parent, and the row's place among them; `entity` is the first
    /// child.
    pub(crate) fn places_by(
        &self,
        table: usize,
        link: usize,
        rows: &Rows,
    ) -> Result<Vec<(u64, Place)>, Error> {
        let link = &self.0[table].links[link];
        let Places { parents, ordinals, counts } = self.places(link, link.per_parent()?, rows)?;
        let place =
            |(((row, parent), ordinal), count)| (parent, Place { entity: row - ordinal, ordinal, count });
        Ok(rows.iter().zip(parents).zip(ordinals).zip(counts).map(place).collect())
    }

    /// The children of parents in a link with children per parent.
    pub(crate) fn children_by(
        &self,
        table: usize,
        link: usize,
        parents: &Rows,
    ) -> Result<Vec<Range<u64>>, Error> {
        let link = &self.0[table].links[link];
        self.children_of(link, link.per_parent()?, parents)
    }

    /// Sums of a column of weights up to each row; or what is wrong with them.
    pub(crate) fn weights(&self, table: usize, column: usize) -> Result<Result<Vec<f64>, String>, Error> {
        let rows = self.0[table].rows;
        let (mut sums, mut total) = (Vec::with_capacity(rows as usize), 0.0);
        for start in (0..rows).step_by(BLOCK_ROWS) {
            let range = start..rows.min(start + BLOCK_ROWS as u64);
            let series = self.frame(table, &Rows::Range(range), &[column])?.remove(0);
            let series = series.cast(&DataType::Float64).map_err(|e| Error::Internal(e.to_string()))?;
            let values = series.f64().map_err(|e| Error::Internal(e.to_string()))?;
            for (at, value) in values.iter().enumerate() {
                let weight = value.unwrap_or(0.0);
                if !(weight >= 0.0 && weight.is_finite()) {
                    return Ok(Err(format!("row {} has the weight {weight}", start + at as u64)));
                }
                total += weight;
                sums.push(total);
            }
        }
        Ok(if total > 0.0 { Ok(sums) } else { Err("no row has a weight above 0".into()) })
    }

    /// Fills the hidden columns of a link: the parent's row, and the place among its children where that is read.
    pub(crate) fn fill_link(
        &self,
        table: usize,
        link: usize,
        rows: &Rows,
        attempt: u32,
        filled: &mut [Option<Series>],
    ) -> Result<(), Error> {
        let link = &self.0[table].links[link];
        let stream = link.seed.stream().with_attempt(attempt);
        let mut parents = Vec::with_capacity(rows.len());
        match &link.mode {
            Mode::Pending => return Err(Error::Internal(format!("link `{}` is not ready", link.name))),
            Mode::Uniform(size) => stream.for_each_word(rows, 0, |word| parents.push(below(word, *size))),
            Mode::Zipf(law, popular) => stream.for_each_word(rows, 0, |word| {
                parents.push(popular.apply(law.quantile(open01(word)) as u64 - 1));
            }),
            Mode::Weight(sums) => {
                let total = sums.last().copied().unwrap_or(0.0);
                stream.for_each_word(rows, 0, |word| {
                    let at = open01(word) * total;
                    parents.push(sums.partition_point(|sum| *sum <= at) as u64);
                });
            }
            Mode::Earlier => {
                let mut at = 0;
                stream.for_each_word(rows, 0, |word| {
                    parents.push(below(word, rows.get(at)));
                    at += 1;
                });
            }
            Mode::Computed { column, parents: size, .. } => {
                let computed = filled[*column].as_ref().expect("the plan fills inputs first");
                for (at, parent) in
                    computed.i64().map_err(|e| Error::Internal(e.to_string()))?.iter().enumerate()
                {
                    let Some(parent) = parent else {
                        parents.push(0);
                        continue;
                    };
                    match u64::try_from(parent).ok().filter(|parent| parent < size) {
                        Some(parent) => parents.push(parent),
                        None => {
                            let message = format!(
                                "row {}: the link `{}` computes row {parent} of `{}`, which has {size} rows",
                                rows.get(at),
                                link.name,
                                self.0[link.parent].name
                            );
                            return Err(self.error(table, *column, message));
                        }
                    }
                }
            }
            Mode::Combination { all, part } => all.for_each(rows, |number| parents.push(part.of(number))),
            Mode::PerParent(per) => {
                let places = self.places(link, per, rows)?;
                for (column, values) in [(link.ordinal, places.ordinals), (link.count, places.counts)] {
                    if let Some(column) = column {
                        filled[column] = Some(whole(values));
                    }
                }
                parents = places.parents;
            }
            Mode::Within { within, seed, combinations, part } => {
                let other = &self.0[table].links[*within];
                let Mode::PerParent(per) = &other.mode else {
                    return Err(Error::Internal(format!("link `{}` has no places", other.name)));
                };
                let places = self.places(other, per, rows)?;
                let mut known: Option<(u64, Permutation)> = None;
                for (parent, ordinal) in places.parents.into_iter().zip(places.ordinals) {
                    if known.as_ref().is_none_or(|(of, _)| *of != parent) {
                        known = Some((parent, Permutation::new(*combinations, seed.derive_index(parent))));
                    }
                    let (_, all) = known.as_ref().expect("made just above");
                    parents.push(part.of(all.apply(ordinal)));
                }
            }
        }
        let mut series = whole(parents);
        if let Mode::Computed { column, nullable: true, .. } = &link.mode {
            let missing = filled[*column].as_ref().map(|computed| computed.is_not_null());
            let kept = missing
                .into_iter()
                .flat_map(|m| m.iter().map(|v| v.unwrap_or(false)).collect::<Vec<_>>())
                .collect();
            series = array::with_validity(series, kept).map_err(|f: Failure| Error::Internal(f.message))?;
        }
        if link.null > 0.0 || matches!(link.mode, Mode::Earlier) {
            let limit = crate::pick::threshold(link.null);
            let mut words = Vec::new();
            link.seed.derive("null").stream().with_attempt(attempt).fill_words(rows, 0, &mut words);
            let first = matches!(link.mode, Mode::Earlier);
            let kept = rows
                .iter()
                .zip(words)
                .map(|(row, word)| u128::from(word) >= limit && !(first && row == 0))
                .collect();
            series = array::with_validity(series, kept).map_err(|f: Failure| Error::Internal(f.message))?;
        }
        filled[link.row] = Some(series);
        Ok(())
    }

    /// Fills all wanted columns that are a parent's through one link: the parents' cells are made again, each parent once.
    pub(crate) fn fill_inherited(
        &self,
        table: usize,
        link: usize,
        wanted: &[(usize, usize)],
        filled: &mut [Option<Series>],
    ) -> Result<(), Error> {
        let internal = |error: PolarsError| Error::Internal(error.to_string());
        let link = &self.0[table].links[link];
        let numbers = filled[link.row].as_ref().expect("the link is filled first");
        let numbers = numbers.i64().map_err(internal)?;
        let mut parents: Vec<u64> = numbers.iter().flatten().map(|row| row as u64).collect();
        if !parents.is_sorted() {
            parents.sort_unstable();
        }
        parents.dedup();
        let positions: IdxCa = numbers
            .iter()
            .map(|row| row.map(|row| parents.partition_point(|parent| *parent < row as u64) as IdxSize))
            .collect();
        let rows = match (parents.first(), parents.last()) {
            (Some(first), Some(last)) if last - first + 1 == parents.len() as u64 => {
                Rows::Range(*first..last + 1)
            }
            _ => Rows::from(parents),
        };
        let columns: Vec<usize> = wanted.iter().map(|(_, column)| *column).collect();
        let values = self.frame(link.parent, &rows, &columns)?;
        for ((own, _), series) in wanted.iter().zip(values) {
            filled[*own] = Some(series.take(&positions).map_err(internal)?);
        }
        Ok(())
    }
}

/// Whole numbers below 2^63.
fn whole(values: Vec<u64>) -> Series {
    array::ints(values.into_iter().map(|value| value as i64).collect())
}

/// A column that says something of each row's children.
pub(crate) struct Children {
    /// The children's table.
    pub table: usize,
    /// Their link to this table.
    pub link: usize,
    pub aggregate: Aggregate,
    /// Their column; none to count the children themselves.
    pub column: Option<usize>,
    /// The values for all parents, where children pick their parents: made in one pass over the children, once.
    held: OnceLock<Result<Series, Error>>,
}

impl Children {
    pub fn new(table: usize, link: usize, aggregate: Aggregate, column: Option<usize>) -> Children {
        Children { table, link, aggregate, column, held: OnceLock::new() }
    }

    /// The type of the values, from the children's column; or what is wrong with it.
    pub fn output(&self, column: Option<&Output>) -> Result<Output, String> {
        let name = self.aggregate.name();
        let Some(output) = column else {
            return match self.aggregate {
                Aggregate::Count => Ok(Output::of(Type::Int)),
                _ => Err(format!("`{name}` needs a column of the children")),
            };
        };
        let ty = match (self.aggregate, output.ty) {
            (Aggregate::Count, _) => return Ok(Output::of(Type::Int)),
            (Aggregate::Sum, Type::Bool | Type::Int) => Type::Int,
            (Aggregate::Sum, ty @ (Type::Float | Type::Decimal(_) | Type::Duration)) => ty,
            (Aggregate::Avg, Type::Bool | Type::Int | Type::Float | Type::Decimal(_)) => Type::Float,
            (Aggregate::Avg, Type::Duration) => Type::Duration,
            (Aggregate::Min | Aggregate::Max, ty) if ty != Type::Text && ty != Type::Bool => ty,
            (_, ty) => return Err(format!("there is no `{name}` of {ty}")),
        };
        Ok(Output { nullable: true, ..Output::of(ty) })
    }
}

/// What is gathered of one parent's children.
#[derive(Clone, Copy, Default)]
struct Gathered {
    /// Children with a value.
    count: u64,
    whole: i128,
    float: f64,
}

/// The values of a children's column, in the form in which they are added up.
enum Values {
    /// Only whether there is a value.
    Present(Vec<bool>),
    Whole(Vec<Option<i128>>),
    Floats(Vec<Option<f64>>),
}

impl Gathered {
    fn add(&mut self, values: &Values, at: usize, aggregate: Aggregate) {
        let first = self.count == 0;
        match values {
            Values::Present(present) => self.count += u64::from(present[at]),
            Values::Whole(values) => {
                let Some(value) = values[at] else { return };
                self.count += 1;
                self.whole = match aggregate {
                    Aggregate::Min if !first => self.whole.min(value),
                    Aggregate::Max if !first => self.whole.max(value),
                    Aggregate::Min | Aggregate::Max => value,
                    // 2^63 children of 2^63 each fit.
                    _ => self.whole + value,
                };
            }
            Values::Floats(values) => {
                let Some(value) = values[at] else { return };
                self.count += 1;
                self.float = match aggregate {
                    Aggregate::Min if !first => self.float.min(value),
                    Aggregate::Max if !first => self.float.max(value),
                    Aggregate::Min | Aggregate::Max => value,
                    _ => self.float + value,
                };
            }
        }
    }
}

impl Tables {
    /// Fills a column that says something of each row's children.
    pub(crate) fn fill_children(
        &self,
        table: usize,
        column: usize,
        children: &Children,
        rows: &Rows,
    ) -> Result<Series, Error> {
        let link = &self.0[children.table].links[children.link];
        if let Mode::PerParent(per) = &link.mode {
            let ranges = self.children_of(link, per, rows)?;
            let mut gathered = vec![Gathered::default(); rows.len()];
            // Neighbouring parents have neighbouring children, which are made together.
            let mut from = 0;
            while from < ranges.len() {
                let mut to = from + 1;
                while to < ranges.len()
                    && ranges[to].start == ranges[to - 1].end
                    && ranges[to].end - ranges[from].start <= BLOCK_ROWS as u64
                {
                    to += 1;
                }
                let (mut at, end) = (ranges[from].start, ranges[to - 1].end);
                let mut parent = from;
                while at < end {
                    let block = at..end.min(at + BLOCK_ROWS as u64);
                    at = block.end;
                    let values = self.values(children, &Rows::Range(block.clone()))?;
                    for child in block.clone() {
                        while ranges[parent].end <= child {
                            parent += 1;
                        }
                        gathered[parent].add(&values, (child - block.start) as usize, children.aggregate);
                    }
                }
                from = to;
            }
            return self.aggregated(table, column, children, &gathered);
        }
        let held = children.held.get_or_init(|| {
            let mut gathered = vec![Gathered::default(); self.0[table].rows as usize];
            let count = self.0[children.table].rows;
            for start in (0..count).step_by(BLOCK_ROWS) {
                let block = Rows::Range(start..count.min(start + BLOCK_ROWS as u64));
                let mut wanted = vec![link.row];
                wanted.extend(children.column);
                let mut series = self.frame(children.table, &block, &wanted)?;
                let values = match children.column {
                    Some(_) => self.values_of(children, &series.remove(1))?,
                    None => Values::Present(vec![true; block.len()]),
                };
                let parents = series[0].i64().map_err(|e| Error::Internal(e.to_string()))?;
                for (at, parent) in parents.iter().enumerate() {
                    if let Some(parent) = parent {
                        gathered[parent as usize].add(&values, at, children.aggregate);
                    }
                }
            }
            self.aggregated(table, column, children, &gathered)
        });
        let held = held.as_ref().map_err(Clone::clone)?;
        match rows {
            Rows::Range(range) => Ok(held.slice(range.start as i64, rows.len())),
            Rows::List(list) => {
                let positions: Vec<IdxSize> = list.iter().map(|row| *row as IdxSize).collect();
                held.take_slice(&positions).map_err(|e| Error::Internal(e.to_string()))
            }
        }
    }

    fn values(&self, children: &Children, rows: &Rows) -> Result<Values, Error> {
        match children.column {
            None => Ok(Values::Present(vec![true; rows.len()])),
            Some(column) => self.values_of(children, &self.frame(children.table, rows, &[column])?.remove(0)),
        }
    }

    fn values_of(&self, children: &Children, series: &Series) -> Result<Values, Error> {
        let internal = |error: PolarsError| Error::Internal(error.to_string());
        if children.aggregate == Aggregate::Count {
            return Ok(Values::Present(series.is_not_null().iter().map(|v| v.unwrap_or(false)).collect()));
        }
        let physical = series.to_physical_repr();
        Ok(match physical.dtype() {
            DataType::Float64 => Values::Floats(physical.f64().map_err(internal)?.iter().collect()),
            DataType::Int128 => Values::Whole(physical.i128().map_err(internal)?.iter().collect()),
            _ => {
                let whole = physical.cast(&DataType::Int64).map_err(internal)?;
                Values::Whole(whole.i64().map_err(internal)?.iter().map(|v| v.map(i128::from)).collect())
            }
        })
    }

    fn aggregated(
        &self,
        table: usize,
        column: usize,
        children: &Children,
        gathered: &[Gathered],
    ) -> Result<Series, Error> {
        let ty = self.0[table].columns[column].output.ty;
        if children.aggregate == Aggregate::Count {
            return Ok(whole(gathered.iter().map(|g| g.count).collect()));
        }
        let source = children.column.map(|at| self.0[children.table].columns[at].output.ty);
        let some = |g: &Gathered| g.count > 0;
        let mean = children.aggregate == Aggregate::Avg;
        let series = match (ty, source) {
            (Type::Float, Some(Type::Float)) => {
                let value =
                    |g: &Gathered| some(g).then(|| if mean { g.float / g.count as f64 } else { g.float });
                let finite = |value: f64| value.is_finite().then_some(value);
                gathered.iter().map(|g| value(g).and_then(finite)).collect::<Float64Chunked>().into_series()
            }
            (Type::Float, source) => {
                let scale =
                    if let Some(Type::Decimal(scale)) = source { 10f64.powi(i32::from(scale)) } else { 1.0 };
                let value = |g: &Gathered| some(g).then(|| g.whole as f64 / scale / g.count as f64);
                gathered.iter().map(value).collect::<Float64Chunked>().into_series()
            }
            (Type::Decimal(scale), _) => gathered
                .iter()
                .map(|g| some(g).then_some(g.whole))
                .collect::<Int128Chunked>()
                .into_decimal_unchecked(array::DECIMAL_PRECISION, usize::from(scale))
                .into_series(),
            _ => {
                let value = |g: &Gathered| {
                    let whole = if mean { g.whole / i128::from(g.count.max(1)) } else { g.whole };
                    // A sum that does not fit is NULL, as everywhere in expressions.
                    some(g).then(|| i64::try_from(whole).ok()).flatten()
                };
                let values: Int64Chunked = gathered.iter().map(value).collect();
                let target = array::dtype_of(ty);
                let series = values.into_series();
                match ty {
                    Type::Date => series.cast(&DataType::Int32).and_then(|days| days.cast(&target)),
                    _ => series.cast(&target),
                }
                .map_err(|e| Error::Internal(e.to_string()))?
            }
        };
        Ok(series)
    }
}
