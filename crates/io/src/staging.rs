use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

/// A buffer with two ends: a file writer of the column engine owns one and fills it, the sink empties the other into
/// its output. So the engine's many small writes become few, and a failed write keeps its kind, which the engine's
/// errors would lose.
#[derive(Clone, Default)]
pub(crate) struct Staging(Arc<Mutex<Vec<u8>>>);

impl Staging {
    /// Hands what is held to `write` and forgets it.
    pub(crate) fn drain<R>(&self, write: impl FnOnce(&[u8]) -> R) -> R {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let result = write(&held);
        held.clear();
        result
    }
}

impl Write for Staging {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
