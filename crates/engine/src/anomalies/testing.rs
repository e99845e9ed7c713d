//! Helpers for tests of kinds of anomaly.

use lookalike_core::Rows;
use polars::prelude::*;

use crate::inject::Spoilt;
use crate::plan::Plan;

/// A table `t` whose columns are given as lines of YAML, with one anomaly in half of its rows.
fn plan(columns: &[&str], anomaly: &str, rows: u64) -> Result<Plan, Vec<&'static str>> {
    let mut text = format!("lookalike: 1\nseed: 7\ntables:\n  t:\n    rows: {rows}\n    columns:\n");
    columns.iter().for_each(|column| text.push_str(&format!("      {column}\n")));
    text.push_str(&format!("    anomalies: {{rate: 50%, label: odd, kinds: {{a: {anomaly}}}}}\n"));
    crate::testing::plan(&text).map_err(|problems| problems.into_iter().map(|problem| problem.code).collect())
}

/// The codes of what is wrong with an anomaly.
pub(super) fn refused(columns: &[&str], anomaly: &str) -> Vec<&'static str> {
    plan(columns, anomaly, 10).err().unwrap_or_default()
}

/// Cells that an anomaly changed: the clean text and the new; `None` is null.
pub(super) type Changes = Vec<(Option<String>, Option<String>)>;

/// Runs an anomaly, and gives the changes of each column that it changes, of a table of 200 rows.
///
/// Checks on the way what every anomaly promises: half of the rows have it, other cells stay clean, marks tell the truth,
/// rows made in blocks or alone are the same, and a plan that holds nothing finds the same rows.
pub(super) fn changes(columns: &[&str], anomaly: &str) -> Vec<Changes> {
    const ROWS: u64 = 200;
    let mut plan = plan(columns, anomaly, ROWS).unwrap_or_else(|codes| panic!("{anomaly}: {codes:?}"));
    let whole = plan.tables[0].spoilt(&(0..ROWS).into()).unwrap_or_else(|error| panic!("{anomaly}: {error}"));
    plan.tables[0].forget();
    let spoilt =
        |rows: Rows| plan.tables[0].spoilt(&rows).unwrap_or_else(|error| panic!("{anomaly}: {error}"));
    assert!(
        spoilt((0..ROWS).into()).frame.equals_missing(&whole.frame),
        "{anomaly}: what is held is what is found"
    );

    let blocks = (0..ROWS).step_by(7).map(|start| spoilt((start..(start + 7).min(ROWS)).into()));
    let stacked = blocks.map(|block| block.frame).reduce(|above, below| above.vstack(&below).unwrap());
    assert!(stacked.unwrap().equals_missing(&whole.frame), "{anomaly}: blocks are the whole");
    let scattered: Vec<u64> = (0..ROWS).rev().filter(|row| row % 3 == 1).collect();
    let index: IdxCa = scattered.iter().map(|row| Some(*row as IdxSize)).collect();
    let some = whole.frame.take(&index).unwrap();
    assert!(spoilt(scattered.into()).frame.equals_missing(&some), "{anomaly}: rows alone are the whole's");

    assert_marks(&whole, anomaly);
    let found = whole.marks.iter().map(|marks| {
        assert_eq!(marks.rows.len() as u64, ROWS / 2, "{anomaly}");
        text(&marks.before).into_iter().zip(text(&marks.after)).collect()
    });
    found.collect()
}

fn assert_marks(spoilt: &Spoilt, anomaly: &str) {
    let marked: Vec<&str> = spoilt.marks.iter().map(|marks| marks.column.as_str()).collect();
    for column in spoilt.clean.columns() {
        let name = column.name().as_str();
        let mut expected = text(column.as_materialized_series());
        if let Some(at) = marked.iter().position(|column| *column == name) {
            let marks = &spoilt.marks[at];
            let (before, after) = (text(&marks.before), text(&marks.after));
            for ((row, before), after) in marks.rows.iter().zip(before).zip(after) {
                assert_eq!(expected[*row as usize], before, "{anomaly}: clean value in row {row}");
                expected[*row as usize] = after;
            }
        }
        let column = spoilt.frame.column(name).unwrap();
        assert_eq!(text(column.as_materialized_series()), expected, "{anomaly}: {name}");
    }
}

fn text(series: &Series) -> Vec<Option<String>> {
    let series = match series.dtype() {
        DataType::Duration(_) => series.to_physical_repr().into_owned(),
        _ => series.clone(),
    };
    let text = series.cast(&DataType::String).unwrap();
    text.str().unwrap().iter().map(|value| value.map(str::to_owned)).collect()
}

/// The changes of the only column that is changed, without nulls.
pub(super) fn changed(columns: &[&str], anomaly: &str) -> Vec<(String, String)> {
    let [found] = changes(columns, anomaly).try_into().unwrap();
    let found: Changes = found;
    found.into_iter().map(|(before, after)| (before.unwrap(), after.unwrap())).collect()
}

/// The same, as numbers.
pub(super) fn changed_numbers(columns: &[&str], anomaly: &str) -> Vec<(f64, f64)> {
    let number = |text: String| text.parse().unwrap();
    changed(columns, anomaly).into_iter().map(|(before, after)| (number(before), number(after))).collect()
}
