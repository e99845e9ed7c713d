//! The truth about anomalies as a table: a row for each cell that was changed. [`Table::marks`](crate::Table::marks) makes it of
//! rows, with an example.

use std::collections::{BTreeMap, BTreeSet};

use lookalike_engine::TablePlan;
use lookalike_engine::inject::Spoilt;
use lookalike_ruleset::{Field, TableSchema, Type};
use polars::prelude::*;

use crate::Error;

/// The columns of the marks: `table`, `row` (from 0), `column`, `kind` (the anomaly), `instance` (the first row that it
/// spoils there), `severity` (where the ruleset says), `before` and `after` (as CSV writes them, null for null).
pub fn schema(table: &str) -> TableSchema {
    let field = |name: &str, ty, nullable| Field {
        name: name.into(),
        ty,
        nullable,
        plain: false,
        json: false,
        about: None,
    };
    TableSchema {
        table: table.to_owned(),
        fields: vec![
            field("table", Type::Text, false),
            field("row", Type::Int, false),
            field("column", Type::Text, false),
            field("kind", Type::Text, false),
            field("instance", Type::Int, false),
            field("severity", Type::Float, true),
            field("before", Type::Text, true),
            field("after", Type::Text, true),
        ],
    }
}

/// Adds the rows of each anomaly to the counts.
pub(crate) fn count(spoilt: &Spoilt, counts: &mut BTreeMap<String, u64>) {
    let mut rows: BTreeMap<&str, BTreeSet<u64>> = BTreeMap::new();
    for marks in &spoilt.marks {
        rows.entry(&marks.kind).or_default().extend(&marks.rows);
    }
    for (kind, rows) in rows {
        *counts.entry(kind.to_owned()).or_default() += rows.len() as u64;
    }
}

/// The marks of some rows, by row and then by column as the table has them.
///
/// # Errors
/// When a value cannot be written as text.
pub fn frame(plan: &TablePlan, spoilt: &Spoilt) -> Result<DataFrame, Error> {
    let fields = plan.schema().fields;
    // For each column and anomaly: its place, and the values as text; then where each mark is among them.
    let mut texts = Vec::with_capacity(spoilt.marks.len());
    let mut all: Vec<(u64, usize, usize, usize)> = Vec::new();
    for (of, marks) in spoilt.marks.iter().enumerate() {
        let Some(at) = fields.iter().position(|field| field.name == marks.column) else {
            return Err(lookalike_engine::Error::Internal(format!("no column `{}`", marks.column)).into());
        };
        let before = lookalike_io::texts(&fields[at], &marks.before)?;
        let after = lookalike_io::texts(&fields[at], &marks.after)?;
        // What an anomaly left as it was needs no mark.
        let changed = before.iter().zip(after.iter()).map(|(before, after)| before != after);
        let rows = marks.rows.iter().enumerate().zip(changed);
        all.extend(rows.filter(|(_, changed)| *changed).map(|((i, row), _)| (*row, at, of, i)));
        texts.push((before, after));
    }
    all.sort_unstable();
    let of = |mark: &(u64, usize, usize, usize)| &spoilt.marks[mark.2];
    let severity =
        |mark: &(u64, usize, usize, usize)| of(mark).severity.as_ref().and_then(|severity| severity[mark.3]);
    let columns = vec![
        Column::new("table".into(), vec![plan.name.as_str(); all.len()]),
        Column::new("row".into(), all.iter().map(|m| m.0 as i64).collect::<Vec<_>>()),
        Column::new("column".into(), all.iter().map(|m| fields[m.1].name.as_str()).collect::<Vec<_>>()),
        Column::new("kind".into(), all.iter().map(|m| of(m).kind.as_str()).collect::<Vec<_>>()),
        Column::new("instance".into(), all.iter().map(|m| of(m).instances[m.3] as i64).collect::<Vec<_>>()),
        Column::new("severity".into(), all.iter().map(severity).collect::<Vec<_>>()),
        Column::new("before".into(), all.iter().map(|m| texts[m.2].0.get(m.3)).collect::<Vec<_>>()),
        Column::new("after".into(), all.iter().map(|m| texts[m.2].1.get(m.3)).collect::<Vec<_>>()),
    ];
    DataFrame::new(all.len(), columns).map_err(|e| lookalike_engine::Error::Internal(e.to_string()).into())
}
