//! `stuck`: a burst in which a value does not move.

use lookalike_ruleset::decode::{Decode, Spanned, out_of_range, wrong};
use lookalike_ruleset::diagnostic::Diagnostic;
use lookalike_ruleset::{Json, Node, Problems, Span};
use polars::prelude::*;
use serde_json::json;

use super::runs::{Patch, for_each_burst};
use crate::anomaly::{Anomaly, AnomalyKind, AnomalyRule, Hits, Rules};
use crate::generator::{Failure, InputId, InputName, Output, Site};

/// One column or several: its name, or a list of names.
#[derive(Clone, Debug)]
pub(super) struct Columns(pub(super) Vec<InputName>);

impl Decode for Columns {
    fn decode(node: &Node, problems: &mut Problems) -> Option<Self> {
        let one = std::slice::from_ref(node);
        let nodes = match (node.as_list(), node.as_scalar()) {
            (Some(list), _) => list,
            (None, Some(_)) => one,
            (None, None) => {
                wrong(node, Self::what(), problems);
                return None;
            }
        };
        if nodes.is_empty() {
            out_of_range(node.span, "[]", "expected at least one column", problems);
            return None;
        }
        let mut columns: Vec<InputName> = Vec::new();
        for node in nodes {
            let Spanned { value: name, span } = Spanned::<String>::decode(node, problems)?;
            if let Some(first) = columns.iter().find(|column| column.name == name) {
                problems.push(
                    Diagnostic::error("bad-anomaly", span, format!("`{name}` is listed twice"))
                        .related(first.span, "the first time")
                        .help("remove one"),
                );
                return None;
            }
            columns.push(InputName { name, span });
        }
        Some(Columns(columns))
    }
    fn what() -> String {
        "the name of a column, or a list of names".into()
    }
    fn schema() -> Json {
        json!({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}, "minItems": 1}]})
    }
}

impl AnomalyRule for Columns {
    fn build(self, _: Span, _: &mut Rules<'_, '_>) -> Option<Box<dyn Anomaly>> {
        Some(Box::new(Stuck { columns: self.0, ids: Vec::new() }))
    }
}

struct Stuck {
    columns: Vec<InputName>,
    ids: Vec<InputId>,
}

impl Anomaly for Stuck {
    fn columns(&self) -> Vec<InputName> {
        self.columns.clone()
    }

    fn prepare(&mut self, site: &mut Site<'_>) -> Option<Vec<Output>> {
        let found: Option<Vec<_>> = self.columns.iter().map(|column| site.clean(&column.name)).collect();
        let (ids, outputs) = found?.into_iter().unzip();
        self.ids = ids;
        Some(outputs)
    }

    fn spoil(&self, hits: &Hits<'_>) -> Result<Vec<Series>, Failure> {
        let stuck = |id: &InputId| {
            let clean = hits.block.input(*id).into_owned();
            let known = clean.is_not_null();
            let mut patch = Patch::new(clean);
            for_each_burst(hits, *id, |positions, values| {
                let Some(at) = values.is_not_null().iter().position(|known| known == Some(true)) else {
                    return Ok(());
                };
                let positions = positions.iter().map(|position| *position as usize);
                patch.repeat(&values.slice(at as i64, 1), positions.filter(|at| known.get(*at) == Some(true)))
            })?;
            patch.finish()
        };
        self.ids.iter().map(stuck).collect()
    }
}

pub(super) const KIND: AnomalyKind = AnomalyKind {
    name: "stuck",
    summary: "A burst in which a value does not move: all rows repeat the first one.",
    details: "Every row of the burst gets the value of the burst's first row (or, where that is null, of the first that is \
              not). So a burst of n rows changes n - 1 of them, and it needs `burst`: a single row only repeats itself. \
              Several columns, in a list, get stuck together. Columns of any type; nulls stay null.",
    example: "{stuck: load, burst: [5, 20], rate: 5%}",
    needs_burst: true,
    ..AnomalyKind::of::<Columns>()
};

#[cfg(test)]
mod tests {
    use super::super::runs::testing::{check, check_example, codes, table};

    #[test]
    fn all_rows_repeat_the_first() {
        check_example(&super::KIND);
        let columns = ["load", "cpu", "price", "day", "at", "wait", "name", "note", "up"];
        let marks = check(&table(&format!("{{stuck: [{}], burst: [5, 20], count: 10}}", columns.join(", "))));
        assert_eq!(marks.len(), columns.len());
        for marks in marks {
            let mut kept = std::collections::BTreeMap::new();
            for (at, instance) in marks.instances.iter().enumerate() {
                let (before, after) = (marks.before.get(at).unwrap(), marks.after.get(at).unwrap());
                assert_eq!(before.is_null(), after.is_null(), "{}", marks.column);
                if !after.is_null() {
                    let (before, after) = (before.str_value().into_owned(), after.str_value().into_owned());
                    assert_eq!(*kept.entry(instance).or_insert(before), after, "{}", marks.column);
                }
            }
        }
    }

    #[test]
    fn names_are_checked() {
        assert_eq!(codes("{stuck: nobody, burst: 3, count: 1}"), ["unknown-column"]);
        assert_eq!(codes("{stuck: [load, load], burst: 3, count: 1}"), ["bad-anomaly"]);
        assert_eq!(codes("{stuck: {load: 1}, burst: 3, count: 1}"), ["wrong-type"]);
    }
}
