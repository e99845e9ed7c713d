//! Carrying out the steps: every rule is checked in its surroundings, and tables learn how many rows they have.

use std::sync::Arc;

use lookalike_core::laws::Zipf;
use lookalike_core::{Permutation, Seed};
use lookalike_ruleset::diagnostic::did_you_mean;
use lookalike_ruleset::document::TableDecl;
use lookalike_ruleset::relation::{self, Pick};
use lookalike_ruleset::{Diagnostic, Problems, Span, Type};

use super::anomalies::AnomalyDraft;
use super::{Compiler, Draft, ExpectDraft, MAX_ROWS, RequireDraft, Step, TableDraft};
use crate::correlate::Group;
use crate::formula::Formula;
use crate::generator::{Demand, Generator, Output, Site, World};
use crate::links::{MAX_HELD, Mode, Part, PerParent};
use crate::plan::{Column, Expected, Requirement, Source, Table, Tables};

/// A table whose parts are being prepared.
pub(super) struct Surroundings<'a> {
    pub draft: TableInfo<'a>,
    /// Names and types of all columns, as generators see them.
    pub outputs: Vec<(String, Option<Output>)>,
    pub rows: Option<u64>,
}

/// What of a [`TableDraft`] is left when its columns have moved into the plan.
pub(super) struct TableInfo<'a> {
    pub decl: &'a TableDecl,
    pub seed: Seed,
    pub columns: Vec<ColumnInfo>,
    links: Vec<(&'a relation::Link, Span, Option<usize>, Option<usize>)>,
    requires: Vec<RequireDraft>,
    expects: Vec<ExpectDraft>,
    pub anomalies: Vec<AnomalyDraft<'a>>,
}

pub(super) struct ColumnInfo {
    seed: Seed,
    pub span: Span,
    /// Whether it can be prepared.
    resolved: bool,
    scope: Vec<String>,
    replaces: Option<usize>,
}

impl Compiler<'_> {
    /// Carries out the steps. `None` when something is wrong.
    pub(super) fn prepare(self, order: &[Step], world: &World, lenient: bool) -> Option<Tables> {
        let Compiler { tables: drafts, problems, .. } = self;
        warn_unused(&drafts, problems);
        let mut tables = Tables(Vec::new());
        let mut around = Vec::new();
        let mut whole = true;
        for draft in drafts {
            whole &= draft.columns.iter().all(|column| column.source.is_some());
            let outputs = draft.columns.iter().map(|column| (column.name.clone(), None)).collect();
            let info = |c: &Draft| ColumnInfo {
                seed: c.seed,
                span: c.span,
                resolved: c.resolved && c.source.is_some(),
                scope: c.scope.clone(),
                replaces: c.replaces,
            };
            let columns = draft.columns.iter().map(info).collect();
            let link_info = draft.links.iter().map(|l| (l.decl, l.span, l.counts, l.column)).collect();
            tables.0.push(Table {
                name: draft.name.to_owned(),
                about: draft.decl.about.clone(),
                rows: draft.rows.unwrap_or(0),
                columns: draft.columns.into_iter().map(column_of).collect(),
                order: Vec::new(),
                requires: Vec::new(),
                null_holds: world.wanted.is_some(),
                expects: Vec::new(),
                links: draft.links.into_iter().map(|l| l.link).collect(),
                groups: draft.groups,
                injector: None,
                given: draft.given,
                files: draft.files,
            });
            around.push(Surroundings {
                draft: TableInfo {
                    decl: draft.decl,
                    seed: draft.seed,
                    columns,
                    links: link_info,
                    requires: draft.requires,
                    expects: draft.expects,
                    anomalies: draft.anomalies,
                },
                outputs,
                rows: draft.rows,
            });
        }
        let mut preparer = Preparer { tables, around, world, problems };
        for step in order {
            whole &= match *step {
                Step::Column(table, column) => preparer.column(table, column).is_some(),
                Step::Rows(table) => preparer.rows(table).is_some(),
                Step::Link(table, link) => preparer.link(table, link).is_some(),
                Step::Requires(table) => preparer.requires(table).is_some(),
            };
        }
        if !whole {
            return None;
        }
        for table in 0..preparer.tables.0.len() {
            whole &= preparer.anomalies(table, lenient).is_some();
            whole &= preparer.expects(table).is_some();
        }
        whole.then_some(preparer.tables)
    }
}

