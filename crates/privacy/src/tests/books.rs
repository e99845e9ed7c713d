//! The books agree: what the filter counts, what the ledger holds, and what the budget file keeps.

use proptest::prelude::*;

use super::{opening, session};
use crate::mechanisms::{choice, gaussian, laplace, threshold};
use crate::{Budget, Cost, Error, Ledger, Line, Session, State, Table, Unit, gaussian_sigma, share_out};

fn charges(path: &std::path::Path) -> Vec<crate::Charge> {
    let charge = |line| if let Line::Charge(charge) = line { Some(charge) } else { None };
    Ledger::read(path).unwrap().into_iter().filter_map(charge).collect()
}

#[test]
fn the_whole_budget_can_be_spent_in_shares_and_no_more() {
    let folder = tempfile::tempdir().unwrap();
    let mut session = session(folder.path(), Unit::row(), 1.0).unwrap();
    for share in share_out(session.limit().rho, &[1.0; 7]) {
        let sigma = gaussian_sigma(share, 1.0).unwrap();
        session.marginal("count", &[10], sigma).unwrap();
    }
    let before = session.spent();
    assert!(session.remaining_rho() < 1e-12);
    let refused = session.marginal("one more", &[10], 100.0).unwrap_err();
    assert!(matches!(refused, Error::Budget { whose: "the run", .. }), "{refused}");
    assert_eq!(session.spent(), before, "a refusal costs nothing");
    let limit = session.limit();
    let statement = session.close(Vec::new(), Vec::new()).unwrap();
    assert!(statement.epsilon <= 1.0 && statement.epsilon > 0.9999);
    let charges = charges(&folder.path().join("ledger.jsonl"));
    assert_eq!(charges.len(), 7, "what was refused is not in the ledger");
    let sum = Cost::sum(charges.iter().map(|c| Cost { rho: c.rho, delta: c.delta })).unwrap();
    assert_eq!(sum, before);
    assert_eq!(charges.last().unwrap().run_total, before);
    assert!(sum.fits(limit));
}

#[test]
fn the_ledger_names_the_version_that_draws() {
    let lock = include_str!("../../../../Cargo.lock");
    assert!(lock.contains(&format!("name = \"opendp\"\nversion = \"{}\"\n", crate::session::OPENDP)));
}

#[test]
fn after_a_refusal_the_session_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let mut session = session(folder.path(), Unit::row(), 1.0).unwrap();
    assert!(session.marginal("too exact", &[10], 0.1).is_err());
    session.marginal("exact enough", &[10], 50.0).unwrap();
    assert_eq!(session.spent(), gaussian::cost(50.0, 1.0).unwrap());
}

#[test]
fn runs_add_up_over_the_table() {
    let folder = tempfile::tempdir().unwrap();
    let budget = Budget::new(0.5, 1e-6).unwrap();
    let total = Budget::new(1.0, 1e-6).unwrap();
    let open = || {
        let opening = opening(folder.path(), Unit::row(), budget);
        Session::open(crate::Opening { total: Some(total), ..opening })
    };
    let mut spent = 0.0;
    let mut runs = 0;
    let refused = loop {
        match open() {
            Ok(mut session) => {
                let sigma = gaussian_sigma(session.remaining_rho(), 1.0).unwrap();
                session.marginal("count", &[10], sigma).unwrap();
                spent += session.spent_rho();
                runs += 1;
                let statement = session.close(Vec::new(), Vec::new()).unwrap();
                assert_eq!(statement.table_runs, runs);
                assert!(statement.table_epsilon <= 1.0 && statement.table_epsilon >= statement.epsilon);
            }
            Err(error) => break error,
        }
    };
    assert!(matches!(refused, Error::Budget { whose: "the table", .. }), "{refused}");
    let (part, whole) = (budget.cost().unwrap().rho, total.cost().unwrap().rho);
    assert_eq!(runs, (whole / part) as usize, "rho adds up, so more than two halves fit");
    assert!(spent <= whole);
    // Another table has a budget of its own.
    Session::open(crate::Opening {
        table: Table::Named("another"),
        ..opening(folder.path(), Unit::row(), budget)
    })
    .unwrap();
}

