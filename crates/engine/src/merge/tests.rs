//! Merges of frames in memory.

use std::collections::BTreeMap;

use super::*;
use lookalike_ruleset::Span;
use lookalike_ruleset::decode::{DAY, Positive, Spanned, Time};

struct Frame(DataFrame, TableSchema);

impl Input<Error> for Frame {
    fn schema(&self) -> &TableSchema {
        &self.1
    }
    fn rows(&self) -> u64 {
        self.0.height() as u64
    }
    fn columns(&self, rows: Range<u64>, wanted: &[usize]) -> Result<DataFrame, Error> {
        let columns = wanted.iter().map(|at| self.0.columns()[*at].clone()).collect();
        let frame = DataFrame::new(self.0.height(), columns).unwrap();
        Ok(frame.slice(rows.start as i64, (rows.end - rows.start) as usize))
    }
}

fn part(name: &str, columns: Vec<(&str, Type, Series)>, rows: u64) -> Part<Error> {
    let height = columns[0].2.len();
    let field = |(name, ty, _): &(&str, Type, Series)| Field {
        name: (*name).into(),
        ty: *ty,
        nullable: true,
        plain: false,
        json: false,
        about: None,
    };
    let schema = TableSchema { table: "t".into(), fields: columns.iter().map(field).collect() };
    let columns = columns.into_iter().map(|(name, _, series)| series.with_name(name.into()).into_column());
    let frame = DataFrame::new(height, columns.collect()).unwrap();
    Part { name: name.into(), input: Arc::new(Frame(frame, schema)), rows, align: None }
}

fn ints(values: impl IntoIterator<Item = i64>) -> Series {
    array::ints(values.into_iter().collect())
}

fn rule(names: &[&str]) -> Rule {
    Rule {
        table: "t".into(),
        names: names.iter().map(|name| (*name).to_owned()).collect(),
        seed: Seed::new(7),
        interleaved: true,
        replace: false,
        stratify: Vec::new(),
        key: None,
        provenance: Some("source".into()),
    }
}

fn merged(parts: Vec<Part<Error>>, rule: &Rule) -> Merged<Error> {
    match Merged::new(parts, rule, &[]) {
        Ok(merged) => merged,
        Err(refused) => panic!("{refused:?}"),
    }
}

fn refusal(parts: Vec<Part<Error>>, rule: &Rule) -> String {
    match Merged::new(parts, rule, &[]) {
        Err(Refused::Rule(message)) => message,
        Err(Refused::Conflicts(conflicts)) => conflicts[0].to_string(),
        Err(Refused::Read(error)) => error.to_string(),
        Ok(_) => panic!("nothing is wrong"),
    }
}

fn whole(merged: &Merged<Error>) -> DataFrame {
    merged.frame(0..merged.rows()).unwrap()
}

fn int(frame: &DataFrame, column: &str) -> Vec<Option<i64>> {
    frame.column(column).unwrap().i64().unwrap().iter().collect()
}

fn text(frame: &DataFrame, column: &str) -> Vec<Option<String>> {
    let text = frame.column(column).unwrap().cast(&DataType::String).unwrap();
    text.str().unwrap().iter().map(|text| text.map(str::to_owned)).collect()
}

/// Three inputs of numbers that say where they come from.
fn three(sizes: [i64; 3], shares: &[f64], rows: u64) -> Vec<Part<Error>> {
    let wanted = by_shares(rows, shares);
    let starts = [0, 10_000, 20_000];
    let of = |at: usize| {
        let numbers = ints(starts[at]..starts[at] + sizes[at]);
        part(["a", "b", "c"][at], vec![("n", Type::Int, numbers)], wanted[at])
    };
    (0..3).map(of).collect()
}

