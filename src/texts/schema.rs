//! The part of JSON Schema by which texts are checked: the keywords that say what an object, a list or a scalar must be, but no
//! references and no combinations of schemas. What is not known is refused rather than passed over.
//!
//! Own code, because a validator for all of JSON Schema brings in some twenty crates.

use lookalike_ruleset::decode::{Count, Decode, Number, wrong};
use lookalike_ruleset::diagnostic::did_you_mean;
use lookalike_ruleset::document::{Literal, guess};
use lookalike_ruleset::{Diagnostic, Entry, Json, Node, Problems, Span, Value};
use regex::Regex;

/// A schema. What is not said is not checked.
#[derive(Debug, Default)]
pub(super) struct Schema {
    types: Vec<String>,
    /// The values allowed, of `enum` or `const`.
    values: Option<Vec<Json>>,
    required: Vec<String>,
    properties: Vec<(String, Schema)>,
    /// Whether there may be other properties.
    is_closed: bool,
    items: Option<Box<Schema>>,
    /// Fewest and most items.
    count: (Option<u64>, Option<u64>),
    /// Fewest and most characters.
    length: (Option<u64>, Option<u64>),
    pattern: Option<Regex>,
    /// Least and greatest number.
    range: (Option<f64>, Option<f64>),
}

const TYPES: [&str; 7] = ["object", "array", "string", "number", "integer", "boolean", "null"];

const KEYWORDS: [&str; 18] = [
    "type",
    "enum",
    "const",
    "required",
    "properties",
    "additionalProperties",
    "items",
    "minItems",
    "maxItems",
    "minLength",
    "maxLength",
    "pattern",
    "minimum",
    "maximum",
    "title",
    "description",
    "$schema",
    "$comment",
];

impl Schema {
    /// Reads a schema; `None` after adding what is wrong with it.
    pub fn read(node: &Node, problems: &mut Problems) -> Option<Schema> {
        let Some(entries) = node.as_map() else {
            wrong(node, "a JSON Schema such as `{type: object, required: [title]}`", problems);
            return None;
        };
        let mut schema = Schema::default();
        let mut whole = true;
        for entry in entries {
            whole &= schema.keyword(entry, problems).is_some();
        }
        whole.then_some(schema)
    }

    fn keyword(&mut self, entry: &Entry, problems: &mut Problems) -> Option<()> {
        let node = &entry.value;
        match entry.key.as_str() {
            "type" => self.types = names(node, &TYPES, problems)?,
            "enum" => match node.as_list() {
                Some(items) => self.values = Some(items.iter().map(json).collect()),
                None => {
                    wrong(node, "a list of values", problems);
                    return None;
                }
            },
            "const" => self.values = Some(vec![json(node)]),
            "required" => self.required = Vec::decode(node, problems)?,
            "properties" => match node.as_map() {
                Some(entries) => {
                    for entry in entries {
                        self.properties.push((entry.key.clone(), Schema::read(&entry.value, problems)?));
                    }
                }
                None => {
                    wrong(node, "a mapping from properties to schemas", problems);
                    return None;
                }
            },
            "additionalProperties" => self.is_closed = !bool::decode(node, problems)?,
            "items" => self.items = Some(Box::new(Schema::read(node, problems)?)),
            "minItems" => self.count.0 = Some(Count::decode(node, problems)?.0),
            "maxItems" => self.count.1 = Some(Count::decode(node, problems)?.0),
            "minLength" => self.length.0 = Some(Count::decode(node, problems)?.0),
            "maxLength" => self.length.1 = Some(Count::decode(node, problems)?.0),
            "minimum" => self.range.0 = Some(Number::decode(node, problems)?.0),
            "maximum" => self.range.1 = Some(Number::decode(node, problems)?.0),
            "pattern" => self.pattern = Some(regex(&String::decode(node, problems)?, node.span, problems)?),
            "title" | "description" | "$schema" | "$comment" => {}
            other => {
                let known = KEYWORDS.iter().copied();
                problems.push(
                    Diagnostic::error(
                        "bad-texts",
                        entry.key_span,
                        format!("`{other}` of JSON Schema is not checked here"),
                    )
                    .label("not known here")
                    .help(did_you_mean(other, "keywords", known)),
                );
                return None;
            }
        }
        Some(())
    }

