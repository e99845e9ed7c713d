//! YAML and JSON, through the events of `saphyr-parser`.
//!
//! The parser is pulled event by event; it keeps its state in a vector and does not recurse, so that a limit can be
//! checked before what breaks it is built.

use std::collections::BTreeMap;
use std::mem;

use saphyr_parser::{Event, Marker, Parser, ScalarStyle, ScanError, Tag};

use super::{Found, MAX_BYTES, MAX_DEPTH, MAX_NODES, duplicate_key, short, too_deep, too_many_nodes};
use crate::diagnostic::Diagnostic;
use crate::node::{Entry, Node, Scalar, Value};
use crate::source::Span;

/// Goes on, or stops with the last diagnostic.
type Step = Result<(), Box<Diagnostic>>;

pub(super) fn read(text: &str, file: u32, found: &mut Found) -> Option<Node> {
    let mut reader = Reader {
        text,
        file,
        offsets: Offsets::new(text),
        found,
        frames: Vec::new(),
        root: None,
        anchors: BTreeMap::new(),
        nodes: 0,
        repeated_bytes: 0,
        kept: Size::default(),
        end: 0,
    };
    for event in Parser::new_from_str(text) {
        let step = match event {
            Ok((event, span)) => reader.event(event, span.start, span.end),
            Err(error) => Err(Box::new(reader.syntax_error(&error))),
        };
        if let Err(diagnostic) = step {
            reader.found.push(*diagnostic);
            return None;
        }
    }
    Some(reader.root.unwrap_or_else(|| null(Span::new(file, 0, 0))))
}

/// State of reading one text.
struct Reader<'a, 'p> {
    text: &'a str,
    file: u32,
    offsets: Offsets<'a>,
    found: &'a mut Found<'p>,
    /// The mappings and lists that are open.
    frames: Vec<Frame>,
    root: Option<Node>,
    anchors: BTreeMap<usize, (Node, Size)>,
    /// Values so far, with what aliases repeat.
    nodes: usize,
    /// Text that aliases repeat.
    repeated_bytes: usize,
    /// What `anchors` holds in all.
    kept: Size,
    /// Where the last event ended.
    end: usize,
}

/// A mapping or a list that is not closed yet.
struct Frame {
    start: usize,
    anchor: usize,
    body: Body,
}

enum Body {
    List(Vec<Node>),
    Map(Map),
}

#[derive(Default)]
struct Map {
    entries: Vec<Entry>,
    places: BTreeMap<String, Span>,
    key: Key,
}

/// What a mapping waits for.
#[derive(Default)]
enum Key {
    /// A key.
    #[default]
    Due,
    /// The value of this key.
    Given(String, Span),
    /// The value of a key that was refused.
    Refused,
}

/// How big a tree is.
#[derive(Clone, Copy, Default)]
struct Size {
    nodes: usize,
    bytes: usize,
    depth: usize,
}

impl Reader<'_, '_> {
    fn event(&mut self, event: Event, from: Marker, to: Marker) -> Step {
        let (start, end) = (self.offsets.byte(from), self.offsets.byte(to));
        match event {
            Event::DocumentStart(_) => self.document(start, end),
            Event::Scalar(text, style, anchor, tag) => {
                let node = self.scalar(&text, style, tag.as_deref(), start, end);
                self.end = node.span.end as usize;
                self.count(node.span)?;
                self.add(node, anchor)
            }
            Event::SequenceStart(anchor, tag) => {
                self.check_tag(tag.as_deref(), "seq", start);
                let start = if self.text[start..].starts_with(['-', '[', '&', '!']) {
                    start
                } else {
                    // A list that stands no deeper than its key is reported from behind its first dash.
                    let before = self.text[..start].trim_end_matches([' ', '\t']);
                    if before.ends_with('-') { before.len() - 1 } else { start }
                };
                self.open(Body::List(Vec::new()), anchor, start, end)
            }
            Event::MappingStart(anchor, tag) => {
                self.check_tag(tag.as_deref(), "map", start);
                self.open(Body::Map(Map::default()), anchor, start, end)
            }
            Event::SequenceEnd | Event::MappingEnd => {
                let Some(frame) = self.frames.pop() else { return Ok(()) };
                // Only flow style has a token at its end; a block ends where its last value does.
                self.end = if end > start { end } else { self.end.max(frame.start) };
                let value = match frame.body {
                    Body::List(items) => Value::List(items),
                    Body::Map(map) => Value::Map(map.entries),
                };
                self.add(Node { span: self.span(frame.start, self.end), value }, frame.anchor)
            }
            Event::Alias(anchor) => {
                self.end = end;
                self.alias(anchor, self.span(start, end))
            }
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => Ok(()),
        }
    }