fn column_of(draft: Draft) -> Column {
    let source = draft.source.unwrap_or(Source::Link(0));
    let (about, unique) = match &source {
        Source::Rule(spec) => (spec.about.clone(), spec.is_unique()),
        _ => (None, false),
    };
    Column {
        name: draft.name,
        output: Output::of(Type::Text),
        written: draft.written,
        about,
        unique,
        inputs: draft.inputs,
        source,
        dirty: None,
    }
}

pub(super) struct Preparer<'a> {
    pub tables: Tables,
    pub around: Vec<Surroundings<'a>>,
    pub world: &'a World,
    pub problems: &'a mut Problems,
}

impl Preparer<'_> {
    fn column(&mut self, at: usize, column: usize) -> Option<()> {
        let rows = self.around[at].rows?;
        let ColumnInfo { seed, span, resolved, replaces, .. } = self.around[at].draft.columns[column];
        if !resolved {
            return None;
        }
        let output = match &self.tables.0[at].columns[column].source {
            Source::Rule(_) => {
                let around = &self.around[at];
                let words = Group::words(&self.tables.0[at].groups, column);
                let scope = around.draft.columns[column].scope.as_slice();
                let ty = match replaces {
                    Some(column) => Some(around.outputs[column].1.as_ref()?.ty),
                    None => None,
                };
                let Source::Rule(spec) = &mut self.tables.0[at].columns[column].source else { return None };
                if let Some(ty) = ty {
                    spec.become_type(ty);
                }
                let mut site = Site {
                    seed,
                    table: around.draft.seed,
                    rows,
                    span: spec.span,
                    demand: Demand { words, ..Demand::default() },
                    world: self.world,
                    columns: &around.outputs,
                    scope,
                    problems: self.problems,
                };
                spec.prepare(&mut site)?
            }
            Source::Subset(parts) => {
                let parts = parts.clone();
                let decl = self.around[at].draft.decl.subsets.as_ref()?;
                let files = &mut self.tables.0[at].files;
                let sized = super::subsets::sized(decl, &parts.names, files, rows, seed, self.problems)?;
                let output = Output::categories(sized.names.clone());
                self.tables.0[at].columns[column].source = Source::Subset(Arc::new(sized));
                output
            }
            Source::File { file, place } => {
                let field = &self.tables.0[at].files.files[*file].rows.schema().fields[*place];
                Output { nullable: field.nullable, plain: field.plain, ..Output::of(field.ty) }
            }
            Source::Given(place) => {
                let field = &self.tables.0[at].given.as_ref()?.schema().fields[*place];
                Output {
                    nullable: field.nullable,
                    plain: field.plain,
                    json: field.json,
                    ..Output::of(field.ty)
                }
            }
            Source::Link(link) => {
                Output { nullable: self.tables.0[at].links[*link].nullable(), ..Output::of(Type::Int) }
            }
            Source::Parent { link, column } => {
                let link = &self.tables.0[at].links[*link];
                let mut output = self.around[link.parent].outputs[*column].1.clone()?;
                output.nullable |= link.nullable();
                output
            }
            Source::Children(children) => {
                let of = match children.column {
                    Some(column) => Some(self.around[children.table].outputs[column].1.clone()?),
                    None => None,
                };
                match children.output(of.as_ref()) {
                    Ok(output) => output,
                    Err(message) => {
                        self.problems.push(
                            Diagnostic::error("expression-type", span, message)
                                .help("sums and means are of numbers and lengths of time; smallest and largest also of dates"),
                        );
                        return None;
                    }
                }
            }
        };
        if let Source::Children(children) = &self.tables.0[at].columns[column].source {
            let link = &self.tables.0[children.table].links[children.link];
            if !matches!(link.mode, Mode::PerParent(_)) && rows > MAX_HELD {
                let message =
                    format!("an aggregate over children that pick one of {rows} parents is too large");
                self.problems.push(
                    Diagnostic::error("bad-link", link.span, message)
                        .help(format!("at most {MAX_HELD} parents can be held; use `per_parent`")),
                );
                return None;
            }
        }
        self.around[at].outputs[column].1 = Some(output.clone());
        self.tables.0[at].columns[column].output = output;
        self.tables.0[at].order.push(column);
        Some(())
    }

    fn rows(&mut self, at: usize) -> Option<()> {
        if self.around[at].rows.is_some() {
            return Some(());
        }
        let number = self.around[at].draft.links.iter().position(|(_, _, counts, _)| counts.is_some())?;
        let (decl, span, counts, _) = self.around[at].draft.links[number];
        let (counts, parent) = (counts?, self.tables.0[at].links[number].parent);
        self.around[parent].rows?;
        let output = self.around[parent].outputs[counts].1.as_ref()?;
        let place = decl.per_parent.as_ref().map_or(span, |node| node.span);
        if !matches!(output.ty, Type::Int | Type::Bool) {
            self.problems.push(
                Diagnostic::error(
                    "wrong-type",
                    place,
                    format!("a number of children cannot be {}", output.ty),
                )
                .label("expected whole numbers, or true and false for one child and none")
                .help("add `type: int`"),
            );
            return None;
        }
        let (ends, most) = match self.tables.count_children(parent, counts) {
            Ok(counted) => counted,
            Err(error) => {
                self.problems.push(
                    Diagnostic::error("impossible-count", place, error.to_string())
                        .help("a parent has 0 or more children: `truncate` or `clamp` the numbers"),
                );
                return None;
            }
        };
        let rows = ends.last().copied().unwrap_or(0);
        if rows > MAX_ROWS {
            self.problems.push(
                Diagnostic::error("bad-rows", place, format!("{rows} rows are too many"))
                    .help(format!("a table has at most {MAX_ROWS} rows")),
            );
            return None;
        }
        self.tables.0[at].rows = rows;
        self.around[at].rows = Some(rows);
        self.tables.0[at].links[number].mode = Mode::PerParent(PerParent { counts, ends });
        self.check_combinations(at, Some(most))
    }

    /// The links under `unique`, as numbers; without the one that the rows follow from.
    fn unique_picks(&self, at: usize) -> Vec<usize> {
        let names = &self.around[at].draft.decl.unique;
        let links = &self.tables.0[at].links;
        names
            .iter()
            .filter_map(|name| links.iter().position(|link| link.name == name.value))
            .filter(|number| !matches!(links[*number].mode, Mode::PerParent(_)))
            .collect()
    }

    /// Whether there are enough combinations of the parents in the unique links: for all rows, or for the children of the
    /// parent that has most.
    fn check_combinations(&mut self, at: usize, most: Option<u64>) -> Option<()> {
        let unique = &self.around[at].draft.decl.unique;
        let picks = self.unique_picks(at);
        let within = most.is_some() && picks.len() < unique.len();
        if picks.is_empty() {
            return Some(());
        }
        let mut combinations = 1u128;
        for link in &picks {
            let parent = self.tables.0[at].links[*link].parent;
            combinations = combinations.saturating_mul(u128::from(self.around[parent].rows?));
        }
        let needed = if within { most.unwrap_or(0) } else { self.around[at].rows? };
        if u128::from(needed) > combinations {
            let table = &self.tables.0[at];
            let names: Vec<&str> = picks.iter().map(|link| table.links[*link].name.as_str()).collect();
            let who = if within { "a parent has up to".to_owned() } else { format!("`{}` has", table.name) };
            let message = format!(
                "{who} {needed} rows, but there are only {combinations} different {}",
                names.join(" × ")
            );
            let span = unique.first().map(|name| name.span);
            self.problems.push(
                Diagnostic::error("impossible-count", span, message)
                    .label("these cannot all differ")
                    .help("make more parents or fewer rows, or drop `unique`"),
            );
            return None;
        }
        if combinations > u128::from(MAX_ROWS) {
            let span = unique.first().map(|name| name.span);
            self.problems.push(
                Diagnostic::error("impossible-count", span, "there are too many combinations of parents")
                    .help(format!("at most {MAX_ROWS}")),
            );
            return None;
        }
        Some(())
    }

    fn link(&mut self, at: usize, number: usize) -> Option<()> {
        let rows = self.around[at].rows?;
        let (decl, span, _, column) = self.around[at].draft.links[number];
        let parent = self.tables.0[at].links[number].parent;
        let parents = self.around[parent].rows?;
        let link = &self.tables.0[at].links[number];
        if matches!(link.mode, Mode::PerParent(_) | Mode::Earlier) {
            return Some(());
        }
        if parents == 0 && rows > 0 {
            let message = format!(
                "the {rows} rows of `{}` need a `{}`, but `{}` has no rows",
                self.tables.0[at].name, link.name, self.tables.0[parent].name
            );
            self.problems.push(
                Diagnostic::error("impossible-count", span, message).help("give the parent table rows"),
            );
            return None;
        }
        let seed = link.seed;
        let picks = self.unique_picks(at);
        let mode = if picks.contains(&number) {
            if !self.around[at].draft.links.iter().any(|(_, _, counts, _)| counts.is_some()) {
                self.check_combinations(at, None)?;
            }
            let mut stride = 1u64;
            let mut combinations = 1u64;
            for link in &picks {
                let size = self.around[self.tables.0[at].links[*link].parent].rows?;
                if *link == number {
                    stride = combinations;
                }
                combinations = combinations.saturating_mul(size);
            }
            let part = Part { stride, size: parents.max(1) };
            let names = &self.around[at].draft.decl.unique;
            let per = self.tables.0[at].links.iter().position(|link| {
                matches!(link.mode, Mode::PerParent(_)) && names.iter().any(|name| name.value == link.name)
            });
            let seed = self.around[at].draft.seed.derive("unique");
            match per {
                Some(within) => Mode::Within { within, seed, combinations, part },
                None => Mode::Combination { all: Permutation::new(combinations.max(1), seed), part },
            }
        } else {
            match &decl.pick {
                None | Some(Pick::Uniform) => Mode::Uniform(parents),
                Some(Pick::Zipf(exponent)) => match Zipf::new(parents.max(1), exponent.0) {
                    Ok(law) => Mode::Zipf(law, Permutation::new(parents.max(1), seed.derive("popular"))),
                    Err(error) => {
                        self.problems.push(Diagnostic::error("bad-value", span, error.to_string()));
                        return None;
                    }
                },
                Some(Pick::Row(node)) => {
                    let column = column?;
                    let output = self.around[at].outputs[column].1.as_ref()?;
                    if output.ty != Type::Int {
                        let message = format!("a row number cannot be {}", output.ty);
                        self.problems.push(
                            Diagnostic::error("wrong-type", node.span, message).label("expected an int"),
                        );
                        return None;
                    }
                    Mode::Computed { column, parents, nullable: output.nullable }
                }
                Some(Pick::Weight(name)) => {
                    let weight = column?;
                    let output = self.around[parent].outputs[weight].1.as_ref()?;
                    let mut refuse = |message: String, help: &str| {
                        self.problems.push(Diagnostic::error("bad-weights", name.span, message).help(help));
                    };
                    if !(output.ty.is_number() || output.ty == Type::Bool) {
                        refuse(format!("weights cannot be {}", output.ty), "name a column of numbers");
                        return None;
                    }
                    if parents > MAX_HELD {
                        refuse(
                            format!("the weights of {parents} parents are too many to be held"),
                            "at most 4,194,304 parents can have weights; `zipf` has no such limit",
                        );
                        return None;
                    }
                    match self.tables.weights(parent, weight) {
                        Ok(Ok(sums)) => Mode::Weight(sums),
                        Ok(Err(_)) if parents == 0 => Mode::Uniform(0),
                        Ok(Err(message)) => {
                            refuse(message, "weights are 0 or more, and not all 0");
                            return None;
                        }
                        Err(error) => {
                            refuse(error.to_string(), "the weights must be computable");
                            return None;
                        }
                    }
                }
            }
        };
        self.tables.0[at].links[number].mode = mode;
        Some(())
    }

    /// Checks what is expected of a table against its columns.
    fn expects(&mut self, at: usize) -> Option<()> {
        let expects = std::mem::take(&mut self.around[at].draft.expects);
        self.around[at].rows?;
        let mut whole = true;
        for ExpectDraft { expectation, mut formula, inputs } in expects {
            let Some(inputs) = inputs else {
                whole = false;
                continue;
            };
            let table = &self.tables.0[at];
            let mut bad = |span, message: String, help: String| {
                self.problems.push(Diagnostic::error("bad-expectation", span, message).help(help));
                whole = false;
            };
            for name in expectation.columns.iter().chain(&expectation.by) {
                let found =
                    table.columns.iter().position(|column| column.written && column.name == name.value);
                match found {
                    None => {
                        let names = table.columns.iter().filter(|c| c.written).map(|c| c.name.as_str());
                        let message = format!("the table writes no column `{}`", name.value);
                        bad(name.span, message, did_you_mean(&name.value, "columns", names));
                    }
                    Some(column) => {
                        let ty = table.columns[column].output.ty;
                        let is_by = expectation.by.as_ref().is_some_and(|by| by.span == name.span);
                        if expectation.claim.needs_numbers()
                            && !is_by
                            && matches!(ty, Type::Text | Type::Bool)
                        {
                            let message =
                                format!("`{}` is {ty}, of which there are no such figures", name.value);
                            bad(name.span, message, "name a column of numbers or times".into());
                        }
                    }
                }
            }
            for input in &inputs {
                if !crate::audit::is_told(table, *input) {
                    let message =
                        format!("`{}` cannot be told from the written columns", table.columns[*input].name);
                    let help = "expectations are held against files: read written columns, or draws that follow from them";
                    bad(expectation.span, message, help.into());
                }
            }
            if let Some(formula) = &mut formula {
                whole &= self.condition(at, "expect", formula).is_some();
            }
            self.tables.0[at].expects.push(Expected { expectation, formula, inputs });
        }
        whole.then_some(())
    }

    fn requires(&mut self, at: usize) -> Option<()> {
        let requires = std::mem::take(&mut self.around[at].draft.requires);
        self.around[at].rows?;
        let mut whole = true;
        let Table { groups, columns, .. } = &mut self.tables.0[at];
        for group in groups {
            let outputs = &self.around[at].outputs;
            // A member that could not be prepared was reported.
            let ready = |at: usize| match &columns[at].source {
                Source::Rule(spec) if outputs[at].1.is_some() => Some(spec.as_ref()),
                _ => None,
            };
            whole &= group.finish(ready, self.problems).is_some();
        }
        for RequireDraft { mut formula, text, inputs } in requires {
            let Some(inputs) = inputs else {
                whole = false;
                continue;
            };
            match self.condition(at, "require", &mut formula) {
                Some(()) => self.tables.0[at].requires.push(Requirement { formula, text, inputs }),
                None => whole = false,
            }
        }
        whole.then_some(())
    }

    /// Prepares a condition over a table's columns.
    fn condition(&mut self, at: usize, what: &str, formula: &mut Formula) -> Option<()> {
        let around = &self.around[at];
        let mut site = Site {
            seed: around.draft.seed,
            table: around.draft.seed,
            rows: around.rows?,
            span: formula.span,
            demand: Demand::default(),
            world: self.world,
            columns: &around.outputs,
            scope: &[],
            problems: self.problems,
        };
        formula.prepare_condition(what, &mut site)
    }
}

