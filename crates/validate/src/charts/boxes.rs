//! Box plot by group: a number's statistics in each category of another column.

use serde::Serialize;

use super::frame::{Area, Header, MARGIN, Mark, SMALL, WIDTH, X_AXIS, counted, nothing, value_name, x_axis};
use super::scale::{Scale, measured};
use super::scene::{Anchor, Ink, Scene, shorten, text_width};
use super::{Axis, Picture, spread_of};
use crate::model::TextTable;
use crate::text::grouped;

/// More groups than this are not drawn.
const SHOWN: usize = 30;
/// From one box to the next.
const STEP: f64 = 28.0;
/// Room for the names.
const NAMES: f64 = 170.0;

/// Statistics of a number by group.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Boxes {
    /// The number.
    pub value: Axis,
    /// What the groups are: usually a column's name.
    pub by: String,
    /// The groups, in the order in which they are to be shown.
    pub groups: Vec<Group>,
}

/// A group. Statistics are of the values that are not null, and absent where there are none.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Group {
    /// Its name.
    pub label: String,
    /// Rows in it.
    pub count: u64,
    /// Of them, nulls.
    pub nulls: u64,
    /// Mean.
    pub mean: Option<f64>,
    /// Standard deviation, with n - 1.
    pub std: Option<f64>,
    /// Least, 5 %, 25 %, 50 %, 75 %, 95 %, greatest.
    pub quantiles: Option<[f64; 7]>,
}

impl Picture for Boxes {
    fn draw(&self, title: &str) -> Scene {
        let drawn = &self.groups[..self.groups.len().min(SHOWN)];
        if drawn.iter().all(|group| group.quantiles.is_none()) {
            return nothing(title, "No group holds a number.");
        }
        let legend = vec![
            (Mark::Box(Ink::Data, 0.35), "middle half".to_owned()),
            (Mark::Tick(Ink::Data), "median".to_owned()),
            (Mark::Line(Ink::Data), "5 % to 95 %".to_owned()),
            (Mark::Ring(Ink::Muted), "least, greatest".to_owned()),
            (Mark::Dot(Ink::Reference), "mean".to_owned()),
        ];
        let header = Header { title, note: self.note(), legend };
        let top = header.height();
        let bottom = top + STEP * drawn.len() as f64;
        let figure = |group: &Group| format!("n = {}", grouped(group.count.saturating_sub(group.nulls)));
        let figures = drawn.iter().map(|group| text_width(&figure(group), SMALL)).fold(0.0, f64::max);
        let names = drawn
            .iter()
            .map(|group| text_width(&value_name(&group.label), SMALL).min(NAMES))
            .fold(0.0, f64::max);
        let area = Area { left: MARGIN + names + 12.0, right: WIDTH - MARGIN - figures - 12.0, top, bottom };
        let mut scene = Scene::new(WIDTH, bottom + X_AXIS);
        header.draw(&mut scene);
        let numbers = drawn.iter().filter_map(|group| group.quantiles).flatten();
        let x = Scale::new(&self.value, numbers, area.left + 6.0, area.right - 6.0);
        x_axis(&mut scene, area, &x, &self.value.label, true);
        for (i, group) in drawn.iter().enumerate() {
            let middle = top + STEP * (i as f64 + 0.5);
            let name = shorten(&value_name(&group.label), SMALL, NAMES);
            scene.text((area.left - 10.0, middle + 4.0), name, SMALL, Ink::Text, Anchor::End);
            scene.text((WIDTH - MARGIN, middle + 4.0), figure(group), SMALL, Ink::Muted, Anchor::End);
            let Some(quantiles) = group.quantiles else { continue };
            let [min, low, q1, median, q3, high, max] = quantiles.map(|q| x.at(q));
            let [least, _, lower, half, upper, _, greatest] =
                quantiles.map(|q| measured(q, self.value.measure));
            let hint = format!(
                "{}: median {half}, middle half {lower} to {upper}, {least} to {greatest} in all",
                value_name(&group.label)
            );
            scene.line(vec![(low, middle), (high, middle)], Ink::Data, 1.5);
            for end in [low, high] {
                scene.line(vec![(end, middle - 4.0), (end, middle + 4.0)], Ink::Data, 1.5);
            }
            let width = (q3 - q1).max(1.0);
            scene.rect((q1, middle - 8.0), (width, 16.0), Ink::Ground, 1.0, "");
            scene.rect((q1, middle - 8.0), (width, 16.0), Ink::Data, 0.35, &hint);
            scene.line(vec![(median, middle - 8.0), (median, middle + 8.0)], Ink::Data, 2.5);
            for end in [min, max] {
                scene.ring((end, middle), 2.5, Ink::Muted, "");
            }
            if let Some(mean) = group.mean {
                let hint =
                    format!("{}: mean {}", value_name(&group.label), measured(mean, self.value.measure));
                scene.dot((x.at(mean), middle), 4.6, Ink::Ground, 1.0, "");
                scene.dot((x.at(mean), middle), 3.3, Ink::Reference, 1.0, &hint);
            }
        }
        scene
    }

    fn note(&self) -> String {
        let groups = counted(self.groups.len() as u64, "group", "groups");
        if self.groups.len() > SHOWN {
            format!("{SHOWN} of {groups} by {}; the table has all", self.by)
        } else {
            format!("{groups} by {}", self.by)
        }
    }

    fn table(&self) -> TextTable {
        let titles =
            ["Rows", "Nulls", "Mean", "Std", "Least", "5 %", "25 %", "Median", "75 %", "95 %", "Greatest"];
        let mut columns = vec![self.by.clone()];
        columns.extend(titles.map(str::to_owned));
        let figure = |x: Option<f64>, measure| x.map_or_else(|| "–".to_owned(), |x| measured(x, measure));
        let measure = self.value.measure;
        let line = |group: &Group| {
            let mut row = vec![group.label.clone(), grouped(group.count), grouped(group.nulls)];
            row.extend([figure(group.mean, measure), figure(group.std, spread_of(measure))]);
            row.extend((0..7).map(|i| figure(group.quantiles.map(|q| q[i]), measure)));
            row
        };
        let rows = self.groups.iter().map(line).collect();
        TextTable { caption: format!("{} by {}", self.value.label, self.by), columns, rows }
    }
}
