//! Tests of the library as others use it.

mod frames;
mod sdmetrics;
