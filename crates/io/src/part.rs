use polars::prelude::ArrayRef;
use polars_arrow::compute::aggregate::estimated_bytes_size;
use polars_arrow::record_batch::RecordBatch;
use polars_parquet::write::CompressedPage;

/// A unit of rows, encoded on any thread and to be written in order.
pub struct Part {
    pub(crate) rows: u64,
    pub(crate) body: Body,
}

/// What a [`Part`] holds; each sink knows its own.
pub(crate) enum Body {
    /// Text, ready to write.
    Bytes(Vec<u8>),
    /// Rows of text, and where each ends.
    Rows(Vec<u8>, Vec<usize>),
    /// Texts of files, by name.
    Files(Vec<(String, Vec<u8>)>),
    /// Columns of single values.
    #[cfg(feature = "sqlite")]
    Cells(Vec<crate::sinks::Cells>),
    /// The compressed pages of each column of a row group.
    RowGroup(Vec<Vec<CompressedPage>>),
    /// The columns of a record batch.
    Batch(RecordBatch),
}

impl Part {
    /// Text that is ready to be written by a sink of a text format.
    pub fn text(rows: u64, bytes: Vec<u8>) -> Part {
        Part { rows, body: Body::Bytes(bytes) }
    }

    /// Number of rows.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Bytes of memory held, roughly; what a queue of parts should count.
    pub fn size(&self) -> usize {
        match &self.body {
            Body::Bytes(bytes) | Body::Rows(bytes, _) => bytes.len(),
            Body::Files(files) => files.iter().map(|(name, bytes)| name.len() + bytes.len()).sum(),
            #[cfg(feature = "sqlite")]
            Body::Cells(columns) => columns.iter().map(crate::sinks::Cells::size).sum(),
            // The dictionaries are private to the engine, and small beside the pages.
            Body::RowGroup(columns) => columns.iter().flatten().map(page_size).sum(),
            Body::Batch(batch) => batch.columns().iter().map(array_size).sum(),
        }
    }
}

fn page_size(page: &CompressedPage) -> usize {
    match page {
        CompressedPage::Data(page) => page.compressed_size(),
        CompressedPage::Dict(_) => 0,
    }
}

fn array_size(array: &ArrayRef) -> usize {
    estimated_bytes_size(array.as_ref())
}
