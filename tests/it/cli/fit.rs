//! `fit`: from a private table to a ruleset that makes rows.

use super::{Outcome, Place};

/// A table that stands for a private one: made by a ruleset of ours.
const PRIVATE: &str = "\
lookalike: 1
name: private
seed: 5
tables:
  orders:
    rows: 4k
    columns:
      client: {int_range: [1, 2000]}
      state: {choice: {open: 20%, paid: 75%, lost: 5%}}
      channel:
        by: state
        cases:
          open: {choice: {web: 90%, app: 10%}}
          paid | lost: {choice: {web: 20%, app: 80%}}
      items: {geometric: {probability: 40%}, clamp: [1, 30], null: 5%}
      price: {log_normal: {median: 40, p95: 300}, round: 2}
      ordered: {date_range: [2025-01-01, 2025-12-31]}
";

const SCHEMA: &str = "\
schema: 1
table: orders
columns:
  id: {generate: {sequence: {start: 1}}}
  state: {categories: [open, paid, lost]}
  channel: {categories: [web, app]}
  items: {int: [1, 30], edges: [1, 2, 3, 4, 6, 10]}
  price: {float: [0, 1000], edges: [10, 20, 40, 80, 160], round: 2}
  ordered: {date: [2025-01-01, 2025-12-31], bins: 12}
impossible: [{state: lost, channel: web}]
";

fn place() -> Place {
    let place = Place::with(PRIVATE);
    place.run("generate x.yaml --format csv -o private -q").expect(0);
    place.write("schema.yaml", SCHEMA);
    place
}

fn fit(place: &Place, more: &str) -> Outcome {
    place.run(&format!("fit private/orders.csv --schema schema.yaml {more}"))
}

#[test]
fn a_private_table_becomes_a_ruleset_that_makes_rows() {
    let place = place();
    for (method, exact) in [("mst", ""), ("aim", "--exact")] {
        fit(
            &place,
            &format!(
                "--epsilon 8 --delta 1e-6 --total-epsilon 40 --method {method} {exact} -o {method}.yaml"
            ),
        )
        .expect(0);
        let check = place.run(&format!("check {method}.yaml")).expect(0);
        assert!(check.stderr.contains("no problems"), "{check}");
        place.run(&format!("generate {method}.yaml --rows 2000 --format csv -o {method} -q")).expect(0);
        let text = std::fs::read_to_string(place.path(&format!("{method}/orders.csv"))).unwrap();
        let mut lines = text.lines();
        assert_eq!(lines.next(), Some("id,state,channel,items,price,ordered"));
        let rows: Vec<Vec<&str>> = lines.map(|line| line.split(',').collect()).collect();
        assert_eq!(rows.len(), 2000);
        let count = |test: &dyn Fn(&[&str]) -> bool| rows.iter().filter(|row| test(row)).count();
        // Noise of a few rows in 4,000, and sampling: far inside of these bounds.
        let paid = count(&|row| row[1] == "paid");
        assert!((1400..1600).contains(&paid), "{method}: {paid}");
        let open_on_web = count(&|row| row[1] == "open" && row[2] == "web");
        assert!((280..440).contains(&open_on_web), "{method}: {open_on_web}");
        assert_eq!(
            count(&|row| row[1] == "lost" && row[2] == "web"),
            0,
            "{method}: what cannot be is not made"
        );
        assert!(count(&|row| row[3].is_empty()) > 40, "{method}: nulls are modelled");
        assert!(
            rows.iter().all(|row| row[3].is_empty() || (1..=30).contains(&row[3].parse::<i64>().unwrap()))
        );
        assert!(rows.iter().all(|row| row[5].is_empty() || row[5].starts_with("2025-")));
        let statement = std::fs::read_to_string(place.path(&format!("{method}.privacy.md"))).unwrap();
        for part in ["Unit of privacy", "the 3 categories of `state`", "Neighbouring tables"] {
            assert!(statement.contains(part), "{statement}");
        }
        assert!(!statement.contains("anonymous"), "{statement}");
    }
    // Rows alone are those of the whole.
    let whole = place.run("generate aim.yaml --format csv --range 100..105 -o -").expect(0);
    let again = place.run("generate aim.yaml --format csv --range 102..103 -o -").expect(0);
    assert_eq!(whole.text.lines().nth(3), again.text.lines().nth(1));
}

