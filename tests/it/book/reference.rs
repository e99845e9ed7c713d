//! The chapters about the language and the commands are made from the program, so that no word can be missing or wrong.

use std::fmt::Write as _;
use std::process::Command;

use lookalike::cli::{GROUPS, REFERENCES, title};
use lookalike::engine::anomalies::ANOMALIES;
use lookalike::engine::build::MODIFIERS;
use lookalike::engine::testing::example_values;
use lookalike::engine::{KINDS, Kind};
use lookalike::io::{SINKS, SOURCES};
use lookalike::language::anomaly::{Anomalies, AnomalyKeys, Window};
use lookalike::language::codes::CODES;
use lookalike::language::decode::{Decode, FieldDoc, doc_text};
use lookalike::language::document::{
    CorrelateDecl, Document, LookupDecl, MachineDecl, ParamDecl, ProfileDecl, TableDecl,
};
use lookalike::language::expect::ExpectDecl;
use lookalike::language::expr::FUNCTIONS;
use lookalike::language::protection::{GaussianNoise, LaplaceNoise, Protection, RandomisedResponse};
use lookalike::language::relation::LinkDecl;
use lookalike::language::subset::{Align, Subset, Subsets};

use super::{is_update, root};

/// What stands at the top of each page.
fn head(title: &str, words: &str) -> String {
    format!(
        "<!-- Made by tests/it/book/reference.rs from the program. Edit that, not this. -->\n# {title}\n\n{words}\n"
    )
}

/// Text for a cell of a table, or for a line. Signs that Markdown or HTML would read stand behind a backslash.
fn plain(text: &str) -> String {
    let mut is_code = false;
    let mut plain = String::new();
    for c in doc_text(text).chars() {
        is_code ^= c == '`';
        match c {
            '|' => plain.push_str("\\|"),
            '<' | '*' | '[' | ']' | '_' if !is_code => plain.extend(['\\', c]),
            _ => plain.push(c),
        }
    }
    plain
}

/// Text as it is, for a line.
fn code(text: &str) -> String {
    let text = doc_text(text);
    if text.contains('`') { format!("`` {text} ``") } else { format!("`{text}`") }
}

/// Text with its lines and spaces, without a fence, since it is no block that somebody could run.
fn verbatim(text: &str) -> String {
    let line = |line: &str| format!("{:indent$}{}\n", "", line.trim_end(), indent = 4);
    text.lines().map(|text| if text.trim().is_empty() { "\n".to_owned() } else { line(text) }).collect()
}

/// Keys whose values have a section of their own on the page of keys.
const SECTIONS: [(&str, &str); 18] = [
    ("params", "a-parameter"),
    ("lookups", "a-file-with-facts"),
    ("machines", "a-state-machine"),
    ("profiles", "a-profile"),
    ("tables", "a-table"),
    ("privacy", "noise-on-a-column"),
    ("belongs_to", "a-link-to-a-parent"),
    ("correlate", "correlated-columns"),
    ("subsets", "subsets"),
    ("parts", "a-part"),
    ("align", "times-of-a-part"),
    ("expect", "an-expectation"),
    ("anomalies", "anomalies"),
    ("kinds", "an-anomaly"),
    ("window", "a-window"),
    ("randomised_response", "randomised-response"),
    ("laplace", "laplace-noise"),
    ("gaussian", "gaussian-noise"),
];

/// What may be written, up to the list of a mapping's keys; none if it has no such list.
fn until_keys(what: &str) -> Option<String> {
    what.split_once("mapping with ").map(|(before, _)| plain(before) + " mapping with")
}

/// A table of keys.
fn keys(page: &mut String, fields: &[FieldDoc]) {
    page.push_str("\n| key | what it says | value |\n|---|---|---|\n");
    for field in fields {
        let need = if field.required { "<br>**required**" } else { "" };
        let section = SECTIONS.iter().find(|(name, _)| *name == field.name);
        let value = match (section, until_keys(&field.what)) {
            (Some((_, id)), Some(what)) => format!("{what} [these keys](keys.md#{id})"),
            _ => plain(&field.what),
        };
        let _ = writeln!(page, "| `{}`{need} | {} | {value} |", field.name, plain(&field.doc));
    }
}

fn section<D: Decode>(page: &mut String, heading: &str, words: &str) {
    let _ = writeln!(page, "\n## {heading}\n\n{words}");
    keys(page, &D::fields());
}

