//! What the text formats share: rows found in a stream of bytes, places of some of them, columns made of cells.

use std::borrow::Cow;
use std::io::Read;
use std::ops::Range;

use lookalike_ruleset::{Field, TableSchema, Type};
use polars::prelude::*;

use super::disk::Disk;
use super::values::{self, Guess};
use super::{
    MAX_COLUMNS, MAX_ROW_BYTES, Patch, Patched, Source, SourceOptions, Text, known_types, table_name, within,
};
use crate::Error;
use crate::frame::physical;

/// Where a cell stands in its row, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cell {
    pub start: u32,
    pub end: u32,
    pub form: Form,
}

impl Cell {
    /// Of a column that the row does not mention.
    pub const MISSING: Cell = Cell { start: 0, end: 0, form: Form::Missing };

    pub fn of<'a>(&self, row: &'a str) -> &'a str {
        row.get(self.start as usize..self.end as usize).unwrap_or_default()
    }
}

/// How a cell is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// Without quotes.
    Bare,
    /// In quotes, which are part of the cell.
    Quoted,
    /// In quotes, with something in it that stands for something else.
    Escaped,
    /// An object or a list, of which the format can hold one in place of a value.
    Nested,
    /// Not at all.
    Missing,
}

impl Form {
    pub fn is_quoted(self) -> bool {
        matches!(self, Form::Quoted | Form::Escaped)
    }
}

/// What was found at the beginning of some bytes.
pub(super) enum Found {
    /// A row of so many bytes.
    Row(usize),
    /// The beginning of a row.
    More,
    /// Nothing that counts, to the end of the file.
    End,
}

/// What is wrong, and so many bytes behind the start of the row.
#[derive(Debug)]
pub(super) struct Flaw {
    pub at: usize,
    pub message: String,
}

/// A text format.
pub(super) trait Dialect: Clone + Send + Sync + 'static {
    /// Whether cells in quotes are strings even where what they say is a number.
    const STRINGS: bool;

    /// Finds the first row and its cells, a cell for each column; `last` if no bytes follow.
    fn row(&mut self, bytes: &[u8], last: bool, cells: &mut Vec<Cell>) -> Result<Found, Flaw>;

    /// Names of the columns, as far as they are known.
    fn names(&self) -> &[String];

    /// The value of a cell; none for null.
    fn value<'a>(&self, row: &'a str, cell: Cell) -> Result<Option<Cow<'a, str>>, Flaw>;

    /// Adds names to the header.
    fn header(&self, head: Vec<u8>, added: &[Field]) -> Vec<u8>;

    /// Writes a row: `news` are cells that have another value now, by column, those of `added` columns included.
    fn rewrite(
        &self,
        row: &str,
        cells: &[Cell],
        news: &[New<'_>],
        added: &[Field],
        out: &mut Vec<u8>,
    ) -> Result<(), Error>;
}

/// A new value in a row.
pub(super) struct New<'a> {
    pub column: usize,
    pub field: &'a Field,
    pub value: Option<Cow<'a, str>>,
}

/// The rows of a file from some place on, one after the other.
struct Rows<D> {
    disk: Disk,
    dialect: D,
    buffer: Vec<u8>,
    /// What is not read yet of the buffer.
    pending: Range<usize>,
    /// Whether the buffer holds the rest of the file.
    last: bool,
    /// Of the next row: its offset in the file, and the number of its line, from 1.
    offset: u64,
    line: u64,
    /// Of the row at hand: where it is in the buffer, and its line.
    row: Range<usize>,
    row_line: u64,
    cells: Vec<Cell>,
}

impl<D: Dialect> Rows<D> {
    fn new(disk: &Disk, dialect: D, offset: u64, line: u64) -> Rows<D> {
        Rows {
            disk: disk.from(offset),
            dialect,
            buffer: vec![0; 128 * 1024],
            pending: 0..0,
            last: false,
            offset,
            line,
            row: 0..0,
            row_line: line,
            cells: Vec::new(),
        }
    }

