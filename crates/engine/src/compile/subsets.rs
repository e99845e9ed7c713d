//! Subsets on their way to a plan.

use std::sync::Arc;

use lookalike_core::Seed;
use lookalike_ruleset::decode::{NamedItem, Spanned};
use lookalike_ruleset::diagnostic::did_you_mean;
use lookalike_ruleset::document::TableDecl;
use lookalike_ruleset::subset::{Order, Subset, Subsets};
use lookalike_ruleset::{Diagnostic, Node, Problems};

use super::Draft;
use crate::build::{Builder, Spec};
use crate::generator::{Categories, InputName};
use crate::given::PartRows;
use crate::merge::deal::Interleave;
use crate::merge::picks::Picks;
use crate::part_files::{FromFile, MAX_ROWS, PartFile, PartFiles};
use crate::plan::Source;
use crate::shares::largest_remainder;
use crate::subsets::{BySubset, Differing, Parts, SUBSET};

/// The files whose rows are parts of a table.
pub(super) fn files(
    table: &NamedItem<TableDecl>,
    rows: &[PartRows],
    problems: &mut Problems,
) -> Vec<PartFile> {
    let parts = table.value.subsets.iter().flat_map(|subsets| &subsets.value.parts.0);
    let mut files = Vec::new();
    for (number, NamedItem { name, value: part, .. }) in parts.enumerate() {
        let Some(from) = &part.from else {
            let stray = part.types.0.first();
            if part.replace || stray.is_some() {
                let message = format!("`{name}` takes no rows from a file");
                let span = stray.map_or(table.name_span, |stray| stray.name_span);
                problems.error("bad-subset", span, message, "`replace` and `types` go with `from: rows.csv`");
            }
            continue;
        };
        let found = rows.iter().find(|rows| rows.table == table.name && rows.part == *name);
        let Some(PartRows { file, rows, .. }) = found else {
            let message = format!("the rows of `{}` are not at hand", from.value);
            problems.error("cannot-read", from.span, message, "load the ruleset from its file");
            continue;
        };
        let columns = || table.value.columns.names().chain(table.value.draws.names());
        let fields = &rows.schema().fields;
        let unknown: Vec<String> = fields
            .iter()
            .filter(|field| columns().all(|name| name != field.name))
            .map(|field| format!("`{}`", field.name))
            .collect();
        let count = unknown.len();
        if count == fields.len() {
            let message = format!("{file} has no column of `{}`", table.name);
            let help = format!("it has {}; name some of them alike", unknown.join(", "));
            problems.error("bad-subset", from.span, message, help);
            continue;
        }
        if count > 0 {
            let what = if count == 1 { "a column" } else { "columns" };
            let message = format!("{file} has {what} that `{}` has not: {}", table.name, unknown.join(", "));
            let help = "what is not named in the table's `columns` or `draws` is left out";
            problems.push(Diagnostic::warning("unknown-column", from.span, message).help(help));
        }
        files.push(PartFile {
            part: number,
            name: name.clone(),
            file: file.clone(),
            rows: rows.clone(),
            replace: part.replace,
            picks: Picks::All(0),
        });
    }
    files
}

/// A column's rule with those of the parts in which it differs.
pub(super) fn differing(
    decl: &TableDecl,
    files: &[PartFile],
    item: &NamedItem<Node>,
    base: Option<Spec>,
    builder: &mut Builder<'_>,
) -> Option<Spec> {
    let Some(subsets) = &decl.subsets else { return base };
    let mut differs = false;
    let mut whole = true;
    let mut parts = Vec::new();
    for (number, part) in subsets.value.parts.0.iter().enumerate() {
        let Subset { columns, draws, align, from, .. } = &part.value;
        let own = columns.find(&item.name).or_else(|| draws.find(&item.name));
        let mut spec = own.and_then(|own| builder.spec(&own.value));
        whole &= own.is_some() == spec.is_some();
        let has = |file: &&PartFile| file.rows.schema().fields.iter().any(|field| field.name == item.name);
        let file = files.iter().find(|file| file.part == number).filter(has).filter(|_| own.is_none());
        if let (Some(file), Some(from)) = (file, from) {
            if base.as_ref().is_some_and(Spec::is_unique) {
                let message = format!("`{}` is unique, so it cannot come from {}", item.name, file.file);
                builder.problems.push(
                    Diagnostic::error("bad-subset", from.span, message)
                        .related(item.name_span, "the column")
                        .help("give the part a rule of its own for it, in `columns`, or drop `unique`"),
                );
                whole = false;
            }
            let column = InputName { name: file.column(&item.name), span: from.span };
            spec = Some(Spec::bare(Box::new(FromFile { column, id: None }), from.span));
        }
        let file = file.map(|file| format!("column `{}` of {}", item.name, file.file));
        let align =
            align.clone().filter(|align| align.columns.iter().any(|column| column.value == item.name));
        differs |= spec.is_some() || align.is_some();
        parts.push(Differing { name: part.name.clone(), spec, file, align });
    }
    let base = base?;
    if !differs || !whole {
        return whole.then_some(base);
    }
    let (about, span) = (base.about.clone(), base.span);
    let mut spec = Spec::bare(Box::new(BySubset::new(base, parts, span)), span);
    spec.about = about;
    Some(spec)
}

