//! Language models behind one small trait, with every exchange recorded, and the dialogue in which a model writes a
//! ruleset until a judge accepts it; and batches of small requests, whose answers become texts in tables.
//!
//! Nothing here knows what a ruleset is: the caller brings the words, the JSON Schema and the [`Judge`]. And nothing here
//! trusts an answer: answers are bounded in size, they are data, and no part of one decides where something is written or
//! who is called.

mod batch;
mod canonical;
mod dialogue;
mod error;
mod model;
mod prices;
pub mod providers;
mod recording;
mod secrets;
pub mod yaml;

pub use batch::{Accept, Batch, Sum, Told};
pub use canonical::{address, canonical};
pub use dialogue::{Dialogue, Event, Judge, Limits, Outcome, Task, Verdict};
pub use error::{Cause, Error};
pub use model::{Answer, Call, MAX_ANSWER_BYTES, Message, Provider, Request, Stop, Tool, Usage, tokens};
pub use prices::{Price, Prices};
pub use recording::{Connect, Recorder, Recording};
pub use secrets::Secrets;
