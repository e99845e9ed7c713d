//! Scatter with density: two numbers against each other, with the spoilt rows over it.

use serde::Serialize;

use super::frame::{Area, Header, MARGIN, Mark, WIDTH, X_AXIS, counted, nothing, x_axis, y_axis, y_labels};
use super::scale::{Scale, measured};
use super::scene::{Ink, Scene};
use super::{Axis, Picture};
use crate::model::TextTable;
use crate::text::grouped;

/// Up to so many rows, all are drawn as dots if they are known.
const DOTS: u64 = 1500;

/// Two numbers against each other: how many rows are where, and single rows.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Scatter {
    /// The number across. Where the axis is logarithmic the edges are, too.
    pub x: Axis,
    /// The number upwards.
    pub y: Axis,
    /// Edges across, rising; one more than there are columns of cells.
    pub x_edges: Vec<f64>,
    /// Edges upwards, rising.
    pub y_edges: Vec<f64>,
    /// Rows in each cell: for each step upwards, all steps across.
    pub counts: Vec<u64>,
    /// Single rows, as (x, y): a sample of at most some thousand, drawn where cells hold few rows. May be empty.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub points: Vec<(f64, f64)>,
    /// Rows with an anomaly: all, or a sample of them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub spoilt: Vec<MarkedPoint>,
    /// Rows of the reference: a sample of them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub reference: Vec<(f64, f64)>,
}

/// A row with an anomaly.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct MarkedPoint {
    /// Across.
    pub x: f64,
    /// Upwards.
    pub y: f64,
    /// Name of the anomaly.
    pub kind: String,
}

impl Scatter {
    fn total(&self) -> u64 {
        self.counts.iter().sum::<u64>().max(self.points.len() as u64)
    }

    /// Dots say more than cells as long as they do not hide each other.
    fn as_dots(&self) -> bool {
        let all = self.points.len() as u64 >= self.total();
        !self.points.is_empty() && (self.total() <= DOTS && all || self.counts.is_empty())
    }

    fn span(edges: &[f64], i: usize, axis: &Axis) -> String {
        match (edges.get(i), edges.get(i + 1)) {
            (Some(&from), Some(&to)) => {
                format!("{} to {}", measured(from, axis.measure), measured(to, axis.measure))
            }
            _ => "–".to_owned(),
        }
    }
}

