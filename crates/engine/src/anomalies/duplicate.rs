//! `duplicate`: a row that repeats an earlier one.

use lookalike_core::stream::{Stream, below, open01};
use lookalike_core::{Rows, Seed};
use lookalike_ruleset::decode::{Count, DAY, Spanned};
use lookalike_ruleset::{Diagnostic, Span, Type, params};
use polars::prelude::*;

use super::amount::from_floats;
use super::out_of_order::chosen;
use super::runs::Patch;
use super::stuck::Columns;
use crate::anomaly::{Anomaly, AnomalyKind, AnomalyRule, Hits, Rules};
use crate::array;
use crate::generator::{Failure, InputId, InputName, Output, Site, is_plain};

params! {
    /// Which row is repeated, and how exactly.
    struct Params {
        /// How many rows back the repeated row lies at most; 1 is the row before.
        within: Spanned<Count> = Spanned { value: Count(1), span: Span::default() },
        /// The columns that are repeated; all that the table writes unless given.
        columns: Option<Columns>,
        /// Columns that keep their own values, such as a key.
        keep: Option<Columns>,
        /// Columns that are repeated not quite exactly.
        near: Option<Columns>,
    }
}

impl AnomalyRule for Params {
    fn build(self, span: Span, rules: &mut Rules<'_, '_>) -> Option<Box<dyn Anomaly>> {
        let Spanned { value: Count(within), span: within_span } = self.within;
        if within == 0 {
            rules.builder.problems.push(
                Diagnostic::error("bad-value", within_span, "a row that repeats itself")
                    .label("expected at least 1"),
            );
            return None;
        }
        let columns = chosen(self.columns, self.keep, span, rules)?;
        let near = self.near.map_or_else(Vec::new, |near| near.0);
        if let Some(InputName { name, span }) =
            near.iter().find(|near| columns.iter().all(|column| column.name != near.name))
        {
            let message = format!("`{name}` is none of the columns that are repeated");
            rules.builder.problems.error("bad-anomaly", *span, message, "remove it, or correct its name");
            return None;
        }
        Some(Box::new(Duplicate { within, columns, near, ready: None }))
    }
}

struct Duplicate {
    within: u64,
    columns: Vec<InputName>,
    near: Vec<InputName>,
    ready: Option<(Stream, Vec<Column>)>,
}

/// A column that is repeated.
struct Column {
    id: InputId,
    ty: Type,
    /// Where chance comes from, if it is not repeated exactly.
    near: Option<Stream>,
}

impl Anomaly for Duplicate {
    fn columns(&self) -> Vec<InputName> {
        self.columns.clone()
    }

    fn prepare(&mut self, site: &mut Site<'_>) -> Option<Vec<Output>> {
        let (mut columns, mut outputs) = (Vec::new(), Vec::new());
        for InputName { name, .. } in &self.columns {
            let (id, output) = site.clean(name)?;
            let near = self.near.iter().find(|near| near.name == *name);
            if let Some(near) = near.filter(|_| output.ty == Type::Bool) {
                site.problems.push(
                    Diagnostic::error("wrong-type", near.span, format!("`{name}` is {}", output.ty))
                        .label("nothing lies near")
                        .help("repeat it exactly, or let it `keep` its value"),
                );
                return None;
            }
            let seed: Seed = site.seed.derive("near").derive(name);
            columns.push(Column { id, ty: output.ty, near: near.map(|_| seed.stream()) });
            let categories = output.categories.clone().filter(|_| near.is_none());
            outputs.push(Output { categories, ..output });
        }
        self.ready = Some((site.seed.derive("of").stream(), columns));
        Some(outputs)
    }

