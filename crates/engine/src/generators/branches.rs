//! Several generators behind one column, each for some of the rows: the machinery of `by`/`cases` and of `mixture`.

use std::sync::Arc;

use lookalike_core::Seed;
use lookalike_ruleset::decode::Decode;
use lookalike_ruleset::diagnostic::did_you_mean;
use lookalike_ruleset::{Diagnostic, Entry, Span, Type};
use polars::prelude::*;
use polars_arrow::array::MutablePlString;

use crate::array;
use crate::build::{Builder, Spec};
use crate::generator::{
    Block, Cases, Categories, Demand, Failure, Generator, InputId, InputName, Output, Promise, Site,
};

/// Generators for parts of the rows, brought to one type.
pub struct Branches {
    /// The parts.
    pub specs: Vec<Spec>,
    ty: Type,
    categories: Option<Arc<Categories>>,
    /// For each part that yields categories, its codes in terms of the common ones.
    recode: Vec<Vec<u32>>,
}

/// No part: the row is null.
pub const NONE: u32 = u32::MAX;

impl Branches {
    /// Parts that are still to be prepared.
    pub fn new(specs: Vec<Spec>) -> Branches {
        Branches { specs, ty: Type::Text, categories: None, recode: Vec::new() }
    }

    /// Adds the inputs of all parts.
    pub fn inputs(&self, inputs: &mut Vec<InputName>) {
        self.specs.iter().for_each(|spec| spec.inputs(inputs));
    }

    /// Prepares all parts, part `i` under seed `seeds[i]`, and finds the type that holds them all.
    pub fn prepare(&mut self, seeds: &[Seed], site: &mut Site<'_>) -> Option<Output> {
        let outputs = self.prepare_each(seeds, site)?;
        self.unite(&outputs, site)
    }

    /// Prepares all parts, part `i` under seed `seeds[i]`.
    pub(crate) fn prepare_each(&mut self, seeds: &[Seed], site: &mut Site<'_>) -> Option<Vec<Output>> {
        let demand = Demand { unique: None, ..site.demand };
        (site.demand.truncate, site.demand.words) = (None, None);
        let outputs: Vec<Option<Output>> = self
            .specs
            .iter_mut()
            .zip(seeds)
            .map(|(spec, seed)| {
                let span = spec.span;
                site.prepare(spec, *seed, span, demand)
            })
            .collect();
        outputs.into_iter().collect()
    }

    /// Finds the type that holds what all parts make.
    pub(crate) fn unite(&mut self, outputs: &[Output], site: &mut Site<'_>) -> Option<Output> {
        let mut ty = outputs.first()?.ty;
        for (output, spec) in outputs.iter().zip(&self.specs) {
            let Some(common) = common_type(ty, output.ty) else {
                let first = self.specs[0].span;
                site.problems.push(
                    Diagnostic::error(
                        "wrong-type",
                        spec.span,
                        format!("this part makes {}, the one before {ty}", output.ty),
                    )
                    .related(first, "the first part")
                    .help("give the column a `type` that holds both, or make the parts agree"),
                );
                return None;
            };
            ty = common;
        }
        self.ty = ty;
        let mut result = Output::of(ty);
        result.nullable = outputs.iter().any(|o| o.nullable);
        result.plain = outputs.iter().all(|o| o.plain);
        result.json = outputs.iter().all(|o| o.json);
        // Parts that all have known values together have known values.
        if ty == Type::Text && outputs.iter().all(|o| o.categories.is_some()) {
            let mut all: Vec<String> = Vec::new();
            for categories in outputs.iter().filter_map(|o| o.categories.as_ref()) {
                for value in categories.values() {
                    if !all.contains(value) {
                        all.push(value.clone());
                    }
                }
            }
            if all.len() <= Categories::MAX {
                let common = Categories::new(all);
                let recode = |own: &Categories| {
                    own.values().iter().map(|v| common.code(v).expect("collected just above")).collect()
                };
                self.recode = outputs.iter().filter_map(|o| o.categories.as_deref()).map(recode).collect();
                let nullable = result.nullable;
                result = Output { nullable, ..Output::categories(common.clone()) };
                self.categories = Some(common);
            }
        }
        Some(result)
    }

