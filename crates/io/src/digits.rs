//! Numbers, dates and times as text, written into a slice with room to spare.
//!
//! Every function writes at the start of `out` and gives the number of bytes that count; it may write rubbish after
//! them, up to [`ROOM`] bytes in all. Constant-size stores and a known length are several times faster than copies of
//! the exact length.

/// Bytes that every function here may touch.
pub(crate) const ROOM: usize = 64;

/// `00` to `99`.
static PAIRS: [[u8; 2]; 100] = {
    let mut pairs = [[0; 2]; 100];
    let mut n = 0;
    while n < 100 {
        pairs[n] = [b'0' + (n / 10) as u8, b'0' + (n % 10) as u8];
        n += 1;
    }
    pairs
};

/// `0` to `9999`, without leading zeros, at the left.
static SMALL: [[u8; 4]; 10_000] = {
    let mut small = [[b' '; 4]; 10_000];
    let mut n = 0;
    while n < 10_000 {
        let digits = [n / 1000 % 10, n / 100 % 10, n / 10 % 10, n % 10];
        let len = small_len(n as u64);
        let mut i = 0;
        while i < len {
            small[n][i] = b'0' + digits[4 - len + i] as u8;
            i += 1;
        }
        n += 1;
    }
    small
};

/// Powers of ten.
static POWERS: [u64; 10] =
    [1, 10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000, 1_000_000_000];

const fn small_len(n: u64) -> usize {
    1 + (n > 9) as usize + (n > 99) as usize + (n > 999) as usize
}

#[inline(always)]
fn put<const N: usize>(out: &mut [u8], at: usize, bytes: &[u8; N]) {
    out[at..at + N].copy_from_slice(bytes);
}

/// Two digits.
#[inline(always)]
fn pair(out: &mut [u8], at: usize, n: u64) {
    put(out, at, &PAIRS[n as usize]);
}

/// Four digits.
#[inline(always)]
fn quad(out: &mut [u8], at: usize, n: u64) {
    pair(out, at, n / 100);
    pair(out, at + 2, n % 100);
}

/// The eight digits of a number below 10^8, one a byte, the first in the lowest.
///
/// The number is split into two of four digits, those into four of two, those into eight, all parts of a step at once
/// in one word. A division is a multiplication by the rounded-up reciprocal, exact for the few values that occur.
#[inline(always)]
fn eight(n: u64) -> u64 {
    let quads = (n / 10_000) | ((n % 10_000) << 32);
    let high = ((quads * 10_486) >> 20) & 0x0000_007f_0000_007f;
    let pairs = high | (quads - high * 100) << 16;
    let tens = ((pairs * 103) >> 10) & 0x000f_000f_000f_000f;
    tens | (pairs - tens * 10) << 8
}

/// What makes the digits of [`eight`] ASCII.
const ZEROS: u64 = 0x3030_3030_3030_3030;

/// A whole number without sign.
#[inline(always)]
pub(crate) fn unsigned(out: &mut [u8], n: u64) -> usize {
    if n < 10_000 {
        put(out, 0, &SMALL[n as usize]);
        small_len(n)
    } else {
        unsigned_large(out, n)
    }
}

/// [`unsigned`] of five digits and more.
fn unsigned_large(out: &mut [u8], n: u64) -> usize {
    if n < 100_000_000 {
        // No branch on the number of digits: it would be hard to foresee.
        let digits = eight(n);
        let leading = digits.trailing_zeros() / 8;
        put(out, 0, &((digits | ZEROS) >> (8 * leading)).to_le_bytes());
        8 - leading as usize
    } else {
        let at = unsigned(out, n / 100_000_000);
        put(out, at, &(eight(n % 100_000_000) | ZEROS).to_le_bytes());
        at + 8
    }
}

/// A minus sign if `negative`; the number of bytes.
#[inline(always)]
fn minus(out: &mut [u8], negative: bool) -> usize {
    out[0] = b'-';
    usize::from(negative)
}

/// A whole number.
#[inline]
pub(crate) fn integer(out: &mut [u8], n: i64) -> usize {
    let at = minus(out, n < 0);
    at + unsigned(&mut out[at..], n.unsigned_abs())
}

/// `n` units of `10^-scale`, with exactly `scale` digits after the point (0 to 9).
#[inline]
pub(crate) fn decimal(out: &mut [u8], n: i64, scale: u8) -> usize {
    let mut at = minus(out, n < 0);
    let n = n.unsigned_abs();
    match scale {
        0 => at + unsigned(&mut out[at..], n),
        2 => {
            at += unsigned(&mut out[at..], n / 100);
            out[at] = b'.';
            pair(out, at + 1, n % 100);
            at + 3
        }
        _ => {
            let scale = usize::from(scale.min(9));
            let unit = POWERS[scale];
            at += unsigned(&mut out[at..], n / unit);
            out[at] = b'.';
            at + 1 + fraction(&mut out[at + 1..], n % unit, scale)
        }
    }
}

