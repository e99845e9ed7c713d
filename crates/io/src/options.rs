/// Options of all sinks; each reads its own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SinkOptions {
    /// Options of `csv`.
    pub csv: CsvOptions,
    /// Options of `parquet`.
    pub parquet: ParquetOptions,
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
