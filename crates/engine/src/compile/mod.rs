//! From a loaded ruleset to a plan: names become numbers, every rule is checked in its surroundings, and tables learn how
//! many rows they have.
//!
//! Columns of different tables may need one another: a child reads its parent's cells, a parent counts its children. So
//! the order is found over all tables at once: over columns, links, requirements and numbers of rows.

mod anomalies;
mod dealing;
mod order;
mod prepare;
mod profile;
mod subsets;

use std::sync::Arc;

use lookalike_core::Seed;
use lookalike_ruleset::decode::{NamedItem, Stamp};
use lookalike_ruleset::diagnostic::did_you_mean;
use lookalike_ruleset::document::{DEFAULT_ROWS, Loaded, TableDecl, literal};
use lookalike_ruleset::expect::Expectation;
use lookalike_ruleset::expr::Aggregate;
use lookalike_ruleset::relation::{self, Pick};
use lookalike_ruleset::{Diagnostic, Entry, Field, Node, Problems, Span, Value};

use anomalies::AnomalyDraft;

use crate::build::{Builder, check_vocabulary};
use crate::correlate::Group;
use crate::entity::RESERVED;
use crate::formula::Formula;
use crate::generator::{Generator, InputName, Kind, World};
use crate::given::{Given, GivenTable, PartRows};
use crate::links::{Children, Link, Mode};
use crate::part_files::PartFiles;
use crate::plan::{Plan, Source, TablePlan};
use crate::wanted::Wanted;

/// What the command may change about a ruleset.
#[derive(Clone, Debug, Default)]
pub struct Overrides {
    /// Another seed.
    pub seed: Option<u64>,
    /// Another number of rows, for every table whose rows do not follow from a parent's.
    pub rows: Option<u64>,
    /// Another number of rows for some tables, by name.
    pub table_rows: Vec<(String, u64)>,
    /// Every table's rows times this, as its `scaling` says.
    pub scale: Option<f64>,
    /// Where not enough rows can take an anomaly, take those that there are, with a warning.
    pub lenient: bool,
    /// Name of a profile of the ruleset, for what is not said here.
    pub profile: Option<String>,
    /// Tables whose rows are not made but given, with all their columns. Of such a table the ruleset's `draws` and
    /// `anomalies` count, and its `columns` are only the rules by which an anomaly makes them again.
    pub given: Vec<GivenTable>,
    /// The rows of the files that parts of tables name.
    pub parts: Vec<PartRows>,
    /// Where texts by a language model that are missing are listed, instead of being an error.
    pub wanted: Option<Arc<Wanted>>,
}

/// Rows are numbered with 63 bits, so that a row number is also an int.
pub const MAX_ROWS: u64 = i64::MAX as u64;

