//! What is printed where, and in which colours.
//!
//! All text is made with its styles; the streams strip them where they are not wanted: not a terminal, `NO_COLOR`, or
//! `--color never`.

use std::io::{self, IsTerminal, Write};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anstream::{AutoStream, ColorChoice};
use clap::builder::styling::{AnsiColor, Style};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::failure::Failure;
use crate::pipeline::{Progress, Quiet};

/// The word before an error.
pub const ERROR: Style = AnsiColor::Red.on_default().bold();
/// The word before a way out.
pub const HELP: Style = AnsiColor::Cyan.on_default().bold();
/// Headings and names.
pub const STRONG: Style = Style::new().bold();
/// What matters less.
pub const DIM: Style = Style::new().dimmed();

/// Decides about colours for the rest of the run.
pub fn set_colour(choice: clap::ColorChoice) {
    match choice {
        clap::ColorChoice::Auto => ColorChoice::Auto,
        clap::ColorChoice::Always => ColorChoice::Always,
        clap::ColorChoice::Never => ColorChoice::Never,
    }
    .write_global();
}

/// Prints to standard output.
///
/// # Errors
/// When it cannot be written; a reader that went away ends the command with success.
pub fn print(text: &str) -> Result<(), Failure> {
    let mut stdout = anstream::stdout().lock();
    stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()).map_err(|source| {
        let broken = source.kind() == io::ErrorKind::BrokenPipe;
        let error = if broken {
            crate::io::Error::BrokenPipe { path: None }
        } else {
            crate::io::Error::Write { path: None, source }
        };
        error.into()
    })
}

/// Prints to standard error. If that fails there is nobody left to be told.
pub fn tell(text: &str) {
    let mut stderr = anstream::stderr().lock();
    let _ = stderr.write_all(text.as_bytes()).and_then(|()| stderr.flush());
}

/// Whether standard output shows colours.
pub fn has_colour() -> bool {
    AutoStream::choice(&io::stdout()) != ColorChoice::Never
}

/// A number with commas between its thousands.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A number of things in words: `1 row`, `1,000 rows`.
pub fn counted(number: u64, thing: &str) -> String {
    format!("{} {thing}{}", grouped(number), if number == 1 { "" } else { "s" })
}

/// A file's size in decimal units.
pub fn size(bytes: u64) -> String {
    let (mut value, mut unit) = (bytes as f64, "B");
    for next in ["kB", "MB", "GB", "TB", "PB"] {
        // What would be rounded to 1000 belongs to the next unit.
        if value < 999.5 {
            break;
        }
        (value, unit) = (value / 1000.0, next);
    }
    match unit {
        "B" => format!("{bytes} B"),
        _ if value < 9.995 => format!("{value:.2} {unit}"),
        _ if value < 99.95 => format!("{value:.1} {unit}"),
        _ => format!("{value:.0} {unit}"),
    }
}

/// `text` in lines of at most `width` characters, all but the first behind `indent` spaces. Its own line ends stay.
pub fn wrapped(text: &str, indent: usize, width: usize) -> String {
    let mut result = String::new();
    let mut at = indent;
    for (number, line) in text.lines().enumerate() {
        if number > 0 {
            result.push('\n');
            if !line.is_empty() {
                result.push_str(&" ".repeat(indent));
            }
            at = indent;
        }
        for (place, word) in line.split(' ').enumerate() {
            let length = word.chars().count();
            if place > 0 && at + 1 + length > width {
                result.push('\n');
                result.push_str(&" ".repeat(indent));
                at = indent;
            } else if place > 0 {
                result.push(' ');
                at += 1;
            }
            result.push_str(word);
            at += length;
        }
    }
    result
}

/// Shows how a run gets on: a bar on a terminal, a line now and then elsewhere, nothing when `quiet`.
pub fn progress(quiet: bool) -> Box<dyn Progress> {
    if quiet {
        Box::new(Quiet)
    } else if io::stderr().is_terminal() {
        Box::new(Bar(Mutex::new(ProgressBar::hidden())))
    } else {
        Box::new(Lines(Mutex::new(Lap { table: String::new(), rows: 0, done: 0, told: Instant::now() })))
    }
}

struct Bar(Mutex<ProgressBar>);

impl Bar {
    fn bar(&self) -> MutexGuard<'_, ProgressBar> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Progress for Bar {
    fn begin(&self, table: &str, rows: u64) {
        let style =
            ProgressStyle::with_template("{msg} {bar:30} {human_pos} of {human_len} rows, {eta} left")
                .unwrap_or_else(|_| ProgressStyle::default_bar());
        let bar = ProgressBar::with_draw_target(Some(rows), ProgressDrawTarget::stderr());
        *self.bar() = bar.with_style(style.progress_chars("━╸─")).with_message(table.to_owned());
    }

    fn advance(&self, rows: u64) {
        self.bar().inc(rows);
    }

    fn end(&self) {
        self.bar().finish_and_clear();
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.end();
    }
}

/// Time between two lines about the progress.
const LAP: Duration = Duration::from_secs(10);

struct Lines(Mutex<Lap>);

struct Lap {
    table: String,
    rows: u64,
    done: u64,
    told: Instant,
}

impl Progress for Lines {
    fn begin(&self, table: &str, rows: u64) {
        let mut lap = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *lap = Lap { table: table.to_owned(), rows, done: 0, told: lap.told };
    }

    fn advance(&self, rows: u64) {
        let mut lap = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        lap.done += rows;
        if lap.told.elapsed() >= LAP {
            lap.told = Instant::now();
            tell(&format!("{}: {} of {} rows\n", lap.table, grouped(lap.done), grouped(lap.rows)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped() {
        for (number, text) in [(0, "0"), (999, "999"), (1000, "1,000"), (12_345_678, "12,345,678")] {
            assert_eq!(grouped(number), text);
        }
        assert_eq!(counted(1, "row"), "1 row");
        assert_eq!(counted(2000, "row"), "2,000 rows");
    }

    #[test]
    fn sizes_have_three_digits() {
        for (bytes, text) in [
            (0, "0 B"),
            (999, "999 B"),
            (1000, "1.00 kB"),
            (98_349, "98.3 kB"),
            (999_600, "1.00 MB"),
            (250_000_000, "250 MB"),
        ] {
            assert_eq!(size(bytes), text);
        }
    }

    #[test]
    fn text_is_wrapped_at_words() {
        assert_eq!(wrapped("one two three", 2, 9), "one two\n  three");
        assert_eq!(wrapped("a\n\nb", 2, 80), "a\n\n  b");
        assert_eq!(wrapped("averylongword", 2, 5), "averylongword");
    }
}
