//! Rows per second of every kind, from its example: `cargo bench -p lookalike-engine`. The list of kinds drives it.

use divan::Bencher;
use divan::counter::ItemsCount;
use lookalike_core::Rows;
use lookalike_engine::testing::example;
use lookalike_engine::{KINDS, Kind};

const ROWS: u64 = 16_384;

fn main() {
    divan::main();
}

#[divan::bench(args = KINDS.iter().map(|kind| kind.name))]
fn kind(bencher: Bencher<'_, '_>, name: &str) {
    let kind: &Kind = KINDS.iter().find(|kind| kind.name == name).expect("named by the list itself");
    let plan = example(kind.example, 1_000_000, 1).unwrap_or_else(|problems| panic!("{problems:?}"));
    let table = plan.table("t").expect("examples make a table t");
    let mut at = 0;
    bencher.counter(ItemsCount::new(ROWS)).bench_local(|| {
        at = (at + ROWS) % (1_000_000 - ROWS);
        table.frame(&Rows::Range(at..at + ROWS)).expect("examples make rows")
    });
}
