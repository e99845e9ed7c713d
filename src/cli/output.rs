//! Arguments that say where rows go, in which form, and how the work is done.

use std::path::{Path, PathBuf};

use clap::ValueEnum;
use clap::builder::PossibleValue;

use super::args;
use crate::io::{Dialect, ParquetCompression, SINKS, SinkKind, SinkOptions};
use crate::pipeline::{Destination, Job};

/// Where rows go, and how the work is done.
#[derive(clap::Args)]
pub struct OutputArgs {
    /// Folder to write to, or - for standard output [default: outputs/<name>-<seed>].
    #[arg(short, long, value_name = "DIR", help_heading = "Output")]
    output: Option<PathBuf>,
    /// Parquet: zstd, zstd:LEVEL (1 to 22), snappy or none.
    #[arg(long, value_name = "HOW", default_value = "zstd", value_parser = compression, help_heading = "Output")]
    parquet_compression: ParquetCompression,
    /// SQL: for which database.
    #[arg(long, value_enum, value_name = "DATABASE", default_value = "postgres", help_heading = "Output")]
    sql_dialect: SqlDialect,
    /// SQL: rows as `COPY … FROM stdin`, which psql reads, instead of INSERT.
    #[arg(long, help_heading = "Output")]
    sql_copy: bool,

    /// Threads to work on [default: one for each processor].
    #[arg(long, value_name = "N", value_parser = args::positive, help_heading = "Running")]
    threads: Option<usize>,
    /// Print errors only.
    #[arg(short, long, help_heading = "Running")]
    pub quiet: bool,
}

impl OutputArgs {
    /// Whether rows go to standard output.
    pub fn is_stdout(&self) -> bool {
        self.output.as_ref().is_some_and(|path| path.as_os_str() == "-")
    }

    /// A job that writes what is called `name` and made with a seed, in these formats or else in the standard ones.
    pub fn job(&self, name: &str, seed: u64, formats: &[Format], standard: &[&str]) -> Job {
        let destination = match &self.output {
            Some(_) if self.is_stdout() => Destination::Stdout,
            Some(path) => Destination::Folder(path.clone()),
            None => Destination::Folder(Path::new("outputs").join(format!("{name}-{seed}"))),
        };
        let is_wanted = |kind: &&SinkKind| match formats {
            [] => standard.contains(&kind.name),
            formats => formats.iter().any(|format| format.0.name == kind.name),
        };
        let mut options = SinkOptions::default();
        options.parquet.compression = self.parquet_compression;
        options.sql.copy = self.sql_copy;
        options.sql.dialect = match self.sql_dialect {
            SqlDialect::Postgres => Dialect::Postgres,
            SqlDialect::Sqlite => Dialect::Sqlite,
            SqlDialect::Duckdb => Dialect::Duckdb,
            SqlDialect::Mysql => Dialect::Mysql,
        };
        let other = Job::default();
        Job {
            destination,
            formats: SINKS.iter().filter(is_wanted).copied().collect(),
            options,
            threads: self.threads.unwrap_or(other.threads),
            ..other
        }
    }
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum SqlDialect {
    Postgres,
    Sqlite,
    Duckdb,
    Mysql,
}

/// A file format by its name on the command line.
#[derive(Clone, Copy, Debug)]
pub struct Format(SinkKind);

impl ValueEnum for Format {
    fn value_variants<'a>() -> &'a [Format] {
        static FORMATS: std::sync::LazyLock<Vec<Format>> =
            std::sync::LazyLock::new(|| SINKS.iter().copied().map(Format).collect());
        &FORMATS
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(self.0.name))
    }
}

fn compression(text: &str) -> Result<ParquetCompression, String> {
    let expected = "expected zstd, zstd:LEVEL (1 to 22), snappy or none";
    match text.split_once(':') {
        None if text == "zstd" => Ok(ParquetCompression::default()),
        None if text == "snappy" => Ok(ParquetCompression::Snappy),
        None if text == "none" => Ok(ParquetCompression::None),
        Some(("zstd", level)) => match level.parse() {
            Ok(level @ 1..=22) => Ok(ParquetCompression::Zstd(level)),
            _ => Err(expected.into()),
        },
        _ => Err(expected.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compressions_have_levels_in_range() {
        assert_eq!(compression("zstd:22"), Ok(ParquetCompression::Zstd(22)));
        assert_eq!(compression("none"), Ok(ParquetCompression::None));
        for wrong in ["", "gzip", "zstd:0", "zstd:23", "zstd:", "snappy:1", "none:"] {
            assert!(compression(wrong).is_err(), "{wrong}");
        }
    }
}
