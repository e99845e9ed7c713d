//! What the documents show is true: rulesets in fences are run, diagnostics in fences are what the program prints. (Rust in
//! the README runs as a documentation test.)

use lookalike::{Error, Ruleset};

/// The contents of fences of a language.
fn fences<'a>(text: &'a str, language: &str) -> Vec<&'a str> {
    let open = format!("```{language}\n");
    text.match_indices(&open)
        .map(|(at, _)| {
            let rest = &text[at + open.len()..];
            &rest[..rest.find("```").expect("a fence is closed")]
        })
        .collect()
}

fn readme() -> String {
    std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md")).unwrap()
}

#[test]
fn rulesets_in_the_readme_run() {
    let readme = readme();
    let rulesets = fences(&readme, "yaml");
    assert!(!rulesets.is_empty());
    for text in rulesets {
        let ruleset = Ruleset::from_str(text).unwrap_or_else(|error| panic!("{error}"));
        assert!(ruleset.warnings().is_empty());
        for table in ruleset.tables() {
            assert_eq!(table.collect().unwrap().height() as u64, table.len());
        }
    }
}

#[test]
fn the_mistake_in_the_readme_is_told_as_it_says() {
    let readme = readme();
    let shown = fences(&readme, "text")[0];
    let broken = fences(&readme, "yaml")[0].replace("items * price", "items * prise");
    let Err(Error::Refused(refusal)) = Ruleset::from_str(&broken) else { panic!("the mistake was accepted") };
    let told = refusal.to_string().replace("<text>", "shop.yaml");
    assert!(told.starts_with(shown.trim_end()), "the README shows\n{shown}\nbut the program says\n{told}");
}
