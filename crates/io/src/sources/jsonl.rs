//! JSON lines: one object a line, in UTF-8.
//!
//! Columns are the keys in the order in which they first appear; a key that an object lacks is null, as is `null`. Strings
//! are dates, datetimes or durations where all values of a column are, else text; a column of strings and numbers is text.
//! An object or a list in the place of a value is text, the JSON as it stands there. Empty lines are passed over.

use std::borrow::Cow;
use std::collections::HashMap;
use std::path::Path;

use lookalike_ruleset::{Field, Type};
use serde_json::value::RawValue;

use super::disk::Disk;
use super::text::{Cell, Dialect, Flaw, Form, Found, New, TextSource};
use super::{MAX_COLUMNS, MAX_ROW_BYTES, Source, SourceKind, SourceOptions};
use crate::Error;
use crate::text::Escape;

pub(super) const KIND: SourceKind = SourceKind {
    name: "jsonl",
    extensions: &["jsonl", "ndjson"],
    summary: "JSON lines, one object a row",
    open,
};

fn open(path: &Path, options: &SourceOptions) -> Result<Box<dyn Source>, Error> {
    let disk = Disk::open(path)?;
    let mark = disk.part(0..disk.len.min(3))?;
    let first = if mark == b"\xEF\xBB\xBF" { 3 } else { 0 };
    let source = TextSource::open(disk, Jsonl::default(), first, 1, options)?;
    if source.schema().fields.is_empty() {
        return Err(Error::Data {
            path: path.to_path_buf(),
            message: "there are no columns: JSON lines need an object with at least one key".to_owned(),
        });
    }
    Ok(Box::new(source))
}

#[derive(Clone, Default)]
struct Jsonl {
    names: Vec<String>,
    places: HashMap<String, usize>,
}

/// The entries of an object, in order.
struct Entries<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'de: 'a, 'a> serde::Deserialize<'de> for Entries<'a> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> serde::de::Visitor<'de> for Visitor {
            type Value = Entries<'de>;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object such as {\"name\": \"value\"}")
            }
            fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut entries = Vec::new();
                while let Some(Key(key)) = map.next_key()? {
                    entries.push((key, map.next_value()?));
                }
                Ok(Entries(entries))
            }
        }
        deserializer.deserialize_map(Visitor)
    }
}

/// A key, borrowed where nothing in it is escaped.
#[derive(serde::Deserialize)]
struct Key<'a>(#[serde(borrow)] Cow<'a, str>);

impl Dialect for Jsonl {
    const STRINGS: bool = true;

