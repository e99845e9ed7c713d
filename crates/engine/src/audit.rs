//! What can be told of rows by looking at them: the engine's half of validation.
//!
//! An [`Audit`] knows what a table's rules promise about its columns, and evaluates over *given* rows what the rules say of a
//! row: which case it is in, what a computed column must be, whether conditions hold. It reads the written columns as they
//! are, and computes from them the draws that follow from them. Nothing is drawn.

use std::collections::BTreeSet;

use lookalike_core::Rows;
use lookalike_core::declared::{self, ColumnFacts, Facts, Leaf, MUST_BE_NULL, UNKNOWN};
use lookalike_ruleset::expect::{Claim, Expectation};
use polars::prelude::*;

use crate::array;
use crate::build::Spec;
use crate::generator::{Around, Block, Failure, Generator, InputName, Promise};
use crate::generators::branches::NONE;
use crate::links::Mode;
use crate::plan::{Error, Expected, Source, Table, TablePlan};
use crate::subsets::SUBSET;

/// A table's rules, ready to be held against rows.
pub struct Audit {
    plan: TablePlan,
    /// Draws that follow from given columns and that something reads, in the order in which they can be computed.
    computed: Vec<usize>,
    /// The written column that holds the parts, for the hidden one.
    part_label: Option<usize>,
    /// For each written column its number, and the shape of its rule.
    columns: Vec<(usize, Shape)>,
    declared: declared::Table,
}

/// Of each expectation, for each row, whether its condition holds; `None` for expectations of columns, and where a row has
/// values that the rules do not know.
pub type Conditions = Vec<Option<Vec<Option<bool>>>>;

/// The shape of a rule: which leaf a row's value comes from.
enum Shape {
    /// A rule of which nothing further can be told from the row.
    Leaf { leaf: u32, tells: Tells, only_if: bool },
    /// A rule for each case.
    Cases { cases: Vec<Shape>, only_if: bool },
}

/// What of a row's value is known without a draw.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tells {
    Nothing,
    /// All of it.
    Value,
    /// All but the noise.
    Middle,
}

impl Shape {
    fn has_condition(&self) -> bool {
        match self {
            Shape::Leaf { only_if, .. } | Shape::Cases { only_if, .. } => *only_if,
        }
    }
}

impl TablePlan {
    /// Gets ready to look at rows of this table, of which these written columns are there.
    pub fn audit(&self, is_there: impl Fn(&str) -> bool) -> Audit {
        Audit::new(self, &is_there)
    }

    /// The columns that name the parents in the links under `unique`, if each of them is named by one.
    fn unique_links(&self, references: &[declared::Reference]) -> Option<Vec<String>> {
        let mut links = Vec::new();
        for (number, link) in self.links.iter().enumerate() {
            match link.mode {
                Mode::Combination { .. } => links.push(number),
                Mode::Within { within, .. } => links.extend([number, within]),
                _ => {}
            }
        }
        links.sort_unstable();
        links.dedup();
        let column = |link: &usize| {
            let name = &self.links[*link].name;
            references.iter().find(|reference| reference.is_key && reference.link == *name)
        };
        let columns: Option<Vec<String>> =
            links.iter().map(|link| column(link).map(|reference| reference.column.clone())).collect();
        columns.filter(|columns| !columns.is_empty())
    }

