//! The airline's eleven tables hang together, by the judgement of a database: the CSV files go into SQLite, and every
//! key and every rule is a query for the rows that break it. Distances come from the fact file, by another formula.
//!
//! So that no query is true by accident, each rule says how to spoil the data, and the test looks whether it then
//! speaks up.
//!
//! For a run of any size: `LOOKALIKE_AIRLINE=folder cargo test --test it airline -- --ignored`, with the files of
//! `generate rulesets/relational/airline-reservations.yaml --format csv -o folder`.

use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use lookalike::Ruleset;
use lookalike::pipeline::{Destination, Job, Quiet, generate};
use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};

/// A table as published: its columns with their types, its primary key, and which table a column refers to.
struct Table {
    name: &'static str,
    columns: &'static [(&'static str, Type)],
    key: &'static [&'static str],
    references: &'static [(&'static str, &'static str)],
}

#[derive(Clone, Copy)]
enum Type {
    /// Also serial.
    Int,
    Varchar,
    /// As 0 and 1.
    Boolean,
    Date,
    Timestamp,
    /// decimal(10,2), as a whole number of cents.
    Decimal,
}
use Type::{Boolean, Date, Decimal, Int, Timestamp, Varchar};

const TABLES: &[Table] = &[
    Table {
        name: "Airport",
        columns: &[("Airport_ID", Int), ("AirportCity", Varchar), ("AirportCountry", Varchar)],
        key: &["Airport_ID"],
        references: &[],
    },
    Table {
        name: "Calendar",
        columns: &[("Day_Date", Date), ("Business_Day_YN", Boolean)],
        key: &["Day_Date"],
        references: &[],
    },
    Table {
        name: "Flight_Details",
        columns: &[
            ("Flight_ID", Int),
            ("Source_Airport_ID", Int),
            ("Destination_Airport_ID", Int),
            ("Departure_Date_Time", Timestamp),
            ("Arrival_Date_Time", Timestamp),
            ("Airplane_Type", Varchar),
        ],
        key: &["Flight_ID"],
        references: &[("Source_Airport_ID", "Airport"), ("Destination_Airport_ID", "Airport")],
    },
    Table {
        name: "Travel_Class",
        columns: &[("Travel_Class_ID", Int), ("Travel_Class_Name", Varchar), ("Travel_Class_Capacity", Int)],
        key: &["Travel_Class_ID"],
        references: &[],
    },
    Table {
        name: "Seat_Details",
        columns: &[("Seat_ID", Int), ("Travel_Class_ID", Int), ("Flight_ID", Int)],
        key: &["Seat_ID"],
        references: &[("Travel_Class_ID", "Travel_Class"), ("Flight_ID", "Flight_Details")],
    },
    Table {
        name: "Flight_Cost",
        columns: &[("Seat_ID", Int), ("Valid_From_Date", Date), ("Cost", Decimal), ("Valid_To_Date", Date)],
        key: &["Seat_ID", "Valid_From_Date"],
        references: &[("Seat_ID", "Seat_Details")],
    },
    Table {
        name: "Flight_Service",
        columns: &[("Service_ID", Int), ("Service_Name", Varchar)],
        key: &["Service_ID"],
        references: &[],
    },
    Table {
        name: "Service_Offering",
        columns: &[
            ("Travel_Class_ID", Int),
            ("Service_ID", Int),
            ("Offered_YN", Boolean),
            ("From_Date", Date),
            ("To_Date", Date),
        ],
        key: &["Travel_Class_ID", "Service_ID"],
        references: &[("Travel_Class_ID", "Travel_Class"), ("Service_ID", "Flight_Service")],
    },
    Table {
        name: "Passenger",
        columns: &[
            ("Passenger_ID", Int),
            ("P_FirstName", Varchar),
            ("P_LastName", Varchar),
            ("P_Email", Varchar),
            ("P_PhoneNumber", Varchar),
            ("P_Address", Varchar),
            ("P_City", Varchar),
            ("P_State", Varchar),
            ("P_Zipcode", Varchar),
            ("P_Country", Varchar),
        ],
        key: &["Passenger_ID"],
        references: &[],
    },
    Table {
        name: "Reservation",
        columns: &[
            ("Reservation_ID", Int),
            ("Passenger_ID", Int),
            ("Seat_ID", Int),
            ("Date_Of_Reservation", Date),
        ],
        key: &["Reservation_ID"],
        references: &[("Passenger_ID", "Passenger"), ("Seat_ID", "Seat_Details")],
    },
    Table {
        name: "Payment_Status",
        columns: &[
            ("Payment_ID", Int),
            ("Payment_Status_YN", Boolean),
            ("Payment_Due_Date", Date),
            ("Payment_Amount", Decimal),
            ("Reservation_ID", Int),
        ],
        key: &["Payment_ID"],
        references: &[("Reservation_ID", "Reservation")],
    },
];