/// Makes a plan of a ruleset, adding everything that is wrong with it to `problems`.
///
/// `kinds` are the kinds of generator that the ruleset may use: usually `&[KINDS]`, with a library user's own after it.
///
/// Where a table's rows follow from its parents (`per_parent`), the children of all parents are counted here: a pass over
/// the parents that makes only what the numbers need.
pub fn compile(
    loaded: &Loaded,
    kinds: &[&[Kind]],
    overrides: &Overrides,
    problems: &mut Problems,
) -> Option<Plan> {
    let document = &loaded.document;
    let overrides = &overrides.with_profile(document, problems);
    let seed = overrides.seed.unwrap_or(document.seed.0);
    let clock = match document.clock {
        Some(Stamp::Clock(_)) => {
            problems.push(
                Diagnostic::error("bad-timestamp", loaded.span, "`clock` cannot depend on itself")
                    .help("write a fixed stamp, such as 2026-01-01T00:00:00Z"),
            );
            None
        }
        other => other.map(|stamp| stamp.micros(0)),
    };
    let mut ignored = Problems::new();
    let params = loaded
        .params
        .iter()
        .filter_map(|p| Some((p.name.clone(), literal(&p.value, p.ty, &mut ignored)?)))
        .collect();
    let root = Seed::new(seed);
    let mut world = World {
        clock,
        lookups: loaded.lookups.clone(),
        texts: loaded.texts.clone(),
        wanted: overrides.wanted.clone(),
        params,
        ..World::new(root)
    };
    world.machines = crate::machine::compile(document, kinds, &world, problems);
    check_vocabulary(&document.vocabulary, problems);
    let decls = &document.tables.0;
    for (name, _) in &overrides.table_rows {
        if !decls.iter().any(|table| table.name == *name) {
            problems.push(
                Diagnostic::error("unknown-table", None, format!("the ruleset has no table `{name}`"))
                    .help(did_you_mean(name, "tables", decls.iter().map(|table| table.name.as_str()))),
            );
        }
    }
    let mut compiler = Compiler { decls, tables: Vec::new(), problems };
    compiler.draft(kinds, &document.vocabulary, root, overrides);
    compiler.link(kinds, &document.vocabulary);
    compiler.refuse_circles_of_tables();
    compiler.spoil(kinds, &document.vocabulary);
    compiler.resolve();
    compiler.recompute(kinds, &document.vocabulary);
    compiler.group();
    let order = compiler.order();
    let tables = compiler.prepare(&order, &world, overrides.lenient);
    // A vocabulary entry that nothing uses is checked all the same, so that a shared file has no hidden mistakes.
    let mut builder = Builder::new(kinds, &document.vocabulary, problems).without_identities();
    for item in &document.vocabulary.0 {
        builder.spec(&item.value);
    }
    let tables = tables.filter(|_| !problems.has_errors())?;
    for (at, decl) in decls.iter().enumerate() {
        tables.try_requirements(at, &decl.value.require, problems);
    }
    let name = document.name.as_ref().map_or_else(|| "ruleset".to_owned(), |name| name.value.clone());
    (!problems.has_errors()).then(|| Plan { name, seed, clock, tables: TablePlan::all(tables) })
}

struct Compiler<'a> {
    decls: &'a [NamedItem<TableDecl>],
    tables: Vec<TableDraft<'a>>,
    problems: &'a mut Problems,
}

/// A table on its way.
struct TableDraft<'a> {
    decl: &'a TableDecl,
    name: &'a str,
    name_span: Span,
    seed: Seed,
    /// How many rows, once that is known.
    rows: Option<u64>,
    /// The rows themselves, where they are given.
    given: Option<Arc<dyn Given>>,
    /// The files whose rows are parts of it.
    files: PartFiles,
    columns: Vec<Draft>,
    links: Vec<LinkDraft<'a>>,
    requires: Vec<RequireDraft>,
    expects: Vec<ExpectDraft>,
    groups: Vec<Group>,
    anomalies: Vec<AnomalyDraft<'a>>,
}

/// A column on its way.
struct Draft {
    name: String,
    span: Span,
    written: bool,
    /// Whether the plan made it up.
    hidden: bool,
    seed: Seed,
    /// Names that the rule reads are tried with this before them first.
    scope: Vec<String>,
    /// The column whose values it stands in for, and whose type it has.
    replaces: Option<usize>,
    source: Option<Source>,
    inputs: Vec<usize>,
    /// Whether all inputs are known; where one is not, nothing more can be said about the column.
    resolved: bool,
}

struct LinkDraft<'a> {
    decl: &'a relation::Link,
    span: Span,
    link: Link,
    /// The parent's column that counts the children, for `per_parent`.
    counts: Option<usize>,
    /// The parent's column of weights, or the table's own column of row numbers.
    column: Option<usize>,
}

struct ExpectDraft {
    expectation: Expectation,
    formula: Option<Formula>,
    /// `None` for one that reads something unknown.
    inputs: Option<Vec<usize>>,
}

struct RequireDraft {
    formula: Formula,
    text: String,
    /// `None` for one that reads something unknown.
    inputs: Option<Vec<usize>>,
}

/// What must be known before something else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Column(usize, usize),
    /// How many rows a table has.
    Rows(usize),
    /// How a link finds parents.
    Link(usize, usize),
    /// Everything that decides which attempt a row comes from.
    Requires(usize),
}