    /// The written columns that have a parent's values.
    pub(crate) fn references(&self) -> Vec<declared::Reference> {
        let mut found = Vec::new();
        for column in self.columns.iter().filter(|column| column.written) {
            let Source::Rule(spec) = &column.source else { continue };
            let Some(Source::Parent { link, column: of }) = spec.copies().map(|at| &self.columns[at].source)
            else {
                continue;
            };
            let link = &self.links[*link];
            let parent = &self.tables().0[link.parent];
            let original = &parent.columns[*of];
            if !original.written || original.dirty.is_some() {
                continue;
            }
            let counts = match &link.mode {
                Mode::PerParent(per) => Some(&parent.columns[per.counts].source),
                _ => None,
            };
            let children = match counts {
                Some(Source::Rule(spec)) => match spec.drawn_always() {
                    Some(declared::Promise::Spread(spread)) => Some(spread),
                    _ => None,
                },
                _ => None,
            };
            found.push(declared::Reference {
                column: column.name.clone(),
                link: link.name.clone(),
                parent: parent.name.clone(),
                parent_column: original.name.clone(),
                is_key: is_key(original),
                children,
            });
        }
        found
    }
}

/// Whether a column's values are free of repetitions: declared so, or numbered by the row alone.
pub(crate) fn is_key(column: &crate::plan::Column) -> bool {
    column.unique || matches!(&column.source, Source::Rule(spec) if spec.never_repeats())
}

/// Which columns are read for some of them, themselves included.
fn closure(table: &Table, wanted: &[usize]) -> Vec<bool> {
    let mut read = vec![false; table.columns.len()];
    let mut open = wanted.to_vec();
    while let Some(at) = open.pop() {
        if at < read.len() && !std::mem::replace(&mut read[at], true) {
            open.extend(&table.columns[at].inputs);
        }
    }
    read
}

/// Stands for several columns.
const SEVERAL: usize = usize::MAX;

/// Positions in the table of the columns that a rule reads.
fn positions(table: &Table, inputs: &[InputName]) -> Option<Vec<usize>> {
    inputs.iter().map(|input| table.columns.iter().position(|column| column.name == input.name)).collect()
}

fn inputs_of(generator: &dyn Generator) -> Vec<InputName> {
    let mut inputs = Vec::new();
    generator.inputs(&mut inputs);
    inputs
}

/// Leaves in the making.
struct Leaves<'a> {
    table: &'a Table,
    known: &'a [bool],
    found: Vec<Leaf>,
}

impl Leaves<'_> {
    fn all_known(&self, inputs: &[InputName]) -> bool {
        positions(self.table, inputs).is_some_and(|inputs| inputs.iter().all(|at| self.known[*at]))
    }

    /// The shape of a rule, whose rows are `case` and kept by outer rules with probability `kept`.
    fn shape(&mut self, spec: &Spec, case: &str, kept: f64) -> Shape {
        let kept = kept * (1.0 - spec.null());
        let only_if = spec.only_if().map(|condition| {
            let mut inputs = Vec::new();
            condition.inputs(&mut inputs);
            self.all_known(&inputs)
        });
        let tells = only_if != Some(false);
        match spec.promise() {
            Promise::Cases(cases) if self.chooser_known(spec, &cases.cases().0) && tells => {
                let (by, labels) = cases.cases();
                let first = self.found.len();
                let shapes = cases.specs().iter().zip(labels).map(|(spec, label)| {
                    let case = if case.is_empty() {
                        format!("{by} = {label}")
                    } else {
                        format!("{case}, {by} = {label}")
                    };
                    self.shape(spec, &case, kept)
                });
                let shapes = shapes.collect();
                for leaf in &mut self.found[first..] {
                    let promise = std::mem::replace(&mut leaf.promise, declared::Promise::Nothing);
                    leaf.promise = match promise {
                        declared::Promise::Computed => declared::Promise::Computed,
                        promise => spec.modified(promise),
                    };
                    leaf.independent &= !matches!(leaf.promise, declared::Promise::Nothing);
                }
                Shape::Cases { cases: shapes, only_if: only_if.is_some() }
            }
            promise => {
                let computed =
                    matches!(promise, Promise::Computed) && self.all_known(&inputs_of(spec.inner()));
                // Where a computed value is null is part of what is computed.
                let nulls_known = tells && (computed || !spec.inner_nullable());
                let mut tells_value = if computed { Tells::Value } else { Tells::Nothing };
                let promise = match promise {
                    Promise::Drawn(promise) => promise,
                    Promise::Computed if computed => declared::Promise::Computed,
                    Promise::Around(around) => match self.noise_of(around) {
                        Some(noise) if tells => {
                            tells_value = Tells::Middle;
                            spec.modified(declared::Promise::Around(noise))
                        }
                        _ => declared::Promise::Nothing,
                    },
                    _ => declared::Promise::Nothing,
                };
                let independent =
                    !matches!(promise, declared::Promise::Nothing | declared::Promise::Computed);
                let null = nulls_known.then_some(1.0 - kept);
                self.found.push(Leaf { case: case.to_owned(), null, promise, independent });
                Shape::Leaf {
                    leaf: self.found.len() as u32 - 1,
                    tells: tells_value,
                    only_if: only_if == Some(true),
                }
            }
        }
    }

    /// The law of the noise, where all else of the value is known.
    fn noise_of(&self, around: &dyn Around) -> Option<declared::Spread> {
        let mut inputs = Vec::new();
        around.read(&mut inputs);
        match around.noise().drawn_always() {
            Some(declared::Promise::Spread(spread)) if self.all_known(&inputs) => Some(spread),
            _ => None,
        }
    }

    /// Whether the column that chooses among cases is known.
    fn chooser_known(&self, spec: &Spec, by: &str) -> bool {
        let inputs = inputs_of(spec.inner());
        // Subsets are chosen by a column of the plan's own.
        let by = if inputs.iter().any(|input| input.name == SUBSET) && by == "part" { SUBSET } else { by };
        self.table.columns.iter().position(|column| column.name == by).is_some_and(|at| self.known[at])
    }
}

