//! `wrong_type`: text where the column has numbers, times or truth values.

use lookalike_core::Stream;
use lookalike_ruleset::decode::Spanned;
use lookalike_ruleset::{Diagnostic, Span, Type, params, words};
use polars::prelude::*;

use super::cells::{Draws, Short, named, texts};
use crate::anomaly::{Anomaly, AnomalyKind, AnomalyRule, Hits, Rules};
use crate::generator::{Failure, InputId, InputName, Output, Site, is_plain};
use crate::generators::template::texts_of;

params! {
    /// Text in place of another type.
    struct Params {
        /// Column of any type but text.
        column: Spanned<String>,
        /// How the text comes about; any of the ways, unless given.
        r#as: Option<Way>,
        /// Words that stand for a value, instead of n/a, unknown, none, - and ?.
        words: Option<Vec<Spanned<String>>>,
    }
}

words! {
    /// How text comes into a column of another type.
    enum Way {
        /// A word that says that there is no value.
        Word = "word",
        /// A comma for the decimal point, 12,5; where there is none, a comma for thousands, 1,250.
        Comma = "comma",
        /// A letter for a digit that looks like it.
        Letter = "letter",
        /// A unit or sign that belongs elsewhere.
        Unit = "unit",
    }
}

const WORDS: [&str; 5] = ["n/a", "unknown", "none", "-", "?"];
const UNITS: [&str; 4] = ["~{}", "{} approx.", "{}?", "ca. {}"];
const LETTERS: [(char, char); 6] = [('0', 'O'), ('1', 'l'), ('2', 'Z'), ('5', 'S'), ('6', 'G'), ('8', 'B')];
const WAYS: [Way; 4] = [Way::Word, Way::Comma, Way::Letter, Way::Unit];

impl AnomalyRule for Short<Params> {
    fn build(self, _: Span, rules: &mut Rules<'_, '_>) -> Option<Box<dyn Anomaly>> {
        let Params { column, r#as: way, words } = self.0;
        if let Some(words) = &words {
            let problems = &mut *rules.builder.problems;
            if words.is_empty() {
                problems.error("bad-value", column.span, "there are no words", "name at least one");
                return None;
            }
            if matches!(way, Some(way) if way != Way::Word) {
                let span = words[0].span;
                problems.error("bad-anomaly", span, "`words` go with `as: word`", "remove one of the two");
                return None;
            }
        }
        let words = match words {
            Some(words) => words.into_iter().map(|word| word.value).collect(),
            None => WORDS.map(str::to_owned).to_vec(),
        };
        Some(Box::new(WrongType { column: named(&column), way, words, ready: None }))
    }
}

struct WrongType {
    column: InputName,
    way: Option<Way>,
    words: Vec<String>,
    ready: Option<(InputId, Type, Stream)>,
}

impl Anomaly for WrongType {
    fn columns(&self) -> Vec<InputName> {
        vec![self.column.clone()]
    }

    fn prepare(&mut self, site: &mut Site<'_>) -> Option<Vec<Output>> {
        let InputName { name, span } = &self.column;
        let (id, clean) = site.clean(name)?;
        if clean.ty == Type::Text {
            site.problems.push(
                Diagnostic::error("wrong-type", *span, format!("`{name}` is text, which any text fits"))
                    .label("expected a column of another type")
                    .help("spoil text by `typo`, `untidy`, `cut` or `set`"),
            );
            return None;
        }
        self.ready = Some((id, clean.ty, site.seed.derive("wrong_type").stream()));
        let word = |way| self.way.is_none() || self.way == Some(way);
        let plain = !word(Way::Comma) && (!word(Way::Word) || self.words.iter().all(|word| is_plain(word)));
        Some(vec![Output { nullable: clean.nullable, ..Output::text(plain) }])
    }

