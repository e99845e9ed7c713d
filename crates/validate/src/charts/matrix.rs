//! Heat map: columns with columns (correlation, association), or categories with categories (contingency).

use serde::Serialize;

use super::Picture;
use super::frame::{Header, MARGIN, SMALL, WIDTH, nothing, value_name};
use super::scale;
use super::scene::{Anchor, Ink, Scene, shorten, text_width};
use crate::model::TextTable;
use crate::text;

/// More rows and columns than this are not drawn.
const SHOWN: usize = 40;
/// Room for names beside and above.
const NAMES: f64 = 150.0;

/// A matrix.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Matrix {
    /// What its cells are.
    pub kind: MatrixKind,
    /// What the cells are, in words: `Spearman's rank correlation`.
    pub measure: String,
    /// What the rows are, where that is one thing: a column's name.
    pub row_label: String,
    /// What the columns are.
    pub column_label: String,
    /// Names of the rows.
    pub rows: Vec<String>,
    /// Names of the columns.
    pub columns: Vec<String>,
    /// The cells, row by row; absent where there is no figure.
    pub cells: Vec<Option<f64>>,
}

/// What the cells of a matrix are; decides on colours and on how figures are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum MatrixKind {
    /// -1 to 1, with 0 in the middle: correlations, differences of shares.
    #[default]
    Signed,
    /// 0 to 1: associations, scores.
    Unit,
    /// Shares of the whole, 0 to 1, coloured from 0 to the greatest.
    Share,
    /// Counts, coloured from 0 to the greatest.
    Count,
}

impl Matrix {
    fn cell(&self, row: usize, column: usize) -> Option<f64> {
        self.cells.get(row * self.columns.len() + column).copied().flatten().filter(|x| x.is_finite())
    }

    /// Which rows and columns to draw: all, or those with the greatest figures, in their order.
    fn shown(&self) -> (Vec<usize>, Vec<usize>) {
        let square = self.rows == self.columns;
        let size = |row: usize, column: usize| {
            if square && row == column { 0.0 } else { self.cell(row, column).map_or(0.0, f64::abs) }
        };
        let greatest = |sizes: Vec<f64>| {
            let mut order: Vec<usize> = (0..sizes.len()).collect();
            if order.len() > SHOWN {
                order.sort_by(|&a, &b| sizes[b].total_cmp(&sizes[a]).then(a.cmp(&b)));
                order.truncate(SHOWN);
                order.sort_unstable();
            }
            order
        };
        let (rows, columns) = (self.rows.len(), self.columns.len());
        let by_row = (0..rows).map(|r| (0..columns).map(|c| size(r, c)).fold(0.0, f64::max)).collect();
        let by_column = (0..columns).map(|c| (0..rows).map(|r| size(r, c)).fold(0.0, f64::max)).collect();
        let rows = greatest(by_row);
        // A square matrix need not be symmetric to the last bit; its rows and columns are still the same.
        let columns = if square { rows.clone() } else { greatest(by_column) };
        (rows, columns)
    }

    fn figure(&self, x: f64) -> String {
        match self.kind {
            MatrixKind::Signed | MatrixKind::Unit => {
                let text = format!("{:.2}", x.abs());
                if x < 0.0 && text != "0.00" { format!("−{text}") } else { text }
            }
            MatrixKind::Share => scale::share(x),
            MatrixKind::Count => scale::short(x),
        }
    }
}

