//! One table against its rules.

use std::collections::BTreeMap;

use lookalike_core::Rows;
use lookalike_core::declared::{self, Facts, MUST_BE_NULL, Promise, Spread};
use lookalike_ruleset::expect::{Expectation, On};
use lookalike_ruleset::{TableSchema, Type};
use polars::prelude::*;

use super::FALSE_ALARM;
use super::expects::ExpectFound;
use super::keys::{Keys, MOST_CHILDREN, met, repeated};
use super::metrics;
use super::probability::{self, PairSums, adjust, dkw, dkw_two_samples, two_shares};
use crate::cells::{Cells, Map, number_text};
use crate::charts::{Anomalies, AnomalyKind, Chart, ChartData, Profile};
use crate::model::{Check, ColumnReport, Metric, TableReport, Verdict};
use crate::statistics::sample::Sample;
use crate::statistics::{Declared, Numbers, Picture, Statistics};
use crate::text::{grouped, number};

/// Places at which distribution functions are compared.
const EDGES: usize = 1024;

/// Shares up to so many categories are compared one by one.
const CATEGORIES: usize = 10_000;

/// Groups of grouped statistics.
const GROUPS: usize = 50;

/// What a table must be.
#[derive(Clone, Debug)]
pub struct TableRules {
    /// The columns as written, with anomalies and labels.
    pub schema: TableSchema,
    /// The columns without anomalies, which can make other types of them.
    pub clean: TableSchema,
    /// What the table is, for readers.
    pub about: Option<String>,
    /// What is declared.
    pub declared: declared::Table,
    /// What is expected of it.
    pub expects: Vec<Expectation>,
    /// Rows of the same ruleset made with another seed; for columns whose law is not known in closed form.
    pub twin: Option<DataFrame>,
    /// Column by whose values statistics are grouped.
    pub by: Option<String>,
    /// Whether the rows are all of the table's, so that quotas are exact.
    pub whole: bool,
    /// Whether quotas of anomalies are exact.
    pub exact_anomalies: bool,
    /// Rows without anomalies are known; else only those without a label are looked at, and laws are not tested.
    pub clean_known: bool,
}

/// Which columns of which tables are keys for each other.
#[derive(Clone, Debug, Default)]
pub struct Links {
    /// For each table, by name, the groups of columns whose keys are collected.
    wanted: BTreeMap<String, Vec<Vec<String>>>,
    /// Child, columns, parent, columns, the reference, and whether it is the key alone.
    ties: Vec<Tie>,
}

#[derive(Clone, Debug)]
struct Tie {
    child: String,
    columns: Vec<String>,
    parent: String,
    parent_columns: Vec<String>,
    children: Option<Spread>,
}

impl Links {
    /// The links among some tables.
    pub fn of<'a>(tables: impl IntoIterator<Item = &'a TableRules> + Clone) -> Links {
        let mut links = Links::default();
        let known: Vec<&str> = tables.clone().into_iter().map(|table| table.schema.table.as_str()).collect();
        for table in tables {
            let name = &table.schema.table;
            for column in table.declared.columns.iter().filter(|column| column.unique) {
                links.want(name, vec![column.name.clone()]);
            }
            for key in table
                .declared
                .references
                .iter()
                .filter(|key| key.is_key && known.contains(&key.parent.as_str()))
            {
                let others = table.declared.references.iter().filter(|other| {
                    other.link == key.link && other.column != key.column && other.parent == key.parent
                });
                let alone = std::iter::once((vec![key.column.clone()], vec![key.parent_column.clone()]));
                let pairs = others.map(|other| {
                    let parents = vec![key.parent_column.clone(), other.parent_column.clone()];
                    (vec![key.column.clone(), other.column.clone()], parents)
                });
                for (columns, parent_columns) in alone.chain(pairs) {
                    links.want(name, columns.clone());
                    links.want(&key.parent, parent_columns.clone());
                    let children = (columns.len() == 1).then(|| key.children.clone()).flatten();
                    links.ties.push(Tie {
                        child: name.clone(),
                        columns,
                        parent: key.parent.clone(),
                        parent_columns,
                        children,
                    });
                }
            }
        }
        links
    }

    fn want(&mut self, table: &str, columns: Vec<String>) {
        let wanted = self.wanted.entry(table.to_owned()).or_default();
        if !wanted.contains(&columns) {
            wanted.push(columns);
        }
    }

    fn of_table(&self, table: &str) -> &[Vec<String>] {
        self.wanted.get(table).map_or(&[], Vec::as_slice)
    }
}

/// A table's rules, ready to look at rows.
pub struct Prepared {
    rules: TableRules,
    columns: Vec<PreparedColumn>,
    keys: Vec<Vec<String>>,
    pairs: Vec<PreparedPair>,
    /// Rows that will be looked at.
    rows: u64,
}

struct PreparedColumn {
    ty: Type,
    leaves: Vec<PreparedLeaf>,
    twin: Option<Twin>,
}

struct PreparedLeaf {
    fit: PreparedFit,
    /// Values outside are wrong.
    range: Option<(f64, f64)>,
    /// Values other than these are wrong.
    values: Option<Vec<f64>>,
    /// Cycles of time with the share of each place.
    cycles: Vec<(Cycle, Vec<f64>)>,
}

enum PreparedFit {
    None,
    Numbers(Vec<f64>),
    Shares(Map<String, u32>),
}

/// A sample of the truth.
enum Twin {
    Numbers { edges: Vec<f64>, below: Vec<u64>, rows: u64, nulls: u64 },
    Lengths { edges: Vec<f64>, below: Vec<u64>, rows: u64, nulls: u64 },
    Shares { names: Map<String, u32>, counts: Vec<u64>, rows: u64, nulls: u64 },
}

struct PreparedPair {
    at: [usize; 2],
    /// Edges of each column, and the middle rank of each bin less a half.
    edges: [Vec<f64>; 2],
    ranks: [Vec<f64>; 2],
    wanted: f64,
}

/// A cycle of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cycle {
    Hour,
    Weekday,
    Month,
}

impl Cycle {
    fn places(self) -> usize {
        match self {
            Cycle::Hour => 24,
            Cycle::Weekday => 7,
            Cycle::Month => 12,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Cycle::Hour => "hour of the day (UTC)",
            Cycle::Weekday => "day of the week (UTC)",
            Cycle::Month => "month (UTC)",
        }
    }

    fn label(self, at: usize) -> String {
        const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
        const MONTHS: [&str; 12] =
            ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
        match self {
            Cycle::Hour => format!("{at:02}"),
            Cycle::Weekday => DAYS[at].to_owned(),
            Cycle::Month => MONTHS[at].to_owned(),
        }
    }

    /// The place of a number of days since 1970-01-01 with its fraction.
    fn place(self, days: f64) -> usize {
        let day = days.floor() as i64;
        match self {
            Cycle::Hour => (((days - days.floor()) * 24.0 + 1e-9) as usize).min(23),
            // 1970-01-01 was a Thursday.
            Cycle::Weekday => (day + 3).rem_euclid(7) as usize,
            Cycle::Month => {
                // H. Hinnant, "chrono-compatible low-level date algorithms": civil_from_days.
                let z = day + 719_468;
                let doe = z.rem_euclid(146_097);
                let yoe = (doe - doe / 1460 + doe / 36_524 - doe / 146_096) / 365;
                let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
                let mp = (5 * doy + 2) / 153;
                (if mp < 10 { mp + 2 } else { mp - 10 }) as usize
            }
        }
    }
}

/// Days in a unit of a column of times; none of other types.
fn in_days(ty: Type) -> Option<f64> {
    match ty {
        Type::Date => Some(1.0),
        Type::Datetime => Some(1.0 / 86_400e6),
        _ => None,
    }
}

/// The cycles of a law of times, with the share of each place; only those that the span of time runs through.
fn cycles(spread: &Spread, ty: Type) -> Vec<(Cycle, Vec<f64>)> {
    const LONGEST: f64 = 3.0 * 366.0;
    let Some(unit) = in_days(ty) else { return Vec::new() };
    let (low, high) = spread.support();
    let (first, last) = (low * unit, high * unit);
    if !(first.is_finite() && last.is_finite()) || last - first > 40.0 * 366.0 {
        return Vec::new();
    }
    let per_day = if ty == Type::Datetime && last - first <= LONGEST { 24.0 } else { 1.0 };
    let mut found: Vec<(Cycle, Vec<f64>)> = Vec::new();
    let mut want = |cycle: Cycle| found.push((cycle, vec![0.0; cycle.places()]));
    if per_day > 1.0 && last - first >= 2.0 {
        want(Cycle::Hour);
    }
    if last - first >= 14.0 {
        want(Cycle::Weekday);
    }
    if last - first >= 365.0 {
        want(Cycle::Month);
    }
    if found.is_empty() {
        return found;
    }
    let mut before = 0.0;
    let (start, end) = ((first * per_day).floor() as i64, (last * per_day).floor() as i64);
    for step in start..=end {
        let next = (step + 1) as f64 / per_day / unit;
        // Everything before the step's end; values on a grid never lie half a microsecond or day off it.
        let upto = if step == end { 1.0 } else { spread.cdf(next - 0.5) };
        let share = (upto - before).max(0.0);
        before = upto;
        let day = (step as f64 + 0.5) / per_day;
        found.iter_mut().for_each(|(cycle, shares)| shares[cycle.place(day)] += share);
    }
    found
}

