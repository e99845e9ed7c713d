//! The file that keeps texts, while more of them come in.
//!
//! Each text goes at once to the end of a second file, `….part`, so that a run that is killed loses nothing; in the end the file
//! is written anew, in the order of the addresses, and takes its name when it is complete.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};

use lookalike_ruleset::texts::{Address, Kept, Texts, line, lines};

use crate::cli::exit;
use crate::cli::failure::Failure;
use crate::io::Output;

/// What is kept, and what came in.
pub struct Keeper {
    path: PathBuf,
    part_path: PathBuf,
    part: File,
    kept: BTreeMap<Address, Kept>,
    has_news: bool,
}

impl Keeper {
    /// Gets ready to add to `texts`, which are kept at `path`; takes in what a run that was killed has left.
    ///
    /// # Errors
    /// When files cannot be read or written, or another run is at it.
    pub fn open(texts: &Texts, path: PathBuf) -> Result<Keeper, Failure> {
        let mut part_path = path.clone().into_os_string();
        part_path.push(".part");
        let part_path = PathBuf::from(part_path);
        let failed = |error: std::io::Error| cannot_write(&part_path, &error);
        if part_path.symlink_metadata().is_ok_and(|metadata| !metadata.is_file()) {
            return Err(Failure::new(exit::OUTPUT, format!("`{}` is no ordinary file", part_path.display()))
                .help("remove it: texts are put there as they come in"));
        }
        let mut part =
            OpenOptions::new().create(true).read(true).append(true).open(&part_path).map_err(failed)?;
        match part.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(Failure::new(
                    exit::OUTPUT,
                    format!("another run is asking for the texts of `{}`", texts.name),
                )
                .help("wait until it is done"));
            }
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
        let mut left = String::new();
        part.read_to_string(&mut left).map_err(failed)?;
        // The last line may have been cut off.
        let whole = left.rfind('\n').map_or(0, |at| at + 1);
        part.set_len(whole as u64).map_err(failed)?;
        let more = lines(&left[..whole]).map_err(|(line, what)| {
            Failure::new(exit::OUTPUT, format!("line {line} of `{}` is no text: {what}", part_path.display()))
                .help("a run that was killed left this file; remove the line, or the file")
        })?;
        let has_news = !more.is_empty();
        let mut kept = texts.kept.clone();
        kept.extend(more);
        Ok(Keeper { path, part_path, part, kept, has_news })
    }

    /// Keeps a text.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn keep(&mut self, address: Address, kept: Kept) -> Result<(), Failure> {
        let line = line(address, &kept);
        self.part.write_all(line.as_bytes()).map_err(|error| cannot_write(&self.part_path, &error))?;
        self.kept.insert(address, kept);
        self.has_news = true;
        Ok(())
    }

    /// Writes the file, if anything came in.
    ///
    /// # Errors
    /// When it cannot be written; then the second file stays.
    pub fn finish(self) -> Result<(), Failure> {
        let Keeper { path, part_path, part, kept, has_news } = self;
        if has_news {
            let mut output = Output::file(&path)?;
            for (address, kept) in &kept {
                output.write(line(*address, kept).as_bytes())?;
            }
            output.finish(kept.len() as u64)?.publish()?;
        }
        drop(part);
        std::fs::remove_file(&part_path).map_err(|error| cannot_write(&part_path, &error))
    }
}

fn cannot_write(path: &Path, error: &std::io::Error) -> Failure {
    Failure::new(exit::OUTPUT, format!("`{}` cannot be written: {error}", path.display()))
        .help("texts are kept beside the ruleset: its folder must be one to write in")
}
