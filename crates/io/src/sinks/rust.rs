//! Rust: a module with a struct and a `static` slice of it, to be brought in with `mod` or `include!`.
//!
//! Bool, int and float are `bool`, `i64` and `f64`; a decimal is the `f64` nearest to it, one without places an `i64`. Text
//! is `&'static str`, and so are dates, stamps and lengths of time, written as in CSV. What can be null is an `Option`.
//! It is meant for fixtures: the compiler takes about three seconds for ten thousand rows of ten columns.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::sync::Arc;

use lookalike_ruleset::{Field, TableSchema, Type};
use polars::prelude::DataFrame;

use super::{Encoder, Holds, Sink, SinkKind, require_columns};
use crate::part::Body;
use crate::{Error, Output, Part, Pending, SinkOptions, frame, texts};

pub(super) const KIND: SinkKind = SinkKind {
    name: "rust",
    extension: "rs",
    summary: "Rust module with a struct and a static slice of rows",
    holds: Holds::Table,
    open,
};

/// Words that no name can be, and those that none can be even with `r#`.
const KEYWORDS: &[&str] = &[
    "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "do", "dyn", "else",
    "enum", "extern", "false", "final", "fn", "for", "gen", "if", "impl", "in", "let", "loop", "macro",
    "match", "mod", "move", "mut", "override", "priv", "pub", "ref", "return", "static", "struct", "trait",
    "true", "try", "type", "typeof", "unsafe", "unsized", "use", "virtual", "where", "while", "yield",
];
const NEVER: &[&str] = &["crate", "self", "super"];

fn open(schema: &TableSchema, mut output: Output, options: &SinkOptions) -> Result<Box<dyn Sink>, Error> {
    require_columns(schema)?;
    let words = words(&schema.table);
    let name: String = words.iter().map(|word| capitalized(word)).collect();
    let name = if name.starts_with(|c: char| c.is_ascii_alphabetic()) { name } else { format!("Row{name}") };
    // `Self` is no name for a struct.
    let name = if name == "Self" { "SelfRow".to_owned() } else { name };
    let rows = words.join("_").to_uppercase();
    let rows =
        if rows.starts_with(|c: char| c.is_ascii_alphabetic()) { rows } else { format!("ROWS_{rows}") };
    let fields = fields(schema);
    if options.piece.first {
        let mut head = format!("/// A row of table `{}`.\n", one_line(&schema.table));
        head.push_str("#[derive(Clone, Copy, Debug, PartialEq)]\n");
        let _ = writeln!(head, "pub struct {name} {{");
        for (field, ident) in schema.fields.iter().zip(&fields) {
            let about =
                field.about.as_deref().map_or(String::new(), |about| format!(": {}", one_line(about)));
            let _ = writeln!(head, "    /// Column `{}`{about}.", one_line(&field.name));
            let ty = ty(field.ty);
            let ty = if field.nullable { format!("Option<{ty}>") } else { ty.to_owned() };
            let _ = writeln!(head, "    pub {ident}: {ty},");
        }
        let _ = writeln!(head, "}}\n\n/// The rows of table `{}`.", one_line(&schema.table));
        let _ = writeln!(head, "#[rustfmt::skip]\npub static {rows}: &[{name}] = &[");
        output.write(head.as_bytes())?;
    }
    let encoder = Arc::new(RustEncoder { schema: schema.clone(), name, fields });
    Ok(Box::new(RustSink { encoder, output, rows: 0, is_last: options.piece.last }))
}

fn ty(ty: Type) -> &'static str {
    match ty {
        Type::Bool => "bool",
        Type::Int | Type::Decimal(0) => "i64",
        Type::Float | Type::Decimal(_) => "f64",
        Type::Text | Type::Date | Type::Datetime | Type::Duration => "&'static str",
    }
}

/// A text that cannot end the comment it stands in.
fn one_line(text: &str) -> String {
    text.trim_end_matches('.').chars().map(|c| if is_strange(c) { ' ' } else { c }).collect()
}