    /// Holds a value against the schema.
    ///
    /// # Errors
    /// What is wrong first, and where: `/tags/0`.
    pub fn check(&self, value: &Json) -> Result<(), String> {
        self.check_at(value, "")
    }

    fn check_at(&self, value: &Json, place: &str) -> Result<(), String> {
        let refuse = |what: String| Err(format!("{}: {what}", if place.is_empty() { "/" } else { place }));
        if !self.types.is_empty() && !self.types.iter().any(|ty| is_of(value, ty)) {
            return refuse(format!("expected {}", self.types.join(" or ")));
        }
        if let Some(values) = self.values.as_ref().filter(|values| !values.iter().any(|v| equal(v, value))) {
            let values: Vec<String> = values.iter().map(Json::to_string).collect();
            return refuse(format!("expected {}", values.join(" or ")));
        }
        match value {
            Json::Object(object) => {
                if let Some(name) = self.required.iter().find(|name| !object.contains_key(*name)) {
                    return refuse(format!("`{name}` is missing"));
                }
                for (name, value) in object {
                    match self.properties.iter().find(|(known, _)| known == name) {
                        Some((_, schema)) => schema.check_at(value, &format!("{place}/{name}"))?,
                        None if self.is_closed => return refuse(format!("`{name}` may not be there")),
                        None => {}
                    }
                }
            }
            Json::Array(items) => {
                within(items.len() as u64, self.count, "items").or_else(refuse)?;
                for (at, item) in items.iter().enumerate() {
                    self.items
                        .iter()
                        .try_for_each(|schema| schema.check_at(item, &format!("{place}/{at}")))?;
                }
            }
            Json::String(text) => {
                within(text.chars().count() as u64, self.length, "characters").or_else(refuse)?;
                if let Some(pattern) = self.pattern.as_ref().filter(|pattern| !pattern.is_match(text)) {
                    return refuse(format!("does not match `{pattern}`"));
                }
            }
            Json::Number(number) => {
                let number = number.as_f64().unwrap_or(f64::NAN);
                if self.range.0.is_some_and(|least| number < least)
                    || self.range.1.is_some_and(|most| number > most)
                {
                    return refuse(format!("{number} is out of range"));
                }
            }
            Json::Bool(_) | Json::Null => {}
        }
        Ok(())
    }
}

/// A regular expression of the ruleset's.
pub(super) fn regex(text: &str, span: Span, problems: &mut Problems) -> Option<Regex> {
    match Regex::new(text) {
        Ok(regex) => Some(regex),
        Err(error) => {
            let reason = error.to_string();
            let reason = reason.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
            let message = format!("`{text}` is no regular expression: {reason}");
            problems.push(
                Diagnostic::error("bad-texts", span, message)
                    .label("here")
                    .help("a text of one question is matched by `[^?]+\\?`; there are no look-arounds and no back-references"),
            );
            None
        }
    }
}

/// One name or a list of names, all known.
fn names(node: &Node, known: &[&str], problems: &mut Problems) -> Option<Vec<String>> {
    let names = if node.as_list().is_some() {
        Vec::<String>::decode(node, problems)?
    } else {
        vec![String::decode(node, problems)?]
    };
    match names.iter().find(|name| !known.contains(&name.as_str())) {
        Some(name) => {
            let help = did_you_mean(name, "types", known.iter().copied());
            problems.push(
                Diagnostic::error("bad-texts", node.span, format!("JSON has no type `{name}`")).help(help),
            );
            None
        }
        None => Some(names),
    }
}

fn within(count: u64, (least, most): (Option<u64>, Option<u64>), what: &str) -> Result<(), String> {
    match (least, most) {
        (Some(least), _) if count < least => Err(format!("{count} {what}, and {least} are the fewest")),
        (_, Some(most)) if count > most => Err(format!("{count} {what}, and {most} are the most")),
        _ => Ok(()),
    }
}

fn is_of(value: &Json, ty: &str) -> bool {
    match ty {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "number" => value.is_number(),
        // 1.0 is an integer, too.
        "integer" => value.as_f64().is_some_and(|number| number.fract() == 0.0),
        "boolean" => value.is_boolean(),
        _ => value.is_null(),
    }
}

