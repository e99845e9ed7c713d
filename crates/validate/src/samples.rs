//! Charts and reports for tests: ordinary ones, and ugly ones.

use crate::charts::*;
use crate::model::*;

const DAY: f64 = 86_400.0;

/// Whole numbers that look random and are the same everywhere.
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Dice {
        Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// Between 0 and 1.
    pub(crate) fn draw(&mut self) -> f64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as f64 / (1u64 << 53) as f64
    }

    /// About normal.
    pub(crate) fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.draw()).sum::<f64>() - 6.0
    }
}

/// Edges of `n` bins, whose ratios (`log`) or differences are alike.
pub(crate) fn edges(low: f64, high: f64, n: u32, log: bool) -> Vec<f64> {
    let at = |i: u32| {
        let t = f64::from(i) / f64::from(n);
        if log { low * libm::pow(high / low, t) } else { low + (high - low) * t }
    };
    (0..=n).map(at).collect()
}

/// Rows by bin; numbers beyond the ends are left out.
pub(crate) fn counts(edges: &[f64], numbers: &[f64]) -> Vec<u64> {
    let mut counts = vec![0; edges.len() - 1];
    for number in numbers {
        let i = edges.partition_point(|edge| edge <= number);
        if i > 0 && i < edges.len() {
            counts[i - 1] += 1;
        } else if *number == edges[edges.len() - 1] {
            counts[i.min(edges.len() - 1) - 1] += 1;
        }
    }
    counts
}

fn bar(label: &str, count: u64) -> Bar {
    Bar { label: label.into(), count, ..Bar::default() }
}

fn quantiles(mut numbers: Vec<f64>) -> [f64; 7] {
    numbers.sort_by(f64::total_cmp);
    [0.0, 0.05, 0.25, 0.5, 0.75, 0.95, 1.0].map(|p| numbers[(p * (numbers.len() - 1) as f64) as usize])
}

