use std::fs;
use std::io::Cursor;

use lookalike_ruleset::{Field, TableSchema, Type};
use polars::prelude::*;
use polars_io::SerReader;
use polars_io::ipc::IpcReader;
use polars_io::parquet::read::ParquetReader;

use crate::{
    CsvOptions, Dialect, Error, Holds, Output, ParquetCompression, ParquetOptions, Piece, Quote, SINKS,
    SinkKind, SinkOptions, SqlOptions,
};

fn kind(name: &str) -> &'static SinkKind {
    SINKS.iter().find(|kind| kind.name == name).unwrap()
}

fn field(name: &str, ty: Type, nullable: bool) -> Field {
    Field { name: name.into(), ty, nullable, plain: false, json: false, about: None }
}

fn table(fields: Vec<Field>) -> TableSchema {
    TableSchema { table: "things".into(), fields }
}

const NASTY: [Option<&str>; 16] = [
    Some("plain"),
    None,
    Some(""),
    Some("say \"hi\""),
    Some("a,b"),
    Some("two\nlines"),
    Some("carriage\rreturn"),
    Some(" leading"),
    Some("trailing and longer than an inline view "),
    Some("grüße, 世界 🌍, longer than an inline view"),
    Some("NA"),
    Some("null"),
    Some("back\\slash\tand tab"),
    Some("\u{1}control\u{1f}\0"),
    Some("exactly 12 b"),
    Some("a quote far behind the first sixteen bytes: \""),
];

fn enumeration(name: &str, values: &[Option<&str>]) -> Column {
    let mut categories: Vec<&str> = values.iter().copied().flatten().collect();
    categories.sort_unstable();
    categories.dedup();
    let frozen = FrozenCategories::new(categories).unwrap();
    Series::new(name.into(), values).cast(&DataType::from_frozen_categories(frozen)).unwrap().into_column()
}

/// Every type, with nulls, in 16 rows.
pub(crate) fn everything() -> (TableSchema, DataFrame) {
    let rows = NASTY.len() as i64;
    let nullable = |value: &dyn Fn(i64) -> i64| -> Vec<Option<i64>> {
        (0..rows).map(|row| (row % 5 != 3).then(|| value(row))).collect()
    };
    let ints = nullable(&|row| if row == 7 { i64::MIN } else { row.pow(13) - 40 });
    let floats: Vec<Option<f64>> = (0..rows)
        .map(|row| (row % 7 != 2).then(|| [80.0, -0.25, 1e-9, 0.1, 1e300][row as usize % 5]))
        .collect();
    let cents: Vec<Option<i128>> =
        (0..rows).map(|row| (row % 4 != 1).then(|| i128::from(row.pow(9) - 1250))).collect();
    let micros = nullable(&|row| row * 86_399_999_000 * 365 - row % 3);
    let columns = vec![
        Series::new("id".into(), (0..rows).collect::<Vec<_>>()).into_column(),
        Series::new(
            "flag".into(),
            (0..rows).map(|row| (row % 3 != 0).then_some(row % 2 == 0)).collect::<Vec<_>>(),
        )
        .into_column(),
        Series::new("whole number".into(), ints).into_column(),
        Series::new("float".into(), floats).into_column(),
        Series::new("cents".into(), cents)
            .i128()
            .unwrap()
            .clone()
            .into_decimal_unchecked(18, 2)
            .into_series()
            .into_column(),
        Series::new("text".into(), NASTY).into_column(),
        enumeration("category, \"quoted\"", &NASTY),
        Series::new("date".into(), nullable(&|row| row * 1000 - 500))
            .cast(&DataType::Date)
            .unwrap()
            .into_column(),
        Series::new("at".into(), micros.clone())
            .cast(&DataType::Datetime(TimeUnit::Microseconds, None))
            .unwrap()
            .into_column(),
        Series::new("took".into(), micros)
            .cast(&DataType::Duration(TimeUnit::Microseconds))
            .unwrap()
            .into_column(),
    ];
    let types = [
        Type::Int,
        Type::Bool,
        Type::Int,
        Type::Float,
        Type::Decimal(2),
        Type::Text,
        Type::Text,
        Type::Date,
        Type::Datetime,
        Type::Duration,
    ];
    let fields =
        columns.iter().zip(types).map(|(column, ty)| field(column.name(), ty, column.name() != "id"));
    (table(fields.collect()), DataFrame::new(rows as usize, columns).unwrap())
}

