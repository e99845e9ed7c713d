//! Helpers for tests of kinds: a ruleset as text in, rows out.

use lookalike_core::Rows;
use lookalike_ruleset::decode::Decode as _;
use lookalike_ruleset::document::{FileProblem, Files, NoFiles, load};
use lookalike_ruleset::read::{Format, read};
use lookalike_ruleset::texts::{Kept, TextsDecl, line};
use lookalike_ruleset::{Diagnostic, Problems, Sources};
use polars::prelude::{Column, DataType};

use crate::generator::Kind;
use crate::plan::{Overrides, Plan, compile};

/// Compiles a ruleset given as YAML.
///
/// # Errors
/// The diagnostics, if any is an error.
pub fn plan_with(text: &str, files: &dyn Files, overrides: &Overrides) -> Result<Plan, Vec<Diagnostic>> {
    plan_of(text, files, overrides, &[crate::KINDS])
}

fn plan_of(
    text: &str,
    files: &dyn Files,
    overrides: &Overrides,
    kinds: &[&[Kind]],
) -> Result<Plan, Vec<Diagnostic>> {
    let mut sources = Sources::new();
    let file = sources.add("<text>", text);
    let mut problems = Problems::new();
    let plan = load(&mut sources, file, Format::Yaml, files, &[], &mut problems)
        .and_then(|loaded| compile(&loaded, kinds, overrides, &mut problems));
    plan.ok_or_else(|| problems.into_sorted())
}

/// Compiles a ruleset given as YAML that needs no other files.
///
/// # Errors
/// The diagnostics, if any is an error.
pub fn plan(text: &str) -> Result<Plan, Vec<Diagnostic>> {
    plan_with(text, &NoFiles, &Overrides::default())
}

/// The codes of all that is found about a ruleset given as YAML, errors and warnings.
pub fn warnings(text: &str) -> Vec<&'static str> {
    let mut sources = Sources::new();
    let file = sources.add("<text>", text);
    let mut problems = Problems::new();
    let loaded = load(&mut sources, file, Format::Yaml, &NoFiles, &[], &mut problems);
    if let Some(loaded) = loaded {
        compile(&loaded, &[crate::KINDS], &Overrides::default(), &mut problems);
    }
    problems.into_sorted().into_iter().map(|problem| problem.code).collect()
}

/// A table `t` with one column `c`, given as the column's YAML in flow style.
///
/// # Errors
/// The diagnostics, if any is an error.
pub fn column(yaml: &str, rows: u64) -> Result<Plan, Vec<Diagnostic>> {
    plan(&format!(
        "lookalike: 1\nseed: 7\nclock: 2026-01-01\ntables:\n  t:\n    rows: {rows}\n    columns:\n      c: {yaml}\n"
    ))
}

/// The rows of a table, as text; null is empty. Its columns are given as lines of YAML, `name: kind`.
///
/// # Panics
/// When there is an error.
pub fn rows_as_text(columns: &[String], rows: u64) -> Vec<Vec<String>> {
    let mut text = format!("lookalike: 1\nseed: 7\ntables:\n  t:\n    rows: {rows}\n    columns:\n");
    columns.iter().for_each(|column| text.push_str(&format!("      {column}\n")));
    let plan = plan(&text).unwrap_or_else(|problems| panic!("{text}: {problems:#?}"));
    let frame = plan.tables[0].frame(&Rows::from(0..rows)).unwrap_or_else(|error| panic!("{error}"));
    let columns: Vec<_> = frame
        .columns()
        .iter()
        .map(|column| column.cast(&DataType::String).unwrap_or_else(|error| panic!("{error}")))
        .collect();
    let cell = |column: &Column, row: usize| {
        let text = column.str().unwrap_or_else(|error| panic!("{error}"));
        text.get(row).unwrap_or_default().to_owned()
    };
    (0..rows as usize).map(|row| columns.iter().map(|column| cell(column, row)).collect()).collect()
}

