//! Histogram with density: how numbers are distributed; with the spoilt rows, the declared law and the reference over it.

use serde::Serialize;

use super::frame::{Area, Header, MARGIN, Mark, WIDTH, X_AXIS, counted, nothing, x_axis, y_axis, y_labels};
use super::scale::{Scale, measured};
use super::scene::{Ink, Scene};
use super::{Axis, Picture};
use crate::model::{Measure, TextTable};
use crate::text::{grouped, number};

/// Counts of numbers in bins.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Histogram {
    /// The numbers. Where the axis is logarithmic the edges are, too: their ratios are alike, not their differences.
    pub x: Axis,
    /// Edges of the bins, rising; one more than there are bins. A number on an edge belongs to the bin above it, the last
    /// edge to the last bin. Bins need not be equally wide: what is drawn is counts over widths where they differ.
    pub edges: Vec<f64>,
    /// Rows in each bin.
    pub counts: Vec<u64>,
    /// Of them, rows with an anomaly; empty where there are none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub spoilt: Vec<u64>,
    /// The share of rows that the declared law puts into each bin; empty where none is declared.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub declared: Vec<f64>,
    /// Rows of the reference in each bin; empty where there is none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub reference: Vec<u64>,
    /// Rows that are in no bin because they hold no number.
    pub nulls: u64,
}

