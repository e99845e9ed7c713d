//! `llm_text`: a text that a language model wrote, from the file that keeps it.

use std::sync::Arc;

use lookalike_ruleset::decode::Spanned;
use lookalike_ruleset::diagnostic::did_you_mean;
use lookalike_ruleset::texts::Texts as Kept;
use lookalike_ruleset::{Diagnostic, Span, params};
use polars::prelude::*;

use super::template::Template;
use super::text::Texts;
use crate::build::Builder;
use crate::generator::{Block, Failure, Generator, Group, InputName, Kind, Output, Promise, Rule, Site};
use crate::wanted::Wanted;

params! {
    /// Which texts, and what the model is asked.
    struct Params {
        /// Name of the texts, as under `texts`.
        r#in: Spanned<String>,
        /// What the model is asked: a template with `{column}` for a column's value.
        prompt: Template,
        /// A template for rows whose text is missing, instead of an error.
        fallback: Option<Template>,
    }
}

impl Rule for Params {
    fn build(self, _: Span, _: &mut Builder<'_>) -> Option<Box<dyn Generator>> {
        Some(Box::new(LlmText { params: self, ready: None }))
    }
}

struct LlmText {
    params: Params,
    ready: Option<Ready>,
}

struct Ready {
    texts: Arc<Kept>,
    wanted: Option<Arc<Wanted>>,
}

/// The longest prompt, in bytes.
const MAX_PROMPT_BYTES: usize = 64 * 1024;

/// How much of a prompt a message shows, in characters.
const SHOWN: usize = 80;

/// The beginning of a prompt, on one line.
fn shown(prompt: &str) -> String {
    let mut short: String =
        prompt.chars().take(SHOWN).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if short.len() < prompt.len() {
        short.push('…');
    }
    short
}

/// The text of a row.
enum Cell<'a> {
    Null,
    Kept(&'a str),
    StandIn(String),
    Fallback,
}

impl LlmText {
    fn cell<'a>(&self, ready: &'a Ready, prompt: &str, row: u64) -> Result<Cell<'a>, Failure> {
        if prompt.len() > MAX_PROMPT_BYTES {
            let message = format!(
                "row {row} has a prompt of {} bytes, and the longest has {MAX_PROMPT_BYTES}",
                prompt.len()
            );
            return Err(Failure::new(message));
        }
        let Ready { texts, wanted } = ready;
        if let Some(text) = texts.find(prompt) {
            return Ok(Cell::Kept(text));
        }
        if let Some(wanted) = wanted {
            return Ok(wanted.add(texts, prompt, row)?.map_or(Cell::Null, Cell::StandIn));
        }
        if self.params.fallback.is_some() {
            return Ok(Cell::Fallback);
        }
        Err(Failure::new(format!(
            "`{}` has no text for row {row}, whose prompt is: {}\n`lookalike texts RULESET` asks the model for what is missing, \
             and `fallback` gives such rows another text",
            texts.file,
            shown(prompt)
        )))
    }
}

impl Generator for LlmText {
    fn inputs(&self, inputs: &mut Vec<InputName>) {
        self.params.prompt.inputs(inputs);
        self.params.fallback.iter().for_each(|fallback| fallback.inputs(inputs));
    }

