//! `template`: text put together from other columns.

use std::collections::HashMap;
use std::sync::Arc;

use jiff::fmt::strtime::BrokenDownTime;
use lookalike_ruleset::decode::{Decode, wrong};
use lookalike_ruleset::{Diagnostic, Json, Node, Problems, Span, Type};
use polars::prelude::*;
use polars_arrow::array::{Array, BooleanArray, PrimitiveArray, Utf8ViewArray};
use polars_arrow::bitmap::Bitmap;
use polars_arrow::types::NativeType;
use serde_json::json;

use super::text::{Texts, push_int};
use crate::build::Builder;
use crate::generator::{
    Block, Categories, Failure, Generator, Group, InputId, InputName, Kind, Output, Promise, Rule, Site,
    is_plain,
};

/// A text with places for values of other columns. Also the name in `uuid`.
#[derive(Clone, Debug)]
pub(super) struct Template {
    parts: Vec<Part>,
    nullable: bool,
}

#[derive(Clone, Debug)]
enum Part {
    Literal(String),
    Field(Field),
}

/// `{name}` or `{name:format}`.
#[derive(Clone, Debug)]
struct Field {
    column: InputName,
    format: Option<String>,
    format_span: Span,
    ready: Option<(InputId, Writer)>,
}

/// How a field becomes text; settled when the column's type is known.
#[derive(Clone, Debug)]
enum Writer {
    Bool,
    /// Filled up with zeros to this many characters.
    Int(usize),
    Float,
    Decimal(u8),
    Text,
    Categories(Arc<Categories>),
    Date,
    Datetime,
    Duration,
    /// By a format of `strftime`.
    DateAs(String),
    DatetimeAs(String),
}

impl Decode for Template {
    fn decode(node: &Node, problems: &mut Problems) -> Option<Self> {
        let Some(scalar) = node.as_scalar().filter(|_| !node.is_null()) else {
            wrong(node, Self::what(), problems);
            return None;
        };
        let place = |from: usize, to: usize| match scalar.verbatim {
            Some(start) => Span::new(node.span.file, start as usize + from, start as usize + to),
            None => node.span,
        };
        match parse(&scalar.text, place) {
            Ok(parts) => Some(Template { parts, nullable: false }),
            Err(diagnostic) => {
                problems.push(*diagnostic);
                None
            }
        }
    }
    fn what() -> String {
        "a template such as '{role}-{stage}-{number:03}'".into()
    }
    fn schema() -> Json {
        json!({"type": "string"})
    }
}

/// Splits a template into its parts; `place` gives the place of a stretch of it.
fn parse(text: &str, place: impl Fn(usize, usize) -> Span) -> Result<Vec<Part>, Box<Diagnostic>> {
    let bad = |from, to, message: &str, help: &str| {
        Box::new(Diagnostic::error("bad-value", place(from, to), message).label("here").help(help))
    };
    let mut parts = Vec::new();
    let mut literal = String::new();
    let mut at = 0;
    while let Some(char) = text[at..].chars().next() {
        let rest = &text[at..];
        if rest.starts_with("{{") || rest.starts_with("}}") {
            literal.push(char);
            at += 2;
        } else if char == '}' {
            return Err(bad(at, at + 1, "`}` without `{`", "write `}}` for a brace"));
        } else if char == '{' {
            let Some(len) = rest.find('}') else {
                return Err(bad(
                    at,
                    text.len(),
                    "`{` without `}`",
                    "write `{column}` for a column's value, `{{` for a brace",
                ));
            };
            let inside = &rest[1..len];
            let (name, format) = match inside.split_once(':') {
                Some((name, format)) => (name, Some(format)),
                None => (inside, None),
            };
            if name.is_empty() || name.contains('{') {
                let end = at + len + 1;
                return Err(bad(
                    at,
                    end,
                    "no column is named between the braces",
                    "write `{column}` for a column's value, `{{` for a brace",
                ));
            }
            if !literal.is_empty() {
                parts.push(Part::Literal(std::mem::take(&mut literal)));
            }
            let name_end = at + 1 + name.len();
            parts.push(Part::Field(Field {
                column: InputName { name: name.to_owned(), span: place(at + 1, name_end) },
                format: format.map(str::to_owned),
                format_span: place(name_end, at + len),
                ready: None,
            }));
            at += len + 1;
        } else {
            literal.push(char);
            at += char.len_utf8();
        }
    }
    if !literal.is_empty() {
        parts.push(Part::Literal(literal));
    }
    Ok(parts)
}