impl Audit {
    fn new(plan: &TablePlan, is_there: &dyn Fn(&str) -> bool) -> Audit {
        let table: &Table = plan;
        let given = |column: &crate::plan::Column| column.written && is_there(&column.name);
        let label =
            |column: &crate::plan::Column| given(column) && matches!(column.source, Source::Subset(_));
        let part_label = table.columns.iter().position(label);
        let known = known(table, part_label, &given);
        let mut columns = Vec::new();
        let mut declared = declared::Table::default();
        let grouped: BTreeSet<usize> = table.groups.iter().flat_map(|group| group.columns()).collect();
        for (at, column) in table.columns.iter().enumerate().filter(|(_, column)| given(column)) {
            let mut leaves = Leaves { table, known: &known, found: Vec::new() };
            let shape = match &column.source {
                Source::Rule(spec) => leaves.shape(spec, "", 1.0),
                _ => {
                    let null = (!column.output.nullable).then_some(0.0);
                    let promise = declared::Promise::Nothing;
                    leaves.found.push(Leaf { case: String::new(), null, promise, independent: false });
                    Shape::Leaf { leaf: 0, tells: Tells::Nothing, only_if: false }
                }
            };
            let mut found = leaves.found;
            let conditional = found.len() > 1 || shape.has_condition();
            let untested = if column.unique {
                Some("values are dealt out without repetition")
            } else if table.has_requirements() {
                Some("rows are drawn again for `require`, which changes the law")
            } else if grouped.contains(&at) && conditional {
                Some("the column is correlated with others, of which the condition may be one")
            } else {
                None
            };
            if untested.is_some() {
                found.iter_mut().for_each(|leaf| leaf.independent = false);
            }
            if table.has_requirements() && !matches!(shape, Shape::Leaf { tells: Tells::Value, .. }) {
                // Which rows are null is drawn again, too.
                for leaf in
                    found.iter_mut().filter(|leaf| leaf.null.is_some_and(|null| null > 0.0 && null < 1.0))
                {
                    leaf.null = None;
                }
            }
            declared.columns.push(declared::Column {
                name: column.name.clone(),
                leaves: found,
                unique: column.unique,
                names_rows: is_key(column),
                rows_independent: rows_independent(table, at),
                untested,
                listed: is_listed(plan, table, at),
                anomalous: column.dirty.is_some(),
            });
            columns.push((at, shape));
        }
        declared.requires = table
            .requires
            .iter()
            .map(|require| (require.text.clone(), require.inputs.iter().all(|input| known[*input])))
            .collect();
        declared.references = plan.references();
        declared.unique = plan
            .unique_links(&declared.references)
            .filter(|columns| columns.iter().all(|column| is_there(column)));
        declared.correlations = table.groups.iter().flat_map(|group| group.declared()).collect();
        declared.references.retain(|reference| is_there(&reference.column));
        let is_written = |name: &String| table.columns.iter().any(|c| given(c) && c.name == *name);
        declared.correlations.retain(|correlation| correlation.columns.iter().all(is_written));
        if let Some((at, Source::Subset(parts))) = part_label.map(|at| (at, &table.columns[at].source)) {
            declared.parts = Some((table.columns[at].name.clone(), parts.sizes()));
        }
        if let Some(injector) = &table.injector {
            declared.anomalies = injector.declared();
            declared.label = injector.label.clone().filter(|label| is_there(label));
        }
        declared.anomalous_expects =
            table.expects.iter().map(|expected| reads_anomalous(table, expected)).collect();
        let mut wanted: Vec<usize> =
            columns.iter().flat_map(|(at, _)| table.columns[*at].inputs.clone()).collect();
        wanted.extend(table.requires.iter().flat_map(|require| require.inputs.iter().copied()));
        wanted.extend(table.expects.iter().flat_map(|expected| expected.inputs.iter().copied()));
        let read = closure(table, &wanted);
        let is_computed = |at: &usize| {
            known[*at]
                && read[*at]
                && !given(&table.columns[*at])
                && matches!(table.columns[*at].source, Source::Rule(_))
        };
        let computed = table.order.iter().copied().filter(is_computed).collect();
        Audit { plan: plan.clone(), computed, part_label, columns, declared }
    }

