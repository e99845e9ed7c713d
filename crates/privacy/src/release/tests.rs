use lookalike_ruleset::decode::Decode;
use lookalike_ruleset::read::{Format, read};
use lookalike_ruleset::{Problems, Sources};

use super::*;
use crate::tests::audits::{lower, upper};
use crate::tests::{opening, session};
use crate::{Budget, Error, Session};

/// The plan of some rules, or what is wrong with them.
pub(crate) fn plan_of(rules: &str, budget: Budget) -> Result<Plan, String> {
    let mut sources = Sources::new();
    let file = sources.add("rules.yaml", rules);
    let mut problems = Problems::new();
    let planned = read(&sources, file, Format::Yaml, &mut problems)
        .and_then(|node| Rules::decode(&node, &mut problems))
        .and_then(|rules| plan(&rules, budget, &mut problems));
    match planned {
        Some(plan) if !problems.has_errors() => {
            plan.map_err(|error| format!("{error}\n{}", error.help().unwrap_or("")))
        }
        _ => Err(lookalike_ruleset::render::to_text(&problems.into_sorted(), &sources, false)),
    }
}

/// Columns from rows; an empty text is none.
pub(crate) fn table<const N: usize>(names: &[&str; N], rows: &[[&str; N]]) -> Columns {
    let mut columns = Columns::new(rows.len());
    for (at, name) in names.iter().enumerate() {
        let values = rows.iter().map(|row| Some(row[at].to_owned()).filter(|value| !value.is_empty()));
        columns.add(*name, values.collect()).unwrap();
    }
    columns
}

fn budget(epsilon: f64) -> Budget {
    Budget::new(epsilon, 1e-6).unwrap()
}

const HEAD: &str = "
lookalike: 1
unit: {column: client, max_rows: 2, at_most: 10k}
columns:
  region: {values: [north, south]}
  size: {min: 0, max: 100}
  free: {}
releases:
";

#[track_caller]
fn refused(rules: &str, budget: Budget, words: &[&str]) {
    let text = plan_of(rules, budget).unwrap_err();
    for word in words {
        assert!(text.contains(word), "`{word}` is not in:\n{text}");
    }
}

#[test]
fn refusals_say_how_to_go_on() {
    let one = |release: &str| format!("{HEAD}  r: {release}\n");
    refused(
        &one("{statistic: sum, of: free}"),
        budget(1.0),
        &["no bounds of column `free`", "`min` and `max`"],
    );
    refused(&one("{statistic: count, by: [free]}"), budget(1.0), &["not public", "discover"]);
    refused(&one("{statistic: count, by: [regoin]}"), budget(1.0), &["nothing is said", "region"]);
    refused(&one("{statistic: mean}"), budget(1.0), &["of: column"]);
    refused(&one("{statistic: total, of: size}"), budget(1.0), &["`total` is not known here"]);
    refused(&one("{statistic: histogram, of: size}"), budget(1.0), &["needs bins"]);
    refused(&one("{statistic: histogram, of: size, bins: [1, 1]}"), budget(1.0), &["do not rise"]);
    refused(&one("{statistic: count, sums_to: x}"), budget(1.0), &["no release `x`"]);
    let unbounded = one("{statistic: count}").replace("max_rows: 2, ", "");
    refused(&unbounded, budget(1.0), &["no bound on the rows of one `client`", "max_rows"]);
    refused(&HEAD.replace("releases:", ""), budget(1.0), &["nothing is to be released"]);
    let count = one("{statistic: count}");
    refused(&count, Budget::new(1.0, 1e-4).unwrap(), &["not below one over the number of units"]);
    let no_public_bound = count.replace(", at_most: 10k", "");
    refused(&no_public_bound, Budget::new(1.0, 1e-4).unwrap(), &["nothing public says"]);
    refused(
        &count,
        budget(0.0001),
        &["too small to say anything", "the whole table holds at most 20000 rows"],
    );
    let discover = one("{statistic: count, by: [region]}").replace("[north, south]", "discover");
    refused(&discover, budget(1.0), &["--threshold-delta"]);
    let thresholds = budget(1.0).with_thresholds(5e-7).unwrap();
    let unknown = |release: &str| one(release).replace("[north, south]", "discover");
    let laplace = unknown("{statistic: count, by: [region], noise: laplace}");
    refused(&laplace, thresholds, &["unknown keys", "leave `noise` out"]);
    let parts = unknown("{statistic: sum, of: size, by: [region], sums_to: all}");
    refused(&parts, thresholds, &["cannot add up", "leave `sums_to` out"]);
}

