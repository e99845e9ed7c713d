/// Why a model could not be asked, or its answer not be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    /// What sort of failure.
    pub cause: Cause,
    /// What happened, in one line.
    pub message: String,
    /// What the user can do about it, a line each.
    pub help: Vec<String>,
}

/// Sorts of failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// No credentials, no region, no address: something has to be set up first.
    Setup,
    /// The credentials are known, but may not do this.
    Denied,
    /// The credentials are not, or no longer, accepted.
    Expired,
    /// There is no such model, not here, or not for this account.
    UnknownModel,
    /// Too many requests, even after waiting.
    Throttled,
    /// No complete answer in the time given.
    TimedOut,
    /// Nobody answers under the address, or the service is out of order.
    Unreachable,
    /// The service does not take the request.
    Refused,
    /// What came back is no answer.
    BadAnswer,
    /// Offline, and there is no recording.
    NotRecorded,
    /// A recording cannot be read or written.
    File,
    /// The limit of tokens or calls is reached.
    Budget,
}

impl Error {
    /// An error without advice.
    pub fn new(cause: Cause, message: impl Into<String>) -> Error {
        Error { cause, message: message.into(), help: Vec::new() }
    }

    /// Adds a line of advice.
    #[must_use]
    pub fn help(mut self, line: impl Into<String>) -> Error {
        self.help.push(line.into());
        self
    }
}
