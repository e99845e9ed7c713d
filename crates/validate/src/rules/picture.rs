//! A table's part of the report: statistics and charts.

use lookalike_core::declared::{self, Promise, Spread};
use lookalike_ruleset::{Field, Type};

use super::found::{ColumnFound, Found};
use super::table::Prepared;
use crate::charts::{Anomalies, AnomalyKind, Axis, Boxes, Chart, ChartData, Group, Profile, Series};
use crate::model::{ColumnReport, TableReport};
use crate::statistics::{Declared, Picture, Statistics};

impl Prepared {
    pub(super) fn report(&self, found: &Found) -> TableReport {
        let mut columns = Vec::new();
        let (mut charts, mut timed) = (Vec::new(), Vec::new());
        let mut labels = found.labels.iter();
        for field in &self.rules.schema.fields {
            let at = self.rules.declared.columns.iter().position(|column| column.name == field.name);
            let statistics = match at {
                Some(at) => Some(&found.columns[at].statistics),
                None => labels.next(),
            };
            let Some(statistics) = statistics else { continue };
            columns.push(ColumnReport {
                name: field.name.clone(),
                r#type: field.ty.to_string(),
                about: field.about.clone(),
                summary: statistics.summary(),
            });
            let picture = match at {
                Some(at) => self.picture(at, statistics, &found.columns[at]),
                None => statistics.picture(&field.name, &Declared::Nothing),
            };
            let data: Option<ChartData> = picture.map(|picture| match picture {
                Picture::Bars(bars) => bars.into(),
                Picture::Histogram(histogram) => histogram.into(),
            });
            charts.extend(data.map(|data| Chart::new(&field.name, [&field.name], data)));
            if let Some(season) = at.and_then(|at| self.season(at, &found.columns[at])) {
                timed.push(field.name.as_str());
                charts.push(season);
            }
        }
        if let Some(label) = &self.rules.declared.label {
            let kinds = self.rules.declared.anomalies.iter().map(|anomaly| AnomalyKind {
                name: anomaly.name.clone(),
                about: anomaly.about.clone(),
                wanted: anomaly.rows.filter(|_| self.rules.whole).map(|wanted| wanted as f64),
                got: found.anomalies.get(&anomaly.name).copied().unwrap_or(0),
                example: found.examples.get(&anomaly.name).cloned(),
            });
            let data = Anomalies { rows: found.rows, spoilt: found.spoilt, kinds: kinds.collect() };
            charts.push(Chart::new("Anomalies", [label], data));
        }
        let mut sampled = found.sample.charts(
            &self.rules.schema.fields,
            self.rules.declared.label.as_deref(),
            &timed,
            found.rows,
        );
        if let Some(by) = &self.rules.by {
            let grouped = self.boxes(found, by);
            // Once is enough, and from all rows.
            sampled.retain(|chart| grouped.iter().all(|grouped| grouped.title != chart.title));
            charts.extend(grouped);
        }
        charts.extend(sampled);
        TableReport {
            name: self.rules.schema.table.clone(),
            about: self.rules.about.clone(),
            rows: found.rows,
            notes: self.rules.notes(),
            columns,
            checks: Vec::new(),
            charts,
        }
    }

    /// Statistics by group: a chart for each column of numbers.
    fn boxes(&self, found: &Found, by: &str) -> Vec<Chart> {
        let numeric: Vec<_> = self.numeric_fields().collect();
        let chart = |(at, field): (usize, &&Field)| {
            let scale = crate::statistics::scale(field.ty);
            let groups = found.groups.iter().filter_map(|(label, columns)| {
                let (count, nulls, numbers) = columns.get(at)?;
                let quantiles = numbers.quantiles(&[0.05, 0.25, 0.5, 0.75, 0.95]).zip(numbers.range());
                let quantiles = quantiles.map(|(q, (min, max))| {
                    [min, q[0], q[1], q[2], q[3], q[4], max].map(|value| value * scale)
                });
                Some(Group {
                    label: label.clone(),
                    count: *count,
                    nulls: *nulls,
                    mean: numbers.mean().map(|mean| mean * scale),
                    std: numbers.moments().std().map(|std| std * scale),
                    quantiles,
                })
            });
            let groups: Vec<Group> = groups.collect();
            let value = Axis { log: spans_magnitudes(field.ty, &groups), ..axis(field) };
            let data = Boxes { value, by: by.to_owned(), groups, sample_of: None };
            Chart::new(format!("{} by {by}", field.name), [field.name.as_str(), by], data)
        };
        numeric.iter().enumerate().filter(|(_, field)| field.name != by).map(chart).collect()
    }