/// What the charts of a table of EBS volumes look like.
pub(crate) fn ebs_charts() -> Vec<Chart> {
    let mut dice = Dice::new(1);
    let sizes: Vec<f64> =
        (0..1000).map(|_| libm::exp(4.4 + 1.3 * dice.normal()).round().clamp(1.0, 16_384.0)).collect();
    let costs: Vec<f64> = sizes.iter().map(|size| size * 0.08 * (1.0 + 0.3 * dice.draw())).collect();
    let ages: Vec<f64> = (0..620).map(|_| libm::exp(4.5 + 0.9 * dice.normal())).collect();
    let types = ["gp2", "gp3", "io1", "io2", "st1", "sc1", "standard"];
    let shares = [0.40, 0.20, 0.10, 0.10, 0.10, 0.05, 0.05];
    let at = edges(1.0, 16_384.0, 40, true);
    let all = counts(&at, &sizes);
    let spoilt = all.iter().enumerate().map(|(i, &n)| if i > 26 { n / 3 } else { 0 }).collect();
    let law: Vec<f64> = at
        .windows(2)
        .map(|e| {
            let cdf = |x: f64| 0.5 * libm::erfc(-(libm::log(x) - 4.4) / 1.3 / std::f64::consts::SQRT_2);
            cdf(e[1]) - cdf(e[0])
        })
        .collect();
    let size = |log| Axis { label: "Volume Size (GiB)".into(), measure: Measure::Number, log };
    let mut charts = vec![
        Chart::new(
            "Volume Size",
            ["Volume Size"],
            Histogram {
                x: size(true),
                edges: at.clone(),
                counts: all,
                spoilt,
                declared: law,
                ..Histogram::default()
            },
        ),
        Chart::new(
            "Snapshot Age",
            ["Snapshot Age"],
            Histogram {
                x: Axis::linear("Snapshot Age (days)"),
                edges: edges(0.0, 1000.0, 40, false),
                counts: counts(&edges(0.0, 1000.0, 40, false), &ages),
                nulls: 380,
                ..Histogram::default()
            },
        ),
        Chart::new(
            "Volume Type",
            ["Volume Type"],
            Bars {
                label: "Volume Type".into(),
                bars: types
                    .iter()
                    .zip(shares)
                    .enumerate()
                    .map(|(i, (name, share))| Bar {
                        label: (*name).into(),
                        count: (share * 1000.0) as u64 + 3 * i as u64 - 9,
                        spoilt: Some(i as u64 * 4),
                        declared: Some(share),
                        reference: Some(share * (1.2 - 0.06 * i as f64)),
                    })
                    .collect(),
                ..Bars::default()
            },
        ),
        Chart::new(
            "Underutilized",
            ["Underutilized"],
            Bars {
                label: "Underutilized".into(),
                bars: vec![bar("false", 824), bar("true", 176)],
                ..Bars::default()
            },
        ),
        Chart::new(
            "Volume Size by Volume Type",
            ["Volume Size", "Volume Type"],
            Boxes {
                value: size(true),
                by: "Volume Type".into(),
                groups: types
                    .iter()
                    .enumerate()
                    .map(|(i, name)| {
                        let part: Vec<f64> =
                            sizes.iter().skip(i * 140).take(140).map(|x| x * (1.0 + i as f64)).collect();
                        let mean = part.iter().sum::<f64>() / part.len() as f64;
                        let count = part.len() as u64;
                        Group {
                            label: (*name).into(),
                            count,
                            nulls: 0,
                            mean: Some(mean),
                            std: Some(1.0),
                            quantiles: Some(quantiles(part)),
                        }
                    })
                    .collect(),
                sample_of: None,
            },
        ),
    ];
    let (xs, ys) = (edges(1.0, 16_384.0, 48, true), edges(0.08, 2000.0, 40, true));
    let mut cells = vec![0; 48 * 40];
    for (x, y) in sizes.iter().zip(&costs) {
        let (i, j) = (xs.partition_point(|e| e <= x), ys.partition_point(|e| e <= y));
        if (1..=48).contains(&i) && (1..=40).contains(&j) {
            cells[(j - 1) * 48 + i - 1] += 1;
        }
    }
    let marked = sizes.iter().zip(&costs).step_by(37);
    let scatter = Scatter {
        x: size(true),
        y: Axis::log("Monthly Storage Cost (USD)"),
        x_edges: xs,
        y_edges: ys,
        counts: cells,
        points: Vec::new(),
        spoilt: marked
            .map(|(&x, &y)| MarkedPoint { x, y: y * 6.0, kind: "high_cost_low_size".into() })
            .collect(),
        reference: Vec::new(),
        sample_of: None,
    };
    let columns = ["Monthly Storage Cost", "Volume Size"];
    let few = Scatter {
        points: sizes.iter().copied().zip(costs.iter().copied()).collect(),
        counts: Vec::new(),
        reference: sizes
            .iter()
            .copied()
            .zip(costs.iter().copied())
            .step_by(9)
            .map(|(x, y)| (x * 1.3, y))
            .collect(),
        ..scatter.clone()
    };
    charts.push(Chart::new("Monthly Storage Cost against Volume Size", columns, scatter));
    charts.push(Chart::new("Cost against size, row by row", columns, few).private());
    let mut sorted = sizes.clone();
    sorted.sort_by(f64::total_cmp);
    let ecdf = |factor: f64| {
        let point = |(i, x): (usize, &f64)| EcdfPoint { x: x * factor, share: (i + 1) as f64 / 1000.0 };
        sorted.iter().enumerate().step_by(7).map(point).collect::<Vec<_>>()
    };
    charts.push(Chart::new(
        "Volume Size, shares",
        ["Volume Size"],
        Ecdf { x: size(true), points: ecdf(1.0), reference: ecdf(1.3), declared: ecdf(0.95) },
    ));
    let names =
        ["Region", "Volume Type", "Volume Size", "Monthly Storage Cost", "Snapshot Age", "Underutilized"];
    let cells = (0..36)
        .map(|i| {
            if i / 6 == i % 6 {
                Some(1.0)
            } else if i == 5 || i == 30 {
                None
            } else {
                Some(dice.draw() * 2.0 - 1.0)
            }
        })
        .collect();
    charts.push(Chart::new(
        "Pairs of columns",
        [] as [&str; 0],
        Matrix {
            kind: MatrixKind::Signed,
            measure: "Spearman's rank correlation".into(),
            rows: names.map(str::to_owned).to_vec(),
            columns: names.map(str::to_owned).to_vec(),
            cells,
            ..Matrix::default()
        },
    ));
    charts.push(Chart::new(
        "Volume Type by Region",
        ["Volume Type", "Region"],
        Matrix {
            kind: MatrixKind::Share,
            measure: "Share of rows".into(),
            row_label: "Volume Type".into(),
            column_label: "Region".into(),
            rows: types.map(str::to_owned).to_vec(),
            columns: ["us-east-1", "us-west-2", "eu-west-1", "ap-southeast-1"].map(str::to_owned).to_vec(),
            cells: (0..28).map(|i| Some(shares[i / 4] / 4.0 * (0.8 + 0.4 * dice.draw()))).collect(),
        },
    ));
    charts.push(Chart::new(
        "Missing values",
        [] as [&str; 0],
        NullMap {
            columns: ["Region", "Volume Name", "Snapshot ID", "Snapshot Name"].map(str::to_owned).to_vec(),
            edges: (0..=50).map(|i| i * 20).collect(),
            nulls: (0..200)
                .map(|i| if i < 50 { 0 } else { ((i / 50) as f64 * 4.0 + dice.draw() * 4.0) as u64 })
                .collect(),
            looked: Vec::new(),
        },
    ));
    let kind = |name: &str, got: u64| AnomalyKind {
        name: name.into(),
        about: Some("far dearer than its size explains".into()),
        wanted: Some(20.0),
        got,
        example: Some("row 17: Monthly Storage Cost 8.4 became 120.5".into()),
    };
    charts.push(Chart::new(
        "Anomalies",
        [] as [&str; 0],
        Anomalies {
            rows: 1000,
            spoilt: 100,
            kinds: vec![
                kind("oversized_volume", 20),
                kind("old_snapshot", 21),
                kind("high_cost_low_size", 17),
            ],
        },
    ));
    charts.push(series("Requests over ten years", 1.42e9, 3650.0 * DAY, 120));
    charts
}

