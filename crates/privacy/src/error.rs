use std::io;
use std::path::{Path, PathBuf};

/// Why nothing was released. No message depends on a private value.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The budget does not cover it. Nothing was read and nothing charged.
    #[error("{what} costs {asked}, but {whose} has {left} left of {whole}")]
    Budget {
        /// What was asked for.
        what: String,
        /// What it costs.
        asked: String,
        /// Whose budget: the run's or the table's.
        whose: &'static str,
        /// What is left.
        left: String,
        /// What it began with.
        whole: String,
        /// Whether only the part of delta is lacking that searches for keys may spend.
        lacks_delta: bool,
    },
    /// What was asked for makes no sense or goes against what was agreed for the table before.
    #[error("{message}")]
    Request {
        /// What was found and what was expected.
        message: String,
        /// How to mend it.
        help: String,
    },
    /// A file cannot be read or written.
    #[error("cannot {action} {}: {source}", path.display())]
    File {
        /// What was tried: `read`, `write`, `lock`.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
    /// Another run holds the budget file.
    #[error("another run is using the budget file {}", path.display())]
    Held {
        /// The file.
        path: PathBuf,
    },
    /// A line of a budget file or ledger that cannot be read, and is not merely the torn end of it.
    #[error("{}, line {line}: {reason}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Line number, from 1.
        line: usize,
        /// What is wrong.
        reason: String,
    },
    /// A bug, or randomness that the operating system did not give.
    #[error("{0}")]
    Internal(String),
}

impl Error {
    /// A request that cannot be granted, and how to mend it.
    pub fn request(message: impl Into<String>, help: impl Into<String>) -> Error {
        Error::Request { message: message.into(), help: help.into() }
    }

    /// How to go on, where there is more to say than the message.
    pub fn help(&self) -> Option<&str> {
        match self {
            Error::Request { help, .. } => Some(help).filter(|help| !help.is_empty()).map(String::as_str),
            Error::Budget { lacks_delta: true, .. } => Some(
                "list the keys that everybody knows instead of searching for them; what part of delta searches may spend of a \
                 table is agreed at its first run, with --threshold-delta",
            ),
            Error::Budget { .. } => Some(
                "ask for less, or for less exact figures; what is spent stays spent, also over several runs",
            ),
            Error::Held { .. } => Some("wait until it is done, then run again"),
            Error::Damaged { .. } => Some(
                "the file keeps what private tables have given away; restore it from a copy rather than mend it",
            ),
            Error::File { .. } | Error::Internal(_) => None,
        }
    }

    pub(crate) fn file(action: &'static str, path: &Path, source: io::Error) -> Error {
        Error::File { action, path: path.to_path_buf(), source }
    }
}

impl From<opendp::error::Error> for Error {
    fn from(error: opendp::error::Error) -> Error {
        Error::Internal(match error.message {
            Some(message) => format!("OpenDP, {:?}: {message}", error.variant),
            None => format!("OpenDP, {:?}", error.variant),
        })
    }
}
