//! Tables that hang together: keys resolve, numbers of children agree with the children, any rows can be made alone.

use std::collections::{BTreeMap, BTreeSet};

use lookalike_core::Rows;
use lookalike_core::testing::chi_squared_p_value;
use lookalike_engine::Plan;
use lookalike_engine::plan::Overrides;
use lookalike_engine::testing::{plan, plan_with};
use lookalike_ruleset::document::NoFiles;
use polars::prelude::*;

/// Three levels, per-parent and picked, with everything that reads across tables.
const SHOP: &str = "
lookalike: 1
seed: 5
tables:
  customers:
    rows: 3k
    columns:
      id: {sequence: {start: 1000}}
      region: {choice: [north, south, east]}
      tier: {int_range: [0, 3]}
      orders: {expr: count(orders)}
      spent: {expr: sum(orders.amount)}
      largest: {expr: max(orders.amount)}
      smallest: {expr: min(orders.amount)}
      mean: {expr: avg(orders.amount)}
      lines: {expr: sum(orders.lines)}
      calls: {expr: count(calls)}
      talk: {expr: sum(calls.length)}
  orders:
    belongs_to:
      customer: {table: customers, per_parent: {expr: tier * 4}}
    columns:
      id: {sequence: {}}
      customer: {expr: customer.id}
      ordinal: {ordinal: customer}
      region: {expr: customer.region}
      amount: {log_normal: {median: 50, p95: 400}, round: 2}
      note: {constant: gift, null: 70%}
      lines: {expr: count(lines)}
  lines:
    belongs_to:
      order: {table: orders, per_parent: {poisson: {mean: 2}}}
      product: {table: products, pick: {zipf: 1}}
    columns:
      order: {expr: order.id}
      line: {ordinal: order}
      region: {expr: order.customer.region}
      product: {expr: product.code}
      price: {expr: product.price}
    require: ['price < 8']
  products:
    rows: 40
    columns:
      code: {pattern: '[A-Z]{4}', unique: true}
      price: {uniform: [1, 9], round: 2}
  calls:
    rows: 9k
    belongs_to:
      customer: {table: customers, pick: {weight: tier}, null: 10%}
    columns:
      customer: {expr: customer.id}
      length: {int_range: [1, 100]}
";

fn frame(plan: &Plan, table: &str) -> DataFrame {
    let table = plan.table(table).unwrap();
    table.frame(&Rows::Range(0..table.rows)).unwrap()
}

fn ints(frame: &DataFrame, column: &str) -> Vec<Option<i64>> {
    let column = frame.column(column).unwrap().cast(&DataType::Int64).unwrap();
    column.i64().unwrap().iter().collect()
}

/// Cents of a decimal(2) column.
fn cents(frame: &DataFrame, column: &str) -> Vec<Option<i128>> {
    let column = frame.column(column).unwrap().as_materialized_series().to_physical_repr().into_owned();
    column.i128().unwrap().iter().collect()
}

fn texts(frame: &DataFrame, column: &str) -> Vec<Option<String>> {
    let column = frame.column(column).unwrap().cast(&DataType::String).unwrap();
    column.str().unwrap().iter().map(|v| v.map(str::to_owned)).collect()
}

#[test]
fn aggregates_are_what_the_children_say() {
    let plan = plan(SHOP).unwrap();
    let (customers, orders, lines, calls) =
        (frame(&plan, "customers"), frame(&plan, "orders"), frame(&plan, "lines"), frame(&plan, "calls"));
    let mut amounts: BTreeMap<i64, Vec<i128>> = BTreeMap::new();
    for (customer, amount) in ints(&orders, "customer").iter().zip(cents(&orders, "amount")) {
        amounts.entry(customer.unwrap()).or_default().push(amount.unwrap());
    }
    let mut of_order: BTreeMap<i64, i64> = BTreeMap::new();
    for order in ints(&lines, "order") {
        *of_order.entry(order.unwrap()).or_default() += 1;
    }
    for (order, count) in ints(&orders, "id").iter().zip(ints(&orders, "lines")) {
        assert_eq!(count.unwrap(), of_order.get(&order.unwrap()).copied().unwrap_or(0), "order {order:?}");
    }
    let mut talk: BTreeMap<i64, Vec<i64>> = BTreeMap::new();
    for (customer, length) in ints(&calls, "customer").iter().zip(ints(&calls, "length")) {
        if let Some(customer) = customer {
            talk.entry(*customer).or_default().push(length.unwrap());
        }
    }
    let ids = ints(&customers, "id");
    let (spent, largest, smallest) =
        (cents(&customers, "spent"), cents(&customers, "largest"), cents(&customers, "smallest"));
    let means = customers.column("mean").unwrap().f64().unwrap().clone();
    let (counts, tiers) = (ints(&customers, "orders"), ints(&customers, "tier"));
    let (calls, talks) = (ints(&customers, "calls"), ints(&customers, "talk"));
    for (at, id) in ids.iter().enumerate() {
        let own = amounts.get(&id.unwrap()).cloned().unwrap_or_default();
        assert_eq!(counts[at], Some(own.len() as i64));
        assert_eq!(counts[at], tiers[at].map(|tier| tier * 4));
        let sum: i128 = own.iter().sum();
        assert_eq!(spent[at], (!own.is_empty()).then_some(sum));
        assert_eq!(largest[at], own.iter().max().copied());
        assert_eq!(smallest[at], own.iter().min().copied());
        let mean = (!own.is_empty()).then(|| sum as f64 / 100.0 / own.len() as f64);
        assert_eq!(means.get(at), mean);
        let own = talk.get(&id.unwrap()).cloned().unwrap_or_default();
        assert_eq!(calls[at], Some(own.len() as i64));
        assert_eq!(talks[at], (!own.is_empty()).then(|| own.iter().sum()));
    }
}

