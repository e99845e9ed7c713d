//! The order in which columns, links, requirements and numbers of rows are found.

use lookalike_ruleset::relation::Pick;

use super::{Compiler, Step};
use crate::correlate::Group;
use crate::plan::Source;

impl Compiler<'_> {
    /// All steps so that what a step needs comes first, otherwise as written. A circle is reported with its path, and its
    /// columns are marked as not to be resolved.
    pub(super) fn order(&mut self) -> Vec<Step> {
        let mut walk = Walk { path: Vec::new(), done: Vec::new(), order: Vec::new() };
        walk.done = self
            .tables
            .iter()
            .map(|table| [vec![false; 2], vec![false; table.columns.len() + table.links.len()]].concat())
            .collect();
        for table in 0..self.tables.len() {
            self.visit(Step::Rows(table), &mut walk);
            self.visit(Step::Requires(table), &mut walk);
            for link in 0..self.tables[table].links.len() {
                self.visit(Step::Link(table, link), &mut walk);
            }
            for column in 0..self.tables[table].columns.len() {
                self.visit(Step::Column(table, column), &mut walk);
            }
        }
        walk.order
    }

    fn visit(&mut self, step: Step, walk: &mut Walk) {
        if *self.done(step, walk) {
            return;
        }
        if let Some(start) = walk.path.iter().position(|p| *p == step) {
            self.report_circle(&walk.path[start..]);
            return;
        }
        walk.path.push(step);
        for needed in self.needs(step) {
            self.visit(needed, walk);
        }
        walk.path.pop();
        *self.done(step, walk) = true;
        walk.order.push(step);
    }

    fn done<'w>(&self, step: Step, walk: &'w mut Walk) -> &'w mut bool {
        match step {
            Step::Rows(table) => &mut walk.done[table][0],
            Step::Requires(table) => &mut walk.done[table][1],
            Step::Column(table, column) => &mut walk.done[table][2 + column],
            Step::Link(table, link) => &mut walk.done[table][2 + self.tables[table].columns.len() + link],
        }
    }

    fn needs(&self, step: Step) -> Vec<Step> {
        let mut needs = Vec::new();
        match step {
            Step::Rows(table) => {
                if let Some((parent, counts)) = self.per_parent(table) {
                    needs.extend([Step::Rows(parent), Step::Requires(parent), Step::Column(parent, counts)]);
                }
            }
            Step::Link(table, number) => {
                needs.push(Step::Rows(table));
                let draft = &self.tables[table].links[number];
                let parent = draft.link.parent;
                needs.push(Step::Rows(parent));
                match (&draft.decl.pick, draft.column) {
                    (Some(Pick::Row(_)), Some(column)) => needs.push(Step::Column(table, column)),
                    (_, Some(weight)) => needs.extend([Step::Requires(parent), Step::Column(parent, weight)]),
                    (_, None) => {}
                }
                if self.is_unique(table, number) {
                    for (other, link) in self.tables[table].links.iter().enumerate() {
                        if self.is_unique(table, other) {
                            needs.push(Step::Rows(link.link.parent));
                        }
                    }
                }
            }
            Step::Requires(table) => {
                let inputs =
                    self.tables[table].requires.iter().flat_map(|require| require.inputs.iter().flatten());
                needs.extend(inputs.map(|column| Step::Column(table, *column)));
                // No member can be filled before its group is finished.
                let members = self.tables[table].groups.iter().flat_map(Group::columns);
                needs.extend(members.map(|column| Step::Column(table, column)));
            }
            Step::Column(table, column) => {
                needs.push(Step::Rows(table));
                let draft = &self.tables[table].columns[column];
                needs.extend(draft.inputs.iter().map(|input| Step::Column(table, *input)));
                match &draft.source {
                    Some(Source::Link(link)) => needs.push(Step::Link(table, *link)),
                    Some(Source::Parent { link, column }) => {
                        let parent = self.tables[table].links[*link].link.parent;
                        needs.push(Step::Column(parent, *column));
                        // Rows of the same table come from earlier ones, up to the first: that ends by itself.
                        if parent != table {
                            needs.push(Step::Requires(parent));
                        }
                    }
                    Some(Source::Children(children)) => {
                        needs.extend([
                            Step::Link(children.table, children.link),
                            Step::Requires(children.table),
                        ]);
                        let link = &self.tables[children.table].links[children.link].link;
                        needs.push(Step::Column(children.table, link.row));
                        needs.extend(children.column.map(|column| Step::Column(children.table, column)));
                    }
                    Some(Source::Rule(_) | Source::Subset(_) | Source::Given(_) | Source::File { .. })
                    | None => {}
                }
            }
        }
        needs
    }

    fn per_parent(&self, table: usize) -> Option<(usize, usize)> {
        self.tables[table].links.iter().find_map(|link| Some((link.link.parent, link.counts?)))
    }

    pub(super) fn is_unique(&self, table: usize, link: usize) -> bool {
        let table = &self.tables[table];
        table.decl.unique.iter().any(|name| name.value == table.links[link].link.name)
    }

    fn report_circle(&mut self, path: &[Step]) {
        let columns: Vec<(usize, usize)> = path
            .iter()
            .filter_map(|step| match step {
                Step::Column(table, column) => Some((*table, *column)),
                _ => None,
            })
            .collect();
        let one_table = path.iter().all(|step| match step {
            Step::Column(table, _) | Step::Rows(table) | Step::Link(table, _) | Step::Requires(table) => {
                columns.first().is_some_and(|(first, _)| first == table)
            }
        });
        let name = |step: &Step| match step {
            Step::Column(table, column) if one_table => self.tables[*table].columns[*column].name.clone(),
            Step::Column(table, column) => {
                format!("{}.{}", self.tables[*table].name, self.tables[*table].columns[*column].name)
            }
            Step::Rows(table) => format!("rows of {}", self.tables[*table].name),
            Step::Link(table, link) => {
                format!("link {}.{}", self.tables[*table].name, self.tables[*table].links[*link].link.name)
            }
            Step::Requires(table) => format!("require of {}", self.tables[*table].name),
        };
        let circle: Vec<String> = path.iter().chain(path.first()).map(name).collect();
        let what = if one_table {
            "columns depend on each other in a circle"
        } else {
            "tables depend on each other in a circle"
        };
        let span = match columns.first() {
            Some((table, column)) => self.tables[*table].columns[*column].span,
            None => match path.first() {
                Some(Step::Rows(table) | Step::Link(table, _) | Step::Requires(table)) => {
                    self.tables[*table].name_span
                }
                _ => return,
            },
        };
        self.problems.error(
            "dependency-cycle",
            span,
            format!("{what}: {}", circle.join(" → ")),
            "one of them must be made without the others",
        );
        for (table, column) in columns {
            self.tables[table].columns[column].resolved = false;
        }
    }
}

struct Walk {
    path: Vec<Step>,
    /// For each table: rows, requirements, then columns, then links.
    done: Vec<Vec<bool>>,
    order: Vec<Step>,
}