/// Something that holds for all rows.
struct Rule {
    name: String,
    /// Gives the rows that break it.
    query: String,
    /// Makes rows that do.
    spoil: String,
}

fn rule(name: &str, query: &str, spoil: &str) -> Rule {
    Rule { name: name.into(), query: query.into(), spoil: spoil.into() }
}

/// That keys are unique and every reference leads somewhere, for all tables.
fn rules_of_keys() -> Vec<Rule> {
    let mut rules = Vec::new();
    for Table { name, key, references, .. } in TABLES {
        let keys = key.join(", ");
        let same: Vec<String> =
            key.iter().map(|k| format!("{k} = (SELECT {k} FROM {name} WHERE rowid = 2)")).collect();
        rules.push(rule(
            &format!("the key of {name} is unique"),
            &format!("SELECT {keys}, count(*) FROM {name} GROUP BY {keys} HAVING count(*) > 1"),
            &format!("UPDATE {name} SET {} WHERE rowid = 1", same.join(", ")),
        ));
        for (column, parent) in *references {
            let parent_key = TABLES.iter().find(|table| table.name == *parent).unwrap().key[0];
            rules.push(rule(
                &format!("{name}.{column} is in {parent}"),
                &format!("SELECT * FROM {name} WHERE {column} NOT IN (SELECT {parent_key} FROM {parent})"),
                &format!("UPDATE {name} SET {column} = 0 WHERE rowid = 1"),
            ));
        }
    }
    rules
}

