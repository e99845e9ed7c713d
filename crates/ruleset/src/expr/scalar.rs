//! The operations on single values whose meaning is more than a line: casts, calendar arithmetic, LIKE, text.
//! Engines lift these over columns, so that every engine gives the same value.

use jiff::civil;
use jiff::{Span as JiffSpan, Timestamp, ToSpan};

use super::{Field, Literal, MAX_TEXT};
use crate::types::Type;

/// Microseconds of a day.
pub const DAY: i64 = 86_400_000_000;
/// Days since 1970-01-01 of the first day that an expression can give: 0001-01-01.
pub const FIRST_DAY: i64 = -719_162;
/// Days since 1970-01-01 of the last day that an expression can give: 9999-12-31.
pub const LAST_DAY: i64 = 2_932_896;

/// The date, if it is within the years 1 to 9999.
pub fn date(days: i64) -> Option<i32> {
    (FIRST_DAY..=LAST_DAY).contains(&days).then(|| i32::try_from(days).expect("the range fits"))
}

/// The datetime, if it is within the years 1 to 9999.
pub fn datetime(micros: i64) -> Option<i64> {
    (FIRST_DAY..=LAST_DAY).contains(&micros.div_euclid(DAY)).then_some(micros)
}

/// The float, if it is a finite number; zero without a sign.
pub fn finite(x: f64) -> Option<f64> {
    x.is_finite().then_some(x + 0.0)
}

/// The whole number nearest to `x`, half away from zero, if it fits 64 bits.
pub fn float_to_int(x: f64) -> Option<i64> {
    let rounded = x.round();
    // 2^63 itself does not fit; -2^63 does.
    (-9_223_372_036_854_775_808.0..9_223_372_036_854_775_808.0).contains(&rounded).then_some(rounded as i64)
}

/// `value` as the type `to`: whole numbers and floats to each other (rounding half away from zero), bool to int (1, 0)
/// and back (all but 0 is true), date to datetime (midnight) and back, everything to text and text to everything:
/// numbers in decimal or with an exponent, `true`/`false` in any case, dates as `2026-01-31`, datetimes as
/// `2026-01-31T12:00:00Z` (on reading also with another offset, with none, or with a blank for the `T`). White space
/// around a text does not count on reading. NULL if there is no such value; durations are not cast.
pub fn cast(value: &Literal, to: Type) -> Literal {
    cast_some(value, to).unwrap_or(Literal::Null)
}

fn cast_some(value: &Literal, to: Type) -> Option<Literal> {
    Some(match (value, to) {
        (Literal::Bool(b), Type::Int) => Literal::Int(i64::from(*b)),
        (Literal::Int(i), Type::Bool) => Literal::Bool(*i != 0),
        (Literal::Int(i), Type::Float) => Literal::Float(*i as f64),
        (Literal::Float(x), Type::Int) => Literal::Int(float_to_int(*x)?),
        (Literal::Date(d), Type::Datetime) => Literal::Datetime(i64::from(*d) * DAY),
        (Literal::Datetime(t), Type::Date) => Literal::Date(i32::try_from(t.div_euclid(DAY)).ok()?),
        (Literal::Text(s), _) => read(s.trim(), to)?,
        (value, Type::Text) => Literal::Text(show(value)?),
        (value, to) if value.ty() == Some(to) => value.clone(),
        _ => return None,
    })
}

/// Whether a cast from one type to another exists.
pub fn can_cast(from: Type, to: Type) -> bool {
    use Type::{Bool, Date, Datetime, Duration, Float, Int, Text};
    from == to
        || matches!(
            (from, to),
            (Bool, Int) | (Int, Bool) | (Int, Float) | (Float, Int) | (Date, Datetime) | (Datetime, Date)
        )
        || (from == Text && to != Duration)
        || (to == Text && from != Duration)
}

fn read(s: &str, to: Type) -> Option<Literal> {
    match to {
        Type::Text => Some(Literal::Text(s.into())),
        Type::Bool if s.eq_ignore_ascii_case("true") => Some(Literal::Bool(true)),
        Type::Bool if s.eq_ignore_ascii_case("false") => Some(Literal::Bool(false)),
        Type::Int => s.parse().ok().map(Literal::Int),
        Type::Float => s.parse().ok().and_then(finite).map(Literal::Float),
        Type::Date => {
            // jiff's own reader also takes a datetime and drops the time.
            let date: civil::Date = (s.len() == 10).then(|| s.parse().ok())??;
            Some(Literal::Date(to_days(date)?))
        }
        Type::Datetime => {
            // jiff's timestamps end a day before the year 9999 does; its civil times do not.
            let micros = match s.strip_suffix(['Z', 'z']) {
                Some(civil) => from_civil(civil.parse().ok()?)?,
                None => match s.parse::<Timestamp>() {
                    Ok(stamp) => stamp.as_microsecond(),
                    Err(_) => from_civil(s.parse().ok()?)?,
                },
            };
            datetime(micros).map(Literal::Datetime)
        }
        Type::Bool | Type::Decimal(_) | Type::Duration => None,
    }
}

