use std::borrow::Cow;

use serde_json::Value;

/// What must never be seen in a recording, a message or an answer.
#[derive(Clone, Default)]
pub struct Secrets(Vec<String>);

/// Shorter texts are no secrets, and hiding them would spoil ordinary words.
const SHORTEST: usize = 8;
const HIDDEN: &str = "[hidden]";

impl Secrets {
    /// Adds a secret.
    pub fn add(&mut self, secret: &str) {
        if secret.len() >= SHORTEST {
            self.0.push(secret.to_owned());
            // The longest first, in case that one is part of another.
            self.0.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        }
    }

    /// `text` with `[hidden]` where a secret stood, and where something stood that looks like the id of an AWS access key.
    pub fn hide<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let mut text = Cow::Borrowed(text);
        for secret in &self.0 {
            if text.contains(secret.as_str()) {
                text = Cow::Owned(text.replace(secret.as_str(), HIDDEN));
            }
        }
        while let Some(at) = access_key(&text) {
            text.to_mut().replace_range(at..at + KEY_LENGTH, HIDDEN);
        }
        text
    }

    /// Hides in every text of a JSON value, keys too.
    pub fn hide_json(&self, value: &mut Value) {
        match value {
            Value::String(text) => *text = self.hide(text).into_owned(),
            Value::Array(items) => items.iter_mut().for_each(|item| self.hide_json(item)),
            Value::Object(object) => {
                *object = std::mem::take(object)
                    .into_iter()
                    .map(|(key, mut value)| {
                        self.hide_json(&mut value);
                        (self.hide(&key).into_owned(), value)
                    })
                    .collect();
            }
            _ => {}
        }
    }
}

/// Ids of access keys are this long: `AKIA` or `ASIA`, and 16 capitals or digits.
const KEY_LENGTH: usize = 20;

fn access_key(text: &str) -> Option<usize> {
    let is_key = |at: &usize| {
        let rest = &text.as_bytes()[*at..];
        let word = |byte: &u8| byte.is_ascii_uppercase() || byte.is_ascii_digit();
        rest.len() >= KEY_LENGTH
            && rest[..KEY_LENGTH].iter().all(word)
            && !rest.get(KEY_LENGTH).is_some_and(u8::is_ascii_alphanumeric)
    };
    let starts = text.match_indices("AKIA").chain(text.match_indices("ASIA")).map(|(at, _)| at);
    starts.filter(is_key).min()
}

impl std::fmt::Debug for Secrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Secrets({} hidden)", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn secrets_are_hidden_wherever_they_stand() {
        let mut secrets = Secrets::default();
        secrets.add("top-secret");
        secrets.add("top-secret-and-longer");
        secrets.add("short");
        assert_eq!(secrets.hide("a top-secret, a short one"), "a [hidden], a short one");
        assert_eq!(secrets.hide("top-secret-and-longer"), "[hidden]");
        let mut value = json!({"top-secret": ["x", {"k": "=top-secret="}], "n": 1});
        secrets.hide_json(&mut value);
        assert_eq!(value, json!({"[hidden]": ["x", {"k": "=[hidden]="}], "n": 1}));
        assert!(!format!("{secrets:?}").contains("top"));
    }

    #[test]
    fn ids_of_access_keys_are_known_by_their_look() {
        let secrets = Secrets::default();
        assert_eq!(secrets.hide("id AKIAIOSFODNN7EXAMPLE."), "id [hidden].");
        assert_eq!(secrets.hide("ASIAIOSFODNN7EXAMPLE"), "[hidden]");
        for other in ["AKIA", "AKIAIOSFODNN7EXAMPLE9", "akiaiosfodnn7example", "ASIAN MARKETS"] {
            assert_eq!(secrets.hide(other), other);
        }
    }
}