impl Picture for Matrix {
    fn draw(&self, title: &str) -> Scene {
        let (rows, columns) = self.shown();
        if rows.is_empty() || columns.is_empty() {
            return nothing(title, "There is nothing to compare.");
        }
        let row_names: Vec<String> = rows.iter().map(|&r| value_name(&self.rows[r])).collect();
        let column_names: Vec<String> = columns.iter().map(|&c| value_name(&self.columns[c])).collect();
        let header = Header { title, note: self.note(), legend: Vec::new() };
        let names = row_names.iter().map(|name| text_width(name, SMALL).min(NAMES)).fold(40.0, f64::max);
        let left = MARGIN + names + 10.0;
        let cell = ((WIDTH - MARGIN - left) / columns.len() as f64).min(96.0);
        let height = cell.clamp(12.0, 34.0);
        let size = if height < 14.0 { 9.0 } else { SMALL };
        // Names of columns lie where they fit, and stand where they do not.
        let lying = column_names.iter().all(|name| text_width(name, SMALL) <= cell - 6.0);
        let heads = column_names.iter().map(|name| text_width(name, size).min(NAMES)).fold(0.0, f64::max);
        let head = if lying { 18.0 } else { heads + 10.0 };
        let labels = if self.column_label.is_empty() && self.row_label.is_empty() { 0.0 } else { 20.0 };
        let top = header.height() + labels + head;
        let bottom = top + height * rows.len() as f64;
        let mut scene = Scene::new(WIDTH, bottom + 44.0);
        header.draw(&mut scene);
        if labels > 0.0 {
            let words = format!("{} (down) × {} (across)", self.row_label, self.column_label);
            let words = shorten(&words, SMALL, WIDTH - 2.0 * MARGIN);
            scene.text((MARGIN, header.height() + 8.0), words, SMALL, Ink::Muted, Anchor::Start);
        }
        let greatest = match self.kind {
            MatrixKind::Signed | MatrixKind::Unit => 1.0,
            MatrixKind::Share | MatrixKind::Count => {
                self.cells.iter().flatten().copied().filter(|x| x.is_finite()).fold(0.0, f64::max)
            }
        };
        for (j, name) in column_names.iter().enumerate() {
            let middle = left + cell * (j as f64 + 0.5);
            if lying {
                scene.text((middle, top - 7.0), name.as_str(), SMALL, Ink::Text, Anchor::Middle);
            } else {
                scene.text_upwards(
                    (middle + size / 3.0, top - 6.0),
                    shorten(name, size, NAMES),
                    size,
                    Ink::Text,
                );
            }
        }
        for (i, &r) in rows.iter().enumerate() {
            let y = top + height * i as f64;
            let name = shorten(&row_names[i], size, NAMES);
            scene.text((left - 8.0, y + height / 2.0 + size / 3.0), name, size, Ink::Text, Anchor::End);
            for (j, &c) in columns.iter().enumerate() {
                let x = left + cell * j as f64;
                let (at, extent) = ((x + 0.5, y + 0.5), (cell - 1.0, height - 1.0));
                let place = format!("{} × {}", row_names[i], column_names[j]);
                let Some(value) = self.cell(r, c) else {
                    scene.rect(at, extent, Ink::Grid, 0.35, &format!("{place}: no figure"));
                    continue;
                };
                let part = if greatest > 0.0 { (value.abs() / greatest).min(1.0) } else { 0.0 };
                let ink = if value < 0.0 { Ink::Reference } else { Ink::Data };
                let words = self.figure(value);
                scene.rect(at, extent, Ink::Ground, 1.0, "");
                scene.rect(at, extent, ink, 0.04 + part * 0.9, &format!("{place}: {words}"));
                if height >= 16.0 && text_width(&words, 10.5) <= cell - 4.0 {
                    let ink = if part > 0.75 && ink == Ink::Data { Ink::Ground } else { Ink::Text };
                    scene.text((x + cell / 2.0, y + height / 2.0 + 3.8), words, 10.5, ink, Anchor::Middle);
                }
            }
        }
        // What the colours mean.
        let signed = self.kind == MatrixKind::Signed;
        let (steps, width, y) = (24, 6.0, bottom + 16.0);
        let low = self.figure(if signed { -greatest } else { 0.0 });
        // Fonts of browsers may be a fifth wider than ours.
        let start = left + text_width(&low, SMALL) * 1.2 + 6.0;
        for i in 0..steps {
            let t = (f64::from(i) + 0.5) / f64::from(steps);
            let (ink, part) = match (signed, t < 0.5) {
                (true, true) => (Ink::Reference, 1.0 - 2.0 * t),
                (true, false) => (Ink::Data, 2.0 * t - 1.0),
                (false, _) => (Ink::Data, t),
            };
            scene.rect((start + width * f64::from(i), y), (width, 10.0), ink, 0.04 + part * 0.9, "");
        }
        scene.text((start - 6.0, y + 9.0), low, SMALL, Ink::Muted, Anchor::End);
        let end = start + width * f64::from(steps) + 6.0;
        scene.text((end, y + 9.0), self.figure(greatest), SMALL, Ink::Muted, Anchor::Start);
        scene
    }

    fn note(&self) -> String {
        let (rows, columns) = self.shown();
        let (all, across) = (self.rows.len(), self.columns.len());
        if rows.len() == all && columns.len() == across {
            return self.measure.clone();
        }
        let (down, over) = (rows.len(), columns.len());
        format!("{}; {down} × {over} of {all} × {across}, those with the greatest figures", self.measure)
    }

    fn table(&self) -> TextTable {
        let (rows, columns) = self.shown();
        let corner = if self.row_label.is_empty() { "Column" } else { &self.row_label };
        let mut titles = vec![corner.to_owned()];
        titles.extend(columns.iter().map(|&c| self.columns[c].clone()));
        let line = |&r: &usize| {
            let mut row = vec![self.rows[r].clone()];
            row.extend(columns.iter().map(|&c| self.cell(r, c).map_or_else(|| "–".to_owned(), text::number)));
            row
        };
        TextTable { caption: self.measure.clone(), columns: titles, rows: rows.iter().map(line).collect() }
    }
}
