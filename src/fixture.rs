//! Rows of a ruleset as data for tests.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use polars::prelude::DataFrame;
use serde::de::DeserializeOwned;

use crate::{Error, Ruleset};

/// Rows of a ruleset as data for a test: a `DataFrame`, or values of a type of yours.
///
/// The path is relative to the folder of your `Cargo.toml`. Without `rows`, all rows of the table are made. A ruleset is
/// read and checked once in a test program, however many tests use it.
///
/// ```
/// use lookalike::fixture;
///
/// #[derive(serde::Deserialize)]
/// #[serde(rename_all = "PascalCase")]
/// struct Finding {
///     region: String,
/// }
///
/// let frame = fixture!("rulesets/trusted-advisor/underutilized-ebs-volumes.yaml", table = "findings", rows = 50);
/// assert_eq!(frame.height(), 50);
/// let findings: Vec<Finding> =
///     fixture!("rulesets/trusted-advisor/underutilized-ebs-volumes.yaml", table = "findings", rows = 50, typed);
/// assert!(findings.iter().all(|finding| finding.region.contains('-')));
/// ```
///
/// # Panics
/// With every diagnostic if the ruleset cannot be used, and with row and column if a value does not fit the type.
#[macro_export]
macro_rules! fixture {
    ($path:expr, table = $table:expr $(, rows = $rows:expr)? $(,)?) => {
        $crate::fixture::frame(env!("CARGO_MANIFEST_DIR"), $path, $table, None$(.or(Some($rows)))?)
    };
    ($path:expr, table = $table:expr $(, rows = $rows:expr)?, typed $(,)?) => {
        $crate::fixture::typed(env!("CARGO_MANIFEST_DIR"), $path, $table, None$(.or(Some($rows)))?)
    };
}

/// A ruleset that was read, or why it could not be.
type Read = Arc<Result<Ruleset, Error>>;

/// The rulesets that tests of this program have read.
static READ: LazyLock<Mutex<BTreeMap<PathBuf, Read>>> = LazyLock::new(Mutex::default);

fn read(path: PathBuf) -> Read {
    // A test that panicked while it held the lock has left the map as it was.
    let mut read = READ.lock().unwrap_or_else(PoisonError::into_inner);
    let ruleset = read.entry(path).or_insert_with_key(|path| Arc::new(Ruleset::from_path(path)));
    ruleset.clone()
}

/// Says what is wrong, and where the test asked for it.
#[track_caller]
fn fail(path: &Path, error: &Error) -> ! {
    panic!("the fixture {} cannot be made\n{error}", path.display())
}

/// Does what [`fixture!`](crate::fixture!) says, for a frame.
///
/// # Panics
/// As the macro.
#[doc(hidden)]
#[track_caller]
pub fn frame(folder: &str, path: &str, table: &str, rows: Option<u64>) -> DataFrame {
    let path = Path::new(folder).join(path);
    let made = match &*read(path.clone()) {
        Ok(ruleset) => ruleset.table(table).and_then(|table| {
            let rows = rows.unwrap_or(table.len());
            table.rows(0..rows).collect()
        }),
        Err(error) => fail(&path, error),
    };
    made.unwrap_or_else(|error| fail(&path, &error))
}

/// Does what [`fixture!`](crate::fixture!) says, for values of a type.
///
/// # Panics
/// As the macro.
#[doc(hidden)]
#[track_caller]
pub fn typed<T: DeserializeOwned>(folder: &str, path: &str, table: &str, rows: Option<u64>) -> Vec<T> {
    let path = Path::new(folder).join(path);
    let made = match &*read(path.clone()) {
        Ok(ruleset) => ruleset.table(table).and_then(|table| {
            let rows = rows.unwrap_or(table.len());
            table.rows(0..rows).typed().collect()
        }),
        Err(error) => fail(&path, error),
    };
    made.unwrap_or_else(|error| fail(&path, &error))
}

#[cfg(test)]
mod tests {
    use super::*;

    const EBS: &str = "rulesets/trusted-advisor/underutilized-ebs-volumes.yaml";

    #[test]
    fn a_ruleset_is_read_once() {
        let path = || Path::new(env!("CARGO_MANIFEST_DIR")).join(EBS);
        assert!(Arc::ptr_eq(&read(path()), &read(path())));
        assert_eq!(fixture!(EBS, table = "findings").height(), 1000);
        assert_eq!(fixture!(EBS, table = "findings", rows = 3).height(), 3);
    }

    #[test]
    fn what_is_wrong_is_said() {
        let said = |body: fn()| {
            let panic = std::panic::catch_unwind(body).unwrap_err();
            panic.downcast_ref::<String>().unwrap().clone()
        };
        let text = said(|| drop(fixture!("rulesets/none.yaml", table = "findings")));
        assert!(text.contains("none.yaml cannot be made") && text.contains("cannot-read"), "{text}");
        let text = said(|| drop(fixture!(EBS, table = "volumes")));
        assert!(text.contains("no table `volumes`; it has `findings`"), "{text}");
        let text =
            said(|| drop::<Vec<BTreeMap<String, i64>>>(fixture!(EBS, table = "findings", rows = 1, typed)));
        assert!(text.contains("row 0, column `Region`"), "{text}");
    }
}