impl Prepared {
    /// Gets ready.
    ///
    /// # Errors
    /// When the twin lacks a column.
    pub fn new(rules: TableRules, links: &Links, rows: u64) -> PolarsResult<Prepared> {
        let edges = EDGES.min((rows as usize).saturating_mul(2).max(64));
        let mut columns = Vec::new();
        for column in &rules.declared.columns {
            let field = rules.clean.fields.iter().find(|field| field.name == column.name);
            let ty = field.map_or(Type::Text, |field| field.ty);
            let leaves = column.leaves.iter().map(|leaf| {
                let independent = leaf.independent && rules.clean_known;
                let (range, values) = match &leaf.promise {
                    Promise::Spread(spread) => (Some(spread.support()), spread.values(1000)),
                    _ => (None, None),
                };
                let fit = match &leaf.promise {
                    Promise::Spread(spread) if independent => PreparedFit::Numbers(spread.edges(edges)),
                    // Without a test the set of values is still checked.
                    Promise::Shares(shares) if shares.len() <= CATEGORIES => {
                        let index = shares.iter().enumerate();
                        PreparedFit::Shares(index.map(|(at, (name, _))| (name.clone(), at as u32)).collect())
                    }
                    _ => PreparedFit::None,
                };
                let cycles = match &leaf.promise {
                    Promise::Spread(spread) if independent => cycles(spread, ty),
                    _ => Vec::new(),
                };
                PreparedLeaf { fit, range, values, cycles }
            });
            let leaves: Vec<PreparedLeaf> = leaves.collect();
            let tested = column
                .leaves
                .iter()
                .all(|leaf| leaf.independent || matches!(leaf.promise, Promise::Computed));
            let twin = match &rules.twin {
                Some(twin) if column.rows_independent && !tested && !column.unique && rules.clean_known => {
                    Some(Twin::new(twin.column(&column.name)?.as_materialized_series(), edges)?)
                }
                _ => None,
            };
            columns.push(PreparedColumn { ty, leaves, twin });
        }
        let pairs = rules.declared.correlations.iter().filter_map(|pair| {
            let of = |name: &String| rules.declared.columns.iter().position(|column| column.name == *name);
            let at = [of(&pair.columns[0])?, of(&pair.columns[1])?];
            let spread = |at: usize| match rules.declared.columns[at].leaves.as_slice() {
                [declared::Leaf { promise: Promise::Spread(spread), .. }] => Some(spread),
                _ => None,
            };
            let spreads = [spread(at[0])?, spread(at[1])?];
            if !rules.clean_known || !rules.declared.requires.is_empty() {
                return None;
            }
            let edges = spreads.map(|spread| spread.edges(EDGES));
            let ranks = [0, 1].map(|side| {
                let upto: Vec<f64> = edges[side].iter().map(|edge| spreads[side].cdf(*edge)).collect();
                let from = std::iter::once(0.0).chain(upto.iter().copied());
                from.zip(upto.iter().copied().chain([1.0])).map(|(a, b)| (a + b) / 2.0 - 0.5).collect()
            });
            Some(PreparedPair { at, edges, ranks, wanted: pair.spearman.unwrap_or(pair.grade) })
        });
        let pairs: Vec<PreparedPair> = pairs.collect();
        let keys = links.of_table(&rules.schema.table).to_vec();
        Ok(Prepared { columns, keys, pairs, rows, rules })
    }

    /// The rules.
    pub fn rules(&self) -> &TableRules {
        &self.rules
    }
}

/// Some rows: as they are, without their anomalies, and what the engine says of them.
pub struct View<'a> {
    /// Number of the first.
    pub first: u64,
    /// As they are in the file.
    pub rows: &'a DataFrame,
    /// Without anomalies: the same rows restored, or where that is not possible those without a label.
    pub clean: &'a DataFrame,
    /// Numbers of the clean rows.
    pub numbers: &'a Rows,
    /// What is known of the clean rows.
    pub facts: &'a Facts,
    /// Of each expectation with a condition, whether it holds in each of its rows.
    pub conditions: &'a [Option<Vec<Option<bool>>>],
}

/// Values that should not be.
#[derive(Clone, Debug, Default)]
struct Odd {
    count: u64,
    /// Row and value of the first.
    first: Option<(u64, String)>,
}

impl Odd {
    fn add(&mut self, row: u64, value: impl FnOnce() -> String) {
        self.count += 1;
        if self.first.is_none() {
            self.first = Some((row, value()));
        }
    }

    fn merge(&mut self, other: Odd) {
        self.count += other.count;
        self.first = self.first.take().or(other.first);
    }
}

#[derive(Clone, Debug, Default)]
struct LeafFound {
    rows: u64,
    nulls: u64,
    counts: Vec<u64>,
    cycles: Vec<Vec<u64>>,
    out_of_range: Odd,
    unmatched: Odd,
}

#[derive(Clone, Debug)]
struct ColumnFound {
    statistics: Statistics,
    nulls: Odd,
    leaves: Vec<LeafFound>,
    not_null: Odd,
    wrong: Odd,
    expected: Option<String>,
    twin: Vec<u64>,
    clean_rows: u64,
    clean_nulls: u64,
}

/// What was found in some rows.
pub struct Found {
    rows: u64,
    columns: Vec<ColumnFound>,
    /// Columns of the schema that are not declared: labels.
    labels: Vec<Statistics>,
    missed: Vec<Odd>,
    pairs: Vec<PairSums>,
    keys: Vec<Keys>,
    anomalies: BTreeMap<String, u64>,
    parts: BTreeMap<String, u64>,
    groups: BTreeMap<String, Vec<(u64, u64, Numbers)>>,
    marks: Odd,
    marked: u64,
    sample: Sample,
    expects: Vec<ExpectFound>,
}

impl Found {
    /// Adds what was found in the rows after these.
    ///
    /// # Errors
    /// When a temporary file cannot be written.
    pub fn merge(&mut self, other: Found) -> std::io::Result<()> {
        self.rows += other.rows;
        for (own, other) in self.columns.iter_mut().zip(other.columns) {
            own.statistics.merge(&other.statistics);
            own.nulls.merge(other.nulls);
            for (own, other) in own.leaves.iter_mut().zip(other.leaves) {
                own.rows += other.rows;
                own.nulls += other.nulls;
                own.counts.iter_mut().zip(other.counts).for_each(|(own, other)| *own += other);
                for (own, other) in own.cycles.iter_mut().zip(other.cycles) {
                    own.iter_mut().zip(other).for_each(|(own, other)| *own += other);
                }
                own.out_of_range.merge(other.out_of_range);
                own.unmatched.merge(other.unmatched);
            }
            own.not_null.merge(other.not_null);
            own.expected = own.expected.take().or(other.expected);
            own.wrong.merge(other.wrong);
            own.twin.iter_mut().zip(other.twin).for_each(|(own, other)| *own += other);
            own.clean_rows += other.clean_rows;
            own.clean_nulls += other.clean_nulls;
        }
        self.labels.iter_mut().zip(&other.labels).for_each(|(own, other)| own.merge(other));
        self.missed.iter_mut().zip(other.missed).for_each(|(own, other)| own.merge(other));
        self.pairs.iter_mut().zip(&other.pairs).for_each(|(own, other)| own.merge(other));
        self.keys.iter_mut().zip(other.keys).try_for_each(|(own, other)| own.merge(other))?;
        for (name, count) in other.anomalies {
            *self.anomalies.entry(name).or_default() += count;
        }
        for (name, count) in other.parts {
            *self.parts.entry(name).or_default() += count;
        }
        for (name, theirs) in other.groups {
            if let Some(own) = self.groups.get_mut(&name) {
                for (own, other) in own.iter_mut().zip(theirs) {
                    own.0 += other.0;
                    own.1 += other.1;
                    own.2.merge(&other.2);
                }
            } else if self.groups.len() < GROUPS {
                self.groups.insert(name, theirs);
            }
        }
        self.marks.merge(other.marks);
        self.marked += other.marked;
        self.sample.merge(other.sample);
        self.expects.iter_mut().zip(other.expects).try_for_each(|(own, other)| own.merge(other))
    }

