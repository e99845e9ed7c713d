use std::collections::BTreeSet;

use super::*;
use crate::model::Verdict;
use crate::samples;

fn text(files: &[RenderedFile], name: &str) -> String {
    let file = files.iter().find(|file| file.name == name).unwrap_or_else(|| panic!("no {name}"));
    String::from_utf8(file.bytes.clone()).unwrap()
}

const PAGE_ONLY: Choice = Choice { charts: false, release_only: false };

#[test]
fn a_report_is_the_same_bytes_again() {
    let first = render(&samples::ebs_report(true), Choice::default()).unwrap();
    let second = render(&samples::ebs_report(true), Choice::default()).unwrap();
    assert_eq!(first, second);
    let names: BTreeSet<&str> = first.iter().map(|file| file.name.as_str()).collect();
    assert_eq!(names.len(), first.len());
    for name in
        ["index.html", "report.json", "summary.md", "junit.xml", "charts/findings.volume-size.histogram.png"]
    {
        assert!(names.contains(name), "{name} is not among {names:?}");
    }
}

#[test]
fn the_verdict_follows_from_the_checks() {
    let report = samples::ebs_report(true);
    assert_eq!(report.verdict, Verdict::Fail);
    assert_eq!(report.failures().count(), 2);
    assert!(!report.for_release);
    let passed = samples::ebs_report(false);
    assert_eq!(passed.verdict, Verdict::Pass);
    assert!(passed.for_release);
    let message = |report: &Report, i: usize| report.scorecard[i].message.clone();
    assert_eq!(message(&report, 0), "the one check failed");
    assert_eq!(message(&report, 1), "1 figure; 1 could not be computed");
    assert_eq!(message(&report, 6), "1,000,000 rows made in 0.42 s on 2 threads");
    assert_eq!(message(&report, 2), "nothing in these data speaks of it");
    for report in samples::bare_reports() {
        assert_eq!(report.verdict, Verdict::Info);
    }
}

#[test]
fn what_is_private_can_be_left_out() {
    let all = samples::ebs_report(true);
    let files = render(&all, Choice { charts: false, release_only: true }).unwrap();
    for file in &files {
        let text = String::from_utf8(file.bytes.clone()).unwrap();
        for secret in ["IdenticalMatchShare", "Cost against size, row by row", "real.csv", "Not for release"]
        {
            assert!(!text.contains(secret), "{} tells {secret}", file.name);
        }
    }
    let page = text(&render(&all, PAGE_ONLY).unwrap(), "index.html");
    assert!(page.contains("<strong>Not for release.</strong>"));
    assert!(page.contains("badge hush"));
}

#[test]
fn text_from_the_data_stays_text() {
    let files = render(&samples::hostile_report(), PAGE_ONLY).unwrap();
    let page = text(&files, "index.html");
    assert!(!page.contains("<script>window"));
    assert!(!page.contains("<img"));
    // The page's own script is the only one.
    assert_eq!(page.matches("<script").count(), 1);
    assert_eq!(page.matches("</script").count(), 1);
    for name in ["index.html", "junit.xml"] {
        assert!(!text(&files, name).chars().any(|c| c.is_control() && c != '\n'), "{name}");
    }
    let summary = text(&files, "summary.md");
    assert!(!summary.contains("<script") && !summary.contains("<img"), "{summary}");
}

#[test]
fn the_page_needs_nothing_else() {
    let page = text(&render(&samples::ebs_report(true), PAGE_ONLY).unwrap(), "index.html");
    for foreign in ["http://", "https://", "src=", "@import", "url("] {
        assert!(!page.contains(foreign), "the page speaks of {foreign}");
    }
    // Every link leads somewhere.
    let ids: BTreeSet<&str> =
        page.split(" id=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    for target in page.split("href=\"#").skip(1).filter_map(|rest| rest.split('"').next()) {
        assert!(ids.contains(target), "no #{target}");
    }
    for reference in page.split("aria-labelledby=\"").skip(1).filter_map(|rest| rest.split('"').next()) {
        assert!(ids.contains(reference), "no #{reference}");
    }
    assert_eq!(page.matches(" id=\"").count(), ids.len(), "an id occurs twice");
}

#[test]
fn a_thousand_columns_and_none_at_all() {
    let page = text(&render(&samples::wide_report(1, 1000), PAGE_ONLY).unwrap(), "index.html");
    assert_eq!(page.matches("<details class=\"column\"").count(), 1000);
    // Only the one with a failed check is open.
    assert_eq!(page.matches(" open>\n<summary>").count(), 1);
    assert!(page.len() < 16 << 20, "{} bytes", page.len());
    for report in samples::bare_reports() {
        let files = render(&report, Choice::default()).unwrap();
        assert!(text(&files, "index.html").contains("nothing was judged"));
        assert!(!text(&files, "index.html").contains("NaN"));
    }
}

#[test]
fn names_of_charts_are_for_all_file_systems() {
    let report = samples::hostile_report();
    let names: Vec<String> = named_charts(&report).into_iter().map(|(name, _)| name).collect();
    let unique: BTreeSet<&String> = names.iter().collect();
    assert_eq!(unique.len(), names.len());
    for name in &names {
        assert!(
            name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "-.".contains(c)),
            "{name}"
        );
        assert!(name.len() < 180 && !name.starts_with('.'), "{name}");
    }
    assert_eq!(slug("Größe (GiB)"), "gr-e-gib");
    assert_eq!(slug("../../etc/passwd"), "etc-passwd");
    assert_eq!(slug("東京"), "x");
}

#[test]
fn summary_and_test_results() {
    let files = render(&samples::ebs_report(true), PAGE_ONLY).unwrap();
    insta::assert_snapshot!("summary", text(&files, "summary.md"));
    insta::assert_snapshot!("junit", text(&files, "junit.xml"));
}

/// `LOOKALIKE_GALLERY=/tmp/gallery cargo test -p lookalike-validate pages -- --ignored` writes sample pages to look at.
#[test]
#[ignore = "writes files for the eye"]
fn pages() {
    let Ok(folder) = std::env::var("LOOKALIKE_GALLERY") else { return };
    let reports = [
        ("failed", samples::ebs_report(true)),
        ("passed", samples::ebs_report(false)),
        ("wide", samples::wide_report(1, 200)),
        ("thousand", samples::wide_report(1, 1000)),
        ("eleven", samples::wide_report(11, 9)),
        ("hostile", samples::hostile_report()),
    ];
    for (name, report) in reports {
        for file in render(&report, PAGE_ONLY).unwrap() {
            let path = std::path::Path::new(&folder).join(name).join(&file.name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, &file.bytes).unwrap();
        }
    }
}