    /// Goes to the next row, if there is one.
    fn next(&mut self) -> Result<bool, Error> {
        loop {
            let bytes = &self.buffer[self.pending.clone()];
            if bytes.is_empty() && self.last {
                return Ok(false);
            }
            let found = match bytes {
                [] => Ok(Found::More),
                bytes => self.dialect.row(bytes, self.last, &mut self.cells),
            };
            match found {
                Ok(Found::Row(len)) if len <= MAX_ROW_BYTES => {
                    self.row = self.pending.start..self.pending.start + len;
                    self.row_line = self.line;
                    self.pending.start += len;
                    self.offset += len as u64;
                    let row = &self.buffer[self.row.clone()];
                    self.line += row.iter().filter(|byte| **byte == b'\n').count() as u64;
                    if let Err(error) = std::str::from_utf8(row) {
                        let message = "these bytes are not UTF-8; save the file as UTF-8".to_owned();
                        return Err(self.flaw(Flaw { at: error.valid_up_to(), message }));
                    }
                    return Ok(true);
                }
                Ok(Found::End) => return Ok(false),
                Ok(Found::More) if bytes.len() < MAX_ROW_BYTES && !self.last => self.fill()?,
                Ok(_) => {
                    self.row = self.pending.clone();
                    self.row_line = self.line;
                    let message = format!(
                        "this row has more than {} MiB, the most that is read; is a closing quote missing?",
                        MAX_ROW_BYTES / (1024 * 1024)
                    );
                    return Err(self.flaw(Flaw { at: 0, message }));
                }
                Err(flaw) => {
                    self.row = self.pending.clone();
                    self.row_line = self.line;
                    return Err(self.flaw(flaw));
                }
            }
        }
    }

    /// Reads more bytes behind the pending ones.
    fn fill(&mut self) -> Result<(), Error> {
        self.buffer.copy_within(self.pending.clone(), 0);
        self.pending = 0..self.pending.len();
        if self.pending.end * 2 > self.buffer.len() {
            self.buffer.resize(self.buffer.len() * 2, 0);
        }
        while self.pending.end < self.buffer.len() {
            match self.disk.read(&mut self.buffer[self.pending.end..]) {
                Ok(0) => {
                    self.last = true;
                    break;
                }
                Ok(read) => self.pending.end += read,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => return Err(self.disk.error(error)),
            }
        }
        Ok(())
    }

    /// The row at hand, which was seen to be UTF-8.
    fn text(&self) -> &str {
        std::str::from_utf8(&self.buffer[self.row.clone()]).unwrap_or_default()
    }

    fn value(&self, column: usize) -> Result<Option<Cow<'_, str>>, Error> {
        let cell = self.cells.get(column).copied().unwrap_or(Cell::MISSING);
        self.dialect.value(self.text(), cell).map_err(|flaw| self.flaw(flaw))
    }

    /// The error of a flaw in the row at hand, with line and column.
    fn flaw(&self, flaw: Flaw) -> Error {
        let row = &self.buffer[self.row.clone()];
        let before = &row[..flaw.at.min(row.len())];
        let line = before.iter().filter(|byte| **byte == b'\n').count();
        let start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        // Bytes that go on with a character are not counted.
        let column = before[start..].iter().filter(|byte| **byte & 0xC0 != 0x80).count() + 1;
        // The first line may begin with a mark that no editor counts.
        Error::Parse {
            path: self.disk.path.to_path_buf(),
            line: self.row_line + line as u64,
            column: column as u64,
            message: flaw.message,
        }
    }

    /// The error of a value that is not of its column's type.
    fn misfit(&self, column: usize, field: &Field) -> Error {
        let cell = self.cells.get(column).copied().unwrap_or(Cell::MISSING);
        let mut shown: String = cell.of(self.text()).chars().take(40).collect();
        if cell.end - cell.start > 40 {
            shown.push('…');
        }
        let message =
            format!("column `{}` is {}, but this is `{}`", field.name, field.ty, shown.escape_debug());
        self.flaw(Flaw { at: cell.start as usize, message })
    }
}