    /// Makes the rows, row `i` from part `choice[i]`; [`NONE`] gives null.
    pub fn fill(&self, block: &Block<'_>, choice: &[u32]) -> Result<Series, Failure> {
        let mut positions: Vec<Vec<u32>> = vec![Vec::new(); self.specs.len()];
        for (at, part) in choice.iter().enumerate() {
            if *part != NONE {
                positions[*part as usize].push(at as u32);
            }
        }
        let mut parts = Vec::with_capacity(self.specs.len());
        for (spec, positions) in self.specs.iter().zip(&positions) {
            if positions.is_empty() {
                parts.push(None);
            } else if positions.len() == block.len() {
                parts.push(Some(spec.fill(block)?));
            } else {
                parts.push(Some(block.at(positions, |part| spec.fill(part))?));
            }
        }
        self.gather(block.len(), &positions, parts)
    }

    /// Puts the parts' values at their places.
    fn gather(
        &self,
        len: usize,
        positions: &[Vec<u32>],
        parts: Vec<Option<Series>>,
    ) -> Result<Series, Failure> {
        if let Some(categories) = &self.categories {
            let mut codes = vec![0; len];
            let mut filled = vec![false; len];
            for ((positions, part), recode) in positions.iter().zip(&parts).zip(&self.recode) {
                let Some(part) = part else { continue };
                for (at, code) in positions.iter().zip(array::codes_of(part)?) {
                    if let Some(code) = code {
                        codes[*at as usize] = recode[code as usize];
                        filled[*at as usize] = true;
                    }
                }
            }
            let series = array::codes(codes.into_iter(), categories);
            return nulls_where_unfilled(series, &filled);
        }
        if self.ty == Type::Text {
            let parts: Vec<Option<Series>> = parts
                .into_iter()
                .map(|p| p.map(|s| s.cast(&DataType::String)).transpose())
                .collect::<Result<_, _>>()?;
            let mut from: Vec<Option<&str>> = vec![None; len];
            for (positions, part) in positions.iter().zip(&parts) {
                let Some(part) = part else { continue };
                for (at, value) in positions.iter().zip(part.str()?.iter()) {
                    from[*at as usize] = value;
                }
            }
            let mut builder = MutablePlString::with_capacity(len);
            for value in from {
                builder.push(value);
            }
            return Ok(array::text_series(builder));
        }
        macro_rules! gather {
            ($native:ty, $chunked:ident, $get:expr) => {{
                let mut values: Vec<$native> = vec![Default::default(); len];
                let mut filled = vec![false; len];
                for (positions, part) in positions.iter().zip(&parts) {
                    let Some(part) = part else { continue };
                    let part = part.cast(&array::dtype_of(self.ty))?;
                    let part = part.to_physical_repr();
                    let column = $get(&part)?;
                    for (at, value) in positions.iter().zip(column.iter()) {
                        if let Some(value) = value {
                            values[*at as usize] = value;
                            filled[*at as usize] = true;
                        }
                    }
                }
                let column = $chunked::from_slice(PlSmallStr::EMPTY, &values);
                (column, filled)
            }};
        }
        let (series, filled) = match self.ty {
            Type::Bool => {
                let (column, filled) = gather!(bool, BooleanChunked, |s: &Series| s.bool().cloned());
                (column.into_series(), filled)
            }
            Type::Float => {
                let (column, filled) = gather!(f64, Float64Chunked, |s: &Series| s.f64().cloned());
                (column.into_series(), filled)
            }
            Type::Decimal(scale) => {
                let (column, filled) = gather!(i128, Int128Chunked, |s: &Series| s.i128().cloned());
                (
                    column.into_decimal_unchecked(array::DECIMAL_PRECISION, scale as usize).into_series(),
                    filled,
                )
            }
            Type::Date => {
                let (column, filled) = gather!(i32, Int32Chunked, |s: &Series| s.i32().cloned());
                (column.into_date().into_series(), filled)
            }
            Type::Int | Type::Datetime | Type::Duration => {
                let (column, filled) = gather!(i64, Int64Chunked, |s: &Series| s.i64().cloned());
                (column.into_series().cast(&array::dtype_of(self.ty))?, filled)
            }
            Type::Text => unreachable!("handled above"),
        };
        nulls_where_unfilled(series, &filled)
    }
}