/// What the schema does not say, but a user expects.
fn rules_of_the_airline() -> Vec<Rule> {
    // Fact_Airport is the file; Flown is Flight_Details with the distance and the facts about the airplane. A rowid is
    // the number of a row in its file.
    vec![
        // Airports and flights.
        rule(
            "airports are those of the fact file",
            "SELECT Airport_ID, AirportCity, AirportCountry FROM Airport
             EXCEPT SELECT airport, city, country FROM Fact_Airport",
            "UPDATE Airport SET AirportCountry = 'Atlantis' WHERE Airport_ID = 7",
        ),
        rule(
            "a flight goes somewhere else",
            "SELECT * FROM Flight_Details WHERE Source_Airport_ID = Destination_Airport_ID",
            "UPDATE Flight_Details SET Destination_Airport_ID = Source_Airport_ID WHERE rowid = 3",
        ),
        rule(
            "a flight is under way for as long as the distance needs: 20 to 60 minutes, and the cruise within 8 %",
            "SELECT * FROM (
                 SELECT *, 24 * (julianday(Arrival_Date_Time) - julianday(Departure_Date_Time)) AS hours FROM Flown)
             WHERE (hours BETWEEN 0.92 * km / cruise_kmh + 0.33 AND 1.08 * km / cruise_kmh + 1) IS NOT TRUE",
            "UPDATE Flight_Details SET Arrival_Date_Time = datetime(Arrival_Date_Time, '+2 hours') WHERE rowid = 3",
        ),
        rule(
            "a flight is within the airplane's range",
            "SELECT * FROM Flown WHERE (km <= range_km) IS NOT TRUE",
            "UPDATE Flight_Details SET Airplane_Type = 'ATR 72-600'
             WHERE Flight_ID = (SELECT Flight_ID FROM Flown WHERE km > 1200 LIMIT 1)",
        ),
        // The calendar.
        rule(
            "the calendar has no gaps",
            "SELECT Day_Date FROM Calendar WHERE Day_Date > (SELECT min(Day_Date) FROM Calendar)
             AND date(Day_Date, '-1 day') NOT IN (SELECT Day_Date FROM Calendar)",
            "DELETE FROM Calendar WHERE rowid = 100",
        ),
        rule(
            "business days are Monday to Friday without holidays",
            "SELECT * FROM Calendar WHERE Business_Day_YN <> (strftime('%w', Day_Date) BETWEEN '1' AND '5'
             AND strftime('%m-%d', Day_Date) NOT IN ('01-01', '05-01', '12-25', '12-26'))",
            "UPDATE Calendar SET Business_Day_YN = 1 WHERE Day_Date = '2026-05-01'",
        ),
        rule(
            "departures and arrivals are in the calendar",
            "SELECT * FROM Flight_Details WHERE date(Departure_Date_Time) NOT IN (SELECT Day_Date FROM Calendar)
             OR date(Arrival_Date_Time) NOT IN (SELECT Day_Date FROM Calendar)",
            "UPDATE Flight_Details SET Arrival_Date_Time = '2027-01-01T00:10:00Z' WHERE rowid = 3",
        ),
        rule(
            "reservations, fares and payments are in the calendar",
            "SELECT * FROM (SELECT Date_Of_Reservation AS day FROM Reservation
                 UNION SELECT Valid_From_Date FROM Flight_Cost UNION SELECT Valid_To_Date FROM Flight_Cost
                 UNION SELECT Payment_Due_Date FROM Payment_Status)
             WHERE day NOT IN (SELECT Day_Date FROM Calendar)",
            "UPDATE Reservation SET Date_Of_Reservation = '2024-12-31' WHERE rowid = 3",
        ),
        // Seats.
        rule(
            "a flight has no more seats of a class than the class's capacity",
            "SELECT Flight_ID, Travel_Class_ID, count(*) FROM Seat_Details
             JOIN Travel_Class USING (Travel_Class_ID)
             GROUP BY Flight_ID, Travel_Class_ID HAVING count(*) > Travel_Class_Capacity",
            "UPDATE Seat_Details SET Travel_Class_ID = 1 WHERE Travel_Class_ID = 4",
        ),
        rule(
            "a flight has the seats of its airplane",
            "SELECT Flight_ID, sum(Travel_Class_ID = 1) AS a, sum(Travel_Class_ID = 2) AS b,
                 sum(Travel_Class_ID = 3) AS c, sum(Travel_Class_ID = 4) AS d,
                 first_seats, business_seats, premium_seats, economy_seats
             FROM Flown LEFT JOIN Seat_Details USING (Flight_ID)
             GROUP BY Flight_ID
             HAVING (a, b, c, d) IS NOT (first_seats, business_seats, premium_seats, economy_seats)",
            "DELETE FROM Seat_Details WHERE rowid = 3",
        ),
        rule(
            "a seat is sold at most once",
            "SELECT Seat_ID, count(*) FROM Reservation GROUP BY Seat_ID HAVING count(*) > 1",
            "UPDATE Reservation SET Seat_ID = (SELECT Seat_ID FROM Reservation WHERE rowid = 4) WHERE rowid = 3",
        ),
        // Fares.
        rule(
            "every seat has a fare",
            "SELECT Seat_ID FROM Seat_Details EXCEPT SELECT Seat_ID FROM Flight_Cost",
            "DELETE FROM Flight_Cost WHERE Seat_ID = 3",
        ),
        rule(
            "a fare is valid for a day at least",
            "SELECT * FROM Flight_Cost WHERE Valid_From_Date > Valid_To_Date",
            "UPDATE Flight_Cost SET Valid_To_Date = date(Valid_From_Date, '-1 day') WHERE rowid = 3",
        ),
        rule(
            "the fares of a seat do not overlap and leave no gap",
            "SELECT * FROM (
                 SELECT *, lead(Valid_From_Date) OVER (PARTITION BY Seat_ID ORDER BY Valid_From_Date) AS next
                 FROM Flight_Cost)
             WHERE next <> date(Valid_To_Date, '+1 day')",
            "UPDATE Flight_Cost SET Valid_To_Date = date(Valid_To_Date, '+1 day') WHERE rowid = 4",
        ),
        rule(
            "fares are valid up to the day of the flight",
            "SELECT Seat_ID FROM Flight_Cost JOIN Seat_Details USING (Seat_ID) JOIN Flight_Details USING (Flight_ID)
             GROUP BY Seat_ID HAVING max(Valid_To_Date) <> date(Departure_Date_Time)",
            "UPDATE Flight_Cost SET Valid_To_Date = date(Valid_To_Date, '-1 day') WHERE rowid = 3",
        ),
        rule(
            "a seat gets dearer as the flight draws near",
            "SELECT * FROM (
                 SELECT *, lead(Cost) OVER (PARTITION BY Seat_ID ORDER BY Valid_From_Date) AS next FROM Flight_Cost)
             WHERE next <= Cost",
            "UPDATE Flight_Cost SET Cost = 1 WHERE rowid = 3",
        ),
        rule(
            "a better class of the same flight costs more at any time",
            "WITH Fare AS (
                 SELECT Flight_ID, Travel_Class_ID AS class, Valid_From_Date, min(Cost) AS low, max(Cost) AS high
                 FROM Flight_Cost JOIN Seat_Details USING (Seat_ID) GROUP BY Flight_ID, class, Valid_From_Date)
             SELECT * FROM Fare AS better JOIN Fare AS worse USING (Flight_ID, Valid_From_Date)
             WHERE better.class < worse.class AND better.low <= worse.high",
            "UPDATE Flight_Cost SET Cost = 100000000 WHERE Seat_ID IN
                 (SELECT max(Seat_ID) FROM Seat_Details GROUP BY Flight_ID)",
        ),
        // 40 and 0.08 a kilometre, 20 % less in the low and 30 % more in the high season, all within 10 %.
        rule(
            "the cheapest economy fare that is neither early nor late follows distance and season",
            "WITH Fare AS (
                 SELECT Flight_ID, Cost, row_number() OVER (PARTITION BY Seat_ID ORDER BY Valid_From_Date) AS number
                 FROM Flight_Cost JOIN Seat_Details USING (Seat_ID) WHERE Travel_Class_ID = 4),
             Cheapest AS (SELECT Flight_ID, min(Cost) / 100.0 AS cost FROM Fare WHERE number = 2 GROUP BY Flight_ID),
             Tariff AS (
                 SELECT Flight_ID, (40 + 0.08 * km) * CASE
                     WHEN strftime('%m', Departure_Date_Time) IN ('06', '07', '08', '12') THEN 1.3
                     WHEN strftime('%m', Departure_Date_Time) IN ('01', '02', '11') THEN 0.8
                     ELSE 1 END AS usual
                 FROM Flown)
             SELECT * FROM Tariff LEFT JOIN Cheapest USING (Flight_ID)
             WHERE (cost BETWEEN 0.9 * usual - 0.01 AND 1.1 * usual + 0.01) IS NOT TRUE",
            "UPDATE Flight_Cost SET Cost = Cost * 5 / 8 WHERE Seat_ID IN
                 (SELECT Seat_ID FROM Seat_Details WHERE Flight_ID = 3)",
        ),
        // Reservations and payments.
        rule(
            "a seat is reserved before the day of the flight and not after the extract",
            "SELECT * FROM Reservation JOIN Seat_Details USING (Seat_ID) JOIN Flight_Details USING (Flight_ID)
             WHERE Date_Of_Reservation >= date(Departure_Date_Time) OR Date_Of_Reservation >= '2026-07-01'",
            "UPDATE Reservation SET Date_Of_Reservation = '2026-07-01' WHERE rowid = 3",
        ),
        rule(
            "on the day of the reservation the seat has one fare",
            "SELECT Reservation_ID, count(Cost) FROM Reservation
             LEFT JOIN Flight_Cost ON Flight_Cost.Seat_ID = Reservation.Seat_ID
                 AND Date_Of_Reservation BETWEEN Valid_From_Date AND Valid_To_Date
             GROUP BY Reservation_ID HAVING count(Cost) <> 1",
            "UPDATE Flight_Cost SET Valid_To_Date = Valid_From_Date",
        ),
        rule(
            "the amount due is the fare of the day of the reservation",
            "SELECT Payment_ID, Payment_Amount, Cost FROM Payment_Status JOIN Reservation USING (Reservation_ID)
             LEFT JOIN Flight_Cost ON Flight_Cost.Seat_ID = Reservation.Seat_ID
                 AND Date_Of_Reservation BETWEEN Valid_From_Date AND Valid_To_Date
             WHERE Payment_Amount IS NOT Cost",
            "UPDATE Payment_Status SET Payment_Amount = Payment_Amount + 1 WHERE rowid = 3",
        ),
        rule(
            "a reservation has one payment",
            "SELECT Reservation_ID, count(Payment_ID) FROM Reservation LEFT JOIN Payment_Status USING (Reservation_ID)
             GROUP BY Reservation_ID HAVING count(Payment_ID) <> 1",
            "DELETE FROM Payment_Status WHERE rowid = 3",
        ),
        rule(
            "a payment is due from the reservation on and before the day of the flight",
            "SELECT * FROM Payment_Status JOIN Reservation USING (Reservation_ID)
             JOIN Seat_Details USING (Seat_ID) JOIN Flight_Details USING (Flight_ID)
             WHERE Payment_Due_Date < Date_Of_Reservation OR Payment_Due_Date >= date(Departure_Date_Time)",
            "UPDATE Payment_Status SET Payment_Due_Date = date(Payment_Due_Date, '+15 days') WHERE rowid = 3",
        ),
        // Services and passengers.
        rule(
            "every class and service is a pair",
            "SELECT Travel_Class_ID, Service_ID FROM Travel_Class, Flight_Service
             EXCEPT SELECT Travel_Class_ID, Service_ID FROM Service_Offering",
            "DELETE FROM Service_Offering WHERE rowid = 3",
        ),
        rule(
            "a better class gets all that a worse one gets",
            "SELECT * FROM Service_Offering AS better JOIN Service_Offering AS worse USING (Service_ID)
             WHERE better.Travel_Class_ID < worse.Travel_Class_ID AND better.Offered_YN < worse.Offered_YN",
            "UPDATE Service_Offering SET Offered_YN = 0 WHERE Travel_Class_ID = 1",
        ),
        rule(
            "an offer begins before it ends",
            "SELECT * FROM Service_Offering WHERE From_Date > To_Date",
            "UPDATE Service_Offering SET To_Date = '2024-12-31' WHERE rowid = 3",
        ),
        rule(
            "passengers have addresses of their own that are nobody's",
            "SELECT P_Email, count(*) AS n FROM Passenger GROUP BY P_Email
             HAVING n > 1 OR NOT (P_Email LIKE '_%@example.com' OR P_Email LIKE '_%@example.net'
                 OR P_Email LIKE '_%@example.org')",
            "UPDATE Passenger SET P_Email = 'someone@mail.test' WHERE rowid = 3",
        ),
    ]
}