pub(crate) fn write_with(
    kind: &SinkKind,
    schema: &TableSchema,
    units: &[DataFrame],
    options: &SinkOptions,
) -> Vec<u8> {
    let mut sink = (kind.open)(schema, Output::memory(), options).unwrap();
    let encoder = sink.encoder();
    for unit in units {
        sink.write(encoder.encode(unit).unwrap()).unwrap();
    }
    let pending = sink.finish().unwrap();
    let written = pending.written().clone();
    let bytes = pending.into_bytes().unwrap();
    assert_eq!(written.bytes, bytes.len() as u64);
    assert_eq!(written.rows, units.iter().map(|unit| unit.height() as u64).sum::<u64>());
    bytes
}

/// Options with which a sink can hold everything: PostgreSQL has no text with NUL.
fn options() -> SinkOptions {
    SinkOptions { sql: SqlOptions { dialect: Dialect::Sqlite, copy: false }, ..SinkOptions::default() }
}

fn write(name: &str, schema: &TableSchema, units: &[DataFrame]) -> Vec<u8> {
    write_with(kind(name), schema, units, &options())
}

fn text(name: &str, schema: &TableSchema, units: &[DataFrame]) -> String {
    String::from_utf8(write(name, schema, units)).unwrap()
}

/// What the text formats should say of a cell; none for null.
fn cell(column: &Column, row: usize) -> Option<String> {
    let value = column.get(row).unwrap();
    Some(match value {
        AnyValue::Null => return None,
        AnyValue::Boolean(value) => value.to_string(),
        AnyValue::Int64(value) => value.to_string(),
        AnyValue::Float64(value) => zmij::Buffer::new().format(value).to_owned(),
        AnyValue::Decimal(value, ..) => {
            let digits = format!("{:03}", value.unsigned_abs());
            let (whole, cents) = digits.split_at(digits.len() - 2);
            format!("{}{whole}.{cents}", if value < 0 { "-" } else { "" })
        }
        AnyValue::String(value) => value.to_owned(),
        AnyValue::Enum(..) => value.get_str().unwrap().to_owned(),
        AnyValue::Date(days) => (jiff::civil::date(1970, 1, 1) + jiff::Span::new().days(days)).to_string(),
        AnyValue::Datetime(micros, ..) => {
            let whole = jiff::Timestamp::from_microsecond(micros).unwrap();
            match micros.rem_euclid(1_000_000) {
                0 => whole.to_string(),
                fraction if fraction % 1000 == 0 => format!("{whole:.3}"),
                _ => format!("{whole:.6}"),
            }
        }
        AnyValue::Duration(..) => value_of_duration(column, row),
        other => panic!("{other:?} in a test"),
    })
}

fn value_of_duration(column: &Column, row: usize) -> String {
    let AnyValue::Duration(micros, _) = column.get(row).unwrap() else { panic!("not a duration") };
    // Held against jiff's reading in the tests of `digits`; here it is enough that the right one is written.
    let mut out = [0; crate::digits::ROOM];
    let len = crate::digits::duration(&mut out, micros);
    String::from_utf8(out[..len].to_vec()).unwrap()
}

#[test]
fn csv_reads_back() {
    let (schema, frame) = everything();
    for quote in [Quote::Minimal, Quote::All, Quote::Text] {
        for (null, delimiter) in [("", b','), ("NA", b';'), ("~", b'|'), ("\\N", b'\t')] {
            let csv = CsvOptions { null: null.into(), quote, delimiter, header: true };
            let options = SinkOptions { csv, ..SinkOptions::default() };
            let bytes = write_with(kind("csv"), &schema, std::slice::from_ref(&frame), &options);
            let mut reader = csv::ReaderBuilder::new()
                .has_headers(false)
                .delimiter(delimiter)
                .from_reader(bytes.as_slice());
            let mut records = reader.records().map(|record| record.unwrap());
            let names: Vec<_> = schema.fields.iter().map(|field| field.name.as_str()).collect();
            assert_eq!(records.next().unwrap(), names);
            for row in 0..frame.height() {
                let expected: Vec<_> =
                    frame.columns().iter().map(|column| cell(column, row).unwrap_or(null.into())).collect();
                assert_eq!(records.next().unwrap(), expected, "row {row}, {quote:?}");
            }
            assert!(records.next().is_none());
        }
    }
}

