//! Texts by language models: what one must be, and which of them a ruleset's rows lack.

mod schema;

use std::sync::Arc;

use lookalike_engine::wanted::Wanted;
use lookalike_ruleset::document::Loaded;
use lookalike_ruleset::texts::{MAX_TEXT_BYTES, TextsDecl};
use lookalike_ruleset::{Diagnostic, Json, Problems};
use regex::Regex;

use schema::Schema;

/// What a text must be.
pub(crate) struct Checks {
    max_length: Option<u64>,
    matches: Option<(Regex, String)>,
    schema: Option<Schema>,
}

impl Checks {
    /// The checks that a declaration asks for; `None` after adding what is wrong with them.
    pub fn new(decl: &TextsDecl, problems: &mut Problems) -> Option<Checks> {
        let mut whole = true;
        let matches = decl.matches.as_ref().and_then(|pattern| {
            let found = schema::regex(&pattern.value, pattern.span, problems)
                // The whole text, as a pattern of the language does.
                .and_then(|_| Regex::new(&format!(r"\A(?:{})\z", pattern.value)).ok());
            whole &= found.is_some();
            found.map(|regex| (regex, pattern.value.clone()))
        });
        let schema = decl.json_schema.as_ref().and_then(|node| {
            let schema = Schema::read(node, problems);
            whole &= schema.is_some();
            schema
        });
        whole.then_some(Checks { max_length: decl.max_length.map(|length| length.0), matches, schema })
    }

    /// The text as it is kept: without white space around it; JSON without white space at all.
    ///
    /// # Errors
    /// Why it cannot be used, in words for the model and the user.
    pub fn accept(&self, text: &str) -> Result<String, String> {
        let mut text = text.trim().to_owned();
        if text.is_empty() {
            return Err("it is empty".into());
        }
        if let Some(schema) = &self.schema {
            let value: Json =
                serde_json::from_str(&text).map_err(|error| format!("it is not JSON: {error}"))?;
            schema.check(&value).map_err(|why| format!("it does not meet the JSON Schema at {why}"))?;
            text = value.to_string();
        }
        if let Some(char) = text.chars().find(|c| c.is_control() && !matches!(c, '\n' | '\t')) {
            return Err(format!("it has the control character U+{:04X}", u32::from(char)));
        }
        if text.len() > MAX_TEXT_BYTES {
            return Err(format!("it has {} bytes, and no text has more than {MAX_TEXT_BYTES}", text.len()));
        }
        let length = text.chars().count() as u64;
        if let Some(most) = self.max_length.filter(|most| length > *most) {
            return Err(format!("it has {length} characters, and {most} are the most"));
        }
        if let Some((regex, pattern)) = &self.matches
            && !regex.is_match(&text)
        {
            return Err(format!("it does not match `{pattern}` as a whole"));
        }
        Ok(text)
    }
}

/// Holds the texts that are kept against what they must be. While missing texts are listed, those that are not count as missing;
/// else they are mistakes.
pub(crate) fn check(loaded: &mut Loaded, wanted: Option<&Arc<Wanted>>, problems: &mut Problems) {
    for texts in &mut loaded.texts {
        let Some(checks) = Checks::new(&texts.decl, problems) else { continue };
        // A text is kept in the form in which it was accepted.
        let is_good = |text: &str| checks.accept(text).is_ok_and(|accepted| accepted == text);
        if texts.kept.values().all(|kept| is_good(&kept.text)) {
            continue;
        }
        if wanted.is_some() {
            Arc::make_mut(texts).kept.retain(|_, kept| is_good(&kept.text));
            continue;
        }
        let bad: Vec<_> = texts.kept.iter().filter(|(_, kept)| !is_good(&kept.text)).collect();
        if let Some((address, kept)) = bad.first() {
            let why =
                checks.accept(&kept.text).err().unwrap_or_else(|| "it has white space to spare".to_owned());
            let message = format!(
                "{} of the {} texts in `{}` {} not what `{}` asks for",
                bad.len(),
                texts.kept.len(),
                texts.file,
                if bad.len() == 1 { "is" } else { "are" },
                texts.name
            );
            problems.push(
                Diagnostic::error("bad-texts", texts.decl.file.span, message)
                    .label(format!("for one, that of {address}: {why}"))
                    .help("`lookalike texts RULESET` asks for others in their place"),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use lookalike_ruleset::Sources;
    use lookalike_ruleset::decode::Decode as _;
    use lookalike_ruleset::read::{Format, read};

    use super::*;

    fn checks(keys: &str) -> Result<Checks, Vec<Diagnostic>> {
        let mut sources = Sources::new();
        let file = sources.add("x.yaml", format!("{{file: a.jsonl, model: m{keys}}}"));
        let mut problems = Problems::new();
        let node = read(&sources, file, Format::Yaml, &mut problems).unwrap();
        let decl = TextsDecl::decode(&node, &mut problems).unwrap();
        Checks::new(&decl, &mut problems).ok_or_else(|| problems.into_sorted())
    }

    #[test]
    fn texts_are_held_against_what_they_must_be() {
        let schema = ", json_schema: {type: object, required: [a], properties: {a: {type: integer, minimum: 1}, b: {pattern: '^x'}}, \
                      additionalProperties: false}";
        for (keys, text, expected) in [
            ("", "  a b\n", Ok("a b")),
            ("", " \n", Err("it is empty")),
            ("", "a\u{1b}[2J", Err("U+001B")),
            (", max_length: 3", "äöü", Ok("äöü")),
            (", max_length: 3", "abcd", Err("it has 4 characters, and 3 are the most")),
            (r", matches: '[^?]+\?'", "Why?", Ok("Why?")),
            (r", matches: '[^?]+\?'", "Why? So.", Err("does not match")),
            (", matches: 'a|b'", "ab", Err("does not match")),
            (", matches: 'a.b'", "a\nb", Err("does not match")),
            (schema, "{\"a\": 1,\n \"b\": \"xy\"}", Ok(r#"{"a":1,"b":"xy"}"#)),
            (schema, "{\"a\": 0}", Err("at /a")),
            (schema, "{\"a\": 1, \"c\": 1}", Err("JSON Schema")),
            (schema, "```json\n{\"a\": 1}\n```", Err("it is not JSON")),
        ] {
            let accepted = checks(keys).map_err(|problems| format!("{problems:?}")).unwrap().accept(text);
            match (accepted, expected) {
                (Ok(found), Ok(expected)) => assert_eq!(found, expected),
                (Err(found), Err(expected)) => assert!(found.contains(expected), "{found}"),
                (found, _) => panic!("{keys} {text}: {found:?}"),
            }
        }
        let long = "x".repeat(MAX_TEXT_BYTES + 1);
        assert!(checks("").map_err(|_| ()).unwrap().accept(&long).is_err());
    }

    #[test]
    fn impossible_checks_are_mistakes() {
        for keys in [
            ", matches: '('",
            ", json_schema: {type: thing}",
            ", json_schema: [1]",
            ", json_schema: {$ref: 'file:///etc/passwd'}",
        ] {
            let problems = checks(keys).err().unwrap_or_else(|| panic!("{keys} is accepted"));
            assert!(["bad-texts", "wrong-type"].contains(&problems[0].code), "{keys}");
        }
    }
}
