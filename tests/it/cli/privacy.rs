//! What `release`, `fit` and the protect stage refuse, leave behind and say.

use std::path::Path;
use std::process::Stdio;
use std::time::Instant;

use super::Place;

const RULES: &str = "\
lookalike: 1
unit: {column: client, max_rows: 3, at_most: 10k}
columns:
  region: {values: [north, south]}
  cost: {min: 0, max: 100, step: 0.01}
  note: {}
releases:
  volumes: {statistic: count, by: [region]}
  cost: {statistic: mean, of: cost}
";

const SCHEMA: &str = "\
schema: 1
table: costs
unit: {column: client, max_rows: 3, at_most: 10k}
columns:
  region: {categories: [north, south]}
  cost: {float: [0, 100], bins: 4}
";

/// A folder with rules, a schema, and a table of 900 rows, three for each of 300 clients.
fn place() -> Place {
    let place = Place::new();
    place.write("rules.yaml", RULES);
    place.write("schema.yaml", SCHEMA);
    let mut table = String::from("client,region,cost\n");
    for row in 0..900 {
        let region = if row % 4 == 0 { "north" } else { "south" };
        table.push_str(&format!("c{},{region},{}.50\n", row / 3, row % 90));
    }
    place.write("data.csv", table);
    place
}

/// All files below a folder with their bytes.
fn content(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.push((path.display().to_string(), Vec::new()));
            found.extend(content(&path));
        } else {
            found.push((path.display().to_string(), std::fs::read(&path).unwrap()));
        }
    }
    found.sort();
    found
}

const RELEASE: &str = "release data.csv --rules rules.yaml";
const FIT: &str = "fit data.csv --schema schema.yaml";

