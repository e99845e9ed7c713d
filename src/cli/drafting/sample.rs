//! What a model is told of a sample: statistics of its columns, and rows only if the user says so.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use lookalike_ruleset::{Field, Type};
use polars::prelude::{DataFrame, DataType};

use crate::cli::failure::Failure;
use crate::{Error, engine, io};

/// A value, or the shape of values, is only named if at least this many rows have it. What fewer share is nobody's business.
const SHARED: usize = 10;
/// At most this many values or shapes of a column are named.
const NAMED: usize = 40;
/// Names are cut after this many characters.
const LENGTH: usize = 60;

/// A line for each column: type, nulls, how many values there are, and how they are spread. No value is named that fewer
/// than ten rows have; of numbers and times, only quantiles between 5 % and 95 %, rounded.
///
/// # Errors
/// When a column does not hold what its field says.
pub fn describe(fields: &[Field], frame: &DataFrame) -> Result<String, Failure> {
    let mut text = format!("{} rows were looked at.\n", frame.height());
    for (field, column) in fields.iter().zip(frame.columns()) {
        let series = column.as_materialized_series();
        let texts: Vec<Option<String>> =
            io::texts(field, series)?.iter().map(|text| text.map(str::to_owned)).collect();
        let known: Vec<&str> = texts.iter().flatten().map(String::as_str).collect();
        let nulls = percent(texts.len() - known.len(), texts.len());
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        known.iter().for_each(|value| *counts.entry(value).or_default() += 1);
        let _ = write!(
            text,
            "- {}: {}, {nulls} null, {} distinct",
            one_line(&field.name),
            field.ty,
            counts.len()
        );
        if counts.len() == known.len() && known.len() > 1 {
            text.push_str(", all different");
        }
        match field.ty {
            Type::Bool | Type::Text => {
                let common = named(&counts, known.len());
                if !common.is_empty() {
                    let _ = write!(text, "; values {common}");
                }
                if field.ty == Type::Text {
                    text.push_str(&shapes(&known));
                }
            }
            _ => {
                let physical = match field.ty {
                    Type::Decimal(_) => series.clone(),
                    _ => series.to_physical_repr().into_owned(),
                };
                let floats = physical.cast(&DataType::Float64).map_err(internal)?;
                let mut values: Vec<f64> = floats.f64().map_err(internal)?.iter().flatten().collect();
                values.sort_by(f64::total_cmp);
                text.push_str(&quantiles(field.ty, &values));
                let common = if counts.len() <= NAMED { named(&counts, known.len()) } else { String::new() };
                if !common.is_empty() {
                    let _ = write!(text, "; values {common}");
                }
            }
        }
        text.push('\n');
    }
    Ok(text)
}

fn internal(error: polars::prelude::PolarsError) -> Failure {
    Error::from(engine::Error::Internal(error.to_string())).into()
}

fn percent(part: usize, whole: usize) -> String {
    format!("{:.1}%", 100.0 * part as f64 / whole.max(1) as f64)
}

/// The values that enough rows share, the most frequent first.
fn named(counts: &BTreeMap<&str, usize>, rows: usize) -> String {
    let mut shared: Vec<(&str, usize)> =
        counts.iter().map(|(value, count)| (*value, *count)).filter(|(_, count)| *count >= SHARED).collect();
    shared.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
    let line = |(value, count): &(&str, usize)| format!("\"{}\" {}", one_line(value), percent(*count, rows));
    let mut words: Vec<String> = shared.iter().take(NAMED).map(line).collect();
    let told: usize = shared.iter().take(NAMED).map(|(_, count)| count).sum();
    if !words.is_empty() && told < rows {
        words.push(format!("others {}", percent(rows - told, rows)));
    }
    words.join(", ")
}

/// Lengths, and what the values look like: `9` for a digit, `a` and `A` for letters.
fn shapes(known: &[&str]) -> String {
    let mut lengths: Vec<f64> = known.iter().map(|value| value.chars().count() as f64).collect();
    lengths.sort_by(f64::total_cmp);
    let mut text = String::new();
    if lengths.len() >= SHARED {
        let _ = write!(
            text,
            "; length {} to {}, {} in the middle",
            at(&lengths, 0.05),
            at(&lengths, 0.95),
            at(&lengths, 0.5)
        );
    }
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for value in known {
        *counts.entry(shape(value)).or_default() += 1;
    }
    let counts: BTreeMap<&str, usize> =
        counts.iter().map(|(shape, count)| (shape.as_str(), *count)).collect();
    if counts.len() <= NAMED {
        let common = named(&counts, known.len());
        if !common.is_empty() {
            let _ = write!(text, "; shapes {common}");
        }
    }
    text
}

