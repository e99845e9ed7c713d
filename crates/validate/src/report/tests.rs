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
        for secret in [
            "IdenticalMatchShare",
            "Cost against size, row by row",
            "real.csv",
            "Not for release",
            "200,000 are compared",
        ] {
            assert!(!text.contains(secret), "{} tells {secret}", file.name);
        }
    }
    // What is missing is told, and what is not private stays.
    for name in ["index.html", "summary.md", "report.json"] {
        let text = text(&files, name);
        assert!(text.contains("left out of this report, whatever they found"), "{name}");
        assert!(text.contains("Rows with a label are not held against the rules"), "{name}");
    }
    let page = text(&render(&all, PAGE_ONLY).unwrap(), "index.html");
    assert!(page.contains("200,000 are compared"));
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

fn browse(report: &Report, words: &str, width: u32) -> Option<crate::testing::Seen> {
    let page = text(&render(report, PAGE_ONLY).unwrap(), "index.html");
    let seen = crate::testing::browse(&page, words, width)?;
    assert!(seen.errors.is_empty(), "{:?}", seen.errors);
    assert!(!seen.hacked);
    assert_eq!(seen.visible, seen.charts);
    assert!(seen.overflow <= 0.0, "the page is {} pixels wider than its window", seen.overflow);
    Some(seen)
}

#[test]
fn a_browser_shows_all_charts_and_finds_columns() {
    for width in [1400, 500] {
        let Some(seen) = browse(&samples::ebs_report(true), "volume SIZE", width) else { return };
        assert_eq!((seen.columns, seen.found, seen.failed), (11, 1, 1));
        assert_eq!(seen.charts, samples::ebs_charts().len() as u64);
        assert!(seen.collisions.is_empty(), "{:?}", seen.collisions);
    }
    let Some(seen) = browse(&samples::wide_report(11, 20), "column_7 table_3", 1400) else { return };
    assert_eq!((seen.columns, seen.found, seen.failed, seen.charts), (220, 1, 11, 220));
    browse(&samples::hostile_report(), "region", 1400);
    for report in samples::bare_reports() {
        browse(&report, "x", 1400);
    }
}

/// The schema on disk is that of the model, and every report keeps to it; `LOOKALIKE_UPDATE=1` rewrites it.
#[test]
fn the_schema_describes_the_report() {
    let mut generator = schemars::generate::SchemaSettings::draft2020_12().for_serialize().into_generator();
    let mut schema = serde_json::to_value(generator.root_schema_for::<Report>()).unwrap();
    let object = schema.as_object_mut().unwrap();
    object.insert("$id".to_owned(), "report.schema.json".into());
    object.insert("title".to_owned(), "report.json of Lookalike, version 1".into());
    object["properties"]["report"]["const"] = crate::model::REPORT_VERSION.into();
    let text = format!("{}\n", serde_json::to_string_pretty(&schema).unwrap());
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../schema/report.schema.json");
    if std::env::var_os("LOOKALIKE_UPDATE").is_some() {
        std::fs::write(path, &text).unwrap();
    }
    let there = std::fs::read_to_string(path).unwrap_or_default();
    assert!(there == text, "schema/report.schema.json is out of date: run `just golden`");
    let mut reports = vec![samples::ebs_report(true), samples::ebs_report(false), samples::wide_report(2, 5)];
    reports.extend(samples::bare_reports());
    for report in reports {
        keeps_to(&serde_json::to_value(&report).unwrap(), &schema, &schema, "report");
    }
}

/// Checks a value against as much of JSON Schema as ours uses. What it does not know is an error.
fn keeps_to(value: &serde_json::Value, schema: &serde_json::Value, root: &serde_json::Value, place: &str) {
    use serde_json::Value;
    let Value::Object(rules) = schema else { panic!("{place}: a schema that is no object") };
    for (rule, wanted) in rules {
        match rule.as_str() {
            "$schema" | "$id" | "$defs" | "title" | "description" | "format" | "default" => {}
            "$ref" => {
                let path = wanted.as_str().unwrap().strip_prefix('#').unwrap();
                keeps_to(value, root.pointer(path).unwrap(), root, place);
            }
            "type" => {
                let is = |name: &Value| match name.as_str().unwrap() {
                    "object" => value.is_object(),
                    "array" => value.is_array(),
                    "string" => value.is_string(),
                    "boolean" => value.is_boolean(),
                    "number" => value.is_number(),
                    "integer" => value.is_u64() || value.is_i64(),
                    "null" => value.is_null(),
                    name => panic!("{place}: type {name}"),
                };
                let fits = wanted.as_array().map_or_else(|| is(wanted), |names| names.iter().any(is));
                assert!(fits, "{place}: {value} is not {wanted}");
            }
            "const" => assert_eq!(value, wanted, "{place}"),
            "enum" => assert!(wanted.as_array().unwrap().contains(value), "{place}: {value}"),
            "minimum" => assert!(value.is_null() || value.as_f64() >= wanted.as_f64(), "{place}: {value}"),
            "maximum" | "minItems" | "maxItems" | "prefixItems" | "additionalProperties" => {}
            "required" => {
                for name in wanted.as_array().unwrap() {
                    assert!(value.get(name.as_str().unwrap()).is_some(), "{place}: {name} is missing");
                }
            }
            "properties" => {
                for (name, part) in value.as_object().into_iter().flatten() {
                    if let Some(schema) = wanted.get(name) {
                        keeps_to(part, schema, root, &format!("{place}.{name}"));
                    } else {
                        // A chart's kind and numbers are described beside its title.
                        assert!(rules.contains_key("oneOf"), "{place}.{name} is not described");
                    }
                }
            }
            "items" => {
                for (i, part) in value.as_array().into_iter().flatten().enumerate() {
                    keeps_to(part, wanted, root, &format!("{place}[{i}]"));
                }
            }
            "oneOf" | "anyOf" => {
                let fits = wanted.as_array().unwrap().iter().any(|schema| fits(value, schema));
                assert!(fits, "{place}: {value} fits none of {wanted}");
                for schema in wanted.as_array().unwrap().iter().filter(|schema| self::fits(value, schema)) {
                    let mut schema = schema.clone();
                    if let Some(properties) = schema.get("properties").cloned() {
                        for (name, part) in properties.as_object().unwrap() {
                            keeps_to(&value[name.as_str()], part, root, &format!("{place}.{name}"));
                        }
                        schema.as_object_mut().unwrap().remove("properties");
                    }
                    keeps_to(value, &schema, root, place);
                }
            }
            rule => panic!("{place}: the test does not know `{rule}`"),
        }
    }
}

/// Whether a value is meant by one of several schemas: by its constant, its type, or the constant of its kind.
fn fits(value: &serde_json::Value, schema: &serde_json::Value) -> bool {
    if let Some(constant) = schema.get("const") {
        return value == constant;
    }
    if let Some(kind) = schema.pointer("/properties/chart/const") {
        return value.get("chart") == Some(kind);
    }
    match schema.get("type").and_then(|name| name.as_str()) {
        Some("null") => value.is_null(),
        Some("string") => value.is_string(),
        _ => !value.is_null(),
    }
}
