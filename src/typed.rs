//! Rows as values of the user's own types.

use std::fmt::Display;
use std::marker::PhantomData;

use lookalike_engine::run::BLOCK_ROWS;
use lookalike_ruleset::{Field, Type};
use polars::prelude::*;
use serde::de::value::StrDeserializer;
use serde::de::{
    self, DeserializeOwned, DeserializeSeed, Deserializer, IntoDeserializer, MapAccess, Unexpected, Visitor,
};
use serde::forward_to_deserialize_any;

use crate::{Error, Table};

/// Rows as values of a type that serde can read: see [`Table::typed`].
pub struct TypedRows<'a, T> {
    table: Table<'a>,
    fields: Vec<Field>,
    /// The next row that is not in the block.
    next: u64,
    end: u64,
    columns: Vec<TypedColumn>,
    /// Number of the block's first row, its length, and the position of the next value in it.
    first: u64,
    len: usize,
    at: usize,
    of: PhantomData<fn() -> T>,
}

impl<'a, T> TypedRows<'a, T> {
    pub(crate) fn new(table: Table<'a>, rows: std::ops::Range<u64>) -> TypedRows<'a, T> {
        TypedRows {
            fields: table.schema().fields,
            table,
            next: rows.start,
            end: rows.end,
            columns: Vec::new(),
            first: rows.start,
            len: 0,
            at: 0,
            of: PhantomData,
        }
    }

    fn refill(&mut self) -> Result<(), Error> {
        let end = self.next.saturating_add(BLOCK_ROWS as u64).min(self.end);
        let frame = self.table.clone().rows(self.next..end).collect()?;
        let column =
            |(field, column): (&Field, &Column)| TypedColumn::new(field, column.as_materialized_series());
        self.columns = self.fields.iter().zip(frame.columns()).map(column).collect::<Result<_, _>>()?;
        (self.first, self.len, self.at, self.next) = (self.next, frame.height(), 0, end);
        Ok(())
    }
}

impl<T: DeserializeOwned> Iterator for TypedRows<'_, T> {
    type Item = Result<T, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.at == self.len {
            if self.next >= self.end {
                return None;
            }
            if let Err(error) = self.refill() {
                // What cannot be made now cannot be made later either.
                self.next = self.end;
                return Some(Err(error));
            }
        }
        let at = self.at;
        self.at += 1;
        let value = T::deserialize(Row { columns: &self.columns, at });
        Some(value.map_err(|mismatch| Error::Typed {
            table: self.table.name().to_owned(),
            row: self.first + at as u64,
            column: mismatch.column,
            message: mismatch.message,
        }))
    }
}

/// A column of a block, ready to be read value by value.
struct TypedColumn {
    name: String,
    values: Values,
}

enum Values {
    Bool(BooleanChunked),
    Int(Int64Chunked),
    Float(Float64Chunked),
    Text(StringChunked),
    /// Decimals: as numbers, and as written.
    Decimal(Float64Chunked, StringChunked),
    /// Dates in days, stamps and lengths of time in microseconds; and as written.
    Time(Int64Chunked, StringChunked),
}

impl TypedColumn {
    fn new(field: &Field, series: &Series) -> Result<TypedColumn, Error> {
        let internal = |error: PolarsError| lookalike_engine::Error::Internal(error.to_string());
        let ints = || series.to_physical_repr().cast(&DataType::Int64).and_then(|s| s.i64().cloned());
        let values = match field.ty {
            Type::Bool => Values::Bool(series.bool().map_err(internal)?.clone()),
            Type::Int => Values::Int(series.i64().map_err(internal)?.clone()),
            Type::Float => Values::Float(series.f64().map_err(internal)?.clone()),
            Type::Text => Values::Text(lookalike_io::texts(field, series)?),
            Type::Decimal(_) => {
                let numbers = series.cast(&DataType::Float64).and_then(|s| s.f64().cloned());
                Values::Decimal(numbers.map_err(internal)?, lookalike_io::texts(field, series)?)
            }
            Type::Date | Type::Datetime | Type::Duration => {
                Values::Time(ints().map_err(internal)?, lookalike_io::texts(field, series)?)
            }
        };
        Ok(TypedColumn { name: field.name.clone(), values })
    }

