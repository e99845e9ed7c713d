//! The page: one file that needs nothing else, neither a network nor a server.
//!
//! Every text that comes from the data goes through [`escape`]; markup is written here only. Charts wait in templates until
//! they come into view, so that a page of a thousand columns opens at once.

mod column;
mod legend;

use std::fmt::Write as _;

use super::summary::headline;
use super::{named_charts, subject};
use crate::charts::{Chart, ChartData, escape};
use crate::model::{Check, ColumnReport, DataFile, Question, Report, TableReport, TextTable, Verdict};
use crate::text::{counted, grouped, number};

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");
/// Colours in the dark; in the style sheet they are needed at two places.
const DARK: &str = "--ground: #14181d; --raised: #1b2027; --line: #343c47; --text: #e6e9ed; --muted: #a2acb9; --link: #7db7f0; \
    --pass: #7fd694; --pass-ground: #16321e; --fail: #ff9d94; --fail-ground: #3f1a18; --note: #f0c36a; --note-ground: #3a2c0e; \
    --ink-text: #e6e9ed; --ink-muted: #a2acb9; --ink-grid: #2c343e; --ink-ground: #14181d; --ink-data: #5aa5e8; \
    --ink-reference: #f2ae3a; --ink-spoilt: #ff7a52; --ink-declared: #f2f4f7; --ink-absent: #5c6875;";
/// Up to so many columns are open from the start.
const OPEN: usize = 24;

/// The report as a page; with links to the files of the charts where these are written.
pub(super) fn page(report: &Report, links: bool) -> String {
    let mut page = Page { out: String::with_capacity(1 << 18), links };
    page.head(report);
    page.index(report);
    page.out.push_str("<main id=\"main\" tabindex=\"-1\">\n");
    page.verdict(report);
    page.failures(report);
    page.scorecard(report);
    let names = named_charts(report);
    let mut charts = names.iter();
    let columns: usize = report.tables.iter().map(|table| table.columns.len()).sum();
    for (t, table) in report.tables.iter().enumerate() {
        let charts: Vec<(&str, &Chart)> =
            charts.by_ref().take(table.charts.len()).map(|(name, chart)| (name.as_str(), *chart)).collect();
        page.table(t, table, &charts, columns <= OPEN);
    }
    page.privacy(report);
    page.provenance(report);
    page.legend(report);
    let program = escape(&report.provenance.program);
    page.put(&format!(
        "<footer><p>Made by {program}. The same numbers are in <code>report.json</code>.</p></footer>\n"
    ));
    page.put(&format!("</main>\n</div>\n<script>\n{SCRIPT}</script>\n</body>\n</html>\n"));
    page.out
}

struct Page {
    out: String,
    links: bool,
}

fn badge(verdict: Verdict) -> String {
    let word = match verdict {
        Verdict::Pass => "passed",
        Verdict::Fail => "failed",
        Verdict::Info => "figure",
        Verdict::Skipped => "skipped",
    };
    format!("<span class=\"badge {}\">{word}</span>", verdict.name())
}

fn metric_id(name: &str) -> String {
    let id: String = name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    format!("metric-{id}")
}

/// Where a check is shown: at its column, else at its table.
fn anchor(report: &Report, check: &Check) -> Option<String> {
    let t = report.tables.iter().position(|table| table.name == check.table)?;
    let column = match check.columns.as_slice() {
        [name] => report.tables[t].columns.iter().position(|column| column.name == *name),
        _ => None,
    };
    Some(column.map_or_else(|| format!("t{t}"), |c| format!("t{t}c{c}")))
}

impl Page {
    fn put(&mut self, markup: &str) {
        self.out.push_str(markup);
    }

    fn head(&mut self, report: &Report) {
        let title = escape(&report.title);
        let word = match report.verdict {
            Verdict::Pass => "passed",
            Verdict::Fail => "failed",
            Verdict::Info | Verdict::Skipped => "not judged",
        };
        let style = STYLE.replace("DARK", DARK);
        let _ = write!(
            self.out,
            "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; img-src data:; style-src 'unsafe-inline'; \
             script-src 'unsafe-inline'; base-uri 'none'; form-action 'none'\">\n\
             <link rel=\"icon\" href=\"data:,\">\n\
             <title>{title}: {word}</title>\n<style>\n{style}</style>\n</head>\n<body>\n\
             <a class=\"skip\" href=\"#main\">To the report</a>\n<div class=\"page\">\n"
        );
    }

