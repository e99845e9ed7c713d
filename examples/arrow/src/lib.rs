//! Frames as record batches of arrow-rs, for DataFusion, delta-rs and whatever else is built on it: the columns go over by the
//! Arrow C data interface, and are not copied.

use std::mem::transmute;
use std::sync::Arc;

use arrow_array::ffi::{FFI_ArrowArray, from_ffi};
use arrow_array::{ArrayRef, RecordBatch, RecordBatchOptions, make_array};
use arrow_schema::ffi::FFI_ArrowSchema;
use arrow_schema::{ArrowError, Field, Schema};
use lookalike::polars::prelude::{Column, CompatLevel, DataFrame};
use polars_arrow::ffi::{ArrowArray, ArrowSchema, export_array_to_c, export_field_to_c};

/// A frame as a record batch.
///
/// # Errors
/// When arrow-rs does not know a column's type.
pub fn record_batch(frame: &DataFrame) -> Result<RecordBatch, ArrowError> {
    let columns = frame.columns().iter().map(column).collect::<Result<Vec<_>, _>>()?;
    let (fields, columns): (Vec<Field>, Vec<ArrayRef>) = columns.into_iter().unzip();
    let options = RecordBatchOptions::new().with_row_count(Some(frame.height()));
    RecordBatch::try_new_with_options(Arc::new(Schema::new(fields)), columns, &options)
}

/// A column, with its name and type.
fn column(column: &Column) -> Result<(Field, ArrayRef), ArrowError> {
    let series = column.as_materialized_series().rechunk();
    let level = CompatLevel::oldest();
    let array = export_array_to_c(series.to_arrow(0, level));
    let field = export_field_to_c(&series.field().to_arrow(level));
    // SAFETY: the structs of both crates are those that the Arrow C data interface lays down, and each is moved, so that it is
    // released once, by its new owner.
    let (array, field) = unsafe {
        (transmute::<ArrowArray, FFI_ArrowArray>(array), transmute::<ArrowSchema, FFI_ArrowSchema>(field))
    };
    // SAFETY: what polars exports agrees with the interface.
    let data = unsafe { from_ffi(array, &field) }?;
    Ok((Field::try_from(&field)?, make_array(data)))
}