    fn picture(&self, at: usize, statistics: &Statistics, found: &ColumnFound) -> Option<Picture> {
        let column = &self.rules.declared.columns[at];
        // Of several cases: each by the rows that it has.
        let rows: u64 = found.leaves.iter().map(|leaf| leaf.rows - leaf.nulls).sum();
        let known = rows > 0 && rows == found.clean_rows - found.clean_nulls;
        let weights: Vec<f64> =
            found.leaves.iter().map(|leaf| (leaf.rows - leaf.nulls) as f64 / rows.max(1) as f64).collect();
        let spread = |leaf: &declared::Leaf| match &leaf.promise {
            Promise::Spread(spread) => Some(spread.clone()),
            _ => None,
        };
        let spreads: Option<Vec<Spread>> = column.leaves.iter().map(spread).collect();
        if let Some(spreads) = spreads.filter(|_| known) {
            let cdf =
                |x: f64| spreads.iter().zip(&weights).map(|(spread, weight)| weight * spread.cdf(x)).sum();
            return statistics.picture(&column.name, &Declared::Cdf(&cdf));
        }
        let shares = |leaf: &declared::Leaf| match &leaf.promise {
            Promise::Shares(shares) => Some(shares.clone()),
            _ => None,
        };
        let all: Option<Vec<Vec<(String, f64)>>> = column.leaves.iter().map(shares).collect();
        if let Some(all) = all.filter(|_| known) {
            let of = |name: &str| {
                let share = |list: &Vec<(String, f64)>| {
                    list.iter().find(|(known, _)| known == name).map_or(0.0, |(_, s)| *s)
                };
                Some(all.iter().zip(&weights).map(|(list, weight)| weight * share(list)).sum::<f64>())
            };
            return statistics.picture(&column.name, &Declared::Shares(&of));
        }
        statistics.picture(&column.name, &Declared::Nothing)
    }

    /// Seasonal profiles of a column of times.
    fn season(&self, at: usize, found: &ColumnFound) -> Option<Chart> {
        let prepared = &self.columns[at];
        let name = &self.rules.declared.columns[at].name;
        let profiles = prepared.leaves.iter().zip(&found.leaves).flat_map(|(prepared, found)| {
            prepared.cycles.iter().zip(&found.cycles).map(|((cycle, shares), counts)| {
                let n: u64 = counts.iter().sum();
                Profile {
                    cycle: cycle.name().to_owned(),
                    labels: (0..cycle.places()).map(|at| cycle.label(at)).collect(),
                    values: counts.iter().map(|count| Some(*count as f64)).collect(),
                    declared: shares.iter().map(|share| share * n as f64).collect(),
                    reference: Vec::new(),
                }
            })
        });
        let profiles: Vec<Profile> = profiles.collect();
        if profiles.is_empty() {
            return None;
        }
        let Some(Picture::Histogram(histogram)) = found.statistics.picture(name, &Declared::Nothing) else {
            return None;
        };
        let values = histogram.counts.iter().map(|count| Some(*count as f64)).collect();
        let value = Axis::linear("rows");
        let data = Series {
            time: histogram.x,
            value,
            edges: histogram.edges,
            values,
            reference: Vec::new(),
            profiles,
        };
        Some(Chart::new(format!("{name} over time"), [name], data))
    }
}

fn axis(field: &Field) -> Axis {
    Axis::of(&field.name, field.ty.into())
}

/// Whether a logarithmic axis shows groups of numbers better: where all are above 0, and the middle nine tenths of all groups
/// together span more than a factor of 20.
fn spans_magnitudes(ty: Type, groups: &[Group]) -> bool {
    let quantiles = || groups.iter().filter_map(|group| group.quantiles);
    let least = |at: usize| quantiles().map(|values| values[at]).fold(f64::INFINITY, f64::min);
    let high = quantiles().map(|values| values[5]).fold(0.0, f64::max);
    let plain = matches!(ty, Type::Int | Type::Float | Type::Decimal(_) | Type::Duration);
    plain && least(0) > 0.0 && least(0).is_finite() && high > 20.0 * least(1)
}
