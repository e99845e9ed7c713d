//! From text to values, and which type all values of a column fit.
//!
//! A type is found only where reading and writing lose nothing: a number with leading zeros (`007`) or more digits than the
//! type holds stays text, as does a time with an offset from UTC. What the user asked for is read more freely.

use lookalike_ruleset::Type;

/// Digits after the point of a decimal column, at most.
const MAX_SCALE: usize = 9;
/// Digits of a decimal that are exact, in all.
const DECIMAL_DIGITS: usize = 15;
/// Significant digits after which a text says no more about a float.
const FLOAT_DIGITS: usize = 17;
/// Every whole number up to this is a float.
const EXACT_FLOAT: u64 = 1 << 53;

/// Types that a value, or all values of a column so far, fit: a set of these.
mod fits {
    pub const BOOL: u8 = 1;
    pub const INT: u8 = 2;
    pub const DECIMAL: u8 = 4;
    pub const FLOAT: u8 = 8;
    pub const DATE: u8 = 16;
    pub const DATETIME: u8 = 32;
    pub const DURATION: u8 = 64;
    /// An object or a list of JSON, which is text.
    pub const NESTED: u8 = 128;
    pub const STRINGS: u8 = DATE | DATETIME | DURATION;
}

/// What the values of a column have in common so far.
#[derive(Clone, Debug)]
pub(super) struct Guess {
    fits: u8,
    /// Digits after the point, of decimals.
    scale: Option<usize>,
    /// Values seen that are neither null nor the empty text.
    seen: bool,
    /// Nulls seen.
    nulls: bool,
    /// Empty texts seen, which any other type reads as null.
    empties: bool,
}

impl Guess {
    pub fn new() -> Guess {
        Guess { fits: u8::MAX, scale: None, seen: false, nulls: false, empties: false }
    }

    pub fn null(&mut self) {
        self.nulls = true;
    }

    /// Sees an object or a list.
    pub fn nested(&mut self) {
        self.seen = true;
        self.fits &= fits::NESTED;
    }

    /// Whether all values are objects and lists, nulls aside.
    pub fn is_nested(&self) -> bool {
        self.seen && self.fits & fits::NESTED != 0
    }

    /// Sees a value; `quoted` ones are strings of JSON, which are no numbers and no booleans.
    pub fn value(&mut self, text: &str, string: bool) {
        if text.is_empty() {
            self.empties = true;
            self.fits &= !fits::NESTED;
            return;
        }
        self.seen = true;
        if self.fits == 0 {
            return;
        }
        if string {
            self.fits &= fits::STRINGS;
        }
        let (found, scale) = classify(text, self.fits);
        self.fits &= found;
        if self.fits & fits::DECIMAL != 0 && *self.scale.get_or_insert(scale) != scale {
            self.fits &= !fits::DECIMAL;
        }
    }

    /// The narrowest type that all values fit, and whether nulls occur.
    pub fn result(&self, given: Option<Type>) -> (Type, bool) {
        let order = [
            (fits::BOOL, Type::Bool),
            (fits::INT, Type::Int),
            (fits::DECIMAL, Type::Decimal(self.scale.unwrap_or(0) as u8)),
            (fits::FLOAT, Type::Float),
            (fits::DATE, Type::Date),
            (fits::DATETIME, Type::Datetime),
            (fits::DURATION, Type::Duration),
        ];
        let found = || order.iter().find(|(bit, _)| self.seen && self.fits & bit != 0).map(|(_, ty)| *ty);
        let ty = given.or_else(found).unwrap_or(Type::Text);
        (ty, self.nulls || (self.empties && ty != Type::Text))
    }
}

