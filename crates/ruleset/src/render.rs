//! Diagnostics as text for people, as JSON for programs and as SARIF for code scanners.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::ops::Range;

use annotate_snippets::{Annotation, AnnotationKind, Group, Level, Padding, Renderer, Snippet};
use serde_json::{Value, json};

use crate::codes;
use crate::diagnostic::{Diagnostic, Severity};
use crate::source::{Sources, Span};

/// Width that text is rendered for, in characters.
const WIDTH: usize = 120;
/// Characters of a line that are kept behind the beginning of what is marked in it.
const TAIL: usize = 120;
/// Places this many lines apart are shown in one piece.
const NEAR: usize = 6;

/// The diagnostics as text in the style of rustc, with the source lines that they point at, and a closing line that
/// counts them. `colour` adds ANSI styles. Nothing at all for no diagnostics.
///
/// Control characters in sources, names and messages are replaced, so that a ruleset cannot steer the terminal that it
/// is checked on; long lines are cut around what is marked.
pub fn to_text(diagnostics: &[Diagnostic], sources: &Sources, colour: bool) -> String {
    let renderer = if colour { Renderer::styled() } else { Renderer::plain() }.term_width(WIDTH);
    let mut text = String::new();
    for diagnostic in diagnostics {
        text.push_str(&renderer.render(&[group(diagnostic, sources)]));
        text.push_str("\n\n");
    }
    if let Some(first) = diagnostics.iter().find(|d| d.severity == Severity::Error).or(diagnostics.first()) {
        text.push_str(&closing_line(diagnostics, sources));
        let _ = writeln!(text, "to learn more about a code: lookalike explain {}", first.code);
    }
    text
}

/// `3 errors, 1 warning in rulesets/x.yaml`.
fn closing_line(diagnostics: &[Diagnostic], sources: &Sources) -> String {
    let errors = diagnostics.iter().filter(|d| d.severity == Severity::Error).count();
    let count = |n: usize, word: &str| match n {
        0 => None,
        1 => Some(format!("1 {word}")),
        n => Some(format!("{n} {word}s")),
    };
    let counts: Vec<String> = [count(errors, "error"), count(diagnostics.len() - errors, "warning")]
        .into_iter()
        .flatten()
        .collect();
    let files: BTreeSet<u32> = diagnostics.iter().filter_map(|d| d.span).map(|span| span.file).collect();
    let names: Vec<Cow<str>> = files.iter().map(|file| printable(&sources.get(*file).name)).collect();
    match names.as_slice() {
        [] => format!("{}\n", counts.join(", ")),
        [first, _, _, _, ..] => {
            format!("{} in {first} and {} more files\n", counts.join(", "), names.len() - 1)
        }
        names => format!("{} in {}\n", counts.join(", "), names.join(", ")),
    }
}

/// One place of a diagnostic.
struct Mark<'a> {
    span: Span,
    label: &'a str,
    is_primary: bool,
    /// Line from 0.
    line: usize,
}

fn group<'a>(diagnostic: &'a Diagnostic, sources: &'a Sources) -> Group<'a> {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let mut group =
        Group::with_title(level.primary_title(printable(&diagnostic.message)).id(diagnostic.code));
    let primary = diagnostic.span.map(|span| (span, diagnostic.label.as_str(), true));
    let related = diagnostic.related.iter().map(|(span, label)| (*span, label.as_str(), false));
    let marks = primary.into_iter().chain(related).map(|(span, label, is_primary)| {
        let line = sources.line_column(span.file, span.start).0 - 1;
        Mark { span, label, is_primary, line }
    });
    for piece in pieces(marks) {
        group = show(group, &piece, sources);
    }
    if let Some(help) = &diagnostic.help {
        if diagnostic.span.is_some() {
            group = group.element(Padding);
        }
        group = group.element(Level::HELP.message(printable(help)));
    }
    group
}