#[test]
fn csv_tells_null_from_text() {
    let schema =
        table(vec![field("a", Type::Text, true), field("b", Type::Text, true), field("c", Type::Int, true)]);
    let values =
        [Some(""), None, Some("NA"), Some("x"), Some("exactly 12 b"), Some("more than twelve bytes")];
    let numbers: Vec<Option<i64>> = values.iter().map(|value| value.map(|text| text.len() as i64)).collect();
    let frame = DataFrame::new(
        6,
        vec![
            Series::new("a".into(), values).into_column(),
            enumeration("b", &values),
            Series::new("c".into(), numbers).into_column(),
        ],
    )
    .unwrap();
    let frame = std::slice::from_ref(&frame);
    let mut schemas = [schema.clone(), schema];
    schemas[1].fields.iter_mut().for_each(|field| field.plain = true);
    for schema in schemas {
        let csv = |null: &str, quote| {
            let csv = CsvOptions { null: null.into(), quote, header: false, ..CsvOptions::default() };
            let options = SinkOptions { csv, ..SinkOptions::default() };
            String::from_utf8(write_with(kind("csv"), &schema, frame, &options)).unwrap()
        };
        let tail = "x,x,1\nexactly 12 b,exactly 12 b,12\nmore than twelve bytes,more than twelve bytes,22\n";
        assert_eq!(csv("", Quote::Minimal), format!("\"\",\"\",0\n,,\nNA,NA,2\n{tail}"));
        assert_eq!(csv("NA", Quote::Minimal), format!(",,0\nNA,NA,NA\n\"NA\",\"NA\",2\n{tail}"));
        let quoted = csv("NA", Quote::Text);
        assert!(quoted.starts_with("\"\",\"\",0\nNA,NA,NA\n\"NA\",\"NA\",2\n\"x\",\"x\",1\n"), "{quoted}");
        assert!(csv("", Quote::All).starts_with("\"\",\"\",\"0\"\n,,\n\"NA\",\"NA\",\"2\"\n"));
    }
}

#[test]
fn csv_quotes_what_would_not_survive() {
    let schema = table(vec![field("a", Type::Text, true), field("b", Type::Text, true)]);
    let values =
        [" leading", "trailing and longer than an inline view ", "semi;colon", "a\"b", "a\nb", "tab\t"];
    let optional = values.map(Some);
    let columns = vec![Series::new("a".into(), values).into_column(), enumeration("b", &optional)];
    let frame = DataFrame::new(values.len(), columns).unwrap();
    assert_eq!(
        text("csv", &schema, &[frame]),
        "a,b\n\" leading\",\" leading\"\n\
         \"trailing and longer than an inline view \",\"trailing and longer than an inline view \"\n\
         semi;colon,semi;colon\n\"a\"\"b\",\"a\"\"b\"\n\"a\nb\",\"a\nb\"\ntab\t,tab\t\n"
    );
}

#[test]
fn csv_refuses_options_that_do_not_read_back() {
    let (schema, _) = everything();
    for (null, delimiter, says) in [
        ("0", b',', "`0` cannot stand for null in CSV: it reads as a value"),
        ("-1.5", b',', "it reads as a value"),
        ("false", b',', "it reads as a value"),
        ("a,b", b',', "it needs quotes"),
        (" ", b',', "it needs quotes"),
        ("", b'"', "`\\\"` cannot separate CSV values"),
        ("", b'.', "cannot separate"),
        ("", 200, "cannot separate"),
    ] {
        let csv = CsvOptions { null: null.into(), delimiter, ..CsvOptions::default() };
        let options = SinkOptions { csv, ..SinkOptions::default() };
        let error = (kind("csv").open)(&schema, Output::memory(), &options).err().unwrap().to_string();
        assert!(error.contains(says), "{error}");
    }
}

#[test]
fn jsonl_reads_back() {
    let (schema, frame) = everything();
    let lines = text("jsonl", &schema, std::slice::from_ref(&frame));
    assert_eq!(lines.lines().count(), frame.height());
    for (row, line) in lines.lines().enumerate() {
        let object: serde_json::Map<String, serde_json::Value> = serde_json::from_str(line).unwrap();
        assert_eq!(object.len(), schema.fields.len());
        for ((field, column), (key, value)) in schema.fields.iter().zip(frame.columns()).zip(&object) {
            assert_eq!(key, &field.name);
            let expected = match (cell(column, row), field.ty) {
                (None, _) => serde_json::Value::Null,
                (Some(text), Type::Text | Type::Date | Type::Datetime | Type::Duration) => text.into(),
                (Some(text), _) => serde_json::from_str(&text).unwrap(),
            };
            assert_eq!(*value, expected, "row {row}, column {key}");
        }
    }
    assert!(lines.contains("\"cents\":-12.50,"), "decimals keep their digits: {lines}");
}

