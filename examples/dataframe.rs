//! A ruleset as a polars `DataFrame`, in ten lines.

use lookalike::{Error, Ruleset};

#[expect(clippy::print_stdout, reason = "the example shows its result")]
fn main() -> Result<(), Error> {
    let ruleset = Ruleset::from_path("rulesets/trusted-advisor/underutilized-ebs-volumes.yaml")?;
    let findings = ruleset.table("findings")?;
    let frame = findings.rows(500..510).collect()?;
    println!("{frame}");
    Ok(())
}