    /// Notes how marks and rows agree.
    pub fn note_marks(&mut self, checked: u64, wrong: u64, example: Option<(u64, String)>) {
        self.marked += checked;
        self.marks.merge(Odd { count: wrong, first: example });
    }
}

impl Prepared {
    /// Looks at some rows.
    ///
    /// # Errors
    /// When a column is missing or of a type that cannot be read, or a temporary file cannot be written.
    pub fn look(&self, view: &View<'_>) -> PolarsResult<Found> {
        let rules = &self.rules;
        let mut columns = Vec::with_capacity(self.columns.len());
        for (at, (column, prepared)) in rules.declared.columns.iter().zip(&self.columns).enumerate() {
            columns.push(self.look_at_column(view, at, column, prepared)?);
        }
        let mut labels = Vec::new();
        for field in &rules.schema.fields {
            if !rules.declared.columns.iter().any(|column| column.name == field.name) {
                let mut statistics = Statistics::new(field.ty);
                statistics.add(&Cells::of(view.rows.column(&field.name)?.as_materialized_series())?);
                labels.push(statistics);
            }
        }
        let missed = (0..rules.declared.requires.len()).map(|at| {
            let rows = view.facts.missed.get(at).map_or(&[][..], Vec::as_slice);
            let mut odd = Odd::default();
            rows.iter().for_each(|row| odd.add(view.numbers.get(*row as usize), String::new));
            odd
        });
        let missed = missed.collect();
        let mut pairs = Vec::new();
        for pair in &self.pairs {
            let mut sums = PairSums::default();
            let of = |side: usize| -> PolarsResult<Cells> {
                let name = &rules.declared.columns[pair.at[side]].name;
                Cells::of(view.clean.column(name)?.as_materialized_series())
            };
            if let (Cells::Numbers(a), Cells::Numbers(b)) = (of(0)?, of(1)?) {
                let rank = |side: usize, x: f64| {
                    pair.ranks[side][pair.edges[side].partition_point(|edge| *edge < x)]
                };
                for (a, b) in a.iter().zip(b.iter()) {
                    if let (Some(a), Some(b)) = (a, b) {
                        sums.add(rank(0, a), rank(1, b));
                    }
                }
            }
            pairs.push(sums);
        }
        let mut keys = Vec::new();
        for names in &self.keys {
            let mut found = Keys::default();
            let series = names
                .iter()
                .map(|name| Ok(view.clean.column(name)?.as_materialized_series()))
                .collect::<PolarsResult<Vec<_>>>()?;
            found
                .add(&series, view.numbers)
                .map_err(|error| PolarsError::ComputeError(error.to_string().into()))?;
            keys.push(found);
        }
        let counted = |name: &str, frame: &DataFrame| -> PolarsResult<BTreeMap<String, u64>> {
            let mut counts = BTreeMap::new();
            match Cells::of(frame.column(name)?.as_materialized_series())? {
                Cells::Codes { codes, names } => {
                    let mut of_code = vec![0u64; names.len()];
                    codes.iter().flatten().for_each(|code| of_code[*code as usize] += 1);
                    counts.extend(names.into_iter().zip(of_code).filter(|(_, count)| *count > 0));
                }
                Cells::Texts(texts) => {
                    for text in texts.iter().flatten() {
                        match counts.get_mut(text) {
                            Some(count) => *count += 1,
                            None => {
                                counts.insert(text.to_owned(), 1);
                            }
                        }
                    }
                }
                _ => {}
            }
            Ok(counts)
        };
        let mut anomalies = BTreeMap::new();
        if let Some(label) = &rules.declared.label {
            for (labels, count) in counted(label, view.rows)? {
                // A row with several has their names joined.
                labels.split('+').for_each(|name| *anomalies.entry(name.to_owned()).or_default() += count);
            }
        }
        let parts = match &rules.declared.parts {
            Some((label, _)) => counted(label, view.clean)?,
            None => BTreeMap::new(),
        };
        let groups = match &rules.by {
            Some(by) => self.groups(view.rows, by)?,
            None => BTreeMap::new(),
        };
        let rows = view.rows.height() as u64;
        let mut expects = Vec::new();
        for (at, expectation) in rules.expects.iter().enumerate() {
            let clean = expectation.on == On::Clean;
            let numbers = Rows::Range(view.first..view.first + rows);
            let (frame, numbers) = if clean { (view.clean, view.numbers) } else { (view.rows, &numbers) };
            let condition = view.conditions.get(at).and_then(Option::as_deref);
            expects.push(ExpectFound::look(expectation, &rules.schema, frame, numbers, condition)?);
        }
        Ok(Found {
            rows,
            columns,
            labels,
            missed,
            pairs,
            keys,
            anomalies,
            parts,
            groups,
            marks: Odd::default(),
            marked: 0,
            sample: Sample::of(&rules.schema.fields, view.rows, view.first, self.rows)?,
            expects,
        })
    }

    /// Statistics of every column of numbers by the values of another.
    #[expect(clippy::type_complexity, reason = "for each value, rows, values and numbers of the columns")]
    fn groups(
        &self,
        frame: &DataFrame,
        by: &str,
    ) -> PolarsResult<BTreeMap<String, Vec<(u64, u64, Numbers)>>> {
        let mut groups: BTreeMap<String, Vec<u32>> = BTreeMap::new();
        let field = self.rules.schema.fields.iter().find(|field| field.name == by);
        let ty = field.map_or(Type::Text, |field| field.ty);
        let cells = Cells::of(frame.column(by)?.as_materialized_series())?;
        for row in 0..frame.height() {
            let name = match &cells {
                Cells::Texts(texts) => texts.get(row).unwrap_or("null").to_owned(),
                Cells::Codes { codes, names } => {
                    codes[row].map_or_else(|| "null".to_owned(), |code| names[code as usize].clone())
                }
                cells => cells.text(row, ty),
            };
            if let Some(rows) = groups.get_mut(&name) {
                rows.push(row as u32);
            } else if groups.len() < GROUPS {
                groups.insert(name, vec![row as u32]);
            }
        }
        let mut found: BTreeMap<String, Vec<(u64, u64, Numbers)>> =
            groups.keys().map(|name| (name.clone(), Vec::new())).collect();
        for field in self.numeric_fields() {
            let Cells::Numbers(values) = Cells::of(frame.column(&field.name)?.as_materialized_series())?
            else {
                continue;
            };
            for (name, rows) in &groups {
                let mut numbers = Numbers::default();
                let mut nulls = 0;
                for row in rows {
                    match values.get(*row as usize) {
                        Some(value) => numbers.add(value),
                        None => nulls += 1,
                    }
                }
                if let Some(found) = found.get_mut(name) {
                    found.push((rows.len() as u64, nulls, numbers));
                }
            }
        }
        Ok(found)
    }

    fn numeric_fields(&self) -> impl Iterator<Item = &lookalike_ruleset::Field> {
        self.rules.schema.fields.iter().filter(|field| !matches!(field.ty, Type::Text | Type::Bool))
    }