fn rulesets() -> String {
    let words = "Every key outside of columns. What is not here, and no [kind or modifier](columns.md), is an error: \
                 unknown keys are never passed over. [How a ruleset is written](writing.md) has examples.";
    let mut page = head("Keys of a ruleset", words);
    section::<Document>(&mut page, "The ruleset", "The keys at the top of the file.");
    section::<TableDecl>(&mut page, "A table", "Under `tables`, by name.");
    section::<LinkDecl>(
        &mut page,
        "A link to a parent",
        "Under `belongs_to` of a table, by name. A table's name alone is a link, too.",
    );
    section::<CorrelateDecl>(&mut page, "Correlated columns", "An entry under `correlate` of a table.");
    section::<Subsets>(&mut page, "Subsets", "Under `subsets` of a table.");
    section::<Subset>(&mut page, "A part", "Under `parts` of `subsets`, by name.");
    section::<Align>(&mut page, "Times of a part", "Under `align` of a part.");
    section::<ExpectDecl>(
        &mut page,
        "An expectation",
        "An entry under `expect` of a table: one claim, and its limits.",
    );
    section::<Anomalies>(&mut page, "Anomalies", "Under `anomalies` of a table.");
    section::<AnomalyKeys>(
        &mut page,
        "An anomaly",
        "Under `kinds` of `anomalies`, by name: one [kind of anomaly](anomalies.md), and these.",
    );
    section::<Window>(&mut page, "A window", "Under `window` of an anomaly.");
    section::<ParamDecl>(
        &mut page,
        "A parameter",
        "Under `params`, by name. `{param: name}` stands for its value anywhere.",
    );
    section::<LookupDecl>(&mut page, "A file with facts", "Under `lookups`, by name.");
    section::<MachineDecl>(&mut page, "A state machine", "Under `machines`, by name.");
    section::<ProfileDecl>(&mut page, "A profile", "Under `profiles`, by name; chosen with `--profile`.");
    section::<Protection>(
        &mut page,
        "Noise on a column",
        "Under `privacy`, by table and column: one of these.",
    );
    section::<RandomisedResponse>(&mut page, "Randomised response", "Under `randomised_response`.");
    section::<LaplaceNoise>(&mut page, "Laplace noise", "Under `laplace`.");
    section::<GaussianNoise>(&mut page, "Gaussian noise", "Under `gaussian`.");
    page
}

fn columns() -> String {
    let words = "A column is `name: {one kind, modifiers}`. A value alone, such as `currency: EUR`, stands for itself. \
                 [Kinds](kinds.md) have a page of their own.";
    let mut page = head("Columns and modifiers", words);
    page.push_str("\n## In the place of a kind\n\n| key | what it says | example |\n|---|---|---|\n");
    for key in &REFERENCES {
        let _ = writeln!(
            page,
            "| `{}` | {} | {} |",
            key.name,
            plain(key.summary),
            code(key.example).replace('|', "\\|")
        );
    }
    page.push_str("\n## Modifiers\n\nBeside a kind, as many as are wanted. They work from outside, in this order: `truncate` and \
                   `unique` are asked of the kind; then come `clamp`, `round`, `type`, `only_if`, `null`.\n");
    for modifier in MODIFIERS {
        let _ = write!(
            page,
            "\n### {}\n\n{}. {}\n",
            modifier.name,
            plain(modifier.summary),
            plain(modifier.details)
        );
        let _ = writeln!(page, "\nExample: {}", code(modifier.example));
    }
    page
}

fn kinds() -> String {
    let words = "What a column can be made of. `lookalike explain NAME` says the same on a terminal, `lookalike kinds` lists them.";
    let mut page = head("Kinds of generator", words);
    for group in GROUPS {
        let kinds: Vec<&Kind> = KINDS.iter().filter(|kind| kind.group == group).collect();
        let _ = writeln!(page, "\n## {}", title(group));
        for kind in kinds {
            form(&mut page, kind.name, kind.summary, kind.details, &(kind.what)(), &(kind.fields)());
            let _ = writeln!(page, "\nExample: {}", code(kind.example));
            let values: Vec<String> = example_values(kind).unwrap().iter().map(|value| code(value)).collect();
            let _ = writeln!(page, "\nMakes: {}", values.join(", "));
        }
    }
    page
}

fn anomalies() -> String {
    let words = "Ways to spoil rows on purpose, under `anomalies` of a table. What all have in common (share, condition, bursts, \
                 windows) is under [Keys of a ruleset](keys.md#anomalies). Every cell that changes is listed in \
                 `TABLE.anomalies.csv`, with its value before and after.";
    let mut page = head("Kinds of anomaly", words);
    for kind in ANOMALIES {
        form(&mut page, kind.name, kind.summary, kind.details, &(kind.what)(), &(kind.fields)());
        let _ = writeln!(
            page,
            "\nExample: {}",
            code(&format!("anomalies: {{kinds: {{odd: {}}}}}", kind.example.trim()))
        );
    }
    page
}