/// Gathers marks that stand near one another; the piece with the primary mark comes first.
fn pieces<'a>(marks: impl Iterator<Item = Mark<'a>>) -> Vec<Vec<Mark<'a>>> {
    let mut pieces: Vec<Vec<Mark>> = Vec::new();
    for mark in marks {
        let is_near =
            |other: &Mark| other.span.file == mark.span.file && other.line.abs_diff(mark.line) <= NEAR;
        match pieces.iter_mut().find(|piece| piece.iter().any(is_near)) {
            Some(piece) => piece.push(mark),
            None => pieces.push(vec![mark]),
        }
    }
    pieces
}

fn show<'a>(group: Group<'a>, marks: &[Mark<'a>], sources: &'a Sources) -> Group<'a> {
    let Some(head) = marks.first() else { return group };
    let source = sources.get(head.span.file);
    let name = printable(&source.name);
    let excerpt = excerpt(&source.text, marks);
    let annotations = marks.iter().zip(excerpt.ranges).map(|(mark, range)| -> Annotation<'a> {
        let kind = if mark.is_primary { AnnotationKind::Primary } else { AnnotationKind::Context };
        let annotation = kind.span(range);
        if mark.label.is_empty() { annotation } else { annotation.label(printable(mark.label)) }
    });
    let snippet = Snippet::source(excerpt.text).line_start(excerpt.first_line + 1).annotations(annotations);
    group.element(snippet.path(name))
}

/// The lines that marks stand on, fit to be printed.
struct Excerpt {
    text: String,
    /// Line of the source that it begins with, from 0.
    first_line: usize,
    /// The marked bytes of `text`, in the order of the marks.
    ranges: Vec<Range<usize>>,
}

fn excerpt(source: &str, marks: &[Mark]) -> Excerpt {
    let first_line = marks.iter().map(|mark| mark.line).min().unwrap_or(0);
    let last_line = marks.iter().map(|mark| mark.line).max().unwrap_or(0);
    let mut excerpt = Excerpt { text: String::new(), first_line, ranges: vec![0..0; marks.len()] };
    let anchor = marks.iter().find(|mark| mark.line == first_line).map_or(0, |mark| mark.span.start as usize);
    let anchor = floor(source, anchor);
    let mut start = source[..anchor].rfind('\n').map_or(0, |newline| newline + 1);
    for number in first_line..=last_line {
        let rest = &source[start..];
        let line = rest.split('\n').next().unwrap_or("");
        let content = line.strip_suffix('\r').unwrap_or(line);
        let here: Vec<usize> = (0..marks.len()).filter(|i| marks[*i].line == number).collect();
        // A span over many lines is marked on its first line only: half a screen of underlines helps nobody.
        let within = |span: Span| {
            let clip = |at: u32| floor(content, (at as usize).saturating_sub(start).min(content.len()));
            let from = clip(span.start);
            let to = clip(span.end).max(from);
            from..from + content[from..to].trim_end().len()
        };
        let focus = here.iter().map(|i| within(marks[*i].span).start).max().unwrap_or(0);
        // The renderer cuts the left side itself, because columns are counted from there.
        let shown = content[focus..].char_indices().nth(TAIL).map_or(content.len(), |(at, _)| focus + at);
        // Where each byte of the line went: replacing a character can change its length.
        let mut places: Vec<(usize, usize)> = Vec::new();
        for (at, c) in content[..shown].char_indices() {
            places.push((at, excerpt.text.len()));
            excerpt.text.push(if c == '\t' { c } else { replace(c).unwrap_or(c) });
        }
        let line_end = excerpt.text.len();
        let place = |at: usize| {
            let index = places.partition_point(|(from, _)| *from < at);
            places.get(index).map_or(line_end, |(_, to)| *to)
        };
        for i in here {
            let range = within(marks[i].span);
            excerpt.ranges[i] = place(range.start)..place(range.end);
        }
        if shown < content.len() {
            excerpt.text.push('…');
        }
        excerpt.text.push('\n');
        start = (start + line.len() + 1).min(source.len());
    }
    excerpt
}

fn floor(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// What stands for a character that must not reach a terminal: C0 and C1 controls, and those that turn the direction
/// of the text.
fn replace(c: char) -> Option<char> {
    match c {
        '\0'..='\u{1f}' => char::from_u32(0x2400 + u32::from(c)),
        '\u{7f}' => Some('␡'),
        '\u{80}'..='\u{9f}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
            Some('�')
        }
        _ => None,
    }
}

