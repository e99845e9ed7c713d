//! `lookalike explain`: a word of the ruleset language, or the code of a diagnostic.

use std::fmt::Write as _;

use lookalike_engine::Kind;
use lookalike_engine::anomalies::ANOMALIES;
use lookalike_engine::anomaly::AnomalyKind;
use lookalike_engine::build::{MODIFIERS, Modifier};
use lookalike_engine::testing::example_values;
use lookalike_ruleset::anomaly::Anomalies;
use lookalike_ruleset::codes::{self, CODES, Code};
use lookalike_ruleset::decode::{Decode, FieldDoc};
use lookalike_ruleset::diagnostic::did_you_mean;
use lookalike_ruleset::expect::ExpectDecl;
use lookalike_ruleset::expr::{FUNCTIONS, Function};

use super::kinds::{REFERENCES, Reference, title};
use crate::cli::failure::Failure;
use crate::cli::known_kinds;
use crate::cli::terminal::{self, DIM, STRONG, wrapped};

/// Arguments of `explain`.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  lookalike explain log_normal
  lookalike explain unknown-key")]
pub struct Args {
    /// A kind, a modifier, an anomaly, `expect` or `anomalies`, a function of expressions (`functions` for all of them),
    /// or the code of a diagnostic.
    word: String,
}

/// A key of a table, beside its columns.
struct TableKey {
    name: &'static str,
    summary: &'static str,
    details: &'static str,
    what: fn() -> String,
    fields: fn() -> Vec<FieldDoc>,
    example: &'static str,
}

/// The keys of a table that are lists of things with keys of their own.
const TABLE_KEYS: [TableKey; 2] = [
    TableKey {
        name: "expect",
        summary: "what must be true of the table once it is made; `generate` and `validate` check it",
        details: "Each entry is one claim with its limits. `within`, `at_least` and `at_most` are exact; `is` speaks of the law \
                  behind the rows and allows for what chance does with so many of them.",
        what: || "a list, one claim an entry".to_owned(),
        fields: ExpectDecl::fields,
        example: "expect: [{holds: paid <= price}, {share: is_late, is: 5%}, {mean: price, within: [10, 20], by: region}]",
    },
    TableKey {
        name: "anomalies",
        summary: "rows that are spoilt on purpose, with the truth about them",
        details: "Which anomalies there are is told by `lookalike kinds`; `explain` knows each.",
        what: Anomalies::what,
        fields: Anomalies::fields,
        example: "anomalies: {rate: 5%, label: odd, kinds: {dear: {set: {price: price * 100}}, lost: {missing: note}}}",
    },
];

/// What lists the functions of expressions.
const ALL_FUNCTIONS: &str = "functions";

/// Width of the text.
const WIDTH: usize = 110;

/// Prints all that the word means.
pub fn run(args: &Args) -> Result<(), Failure> {
    let word = args.word.trim();
    let lower = word.to_lowercase();
    let kinds = known_kinds();
    let kinds = kinds.iter().copied().flatten().filter(|kind| kind.name == lower).map(explain_kind);
    let references = REFERENCES.iter().filter(|key| key.name == lower).map(explain_reference);
    let modifiers = MODIFIERS.iter().filter(|modifier| modifier.name == lower).map(explain_modifier);
    let functions = FUNCTIONS.iter().filter(|function| function.name == lower).map(explain_function);
    let anomalies = ANOMALIES.iter().filter(|kind| kind.name == lower).map(explain_anomaly);
    let keys = TABLE_KEYS.iter().filter(|key| key.name == lower).map(explain_table_key);
    let codes = codes::find(&lower).into_iter().map(explain_code);
    let rules = kinds.chain(references).chain(modifiers).chain(anomalies).chain(keys);
    let all_functions = (lower == ALL_FUNCTIONS).then(list_functions);
    let meanings: Vec<String> = rules.chain(functions).chain(all_functions).chain(codes).collect();
    if meanings.is_empty() {
        let all = known_kinds();
        let known =
            all.iter().copied().flatten().map(|kind| kind.name).chain(REFERENCES.iter().map(|key| key.name));
        let known = known.chain(MODIFIERS.iter().map(|modifier| modifier.name));
        let known = known.chain(ANOMALIES.iter().map(|kind| kind.name));
        let known = known.chain(TABLE_KEYS.iter().map(|key| key.name));
        let known = known
            .chain(FUNCTIONS.iter().map(|function| function.name).chain([ALL_FUNCTIONS]))
            .chain(CODES.iter().map(|code| code.name));
        let help = did_you_mean(&lower, "words", known);
        let help = if help.starts_with("did") {
            help
        } else {
            "`lookalike kinds` lists kinds and modifiers".to_owned()
        };
        return Err(Failure::usage(format!("nothing is called `{word}`")).help(help));
    }
    terminal::print(&meanings.join("\n"))
}

