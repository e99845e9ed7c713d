//! Arrow IPC files ("Feather 2"), compressed or not: one record batch is read at a time.

use std::path::Path;

use polars::prelude::{ArrowDataType, ArrowField, DataType, PolarsResult, Series, polars_bail};
use polars_arrow::io::ipc::read::{
    Dictionaries, FileMetadata, get_row_count_from_blocks, read_batch, read_file_dictionaries,
    read_file_metadata,
};

use super::disk::Disk;
use super::groups::{GroupSource, Groups, guarded, plain};
use super::{MAX_GROUP_BYTES, Source, SourceKind, SourceOptions};
use crate::Error;

pub(super) const KIND: SourceKind = SourceKind {
    name: "arrow",
    extensions: &["arrow", "ipc", "feather"],
    summary: "Arrow IPC file, one record batch at a time",
    open,
};

fn open(path: &Path, options: &SourceOptions) -> Result<Box<dyn Source>, Error> {
    let disk = Disk::open(path)?;
    let (metadata, dictionaries, rows) = guarded(path, || {
        let mut reader = disk.from(0);
        let metadata = read_file_metadata(&mut reader)?;
        let within = |metadata: &FileMetadata| {
            let mut all = metadata.blocks.iter().chain(metadata.dictionaries.iter().flatten());
            all.all(|b| b.body_length >= 0 && b.body_length as u64 <= disk.len.min(MAX_GROUP_BYTES))
        };
        if !within(&metadata) {
            polars_bail!(ComputeError: "a record batch is larger than the file, or than {MAX_GROUP_BYTES} bytes");
        }
        let dictionaries =
            read_file_dictionaries(&mut reader, &metadata, &mut Vec::new(), Default::default())?;
        let mut rows = Vec::with_capacity(metadata.blocks.len());
        for block in &metadata.blocks {
            let count = get_row_count_from_blocks(&mut reader, std::slice::from_ref(block))?;
            let Ok(count) = usize::try_from(count) else {
                polars_bail!(ComputeError: "a record batch of {count} rows");
            };
            rows.push(count);
        }
        Ok((metadata, dictionaries, rows))
    })?;
    let fields: Vec<ArrowField> = metadata.schema.iter_values().cloned().map(plain).collect();
    let groups = Arrow { disk: disk.clone(), metadata, dictionaries, fields: fields.clone() };
    Ok(Box::new(GroupSource::new(disk, groups, &fields, &rows, options)?))
}

struct Arrow {
    disk: Disk,
    metadata: FileMetadata,
    dictionaries: Dictionaries,
    fields: Vec<ArrowField>,
}

impl Groups for Arrow {
    fn load(&self, group: usize, column: usize) -> PolarsResult<Series> {
        let batch = read_batch(
            &mut self.disk.from(0),
            &self.dictionaries,
            &self.metadata,
            Some(&[column]),
            None,
            group,
            false,
            &mut Vec::new(),
            &mut Vec::new(),
            Default::default(),
        )?;
        let field = &self.fields[column];
        let Some(mut array) = batch.into_arrays().pop() else {
            polars_bail!(ComputeError: "the record batch has no column `{}`", field.name);
        };
        if matches!(array.dtype(), ArrowDataType::Timestamp(..)) {
            *array.dtype_mut() = field.dtype.clone();
        }
        let series = Series::try_from((field.name.clone(), array))?;
        match series.dtype() {
            DataType::Categorical(..) | DataType::Enum(..) => series.cast(&DataType::String),
            _ => Ok(series),
        }
    }
}
