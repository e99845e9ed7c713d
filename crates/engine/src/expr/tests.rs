use lookalike_ruleset::expr::{FUNCTIONS, Parsed, Resolved, Scope};
use lookalike_ruleset::{Node, Problems, Scalar, Span, Value};
use proptest::prelude::*;

use super::*;

const COLUMNS: &[(&str, Type)] = &[
    ("i", Type::Int),
    ("j", Type::Int),
    ("x", Type::Float),
    ("m", Type::Decimal(2)),
    ("s", Type::Text),
    ("e", Type::Text),
    ("ok", Type::Bool),
    ("d", Type::Date),
    ("t", Type::Datetime),
    ("u", Type::Duration),
];

struct Columns;

impl Scope for Columns {
    fn resolve(&self, path: &[String]) -> Option<Resolved> {
        COLUMNS.iter().find(|c| path == [c.0]).map(|c| Resolved::Column { ty: c.1 })
    }
    fn names(&self) -> Vec<String> {
        COLUMNS.iter().map(|c| c.0.to_owned()).collect()
    }
}

/// Four rows: a common one, an edge, NULLs, and another edge. `e` is an Enum of three categories.
fn block() -> DataFrame {
    let day = |y| i32::try_from(scalar::shift(0, (y - 1970) * 12, 0).unwrap() / DAY).unwrap();
    let d = [Some(day(2024) + 30), Some(-1), None, Some(day(9999) + 364)];
    let t = d.map(|d| d.map(|d| i64::from(d) * DAY + 3_723_000_000));
    let cats = DataType::from_frozen_categories(FrozenCategories::new(["gp2", "io1", "sc1"]).unwrap());
    let cast = |series: Series, ty: &DataType| series.cast(ty).unwrap().into_column();
    let micros = TimeUnit::Microseconds;
    DataFrame::new(
        4,
        vec![
            Column::new("i".into(), [Some(7), Some(-7), None, Some(i64::MAX)]),
            Column::new("j".into(), [Some(2_i64), Some(0), Some(3), Some(-1)]),
            Column::new("x".into(), [Some(2.5), Some(-0.5), None, Some(1e308)]),
            cast(
                Series::new("m".into(), [Some(1.25), Some(-3.0), None, Some(0.0)]),
                &DataType::Decimal(15, 2),
            ),
            Column::new("s".into(), [Some("Größe"), Some(""), None, Some(" a%b")]),
            cast(Series::new("e".into(), [Some("gp2"), Some("io1"), None, Some("gp2")]), &cats),
            Column::new("ok".into(), [Some(true), Some(false), None, Some(true)]),
            cast(Series::new("d".into(), d), &DataType::Date),
            cast(Series::new("t".into(), t), &DataType::Datetime(micros, None)),
            cast(
                Series::new("u".into(), [Some(90_000_000_i64), Some(0), None, Some(i64::MAX)]),
                &DataType::Duration(micros),
            ),
        ],
    )
    .unwrap()
}

fn typed(text: &str) -> Typed {
    let scalar = Scalar { text: text.into(), quoted: true, verbatim: Some(0) };
    let node = Node { span: Span::new(0, 0, text.len()), value: Value::Scalar(scalar) };
    let mut problems = Problems::new();
    let typed = Parsed::parse(&node, &mut problems).and_then(|p| p.check(&Columns, &mut problems));
    typed.unwrap_or_else(|| panic!("{text}: {:?}", problems.into_sorted()))
}

fn show(series: &Series) -> String {
    let value = |row| match series.get(row).unwrap() {
        AnyValue::Null => "NULL".to_owned(),
        AnyValue::String(s) => format!("'{s}'"),
        AnyValue::Float64(x) => format!("{x:?}"),
        AnyValue::Date(d) => scalar::show(&Literal::Date(d)).unwrap(),
        AnyValue::Datetime(t, ..) => scalar::show(&Literal::Datetime(t)).unwrap(),
        AnyValue::Duration(t, _) => format!("{t}us"),
        other => other.to_string(),
    };
    (0..series.len()).map(value).collect::<Vec<_>>().join(" | ")
}