/// Whether a part of a text needs no quotes or escapes; spaces at its ends do no harm unless they are the whole text's.
fn is_plain_inside(text: &str) -> bool {
    let text = text.trim_matches(' ');
    text.is_empty() || is_plain(text)
}

impl Template {
    /// Adds the columns that are named.
    pub(super) fn inputs(&self, inputs: &mut Vec<InputName>) {
        inputs.extend(self.fields().map(|field| field.column.clone()));
    }

    fn fields(&self) -> impl Iterator<Item = &Field> {
        self.parts.iter().filter_map(|part| match part {
            Part::Field(field) => Some(field),
            Part::Literal(_) => None,
        })
    }

    /// The name of the column that is all there is, without a format.
    pub(super) fn alone(&self) -> Option<&str> {
        match self.parts.as_slice() {
            [Part::Field(field)] if field.format.is_none() => Some(&field.column.name),
            _ => None,
        }
    }

    /// Finds the columns and checks their formats.
    pub(super) fn prepare(&mut self, site: &mut Site<'_>) -> Option<Output> {
        let mut plain = !self.parts.is_empty();
        let mut whole = true;
        let last = self.parts.len().saturating_sub(1);
        for (at, part) in self.parts.iter_mut().enumerate() {
            match part {
                Part::Literal(text) => {
                    let edge = at == 0 && text.starts_with(' ') || at == last && text.ends_with(' ');
                    plain &= !edge && is_plain_inside(text);
                }
                Part::Field(field) => {
                    let Some((input, output)) = site.input(&field.column.name) else {
                        whole = false;
                        continue;
                    };
                    self.nullable |= output.nullable;
                    match field.writer(&output, site.problems) {
                        Some((writer, plain_field)) => {
                            plain &= plain_field;
                            field.ready = Some((input, writer));
                        }
                        None => whole = false,
                    }
                }
            }
        }
        whole.then(|| Output { nullable: self.nullable, ..Output::text(plain) })
    }

    /// Calls `each` for the block's rows in order with a writer of the row's text, or with `None` for a row in which a
    /// column is null.
    fn for_each(
        &self,
        block: &Block<'_>,
        mut each: impl FnMut(Option<&mut dyn FnMut(&mut Vec<u8>)>),
    ) -> Result<(), Failure> {
        let mut columns = Vec::new();
        for field in self.fields() {
            let (input, _) = field.ready.as_ref().expect("set in prepare");
            columns.push(block.input(*input).to_physical_repr().rechunk());
        }
        let mut next = columns.iter();
        let mut parts = Vec::with_capacity(self.parts.len());
        let mut validity: Option<Bitmap> = None;
        for part in &self.parts {
            parts.push(match part {
                Part::Literal(text) => Cells::Literal(text.as_bytes()),
                Part::Field(field) => {
                    let (_, writer) = field.ready.as_ref().expect("set in prepare");
                    let chunk = next.next().expect("a column was pushed for each field").chunks()[0].as_ref();
                    if let Some(bits) = chunk.validity() {
                        validity = Some(match validity {
                            Some(both) => &both & bits,
                            None => bits.clone(),
                        });
                    }
                    writer.cells(chunk)?
                }
            });
        }
        let mut failure = None;
        for row in 0..block.len() {
            if validity.as_ref().is_some_and(|bits| !bits.get_bit(row)) {
                each(None);
                continue;
            }
            each(Some(&mut |out| {
                for part in &mut parts {
                    if let Err(error) = part.write(row, out) {
                        failure = Some(error);
                    }
                }
            }));
            if let Some(error) = failure {
                return Err(error);
            }
        }
        Ok(())
    }

    /// The texts of the block's rows, one after the other: calls `each` with every text, `None` for null.
    pub(super) fn for_each_text(
        &self,
        block: &Block<'_>,
        mut each: impl FnMut(Option<&[u8]>),
    ) -> Result<(), Failure> {
        let mut text = Vec::new();
        self.for_each(block, |write| match write {
            Some(write) => {
                text.clear();
                write(&mut text);
                each(Some(&text));
            }
            None => each(None),
        })
    }
}

