//! A merge as a file: several tables, keys and children.

use std::path::{Path, PathBuf};

use lookalike_io::files::{DiskFiles, read_file};
use lookalike_ruleset::decode::{Count, Decode, Int, Named, Share, Spanned};
use lookalike_ruleset::diagnostic::did_you_mean;
use lookalike_ruleset::document::Files;
use lookalike_ruleset::read::{Format, read, text_of};
use lookalike_ruleset::subset::{Align, Order};
use lookalike_ruleset::{Diagnostic, Json, Node, Problems, Sources, Type, params};

use super::{Amount, InputSpec, Merge, Place, TableSpec};
use crate::{Error, Refusal};

params! {
    /// A merge: which inputs, and which tables of theirs.
    struct Document {
        /// Version of this form; 1.
        merge: Spanned<Int>,
        /// Name of the merge: names the output folder.
        name: Option<String>,
        /// What it is for, for readers.
        about: Option<String>,
        /// Where all randomness comes from.
        seed: Count = Count(0),
        /// `interleaved`: rows of the inputs lie mixed; `in_order`: one input after the other.
        order: Order,
        /// Name of a column that says which input a row comes from.
        provenance: Option<String>,
        /// The inputs, by name.
        inputs: Named<InputDecl>,
        /// The tables, by name.
        tables: Named<TableDecl>,
    }
}

params! {
    /// An input.
    struct InputDecl {
        /// Share of the rows that no input gives by `count`; all shares together are 100 %.
        share: Option<Spanned<Share>>,
        /// How many rows, instead of `share`.
        count: Option<Spanned<Count>>,
        /// How its times lie against those of the others.
        align: Option<Align>,
        /// Where each table is: `rows.csv`, `ruleset.yaml` or `ruleset.yaml#table`, relative to this file.
        tables: Named<Spanned<String>>,
    }
}

params! {
    /// A table.
    struct TableDecl {
        /// How many rows; unless given, all, or as many as the shares allow.
        rows: Option<Spanned<Count>>,
        /// The column that is numbered anew, so that no two rows have the same.
        key: Option<String>,
        /// The table whose rows it follows, or a list of several. A row comes as often as its row of the first one, if all
        /// its parents are taken; a further parent may be null.
        parent: Parents = Parents(Vec::new()),
        /// Columns whose values, combined, keep their shares in each input.
        stratify: Vec<String> = Vec::new(),
        /// Whether rows are drawn with replacement.
        replace: bool = false,
        /// Types of columns, instead of those that are found in the files.
        types: Named<Type>,
    }
}

/// The parents of a table: one alone, or a list.
#[derive(Clone, Debug)]
struct Parents(Vec<Spanned<ParentDecl>>);

impl Decode for Parents {
    fn decode(node: &Node, problems: &mut Problems) -> Option<Self> {
        let nodes = node.as_list().unwrap_or(std::slice::from_ref(node));
        let parents: Vec<_> = nodes.iter().map(|node| Spanned::decode(node, problems)).collect();
        parents.into_iter().collect::<Option<_>>().map(Parents)
    }
    fn what() -> String {
        format!("{}, or a list of such", ParentDecl::what())
    }
    fn schema() -> Json {
        serde_json::json!({"anyOf": [ParentDecl::schema(), {"type": "array", "items": ParentDecl::schema()}]})
    }
}

params! {
    /// A parent of a table.
    struct ParentDecl {
        /// The parent's table.
        table: Spanned<String>,
        /// The column with the parent's key.
        column: String,
    }
}

impl Merge {
    /// Reads a merge from a YAML, TOML or JSON file. The files that it names lie in its own folder tree, as those of rulesets
    /// do, or under one of the folders in `allowed`, which also the rulesets that it names may read.
    ///
    /// # Errors
    /// [`Error::Refused`] with every diagnostic.
    pub fn from_path(path: impl AsRef<Path>, allowed: &[PathBuf]) -> Result<Merge, Error> {
        let path = path.as_ref();
        let name = path.display().to_string();
        let refuse = |diagnostics, sources| Error::Refused(Box::new(Refusal { diagnostics, sources }));
        let Some(format) = Format::of_path(&name) else {
            let diagnostic =
                Diagnostic::error("cannot-read", None, format!("`{name}` is no plan of a merge"))
                    .help("plans end in .yaml, .yml, .toml or .json");
            return Err(refuse(vec![diagnostic], Sources::new()));
        };
        let bytes = read_file(path).map_err(|p| {
            refuse(vec![Diagnostic::error(p.code, None, p.message).help(p.help)], Sources::new())
        })?;
        let text = text_of(bytes, &name).map_err(|diagnostic| refuse(vec![*diagnostic], Sources::new()))?;
        let (mut sources, mut problems) = (Sources::new(), Problems::new());
        let file = sources.add(name.clone(), text);
        let node = read(&sources, file, format, &mut problems)
            .filter(|node| !is_ruleset(node, &name, &mut problems));
        let document = node.and_then(|node| Document::decode(&node, &mut problems));
        let merge = document.map(|document| of_document(document, path, allowed, &mut problems));
        match merge {
            Some(merge) if !problems.has_errors() => Ok(merge),
            _ => Err(refuse(problems.into_sorted(), sources)),
        }
    }
}

