//! `mojibake`: text decoded as what it was not encoded in.

use lookalike_core::Stream;
use lookalike_ruleset::decode::Spanned;
use lookalike_ruleset::{Span, Type, params, words};
use polars::prelude::*;

use super::cells::{Draws, Short, any_text, change_text, clean_of, named};
use crate::anomaly::{Anomaly, AnomalyKind, AnomalyRule, Hits, Rules};
use crate::generator::{Failure, InputId, InputName, Output, Site};

params! {
    /// Text decoded as what it was not encoded in.
    struct Params {
        /// Column of text.
        column: Spanned<String>,
        /// What UTF-8 was taken for: windows_1252, latin_1, or ascii, for which characters are lost.
        r#as: Encoding = Encoding::Windows1252,
    }
}

words! {
    /// What UTF-8 is taken for.
    enum Encoding {
        /// The Western encoding of Windows.
        Windows1252 = "windows_1252",
        /// ISO 8859-1.
        Latin1 = "latin_1",
        /// Nothing beyond 127 can be read.
        Ascii = "ascii",
    }
}

impl AnomalyRule for Short<Params> {
    fn build(self, _: Span, _: &mut Rules<'_, '_>) -> Option<Box<dyn Anomaly>> {
        Some(Box::new(Mojibake { column: named(&self.0.column), encoding: self.0.r#as, ready: None }))
    }
}

struct Mojibake {
    column: InputName,
    encoding: Encoding,
    ready: Option<(InputId, Stream)>,
}

impl Anomaly for Mojibake {
    fn columns(&self) -> Vec<InputName> {
        vec![self.column.clone()]
    }

    fn prepare(&mut self, site: &mut Site<'_>) -> Option<Vec<Output>> {
        let (id, clean) = clean_of(site, &self.column, |ty| ty == Type::Text, "text")?;
        self.ready = Some((id, site.seed.derive("mojibake").stream()));
        Some(vec![any_text(&clean)])
    }

    fn spoil(&self, hits: &Hits<'_>) -> Result<Vec<Series>, Failure> {
        let (id, stream) = self.ready.ok_or_else(|| Failure::new("not prepared"))?;
        let change = |_: usize, text: &str, draws: &mut Draws| self.encoding.damage(text, draws);
        Ok(vec![change_text(hits, id, stream, change)?])
    }
}

/// Characters that programs put in place of plain ones, which then do not survive.
const TYPOGRAPHY: &[(char, char)] =
    &[(' ', '\u{a0}'), ('\'', '\u{2019}'), ('-', '\u{2013}'), ('"', '\u{201c}')];

/// The characters of Windows-1252 from 80 to 9F, with control characters where it has none, as browsers read it.
const WINDOWS: [char; 32] = [
    '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž', '\u{8f}', '\u{90}',
    '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}', 'ž', 'Ÿ',
];

impl Encoding {
    fn damage(self, text: &str, draws: &mut Draws) -> Option<String> {
        if !text.is_ascii() {
            return Some(self.read(text));
        }
        let plain: Vec<(usize, char)> = text.char_indices().collect();
        let typographic = |(at, character): &(usize, char)| {
            TYPOGRAPHY.iter().find(|(plain, _)| plain == character).map(|(_, fancy)| (*at, *fancy))
        };
        let fancy: Vec<(usize, char)> = plain.iter().filter_map(typographic).collect();
        let (at, wrong) = match draws.pick(&fancy) {
            Some((at, fancy)) => (*at, self.read(fancy.encode_utf8(&mut [0; 4]))),
            None => (draws.pick(&plain)?.0, char::REPLACEMENT_CHARACTER.to_string()),
        };
        Some(format!("{}{wrong}{}", &text[..at], &text[at + 1..]))
    }

    /// The bytes of the text, each read as a character.
    fn read(self, text: &str) -> String {
        let character = |byte: u8| match (self, byte) {
            (_, ..0x80) | (Encoding::Latin1, _) => char::from(byte),
            (Encoding::Ascii, _) => char::REPLACEMENT_CHARACTER,
            (Encoding::Windows1252, 0x80..0xa0) => WINDOWS[usize::from(byte - 0x80)],
            (Encoding::Windows1252, _) => char::from(byte),
        };
        text.bytes().map(character).collect()
    }
}

pub(super) const KIND: AnomalyKind = AnomalyKind {
    name: "mojibake",
    summary: "Text decoded as what it was not encoded in.",
    details: "The bytes of the text in UTF-8 are read one by one as Windows-1252, in which Müller becomes MÃ¼ller; \
              with `as: latin_1` as ISO 8859-1, whose characters from 80 to 9F are controls; with `as: ascii` each \
              byte beyond 7F becomes U+FFFD, the mark of what cannot be read. In text of ASCII alone one space, \
              hyphen, apostrophe or quotation mark is damaged as if it had been a typographic one (O'Neil becomes \
              Oâ€™Neil); where it has none, one character becomes U+FFFD. Empty text and nulls stay.",
    example: "{mojibake: Name}",
    ..AnomalyKind::of::<Short<Params>>()
};

#[cfg(test)]
mod tests {
    use super::super::testing::{changed, refused};
    use super::KIND;

    const COLUMNS: &[&str] =
        &["Name: {choice: ['Müller €', \"O'Neil\", Ada, '']}", "Size: {int_range: [1, 9]}"];

    #[test]
    fn text_is_garbled() {
        for (way, umlaut, quote) in [
            ("windows_1252", "MÃ¼ller â‚¬", "Oâ€™Neil"),
            ("latin_1", "MÃ¼ller â\u{82}¬", "Oâ\u{80}\u{99}Neil"),
            ("ascii", "M\u{fffd}\u{fffd}ller \u{fffd}\u{fffd}\u{fffd}", "O\u{fffd}\u{fffd}\u{fffd}Neil"),
        ] {
            for (before, after) in changed(COLUMNS, &format!("{{mojibake: {{column: Name, as: {way}}}}}")) {
                match before.as_str() {
                    "Müller €" => assert_eq!(after, umlaut),
                    "O'Neil" => assert_eq!(after, quote),
                    "Ada" => assert!(after.chars().count() == 3 && after.contains('\u{fffd}')),
                    _ => assert_eq!(after, ""),
                }
            }
        }
    }

    #[test]
    fn mistakes_are_reported() {
        assert_eq!(refused(COLUMNS, KIND.example), Vec::<&str>::new());
        assert_eq!(refused(COLUMNS, "{mojibake: Size}"), ["wrong-type"]);
        assert_eq!(refused(COLUMNS, "{mojibake: {column: Name, as: utf_7}}"), ["bad-value"]);
    }
}
