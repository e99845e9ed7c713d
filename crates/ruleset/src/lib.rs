//! The ruleset language: text to a checked tree, expressions, diagnostics and JSON Schema.
//!
//! What is wrong is collected, never thrown: whoever reads something adds a [`Diagnostic`] to the [`Problems`] and goes on, so
//! that a user sees all mistakes at once, each with its place and a way to mend it.
//!
//! ```
//! use lookalike_ruleset::document::{NoFiles, load};
//! use lookalike_ruleset::read::Format;
//! use lookalike_ruleset::render::to_text;
//! use lookalike_ruleset::{Problems, Sources};
//!
//! let (mut sources, mut problems) = (Sources::new(), Problems::new());
//! let file = sources.add("shop.yaml", "lookalike: 1\ntabels: {}\nseed: many\n");
//! load(&mut sources, file, Format::Yaml, &NoFiles, &[], &mut problems);
//! let told = to_text(&problems.into_sorted(), &sources, false);
//! assert!(told.contains("shop.yaml:2:1") && told.contains("did you mean `tables`"), "{told}");
//! assert!(told.contains("shop.yaml:3:7"), "{told}");
//! ```

pub mod anomaly;
pub mod codes;
pub mod decode;
pub mod diagnostic;
pub mod document;
pub mod expect;
pub mod expr;
pub mod node;
pub mod protection;
pub mod read;
pub mod relation;
pub mod render;
pub mod source;
pub mod subset;
pub mod texts;
pub mod types;

pub use diagnostic::{Diagnostic, Problems, Severity};
pub use node::{Entry, Node, Scalar, Value};
pub use serde_json::Value as Json;
pub use source::{Source, Sources, Span};
pub use types::{Field, TableSchema, Type};