/// `n` with exactly `digits` digits.
#[inline]
fn fraction(out: &mut [u8], mut n: u64, digits: usize) -> usize {
    for digit in out[..digits].iter_mut().rev() {
        *digit = b'0' + (n % 10) as u8;
        n /= 10;
    }
    digits
}

/// A float, in the fewest digits that read back as the same float: `80.0`, `0.1`, `1e+21`; `NaN`, `inf`, `-inf`.
#[inline]
pub(crate) fn float(out: &mut [u8], x: f64) -> usize {
    // Most floats in tables have two decimals at most. If x is the float nearest to a whole number of hundredths, and
    // that has no more than 15 digits, no other decimal of 15 digits reads back as x: those are the shortest digits.
    let hundredths = (x * 100.0 + 0.5f64.copysign(x)) as i64;
    if hundredths as f64 / 100.0 == x && hundredths != 0 && hundredths.unsigned_abs() < 1_000_000_000_000_000
    {
        let len = decimal(out, hundredths, 2);
        return len - usize::from(hundredths % 10 == 0);
    }
    let mut buffer = zmij::Buffer::new();
    let text = buffer.format(x).as_bytes();
    out[..text.len()].copy_from_slice(text);
    text.len()
}

/// A date from days since 1970-01-01: `2026-01-31`, by the proleptic Gregorian calendar. Years of fewer than four
/// digits are filled with zeros; those before 0000 or after 9999 have a sign, as ISO 8601 wants.
#[inline]
pub(crate) fn date(out: &mut [u8], days: i64) -> usize {
    // Counted in eras of 400 years (146,097 days) from 0000-03-01, which puts the leap day last in its year. Within an
    // era: years by taking out the leap days, then months in which (153 m + 2) / 5 days lie before month m of five in a
    // 31-30-31-30-31 pattern.
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day = days.rem_euclid(146_097) as u64;
    let year_of_era = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let (month, next) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    let year = era * 400 + year_of_era as i64 + next;

    let mut at = 0;
    if (0..=9_999).contains(&year) {
        quad(out, 0, year as u64);
        at += 4;
    } else {
        out[0] = if year < 0 { b'-' } else { b'+' };
        let year = year.unsigned_abs();
        if year < 10_000 {
            quad(out, 1, year);
            at += 5;
        } else {
            at += 1 + unsigned(&mut out[1..], year);
        }
    }
    out[at] = b'-';
    pair(out, at + 1, month);
    out[at + 3] = b'-';
    pair(out, at + 4, day);
    at + 6
}

const MICROS: u64 = 1_000_000;

/// A point in time from microseconds since 1970-01-01 UTC: `2026-01-31T23:59:59Z`, with three or six digits of a second
/// if they are not zero.
#[inline]
pub(crate) fn datetime(out: &mut [u8], micros: i64) -> usize {
    const DAY: i64 = 86_400 * MICROS as i64;
    let mut at = date(out, micros.div_euclid(DAY));
    let micros = micros.rem_euclid(DAY) as u64;
    let (seconds, micros) = (micros / MICROS, micros % MICROS);
    put(out, at, b"T00:00:00");
    pair(out, at + 1, seconds / 3600);
    pair(out, at + 4, seconds / 60 % 60);
    pair(out, at + 7, seconds % 60);
    at += 9;
    at += second_fraction(&mut out[at..], micros);
    out[at] = b'Z';
    at + 1
}

/// `.250` or `.250001`; nothing for zero.
#[inline]
fn second_fraction(out: &mut [u8], micros: u64) -> usize {
    if micros == 0 {
        return 0;
    }
    out[0] = b'.';
    match micros % 1000 {
        0 => 1 + fraction(&mut out[1..], micros / 1000, 3),
        _ => 1 + fraction(&mut out[1..], micros, 6),
    }
}

