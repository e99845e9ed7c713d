//! The judge of drafts: the compiler, and rows made by way of trial.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Mutex;

use lookalike_draft::{Judge, Verdict};
use lookalike_ruleset::document::{FileProblem, Files};
use lookalike_ruleset::read::Format;
use lookalike_ruleset::render;
use lookalike_validate::rules::metrics::EXPECTATION;

use crate::cli::terminal::grouped;
use crate::validation::{Examiner, Scope, TableScope};
use crate::{Error, Loader, Ruleset, Table};

/// Rows of each table that are made by way of trial.
pub const TRIAL_ROWS: u64 = 1000;

/// A draft may not ask for more rows than this: counting them alone takes time, and `--rows` raises them.
const MOST_ROWS: u64 = 10_000_000;

/// Compiles drafts, and makes their first rows.
pub struct Compiler<'a> {
    /// What the draft is called in diagnostics.
    pub name: String,
    /// What it may read.
    pub files: &'a dyn Files,
}

impl Compiler<'_> {
    /// The draft with few rows, or what is wrong with it.
    pub fn trial(&self, text: &str) -> Result<Ruleset, Verdict> {
        let load = |loader: Loader| loader.text_with(&self.name, text, Format::Yaml, self.files);
        let ruleset = load(Loader::new().rows(TRIAL_ROWS).lenient(true)).map_err(|error| verdict(&error))?;
        let mut wrong = Vec::new();
        let tables = &ruleset.document().tables;
        if tables.0.is_empty() {
            wrong.push("error: the ruleset has no tables".to_owned());
        }
        for table in &tables.0 {
            if let Some(rows) = table.value.rows.as_ref().map(|rows| rows.value.0)
                && rows > MOST_ROWS
            {
                wrong.push(format!(
                    "error: table `{}` has {} rows; a draft has at most {}",
                    table.name,
                    grouped(rows),
                    grouped(MOST_ROWS)
                ));
            }
        }
        if wrong.is_empty() {
            // As it is written, too: quotas and unique values may not fit the rows that it asks for.
            let written = load(Loader::new()).map_err(|error| verdict(&error))?;
            for table in ruleset.tables() {
                let rows = table.len().min(TRIAL_ROWS);
                if let Err(error) = table.clone().rows(0..rows).collect() {
                    wrong.push(format!("error: rows of table `{}` cannot be made: {error}", table.name()));
                }
            }
            if wrong.is_empty() {
                match unmet(&ruleset, &written) {
                    Ok(unmet) => wrong.extend(unmet),
                    Err(error) => wrong.push(format!("error: `expect` cannot be checked: {error}")),
                }
            }
        }
        match wrong.len() {
            0 => Ok(ruleset),
            errors => Err(Verdict { errors, report: wrong.join("\n") + "\n" }),
        }
    }
}

/// What the tables' `expect` says and their first rows do not keep, a line each. Claims that speak of the table as a whole are
/// held against it only if the trial has as many rows as the ruleset asks for.
fn unmet(trial: &Ruleset, written: &Ruleset) -> Result<Vec<String>, Error> {
    if trial.document().tables.0.iter().all(|table| table.value.expect.is_empty()) {
        return Ok(Vec::new());
    }
    // Small tables are tried as they are.
    let trial = if written.tables().all(|table| table.len() <= TRIAL_ROWS) { written } else { trial };
    let rows = |table: &Table<'_>| table.len().min(TRIAL_ROWS);
    let tables = trial.tables().map(|table| TableScope::whole(table.name(), 0..rows(&table))).collect();
    let examiner = Examiner::new(trial, &Scope { tables, by: None })?;
    let mut found = Vec::new();
    for table in trial.tables() {
        let part = table.clone().rows(0..rows(&table));
        if let Some(examined) = examiner.table(table.name()) {
            found.push((table.name().to_owned(), examined.look(0, &part.collect()?, &part.clean()?)?));
        }
    }
    let mut lines = Vec::new();
    for report in examiner.finish(found, Vec::new())? {
        let is_whole = written.table(&report.name)?.len() == report.rows;
        for check in
            report.checks.iter().filter(|check| check.verdict == lookalike_validate::model::Verdict::Fail)
        {
            let rule = check.rule.as_deref().unwrap_or_default();
            let of_all = ["count", "sum", "distinct", "min", "max"]
                .contains(&rule.split(' ').next().unwrap_or_default());
            if std::ptr::eq(check.metric, &EXPECTATION) && (is_whole || !of_all) {
                lines.push(format!(
                    "error: table `{}` does not keep its `expect: {rule}` in {} rows: {}",
                    report.name,
                    grouped(report.rows),
                    check.message
                ));
            }
        }
    }
    Ok(lines)
}

impl Judge for Compiler<'_> {
    fn judge(&mut self, ruleset: &str) -> Verdict {
        match self.trial(ruleset) {
            Ok(_) => Verdict { errors: 0, report: String::new() },
            Err(verdict) => verdict,
        }
    }
}

fn verdict(error: &Error) -> Verdict {
    match error {
        Error::Refused(refusal) => Verdict {
            errors: refusal.errors().max(1),
            report: render::to_text(&refusal.diagnostics, &refusal.sources, false),
        },
        other => Verdict { errors: 1, report: format!("error: {other}\n") },
    }
}

