//! Arrow IPC files ("Feather 2"), uncompressed.
//!
//! One record batch a unit. Text is `large_utf8`, the type that every Arrow library reads; a column of fixed categories
//! is a dictionary, ordered as the ruleset lists them. Datetimes are `timestamp[us]` without a zone, meaning UTC.

use std::sync::Arc;

use lookalike_ruleset::{Field, TableSchema};
use polars::prelude::{ArrayRef, ArrowDataType, ArrowField, CompatLevel, DataFrame};
use polars_arrow::datatypes::ArrowSchemaRef;
use polars_arrow::io::ipc::write::{FileWriter, WriteOptions};
use polars_arrow::record_batch::RecordBatch;

use super::{Encoder, Holds, Sink, SinkKind, require_columns};
use crate::part::Body;
use crate::staging::Staging;
use crate::{Error, Output, Part, Pending, SinkOptions, frame};

pub(super) const KIND: SinkKind = SinkKind {
    name: "arrow",
    extension: "arrow",
    summary: "Arrow IPC file, one record batch a unit of rows",
    holds: Holds::Table,
    open,
};

fn open(schema: &TableSchema, output: Output, _: &SinkOptions) -> Result<Box<dyn Sink>, Error> {
    require_columns(schema)?;
    let encoder = Arc::new(ArrowEncoder { schema: schema.clone() });
    Ok(Box::new(ArrowSink { encoder, writer: None, staging: Staging::default(), output, rows: 0 }))
}

struct ArrowEncoder {
    schema: TableSchema,
}

impl Encoder for ArrowEncoder {
    fn encode(&self, frame: &DataFrame) -> Result<Part, Error> {
        let columns = frame::columns(frame, &self.schema)?;
        let rows = frame.height();
        let arrays: Vec<ArrayRef> = columns
            .iter()
            // An empty series may have no chunk to convert; an empty unit is never written.
            .filter(|_| rows > 0)
            .map(|series| series.to_arrow(0, CompatLevel::oldest()))
            .collect();
        let schema =
            arrays.iter().zip(&self.schema.fields).map(|(array, field)| arrow_field(field, array.dtype()));
        let schema = schema.map(|field| (field.name.clone(), field)).collect();
        let batch = RecordBatch::new(rows, Arc::new(schema), arrays);
        Ok(Part { rows: rows as u64, body: Body::Batch(batch) })
    }
}

fn arrow_field(field: &Field, dtype: &ArrowDataType) -> ArrowField {
    ArrowField::new(field.name.as_str().into(), dtype.clone(), field.nullable)
}

struct ArrowSink {
    encoder: Arc<ArrowEncoder>,
    /// Made for the first unit, which alone tells categories from free text.
    writer: Option<Writer>,
    staging: Staging,
    output: Output,
    rows: u64,
}

struct Writer {
    schema: ArrowSchemaRef,
    file: FileWriter<Staging>,
}

impl Writer {
    fn new(schema: ArrowSchemaRef, staging: &Staging) -> Result<Writer, Error> {
        let options = WriteOptions { compression: None };
        let file = FileWriter::try_new(staging.clone(), schema.clone(), None, options);
        Ok(Writer { schema, file: file.map_err(Error::engine(KIND.name))? })
    }
}

impl Sink for ArrowSink {
    fn encoder(&self) -> Arc<dyn Encoder> {
        self.encoder.clone()
    }

    fn write(&mut self, part: Part) -> Result<(), Error> {
        let Body::Batch(batch) = part.body else {
            return Err(Error::ForeignPart { format: KIND.name });
        };
        if part.rows == 0 {
            return Ok(());
        }
        self.rows += part.rows;
        let writer = match &mut self.writer {
            Some(writer) => writer,
            none => none.insert(Writer::new(Arc::new(batch.schema().clone()), &self.staging)?),
        };
        if *writer.schema != *batch.schema() {
            return Err(Error::Units { format: KIND.name });
        }
        writer.file.write(&batch, None).map_err(Error::engine(KIND.name))?;
        self.staging.drain(|bytes| self.output.write(bytes))
    }

    fn finish(mut self: Box<Self>) -> Result<Pending, Error> {
        let mut writer = match self.writer {
            Some(writer) => writer,
            None => {
                let fields = self.encoder.schema.fields.iter();
                let schema = fields
                    .map(|field| {
                        arrow_field(field, &frame::physical(field.ty).to_arrow(CompatLevel::oldest()))
                    })
                    .map(|field| (field.name.clone(), field))
                    .collect();
                Writer::new(Arc::new(schema), &self.staging)?
            }
        };
        writer.file.finish().map_err(Error::engine(KIND.name))?;
        self.staging.drain(|bytes| self.output.write(bytes))?;
        self.output.finish(self.rows)
    }
}
