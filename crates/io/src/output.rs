use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use tempfile::NamedTempFile;

use crate::Error;
use crate::tree::Tree;

/// Where a sink's bytes go. Counts and hashes them on the way.
#[derive(Debug)]
pub struct Output {
    target: Target,
    hasher: Sha256,
    bytes: u64,
}

#[derive(Debug)]
enum Target {
    File {
        temp: NamedTempFile,
        path: PathBuf,
    },
    Stdout(io::Stdout),
    Memory(Vec<u8>),
    Nowhere,
    /// Files below a folder; never written to as one.
    Tree(Tree),
}

impl Output {
    /// A file that is to appear at `path` when it is published, replacing what is there. Until then the bytes go to a
    /// hidden temporary file in the same folder, so that the last step is a rename.
    ///
    /// # Errors
    /// The folder is missing or not writable, or `path` names a folder.
    pub fn file(path: impl Into<PathBuf>) -> Result<Output, Error> {
        let path = path.into();
        let failed = |source| Error::write(Some(&path), source);
        let Some(name) = path.file_name() else {
            return Err(failed(io::Error::new(io::ErrorKind::InvalidInput, "it has no file name")));
        };
        if path.is_dir() {
            return Err(failed(io::ErrorKind::IsADirectory.into()));
        }
        let folder = match path.parent() {
            Some(folder) if folder != Path::new("") => folder,
            _ => Path::new("."),
        };
        let mut prefix = std::ffi::OsString::from(".");
        prefix.push(name);
        prefix.push(".");
        let mut builder = tempfile::Builder::new();
        builder.prefix(&prefix).suffix(".tmp");
        // What any newly created file gets, less the umask; the default is to keep others from reading.
        #[cfg(unix)]
        builder.permissions(<fs::Permissions as std::os::unix::fs::PermissionsExt>::from_mode(0o666));
        let temp = builder.tempfile_in(folder).map_err(|error| {
            // The temporary name that `tempfile` adds would only confuse: the folder is what matters.
            match error.kind() {
                io::ErrorKind::NotFound => failed(io::Error::new(io::ErrorKind::NotFound, "no such folder")),
                kind => failed(io::Error::from(kind)),
            }
        })?;
        Ok(Output::new(Target::File { temp, path }))
    }

    /// Standard output.
    pub fn stdout() -> Output {
        Output::new(Target::Stdout(io::stdout()))
    }

    /// Memory, to be had from [`Pending::into_bytes`].
    pub fn memory() -> Output {
        Output::new(Target::Memory(Vec::new()))
    }

    /// Nowhere: the bytes are counted and hashed, and forgotten. For trial runs and measurements.
    pub fn nowhere() -> Output {
        Output::new(Target::Nowhere)
    }

    fn new(target: Target) -> Output {
        Output { target, hasher: Sha256::new(), bytes: 0 }
    }

    /// Writes all of `bytes`, without a buffer of its own: give it blocks of 64 KiB and more.
    ///
    /// # Errors
    /// The write failed; the error carries the path.
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.hasher.update(bytes);
        self.bytes += bytes.len() as u64;
        let result = match &mut self.target {
            Target::File { temp, .. } => temp.as_file_mut().write_all(bytes),
            Target::Stdout(stdout) => stdout.write_all(bytes),
            Target::Memory(memory) => memory.write_all(bytes),
            Target::Nowhere | Target::Tree(_) => Ok(()),
        };
        result.map_err(|error| Error::write(self.path(), error))
    }

    /// Ends the output of a table of `rows` rows. A file is complete then, but not yet in its place.
    ///
    /// # Errors
    /// What was left to write could not be written.
    pub fn finish(mut self, rows: u64) -> Result<Pending, Error> {
        let flushed = match &mut self.target {
            Target::File { temp, .. } => temp.as_file_mut().flush(),
            Target::Stdout(stdout) => stdout.flush(),
            Target::Memory(_) | Target::Nowhere | Target::Tree(_) => Ok(()),
        };
        flushed.map_err(|error| Error::write(self.path(), error))?;
        let path = self.path().map(Path::to_path_buf);
        let sha256 = self.hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(Pending { written: Written { path, bytes: self.bytes, rows, sha256 }, target: self.target })
    }

    /// The folder of a file.
    #[cfg(feature = "sqlite")]
    pub(crate) fn folder(&self) -> Option<&Path> {
        match &self.target {
            Target::File { temp, .. } => temp.path().parent(),
            Target::Stdout(_) | Target::Memory(_) | Target::Nowhere | Target::Tree(_) => None,
        }
    }

    pub(crate) fn path(&self) -> Option<&Path> {
        match &self.target {
            Target::File { path, .. } => Some(path),
            Target::Stdout(_) | Target::Memory(_) | Target::Nowhere | Target::Tree(_) => None,
        }
    }
}

/// An output that is complete but not yet under its final name, so that a run of several tables can finish them all
/// before the first appears. Dropped without [`publish`](Pending::publish), a file is removed.
#[derive(Debug)]
#[must_use = "a file that is not published is removed"]
pub struct Pending {
    written: Written,
    target: Target,
}

impl Pending {
    /// Files below a folder.
    pub(crate) fn tree(written: Written, tree: Tree) -> Pending {
        Pending { written, target: Target::Tree(tree) }
    }

    /// What was written.
    pub fn written(&self) -> &Written {
        &self.written
    }

    /// Puts a file in its place, replacing what is there; nothing to do for other outputs.
    ///
    /// # Errors
    /// The rename failed; the temporary file is removed.
    pub fn publish(self) -> Result<Written, Error> {
        match self.target {
            Target::File { temp, path } => {
                temp.persist(&path).map_err(|failure| Error::write(Some(&path), failure.error))?;
            }
            Target::Tree(tree) => tree.publish()?,
            Target::Stdout(_) | Target::Memory(_) | Target::Nowhere => {}
        }
        Ok(self.written)
    }

    /// The bytes of an output in memory; none for others, whose file is removed.
    pub fn into_bytes(self) -> Option<Vec<u8>> {
        match self.target {
            Target::Memory(bytes) => Some(bytes),
            Target::File { .. } | Target::Stdout(_) | Target::Nowhere | Target::Tree(_) => None,
        }
    }
}

/// What a sink has written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// The file, or the folder of several; none for standard output and memory.
    pub path: Option<PathBuf>,
    /// Size in bytes.
    pub bytes: u64,
    /// Rows of the table.
    pub rows: u64,
    /// SHA-256 of the bytes, 64 lower-case hexadecimal digits.
    pub sha256: String,
}