/// `value` as text, see [`cast`].
pub fn show(value: &Literal) -> Option<String> {
    Some(match value {
        Literal::Null | Literal::Duration(_) => return None,
        Literal::Bool(b) => b.to_string(),
        Literal::Int(i) => i.to_string(),
        Literal::Float(x) => format!("{x:?}"),
        Literal::Text(s) => s.clone(),
        Literal::Date(d) => from_days(i64::from(*d))?.to_string(),
        Literal::Datetime(t) => format!("{}Z", to_civil(*t)?),
    })
}

fn epoch() -> civil::Date {
    civil::date(1970, 1, 1)
}

fn from_days(days: i64) -> Option<civil::Date> {
    epoch().checked_add(JiffSpan::new().try_days(days).ok()?).ok()
}

fn to_days(date: civil::Date) -> Option<i32> {
    self::date(i64::from((date - epoch()).get_days()))
}

fn to_civil(micros: i64) -> Option<civil::DateTime> {
    let date = from_days(micros.div_euclid(DAY))?;
    date.to_datetime(civil::Time::midnight()).checked_add(micros.rem_euclid(DAY).microseconds()).ok()
}

fn from_civil(at: civil::DateTime) -> Option<i64> {
    let time = at.time() - civil::Time::midnight();
    let micros = time.total(jiff::Unit::Nanosecond).ok()? / 1000.0;
    // Below 2^53 nanoseconds are exact: a day has 8.64e13.
    Some(i64::from(to_days(at.date())?) * DAY + micros.floor() as i64)
}

/// A datetime moved by calendar months (the last day of the month if there is no such day), then by microseconds.
pub fn shift(at: i64, months: i32, micros: i64) -> Option<i64> {
    let moved = if months == 0 {
        at
    } else {
        let date =
            from_days(at.div_euclid(DAY))?.checked_add(JiffSpan::new().try_months(months).ok()?).ok()?;
        i64::from(to_days(date)?) * DAY + at.rem_euclid(DAY)
    };
    datetime(moved.checked_add(micros)?)
}

/// A part of a datetime, see [`Field`].
pub fn extract(field: Field, micros: i64) -> Option<i64> {
    let seconds = micros.rem_euclid(DAY) / 1_000_000;
    match field {
        Field::Epoch => return Some(micros.div_euclid(1_000_000)),
        Field::Hour => return Some(seconds / 3600),
        Field::Minute => return Some(seconds / 60 % 60),
        Field::Second => return Some(seconds % 60),
        _ => {}
    }
    let date = from_days(micros.div_euclid(DAY))?;
    Some(match field {
        Field::Year => i64::from(date.year()),
        Field::Quarter => i64::from((date.month() + 2) / 3),
        Field::Month => i64::from(date.month()),
        Field::Week => i64::from(date.iso_week_date().week()),
        Field::Day => i64::from(date.day()),
        Field::Dow => i64::from(date.weekday().to_sunday_zero_offset()),
        Field::Isodow => i64::from(date.weekday().to_monday_one_offset()),
        Field::Doy => i64::from(date.day_of_year()),
        Field::Hour | Field::Minute | Field::Second | Field::Epoch => return None,
    })
}

/// A datetime written with the conversions of C's `strftime`; `None` if the format is not valid or asks for a zone.
pub fn strftime(micros: i64, format: &str) -> Option<String> {
    jiff::fmt::strtime::format(format, to_civil(micros)?).ok().and_then(short)
}

/// `x` rounded half away from zero to `digits` after the point (-18 to 18, others count as the nearest of these).
pub fn round_float(x: f64, digits: i64) -> Option<f64> {
    if digits == 0 {
        return finite(x.round());
    }
    let scale = 10_i64.pow(digits.unsigned_abs().min(18) as u32) as f64;
    if digits > 0 {
        let scaled = (x * scale).round();
        // Beyond 2^52 a float has no digits to round.
        if scaled.abs() < 4_503_599_627_370_496.0 { finite(scaled / scale) } else { finite(x) }
    } else {
        finite((x / scale).round() * scale)
    }
}

/// `x` rounded half away from zero to tens, hundreds, … for `digits` below 0.
pub fn round_int(x: i64, digits: i64) -> Option<i64> {
    if digits >= 0 {
        return Some(x);
    }
    let scale = 10_i128.pow(digits.unsigned_abs().min(18) as u32);
    let (x, half) = (i128::from(x), scale / 2);
    i64::try_from((x + x.signum() * half) / scale * scale).ok()
}

