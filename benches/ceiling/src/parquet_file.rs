//! Parquet: each thread draws and encodes whole row groups; one after the other they are appended to the file.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use arrow_array::builder::{
    BooleanBuilder, Decimal128Builder, Int32Builder, Int64Builder, PrimitiveBuilder, StringBuilder,
};
use arrow_array::types::Int32Type;
use arrow_array::{ArrayRef, DictionaryArray, Int32Array, StringArray};
use arrow_buffer::{BooleanBufferBuilder, NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow_schema::{DataType, Field, Schema};
use parquet::arrow::ArrowSchemaConverter;
use parquet::arrow::arrow_writer::{ArrowColumnChunk, ArrowRowGroupWriterFactory, compute_leaves};
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::ColumnPath;

use crate::ebs::{ANOMALIES, BLOCK, HEADER, MAX_AGE, NAMES, OLD_NAMES, REGIONS, Row, TYPES, Tables};
use crate::{Failure, ebs, in_order};

/// Rows of a row group.
const GROUP: u64 = 32 * BLOCK;
/// Columns whose values hardly repeat, for which a dictionary is wasted work.
const UNIQUE: [&str; 2] = ["Volume ID", "Snapshot ID"];

/// A column of ids: a prefix and 13 hex digits, or null.
struct Ids {
    prefix: &'static [u8],
    text: Vec<u8>,
    ends: Vec<i32>,
    valid: BooleanBufferBuilder,
}

impl Ids {
    fn new(prefix: &'static str, rows: usize) -> Self {
        let text = Vec::with_capacity(rows * (prefix.len() + 13));
        let mut ends = Vec::with_capacity(rows + 1);
        ends.push(0);
        Self { prefix: prefix.as_bytes(), text, ends, valid: BooleanBufferBuilder::new(rows) }
    }

    #[inline(always)]
    fn push(&mut self, id: Option<u64>) {
        if let Some(bits) = id {
            self.text.extend_from_slice(self.prefix);
            self.text.extend_from_slice(&ebs::hex8((bits >> 20) as u32));
            self.text.extend_from_slice(&ebs::hex8((bits as u32) << 12)[..5]);
        }
        self.ends.push(self.text.len() as i32);
        self.valid.append(id.is_some());
    }

    fn finish(mut self) -> ArrayRef {
        let ends = OffsetBuffer::new(ScalarBuffer::from(self.ends));
        let nulls = NullBuffer::new(self.valid.finish());
        Arc::new(StringArray::new(ends, self.text.into(), Some(nulls)))
    }
}

/// What the row groups share: the words of the columns with few values, and the dates.
struct Words {
    regions: ArrayRef,
    names: ArrayRef,
    types: ArrayRef,
    anomalies: ArrayRef,
    stems: Vec<String>,
    dates: Vec<String>,
}

impl Words {
    fn new() -> Self {
        let strings = |words: &[&str]| Arc::new(StringArray::from(words.to_vec())) as ArrayRef;
        let names: StringArray = (1..=NAMES + OLD_NAMES).map(ebs::name).collect();
        Self {
            regions: strings(&REGIONS),
            names: Arc::new(names),
            types: strings(&TYPES),
            anomalies: strings(&ANOMALIES[1..]),
            stems: (1..=20).map(ebs::snapshot_stem).collect(),
            dates: (0..=MAX_AGE).map(ebs::date_before).collect(),
        }
    }
}

fn dictionary(keys: Int32Array, words: &ArrayRef) -> ArrayRef {
    Arc::new(DictionaryArray::<Int32Type>::new(keys, words.clone()))
}

/// Number 0 is null; the words count from 1.
#[inline(always)]
fn key(number: u32) -> Option<i32> {
    number.checked_sub(1).map(|key| key as i32)
}

/// Draws the rows of one row group into the columns of the schema.
fn columns(tables: &Tables, words: &Words, group: u64, rows: usize) -> Result<Vec<ArrayRef>, Failure> {
    let keys = || PrimitiveBuilder::<Int32Type>::with_capacity(rows);
    let (mut region, mut name, mut kind, mut anomaly): (Int32Builder, _, _, _) =
        (keys(), keys(), keys(), keys());
    let mut volume_id = Ids::new("vol-9999", rows);
    let mut size = Int64Builder::with_capacity(rows);
    let mut cost = Decimal128Builder::with_capacity(rows);
    let mut snapshot_id = Ids::new("snap-9999", rows);
    let mut snapshot_name = StringBuilder::with_capacity(rows, rows * 9);
    let mut age = Int64Builder::with_capacity(rows);
    let mut underutilized = BooleanBuilder::with_capacity(rows);
    let mut add = |row: Row| {
        region.append_value(i32::from(row.region));
        volume_id.push(Some(row.volume_id));
        name.append_option(key(u32::from(row.name)));
        kind.append_value(i32::from(row.kind));
        size.append_value(i64::from(row.size));
        cost.append_value(i128::from(row.cents));
        let has_snapshot = row.age > 0;
        snapshot_id.push(has_snapshot.then_some(row.snapshot_id));
        match key(u32::from(row.snapshot_name)) {
            Some(stem) => {
                // The builder takes a value in parts: what is written belongs to the value that is appended next.
                use std::fmt::Write as _;
                let _ = snapshot_name.write_str(&words.stems[stem as usize]);
                let _ = snapshot_name.write_str("-");
                snapshot_name.append_value(&words.dates[row.age as usize]);
            }
            None => snapshot_name.append_null(),
        }
        age.append_option(has_snapshot.then_some(i64::from(row.age)));
        underutilized.append_value(row.underutilized);
        anomaly.append_option(key(u32::from(row.anomaly)));
    };
    let mut left = rows as u64;
    for block in group * (GROUP / BLOCK).. {
        let mut stream = tables.stream(block);
        for _ in 0..BLOCK.min(left) {
            add(tables.draw(&mut stream));
        }
        left = left.saturating_sub(BLOCK);
        if left == 0 {
            break;
        }
    }
    Ok(vec![
        dictionary(region.finish(), &words.regions),
        volume_id.finish(),
        dictionary(name.finish(), &words.names),
        dictionary(kind.finish(), &words.types),
        Arc::new(size.finish()),
        Arc::new(cost.finish().with_precision_and_scale(18, 2)?),
        snapshot_id.finish(),
        Arc::new(snapshot_name.finish()),
        Arc::new(age.finish()),
        Arc::new(underutilized.finish()),
        dictionary(anomaly.finish(), &words.anomalies),
    ])
}

fn schema() -> Schema {
    let words = || DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8));
    let types = [
        words(),
        DataType::Utf8,
        words(),
        words(),
        DataType::Int64,
        DataType::Decimal128(18, 2),
        DataType::Utf8,
        DataType::Utf8,
        DataType::Int64,
        DataType::Boolean,
        words(),
    ];
    let names = HEADER.trim_end().split(',');
    Schema::new(names.zip(types).map(|(name, kind)| Field::new(name, kind, true)).collect::<Vec<_>>())
}

