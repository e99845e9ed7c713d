use std::path::PathBuf;

use polars::prelude::{Column, DataFrame, IdxCa, IntoColumn, StringChunked};
use proptest::prelude::*;

use super::*;
use crate::tests::{everything, uncategorized, write_with};
use crate::{CsvOptions, Quote, SINKS, SinkKind, SinkOptions};
use lookalike_ruleset::Type;

/// A file that is removed in the end.
struct Temporary {
    _folder: tempfile::TempDir,
    path: PathBuf,
}

fn file(name: &str, bytes: impl AsRef<[u8]>) -> Temporary {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, bytes).unwrap();
    Temporary { _folder: folder, path }
}

fn open_text(name: &str, text: impl AsRef<[u8]>, options: &SourceOptions) -> (Temporary, Box<dyn Source>) {
    let file = file(name, text);
    let source = open(&file.path, None, options).unwrap_or_else(|error| panic!("{error}"));
    (file, source)
}

fn types(source: &dyn Source) -> String {
    let field =
        |field: &Field| format!("{}: {}{}", field.name, field.ty, if field.nullable { "?" } else { "" });
    source.schema().fields.iter().map(field).collect::<Vec<_>>().join(", ")
}

fn error_of(name: &str, text: impl AsRef<[u8]>, options: &SourceOptions) -> String {
    let file = file(name, text);
    let source = open(&file.path, None, options);
    let error = source.and_then(|source| source.read(0..source.rows())).expect_err("an error").to_string();
    error.replace(&file.path.display().to_string(), name)
}

#[test]
fn what_sinks_write_is_read_back() {
    let (schema, frame) = everything();
    let long = (0..12).fold(frame.clone(), |long, _| long.vstack(&long).unwrap());
    let expected = uncategorized(&long);
    let types: Vec<(String, Type)> = schema.fields.iter().map(|f| (f.name.clone(), f.ty)).collect();
    for kind in SINKS.iter().filter(has_source) {
        // JSON and CSV without types given find the same.
        for given in [Vec::new(), types.clone()] {
            let units: Vec<_> = (0..4).map(|i| long.slice(i * 16_384, 16_384)).collect();
            let bytes = write_with(kind, &schema, &units, &SinkOptions::default());
            let options = SourceOptions { types: given, ..SourceOptions::default() };
            let (_file, source) = open_text(&format!("things.{}", kind.extension), bytes, &options);
            assert_eq!(source.schema().table, "things");
            let found: Vec<_> = source.schema().fields.iter().map(|f| (f.name.clone(), f.ty)).collect();
            assert_eq!(found, types, "{}", kind.name);
            assert_eq!(source.rows(), 65_536);
            for (from, to) in [(0, 65_536), (0, 0), (5, 6), (1023, 1025), (16_383, 49_153), (65_535, 65_536)]
            {
                let read = source.read(from..to).unwrap();
                let want = expected.slice(from as i64, (to - from) as usize);
                assert!(read.equals_missing(&want), "{} {from}..{to}: {read} {want}", kind.name);
                assert_eq!(read.dtypes(), want.dtypes(), "{}", kind.name);
                assert!(read.columns().iter().all(|c| c.as_materialized_series().n_chunks() == 1));
            }
            let rows = [65_535, 3, 40_000, 3, 0, 1024];
            let some =
                expected.take(&IdxCa::from_vec("rows".into(), rows.iter().map(|row| *row as u32).collect()));
            let some = some.unwrap().select(["text", "id"]).unwrap();
            assert!(source.scattered(&rows, &[5, 0]).unwrap().equals_missing(&some), "{}", kind.name);
            assert!(source.scattered(&[65_536], &[0]).is_err());
            assert!(source.read(65_530..65_537).unwrap_err().to_string().contains("has 65536 rows"));
            let threads: Vec<_> = std::thread::scope(|scope| {
                let read = |i: u64| source.read(i * 16_384 + 7..(i + 1) * 16_384);
                (0..4).map(|i| scope.spawn(move || read(i))).map(|t| t.join().unwrap().unwrap()).collect()
            });
            for (i, read) in threads.iter().enumerate() {
                assert!(read.equals_missing(&expected.slice(i as i64 * 16_384 + 7, 16_377)));
            }
        }
    }
}

