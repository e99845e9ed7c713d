//! Rows around the hits: bursts as a whole, and rows near by.

use lookalike_core::Rows;
use polars::prelude::*;

use crate::anomaly::Hits;
use crate::array;
use crate::entity::{Place, for_each};
use crate::generator::{Failure, InputId};

/// Rows looked up at a time, unless a single run is longer.
const BATCH: usize = 131_072;

/// The first rows of all instances, and for each place the position of its own among them.
pub(super) fn firsts(places: &[Place]) -> (Vec<u64>, Vec<usize>) {
    let (mut rows, mut of) = (Vec::new(), vec![0; places.len()]);
    for_each(places, |first, positions| {
        positions.iter().for_each(|position| of[*position as usize] = rows.len());
        rows.push(first);
    });
    (rows, of)
}

/// Looks up a column's clean values in runs of rows, and calls `each` with the number of each run and its values.
pub(super) fn for_each_run(
    hits: &Hits<'_>,
    column: InputId,
    runs: &[Rows],
    mut each: impl FnMut(usize, Series) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let mut next = 0;
    while next < runs.len() {
        let (begin, mut rows) = (next, 0);
        while next < runs.len() && (next == begin || rows + runs[next].len() <= BATCH) {
            rows += runs[next].len();
            next += 1;
        }
        let batch = &runs[begin..next];
        let list: Vec<u64> = batch.iter().flatten().collect();
        let values = hits.look_up(column, &Rows::from(list))?;
        let mut start = 0;
        for (at, run) in batch.iter().enumerate() {
            let rows = run.len();
            each(begin + at, values.slice(start, rows))?;
            start += rows as i64;
        }
    }
    Ok(())
}

/// Calls `each` for every burst that has hits, with the positions of these and the burst's clean values in a column.
pub(super) fn for_each_burst(
    hits: &Hits<'_>,
    column: InputId,
    mut each: impl FnMut(&[u32], Series) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let (mut runs, mut positions) = (Vec::new(), Vec::new());
    for_each(hits.places, |_, of| {
        runs.push(hits.members(&hits.places[of[0] as usize]));
        positions.push(of.to_vec());
    });
    for_each_run(hits, column, &runs, |at, values| each(&positions[at], values))
}

/// For each hit the mean of a column in its burst; `None` where it has nothing but nulls.
pub(super) fn means(hits: &Hits<'_>, column: InputId) -> Result<Vec<Option<f64>>, Failure> {
    let mut means = vec![None; hits.places.len()];
    for_each_burst(hits, column, |positions, values| {
        let mean = mean(array::to_floats(&values)?.into_iter().flatten());
        positions.iter().for_each(|position| means[*position as usize] = mean);
        Ok(())
    })?;
    Ok(means)
}

/// The mean of some numbers. Differences to the first are added up, so that stamps keep their microseconds.
pub(super) fn mean(values: impl IntoIterator<Item = f64>) -> Option<f64> {
    let mut values = values.into_iter();
    let first = values.next()?;
    let (sum, count) = values.fold((0.0, 1.0), |(sum, count), value| (sum + (value - first), count + 1.0));
    Some(first + sum / count)
}

/// A column of which some values are replaced.
pub(super) struct Patch {
    all: Series,
    /// Where each value comes from.
    picks: Vec<IdxSize>,
}

impl Patch {
    pub(super) fn new(clean: Series) -> Patch {
        let picks = (0..clean.len() as IdxSize).collect();
        Patch { all: clean, picks }
    }

    /// Puts values at these positions, the first at the first, and so on.
    pub(super) fn put(
        &mut self,
        values: &Series,
        positions: impl IntoIterator<Item = usize>,
    ) -> Result<(), Failure> {
        let start = self.all.len() as IdxSize;
        self.all.append(values)?;
        for (at, position) in (start..).zip(positions) {
            self.picks[position] = at;
        }
        Ok(())
    }

    /// Puts one value, the only one of a series, at all of these positions.
    pub(super) fn repeat(
        &mut self,
        value: &Series,
        positions: impl IntoIterator<Item = usize>,
    ) -> Result<(), Failure> {
        let at = self.all.len() as IdxSize;
        self.all.append(value)?;
        positions.into_iter().for_each(|position| self.picks[position] = at);
        Ok(())
    }

    pub(super) fn finish(self) -> Result<Series, Failure> {
        Ok(self.all.rechunk().take_slice(&self.picks)?)
    }
}

#[cfg(test)]
pub(super) mod testing {
    use super::*;
    use crate::anomaly::AnomalyKind;
    use crate::inject::{Marks, Spoilt};
    use crate::plan::Plan;
    use crate::testing::plan;

    /// Rows of the table.
    pub(in super::super) const ROWS: u64 = 1000;

    fn text(anomaly: &str) -> String {
        format!(
            "lookalike: 1
seed: 7
clock: 2026-01-01T00:00:00Z
tables:
  t:
    rows: {ROWS}
    columns:
      id: {{sequence: {{start: 1}}}}
      at: {{datetime_range: [2026-01-01, 2026-01-31]}}
      load: {{normal: {{mean: 50, std_dev: 10}}}}
      cpu: {{int_range: [1, 100], null: 20%}}
      price: {{uniform: [1, 100], round: 2}}
      day: {{date_range: [2025-01-01, 2025-12-31], null: 10%}}
      wait: {{duration_range: [1s, 1h]}}
      name: {{choice: [alpha, beta, gamma], null: 10%}}
      note: {{pattern: '[a-z]{{8}}'}}
      up: {{bernoulli: 50%}}
    anomalies:
      label: odd
      kinds:
        it: {anomaly}
"
        )
    }

