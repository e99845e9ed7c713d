//! Bar chart: how often each category occurs; with the declared shares, the spoilt rows and the reference beside it.

use serde::Serialize;

use super::Picture;
use super::frame::{Area, Header, MARGIN, Mark, ROW, SMALL, WIDTH, counted, nothing, value_name};
use super::scale::{Scale, share};
use super::scene::{Anchor, Ink, Scene, shorten, text_width};
use crate::model::{Measure, TextTable};
use crate::text::grouped;

/// More bars than this are not drawn; what they hold is drawn as one.
const SHOWN: usize = 25;
/// Room for the names.
const NAMES: f64 = 210.0;

/// Counts of categories.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Bars {
    /// What the categories are: usually the column's name.
    pub label: String,
    /// The categories that are shown, in the order in which they are to be shown: by falling count, or as declared.
    pub bars: Vec<Bar>,
    /// Rows in categories that are not shown.
    pub others: u64,
    /// How many categories these are; absent where it is not known.
    pub other_categories: Option<u64>,
    /// Rows without a value.
    pub nulls: u64,
}

/// A category.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Bar {
    /// Its name.
    pub label: String,
    /// Rows in it.
    pub count: u64,
    /// Of them, rows with an anomaly; absent where there are none in the table.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub spoilt: Option<u64>,
    /// Its declared share of the rows that are not null, 0 to 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub declared: Option<f64>,
    /// Its share of the rows of the reference that are not null, 0 to 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reference: Option<f64>,
}

/// A bar as it is drawn.
struct Line<'a> {
    name: String,
    count: u64,
    /// The category; none for what is left over.
    bar: Option<&'a Bar>,
}

impl Bars {
    fn total(&self) -> u64 {
        self.bars.iter().map(|bar| bar.count).sum::<u64>() + self.others
    }

    fn lines(&self) -> Vec<Line<'_>> {
        // One bar is not worth a line that says that one is left out.
        let shown = if self.bars.len() > SHOWN + 1 { SHOWN } else { self.bars.len() };
        let (drawn, hidden) = self.bars.split_at(shown);
        let mut lines: Vec<Line<'_>> = drawn
            .iter()
            .map(|bar| Line { name: value_name(&bar.label), count: bar.count, bar: Some(bar) })
            .collect();
        let count = self.others + hidden.iter().map(|bar| bar.count).sum::<u64>();
        if self.others > 0 || !hidden.is_empty() {
            let known = self.others == 0 || self.other_categories.is_some();
            let categories = self.other_categories.unwrap_or(0) + hidden.len() as u64;
            let name = if known { counted(categories, "other", "others") } else { "others".to_owned() };
            lines.push(Line { name, count, bar: None });
        }
        if self.nulls > 0 {
            lines.push(Line { name: "null".to_owned(), count: self.nulls, bar: None });
        }
        lines
    }
}

