//! Does it give somebody away? The data beside the private rows that it was made from.
//!
//! Each figure is held against what people who are *not* in the data would show: rows of a holdout table, which the makers of
//! the data have not seen, or, where there is none, each row of the reference beside the others. A synthetic row may be as
//! near to a real one as real ones are to each other; it may not be nearer.
//!
//! What is found here compares with private rows, so no check is for release.
//!
//! Work is bounded: identical rows and copied values are found by hashes of all rows ([`Census`]), sorted on disk. The closest records of at most [`Options::queries`] rows
//! of each side are searched for in an index of all rows of the reference, as long as it holds no more than
//! [`Options::cells`] values; otherwise in an index of as many rows as that allows, drawn evenly, and a note says so.

mod closest;
mod copied_values;
mod disclosure;
mod identical;
mod index;
mod new_rows;
mod space;

use std::collections::{BTreeMap, BTreeSet};

use lookalike_core::Seed;

use crate::model::{Check, Metric};
use crate::reference::{self, Census, Copies, Outcome, Role, Sought, Table, Tolerance, check, roles};
use crate::text::grouped;

use space::Space;

/// How leakage is assessed.
#[derive(Clone, Debug)]
pub struct Options {
    /// Keys, roles of columns, seed, false alarms and margin, as for the comparison.
    pub compare: reference::Options,
    /// Rows of each side, at most, whose closest records are searched for.
    pub queries: usize,
    /// Values of a table, at most, that are held in memory (8 bytes each).
    pub cells: usize,
    /// What an attacker knows of a person; if empty, the first three columns that are compared, but for the sensitive one.
    pub known: Vec<String>,
    /// Columns whose values stand in the ruleset or in files that it reads: that real rows have them, too, says nothing.
    pub listed: BTreeSet<String>,
    /// What an attacker wants to know; if empty, each column of categories in turn, ten at most.
    pub sensitive: Vec<String>,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            compare: reference::Options::default(),
            queries: 2_000,
            cells: 20_000_000,
            known: Vec::new(),
            listed: BTreeSet::new(),
            sensitive: Vec::new(),
        }
    }
}

/// What an assessment found.
#[derive(Clone, Debug, Default)]
pub struct Assessment {
    /// The checks.
    pub checks: Vec<Check>,
    /// What was sampled or assumed, in full sentences.
    pub notes: Vec<String>,
}

/// Every metric of leakage, in the order of the manual.
pub static METRICS: &[&Metric] = &[
    &identical::METRIC,
    &copied_values::METRIC,
    &closest::DISTANCE,
    &closest::RATIO,
    &closest::HOLDOUT_SHARE,
    &closest::OVERFITTING,
    &new_rows::METRIC,
    &disclosure::CAP,
    &disclosure::ZERO_CAP,
    &disclosure::GENERALISED_CAP,
];

/// Assesses what a synthetic table gives away of the reference that it was made from. `holdout` has rows of the same truth that
/// the makers of the data have not seen.
///
/// Whatever cannot be computed is a check that is skipped, whose message says why.
pub fn assess(
    real: &Table<'_>,
    synthetic: &Table<'_>,
    holdout: Option<&Table<'_>>,
    options: &Options,
) -> Assessment {
    let looked = Looked::of(real, synthetic, holdout, options);
    let count = |table: &Table<'_>| looked.sought.look(table.frame, 0);
    match [Some(real), Some(synthetic), holdout].map(|table| table.map(count).transpose()) {
        [Ok(real_rows), Ok(rows), Ok(held_rows)] => {
            assess_counted(real, synthetic, holdout, options, [real_rows, rows, held_rows])
        }
        [Err(error), ..] | [_, Err(error), _] | [.., Err(error)] => {
            Assessment { checks: Vec::new(), notes: vec![format!("Leakage is not assessed: {error}.")] }
        }
    }
}

/// What is looked for in all rows to assess leakage: the columns that rows are compared by, names and texts, and the key.
pub fn sought(
    real: &Table<'_>,
    synthetic: &Table<'_>,
    holdout: Option<&Table<'_>>,
    options: &Options,
) -> Sought {
    Looked::of(real, synthetic, holdout, options).sought
}

/// The columns that are looked at.
struct Looked {
    roles: BTreeMap<String, Role>,
    sought: Sought,
    /// Columns of names and texts that are not looked at, since their values stand in the ruleset.
    listed: Vec<String>,
}

impl Looked {
    fn of(real: &Table<'_>, synthetic: &Table<'_>, holdout: Option<&Table<'_>>, options: &Options) -> Looked {
        let roles = roles(real, &options.compare);
        let shared = reference::shared(real, synthetic, &roles).columns;
        let held = |name: &String| holdout.is_none_or(|holdout| holdout.series(name).is_some());
        let rows = shared.iter().filter(|(name, role)| held(name) && *role != Role::Id).cloned().collect();
        let is_text = |name: &String| real.ty(name) == Some(lookalike_ruleset::Type::Text);
        let texts = shared.iter().filter(|(name, role)| *role == Role::Id && is_text(name));
        let (listed, values) =
            texts.map(|(name, _)| name.clone()).partition(|name| options.listed.contains(name));
        Looked { roles, sought: Sought { rows, values, key: options.compare.key.clone() }, listed }
    }
}