/// Adds the columns that say which part a row is of, a hidden one and the label; and, hidden, those of files.
pub(super) fn columns(
    columns: &mut Vec<Draft>,
    table: &NamedItem<TableDecl>,
    decl: &Spanned<Subsets>,
    files: &[PartFile],
    seed: Seed,
    problems: &mut Problems,
) {
    let Spanned { value: subsets, span } = decl;
    let parts = &subsets.parts.0;
    let mut bad = |span, message: String, help: &str| problems.error("bad-subset", span, message, help);
    if parts.is_empty() {
        bad(*span, "subsets without parts".into(), "add `parts: {name: {share: 60%}, …}`");
    }
    let mut shares = 0.0;
    for part in parts {
        match (&part.value.share, &part.value.count) {
            (Some(share), None) => shares += share.value.0,
            (None, Some(_)) => {}
            (None, None) if part.value.from.is_some() => {}
            (None, None) => bad(
                part.name_span,
                format!("nobody says how large `{}` is", part.name),
                "give it a `share` or a `count`",
            ),
            (Some(_), Some(count)) => {
                bad(count.span, "a part has a `share` or a `count`, not both".into(), "remove one");
            }
        }
    }
    if parts.iter().any(|part| part.value.share.is_some()) && (shares - 1.0f64).abs() > 1e-9 {
        let message = format!("the shares add up to {}%", (shares * 1e9).round() / 1e7);
        bad(*span, message, "shares are of the rows that no part takes by `count`: together 100%");
    }
    for part in parts {
        let Subset { columns: own, draws, align, .. } = &part.value;
        let aligned =
            align.iter().flat_map(|align| &align.columns).map(|name| (name.value.as_str(), name.span));
        let named = own.0.iter().chain(&draws.0).map(|item| (item.name.as_str(), item.name_span));
        for (name, span) in named.chain(aligned) {
            if !columns.iter().any(|column| column.name == name) {
                let names = columns.iter().map(|column| column.name.as_str());
                problems.push(
                    Diagnostic::error("unknown-column", span, format!("the table has no column `{name}`"))
                        .label("a part can change columns and draws, not add some")
                        .help(did_you_mean(name, "columns", names)),
                );
            }
        }
    }
    let parts = Arc::new(Parts {
        names: Categories::new(parts.iter().map(|part| part.name.clone()).collect()),
        dealt: Interleave::new(&[], None),
    });
    let mut add = |name: &str, span, written, source: Source, inputs: Vec<usize>| {
        columns.push(Draft {
            name: name.to_owned(),
            span,
            written,
            hidden: !written,
            seed: seed.derive("subset"),
            scope: Vec::new(),
            replaces: None,
            source: Some(source),
            inputs,
            resolved: true,
        });
        columns.len() - 1
    };
    let subset = add(SUBSET, *span, false, Source::Subset(parts.clone()), Vec::new());
    for (number, file) in files.iter().enumerate() {
        for (place, field) in file.rows.schema().fields.iter().enumerate() {
            let source = Source::File { file: number, place };
            add(&file.column(&field.name), *span, false, source, vec![subset]);
        }
    }
    if let Some(label) = &subsets.label {
        if table.value.columns.find(&label.value).is_some() || table.value.draws.find(&label.value).is_some()
        {
            let message = format!("`{}` is a column and the label", label.value);
            problems.error("duplicate-name", label.span, message, "give the label another name");
        } else {
            add(&label.value, label.span, true, Source::Subset(parts), Vec::new());
        }
    }
}

/// The parts with their rows, once it is known how many there are; files learn which of their rows are taken. `None` after a
/// problem.
pub(super) fn sized(
    decl: &Spanned<Subsets>,
    names: &Arc<Categories>,
    files: &mut PartFiles,
    rows: u64,
    seed: Seed,
    problems: &mut Problems,
) -> Option<Parts> {
    let parts = &decl.value.parts.0;
    // Of a part without share or count, all rows of its file.
    let counts: Vec<Option<u64>> = parts
        .iter()
        .enumerate()
        .map(|(number, part)| match (&part.value.count, &part.value.share) {
            (Some(count), _) => Some(count.value.0),
            (None, Some(_)) => None,
            (None, None) => files.files.iter().find(|file| file.part == number).map(|file| file.rows.rows()),
        })
        .collect();
    let counted = counts.iter().flatten().fold(0u64, |sum, count| sum.saturating_add(*count));
    let shares: Vec<f64> =
        parts.iter().map(|p| p.value.share.as_ref().map_or(0.0, |share| share.value.0)).collect();
    let shared = shares.iter().any(|share| *share > 0.0);
    if counted > rows || (!shared && counted < rows) {
        let message = format!("the parts have {counted} rows by count, the table has {rows}");
        let help = "change the counts, or give one part `share: 100%` of what is left";
        problems.error("impossible-count", decl.span, message, help);
        return None;
    }
    let divided = largest_remainder(rows - counted, &shares);
    let sizes: Vec<u64> =
        counts.into_iter().zip(divided).map(|(count, divided)| count.unwrap_or(divided)).collect();
    let dealt = || Interleave::new(&sizes, (decl.value.order == Order::Interleaved).then_some(seed));
    if !files.files.is_empty() {
        if rows > MAX_ROWS {
            let message = format!("{rows} rows are too many for a table that takes some from a file");
            problems.error("bad-rows", decl.span, message, format!("at most {MAX_ROWS}"));
            return None;
        }
        for file in &files.files {
            if file.rows.rows() == 0 && sizes[file.part] > 0 {
                let from = parts[file.part].value.from.as_ref().map(|from| from.span);
                let message =
                    format!("{} has no rows, and {} are to come from it", file.file, sizes[file.part]);
                let help = "name another file, or give the part a rule";
                problems.push(Diagnostic::error("impossible-count", from, message).help(help));
                return None;
            }
        }
        // The label asks again.
        if !files.is_dealt() {
            files.deal(dealt(), seed);
        }
    }
    Some(Parts { names: names.clone(), dealt: dealt() })
}
