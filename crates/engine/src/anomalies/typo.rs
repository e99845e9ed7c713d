//! `typo`: slips of the fingers on a keyboard.

use lookalike_ruleset::decode::Spanned;
use lookalike_ruleset::{Span, params};

use super::cells::{Draws, Short};
use super::edits::edits;
use crate::anomaly::{Anomaly, AnomalyKind, AnomalyRule, Rules};
use crate::build::Part;

params! {
    /// Slips of the fingers on a keyboard.
    struct Params {
        /// Column of text.
        column: Spanned<String>,
        /// How many slips: a number, or a generator of whole numbers. 1 unless given.
        count: Option<Part>,
    }
}

impl AnomalyRule for Short<Params> {
    fn build(self, _: Span, rules: &mut Rules<'_, '_>) -> Option<Box<dyn Anomaly>> {
        Some(edits(&self.0.column, self.0.count, slip, rules))
    }
}

/// The letters and digits of a QWERTY keyboard; a row stands half a key to the right of the one above.
const KEYBOARD: [&[u8]; 4] = [b"1234567890", b"qwertyuiop", b"asdfghjkl", b"zxcvbnm"];

/// The letters and digits on the keys that touch a character's own, in its case.
fn neighbours(character: char) -> Vec<char> {
    let lower = character.to_ascii_lowercase();
    let places = KEYBOARD.iter().enumerate();
    let found = places
        .filter_map(|(row, keys)| Some((row, keys.iter().position(|key| char::from(*key) == lower)?)))
        .next();
    let Some((row, at)) = found else { return Vec::new() };
    let key =
        |row: Option<usize>, at: Option<usize>| KEYBOARD.get(row?)?.get(at?).map(|key| char::from(*key));
    let (left, right) = (at.checked_sub(1), Some(at + 1));
    let (above, same, below) = (row.checked_sub(1), Some(row), Some(row + 1));
    let around = [
        key(same, left),
        key(same, right),
        key(above, Some(at)),
        key(above, right),
        key(below, left),
        key(below, Some(at)),
    ];
    let cased = |key: char| if character.is_ascii_uppercase() { key.to_ascii_uppercase() } else { key };
    around.into_iter().flatten().map(cased).collect()
}

/// One slip of one of four sorts, evenly chosen among those that the text has a place for.
fn slip(text: &[char], draws: &mut Draws) -> Option<Vec<char>> {
    let places =
        |fits: &dyn Fn(usize) -> bool| (0..text.len()).filter(|at| fits(*at)).collect::<Vec<usize>>();
    let is_key = |at: usize| text.get(at).is_some_and(|character| character.is_alphanumeric());
    let keys = places(&is_key);
    let left_out = if keys.len() > 1 { keys.clone() } else { Vec::new() };
    let sorts = [
        places(&|at| !neighbours(text[at]).is_empty()),
        places(&|at| is_key(at) && is_key(at + 1) && text[at] != text[at + 1]),
        left_out,
        keys,
    ];
    let open: Vec<usize> = (0..sorts.len()).filter(|sort| !sorts[*sort].is_empty()).collect();
    let sort = *draws.pick(&open)?;
    let at = *draws.pick(&sorts[sort])?;
    let mut new = text.to_vec();
    match sort {
        0 => new[at] = *draws.pick(&neighbours(text[at]))?,
        1 => new.swap(at, at + 1),
        2 => drop(new.remove(at)),
        _ => new.insert(at, text[at]),
    }
    Some(new)
}

pub(super) const KIND: AnomalyKind = AnomalyKind {
    name: "typo",
    summary: "Slips of the fingers on a keyboard.",
    details: "Each of `count` slips (1, or a number or a generator of whole numbers; at most 100) is one of four, \
              evenly chosen among those that the text has a place for: a neighbouring letter or digit of a QWERTY \
              keyboard in the same case, two neighbouring characters exchanged, one left out, or one doubled. Only \
              letters and digits are touched, and a single one is never left out. Text with a slip differs from the \
              clean one; text without letters and digits stays as it is, and so does null.",
    example: "{typo: {column: Name, count: {int_range: [1, 2]}}}",
    ..AnomalyKind::of::<Short<Params>>()
};

#[cfg(test)]
mod tests {
    use super::super::testing::{changed, refused};
    use super::{KIND, neighbours};

    const COLUMNS: &[&str] =
        &["Name: {choice: [Grace Hopper, aa, b, '-', Åsa]}", "Size: {int_range: [1, 9]}"];

    #[test]
    fn keys_have_neighbours() {
        let text = |character| neighbours(character).into_iter().collect::<String>();
        assert_eq!(text('s'), "adwezx");
        assert_eq!(text('Q'), "W12A");
        assert_eq!(text('p'), "o0l");
        assert_eq!(text('m'), "njk");
        assert_eq!(text('1'), "2q");
        assert_eq!(text('ä') + &text(' '), "");
        for key in "1234567890qwertyuiopasdfghjklzxcvbnm".chars() {
            assert!(neighbours(key).iter().all(|other| neighbours(*other).contains(&key)), "{key}");
        }
    }

    #[test]
    fn text_has_slips() {
        let mut lengths = [0; 3];
        for anomaly in ["{typo: Name}", KIND.example, "{typo: {column: Name, count: 100}}"] {
            for (before, after) in changed(COLUMNS, anomaly) {
                assert_eq!(before == after, before == "-", "{before}");
                assert!(!after.is_empty());
                let step = after.chars().count() as i64 - before.chars().count() as i64;
                if anomaly == "{typo: Name}" {
                    lengths[(step + 1) as usize] += 1;
                }
            }
        }
        assert!(lengths.iter().all(|count| *count > 5), "{lengths:?}");
        let none = changed(COLUMNS, "{typo: {column: Name, count: 0}}");
        assert!(none.iter().all(|(before, after)| before == after));
    }

    #[test]
    fn mistakes_are_reported() {
        assert_eq!(refused(COLUMNS, "{typo: Size}"), ["wrong-type"]);
        assert_eq!(refused(COLUMNS, "{typo: {column: Name, count: many}}"), ["wrong-type"]);
    }
}
