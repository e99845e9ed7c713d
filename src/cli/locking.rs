//! `--lock` and `--locked`: rows that must not change unnoticed.

use std::path::PathBuf;
use std::sync::atomic::AtomicBool;

use super::args::RulesetArgs;
use super::exit;
use super::failure::Failure;
use crate::Ruleset;
use crate::io::Output;
use crate::lock::{FILE, Lock, LockFile};

/// Arguments about the lock file.
#[derive(clap::Args)]
pub struct LockedArgs {
    /// Refuse if the rows differ from those locked in lookalike.lock, beside the ruleset.
    #[arg(long, conflicts_with = "params", help_heading = "Locking")]
    pub locked: bool,
    /// With --locked: write what differs into this file: .md or .json.
    #[arg(long, value_name = "FILE", value_parser = difference_file, requires = "locked", help_heading = "Locking")]
    pub difference: Option<PathBuf>,
}

impl LockedArgs {
    /// Makes all rows and compares them with those that were locked, if that is asked for.
    ///
    /// # Errors
    /// When they differ, or nothing was locked.
    pub fn enforce(
        &self,
        ruleset: &Ruleset,
        args: &RulesetArgs,
        threads: usize,
        stop: &AtomicBool,
    ) -> Result<(), Failure> {
        if !self.locked {
            return Ok(());
        }
        let profile = args.profile.as_deref();
        let file = LockFile::beside(&args.path)?;
        let Some(locked) = file.find(&args.path, profile) else {
            let of = profile.map_or(String::new(), |profile| format!(" with profile `{profile}`"));
            let path = LockFile::path_for(&args.path);
            let message = format!("{} has no lock of {}{of}", path.display(), args.path.display());
            let help = format!("lock it with `{}`, and commit the file", lock_command(args));
            return Err(Failure::usage(message).help(help));
        };
        let now = Lock::of(ruleset, &args.path, profile, threads, stop)?;
        let Some(difference) = locked.compare(&now) else { return Ok(()) };
        if let Some(path) = &self.difference {
            let text = if path.extension().is_some_and(|extension| extension == "json") {
                let json = serde_json::to_string_pretty(&difference);
                json.map_err(|error| Failure::bug(&error.to_string()))? + "\n"
            } else {
                difference.to_markdown()
            };
            let mut output = Output::file(path)?;
            output.write(text.as_bytes())?;
            output.finish(0)?.publish()?;
        }
        let help = format!("if that is meant to be, lock the new rows with `{}`", lock_command(args));
        Err(Failure::new(exit::THRESHOLD, difference.to_text().trim_end()).help(help))
    }
}

/// A file that a difference can be written to: found out before there is one.
fn difference_file(text: &str) -> Result<PathBuf, String> {
    let path = PathBuf::from(text);
    match path.extension().and_then(|extension| extension.to_str()) {
        Some("json" | "md") => Ok(path),
        _ => Err("expected a file that ends in .md or .json".into()),
    }
}

/// The command that locks the rows of these arguments.
fn lock_command(args: &RulesetArgs) -> String {
    let profile = args.profile.as_ref().map_or(String::new(), |profile| format!(" -p {profile}"));
    format!("lookalike generate {}{profile} --lock", args.path.display())
}

/// Makes all rows and writes their lock beside the ruleset; gives the words about it.
///
/// # Errors
/// When a row cannot be made, or the file not be written.
pub fn lock(
    ruleset: &Ruleset,
    args: &RulesetArgs,
    threads: usize,
    stop: &AtomicBool,
) -> Result<String, Failure> {
    let mut file = LockFile::beside(&args.path)?;
    let lock = Lock::of(ruleset, &args.path, args.profile.as_deref(), threads, stop)?;
    let before = file.find(&args.path, args.profile.as_deref()).cloned();
    let said = match before.map(|before| before.compare(&lock)) {
        None => format!("locked the rows in {FILE}\n"),
        Some(None) => format!("the rows are those locked in {FILE} before\n"),
        Some(Some(difference)) => format!("{}locked the new rows in {FILE}\n", difference.to_text()),
    };
    file.put(lock);
    file.write_beside(&args.path)?;
    Ok(said)
}