    fn look_at_column(
        &self,
        view: &View<'_>,
        at: usize,
        column: &declared::Column,
        prepared: &PreparedColumn,
    ) -> PolarsResult<ColumnFound> {
        let ty = prepared.ty;
        let dirty = view.rows.column(&column.name)?.as_materialized_series();
        let dirty_cells = Cells::of(dirty)?;
        let field = self.rules.schema.fields.iter().find(|field| field.name == column.name);
        let mut statistics = Statistics::new(field.map_or(ty, |field| field.ty));
        statistics.add(&dirty_cells);
        let mut nulls = Odd::default();
        if field.is_some_and(|field| !field.nullable) && dirty.null_count() > 0 {
            for (row, is_null) in dirty_cells.nulls().into_iter().enumerate() {
                if is_null {
                    nulls.add(view.first + row as u64, || "null".to_owned());
                }
            }
        }
        let clean = view.clean.column(&column.name)?.as_materialized_series();
        let clean_cells = Cells::of(clean)?;
        let facts = view.facts.columns.get(at);
        let mut found = ColumnFound {
            statistics,
            nulls,
            leaves: Vec::new(),
            not_null: Odd::default(),
            wrong: Odd::default(),
            expected: None,
            twin: Vec::new(),
            clean_rows: clean.len() as u64,
            clean_nulls: clean.null_count() as u64,
        };
        let codes = facts.map_or(&[][..], |facts| facts.leaves.as_slice());
        let row_of = |row: usize| view.numbers.get(row);
        if let Some(facts) = facts {
            facts.wrong.iter().for_each(|row| {
                found.wrong.add(row_of(*row as usize), || clean_cells.text(*row as usize, ty));
            });
            if !facts.wrong.is_empty() {
                found.expected.clone_from(&facts.expected);
            }
        }
        if codes.contains(&MUST_BE_NULL) {
            let nulls = clean_cells.nulls();
            for (row, (code, is_null)) in codes.iter().zip(nulls).enumerate() {
                if *code == MUST_BE_NULL && !is_null {
                    found.not_null.add(row_of(row), || clean_cells.text(row, ty));
                }
            }
        }
        for (number, (leaf, prepared)) in column.leaves.iter().zip(&prepared.leaves).enumerate() {
            let mine = |row: usize| codes.get(row).map_or(number == 0, |code| *code == number as u32);
            found.leaves.push(look_at_leaf(leaf, prepared, &clean_cells, ty, clean.len(), &mine, &row_of));
        }
        if let Some(twin) = &prepared.twin {
            found.twin = twin.counts(&clean_cells);
        }
        Ok(found)
    }
}

fn look_at_leaf(
    leaf: &declared::Leaf,
    prepared: &PreparedLeaf,
    cells: &Cells,
    ty: Type,
    len: usize,
    mine: &dyn Fn(usize) -> bool,
    row_of: &dyn Fn(usize) -> u64,
) -> LeafFound {
    let counts = match &prepared.fit {
        PreparedFit::None => Vec::new(),
        PreparedFit::Numbers(edges) => vec![0; edges.len() + 1],
        PreparedFit::Shares(shares) => vec![0; shares.len()],
    };
    let cycles = prepared.cycles.iter().map(|(cycle, _)| vec![0; cycle.places()]).collect();
    let mut found = LeafFound { counts, cycles, ..LeafFound::default() };
    match cells {
        Cells::Numbers(values) => {
            let tolerance = |end: f64| end.abs().max(1e-9) * 1e-9;
            let range = prepared.range.map(|(low, high)| (low - tolerance(low), high + tolerance(high)));
            let unit = in_days(ty);
            for (row, value) in values.iter().enumerate().filter(|(row, _)| mine(*row)) {
                found.rows += 1;
                let Some(value) = value else {
                    found.nulls += 1;
                    continue;
                };
                if range.is_some_and(|(low, high)| value < low || value > high) {
                    found.out_of_range.add(row_of(row), || number_text(value, ty));
                } else if let Some(known) = &prepared.values {
                    let at = known.partition_point(|known| *known < value - tolerance(value));
                    if known.get(at).is_none_or(|known| (known - value).abs() > tolerance(value)) {
                        found.unmatched.add(row_of(row), || number_text(value, ty));
                    }
                }
                if let PreparedFit::Numbers(edges) = &prepared.fit {
                    found.counts[edges.partition_point(|edge| *edge < value)] += 1;
                }
                if let Some(unit) = unit {
                    for ((cycle, _), counts) in prepared.cycles.iter().zip(&mut found.cycles) {
                        counts[cycle.place(value * unit)] += 1;
                    }
                }
            }
        }
        Cells::Codes { codes, names } => {
            // What each code is, once.
            let known: Vec<Option<u32>> = match &prepared.fit {
                PreparedFit::Shares(shares) => names.iter().map(|name| shares.get(name).copied()).collect(),
                _ => Vec::new(),
            };
            let matches: Vec<bool> = match &leaf.promise {
                Promise::Matches(matcher) => names.iter().map(|name| matcher.matches(name)).collect(),
                _ => Vec::new(),
            };
            for (row, code) in codes.iter().enumerate().filter(|(row, _)| mine(*row)) {
                found.rows += 1;
                let Some(code) = code.map(|code| code as usize) else {
                    found.nulls += 1;
                    continue;
                };
                match known.get(code) {
                    Some(Some(at)) => found.counts[*at as usize] += 1,
                    Some(None) => found.unmatched.add(row_of(row), || cells.text(row, ty)),
                    None if matches.get(code) == Some(&false) => {
                        found.unmatched.add(row_of(row), || cells.text(row, ty));
                    }
                    None => {}
                }
            }
        }
        Cells::Texts(texts) => {
            for (row, text) in texts.iter().enumerate().filter(|(row, _)| mine(*row)) {
                found.rows += 1;
                let Some(text) = text else {
                    found.nulls += 1;
                    continue;
                };
                match (&prepared.fit, &leaf.promise) {
                    (PreparedFit::Shares(shares), _) => match shares.get(text) {
                        Some(at) => found.counts[*at as usize] += 1,
                        None => found.unmatched.add(row_of(row), || cells.text(row, ty)),
                    },
                    (_, Promise::Matches(matcher)) if !matcher.matches(text) => {
                        found.unmatched.add(row_of(row), || cells.text(row, ty));
                    }
                    _ => {}
                }
            }
        }
        Cells::Bools(values) => {
            let at = |name: &str| match &prepared.fit {
                PreparedFit::Shares(shares) => shares.get(name).copied(),
                _ => None,
            };
            let places = [at("false"), at("true")];
            for value in (0..len).filter(|row| mine(*row)).map(|row| values.get(row)) {
                found.rows += 1;
                match value {
                    None => found.nulls += 1,
                    Some(value) => {
                        if let Some(at) = places[usize::from(value)] {
                            found.counts[at as usize] += 1;
                        }
                    }
                }
            }
        }
    }
    found
}

impl Twin {
    fn new(series: &Series, edges: usize) -> PolarsResult<Twin> {
        let cells = Cells::of(series)?;
        let (rows, nulls) = (series.len() as u64, series.null_count() as u64);
        let of_numbers = |mut values: Vec<f64>| {
            values.sort_by(f64::total_cmp);
            let mut places: Vec<f64> = Vec::new();
            let stride = (values.len() / edges).max(1);
            for at in (0..values.len()).step_by(stride) {
                // Beside the value, so that it does not matter how either sample rounds it.
                let next = values[at..].iter().find(|next| **next > values[at]);
                places.extend(next.map(|next| values[at].midpoint(*next)));
            }
            places.dedup();
            let below =
                places.iter().map(|place| values.partition_point(|value| value <= place) as u64).collect();
            (places, below)
        };
        Ok(match &cells {
            Cells::Numbers(values) => {
                let (edges, below) = of_numbers(values.iter().flatten().collect());
                Twin::Numbers { edges, below, rows, nulls }
            }
            _ => {
                let mut statistics = Statistics::new(Type::Text);
                statistics.add(&cells);
                let (distinct, exact) = statistics.distinct();
                let names = texts_of(&cells);
                if exact && distinct <= 200 {
                    let mut index: Map<String, u32> = Map::default();
                    let mut counts: Vec<u64> = Vec::new();
                    for name in names.into_iter().flatten() {
                        let next = counts.len() as u32;
                        let at = *index.entry(name).or_insert(next);
                        if at == next {
                            counts.push(0);
                        }
                        counts[at as usize] += 1;
                    }
                    Twin::Shares { names: index, counts, rows, nulls }
                } else {
                    let lengths =
                        names.into_iter().flatten().map(|name| name.chars().count() as f64).collect();
                    let (edges, below) = of_numbers(lengths);
                    Twin::Lengths { edges, below, rows, nulls }
                }
            }
        })
    }

    /// What a block of the data has of it. For shares the last count is that of other values.
    fn counts(&self, cells: &Cells) -> Vec<u64> {
        match self {
            Twin::Numbers { edges, .. } => {
                let mut counts = vec![0; edges.len() + 1];
                if let Cells::Numbers(values) = cells {
                    values
                        .iter()
                        .flatten()
                        .for_each(|value| counts[edges.partition_point(|edge| *edge < value)] += 1);
                }
                counts
            }
            Twin::Lengths { edges, .. } => {
                let mut counts = vec![0; edges.len() + 1];
                let mut add = |text: &str| {
                    let length = text.chars().count() as f64;
                    counts[edges.partition_point(|edge| *edge < length)] += 1;
                };
                match cells {
                    Cells::Texts(texts) => texts.iter().flatten().for_each(&mut add),
                    cells => texts_of(cells).iter().flatten().for_each(|text| add(text)),
                }
                counts
            }
            Twin::Shares { names, .. } => {
                let mut counts = vec![0; names.len() + 1];
                let mut add = |text: &str| {
                    counts[names.get(text).map_or(names.len(), |at| *at as usize)] += 1;
                };
                match cells {
                    Cells::Texts(texts) => texts.iter().flatten().for_each(&mut add),
                    cells => texts_of(cells).iter().flatten().for_each(|text| add(text)),
                }
                counts
            }
        }
    }
}