#[test]
fn jsonl_refuses_what_is_no_number() {
    let schema = table(vec![field("ratio", Type::Float, true)]);
    let frame = |values: &[Option<f64>]| df!("ratio" => values).unwrap();
    let sink = (kind("jsonl").open)(&schema, Output::memory(), &SinkOptions::default()).unwrap();
    let error = sink.encoder().encode(&frame(&[Some(1.0), Some(f64::NAN)])).err().unwrap();
    assert_eq!(error.to_string(), "column `ratio`: jsonl cannot hold the value NaN");
    assert_eq!(
        text("csv", &schema, &[frame(&[Some(f64::NAN), Some(f64::INFINITY), Some(-0.0)])]),
        "ratio\nNaN\ninf\n-0.0\n"
    );
}

/// The frame, with the names of the categories for them.
pub(crate) fn uncategorized(frame: &DataFrame) -> DataFrame {
    let text = |column: &Column| match column.dtype() {
        DataType::Enum(..) => column.cast(&DataType::String).unwrap(),
        _ => column.clone(),
    };
    DataFrame::new(frame.height(), frame.columns().iter().map(text).collect()).unwrap()
}

#[test]
fn parquet_reads_back() {
    let (schema, frame) = everything();
    let expected = uncategorized(&frame);
    for compression in [ParquetCompression::Zstd(3), ParquetCompression::Snappy, ParquetCompression::None] {
        let options = SinkOptions { parquet: ParquetOptions { compression }, ..SinkOptions::default() };
        let bytes = write_with(kind("parquet"), &schema, &[frame.clone(), frame.clone()], &options);
        let mut reader = ParquetReader::new(Cursor::new(bytes));
        assert_eq!(reader.get_metadata().unwrap().row_groups.len(), 2);
        let read = reader.finish().unwrap();
        assert!(read.equals_missing(&expected.vstack(&expected).unwrap()), "{read}");
        assert_eq!(read.dtypes(), expected.dtypes());
    }
    let options = SinkOptions {
        parquet: ParquetOptions { compression: ParquetCompression::Zstd(23) },
        ..SinkOptions::default()
    };
    let error = (kind("parquet").open)(&schema, Output::memory(), &options).err().unwrap();
    assert_eq!(error.to_string(), "zstd levels go from 1 to 22, not 23");
}

#[test]
fn arrow_reads_back() {
    let (schema, frame) = everything();
    let bytes = write("arrow", &schema, &[frame.clone(), frame.clone()]);
    let read = IpcReader::new(Cursor::new(bytes)).finish().unwrap();
    assert!(uncategorized(&read).equals_missing(&uncategorized(&frame.vstack(&frame).unwrap())));
}

#[test]
fn units_must_agree_in_their_categories() {
    let schema = table(vec![field("a", Type::Text, false)]);
    let units =
        [df!("a" => ["x"]).unwrap(), DataFrame::new(1, vec![enumeration("a", &[Some("x")])]).unwrap()];
    let mut sink = (kind("arrow").open)(&schema, Output::memory(), &SinkOptions::default()).unwrap();
    let encoder = sink.encoder();
    sink.write(encoder.encode(&units[0]).unwrap()).unwrap();
    let error = sink.write(encoder.encode(&units[1]).unwrap()).unwrap_err();
    assert_eq!(error.to_string(), "arrow: the units of the table do not agree in their categories");
    // Where text is text, it does not matter.
    assert_eq!(text("csv", &schema, &units), "a\nx\nx\n");
    assert_eq!(
        ParquetReader::new(Cursor::new(write("parquet", &schema, &units))).finish().unwrap().height(),
        2
    );
}

#[test]
fn every_sink_is_blind_to_chunks() {
    let (schema, frame) = everything();
    let mut chunked = frame.slice(0, 3);
    for (start, rows) in [(3, 1), (4, 7), (11, 5)] {
        chunked.vstack_mut(&frame.slice(start, rows)).unwrap();
    }
    assert!(chunked.first_col_n_chunks() > 1);
    for kind in SINKS {
        let whole = write(kind.name, &schema, std::slice::from_ref(&frame));
        assert_eq!(whole, write(kind.name, &schema, std::slice::from_ref(&chunked)), "{}", kind.name);
    }
    for name in ["csv", "jsonl", "json", "sql", "rust"] {
        let units: Vec<_> = (0..4).map(|unit| frame.slice(unit * 4, 4)).collect();
        assert_eq!(text(name, &schema, std::slice::from_ref(&frame)), text(name, &schema, &units));
    }
}