#[test]
fn every_form_of_csv_is_read_back() {
    let (schema, frame) = everything();
    let whole = uncategorized(&frame);
    // Where a word means null, sinks do not quote the empty text, and nothing means null to a source in any case.
    let empty_to_null = |column: &Column| {
        let Ok(texts) = column.str() else { return column.clone() };
        let texts: StringChunked = texts.iter().map(|text| text.filter(|text| !text.is_empty())).collect();
        texts.with_name(column.name().clone()).into_column()
    };
    let bare = DataFrame::new(whole.height(), whole.columns().iter().map(empty_to_null).collect()).unwrap();
    for quote in [Quote::Minimal, Quote::All, Quote::Text] {
        for (null, delimiter) in [("", b','), ("NA", b';'), ("~", b'|'), ("\\N", b'\t')] {
            let csv = CsvOptions { null: null.into(), quote, delimiter, header: true };
            let bytes = write_with(
                &SINKS[0],
                &schema,
                std::slice::from_ref(&frame),
                &SinkOptions { csv, ..Default::default() },
            );
            // The text `NA` must not be null where it is quoted.
            let options = SourceOptions { csv_nulls: vec![null.into()], ..SourceOptions::default() };
            let (_file, source) = open_text("things.csv", bytes, &options);
            let read = source.read(0..source.rows()).unwrap();
            assert!(
                read.equals_missing(&if null.is_empty() || quote != Quote::Minimal {
                    whole.clone()
                } else {
                    bare.clone()
                }),
                "{quote:?} {null}"
            );
        }
    }
}

#[test]
fn csv_is_read_as_people_write_it() {
    let options = SourceOptions::default();
    let text = "\u{feff},name;x,n,\"a \"\"b\"\"\"\r\n1,\"Müller, \"\"Hans\"\"\",007,\r\n2,\"two\r\nlines\",,5\" pipe\r\n\r\n";
    let (_file, source) = open_text("a.csv", text, &options);
    assert_eq!(types(&*source), "column_1: int, name;x: text, n: text?, a \"b\": text?");
    let frame = source.read(0..2).unwrap();
    assert_eq!(frame.columns()[1].str().unwrap().get(0), Some("Müller, \"Hans\""));
    assert_eq!(frame.columns()[1].str().unwrap().get(1), Some("two\r\nlines"));
    assert_eq!(frame.columns()[3].str().unwrap().get(1), Some("5\" pipe"));
    // The delimiter is that by which all lines agree.
    for (text, expected) in [
        ("a;b, in EUR;c\n1;2,5;3\n4;5,5;6\n", "a: int, b, in EUR: text, c: int"),
        ("a\tb\n1\tx, y, z\n", "a: int, b: text"),
        ("a|b\n1|2", "a: int, b: int"),
        ("only\n1\n\n3", "only: int?"),
        ("a,b\n", "a: text, b: text"),
        ("a,b", "a: text, b: text"),
    ] {
        let (_file, source) = open_text("b.csv", text, &options);
        assert_eq!(types(&*source), expected, "{text}");
    }
    // All numbers of a file that quotes all values, and nothing for null.
    let (_file, source) = open_text("c.csv", "\"a\",\"b\"\n\"1\",\"x\"\n\"\",\"\"\n", &options);
    assert_eq!(types(&*source), "a: int?, b: text");
    // Words that mean null, and types that are asked for.
    let options = SourceOptions {
        csv_nulls: vec!["NA".into(), "-".into()],
        types: vec![("code".into(), Type::Int), ("at".into(), Type::Datetime)],
        ..SourceOptions::default()
    };
    let (_file, source) = open_text("d.csv", "code,x,at\n007,NA,2024-01-01\n-,1.50,\n", &options);
    assert_eq!(types(&*source), "code: int?, x: decimal(2)?, at: datetime?");
}

/// A cell is read as it stands, whatever stands in the other rows.
#[test]
fn nothing_is_found_from_the_rows_of_an_untyped_file() {
    let options = SourceOptions { untyped: true, ..SourceOptions::default() };
    for (name, text) in [
        ("a.csv", "v,w,n\n1.0,TRUE,\n1.10,\"x;y;z\",007\n"),
        ("a.csv", "v;w;n\n1.0;TRUE;\n1.10;x;y\n"),
        (
            "a.jsonl",
            "{\"v\": 1.0, \"w\": \"TRUE\", \"n\": null}\n{\"v\": 1.10, \"w\": true, \"n\": \"007\"}\n",
        ),
    ] {
        let (_file, source) = open_text(name, text, &options);
        assert_eq!(types(&*source), "v: text, w: text, n: text?", "{text}");
        let frame = source.read(0..2).unwrap();
        let cell = |column: usize, row| frame.columns()[column].str().unwrap().get(row);
        assert_eq!((cell(0, 0), cell(0, 1)), (Some("1.0"), Some("1.10")), "{text}");
        assert_eq!((cell(1, 0), cell(2, 0)), (Some("TRUE"), None), "{text}");
    }
    // Types that are asked for are read all the same, and lines do not outvote the header.
    let options = SourceOptions { types: vec![("v".into(), Type::Float)], ..options };
    let (_file, source) = open_text("b.csv", "v,w\n1.0,x;y;z\n2,x;y;z\n", &options);
    assert_eq!(types(&*source), "v: float, w: text");
}