/// What would make rules hold for want of data: each a number that has to lie between two others.
const GUARDS: &[(&str, &str, f64, f64)] = &[
    ("flights", "SELECT count(*) FROM Flight_Details", 40.0, f64::MAX),
    ("seats a flight", "SELECT 1.0 * (SELECT count(*) FROM Seat_Details) / count(*) FROM Flight_Details", 120.0, 300.0),
    ("fares a seat", "SELECT 1.0 * (SELECT count(*) FROM Flight_Cost) / count(*) FROM Seat_Details", 2.0, 10.0),
    ("share of seats sold", "SELECT 1.0 * (SELECT count(*) FROM Reservation) / count(*) FROM Seat_Details", 0.5, 0.85),
    ("airports in use", "SELECT count(DISTINCT Source_Airport_ID) FROM Flight_Details", 15.0, 60.0),
    ("airplane types in use", "SELECT count(DISTINCT Airplane_Type) FROM Flight_Details", 5.0, 9.0),
    ("months of flights", "SELECT count(DISTINCT strftime('%m', Departure_Date_Time)) FROM Flight_Details", 10.0, 12.0),
    (
        "classes sold",
        "SELECT count(DISTINCT Travel_Class_ID) FROM Reservation JOIN Seat_Details USING (Seat_ID)",
        4.0,
        4.0,
    ),
    ("share of services offered", "SELECT avg(Offered_YN) FROM Service_Offering", 0.5, 0.9),
    ("share of business days", "SELECT avg(Business_Day_YN) FROM Calendar", 0.66, 0.72),
    ("share of payments made", "SELECT avg(Payment_Status_YN) FROM Payment_Status", 0.85, 0.99),
    (
        "fares that were paid, of the three",
        "SELECT count(DISTINCT number) FROM (
             SELECT Seat_ID, Valid_From_Date, Valid_To_Date,
                 row_number() OVER (PARTITION BY Seat_ID ORDER BY Valid_From_Date) AS number FROM Flight_Cost) AS Fare
         JOIN Reservation ON Reservation.Seat_ID = Fare.Seat_ID
             AND Date_Of_Reservation BETWEEN Valid_From_Date AND Valid_To_Date",
        3.0,
        3.0,
    ),
    (
        "reservations of the passenger with most",
        "SELECT max(n) FROM (SELECT count(*) AS n FROM Reservation GROUP BY Passenger_ID)",
        5.0,
        f64::MAX,
    ),
];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// A field of a file as SQLite keeps it; nothing if it is not of the type.
fn value(text: &str, ty: Type) -> Option<Value> {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let is_date = |text: &str| {
        let parts: Vec<&str> = text.split('-').collect();
        parts.len() == 3 && parts.iter().zip([4, 2, 2]).all(|(part, len)| part.len() == len && digits(part))
    };
    Some(match ty {
        Int => Value::Integer(text.parse().ok()?),
        Varchar => Value::Text((!text.is_empty()).then(|| text.to_owned())?),
        Boolean => Value::Integer(["false", "true"].iter().position(|word| *word == text)? as i64),
        Date => Value::Text(is_date(text).then(|| text.to_owned())?),
        Timestamp => {
            let (day, time) = text.strip_suffix('Z')?.split_once('T')?;
            (is_date(day) && time.len() == 8).then(|| Value::Text(text.to_owned()))?
        }
        Decimal => {
            let (whole, cents) = text.split_once('.')?;
            let fits = digits(whole) && whole.len() <= 8 && digits(cents) && cents.len() == 2;
            Value::Integer(fits.then(|| format!("{whole}{cents}").parse().ok())??)
        }
    })
}

