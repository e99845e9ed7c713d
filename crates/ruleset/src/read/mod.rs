//! Text to a tree of [`Node`]s: YAML 1.2, JSON (read as the subset of YAML that it is) and TOML.
//!
//! Reading knows nothing of the ruleset language. It keeps the place of every key and value, refuses what would make a
//! ruleset ambiguous (duplicate keys, merge keys, several documents) and holds to limits, because a ruleset may come
//! from a stranger.

mod toml;
mod yaml;

use crate::diagnostic::{Diagnostic, Problems};
use crate::node::Node;
use crate::source::{Sources, Span};

/// Greatest size of one file, and of all text that aliases in it repeat, in bytes.
pub const MAX_BYTES: usize = 4 << 20;
/// Greatest number of mappings and lists inside one another.
pub const MAX_DEPTH: usize = 64;
/// Greatest number of values in one file, with every alias counted as often as it is used.
pub const MAX_NODES: usize = 500_000;
/// Greatest number of problems that reading one file reports; more would hide the first ones.
pub const MAX_PROBLEMS: usize = 50;

/// The smallest ruleset, shown when a file holds none.
const MINIMAL: &str = "the smallest ruleset is\n\nlookalike: 1\nname: people\ntables:\n  people:\n    rows: 10\n    \
                       columns:\n      age: {int_range: [18, 90]}";

/// The notation that a ruleset is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// YAML 1.2.
    Yaml,
    /// TOML 1.1.
    Toml,
    /// JSON; comments and trailing commas do no harm.
    Json,
}

impl Format {
    /// The format that the ending of a path stands for: `.yaml`, `.yml`, `.toml` or `.json`, in any case.
    pub fn of_path(path: &str) -> Option<Format> {
        let (_, ending) = path.rsplit_once('.')?;
        match ending.to_ascii_lowercase().as_str() {
            "yaml" | "yml" => Some(Format::Yaml),
            "toml" => Some(Format::Toml),
            "json" => Some(Format::Json),
            _ => None,
        }
    }
}

/// Reads the text with index `file` into a tree.
///
/// `None` means that there is no tree to go on with. A tree may come with errors in `problems` all the same: then what
/// was refused (the second of two equal keys, say) is missing from it, and checking the rest is still worthwhile.
pub fn read(sources: &Sources, file: u32, format: Format, problems: &mut Problems) -> Option<Node> {
    let text = &sources.get(file).text;
    if text.len() > MAX_BYTES {
        problems.push(too_large(&sources.get(file).name, text.len()));
        return None;
    }
    let mut found = Found { problems, left: MAX_PROBLEMS };
    let root = match format {
        Format::Yaml | Format::Json => yaml::read(text, file, &mut found),
        Format::Toml => toml::read(text, file, &mut found),
    }?;
    let is_empty = root.is_null() || (format == Format::Toml && root.as_map().is_some_and(<[_]>::is_empty));
    if is_empty && !problems.has_errors() {
        problems.push(empty(file, root.span));
    }
    (!is_empty).then_some(root)
}

