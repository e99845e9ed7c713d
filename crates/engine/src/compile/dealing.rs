//! Anomalies in a plan: what each takes is dealt, once the table can be made.

use std::sync::Arc;

use lookalike_core::Seed;
use lookalike_ruleset::anomaly::Anomalies;
use lookalike_ruleset::decode::{DAY, Spanned};
use lookalike_ruleset::{Diagnostic, Problems, Type};

use super::anomalies::{AnomalyDraft, Whole};
use super::prepare::Preparer;
use crate::anomaly::Anomaly;
use crate::generator::{Categories, Demand, InputName, Output, Site};
use crate::inject::{Dealt, Held, Injector, Planned, Together, Units, Wanted};
use crate::look::Look;
use crate::shares::largest_remainder;

impl Preparer<'_> {
    /// Checks the anomalies of a table and finds out which rows they take.
    pub(super) fn anomalies(&mut self, at: usize, lenient: bool) -> Option<()> {
        let drafts = std::mem::take(&mut self.around[at].draft.anomalies);
        let Some(decl) = self.around[at].draft.decl.anomalies.as_ref() else { return Some(()) };
        let (rows, seed) = (self.around[at].rows?, self.around[at].draft.seed.derive("anomaly"));
        let names: Vec<String> = decl.value.kinds.0.iter().map(|item| item.name.clone()).collect();
        let about = decl.value.kinds.0.iter().map(|item| item.value.keys.about.clone()).collect();
        let wanted = self.wanted(at, &decl.value, rows);
        let mut planned = Vec::new();
        let mut whole = true;
        for draft in drafts {
            let wanted = wanted[draft.code as usize];
            match self.plan_anomaly(at, draft, rows, seed, wanted, decl.value.overlap) {
                Some(anomaly) => planned.push(anomaly),
                None => whole = false,
            }
        }
        for anomaly in &mut planned {
            let look = Look { tables: &self.tables, at, seed: seed.derive("look") };
            whole &= anomaly.anomaly.look(&look, self.problems).is_some();
        }
        if !whole {
            return None;
        }
        // Who can choose least chooses first.
        planned.sort_by_key(|planned| (planned.units.turn(), planned.when.is_none()));
        let label = decl.value.label.as_ref().map(|label| label.value.clone());
        let count = planned.len();
        self.tables.0[at].injector =
            Some(Injector { anomalies: planned, label, names: Categories::new(names), about });
        for number in 0..count {
            self.deal(at, number, lenient)?;
        }
        Some(())
    }

    /// How many units each anomaly is to take.
    fn wanted(&self, at: usize, anomalies: &Anomalies, rows: u64) -> Vec<u64> {
        let share = |rate: f64| (rows as f64 * rate).round() as u64;
        let total = match (&anomalies.rate, &anomalies.count) {
            (_, Some(count)) => count.value.0,
            (Some(rate), None) => share(rate.value.0),
            (None, None) => 0,
        };
        let kinds = &anomalies.kinds.0;
        let weights: Vec<f64> = kinds
            .iter()
            .map(|item| &item.value.keys)
            .map(|keys| if keys.rate.is_some() || keys.count.is_some() { 0.0 } else { keys.weight.0 })
            .collect();
        let shared = largest_remainder(total, &weights);
        let parents = |name: &str| {
            let link = self.tables.0[at].links.iter().find(|link| link.name == name);
            link.and_then(|link| self.around[link.parent].rows).unwrap_or(0)
        };
        let own =
            |keys: &lookalike_ruleset::anomaly::AnomalyKeys| match (&keys.count, &keys.rate, &keys.burst) {
                (Some(count), ..) => Some(count.value.0),
                (None, Some(rate), None) => Some(match &keys.per {
                    // Of the rows as of the parents whose children they are; of a column's values it comes out later.
                    Some(link) if keys.window.is_none() => {
                        (parents(&link.value) as f64 * rate.value.0).round() as u64
                    }
                    _ => share(rate.value.0),
                }),
                (None, Some(rate), Some(burst)) => {
                    let mean = (burst.value.low + burst.value.high) as f64 / 2.0;
                    Some((rows as f64 * rate.value.0 / mean).round() as u64)
                }
                (None, None, _) => None,
            };
        kinds.iter().zip(shared).map(|(item, shared)| own(&item.value.keys).unwrap_or(shared)).collect()
    }

    fn plan_anomaly(
        &mut self,
        at: usize,
        draft: AnomalyDraft<'_>,
        rows: u64,
        seed: Seed,
        wanted: u64,
        overlap: bool,
    ) -> Option<Planned> {
        let AnomalyDraft {
            item,
            code,
            scopes: [own, new],
            mut anomaly,
            columns,
            inputs,
            when,
            severity,
            per,
            whole,
            window,
            order,
        } = draft;
        let inputs = inputs?;
        let seed = seed.derive(&item.name);
        let around = &self.around[at];
        if inputs
            .iter()
            .chain(&when)
            .chain(&per)
            .chain(&window)
            .chain(order.iter().flat_map(|(column, owner)| std::iter::once(column).chain(owner)))
            .any(|column| around.outputs[*column].1.is_none())
        {
            return None;
        }
        let keys = &item.value.keys;
        let mut condition = |column: Option<usize>, expected: fn(Type) -> bool, message: &str| match column {
            Some(column) if !around.outputs[column].1.as_ref().is_some_and(|output| expected(output.ty)) => {
                let span = around.draft.columns[column].span;
                self.problems.push(Diagnostic::error("expression-type", span, message));
                false
            }
            _ => true,
        };
        let good = condition(when, |ty| ty == Type::Bool, "`when` needs a condition")
            & condition(severity, Type::is_number, "a severity is a number from 0 to 1");
        if !good {
            return None;
        }
        if let (Some((column, _)), Some(Spanned { value, .. })) = (order, &keys.order) {
            let ty = around.outputs[column].1.as_ref()?.ty;
            if matches!(ty, Type::Text | Type::Bool) {
                let message = format!("`{}` is {ty}", value.column.value);
                self.problems.push(
                    Diagnostic::error("wrong-type", value.column.span, message)
                        .label("expected dates, stamps, lengths of time or numbers"),
                );
                return None;
            }
        }
        let mut site = Site {
            seed: seed.derive("value"),
            table: around.draft.seed,
            rows,
            span: item.name_span,
            demand: Demand::default(),
            world: self.world,
            columns: &around.outputs,
            scope: &[new, own],
            problems: self.problems,
        };
        let mut outputs = anomaly.prepare(&mut site)?;
        // What is recomputed comes after what the kind changes itself.
        let mut copies = Vec::new();
        for column in &columns[outputs.len()..] {
            let (id, output) = site.input(&around.outputs[*column].0)?;
            copies.push(id);
            outputs.push(output);
        }
        for (column, output) in columns.iter().zip(outputs) {
            let clean = around.outputs[*column].1.as_ref()?;
            if output.ty != clean.ty && output.ty != Type::Text {
                let name = &around.outputs[*column].0;
                let message = format!("`{name}` is {}, and would become {}", clean.ty, output.ty);
                self.problems.push(
                    Diagnostic::error("wrong-type", item.name_span, message)
                        .help("an anomaly keeps a column's type"),
                );
                return None;
            }
            let column = &mut self.tables.0[at].columns[*column];
            let before = column.dirty.as_ref().unwrap_or(&column.output);
            let same = match (&before.categories, &output.categories) {
                (Some(a), Some(b)) => Arc::ptr_eq(a, b),
                (None, _) => true,
                (Some(_), None) => false,
            };
            // What is no text by itself has no character in its text that would need a quote.
            let plain = |output: &Output| output.plain || output.ty != Type::Text;
            column.dirty = Some(Output {
                ty: if before.ty == Type::Text { Type::Text } else { output.ty },
                nullable: before.nullable || output.nullable,
                plain: plain(before) && plain(&output),
                json: before.json && output.json,
                categories: before.categories.clone().filter(|_| same),
            });
        }
        let anomaly: Box<dyn Anomaly> =
            if copies.is_empty() { anomaly } else { Box::new(Recomputed { anomaly, copies }) };
        let units = match (whole, window.zip(keys.window.as_ref())) {
            (_, Some((column, window))) => {
                let ty = around.outputs[column].1.as_ref()?.ty;
                let Spanned { value: length, span } = &window.value.length;
                let length = match ty {
                    Type::Datetime | Type::Duration => length.time(),
                    Type::Date => length.time().map(|micros| micros / DAY as f64),
                    ty if ty.is_number() => length.number(),
                    _ => None,
                };
                let Some(length) = length else {
                    let message = format!("`{}` is {ty}", window.value.column.value);
                    self.problems.push(
                        Diagnostic::error("wrong-type", *span, message)
                            .label("this is no length of a window of it")
                            .help("windows of times have a length of time, windows of numbers a number"),
                    );
                    return None;
                };
                let wanted = if keys.count.is_none() { Wanted::Rows } else { Wanted::Groups };
                Units::together(Together { window: Some((column, length)), wanted }, seed)
            }
            (Some(Whole::Rows), None) => {
                let wanted = keys.rate.as_ref().map_or(Wanted::Groups, |rate| Wanted::Share(rate.value.0));
                Units::together(Together { window: None, wanted }, seed)
            }
            (Some(Whole::Children(link)), None) => {
                let parents = self.around[self.tables.0[at].links[link].parent].rows?;
                Units::children(parents, link, seed)
            }
            (None, None) => Units::new(rows, keys.burst.as_ref().map(|burst| burst.value), seed),
        };
        let span = keys
            .rate
            .as_ref()
            .map(|r| r.span)
            .or(keys.count.as_ref().map(|c| c.span))
            .unwrap_or(item.name_span);
        Some(Planned {
            code,
            span,
            anomaly,
            columns,
            inputs,
            when,
            severity,
            per,
            order,
            ordering: None,
            overlap: overlap || keys.overlap,
            units,
            wanted,
            got: 0,
            threshold: 0,
            held: Held::Nothing,
            holds: None,
        })
    }

    /// Finds out what an anomaly needs to know of all rows: their order and, where rows are given, for which of them its
    /// condition holds.
    fn survey(&mut self, at: usize, number: usize) -> Result<(), crate::plan::Error> {
        let injector = self.tables.0[at].injector.as_ref();
        let Some(planned) = injector.map(|injector| &injector.anomalies[number]) else { return Ok(()) };
        let holds = self.tables.condition(at, planned)?;
        let ordering = planned.order.map(|(column, owner)| self.tables.ordering(at, column, owner));
        let ordering = ordering.transpose()?;
        if let Some(injector) = &mut self.tables.0[at].injector {
            let planned = &mut injector.anomalies[number];
            (planned.holds, planned.ordering) = (holds, ordering);
        }
        Ok(())
    }

    fn deal(&mut self, at: usize, number: usize, lenient: bool) -> Option<()> {
        let dealt = self.survey(at, number).and_then(|()| self.tables.deal(at, number));
        let table = &mut self.tables.0[at];
        let injector = table.injector.as_mut()?;
        let planned = &mut injector.anomalies[number];
        let name = &injector.names.values()[planned.code as usize];
        match dealt {
            Ok(Dealt { wanted, got, threshold, held }) => {
                (planned.wanted, planned.got) = (wanted, got);
                planned.threshold = threshold;
                if !matches!(held, Held::Nothing) {
                    planned.holds = None;
                }
                planned.held = held;
                if got >= planned.wanted {
                    return Some(());
                }
                let message = if planned.units.by_rows() {
                    format!(
                        "`{name}` is to take {} of the {} rows of `{}`, but its windows have only {got} that can take it",
                        planned.wanted, table.rows, table.name
                    )
                } else {
                    format!(
                        "`{name}` is to happen {} times among the {} rows of `{}`, but only {got} can take it",
                        planned.wanted, table.rows, table.name
                    )
                };
                let diagnostic = if lenient {
                    Diagnostic::warning("too-few-eligible", planned.span, message)
                        .help("it happens as often as it can")
                } else {
                    Diagnostic::error("too-few-eligible", planned.span, message)
                        .help("lower the rate, widen `when`, or take what there is with --lenient")
                };
                self.problems.push(diagnostic);
                lenient.then_some(())
            }
            Err(error) => {
                self.problems.push(Diagnostic::error("cannot-hold", planned.span, error.to_string()));
                None
            }
        }
    }
}

/// An anomaly, and columns that follow from what it changes.
struct Recomputed {
    anomaly: Box<dyn Anomaly>,
    copies: Vec<crate::generator::InputId>,
}

impl Anomaly for Recomputed {
    fn columns(&self) -> Vec<InputName> {
        self.anomaly.columns()
    }
    fn prepare(&mut self, site: &mut Site<'_>) -> Option<Vec<Output>> {
        self.anomaly.prepare(site)
    }
    fn look(&mut self, look: &Look<'_>, problems: &mut Problems) -> Option<()> {
        self.anomaly.look(look, problems)
    }
    fn spoil(
        &self,
        hits: &crate::anomaly::Hits<'_>,
    ) -> Result<Vec<polars::prelude::Series>, crate::generator::Failure> {
        let mut values = self.anomaly.spoil(hits)?;
        values.extend(self.copies.iter().map(|id| hits.block.input(*id).into_owned()));
        Ok(values)
    }
}
