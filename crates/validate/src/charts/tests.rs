use super::*;
use crate::samples;

fn all() -> Vec<Chart> {
    let mut charts = samples::ebs_charts();
    charts.extend(samples::ugly_charts());
    charts
}

#[test]
fn every_chart_draws_the_same_bytes_again() {
    let mut seen: Vec<&str> = all().iter().map(|chart| chart.data.name()).collect();
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(seen.len(), 10, "a chart without a sample: {seen:?}");
    for (chart, again) in all().iter().zip(all()) {
        assert_eq!(chart.svg(true), again.svg(true), "{}", chart.title);
    }
    for chart in samples::ebs_charts().iter().take(3) {
        let png = chart.png().unwrap();
        assert_eq!(png, chart.png().unwrap());
        assert!(png.starts_with(b"\x89PNG"));
    }
}

#[test]
fn tables_have_a_cell_for_each_title() {
    for chart in all() {
        let table = chart.table();
        for row in &table.rows {
            assert_eq!(row.len(), table.columns.len(), "{}", chart.title);
        }
    }
}

/// The numbers of an SVG's shapes and the extents of its texts lie within the picture.
#[test]
fn nothing_leaves_the_picture() {
    for chart in all() {
        let problems: Vec<_> =
            chart.draw().problems().into_iter().map(|problem| problem.to_string()).collect();
        assert!(problems.is_empty(), "{}: {problems:?}", chart.title);
    }
}

#[test]
fn text_from_the_data_stays_text() {
    for chart in all() {
        let svg = chart.svg(true);
        assert!(!svg.contains("<script"), "{}", chart.title);
        assert!(!svg.contains("NaN") && !svg.contains("inf"), "{}", chart.title);
    }
}

/// `LOOKALIKE_GALLERY=/tmp/gallery cargo test -p lookalike-validate gallery -- --ignored` writes all samples to look at.
#[test]
#[ignore = "writes files for the eye"]
fn gallery() {
    let Ok(folder) = std::env::var("LOOKALIKE_GALLERY") else { return };
    std::fs::create_dir_all(&folder).unwrap();
    for (i, chart) in all().iter().enumerate() {
        let name = format!("{folder}/{i:02}-{}", chart.data.name());
        std::fs::write(format!("{name}.png"), chart.png().unwrap()).unwrap();
        std::fs::write(format!("{name}.svg"), chart.svg(true)).unwrap();
    }
}