/// Puts a CSV file into a new table; `types` of its columns, or whatever they look like.
fn load(db: &Connection, table: &str, file: &Path, columns: Option<&[(&str, Type)]>, key: &[&str]) {
    let mut reader =
        csv::Reader::from_path(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    let header = reader.headers().unwrap().clone();
    if let Some(columns) = columns {
        let names: Vec<&str> = columns.iter().map(|(name, _)| *name).collect();
        assert_eq!(header, names, "columns of {table}");
    }
    let names = header.iter().collect::<Vec<_>>();
    db.execute_batch(&format!("CREATE TABLE {table} ({})", names.join(", "))).unwrap();
    let marks = vec!["?"; names.len()].join(", ");
    let mut insert = db.prepare(&format!("INSERT INTO {table} VALUES ({marks})")).unwrap();
    for record in reader.records() {
        let record = record.unwrap();
        let fields = record.iter().enumerate().map(|(at, text)| match columns {
            Some(columns) => {
                let (name, ty) = columns[at];
                value(text, ty).unwrap_or_else(|| panic!("{table}.{name} cannot be {text:?}: {record:?}"))
            }
            None => text.parse().map(Value::Real).unwrap_or_else(|_| Value::Text(text.to_owned())),
        });
        insert.execute(params_from_iter(fields)).unwrap();
    }
    if !key.is_empty() {
        db.execute_batch(&format!("CREATE INDEX Key_{table} ON {table} ({})", key.join(", "))).unwrap();
    }
}

/// A database with the tables of a folder and the facts.
fn database(folder: &Path) -> Connection {
    // On disk, and gone when it is closed: a large run is larger than the memory it deserves.
    let db = Connection::open("").unwrap();
    db.execute_batch("PRAGMA journal_mode = MEMORY; PRAGMA synchronous = OFF; BEGIN").unwrap();
    for Table { name, columns, key, .. } in TABLES {
        load(&db, name, &folder.join(format!("{name}.csv")), Some(columns), key);
    }
    let facts = root().join("rulesets/relational");
    load(&db, "Fact_Airport", &facts.join("airports.csv"), None, &["airport"]);
    load(&db, "Fact_Airplane", &facts.join("airplanes.csv"), None, &["airplane_type"]);
    distances(&db);
    db.execute_batch(
        "CREATE INDEX Sold ON Reservation (Seat_ID);
         CREATE INDEX Paid ON Payment_Status (Reservation_ID);
         CREATE INDEX Place ON Seat_Details (Flight_ID, Travel_Class_ID);
         CREATE VIEW Flown AS SELECT * FROM Flight_Details
             LEFT JOIN Distance ON source = Source_Airport_ID AND destination = Destination_Airport_ID
             LEFT JOIN Fact_Airplane USING (Airplane_Type);
         COMMIT; ANALYZE",
    )
    .unwrap();
    db
}

/// The table Distance between airports: the angle between two directions from the centre of the Earth.
fn distances(db: &Connection) {
    let mut query = db.prepare("SELECT airport, latitude, longitude FROM Fact_Airport").unwrap();
    let direction = |row: &rusqlite::Row<'_>| {
        let (id, lat, lon): (f64, f64, f64) = (row.get(0)?, row.get(1)?, row.get(2)?);
        let ((sin, cos), (y, x)) = (lat.to_radians().sin_cos(), lon.to_radians().sin_cos());
        Ok((id as i64, [cos * x, cos * y, sin]))
    };
    let airports: Vec<(i64, [f64; 3])> =
        query.query_map([], direction).unwrap().map(|row| row.unwrap()).collect();
    db.execute_batch("CREATE TABLE Distance (source, destination, km, PRIMARY KEY (source, destination))")
        .unwrap();
    for (source, a) in &airports {
        for (destination, b) in &airports {
            let cosine: f64 = a.iter().zip(b).map(|(a, b)| a * b).sum();
            let km = 6371.0 * cosine.clamp(-1.0, 1.0).acos();
            db.execute("INSERT INTO Distance VALUES (?, ?, ?)", (source, destination, km)).unwrap();
        }
    }
}