fn nulls_where_unfilled(series: Series, filled: &[bool]) -> Result<Series, Failure> {
    if filled.iter().all(|f| *f) {
        return Ok(series);
    }
    array::with_validity(series, filled.iter().copied().collect())
}

/// The type that holds values of both types without loss, if there is one.
pub(crate) fn common_type(a: Type, b: Type) -> Option<Type> {
    match (a, b) {
        _ if a == b => Some(a),
        (Type::Decimal(x), Type::Decimal(y)) => Some(Type::Decimal(x.max(y))),
        (Type::Int, Type::Decimal(x)) | (Type::Decimal(x), Type::Int) => Some(Type::Decimal(x)),
        (x, y) if x.is_number() && y.is_number() => Some(Type::Float),
        (Type::Date, Type::Datetime) | (Type::Datetime, Type::Date) => Some(Type::Datetime),
        _ => None,
    }
}

/// `by: <column>` with `cases`: a generator for each value of another column.
pub struct By {
    column: InputName,
    cases: Vec<(Vec<String>, Span)>,
    has_else: bool,
    branches: Branches,
    input: Option<InputId>,
    /// For a column with known values: the part of each.
    by_code: Option<Vec<u32>>,
    /// For a bool column: the parts of false and true.
    by_truth: Option<[u32; 2]>,
}

impl By {
    /// Reads `by`, `cases` and `else` from a column's entries.
    pub fn build(
        by: &Entry,
        entries: &[Entry],
        span: Span,
        builder: &mut Builder<'_>,
    ) -> Option<Box<dyn Generator>> {
        let name = String::decode(&by.value, builder.problems);
        let Some(cases) = entries.iter().find(|e| e.key == "cases") else {
            builder.problems.push(
                Diagnostic::error("missing-key", span, "`by` needs `cases`")
                    .help("write `cases: {value: {…}, other: {…}}` beside it"),
            );
            return None;
        };
        let Some(list) = cases.value.as_map().filter(|list| !list.is_empty()) else {
            lookalike_ruleset::decode::wrong(
                &cases.value,
                "a mapping from values to generators",
                builder.problems,
            );
            return None;
        };
        let mut labels: Vec<(Vec<String>, Span)> = Vec::new();
        let mut specs = Vec::new();
        let mut whole = true;
        for case in list {
            let values: Vec<String> = case.key.split('|').map(|v| v.trim().to_owned()).collect();
            for value in &values {
                if let Some((_, first)) = labels.iter().find(|(seen, _)| seen.contains(value)) {
                    builder.problems.push(
                        Diagnostic::error(
                            "duplicate-key",
                            case.key_span,
                            format!("there are two cases for `{value}`"),
                        )
                        .label("the second")
                        .related(*first, "the first"),
                    );
                    whole = false;
                }
            }
            labels.push((values, case.key_span));
            match builder.spec(&case.value) {
                Some(spec) => specs.push(spec),
                None => whole = false,
            }
        }
        let otherwise = entries.iter().find(|e| e.key == "else");
        if let Some(entry) = otherwise {
            match builder.spec(&entry.value) {
                Some(spec) => specs.push(spec),
                None => whole = false,
            }
        }
        let column = InputName { name: name?, span: by.value.span };
        whole.then(|| -> Box<dyn Generator> {
            Box::new(By {
                column,
                cases: labels,
                has_else: otherwise.is_some(),
                branches: Branches::new(specs),
                input: None,
                by_code: None,
                by_truth: None,
            })
        })
    }

    fn part_of(&self, value: &str) -> u32 {
        match self.cases.iter().position(|(labels, _)| labels.iter().any(|label| label == value)) {
            Some(at) => at as u32,
            None if self.has_else => self.cases.len() as u32,
            None => NONE,
        }
    }
}

impl Generator for By {
    fn inputs(&self, inputs: &mut Vec<InputName>) {
        inputs.push(self.column.clone());
        self.branches.inputs(inputs);
    }

