//! What `draft` and `refine` share: the prompt, the judge, and the way from an answer to a file.

mod finish;
mod guide;
mod judge;
mod keeper;
mod parts;
mod sample;
mod session;

pub use finish::{Target, finish};
pub use judge::{Compiler, OnlyKnown};
pub use keeper::Keeper;
pub use parts::{Parts, read_text};
pub use sample::describe;
pub use session::{ModelArgs, ServiceArgs, failure, prices, printable, set_up};

pub use guide::{system, tool};
