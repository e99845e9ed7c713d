//! Our numbers equal those of the `sdmetrics` package, on the tables that `tests/sdmetrics/compare.py` makes.

use std::collections::BTreeMap;

use lookalike_ruleset::{Json, Type};
use lookalike_validate::leakage;
use lookalike_validate::model::{Check, Verdict};
use lookalike_validate::reference::{self, Comparison, Link, Options, Role};

use crate::frames::{Data, bools, floats, ints, texts, times};

/// Sums in another order differ this much at most.
const EQUAL: f64 = 1e-9;

pub fn data(name: &str, kinds: &Json, values: &Json) -> Data {
    let columns = kinds.as_object().unwrap().iter().map(|(column, kind)| {
        let values = values[column].as_array().unwrap();
        let (ty, series) = match kind.as_str().unwrap() {
            "float" => (Type::Float, floats(values.iter().map(Json::as_f64).collect())),
            "int" => (Type::Int, ints(values.iter().map(Json::as_i64).collect())),
            "datetime" => (Type::Datetime, times(values.iter().map(Json::as_i64).collect())),
            "bool" => (Type::Bool, bools(values.iter().map(Json::as_bool).collect())),
            _ => (Type::Text, texts(values.iter().map(Json::as_str).collect())),
        };
        (column.as_str(), ty, series)
    });
    Data::new(name, columns.collect())
}

pub fn options(table: &Json) -> Options {
    let role = |sdtype: &str| match sdtype {
        "numerical" => Role::Number,
        "datetime" => Role::Time,
        "categorical" => Role::Category,
        "boolean" => Role::Boolean,
        _ => Role::Id,
    };
    let roles: BTreeMap<String, Role> = table["roles"]
        .as_object()
        .unwrap()
        .iter()
        .map(|(column, sdtype)| (column.clone(), role(sdtype.as_str().unwrap())))
        .collect();
    Options {
        roles,
        key: table["key"].as_str().map(str::to_owned).into_iter().collect(),
        sequence: table["sequence"].as_str().map(str::to_owned),
        ..Options::default()
    }
}

#[test]
fn our_numbers_are_those_of_sdmetrics() {
    let expected: Json = serde_json::from_str(include_str!("../sdmetrics/expected.json")).unwrap();
    let mut checks: Vec<Check> = Vec::new();
    let mut kept = BTreeMap::new();
    for (name, table) in expected["tables"].as_object().unwrap() {
        let real = data(name, &table["columns"], &table["real"]);
        let synthetic = data(name, &table["columns"], &table["synthetic"]);
        let options = options(table);
        checks.extend(reference::compare(&real.table(), &synthetic.table(), &options).checks);
        let holdout = table.get("holdout").map(|holdout| data(name, &table["columns"], holdout));
        let names = |key: &str| -> Vec<String> {
            let list = table[key].as_array().cloned().unwrap_or_default();
            list.iter().map(|name| name.as_str().unwrap().to_owned()).collect()
        };
        let leakage = leakage::Options {
            compare: options.clone(),
            known: names("known"),
            sensitive: names("sensitive"),
            ..leakage::Options::default()
        };
        let holdout = holdout.as_ref().map(Data::table);
        checks.extend(leakage::assess(&real.table(), &synthetic.table(), holdout.as_ref(), &leakage).checks);
        kept.insert(name.as_str(), (real, synthetic, options));
    }
    let [parents, children] = [&kept["parents"], &kept["children"]];
    let link = Link {
        parent: "parents".to_owned(),
        parent_key: vec!["id".to_owned()],
        child: "children".to_owned(),
        child_key: vec!["parent".to_owned()],
    };
    let links: Comparison = reference::compare_links(
        &[parents.0.table(), children.0.table()],
        &[parents.1.table(), children.1.table()],
        &[link],
        &[parents.2.clone(), children.2.clone()],
    );
    checks.extend(links.checks);

    let (mut compared, mut wrong) = (0, Vec::new());
    for case in expected["cases"].as_array().unwrap() {
        let text = |key: &str| case[key].as_str().unwrap();
        let columns: Vec<&str> =
            case["columns"].as_array().unwrap().iter().map(|column| column.as_str().unwrap()).collect();
        let found = checks.iter().find(|check| {
            check.table == text("table") && check.metric.name == text("metric") && check.columns == columns
        });
        let Some(found) = found else {
            wrong.push(format!("nothing of {case}"));
            continue;
        };
        compared += 1;
        let theirs = case["value"].as_f64();
        let equal = match (found.value, theirs) {
            (Some(ours), Some(theirs)) => (ours - theirs).abs() <= EQUAL,
            (None, None) => found.verdict == Verdict::Skipped,
            _ => false,
        };
        let shown =
            |value: Option<f64>| value.map_or("not defined".to_owned(), |value| format!("{value:.12}"));
        println!(
            "{} {:10} {:38} {:24} {:>16} {:>16}  {}",
            if equal { "=" } else { "!" },
            text("table"),
            text("metric"),
            columns.join(", "),
            shown(found.value),
            shown(theirs),
            case["note"].as_str().unwrap_or_default(),
        );
        if !equal {
            wrong.push(format!("ours {:?}: {}; theirs {case}", found.value, found.message));
        }
    }
    assert!(compared >= 250, "{compared} cases were compared");
    assert!(wrong.is_empty(), "{} of {compared} differ:\n{}", wrong.len(), wrong.join("\n"));
}
