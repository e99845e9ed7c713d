//! Texts by a language model: what it is asked, and the file in which its answers are kept beside the ruleset.
//!
//! A run never asks anybody. A text is a fact in a file, found by the address of what was asked: a digest of the model, its
//! rules, the prompt and the parameters. So it hangs on the ruleset with its files and on the row alone.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::decode::{Count, NamedItem, Share, Spanned};
use crate::diagnostic::{Diagnostic, Problems};
use crate::document::MAX_LOOKUP_LINES;
use crate::source::Span;
use crate::{Node, params, read};

/// The longest text that is kept, in bytes.
pub const MAX_TEXT_BYTES: usize = 64 * 1024;

/// How the name of a file with texts ends.
pub const EXTENSION: &str = ".jsonl";

params! {
    /// Texts by a language model, for columns of the kind `llm_text`. `lookalike texts` asks for them and keeps them in a
    /// file; a run only reads that file.
    pub struct TextsDecl {
        /// Path of the file that keeps the texts, relative to the ruleset; it ends in .jsonl.
        file: Spanned<String>,
        /// Id of the model that is asked.
        model: String,
        /// Who the model is, and the rules that it has to keep; the same for all rows.
        system: String = String::new(),
        /// Tokens of an answer, at most.
        max_tokens: Count = Count(1024),
        /// From 0, nearly always the same answer, to 1; left to the model unless given.
        temperature: Option<Share>,
        /// Characters of a text, at most.
        max_length: Option<Count>,
        /// Regular expression that a whole text must match.
        matches: Option<Spanned<String>>,
        /// JSON Schema that a text must meet, which is then kept as JSON without white space. Types, values, properties, items,
        /// lengths, ranges and patterns are checked; references and combinations of schemas are not known.
        json_schema: Option<Node>,
        /// What the texts are and where they come from.
        about: Option<String>,
    }
}

impl TextsDecl {
    /// The address of what is asked: SHA-256 over model, rules, prompt and parameters, each after its length.
    pub fn address(&self, prompt: &str) -> Address {
        let mut hasher = Sha256::new();
        let temperature = self.temperature.map(|temperature| temperature.0.to_string());
        for part in [
            "lookalike text 1",
            &self.model,
            &self.system,
            &self.max_tokens.0.to_string(),
            temperature.as_deref().unwrap_or_default(),
            prompt,
        ] {
            hasher.update((part.len() as u64).to_le_bytes());
            hasher.update(part);
        }
        Address(hasher.finalize().into())
    }
}

/// Where a text is found: a digest of what was asked.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address([u8; 32]);

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Address {
    fn parse(text: &str) -> Option<Address> {
        let mut bytes = [0; 32];
        if text.len() != 64 || !text.is_ascii() {
            return None;
        }
        for (at, byte) in bytes.iter_mut().enumerate() {
            *byte = u8::from_str_radix(&text[2 * at..2 * at + 2], 16).ok()?;
        }
        Some(Address(bytes))
    }
}

/// A text that is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// The text.
    pub text: String,
    /// Who wrote it: the provider and the model that was asked.
    pub by: String,
}

/// A line of a file with texts.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    address: String,
    by: String,
    text: String,
}

/// Writes a line of a file with texts, its end included.
pub fn line(address: Address, kept: &Kept) -> String {
    let line = Line { address: address.to_string(), by: kept.by.clone(), text: kept.text.clone() };
    serde_json::to_string(&line).unwrap_or_default() + "\n"
}

/// Reads the lines of a file with texts, in any order. Of equal addresses the last one counts.
///
/// # Errors
/// The number of the first line that is none, from 1, and what is wrong with it.
pub fn lines(text: &str) -> Result<BTreeMap<Address, Kept>, (usize, String)> {
    let mut kept = BTreeMap::new();
    for (at, text) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let wrong = |what: &str| (at + 1, what.to_owned());
        if kept.len() == MAX_LOOKUP_LINES {
            return Err(wrong(&format!(
                "there are more than {MAX_LOOKUP_LINES} texts, the most that are read"
            )));
        }
        let line: Line = serde_json::from_str(text).map_err(|error| {
            let error = error.to_string();
            wrong(error.split(" at line ").next().unwrap_or_default())
        })?;
        let address =
            Address::parse(&line.address).ok_or_else(|| wrong("`address` is not 64 hexadecimal digits"))?;
        if line.text.len() > MAX_TEXT_BYTES {
            return Err(wrong(&format!("the text is longer than {MAX_TEXT_BYTES} bytes")));
        }
        kept.insert(address, Kept { text: line.text, by: line.by });
    }
    Ok(kept)
}

