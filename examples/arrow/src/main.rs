//! The first rows of a ruleset's table as a record batch, and a sum over one of its columns.

use arrow_array::Int64Array;
use arrow_array::cast::AsArray;
use arrow_example::record_batch;
use lookalike::Ruleset;
use lookalike::polars::prelude::ChunkAgg;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../rulesets/trusted-advisor/underutilized-ebs-volumes.yaml");
    let ruleset = Ruleset::from_path(path)?;
    let frame = ruleset.table("findings")?.collect()?;
    let batch = record_batch(&frame)?;
    for field in batch.schema().fields() {
        println!("{:24} {}", field.name(), field.data_type());
    }
    let sizes: &Int64Array = batch.column_by_name("Volume Size").expect("a column").as_primitive();
    let gib: i64 = sizes.iter().flatten().sum();
    println!("{} volumes have {gib} GiB", batch.num_rows());

    assert_eq!((batch.num_rows(), batch.num_columns()), frame.shape());
    assert_eq!(Some(gib), frame.column("Volume Size")?.i64()?.sum());
    let nulls = |name: &str| batch.column_by_name(name).expect("a column").null_count();
    assert!(frame.columns().iter().all(|column| nulls(column.name()) == column.null_count()));
    assert_eq!(record_batch(&frame.head(Some(0)))?.schema(), batch.schema());
    Ok(())
}
