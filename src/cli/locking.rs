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
    #[arg(long, value_name = "FILE", requires = "locked", help_heading = "Locking")]
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
            return Err(Failure::usage(message)
                .help("lock it with `lookalike generate RULESET --lock`, and commit the file"));
        };
        let now = Lock::of(ruleset, &args.path, profile, threads, stop)?;
        let Some(difference) = locked.compare(&now) else { return Ok(()) };
        if let Some(path) = &self.difference {
            let text = match path.extension().and_then(|extension| extension.to_str()) {
                Some("json") => {
                    let json = serde_json::to_string_pretty(&difference);
                    json.map_err(|error| Failure::bug(&error.to_string()))? + "\n"
                }
                Some("md") => difference.to_markdown(),
                _ => return Err(Failure::usage("`--difference` takes a file that ends in .md or .json")),
            };
            let mut output = Output::file(path)?;
            output.write(text.as_bytes())?;
            output.finish(0)?.publish()?;
        }
        Err(Failure::new(exit::THRESHOLD, difference.to_text().trim_end())
            .help("if that is meant to be, lock the new rows with `lookalike generate RULESET --lock`"))
    }
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
