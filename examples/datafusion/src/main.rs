//! SQL over a ruleset's table: the rows are made while the query runs, and of them no column and no row too many.
//!
//! Record batches go from polars to arrow-rs by the Arrow C data interface, without a copy; so they would to delta-rs or any
//! other crate on arrow-rs.

use std::fmt;
use std::mem::transmute;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions, make_array};
use arrow::datatypes::{Field, Schema, SchemaRef};
use arrow::ffi::{FFI_ArrowArray, FFI_ArrowSchema, from_ffi};
use datafusion::catalog::{Session, TableProvider};
use datafusion::datasource::TableType;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::Expr;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::streaming::{PartitionStream, StreamingTableExec};
use datafusion::prelude::SessionContext;
use lookalike::Ruleset;
use lookalike::polars::prelude::{Column, CompatLevel};
use polars_arrow::ffi::{ArrowArray, ArrowSchema, export_array_to_c, export_field_to_c};

/// Rows that are made at a time.
const BATCH: u64 = 8192;

#[tokio::main]
async fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../rulesets/trusted-advisor/underutilized-ebs-volumes.yaml");
    let ruleset = Arc::new(Ruleset::loader().rows(1_000_000).path(path)?);
    let findings = Arc::new(Findings::new(ruleset.clone(), "findings")?);
    let context = SessionContext::new();
    context.register_table("findings", findings.clone())?;

    let limited = context.sql(r#"SELECT "Region", "Volume Size" FROM findings LIMIT 5"#).await?;
    limited.show().await?;
    assert_eq!(findings.cells.swap(0, Ordering::Relaxed), 10, "five rows of two columns");

    let grouped = r#"
        SELECT "Volume Type", count(*) AS volumes, sum("Monthly Storage Cost") AS usd
        FROM findings GROUP BY "Volume Type" ORDER BY usd DESC"#;
    context.sql(grouped).await?.show().await?;
    assert_eq!(findings.cells.swap(0, Ordering::Relaxed), 2_000_000, "two columns");

    let counted = context.sql("SELECT count(*) FROM findings").await?.collect().await?;
    let count = counted[0].column(0).as_any().downcast_ref::<arrow::array::Int64Array>().expect("a count");
    assert_eq!((count.value(0), findings.cells.load(Ordering::Relaxed)), (1_000_000, 0));
    Ok(())
}

/// A table of a ruleset, as DataFusion sees it.
struct Findings {
    ruleset: Arc<Ruleset>,
    table: String,
    schema: SchemaRef,
    /// Cells that were made, to see that none was made in vain.
    cells: Arc<AtomicU64>,
}

impl Findings {
    fn new(ruleset: Arc<Ruleset>, table: &str) -> std::result::Result<Findings, Box<dyn std::error::Error>> {
        // No rows, but all columns with their types.
        let empty = ruleset.table(table)?.rows(0..0).collect()?;
        let fields = empty.columns().iter().map(|column| Ok(arrow_column(column)?.0)).collect::<Result<Vec<_>>>()?;
        let schema = Arc::new(Schema::new(fields));
        Ok(Findings { ruleset, table: table.to_owned(), schema, cells: Arc::default() })
    }
}

impl fmt::Debug for Findings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Findings").field("table", &self.table).finish_non_exhaustive()
    }
}

#[async_trait::async_trait]
impl TableProvider for Findings {
    fn schema(&self) -> SchemaRef {
        self.schema.clone()
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    async fn scan(
        &self,
        session: &dyn Session,
        projection: Option<&Vec<usize>>,
        _: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let schema = match projection {
            Some(columns) => Arc::new(self.schema.project(columns)?),
            None => self.schema.clone(),
        };
        let rows = self.ruleset.table(&self.table).map_err(external)?.len();
        let rows = rows.min(limit.map_or(u64::MAX, |limit| limit as u64));
        // Any rows can be made alone, so each core gets a range of them.
        let parts = (session.config().target_partitions() as u64).min(rows.div_ceil(BATCH)).max(1);
        let part = |i: u64| {
            let rows = rows * i / parts..rows * (i + 1) / parts;
            Arc::new(Part {
                ruleset: self.ruleset.clone(),
                table: self.table.clone(),
                rows,
                schema: schema.clone(),
                cells: self.cells.clone(),
            }) as Arc<dyn PartitionStream>
        };
        let parts = (0..parts).map(part).collect();
        Ok(Arc::new(StreamingTableExec::try_new(schema, parts, None, None, false, None)?))
    }
}

/// Some columns of a range of the rows.
struct Part {
    ruleset: Arc<Ruleset>,
    table: String,
    rows: Range<u64>,
    schema: SchemaRef,
    cells: Arc<AtomicU64>,
}

impl fmt::Debug for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}..{}", self.table, self.rows.start, self.rows.end)
    }
}

impl PartitionStream for Part {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn execute(&self, _: Arc<TaskContext>) -> SendableRecordBatchStream {
        let (ruleset, table, end) = (self.ruleset.clone(), self.table.clone(), self.rows.end);
        let (schema, cells) = (self.schema.clone(), self.cells.clone());
        let batches = self.rows.clone().step_by(BATCH as usize).map(move |start| {
            let rows = start..end.min(start + BATCH);
            let height = (rows.end - rows.start) as usize;
            cells.fetch_add((height * schema.fields().len()) as u64, Ordering::Relaxed);
            let names: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
            let columns = if names.is_empty() {
                Vec::new() // Only the number of rows is wanted.
            } else {
                let frame = ruleset.table(&table).and_then(|table| table.rows(rows).select(&names)).map_err(external)?;
                frame.columns().iter().map(|column| Ok(arrow_column(column)?.1)).collect::<Result<Vec<_>>>()?
            };
            let options = RecordBatchOptions::new().with_row_count(Some(height));
            Ok(RecordBatch::try_new_with_options(schema.clone(), columns, &options)?)
        });
        Box::pin(RecordBatchStreamAdapter::new(self.schema.clone(), futures::stream::iter(batches)))
    }
}

/// A column of polars as arrow-rs has it: the same memory.
fn arrow_column(column: &Column) -> Result<(Field, ArrayRef)> {
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

fn external(error: lookalike::Error) -> DataFusionError {
    DataFusionError::External(Box::new(error))
}
