//! How a run tells how it gets on.
//!
//! ```
//! use std::sync::atomic::{AtomicU64, Ordering};
//!
//! use lookalike::progress::Progress;
//!
//! #[derive(Default)]
//! struct Written(AtomicU64);
//!
//! impl Progress for Written {
//!     fn advance(&self, rows: u64) {
//!         self.0.fetch_add(rows, Ordering::Relaxed);
//!     }
//! }
//! # Written::default().advance(1);
//! ```

/// Hears how a run gets on.
pub trait Progress: Sync {
    /// A table of `rows` rows is begun.
    fn begin(&self, _table: &str, _rows: u64) {}
    /// So many more rows of it are written.
    fn advance(&self, _rows: u64) {}
    /// The table is done.
    fn end(&self) {}
}

/// Hears nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Quiet;

impl Progress for Quiet {}
