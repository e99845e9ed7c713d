//! `json`: objects and lists, put together from other columns.

use lookalike_ruleset::decode::{Decode, wrong};
use lookalike_ruleset::document::{Literal, guess};
use lookalike_ruleset::{Json, Node, Problems, Span, Type, Value};
use polars::prelude::*;
use serde_json::json;

use super::template::Template;
use super::text::Texts;
use crate::build::Builder;
use crate::generator::{Block, Failure, Generator, Group, InputName, Kind, Output, Promise, Rule, Site};

/// JSON with places for values of other columns.
#[derive(Clone, Debug)]
struct Form {
    parts: Vec<Part>,
}

#[derive(Clone, Debug)]
enum Part {
    /// Brackets, keys and fixed values.
    Fixed(String),
    Leaf(Leaf),
}

/// A text with columns in it.
#[derive(Clone, Debug)]
struct Leaf {
    template: Template,
    /// Whether the values are JSON by themselves: numbers, truth values, other JSON. Known once the column is.
    bare: bool,
}

impl Decode for Form {
    fn decode(node: &Node, problems: &mut Problems) -> Option<Self> {
        if !matches!(node.value, Value::Map(_) | Value::List(_)) {
            wrong(node, Self::what(), problems);
            return None;
        }
        let mut form = Form { parts: vec![Part::Fixed(String::new())] };
        form.add(node, problems)?;
        Some(form)
    }
    fn what() -> String {
        "an object or a list, such as `{role: user, content: [{text: '{question}'}]}`".into()
    }
    fn schema() -> Json {
        json!({"type": ["object", "array"]})
    }
}

impl Form {
    fn fixed(&mut self, text: &str) {
        match self.parts.last_mut() {
            Some(Part::Fixed(fixed)) => fixed.push_str(text),
            _ => self.parts.push(Part::Fixed(text.to_owned())),
        }
    }

    /// Appends what a node stands for; `None` after adding a problem.
    fn add(&mut self, node: &Node, problems: &mut Problems) -> Option<()> {
        match &node.value {
            Value::Map(entries) => {
                for (at, entry) in entries.iter().enumerate() {
                    let key = Json::from(entry.key.as_str());
                    self.fixed(&format!("{}{key}:", if at == 0 { "{" } else { "," }));
                    self.add(&entry.value, problems)?;
                }
                self.fixed(if entries.is_empty() { "{}" } else { "}" });
            }
            Value::List(items) => {
                for (at, item) in items.iter().enumerate() {
                    self.fixed(if at == 0 { "[" } else { "," });
                    self.add(item, problems)?;
                }
                self.fixed(if items.is_empty() { "[]" } else { "]" });
            }
            Value::Scalar(_) if node.is_null() => self.fixed("null"),
            Value::Scalar(scalar) if scalar.text.contains(['{', '}']) => {
                let template = Template::decode(node, problems)?;
                self.parts.push(Part::Leaf(Leaf { template, bare: false }));
            }
            Value::Scalar(scalar) => {
                let value = match guess(scalar) {
                    Literal::Bool(value) => json!(value),
                    Literal::Int(value) => json!(value),
                    Literal::Float(value) => json!(value),
                    _ => json!(scalar.text),
                };
                self.fixed(&value.to_string());
            }
            Value::Reported => return None,
        }
        Some(())
    }

    fn leaves(&self) -> impl Iterator<Item = &Leaf> {
        self.parts.iter().filter_map(|part| match part {
            Part::Leaf(leaf) => Some(leaf),
            Part::Fixed(_) => None,
        })
    }
}

impl Generator for Form {
    fn inputs(&self, inputs: &mut Vec<InputName>) {
        self.leaves().for_each(|leaf| leaf.template.inputs(inputs));
    }

    fn prepare(&mut self, site: &mut Site<'_>) -> Option<Output> {
        let mut whole = true;
        for part in &mut self.parts {
            let Part::Leaf(leaf) = part else { continue };
            whole &= leaf.template.prepare(site).is_some();
            if let Some((_, output)) = leaf.template.alone().and_then(|name| site.input(name)) {
                leaf.bare = output.json || output.ty == Type::Bool || output.ty.is_number();
            }
        }
        whole.then(|| Output { json: true, ..Output::text(false) })
    }

    fn promise(&self) -> Promise<'_> {
        Promise::Computed
    }

    fn fill(&self, block: &Block<'_>) -> Result<Series, Failure> {
        let mut rows = vec![Vec::new(); block.len()];
        for part in &self.parts {
            match part {
                Part::Fixed(text) => rows.iter_mut().for_each(|row| row.extend_from_slice(text.as_bytes())),
                Part::Leaf(leaf) => leaf.append(block, &mut rows)?,
            }
        }
        let mut texts = Texts::with_capacity(block.len(), rows.first().map_or(0, Vec::len));
        for row in rows {
            texts.push(|out| out.extend_from_slice(&row));
        }
        texts.finish(None)
    }
}

impl Leaf {
    /// Appends the values of the block's rows to their texts.
    fn append(&self, block: &Block<'_>, rows: &mut [Vec<u8>]) -> Result<(), Failure> {
        let mut rows = rows.iter_mut();
        self.template.for_each_text(block, |text| {
            let Some(row) = rows.next() else { return };
            match text {
                None => row.extend_from_slice(b"null"),
                Some(text) if self.bare => row.extend_from_slice(text),
                Some(text) => {
                    row.extend_from_slice(json!(String::from_utf8_lossy(text)).to_string().as_bytes())
                }
            }
        })
    }
}

