//! MariaDB, from scripts in MySQL's dialect.
//!
//! The server is started for the test, in a folder of its own and on a socket in it.

use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use lookalike::io::Dialect;
use lookalike::io::sources::values;
use lookalike::language::{Field, TableSchema, Type};
use lookalike::lock::digests;
use lookalike::polars::prelude::*;

use super::{AIRLINE, EBS, Made, hostile, in_order, is_root, not_tested, written};

/// A server, which ends with the test.
struct Server {
    folder: tempfile::TempDir,
    process: Child,
}

impl Server {
    /// Starts a server, if there is one to be had.
    fn start() -> Option<Server> {
        let (Some(install), Some(server), Some(_)) =
            (program("mariadb-install-db"), program("mariadbd"), program("mariadb"))
        else {
            not_tested("MariaDB, which stands for MySQL,");
            return None;
        };
        let folder = tempfile::tempdir().unwrap();
        let data = format!("--datadir={}", folder.path().join("data").display());
        // Only an administrator has to say that it shall run as one, and may.
        let user = is_root().then_some("--user=root");
        let mut install = Command::new(install);
        install.args([
            "--no-defaults",
            "--auth-root-authentication-method=normal",
            "--skip-test-db",
            "--skip-name-resolve",
        ]);
        install.arg(&data).args(user).stdin(Stdio::null());
        let made = install.output().unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let log = std::fs::File::create(folder.path().join("log")).unwrap();
        let mut server = Command::new(server);
        server
            .args(["--no-defaults", "--skip-networking", "--innodb-flush-log-at-trx-commit=0", &data])
            .args(user);
        server.arg(format!("--socket={}", folder.path().join("socket").display()));
        server.arg(format!("--pid-file={}", folder.path().join("pid").display()));
        server.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        let mut server = Server { process: server.spawn().unwrap(), folder };
        let begun = Instant::now();
        while !server.query("", "SELECT 1").status.success() {
            let log = || std::fs::read_to_string(server.folder.path().join("log")).unwrap_or_default();
            assert!(server.process.try_wait().unwrap().is_none(), "the server has ended\n{}", log());
            assert!(begun.elapsed() < Duration::from_secs(120), "the server does not answer\n{}", log());
            std::thread::sleep(Duration::from_millis(50));
        }
        Some(server)
    }

    fn client(&self, database: &str, characters: &str) -> Command {
        let mut command = Command::new("mariadb");
        command.args(["--no-defaults", "--batch", "--skip-column-names", "-uroot"]);
        command.arg(format!("--default-character-set={characters}"));
        command.arg(format!("--socket={}", self.folder.path().join("socket").display()));
        command.args((!database.is_empty()).then_some(database));
        command
    }

    fn query(&self, database: &str, query: &str) -> Output {
        self.client(database, "utf8mb4").args(["-e", query]).stdin(Stdio::null()).output().unwrap()
    }