#[test]
fn parents_cells_are_the_parents() {
    let plan = plan(SHOP).unwrap();
    let (customers, orders, lines) =
        (frame(&plan, "customers"), frame(&plan, "orders"), frame(&plan, "lines"));
    let region: BTreeMap<i64, String> = ints(&customers, "id")
        .iter()
        .zip(texts(&customers, "region"))
        .map(|(i, r)| (i.unwrap(), r.unwrap()))
        .collect();
    let customer: BTreeMap<i64, i64> = ints(&orders, "id")
        .iter()
        .zip(ints(&orders, "customer"))
        .map(|(i, c)| (i.unwrap(), c.unwrap()))
        .collect();
    for (order, seen) in ints(&orders, "id").iter().zip(texts(&orders, "region")) {
        assert_eq!(seen.as_ref(), region.get(&customer[&order.unwrap()]));
    }
    for (order, seen) in ints(&lines, "order").iter().zip(texts(&lines, "region")) {
        assert_eq!(seen.as_ref(), region.get(&customer[&order.unwrap()]), "two links away");
    }
    // Together with the order, the line number is a key.
    let keys: BTreeSet<_> = ints(&lines, "order").into_iter().zip(ints(&lines, "line")).collect();
    assert_eq!(keys.len(), lines.height());
}

#[test]
fn any_rows_can_be_made_alone() {
    let plan = plan(SHOP).unwrap();
    for table in &plan.tables {
        let whole = table.frame(&Rows::Range(0..table.rows)).unwrap();
        for parts in [1, 8, 97] {
            let mut joined: Option<DataFrame> = None;
            for part in 0..parts {
                let part = table
                    .frame(&Rows::Range(table.rows * part / parts..table.rows * (part + 1) / parts))
                    .unwrap();
                joined = Some(match joined {
                    None => part,
                    Some(all) => all.vstack(&part).unwrap(),
                });
            }
            assert!(whole.equals_missing(&joined.unwrap()), "{}: {parts} parts", table.name);
        }
        // Scattered rows, backwards and with repeats.
        let list: Vec<u64> = (0..500).map(|i| (i * 7919 + 13) % table.rows).chain([3, 3, 0]).rev().collect();
        let positions: Vec<u32> = list.iter().map(|row| *row as u32).collect();
        let scattered = table.frame(&Rows::from(list)).unwrap();
        let taken = whole.take(&IdxCa::from_vec("".into(), positions)).unwrap();
        assert!(scattered.equals_missing(&taken), "{}: scattered", table.name);
    }
}

#[test]
fn a_table_more_changes_no_other() {
    let before = plan(SHOP).unwrap();
    let more =
        "  extras:\n    rows: 7\n    belongs_to: {order: orders}\n    columns: {order: {expr: order.id}}\n";
    let after = plan(&SHOP.replace("  products:\n", &format!("{more}  products:\n"))).unwrap();
    assert_eq!(after.tables.len(), before.tables.len() + 1);
    for table in &before.tables {
        assert!(frame(&before, &table.name).equals_missing(&frame(&after, &table.name)), "{}", table.name);
    }
}