/// Turns the bytes of the file `name` into text, without a byte order mark.
///
/// # Errors
/// `too-large` above [`MAX_BYTES`]; `not-text` for anything but UTF-8 without zero bytes, in words that name what the
/// file seems to be.
pub fn text_of(bytes: Vec<u8>, name: &str) -> Result<String, Box<Diagnostic>> {
    if bytes.len() > MAX_BYTES {
        return Err(Box::new(too_large(name, bytes.len())));
    }
    let refuse = |what: &str, help: &str| {
        Err(Box::new(Diagnostic::error("not-text", None, format!("`{name}` {what}")).help(help)))
    };
    let to_utf8 = "save it as UTF-8; in most editors: Save with encoding, UTF-8";
    if let Some(order) = utf16(&bytes) {
        return refuse(&format!("is written in UTF-16 ({order} endian), not in UTF-8"), to_utf8);
    }
    if let Some(kind) = binary_kind(&bytes) {
        return refuse(
            &format!("is {kind}, not text"),
            "give the ruleset itself: a .yaml, .toml or .json file",
        );
    }
    if let Some(at) = bytes.iter().position(|b| *b == 0) {
        let line = line_of(&bytes, at);
        return refuse(
            &format!("has a zero byte in line {line} and is therefore not text"),
            "give the ruleset itself: a .yaml, .toml or .json file",
        );
    }
    match String::from_utf8(bytes) {
        Ok(text) => Ok(match text.strip_prefix('\u{feff}') {
            Some(rest) => rest.to_owned(),
            None => text,
        }),
        Err(error) => {
            let at = error.utf8_error().valid_up_to();
            let bytes = error.as_bytes();
            let what = format!("is not UTF-8: byte 0x{:02X} in line {}", bytes[at], line_of(bytes, at));
            refuse(&what, &format!("it may be written in Latin-1 or Windows-1252; {to_utf8}"))
        }
    }
}

/// Byte order of UTF-16 text, told by its mark, or else by zero bytes in every other place of the first few letters.
fn utf16(bytes: &[u8]) -> Option<&'static str> {
    match bytes {
        [0xFF, 0xFE, ..] => Some("little"),
        [0xFE, 0xFF, ..] => Some("big"),
        [a, 0, b, 0, ..] if *a != 0 && *b != 0 => Some("little"),
        [0, a, 0, b, ..] if *a != 0 && *b != 0 => Some("big"),
        _ => None,
    }
}

/// What a file is that people give by mistake, told by its first bytes.
fn binary_kind(bytes: &[u8]) -> Option<&'static str> {
    match bytes {
        [0x1F, 0x8B, ..] => Some("a gzip file"),
        [b'P', b'K', 3, 4, ..] => Some("a zip file (or a spreadsheet)"),
        [b'P', b'A', b'R', b'1', ..] => Some("a Parquet file"),
        _ => None,
    }
}

/// Line of a byte, from 1.
fn line_of(bytes: &[u8], at: usize) -> usize {
    bytes[..at].iter().filter(|b| **b == b'\n').count() + 1
}

fn too_large(name: &str, bytes: usize) -> Diagnostic {
    #[expect(clippy::cast_precision_loss, reason = "shown with one digit")]
    let mib = bytes as f64 / f64::from(1 << 20);
    let message = format!("`{name}` has {mib:.1} MiB; a ruleset file may have {} MiB", MAX_BYTES >> 20);
    Diagnostic::error("too-large", None, message)
        .help("keep long lists of values in a CSV file and use it as a lookup")
}

fn too_deep(span: Span) -> Diagnostic {
    let message = format!("more than {MAX_DEPTH} mappings and lists inside one another");
    Diagnostic::error("too-deep", span, message).help("no ruleset needs this; is a bracket left open?")
}

fn too_many_nodes(span: Span) -> Diagnostic {
    let message = format!("more than {MAX_NODES} values in one file");
    Diagnostic::error("too-many-nodes", span, message)
        .label("the limit is passed here")
        .help("an alias counts as often as it is used; keep long lists in a CSV file and use it as a lookup")
}

fn empty(file: u32, span: Span) -> Diagnostic {
    Diagnostic::error("empty-ruleset", Span { file, ..span }, "there is nothing in this file").help(MINIMAL)
}

fn duplicate_key(key: &str, span: Span, first: Option<Span>) -> Diagnostic {
    let mut diagnostic =
        Diagnostic::error("duplicate-key", span, format!("the key `{}` is given twice", short(key)))
            .label("given again here")
            .help("remove or rename one of the two");
    if let Some(first) = first {
        diagnostic = diagnostic.related(first, "first given here");
    }
    diagnostic
}

