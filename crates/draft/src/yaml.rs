//! YAML as a person would write it, from JSON: what a model gives as the input of a tool becomes the text of a ruleset.

use serde_json::Value;

/// Lines of mappings and lists on one line are at most this long, in characters.
const WIDTH: usize = 110;

/// The YAML of a value. Keys keep their order. Mappings of names are a line for each name, what is short inside them stays
/// on one line.
pub fn from_json(value: &Value) -> String {
    let mut text = String::new();
    match value {
        Value::Object(object) if !object.is_empty() => block(value, 0, &mut Vec::new(), &mut text),
        Value::Array(items) if !items.is_empty() => block(value, 0, &mut Vec::new(), &mut text),
        scalar => {
            text.push_str(&flow(scalar));
            text.push('\n');
        }
    }
    text
}

/// Whether the value at a path holds names, each of which deserves a line.
fn holds_names(path: &[&str]) -> bool {
    match path {
        [] => true,
        [section] => {
            matches!(*section, "params" | "lookups" | "vocabulary" | "machines" | "tables" | "include")
        }
        ["tables", _] => true,
        ["tables", _, inner] => matches!(*inner, "columns" | "draws" | "require" | "expect" | "anomalies"),
        _ => false,
    }
}

fn block<'a>(value: &'a Value, indent: usize, path: &mut Vec<&'a str>, text: &mut String) {
    let pad = " ".repeat(indent);
    match value {
        Value::Object(object) => {
            for (key, value) in object {
                path.push(key);
                let head = format!("{pad}{}:", scalar(key, false));
                text.push_str(&head);
                under(value, head.chars().count(), indent + 2, path, text);
                path.pop();
            }
        }
        Value::Array(items) => {
            for item in items {
                path.push("");
                let head = format!("{pad}-");
                text.push_str(&head);
                let mut inner = String::new();
                under(item, head.len(), indent + 2, path, &mut inner);
                // The first line of a block stands beside the dash.
                match inner.strip_prefix('\n') {
                    Some(inner) => {
                        text.push(' ');
                        text.push_str(inner.trim_start());
                    }
                    None => text.push_str(&inner),
                }
                path.pop();
            }
        }
        other => {
            text.push_str(&flow(other));
            text.push('\n');
        }
    }
}

/// A value after `key:` or `-`: on the same line if it is short, else below.
fn under<'a>(value: &'a Value, used: usize, indent: usize, path: &mut Vec<&'a str>, text: &mut String) {
    let is_empty = match value {
        Value::Object(object) => object.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::String(words) => {
            text.push(' ');
            text.push_str(&scalar(words, false));
            text.push('\n');
            return;
        }
        _ => true,
    };
    let line = flow(value);
    if is_empty || (!holds_names(path) && used + 1 + line.chars().count() <= WIDTH) {
        text.push(' ');
        text.push_str(&line);
        text.push('\n');
    } else {
        text.push('\n');
        block(value, indent, path, text);
    }
}

fn flow(value: &Value) -> String {
    match value {
        Value::String(words) => scalar(words, true),
        Value::Array(items) => format!("[{}]", items.iter().map(flow).collect::<Vec<_>>().join(", ")),
        Value::Object(object) => {
            let entries = object.iter().map(|(key, value)| format!("{}: {}", scalar(key, true), flow(value)));
            format!("{{{}}}", entries.collect::<Vec<_>>().join(", "))
        }
        other => other.to_string(),
    }
}

/// A text: plain where that can mean nothing else, in single quotes where it is on one line, else with escapes.
fn scalar(words: &str, in_flow: bool) -> String {
    if is_plain(words, in_flow) {
        return words.to_owned();
    }
    if words.chars().any(|c| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{85}')) {
        // JSON's escapes are YAML's; what JSON leaves as it is but YAML does not take is escaped by hand.
        return Value::from(words)
            .to_string()
            .chars()
            .map(|c| match c {
                '\u{7f}'..='\u{9f}' | '\u{2028}' | '\u{2029}' | '\u{feff}' => format!("\\u{:04x}", c as u32),
                c => c.to_string(),
            })
            .collect();
    }
    format!("'{}'", words.replace('\'', "''"))
}

fn is_plain(words: &str, in_flow: bool) -> bool {
    let reserved = ["true", "false", "null", "yes", "no", "on", "off", "y", "n"];
    let first = words.chars().next();
    let fits = |c: char| {
        c.is_alphanumeric()
            || matches!(c, '_' | '-' | '.' | ' ' | '/' | '(' | ')' | '%' | '+' | '*' | '<' | '>' | '=')
            || (!in_flow && matches!(c, ','))
    };
    first.is_some_and(|c| c.is_alphabetic() || c == '_')
        && !words.ends_with(' ')
        && words.chars().all(fits)
        && !reserved.contains(&words.to_ascii_lowercase().as_str())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn names_get_a_line_and_short_things_share_one() {
        let ruleset = json!({
            "lookalike": 1,
            "about": "it's: a test",
            "tables": {"t": {"rows": "10k", "columns": {
                "id": {"sequence": {"start": 1}},
                "Volume Size": {"choice": {"a b": "5%", "true": 1, "": 2}},
                "fixed": true,
                "empty": {},
            }, "require": ["id > 0", "fixed"]}},
        });
        let wanted = "\
lookalike: 1
about: 'it''s: a test'
tables:
  t:
    rows: '10k'
    columns:
      id: {sequence: {start: 1}}
      Volume Size: {choice: {a b: '5%', 'true': 1, '': 2}}
      fixed: true
      empty: {}
    require:
      - id > 0
      - fixed
";
        assert_eq!(from_json(&ruleset), wanted);
    }

    #[test]
    fn what_is_long_is_broken() {
        let words = |n: usize| (0..n).map(|i| format!("value number {i}")).collect::<Vec<_>>();
        let text = from_json(&json!({"k": {"choice": words(9)}, "l": [{"a": words(9), "b": 1}]}));
        let wanted_start = "k:\n  choice:\n    - value number 0\n    - value number 1\n";
        assert!(text.starts_with(wanted_start), "{text}");
        assert!(text.contains("l:\n  - a:\n      - value number 0\n"), "{text}");
        assert!(text.ends_with("    b: 1\n"), "{text}");
    }

    #[test]
    fn controls_are_escaped() {
        assert_eq!(from_json(&json!("a\n\"b\u{1b}\u{2028}")), "\"a\\n\\\"b\\u001b\\u2028\"\n");
        assert_eq!(from_json(&json!(null)), "null\n");
        assert_eq!(
            from_json(&json!({"a": "- x", "b": "#", "c": " d", "e": "1.0"})),
            "a: '- x'\nb: '#'\nc: ' d'\ne: '1.0'\n"
        );
    }
}
