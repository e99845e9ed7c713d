//! How rows differ from those that were locked, in words.

use std::fmt::Write as _;

use serde::Serialize;

/// How rows differ from those that were locked, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// The ruleset's file name.
    pub ruleset: String,
    /// The profile.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
    /// Why, as far as the lock tells.
    pub reasons: Vec<String>,
    /// What, table by table.
    pub changes: Vec<Change>,
}

/// One change of a [`Difference`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Change {
    /// The table.
    pub table: String,
    /// The column, if it is one's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column: Option<String>,
    /// What changed.
    #[serde(flatten)]
    pub what: What,
}

impl Change {
    pub(super) fn of(table: &str, column: Option<&str>, what: What) -> Change {
        Change { table: table.to_owned(), column: column.map(str::to_owned), what }
    }
}

/// What changed in a table or column.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "change", rename_all = "snake_case")]
pub enum What {
    /// It is no longer there.
    Gone,
    /// It was not there.
    New,
    /// The number of rows.
    Rows {
        /// As locked.
        before: u64,
        /// As now.
        after: u64,
    },
    /// The type.
    Type {
        /// As locked.
        before: String,
        /// As now.
        after: String,
    },
    /// The order of the columns.
    Order,
    /// Values: the first that differ are in these rows; all rows before are the same.
    Values {
        /// First row.
        from: u64,
        /// The row after the last.
        to: u64,
    },
}

impl std::fmt::Display for What {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            What::Gone => f.write_str("is no longer there"),
            What::New => f.write_str("is new"),
            What::Rows { before, after } => write!(f, "had {before} rows, and has {after}"),
            What::Type { before, after } => write!(f, "was {before}, and is {after}"),
            What::Order => f.write_str("has its columns in another order"),
            What::Values { from, to } if to - from == 1 => write!(f, "has other values from row {from} on"),
            What::Values { from, to } => {
                write!(f, "has other values; the first are in rows {from} to {}", to - 1)
            }
        }
    }
}

impl Difference {
    fn name(&self) -> String {
        match &self.profile {
            None => self.ruleset.clone(),
            Some(profile) => format!("{} (profile {profile})", self.ruleset),
        }
    }

    /// In lines for people.
    pub fn to_text(&self) -> String {
        let mut text = format!("{} does not make the rows that were locked\n", self.name());
        for Change { table, column, what } in &self.changes {
            let column = column.as_ref().map_or(String::new(), |column| format!(", column `{column}`"));
            let _ = writeln!(text, "  table `{table}`{column} {what}");
        }
        for reason in &self.reasons {
            let _ = writeln!(text, "  why: {reason}");
        }
        text
    }

    /// As Markdown, for the page of a CI job.
    pub fn to_markdown(&self) -> String {
        let cell = |text: &str| text.replace('|', "\\|").replace(['\n', '\r'], " ");
        let mut text = format!("### `{}` does not make the rows that were locked\n\n", self.name());
        for reason in &self.reasons {
            let _ = writeln!(text, "- {reason}");
        }
        text.push_str("\n| table | column | change |\n|---|---|---|\n");
        for Change { table, column, what } in &self.changes {
            let column = column.as_deref().unwrap_or_default();
            let _ = writeln!(text, "| {} | {} | {what} |", cell(table), cell(column));
        }
        text
    }
}
