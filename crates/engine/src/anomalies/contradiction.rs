//! `contradiction`: a row whose columns do not go together.

use lookalike_core::stream::{Stream, below};
use lookalike_ruleset::decode::Spanned;
use lookalike_ruleset::{Span, params};
use polars::prelude::*;

use super::cells::{as_text, gather, named};
use crate::anomaly::{Anomaly, AnomalyKind, AnomalyRule, Hits, Rules};
use crate::generator::{Failure, InputId, InputName, Output, Site};

params! {
    /// Columns that do not go together.
    struct Params {
        /// The column that changes.
        column: Spanned<String>,
        /// The column that it then contradicts.
        against: Spanned<String>,
    }
}

impl AnomalyRule for Params {
    fn build(self, _: Span, rules: &mut Rules<'_, '_>) -> Option<Box<dyn Anomaly>> {
        let [column, against] = [&self.column, &self.against].map(named);
        if column.name == against.name {
            let message = format!("`{}` cannot contradict itself", column.name);
            rules.builder.problems.error("bad-anomaly", against.span, message, "name another column");
            return None;
        }
        Some(Box::new(Contradiction { column, against, ready: None }))
    }
}

struct Contradiction {
    column: InputName,
    against: InputName,
    ready: Option<(InputId, InputId, Stream, u64)>,
}

/// How many other rows are asked.
const TRIES: u32 = 16;

impl Anomaly for Contradiction {
    fn columns(&self) -> Vec<InputName> {
        vec![self.column.clone()]
    }

    fn inputs(&self, inputs: &mut Vec<InputName>) {
        inputs.push(self.against.clone());
    }

    fn prepare(&mut self, site: &mut Site<'_>) -> Option<Vec<Output>> {
        let (id, output) = site.clean(&self.column.name)?;
        let (against, _) = site.clean(&self.against.name)?;
        self.ready = Some((id, against, site.seed.derive("contradiction").stream(), site.rows));
        Some(vec![output])
    }

    fn spoil(&self, hits: &Hits<'_>) -> Result<Vec<Series>, Failure> {
        let (id, against, stream, all) = self.ready.ok_or_else(|| Failure::new("not prepared"))?;
        let (clean, other) = (hits.block.input(id), hits.block.input(against));
        let mut chosen: Vec<(usize, usize)> = (0..clean.len()).map(|at| (0, at)).collect();
        let (own, ours) = (as_text(&clean)?, as_text(&other)?);
        let (own, ours) = (own.str()?, ours.str()?);
        let mut open: Vec<usize> = (0..clean.len()).collect();
        let mut columns = vec![clean.clone().into_owned()];
        for attempt in 0..TRIES {
            if open.is_empty() {
                break;
            }
            let row = |at: &usize| below(stream.word(hits.block.rows.get(*at), attempt), all);
            let rows = open.iter().map(row).collect::<Vec<u64>>().into();
            let found = hits.look_up(id, &rows)?;
            let (values, others) = (as_text(&found)?, as_text(&hits.look_up(against, &rows)?)?);
            let (values, others) = (values.str()?, others.str()?);
            let mut still = Vec::new();
            for (position, at) in open.into_iter().enumerate() {
                if values.get(position) != own.get(at) && others.get(position) != ours.get(at) {
                    chosen[at] = (columns.len(), position);
                } else {
                    still.push(at);
                }
            }
            columns.push(found);
            open = still;
        }
        Ok(vec![gather(&columns, &chosen)?])
    }
}

pub(super) const KIND: AnomalyKind = AnomalyKind {
    name: "contradiction",
    summary: "Columns that do not go together: one has the value of a row that differs in the other.",
    details: "For columns of which one follows from the other, such as city and country, type and price, or begin and end: \
              `column` gets the clean value of another row of the table, drawn evenly, whose `against` is not this row's \
              and whose value is not this row's either. Up to 16 rows are tried; where none is such a row, the value \
              stays. Null counts as a value. How often the two really contradict each other depends on how closely \
              they depend on each other: of columns that do not, it makes an ordinary row. `set` can say more exactly \
              what a contradiction is.",
    example: "{contradiction: {column: City, against: Country}}",
    ..AnomalyKind::of::<Params>()
};

#[cfg(test)]
mod tests {
    use super::super::testing::{changed, changes, refused};
    use super::KIND;

    const COLUMNS: &[&str] = &[
        "Country: {choice: {de: 60%, fr: 30%, it: 10%}}",
        "City:",
        "  by: Country",
        "  cases:",
        "    de: {choice: [Ulm, Jena]}",
        "    fr: {choice: [Metz, Brest]}",
        "    it: {choice: [Pisa]}",
        "Price: {by: Country, cases: {de: {int_range: [1, 9]}, fr: {int_range: [11, 19]}}, else: {constant: 20}}",
        "Same: {constant: 1}",
    ];

    #[test]
    fn the_new_value_is_another_ones() {
        let country = |city: &str| match city {
            "Ulm" | "Jena" => "de",
            "Metz" | "Brest" => "fr",
            _ => "it",
        };
        let found = changed(COLUMNS, KIND.example);
        // Of a hundred rows of which 60 % are Germany's, hardly any finds no other country in 16 tries (0.6^16 = 3e-4).
        let stayed = found.iter().filter(|(before, after)| before == after).count();
        assert!(stayed <= 1, "{stayed}");
        assert!(found.iter().all(|(before, after)| before == after || country(before) != country(after)));
        let found = changed(COLUMNS, "{contradiction: {column: Price, against: Country}}");
        let tens = |text: &str| text.parse::<u32>().unwrap() / 10;
        assert!(found.iter().all(|(before, after)| before == after || tens(before) != tens(after)));
    }

    #[test]
    fn what_has_no_other_value_stays() {
        let [found] = changes(COLUMNS, "{contradiction: {column: City, against: Same}}").try_into().unwrap();
        assert!(found.iter().all(|(before, after)| before == after));
    }

    #[test]
    fn mistakes_are_reported() {
        assert_eq!(refused(COLUMNS, "{contradiction: {column: City, against: City}}"), ["bad-anomaly"]);
        assert_eq!(refused(COLUMNS, "{contradiction: {column: City, against: Land}}"), ["unknown-column"]);
        assert_eq!(refused(COLUMNS, "{contradiction: {column: City}}"), ["missing-key"]);
    }
}