    fn span(&self, start: usize, end: usize) -> Span {
        Span::new(self.file, start, end.max(start))
    }

    fn document(&mut self, start: usize, end: usize) -> Step {
        let Some(root) = &self.root else { return Ok(()) };
        let diagnostic = Diagnostic::error(
            "unsupported-yaml",
            self.span(start, end),
            "a second document begins in this file",
        )
        .label("the first document ends here")
        .related(first_line(self.text, root.span), "the first document")
        .help("a file holds one ruleset: put the second document into a file of its own");
        Err(Box::new(diagnostic))
    }

    fn open(&mut self, body: Body, anchor: usize, start: usize, end: usize) -> Step {
        if self.frames.len() >= MAX_DEPTH {
            return Err(Box::new(too_deep(self.span(start, end))));
        }
        self.count(self.span(start, end))?;
        self.frames.push(Frame { start, anchor, body });
        self.end = end;
        Ok(())
    }

    fn count(&mut self, span: Span) -> Step {
        self.nodes += 1;
        if self.nodes > MAX_NODES { Err(Box::new(too_many_nodes(span))) } else { Ok(()) }
    }

    /// Puts a finished value where it belongs, and keeps a copy if it has an anchor.
    fn add(&mut self, node: Node, anchor: usize) -> Step {
        if anchor > 0 {
            let size = size(&node);
            self.kept.nodes += size.nodes;
            self.kept.bytes += size.bytes;
            if self.kept.nodes > MAX_NODES || self.kept.bytes > MAX_BYTES {
                return Err(Box::new(too_many_nodes(node.span)));
            }
            self.anchors.insert(anchor, (node.clone(), size));
        }
        let Some(frame) = self.frames.last_mut() else {
            self.root = Some(node);
            return Ok(());
        };
        match &mut frame.body {
            Body::List(items) => items.push(node),
            Body::Map(map) => match mem::take(&mut map.key) {
                Key::Due => match key(&node) {
                    Ok(key) => map.key = Key::Given(key, node.span),
                    Err(diagnostic) => {
                        map.key = Key::Refused;
                        self.found.push(*diagnostic);
                    }
                },
                Key::Given(key, key_span) => match map.places.get(&key) {
                    Some(first) => self.found.push(duplicate_key(&key, key_span, Some(*first))),
                    None => {
                        map.places.insert(key.clone(), key_span);
                        map.entries.push(Entry { key, key_span, value: node });
                    }
                },
                Key::Refused => {}
            },
        }
        Ok(())
    }

    fn alias(&mut self, anchor: usize, span: Span) -> Step {
        let Some((node, size)) = self.anchors.get(&anchor) else {
            let name = &self.text[span.range()];
            let message = format!("the alias `{}` stands inside the value that it names", short(name));
            let help = "a value cannot contain itself; write this part out";
            self.found.push(Diagnostic::error("unsupported-yaml", span, message).help(help));
            return self.add(null(span), 0);
        };
        self.nodes += size.nodes;
        self.repeated_bytes += size.bytes;
        if self.nodes > MAX_NODES || self.repeated_bytes > MAX_BYTES {
            return Err(Box::new(too_many_nodes(span)));
        }
        if self.frames.len() + size.depth > MAX_DEPTH {
            return Err(Box::new(too_deep(span)));
        }
        // What is wrong with the value as a whole is wrong where it is used; its parts keep their own places.
        let node = Node { span, value: node.value.clone() };
        self.add(node, 0)
    }

