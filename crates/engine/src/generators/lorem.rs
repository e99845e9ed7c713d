//! `lorem`: words, sentences and paragraphs that mean nothing.

use std::collections::BTreeSet;

use fake::locales::{Data, EN};
use lookalike_core::Stream;
use lookalike_core::stream::below;
use lookalike_ruleset::decode::{Count, Decode, Pair, Spanned, out_of_range};
use lookalike_ruleset::{Diagnostic, Json, Node, Problems, Span, params};
use polars::prelude::*;
use serde_json::json;

use super::text::Texts;
use crate::build::Builder;
use crate::generator::{Block, Failure, Generator, Group, Kind, Output, Rule, Site};

/// A number, or a range `[low, high]`, of at least 1.
#[derive(Clone, Copy, Debug)]
struct Amount {
    low: u64,
    high: u64,
}

impl Decode for Amount {
    fn decode(node: &Node, problems: &mut Problems) -> Option<Self> {
        let Pair(Count(low), Count(high)) = match node.as_list() {
            Some(_) => Pair::decode(node, problems)?,
            None => Count::decode(node, problems).map(|count| Pair(count, count))?,
        };
        if low == 0 || low > high {
            out_of_range(
                node.span,
                format!("{low} to {high}"),
                "expected at least 1, the smaller number first",
                problems,
            );
            return None;
        }
        Some(Amount { low, high })
    }
    fn what() -> String {
        "a number, or a range such as [5, 20]".into()
    }
    fn schema() -> Json {
        json!({"anyOf": [Count::schema(), Pair::<Count>::schema()]})
    }
}

