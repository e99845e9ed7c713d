//! What we write for databases goes into real ones, with all constraints on, and comes back as it was: the digests of what
//! is read are those of the rows that the ruleset makes.
//!
//! PostgreSQL is one that is installed, and so is MariaDB, which stands for MySQL; where there is none, its tests say so and
//! pass. `.ci/run` installs PostgreSQL.

mod mariadb;
mod postgres;
mod sqlite;

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::AtomicBool;

use lookalike::Ruleset;
use lookalike::io::{Dialect, Output, SINKS, SinkOptions};
use lookalike::language::{Field, TableSchema, Type};
use lookalike::lock::{Lock, digests};
use lookalike::pipeline::{Destination, Job, Quiet, generate};
use lookalike::polars::prelude::*;

const EBS: &str = "rulesets/trusted-advisor/underutilized-ebs-volumes.yaml";
const AIRLINE: &str = "rulesets/relational/airline-reservations.yaml";

/// A ruleset and what was made of it.
struct Made {
    ruleset: Ruleset,
    folder: tempfile::TempDir,
    path: PathBuf,
}

impl Made {
    fn new(path: &str, format: &str, dialect: Dialect, copy: bool) -> Made {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
        let ruleset = Ruleset::from_path(&path).unwrap_or_else(|error| panic!("{error}"));
        let folder = tempfile::tempdir().unwrap();
        let mut options = SinkOptions::default();
        (options.sql.dialect, options.sql.copy) = (dialect, copy);
        let job = Job {
            destination: Destination::Folder(folder.path().into()),
            formats: SINKS.iter().filter(|kind| kind.name == format).copied().collect(),
            options,
            ..Job::default()
        };
        generate(&ruleset, &job, &Quiet, &AtomicBool::new(false)).unwrap();
        Made { ruleset, folder, path }
    }

    /// The only file with rows.
    fn file(&self, extension: &str) -> PathBuf {
        self.folder.path().join(format!("{}.{extension}", self.ruleset.name()))
    }

    /// Compares what `read` gives of each table, in the order of the rows, with what the ruleset makes.
    fn compare(&self, read: impl Fn(&str, &TableSchema) -> DataFrame) {
        let lock = Lock::of(&self.ruleset, &self.path, None, 2, &AtomicBool::new(false)).unwrap();
        assert!(!lock.tables.is_empty());
        for (table, locked) in self.ruleset.tables().zip(&lock.tables) {
            let schema = table.schema();
            let frame = read(table.name(), &schema);
            assert_eq!(frame.height() as u64, locked.rows, "rows of {}", table.name());
            let found = digests(&schema.fields, &frame).unwrap();
            for (column, found) in locked.columns.iter().zip(found) {
                assert_eq!(column.digests, found, "{}.{}", table.name(), column.name);
            }
        }
    }
}

/// Names and values that are there to break out, of all types, but for NUL, which PostgreSQL has not.
fn hostile() -> (TableSchema, DataFrame) {
    let texts = [
        Some("'; DROP TABLE \"select\"; --"),
        Some("\\"),
        Some("\\'"),
        Some("\\."),
        Some("\\N"),
        Some("\n\\.\n"),
        Some("tab\t, comma, \"quote\", 'quote', `quote`"),
        Some("line\r\nline"),
        Some(""),
        Some("NULL"),
        None,
        Some("$1 :name %s ? {x}"),
        Some("🌍 grüße \u{202e}"),
        Some("/* -- */"),
        Some(" edge "),
        Some("\u{1}\u{1f}\u{7f}"),
    ];
    let rows = texts.len() as i64;
    let some = |value: &dyn Fn(i64) -> i64| -> Vec<Option<i64>> {
        (0..rows).map(|row| (row % 5 != 3).then(|| value(row))).collect()
    };
    let floats: Vec<Option<f64>> = (0..rows)
        .map(|row| {
            (row % 7 != 2).then(|| [0.1, -0.0, 1e300, 5e-324, 1.0 / 3.0, 123456789.125][row as usize % 6])
        })
        .collect();
    let cents =
        Series::new("".into(), some(&|row| (row - 7) * 999_999_999_999)).cast(&DataType::Int128).unwrap();
    let cents = cents.i128().unwrap().clone().into_decimal_unchecked(18, 2).into_series();
    let day = some(&|row| row * 1000 - 500);
    let micros = some(&|row| row * 86_399_999_000 * 365 - row % 3);
    let cast = |values: &[Option<i64>], to: DataType| Series::new("".into(), values).cast(&to).unwrap();
    let columns = [
        ("select", Type::Text, Series::new("".into(), texts)),
        (
            "a\"b",
            Type::Bool,
            Series::new("".into(), (0..rows).map(|r| (r % 3 > 0).then_some(r % 2 == 0)).collect::<Vec<_>>()),
        ),
        (
            "a`b'c",
            Type::Int,
            Series::new("".into(), some(&|row| if row == 7 { i64::MIN } else { row.pow(15) })),
        ),
        ("\\", Type::Float, Series::new("".into(), floats)),
        ("order by 1; --", Type::Decimal(2), cents),
        ("größe", Type::Date, cast(&day, DataType::Date)),
        ("%s ?1 $1", Type::Datetime, cast(&micros, DataType::Datetime(TimeUnit::Microseconds, None))),
        ("two\nlines", Type::Duration, cast(&micros, DataType::Duration(TimeUnit::Microseconds))),
    ];
    let field = |(name, ty, _): &(&str, Type, Series)| Field {
        name: (*name).into(),
        ty: *ty,
        nullable: true,
        plain: false,
        json: false,
        about: None,
    };
    let schema = TableSchema { table: "table \"x\"; --".into(), fields: columns.iter().map(field).collect() };
    let columns = columns.into_iter().map(|(name, _, series)| series.with_name(name.into()).into_column());
    (schema, DataFrame::new(rows as usize, columns.collect()).unwrap())
}