/// Cells of a Parquet file are read by their types: none of them becomes null for want of being understood.
#[test]
fn a_binary_table_is_read_as_a_text_one_is() {
    let place = Place::with(
        "\
lookalike: 1
name: private
seed: 5
tables:
  visits:
    rows: 3k
    columns:
      paid: {bernoulli: 40%}
      price: {uniform: [1, 99], type: decimal(2)}
      day: {date_range: [2025-01-01, 2025-12-31]}
      at: {datetime_range: [2025-01-01T00:00:00Z, 2025-12-31T00:00:00Z]}
",
    );
    place.run("generate x.yaml --format csv,parquet -o private --no-report -q").expect(0);
    place.write(
        "schema.yaml",
        "\
schema: 1
table: visits
columns:
  paid: {categories: ['true', 'false']}
  price: {float: [0, 100], bins: 4}
  day: {date: [2025-01-01, 2025-12-31], bins: 4}
  at: {datetime: [2025-01-01, 2026-01-01], bins: 4}
",
    );
    for format in ["csv", "parquet"] {
        let state = format!("--state {format}.jsonl");
        place
            .run(&format!(
                "fit private/visits.{format} --schema schema.yaml --epsilon 20 {state} -o {format}.yaml -q"
            ))
            .expect(0);
        place.run(&format!("generate {format}.yaml --format csv -o {format} --no-report -q")).expect(0);
        let mut reader = csv::Reader::from_path(place.path(&format!("{format}/visits.csv"))).unwrap();
        let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
        assert!((2800..3200).contains(&rows.len()), "{format}: {}", rows.len());
        for column in 0..4 {
            let nulls = rows.iter().filter(|row| row[column].is_empty()).count();
            assert!(nulls < 30, "{format}: {nulls} of column {column}");
        }
        let paid = rows.iter().filter(|row| row[0] == *"true").count();
        assert!((1000..1400).contains(&paid), "{format}: {paid}");
    }
}

#[test]
fn the_budget_belongs_to_the_table() {
    let place = place();
    fit(&place, "--epsilon 1 --total-epsilon 1.2 -o a.yaml -q").expect(0);
    let refused = fit(&place, "--epsilon 1 -o b.yaml -q").expect(3);
    assert!(refused.stderr.contains("the table has"), "{refused}");
    assert!(!place.path("b.yaml").exists() && !place.path("b.privacy.md").exists());
}

#[test]
fn a_dry_run_reads_no_rows_and_spends_nothing() {
    let place = Place::new();
    place.write("schema.yaml", SCHEMA);
    for method in ["mst", "aim"] {
        let plan = fit(&place, &format!("--epsilon 1 --delta 1e-9 --method {method} --dry-run")).expect(0);
        for part in ["epsilon 1", "5 columns alone", "cells", "rows in each cell"] {
            assert!(plan.text.contains(part), "{plan}");
        }
    }
    assert!(!place.path(".lookalike").exists());
}

#[test]
fn mistakes_are_told_before_anything_is_spent() {
    let place = place();
    for (more, code, words) in [
        ("--epsilon -1", 2, "epsilon is -1"),
        ("--epsilon 1 --delta 2", 2, "delta is 2"),
        ("--epsilon 1 -o out.csv", 2, "no name for a ruleset"),
        ("--epsilon 1 --method aim --workload state+chanel", 2, "did you mean `channel`"),
        ("--epsilon 1 --method aim --workload 9", 2, "all sets of 9 columns"),
    ] {
        let outcome = fit(&place, more).expect(code);
        assert!(outcome.stderr.contains(words), "{more}: {outcome}");
    }
    place.write("schema.yaml", SCHEMA.replace("categories: [web, app]", "categorys: [web, app]"));
    let outcome = fit(&place, "--epsilon 1").expect(2);
    assert!(outcome.stderr.contains("schema.yaml:6:") && outcome.stderr.contains("categories"), "{outcome}");
    place.write("schema.yaml", SCHEMA.replace("  price:", "  prize:"));
    let outcome = fit(&place, "--epsilon 1").expect(2);
    assert!(outcome.stderr.contains("no column `prize`"), "{outcome}");
    place.write("schema.yaml", format!("{SCHEMA}unit: {{column: nobody, max_rows: 2}}\n"));
    fit(&place, "--epsilon 1").expect(2);
    place.write("schema.yaml", SCHEMA);
    let outcome = place.run("fit nowhere.csv --schema schema.yaml --epsilon 1").expect(4);
    assert!(outcome.stderr.contains("nowhere.csv"), "{outcome}");
    // All of the budget is still there.
    fit(&place, "--epsilon 1 -o ok.yaml -q").expect(0);
}