    fn scalar(
        &mut self,
        text: &str,
        style: ScalarStyle,
        tag: Option<&Tag>,
        start: usize,
        end: usize,
    ) -> Node {
        let quoted = match self.check_tag(tag, "scalar", start) {
            Some("str") => true,
            Some(_) => false,
            None => style != ScalarStyle::Plain,
        };
        let (start, end, verbatim) = match style {
            ScalarStyle::Plain if text.is_empty() && start == end => {
                let (start, end) = self.place_of_nothing(start);
                (start, end, None)
            }
            ScalarStyle::Plain => {
                // The event begins at an anchor or a tag, if there is one, so the text is looked for from its end.
                let at = end.checked_sub(text.len()).filter(|at| *at >= start);
                let at = at.filter(|at| self.text.get(*at..end) == Some(text) && !text.contains('\n'));
                (at.unwrap_or(start), end, at)
            }
            ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted => {
                let (start, end) = quoted_extent(self.text, start, end);
                let inner = self.text.get(start + 1..end.saturating_sub(1));
                (start, end, (inner == Some(text) && !text.contains('\n')).then_some(start + 1))
            }
            ScalarStyle::Literal | ScalarStyle::Folded => {
                (start, start + self.text[start..end.max(start)].trim_end().len(), None)
            }
        };
        let verbatim = verbatim.and_then(|at| u32::try_from(at).ok());
        let value = Value::Scalar(Scalar { text: text.to_owned(), quoted, verbatim });
        Node { span: self.span(start, end), value }
    }

    /// Where a value that is not written would stand: right behind its `:` or `-`. The parser reports the next token,
    /// which may be lines away. For a missing key, the `:` itself.
    fn place_of_nothing(&self, next: usize) -> (usize, usize) {
        let (indicator, is_key) = match self.frames.last().map(|frame| &frame.body) {
            Some(Body::Map(map)) => (b':', matches!(map.key, Key::Due)),
            _ => (b'-', false),
        };
        let bytes = self.text.as_bytes();
        let mut at = self.end;
        while at < bytes.len() && at <= next {
            match bytes[at] {
                b' ' | b'\t' | b'\r' | b'\n' | b',' => at += 1,
                b'#' => at += self.text[at..].find('\n').unwrap_or(bytes.len() - at),
                byte if byte == indicator => return if is_key { (at, at + 1) } else { (at + 1, at + 1) },
                _ => break,
            }
        }
        (self.end, self.end)
    }

