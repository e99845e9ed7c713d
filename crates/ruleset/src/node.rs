//! The tree that YAML, TOML and JSON texts are read into: every value and every key knows its place.

use crate::source::Span;

/// A value with its place.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// Where the value stands in its source.
    pub span: Span,
    /// The value.
    pub value: Value,
}

/// What a [`Node`] holds.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// A scalar as written; what it means depends on where it stands.
    Scalar(Scalar),
    /// A sequence.
    List(Vec<Node>),
    /// A mapping, in the order written, without duplicate keys.
    Map(Vec<Entry>),
    /// Something that could not be read and was reported already. Whoever meets it gives up in silence.
    Reported,
}

/// A scalar as written.
#[derive(Clone, Debug, PartialEq)]
pub struct Scalar {
    /// The text, after quotes and escapes are resolved.
    pub text: String,
    /// Whether it was written in quotes or as a block, and is therefore text and nothing else.
    pub quoted: bool,
    /// Offset in the source of the first byte of `text`, if `text` stands there byte for byte. Lets an expression's
    /// diagnostics point inside the scalar.
    pub verbatim: Option<u32>,
}

/// A key with its value.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// The key.
    pub key: String,
    /// Where the key stands.
    pub key_span: Span,
    /// The value.
    pub value: Node,
}

impl Node {
    /// The scalar, if it is one.
    pub fn as_scalar(&self) -> Option<&Scalar> {
        match &self.value {
            Value::Scalar(scalar) => Some(scalar),
            _ => None,
        }
    }

    /// The items, if it is a list.
    pub fn as_list(&self) -> Option<&[Node]> {
        match &self.value {
            Value::List(items) => Some(items),
            _ => None,
        }
    }

    /// The entries, if it is a mapping.
    pub fn as_map(&self) -> Option<&[Entry]> {
        match &self.value {
            Value::Map(entries) => Some(entries),
            _ => None,
        }
    }

    /// The value under `key`, if this is a mapping that has it.
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.as_map()?.iter().find(|entry| entry.key == key).map(|entry| &entry.value)
    }

    /// Whether it is a plain null: nothing at all, `~` or `null`.
    pub fn is_null(&self) -> bool {
        self.as_scalar()
            .is_some_and(|s| !s.quoted && matches!(s.text.as_str(), "" | "~" | "null" | "Null" | "NULL"))
    }

    /// What the node is, in the words of a diagnostic: `a mapping`, `a list`, `the number 3`, `the text "x"`.
    pub fn describe(&self) -> String {
        match &self.value {
            Value::Map(entries) if entries.is_empty() => "an empty mapping".into(),
            Value::Map(_) => "a mapping".into(),
            Value::List(items) if items.is_empty() => "an empty list".into(),
            Value::List(_) => "a list".into(),
            Value::Reported => "something that was reported already".into(),
            Value::Scalar(_) if self.is_null() => "nothing (null)".into(),
            Value::Scalar(s) => {
                let mut text: String = s.text.chars().take(40).collect();
                if text.len() < s.text.len() {
                    text.push('…');
                }
                format!("`{}`", text.replace('\n', " "))
            }
        }
    }
}
