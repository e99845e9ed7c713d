//! `set`: new values by the ruleset's own rules.

use lookalike_ruleset::decode::Decode;
use lookalike_ruleset::{Entry, Json, Node, Problems, Span};
use polars::prelude::*;
use serde_json::json;

use crate::anomaly::{Anomaly, AnomalyKind, AnomalyRule, Hits, Rules};
use crate::generator::{Failure, InputId, InputName, Output, Site};

/// Columns with their new values.
struct Params(Vec<Entry>);

impl Decode for Params {
    fn decode(node: &Node, problems: &mut Problems) -> Option<Self> {
        lookalike_ruleset::decode::entries(node, &Self::what(), problems)
            .map(|entries| Params(entries.to_vec()))
    }
    fn what() -> String {
        "a mapping from columns to expressions or to columns' rules".into()
    }
    fn schema() -> Json {
        json!({"type": "object", "additionalProperties": {}, "minProperties": 1})
    }
}

impl AnomalyRule for Params {
    fn build(self, span: Span, rules: &mut Rules<'_, '_>) -> Option<Box<dyn Anomaly>> {
        if self.0.is_empty() {
            rules.builder.problems.error(
                "bad-value",
                span,
                "this changes nothing",
                "name a column: `set: {Size: 'Size * 10'}`",
            );
            return None;
        }
        let columns =
            self.0.iter().map(|entry| InputName { name: entry.key.clone(), span: entry.key_span }).collect();
        for Entry { key, value, .. } in &self.0 {
            rules.replacement(key, value);
        }
        Some(Box::new(Set { columns, values: Vec::new() }))
    }
}

struct Set {
    columns: Vec<InputName>,
    values: Vec<InputId>,
}

impl Anomaly for Set {
    fn columns(&self) -> Vec<InputName> {
        self.columns.clone()
    }

    fn prepare(&mut self, site: &mut Site<'_>) -> Option<Vec<Output>> {
        // In the anomaly's scope a name stands for the new value.
        let found: Option<Vec<_>> = self.columns.iter().map(|column| site.input(&column.name)).collect();
        let (values, outputs) = found?.into_iter().unzip();
        self.values = values;
        Some(outputs)
    }

    fn spoil(&self, hits: &Hits<'_>) -> Result<Vec<Series>, Failure> {
        Ok(self.values.iter().map(|id| hits.block.input(*id).into_owned()).collect())
    }
}

pub(super) const KIND: AnomalyKind = AnomalyKind {
    name: "set",
    summary: "New values by the ruleset's own rules.",
    details: "Each column gets an expression, or a column's rule such as `{int_range: [365, 1000]}`, and keeps its type. \
              Expressions see the clean row and the anomaly's `draws`; all columns change at once, as in SQL's UPDATE. What \
              follows from a changed column stays as it was unless `recompute` names it.",
    example: "{set: {Size: '\"Size\" * factor'}, draws: {factor: {uniform: [5, 10]}}}",
    ..AnomalyKind::of::<Params>()
};
