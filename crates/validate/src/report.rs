//! From a [`Report`] to files: a page, its data, a summary for CI, test results, and the charts.
//!
//! Nothing is written here: whoever calls puts the files in place, all or none.

mod junit;
mod page;
mod summary;

use std::collections::BTreeSet;

use crate::charts::Chart;
use crate::model::{Check, Report};

/// A file of a report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RenderedFile {
    /// Name within the report's folder, with `/`: `index.html`, `charts/findings.volume-size.histogram.svg`.
    pub name: String,
    /// Content.
    pub bytes: Vec<u8>,
}

/// What to render.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Choice {
    /// Whether the charts are written as files, too. The page holds its own.
    pub charts: bool,
    /// Whether what shows private rows is left out: checks, charts and statistics that are not for release.
    pub release_only: bool,
}

impl Default for Choice {
    fn default() -> Choice {
        Choice { charts: true, release_only: false }
    }
}

/// A chart could not be drawn: a bug.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("chart `{chart}` cannot be drawn: {why}")]
pub struct RenderError {
    /// Name of its file.
    pub chart: String,
    /// What plotters or an encoder says.
    pub why: String,
}

/// The files of a report: `index.html`, `report.json`, `summary.md`, `junit.xml`, and in `charts/` each chart as PNG and SVG.
/// The same report gives the same bytes.
///
/// # Errors
/// A chart cannot be drawn or the JSON not be written; bugs.
pub fn render(report: &Report, choice: Choice) -> Result<Vec<RenderedFile>, RenderError> {
    let reduced;
    let report = if choice.release_only {
        reduced = report.releasable();
        &reduced
    } else {
        report
    };
    let mut json = serde_json::to_vec_pretty(report)
        .map_err(|error| RenderError { chart: "report.json".to_owned(), why: error.to_string() })?;
    json.push(b'\n');
    let mut files = vec![
        RenderedFile { name: "index.html".to_owned(), bytes: page::page(report, choice.charts).into_bytes() },
        RenderedFile { name: "report.json".to_owned(), bytes: json },
        RenderedFile { name: "summary.md".to_owned(), bytes: summary::summary(report).into_bytes() },
        RenderedFile { name: "junit.xml".to_owned(), bytes: junit::junit(report).into_bytes() },
    ];
    if choice.charts {
        for (name, chart) in named_charts(report) {
            let failed = |why| RenderError { chart: name.clone(), why };
            files.push(RenderedFile {
                name: format!("charts/{name}.png"),
                bytes: chart.png().map_err(failed)?,
            });
            files.push(RenderedFile {
                name: format!("charts/{name}.svg"),
                bytes: chart.svg(true).into_bytes(),
            });
        }
    }
    Ok(files)
}

/// The charts with the names of their files without ending: table, columns, chart. Names are for all file systems, and no two
/// are alike.
pub fn named_charts(report: &Report) -> Vec<(String, &Chart)> {
    let mut taken = BTreeSet::new();
    let mut named = Vec::new();
    for table in &report.tables {
        for chart in &table.charts {
            let mut parts = vec![slug(&table.name)];
            if !chart.columns.is_empty() {
                let columns: Vec<String> = chart.columns.iter().map(|column| slug(column)).collect();
                parts.push(columns.join("-by-"));
            }
            parts.push(chart.data.name().to_owned());
            let name = parts.join(".");
            let mut unique = name.clone();
            let mut i = 1;
            while !taken.insert(unique.clone()) {
                i += 1;
                unique = format!("{name}-{i}");
            }
            named.push((unique, chart));
        }
    }
    named
}

/// Lower-case ASCII letters, digits and single dashes; at most 48 of them.
fn slug(name: &str) -> String {
    let mut slug = String::new();
    for c in name.chars() {
        if slug.len() >= 48 {
            break;
        }
        if c.is_ascii_alphanumeric() {
            slug.push(c.to_ascii_lowercase());
        } else if !slug.ends_with('-') && !slug.is_empty() {
            slug.push('-');
        }
    }
    let slug = slug.trim_end_matches('-');
    if slug.is_empty() { "x".to_owned() } else { slug.to_owned() }
}

/// What a check looks at: `findings: Volume Size`, or the rule.
pub(crate) fn subject(check: &Check) -> String {
    let what = match (&check.rule, check.columns.is_empty()) {
        (Some(rule), _) => rule.clone(),
        (None, true) => String::new(),
        (None, false) => check.columns.join(", "),
    };
    match (check.table.is_empty(), what.is_empty()) {
        (true, _) => what,
        (false, true) => check.table.clone(),
        (false, false) => format!("{}: {what}", check.table),
    }
}

#[cfg(test)]
mod tests;
