//! Rows for an asynchronous program: blocks go into a channel as fast as the other end takes them.
//!
//! Any runtime will do; here it is tokio's smallest one.
//!
//!     cargo run --release --example stream

use std::sync::mpsc;

use lookalike::Ruleset;
use lookalike::polars::prelude::DataFrame;

#[expect(clippy::print_stdout, reason = "the example shows its result")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let ruleset =
        Ruleset::loader().rows(100_000).path("rulesets/trusted-advisor/underutilized-ebs-volumes.yaml")?;
    let mut blocks = ruleset.table("findings")?.stream(10_000);
    let (sender, receiver) = mpsc::sync_channel::<DataFrame>(1);
    let reader = std::thread::spawn(move || receiver.iter().map(|block| block.height()).collect::<Vec<_>>());

    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    runtime.block_on(async {
        while let Some(block) = blocks.next().await {
            sender.send(block?)?;
        }
        Ok::<(), Box<dyn std::error::Error>>(())
    })?;
    drop(sender);

    let heights = reader.join().expect("the reader does not panic");
    println!("{heights:?}");
    assert_eq!(heights, [10_000; 10]);
    Ok(())
}
