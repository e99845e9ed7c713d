//! A file of SQLite, with all tables of a run, parents before children, and all constraints on.
//!
//! Booleans are 0 and 1, decimals numbers of up to 15 digits, dates and stamps the texts of CSV, lengths of time
//! microseconds. The same rows give the same bytes with one version of SQLite, which comes with the program; another
//! version writes its number into the file, and may lay it out in another way.
//!
//! The file is made beside its final place under a hidden name, or in the folder for temporary files, and then copied.

use std::fs::File;
use std::io::{self, Read};
use std::sync::Arc;

use lookalike_ruleset::{Field, TableSchema, Type};
use polars::prelude::*;
use rusqlite::types::{ToSqlOutput, Value, ValueRef};
use rusqlite::{Connection, params_from_iter};
use tempfile::NamedTempFile;

use super::{Encoder, Holds, Sink, SinkKind, require_columns};
use crate::part::Body;
use crate::sql::{Definition, check_names, fits, name};
use crate::{Dialect, Error, Output, Part, Pending, SinkOptions, frame, texts};

pub(super) const KIND: SinkKind = SinkKind {
    name: "sqlite",
    extension: "sqlite",
    summary: "file of SQLite with the tables",
    holds: Holds::Run,
    open,
};

/// No journal and no waiting for the disk: a file that is not complete is thrown away.
const SETTINGS: &str = "PRAGMA page_size = 4096; PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;
    PRAGMA locking_mode = EXCLUSIVE; PRAGMA foreign_keys = ON; BEGIN;";

fn open(schema: &TableSchema, output: Output, options: &SinkOptions) -> Result<Box<dyn Sink>, Error> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".sqlite.").suffix(".tmp");
    let file = match output.folder() {
        Some(folder) => builder.tempfile_in(folder),
        None => builder.tempfile(),
    };
    let file = file.map_err(|error| Error::write(output.path(), error))?;
    let failed = refused(&output);
    let connection = Connection::open(file.path()).map_err(&failed)?;
    connection.execute_batch(SETTINGS).map_err(&failed)?;
    Database { file, connection, output, rows: 0 }.table(schema, options)
}

/// What SQLite says, as trouble with the output.
fn refused(output: &Output) -> impl Fn(rusqlite::Error) -> Error + use<> {
    let path = output.path().map(std::path::Path::to_path_buf);
    move |error| {
        let kind = match error.sqlite_error_code() {
            Some(rusqlite::ErrorCode::DiskFull) => io::ErrorKind::StorageFull,
            Some(rusqlite::ErrorCode::PermissionDenied) => io::ErrorKind::PermissionDenied,
            _ => io::ErrorKind::Other,
        };
        Error::write(path.as_deref(), io::Error::new(kind, format!("SQLite: {error}")))
    }
}

/// The file.
struct Database {
    file: NamedTempFile,
    connection: Connection,
    output: Output,
    rows: u64,
}

impl Database {
    /// Begins a table.
    fn table(self, schema: &TableSchema, options: &SinkOptions) -> Result<Box<dyn Sink>, Error> {
        require_columns(schema)?;
        check_names(Dialect::Sqlite, schema)?;
        let definition = Definition { dialect: Dialect::Sqlite, schema, constraints: &options.constraints };
        // A piece of the rows lacks parents that are in others.
        let whole = options.piece.first && options.piece.last;
        self.connection.execute_batch(&definition.create(|_| whole)).map_err(refused(&self.output))?;
        let values = vec!["?"; schema.fields.len()].join(", ");
        let insert = format!("INSERT INTO {} VALUES ({values})", name(Dialect::Sqlite, &schema.table));
        let encoder = Arc::new(SqliteEncoder { schema: schema.clone() });
        Ok(Box::new(SqliteSink { database: self, encoder, insert }))
    }
}

/// The values of one column of a unit.
pub(crate) enum Cells {
    Int(Int64Chunked),
    Float(Float64Chunked),
    Text(StringChunked),
}

