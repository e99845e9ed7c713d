//! `out_of_order`: two rows that have changed places.

use lookalike_core::Rows;
use lookalike_ruleset::{Span, params};
use polars::prelude::*;

use super::runs::Patch;
use super::stuck::Columns;
use crate::anomaly::{Anomaly, AnomalyKind, AnomalyRule, Hits, Rules};
use crate::generator::{Failure, InputId, InputName, Output, Site};

params! {
    /// What is exchanged.
    struct Params {
        /// The columns that are exchanged; all that the table writes unless given.
        columns: Option<Columns>,
        /// Columns that stay where they are.
        keep: Option<Columns>,
    }
}

/// The columns of `columns`, else all that the table writes, without those of `keep`.
pub(super) fn chosen(
    columns: Option<Columns>,
    keep: Option<Columns>,
    span: Span,
    rules: &mut Rules<'_, '_>,
) -> Option<Vec<InputName>> {
    let all = || rules.written.iter().map(|name| InputName { name: name.clone(), span }).collect();
    let mut chosen: Vec<InputName> = columns.map_or_else(all, |columns| columns.0);
    for InputName { name, span } in keep.into_iter().flat_map(|keep| keep.0) {
        let before = chosen.len();
        chosen.retain(|column| column.name != name);
        if chosen.len() == before {
            rules.builder.problems.error(
                "bad-anomaly",
                span,
                format!("`{name}` is none of the columns that would change"),
                "remove it, or correct its name",
            );
            return None;
        }
    }
    if chosen.is_empty() {
        rules.builder.problems.error("bad-anomaly", span, "this changes no column", "keep fewer");
        return None;
    }
    Some(chosen)
}

impl AnomalyRule for Params {
    fn build(self, span: Span, rules: &mut Rules<'_, '_>) -> Option<Box<dyn Anomaly>> {
        let columns = chosen(self.columns, self.keep, span, rules)?;
        Some(Box::new(OutOfOrder { columns, ids: Vec::new() }))
    }
}

struct OutOfOrder {
    columns: Vec<InputName>,
    ids: Vec<InputId>,
}

impl Anomaly for OutOfOrder {
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
        let (mut positions, mut partners) = (Vec::new(), Vec::new());
        for (at, place) in hits.places.iter().enumerate().filter(|(_, place)| place.count > 1) {
            if place.ordinal == 0 || place.ordinal + 1 == place.count {
                positions.push(at);
                partners.push(hits.members(place).get((place.count - 1 - place.ordinal) as usize));
            }
        }
        let partners = Rows::from(partners);
        let swap = |id: &InputId| {
            let mut patch = Patch::new(hits.block.input(*id).into_owned());
            patch.put(&hits.look_up(*id, &partners)?, positions.iter().copied())?;
            patch.finish()
        };
        self.ids.iter().map(swap).collect()
    }
}

pub(super) const KIND: AnomalyKind = AnomalyKind {
    name: "out_of_order",
    summary: "Two rows that have changed places: the first and the last of a burst.",
    details: "The first and the last row of the burst exchange their cells, nulls included; those between stay as they are. \
              Without `columns` all written columns are exchanged, keys too, as if two lines of a file were swapped; `keep` \
              names columns that stay. It needs `burst`, at least 2 rows: a single row has nobody to change places with.",
    example: "{out_of_order: {keep: id}, burst: [2, 5], rate: 2%}",
    needs_burst: true,
    ..AnomalyKind::of::<Params>()
};

#[cfg(test)]
mod tests {
    use super::super::runs::testing::{check, check_example, codes, table};

    #[test]
    fn first_and_last_change_places() {
        check_example(&super::KIND);
        for (kind, columns) in [("{}", 10), ("{keep: [id, at]}", 8), ("{columns: at}", 1)] {
            let marks = check(&table(&format!("{{out_of_order: {kind}, burst: [1, 9], count: 20}}")));
            assert_eq!(marks.len(), columns);
            for marks in marks {
                for at in 0..marks.rows.len() {
                    let first =
                        marks.instances.iter().position(|first| *first == marks.instances[at]).unwrap();
                    let last =
                        marks.instances.iter().rposition(|first| *first == marks.instances[at]).unwrap();
                    let from = if at == first {
                        last
                    } else if at == last {
                        first
                    } else {
                        at
                    };
                    let (after, before) = (marks.after.get(at).unwrap(), marks.before.get(from).unwrap());
                    assert_eq!(after.str_value(), before.str_value());
                }
            }
        }
        assert_eq!(codes("{out_of_order: {columns: at, keep: at}, burst: 2, count: 1}"), ["bad-anomaly"]);
        assert_eq!(codes("{out_of_order: {keep: nobody}, burst: 2, count: 1}"), ["bad-anomaly"]);
        assert_eq!(codes("{out_of_order: {columns: nobody}, burst: 2, count: 1}"), ["unknown-column"]);
    }
}
