//! A comparison for people.

use std::fmt::Write as _;

use super::{Comparison, RowName, RuleChange, TableDifference};

/// Longest value that is shown, in characters.
const LONGEST: usize = 60;

/// A value in one short line.
fn value(value: Option<&str>) -> String {
    let Some(value) = value else { return "null".to_owned() };
    let mut text: String = value.escape_debug().take(LONGEST).collect();
    if value.escape_debug().count() > LONGEST {
        text.push('…');
    }
    if value.is_empty() || value == "null" { format!("\"{text}\"") } else { text }
}

/// A number with a word behind it.
fn counted(number: u64, thing: &str) -> String {
    format!("{number} {thing}{}", if number == 1 { "" } else { "s" })
}

impl TableDifference {
    fn row(&self, row: &RowName) -> String {
        if row.key.is_empty() {
            return format!("row {}", row.row);
        }
        let parts = self.key.iter().zip(&row.key);
        parts.map(|(name, of)| format!("{name} = {}", value(of.as_deref()))).collect::<Vec<_>>().join(", ")
    }

    fn rows(&self, rows: &[RowName], all: u64) -> String {
        let named: Vec<String> = rows.iter().take(5).map(|row| self.row(row)).collect();
        let more = if all > named.len() as u64 { ", …" } else { "" };
        format!("{}{more}", named.join("; "))
    }

    /// In a line: how rows were compared, and what came of it.
    fn headline(&self) -> String {
        let by = if self.key.is_empty() {
            "by row number".to_owned()
        } else {
            format!("by {}", self.key.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", "))
        };
        match (self.rows_before, self.rows_after) {
            (Some(_), None) => "is no longer there".to_owned(),
            (None, _) => "is new".to_owned(),
            (Some(rows), Some(_)) if self.is_same() => format!("is the same: {}, {by}", counted(rows, "row")),
            (Some(rows), Some(after)) if rows == after => format!("differs: {}, {by}", counted(rows, "row")),
            (Some(before), Some(after)) => {
                format!("differs: had {}, and has {after}, {by}", counted(before, "row"))
            }
        }
    }

    /// What differs, a line for each.
    fn lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for change in &self.structure {
            let what =
                change.column.as_ref().map_or("the table".to_owned(), |name| format!("column `{name}`"));
            lines.push(format!("{what} {}", change.what));
        }
        for (count, rows, word) in
            [(self.removed, &self.first_removed, "gone"), (self.added, &self.first_added, "new")]
        {
            if count > 0 {
                lines.push(format!("{} {word}: {}", counted(count, "row"), self.rows(rows, count)));
            }
        }
        if self.changed_rows > 0 {
            let cells: Vec<_> =
                self.changed_cells.iter().map(|(name, cells)| format!("`{name}` {cells}")).collect();
            lines.push(format!(
                "{} with other values: {}",
                counted(self.changed_rows, "row"),
                cells.join(", ")
            ));
        }
        lines
    }
}

impl RuleChange {
    fn place(&self) -> String {
        let mut parts = Vec::new();
        parts.extend(self.file.as_ref().map(|file| format!("file `{file}`")));
        parts.extend(self.table.as_ref().map(|table| format!("table `{table}`")));
        parts.extend(self.column.as_ref().map(|column| format!("column `{column}`")));
        parts.extend((!self.path.is_empty()).then(|| format!("`{}`", self.path)));
        parts.join(", ")
    }

    fn what(&self) -> String {
        match (&self.before, &self.after) {
            (Some(before), Some(after)) => format!("{} → {}", value(Some(before)), value(Some(after))),
            (Some(before), None) if self.path.is_empty() && before == "a rule" => "is no longer there".into(),
            (None, Some(after)) if self.path.is_empty() && after == "a rule" => "is new".into(),
            (Some(before), None) => format!("was {}, and is no longer there", value(Some(before))),
            (None, Some(after)) => format!("is new: {}", value(Some(after))),
            (None, None) => String::new(),
        }
    }
}

impl Comparison {
    fn verdict(&self) -> String {
        let verdict = if self.same { "are the same" } else { "differ" };
        format!("{} and {} {verdict}", self.before, self.after)
    }

    /// In lines for a terminal.
    pub fn to_text(&self) -> String {
        let mut text = self.verdict() + "\n";
        for table in &self.tables {
            let _ = writeln!(text, "table `{}` {}", table.table, table.headline());
            for line in table.lines() {
                let _ = writeln!(text, "  {line}");
            }
            for cell in &table.cells {
                let (before, after) = (value(cell.before.as_deref()), value(cell.after.as_deref()));
                let _ = writeln!(text, "    {}, {}: {before} → {after}", table.row(&cell.row), cell.column);
            }
            let more = table.more();
            if more > 0 {
                let _ = writeln!(text, "    … and {} more", counted(more, "cell"));
            }
        }
        for rule in &self.rules {
            let _ = writeln!(text, "  {}: {}", rule.place(), rule.what());
        }
        text
    }

    /// As Markdown, for the page of a CI job.
    pub fn to_markdown(&self) -> String {
        let cell = |text: String| text.replace('\\', "\\\\").replace('|', "\\|").replace('<', "&lt;");
        let mut text = format!("### {}\n", cell(self.verdict()));
        for table in &self.tables {
            let _ = writeln!(text, "\n**{}** {}\n", cell(table.table.clone()), cell(table.headline()));
            for line in table.lines() {
                let _ = writeln!(text, "- {}", cell(line));
            }
            if table.cells.is_empty() {
                continue;
            }
            text.push_str("\n| row | column | before | after |\n|---|---|---|---|\n");
            for change in &table.cells {
                let cells = [
                    table.row(&change.row),
                    change.column.escape_debug().to_string(),
                    value(change.before.as_deref()),
                    value(change.after.as_deref()),
                ];
                let _ = writeln!(text, "| {} |", cells.map(cell).join(" | "));
            }
            if table.more() > 0 {
                let _ = writeln!(text, "\n… and {} more", counted(table.more(), "cell"));
            }
        }
        if !self.rules.is_empty() {
            text.push_str("\n| rule | change |\n|---|---|\n");
        }
        for rule in &self.rules {
            let _ = writeln!(text, "| {} | {} |", cell(rule.place()), cell(rule.what()));
        }
        text
    }
}

impl TableDifference {
    /// Cells that are counted but not listed.
    fn more(&self) -> u64 {
        let all: u64 = self.changed_cells.iter().map(|(_, cells)| cells).sum();
        all.saturating_sub(self.cells.len() as u64)
    }
}
