//! What the exit code says. Part of the interface: scripts rely on it, so a code never changes its meaning.

/// Done. Also when whoever read the output went away early, as `head` does.
pub const DONE: u8 = 0;
/// A threshold of the validation was missed, the rows are not those that were locked, or what was compared differs.
pub const THRESHOLD: u8 = 1;
/// The command line or the ruleset cannot be used; nothing was written.
pub const USAGE: u8 = 2;
/// The privacy budget does not allow it.
pub const BUDGET: u8 = 3;
/// A file could not be read or written, or data not be understood; no file was left half done.
pub const OUTPUT: u8 = 4;
/// A service, such as a language model, could not be reached or did not answer as needed; nothing was written.
pub const SERVICE: u8 = 5;
/// A bug in Lookalike.
pub const BUG: u8 = 70;
/// Stopped by Ctrl-C or a termination signal; no file was changed.
pub const INTERRUPTED: u8 = 130;