    fn execute(&self, database: &str, query: &str) -> String {
        let output = self.query(database, query);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// Makes a database and runs a script in it; the client stops at the first error.
    fn load(&self, database: &str, script: std::fs::File) {
        self.execute("", &format!("CREATE DATABASE {database}"));
        // The script says by itself in which characters it is.
        let output = self.client(database, "latin1").stdin(script).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    /// The rows of a table, in any order.
    fn read(&self, database: &str, table: &str, schema: &TableSchema) -> DataFrame {
        let quoted = |name: &str| format!("`{}`", name.replace('`', "``"));
        let column = |field: &Field| {
            let name = quoted(&field.name);
            let text = match field.ty {
                Type::Bool => format!("IF({name}, 'true', 'false')"),
                Type::Datetime => format!("DATE_FORMAT({name}, '%Y-%m-%dT%H:%i:%s.%fZ')"),
                _ => name.clone(),
            };
            // In digits, so that no text needs an escape, and with a sign before them, so that an empty one is not null.
            format!("IF({name} IS NULL, '-', CONCAT('+', HEX(CONVERT({text} USING utf8mb4))))")
        };
        let columns: Vec<String> = schema.fields.iter().map(column).collect();
        let rows = self.execute(database, &format!("SELECT {} FROM {}", columns.join(", "), quoted(table)));
        let mut texts: Vec<Vec<Option<String>>> = vec![Vec::new(); schema.fields.len()];
        for row in rows.lines() {
            let mut cells = row.split('\t');
            for (column, field) in texts.iter_mut().zip(&schema.fields) {
                column.push(cells.next().unwrap().strip_prefix('+').map(|digits| text(field, digits)));
            }
            assert_eq!(cells.next(), None);
        }
        let height = texts[0].len();
        let column = |(field, texts): (&Field, Vec<Option<String>>)| {
            values(field, &texts.iter().map(Option::as_deref).collect()).unwrap().into_column()
        };
        DataFrame::new(height, schema.fields.iter().zip(texts).map(column).collect()).unwrap()
    }
}

/// Where a program is; servers lie apart from what everybody runs.
fn program(name: &str) -> Option<PathBuf> {
    let paths = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&paths).chain(["/usr/sbin".into()]);
    folders.map(|folder| folder.join(name)).find(|path| path.is_file())
}

impl Drop for Server {
    fn drop(&mut self) {
        // Nothing of it is kept.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A value as CSV writes it, of its bytes in hexadecimal digits.
fn text(field: &Field, digits: &str) -> String {
    let byte = |at: usize| u8::from_str_radix(&digits[at..at + 2], 16).unwrap();
    let text = String::from_utf8((0..digits.len()).step_by(2).map(byte).collect()).unwrap();
    if field.ty != Type::Duration {
        return text;
    }
    let micros: i64 = text.parse().unwrap();
    let sign = if micros < 0 { "-" } else { "" };
    format!("PT{sign}{}.{:06}S", micros.unsigned_abs() / 1_000_000, micros.unsigned_abs() % 1_000_000)
}

#[test]
fn scripts_come_back_as_they_were() {
    let Some(server) = Server::start() else { return };
    for (database, ruleset, primary, foreign) in [("ebs", EBS, 1, 0), ("airline", AIRLINE, 9, 10)] {
        let made = Made::new(ruleset, "sql", Dialect::Mysql, false);
        server.load(database, std::fs::File::open(made.file("sql")).unwrap());
        made.compare(|table, schema| {
            let rows = made.ruleset.table(table).unwrap().collect().unwrap();
            in_order(&rows, &server.read(database, table, schema), schema)
        });
        let count = |kind: &str| -> u64 {
            let query = format!(
                "SELECT count(*) FROM information_schema.table_constraints
                WHERE constraint_schema = '{database}' AND constraint_type = '{kind}'"
            );
            server.execute("", &query).trim().parse().unwrap()
        };
        assert_eq!((count("PRIMARY KEY"), count("FOREIGN KEY")), (primary, foreign), "{ruleset}");
        assert!(count("CHECK") > 0, "{ruleset}");
    }
    for (spoil, said) in [
        ("INSERT INTO Reservation SELECT * FROM Reservation LIMIT 1", "Duplicate entry"),
        ("UPDATE Reservation SET Seat_ID = NULL WHERE Reservation_ID = 1", "cannot be null"),
        ("UPDATE Reservation SET Seat_ID = -1 WHERE Reservation_ID = 1", "foreign key constraint fails"),
        ("UPDATE Service_Offering SET From_Date = '2020-01-01' WHERE Service_ID = 1", "CONSTRAINT"),
        ("DELETE FROM Airport", "foreign key constraint fails"),
    ] {
        let output = server.query("airline", &format!("SET sql_mode = 'STRICT_ALL_TABLES'; {spoil}"));
        assert!(!output.status.success(), "{spoil}");
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(error.contains(said), "{spoil}: {error}");
    }
}

#[test]
fn hostile_names_and_values_come_back_as_they_were() {
    let Some(server) = Server::start() else { return };
    let (schema, frame) = hostile();
    let script = server.folder.path().join("script");
    std::fs::write(&script, written("sql", Dialect::Mysql, false, &schema, &frame)).unwrap();
    server.load("hostile", std::fs::File::open(script).unwrap());
    // MariaDB, unlike MySQL, has but one zero.
    let mut made = frame.clone();
    let one_zero = frame.column("\\").unwrap().f64().unwrap().apply_values(|x| x + 0.0);
    made.with_column(one_zero.into_column()).unwrap();
    let read = in_order(&made, &server.read("hostile", &schema.table, &schema), &schema);
    assert_eq!(digests(&schema.fields, &made).unwrap(), digests(&schema.fields, &read).unwrap(), "{read}");
}
