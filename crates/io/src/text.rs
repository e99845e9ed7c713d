//! Rows of text: what CSV and JSON lines have in common.
//!
//! Everything that a cell does not decide is settled before the first row: each column has a typed view of its values,
//! its lead (the delimiter, or the key), its way to escape, and for fixed categories a table of ready text. Rows are
//! written into slots with room for the longest possible row, so that cells are constant-size stores without a check of
//! their own but the slice's.

use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use lookalike_ruleset::{TableSchema, Type};
use polars::prelude::{CategoricalPhysical, DataFrame, DataType, FrozenCategories, Series};
use polars_arrow::array::{Array, BooleanArray, PrimitiveArray, Utf8ViewArray, View};
use polars_arrow::bitmap::Bitmap;
use polars_buffer::Buffer;

use crate::part::Body;
use crate::{Error, Part, digits, frame};

/// Longest text that is copied in one constant-size store.
const WIDE: usize = 32;

/// Most bytes that a byte of text becomes: `\u001f`.
const ESCAPED: usize = 6;

/// How text is made safe for a format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Escape {
    /// CSV: in quotes if need be, quotes doubled.
    Csv {
        /// What stands between values.
        delimiter: u8,
    },
    /// JSON: always in quotes, with backslashes.
    Json,
}

impl Escape {
    /// Writes a text in quotes, with escapes.
    #[cold]
    pub(crate) fn escaped(self, text: &[u8], out: &mut [u8]) -> usize {
        let mut at = 0;
        let mut push = |bytes: &[u8]| {
            out[at..at + bytes.len()].copy_from_slice(bytes);
            at += bytes.len();
        };
        push(b"\"");
        for &byte in text {
            match (self, byte) {
                (Escape::Csv { .. }, b'"') => push(b"\"\""),
                (Escape::Json, b'"') => push(b"\\\""),
                (Escape::Json, b'\\') => push(b"\\\\"),
                (Escape::Json, b'\n') => push(b"\\n"),
                (Escape::Json, b'\r') => push(b"\\r"),
                (Escape::Json, b'\t') => push(b"\\t"),
                (Escape::Json, 0..0x20) => {
                    push(b"\\u00");
                    push(&[b'0' + (byte >> 4), b"0123456789abcdef"[usize::from(byte & 15)]]);
                }
                _ => push(&[byte]),
            }
        }
        push(b"\"");
        at
    }

    /// Appends a text in quotes, with escapes.
    pub(crate) fn append(self, text: &[u8], to: &mut Vec<u8>) {
        let start = to.len();
        to.resize(start + ESCAPED * text.len() + 2, 0);
        let len = self.escaped(text, &mut to[start..]);
        to.truncate(start + len);
    }

    /// Whether a text needs quotes (CSV) or backslashes (JSON).
    pub(crate) fn needed(self, text: &[u8]) -> bool {
        let edge = matches!(self, Escape::Csv { .. }) && edge_space(text);
        edge || text.chunks(16).any(|chunk| special_in(chunk, self))
    }
}

/// How the cells of one column become text.
pub(crate) struct ColumnText {
    /// What stands before each cell.
    pub lead: Vec<u8>,
    /// Whether every value, not null, is put in quotes.
    pub quoted: bool,
    /// Whether no text needs escaping.
    pub plain: bool,
    /// The text of each category, made for the first unit and kept as long as the categories are the same.
    categories: Mutex<Option<(Arc<FrozenCategories>, Arc<Categories>)>>,
}

impl ColumnText {
    pub(crate) fn new(lead: Vec<u8>, quoted: bool, plain: bool) -> ColumnText {
        ColumnText { lead, quoted, plain, categories: Mutex::new(None) }
    }
}

/// Encodes units of one table as rows of text.
pub(crate) struct RowText {
    pub format: &'static str,
    pub schema: TableSchema,
    pub columns: Vec<ColumnText>,
    pub null: Vec<u8>,
    pub escape: Escape,
    /// What ends a row: bytes, and how many of them count.
    pub end: ([u8; 2], usize),
    pub buffers: Arc<Buffers>,
}

/// Buffers that were written and may be filled again: new memory costs more than the text in it.
#[derive(Default)]
pub(crate) struct Buffers(Mutex<Vec<Vec<u8>>>);