    fn prepare(&mut self, site: &mut Site<'_>) -> Option<Output> {
        let (input, key) = site.input(&self.column.name)?;
        self.input = Some(input);
        // A case is named by its labels, so that another case more or less moves no cell of this one.
        let seed = site.seed.derive("case");
        let mut seeds: Vec<Seed> =
            self.cases.iter().map(|(labels, _)| seed.derive(&labels.join("|"))).collect();
        if self.has_else {
            seeds.push(site.seed.derive("else"));
        }
        let output = self.branches.prepare(&seeds, site);
        if !matches!(key.ty, Type::Text | Type::Bool | Type::Int) {
            site.problems.push(
                Diagnostic::error(
                    "wrong-type",
                    self.column.span,
                    format!(
                        "`by` needs a column of type text, bool or int; `{}` is {}",
                        self.column.name, key.ty
                    ),
                )
                .help("derive a column with a few values from it with `expr`, and use that"),
            );
            return None;
        }
        if let Some(categories) = &key.categories {
            let mut complete = true;
            for (labels, span) in &self.cases {
                for label in labels.iter().filter(|label| categories.code(label).is_none()) {
                    let help = did_you_mean(label, "values", categories.values().iter().map(String::as_str));
                    site.problems.error(
                        "unused-case",
                        *span,
                        format!("`{}` is never `{label}`", self.column.name),
                        help,
                    );
                    complete = false;
                }
            }
            let missing: Vec<&str> = categories
                .values()
                .iter()
                .map(String::as_str)
                .filter(|value| self.part_of(value) == NONE)
                .collect();
            if !missing.is_empty() {
                let shown = missing.iter().take(8).map(|m| format!("`{m}`")).collect::<Vec<_>>().join(", ");
                let more = if missing.len() > 8 {
                    format!(" and {} more", missing.len() - 8)
                } else {
                    String::new()
                };
                site.error(
                    "missing-case",
                    format!("no case for {shown}{more} of `{}`", self.column.name),
                    "add the missing cases, or `else`",
                );
                complete = false;
            }
            if !complete {
                return None;
            }
            self.by_code = Some(categories.values().iter().map(|value| self.part_of(value)).collect());
        } else if key.ty == Type::Bool {
            let values = ["false", "true"];
            let parts = values.map(|value| self.part_of(value));
            if let Some(missing) = parts.iter().position(|part| *part == NONE) {
                let message = format!("no case for `{}` of `{}`", values[missing], self.column.name);
                site.error("missing-case", message, "add it, or `else`");
                return None;
            }
            self.by_truth = Some(parts);
        } else if !self.has_else {
            let message = format!(
                "the values of `{}` are not known beforehand, so the cases may not cover them",
                self.column.name
            );
            site.error("missing-case", message, "add `else`");
            return None;
        }
        let mut output = output?;
        output.nullable |= key.nullable;
        Some(output)
    }

    fn promise(&self) -> Promise<'_> {
        Promise::Cases(self)
    }

    fn fill(&self, block: &Block<'_>) -> Result<Series, Failure> {
        self.branches.fill(block, &self.choose(block)?)
    }
}

impl Cases for By {
    fn cases(&self) -> (String, Vec<String>) {
        let mut cases: Vec<String> = self.cases.iter().map(|(labels, _)| labels.join(" | ")).collect();
        cases.extend(self.has_else.then(|| "else".to_owned()));
        (self.column.name.clone(), cases)
    }

    fn specs(&self) -> &[Spec] {
        &self.branches.specs
    }

    fn choose(&self, block: &Block<'_>) -> Result<Vec<u32>, Failure> {
        let key = block.input(self.input.expect("set in prepare"));
        Ok(if let Some(parts) = &self.by_code {
            array::codes_of(&key)?.into_iter().map(|code| code.map_or(NONE, |c| parts[c as usize])).collect()
        } else if let Some(parts) = &self.by_truth {
            key.bool()?.iter().map(|truth| truth.map_or(NONE, |t| parts[usize::from(t)])).collect()
        } else {
            let text = key.cast(&DataType::String)?;
            text.str()?.iter().map(|value| value.map_or(NONE, |v| self.part_of(v))).collect()
        })
    }
}