    fn prepare(&mut self, site: &mut Site<'_>) -> Option<Output> {
        let world = site.world;
        let name = &self.params.r#in;
        let Some(texts) = world.texts.iter().find(|texts| texts.name == name.value) else {
            let known = world.texts.iter().map(|texts| texts.name.as_str());
            let help = did_you_mean(&name.value, "texts", known);
            site.problems.error("bad-texts", name.span, format!("there are no texts `{}`", name.value), help);
            return None;
        };
        if !texts.is_there && self.params.fallback.is_none() && world.wanted.is_none() {
            site.problems.push(
                Diagnostic::error(
                    "no-texts",
                    name.span,
                    format!(
                        "`{}` is not there: nobody was asked for the texts of `{}` yet",
                        texts.file, texts.name
                    ),
                )
                .related(texts.span, "declared here")
                .help("ask the model with `lookalike texts RULESET`, or give the column a `fallback`"),
            );
            return None;
        }
        let prompt = self.params.prompt.prepare(site)?;
        let fallback = match &mut self.params.fallback {
            Some(fallback) => fallback.prepare(site)?.nullable,
            None => false,
        };
        let collects = world.wanted.is_some();
        // Kept texts were held against the schema when the ruleset was read.
        let is_json = texts.decl.json_schema.is_some() && self.params.fallback.is_none();
        self.ready = Some(Ready { texts: texts.clone(), wanted: world.wanted.clone() });
        Some(Output {
            nullable: prompt.nullable || fallback || collects,
            json: is_json,
            ..Output::text(false)
        })
    }

    fn promise(&self) -> Promise<'_> {
        Promise::Computed
    }

    fn fill(&self, block: &Block<'_>) -> Result<Series, Failure> {
        let ready = self.ready.as_ref().expect("set in prepare");
        let mut cells = Vec::with_capacity(block.len());
        let mut failure = None;
        self.params.prompt.for_each_text(block, |prompt| {
            let row = block.rows.get(cells.len());
            cells.push(match prompt.map(String::from_utf8_lossy) {
                None => Cell::Null,
                Some(prompt) => self.cell(ready, &prompt, row).unwrap_or_else(|error| {
                    failure.get_or_insert(error);
                    Cell::Null
                }),
            });
        })?;
        if let Some(failure) = failure {
            return Err(failure);
        }
        // Only where a row needs it.
        let needs_fallback = cells.iter().any(|cell| matches!(cell, Cell::Fallback));
        let fallback = self.params.fallback.as_ref().filter(|_| needs_fallback);
        let fallback = fallback.map(|template| template.fill(block)).transpose()?;
        let fallback = fallback.as_ref().map(|series| series.str()).transpose()?;
        let mut texts = Texts::with_capacity(block.len(), 120);
        let mut valid = Vec::with_capacity(block.len());
        for (at, cell) in cells.iter().enumerate() {
            let text = match cell {
                Cell::Null => None,
                Cell::Kept(text) => Some(*text),
                Cell::StandIn(text) => Some(text.as_str()),
                Cell::Fallback => fallback.and_then(|texts| texts.get(at)),
            };
            valid.push(text.is_some());
            texts.push(|out| out.extend_from_slice(text.unwrap_or_default().as_bytes()));
        }
        texts.finish(valid.contains(&false).then(|| valid.into()))
    }
}

pub(super) const KIND: Kind = Kind {
    name: "llm_text",
    group: Group::Derived,
    summary: "A text that a language model wrote, from the file that keeps it.",
    details: "Nobody is asked while rows are made: the text stands in the file of `texts: {NAME: …}`, where it is found by a \
              digest of the model, its `system` rules, the prompt and the parameters. `lookalike texts RULESET` asks the model \
              for every text that the rows need and the file lacks: equal prompts once, within `--max-calls`, and \
              `--dry-run` says beforehand how many there are. So rows with texts are as repeatable as all others, and equal \
              prompts have equal texts.\n\n\
              `prompt` is a template over the row's columns, which may have texts themselves, as an answer has its question. \
              Where a column in it is null, so is the text. Without the text that a row needs the run stops and names the \
              row; with a `fallback` the row gets that template's text instead, and the manifest tells how many did. Texts \
              with a `json_schema` and without a fallback are JSON, as those of the kind `json` are. \
              `unique` is not supported.",
    example: "{llm_text: {in: tales, prompt: 'Tell of {word}.'}}",
    ..Kind::of::<Params>()
};

#[cfg(test)]
mod tests {
    use lookalike_core::Rows;
    use lookalike_ruleset::Severity;
    use lookalike_ruleset::document::{FileProblem, Files};
    use lookalike_ruleset::texts::{Kept, line};

