//! What `draft` and `refine` share: the prompt, the judge, and the way from an answer to a file.

mod finish;
mod guide;
mod judge;
mod parts;
mod sample;
mod session;

pub use finish::{Target, finish};
pub use judge::{Compiler, OnlyKnown};
pub use parts::{Parts, read_text};
pub use sample::describe;
pub use session::ModelArgs;

pub use guide::{system, tool};