#[test]
fn what_was_agreed_for_a_table_stays() {
    let folder = tempfile::tempdir().unwrap();
    let budget = Budget::new(0.1, 1e-6).unwrap();
    let mut first =
        Session::open(opening(folder.path(), Unit::column("client", 5).unwrap(), budget)).unwrap();
    first.marginal("count", &[10], 1e6).unwrap();
    drop(first);
    let other_unit = Session::open(opening(folder.path(), Unit::row(), budget));
    assert!(matches!(other_unit, Err(Error::Request { .. })));
    let other_total = Session::open(crate::Opening {
        total: Some(Budget::new(5.0, 1e-6).unwrap()),
        ..opening(folder.path(), Unit::column("client", 5).unwrap(), budget)
    });
    assert!(matches!(other_total, Err(Error::Request { .. })));
    // Another bound on the same unit's rows is another sensitivity, not another promise.
    let half = Budget::new(0.05, 1e-6).unwrap();
    Session::open(opening(folder.path(), Unit::column("client", 9).unwrap(), half)).unwrap();
}

/// What part of delta searches for keys may spend is agreed at a table's first run. A later run need not say it again to name
/// the same total, and one that searches where nothing was set aside is told so.
#[test]
fn the_part_of_delta_for_searches_is_agreed_too() {
    let searching = |epsilon| Budget::new(epsilon, 1e-6).unwrap().with_thresholds(5e-7).unwrap();
    let plain = |epsilon| Budget::new(epsilon, 1e-6).unwrap();
    let run = |folder: &std::path::Path, budget, total| {
        let opening = crate::Opening { total: Some(total), ..opening(folder, Unit::row(), budget) };
        Session::open(opening)?.marginal("count", &[10], 1000.0).map(drop)
    };
    let folder = tempfile::tempdir().unwrap();
    run(folder.path(), searching(0.1), searching(1.0)).unwrap();
    run(folder.path(), plain(0.1), plain(1.0)).unwrap();
    let folder = tempfile::tempdir().unwrap();
    run(folder.path(), plain(0.1), plain(1.0)).unwrap();
    let refused = run(folder.path(), searching(0.1), searching(1.0)).unwrap_err();
    assert!(
        refused.to_string().contains("the table has no part of delta for keys that nobody knows"),
        "{refused}"
    );
    assert!(refused.help().unwrap().contains("--threshold-delta"));
}

/// All that stands in a folder.
fn content(folder: &std::path::Path) -> Vec<(std::path::PathBuf, Vec<u8>)> {
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| (path.clone(), std::fs::read(path).unwrap()))
        .collect();
    files.sort();
    files
}

#[test]
fn asking_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let budget = |epsilon| Budget::new(epsilon, 1e-6).unwrap();
    let asked = |epsilon, cost| opening(folder.path(), Unit::row(), budget(epsilon)).check("this", cost);
    let most = budget(1.0).cost().unwrap();
    asked(1.0, most).unwrap();
    assert!(matches!(asked(0.5, most), Err(Error::Budget { whose: "the run", .. })));
    assert_eq!(content(folder.path()), []);
    let mut first = session(folder.path(), Unit::row(), 1.0).unwrap();
    first.marginal("count", &[10], 20.0).unwrap();
    drop(first);
    let before = content(folder.path());
    assert_eq!(before.len(), 2);
    assert!(matches!(asked(1.0, Cost::default()), Err(Error::Budget { whose: "the table", .. })));
    asked(0.5, Cost::default()).unwrap();
    let other = opening(folder.path(), Unit::column("client", 5).unwrap(), budget(0.5));
    assert!(matches!(other.check("this", Cost::default()), Err(Error::Request { .. })));
    assert_eq!(content(folder.path()), before);
}

#[test]
fn a_session_without_a_charge_agrees_on_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let closed = session(folder.path(), Unit::row(), 0.001).unwrap().close(Vec::new(), Vec::new()).unwrap();
    assert_eq!((closed.table_epsilon, closed.table_runs), (0.0, 0));
    let mut refused = session(folder.path(), Unit::row(), 0.001).unwrap();
    assert!(refused.marginal("too exact", &[10], 0.1).is_err());
    drop(refused);
    // A larger budget, and another unit, are still possible.
    session(folder.path(), Unit::column("client", 5).unwrap(), 1.0).unwrap();
}

