//! Text after a form: fixed words with places for others, and codes of digits and letters.

/// Words with places for others, such as `{street} {house}`.
#[derive(Clone, Debug)]
pub(crate) struct Form {
    pieces: Vec<Piece>,
}

#[derive(Clone, Copy, Debug)]
enum Piece {
    Text(&'static str),
    Slot(usize),
}

impl Form {
    /// The form with places for the `slots`, by their names.
    ///
    /// # Panics
    /// When a place has another name, or a brace no partner: forms are part of the program.
    pub fn new(text: &'static str, slots: &[&str]) -> Form {
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            let (slot, after) = after.split_once('}').expect("braces come in pairs");
            pieces.push(Piece::Text(before));
            pieces.push(Piece::Slot(slots.iter().position(|name| *name == slot).expect("the slot is known")));
            rest = after;
        }
        pieces.push(Piece::Text(rest));
        pieces.retain(|piece| !matches!(piece, Piece::Text("")));
        Form { pieces }
    }

    /// Appends the text; `slot` appends what stands in a place, by its number.
    pub fn write(&self, out: &mut Vec<u8>, mut slot: impl FnMut(usize, &mut Vec<u8>)) {
        for piece in &self.pieces {
            match piece {
                Piece::Text(text) => out.extend_from_slice(text.as_bytes()),
                Piece::Slot(at) => slot(*at, out),
            }
        }
    }

    /// The places in order, by number.
    pub fn slots(&self) -> impl Iterator<Item = usize> {
        self.pieces.iter().filter_map(|piece| match piece {
            Piece::Text(_) => None,
            Piece::Slot(at) => Some(*at),
        })
    }

    /// The fixed words.
    pub fn texts(&self) -> impl Iterator<Item = &'static str> {
        self.pieces.iter().filter_map(|piece| match piece {
            Piece::Text(text) => Some(*text),
            Piece::Slot(_) => None,
        })
    }
}

/// Letters of codes: without those that the postcodes of the United Kingdom or the Netherlands avoid.
const LETTERS: &[u8] = b"ABDEFGHJLNPQRTUWXYZ";

/// Appends a code: `#` in the form becomes a digit, `@` a letter, all alike probable. The word is used up from its upper
/// end, as a fraction whose digits are asked for one by one: some fifteen are as good as random.
pub(crate) fn write_digits(form: &str, word: u64, out: &mut Vec<u8>) {
    let mut fraction = word;
    let mut next = |n: u64| {
        let product = u128::from(fraction) * u128::from(n);
        fraction = product as u64;
        (product >> 64) as u8
    };
    for byte in form.bytes() {
        out.push(match byte {
            b'#' => b'0' + next(10),
            b'@' => LETTERS[usize::from(next(LETTERS.len() as u64))],
            other => other,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digits(form: &str, word: u64) -> String {
        let mut out = Vec::new();
        write_digits(form, word, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn codes_use_up_the_word() {
        assert_eq!(digits("SE1# #@@", 0), "SE10 0AA");
        assert_eq!(digits("SE1# #@@", u64::MAX), "SE19 9ZZ");
        assert_eq!(digits("0.####", 1 << 62), "0.2500");
    }

    #[test]
    fn forms_are_filled_in() {
        let form = Form::new("{b}, {a}!", &["a", "b"]);
        let mut out = Vec::new();
        form.write(&mut out, |at, out| out.extend_from_slice([b"x", b"y"][at]));
        assert_eq!(out, b"y, x!");
    }
}
