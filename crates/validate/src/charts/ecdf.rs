//! ECDF: the share of numbers up to each, beside that of the reference and of the declared law.

use serde::Serialize;

use super::frame::{Area, Header, MARGIN, Mark, WIDTH, X_AXIS, nothing, x_axis, y_axis, y_labels};
use super::scale::{Scale, measured, share};
use super::scene::{Ink, Scene};
use super::{Axis, Picture};
use crate::model::{Measure, TextTable};

/// Empirical distribution functions, at chosen points.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Ecdf {
    /// The numbers.
    pub x: Axis,
    /// Of the data, by rising x.
    pub points: Vec<EcdfPoint>,
    /// Of the reference; empty where there is none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub reference: Vec<EcdfPoint>,
    /// Of the declared law; empty where none is declared.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub declared: Vec<EcdfPoint>,
}

/// A point of a distribution function.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct EcdfPoint {
    /// The number.
    pub x: f64,
    /// The share of numbers up to it, 0 to 1.
    pub share: f64,
}

/// The share of numbers up to x.
fn share_at(points: &[EcdfPoint], x: f64) -> f64 {
    match points.partition_point(|point| point.x <= x) {
        0 => 0.0,
        n => points[n - 1].share,
    }
}

impl Picture for Ecdf {
    fn draw(&self, title: &str) -> Scene {
        if self.points.is_empty() {
            return nothing(title, "There are no numbers.");
        }
        let mut legend = vec![(Mark::Line(Ink::Data), "data".to_owned())];
        if !self.reference.is_empty() {
            legend.push((Mark::Line(Ink::Reference), "reference".to_owned()));
        }
        if !self.declared.is_empty() {
            legend.push((Mark::Dashed(Ink::Declared), "as declared".to_owned()));
        }
        let header = Header { title, note: self.note(), legend };
        let top = header.height() + 22.0;
        let bottom = top + 220.0;
        let mut scene = Scene::new(WIDTH, bottom + X_AXIS);
        header.draw(&mut scene);
        let y = Scale::new(&Axis::of("", Measure::Share), [0.0, 1.0], bottom, top);
        let area = Area { left: MARGIN + y_labels(&y) + 8.0, right: WIDTH - MARGIN - 8.0, top, bottom };
        let numbers = self.points.iter().chain(&self.reference).map(|point| point.x);
        let x = Scale::new(&self.x, numbers, area.left, area.right);
        y_axis(&mut scene, area, &y, "share of the numbers up to this one");
        let steps = |points: &[EcdfPoint]| {
            let (mut line, mut height) = (vec![(area.left, bottom)], bottom);
            for point in points {
                line.push((x.at(point.x), height));
                height = y.at(point.share);
                line.push((x.at(point.x), height));
            }
            line.push((area.right, height));
            line
        };
        if !self.reference.is_empty() {
            scene.line(steps(&self.reference), Ink::Reference, 2.2);
        }
        scene.line(steps(&self.points), Ink::Data, 2.0);
        if !self.declared.is_empty() {
            let line: Vec<_> = self.declared.iter().map(|point| (x.at(point.x), y.at(point.share))).collect();
            scene.dashed(line, Ink::Declared, 1.6);
        }
        x_axis(&mut scene, area, &x, &self.x.label, false);
        scene
    }

    fn note(&self) -> String {
        let (other, name) = match (self.reference.is_empty(), self.declared.is_empty()) {
            (false, _) => (&self.reference, "the reference"),
            (true, false) => (&self.declared, "the declared law"),
            (true, true) => return String::new(),
        };
        let gap = |x: f64| (share_at(&self.points, x) - share_at(other, x)).abs();
        let places = self.points.iter().chain(other).map(|point| point.x);
        let widest = places.map(|x| (gap(x), x)).fold((0.0, 0.0), |a, b| if b.0 > a.0 { b } else { a });
        if widest.0 == 0.0 {
            return format!("The same as {name}");
        }
        format!("Up to {} away from {name}, at {}", share(widest.0), measured(widest.1, self.x.measure))
    }

    fn table(&self) -> TextTable {
        let mut columns = vec![self.x.label.clone(), "Share up to it".to_owned()];
        let others = [(&self.reference, "In the reference"), (&self.declared, "As declared")];
        let others: Vec<_> = others.into_iter().filter(|(points, _)| !points.is_empty()).collect();
        columns.extend(others.iter().map(|(_, title)| (*title).to_owned()));
        // Some twenty points tell the shape; the JSON file has all.
        let every = self.points.len().div_ceil(20).max(1);
        let last = self.points.len().saturating_sub(1);
        let chosen = self.points.iter().enumerate().filter(|(i, _)| i % every == 0 || *i == last);
        let rows = chosen.map(|(_, point)| {
            let mut row = vec![measured(point.x, self.x.measure), share(point.share)];
            row.extend(others.iter().map(|(points, _)| share(share_at(points, point.x))));
            row
        });
        TextTable { caption: "Shares of the numbers".to_owned(), rows: rows.collect(), columns }
    }
}