impl Cells {
    fn new(field: &Field, series: &Series) -> Result<Cells, Error> {
        fits(Dialect::Sqlite, KIND.name, field, series)?;
        let engine = Error::engine(KIND.name);
        let whole = |series: &Series| series.cast(&DataType::Int64)?.i64().cloned();
        Ok(match field.ty {
            Type::Bool | Type::Int => Cells::Int(whole(series).map_err(engine)?),
            Type::Duration => Cells::Int(whole(&series.to_physical_repr()).map_err(engine)?),
            Type::Float => Cells::Float(series.f64().cloned().map_err(engine)?),
            Type::Decimal(scale) => {
                // Fewer digits than a double holds, so the quotient is the double nearest to the number.
                let units = whole(&series.to_physical_repr()).map_err(engine)?;
                let one = 10f64.powi(i32::from(scale));
                Cells::Float(units.iter().map(|units| units.map(|units| units as f64 / one)).collect())
            }
            Type::Text | Type::Date | Type::Datetime => Cells::Text(texts(field, series)?),
        })
    }

    fn iter(&self) -> Box<dyn Iterator<Item = ValueRef<'_>> + '_> {
        match self {
            Cells::Int(values) => {
                Box::new(values.iter().map(|v| v.map_or(ValueRef::Null, ValueRef::Integer)))
            }
            Cells::Float(values) => Box::new(values.iter().map(|v| v.map_or(ValueRef::Null, ValueRef::Real))),
            Cells::Text(values) => Box::new(
                values.iter().map(|v| v.map_or(ValueRef::Null, |text| ValueRef::Text(text.as_bytes()))),
            ),
        }
    }

    /// Bytes of memory, roughly.
    pub(crate) fn size(&self) -> usize {
        match self {
            Cells::Int(values) => values.len() * 8,
            Cells::Float(values) => values.len() * 8,
            Cells::Text(values) => values.iter().flatten().map(|text| text.len() + 16).sum(),
        }
    }
}

struct SqliteEncoder {
    schema: TableSchema,
}

impl Encoder for SqliteEncoder {
    fn encode(&self, frame: &DataFrame) -> Result<Part, Error> {
        let columns = frame::columns(frame, &self.schema)?;
        let cells = columns.iter().zip(&self.schema.fields).map(|(series, field)| Cells::new(field, series));
        Ok(Part { rows: frame.height() as u64, body: Body::Cells(cells.collect::<Result<_, _>>()?) })
    }
}

struct SqliteSink {
    database: Database,
    encoder: Arc<SqliteEncoder>,
    insert: String,
}

impl Sink for SqliteSink {
    fn encoder(&self) -> Arc<dyn Encoder> {
        self.encoder.clone()
    }

    fn write(&mut self, part: Part) -> Result<(), Error> {
        let Body::Cells(columns) = part.body else {
            return Err(Error::ForeignPart { format: KIND.name });
        };
        let failed = refused(&self.database.output);
        let mut insert = self.database.connection.prepare(&self.insert).map_err(&failed)?;
        let mut columns: Vec<_> = columns.iter().map(Cells::iter).collect();
        for _ in 0..part.rows {
            let row = columns
                .iter_mut()
                .map(|cells| cells.next().map_or(ToSqlOutput::Owned(Value::Null), ToSqlOutput::Borrowed));
            insert.execute(params_from_iter(row)).map_err(&failed)?;
        }
        self.database.rows += part.rows;
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<Pending, Error> {
        let Database { file, connection, mut output, rows } = self.database;
        let failed = refused(&output);
        connection.execute_batch("COMMIT;").map_err(&failed)?;
        connection.close().map_err(|(_, error)| failed(error))?;
        let read = |error| Error::write(Some(file.path()), error);
        let mut bytes = File::open(file.path()).map_err(read)?;
        let mut buffer = vec![0; 1 << 20];
        loop {
            match bytes.read(&mut buffer).map_err(read)? {
                0 => break,
                len => output.write(&buffer[..len])?,
            }
        }
        output.finish(rows)
    }

    fn next_table(
        self: Box<Self>,
        schema: &TableSchema,
        options: &SinkOptions,
    ) -> Result<Box<dyn Sink>, Error> {
        self.database.table(schema, options)
    }
}