/// Evaluates over the block, and makes sure that the cut of the blocks and the encoding of texts do not matter.
fn run(text: &str) -> String {
    let (typed, block) = (typed(text), block());
    let expected = typed.ty.map_or(DataType::Null, data_type);
    let whole = evaluate(&typed, &block).unwrap_or_else(|error| panic!("{text}: {error}"));
    assert_eq!((whole.dtype(), whole.len()), (&expected, 4), "{text}");
    let mut plain = block.clone();
    plain.apply("e", |e| e.cast(&DataType::String).unwrap()).unwrap();
    assert!(whole.equals_missing(&evaluate(&typed, &plain).unwrap()), "{text}: Enum or String");
    for row in 0..4 {
        let one = evaluate(&typed, &block.slice(row as i64, 1)).unwrap();
        assert!(whole.slice(row as i64, 1).equals_missing(&one), "{text}: row {row} alone");
    }
    let none = evaluate(&typed, &block.clear()).unwrap();
    assert_eq!((none.dtype(), none.len()), (&expected, 0), "{text}");
    // The table of many rows takes the way by categories.
    let mut many = block.clone();
    for _ in 0..3 {
        many = many.vstack(&many).unwrap();
    }
    let many = evaluate(&typed, &many).unwrap();
    assert!(whole.equals_missing(&many.slice(8, 4)), "{text}: in a longer block");
    show(&whole)
}

#[test]
fn values() {
    let mut wrong = Vec::new();
    for (text, expected) in CASES {
        let found = run(text);
        if found != *expected {
            wrong.push(format!("    ({text:?}, {found:?}),"));
        }
    }
    assert!(wrong.is_empty(), "other than expected:\n{}", wrong.join("\n"));
}

#[test]
fn examples_of_the_table_hold() {
    for function in FUNCTIONS {
        assert_eq!(run(function.example), "true | true | true | true", "{}", function.example);
        let name = format!("{}(", function.name);
        assert!(CASES.iter().any(|case| case.0.contains(&name)), "no case for {name}");
    }
}

#[test]
fn programs_refuse_other_schemas() {
    let block = block();
    let program = [("a", typed("i + 1")), ("b", typed("s || e"))];
    let columns = Program::new(&program, block.schema()).unwrap().evaluate(&block).unwrap();
    assert_eq!(columns.iter().map(|c| c.name().as_str()).collect::<Vec<_>>(), ["a", "b"]);
    assert!(Program::new(&program, block.drop("s").unwrap().schema()).is_err());
    let mut other = block.clone();
    other.apply("i", |_| Series::new("i".into(), [None::<i64>; 4]).cast(&DataType::Null).unwrap()).unwrap();
    assert!(Program::new(&program, other.schema()).is_ok(), "a column of NULLs is fine");
}