impl Picture for Bars {
    fn draw(&self, title: &str) -> Scene {
        let total = self.total();
        if total + self.nulls == 0 {
            return nothing(title, "There are no rows.");
        }
        if total == 0 {
            return nothing(title, &format!("All {} are null.", counted(self.nulls, "value", "values")));
        }
        let lines = self.lines();
        let bars = || lines.iter().filter_map(|line| line.bar);
        let mut legend = vec![(Mark::Box(Ink::Data, 0.85), "data".to_owned())];
        if bars().any(|bar| bar.spoilt.is_some_and(|n| n > 0)) {
            legend.push((Mark::Box(Ink::Spoilt, 1.0), "of them with an anomaly".to_owned()));
        }
        if bars().any(|bar| bar.declared.is_some()) {
            legend.push((Mark::Tick(Ink::Declared), "as declared".to_owned()));
        }
        if bars().any(|bar| bar.reference.is_some()) {
            legend.push((Mark::Dot(Ink::Reference), "reference, scaled to as many rows".to_owned()));
        }
        let header = Header { title, note: self.note(), legend };
        let top = header.height();
        let bottom = top + ROW * lines.len() as f64;
        let rows = (total + self.nulls) as f64;
        let figure = |count: u64| format!("{}  ·  {}", grouped(count), share(count as f64 / rows));
        let figures = lines.iter().map(|line| text_width(&figure(line.count), SMALL)).fold(0.0, f64::max);
        let names = lines.iter().map(|line| text_width(&line.name, SMALL).min(NAMES)).fold(0.0, f64::max);
        let area = Area { left: MARGIN + names + 10.0, right: WIDTH - MARGIN - figures - 12.0, top, bottom };
        let mut scene = Scene::new(WIDTH, bottom + 16.0);
        header.draw(&mut scene);
        // Shares that were declared, and those of the reference, are of the values that are not null.
        let of_total = |part: Option<f64>| part.map_or(0.0, |part| part * total as f64);
        let beside = bars().flat_map(|bar| [of_total(bar.declared), of_total(bar.reference)]);
        let highest = lines.iter().map(|line| line.count as f64).chain(beside).fold(0.0, f64::max);
        let x = Scale::from_zero(Measure::Number, highest, area.left, area.right);
        scene.line(vec![(area.left, top), (area.left, bottom)], Ink::Absent, 1.0);
        for (i, line) in lines.iter().enumerate() {
            let middle = top + ROW * (i as f64 + 0.5);
            let name = shorten(&line.name, SMALL, NAMES);
            let ink = if line.bar.is_some() { Ink::Text } else { Ink::Muted };
            scene.text((area.left - 8.0, middle + 4.0), name, SMALL, ink, Anchor::End);
            let mut hint = format!("{}: {}", line.name, figure(line.count));
            if let Some(declared) = line.bar.and_then(|bar| bar.declared) {
                hint.push_str(&format!(", declared {}", share(declared)));
            }
            if let Some(reference) = line.bar.and_then(|bar| bar.reference) {
                hint.push_str(&format!(", reference {}", share(reference)));
            }
            let (y, height) = (middle - 7.5, 15.0);
            let length = |n: u64| if n > 0 { (x.at(n as f64) - area.left).max(1.5) } else { 0.0 };
            let ink = if line.bar.is_some() { Ink::Data } else { Ink::Absent };
            scene.rect((area.left, y), (length(line.count), height), ink, 0.85, &hint);
            if let Some(n) = line.bar.and_then(|bar| bar.spoilt).filter(|&n| n > 0) {
                let hint = format!("{hint}, {} with an anomaly", grouped(n));
                scene.rect((area.left, y), (length(n), height), Ink::Spoilt, 1.0, &hint);
            }
            if let Some(declared) = line.bar.and_then(|bar| bar.declared) {
                let at = x.at(declared * total as f64);
                scene.line(vec![(at, y - 3.0), (at, y + height + 3.0)], Ink::Ground, 5.0);
                scene.line(vec![(at, y - 3.0), (at, y + height + 3.0)], Ink::Declared, 2.2);
            }
            if let Some(reference) = line.bar.and_then(|bar| bar.reference) {
                let at = (x.at(reference * total as f64), middle);
                scene.dot(at, 5.6, Ink::Ground, 1.0, "");
                scene.dot(at, 4.2, Ink::Reference, 1.0, &hint);
            }
            scene.text((WIDTH - MARGIN, middle + 4.0), figure(line.count), SMALL, Ink::Muted, Anchor::End);
        }
        scene
    }

    fn note(&self) -> String {
        let categories = self.bars.len() as u64 + self.other_categories.unwrap_or(0);
        let many = if self.others > 0 && self.other_categories.is_none() { "more than " } else { "" };
        let mut note = counted(self.total(), "value", "values");
        note.push_str(&format!(" in {many}{}", counted(categories, "category", "categories")));
        if self.nulls > 0 {
            note.push_str(&format!(", and {}", counted(self.nulls, "null", "nulls")));
        }
        note
    }

    fn table(&self) -> TextTable {
        let all = (self.total() + self.nulls).max(1) as f64;
        let mut columns = vec![self.label.clone(), "Rows".to_owned(), "Share".to_owned()];
        let spoilt = self.bars.iter().any(|bar| bar.spoilt.is_some());
        let declared = self.bars.iter().any(|bar| bar.declared.is_some());
        let reference = self.bars.iter().any(|bar| bar.reference.is_some());
        let more = [
            (spoilt, "With an anomaly"),
            (declared, "Declared share"),
            (reference, "Share in the reference"),
        ];
        columns.extend(more.iter().filter(|(is, _)| *is).map(|(_, title)| (*title).to_owned()));
        let mut rows = Vec::new();
        for bar in &self.bars {
            let mut row = vec![bar.label.clone(), grouped(bar.count), share(bar.count as f64 / all)];
            row.extend(spoilt.then(|| bar.spoilt.map_or_else(String::new, grouped)));
            row.extend(declared.then(|| bar.declared.map_or_else(String::new, share)));
            row.extend(reference.then(|| bar.reference.map_or_else(String::new, share)));
            rows.push(row);
        }
        for (label, count) in [("(others)", self.others), ("(null)", self.nulls)] {
            if count > 0 {
                let mut row = vec![label.to_owned(), grouped(count), share(count as f64 / all)];
                row.resize(columns.len(), String::new());
                rows.push(row);
            }
        }
        TextTable { caption: "Rows by category".to_owned(), columns, rows }
    }
}