    /// What stands in a row; `None` for null.
    fn get(&self, at: usize) -> Option<Value<'_>> {
        Some(match &self.values {
            Values::Bool(values) => Value::Bool(values.get(at)?),
            Values::Int(values) => Value::Int(values.get(at)?),
            Values::Float(values) => Value::Float(values.get(at)?),
            Values::Text(values) => Value::Text(values.get(at)?),
            Values::Decimal(values, texts) => Value::Decimal(values.get(at)?, texts.get(at)?),
            Values::Time(values, texts) => Value::Time(values.get(at)?, texts.get(at)?),
        })
    }
}

enum Value<'a> {
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(&'a str),
    Decimal(f64, &'a str),
    Time(i64, &'a str),
}

/// Why a row is no value of the type.
#[derive(Debug)]
struct Mismatch {
    column: Option<String>,
    message: String,
}

impl Display for Mismatch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Mismatch {}

impl de::Error for Mismatch {
    fn custom<M: Display>(message: M) -> Self {
        Mismatch { column: None, message: message.to_string() }
    }
}

/// A row as a map from column names to values.
struct Row<'a> {
    columns: &'a [TypedColumn],
    at: usize,
}

impl<'de> Deserializer<'de> for Row<'_> {
    type Error = Mismatch;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mismatch> {
        visitor.visit_map(Cells { row: self, column: 0 })
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Mismatch> {
        visitor.visit_newtype_struct(self)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct seq
        tuple tuple_struct map struct enum identifier ignored_any
    }
}

struct Cells<'a> {
    row: Row<'a>,
    column: usize,
}

impl<'de> MapAccess<'de> for Cells<'_> {
    type Error = Mismatch;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Mismatch> {
        let Some(column) = self.row.columns.get(self.column) else { return Ok(None) };
        let name: StrDeserializer<'_, Mismatch> = column.name.as_str().into_deserializer();
        seed.deserialize(name).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Mismatch> {
        let column = &self.row.columns[self.column];
        self.column += 1;
        seed.deserialize(Cell(column.get(self.row.at))).map_err(|mut mismatch| {
            mismatch.column.get_or_insert_with(|| column.name.clone());
            mismatch
        })
    }
}

/// One value; `None` for null.
struct Cell<'a>(Option<Value<'a>>);

impl Cell<'_> {
    /// A type that has no null meets one.
    fn null<'de, V: Visitor<'de>>(visitor: &V) -> Mismatch {
        de::Error::invalid_type(Unexpected::Other("null"), visitor)
    }

    /// The number behind a value.
    fn number<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mismatch> {
        match self.0 {
            Some(Value::Time(number, _)) => visitor.visit_i64(number),
            _ => self.deserialize_any_but_null(visitor),
        }
    }

    /// The text of a value.
    fn text<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mismatch> {
        match self.0 {
            Some(Value::Decimal(_, text)) => visitor.visit_str(text),
            _ => self.deserialize_any_but_null(visitor),
        }
    }

    fn deserialize_any_but_null<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mismatch> {
        if self.0.is_none() {
            return Err(Cell::null(&visitor));
        }
        self.deserialize_any(visitor)
    }
}

/// Forwards some methods to one that does the same for all of them.
macro_rules! forward {
    ($($method:ident)* => $to:ident) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mismatch> {
            self.$to(visitor)
        }
    )*};
}