/// Whether values are equal as JSON Schema has it: 1 and 1.0 are.
fn equal(a: &Json, b: &Json) -> bool {
    a == b || a.is_number() && b.is_number() && a.as_f64() == b.as_f64()
}

/// A node as JSON, with scalars as the types that they look like.
fn json(node: &Node) -> Json {
    match &node.value {
        Value::Map(entries) => entries.iter().map(|entry| (entry.key.clone(), json(&entry.value))).collect(),
        Value::List(items) => items.iter().map(json).collect(),
        Value::Scalar(_) if node.is_null() => Json::Null,
        Value::Scalar(scalar) => match guess(scalar) {
            Literal::Bool(value) => value.into(),
            Literal::Int(value) => value.into(),
            Literal::Float(value) => value.into(),
            _ => scalar.text.clone().into(),
        },
        Value::Reported => Json::Null,
    }
}

#[cfg(test)]
mod tests {
    use lookalike_ruleset::Sources;
    use lookalike_ruleset::read::{Format, read};
    use serde_json::json;

    use super::*;

    fn schema(text: &str) -> Result<Schema, Vec<Diagnostic>> {
        let mut sources = Sources::new();
        let file = sources.add("x.yaml", text);
        let mut problems = Problems::new();
        let node = read(&sources, file, Format::Yaml, &mut problems).unwrap();
        Schema::read(&node, &mut problems).ok_or_else(|| problems.into_sorted())
    }

    #[test]
    fn every_keyword_is_checked() {
        for (text, good, bad, why) in [
            ("{type: object}", json!({}), json!([]), "/: expected object"),
            ("{type: [string, 'null']}", json!(null), json!(1), "/: expected string or null"),
            ("{type: integer}", json!(1.0), json!(1.5), "expected integer"),
            ("{enum: [a, 2, true]}", json!(2.0), json!("b"), "expected \"a\" or 2 or true"),
            ("{const: {a: [1]}}", json!({"a": [1]}), json!({"a": []}), "expected {\"a\":[1]}"),
            ("{required: [a]}", json!({"a": null}), json!({"b": 1}), "`a` is missing"),
            ("{properties: {a: {type: string}}}", json!({"b": 1}), json!({"a": 1}), "/a: expected string"),
            (
                "{properties: {a: {}}, additionalProperties: false}",
                json!({"a": 1}),
                json!({"c": 1}),
                "`c` may not be there",
            ),
            (
                "{items: {items: {type: number}}}",
                json!([[1], []]),
                json!([[1], ["x"]]),
                "/1/0: expected number",
            ),
            ("{minItems: 1, maxItems: 2}", json!([1, 2]), json!([]), "0 items, and 1 are the fewest"),
            ("{minItems: 1, maxItems: 2}", json!([1]), json!([1, 2, 3]), "3 items, and 2 are the most"),
            ("{minLength: 2}", json!("äö"), json!("ä"), "1 characters"),
            ("{maxLength: 2}", json!("äö"), json!("abc"), "3 characters"),
            ("{pattern: '^a+$', title: x, description: y}", json!("aa"), json!("ab"), "does not match"),
            ("{minimum: 1, maximum: 3}", json!(3), json!(3.5), "out of range"),
            ("{minimum: 1}", json!("x"), json!(0), "out of range"),
        ] {
            let schema = schema(text).unwrap_or_else(|problems| panic!("{text}: {problems:#?}"));
            assert_eq!(schema.check(&good), Ok(()), "{text}");
            let error = schema.check(&bad).unwrap_err();
            assert!(error.contains(why), "{text}: {error}");
        }
    }

    #[test]
    fn what_is_not_checked_is_refused() {
        for text in [
            "{oneOf: [{type: string}]}",
            "{$ref: 'file:///etc/passwd'}",
            "{type: thing}",
            "{items: {patern: x}}",
            "{pattern: '('}",
            "{required: a}",
            "{minItems: -1}",
            "{properties: [a]}",
            "{enum: a}",
            "[1]",
        ] {
            assert!(schema(text).is_err(), "{text}");
        }
        let problems = schema("{properties: {a: {requird: [b]}}}").unwrap_err();
        assert!(problems[0].help.iter().any(|help| help.contains("required")), "{problems:?}");
    }
}
