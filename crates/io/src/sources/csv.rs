//! CSV: RFC 4180 in UTF-8, with a header line.
//!
//! Lines end in `\n` or `\r\n`; a byte order mark at the start and empty lines at the end are passed over. Values are
//! separated by `,`, `;`, `|` or tabs, whichever gives all of the first lines the same number of values. A value that
//! begins with a quote ends with one, a quote inside is doubled, and line breaks may be between them; a quote elsewhere is
//! a character like others. Nothing means null, and so do the words that the user names, unless in quotes. Text in quotes
//! that is empty is the empty text; in a column of another type it is null.

use std::borrow::Cow;
use std::io::Read;
use std::path::Path;

use lookalike_ruleset::Field;

use super::disk::Disk;
use super::text::{Cell, Dialect, Flaw, Form, Found, New, TextSource};
use super::{MAX_COLUMNS, MAX_ROW_BYTES, Source, SourceKind, SourceOptions};
use crate::Error;

pub(super) const KIND: SourceKind = SourceKind {
    name: "csv",
    extensions: &["csv", "tsv"],
    summary: "comma-separated values with a header line",
    open,
};

/// What may separate values where the user does not say, the likeliest first.
const DELIMITERS: [u8; 4] = *b",;\t|";

const BOM: &[u8] = b"\xEF\xBB\xBF";

fn open(path: &Path, options: &SourceOptions) -> Result<Box<dyn Source>, Error> {
    let disk = Disk::open(path)?;
    let parse = |line: u64, column: u64, message: String| Error::Parse {
        path: path.to_path_buf(),
        line,
        column,
        message,
    };
    let mut start = Vec::new();
    disk.from(0).take(64 * 1024).read_to_end(&mut start).map_err(|error| disk.error(error))?;
    if start.starts_with(b"\xFF\xFE") || start.starts_with(b"\xFE\xFF") {
        return Err(parse(1, 1, "the file is UTF-16; save it as UTF-8".to_owned()));
    }
    let bom = if start.starts_with(BOM) { BOM.len() } else { 0 };
    if start.len() == bom {
        return Err(parse(
            1,
            1,
            "the file is empty; a header line with the names of the columns is needed".to_owned(),
        ));
    }
    let delimiter = match options.csv_delimiter {
        Some(delimiter) if delimiter.is_ascii() && !b"\"\r\n\0".contains(&delimiter) => delimiter,
        Some(delimiter) => {
            let shown = char::from(delimiter).escape_default();
            return Err(Error::Option(format!(
                "`{shown}` cannot separate CSV values; use `,`, `;`, `|` or a tab"
            )));
        }
        None if options.untyped => {
            let line = start[bom..].iter().position(|byte| *byte == b'\n');
            find_delimiter(&start[bom..line.map_or(start.len(), |end| bom + end + 1)])
        }
        None => find_delimiter(&start[bom..]),
    };
    let mut dialect = Csv::new(delimiter, options.csv_nulls.clone());
    // The header may be longer than what was looked at.
    let mut bytes = start;
    let mut cells = Vec::new();
    let len = loop {
        let last = bytes.len() as u64 == disk.len;
        match dialect.row(&bytes[bom..], last, &mut cells) {
            Ok(Found::Row(len)) => break len,
            Ok(Found::End) => {
                return Err(parse(1, 1, "a header line with the names of the columns is needed".into()));
            }
            Ok(Found::More) if !last && bytes.len() < MAX_ROW_BYTES => {
                bytes = disk.part(0..disk.len.min(bytes.len() as u64 * 2))?;
            }
            Ok(Found::More) => return Err(parse(1, 1, "the header line does not end".to_owned())),
            Err(flaw) => return Err(parse(1, flaw.at as u64 + 1, flaw.message)),
        }
    };
    let Ok(header) = std::str::from_utf8(&bytes[bom..bom + len]) else {
        return Err(parse(1, 1, "the header line is not UTF-8; save the file as UTF-8".to_owned()));
    };
    if cells.len() > MAX_COLUMNS {
        return Err(parse(
            1,
            1,
            format!("there are {} columns; at most {MAX_COLUMNS} are read", cells.len()),
        ));
    }
    let mut seen = std::collections::BTreeMap::new();
    for (at, cell) in cells.iter().enumerate() {
        let column = header[..cell.start as usize].chars().count() as u64 + 1;
        let mut name = unquoted(header, *cell).into_owned();
        if name.is_empty() {
            // As pandas and R write the names of rows.
            name = format!("column_{}", at + 1);
        }
        if let Some(before) = seen.insert(name.clone(), at) {
            let message = format!("the columns {} and {} are both called `{name}`", before + 1, at + 1);
            return Err(parse(1, column, message));
        }
        dialect.names.push(name);
    }
    let lines = header.matches('\n').count() as u64;
    Ok(Box::new(TextSource::open(disk, dialect, (bom + len) as u64, 1 + lines, options)?))
}