impl<'a> Compiler<'a> {
    /// Reads columns, draws and requirements.
    fn draft(
        &mut self,
        kinds: &[&[Kind]],
        vocabulary: &lookalike_ruleset::decode::Named<Node>,
        root: Seed,
        overrides: &Overrides,
    ) {
        for item in self.decls {
            let decl = &item.value;
            if decl.columns.0.is_empty() && overrides.given.iter().all(|given| given.table != item.name) {
                self.problems.error(
                    "missing-key",
                    item.name_span,
                    format!("table `{}` has no columns", item.name),
                    "add `columns:`, or give it the rows of a file with `lookalike inject`",
                );
            }
            let seed = root.derive("table").derive(&item.name);
            let given = overrides.given.iter().find(|given| given.table == item.name);
            let given = given.map(|given| given.rows.clone());
            // The columns of given rows are not made.
            let items = decl.columns.0.iter().filter(|_| given.is_none()).map(|item| (item, true));
            let items = items.chain(decl.draws.0.iter().map(|item| (item, false)));
            let rows = match &given {
                Some(given) => self.given_rows(item, &**given),
                None => self.own_rows(item, overrides),
            };
            let mut columns =
                given.as_ref().map_or_else(Vec::new, |given| given_columns(item, &**given, seed));
            let files = subsets::files(item, &overrides.parts, self.problems);
            let mut builder = Builder::new(kinds, vocabulary, self.problems);
            if given.is_some() {
                anomalies::rules_of_given(decl, seed, &mut builder, &mut columns);
            }
            for (item, written) in items {
                let base = builder.spec(&item.value);
                columns.push(Draft {
                    name: item.name.clone(),
                    span: item.name_span,
                    written,
                    hidden: false,
                    seed: seed.derive("column").derive(&item.name),
                    scope: Vec::new(),
                    replaces: None,
                    source: subsets::differing(decl, &files, item, base, &mut builder).map(Source::rule),
                    inputs: Vec::new(),
                    resolved: true,
                });
            }
            if let Some(subsets) = &decl.subsets {
                subsets::columns(&mut columns, item, subsets, &files, seed, self.problems);
            }
            let mut requires = Vec::new();
            for node in &decl.require {
                if let Some(formula) = Formula::parse(node, self.problems) {
                    let text = node.as_scalar().map(|s| s.text.clone()).unwrap_or_default();
                    requires.push(RequireDraft { formula, text, inputs: None });
                }
            }
            let mut expects = Vec::new();
            for decl in &decl.expect {
                let Some(expectation) = decl.value.read(decl.span, self.problems) else { continue };
                let formula = match &expectation.condition {
                    Some(node) => match Formula::parse(node, self.problems) {
                        Some(formula) => Some(formula),
                        None => continue,
                    },
                    None => None,
                };
                expects.push(ExpectDraft { expectation, formula, inputs: None });
            }
            self.tables.push(TableDraft {
                decl,
                name: &item.name,
                name_span: item.name_span,
                seed,
                rows,
                given,
                files: PartFiles::new(files),
                columns,
                links: Vec::new(),
                requires,
                expects,
                groups: Vec::new(),
                anomalies: Vec::new(),
            });
        }
    }

    /// How many rows are given, if their columns go with the ruleset.
    fn given_rows(&mut self, item: &NamedItem<TableDecl>, given: &dyn Given) -> Option<u64> {
        let fields = &given.schema().fields;
        let names = || fields.iter().map(|field| field.name.as_str());
        for column in &item.value.columns.0 {
            if names().all(|name| name != column.name) {
                let message = format!("the data has no column `{}`", column.name);
                let help = did_you_mean(&column.name, "columns", names());
                self.problems.error("unknown-column", column.name_span, message, help);
            }
        }
        for draw in &item.value.draws.0 {
            if names().any(|name| name == draw.name) {
                let message = format!("`{}` is a column of the data and a draw", draw.name);
                self.problems.error("duplicate-name", draw.name_span, message, "give the draw another name");
            }
        }
        if given.rows() > MAX_ROWS {
            let message = format!("{} rows are too many", given.rows());
            self.problems.error(
                "bad-rows",
                item.name_span,
                message,
                format!("a table has at most {MAX_ROWS} rows"),
            );
            return None;
        }
        Some(given.rows())
    }

