//! The programs, run as a user runs them.

mod diff;
#[cfg(feature = "bedrock")]
mod draft;
mod failures;
mod fit;
mod generate;
mod help;
mod inject;
mod locking;
mod merge;
mod parts;
mod privacy;
mod protect;
mod release;
mod reports;
mod signals;
mod sinks;
#[cfg(feature = "bedrock")]
mod texts;
mod validate;

use std::fmt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// Four columns of all sorts, without other files.
const ORDERS: &str = "\
lookalike: 1
name: orders
seed: 42
tables:
  orders:
    about: An order of the shop
    rows: 1k
    columns:
      id: {sequence: {start: 1}}
      state: {about: Where it stands, choice: {open: 20%, paid: 75%, lost: 5%}}
      amount: {log_normal: {median: 40, p95: 300}, round: 2}
      note: {choice: ['plain', 'with, comma', 'two words'], null: 30%}
";

/// A folder with files in which the programs run.
struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    /// An empty folder.
    fn new() -> Place {
        Place { folder: tempfile::tempdir().unwrap() }
    }

    /// A folder with one ruleset, `x.yaml`.
    fn with(text: &str) -> Place {
        let place = Place::new();
        place.write("x.yaml", text);
        place
    }

    /// A folder with a ruleset `x.yaml` of one table `t` with `rows` and these columns.
    fn with_columns(rows: &str, columns: &[&str]) -> Place {
        let columns: String = columns.iter().map(|column| format!("      {column}\n")).collect();
        Place::with(&format!(
            "lookalike: 1\nname: x\nseed: 1\ntables:\n  t:\n    rows: {rows}\n    columns:\n{columns}"
        ))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, text: impl AsRef<[u8]>) {
        std::fs::write(self.path(name), text).unwrap();
    }

    fn read(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.path(name)).unwrap()
    }

    /// Names of the files in a folder, hidden ones too, in order.
    fn files(&self, folder: &str) -> Vec<String> {
        let entries = std::fs::read_dir(self.path(folder)).unwrap();
        let mut names: Vec<String> = entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    /// The program `lookalike`, ready to run in the folder and free of the tester's surroundings.
    fn command(&self) -> Command {
        self.program(Path::new(env!("CARGO_BIN_EXE_lookalike")))
    }

    fn program(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command.current_dir(self.folder.path());
        for name in ["NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "COLUMNS", "RUST_BACKTRACE"] {
            command.env_remove(name);
        }
        command
    }

    /// Runs `lookalike` with these arguments, given as one line.
    fn run(&self, line: &str) -> Outcome {
        self.outcome(self.command().args(line.split_whitespace()))
    }

    fn outcome(&self, command: &mut Command) -> Outcome {
        let output: Output = command.output().unwrap();
        let folder = self.folder.path();
        let real = folder.canonicalize().unwrap();
        let clean = |bytes: &[u8]| {
            let text = String::from_utf8_lossy(bytes).replace(real.to_str().unwrap(), "[folder]");
            text.replace(folder.to_str().unwrap(), "[folder]")
        };
        Outcome {
            code: output.status.code(),
            stderr: clean(&output.stderr),
            text: clean(&output.stdout),
            stdout: output.stdout,
        }
    }
}

/// How a run ended.
struct Outcome {
    /// Exit code; `None` if a signal ended it.
    code: Option<i32>,
    stdout: Vec<u8>,
    /// Standard output with the folder's path replaced.
    text: String,
    /// Standard error with the folder's path replaced.
    stderr: String,
}

impl Outcome {
    /// Compares all of it with a stored snapshot.
    #[track_caller]
    fn snapshot(&self, name: &str) {
        let mut settings = insta::Settings::clone_current();
        settings.set_snapshot_path("../snapshots");
        settings.set_prepend_module_to_snapshot(false);
        settings.add_filter(r"in \d+\.\d\d s, [\d,]+ rows/s", "in [time]");
        settings.add_filter(r"\d[\d.]* (B|kB|MB)\b", "[size]");
        settings.add_filter(r"lookalike \d+\.\d+\.\d+", "lookalike [version]");
        settings.bind(|| insta::assert_snapshot!(format!("cli_{name}"), self.to_string()));
    }

    #[track_caller]
    fn expect(self, code: i32) -> Outcome {
        assert_eq!(self.code, Some(code), "{self}");
        self
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let code = self.code.map_or("none".to_owned(), |code| code.to_string());
        write!(f, "exit code: {code}\n----- stdout -----\n{}\n----- stderr -----\n{}", self.text, self.stderr)
    }
}