/// A length of time in ISO 8601, in hours, minutes and seconds: `PT36H`, `PT1H30M`, `PT0.250S`, `PT0S`, `-PT5M`. No
/// days: those are not always 24 hours long.
#[inline]
pub(crate) fn duration(out: &mut [u8], micros: i64) -> usize {
    let mut at = minus(out, micros < 0);
    put(out, at, b"PT");
    at += 2;
    let start = at;
    let micros = micros.unsigned_abs();
    let (seconds, micros) = (micros / MICROS, micros % MICROS);
    for (n, unit) in [(seconds / 3600, b'H'), (seconds / 60 % 60, b'M')] {
        if n != 0 {
            at += unsigned(&mut out[at..], n);
            out[at] = unit;
            at += 1;
        }
    }
    let seconds = seconds % 60;
    if seconds != 0 || micros != 0 || at == start {
        at += unsigned(&mut out[at..], seconds);
        at += second_fraction(&mut out[at..], micros);
        out[at] = b'S';
        at += 1;
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(write: impl FnOnce(&mut [u8]) -> usize) -> String {
        let mut out = [b'~'; ROOM];
        let len = write(&mut out);
        String::from_utf8(out[..len].to_vec()).unwrap()
    }

    /// Numbers of every length and near every power of ten and of two, by a fixed recurrence in between.
    fn numbers() -> Vec<i64> {
        let mut numbers = vec![0, i64::MIN, i64::MAX];
        for exponent in 0..19 {
            let power = 10i64.pow(exponent);
            numbers.extend([power - 1, power, power + 1, -power, 1 - power]);
        }
        let mut state = 1u64;
        for shift in (0..64).cycle().take(20_000) {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            numbers.push((state >> shift) as i64);
        }
        numbers
    }

    #[test]
    fn integers() {
        for n in numbers() {
            assert_eq!(text(|out| integer(out, n)), n.to_string());
        }
    }

    #[test]
    fn decimals() {
        for n in numbers() {
            for scale in 0..=9 {
                let mut expected = format!("{:0width$}", n.unsigned_abs(), width = usize::from(scale) + 1);
                if scale > 0 {
                    expected.insert(expected.len() - usize::from(scale), '.');
                }
                if n < 0 {
                    expected.insert(0, '-');
                }
                assert_eq!(text(|out| decimal(out, n, scale)), expected, "{n} at scale {scale}");
            }
        }
    }

    #[test]
    fn floats() {
        let specials = [
            0.0,
            -0.0,
            0.1,
            0.005,
            80.0,
            1e13,
            1e15,
            9.995,
            1e16,
            1e21,
            5e-324,
            f64::MAX,
            f64::NAN,
            f64::INFINITY,
        ];
        let numbers = numbers().into_iter().flat_map(|n| {
            [
                n as f64,
                n as f64 / 10.0,
                n as f64 / 100.0,
                n as f64 / 1000.0,
                f64::from_bits(n as u64),
                n as f64 * 0.01,
            ]
        });
        for x in specials.into_iter().chain(numbers) {
            assert_eq!(text(|out| float(out, x)), zmij::Buffer::new().format(x), "{:x}", x.to_bits());
        }
        assert_eq!(text(|out| float(out, 80.0)), "80.0");
        assert_eq!(text(|out| float(out, -12.5)), "-12.5");
        assert_eq!(text(|out| float(out, f64::NEG_INFINITY)), "-inf");
    }

    #[test]
    fn dates() {
        let mut day = jiff::civil::date(-9999, 1, 1);
        let epoch = jiff::civil::date(1970, 1, 1);
        while let Ok(next) = day.checked_add(jiff::Span::new().days(97)) {
            let days = epoch.until(day).unwrap().get_days();
            let expected = match day.year() {
                0.. => day.to_string(),
                year => format!("-{:04}-{:02}-{:02}", -year, day.month(), day.day()),
            };
            assert_eq!(text(|out| date(out, days.into())), expected);
            day = next;
        }
        assert_eq!(text(|out| date(out, 19_782)), "2024-02-29");
        assert_eq!(text(|out| date(out, i64::from(i32::MAX))), "+5881580-07-11");
        assert_eq!(text(|out| date(out, i64::from(i32::MIN))), "-5877641-06-23");
    }

    #[test]
    fn datetimes() {
        for (micros, expected) in [
            (0, "1970-01-01T00:00:00Z"),
            (-1, "1969-12-31T23:59:59.999999Z"),
            (1_767_225_600_000_000, "2026-01-01T00:00:00Z"),
            (1_767_225_600_250_000, "2026-01-01T00:00:00.250Z"),
            (1_767_311_999_000_001, "2026-01-01T23:59:59.000001Z"),
            (i64::MAX, "+294247-01-10T04:00:54.775807Z"),
            (i64::MIN, "-290308-12-21T19:59:05.224192Z"),
        ] {
            assert_eq!(text(|out| datetime(out, micros)), expected);
        }
    }

    #[test]
    fn durations() {
        for (micros, expected) in [
            (0, "PT0S"),
            (36 * 3_600_000_000, "PT36H"),
            (90 * 60_000_000, "PT1H30M"),
            (250_000, "PT0.250S"),
            (-300_000_000, "-PT5M"),
            (3_600_000_001, "PT1H0.000001S"),
            (i64::MIN, "-PT2562047788H54.775808S"),
        ] {
            assert_eq!(text(|out| duration(out, micros)), expected);
        }
        for n in numbers().into_iter().filter(|n| n.unsigned_abs() < 1 << 58) {
            let parsed: jiff::SignedDuration = text(|out| duration(out, n)).parse().unwrap();
            assert_eq!(parsed.as_micros(), i128::from(n));
        }
    }
}