/// At most `n` characters from the start; none if `n` is negative.
pub fn left(s: &str, n: i64) -> &str {
    &s[..at_char(s, n)]
}

/// At most `n` characters from the end; none if `n` is negative.
pub fn right(s: &str, n: i64) -> &str {
    &s[at_char(s, i64::try_from(s.chars().count()).unwrap_or(i64::MAX) - n.max(0))..]
}

/// `n` characters from position `from` (1 is the first), as if empty positions stood before the text.
pub fn substr(s: &str, from: i64, n: i64) -> &str {
    let start = from.saturating_sub(1);
    let end = start.saturating_add(n.max(0)).max(0);
    &s[at_char(s, start.min(end))..at_char(s, end)]
}

/// Byte offset of the character with index `n`, clipped to the text.
fn at_char(s: &str, n: i64) -> usize {
    match usize::try_from(n) {
        Ok(n) => s.char_indices().nth(n).map_or(s.len(), |(at, _)| at),
        Err(_) => 0,
    }
}

/// The text filled up with `fill` to `n` characters at the start (`at_start`) or the end, or cut to its first `n`.
/// `None` if that is too long.
pub fn pad(s: &str, n: i64, fill: &str, at_start: bool) -> Option<String> {
    let n = usize::try_from(n.max(0)).ok().filter(|n| *n <= MAX_TEXT)?;
    let missing = n.saturating_sub(s.chars().count());
    if missing == 0 || fill.is_empty() {
        return Some(left(s, n as i64).to_owned());
    }
    let filling: String = fill.chars().cycle().take(missing).collect();
    short(if at_start { filling + s } else { s.to_owned() + &filling })
}

/// The text with every `part` replaced; `None` if that is too long.
pub fn replace(s: &str, part: &str, by: &str) -> Option<String> {
    if part.is_empty() || !s.contains(part) {
        return Some(s.to_owned());
    }
    // Counted first: the product can exceed the memory.
    (s.matches(part).count().saturating_mul(by.len()) <= 2 * MAX_TEXT)
        .then(|| s.replace(part, by))
        .and_then(short)
}

/// The text, unless it is longer than [`MAX_TEXT`].
pub fn short(s: String) -> Option<String> {
    (s.len() <= MAX_TEXT).then_some(s)
}

/// A pattern of LIKE or ILIKE: `%` is any text, `_` any one character, `\` (or the given escape) takes the next
/// character as it is.
#[derive(Clone, Debug, PartialEq)]
pub struct Like {
    tokens: Vec<Token>,
    ignore_case: bool,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Token {
    Any,
    One,
    Char(char),
}

impl Like {
    /// Reads a pattern; `None` if it ends in the middle of an escape.
    pub fn new(pattern: &str, escape: Option<char>, ignore_case: bool) -> Option<Like> {
        let mut tokens = Vec::new();
        let mut chars = pattern.chars();
        let literal = |c: char, tokens: &mut Vec<Token>| {
            if ignore_case {
                tokens.extend(c.to_lowercase().map(Token::Char))
            } else {
                tokens.push(Token::Char(c))
            }
        };
        while let Some(c) = chars.next() {
            match c {
                c if Some(c) == escape => literal(chars.next()?, &mut tokens),
                '%' => tokens.push(Token::Any),
                '_' => tokens.push(Token::One),
                c => literal(c, &mut tokens),
            }
        }
        Some(Like { tokens, ignore_case })
    }

    /// Whether the whole text matches. Case is ignored by the simple lower-case mapping, character by character.
    pub fn matches(&self, text: &str) -> bool {
        let chars: Vec<char> = match self.ignore_case {
            true => text.chars().flat_map(char::to_lowercase).collect(),
            false => text.chars().collect(),
        };
        let (mut t, mut c) = (0, 0);
        // Where to go on when a match fails: behind the last `%`, one more character swallowed by it.
        let mut retry: Option<(usize, usize)> = None;
        while c < chars.len() {
            match self.tokens.get(t) {
                Some(Token::Any) => {
                    retry = Some((t + 1, c));
                    t += 1;
                }
                Some(Token::One) => (t, c) = (t + 1, c + 1),
                Some(Token::Char(x)) if *x == chars[c] => (t, c) = (t + 1, c + 1),
                _ => match retry {
                    Some((after, from)) => {
                        retry = Some((after, from + 1));
                        (t, c) = (after, from + 1);
                    }
                    None => return false,
                },
            }
        }
        self.tokens[t..].iter().all(|token| *token == Token::Any)
    }
}
