//! Rulesets in piles: a new case is a new file, found by the glob.
//!
//! `tests/rulesets/valid/` must compile; the snapshot holds the first rows and a digest of all. `tests/rulesets/invalid/` must
//! not; the snapshot holds the diagnostics as a user sees them.

use std::path::{Path, PathBuf};

use lookalike_core::Rows;
use lookalike_engine::plan::{Overrides, Plan, compile};
use lookalike_engine::{KINDS, schema};
use lookalike_io::files::DiskFiles;
use lookalike_io::{CsvOptions, Output, SINKS, SinkOptions};
use lookalike_ruleset::document::load;
use lookalike_ruleset::read::{Format, text_of};
use lookalike_ruleset::{Problems, Sources, render};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

fn load_plan(path: &Path) -> (Option<Plan>, String) {
    let name = path.strip_prefix(root()).unwrap().display().to_string();
    let mut sources = Sources::new();
    let mut problems = Problems::new();
    let text = match text_of(std::fs::read(path).unwrap(), &name) {
        Ok(text) => text,
        Err(diagnostic) => return (None, render::to_text(&[*diagnostic], &sources, false)),
    };
    // Includes are found from where the file is; the diagnostics show the name without the folders above.
    let file = sources.add(path.display().to_string(), text);
    let files = DiskFiles::for_ruleset(path, &[]);
    let plan = load(&mut sources, file, Format::of_path(&name).unwrap(), &files, &[], &mut problems)
        .and_then(|loaded| compile(&loaded, &[KINDS], &Overrides::default(), &mut problems));
    let text = render::to_text(&problems.into_sorted(), &sources, false);
    let root = root().display().to_string();
    (plan, text.replace(&format!("{root}/"), "").replace(&root, "<root>"))
}

/// The table as CSV, with a header.
fn csv(plan: &Plan, table: &str, rows: u64) -> String {
    let table = plan.table(table).unwrap();
    let kind = SINKS.iter().find(|kind| kind.name == "csv").unwrap();
    let options = SinkOptions {
        csv: CsvOptions { null: "∅".into(), ..CsvOptions::default() },
        ..SinkOptions::default()
    };
    let mut sink = (kind.open)(&table.schema(), Output::memory(), &options).unwrap();
    let part = sink.encoder().encode(&table.frame(&Rows::Range(0..rows.min(table.rows))).unwrap()).unwrap();
    sink.write(part).unwrap();
    String::from_utf8(sink.finish().unwrap().into_bytes().unwrap()).unwrap()
}

#[test]
fn valid_rulesets_make_their_rows() {
    insta::glob!("../../../../tests/rulesets/valid", "*.{yaml,toml,json}", |path| {
        let (plan, problems) = load_plan(path);
        let plan = plan.unwrap_or_else(|| panic!("{problems}"));
        let mut shown = problems;
        for table in &plan.tables {
            let whole = csv(&plan, &table.name, u64::MAX);
            let head: Vec<&str> = whole.lines().take(11).collect();
            let types: Vec<String> =
                table.schema().fields.iter().map(|f| format!("{}: {}", f.name, f.ty)).collect();
            shown += &format!(
                "# {} ({} rows)\n# {}\n{}\n",
                table.name,
                table.rows,
                types.join(", "),
                head.join("\n")
            );
            // FNV-1a is enough to see that something changed.
            let digest = whole
                .bytes()
                .fold(0xcbf2_9ce4_8422_2325u64, |h, b| (h ^ u64::from(b)).wrapping_mul(0x100_0000_01b3));
            shown += &format!("# all rows: {digest:016x}\n");
        }
        insta::assert_snapshot!(shown);
    });
}

#[test]
fn invalid_rulesets_are_refused_in_good_words() {
    insta::glob!("../../../../tests/rulesets/invalid", "*.{yaml,toml,json}", |path| {
        let (plan, problems) = load_plan(path);
        assert!(plan.is_none(), "{} was accepted", path.display());
        assert!(problems.contains("error["), "{problems}");
        insta::assert_snapshot!(problems);
    });
}

#[test]
fn the_schema_on_disk_is_current() {
    let path = root().join("schema/ruleset.schema.json");
    let mut current = serde_json::to_string_pretty(&schema::ruleset_schema(&[KINDS])).unwrap();
    current.push('\n');
    if std::env::var_os("LOOKALIKE_UPDATE").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, &current).unwrap();
    }
    let stored = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(stored == current, "schema/ruleset.schema.json is out of date; run `just golden` and commit it");
}