/// Places of some rows: of every `step`-th.
#[derive(Debug)]
struct Index {
    step: u64,
    /// Offset and line number.
    places: Vec<(u64, u64)>,
}

impl Index {
    /// Rows between two places at first, and the most places that are kept: half of them are dropped then.
    const STEP: u64 = 1024;
    const MOST: usize = 65_536;

    fn note(&mut self, row: u64, offset: u64, line: u64) {
        if !row.is_multiple_of(self.step) {
            return;
        }
        if self.places.len() == Index::MOST {
            let mut kept = 0;
            self.places.retain(|_| {
                kept += 1;
                kept % 2 == 1
            });
            self.step *= 2;
            if !row.is_multiple_of(self.step) {
                return;
            }
        }
        self.places.push((offset, line));
    }
}

/// A text file, once it was read through.
pub(super) struct TextSource<D> {
    disk: Disk,
    dialect: D,
    schema: TableSchema,
    /// Of each column a value as it is written, to write new ones alike.
    examples: Vec<String>,
    rows: u64,
    index: Index,
    /// Where the first row begins, and where the last one ends.
    body: Range<u64>,
}

impl<D: Dialect> TextSource<D> {
    /// Reads the file through from its first row, in the line numbered `line`.
    pub fn open(
        disk: Disk,
        dialect: D,
        first: u64,
        line: u64,
        options: &SourceOptions,
    ) -> Result<TextSource<D>, Error> {
        let mut rows = Rows::new(&disk, dialect, first, line);
        let mut index = Index { step: Index::STEP, places: Vec::new() };
        let mut columns: Vec<(Guess, Option<Field>, String)> = Vec::new();
        let mut count = 0u64;
        let grow = |columns: &mut Vec<(Guess, Option<Field>, String)>, names: &[String], count: u64| {
            for name in &names[columns.len()..] {
                let given = options.types.iter().find(|(of, _)| of == name).map(|(_, ty)| *ty);
                let given = given.or_else(|| options.untyped.then_some(Type::Text));
                let field = |ty| Field {
                    name: name.clone(),
                    ty,
                    nullable: true,
                    plain: false,
                    json: false,
                    about: None,
                };
                let mut guess = Guess::new();
                if count > 0 {
                    guess.null();
                }
                columns.push((guess, given.map(field), String::new()));
            }
        };
        loop {
            let place = (rows.offset, rows.line);
            if !rows.next()? {
                break;
            }
            index.note(count, place.0, place.1);
            if rows.cells.len() > columns.len() {
                if rows.cells.len() > MAX_COLUMNS {
                    let message =
                        format!("there are more than {MAX_COLUMNS} columns, the most that are read");
                    return Err(rows.flaw(Flaw { at: 0, message }));
                }
                grow(&mut columns, rows.dialect.names(), count);
            }
            for (at, (guess, given, example)) in columns.iter_mut().enumerate() {
                match rows.value(at)? {
                    None => guess.null(),
                    Some(text) => {
                        let form = rows.cells[at].form;
                        if let Some(field) = given
                            && !(text.is_empty() && field.ty != Type::Text)
                            && !Builder::accepts(field.ty, &text)
                        {
                            return Err(rows.misfit(at, field));
                        }
                        if example.is_empty() && text.len() <= 64 {
                            example.push_str(&text);
                        }
                        match form {
                            Form::Nested => guess.nested(),
                            form => guess.value(&text, D::STRINGS && form.is_quoted()),
                        }
                    }
                }
            }
            count += 1;
        }
        grow(&mut columns, rows.dialect.names(), 0);
        known_types(&disk.path, rows.dialect.names(), options)?;
        let fields = rows.dialect.names().iter().zip(&columns).map(|(name, (guess, given, _))| {
            let (ty, nullable) = guess.result(given.as_ref().map(|field| field.ty));
            Field { name: name.clone(), ty, nullable, plain: false, json: guess.is_nested(), about: None }
        });
        let schema = TableSchema { table: table_name(&disk.path, options), fields: fields.collect() };
        let body = first..rows.offset;
        let examples = columns.into_iter().map(|(_, _, example)| example).collect();
        Ok(TextSource { disk, dialect: rows.dialect, schema, examples, rows: count, index, body })
    }

