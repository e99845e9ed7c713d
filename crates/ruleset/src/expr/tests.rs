use std::fmt::Write as _;

use proptest::prelude::*;

use super::*;
use crate::diagnostic::{Diagnostic, Problems};
use crate::node::{Node, Scalar, Value};

struct Columns;

const COLUMNS: &[(&str, Type)] = &[
    ("size", Type::Int),
    ("cost", Type::Float),
    ("price", Type::Decimal(2)),
    ("Volume Size", Type::Int),
    ("Volume Type", Type::Text),
    ("name", Type::Text),
    ("user", Type::Text),
    ("ok", Type::Bool),
    ("day", Type::Date),
    ("at", Type::Datetime),
    ("span", Type::Duration),
];

impl Scope for Columns {
    fn resolve(&self, path: &[String]) -> Option<Resolved> {
        match path.iter().map(String::as_str).collect::<Vec<_>>()[..] {
            ["param", "factor"] => Some(Resolved::Constant(Literal::Float(1.5))),
            [name] => COLUMNS.iter().find(|c| c.0 == name).map(|c| Resolved::Column { ty: c.1 }),
            _ => None,
        }
    }
    fn names(&self) -> Vec<String> {
        COLUMNS.iter().map(|c| c.0.to_owned()).chain(["param.factor".to_owned()]).collect()
    }
}

/// The expression in a file, four bytes into it.
fn node(text: &str, verbatim: bool) -> Node {
    let scalar = Scalar { text: text.into(), quoted: true, verbatim: verbatim.then_some(4) };
    Node { span: Span::new(0, 3, 5 + text.len()), value: Value::Scalar(scalar) }
}

fn check(text: &str) -> (Option<Typed>, Vec<Diagnostic>) {
    let mut problems = Problems::new();
    let typed =
        Parsed::parse(&node(text, true), &mut problems).and_then(|p| p.check(&Columns, &mut problems));
    assert_eq!(typed.is_some(), problems.is_empty(), "{text}: a result or a problem, not both");
    (typed, problems.into_sorted())
}

/// Code, underlined text, message and help of each problem.
fn wrong(text: &str) -> String {
    let mut out = String::new();
    for d in check(text).1 {
        let span = d.span.expect("has a place").range();
        let under = span.start.checked_sub(4).and_then(|at| text.get(at..span.end - 4)).unwrap_or("<all>");
        writeln!(out, "{} [{under}] {} | {}", d.code, d.message, d.help.unwrap_or_default()).unwrap();
    }
    out.trim_end().to_owned()
}

#[test]
fn types_of_results() {
    for (text, ty) in [
        ("size + 1", Type::Int),
        ("size / 2", Type::Float),
        ("size // 2", Type::Int),
        ("size + cost", Type::Float),
        ("price * 2", Type::Float),
        ("\"Volume Size\" * param.factor", Type::Float),
        ("name || '-' || size", Type::Text),
        ("user", Type::Text),
        ("\"user\" = user", Type::Bool),
        ("day + 3", Type::Date),
        ("day - DATE '2026-01-01'", Type::Int),
        ("day + INTERVAL '1 month 2 days'", Type::Date),
        ("day + INTERVAL '1 hour'", Type::Datetime),
        ("day + span", Type::Datetime),
        ("at - day", Type::Duration),
        ("at - INTERVAL 90 MINUTE", Type::Datetime),
        ("size * INTERVAL '1 day'", Type::Duration),
        ("span / INTERVAL '1 hour'", Type::Float),
        ("EXTRACT(epoch FROM span)", Type::Float),
        ("EXTRACT(YEAR FROM day)", Type::Int),
        ("CASE WHEN ok THEN 1 ELSE 2.5 END", Type::Float),
        ("CASE \"Volume Type\" WHEN 'gp2' THEN day ELSE at END", Type::Datetime),
        ("coalesce(NULL, size)", Type::Int),
        ("IF(ok, NULL, name)", Type::Text),
        ("greatest(size, cost)", Type::Float),
        ("round(cost, 2)", Type::Float),
        ("NULL IS NULL", Type::Bool),
        ("42", Type::Int),
        ("true", Type::Bool),
        ("-9223372036854775808", Type::Int),
        ("'it''s'", Type::Text),
        ("NOT NULL", Type::Bool),
        ("size NOT IN (1, 2, NULL)", Type::Bool),
        ("name NOT LIKE 'a%' ESCAPE '!'", Type::Bool),
        ("TRY_CAST(name AS DOUBLE PRECISION)", Type::Float),
        ("CAST(name AS TIMESTAMP)", Type::Datetime),
        ("substring(name FROM 2 FOR 3)", Type::Text),
        ("left(name, 2) || right(name, 1)", Type::Text),
        ("replace(trim(name), 'a', 'b')", Type::Text),
        ("-cost % 2", Type::Float),
        ("mod(size, 3)", Type::Int),
    ] {
        let (typed, problems) = check(text);
        let typed = typed.unwrap_or_else(|| panic!("{text}: {problems:?}"));
        assert_eq!(typed.ty, Some(ty), "{text}: {typed:?}");
    }
    assert_eq!(check("NULL").0.unwrap().ty, None);
    assert_eq!(check("coalesce(NULL, NULL)").0.unwrap().ty, None);
}