fn warn_unused(tables: &[TableDraft<'_>], problems: &mut Problems) {
    // What a column of another table reads.
    let mut read: Vec<(usize, usize)> = Vec::new();
    for table in tables {
        for column in &table.columns {
            match &column.source {
                Some(Source::Parent { link, column }) => read.push((table.links[*link].link.parent, *column)),
                Some(Source::Children(children)) => read.extend(children.column.map(|c| (children.table, c))),
                _ => {}
            }
        }
        for link in &table.links {
            if let (Some(Pick::Weight(_)), Some(column)) = (&link.decl.pick, link.column) {
                read.push((link.link.parent, column));
            }
        }
    }
    for (number, table) in tables.iter().enumerate() {
        for (at, draft) in table.columns.iter().enumerate() {
            let is_read = table.columns.iter().any(|d| d.inputs.contains(&at))
                || table.expects.iter().any(|e| e.inputs.iter().flatten().any(|input| *input == at))
                || table.requires.iter().any(|r| r.inputs.iter().flatten().any(|input| *input == at))
                || table.anomalies.iter().any(|a| {
                    let (order, owner) = a.order.unzip();
                    [a.per, a.window, order, owner.flatten()].contains(&Some(at))
                })
                || read.contains(&(number, at));
            if !draft.written && !draft.hidden && !is_read && draft.source.is_some() {
                problems.push(
                    Diagnostic::warning(
                        "unused",
                        draft.span,
                        format!("nothing reads the draw `{}`", draft.name),
                    )
                    .help("remove it, or move it to `columns`"),
                );
            }
        }
    }
}