#[test]
fn every_sink_writes_an_empty_table() {
    let (schema, frame) = everything();
    for kind in SINKS {
        let none = write(kind.name, &schema, &[]);
        assert_eq!(none, write(kind.name, &schema, &[frame.slice(0, 0)]), "{}", kind.name);
        match kind.name {
            "csv" => {
                assert_eq!(
                    String::from_utf8(none).unwrap(),
                    "id,flag,whole number,float,cents,text,\"category, \"\"quoted\"\"\",date,at,took\n"
                );
            }
            "jsonl" => assert!(none.is_empty()),
            "json" => assert_eq!(none, b"[\n]\n"),
            "sql" => {
                let script = String::from_utf8(none).unwrap();
                assert!(script.contains("CREATE TABLE") && !script.contains("INSERT"), "{script}");
            }
            "rust" => assert!(none.ends_with(b"pub static THINGS: &[Things] = &[\n];\n")),
            #[cfg(feature = "sqlite")]
            "sqlite" => {
                let database = database(&none);
                let rows: i64 =
                    database.1.query_row("SELECT count(*) FROM things", [], |row| row.get(0)).unwrap();
                assert_eq!(rows, 0);
            }
            "parquet" => {
                let read = ParquetReader::new(Cursor::new(none)).finish().unwrap();
                assert_eq!((read.height(), read.width()), (0, frame.width()));
            }
            "arrow" => {
                let read = IpcReader::new(Cursor::new(none)).finish().unwrap();
                assert_eq!((read.height(), read.width()), (0, frame.width()));
            }
            other => panic!("say what an empty {other} file is"),
        }
    }
}

#[test]
fn every_sink_refuses_what_the_table_does_not_say() {
    let schema = table(vec![field("a", Type::Int, false)]);
    for kind in SINKS {
        let open = |schema: &TableSchema| (kind.open)(schema, Output::memory(), &SinkOptions::default());
        let encoder = open(&schema).unwrap().encoder();
        let error = |frame: DataFrame| encoder.encode(&frame).err().unwrap().to_string();
        assert_eq!(error(df!("a" => [1.5]).unwrap()), "column `a` is int, but the rows hold f64");
        assert_eq!(
            error(df!("a" => [Some(1i64), None]).unwrap()),
            "column `a` is not nullable, but the rows hold a null"
        );
        assert!(error(df!("b" => [1i64]).unwrap()).starts_with("table `things` has the columns [\"a\"]"));
        let none = open(&table(Vec::new())).err().unwrap();
        assert_eq!(none.to_string(), "table `things` has no columns to write");

        let frame = df!("a" => [1i64]).unwrap();
        for other in SINKS.iter().filter(|other| other.name != kind.name) {
            let mut other_sink = (other.open)(&schema, Output::memory(), &SinkOptions::default()).unwrap();
            let result = other_sink.write(encoder.encode(&frame).unwrap());
            // Formats of which a part is mere text cannot tell.
            let text = ["csv", "jsonl", "json", "rust"];
            assert_eq!(result.is_ok(), text.contains(&kind.name) && text.contains(&other.name));
        }
    }
}

#[test]
fn every_sink_appears_only_when_published() {
    let (schema, frame) = everything();
    for kind in SINKS {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(format!("findings.{}", kind.extension));
        fs::write(&path, "old").unwrap();
        let files = || fs::read_dir(folder.path()).unwrap().count();
        let open = || (kind.open)(&schema, Output::file(&path).unwrap(), &options()).unwrap();

        let mut sink = open();
        sink.write(sink.encoder().encode(&frame).unwrap()).unwrap();
        assert!(files() >= 2);
        drop(sink);
        assert_eq!((files(), fs::read_to_string(&path).unwrap()), (1, "old".into()));

        let finish = || {
            let mut sink = open();
            sink.write(sink.encoder().encode(&frame).unwrap()).unwrap();
            sink.finish().unwrap()
        };
        drop(finish());
        assert_eq!((files(), fs::read_to_string(&path).unwrap()), (1, "old".into()));

        let pending = finish();
        assert_eq!(fs::read_to_string(&path).unwrap(), "old");
        let written = pending.publish().unwrap();
        let bytes = fs::read(&path).unwrap();
        assert_eq!(files(), 1);
        assert_eq!(bytes, write(kind.name, &schema, std::slice::from_ref(&frame)));
        assert_eq!((written.bytes, written.rows), (bytes.len() as u64, frame.height() as u64));
        assert_eq!(written.path, Some(path.clone()));
    }
}

#[test]
fn every_sink_has_its_own_name() {
    for (index, kind) in SINKS.iter().enumerate() {
        let others = || SINKS.iter().skip(index + 1);
        assert!(others().all(|other| other.name != kind.name && other.extension != kind.extension));
        assert!(!kind.summary.is_empty() && !kind.summary.ends_with('.'));
    }
}

#[test]
fn the_hash_is_sha_256() {
    let mut output = Output::memory();
    output.write(b"a").unwrap();
    output.write(b"bc").unwrap();
    // FIPS 180-4's example.
    let expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    assert_eq!(output.finish(0).unwrap().written().sha256, expected);
}