#[test]
fn every_example_of_the_table_is_well_typed_and_sorted() {
    for pair in FUNCTIONS.windows(2) {
        assert!(pair[0].name < pair[1].name, "{} is out of order", pair[1].name);
    }
    for function in FUNCTIONS {
        let (typed, problems) = check(function.example);
        assert!(typed.is_some_and(|t| t.ty == Some(Type::Bool)), "{}: {problems:?}", function.example);
        assert!(function.example.contains(&format!("{}(", function.name)));
        assert!(function.signature.starts_with(&format!("{}(", function.name)));
    }
}

#[test]
fn references_once_and_in_order() {
    let text = "b + \"a c\" * b - param.x + other.y";
    let parsed = Parsed::parse(&node(text, true), &mut Problems::new()).unwrap();
    let found: Vec<_> = parsed
        .references()
        .iter()
        .map(|r| (r.path.join("/"), &text[r.span.start as usize - 4..r.span.end as usize - 4]))
        .collect();
    let expected = [("b", "b"), ("a c", "\"a c\""), ("param/x", "param.x"), ("other/y", "other.y")];
    assert_eq!(found, expected.map(|(path, under)| (path.to_owned(), under)));
}

#[test]
fn places_are_exact_across_lines_and_wide_characters() {
    assert!(wrong("'größe' = name AND\r\n  'ä' = nmae\nAND ok").starts_with("unknown-column [nmae]"));
    // Without a verbatim text the whole scalar is underlined.
    let mut problems = Problems::new();
    let parsed = Parsed::parse(&node("size + nmae", false), &mut problems).unwrap();
    assert!(parsed.check(&Columns, &mut problems).is_none());
    assert_eq!(problems.into_sorted()[0].span, Some(node("size + nmae", false).span));
}

#[test]
fn problems() {
    let mut other = Vec::new();
    for (text, expected) in PROBLEMS {
        let found = wrong(text);
        if found != *expected {
            other.push(format!("    ({text:?}, {found:?}),"));
        }
    }
    assert!(other.is_empty(), "other than expected:\n{}", other.join("\n"));
}

