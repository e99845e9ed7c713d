//! Rulesets that the engine would take and the program refuses: diagnostics of its own stages.

use lookalike::{Error, Ruleset};

#[test]
fn noise_that_cannot_be_is_refused_in_good_words() {
    insta::glob!("../rulesets/invalid/protected", "*.yaml", |path| {
        let Err(Error::Refused(refusal)) = Ruleset::from_path(path) else {
            panic!("{} was accepted", path.display());
        };
        let codes: Vec<&str> = refusal.diagnostics.iter().map(|diagnostic| diagnostic.code).collect();
        assert!(codes.contains(&"bad-privacy"), "{codes:?}");
        let folder = path.parent().unwrap().display().to_string();
        insta::assert_snapshot!(refusal.to_string().replace(&format!("{folder}/"), ""));
    });
}