    fn index(&mut self, report: &Report) {
        self.put(
            "<nav class=\"index\" aria-label=\"Index\">\n<label class=\"hidden\" for=\"search\">Search for columns</label>\n\
             <input type=\"search\" id=\"search\" placeholder=\"Search for columns  ( / )\" autocomplete=\"off\" spellcheck=\"false\">\n\
             <label class=\"check\"><input type=\"checkbox\" id=\"failed\"> only those with failed checks</label>\n\
             <p id=\"found\" role=\"status\" class=\"lead\"></p>\n\
             <div class=\"tools\"><button type=\"button\" id=\"open\">Open all</button><button type=\"button\" id=\"close\">Close all</button>\
             <button type=\"button\" id=\"theme\">Light or dark</button></div>\n<details id=\"contents\" open><summary>Contents</summary>\n<ol>\n\
             <li><a href=\"#verdict\">Verdict</a></li>\n<li><a href=\"#scorecard\">Scorecard</a></li>\n",
        );
        for (t, table) in report.tables.iter().enumerate() {
            let verdict = Verdict::of(&table.checks);
            let mark = if verdict == Verdict::Fail { badge(verdict) } else { String::new() };
            let _ = writeln!(
                self.out,
                "<li><a href=\"#t{t}\"><strong>{}</strong>{mark}</a>\n<ul>",
                escape(&table.name)
            );
            for (c, column) in table.columns.iter().enumerate() {
                let failed = checks_of(table, column).any(|check| check.verdict == Verdict::Fail);
                let mark = if failed { badge(Verdict::Fail) } else { String::new() };
                let name = escape(&column.name);
                let _ = writeln!(
                    self.out,
                    "<li data-for=\"t{t}c{c}\"><a href=\"#t{t}c{c}\">{name}{mark}</a></li>"
                );
            }
            self.put("</ul></li>\n");
        }
        let privacy =
            if report.privacy.is_some() { "<li><a href=\"#privacy\">Privacy</a></li>\n" } else { "" };
        let _ = writeln!(
            self.out,
            "{privacy}<li><a href=\"#provenance\">Provenance</a></li>\n<li><a href=\"#metrics\">Metrics</a></li>\n</ol>\n</details>\n</nav>"
        );
    }

    fn verdict(&mut self, report: &Report) {
        let failed = report.failures().count();
        let judged =
            report.checks().filter(|check| matches!(check.verdict, Verdict::Pass | Verdict::Fail)).count();
        let skipped = report.checks().filter(|check| check.verdict == Verdict::Skipped).count();
        let rows: u64 = report.tables.iter().map(|table| table.rows).sum();
        let (class, word) = match report.verdict {
            Verdict::Pass => ("pass", "Passed"),
            Verdict::Fail => ("fail", "Failed"),
            Verdict::Info | Verdict::Skipped => ("info", "Not judged"),
        };
        let tables = counted(report.tables.len() as u64, "table", "tables");
        let mut more = format!("{} in {tables}", counted(rows, "row", "rows"));
        if skipped > 0 {
            let _ = write!(more, "; {} could not be computed", grouped(skipped as u64));
        }
        let _ = writeln!(
            self.out,
            "<header id=\"verdict\">\n<h1>{}</h1>\n<div class=\"verdict {class}\" role=\"status\"><strong>{word}</strong> \
             <span>{}. {more}.</span></div>",
            escape(&report.title),
            headline(failed, judged)
        );
        if !report.for_release {
            let hushed = report.checks().filter(|check| !check.for_release).count();
            let _ = writeln!(
                self.out,
                "<div class=\"private\" role=\"note\"><strong>Not for release.</strong> This report compares with private rows: \
                 {} and every chart with this frame say something of them. Do not pass it on.</div>",
                counted(hushed as u64, "check", "checks")
            );
        }
        self.put("</header>\n");
    }

    fn failures(&mut self, report: &Report) {
        let failures: Vec<&Check> = report.failures().collect();
        if failures.is_empty() {
            return;
        }
        self.put("<section aria-labelledby=\"failures\">\n<h2 id=\"failures\">What failed, and why</h2>\n");
        self.put("<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-labelledby=\"failures\"><table>\n<thead><tr>");
        self.put("<th scope=\"col\">Where</th><th scope=\"col\">Metric</th><th scope=\"col\">What was found</th></tr></thead>\n<tbody>\n");
        for check in failures {
            let place = escape(&subject(check));
            let place = match anchor(report, check) {
                Some(anchor) => format!("<a href=\"#{anchor}\">{place}</a>"),
                None => place,
            };
            let _ = writeln!(
                self.out,
                "<tr><th scope=\"row\">{place}</th><td class=\"name\"><a href=\"#{}\">{}</a></td><td class=\"words\">{}{}</td></tr>",
                metric_id(check.metric.name),
                escape(check.metric.name),
                escape(&check.message),
                hushed(check.for_release)
            );
        }
        self.put("</tbody></table></div>\n</section>\n");
    }

