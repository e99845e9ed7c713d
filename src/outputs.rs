//! The files of a run: what each is to hold of its tables, and those that hold all tables and stay open in between.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use lookalike_core::declared::Constraints;
use lookalike_engine::TablePlan;
use lookalike_io::{Holds, Output, Pending, Piece, Sink, SinkKind, SinkOptions};
use lookalike_ruleset::TableSchema;

use crate::pipeline::{Destination, Job, Slice, View};
use crate::{Error, Ruleset};

/// The tables of a run, in the order in which they are written, with their rows.
pub(crate) type Chosen<'a> = Vec<(&'a TablePlan, Range<u64>)>;

/// What the files of a run have in common.
pub(crate) struct Outputs<'a> {
    ruleset: &'a Ruleset,
    job: &'a Job,
    /// Of each table, what holds for its rows; nothing where no format says it.
    constraints: BTreeMap<&'a str, Constraints>,
    /// The files that hold all tables and have one already.
    open: Vec<(View, &'static str, Box<dyn Sink>)>,
}

impl<'a> Outputs<'a> {
    /// Gets ready, and puts parents before their children if a file is to hold them all.
    ///
    /// # Errors
    /// When parts are asked for that could not be joined.
    pub fn new(ruleset: &'a Ruleset, tables: &mut Chosen<'a>, job: &'a Job) -> Result<Outputs<'a>, Error> {
        if matches!(job.slice, Slice::Shard(..)) && job.formats.iter().any(|kind| kind.name == "json") {
            // Between marks stand commas, and no part knows whether one before it has any.
            if let Some((plan, _)) = tables.iter().find(|(plan, _)| plan.has_anomalies()) {
                return Err(Error::Request(format!(
                    "the anomalies of `{}` cannot be written as parts of a JSON array; use `jsonl`",
                    plan.name
                )));
            }
        }
        if job.split.is_some() {
            check_split(job)?;
        }
        let mut constraints = BTreeMap::new();
        if job.formats.iter().any(|kind| kind.holds == Holds::Run) {
            for (plan, _) in &*tables {
                constraints.insert(plan.name.as_str(), plan.constraints(false));
            }
            parents_first(tables, &constraints);
            // Noise keeps no promise, so nobody can refer to what it is put on.
            let open = |name: &str| ruleset.protected(name).is_none();
            let known: BTreeSet<&str> = constraints.keys().copied().filter(|name| open(name)).collect();
            let partial = matches!(job.slice, Slice::Range(..));
            for (name, constraints) in &mut constraints {
                if !open(name) {
                    *constraints = Constraints::default();
                }
                constraints.foreign.retain(|foreign| !partial && known.contains(foreign.parent.as_str()));
            }
        }
        Ok(Outputs { ruleset, job, constraints, open: Vec::new() })
    }

    /// What the sinks are told of a view of a table, of which these rows are written.
    pub fn options(&self, plan: &TablePlan, view: View, rows: &Range<u64>) -> SinkOptions {
        let mut options = self.job.options.clone();
        options.piece = match self.job.slice {
            Slice::All | Slice::Range(..) => Piece::default(),
            Slice::Shard(part, parts) => {
                Piece { first: part == 1, after_rows: rows.start > 0, last: part == parts }
            }
        };
        let known = || self.constraints.get(plan.name.as_str()).cloned().unwrap_or_default();
        options.constraints = match view {
            View::Rows => known(),
            // The rows without anomalies stand alone: only some tables have any.
            View::Clean if self.constraints.is_empty() => Constraints::default(),
            View::Clean => Constraints { foreign: Vec::new(), ..plan.constraints(true) },
            View::Anomalies => Constraints::default(),
        };
        options
    }

    /// Whether a format's files hold all tables.
    pub fn is_shared(kind: &SinkKind) -> bool {
        kind.holds == Holds::Run
    }

    /// Name of a file with all tables.
    pub fn shared_name(&self, view: View, kind: &SinkKind) -> String {
        format!("{}{}{}.{}", self.ruleset.name(), view.tag(), self.job.slice.file_tag(), kind.extension)
    }

    /// Goes on with the file that holds all tables, if it is open already.
    pub fn go_on(
        &mut self,
        view: View,
        kind: &SinkKind,
        schema: &TableSchema,
        options: &SinkOptions,
    ) -> Option<Result<Box<dyn Sink>, Error>> {
        let at = self.open.iter().position(|(of, format, _)| *of == view && *format == kind.name)?;
        let (_, _, sink) = self.open.remove(at);
        Some(sink.next_table(schema, options).map_err(Error::from))
    }

    /// Keeps a file open for further tables.
    pub fn keep(&mut self, view: View, kind: &SinkKind, sink: Box<dyn Sink>) {
        self.open.push((view, kind.name, sink));
    }

    /// Ends the files that hold all tables.
    ///
    /// # Errors
    /// What was left to write could not be written, or does not hold together.
    pub fn finish(mut self) -> Result<Vec<(View, &'static str, Pending)>, Error> {
        let finish =
            |(view, format, sink): (View, &'static str, Box<dyn Sink>)| Ok((view, format, sink.finish()?));
        // Whichever table came first with anomalies.
        self.open.sort_by_key(|(view, ..)| *view);
        self.open.into_iter().map(finish).collect()
    }
}

/// Refuses files by row where they cannot be.
fn check_split(job: &Job) -> Result<(), Error> {
    let kind = job.split.as_ref().map(|template| template.kind().name);
    if !job.formats.iter().map(|format| Some(format.name)).eq([kind]) {
        return Err(Error::Request(
            "files that are named after rows are of one format, that of their names".into(),
        ));
    }
    if job.destination == Destination::Stdout {
        return Err(Error::Request("standard output takes no files that are named after rows".into()));
    }
    if job.slice != Slice::All && kind != Some("json") {
        return Err(Error::Request(
            "a part of the rows would replace the files of another part; let the names end in .json, a file for each row"
                .into(),
        ));
    }
    Ok(())
}

/// The name of a view of a table inside a file that holds several.
pub(crate) fn named(mut schema: TableSchema, view: View) -> TableSchema {
    schema.table.push_str(&view.tag().replace('.', "_"));
    schema
}

/// Where a sink of a run writes.
pub(crate) fn output(job: &Job, name: &str) -> Result<Output, Error> {
    Ok(match &job.destination {
        Destination::Folder(folder) => Output::file(folder.join(name))?,
        Destination::Stdout => Output::stdout(),
    })
}

/// Sorts tables so that parents come before their children; in a circle, the one named first comes first.
fn parents_first(tables: &mut Chosen<'_>, constraints: &BTreeMap<&str, Constraints>) {
    let mut sorted: Chosen<'_> = Vec::new();
    while !tables.is_empty() {
        let waits = |(plan, _): &(&TablePlan, Range<u64>)| {
            let parents = constraints.get(plan.name.as_str()).map(|all| &all.foreign);
            parents.into_iter().flatten().any(|foreign| {
                foreign.parent != plan.name && tables.iter().any(|(other, _)| other.name == foreign.parent)
            })
        };
        let next = tables.iter().position(|table| !waits(table)).unwrap_or(0);
        sorted.push(tables.remove(next));
    }
    *tables = sorted;
}
