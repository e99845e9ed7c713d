//! What the binary formats share: groups of rows that are decoded whole and kept for a while, and types that become ours.

use std::collections::VecDeque;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use lookalike_ruleset::{Field, TableSchema, Type};
use polars::prelude::*;

use super::disk::Disk;
use super::text::{Builder, in_order};
use super::{MAX_COLUMNS, Source, SourceOptions, known_types, table_name, within};
use crate::{Error, cells, frame};

/// A binary format.
pub(super) trait Groups: Send + Sync {
    /// Decodes a column of a group.
    fn load(&self, group: usize, column: usize) -> PolarsResult<Series>;
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
    kept: Mutex<Kept>,
    /// Of how many groups all is kept: what each thread is at, and one.
    keep: usize,
}

/// Columns of groups that were decoded, the one used last first, and their bytes.
#[derive(Default)]
struct Kept {
    slots: VecDeque<((usize, usize), usize, Slot)>,
    bytes: usize,
}

/// A column of a group, once a thread has decoded it.
type Slot = Arc<Mutex<Option<Series>>>;

/// Bytes of decoded columns that are kept, those of the groups at hand not counted.
const KEPT_BYTES: usize = 64 * 1024 * 1024;

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
                json: false,
                about: None,
            });
            found.push(own);
        }
        let mut starts = vec![0u64];
        for rows in rows {
            starts.push(starts[starts.len() - 1].saturating_add(*rows as u64));
        }
        let keep = std::thread::available_parallelism().map_or(1, usize::from) + 1;
        Ok(GroupSource { groups, disk, schema, found, starts, kept: Mutex::default(), keep })
    }

    /// A column of a group, which is decoded once by one thread as long as it is kept.
    fn column(&self, group: usize, column: usize) -> Result<Series, Error> {
        let key = (group, column);
        let slot = {
            let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
            let found =
                kept.slots.iter().position(|(of, ..)| *of == key).and_then(|at| kept.slots.remove(at));
            let (_, bytes, slot) = found.unwrap_or((key, 0, Slot::default()));
            kept.slots.push_front((key, bytes, slot.clone()));
            slot
        };
        let mut slot = slot.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(series) = &*slot {
            return Ok(series.clone());
        }
        let series = self.decode(group, column)?;
        *slot = Some(series.clone());
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.add(key, series.estimated_size());
        kept.shrink(self.keep);
        Ok(series)
    }

    fn decode(&self, group: usize, column: usize) -> Result<Series, Error> {
        let (first, last) = (self.starts[group], self.starts[group + 1]);
        let (field, found) = (&self.schema.fields[column], self.found[column]);
        let series = guarded(&self.disk.path, || self.groups.load(group, column))?;
        let wrong = |what: String| {
            self.disk.damaged(format!("column `{}`, rows {first}..{last}: {what}", field.name))
        };
        if series.len() as u64 != last - first {
            return Err(wrong(format!("there are {} values", series.len())));
        }
        let own = exactly(&series, found).map_err(wrong)?;
        let own = if field.ty == found { own } else { converted(&own, found, field).map_err(wrong)? };
        if own.null_count() > 0 && !field.nullable {
            return Err(wrong("there are nulls, which the file says there are not".to_owned()));
        }
        Ok(own.rechunk().with_name(field.name.as_str().into()))
    }

    /// The group of a row: the last that begins at or before it; those without rows are passed over.
    fn group_of(&self, row: u64) -> usize {
        self.starts.partition_point(|start| *start <= row) - 1
    }

    fn assemble(&self, wanted: &[usize], parts: &[(usize, Part)], height: usize) -> Result<DataFrame, Error> {
        let column = |at: &usize| {
            let field = &self.schema.fields[*at];
            let mut whole: Option<Series> = None;
            for (group, part) in parts {
                let of = self.column(*group, *at)?;
                let part = match part {
                    Part::Range(from, len) => of.slice(*from as i64, *len),
                    Part::Rows(rows) => of.take_slice(rows).map_err(Error::engine("rows"))?,
                };
                match &mut whole {
                    None => whole = Some(part),
                    Some(whole) => {
                        whole.append(&part).map_err(Error::engine("rows"))?;
                    }
                }
            }
            let none = || Series::new_empty(field.name.as_str().into(), &frame::physical(field.ty));
            Ok(whole.unwrap_or_else(none).rechunk().into_column())
        };
        let columns = wanted.iter().map(column).collect::<Result<Vec<_>, Error>>()?;
        DataFrame::new(height, columns).map_err(Error::engine("rows"))
    }
}

