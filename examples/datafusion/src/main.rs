//! SQL over a ruleset's table: the rows are made while the query runs, and of them no column and no row too many.
//!
//! Record batches go from polars to arrow-rs as `examples/arrow` shows, without a copy.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arrow_example::record_batch;
use datafusion::arrow::array::{Int64Array, RecordBatch, RecordBatchOptions};
use datafusion::arrow::datatypes::SchemaRef;
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
    let count = counted[0].column(0).as_any().downcast_ref::<Int64Array>().expect("a count");
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
        let schema = record_batch(&ruleset.table(table)?.rows(0..0).collect()?)?.schema();
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
            if names.is_empty() {
                // Only the number of rows is wanted.
                let options = RecordBatchOptions::new().with_row_count(Some(height));
                return Ok(RecordBatch::try_new_with_options(schema.clone(), Vec::new(), &options)?);
            }
            let table = ruleset.table(&table).map_err(external)?;
            Ok(record_batch(&table.rows(rows).select(&names).map_err(external)?)?)
        });
        Box::pin(RecordBatchStreamAdapter::new(self.schema.clone(), futures::stream::iter(batches)))
    }
}

fn external(error: lookalike::Error) -> DataFusionError {
    DataFusionError::External(Box::new(error))
}
