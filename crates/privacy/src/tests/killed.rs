//! A run that is killed at any point: no release is without its line, and no line is unreadable.

use std::path::Path;
use std::process::Command;

use super::session;
use crate::{Cost, Ledger, Line, State, Table, Unit};

/// Where the child writes what left the session.
const RELEASES: &str = "releases";

/// The child: three releases, each written down once it has left. Does nothing unless a test runs it on purpose.
#[test]
fn child() {
    let Ok(folder) = std::env::var("LOOKALIKE_KILLED_IN") else { return };
    let folder = Path::new(&folder);
    let mut session = session(folder, Unit::row(), 1.0).unwrap();
    for step in 0..3 {
        let noisy = session.marginal(&format!("step {step}"), &[10, 20], 30.0).unwrap();
        let mut releases = std::fs::read_to_string(folder.join(RELEASES)).unwrap_or_default();
        releases.push_str(&format!("step {step}: {noisy:?}\n"));
        std::fs::write(folder.join(RELEASES), releases).unwrap();
    }
    session.close(Vec::new(), Vec::new()).unwrap();
}

#[test]
fn no_release_without_its_line() {
    let mut killed = 0;
    let mut torn = 0;
    for point in 0.. {
        let folder = tempfile::tempdir().unwrap();
        let output = Command::new(std::env::current_exe().unwrap())
            .args(["tests::killed::child", "--exact", "--test-threads=1"])
            .env("LOOKALIKE_KILLED_IN", folder.path())
            .env("LOOKALIKE_FAULT", point.to_string())
            .output()
            .unwrap();
        let (ledger, state) = (folder.path().join("ledger.jsonl"), folder.path().join("budget.jsonl"));
        torn += [&ledger, &state]
            .iter()
            .filter(|path| {
                std::fs::read(path).is_ok_and(|bytes| !bytes.is_empty() && !bytes.ends_with(b"\n"))
            })
            .count();
        let released = std::fs::read_to_string(folder.path().join(RELEASES)).unwrap_or_default();
        let lines = if ledger.exists() { Ledger::read(&ledger).unwrap() } else { Vec::new() };
        let held: Vec<&crate::Charge> =
            lines.iter().filter_map(|line| if let Line::Charge(c) = line { Some(c) } else { None }).collect();
        for release in released.lines() {
            let query = release.split(':').next().unwrap();
            assert!(held.iter().any(|charge| charge.query == query), "point {point}: {release} is not held");
        }
        // The budget file holds at least what the ledger does, and the next run reads both and goes on.
        let ledger_sum = Cost::sum(held.iter().map(|c| Cost { rho: c.rho, delta: c.delta })).unwrap();
        let spent = {
            let state = State::open(&state).unwrap();
            let fingerprint = state.fingerprint(Table::Named("table")).unwrap();
            state.account(&fingerprint).map_or(Cost::default(), |account| account.spent)
        };
        assert!(ledger_sum.fits(spent), "point {point}: {ledger_sum:?} {spent:?}");
        assert!(spent.rho <= ledger_sum.rho + Cost::of(1.0 / 1800.0).rho * 1.001, "at most one step more");
        let left = session(folder.path(), Unit::row(), 1.0);
        match (spent.rho > 0.0, left) {
            (false, Ok(_)) => {}
            (true, Err(crate::Error::Budget { .. })) => {}
            (_, other) => panic!("point {point}: spent {spent:?}, then {:?}", other.err()),
        }
        assert!(Ledger::read(&ledger).is_ok());
        if output.status.success() {
            assert_eq!(released.lines().count(), 3);
            break;
        }
        killed += 1;
    }
    // Key, table, opening, closing and three steps of two lines: two points a line, and four a step beside them.
    assert_eq!(killed, 2 * (2 + 1 + 3 * 2 + 1) + 4 * 3);
    assert_eq!(torn, 2 + 1 + 3 * 2 + 1, "one for each line that was cut in its middle");
}
