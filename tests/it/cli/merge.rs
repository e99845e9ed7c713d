//! `lookalike merge`, from files to files.

use std::collections::{BTreeMap, BTreeSet};

use super::Place;

/// The rows of a CSV file without quotes, by column.
fn columns(place: &Place, file: &str) -> BTreeMap<String, Vec<String>> {
    let bytes = place.read(file);
    let mut reader = csv::Reader::from_reader(bytes.as_slice());
    let names: Vec<String> = reader.headers().unwrap().iter().map(str::to_owned).collect();
    let mut found: BTreeMap<String, Vec<String>> =
        names.iter().map(|name| (name.clone(), Vec::new())).collect();
    for record in reader.records() {
        for (name, cell) in names.iter().zip(&record.unwrap()) {
            found.get_mut(name).unwrap().push(cell.to_owned());
        }
    }
    found
}

fn manifest(place: &Place, file: &str) -> serde_json::Value {
    serde_json::from_slice(&place.read(file)).unwrap()
}

/// Orders, which other tests have as a ruleset, in three files: a CSV, JSON lines with the columns in another order, and
/// Parquet with numbers of 32 bits.
fn inputs() -> Place {
    let place = Place::new();
    let mut csv = "id,region,amount,day\n".to_owned();
    let mut lines = String::new();
    for i in 0..700 {
        let region = ["north", "south", "west"][i % 3];
        csv.push_str(&format!("{},{region},{}.50,2026-01-{:02}\n", i + 1, i % 90, i % 28 + 1));
        lines.push_str(&format!(
            "{{\"day\":\"2026-02-{:02}\",\"amount\":{},\"id\":{},\"note\":\"n{i}\",\"region\":\"east\"}}\n",
            i % 28 + 1,
            i % 80,
            i + 1
        ));
    }
    place.write("prod.csv", csv);
    place.write("dev.jsonl", lines);
    place.write(
        "scenario.yaml",
        "lookalike: 1\nname: s\nseed: 3\ntables:\n  findings:\n    rows: 50\n    columns:\n      id: {sequence: {start: 1}}\n      \
         amount: {int_range: [1000, 2000]}\n      region: {choice: [far]}\n  others: {rows: 3, columns: {x: {constant: 1}}}\n",
    );
    place
}

#[test]
fn shares_of_files_and_rulesets_are_exact() {
    let place = inputs();
    let line = "merge prod.csv=60% dev.jsonl=30% scenario.yaml#findings=10% --rows 1001 --provenance source --key id -o out";
    let run = place.run(line).expect(0);
    assert!(run.stderr.contains("prod.csv: 601 of 700"), "{run}");
    let found = columns(&place, "out/merged.csv");
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    found["source"].iter().for_each(|source| *counts.entry(source).or_default() += 1);
    assert_eq!(
        counts,
        BTreeMap::from([("prod.csv", 601), ("dev.jsonl", 300), ("scenario.yaml#findings", 100)])
    );
    // Columns are found by name, whatever their order; who has none gives nothing.
    for (at, source) in found["source"].iter().enumerate() {
        let cell = |column: &str| found[column][at].as_str();
        let amount: f64 = cell("amount").parse().unwrap();
        match source.as_str() {
            "prod.csv" => {
                assert!(["north", "south", "west"].contains(&cell("region")) && amount.fract() == 0.5)
            }
            "dev.jsonl" => {
                assert!(cell("region") == "east" && cell("note").starts_with('n') && amount < 80.0)
            }
            _ => assert!(cell("region") == "far" && cell("day").is_empty() && amount >= 1000.0),
        }
    }
    let ids: Vec<u64> = found["id"].iter().map(|id| id.parse().unwrap()).collect();
    assert_eq!(ids, (1..=1001).collect::<Vec<_>>());
    // A ruleset makes the rows that it lacks; nothing is taken twice.
    let of: Vec<&String> =
        found["amount"].iter().zip(&found["region"]).filter(|(_, r)| *r == "far").map(|(a, _)| a).collect();
    assert!(of.iter().collect::<BTreeSet<_>>().len() > 85);
    let manifest = manifest(&place, "out/manifest.json");
    let inputs = manifest["tables"][0]["inputs"].as_array().unwrap();
    assert_eq!(
        inputs.iter().map(|input| input["rows"].as_u64().unwrap()).collect::<Vec<_>>(),
        [601, 300, 100]
    );
    assert_eq!(inputs[0]["sha256"].as_str().unwrap().len(), 64);
    assert_eq!(inputs[2]["place"], "scenario.yaml#findings");

    // The same again gives the same bytes, on any number of threads; another seed does not.
    let bytes = place.read("out/merged.csv");
    place.run(&format!("{line}2 --threads 3")).expect(0);
    assert_eq!(place.read("out2/merged.csv"), bytes);
    place.run(&format!("{line}3 --seed 5")).expect(0);
    assert_ne!(place.read("out3/merged.csv"), bytes);
}