#[test]
fn a_row_without_its_unit_is_refused_before_anything_is_spent() {
    let plan = plan_of(&format!("{HEAD}  r: {{statistic: count}}\n"), budget(1.0)).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let mut session = session(folder.path(), plan.unit.clone(), 1.0).unwrap();
    let refusal = run(&plan, &mut session, &table(&["client"], &[["a"], [""]])).unwrap_err();
    assert!(matches!(&refusal, Error::Request { message, .. } if message.contains("`client`")), "{refusal}");
    let refusal = run(&plan, &mut session, &table(&["customer"], &[["a"]])).unwrap_err();
    assert!(refusal.to_string().contains("no column `client`"), "{refusal}");
    assert_eq!(session.spent_rho(), 0.0);
}

#[test]
fn a_plan_costs_what_its_run_does() {
    let rules = format!(
        "{HEAD}  a: {{statistic: count, share: 3}}\n  b: {{statistic: mean, of: size, by: [region]}}\n  c: {{statistic: sum, \
         of: size, noise: laplace}}\n  d: {{statistic: quantiles, of: size}}\n"
    );
    let plan = plan_of(&rules, budget(1.0)).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let mut session = session(folder.path(), plan.unit.clone(), 1.0).unwrap();
    let rows = [["a", "north", "5"], ["b", "south", "7"]];
    run(&plan, &mut session, &table(&["client", "region", "size"], &rows)).unwrap();
    assert_eq!(session.spent(), plan.cost().unwrap());
    assert!(session.remaining_rho() < 1e-9 * session.limit().rho);
    assert!(run(&plan, &mut session, &table(&["client", "region", "size"], &rows)).is_err());
    let text = plan_text(&plan).unwrap();
    assert!(text.contains("epsilon 1.0000 at delta 1e-6") || text.contains("epsilon 0.9999"), "{text}");
}