#[test]
fn json_lines_are_read_as_people_write_them() {
    let text = "\u{feff}{\"a\": 1, \"b\": \"2024-01-01\"}\n\n{ \"b\":null , \"c\" : \"\\u00e9\\n\", \"a\":-2}\r\n{}\n";
    let (_file, source) = open_text("a.jsonl", text, &SourceOptions::default());
    assert_eq!(types(&*source), "a: int?, b: date?, c: text?");
    let frame = source.read(0..3).unwrap();
    assert_eq!(frame.columns()[2].str().unwrap().get(1), Some("é\n"));
    let text =
        "{\"a\": \"1\", \"b\": true, \"c\": 1e5}\n{\"a\": 2, \"b\": false, \"c\": 12345678901234567890123}\n";
    let (_file, source) = open_text("b.jsonl", text, &SourceOptions::default());
    assert_eq!(types(&*source), "a: text, b: bool, c: text");
}

#[test]
fn nested_values_are_their_json() {
    let text = "{\"a\": [1, {\"x\": \"}\"}], \"b\": {}, \"c\": 1}\n{\"a\":{\"y\":[]},\"b\":null,\"c\":[2]}\n{\"c\":null}";
    let (_file, source) = open_text("a.jsonl", text, &SourceOptions::default());
    assert_eq!(types(&*source), "a: text?, b: text?, c: text?");
    // What is a value of its own in some rows is no JSON.
    let json: Vec<bool> = source.schema().fields.iter().map(|field| field.json).collect();
    assert_eq!(json, [true, true, false]);
    let frame = source.read(0..3).unwrap();
    let cells = |at: usize| {
        frame.columns()[at].str().unwrap().iter().map(|c| c.map(str::to_owned)).collect::<Vec<_>>()
    };
    assert_eq!(cells(0), [Some("[1, {\"x\": \"}\"}]".to_owned()), Some("{\"y\":[]}".to_owned()), None]);
    assert_eq!(cells(1), [Some("{}".to_owned()), None, None]);
    assert_eq!(cells(2), [Some("1".to_owned()), Some("[2]".to_owned()), None]);
    let (_file, empty) = open_text("b.jsonl", "{\"a\": [1]}\n{\"a\": \"\"}", &SourceOptions::default());
    assert!(!empty.schema().fields[0].json, "an empty text is no JSON");
    assert_eq!(patched(&*source, &[], &[]).0, text);
    // New text stays nested if it can be, and is a string otherwise.
    let news = [patch(0, 0, Some("[2]")), patch(0, 1, Some("{")), patch(1, 0, None)];
    let expected = "{\"a\": [2], \"b\": \"{\", \"c\": 1}\n{\"a\":null,\"b\":null,\"c\":[2]}\n{\"c\":null}";
    assert_eq!(patched(&*source, &[], &news).0, expected);
}