fn texts_of(cells: &Cells) -> Vec<Option<String>> {
    match cells {
        Cells::Numbers(values) => values.iter().map(|value| value.map(|value| value.to_string())).collect(),
        Cells::Texts(texts) => texts.iter().map(|text| text.map(str::to_owned)).collect(),
        Cells::Codes { codes, names } => {
            codes.iter().map(|code| code.map(|code| names[code as usize].clone())).collect()
        }
        Cells::Bools(values) => values.iter().map(|value| value.map(|value| value.to_string())).collect(),
    }
}

// ---- checks ----------------------------------------------------------------------------------------------------------

/// A check whose verdict may hang on how many others there are.
pub struct Pending {
    pub(super) check: Check,
    pub(super) p: Option<f64>,
}

pub(super) fn check(metric: &'static Metric, table: &str, columns: &[&str], n: u64) -> Check {
    Check {
        metric,
        table: table.to_owned(),
        columns: columns.iter().map(|column| (*column).to_owned()).collect(),
        rule: None,
        value: None,
        reference: None,
        threshold: None,
        p_value: None,
        n,
        verdict: Verdict::Pass,
        message: String::new(),
        for_release: true,
    }
}

/// An exact check: `count` values are wrong, and none may be.
fn exact(mut check: Check, odd: &Odd, none: &str, some: impl FnOnce(&str) -> String) -> Pending {
    check.value = Some(odd.count as f64);
    check.reference = Some(0.0);
    check.threshold = Some(0.0);
    if odd.count == 0 {
        check.message = none.to_owned();
    } else {
        check.verdict = Verdict::Fail;
        let example = odd.first.as_ref().map_or_else(String::new, |(row, value)| {
            if value.is_empty() {
                format!("the first in row {row}")
            } else {
                format!("the first in row {row}: {value}")
            }
        });
        check.message = some(&example);
    }
    Pending { check, p: None }
}

fn rows_text(count: u64) -> String {
    if count == 1 { "1 row".to_owned() } else { format!("{} rows", grouped(count)) }
}

/// Gives verdicts: all probabilities of a run are adjusted together.
pub fn judge(mut pending: Vec<Pending>) -> Vec<Check> {
    let mut p_values: Vec<f64> = pending.iter().filter_map(|pending| pending.p).collect();
    adjust(&mut p_values);
    let tested: Vec<&mut Pending> = pending.iter_mut().filter(|pending| pending.p.is_some()).collect();
    for (pending, p) in tested.into_iter().zip(p_values) {
        pending.check.p_value = Some(p);
        pending.check.verdict = if p <= FALSE_ALARM { Verdict::Fail } else { Verdict::Pass };
    }
    pending.into_iter().map(|pending| pending.check).collect()
}

impl Prepared {
    /// The checks of the table by itself, and its part of the report. `found` keeps only its keys, for [`Links::checks`].
    ///
    /// # Errors
    /// When a temporary file cannot be read.
    pub fn finish(&self, found: &mut Found) -> std::io::Result<(Vec<Pending>, TableReport)> {
        let table = self.rules.schema.table.as_str();
        let mut checks = Vec::new();
        for (at, column) in self.rules.declared.columns.iter().enumerate() {
            self.check_column(table, column, &self.columns[at], &found.columns[at], &mut checks);
            if column.unique
                && let Some(keys) =
                    self.keys.iter().position(|names| names.len() == 1 && names[0] == column.name)
            {
                let keys = &mut found.keys[keys];
                let n = keys.count();
                let repeated = repeated(keys)?;
                let first = repeated.example.map(|(a, b)| (u64::from(b), format!("the value of row {a}")));
                let odd = Odd { count: repeated.rows, first };
                let base = check(&metrics::UNIQUENESS, table, &[&column.name], n);
                checks.push(exact(base, &odd, "no value occurs twice", |example| {
                    format!("{} with a value that occurs before, {example}", rows_text(odd.count))
                }));
            }
        }
        for ((rule, known), odd) in self.rules.declared.requires.iter().zip(&found.missed) {
            let mut base = check(&metrics::REQUIREMENT, table, &[], found.rows);
            base.rule = Some(rule.clone());
            if *known {
                checks.push(exact(base, odd, "every row meets the condition", |example| {
                    format!("{} do not meet `{rule}`, {example}", rows_text(odd.count))
                }));
            } else {
                base.verdict = Verdict::Info;
                base.message = "not looked at: the condition reads draws, which are not in the file".into();
                checks.push(Pending { check: base, p: None });
            }
        }
        for (pair, sums) in self.pairs.iter().zip(&found.pairs) {
            let columns = pair.at.map(|at| self.rules.declared.columns[at].name.as_str());
            let mut base = check(&metrics::RANK_CORRELATION, table, &columns, sums.n);
            base.reference = Some(pair.wanted);
            match sums.correlation(pair.wanted) {
                Some((r, p)) => {
                    base.value = Some(r);
                    base.message = format!("{} where {} is declared", number(r), number(pair.wanted));
                    checks.push(Pending { check: base, p: Some(p) });
                }
                None => {
                    base.verdict = Verdict::Skipped;
                    base.message = "too few rows, or a column that does not vary".into();
                    checks.push(Pending { check: base, p: None });
                }
            }
        }
        if let Some((label, parts)) = &self.rules.declared.parts {
            for (part, wanted) in parts {
                let got = found.parts.get(part).copied().unwrap_or(0);
                let mut base = check(&metrics::SUBSET_SIZE, table, &[label], found.rows);
                base.rule = Some(part.clone());
                (base.value, base.reference) = (Some(got as f64), Some(*wanted as f64));
                if self.rules.whole {
                    base.threshold = Some(*wanted as f64);
                    base.verdict = if got == *wanted { Verdict::Pass } else { Verdict::Fail };
                    base.message = format!("{} of {} asked for", rows_text(got), grouped(*wanted));
                } else {
                    base.verdict = Verdict::Info;
                    base.message = format!("{}, of a part of the table", rows_text(got));
                }
                checks.push(Pending { check: base, p: None });
            }
            let unknown: u64 = found
                .parts
                .iter()
                .filter(|(name, _)| !parts.iter().any(|(part, _)| part == *name))
                .map(|(_, n)| n)
                .sum();
            let odd = Odd { count: unknown, first: None };
            let base = check(&metrics::CATEGORY_SET, table, &[label], found.rows);
            checks.push(exact(base, &odd, "all values are parts", |_| {
                format!("{} of no declared part", rows_text(unknown))
            }));
        }
        self.check_anomalies(table, found, &mut checks);
        for (expectation, found) in self.rules.expects.iter().zip(&mut found.expects) {
            checks.extend(found.checks(expectation, table)?);
        }
        Ok((checks, self.report(found)))
    }

    fn check_anomalies(&self, table: &str, found: &Found, checks: &mut Vec<Pending>) {
        let declared = &self.rules.declared;
        let Some(label) = &declared.label else { return };
        for (name, wanted) in &declared.anomalies {
            let got = found.anomalies.get(name).copied().unwrap_or(0);
            let mut base = check(&metrics::ANOMALY_COUNT, table, &[label], found.rows);
            base.rule = Some(name.clone());
            base.value = Some(got as f64);
            match wanted {
                Some(wanted) if self.rules.whole && self.rules.exact_anomalies => {
                    (base.reference, base.threshold) = (Some(*wanted as f64), Some(*wanted as f64));
                    base.verdict = if got == *wanted { Verdict::Pass } else { Verdict::Fail };
                    base.message = format!("{} of {} asked for", rows_text(got), grouped(*wanted));
                }
                _ => {
                    base.verdict = Verdict::Info;
                    base.message =
                        format!("{} have it; how many that are to be is not fixed", rows_text(got));
                }
            }
            checks.push(Pending { check: base, p: None });
        }
        let is_known = |name: &String| declared.anomalies.iter().any(|(known, _)| known == name);
        let unknown: u64 =
            found.anomalies.iter().filter(|(name, _)| !is_known(name)).map(|(_, count)| count).sum();
        let odd = Odd { count: unknown, first: None };
        let base = check(&metrics::CATEGORY_SET, table, &[label], found.rows);
        checks.push(exact(base, &odd, "all labels are declared", |_| {
            format!("{} with a label of no declared anomaly", rows_text(unknown))
        }));
        if found.marked > 0 {
            let base = check(&metrics::MARKS_AGREE, table, &[], found.marked);
            checks.push(exact(
                base,
                &found.marks,
                "the marks have the values that are in the rows",
                |example| {
                    format!("{} marks that do not agree with the rows, {example}", grouped(found.marks.count))
                },
            ));
        }
    }

