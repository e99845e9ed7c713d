//! Ctrl-C in the middle of a run.

#![cfg(unix)]

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::{ORDERS, Place};

/// A run that takes far longer than the test, once it is writing.
fn long_run(place: &Place) -> Child {
    let mut command = place.command();
    command.args(["generate", "x.yaml", "--rows", "2g", "-o", "out", "--format", "csv", "--threads", "2"]);
    let child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let deadline = Instant::now() + Duration::from_secs(60);
    let is_writing = || {
        let files = std::fs::read_dir(place.path("out")).into_iter().flatten().flatten();
        files.map(|file| file.metadata().map_or(0, |meta| meta.len())).any(|bytes| bytes > 0)
    };
    while !is_writing() {
        assert!(Instant::now() < deadline, "the run wrote nothing");
        std::thread::sleep(Duration::from_millis(10));
    }
    child
}

fn signal(child: &Child, name: &str) {
    let status = Command::new("kill").args([&format!("-{name}"), &child.id().to_string()]).status().unwrap();
    assert!(status.success());
}

#[test]
fn a_signal_ends_the_run_and_leaves_nothing() {
    for name in ["INT", "TERM"] {
        let place = Place::with(ORDERS);
        let child = long_run(&place);
        signal(&child, name);
        let output = child.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(130), "{said}");
        assert_eq!(
            said,
            "stopping after the rows in work; once more to stop at once\nerror: interrupted; no file was changed\n"
        );
        assert_eq!(place.files("out"), [""; 0], "after {name}");
    }
}

#[test]
fn the_second_signal_ends_a_run_that_is_stuck() {
    let place = Place::with(ORDERS);
    let mut command = place.command();
    command.args(["generate", "x.yaml", "--rows", "2m", "-o", "-"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // Once the header and some rows are here the run waits for more of its output to be read, which never happens.
    let mut first = [0; 4096];
    let mut stdout = child.stdout.take().unwrap();
    stdout.read_exact(&mut first).unwrap();
    let mut stderr = BufReader::new(child.stderr.take().unwrap()).lines();
    signal(&child, "INT");
    assert_eq!(stderr.next().unwrap().unwrap(), "stopping after the rows in work; once more to stop at once");
    signal(&child, "INT");
    assert!(stderr.next().unwrap().unwrap().starts_with("stopped at once"));
    assert_eq!(child.wait().unwrap().code(), Some(130));
}
