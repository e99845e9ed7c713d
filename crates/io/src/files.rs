//! Reading rulesets, includes and lookups from disk, and only from where they may be read.

use std::path::{Component, Path, PathBuf};

use lookalike_ruleset::document::{FileProblem, Files};

/// The largest file that is read, in bytes.
pub const MAX_FILE_BYTES: u64 = 64 * 1024 * 1024;

/// Files under a ruleset's folder tree, and under folders that the user allows.
///
/// The tree begins at the nearest folder called `rulesets` that the ruleset lies in, so that rulesets side by side can share
/// vocabularies; else at the folder that holds the ruleset. Links are followed before the check.
#[derive(Clone, Debug)]
pub struct DiskFiles {
    roots: Vec<PathBuf>,
}

impl DiskFiles {
    /// Files that the ruleset at `ruleset` may read, with `allowed` folders or files beside its own tree.
    pub fn for_ruleset(ruleset: &Path, allowed: &[PathBuf]) -> DiskFiles {
        // Never relative: every path begins with an empty root.
        let absolute = ruleset.canonicalize().or_else(|_| std::path::absolute(ruleset));
        let absolute = absolute.unwrap_or_else(|_| Path::new("/").join(ruleset));
        let folder = absolute.parent().map(Path::to_path_buf).unwrap_or_default();
        let tree = folder
            .ancestors()
            .find(|a| a.file_name().is_some_and(|name| name == "rulesets"))
            .map(Path::to_path_buf);
        let mut roots = vec![tree.unwrap_or(folder)];
        roots.extend(allowed.iter().map(|path| path.canonicalize().unwrap_or_else(|_| path.clone())));
        DiskFiles { roots }
    }
}

impl DiskFiles {
    /// Refuses `real`, to which `joined` leads and which a ruleset calls `path`, if it lies outside the tree.
    fn check(&self, path: &str, joined: &Path, real: &Path) -> Result<(), FileProblem> {
        if self.roots.iter().any(|root| real.starts_with(root)) {
            return Ok(());
        }
        let folder = joined.parent().filter(|folder| *folder != Path::new("")).unwrap_or(Path::new("."));
        Err(FileProblem {
            code: "outside-folder",
            message: format!("`{path}` lies outside the folder tree that may be read"),
            help: format!(
                "the tree begins at {}; to let more be read, add `--allow-path {}`",
                self.roots[0].display(),
                folder.display()
            ),
            is_missing: false,
        })
    }

    /// Where a file that the file called `from` names as `path` may be written: its folder must be there and lie in the tree,
    /// and so must the file, if there is one.
    ///
    /// # Errors
    /// When it may not be written there, or there is no such folder.
    pub fn place(&self, from: &str, path: &str) -> Result<PathBuf, FileProblem> {
        let joined = join(from, path);
        let folder = joined.parent().filter(|folder| *folder != Path::new("")).unwrap_or(Path::new("."));
        let cannot = |error: std::io::Error| cannot_read(&joined.display().to_string(), &error);
        self.check(path, &joined, &folder.canonicalize().map_err(cannot)?)?;
        // A link that leads nowhere would be followed by whoever writes.
        if joined.symlink_metadata().is_ok() {
            self.check(path, &joined, &joined.canonicalize().map_err(cannot)?)?;
        }
        Ok(joined)
    }
}

/// The path that the file called `from` names as `path`, as a user would write it.
fn join(from: &str, path: &str) -> PathBuf {
    tidy(&Path::new(from).parent().unwrap_or(Path::new("")).join(path))
}

impl Files for DiskFiles {
    fn read(&self, from: &str, path: &str) -> Result<(String, Vec<u8>), FileProblem> {
        let (name, joined) = self.locate(from, path)?;
        read_file(&joined).map(|bytes| (name, bytes))
    }

    fn locate(&self, from: &str, path: &str) -> Result<(String, PathBuf), FileProblem> {
        let joined = join(from, path);
        let name = joined.display().to_string();
        let real = joined.canonicalize().map_err(|error| cannot_read(&name, &error))?;
        self.check(path, &joined, &real)?;
        Ok((name, joined))
    }
}

fn cannot_read(name: &str, error: &std::io::Error) -> FileProblem {
    let help = match error.kind() {
        std::io::ErrorKind::NotFound => "check the spelling; paths are relative to the file that names them",
        std::io::ErrorKind::PermissionDenied => "you may not read this file",
        _ => "the file must be an ordinary file that can be read",
    };
    let words = match error.kind() {
        std::io::ErrorKind::NotFound => "no such file".to_owned(),
        std::io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        _ => error.to_string(),
    };
    FileProblem {
        code: "cannot-read",
        message: format!("`{name}` cannot be read: {words}"),
        help: help.into(),
        is_missing: error.kind() == std::io::ErrorKind::NotFound,
    }
}