    /// The rows of a table that has a number of its own.
    fn own_rows(&mut self, item: &NamedItem<TableDecl>, overrides: &Overrides) -> Option<u64> {
        let decl = &item.value;
        let named = overrides.table_rows.iter().rev().find(|(name, _)| *name == item.name);
        if let Some(link) = decl.belongs_to.0.iter().find(|link| link.value.0.per_parent.is_some()) {
            let parent = &link.value.0.table.value;
            if let Some(rows) = &decl.rows {
                self.problems.push(
                    Diagnostic::error(
                        "bad-rows",
                        rows.span,
                        format!("the rows of `{}` follow from `{parent}`", item.name),
                    )
                    .label("a number of its own")
                    .related(link.name_span, "`per_parent` says how many children each parent has")
                    .help("remove `rows` or `per_parent`"),
                );
            } else if named.is_some() {
                self.problems.push(
                    Diagnostic::error(
                        "bad-rows",
                        None,
                        format!("the rows of `{}` follow from `{parent}`", item.name),
                    )
                    .help(format!("set the rows of `{parent}`, or change `per_parent`")),
                );
            }
            return None;
        }
        let declared = decl.rows.as_ref().map_or(DEFAULT_ROWS, |rows| rows.value.0);
        let rows = named.map(|(_, rows)| *rows).or(overrides.rows).unwrap_or(declared);
        let rows = match overrides.scale {
            Some(scale) => (rows as f64 * decl.scaling.factor(scale)).round() as u64,
            None => rows,
        };
        if rows > MAX_ROWS {
            let span = decl.rows.as_ref().map_or(item.name_span, |rows| rows.span);
            let message = format!("{rows} rows are too many");
            self.problems.error("bad-rows", span, message, format!("a table has at most {MAX_ROWS} rows"));
            return None;
        }
        Some(rows)
    }

    /// Reads the links and makes their hidden columns.
    fn link(&mut self, kinds: &[&[Kind]], vocabulary: &lookalike_ruleset::decode::Named<Node>) {
        for at in 0..self.tables.len() {
            let decl: &'a TableDecl = self.tables[at].decl;
            for item in &decl.belongs_to.0 {
                let link = &item.value.0;
                let Some(parent) = self.parent_of(at, item) else { continue };
                let seed = self.tables[at].seed.derive("link").derive(&item.name);
                let children =
                    link.children.as_ref().map_or(self.tables[at].name, |name| name.value.as_str());
                let mut counts = None;
                if let Some(node) = &link.per_parent {
                    let source = Builder::new(kinds, vocabulary, self.problems).spec(node).map(Source::rule);
                    let name = Aggregate::Count.reference(&[children.to_owned()]);
                    counts =
                        Some(self.hide(parent, name, node.span, seed.derive("count"), source, Vec::new()));
                }
                let number = self.tables[at].links.len();
                let name = format!("{}.#row", item.name);
                let row = self.hide(at, name, item.name_span, seed, Some(Source::Link(number)), Vec::new());
                self.tables[at].links.push(LinkDraft {
                    decl: link,
                    span: item.name_span,
                    link: Link {
                        name: item.name.clone(),
                        span: item.name_span,
                        parent,
                        children: children.to_owned(),
                        row,
                        ordinal: None,
                        count: None,
                        null: link.null.value.0,
                        seed,
                        mode: if parent == at { Mode::Earlier } else { Mode::Pending },
                    },
                    counts,
                    column: None,
                });
            }
        }
        for at in 0..self.tables.len() {
            self.check_unique(at);
            for number in 0..self.tables[at].links.len() {
                let (decl, parent) =
                    (self.tables[at].links[number].decl, self.tables[at].links[number].link.parent);
                match &decl.pick {
                    Some(Pick::Weight(column)) => {
                        let input = InputName { name: column.value.clone(), span: column.span };
                        self.tables[at].links[number].column = self.find_or_report(parent, &[], input);
                    }
                    Some(Pick::Row(node)) => {
                        let entry = Entry { key: "expr".into(), key_span: node.span, value: node.clone() };
                        let rule = Node { span: node.span, value: Value::Map(vec![entry]) };
                        let spec =
                            Builder::new(kinds, vocabulary, self.problems).spec(&rule).map(Source::rule);
                        let link = &self.tables[at].links[number].link;
                        let (name, seed, row) = (format!("{}.#picked", link.name), link.seed, link.row);
                        let column = self.hide(at, name, node.span, seed, spec, Vec::new());
                        self.tables[at].links[number].column = Some(column);
                        self.tables[at].columns[row].inputs.push(column);
                    }
                    _ => {}
                }
            }
        }
    }

