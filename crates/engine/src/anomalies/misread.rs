//! `misread`: characters taken for others that look alike.

use lookalike_ruleset::decode::Spanned;
use lookalike_ruleset::{Span, params};

use super::cells::{Draws, Short};
use super::edits::edits;
use crate::anomaly::{Anomaly, AnomalyKind, AnomalyRule, Rules};
use crate::build::Part;

params! {
    /// Characters taken for others that look alike.
    struct Params {
        /// Column of text.
        column: Spanned<String>,
        /// How many places are misread: a number, or a generator of whole numbers. 1 unless given.
        count: Option<Part>,
    }
}

impl AnomalyRule for Short<Params> {
    fn build(self, _: Span, rules: &mut Rules<'_, '_>) -> Option<Box<dyn Anomaly>> {
        Some(edits(&self.0.column, self.0.count, misread, rules))
    }
}

/// What is taken for what, in both directions.
const ALIKE: &[(&str, &str)] = &[
    ("0", "O"),
    ("0", "o"),
    ("1", "l"),
    ("1", "I"),
    ("l", "I"),
    ("2", "Z"),
    ("5", "S"),
    ("6", "G"),
    ("6", "b"),
    ("8", "B"),
    ("9", "g"),
    ("c", "e"),
    ("h", "b"),
    ("u", "v"),
    ("C", "G"),
    ("D", "O"),
    ("E", "F"),
    ("m", "rn"),
    ("d", "cl"),
    ("w", "vv"),
    ("h", "li"),
    ("n", "ri"),
    ("ü", "ii"),
    ("ß", "B"),
];

/// One place misread, evenly chosen among all places and readings.
fn misread(text: &[char], draws: &mut Draws) -> Option<Vec<char>> {
    let both = || ALIKE.iter().flat_map(|(one, other)| [(*one, *other), (*other, *one)]);
    let mut found: Vec<(usize, usize, &str)> = Vec::new();
    for at in 0..text.len() {
        for (seen, read) in both() {
            let mut rest = text[at..].iter();
            if seen.chars().all(|character| rest.next() == Some(&character)) {
                found.push((at, seen.chars().count(), read));
            }
        }
    }
    let (at, length, read) = *draws.pick(&found)?;
    let mut new = text.to_vec();
    new.splice(at..at + length, read.chars());
    Some(new)
}

pub(super) const KIND: AnomalyKind = AnomalyKind {
    name: "misread",
    summary: "Characters taken for others that look alike, as in text recognition.",
    details: "Each of `count` times (1, or a number or a generator of whole numbers; at most 100) a place is misread, \
              evenly chosen among all that could be: 0 and O, 1, l and I, 2 and Z, 5 and S, 6, G and b, 8, B and ß, 9 \
              and g, c and e, h and b, u and v, C and G, D and O, E and F, m and rn, d and cl, w and vv, h and li, n \
              and ri, ü and ii, each in both directions. Misread text differs from the clean one; text with no such \
              place stays as it is, and so does null.",
    example: "{misread: Code}",
    ..AnomalyKind::of::<Short<Params>>()
};

#[cfg(test)]
mod tests {
    use super::super::testing::{changed, refused};
    use super::KIND;

    const COLUMNS: &[&str] = &[
        "Code: {pattern: '[A-Z]{2}[0-9]{6}'}",
        "Word: {choice: [modern, clear, xyz]}",
        "Size: {int_range: [1, 9]}",
    ];

    #[test]
    fn characters_are_misread() {
        for (before, after) in changed(COLUMNS, KIND.example) {
            let differ = before.chars().zip(after.chars()).filter(|(a, b)| a != b).count();
            // Only the letters of `C`, `D` and the like, and digits other than 3, 4 and 7 can be misread.
            assert!(
                differ == 1 && after.len() == before.len() || before == after || after.contains('ß'),
                "{before} {after}"
            );
        }
        let words = changed(COLUMNS, "{misread: Word}");
        assert!(words.iter().all(|(before, after)| (before == after) == (before == "xyz")));
        assert!(words.iter().any(|(before, after)| before == "clear" && after == "dear"));
        assert!(words.iter().any(|(before, after)| before == "modern" && after == "modem"));
        let words = changed(COLUMNS, "{misread: {column: Word, count: {int_range: [2, 5]}}}");
        assert!(words.iter().all(|(before, after)| (before == after) == (before == "xyz")));
    }

    #[test]
    fn mistakes_are_reported() {
        assert_eq!(refused(COLUMNS, "{misread: Size}"), ["wrong-type"]);
    }
}