    /// What is declared.
    pub fn declared(&self) -> &declared::Table {
        &self.declared
    }

    /// Of each expectation, for each row, whether its condition holds; `None` for expectations of columns, and where a row has
    /// values that the rules do not know.
    ///
    /// # Errors
    /// As [`look`](Self::look).
    pub fn conditions(&self, frame: &DataFrame, rows: &Rows) -> Result<Conditions, Error> {
        let table: &Table = &self.plan;
        if table.expects.iter().all(|expected| expected.formula.is_none()) {
            return Ok(vec![None; table.expects.len()]);
        }
        let (given, strange) = self.given(frame, rows)?;
        Ok(self.conditions_of(&Block::new(rows, 0, &given), &given, &strange))
    }

    fn conditions_of(
        &self,
        block: &Block<'_>,
        given: &[Option<Series>],
        strange: &[Option<usize>],
    ) -> Conditions {
        let table: &Table = &self.plan;
        let all = table.expects.iter().map(|expected| {
            let formula = expected.formula.as_ref()?;
            if !expected.inputs.iter().all(|at| given.get(*at).is_some_and(Option::is_some)) {
                return None;
            }
            let values = formula.evaluate(block).ok()?;
            let values = values.bool().ok()?;
            let read = closure(table, &expected.inputs);
            // A condition that reads a strange value says nothing of the row: that value is for the check of its column.
            let silent = (expected.expectation.claim == Claim::Holds).then_some(true);
            let odd = |strange: &Option<usize>| strange.is_some_and(|at| at == SEVERAL || read[at]);
            let value =
                |(value, strange): (Option<bool>, &Option<usize>)| if odd(strange) { silent } else { value };
            Some(values.iter().zip(strange).map(value).collect())
        });
        all.collect()
    }

    /// What is expected of the table.
    pub fn expectations(&self) -> Vec<Expectation> {
        self.plan.expects.iter().map(|expected| expected.expectation.clone()).collect()
    }