    fn row(&mut self, bytes: &[u8], last: bool, cells: &mut Vec<Cell>) -> Result<Found, Flaw> {
        cells.clear();
        cells.resize(self.names.len(), Cell::MISSING);
        let Some(start) = bytes.iter().position(|byte| !byte.is_ascii_whitespace()) else {
            return Ok(if last { Found::End } else { Found::More });
        };
        let end = match bytes[start..].iter().position(|byte| *byte == b'\n') {
            Some(len) => start + len + 1,
            None if last => bytes.len(),
            None => return Ok(Found::More),
        };
        if end > MAX_ROW_BYTES {
            return Ok(Found::Row(end));
        }
        let row = std::str::from_utf8(&bytes[..end]).map_err(|error| Flaw {
            at: error.valid_up_to(),
            message: "these bytes are not UTF-8; save the file as UTF-8".to_owned(),
        })?;
        let line = &row[start..];
        if !line.starts_with('{') {
            let message = match line.starts_with('[') {
                true => {
                    "expected an object; an array of objects is not JSON lines: put each on a line of its own"
                }
                false => "expected an object such as {\"name\": \"value\"}",
            };
            return Err(Flaw { at: start, message: message.to_owned() });
        }
        let entries: Entries<'_> = serde_json::from_str(line).map_err(|error| {
            let text = error.to_string();
            let message = text.split(" at line ").next().unwrap_or_default();
            Flaw {
                at: start + error.column().saturating_sub(1),
                message: format!("this is not JSON: {message}"),
            }
        })?;
        let offset = |part: &str| part.as_ptr() as usize - row.as_ptr() as usize;
        for (guess, (key, value)) in entries.0.iter().enumerate() {
            let raw = value.get();
            let at = offset(raw);
            let column = match self.names.get(guess) {
                Some(name) if name == key => guess,
                _ => match self.places.get(key.as_ref()) {
                    Some(column) => *column,
                    None if self.names.len() == MAX_COLUMNS => {
                        let message =
                            format!("there are more than {MAX_COLUMNS} keys, the most that are read");
                        return Err(Flaw { at, message });
                    }
                    None => {
                        self.places.insert(key.to_string(), self.names.len());
                        self.names.push(key.to_string());
                        cells.push(Cell::MISSING);
                        self.names.len() - 1
                    }
                },
            };
            let form = match raw.as_bytes()[0] {
                b'"' if raw.contains('\\') => Form::Escaped,
                b'"' => Form::Quoted,
                b'{' | b'[' => Form::Nested,
                _ => Form::Bare,
            };
            if cells[column].form != Form::Missing {
                return Err(Flaw { at, message: format!("this object has the key `{key}` twice") });
            }
            cells[column] = Cell { start: at as u32, end: (at + raw.len()) as u32, form };
        }
        Ok(Found::Row(end))
    }

    fn names(&self) -> &[String] {
        &self.names
    }

    fn value<'a>(&self, row: &'a str, cell: Cell) -> Result<Option<Cow<'a, str>>, Flaw> {
        let raw = cell.of(row);
        Ok(match cell.form {
            Form::Missing => None,
            Form::Bare => (raw != "null").then_some(raw.into()),
            Form::Nested => Some(raw.into()),
            Form::Quoted => Some(raw[1..raw.len() - 1].into()),
            Form::Escaped => Some(serde_json::from_str::<String>(raw).map(Cow::Owned).map_err(|error| {
                Flaw { at: cell.start as usize, message: format!("this string is not JSON: {error}") }
            })?),
        })
    }

    fn header(&self, head: Vec<u8>, _: &[Field]) -> Vec<u8> {
        head
    }

    fn rewrite(
        &self,
        row: &str,
        cells: &[Cell],
        news: &[New<'_>],
        added: &[Field],
        out: &mut Vec<u8>,
    ) -> Result<(), Error> {
        let missing = |column: usize| cells.get(column).is_none_or(|cell| cell.form == Form::Missing);
        // Cells stand in the row in an order of its own.
        let mut places: Vec<_> = news.iter().filter(|new| !missing(new.column)).collect();
        places.sort_by_key(|new| cells[new.column].start);
        let mut at = 0;
        for new in places {
            let cell = cells[new.column];
            out.extend_from_slice(&row.as_bytes()[at..cell.start as usize]);
            write(new.field, new.value.as_deref(), cell.form, out)?;
            at = cell.end as usize;
        }
        let close = row.rfind('}').unwrap_or(row.len());
        out.extend_from_slice(&row.as_bytes()[at..close]);
        let mut first = cells.iter().all(|cell| cell.form == Form::Missing);
        let mut entry = |field: &Field, value: Option<&str>, out: &mut Vec<u8>| {
            if !first {
                out.push(b',');
            }
            first = false;
            Escape::Json.append(field.name.as_bytes(), out);
            out.push(b':');
            write(field, value, Form::Missing, out)
        };
        let own = self.names.len();
        for new in news.iter().filter(|new| new.column < own && missing(new.column) && new.value.is_some()) {
            entry(new.field, new.value.as_deref(), out)?;
        }
        for (place, field) in added.iter().enumerate() {
            let new = news.iter().find(|new| new.column == own + place);
            entry(field, new.and_then(|new| new.value.as_deref()), out)?;
        }
        out.extend_from_slice(&row.as_bytes()[close..]);
        Ok(())
    }
}

/// Writes a value.
fn write(field: &Field, value: Option<&str>, form: Form, out: &mut Vec<u8>) -> Result<(), Error> {
    let Some(text) = value else {
        out.extend_from_slice(b"null");
        return Ok(());
    };
    let number = field.ty.is_number();
    if number && matches!(text, "NaN" | "inf" | "-inf") {
        return Err(Error::Value { column: field.name.clone(), format: KIND.name, value: text.to_owned() });
    }
    // An anomaly may put text where a number should be.
    let bare = match field.ty {
        Type::Bool => matches!(text, "true" | "false"),
        _ if form == Form::Nested => serde_json::from_str::<&RawValue>(text).is_ok(),
        _ => number && serde_json::from_str::<serde_json::Number>(text).is_ok(),
    };
    if bare && !form.is_quoted() {
        out.extend_from_slice(text.as_bytes());
    } else {
        Escape::Json.append(text.as_bytes(), out);
    }
    Ok(())
}
