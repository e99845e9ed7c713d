//! Subsets: which part of its table a row is of, and columns that differ from part to part.

use std::sync::Arc;

use lookalike_core::{Permutation, Rows, Seed};
use lookalike_ruleset::decode::{DAY, Stamp};
use lookalike_ruleset::subset::Align;
use lookalike_ruleset::{Span, Type};
use polars::prelude::*;

use crate::array;
use crate::build::Spec;
use crate::generator::{
    Block, Cases, Categories, Failure, Generator, InputId, InputName, Output, Promise, Site,
};
use crate::generators::branches::{Branches, NONE};

/// Name of the hidden column that says which part a row is of.
pub(crate) const SUBSET: &str = "#subset";

/// The parts of a table, ready to be asked.
pub(crate) struct Parts {
    pub names: Arc<Categories>,
    /// For each part, the rank behind its last.
    pub ends: Vec<u64>,
    /// Ranks of the rows; in order where there is none.
    pub permutation: Option<Permutation>,
}

impl Parts {
    /// Names of the parts with their rows.
    pub fn sizes(&self) -> Vec<(String, u64)> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        let sizes = self.ends.iter().zip(starts).map(|(end, start)| end - start);
        self.names.values().iter().cloned().zip(sizes).collect()
    }

    /// The part of each row.
    pub fn fill(&self, rows: &Rows) -> Series {
        let part = |rank: u64| self.ends.partition_point(|end| *end <= rank) as u32;
        let mut codes = Vec::with_capacity(rows.len());
        match &self.permutation {
            Some(permutation) => permutation.for_each(rows, |rank| codes.push(part(rank))),
            None => codes.extend(rows.iter().map(part)),
        }
        array::codes(codes.into_iter(), &self.names)
    }
}

/// A column that differs from part to part.
pub(crate) struct BySubset {
    span: Span,
    /// The table's own rule, then those of parts.
    branches: Branches,
    /// For each part, which rule it follows.
    rules: Vec<u32>,
    /// Name of each part's rule, for its seed; the table's own has none.
    names: Vec<Option<String>>,
    /// For each part, how its times lie.
    align: Vec<Option<Align>>,
    part: Option<InputId>,
    anchors: Vec<i64>,
    ty: Type,
}

impl BySubset {
    /// A column with the table's rule and, for each part, one of its own or none, and how its times lie.
    pub fn new(base: Spec, parts: Vec<(String, Option<Spec>, Option<Align>)>, span: Span) -> BySubset {
        let (mut specs, mut names) = (vec![base], vec![None]);
        let (mut rules, mut align) = (Vec::new(), Vec::new());
        for (name, spec, times) in parts {
            rules.push(if spec.is_some() { specs.len() as u32 } else { 0 });
            align.push(times);
            if let Some(spec) = spec {
                specs.push(spec);
                names.push(Some(name));
            }
        }
        let branches = Branches::new(specs);
        BySubset { span, branches, rules, names, align, part: None, anchors: Vec::new(), ty: Type::Text }
    }
}

impl Generator for BySubset {
    fn inputs(&self, inputs: &mut Vec<InputName>) {
        inputs.push(InputName { name: SUBSET.into(), span: self.span });
        self.branches.inputs(inputs);
    }

    fn prepare(&mut self, site: &mut Site<'_>) -> Option<Output> {
        self.part = Some(site.input(SUBSET)?.0);
        // The table's rule keeps its seed, so that the other parts have the cells that they would have without this one.
        let seed = |name: &Option<String>| match name {
            None => site.seed,
            Some(name) => site.seed.derive("subset").derive(name),
        };
        let seeds: Vec<Seed> = self.names.iter().map(seed).collect();
        let output = self.branches.prepare(&seeds, site)?;
        if self.align.iter().any(Option::is_some) && !matches!(output.ty, Type::Date | Type::Datetime) {
            site.problems.error(
                "bad-subset",
                self.span,
                format!("`align` moves dates and stamps, not {}", output.ty),
                "name a column of times",
            );
            return None;
        }
        for align in &self.align {
            let anchor = match align.as_ref().and_then(|align| align.from) {
                Some(Stamp::Clock(offset)) => site.clock()?.saturating_add(offset),
                Some(stamp) => stamp.micros(0),
                None => 0,
            };
            self.anchors.push(anchor);
        }
        self.ty = output.ty;
        Some(output)
    }

    fn promise(&self) -> Promise<'_> {
        if self.align.iter().any(Option::is_some) { Promise::Nothing } else { Promise::Cases(self) }
    }

    fn fill(&self, block: &Block<'_>) -> Result<Series, Failure> {
        let parts = array::codes_of(&block.input(self.part.expect("set in prepare")))?;
        let part = |code: &Option<u32>| code.unwrap_or(0) as usize;
        let choice: Vec<u32> = parts.iter().map(|code| self.rules[part(code)]).collect();
        let series = self.branches.fill(block, &choice)?;
        if self.align.iter().all(Option::is_none) {
            return Ok(series);
        }
        let unit = if self.ty == Type::Date { DAY } else { 1 };
        let physical = series.to_physical_repr().cast(&DataType::Int64)?;
        let moved = |(value, code): (Option<i64>, &Option<u32>)| {
            let value = value?;
            let Some(align) = &self.align[part(code)] else { return Some(value) };
            let anchor = self.anchors[part(code)];
            let distance = (value.saturating_mul(unit).saturating_sub(anchor)) as f64 * align.stretch.0;
            Some(
                (anchor.saturating_add(distance.round() as i64).saturating_add(align.shift.0))
                    .div_euclid(unit),
            )
        };
        let values: Int64Chunked = physical.i64()?.iter().zip(&parts).map(moved).collect();
        let series = values.into_series();
        let stored = if self.ty == Type::Date { series.cast(&DataType::Int32)? } else { series };
        Ok(stored.cast(&array::dtype_of(self.ty))?)
    }
}

impl Cases for BySubset {
    fn cases(&self) -> (String, Vec<String>) {
        let name = |name: &Option<String>| name.clone().unwrap_or_else(|| "the other parts".to_owned());
        ("part".to_owned(), self.names.iter().map(name).collect())
    }

    fn specs(&self) -> &[Spec] {
        &self.branches.specs
    }

    fn choose(&self, block: &Block<'_>) -> Result<Vec<u32>, Failure> {
        let parts = array::codes_of(&block.input(self.part.expect("set in prepare")))?;
        Ok(parts.iter().map(|code| code.map_or(NONE, |code| self.rules[code as usize])).collect())
    }
}
