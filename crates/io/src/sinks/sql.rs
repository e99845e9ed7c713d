//! SQL: a script that makes the tables, with keys, references and checks, and fills them.
//!
//! A file holds all tables of a run, parents before children. Rows come in `INSERT` statements of [`BATCH_ROWS`] rows, or of
//! fewer once they have [`BATCH_BYTES`]; or, for PostgreSQL, in one `COPY … FROM stdin`. All of it is one transaction. In
//! PostgreSQL and MySQL references are added once all rows are there, in the other two with their table.
//!
//! The pieces of a run are scripts, to be run in order: the first makes the tables, the last adds the references where the
//! database can add them later. They are not the whole byte for byte, since a batch ends where its piece does.

use std::sync::Arc;

use lookalike_ruleset::TableSchema;
use polars::prelude::DataFrame;

use super::{Encoder, Holds, Sink, SinkKind, require_columns};
use crate::part::Body;
use crate::sql::{Definition, Literals, check_names, name};
use crate::{Dialect, Error, Output, Part, Pending, SinkOptions, SqlOptions, frame};

pub(super) const KIND: SinkKind = SinkKind {
    name: "sql",
    extension: "sql",
    summary: "SQL script that makes and fills the tables, for PostgreSQL, SQLite, DuckDB or MySQL",
    holds: Holds::Run,
    open,
};

/// Most rows of an `INSERT`.
const BATCH_ROWS: usize = 500;

/// Bytes of rows from which on an `INSERT` takes no further row: servers bound the length of a statement.
const BATCH_BYTES: usize = 1 << 20;

fn open(schema: &TableSchema, mut output: Output, options: &SinkOptions) -> Result<Box<dyn Sink>, Error> {
    let SqlOptions { dialect, copy } = options.sql;
    if copy && dialect != Dialect::Postgres {
        return Err(Error::Option("COPY … FROM stdin is PostgreSQL's alone; leave it out".to_owned()));
    }
    output.write(match dialect {
        Dialect::Postgres => {
            b"SET client_encoding = 'UTF8';\nSET standard_conforming_strings = on;\nBEGIN;\n"
        }
        Dialect::Sqlite => b"PRAGMA foreign_keys = ON;\nBEGIN;\n",
        Dialect::Duckdb => b"BEGIN;\n",
        Dialect::Mysql => {
            b"SET NAMES utf8mb4;\nSET SESSION sql_mode = 'STRICT_ALL_TABLES';\nSET autocommit = 0;\n"
        }
    })?;
    let script = Script { output, rows: 0, made: Vec::new(), references: String::new() };
    script.table(schema, options)
}

/// The file.
struct Script {
    output: Output,
    rows: u64,
    /// Names of the tables that stand before.
    made: Vec<String>,
    /// What is to be added once all rows are there.
    references: String,
}

impl Script {
    /// Begins a table.
    fn table(mut self, schema: &TableSchema, options: &SinkOptions) -> Result<Box<dyn Sink>, Error> {
        let SqlOptions { dialect, copy } = options.sql;
        require_columns(schema)?;
        check_names(dialect, schema)?;
        let definition = Definition { dialect, schema, constraints: &options.constraints };
        let later = matches!(dialect, Dialect::Postgres | Dialect::Mysql);
        let whole = options.piece.first && options.piece.last;
        if options.piece.first {
            let create = definition.create(|foreign| match dialect {
                Dialect::Postgres | Dialect::Mysql => false,
                Dialect::Sqlite => whole,
                Dialect::Duckdb => whole && self.made.contains(&foreign.parent),
            });
            self.output.write(format!("\n{create}").as_bytes())?;
        }
        if later && options.piece.last {
            self.references.push_str(&definition.references());
        }
        let columns: Vec<String> = schema.fields.iter().map(|field| name(dialect, &field.name)).collect();
        let into = format!("{} ({})", name(dialect, &schema.table), columns.join(", "));
        let start = if copy {
            format!("\nCOPY {into} FROM stdin;\n")
        } else {
            format!("\nINSERT INTO {into} VALUES\n")
        };
        self.made.push(schema.table.clone());
        let encoder = Arc::new(SqlEncoder { schema: schema.clone(), options: options.sql });
        Ok(Box::new(SqlSink { script: self, encoder, start, batch: None }))
    }
}