#[test]
fn shares_are_exact_and_rows_are_the_inputs() {
    for (sizes, replace) in
        [([700, 400, 100], false), ([601, 300, 100], false), ([50, 3000, 7], false), ([50, 3000, 7], true)]
    {
        let rule = Rule { replace, ..rule(&["a", "b", "c"]) };
        let merged = merged(three(sizes, &[0.6, 0.3, 0.1], 1001), &rule);
        assert_eq!(merged.rows(), 1001);
        assert_eq!(merged.taken().iter().map(|taken| taken.rows).collect::<Vec<_>>(), [601, 300, 100]);
        let frame = whole(&merged);
        let (numbers, sources) = (int(&frame, "n"), text(&frame, "source"));
        for (at, (name, size)) in ["a", "b", "c"].iter().zip(sizes).enumerate() {
            let of = |(source, n): (&Option<String>, &Option<i64>)| {
                (source.as_deref() == Some(*name)).then(|| n.unwrap() - 10_000 * at as i64)
            };
            let mine: Vec<i64> = sources.iter().zip(&numbers).filter_map(of).collect();
            assert_eq!(mine.len(), [601, 300, 100][at]);
            assert!(mine.iter().all(|n| (0..size).contains(n)));
            assert!(mine.is_sorted(), "rows of an input stay in their order");
            if !replace {
                let mut counts = vec![0; size as usize];
                mine.iter().for_each(|n| counts[*n as usize] += 1);
                let (least, most) = (counts.iter().min().unwrap(), counts.iter().max().unwrap());
                assert!(most - least <= 1, "no row comes twice before all came once");
            }
        }
        // Any rows can be made alone.
        for step in [1, 13, 400] {
            let mut blocks = frame.clear();
            for start in (0..1001).step_by(step) {
                blocks.vstack_mut(&merged.frame(start..(start + step as u64).min(1001)).unwrap()).unwrap();
            }
            assert!(blocks.equals_missing(&frame));
        }
        assert!(merged.frame(1000..1002).is_err());
    }
}

#[test]
fn parts_lie_in_order_if_asked() {
    let rule = Rule { interleaved: false, ..rule(&["a", "b", "c"]) };
    let frame = whole(&merged(three([700, 400, 100], &[0.6, 0.3, 0.1], 1001), &rule));
    assert!(text(&frame, "source").is_sorted());
}

#[test]
fn the_most_rows_that_shares_give() {
    assert_eq!(most_rows(&[600, 300, 100], &[0.6, 0.3, 0.1]), 1000);
    assert_eq!(most_rows(&[601, 300, 100], &[0.6, 0.3, 0.1]), 1001);
    assert_eq!(most_rows(&[10, 1000], &[0.5, 0.5]), 20);
    assert_eq!(most_rows(&[0, 1000], &[0.5, 0.5]), 0);
    assert_eq!(most_rows(&[5, 9], &[1.0, 0.0]), 5);
}

#[test]
fn columns_are_brought_together() {
    let one = vec![("id", Type::Int, ints([1, 2])), ("price", Type::Int, ints([3, 4]))];
    let floats = Series::new("".into(), [0.5, 1.5]);
    let two = vec![("price", Type::Float, floats), ("more", Type::Text, Series::new("".into(), ["x", "y"]))];
    let rule = Rule { interleaved: false, ..rule(&["a", "b"]) };
    let frame = whole(&merged(vec![part("a", one, 2), part("b", two, 2)], &rule));
    assert_eq!(frame.get_column_names(), ["id", "price", "more", "source"]);
    assert_eq!(int(&frame, "id"), [Some(1), Some(2), None, None]);
    assert_eq!(frame.column("price").unwrap().f64().unwrap().to_vec(), [3.0, 4.0, 0.5, 1.5].map(Some));
    assert_eq!(text(&frame, "more"), [None, None, Some("x".into()), Some("y".into())]);
}

