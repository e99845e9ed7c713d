//! Tests of the library as others use it.

mod defects;
mod degenerate;
mod frames;
mod sdmetrics;
mod truth;