/// Writes the table to `path`, compressed by zstd at level 3, the level that polars takes when none is named.
pub fn write(tables: &Tables, rows: u64, threads: usize, path: &Path) -> Result<(), Failure> {
    let words = Words::new();
    let schema = Arc::new(schema());
    let mut properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(3)?))
        .set_statistics_enabled(EnabledStatistics::Chunk);
    for column in UNIQUE {
        properties = properties.set_column_dictionary_enabled(ColumnPath::from(column), false);
    }
    let root = ArrowSchemaConverter::new().convert(&schema)?.root_schema_ptr();
    let writer = SerializedFileWriter::new(File::create(path)?, root, Arc::new(properties.build()))?;
    let factory = ArrowRowGroupWriterFactory::new(&writer, schema.clone());
    let make = |group: u64, chunks: &mut Option<Vec<ArrowColumnChunk>>| {
        let count = GROUP.min(rows - group * GROUP) as usize;
        let arrays = columns(tables, &words, group, count)?;
        let encoders = factory.create_column_writers(group as usize)?;
        let mut made = Vec::with_capacity(arrays.len());
        for ((array, field), mut encoder) in arrays.into_iter().zip(&schema.fields).zip(encoders) {
            for leaf in compute_leaves(field, &array)? {
                encoder.write(&leaf)?;
            }
            made.push(encoder.close()?);
        }
        *chunks = Some(made);
        Ok(())
    };
    let write = |writer: &mut SerializedFileWriter<File>, chunks: &mut Option<Vec<ArrowColumnChunk>>| {
        let mut group = writer.next_row_group()?;
        for chunk in chunks.take().into_iter().flatten() {
            chunk.append_to_row_group(&mut group)?;
        }
        group.close()?;
        Ok(())
    };
    in_order(rows.div_ceil(GROUP), threads, writer, make, write)?.close()?;
    Ok(())
}
