//! Rows as a stream, for asynchronous programs on any runtime.

use std::collections::VecDeque;
use std::ops::Range;
use std::pin::Pin;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use futures_core::Stream;
use lookalike_core::Rows;
use lookalike_engine::TablePlan;
use polars::prelude::DataFrame;

use crate::Error;

/// Blocks that are made ahead of the reader.
const AHEAD: usize = 2;

/// A table's rows in blocks, one after the other: see [`Table::stream`](crate::Table::stream).
///
/// A thread of its own makes them, at most two ahead of the reader. It begins with the first poll, and ends with the last
/// block, with the first error, or, when the stream is dropped, after the block that it is at.
pub struct RowStream {
    shared: Arc<Shared>,
    /// What the thread is to do, until it does.
    work: Option<Work>,
}

/// Rows to make, in blocks.
struct Work {
    plan: TablePlan,
    rows: Range<u64>,
    block_rows: u64,
}

/// What reader and thread have in common.
#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    /// Told when the reader took a block or went away.
    room: Condvar,
}

#[derive(Default)]
struct State {
    ready: VecDeque<Result<DataFrame, Error>>,
    /// Who waits for a block.
    reader: Option<Waker>,
    /// Whether the thread is done.
    ended: bool,
    /// Whether the reader is gone.
    dropped: bool,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing panics while it holds the lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until there is room for a block; false when the reader is gone.
    fn wait_for_room(&self) -> bool {
        let mut state = self.lock();
        while state.ready.len() >= AHEAD && !state.dropped {
            state = self.room.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        !state.dropped
    }

    fn tell(&self, change: impl FnOnce(&mut State)) {
        let reader = {
            let mut state = self.lock();
            change(&mut state);
            state.reader.take()
        };
        if let Some(reader) = reader {
            reader.wake();
        }
    }
}

impl Work {
    fn run(self, shared: &Shared) {
        let mut start = self.rows.start;
        while start < self.rows.end && shared.wait_for_room() {
            let end = start.saturating_add(self.block_rows).min(self.rows.end);
            let block = self.plan.frame(&Rows::Range(start..end)).map_err(Error::from);
            let failed = block.is_err();
            shared.tell(|state| state.ready.push_back(block));
            if failed {
                break;
            }
            start = end;
        }
    }
}

/// Tells the reader that the thread is done, also when it panics.
struct End(Arc<Shared>);

impl Drop for End {
    fn drop(&mut self) {
        self.0.tell(|state| {
            if std::thread::panicking() {
                let message = "a thread that makes rows panicked".to_owned();
                state.ready.push_back(Err(lookalike_engine::Error::Internal(message).into()));
            }
            state.ended = true;
        });
    }
}

impl RowStream {
    pub(crate) fn new(plan: &TablePlan, rows: Range<u64>, block_rows: usize) -> RowStream {
        let work = Work { plan: plan.clone(), rows, block_rows: block_rows.max(1) as u64 };
        RowStream { shared: Arc::default(), work: Some(work) }
    }

    /// The next block, for programs without a library of streams; `None` after the last one.
    ///
    /// # Errors
    /// As [`Table::collect`](crate::Table::collect); nothing comes after an error.
    pub async fn next(&mut self) -> Option<Result<DataFrame, Error>> {
        std::future::poll_fn(|context| Pin::new(&mut *self).poll_next(context)).await
    }
}

impl Stream for RowStream {
    type Item = Result<DataFrame, Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if let Some(work) = self.work.take() {
            let end = End(self.shared.clone());
            let body = move || work.run(&end.0);
            if let Err(error) = std::thread::Builder::new().name("lookalike-rows".into()).spawn(body) {
                return Poll::Ready(Some(Err(Error::Request(format!("no thread can be had: {error}")))));
            }
        }
        let mut state = self.shared.lock();
        if let Some(block) = state.ready.pop_front() {
            drop(state);
            self.shared.room.notify_one();
            return Poll::Ready(Some(block));
        }
        if state.ended {
            return Poll::Ready(None);
        }
        state.reader = Some(context.waker().clone());
        Poll::Pending
    }
}