    /// The name of a core tag that fits a value of this shape; reports any other tag.
    fn check_tag<'t>(&mut self, tag: Option<&'t Tag>, shape: &str, start: usize) -> Option<&'t str> {
        let tag = tag?;
        let name = tag.suffix.as_str();
        let fits = match shape {
            "scalar" => matches!(name, "str" | "int" | "float" | "bool" | "null"),
            shape => name == shape,
        };
        if tag.is_yaml_core_schema() && fits {
            return Some(name);
        }
        let rest = &self.text[start..];
        // The tag may stand behind an anchor.
        let from = start + rest.find('!').unwrap_or(0);
        let word = self.text[from..].split([' ', '\t', '\n', '\r', ',', ']', '}']).next().unwrap_or("");
        let message = format!("the tag `{}` has no meaning in a ruleset", short(word));
        let help = "remove the tag; to write text that begins with `!`, put it in quotes";
        self.found.push(
            Diagnostic::error("unsupported-yaml", self.span(from, from + word.len()), message).help(help),
        );
        None
    }

    /// What the parser found wrong, in the words of someone who writes rulesets.
    fn syntax_error(&self, error: &ScanError) -> Diagnostic {
        let at = self.offsets.byte(*error.marker());
        let info = error.info();
        if info == "recursion limit exceeded" {
            return too_deep(word_at(self.text, self.file, at));
        }
        if info.contains("tab") && !info.contains("unprintable") {
            return self.tab_error(at);
        }
        if info == "while parsing a block mapping, did not find expected key"
            && let Some(value) = self.text_behind_bracket(at)
        {
            let end = at + self.text[at..].lines().next().unwrap_or("").trim_end().len();
            return Diagnostic::error(
                "yaml-syntax",
                self.span(value, end),
                "there is more text behind the closing bracket",
            )
            .help("text that begins with `{` or `[` needs quotes: template: '{role}-{stage}'");
        }
        let (message, help) = explain(info, &self.text[..at]);
        let is_flow_error = info.starts_with("while parsing a flow") || info.contains("flow construct");
        let at_end = self.text[at..].trim().is_empty();
        let mut place = word_at(self.text, self.file, at);
        if info == "simple key expect ':'" || (at_end && !is_flow_error) {
            // The parser stands behind what is wrong: at the next key, or at the end of the text.
            let before = self.text[..at].trim_end();
            let line = before.rfind('\n').map_or(0, |newline| newline + 1);
            let indent = before[line..].len() - before[line..].trim_start().len();
            place = self.span(line + indent, before.len());
        }
        let open = self.frames.iter().rev().find(|frame| self.text[frame.start..].starts_with(['[', '{']));
        if let Some(open) = open.filter(|_| is_flow_error || at_end) {
            let bracket = &self.text[open.start..=open.start];
            let opened = self.span(open.start, open.start + 1);
            let close = if bracket == "[" { "]" } else { "}" };
            if at_end {
                return Diagnostic::error("yaml-syntax", opened, format!("this `{bracket}` is never closed"))
                    .label(format!("a `{close}` is missing"))
                    .help(format!("add the `{close}` behind the last value that belongs to it"));
            }
            return Diagnostic::error("yaml-syntax", place, format!("expected `,` or `{close}` here"))
                .related(opened, format!("this `{bracket}` is still open"))
                .help(format!("separate values by `,` and close with `{close}`"));
        }
        let diagnostic = Diagnostic::error("yaml-syntax", place, message);
        match help {
            Some(help) => diagnostic.help(help),
            None => diagnostic,
        }
    }

    /// Where the bracket opens that closes right before `at`, on the same line.
    fn text_behind_bracket(&self, at: usize) -> Option<usize> {
        let before = self.text[..at].trim_end_matches([' ', '\t']);
        let line = before.rfind('\n').map_or(0, |newline| newline + 1);
        let opening = if before.ends_with('}') {
            '{'
        } else if before.ends_with(']') {
            '['
        } else {
            return None;
        };
        before[line..].find(opening).map(|open| line + open)
    }

    fn tab_error(&self, at: usize) -> Diagnostic {
        let line = self.text[..at].rfind('\n').map_or(0, |newline| newline + 1);
        let bytes = self.text.as_bytes();
        let before = (line..at).rev().find(|at| bytes[*at] == b'\t');
        let tab = before.or_else(|| (at..bytes.len()).find(|at| bytes[*at] == b'\t')).unwrap_or(at);
        Diagnostic::error(
            "yaml-syntax",
            self.span(tab, tab + 1),
            "a tab stands where only spaces are allowed",
        )
        .label("a tab")
        .help("YAML is indented by spaces: replace each tab by two spaces")
    }
}