/// Rows of one group.
enum Part {
    /// From a row of the group on, so many.
    Range(usize, usize),
    /// These rows of the group.
    Rows(Vec<IdxSize>),
}

impl Kept {
    /// Notes the bytes of a column that was decoded.
    fn add(&mut self, key: (usize, usize), bytes: usize) {
        if let Some(slot) = self.slots.iter_mut().find(|(of, ..)| *of == key) {
            self.bytes += bytes - slot.1;
            slot.1 = bytes;
        }
    }

    /// Lets go of what was not used for longest, but not of the groups that are at hand.
    fn shrink(&mut self, groups: usize) {
        while self.bytes > KEPT_BYTES {
            let mut seen: Vec<usize> = self.slots.iter().map(|((group, _), ..)| *group).collect();
            seen.sort_unstable();
            seen.dedup();
            if seen.len() <= groups {
                return;
            }
            let Some((_, bytes, _)) = self.slots.pop_back() else { return };
            self.bytes -= bytes;
        }
    }
}

impl<G: Groups> Source for GroupSource<G> {
    fn schema(&self) -> &TableSchema {
        &self.schema
    }

    fn rows(&self) -> u64 {
        self.starts.last().copied().unwrap_or_default()
    }

    fn columns(&self, rows: Range<u64>, wanted: &[usize]) -> Result<DataFrame, Error> {
        within(&rows, self.rows(), &self.disk.path)?;
        let mut parts = Vec::new();
        let mut at = rows.start;
        while at < rows.end {
            let group = self.group_of(at);
            let end = self.starts[group + 1].min(rows.end);
            parts.push((group, Part::Range((at - self.starts[group]) as usize, (end - at) as usize)));
            at = end;
        }
        self.assemble(wanted, &parts, (rows.end - rows.start) as usize)
    }

    fn scattered(&self, rows: &[u64], wanted: &[usize]) -> Result<DataFrame, Error> {
        let (sorted, places) = in_order(rows);
        if let (Some(first), Some(last)) = (sorted.first(), sorted.last()) {
            within(&(*first..last.saturating_add(1)), self.rows(), &self.disk.path)?;
        }
        let mut parts: Vec<(usize, Part)> = Vec::new();
        for row in &sorted {
            let group = match parts.last() {
                Some((group, _)) if *row < self.starts[*group + 1] => *group,
                _ => self.group_of(*row),
            };
            let within = (row - self.starts[group]) as IdxSize;
            match parts.last_mut() {
                Some((of, Part::Rows(rows))) if *of == group => rows.push(within),
                _ => parts.push((group, Part::Rows(vec![within]))),
            }
        }
        let frame = self.assemble(wanted, &parts, sorted.len())?;
        frame.take(&IdxCa::from_vec("rows".into(), places)).map_err(Error::engine("rows"))
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

/// The values of a column of any frame, held as a sink expects those of the type that they have.
pub(super) fn held(series: &Series) -> Result<(Type, Series), String> {
    let series = match series.dtype() {
        DataType::Categorical(..) | DataType::Enum(..) => series.strict_cast(&DataType::String),
        DataType::Datetime(unit, Some(_)) => series.strict_cast(&DataType::Datetime(*unit, None)),
        _ => Ok(series.clone()),
    };
    let series = series.map_err(|error| error.to_string())?;
    let dtype = series.dtype().to_arrow(CompatLevel::newest());
    let ty =
        type_of(&dtype).ok_or_else(|| format!("{} is not among the types of columns", series.dtype()))?;
    Ok((ty, exactly(&series, ty)?.rechunk()))
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
