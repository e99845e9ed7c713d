//! `cut`: text that lost its end.

use lookalike_core::Stream;
use lookalike_ruleset::decode::Spanned;
use lookalike_ruleset::{Span, Type, params};
use polars::prelude::*;

use super::cells::{any_text, change_text, clean_of, ints, named, number_rule, own};
use crate::anomaly::{Anomaly, AnomalyKind, AnomalyRule, Hits, Rules};
use crate::build::Part;
use crate::generator::{Failure, InputId, InputName, Output, Site};

params! {
    /// Text that lost its end.
    struct Params {
        /// Column of text.
        column: Spanned<String>,
        /// How many characters are kept: a number, or a generator of whole numbers.
        keep: Part,
    }
}

impl AnomalyRule for Params {
    fn build(self, _: Span, rules: &mut Rules<'_, '_>) -> Option<Box<dyn Anomaly>> {
        let keep = number_rule(rules, "#keep", &self.keep.0);
        Some(Box::new(Cut { column: named(&self.column), keep, ready: None }))
    }
}

struct Cut {
    column: InputName,
    keep: InputName,
    ready: Option<(InputId, InputId, Stream)>,
}

impl Anomaly for Cut {
    fn columns(&self) -> Vec<InputName> {
        vec![self.column.clone()]
    }

    fn inputs(&self, inputs: &mut Vec<InputName>) {
        inputs.push(self.keep.clone());
    }

    fn prepare(&mut self, site: &mut Site<'_>) -> Option<Vec<Output>> {
        let (id, clean) = clean_of(site, &self.column, |ty| ty == Type::Text, "text")?;
        let keep = own(site, &self.keep, |ty| ty == Type::Int, "a whole number")?;
        self.ready = Some((id, keep, site.seed.stream()));
        Some(vec![any_text(&clean)])
    }

    fn spoil(&self, hits: &Hits<'_>) -> Result<Vec<Series>, Failure> {
        let (id, keep, stream) = self.ready.ok_or_else(|| Failure::new("not prepared"))?;
        let keep = ints(&hits.block.input(keep))?;
        let cut = |at: usize, text: &str, _: &mut _| {
            let keep = usize::try_from(keep[at]?.max(0)).ok()?;
            let (end, _) = text.char_indices().nth(keep)?;
            Some(text[..end].to_owned())
        };
        Ok(vec![change_text(hits, id, stream, cut)?])
    }
}

pub(super) const KIND: AnomalyKind = AnomalyKind {
    name: "cut",
    summary: "Text that lost its end, as in a field too short for it.",
    details: "The first `keep` characters stay: a number, or a generator of whole numbers; below 0 counts as 0. \
              Characters are those of Unicode, so accents written as characters of their own may be cut off. Text that \
              is no longer than that stays as it is; leave it out by `when: 'length(Name) > 10'`. Nulls stay, and so \
              does text with a null for `keep`.",
    example: "{cut: {column: Name, keep: 10}}",
    ..AnomalyKind::of::<Params>()
};

#[cfg(test)]
mod tests {
    use super::super::testing::{changed, refused};
    use super::KIND;

    const COLUMNS: &[&str] = &[
        "Name: {choice: [Grace Brewster Hopper, Ada, 'Åke Ångström-Öberg', 'exactly 10']}",
        "Size: {int_range: [1, 9]}",
    ];

    #[test]
    fn the_beginning_stays() {
        for (before, after) in changed(COLUMNS, KIND.example) {
            assert_eq!(after, before.chars().take(10).collect::<String>());
        }
        assert!(
            changed(COLUMNS, "{cut: {column: Name, keep: -1}}").iter().all(|(_, after)| after.is_empty())
        );
        for (before, after) in changed(COLUMNS, "{cut: {column: Name, keep: {int_range: [1, 2]}}}") {
            assert!(before.starts_with(&after) && (1..=2).contains(&after.chars().count()));
        }
    }

    #[test]
    fn mistakes_are_reported() {
        assert_eq!(refused(COLUMNS, "{cut: {column: Size, keep: 1}}"), ["wrong-type"]);
        assert_eq!(refused(COLUMNS, "{cut: {column: Name, keep: 1.5}}"), ["wrong-type"]);
        assert_eq!(refused(COLUMNS, "{cut: {column: Name}}"), ["missing-key"]);
    }
}