const PROBLEMS: &[(&str, &str)] = &[
    ("siez + 1", "unknown-column [siez] there is no column `siez` | did you mean `size`?"),
    (
        "Volume * 2",
        "unknown-column [Volume] there is no column `Volume` | did you mean `\"Volume Size\"`? Names with spaces stand in double quotes",
    ),
    (
        "Volume Size * 2",
        "bad-expression [Size] the expression ends before this | names with spaces stand in double quotes: \"Volume Size\"; text stands in single quotes: 'gp3'",
    ),
    (
        "\"volume size\" * 2",
        "unknown-column [\"volume size\"] there is no column `volume size` | did you mean `\"Volume Size\"`?",
    ),
    (
        "name = \"gp2\"",
        "unknown-column [\"gp2\"] there is no column `gp2` | text stands in single quotes: 'gp2'; known columns: size, cost, price, Volume Size, Volume Type, name, user, ok, day, at, span, param.factor",
    ),
    ("param.facto * 2", "unknown-param [param.facto] there is no parameter `facto` | did you mean `factor`?"),
    (
        "size +",
        "bad-expression [+] expected an expression, found the end of the expression | names with spaces stand in double quotes: \"Volume Size\"; text stands in single quotes: 'gp3'",
    ),
    (
        "",
        "bad-expression [<all>] the expression is empty | names with spaces stand in double quotes: \"Volume Size\"; text stands in single quotes: 'gp3'",
    ),
    (
        "(size",
        "bad-expression [e] expected ), found the end of the expression | names with spaces stand in double quotes: \"Volume Size\"; text stands in single quotes: 'gp3'",
    ),
    (
        "size 2",
        "bad-expression [2] the expression ends before this | names with spaces stand in double quotes: \"Volume Size\"; text stands in single quotes: 'gp3'",
    ),
    (
        "name > 5",
        "expression-type [5] a comparison cannot mix text with int | write CAST(… AS int) to read the text, or CAST(… AS text) to write the int",
    ),
    (
        "'5' = size",
        "expression-type [size] a comparison cannot mix text with int | write CAST(… AS int) to read the text, or CAST(… AS text) to write the int",
    ),
    (
        "day > '2026-01-31'",
        "expression-type ['2026-01-31'] a comparison cannot mix date with text | write DATE '2026-01-31', or CAST(… AS date)",
    ),
    ("name + 'x'", "expression-type [name] + does not go between text and text | text is joined with ||"),
    ("ok + 1", "expression-type [ok] + does not go between bool and int | write CAST(… AS int)"),
    (
        "NOT size",
        "expression-type [size] NOT takes a bool, not an int | write a comparison, e.g. x > 0 or x = 'yes'",
    ),
    (
        "size AND ok",
        "expression-type [size] AND takes a bool, not an int | write a comparison, e.g. x > 0 or x = 'yes'",
    ),
    (
        "CASE WHEN ok THEN 1 ELSE 'a' END",
        "expression-type ['a'] CASE cannot mix int with text | write CAST(… AS int) to read the text, or CAST(… AS text) to write the int",
    ),
    (
        "avg(size)",
        "expression-not-allowed [avg(size)] the aggregate `avg` cannot be used in an expression | an expression sees the cells of its own row, and its children's through count, sum, avg, min and max: sum(orders.amount)",
    ),
    (
        "count(*)",
        "expression-not-allowed [count(*)] the aggregate `count` cannot be used in an expression | an expression sees the cells of its own row, and its children's through count, sum, avg, min and max: sum(orders.amount)",
    ),
    (
        "row_number() OVER (ORDER BY size)",
        "expression-not-allowed [row_number()] a window function cannot be used in an expression | an expression sees the cells of its own row, and its children's through count, sum, avg, min and max: sum(orders.amount)",
    ),
    (
        "random()",
        "expression-not-allowed [random()] `random` cannot be used in an expression | randomness comes from generators: add a column or a draw, e.g. `draws: {u: {uniform: [0, 1]}}`",
    ),
    (
        "now()",
        "expression-not-allowed [now()] `now` cannot be used in an expression | time comes from the ruleset's `clock`, so that a run can be repeated",
    ),
    (
        "current_date",
        "expression-not-allowed [current_date] `current_date` cannot be used in an expression | time comes from the ruleset's `clock`, so that a run can be repeated",
    ),
    (
        "(SELECT 1)",
        "expression-not-allowed [SELECT 1] a sub-select cannot be used in an expression | an expression sees the cells of its own row only; declare a lookup or a relation for facts from elsewhere",
    ),
    (
        "size IN (SELECT 1)",
        "expression-not-allowed [size IN (SELECT 1] a sub-select cannot be used in an expression | an expression sees the cells of its own row only; declare a lookup or a relation for facts from elsewhere",
    ),
    ("uper(name)", "bad-expression [uper(name)] there is no function `uper` | did you mean `upper`?"),
    (
        "ifnull(size, 1)",
        "bad-expression [ifnull(size, 1)] there is no function `ifnull` | use coalesce(a, b)",
    ),
    ("round()", "bad-expression [round()] `round` does not take 0 arguments | round(x[, digits])"),
    ("round(name)", "expression-type [name] round takes a number, not text | write CAST(… AS float)"),
    (
        "round(size, 1, 2)",
        "bad-expression [round(size, 1, 2)] `round` does not take 3 arguments | round(x[, digits])",
    ),
    (
        "DATE '2026-02-30'",
        "bad-expression ['2026-02-30'] this is not a valid date | write it like DATE '2026-01-31', years 1 to 9999",
    ),
    (
        "INTERVAL '1.5 days'",
        "bad-expression ['1.5 days'] this is not an interval | write INTERVAL '3 days', INTERVAL '1 month' or INTERVAL 90 MINUTE: whole numbers of year, quarter, month, week, day, hour, minute or second",
    ),
    (
        "INTERVAL '1 month' * 2",
        "expression-type ['1 month'] months have no fixed length | write d + INTERVAL '1 month', or use days",
    ),
    (
        "at + 1",
        "expression-type [at] + does not go between datetime and int | say which unit is meant: d + n * INTERVAL '1 day'",
    ),
    (
        "CAST(span AS int)",
        "expression-type [span] a duration cannot be cast to int | EXTRACT(epoch FROM d) gives a duration's seconds",
    ),
    (
        "CAST(size AS date)",
        "expression-type [size] an int cannot be cast to date | there is no conversion from int to date",
    ),
    (
        "CAST(size AS uuid)",
        "bad-expression [size] there is no type `uuid` | known types: bool, int, float, text, date, datetime",
    ),
    (
        "CAST(cost AS decimal(10,2))",
        "expression-not-allowed [cost] CAST to decimal cannot be used in an expression | use round(x, digits), and `type: decimal(2)` for the column",
    ),
    (
        "EXTRACT(century FROM day)",
        "bad-expression [day] EXTRACT knows no `century` | known: year, quarter, month, week, day, dow, isodow, doy, hour, minute, second, epoch",
    ),
    (
        "EXTRACT(day FROM span)",
        "expression-type [span] a duration has no calendar parts | use EXTRACT(epoch FROM d): its seconds",
    ),
    (
        "name LIKE user",
        "bad-expression [user] the pattern of LIKE is a text literal | compare with contains, starts_with or ends_with if it is not constant",
    ),
    (
        "strftime(day, name)",
        "expression-type [name] the format is a text literal of strftime conversions | write e.g. strftime(d, '%Y-%m-%d %H:%M:%S')",
    ),
    (
        "99999999999999999999",
        "bad-expression [99999999999999999999] this whole number does not fit 64 bits | write 99999999999999999999.0 for a float",
    ),
    ("1e999", "bad-expression [1e999] `1e999` is not a number | the largest is about 1.8e308"),
    (
        "size & 1",
        "expression-not-allowed [size & 1] the operator `&` cannot be used in an expression | use + - * / // % || = <> < <= > >= AND OR NOT",
    ),
    (
        "name ~ 'a'",
        "expression-not-allowed [name ~ 'a'] the operator `~` cannot be used in an expression | use + - * / // % || = <> < <= > >= AND OR NOT",
    ),
    (
        "`size`",
        "bad-expression [`size`] a name in quotes stands in double quotes | names with spaces stand in double quotes: \"Volume Size\"; text stands in single quotes: 'gp3'",
    ),
    (
        "size = 1; drop table x",
        "bad-expression [;] the expression ends before this | names with spaces stand in double quotes: \"Volume Size\"; text stands in single quotes: 'gp3'",
    ),
    (
        "*",
        "bad-expression [*] expected an expression, found `*` | names with spaces stand in double quotes: \"Volume Size\"; text stands in single quotes: 'gp3'",
    ),
    (
        "'unclosed",
        "bad-expression ['] unterminated string literal | names with spaces stand in double quotes: \"Volume Size\"; text stands in single quotes: 'gp3'",
    ),
    (
        "size IS DISTINCT FROM 1",
        "expression-not-allowed [size IS DISTINCT FROM 1] IS DISTINCT FROM cannot be used in an expression | use = and IS NULL",
    ),
    (
        "coalesce(size, name)",
        "expression-type [name] coalesce cannot mix int with text | write CAST(… AS int) to read the text, or CAST(… AS text) to write the int",
    ),
    (
        "if(size, 1, 2)",
        "expression-type [size] if takes a bool, not an int | write a comparison, e.g. x > 0 or x = 'yes'",
    ),
    ("-name", "expression-type [name] cannot negate text | write CAST(… AS float)"),
    (
        "size BETWEEN 1 AND 'x'",
        "expression-type ['x'] BETWEEN cannot mix int with text | write CAST(… AS int) to read the text, or CAST(… AS text) to write the int",
    ),
    (
        "name IN (1, 2)",
        "expression-type [1] IN cannot mix text with int | write CAST(… AS int) to read the text, or CAST(… AS text) to write the int",
    ),
];