    /// The file's rows from the one numbered `row` on.
    fn from(&self, row: u64) -> Result<Rows<D>, Error> {
        let place = (row / self.index.step) as usize;
        let Some(&(offset, line)) = self.index.places.get(place) else {
            return Ok(Rows::new(&self.disk, self.dialect.clone(), self.body.end, 0));
        };
        let mut rows = Rows::new(&self.disk, self.dialect.clone(), offset, line);
        for _ in place as u64 * self.index.step..row {
            self.step(&mut rows)?;
        }
        Ok(rows)
    }

    /// Columns of rows in rising order, without repetitions.
    fn build(
        &self,
        numbers: impl Iterator<Item = u64>,
        height: usize,
        wanted: &[usize],
    ) -> Result<DataFrame, Error> {
        let fields = &self.schema.fields;
        let mut builders: Vec<Builder> = wanted.iter().map(|at| Builder::new(&fields[*at], height)).collect();
        let mut rows: Option<(Rows<D>, u64)> = None;
        for number in numbers {
            // A row nearby is walked to, another is looked up.
            let near = rows.take().filter(|(_, next)| number - next < self.index.step);
            let (mut at, mut next) = match near {
                Some(near) => near,
                None => (self.from(number)?, number),
            };
            while next <= number {
                self.step(&mut at)?;
                next += 1;
            }
            for (column, builder) in wanted.iter().zip(&mut builders) {
                let value = at.value(*column)?;
                if !builder.push(value.as_deref()) {
                    return Err(at.misfit(*column, &fields[*column]));
                }
            }
            rows = Some((at, next));
        }
        let columns = builders.into_iter().zip(wanted).map(|(builder, at)| builder.finish(&fields[*at]));
        let columns = columns.collect::<Result<Vec<_>, _>>().map_err(Error::engine("text"))?;
        DataFrame::new(height, columns).map_err(Error::engine("text"))
    }

    /// Goes to the next row, which was there when the file was read through.
    fn step(&self, rows: &mut Rows<D>) -> Result<(), Error> {
        match rows.next()? && rows.cells.len() <= self.schema.fields.len() {
            true => Ok(()),
            false => Err(self.disk.damaged("the file was changed while it was read")),
        }
    }
}

impl<D: Dialect> Source for TextSource<D> {
    fn schema(&self) -> &TableSchema {
        &self.schema
    }

    fn rows(&self) -> u64 {
        self.rows
    }

    fn columns(&self, range: Range<u64>, wanted: &[usize]) -> Result<DataFrame, Error> {
        within(&range, self.rows, &self.disk.path)?;
        let height = (range.end - range.start) as usize;
        self.build(range, height, wanted)
    }

    fn scattered(&self, rows: &[u64], wanted: &[usize]) -> Result<DataFrame, Error> {
        let (sorted, places) = in_order(rows);
        if let (Some(first), Some(last)) = (sorted.first(), sorted.last()) {
            within(&(*first..last.saturating_add(1)), self.rows, &self.disk.path)?;
        }
        let height = sorted.len();
        let frame = self.build(sorted.into_iter(), height, wanted)?;
        frame.take(&IdxCa::from_vec("rows".into(), places)).map_err(Error::engine("text"))
    }

    fn text(&self) -> Option<&dyn Text> {
        Some(self)
    }
}

