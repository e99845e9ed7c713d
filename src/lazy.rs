//! Tables for polars' lazy engine: of a query, only the columns and rows that it needs are made.
//!
//! Polars has a trait for sources of one's own, `AnonymousScan`, but pushes into it only slices that begin at the first row.
//! Into a frame that it holds it pushes any. So a query begins with a held frame: the numbers of the rows, once, under the name
//! of every column. Polars drops columns and slices rows of that for nothing, and what is left says what to make.
//!
//! A step between the rows and the query keeps conditions out: they are about values, and must not meet the numbers. It hands
//! on every column as it is, but polars does not know that.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use lookalike_core::Rows;
use lookalike_engine::TablePlan;
use lookalike_engine::run::{BLOCK_ROWS, in_order};
use polars::prelude::*;

use crate::Error;

/// A query for rows of a table.
pub(crate) fn frame(plan: &TablePlan, rows: Range<u64>) -> Result<LazyFrame, Error> {
    if rows.end > plan.rows {
        let (table, row) = (plan.name.clone(), rows.end - 1);
        return Err(lookalike_engine::Error::OutOfRange { table, rows: plan.rows, row }.into());
    }
    // The largest is polars' sign for none.
    let Some(count) = u32::try_from(rows.end - rows.start).ok().filter(|count| *count < u32::MAX) else {
        return Err(Error::Request(format!(
            "a query of polars sees fewer than {} rows, and table `{}` has {} here; take a range of them with `rows`",
            u32::MAX,
            plan.name,
            rows.end - rows.start
        )));
    };
    let schema = plan.frame(&Rows::Range(0..0))?.schema().clone();
    let numbers = UInt32Chunked::from_vec(PlSmallStr::EMPTY, (0..count).collect()).into_series();
    let columns = schema.iter_names().map(|name| numbers.clone().with_name(name.clone()).into_column());
    let held = DataFrame::new(count as usize, columns.collect())
        .map_err(|error| lookalike_engine::Error::Internal(error.to_string()))?;
    let as_they_are: Vec<Expr> = schema
        .iter_names()
        .map(|name| col(name.clone()).map_with_fmt_str(Ok, |_, field: &Field| Ok(field.clone()), "made"))
        .collect();
    let (plan, first) = (plan.clone(), rows.start);
    let types = move |asked: &Schema| {
        let of = |name: &PlSmallStr| Ok((name.clone(), schema.try_get(name)?.clone()));
        asked.iter_names().map(of).collect::<PolarsResult<Schema>>().map(Arc::new)
    };
    Ok(held
        .lazy()
        .map(
            move |asked| make(&plan, first, &asked),
            // By the second polars takes slices for safe, too.
            OptFlags::PROJECTION_PUSHDOWN | OptFlags::PREDICATE_PUSHDOWN,
            Some(Arc::new(types)),
            Some("LOOKALIKE ROWS"),
        )
        .select(as_they_are))
}

/// Makes the columns and rows that are left of the held frame, on all cores.
fn make(plan: &TablePlan, first: u64, asked: &DataFrame) -> PolarsResult<DataFrame> {
    let Some(numbers) = asked.columns().first() else { return Ok(asked.clone()) };
    let numbers: Vec<u64> = numbers.u32()?.iter().flatten().map(|number| first + u64::from(number)).collect();
    let names: Vec<&str> = asked.columns().iter().map(|column| column.name().as_str()).collect();
    let blocks: Vec<&[u64]> = numbers.chunks(BLOCK_ROWS).collect();
    let Some((head, rest)) = blocks.split_first() else {
        return plan.select(&Rows::Range(0..0), &names).map_err(compute);
    };
    let mut made = plan.select(&rows_of(head), &names).map_err(compute)?;
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let never = AtomicBool::new(false);
    let work = |block: u64| plan.select(&rows_of(rest[block as usize]), &names).map_err(compute);
    in_order(rest.len() as u64, threads, &never, work, |block| made.vstack_mut_owned(block).map(|_| ()))?;
    Ok(made)
}

/// Row numbers, as a range where they are one.
fn rows_of(numbers: &[u64]) -> Rows {
    match numbers {
        [first, .., last] if numbers.windows(2).all(|pair| pair[1] == pair[0] + 1) => {
            Rows::Range(*first..last + 1)
        }
        _ => Rows::from(numbers.to_vec()),
    }
}