/// The types that a value fits, of those in `wanted`, and its digits after the point.
fn classify(text: &str, wanted: u8) -> (u8, usize) {
    let bytes = text.as_bytes();
    match bytes[0] {
        b't' | b'T' | b'f' | b'F' if boolean(text).is_some() => (fits::BOOL, 0),
        b'P' if duration(text).is_some() => (fits::DURATION, 0),
        b'N' if text == "NaN" => (fits::FLOAT, 0),
        b'i' if text == "inf" => (fits::FLOAT, 0),
        b'0'..=b'9' | b'-' | b'+' | b'.' => {
            if let Some(number) = Number::of(bytes) {
                return number.fits();
            }
            if text == "-inf" {
                (fits::FLOAT, 0)
            } else if wanted & fits::DATE != 0 && date(text).is_some() {
                (fits::DATE, 0)
            } else if wanted & fits::DATETIME != 0 && datetime(text, false).is_some() {
                (fits::DATETIME, 0)
            } else if wanted & fits::DURATION != 0 && duration(text).is_some() {
                (fits::DURATION, 0)
            } else {
                (0, 0)
            }
        }
        _ => (0, 0),
    }
}

/// The form of a number.
struct Number<'a> {
    negative: bool,
    plus: bool,
    whole: &'a [u8],
    fraction: Option<&'a [u8]>,
    exponent: bool,
    text: &'a [u8],
}

