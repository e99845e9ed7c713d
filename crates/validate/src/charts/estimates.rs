//! Bars with error bars: figures that are known with an error, such as released statistics.

use serde::Serialize;

use super::frame::{Area, Header, MARGIN, Mark, ROW, SMALL, WIDTH, X_AXIS, nothing, value_name, x_axis};
use super::scale::{Scale, short};
use super::scene::{Anchor, Ink, Scene, shorten, text_width};
use super::{Axis, Picture};
use crate::model::TextTable;
use crate::text::counted;

/// More bars than this are not drawn.
const SHOWN: usize = 120;
/// Room for the names.
const NAMES: f64 = 230.0;

/// Figures with their errors.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Estimates {
    /// What the figures are: `count`.
    pub label: String,
    /// The figures, in the order in which they are to be shown.
    pub estimates: Vec<Estimate>,
}

/// A figure with its error.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Estimate {
    /// What it is of.
    pub label: String,
    /// The figure; none where there is nothing to say.
    pub value: Option<f64>,
    /// Half the width of its 95 % interval.
    pub half_width: f64,
}

impl Estimate {
    fn ends(&self) -> Option<(f64, f64, f64)> {
        self.value.map(|value| (value - self.half_width, value, value + self.half_width))
    }

    fn figure(&self) -> String {
        match self.value {
            Some(value) => format!("{} ± {}", short(value), short(self.half_width)),
            None => "–".to_owned(),
        }
    }
}

impl Picture for Estimates {
    fn draw(&self, title: &str) -> Scene {
        let shown = &self.estimates[..self.estimates.len().min(SHOWN)];
        if shown.iter().all(|estimate| estimate.value.is_none()) {
            return nothing(title, "There are no figures.");
        }
        let legend = vec![
            (Mark::Box(Ink::Data, 0.85), self.label.clone()),
            (Mark::Tick(Ink::Text), "95 % interval".to_owned()),
        ];
        let header = Header { title, note: self.note(), legend };
        let top = header.height();
        let bottom = top + ROW * shown.len() as f64;
        let figures = shown.iter().map(|e| text_width(&e.figure(), SMALL)).fold(0.0, f64::max);
        let name = |estimate: &Estimate| shorten(&value_name(&estimate.label), SMALL, NAMES);
        let names = shown.iter().map(|e| text_width(&name(e), SMALL)).fold(0.0, f64::max);
        let area = Area { left: MARGIN + names + 10.0, right: WIDTH - MARGIN - figures - 12.0, top, bottom };
        let mut scene = Scene::new(WIDTH, bottom + X_AXIS);
        header.draw(&mut scene);
        let ends = shown.iter().filter_map(Estimate::ends).flat_map(|(low, _, high)| [low, high]);
        let axis = Axis::linear(self.label.clone());
        let x = Scale::new(&axis, ends.chain([0.0]), area.left, area.right).with_margin(0.03);
        x_axis(&mut scene, area, &x, &self.label, true);
        let zero = x.at(0.0);
        scene.line(vec![(zero, top), (zero, bottom)], Ink::Absent, 1.0);
        for (i, estimate) in shown.iter().enumerate() {
            let middle = top + ROW * (i as f64 + 0.5);
            scene.text((area.left - 8.0, middle + 4.0), name(estimate), SMALL, Ink::Text, Anchor::End);
            let figure = estimate.figure();
            if let Some((low, value, high)) = estimate.ends() {
                let hint = format!("{}: {figure}", value_name(&estimate.label));
                let (at, low, high) = (x.at(value), x.at(low), x.at(high));
                let (left, right) = (zero.min(at), zero.max(at));
                scene.rect((left, middle - 7.5), ((right - left).max(1.0), 15.0), Ink::Data, 0.85, &hint);
                for (ink, width) in [(Ink::Ground, 3.6), (Ink::Text, 1.4)] {
                    scene.line(vec![(low, middle), (high, middle)], ink, width);
                    for end in [low, high] {
                        scene.line(vec![(end, middle - 4.0), (end, middle + 4.0)], ink, width);
                    }
                }
            }
            scene.text((WIDTH - MARGIN, middle + 4.0), figure, SMALL, Ink::Muted, Anchor::End);
        }
        scene
    }

    fn note(&self) -> String {
        let all = self.estimates.len();
        let mut note = counted(all as u64, "figure with its", "figures with their") + " error";
        if all > SHOWN {
            note.push_str(&format!("; the first {SHOWN} are drawn"));
        }
        note
    }

    fn table(&self) -> TextTable {
        let row = |e: &Estimate| {
            let value = e.value.map_or("–".to_owned(), short);
            vec![e.label.clone(), value, e.value.map_or("–".to_owned(), |_| short(e.half_width))]
        };
        TextTable {
            caption: "Figures with half the widths of their 95 % intervals".to_owned(),
            columns: vec!["Of".to_owned(), self.label.clone(), "±".to_owned()],
            rows: self.estimates.iter().map(row).collect(),
        }
    }
}