    /// The columns that are given or follow from given ones; and for rows with a value that the rules do not know, its column.
    #[expect(clippy::type_complexity, reason = "the plan's columns, and a column for some rows")]
    fn given(
        &self,
        frame: &DataFrame,
        rows: &Rows,
    ) -> Result<(Vec<Option<Series>>, Vec<Option<usize>>), Error> {
        let table: &Table = &self.plan;
        let height = frame.height();
        let internal = |error: PolarsError| Error::Internal(error.to_string());
        let mut given: Vec<Option<Series>> = vec![None; table.columns.len()];
        // Rows with a value that the rules do not know: what hangs on them is not looked at.
        let mut strange = vec![None; height];
        for (at, _) in &self.columns {
            let column = &table.columns[*at];
            let series = frame.column(&column.name).map_err(internal)?.as_materialized_series();
            let wanted = column
                .output
                .categories
                .as_ref()
                .map_or_else(|| array::dtype_of(column.output.ty), |categories| categories.dtype().clone());
            let cast = if *series.dtype() == wanted {
                series.clone()
            } else if series.dtype().is_categorical() || series.dtype().is_enum() {
                series.cast(&DataType::String).and_then(|text| text.cast(&wanted)).map_err(internal)?
            } else {
                series.cast(&wanted).map_err(internal)?
            };
            if cast.null_count() > series.null_count() {
                for (strange, (was, is)) in
                    strange.iter_mut().zip(series.is_null().iter().zip(cast.is_null().iter()))
                {
                    if was != is {
                        *strange = Some(if strange.is_none() { *at } else { SEVERAL });
                    }
                }
            }
            given[*at] = Some(cast.rechunk());
        }
        if let Some(label) = self.part_label
            && let Some(hidden) = table.columns.iter().position(|column| column.name == SUBSET)
        {
            given[hidden] = given[label].clone();
        }
        for at in self.computed.iter().copied() {
            let column = &table.columns[at];
            if let Source::Rule(spec) = &column.source
                && column.inputs.iter().all(|input| given.get(*input).is_some_and(Option::is_some))
            {
                // A value that cannot be computed from strange values is simply not known.
                given[at] = spec.fill(&Block::new(rows, 0, &given)).ok();
            }
        }
        Ok((given, strange))
    }

    /// Looks at rows without anomalies: `frame` has the written columns by name, of these rows of the table. Beside the facts stand
    /// the conditions of [`conditions`](Self::conditions).
    ///
    /// # Errors
    /// When a column is missing or of another type than the plan's.
    pub fn look(&self, frame: &DataFrame, rows: &Rows) -> Result<(Facts, Conditions), Error> {
        let table: &Table = &self.plan;
        let height = frame.height();
        let (given, strange) = self.given(frame, rows)?;
        let block = Block::new(rows, 0, &given);
        let all: Vec<u32> = (0..height as u32).collect();
        let mut columns = Vec::with_capacity(self.columns.len());
        for (at, shape) in &self.columns {
            let mut facts = ColumnFacts::default();
            let single = matches!(shape, Shape::Leaf { tells: Tells::Nothing, only_if: false, .. });
            if let (Source::Rule(spec), false) = (&table.columns[*at].source, single) {
                facts.leaves = vec![UNKNOWN; height];
                if let Some(series) = &given[*at] {
                    let mut look =
                        Look { given: &given, table, series, facts: &mut facts, outer: Vec::new() };
                    // What cannot be evaluated stays unknown.
                    let _ = look.assign(spec, shape, &block, &all);
                }
                // A strange value of the column itself is for the check of its values.
                let odd = |strange: &Option<usize>| strange.is_some_and(|column| column != *at);
                facts.wrong.retain(|row| strange[*row as usize].is_none());
                for (leaf, _) in facts.leaves.iter_mut().zip(&strange).filter(|(_, strange)| odd(strange)) {
                    *leaf = UNKNOWN;
                }
            }
            columns.push(facts);
        }
        let mut missed = Vec::with_capacity(table.requires.len());
        for (require, (_, known)) in table.requires.iter().zip(&self.declared.requires) {
            let ready = *known && require.inputs.iter().all(|at| given.get(*at).is_some_and(Option::is_some));
            let values = if ready { require.formula.evaluate(&block).ok() } else { None };
            let holds = values.as_ref().and_then(|values| values.bool().ok());
            missed.push(holds.map_or_else(Vec::new, |holds| {
                let fails = holds
                    .iter()
                    .enumerate()
                    .filter(|(at, holds)| *holds != Some(true) && strange[*at].is_none());
                fails.map(|(at, _)| at as u32).collect()
            }));
        }
        let conditions = self.conditions_of(&block, &given, &strange);
        Ok((Facts { columns, missed }, conditions))
    }
}

