//! A summary in Markdown, for the job pages of CI systems and for pull requests.

use std::fmt::Write as _;

use super::subject;
use crate::model::{Check, Report, Verdict};
use crate::text::{grouped, number};

/// More failures than this are not listed: job pages are limited.
const SHOWN: usize = 50;

/// The report in Markdown.
pub(super) fn summary(report: &Report) -> String {
    let mut out = String::new();
    let failed = report.failures().count();
    let judged =
        report.checks().filter(|check| matches!(check.verdict, Verdict::Pass | Verdict::Fail)).count();
    let mark = match report.verdict {
        Verdict::Pass => "✅",
        Verdict::Fail => "❌",
        Verdict::Info | Verdict::Skipped => "ℹ️",
    };
    let _ = writeln!(out, "## {mark} {}: {}\n", text(&report.title), headline(failed, judged));
    if !report.for_release {
        out.push_str("> **Not for release:** figures here compare with private rows.\n\n");
    }
    if failed > 0 {
        out.push_str("| failed | where | what was found |\n|---|---|---|\n");
        for check in report.failures().take(SHOWN) {
            let _ = writeln!(
                out,
                "| {} | {} | {} |",
                text(check.metric.name),
                text(&subject(check)),
                text(&found(check))
            );
        }
        if failed > SHOWN {
            let _ = writeln!(out, "\n… and {} more; the page has all.", failed - SHOWN);
        }
        out.push('\n');
    }
    out.push_str("| attribute | | |\n|---|---|---|\n");
    for score in &report.scorecard {
        let word = match score.verdict {
            Verdict::Pass => "passed",
            Verdict::Fail => "**failed**",
            Verdict::Info => "–",
            Verdict::Skipped => "skipped",
        };
        let _ = writeln!(out, "| {} | {word} | {} |", score.attribute.title(), text(&score.message));
    }
    out.push_str("\n| table | rows | columns | failed |\n|---|---:|---:|---:|\n");
    for table in report.tables.iter().take(SHOWN) {
        let failed = table.checks.iter().filter(|check| check.verdict == Verdict::Fail).count();
        let _ = writeln!(
            out,
            "| {} | {} | {} | {failed} |",
            text(&table.name),
            grouped(table.rows),
            table.columns.len()
        );
    }
    let notes = report.tables.iter().flat_map(|table| table.notes.iter().map(move |note| (table, note)));
    for (at, (table, note)) in notes.take(SHOWN).enumerate() {
        let gap = if at == 0 { "\n" } else { "" };
        let _ = writeln!(out, "{gap}- {}: {}", text(&table.name), text(&note.text));
    }
    let stamp = &report.provenance;
    let mut made = vec![text(&stamp.program)];
    if let Some(ruleset) = &stamp.ruleset {
        made.push(format!(
            "ruleset {} (`{}`)",
            text(&ruleset.name),
            ruleset.sha256.get(..12).unwrap_or(&ruleset.sha256)
        ));
    }
    made.extend(stamp.seed.map(|seed| format!("seed {seed}")));
    let _ = writeln!(out, "\n{}", made.join(" · "));
    out
}

/// The verdict in words.
pub(super) fn headline(failed: usize, judged: usize) -> String {
    match (failed, judged) {
        (_, 0) => "nothing was judged".to_owned(),
        (0, 1) => "the one check passed".to_owned(),
        (0, all) => format!("all {} checks passed", grouped(all as u64)),
        (1, 1) => "the one check failed".to_owned(),
        (failed, all) => format!("{} of {} checks failed", grouped(failed as u64), grouped(all as u64)),
    }
}

fn found(check: &Check) -> String {
    match (check.value, check.threshold) {
        (Some(value), Some(threshold)) => {
            format!("{} ({} against {})", check.message, number(value), number(threshold))
        }
        _ => check.message.clone(),
    }
}

/// Text that means itself in a cell of a Markdown table: values come from the data, and could be links or tags.
fn text(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars().take(500) {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '#' | '~' | '!' | '@' => {
                out.push('\\');
                out.push(c);
            }
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out
}