/// Pearson's statistic for two columns being independent within each group of the first, over tables of three groups with 4 × 5
/// cells: 36 degrees of freedom, of which 95 is passed with a probability below 1e-6.
fn dependence(rows: &[[usize; 3]]) -> f64 {
    let mut counts = [[[0.0f64; 5]; 4]; 3];
    rows.iter().for_each(|[a, b, c]| counts[*a][*b][*c] += 1.0);
    let mut statistic = 0.0;
    for group in counts {
        let total: f64 = group.iter().flatten().sum();
        for line in &group {
            let side: f64 = line.iter().sum();
            for (c, count) in line.iter().enumerate() {
                let top: f64 = group.iter().map(|line| line[c]).sum();
                statistic += (count - side * top / total).powi(2) / (side * top / total);
            }
        }
    }
    statistic
}

/// Two columns, both given a third one, were never measured together: by the model they are independent given that one, and so
/// they have to be in the rows. Makers of rows that deal out exact numbers in the order of the rows get this wrong.
#[test]
fn rows_agree_with_the_model_on_pairs_that_were_not_measured() {
    let place = Place::new();
    std::fs::create_dir(place.path("model")).unwrap();
    place.write("model/a.csv", "a,weight\na0,50\na1,30\na2,20\n");
    for (name, values) in [("b", 4), ("c", 5)] {
        let mut text = format!("a,{name},weight\n");
        for a in 0..3 {
            for value in 0..values {
                text.push_str(&format!("a{a},{name}{value},{}\n", 1 + (a * 7 + value * 3) % 11));
            }
        }
        place.write(&format!("model/{name}.csv"), text);
    }
    for exact in [true, false] {
        let given = |chain: &str| if exact { format!(", exact: [{chain}]") } else { String::new() };
        place.write(
            "x.yaml",
            format!(
                "lookalike: 1\nname: x\nseed: 3\nlookups:\n  aw: {{file: model/a.csv, key: [a]}}\n  bw: {{file: model/b.csv, key: \
                 [a, b]}}\n  cw: {{file: model/c.csv, key: [a, c]}}\ntables:\n  t:\n    rows: 20k\n    columns:\n      a: \
                 {{weighted: {{in: aw, take: a{}}}}}\n      b: {{weighted: {{in: bw, take: b, by: [a]{}}}}}\n      c: {{weighted: \
                 {{in: cw, take: c, by: [a]{}}}}}\n",
                given(""),
                given("aw"),
                given("aw")
            ),
        );
        let outcome = place.run("generate x.yaml --format csv -o - -q").expect(0);
        let code = |cell: &str| cell[1..].parse::<usize>().unwrap();
        let mut rows: Vec<[usize; 3]> = Vec::new();
        for line in outcome.text.lines().skip(1) {
            let mut cells = line.split(',').map(code);
            rows.push(std::array::from_fn(|_| cells.next().unwrap()));
        }
        assert_eq!(rows.len(), 20_000);
        let statistic = dependence(&rows);
        assert!(statistic < 95.0, "exact {exact}: {statistic}");
        // The mistake itself: within each group, both columns in the order of the rows.
        let mut sorted = rows.clone();
        for column in [1, 2] {
            for a in 0..3 {
                let mut values: Vec<usize> =
                    rows.iter().filter(|row| row[0] == a).map(|row| row[column]).collect();
                values.sort_unstable();
                let mut values = values.into_iter();
                sorted
                    .iter_mut()
                    .filter(|row| row[0] == a)
                    .for_each(|row| row[column] = values.next().unwrap());
            }
        }
        assert!(dependence(&sorted) > 1000.0);
    }
}

/// Two fits of one table give different numbers: the noise is fresh, whatever the ruleset's seed will be.
#[test]
fn noise_differs_from_fit_to_fit() {
    let place = place();
    for name in ["a", "b"] {
        fit(&place, &format!("--epsilon 1 --total-epsilon 5 -o {name}.yaml -q")).expect(0);
    }
    let model = |name: &str| place.read(&format!("{name}.model/state.csv"));
    assert_ne!(model("a"), model("b"));
}