/// Reads an ordinary file of at most [`MAX_FILE_BYTES`].
///
/// # Errors
/// When it is missing, too large, or not an ordinary file.
pub fn read_file(path: &Path) -> Result<Vec<u8>, FileProblem> {
    let name = path.display().to_string();
    let metadata = std::fs::metadata(path).map_err(|error| cannot_read(&name, &error))?;
    if !metadata.is_file() {
        let what = if metadata.is_dir() { "a folder" } else { "not an ordinary file" };
        return Err(FileProblem {
            code: "cannot-read",
            message: format!("`{name}` cannot be read: it is {what}"),
            help: "name a file".into(),
            is_missing: false,
        });
    }
    if metadata.len() > MAX_FILE_BYTES {
        return Err(FileProblem {
            code: "too-large",
            message: format!("`{name}` has {} bytes", metadata.len()),
            help: format!("at most {MAX_FILE_BYTES} bytes are read; is it the right file?"),
            is_missing: false,
        });
    }
    std::fs::read(path).map_err(|error| cannot_read(&name, &error))
}

/// The path without `.` and with `..` resolved where a folder precedes it: how the user would write it.
fn tidy(path: &Path) -> PathBuf {
    let mut tidy = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir if matches!(tidy.components().next_back(), Some(Component::Normal(_))) => {
                tidy.pop();
            }
            other => tidy.push(other),
        }
    }
    tidy
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (path, text) in [
            ("rulesets/a/main.yaml", "m"),
            ("rulesets/common/facts.csv", "f"),
            ("secret.txt", "s"),
            ("alone/main.yaml", "x"),
        ] {
            let path = folder.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        folder
    }

    #[test]
    fn the_tree_begins_at_the_folder_called_rulesets() {
        let folder = folder();
        let main = folder.path().join("rulesets/a/main.yaml");
        let files = DiskFiles::for_ruleset(&main, &[]);
        let from = main.display().to_string();
        let (name, bytes) = files.read(&from, "../common/facts.csv").unwrap();
        assert_eq!(bytes, b"f");
        assert!(name.ends_with("rulesets/common/facts.csv"), "{name}");
        assert_eq!(files.read(&from, "../../secret.txt").unwrap_err().code, "outside-folder");
        assert_eq!(files.read(&from, "/etc/passwd").unwrap_err().code, "outside-folder");
        assert_eq!(files.read(&from, "nothing.csv").unwrap_err().code, "cannot-read");
        assert_eq!(files.read(&from, ".").unwrap_err().code, "cannot-read");
    }

    #[test]
    fn a_ruleset_elsewhere_reads_its_own_folder_and_what_is_allowed() {
        let folder = folder();
        let main = folder.path().join("alone/main.yaml");
        let from = main.display().to_string();
        let strict = DiskFiles::for_ruleset(&main, &[]);
        assert_eq!(strict.read(&from, "../secret.txt").unwrap_err().code, "outside-folder");
        let open = DiskFiles::for_ruleset(&main, &[folder.path().to_path_buf()]);
        assert_eq!(open.read(&from, "../secret.txt").unwrap().1, b"s");
    }

    #[test]
    fn files_are_written_in_the_tree_only() {
        let folder = folder();
        let main = folder.path().join("rulesets/a/main.yaml");
        let files = DiskFiles::for_ruleset(&main, &[]);
        let from = main.display().to_string();
        for good in ["texts.jsonl", "../common/texts.jsonl", "main.yaml"] {
            assert!(files.place(&from, good).unwrap().parent().unwrap().is_dir(), "{good}");
        }
        for (bad, code) in [
            ("../../texts.jsonl", "outside-folder"),
            ("/tmp/texts.jsonl", "outside-folder"),
            ("nowhere/texts.jsonl", "cannot-read"),
        ] {
            assert_eq!(files.place(&from, bad).unwrap_err().code, code, "{bad}");
        }
        let missing = files.read(&from, "nothing.jsonl").unwrap_err();
        assert!(missing.is_missing && !files.read(&from, "../../secret.txt").unwrap_err().is_missing);
    }

    #[cfg(unix)]
    #[test]
    fn links_do_not_lead_out() {
        let folder = folder();
        std::os::unix::fs::symlink(folder.path().join("secret.txt"), folder.path().join("alone/link.csv"))
            .unwrap();
        let main = folder.path().join("alone/main.yaml");
        let files = DiskFiles::for_ruleset(&main, &[]);
        assert_eq!(files.read(&main.display().to_string(), "link.csv").unwrap_err().code, "outside-folder");
        assert_eq!(files.place(&main.display().to_string(), "link.csv").unwrap_err().code, "outside-folder");
        std::os::unix::fs::symlink(folder.path().join("nowhere"), folder.path().join("alone/loose")).unwrap();
        assert!(files.place(&main.display().to_string(), "loose").is_err());
    }
}