/// How many rows a query gives, and the first of them.
fn rows(db: &Connection, query: &str) -> (usize, String) {
    let mut statement = db.prepare(query).unwrap_or_else(|error| panic!("{error}: {query}"));
    let columns = statement.column_count();
    let (mut found, mut count) = (statement.query([]).unwrap(), 0);
    let mut first = String::new();
    while let Some(row) = found.next().unwrap() {
        if count == 0 {
            let values: Vec<Value> = (0..columns).map(|at| row.get(at).unwrap()).collect();
            first = format!("{values:?}");
        }
        count += 1;
    }
    (count, first)
}

/// Fails, with the number of rows for each rule that is broken, unless all hold.
fn rules_hold(db: &Connection, rules: &[Rule]) {
    let mut broken = String::new();
    for Rule { name, query, .. } in rules {
        let (count, first) = rows(db, query);
        if count > 0 {
            broken += &format!("\n{name}: {count} rows are against it, such as {first}");
        }
    }
    for Table { name, .. } in TABLES {
        let count: i64 = db.query_row(&format!("SELECT count(*) FROM {name}"), [], |row| row.get(0)).unwrap();
        if count == 0 {
            broken += &format!("\n{name} has no rows");
        }
    }
    for (name, query, low, high) in GUARDS {
        let number: f64 = db.query_row(&format!("SELECT 1.0 * ({query})"), [], |row| row.get(0)).unwrap();
        if !(*low..=*high).contains(&number) {
            broken += &format!("\n{name}: {number}, which is not between {low} and {high}");
        }
    }
    assert!(broken.is_empty(), "{broken}");
}

