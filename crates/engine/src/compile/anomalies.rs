//! Anomalies on their way to a plan.

use std::sync::Arc;

use lookalike_core::Seed;
use lookalike_ruleset::anomaly::{Anomalies, AnomalyDecl};
use lookalike_ruleset::decode::{DAY, Named, NamedItem, Spanned};
use lookalike_ruleset::diagnostic::did_you_mean;
use lookalike_ruleset::document::TableDecl;
use lookalike_ruleset::{Diagnostic, Entry, Node, Span, Type, Value};

use super::prepare::Preparer;
use super::{Compiler, Draft};
use crate::anomalies::ANOMALIES;
use crate::anomaly::{Anomaly, Rules};
use crate::build::Builder;
use crate::generator::{Categories, Demand, InputName, Kind, Output, Site};
use crate::inject::{Dealt, Grid, Held, Injector, Planned, Units, largest_remainder};
use crate::plan::Source;

/// Most anomalies of a table.
const MAX_ANOMALIES: usize = 1000;

/// An anomaly on its way.
pub(super) struct AnomalyDraft<'a> {
    pub item: &'a NamedItem<AnomalyDecl>,
    pub code: u32,
    /// The names of its own columns begin so; then of the new values.
    pub scopes: [String; 2],
    pub anomaly: Box<dyn Anomaly>,
    pub columns: Vec<usize>,
    /// `None` where one is unknown.
    pub inputs: Option<Vec<usize>>,
    pub when: Option<usize>,
    pub severity: Option<usize>,
    pub per: Option<usize>,
    /// The link whose parents' children it takes together.
    pub whole: Option<usize>,
    /// The column whose windows it takes.
    pub window: Option<usize>,
}

impl<'a> Compiler<'a> {
    /// Reads the anomalies and makes their hidden columns.
    pub(super) fn spoil(&mut self, kinds: &[&[Kind]], vocabulary: &Named<Node>) {
        for table in 0..self.tables.len() {
            let Some(decl) = self.tables[table].decl.anomalies.as_ref() else { continue };
            self.check_anomalies(table, decl);
            for (code, item) in decl.value.kinds.0.iter().take(MAX_ANOMALIES).enumerate() {
                if let Some(draft) = self.anomaly(table, code as u32, item, kinds, vocabulary) {
                    self.tables[table].anomalies.push(draft);
                }
            }
        }
    }

    fn check_anomalies(&mut self, table: usize, decl: &'a Spanned<Anomalies>) {
        let Spanned { value: anomalies, span } = decl;
        if let (Some(rate), Some(count)) = (&anomalies.rate, &anomalies.count) {
            self.problems.push(
                Diagnostic::error(
                    "bad-anomaly",
                    count.span,
                    "anomalies have a `rate` or a `count`, not both",
                )
                .related(rate.span, "the rate")
                .help("remove one"),
            );
        }
        let kinds = &anomalies.kinds.0;
        if kinds.is_empty() || kinds.len() > MAX_ANOMALIES {
            let message = format!("{} kinds of anomaly", kinds.len());
            self.problems.error(
                "bad-anomaly",
                *span,
                message,
                format!("list 1 to {MAX_ANOMALIES} under `kinds`"),
            );
        }
        let shared = anomalies.rate.is_some() || anomalies.count.is_some();
        for item in kinds {
            let keys = &item.value.keys;
            let own = keys.rate.is_some() || keys.count.is_some();
            if let (Some(rate), Some(count)) = (&keys.rate, &keys.count) {
                self.problems.push(
                    Diagnostic::error(
                        "bad-anomaly",
                        count.span,
                        "an anomaly has a `rate` or a `count`, not both",
                    )
                    .related(rate.span, "the rate")
                    .help("remove one"),
                );
            }
            if !own && !shared {
                self.problems.error(
                    "bad-anomaly",
                    item.name_span,
                    format!("nobody says how often `{}` happens", item.name),
                    "give it a `rate` or `count`, or the anomalies together",
                );
            }
            let burst = keys.burst.as_ref().map(|burst| burst.span);
            let window = keys.window.as_ref().map(|window| window.span);
            if let (Some(burst), Some(window)) = (burst, window) {
                self.problems.push(
                    Diagnostic::error(
                        "bad-anomaly",
                        window,
                        "an anomaly has a `burst` or a `window`, not both",
                    )
                    .related(burst, "the burst")
                    .help("remove one"),
                );
            }
            let run = burst.or(window).or(keys.per.as_ref().map(|link| link.span));
            if let Some(span) = run.filter(|_| !own) {
                self.problems.error(
                    "bad-anomaly",
                    span,
                    "what takes many rows at a time needs a `rate` or `count` of its own",
                    "the rows that the anomalies share are dealt one by one",
                );
            }
        }
        if let Some(label) = &anomalies.label
            && let Some(column) = self.tables[table].columns.iter().find(|column| column.name == label.value)
        {
            self.problems.push(
                Diagnostic::error(
                    "duplicate-name",
                    label.span,
                    format!("`{}` is a column and the label", label.value),
                )
                .related(column.span, "the column")
                .help("give the label another name"),
            );
        }
    }

