//! The examples of pipelines in `examples/ci`: each `lookalike` command in them is run, in order, on the tutorial's ruleset.

use lookalike::language::read::{Format, read};
use lookalike::language::{Problems, Sources};

use super::root;
use super::session::Session;

/// A project with the tutorial's ruleset and its lock.
fn project() -> Session {
    let session = Session::new();
    for name in ["shop.yaml", "lookalike.lock"] {
        let text = std::fs::read_to_string(root().join("rulesets/tutorial").join(name)).unwrap();
        session.write(&format!("rulesets/{name}"), &text);
    }
    session
}

fn example(name: &str) -> String {
    std::fs::read_to_string(root().join("examples/ci").join(name)).unwrap()
}

/// The lines that run `lookalike`, as they stand in a script, a list of YAML or a recipe.
fn commands(text: &str) -> Vec<&str> {
    let lines = text.lines().map(|line| line.trim().trim_start_matches("- ").trim_start_matches("run: "));
    lines.filter(|line| line.starts_with("lookalike ")).collect()
}

#[test]
fn commands_of_the_pipelines_run() {
    for (name, count) in [("github-actions.yml", 4), ("gitlab-ci.yml", 3), ("Makefile", 4)] {
        let text = example(name);
        let commands = commands(&text);
        assert_eq!(commands.len(), count, "{name}: {commands:?}");
        let session = project();
        for (command, (code, printed)) in commands.iter().zip(session.run(commands.iter().copied())) {
            assert_eq!(code, 0, "{name}: `{command}` printed\n{printed}");
        }
        assert!(session.path("fixtures/customers.csv").exists());
        assert_eq!(session.path("checks.xml").exists(), name.ends_with("yml"));
        // What is shown or kept is there.
        for kept in ["check.sarif", "fixtures/report/summary.md"] {
            assert!(!text.contains(kept) || session.path(kept).exists(), "{name} keeps {kept}");
        }
    }
}

#[test]
fn a_change_that_is_not_locked_stops_the_pipelines() {
    for name in ["github-actions.yml", "gitlab-ci.yml", "Makefile"] {
        let session = project();
        let ruleset = session.read("rulesets/shop.yaml");
        session
            .write("rulesets/shop.yaml", &ruleset.replace("tea: 40%, coffee: 35%", "tea: 45%, coffee: 30%"));
        let text = example(name);
        let locked: Vec<&str> =
            commands(&text).into_iter().filter(|line| line.contains("--locked")).collect();
        assert!(!locked.is_empty());
        for (code, printed) in session.run(locked.iter().copied()) {
            assert_eq!(code, 1, "{name}: {printed}");
            assert!(printed.contains("column `product` has other values"), "{printed}");
        }
    }
}

#[test]
fn the_makefile_makes_fixtures_once() {
    let session = project();
    session.write("Makefile", &example("Makefile"));
    let results = session
        .run(["make test", "make test", "touch rulesets/shop.yaml; make test", "make check"].into_iter());
    let made = |at: usize| results[at].1.contains("lookalike generate");
    assert!(results.iter().all(|(code, _)| *code == 0), "{results:?}");
    assert!(made(0) && !made(1) && made(2), "{results:?}");
}

#[test]
fn the_hooks_find_mistakes_and_changes() {
    let hooks = std::fs::read_to_string(root().join(".pre-commit-hooks.yaml")).unwrap();
    let entries: Vec<&str> = hooks.lines().filter_map(|line| line.trim().strip_prefix("entry: ")).collect();
    let [check, locked] = entries[..] else { panic!("{entries:?}") };
    let session = project();
    session.write("rulesets/other/wrong.yaml", "lookalike: 1\ntables: {t: {columns: {a: {choise: [1]}}}}\n");
    let run =
        |hook: &str, files: &str| session.run([format!("{hook} {files}").as_str()].into_iter()).remove(0);
    assert_eq!(run(check, "rulesets/shop.yaml").0, 0);
    let (code, printed) = run(check, "rulesets/other/wrong.yaml rulesets/shop.yaml");
    assert!(code == 2 && printed.contains("choise") && printed.contains("shop.yaml"), "{printed}");
    // Without a lock beside it a ruleset is not held against one.
    assert_eq!(
        run(locked, "rulesets/shop.yaml rulesets/other/wrong.yaml"),
        (0, run(locked, "rulesets/shop.yaml").1)
    );
    let ruleset = session.read("rulesets/shop.yaml");
    session.write("rulesets/shop.yaml", &ruleset.replace("tea: 40%, coffee: 35%", "tea: 45%, coffee: 30%"));
    assert_eq!(run(locked, "rulesets/shop.yaml").0, 1);
}

#[test]
fn the_yaml_is_yaml() {
    let examples = ["github-actions.yml", "gitlab-ci.yml", "pre-commit-config.yaml"].map(example);
    let hooks = std::fs::read_to_string(root().join(".pre-commit-hooks.yaml")).unwrap();
    for text in examples.into_iter().chain([hooks]) {
        let (mut sources, mut problems) = (Sources::new(), Problems::new());
        let file = sources.add("example", text.as_str());
        assert!(read(&sources, file, Format::Yaml, &mut problems).is_some() && problems.is_empty(), "{text}");
    }
}
