//! A reader at work: a folder, and commands in it.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A folder in which a reader follows a page.
pub struct Session {
    folder: tempfile::TempDir,
}

/// What was not as shown.
pub struct Failure {
    pub message: String,
    /// Whether all commands ended as they should and only printed something else.
    pub is_mere_output: bool,
    /// The block with what was printed.
    pub actual: String,
}

/// A command with what the page shows of it.
struct Step<'a> {
    command: String,
    shown: Vec<&'a str>,
}

impl Session {
    /// An empty folder.
    pub fn new() -> Session {
        Session { folder: tempfile::tempdir().unwrap() }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    pub fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// Adds to the end of a file.
    pub fn append(&self, name: &str, text: &str) {
        self.write(name, &(self.read(name) + text));
    }

    /// Puts a text into a file, above the first line that begins with `key:`.
    pub fn insert(&self, name: &str, text: &str, key: &str) {
        let mut lines: Vec<String> = self.read(name).split_inclusive('\n').map(str::to_owned).collect();
        let key = format!("{key}:");
        let at =
            lines.iter().position(|line| line.trim_start().starts_with(&key)).expect("the line is there");
        lines.insert(at, text.to_owned());
        self.write(name, &lines.concat());
    }

    /// Runs the commands of a block and compares what they print with what it shows.
    pub fn console(&self, body: &str) -> Result<(), Failure> {
        let steps = steps(body);
        let results = self.run(steps.iter().map(|step| step.command.as_str()));
        let mut actual = String::new();
        let (mut message, mut is_mere_output) = (String::new(), true);
        for (at, (step, (code, printed))) in steps.iter().zip(&results).enumerate() {
            let is_told = steps.get(at + 1).is_some_and(|next| next.command == "echo $?");
            let printed = tame(printed);
            let _ = writeln!(actual, "$ {}", step.command);
            if *code != 0 && !is_told {
                is_mere_output = false;
                let _ = writeln!(message, "`{}` ended with exit code {code}\n{printed}", step.command);
            }
            let is_silent = step.shown.is_empty();
            if is_silent || matches_lines(&step.shown, &printed.lines().collect::<Vec<_>>()) {
                step.shown.iter().for_each(|line| actual.extend([line, "\n"]));
            } else {
                actual.push_str(&printed);
                let shown = step.shown.join("\n");
                let _ =
                    writeln!(message, "`{}` printed\n{printed}\nbut the page shows\n{shown}\n", step.command);
            }
        }
        if message.is_empty() { Ok(()) } else { Err(Failure { message, is_mere_output, actual }) }
    }

    /// Runs commands one after the other in one shell; gives their exit codes and what they print.
    pub fn run<'a>(&self, commands: impl Iterator<Item = &'a str>) -> Vec<(i32, String)> {
        let log = tempfile::tempdir().unwrap();
        let mut script = String::new();
        let mut count = 0;
        for command in commands {
            let out = log.path().join(count.to_string());
            let out = out.display();
            // The next command sees the exit code of this one.
            let _ = writeln!(
                script,
                "{{ {command}\n}} >{out} 2>&1 </dev/null; code=$?; echo $code >{out}.code; (exit $code)"
            );
            count += 1;
        }
        let programs = Path::new(env!("CARGO_BIN_EXE_lookalike")).parent().unwrap();
        let path = format!("{}:{}", programs.display(), std::env::var("PATH").unwrap());
        let mut shell = Command::new("bash");
        for name in ["NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "COLUMNS", "RUST_BACKTRACE"] {
            shell.env_remove(name);
        }
        shell
            .args(["-c", &script])
            .current_dir(self.folder.path())
            .env("PATH", path)
            .env("LC_ALL", "C")
            .stdin(Stdio::null());
        shell.status().expect("bash runs");
        let read = |name: String| std::fs::read_to_string(log.path().join(name)).unwrap_or_default();
        (0..count)
            .map(|at| (read(format!("{at}.code")).trim().parse().unwrap_or(-1), read(at.to_string())))
            .collect()
    }
}

/// The commands of a block. One that ends in `\` goes on in the next line.
fn steps(body: &str) -> Vec<Step<'_>> {
    let mut steps: Vec<Step<'_>> = Vec::new();
    for line in body.lines() {
        let goes_on = steps.last().is_some_and(|step| step.shown.is_empty() && step.command.ends_with('\\'));
        match (line.strip_prefix("$ "), steps.last_mut()) {
            (_, Some(step)) if goes_on => {
                step.command.push('\n');
                step.command.push_str(line);
            }
            (Some(command), _) => steps.push(Step { command: command.to_owned(), shown: Vec::new() }),
            (None, Some(step)) => step.shown.push(line),
            (None, None) => panic!("a console block begins with a command, not with {line:?}"),
        }
    }
    steps
}

/// What was printed, without what is never the same twice.
fn tame(printed: &str) -> String {
    let mut text = String::new();
    for line in printed.lines() {
        match line.strip_prefix("in ").and_then(|rest| rest.split_once(" rows/s")) {
            Some((_, rest)) => text.extend(["in … s, … rows/s", rest]),
            None => text.push_str(line),
        }
        text.push('\n');
    }
    text
}

/// Whether lines are those shown, in which `…` alone stands for any lines.
fn matches_lines(shown: &[&str], lines: &[&str]) -> bool {
    match shown {
        [] => lines.is_empty(),
        ["…", rest @ ..] => (0..=lines.len()).any(|skip| matches_lines(rest, &lines[skip..])),
        [first, rest @ ..] => lines
            .split_first()
            .is_some_and(|(line, lines)| matches_line(first, line) && matches_lines(rest, lines)),
    }
}

/// Whether a line is the one shown, in which `…` stands for any text.
fn matches_line(shown: &str, line: &str) -> bool {
    match shown.split_once('…') {
        None => shown.trim_end() == line.trim_end(),
        Some((start, rest)) => line.strip_prefix(start).is_some_and(|line| {
            let ends = line.char_indices().map(|(at, _)| at).chain([line.len()]);
            ends.into_iter().any(|at| matches_line(rest, &line[at..]))
        }),
    }
}

#[test]
fn dots_stand_for_anything_and_nothing_else_does() {
    assert!(matches_lines(&["a", "…", "d"], &["a", "b", "c", "d"]));
    assert!(matches_lines(&["a", "…", "d"], &["a", "d"]));
    assert!(!matches_lines(&["a", "…", "d"], &["a", "b", "c"]));
    assert!(!matches_lines(&["a"], &["a", "b"]));
    assert!(matches_line("in … s, … rows", "in 0.02 s, 3 rows"));
    assert!(!matches_line("in … s, … rows", "in 0.02 s, 3 row"));
    assert!(!matches_line("a", "ab"));
}

#[test]
fn a_wrong_page_is_found() {
    let session = Session::new();
    assert!(session.console("$ echo one\none\n$ echo two \\\n    three\ntwo three\n").is_ok());
    assert!(session.console("$ false\n").is_err());
    assert!(session.console("$ false\n$ echo $?\n1\n").is_ok());
    let failure = session.console("$ echo one\ntwo\n$ echo three\n…\n").unwrap_err();
    assert!(failure.is_mere_output);
    assert_eq!(failure.actual, "$ echo one\none\n$ echo three\n…\n");
}
