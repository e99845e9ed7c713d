//! The ruleset language: text to a checked tree, expressions, diagnostics and JSON Schema.

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
