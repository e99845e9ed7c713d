//! Time series with seasonal profiles: what happens over time, and by hour of the day, day of the week or month of the year.

use serde::Serialize;

use super::frame::{
    Area, Header, MARGIN, Mark, SMALL, WIDTH, X_AXIS, counted, nothing, x_axis, y_axis, y_labels,
};
use super::scale::{Scale, measured};
use super::scene::{Anchor, Ink, Scene, shorten, text_width};
use super::{Axis, Picture, spread_of};
use crate::model::TextTable;

/// Height of a profile's bars, and of all that belongs to it.
const PROFILE: (f64, f64) = (110.0, 176.0);

/// Rows, or the mean of a number, per step of time.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Series {
    /// The time.
    pub time: Axis,
    /// What is drawn over it: `rows`, or a column's name.
    pub value: Axis,
    /// Where each step begins, rising, and at the end where the last one ends: one more than there are values.
    pub edges: Vec<f64>,
    /// The value of each step; absent where there are no rows to take a mean of.
    pub values: Vec<Option<f64>>,
    /// Of the reference, step by step; empty where there is none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub reference: Vec<Option<f64>>,
    /// Seasonal profiles; those that the span of time can show.
    pub profiles: Vec<Profile>,
}

/// A seasonal profile: what is usual at each place of a cycle.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Profile {
    /// The cycle: `hour of the day`.
    pub cycle: String,
    /// Places of the cycle: `Mon` …
    pub labels: Vec<String>,
    /// The value at each place, in the series' unit; absent where there are no rows.
    pub values: Vec<Option<f64>>,
    /// What was declared; empty where nothing was.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub declared: Vec<f64>,
    /// Of the reference; empty where there is none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub reference: Vec<Option<f64>>,
}

impl Series {
    /// A scale upwards that begins at 0 where values are near it, and where they are drawn as bars: these lie if they begin elsewhere.
    fn upwards(&self, values: &[f64], bars: bool, bottom: f64, top: f64) -> Scale {
        let finite = || values.iter().copied().filter(|x| x.is_finite());
        let (low, high) =
            (finite().fold(f64::INFINITY, f64::min), finite().fold(f64::NEG_INFINITY, f64::max));
        if low >= 0.0 && (bars || low < high * 0.7 || low == high) {
            return Scale::from_zero(self.value.measure, high, bottom, top);
        }
        let axis = Axis { log: false, ..self.value.clone() };
        Scale::new(&axis, values.iter().copied(), bottom, top).with_margin(0.05)
    }

    fn draw_profile(&self, scene: &mut Scene, profile: &Profile, from: f64) {
        let (top, bottom) = (from + 26.0, from + 26.0 + PROFILE.0);
        let measured_values = profile.values.iter().chain(&profile.reference).flatten();
        let values: Vec<f64> = measured_values.chain(&profile.declared).copied().collect();
        let y = self.upwards(&values, true, bottom, top);
        let area = Area { left: MARGIN + y_labels(&y) + 8.0, right: WIDTH - MARGIN - 8.0, top, bottom };
        y_axis(scene, area, &y, &format!("{} by {}", self.value.label, profile.cycle));
        let width = (area.right - area.left) / profile.labels.len().max(1) as f64;
        let widest = profile.labels.iter().map(|label| text_width(label, SMALL)).fold(0.0, f64::max);
        let every = libm::ceil((widest + 6.0) / width).clamp(1.0, 1000.0) as usize;
        for (i, label) in profile.labels.iter().enumerate() {
            let left = area.left + width * i as f64;
            let middle = left + width / 2.0;
            if i % every == 0 {
                let words = shorten(label, SMALL, width * every as f64);
                scene.text((middle, bottom + 16.0), words, SMALL, Ink::Muted, Anchor::Middle);
            }
            if let Some(value) = profile.values.get(i).copied().flatten() {
                let (at, base) = (y.at(value), y.at(0.0));
                let (at, end) = (at.min(base), at.max(base));
                let hint = format!("{label}: {}", measured(value, self.value.measure));
                scene.rect((left + width * 0.12, at), (width * 0.76, end - at), Ink::Data, 0.75, &hint);
            }
            if let Some(&value) = profile.declared.get(i) {
                let at = y.at(value);
                scene.line(vec![(left + width * 0.04, at), (left + width * 0.96, at)], Ink::Declared, 1.8);
            }
            if let Some(value) = profile.reference.get(i).copied().flatten() {
                scene.dot((middle, y.at(value)), 4.8, Ink::Ground, 1.0, "");
                scene.dot((middle, y.at(value)), 3.4, Ink::Reference, 1.0, "");
            }
        }
        scene.line(vec![(area.left, bottom), (area.right, bottom)], Ink::Absent, 1.0);
    }
}

