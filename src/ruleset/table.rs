//! A table's rows, in the forms in which they are to be had.

use std::ops::Range;

use lookalike_core::Rows;
use lookalike_engine::plan::TablePlan;
use lookalike_ruleset::TableSchema;
use polars::prelude::DataFrame;

#[cfg(feature = "bedrock")]
use super::walk;
use crate::Error;

/// A table of a ruleset, or a range of its rows.
#[derive(Clone)]
pub struct Table<'a> {
    pub(super) plan: &'a TablePlan,
    pub(super) rows: Range<u64>,
    pub(super) is_protected: bool,
}

impl<'a> Table<'a> {
    /// The table's name.
    pub fn name(&self) -> &'a str {
        &self.plan.name
    }

    /// Names and types of the columns.
    pub fn schema(&self) -> TableSchema {
        self.plan.schema()
    }

    /// How many rows are asked for: all of the table's, unless [`rows`](Self::rows) said otherwise.
    pub fn len(&self) -> u64 {
        self.rows.end - self.rows.start
    }

    /// Whether no rows are asked for.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Only these rows. They are the same rows that the whole table has there, and cost no more than their number.
    ///
    /// ```
    /// let text = "{lookalike: 1, tables: {orders: {rows: 10m, columns: {price: {uniform: [1, 9]}}}}}";
    /// let ruleset = lookalike::Ruleset::from_str(text)?;
    /// let orders = ruleset.table("orders")?;
    /// let ten = orders.clone().rows(9_999_990..10_000_000).collect()?;
    /// assert!(orders.rows(9_999_995..10_000_000).collect()?.equals(&ten.tail(Some(5))));
    /// # Ok::<(), lookalike::Error>(())
    /// ```
    #[must_use]
    pub fn rows(mut self, rows: Range<u64>) -> Table<'a> {
        self.rows = rows.start..rows.end.max(rows.start);
        self
    }

    /// Whether the ruleset's `privacy` asks for noise on its columns. [`generate`](crate::pipeline::generate) puts it on while it
    /// writes, into a ledger as well; what a table gives by itself is without it.
    pub fn is_protected(&self) -> bool {
        self.is_protected
    }

    /// Makes the rows as one polars `DataFrame`.
    ///
    /// Of a table that [is protected](Self::is_protected) these are the rows *before* the noise, and not for release: noise comes
    /// from the operating system, and each draw of it is a release that belongs into a ledger. The same goes for all below.
    ///
    /// Text columns with few known values are polars Enums; the others are what their type says.
    ///
    /// ```
    /// use lookalike::polars::prelude::DataType;
    ///
    /// let ruleset = lookalike::Ruleset::from_path("rulesets/tutorial/shop.yaml")?;
    /// let customers = ruleset.table("customers")?.collect()?;
    /// assert_eq!(customers.height(), 200);
    /// assert!(matches!(customers.column("segment").unwrap().dtype(), DataType::Enum(..)));
    /// # Ok::<(), lookalike::Error>(())
    /// ```
    ///
    /// # Errors
    /// When rows beyond the table's end are asked for, or a row cannot be made.
    pub fn collect(&self) -> Result<DataFrame, Error> {
        Ok(self.plan.frame(&Rows::Range(self.rows.clone()))?)
    }

    /// Makes the rows in blocks, and lets go of them: for finding out what texts they lack.
    #[cfg(feature = "bedrock")]
    pub(crate) fn walk(&self) -> Result<(), Error> {
        walk(self.plan, self.rows.clone())
    }

    /// Makes the rows without their anomalies.
    ///
    /// # Errors
    /// As [`collect`](Self::collect).
    pub fn clean(&self) -> Result<DataFrame, Error> {
        Ok(self.plan.clean(&Rows::Range(self.rows.clone()))?)
    }

    /// The cells that anomalies changed in these rows, a row for each: see [`crate::marks::schema`].
    ///
    /// ```
    /// let ruleset = lookalike::Ruleset::from_str("
    /// lookalike: 1
    /// tables:
    ///   readings:
    ///     columns:
    ///       load: {uniform: [1, 9]}
    ///     anomalies: {rate: 1%, kinds: {thousandfold: {unit_error: {column: load, factor: 1000}}}}
    /// ")?;
    /// let readings = ruleset.table("readings")?;
    /// assert_eq!(readings.marks()?.height(), 10);
    /// assert!(!readings.collect()?.equals(&readings.clean()?));
    /// # Ok::<(), lookalike::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`collect`](Self::collect).
    pub fn marks(&self) -> Result<DataFrame, Error> {
        crate::marks::frame(self.plan, &self.plan.spoilt(&Rows::Range(self.rows.clone()))?)
    }

    /// Makes some columns only, in the order given; nothing is computed but these and what they follow from.
    ///
    /// ```
    /// let text = "{lookalike: 1, tables: {orders: {columns: {id: {sequence: {start: 1}}, price: {uniform: [1, 9]}}}}}";
    /// let prices = lookalike::Ruleset::from_str(text)?.table("orders")?.select(&["price"])?;
    /// assert_eq!(prices.width(), 1);
    /// # Ok::<(), lookalike::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`collect`](Self::collect), and when a name is not a column.
    pub fn select(&self, columns: &[&str]) -> Result<DataFrame, Error> {
        Ok(self.plan.select(&Rows::Range(self.rows.clone()), columns)?)
    }

    /// Makes the rows as values of a type of yours, one after the other; memory does not grow with the table.
    ///
    /// Fields are found by the names of columns. A null is `None`; text with few values can be an enum; a decimal is a
    /// number, or text such as `12.50`; dates, stamps and lengths of time are text as CSV has it, which the types of jiff
    /// and chrono read, or a number of days (dates) or microseconds.
    ///
    /// ```
    /// #[derive(serde::Deserialize)]
    /// struct Order {
    ///     id: u64,
    ///     state: State,
    ///     coupon: Option<String>,
    /// }
    ///
    /// #[derive(serde::Deserialize, PartialEq)]
    /// #[serde(rename_all = "lowercase")]
    /// enum State {
    ///     Open,
    ///     Paid,
    /// }
    ///
    /// let ruleset = lookalike::Ruleset::from_str("
    /// lookalike: 1
    /// tables:
    ///   orders:
    ///     columns:
    ///       id: {sequence: {start: 1}}
    ///       state: {choice: {open: 20%, paid: 80%}}
    ///       coupon: {pattern: 'SAVE-[1-9]0', null: 60%}
    /// ")?;
    /// let orders = ruleset.table("orders")?.rows(0..100).typed::<Order>().collect::<Result<Vec<_>, _>>()?;
    /// assert_eq!(orders[99].id, 100);
    /// assert!(orders.iter().any(|order| order.state == State::Open && order.coupon.is_none()));
    /// # Ok::<(), lookalike::Error>(())
    /// ```
    ///
    /// # Errors
    /// Each item may be one: [`Error::Typed`] names row and column of a value that does not fit; else as
    /// [`collect`](Self::collect), after which the iterator ends.
    pub fn typed<T: serde::de::DeserializeOwned>(&self) -> crate::TypedRows<'a, T> {
        crate::TypedRows::new(self.clone(), self.rows.clone())
    }

    /// Makes the rows in blocks of `block_rows`, one after the other, so that memory does not grow with the table.
    ///
    /// ```
    /// let text = "{lookalike: 1, tables: {orders: {rows: 2500, columns: {id: {sequence: {start: 1}}}}}}";
    /// let ruleset = lookalike::Ruleset::from_str(text)?;
    /// let mut heights = Vec::new();
    /// for block in ruleset.table("orders")?.batches(1000) {
    ///     heights.push(block?.height());
    /// }
    /// assert_eq!(heights, [1000, 1000, 500]);
    /// # Ok::<(), lookalike::Error>(())
    /// ```
    pub fn batches(&self, block_rows: usize) -> impl Iterator<Item = Result<DataFrame, Error>> + 'a {
        let (plan, rows, step) = (self.plan, self.rows.clone(), block_rows.max(1));
        (rows.start..rows.end).step_by(step).map(move |start| {
            let end = start.saturating_add(step as u64).min(rows.end);
            Ok(plan.frame(&Rows::Range(start..end))?)
        })
    }

    /// Makes the rows in blocks, as a [`Stream`](futures_core::Stream) for asynchronous programs, on any runtime.
    ///
    /// A thread of its own makes the blocks, at most two ahead of the reader, so that neither memory nor work runs away. It
    /// begins with the first poll. Dropping the stream ends it after the block that it is at.
    ///
    /// ```
    /// # async fn send(_: lookalike::polars::prelude::DataFrame) {}
    /// async fn serve(ruleset: lookalike::Ruleset) -> Result<(), lookalike::Error> {
    ///     let mut blocks = ruleset.table("orders")?.stream(1000);
    ///     while let Some(block) = blocks.next().await {
    ///         send(block?).await;
    ///     }
    ///     Ok(())
    /// }
    /// ```
    ///
    /// `examples/stream.rs` runs it.
    ///
    /// # Errors
    /// An item may be one, as of [`collect`](Self::collect); nothing comes after it.
    pub fn stream(&self, block_rows: usize) -> crate::RowStream {
        crate::RowStream::new(self.plan, self.rows.clone(), block_rows)
    }

    /// The rows as a query of polars' lazy engine, which makes only the columns and rows that are asked for: columns that are
    /// not selected, and rows before and after a `slice`, `limit` or `tail`, cost nothing. Conditions are about what is made.
    ///
    /// While the query lives it holds four bytes for each row of the table, and no more for each column. Two columns of ten rows in
    /// the middle of ten million take about 25 milliseconds (`examples/lazy.rs`, release build, 2 cores).
    ///
    /// ```
    /// use lookalike::polars::prelude::{col, lit};
    ///
    /// let text = "{lookalike: 1, tables: {orders: {rows: 10m, columns: {
    ///     id: {sequence: {start: 1}}, price: {uniform: [1, 9]}, note: {lorem: {words: [5, 20]}}}}}}";
    /// let ruleset = lookalike::Ruleset::from_str(text)?;
    /// let orders = ruleset.table("orders")?.lazy()?;
    /// let ten = orders.clone().select([col("id"), col("price")]).slice(5_000_000, 10).collect()?;
    /// assert_eq!(ten.column("id")?.i64()?.get(0), Some(5_000_001));
    /// let dear = orders.limit(1000).filter(col("price").gt(lit(8.0))).collect()?;
    /// assert!((80..170).contains(&dear.height()));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// When rows beyond the table's end are asked for, or more than polars can number (2^32 - 2). What goes wrong while rows
    /// are made is an error of the query.
    #[cfg(feature = "lazy")]
    pub fn lazy(&self) -> Result<polars::prelude::LazyFrame, Error> {
        crate::lazy::frame(self.plan, self.rows.clone())
    }
}