/// A heading with what sort of word it is, a line, and more.
fn section(name: &str, sort: &str, summary: &str, more: &str) -> String {
    let mut text = format!("{STRONG}{name}{STRONG:#} {DIM}({sort}){DIM:#}\n{}\n", wrapped(summary, 0, WIDTH));
    if !more.is_empty() {
        let _ = write!(text, "\n{}\n", more.trim_end());
    }
    text
}

fn heading(text: &mut String, words: &str) {
    let _ = writeln!(text, "\n{DIM}{words}{DIM:#}");
}

fn explain_kind(kind: &Kind) -> String {
    let sort = format!("kind, {}", title(kind.group).to_lowercase());
    let mut text = section(kind.name, &sort, kind.summary, &wrapped(kind.details.trim(), 0, WIDTH));
    form(&mut text, &(kind.what)(), &(kind.fields)());
    heading(&mut text, "Example");
    let _ = writeln!(text, "  Column: {}", kind.example.trim().replace('\n', "\n  "));
    if let Ok(values) = example_values(kind) {
        heading(&mut text, "Makes");
        let _ = writeln!(text, "  {}", wrapped(&values.join("  "), 2, WIDTH));
    }
    text
}

fn explain_anomaly(kind: &AnomalyKind) -> String {
    let mut text = section(kind.name, "anomaly", kind.summary, &wrapped(kind.details.trim(), 0, WIDTH));
    form(&mut text, &(kind.what)(), &(kind.fields)());
    heading(&mut text, "Example");
    let _ = writeln!(text, "  anomalies: {{kinds: {{odd: {}}}}}", kind.example.trim());
    text
}

fn explain_table_key(key: &TableKey) -> String {
    let mut text = section(key.name, "key of a table", key.summary, &wrapped(key.details, 0, WIDTH));
    form(&mut text, &(key.what)(), &(key.fields)());
    heading(&mut text, "Example");
    let _ = writeln!(text, "  {}", key.example);
    text
}

/// What may be written under a key.
fn form(text: &mut String, what: &str, fields: &[FieldDoc]) {
    heading(text, "Value");
    let _ = writeln!(text, "  {}", wrapped(what, 2, WIDTH));
    if !fields.is_empty() {
        heading(text, "Keys");
        let width = fields.iter().map(|field| field.name.len()).max().unwrap_or(0);
        for field in fields {
            let need = if field.required { "Required" } else { "Optional" };
            let doc = field.doc.trim().trim_end_matches('.');
            let line =
                wrapped(&format!("{doc}. {need}: {}.", field.what.trim_end_matches('.')), width + 4, WIDTH);
            let _ = writeln!(text, "  {STRONG}{:width$}{STRONG:#}  {line}", field.name);
        }
    }
}

fn explain_reference(key: &Reference) -> String {
    let more = format!("{DIM}Example{DIM:#}\n  Column: {}", key.example);
    section(key.name, "in the place of a kind", key.summary, &more)
}

fn explain_modifier(modifier: &Modifier) -> String {
    let details = wrapped(modifier.details, 0, WIDTH);
    let more = format!("{details}\n\n{DIM}Example{DIM:#}\n  Column: {}", modifier.example);
    section(modifier.name, "modifier", modifier.summary, &more)
}

fn explain_function(function: &Function) -> String {
    let mut more = String::new();
    let _ = writeln!(more, "{DIM}Use{DIM:#}\n  {}", function.signature);
    let _ = writeln!(more, "\n{DIM}Example{DIM:#}\n  {}", function.example);
    section(function.name, "function of expressions", function.doc, &more)
}

/// All functions, a line or two each.
fn list_functions() -> String {
    let width = FUNCTIONS.iter().map(|function| function.signature.len()).max().unwrap_or(0);
    let mut more = String::new();
    for Function { signature, doc, .. } in FUNCTIONS {
        let _ = writeln!(more, "  {STRONG}{signature:width$}{STRONG:#}  {}", wrapped(doc, width + 4, WIDTH));
    }
    let summary = "What may be called in an expression, beside the operators of SQL. A function that has no result, such as \
                   `ln(0)`, gives NULL.";
    section(ALL_FUNCTIONS, "of expressions", summary, &more)
}

fn explain_code(code: &Code) -> String {
    section(code.name, "diagnostic", code.summary, code.explanation)
}
