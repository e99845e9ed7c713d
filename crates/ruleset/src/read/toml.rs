//! TOML, through the spanned tree of the `toml` crate.
//!
//! The crate bounds brackets inside one another, and the parts of a dotted key, but not both together, and it drops its
//! tree by recursion. So depth is bounded by a scan of the text before it is parsed, and told exactly from the tree.

use std::borrow::Cow;

use toml::Spanned;
use toml::de::{DeTable, DeValue};
use toml_parser::lexer::TokenKind;

use super::{Found, MAX_DEPTH, MAX_NODES, duplicate_key, too_deep, too_many_nodes};
use crate::diagnostic::Diagnostic;
use crate::node::{Entry, Node, Scalar, Value};
use crate::source::Span;

pub(super) fn read(text: &str, file: u32, found: &mut Found) -> Option<Node> {
    if let Some(at) = deepest_bracket_or_dot(text) {
        found.push(too_deep(Span::new(file, at, at + 1)));
        return None;
    }
    let (tree, errors) = DeTable::parse_recoverable(text);
    let mut reader = Reader { text, file, nodes: 0 };
    let root = match reader.table(tree.get_ref(), 0..0, 1) {
        Ok(root) => root,
        Err(diagnostic) => {
            found.push(*diagnostic);
            return None;
        }
    };
    let (duplicates, mut faults): (Vec<_>, Vec<_>) =
        errors.iter().partition(|error| error.message() == "duplicate key");
    for error in duplicates.iter().take(found.left) {
        found.push(reader.duplicate(&root, error.span().unwrap_or(0..0)));
    }
    // After the first fault the rest is mostly its consequence.
    faults.sort_by_key(|error| error.span().map(|at| at.start));
    let Some(fault) = faults.first() else { return Some(root) };
    found.push(reader.syntax_error(fault.message(), fault.span().unwrap_or(0..0)));
    None
}

/// The byte at which brackets and the dots of keys around one place are certainly more than [`MAX_DEPTH`]. The dots of
/// numbers and of table headers count too, hence the little slack.
fn deepest_bracket_or_dot(text: &str) -> Option<usize> {
    const SLACK: usize = 2;
    // For each open bracket, what `base` and `depth` were before it.
    let mut open = Vec::new();
    let (mut base, mut depth) = (0, 0);
    for token in toml_parser::Source::new(text).lex() {
        match token.kind() {
            TokenKind::LeftSquareBracket | TokenKind::LeftCurlyBracket => {
                open.push((base, depth));
                depth += 1;
                base = depth;
            }
            TokenKind::RightSquareBracket | TokenKind::RightCurlyBracket => {
                (base, depth) = open.pop().unwrap_or((0, 0));
            }
            TokenKind::Comma | TokenKind::Newline => depth = base,
            TokenKind::Dot => depth += 1,
            _ => {}
        }
        if depth > MAX_DEPTH + SLACK {
            return Some(token.span().start());
        }
    }
    None
}

struct Reader<'a> {
    text: &'a str,
    file: u32,
    nodes: usize,
}

