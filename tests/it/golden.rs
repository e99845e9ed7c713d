//! The bytes that shipped rulesets make. A change here is a change of output: it belongs into CHANGELOG, under *Output
//! changes*. `just golden` rewrites the digests.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use lookalike::Ruleset;
use lookalike::io::SINKS;
use lookalike::pipeline::{Destination, Job, Quiet, generate};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// All rulesets under `rulesets/` that make tables, by path.
pub fn shipped() -> Vec<PathBuf> {
    fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, found);
            } else if path.extension().is_some_and(|e| e == "yaml")
                && std::fs::read_to_string(&path).unwrap().contains("\ntables:")
            {
                found.push(path);
            }
        }
    }
    let mut found = Vec::new();
    walk(&root().join("rulesets"), &mut found);
    found.sort();
    found
}

#[test]
fn shipped_rulesets_make_the_same_bytes_as_ever() {
    let mut current = String::new();
    for path in shipped() {
        let ruleset = Ruleset::from_path(&path).unwrap_or_else(|error| panic!("{error}"));
        assert!(ruleset.warnings().is_empty(), "{}: {:#?}", path.display(), ruleset.warnings());
        let folder = tempfile::tempdir().unwrap();
        let formats = SINKS.iter().filter(|kind| ["csv", "jsonl"].contains(&kind.name)).copied().collect();
        let job = Job { destination: Destination::Folder(folder.path().into()), formats, ..Job::default() };
        let manifest = generate(&ruleset, &job, &Quiet, &AtomicBool::new(false)).unwrap();
        let name = path.strip_prefix(root()).unwrap().display();
        for table in &manifest.tables {
            for file in &table.files {
                writeln!(current, "{}  {name} {} {} rows", file.sha256, file.file, table.rows).unwrap();
            }
        }
    }
    let path = root().join("tests/it/golden.txt");
    if std::env::var_os("LOOKALIKE_UPDATE").is_some() {
        std::fs::write(&path, &current).unwrap();
    }
    let stored = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(current, stored, "the output of shipped rulesets has changed");
}