    fn spoil(&self, hits: &Hits<'_>) -> Result<Vec<Series>, Failure> {
        let (stream, columns) = self.ready.as_ref().expect("set in prepare");
        let (mut positions, mut earlier) = (Vec::new(), Vec::new());
        // The first row of the table has none before it.
        for (at, row) in hits.block.rows.iter().enumerate().filter(|(_, row)| *row > 0) {
            positions.push(at);
            earlier.push(row - 1 - below(stream.word(row, 0), self.within.min(row)));
        }
        let earlier = Rows::from(earlier);
        let repeat = |column: &Column| {
            let mut clean = hits.block.input(column.id).into_owned();
            let mut values = hits.look_up(column.id, &earlier)?;
            if let Some(stream) = column.near {
                let draw = |at: usize, draw| stream.word(hits.block.rows.get(positions[at]), draw);
                if column.ty == Type::Text {
                    clean = clean.cast(&DataType::String)?;
                }
                values = nearly(&values, column.ty, draw)?;
            }
            let mut patch = Patch::new(clean);
            patch.put(&values, positions.iter().copied())?;
            patch.finish()
        };
        columns.iter().map(repeat).collect()
    }
}

/// Values that differ a little from these; nulls stay null.
fn nearly(values: &Series, ty: Type, draw: impl Fn(usize, u32) -> u64) -> Result<Series, Failure> {
    if ty == Type::Text {
        let texts = values.cast(&DataType::String)?;
        let texts = texts.str()?.iter().enumerate();
        let typo = |(at, text): (usize, Option<&str>)| text.map(|text| typo(text, draw(at, 0), draw(at, 1)));
        return Ok(texts.map(typo).collect::<StringChunked>().into_series());
    }
    // The least step of the type.
    let step = match ty {
        Type::Decimal(scale) => 1.0 / 10f64.powi(i32::from(scale)),
        Type::Datetime | Type::Duration => SECOND,
        Type::Float => 0.0,
        _ => 1.0,
    };
    let floats = array::to_floats(values)?;
    let new = floats.iter().enumerate().map(|(at, value)| {
        let value = value.unwrap_or(0.0);
        let most = match ty {
            Type::Date => 3.0,
            Type::Datetime => HOUR,
            _ => value.abs() * 0.05,
        };
        let by = (open01(draw(at, 0)) * most).max(step);
        value + if draw(at, 1) & 1 == 0 { by } else { -by }
    });
    let new = from_floats(&new.collect::<Vec<_>>(), ty)?;
    array::keep_where(new, &values.is_not_null())
}

const HOUR: f64 = DAY as f64 / 24.0;
const SECOND: f64 = HOUR / 3600.0;

/// The text with a character dropped, doubled or exchanged with the next; plain text stays plain.
fn typo(text: &str, place: u64, kind: u64) -> String {
    let chars: Vec<char> = text.chars().collect();
    if chars.is_empty() {
        return String::new();
    }
    let at = below(place, chars.len() as u64) as usize;
    let mut new = chars.clone();
    match below(kind, 3) {
        0 if chars.len() > 1 => {
            new.remove(at);
        }
        1 if at + 1 < chars.len() => new.swap(at, at + 1),
        _ => new.insert(at, chars[at]),
    }
    let made: String = new.iter().collect();
    if made == text || (is_plain(text) && !is_plain(&made)) {
        return std::iter::once(chars[0]).chain(chars).collect();
    }
    made
}

pub(super) const KIND: AnomalyKind = AnomalyKind {
    name: "duplicate",
    summary: "A row that repeats an earlier one, exactly or nearly.",
    details: "The row's cells become those of an earlier row as it was without anomalies: of the row before, or of one of the \
              `within` rows before, each equally likely. The table keeps its number of rows, and the row's own values are lost. \
              Without `columns` all written columns are repeated, unique ones too; those under `keep` have their own values. \
              Columns under `near` are repeated with a small difference: numbers and lengths of time up to 5 % more or less \
              (at least the last digit, or a second), dates up to 3 days, stamps up to an hour, and text with one typing \
              error: a character dropped, doubled or exchanged with the next. Nulls are repeated, too. The first row of the \
              table stays as it is.",
    example: "{duplicate: {within: 10, keep: id, near: [note, load]}, rate: 3%}",
    ..AnomalyKind::of::<Params>()
};

