//! JUnit XML, as CI systems read it: a suite for each table, a case for each check.

use std::fmt::Write as _;

use super::subject;
use crate::charts::escape;
use crate::model::{Check, Report, Verdict};
use crate::text::number;

/// The report as JUnit XML. Figures without a threshold are no cases: they cannot fail.
pub(super) fn junit(report: &Report) -> String {
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let judged = |check: &&Check| check.verdict != Verdict::Info;
    let counts = |checks: &[&Check]| {
        let of = |verdict| checks.iter().filter(|check| check.verdict == verdict).count();
        format!(
            "tests=\"{}\" failures=\"{}\" errors=\"0\" skipped=\"{}\"",
            checks.len(),
            of(Verdict::Fail),
            of(Verdict::Skipped)
        )
    };
    let all: Vec<&Check> = report.checks().filter(judged).collect();
    let _ = writeln!(out, "<testsuites name=\"{}\" {}>", escape(&report.title), counts(&all));
    for table in &report.tables {
        let checks: Vec<&Check> = table.checks.iter().filter(judged).collect();
        let _ = writeln!(out, "  <testsuite name=\"{}\" {}>", escape(&table.name), counts(&checks));
        for check in checks {
            case(&mut out, &report.title, check);
        }
        out.push_str("  </testsuite>\n");
    }
    out.push_str("</testsuites>\n");
    out
}

fn case(out: &mut String, title: &str, check: &Check) {
    let class = escape(&format!("{title}.{}", check.table));
    let subject = subject(check);
    let name = escape(&if subject.is_empty() {
        check.metric.name.to_owned()
    } else {
        format!("{} {subject}", check.metric.name)
    });
    let _ = write!(out, "    <testcase classname=\"{class}\" name=\"{name}\"");
    match check.verdict {
        Verdict::Fail => {
            let mut figures = Vec::new();
            for (label, figure) in [
                ("value", check.value),
                ("reference", check.reference),
                ("threshold", check.threshold),
                ("p", check.p_value),
            ] {
                figures.extend(figure.map(|figure| format!("{label} {}", number(figure))));
            }
            let _ = write!(
                out,
                ">\n      <failure type=\"{}\" message=\"{}\">{}</failure>\n    </testcase>\n",
                escape(check.metric.name),
                escape(&check.message),
                escape(&format!("{}\n{}\nn {}", check.message, figures.join(", "), check.n))
            );
        }
        Verdict::Skipped => {
            let _ =
                write!(out, ">\n      <skipped message=\"{}\"/>\n    </testcase>\n", escape(&check.message));
        }
        Verdict::Pass | Verdict::Info => out.push_str("/>\n"),
    }
}
