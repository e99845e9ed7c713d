//! SQLite, from its own file and from a script.

use lookalike::io::Dialect;
use lookalike::io::sources::values;
use lookalike::language::{Field, TableSchema, Type};
use lookalike::polars::prelude::*;
use rusqlite::Connection;
use rusqlite::types::ValueRef;

use super::{AIRLINE, EBS, Made};

/// A value as CSV writes it.
fn text(field: &Field, value: ValueRef<'_>) -> Option<String> {
    Some(match (value, field.ty) {
        (ValueRef::Null, _) => return None,
        (ValueRef::Integer(0), Type::Bool) => "false".into(),
        (ValueRef::Integer(1), Type::Bool) => "true".into(),
        (ValueRef::Integer(value), Type::Decimal(scale)) => format!("{value}.{}", "0".repeat(scale.into())),
        (ValueRef::Integer(value), Type::Int) => value.to_string(),
        (ValueRef::Real(value), Type::Decimal(scale)) => format!("{value:.*}", usize::from(scale)),
        (ValueRef::Real(value), Type::Float) => value.to_string(),
        (ValueRef::Text(text), Type::Text | Type::Date | Type::Datetime) => {
            std::str::from_utf8(text).unwrap().to_owned()
        }
        other => panic!("{}: {other:?}", field.name),
    })
}

fn read(database: &Connection, table: &str, schema: &TableSchema) -> DataFrame {
    let names: Vec<String> = schema.fields.iter().map(|field| format!("\"{}\"", field.name)).collect();
    let query = format!("SELECT {} FROM \"{table}\" ORDER BY rowid", names.join(", "));
    let mut statement = database.prepare(&query).unwrap();
    let mut rows = statement.query([]).unwrap();
    let mut columns: Vec<Vec<Option<String>>> = vec![Vec::new(); schema.fields.len()];
    while let Some(row) = rows.next().unwrap() {
        for (at, (column, field)) in columns.iter_mut().zip(&schema.fields).enumerate() {
            column.push(text(field, row.get_ref(at).unwrap()));
        }
    }
    let height = columns[0].len();
    let column = |(field, texts): (&Field, Vec<Option<String>>)| {
        values(field, &texts.iter().map(Option::as_deref).collect()).unwrap().into_column()
    };
    DataFrame::new(height, schema.fields.iter().zip(columns).map(column).collect()).unwrap()
}

/// That it holds together, by its own judgement; and that it would notice if it did not.
fn sound(database: &Connection, made: &Made, foreign: i64) {
    let count = |query: &str| -> i64 { database.query_row(query, [], |row| row.get(0)).unwrap() };
    let check: String = database.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(check, "ok");
    assert_eq!(count("SELECT count(*) FROM pragma_foreign_key_check"), 0);
    let mut references = 0;
    for table in made.ruleset.tables() {
        references += count(&format!("SELECT count(*) FROM pragma_foreign_key_list('{}')", table.name()));
    }
    assert_eq!(references, foreign);
}

#[test]
fn its_own_file_comes_back_as_it_was() {
    for (ruleset, foreign) in [(EBS, 0), (AIRLINE, 10)] {
        let made = Made::new(ruleset, "sqlite", Dialect::Sqlite, false);
        let database = Connection::open(made.file("sqlite")).unwrap();
        sound(&database, &made, foreign);
        made.compare(|table, schema| read(&database, table, schema));
        // The bytes are a function of the rows.
        let again = Made::new(ruleset, "sqlite", Dialect::Sqlite, false);
        assert!(std::fs::read(made.file("sqlite")).unwrap() == std::fs::read(again.file("sqlite")).unwrap());
    }
}

#[test]
fn a_script_comes_back_as_it_was() {
    for (ruleset, foreign) in [(EBS, 0), (AIRLINE, 10)] {
        let made = Made::new(ruleset, "sql", Dialect::Sqlite, false);
        let database = Connection::open_in_memory().unwrap();
        database.execute_batch(&std::fs::read_to_string(made.file("sql")).unwrap()).unwrap();
        sound(&database, &made, foreign);
        made.compare(|table, schema| read(&database, table, schema));
    }
}

#[test]
fn constraints_are_on() {
    let made = Made::new(AIRLINE, "sqlite", Dialect::Sqlite, false);
    let database = Connection::open(made.file("sqlite")).unwrap();
    database.execute_batch("PRAGMA foreign_keys = ON").unwrap();
    for spoil in [
        "UPDATE Reservation SET Reservation_ID = 2 WHERE Reservation_ID = 1",
        "UPDATE Reservation SET Seat_ID = NULL WHERE Reservation_ID = 1",
        "UPDATE Reservation SET Seat_ID = -1 WHERE Reservation_ID = 1",
        "UPDATE Passenger SET P_Email = (SELECT P_Email FROM Passenger WHERE Passenger_ID = 2) WHERE Passenger_ID = 1",
        "UPDATE Service_Offering SET From_Date = '2020-01-01' WHERE Service_ID = 1",
        "DELETE FROM Airport WHERE Airport_ID IN (SELECT Source_Airport_ID FROM Flight_Details)",
    ] {
        let error = database.execute(spoil, []).expect_err(spoil).to_string();
        assert!(error.contains("constraint failed"), "{spoil}: {error}");
    }
}
