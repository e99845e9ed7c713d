//! Parquet files: one row group a unit, its pages encoded and compressed by the encoder.
//!
//! Every reader sees text columns as strings; one of fixed categories keeps its dictionary, and other text gets one if
//! values repeat. Decimals are `DECIMAL(18, s)` in 64 bits, datetimes are `TIMESTAMP(MICROS)` not adjusted to UTC,
//! meaning UTC. Parquet has no type for a length of time: it is a 64-bit number of microseconds, which Arrow libraries
//! read as a duration through the Arrow schema in the footer. Statistics (minimum, maximum, nulls) are in every column
//! chunk; those of categories span all categories that are possible. The footer holds nothing that varies.

use std::sync::Arc;

use lookalike_ruleset::{TableSchema, Type};
use polars::prelude::{
    ArrayRef, ArrowDataType, ArrowField, ArrowSchema, CompatLevel, DataFrame, PolarsError,
};
use polars_parquet::read::ParquetError;
use polars_parquet::write::{
    CompressedPage, CompressionOptions, Compressor, DynIter, DynStreamingIterator, Encoding, FileWriter,
    ParquetType, StatisticsOptions, Version, WriteOptions, ZstdLevel, array_to_columns,
    fallible_streaming_iterator, to_parquet_type,
};

use super::{Encoder, Holds, Sink, SinkKind, require_columns};
use crate::part::Body;
use crate::staging::Staging;
use crate::{Error, Output, ParquetCompression, Part, Pending, SinkOptions, frame};

pub(super) const KIND: SinkKind = SinkKind {
    name: "parquet",
    extension: "parquet",
    summary: "Apache Parquet, zstd-compressed, one row group a unit of rows",
    holds: Holds::Table,
    open,
};

/// Most bytes of a minimum or maximum text in the statistics.
const STATISTICS_TEXT: u64 = 64;

fn open(schema: &TableSchema, output: Output, options: &SinkOptions) -> Result<Box<dyn Sink>, Error> {
    require_columns(schema)?;
    let engine = Error::engine(KIND.name);
    let compression = match options.parquet.compression {
        ParquetCompression::Snappy => CompressionOptions::Snappy,
        ParquetCompression::None => CompressionOptions::Uncompressed,
        ParquetCompression::Zstd(level) => {
            let level = ZstdLevel::try_new(i32::from(level))
                .map_err(|_| Error::Option(format!("zstd levels go from 1 to 22, not {level}")))?;
            CompressionOptions::Zstd(Some(level))
        }
    };
    let options = WriteOptions {
        statistics: StatisticsOptions {
            binary_statistics_truncate_length: Some(STATISTICS_TEXT),
            ..StatisticsOptions::default()
        },
        version: Version::V1,
        compression,
        data_page_size: None,
    };
    let arrow: ArrowSchema = schema
        .fields
        .iter()
        .map(|field| {
            let dtype = match field.ty {
                Type::Text => ArrowDataType::LargeUtf8,
                ty => frame::physical(ty).to_arrow(CompatLevel::oldest()),
            };
            let name = field.name.as_str();
            (name.into(), ArrowField::new(name.into(), dtype, field.nullable))
        })
        .collect();
    let types = arrow.iter_values().map(to_parquet_type).collect::<Result<_, _>>().map_err(&engine)?;
    let staging = Staging::default();
    let writer = FileWriter::try_new(staging.clone(), arrow, options).map_err(&engine)?;
    let encoder = Arc::new(ParquetEncoder { schema: schema.clone(), types, options });
    Ok(Box::new(ParquetSink { encoder, writer, staging, output, rows: 0 }))
}

struct ParquetEncoder {
    schema: TableSchema,
    types: Vec<ParquetType>,
    options: WriteOptions,
}

impl Encoder for ParquetEncoder {
    fn encode(&self, frame: &DataFrame) -> Result<Part, Error> {
        let columns = frame::columns(frame, &self.schema)?;
        let rows = frame.height();
        let pages = columns
            .iter()
            .zip(&self.types)
            .zip(&self.schema.fields)
            // An empty series may have no chunk to convert; an empty unit is never written.
            .filter(|_| rows > 0)
            .map(|((series, ty), field)| {
                // A float dictionary would cost its hashing for nothing and could merge -0.0 with 0.0. For the rest the
                // engine looks first whether values repeat, so that ids get none.
                let encoding = match field.ty {
                    Type::Bool | Type::Float => Encoding::Plain,
                    _ => Encoding::RleDictionary,
                };
                let array = series.to_arrow(0, CompatLevel::newest());
                self.pages(array, ty, encoding)
            })
            .collect::<Result<_, _>>()
            .map_err(Error::engine(KIND.name))?;
        Ok(Part { rows: rows as u64, body: Body::RowGroup(pages) })
    }
}

impl ParquetEncoder {
    /// The compressed pages of one column.
    fn pages(
        &self,
        array: ArrayRef,
        ty: &ParquetType,
        encoding: Encoding,
    ) -> Result<Vec<CompressedPage>, PolarsError> {
        let mut pages = Vec::new();
        for column in array_to_columns(array, ty.clone(), self.options, &[encoding])? {
            let column = column.map(|page| page.map_err(|error| ParquetError::OutOfSpec(error.to_string())));
            for page in Compressor::new_from_vec(column, self.options.compression, Vec::new()) {
                pages.push(page?);
            }
        }
        Ok(pages)
    }
}

struct ParquetSink {
    encoder: Arc<ParquetEncoder>,
    writer: FileWriter<Staging>,
    staging: Staging,
    output: Output,
    rows: u64,
}

impl Sink for ParquetSink {
    fn encoder(&self) -> Arc<dyn Encoder> {
        self.encoder.clone()
    }

    fn write(&mut self, part: Part) -> Result<(), Error> {
        let Body::RowGroup(columns) = part.body else {
            return Err(Error::ForeignPart { format: KIND.name });
        };
        if part.rows == 0 {
            return Ok(());
        }
        self.rows += part.rows;
        let columns = columns.iter().map(|pages| {
            Ok(DynStreamingIterator::new(fallible_streaming_iterator::convert(
                pages.iter().map(Ok::<_, PolarsError>),
            )))
        });
        self.writer.write(part.rows, DynIter::new(columns)).map_err(Error::engine(KIND.name))?;
        self.staging.drain(|bytes| self.output.write(bytes))
    }

    fn finish(mut self: Box<Self>) -> Result<Pending, Error> {
        self.writer.end(None).map_err(Error::engine(KIND.name))?;
        self.staging.drain(|bytes| self.output.write(bytes))?;
        self.output.finish(self.rows)
    }
}
