//! What the metrics are, and how often correct data fail.

use std::fmt::Write as _;

use super::{Page, metric_id};
use crate::charts::escape;
use crate::model::{Direction, Question, Report};
use crate::reference::Options;
use crate::rules::FALSE_ALARM;
use crate::text::{counted, grouped, number};

impl Page {
    pub(super) fn legend(&mut self, report: &Report) {
        self.put("<section aria-labelledby=\"metrics\">\n<h2 id=\"metrics\">Metrics</h2>\n");
        for paragraph in false_alarms(report) {
            let _ = writeln!(self.out, "<p>{}</p>", escape(&paragraph));
        }
        self.put("<dl class=\"legend\">\n");
        for metric in &report.metrics {
            let direction = match metric.direction {
                Direction::Higher => "More is better.",
                Direction::Lower => "Less is better.",
                Direction::Near => "Nearer to the reference value is better.",
            };
            let question = match metric.question {
                Question::Rules => "Against the rules.",
                Question::Reference => "Against the reference.",
                Question::Leakage => "Against leakage.",
            };
            let _ = writeln!(
                self.out,
                "<dt id=\"{}\">{}</dt><dd>{}. {}</dd><dd class=\"lead\">{direction} {question} {}.</dd>",
                metric_id(metric.name),
                escape(metric.name),
                escape(metric.summary.trim_end_matches('.')),
                escape(metric.definition),
                metric.attribute.title()
            );
        }
        self.put("</dl>\n</section>\n");
    }
}

/// How often correct data fail, in words.
fn false_alarms(report: &Report) -> Vec<String> {
    let mut out = Vec::new();
    let tested = report.checks().filter(|check| check.p_value.is_some()).count() as u64;
    if tested > 0 {
        out.push(format!(
            "p is the probability of a figure at least as far off if the data follow the rules, adjusted for all {} together \
             (Benjamini and Hochberg). A test fails where p is {} or less, so correct data fail once in {} runs at most. Checks \
             without p are exact.",
            counted(tested, "test", "tests"),
            number(FALSE_ALARM),
            grouped((1.0 / FALSE_ALARM) as u64)
        ));
    }
    if report.checks().any(|check| check.metric.question != Question::Rules && check.threshold.is_some()) {
        let rate = Options::default().false_alarm;
        out.push(format!(
            "Beside a reference, thresholds are such that another sample of the same truth misses one of those of a table, or of \
             those against leakage, once in {} comparisons at most.",
            grouped((1.0 / rate) as u64)
        ));
    }
    out
}