    use super::*;
    use crate::plan::{Overrides, Plan};
    use crate::testing::{plan_with, texts_decl};

    /// A file with these texts by their prompts, or none.
    struct Answers(Option<Vec<(&'static str, &'static str)>>);

    impl Files for Answers {
        fn read(&self, _: &str, path: &str) -> Result<(String, Vec<u8>), FileProblem> {
            let Some(answers) = &self.0 else {
                return Err(FileProblem {
                    code: "cannot-read",
                    message: "no such file".into(),
                    help: String::new(),
                    is_missing: true,
                });
            };
            let lines = answers.iter().map(|(prompt, text)| {
                line(texts_decl("m").address(prompt), &Kept { text: (*text).to_owned(), by: "test".into() })
            });
            Ok((path.to_owned(), lines.collect::<String>().into_bytes()))
        }
    }

    fn ruleset(columns: &str) -> String {
        format!(
            "lookalike: 1\nseed: 5\ntexts: {{tales: {{file: tales.jsonl, model: m}}}}\ntables:\n  t:\n    rows: 60\n    draws:\n      \
             word: {{choice: [alpha, beta]}}\n      some: {{choice: [alpha, beta], null: 50%}}\n    columns:\n{columns}"
        )
    }

    const ONE: &str = "      c: {llm_text: {in: tales, prompt: 'On {word}'}}\n";
    const ALL: [(&str, &str); 2] = [("On alpha", "A tale, \"of\" a\n"), ("On beta", "b")];

    fn compile(columns: &str, files: &Answers, wanted: Option<Arc<Wanted>>) -> Result<Plan, Vec<Diagnostic>> {
        plan_with(&ruleset(columns), files, &Overrides { wanted, ..Overrides::default() })
    }

    fn texts(plan: &Plan, names: &[&str]) -> Vec<Vec<Option<String>>> {
        let frame = plan.tables[0].select(&Rows::from(0..60), names).unwrap();
        let column = |name: &&str| {
            let series = frame.column(name).unwrap().cast(&DataType::String).unwrap();
            series.str().unwrap().iter().map(|v| v.map(str::to_owned)).collect()
        };
        names.iter().map(column).collect()
    }

    #[test]
    fn a_row_has_the_text_of_its_prompt_and_null_for_a_null_in_it() {
        let columns = "      c: {llm_text: {in: tales, prompt: 'On {some}'}}\n      d: {llm_text: {in: tales, prompt: 'On {word}'}}\n";
        let plan = compile(columns, &Answers(Some(ALL.to_vec())), None).unwrap();
        let rows = texts(&plan, &["c", "some", "d", "word"]);
        let tale = |word: &Option<String>| {
            word.as_ref().map(|word| if word == "alpha" { ALL[0].1.to_owned() } else { ALL[1].1.to_owned() })
        };
        for (texts, words) in [(&rows[0], &rows[1]), (&rows[2], &rows[3])] {
            assert_eq!(*texts, words.iter().map(tale).collect::<Vec<_>>());
        }
        assert!(plan.tables[0].schema().fields[0].nullable && !plan.tables[0].schema().fields[1].nullable);
    }

    #[test]
    fn a_missing_text_names_row_and_prompt() {
        let plan = compile(ONE, &Answers(Some(ALL[..1].to_vec())), None).unwrap();
        let words = texts(&plan, &["word"]);
        let row = words[0].iter().position(|word| word.as_deref() == Some("beta")).unwrap();
        let error = plan.tables[0].frame(&Rows::from(0..60)).unwrap_err().to_string();
        assert!(
            error.contains(&format!("`tales.jsonl` has no text for row {row}, whose prompt is: On beta"))
                && error.contains("lookalike texts"),
            "{error}"
        );
        // No file at all is found before any row is made.
        let diagnostics = compile(ONE, &Answers(None), None).err().unwrap();
        assert!(diagnostics.iter().any(|diagnostic| diagnostic.code == "no-texts"), "{diagnostics:?}");
    }

