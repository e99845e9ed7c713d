//! Differential privacy: what leaves a private table, what that costs, and who keeps the books.
//!
//! Where real rows enter, a formal guarantee leaves. Noise is added inside OpenDP's measurements, on integers, from the
//! operating system's randomness and never from a ruleset's seed. Tables come in as plain vectors.
//!
//! A [`Session`] is the one door between a private table and the outside. It is opened on the table with a [`Budget`]; each
//! release through it is one of the [`mechanisms`]. Before noise is drawn, the budget file of the tables and the ledger
//! that travels with the output hold the charge, on disk.
//!
//! ```
//! use lookalike_privacy::{Budget, Error, Opening, Session, Table, Unit};
//!
//! let folder = tempfile::tempdir()?;
//! let mut session = Session::open(Opening {
//!     table: Table::Named("volumes of my clients"),
//!     unit: Unit::column("client", 12)?,
//!     budget: Budget::new(2.0, 1e-6)?,
//!     total: None,
//!     stage: "release",
//!     ledger: folder.path().join("ledger.jsonl"),
//!     state: folder.path().join("budget.jsonl"),
//!     clock: || "2026-01-01T00:00:00Z".to_owned(),
//! })?;
//! // Counts of a table that was truncated to twelve rows a client, with noise of standard deviation 60.
//! let noisy = session.marginal("volumes by type", &[4100, 900, 250], 60.0)?;
//! assert_eq!(noisy.len(), 3);
//! assert!(session.remaining_rho() < session.limit().rho);
//! // What does not fit is refused before it is looked at.
//! assert!(matches!(session.marginal("again", &[4100, 900, 250], 1.0), Err(Error::Budget { .. })));
//! let statement = session.close(vec!["the types".to_owned()], Vec::new())?;
//! assert!(statement.to_markdown().contains("client"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod accounting;
mod error;
mod fault;
pub mod fit;
mod journal;
mod ledger;
mod local;
pub mod mechanisms;
pub mod pgm;
pub mod release;
mod session;
mod state;
mod statement;
#[cfg(test)]
mod tests;
mod unit;

pub use accounting::{Budget, Cost, belief_factor, gaussian_dp_epsilon, gaussian_sigma, share_out};
pub use error::Error;
pub use ledger::{Charge, Ledger, Line, RecordCharge};
pub use local::Local;
pub use session::{Opening, Session};
pub use state::{Account, State, Table};
pub use statement::Statement;
pub use unit::{Unit, keep_groups};

/// Results of this crate.
pub type Result<T> = std::result::Result<T, Error>;