    fn scorecard(&mut self, report: &Report) {
        self.put("<section aria-labelledby=\"scorecard\">\n<h2 id=\"scorecard\">Scorecard</h2>\n");
        self.put(
            "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-labelledby=\"scorecard\"><table>\n",
        );
        self.put("<caption>The eight attributes of good synthetic data</caption>\n<thead><tr><th scope=\"col\">Attribute</th>");
        self.put("<th scope=\"col\">Verdict</th><th scope=\"col\">What it asks for</th><th scope=\"col\">What was found</th></tr></thead>\n<tbody>\n");
        for score in &report.scorecard {
            let _ = writeln!(
                self.out,
                "<tr><th scope=\"row\">{}</th><td>{}</td><td>{}</td><td>{}</td></tr>",
                score.attribute.title(),
                badge_of_score(score.verdict),
                score.attribute.meaning(),
                escape(&score.message)
            );
        }
        self.put("</tbody></table></div>\n</section>\n");
    }

    fn table(&mut self, t: usize, table: &TableReport, charts: &[(&str, &Chart)], open: bool) {
        let name = escape(&table.name);
        let _ = writeln!(self.out, "<section aria-labelledby=\"t{t}\">\n<h2 id=\"t{t}\">{name}</h2>");
        if let Some(about) = &table.about {
            let _ = writeln!(self.out, "<p>{}</p>", escape(about));
        }
        let judged = |verdict| table.checks.iter().filter(|check| check.verdict == verdict).count() as u64;
        let _ = writeln!(
            self.out,
            "<p class=\"lead\">{}, {}; {} passed, {} failed.</p>",
            counted(table.rows, "row", "rows"),
            counted(table.columns.len() as u64, "column", "columns"),
            counted(judged(Verdict::Pass), "check", "checks"),
            grouped(judged(Verdict::Fail))
        );
        if !table.notes.is_empty() {
            let _ = writeln!(self.out, "<ul class=\"notes\" aria-label=\"Notes on {name}\">");
            for note in &table.notes {
                let _ = writeln!(self.out, "<li>{}{}</li>", escape(&note.text), hushed(note.for_release));
            }
            self.put("</ul>\n");
        }
        let known = |names: &[String]| matches!(names, [name] if table.columns.iter().any(|column| column.name == *name));
        // Pairs of columns are many, and the charts show them together: those that are as they should be wait to be opened.
        let is_quiet_pair = |check: &&Check| {
            check.metric.question == Question::Reference
                && check.columns.len() > 1
                && check.verdict != Verdict::Fail
        };
        let whole = table.checks.iter().filter(|check| !known(&check.columns));
        let (pairs, checks): (Vec<&Check>, Vec<&Check>) = whole.partition(is_quiet_pair);
        self.checks(&format!("Checks of {} as a whole, and across columns", table.name), &checks, None);
        if !pairs.is_empty() {
            let _ = writeln!(
                self.out,
                "<details class=\"more\"><summary>{} of pairs of columns, none of which failed</summary><template>",
                counted(pairs.len() as u64, "check", "checks")
            );
            self.checks(&format!("Checks of pairs of columns of {}", table.name), &pairs, None);
            self.put("</template></details>\n");
        }
        let section = |chart: &Chart| match &chart.data {
            ChartData::Anomalies(_) => Some("Anomalies"),
            _ if known(&chart.columns) => None,
            _ if chart.columns.is_empty() => Some("The table as a whole"),
            _ => Some("Across columns"),
        };
        let parts = ["Across columns", "Anomalies", "The table as a whole"].map(|title| {
            let charts = charts.iter().copied().filter(|(_, chart)| section(chart) == Some(title));
            (title, charts.collect::<Vec<(&str, &Chart)>>())
        });
        for (title, charts) in parts.iter().filter(|(_, charts)| !charts.is_empty()) {
            let _ = writeln!(self.out, "<h3>{title}</h3>\n<div class=\"charts\">");
            for (name, chart) in charts {
                self.figure(name, chart);
            }
            self.put("</div>\n");
        }
        if !table.columns.is_empty() {
            self.put("<h3>Columns</h3>\n");
        }
        for (c, column) in table.columns.iter().enumerate() {
            let of_column = |chart: &Chart| section(chart).is_none() && chart.columns[0] == column.name;
            let own: Vec<(&str, &Chart)> =
                charts.iter().copied().filter(|(_, chart)| of_column(chart)).collect();
            self.column(&format!("t{t}c{c}"), table, column, &own, open);
        }
        self.put("</section>\n");
    }

