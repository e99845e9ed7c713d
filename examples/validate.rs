//! Do rows look like a reference? Two samples of the same truth do; one with larger volumes does not.
//!
//!     cargo run --release --example validate

use lookalike::polars::prelude::*;
use lookalike::validate::model::{Check, Verdict};
use lookalike::validate::reference::{self, Options, Table};
use lookalike::{Error, Ruleset};

const PATH: &str = "rulesets/trusted-advisor/underutilized-ebs-volumes.yaml";

#[expect(clippy::print_stdout, reason = "the example shows its result")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let sample = |seed| -> Result<_, Error> {
        let ruleset = Ruleset::loader().seed(seed).rows(2000).path(PATH)?;
        let findings = ruleset.table("findings")?;
        Ok((findings.schema(), findings.collect()?))
    };
    // The reference would be a table of yours; the schema says what its columns are.
    let (schema, real) = sample(1)?;
    let (_, good) = sample(2)?;
    let mut bad = good.clone();
    let sizes = bad.column("Volume Size")?.i64()?.iter().map(|size| size.map(|size| 3 * size));
    let sizes = Int64Chunked::from_iter_options("Volume Size".into(), sizes);
    bad.with_column(sizes.into_column())?;

    let failed = |synthetic: &DataFrame| -> Vec<Check> {
        let (real, synthetic) = (Table::new(&schema, &real), Table::new(&schema, synthetic));
        let checks = reference::compare(&real, &synthetic, &Options::default()).checks;
        checks.into_iter().filter(|check| check.verdict == Verdict::Fail).collect()
    };
    println!("the same truth: {} checks fail", failed(&good).len());
    assert!(failed(&good).is_empty());
    println!("larger volumes:");
    let failed = failed(&bad);
    for check in &failed {
        println!("  {:28} {:45} {}", check.metric.name, check.columns.join(", "), check.message);
    }
    assert!(failed.iter().any(|check| check.columns == ["Volume Size"]));
    Ok(())
}