/// The text of a key.
fn key(node: &Node) -> Result<String, Box<Diagnostic>> {
    let refuse = |message: &str, help: &str| {
        Err(Box::new(Diagnostic::error("unsupported-yaml", node.span, message).help(help)))
    };
    match &node.value {
        Value::Scalar(scalar) if scalar.quoted => Ok(scalar.text.clone()),
        Value::Scalar(scalar) if scalar.text.is_empty() => {
            refuse("there is no key before this `:`", "write the key; an empty text as key is written ''")
        }
        Value::Scalar(scalar) if scalar.text == "<<" => refuse(
            "merge keys are not part of the ruleset language",
            "share a generator under `vocabulary:` and use it by `{ref: name}`; share a file by `include: [file.yaml]`",
        ),
        Value::Scalar(scalar) => Ok(scalar.text.clone()),
        Value::List(_) | Value::Map(_) | Value::Reported => refuse(
            "a key must be a single word or text",
            "text that begins with `[` or `{` needs quotes: '[x]': 1",
        ),
    }
}

/// A plain null.
fn null(span: Span) -> Node {
    Node { span, value: Value::Scalar(Scalar { text: String::new(), quoted: false, verbatim: None }) }
}

fn size(node: &Node) -> Size {
    let inner = |sizes: &mut dyn Iterator<Item = Size>| {
        sizes.fold(Size { nodes: 1, bytes: 0, depth: 1 }, |all, one| Size {
            nodes: all.nodes + one.nodes,
            bytes: all.bytes + one.bytes,
            depth: all.depth.max(one.depth + 1),
        })
    };
    match &node.value {
        Value::Scalar(scalar) => Size { nodes: 1, bytes: scalar.text.len(), depth: 0 },
        Value::Reported => Size { nodes: 1, bytes: 0, depth: 0 },
        Value::List(items) => inner(&mut items.iter().map(size)),
        Value::Map(entries) => inner(&mut entries.iter().map(|entry| {
            let value = size(&entry.value);
            Size { bytes: value.bytes + entry.key.len(), ..value }
        })),
    }
}

/// The place of a quoted scalar, from quote to quote. Its event spans more: an anchor and a tag before it, blanks and a
/// comment behind it.
fn quoted_extent(text: &str, start: usize, end: usize) -> (usize, usize) {
    let bytes = text.as_bytes();
    let mut at = start;
    while at < end && !matches!(bytes[at], b'"' | b'\'') {
        at += match bytes[at] {
            b'&' | b'!' => text[at..].find([' ', '\t', '\n', '\r']).unwrap_or(1),
            b'#' => text[at..].find('\n').unwrap_or(1),
            _ => 1,
        };
    }
    let Some(quote) = bytes.get(at) else { return (start, end) };
    let open = at;
    at += 1;
    while at < end {
        match bytes[at] {
            b'\\' if *quote == b'"' => at += 1,
            byte if byte == *quote && *quote == b'\'' && bytes.get(at + 1) == Some(quote) => at += 1,
            byte if byte == *quote => return (open, at + 1),
            _ => {}
        }
        at += 1;
    }
    (open, end)
}

/// The part of a span that lies on its first line.
fn first_line(text: &str, span: Span) -> Span {
    let line = text[span.range()].lines().next().unwrap_or("");
    Span::new(span.file, span.start as usize, span.start as usize + line.trim_end().len())
}

/// The word, or else the single character, that stands at `at`.
fn word_at(text: &str, file: u32, at: usize) -> Span {
    let rest = &text[at..];
    let word = rest.find(|c: char| !c.is_alphanumeric() && !"_-./%".contains(c)).unwrap_or(rest.len());
    let first = rest.chars().next().filter(|c| *c != '\n' && *c != '\r').map_or(0, char::len_utf8);
    Span::new(file, at, at + word.max(first))
}