impl<D: Dialect> Text for TextSource<D> {
    fn head(&self, added: &[Field]) -> Result<Vec<u8>, Error> {
        let head = self.disk.part(0..self.body.start)?;
        Ok(if added.is_empty() { head } else { self.dialect.header(head, added) })
    }

    fn patched(&self, range: Range<u64>, added: &[Field], patches: &[Patch]) -> Result<Patched, Error> {
        within(&range, self.rows, &self.disk.path)?;
        let mut patched = Patched::default();
        let mut rows = self.from(range.start)?;
        let mut patches = patches.iter().peekable();
        let mut news: Vec<New<'_>> = Vec::new();
        for row in range {
            self.step(&mut rows)?;
            news.clear();
            while let Some(patch) = patches.next_if(|patch| patch.row == row) {
                let own = self.schema.fields.get(patch.column);
                let Some(field) = own.or_else(|| added.get(patch.column - self.schema.fields.len())) else {
                    return Err(Error::Option(format!("no column {} to be changed", patch.column)));
                };
                let before =
                    if own.is_some() { rows.value(patch.column)?.map(Cow::into_owned) } else { None };
                let example = self.examples.get(patch.column).map_or("", String::as_str);
                let model = before.as_deref().filter(|text| !text.is_empty()).unwrap_or(example);
                let value = patch.value.as_deref().map(|value| alike(field.ty, model, value));
                patched.cells.push((before, value.as_deref().map(str::to_owned)));
                news.push(New { column: patch.column, field, value });
            }
            if news.is_empty() && added.is_empty() {
                patched.bytes.extend_from_slice(rows.text().as_bytes());
            } else {
                self.dialect.rewrite(rows.text(), &rows.cells, &news, added, &mut patched.bytes)?;
            }
        }
        Ok(patched)
    }

    fn tail(&self) -> Result<Vec<u8>, Error> {
        self.disk.part(self.body.end..self.disk.len)
    }
}

/// Numbers in rising order, without repetitions, and the place of each of the given ones among them.
pub(super) fn in_order(numbers: &[u64]) -> (Vec<u64>, Vec<IdxSize>) {
    let mut sorted = numbers.to_vec();
    sorted.sort_unstable();
    sorted.dedup();
    let place = |number| sorted.partition_point(|other| other < number) as IdxSize;
    let places = numbers.iter().map(place).collect();
    (sorted, places)
}

/// A value as CSV writes it, in the way in which `model`, of the same column, is written.
fn alike<'a>(ty: Type, model: &str, value: &'a str) -> Cow<'a, str> {
    match ty {
        // An anomaly may have put something else there, and that stays as it is.
        ty if !Builder::accepts(ty, value) => value.into(),
        Type::Bool if model.starts_with('T') || model.starts_with('F') => {
            let capitals = model.chars().all(|c| c.is_ascii_uppercase());
            let mut word = if capitals { value.to_ascii_uppercase() } else { value.to_owned() };
            word[..1].make_ascii_uppercase();
            word.into()
        }
        Type::Float if !model.is_empty() && !model.contains(['.', 'e', 'E']) => {
            value.strip_suffix(".0").unwrap_or(value).into()
        }
        Type::Datetime if model.len() >= 16 => {
            let utc = model.ends_with('Z');
            let mut text = if utc { value.to_owned() } else { value.trim_end_matches('Z').to_owned() };
            if model.contains(' ') {
                text = text.replace('T', " ");
            }
            // Without seconds, where there are none to be lost.
            if model.trim_end_matches('Z').len() == 16
                && let Some(short) = text.trim_end_matches('Z').strip_suffix(":00")
            {
                text = format!("{short}{}", if utc { "Z" } else { "" });
            }
            text.into()
        }
        _ => value.into(),
    }
}

