//! The nouns of Lookalike: rows, seeds, random streams, permutations and laws.
//!
//! A cell of a table is a pure function of (ruleset, seed, table, column, row). This crate holds what that needs:
//!
//! | module | holds |
//! |---|---|
//! | [`rows`] | [`Rows`]: which rows to make, a range or a list of row numbers |
//! | [`seed`] | [`Seed`]: named derivation, so that no name depends on another's existence |
//! | [`stream`] | [`Stream`]: draw j of row i by its address, and [`RowRng`] for `rand`'s distributions |
//! | [`permutation`] | [`Permutation`]: a keyed bijection of the row numbers, for exact quotas and uniqueness |
//! | [`law`], [`laws`] | [`Law`]: a probability distribution by its quantile function, one file each |
//! | [`path`] | [`Path`]: random walks and autoregressions whose every step can be had alone |
//! | [`declared`] | what a ruleset declares about values, for validation |
//! | [`copula`] | correlated words: matrices, and the normal correlation behind a wanted one |
//! | [`special`] | the special functions under the laws |
//! | [`philox`] | the counter-based generator under the streams |
//!
//! Everything is computed from integers, IEEE arithmetic and `libm`, so that results are the same bits on every
//! platform. What an output depends on (the address of a draw, the derivation of a seed, the permutation's rounds) is
//! *frozen*: changing it changes every user's data, and tests with known answers guard it.
//!
//! ```
//! use lookalike_core::{Law, Rows, Seed, laws::LogNormal, stream::open01};
//!
//! let seed = Seed::new(42).derive("findings").derive("Volume Size");
//! let size = LogNormal::from_median_p95(80.0, 1000.0)?;
//! let mut values = Vec::new();
//! seed.stream().for_each_word(&Rows::from(0..3), 0, |word| values.push(size.quantile(open01(word))));
//! // Row 2 alone has the value that it has in any other run.
//! assert_eq!(values[2], size.quantile(open01(seed.stream().word(2, 0))));
//! # Ok::<(), lookalike_core::LawError>(())
//! ```

pub mod copula;
pub mod declared;
pub mod law;
pub mod laws;
pub mod path;
pub mod permutation;
pub mod philox;
pub mod rows;
pub mod seed;
pub mod special;
pub mod stream;
#[doc(hidden)]
pub mod testing;

pub use law::{Law, LawError, Truncated};
pub use path::Path;
pub use permutation::Permutation;
pub use rows::Rows;
pub use seed::Seed;
pub use stream::{RowRng, Stream};
