//! `lookalike preview`: some rows on the terminal, and what each column holds.

use std::collections::HashSet;
use std::fmt::Write as _;

use comfy_table::{Attribute, Cell, CellAlignment, presets};
use lookalike_ruleset::{Field, Type};
use polars::prelude::{DataFrame, DataType, Series};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use crate::cli::args::{self, RulesetArgs};
use crate::cli::failure::Failure;
use crate::cli::terminal::{self, DIM, STRONG};
use crate::io::{Output, Quote, SINKS, SinkOptions};
use crate::pipeline::Slice;
use crate::{Error, Table};

/// Arguments of `preview`.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  lookalike preview rulesets/orders.yaml
  lookalike preview rulesets/orders.yaml --table customers --range 5000..5020")]
pub struct Args {
    #[command(flatten)]
    ruleset: RulesetArgs,
    /// How many rows to show [default: 10, or the whole range].
    #[arg(short = 'n', long = "rows", value_name = "N", value_parser = args::whole, allow_negative_numbers = true)]
    shown: Option<u64>,
    /// Only this table.
    #[arg(long, value_name = "TABLE")]
    table: Option<String>,
    /// Rows A to B, counted from 0; B is left out.
    #[arg(long, value_name = "A..B", value_parser = args::range)]
    range: Option<Slice>,
    /// Another seed than the ruleset's.
    #[arg(long, value_name = "S", value_parser = args::whole, allow_negative_numbers = true)]
    seed: Option<u64>,
}

/// Rows that the notes about columns come from.
const SAMPLE: u64 = 1000;
/// More rows are no preview.
const MOST: u64 = 10_000;
/// Cells are cut to this width.
const CELL: usize = 32;
/// Width where there is no terminal.
const WIDTH: usize = 100;

/// Prints the previews.
pub fn run(args: &Args) -> Result<(), Failure> {
    let mut loader = args.ruleset.loader();
    if let Some(seed) = args.seed {
        loader = loader.seed(seed);
    }
    let ruleset = loader.path(&args.ruleset.path)?;
    let tables = match &args.table {
        Some(name) => vec![ruleset.table(name)?],
        None => ruleset.tables().collect(),
    };
    let mut text = String::new();
    for table in tables {
        let rows = args.range.unwrap_or(Slice::All).of(table.name(), table.len())?;
        let asked = args.shown.unwrap_or(if args.range.is_some() { rows.end - rows.start } else { 10 });
        if asked > MOST {
            return Err(Failure::usage(format!("a preview shows at most {} rows", terminal::grouped(MOST)))
                .help("`lookalike generate … -o -` prints any number"));
        }
        let shown = asked.min(rows.end - rows.start);
        let sample = rows.start..rows.start.saturating_add(SAMPLE.max(shown)).min(table.len());
        if !text.is_empty() {
            text.push('\n');
        }
        text.push_str(&preview(&table, sample, shown)?);
        if table.is_protected() {
            terminal::tell(&format!(
                "{STRONG}warning: not for release{STRONG:#}: `{}` is protected by `privacy`, and these are its rows before the noise. \
                 (Noise here would be one more release of the same records that no ledger holds.)\n",
                printable(table.name())
            ));
        }
    }
    terminal::print(&text)
}

/// The first `shown` of the rows `sample` of a table as a grid, and a line for each column about all of them.
///
/// # Errors
/// When rows cannot be made.
pub fn preview(table: &Table<'_>, sample: std::ops::Range<u64>, shown: u64) -> Result<String, Failure> {
    let schema = table.schema();
    let frame = table.clone().rows(sample.clone()).collect()?;
    let cells = texts(table, &frame)?;
    let mut text = format!(
        "{STRONG}{}{STRONG:#}{DIM}, rows {}..{} of {}{DIM:#}\n",
        printable(table.name()),
        sample.start,
        sample.start + shown,
        terminal::grouped(table.len()),
    );
    text.push_str(&grid(&schema.fields, &cells, shown as usize));
    text.push('\n');
    text.push_str(&notes(&schema.fields, &frame, &cells)?);
    let _ = writeln!(
        text,
        "{DIM}Shares, counts and ends are those of {}.{DIM:#}",
        terminal::counted(sample.end - sample.start, "row")
    );
    Ok(text)
}

/// The values column by column, with the text that a CSV file has for them; `None` for null.
fn texts(table: &Table<'_>, frame: &DataFrame) -> Result<Vec<Vec<Option<String>>>, Failure> {
    let mut options = SinkOptions::default();
    options.csv.quote = Quote::All;
    // Else a row of one null would be a line without anything, which readers pass over.
    options.csv.null = "∅".into();
    let csv = SINKS.iter().find(|kind| kind.name == "csv").expect("there is a CSV sink");
    let mut sink = (csv.open)(&table.schema(), Output::memory(), &options)?;
    let part = sink.encoder().encode(frame)?;
    sink.write(part)?;
    let bytes = sink.finish()?.into_bytes().unwrap_or_default();
    let mut columns = vec![Vec::new(); frame.width()];
    for (row, record) in csv::Reader::from_reader(bytes.as_slice()).records().enumerate() {
        let record = record.map_err(|error| Failure::bug(&error.to_string()))?;
        for (at, (column, text)) in columns.iter_mut().zip(&record).enumerate() {
            let is_null = frame.columns()[at].get(row).map_err(internal)?.is_null();
            column.push((!is_null).then(|| text.to_owned()));
        }
    }
    Ok(columns)
}

fn internal(error: polars::prelude::PolarsError) -> Failure {
    Error::from(lookalike_engine::Error::Internal(error.to_string())).into()
}