    fn spoil(&self, hits: &Hits<'_>) -> Result<Vec<Series>, Failure> {
        let (id, ty, stream) = self.ready.ok_or_else(|| Failure::new("not prepared"))?;
        let clean = texts_of(&hits.block.input(id), ty)?;
        let mut values = Vec::with_capacity(clean.len());
        for (text, row) in clean.str()?.iter().zip(hits.block.rows) {
            values.push(text.map(|text| self.spoiled(text, ty, &mut Draws::new(stream, row))));
        }
        Ok(vec![texts(values.into_iter())])
    }
}

impl WrongType {
    /// The text with a fault, which differs from it always.
    fn spoiled(&self, text: &str, ty: Type, draws: &mut Draws) -> String {
        let ways: Vec<Way> = WAYS
            .into_iter()
            .filter(|way| match way {
                Way::Word => true,
                // Words of truth, and dates, have no digits that a comma or a sign would go with.
                Way::Comma => ty.is_number() && with_comma(text).is_some(),
                Way::Letter => text.contains(|c| LETTERS.iter().any(|(digit, _)| c == *digit)),
                Way::Unit => ty.is_number(),
            })
            .collect();
        let way = match self.way.filter(|way| ways.contains(way)) {
            Some(way) => way,
            // What the text has no place for is a word.
            None if self.way.is_some() => Way::Word,
            None => ways[draws.below(ways.len())],
        };
        match way {
            Way::Word => self.words[draws.below(self.words.len())].clone(),
            Way::Comma => with_comma(text).unwrap_or_default(),
            Way::Unit => UNITS[draws.below(UNITS.len())].replace("{}", text),
            Way::Letter => {
                let letter =
                    |c: char| LETTERS.iter().find(|(digit, _)| *digit == c).map(|(_, letter)| *letter);
                let places: Vec<usize> =
                    text.char_indices().filter(|(_, c)| letter(*c).is_some()).map(|(at, _)| at).collect();
                let at = places[draws.below(places.len())];
                let put = |(place, c): (usize, char)| if place == at { letter(c).unwrap_or(c) } else { c };
                text.char_indices().map(put).collect()
            }
        }
    }
}

/// The number with a comma for its point or, where it is whole, between its thousands; none if it has neither.
fn with_comma(text: &str) -> Option<String> {
    if text.contains('.') {
        return Some(text.replace('.', ","));
    }
    let digits = text.trim_start_matches('-').len();
    if digits < 4 || !text.trim_start_matches('-').bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let (sign, digits) = text.split_at(text.len() - digits);
    let first = (digits.len() - 1) % 3 + 1;
    let mut out = format!("{sign}{}", &digits[..first]);
    for at in (first..digits.len()).step_by(3) {
        out.push(',');
        out.push_str(&digits[at..at + 3]);
    }
    Some(out)
}

pub(super) const KIND: AnomalyKind = AnomalyKind {
    name: "wrong_type",
    summary: "Text where numbers, times or truth values should be: n/a, 12,5 or 1O.",
    details: "`as: word` puts a word for a missing value (n/a, unknown, none, - and ?, or one of `words`), `comma` a comma \
              for the decimal point (12,5) or between thousands (1,250), `letter` a letter for a digit that looks like it \
              (1O), `unit` a sign or word beside the number (~12, 12 approx.); else each is as likely among those that \
              the value has a place for, and what has none gets a word. Nulls stay. The column becomes text, in \
              every format and for all rows: other cells are written as CSV writes them, so that CSV files differ in the \
              marked cells only, while JSON lines, Parquet and Arrow have a column of text. The clean rows of --clean \
              and all other rules keep the column's type.",
    example: "{wrong_type: Price}",
    ..AnomalyKind::of::<Short<Params>>()
};

#[cfg(test)]
mod tests {
    use super::super::testing::{changed, changes, refused};
    use super::{KIND, with_comma};

    const COLUMNS: &[&str] = &[
        "Price: {uniform: [100, 200], round: 2}",
        "Size: {int_range: [1000, 99999]}",
        "Share: {uniform: [0, 1]}",
        "Day: {date_range: [2026-01-01, 2026-12-31], null: 20%}",
        "At: {datetime_range: [2026-01-01, 2026-12-31]}",
        "Wait: {duration_range: [1s, 1h]}",
        "Up: {bernoulli: 50%}",
        "Name: {choice: [ada, bob]}",
    ];

    #[test]
    fn values_are_no_numbers() {
        for column in ["Price", "Size", "Share"] {
            let found = changed(COLUMNS, &KIND.example.replace("Price", column));
            assert!(found.iter().all(|(before, _)| before.parse::<f64>().is_ok()), "{column}");
            assert!(found.iter().all(|(_, after)| after.parse::<f64>().is_err()), "{column}: {found:?}");
        }
        for column in ["Day", "At", "Wait", "Up"] {
            let [found] = changes(COLUMNS, &KIND.example.replace("Price", column)).try_into().unwrap();
            assert!(found.iter().all(|(before, after)| before.is_some() == after.is_some()), "{column}");
            assert!(found.iter().all(|(before, after)| before.is_none() || before != after), "{column}");
        }
    }

    #[test]
    fn a_way_is_kept() {
        let after = |more: &str| -> Vec<String> {
            let anomaly = format!("{{wrong_type: {{column: Size, {more}}}}}");
            changed(COLUMNS, &anomaly).into_iter().map(|(_, after)| after).collect()
        };
        assert!(after("as: comma").iter().all(|text| text.replace(',', "").parse::<u32>().is_ok()));
        assert!(after("as: word, words: [leer]").iter().all(|text| text == "leer"));
        assert!(after("as: unit").iter().all(|text| text.chars().any(|c| c.is_ascii_digit())));
        let letters = |text: &String| text.chars().filter(|c| "OlZSGB".contains(*c)).count();
        // Digits of which none looks like a letter leave only a word.
        assert!(
            after("as: letter")
                .iter()
                .all(|text| letters(text) == 1 || text.len() != 5 || !text.contains(char::is_numeric))
        );
    }

    #[test]
    fn commas_stand_where_people_put_them() {
        let cases = [("12.5", "12,5"), ("1250", "1,250"), ("-1234567", "-1,234,567"), ("100000", "100,000")];
        for (text, expected) in cases {
            assert_eq!(with_comma(text).as_deref(), Some(expected));
        }
        assert_eq!(with_comma("999"), None);
        assert_eq!(with_comma("-999"), None);
        assert_eq!(with_comma("1e21"), None);
    }

    #[test]
    fn mistakes_are_reported() {
        assert_eq!(refused(COLUMNS, "{wrong_type: Name}"), ["wrong-type"]);
        assert_eq!(refused(COLUMNS, "{wrong_type: Prise}"), ["unknown-column"]);
        assert_eq!(refused(COLUMNS, "{wrong_type: {column: Size, as: unit, words: [x]}}"), ["bad-anomaly"]);
        assert_eq!(refused(COLUMNS, "{wrong_type: {column: Size, words: []}}"), ["bad-value"]);
    }
}