#[test]
fn strata_keep_their_shares() {
    // Of 1,000 rows 700 are of one kind, 250 of another and 50 have none.
    let kinds = (0..1000).map(|i| match i % 20 {
        0..14 => Some("a"),
        14..19 => Some("b"),
        _ => None,
    });
    let kinds: StringChunked = kinds.collect();
    for replace in [false, true] {
        for (rows, expected) in [(100, [70, 25, 5]), (101, [71, 25, 5]), (2001, [1401, 500, 100])] {
            let rule = Rule { stratify: vec!["kind".into()], replace, ..rule(&["a"]) };
            let columns =
                vec![("n", Type::Int, ints(0..1000)), ("kind", Type::Text, kinds.clone().into_series())];
            let frame = whole(&merged(vec![part("a", columns, rows)], &rule));
            let found = text(&frame, "kind");
            let count = |kind: Option<&str>| found.iter().filter(|found| found.as_deref() == kind).count();
            assert_eq!([Some("a"), Some("b"), None].map(count), expected, "{rows} {replace}");
        }
    }
}

fn shop(name: &str, customers: i64, seed: i64, text_keys: bool) -> [Part<Error>; 3] {
    let key = |keys: Vec<i64>| -> (Type, Series) {
        if text_keys {
            (
                Type::Text,
                keys.into_iter().map(|key| Some(format!("c{key}"))).collect::<StringChunked>().into_series(),
            )
        } else {
            (Type::Int, ints(keys))
        }
    };
    let ids: Vec<i64> = (0..customers).map(|i| (i * 7 + seed) % customers + 1).collect();
    // Each customer has as many orders as the number's remainder by 4, in no order; one order has none.
    let mut orders: Vec<i64> = (1..=customers).flat_map(|id| (0..id % 4).map(move |_| id)).collect();
    orders.sort_by_key(|id| (id * 31) % 17);
    let order_ids: Vec<i64> = (1..=orders.len() as i64 + 1).collect();
    let lines: Vec<i64> = order_ids.iter().flat_map(|id| [*id, *id]).collect();
    let (ty, id) = key(ids.clone());
    let (_, of) = key(orders.iter().copied().chain([999_999]).collect());
    let names = ids.iter().map(|id| Some(format!("{name}{id}"))).collect::<StringChunked>().into_series();
    let labels = orders.iter().map(|id| Some(format!("{name}{id}"))).chain([None]);
    let labels = labels.collect::<StringChunked>().into_series();
    [
        part(&format!("{name}/customers"), vec![("id", ty, id), ("name", Type::Text, names)], 0),
        part(
            &format!("{name}/orders"),
            vec![("id", Type::Int, ints(order_ids)), ("customer", ty, of), ("label", Type::Text, labels)],
            0,
        ),
        part(&format!("{name}/lines"), vec![("order", Type::Int, ints(lines))], 0),
    ]
}

#[test]
fn children_follow_their_parents() {
    for (text_keys, wanted) in [(false, [60, 30]), (true, [60, 30]), (false, [230, 40]), (true, [230, 40])] {
        let [mut customers, orders, lines] = shop("a", 100, 3, text_keys);
        let [mut customers2, orders2, lines2] = shop("b", 40, 1, text_keys);
        (customers.rows, customers2.rows) = (wanted[0], wanted[1]);
        let rule = |table: &str, key: Option<&str>| Rule {
            table: table.into(),
            key: key.map(str::to_owned),
            seed: Seed::new(1).derive(table),
            ..rule(&["a", "b"])
        };
        let customers = merged(vec![customers, customers2], &rule("customers", Some("id")));
        let parent = Parent { table: &customers, column: "customer".into() };
        let orders = Merged::new(vec![orders, orders2], &rule("orders", Some("id")), &[parent]);
        let Ok(orders) = orders else { panic!("orders are refused") };
        let parent = Parent { table: &orders, column: "order".into() };
        let Ok(lines) = Merged::new(vec![lines, lines2], &rule("lines", None), &[parent]) else {
            panic!("lines are refused")
        };
        assert_eq!(orders.taken().iter().map(|taken| taken.orphans).collect::<Vec<_>>(), [1, 1]);

        let [people, bought, items] = [&customers, &orders, &lines].map(whole);
        let ids = text(&people, "id");
        let names: BTreeMap<&Option<String>, Option<String>> =
            ids.iter().zip(text(&people, "name")).collect();
        assert_eq!(names.len() as u64, customers.rows(), "keys differ");
        let mut counts: BTreeMap<&Option<String>, i64> = BTreeMap::new();
        let of = text(&bought, "customer");
        for (customer, label) in of.iter().zip(text(&bought, "label")) {
            assert_eq!(names[customer], label, "an order is its customer's still");
            *counts.entry(customer).or_default() += 1;
        }
        for (id, name) in &names {
            let number: i64 = name.as_ref().unwrap()[1..].parse().unwrap();
            assert_eq!(
                counts.get(id).copied().unwrap_or(0),
                number % 4,
                "all orders of a customer, and no others"
            );
        }
        let mut lines_of: BTreeMap<Option<i64>, i64> = BTreeMap::new();
        int(&items, "order").into_iter().for_each(|order| *lines_of.entry(order).or_default() += 1);
        let orders = int(&bought, "id");
        assert_eq!(orders.iter().collect::<std::collections::BTreeSet<_>>().len(), orders.len());
        assert!(orders.iter().all(|order| lines_of.remove(order) == Some(2)));
        assert!(lines_of.is_empty());
    }
}