impl Picture for Series {
    fn draw(&self, title: &str) -> Scene {
        let steps = self.values.len().min(self.edges.len().saturating_sub(1));
        if self.values[..steps].iter().all(Option::is_none) {
            return nothing(title, "There are no points in time.");
        }
        let declared = self.profiles.iter().any(|profile| !profile.declared.is_empty());
        let reference = !self.reference.is_empty() || self.profiles.iter().any(|p| !p.reference.is_empty());
        let mut legend = vec![(Mark::Line(Ink::Data), "data".to_owned())];
        if reference {
            legend.push((Mark::Line(Ink::Reference), "reference".to_owned()));
        }
        if declared {
            legend.push((Mark::Line(Ink::Declared), "as declared".to_owned()));
        }
        let header = Header { title, note: self.note(), legend };
        let top = header.height() + 16.0;
        let bottom = top + 170.0;
        let below = bottom + X_AXIS + 8.0;
        let mut scene = Scene::new(WIDTH, below + PROFILE.1 * self.profiles.len() as f64);
        header.draw(&mut scene);

        let values: Vec<f64> = self.values.iter().chain(&self.reference).flatten().copied().collect();
        let y = self.upwards(&values, false, bottom, top);
        let area = Area { left: MARGIN + y_labels(&y) + 8.0, right: WIDTH - MARGIN - 8.0, top, bottom };
        let x = Scale::new(&self.time, self.edges.iter().copied(), area.left, area.right);
        y_axis(&mut scene, area, &y, &self.value.label);
        x_axis(&mut scene, area, &x, &self.time.label, false);
        for (values, ink) in [(&self.reference, Ink::Reference), (&self.values, Ink::Data)] {
            // Steps without a value break the line.
            let points: Vec<Option<(f64, f64)>> = values
                .iter()
                .zip(self.edges.windows(2))
                .map(|(value, edges)| {
                    value.map(|value| (f64::midpoint(x.at(edges[0]), x.at(edges[1])), y.at(value)))
                })
                .collect();
            for line in points.split(Option::is_none) {
                let line: Vec<(f64, f64)> = line.iter().copied().flatten().collect();
                match line.as_slice() {
                    [] => {}
                    [point] => scene.dot(*point, 2.5, ink, 1.0, ""),
                    _ => scene.line(line, ink, 1.8),
                }
            }
        }
        for (i, profile) in self.profiles.iter().enumerate() {
            self.draw_profile(&mut scene, profile, below + PROFILE.1 * i as f64);
        }
        scene
    }

    fn note(&self) -> String {
        let steps = counted(self.values.len() as u64, "step", "steps");
        match self.edges.as_slice() {
            [first, second, ..] => {
                let step = measured(second - first, spread_of(self.time.measure));
                format!("{steps} of {step}, from {}", measured(*first, self.time.measure))
            }
            _ => steps,
        }
    }

    fn table(&self) -> TextTable {
        let figure = |x: Option<f64>| x.map_or_else(|| "–".to_owned(), |x| measured(x, self.value.measure));
        // With profiles they are what is worth reading; without, some forty steps. The JSON file has all.
        if self.profiles.is_empty() {
            let every = self.values.len().div_ceil(40).max(1);
            let chosen = self.values.iter().zip(&self.edges).step_by(every);
            let rows = chosen
                .map(|(value, &from)| vec![measured(from, self.time.measure), figure(*value)])
                .collect();
            let columns = vec![self.time.label.clone(), self.value.label.clone()];
            return TextTable { caption: "Values over time".to_owned(), columns, rows };
        }
        let mut rows = Vec::new();
        for profile in &self.profiles {
            for (i, label) in profile.labels.iter().enumerate() {
                rows.push(vec![
                    profile.cycle.clone(),
                    label.clone(),
                    figure(profile.values.get(i).copied().flatten()),
                    figure(profile.declared.get(i).copied()),
                    figure(profile.reference.get(i).copied().flatten()),
                ]);
            }
        }
        let columns = ["Cycle", "Place", "Value", "Declared", "Reference"].map(str::to_owned).to_vec();
        TextTable { caption: "Seasonal profiles".to_owned(), columns, rows }
    }
}