/// Message and help for the parser's words; `before` is the text in front of the place that it points at.
fn explain(info: &str, before: &str) -> (String, Option<&'static str>) {
    const WHOLE_IN_QUOTES: &str =
        "put the whole value in single quotes and double any single quote in it: expr: '\"Size\" * 2'";
    const INDENT: &str = "keys of one mapping, and the dashes of one list, begin in the same column";
    let (message, help) = match info {
        "mapping values are not allowed in this context" => (
            "a `:` stands where no key can be",
            Some(match before.rsplit('\n').next() {
                Some(line) if line.contains(": ") => {
                    "text that contains `: ` needs quotes: about: 'note: see below'"
                }
                _ => "check the indentation of this line, and whether the line before it lacks its `:`",
            }),
        ),
        "invalid trailing content after double-quoted scalar" => {
            ("there is more text behind the closing quote", Some(WHOLE_IN_QUOTES))
        }
        "invalid indentation in quoted scalar"
        | "while scanning a quoted scalar, found unexpected end of stream" => (
            "the quote that opens here is not closed",
            Some("close it on the same line; inside single quotes, a single quote is written twice: 'it''s'"),
        ),
        "while scanning a quoted scalar, found unexpected document indicator" => {
            ("the quote that opens here is not closed", None)
        }
        "while parsing a quoted scalar, found unknown escape character" => (
            "this text has a `\\` that does not begin a known escape",
            Some("use single quotes, in which a `\\` is only a `\\`: 'vol-\\d+'"),
        ),
        "while parsing a quoted scalar, found invalid Unicode character escape code" => (
            "this text has a `\\u` escape that names no character",
            Some("write the character itself, or \\U and eight digits: \"\\U0001F600\""),
        ),
        "while parsing node, found unknown anchor" => (
            "this alias names no anchor",
            Some("text that begins with `*` needs quotes; an alias needs an earlier `&name`"),
        ),
        "simple key expect ':'" | "simple key expected" | "simple key expected ':'" => {
            ("expected a `:` behind this key", Some("write `key: value`, with a space behind the colon"))
        }
        "block sequence entries are not allowed in this context" => (
            "a list cannot begin on the line of its key",
            Some("begin the list on the next line, or write it in brackets: [a, b]"),
        ),
        "while parsing a block collection, did not find expected '-' indicator" => {
            ("expected another `- ` of the list, or less indentation", Some(INDENT))
        }
        "while parsing a block mapping, did not find expected key" => {
            ("this line fits no mapping that is open", Some(INDENT))
        }
        "misplaced bracket" => ("this bracket closes nothing", Some("remove it, or put the text in quotes")),
        "while parsing a node, did not find expected node content" => (
            "expected a value here",
            Some("remove the comma or bracket, or write the value; '' is the empty text"),
        ),
        "a byte order mark must not appear inside a document" => {
            ("an invisible byte order mark (U+FEFF) stands here", Some("delete it"))
        }
        _ if info.starts_with("unexpected character") => {
            ("a value cannot begin with this character", Some("put the value in quotes: '@name'"))
        }
        _ => {
            // The rest are rare; the parser's words will do without their preamble.
            let words = info
                .rsplit_once(", ")
                .filter(|_| info.starts_with("while "))
                .map_or(info, |(_, words)| words);
            let words = words.replace("did not find expected", "expected").replace(['<', '>'], "");
            return (format!("not valid YAML: {words}"), None);
        }
    };
    (message.to_owned(), help)
}

/// Bytes of characters: the parser counts characters, spans count bytes.
struct Offsets<'a> {
    text: &'a str,
    /// Byte of every 64th character; empty if bytes and characters are the same.
    marks: Vec<usize>,
}

impl<'a> Offsets<'a> {
    fn new(text: &'a str) -> Offsets<'a> {
        let marks = if text.is_ascii() {
            Vec::new()
        } else {
            text.char_indices().step_by(64).map(|(at, _)| at).collect()
        };
        Offsets { text, marks }
    }

    fn byte(&self, marker: Marker) -> usize {
        let index = marker.index();
        if self.marks.is_empty() {
            return index.min(self.text.len());
        }
        let Some(mark) = self.marks.get(index / 64) else { return self.text.len() };
        self.text[*mark..].char_indices().nth(index % 64).map_or(self.text.len(), |(at, _)| mark + at)
    }
}
