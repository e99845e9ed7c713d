//! Places at which tests kill the process. In a build that is not for tests they are nothing.

/// Ends the process at once, without any tidying up, if a test asked for it here.
#[cfg(not(test))]
pub(crate) fn point(_name: &str) {}

/// Ends the process at once, without any tidying up, if the environment says so: `LOOKALIKE_FAULT=n` kills it at the n-th
/// point it comes to.
#[cfg(test)]
pub(crate) fn point(_name: &str) {
    use std::sync::atomic::{AtomicU32, Ordering};
    static PASSED: AtomicU32 = AtomicU32::new(0);
    let Ok(at) = std::env::var("LOOKALIKE_FAULT") else { return };
    if at.parse() == Ok(PASSED.fetch_add(1, Ordering::SeqCst)) {
        std::process::abort();
    }
}
