//! PostgreSQL, from scripts with `INSERT` and with `COPY`.
//!
//! The server is started for the test, in a folder of its own and on a socket in it, under a user of the system that may be
//! no administrator, which the server insists on.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use lookalike::io::{Dialect, SourceOptions};
use lookalike::language::{TableSchema, Type};
use lookalike::polars::prelude::DataFrame;

use super::{AIRLINE, EBS, Made, hostile, in_order, is_root, not_tested, written};
use lookalike::lock::digests;

/// A server, which ends with the test.
pub(super) struct Server {
    folder: tempfile::TempDir,
    programs: PathBuf,
}

impl Server {
    /// Starts a server, if there is one to be had.
    fn start() -> Option<Server> {
        let Some(programs) = programs() else {
            not_tested("PostgreSQL");
            return None;
        };
        let folder = tempfile::tempdir().unwrap();
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o777)).unwrap();
        }
        let server = Server { folder, programs };
        let data = server.data();
        server.run("initdb", &["-D", &data, "-A", "trust", "-U", "tester", "-E", "UTF8", "--locale=C", "-N"]);
        let socket = server.socket();
        let options = format!(
            "-c listen_addresses= -c unix_socket_directories={socket} -c fsync=off -c autovacuum=off"
        );
        let log = server.folder.path().join("log");
        server.run("pg_ctl", &["-D", &data, "-w", "-l", log.to_str().unwrap(), "-o", &options, "start"]);
        Some(server)
    }

    fn data(&self) -> String {
        self.folder.path().join("data").display().to_string()
    }

    fn socket(&self) -> String {
        self.folder.path().display().to_string()
    }

    /// Runs a program of the server's.
    fn run(&self, program: &str, arguments: &[&str]) {
        let program = self.programs.join(program);
        let mut command = if is_root() {
            let mut command = Command::new("runuser");
            command.args(["-u", "postgres", "--"]).arg(&program);
            command
        } else {
            Command::new(&program)
        };
        // The server keeps what it inherits open, so nothing is read from it.
        command.args(arguments).current_dir(self.folder.path()).stdout(Stdio::null()).stderr(Stdio::null());
        let status = command.status().unwrap();
        assert!(status.success(), "{} {arguments:?}", program.display());
    }

    /// Runs psql; it stops at the first error.
    fn psql(&self, database: &str, arguments: &[&str]) -> Output {
        let mut command = Command::new("psql");
        command.args([
            "-X",
            "-q",
            "-v",
            "ON_ERROR_STOP=1",
            "-U",
            "tester",
            "-h",
            &self.socket(),
            "-d",
            database,
        ]);
        command.args(arguments).env("PGCLIENTENCODING", "UTF8").output().unwrap()
    }

    fn execute(&self, database: &str, arguments: &[&str]) -> Vec<u8> {
        let output = self.psql(database, arguments);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        output.stdout
    }

    /// The rows of a table, in any order: pages are not filled one after the other.
    fn read(&self, database: &str, table: &str, schema: &TableSchema) -> DataFrame {
        let column = |field: &lookalike::language::Field| {
            let name = format!("\"{}\"", field.name.replace('"', "\"\""));
            match field.ty {
                Type::Bool => {
                    format!("CASE WHEN {name} THEN 'true' WHEN NOT {name} THEN 'false' END AS {name}")
                }
                Type::Datetime => {
                    format!(
                        "to_char({name} AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"') AS {name}"
                    )
                }
                Type::Duration => {
                    format!("'PT' || extract(epoch FROM {name})::numeric(30,6) || 'S' AS {name}")
                }
                _ => name,
            }
        };
        let columns: Vec<String> = schema.fields.iter().map(column).collect();
        let query = format!(
            "COPY (SELECT {} FROM {}) TO STDOUT (FORMAT csv, HEADER, FORCE_QUOTE *)",
            columns.join(", "),
            format_args!("\"{}\"", table.replace('"', "\"\""))
        );
        let path = self.folder.path().join(format!("{database}.csv"));
        std::fs::write(&path, self.execute(database, &["-c", &query])).unwrap();
        let types = schema.fields.iter().map(|field| (field.name.clone(), field.ty)).collect();
        let options = SourceOptions { types, csv_delimiter: Some(b','), ..SourceOptions::default() };
        lookalike::io::read_all(&path, Some("csv"), &options).unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.run("pg_ctl", &["-D", &self.data(), "-m", "immediate", "stop"]);
        if is_root() {
            // What is another user's.
            let _ = std::fs::remove_dir_all(self.data());
        }
    }
}