/// Well-typed texts of a type, nested to a depth.
fn expression(ty: Type, depth: u32) -> BoxedStrategy<String> {
    let leaf = |list: &'static [&'static str]| proptest::sample::select(list).prop_map(str::to_owned);
    let leaves = match ty {
        Type::Int => leaf(&["i", "j", "0", "-3", "9223372036854775807", "NULL"]),
        Type::Float => leaf(&["x", "m", "0.5", "-1e300", "i"]),
        Type::Text => leaf(&["s", "e", "'gp2'", "'%ß'", "''"]),
        Type::Bool => leaf(&["ok", "TRUE", "FALSE"]),
        Type::Date => leaf(&["d", "DATE '2024-02-29'"]),
        Type::Datetime => leaf(&["t", "d", "TIMESTAMP '2024-02-29T23:59:59Z'"]),
        _ => leaf(&["u", "INTERVAL '3 hours'"]),
    };
    if depth == 0 {
        return leaves.boxed();
    }
    let of = |ty| expression(ty, depth - 1);
    let (int, float, text, bool, same) =
        (of(Type::Int), of(Type::Float), of(Type::Text), of(Type::Bool), of(ty));
    let choose = (bool.clone(), same.clone(), same.clone())
        .prop_map(|(c, a, b)| format!("CASE WHEN {c} THEN {a} ELSE coalesce({b}, {a}) END"));
    let own = match ty {
        Type::Int => prop_oneof![
            (int.clone(), proptest::sample::select(&["+", "-", "*", "//", "%"][..]), int)
                .prop_map(|(a, op, b)| format!("({a} {op} {b})")),
            text.clone().prop_map(|s| format!("length({s})")),
            float.prop_map(|x| format!("CAST({x} AS int)")),
            of(Type::Datetime).prop_map(|t| format!("EXTRACT(week FROM {t})")),
        ]
        .boxed(),
        Type::Float => prop_oneof![
            (float.clone(), proptest::sample::select(&["+", "-", "*", "/", "//", "%"][..]), float.clone())
                .prop_map(|(a, op, b)| format!("({a} {op} {b})")),
            (
                proptest::sample::select(&["ln", "log10", "exp", "sqrt", "sin", "acos", "-"][..]),
                float.clone()
            )
                .prop_map(|(f, x)| format!("{f}({x})")),
            (float, int).prop_map(|(x, n)| format!("round(power({x}, 1.5), {n})")),
        ]
        .boxed(),
        Type::Text => prop_oneof![
            (text.clone(), int.clone()).prop_map(|(a, b)| format!("({a} || {b})")),
            (text.clone(), int.clone(), int).prop_map(|(s, a, b)| format!("substr({s}, {a}, {b})")),
            (text.clone(), text.clone()).prop_map(|(a, b)| format!("replace({a}, {b}, 'x')")),
            of(Type::Date).prop_map(|d| format!("strftime({d}, '%j')")),
        ]
        .boxed(),
        Type::Bool => prop_oneof![
            (bool.clone(), bool).prop_map(|(a, b)| format!("({a} AND NOT {b} OR {a} IS TRUE)")),
            (float.clone(), int).prop_map(|(a, b)| format!("({a} <= {b})")),
            (text.clone(), text).prop_map(|(a, b)| format!("({a} IN ('gp2', {b}) OR {a} LIKE '%p_')")),
        ]
        .boxed(),
        Type::Date => int.prop_map(|n| format!("(d + {n} - INTERVAL '1 month')")).boxed(),
        Type::Datetime => of(Type::Duration).prop_map(|u| format!("(t - {u})")).boxed(),
        _ => float.prop_map(|x| format!("((t - d) * {x} + u / {x})")).boxed(),
    };
    prop_oneof![1 => leaves, 3 => own, 1 => choose].boxed()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn well_typed_expressions_keep_their_promise(
        text in prop_oneof![
            expression(Type::Int, 3), expression(Type::Float, 3), expression(Type::Text, 3), expression(Type::Bool, 3),
            expression(Type::Date, 2), expression(Type::Datetime, 2), expression(Type::Duration, 2)
        ]
    ) {
        let found = run(&text);
        prop_assert!(!found.contains("NaN") && !found.contains("inf"), "{}: {}", text, found);
        prop_assert!(keeps_its_word_on_nulls(&text), "{} was said never to be null", text);
    }
}

/// Whether an expression that is said never to be null is not, over the rows without nulls.
fn keeps_its_word_on_nulls(text: &str) -> bool {
    let (typed, whole) = (typed(text), block().slice(0, 2));
    assert!(whole.columns().iter().all(|column| column.null_count() == 0));
    typed.ty.is_none() || typed.nullable(&|_| false) || evaluate(&typed, &whole).unwrap().null_count() == 0
}

#[test]
fn nulls_come_only_where_they_were_announced() {
    for (text, _) in CASES {
        assert!(keeps_its_word_on_nulls(text), "{text}");
    }
    let never = |text: &str| !typed(text).nullable(&|name| name == "i");
    assert!(never("coalesce(i > 3, FALSE)") && never("i IS NULL") && never("x > 1 AND s = 'a'"));
    assert!(!never("i > 3") && !never("x * 2") && !never("CASE WHEN ok THEN 1 END"));
}