#[test]
fn a_child_of_two_parents_follows_both() {
    // Every order of each customer with each product, and some without a product, or with one that there is not.
    let shop = |name: &str, customers: i64, products: i64, wanted: [u64; 2]| {
        let keys = |n: i64| ints((1..=n).rev());
        let mut pairs: Vec<(Option<i64>, Option<i64>)> =
            (1..=customers).flat_map(|c| (1..=products).map(move |p| (Some(c), Some(p)))).collect();
        pairs.extend([(Some(1), None), (Some(2), None), (None, Some(1)), (Some(1), Some(999))]);
        let (buyers, bought): (Vec<_>, Vec<_>) = pairs.iter().copied().unzip();
        let of = |keys: Vec<Option<i64>>| keys.into_iter().collect::<Int64Chunked>().into_series();
        let label = |(c, p): &(Option<i64>, Option<i64>)| format!("{name}{c:?}{p:?}");
        let labels = pairs.iter().map(|pair| Some(label(pair))).collect::<StringChunked>().into_series();
        let named = |n: i64| {
            (1..=n)
                .rev()
                .map(|key| Some(format!("{name}{:?}", Some(key))))
                .collect::<StringChunked>()
                .into_series()
        };
        let customer_names = named(customers);
        let product_names = named(products);
        (
            part(
                "customers",
                vec![("id", Type::Int, keys(customers)), ("name", Type::Text, customer_names)],
                wanted[0],
            ),
            part(
                "products",
                vec![("id", Type::Int, keys(products)), ("name", Type::Text, product_names)],
                wanted[1],
            ),
            part(
                "orders",
                vec![
                    ("customer", Type::Int, of(buyers)),
                    ("product", Type::Int, of(bought)),
                    ("label", Type::Text, labels),
                ],
                0,
            ),
        )
    };
    let rule = |table: &str, key: Option<&str>| Rule {
        table: table.into(),
        key: key.map(str::to_owned),
        seed: Seed::new(1).derive(table),
        ..rule(&["a", "b"])
    };
    for wanted in [[5, 3], [20, 3], [5, 14], [25, 14], [10, 7]] {
        let (customers, products, orders) = shop("a", 10, 7, wanted);
        let (customers2, products2, orders2) = shop("b", 4, 5, [4, 5]);
        let customers = merged(vec![customers, customers2], &rule("customers", Some("id")));
        let products = merged(vec![products, products2], &rule("products", Some("id")));
        let parents = [
            Parent { table: &customers, column: "customer".into() },
            Parent { table: &products, column: "product".into() },
        ];
        let Ok(orders) = Merged::new(vec![orders, orders2], &rule("orders", None), &parents) else {
            panic!("orders are refused")
        };
        assert_eq!(orders.taken().iter().map(|taken| taken.orphans).collect::<Vec<_>>(), [2, 2]);
        let [people, goods, bought] = [&customers, &products, &orders].map(whole);
        let named = |frame: &DataFrame| -> BTreeMap<i64, String> {
            int(frame, "id").into_iter().flatten().zip(text(frame, "name").into_iter().flatten()).collect()
        };
        let (people, goods) = (named(&people), named(&goods));
        let mut seen: BTreeMap<(String, Option<String>), u64> = BTreeMap::new();
        let keys = int(&bought, "customer").into_iter().zip(int(&bought, "product"));
        for ((customer, product), label) in keys.zip(text(&bought, "label")) {
            let (label, customer) = (label.unwrap(), customer.unwrap());
            let product = product.map(|product| goods[&product].clone());
            // What a row's parents were is what they are.
            let goods = product.as_deref().map_or("None", |product| &product[1..]);
            assert_eq!(label, format!("{}{goods}", people[&customer]));
            *seen.entry((customer.to_string(), product)).or_default() += 1;
        }
        // Every copy of a customer has one order of each product that was taken, and the order without one.
        let products: std::collections::BTreeSet<&String> = goods.values().collect();
        for (id, name) in &people {
            for product in products.iter().filter(|product| product[..1] == name[..1]) {
                assert_eq!(seen.remove(&(id.to_string(), Some((*product).clone()))), Some(1), "{wanted:?}");
            }
            let without = name.ends_with("Some(1)") || name.ends_with("Some(2)");
            assert_eq!(seen.remove(&(id.to_string(), None)).is_some(), without);
        }
        assert!(seen.is_empty(), "{wanted:?}: {seen:?}");
    }
}