    fn text_table(&mut self, table: &TextTable) {
        let _ = write!(self.out, "<table><caption>{}</caption><thead><tr>", escape(&table.caption));
        for column in &table.columns {
            let _ = write!(self.out, "<th scope=\"col\">{}</th>", escape(column));
        }
        self.put("</tr></thead><tbody>\n");
        for row in &table.rows {
            self.put("<tr>");
            for (i, cell) in row.iter().enumerate() {
                let _ = match i {
                    0 => write!(self.out, "<th scope=\"row\">{}</th>", escape(cell)),
                    _ if is_figure(cell) => write!(self.out, "<td class=\"figure\">{}</td>", escape(cell)),
                    _ => write!(self.out, "<td>{}</td>", escape(cell)),
                };
            }
            self.put("</tr>\n");
        }
        self.put("</tbody></table>\n");
    }

    /// A table of checks; of those of one column alone, `own`, the column is not told again and again.
    fn checks(&mut self, caption: &str, checks: &[&Check], own: Option<&str>) {
        if checks.is_empty() {
            return;
        }
        let caption = escape(caption);
        let _ = write!(
            self.out,
            "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"{caption}\"><table>\n<caption>{caption}</caption>\n<thead><tr>"
        );
        for (title, class) in [
            ("Verdict", ""),
            ("Metric", ""),
            ("Of", ""),
            ("Value", "figure"),
            ("Reference", "figure"),
            ("Threshold", "figure"),
            ("p", "figure"),
            ("n", "figure"),
            ("What was found", ""),
        ] {
            let _ = write!(self.out, "<th scope=\"col\" class=\"{class}\">{title}</th>");
        }
        self.put("</tr></thead>\n<tbody>\n");
        // What failed comes first.
        let rank = |verdict| match verdict {
            Verdict::Fail => 0,
            Verdict::Skipped => 1,
            Verdict::Pass => 2,
            Verdict::Info => 3,
        };
        let mut checks = checks.to_vec();
        checks.sort_by_key(|check| rank(check.verdict));
        for check in checks {
            let of = match &check.rule {
                Some(rule) => format!("<code>{}</code>", escape(rule)),
                None if own.is_some_and(|own| check.columns == [own]) => String::new(),
                None => escape(&check.columns.join(", ")),
            };
            let _ = write!(
                self.out,
                "<tr><td>{}</td><th scope=\"row\" class=\"name\"><a href=\"#{}\">{}</a></th><td class=\"of\">{of}</td>",
                badge(check.verdict),
                metric_id(check.metric.name),
                breakable(check.metric.name)
            );
            for figure in [check.value, check.reference, check.threshold, check.p_value] {
                let figure = figure.map_or_else(|| "–".to_owned(), number);
                let _ = write!(self.out, "<td class=\"figure\">{figure}</td>");
            }
            let _ = writeln!(
                self.out,
                "<td class=\"figure\">{}</td><td class=\"words\">{}{}</td></tr>",
                grouped(check.n),
                escape(&check.message),
                hushed(check.for_release)
            );
        }
        self.put("</tbody></table></div>\n");
    }

    fn figure(&mut self, name: &str, chart: &Chart) {
        let hush = if chart.for_release { "" } else { " class=\"hush\"" };
        let title = escape(&chart.title);
        let _ = write!(self.out, "<figure{hush} aria-label=\"{title}\">\n<template>\n{}", chart.svg(false));
        let table = chart.table();
        if !table.rows.is_empty() {
            self.put("<details><summary>The numbers</summary><div class=\"scroll\" tabindex=\"0\">\n");
            self.text_table(&table);
            self.put("</div></details>\n");
        }
        self.put("</template>\n<div class=\"drawn\"></div>\n");
        let mut caption = hushed(chart.for_release).to_owned();
        if self.links {
            let _ = write!(
                caption,
                "<a href=\"charts/{name}.png\" aria-label=\"{title} as PNG\">PNG</a> \
                 <a href=\"charts/{name}.svg\" aria-label=\"{title} as SVG\">SVG</a>"
            );
        }
        if !caption.is_empty() {
            let _ = writeln!(self.out, "<figcaption>{caption}</figcaption>");
        }
        self.put("</figure>\n");
    }