pub(crate) fn series(title: &str, start: f64, span: f64, steps: u32) -> Chart {
    let mut dice = Dice::new(7);
    let hour = |i: f64| 40.0 + 30.0 * libm::sin((i - 8.0) / 24.0 * std::f64::consts::TAU);
    let labels = (0..24).map(|h| format!("{h:02}")).collect();
    let days = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"].map(str::to_owned).to_vec();
    Chart::new(
        title,
        ["Created"],
        Series {
            time: Axis::of("Created", Measure::Datetime),
            value: Axis::linear("rows"),
            edges: edges(start, start + span, steps, false),
            values: (0..steps)
                .map(|i| {
                    if (40..44).contains(&i) {
                        None
                    } else {
                        Some((500.0 + 200.0 * libm::sin(f64::from(i) / 9.0) + 90.0 * dice.draw()).round())
                    }
                })
                .collect(),
            reference: Vec::new(),
            profiles: vec![
                Profile {
                    cycle: "hour of the day".into(),
                    labels,
                    values: (0..24).map(|h| Some(hour(f64::from(h)) + 8.0 * dice.draw())).collect(),
                    declared: (0..24).map(|h| hour(f64::from(h)) + 4.0).collect(),
                    reference: Vec::new(),
                },
                Profile {
                    cycle: "day of the week".into(),
                    labels: days,
                    values: (0..7).map(|d| Some(60.0 + f64::from(d))).collect(),
                    ..Profile::default()
                },
            ],
        },
    )
}