/// The colours that examples look up.
const COLOURS: &str = "word,code,price\nalpha,#aa0000,1.5\nbeta,#00bb00,2.25\n";

/// The state machine that examples show.
const JOB: &str = "{start: queued, transitions: {queued: running, running: {done: 90%, failed: 10%}, failed: queued}, \
                   final: [done], dwell: {queued: {duration_range: [1m, 2h]}, running: {exponential: {mean: 30}}, \
                   failed: {constant: 7}}, unit: 1d}";

struct Colours;

impl Files for Colours {
    fn read(&self, _: &str, path: &str) -> Result<(String, Vec<u8>), FileProblem> {
        if path != "tales.jsonl" {
            return Ok((path.to_owned(), COLOURS.as_bytes().to_vec()));
        }
        let tale = |word: &str| {
            let kept = Kept { text: format!("All about {word}."), by: "nobody".to_owned() };
            line(texts_decl("none").address(&format!("Tell of {word}.")), &kept)
        };
        Ok((path.to_owned(), ["alpha", "beta"].map(tale).concat().into_bytes()))
    }
}

/// Texts by a model of this name, in a file `tales.jsonl`, with all else as it is by itself.
///
/// # Panics
/// Never.
pub fn texts_decl(model: &str) -> TextsDecl {
    let mut sources = Sources::new();
    let file = sources.add("<text>", format!("{{file: tales.jsonl, model: {model}}}"));
    let mut problems = Problems::new();
    let node = read(&sources, file, Format::Yaml, &mut problems);
    node.and_then(|node| TextsDecl::decode(&node, &mut problems)).expect("the declaration is sound")
}

/// A table `t` whose column `c` is the example of a kind, with the draws and the lookup that examples may use: the draws
/// `word`, `number`, `flag` and `when`, the lookup `colours` with the key `word`, the texts `tales` and the machine `job`.
///
/// # Errors
/// The diagnostics, if any is an error.
pub fn example(yaml: &str, rows: u64, seed: u64) -> Result<Plan, Vec<Diagnostic>> {
    example_of(yaml, rows, seed, &[crate::KINDS])
}

fn example_of(yaml: &str, rows: u64, seed: u64, kinds: &[&[Kind]]) -> Result<Plan, Vec<Diagnostic>> {
    let text = format!(
        "lookalike: 1\nseed: {seed}\nclock: 2026-01-01T00:00:00Z\nlookups:\n  colours: {{file: colours.csv, key: [word]}}\n\
         texts:\n  tales: {{file: tales.jsonl, model: none}}\n\
         machines:\n  job: {JOB}\ntables:\n  t:\n    rows: {rows}\n    columns:\n      c: {yaml}\n    draws:\n      word: {{choice: [alpha, beta]}}\n      \
         number: {{int_range: [1, 100]}}\n      flag: {{bernoulli: 50%}}\n      when: {{date_range: [2025-01-01, 2025-12-31]}}\n"
    );
    plan_of(&text, &Colours, &Overrides::default(), kinds)
}

/// A few values that a kind's example makes, as text; the kind may be one of a user's own.
///
/// # Errors
/// What is wrong with the example; none of the kinds that come with the library has such.
pub fn example_values(kind: &Kind) -> Result<Vec<String>, String> {
    let plan = example_of(kind.example, 1000, 1, &[crate::KINDS, std::slice::from_ref(kind)])
        .map_err(|d| d.iter().map(|d| d.message.clone()).collect::<Vec<_>>().join("; "))?;
    let table = plan.table("t").ok_or("no table")?;
    let frame = table.frame(&Rows::Range(0..5)).map_err(|error| error.to_string())?;
    let column = frame.column("c").map_err(|error| error.to_string())?;
    let text = |at: usize| {
        column.get(at).map(|value| value.str_value().into_owned()).map_err(|error| error.to_string())
    };
    (0..5).map(text).collect()
}
