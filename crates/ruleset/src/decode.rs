//! From nodes to typed values: one trait gives the parser, the JSON Schema and the manual.
//!
//! A type that can stand in a ruleset implements [`Decode`]. Structs get it from the [`params!`](crate::params) macro, in
//! which a field is written once with its documentation, type and default. Decoding collects every problem it meets and
//! goes on; it gives `None` when the value cannot be used.

use serde_json::{Value as Json, json};

use crate::diagnostic::{Diagnostic, Problems, did_you_mean};
use crate::node::{Entry, Node, Value};
use crate::source::Span;

/// A value that can be read from a ruleset.
pub trait Decode: Sized {
    /// Reads the value, adding what is wrong with it to `problems`.
    fn decode(node: &Node, problems: &mut Problems) -> Option<Self>;

    /// What stands in for the value where the key is absent; `None` means that the key is required.
    fn missing() -> Option<Self> {
        None
    }

    /// What may be written, in a few words: `a number such as 10, 2.5 or 10k`.
    fn what() -> String;

    /// The JSON Schema of what may be written.
    fn schema() -> Json;

    /// The fields, for a struct.
    fn fields() -> Vec<FieldDoc> {
        Vec::new()
    }
}

/// A field of a struct that can stand in a ruleset, for the manual.
#[derive(Clone, Debug)]
pub struct FieldDoc {
    /// Key in the ruleset.
    pub name: &'static str,
    /// Its documentation, from the struct.
    pub doc: String,
    /// What may be written.
    pub what: String,
    /// Whether the key must be there.
    pub required: bool,
}

/// Adds the usual diagnostic for a value of the wrong form.
pub fn wrong(node: &Node, expected: impl AsRef<str>, problems: &mut Problems) {
    if node.value == Value::Reported {
        return;
    }
    problems.push(
        Diagnostic::error(
            "wrong-type",
            node.span,
            format!("found {} where it does not fit", node.describe()),
        )
        .label(format!("expected {}", expected.as_ref())),
    );
}

/// Adds the usual diagnostic for a value out of range.
pub fn out_of_range(
    span: Span,
    found: impl std::fmt::Display,
    expected: impl Into<String>,
    problems: &mut Problems,
) {
    problems.push(Diagnostic::error("bad-value", span, format!("`{found}` is out of range")).label(expected));
}

/// The entries of a mapping, or a diagnostic.
pub fn entries<'a>(node: &'a Node, expected: &str, problems: &mut Problems) -> Option<&'a [Entry]> {
    let entries = node.as_map();
    if entries.is_none() {
        wrong(node, expected, problems);
    }
    entries
}

/// Adds a diagnostic for a key that is not known here.
pub fn unknown_key<'a>(entry: &Entry, known: impl IntoIterator<Item = &'a str>, problems: &mut Problems) {
    let help = if entry.key == "<<" {
        "merge keys are not part of YAML 1.2; share definitions through `include` and `vocabulary`".to_owned()
    } else {
        did_you_mean(&entry.key, "keys", known)
    };
    problems.push(
        Diagnostic::error("unknown-key", entry.key_span, format!("unknown key `{}`", entry.key))
            .label("not known here")
            .help(help),
    );
}