/// The delimiter by which all of the first rows have the same number of values, and the most of them; else the one that is
/// most often in the first.
fn find_delimiter(bytes: &[u8]) -> u8 {
    let mut best = (false, 1, b',');
    for delimiter in DELIMITERS {
        let mut dialect = Csv::new(delimiter, Vec::new());
        let (mut at, mut first, mut same, mut cells) = (0, 0, true, Vec::new());
        // The rows that were cut off count for nothing.
        while let Ok(Found::Row(len)) = dialect.row(&bytes[at..], false, &mut cells) {
            if first == 0 {
                first = cells.len();
            }
            same &= cells.len() == first;
            at += len;
            if at == bytes.len() {
                break;
            }
        }
        if first == 0 {
            let _ = dialect.row(bytes, true, &mut cells);
            first = cells.len();
        }
        if first > 1 && (same, first) > (best.0, best.1) {
            best = (same, first, delimiter);
        }
    }
    best.2
}

#[derive(Clone)]
struct Csv {
    delimiter: u8,
    nulls: Vec<String>,
    /// Names of the columns; none while the header is read.
    names: Vec<String>,
    /// Which bytes end a value without quotes.
    ends: Box<[bool; 256]>,
}

impl Csv {
    fn new(delimiter: u8, nulls: Vec<String>) -> Csv {
        let mut ends = Box::new([false; 256]);
        for byte in [delimiter, b'\n', b'\r'] {
            ends[usize::from(byte)] = true;
        }
        Csv { delimiter, nulls, names: Vec::new(), ends }
    }

    /// Writes a value as it must be written to be read back: in quotes if `quoted` or if need be.
    fn write(&self, value: Option<&str>, quoted: bool, out: &mut Vec<u8>) {
        let Some(text) = value else {
            out.extend_from_slice(self.nulls.first().map_or("", String::as_str).as_bytes());
            return;
        };
        let special = |byte: u8| byte == b'"' || self.ends[usize::from(byte)];
        let edge = text.starts_with(' ') || text.ends_with(' ');
        let null = text.is_empty() || self.nulls.iter().any(|null| null == text);
        if !quoted && !edge && !null && !text.bytes().any(special) {
            out.extend_from_slice(text.as_bytes());
            return;
        }
        out.push(b'"');
        out.extend_from_slice(text.replace('"', "\"\"").as_bytes());
        out.push(b'"');
    }
}

/// The text in a cell.
fn unquoted(row: &str, cell: Cell) -> Cow<'_, str> {
    let raw = cell.of(row);
    match cell.form {
        Form::Bare | Form::Nested | Form::Missing => raw.into(),
        Form::Quoted => raw[1..raw.len() - 1].into(),
        Form::Escaped => raw[1..raw.len() - 1].replace("\"\"", "\"").into(),
    }
}

impl Dialect for Csv {
    const STRINGS: bool = false;