    fn anomaly(
        &mut self,
        table: usize,
        code: u32,
        item: &'a NamedItem<AnomalyDecl>,
        kinds: &[&[Kind]],
        vocabulary: &Named<Node>,
    ) -> Option<AnomalyDraft<'a>> {
        let keys = &item.value.keys;
        let scopes = [format!("#{}.", item.name), format!("#{}!", item.name)];
        let [own_scope, new_scope] = &scopes;
        let seed = self.tables[table].seed.derive("anomaly").derive(&item.name);
        let mut builder = Builder::new(kinds, vocabulary, self.problems).without_identities();
        let columns = self.tables[table].columns.iter().filter(|column| column.written);
        let written = columns.map(|column| column.name.clone()).collect();
        let mut rules = Rules { builder: &mut builder, written, rules: Vec::new() };
        for draw in &keys.draws.0 {
            rules.rule(&draw.name, &draw.value);
        }
        if let Some(node) = &keys.severity {
            rules.rule("severity", node);
        }
        if let Some(node) = &keys.when {
            let entry = Entry { key: "expr".into(), key_span: node.span, value: node.clone() };
            rules.rule(WHEN, &Node { span: node.span, value: Value::Map(vec![entry]) });
        }
        let anomaly = kind_of(item, &mut rules);
        let own = rules.rules;
        let changed = anomaly.as_ref().map(|anomaly| anomaly.columns()).unwrap_or_default();
        let columns: Option<Vec<usize>> =
            changed.iter().map(|column| self.written_column(table, column)).collect();
        for rule in own {
            let replaces = rule
                .replaces
                .then(|| self.tables[table].columns.iter().position(|c| c.name == rule.name))
                .flatten();
            let name = format!("{}{}", if rule.replaces { new_scope } else { own_scope }, rule.name);
            self.tables[table].columns.push(Draft {
                name,
                span: rule.span,
                written: false,
                hidden: true,
                seed: seed.derive("rule").derive(&rule.name),
                scope: vec![own_scope.clone()],
                replaces,
                source: rule.spec.map(Source::rule),
                inputs: Vec::new(),
                resolved: true,
            });
        }
        let own = |name: &str| {
            self.tables[table]
                .columns
                .iter()
                .position(|column| column.name.strip_prefix(own_scope.as_str()) == Some(name))
        };
        let (when, severity) = (own(WHEN), own("severity"));
        let (mut per, mut whole) = (None, None);
        if let Some(link) = &keys.per {
            let input = InputName { name: format!("{}.#row", link.value), span: link.span };
            per = Some(self.find_or_report(table, &[], input)?);
            if keys.burst.is_none() && keys.window.is_none() {
                let links = &self.tables[table].links;
                whole =
                    links.iter().position(|other| other.link.name == link.value && other.counts.is_some());
                if whole.is_none() {
                    self.problems.error(
                        "bad-anomaly",
                        link.span,
                        format!("`{}` picks parents, so their children do not stand together", link.value),
                        "give the link `per_parent`, or take rows with `burst` or `window`",
                    );
                    return None;
                }
                per = None;
            }
        }
        let mut window = None;
        if let Some(Spanned { value, .. }) = &keys.window {
            let input = InputName { name: value.column.value.clone(), span: value.column.span };
            window = Some(self.find_or_report(table, &[], input)?);
        }
        Some(AnomalyDraft {
            item,
            code,
            scopes,
            anomaly: anomaly?,
            columns: columns?,
            inputs: None,
            when,
            severity,
            per,
            whole,
            window,
        })
    }

    /// The number of a written column that an anomaly changes.
    fn written_column(&mut self, table: usize, column: &InputName) -> Option<usize> {
        let columns = &self.tables[table].columns;
        if let Some(at) = columns.iter().position(|c| c.name == column.name && c.written) {
            return Some(at);
        }
        let names = columns.iter().filter(|column| column.written).map(|column| column.name.as_str());
        let mut diagnostic = Diagnostic::error(
            "unknown-column",
            column.span,
            format!("the table writes no column `{}`", column.name),
        )
        .help(did_you_mean(&column.name, "columns", names));
        if columns.iter().any(|c| c.name == column.name) {
            diagnostic = diagnostic.label("a draw is not written, so nobody would see the change");
        }
        self.problems.push(diagnostic);
        None
    }

    /// Makes scoped copies of the columns that are to be made again, and of the draws between them and the changed ones;
    /// then turns the names of the anomalies' inputs into numbers. Comes when all other names are resolved.
    pub(super) fn recompute(&mut self, kinds: &[&[Kind]], vocabulary: &Named<Node>) {
        for table in 0..self.tables.len() {
            for number in 0..self.tables[table].anomalies.len() {
                let draft = &self.tables[table].anomalies[number];
                let (item, scopes, changed) = (draft.item, draft.scopes.clone(), draft.columns.clone());
                let [_, new_scope] = &scopes;
                let mut again = Vec::new();
                for name in &item.value.keys.recompute {
                    let input = InputName { name: name.value.clone(), span: name.span };
                    if let Some(column) = self.written_column(table, &input) {
                        again.push((column, name.span));
                    }
                }
                self.copy(table, new_scope, &changed, &again, kinds, vocabulary);
                self.tables[table].anomalies[number].columns.extend(again.iter().map(|(column, _)| *column));
                let mut inputs = Vec::new();
                let draft = &self.tables[table].anomalies[number];
                draft.anomaly.inputs(&mut inputs);
                inputs.extend(draft.anomaly.columns());
                let both = [scopes[1].clone(), scopes[0].clone()];
                let mut found = self.find_all(table, &both, inputs);
                let draft = &self.tables[table].anomalies[number];
                if let Some(found) = &mut found {
                    // The clean values of what it changes, the new ones of what is recomputed, and the common keys'.
                    let columns = &self.tables[table].columns;
                    let scoped = |name: &str| {
                        columns.iter().position(|c| c.name.strip_prefix(new_scope.as_str()) == Some(name))
                    };
                    let copies = again.iter().filter_map(|(column, _)| scoped(&columns[*column].name));
                    for column in draft.columns.iter().copied().chain(copies).chain(draft.severity) {
                        if !found.contains(&column) {
                            found.push(column);
                        }
                    }
                }
                self.tables[table].anomalies[number].inputs = found;
            }
        }
    }

    fn copy(
        &mut self,
        table: usize,
        scope: &str,
        changed: &[usize],
        again: &[(usize, Span)],
        kinds: &[&[Kind]],
        vocabulary: &Named<Node>,
    ) {
        let decl = self.tables[table].decl;
        let count = self.tables[table].columns.len();
        // Where a column's rule is; that of a given one is in a hidden column.
        let columns = &self.tables[table].columns;
        let rule =
            |column: &Draft| columns.iter().position(|other| other.name == rule_of_given(&column.name));
        let rules: Vec<usize> =
            columns.iter().enumerate().map(|(at, column)| rule(column).unwrap_or(at)).collect();
        // What follows from the changed columns, directly or not.
        let mut follows = vec![false; count];
        changed.iter().for_each(|column| follows[*column] = true);
        let mut grown = true;
        while std::mem::take(&mut grown) {
            for (at, column) in self.tables[table].columns.iter().enumerate() {
                let inputs = &self.tables[table].columns[rules[at]].inputs;
                if !follows[at] && column.scope.is_empty() && inputs.iter().any(|input| follows[*input]) {
                    (follows[at], grown) = (true, true);
                }
            }
        }
        let mut open: Vec<(usize, Span)> = Vec::new();
        for (column, span) in again {
            let name = &self.tables[table].columns[*column].name;
            if changed.contains(column) {
                let message = format!("`{name}` is set and recomputed");
                self.problems.error("bad-anomaly", *span, message, "remove one of the two");
            } else if !follows[*column] {
                let message = format!("`{name}` does not follow from what the anomaly sets");
                self.problems.error("bad-anomaly", *span, message, "it would be made as it was; remove it");
            } else {
                open.push((*column, *span));
            }
        }
        let mut copied = Vec::new();
        while let Some((column, span)) = open.pop() {
            let name = self.tables[table].columns[column].name.clone();
            let scoped = format!("{scope}{name}");
            if self.tables[table].columns.iter().any(|c| c.name == scoped) {
                continue;
            }
            let node = decl.columns.find(&name).or_else(|| decl.draws.find(&name));
            let Some(node) = node else {
                let message = match self.tables[table].given {
                    Some(_) => format!("`{name}` has no rule by which it could be recomputed"),
                    None => format!("`{name}` leads to another table and cannot be recomputed"),
                };
                self.problems.error("bad-anomaly", span, message, "set the column itself");
                continue;
            };
            let mut builder = Builder::new(kinds, vocabulary, self.problems).without_identities();
            let source = builder.spec(&node.value).map(Source::rule);
            let original = &self.tables[table].columns[column];
            let (seed, inputs) = (original.seed, self.tables[table].columns[rules[column]].inputs.clone());
            self.tables[table].columns.push(Draft {
                name: scoped,
                span,
                written: false,
                hidden: true,
                seed,
                scope: vec![scope.to_owned()],
                replaces: None,
                source,
                inputs: Vec::new(),
                resolved: true,
            });
            copied.push(self.tables[table].columns.len() - 1);
            for input in inputs {
                // Draws on the way are made again, too; written columns only where they are named.
                if follows[input] && !self.tables[table].columns[input].written {
                    open.push((input, span));
                }
            }
        }
        for column in copied {
            self.resolve_column(table, column);
        }
    }
}