/// One column, being looked at.
struct Look<'a> {
    /// The rules around the one that is looked at, outermost first.
    outer: Vec<&'a Spec>,
    given: &'a [Option<Series>],
    table: &'a Table,
    series: &'a Series,
    facts: &'a mut ColumnFacts,
}

impl<'a> Look<'a> {
    fn ready(&self, inputs: &[InputName]) -> bool {
        positions(self.table, inputs)
            .is_some_and(|inputs| inputs.iter().all(|at| self.given.get(*at).is_some_and(Option::is_some)))
    }

    /// Says of the block's rows, which stand at positions `at`, which leaf they come from, and compares what is computed.
    fn assign(
        &mut self,
        spec: &'a Spec,
        shape: &Shape,
        block: &Block<'_>,
        at: &[u32],
    ) -> Result<(), Failure> {
        if let (Some(condition), true) = (spec.only_if(), shape.has_condition()) {
            let mut inputs = Vec::new();
            condition.inputs(&mut inputs);
            if !self.ready(&inputs) {
                return Ok(());
            }
            let holds = condition.evaluate(block)?;
            let mut kept = Vec::new();
            for (here, holds) in holds.bool()?.iter().enumerate() {
                if holds == Some(true) {
                    kept.push(here as u32);
                } else {
                    self.facts.leaves[at[here] as usize] = MUST_BE_NULL;
                }
            }
            let at: Vec<u32> = kept.iter().map(|here| at[*here as usize]).collect();
            return block.at(&kept, |block| self.inner(spec, shape, block, &at));
        }
        self.inner(spec, shape, block, at)
    }

    fn inner(&mut self, spec: &'a Spec, shape: &Shape, block: &Block<'_>, at: &[u32]) -> Result<(), Failure> {
        match shape {
            Shape::Leaf { leaf, tells, .. } => {
                at.iter().for_each(|at| self.facts.leaves[*at as usize] = *leaf);
                match tells {
                    Tells::Value if !at.is_empty() && self.ready(&inputs_of(spec.inner())) => {
                        self.compare(spec, block, at)?;
                    }
                    Tells::Middle => self.subtract(spec, block, at)?,
                    _ => {}
                }
            }
            Shape::Cases { cases, .. } => {
                let Promise::Cases(rules) = spec.promise() else { return Ok(()) };
                let choice = rules.choose(block)?;
                self.outer.push(spec);
                let mut here: Vec<Vec<u32>> = vec![Vec::new(); cases.len()];
                for (position, choice) in choice.iter().enumerate() {
                    match *choice {
                        NONE => self.facts.leaves[at[position] as usize] = MUST_BE_NULL,
                        choice => here[choice as usize].push(position as u32),
                    }
                }
                for ((shape, spec), here) in cases.iter().zip(rules.specs()).zip(here) {
                    if !here.is_empty() {
                        let at: Vec<u32> = here.iter().map(|here| at[*here as usize]).collect();
                        block.at(&here, |block| self.assign(spec, shape, block, &at))?;
                    }
                }
                self.outer.pop();
            }
        }
        Ok(())
    }