#[test]
fn times_are_moved() {
    let days = || ints([0, 10]).cast(&DataType::Int32).unwrap().cast(&DataType::Date).unwrap();
    let mut parts = vec![
        part("a", vec![("day", Type::Date, days())], 2),
        part("b", vec![("day", Type::Date, days())], 2),
    ];
    let columns = vec![Spanned { value: "day".to_owned(), span: Span::default() }];
    parts[1].align = Some((Align { columns, shift: Time(5 * DAY), stretch: Positive(2.0), from: None }, 0));
    let frame = whole(&merged(parts, &Rule { interleaved: false, ..rule(&["a", "b"]) }));
    let days = frame.column("day").unwrap().as_materialized_series().to_physical_repr().into_owned();
    assert_eq!(days.i32().unwrap().to_vec(), [0, 10, 5, 25].map(Some));
}

#[test]
fn mistakes_are_told() {
    let one = || {
        part(
            "a.csv",
            vec![("id", Type::Int, ints([1, 1])), ("x", Type::Float, Series::new("".into(), [0.5, 1.0]))],
            2,
        )
    };
    let two = || part("b.csv", vec![("id", Type::Text, Series::new("".into(), ["x"]))], 1);
    let rule = rule(&["a", "b"]);
    assert!(refusal(vec![one(), two()], &rule).contains("int in a.csv and text in b.csv"));
    let with = |key: Option<&str>, stratify: &[&str]| Rule {
        key: key.map(str::to_owned),
        stratify: stratify.iter().map(|name| (*name).to_owned()).collect(),
        names: vec!["a".into()],
        provenance: None,
        table: "t".into(),
        ..self::rule(&[])
    };
    assert!(refusal(vec![one()], &with(Some("x"), &[])).contains("keys are whole numbers or text"));
    assert!(refusal(vec![one()], &with(Some("idd"), &[])).contains("has a column `idd`"));
    assert!(refusal(vec![one()], &with(None, &["kind"])).contains("has a column `kind`"));
    let empty = part("e.csv", vec![("id", Type::Int, ints([]))], 3);
    assert_eq!(refusal(vec![empty], &with(None, &[])), "e.csv has no rows, and 3 are to come from it");
    // A parent's keys are unique.
    let parent = merged(vec![one()], &with(Some("id"), &[]));
    let child = part("c.csv", vec![("of", Type::Int, ints([1]))], 0);
    let refused =
        Merged::new(vec![child], &with(None, &[]), &[Parent { table: &parent, column: "of".into() }]);
    let Err(Refused::Rule(message)) = refused else { panic!("two parents have one key") };
    assert_eq!(message, "a.csv: the key `id` is 1 in two rows, 0 and 1");
}
