//! Running work in parallel with the results in order and bounded memory.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex};

/// Rows of a unit: what a worker makes and encodes in one go, and what a Parquet row group holds. Part of the output of
/// formats with row groups, and therefore fixed.
pub const UNIT_ROWS: u64 = 131_072;

/// Rows that are generated at a time within a unit, so that columns stay in the processor's cache. No output depends on it.
pub const BLOCK_ROWS: usize = 16_384;

/// Does `work` for 0 … `count` - 1 on up to `threads` threads and hands the results to `consume` in order, on the calling
/// thread. No more than twice as many results as there are threads are kept at any time.
///
/// # Errors
/// The first error of `work` or `consume`, in order; work that was under way is finished first. When `stop` is set, no
/// further work is begun, and the result is whatever `consume` made of what came before; the caller looks at `stop` itself.
pub fn in_order<T: Send, E: Send>(
    count: u64,
    threads: usize,
    stop: &AtomicBool,
    work: impl Fn(u64) -> Result<T, E> + Sync,
    mut consume: impl FnMut(T) -> Result<(), E>,
) -> Result<(), E> {
    let threads = threads.max(1).min(usize::try_from(count).unwrap_or(usize::MAX));
    if threads <= 1 {
        for unit in 0..count {
            if stop.load(Ordering::Relaxed) {
                break;
            }
            consume(work(unit)?)?;
        }
        return Ok(());
    }
    struct Queue<T, E> {
        next: u64,
        consumed: u64,
        done: BTreeMap<u64, Result<T, E>>,
        closed: bool,
        working: usize,
    }
    let window = 2 * threads as u64;
    let queue = Mutex::new(Queue::<T, E> {
        next: 0,
        consumed: 0,
        done: BTreeMap::new(),
        closed: false,
        working: threads,
    });
    let (room, ready) = (Condvar::new(), Condvar::new());
    let lock = || queue.lock().expect("no thread panics while it holds the lock");

    /// Tells the consumer that a worker is gone, also when it goes by a panic.
    struct Leave<'a, T, E>(&'a Mutex<Queue<T, E>>, &'a Condvar);
    impl<T, E> Drop for Leave<'_, T, E> {
        fn drop(&mut self) {
            if let Ok(mut queue) = self.0.lock() {
                queue.working -= 1;
            }
            self.1.notify_all();
        }
    }

    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                let _leave = Leave(&queue, &ready);
                loop {
                    let unit = {
                        let mut state = lock();
                        while !state.closed && state.next < count && state.next >= state.consumed + window {
                            state = room.wait(state).expect("no thread panics while it holds the lock");
                        }
                        if state.closed || state.next >= count || stop.load(Ordering::Relaxed) {
                            return;
                        }
                        state.next += 1;
                        state.next - 1
                    };
                    let result = work(unit);
                    lock().done.insert(unit, result);
                    ready.notify_all();
                }
            });
        }
        let mut outcome = Ok(());
        for unit in 0..count {
            let result = {
                let mut state = lock();
                loop {
                    if let Some(result) = state.done.remove(&unit) {
                        state.consumed = unit + 1;
                        break Some(result);
                    }
                    if state.working == 0 {
                        break None;
                    }
                    state = ready.wait(state).expect("no thread panics while it holds the lock");
                }
            };
            room.notify_all();
            outcome = match result {
                Some(result) => result.and_then(&mut consume),
                None => break,
            };
            if outcome.is_err() {
                break;
            }
        }
        lock().closed = true;
        room.notify_all();
        outcome
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_come_in_order_whatever_the_threads() {
        for threads in [1, 2, 7] {
            let mut seen = Vec::new();
            let stop = AtomicBool::new(false);
            let result = in_order::<u64, ()>(
                100,
                threads,
                &stop,
                |unit| Ok(unit * unit),
                |value| {
                    seen.push(value);
                    Ok(())
                },
            );
            assert_eq!(result, Ok(()));
            assert_eq!(seen, (0..100).map(|i| i * i).collect::<Vec<u64>>());
        }
    }

    #[test]
    fn the_first_error_in_order_is_reported() {
        for threads in [1, 4] {
            let stop = AtomicBool::new(false);
            let result = in_order(
                50,
                threads,
                &stop,
                |unit| if unit % 10 == 7 { Err(unit) } else { Ok(unit) },
                |_| Ok(()),
            );
            assert_eq!(result, Err(7));
            let result =
                in_order(
                    50,
                    threads,
                    &stop,
                    Ok::<u64, u64>,
                    |unit| if unit == 20 { Err(99) } else { Ok(()) },
                );
            assert_eq!(result, Err(99));
        }
    }

    #[test]
    fn stopping_ends_the_run_early() {
        let stop = AtomicBool::new(false);
        let mut seen = 0;
        let result = in_order::<u64, ()>(u64::MAX, 2, &stop, Ok, |_| {
            seen += 1;
            if seen == 10 {
                stop.store(true, Ordering::Relaxed);
            }
            Ok(())
        });
        assert_eq!(result, Ok(()));
        assert!((10..20).contains(&seen), "{seen}");
    }

    #[test]
    fn never_more_than_the_window_is_kept() {
        let stop = AtomicBool::new(false);
        let alive = std::sync::atomic::AtomicUsize::new(0);
        struct Unit<'a>(&'a std::sync::atomic::AtomicUsize);
        impl Drop for Unit<'_> {
            fn drop(&mut self) {
                self.0.fetch_sub(1, Ordering::SeqCst);
            }
        }
        let result = in_order::<Unit<'_>, ()>(
            200,
            2,
            &stop,
            |_| {
                alive.fetch_add(1, Ordering::SeqCst);
                Ok(Unit(&alive))
            },
            |_| {
                assert!(alive.load(Ordering::SeqCst) <= 5);
                std::thread::sleep(std::time::Duration::from_micros(200));
                Ok(())
            },
        );
        assert_eq!(result, Ok(()));
    }
}
