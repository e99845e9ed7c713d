//! Text columns with many different values: all bytes in a row in one buffer, and a view of each value.

use polars::prelude::*;
use polars_arrow::array::{BinaryViewArray, View};
use polars_arrow::bitmap::Bitmap;
use polars_arrow::datatypes::ArrowDataType;

use crate::array;
use crate::generator::Failure;

/// Where a new buffer begins: views count the bytes of a buffer in 32 bits.
const BUFFER: usize = 1 << 30;

/// Bytes that a value's writer may touch after the value's end; the next value overwrites them.
pub(super) const SLACK: usize = 8;

/// A text column in the making.
pub(super) struct Texts {
    views: Vec<View>,
    bytes: Vec<u8>,
    full: Vec<Vec<u8>>,
}

impl Texts {
    /// Room for `len` values of about `width` bytes each.
    pub(super) fn with_capacity(len: usize, width: usize) -> Texts {
        Texts {
            views: Vec::with_capacity(len),
            bytes: Vec::with_capacity((len * width).min(BUFFER)),
            full: Vec::new(),
        }
    }

    /// Appends a value, which `write` appends to the bytes. What it appends must be UTF-8, and at most 2^32 - 1 bytes.
    #[inline]
    pub(super) fn push(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        let start = self.bytes.len();
        write(&mut self.bytes);
        self.end(start);
    }

    /// Appends a value of exactly `width` bytes, which `write` puts at the start of a slice of `width + SLACK`.
    #[inline]
    pub(super) fn push_fixed(&mut self, width: usize, write: impl FnOnce(&mut [u8])) {
        let start = self.bytes.len();
        self.bytes.resize(start + width + SLACK, 0);
        write(&mut self.bytes[start..]);
        self.bytes.truncate(start + width);
        self.end(start);
    }

    #[inline]
    fn end(&mut self, start: usize) {
        let buffer = self.full.len() as u32;
        // Short values live in the view itself.
        let view = View::new_from_bytes(&self.bytes[start..], buffer, start as u32);
        self.views.push(view);
        if view.is_inline() {
            self.bytes.truncate(start);
        } else if self.bytes.len() > BUFFER {
            self.full.push(std::mem::take(&mut self.bytes));
        }
    }

    /// The column; rows whose bit of `validity` is unset are null.
    ///
    /// # Errors
    /// When a value is not UTF-8, which would be a mistake of its writer.
    pub(super) fn finish(mut self, validity: Option<Bitmap>) -> Result<Series, Failure> {
        if !self.bytes.is_empty() {
            self.full.push(self.bytes);
        }
        let buffers: Vec<_> = self.full.into_iter().map(Into::into).collect();
        // Checked as bytes first: whole buffers of ASCII are then seen to be UTF-8 at once, not value by value.
        let array =
            BinaryViewArray::try_new(ArrowDataType::BinaryView, self.views.into(), buffers.into(), None)?
                .to_utf8view()?;
        let series = StringChunked::with_chunk(PlSmallStr::EMPTY, array).into_series();
        match validity {
            Some(bits) => array::with_validity(series, bits),
            None => Ok(series),
        }
    }
}

/// Appends a whole number of at least `width` characters, filled up with zeros after the sign.
pub(super) fn push_int(out: &mut Vec<u8>, value: i64, width: usize) {
    if let (0..100, 0) = (value, width) {
        // Most numbers in names are small.
        let end = out.len() + if value < 10 { 1 } else { 2 };
        let (tens, ones) = (b'0' + (value / 10) as u8, b'0' + (value % 10) as u8);
        out.extend_from_slice(&if value < 10 { [ones, 0] } else { [tens, ones] });
        out.truncate(end);
        return;
    }
    let mut digits = [b'0'; 20];
    let mut at = digits.len();
    let mut rest = value.unsigned_abs();
    loop {
        at -= 1;
        digits[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    if value < 0 {
        out.push(b'-');
    }
    let written = digits.len() - at + usize::from(value < 0);
    out.extend(std::iter::repeat_n(b'0', width.saturating_sub(written)));
    out.extend_from_slice(&digits[at..]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_all_lengths_come_back() {
        let mut texts = Texts::with_capacity(60, 10);
        for len in 0..30usize {
            texts.push(|out| out.extend(std::iter::repeat_n(b'a', len)));
            texts.push_fixed(len, |out| out.fill(b'b'));
        }
        let series = texts.finish(None).unwrap();
        let column = series.str().unwrap();
        for len in 0..30 {
            assert_eq!(column.get(2 * len), Some("a".repeat(len).as_str()));
            assert_eq!(column.get(2 * len + 1), Some("b".repeat(len).as_str()));
        }
    }

    #[test]
    fn nulls_and_letters_beyond_ascii() {
        let mut texts = Texts::with_capacity(2, 10);
        for text in ["äöü", "a longer text with an é in it"] {
            texts.push(|out| out.extend_from_slice(text.as_bytes()));
        }
        let series = texts.finish(Some(Bitmap::from([false, true]))).unwrap();
        assert_eq!(
            series.str().unwrap().iter().collect::<Vec<_>>(),
            [None, Some("a longer text with an é in it")]
        );
        let mut texts = Texts::with_capacity(1, 1);
        texts.push_fixed(1, |out| out[0] = 0xff);
        assert!(texts.finish(None).is_err());
    }

    #[test]
    fn integers_with_leading_zeros() {
        let text = |value, width| {
            let mut out = Vec::new();
            push_int(&mut out, value, width);
            String::from_utf8(out).unwrap()
        };
        for value in [0, 1, -1, 7, 10, 99, -123_456, i64::MAX, i64::MIN] {
            assert_eq!(text(value, 0), value.to_string());
            assert_eq!(text(value, 6), format!("{value:06}"));
        }
    }
}