/// What it is about, what is done to the folder beforehand, and the line.
type Case = (&'static str, Box<dyn Fn(&Place)>, String);

/// Runs each line in a fresh folder after the same preparations; all are refused, change nothing on the disk, and say what the
/// snapshot says.
fn refused(name: &str, cases: &[Case]) {
    let mut text = String::new();
    for (title, prepare, line) in cases {
        let place = place();
        prepare(&place);
        let before = content(place.folder.path());
        let outcome = place.run(line);
        assert!(matches!(outcome.code, Some(2..=4)), "{title}: {outcome}");
        assert_eq!(content(place.folder.path()), before, "{title}: something changed on the disk");
        text.push_str(&format!("## {title}\n$ lookalike {line}\n{outcome}\n"));
    }
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../snapshots");
    settings.set_prepend_module_to_snapshot(false);
    settings.bind(|| insta::assert_snapshot!(name, text));
}

fn nothing(_: &Place) {}

fn spent(place: &Place) {
    place.run(&format!("{RELEASE} --epsilon 1 --delta 1e-6 -o first -q")).expect(0);
}

fn edited(file: &'static str, from: &'static str, to: &'static str) -> impl Fn(&Place) {
    move |place| {
        let text = String::from_utf8(place.read(file)).unwrap();
        assert!(text.contains(from), "{from}");
        place.write(file, text.replacen(from, to, 1));
    }
}

#[test]
fn refusals_of_a_release() {
    let line = |rest: &str| format!("{RELEASE} {rest}");
    let usual = line("--epsilon 1 --delta 1e-6");
    let cases: Vec<Case> = vec![
        ("the budget is exhausted", Box::new(spent), usual.clone()),
        (
            "the run's own budget is above the table's",
            Box::new(nothing),
            line("--epsilon 1 --delta 1e-6 --total-epsilon 0.5"),
        ),
        (
            "another unit than agreed",
            Box::new(|place| {
                spent(place);
                edited("rules.yaml", "{column: client, max_rows: 3, at_most: 10k}", "{at_most: 10k}")(place);
            }),
            line("--epsilon 0.1 --delta 1e-6"),
        ),
        ("no bounds", Box::new(edited("rules.yaml", "of: cost", "of: note")), usual.clone()),
        (
            "a category is not public",
            Box::new(edited("rules.yaml", "by: [region]", "by: [note]")),
            usual.clone(),
        ),
        ("no bound on rows", Box::new(edited("rules.yaml", "max_rows: 3, ", "")), usual.clone()),
        ("the unit's column is missing", Box::new(edited("data.csv", "client,", "customer,")), usual.clone()),
        ("the unit is null", Box::new(edited("data.csv", "c7,", ",")), usual.clone()),
        ("a negative epsilon", Box::new(nothing), line("--epsilon -1 --delta 1e-6")),
        ("delta of one over the units", Box::new(nothing), line("--epsilon 1 --delta 1e-4")),
        (
            "delta, and nobody knows how many units",
            Box::new(edited("rules.yaml", ", at_most: 10k", "")),
            line("--epsilon 1 --delta 1e-4"),
        ),
        ("an epsilon that says nothing", Box::new(nothing), line("--epsilon 0.0001 --delta 1e-6")),
        (
            "an epsilon that says nothing, in a dry run",
            Box::new(nothing),
            line("--epsilon 0.0001 --delta 1e-6 --dry-run"),
        ),
        ("nothing is asked for", Box::new(nothing), "release data.csv --epsilon 1 --delta 1e-6".into()),
        (
            "flags without values",
            Box::new(nothing),
            "release data.csv --epsilon 1 --delta 1e-6 --count --by region".into(),
        ),
        (
            "flags without bounds",
            Box::new(nothing),
            "release data.csv --epsilon 1 --delta 1e-6 --sum cost".into(),
        ),
        (
            "flags with a slip of the pen",
            Box::new(nothing),
            "release data.csv --epsilon 1 --delta 1e-6 --sum cost --bounds cots=0..9 --bounds cost=0..9"
                .into(),
        ),
        (
            "bounds of nothing that is asked for",
            Box::new(nothing),
            "release data.csv --epsilon 1 --delta 1e-6 --count --bounds cost=0..9".into(),
        ),
        ("flags beside a file", Box::new(nothing), format!("{usual} --count")),
        (
            "a unit without a bound",
            Box::new(nothing),
            "release data.csv --epsilon 1 --delta 1e-6 --count --unit client".into(),
        ),
    ];
    refused("refusals_of_a_release", &cases);
}

#[test]
fn refusals_of_a_fit() {
    let line = |rest: &str| format!("{FIT} {rest}");
    let usual = line("--epsilon 1");
    let cases: Vec<Case> = vec![
        ("the budget is exhausted", Box::new(spent), usual.clone()),
        (
            "no bounds",
            Box::new(edited("schema.yaml", "{float: [0, 100], bins: 4}", "{bins: 4}")),
            usual.clone(),
        ),
        (
            "a category is not public",
            Box::new(edited("schema.yaml", "{categories: [north, south]}", "{}")),
            usual.clone(),
        ),
        ("no bound on rows", Box::new(edited("schema.yaml", "max_rows: 3, ", "")), usual.clone()),
        ("the unit's column is missing", Box::new(edited("data.csv", "client,", "customer,")), usual.clone()),
        ("the unit is null", Box::new(edited("data.csv", "c7,", ",")), usual.clone()),
        ("a negative epsilon", Box::new(nothing), line("--epsilon -1")),
        ("delta of one over the units", Box::new(nothing), line("--epsilon 1 --delta 1e-4")),
        (
            "delta, and nobody knows how many units",
            Box::new(edited("schema.yaml", ", at_most: 10k", "")),
            line("--epsilon 1 --delta 1e-4"),
        ),
        (
            "an epsilon that says nothing",
            Box::new(edited("schema.yaml", "10k", "100")),
            line("--epsilon 0.02"),
        ),
        (
            "an epsilon that says nothing, in a dry run",
            Box::new(edited("schema.yaml", "10k", "100")),
            line("--epsilon 0.02 --dry-run"),
        ),
    ];
    refused("refusals_of_a_fit", &cases);
}

/// A cell is what it says, whatever the other rows say: with `1.10` and `TRUE` in the file, or with a word in their place, `1.0` and
/// `true` are the same groups. (Numbers found in a column would be written alike, as 1 and 1.1, and one row would undo that.)
#[test]
fn one_row_does_not_change_how_others_are_read() {
    let place = Place::new();
    let rules = "lookalike: 1\ncolumns: {version: {values: ['1.0', '1.10']}, paid: {values: ['TRUE', 'no']}}\nreleases: {n: \
                 {statistic: count, by: [version, paid]}}\n";
    place.write("rules.yaml", rules);
    let schema = "schema: 1\ntable: t\ncolumns: {version: {categories: ['1.0', '1.10']}, paid: {categories: ['TRUE', 'no']}}\n";
    place.write("schema.yaml", schema);
    for (at, last) in ["1.10,TRUE", "beta,maybe"].into_iter().enumerate() {
        let rows = "1.0,TRUE\n1.10,TRUE\n".repeat(500);
        place.write("data.csv", format!("version,paid\n{rows}{last}\n"));
        let state = format!("--state {at}.jsonl --epsilon 20 --delta 1e-6 -q");
        place.run(&format!("{RELEASE} {state} -o {at}")).expect(0);
        let figures = String::from_utf8(place.read(&format!("{at}/n.csv"))).unwrap();
        place.run(&format!("{FIT} {state} --table-name fit -o {at}.yaml")).expect(0);
        let weights = String::from_utf8(place.read(&format!("{at}.model/version.csv"))).unwrap();
        let sum = |text: &str, value: &str, from_the_end: usize| -> f64 {
            let lines = text.lines().skip(1).map(|line| line.split(',').collect::<Vec<_>>());
            let of_value = lines.filter(|cells| cells.contains(&value));
            of_value.map(|cells| cells[cells.len() - from_the_end].parse::<f64>().unwrap()).sum()
        };
        for value in ["1.0", "1.10"] {
            // Noise of a few rows in up to four cells; 60 are more than ten standard deviations.
            let (released, fitted) = (sum(&figures, value, 3), sum(&weights, value, 1));
            assert!((released - 500.0).abs() < 60.0, "{value}: {figures}");
            assert!((fitted - 500.0).abs() < 60.0, "{value}: {weights}");
        }
    }
}

#[test]
fn dry_runs_change_nothing() {
    let place = place();
    for prepared in [false, true] {
        if prepared {
            spent(&place);
        }
        let before = content(place.folder.path());
        place.run(&format!("{RELEASE} --epsilon 0.1 --delta 1e-6 --dry-run")).expect(0);
        place.run(&format!("{FIT} --epsilon 0.1 --dry-run")).expect(0);
        assert_eq!(content(place.folder.path()), before);
    }
}

/// What a refused first run asked for binds nobody: the table's budget is agreed on with the first figure.
#[test]
fn a_refused_run_agrees_on_nothing() {
    let place = place();
    place.write("small.yaml", RULES.replace("max_rows: 3, at_most: 10k", "max_rows: 3, at_most: 2"));
    place.run("release data.csv --rules small.yaml --epsilon 0.01 --delta 1e-6").expect(2);
    place.run(&format!("{RELEASE} --epsilon 1 --total-epsilon 2 --delta 1e-6")).expect(0);
}

#[test]
fn flags_do_what_rules_do() {
    let place = place();
    let flags = "--count --mean cost --by region --values region=north,south --bounds cost=0..100 --step cost=0.01 --unit client \
                 --max-rows 3 --at-most 10k";
    let plan = place.run(&format!("release data.csv --epsilon 1 --delta 1e-6 {flags} --dry-run")).expect(0);
    // What a dry run prints is a file for --rules, up to the plan.
    let (rules, shown) = plan.text.split_once("\n\n").unwrap();
    place.write("printed.yaml", rules);
    let again =
        place.run("release data.csv --epsilon 1 --delta 1e-6 --rules printed.yaml --dry-run").expect(0);
    assert_eq!(shown, again.text);
    place.run(&format!("release data.csv --epsilon 1 --delta 1e-6 {flags}")).expect(0);
    let csv = String::from_utf8(place.read("outputs/release/mean_cost_by_region.csv")).unwrap();
    assert!(csv.starts_with("region,mean_cost,std_error,half_width_95\nnorth,"), "{csv}");
    let found = place.run(
        "release data.csv --epsilon 5 --delta 1e-6 --sum cost --by region --values region=discover --bounds cost=0..100 --unit \
         client --max-rows 3 --state other.jsonl -o found",
    );
    found.expect(0);
    let csv = String::from_utf8(place.read("found/sum_cost_by_region.csv")).unwrap();
    let keys: Vec<&str> = csv.lines().map(|line| line.split(',').next().unwrap()).collect();
    assert_eq!(keys, ["region", "north", "south"]);
}

/// All that the three stages write or say: with the promise in words, what may leave and what must not, and never the word.
#[test]
fn outputs_say_what_is_promised_and_what_may_leave() {
    let place = place();
    place.write("x.yaml", super::protect::PROTECTED);
    let mut said = String::new();
    for line in [
        &format!("{RELEASE} --epsilon 1 --delta 1e-6 -o release"),
        &format!("{RELEASE} --epsilon 1 --delta 1e-6 --dry-run"),
        &format!("{FIT} --epsilon 1 --table-name costs -o fitted.yaml"),
        &format!("{FIT} --epsilon 1 --method aim --dry-run"),
        "generate fitted.yaml --rows 50 -o rows",
        "generate x.yaml -o visits",
        "preview x.yaml",
        "release --help",
        "fit --help",
    ] {
        said.push_str(&place.run(line).expect(0).to_string());
    }
    for wrong in ["epsilon 0 --delta 1e-6", "epsilon 1 --delta 1e-6"] {
        said.push_str(&place.run(&format!("{RELEASE} --{wrong}")).to_string());
    }
    for (name, bytes) in content(place.folder.path()) {
        said.push_str(&format!("{name}\n{}\n", String::from_utf8_lossy(&bytes)));
    }
    for word in ["anonym", "no privacy loss", "risk-free"] {
        assert!(!said.to_lowercase().contains(word), "{word}");
    }
    let words =
        ["Unit of privacy", "Neighbouring tables", "epsilon", "delta", "Taken as public", "Not counted"];
    let parts = ["For release", "Not for release"];
    for file in ["release/release.md", "fitted.privacy.md"] {
        let text = String::from_utf8(place.read(file)).unwrap();
        for word in words.iter().chain(&parts) {
            assert!(text.contains(word), "{word} is not in {file}:\n{text}");
        }
        assert!(text.contains("`data.csv`, the private table"), "{text}");
    }
    let manifest: serde_json::Value = serde_json::from_slice(&place.read("release/manifest.json")).unwrap();
    let statement = manifest["statement"].as_str().unwrap();
    assert!(words.iter().all(|word| statement.contains(word)), "{statement}");
    assert_eq!(manifest["for_release"].as_array().unwrap().len(), 3);
    assert_eq!(manifest["not_for_release"].as_array().unwrap().len(), 2);
    let manifest: serde_json::Value = serde_json::from_slice(&place.read("visits/manifest.json")).unwrap();
    let privacy = &manifest["tables"][0]["privacy"];
    let statement = privacy["statement"].as_str().unwrap();
    for word in
        ["`answer` by randomised response", "epsilon 1.0000", "nothing is promised about `id`", "not counted"]
    {
        assert!(statement.to_lowercase().contains(&word.to_lowercase()), "{word}: {statement}");
    }
    assert!(privacy["not_for_release"].as_str().unwrap().contains("the seed"), "{privacy}");
}

/// Kills a command at six points of time, and runs it again. Where the last of its files stands, which is `done`, its ledger holds a
/// whole run; and both books can be read by the next run.
fn killed(line: impl Fn(&str) -> String, done: impl Fn(&str) -> String, ledger: impl Fn(&str) -> String) {
    let place = place();
    let started = Instant::now();
    place.run(&line("whole")).expect(0);
    let whole = started.elapsed();
    let lines = |name: &str| String::from_utf8(place.read(&ledger(name))).unwrap();
    let charges = |text: &str| text.lines().filter(|line| line.contains(r#""line":"charge""#)).count();
    let of_a_run = charges(&lines("whole"));
    assert!(of_a_run > 0);
    for part in 1..=6u32 {
        let name = format!("part{part}");
        let mut command = place.command();
        let mut child = command.args(line(&name).split_whitespace()).stderr(Stdio::null()).spawn().unwrap();
        std::thread::sleep(whole * part / 6);
        // It may be done by now.
        let _ = child.kill();
        child.wait().unwrap();
        if place.path(&done(&name)).exists() {
            let text = lines(&name);
            assert_eq!(charges(&text), of_a_run, "{text}");
            assert!(text.lines().last().unwrap().contains(r#""line":"close""#), "{text}");
        }
        place.run(&line(&name)).expect(0);
        let text = lines(&name);
        assert!(text.lines().all(|line| serde_json::from_str::<serde_json::Value>(line).is_ok()), "{text}");
        assert!(charges(&text) >= of_a_run, "{text}");
    }
}

#[test]
fn a_killed_release_is_in_its_books() {
    killed(
        |name| {
            format!(
                "release data.csv --count --epsilon 0.1 --total-epsilon 1 --delta 1e-6 --state {name}.jsonl -o {name} -q"
            )
        },
        |name| format!("{name}/count.csv"),
        |name| format!("{name}/ledger.jsonl"),
    );
}

#[test]
fn a_killed_fit_is_in_its_books() {
    killed(
        |name| format!("{FIT} --epsilon 0.5 --total-epsilon 2 --state {name}.jsonl -o {name}.yaml -q"),
        |name| format!("{name}.yaml"),
        |name| format!("{name}.ledger.jsonl"),
    );
}

/// Of the private table nothing stands in the manifest of a fit, not even a digest, which guesses could be held against.
#[test]
fn a_fit_says_what_it_made_from_what() {
    let place = place();
    for (method, line) in [("mst", ""), ("aim", "--method aim --exact")] {
        let state = format!("--state {method}.jsonl");
        place.run(&format!("{FIT} --epsilon 2 {line} {state} -o out/{method}.yaml")).expect(0);
        let bytes = place.read(&format!("out/{method}.manifest.json"));
        let manifest: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
        assert_eq!(manifest["method"]["name"], method);
        assert_eq!(manifest["exact"], method == "aim");
        assert_eq!(manifest["schema"]["file"], "schema.yaml");
        let digest = |bytes: &[u8]| -> String {
            use sha2::Digest as _;
            sha2::Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
        };
        assert_eq!(manifest["schema"]["sha256"], digest(&place.read("schema.yaml")));
        let files = manifest["files"].as_array().unwrap();
        let held: Vec<&str> = files.iter().map(|file| file["holds"].as_str().unwrap()).collect();
        assert_eq!(held, ["weights", "weights", "statement", "ruleset"]);
        for file in files {
            let content = place.read(&format!("out/{}", file["file"].as_str().unwrap()));
            assert_eq!(file["bytes"], content.len());
            assert_eq!(file["sha256"], digest(&content));
        }
        let epsilon = manifest["privacy"]["epsilon"].as_f64().unwrap();
        assert!(epsilon <= 2.0 && epsilon > 1.9, "{epsilon}");
        assert_eq!(manifest["privacy"]["unit"]["column"], "client");
        let measured = manifest["measured"].as_array().unwrap();
        assert!(
            measured.len() >= 3 && measured[0]["columns"] == serde_json::json!(["region"]),
            "{measured:?}"
        );
        assert!(measured.iter().all(|one| one["expected_error"].as_f64().unwrap() > 0.0), "{measured:?}");
        let ruleset = String::from_utf8(place.read(&format!("out/{method}.yaml"))).unwrap();
        assert!(ruleset.contains(&format!("rows: {} # a noisy count", manifest["rows"])), "{ruleset}");
        let (text, data) = (String::from_utf8(bytes).unwrap(), place.read("data.csv"));
        for secret in [digest(&data), data.len().to_string(), "c17".to_owned()] {
            assert!(
                !text.contains(&format!("\"{secret}\"")) && !text.contains(&format!(": {secret},")),
                "{secret}"
            );
        }
    }
}