#[cfg(test)]
mod tests {
    use super::super::runs::testing::{ROWS, check, check_example, codes, table};
    use super::*;

    #[test]
    fn rows_repeat_earlier_ones() {
        check_example(&KIND);
        for (kind, within, columns) in [("{}", 1, 10), ("{within: 5, keep: [name, up]}", 5, 8)] {
            for count in [50, ROWS] {
                let plan = table(&format!("{{duplicate: {kind}, count: {count}}}"));
                let marks = check(&plan);
                let clean = plan.tables[0].clean(&Rows::from(0..ROWS)).unwrap();
                let ids = clean.column("id").unwrap().i64().unwrap();
                assert_eq!(marks.len(), columns);
                let mut seen = [0; 6];
                for (at, row) in marks[0].rows.iter().enumerate() {
                    let of = marks[0].after.i64().unwrap().get(at).unwrap();
                    let of = ids.iter().position(|id| id == Some(of)).unwrap() as u64;
                    assert!(of + within >= *row && (of < *row || *row == 0));
                    seen[(row - of) as usize] += 1;
                    for marks in &marks {
                        let source = clean.column(&marks.column).unwrap().get(of as usize).unwrap();
                        assert_eq!(marks.after.get(at).unwrap().str_value(), source.str_value());
                    }
                }
                assert!(seen[1..=within as usize].iter().all(|seen| *seen > 0));
            }
        }
    }

    #[test]
    fn near_values_are_near() {
        let near = "[load, cpu, price, day, at, wait, name, note]";
        let plan = table(&format!("{{duplicate: {{near: {near}}}, count: 300}}"));
        let clean = plan.tables[0].clean(&Rows::from(0..ROWS)).unwrap();
        for marks in check(&plan) {
            let column = clean.column(&marks.column).unwrap().as_materialized_series();
            for (at, row) in marks.rows.iter().enumerate().filter(|(_, row)| **row > 0) {
                let source = column.slice(*row as i64 - 1, 1);
                let after = marks.after.slice(at as i64, 1);
                assert_eq!(source.get(0).unwrap().is_null(), after.get(0).unwrap().is_null());
                let exact = ["id", "up"].contains(&marks.column.as_str());
                let (from, to) = (source.get(0).unwrap(), after.get(0).unwrap());
                assert_eq!(from.str_value() == to.str_value(), exact || from.is_null(), "{}", marks.column);
                if ["name", "note"].contains(&marks.column.as_str()) {
                    continue;
                }
                let (Some(from), Some(to)) =
                    (array::to_floats(&source).unwrap()[0], array::to_floats(&after).unwrap()[0])
                else {
                    continue;
                };
                let most = match marks.column.as_str() {
                    "day" => 3.0,
                    "at" => HOUR,
                    "price" => 0.05 * from + 0.01,
                    "wait" => SECOND + 0.05 * from,
                    _ => 1.0 + 0.05 * from,
                };
                assert!((to - from).abs() <= most, "{}: {from} {to}", marks.column);
            }
        }
    }

    #[test]
    fn typing_errors_change_text_and_keep_it_plain() {
        for text in ["a", "aa", "a b", "é ü", "ab", "x y z"] {
            for word in 0..60u64 {
                let made = typo(text, word << 58, word.wrapping_mul(0x9e37_79b9_7f4a_7c15));
                assert!(made != text && is_plain(&made), "{text} {made}");
            }
        }
        assert_eq!(typo("", 1, 1), "");
    }

    #[test]
    fn mistakes_are_explained() {
        assert_eq!(codes("{duplicate: {within: 0}, count: 1}"), ["bad-value"]);
        assert_eq!(codes("{duplicate: {near: up}, count: 1}"), ["wrong-type"]);
        assert_eq!(codes("{duplicate: {columns: [load], near: note}, count: 1}"), ["bad-anomaly"]);
        assert_eq!(codes("{duplicate: {keep: nobody}, count: 1}"), ["bad-anomaly"]);
    }
}
