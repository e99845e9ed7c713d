//! Anomalies: how many were asked for, and how many were found.

use serde::Serialize;

use super::Picture;
use super::frame::{Header, MARGIN, Mark, ROW, SMALL, WIDTH, nothing};
use super::scale::{Scale, share};
use super::scene::{Anchor, Ink, Scene, shorten, text_width};
use crate::model::{Measure, TextTable};
use crate::text::{grouped, number};

/// Room for the names.
const NAMES: f64 = 210.0;

/// The anomalies of a table.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Anomalies {
    /// Rows of the table.
    pub rows: u64,
    /// Rows with at least one.
    pub spoilt: u64,
    /// Anomaly by anomaly, in the ruleset's order.
    pub kinds: Vec<AnomalyKind>,
}

/// One anomaly.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct AnomalyKind {
    /// Its name in the ruleset.
    pub name: String,
    /// What it does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub about: Option<String>,
    /// Rows that were to have it; absent where that is not known.
    pub wanted: Option<f64>,
    /// Rows that have it.
    pub got: u64,
    /// An example: a row and what it was; absent where rows without anomalies are not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub example: Option<String>,
}

impl Picture for Anomalies {
    fn draw(&self, title: &str) -> Scene {
        if self.kinds.is_empty() {
            return nothing(title, "No anomalies were asked for, and none are marked.");
        }
        let mut legend = vec![(Mark::Box(Ink::Spoilt, 0.9), "rows that have it".to_owned())];
        if self.kinds.iter().any(|kind| kind.wanted.is_some()) {
            legend.push((Mark::Tick(Ink::Declared), "asked for".to_owned()));
        }
        let header = Header { title, note: self.note(), legend };
        let top = header.height();
        let bottom = top + ROW * self.kinds.len() as f64;
        let mut scene = Scene::new(WIDTH, bottom + 16.0);
        header.draw(&mut scene);
        let rows = self.rows.max(1) as f64;
        let figure =
            |kind: &AnomalyKind| format!("{}  ·  {}", grouped(kind.got), share(kind.got as f64 / rows));
        let figures = self.kinds.iter().map(|kind| text_width(&figure(kind), SMALL)).fold(0.0, f64::max);
        let names =
            self.kinds.iter().map(|kind| text_width(&kind.name, SMALL).min(NAMES)).fold(0.0, f64::max);
        let (left, right) = (MARGIN + names + 10.0, WIDTH - MARGIN - figures - 12.0);
        let most = self
            .kinds
            .iter()
            .map(|kind| (kind.got as f64).max(kind.wanted.unwrap_or(0.0)))
            .fold(0.0, f64::max);
        let x = Scale::from_zero(Measure::Number, most, left, right);
        scene.line(vec![(left, top), (left, bottom)], Ink::Absent, 1.0);
        for (i, kind) in self.kinds.iter().enumerate() {
            let middle = top + ROW * (i as f64 + 0.5);
            scene.text(
                (left - 8.0, middle + 4.0),
                shorten(&kind.name, SMALL, NAMES),
                SMALL,
                Ink::Text,
                Anchor::End,
            );
            let wanted =
                kind.wanted.map_or_else(String::new, |wanted| format!(", {} asked for", number(wanted)));
            let hint = format!("{}: {}{wanted}", kind.name, figure(kind));
            let length = if kind.got > 0 { (x.at(kind.got as f64) - left).max(1.5) } else { 0.0 };
            scene.rect((left, middle - 7.5), (length, 15.0), Ink::Spoilt, 0.9, &hint);
            if let Some(wanted) = kind.wanted {
                let at = x.at(wanted);
                scene.line(vec![(at, middle - 10.5), (at, middle + 10.5)], Ink::Ground, 5.0);
                scene.line(vec![(at, middle - 10.5), (at, middle + 10.5)], Ink::Declared, 2.2);
            }
            scene.text((WIDTH - MARGIN, middle + 4.0), figure(kind), SMALL, Ink::Muted, Anchor::End);
        }
        scene
    }

    fn note(&self) -> String {
        let part = share(self.spoilt as f64 / self.rows.max(1) as f64);
        format!("{} of {} rows have at least one: {part}", grouped(self.spoilt), grouped(self.rows))
    }

    fn table(&self) -> TextTable {
        let columns = ["Anomaly", "What it does", "Asked for", "Rows", "Share", "Example"];
        let line = |kind: &AnomalyKind| {
            vec![
                kind.name.clone(),
                kind.about.clone().unwrap_or_default(),
                kind.wanted.map_or_else(|| "–".to_owned(), number),
                grouped(kind.got),
                share(kind.got as f64 / self.rows.max(1) as f64),
                kind.example.clone().unwrap_or_default(),
            ]
        };
        let rows = self.kinds.iter().map(line).collect();
        TextTable {
            caption: "Anomalies asked for and found".to_owned(),
            columns: columns.map(str::to_owned).to_vec(),
            rows,
        }
    }
}