    /// A table with one anomaly.
    pub(in super::super) fn table(anomaly: &str) -> Plan {
        plan(&text(anomaly)).unwrap_or_else(|problems| panic!("{anomaly}: {problems:#?}"))
    }

    /// The codes of what is wrong with an anomaly.
    pub(in super::super) fn codes(anomaly: &str) -> Vec<&'static str> {
        plan(&text(anomaly)).err().into_iter().flatten().map(|problem| problem.code).collect()
    }

    /// Checks that the kind's example happens and keeps what every kind promises.
    pub(in super::super) fn check_example(kind: &AnomalyKind) {
        assert!(!check(&table(kind.example)).is_empty());
    }

    /// Checks that only marked cells change, and that rows do not depend on which others are made; gives the marks.
    pub(in super::super) fn check(plan: &Plan) -> Vec<Marks> {
        let table = &plan.tables[0];
        let spoil = |rows: Rows| table.spoilt(&rows).unwrap_or_else(|error| panic!("{error}"));
        let Spoilt { frame, clean, marks } = spoil(Rows::from(0..ROWS));
        for column in clean.columns() {
            let name = column.name().as_str();
            let marked: Vec<&Marks> = marks.iter().filter(|marks| marks.column == name).collect();
            let dirty = frame.column(name).unwrap();
            for row in 0..ROWS {
                let at =
                    marked.iter().find_map(|marks| Some((marks, marks.rows.iter().position(|r| *r == row)?)));
                let (before, after) = (column.get(row as usize).unwrap(), dirty.get(row as usize).unwrap());
                match at {
                    Some((marks, at)) => {
                        assert_eq!(marks.before.get(at).unwrap(), before);
                        assert_eq!(marks.after.get(at).unwrap(), after);
                    }
                    None => assert_eq!(before.str_value(), after.str_value(), "{name} of row {row}"),
                }
            }
        }
        let mut blocks = frame.clear();
        for start in (0..ROWS).step_by(7) {
            blocks.vstack_mut(&spoil(Rows::from(start..ROWS.min(start + 7))).frame).unwrap();
        }
        assert!(blocks.equals_missing(&frame));
        let scattered: Vec<u64> = (0..ROWS).map(|row| row * 611 % ROWS).step_by(3).collect();
        let picks: Vec<IdxSize> = scattered.iter().map(|row| *row as IdxSize).collect();
        let picked = frame.take(&UInt32Chunked::from_vec(PlSmallStr::EMPTY, picks)).unwrap();
        assert!(spoil(Rows::from(scattered)).frame.equals_missing(&picked));
        marks
    }

    #[test]
    fn the_smallest_tables_work() {
        for kind in [
            "spike: {column: load, plus: 1}",
            "late: {column: at, by: 1h, rows: 9}",
            "duplicate: {within: 1k, near: note}",
            "out_of_order: {}",
            "stuck: load",
            "noise: {column: load, times: 3}",
            "inversion: load",
            "drift: {column: load, per_row: 1}",
        ] {
            for rows in [1, 2] {
                let needs = ["out", "stuck", "noise", "inversion"].iter().any(|name| kind.starts_with(name));
                let bursts = ["", ", burst: 1", ", burst: [1, 2]"];
                for burst in &bursts[usize::from(needs)..] {
                    let text = text(&format!("{{{kind}, count: 0{burst}}}"));
                    let text = text.replace("rows: 1000", &format!("rows: {rows}"));
                    for count in 0..=rows {
                        let text = text.replace("count: 0", &format!("count: {count}"));
                        let plan = match plan(&text) {
                            // Where a burst begins is random, so the last ones may not fit.
                            Err(problems) if problems.iter().all(|p| p.code == "too-few-eligible") => {
                                continue;
                            }
                            plan => plan.unwrap_or_else(|problems| panic!("{text}: {problems:#?}")),
                        };
                        assert_eq!(
                            plan.tables[0].spoilt(&Rows::from(0..rows)).unwrap().frame.height(),
                            rows as usize
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn long_bursts_are_looked_up_in_batches() {
        let text = text("{noise: {column: load, times: 2}, burst: 60k, count: 5}");
        let plan = plan(&text.replace("rows: 1000", "rows: 400k")).unwrap();
        let all = Rows::from((0..400_000).step_by(1000).collect::<Vec<_>>());
        let some = Rows::from((0..400_000).step_by(4000).collect::<Vec<_>>());
        let [all, some] = [all, some].map(|rows| plan.tables[0].spoilt(&rows).unwrap().frame);
        let picks: Vec<IdxSize> = (0..400).step_by(4).collect();
        let picked = all.take(&UInt32Chunked::from_vec(PlSmallStr::EMPTY, picks)).unwrap();
        assert!(some.equals_missing(&picked));
    }

    pub(in super::super) fn floats(series: &Series) -> Vec<Option<f64>> {
        array::to_floats(series).unwrap()
    }
}
