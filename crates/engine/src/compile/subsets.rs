//! Subsets on their way to a plan.

use std::sync::Arc;

use lookalike_core::{Permutation, Seed};
use lookalike_ruleset::decode::{NamedItem, Spanned};
use lookalike_ruleset::diagnostic::did_you_mean;
use lookalike_ruleset::document::TableDecl;
use lookalike_ruleset::subset::{Order, Subset, Subsets};
use lookalike_ruleset::{Diagnostic, Node, Problems};

use super::Draft;
use crate::build::{Builder, Spec};
use crate::generator::Categories;
use crate::inject::largest_remainder;
use crate::plan::Source;
use crate::subsets::{BySubset, Parts, SUBSET};

/// A column's rule with those of the parts in which it differs.
pub(super) fn differing(
    decl: &TableDecl,
    item: &NamedItem<Node>,
    base: Option<Spec>,
    builder: &mut Builder<'_>,
) -> Option<Spec> {
    let Some(subsets) = &decl.subsets else { return base };
    let mut differs = false;
    let mut whole = true;
    let mut parts = Vec::new();
    for part in &subsets.value.parts.0 {
        let Subset { columns, draws, align, .. } = &part.value;
        let own = columns.find(&item.name).or_else(|| draws.find(&item.name));
        let spec = own.and_then(|own| builder.spec(&own.value));
        whole &= own.is_some() == spec.is_some();
        let align =
            align.clone().filter(|align| align.columns.iter().any(|column| column.value == item.name));
        differs |= spec.is_some() || align.is_some();
        parts.push((part.name.clone(), spec, align));
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

/// Adds the columns that say which part a row is of: a hidden one, and the label.
pub(super) fn columns(
    columns: &mut Vec<Draft>,
    table: &NamedItem<TableDecl>,
    decl: &Spanned<Subsets>,
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
        ends: Vec::new(),
        permutation: None,
    });
    let mut add = |name: &str, span, written| {
        columns.push(Draft {
            name: name.to_owned(),
            span,
            written,
            hidden: !written,
            seed: seed.derive("subset"),
            scope: Vec::new(),
            replaces: None,
            source: Some(Source::Subset(parts.clone())),
            inputs: Vec::new(),
            resolved: true,
        });
    };
    add(SUBSET, *span, false);
    if let Some(label) = &subsets.label {
        if table.value.columns.find(&label.value).is_some() || table.value.draws.find(&label.value).is_some()
        {
            let message = format!("`{}` is a column and the label", label.value);
            problems.error("duplicate-name", label.span, message, "give the label another name");
        } else {
            add(&label.value, label.span, true);
        }
    }
}

/// The parts with their rows, once it is known how many there are. `None` after a problem.
pub(super) fn sized(
    decl: &Spanned<Subsets>,
    empty: &Parts,
    rows: u64,
    seed: Seed,
    problems: &mut Problems,
) -> Option<Parts> {
    let parts = &decl.value.parts.0;
    let counted: u64 =
        parts.iter().filter_map(|part| part.value.count.as_ref()).map(|count| count.value.0).sum();
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
    let mut end = 0;
    let ends = parts.iter().zip(divided).map(|(part, divided)| {
        end += part.value.count.as_ref().map_or(divided, |count| count.value.0);
        end
    });
    Some(Parts {
        names: empty.names.clone(),
        ends: ends.collect(),
        permutation: (decl.value.order == Order::Interleaved).then(|| Permutation::new(rows.max(1), seed)),
    })
}