/// How values of a column become text as text formats write it, and whether that text is plain.
fn plain_writer(output: &Output) -> (Writer, bool) {
    match output.ty {
        Type::Bool => (Writer::Bool, true),
        Type::Int => (Writer::Int(0), true),
        Type::Float => (Writer::Float, true),
        Type::Decimal(scale) => (Writer::Decimal(scale), true),
        Type::Date => (Writer::Date, true),
        Type::Datetime => (Writer::Datetime, true),
        Type::Duration => (Writer::Duration, true),
        Type::Text => match &output.categories {
            Some(categories) => (Writer::Categories(categories.clone()), output.plain),
            None => (Writer::Text, output.plain),
        },
    }
}

/// The values of a column as text, as a CSV file has them; nulls stay null.
///
/// # Errors
/// When a date or time has none.
pub(crate) fn texts_of(series: &Series, ty: Type) -> Result<Series, Failure> {
    if ty == Type::Text {
        return Ok(series.cast(&DataType::String)?);
    }
    let span = Span::default();
    let (writer, _) = plain_writer(&Output::of(ty));
    let field = Field {
        column: InputName { name: String::new(), span },
        format: None,
        format_span: span,
        ready: Some((InputId(0), writer)),
    };
    let rows = (0..series.len() as u64).into();
    Template { parts: vec![Part::Field(field)], nullable: true }.fill(&Block::new(
        &rows,
        0,
        &[Some(series.clone())],
    ))
}

impl Field {
    /// How values of a column become text, and whether that text is plain; `None` after adding a problem.
    fn writer(&self, output: &Output, problems: &mut Problems) -> Option<(Writer, bool)> {
        let mut refuse = |message: String, help: &str| {
            problems.push(Diagnostic::error("bad-value", self.format_span, message).label("here").help(help));
            None
        };
        let Some(format) = &self.format else {
            return Some(plain_writer(output));
        };
        match output.ty {
            Type::Int => {
                let width = format.strip_prefix('0').and_then(|digits| digits.parse::<usize>().ok());
                match width.filter(|width| (1..=100).contains(width)) {
                    Some(width) => Some((Writer::Int(width), true)),
                    None => refuse(
                        format!("`{format}` is no format for whole numbers"),
                        "write `{name:05}` for at least five digits, with leading zeros",
                    ),
                }
            }
            Type::Date | Type::Datetime => {
                // A day on which everything that can be padded is padded.
                let sample = jiff::civil::date(2001, 1, 1).at(1, 1, 1, 0);
                let parts = match output.ty {
                    Type::Date => BrokenDownTime::from(sample.date()),
                    _ => match sample.to_zoned(jiff::tz::TimeZone::UTC) {
                        Ok(zoned) => BrokenDownTime::from(&zoned),
                        Err(error) => return refuse(error.to_string(), "use another format"),
                    },
                };
                match parts.to_string(format) {
                    Ok(text) => {
                        let plain = is_plain(&text) && !text.contains(' ');
                        let format = format.clone();
                        let writer = if output.ty == Type::Date {
                            Writer::DateAs(format)
                        } else {
                            Writer::DatetimeAs(format)
                        };
                        Some((writer, plain))
                    }
                    Err(error) => refuse(
                        format!("`{format}` is no format for a value of type {}: {error}", output.ty),
                        "formats are those of strftime, such as `{name:%Y-%m-%d}`",
                    ),
                }
            }
            other => refuse(
                format!("values of type {other} have no formats"),
                "formats are for int (`{name:03}`), date and datetime (`{name:%Y-%m-%d}`); use `expr` for others",
            ),
        }
    }
}