    #[test]
    fn a_fallback_is_asked_for_and_fills_only_the_gaps() {
        let columns =
            "      c: {llm_text: {in: tales, prompt: 'On {word}', fallback: 'Nothing on {word}.'}}\n";
        for (files, alpha) in
            [(Answers(Some(ALL[..1].to_vec())), ALL[0].1), (Answers(None), "Nothing on alpha.")]
        {
            let plan = compile(columns, &files, None).unwrap();
            let rows = texts(&plan, &["c", "word"]);
            for (text, word) in rows[0].iter().zip(&rows[1]) {
                let expected = if word.as_deref() == Some("alpha") { alpha } else { "Nothing on beta." };
                assert_eq!(text.as_deref(), Some(expected));
            }
        }
    }

    #[test]
    fn what_is_missing_is_listed_once_and_texts_made_of_texts_in_turn() {
        let chained = format!("{ONE}      d: {{llm_text: {{in: tales, prompt: 'Go on: {{c}}'}}}}\n");
        let list = |files: &Answers, wanted: Wanted| {
            let wanted = Arc::new(wanted);
            let plan = compile(&chained, files, Some(wanted.clone())).unwrap();
            let rows = texts(&plan, &["c", "d", "word"]);
            let count = |word: &str| rows[2].iter().filter(|w| w.as_deref() == Some(word)).count() as u64;
            (wanted.asks(), count("alpha"))
        };
        let (asks, alphas) = list(&Answers(None), Wanted::new());
        let mut prompts: Vec<&str> = asks.iter().map(|ask| ask.prompt.as_str()).collect();
        prompts.sort_unstable();
        assert_eq!(prompts, ["On alpha", "On beta"]);
        let alpha = asks.iter().find(|ask| ask.prompt == "On alpha").unwrap();
        assert_eq!((alpha.cells, alpha.texts.as_str()), (alphas, "tales"));
        assert!(asks[0].row == 0 && asks[0].row < asks[1].row, "{asks:?}");
        // The second round asks for what hangs on the first.
        let (asks, _) = list(&Answers(Some(ALL.to_vec())), Wanted::new());
        assert_eq!(asks.len(), 2);
        assert!(asks.iter().any(|ask| ask.prompt == "Go on: b"), "{asks:?}");
        // Both rounds can be counted at once.
        assert_eq!(list(&Answers(None), Wanted::counting()).0.len(), 4);
        assert_eq!(list(&Answers(Some(ALL[..1].to_vec())), Wanted::counting()).0.len(), 3);
    }

    #[test]
    fn a_condition_on_a_missing_text_does_not_refuse_the_row() {
        let columns = format!("{ONE}    require: [length(c) < 3]\n");
        let wanted = Arc::new(Wanted::new());
        let plan = compile(&columns, &Answers(None), Some(wanted.clone())).unwrap();
        texts(&plan, &["c"]);
        assert_eq!(wanted.asks().len(), 2);
        let plan = compile(&columns, &Answers(Some(ALL.to_vec())), None).unwrap();
        assert!(texts(&plan, &["c"])[0].iter().all(|text| text.as_deref() == Some("b")));
    }

    #[test]
    fn mistakes_are_shown_at_their_place() {
        for (columns, code, place) in [
            (ONE.replace("tales", "tails"), "bad-texts", "tails"),
            (ONE.replace("{word}", "{wrod}"), "unknown-column", "wrod"),
            (ONE.replace("'}}", "', fallback: '{wrod}'}}"), "unknown-column", "wrod"),
            (ONE.replace("}}\n", "}, unique: true}\n"), "cannot-be-unique", "unique"),
        ] {
            let text = ruleset(&columns);
            let problems = compile(&columns, &Answers(Some(ALL.to_vec())), None).err().unwrap();
            let diagnostic = problems.iter().find(|problem| problem.severity == Severity::Error).unwrap();
            let found = diagnostic.span.map_or("", |span| &text[span.range()]);
            assert_eq!((diagnostic.code, found), (code, place), "{columns}");
        }
    }
}