    /// Finds the noise in the rows' values.
    fn subtract(&mut self, spec: &Spec, block: &Block<'_>, at: &[u32]) -> Result<(), Failure> {
        let Promise::Around(around) = spec.inner().promise() else { return Ok(()) };
        let mut inputs = Vec::new();
        around.read(&mut inputs);
        if at.is_empty() || !self.ready(&inputs) {
            return Ok(());
        }
        let middle = array::to_floats(&around.middle(block)?)?;
        let actual = array::to_floats(&self.series.take_slice(at)?)?;
        self.facts.noise.resize(self.series.len(), f64::NAN);
        for ((at, middle), actual) in at.iter().zip(middle).zip(actual) {
            self.facts.noise[*at as usize] = actual.zip(middle).map_or(f64::NAN, |(a, b)| a - b);
        }
        Ok(())
    }

    /// Compares the rows' values with the computed ones. Where a share is null by chance, nulls are not compared.
    fn compare(&mut self, spec: &Spec, block: &Block<'_>, at: &[u32]) -> Result<(), Failure> {
        let mut expected = spec.values(block)?;
        for outer in self.outer.iter().rev() {
            expected = outer.modify(expected)?;
        }
        let whole = at.len() == self.series.len();
        let actual = if whole { self.series.clone() } else { self.series.take_slice(at)? };
        let chance = spec.null() > 0.0;
        let differs = differing(&expected, &actual)?;
        for here in differs {
            if chance && actual.get(here as usize)?.is_null() {
                continue;
            }
            if self.facts.wrong.is_empty() {
                self.facts.expected = Some(match expected.get(here as usize)? {
                    AnyValue::Null => "null".to_owned(),
                    AnyValue::String(text) => text.to_owned(),
                    other => other.str_value().into_owned(),
                });
            }
            self.facts.wrong.push(at[here as usize]);
        }
        // A computed null is no null by chance.
        if chance && expected.null_count() > 0 {
            for (here, is_null) in expected.is_null().iter().enumerate() {
                if is_null == Some(true) {
                    self.facts.leaves[at[here] as usize] = MUST_BE_NULL;
                }
            }
        } else if !chance {
            // Nulls are compared like any other value.
            at.iter().for_each(|at| self.facts.leaves[*at as usize] = UNKNOWN);
        }
        Ok(())
    }
}

/// Positions at which two columns differ; floats may differ in their last digits.
fn differing(expected: &Series, actual: &Series) -> Result<Vec<u32>, Failure> {
    let differs = |different: &mut dyn Iterator<Item = bool>| {
        different.enumerate().filter(|(_, differs)| *differs).map(|(at, _)| at as u32).collect()
    };
    if expected.dtype() == actual.dtype() && !expected.dtype().is_float() {
        let same = expected.equal_missing(actual)?;
        return Ok(differs(&mut same.iter().map(|same| same != Some(true))));
    }
    let is_number = |series: &Series| {
        !matches!(series.dtype(), DataType::String | DataType::Boolean) && !series.dtype().is_enum()
    };
    if is_number(expected) && is_number(actual) {
        let (a, b) = (array::to_floats(expected)?, array::to_floats(actual)?);
        let far = |(a, b): (&Option<f64>, &Option<f64>)| match (a, b) {
            (Some(a), Some(b)) => (a - b).abs() > 1e-9 * a.abs().max(b.abs()).max(1e-300),
            (a, b) => a.is_some() != b.is_some(),
        };
        return Ok(differs(&mut a.iter().zip(&b).map(far)));
    }
    let (a, b) = (expected.cast(&DataType::String)?, actual.cast(&DataType::String)?);
    Ok(differs(&mut a.str()?.iter().zip(b.str()?.iter()).map(|(a, b)| a != b)))
}

