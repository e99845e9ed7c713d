//! What a row costs to encode: one unit of 131,072 rows of eleven columns, like those of a cloud inventory.
//!
//! `cargo bench -p lookalike-io`: divide by 131,072 for the time of a row. Buffers go back to the encoder between
//! rounds, as in a run.

#![allow(clippy::unwrap_used, reason = "a benchmark may panic")]

use std::cell::Cell;

use divan::Bencher;
use divan::counter::{BytesCount, ItemsCount};
use lookalike_io::{Output, SINKS, Sink, SinkKind, SinkOptions};
use lookalike_ruleset::{Field, TableSchema, Type};
use polars::prelude::*;

const ROWS: usize = 131_072;

fn main() {
    divan::main();
}

/// A fixed sequence of well-mixed numbers (splitmix64).
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn percent(&mut self, percent: u64) -> bool {
        self.next() % 100 < percent
    }

    /// A column of `ROWS` values, with this share of nulls.
    fn column<T>(&mut self, nulls: u64, mut value: impl FnMut(u64) -> T) -> Vec<Option<T>> {
        (0..ROWS).map(|_| (!self.percent(nulls)).then(|| value(self.next()))).collect()
    }
}

fn choice(name: &str, categories: &[&str], numbers: &mut Numbers) -> Column {
    let frozen = FrozenCategories::new(categories.iter().copied()).unwrap();
    let values = numbers.column(0, |n| categories[n as usize % categories.len()]);
    Series::new(name.into(), values).cast(&DataType::from_frozen_categories(frozen)).unwrap().into_column()
}

fn text(name: &str, values: Vec<Option<String>>) -> Column {
    Series::new(name.into(), values).into_column()
}

fn unit() -> (TableSchema, DataFrame) {
    let n = &mut Numbers(42);
    let roles = ["app", "db", "web", "cache", "log"];
    let columns = vec![
        choice("Region", &["us-east-1", "us-west-2", "eu-west-1", "ap-southeast-1"], n),
        text("Volume ID", n.column(0, |n| format!("vol-9999{:013x}", n >> 12))),
        text("Volume Name", n.column(30, |n| format!("{}-prod-{}", roles[n as usize % 5], n % 101))),
        choice("Volume Type", &["gp2", "gp3", "io1", "io2", "st1", "sc1", "standard"], n),
        Series::new("Volume Size".into(), n.column(0, |n| 1 + (n % 16_384) as i64)).into_column(),
        Series::new("Monthly Storage Cost".into(), n.column(0, |n| i128::from(n % 200_000)))
            .i128()
            .unwrap()
            .clone()
            .into_decimal_unchecked(18, 2)
            .into_series()
            .into_column(),
        text("Snapshot ID", n.column(40, |n| format!("snap-9999{:012x}", n >> 16))),
        text("Snapshot Name", n.column(60, |n| format!("daily-{}", n % 10_000))),
        Series::new("Snapshot Age".into(), n.column(40, |n| 1 + (n % 365) as i64)).into_column(),
        Series::new("Underutilized".into(), n.column(0, |n| n % 6 == 0)).into_column(),
        Series::new("Anomaly".into(), n.column(0, |n| n % 10 == 0)).into_column(),
    ];
    let fields = columns.iter().map(|column| Field {
        name: column.name().to_string(),
        ty: match column.dtype() {
            DataType::Boolean => Type::Bool,
            DataType::Int64 => Type::Int,
            DataType::Decimal(..) => Type::Decimal(2),
            _ => Type::Text,
        },
        nullable: column.null_count() > 0,
        plain: true,
        json: false,
        about: None,
    });
    (
        TableSchema { table: "findings".into(), fields: fields.collect() },
        DataFrame::new(ROWS, columns).unwrap(),
    )
}

fn sink(kind: &SinkKind, schema: &TableSchema) -> Box<dyn Sink> {
    (kind.open)(schema, Output::nowhere(), &SinkOptions::default()).unwrap()
}

/// Times the encoding alone. In between, the parts are written to nowhere, so that their buffers are used again.
fn encode(bencher: Bencher, schema: &TableSchema, unit: &DataFrame, kind: &SinkKind) {
    let mut sink = sink(kind, schema);
    let encoder = sink.encoder();
    let size = encoder.encode(unit).unwrap().size();
    let encoded = Cell::new(None);
    let give_back = || {
        if let Some(part) = encoded.take() {
            sink.write(part).unwrap();
        }
    };
    bencher
        .counter(ItemsCount::new(ROWS))
        .counter(BytesCount::new(size))
        .with_inputs(give_back)
        .bench_local_values(|()| encoded.set(Some(encoder.encode(unit).unwrap())));
}

/// The whole row.
#[divan::bench(sample_size = 1, args = SINKS.iter().map(|kind| kind.name))]
fn row(bencher: Bencher, name: &str) {
    let kind = SINKS.iter().find(|kind| kind.name == name).unwrap();
    let (schema, unit) = unit();
    encode(bencher, &schema, &unit, kind);
}

/// The whole row, when nothing is known of its text.
#[divan::bench(sample_size = 1, args = ["csv", "jsonl"])]
fn row_not_plain(bencher: Bencher, name: &str) {
    let kind = SINKS.iter().find(|kind| kind.name == name).unwrap();
    let (mut schema, unit) = unit();
    schema.fields.iter_mut().for_each(|field| field.plain = false);
    encode(bencher, &schema, &unit, kind);
}

/// One column alone, as CSV.
#[divan::bench(sample_size = 1, args = 0..11)]
fn column(bencher: Bencher, index: usize) {
    let (mut schema, unit) = unit();
    schema.fields = vec![schema.fields.swap_remove(index)];
    let unit = DataFrame::new(ROWS, vec![unit.columns()[index].clone()]).unwrap();
    encode(bencher, &schema, &unit, &SINKS[0]);
}
