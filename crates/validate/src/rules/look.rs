//! Looking at some rows of a table.

use std::collections::BTreeMap;

use lookalike_core::Rows;
use lookalike_core::declared::{self, MUST_BE_NULL, Promise};
use lookalike_ruleset::{TableSchema, Type};
use polars::prelude::*;

use super::expects::ExpectFound;
use super::found::{ColumnFound, Found, GROUPS, LeafFound, Odd};
use super::keys::Keys;
use super::probability::PairSums;
use super::table::{Prepared, PreparedColumn, PreparedFit, PreparedLeaf, View};
use crate::cells::{Cells, number_text};
use crate::cycles::in_days;
use crate::statistics::sample::Sample;
use crate::statistics::{Numbers, Statistics};

/// Changed cells that an example names.
const EXAMPLE: usize = 3;

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
        let all = Rows::Range(view.first..view.first + view.rows.height() as u64);
        for names in &self.keys {
            let mut found = Keys::default();
            // What no anomaly changes is read in all rows, also where those without anomalies are not known: no parent is missed.
            let (frame, numbers) =
                if rules.is_changed(names) { (view.clean, view.numbers) } else { (view.rows, &all) };
            let series = names
                .iter()
                .map(|name| Ok(frame.column(name)?.as_materialized_series()))
                .collect::<PolarsResult<Vec<_>>>()?;
            found
                .add(&series, numbers)
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
        let (mut anomalies, mut spoilt, mut examples) = (BTreeMap::new(), 0, BTreeMap::new());
        if let Some(label) = &rules.declared.label {
            examples = self.examples(view, label)?;
            for (labels, count) in counted(label, view.rows)? {
                spoilt += count;
                // A row with several has their names joined.
                labels.split('+').for_each(|name| *anomalies.entry(name.to_owned()).or_default() += count);
            }
        }
        let parts = match &rules.declared.parts {
            Some((label, _)) if rules.is_changed(std::slice::from_ref(label)) => counted(label, view.clean)?,
            Some((label, _)) => counted(label, view.rows)?,
            None => BTreeMap::new(),
        };
        let groups = match &rules.by {
            Some(by) => self.groups(view.rows, by)?,
            None => BTreeMap::new(),
        };
        let rows = view.rows.height() as u64;
        let mut expects = Vec::new();
        for (at, expectation) in rules.expects.iter().enumerate() {
            let clean = rules.looks_at_clean(at);
            let (frame, numbers) = if clean { (view.clean, view.numbers) } else { (view.rows, &all) };
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
            spoilt,
            examples,
            parts,
            groups,
            marks: Odd::default(),
            marked: 0,
            sample: Sample::of(&rules.schema.fields, view.rows, view.first, self.rows)?,
            expects,
        })
    }

    /// Of each anomaly the first row that has no other, with the cells that it changed; none where rows without anomalies are not
    /// known.
    fn examples(&self, view: &View<'_>, label: &str) -> PolarsResult<BTreeMap<String, String>> {
        let mut examples = BTreeMap::new();
        if view.clean.height() != view.rows.height() || !self.rules.clean_known {
            return Ok(examples);
        }
        let labels = view.rows.column(label)?.as_materialized_series().cast(&DataType::String)?;
        let mut first: BTreeMap<&str, usize> = BTreeMap::new();
        for (row, label) in labels.str()?.iter().enumerate() {
            if let Some(label) = label.filter(|label| !first.contains_key(label)) {
                first.insert(label, row);
            }
        }
        for (name, row) in first {
            if !self.rules.declared.anomalies.iter().any(|anomaly| anomaly.name == name) {
                continue;
            }
            let mut changes = Vec::new();
            for column in &self.rules.declared.columns {
                let text = |frame: &DataFrame, schema: &TableSchema| -> PolarsResult<String> {
                    let field = schema.fields.iter().find(|field| field.name == column.name);
                    let cell = frame.column(&column.name)?.as_materialized_series().slice(row as i64, 1);
                    Ok(Cells::of(&cell)?.text(0, field.map_or(Type::Text, |field| field.ty)))
                };
                let (was, is) = (text(view.clean, &self.rules.clean)?, text(view.rows, &self.rules.schema)?);
                if was != is {
                    changes.push(format!("{} was {was}, is {is}", column.name));
                }
            }
            if changes.len() > EXAMPLE {
                let more = changes.len() - EXAMPLE;
                changes.truncate(EXAMPLE);
                changes.push(format!("and {more} more"));
            }
            if !changes.is_empty() {
                let row = view.first + row as u64;
                examples.insert(name.to_owned(), format!("row {row}: {}", changes.join("; ")));
            }
        }
        Ok(examples)
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

    pub(super) fn numeric_fields(&self) -> impl Iterator<Item = &lookalike_ruleset::Field> {
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
        // Of rules with noise it is the noise that has a law.
        let noise = facts.map_or(&[][..], |facts| facts.noise.as_slice());
        let noise = noise.iter().map(|noise| (!noise.is_nan()).then_some(*noise));
        let noise = Cells::Numbers(noise.collect());
        for (number, (leaf, prepared)) in column.leaves.iter().zip(&prepared.leaves).enumerate() {
            let n = clean.len();
            let around = matches!(leaf.promise, Promise::Around(_));
            let cells = if around { &noise } else { &clean_cells };
            found.leaves.push(if codes.is_empty() {
                // All rows are of the first.
                look_at_leaf(leaf, prepared, cells, ty, n, |_| number == 0, row_of)
            } else {
                let mine = |row: usize| codes.get(row) == Some(&(number as u32));
                look_at_leaf(leaf, prepared, cells, ty, n, mine, row_of)
            });
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
    mine: impl Fn(usize) -> bool,
    row_of: impl Fn(usize) -> u64,
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
