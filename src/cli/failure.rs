//! Why a command ends without success: words for the user and an exit code.

use std::fmt::Write as _;
use std::io::ErrorKind;

use lookalike_ruleset::render;

use super::{exit, terminal};
use crate::{Error, engine, io};

/// The end of a command that did not succeed.
pub struct Failure {
    /// Exit code.
    pub code: u8,
    /// What to tell the user, styled; empty when all was said.
    text: String,
}

impl Failure {
    /// A failure of which the user was told already, or need not be.
    pub fn told(code: u8) -> Failure {
        Failure { code, text: String::new() }
    }

    /// A failure with one line of words.
    pub fn new(code: u8, message: impl AsRef<str>) -> Failure {
        let style = terminal::ERROR;
        Failure { code, text: format!("{style}error:{style:#} {}\n", printable(message.as_ref())) }
    }

    /// A command line that makes no sense.
    pub fn usage(message: impl AsRef<str>) -> Failure {
        Failure::new(exit::USAGE, message)
    }

    /// A bug of this program.
    pub fn bug(what: &str) -> Failure {
        Failure::new(exit::BUG, format!("internal error: {what}"))
            .help("this is a bug in Lookalike; please report it, with the ruleset and the command line")
            .help("RUST_BACKTRACE=1 in the environment shows where it happened")
    }

    /// Adds a line that says how to go on.
    #[must_use]
    pub fn help(mut self, line: impl AsRef<str>) -> Failure {
        let style = terminal::HELP;
        let _ = writeln!(self.text, "{style}help:{style:#} {}", printable(line.as_ref()));
        self
    }

    /// Tells the user.
    pub fn tell(&self) {
        terminal::tell(&self.text);
    }
}

/// `text` without characters that could steer a terminal.
pub(super) fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() && c != '\n' { '�' } else { c }).collect()
}

impl From<Error> for Failure {
    fn from(error: Error) -> Failure {
        let message = error.to_string();
        match error {
            Error::Refused(refusal) => {
                let text = render::to_text(&refusal.diagnostics, &refusal.sources, true);
                Failure { code: exit::USAGE, text }
            }
            Error::UnknownTable { .. } | Error::Request(_) => Failure::usage(message),
            Error::Interrupted | Error::Rows(engine::Error::Interrupted) => {
                Failure::new(exit::INTERRUPTED, message)
            }
            Error::Rows(engine::Error::Internal(what)) => Failure::bug(&what),
            Error::Rows(engine::Error::Require { .. }) => Failure::usage(message)
                .help("the condition holds too seldom: loosen it, or change the columns that it reads"),
            Error::Rows(_) => Failure::usage(message),
            Error::Write(error) => error.into(),
        }
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Failure {
        let message = error.to_string();
        match error {
            io::Error::BrokenPipe { path: None } => Failure::told(exit::DONE),
            io::Error::BrokenPipe { .. } => Failure::new(exit::OUTPUT, message),
            io::Error::Write { source, .. } => {
                let failure = Failure::new(exit::OUTPUT, message);
                match way_out(source.kind()) {
                    Some(line) => failure.help(line),
                    None => failure,
                }
            }
            io::Error::Read { source, .. } if source.kind() == ErrorKind::NotFound => {
                Failure::new(exit::OUTPUT, message).help("check the spelling; there is no such file")
            }
            io::Error::Read { .. } | io::Error::Parse { .. } | io::Error::Data { .. } => {
                Failure::new(exit::OUTPUT, message)
            }
            // A value that a format has no text for is the ruleset's; the rest are options.
            io::Error::NoColumns { .. } | io::Error::Option(_) | io::Error::Value { .. } => {
                Failure::usage(message)
            }
            _ => Failure::bug(&message),
        }
    }
}

/// What the user can do about a failed write.
fn way_out(kind: ErrorKind) -> Option<&'static str> {
    match kind {
        ErrorKind::NotFound => Some("its folder does not exist"),
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => {
            Some("choose another folder with `-o`, or ask for leave to write there")
        }
        ErrorKind::AlreadyExists | ErrorKind::NotADirectory => {
            Some("a file stands where a folder is needed; choose another folder with `-o`")
        }
        ErrorKind::IsADirectory => {
            Some("a folder stands where a file is needed; choose another folder with `-o`")
        }
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => {
            Some("make room, write elsewhere with `-o`, or fewer rows or formats")
        }
        _ => None,
    }
}
