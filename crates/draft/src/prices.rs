use std::collections::BTreeMap;

use serde::Deserialize;

use crate::{Cause, Error, Usage};

/// What models cost, from a file of the user's. None comes with the program: prices differ by region, change without
/// notice, and a wrong one is worse than none.
///
/// The file is JSON: `{"source": "where from, and when", "currency": "USD", "per_million_tokens": {"MODEL": {"input": 3,
/// "output": 15}}}`.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct Prices {
    /// Where the prices are from, and of which day.
    pub source: String,
    /// Currency.
    pub currency: String,
    /// Price of each model.
    per_million_tokens: BTreeMap<String, Price>,
}

/// What a million tokens cost.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct Price {
    /// Of requests.
    pub input: f64,
    /// Of answers.
    pub output: f64,
}

impl Prices {
    /// Reads the file's text.
    ///
    /// # Errors
    /// When it has another form, or a price that is none.
    pub fn from_json(text: &str) -> Result<Prices, Error> {
        let bad = |why: String| {
            Error::new(Cause::Setup, format!("the prices cannot be read: {why}")).help(
                "expected {\"source\": \"AWS price list of 2026-11-01\", \"currency\": \"USD\", \
                 \"per_million_tokens\": {\"MODEL\": {\"input\": 1.0, \"output\": 2.0}}}",
            )
        };
        let prices: Prices = serde_json::from_str(text).map_err(|error| bad(error.to_string()))?;
        if prices.source.trim().is_empty() {
            return Err(bad("`source` does not say where they are from".into()));
        }
        let is_price = |price: f64| price.is_finite() && price >= 0.0;
        match prices.per_million_tokens.iter().find(|(_, p)| !is_price(p.input) || !is_price(p.output)) {
            Some((model, _)) => Err(bad(format!("`{model}` has a price below nothing"))),
            None => Ok(prices),
        }
    }

    /// The price of a model, by the id that is asked for.
    ///
    /// # Errors
    /// When the file does not have it.
    pub fn of(&self, model: &str) -> Result<Price, Error> {
        self.per_million_tokens.get(model).copied().ok_or_else(|| {
            let known: Vec<_> = self.per_million_tokens.keys().map(|name| format!("`{name}`")).collect();
            Error::new(Cause::Setup, format!("the prices do not name the model `{model}`"))
                .help(format!("they name {}", known.join(", ")))
        })
    }
}

impl Price {
    /// What the tokens cost.
    pub fn cost(self, usage: Usage) -> f64 {
        (usage.input_tokens as f64 * self.input + usage.output_tokens as f64 * self.output) / 1e6
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prices_are_per_million_and_name_their_source() {
        let text = r#"{"source": "made up for a test", "currency": "USD",
                       "per_million_tokens": {"m": {"input": 2.0, "output": 10.0}}}"#;
        let prices = Prices::from_json(text).unwrap();
        let usage = Usage { input_tokens: 500_000, output_tokens: 100_000 };
        assert_eq!(prices.of("m").unwrap().cost(usage), 2.0);
        assert!(prices.of("n").unwrap_err().help[0].contains("`m`"));
        for (from, to) in
            [("made up for a test", " "), ("10.0", "-1"), ("currency", "currencies"), ("2.0", "\"2\"")]
        {
            assert!(Prices::from_json(&text.replace(from, to)).is_err(), "{to}");
        }
    }
}