/// What people's data are really like.
pub(crate) fn ugly_charts() -> Vec<Chart> {
    let mut dice = Dice::new(3);
    let histogram = |title: &str, x: Axis, edges: Vec<f64>, counts: Vec<u64>, nulls: u64| {
        Chart::new(title, ["x"], Histogram { x, edges, counts, nulls, ..Histogram::default() })
    };
    let normal: Vec<f64> = (0..5000).map(|_| dice.normal()).collect();
    let long =
        "A column whose name tells the whole story of how it came to be, and then goes on for a good while";
    let mut charts = vec![
        histogram("One value", Axis::linear("x"), vec![42.0, 42.0], vec![1000], 0),
        histogram("All null", Axis::linear("x"), vec![], vec![], 1000),
        histogram("No rows", Axis::linear("x"), vec![], vec![], 0),
        histogram("One row", Axis::linear("x"), vec![7.0, 8.0], vec![1], 0),
        histogram(
            "Negative",
            Axis::linear("temperature (°C)"),
            edges(-4.0, 4.0, 60, false),
            counts(&edges(-4.0, 4.0, 60, false), &normal),
            3,
        ),
        histogram(
            "Huge",
            Axis::linear("x"),
            edges(-1e300, 1e300, 20, false),
            (0..20).map(|i| i * 7 + 1).collect(),
            0,
        ),
        histogram(
            "Wide on a log scale",
            Axis::log("bytes"),
            edges(1e-3, 1e15, 60, true),
            (0..60).map(|i| (i * i * 31) % 977).collect(),
            0,
        ),
        histogram(
            "Great counts",
            Axis::linear("x"),
            edges(0.0, 1.0, 20, false),
            (0..20).map(|i| 1_000_000_000_000 * (i % 7 + 1)).collect(),
            0,
        ),
        histogram(
            "Uneven bins",
            Axis::linear("x"),
            vec![0.0, 1.0, 2.0, 5.0, 10.0, 100.0],
            vec![10, 20, 60, 50, 90],
            0,
        ),
        histogram(long, Axis::linear(long), edges(0.0, 1e-7, 20, false), (0..20).map(|i| i % 5).collect(), 0),
        histogram(
            "Ten years",
            Axis::of("booked on", Measure::Date),
            edges(1.4e9, 1.4e9 + 3650.0 * DAY, 40, false),
            (0..40).map(|i| 40 + i % 9).collect(),
            0,
        ),
        histogram(
            "Three seconds",
            Axis::of("at", Measure::Datetime),
            edges(1.7e9, 1.7e9 + 3.0, 30, false),
            (0..30).map(|i| 40 + i % 9).collect(),
            0,
        ),
        histogram(
            "Durations",
            Axis::of("took", Measure::Duration),
            edges(0.0, 5400.0, 30, false),
            (0..30).map(|i| 40 - i).collect(),
            0,
        ),
        Chart::new("No bars", ["x"], Bars::default()),
        Chart::new("No figures", ["x"], Estimates::default()),
        Chart::new(
            "Figures with errors on both sides of 0",
            ["x"],
            Estimates {
                label: "count".into(),
                estimates: (0..50)
                    .map(|i| Estimate {
                        label: format!("eu-west-{i}, general purpose volumes of the third generation {i}"),
                        value: (i != 3).then(|| 1000.0 - 200.0 * f64::from(i)),
                        half_width: 300.0,
                    })
                    .collect(),
            },
        ),
        Chart::new("All null bars", ["x"], Bars { nulls: 12, ..Bars::default() }),
        Chart::new(
            "Two hundred categories, long names, scripts of the world",
            ["x"],
            Bars {
                label: "x".into(),
                bars: (0..200)
                    .map(|i| match i {
                        0 => bar(
                            "the quick brown fox jumps over the lazy dog and does not stop there at all",
                            900_000,
                        ),
                        1 => bar("", 5_000),
                        2 => bar("  blanks  ", 4_000),
                        3 => bar("naïve Ærøskøbing Ελλάδα Москва", 3_000),
                        4 => bar("line\nbreak\tand tab", 2_900),
                        5 => bar("<script>alert(1)</script> & \"quotes\"", 2_800),
                        6 => bar("東京 🙂", 2_700),
                        i => bar(&format!("category {i}"), 2_000 - i),
                    })
                    .collect(),
                others: 1,
                other_categories: Some(1),
                nulls: 17,
            },
        ),
        Chart::new("No groups", ["x"], Boxes::default()),
        Chart::new(
            "Fifty groups, some empty",
            ["x", "y"],
            Boxes {
                value: Axis::linear("balance"),
                by: "a group with quite a long name".into(),
                groups: (0..50)
                    .map(|i| Group {
                        label: format!("group {i} of a very long list of groups"),
                        count: i * 1_000,
                        quantiles: (i > 1)
                            .then(|| quantiles((0..100).map(|_| 1e6 * dice.normal()).collect())),
                        ..Group::default()
                    })
                    .collect(),
                sample_of: None,
            },
        ),
        Chart::new("No points", ["x"], Ecdf::default()),
        Chart::new(
            "One point",
            ["x"],
            Ecdf { points: vec![EcdfPoint { x: 5.0, share: 1.0 }], ..Ecdf::default() },
        ),
        Chart::new("No cells", ["x"], Matrix::default()),
        Chart::new("Nothing scattered", ["x"], Scatter::default()),
        Chart::new("One dot", ["x", "y"], Scatter { points: vec![(3.0, -1e9)], ..Scatter::default() }),
        Chart::new("No time", ["x"], Series::default()),
        series("Three seconds", 1.7e9, 3.0, 60),
        series("Two days", 1.7e9, 2.0 * DAY, 48),
        Chart::new(
            "Nothing missing",
            [] as [&str; 0],
            NullMap { columns: vec!["a".into()], edges: vec![0, 10], nulls: vec![0], looked: Vec::new() },
        ),
        Chart::new("No map", [] as [&str; 0], NullMap::default()),
        Chart::new("No anomalies", [] as [&str; 0], Anomalies::default()),
    ];
    let names: Vec<String> = (0..120).map(|i| format!("column_number_{i}_of_many")).collect();
    for n in [20, 120] {
        charts.push(Chart::new(
            format!("{n} columns"),
            [] as [&str; 0],
            Matrix {
                kind: MatrixKind::Unit,
                measure: "Association".into(),
                rows: names[..n].to_vec(),
                columns: names[..n].to_vec(),
                cells: (0..n * n).map(|_| Some(dice.draw())).collect(),
                ..Matrix::default()
            },
        ));
    }
    charts
}