    /// The parent table of a link, if nothing is wrong with the link.
    fn parent_of(&mut self, at: usize, item: &NamedItem<relation::LinkDecl>) -> Option<usize> {
        let link = &item.value.0;
        let name = &item.name;
        let mut bad = |span: Span, message: String, help: &str| {
            self.problems.error("bad-link", span, message, help);
            None
        };
        if RESERVED.contains(&name.as_str()) || name.contains(['.', '(', '#']) {
            return bad(item.name_span, format!("a link cannot be called `{name}`"), "choose another name");
        }
        let Some(parent) = self.decls.iter().position(|table| table.name == link.table.value) else {
            let names = self.decls.iter().map(|table| table.name.as_str());
            self.problems.error(
                "unknown-table",
                link.table.span,
                format!("the ruleset has no table `{}`", link.table.value),
                did_you_mean(&link.table.value, "tables", names),
            );
            return None;
        };
        if let Some(node) = &link.per_parent {
            if link.pick.is_some() {
                return bad(
                    node.span,
                    format!("`{name}` has both `pick` and `per_parent`"),
                    "with `per_parent` the children of a parent stand one after the other, and nothing is picked",
                );
            }
            if link.null.value.0 > 0.0 {
                return bad(
                    link.null.span,
                    format!("every child of a `{name}` has one"),
                    "`null` goes with `pick`; here the children are made for their parents",
                );
            }
            if parent == at {
                return bad(
                    node.span,
                    format!("`{name}` would make rows for rows of the same table"),
                    "give the table `rows`; each row then picks an earlier one",
                );
            }
            let first = self.tables[at].links.iter().find(|other| other.decl.per_parent.is_some());
            if let Some(first) = first {
                self.problems.push(
                    Diagnostic::error(
                        "bad-link",
                        node.span,
                        "a table's rows can follow from one parent only",
                    )
                    .label("the second `per_parent`")
                    .related(first.span, "the first")
                    .help("let the rows pick one of the parents"),
                );
                return None;
            }
        }
        if parent == at && !matches!(link.pick, None | Some(Pick::Uniform)) {
            return bad(
                item.name_span,
                format!("`{name}` links to rows of the same table, which are picked evenly"),
                "remove `pick`: each row picks an earlier one, so that there are no circles",
            );
        }
        Some(parent)
    }

    /// Checks the links under `unique`, and what they may be.
    fn check_unique(&mut self, at: usize) {
        let decl: &'a TableDecl = self.tables[at].decl;
        for (number, name) in decl.unique.iter().enumerate() {
            if decl.unique[..number].iter().any(|other| other.value == name.value) {
                self.problems.error(
                    "bad-link",
                    name.span,
                    format!("`{}` is named twice", name.value),
                    "remove one",
                );
                continue;
            }
            let Some(link) = self.tables[at].links.iter().find(|link| link.link.name == name.value) else {
                // A link that was refused is no further problem here.
                if decl.belongs_to.find(&name.value).is_none() {
                    let links = decl.belongs_to.0.iter().map(|link| link.name.as_str());
                    let help = did_you_mean(&name.value, "links", links);
                    self.problems.error(
                        "unknown-link",
                        name.span,
                        format!("the table has no link `{}`", name.value),
                        help,
                    );
                }
                continue;
            };
            let message = match (link.link.null > 0.0, &link.decl.pick, link.link.parent == at) {
                (true, ..) => format!("`{}` can be null, so it cannot be part of what is unique", name.value),
                (_, Some(Pick::Zipf(_) | Pick::Weight(_) | Pick::Row(_)), _) => {
                    format!("`{}` picks parents unevenly, so it cannot be part of what is unique", name.value)
                }
                (_, _, true) => format!(
                    "`{}` links to the same table, so it cannot be part of what is unique",
                    name.value
                ),
                _ => continue,
            };
            self.problems.push(
                Diagnostic::error("bad-link", name.span, message)
                    .related(link.span, "the link")
                    .help("unique links pick evenly and always"),
            );
        }
    }

