//! A query over ten million rows that makes ten of them, and of those two columns.
//!
//!     cargo run --release --features lazy --example lazy

use std::time::Instant;

use lookalike::Ruleset;
use lookalike::polars::prelude::*;

#[expect(clippy::print_stdout, reason = "the example shows its result")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let ruleset =
        Ruleset::loader().rows(10_000_000).path("rulesets/trusted-advisor/underutilized-ebs-volumes.yaml")?;
    let findings = ruleset.table("findings")?;

    let begun = Instant::now();
    let query = findings.lazy()?.select([col("Region"), col("Volume Size")]).slice(5_000_000, 10);
    let ten = query.collect()?;
    println!("{ten}\n{:.1} ms", 1e3 * begun.elapsed().as_secs_f64());

    let rows = findings.clone().rows(5_000_000..5_000_010).collect()?;
    assert!(ten.equals_missing(&rows.select(["Region", "Volume Size"])?));

    // Of these rows one column is made, and a second one that it follows from.
    let cost =
        findings.lazy()?.limit(10_000).select([col("Monthly Storage Cost").cast(DataType::Float64).sum()]);
    println!("{}", cost.collect()?);
    Ok(())
}