/// `text` cut to a length that suits a message.
fn short(text: &str) -> String {
    match text.char_indices().nth(40) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

/// The problems, with a limit to how many one file may add.
struct Found<'a> {
    problems: &'a mut Problems,
    left: usize,
}

impl Found<'_> {
    fn push(&mut self, diagnostic: Diagnostic) {
        if self.left > 0 {
            self.left -= 1;
            self.problems.push(diagnostic);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::node::{Scalar, Value};
    use crate::render::to_text;

    /// A ruleset with one of everything that the readers treat apart.
    const SAMPLE: &str = "\
# yaml-language-server: $schema=x
lookalike: 1
name: 'it''s'   # ä
about: \"Größe \\u00e4\"
include: [../a.yaml, 'b c.yaml']
draws: &d
  - {a: 1, b: [x, ~], c: }
  -
  - plain text
again: *d
tables:
  t:
    rows: !!int 10
    Größe: {expr: '\"Volume Size\" * 2', null: 5%}
    text: |
      one
      two
    folded: >-
      three
      four
    \"quoted key\": &q 'x' # that's it
    empty:
    last: 2026-01-01T00:00:00Z
";

    fn parse(text: &str, format: Format) -> (Option<Node>, Vec<Diagnostic>, Sources) {
        let mut sources = Sources::new();
        let file = sources.add("ruleset", text);
        let mut problems = Problems::new();
        let node = read(&sources, file, format, &mut problems);
        (node, problems.into_sorted(), sources)
    }

    fn tree(text: &str, format: Format) -> Node {
        let (node, problems, sources) = parse(text, format);
        assert!(problems.is_empty(), "{}", to_text(&problems, &sources, false));
        node.expect("no problem, so there is a tree")
    }

    fn code(text: &str, format: Format) -> &'static str {
        let (_, problems, _) = parse(text, format);
        problems.first().map_or("", |problem| problem.code)
    }

    fn texts(node: &Node) -> Vec<(&str, bool)> {
        node.as_list()
            .unwrap_or(&[])
            .iter()
            .filter_map(Node::as_scalar)
            .map(|s| (s.text.as_str(), s.quoted))
            .collect()
    }

    /// Calls `check` with every scalar below `node`.
    fn scalars(node: &Node, check: &mut dyn FnMut(&Node, &Scalar)) {
        match &node.value {
            Value::Scalar(scalar) => check(node, scalar),
            Value::List(items) => items.iter().for_each(|item| scalars(item, check)),
            Value::Map(entries) => entries.iter().for_each(|entry| scalars(&entry.value, check)),
            Value::Reported => {}
        }
    }

    #[test]
    fn endings_tell_the_format() {
        assert_eq!(Format::of_path("a/b.YAML"), Some(Format::Yaml));
        assert_eq!(Format::of_path("b.yml"), Some(Format::Yaml));
        assert_eq!(Format::of_path("b.toml"), Some(Format::Toml));
        assert_eq!(Format::of_path("b.json"), Some(Format::Json));
        assert_eq!(Format::of_path("yaml"), None);
        assert_eq!(Format::of_path("b.csv"), None);
    }

    #[test]
    fn spans_are_bytes_of_the_source() {
        for text in [SAMPLE.to_owned(), SAMPLE.replace('\n', "\r\n"), format!("\u{feff}{SAMPLE}")] {
            let node = tree(&text, Format::Yaml);
            let slice = |span: Span| &text[span.range()];
            let table = node.get("tables").and_then(|t| t.get("t")).expect("the table is there");
            for entry in table.as_map().expect("a mapping") {
                assert_eq!(slice(entry.key_span).trim_matches('"'), entry.key);
            }
            assert_eq!(
                slice(table.get("Größe").expect("there").span),
                "{expr: '\"Volume Size\" * 2', null: 5%}"
            );
            assert_eq!(slice(node.get("include").expect("there").span), "[../a.yaml, 'b c.yaml']");
            assert_eq!(slice(node.get("name").expect("there").span), "'it''s'");
            assert_eq!(slice(node.get("again").expect("there").span), "*d");
            assert!(slice(table.get("text").expect("there").span).ends_with("two"));
            assert!(slice(table.span).ends_with("2026-01-01T00:00:00Z"));
            let empty = table.get("empty").expect("there");
            assert!(empty.is_null());
            assert!(text[..empty.span.start as usize].ends_with("empty:"));
            let nothing = &node.get("draws").and_then(Node::as_list).expect("a list")[1];
            assert!(nothing.is_null() && text[..nothing.span.start as usize].ends_with("\n  -"));
        }
    }

    #[test]
    fn verbatim_means_that_the_text_stands_there() {
        let mut found = Vec::new();
        scalars(&tree(SAMPLE, Format::Yaml), &mut |node, scalar| {
            if let Some(at) = scalar.verbatim {
                let at = at as usize;
                assert_eq!(&SAMPLE[at..at + scalar.text.len()], scalar.text);
                found.push(scalar.text.clone());
            } else {
                assert!(node.span.end >= node.span.start);
            }
        });
        assert!(found.iter().any(|text| text == "\"Volume Size\" * 2"));
        assert!(found.iter().any(|text| text == "plain text"));
        assert!(found.iter().any(|text| text == "x"), "a comment behind it does not matter");
        assert!(found.iter().any(|text| text == "10"), "a tag before it does not matter");
        assert!(!found.iter().any(|text| text == "it's" || text == "Größe ä" || text.contains('\n')));
    }

    #[test]
    fn quotes_make_text() {
        let node = tree("[1, '1', \"1\", ~, !!str 1, |]\n".replace(", |", "").as_str(), Format::Yaml);
        assert_eq!(texts(&node), [("1", false), ("1", true), ("1", true), ("~", false), ("1", true)]);
        let node = tree("- |\n  a\n- >\n  b\n", Format::Yaml);
        assert_eq!(texts(&node), [("a\n", true), ("b\n", true)]);
    }

    #[test]
    fn json_is_read_with_tabs_and_without_blanks() {
        let node = tree("{\n\t\"a\":1,\n\t\"b\":[true,\tnull,\"x\\n\"]\n}\n", Format::Json);
        assert_eq!(texts(node.get("b").expect("there")), [("true", false), ("null", false), ("x\n", true)]);
    }

    #[test]
    fn toml_gives_the_same_tree_in_the_order_written() {
        let text = "z = 1\na = 'x'\n[t.b]\nn = 0xFF\nf = 1.5\n[t.a]\nwhen = 2026-01-01 00:00:00Z\nlist = [true, \"ä\\n\"]\n";
        let node = tree(text, Format::Toml);
        let keys: Vec<&str> =
            node.as_map().expect("a mapping").iter().map(|entry| entry.key.as_str()).collect();
        assert_eq!(keys, ["z", "a", "t"]);
        let t = node.get("t").expect("there");
        assert_eq!(t.as_map().expect("a mapping")[0].key, "b");
        assert_eq!(t.get("b").and_then(|b| b.get("n")).and_then(Node::as_scalar).expect("there").text, "255");
        let a = t.get("a").expect("there");
        assert_eq!(a.get("when").and_then(Node::as_scalar).expect("there").text, "2026-01-01T00:00:00Z");
        assert_eq!(texts(a.get("list").expect("there")), [("true", false), ("ä\n", true)]);
        let mut verbatim = 0;
        scalars(&node, &mut |_, scalar| {
            if let Some(at) = scalar.verbatim {
                assert_eq!(&text[at as usize..at as usize + scalar.text.len()], scalar.text);
                verbatim += 1;
            }
        });
        assert_eq!(verbatim, 4, "z, a, f and true");
    }

    #[test]
    fn duplicate_keys_point_at_both_places() {
        for (text, format) in [
            ("a: 1\nb: {c: 1, 'c': 2}\n", Format::Yaml),
            ("{\"x\": 1, \"b\": {\"c\": 1, \"c\": 2}}", Format::Json),
            ("a = {c = 1, d = {c = 2}, c = 3}\n", Format::Toml),
            ("[a]\nc = 1\n[b]\nc = 2\nc = 3\n", Format::Toml),
            ("[a.c]\nx = 1\n[b]\n[a.c]\ny = 1\n", Format::Toml),
        ] {
            let (_, problems, _) = parse(text, format);
            assert_eq!(problems.len(), 1, "{text}: {problems:?}");
            let problem = &problems[0];
            assert_eq!(problem.code, "duplicate-key", "{text}");
            let places: Vec<usize> = text.match_indices('c').map(|(at, _)| at).collect();
            let again = problem.span.expect("a place").start as usize;
            let first = problem.related.first().expect("the first place").0.start as usize;
            assert!(text[again..].trim_start_matches(['\'', '"']).starts_with('c'), "{text}");
            assert!(text[first..].trim_start_matches(['\'', '"']).starts_with('c'), "{text}");
            // In the fourth text the first `c` belongs to another table.
            let expected = if text.contains("c = 2\nc") { places[1] } else { places[0] };
            assert!(first == expected || first + 1 == expected, "{text}: {first}");
            assert!(again > first);
        }
    }

    #[test]
    fn what_rulesets_do_not_use_is_refused() {
        for text in [
            "? [a]\n: 1\n",
            "{a: 1}: 2\n",
            ": 1\n",
            "a: !foo 1\n",
            "a: !!seq 1\n",
            "a: !!binary x\n",
            "a: &x {b: 1}\nc: {<<: *x}\n",
            "a: 1\n---\nb: 1\n",
            "a: &x [*x]\n",
        ] {
            assert_eq!(code(text, Format::Yaml), "unsupported-yaml", "{text}");
        }
    }

    #[test]
    fn a_refused_part_does_not_hide_the_rest() {
        let (node, problems, _) = parse("a: !x 1\n<<: {b: 1}\n? [k]\n: {c: 1}\nd: 1\nd: 2\n", Format::Yaml);
        assert_eq!(problems.len(), 4);
        let keys: Vec<String> = node
            .expect("a tree")
            .as_map()
            .expect("a mapping")
            .iter()
            .map(|entry| entry.key.clone())
            .collect();
        assert_eq!(keys, ["a", "d"]);
    }

    #[test]
    fn nothing_is_an_empty_ruleset() {
        for text in ["", "\n\n", "# only words\n", "---\n", "~\n", "null"] {
            assert_eq!(code(text, Format::Yaml), "empty-ruleset", "{text:?}");
        }
        assert_eq!(code("# only words\n", Format::Toml), "empty-ruleset");
        let (node, problems, _) = parse("", Format::Yaml);
        assert!(node.is_none());
        let help = problems[0].help.as_deref().expect("help");
        tree(help.split_once("\n\n").expect("an example").1, Format::Yaml);
    }

    #[test]
    fn deep_nesting_is_refused_before_any_stack_is_used_up() {
        for open in ["[", "{a: ", "- ", "? ", "[{a: "] {
            assert_eq!(code(&open.repeat(100_000), Format::Yaml), "too-deep", "{open}");
        }
        assert_eq!(code(&format!("a = {}", "[".repeat(100_000)), Format::Toml), "too-deep");
        assert_eq!(code(&format!("a = {}1", "{b = ".repeat(100_000)), Format::Toml), "too-deep");
        assert_eq!(code(&format!("a{} = 1", ".a".repeat(100_000)), Format::Toml), "too-deep");
        let nested = |n: usize| format!("{}{}", "[".repeat(n), "]".repeat(n));
        tree(&nested(MAX_DEPTH), Format::Yaml);
        assert_eq!(code(&nested(MAX_DEPTH + 1), Format::Yaml), "too-deep");
    }

    /// The `toml` crate bounds brackets and dots apart, so together they give its deepest tree.
    #[test]
    fn dotted_keys_in_nested_tables_do_not_use_up_the_stack() {
        let key = vec!["a"; 79].join(".");
        let text = format!(
            "[{key}]\n{}1{}\n",
            format!("{key} = {{").repeat(79).trim_end_matches('{'),
            "}".repeat(78)
        );
        let run = move || assert_eq!(code(&text, Format::Toml), "too-deep");
        let thread = std::thread::Builder::new().stack_size(1 << 20).spawn(run).expect("a thread starts");
        thread.join().expect("no stack overflow and no panic");
    }

    #[test]
    fn aliases_cannot_blow_up() {
        let mut laughs = String::from("a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol]\n");
        for i in 1..12 {
            let uses = vec![format!("*a{}", i - 1); 9].join(", ");
            laughs.push_str(&format!("a{i}: &a{i} [{uses}]\n"));
        }
        assert_eq!(code(&laughs, Format::Yaml), "too-many-nodes");
        let long = format!("a: &a {}\nb: [{}]\n", "x".repeat(100_000), "*a, ".repeat(100));
        assert_eq!(code(&long, Format::Yaml), "too-many-nodes");
        let mut deep = format!("a0: &a0 {}{}\n", "[".repeat(30), "]".repeat(30));
        for i in 1..4 {
            deep.push_str(&format!("a{i}: &a{i} {}*a{}{}\n", "[".repeat(20), i - 1, "]".repeat(20)));
        }
        assert_eq!(code(&deep, Format::Yaml), "too-deep");
    }

    #[test]
    fn size_is_limited() {
        assert_eq!(code(&"a".repeat(5 << 20), Format::Yaml), "too-large");
        assert_eq!(code(&format!("[{}]", "a,".repeat(MAX_NODES)), Format::Yaml), "too-many-nodes");
        assert_eq!(code(&format!("a = [{}]", "1,".repeat(MAX_NODES)), Format::Toml), "too-many-nodes");
        let error = text_of(vec![b'a'; 5 << 20], "big.yaml").expect_err("too large");
        assert_eq!(
            (error.code, error.message.as_str()),
            ("too-large", "`big.yaml` has 5.0 MiB; a ruleset file may have 4 MiB")
        );
        let (_, problems, _) = parse(&"a: 1\n".repeat(10_000), Format::Yaml);
        assert_eq!(problems.len(), MAX_PROBLEMS);
    }

    #[test]
    fn other_files_are_told_by_their_bytes() {
        assert_eq!(text_of(b"\xEF\xBB\xBFa: 1".to_vec(), "x").expect("text"), "a: 1");
        for (bytes, words) in [
            (&b"\xFF\xFEa\0:\0"[..], "is written in UTF-16 (little endian), not in UTF-8"),
            (b"\0a\0:\0 ", "is written in UTF-16 (big endian), not in UTF-8"),
            (b"a: 1\nb: \0", "has a zero byte in line 2 and is therefore not text"),
            (b"a: 1\n\nb: \xE4", "is not UTF-8: byte 0xE4 in line 3"),
            (b"\x1F\x8B\x08", "is a gzip file, not text"),
            (b"PK\x03\x04", "is a zip file (or a spreadsheet), not text"),
        ] {
            let error = text_of(bytes.to_vec(), "x").expect_err("not text");
            assert_eq!((error.code, error.message.as_str()), ("not-text", format!("`x` {words}").as_str()));
        }
    }

    /// Every mistake that people make often, as the user sees it.
    #[test]
    fn syntax_errors_read_well() {
        let yaml = [
            "tables:\n\tt: 1\n",
            "cost: {expr: \"Volume Size\" * 2}\n",
            "expr: 'a' || b\n",
            "template: {role}-{stage}\n",
            "about: note: see below\n",
            "a: 1\n b: 2\n",
            "a:\n   b: 1\n  c: 2\n",
            "rows 10\nname: x\n",
            "name: x\nrows 10\n",
            "a: {b: 1\nc: 2\n",
            "a: [1, 2\n",
            "größe: [1, 2: 3: 4]\n",
            "a: 'x\nb: 1\n",
            "a: \"x\n",
            "a: *.csv\n",
            "a: @home\n",
            "a: %x\n",
            "pattern: \"vol-\\d+\"\n",
            "a: - x\n",
            "a: 1]\nb: ]\n",
            "- a\nb: 1\n",
            "a: &x {b: 1}\nc: {<<: *x}\n",
            "a: !py/object 1\n",
            "a: 1\n---\nb: 1\n",
            "a: \"\\ud83d\\ude00\"\n",
        ];
        let toml = [
            "name = people\n",
            "name people\n",
            "a = [1, 2\nb = 3\n",
            "s = \"vol-\\d+\"\n",
            "s = \"open\n",
            "a = 1\na = 2\n",
            "[t]\nx = 1\n[t]\ny = 1\n",
            "a = {b = 1\n",
            "a = 1 2\n",
        ];
        let mut shown = String::new();
        for (text, format) in
            yaml.iter().map(|text| (text, Format::Yaml)).chain(toml.iter().map(|text| (text, Format::Toml)))
        {
            let (_, problems, sources) = parse(text, format);
            assert!(!problems.is_empty(), "{text:?}");
            let text = to_text(&problems, &sources, false);
            shown.push_str(text.rsplit_once("\n\n").map_or("", |(head, _)| head));
            shown.push_str("\n\n");
        }
        insta::assert_snapshot!(shown);
    }

    /// Reads `text` in every format and checks what must hold for any input.
    fn check_any(text: &str) {
        for format in [Format::Yaml, Format::Toml] {
            let (node, problems, sources) = parse(text, format);
            assert!(node.is_some() || !problems.is_empty(), "no tree and no reason: {text:?}");
            for problem in &problems {
                let places = problem.span.into_iter().chain(problem.related.iter().map(|(span, _)| *span));
                for place in places {
                    assert!(text.get(place.range()).is_some(), "{problem:?} does not fit {text:?}");
                }
            }
            if let Some(node) = node {
                scalars(&node, &mut |node, scalar| {
                    assert!(text.get(node.span.range()).is_some(), "{:?} does not fit {text:?}", node.span);
                    if let Some(at) = scalar.verbatim {
                        assert_eq!(
                            text.get(at as usize..at as usize + scalar.text.len()),
                            Some(scalar.text.as_str())
                        );
                    }
                });
            }
            to_text(&problems, &sources, false);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            if let Ok(text) = text_of(bytes, "x") {
                check_any(&text);
            }
        }

        #[test]
        fn any_text_is_read_or_refused(text in "(?s).{0,100}") {
            check_any(&text);
        }

        #[test]
        fn any_yaml_like_text_is_read_or_refused(text in "[ab'\"\\\\:\\-?,\\[\\]{}#&*!|>%@~<.=ä0\t\r\n  ]{0,80}") {
            check_any(&text);
        }

        #[test]
        fn any_mutation_is_read_or_refused(
            edits in proptest::collection::vec((0usize..600, 0usize..12, "[a'\"\\\\:\\-,\\[\\]{}#&*!|>ä\t\n ]{0,3}"), 1..6),
        ) {
            let mut chars: Vec<char> = SAMPLE.chars().collect();
            for (at, length, put) in edits {
                let at = at.min(chars.len());
                let end = (at + length).min(chars.len());
                chars.splice(at..end, put.chars());
            }
            check_any(&chars.into_iter().collect::<String>());
        }
    }
}
