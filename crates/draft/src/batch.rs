use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Mutex, PoisonError};

use crate::{Cause, Error, Message, Provider, Request, Stop, Usage};

/// Many requests to one provider, some at a time. Answers that are no good are sent back with the reason, and the number of
/// calls has a hard limit.
pub struct Batch<'a> {
    /// Who is asked.
    pub provider: &'a dyn Provider,
    /// Calls at most, those for better answers among them. What a provider sends again by itself, because it was let in no
    /// earlier, is one call.
    pub calls: u64,
    /// How many requests are out at a time.
    pub at_a_time: usize,
    /// How often each is asked at most, until the answer is good.
    pub tries: u32,
}

/// Says whether the answer to a request, given by its place, is good: the text to use, or why it cannot be used.
pub type Accept<'a> = dyn Fn(usize, &str) -> Result<String, String> + Sync + 'a;

/// What became of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// Its place among the requests.
    pub at: usize,
    /// The text, or why the last answer could not be used.
    pub text: Result<String, String>,
}

/// How a batch ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sum {
    /// How often the provider was called.
    pub calls: u64,
    /// What the answers took.
    pub usage: Usage,
    /// How many requests came to no end: not asked at all, or not often enough.
    pub left: usize,
    /// Why, if not because of `stop`: the limit of calls, or a failure that all other requests would have met, too.
    pub ended: Option<Error>,
}

/// What the workers share.
struct Shared<'a> {
    batch: &'a Batch<'a>,
    requests: &'a [Request],
    accept: &'a Accept<'a>,
    stop: &'a AtomicBool,
    waiting: Mutex<VecDeque<usize>>,
    calls: AtomicU64,
    successes: AtomicU64,
    usage: Mutex<Usage>,
    ended: Mutex<Option<Error>>,
}

impl Batch<'_> {
    /// Asks all requests, in about their order, and hands over what became of each as soon as it is known, on this thread.
    /// `stop` ends it once the calls that are out have come back.
    ///
    /// # Errors
    /// What `each` gives back; no further request is asked then.
    pub fn run<E>(
        &self,
        requests: &[Request],
        accept: &Accept<'_>,
        stop: &AtomicBool,
        mut each: impl FnMut(Told) -> Result<(), E>,
    ) -> Result<Sum, E> {
        let shared = Shared {
            batch: self,
            requests,
            accept,
            stop,
            waiting: Mutex::new((0..requests.len()).collect()),
            calls: AtomicU64::new(0),
            successes: AtomicU64::new(0),
            usage: Mutex::default(),
            ended: Mutex::default(),
        };
        let mut told = 0;
        let mut result = Ok(());
        std::thread::scope(|scope| {
            let (sender, receiver): (Sender<Told>, Receiver<Told>) = channel();
            for _ in 0..self.at_a_time.clamp(1, requests.len().max(1)) {
                let (sender, shared) = (sender.clone(), &shared);
                scope.spawn(move || shared.work(&sender));
            }
            drop(sender);
            for one in receiver {
                told += 1;
                if result.is_ok() {
                    result = each(one);
                }
                if result.is_err() {
                    shared.waiting.lock().unwrap_or_else(PoisonError::into_inner).clear();
                }
            }
        });
        result?;
        Ok(Sum {
            calls: shared.calls.load(Ordering::Relaxed),
            usage: *shared.usage.lock().unwrap_or_else(PoisonError::into_inner),
            left: requests.len() - told,
            ended: shared.ended.into_inner().unwrap_or_else(PoisonError::into_inner),
        })
    }
}

impl Shared<'_> {
    fn work(&self, sender: &Sender<Told>) {
        while let Some(at) = self.next() {
            match self.ask(at) {
                Ok(text) => {
                    // Nobody listens any more: there is nothing left to do.
                    if sender.send(Told { at, text }).is_err() {
                        return;
                    }
                }
                Err(error) => {
                    let mut ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner);
                    ended.get_or_insert(error);
                    return;
                }
            }
        }
    }

    fn next(&self) -> Option<usize> {
        let has_ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner).is_some();
        if has_ended || self.stop.load(Ordering::Relaxed) {
            return None;
        }
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).pop_front()
    }

    /// Takes one of the calls that are left.
    fn take_call(&self) -> Result<(), Error> {
        let most = self.batch.calls;
        let take = |taken: u64| (taken < most).then_some(taken + 1);
        if self.calls.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take).is_err() {
            return Err(Error::new(Cause::Budget, format!("the limit of {most} calls is reached")).help(
                "what was answered is kept: the same command goes on from here; say more with `--max-calls`",
            ));
        }
        Ok(())
    }

    /// The text for a request, or why its answers are no good.
    ///
    /// # Errors
    /// When no other request would fare better.
    fn ask(&self, at: usize) -> Result<Result<String, String>, Error> {
        let mut request = self.requests[at].clone();
        let opening = request.messages.clone();
        let mut reason = String::new();
        for _ in 0..self.batch.tries.max(1) {
            self.take_call()?;
            let answer = match self.batch.provider.ask(&request, &mut |_| ()) {
                Ok(answer) => answer,
                // Others were taken, so it is this one that is refused.
                Err(error) if error.cause == Cause::Refused && self.successes.load(Ordering::Relaxed) > 0 => {
                    return Ok(Err(error.message));
                }
                Err(error) => return Err(error),
            };
            self.successes.fetch_add(1, Ordering::Relaxed);
            *self.usage.lock().unwrap_or_else(PoisonError::into_inner) += answer.usage;
            let text = match answer.stop {
                Stop::Filtered => return Ok(Err("the service held the answer back".into())),
                Stop::MaxTokens => Err(format!("it was cut off after {} tokens", request.max_tokens)),
                Stop::TooLong => Err(format!("it was longer than {} bytes", crate::MAX_ANSWER_BYTES)),
                Stop::End => (self.accept)(at, &answer.text),
            };
            match text {
                Ok(text) => return Ok(Ok(text)),
                Err(why) => reason = why,
            }
            let again = format!(
                "This cannot be used: {reason}. Answer again, with nothing but the text that is wanted."
            );
            request.messages = opening.clone();
            if !answer.text.trim().is_empty() {
                request.messages.push(Message::Assistant { text: answer.text, call: None });
                request.messages.push(Message::User { text: again, answers: None });
            }
        }
        Ok(Err(reason))
    }
}