#[test]
fn what_is_merged_can_be_merged_again_in_any_format() {
    let place = inputs();
    place.run("merge prod.csv dev.jsonl -o all --format csv,jsonl,parquet,arrow --quiet").expect(0);
    let files = ["merged.csv", "merged.jsonl", "merged.parquet", "merged.arrow"];
    for file in files {
        place.run(&format!("merge all/{file} --rows 300 --stratify region -o some --quiet")).expect(0);
        let found = columns(&place, "some/merged.csv");
        let of = |region: &str| found["region"].iter().filter(|found| *found == region).count();
        // 700 of 1,400 are in the east, and 234, 233 and 233 elsewhere.
        assert_eq!(["east", "north", "south", "west"].map(of), [150, 50, 50, 50], "{file}");
    }
}

#[test]
fn samples_go_up_and_down() {
    let place = inputs();
    let ids = |line: &str| -> BTreeMap<String, u64> {
        place.run(&format!("merge {line} -o out --quiet")).expect(0);
        let mut counts = BTreeMap::new();
        columns(&place, "out/merged.csv")["id"]
            .iter()
            .for_each(|id| *counts.entry(id.clone()).or_default() += 1);
        counts
    };
    let down = ids("prod.csv --rows 100");
    assert_eq!((down.len(), down.values().sum::<u64>()), (100, 100));
    let up = ids("prod.csv=2000");
    assert!(up.len() == 700 && up.values().sum::<u64>() == 2000 && up.values().all(|n| (2..=3).contains(n)));
    let drawn = ids("prod.csv --rows 700 --replace");
    // With replacement about e^-1 of the rows come not at all: 258 of 700, with a standard deviation of 8.2.
    assert!((392..=492).contains(&drawn.len()) && drawn.values().sum::<u64>() == 700, "{}", drawn.len());
    // Without a number of rows, as many as the shares allow.
    assert_eq!(ids("prod.csv=50% dev.jsonl=50%").values().sum::<u64>(), 1400);
    assert_eq!(ids("prod.csv=90% dev.jsonl=10%").values().sum::<u64>(), 778);
}

#[test]
fn children_follow_their_parents() {
    let place = Place::new();
    for (folder, customers) in [("a", 90), ("b", 60)] {
        std::fs::create_dir(place.path(folder)).unwrap();
        let (mut people, mut orders) = ("id,name\n".to_owned(), "order,customer,of,at\n".to_owned());
        let mut number = 0;
        for id in 1..=customers {
            people.push_str(&format!("{id},{folder}{id}\n"));
            for _ in 0..id % 4 {
                number += 1;
                orders.push_str(&format!("{number},{id},{folder}{id},2026-03-01\n"));
            }
        }
        orders.push_str("9999,8888,nobody,2026-03-01\n");
        place.write(&format!("{folder}/customers.csv"), people);
        place.write(&format!("{folder}/orders.csv"), orders);
    }
    place.write(
        "plan.yaml",
        "merge: 1\nname: shop\nseed: 5\nprovenance: source\ninputs:\n  old:\n    share: 60%\n    align: {columns: [at], shift: 31d}\n    \
         tables: {customers: a/customers.csv, orders: a/orders.csv}\n  new:\n    share: 40%\n    tables: {customers: b/customers.csv, \
         orders: b/orders.csv}\ntables:\n  orders: {key: order, parent: {table: customers, column: customer}}\n  customers: {rows: \
         101, key: id}\n",
    );
    place.run("merge plan.yaml").expect(0);
    assert_eq!(place.files("outputs/shop-5"), ["customers.csv", "manifest.json", "orders.csv"]);
    let people = columns(&place, "outputs/shop-5/customers.csv");
    let orders = columns(&place, "outputs/shop-5/orders.csv");
    assert_eq!(people["source"].iter().filter(|source| *source == "old").count(), 61);
    let names: BTreeMap<&String, &String> = people["id"].iter().zip(&people["name"]).collect();
    assert_eq!(names.len(), 101);
    let mut counts: BTreeMap<&String, usize> = BTreeMap::new();
    for (at, of) in orders["of"].iter().enumerate() {
        let customer = &orders["customer"][at];
        assert_eq!(names[customer], of);
        assert_eq!(orders["at"][at], if orders["source"][at] == "old" { "2026-04-01" } else { "2026-03-01" });
        *counts.entry(customer).or_default() += 1;
    }
    for (id, name) in names {
        let number: usize = name[1..].parse().unwrap();
        assert_eq!(counts.get(id).copied().unwrap_or(0), number % 4, "{name}");
    }
    let manifest = manifest(&place, "outputs/shop-5/manifest.json");
    assert_eq!(manifest["tables"][0]["inputs"][0]["orphans"], 1);
}

