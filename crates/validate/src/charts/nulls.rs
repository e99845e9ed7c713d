//! Null map: where in the table values are missing.

use serde::Serialize;

use super::Picture;
use super::frame::{Header, MARGIN, SMALL, WIDTH, counted, nothing};
use super::scale::share;
use super::scene::{Anchor, Ink, Scene, shorten, text_width};
use crate::model::TextTable;
use crate::text::grouped;

/// More columns than this are not drawn.
const SHOWN: usize = 40;
/// From one column to the next.
const STEP: f64 = 18.0;
/// Room for the names.
const NAMES: f64 = 170.0;

/// Shares of nulls by column and block of rows.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct NullMap {
    /// The columns.
    pub columns: Vec<String>,
    /// Where each block of rows begins, rising, and at the end the number of rows: one more than there are blocks.
    pub edges: Vec<u64>,
    /// Nulls in each block: for each column, all blocks.
    pub nulls: Vec<u64>,
}

impl NullMap {
    /// Nulls of a column, block by block.
    fn of(&self, column: usize) -> &[u64] {
        let blocks = self.edges.len().saturating_sub(1);
        self.nulls.get(column * blocks..(column + 1) * blocks).unwrap_or_default()
    }

    fn rows(&self) -> u64 {
        self.edges.last().copied().unwrap_or(0) - self.edges.first().copied().unwrap_or(0)
    }

    /// Columns with nulls and how many, those with most first.
    fn with_nulls(&self) -> Vec<(usize, u64)> {
        let all = (0..self.columns.len()).map(|c| (c, self.of(c).iter().sum()));
        let mut columns: Vec<(usize, u64)> = all.filter(|(_, nulls)| *nulls > 0).collect();
        columns.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(&b.0)));
        columns
    }
}

impl Picture for NullMap {
    fn draw(&self, title: &str) -> Scene {
        let mut shown = self.with_nulls();
        let rows = self.rows();
        if rows == 0 {
            return nothing(title, "There are no rows.");
        }
        if shown.is_empty() {
            return nothing(title, &format!("Nothing is missing in {}.", counted(rows, "row", "rows")));
        }
        shown.truncate(SHOWN);
        let header = Header { title, note: self.note(), legend: Vec::new() };
        let top = header.height();
        let bottom = top + STEP * shown.len() as f64;
        let mut scene = Scene::new(WIDTH, bottom + 34.0);
        header.draw(&mut scene);
        let names =
            shown.iter().map(|&(c, _)| text_width(&self.columns[c], SMALL).min(NAMES)).fold(0.0, f64::max);
        let (left, right) = (MARGIN + names + 10.0, WIDTH - MARGIN - 52.0);
        let width = (right - left) / (self.edges.len() - 1) as f64;
        let gap = if width > 3.0 { 0.5 } else { 0.0 };
        for (i, &(column, nulls)) in shown.iter().enumerate() {
            let y = top + STEP * i as f64;
            let name = shorten(&self.columns[column], SMALL, NAMES);
            scene.text((left - 8.0, y + 13.0), name, SMALL, Ink::Text, Anchor::End);
            scene.rect((left, y + 1.0), (right - left, STEP - 2.0), Ink::Grid, 0.5, "");
            for (j, (&missing, edges)) in self.of(column).iter().zip(self.edges.windows(2)).enumerate() {
                let part = missing as f64 / (edges[1] - edges[0]).max(1) as f64;
                let (first, last) = (grouped(edges[0]), grouped(edges[1].saturating_sub(1)));
                let hint = format!("{}, rows {first} to {last}: {} null", self.columns[column], share(part));
                let at = (left + width * j as f64, y + 1.0);
                scene.rect(at, (width - gap, STEP - 2.0), Ink::Data, part, &hint);
            }
            let all = share(nulls as f64 / rows as f64);
            scene.text((WIDTH - MARGIN, y + 13.0), all, SMALL, Ink::Muted, Anchor::End);
        }
        let (first, last) = (self.edges[0], self.edges[self.edges.len() - 1].saturating_sub(1));
        scene.text(
            (left, bottom + 16.0),
            format!("row {}", grouped(first)),
            SMALL,
            Ink::Muted,
            Anchor::Start,
        );
        if last > first {
            scene.text(
                (right, bottom + 16.0),
                format!("row {}", grouped(last)),
                SMALL,
                Ink::Muted,
                Anchor::End,
            );
        }
        scene
    }

    fn note(&self) -> String {
        let with = self.with_nulls().len();
        let mut note = format!(
            "{with} of {} with nulls; the darker the more",
            counted(self.columns.len() as u64, "column", "columns")
        );
        if with > SHOWN {
            note.push_str(&format!("; the {SHOWN} with most are shown"));
        }
        note
    }

    fn table(&self) -> TextTable {
        let rows = self.rows().max(1) as f64;
        let columns = ["Column", "Nulls", "Share"].map(str::to_owned).to_vec();
        let line = |(c, nulls): (usize, u64)| {
            vec![self.columns[c].clone(), grouped(nulls), share(nulls as f64 / rows)]
        };
        let rows = self.with_nulls().into_iter().map(line).collect();
        TextTable { caption: "Columns with nulls".to_owned(), columns, rows }
    }
}