/// The bytes of a file with these rows.
fn written(format: &str, dialect: Dialect, copy: bool, schema: &TableSchema, frame: &DataFrame) -> Vec<u8> {
    let mut options = SinkOptions::default();
    (options.sql.dialect, options.sql.copy) = (dialect, copy);
    let kind = SINKS.iter().find(|kind| kind.name == format).unwrap();
    let mut sink = (kind.open)(schema, Output::memory(), &options).unwrap();
    sink.write(sink.encoder().encode(frame).unwrap()).unwrap();
    sink.finish().unwrap().into_bytes().unwrap()
}

/// The rows that were read, in the order of those that were made. A row that was not made has no place.
fn in_order(made: &DataFrame, read: &DataFrame, schema: &TableSchema) -> DataFrame {
    let rows = |frame: &DataFrame| -> Vec<String> {
        let columns = schema.fields.iter().zip(frame.columns());
        let columns: Vec<_> = columns
            .map(|(field, column)| lookalike::io::texts(field, column.as_materialized_series()).unwrap())
            .collect();
        (0..frame.height())
            .map(|row| columns.iter().map(|c| format!("{:?} ", c.get(row))).collect())
            .collect()
    };
    let mut places: BTreeMap<String, Vec<IdxSize>> = BTreeMap::new();
    for (place, row) in (0..).zip(rows(read)) {
        places.entry(row).or_default().push(place);
    }
    let mut place = |row: String| {
        places.get_mut(&row).and_then(Vec::pop).unwrap_or_else(|| panic!("{} has lost {row}", schema.table))
    };
    let order: Vec<IdxSize> = rows(made).into_iter().map(&mut place).collect();
    read.take(&IdxCa::from_vec("rows".into(), order)).unwrap()
}

/// Says loudly that a database is not there.
fn not_tested(database: &str) {
    // Past what the test runner keeps to itself.
    let words = format!("\n*** NOT TESTED: {database} is not installed, so nothing was loaded into it ***\n");
    std::io::stderr().write_all(words.as_bytes()).unwrap();
}

fn is_root() -> bool {
    Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}

/// What is said of tables and keys for each database, without the rows.
#[test]
fn definitions() {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../snapshots");
    settings.set_prepend_module_to_snapshot(false);
    for (name, path) in [("ebs", EBS), ("airline", AIRLINE)] {
        for (dialect, title) in [
            (Dialect::Postgres, "postgres"),
            (Dialect::Sqlite, "sqlite"),
            (Dialect::Duckdb, "duckdb"),
            (Dialect::Mysql, "mysql"),
        ] {
            let script = std::fs::read_to_string(Made::new(path, "sql", dialect, false).file("sql")).unwrap();
            let mut kept = String::new();
            let mut statements = 0;
            let mut inside = false;
            for line in script.lines() {
                inside |= line.starts_with("INSERT INTO");
                if !inside {
                    kept.push_str(line);
                    kept.push('\n');
                }
                statements += usize::from(inside && line.ends_with(';'));
                inside &= !line.ends_with(';');
            }
            assert!(statements > 1 && kept.contains("PRIMARY KEY"), "{statements} {kept}");
            settings.bind(|| insta::assert_snapshot!(format!("sql_{name}_{title}"), kept));
        }
    }
}