#[test]
fn mistakes_are_told() {
    let place = inputs();
    place.write("text.csv", "id,amount\nx1,3\nx2,4\n");
    place.write("empty.csv", "id,amount\n");
    let told = |line: &str, words: &[&str]| {
        let run = place.run(&format!("merge {line} -o out")).expect(2);
        words.iter().for_each(|word| assert!(run.stderr.contains(word), "{word}: {run}"));
        assert!(!place.path("out").exists(), "{run}");
    };
    told("prod.csv text.csv", &["column `id` is int in prod.csv and text in text.csv", "id=text"]);
    told("prod.csv=60% dev.jsonl=30%", &["add up to 90 %"]);
    told("prod.csv=60% dev.jsonl", &["dev.jsonl has neither a share nor a number of rows"]);
    told("prod.csv prod.csv", &["prod.csv is named twice"]);
    told("prod.csv scenario.yaml", &["scenario.yaml has several tables", "scenario.yaml#findings"]);
    told("prod.csv scenario.yaml#finding", &["no table `finding`"]);
    told("prod.csv --stratify regoin", &["did you mean `region`"]);
    told("prod.csv --key amount", &["keys are whole numbers or text"]);
    told("prod.csv=50% empty.csv=50% --rows 10", &["empty.csv"]);
    told("prod.csv --provenance id", &["`id` is a column already"]);
    place.run("merge prod.csv text.csv --type id=text -o both --quiet").expect(0);
    let run = place.run("merge nothing.csv -o out").expect(4);
    assert!(run.stderr.contains("nothing.csv"), "{run}");
}

#[test]
fn a_child_of_two_parents_follows_both() {
    let place = Place::new();
    for (folder, customers, products) in [("a", 12, 6), ("b", 5, 4)] {
        std::fs::create_dir(place.path(folder)).unwrap();
        let (mut people, mut goods, mut orders) =
            ("id,name\n".to_owned(), "sku,name\n".to_owned(), "customer,gift,product,of\n".to_owned());
        (1..=customers).for_each(|id| people.push_str(&format!("{id},{folder}{id}\n")));
        (1..=products).for_each(|id| goods.push_str(&format!("s{id},{folder}{id}\n")));
        for (customer, product) in (1..=customers).flat_map(|c| (1..=products).map(move |p| (c, p))) {
            // Every third is a gift to the next customer.
            let gift = if (customer + product) % 3 == 0 {
                (customer % customers + 1).to_string()
            } else {
                String::new()
            };
            let of = format!(
                "{folder}{customer}/{}/{folder}{product}",
                if gift.is_empty() { gift.clone() } else { format!("{folder}{gift}") }
            );
            orders.push_str(&format!("{customer},{gift},s{product},{of}\n"));
        }
        place.write(&format!("{folder}/customers.csv"), people);
        place.write(&format!("{folder}/products.csv"), goods);
        place.write(&format!("{folder}/orders.csv"), orders);
    }
    let input = |folder: &str| {
        format!(
            "{{share: 50%, tables: {{customers: {folder}/customers.csv, products: {folder}/products.csv, orders: {folder}/orders.csv}}}}"
        )
    };
    place.write(
        "plan.yaml",
        format!(
            "merge: 1\nname: shop\nseed: 5\ninputs:\n  a: {}\n  b: {}\ntables:\n  orders:\n    parent:\n      - {{table: customers, column: \
             customer}}\n      - {{table: products, column: product}}\n      - {{table: customers, column: gift}}\n  customers: {{rows: 16, key: \
             id}}\n  products: {{rows: 8, key: sku}}\n",
            input("a"),
            input("b")
        ),
    );
    place.run("merge plan.yaml").expect(0);
    let read = |table: &str| columns(&place, &format!("outputs/shop-5/{table}.csv"));
    let (people, goods, orders) = (read("customers"), read("products"), read("orders"));
    let named = |table: &BTreeMap<String, Vec<String>>, key: &str| -> BTreeMap<String, String> {
        table[key].iter().cloned().zip(table["name"].iter().cloned()).collect()
    };
    let (people, goods) = (named(&people, "id"), named(&goods, "sku"));
    assert_eq!((people.len(), goods.len()), (16, 8));
    let none = String::new();
    let mut found: BTreeMap<(String, String), usize> = BTreeMap::new();
    for (at, of) in orders["of"].iter().enumerate() {
        let cell = |column: &str| orders[column][at].as_str();
        let gift = if cell("gift").is_empty() { &none } else { &people[cell("gift")] };
        let (customer, product) = (&people[cell("customer")], &goods[cell("product")]);
        assert_eq!(*of, format!("{customer}/{gift}/{product}"), "all keys lead to the rows that they led to");
        *found.entry((cell("customer").to_owned(), product.clone())).or_default() += 1;
    }
    // An order is there once for each copy of its customer, if its product and whom it was given to are there.
    let taken: BTreeSet<&String> = people.values().chain(goods.values()).collect();
    for (id, name) in &people {
        let (folder, customer) = name.split_at(1);
        let customer: u64 = customer.parse().unwrap();
        let (customers, products) = if folder == "a" { (12, 6) } else { (5, 4) };
        for product in 1..=products {
            let gift = (customer + product).is_multiple_of(3);
            let to = format!("{folder}{}", customer % customers + 1);
            let product_name = format!("{folder}{product}");
            let there = goods.values().any(|name| *name == product_name)
                && (!gift || people.values().any(|name| *name == to));
            let count = found.remove(&(id.clone(), product_name)).unwrap_or(0);
            assert_eq!(count, usize::from(there), "{name}, {product}: {taken:?}");
        }
    }
    assert!(found.is_empty());
    let manifest = manifest(&place, "outputs/shop-5/manifest.json");
    assert_eq!(manifest["tables"][0]["parents"], serde_json::json!(["customers", "products", "customers"]));
}

