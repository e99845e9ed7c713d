//! Small mistakes in text, a given number of times: what `typo` and `misread` share.

use lookalike_core::Stream;
use lookalike_ruleset::Type;
use lookalike_ruleset::decode::Spanned;
use polars::prelude::*;

use super::cells::{Draws, any_text, change_text, clean_of, ints, named, number_rule, own};
use crate::anomaly::{Anomaly, Hits, Rules};
use crate::build::Part;
use crate::generator::{Failure, InputId, InputName, Output, Site};

/// One mistake; `None` if the text has no place for one. The text is never the same afterwards.
pub(super) type Edit = fn(&[char], &mut Draws) -> Option<Vec<char>>;

/// Most mistakes in one text.
pub(super) const MAX_EDITS: i64 = 100;

/// An anomaly that makes so many mistakes in text.
pub(super) fn edits(
    column: &Spanned<String>,
    count: Option<Part>,
    edit: Edit,
    rules: &mut Rules<'_, '_>,
) -> Box<dyn Anomaly> {
    let count = count.map(|count| number_rule(rules, "#count", &count.0));
    Box::new(Edits { column: named(column), count, edit, ready: None })
}

struct Edits {
    column: InputName,
    count: Option<InputName>,
    edit: Edit,
    ready: Option<(InputId, Option<InputId>, Stream)>,
}

impl Anomaly for Edits {
    fn columns(&self) -> Vec<InputName> {
        vec![self.column.clone()]
    }

    fn inputs(&self, inputs: &mut Vec<InputName>) {
        inputs.extend(self.count.clone());
    }

    fn prepare(&mut self, site: &mut Site<'_>) -> Option<Vec<Output>> {
        let (id, clean) = clean_of(site, &self.column, |ty| ty == Type::Text, "text")?;
        let count = match &self.count {
            Some(count) => Some(own(site, count, |ty| ty == Type::Int, "a whole number")?),
            None => None,
        };
        self.ready = Some((id, count, site.seed.derive("edits").stream()));
        Some(vec![any_text(&clean)])
    }

    fn spoil(&self, hits: &Hits<'_>) -> Result<Vec<Series>, Failure> {
        let (id, count, stream) = self.ready.ok_or_else(|| Failure::new("not prepared"))?;
        let counts = count.map(|count| ints(&hits.block.input(count))).transpose()?;
        let change = |at: usize, text: &str, draws: &mut Draws| {
            let count = counts.as_ref().map_or(Some(1), |counts| counts[at])?;
            let clean: Vec<char> = text.chars().collect();
            let mut new = clean.clone();
            for _ in 0..count.min(MAX_EDITS) {
                let Some(next) = (self.edit)(&new, draws) else { break };
                new = next;
            }
            // Several mistakes may undo each other; one more does not.
            if count > 1 && new == clean {
                new = (self.edit)(&new, draws)?;
            }
            Some(new.into_iter().collect())
        };
        Ok(vec![change_text(hits, id, stream, change)?])
    }
}
