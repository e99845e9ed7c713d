//! Help, lists and explanations.

use super::{ORDERS, Place};

#[test]
fn help_of_every_command() {
    let place = Place::new();
    place.run("--help").expect(0).snapshot("help");
    for command in [
        "generate",
        "merge",
        "inject",
        "check",
        "diff",
        "preview",
        "validate",
        "release",
        "fit",
        "kinds",
        "explain",
        "schema",
        "completions",
    ] {
        place.run(&format!("{command} --help")).expect(0).snapshot(&format!("help_{command}"));
    }
    #[cfg(feature = "bedrock")]
    for command in ["draft", "refine", "texts"] {
        place.run(&format!("{command} --help")).expect(0).snapshot(&format!("help_{command}"));
    }
}

#[test]
fn no_arguments_show_the_help_and_fail() {
    let outcome = Place::new().run("").expect(2);
    assert!(outcome.stderr.contains("Usage: lookalike"), "{outcome}");
}

#[test]
fn versions_are_told() {
    let place = Place::new();
    assert_eq!(place.run("--version").expect(0).text, format!("lookalike {}\n", env!("CARGO_PKG_VERSION")));
    let generate = place.outcome(place.program(env!("CARGO_BIN_EXE_generate").as_ref()).arg("--version"));
    assert_eq!(generate.expect(0).text, format!("generate {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn kinds_lists_every_kind_and_modifier() {
    let outcome = Place::new().run("kinds").expect(0);
    for kind in lookalike::engine::KINDS {
        let line = format!("  {} ", kind.name);
        assert!(outcome.text.lines().any(|l| l.starts_with(&line)), "`{}` is missing", kind.name);
    }
    for modifier in lookalike::engine::build::MODIFIERS {
        let name = modifier.name;
        assert!(outcome.text.contains(&format!("\n  {name} ")), "`{name}` is missing");
    }
    assert_eq!(outcome.stderr, "");
    outcome.snapshot("kinds");
}

#[test]
fn kinds_as_json_can_be_read() {
    let outcome = Place::new().run("kinds --format json").expect(0);
    let list: serde_json::Value = serde_json::from_slice(&outcome.stdout).unwrap();
    assert_eq!(list["kinds"].as_array().unwrap().len(), lookalike::engine::KINDS.len());
    assert_eq!(list["kinds"][0]["name"], lookalike::engine::KINDS[0].name);
}

#[test]
fn words_are_explained() {
    let place = Place::new();
    for word in ["normal", "null", "by", "round", "unknown-key", "coalesce", "functions", "expect"] {
        place.run(&format!("explain {word}")).expect(0).snapshot(&format!("explain_{word}"));
    }
}

#[test]
fn every_word_has_an_explanation() {
    let place = Place::new();
    for kind in lookalike::engine::KINDS {
        let outcome = place.run(&format!("explain {}", kind.name)).expect(0);
        assert!(outcome.text.contains("\nMakes\n"), "`{}` shows no values: {outcome}", kind.name);
    }
    for word in ["Round", "cannot-read", "ref", "cases", "else", "anomalies"] {
        place.run(&format!("explain {word}")).expect(0);
    }
}

#[test]
fn unknown_words_are_refused() {
    let place = Place::new();
    place.run("explain log-normal").expect(2).snapshot("explain_unknown");
    place.run("explain zzzzzzzz").expect(2).snapshot("explain_unknown_without_neighbour");
}

#[test]
fn the_schema_is_printed_or_written() {
    let place = Place::new();
    let printed = place.run("schema").expect(0);
    let schema: serde_json::Value = serde_json::from_slice(&printed.stdout).unwrap();
    assert!(schema["properties"]["tables"].is_object());
    let written = place.run("schema -o s.json").expect(0);
    assert_eq!(written.text, "");
    assert_eq!(place.read("s.json"), printed.stdout);
    assert_eq!(place.files("."), ["s.json"]);
    place.run("schema -o missing/s.json").expect(4).snapshot("schema_without_a_folder");
}

#[test]
fn completions_name_the_commands() {
    let place = Place::new();
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let outcome = place.run(&format!("completions {shell}")).expect(0);
        assert!(outcome.text.contains("preview"), "{shell}");
    }
}

#[test]
fn preview_shows_rows_and_notes() {
    let place = Place::with(ORDERS);
    place.run("preview x.yaml -n 4").expect(0).snapshot("preview");
    place.run("preview x.yaml --range 500..503 --table orders --seed 7").expect(0).snapshot("preview_range");
    place.run("preview x.yaml --table order").expect(2).snapshot("preview_unknown_table");
    place.run("preview x.yaml -n 1m").expect(2).snapshot("preview_too_long");
    place.run("preview x.yaml --range 999..1001").expect(2).snapshot("preview_beyond_the_end");
}

#[test]
fn preview_fits_the_width_and_stays_on_one_line() {
    let columns: Vec<String> = (0..30)
        .map(|at| format!("column number {at}: {{choice: [\"a\\e[31m\\nb\", '{}']}}", "x".repeat(50)))
        .collect();
    let columns: Vec<&str> = columns.iter().map(String::as_str).collect();
    let outcome = Place::with_columns("5", &columns).run("preview x.yaml").expect(0);
    let widest = outcome.text.lines().map(|line| line.chars().count()).max();
    assert!(widest <= Some(100), "{outcome}");
    assert!(!outcome.text.contains('\u{1b}'), "{outcome}");
    outcome.snapshot("preview_of_many_columns");
}

#[test]
fn preview_of_little() {
    Place::with_columns("0", &["a: {int_range: [1, 5]}"])
        .run("preview x.yaml")
        .expect(0)
        .snapshot("preview_of_no_rows");
    let nulls = Place::with_columns("3", &["a: {choice: [x], null: 100%}"]);
    nulls.run("preview x.yaml").expect(0).snapshot("preview_of_nulls");
}

#[test]
fn colours_are_used_when_asked() {
    let place = Place::with(ORDERS);
    for line in ["preview x.yaml", "kinds", "explain normal"] {
        assert!(!place.run(line).expect(0).text.contains('\u{1b}'), "{line}");
        assert!(place.run(&format!("{line} --color always")).expect(0).text.contains("\u{1b}["), "{line}");
    }
    let refused = place.run("check missing.yaml --color always").expect(2);
    assert!(refused.stderr.contains("\u{1b}["), "{refused}");
    let with = |line: &str, variables: &[&str]| {
        let variables = variables.iter().map(|name| (name, "1"));
        place.outcome(place.command().args(line.split_whitespace()).envs(variables)).text.contains('\u{1b}')
    };
    assert!(with("kinds", &["CLICOLOR_FORCE"]));
    assert!(!with("kinds", &["CLICOLOR_FORCE", "NO_COLOR"]));
    assert!(!with("kinds --color never", &["CLICOLOR_FORCE"]));
    assert!(with("kinds --color always", &["NO_COLOR"]));
}