#[test]
fn a_ruleset_is_no_plan() {
    let place = inputs();
    let told = place.run("merge scenario.yaml").expect(2);
    for says in [
        "scenario.yaml is a ruleset, not a plan of a merge",
        "`scenario.yaml#findings` or `scenario.yaml#others`",
    ] {
        assert!(told.stderr.contains(says), "{told}");
    }
}

#[test]
fn plans_name_files_of_their_own_folder_tree() {
    let place = inputs();
    std::fs::create_dir(place.path("plans")).unwrap();
    place.write(
        "plans/plan.yaml",
        "merge: 1\nname: far\ninputs: {a: {tables: {orders: ../prod.csv}}}\ntables: {orders: {rows: 5}}\n",
    );
    let told = place.run("merge plans/plan.yaml -o out").expect(2);
    assert!(told.stderr.contains("`../prod.csv` lies outside the folder tree that may be read"), "{told}");
    assert!(told.stderr.contains("plans/plan.yaml:3:") && told.stderr.contains("--allow-path"), "{told}");
    place.run("merge plans/plan.yaml -o out --allow-path .").expect(0);
    assert_eq!(columns(&place, "out/orders.csv")["id"].len(), 5);
    // As with rulesets, everything under a folder called `rulesets` is one tree.
    std::fs::rename(place.path("plans"), place.path("rulesets")).unwrap();
    std::fs::rename(place.path("prod.csv"), place.path("rulesets/prod.csv")).unwrap();
    std::fs::create_dir(place.path("rulesets/plans")).unwrap();
    std::fs::rename(place.path("rulesets/plan.yaml"), place.path("rulesets/plans/plan.yaml")).unwrap();
    place.run("merge rulesets/plans/plan.yaml -o tree").expect(0);
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink(place.path("dev.jsonl"), place.path("rulesets/plans/in.jsonl")).unwrap();
        place.write(
            "rulesets/plans/link.yaml",
            "merge: 1\ninputs: {a: {tables: {orders: in.jsonl}}}\ntables: {orders: {}}\n",
        );
        let told = place.run("merge rulesets/plans/link.yaml -o link").expect(2);
        assert!(told.stderr.contains("lies outside"), "a link does not lead out: {told}");
    }
}

#[test]
fn plans_are_checked() {
    let place = inputs();
    place.write(
        "plan.yaml",
        "merge: 1\ninputs:\n  a: {share: 60%, count: 3, tables: {orders: ../prod.csv}}\n  b: {shar: 40%, tables: {order: dev.jsonl}}\n\
         tables:\n  orders: {parent: {table: customer, column: c}, rows: 3}\n  customers: {}\n",
    );
    place.run("merge plan.yaml").expect(2).snapshot("merge_plan");
}