/// Of 200 repetitions, the share of intervals that hold the truth. For figures with noise of their own it is 95 %, up to what
/// two Clopper-Pearson bounds at 5e-7 allow; for means and quantiles, whose intervals are to first order or wider than need be,
/// it is not less.
#[test]
fn error_bars_cover_the_truth() {
    let rules = format!(
        "{HEAD}  count: {{statistic: count, by: [region]}}\n  sum: {{statistic: sum, of: size, by: [region]}}\n  pure: \
         {{statistic: count, noise: laplace}}\n  bins: {{statistic: histogram, of: size, bins: [0, 25, 50, 75, 100]}}\n  mean: \
         {{statistic: mean, of: size, by: [region]}}\n  middle: {{statistic: quantiles, of: size, at: [50%]}}\n"
    );
    let plan = plan_of(&rules, budget(4.0)).unwrap();
    let clients: Vec<String> = (0..1500).map(|i| format!("c{}", i / 2)).collect();
    let sizes: Vec<String> = (0..1500).map(|i| (i * 37 % 101).to_string()).collect();
    let rows: Vec<[&str; 3]> = (0..1500)
        .map(|i| [clients[i].as_str(), if i % 3 == 0 { "north" } else { "south" }, sizes[i].as_str()])
        .collect();
    let columns = table(&["client", "region", "size"], &rows);
    let truth = |release: &str, keys: &[String]| -> Option<f64> {
        let inside = |row: &&[&str; 3]| keys.first().is_none_or(|key| row[1] == key);
        let value = |row: &[&str; 3]| row[2].parse::<f64>().unwrap();
        let group: Vec<f64> = rows.iter().filter(inside).map(value).collect();
        let sum = group.iter().sum::<f64>();
        match release {
            "count" => Some(group.len() as f64),
            "sum" => Some(sum),
            "pure" => Some(rows.len() as f64),
            "bins" if keys[0] == NULL => Some(0.0),
            "bins" => {
                let from: f64 = keys[0].split(' ').next().unwrap().parse().unwrap();
                let last = from == 75.0;
                Some(rows.iter().filter(|r| value(r) >= from && (value(r) < from + 25.0 || last)).count()
                    as f64)
            }
            "mean" => (!group.is_empty()).then(|| sum / group.len() as f64),
            _ => Some(50.0),
        }
    };
    let mut seen: Vec<(String, u64, u64)> = Vec::new();
    for _ in 0..200 {
        let folder = tempfile::tempdir().unwrap();
        let mut session = Session::open(opening(folder.path(), plan.unit.clone(), budget(4.0))).unwrap();
        for released in run(&plan, &mut session, &columns).unwrap() {
            let place = seen.iter().position(|(name, ..)| *name == released.name).unwrap_or_else(|| {
                seen.push((released.name.clone(), 0, 0));
                seen.len() - 1
            });
            for figure in &released.figures {
                let truth = truth(&released.name, &figure.keys);
                let (Some(value), Some(width), Some(truth)) = (figure.value, figure.half_width, truth) else {
                    continue;
                };
                seen[place].1 += 1;
                seen[place].2 += u64::from((value - truth).abs() <= width);
            }
        }
    }
    for (name, n, covered) in seen {
        let (low, high) = (lower(n, covered, 5e-7), upper(n, covered, 5e-7));
        assert!(n >= 200, "{name}: {n}");
        assert!(high >= 0.95, "{name}: {covered} of {n}");
        // On a lattice an interval may hold a little more than its share, and Laplace intervals are rounded up by a step.
        let own_noise = ["count", "sum", "bins"].contains(&name.as_str());
        assert!(!own_noise || low <= 0.955, "{name}: {covered} of {n} is too many");
    }
}

/// Keys that nobody knows, one of them a single client's, of 40 clients each with a row: sums and means hold the truth in 95 % of
/// 200 repetitions, up to two Clopper-Pearson bounds at 5e-7, and the single client's key is never told.
#[test]
fn sums_and_means_by_unknown_keys_cover_the_truth() {
    let rules = format!(
        "{HEAD}  sum: {{statistic: sum, of: size, by: [region]}}\n  mean: {{statistic: mean, of: size, by: [region]}}\n"
    )
    .replace("[north, south]", "discover");
    let budget = budget(20.0).with_thresholds(5e-7).unwrap();
    let plan = plan_of(&rules, budget).unwrap();
    assert_eq!(plan.items.iter().map(|item| item.draws.len()).collect::<Vec<_>>(), [2, 3]);
    let text = plan_text(&plan).unwrap();
    assert!(text.contains("keys with fewer than"), "{text}");
    let clients: Vec<String> = (0..81).map(|i| format!("c{i}")).collect();
    let rows: Vec<[&str; 3]> = (0..81)
        .map(|i| match i {
            80 => [clients[80].as_str(), "secret", "99"],
            _ => [clients[i].as_str(), ["north", "south"][i % 2], ["10", "30"][i % 2]],
        })
        .collect();
    let columns = table(&["client", "region", "size"], &rows);
    let (mut seen, mut covered) = (0, 0);
    for _ in 0..200 {
        let folder = tempfile::tempdir().unwrap();
        let mut session = Session::open(opening(folder.path(), plan.unit.clone(), budget)).unwrap();
        let released = run(&plan, &mut session, &columns).unwrap();
        assert_eq!(session.spent(), plan.cost().unwrap());
        for released in &released {
            for figure in &released.figures {
                let each = match figure.keys[0].as_str() {
                    "north" => 10.0,
                    "south" => 30.0,
                    other => panic!("`{other}` is told"),
                };
                let truth = if released.name == "sum" { 40.0 * each } else { each };
                let (Some(value), Some(width)) = (figure.value, figure.half_width) else { continue };
                seen += 1;
                covered += u64::from((value - truth).abs() <= width);
            }
        }
    }
    assert!(seen >= 700, "{seen}: most keys of forty clients are found");
    let (low, high) = (lower(seen, covered, 5e-7), upper(seen, covered, 5e-7));
    assert!(low <= 0.96 && high >= 0.95, "{covered} of {seen}");
}