fn form(page: &mut String, name: &str, summary: &str, details: &str, what: &str, fields: &[FieldDoc]) {
    let _ = write!(page, "\n### {name}\n\n{}\n", plain(summary));
    if !details.trim().is_empty() {
        let _ = write!(page, "\n{}\n", plain(details));
    }
    match until_keys(what).filter(|_| !fields.is_empty()) {
        Some(what) => drop(write!(page, "\nValue: {what} these keys:\n")),
        None => drop(write!(page, "\nValue: {}\n", plain(what))),
    }
    if !fields.is_empty() {
        keys(page, fields);
    }
}

fn functions() -> String {
    let words = "What may be called in an [expression](writing.md#expressions), beside the operators of SQL. A function that has no \
                 result, such as `ln(0)`, gives NULL.";
    let mut page = head("Functions of expressions", words);
    page.push_str("\n| function | what it gives | example |\n|---|---|---|\n");
    for function in FUNCTIONS {
        let (signature, example) = (code(function.signature), code(function.example));
        let _ = writeln!(page, "| {signature} | {} | {} |", plain(function.doc), example.replace('|', "\\|"));
    }
    page
}

fn diagnostics() -> String {
    let words = "What can be wrong with a ruleset, by the code in the brackets: `error[unknown-key]`. `lookalike explain CODE` says the \
                 same on a terminal.";
    let mut page = head("Diagnostics", words);
    for code in CODES {
        let _ = write!(page, "\n## {}\n\n{}.\n", code.name, plain(code.summary));
        for paragraph in code.explanation.trim().split("\n\n") {
            let is_example = paragraph.starts_with(' ');
            let text = if is_example { format!("{paragraph}\n") } else { plain(paragraph) + "\n" };
            let _ = write!(page, "\n{text}");
        }
    }
    page
}

/// What `lookalike` says of itself.
fn help(arguments: &[&str]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lookalike"));
    command.args(arguments).arg("--help").env_remove("COLUMNS");
    String::from_utf8(command.output().unwrap().stdout).unwrap()
}

fn commands() -> String {
    let words = "The help texts of all commands. [Exit codes and files](files.md) are told apart.";
    let mut page = head("Commands", words);
    let overview = help(&[]);
    let listed = overview.split("Commands:\n").nth(1).and_then(|rest| rest.split("\n\n").next()).unwrap();
    let names = listed
        .lines()
        .filter(|line| !line.starts_with("   "))
        .filter_map(|line| line.split_whitespace().next());
    for name in names.filter(|name| *name != "help") {
        let _ = write!(page, "\n## lookalike {name}\n\n{}", verbatim(help(&[name]).trim()));
    }
    assert!(page.contains("## lookalike generate"));
    page
}

fn formats() -> String {
    let words = "`--format` takes these, with commas between them. Given data (`inject`, `merge`, `validate`, `release`, `fit`) are read by \
                 their extension.";
    let mut page = head("Formats", words);
    page.push_str("\n## Written\n\n| format | extension | what it is |\n|---|---|---|\n");
    for sink in SINKS {
        let _ = writeln!(page, "| `{}` | `.{}` | {} |", sink.name, sink.extension, plain(sink.summary));
    }
    page.push_str("\n## Read\n\n| format | extensions | what it is |\n|---|---|---|\n");
    for source in SOURCES {
        let extensions: Vec<String> = source.extensions.iter().map(|name| format!("`.{name}`")).collect();
        let _ =
            writeln!(page, "| `{}` | {} | {} |", source.name, extensions.join(", "), plain(source.summary));
    }
    page
}

#[test]
fn the_reference_is_the_language() {
    let pages = [
        ("keys", rulesets()),
        ("columns", columns()),
        ("kinds", kinds()),
        ("anomalies", anomalies()),
        ("functions", functions()),
        ("diagnostics", diagnostics()),
        ("commands", commands()),
        ("formats", formats()),
    ];
    for (name, made) in pages {
        let path = root().join("docs/src/reference").join(name).with_extension("md");
        if is_update() {
            std::fs::write(&path, &made).unwrap();
        }
        let stored = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(
            made == stored,
            "{} is not what the program says; LOOKALIKE_UPDATE=1 writes it anew",
            path.display()
        );
    }
}