/// Whether a file is a ruleset instead of a plan, which is reported.
fn is_ruleset(node: &Node, name: &str, problems: &mut Problems) -> bool {
    let find = |key: &str| node.as_map()?.iter().find(|entry| entry.key == key);
    let (Some(version), None) = (find("lookalike"), find("merge")) else { return false };
    let tables = find("tables").and_then(|tables| tables.value.as_map()).unwrap_or_default();
    let inputs: Vec<String> = tables.iter().map(|table| format!("`{name}#{}`", table.key)).collect();
    let table = if inputs.is_empty() { format!("`{name}#table`") } else { inputs.join(" or ") };
    problems.push(
        Diagnostic::error(
            "bad-merge",
            version.key_span,
            format!("{name} is a ruleset, not a plan of a merge"),
        )
        .label("a plan begins with `merge: 1`")
        .help(format!("to take rows of a table of it, name the table: {table}")),
    );
    true
}

fn of_document(document: Document, path: &Path, allowed: &[PathBuf], problems: &mut Problems) -> Merge {
    let Document { merge: version, name, about: _, seed, order, provenance, inputs, tables } = document;
    if version.value.0 != 1 {
        problems.error("bad-value", version.span, "there is no such version", "write `merge: 1`");
    }
    let (files, from) = (DiskFiles::for_ruleset(path, allowed), path.display().to_string());
    let stem = || path.file_stem().map_or_else(|| "merged".to_owned(), |stem| stem.to_string_lossy().into());
    let mut made = Merge {
        name: name.unwrap_or_else(stem),
        seed: seed.0,
        interleaved: order == Order::Interleaved,
        provenance,
        inputs: Vec::new(),
        tables: Vec::new(),
        allowed: allowed.to_vec(),
    };
    let known: Vec<&str> = tables.names().collect();
    for item in &tables.0 {
        let TableDecl { rows, key, parent, stratify, replace, types } = &item.value;
        for Spanned { value: parent, span } in &parent.0 {
            if !known.contains(&parent.table.value.as_str()) {
                let help = did_you_mean(&parent.table.value, "tables", known.iter().copied());
                let message = format!("there is no table `{}`", parent.table.value);
                problems.push(Diagnostic::error("unknown-table", parent.table.span, message).help(help));
            } else if tables.find(&parent.table.value).is_some_and(|parent| parent.value.key.is_none()) {
                let message = format!("`{}` has no `key` by which it could be found", parent.table.value);
                problems.error("bad-merge", *span, message, "give the parent a `key`");
            }
        }
        if let (Some(rows), false) = (rows, parent.0.is_empty()) {
            let message = "rows that follow their parents are as many as they are";
            problems.error("bad-merge", rows.span, message, "remove `rows`, here or `parent`");
        }
        let own =
            |parent: &Spanned<ParentDecl>| (parent.value.table.value.clone(), parent.value.column.clone());
        made.tables.push(TableSpec {
            name: item.name.clone(),
            rows: rows.as_ref().map(|rows| rows.value.0),
            key: key.clone(),
            parents: parent.0.iter().map(own).collect(),
            stratify: stratify.clone(),
            replace: *replace,
            types: types.0.iter().map(|item| (item.name.clone(), item.value)).collect(),
        });
    }
    for item in inputs.0 {
        let InputDecl { share, count, align, tables } = item.value;
        if let (Some(share), Some(count)) = (&share, &count) {
            problems.push(
                Diagnostic::error("bad-merge", count.span, "an input has a `share` or a `count`, not both")
                    .related(share.span, "the share")
                    .help("remove one"),
            );
        }
        for table in &tables.0 {
            if !known.contains(&table.name.as_str()) {
                let message = format!("there is no table `{}`", table.name);
                let help = did_you_mean(&table.name, "tables", known.iter().copied());
                problems.push(Diagnostic::error("unknown-table", table.name_span, message).help(help));
            }
        }
        let mut places = Vec::new();
        for name in &known {
            let Some(found) = tables.find(name) else {
                let message = format!("`{}` does not say where its table `{name}` is", item.name);
                let help =
                    format!("add `{name}: file.csv`, or `{name}: ruleset.yaml#table`, to its `tables`");
                problems.error("bad-merge", item.name_span, message, help);
                continue;
            };
            let Spanned { value: text, span } = &found.value;
            let place = Place::of(text);
            let path = match files.locate(&from, &place.path().display().to_string()) {
                Ok((_, path)) => path,
                Err(problem) => {
                    let diagnostic = Diagnostic::error(problem.code, *span, problem.message);
                    problems.push(diagnostic.help(problem.help));
                    continue;
                }
            };
            places.push(match place {
                Place::File(_) => Place::File(path),
                Place::Ruleset(_, table) => Place::Ruleset(path, table),
            });
        }
        let amount = share.map(|share| Amount::Share(share.value.0));
        let amount = amount.or(count.map(|count| Amount::Rows(count.value.0)));
        made.inputs.push(InputSpec { name: item.name, amount, align, places });
    }
    made
}