#[cfg(unix)]
#[test]
fn a_new_file_can_be_read_by_others() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let usual = folder.path().join("usual");
    fs::write(&usual, "").unwrap();
    let path = folder.path().join("ours");
    Output::file(&path).unwrap().finish(0).unwrap().publish().unwrap();
    assert_eq!(
        fs::metadata(path).unwrap().permissions().mode(),
        fs::metadata(usual).unwrap().permissions().mode()
    );
}

#[test]
fn a_folder_that_cannot_be_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("missing").join("findings.csv");
    let error = Output::file(&path).unwrap_err();
    assert_eq!(error.to_string(), format!("cannot write {}: no such folder", path.display()));
    let error = Output::file(folder.path()).unwrap_err();
    assert_eq!(error.to_string(), format!("cannot write {}: is a directory", folder.path().display()));
    assert!(Output::file("/").is_err());
}

#[test]
fn a_broken_pipe_is_told_apart() {
    let broken = Error::write(None, std::io::ErrorKind::BrokenPipe.into());
    assert!(matches!(broken, Error::BrokenPipe { path: None }));
    assert_eq!(broken.to_string(), "the reader of standard output went away");
    let full = Error::write(Some("out/a.csv".as_ref()), std::io::ErrorKind::StorageFull.into());
    assert_eq!(full.to_string(), "cannot write out/a.csv: no storage space");
}

/// Several blocks, a buffer that grows and is used again, and columns whose texts are all short or all long.
#[test]
fn many_rows_of_text_read_back() {
    let rows = 5_000;
    let texts = |text: &dyn Fn(usize) -> String| -> Vec<Option<String>> {
        (0..rows).map(|row| (row % 3 != 1).then(|| text(row))).collect()
    };
    let small: Vec<Option<i64>> =
        (0..rows as i64).map(|row| (row % 4 != 2).then_some(row * row - 9)).collect();
    let columns = vec![
        Series::new("short".into(), texts(&|row| format!("db-{row}"))).into_column(),
        Series::new("long".into(), texts(&|row| format!("vol-9999{row:013x}"))).into_column(),
        Series::new("empty".into(), texts(&|row| "x".repeat(row % 2))).into_column(),
        Series::new("any".into(), texts(&|row| "y".repeat(1 + row * 31 % 97))).into_column(),
        Series::new("growing".into(), texts(&|row| "z".repeat(row))).into_column(),
        enumeration("choice", &["gp2", "gp3"].map(Some).repeat(rows / 2)),
        Series::new("small".into(), small).into_column(),
    ];
    let types = [Type::Text, Type::Text, Type::Text, Type::Text, Type::Text, Type::Text, Type::Int];
    let fields = columns.iter().zip(types).map(|(column, ty)| field(column.name(), ty, true));
    let mut schema = table(fields.collect());
    let frame = DataFrame::new(rows, columns).unwrap();
    let units = [frame.slice(0, 700), frame.slice(700, 4_300), frame.slice(0, 0), frame.slice(0, 10)];
    let numbers = || (0..rows).chain(0..10);

    for plain in [false, true] {
        schema.fields.iter_mut().for_each(|field| field.plain = plain);
        let written = text("csv", &schema, &units);
        let mut reader = csv::Reader::from_reader(written.as_bytes());
        let records: Vec<_> = reader.records().map(Result::unwrap).collect();
        assert_eq!(records.len(), rows + 10);
        for (record, row) in records.iter().zip(numbers()) {
            let expected: Vec<_> =
                frame.columns().iter().map(|column| cell(column, row).unwrap_or_default()).collect();
            assert_eq!(record, expected, "row {row}");
        }
        let empty = written.lines().nth(1).unwrap().split(',').nth(2);
        assert_eq!(empty, Some("\"\""), "an empty text is not null");

        let written = text("jsonl", &schema, &units);
        assert_eq!(written.lines().count(), rows + 10);
        for (line, row) in written.lines().zip(numbers()) {
            let object: serde_json::Map<String, serde_json::Value> = serde_json::from_str(line).unwrap();
            let found = object.values().map(|value| match value {
                serde_json::Value::Null => None,
                serde_json::Value::String(text) => Some(text.clone()),
                other => Some(other.to_string()),
            });
            assert!(found.eq(frame.columns().iter().map(|column| cell(column, row))), "row {row}");
        }
    }
}