params! {
    /// How much text, in one of three units.
    struct Params {
        /// Words, at most 1,000.
        words: Option<Spanned<Amount>>,
        /// Sentences of 5 to 14 words, at most 100.
        sentences: Option<Spanned<Amount>>,
        /// Paragraphs of 3 to 6 sentences, with an empty line between them; at most 20.
        paragraphs: Option<Spanned<Amount>>,
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unit {
    Words,
    Sentences,
    Paragraphs,
}

impl Rule for Params {
    fn build(self, span: Span, builder: &mut Builder<'_>) -> Option<Box<dyn Generator>> {
        let units = [
            (Unit::Words, self.words, 1000),
            (Unit::Sentences, self.sentences, 100),
            (Unit::Paragraphs, self.paragraphs, 20),
        ];
        let mut said = units.into_iter().filter_map(|(unit, amount, most)| Some((unit, amount?, most)));
        let (Some((unit, amount, most)), None) = (said.next(), said.next()) else {
            builder.problems.push(
                Diagnostic::error(
                    "bad-value",
                    span,
                    "this needs one of `words`, `sentences` and `paragraphs`",
                )
                .label("says none or several")
                .help("write for example `{lorem: {words: [5, 20]}}`"),
            );
            return None;
        };
        if amount.value.high > most {
            out_of_range(
                amount.span,
                amount.value.high,
                format!("expected at most {most}"),
                builder.problems,
            );
            return None;
        }
        Some(Box::new(Lorem { unit, amount: amount.value, words: Vec::new(), stream: None }))
    }
}

struct Lorem {
    unit: Unit,
    amount: Amount,
    words: Vec<&'static str>,
    stream: Option<Stream>,
}

/// The draws of a row, one after the other.
struct Draws {
    stream: Stream,
    row: u64,
    next: u32,
}

impl Draws {
    fn amount(&mut self, Amount { low, high }: Amount) -> u64 {
        let word = self.stream.word(self.row, self.next);
        self.next += 1;
        low + below(word, high - low + 1)
    }
}

impl Lorem {
    fn word(&self, draws: &mut Draws) -> &'static [u8] {
        let at = draws.amount(Amount { low: 0, high: self.words.len() as u64 - 1 });
        self.words[at as usize].as_bytes()
    }

    fn sentence(&self, draws: &mut Draws, out: &mut Vec<u8>) {
        let start = out.len();
        for at in 0..draws.amount(Amount { low: 5, high: 14 }) {
            out.extend_from_slice(if at > 0 { b" " } else { b"" });
            out.extend_from_slice(self.word(draws));
        }
        out[start].make_ascii_uppercase();
        out.push(b'.');
    }

    fn sentences(&self, amount: Amount, draws: &mut Draws, out: &mut Vec<u8>) {
        for at in 0..draws.amount(amount) {
            out.extend_from_slice(if at > 0 { b" " } else { b"" });
            self.sentence(draws, out);
        }
    }
}

impl Generator for Lorem {
    fn prepare(&mut self, site: &mut Site<'_>) -> Option<Output> {
        let mut seen = BTreeSet::new();
        self.words = EN::LOREM_WORD.iter().copied().filter(|word| seen.insert(*word)).collect();
        self.stream = Some(site.seed.stream());
        Some(Output::text(self.unit != Unit::Paragraphs))
    }

    fn fill(&self, block: &Block<'_>) -> Result<Series, Failure> {
        let stream = self.stream.expect("set in prepare").with_attempt(block.attempt);
        let mut texts = Texts::with_capacity(block.len(), 64);
        for row in block.rows {
            let draws = &mut Draws { stream, row, next: 0 };
            texts.push(|out| match self.unit {
                Unit::Words => {
                    for at in 0..draws.amount(self.amount) {
                        out.extend_from_slice(if at > 0 { b" " } else { b"" });
                        out.extend_from_slice(self.word(draws));
                    }
                }
                Unit::Sentences => self.sentences(self.amount, draws, out),
                Unit::Paragraphs => {
                    for at in 0..draws.amount(self.amount) {
                        out.extend_from_slice(if at > 0 { b"\n\n" } else { b"" });
                        self.sentences(Amount { low: 3, high: 6 }, draws, out);
                    }
                }
            });
        }
        texts.finish(None)
    }
}

pub(super) const KIND: Kind = Kind {
    name: "lorem",
    group: Group::Text,
    summary: "Words, sentences and paragraphs that mean nothing.",
    details: "Some 180 Latin words, drawn evenly. Give one of `words`, `sentences` and `paragraphs`, as a number or as a range \
              from which each row draws its number evenly. Sentences have 5 to 14 words, begin with a capital and end with a \
              full stop; paragraphs have 3 to 6 sentences. Only paragraphs hold line breaks.",
    example: "{lorem: {words: [5, 20]}}",
    ..Kind::of::<Params>()
};

#[cfg(test)]
mod tests {
    use lookalike_core::Rows;

    use super::*;
    use crate::testing::column;

    fn texts(yaml: &str, rows: u64) -> Vec<String> {
        let plan = column(yaml, rows).unwrap_or_else(|problems| panic!("{yaml}: {problems:?}"));
        let frame = plan.tables[0].frame(&Rows::from(0..rows)).unwrap();
        frame.column("c").unwrap().str().unwrap().iter().map(|text| text.unwrap().to_owned()).collect()
    }

    #[test]
    fn amounts_are_kept_and_all_occur() {
        let words: BTreeSet<usize> =
            texts("{lorem: {words: [2, 5]}}", 500).iter().map(|text| text.split(' ').count()).collect();
        assert!(words.into_iter().eq(2..=5));
        assert!(texts("{lorem: {words: 1}}", 50).iter().all(|text| !text.contains(' ')));
        for text in texts("{lorem: {sentences: 3}}", 50) {
            assert_eq!(text.matches('.').count(), 3);
            for sentence in text.split_terminator('.').map(str::trim) {
                assert!((5..=14).contains(&sentence.split(' ').count()), "{sentence}");
                assert!(sentence.starts_with(|c: char| c.is_ascii_uppercase()));
            }
        }
        for text in texts("{lorem: {paragraphs: [1, 2]}}", 50) {
            assert!((1..=2).contains(&text.split("\n\n").count()));
        }
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for (yaml, code) in [
            ("{lorem: {}}", "bad-value"),
            ("{lorem: {words: 3, sentences: 2}}", "bad-value"),
            ("{lorem: {words: 0}}", "bad-value"),
            ("{lorem: {words: [9, 2]}}", "bad-value"),
            ("{lorem: {paragraphs: 21}}", "bad-value"),
            ("{lorem: words}", "wrong-type"),
            ("{lorem: {words: 3}, unique: true}", "cannot-be-unique"),
        ] {
            assert_eq!(column(yaml, 10).err().unwrap()[0].code, code, "{yaml}");
        }
    }
}