static METRICS: [Metric; 4] = [
    Metric {
        name: "KSComplement",
        summary: "How alike two distributions of numbers are",
        definition: "1 less the greatest distance of the two distribution functions (SDMetrics).",
        direction: Direction::Higher,
        question: Question::Reference,
        attribute: Attribute::Statistics,
    },
    Metric {
        name: "Range",
        summary: "Values lie in the declared range",
        definition: "Share of the values that do.",
        direction: Direction::Higher,
        question: Question::Rules,
        attribute: Attribute::Structure,
    },
    Metric {
        name: "KeyUniqueness",
        summary: "No key occurs twice",
        definition: "Share of the keys that are the only ones of their kind <in SDMetrics' sense>.",
        direction: Direction::Higher,
        question: Question::Rules,
        attribute: Attribute::Integrity,
    },
    Metric {
        name: "IdenticalMatchShare",
        summary: "Rows that are also in the reference",
        definition: "Share of rows.",
        direction: Direction::Lower,
        question: Question::Leakage,
        attribute: Attribute::Diversity,
    },
];

pub(crate) fn check(metric: usize, table: &str, columns: &[&str], verdict: Verdict) -> Check {
    Check {
        metric: &METRICS[metric],
        table: table.to_owned(),
        columns: columns.iter().map(|column| (*column).to_owned()).collect(),
        rule: (metric == 1).then(|| "between 1 and 16384".to_owned()),
        value: Some(0.9234),
        reference: Some(1.0),
        threshold: Some(0.95),
        p_value: (metric == 0).then_some(0.0123),
        n: 1000,
        verdict,
        message: match verdict {
            Verdict::Fail => "17 of 1,000 values lie beyond it, the first in row 12: 65536".to_owned(),
            Verdict::Skipped => "there are no values".to_owned(),
            Verdict::Pass | Verdict::Info => "as it should be".to_owned(),
        },
        for_release: metric != 3,
    }
}