#[test]
fn json_is_an_array_of_the_objects_of_json_lines() {
    let (schema, frame) = everything();
    let array: Vec<serde_json::Value> =
        serde_json::from_slice(&write("json", &schema, std::slice::from_ref(&frame))).unwrap();
    let lines = text("jsonl", &schema, std::slice::from_ref(&frame));
    let lines: Vec<serde_json::Value> =
        lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(array, lines);
}

#[test]
fn pieces_joined_are_the_whole() {
    let (schema, frame) = everything();
    for name in ["csv", "jsonl", "json", "rust"] {
        let whole = write(name, &schema, std::slice::from_ref(&frame));
        // The first piece is empty.
        let cuts = [0, 0, 5, 6, 16];
        let mut joined = Vec::new();
        for (at, cut) in cuts.windows(2).enumerate() {
            let piece = Piece { first: at == 0, after_rows: cut[0] > 0, last: at == cuts.len() - 2 };
            let options = SinkOptions { piece, ..options() };
            let rows = frame.slice(cut[0] as i64, cut[1] - cut[0]);
            let units: &[DataFrame] = if rows.height() == 0 { &[] } else { &[rows] };
            joined.extend(write_with(kind(name), &schema, units, &options));
        }
        assert!(whole == joined, "{name}");
    }
}

#[test]
fn files_of_several_tables_go_on() {
    let (schema, frame) = everything();
    let other = TableSchema { table: "others".into(), ..schema.clone() };
    for kind in SINKS {
        let mut sink = (kind.open)(&schema, Output::memory(), &options()).unwrap();
        sink.write(sink.encoder().encode(&frame).unwrap()).unwrap();
        let next = sink.next_table(&other, &options());
        assert_eq!(next.is_ok(), kind.holds == Holds::Run, "{}", kind.name);
        if let Ok(mut sink) = next {
            sink.write(sink.encoder().encode(&frame).unwrap()).unwrap();
            assert_eq!(sink.finish().unwrap().written().rows, 2 * frame.height() as u64);
        }
    }
}

#[test]
fn sql_comes_in_batches() {
    let schema = table(vec![field("a", Type::Int, false), field("b", Type::Text, false)]);
    let frame = |rows: usize, text: &str| {
        df!("a" => (0..rows as i64).collect::<Vec<_>>(), "b" => vec![text; rows]).unwrap()
    };
    let script = text("sql", &schema, &[frame(700, "x"), frame(301, "x")]);
    assert_eq!(script.matches("INSERT INTO").count(), 3);
    assert!(
        script.contains("\nINSERT INTO \"things\" (\"a\", \"b\") VALUES\n(0, 'x'),\n(1, 'x'),\n"),
        "{script}"
    );
    assert!(script.ends_with("VALUES\n(300, 'x');\n\nCOMMIT;\n"), "{}", &script[script.len() - 80..]);
    // Few rows that are long.
    let long = "y".repeat(300_000);
    assert_eq!(text("sql", &schema, &[frame(8, &long)]).matches("INSERT INTO").count(), 2);
    let options = SinkOptions { sql: SqlOptions { dialect: Dialect::Postgres, copy: true }, ..options() };
    let script = write_with(kind("sql"), &schema, &[frame(700, "x"), frame(301, "\\.\n")], &options);
    let script = String::from_utf8(script).unwrap();
    assert_eq!(script.matches("COPY").count(), 1);
    assert!(script.ends_with("\n300\t\\\\.\\n\n\\.\n\nCOMMIT;\n"), "{}", &script[script.len() - 80..]);
    let options = SinkOptions { sql: SqlOptions { dialect: Dialect::Mysql, copy: true }, ..options };
    let error = (kind("sql").open)(&schema, Output::memory(), &options).err().unwrap().to_string();
    assert_eq!(error, "COPY … FROM stdin is PostgreSQL's alone; leave it out");
}

#[test]
fn databases_refuse_what_they_would_lose() {
    let schema = table(vec![field("a", Type::Text, true), field("b", Type::Float, true)]);
    let encode = |dialect, a: &str, b: f64| {
        let options = SinkOptions { sql: SqlOptions { dialect, copy: false }, ..SinkOptions::default() };
        let sink = (kind("sql").open)(&schema, Output::memory(), &options).unwrap();
        let result = sink.encoder().encode(&df!("a" => [a], "b" => [b]).unwrap());
        result.map(drop).map_err(|error| error.to_string())
    };
    assert_eq!(
        encode(Dialect::Postgres, "x\0", 0.0).unwrap_err(),
        "column `a`: sql cannot hold the value `x\\0`: PostgreSQL has no text with NUL"
    );
    assert!(encode(Dialect::Mysql, "x\0", 0.0).is_ok() && encode(Dialect::Sqlite, "x\0", 0.0).is_ok());
    assert!(
        encode(Dialect::Postgres, "", f64::NAN).is_ok() && encode(Dialect::Duckdb, "", f64::INFINITY).is_ok()
    );
    assert!(encode(Dialect::Sqlite, "", f64::INFINITY).is_ok());
    assert!(
        encode(Dialect::Sqlite, "", f64::NAN).is_err() && encode(Dialect::Mysql, "", f64::INFINITY).is_err()
    );
}

