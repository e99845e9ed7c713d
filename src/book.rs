//! The Rust of the book's pages, which runs as documentation tests.

#[doc = include_str!("../docs/src/library.md")]
pub struct Library;