#[test]
fn figures_can_be_made_to_add_up() {
    let rules = format!(
        "{HEAD}  all: {{statistic: count}}\n  parts: {{statistic: count, by: [region], sums_to: all, non_negative: true}}\n"
    );
    let plan = plan_of(&rules, budget(4.0)).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let mut session = session(folder.path(), plan.unit.clone(), 4.0).unwrap();
    let rows: Vec<[String; 2]> = (0..200).map(|i| [format!("c{i}"), "north".to_owned()]).collect();
    let rows: Vec<[&str; 2]> = rows.iter().map(|row| [row[0].as_str(), row[1].as_str()]).collect();
    let released = run(&plan, &mut session, &table(&["client", "region"], &rows)).unwrap();
    let total = released[0].figures[0].value.unwrap();
    let parts: Vec<f64> = released[1].figures.iter().map(|figure| figure.value.unwrap()).collect();
    assert!((parts.iter().sum::<f64>() - total).abs() < 1e-6, "{parts:?} {total}");
    assert!(parts.iter().all(|part| *part >= 0.0));
    assert_eq!(released[1].notes.len(), 2, "what was done is said");
    assert_eq!(released[1].figures.len(), 4, "empty cells, others and nulls are there");
}

#[test]
fn statements_never_promise_too_much() {
    let plan = plan_of(&format!("{HEAD}  r: {{statistic: count}}\n"), budget(1.0)).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let mut session = session(folder.path(), plan.unit.clone(), 1.0).unwrap();
    let released = run(&plan, &mut session, &table(&["client"], &[["a"]])).unwrap();
    let statement = session.close(plan.public(), plan.not_counted()).unwrap();
    let text = format!("{}{}", markdown(&released[0]), statement.to_markdown());
    for word in ["anonym", "no privacy loss", "risk-free", "guaranteed safe"] {
        assert!(!text.to_lowercase().contains(word), "{word}");
    }
    for word in [
        "Unit of privacy",
        "`client`, at most 2 rows",
        "add or remove one unit",
        "epsilon",
        "delta",
        "Taken as public",
        "Not counted",
        "what bounds cut off",
    ] {
        assert!(text.contains(word), "{word} is not in {text}");
    }
}

#[test]
fn texts_cannot_break_out() {
    let released = Released {
        name: "r".into(),
        about: None,
        title: "count by region".into(),
        keys: vec!["region".into()],
        figure: "count".into(),
        figures: vec![Figure {
            keys: vec!["a|b, \"<script>\"\n".into()],
            value: Some(-1234.5),
            std_error: Some(1.0),
            half_width: Some(1.96),
        }],
        notes: Vec::new(),
    };
    assert_eq!(
        csv(&released),
        "region,count,std_error,half_width_95\n\"a|b, \"\"<script>\"\"\n\",-1234.5,1,1.96\n"
    );
    let text = markdown(&released);
    assert!(
        text.contains("a\\|b, \"&lt;script> \" |") || text.contains("a\\|b, \"&lt;script>\"  |"),
        "{text}"
    );
}
