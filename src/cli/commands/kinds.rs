//! `lookalike kinds`: what a column can be made of.

use std::fmt::Write as _;

use clap::ValueEnum;
use lookalike_engine::Kind;
use lookalike_engine::anomalies::ANOMALIES;
use lookalike_engine::anomaly::AnomalyKind;
use lookalike_engine::build::{MODIFIERS, Modifier};
use lookalike_engine::generator::Group;
use serde_json::json;

use crate::cli::failure::Failure;
use crate::cli::known_kinds;
use crate::cli::terminal::{self, DIM, STRONG};

/// Arguments of `kinds`.
#[derive(clap::Args)]
pub struct Args {
    /// How to write the list.
    #[arg(long, value_enum, value_name = "FORMAT", default_value = "text")]
    format: Form,
}

#[derive(Clone, Copy, ValueEnum)]
enum Form {
    Text,
    Json,
}

/// The groups, in the order of the manual.
pub const GROUPS: [Group; 7] =
    [Group::Basic, Group::Numbers, Group::Time, Group::Series, Group::Text, Group::Derived, Group::People];

/// What a group is called.
pub fn title(group: Group) -> &'static str {
    match group {
        Group::Basic => "Basic",
        Group::Numbers => "Numbers",
        Group::Time => "Time",
        Group::Series => "Series",
        Group::Text => "Text",
        Group::Derived => "Derived",
        Group::People => "People, places, machines",
    }
}

/// A key of a column that stands in the place of a kind, or belongs to one that does.
pub struct Reference {
    /// The key.
    pub name: &'static str,
    /// What it does.
    pub summary: &'static str,
    /// A column, complete.
    pub example: &'static str,
}

const BY: &str =
    "{by: size, cases: {small | medium: {int_range: [1, 9]}, large: {int_range: [10, 99]}}, else: 0}";

/// All such keys.
pub const REFERENCES: [Reference; 4] = [
    Reference {
        name: "ref",
        summary: "name of a vocabulary entry; keys beside it go over the entry's",
        example: "{ref: aws_region, null: 5%}",
    },
    Reference { name: "by", summary: "name of a column whose value chooses one of `cases`", example: BY },
    Reference {
        name: "cases",
        summary: "beside `by`: a generator for each value; `a | b` stands for either",
        example: BY,
    },
    Reference { name: "else", summary: "beside `by`: the generator for values without a case", example: BY },
];

/// Prints the list.
pub fn run(args: &Args) -> Result<(), Failure> {
    match args.format {
        Form::Text => terminal::print(&text()),
        Form::Json => terminal::print(&format!("{:#}\n", json())),
    }
}

fn text() -> String {
    let all = known_kinds();
    let all: Vec<&Kind> = all.iter().copied().flatten().collect();
    let names = all.iter().map(|kind| kind.name).chain(MODIFIERS.iter().map(|modifier| modifier.name));
    let names = names.chain(ANOMALIES.iter().map(|kind| kind.name));
    let width = names.map(str::len).max().unwrap_or(0);
    let mut text = String::new();
    let line = |name: &str, summary: &str| {
        let summary = terminal::wrapped(summary, width + 4, 110);
        format!("  {STRONG}{name:width$}{STRONG:#}  {summary}\n")
    };
    for group in GROUPS {
        let kinds: Vec<&&Kind> = all.iter().filter(|kind| kind.group == group).collect();
        if !kinds.is_empty() {
            let _ = writeln!(text, "{DIM}{}{DIM:#}", title(group));
            kinds.iter().for_each(|kind| text.push_str(&line(kind.name, kind.summary)));
            text.push('\n');
        }
    }
    let _ = writeln!(text, "{DIM}In the place of a kind{DIM:#}");
    REFERENCES.iter().for_each(|key| text.push_str(&line(key.name, key.summary)));
    let _ = writeln!(text, "\n{DIM}Modifiers, beside a kind{DIM:#}");
    MODIFIERS.iter().for_each(|modifier| text.push_str(&line(modifier.name, modifier.summary)));
    let _ = writeln!(text, "\n{DIM}Anomalies, under `anomalies` of a table{DIM:#}");
    ANOMALIES.iter().for_each(|kind| text.push_str(&line(kind.name, kind.summary)));
    text.push_str("\n`lookalike explain NAME` says more about each.\n");
    text
}

fn json() -> serde_json::Value {
    let kind = |kind: &Kind| {
        json!({
            "name": kind.name,
            "group": title(kind.group).to_lowercase(),
            "summary": kind.summary,
            "example": kind.example,
        })
    };
    let reference =
        |key: &Reference| json!({"name": key.name, "summary": key.summary, "example": key.example});
    let modifier = |modifier: &Modifier| json!({"name": modifier.name, "summary": modifier.summary, "example": modifier.example});
    let anomaly =
        |kind: &AnomalyKind| json!({"name": kind.name, "summary": kind.summary, "example": kind.example});
    json!({
        "kinds": known_kinds().into_iter().flatten().map(kind).collect::<Vec<_>>(),
        "references": REFERENCES.iter().map(reference).collect::<Vec<_>>(),
        "anomalies": ANOMALIES.iter().map(anomaly).collect::<Vec<_>>(),
        "modifiers": MODIFIERS.iter().map(modifier).collect::<Vec<_>>(),
    })
}