/// `text` without characters that could steer a terminal; line breaks stay.
fn printable(text: &str) -> Cow<'_, str> {
    if text.chars().all(|c| c == '\n' || replace(c).is_none()) {
        return Cow::Borrowed(text);
    }
    text.chars().map(|c| if c == '\n' { c } else { replace(c).unwrap_or(c) }).collect()
}

/// The diagnostics as a JSON array. Stable: keys may be added, but none changes or goes.
///
/// Each is an object of `code`, `severity` (`error` or `warning`), `message`, `file`, `line`, `column`, `end_line`,
/// `end_column`, `label`, `help` and `related`, a list of `file`, `line`, `column`, `end_line`, `end_column`, `label`.
/// Lines and columns count from 1, columns in characters; the end is one past the last character. A diagnostic
/// without a place has null for all five; `label` and `help` are null where there are none.
pub fn to_json(diagnostics: &[Diagnostic], sources: &Sources) -> Value {
    let place = |span: Option<Span>, fields: &[(&str, Value)], label: &str| {
        let (start, end) = match span {
            Some(span) => {
                let (start, end) = ends(span, sources);
                (Some(start), Some(end))
            }
            None => (None, None),
        };
        let mut object = serde_json::Map::new();
        object.extend(fields.iter().map(|(key, value)| ((*key).to_owned(), value.clone())));
        object.insert("file".into(), json!(span.map(|span| &sources.get(span.file).name)));
        object.insert("line".into(), json!(start.map(|(line, _)| line)));
        object.insert("column".into(), json!(start.map(|(_, column)| column)));
        object.insert("end_line".into(), json!(end.map(|(line, _)| line)));
        object.insert("end_column".into(), json!(end.map(|(_, column)| column)));
        object.insert("label".into(), json!((!label.is_empty()).then_some(label)));
        object
    };
    let one = |d: &Diagnostic| {
        let head = [
            ("code", json!(d.code)),
            ("severity", json!(severity(d.severity))),
            ("message", json!(d.message)),
        ];
        let mut object = place(d.span, &head, &d.label);
        let related: Vec<Value> =
            d.related.iter().map(|(span, label)| Value::Object(place(Some(*span), &[], label))).collect();
        object.insert("help".into(), json!(d.help));
        object.insert("related".into(), Value::Array(related));
        Value::Object(object)
    };
    Value::Array(diagnostics.iter().map(one).collect())
}

/// The diagnostics as a SARIF 2.1.0 log with one run; the rules are the [codes](codes::CODES) that occur.
pub fn to_sarif(diagnostics: &[Diagnostic], sources: &Sources) -> Value {
    let used: BTreeSet<&str> = diagnostics.iter().map(|d| d.code).collect();
    let index: BTreeMap<&str, usize> = used.iter().enumerate().map(|(i, code)| (*code, i)).collect();
    let rules: Vec<Value> = used
        .iter()
        .map(|name| match codes::find(name) {
            Some(code) => json!({
                "id": name,
                "shortDescription": {"text": code.summary},
                "help": {"text": code.explanation},
            }),
            None => json!({"id": name}),
        })
        .collect();
    let place = |span: Span| {
        let ((line, column), (end_line, end_column)) = ends(span, sources);
        json!({
            "artifactLocation": {"uri": uri(&sources.get(span.file).name)},
            "region": {"startLine": line, "startColumn": column, "endLine": end_line, "endColumn": end_column},
        })
    };
    let results: Vec<Value> = diagnostics
        .iter()
        .map(|d| {
            let text = match &d.help {
                Some(help) => format!("{}\nhelp: {help}", d.message),
                None => d.message.clone(),
            };
            let mut result = json!({
                "ruleId": d.code,
                "ruleIndex": index.get(d.code),
                "level": severity(d.severity),
                "message": {"text": text},
            });
            if let Some(span) = d.span {
                result["locations"] = json!([{"physicalLocation": place(span)}]);
            }
            if !d.related.is_empty() {
                let related = d.related.iter().enumerate().map(|(i, (span, label))| {
                    json!({"id": i + 1, "physicalLocation": place(*span), "message": {"text": label}})
                });
                result["relatedLocations"] = Value::Array(related.collect());
            }
            result
        })
        .collect();
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {"name": "lookalike", "version": env!("CARGO_PKG_VERSION"), "rules": rules}},
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    })
}

fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    }
}

/// Line and column of both ends of a span.
fn ends(span: Span, sources: &Sources) -> ((usize, usize), (usize, usize)) {
    (sources.line_column(span.file, span.start), sources.line_column(span.file, span.end.max(span.start)))
}

/// A path as the URI reference that SARIF asks for.
fn uri(path: &str) -> String {
    let path = path.replace('\\', "/");
    let mut uri = String::new();
    match path.as_bytes() {
        [b'/', ..] => uri.push_str("file://"),
        [letter, b':', b'/', ..] if letter.is_ascii_alphabetic() => uri.push_str("file:///"),
        _ => {}
    }
    let has_drive = uri == "file:///";
    for (at, byte) in path.bytes().enumerate() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) || (has_drive && at == 1) {
            uri.push(char::from(byte));
        } else {
            let _ = write!(uri, "%{byte:02X}");
        }
    }
    uri
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULESET: &str = "\
lookalike: 1
name: volumes
tables:
  findings:
    rows: 1k
    columns:
      Größe: {normal: {mean: 80, stddev: 5}}
      Region: {choice: [a, b]}
      Type: {choice: [gp2]}
      # one
      # two
      # three
      # four
      # five
      # six
      # seven
      Region: {choice: [c]}
";

    fn at(text: &str, word: &str, nth: usize) -> Span {
        let start = text.match_indices(word).nth(nth).expect("the word occurs").0;
        Span::new(0, start, start + word.len())
    }

    fn sample() -> (Vec<Diagnostic>, Sources) {
        let mut sources = Sources::new();
        sources.add("rulesets/my volumes.yaml", RULESET);
        let list = vec![
            Diagnostic::error("unknown-key", at(RULESET, "stddev", 0), "unknown key `stddev` in `normal`")
                .label("not a key of `normal`")
                .help("did you mean `std_dev`?"),
            Diagnostic::error("duplicate-key", at(RULESET, "Region", 1), "the key `Region` is given twice")
                .label("given again here")
                .related(at(RULESET, "Region", 0), "first given here")
                .help("remove or rename one of the two"),
            Diagnostic::warning("unused-case", at(RULESET, "gp2", 0), "this case is never chosen")
                .related(at(RULESET, "choice", 1), "these are the values")
                .help("two lines\nof help"),
            Diagnostic::error("cannot-read", None, "cannot read `prices.csv`: no such file")
                .help("paths are relative to the file that they stand in"),
        ];
        (list, sources)
    }

    #[test]
    fn text_shows_place_label_related_places_and_help() {
        let (list, sources) = sample();
        insta::assert_snapshot!(to_text(&list, &sources, false));
    }

    #[test]
    fn colour_adds_styles_and_nothing_else() {
        let (list, sources) = sample();
        let styled = to_text(&list, &sources, true);
        assert!(styled.contains("\u{1b}["));
        let mut plain = String::new();
        let mut rest = styled.as_str();
        while let Some((before, after)) = rest.split_once("\u{1b}[") {
            plain.push_str(before);
            rest = after.split_once('m').expect("a style ends in m").1;
        }
        plain.push_str(rest);
        assert_eq!(plain, to_text(&list, &sources, false));
    }

    #[test]
    fn nothing_is_rendered_for_no_diagnostics() {
        assert_eq!(to_text(&[], &Sources::new(), true), "");
        assert_eq!(to_json(&[], &Sources::new()), json!([]));
    }

    #[test]
    fn long_lines_are_cut_around_the_mark() {
        let text = format!("a: [{}WRONG, {}]\n", "x, ".repeat(300_000), "y, ".repeat(1000));
        let mut sources = Sources::new();
        sources.add("long.yaml", text.as_str());
        let wrong = Diagnostic::error("bad-value", at(&text, "WRONG", 0), "wrong").label("this one");
        let shown = to_text(&[wrong], &sources, false);
        assert!(shown.len() < 1000, "{} bytes", shown.len());
        insta::assert_snapshot!(shown);
    }

    #[test]
    fn a_whole_line_of_marks_is_cut() {
        let text = format!("a: {}\n", "x".repeat(1 << 20));
        let mut sources = Sources::new();
        sources.add("long.yaml", text.as_str());
        let long =
            Diagnostic::error("bad-value", Span::new(0, 3, text.len()), "too long").label("all of this");
        let shown = to_text(&[long], &sources, false);
        assert!(shown.len() < 1000, "{} bytes", shown.len());
    }

    #[test]
    fn spans_over_many_lines_are_marked_on_their_first() {
        let mut sources = Sources::new();
        sources.add("a.yaml", RULESET);
        let span = Span::new(0, at(RULESET, "findings", 0).start as usize, RULESET.len());
        insta::assert_snapshot!(to_text(
            &[Diagnostic::error("wrong-type", span, "a mapping")],
            &sources,
            false
        ));
    }

    #[test]
    fn controls_never_reach_the_terminal() {
        let text = "a: \u{1b}[31mred\u{7}\u{9b}2J\u{202e}\r\nb: 1\r\n";
        let mut sources = Sources::new();
        sources.add("na\u{1b}me.yaml", text);
        let bad = Diagnostic::error("bad-value", at(text, "red", 0), "m\u{1b}]0;x\u{7}")
            .label("l\u{1b}c")
            .related(at(text, "b", 0), "r\u{9b}")
            .help("h\u{1b}[2J\nsecond line");
        let shown = to_text(&[bad], &sources, false);
        assert!(shown.chars().all(|c| c == '\n' || !c.is_control()), "{shown:?}");
        assert!(!shown.contains('\u{202e}'));
        insta::assert_snapshot!(shown);
    }

    #[test]
    fn json_is_stable() {
        let (list, sources) = sample();
        let pretty = serde_json::to_string_pretty(&to_json(&list, &sources)).expect("JSON can be written");
        insta::assert_snapshot!(pretty);
    }

    #[test]
    fn sarif_has_rules_results_and_places() {
        let (list, sources) = sample();
        let log = to_sarif(&list, &sources);
        assert_eq!(log["version"], "2.1.0");
        let run = &log["runs"][0];
        let rules = run["tool"]["driver"]["rules"].as_array().expect("rules are a list");
        for result in run["results"].as_array().expect("results are a list") {
            let index = result["ruleIndex"].as_u64().expect("an index") as usize;
            assert_eq!(rules[index]["id"], result["ruleId"]);
            assert!(rules[index]["help"]["text"].is_string());
        }
        insta::assert_snapshot!(
            serde_json::to_string_pretty(&run["results"][1]).expect("JSON can be written")
        );
        assert!(run["results"][3].get("locations").is_none());
    }

    #[test]
    fn paths_become_uris() {
        assert_eq!(uri("rulesets/my volumes.yaml"), "rulesets/my%20volumes.yaml");
        assert_eq!(uri("/data/ä.yaml"), "file:///data/%C3%A4.yaml");
        assert_eq!(uri("C:\\data\\a.yaml"), "file:///C:/data/a.yaml");
    }

    proptest::proptest! {
        #[test]
        fn no_span_makes_rendering_panic(text in "(?s).{0,60}", a in 0usize..80, b in 0usize..80, c in 0usize..80) {
            let mut sources = Sources::new();
            sources.add("x.yaml", text);
            let list = [Diagnostic::error("bad-value", Span::new(0, a, b), "m")
                .label("l")
                .related(Span::new(0, c, c + 3), "r")];
            let shown = to_text(&list, &sources, false);
            proptest::prop_assert!(shown.contains("bad-value"));
            to_json(&list, &sources);
            to_sarif(&list, &sources);
        }
    }
}
