//! `mismatch`: a value that is not the row's.

use lookalike_core::Stream;
use lookalike_core::stream::below;
use lookalike_ruleset::decode::Spanned;
use lookalike_ruleset::{Span, Type, params};
use polars::prelude::*;

use super::cells::{Draws, Short, as_text, gather, named};
use crate::anomaly::{Anomaly, AnomalyKind, AnomalyRule, Hits, Rules};
use crate::array;
use crate::generator::{Failure, InputId, InputName, Output, Site};

params! {
    /// Values that are not the row's.
    struct Params {
        /// Column of any type.
        column: Spanned<String>,
    }
}

impl AnomalyRule for Short<Params> {
    fn build(self, _: Span, _: &mut Rules<'_, '_>) -> Option<Box<dyn Anomaly>> {
        Some(Box::new(Mismatch { column: named(&self.0.column), ready: None }))
    }
}

struct Mismatch {
    column: InputName,
    ready: Option<Ready>,
}

struct Ready {
    id: InputId,
    output: Output,
    stream: Stream,
    rows: u64,
}

/// How many other rows are asked for another value.
const TRIES: u32 = 16;

impl Anomaly for Mismatch {
    fn columns(&self) -> Vec<InputName> {
        vec![self.column.clone()]
    }

    fn prepare(&mut self, site: &mut Site<'_>) -> Option<Vec<Output>> {
        let (id, output) = site.clean(&self.column.name)?;
        if output.categories.as_ref().is_some_and(|categories| categories.values().len() < 2) {
            let message = format!("`{}` has no other value", self.column.name);
            site.problems.error("bad-anomaly", self.column.span, message, "use `set` for a new one");
            return None;
        }
        let stream = site.seed.derive("mismatch").stream();
        self.ready = Some(Ready { id, output: output.clone(), stream, rows: site.rows });
        Some(vec![output])
    }

    fn spoil(&self, hits: &Hits<'_>) -> Result<Vec<Series>, Failure> {
        let ready = self.ready.as_ref().ok_or_else(|| Failure::new("not prepared"))?;
        let clean = hits.block.input(ready.id);
        let values = match &ready.output {
            Output { categories: Some(categories), .. } => {
                let codes = array::codes_of(&clean)?;
                // One step to all but one steps further round.
                let count = categories.values().len() as u32;
                let other = |(code, row): (&Option<u32>, u64)| {
                    let step = 1 + Draws::new(ready.stream, row).below(count as usize - 1) as u32;
                    (code.unwrap_or(0) + step) % count
                };
                let values = array::codes(codes.iter().zip(hits.block.rows).map(other), categories);
                array::with_validity(values, codes.iter().map(Option::is_some).collect())?
            }
            Output { ty: Type::Bool, .. } => (!clean.bool()?).into_series(),
            _ => ready.other_rows(&clean, hits)?,
        };
        Ok(vec![values])
    }
}

impl Ready {
    /// The values of rows drawn evenly, for each the first that differs.
    fn other_rows(&self, clean: &Series, hits: &Hits<'_>) -> Result<Series, Failure> {
        let known = clean.is_not_null();
        let mut chosen: Vec<(usize, usize)> = (0..clean.len()).map(|at| (0, at)).collect();
        let mut open: Vec<u32> =
            (0..clean.len() as u32).filter(|at| known.get(*at as usize) == Some(true)).collect();
        let mut columns = vec![clean.clone()];
        for attempt in 0..TRIES {
            if open.is_empty() {
                break;
            }
            let word = |at: &u32| self.stream.word(hits.block.rows.get(*at as usize), attempt);
            let rows: Vec<u64> = open.iter().map(|at| below(word(at), self.rows)).collect();
            let found = hits.look_up(self.id, &rows.into())?;
            let (before, after) = (as_text(&clean.take_slice(&open)?)?, as_text(&found)?);
            let (before, after) = (before.str()?, after.str()?);
            let mut still = Vec::new();
            for (position, at) in open.iter().enumerate() {
                match after.get(position) {
                    Some(value) if before.get(position) != Some(value) => {
                        chosen[*at as usize] = (columns.len(), position);
                    }
                    _ => still.push(*at),
                }
            }
            columns.push(found);
            open = still;
        }
        gather(&columns, &chosen)
    }
}

pub(super) const KIND: AnomalyKind = AnomalyKind {
    name: "mismatch",
    summary: "A value that is not the row's.",
    details: "A category is replaced by another of the column's known categories, each with the same probability, \
              whether or not it is frequent; true becomes false and false true. Columns without known categories \
              (numbers, times, any text) get the clean value of another row of the table, drawn evenly: up to 16 rows \
              are tried until one has another value that is not null, else the value stays. Nulls stay, too.",
    example: "{mismatch: Region}",
    ..AnomalyKind::of::<Short<Params>>()
};

#[cfg(test)]
mod tests {
    use super::super::testing::{changed, changes, refused};
    use super::KIND;

    const COLUMNS: &[&str] = &[
        "Region: {choice: {north: 90%, south: 9%, west: 1%}}",
        "Flag: {bernoulli: 20%}",
        "Size: {int_range: [1, 3]}",
        "Day: {date_range: [2026-01-01, 2026-12-31]}",
        "Code: {pattern: '[a-z]{5}', null: 20%}",
        "Only: {choice: [one]}",
    ];

    #[test]
    fn values_are_others() {
        let found = changed(COLUMNS, KIND.example);
        assert!(found.iter().all(|(before, after)| before != after));
        assert!(found.iter().filter(|(_, after)| after == "west").count() > 25);
        for column in ["Flag", "Size", "Day"] {
            let found = changed(COLUMNS, &format!("{{mismatch: {{column: {column}}}}}"));
            assert!(found.iter().all(|(before, after)| before != after), "{column}");
        }
        let [found] = changes(COLUMNS, "{mismatch: Code}").try_into().unwrap();
        assert!(found.iter().all(|(before, after)| before.is_none() == after.is_none()));
        assert!(found.iter().all(|(before, after)| before.is_none() || before != after));
    }

    #[test]
    fn mistakes_are_reported() {
        assert_eq!(refused(COLUMNS, "{mismatch: Only}"), ["bad-anomaly"]);
        assert_eq!(refused(COLUMNS, "{mismatch: Regoin}"), ["unknown-column"]);
        assert_eq!(refused(COLUMNS, "{mismatch: {column: Region, to: x}}"), ["unknown-key"]);
    }
}