/// The folder with the newest server's programs.
fn programs() -> Option<PathBuf> {
    let mut folders: Vec<PathBuf> = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path().join("bin")))
        .collect();
    folders.sort();
    let paths = std::env::var_os("PATH").unwrap_or_default();
    folders.splice(0..0, std::env::split_paths(&paths));
    let has = |folder: &Path, program: &str| folder.join(program).is_file();
    let has_psql = std::env::split_paths(&paths).any(|folder| has(&folder, "psql"));
    folders.into_iter().rev().find(|folder| has_psql && has(folder, "initdb") && has(folder, "pg_ctl"))
}

#[test]
fn scripts_come_back_as_they_were() {
    let Some(server) = Server::start() else { return };
    for (number, (ruleset, copy, primary, foreign)) in
        [(EBS, false, 1, 0), (EBS, true, 1, 0), (AIRLINE, false, 9, 10), (AIRLINE, true, 9, 10)]
            .into_iter()
            .enumerate()
    {
        let made = Made::new(ruleset, "sql", Dialect::Postgres, copy);
        let database = format!("d{number}");
        server.execute("postgres", &["-c", &format!("CREATE DATABASE {database}")]);
        server.execute(&database, &["-f", made.file("sql").to_str().unwrap()]);
        made.compare(|table, schema| {
            let rows = made.ruleset.table(table).unwrap().collect().unwrap();
            in_order(&rows, &server.read(&database, table, schema), schema)
        });
        let count = |kind: char| {
            let query = format!(
                "SELECT count(*) FROM pg_constraint WHERE contype = '{kind}' AND convalidated AND connamespace = 'public'::regnamespace"
            );
            let text = server.execute(&database, &["-At", "-c", &query]);
            String::from_utf8(text).unwrap().trim().parse::<u64>().unwrap()
        };
        assert_eq!((count('p'), count('f')), (primary, foreign), "{ruleset}");
        assert!(count('c') > 0, "{ruleset}");
    }
    for spoil in [
        r#"UPDATE "Reservation" SET "Reservation_ID" = 2 WHERE "Reservation_ID" = 1"#,
        r#"UPDATE "Reservation" SET "Seat_ID" = -1 WHERE "Reservation_ID" = 1"#,
        r#"UPDATE "Service_Offering" SET "From_Date" = '2020-01-01' WHERE "Service_ID" = 1"#,
        r#"DELETE FROM "Airport""#,
    ] {
        let output = server.psql("d2", &["-c", spoil]);
        assert!(!output.status.success(), "{spoil}");
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(error.contains("violates"), "{spoil}: {error}");
    }
}

#[test]
fn hostile_names_and_values_come_back_as_they_were() {
    let Some(server) = Server::start() else { return };
    let (schema, frame) = hostile();
    for (database, copy) in [("inserted", false), ("copied", true)] {
        let script = server.folder.path().join(database);
        std::fs::write(&script, written("sql", Dialect::Postgres, copy, &schema, &frame)).unwrap();
        server.execute("postgres", &["-c", &format!("CREATE DATABASE {database}")]);
        server.execute(database, &["-f", script.to_str().unwrap()]);
        let read = in_order(&frame, &server.read(database, &schema.table, &schema), &schema);
        assert_eq!(
            digests(&schema.fields, &frame).unwrap(),
            digests(&schema.fields, &read).unwrap(),
            "{read}"
        );
    }
}