#[test]
fn all_problems_at_once() {
    let found = wrong("siez + name * 2 + avg(cost) + foo(1) + now()");
    for code in
        ["expression-not-allowed [avg(cost)]", "bad-expression [foo(1)]", "expression-not-allowed [now()]"]
    {
        assert!(found.contains(code), "{found}");
    }
    assert_eq!(check("siez + 1 = cots").1.len(), 2);
}

#[test]
fn limits() {
    for text in [
        "(".repeat(10_000),
        format!("{}1{}", "(".repeat(10_000), ")".repeat(10_000)),
        "-".repeat(3) + &" -".repeat(5_000),
        "NOT ".repeat(4_000),
        format!("1{}", "+1".repeat(4_000)),
        format!("1{}", "+1".repeat(2_000)),
        format!("abs(1{})", "+1".repeat(2_000)),
        format!("1{}", "+1".repeat(100)),
        "interval ".repeat(1_500),
        format!("cast(1 as {}", "array<".repeat(1_000)),
        format!("cast(1 as {}", "nullable(".repeat(1_000)),
        "case when ".repeat(1_500),
        "x".repeat(MAX_SOURCE + 1),
    ] {
        let (typed, problems) = check(&text);
        assert!(typed.is_none());
        assert_eq!(problems.len(), 1, "{problems:?}");
        assert_eq!(problems[0].code, "bad-expression");
    }
    for (open, close) in [
        ("(", ")"),
        ("abs(", ")"),
        ("date(", ")"),
        ("cast(", " as int)"),
        ("interval ", ""),
        ("x(", ")"),
        ("(a, ", ")"),
        ("not (", ")"),
    ] {
        for depth in [12, 40, 60, 400] {
            check(&format!("{}1{}", open.repeat(depth), close.repeat(depth)));
            check(&format!("{}1 1{}", open.repeat(depth), close.repeat(depth)));
        }
    }
    // What people write fits.
    assert!(check(&format!("{}1{}", "(".repeat(60), ")".repeat(60))).0.is_some());
    assert!(check(&format!("1{}", " + 1".repeat(60))).0.is_some());
}