#[test]
fn what_cannot_be_parsed_is_told_with_its_place() {
    let none = SourceOptions::default();
    let types = |ty| SourceOptions { types: vec![("a".into(), ty)], ..SourceOptions::default() };
    let rows = |row: &str| format!("a,b\n1,\"x\ny\"\n{row}\n");
    for (name, text, options, expected) in [
        (
            "a.csv",
            rows("1").into_bytes(),
            &none,
            "a.csv:4:2: this row has 1 value, the header names 2 columns",
        ),
        (
            "a.csv",
            rows("é,2,3").into_bytes(),
            &none,
            "a.csv:4:5: this row has 3 values, the header names 2 columns",
        ),
        ("a.csv", rows("1,\"2").into_bytes(), &none, "a.csv:4:3: the quote that begins here does not end"),
        ("a.csv", rows("1,\"2\" x").into_bytes(), &none, "a.csv:4:6: text follows behind the closing quote"),
        ("a.csv", rows("1,2\r3").into_bytes(), &none, "a.csv:4:4: a carriage return without a line feed"),
        ("a.csv", rows("\n1,2").into_bytes(), &none, "a.csv:4:1: this line is empty, but not at the end"),
        ("a.csv", b"a,b\n1,x\nq\xC3\xA9,\xFF\n".to_vec(), &none, "a.csv:3:4: these bytes are not UTF-8"),
        (
            "a.csv",
            rows("x,2").into_bytes(),
            &types(Type::Int),
            "a.csv:4:1: column `a` is int, but this is `x`",
        ),
        ("a.csv", b"".to_vec(), &none, "a.csv:1:1: the file is empty; a header line"),
        ("a.csv", b"\n\n".to_vec(), &none, "a.csv:1:1: a header line with the names"),
        ("a.csv", b"x,y,x\n".to_vec(), &none, "a.csv:1:5: the columns 1 and 3 are both called `x`"),
        ("a.csv", b"\xFF\xFEa\0".to_vec(), &none, "a.csv:1:1: the file is UTF-16; save it as UTF-8"),
        ("a.csv", b"b\n".to_vec(), &types(Type::Int), "a.csv has no column `a`; it has `b`"),
        (
            "a.jsonl",
            b"{\"a\":1}\n{\"a\":1,}\n".to_vec(),
            &none,
            "a.jsonl:2:8: this is not JSON: trailing comma",
        ),
        (
            "a.jsonl",
            b"{\"a\":1}\n{\"a\":[1]}\n".to_vec(),
            &types(Type::Int),
            "a.jsonl:2:6: column `a` is int, but this is `[1]`",
        ),
        ("a.jsonl", b"{\"a\":1,\"a\":2}".to_vec(), &none, "a.jsonl:1:12: this object has the key `a` twice"),
        ("a.jsonl", b"[{\"a\":1}]".to_vec(), &none, "a.jsonl:1:1: expected an object; an array of objects"),
        ("a.jsonl", b"{\"a\":\"\\ud800\"}".to_vec(), &none, "a.jsonl:1:6: this string is not JSON"),
        ("a.jsonl", b"\n".to_vec(), &none, "a.jsonl: there are no columns"),
        ("a.parquet", b"PAR1".to_vec(), &none, "a.parquet: "),
        ("a.arrow", b"ARROW1\0\0".to_vec(), &none, "a.arrow: "),
        ("a.xls", b"".to_vec(), &none, "the name of a.xls does not say its format"),
    ] {
        let error = error_of(name, text, options);
        assert!(error.starts_with(expected), "{error}\nexpected {expected}");
    }
    let long = format!("a\n\"{}\"\n", "x".repeat(MAX_ROW_BYTES));
    assert!(error_of("a.csv", long, &none).starts_with("a.csv:2:1: this row has more than 16 MiB"));
    assert!(
        open(Path::new("nowhere.csv"), None, &none)
            .err()
            .unwrap()
            .to_string()
            .starts_with("cannot read nowhere.csv")
    );
    assert!(open(Path::new("."), Some("csv"), &none).err().unwrap().to_string().contains("it is a folder"));
    let error = open(Path::new("a.csv"), Some("xml"), &none).err().unwrap().to_string();
    assert_eq!(error, "no format `xml` can be read; there are csv, jsonl, parquet, arrow");
}

fn patched(source: &dyn Source, added: &[Field], patches: &[Patch]) -> (String, Patched) {
    let text = source.text().unwrap();
    let body = text.patched(0..source.rows(), added, patches).unwrap();
    let whole = [text.head(added).unwrap(), body.bytes.clone(), text.tail().unwrap()].concat();
    (String::from_utf8(whole).unwrap(), body)
}

fn patch(row: u64, column: usize, value: Option<&str>) -> Patch {
    Patch { row, column, value: value.map(str::to_owned) }
}

