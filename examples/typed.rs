//! Rows as structs of one's own.
//!
//!     cargo run --release --example typed

use lookalike::Ruleset;
use serde::Deserialize;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Finding {
    region: String,
    #[serde(rename = "Volume Type")]
    volume_type: VolumeType,
    #[serde(rename = "Volume Size")]
    gib: u32,
    /// Null where the volume has no snapshot.
    #[serde(rename = "Snapshot Age")]
    snapshot_days: Option<u32>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum VolumeType {
    Gp2,
    Gp3,
    Io1,
    Io2,
    St1,
    Sc1,
    Standard,
}

#[expect(clippy::print_stdout, reason = "the example shows its result")]
fn main() -> Result<(), lookalike::Error> {
    let ruleset = Ruleset::from_path("rulesets/trusted-advisor/underutilized-ebs-volumes.yaml")?;
    let findings =
        ruleset.table("findings")?.rows(0..500).typed::<Finding>().collect::<Result<Vec<_>, _>>()?;

    let bare = findings.iter().filter(|finding| finding.snapshot_days.is_none()).count();
    println!("{:#?}\n{bare} of {} volumes have no snapshot", findings[0], findings.len());
    assert!(bare > 0 && bare < findings.len());
    assert!(findings.iter().any(|finding| finding.volume_type == VolumeType::Gp3 && finding.gib > 0));
    assert!(findings.iter().all(|finding| finding.region.contains('-')));
    Ok(())
}