    fn hide(
        &mut self,
        table: usize,
        name: String,
        span: Span,
        seed: Seed,
        source: Option<Source>,
        inputs: Vec<usize>,
    ) -> usize {
        let columns = &mut self.tables[table].columns;
        columns.push(Draft {
            name,
            span,
            written: false,
            hidden: true,
            seed,
            scope: Vec::new(),
            replaces: None,
            source,
            inputs,
            resolved: true,
        });
        columns.len() - 1
    }

    /// Without a parent, a row that needs one cannot be put into a database before its parent; in a circle of such links
    /// nobody can go first.
    fn refuse_circles_of_tables(&mut self) {
        let mut done = vec![false; self.tables.len()];
        for start in 0..self.tables.len() {
            let mut path: Vec<(usize, usize)> = Vec::new();
            self.walk_tables(start, &mut path, &mut done);
        }
    }

    fn walk_tables(&mut self, at: usize, path: &mut Vec<(usize, usize)>, done: &mut [bool]) {
        if done[at] {
            return;
        }
        if let Some(start) = path.iter().position(|(table, _)| *table == at) {
            let circle: Vec<&str> = path[start..]
                .iter()
                .map(|(table, _)| self.tables[*table].name)
                .chain([self.tables[at].name])
                .collect();
            let message = format!("tables belong to each other in a circle: {}", circle.join(" → "));
            let (table, link) = path[path.len() - 1];
            let span = self.tables[table].links[link].span;
            self.problems.push(
                Diagnostic::error("table-cycle", span, message)
                    .label("this link closes the circle")
                    .help("let one of the links be null for some rows, for example `null: 10%`, so that a row can do without"),
            );
            done[at] = true;
            return;
        }
        for number in 0..self.tables[at].links.len() {
            let link = &self.tables[at].links[number].link;
            if !link.nullable() {
                let parent = link.parent;
                path.push((at, number));
                self.walk_tables(parent, path, done);
                path.pop();
            }
        }
        done[at] = true;
    }

    /// Turns names of inputs into numbers; unknown names are reported.
    fn resolve(&mut self) {
        for table in 0..self.tables.len() {
            // Hidden columns come behind; those that stand for something elsewhere know their inputs.
            for column in 0..self.tables[table].columns.len() {
                self.resolve_column(table, column);
            }
            for require in 0..self.tables[table].requires.len() {
                let mut inputs = Vec::new();
                self.tables[table].requires[require].formula.inputs(&mut inputs);
                self.tables[table].requires[require].inputs = self.find_all(table, &[], inputs);
            }
            for expect in 0..self.tables[table].expects.len() {
                let mut inputs = Vec::new();
                if let Some(formula) = &self.tables[table].expects[expect].formula {
                    formula.inputs(&mut inputs);
                }
                self.tables[table].expects[expect].inputs = self.find_all(table, &[], inputs);
            }
        }
    }

    fn resolve_column(&mut self, table: usize, column: usize) {
        let mut inputs = Vec::new();
        let draft = &self.tables[table].columns[column];
        let Some(Source::Rule(spec)) = &draft.source else { return };
        spec.inputs(&mut inputs);
        let scope = draft.scope.clone();
        let found = self.find_all(table, &scope, inputs);
        let draft = &mut self.tables[table].columns[column];
        draft.resolved = found.is_some();
        draft.inputs = found.unwrap_or_default();
        draft.inputs.extend(draft.replaces);
    }

    /// Declares the groups of correlated columns, once all columns are numbered.
    fn group(&mut self) {
        for table in &mut self.tables {
            let names: Vec<String> = table.columns.iter().map(|column| column.name.clone()).collect();
            table.groups = Group::declare(table.decl, &names, table.seed, names.len(), self.problems);
        }
    }