impl Buffers {
    /// Buffers that are kept, at most.
    const KEPT: usize = 16;

    fn take(&self) -> Vec<u8> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).pop().unwrap_or_default()
    }

    pub(crate) fn give(&self, buffer: Vec<u8>) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() < Buffers::KEPT {
            kept.push(buffer);
        }
    }
}

/// The cells of one column of one unit.
struct Cells<'a> {
    lead: &'a [u8],
    quoted: bool,
    plain: bool,
    validity: Option<&'a Bitmap>,
    /// Whether no text of the column can be taken for null.
    never_null_text: bool,
    /// Whether a null is written as the value in its place would be and then taken back, which is cheaper for most
    /// types than a branch that cannot be foreseen. Only where null is no text at all.
    rewind: bool,
    values: Values<'a>,
}

/// Typed view of the values of a column.
enum Values<'a> {
    Bool(&'a Bitmap),
    Int(&'a [i64]),
    Float(&'a [f64]),
    Decimal(&'a [i128], u8),
    Date(&'a [i32]),
    Datetime(&'a [i64]),
    Duration(&'a [i64]),
    /// Texts of 1 to 12 bytes, which are in the views themselves.
    Short(&'a [View]),
    /// Texts of 13 to [`WIDE`] bytes.
    Long {
        views: &'a [View],
        buffers: &'a [Buffer<u8>],
    },
    /// Any texts.
    Text {
        views: &'a [View],
        buffers: &'a [Buffer<u8>],
        longest: usize,
    },
    Category8(&'a [u8], Arc<Categories>),
    Category16(&'a [u16], Arc<Categories>),
    Category32(&'a [u32], Arc<Categories>),
}

/// The text of each category, lead and quotes included.
struct Categories {
    /// Start and length in `text` of each, and of null behind them.
    spans: Vec<(u32, u32)>,
    /// All texts, with [`WIDE`] bytes to spare.
    text: Vec<u8>,
    longest: usize,
}

impl RowText {
    /// Encodes one unit.
    pub(crate) fn encode(&self, frame: &DataFrame) -> Result<Part, Error> {
        let mut buffer = self.buffers.take();
        let mut at = 0;
        // A unit comes in blocks, as chunks; they need not be joined to be written one after the other.
        if frame.should_rechunk() || frame.first_col_n_chunks() <= 1 {
            self.append(frame, frame.height(), &mut buffer, &mut at)?;
        } else {
            for chunk in frame.clone().split_chunks() {
                self.append(&chunk, frame.height(), &mut buffer, &mut at)?;
            }
        }
        buffer.truncate(at);
        Ok(Part { rows: frame.height() as u64, body: Body::Bytes(buffer) })
    }

    /// Writes the rows of `frame` into `buffer` from byte `at` on. `whole` is how many rows the buffer is to take in all.
    fn append(
        &self,
        frame: &DataFrame,
        whole: usize,
        buffer: &mut Vec<u8>,
        at: &mut usize,
    ) -> Result<(), Error> {
        let columns = frame::columns(frame, &self.schema)?;
        let rows = frame.height();
        if rows == 0 {
            return Ok(());
        }
        let first = *at;
        let mut cells = Vec::with_capacity(columns.len());
        let mut room = self.end.0.len() + digits::ROOM;
        for (index, series) in columns.iter().enumerate() {
            let column = self.cells(index, series)?;
            room += column.room(self.escape).max(self.null.len()) + column.lead.len() + WIDE;
            cells.push(column);
        }

        let mut block = Block::new(room);
        while block.rows.end < rows {
            block.next(rows);
            cells.iter().for_each(|column| self.fill(column, &mut block));
            block.each(|_, out| {
                out[..2].copy_from_slice(&self.end.0);
                self.end.1
            });
            // Rows are copied in whole pieces: what is too much is overwritten by the next.
            let len = block.ends.iter().sum::<usize>() + WIDE;
            if buffer.len() - *at < len {
                // As much as the rest needs if it is like the rows so far, and a little more.
                let rest = (*at - first + len) / block.rows.end * (whole - block.rows.start);
                buffer.resize(*at + len.max(rest + rest / 32), 0);
            }
            for (slot, &end) in block.slots.chunks_exact(room).zip(&block.ends) {
                let to = buffer[*at..].as_chunks_mut::<WIDE>().0.iter_mut();
                to.zip(slot[..end.next_multiple_of(WIDE)].as_chunks::<WIDE>().0)
                    .for_each(|(to, from)| *to = *from);
                *at += end;
            }
        }
        Ok(())
    }

    /// Writes the cells of a column in a block.
    fn fill(&self, column: &Cells, block: &mut Block) {
        match column.values {
            Values::Category8(codes, ref table) => table.fill(column, block, |row| codes[row].into()),
            Values::Category16(codes, ref table) => table.fill(column, block, |row| codes[row].into()),
            Values::Category32(codes, ref table) => table.fill(column, block, |row| codes[row] as usize),
            Values::Int(values) => self.fixed(column, block, |row, out| digits::integer(out, values[row])),
            Values::Float(values) => self.fixed(column, block, |row, out| digits::float(out, values[row])),
            Values::Decimal(values, 2) => {
                self.fixed(column, block, |row, out| digits::decimal(out, values[row] as i64, 2));
            }
            Values::Decimal(values, scale) => {
                self.fixed(column, block, |row, out| digits::decimal(out, values[row] as i64, scale));
            }
            Values::Date(values) => {
                self.fixed(column, block, |row, out| digits::date(out, values[row].into()))
            }
            Values::Datetime(values) => {
                self.fixed(column, block, |row, out| digits::datetime(out, values[row]))
            }
            Values::Duration(values) => {
                self.fixed(column, block, |row, out| digits::duration(out, values[row]))
            }
            Values::Bool(values) => self.fixed(column, block, |row, out| {
                let value = values.get_bit(row);
                out[..5].copy_from_slice(if value { b"true " } else { b"false" });
                5 - usize::from(value)
            }),
            // What stands in the place of a null may be anything.
            Values::Short(views) => self.each(column, block, |row, out| {
                let len = views[row].length.min(View::MAX_INLINE_SIZE);
                self.short(column, &views[row], len as usize, out)
            }),
            Values::Long { views, buffers } => self.each(column, block, |row, out| {
                let View { length, buffer_idx, offset, .. } = views[row];
                let (start, len) = (offset as usize, (length as usize).min(WIDE));
                match buffers.get(buffer_idx as usize).and_then(|buffer| buffer.get(start..)) {
                    Some(buffer) if len <= buffer.len() => self.long(column, buffer, len, out),
                    _ => 0,
                }
            }),
            Values::Text { views, buffers, .. } => self.each(column, block, |row, out| {
                let view = &views[row];
                let len = view.length as usize;
                if view.is_inline() {
                    self.short(column, view, len, out)
                } else {
                    let buffer = buffers[view.buffer_idx as usize].as_slice();
                    self.long(column, &buffer[view.offset as usize..], len, out)
                }
            }),
        }
    }

    /// Writes values of a type of bounded length.
    #[inline(always)]
    fn fixed(&self, column: &Cells, block: &mut Block, write: impl Fn(usize, &mut [u8]) -> usize) {
        if column.quoted {
            self.each(column, block, |row, out| {
                out[0] = b'"';
                let end = 1 + write(row, &mut out[1..]);
                out[end] = b'"';
                end + 1
            });
        } else {
            self.each(column, block, write);
        }
    }

    /// Writes the lead and the value, or null, of each row.
    #[inline(always)]
    fn each(&self, column: &Cells, block: &mut Block, write: impl Fn(usize, &mut [u8]) -> usize) {
        match column.validity {
            None => block.each(|row, out| {
                let at = lead(column, out);
                at + write(row, &mut out[at..])
            }),
            // Nothing to write for null: what was written is taken back, for a branch here could not be foreseen.
            Some(validity) if column.rewind => block.each(|row, out| {
                let keep = usize::from(validity.get_bit(row)).wrapping_neg();
                let at = lead(column, out);
                at + (write(row, &mut out[at..]) & keep)
            }),
            Some(validity) => block.each(|row, out| {
                let at = lead(column, out);
                if validity.get_bit(row) {
                    return at + write(row, &mut out[at..]);
                }
                out[at..at + self.null.len()].copy_from_slice(&self.null);
                at + self.null.len()
            }),
        }
    }

    /// Writes a text that is in its view, of `len` bytes.
    #[inline(always)]
    fn short(&self, column: &Cells, view: &View, len: usize, out: &mut [u8]) -> usize {
        // The text stands after the length; what is behind its end is blanked, for `special`.
        let text = u128::from_le_bytes(view.as_u128().to_ne_bytes()) >> 32;
        let block = (text | BLANKS[len]).to_le_bytes();
        if !self.bare(column, &block[..len], || special(&block, self.escape)) {
            return self.escape.escaped(&block[..len], out);
        }
        let quote = usize::from(column.quoted);
        out[0] = b'"';
        out[quote..quote + block.len()].copy_from_slice(&block);
        out[quote + len] = b'"';
        len + 2 * quote
    }

    /// Writes a text of `len` bytes at the start of a buffer.
    #[inline(always)]
    fn long(&self, column: &Cells, buffer: &[u8], len: usize, out: &mut [u8]) -> usize {
        let text = &buffer[..len];
        if !self.bare(column, text, || text.chunks(16).any(|chunk| special_in(chunk, self.escape))) {
            return self.escape.escaped(text, out);
        }
        let quote = usize::from(column.quoted);
        out[0] = b'"';
        match buffer.first_chunk::<WIDE>() {
            Some(block) if len <= WIDE => out[quote..quote + WIDE].copy_from_slice(block),
            _ => out[quote..quote + len].copy_from_slice(text),
        }
        out[quote + len] = b'"';
        len + 2 * quote
    }

    /// Whether a text may be written as it is, in the quotes of its column if it has them.
    #[inline(always)]
    fn bare(&self, column: &Cells, text: &[u8], special: impl FnOnce() -> bool) -> bool {
        let clean = column.plain || !special() && (self.escape == Escape::Json || !edge_space(text));
        clean && (column.never_null_text || text != self.null)
    }

    /// The typed view of a column, once its values are seen to be ones that the format can hold.
    fn cells<'a>(&'a self, index: usize, series: &'a Series) -> Result<Cells<'a>, Error> {
        let (column, field) = (&self.columns[index], &self.schema.fields[index]);
        // The chunks of a series are of its physical type.
        let chunk = series.chunks()[0].as_ref();
        let refuse = |value: String| Error::Value { column: field.name.clone(), format: self.format, value };
        let values = match field.ty {
            Type::Bool => Values::Bool(array::<BooleanArray>(chunk).values()),
            Type::Int => Values::Int(primitive(chunk)),
            Type::Date => Values::Date(primitive(chunk)),
            Type::Datetime => Values::Datetime(primitive(chunk)),
            Type::Duration => Values::Duration(primitive(chunk)),
            Type::Float => {
                let values = primitive::<f64>(chunk);
                if self.escape == Escape::Json && !values.iter().all(|x| x.is_finite()) {
                    let array = array::<PrimitiveArray<f64>>(chunk);
                    if let Some(x) = array.non_null_values_iter().find(|x| !x.is_finite()) {
                        return Err(refuse(x.to_string()));
                    }
                }
                Values::Float(values)
            }
            Type::Decimal(scale) => {
                let array = array::<PrimitiveArray<i128>>(chunk);
                if let Some(x) = array.non_null_values_iter().find(|&x| i64::try_from(x).is_err()) {
                    return Err(refuse(format!("{x}e-{scale}")));
                }
                Values::Decimal(array.values(), scale)
            }
            Type::Text => match series.dtype() {
                DataType::Enum(categories, _) => {
                    let table = self.categories(column, categories);
                    match categories.physical() {
                        CategoricalPhysical::U8 => Values::Category8(primitive(chunk), table),
                        CategoricalPhysical::U16 => Values::Category16(primitive(chunk), table),
                        CategoricalPhysical::U32 => Values::Category32(primitive(chunk), table),
                    }
                }
                _ => {
                    let array = array::<Utf8ViewArray>(chunk);
                    let (views, buffers) = (array.views().as_slice(), array.data_buffers().as_slice());
                    match lengths(views, array.validity()) {
                        (1.., ..=View::MAX_INLINE_SIZE) => Values::Short(views),
                        (13.., longest) if longest as usize <= WIDE => Values::Long { views, buffers },
                        (_, longest) => Values::Text { views, buffers, longest: longest as usize },
                    }
                }
            },
        };
        let never_empty = matches!(values, Values::Short(_) | Values::Long { .. });
        // The other types cost more to write in vain than a wrong guess does.
        let cheap =
            matches!(values, Values::Bool(_) | Values::Int(_) | Values::Decimal(..) | Values::Date(_));
        Ok(Cells {
            lead: &column.lead,
            quoted: column.quoted,
            plain: column.plain,
            validity: chunk.validity().filter(|validity| validity.unset_bits() > 0),
            // Where text is JSON, a text like null is one.
            never_null_text: column.quoted
                || never_empty && self.null.is_empty()
                || self.escape == Escape::Json,
            rewind: (cheap || never_empty) && self.null.is_empty(),
            values,
        })
    }

    /// The ready texts of a column's categories.
    fn categories(&self, column: &ColumnText, categories: &Arc<FrozenCategories>) -> Arc<Categories> {
        let mut kept = column.categories.lock().unwrap_or_else(PoisonError::into_inner);
        // Equal categories are one object in the column engine.
        if let Some((known, table)) = &*kept
            && Arc::ptr_eq(known, categories)
        {
            return table.clone();
        }
        let mut table = Categories { spans: Vec::new(), text: Vec::new(), longest: 0 };
        for text in categories.categories().values_iter() {
            let text = text.as_bytes();
            let start = table.text.len();
            table.text.extend_from_slice(&column.lead);
            if self.escape.needed(text) || text == self.null && self.escape != Escape::Json {
                self.escape.append(text, &mut table.text);
            } else {
                let quote: &[u8] = if column.quoted { b"\"" } else { b"" };
                table.text.extend([quote, text, quote].into_iter().flatten());
            }
            let len = table.text.len() - start;
            table.longest = table.longest.max(len);
            table.spans.push((start as u32, len as u32));
        }
        let null = table.text.len();
        table.text.extend([column.lead.as_slice(), &self.null].into_iter().flatten());
        table.spans.push((null as u32, (table.text.len() - null) as u32));
        table.longest = table.longest.max(table.text.len() - null);
        table.text.resize(table.text.len() + WIDE, b' ');
        let table = Arc::new(table);
        *kept = Some((categories.clone(), table.clone()));
        table
    }
}

impl Cells<'_> {
    /// Bytes that the longest cell takes, lead not counted.
    fn room(&self, escape: Escape) -> usize {
        match &self.values {
            Values::Short(_) | Values::Long { .. } | Values::Text { .. } => {
                let longest = match self.values {
                    Values::Text { longest, .. } => longest,
                    _ => WIDE,
                };
                let growth = match escape {
                    _ if self.plain => 1,
                    Escape::Csv { .. } => 2,
                    Escape::Json => ESCAPED,
                };
                longest * growth + 2 + WIDE
            }
            Values::Category8(_, table) | Values::Category16(_, table) | Values::Category32(_, table) => {
                table.longest + WIDE
            }
            _ => 2 + digits::ROOM,
        }
    }
}

impl Categories {
    /// Writes the cells of a column in a block.
    #[inline(always)]
    fn fill(&self, column: &Cells, block: &mut Block, code: impl Fn(usize) -> usize) {
        let null = self.spans.len() - 1;
        match column.validity {
            None => block.each(|row, out| self.put(code(row), out)),
            Some(validity) => {
                block.each(|row, out| self.put(if validity.get_bit(row) { code(row) } else { null }, out));
            }
        }
    }

    #[inline(always)]
    fn put(&self, code: usize, out: &mut [u8]) -> usize {
        let (start, len) = self.spans[code];
        let (start, len) = (start as usize, len as usize);
        if len <= WIDE {
            out[..WIDE].copy_from_slice(&self.text[start..start + WIDE]);
        } else {
            out[..len].copy_from_slice(&self.text[start..start + len]);
        }
        len
    }
}

/// Some rows in the making, each in a slot of its own that has room for the longest possible row.
///
/// They are filled column by column: so a loop is about values of one type, and rows do not wait for the end of the one
/// before. That is well worth the copy to where the rows then stand close together.
struct Block {
    room: usize,
    slots: Vec<u8>,
    /// Rows of the unit.
    rows: Range<usize>,
    /// Where each row ends in its slot, so far.
    ends: Vec<usize>,
}

impl Block {
    /// Bytes of a block, about: small enough for the nearest caches.
    const SIZE: usize = 32 * 1024;

    fn new(room: usize) -> Block {
        let rows = (Block::SIZE / room).clamp(1, 256);
        Block { room, slots: vec![0; rows * room], rows: 0..0, ends: vec![0; rows] }
    }

    /// Goes on to the next rows, of `rows` in all.
    fn next(&mut self, rows: usize) {
        let start = self.rows.end;
        self.rows = start..rows.min(start + self.ends.len());
        self.ends.truncate(self.rows.len());
        self.ends.fill(0);
    }

    /// Writes to each row; `write` gives the number of bytes.
    #[inline(always)]
    fn each(&mut self, write: impl Fn(usize, &mut [u8]) -> usize) {
        let slots = self.slots.chunks_exact_mut(self.room).zip(&mut self.ends);
        for ((slot, end), row) in slots.zip(self.rows.clone()) {
            *end += write(row, &mut slot[*end..]);
        }
    }
}

/// Writes what stands before a value.
#[inline(always)]
fn lead(column: &Cells, out: &mut [u8]) -> usize {
    match column.lead {
        [] => {}
        [byte] => out[0] = *byte,
        lead => out[..lead.len()].copy_from_slice(lead),
    }
    column.lead.len()
}

/// Length of the shortest and of the longest text, nulls not counted.
fn lengths(views: &[View], validity: Option<&Bitmap>) -> (u32, u32) {
    let fold = |(shortest, longest): (u32, u32), (view, valid): (&View, bool)| {
        let null = u32::from(valid).wrapping_sub(1);
        (shortest.min(view.length | null), longest.max(view.length & !null))
    };
    match validity {
        None => views.iter().map(|view| (view, true)).fold((u32::MAX, 0), fold),
        Some(validity) => views.iter().zip(validity.iter()).fold((u32::MAX, 0), fold),
    }
}

/// For an inline text of each length: spaces in the bytes behind it.
static BLANKS: [u128; 13] = {
    let mut blanks = [0; 13];
    let mut len = 0;
    while len < 13 {
        blanks[len] = u128::from_le_bytes([b' '; 16]) >> (8 * len) << (8 * len);
        len += 1;
    }
    blanks
};

/// Whether a byte may not stand in a text without quotes (CSV) or a backslash (JSON).
#[inline(always)]
fn special_byte(byte: u8, escape: Escape) -> bool {
    match escape {
        Escape::Csv { delimiter } => (byte == b'"') | (byte == b'\n') | (byte == b'\r') | (byte == delimiter),
        Escape::Json => (byte == b'"') | (byte == b'\\') | (byte < b' '),
    }
}

/// [`special_byte`] of any of 16 bytes, at once.
#[inline(always)]
fn special(block: &[u8; 16], escape: Escape) -> bool {
    block.iter().fold(false, |found, &byte| found | special_byte(byte, escape))
}

/// [`special_byte`] of any of up to 16 bytes.
#[inline(always)]
fn special_in(chunk: &[u8], escape: Escape) -> bool {
    match chunk.try_into() {
        Ok(block) => special(block, escape),
        Err(_) => chunk.iter().any(|&byte| special_byte(byte, escape)),
    }
}

/// Whether a text starts or ends with a space, which some readers of CSV drop.
#[inline(always)]
fn edge_space(text: &[u8]) -> bool {
    text.first() == Some(&b' ') || text.last() == Some(&b' ')
}

/// The array of a type that [`frame::columns`] has checked.
fn array<A: Array>(chunk: &dyn Array) -> &A {
    chunk.as_any().downcast_ref().expect("the column's type was checked")
}

fn primitive<T: polars_arrow::types::NativeType>(chunk: &dyn Array) -> &[T] {
    array::<PrimitiveArray<T>>(chunk).values()
}