/// Only those files that were read before: a model may change a ruleset, but what it writes may not make the program read
/// another file, parts of which would then stand in a diagnostic that goes to the model.
pub struct OnlyKnown<'a> {
    files: &'a dyn Files,
    known: Mutex<BTreeSet<(String, String)>>,
    open: bool,
}

impl<'a> OnlyKnown<'a> {
    /// Lets everything be read that `files` allows, and remembers what is.
    pub fn learning(files: &'a dyn Files) -> OnlyKnown<'a> {
        OnlyKnown { files, known: Mutex::default(), open: true }
    }

    /// From now on, lets only that be read.
    #[must_use]
    pub fn closed(mut self) -> OnlyKnown<'a> {
        self.open = false;
        self
    }
}

impl Files for OnlyKnown<'_> {
    fn read(&self, from: &str, path: &str) -> Result<(String, Vec<u8>), FileProblem> {
        self.ask(from, path)?;
        self.files.read(from, path)
    }

    fn locate(&self, from: &str, path: &str) -> Result<(String, PathBuf), FileProblem> {
        self.ask(from, path)?;
        self.files.locate(from, path)
    }
}

impl OnlyKnown<'_> {
    /// Whether a file may be read.
    fn ask(&self, from: &str, path: &str) -> Result<(), FileProblem> {
        let mut known = self.known.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let key = (from.to_owned(), path.to_owned());
        if !self.open && !known.contains(&key) {
            return Err(FileProblem {
                code: "outside-folder",
                message: format!("`{path}` is not read by the ruleset as it was"),
                help: "a model may not add files: include it yourself first, then refine".into(),
                is_missing: false,
            });
        }
        known.insert(key);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use lookalike_ruleset::document::NoFiles;

    use super::*;

    fn judge(text: &str) -> Verdict {
        Compiler { name: "draft.yaml".into(), files: &NoFiles }.judge(text)
    }

    #[test]
    fn the_compiler_decides() {
        assert_eq!(judge(super::super::guide::EXAMPLE), Verdict { errors: 0, report: String::new() });
        let wrong = judge("lookalike: 1\ntables: {t: {columns: {a: {normall: {}}, b: {expr: c + 1}}}}\n");
        assert_eq!(wrong.errors, 2, "{}", wrong.report);
        assert!(
            wrong.report.contains("draft.yaml:2") && wrong.report.contains("did you mean"),
            "{}",
            wrong.report
        );
    }

    #[test]
    fn what_only_shows_in_rows_is_found_and_bounded() {
        let wrong =
            judge("lookalike: 1\ntables: {t: {columns: {a: {int_range: [1, 5]}}, require: [a > 5]}}\n");
        assert_eq!(wrong.errors, 1, "{}", wrong.report);
        assert!(wrong.report.contains("a > 5"), "{}", wrong.report);
        // What no check can know beforehand.
        let wrong = judge(
            "lookalike: 1\ntables: {t: {columns: {a: {normal: {mean: 0, std_dev: 1e19}, type: int}}}}\n",
        );
        assert_eq!(wrong.errors, 1, "{}", wrong.report);
        let many = judge("lookalike: 1\ntables: {t: {rows: 1000000000000, columns: {a: 1}}}\n");
        assert!(many.report.contains("at most 10,000,000"), "{}", many.report);
        assert_eq!(judge("lookalike: 1\ntables: {}\n").errors, 1);
        // Enough words for the trial, too few for the rows that it asks for.
        let few = judge(
            "lookalike: 1\ntables: {t: {rows: 2k, columns: {a: {pattern: '[0-9]{3}', unique: true}}}}\n",
        );
        assert_eq!(few.errors, 1, "{}", few.report);
    }

    #[test]
    fn expectations_hold_or_are_mistakes() {
        let with = |rows: &str, expect: &str| {
            judge(&format!(
                "lookalike: 1\nseed: 1\ntables: {{t: {{rows: {rows}, columns: {{a: {{int_range: [1, 5]}}}}, expect: [{expect}]}}}}\n"
            ))
        };
        let right = with("500", "{holds: a <= 5}, {mean: a, is: 3}, {count: true, within: [500, 500]}");
        assert_eq!(right.errors, 0, "{}", right.report);
        let wrong = with("500", "{holds: a < 5}, {mean: a, at_least: 4}");
        assert_eq!(wrong.errors, 2, "{}", wrong.report);
        assert!(
            wrong.report.contains("does not keep its `expect: ") && wrong.report.contains("500 rows"),
            "{}",
            wrong.report
        );
        // A thousand rows cannot say how many fifty thousand are.
        assert_eq!(with("50k", "{count: true, within: [50000, 50000]}").errors, 0);
        assert_eq!(with("500", "{count: true, within: [50000, 50000]}").errors, 1);
    }

    #[test]
    fn no_file_is_read() {
        for text in [
            "lookalike: 1\ninclude: [/etc/passwd]\ntables: {t: {columns: {a: 1}}}\n",
            "lookalike: 1\nlookups: {x: {file: .env, key: [a]}}\ntables: {t: {columns: {a: 1}}}\n",
        ] {
            assert!(judge(text).errors > 0, "{text}");
        }
    }
}