/// As [`assess`], where the tables may be samples, and all rows of reference, synthetic table and holdout have been looked through
/// for what [`sought`] names.
pub fn assess_counted(
    real: &Table<'_>,
    synthetic: &Table<'_>,
    holdout: Option<&Table<'_>>,
    options: &Options,
    mut counted: [Option<Census>; 3],
) -> Assessment {
    let mut out = Assessment::default();
    let table = synthetic.schema.table.as_str();
    let Looked { roles, sought: Sought { rows: columns, values: texts, .. }, listed } =
        Looked::of(real, synthetic, holdout, options);
    let is_listed = |name: &String| options.listed.contains(name);
    let mut targets = disclosure::targets(&columns, options);
    targets.retain(|target| !is_listed(&target.sensitive) || !target.known.iter().all(is_listed));
    let planned = 5 + texts.len() + 3 * targets.len();
    let context = Context {
        tables: [Some(real), Some(synthetic), holdout],
        tolerance: Tolerance {
            alpha: options.compare.false_alarm / planned as f64,
            margin: options.compare.margin,
        },
        columns: &columns,
        roles: &roles,
        options,
        seed: Seed::new(options.compare.seed).derive("leakage"),
    };
    let reason = if columns.is_empty() {
        Some("there is no column whose values can be compared")
    } else if real.rows() < 3 || holdout.is_some_and(|holdout| holdout.rows() < 3) {
        Some("it takes three rows of the reference, and of a holdout, to say what is near")
    } else if synthetic.rows() == 0 {
        Some("the synthetic table has no rows")
    } else if columns.iter().all(|(name, _)| is_listed(name)) {
        Some("all columns that are compared have values that stand in the ruleset or in files that it reads")
    } else {
        None
    };
    if !listed.is_empty() {
        out.notes.push(format!(
            "Values of {} stand in the ruleset or in files that it reads, or are numbers of rows: that the reference has them, too, is \
             no leak, and is not looked for.",
            names(&listed)
        ));
    }
    let mut add = |metric: &'static Metric, columns: &[&str], outcome: Outcome| {
        out.checks.push(check(metric, table, columns, outcome));
    };
    for (at, text) in texts.iter().enumerate() {
        let copies = Copies::of_values(&mut counted, at);
        add(&copied_values::METRIC, &[text], copied_values::measure(&context, copies));
    }
    if let Some(reason) = reason {
        for metric in [&identical::METRIC, &closest::DISTANCE, &closest::RATIO, &new_rows::METRIC] {
            add(metric, &[], Err(reason.to_owned()));
        }
        return out;
    }
    add(&identical::METRIC, &[], identical::measure(&context, Copies::of_rows(&mut counted)));
    for target in &targets {
        let columns: Vec<&str> = std::iter::once(target.sensitive.as_str())
            .chain(target.known.iter().map(String::as_str))
            .collect();
        for (metric, outcome) in disclosure::measure(&context, target) {
            add(metric, &columns, outcome);
        }
    }
    let spaces = Space::of(&context);
    for (metric, outcome) in closest::measure(&context, &spaces) {
        add(metric, &[], outcome);
    }
    add(&new_rows::METRIC, &[], new_rows::measure(&context, &spaces));
    for (name, space) in ["reference", "synthetic table", "holdout"].iter().zip(&spaces) {
        let Some(space) = space else { continue };
        if space.rows < space.all_rows {
            out.notes.push(format!(
                "Of the {} rows of the {name}, {} are held to search for closest records, drawn evenly.",
                grouped(space.all_rows as u64),
                grouped(space.rows as u64)
            ));
        }
    }
    let most = options.queries;
    if real.rows().max(synthetic.rows()) > most {
        out.notes.push(format!(
            "Closest records are searched for {} rows of each table, drawn evenly.",
            grouped(most as u64)
        ));
    }
    if holdout.is_none() {
        out.notes.push(
            "There is no holdout, so closeness is held against that of the reference's rows to each other."
                .to_owned(),
        );
    }
    if options.sensitive.is_empty() && !targets.is_empty() {
        out.notes.push(format!(
            "No sensitive columns are named, so {} columns of categories are taken for sensitive in turn.",
            targets.len()
        ));
    }
    out
}

/// Names of columns as a part of a sentence.
fn names(columns: &[String]) -> String {
    columns.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

/// What the metrics look at.
pub(crate) struct Context<'a> {
    /// Reference, synthetic table, holdout.
    pub tables: [Option<&'a Table<'a>>; 3],
    pub tolerance: Tolerance,
    /// Columns whose values are compared.
    pub columns: &'a [(String, Role)],
    pub roles: &'a BTreeMap<String, Role>,
    pub options: &'a Options,
    pub seed: Seed,
}