/// Expression and its value in each row.
const CASES: &[(&str, &str)] = &[
    ("i + j", "9 | -7 | NULL | 9223372036854775806"),
    ("i - j", "5 | -7 | NULL | NULL"),
    ("i * 2", "14 | -14 | NULL | NULL"),
    ("i + 1", "8 | -6 | NULL | NULL"),
    ("-i", "-7 | 7 | NULL | -9223372036854775807"),
    ("i / j", "3.5 | NULL | NULL | -9.223372036854776e18"),
    ("i // j", "3 | NULL | NULL | -9223372036854775807"),
    ("i % j", "1 | NULL | NULL | 0"),
    ("mod(i, 4)", "3 | -3 | NULL | 3"),
    ("(-9223372036854775807 - 1) // j", "-4611686018427387904 | NULL | -3074457345618258602 | NULL"),
    ("(-9223372036854775807 - 1) % j", "0 | NULL | -2 | 0"),
    ("x + 1", "3.5 | 0.5 | NULL | 1e308"),
    ("x * 1e10", "25000000000.0 | -5000000000.0 | NULL | NULL"),
    ("x / j", "1.25 | NULL | NULL | -1e308"),
    ("x // 2", "1.0 | 0.0 | NULL | 5e307"),
    ("x % 2", "0.5 | -0.5 | NULL | 0.0"),
    ("m * 2", "2.5 | -6.0 | NULL | 0.0"),
    ("m + i", "8.25 | -10.0 | NULL | 9.223372036854776e18"),
    ("i = 7", "true | false | NULL | false"),
    ("i <> 7", "false | true | NULL | true"),
    ("i < j", "false | true | NULL | false"),
    ("x >= 2.5", "true | false | NULL | true"),
    ("i > x", "true | false | NULL | false"),
    ("s = 'Größe'", "true | false | NULL | false"),
    ("s < 'b'", "true | true | NULL | true"),
    ("'Z' < 'a'", "true | true | true | true"),
    ("e = 'gp2'", "true | false | NULL | true"),
    ("e <> s", "true | true | NULL | true"),
    ("'gp2' = e", "true | false | NULL | true"),
    ("ok = TRUE", "true | false | NULL | true"),
    ("d < DATE '2024-02-01'", "true | true | NULL | false"),
    ("d = t", "false | false | NULL | false"),
    ("t > TIMESTAMP '2024-01-31T01:02:02Z'", "true | false | NULL | true"),
    ("ok AND NULL", "NULL | false | NULL | NULL"),
    ("ok OR NULL", "true | NULL | NULL | true"),
    ("NOT ok", "false | true | NULL | false"),
    ("ok AND i > 0", "true | false | NULL | true"),
    ("i IS NULL", "false | false | true | false"),
    ("e IS NOT NULL", "true | true | false | true"),
    ("ok IS TRUE", "true | false | false | true"),
    ("ok IS FALSE", "false | true | false | false"),
    ("ok IS NOT TRUE", "false | true | true | false"),
    ("i IN (7, -7)", "true | true | NULL | false"),
    ("i IN (7, NULL)", "true | NULL | NULL | NULL"),
    ("i NOT IN (7)", "false | true | NULL | true"),
    ("e IN ('gp2', 'sc1')", "true | false | NULL | true"),
    ("i BETWEEN -7 AND j", "false | true | NULL | false"),
    ("i NOT BETWEEN 0 AND 10", "false | true | NULL | true"),
    ("s LIKE '%ö%'", "true | false | NULL | false"),
    ("s LIKE '%\\%_'", "false | false | NULL | true"),
    ("s ILIKE 'gRÖ%'", "true | false | NULL | false"),
    ("e NOT LIKE 'g%'", "false | true | NULL | false"),
    ("CASE WHEN ok THEN i ELSE j END", "7 | 0 | 3 | 9223372036854775807"),
    ("CASE WHEN ok THEN 'a' END", "'a' | NULL | NULL | 'a'"),
    ("CASE WHEN NULL THEN 1 WHEN TRUE THEN 2 END", "2 | 2 | 2 | 2"),
    ("CASE e WHEN 'gp2' THEN 0.08 WHEN 'io1' THEN 0.125 ELSE 1 END", "0.08 | 0.125 | 1.0 | 0.08"),
    ("CASE e WHEN NULL THEN 1 ELSE 2 END", "2 | 2 | 2 | 2"),
    ("s || '-' || i", "'Größe-7' | '--7' | NULL | ' a%b-9223372036854775807'"),
    ("s || e", "'Größegp2' | 'io1' | NULL | ' a%bgp2'"),
    ("'a' || NULL", "NULL | NULL | NULL | NULL"),
    ("CAST(x AS int)", "3 | -1 | NULL | NULL"),
    ("CAST(x AS text)", "'2.5' | '-0.5' | NULL | '1e308'"),
    ("CAST(i AS float)", "7.0 | -7.0 | NULL | 9.223372036854776e18"),
    ("CAST(ok AS int)", "1 | 0 | NULL | 1"),
    ("CAST(j AS bool)", "true | false | true | true"),
    ("CAST(s AS int)", "NULL | NULL | NULL | NULL"),
    ("TRY_CAST('12' AS int) + j", "14 | 12 | 15 | 11"),
    ("CAST(d AS text)", "'2024-01-31' | '1969-12-31' | NULL | '9999-12-31'"),
    ("CAST(t AS text)", "'2024-01-31T01:02:03Z' | '1969-12-31T01:02:03Z' | NULL | '9999-12-31T01:02:03Z'"),
    ("CAST(t AS date)", "2024-01-31 | 1969-12-31 | NULL | 9999-12-31"),
    ("CAST(d AS datetime)", "2024-01-31T00:00:00Z | 1969-12-31T00:00:00Z | NULL | 9999-12-31T00:00:00Z"),
    ("CAST('2024-02-30' AS date)", "NULL | NULL | NULL | NULL"),
    (
        "CAST('2024-02-29 12:00' AS datetime)",
        "2024-02-29T12:00:00Z | 2024-02-29T12:00:00Z | 2024-02-29T12:00:00Z | 2024-02-29T12:00:00Z",
    ),
    ("'1.5'::float", "1.5 | 1.5 | 1.5 | 1.5"),
    ("EXTRACT(year FROM d)", "2024 | 1969 | NULL | 9999"),
    ("EXTRACT(quarter FROM t)", "1 | 4 | NULL | 4"),
    ("EXTRACT(month FROM d)", "1 | 12 | NULL | 12"),
    ("EXTRACT(week FROM d)", "5 | 1 | NULL | 52"),
    ("EXTRACT(day FROM t)", "31 | 31 | NULL | 31"),
    ("EXTRACT(dow FROM d)", "3 | 3 | NULL | 5"),
    ("EXTRACT(isodow FROM d)", "3 | 3 | NULL | 5"),
    ("EXTRACT(doy FROM d)", "31 | 365 | NULL | 365"),
    ("EXTRACT(hour FROM t)", "1 | 1 | NULL | 1"),
    ("EXTRACT(minute FROM d)", "0 | 0 | NULL | 0"),
    ("EXTRACT(second FROM t)", "3 | 3 | NULL | 3"),
    ("EXTRACT(epoch FROM t)", "1706662923 | -82677 | NULL | 253402218123"),
    ("EXTRACT(epoch FROM u)", "90.0 | 0.0 | NULL | 9223372036854.775"),
    ("d + j", "2024-02-02 | 1969-12-31 | NULL | 9999-12-30"),
    ("d + 1", "2024-02-01 | 1970-01-01 | NULL | NULL"),
    ("2 + d", "2024-02-02 | 1970-01-02 | NULL | NULL"),
    ("d - 1", "2024-01-30 | 1969-12-30 | NULL | 9999-12-30"),
    ("d - DATE '2024-01-01'", "30 | -19724 | NULL | 2913173"),
    ("d + INTERVAL '1 month'", "2024-02-29 | 1970-01-31 | NULL | NULL"),
    ("d - INTERVAL '1 year 1 day'", "2023-01-30 | 1968-12-30 | NULL | 9998-12-30"),
    ("d + INTERVAL '36 hours'", "2024-02-01T12:00:00Z | 1970-01-01T12:00:00Z | NULL | NULL"),
    ("t + INTERVAL 1 MONTH", "2024-02-29T01:02:03Z | 1970-01-31T01:02:03Z | NULL | NULL"),
    (
        "t - INTERVAL '62 minutes'",
        "2024-01-31T00:00:03Z | 1969-12-31T00:00:03Z | NULL | 9999-12-31T00:00:03Z",
    ),
    ("t + u", "2024-01-31T01:03:33Z | 1969-12-31T01:02:03Z | NULL | NULL"),
    ("t - d", "3723000000us | 3723000000us | NULL | 3723000000us"),
    ("u + u", "180000000us | 0us | NULL | NULL"),
    ("u * 2", "180000000us | 0us | NULL | NULL"),
    ("u * 0.5", "45000000us | 0us | NULL | 4611686018427387904us"),
    ("u / 2", "45000000us | 0us | NULL | 4611686018427387904us"),
    ("u / INTERVAL '1 minute'", "1.5 | 0.0 | NULL | 153722867280.91293"),
    ("-u", "-90000000us | 0us | NULL | -9223372036854775807us"),
    ("j * INTERVAL '1 day'", "172800000000us | 0us | 259200000000us | -86400000000us"),
    ("d + j * INTERVAL '1 day'", "2024-02-02T00:00:00Z | 1969-12-31T00:00:00Z | NULL | 9999-12-30T00:00:00Z"),
    ("abs(i)", "7 | 7 | NULL | 9223372036854775807"),
    ("abs(x)", "2.5 | 0.5 | NULL | 1e308"),
    ("ceil(x)", "3.0 | 0.0 | NULL | 1e308"),
    ("ceil(i)", "7 | -7 | NULL | 9223372036854775807"),
    ("floor(x)", "2.0 | -1.0 | NULL | 1e308"),
    ("round(x)", "3.0 | -1.0 | NULL | 1e308"),
    ("round(x * 10 + 0.05, 1)", "25.1 | -5.0 | NULL | NULL"),
    ("round(2.345, j)", "2.35 | 2.0 | 2.345 | 0.0"),
    ("round(i, -1)", "10 | -10 | NULL | NULL"),
    ("sign(x)", "1 | -1 | NULL | 1"),
    ("sign(i)", "1 | -1 | NULL | 1"),
    ("sqrt(x)", "1.5811388300841898 | NULL | NULL | 1e154"),
    ("ln(x)", "0.9162907318741551 | NULL | NULL | 709.1962086421661"),
    ("log10(x)", "0.3979400086720376 | NULL | NULL | 308.0"),
    ("exp(x)", "12.182493960703473 | 0.6065306597126334 | NULL | NULL"),
    ("power(x, j)", "6.25 | 1.0 | NULL | 1e-308"),
    ("round(sin(x), 9)", "0.598472144 | -0.479425539 | NULL | 0.453396491"),
    ("round(cos(x), 9)", "-0.801143616 | 0.877582562 | NULL | -0.891308938"),
    ("round(tan(x), 9)", "-0.747022297 | -0.54630249 | NULL | -0.508686126"),
    ("round(asin(x), 9)", "NULL | -0.523598776 | NULL | NULL"),
    ("round(acos(x), 9)", "NULL | 2.094395102 | NULL | NULL"),
    ("round(atan2(x, -1), 9)", "1.951302704 | -2.677945045 | NULL | 1.570796327"),
    ("round(radians(x * 100), 9)", "4.36332313 | -0.872664626 | NULL | NULL"),
    ("round(degrees(x), 9)", "143.239448783 | -28.647889757 | NULL | NULL"),
    ("least(i, j)", "2 | -7 | 3 | -1"),
    ("greatest(i, j, 5)", "7 | 5 | 5 | 9223372036854775807"),
    ("greatest(s, e)", "'gp2' | 'io1' | NULL | 'gp2'"),
    ("least(NULL, x)", "2.5 | -0.5 | NULL | 1e308"),
    ("coalesce(i, j)", "7 | -7 | 3 | 9223372036854775807"),
    ("coalesce(NULL, e, 'none')", "'gp2' | 'io1' | 'none' | 'gp2'"),
    ("nullif(i, 7)", "NULL | -7 | NULL | 9223372036854775807"),
    ("nullif(e, 'gp2')", "NULL | 'io1' | NULL | NULL"),
    ("if(ok, 'yes', 'no')", "'yes' | 'no' | 'no' | 'yes'"),
    ("if(i > 0, x, j)", "2.5 | 0.0 | 3.0 | 1e308"),
    ("upper(s)", "'GRÖSSE' | '' | NULL | ' A%B'"),
    ("lower(s)", "'größe' | '' | NULL | ' a%b'"),
    ("upper(e)", "'GP2' | 'IO1' | NULL | 'GP2'"),
    ("length(s)", "5 | 0 | NULL | 4"),
    ("substr(s, 2, 3)", "'röß' | '' | NULL | 'a%b'"),
    ("substr(s, j)", "'röße' | '' | NULL | ' a%b'"),
    ("left(s, j)", "'Gr' | '' | NULL | ''"),
    ("right(s, 3)", "'öße' | '' | NULL | 'a%b'"),
    ("trim(s)", "'Größe' | '' | NULL | 'a%b'"),
    ("ltrim(s)", "'Größe' | '' | NULL | 'a%b'"),
    ("rtrim(s || ' ')", "'Größe' | '' | NULL | ' a%b'"),
    ("replace(s, 'ö', 'oe')", "'Groeße' | '' | NULL | ' a%b'"),
    ("replace(s, '', 'x')", "'Größe' | '' | NULL | ' a%b'"),
    ("lpad(s, 6, '.')", "'.Größe' | '......' | NULL | '.. a%b'"),
    ("rpad(s, 6, 'xy')", "'Größex' | 'xyxyxy' | NULL | ' a%bxy'"),
    ("lpad(e, j)", "'gp' | '' | NULL | ''"),
    ("starts_with(s, 'Gr')", "true | false | NULL | false"),
    ("ends_with(s, 'b')", "false | false | NULL | true"),
    ("contains(s, '%')", "false | false | NULL | true"),
    ("contains(e, 'p')", "true | false | NULL | true"),
    ("concat(s, i, NULL, ok)", "'Größe7true' | '-7false' | '' | ' a%b9223372036854775807true'"),
    ("concat(NULL)", "'' | '' | '' | ''"),
    ("strftime(d, '%d.%m.%Y')", "'31.01.2024' | '31.12.1969' | NULL | '31.12.9999'"),
    ("strftime(t, '%H:%M:%S %j')", "'01:02:03 031' | '01:02:03 365' | NULL | '01:02:03 365'"),
    ("strftime(d, '%A')", "'Wednesday' | 'Wednesday' | NULL | 'Friday'"),
    ("7", "7 | 7 | 7 | 7"),
    ("'a'", "'a' | 'a' | 'a' | 'a'"),
    ("1.5", "1.5 | 1.5 | 1.5 | 1.5"),
    ("TRUE", "true | true | true | true"),
    ("NULL", "NULL | NULL | NULL | NULL"),
    ("DATE '2024-02-29'", "2024-02-29 | 2024-02-29 | 2024-02-29 | 2024-02-29"),
    ("INTERVAL '1 day'", "86400000000us | 86400000000us | 86400000000us | 86400000000us"),
    ("1 / 0", "NULL | NULL | NULL | NULL"),
];