    fn check_column(
        &self,
        table: &str,
        column: &declared::Column,
        prepared: &PreparedColumn,
        found: &ColumnFound,
        checks: &mut Vec<Pending>,
    ) {
        let name = column.name.as_str();
        let base = |metric, n| check(metric, table, &[name], n);
        let field = self.rules.schema.fields.iter().find(|field| field.name == column.name);
        if field.is_some_and(|field| !field.nullable) {
            checks.push(exact(
                base(&metrics::NOT_NULL, found.statistics.count),
                &found.nulls,
                "no value is null",
                |example| {
                    let row = example.strip_suffix(": null").unwrap_or(example);
                    format!("{} are null, {row}", rows_text(found.nulls.count))
                },
            ));
        }
        let any = |test: &dyn Fn(&Promise) -> bool| column.leaves.iter().any(|leaf| test(&leaf.promise));
        let merged = |of: &dyn Fn(&LeafFound) -> &Odd| {
            let mut all = Odd::default();
            for odd in found.leaves.iter().map(of) {
                let earlier = match (&all.first, &odd.first) {
                    (Some((a, _)), Some((b, _))) => b < a,
                    (None, Some(_)) => true,
                    _ => false,
                };
                all.count += odd.count;
                if earlier {
                    all.first.clone_from(&odd.first);
                }
            }
            all
        };
        let values = found.clean_rows - found.clean_nulls;
        if any(&|promise| matches!(promise, Promise::Spread(_))) {
            let odd = merged(&|leaf| &leaf.out_of_range);
            checks.push(exact(
                base(&metrics::VALUE_RANGE, values),
                &odd,
                "all values lie in their range",
                |example| format!("{} outside the declared range, {example}", rows_text(odd.count)),
            ));
        }
        let listed = prepared.leaves.iter().any(|leaf| leaf.values.is_some())
            || any(&|promise| matches!(promise, Promise::Shares(_)));
        if any(&|promise| matches!(promise, Promise::Matches(_))) {
            let odd = merged(&|leaf| &leaf.unmatched);
            checks.push(exact(
                base(&metrics::PATTERN_MATCH, values),
                &odd,
                "all texts have the declared form",
                |example| format!("{} without the declared form, {example}", rows_text(odd.count)),
            ));
        } else if listed {
            let odd = merged(&|leaf| &leaf.unmatched);
            checks.push(exact(
                base(&metrics::CATEGORY_SET, values),
                &odd,
                "all values are among those declared",
                |example| format!("{} with a value that is not declared, {example}", rows_text(odd.count)),
            ));
        }
        if any(&|promise| matches!(promise, Promise::Computed)) {
            checks.push(exact(
                base(&metrics::COMPUTED_VALUE, found.clean_rows),
                &found.wrong,
                "all values follow from the rule",
                |example| {
                    let expected = found.expected.as_deref().unwrap_or("another value");
                    format!(
                        "{} with another value than the rule gives, {example} instead of {expected}",
                        rows_text(found.wrong.count)
                    )
                },
            ));
        }
        if field.is_some_and(|field| field.nullable)
            && found.leaves.iter().any(|leaf| leaf.rows > 0)
            && column.leaves.iter().any(|leaf| leaf.null.is_some())
        {
            checks.push(exact(
                base(&metrics::ONLY_IF, found.clean_rows),
                &found.not_null,
                "values are null where they must be",
                |example| {
                    format!(
                        "{} with a value where the rule gives none, {example}",
                        rows_text(found.not_null.count)
                    )
                },
            ));
        }
        self.check_nulls(column, found, &base, checks);
        self.check_fit(column, prepared, found, &base, checks);
        if let Some(twin) = &prepared.twin {
            checks.extend(check_twin(twin, found, base(&metrics::SAME_TRUTH, found.clean_rows)));
        }
    }