impl Drop for RowStream {
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        state.dropped = true;
        state.ready.clear();
        drop(state);
        self.shared.room.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use std::future::Future;
    use std::pin::pin;
    use std::task::Wake;
    use std::time::Duration;

    use lookalike_ruleset::read::Format;

    use super::*;
    use crate::Ruleset;
    use crate::testing::{COUNTED, made};

    /// A runtime in few lines: sleeps until it is woken.
    fn block_on<T>(future: impl Future<Output = T>) -> T {
        struct Thread(std::thread::Thread);
        impl Wake for Thread {
            fn wake(self: Arc<Self>) {
                self.0.unpark();
            }
        }
        let waker = Arc::new(Thread(std::thread::current())).into();
        let mut future = pin!(future);
        loop {
            match future.as_mut().poll(&mut Context::from_waker(&waker)) {
                Poll::Ready(value) => return value,
                Poll::Pending => std::thread::park(),
            }
        }
    }

    fn counted(name: &str, rows: u64) -> Ruleset {
        let text = format!(
            "{{lookalike: 1, tables: {{t: {{rows: {rows}, columns: {{a: {{counted: {{name: {name}}}}}}}}}}}}}"
        );
        Ruleset::loader().kinds(COUNTED).text(&text, Format::Yaml).unwrap()
    }

    /// Waits until so many rows are made, and some time more for those that must not be.
    fn settles(name: &str, rows: usize) {
        let begun = std::time::Instant::now();
        while made(name).len() < rows && begun.elapsed() < Duration::from_secs(60) {
            std::thread::sleep(Duration::from_millis(5));
        }
        std::thread::sleep(Duration::from_millis(200));
        assert_eq!(made(name).len(), rows);
    }

    #[test]
    fn a_stream_gives_the_blocks() {
        let ruleset = counted("blocks", 1050);
        let table = ruleset.table("t").unwrap().rows(20..1050);
        let mut stream = table.stream(100);
        let mut whole: Option<DataFrame> = None;
        let mut heights = Vec::new();
        while let Some(block) = block_on(stream.next()) {
            let block = block.unwrap();
            heights.push(block.height());
            match &mut whole {
                Some(whole) => drop(whole.vstack_mut(&block).unwrap()),
                None => whole = Some(block),
            }
        }
        assert_eq!((heights.len(), heights[0], heights[10]), (11, 100, 30));
        assert!(whole.unwrap().equals(&table.collect().unwrap()));
        assert!(block_on(stream.next()).is_none());
        assert!(block_on(table.rows(5..5).stream(10).next()).is_none());
    }

    #[test]
    fn the_reader_sets_the_pace() {
        let ruleset = counted("pace", 1_000_000);
        let mut stream = ruleset.table("t").unwrap().stream(100);
        // Nothing is made before it is asked for.
        settles("pace", 0);
        block_on(stream.next()).unwrap().unwrap();
        // One was taken, and two lie ready.
        settles("pace", 300);
        block_on(stream.next()).unwrap().unwrap();
        settles("pace", 400);
        drop(stream);
        settles("pace", 400);
    }

    #[test]
    fn a_stream_outlives_its_ruleset_and_ends_with_an_error() {
        let ruleset = counted("error", 150);
        let mut stream = ruleset.table("t").unwrap().rows(0..1000).stream(100);
        drop(ruleset);
        assert!(block_on(stream.next()).unwrap().is_ok());
        let error = block_on(stream.next()).unwrap().unwrap_err();
        assert_eq!(error.to_string(), "table `t` has 150 rows; row 199 was asked for");
        assert!(block_on(stream.next()).is_none());
    }

    #[test]
    fn a_panic_is_an_error() {
        let ruleset = counted("panic", 150);
        let mut stream = ruleset.table("t").unwrap().stream(100);
        let error = block_on(stream.next()).unwrap().unwrap_err();
        assert!(error.to_string().contains("panicked"), "{error}");
        assert!(block_on(stream.next()).is_none());
    }

    #[test]
    fn streams_move_between_threads() {
        fn is_send<T: Send + Unpin + 'static>(_: &T) {}
        is_send(&counted("send", 1).table("t").unwrap().stream(1));
    }
}