/// Spoils the data for each rule, and wants the rule to see it.
fn rules_can_fail(db: &Connection, rules: &[Rule]) {
    for Rule { name, query, spoil } in rules {
        db.execute_batch("SAVEPOINT whole").unwrap();
        let changed = db.execute(spoil, []).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(changed > 0, "{name}: nothing was spoilt");
        assert!(rows(db, query).0 > 0, "{name}: the rule does not see spoilt rows");
        db.execute_batch("ROLLBACK TO whole; RELEASE whole").unwrap();
    }
}

fn all_rules() -> Vec<Rule> {
    let mut rules = rules_of_keys();
    rules.extend(rules_of_the_airline());
    rules
}

#[test]
fn the_airlines_tables_hang_together() {
    let path = root().join("rulesets/relational/airline-reservations.yaml");
    let ruleset = Ruleset::from_path(path).unwrap_or_else(|error| panic!("{error}"));
    let folder = tempfile::tempdir().unwrap();
    let job = Job { destination: Destination::Folder(folder.path().into()), ..Job::default() };
    generate(&ruleset, &job, &Quiet, &AtomicBool::new(false)).unwrap();
    let db = database(folder.path());
    let rules = all_rules();
    rules_hold(&db, &rules);
    rules_can_fail(&db, &rules);
}

#[test]
#[ignore = "reads the folder in LOOKALIKE_AIRLINE, made beforehand at any scale"]
fn the_airlines_tables_in_a_folder_hang_together() {
    let folder = std::env::var_os("LOOKALIKE_AIRLINE")
        .expect("LOOKALIKE_AIRLINE names a folder with the CSV files of the airline's tables");
    rules_hold(&database(Path::new(&folder)), &all_rules());
}
