//! CSV: RFC 4180, but lines end in `\n`, in UTF-8 without a byte order mark.
//!
//! | type | text |
//! |---|---|
//! | bool | `true`, `false` |
//! | int | `42` |
//! | float | the fewest digits that read back the same: `80.0`, `0.1`, `1e+21`, `NaN`, `inf` |
//! | decimal | all its digits: `12.50` |
//! | date | `2026-01-31` |
//! | datetime | `2026-01-31T23:59:59Z`, with `.250` or `.250001` if not a whole second |
//! | duration | `PT36H`, `PT1H30M`, `PT0.250S`, `PT0S`, `-PT5M` |
//!
//! Null is the null text, nothing by default, and never quoted. Text that would read as null or lose something is
//! quoted, the empty text as `""`. (In a table of one column a null is an empty line by default, which some readers
//! skip: choose a null text there.)

use std::sync::Arc;

use lookalike_ruleset::TableSchema;

use super::{Holds, Sink, SinkKind, TextSink, require_columns};
use crate::text::{Buffers, ColumnText, Escape, RowText};
use crate::{CsvOptions, Error, Output, Quote, SinkOptions};

pub(super) const KIND: SinkKind = SinkKind {
    name: "csv",
    extension: "csv",
    summary: "comma-separated values with a header line",
    holds: Holds::Table,
    open,
};

fn open(schema: &TableSchema, mut output: Output, options: &SinkOptions) -> Result<Box<dyn Sink>, Error> {
    require_columns(schema)?;
    let piece = options.piece;
    let options = &options.csv;
    check(options)?;
    let delimiter = options.delimiter;
    let columns = schema.fields.iter().enumerate().map(|(index, field)| {
        let lead = if index == 0 { Vec::new() } else { vec![delimiter] };
        let quoted = match options.quote {
            Quote::Minimal => false,
            Quote::All => true,
            Quote::Text => !field.ty.is_number(),
        };
        // What a ruleset knows of its text is about commas and semicolons.
        let plain = field.plain && matches!(delimiter, b',' | b';' | b'\t');
        ColumnText::new(lead, quoted, plain)
    });
    let rows = RowText {
        format: KIND.name,
        schema: schema.clone(),
        columns: columns.collect(),
        null: options.null.clone().into_bytes(),
        escape: Escape::Csv { delimiter },
        end: (*b"\n ", 1),
        buffers: Arc::new(Buffers::default()),
    };
    if options.header && piece.first {
        output.write(&header(&rows, options.quote))?;
    }
    Ok(Box::new(TextSink::new(rows, output)))
}

/// The line of column names, quoted as text is.
fn header(rows: &RowText, quote: Quote) -> Vec<u8> {
    let mut line = Vec::new();
    for (column, field) in rows.columns.iter().zip(&rows.schema.fields) {
        let name = field.name.as_bytes();
        line.extend_from_slice(&column.lead);
        if quote != Quote::Minimal || name.is_empty() || rows.escape.needed(name) {
            rows.escape.append(name, &mut line);
        } else {
            line.extend_from_slice(name);
        }
    }
    line.push(b'\n');
    line
}

/// Refuses options that make files which do not read back.
fn check(options: &CsvOptions) -> Result<(), Error> {
    let delimiter = options.delimiter;
    if !delimiter.is_ascii()
        || delimiter.is_ascii_alphanumeric()
        || b"\"\r\n+-.: ".contains(&delimiter)
        || delimiter == 0
    {
        let shown = char::from(delimiter).escape_default();
        return Err(Error::Option(format!(
            "`{shown}` cannot separate CSV values; use `,`, `;`, `|` or a tab"
        )));
    }
    let null = options.null.as_str();
    let broken =
        null.bytes().any(|byte| byte == delimiter || b"\"\r\n".contains(&byte)) || null.trim() != null;
    let digit = null.trim_start_matches(['-', '+', '.', 'P', 'T']).starts_with(|c: char| c.is_ascii_digit());
    let value = digit || ["true", "false", "NaN", "inf", "-inf"].contains(&null);
    if broken || value {
        let why = if value { "it reads as a value" } else { "it needs quotes" };
        return Err(Error::Option(format!("`{}` cannot stand for null in CSV: {why}", null.escape_debug())));
    }
    Ok(())
}