impl Reader<'_> {
    fn span(&self, range: std::ops::Range<usize>) -> Span {
        Span::new(self.file, range.start, range.end)
    }

    fn count(&mut self, span: Span, depth: usize) -> Result<(), Box<Diagnostic>> {
        self.nodes += 1;
        if depth > MAX_DEPTH {
            return Err(Box::new(too_deep(span)));
        }
        if self.nodes > MAX_NODES {
            return Err(Box::new(too_many_nodes(span)));
        }
        Ok(())
    }

    fn table(
        &mut self,
        table: &DeTable,
        range: std::ops::Range<usize>,
        depth: usize,
    ) -> Result<Node, Box<Diagnostic>> {
        let span = self.span(range);
        self.count(span, depth)?;
        let mut entries = Vec::with_capacity(table.len());
        for (key, value) in table {
            let key_span = self.span(key.span());
            let value = self.value(value, depth + 1)?;
            entries.push(Entry { key: key.get_ref().to_string(), key_span, value });
        }
        // The crate sorts by key; a ruleset's columns stand in the order written.
        entries.sort_by_key(|entry| entry.key_span.start);
        Ok(Node { span, value: Value::Map(entries) })
    }

    fn value(&mut self, value: &Spanned<DeValue>, depth: usize) -> Result<Node, Box<Diagnostic>> {
        let range = value.span();
        let span = self.span(range.clone());
        let raw = self.text.get(range.clone()).unwrap_or("");
        let (text, quoted) = match value.get_ref() {
            DeValue::Table(table) => return self.table(table, range, depth),
            DeValue::Array(array) => {
                self.count(span, depth)?;
                let items = array.iter().map(|item| self.value(item, depth + 1)).collect::<Result<_, _>>()?;
                return Ok(Node { span, value: Value::List(items) });
            }
            DeValue::String(text) => (text.clone(), true),
            // Hexadecimal, octal and binary numbers become decimal: the ruleset language knows no other.
            DeValue::Integer(number) => match i64::from_str_radix(number.as_str(), number.radix()) {
                Ok(number) => (Cow::Owned(number.to_string()), false),
                Err(_) => (Cow::Borrowed(raw), false),
            },
            DeValue::Float(number) => (Cow::Borrowed(number.as_str()), false),
            DeValue::Boolean(value) => (Cow::Borrowed(if *value { "true" } else { "false" }), false),
            DeValue::Datetime(at) => (Cow::Owned(at.to_string()), false),
        };
        self.count(span, depth - 1)?;
        let quotes = usize::from(quoted);
        let verbatim = (raw.len() == text.len() + 2 * quotes
            && raw.get(quotes..raw.len() - quotes) == Some(&text))
        .then_some(span.start + u32::from(quoted));
        Ok(Node { span, value: Value::Scalar(Scalar { text: text.into_owned(), quoted, verbatim }) })
    }

    fn duplicate(&self, root: &Node, at: std::ops::Range<usize>) -> Diagnostic {
        let again = self.span(at.clone());
        let key = self.text.get(at).unwrap_or("").trim_matches(['"', '\'']);
        duplicate_key(key, again, self.first_header(again).or_else(|| self.first_key(root, key, again)))
    }

    /// The key's place in the first of two equal `[table]` headers, if the second of them is what `again` stands in.
    fn first_header(&self, again: Span) -> Option<Span> {
        let at = again.start as usize;
        let line = self.text[..at].rfind('\n').map_or(0, |newline| newline + 1);
        let header = self.text[line..].lines().next()?.split_inclusive(']').next()?.trim();
        if !header.starts_with('[') || !header.ends_with(']') {
            return None;
        }
        let first = self.text.lines().find(|line| line.trim().starts_with(header))?;
        // `lines` gives slices of the text, so their addresses tell their offsets.
        let first = first.as_ptr() as usize - self.text.as_ptr() as usize;
        let start = first + (at - line);
        (start < at).then(|| self.span(start..start + (again.end - again.start) as usize))
    }

    /// The place where `key` was given before `again`, in the same inline table or under the same header.
    fn first_key(&self, node: &Node, key: &str, again: Span) -> Option<Span> {
        let children: Box<dyn Iterator<Item = &Node>> = match &node.value {
            Value::Scalar(_) | Value::Reported => return None,
            Value::List(items) => Box::new(items.iter()),
            Value::Map(entries) => Box::new(entries.iter().map(|entry| &entry.value)),
        };
        // The innermost table wins, so look there first.
        if let Some(place) = children.filter_map(|child| self.first_key(child, key, again)).next() {
            return Some(place);
        }
        let is_inline = self.text[node.span.start as usize..].starts_with('{');
        let holds = !is_inline || (node.span.start..node.span.end).contains(&again.start);
        let entry = node.as_map().filter(|_| holds)?.iter().find(|entry| entry.key == key)?;
        let between = self.text.get(entry.key_span.end as usize..again.start as usize)?;
        let same_section =
            is_inline || !between.lines().skip(1).any(|line| line.trim_start().starts_with('['));
        same_section.then_some(entry.key_span)
    }

    fn syntax_error(&self, message: &str, at: std::ops::Range<usize>) -> Diagnostic {
        if message.contains("recur") {
            return too_deep(self.span(at));
        }
        let (words, help) = match message {
            "string values must be quoted, expected literal string" => (
                "this is not a value; text must be in quotes",
                "write name = \"people\", rows = 1000 or rows = \"1k\"",
            ),
            "key with no value, expected `=`" => ("expected `=` here", "write key = value"),
            _ if message.starts_with("invalid basic string") => (
                message,
                "close the quote on the same line; in single quotes a `\\` is only a `\\`: pattern = 'vol-\\d+'",
            ),
            _ if message.starts_with("missing escaped value") => (
                "this text has a `\\` that does not begin a known escape",
                "use single quotes, in which a `\\` is only a `\\`: pattern = 'vol-\\d+'",
            ),
            _ if message.starts_with("unclosed") => (message, "close every bracket that is opened"),
            _ => (message, ""),
        };
        let mut at = at;
        if at.is_empty() {
            // An empty place at the end of a line shows nothing: take the word before it.
            let before = self.text.get(..at.start).unwrap_or("").trim_end_matches(['\r', '\n']);
            at.start = before
                .rfind(|c: char| c.is_whitespace())
                .map_or(0, |blank| blank + before[blank..].chars().next().map_or(1, char::len_utf8));
            at.end = before.len().max(at.start);
        }
        let diagnostic = Diagnostic::error("toml-syntax", self.span(at), words);
        if help.is_empty() { diagnostic } else { diagnostic.help(help) }
    }
}