/// A file of SQLite, opened, and the folder that it is in.
#[cfg(feature = "sqlite")]
fn database(bytes: &[u8]) -> (tempfile::TempDir, rusqlite::Connection) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.sqlite");
    fs::write(&path, bytes).unwrap();
    let connection = rusqlite::Connection::open(path).unwrap();
    (folder, connection)
}

/// The file and the script hold the same, whatever is in texts and names.
#[cfg(feature = "sqlite")]
#[test]
fn sqlite_reads_back() {
    use rusqlite::types::Value;
    let (schema, frame) = everything();
    let file = database(&write("sqlite", &schema, std::slice::from_ref(&frame)));
    let script = rusqlite::Connection::open_in_memory().unwrap();
    script.execute_batch(&text("sql", &schema, std::slice::from_ref(&frame))).unwrap();
    for database in [&file.1, &script] {
        let mut statement = database.prepare("SELECT * FROM things ORDER BY rowid").unwrap();
        let names: Vec<String> = statement.column_names().map(str::to_owned).collect();
        assert_eq!(names, schema.fields.iter().map(|field| field.name.clone()).collect::<Vec<_>>());
        let mut rows = statement.query([]).unwrap();
        for at in 0..frame.height() {
            let row = rows.next().unwrap().unwrap();
            for (number, (field, column)) in schema.fields.iter().zip(frame.columns()).enumerate() {
                let expected = match (cell(column, at), field.ty) {
                    (None, _) => Value::Null,
                    (Some(text), Type::Bool) => Value::Integer((text == "true").into()),
                    (Some(text), Type::Int) => Value::Integer(text.parse().unwrap()),
                    (Some(_), Type::Duration) => {
                        let AnyValue::Duration(micros, _) = column.get(at).unwrap() else { panic!() };
                        Value::Integer(micros)
                    }
                    // A whole number of a column for numbers takes less room.
                    (Some(text), Type::Decimal(_)) => match text.strip_suffix(".00") {
                        Some(whole) => Value::Integer(whole.parse().unwrap()),
                        None => Value::Real(text.parse().unwrap()),
                    },
                    (Some(text), Type::Float) => Value::Real(text.parse().unwrap()),
                    (Some(text), _) => Value::Text(text),
                };
                assert_eq!(row.get::<_, Value>(number).unwrap(), expected, "row {at}, {}", field.name);
            }
        }
        assert!(rows.next().unwrap().is_none());
    }
}

/// The compiler takes the module, and its values are those of the frame.
#[test]
fn rust_reads_back() {
    let (mut schema, frame) = everything();
    schema.fields[5].about = Some("What is said.\nfn x() {}".into());
    let module = text("rust", &schema, std::slice::from_ref(&frame));
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("things.rs"), &module).unwrap();
    let mut program = String::from("#![deny(warnings)]\nmod things;\nuse things::*;\nfn main() {\n");
    program.push_str(&format!("assert_eq!(THINGS.len(), {});\n", frame.height()));
    let fields =
        ["id", "flag", "whole_number", "float", "cents", "text", "category_quoted", "date", "at", "took"];
    for at in 0..frame.height() {
        for ((name, field), column) in fields.iter().zip(&schema.fields).zip(frame.columns()) {
            let value = match (cell(column, at), field.ty) {
                (Some(text), Type::Bool | Type::Int | Type::Float | Type::Decimal(_)) if *name == "id" => {
                    text
                }
                (Some(text), Type::Bool | Type::Int | Type::Float | Type::Decimal(_)) => {
                    format!("Some({text})")
                }
                (text, _) => format!("{text:?}"),
            };
            program.push_str(&format!("assert_eq!(THINGS[{at}].{name}, {value});\n"));
        }
    }
    program.push_str("}\n");
    fs::write(folder.path().join("main.rs"), program).unwrap();
    let run = |command: &mut std::process::Command| {
        let output = command.current_dir(folder.path()).output().unwrap();
        assert!(output.status.success(), "{module}\n{}", String::from_utf8_lossy(&output.stderr));
    };
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    run(std::process::Command::new(rustc).args(["--edition", "2024", "main.rs"]));
    run(&mut std::process::Command::new(folder.path().join("main")));
}