/// Adds the rules of given columns that an anomaly makes again, as hidden columns: by them it is known what follows from
/// what. Nothing reads their values.
pub(super) fn rules_of_given(
    decl: &TableDecl,
    seed: Seed,
    builder: &mut Builder<'_>,
    columns: &mut Vec<Draft>,
) {
    let kinds = decl.anomalies.iter().flat_map(|anomalies| &anomalies.value.kinds.0);
    for name in kinds.flat_map(|item| &item.value.keys.recompute) {
        let hidden = rule_of_given(&name.value);
        let Some(rule) = decl.columns.find(&name.value) else { continue };
        if columns.iter().any(|column| column.name == hidden) {
            continue;
        }
        columns.push(Draft {
            name: hidden,
            span: rule.name_span,
            written: false,
            hidden: true,
            seed: seed.derive("column").derive(&name.value),
            scope: Vec::new(),
            replaces: None,
            source: builder.spec(&rule.value).map(Source::rule),
            inputs: Vec::new(),
            resolved: true,
        });
    }
}

/// Name of the hidden column with the rule of a given one.
fn rule_of_given(name: &str) -> String {
    format!("#rule {name}")
}

/// Name of the hidden column with the condition.
const WHEN: &str = "#when";

/// Makes the anomaly out of what is left of its keys: exactly one kind.
fn kind_of(item: &NamedItem<AnomalyDecl>, rules: &mut Rules<'_, '_>) -> Option<Box<dyn Anomaly>> {
    let problems = &mut *rules.builder.problems;
    let mut found = Vec::new();
    for entry in &item.value.kind {
        match ANOMALIES.iter().find(|kind| kind.name == entry.key) {
            Some(kind) => found.push((entry, kind)),
            None => {
                let common = lookalike_ruleset::anomaly::AnomalyKeys::keys();
                let known = ANOMALIES.iter().map(|kind| kind.name).chain(common);
                problems.push(
                    Diagnostic::error(
                        "unknown-kind",
                        entry.key_span,
                        format!("unknown kind of anomaly or key `{}`", entry.key),
                    )
                    .help(did_you_mean(&entry.key, "kinds and keys", known)),
                );
            }
        }
    }
    match found.as_slice() {
        [(entry, kind)] => {
            let keys = &item.value.keys;
            if kind.needs_burst && keys.burst.is_none() && keys.window.is_none() && keys.per.is_none() {
                problems.error(
                    "bad-anomaly",
                    entry.key_span,
                    format!("`{}` takes runs of rows", kind.name),
                    "say how long they are, `burst: 10` or `burst: [5, 20]`, or take all rows of a `window`, or all children of \
                     a parent: `per: link`",
                );
            }
            if kind.name != "set"
                && let Some(name) = item.value.keys.recompute.first()
            {
                problems.error("bad-anomaly", name.span, "`recompute` goes with `set`", "remove it");
            }
            (kind.build)(&entry.value, rules)
        }
        [] => {
            if item.value.kind.is_empty() {
                problems.error(
                    "no-kind",
                    item.name_span,
                    format!("`{}` does not say what it does", item.name),
                    "add a kind, such as `set: {Size: 'Size * 10'}`",
                );
            }
            None
        }
        [_, (second, _), ..] => {
            problems.error(
                "many-kinds",
                second.key_span,
                "an anomaly has one kind",
                "make two anomalies of it, each with a name of its own",
            );
            None
        }
    }
}

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
                    // Of the rows as of the parents whose children they are.
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
        } = draft;
        let inputs = inputs?;
        let seed = seed.derive(&item.name);
        let around = &self.around[at];
        if inputs
            .iter()
            .chain(&when)
            .chain(&per)
            .chain(&window)
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
                Units::windows(Grid { column, length, by_rows: keys.count.is_none() }, seed)
            }
            (Some(link), None) => {
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
            overlap: overlap || keys.overlap,
            units,
            wanted,
            threshold: 0,
            held: Held::Nothing,
            holds: None,
        })
    }

    /// Finds out for which rows an anomaly's condition holds, where rows are given.
    fn hold_condition(&mut self, at: usize, number: usize) -> Result<(), crate::plan::Error> {
        let injector = self.tables.0[at].injector.as_ref();
        let Some(planned) = injector.map(|injector| &injector.anomalies[number]) else { return Ok(()) };
        let holds = self.tables.condition(at, planned)?;
        if let Some(injector) = &mut self.tables.0[at].injector {
            injector.anomalies[number].holds = holds;
        }
        Ok(())
    }

    fn deal(&mut self, at: usize, number: usize, lenient: bool) -> Option<()> {
        let dealt = self.hold_condition(at, number).and_then(|()| self.tables.deal(at, number));
        let table = &mut self.tables.0[at];
        let injector = table.injector.as_mut()?;
        let planned = &mut injector.anomalies[number];
        let name = &injector.names.values()[planned.code as usize];
        match dealt {
            Ok(Dealt { got, threshold, held }) => {
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
    fn spoil(
        &self,
        hits: &crate::anomaly::Hits<'_>,
    ) -> Result<Vec<polars::prelude::Series>, crate::generator::Failure> {
        let mut values = self.anomaly.spoil(hits)?;
        values.extend(self.copies.iter().map(|id| hits.block.input(*id).into_owned()));
        Ok(values)
    }
}