/// The values of a part for the rows of a block.
enum Cells<'a> {
    Literal(&'a [u8]),
    Bool(&'a Bitmap),
    Int(&'a [i64], usize),
    Float(&'a [f64]),
    Decimal(&'a [i128], u8),
    Text(&'a Utf8ViewArray),
    Code8(&'a [u8], Vec<Short>),
    LongCode8(&'a [u8], &'a [String]),
    Code16(&'a [u16], &'a [String]),
    Code32(&'a [u32], &'a [String]),
    Date(&'a [i32], Days<'a>),
    Datetime(&'a [i64], Days<'a>),
    Duration(&'a [i64]),
    DatetimeAs(&'a [i64], &'a str),
}

/// The texts of the days that were met in a block: they repeat, and calendars are slow.
struct Days<'a> {
    format: Option<&'a str>,
    /// Start and end of each day's text in `bytes`.
    known: HashMap<i32, (u32, u32)>,
    bytes: Vec<u8>,
}

impl<'a> Days<'a> {
    fn new(format: Option<&'a str>) -> Days<'a> {
        Days { format, known: HashMap::new(), bytes: Vec::new() }
    }

    #[inline]
    fn text(&mut self, day: i32) -> Result<&[u8], Failure> {
        let (start, end) = match self.known.get(&day) {
            Some(range) => *range,
            None => self.add(day)?,
        };
        Ok(&self.bytes[start as usize..end as usize])
    }

    #[cold]
    fn add(&mut self, day: i32) -> Result<(u32, u32), Failure> {
        let date = jiff::Timestamp::from_second(i64::from(day) * 86_400)
            .map_err(|_| {
                Failure::new(format!(
                    "a date lies outside the years -9999 to 9999: day {day} from 1970-01-01"
                ))
            })?
            .to_zoned(jiff::tz::TimeZone::UTC)
            .date();
        let text = match self.format {
            Some(format) => BrokenDownTime::from(date)
                .to_string(format)
                .map_err(|error| Failure::new(error.to_string()))?,
            None => date.to_string(),
        };
        let start = self.bytes.len() as u32;
        self.bytes.extend_from_slice(text.as_bytes());
        let range = (start, self.bytes.len() as u32);
        self.known.insert(day, range);
        Ok(range)
    }
}

fn primitive<T: NativeType>(chunk: &dyn Array) -> Result<&[T], Failure> {
    Ok(downcast::<PrimitiveArray<T>>(chunk)?.values().as_slice())
}

fn downcast<A: Array>(chunk: &dyn Array) -> Result<&A, Failure> {
    chunk
        .as_any()
        .downcast_ref()
        .ok_or_else(|| Failure::new("a column does not have the type that was planned"))
}

impl Writer {
    fn cells<'a>(&'a self, chunk: &'a dyn Array) -> Result<Cells<'a>, Failure> {
        Ok(match self {
            Writer::Bool => Cells::Bool(downcast::<BooleanArray>(chunk)?.values()),
            Writer::Int(width) => Cells::Int(primitive(chunk)?, *width),
            Writer::Float => Cells::Float(primitive(chunk)?),
            Writer::Decimal(scale) => Cells::Decimal(primitive(chunk)?, *scale),
            Writer::Text => Cells::Text(downcast(chunk)?),
            Writer::Categories(categories) => {
                let texts = categories.values();
                match chunk.as_any() {
                    any if any.is::<PrimitiveArray<u8>>() && texts.iter().all(|text| text.len() <= SHORT) => {
                        Cells::Code8(primitive(chunk)?, texts.iter().map(|text| Short::new(text)).collect())
                    }
                    any if any.is::<PrimitiveArray<u8>>() => Cells::LongCode8(primitive(chunk)?, texts),
                    any if any.is::<PrimitiveArray<u16>>() => Cells::Code16(primitive(chunk)?, texts),
                    _ => Cells::Code32(primitive(chunk)?, texts),
                }
            }
            Writer::Date => Cells::Date(primitive(chunk)?, Days::new(None)),
            Writer::DateAs(format) => Cells::Date(primitive(chunk)?, Days::new(Some(format))),
            Writer::Datetime => Cells::Datetime(primitive(chunk)?, Days::new(None)),
            Writer::DatetimeAs(format) => Cells::DatetimeAs(primitive(chunk)?, format),
            Writer::Duration => Cells::Duration(primitive(chunk)?),
        })
    }
}

/// Longest text of a [`Short`].
const SHORT: usize = 16;

/// A text of at most 16 bytes, copied as a whole: a copy of known size costs a fraction of one whose size must be looked at.
#[derive(Clone, Copy)]
struct Short {
    bytes: [u8; SHORT],
    len: u8,
}

impl Short {
    fn new(text: &str) -> Short {
        let mut bytes = [0; SHORT];
        bytes[..text.len()].copy_from_slice(text.as_bytes());
        Short { bytes, len: text.len() as u8 }
    }

    #[inline]
    fn push(self, out: &mut Vec<u8>) {
        let end = out.len() + usize::from(self.len);
        out.extend_from_slice(&self.bytes);
        out.truncate(end);
    }
}

const SECOND: u64 = 1_000_000;

impl Cells<'_> {
    #[inline]
    fn write(&mut self, row: usize, out: &mut Vec<u8>) -> Result<(), Failure> {
        match self {
            Cells::Literal(text) => out.extend_from_slice(text),
            Cells::Bool(values) => {
                out.extend_from_slice(if values.get_bit(row) { b"true" } else { b"false" })
            }
            Cells::Int(values, width) => push_int(out, values[row], *width),
            Cells::Float(values) => out.extend_from_slice(zmij::Buffer::new().format(values[row]).as_bytes()),
            Cells::Decimal(values, scale) => push_decimal(out, values[row], *scale),
            Cells::Text(values) => out.extend_from_slice(values.value(row).as_bytes()),
            Cells::Code8(codes, texts) => texts[usize::from(codes[row])].push(out),
            Cells::LongCode8(codes, texts) => {
                out.extend_from_slice(texts[usize::from(codes[row])].as_bytes());
            }
            Cells::Code16(codes, texts) => out.extend_from_slice(texts[usize::from(codes[row])].as_bytes()),
            Cells::Code32(codes, texts) => out.extend_from_slice(texts[codes[row] as usize].as_bytes()),
            Cells::Date(values, days) => out.extend_from_slice(days.text(values[row])?),
            Cells::Datetime(values, days) => {
                const DAY: i64 = 86_400 * SECOND as i64;
                let day = values[row].div_euclid(DAY) as i32;
                out.extend_from_slice(days.text(day)?);
                let micros = values[row].rem_euclid(DAY) as u64;
                let seconds = micros / SECOND;
                for (mark, part) in [(b'T', seconds / 3600), (b':', seconds / 60 % 60), (b':', seconds % 60)]
                {
                    out.push(mark);
                    push_int(out, part as i64, 2);
                }
                push_second_fraction(out, micros % SECOND);
                out.push(b'Z');
            }
            Cells::DatetimeAs(values, format) => {
                let zoned = jiff::Timestamp::from_microsecond(values[row])
                    .map_err(|_| {
                        Failure::new(format!(
                            "a datetime lies outside the years -9999 to 9999: {} us",
                            values[row]
                        ))
                    })?
                    .to_zoned(jiff::tz::TimeZone::UTC);
                let text = BrokenDownTime::from(&zoned).to_string(*format);
                out.extend_from_slice(text.map_err(|error| Failure::new(error.to_string()))?.as_bytes());
            }
            Cells::Duration(values) => push_duration(out, values[row]),
        }
        Ok(())
    }
}

/// `value` units of `10^-scale`, with exactly `scale` digits after the point.
fn push_decimal(out: &mut Vec<u8>, value: i128, scale: u8) {
    let unit = 10u128.pow(u32::from(scale));
    let size = value.unsigned_abs();
    if value < 0 {
        out.push(b'-');
    }
    // Decimal columns hold 18 digits, so both parts fit.
    push_int(out, (size / unit) as i64, 1);
    if scale > 0 {
        out.push(b'.');
        push_int(out, (size % unit) as i64, usize::from(scale));
    }
}

/// `.250` or `.250001`; nothing for zero.
fn push_second_fraction(out: &mut Vec<u8>, micros: u64) {
    if micros > 0 {
        out.push(b'.');
        match micros % 1000 {
            0 => push_int(out, (micros / 1000) as i64, 3),
            _ => push_int(out, micros as i64, 6),
        }
    }
}

/// A length of time in ISO 8601, in hours, minutes and seconds: `PT36H`, `PT1H30M`, `PT0.250S`, `-PT5M`.
fn push_duration(out: &mut Vec<u8>, micros: i64) {
    if micros < 0 {
        out.push(b'-');
    }
    out.extend_from_slice(b"PT");
    let start = out.len();
    let (seconds, micros) = (micros.unsigned_abs() / SECOND, micros.unsigned_abs() % SECOND);
    for (count, unit) in [(seconds / 3600, b'H'), (seconds / 60 % 60, b'M')] {
        if count > 0 {
            push_int(out, count as i64, 1);
            out.push(unit);
        }
    }
    if seconds % 60 > 0 || micros > 0 || out.len() == start {
        push_int(out, (seconds % 60) as i64, 1);
        push_second_fraction(out, micros);
        out.push(b'S');
    }
}

impl Generator for Template {
    fn inputs(&self, inputs: &mut Vec<InputName>) {
        Template::inputs(self, inputs);
    }

    fn prepare(&mut self, site: &mut Site<'_>) -> Option<Output> {
        Template::prepare(self, site)
    }

    fn promise(&self) -> Promise<'_> {
        Promise::Computed
    }

    fn fill(&self, block: &Block<'_>) -> Result<Series, Failure> {
        let mut texts = Texts::with_capacity(block.len(), 24);
        let mut valid = Vec::with_capacity(block.len());
        self.for_each(block, |write| {
            valid.push(write.is_some());
            texts.push(|out| {
                if let Some(write) = write {
                    write(out);
                }
            });
        })?;
        texts.finish(valid.contains(&false).then(|| valid.into()))
    }
}

impl Rule for Template {
    fn build(self, _: Span, _: &mut Builder<'_>) -> Option<Box<dyn Generator>> {
        Some(Box::new(self))
    }
}

pub(super) const KIND: Kind = Kind {
    name: "template",
    group: Group::Derived,
    summary: "Text put together from other columns.",
    details: "`{name}` stands for the row's value of the column or draw `name`, written as in a CSV file: true and false, \
              shortest floats (`80.0`), all digits of decimals, dates and times in ISO 8601 (`2026-01-31T12:00:00Z`, \
              `PT1H30M`). `{name:05}` fills whole numbers up with leading zeros to at least five characters; \
              `{name:%Y-%m-%d}` writes dates and datetimes (in UTC) by a format of strftime. The name ends at the first \
              colon. `{{` and `}}` are braces. Where a column that is used is null, the text is null. Texts are not known \
              to differ, so `unique` is refused: use a `pattern` or a `sequence` as a part, and leave `unique` off.",
    example: "{template: '{word}-{number:03}-{when:%Y%m}'}",
    ..Kind::of::<Template>()
};

#[cfg(test)]
mod tests {
    use lookalike_core::Rows;
    use lookalike_ruleset::diagnostic::Severity;

    use super::*;
    use crate::testing::plan;

    fn ruleset(template: &str) -> String {
        format!(
            "lookalike: 1\nclock: 2026-01-01\ntables:\n  t:\n    rows: 50\n    draws:\n      word: {{choice: [alpha, beta]}}\n      \
             id: {{pattern: '[a-z]{{20}}'}}\n      number: {{int_range: [-5, 1000]}}\n      flag: {{bernoulli: 50%}}\n      \
             when: {{date_range: [2025-01-01, 2025-12-31]}}\n      at: {{datetime_range: [2025-01-01, 2025-12-31]}}\n      \
             long: {{duration_range: [1h, 7d]}}\n      price: {{uniform: [1, 2], round: 2}}\n      share: {{uniform: [0, 1]}}\n      \
             some: {{int_range: [1, 9], null: 50%}}\n    columns:\n      c: {{template: '{template}'}}\n"
        )
    }

    /// The values of the template and of some columns, as text.
    fn rows(template: &str, columns: &[&str]) -> Vec<(Option<String>, Vec<Option<String>>)> {
        let plan = plan(&ruleset(template)).unwrap_or_else(|problems| panic!("{template}: {problems:?}"));
        let names: Vec<&str> = std::iter::once("c").chain(columns.iter().copied()).collect();
        let frame = plan.tables[0].select(&Rows::from(0..50), &names).unwrap();
        let text = |name: &str| {
            let series = frame.column(name).unwrap().cast(&DataType::String).unwrap();
            series.str().unwrap().iter().map(|v| v.map(str::to_owned)).collect::<Vec<_>>()
        };
        let inputs: Vec<_> = columns.iter().map(|name| text(name)).collect();
        text("c")
            .into_iter()
            .enumerate()
            .map(|(at, c)| (c, inputs.iter().map(|input| input[at].clone()).collect()))
            .collect()
    }

    #[test]
    fn values_stand_in_their_places() {
        for (text, inputs) in rows("{{{word}}}: {number:04}/{id}, {flag}", &["word", "number", "id", "flag"])
        {
            let input = |at: usize| inputs[at].clone().unwrap();
            let number: i64 = input(1).parse().unwrap();
            assert_eq!(text.unwrap(), format!("{{{}}}: {number:04}/{}, {}", input(0), input(2), input(3)));
        }
    }

    #[test]
    fn dates_have_formats() {
        for (text, inputs) in rows("{when:%d.%m.%Y}|{when}|{at:%H}", &["when", "at"]) {
            let (day, at) = (inputs[0].clone().unwrap(), inputs[1].clone().unwrap());
            let turned = format!("{}.{}.{}", &day[8..10], &day[5..7], &day[..4]);
            assert_eq!(text.unwrap(), format!("{turned}|{day}|{}", &at[11..13]));
        }
    }

    #[test]
    fn numbers_are_written_as_in_files() {
        for (text, inputs) in rows("{price}|{share}|{number}", &["price", "share", "number"]) {
            let expected: Vec<String> = inputs.into_iter().map(Option::unwrap).collect();
            let text = text.unwrap();
            let parts: Vec<&str> = text.split('|').collect();
            assert_eq!(parts[0].split_once('.').unwrap().1.len(), 2);
            assert_eq!(parts[0].parse::<f64>().unwrap(), expected[0].parse::<f64>().unwrap());
            assert_eq!(parts[1].parse::<f64>().unwrap(), expected[1].parse::<f64>().unwrap());
            assert_eq!(parts[2], expected[2]);
        }
    }

    #[test]
    fn a_null_makes_the_text_null() {
        let rows = rows("{some}-{word}", &["some", "word"]);
        assert!(rows.iter().any(|(text, _)| text.is_none()));
        for (text, inputs) in rows {
            let expected = inputs[0].as_ref().map(|some| format!("{some}-{}", inputs[1].as_ref().unwrap()));
            assert_eq!(text, expected);
        }
    }

    #[test]
    fn decimals_and_durations() {
        let text = |write: &dyn Fn(&mut Vec<u8>)| {
            let mut out = Vec::new();
            write(&mut out);
            String::from_utf8(out).unwrap()
        };
        for (value, scale, expected) in
            [(0, 2, "0.00"), (-5, 2, "-0.05"), (123_456, 3, "123.456"), (7, 0, "7")]
        {
            assert_eq!(text(&|out| push_decimal(out, value, scale)), expected);
        }
        for (micros, expected) in [
            (0, "PT0S"),
            (36 * 3_600_000_000, "PT36H"),
            (5_400_000_000, "PT1H30M"),
            (250_000, "PT0.250S"),
            (-300_000_000, "-PT5M"),
            (3_600_000_001, "PT1H0.000001S"),
        ] {
            assert_eq!(text(&|out| push_duration(out, micros)), expected);
        }
    }

    #[test]
    fn plain_follows_from_the_parts() {
        for (template, plain) in [
            ("{word}-{number:03}", true),
            ("{word} {when:%B}", true),
            (" {word}", false),
            ("{word}, {id}", false),
            ("{when:%e. %B}", false),
            ("{number};", false),
        ] {
            let plan = plan(&ruleset(template)).unwrap();
            assert_eq!(plan.tables[0].schema().fields[0].plain, plain, "{template}");
        }
    }

    #[test]
    fn mistakes_are_shown_at_their_place() {
        for (template, code, place) in [
            ("{wrod}", "unknown-column", "wrod"),
            ("a{", "bad-value", "{"),
            ("a}", "bad-value", "}"),
            ("{}", "bad-value", "{}"),
            ("{number:x}", "bad-value", ":x"),
            ("{number:0}", "bad-value", ":0"),
            ("{when:%H}", "bad-value", ":%H"),
            ("{word:03}", "bad-value", ":03"),
        ] {
            let text = ruleset(template);
            let problems = plan(&text).err().unwrap_or_else(|| panic!("{template} is accepted"));
            let diagnostic = problems.iter().find(|problem| problem.severity == Severity::Error).unwrap();
            assert_eq!(
                (diagnostic.code, &text[diagnostic.span.unwrap().range()]),
                (code, place),
                "{template}"
            );
        }
    }
}