fn compute(error: lookalike_engine::Error) -> PolarsError {
    PolarsError::ComputeError(error.to_string().into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Ruleset;
    use crate::testing::{COUNTED, made};

    const LARGE: &str = "
lookalike: 1
seed: 5
tables:
  t:
    rows: 10m
    columns:
      id: {counted: {name: NAME-id}}
      size: {log_normal: {median: 80, p95: 1000}, round: 0}
      state: {choice: {open: 20%, paid: 80%}, null: 10%}
      other: {counted: {name: NAME-other}}
    anomalies:
      rate: 1%
      label: odd
      kinds: {huge: {unit_error: {column: size, factor: 1000}}}
";

    fn large(name: &str) -> Ruleset {
        Ruleset::loader()
            .kinds(COUNTED)
            .text(&LARGE.replace("NAME", name), lookalike_ruleset::read::Format::Yaml)
            .unwrap()
    }

    #[test]
    fn a_slice_makes_its_rows_and_columns_alone() {
        let ruleset = large("slice");
        let table = ruleset.table("t").unwrap();
        let query = table.lazy().unwrap().select([col("id"), col("state")]).slice(5_000_000, 10);
        let rows = query.collect().unwrap();
        assert_eq!(made("slice-id"), (5_000_000..5_000_010).collect::<Vec<u64>>());
        assert!(made("slice-other").is_empty());
        let whole = table.clone().rows(4_999_990..5_000_020).collect().unwrap().slice(10, 10);
        assert!(rows.equals_missing(&whole.select(["id", "state"]).unwrap()));
        // A further column is one of what is made, and the label is a column.
        let query = table.lazy().unwrap().slice(7, 3).select([col("odd"), col("size") * lit(2)]);
        assert_eq!(query.collect().unwrap().shape(), (3, 2));
        assert_eq!(made("slice-id").len(), 40);
    }

    #[test]
    fn limits_and_tails_reach_the_rows() {
        let ruleset = large("limit");
        let table = ruleset.table("t").unwrap();
        let head = table.lazy().unwrap().select([col("id")]).limit(4).collect().unwrap();
        let tail = table.lazy().unwrap().select([col("id")]).tail(2).collect().unwrap();
        let part = table.clone().rows(100..200).lazy().unwrap().slice(90, 50).select([col("id")]);
        assert_eq!(part.collect().unwrap().height(), 10);
        assert_eq!((head.height(), tail.height()), (4, 2));
        let expected = (0..4).chain(190..200).chain(9_999_998..10_000_000);
        assert_eq!(made("limit-id"), expected.collect::<Vec<u64>>());
    }

    #[test]
    fn conditions_see_values() {
        let text = LARGE.replace("10m", "40k").replace("NAME", "when");
        let ruleset =
            Ruleset::loader().kinds(COUNTED).text(&text, lookalike_ruleset::read::Format::Yaml).unwrap();
        let table = ruleset.table("t").unwrap();
        let all = table.collect().unwrap();
        let large = all.column("size").unwrap().i64().unwrap().gt(1000);
        let expected = all.filter(&large).unwrap();
        let when = col("size").gt(lit(1000));
        let found = table.lazy().unwrap().filter(when.clone()).collect().unwrap();
        assert!(expected.height() > 1000 && found.equals_missing(&expected));
        // What is sliced after a condition are the rows that meet it; what is sliced before it, those that are looked at.
        let after = table.lazy().unwrap().filter(when.clone()).slice(5, 10).collect().unwrap();
        assert!(after.equals_missing(&expected.slice(5, 10)));
        let before = table.lazy().unwrap().slice(1000, 100).filter(when).collect().unwrap();
        assert!(before.equals_missing(&all.slice(1000, 100).filter(&large.slice(1000, 100)).unwrap()));
    }

    #[test]
    fn queries_agree_with_frames() {
        let text = LARGE.replace("10m", "40k").replace("NAME", "agree");
        let ruleset =
            Ruleset::loader().kinds(COUNTED).text(&text, lookalike_ruleset::read::Format::Yaml).unwrap();
        let table = ruleset.table("t").unwrap();
        let all = table.collect().unwrap();
        let mut query = table.lazy().unwrap();
        assert_eq!(query.collect_schema().unwrap().as_ref(), all.schema().as_ref());
        assert!(query.collect().unwrap().equals_missing(&all));
        let count = table.lazy().unwrap().select([len()]).collect().unwrap();
        assert_eq!(count.columns()[0].u32().unwrap().get(0), Some(40_000));
        let sorted = table.lazy().unwrap().sort(["size"], SortMultipleOptions::default()).limit(3);
        assert_eq!(sorted.collect().unwrap().height(), 3);
        let groups =
            table.lazy().unwrap().group_by([col("state")]).agg([col("size").sum()]).collect().unwrap();
        let sum: i64 = groups.column("size").unwrap().i64().unwrap().iter().flatten().sum();
        assert_eq!(Some(sum), all.column("size").unwrap().i64().unwrap().sum());
    }

    #[test]
    fn what_cannot_be_is_said() {
        let ruleset = large("said");
        let table = ruleset.table("t").unwrap();
        let error = table.clone().rows(0..10_000_001).lazy().err().unwrap().to_string();
        assert_eq!(error, "table `t` has 10000000 rows; row 10000000 was asked for");
        let text = "{lookalike: 1, tables: {t: {rows: 5000000000, columns: {a: {uniform: [0, 1]}}}}}";
        let ruleset = Ruleset::from_str(text).unwrap();
        let error = ruleset.table("t").unwrap().lazy().err().unwrap().to_string();
        assert!(error.contains("take a range of them with `rows`"), "{error}");
        let query = table.lazy().unwrap().select([col("none")]).collect();
        assert!(query.unwrap_err().to_string().contains("none"));
    }
}
