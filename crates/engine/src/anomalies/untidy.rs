//! `untidy`: stray spaces and wrong case.

use lookalike_core::Stream;
use lookalike_ruleset::decode::Spanned;
use lookalike_ruleset::{Span, Type, params, words};
use polars::prelude::*;

use super::cells::{Draws, Short, any_text, change_text, clean_of, named};
use crate::anomaly::{Anomaly, AnomalyKind, AnomalyRule, Hits, Rules};
use crate::generator::{Failure, InputId, InputName, Output, Site};

params! {
    /// Stray spaces and wrong case.
    struct Params {
        /// Column of text.
        column: Spanned<String>,
        /// What is untidy: spaces, case, or either.
        r#as: Disorder = Disorder::Either,
    }
}

words! {
    /// What is untidy.
    enum Disorder {
        /// Spaces or case.
        Either = "either",
        /// Spaces where there should be none.
        Spaces = "spaces",
        /// Letters in the other case.
        Case = "case",
    }
}

impl AnomalyRule for Short<Params> {
    fn build(self, _: Span, _: &mut Rules<'_, '_>) -> Option<Box<dyn Anomaly>> {
        Some(Box::new(Untidy { column: named(&self.0.column), disorder: self.0.r#as, ready: None }))
    }
}

struct Untidy {
    column: InputName,
    disorder: Disorder,
    ready: Option<(InputId, Stream)>,
}

impl Anomaly for Untidy {
    fn columns(&self) -> Vec<InputName> {
        vec![self.column.clone()]
    }

    fn prepare(&mut self, site: &mut Site<'_>) -> Option<Vec<Output>> {
        let (id, clean) = clean_of(site, &self.column, |ty| ty == Type::Text, "text")?;
        self.ready = Some((id, site.seed.derive("untidy").stream()));
        Some(vec![any_text(&clean)])
    }

    fn spoil(&self, hits: &Hits<'_>) -> Result<Vec<Series>, Failure> {
        let (id, stream) = self.ready.ok_or_else(|| Failure::new("not prepared"))?;
        let change = |_: usize, text: &str, draws: &mut Draws| self.disorder.spoil(text, draws);
        Ok(vec![change_text(hits, id, stream, change)?])
    }
}

impl Disorder {
    fn spoil(self, text: &str, draws: &mut Draws) -> Option<String> {
        let mut found = Vec::new();
        if self != Disorder::Case && !text.is_empty() {
            found.extend([format!(" {text}"), format!("{text} ")]);
            let spaces: Vec<usize> = text.match_indices(' ').map(|(at, _)| at).collect();
            found.extend(draws.pick(&spaces).map(|at| format!("{} {}", &text[..*at], &text[*at..])));
        }
        if self != Disorder::Spaces {
            let swapped = |c: char| -> String {
                if c.is_uppercase() { c.to_lowercase().collect() } else { c.to_uppercase().collect() }
            };
            let cases = [text.to_uppercase(), text.to_lowercase(), text.chars().map(swapped).collect()];
            for case in cases {
                if case != text && !found.contains(&case) {
                    found.push(case);
                }
            }
        }
        draws.pick(&found).cloned()
    }
}

pub(super) const KIND: AnomalyKind = AnomalyKind {
    name: "untidy",
    summary: "Text with stray spaces or in the wrong case.",
    details: "With `as: spaces` a space too many at the beginning, at the end or beside another; with `as: case` all \
              in upper case, all in lower case, or each letter in the other case; else one of all these. It is evenly \
              chosen among those that the text has a place for and that differ from it. Text that has none stays as it \
              is (empty text; with `as: case` text without letters), and so does null.",
    example: "{untidy: Name}",
    ..AnomalyKind::of::<Short<Params>>()
};

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::testing::{changed, refused};
    use super::KIND;

    const COLUMNS: &[&str] =
        &["Name: {constant: Ada L}", "Code: {choice: ['12', '']}", "Size: {int_range: [1, 9]}"];

    #[test]
    fn text_is_untidy() {
        let seen = |anomaly: &str| -> BTreeSet<String> {
            changed(COLUMNS, anomaly).into_iter().map(|(_, after)| after).collect()
        };
        assert_eq!(
            seen(KIND.example),
            [" Ada L", "ADA L", "Ada  L", "Ada L ", "aDA l", "ada l"].map(str::to_owned).into()
        );
        assert_eq!(seen("{untidy: {column: Name, as: spaces}}").len(), 3);
        assert_eq!(seen("{untidy: {column: Name, as: case}}").len(), 3);
        assert_eq!(seen("{untidy: {column: Code, as: case}}"), ["", "12"].map(str::to_owned).into());
        assert_eq!(seen("{untidy: {column: Code}}"), ["", " 12", "12 "].map(str::to_owned).into());
    }

    #[test]
    fn mistakes_are_reported() {
        assert_eq!(refused(COLUMNS, "{untidy: Size}"), ["wrong-type"]);
        assert_eq!(refused(COLUMNS, "{untidy: {column: Name, as: tidy}}"), ["bad-value"]);
    }
}