impl Rule for Form {
    fn build(self, _: Span, _: &mut Builder<'_>) -> Option<Box<dyn Generator>> {
        Some(Box::new(self))
    }
}

pub(super) const KIND: Kind = Kind {
    name: "json",
    group: Group::Derived,
    summary: "Objects and lists put together from other columns, as JSON.",
    details: "What is written is what comes out: keys and fixed values as they stand, and texts as templates over the row's \
              columns, as for `template`. A text that is one column alone, `'{amount}'`, has the column's own type: numbers \
              and truth values stay such, null is null, and a column of the kind `json` is put in as it is; in all other \
              texts a null makes the whole text null. JSON lines get the value as JSON; all other formats get its text, \
              without white space. Keys are never templates. `unique` is not supported.",
    example: "{json: {role: user, tags: ['{word}', new], count: '{number}'}}",
    ..Kind::of::<Form>()
};

#[cfg(test)]
mod tests {
    use lookalike_core::Rows;
    use lookalike_ruleset::Severity;

    use super::*;
    use crate::testing::plan;

    fn ruleset(form: &str) -> String {
        format!(
            "lookalike: 1\nseed: 2\nclock: 2026-01-01\ntables:\n  t:\n    rows: 40\n    draws:\n      word: {{choice: ['say \"a\"', 'b\\c']}}\n      \
             number: {{int_range: [-5, 1000]}}\n      flag: {{bernoulli: 50%}}\n      when: {{date_range: [2025-01-01, 2025-12-31]}}\n      \
             price: {{uniform: [1, 2], round: 2}}\n      share: {{uniform: [0, 1]}}\n      some: {{int_range: [1, 9], null: 50%}}\n      \
             inner: {{json: [1, '{{word}}']}}\n    columns:\n      c: {form}\n"
        )
    }

    #[test]
    fn values_keep_their_types() {
        let form = "{json: {b: '{flag}', i: '{number}', f: '{share}', d: '{price}', t: '{word}', date: '{when}', both: '{word} {number:04}', \
                    some: '{some}', text: 'x{some}', inner: '{inner}', fixed: [1, 1.5, true, null, '1', one, {}, [], '{{}}'], 'ké\"y': {a: {b: 1}}}}";
        let plan = plan(&ruleset(form)).unwrap_or_else(|problems| panic!("{problems:#?}"));
        let names = ["c", "flag", "number", "share", "price", "word", "when", "some"];
        let frame = plan.tables[0].select(&Rows::from(0..40), &names).unwrap();
        let text = |name: &str, row: usize| {
            let column = frame.column(name).unwrap().cast(&DataType::String).unwrap();
            column.str().unwrap().get(row).map(str::to_owned)
        };
        let mut nulls = 0;
        for row in 0..40 {
            let value: Json = serde_json::from_str(&text("c", row).unwrap()).unwrap();
            let cell = |name: &str| text(name, row).unwrap();
            assert_eq!(value["b"], json!(cell("flag") == "true"));
            assert_eq!(value["i"], json!(cell("number").parse::<i64>().unwrap()));
            assert_eq!(value["f"], json!(cell("share").parse::<f64>().unwrap()));
            assert_eq!(value["d"], json!(cell("price").parse::<f64>().unwrap()));
            assert_eq!((&value["t"], &value["date"]), (&json!(cell("word")), &json!(cell("when"))));
            let number: i64 = cell("number").parse().unwrap();
            assert_eq!(value["both"], json!(format!("{} {number:04}", cell("word"))));
            let some = text("some", row).map(|some| some.parse::<i64>().unwrap());
            nulls += usize::from(some.is_none());
            assert_eq!(value["some"], json!(some));
            assert_eq!(value["text"], json!(some.map(|some| format!("x{some}"))));
            assert_eq!(value["inner"], json!([1, cell("word")]));
            assert_eq!(value["fixed"], json!([1, 1.5, true, null, "1", "one", {}, [], "{}"]));
            assert_eq!(value["ké\"y"], json!({"a": {"b": 1}}));
            let keys: Vec<&String> = value.as_object().unwrap().keys().collect();
            assert_eq!(keys[..3], ["b", "i", "f"]);
        }
        assert!((1..40).contains(&nulls));
        let field = &plan.tables[0].schema().fields[0];
        assert!(field.json && !field.nullable && field.ty == Type::Text);
    }

    #[test]
    fn only_what_is_json_in_every_row_is_known_to_be() {
        let json =
            |form: &str| plan(&ruleset(form)).map(|plan| plan.tables[0].schema().fields[0].json).unwrap();
        assert!(json("{json: [1], null: 50%}"));
        assert!(json("{by: flag, cases: {true: {json: [1]}, false: {json: {a: 2}}}}"));
        assert!(!json("{by: flag, cases: {true: {json: [1]}, false: none}}"));
        assert!(!json("{template: '{inner}'}"));
    }

    #[test]
    fn mistakes_are_shown_at_their_place() {
        for (form, code, place) in [
            ("{json: x}", "wrong-type", "x"),
            ("{json: {a: ['{wrod}']}}", "unknown-column", "wrod"),
            ("{json: ['a{']}", "bad-value", "{"),
            ("{json: [1], unique: true}", "cannot-be-unique", "unique"),
        ] {
            let text = ruleset(form);
            let problems = plan(&text).err().unwrap_or_else(|| panic!("{form} is accepted"));
            let error = problems.iter().find(|problem| problem.severity == Severity::Error).unwrap();
            assert_eq!((error.code, &text[error.span.unwrap().range()]), (code, place), "{form}");
        }
    }
}
