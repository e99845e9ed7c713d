//! Two rulesets, rule by rule. Comments, the order of keys and the way of writing do not count; the order of lists does.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use lookalike_ruleset::read::{Format, read};
use lookalike_ruleset::{Node, Problems, Value};

use super::RuleChange;
use crate::{Error, Ruleset};

/// Keys that lead to a value, from the top of a file.
type Place = Vec<String>;

/// Compares two rulesets.
pub(super) fn compare(before: &Path, after: &Path) -> Result<Vec<RuleChange>, Error> {
    let (old, new) = (Ruleset::from_path(before)?, Ruleset::from_path(after)?);
    let (old_files, new_files) = (files(&old), files(&new));
    let mut changes = Vec::new();
    let names: BTreeSet<&Option<String>> = old_files.keys().chain(new_files.keys()).collect();
    let nothing = BTreeMap::new();
    for name in names {
        let tree = |files: &BTreeMap<_, _>| files.get(name).cloned();
        let (old, new) = (tree(&old_files), tree(&new_files));
        changes.extend(trees(
            name.as_ref(),
            old.as_ref().unwrap_or(&nothing),
            new.as_ref().unwrap_or(&nothing),
        ));
    }
    changes.extend(types(&old, &new));
    if changes.is_empty() && old.digest() != new.digest() && lookups(&old, &new) {
        changes.push(RuleChange {
            file: None,
            table: None,
            column: None,
            path: "lookups".into(),
            before: Some("other facts in a file".into()),
            after: None,
        });
    }
    Ok(changes)
}

/// Whether the difference must lie in the files of lookups: all texts say the same.
fn lookups(old: &Ruleset, new: &Ruleset) -> bool {
    let texts =
        |ruleset: &Ruleset| ruleset.sources().iter().map(|source| source.text.clone()).collect::<Vec<_>>();
    texts(old) == texts(new)
}

/// What the files of a ruleset say; its own has no name, the others that of their file.
fn files(ruleset: &Ruleset) -> BTreeMap<Option<String>, BTreeMap<Place, String>> {
    let sources = ruleset.sources();
    let file = |(at, source): (usize, &lookalike_ruleset::Source)| {
        let name = Path::new(&source.name).file_name().map(|name| name.to_string_lossy().into_owned());
        let format = Format::of_path(&source.name)?;
        let tree = read(sources, at as u32, format, &mut Problems::new())?;
        let mut values = BTreeMap::new();
        flatten(&tree, &mut Vec::new(), &mut values);
        Some((name.filter(|_| at > 0), values))
    };
    sources.iter().enumerate().filter_map(file).collect()
}

/// All values with the keys that lead to them.
fn flatten(node: &Node, place: &mut Place, values: &mut BTreeMap<Place, String>) {
    match &node.value {
        Value::Map(entries) if !entries.is_empty() => {
            for entry in entries {
                place.push(entry.key.clone());
                flatten(&entry.value, place, values);
                place.pop();
            }
        }
        Value::List(items) if !items.is_empty() => {
            for (at, item) in items.iter().enumerate() {
                place.push(at.to_string());
                flatten(item, place, values);
                place.pop();
            }
        }
        Value::Map(_) => drop(values.insert(place.clone(), "{}".into())),
        Value::List(_) => drop(values.insert(place.clone(), "[]".into())),
        Value::Scalar(scalar) => drop(values.insert(place.clone(), scalar.text.clone())),
        Value::Reported => {}
    }
}

fn trees(
    file: Option<&String>,
    old: &BTreeMap<Place, String>,
    new: &BTreeMap<Place, String>,
) -> Vec<RuleChange> {
    let places: BTreeSet<&Place> = old.keys().chain(new.keys()).collect();
    let mut changes: Vec<RuleChange> = Vec::new();
    for place in places {
        let (before, after) = (old.get(place), new.get(place));
        if before == after {
            continue;
        }
        // A table or column that is there on one side alone is one change.
        let whole = (2..=place.len().min(4)).step_by(2).find(|length| {
            let names =
                place[0] == "tables" && (*length == 2 || place[2] == "columns" || place[2] == "draws");
            let inside = |values: &BTreeMap<Place, String>| {
                let from = place[..*length].to_vec();
                values.range(from.clone()..).next().is_some_and(|(place, _)| place.starts_with(&from))
            };
            names && inside(old) != inside(new)
        });
        let shown = &place[..whole.unwrap_or(place.len())];
        let value = |value: Option<&String>| match whole {
            Some(_) => value.map(|_| "a rule".to_owned()),
            None => value.cloned(),
        };
        let table = (shown.len() >= 2 && shown[0] == "tables").then(|| shown[1].clone());
        let is_column = table.is_some() && shown.len() >= 4 && (shown[2] == "columns" || shown[2] == "draws");
        let column = is_column.then(|| shown[3].clone());
        let rest = match (&table, &column) {
            (_, Some(_)) => &shown[4..],
            (Some(_), None) => &shown[2..],
            _ => shown,
        };
        let change = RuleChange {
            file: file.cloned(),
            table,
            column,
            path: rest.join("."),
            before: value(before),
            after: value(after),
        };
        if changes.last() != Some(&change) {
            changes.push(change);
        }
    }
    changes
}

/// Columns whose values became those of another type.
fn types(old: &Ruleset, new: &Ruleset) -> Vec<RuleChange> {
    let mut changes = Vec::new();
    for table in old.tables() {
        let Ok(other) = new.table(table.name()) else { continue };
        let others = other.schema().fields;
        for field in table.schema().fields {
            let Some(now) = others.iter().find(|other| other.name == field.name) else { continue };
            if now.ty != field.ty {
                changes.push(RuleChange {
                    file: None,
                    table: Some(table.name().to_owned()),
                    column: Some(field.name),
                    path: "type of the values".into(),
                    before: Some(field.ty.to_string()),
                    after: Some(now.ty.to_string()),
                });
            }
        }
    }
    changes
}
