//! The ceiling: one table, written by hand, as fast as plain safe Rust will go.
//!
//! `ceiling --format csv|parquet --rows N --threads T --out FILE [--seed S]`
//!
//! The table is that of `rulesets/trusted-advisor/underutilized-ebs-volumes.yaml`, with every rule compiled in: no
//! ruleset, no expressions, no frames. What the engine takes more than this is the price of being general. The output
//! depends on rows and seed only, not on the number of threads.

mod csv;
mod ebs;
mod parquet_file;

use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Condvar, Mutex};

/// A failure that ends the program.
type Failure = Box<dyn Error + Send + Sync>;

struct Args {
    parquet: bool,
    rows: u64,
    threads: usize,
    seed: u64,
    out: PathBuf,
}

fn parse_args() -> Result<Args, Failure> {
    let mut args = Args { parquet: false, rows: 1_000_000, threads: 1, seed: 42, out: PathBuf::new() };
    let mut words = std::env::args().skip(1);
    while let Some(flag) = words.next() {
        let value = words.next().ok_or_else(|| format!("{flag} wants a value"))?;
        match flag.as_str() {
            "--format" => {
                args.parquet = match value.as_str() {
                    "csv" => false,
                    "parquet" => true,
                    _ => return Err(format!("unknown format `{value}`, use csv or parquet").into()),
                }
            }
            "--rows" => args.rows = value.parse()?,
            "--threads" => args.threads = value.parse::<usize>()?.max(1),
            "--seed" => args.seed = value.parse()?,
            "--out" => args.out = value.into(),
            _ => return Err(format!("unknown flag `{flag}`").into()),
        }
    }
    if args.out.as_os_str().is_empty() {
        return Err("--out FILE is missing".into());
    }
    Ok(args)
}

fn main() -> ExitCode {
    let done = parse_args().and_then(|args| {
        let tables = ebs::Tables::new(args.seed);
        let write = if args.parquet { parquet_file::write } else { csv::write };
        write(&tables, args.rows, args.threads, &args.out)
    });
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("ceiling: {error}");
            ExitCode::FAILURE
        }
    }
}

/// What the threads share: whose turn it is to write, where to, and whether to go on.
struct Turn<W> {
    next: u64,
    writer: W,
    failed: Option<Failure>,
}

/// Makes blocks `0..blocks` on `threads` threads and writes them in order. Each thread writes what it made, while it is
/// still in its cache, when its turn has come; so memory is one block a thread, and no thread exists only to write.
fn in_order<W: Send, B>(
    blocks: u64,
    threads: usize,
    writer: W,
    make: impl Fn(u64, &mut Option<B>) -> Result<(), Failure> + Sync,
    write: impl Fn(&mut W, &mut Option<B>) -> Result<(), Failure> + Sync,
) -> Result<W, Failure> {
    let taken = AtomicU64::new(0);
    let turn = Mutex::new(Turn { next: 0, writer, failed: None });
    let moved = Condvar::new();
    let work = || {
        let mut buffer = None;
        loop {
            let block = taken.fetch_add(1, Ordering::Relaxed);
            if block >= blocks {
                return;
            }
            let made = make(block, &mut buffer);
            let held = turn.lock().expect("a panic aborts the program");
            let mut held = moved
                .wait_while(held, |turn| turn.next != block && turn.failed.is_none())
                .expect("a panic aborts the program");
            if held.failed.is_some() {
                return;
            }
            if let Err(failure) = made.and_then(|()| write(&mut held.writer, &mut buffer)) {
                held.failed = Some(failure);
            }
            held.next += 1;
            moved.notify_all();
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..threads {
            scope.spawn(work);
        }
        work();
    });
    let turn = turn.into_inner().expect("a panic aborts the program");
    match turn.failed {
        Some(failure) => Err(failure),
        None => Ok(turn.writer),
    }
}