impl<'de> Deserializer<'de> for Cell<'_> {
    type Error = Mismatch;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mismatch> {
        match self.0 {
            None => visitor.visit_unit(),
            Some(Value::Bool(value)) => visitor.visit_bool(value),
            Some(Value::Int(value)) => visitor.visit_i64(value),
            Some(Value::Float(value) | Value::Decimal(value, _)) => visitor.visit_f64(value),
            Some(Value::Text(text) | Value::Time(_, text)) => visitor.visit_str(text),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mismatch> {
        if self.0.is_none() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Mismatch> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Mismatch> {
        match self.0 {
            Some(Value::Text(text)) => {
                let variant: StrDeserializer<'_, Mismatch> = text.into_deserializer();
                visitor.visit_enum(variant)
            }
            _ => self.deserialize_any_but_null(visitor),
        }
    }

    forward! { deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64 deserialize_i128 deserialize_u8 deserialize_u16
    deserialize_u32 deserialize_u64 deserialize_u128 deserialize_f32 deserialize_f64 => number }
    forward! { deserialize_char deserialize_str deserialize_string => text }
    forward! { deserialize_bool deserialize_bytes deserialize_byte_buf => deserialize_any_but_null }
    forward_to_deserialize_any! {
        unit unit_struct seq tuple tuple_struct map struct identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::Deserialize;

    use super::*;
    use crate::Ruleset;

    const SHOP: &str = "
lookalike: 1
tables:
  orders:
    rows: 40000
    columns:
      id: {sequence: {start: 1}}
      state: {choice: {open: 20%, paid: 80%}}
      amount: {uniform: [1, 9], round: 2}
      rate: {uniform: [0, 1]}
      note: {choice: [a, b], null: 50%}
      express: {bernoulli: 30%}
      ordered: {date_range: [2026-01-01, 2026-02-01]}
      took: {duration_range: [1h, 2h]}
";

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(rename_all = "lowercase")]
    enum State {
        Open,
        Paid,
    }

    #[derive(Debug, Deserialize)]
    struct Order {
        id: u32,
        state: State,
        amount: f64,
        rate: f32,
        note: Option<String>,
        express: bool,
        ordered: String,
        took: i64,
    }

    #[test]
    fn rows_become_structs_block_after_block() {
        let ruleset = Ruleset::from_str(SHOP).unwrap();
        let table = ruleset.table("orders").unwrap();
        let orders: Vec<Order> = table.clone().rows(100..40_000).typed().collect::<Result<_, _>>().unwrap();
        assert_eq!(orders.len(), 39_900);
        let frame = table.rows(100..40_000).collect().unwrap();
        let ids = frame.column("id").unwrap().i64().unwrap();
        let rates = frame.column("rate").unwrap().f64().unwrap();
        let notes = frame.column("note").unwrap().as_materialized_series().cast(&DataType::String).unwrap();
        let notes = notes.str().unwrap();
        for (at, order) in orders.iter().enumerate() {
            assert_eq!(Some(i64::from(order.id)), ids.get(at));
            assert_eq!(Some(order.rate), rates.get(at).map(|rate| rate as f32));
            assert_eq!(order.note.as_deref(), notes.get(at));
            assert!((1.0..=9.0).contains(&order.amount));
            assert!(order.ordered.starts_with("2026-0") && order.ordered.len() == 10);
            assert!((3_600_000_000..=7_200_000_000).contains(&order.took));
        }
        assert!(
            orders.iter().any(|o| o.state == State::Open) && orders.iter().any(|o| o.state == State::Paid)
        );
        assert!(orders.iter().any(|o| o.express) && orders.iter().any(|o| !o.express));
    }

    #[test]
    fn decimals_can_be_text_and_rows_can_be_maps() {
        #[derive(Deserialize)]
        struct Priced {
            amount: String,
        }
        let ruleset = Ruleset::from_str(SHOP).unwrap();
        let table = ruleset.table("orders").unwrap().rows(0..50);
        for priced in table.typed::<Priced>() {
            let (_, cents) = priced.as_ref().unwrap().amount.split_once('.').unwrap();
            assert_eq!(cents.len(), 2);
        }
        let map: BTreeMap<String, serde_json::Value> = table.typed().next().unwrap().unwrap();
        assert_eq!(map.len(), 8);
        assert_eq!(map["id"], 1);
    }

    #[test]
    fn what_does_not_fit_is_named() {
        let ruleset = Ruleset::from_str(SHOP).unwrap();
        let table = ruleset.table("orders").unwrap();
        #[derive(Debug, Deserialize)]
        struct Strict {
            #[expect(dead_code, reason = "only read into")]
            note: String,
        }
        let error = table.typed::<Strict>().find_map(Result::err).unwrap();
        let text = error.to_string();
        assert!(text.ends_with("column `note`: invalid type: null, expected a string"), "{text}");
        #[derive(Debug, Deserialize)]
        struct Narrow {
            #[expect(dead_code, reason = "only read into")]
            id: u8,
        }
        let error = table.typed::<Narrow>().find_map(Result::err).unwrap();
        assert_eq!(
            error.to_string(),
            "table `orders`, row 255, column `id`: invalid value: integer `256`, expected u8"
        );
        #[derive(Debug, Deserialize)]
        struct Other {
            #[expect(dead_code, reason = "only read into")]
            customer: u8,
        }
        let error = table.typed::<Other>().find_map(Result::err).unwrap();
        assert_eq!(error.to_string(), "table `orders`, row 0: missing field `customer`");
        let beyond = table.rows(39_999..40_001).typed::<BTreeMap<String, serde_json::Value>>();
        assert_eq!(beyond.map(|row| row.is_ok()).collect::<Vec<_>>(), [false]);
    }
}
