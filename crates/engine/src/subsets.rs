//! Subsets: which part of its table a row is of, and columns that differ from part to part.

use std::sync::Arc;

use lookalike_core::{Rows, Seed};
use lookalike_ruleset::decode::{DAY, Stamp};
use lookalike_ruleset::subset::Align;
use lookalike_ruleset::{Diagnostic, Span, Type};
use polars::prelude::*;

use crate::array;
use crate::build::Spec;
use crate::generator::{
    Block, Cases, Categories, Failure, Generator, InputId, InputName, Output, Promise, Site,
};
use crate::generators::branches::{Branches, NONE, common_type};
use crate::merge::deal::Interleave;

/// Name of the hidden column that says which part a row is of.
pub(crate) const SUBSET: &str = "#subset";

/// The parts of a table, ready to be asked.
pub(crate) struct Parts {
    pub names: Arc<Categories>,
    pub dealt: Interleave,
}

impl Parts {
    /// Names of the parts with their rows.
    pub fn sizes(&self) -> Vec<(String, u64)> {
        self.names.values().iter().cloned().zip(self.dealt.sizes()).collect()
    }

    /// The part of each row.
    pub fn fill(&self, rows: &Rows) -> Series {
        array::codes(self.dealt.parts(rows).into_iter(), &self.names)
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
    /// What is read where a part's values come from a file, in words.
    files: Vec<Option<String>>,
    /// For each part, how its times lie.
    align: Vec<Option<Align>>,
    part: Option<InputId>,
    anchors: Vec<i64>,
    ty: Type,
}

impl BySubset {
    /// A column with the table's rule and what differs in each part.
    pub fn new(base: Spec, parts: Vec<Differing>, span: Span) -> BySubset {
        let (mut specs, mut names, mut files) = (vec![base], vec![None], vec![None]);
        let (mut rules, mut align) = (Vec::new(), Vec::new());
        for Differing { name, spec, file, align: times } in parts {
            rules.push(if spec.is_some() { specs.len() as u32 } else { 0 });
            align.push(times);
            if let Some(spec) = spec {
                specs.push(spec);
                names.push(Some(name));
                files.push(file);
            }
        }
        let branches = Branches::new(specs);
        BySubset {
            span,
            branches,
            rules,
            names,
            files,
            align,
            part: None,
            anchors: Vec::new(),
            ty: Type::Text,
        }
    }

    /// Whether what files hold goes with the rules beside it.
    fn files_fit(&self, outputs: &[Output], site: &mut Site<'_>) -> Option<()> {
        let mut fit = Some(());
        // The table's own comes first.
        let (ty, rule) = (outputs.first()?.ty, self.branches.specs.first()?);
        for ((file, output), spec) in self.files.iter().zip(outputs).zip(&self.branches.specs) {
            let Some(file) = file else { continue };
            let both = common_type(ty, output.ty);
            // What the ruleset says stands; else the column gets the type that holds both.
            if both.is_none() || (rule.declared_type().is_some() && both != Some(ty)) {
                let message = format!("{file} is {}, but the table's rule makes {ty}", output.ty);
                site.problems.push(
                    Diagnostic::error("wrong-type", spec.span, message)
                        .related(rule.span, "the table's rule")
                        .help(format!(
                            "to read it as {ty}, say so in the part's `types`; or give the part a rule of its own for it, in `columns`"
                        )),
                );
                fit = None;
            }
        }
        fit
    }
}

/// What a part of a table says about a column.
pub(crate) struct Differing {
    /// Name of the part.
    pub name: String,
    /// Its rule for the column, if it has one.
    pub spec: Option<Spec>,
    /// The column of a file that the rule reads, in words.
    pub file: Option<String>,
    /// How the column's times lie.
    pub align: Option<Align>,
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
        let outputs = self.branches.prepare_each(&seeds, site)?;
        self.files_fit(&outputs, site)?;
        let output = self.branches.unite(&outputs, site)?;
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
        let of = |at: usize| {
            let part = part(&parts[at]);
            self.align[part].as_ref().map(|align| (align, self.anchors[part]))
        };
        aligned(&series, self.ty, of)
    }
}

/// Dates or stamps, each moved as `of` says for its position: by what, and about which point in time.
pub(crate) fn aligned<'a>(
    series: &Series,
    ty: Type,
    of: impl Fn(usize) -> Option<(&'a Align, i64)>,
) -> Result<Series, Failure> {
    let unit = if ty == Type::Date { DAY } else { 1 };
    let physical = series.to_physical_repr().cast(&DataType::Int64)?;
    let moved = |(at, value): (usize, Option<i64>)| {
        let value = value?;
        let Some((align, anchor)) = of(at) else { return Some(value) };
        let distance = (value.saturating_mul(unit).saturating_sub(anchor)) as f64 * align.stretch.0;
        Some((anchor.saturating_add(distance.round() as i64).saturating_add(align.shift.0)).div_euclid(unit))
    };
    let values: Int64Chunked = physical.i64()?.iter().enumerate().map(moved).collect();
    let series = values.into_series();
    let stored = if ty == Type::Date { series.cast(&DataType::Int32)? } else { series };
    Ok(stored.cast(&array::dtype_of(ty))?)
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
