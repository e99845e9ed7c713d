//! `missing`: null where a value should be.

use lookalike_ruleset::decode::{Decode, Spanned};
use lookalike_ruleset::{Json, Node, Problems, Span};
use polars::prelude::*;
use polars_arrow::bitmap::Bitmap;
use serde_json::json;

use super::cells::named;
use crate::anomaly::{Anomaly, AnomalyKind, AnomalyRule, Hits, Rules};
use crate::array;
use crate::generator::{Failure, InputId, InputName, Output, Site};

/// A column, or several.
struct Params(Vec<Spanned<String>>);

impl Decode for Params {
    fn decode(node: &Node, problems: &mut Problems) -> Option<Self> {
        match node.as_list() {
            Some(_) => Vec::decode(node, problems).map(Params),
            None => Spanned::decode(node, problems).map(|column| Params(vec![column])),
        }
    }
    fn what() -> String {
        "a column, or a list of columns".into()
    }
    fn schema() -> Json {
        json!({"anyOf": [String::schema(), {"type": "array", "items": String::schema(), "minItems": 1}]})
    }
}

impl AnomalyRule for Params {
    fn build(self, span: Span, rules: &mut Rules<'_, '_>) -> Option<Box<dyn Anomaly>> {
        if self.0.is_empty() {
            rules.builder.problems.error("bad-value", span, "this changes nothing", "name a column");
            return None;
        }
        for (at, column) in self.0.iter().enumerate() {
            if self.0[..at].iter().any(|other| other.value == column.value) {
                let message = format!("`{}` is named twice", column.value);
                rules.builder.problems.error("bad-anomaly", column.span, message, "remove one of the two");
                return None;
            }
        }
        Some(Box::new(Missing { columns: self.0.iter().map(named).collect(), ids: Vec::new() }))
    }
}

struct Missing {
    columns: Vec<InputName>,
    ids: Vec<InputId>,
}

impl Anomaly for Missing {
    fn columns(&self) -> Vec<InputName> {
        self.columns.clone()
    }

    fn prepare(&mut self, site: &mut Site<'_>) -> Option<Vec<Output>> {
        let found: Option<Vec<_>> = self.columns.iter().map(|column| site.clean(&column.name)).collect();
        let (ids, mut outputs): (_, Vec<Output>) = found?.into_iter().unzip();
        self.ids = ids;
        outputs.iter_mut().for_each(|output| output.nullable = true);
        Some(outputs)
    }

    fn spoil(&self, hits: &Hits<'_>) -> Result<Vec<Series>, Failure> {
        let none = Bitmap::new_zeroed(hits.block.len());
        let null = |id: &InputId| array::with_validity(hits.block.input(*id).into_owned(), none.clone());
        self.ids.iter().map(null).collect()
    }
}

pub(super) const KIND: AnomalyKind = AnomalyKind {
    name: "missing",
    summary: "Null where a value should be.",
    details: "Each of the columns is null in the rows that are hit. Where the value is null anyway it stays so; leave \
              such rows out by `when: 'Name IS NOT NULL'`.",
    example: "{missing: [Name, Size]}",
    ..AnomalyKind::of::<Params>()
};

#[cfg(test)]
mod tests {
    use super::super::testing::{changes, refused};
    use super::KIND;

    const COLUMNS: &[&str] = &[
        "Name: {choice: [ada, bob]}",
        "Size: {int_range: [1, 9]}",
        "Day: {date_range: [2026-01-01, 2026-12-31]}",
    ];

    #[test]
    fn values_are_gone() {
        let found = changes(COLUMNS, KIND.example);
        assert_eq!(found.len(), 2);
        assert!(found.iter().flatten().all(|(before, after)| before.is_some() && after.is_none()));
        assert_eq!(changes(COLUMNS, "{missing: Day}").len(), 1);
    }

    #[test]
    fn mistakes_are_reported() {
        assert_eq!(refused(COLUMNS, "{missing: []}"), ["bad-value"]);
        assert_eq!(refused(COLUMNS, "{missing: [Size, Size]}"), ["bad-anomaly"]);
        assert_eq!(refused(COLUMNS, "{missing: Sise}"), ["unknown-column"]);
    }
}