/// Letters and digits as their class; runs of more than four as their number, so that a shape tells no value.
fn shape(value: &str) -> String {
    let class = |c: char| match c {
        c if c.is_ascii_digit() => '9',
        c if c.is_uppercase() => 'A',
        c if c.is_alphabetic() => 'a',
        c if c.is_whitespace() => ' ',
        c => c,
    };
    let mut text = String::new();
    let mut characters = value.chars().map(class).peekable();
    while let Some(c) = characters.next() {
        let mut run = 1;
        while characters.next_if_eq(&c).is_some() {
            run += 1;
        }
        match run {
            1..=4 => text.extend(std::iter::repeat_n(c, run)),
            _ => {
                let _ = write!(text, "{c}{{{run}}}");
            }
        }
    }
    text
}

/// The value at a share of the way through sorted values.
fn at(sorted: &[f64], share: f64) -> f64 {
    sorted[((sorted.len() - 1) as f64 * share).round() as usize]
}

fn quantiles(ty: Type, sorted: &[f64]) -> String {
    // Of fewer rows, a quantile is somebody's value.
    if sorted.len() < 2 * SHARED {
        return String::new();
    }
    let shown = |value: f64| match ty {
        Type::Date => day(value),
        Type::Datetime => day(value / 86_400e6),
        Type::Duration => format!("{} s", rounded(value / 1e6)),
        _ => rounded(value),
    };
    let all = [0.05, 0.25, 0.5, 0.75, 0.95]
        .map(|share| format!("{:.0}% {}", share * 100.0, shown(at(sorted, share))));
    format!("; quantiles {}", all.join(", "))
}

/// Three digits that count.
fn rounded(value: f64) -> String {
    let text = format!("{value:.2e}");
    text.parse::<f64>().map_or(text, |value| value.to_string())
}

fn day(days: f64) -> String {
    let epoch = jiff::civil::date(1970, 1, 1);
    let span = jiff::Span::new().try_days(days.floor() as i64);
    span.and_then(|span| epoch.checked_add(span)).map_or_else(|_| "?".into(), |date| date.to_string())
}

/// Without characters that could end the line, cut.
fn one_line(text: &str) -> String {
    let mut line: String = text.chars().take(LENGTH).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if text.chars().count() > LENGTH {
        line.push('…');
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Ruleset;

    #[test]
    fn statistics_name_no_value_that_few_rows_share() {
        let ruleset = Ruleset::from_str(
            "{lookalike: 1, seed: 1, tables: {t: {rows: 500, columns: {
                id: {sequence: {start: 918273}},
                name: {pattern: 'secret-[a-z]{9}'},
                state: {choice: {open: 40%, shut: 59%, rare: 1%}},
                amount: {log_normal: {median: 40, p95: 300}, null: 20%},
                on: {date_range: [2024-01-01, 2024-12-31]},
                yes: {bernoulli: 30%}}}}}",
        )
        .unwrap();
        let table = ruleset.table("t").unwrap();
        let frame = table.collect().unwrap();
        let text = describe(&table.schema().fields, &frame).ok().unwrap();
        assert!(
            text.starts_with("500 rows were looked at.\n- id: int, 0.0% null, 500 distinct, all different"),
            "{text}"
        );
        assert!(text.contains("shapes \"a{6}-a{9}\" 100.0%"), "{text}");
        // Five rows in 500 are too few to be named.
        assert!(text.contains("values \"shut\" 5") && text.contains("others 1.0%"), "{text}");
        assert!(!text.contains("rare"), "{text}");
        assert!(text.contains("- on: date") && text.contains("50% 2024-0"), "{text}");
        assert!(text.contains("- yes: bool") && text.contains("\"true\""), "{text}");
        let names = frame.column("name").unwrap();
        for name in names.str().unwrap().iter().flatten() {
            assert!(!text.contains(name), "{name}");
        }
        // All ids begin with 918 or 919; of their quantiles, three digits are told.
        assert!(!text.contains("9182") && !text.contains("9183"), "{text}");
    }

    #[test]
    fn shapes_and_short_samples_tell_no_value() {
        assert_eq!(shape("vol-0abc12345 Ä\n"), "aaa-9aaa9{5} A ");
        assert_eq!(quantiles(Type::Int, &[1.0; 19]), "");
        assert_eq!(rounded(123_456.0), "123000");
        assert_eq!(rounded(0.012_345), "0.0123");
        assert_eq!(day(19_723.0), "2024-01-01");
    }
}