/// Rows per parent against the declared weights, by chi-squared with a false alarm in a million each.
#[test]
fn parents_are_picked_as_declared() {
    let plan = plan(
        "
lookalike: 1
tables:
  parents:
    rows: 20
    columns: {id: {sequence: {start: 0}}, weight: {expr: 'id % 5'}}
  evenly: {rows: 40k, belongs_to: {p: parents}, columns: {p: {expr: p.id}}}
  weighted: {rows: 40k, belongs_to: {p: {table: parents, pick: {weight: weight}}}, columns: {p: {expr: p.id}}}
  popular: {rows: 40k, belongs_to: {p: {table: parents, pick: {zipf: 1.5}}}, columns: {p: {expr: p.id}}}
  optional: {rows: 40k, belongs_to: {p: {table: parents, null: 25%}}, columns: {p: {expr: p.id}}}
",
    )
    .unwrap();
    let counts = |table: &str| {
        let mut counts = [0.0; 20];
        ints(&frame(&plan, table), "p").iter().flatten().for_each(|p| counts[*p as usize] += 1.0);
        counts
    };
    let fits = |counts: &[f64], weights: &[f64]| {
        let (n, total): (f64, f64) = (counts.iter().sum(), weights.iter().sum());
        let pairs = || counts.iter().zip(weights).filter(|(_, weight)| **weight > 0.0);
        assert!(counts.iter().zip(weights).all(|(count, weight)| *weight > 0.0 || *count == 0.0));
        let statistic =
            pairs().map(|(count, weight)| (count - n * weight / total).powi(2) / (n * weight / total)).sum();
        let p = chi_squared_p_value(statistic, pairs().count() as f64 - 1.0);
        assert!(p > 1e-6, "{p}: {counts:?}");
    };
    fits(&counts("evenly"), &[1.0; 20]);
    fits(&counts("weighted"), &std::array::from_fn::<f64, 20, _>(|id| (id % 5) as f64));
    fits(&counts("optional"), &[1.0; 20]);
    let kept = counts("optional").iter().sum::<f64>();
    // Five standard deviations of a binomial: a false alarm in 1.7 million.
    assert!((kept - 30_000.0).abs() < 5.0 * (40_000.0f64 * 0.25 * 0.75).sqrt(), "{kept}");
    let mut popular = counts("popular");
    popular.sort_by(|a, b| b.total_cmp(a));
    // Ranks are only known by their counts; the heads are far enough apart to be in order.
    fits(&[popular[0], popular[1], popular[2..].iter().sum()], &{
        let weight = |k: u32| f64::from(k).powf(-1.5);
        [weight(1), weight(2), (3..=20).map(weight).sum()]
    });
}

#[test]
fn managers_come_before_those_they_manage() {
    let plan = plan(
        "
lookalike: 1
tables:
  people:
    rows: 5k
    belongs_to: {manager: {table: people, null: 2%, children: reports}}
    columns: {id: {sequence: {start: 0}}, manager: {expr: manager.id}, above: {expr: manager.manager.id}, reports: {expr: count(reports)}}
",
    )
    .unwrap();
    let people = frame(&plan, "people");
    let (managers, above, reports) =
        (ints(&people, "manager"), ints(&people, "above"), ints(&people, "reports"));
    assert_eq!(managers[0], None);
    let mut counted = vec![0; 5000];
    for (id, manager) in managers.iter().enumerate() {
        if let Some(manager) = manager {
            assert!(*manager < id as i64);
            counted[*manager as usize] += 1;
            assert_eq!(above[id], managers[*manager as usize]);
        }
    }
    assert_eq!(reports.into_iter().flatten().collect::<Vec<_>>(), counted);
}

#[test]
fn unique_links_never_meet_twice() {
    let plan = plan(
        "
lookalike: 1
tables:
  students: {rows: 30, columns: {id: {sequence: {}}}}
  courses: {rows: 20, columns: {id: {sequence: {}}}}
  seats: {rows: 600, belongs_to: {s: students, c: courses}, unique: [s, c], columns: {s: {expr: s.id}, c: {expr: c.id}}}
  lockers: {rows: 30, belongs_to: {s: students}, unique: [s], columns: {s: {expr: s.id}, c: {constant: 0}}}
  exams:
    belongs_to: {s: {table: students, per_parent: {int_range: [0, 20]}}, c: courses}
    unique: [s, c]
    columns: {s: {expr: s.id}, c: {expr: c.id}}
",
    )
    .unwrap();
    for table in ["seats", "lockers", "exams"] {
        let frame = frame(&plan, table);
        let pairs: BTreeSet<_> = ints(&frame, "s").into_iter().zip(ints(&frame, "c")).collect();
        assert_eq!(pairs.len(), frame.height(), "{table}");
        assert!(frame.height() >= 30);
    }
}

