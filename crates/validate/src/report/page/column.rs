//! A column: statistics, charts and checks.

use std::fmt::Write as _;

use super::{Page, badge, checks_of};
use crate::charts::{Chart, escape, measured, spread_of};
use crate::model::{Check, ColumnReport, Measure, NumberSummary, TableReport, TextTable, Verdict};
use crate::text::{grouped, number};

impl Page {
    pub(super) fn column(
        &mut self,
        id: &str,
        table: &TableReport,
        column: &ColumnReport,
        charts: &[(&str, &Chart)],
        open: bool,
    ) {
        let checks: Vec<&Check> = checks_of(table, column).collect();
        let verdict = Verdict::of(checks.iter().copied());
        let about = column.about.as_deref().unwrap_or_default();
        let words = format!("{} {} {} {}", table.name, column.name, column.r#type, about).to_lowercase();
        let open = if open || verdict == Verdict::Fail { " open" } else { "" };
        let summary = &column.summary;
        let mut facts = Vec::new();
        if summary.count > 0 && summary.nulls > 0 {
            facts.push(format!(
                "{} null",
                measured(summary.nulls as f64 / summary.count as f64, Measure::Share)
            ));
        }
        if let Some(distinct) = summary.distinct {
            let about = if distinct.exact { "" } else { "about " };
            facts.push(format!("{about}{} distinct", grouped(distinct.count)));
        }
        if let Some(numbers) = &summary.numbers {
            facts.push(format!(
                "{} to {}",
                measured(numbers.min, summary.measure),
                measured(numbers.max, summary.measure)
            ));
        }
        let mark = if checks.is_empty() { String::new() } else { badge(verdict) };
        let _ = writeln!(
            self.out,
            "<details class=\"column\" id=\"{id}\" data-verdict=\"{}\" data-words=\"{}\"{open}>\n<summary><h4>{}</h4> \
             <code>{}</code> {mark} <span class=\"facts\">{}</span></summary>\n<div>",
            verdict.name(),
            escape(&words),
            escape(&column.name),
            escape(&column.r#type),
            escape(&facts.join(" · "))
        );
        if !about.is_empty() {
            let _ = writeln!(self.out, "<p>{}</p>", escape(about));
        }
        let alone = if charts.is_empty() { " alone" } else { "" };
        let _ = writeln!(self.out, "<div class=\"sides{alone}\">");
        if !charts.is_empty() {
            self.put("<div class=\"charts\">\n");
            for (name, chart) in charts {
                self.figure(name, chart);
            }
            self.put("</div>\n");
        }
        self.statistics(column);
        self.put("</div>\n");
        self.checks(&format!("Checks of {}", column.name), &checks, Some(&column.name));
        self.put("</div>\n</details>\n");
    }

    fn statistics(&mut self, column: &ColumnReport) {
        let summary = &column.summary;
        let mut rows =
            vec![("Rows".to_owned(), grouped(summary.count)), ("Nulls".to_owned(), grouped(summary.nulls))];
        if let Some(distinct) = summary.distinct {
            let about = if distinct.exact { "" } else { "about " };
            rows.push(("Distinct values".to_owned(), format!("{about}{}", grouped(distinct.count))));
        }
        if let Some(numbers) = &summary.numbers {
            rows.extend(figures(numbers, summary.measure));
        }
        self.put("<div class=\"stats\">\n");
        self.pairs("Statistics", &rows);
        if let Some(lengths) = &summary.lengths {
            self.pairs("Lengths in characters", &few_figures(lengths));
        }
        if !summary.top.is_empty() {
            let values = (summary.count - summary.nulls.min(summary.count)).max(1) as f64;
            let rows = summary.top.iter().map(|top| {
                let part = measured(top.count as f64 / values, Measure::Share);
                vec![top.value.clone(), grouped(top.count), part]
            });
            let columns = ["Value", "Rows", "Share of values"].map(str::to_owned).to_vec();
            self.text_table(&TextTable {
                caption: "Most frequent values".to_owned(),
                columns,
                rows: rows.collect(),
            });
        }
        self.put("</div>\n");
    }

    fn pairs(&mut self, caption: &str, rows: &[(String, String)]) {
        let _ = writeln!(self.out, "<table><caption>{}</caption><tbody>", escape(caption));
        for (name, value) in rows {
            let _ = writeln!(
                self.out,
                "<tr><th scope=\"row\">{}</th><td class=\"figure\">{}</td></tr>",
                escape(name),
                escape(value)
            );
        }
        self.put("</tbody></table>\n");
    }
}

/// What is worth reading of the lengths of texts; `report.json` has the rest.
fn few_figures(lengths: &NumberSummary) -> Vec<(String, String)> {
    let length = |x: f64| measured(x, Measure::Number);
    if lengths.min == lengths.max {
        return vec![("All".to_owned(), length(lengths.min))];
    }
    let quantile =
        |p: f64| lengths.quantiles.iter().find(|quantile| quantile.p == p).map(|quantile| quantile.value);
    let rows = [
        ("Least", Some(lengths.min)),
        ("5 %", quantile(0.05)),
        ("Median", quantile(0.5)),
        ("Mean", Some(lengths.mean)),
        ("95 %", quantile(0.95)),
        ("Greatest", Some(lengths.max)),
    ];
    rows.into_iter().filter_map(|(name, value)| Some((name.to_owned(), length(value?)))).collect()
}

fn figures(numbers: &NumberSummary, measure: Measure) -> Vec<(String, String)> {
    let mut rows = vec![
        ("Least".to_owned(), measured(numbers.min, measure)),
        ("Greatest".to_owned(), measured(numbers.max, measure)),
        ("Mean".to_owned(), measured(numbers.mean, measure)),
    ];
    rows.extend(numbers.std.map(|std| ("Standard deviation".to_owned(), measured(std, spread_of(measure)))));
    rows.extend(numbers.skewness.map(|x| ("Skewness".to_owned(), number(x))));
    rows.extend(numbers.kurtosis.map(|x| ("Excess kurtosis".to_owned(), number(x))));
    rows.extend(numbers.quantiles.iter().map(|quantile| {
        let name = if quantile.p == 0.5 {
            "Median".to_owned()
        } else {
            format!("{} % quantile", number(quantile.p * 100.0))
        };
        (name, measured(quantile.value, measure))
    }));
    rows
}