    fn check_nulls(
        &self,
        column: &declared::Column,
        found: &ColumnFound,
        base: &dyn Fn(&'static Metric, u64) -> Check,
        checks: &mut Vec<Pending>,
    ) {
        // Leaves with the same share are one binomial number.
        let mut by_share: Vec<(f64, u64, u64)> = Vec::new();
        for (leaf, found) in column.leaves.iter().zip(&found.leaves) {
            let Some(share) = leaf.null.filter(|_| found.rows > 0) else { continue };
            match by_share.iter_mut().find(|(known, ..)| *known == share) {
                Some((_, nulls, rows)) => {
                    *nulls += found.nulls;
                    *rows += found.rows;
                }
                None => by_share.push((share, found.nulls, found.rows)),
            }
        }
        if by_share.is_empty()
            || (by_share.iter().all(|(share, ..)| *share == 0.0)
                && by_share.iter().all(|(_, nulls, _)| *nulls == 0))
        {
            return;
        }
        let nullable =
            self.rules.schema.fields.iter().any(|field| field.name == column.name && field.nullable);
        if !nullable || !self.rules.clean_known {
            return;
        }
        let tests = by_share.len() as f64;
        let p = by_share
            .iter()
            .map(|(share, nulls, rows)| probability::binomial(*nulls, *rows, *share))
            .fold(1.0, f64::min)
            * tests;
        let (nulls, rows) =
            by_share.iter().fold((0, 0), |sum, (_, nulls, rows)| (sum.0 + nulls, sum.1 + rows));
        let wanted = by_share.iter().map(|(share, _, rows)| share * *rows as f64).sum::<f64>() / rows as f64;
        let share = nulls as f64 / rows as f64;
        let mut check = base(&metrics::NULL_SHARE, rows);
        (check.value, check.reference) = (Some(share), Some(wanted));
        check.message =
            format!("{} % are null where {} % are declared", number(share * 100.0), number(wanted * 100.0));
        checks.push(Pending { check, p: Some(p.min(1.0)) });
    }

    fn check_fit(
        &self,
        column: &declared::Column,
        prepared: &PreparedColumn,
        found: &ColumnFound,
        base: &dyn Fn(&'static Metric, u64) -> Check,
        checks: &mut Vec<Pending>,
    ) {
        // The worst case of each kind of test: P, distance, words, and how many cases there are.
        type Worst = Option<(f64, f64, String)>;
        let (mut numbers, mut shares): (Worst, Worst) = (None, None);
        let (mut number_cases, mut share_cases, mut number_n, mut share_n) = (0.0, 0.0, 0, 0);
        let mut seasons: Vec<(Cycle, Vec<f64>, Vec<u64>, f64)> = Vec::new();
        for ((leaf, prepared), found) in column.leaves.iter().zip(&prepared.leaves).zip(&found.leaves) {
            let n = found.rows - found.nulls;
            if !leaf.independent || !self.rules.clean_known || n == 0 {
                continue;
            }
            let case = if leaf.case.is_empty() { String::new() } else { format!(" where {}", leaf.case) };
            match (&prepared.fit, &leaf.promise) {
                (PreparedFit::Numbers(edges), Promise::Spread(spread)) => {
                    let (mut below, mut worst) = (0, (0.0f64, 0.0, 0.0, 0.0));
                    for (edge, count) in edges.iter().zip(&found.counts) {
                        below += count;
                        let (is, should) = (below as f64 / n as f64, spread.cdf(*edge));
                        if (is - should).abs() > worst.0 {
                            worst = ((is - should).abs(), *edge, is, should);
                        }
                    }
                    number_cases += 1.0;
                    number_n += n;
                    let p = dkw(worst.0, n as f64);
                    if numbers.as_ref().is_none_or(|(least, ..)| p < *least) {
                        let words = if worst.0 == 0.0 {
                            "no difference".to_owned()
                        } else {
                            let edge = number_text(worst.1, self.type_of(&column.name));
                            format!(
                                "{} % of the values{case} are below {edge}, where {} % are declared",
                                number(worst.2 * 100.0),
                                number(worst.3 * 100.0)
                            )
                        };
                        numbers = Some((p, worst.0, words));
                    }
                    for ((cycle, shares), counts) in prepared.cycles.iter().zip(&found.cycles) {
                        let p = probability::multinomial(counts, shares);
                        seasons.push((*cycle, shares.clone(), counts.clone(), p));
                    }
                }
                (PreparedFit::Shares(_), Promise::Shares(declared)) => {
                    let wanted: Vec<f64> = declared.iter().map(|(_, share)| *share).collect();
                    let known: u64 = found.counts.iter().sum();
                    if known == 0 {
                        continue;
                    }
                    share_cases += 1.0;
                    share_n += known;
                    let p = probability::multinomial(&found.counts, &wanted);
                    let of = |at: usize| found.counts[at] as f64 / known as f64;
                    let worst = (0..wanted.len())
                        .max_by(|a, b| (of(*a) - wanted[*a]).abs().total_cmp(&(of(*b) - wanted[*b]).abs()));
                    if let Some(at) = worst.filter(|_| shares.as_ref().is_none_or(|(least, ..)| p < *least)) {
                        let chi = probability::chi_squared(&found.counts, &wanted);
                        let words = format!(
                            "{} % of the values{case} are `{}`, where {} % are declared; χ² = {} with {} degrees of freedom",
                            number(of(at) * 100.0),
                            declared[at].0,
                            number(wanted[at] * 100.0),
                            number(chi),
                            wanted.len().saturating_sub(1)
                        );
                        shares = Some((p, (of(at) - wanted[at]).abs(), words));
                    }
                }
                _ => {}
            }
        }
        let mut push = |metric, worst: Worst, cases: f64, n| {
            if let Some((p, distance, words)) = worst {
                let mut check = base(metric, n);
                check.value = Some(distance);
                check.reference = Some(0.0);
                check.message = words;
                checks.push(Pending { check, p: Some((p * cases).min(1.0)) });
            }
        };
        let tested = numbers.is_some() || shares.is_some();
        push(&metrics::DISTRIBUTION_FIT, numbers, number_cases, number_n);
        push(&metrics::CATEGORY_FIT, shares, share_cases, share_n);
        for (cycle, shares, counts, p) in seasons {
            let n: u64 = counts.iter().sum();
            let mut check = base(&metrics::SEASONAL_FIT, n);
            check.rule = Some(cycle.name().to_owned());
            let of = |at: usize| counts[at] as f64 / n as f64;
            let far = |at: usize| (of(at) - shares[at]).abs();
            if let Some(at) = (0..counts.len()).max_by(|a, b| far(*a).total_cmp(&far(*b))) {
                check.value = Some(far(at));
                check.message = format!(
                    "{} % in place {} of the cycle, where {} % are declared",
                    number(of(at) * 100.0),
                    cycle.label(at),
                    number(shares[at] * 100.0)
                );
            }
            check.reference = Some(0.0);
            checks.push(Pending { check, p: Some(p) });
        }
        if !tested
            && prepared.twin.is_none()
            && !column.leaves.iter().all(|leaf| matches!(leaf.promise, Promise::Computed))
        {
            let mut check = base(&metrics::DISTRIBUTION_FIT, found.clean_rows);
            check.verdict = Verdict::Info;
            let why = if !self.rules.clean_known {
                "the rows without anomalies are not known: put the file of marks beside the data"
            } else if let Some(why) = column.untested {
                why
            } else if column.rows_independent {
                "the rule declares no law"
            } else {
                "rows share draws, of a parent, of children or of a series: no test takes them for independent"
            };
            check.message = format!("not tested: {why}");
            checks.push(Pending { check, p: None });
        }
    }

    fn type_of(&self, column: &str) -> Type {
        let field = self.rules.clean.fields.iter().find(|field| field.name == column);
        field.map_or(Type::Text, |field| field.ty)
    }

    fn report(&self, found: &Found) -> TableReport {
        let mut columns = Vec::new();
        let mut charts = Vec::new();
        let mut labels = found.labels.iter();
        for field in &self.rules.schema.fields {
            let at = self.rules.declared.columns.iter().position(|column| column.name == field.name);
            let statistics = match at {
                Some(at) => Some(&found.columns[at].statistics),
                None => labels.next(),
            };
            let Some(statistics) = statistics else { continue };
            columns.push(ColumnReport {
                name: field.name.clone(),
                r#type: field.ty.to_string(),
                about: field.about.clone(),
                summary: statistics.summary(),
            });
            let picture = match at {
                Some(at) => self.picture(at, statistics, &found.columns[at]),
                None => statistics.picture(&field.name, &Declared::Nothing),
            };
            let data: Option<ChartData> = picture.map(|picture| match picture {
                Picture::Bars(bars) => bars.into(),
                Picture::Histogram(histogram) => histogram.into(),
            });
            charts.extend(data.map(|data| Chart::new(&field.name, [&field.name], data)));
            if let Some(at) = at {
                charts.extend(self.season(at, &found.columns[at]));
            }
        }
        if let Some(label) = &self.rules.declared.label {
            let spoilt = found.anomalies.values().sum();
            let kinds = self.rules.declared.anomalies.iter().map(|(name, wanted)| AnomalyKind {
                name: name.clone(),
                wanted: wanted.filter(|_| self.rules.whole).map(|wanted| wanted as f64),
                got: found.anomalies.get(name).copied().unwrap_or(0),
                ..AnomalyKind::default()
            });
            let data = Anomalies { rows: found.rows, spoilt, kinds: kinds.collect() };
            charts.push(Chart::new("Anomalies", [label], data));
        }
        if let Some(by) = &self.rules.by {
            charts.extend(self.boxes(found, by));
        }
        charts.extend(found.sample.charts(
            &self.rules.schema.fields,
            self.rules.declared.label.as_deref(),
            found.rows,
        ));
        TableReport {
            name: self.rules.schema.table.clone(),
            about: self.rules.about.clone(),
            rows: found.rows,
            columns,
            checks: Vec::new(),
            charts,
        }
    }

    /// Statistics by group: a chart for each column of numbers.
    fn boxes(&self, found: &Found, by: &str) -> Vec<Chart> {
        let numeric: Vec<_> = self.numeric_fields().collect();
        let chart = |(at, field): (usize, &&lookalike_ruleset::Field)| {
            let scale = crate::statistics::scale(field.ty);
            let groups = found.groups.iter().filter_map(|(label, columns)| {
                let (count, nulls, numbers) = columns.get(at)?;
                let quantiles = numbers.quantiles(&[0.05, 0.25, 0.5, 0.75, 0.95]).zip(numbers.range());
                let quantiles = quantiles.map(|(q, (min, max))| {
                    [min, q[0], q[1], q[2], q[3], q[4], max].map(|value| value * scale)
                });
                Some(crate::charts::Group {
                    label: label.clone(),
                    count: *count,
                    nulls: *nulls,
                    mean: numbers.mean().map(|mean| mean * scale),
                    std: numbers.moments().std().map(|std| std * scale),
                    quantiles,
                })
            });
            let value = crate::charts::Axis::of(&field.name, field.ty.into());
            let data =
                crate::charts::Boxes { value, by: by.to_owned(), groups: groups.collect(), sample_of: None };
            Chart::new(format!("{} by {by}", field.name), [field.name.as_str(), by], data)
        };
        numeric.iter().enumerate().filter(|(_, field)| field.name != by).map(chart).collect()
    }

    fn picture(&self, at: usize, statistics: &Statistics, found: &ColumnFound) -> Option<Picture> {
        let column = &self.rules.declared.columns[at];
        // Of several cases: each by the rows that it has.
        let rows: u64 = found.leaves.iter().map(|leaf| leaf.rows - leaf.nulls).sum();
        let known = rows > 0 && rows == found.clean_rows - found.clean_nulls;
        let weights: Vec<f64> =
            found.leaves.iter().map(|leaf| (leaf.rows - leaf.nulls) as f64 / rows.max(1) as f64).collect();
        let spread = |leaf: &declared::Leaf| match &leaf.promise {
            Promise::Spread(spread) => Some(spread.clone()),
            _ => None,
        };
        let spreads: Option<Vec<Spread>> = column.leaves.iter().map(spread).collect();
        if let Some(spreads) = spreads.filter(|_| known) {
            let cdf =
                |x: f64| spreads.iter().zip(&weights).map(|(spread, weight)| weight * spread.cdf(x)).sum();
            return statistics.picture(&column.name, &Declared::Cdf(&cdf));
        }
        let shares = |leaf: &declared::Leaf| match &leaf.promise {
            Promise::Shares(shares) => Some(shares.clone()),
            _ => None,
        };
        let all: Option<Vec<Vec<(String, f64)>>> = column.leaves.iter().map(shares).collect();
        if let Some(all) = all.filter(|_| known) {
            let of = |name: &str| {
                let share = |list: &Vec<(String, f64)>| {
                    list.iter().find(|(known, _)| known == name).map_or(0.0, |(_, s)| *s)
                };
                Some(all.iter().zip(&weights).map(|(list, weight)| weight * share(list)).sum::<f64>())
            };
            return statistics.picture(&column.name, &Declared::Shares(&of));
        }
        statistics.picture(&column.name, &Declared::Nothing)
    }

    /// Seasonal profiles of a column of times.
    fn season(&self, at: usize, found: &ColumnFound) -> Option<Chart> {
        let prepared = &self.columns[at];
        let name = &self.rules.declared.columns[at].name;
        let profiles = prepared.leaves.iter().zip(&found.leaves).flat_map(|(prepared, found)| {
            prepared.cycles.iter().zip(&found.cycles).map(|((cycle, shares), counts)| {
                let n: u64 = counts.iter().sum();
                Profile {
                    cycle: cycle.name().to_owned(),
                    labels: (0..cycle.places()).map(|at| cycle.label(at)).collect(),
                    values: counts.iter().map(|count| Some(*count as f64)).collect(),
                    declared: shares.iter().map(|share| share * n as f64).collect(),
                    reference: Vec::new(),
                }
            })
        });
        let profiles: Vec<Profile> = profiles.collect();
        if profiles.is_empty() {
            return None;
        }
        let Some(Picture::Histogram(histogram)) = found.statistics.picture(name, &Declared::Nothing) else {
            return None;
        };
        let values = histogram.counts.iter().map(|count| Some(*count as f64)).collect();
        let value = crate::charts::Axis::linear("rows");
        let data = crate::charts::Series {
            time: histogram.x,
            value,
            edges: histogram.edges,
            values,
            reference: Vec::new(),
            profiles,
        };
        Some(Chart::new(format!("{name} over time"), [name], data))
    }
}

fn check_twin(twin: &Twin, found: &ColumnFound, mut check: Check) -> Option<Pending> {
    let (n, nulls) = (found.clean_rows, found.clean_nulls);
    let values = (n - nulls) as f64;
    let (rows, twin_nulls) = match twin {
        Twin::Numbers { rows, nulls, .. }
        | Twin::Lengths { rows, nulls, .. }
        | Twin::Shares { rows, nulls, .. } => (*rows, *nulls),
    };
    if n == 0 || rows == 0 {
        return None;
    }
    let of_nulls = two_shares(nulls, n, twin_nulls, rows);
    let m = (rows - twin_nulls) as f64;
    let (p, distance, what) = match twin {
        Twin::Numbers { edges, below, .. } | Twin::Lengths { edges, below, .. } => {
            let (mut seen, mut worst) = (0, (0.0f64, 0.0));
            if values > 0.0 && m > 0.0 {
                for ((edge, below), count) in edges.iter().zip(below).zip(&found.twin) {
                    seen += count;
                    let distance = (seen as f64 / values - *below as f64 / m).abs();
                    if distance > worst.0 {
                        worst = (distance, *edge);
                    }
                }
                // All of one sample may lie beyond the other's values.
            }
            let what = if matches!(twin, Twin::Lengths { .. }) { "lengths of the texts" } else { "values" };
            (if values > 0.0 && m > 0.0 { dkw_two_samples(worst.0, values, m) } else { 1.0 }, worst.0, what)
        }
        Twin::Shares { counts, .. } => {
            let mut least = (1.0f64, 0.0f64);
            // Without the values that the twin lacks: of many that are rare, each sample has others.
            for (own, theirs) in found.twin.iter().zip(counts) {
                if values > 0.0 && m > 0.0 {
                    let p = two_shares(*own, n - nulls, *theirs, rows - twin_nulls);
                    let distance = (*own as f64 / values - *theirs as f64 / m).abs();
                    if p < least.0 {
                        least = (p, distance);
                    }
                }
            }
            ((least.0 * counts.len() as f64).min(1.0), least.1, "values")
        }
    };
    let (share, theirs) = (nulls as f64 / n as f64, twin_nulls as f64 / rows as f64);
    check.reference = Some(0.0);
    check.value = Some(distance.max((share - theirs).abs()));
    check.message = if of_nulls < p {
        format!("{} % are null; with another seed it is {} %", number(share * 100.0), number(theirs * 100.0))
    } else {
        format!(
            "the {what} lie {} off those of {} rows made with another seed",
            number(distance),
            grouped(rows)
        )
    };
    Some(Pending { check, p: Some((2.0 * p.min(of_nulls)).min(1.0)) })
}

impl Links {
    /// The checks between tables.
    ///
    /// # Errors
    /// When a temporary file cannot be read.
    pub fn checks(&self, tables: &mut [(String, Found)]) -> std::io::Result<Vec<Pending>> {
        let mut checks = Vec::new();
        // Children without a parent, by table and key: they have no value to copy either.
        let mut lost: BTreeMap<(String, String), u64> = BTreeMap::new();
        for tie in &self.ties {
            let place = |table: &str, columns: &Vec<String>| {
                let at = self.wanted.get(table)?.iter().position(|wanted| wanted == columns)?;
                Some(at)
            };
            let (Some(child_at), Some(parent_at)) =
                (place(&tie.child, &tie.columns), place(&tie.parent, &tie.parent_columns))
            else {
                continue;
            };
            let mut take = |name: &str, at: usize| {
                let found = tables.iter_mut().find(|(table, _)| table == name)?;
                Some(std::mem::take(found.1.keys.get_mut(at)?))
            };
            let same = tie.child == tie.parent && child_at == parent_at;
            let (Some(mut child), Some(mut parent)) =
                (take(&tie.child, child_at), if same { None } else { take(&tie.parent, parent_at) })
            else {
                continue;
            };
            let n = child.count();
            let parents = parent.count();
            let met = met(&mut child, &mut parent)?;
            let mut give = |name: &str, at: usize, keys: Keys| {
                if let Some(found) = tables.iter_mut().find(|(table, _)| table == name) {
                    found.1.keys[at] = keys;
                }
            };
            give(&tie.child, child_at, child);
            give(&tie.parent, parent_at, parent);
            let columns: Vec<&str> = tie.columns.iter().map(String::as_str).collect();
            let first = met.example.map(|row| (u64::from(row), String::new()));
            let key = (tie.child.clone(), tie.columns[0].clone());
            let before = lost.get(&key).copied().unwrap_or(0);
            if tie.columns.len() == 1 {
                lost.insert(key, met.orphans);
            }
            let alone = tie.columns.len() == 1;
            let odd =
                Odd { count: if alone { met.orphans } else { met.orphans.saturating_sub(before) }, first };
            let parent_columns = tie.parent_columns.join(", ");
            if tie.columns.len() == 1 {
                let mut base = check(&metrics::FOREIGN_KEY, &tie.child, &columns, n);
                base.rule = Some(format!("{}.{parent_columns}", tie.parent));
                checks.push(exact(base, &odd, "every row has a parent", |example| {
                    format!(
                        "{} with a key that `{}` does not have, {example}",
                        rows_text(odd.count),
                        tie.parent
                    )
                }));
                if let Some(spread) = &tie.children {
                    checks.extend(children_fit(
                        spread,
                        &met.families,
                        parents,
                        &tie.parent,
                        &columns,
                        &tie.child,
                    ));
                }
            } else {
                let mut base = check(&metrics::COPIED_VALUE, &tie.child, &columns[1..], n);
                base.rule = Some(format!("{}.{}", tie.parent, tie.parent_columns[1]));
                checks.push(exact(base, &odd, "every value is the parent's", |example| {
                    format!("{} with another value than their parent, {example}", rows_text(odd.count))
                }));
            }
        }
        Ok(checks)
    }
}

fn children_fit(
    spread: &Spread,
    families: &[u64],
    parents: u64,
    parent: &str,
    columns: &[&str],
    child: &str,
) -> Option<Pending> {
    if parents == 0 {
        return None;
    }
    let (mut below, mut worst) = (0, (0.0f64, 0));
    for (size, count) in families.iter().enumerate().take(MOST_CHILDREN) {
        below += count;
        let distance = (below as f64 / parents as f64 - spread.cdf(size as f64 + 0.25)).abs();
        if distance > worst.0 {
            worst = (distance, size);
        }
    }
    let mut base = check(&metrics::CHILDREN_FIT, child, columns, parents);
    base.rule = Some(parent.to_owned());
    (base.value, base.reference) = (Some(worst.0), Some(0.0));
    base.message = format!(
        "the share of `{parent}` with at most {} rows is {} off the declared one",
        worst.1,
        number(worst.0)
    );
    Some(Pending { check: base, p: Some(dkw(worst.0, parents as f64)) })
}

/// A check whose verdict is known.
impl From<Check> for Pending {
    fn from(check: Check) -> Pending {
        Pending { check, p: None }
    }
}