impl Histogram {
    fn total(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// The bins by their edges.
    fn bins(&self) -> impl Iterator<Item = (f64, f64)> {
        self.edges.windows(2).map(|pair| (pair[0], pair[1])).take(self.counts.len())
    }

    fn bin_name(&self, (from, to): (f64, f64)) -> String {
        format!("{} to {}", measured(from, self.x.measure), measured(to, self.x.measure))
    }

    /// By what the rows of each bin are multiplied when they are drawn: 1, or less for bins that are wider on the axis
    /// than the narrowest one. And whether that is so.
    fn factors(&self, x: &Scale) -> (Vec<f64>, bool) {
        let widths: Vec<f64> = self.bins().map(|(from, to)| x.place(to) - x.place(from)).collect();
        let widest = widths.iter().copied().fold(0.0, f64::max);
        let narrowest = widths.iter().copied().filter(|&width| width > 0.0).fold(widest, f64::min);
        // A fifth more or less is not seen, and whole numbers on a logarithmic axis are often that uneven.
        let uneven = narrowest < widest * 0.8;
        let factor = |width: &f64| if uneven && *width > 0.0 { narrowest / width } else { 1.0 };
        (widths.iter().map(factor).collect(), uneven)
    }

    /// A smooth line through the bins: the mean height around each place, weighted by a normal curve about as wide as a bin,
    /// or as Silverman's rule says if that is wider.
    fn smoothed(&self, x: &Scale, heights: &[f64]) -> Vec<(f64, f64)> {
        let middles: Vec<f64> =
            self.bins().map(|(from, to)| f64::midpoint(x.place(from), x.place(to))).collect();
        let total = self.total() as f64;
        let weighted = |f: &dyn Fn(f64) -> f64| -> f64 {
            middles.iter().zip(&self.counts).map(|(middle, count)| f(*middle) * *count as f64).sum::<f64>()
                / total
        };
        let mean = weighted(&|middle| middle);
        let variance = weighted(&|middle| (middle - mean) * (middle - mean));
        let bin = 1.0 / middles.len() as f64;
        // Silverman's width would flatten shapes with two tops or sharp ends: three bins at most.
        let width = (0.9 * libm::sqrt(variance) * libm::pow(total, -0.2)).clamp(bin * 0.8, bin * 3.0);
        let points = 160;
        (0..=points)
            .map(|i| {
                let at = f64::from(i) / f64::from(points);
                let (mut sum, mut norm) = (0.0, 0.0);
                for (middle, height) in middles.iter().zip(heights) {
                    let z = (at - middle) / width;
                    if z.abs() < 6.0 {
                        let weight = libm::exp(-0.5 * z * z);
                        sum += weight * height;
                        norm += weight;
                    }
                }
                (at, if norm > 0.0 { sum / norm } else { 0.0 })
            })
            .collect()
    }
}

impl Picture for Histogram {
    fn draw(&self, title: &str) -> Scene {
        let total = self.total();
        if total == 0 || self.edges.len() < 2 {
            return nothing(
                title,
                &match self.nulls {
                    0 => "There are no rows.".to_owned(),
                    1 => "The only row holds no number.".to_owned(),
                    nulls => format!("All {} rows are null.", grouped(nulls)),
                },
            );
        }
        let bins = self.edges.len().min(self.counts.len() + 1) - 1;
        let spoilt = self.spoilt.len() >= bins && self.spoilt.iter().any(|&n| n > 0);
        let reference = self.reference.len() >= bins && self.reference.iter().any(|&n| n > 0);
        let declared = self.declared.len() >= bins;
        let filled = self.counts.iter().filter(|&&n| n > 0).count();
        let smooth = !declared && !reference && total >= 50 && filled >= 8;
        let mut legend = vec![(Mark::Box(Ink::Data, 0.7), "data".to_owned())];
        if spoilt {
            legend.push((Mark::Box(Ink::Spoilt, 1.0), "of them with an anomaly".to_owned()));
        }
        if reference {
            legend.push((Mark::Line(Ink::Reference), "reference, scaled to as many rows".to_owned()));
        }
        if declared {
            legend.push((Mark::Dashed(Ink::Declared), "as declared".to_owned()));
        }
        if smooth {
            legend.push((Mark::Line(Ink::Data), "smoothed".to_owned()));
        }
        let header = Header { title, note: self.note(), legend };
        let top = header.height() + 16.0;
        let bottom = top + 220.0;
        let mut scene = Scene::new(WIDTH, bottom + X_AXIS);
        header.draw(&mut scene);

        let places = Scale::new(&self.x, self.edges.iter().copied(), 0.0, 1.0);
        let (factors, uneven) = self.factors(&places);
        let heights: Vec<f64> = self.counts.iter().zip(&factors).map(|(n, f)| *n as f64 * f).collect();
        let of_reference = total as f64 / self.reference.iter().sum::<u64>().max(1) as f64;
        let other: Vec<f64> =
            self.reference.iter().zip(&factors).map(|(n, f)| *n as f64 * f * of_reference).collect();
        let wanted: Vec<f64> =
            self.declared.iter().zip(&factors).map(|(share, f)| share * f * total as f64).collect();
        let highest = heights.iter().chain(&other).chain(&wanted).copied().fold(0.0, f64::max);
        let y = Scale::from_zero(Measure::Number, highest, bottom, top).whole();
        let left = MARGIN + y_labels(&y) + 8.0;
        let area = Area { left, right: WIDTH - MARGIN - 8.0, top, bottom };
        let x = Scale::new(&self.x, self.edges.iter().copied(), area.left, area.right);
        y_axis(&mut scene, area, &y, if uneven { "rows, by the width of the narrowest bin" } else { "rows" });

        let gap = if bins > 80 { 0.0 } else { 1.0 };
        for (i, bin) in self.bins().enumerate() {
            let (from, to) = (x.at(bin.0), x.at(bin.1));
            // A bin without width, as of a single value, is still to be seen.
            let (from, to) = if to - from < 1.0 { (from - 3.0, from + 3.0) } else { (from, to - gap) };
            let mut hint = format!("{}: {}", self.bin_name(bin), counted(self.counts[i], "row", "rows"));
            if spoilt && self.spoilt[i] > 0 {
                hint.push_str(&format!(", {} with an anomaly", grouped(self.spoilt[i])));
            }
            // So are a few rows beside many.
            let height = |n: u64, least: f64| y.at(n as f64 * factors[i]).min(bottom - least);
            if self.counts[i] > 0 {
                let upper = height(self.counts[i], 1.0);
                scene.rect((from, upper), (to - from, bottom - upper), Ink::Data, 0.7, &hint);
            }
            if spoilt && self.spoilt[i] > 0 {
                let upper = height(self.spoilt[i], 1.5);
                scene.rect((from, upper), (to - from, bottom - upper), Ink::Spoilt, 1.0, &hint);
            }
        }
        if reference {
            let mut steps = vec![(x.at(self.edges[0]), bottom)];
            for (bin, height) in self.bins().zip(&other) {
                steps.extend([(x.at(bin.0), y.at(*height)), (x.at(bin.1), y.at(*height))]);
            }
            steps.push((x.at(self.edges[bins]), bottom));
            scene.line(steps, Ink::Reference, 2.0);
        }
        if declared {
            let middle = |bin: (f64, f64)| f64::midpoint(x.at(bin.0), x.at(bin.1));
            let line: Vec<_> =
                self.bins().zip(&wanted).map(|(bin, height)| (middle(bin), y.at(*height))).collect();
            scene.dashed(line, Ink::Declared, 1.8);
        }
        if smooth {
            let at =
                |(place, height): (f64, f64)| (area.left + (area.right - area.left) * place, y.at(height));
            scene.line(self.smoothed(&places, &heights).into_iter().map(at).collect(), Ink::Data, 2.0);
        }
        x_axis(&mut scene, area, &x, &self.x.label, false);
        scene
    }

    fn note(&self) -> String {
        let mut note = counted(self.total(), "value", "values");
        if self.nulls > 0 {
            note.push_str(&format!(", and {}", counted(self.nulls, "null", "nulls")));
        }
        note
    }

    fn table(&self) -> TextTable {
        let total = self.total() as f64;
        let mut columns = vec![self.x.label.clone(), "Rows".to_owned()];
        let more = [
            (!self.spoilt.is_empty(), "With an anomaly"),
            (!self.declared.is_empty(), "Rows as declared"),
            (!self.reference.is_empty(), "Rows of the reference"),
        ];
        columns.extend(more.iter().filter(|(is, _)| *is).map(|(_, title)| (*title).to_owned()));
        let rows = self.bins().enumerate().map(|(i, bin)| {
            let mut row = vec![self.bin_name(bin), grouped(self.counts[i])];
            row.extend(self.spoilt.get(i).map(|&n| grouped(n)));
            row.extend(self.declared.get(i).map(|share| number(share * total)));
            row.extend(self.reference.get(i).map(|&n| grouped(n)));
            row
        });
        TextTable { caption: "Rows by bin".to_owned(), rows: rows.collect(), columns }
    }
}