struct SqlEncoder {
    schema: TableSchema,
    options: SqlOptions,
}

impl Encoder for SqlEncoder {
    fn encode(&self, frame: &DataFrame) -> Result<Part, Error> {
        let SqlOptions { dialect, copy } = self.options;
        let columns = frame::columns(frame, &self.schema)?;
        let literals = columns.iter().zip(&self.schema.fields);
        let literals: Vec<Literals> = literals
            .map(|(series, field)| Literals::new(dialect, copy, KIND.name, field, series))
            .collect::<Result<_, _>>()?;
        let mut columns: Vec<_> = literals.iter().map(|literals| (literals.iter(), literals)).collect();
        let (mut text, mut ends) = (String::new(), Vec::with_capacity(frame.height()));
        for _ in 0..frame.height() {
            let (open, between, close) = if copy { ("", "\t", "\n") } else { ("(", ", ", ")") };
            text.push_str(open);
            for (at, (values, literals)) in columns.iter_mut().enumerate() {
                text.push_str(if at > 0 { between } else { "" });
                literals.append(values.next().flatten(), &mut text);
            }
            text.push_str(close);
            ends.push(text.len());
        }
        Ok(Part { rows: frame.height() as u64, body: Body::Rows(text.into_bytes(), ends) })
    }
}

struct SqlSink {
    script: Script,
    encoder: Arc<SqlEncoder>,
    /// What stands in front of a batch of rows.
    start: String,
    /// Rows and bytes of the batch that is open.
    batch: Option<(usize, usize)>,
}

impl SqlSink {
    /// Ends the table.
    fn end(mut self) -> Result<Script, Error> {
        if self.batch.is_some() {
            let end: &[u8] = if self.encoder.options.copy { b"\\.\n" } else { b";\n" };
            self.script.output.write(end)?;
        }
        Ok(self.script)
    }
}

impl Sink for SqlSink {
    fn encoder(&self) -> Arc<dyn Encoder> {
        self.encoder.clone()
    }

    fn write(&mut self, part: Part) -> Result<(), Error> {
        let Body::Rows(text, ends) = part.body else {
            return Err(Error::ForeignPart { format: KIND.name });
        };
        self.script.rows += part.rows;
        let mut bytes = Vec::with_capacity(text.len() + 2 * ends.len());
        let mut from = 0;
        for to in ends {
            let row = &text[from..to];
            from = to;
            let (rows, size) = match self.batch {
                None => {
                    bytes.extend_from_slice(self.start.as_bytes());
                    (0, 0)
                }
                Some(batch) => {
                    let between: &[u8] = if self.encoder.options.copy { b"" } else { b",\n" };
                    bytes.extend_from_slice(between);
                    batch
                }
            };
            bytes.extend_from_slice(row);
            self.batch = Some((rows + 1, size + row.len()));
            if !self.encoder.options.copy && (rows + 1 == BATCH_ROWS || size + row.len() >= BATCH_BYTES) {
                bytes.extend_from_slice(b";\n");
                self.batch = None;
            }
        }
        self.script.output.write(&bytes)
    }

    fn finish(self: Box<Self>) -> Result<Pending, Error> {
        let mut script = self.end()?;
        if !script.references.is_empty() {
            let references = format!("\n{}", script.references);
            script.output.write(references.as_bytes())?;
        }
        script.output.write(b"\nCOMMIT;\n")?;
        script.output.finish(script.rows)
    }

    fn next_table(
        self: Box<Self>,
        schema: &TableSchema,
        options: &SinkOptions,
    ) -> Result<Box<dyn Sink>, Error> {
        self.end()?.table(schema, options)
    }
}