impl<'a> Number<'a> {
    /// `-12`, `1.50`, `.5`, `1e-9`: digits with at most a sign, a point and an exponent.
    fn of(text: &'a [u8]) -> Option<Number<'a>> {
        let digits = |from: usize| text[from..].iter().take_while(|b| b.is_ascii_digit()).count();
        let sign = usize::from(matches!(text.first(), Some(b'-' | b'+')));
        let whole = &text[sign..sign + digits(sign)];
        let mut at = sign + whole.len();
        let mut fraction = None;
        if text.get(at) == Some(&b'.') {
            let len = digits(at + 1);
            fraction = Some(&text[at + 1..at + 1 + len]);
            at += 1 + len;
        }
        if whole.is_empty() && fraction.is_none_or(<[u8]>::is_empty) {
            return None;
        }
        let exponent = matches!(text.get(at), Some(b'e' | b'E'));
        if exponent {
            at += 1 + usize::from(matches!(text.get(at + 1), Some(b'-' | b'+')));
            let len = digits(at);
            at += len;
            if len == 0 {
                return None;
            }
        }
        (at == text.len()).then_some(Number {
            negative: text.first() == Some(&b'-'),
            plus: text.first() == Some(&b'+'),
            whole,
            fraction,
            exponent,
            text,
        })
    }

    /// The types that hold this number without loss, so that leading zeros and all digits matter.
    fn fits(&self) -> (u8, usize) {
        let padded = self.whole.len() > 1 && self.whole[0] == b'0';
        if padded || self.plus {
            return (0, 0);
        }
        let scale = self.fraction.map_or(0, <[u8]>::len);
        let all_zero = || self.whole.iter().chain(self.fraction.unwrap_or_default()).all(|b| *b == b'0');
        // A decimal and an int have no negative zero.
        let signed_zero = self.negative && all_zero();
        if self.fraction.is_none() && !self.exponent {
            let text = std::str::from_utf8(self.text).unwrap_or_default();
            return match text.parse::<i64>() {
                _ if signed_zero => (fits::FLOAT, 0),
                Ok(value) if value.unsigned_abs() <= EXACT_FLOAT => (fits::INT | fits::FLOAT, 0),
                Ok(_) => (fits::INT, 0),
                // Too wide for 64 bits: all its digits stay, as text.
                Err(_) => (0, 0),
            };
        }
        let digits = self.whole.iter().chain(self.fraction.unwrap_or_default());
        let significant = digits.skip_while(|b| **b == b'0').count();
        let text = std::str::from_utf8(self.text).unwrap_or_default();
        let float = significant <= FLOAT_DIGITS && text.parse::<f64>().is_ok_and(f64::is_finite);
        let decimal = !self.exponent
            && !signed_zero
            && !self.whole.is_empty()
            && (1..=MAX_SCALE).contains(&scale)
            && self.whole.len() + scale <= DECIMAL_DIGITS;
        (if float { fits::FLOAT } else { 0 } | if decimal { fits::DECIMAL } else { 0 }, scale)
    }
}

pub(super) fn boolean(text: &str) -> Option<bool> {
    if text.eq_ignore_ascii_case("true") {
        Some(true)
    } else if text.eq_ignore_ascii_case("false") {
        Some(false)
    } else {
        None
    }
}

pub(super) fn int(text: &str) -> Option<i64> {
    text.parse().ok()
}

pub(super) fn float(text: &str) -> Option<f64> {
    match text {
        "NaN" => Some(f64::NAN),
        "inf" => Some(f64::INFINITY),
        "-inf" => Some(f64::NEG_INFINITY),
        _ => {
            Number::of(text.as_bytes())?;
            text.parse().ok().filter(|value: &f64| value.is_finite())
        }
    }
}

/// A number in units of `10^-scale`; digits beyond must be zeros.
pub(super) fn decimal(text: &str, scale: u8) -> Option<i64> {
    let number = Number::of(text.as_bytes())?;
    if number.exponent {
        return None;
    }
    let fraction = number.fraction.unwrap_or_default();
    let (kept, beyond) = fraction.split_at(fraction.len().min(usize::from(scale)));
    if beyond.iter().any(|b| *b != b'0') {
        return None;
    }
    let zeros = usize::from(scale) - kept.len();
    let digits = number.whole.iter().chain(kept).chain(std::iter::repeat_n(&b'0', zeros));
    let value = digits.skip_while(|b| **b == b'0').try_fold(0i64, |value, digit| {
        value.checked_mul(10)?.checked_add(i64::from(digit - b'0')).filter(|v| *v < 1_000_000_000_000_000_000)
    })?;
    Some(if number.negative { -value } else { value })
}

/// Two digits.
fn two(bytes: &[u8]) -> Option<i64> {
    match bytes {
        [a @ b'0'..=b'9', b @ b'0'..=b'9'] => Some(i64::from((a - b'0') * 10 + (b - b'0'))),
        _ => None,
    }
}

/// `2026-01-31`; years before 0000 or after 9999 have a sign. Days since 1970-01-01.
pub(super) fn date(text: &str) -> Option<i32> {
    let bytes = text.as_bytes();
    let (negative, year_digits) = match bytes.first()? {
        b'-' => (true, bytes.len().checked_sub(7)?),
        b'+' => (false, bytes.len().checked_sub(7)?),
        _ if bytes.len() == 10 => (false, 4),
        _ => return None,
    };
    let from = bytes.len() - 6 - year_digits;
    if !(4..=7).contains(&year_digits) {
        return None;
    }
    let digits = &bytes[from..from + year_digits];
    let year = digits
        .iter()
        .try_fold(0i64, |year, b| b.is_ascii_digit().then(|| year * 10 + i64::from(b - b'0')))?;
    let rest = &bytes[from + year_digits..];
    let ([b'-', .., b'-', _, _], month, day) = (rest, two(&rest[1..3])?, two(&rest[4..6])?) else {
        return None;
    };
    let year = if negative { -year } else { year };
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let longest = match month {
        2 => 28 + i64::from(leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    if !(1..=longest).contains(&day) {
        return None;
    }
    // Days from civil, with years that begin in March (Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms").
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year - era * 400;
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let days = era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468;
    i32::try_from(days).ok()
}

/// `2026-01-31T23:59:59Z` in microseconds: also with a space, without seconds, with up to six digits of a second, and
/// without `Z`, which means UTC all the same. Only if `freely`: a date alone, and an offset such as `+02:00`.
pub(super) fn datetime(text: &str, freely: bool) -> Option<i64> {
    let cut = text.find(['T', ' ', 't']);
    let Some(cut) = cut else {
        return freely.then(|| date(text)).flatten().map(|days| i64::from(days) * 86_400_000_000);
    };
    let days = i64::from(date(&text[..cut])?);
    let time = &text.as_bytes()[cut + 1..];
    let hour = two(time.get(..2)?)?;
    let minute = two(time.get(3..5)?)?;
    if time[2] != b':' || hour > 23 || minute > 59 {
        return None;
    }
    let mut rest = &time[5..];
    let mut micros = 0;
    if rest.first() == Some(&b':') {
        let second = two(rest.get(1..3)?)?;
        if second > 59 {
            return None;
        }
        micros = second * 1_000_000;
        rest = &rest[3..];
        if rest.first() == Some(&b'.') {
            let len = rest[1..].iter().take_while(|b| b.is_ascii_digit()).count();
            micros += fraction(&rest[1..1 + len])?;
            rest = &rest[1 + len..];
        }
    }
    let offset = match rest {
        [] | [b'Z'] => 0,
        [sign @ (b'+' | b'-'), h1, h2, b':', m1, m2] if freely => {
            let (hours, minutes) = (two(&[*h1, *h2])?, two(&[*m1, *m2])?);
            let minutes = (hours < 24 && minutes < 60).then_some(hours * 60 + minutes)?;
            if *sign == b'-' { -minutes } else { minutes }
        }
        _ => return None,
    };
    let day = (hour * 60 + minute - offset) * 60_000_000 + micros;
    days.checked_mul(86_400_000_000)?.checked_add(day)
}

/// Digits behind the point of a second, as microseconds: one to six, and zeros.
fn fraction(digits: &[u8]) -> Option<i64> {
    let (kept, beyond) = digits.split_at(digits.len().min(6));
    if kept.is_empty() || beyond.iter().any(|b| *b != b'0') {
        return None;
    }
    let value = kept.iter().fold(0, |value, b| value * 10 + i64::from(b - b'0'));
    Some(value * 10i64.pow(6 - kept.len() as u32))
}

/// `PT36H`, `PT1H30M`, `PT0.250S`, `-PT5M`, in microseconds.
pub(super) fn duration(text: &str) -> Option<i64> {
    let (negative, rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let mut rest = rest.strip_prefix("PT")?.as_bytes();
    let mut micros: i128 = 0;
    let mut units: &[(u8, i128)] = &[(b'H', 3_600_000_000), (b'M', 60_000_000), (b'S', 1_000_000)];
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let len = rest.iter().take_while(|b| b.is_ascii_digit()).count();
        if len == 0 || len > 18 {
            return None;
        }
        let whole = rest[..len].iter().fold(0i128, |value, b| value * 10 + i128::from(b - b'0'));
        rest = &rest[len..];
        let mut part = 0;
        if rest.first() == Some(&b'.') {
            let len = rest[1..].iter().take_while(|b| b.is_ascii_digit()).count();
            part = i128::from(fraction(&rest[1..1 + len])?);
            rest = &rest[1 + len..];
            if rest != b"S" {
                return None;
            }
        }
        let at = units.iter().position(|(unit, _)| rest.first() == Some(unit))?;
        micros += whole * units[at].1 + part;
        units = &units[at + 1..];
        rest = &rest[1..];
    }
    i64::try_from(if negative { -micros } else { micros }).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guess(values: &[&str]) -> String {
        let mut guess = Guess::new();
        values.iter().for_each(|value| guess.value(value, false));
        let (ty, nullable) = guess.result(None);
        format!("{ty}{}", if nullable { "?" } else { "" })
    }

    #[test]
    fn types_are_found_where_nothing_is_lost() {
        for (values, expected) in [
            (&["1", "-2", "9223372036854775807"][..], "int"),
            (&["1", "9223372036854775808"], "text"),
            (&["123456789012345678901234567890"], "text"),
            (&["007", "1"], "text"),
            (&["+1"], "text"),
            (&["1", "2.5"], "float"),
            (&["9007199254740993", "2.5"], "text"),
            (&["1.50", "2.25"], "decimal(2)"),
            (&["1.50", "2.2"], "float"),
            (&["-0.00"], "float"),
            (&["0.1234567890"], "float"),
            (&["0.1234567890123456789"], "text"),
            (&["123456789012345.1"], "float"),
            (&["1e5", "NaN", "-inf"], "float"),
            (&["1e999"], "text"),
            (&["true", "False"], "bool"),
            (&["true", "1"], "text"),
            (&["2024-02-29", "1999-12-31"], "date"),
            (&["2023-02-29"], "text"),
            (&["2024-02-29", "2024-02-29T00:00:00Z"], "text"),
            (&["2024-02-29T10:00:00Z", "2024-02-29 10:00:00.25"], "datetime"),
            (&["2024-02-29T10:00:00+02:00"], "text"),
            (&["PT1H30M", "-PT0.250S"], "duration"),
            (&["", ""], "text"),
            (&["", "1"], "int?"),
            (&["", "x"], "text"),
            (&["1,5"], "text"),
            (&["12:30"], "text"),
            (&["1-2", "-"], "text"),
            (&["0x10", "1_000"], "text"),
        ] {
            assert_eq!(guess(values), expected, "{values:?}");
        }
    }

    #[test]
    fn what_digits_write_is_read() {
        let mut out = [0; crate::digits::ROOM];
        let text = |len: usize, out: &[u8]| String::from_utf8(out[..len].to_vec()).unwrap();
        for days in [-719_528, -1, 0, 59, 60, 19_782, 2_932_896, 2_932_897, -800_000, 95_000_000] {
            let len = crate::digits::date(&mut out, days);
            assert_eq!(date(&text(len, &out)).map(i64::from), Some(days), "{}", text(len, &out));
        }
        for micros in [0, -1, 1_000, 86_399_999_999, -62_200_000_000_000_001, 253_402_300_800_000_000] {
            let len = crate::digits::datetime(&mut out, micros);
            assert_eq!(datetime(&text(len, &out), false), Some(micros), "{}", text(len, &out));
        }
        for micros in [0, 1, -1, 250_000, 3_600_000_000, 129_600_000_000, i64::MAX, i64::MIN] {
            let len = crate::digits::duration(&mut out, micros);
            assert_eq!(duration(&text(len, &out)), Some(micros), "{}", text(len, &out));
        }
        for value in [0, 5, -5, 123, -123_456, 999_999_999_999_999_999] {
            for scale in 0..=9 {
                let len = crate::digits::decimal(&mut out, value, scale);
                assert_eq!(decimal(&text(len, &out), scale), Some(value), "{}", text(len, &out));
            }
        }
    }

    #[test]
    fn given_types_are_read_freely() {
        assert_eq!(int("007"), Some(7));
        assert_eq!(decimal("1.5", 2), Some(150));
        assert_eq!(decimal("1.500", 2), Some(150));
        assert_eq!(decimal("1.505", 2), None);
        assert_eq!(decimal("9999999999999999999", 0), None);
        assert_eq!(datetime("2024-01-01", true), Some(1_704_067_200_000_000));
        assert_eq!(datetime("2024-01-01T01:00:00+01:00", true), Some(1_704_067_200_000_000));
        for wrong in [
            "",
            "T",
            "2024-01-01T",
            "2024-01-01T1",
            "2024-01-01T24:00",
            "2024-01-01T10:00:00.",
            "é-01-01T10:00",
        ] {
            assert_eq!(datetime(wrong, true), None, "{wrong}");
        }
        for wrong in ["PT", "P1D", "PT1", "PT1.5H", "PT1M1H", "-", "PTS"] {
            assert_eq!(duration(wrong), None, "{wrong}");
        }
    }
}
