//! Append-only files of lines that survive being killed.
//!
//! A line counts once it ends in a line feed, and [`Journal::append`] returns only when it is on the disk. What depends on a
//! line happens after that, so an end without line feed belongs to something that never happened: it is cut off when the
//! file is opened next. Anything else that cannot be read stops the program.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::{Error, Result};

/// More is not read; a thousand runs with a thousand steps each stay below it.
const MAX_BYTES: u64 = 1 << 30;

/// A file of lines, held by this process alone until it is dropped.
#[derive(Debug)]
pub(crate) struct Journal {
    file: File,
    path: PathBuf,
    length: u64,
}

impl Journal {
    /// Opens or makes the file, and folders that it needs; takes its lock, and gives the lines that are in it, numbered from 1.
    pub(crate) fn open(path: &Path) -> Result<(Journal, Vec<String>)> {
        make_folder(folder_of(path))?;
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        #[cfg(unix)]
        {
            use std::os::unix::fs::OpenOptionsExt as _;
            options.mode(0o600);
        }
        let mut file = options.open(path).map_err(|source| Error::file("open", path, source))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(Error::Held { path: path.to_path_buf() }),
            Err(TryLockError::Error(source)) => return Err(Error::file("lock", path, source)),
        }
        let bytes = read_all(&mut file, path)?;
        let whole = bytes.iter().rposition(|&byte| byte == b'\n').map_or(0, |at| at + 1);
        let length = whole as u64;
        if whole < bytes.len() {
            file.set_len(length).map_err(|source| Error::file("write", path, source))?;
        }
        file.sync_all().map_err(|source| Error::file("write", path, source))?;
        sync_folder(path)?;
        Ok((Journal { file, path: path.to_path_buf(), length }, lines(&bytes[..whole], path)?))
    }

    /// Writes a line, and waits until it is on the disk.
    pub(crate) fn append(&mut self, line: &impl Serialize) -> Result<()> {
        let mut text = serde_json::to_string(line).map_err(|e| Error::Internal(e.to_string()))?;
        text.push('\n');
        let written = self.write(text.as_bytes());
        if written.is_err() {
            // The line was not promised to anybody. If it cannot be cut off now, the next opening does.
            let _ = self.file.set_len(self.length);
        } else {
            self.length += text.len() as u64;
        }
        written.map_err(|source| Error::file("write", &self.path, source))
    }

    fn write(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.file.seek(SeekFrom::Start(self.length))?;
        let (first, second) = bytes.split_at(bytes.len() / 2);
        self.file.write_all(first)?;
        crate::fault::point("in the middle of a line");
        self.file.write_all(second)?;
        crate::fault::point("before a line is on the disk");
        self.file.sync_data()
    }

    /// The error of a line that cannot be understood.
    pub(crate) fn damaged(path: &Path, line: usize, reason: impl std::fmt::Display) -> Error {
        Error::Damaged { path: path.to_path_buf(), line, reason: reason.to_string() }
    }
}

/// Reads the lines of a file without changing it; an end without line feed is left out.
pub(crate) fn read(path: &Path) -> Result<Vec<String>> {
    let mut file = File::open(path).map_err(|source| Error::file("read", path, source))?;
    let bytes = read_all(&mut file, path)?;
    let whole = bytes.iter().rposition(|&byte| byte == b'\n').map_or(0, |at| at + 1);
    lines(&bytes[..whole], path)
}

fn read_all(file: &mut File, path: &Path) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.take(MAX_BYTES + 1).read_to_end(&mut bytes).map_err(|source| Error::file("read", path, source))?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(Error::request(
            format!("{} has more than {MAX_BYTES} bytes", path.display()),
            "this is not a file of ours; name another",
        ));
    }
    Ok(bytes)
}

fn lines(bytes: &[u8], path: &Path) -> Result<Vec<String>> {
    let line = |(at, line): (usize, &[u8])| {
        String::from_utf8(line.to_vec()).map_err(|_| Journal::damaged(path, at + 1, "not UTF-8"))
    };
    let mut lines: Vec<&[u8]> = bytes.split(|&byte| byte == b'\n').collect();
    lines.pop();
    lines.into_iter().enumerate().map(line).collect()
}

/// The folder that a file or folder is in.
fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// Makes a folder and those above it, and their names last.
fn make_folder(folder: &Path) -> Result<()> {
    // The last of the ancestors of a relative path is empty, and stands for the folder that we are in.
    let is_missing = |above: &&Path| !above.as_os_str().is_empty() && !above.exists();
    let made: Vec<&Path> = folder.ancestors().take_while(is_missing).collect();
    if !made.is_empty() {
        std::fs::create_dir_all(folder).map_err(|source| Error::file("make", folder, source))?;
    }
    made.into_iter().try_for_each(sync_folder)
}

/// Makes the name of a new file or folder last, where the system can do that.
fn sync_folder(path: &Path) -> Result<()> {
    #[cfg(unix)]
    {
        let folder = folder_of(path);
        File::open(folder)
            .and_then(|folder| folder.sync_all())
            .map_err(|source| Error::file("write", folder, source))?;
    }
    #[cfg(not(unix))]
    let _ = path;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_torn_end_is_cut_off() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lines");
        let (mut journal, lines) = Journal::open(&path).unwrap();
        assert!(lines.is_empty());
        journal.append(&1).unwrap();
        journal.append(&"two").unwrap();
        drop(journal);
        OpenOptions::new().append(true).open(&path).unwrap().write_all(b"{\"thr").unwrap();
        assert_eq!(read(&path).unwrap(), ["1", "\"two\""]);
        let (mut journal, lines) = Journal::open(&path).unwrap();
        assert_eq!(lines, ["1", "\"two\""]);
        journal.append(&3).unwrap();
        drop(journal);
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "1\n\"two\"\n3\n");
    }

    #[test]
    fn folders_are_made() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("some/where/lines");
        Journal::open(&path).unwrap().0.append(&1).unwrap();
        assert_eq!(read(&path).unwrap(), ["1"]);
        std::fs::write(folder.path().join("file"), "").unwrap();
        assert!(matches!(Journal::open(&folder.path().join("file/lines")), Err(Error::File { .. })));
    }

    #[test]
    fn two_processes_never_hold_it_together() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lines");
        let held = Journal::open(&path).unwrap();
        assert!(matches!(Journal::open(&path), Err(Error::Held { .. })));
        drop(held);
        Journal::open(&path).unwrap();
    }

    #[test]
    fn what_is_not_text_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lines");
        std::fs::write(&path, b"1\n\xff\n3\n").unwrap();
        assert!(matches!(Journal::open(&path), Err(Error::Damaged { line: 2, .. })));
    }
}