/// Texts with what is asked for them.
#[derive(Clone, Debug)]
pub struct Texts {
    /// Name in the ruleset.
    pub name: String,
    /// Where they are declared.
    pub span: Span,
    /// What is asked, and what a text must be.
    pub decl: TextsDecl,
    /// Name of the file.
    pub file: String,
    /// Whether the file is there; if not, nobody was asked yet.
    pub is_there: bool,
    /// The texts by their addresses.
    pub kept: BTreeMap<Address, Kept>,
}

impl Texts {
    /// Takes in the file with this name; `bytes` is `None` if there is no such file yet.
    pub(crate) fn read(
        item: &NamedItem<TextsDecl>,
        file: String,
        bytes: Option<Vec<u8>>,
        problems: &mut Problems,
    ) -> Option<Texts> {
        let decl = &item.value;
        let is_there = bytes.is_some();
        let text = match read::text_of(bytes.unwrap_or_default(), &file) {
            Ok(text) => text,
            Err(diagnostic) => {
                problems.push(*diagnostic);
                return None;
            }
        };
        let kept = match lines(&text) {
            Ok(kept) => kept,
            Err((line, what)) => {
                let message = format!("line {line} of `{file}` is no text: {what}");
                let help =
                    "such files are written by `lookalike texts`; name another one, or remove the line";
                problems.error("bad-texts", decl.file.span, message, help);
                return None;
            }
        };
        Some(Texts {
            name: item.name.clone(),
            span: item.name_span,
            decl: decl.clone(),
            file,
            is_there,
            kept,
        })
    }

    /// The text for a prompt, if there is one.
    pub fn find(&self, prompt: &str) -> Option<&str> {
        self.kept.get(&self.decl.address(prompt)).map(|kept| kept.text.as_str())
    }
}

/// Adds what is wrong with a declaration by itself.
pub(crate) fn check(decl: &TextsDecl, problems: &mut Problems) -> Option<()> {
    let before = problems.len();
    if !decl.file.value.ends_with(EXTENSION) {
        let message = format!("`{}` cannot keep texts", decl.file.value);
        problems.error("bad-texts", decl.file.span, message, format!("name a file that ends in {EXTENSION}"));
    }
    if decl.model.trim().is_empty() {
        let help = "name the model: an id that `lookalike texts` can ask for";
        problems.error("bad-texts", decl.file.span, "`model` is empty", help);
    }
    if !(1..=u64::from(u32::MAX)).contains(&decl.max_tokens.0) {
        let message = format!("an answer cannot have {} tokens at most", decl.max_tokens.0);
        problems.push(
            Diagnostic::error("bad-texts", decl.file.span, message).help("write a number such as 1024"),
        );
    }
    (problems.len() == before).then_some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decl(text: &str) -> TextsDecl {
        use crate::decode::Decode as _;
        let mut sources = crate::Sources::new();
        let file = sources.add("x.yaml", text);
        let mut problems = Problems::new();
        let node = read::read(&sources, file, read::Format::Yaml, &mut problems).unwrap();
        TextsDecl::decode(&node, &mut problems).unwrap()
    }

    #[test]
    fn the_address_hangs_on_all_that_is_asked_and_on_nothing_else() {
        let base = decl("{file: a.jsonl, model: m, system: s}");
        let address = base.address("p");
        // By `hashlib.sha256` over the parts, each after `struct.pack('<Q', len(part))`.
        assert_eq!(address.to_string(), "254740dcd00eb722f8ed6da220ab4259d7bfe825d14bdb90d548129c7746eb40");
        assert_eq!(Address::parse(&address.to_string()), Some(address));
        for (same, text) in [
            (true, "{file: b.jsonl, model: m, system: s, max_length: 5, about: x}"),
            (false, "{file: a.jsonl, model: n, system: s}"),
            (false, "{file: a.jsonl, model: m, system: t}"),
            (false, "{file: a.jsonl, model: ms}"),
            (false, "{file: a.jsonl, model: m, system: s, max_tokens: 1025}"),
            (false, "{file: a.jsonl, model: m, system: s, temperature: 0}"),
        ] {
            assert_eq!(decl(text).address("p") == address, same, "{text}");
        }
        assert_ne!(base.address("q"), address);
    }

    #[test]
    fn lines_come_back_and_others_are_refused() {
        let address = decl("{file: a.jsonl, model: m}").address("p");
        let kept = Kept { text: "two\nlines, \"é\"".into(), by: "bedrock m".into() };
        let written = line(address, &kept);
        assert_eq!(lines(&format!("{written}\n{written}")), Ok([(address, kept)].into()));
        let long = written.replace("two", &"x".repeat(MAX_TEXT_BYTES));
        for (text, at) in [
            ("{}", 1),
            ("\n[1]", 2),
            (written.replace("by", "bye").as_str(), 1),
            (written.replace(&address.to_string(), "12").as_str(), 1),
            (&long, 1),
        ] {
            assert_eq!(lines(text).map_err(|(at, _)| at), Err(at), "{text}");
        }
    }
}
