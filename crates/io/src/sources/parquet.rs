//! Parquet files, uncompressed or compressed with Snappy or Zstandard: one row group is read at a time.

use std::io::Cursor;
use std::path::Path;

use polars::prelude::{ArrowDataType, ArrowField, PolarsResult, Series, polars_bail, polars_err};
use polars_buffer::Buffer;
use polars_parquet::read::{
    BasicDecompressor, FileMetadata, PageReader, column_iter_to_arrays, infer_schema, read_metadata,
};

use super::disk::Disk;
use super::groups::{GroupSource, Groups, guarded, plain};
use super::{MAX_GROUP_BYTES, Source, SourceKind, SourceOptions};
use crate::Error;

pub(super) const KIND: SourceKind = SourceKind {
    name: "parquet",
    extensions: &["parquet", "pq"],
    summary: "Apache Parquet, one row group at a time",
    open,
};

fn open(path: &Path, options: &SourceOptions) -> Result<Box<dyn Source>, Error> {
    let disk = Disk::open(path)?;
    let (metadata, schema) = guarded(path, || {
        let metadata = read_metadata(&mut disk.from(0))?;
        let schema = infer_schema(&metadata)?;
        Ok((metadata, schema))
    })?;
    let fields: Vec<ArrowField> = schema.iter_values().cloned().map(text_of_categories).map(plain).collect();
    let rows: Vec<usize> = metadata.row_groups.iter().map(|group| group.num_rows()).collect();
    let groups = Parquet { disk: disk.clone(), metadata, fields: fields.clone() };
    Ok(Box::new(GroupSource::new(disk, groups, &fields, &rows, options)?))
}

/// Categories are decoded as the text that they stand for.
fn text_of_categories(mut field: ArrowField) -> ArrowField {
    if let ArrowDataType::Dictionary(_, values, _) = &field.dtype
        && matches!(**values, ArrowDataType::Utf8 | ArrowDataType::LargeUtf8 | ArrowDataType::Utf8View)
    {
        field.dtype = ArrowDataType::Utf8View;
    }
    field
}

struct Parquet {
    disk: Disk,
    metadata: FileMetadata,
    fields: Vec<ArrowField>,
}

impl Groups for Parquet {
    fn load(&self, group: usize, column: usize) -> PolarsResult<Series> {
        let group = &self.metadata.row_groups[group];
        let size = group.total_byte_size() as u64;
        if size > MAX_GROUP_BYTES {
            polars_bail!(ComputeError: "a row group of {size} bytes; at most {MAX_GROUP_BYTES} are read");
        }
        let field = &self.fields[column];
        let mut chunks = group.columns_under_root_iter(&field.name).into_iter().flatten();
        let (Some(chunk), None) = (chunks.next(), chunks.next()) else {
            polars_bail!(ComputeError: "the row group has no column `{}`", field.name);
        };
        let bytes =
            self.disk.part(chunk.byte_range()).map_err(|error| polars_err!(ComputeError: "{error}"))?;
        let pages = PageReader::new(Cursor::new(Buffer::from_vec(bytes)), chunk, Vec::new(), usize::MAX);
        let pages = BasicDecompressor::new(pages, Vec::new());
        let types = vec![&chunk.descriptor().descriptor.primitive_type];
        let (arrays, _) = column_iter_to_arrays(vec![pages], types, field.clone(), None)?;
        Series::try_from((field, arrays))
    }
}