impl Picture for Scatter {
    fn draw(&self, title: &str) -> Scene {
        if self.total() == 0 {
            return nothing(title, "No row holds both numbers.");
        }
        let dots = self.as_dots();
        let mut legend = vec![if dots {
            (Mark::Dot(Ink::Data), "rows".to_owned())
        } else {
            (Mark::Box(Ink::Data, 0.6), "rows, the darker the more".to_owned())
        }];
        if !self.reference.is_empty() {
            legend.push((Mark::Ring(Ink::Reference), "rows of the reference".to_owned()));
        }
        if let Some(first) = self.spoilt.first() {
            let one = self.spoilt.iter().all(|point| point.kind == first.kind);
            let name = if one { first.kind.clone() } else { "rows with an anomaly".to_owned() };
            legend.push((Mark::Dot(Ink::Spoilt), name));
        }
        let header = Header { title, note: self.note(), legend };
        let top = header.height() + 16.0;
        let bottom = top + 320.0;
        let mut scene = Scene::new(WIDTH, bottom + X_AXIS);
        header.draw(&mut scene);
        let own = if dots { self.points.as_slice() } else { &[] };
        let spoilt = self.spoilt.iter().map(|point| (point.x, point.y));
        let points: Vec<(f64, f64)> = own.iter().chain(&self.reference).copied().chain(spoilt).collect();
        let (x_edges, y_edges) =
            if dots { (&[][..], &[][..]) } else { (&self.x_edges[..], &self.y_edges[..]) };
        let ys = y_edges.iter().copied().chain(points.iter().map(|point| point.1));
        let y = Scale::new(&self.y, ys, bottom, top).with_margin(0.02);
        let area = Area { left: MARGIN + y_labels(&y) + 8.0, right: WIDTH - MARGIN - 8.0, top, bottom };
        let xs = x_edges.iter().copied().chain(points.iter().map(|point| point.0));
        let x = Scale::new(&self.x, xs, area.left, area.right).with_margin(0.02);
        let label = if y.is_log() { format!("{} (log scale)", self.y.label) } else { self.y.label.clone() };
        y_axis(&mut scene, area, &y, &label);
        x_axis(&mut scene, area, &x, &self.x.label, true);
        if dots {
            let (radius, opacity) = if self.points.len() < 50 { (4.0, 0.8) } else { (2.4, 0.45) };
            for &(px, py) in &self.points {
                scene.dot((x.at(px), y.at(py)), radius, Ink::Data, opacity, "");
            }
        } else {
            let across = self.x_edges.len().saturating_sub(1).max(1);
            let most = self.counts.iter().copied().max().unwrap_or(1);
            for (i, &count) in self.counts.iter().enumerate().filter(|(_, count)| **count > 0) {
                let (row, column) = (i / across, i % across);
                let (Some(low), Some(high)) = (self.y_edges.get(row), self.y_edges.get(row + 1)) else {
                    continue;
                };
                let (left, right) = (x.at(self.x_edges[column]), x.at(self.x_edges[column + 1]));
                let (lower, upper) = (y.at(*low), y.at(*high));
                // By the logarithm, since few cells hold most of the rows; a single row is still to be seen.
                let part = libm::log1p(count as f64) / libm::log1p(most as f64);
                let hint = format!(
                    "{} × {}: {}",
                    Scatter::span(&self.x_edges, column, &self.x),
                    Scatter::span(&self.y_edges, row, &self.y),
                    counted(count, "row", "rows")
                );
                let extent = ((right - left - 0.5).max(1.0), (lower - upper - 0.5).max(1.0));
                scene.rect((left, upper), extent, Ink::Data, 0.12 + 0.83 * part, &hint);
            }
        }
        for &(px, py) in &self.reference {
            scene.ring((x.at(px), y.at(py)), 2.4, Ink::Reference, "");
        }
        for point in &self.spoilt {
            let at = (x.at(point.x), y.at(point.y));
            let (px, py) = (measured(point.x, self.x.measure), measured(point.y, self.y.measure));
            scene.dot(at, 3.6, Ink::Ground, 0.8, "");
            scene.dot(at, 2.6, Ink::Spoilt, 0.95, &format!("{}: {px}, {py}", point.kind));
        }
        scene
    }

    fn note(&self) -> String {
        let mut note = counted(self.total(), "row", "rows");
        if !self.spoilt.is_empty() {
            note.push_str(&format!(", {} with an anomaly shown", grouped(self.spoilt.len() as u64)));
        }
        note
    }

    fn table(&self) -> TextTable {
        // Where most rows are: all cells would be thousands of lines.
        let across = self.x_edges.len().saturating_sub(1).max(1);
        let mut order: Vec<usize> = (0..self.counts.len()).filter(|&i| self.counts[i] > 0).collect();
        order.sort_by(|&a, &b| self.counts[b].cmp(&self.counts[a]).then(a.cmp(&b)));
        order.truncate(20);
        let line = |i: usize| {
            let (x, y) = (
                Scatter::span(&self.x_edges, i % across, &self.x),
                Scatter::span(&self.y_edges, i / across, &self.y),
            );
            vec![x, y, grouped(self.counts[i])]
        };
        let columns = vec![self.x.label.clone(), self.y.label.clone(), "Rows".to_owned()];
        TextTable {
            caption: "The cells with most rows".to_owned(),
            columns,
            rows: order.into_iter().map(line).collect(),
        }
    }
}