/// Control characters, and those that turn the direction of text, which the compiler does not take as they are.
fn is_strange(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// The words in a name, in lower case.
fn words(name: &str) -> Vec<String> {
    let mut words: Vec<String> = vec![String::new()];
    let mut before = ' ';
    for c in name.chars() {
        if !c.is_ascii_alphanumeric() || c.is_ascii_uppercase() && before.is_ascii_lowercase() {
            words.push(String::new());
        }
        if c.is_ascii_alphanumeric() {
            words.last_mut().expect("there is one").push(c.to_ascii_lowercase());
        }
        before = c;
    }
    words.retain(|word| !word.is_empty());
    words
}

fn capitalized(word: &str) -> String {
    let (first, rest) = word.split_at(1.min(word.len()));
    first.to_ascii_uppercase() + rest
}

/// Names of the struct's fields, no two of them the same.
fn fields(schema: &TableSchema) -> Vec<String> {
    let mut taken = BTreeSet::new();
    let mut name = |(at, field): (usize, &Field)| {
        let mut name = words(&field.name).join("_");
        if !name.starts_with(|c: char| c.is_ascii_alphabetic()) {
            name = if name.is_empty() { format!("column_{}", at + 1) } else { format!("column_{name}") };
        }
        if NEVER.contains(&name.as_str()) {
            name.push('_');
        }
        let mut tried = name.clone();
        for number in 2.. {
            if taken.insert(tried.clone()) {
                break;
            }
            tried = format!("{name}_{number}");
        }
        if KEYWORDS.contains(&tried.as_str()) { format!("r#{tried}") } else { tried }
    };
    schema.fields.iter().enumerate().map(&mut name).collect()
}

/// Appends a text as a string literal.
fn quoted(text: &str, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if is_strange(c) => {
                let _ = write!(out, "\\u{{{:x}}}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
}

struct RustEncoder {
    schema: TableSchema,
    name: String,
    fields: Vec<String>,
}

impl Encoder for RustEncoder {
    fn encode(&self, frame: &DataFrame) -> Result<Part, Error> {
        let columns = frame::columns(frame, &self.schema)?;
        let columns = columns.iter().zip(&self.schema.fields).map(|(series, field)| texts(field, series));
        let columns = columns.collect::<Result<Vec<_>, _>>()?;
        let mut columns: Vec<_> =
            columns.iter().map(|texts| texts.iter()).zip(&self.schema.fields).zip(&self.fields).collect();
        let mut out = String::new();
        for _ in 0..frame.height() {
            let _ = write!(out, "    {} {{", self.name);
            for (at, ((texts, field), name)) in columns.iter_mut().enumerate() {
                let _ = write!(out, "{} {name}: ", if at > 0 { "," } else { "" });
                let Some(text) = texts.next().flatten() else {
                    out.push_str("None");
                    continue;
                };
                out.push_str(if field.nullable { "Some(" } else { "" });
                match (field.ty, text) {
                    (Type::Float, "NaN") => out.push_str("f64::NAN"),
                    (Type::Float, "inf") => out.push_str("f64::INFINITY"),
                    (Type::Float, "-inf") => out.push_str("f64::NEG_INFINITY"),
                    (Type::Bool | Type::Int | Type::Float | Type::Decimal(_), text) => out.push_str(text),
                    (_, text) => quoted(text, &mut out),
                }
                out.push_str(if field.nullable { ")" } else { "" });
            }
            out.push_str(" },\n");
        }
        Ok(Part { rows: frame.height() as u64, body: Body::Bytes(out.into_bytes()) })
    }
}

struct RustSink {
    encoder: Arc<RustEncoder>,
    output: Output,
    rows: u64,
    is_last: bool,
}

impl Sink for RustSink {
    fn encoder(&self) -> Arc<dyn Encoder> {
        self.encoder.clone()
    }

    fn write(&mut self, part: Part) -> Result<(), Error> {
        let Body::Bytes(text) = part.body else {
            return Err(Error::ForeignPart { format: KIND.name });
        };
        self.rows += part.rows;
        self.output.write(&text)
    }

    fn finish(mut self: Box<Self>) -> Result<Pending, Error> {
        if self.is_last {
            self.output.write(b"];\n")?;
        }
        self.output.finish(self.rows)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(columns: &[&str]) -> Vec<String> {
        let field = |name: &&str| Field {
            name: (*name).into(),
            ty: Type::Int,
            nullable: false,
            plain: false,
            json: false,
            about: None,
        };
        fields(&TableSchema { table: "t".into(), fields: columns.iter().map(field).collect() })
    }

    #[test]
    fn fields_have_names_that_rust_takes() {
        assert_eq!(
            named(&[
                "Volume ID",
                "volume_id",
                "type",
                "self",
                "1st",
                "größe",
                "世界",
                "P_FirstName",
                "a) fn x("
            ]),
            [
                "volume_id",
                "volume_id_2",
                "r#type",
                "self_",
                "column_1st",
                "gr_e",
                "column_7",
                "p_first_name",
                "a_fn_x"
            ]
        );
    }

    #[test]
    fn texts_stay_in_their_quotes() {
        let mut out = String::new();
        quoted("a\"; fn x() {} \\ \n\u{0}\u{202e}🌍'", &mut out);
        assert_eq!(out, r#""a\"; fn x() {} \\ \n\u{0}\u{202e}🌍'""#);
        assert_eq!(one_line("one.\n*/ two\u{2028}"), "one. */ two ");
    }
}
