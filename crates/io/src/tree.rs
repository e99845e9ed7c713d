use std::collections::BTreeSet;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use tempfile::TempDir;

use crate::{Error, Pending, Written};

/// Files below a folder, in the making: they are in a hidden folder beside it until all are complete.
#[derive(Debug)]
pub(crate) struct Tree {
    temp: TempDir,
    folder: PathBuf,
    files: BTreeSet<String>,
    hasher: Sha256,
    bytes: u64,
}

impl Tree {
    /// Files below `folder`, which need not be there; the folder that it is in must be.
    pub fn new(folder: PathBuf) -> Result<Tree, Error> {
        let failed = |source| Error::write(Some(&folder), source);
        if folder.is_file() {
            return Err(failed(io::ErrorKind::NotADirectory.into()));
        }
        let parent = folder.parent().filter(|parent| *parent != Path::new("")).unwrap_or(Path::new("."));
        let mut builder = tempfile::Builder::new();
        builder.prefix(".split.").suffix(".tmp");
        // What any new folder gets, less the umask.
        #[cfg(unix)]
        builder.permissions(<fs::Permissions as std::os::unix::fs::PermissionsExt>::from_mode(0o777));
        let temp = builder.tempdir_in(parent).map_err(|error| failed(error.kind().into()))?;
        Ok(Tree { temp, folder, files: BTreeSet::new(), hasher: Sha256::new(), bytes: 0 })
    }

    /// How many files there are.
    pub fn len(&self) -> usize {
        self.files.len()
    }

    /// Whether there is a file of this name.
    pub fn has(&self, name: &str) -> bool {
        self.files.contains(name)
    }

    /// Appends to a file, which is made if need be. The name has slashes, and leads nowhere else.
    pub fn append(&mut self, name: &str, head: &[u8], bytes: &[u8]) -> Result<(), Error> {
        let path = self.temp.path().join(name);
        let failed = |source| Error::write(Some(&self.folder.join(name)), source);
        if self.files.insert(name.to_owned())
            && let Some(folder) = path.parent()
        {
            fs::create_dir_all(folder).map_err(failed)?;
        }
        let mut file = OpenOptions::new().create(true).append(true).open(&path).map_err(failed)?;
        for part in [head, bytes] {
            file.write_all(part).map_err(failed)?;
            self.bytes += part.len() as u64;
        }
        for part in [name.as_bytes(), head, bytes] {
            self.hasher.update((part.len() as u64).to_le_bytes());
            self.hasher.update(part);
        }
        Ok(())
    }

    /// Ends the files of a table of `rows` rows.
    pub fn finish(mut self, rows: u64) -> Pending {
        let hasher = std::mem::take(&mut self.hasher);
        let sha256 = hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        let written = Written { path: Some(self.folder.clone()), bytes: self.bytes, rows, sha256 };
        Pending::tree(written, self)
    }

    /// Puts all files in their places, over files of the same names; others stay.
    pub fn publish(&self) -> Result<(), Error> {
        for name in &self.files {
            let (from, to) = (self.temp.path().join(name), self.folder.join(name));
            let failed = |source| Error::write(Some(&to), source);
            if let Some(folder) = to.parent() {
                fs::create_dir_all(folder).map_err(failed)?;
            }
            fs::rename(&from, &to).map_err(failed)?;
        }
        Ok(())
    }
}
