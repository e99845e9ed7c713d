//! `swap`: two columns exchange their cells.

use std::sync::Arc;

use lookalike_ruleset::decode::{Pair, Spanned};
use lookalike_ruleset::{Diagnostic, Span};
use polars::prelude::*;

use super::cells::{as_text, named};
use crate::anomaly::{Anomaly, AnomalyKind, AnomalyRule, Hits, Rules};
use crate::generator::{Failure, InputId, InputName, Output, Site};

impl AnomalyRule for Pair<Spanned<String>> {
    fn build(self, _: Span, rules: &mut Rules<'_, '_>) -> Option<Box<dyn Anomaly>> {
        let Pair(one, other) = self;
        if one.value == other.value {
            let message = format!("`{}` cannot be swapped with itself", one.value);
            rules.builder.problems.error("bad-anomaly", other.span, message, "name another column");
            return None;
        }
        Some(Box::new(Swap { columns: [named(&one), named(&other)], ids: None, as_text: false }))
    }
}

struct Swap {
    columns: [InputName; 2],
    ids: Option<[InputId; 2]>,
    /// Known values differ, so they become any text.
    as_text: bool,
}

impl Anomaly for Swap {
    fn columns(&self) -> Vec<InputName> {
        self.columns.to_vec()
    }

    fn prepare(&mut self, site: &mut Site<'_>) -> Option<Vec<Output>> {
        let [one, other] = &self.columns;
        let ((a, first), (b, second)) = (site.clean(&one.name)?, site.clean(&other.name)?);
        if first.ty != second.ty {
            site.problems.push(
                Diagnostic::error(
                    "wrong-type",
                    other.span,
                    format!("`{}` is {}, but `{}` is {}", one.name, first.ty, other.name, second.ty),
                )
                .help("only columns of the same type can be swapped"),
            );
            return None;
        }
        let categories = match (&first.categories, &second.categories) {
            (Some(a), Some(b)) if Arc::ptr_eq(a, b) => Some(a.clone()),
            _ => None,
        };
        self.as_text = categories.is_none() && (first.categories.is_some() || second.categories.is_some());
        self.ids = Some([a, b]);
        let both = Output {
            ty: first.ty,
            nullable: first.nullable || second.nullable,
            plain: first.plain && second.plain,
            json: first.json && second.json,
            categories,
        };
        Some(vec![both.clone(), both])
    }

    fn spoil(&self, hits: &Hits<'_>) -> Result<Vec<Series>, Failure> {
        let [one, other] = self.ids.ok_or_else(|| Failure::new("not prepared"))?;
        let value = |id: InputId| {
            let series = hits.block.input(id).into_owned();
            if self.as_text { as_text(&series) } else { Ok(series) }
        };
        Ok(vec![value(other)?, value(one)?])
    }
}

pub(super) const KIND: AnomalyKind = AnomalyKind {
    name: "swap",
    summary: "Two columns exchange their cells.",
    details: "The columns have the same type. Nulls are exchanged, too. Cells that are equal stay as they are; leave \
              such rows out by `when: 'First <> Last'`.",
    example: "{swap: [First, Last]}",
    ..AnomalyKind::of::<Pair<Spanned<String>>>()
};

#[cfg(test)]
mod tests {
    use super::super::testing::{changes, refused};
    use super::KIND;

    const COLUMNS: &[&str] = &[
        "First: {choice: [ada, bob], null: 10%}",
        "Last: {pattern: '[a-z]{3}'}",
        "Low: {int_range: [1, 9]}",
        "High: {int_range: [10, 99]}",
    ];

    #[test]
    fn cells_change_places() {
        for anomaly in [KIND.example, "{swap: [Low, High]}"] {
            let [one, other] = changes(COLUMNS, anomaly).try_into().unwrap();
            for (one, other) in one.into_iter().zip(other) {
                assert_eq!((one.0, one.1), (other.1, other.0));
            }
        }
    }

    #[test]
    fn mistakes_are_reported() {
        assert_eq!(refused(COLUMNS, "{swap: [First, Low]}"), ["wrong-type"]);
        assert_eq!(refused(COLUMNS, "{swap: [Low, Low]}"), ["bad-anomaly"]);
        assert_eq!(refused(COLUMNS, "{swap: [Low]}"), ["wrong-type"]);
    }
}