/// A column in the making.
pub(super) enum Builder {
    Bool(BooleanChunkedBuilder),
    Int(PrimitiveChunkedBuilder<Int64Type>),
    Float(PrimitiveChunkedBuilder<Float64Type>),
    Decimal(PrimitiveChunkedBuilder<Int64Type>, u8),
    Text(StringChunkedBuilder),
    Date(PrimitiveChunkedBuilder<Int32Type>),
    Datetime(PrimitiveChunkedBuilder<Int64Type>),
    Duration(PrimitiveChunkedBuilder<Int64Type>),
}

impl Builder {
    pub fn new(field: &Field, rows: usize) -> Builder {
        let name: PlSmallStr = field.name.as_str().into();
        match field.ty {
            Type::Bool => Builder::Bool(BooleanChunkedBuilder::new(name, rows)),
            Type::Int => Builder::Int(PrimitiveChunkedBuilder::new(name, rows)),
            Type::Float => Builder::Float(PrimitiveChunkedBuilder::new(name, rows)),
            Type::Decimal(scale) => Builder::Decimal(PrimitiveChunkedBuilder::new(name, rows), scale),
            Type::Text => Builder::Text(StringChunkedBuilder::new(name, rows)),
            Type::Date => Builder::Date(PrimitiveChunkedBuilder::new(name, rows)),
            Type::Datetime => Builder::Datetime(PrimitiveChunkedBuilder::new(name, rows)),
            Type::Duration => Builder::Duration(PrimitiveChunkedBuilder::new(name, rows)),
        }
    }

    /// Adds a value, if it is of the column's type.
    pub fn push(&mut self, text: Option<&str>) -> bool {
        macro_rules! push {
            ($builder:expr, $parse:expr) => {
                match text {
                    // Nothing, be it in quotes, is no value of any type but text.
                    None | Some("") => $builder.append_null(),
                    Some(text) => match $parse(text) {
                        Some(value) => $builder.append_value(value),
                        None => return false,
                    },
                }
            };
        }
        match self {
            Builder::Bool(builder) => push!(builder, values::boolean),
            Builder::Int(builder) => push!(builder, values::int),
            Builder::Float(builder) => push!(builder, values::float),
            Builder::Decimal(builder, scale) => push!(builder, |text| values::decimal(text, *scale)),
            Builder::Text(builder) => builder.append_option(text),
            Builder::Date(builder) => push!(builder, values::date),
            Builder::Datetime(builder) => push!(builder, |text| values::datetime(text, true)),
            Builder::Duration(builder) => push!(builder, values::duration),
        }
        true
    }

    /// Whether a text is a value of the type.
    fn accepts(ty: Type, text: &str) -> bool {
        match ty {
            Type::Bool => values::boolean(text).is_some(),
            Type::Int => values::int(text).is_some(),
            Type::Float => values::float(text).is_some(),
            Type::Decimal(scale) => values::decimal(text, scale).is_some(),
            Type::Text => true,
            Type::Date => values::date(text).is_some(),
            Type::Datetime => values::datetime(text, true).is_some(),
            Type::Duration => values::duration(text).is_some(),
        }
    }

    pub fn finish(self, field: &Field) -> PolarsResult<Column> {
        let series = match self {
            Builder::Bool(builder) => builder.finish().into_series(),
            Builder::Int(builder) => builder.finish().into_series(),
            Builder::Float(builder) => builder.finish().into_series(),
            Builder::Decimal(builder, scale) => {
                let values = builder.finish().into_series().cast(&DataType::Int128)?;
                let precision = crate::frame::DECIMAL_PRECISION;
                values.i128()?.clone().into_decimal_unchecked(precision, usize::from(scale)).into_series()
            }
            Builder::Text(builder) => builder.finish().into_series(),
            Builder::Date(builder) => builder.finish().into_series().cast(&physical(field.ty))?,
            Builder::Datetime(builder) | Builder::Duration(builder) => {
                builder.finish().into_series().cast(&physical(field.ty))?
            }
        };
        Ok(series.into_column())
    }
}
