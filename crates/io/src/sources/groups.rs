//! What the binary formats share: groups of rows that are decoded whole and kept for a while, and types that become ours.

use std::collections::VecDeque;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use lookalike_ruleset::{Field, TableSchema, Type};
use polars::prelude::*;

use super::disk::Disk;
use super::text::Builder;
use super::{MAX_COLUMNS, Source, SourceOptions, known_types, table_name, within};
use crate::{Error, cells, frame};

/// A binary format.
pub(super) trait Groups: Send + Sync {
    /// Decodes the columns of a group.
    fn load(&self, group: usize) -> PolarsResult<Vec<Series>>;
}

/// A file of groups of rows.
pub(super) struct GroupSource<G> {
    groups: G,
    disk: Disk,
    schema: TableSchema,
    /// Of each column its type in the file.
    found: Vec<Type>,
    /// Number of the first row of each group, and of all rows.
    starts: Vec<u64>,
    kept: Mutex<VecDeque<(usize, Slot)>>,
    /// How many groups are kept: what that many threads are at, and one.
    keep: usize,
}

/// A group, once a thread has decoded it.
type Slot = Arc<Mutex<Option<DataFrame>>>;

impl<G: Groups> GroupSource<G> {
    pub fn new(
        disk: Disk,
        groups: G,
        fields: &[ArrowField],
        rows: &[usize],
        options: &SourceOptions,
    ) -> Result<GroupSource<G>, Error> {
        if fields.len() > MAX_COLUMNS {
            return Err(
                disk.damaged(format!("there are {} columns; at most {MAX_COLUMNS} are read", fields.len()))
            );
        }
        let names: Vec<String> = fields.iter().map(|field| field.name.to_string()).collect();
        known_types(&disk.path, &names, options)?;
        let mut sorted = names.clone();
        sorted.sort_unstable();
        if let Some(pair) = sorted.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(disk.damaged(format!("two columns are called `{}`", pair[0])));
        }
        let mut found = Vec::with_capacity(fields.len());
        let mut schema = TableSchema { table: table_name(&disk.path, options), fields: Vec::new() };
        for field in fields {
            let own = type_of(&field.dtype).ok_or_else(|| {
                let what =
                    format!("column `{}` is {:?}, and a column holds single values", field.name, field.dtype);
                disk.damaged(format!("{what}: numbers, booleans, text, dates, datetimes or durations"))
            })?;
            let given =
                options.types.iter().find(|(name, _)| *name == field.name.as_str()).map(|(_, ty)| *ty);
            schema.fields.push(Field {
                name: field.name.to_string(),
                ty: given.unwrap_or(own),
                nullable: field.is_nullable,
                plain: false,
                about: None,
            });
            found.push(own);
        }
        let mut starts = vec![0u64];
        for rows in rows {
            starts.push(starts[starts.len() - 1] + *rows as u64);
        }
        let keep = std::thread::available_parallelism().map_or(1, usize::from) + 1;
        Ok(GroupSource { groups, disk, schema, found, starts, kept: Mutex::default(), keep })
    }

    /// A group, which is decoded once by one thread as long as it is kept.
    fn group(&self, group: usize) -> Result<DataFrame, Error> {
        let slot = {
            let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
            let slot = match kept.iter().position(|(of, _)| *of == group) {
                Some(at) => kept.remove(at).map(|(_, slot)| slot).unwrap_or_default(),
                None => Slot::default(),
            };
            kept.push_front((group, slot.clone()));
            kept.truncate(self.keep);
            slot
        };
        let mut slot = slot.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(frame) = &*slot {
            return Ok(frame.clone());
        }
        let frame = self.decode(group)?;
        *slot = Some(frame.clone());
        Ok(frame)
    }

    fn decode(&self, group: usize) -> Result<DataFrame, Error> {
        let rows = (self.starts[group + 1] - self.starts[group]) as usize;
        let columns = guarded(&self.disk.path, || self.groups.load(group))?;
        let columns =
            columns.into_iter().zip(&self.schema.fields).zip(&self.found).map(|((series, field), found)| {
                let wrong = |what: String| {
                    let (first, last) = (self.starts[group], self.starts[group + 1]);
                    self.disk.damaged(format!("column `{}`, rows {first}..{last}: {what}", field.name))
                };
                if series.len() != rows {
                    return Err(wrong(format!("there are {} values", series.len())));
                }
                let own = exactly(&series, *found).map_err(wrong)?;
                let own =
                    if field.ty == *found { own } else { converted(&own, *found, field).map_err(wrong)? };
                if own.null_count() > 0 && !field.nullable {
                    return Err(wrong("there are nulls, which the file says there are not".to_owned()));
                }
                Ok(own.rechunk().with_name(field.name.as_str().into()).into_column())
            });
        DataFrame::new(rows, columns.collect::<Result<_, _>>()?).map_err(Error::engine("columns"))
    }
}