    fn find_all(&mut self, table: usize, scope: &[String], inputs: Vec<InputName>) -> Option<Vec<usize>> {
        let mut all = true;
        let mut found: Vec<usize> = Vec::new();
        for input in inputs {
            match self.find_or_report(table, scope, input) {
                Some(at) if !found.contains(&at) => found.push(at),
                Some(_) => {}
                None => all = false,
            }
        }
        all.then_some(found)
    }

    fn find_or_report(&mut self, table: usize, scope: &[String], input: InputName) -> Option<usize> {
        let columns = &self.tables[table].columns;
        let with = |prefix: &String| {
            columns.iter().position(|column| column.name.strip_prefix(prefix.as_str()) == Some(&input.name))
        };
        if let Some(at) = scope.iter().find_map(with) {
            return Some(at);
        }
        match self.find(table, &input.name, input.span) {
            Ok(at) => Some(at),
            Err(Some(diagnostic)) => {
                self.problems.push(*diagnostic);
                None
            }
            Err(None) => None,
        }
    }

    /// The number of the column that a name stands for; a hidden one is made where the name leads to another table. The
    /// error is nothing where the problem was reported before.
    fn find(&mut self, table: usize, name: &str, span: Span) -> Result<usize, Option<Box<Diagnostic>>> {
        if let Some(at) = self.tables[table].columns.iter().position(|column| column.name == name) {
            return Ok(at);
        }
        if let Some((aggregate, children, column)) = Aggregate::parse(name) {
            return self.find_children(table, name, (aggregate, children, column), span);
        }
        let Some((link, rest)) = name.split_once('.') else {
            return Err(Some(self.unknown_column(table, name, span)));
        };
        let Some(number) = self.tables[table].links.iter().position(|l| l.link.name == link) else {
            // A link that was refused is no further problem here.
            let refused = self.tables[table].decl.belongs_to.find(link).is_some();
            if refused {
                return Err(None);
            }
            // A kind or an anomaly that works within a link's children.
            if rest.starts_with('#') {
                let links = self.tables[table].links.iter().map(|other| other.link.name.as_str());
                let help = did_you_mean(link, "links", links);
                let message = format!("the table `{}` has no link `{link}`", self.tables[table].name);
                return Err(Some(Box::new(Diagnostic::error("unknown-link", span, message).help(help))));
            }
            return Err(Some(self.unknown_column(table, name, span)));
        };
        let (row, parent) = {
            let link = &self.tables[table].links[number];
            (link.link.row, link.link.parent)
        };
        let seed = self.tables[table].links[number].link.seed;
        if rest == "#ordinal" || rest == "#count" {
            if self.tables[table].links[number].counts.is_none() {
                let message = format!(
                    "the rows of `{}` have no order among the children of a `{link}`",
                    self.tables[table].name
                );
                return Err(Some(Box::new(
                    Diagnostic::error("bad-link", span, message)
                        .related(self.tables[table].links[number].span, "this link picks parents")
                        .help("give the link `per_parent`, so that the children of a parent stand one after the other"),
                )));
            }
            let at = self.hide(table, name.to_owned(), span, seed, Some(Source::Link(number)), Vec::new());
            let link = &mut self.tables[table].links[number].link;
            if rest == "#ordinal" {
                link.ordinal = Some(at)
            } else {
                link.count = Some(at)
            }
            return Ok(at);
        }
        let column = self.find(parent, rest, span)?;
        let source = Source::Parent { link: number, column };
        Ok(self.hide(table, name.to_owned(), span, seed, Some(source), vec![row]))
    }