/// Whether a column is written, or follows from written ones.
pub(crate) fn is_told(table: &Table, at: usize) -> bool {
    let column = &table.columns[at];
    column.written
        || match &column.source {
            Source::Rule(spec) => {
                spec.is_computed()
                    && column
                        .inputs
                        .iter()
                        .all(|input| *input < table.columns.len() && is_told(table, *input))
            }
            _ => false,
        }
}

/// Which columns are given, or follow from those that are.
fn known(
    table: &Table,
    part_label: Option<usize>,
    given: &dyn Fn(&crate::plan::Column) -> bool,
) -> Vec<bool> {
    let mut known: Vec<bool> = table.columns.iter().map(given).collect();
    for at in &table.order {
        let column = &table.columns[*at];
        if column.written {
            continue;
        }
        known[*at] = match &column.source {
            Source::Subset(_) => part_label.is_some(),
            Source::Rule(spec) => {
                spec.is_computed() && column.inputs.iter().all(|input| known.get(*input) == Some(&true))
            }
            _ => false,
        };
    }
    known
}

/// Whether an anomaly changes anything that an expectation reads, directly or through draws that follow from written columns.
fn reads_anomalous(table: &Table, expected: &Expected) -> bool {
    let named = expected.expectation.columns.iter().chain(&expected.expectation.by);
    let place = |name: &str| table.columns.iter().position(|column| column.name == name);
    let mut open: Vec<usize> = named.filter_map(|column| place(&column.value)).collect();
    open.extend(&expected.inputs);
    let mut seen = BTreeSet::new();
    while let Some(at) = open.pop() {
        let Some(column) = table.columns.get(at).filter(|_| seen.insert(at)) else { continue };
        if column.dirty.is_some() {
            return true;
        }
        // What is written is read as it stands, whatever it was made from.
        if !column.written {
            open.extend(&column.inputs);
        }
    }
    false
}

/// Whether every value of the column stands in the ruleset or its files, or follows from such values and row numbers.
fn is_listed(plan: &TablePlan, table: &Table, at: usize) -> bool {
    fn of_rule(plan: &TablePlan, table: &Table, spec: &Spec) -> bool {
        match spec.promise() {
            Promise::Drawn(declared::Promise::Shares(_)) => true,
            Promise::Drawn(declared::Promise::Spread(spread)) => {
                matches!(spread, declared::Spread::Points(_))
            }
            Promise::Cases(cases) => cases.specs().iter().all(|spec| of_rule(plan, table, spec)),
            Promise::Computed => positions(table, &inputs_of(spec.inner()))
                .is_some_and(|inputs| inputs.iter().all(|input| is_listed(plan, table, *input))),
            _ => false,
        }
    }
    match table.columns.get(at).map(|column| &column.source) {
        Some(Source::Rule(spec)) => of_rule(plan, table, spec),
        Some(Source::Parent { link, column }) => {
            let parent = &plan.tables().0[table.links[*link].parent];
            is_listed(plan, parent, *column)
        }
        // The number of a row.
        Some(Source::Link(_) | Source::Subset(_)) => true,
        _ => false,
    }
}

/// Whether the column's values in different rows are alike and share no draw: nothing that it reads, however far off, belongs
/// to a parent, to children or to a series, or hangs on the row's number.
fn rows_independent(table: &Table, at: usize) -> bool {
    let mut open = vec![at];
    let mut seen = BTreeSet::new();
    // Rows that are drawn again hang on all that the conditions read.
    open.extend(table.requires.iter().flat_map(|require| require.inputs.iter().copied()));
    while let Some(at) = open.pop() {
        if !seen.insert(at) {
            continue;
        }
        let Some(column) = table.columns.get(at) else { continue };
        match &column.source {
            Source::Rule(spec) if !spec.has_place() => open.extend(&column.inputs),
            Source::Subset(_) => {}
            _ => return false,
        }
    }
    true
}
