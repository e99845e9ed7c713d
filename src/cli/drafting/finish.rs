//! From an answer to a file: the preview, the difference, the question, and what is kept when it is not good enough.

use std::fmt::Write as _;
use std::io::{BufRead as _, IsTerminal as _};
use std::path::{Path, PathBuf};

use clap::builder::styling::{AnsiColor, Style};
use lookalike_draft::Outcome;
use similar::{ChangeTag, TextDiff};

use super::judge::{Compiler, TRIAL_ROWS};
use super::session::{Session, failure};
use crate::cli::commands::preview;
use crate::cli::exit;
use crate::cli::failure::Failure;
use crate::cli::terminal::{self, DIM, STRONG, counted, grouped};
use crate::io::Output;

/// The file that is to be written.
pub struct Target {
    /// Where.
    pub path: PathBuf,
    /// What it holds now, if it is there.
    pub before: Option<String>,
    /// Whether to overwrite it without a question.
    pub yes: bool,
}

/// Rows shown of each table.
const SHOWN: u64 = 5;
/// Lines of the difference that are shown at most.
const MOST_LINES: usize = 400;

const ADDED: Style = AnsiColor::Green.on_default();
const REMOVED: Style = AnsiColor::Red.on_default();

/// Shows what a dialogue came to, and writes it: a good ruleset under its name, after a question if something is there
/// already; another one beside it, with its open diagnostics.
///
/// # Errors
/// When the ruleset is not good, the user does not want it, or it cannot be written.
pub fn finish(
    outcome: Outcome,
    compiler: &Compiler<'_>,
    session: &Session,
    target: &Target,
) -> Result<(), Failure> {
    let Outcome { ruleset, verdict, rounds, usage, ended } = outcome;
    let Some(text) = ruleset else {
        let why = ended.map_or_else(|| Failure::new(exit::USAGE, "no answer held a ruleset"), failure);
        return Err(why.help(format!("the last answer: {}", verdict.report.trim())));
    };
    if verdict.errors > 0 {
        let path = draft_path(&target.path);
        write(&path, &with_diagnostics(&text, verdict.errors, &verdict.report))?;
        terminal::tell(&verdict.report);
        let why = ended.map_or_else(|| Failure::new(exit::USAGE, "the ruleset has mistakes"), failure);
        return Err(why.help(format!(
            "the best draft is in {}, with its {} at the end; mend it, then `lookalike check` it",
            path.display(),
            counted(verdict.errors as u64, "open mistake"),
        )));
    }
    let ruleset = compiler.trial(&text).map_err(|verdict| Failure::bug(&verdict.report))?;
    if target.before.as_deref() == Some(text.as_str()) {
        terminal::tell(&format!("{} stays as it is\n", target.path.display()));
        return Ok(());
    }
    if let Some(before) = &target.before {
        terminal::tell(&difference(before, &text, &target.path));
    }
    for table in ruleset.tables() {
        let rows = table.len();
        terminal::tell(&(preview::preview(&table, 0..rows.min(TRIAL_ROWS), rows.min(SHOWN))? + "\n"));
    }
    if target.before.is_some() && !target.yes {
        confirm(target, &text)?;
    }
    write(&target.path, &text)?;
    let recordings = match session.recordings() {
        folder if folder.is_dir() => format!(", recordings in {}", folder.display()),
        _ => String::new(),
    };
    terminal::tell(&format!(
        "wrote {}: {}, {} tokens{recordings}\n",
        target.path.display(),
        counted(u64::from(rounds), "round"),
        grouped(usage.total()),
    ));
    Ok(())
}

/// Asks whether to overwrite. Where nobody can be asked, keeps the new text beside the old.
fn confirm(target: &Target, text: &str) -> Result<(), Failure> {
    let path = target.path.display();
    if std::io::stdin().is_terminal() && std::io::stderr().is_terminal() {
        terminal::tell(&format!("{STRONG}Overwrite {path}?{STRONG:#} [y/N] "));
        let mut line = String::new();
        let answered = std::io::stdin().lock().read_line(&mut line).is_ok();
        if answered && matches!(line.trim().to_ascii_lowercase().as_str(), "y" | "yes") {
            return Ok(());
        }
    }
    let draft = draft_path(&target.path);
    write(&draft, text)?;
    Err(Failure::usage(format!("{path} was not overwritten"))
        .help(format!("the new ruleset is in {}; `--yes` overwrites without a question", draft.display())))
}

fn write(path: &Path, text: &str) -> Result<(), Failure> {
    let mut output = Output::file(path)?;
    output.write(text.as_bytes())?;
    output.finish(0)?.publish()?;
    Ok(())
}

/// `orders.draft.yaml` for `orders.yaml`.
fn draft_path(path: &Path) -> PathBuf {
    path.with_extension("draft.yaml")
}

fn with_diagnostics(text: &str, errors: usize, report: &str) -> String {
    let mut all = format!(
        "{}\n\n# Open when the drafting ended: {}\n",
        text.trim_end(),
        counted(errors as u64, "mistake")
    );
    for line in report.trim_end().lines() {
        let _ = writeln!(all, "{}", format!("# {line}").trim_end());
    }
    all
}

/// What changes, line by line, with three lines around it.
fn difference(before: &str, after: &str, path: &Path) -> String {
    let diff = TextDiff::from_lines(before, after);
    let mut lines = vec![format!("{STRONG}What changes in {}{STRONG:#}\n", path.display())];
    for (number, group) in diff.grouped_ops(3).iter().enumerate() {
        if number > 0 {
            lines.push(format!("{DIM}  …{DIM:#}\n"));
        }
        for change in group.iter().flat_map(|op| diff.iter_changes(op)) {
            let (sign, style) = match change.tag() {
                ChangeTag::Equal => (' ', DIM),
                ChangeTag::Delete => ('-', REMOVED),
                ChangeTag::Insert => ('+', ADDED),
            };
            // Nothing in a file may steer the terminal.
            let clean = |c: char| if c.is_control() && c != '\t' { '�' } else { c };
            let line: String = change.value().trim_end_matches(['\n', '\r']).chars().map(clean).collect();
            lines.push(format!("{style}{sign} {line}{style:#}\n"));
        }
    }
    if lines.len() > MOST_LINES {
        let more = lines.len() - MOST_LINES;
        lines.truncate(MOST_LINES);
        lines.push(format!("{DIM}  and {} more{DIM:#}\n", counted(more as u64, "line")));
    }
    lines.push("\n".into());
    lines.concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_are_shown_with_their_surroundings() {
        let before: String = (0..20).map(|i| format!("line {i}\n")).collect();
        let after = before.replace("line 10\n", "line ten\u{1b}[2J\n");
        let shown =
            anstream::adapter::strip_str(&difference(&before, &after, Path::new("x.yaml"))).to_string();
        let wanted = "What changes in x.yaml\n  line 7\n  line 8\n  line 9\n- line 10\n+ line ten�[2J\n  line 11\n  \
                      line 12\n  line 13\n\n";
        assert_eq!(shown, wanted);
    }

    #[test]
    fn open_mistakes_are_comments() {
        let text = with_diagnostics("a: 1\n", 1, "error: x\n  --> y\n\n");
        assert_eq!(text, "a: 1\n\n# Open when the drafting ended: 1 mistake\n# error: x\n#   --> y\n");
        assert_eq!(draft_path(Path::new("a/b.yaml")), Path::new("a/b.draft.yaml"));
    }
}