fn summary(i: usize) -> ColumnSummary {
    let numbers = NumberSummary {
        min: 1.0,
        max: 16_384.0,
        mean: 230.5,
        std: Some(712.125),
        skewness: Some(8.1),
        kurtosis: Some(91.7),
        quantiles: [0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99]
            .map(|p| Quantile { p, value: 1000.0 * p })
            .to_vec(),
    };
    ColumnSummary {
        count: 1000,
        nulls: (i % 3 * 130) as u64,
        distinct: Some(Distinct { count: 412, exact: i.is_multiple_of(2) }),
        measure: Measure::Number,
        numbers: i.is_multiple_of(2).then(|| numbers.clone()),
        lengths: (!i.is_multiple_of(2)).then_some(numbers),
        top: if i.is_multiple_of(2) {
            Vec::new()
        } else {
            (0..6).map(|i| Top { value: format!("value {i}"), count: 300 - 31 * i }).collect()
        },
    }
}

fn provenance() -> Provenance {
    let file = |file: &str| DataFile {
        table: "findings".into(),
        file: file.into(),
        bytes: 123_456,
        rows: 1000,
        sha256: Some("9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08".into()),
    };
    Provenance {
        program: "lookalike 0.1.0".into(),
        ruleset: Some(RulesetStamp {
            name: "underutilized-ebs-volumes".into(),
            sha256: "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855".into(),
            files: vec!["rulesets/trusted-advisor/underutilized-ebs-volumes.yaml".into()],
        }),
        seed: Some(42),
        params: vec![Param { name: "underutilized".into(), value: "0.176".into() }],
        files: vec![file("findings.csv")],
        reference: Some(Reference { private: true, files: vec![file("real.csv")], holdout: Vec::new() }),
        throughput: Some(Throughput { rows: 1_000_000, seconds: 0.42, threads: 2 }),
        written: None,
    }
}

/// The EBS table.
pub(crate) fn ebs_table(failed: bool) -> TableReport {
    let names = [
        "Region",
        "Volume ID",
        "Volume Name",
        "Volume Type",
        "Volume Size",
        "Monthly Storage Cost",
        "Snapshot ID",
        "Snapshot Name",
        "Snapshot Age",
        "Underutilized",
        "Created",
    ];
    let columns = names.iter().enumerate().map(|(i, name)| ColumnReport {
        name: (*name).to_owned(),
        r#type: ["text", "int", "decimal(2)"][i % 3].to_owned(),
        about: (i == 4).then(|| "Size in GiB".to_owned()),
        summary: summary(i),
    });
    let verdict = if failed { Verdict::Fail } else { Verdict::Pass };
    let mut checks = vec![
        check(1, "findings", &["Volume Size"], verdict),
        check(2, "findings", &["Volume ID"], Verdict::Pass),
        check(0, "findings", &["Monthly Storage Cost"], Verdict::Skipped),
        check(0, "findings", &["Volume Size", "Monthly Storage Cost"], Verdict::Info),
    ];
    if failed {
        checks.push(check(3, "findings", &[], Verdict::Fail));
    }
    TableReport {
        name: "findings".into(),
        about: Some("Findings of the check Underutilized Amazon EBS Volumes".into()),
        rows: 1000,
        notes: notes(failed),
        columns: columns.collect(),
        checks,
        charts: ebs_charts().into_iter().filter(|chart| failed || chart.for_release).collect(),
    }
}

fn notes(private: bool) -> Vec<Note> {
    let mut notes = vec![Note::new("Rows with a label are not held against the rules.")];
    if private {
        notes.push(Note::private("Of the 1,000,000 rows of the reference, 200,000 are compared."));
    }
    notes
}

pub(crate) fn ebs_report(failed: bool) -> Report {
    let mut provenance = provenance();
    if !failed {
        provenance.reference = None;
    }
    let privacy = Privacy {
        statement: vec!["No private rows were used: the data were made from rules alone.".into()],
        tables: vec![TextTable {
            caption: "Ledger".into(),
            columns: ["Release", "Mechanism", "Epsilon"].map(str::to_owned).to_vec(),
            rows: vec![["mean size by region", "discrete Laplace", "0.5"].map(str::to_owned).to_vec()],
        }],
    };
    Report::new("underutilized-ebs-volumes", provenance, vec![ebs_table(failed)], Some(privacy))
}

