//! `broken_key`: a value that is no row's key.

use lookalike_ruleset::decode::Spanned;
use lookalike_ruleset::{Span, Type, params};
use polars::prelude::*;

use super::cells::{Short, any_text, as_text, clean_of, named, texts};
use crate::anomaly::{Anomaly, AnomalyKind, AnomalyRule, Hits, Rules};
use crate::build::Part;
use crate::generator::{Failure, InputId, InputName, Output, Site};

params! {
    /// Values that are no row's key.
    struct Params {
        /// Column of whole numbers or text.
        column: Spanned<String>,
        /// A character, or several, that no key ends with; # unless given.
        mark: Option<Spanned<String>>,
        /// An expression or a column's rule that gives values that are no keys, instead.
        with: Option<Part>,
    }
}

impl AnomalyRule for Short<Params> {
    fn build(self, _: Span, rules: &mut Rules<'_, '_>) -> Option<Box<dyn Anomaly>> {
        let Params { column, mark, with } = self.0;
        let problems = &mut *rules.builder.problems;
        match &mark {
            Some(mark) if with.is_some() => {
                problems.error("bad-anomaly", mark.span, "a key is marked or given, not both", "remove one");
                return None;
            }
            Some(mark) if mark.value.is_empty() => {
                problems.error("bad-value", mark.span, "the mark is empty", "give at least one character");
                return None;
            }
            _ => {}
        }
        let mark = mark.map_or_else(|| "#".to_owned(), |mark| mark.value);
        if let Some(with) = &with {
            rules.replacement(&column.value, &with.0);
        }
        Some(Box::new(BrokenKey { column: named(&column), mark, replaced: with.is_some(), ready: None }))
    }
}

struct BrokenKey {
    column: InputName,
    mark: String,
    replaced: bool,
    ready: Option<(InputId, Type)>,
}

impl Anomaly for BrokenKey {
    fn columns(&self) -> Vec<InputName> {
        vec![self.column.clone()]
    }

    fn prepare(&mut self, site: &mut Site<'_>) -> Option<Vec<Output>> {
        if self.replaced {
            // In the anomaly's scope the name stands for the new value.
            let (id, output) = site.input(&self.column.name)?;
            self.ready = Some((id, output.ty));
            return Some(vec![output]);
        }
        let key = |ty: Type| matches!(ty, Type::Int | Type::Text);
        let (id, clean) =
            clean_of(site, &self.column, key, "whole numbers or text; `with` gives other values")?;
        self.ready = Some((id, clean.ty));
        Some(vec![if clean.ty == Type::Text { any_text(&clean) } else { clean }])
    }

    fn spoil(&self, hits: &Hits<'_>) -> Result<Vec<Series>, Failure> {
        let (id, ty) = self.ready.ok_or_else(|| Failure::new("not prepared"))?;
        let values = hits.block.input(id);
        Ok(vec![match ty {
            _ if self.replaced => values.into_owned(),
            // ^i64::MAX is i64::MIN, so nothing overflows.
            Type::Int => values.i64()?.apply_values(|key| if key < 0 { key } else { !key }).into_series(),
            _ => {
                let text = as_text(&values)?;
                let marked = |key: &str| {
                    let end = key.char_indices().next_back().map_or(0, |(at, _)| at);
                    format!("{}{}", &key[..end], self.mark)
                };
                let marked: Vec<Option<String>> = text.str()?.iter().map(|key| key.map(marked)).collect();
                texts(marked.into_iter())
            }
        }])
    }
}

pub(super) const KIND: AnomalyKind = AnomalyKind {
    name: "broken_key",
    summary: "A value that is no row's key: a reference that leads nowhere.",
    details: "A whole number k from 0 becomes -1 - k, so that it is no key unless some keys are negative; a negative \
              one stays. Of text the last character becomes `mark` (# unless given), so that it is no key unless some \
              keys end so. Different keys stay different, except for text that differs in its last character only. For \
              keys of another form, `with` gives the values, as in `set`: an expression or a column's rule. Nulls \
              stay, unless `with` says otherwise.",
    example: "{broken_key: customer_id}",
    ..AnomalyKind::of::<Short<Params>>()
};

#[cfg(test)]
mod tests {
    use super::super::testing::{changed, changed_numbers, refused};
    use super::KIND;

    const COLUMNS: &[&str] = &[
        "customer_id: {int_range: [0, 1000]}",
        "sku: {pattern: '[A-Z]{3}-[0-9]{4}'}",
        "kind: {choice: [ä, bö]}",
        "day: {date_range: [2026-01-01, 2026-12-31]}",
    ];

    #[test]
    fn keys_are_no_keys() {
        for (before, after) in changed_numbers(COLUMNS, KIND.example) {
            assert_eq!(after, -1.0 - before);
        }
        for (before, after) in changed(COLUMNS, "{broken_key: sku}") {
            assert_eq!(format!("{}#", &before[..7]), after);
        }
        for (before, after) in changed(COLUMNS, "{broken_key: {column: kind, mark: '??'}}") {
            assert_eq!(after, if before == "ä" { "??" } else { "b??" });
        }
        let with = "{broken_key: {column: customer_id, with: {int_range: [5000, 6000]}}}";
        assert!(changed_numbers(COLUMNS, with).iter().all(|(_, after)| *after >= 5000.0));
        let with = "{broken_key: {column: customer_id, with: 'customer_id + 9000'}}";
        assert!(changed_numbers(COLUMNS, with).iter().all(|(before, after)| before + 9000.0 == *after));
    }

    #[test]
    fn mistakes_are_reported() {
        assert_eq!(refused(COLUMNS, "{broken_key: day}"), ["wrong-type"]);
        assert_eq!(refused(COLUMNS, "{broken_key: {column: sku, mark: ''}}"), ["bad-value"]);
        assert_eq!(refused(COLUMNS, "{broken_key: {column: sku, mark: x, with: sku}}"), ["bad-anomaly"]);
    }
}
