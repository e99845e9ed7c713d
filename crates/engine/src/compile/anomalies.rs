//! Anomalies on their way to a plan.

use lookalike_core::Seed;
use lookalike_ruleset::anomaly::{Anomalies, AnomalyDecl};
use lookalike_ruleset::decode::{Named, NamedItem, Spanned};
use lookalike_ruleset::diagnostic::did_you_mean;
use lookalike_ruleset::document::TableDecl;
use lookalike_ruleset::{Diagnostic, Entry, Node, Span, Value};

use super::{Compiler, Draft};
use crate::anomalies::ANOMALIES;
use crate::anomaly::{Anomaly, Rules};
use crate::build::Builder;
use crate::generator::{InputName, Kind};
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
    /// What it takes as a whole.
    pub whole: Option<Whole>,
    /// The column whose windows it takes.
    pub window: Option<usize>,
    /// The columns by which rows are in order: of the values, and of whose they are.
    pub order: Option<(usize, Option<usize>)>,
}

/// What an anomaly takes as a whole.
#[derive(Clone, Copy)]
pub(super) enum Whole {
    /// All children of a parent in this link.
    Children(usize),
    /// All rows with one value in the column of `per`.
    Rows,
}

/// What says whose a row is.
enum Owner {
    /// A link, by its number.
    Link(usize),
    /// A column, by its number.
    Column(usize),
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
        if let Some(entity) = &keys.per {
            let alone = keys.burst.is_none() && keys.window.is_none();
            match self.owner(table, entity)? {
                Owner::Column(column) => (per, whole) = (Some(column), alone.then_some(Whole::Rows)),
                // In an order of their own, the children of a parent need not stand together.
                Owner::Link(_) if alone && keys.order.is_some() => {
                    (per, whole) = (Some(self.owner_column(table, entity)?), Some(Whole::Rows));
                }
                Owner::Link(link) if alone => {
                    if self.tables[table].links[link].counts.is_none() {
                        let message = format!(
                            "`{}` picks parents, so their children do not stand together",
                            entity.value
                        );
                        let help =
                            "give the link `per_parent`, or take rows with `burst`, `window` or `order`";
                        self.problems.error("bad-anomaly", entity.span, message, help);
                        return None;
                    }
                    whole = Some(Whole::Children(link));
                }
                Owner::Link(_) => per = Some(self.owner_column(table, entity)?),
            }
        }
        let mut order = None;
        if let Some(Spanned { value, span }) = &keys.order {
            if keys.window.is_some() {
                let message = "the rows of a window are in order by its own column";
                self.problems.error("bad-anomaly", *span, message, "remove `order`");
                return None;
            }
            let input = InputName { name: value.column.value.clone(), span: value.column.span };
            let column = self.find_or_report(table, &[], input)?;
            let owner = match &value.per {
                Some(entity) => Some(self.owner_column(table, entity)?),
                None => per,
            };
            order = Some((column, owner));
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
            order,
        })
    }

    /// The number of the column that says whose a row is, by the name of a link or a column.
    fn owner_column(&mut self, table: usize, name: &Spanned<String>) -> Option<usize> {
        match self.owner(table, name)? {
            Owner::Column(column) => Some(column),
            Owner::Link(_) => {
                let input = InputName { name: format!("{}.#row", name.value), span: name.span };
                self.find_or_report(table, &[], input)
            }
        }
    }

    /// What a name under `per` stands for.
    fn owner(&mut self, table: usize, name: &Spanned<String>) -> Option<Owner> {
        let draft = &self.tables[table];
        if let Some(link) = draft.links.iter().position(|link| link.link.name == name.value) {
            return Some(Owner::Link(link));
        }
        if draft.decl.belongs_to.find(&name.value).is_some() {
            // A link that was refused is no further problem here.
            return None;
        }
        let columns =
            || draft.columns.iter().filter(|column| !column.hidden).map(|column| column.name.as_str());
        if let Some(column) = draft.columns.iter().position(|c| !c.hidden && c.name == name.value) {
            return Some(Owner::Column(column));
        }
        let names = draft.links.iter().map(|link| link.link.name.as_str()).chain(columns());
        let message = format!("`{}` has no link and no column `{}`", draft.name, name.value);
        let help = did_you_mean(&name.value, "links and columns", names);
        self.problems.push(Diagnostic::error("unknown-link", name.span, message).help(help));
        None
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
                    "say how long they are, `burst: 10` or `burst: [5, 20]`, or take all rows of a `window`, or of an entity: \
                     `per` with a link or a column",
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
