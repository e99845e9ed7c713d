//! Figures and plans as text.

use std::fmt::Write as _;

use super::plan::{Groups, Item, Plan, number};
use super::run::{Figure, Released};
use crate::Result;

/// The figures as CSV, with a header line.
pub fn csv(released: &Released) -> String {
    let mut text = String::new();
    let mut header: Vec<&str> = released.keys.iter().map(String::as_str).collect();
    header.extend([released.figure.as_str(), "std_error", "half_width_95"]);
    line(&mut text, header.into_iter().map(str::to_owned));
    for figure in &released.figures {
        let value = |value: Option<f64>| value.map_or(String::new(), plain);
        let values = [value(figure.value), value(figure.std_error), value(figure.half_width)];
        line(&mut text, figure.keys.iter().cloned().chain(values));
    }
    text
}

fn plain(value: f64) -> String {
    // Six digits behind the point are finer than any step that is worth a name, and hide the last bits of products.
    let text = format!("{value:.6}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn line(text: &mut String, values: impl Iterator<Item = String>) {
    let quoted = |value: String| {
        if value.contains([',', '"', '\n', '\r']) {
            format!("\"{}\"", value.replace('"', "\"\""))
        } else {
            value
        }
    };
    let values: Vec<String> = values.map(quoted).collect();
    text.push_str(&values.join(","));
    text.push('\n');
}

/// The figures as Markdown. Counts and sums by two columns are laid out as a table with both along its edges.
pub fn markdown(released: &Released) -> String {
    let mut text = format!("## {}\n\n", released.name);
    let _ = writeln!(text, "{}, ± half the width of a 95 % interval.\n", capital(&released.title));
    if let Some(about) = &released.about {
        let _ = writeln!(text, "{}\n", escaped(about));
    }
    let cell = |figure: &Figure| match (figure.value, figure.half_width) {
        (Some(value), Some(width)) => format!("{} ± {}", number(value), number(width)),
        _ => "–".to_owned(),
    };
    if released.keys.len() == 2 {
        let mut tops: Vec<&str> = Vec::new();
        let mut sides: Vec<&str> = Vec::new();
        for figure in &released.figures {
            for (list, key) in [(&mut sides, 0), (&mut tops, 1)] {
                if !list.contains(&figure.keys[key].as_str()) {
                    list.push(&figure.keys[key]);
                }
            }
        }
        let _ = writeln!(
            text,
            "| {} \\ {} | {} |",
            escaped(&released.keys[0]),
            escaped(&released.keys[1]),
            tops.iter().map(|top| escaped(top)).collect::<Vec<_>>().join(" | ")
        );
        let _ = writeln!(text, "|---|{}", "---:|".repeat(tops.len()));
        for side in sides {
            let cells: Vec<String> = tops
                .iter()
                .map(|top| {
                    let found = released.figures.iter().find(|f| f.keys[0] == side && f.keys[1] == **top);
                    found.map_or(String::new(), cell)
                })
                .collect();
            let _ = writeln!(text, "| {} | {} |", escaped(side), cells.join(" | "));
        }
    } else {
        let keys: Vec<String> = released.keys.iter().map(|key| escaped(key)).collect();
        let head = keys.iter().map(|key| format!("{key} | ")).collect::<String>();
        let _ = writeln!(text, "| {head}{} | standard error |", escaped(&released.figure));
        let _ = writeln!(text, "|{}---:|---:|", "---|".repeat(keys.len()));
        for figure in &released.figures {
            let keys = figure.keys.iter().map(|key| format!("{} | ", escaped(key))).collect::<String>();
            let error = figure.std_error.map_or("–".to_owned(), number);
            let _ = writeln!(text, "| {keys}{} | {error} |", cell(figure));
        }
    }
    for note in &released.notes {
        let _ = write!(text, "\n*{}.*\n", capital(note));
    }
    text
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    match chars.next() {
        Some(first) => escaped(&first.to_uppercase().chain(chars).collect::<String>()),
        None => String::new(),
    }
}

/// Text that came from rows or rules, without what would be Markdown or HTML in it.
fn escaped(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '&' => out.push_str("&amp;"),
            '|' | '\\' | '*' | '[' | ']' => {
                out.push('\\');
                out.push(c);
            }
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

/// The plan, its cost and the expected errors, as lines for a terminal.
///
/// # Errors
/// When a cost is no number.
pub fn plan_text(plan: &Plan) -> Result<String> {
    let mut text = String::new();
    let _ = writeln!(text, "unit of privacy: {}", plan.unit.describe());
    let _ = writeln!(text, "budget: {}, which is {}", plan.budget, plan.budget.cost()?);
    let groups = |item: &Item| match (&item.groups, item.groups.count()) {
        (Groups::Public(columns), _) if columns.is_empty() => "1 group".to_owned(),
        (_, Some(count)) => format!("{count} groups"),
        (_, None) => "unknown keys".to_owned(),
    };
    let rows: Vec<[String; 4]> = plan
        .items
        .iter()
        .map(|item| {
            let cost = item.cost()?.to_string();
            Ok([
                item.name.clone(),
                format!("{}, {}", item.describe(), groups(item)),
                cost,
                item.expected_error(),
            ])
        })
        .collect::<Result<_>>()?;
    let width = |at: usize| rows.iter().map(|row| row[at].chars().count()).max().unwrap_or(0);
    let (names, queries, costs) = (width(0), width(1), width(2));
    for [name, query, cost, error] in &rows {
        let _ = writeln!(text, "  {name:names$}  {query:queries$}  {cost:costs$}  {error}");
    }
    let total = plan.cost()?;
    let _ = writeln!(
        text,
        "in all: {total}, which is epsilon {:.4} at delta {:e}",
        total.epsilon(plan.budget.delta)?,
        plan.budget.delta
    );
    let _ = writeln!(text, "errors are half the widths of 95 % intervals, of the noise alone");
    Ok(text)
}