/// Defines an enum that is written as a word: each of its values once, with its word.
///
/// ```
/// use lookalike_ruleset::{decode::Decode, words};
///
/// words! {
///     /// A side.
///     pub enum Side {
///         /// Where the heart is.
///         Left = "left",
///         /// The other one.
///         Right = "right",
///     }
/// }
/// assert_eq!(Side::what(), "one of left, right");
/// ```
#[macro_export]
macro_rules! words {
    (
        $(#[doc = $doc:literal])*
        $vis:vis enum $name:ident { $( $(#[doc = $item_doc:literal])* $item:ident = $word:literal ),* $(,)? }
    ) => {
        $(#[doc = $doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        $vis enum $name { $( $(#[doc = $item_doc])* $item ),* }

        impl $crate::decode::Decode for $name {
            fn decode(node: &$crate::Node, problems: &mut $crate::Problems) -> Option<Self> {
                const WORDS: &[&str] = &[$($word),*];
                let Some(scalar) = node.as_scalar().filter(|_| !node.is_null()) else {
                    $crate::decode::wrong(node, Self::what(), problems);
                    return None;
                };
                match scalar.text.as_str() {
                    $( $word => Some($name::$item), )*
                    other => {
                        let help = $crate::diagnostic::did_you_mean(other, "words", WORDS.iter().copied());
                        problems.error("bad-value", node.span, format!("`{other}` is not known here"), help);
                        None
                    }
                }
            }
            fn what() -> String {
                format!("one of {}", [$($word),*].join(", "))
            }
            fn schema() -> $crate::Json {
                $crate::decode::word_schema(&[$($word),*])
            }
        }
    };
}

/// The JSON Schema of one of some words.
pub fn word_schema(words: &[&str]) -> Json {
    json!({"enum": words})
}

/// Defines a struct that can stand in a ruleset: each field once, with its documentation, type and, after `=`, its default.
///
/// ```
/// use lookalike_ruleset::{params, decode::{Decode, Number, Positive}};
///
/// params! {
///     /// Numbers from a normal distribution.
///     pub struct Normal {
///         /// Mean, in the column's unit.
///         mean: Number,
///         /// Standard deviation, in the column's unit.
///         std_dev: Positive = Positive(1.0),
///     }
/// }
/// assert_eq!(Normal::fields()[1].name, "std_dev");
/// assert!(!Normal::fields()[1].required);
/// ```
#[macro_export]
macro_rules! params {
    (
        $(#[doc = $doc:literal])*
        $vis:vis struct $name:ident {
            $( $(#[doc = $field_doc:literal])* $field:ident : $type:ty $(= $default:expr)? ),* $(,)?
        }
    ) => {
        $(#[doc = $doc])*
        #[derive(Clone, Debug)]
        $vis struct $name {
            $( $(#[doc = $field_doc])* $vis $field: $type, )*
        }

        impl $crate::decode::Decode for $name {
            fn decode(node: &$crate::Node, problems: &mut $crate::Problems) -> Option<Self> {
                const KEYS: &[&str] = &[$($crate::decode::key(stringify!($field))),*];
                let entries = $crate::decode::entries(node, &<Self as $crate::decode::Decode>::what(), problems)?;
                for entry in entries {
                    if !KEYS.contains(&entry.key.as_str()) {
                        $crate::decode::unknown_key(entry, KEYS.iter().copied(), problems);
                    }
                }
                $(
                    #[allow(unused_mut, unused_assignments, reason = "only fields with a default assign twice")]
                    let mut default: Option<$type> = <$type as $crate::decode::Decode>::missing();
                    $( default = Some($default); )?
                    let $field = $crate::decode::field::<$type>(
                        node, $crate::decode::key(stringify!($field)), default, problems);
                )*
                Some($name { $( $field: $field?, )* })
            }

            fn what() -> String {
                format!("a mapping with {}", $crate::decode::key_list(&Self::fields()))
            }

            fn schema() -> $crate::Json {
                $crate::decode::object_schema(
                    concat!($($doc, "\n",)* ""),
                    vec![$( ($crate::decode::key(stringify!($field)), <$type as $crate::decode::Decode>::schema()) ),*],
                    &Self::fields(),
                )
            }

            fn fields() -> Vec<$crate::decode::FieldDoc> {
                vec![$({
                    #[allow(unused_mut, unused_assignments, reason = "only fields with a default assign twice")]
                    let mut required = <$type as $crate::decode::Decode>::missing().is_none();
                    $( let _: fn() -> $type = || $default; required = false; )?
                    $crate::decode::FieldDoc {
                        name: $crate::decode::key(stringify!($field)),
                        doc: $crate::decode::doc_text(concat!($($field_doc, "\n",)* "")),
                        what: <$type as $crate::decode::Decode>::what(),
                        required,
                    }
                }),*]
            }
        }
    };
}

/// A field's key: its Rust name without the raw prefix.
pub const fn key(field: &'static str) -> &'static str {
    match field.as_bytes() {
        [b'r', b'#', ..] => field.split_at(2).1,
        _ => field,
    }
}

/// A documentation comment as running text.
pub fn doc_text(doc: &str) -> String {
    doc.lines().map(str::trim).collect::<Vec<_>>().join(" ").trim().to_owned()
}

/// The keys of a struct as a phrase: `` `mean` and `std_dev` ``.
pub fn key_list(fields: &[FieldDoc]) -> String {
    let names: Vec<String> = fields
        .iter()
        .map(|f| if f.required { format!("`{}`", f.name) } else { format!("optionally `{}`", f.name) })
        .collect();
    match names.as_slice() {
        [] => "no keys".into(),
        [one] => one.clone(),
        [head @ .., last] => format!("{} and {last}", head.join(", ")),
    }
}

/// Reads one field of a struct.
pub fn field<T: Decode>(node: &Node, key: &str, default: Option<T>, problems: &mut Problems) -> Option<T> {
    match node.get(key) {
        // Where a value is no good, its default lets the rest be checked; the error stands all the same.
        Some(value) => T::decode(value, problems).or(default),
        None if default.is_some() => default,
        None => {
            problems.push(
                Diagnostic::error("missing-key", node.span, format!("the key `{key}` is missing"))
                    .label(format!("needs `{key}`: {}", T::what())),
            );
            None
        }
    }
}

/// The JSON Schema of a struct.
pub fn object_schema(doc: &str, fields: Vec<(&str, Json)>, docs: &[FieldDoc]) -> Json {
    let mut properties = serde_json::Map::new();
    for ((name, mut schema), doc) in fields.into_iter().zip(docs) {
        if let Some(object) = schema.as_object_mut() {
            object.insert("description".into(), Json::String(doc.doc.clone()));
        }
        properties.insert(name.into(), schema);
    }
    let required: Vec<&str> = docs.iter().filter(|d| d.required).map(|d| d.name).collect();
    let mut schema = json!({"type": "object", "properties": properties, "additionalProperties": false});
    if !required.is_empty() {
        schema["required"] = json!(required);
    }
    let doc = doc_text(doc);
    if !doc.is_empty() {
        schema["description"] = json!(doc);
    }
    schema
}

// ---- containers ------------------------------------------------------------------------------------------------------

impl<T: Decode> Decode for Option<T> {
    fn decode(node: &Node, problems: &mut Problems) -> Option<Self> {
        T::decode(node, problems).map(Some)
    }
    fn missing() -> Option<Self> {
        Some(None)
    }
    fn what() -> String {
        T::what()
    }
    fn schema() -> Json {
        T::schema()
    }
    fn fields() -> Vec<FieldDoc> {
        T::fields()
    }
}

impl<T: Decode> Decode for Vec<T> {
    fn decode(node: &Node, problems: &mut Problems) -> Option<Self> {
        let Some(items) = node.as_list() else {
            wrong(node, Self::what(), problems);
            return None;
        };
        let decoded: Vec<Option<T>> = items.iter().map(|item| T::decode(item, problems)).collect();
        decoded.into_iter().collect()
    }
    fn what() -> String {
        format!("a list, each item {}", T::what())
    }
    fn schema() -> Json {
        json!({"type": "array", "items": T::schema()})
    }
}

/// A value with the place where it stands.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spanned<T> {
    /// The value.
    pub value: T,
    /// Its place.
    pub span: Span,
}

impl<T: Decode> Decode for Spanned<T> {
    fn decode(node: &Node, problems: &mut Problems) -> Option<Self> {
        T::decode(node, problems).map(|value| Spanned { value, span: node.span })
    }
    fn missing() -> Option<Self> {
        T::missing().map(|value| Spanned { value, span: Span::default() })
    }
    fn what() -> String {
        T::what()
    }
    fn schema() -> Json {
        T::schema()
    }
    fn fields() -> Vec<FieldDoc> {
        T::fields()
    }
}

/// A name with what it names and its places.
#[derive(Clone, Debug)]
pub struct NamedItem<T> {
    /// The name.
    pub name: String,
    /// Where the name stands.
    pub name_span: Span,
    /// Where the value stands.
    pub span: Span,
    /// The value.
    pub value: T,
}

/// A mapping from names that the user chooses to values, in the order written.
#[derive(Clone, Debug)]
pub struct Named<T>(pub Vec<NamedItem<T>>);

impl<T> Named<T> {
    /// The item called `name`.
    pub fn find(&self, name: &str) -> Option<&NamedItem<T>> {
        self.0.iter().find(|item| item.name == name)
    }

    /// The names in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|item| item.name.as_str())
    }
}

impl<T: Decode> Decode for Named<T> {
    fn decode(node: &Node, problems: &mut Problems) -> Option<Self> {
        let entries = entries(node, &Self::what(), problems)?;
        let mut items = Vec::with_capacity(entries.len());
        for entry in entries {
            let blank = entry.key.trim().is_empty() || entry.key.trim() != entry.key;
            if blank || entry.key.len() > 200 || entry.key.chars().any(char::is_control) {
                problems.error(
                    "bad-name",
                    entry.key_span,
                    format!("`{}` cannot be a name", entry.key.escape_debug()),
                    "a name has 1 to 200 bytes, no control characters and no space at its ends",
                );
            }
            // What cannot be read is left out, so that the rest is checked; the error stands all the same.
            if let Some(value) = T::decode(&entry.value, problems) {
                items.push(NamedItem {
                    name: entry.key.clone(),
                    name_span: entry.key_span,
                    span: entry.value.span,
                    value,
                });
            }
        }
        Some(Named(items))
    }
    fn missing() -> Option<Self> {
        Some(Named(Vec::new()))
    }
    fn what() -> String {
        format!("a mapping from names, each to {}", T::what())
    }
    fn schema() -> Json {
        json!({"type": "object", "additionalProperties": T::schema()})
    }
}

/// Two values in order, written `[low, high]`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pair<T>(pub T, pub T);

impl<T: Decode> Decode for Pair<T> {
    fn decode(node: &Node, problems: &mut Problems) -> Option<Self> {
        match node.as_list() {
            Some([low, high]) => {
                let (low, high) = (T::decode(low, problems), T::decode(high, problems));
                Some(Pair(low?, high?))
            }
            _ => {
                wrong(node, Self::what(), problems);
                None
            }
        }
    }
    fn what() -> String {
        format!("a list of two `[low, high]`, each {}", T::what())
    }
    fn schema() -> Json {
        json!({"type": "array", "items": T::schema(), "minItems": 2, "maxItems": 2})
    }
}

impl Decode for Node {
    fn decode(node: &Node, _: &mut Problems) -> Option<Self> {
        Some(node.clone())
    }
    fn what() -> String {
        "a value".into()
    }
    fn schema() -> Json {
        json!({})
    }
}

// ---- scalars ---------------------------------------------------------------------------------------------------------

/// The scalar's text, or a diagnostic.
fn scalar<'a>(node: &'a Node, expected: &str, problems: &mut Problems) -> Option<&'a str> {
    match node.as_scalar() {
        Some(scalar) if !node.is_null() => Some(scalar.text.as_str()),
        _ => {
            wrong(node, expected, problems);
            None
        }
    }
}

impl Decode for String {
    fn decode(node: &Node, problems: &mut Problems) -> Option<Self> {
        scalar(node, "text", problems).map(str::to_owned)
    }
    fn what() -> String {
        "text".into()
    }
    fn schema() -> Json {
        json!({"type": "string"})
    }
}

impl Decode for bool {
    fn decode(node: &Node, problems: &mut Problems) -> Option<Self> {
        match node.as_scalar().filter(|s| !s.quoted).map(|s| s.text.as_str()) {
            Some("true" | "True" | "TRUE") => Some(true),
            Some("false" | "False" | "FALSE") => Some(false),
            _ => {
                wrong(node, "true or false", problems);
                None
            }
        }
    }
    fn what() -> String {
        "true or false".into()
    }
    fn schema() -> Json {
        json!({"type": "boolean"})
    }
}

/// Unit suffixes of numbers with their factors. `m` is a million, as in counts; bytes have their own units.
const SUFFIXES: &[(&str, f64)] = &[
    ("%", 0.01),
    ("k", 1e3),
    ("K", 1e3),
    ("m", 1e6),
    ("M", 1e6),
    ("g", 1e9),
    ("G", 1e9),
    ("kB", 1e3),
    ("MB", 1e6),
    ("GB", 1e9),
    ("TB", 1e12),
    ("KiB", 1024.0),
    ("MiB", 1_048_576.0),
    ("GiB", 1_073_741_824.0),
    ("TiB", 1_099_511_627_776.0),
];

/// Reads a number with an optional unit suffix: `12`, `-0.5`, `1_000`, `1e6`, `10k`, `5%`, `100 GiB`.
pub fn parse_number(text: &str) -> Option<f64> {
    let text = text.trim();
    let split = text.len() - text.chars().rev().take_while(|c| c.is_ascii_alphabetic() || *c == '%').count();
    let (digits, suffix) = text.split_at(split);
    let factor = match suffix {
        "" => 1.0,
        _ => SUFFIXES.iter().find(|(name, _)| *name == suffix)?.1,
    };
    let digits = digits.trim_end();
    let body = digits.strip_prefix(['-', '+']).unwrap_or(digits);
    if !body.starts_with(|c: char| c.is_ascii_digit() || c == '.') || digits.contains("__") {
        return None;
    }
    let number: f64 = digits.replace('_', "").parse().ok()?;
    // A percentage divides, so that 5% is the float nearest to 0.05.
    let value = if factor == 0.01 { number / 100.0 } else { number * factor };
    value.is_finite().then_some(value)
}

fn number(node: &Node, expected: &str, problems: &mut Problems) -> Option<f64> {
    let text = scalar(node, expected, problems)?;
    let parsed = parse_number(text);
    if parsed.is_none() {
        problems.push(
            Diagnostic::error("bad-number", node.span, format!("`{text}` is not a number"))
                .label(format!("expected {expected}"))
                .help("numbers may end in k, m, g (thousand, million, billion), % or a size such as GiB"),
        );
    }
    parsed
}

macro_rules! number_types {
    ($( $(#[doc = $doc:literal])* $name:ident, $what:literal, $test:expr, $schema:expr; )*) => {$(
        $(#[doc = $doc])*
        #[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
        pub struct $name(pub f64);

        impl Decode for $name {
            fn decode(node: &Node, problems: &mut Problems) -> Option<Self> {
                let value = number(node, $what, problems)?;
                let valid: fn(f64) -> bool = $test;
                if !valid(value) {
                    out_of_range(node.span, node.as_scalar().map_or("", |s| s.text.as_str()), concat!("expected ", $what), problems);
                    return None;
                }
                Some($name(value))
            }
            fn what() -> String {
                $what.into()
            }
            fn schema() -> Json {
                $schema
            }
        }
    )*};
}

/// What a humane number may look like as text in JSON Schema.
const NUMBER_PATTERN: &str = r"^[-+]?[0-9._]+([eE][-+]?[0-9]+)?\s*([kKmMgG]|%|[kMGT]B|[KMGT]iB)?$";

number_types! {
    /// Any finite number.
    Number, "a number such as 12, 2.5, 10k or 5%", |_| true,
        json!({"anyOf": [{"type": "number"}, {"type": "string", "pattern": NUMBER_PATTERN}]});
    /// A number greater than 0.
    Positive, "a number greater than 0", |x| x > 0.0,
        json!({"anyOf": [{"type": "number", "exclusiveMinimum": 0}, {"type": "string", "pattern": NUMBER_PATTERN}]});
    /// A number of at least 0.
    NonNegative, "a number of at least 0", |x| x >= 0.0,
        json!({"anyOf": [{"type": "number", "minimum": 0}, {"type": "string", "pattern": NUMBER_PATTERN}]});
    /// A fraction from 0 to 1, usually written as a percentage.
    Share, "a share from 0 to 1, such as 5% or 0.05", |x| (0.0..=1.0).contains(&x),
        json!({"anyOf": [{"type": "number", "minimum": 0, "maximum": 1}, {"type": "string", "pattern": r"^[0-9._]+\s*%?$"}]});
}

/// A whole number, 64 bits signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Int(pub i64);

/// Reads a whole number: plain digits exactly over the whole range of 64 bits, else a humane number without a fraction.
fn parse_whole(text: &str) -> Option<i128> {
    if let Ok(exact) = text.trim().replace('_', "").parse::<i128>() {
        return Some(exact);
    }
    let value = parse_number(text)?;
    (value.fract() == 0.0 && value.abs() < 1e30).then_some(value as i128)
}

impl Decode for Int {
    fn decode(node: &Node, problems: &mut Problems) -> Option<Self> {
        let value = whole(node, "a whole number such as 12 or 10k", problems)?;
        let value = i64::try_from(value).map_err(|_| {
            out_of_range(node.span, value, "expected a whole number of 64 bits, -2^63 to 2^63 - 1", problems)
        });
        value.ok().map(Int)
    }
    fn what() -> String {
        "a whole number such as 12 or 10k".into()
    }
    fn schema() -> Json {
        json!({"anyOf": [{"type": "integer"}, {"type": "string", "pattern": NUMBER_PATTERN}]})
    }
}

fn whole(node: &Node, expected: &str, problems: &mut Problems) -> Option<i128> {
    let text = scalar(node, expected, problems)?;
    let value = parse_whole(text);
    if value.is_none() {
        match parse_number(text) {
            Some(_) => out_of_range(node.span, text, format!("expected {expected}"), problems),
            None => problems.push(
                Diagnostic::error("bad-number", node.span, format!("`{text}` is not a whole number"))
                    .label(format!("expected {expected}"))
                    .help("whole numbers may end in k, m, g (thousand, million, billion)"),
            ),
        }
    }
    value
}

/// A count of things: a whole number of at least 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Count(pub u64);

impl Decode for Count {
    fn decode(node: &Node, problems: &mut Problems) -> Option<Self> {
        let value = whole(node, "a count such as 1000, 10k or 2m", problems)?;
        let value = u64::try_from(value)
            .map_err(|_| out_of_range(node.span, value, "expected a count from 0 to 2^64 - 1", problems));
        value.ok().map(Count)
    }
    fn what() -> String {
        "a count such as 1000, 10k or 2m".into()
    }
    fn schema() -> Json {
        json!({"anyOf": [{"type": "integer", "minimum": 0}, {"type": "string", "pattern": NUMBER_PATTERN}]})
    }
}

/// A length of time in microseconds, written `90s`, `1h 30m`, `7d` or in ISO 8601 (`PT36H`). A day has 24 hours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Time(pub i64);

/// Reads a length of time into microseconds.
pub fn parse_time(text: &str) -> Option<i64> {
    let span: jiff::Span = text.trim().parse().ok()?;
    if span.get_years() != 0 || span.get_months() != 0 {
        return None;
    }
    let relative = jiff::SpanRelativeTo::days_are_24_hours();
    let duration = span.to_duration(relative).ok()?;
    i64::try_from(duration.as_micros()).ok()
}

impl Decode for Time {
    fn decode(node: &Node, problems: &mut Problems) -> Option<Self> {
        let text = scalar(node, &Self::what(), problems)?;
        let parsed = parse_time(text);
        if parsed.is_none() {
            problems.push(
                Diagnostic::error("bad-duration", node.span, format!("`{text}` is not a length of time"))
                    .label(format!("expected {}", Self::what()))
                    .help("units are w, d, h, m, s, ms, us; months and years differ in length and are not allowed here"),
            );
        }
        parsed.map(Time)
    }
    fn what() -> String {
        "a length of time such as 90s, 1h 30m or 7d".into()
    }
    fn schema() -> Json {
        json!({"type": "string"})
    }
}

/// A point in time: a date, a date with a time, or `clock` with an optional offset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stamp {
    /// A date without a time: days since 1970-01-01.
    Date(i32),
    /// Microseconds since 1970-01-01T00:00:00Z.
    Instant(i64),
    /// The ruleset's clock plus this many microseconds.
    Clock(i64),
}

/// Microseconds in a day.
pub const DAY: i64 = 86_400_000_000;

impl Stamp {
    /// The point in microseconds since 1970-01-01T00:00:00Z, for a ruleset whose clock stands at `clock`.
    pub fn micros(self, clock: i64) -> i64 {
        match self {
            Stamp::Date(days) => i64::from(days) * DAY,
            Stamp::Instant(micros) => micros,
            Stamp::Clock(offset) => clock.saturating_add(offset),
        }
    }
}

/// Reads a date, a stamp or a clock-relative stamp.
pub fn parse_stamp(text: &str) -> Option<Stamp> {
    let text = text.trim();
    if let Some(rest) = text.strip_prefix("clock") {
        let rest = rest.trim();
        return match rest.chars().next() {
            None => Some(Stamp::Clock(0)),
            Some('+') => parse_time(&rest[1..]).map(Stamp::Clock),
            Some('-') => parse_time(&rest[1..]).map(|t| Stamp::Clock(-t)),
            Some(_) => None,
        };
    }
    // RFC 9557 puts a zone in brackets; whoever writes one expects it to count, and it would not.
    if text.contains('[') {
        return None;
    }
    if let Ok(instant) = text.parse::<jiff::Timestamp>() {
        return Some(Stamp::Instant(instant.as_microsecond()));
    }
    if text.len() > 10 {
        let civil: jiff::civil::DateTime = text.parse().ok()?;
        return Some(Stamp::Instant(
            civil.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp().as_microsecond(),
        ));
    }
    let date: jiff::civil::Date = text.parse().ok()?;
    let epoch = jiff::civil::date(1970, 1, 1);
    Some(Stamp::Date(epoch.until(date).ok()?.get_days()))
}

impl Decode for Stamp {
    fn decode(node: &Node, problems: &mut Problems) -> Option<Self> {
        let text = scalar(node, &Self::what(), problems)?;
        let parsed = parse_stamp(text);
        if parsed.is_none() {
            problems.push(
                Diagnostic::error("bad-timestamp", node.span, format!("`{text}` is not a date or a time"))
                    .label(format!("expected {}", Self::what()))
                    .help("years run from -9999 to 9999; a time without an offset such as +02:00 means UTC; names of time zones are not read"),
            );
        }
        parsed
    }
    fn what() -> String {
        "a date (2026-01-31), a stamp (2026-01-31T12:00:00Z) or `clock - 90d`".into()
    }
    fn schema() -> Json {
        json!({"type": "string"})
    }
}

impl Decode for crate::Type {
    fn decode(node: &Node, problems: &mut Problems) -> Option<Self> {
        use crate::Type;
        let text = scalar(node, &Self::what(), problems)?;
        let simple = match text {
            "bool" => Some(Type::Bool),
            "int" => Some(Type::Int),
            "float" => Some(Type::Float),
            "text" => Some(Type::Text),
            "date" => Some(Type::Date),
            "datetime" => Some(Type::Datetime),
            "duration" => Some(Type::Duration),
            _ => text
                .strip_prefix("decimal(")
                .and_then(|rest| rest.strip_suffix(')'))
                .and_then(|digits| digits.trim().parse().ok())
                .filter(|digits| *digits <= 9)
                .map(Type::Decimal),
        };
        if simple.is_none() {
            problems.error(
                "bad-value",
                node.span,
                format!("`{text}` is not a type"),
                did_you_mean(text, "types", TYPES.iter().copied()),
            );
        }
        simple
    }
    fn what() -> String {
        "a type: bool, int, float, decimal(2), text, date, datetime or duration".into()
    }
    fn schema() -> Json {
        json!({"type": "string", "pattern": r"^(bool|int|float|decimal\([0-9]\)|text|date|datetime|duration)$"})
    }
}

const TYPES: &[&str] = &["bool", "int", "float", "decimal(2)", "text", "date", "datetime", "duration"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn humane_numbers() {
        for (text, value) in [
            ("12", Some(12.0)),
            ("-0.5", Some(-0.5)),
            ("10k", Some(10_000.0)),
            ("5%", Some(0.05)),
            ("2m", Some(2e6)),
            ("100 GiB", Some(107_374_182_400.0)),
            ("1_000", Some(1000.0)),
            ("1e3", Some(1000.0)),
            ("nan", None),
            ("inf", None),
            ("1e999", None),
            ("abc", None),
            ("", None),
            ("k", None),
            ("1kk", None),
        ] {
            assert_eq!(parse_number(text), value, "{text:?}");
        }
    }

    #[test]
    fn whole_numbers_are_exact_over_64_bits() {
        assert_eq!(parse_whole("9223372036854775807"), Some(i128::from(i64::MAX)));
        assert_eq!(parse_whole("1.5k"), Some(1500));
        assert_eq!(parse_whole("1.5"), None);
    }

    #[test]
    fn times_and_stamps() {
        assert_eq!(parse_time("7d"), Some(7 * DAY));
        assert_eq!(parse_time("1h 30m"), Some(5_400_000_000));
        assert_eq!(parse_time("PT36H"), Some(36 * 3_600_000_000));
        assert_eq!(parse_time("1mo"), None);
        assert_eq!(parse_stamp("1970-01-02"), Some(Stamp::Date(1)));
        assert_eq!(parse_stamp("1970-01-01T00:00:01Z"), Some(Stamp::Instant(1_000_000)));
        assert_eq!(parse_stamp("1970-01-01T00:00:01"), Some(Stamp::Instant(1_000_000)));
        assert_eq!(parse_stamp("clock - 1d"), Some(Stamp::Clock(-DAY)));
        assert_eq!(parse_stamp("clockwise"), None);
        assert_eq!(parse_stamp("2026-13-01"), None);
        assert_eq!(parse_stamp("2026-01-01T00:00:00[Mars/Olympus]"), None);
        assert_eq!(parse_stamp("1970-01-01T02:00:00+02:00"), Some(Stamp::Instant(0)));
    }
}