    fn row(&mut self, bytes: &[u8], last: bool, cells: &mut Vec<Cell>) -> Result<Found, Flaw> {
        cells.clear();
        let columns = self.names.len();
        if columns != 1 && matches!(bytes.first(), Some(b'\n' | b'\r')) {
            return match bytes.iter().position(|byte| !b"\r\n".contains(byte)) {
                None if last => Ok(Found::End),
                None => Ok(Found::More),
                Some(_) => Err(Flaw {
                    at: 0,
                    message: "this line is empty, but not at the end of the file".to_owned(),
                }),
            };
        }
        let mut at = 0;
        let end = loop {
            let start = at;
            let mut form = Form::Bare;
            if bytes.get(at) == Some(&b'"') {
                form = Form::Quoted;
                at += 1;
                loop {
                    let Some(quote) = bytes[at.min(bytes.len())..].iter().position(|byte| *byte == b'"')
                    else {
                        let message = "the quote that begins here does not end".to_owned();
                        return if last { Err(Flaw { at: start, message }) } else { Ok(Found::More) };
                    };
                    at += quote + 1;
                    if bytes.get(at) != Some(&b'"') {
                        break;
                    }
                    form = Form::Escaped;
                    at += 1;
                }
            } else {
                at += bytes[at..].iter().take_while(|byte| !self.ends[usize::from(**byte)]).count();
            }
            if start > MAX_ROW_BYTES || at > MAX_ROW_BYTES {
                return Ok(Found::Row(at));
            }
            cells.push(Cell { start: start as u32, end: at as u32, form });
            match bytes.get(at) {
                Some(byte) if *byte == self.delimiter => at += 1,
                Some(b'\n') => break at + 1,
                Some(b'\r') if bytes.get(at + 1) == Some(&b'\n') => break at + 2,
                None if last => break at,
                None => return Ok(Found::More),
                Some(b'\r') if at + 1 == bytes.len() && !last => return Ok(Found::More),
                Some(b'\r') => {
                    let message = "a carriage return without a line feed; lines end in \\n or \\r\\n, and one \
                                   inside a value needs quotes";
                    return Err(Flaw { at, message: message.to_owned() });
                }
                Some(_) => {
                    let message = "text follows behind the closing quote; a quote inside quotes is doubled";
                    return Err(Flaw { at, message: message.to_owned() });
                }
            }
        };
        if columns > 0 && cells.len() != columns {
            let at = cells.get(columns).map_or(end, |cell| cell.start as usize);
            let line_end = bytes[..end].iter().rev().take_while(|byte| b"\r\n".contains(byte)).count();
            let values = if cells.len() == 1 { "value" } else { "values" };
            let message =
                format!("this row has {} {values}, the header names {columns} columns", cells.len());
            return Err(Flaw { at: at.min(end - line_end), message });
        }
        Ok(Found::Row(end))
    }

    fn names(&self) -> &[String] {
        &self.names
    }

    fn value<'a>(&self, row: &'a str, cell: Cell) -> Result<Option<Cow<'a, str>>, Flaw> {
        let text = unquoted(row, cell);
        let null =
            cell.form == Form::Bare && (text.is_empty() || self.nulls.iter().any(|null| *null == text));
        Ok(if null || cell.form == Form::Missing { None } else { Some(text) })
    }

    fn header(&self, mut head: Vec<u8>, added: &[Field]) -> Vec<u8> {
        let ends = head.iter().rev().take_while(|byte| b"\r\n".contains(byte)).count();
        let end = head.split_off(head.len() - ends);
        for field in added {
            head.push(self.delimiter);
            self.write(Some(&field.name), false, &mut head);
        }
        head.extend_from_slice(&end);
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
        let mut at = 0;
        for new in news.iter().filter(|new| new.column < cells.len()) {
            let cell = cells[new.column];
            out.extend_from_slice(&row.as_bytes()[at..cell.start as usize]);
            self.write(new.value.as_deref(), cell.form.is_quoted(), out);
            at = cell.end as usize;
        }
        let end = cells.last().map_or(0, |cell| cell.end as usize);
        out.extend_from_slice(&row.as_bytes()[at..end]);
        for place in cells.len()..cells.len() + added.len() {
            out.push(self.delimiter);
            let new = news.iter().find(|new| new.column == place);
            self.write(new.and_then(|new| new.value.as_deref()), false, out);
        }
        out.extend_from_slice(&row.as_bytes()[end..]);
        Ok(())
    }
}