#[test]
fn only_patched_cells_change() {
    let label = [Field {
        name: "bad".into(),
        ty: Type::Text,
        nullable: true,
        plain: false,
        json: false,
        about: None,
    }];
    let text = "\u{feff}a;\"b\";at;f;t\r\n1.50;\"x\";2024-01-01 10:00;80;True\r\n\"2.25\";\"y;\"\"z\";;0.5;False\n\n";
    let (_file, source) = open_text("a.csv", text, &SourceOptions::default());
    assert_eq!(types(&*source), "a: decimal(2), b: text, at: datetime?, f: float, t: bool");
    assert_eq!(patched(&*source, &[], &[]).0, text);
    let news = [
        patch(0, 0, Some("7.00")),
        patch(0, 2, Some("2025-02-03T00:00:00Z")),
        patch(0, 3, Some("90.0")),
        patch(0, 4, Some("false")),
        patch(1, 1, Some("")),
        patch(1, 2, Some("2025-02-03T00:00:07Z")),
        patch(1, 5, Some("odd; one")),
    ];
    let (whole, body) = patched(&*source, &label, &news);
    let expected = "\u{feff}a;\"b\";at;f;t;bad\r\n7.00;\"x\";2025-02-03 00:00;90;False;\r\n\
                    \"2.25\";\"\";2025-02-03 00:00:07;0.5;False;\"odd; one\"\n\n";
    assert_eq!(whole, expected);
    assert_eq!(body.cells[1], (Some("2024-01-01 10:00".into()), Some("2025-02-03 00:00".into())));
    assert_eq!(body.cells[4], (Some("y;\"z".into()), Some(String::new())));
    let text = "{ \"a\": 1.50, \"b\":\"x\" }\n\n{\"b\":null}\n{}";
    let (_file, source) = open_text("a.jsonl", text, &SourceOptions::default());
    assert_eq!(patched(&*source, &[], &[]).0, text);
    let news = [
        patch(0, 0, None),
        patch(0, 1, Some("\"\n")),
        patch(1, 0, Some("2.00")),
        patch(1, 1, Some("n")),
        patch(2, 0, Some("1.00")),
        patch(2, 2, Some("odd")),
    ];
    let (whole, _) = patched(&*source, &label, &news);
    let expected = "{ \"a\": null, \"b\":\"\\\"\\n\" ,\"bad\":null}\n\n{\"b\":\"n\",\"a\":2.00,\"bad\":null}\n\
                    {\"a\":1.00,\"bad\":\"odd\"}";
    assert_eq!(whole, expected);
}

/// Whether what the sink writes can be read.
fn has_source(kind: &&SinkKind) -> bool {
    SOURCES.iter().any(|source| source.name == kind.name)
}

/// Small files of each format, to be damaged.
fn samples() -> Vec<(&'static str, Vec<u8>)> {
    let (schema, frame) = everything();
    SINKS
        .iter()
        .filter(has_source)
        .map(|kind| {
            (kind.extension, write_with(kind, &schema, std::slice::from_ref(&frame), &SinkOptions::default()))
        })
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]

    /// Whatever bytes are changed, cut or repeated, a file is read or refused.
    #[test]
    fn damaged_files_never_panic(edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0..4u8), 1..6)) {
        let folder = tempfile::tempdir().unwrap();
        for (extension, mut bytes) in samples() {
            for (place, byte, how) in &edits {
                let at = place.index(bytes.len());
                match how {
                    0 | 1 => bytes[at] = *byte,
                    2 => bytes.truncate(at.max(1)),
                    _ => bytes.insert(at, *byte),
                }
            }
            let path = folder.path().join(format!("damaged.{extension}"));
            std::fs::write(&path, &bytes).unwrap();
            if let Ok(source) = open(&path, None, &SourceOptions::default()) {
                let rows = source.rows();
                let whole = source.read(0..rows.min(1000));
                if let (Ok(_), Some(text)) = (&whole, source.text()) {
                    let same = [text.head(&[])?, text.patched(0..rows, &[], &[])?.bytes, text.tail()?].concat();
                    prop_assert_eq!(&same, &bytes);
                }
            }
        }
    }

    /// Any cells that a CSV file can hold come back, and unpatched bytes stay.
    #[test]
    fn any_cells_are_read(cells in prop::collection::vec(("[a-c\"\n\r;, é]{0,6}", "[0-9\"\n\r,x.]{0,5}"), 0..20)) {
        let mut writer = ::csv::WriterBuilder::new().quote_style(::csv::QuoteStyle::NonNumeric).from_writer(Vec::new());
        writer.write_record(["a", "b"]).unwrap();
        cells.iter().for_each(|(a, b)| writer.write_record([a, b]).unwrap());
        let bytes = writer.into_inner().unwrap();
        let options = SourceOptions {
            types: vec![("a".into(), Type::Text), ("b".into(), Type::Text)],
            csv_delimiter: Some(b','),
            ..SourceOptions::default()
        };
        let (_file, source) = open_text("a.csv", &bytes, &options);
        let frame = source.read(0..source.rows()).unwrap();
        prop_assert_eq!(frame.height(), cells.len());
        for (row, (a, b)) in cells.iter().enumerate() {
            prop_assert_eq!(frame.columns()[0].str().unwrap().get(row).unwrap_or(""), a);
            prop_assert_eq!(frame.columns()[1].str().unwrap().get(row).unwrap_or(""), b);
        }
        prop_assert_eq!(patched(&*source, &[], &[]).0.into_bytes(), bytes);
    }
}