    fn privacy(&mut self, report: &Report) {
        let Some(privacy) = &report.privacy else { return };
        self.put("<section aria-labelledby=\"privacy\">\n<h2 id=\"privacy\">Privacy</h2>\n");
        for paragraph in &privacy.statement {
            let _ = writeln!(self.out, "<p>{}</p>", escape(paragraph));
        }
        for table in &privacy.tables {
            let _ = write!(
                self.out,
                "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"{}\">",
                escape(&table.caption)
            );
            self.text_table(table);
            self.put("</div>\n");
        }
        self.put("</section>\n");
    }

    fn provenance(&mut self, report: &Report) {
        let stamp = &report.provenance;
        self.put("<section aria-labelledby=\"provenance\">\n<h2 id=\"provenance\">Provenance</h2>\n");
        let mut rows = vec![("Program".to_owned(), stamp.program.clone())];
        if let Some(ruleset) = &stamp.ruleset {
            rows.push(("Ruleset".to_owned(), ruleset.name.clone()));
            rows.push(("SHA-256 of its texts, lookups and parameters".to_owned(), ruleset.sha256.clone()));
            rows.push(("Read from".to_owned(), ruleset.files.join(", ")));
        }
        rows.push((
            "Seed".to_owned(),
            stamp.seed.map_or_else(|| "not known".to_owned(), |seed| seed.to_string()),
        ));
        rows.extend(
            stamp.params.iter().map(|param| (format!("Parameter {}", param.name), param.value.clone())),
        );
        rows.extend(stamp.throughput.map(|speed| ("Speed".to_owned(), speed.sentence())));
        rows.extend(stamp.written.clone().map(|written| ("Written".to_owned(), written)));
        let _ = writeln!(
            self.out,
            "<div class=\"scroll\"><table><caption>What the data were made from</caption><tbody>"
        );
        for (name, value) in &rows {
            let _ = writeln!(
                self.out,
                "<tr><th scope=\"row\">{}</th><td>{}</td></tr>",
                escape(name),
                escape(value)
            );
        }
        self.put("</tbody></table></div>\n");
        self.files("Files validated", &stamp.files);
        if let Some(reference) = &stamp.reference {
            let private = if reference.private { "Reference files, private" } else { "Reference files" };
            self.files(private, &reference.files);
            self.files("Files held out", &reference.holdout);
        }
        self.put("</section>\n");
    }

    fn files(&mut self, caption: &str, files: &[DataFile]) {
        if files.is_empty() {
            return;
        }
        let columns = ["File", "Table", "Rows", "Bytes", "SHA-256"].map(str::to_owned).to_vec();
        let line = |file: &DataFile| {
            let digest = file.sha256.clone().unwrap_or_else(|| "not computed".to_owned());
            vec![file.file.clone(), file.table.clone(), grouped(file.rows), grouped(file.bytes), digest]
        };
        self.put("<div class=\"scroll\" tabindex=\"0\">");
        self.text_table(&TextTable {
            caption: caption.to_owned(),
            columns,
            rows: files.iter().map(line).collect(),
        });
        self.put("</div>\n");
    }
}

fn checks_of<'a>(table: &'a TableReport, column: &'a ColumnReport) -> impl Iterator<Item = &'a Check> {
    table.checks.iter().filter(|check| matches!(check.columns.as_slice(), [name] if *name == column.name))
}

fn badge_of_score(verdict: Verdict) -> String {
    if verdict == Verdict::Info {
        "<span class=\"badge\">not judged</span>".to_owned()
    } else {
        badge(verdict)
    }
}

/// A name in camel case that may be broken where a word begins.
fn breakable(name: &str) -> String {
    let mut out = String::new();
    let mut after_small = false;
    for c in name.chars() {
        if after_small && c.is_ascii_uppercase() {
            out.push_str("<wbr>");
        }
        after_small = c.is_ascii_lowercase();
        out.push_str(&escape(&c.to_string()));
    }
    out
}

fn hushed(for_release: bool) -> &'static str {
    if for_release { "" } else { " <span class=\"badge hush\">not for release</span>" }
}

fn is_figure(cell: &str) -> bool {
    cell == "–" || cell.starts_with(|c: char| c.is_ascii_digit() || "−<∞".contains(c)) && cell.len() < 24
}