impl<G: Groups> Source for GroupSource<G> {
    fn schema(&self) -> &TableSchema {
        &self.schema
    }

    fn rows(&self) -> u64 {
        self.starts.last().copied().unwrap_or_default()
    }

    fn read(&self, rows: Range<u64>) -> Result<DataFrame, Error> {
        within(&rows, self.rows(), &self.disk.path)?;
        let mut whole: Option<DataFrame> = None;
        let mut at = rows.start;
        while at < rows.end {
            // The last group that begins at or before the row; those without rows are passed over.
            let group = self.starts.partition_point(|start| *start <= at) - 1;
            let end = self.starts[group + 1].min(rows.end);
            let frame = self.group(group)?.slice((at - self.starts[group]) as i64, (end - at) as usize);
            match &mut whole {
                None => whole = Some(frame),
                Some(whole) => {
                    whole.vstack_mut(&frame).map_err(Error::engine("rows"))?;
                }
            }
            at = end;
        }
        match whole {
            Some(mut whole) => {
                whole.rechunk_mut();
                Ok(whole)
            }
            None => {
                let fields = self.schema.fields.iter();
                let empty = fields.map(|f| Column::new_empty(f.name.as_str().into(), &frame::physical(f.ty)));
                DataFrame::new(0, empty.collect()).map_err(Error::engine("rows"))
            }
        }
    }
}

/// What a decoder gives, be it that it fails or panics over a damaged file.
pub(super) fn guarded<T>(path: &Path, body: impl FnOnce() -> PolarsResult<T>) -> Result<T, Error> {
    let damaged = |message: String| Error::Data { path: path.to_path_buf(), message };
    match catch_unwind(AssertUnwindSafe(body)) {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => Err(damaged(error.to_string())),
        Err(_) => Err(damaged("the file is damaged".to_owned())),
    }
}

/// The type that holds all values of an Arrow type, if there is one.
fn type_of(dtype: &ArrowDataType) -> Option<Type> {
    use ArrowDataType as A;
    Some(match dtype {
        A::Boolean => Type::Bool,
        A::Int8 | A::Int16 | A::Int32 | A::Int64 | A::UInt8 | A::UInt16 | A::UInt32 | A::UInt64 => Type::Int,
        A::Float32 | A::Float64 => Type::Float,
        // More digits than ours hold stay, as text.
        A::Decimal(_, scale) if *scale <= 9 => Type::Decimal(*scale as u8),
        A::Decimal(..) => Type::Text,
        A::Utf8 | A::LargeUtf8 | A::Utf8View | A::Null => Type::Text,
        A::Dictionary(_, values, _) if type_of(values) == Some(Type::Text) => Type::Text,
        A::Date32 => Type::Date,
        A::Date64 | A::Timestamp(..) => Type::Datetime,
        A::Duration(_) => Type::Duration,
        _ => return None,
    })
}

/// The field as the engine is to decode it: text as strings, points in time without their zone, in which they are shown only.
pub(super) fn plain(mut field: ArrowField) -> ArrowField {
    field.dtype = match field.dtype {
        ArrowDataType::Timestamp(unit, _) => ArrowDataType::Timestamp(unit, None),
        other => other,
    };
    field.metadata = None;
    field
}

/// The values, held as a sink expects those of the type.
fn exactly(series: &Series, ty: Type) -> Result<Series, String> {
    let physical = frame::physical(ty);
    if *series.dtype() == physical {
        return Ok(series.clone());
    }
    let cast = series.strict_cast(&physical).map_err(|_| match ty {
        Type::Int => {
            "there is a number beyond the 64 bits of an int; give the column the type text".to_owned()
        }
        _ => format!("there is a value that {ty} cannot hold; give the column the type text"),
    })?;
    if let (DataType::Datetime(..) | DataType::Duration(_), _) = (series.dtype(), ty) {
        // Nanoseconds become microseconds only where none are lost.
        let back = cast.cast(series.dtype()).map_err(|error| error.to_string())?;
        if !back.equals_missing(series) {
            return Err("there are parts of a microsecond, or times beyond its range".to_owned());
        }
    }
    Ok(cast)
}

/// The values as another type than they have in the file, by way of their text.
fn converted(series: &Series, found: Type, field: &Field) -> Result<Series, String> {
    let texts =
        cells::texts(&Field { ty: found, ..field.clone() }, series).map_err(|error| error.to_string())?;
    let mut builder = Builder::new(field, series.len());
    for text in texts.iter() {
        if !builder.push(text) {
            return Err(format!("`{}` is not {}", text.unwrap_or_default().escape_debug(), field.ty));
        }
    }
    let column = builder.finish(field).map_err(|error| error.to_string())?;
    Ok(column.take_materialized_series())
}
