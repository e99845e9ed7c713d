//! Tests of the library as others use it.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod defects;
mod degenerate;
mod frames;
mod large;
mod sdmetrics;
mod truth;
