//! What all charts share: size, title, legend, axes and grid.

use super::scale::Scale;
use super::scene::{Anchor, Ink, Scene, shorten, text_width};

/// Width of every chart in pixels.
pub(crate) const WIDTH: f64 = 640.0;
/// Space at the outer edges.
pub(crate) const MARGIN: f64 = 14.0;
const TITLE: f64 = 15.0;
/// Room for a word of the legend.
const LEGEND: f64 = 280.0;
/// Size of labels.
pub(crate) const SMALL: f64 = 11.5;
/// From one row of bars, boxes or cells to the next.
pub(crate) const ROW: f64 = 24.0;

/// How something looks in the plot, for the legend.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Mark {
    Box(Ink, f64),
    Line(Ink),
    Dashed(Ink),
    Dot(Ink),
    Ring(Ink),
    Tick(Ink),
}

/// The plot itself, within the axes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Area {
    pub(crate) left: f64,
    pub(crate) right: f64,
    pub(crate) top: f64,
    pub(crate) bottom: f64,
}

/// Title, what is to be known beside it, and a legend. A legend of one thing is none.
pub(crate) struct Header<'a> {
    pub(crate) title: &'a str,
    pub(crate) note: String,
    pub(crate) legend: Vec<(Mark, String)>,
}

impl Header<'_> {
    /// Where the plot begins, with room for the label of its axis.
    pub(crate) fn height(&self) -> f64 {
        let note = if self.note.is_empty() { 0.0 } else { 18.0 };
        40.0 + note + 20.0 * self.places().iter().map(|(line, _)| line + 1).max().unwrap_or(0) as f64
    }

    /// Line and left edge of each entry of the legend.
    fn places(&self) -> Vec<(usize, f64)> {
        if self.legend.len() < 2 {
            return Vec::new();
        }
        let (mut line, mut x) = (0, MARGIN);
        let place = |(_, label): &(Mark, String)| {
            let width = 22.0 + text_width(label, SMALL).min(LEGEND);
            if x > MARGIN && x + width > WIDTH - MARGIN {
                (line, x) = (line + 1, MARGIN);
            }
            let place = (line, x);
            x += width + 18.0;
            place
        };
        self.legend.iter().map(place).collect()
    }

    pub(crate) fn draw(&self, scene: &mut Scene) {
        let room = WIDTH - 2.0 * MARGIN;
        scene.text((MARGIN, 24.0), shorten(self.title, TITLE, room), TITLE, Ink::Text, Anchor::Start);
        let mut below = 44.0;
        if !self.note.is_empty() {
            scene.text((MARGIN, 42.0), shorten(&self.note, SMALL, room), SMALL, Ink::Muted, Anchor::Start);
            below = 62.0;
        }
        for ((mark, label), (line, x)) in self.legend.iter().zip(self.places()) {
            let y = below + 20.0 * line as f64;
            let middle = y - 4.0;
            match *mark {
                Mark::Box(ink, opacity) => scene.rect((x, middle - 5.0), (14.0, 10.0), ink, opacity, ""),
                Mark::Line(ink) => scene.line(vec![(x, middle), (x + 16.0, middle)], ink, 2.0),
                Mark::Dashed(ink) => scene.dashed(vec![(x, middle), (x + 18.0, middle)], ink, 2.0),
                Mark::Dot(ink) => scene.dot((x + 7.0, middle), 4.0, ink, 1.0, ""),
                Mark::Ring(ink) => scene.ring((x + 7.0, middle), 4.0, ink, ""),
                Mark::Tick(ink) => {
                    scene.line(vec![(x + 7.0, middle - 7.0), (x + 7.0, middle + 7.0)], ink, 2.5)
                }
            }
            scene.text((x + 22.0, y), shorten(label, SMALL, LEGEND), SMALL, Ink::Muted, Anchor::Start);
        }
    }
}

/// A picture that says in words why there is nothing to draw.
pub(crate) fn nothing(title: &str, why: &str) -> Scene {
    let mut scene = Scene::new(WIDTH, 120.0);
    Header { title, note: String::new(), legend: Vec::new() }.draw(&mut scene);
    scene.rect((MARGIN, 44.0), (WIDTH - 2.0 * MARGIN, 60.0), Ink::Grid, 0.45, "");
    let why = shorten(why, 13.0, WIDTH - 6.0 * MARGIN);
    scene.text((WIDTH / 2.0, 78.0), why, 13.0, Ink::Muted, Anchor::Middle);
    scene
}

/// Room that the labels of an upright axis need.
pub(crate) fn y_labels(y: &Scale) -> f64 {
    y.ticks(44.0).iter().map(|(_, label)| text_width(label, SMALL)).fold(0.0, f64::max)
}

/// Grid lines and labels of an upright axis.
pub(crate) fn y_axis(scene: &mut Scene, area: Area, y: &Scale, label: &str) {
    for (value, text) in y.ticks(44.0) {
        let at = y.at(value);
        scene.line(vec![(area.left, at), (area.right, at)], Ink::Grid, 1.0);
        scene.text((area.left - 7.0, at + 4.0), text, SMALL, Ink::Muted, Anchor::End);
    }
    if !label.is_empty() {
        let label = shorten(label, SMALL, WIDTH / 2.0);
        scene.text((MARGIN, area.top - 9.0), label, SMALL, Ink::Muted, Anchor::Start);
    }
}

/// Base line, ticks and labels of an axis across, and its name below. Labels that would touch are left out.
pub(crate) fn x_axis(scene: &mut Scene, area: Area, x: &Scale, label: &str, grid: bool) {
    let widest = x.ticks(60.0).iter().map(|(_, label)| text_width(label, SMALL)).fold(20.0, f64::max);
    let mut free = f64::NEG_INFINITY;
    for (value, text) in x.ticks((widest + 26.0).max(60.0)) {
        let at = x.at(value);
        let half = text_width(&text, SMALL) / 2.0;
        let middle = at.clamp(half + 2.0, WIDTH - half - 2.0);
        if grid {
            scene.line(vec![(at, area.top), (at, area.bottom)], Ink::Grid, 1.0);
        }
        if middle - half < free {
            continue;
        }
        free = middle + half + 6.0;
        scene.line(vec![(at, area.bottom), (at, area.bottom + 4.0)], Ink::Absent, 1.0);
        scene.text((middle, area.bottom + 17.0), text, SMALL, Ink::Muted, Anchor::Middle);
    }
    scene.line(vec![(area.left, area.bottom), (area.right, area.bottom)], Ink::Absent, 1.0);
    if !label.is_empty() {
        let label = if x.is_log() { format!("{label} (log scale)") } else { label.to_owned() };
        let middle = f64::midpoint(area.left, area.right);
        let label = shorten(&label, SMALL, area.right - area.left);
        scene.text((middle, area.bottom + 35.0), label, SMALL, Ink::Muted, Anchor::Middle);
    }
}

/// Height that [`x_axis`] needs below the plot.
pub(crate) const X_AXIS: f64 = 44.0;

/// `of` a number of things, in words: `1,000 values`, `1 value`.
pub(crate) fn counted(n: u64, one: &str, many: &str) -> String {
    if n == 1 { format!("1 {one}") } else { format!("{} {many}", crate::text::grouped(n)) }
}

/// A value as a label: what would not be seen is put in quotes.
pub(crate) fn value_name(value: &str) -> String {
    if value.trim().is_empty() || value.trim() != value { format!("“{value}”") } else { value.to_owned() }
}
