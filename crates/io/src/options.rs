use lookalike_core::declared::Constraints;

/// Options of all sinks; each reads its own.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SinkOptions {
    /// Options of `csv`.
    pub csv: CsvOptions,
    /// Options of `parquet`.
    pub parquet: ParquetOptions,
    /// Options of `sql`.
    pub sql: SqlOptions,
    /// Which piece of the table the file holds.
    pub piece: Piece,
    /// What holds for all rows of the table, for formats that can say so.
    pub constraints: Constraints,
}

/// Which piece of a table a file holds, of several that are to be joined. Most formats ignore it: their pieces are files of
/// their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Piece {
    /// Whether it is the first, with what stands before all rows.
    pub first: bool,
    /// Whether a row of the table stands in a piece before.
    pub after_rows: bool,
    /// Whether it is the last, with what stands behind all rows.
    pub last: bool,
}

impl Default for Piece {
    fn default() -> Self {
        Piece { first: true, after_rows: false, last: true }
    }
}

/// Options of the SQL sink.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SqlOptions {
    /// For which database.
    pub dialect: Dialect,
    /// Whether rows come as `COPY … FROM stdin`, which psql reads, instead of `INSERT`. PostgreSQL alone has it.
    pub copy: bool,
}

/// A database's way to write SQL.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Dialect {
    /// PostgreSQL, from version 12 on.
    #[default]
    Postgres,
    /// SQLite, from version 3.23 on.
    Sqlite,
    /// DuckDB.
    Duckdb,
    /// MySQL from version 8.0.16 on, and MariaDB from 10.5 on.
    Mysql,
}

/// Options of the CSV sink.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CsvOptions {
    /// What stands for null; never quoted. Text that equals it is quoted.
    pub null: String,
    /// Which values are quoted beyond need.
    pub quote: Quote,
    /// What stands between values: any ASCII character but a letter, a digit, a quote, a line end or one of `+-.:`.
    pub delimiter: u8,
    /// Whether the first line names the columns.
    pub header: bool,
}

impl Default for CsvOptions {
    fn default() -> Self {
        CsvOptions { null: String::new(), quote: Quote::Minimal, delimiter: b',', header: true }
    }
}

/// Which values of a CSV file are quoted. Null never is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quote {
    /// Text that needs it: it contains the delimiter, a quote or a line end, starts or ends with a space, is empty, or
    /// equals the null text.
    Minimal,
    /// All values.
    All,
    /// All values but numbers.
    Text,
}

/// Options of the Parquet sink.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ParquetOptions {
    /// How pages are compressed.
    pub compression: ParquetCompression,
}

/// How the pages of a Parquet file are compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParquetCompression {
    /// Zstandard at this level, 1 (fast) to 22 (small).
    Zstd(u8),
    /// Snappy.
    Snappy,
    /// Not at all.
    None,
}

impl Default for ParquetCompression {
    fn default() -> Self {
        ParquetCompression::Zstd(3)
    }
}