#[test]
fn one_run_at_a_time() {
    let folder = tempfile::tempdir().unwrap();
    let held = session(folder.path(), Unit::row(), 0.5).unwrap();
    assert!(matches!(session(folder.path(), Unit::row(), 0.5), Err(Error::Held { .. })));
    drop(held);
    session(folder.path(), Unit::row(), 0.5).unwrap();
}

#[test]
fn a_run_that_was_not_closed_stays_spent() {
    let folder = tempfile::tempdir().unwrap();
    let mut first = session(folder.path(), Unit::row(), 0.5).unwrap();
    first.marginal("count", &[10], 20.0).unwrap();
    let spent = first.spent();
    drop(first);
    let state = State::open(&folder.path().join("budget.jsonl")).unwrap();
    let account = state.account(&state.fingerprint(Table::Named("table")).unwrap()).unwrap();
    assert_eq!((account.spent, account.runs, account.all_gaussian), (spent, 1, true));
}

#[test]
fn no_refusal_knows_the_data() {
    let refusal = |counts: &[i64]| {
        let folder = tempfile::tempdir().unwrap();
        let mut session = session(folder.path(), Unit::row(), 0.1).unwrap();
        session.marginal("count", counts, 0.01).unwrap_err().to_string()
    };
    assert_eq!(refusal(&[0]), refusal(&[123_456_789]));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10))]
    /// Whatever is asked, in whatever order and at whatever price: the budget is never passed, the filter of OpenDP agrees
    /// with the ledger to the last bit, and both with the budget file.
    #[test]
    fn the_filter_and_the_books_agree(
        steps in prop::collection::vec((0u8..4, -6.0f64..0.5), 1..25), epsilon in 0.2f64..4.0,
    ) {
        let folder = tempfile::tempdir().unwrap();
        let unit = Unit::column("client", 3).unwrap();
        let budget = Budget::new(epsilon, 1e-6).unwrap().with_thresholds(5e-7).unwrap();
        let mut session = Session::open(opening(folder.path(), unit.clone(), budget)).unwrap().not_private(1);
        for (kind, exponent) in steps {
            let rho = session.limit().rho * 10f64.powf(exponent);
            let delta = session.limit().delta * 10f64.powf(exponent).min(0.9);
            let before = session.spent();
            let (result, cost) = match kind {
                0 => {
                    let sigma = gaussian_sigma(rho, 3.0).unwrap();
                    (session.marginal("m", &[1, 2], sigma).map(drop), gaussian::cost(sigma, 3.0).unwrap())
                }
                1 => {
                    let epsilon = choice::epsilon(rho).unwrap();
                    (session.choose("c", &[1.0, 2.0], 3.0, epsilon).map(drop), choice::cost(epsilon).unwrap())
                }
                2 => {
                    let scale = laplace::scale(rho, 3.0).unwrap();
                    (session.laplace("l", &[5], 3.0, scale).map(drop), laplace::cost(scale, 3.0).unwrap())
                }
                _ => {
                    let (sigma, at) = threshold::calibrate(&unit, Cost { rho, delta }).unwrap();
                    let counts = [("a".to_owned(), 7)];
                    (session.threshold("t", &unit, &counts, sigma, at).map(drop), threshold::cost(&unit, sigma, at).unwrap())
                }
            };
            match result {
                Ok(()) => prop_assert_eq!(session.spent(), Cost::sum([before, cost]).unwrap()),
                Err(error) => {
                    let refused = matches!(error, Error::Budget { .. });
                    prop_assert!(refused, "{}", error);
                    prop_assert_eq!(session.spent(), before);
                }
            }
            prop_assert!(session.spent().fits(session.limit()));
        }
        let spent = session.spent();
        // Closing compares the filter's own count with ours.
        let statement = session.close(Vec::new(), Vec::new()).unwrap();
        prop_assert!(statement.epsilon <= epsilon);
        prop_assert!(statement.randomness.contains("NOT PRIVATE"));
        let charges = charges(&folder.path().join("ledger.jsonl"));
        let sum = Cost::sum(charges.iter().map(|c| Cost { rho: c.rho, delta: c.delta })).unwrap();
        prop_assert_eq!(sum, spent);
        let state = State::open(&folder.path().join("budget.jsonl")).unwrap();
        let account = state.account(&state.fingerprint(Table::Named("table")).unwrap()).unwrap();
        prop_assert_eq!(account.spent, spent);
    }
}