    fn find_children(
        &mut self,
        table: usize,
        name: &str,
        (aggregate, children, column): (Aggregate, &str, Option<&str>),
        span: Span,
    ) -> Result<usize, Option<Box<Diagnostic>>> {
        let mut found = Vec::new();
        let mut known = Vec::new();
        for (at, child) in self.tables.iter().enumerate() {
            for (number, link) in child.links.iter().enumerate().filter(|(_, link)| link.link.parent == table)
            {
                known.push(link.link.children.clone());
                if link.link.children == children {
                    found.push((at, number));
                }
            }
        }
        let (child, link) = match found.as_slice() {
            [one] => *one,
            // A link that was refused is no further problem here.
            [] if self.declares_children(table, children) => return Err(None),
            [] => {
                let message = format!("`{}` has no children `{children}`", self.tables[table].name);
                let help = if known.is_empty() {
                    format!("no table says `belongs_to: {{…: {}}}`", self.tables[table].name)
                } else {
                    did_you_mean(children, "children", known.iter().map(String::as_str))
                };
                return Err(Some(Box::new(Diagnostic::error("unknown-children", span, message).help(help))));
            }
            [(first, _), ..] => {
                let message =
                    format!("`{children}` belongs to `{}` by more than one link", self.tables[table].name);
                let links: Vec<&str> = found
                    .iter()
                    .map(|(at, number)| self.tables[*at].links[*number].link.name.as_str())
                    .collect();
                return Err(Some(Box::new(
                    Diagnostic::error("unknown-children", span, message)
                        .related(self.tables[*first].name_span, format!("its links are {}", links.join(", ")))
                        .help("name the children in the link: `{table: …, children: departures}`, and count those"),
                )));
            }
        };
        let number = match column {
            Some(column) => Some(self.find(child, column, span)?),
            None => None,
        };
        // The parent's own column of counts answers for itself.
        if let (Aggregate::Count, None, Some(counts)) =
            (aggregate, number, self.tables[child].links[link].counts)
        {
            return Ok(counts);
        }
        let seed = self.tables[table].seed;
        let source = Source::Children(Children::new(child, link, aggregate, number));
        Ok(self.hide(table, name.to_owned(), span, seed, Some(source), Vec::new()))
    }

    /// Whether some table says that it has a link from these children to the table, be the link valid or not; or to a table
    /// that does not exist, and so perhaps was meant to be this one.
    fn declares_children(&self, table: usize, children: &str) -> bool {
        self.decls.iter().any(|decl| {
            decl.value.belongs_to.0.iter().any(|link| {
                let link = &link.value.0;
                let name = link.children.as_ref().map_or(&decl.name, |name| &name.value);
                let parent = &link.table.value;
                let unknown = !self.decls.iter().any(|decl| decl.name == *parent);
                name == children && (parent == self.tables[table].name || unknown)
            })
        })
    }

    fn unknown_column(&self, table: usize, name: &str, span: Span) -> Box<Diagnostic> {
        let table = &self.tables[table];
        let own = table.columns.iter().filter(|column| !column.hidden).map(|column| column.name.clone());
        let mut names: Vec<String> = own.collect();
        if let Some((link, _)) = name.split_once('.')
            && !table.links.iter().any(|l| l.link.name == link)
        {
            names.extend(table.links.iter().flat_map(|link| {
                let parent = &self.tables[link.link.parent].columns;
                parent.iter().filter(|c| !c.hidden).map(move |c| format!("{}.{}", link.link.name, c.name))
            }));
        }
        let message = match self.tables.len() {
            1 => format!("the table has no column `{name}`"),
            _ => format!("the table `{}` has no column `{name}`", table.name),
        };
        Box::new(Diagnostic::error("unknown-column", span, message).help(unknown_column_help(name, &names)))
    }
}

/// The columns of given rows.
fn given_columns(item: &NamedItem<TableDecl>, given: &dyn Given, seed: Seed) -> Vec<Draft> {
    let column = |(place, field): (usize, &Field)| Draft {
        name: field.name.clone(),
        span: item.name_span,
        written: true,
        hidden: false,
        seed: seed.derive("column").derive(&field.name),
        scope: Vec::new(),
        replaces: None,
        source: Some(Source::Given(place)),
        inputs: Vec::new(),
        resolved: true,
    };
    given.schema().fields.iter().enumerate().map(column).collect()
}

/// A part of a name with spaces is most likely a name that lacks its quotes.
fn unknown_column_help(name: &str, names: &[String]) -> String {
    match names.iter().find(|known| known.contains(' ') && known.split(' ').any(|word| word == name)) {
        Some(known) => {
            format!("did you mean \"{known}\"? Names with spaces stand in double quotes in expressions")
        }
        None => did_you_mean(name, "columns", names.iter().map(String::as_str)),
    }
}