/// The rows as a table; columns that do not fit are left to the notes.
fn grid(fields: &[Field], cells: &[Vec<Option<String>>], shown: usize) -> String {
    let mut table = comfy_table::Table::new();
    // Some terminals say that they have no columns at all.
    let width = table.width().filter(|width| *width >= 20).map_or(WIDTH, usize::from);
    let mut columns: Vec<(String, Vec<Option<String>>)> = Vec::new();
    let mut used = 1;
    for (field, column) in fields.iter().zip(cells) {
        let head = cut(&field.name);
        let body: Vec<Option<String>> =
            column.iter().take(shown).map(|cell| cell.as_deref().map(cut)).collect();
        let widest = body
            .iter()
            .flatten()
            .map(String::as_str)
            .chain([head.as_str()])
            .map(UnicodeWidthStr::width)
            .max();
        used += widest.unwrap_or(0) + 3;
        if used > width && !columns.is_empty() {
            break;
        }
        columns.push((head, body));
    }
    table.load_style(presets::UTF8_FULL_CONDENSED);
    if terminal::has_colour() {
        table.enforce_styling();
    } else {
        table.force_no_tty();
    }
    table.set_header(columns.iter().map(|(head, _)| Cell::new(head).add_attribute(Attribute::Bold)));
    for row in 0..shown {
        table.add_row(columns.iter().zip(fields).map(|((_, body), field)| {
            let cell = match body.get(row) {
                Some(Some(text)) => Cell::new(text),
                _ => Cell::new("∅").add_attribute(Attribute::Dim),
            };
            let right = field.ty.is_number();
            cell.set_alignment(if right { CellAlignment::Right } else { CellAlignment::Left })
        }));
    }
    let left_out: Vec<String> = fields[columns.len()..].iter().map(|field| printable(&field.name)).collect();
    let mut text = format!("{}\n", table.trim_fmt());
    if !left_out.is_empty() {
        let list = format!("not shown: {}", left_out.join(", "));
        let _ = writeln!(text, "{DIM}{}{DIM:#}", terminal::wrapped(&list, 0, width));
    }
    text
}

/// A line for each column: type, nulls, range of the values, meaning.
fn notes(fields: &[Field], frame: &DataFrame, cells: &[Vec<Option<String>>]) -> Result<String, Failure> {
    let mut lines: Vec<[String; 5]> = Vec::new();
    for ((field, column), texts) in fields.iter().zip(frame.columns()).zip(cells) {
        let nulls = texts.iter().filter(|text| text.is_none()).count();
        let nulls = match nulls {
            0 if !field.nullable => String::new(),
            _ => format!("{:.1} % null", 100.0 * nulls as f64 / texts.len().max(1) as f64),
        };
        let holds = holds(field.ty, column.as_materialized_series(), texts)?;
        let about = field.about.as_deref().map(printable).unwrap_or_default();
        lines.push([cut(&field.name), field.ty.to_string(), nulls, holds, about]);
    }
    let width = |at: usize| lines.iter().map(|line| line[at].width()).max().unwrap_or(0);
    let widths = [width(0), width(1), width(2), width(3)];
    let mut text = String::new();
    for [name, ty, nulls, holds, about] in &lines {
        let pad = |cell: &str, at: usize| format!("{cell}{}", " ".repeat(widths[at] - cell.width()));
        let (name, ty, nulls) = (pad(name, 0), pad(ty, 1), pad(nulls, 2));
        let gap = if widths[2] > 0 { "  " } else { "" };
        let _ = write!(text, "{STRONG}{name}{STRONG:#}  {ty}  {nulls}{gap}");
        let _ = match about.as_str() {
            "" => writeln!(text, "{holds}"),
            about => writeln!(text, "{}  {DIM}{about}{DIM:#}", pad(holds, 3)),
        };
    }
    Ok(text)
}

/// From where to where the values go, or how many different ones there are.
fn holds(ty: Type, series: &Series, texts: &[Option<String>]) -> Result<String, Failure> {
    if matches!(ty, Type::Text | Type::Bool) {
        let distinct: HashSet<&str> = texts.iter().flatten().map(String::as_str).collect();
        return Ok(format!("{} distinct", terminal::grouped(distinct.len() as u64)));
    }
    let floats = match ty {
        Type::Decimal(_) => series.cast(&DataType::Float64),
        _ => series.to_physical_repr().cast(&DataType::Float64),
    };
    let floats = floats.map_err(internal)?;
    let mut ordered: Vec<(f64, usize)> = floats
        .f64()
        .map_err(internal)?
        .iter()
        .enumerate()
        .filter_map(|(at, value)| Some((value?, at)))
        .collect();
    ordered.sort_by(|a, b| a.0.total_cmp(&b.0));
    let shown = |(_, at): &(f64, usize)| texts[*at].clone().unwrap_or_default();
    match (ordered.first(), ordered.last()) {
        (Some(low), Some(high)) => Ok(format!("{} … {}", shown(low), shown(high))),
        _ => Ok("no values".into()),
    }
}

/// `text` on one line, without characters that could steer the terminal.
fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '�' } else { c }).collect()
}

/// `text` on one line, no wider than a cell.
fn cut(text: &str) -> String {
    let text = printable(text);
    if text.width() <= CELL {
        return text;
    }
    let mut width = 1;
    let fits = |c: &char| {
        width += c.width().unwrap_or(0);
        width <= CELL
    };
    let mut short: String = text.chars().take_while(fits).collect();
    short.push('…');
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_cut_by_width() {
        assert_eq!(cut("short"), "short");
        assert_eq!(cut(&"x".repeat(40)), format!("{}…", "x".repeat(31)));
        assert_eq!(cut(&"漢".repeat(40)).width(), 31);
        assert_eq!(cut("a\n\u{1b}[31mb"), "a��[31mb");
    }
}