#[test]
fn tables_of_five_levels_count_as_their_parents_say() {
    let text = "
lookalike: 1
tables:
  a: {rows: 5, columns: {id: {sequence: {}}, leaves: {expr: sum(b.leaves)}}}
  b: {belongs_to: {up: {table: a, per_parent: {int_range: [0, 4]}}}, columns: {id: {sequence: {}}, leaves: {expr: sum(c.leaves)}}}
  c: {belongs_to: {up: {table: b, per_parent: {int_range: [0, 4]}}}, columns: {id: {sequence: {}}, leaves: {expr: sum(d.leaves)}}}
  d: {belongs_to: {up: {table: c, per_parent: {int_range: [0, 4]}}}, columns: {id: {sequence: {}}, leaves: {expr: count(e)}}}
  e: {belongs_to: {up: {table: d, per_parent: {int_range: [0, 4]}}}, columns: {id: {sequence: {}}, root: {expr: up.up.up.up.id}, leaves: {constant: 1}}}
";
    let plan = plan(text).unwrap();
    let leaves = frame(&plan, "e");
    let mut by_root = BTreeMap::new();
    ints(&leaves, "root").into_iter().for_each(|root| *by_root.entry(root).or_insert(0) += 1);
    let roots = frame(&plan, "a");
    for (id, leaves) in ints(&roots, "id").into_iter().zip(ints(&roots, "leaves")) {
        assert_eq!(leaves.unwrap_or(0), by_root.get(&id).copied().unwrap_or(0));
    }
    assert!(leaves.height() > 20, "the case is not empty: {}", leaves.height());
}

#[test]
fn scale_and_rows_go_where_they_belong() {
    let text = "
lookalike: 1
tables:
  facts: {rows: 100, belongs_to: {d: dimension}, columns: {d: {expr: d.id}}}
  dimension: {rows: 9, scaling: fixed, columns: {id: {sequence: {}}}}
  users: {rows: 50, scaling: sub_linear, columns: {id: {sequence: {}}}}
  slow: {rows: 50, scaling: {sub_linear: 0.25}, columns: {id: {sequence: {}}}}
  logins: {belongs_to: {user: {table: users, per_parent: 3}}, columns: {id: {sequence: {}}}}
";
    let rows = |overrides: Overrides| -> Vec<u64> {
        plan_with(text, &NoFiles, &overrides).unwrap().tables.iter().map(|table| table.rows).collect()
    };
    assert_eq!(rows(Overrides::default()), [100, 9, 50, 50, 150]);
    assert_eq!(rows(Overrides { scale: Some(16.0), ..Overrides::default() }), [1600, 9, 200, 100, 600]);
    let named = Overrides { rows: Some(7), table_rows: vec![("facts".into(), 4)], ..Overrides::default() };
    assert_eq!(rows(named), [4, 7, 7, 7, 21]);
    let wrong = Overrides { table_rows: vec![("logins".into(), 4)], ..Overrides::default() };
    assert_eq!(plan_with(text, &NoFiles, &wrong).err().unwrap()[0].code, "bad-rows");
    let wrong = Overrides { table_rows: vec![("fatcs".into(), 4)], ..Overrides::default() };
    assert_eq!(plan_with(text, &NoFiles, &wrong).err().unwrap()[0].code, "unknown-table");
}

#[test]
fn a_link_can_be_computed() {
    let text = "
lookalike: 1
tables:
  days: {rows: 31, columns: {day: {sequence: {start: 2025-01-01}}, number: {sequence: {}}}}
  sales:
    rows: 500
    belongs_to: {date: {table: days, pick: {row: 'CASE WHEN open THEN sold - DATE ''2025-01-01'' END'}}}
    columns:
      sold: {date_range: [2025-01-01, 2025-01-LAST]}
      open: {bernoulli: 80%}
      day: {expr: date.day}
      number: {expr: date.number}
";
    let plan = plan(&text.replace("LAST", "31")).unwrap();
    let sales = frame(&plan, "sales");
    let (sold, day) = (ints(&sales, "sold"), ints(&sales, "day"));
    let open = sales.column("open").unwrap().bool().unwrap().clone();
    for at in 0..500 {
        assert_eq!(day[at], sold[at].filter(|_| open.get(at) == Some(true)));
    }
    // A number beyond the parent's rows is told with the row.
    let plan =
        lookalike_engine::testing::plan(&text.replace("LAST-", "").replace("2025-01-LAST", "2025-02-28"))
            .unwrap();
    let error = plan.tables[1].frame(&Rows::Range(0..500)).unwrap_err().to_string();
    assert!(error.contains("of `days`, which has 31 rows"), "{error}");
}