/// `tables` tables of `columns` columns, each with a chart.
pub(crate) fn wide_report(tables: usize, columns: usize) -> Report {
    let charts = ebs_charts();
    let table = |t: usize| {
        let name = format!("table_{t}");
        let names: Vec<String> = (0..columns).map(|c| format!("column_{c}_of_table_{t}")).collect();
        TableReport {
            name: name.clone(),
            about: None,
            rows: 1000,
            notes: Vec::new(),
            columns: names
                .iter()
                .enumerate()
                .map(|(i, name)| ColumnReport {
                    name: name.clone(),
                    r#type: "int".into(),
                    about: None,
                    summary: summary(i),
                })
                .collect(),
            checks: names
                .iter()
                .enumerate()
                .map(|(i, column)| {
                    check(1, &name, &[column], if i == 7 { Verdict::Fail } else { Verdict::Pass })
                })
                .collect(),
            charts: names
                .iter()
                .enumerate()
                .map(|(i, column)| Chart {
                    columns: vec![column.clone()],
                    title: column.clone(),
                    ..charts[i % 4].clone()
                })
                .collect(),
        }
    };
    Report::new("wide", provenance(), (0..tables).map(table).collect(), None)
}

/// Names and values that try to become markup.
pub(crate) fn hostile_report() -> Report {
    let evil = "</script><script>window.hacked = 1</script><img src=x onerror=\"window.hacked = 1\">'\"&\u{0}\u{1b}[31m";
    let mut table = ebs_table(true);
    table.name = evil.into();
    table.about = Some(evil.into());
    for column in &mut table.columns {
        column.name = format!("{evil}{}", column.name);
        column.r#type = evil.into();
        column.about = Some(evil.into());
        column.summary.top = vec![Top { value: evil.into(), count: 3 }];
    }
    for check in &mut table.checks {
        check.table = evil.into();
        check.message = evil.into();
        check.rule = Some(evil.into());
        check.columns = vec![evil.into()];
    }
    table.notes = vec![Note::new(evil)];
    for chart in &mut table.charts {
        chart.title = evil.into();
        chart.columns = vec![evil.into(), "Region".into()];
    }
    table.charts.push(Chart::new(
        evil,
        [evil],
        Bars { label: evil.into(), bars: vec![bar(evil, 3)], ..Bars::default() },
    ));
    let mut provenance = provenance();
    provenance.files[0].file = evil.into();
    provenance.params[0].value = evil.into();
    let privacy = Privacy {
        statement: vec![evil.into()],
        tables: vec![TextTable {
            caption: evil.into(),
            columns: vec![evil.into()],
            rows: vec![vec![evil.into()]],
        }],
    };
    Report::new(evil, provenance, vec![table], Some(privacy))
}

/// Tables of which nothing can be said.
pub(crate) fn bare_reports() -> Vec<Report> {
    let column = |summary: ColumnSummary| ColumnReport {
        name: "x".into(),
        r#type: "float".into(),
        about: None,
        summary,
    };
    let table = |rows, columns| TableReport { name: "t".into(), rows, columns, ..TableReport::default() };
    let null = ColumnSummary { count: 1000, nulls: 1000, ..ColumnSummary::default() };
    let constant =
        NumberSummary { min: 7.0, max: 7.0, mean: 7.0, std: Some(0.0), ..NumberSummary::default() };
    let constant = ColumnSummary { count: 1000, numbers: Some(constant), ..ColumnSummary::default() };
    let single = NumberSummary { min: 7.0, max: 7.0, mean: 7.0, ..NumberSummary::default() };
    let single = ColumnSummary { count: 1, numbers: Some(single), ..ColumnSummary::default() };
    let tables = [
        table(1000, vec![column(null)]),
        table(1000, vec![column(constant)]),
        table(1, vec![column(single)]),
        table(0, vec![column(ColumnSummary::default())]),
        table(0, Vec::new()),
    ];
    let mut reports: Vec<Report> = tables
        .into_iter()
        .map(|table| Report::new("bare", Provenance::default(), vec![table], None))
        .collect();
    reports.push(Report::new("", Provenance::default(), Vec::new(), None));
    reports
}
