//! A file that is read at places, from several threads at once.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::Error;

/// An ordinary file. Clones share it, and each reads at a place of its own.
#[derive(Clone, Debug)]
pub(super) struct Disk {
    file: Arc<File>,
    pub path: Arc<PathBuf>,
    /// Bytes of the file when it was opened; no more are read.
    pub len: u64,
    at: u64,
}

impl Disk {
    pub fn open(path: &Path) -> Result<Disk, Error> {
        let wrong = |source| Error::Read { path: path.to_path_buf(), source };
        let file = File::open(path).map_err(wrong)?;
        let metadata = file.metadata().map_err(wrong)?;
        if !metadata.is_file() {
            let what = if metadata.is_dir() { "it is a folder" } else { "it is not an ordinary file" };
            return Err(wrong(io::Error::new(io::ErrorKind::InvalidInput, what)));
        }
        Ok(Disk { file: Arc::new(file), path: Arc::new(path.to_path_buf()), len: metadata.len(), at: 0 })
    }

    /// The file, to be read from a place on.
    pub fn from(&self, at: u64) -> Disk {
        Disk { at, ..self.clone() }
    }

    /// The bytes of a range that lies in the file.
    pub fn part(&self, range: std::ops::Range<u64>) -> Result<Vec<u8>, Error> {
        let beyond = || self.error(io::Error::new(io::ErrorKind::UnexpectedEof, "it ends too early"));
        if range.start > range.end || range.end > self.len {
            return Err(beyond());
        }
        let size = range.end - range.start;
        let mut bytes = Vec::with_capacity(usize::try_from(size).map_err(|_| beyond())?);
        let read = self.from(range.start).take(size).read_to_end(&mut bytes).map_err(|e| self.error(e))?;
        if (read as u64) < size { Err(beyond()) } else { Ok(bytes) }
    }

    /// A failure to read this file.
    pub fn error(&self, source: io::Error) -> Error {
        Error::Read { path: self.path.to_path_buf(), source }
    }

    /// A file that is not what its format says.
    pub fn damaged(&self, message: impl Into<String>) -> Error {
        Error::Data { path: self.path.to_path_buf(), message: message.into() }
    }
}

impl Read for Disk {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.len.saturating_sub(self.at)).unwrap_or(usize::MAX);
        let wanted = buffer.len().min(left);
        let read = read_at(&self.file, &mut buffer[..wanted], self.at)?;
        self.at += read as u64;
        Ok(read)
    }
}

impl Seek for Disk {
    fn seek(&mut self, place: SeekFrom) -> io::Result<u64> {
        let at = match place {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::End(by) => self.len.checked_add_signed(by),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
        };
        self.at = at.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "a place before the file"))?;
        Ok(self.at)
    }
}

#[cfg(unix)]
fn read_at(file: &File, buffer: &mut [u8], at: u64) -> io::Result<usize> {
    std::os::unix::fs::FileExt::read_at(file, buffer, at)
}

#[cfg(windows)]
fn read_at(file: &File, buffer: &mut [u8], at: u64) -> io::Result<usize> {
    std::os::windows::fs::FileExt::seek_read(file, buffer, at)
}
