//! No ruleset makes the engine panic: rulesets of the piles with some words exchanged, doubled or dropped are either refused
//! with a diagnostic, fail with an error, or make their rows.

use std::path::Path;

use lookalike_core::stream::below;
use lookalike_core::{Rows, Seed};
use lookalike_engine::array::dtype_of;
use lookalike_engine::testing::plan;
use lookalike_ruleset::Type;
use polars::prelude::DataType;

/// Words that have been trouble somewhere, for somebody.
const WORDS: &[&str] = &[
    "0",
    "-1",
    "1e308",
    "9223372036854775807",
    "-9223372036854775808",
    "1e-300",
    "null",
    "true",
    "\"\"",
    "[]",
    "{}",
    "[1, 2]",
    "{a: 1}",
    "nan",
    "5%",
    "-5%",
    "7d",
    "clock - 1d",
    "2026-01-01",
    "9999-12-31",
    "-9999-01-01",
    "'a + b'",
    "'CASE WHEN'",
    "{param: x}",
    "{ref: x}",
    "&a 1",
    "*a",
    "int",
    "decimal(9)",
    "datetime",
    "text",
    "unique: true",
    "null: 50%",
    "round: 9",
    "truncate: [0, 1]",
    "clamp: [5, 6]",
    "only_if: a",
    "'[a-z]{1000}'",
    "'(a|b|c){50}'",
    "'.{4096}'",
    "10m",
    "!!str 5",
    "|",
    "\"\\u0000\"",
    "é",
    "😀",
    "type: date",
    "type: duration",
    "type: bool",
];

fn rulesets() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/rulesets");
    // The valid ones more often, for most changes are mistakes.
    let mut paths: Vec<_> = ["valid", "valid", "valid", "valid", "invalid"]
        .iter()
        .flat_map(|pile| std::fs::read_dir(folder.join(pile)).unwrap().map(|entry| entry.unwrap().path()))
        .filter(|path| path.extension().is_some_and(|e| e == "yaml"))
        .collect();
    paths.sort();
    paths.iter().map(|path| std::fs::read_to_string(path).unwrap()).collect()
}

/// The words of a text and what stands between them, in turns.
fn pieces(text: &str) -> Vec<&str> {
    let mut pieces = vec![];
    let is_gap = |c: char| c.is_whitespace() || ",:[]{}".contains(c);
    let mut start = 0;
    let mut gap = None;
    for (at, c) in text.char_indices() {
        if gap != Some(is_gap(c)) {
            pieces.push(&text[start..at]);
            (start, gap) = (at, Some(is_gap(c)));
        }
    }
    pieces.push(&text[start..]);
    pieces
}

#[test]
fn mutated_rulesets_are_refused_or_run() {
    let bases = rulesets();
    let (mut ran, mut refused) = (0, 0);
    for case in 0..5000 {
        let stream = Seed::new(2026).derive("mutations").stream();
        let mut draw = 0;
        let mut pick = |n: usize| {
            draw += 1;
            below(stream.word(case, draw), n as u64) as usize
        };
        let mut text = bases[pick(bases.len())].clone();
        for _ in 0..=pick(2) {
            let mut parts: Vec<String> = pieces(&text).into_iter().map(str::to_owned).collect();
            let at = pick(parts.len());
            match pick(4) {
                0 => parts[at].clear(),
                1 => parts[at] += &format!(" {}", WORDS[pick(WORDS.len())]),
                _ => parts[at] = WORDS[pick(WORDS.len())].to_owned(),
            }
            text = parts.concat();
        }
        match plan(&text) {
            Err(problems) => {
                assert!(!problems.is_empty(), "refused without a word:\n{text}");
                refused += 1;
            }
            Ok(plan) => {
                for table in &plan.tables {
                    // An error is an answer, too: a value that does not fit its type, a requirement that is never met.
                    let Ok(frame) = table.frame(&Rows::Range(0..table.rows.min(50))) else { continue };
                    for (field, column) in table.schema().fields.iter().zip(frame.columns()) {
                        let held = field.ty == Type::Text && matches!(column.dtype(), DataType::Enum(..));
                        assert!(
                            held || *column.dtype() == dtype_of(field.ty),
                            "{field:?} is {}:\n{text}",
                            column.dtype()
                        );
                        assert!(field.nullable || column.null_count() == 0, "{field:?} has nulls:\n{text}");
                    }
                }
                ran += 1;
            }
        }
    }
    assert!(ran > 50 && refused > 500, "{ran} ran, {refused} were refused: the mutations miss their purpose");
}