#[test]
fn like() {
    for (pattern, text, expected) in [
        ("", "", true),
        ("%", "", true),
        ("_", "", false),
        ("a%", "abc", true),
        ("%b%", "abc", true),
        ("a_c", "aéc", true),
        ("%a%b%c", "xxaxxbxxbc", true),
        ("%a%b%c", "xxaxxbxxbcd", false),
        ("50\\%", "50%", true),
        ("50\\%", "500", false),
        ("a.c", "abc", false),
        ("%ab", "aab", true),
    ] {
        assert_eq!(
            Like::new(pattern, Some('\\'), false).unwrap().matches(text),
            expected,
            "{text} LIKE {pattern}"
        );
    }
    assert!(Like::new("GRÖ%", None, true).unwrap().matches("größe"));
    assert!(Like::new("a\\", Some('\\'), false).is_none());
}

#[test]
fn scalars() {
    use scalar::*;
    assert_eq!(
        [round_float(2.5, 0), round_float(-2.5, 0), round_float(2.345, 2)],
        [Some(3.0), Some(-3.0), Some(2.35)]
    );
    assert_eq!([round_float(1250.0, -2), round_float(1e300, 18)], [Some(1300.0), Some(1e300)]);
    assert_eq!(
        [round_int(1250, -2), round_int(-1250, -2), round_int(i64::MAX, -1)],
        [Some(1300), Some(-1300), None]
    );
    assert_eq!([substr("größe", 2, 3), substr("größe", -1, 3), substr("größe", 9, 3)], ["röß", "g", ""]);
    assert_eq!(
        [substr("abc", i64::MIN, i64::MAX), substr("abc", 2, i64::MAX), substr("abc", 2, -1)],
        ["", "bc", ""]
    );
    assert_eq!([left("äöü", 2), left("äöü", -1), left("äöü", 9)], ["äö", "", "äöü"]);
    assert_eq!([right("äöü", 2), right("äöü", -1), right("äöü", 9)], ["öü", "", "äöü"]);
    assert_eq!(pad("7", 3, "ab", true).unwrap(), "ab7");
    assert_eq!(pad("12345", 3, "0", true).unwrap(), "123");
    assert_eq!(pad("7", i64::MAX, "0", false), None);
    assert_eq!(replace(&"a".repeat(1000), "a", &"b".repeat(5000)), None);
    let day = |s: &str| match cast(&Literal::Text(s.into()), Type::Date) {
        Literal::Date(d) => i64::from(d),
        other => panic!("{s}: {other:?}"),
    };
    assert_eq!((day("0001-01-01"), day("9999-12-31"), day("1970-01-02")), (FIRST_DAY, LAST_DAY, 1));
    assert_eq!(shift(day("2024-01-31") * DAY, 1, 0), Some(day("2024-02-29") * DAY));
    assert_eq!(shift(day("2024-01-31") * DAY + 5, -2, DAY), Some(day("2023-12-01") * DAY + 5));
    assert_eq!(
        [shift(LAST_DAY * DAY, 0, DAY), shift(0, -12 * 1970, 0), shift(0, 0, i64::MAX)],
        [None, None, None]
    );
    let show_at = |t: i64| show(&Literal::Datetime(t)).unwrap();
    assert_eq!(show_at(-1), "1969-12-31T23:59:59.999999Z");
    assert_eq!(show_at(0), "1970-01-01T00:00:00Z");
    for (text, micros) in [
        ("1970-01-01T00:00:01Z", 1_000_000),
        (" 1970-01-01 00:00:01.5 ", 1_500_000),
        ("1970-01-01T01:00:00+01:00", 0),
        ("1970-01-02", DAY),
        ("1969-12-31T23:59:59.999999Z", -1),
    ] {
        assert_eq!(cast(&Literal::Text(text.into()), Type::Datetime), Literal::Datetime(micros), "{text}");
    }
    for text in ["2026-02-30", "2026-01-01T00:00:00", "yesterday", "", "-0001-01-01"] {
        assert_eq!(cast(&Literal::Text(text.into()), Type::Date), Literal::Null, "{text}");
    }
    assert_eq!(cast(&Literal::Float(9.3e18), Type::Int), Literal::Null);
    assert_eq!(cast(&Literal::Float(-2.5), Type::Int), Literal::Int(-3));
    assert_eq!(cast(&Literal::Text("inf".into()), Type::Float), Literal::Null);
    let at = day("2026-01-04") * DAY + 3_723_000_000 + 7;
    let fields = [
        Field::Year,
        Field::Quarter,
        Field::Month,
        Field::Week,
        Field::Day,
        Field::Dow,
        Field::Isodow,
        Field::Doy,
        Field::Hour,
        Field::Minute,
        Field::Second,
    ];
    assert_eq!(fields.map(|f| extract(f, at).unwrap()), [2026, 1, 1, 1, 4, 0, 7, 4, 1, 2, 3]);
    assert_eq!(extract(Field::Epoch, -1), Some(-1));
    assert_eq!(strftime(at, "%Y%m%d %H:%M:%S").unwrap(), "20260104 01:02:03");
    assert_eq!(strftime(at, "%"), None);
}

/// Words of the language in any order: much more of it parses than of random characters.
fn word_salad() -> impl Strategy<Value = String> {
    let words: Vec<&str> = "size cost name ok day at span \"Volume Size\" user 1 2.5 'a' NULL TRUE ( ) , + - * / // % || = < > <> AND OR \
                            NOT IS IN BETWEEN LIKE CASE WHEN THEN ELSE END CAST AS int text date abs( round( if( EXTRACT( year \
                            FROM INTERVAL '1 day' DATE '2026-01-01' coalesce( :: . ; -- /* x' E' $1 avg( OVER ( SELECT [ ] { } @ -> ~ ^"
        .split_whitespace()
        .collect();
    proptest::collection::vec(proptest::sample::select(words), 0..24).prop_map(|words| words.join(" "))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn any_text_is_read_or_refused(text in "\\PC{0,60}") {
        check(&text);
    }

    #[test]
    fn any_words_are_read_or_refused(text in word_salad()) {
        for d in check(&text).1 {
            let range = d.span.expect("has a place").range();
            prop_assert!(range.start >= 3 && range.end <= text.len() + 5, "{range:?} in {text}");
        }
    }
}
