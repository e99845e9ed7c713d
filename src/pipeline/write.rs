//! The rows of a table on their way into its files.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use lookalike_core::Rows;
use lookalike_engine::plan::TablePlan;
use lookalike_engine::run::{UNIT_ROWS, in_order};
use lookalike_io::sources::Text;
use lookalike_io::{Encoder, Output, Part, Pending, Sink, SinkKind};
use lookalike_ruleset::{Field, TableSchema};
use lookalike_validate::rules::Found;
use polars::prelude::DataFrame;

use super::{Destination, Job, Progress};
use crate::data::{self, Data};
use crate::outputs::{self, Outputs};
use crate::protect::Protected;
use crate::validation::{self, Examined};
use crate::{Error, marks};

/// What is written of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum View {
    /// The rows, with their anomalies.
    Rows,
    /// The cells that anomalies changed.
    Anomalies,
    /// The rows without anomalies.
    Clean,
}

impl View {
    /// What it is called in file names and in the manifest.
    pub(super) fn name(self) -> &'static str {
        match self {
            View::Rows => "rows",
            View::Anomalies => "anomalies",
            View::Clean => "clean",
        }
    }

    /// What a file name says of it.
    pub(crate) fn tag(self) -> String {
        if self == View::Rows { String::new() } else { format!(".{}", self.name()) }
    }

    fn schema(self, plan: &TablePlan) -> TableSchema {
        match self {
            View::Rows => plan.schema(),
            View::Anomalies => marks::schema(&plan.name),
            View::Clean => plan.clean_schema(),
        }
    }
}

/// Of a protected table only the rows are written: what anomalies changed, and rows without them, would show what the noise is
/// there to hide.
pub(super) fn views(plan: &TablePlan, protected: Option<&Protected>, job: &Job) -> Result<Vec<View>, Error> {
    let mut views = vec![View::Rows];
    if protected.is_some() {
        if job.clean && plan.has_anomalies() {
            return Err(Error::Request(format!(
                "table `{}` is protected by `privacy`, so it is not written without its anomalies; leave --clean out",
                plan.name
            )));
        }
        return Ok(views);
    }
    if plan.has_anomalies() && job.destination != Destination::Stdout {
        views.push(View::Anomalies);
        views.extend(job.clean.then_some(View::Clean));
    }
    Ok(views)
}

/// The text of the data, where it is to be kept in a view and a format.
fn kept_text<'a>(data: Option<&'a Data>, view: View, kind: &SinkKind) -> Option<&'a dyn Text> {
    data.filter(|_| view != View::Anomalies).and_then(|data| data.text_as(kind.name))
}

/// The columns that a view adds to the data's.
fn added(plan: &TablePlan, view: View) -> Vec<Field> {
    if view == View::Rows { data::added(plan, plan.clean_schema().fields.len()) } else { Vec::new() }
}

fn open_sinks(
    plan: &TablePlan,
    data: Option<&Data>,
    inputs: &[PathBuf],
    view: View,
    rows: &std::ops::Range<u64>,
    job: &Job,
    outputs: &mut Outputs<'_>,
) -> Result<Vec<Box<dyn Sink>>, Error> {
    let schema = view.schema(plan);
    let options = outputs.options(plan, view, rows);
    let open = |kind: &SinkKind| {
        if Outputs::is_shared(kind) {
            let schema = outputs::named(schema.clone(), view);
            if let Some(sink) = outputs.go_on(view, kind, &schema, &options) {
                return sink;
            }
            let output = outputs::output(job, &outputs.shared_name(view, kind))?;
            return Ok((kind.open)(&schema, output, &options)?);
        }
        if let (Some(template), View::Rows, Destination::Folder(folder)) =
            (&job.split, view, &job.destination)
        {
            return Ok(lookalike_io::split(template, &schema, folder.join(&plan.name), &options)?);
        }
        let output = match &job.destination {
            Destination::Folder(folder) => {
                let name = format!("{}{}{}.{}", plan.name, view.tag(), job.slice.file_tag(), kind.extension);
                let path = folder.join(name);
                if path.canonicalize().is_ok_and(|path| inputs.contains(&path)) {
                    let message = format!("{} would be replaced; write to another folder", path.display());
                    return Err(Error::Request(message));
                }
                Output::file(path)?
            }
            Destination::Stdout => Output::stdout(),
        };
        let Some(text) = kept_text(data, view, kind) else {
            return Ok((kind.open)(&schema, output, &options)?);
        };
        let mut raw = options.clone();
        raw.csv.header = false;
        let mut sink = (kind.open)(&schema, output, &raw)?;
        sink.write(Part::text(0, text.head(&added(plan, view))?))?;
        Ok(sink)
    };
    job.formats.iter().map(open).collect()
}

/// A unit of a table: its rows, and of each view a part for each format.
struct Unit {
    rows: u64,
    parts: Vec<Vec<Part>>,
    anomalies: BTreeMap<String, u64>,
    found: Option<Found>,
}

/// What encodes a view, by format.
type Encoders = Vec<Arc<dyn Encoder>>;

/// A table that is written.
pub(super) struct Written {
    /// The files of each view, by format; none for a file that holds all tables.
    pub pending: Vec<Vec<Option<Pending>>>,
    /// How often each anomaly happened.
    pub anomalies: BTreeMap<String, u64>,
    /// What the validation found.
    pub found: Option<Found>,
}

/// A table that is to be written, and what happens to its rows on the way.
pub(super) struct Writing<'a> {
    pub plan: &'a TablePlan,
    pub rows: std::ops::Range<u64>,
    pub views: &'a [View],
    /// Where rows are given: the file.
    pub data: Option<&'a Data>,
    /// The files that rows come from, which are not to be replaced.
    pub inputs: &'a [PathBuf],
    /// Who looks at them.
    pub examined: Option<&'a Examined>,
    /// What noise is put on them.
    pub protected: Option<&'a Protected>,
}

/// Generates, looks, protects and encodes in parallel, writes in order.
pub(super) fn write_table(
    writing: Writing<'_>,
    job: &Job,
    outputs: &mut Outputs<'_>,
    progress: &dyn Progress,
    stop: &AtomicBool,
) -> Result<Written, Error> {
    let Writing { plan, rows, views, data, inputs, examined, protected } = writing;
    // Protected rows never keep the text of the data.
    let data = data.filter(|_| protected.is_none());
    let mut sinks = Vec::new();
    for view in views {
        sinks.push(open_sinks(plan, data, inputs, *view, &rows, job, outputs)?);
    }
    let text = job.formats.iter().find_map(|kind| kept_text(data, View::Rows, kind));
    let encoders: Vec<Encoders> =
        sinks.iter().map(|sinks| sinks.iter().map(|sink| sink.encoder()).collect()).collect();
    // What else is made than what is written: kept text needs the marks, the validation the rows without anomalies.
    let mut made = views.to_vec();
    if text.is_some() && !made.contains(&View::Anomalies) {
        made.push(View::Anomalies);
    }
    let marks_at = made.iter().position(|view| *view == View::Anomalies);
    if examined.is_some() && plan.has_anomalies() && !made.contains(&View::Clean) {
        made.push(View::Clean);
    }
    let clean = made.iter().position(|view| *view == View::Clean).unwrap_or(0);
    // A table without rows has a unit without rows.
    let units = (rows.end - rows.start).div_ceil(UNIT_ROWS).max(u64::from(examined.is_some()));
    let work = |unit: u64| -> Result<Unit, Error> {
        let start = rows.start + unit * UNIT_ROWS;
        let end = (start + UNIT_ROWS).min(rows.end);
        let (mut frames, anomalies) = unit_frames(plan, start..end, &made, job.block_rows)?;
        let found = examined.map(|examined| examined.look(start, &frames[0], &frames[clean])).transpose()?;
        if let Some(protected) = protected {
            frames = frames.into_iter().map(|frame| protected.apply(frame)).collect::<Result<_, _>>()?;
        }
        let unit = match (text, marks_at) {
            (Some(text), Some(at)) => {
                let mut marks = frames[at].clone();
                let clean = views.contains(&View::Clean);
                let unit = data::unit_text(text, plan, start..end, &frames[0], &mut marks, clean)?;
                frames[at] = marks;
                Some(unit)
            }
            _ => None,
        };
        let encode = |((encoders, frame), view): ((&Encoders, &DataFrame), &View)| {
            let part = |(encoder, kind): (&Arc<dyn Encoder>, &SinkKind)| match unit
                .as_ref()
                .filter(|_| kept_text(data, *view, kind).is_some())
            {
                Some(unit) if *view == View::Rows => Ok(Part::text(end - start, unit.rows.clone())),
                Some(unit) => Ok(Part::text(end - start, unit.clean.clone())),
                None => encoder.encode(frame),
            };
            encoders.iter().zip(&job.formats).map(part).collect::<Result<Vec<_>, _>>()
        };
        let parts = match end - start {
            0 => Vec::new(),
            _ => encoders.iter().zip(&frames).zip(views).map(encode).collect::<Result<_, _>>()?,
        };
        Ok(Unit { rows: end - start, parts, anomalies, found })
    };
    let mut counts = BTreeMap::new();
    let mut found: Option<Found> = None;
    in_order(units, job.threads, stop, work, |unit| {
        for (sinks, parts) in sinks.iter_mut().zip(unit.parts) {
            for (sink, part) in sinks.iter_mut().zip(parts) {
                sink.write(part)?;
            }
        }
        for (anomaly, rows) in unit.anomalies {
            *counts.entry(anomaly).or_default() += rows;
        }
        match (&mut found, unit.found) {
            (Some(all), Some(part)) => validation::merge(all, part)?,
            (all, part) => *all = all.take().or(part),
        }
        progress.advance(unit.rows);
        Ok(())
    })?;
    if stop.load(Ordering::Relaxed) {
        return Err(Error::Interrupted);
    }
    for (sinks, view) in sinks.iter_mut().zip(views) {
        for (sink, kind) in sinks.iter_mut().zip(&job.formats) {
            if let Some(text) = kept_text(data, *view, kind) {
                sink.write(Part::text(0, text.tail()?))?;
            }
        }
    }
    let mut pending = Vec::new();
    for (sinks, view) in sinks.into_iter().zip(views) {
        let mut of_view = Vec::new();
        for (sink, kind) in sinks.into_iter().zip(&job.formats) {
            if Outputs::is_shared(kind) {
                outputs.keep(*view, kind, sink);
                of_view.push(None);
            } else {
                of_view.push(Some(sink.finish()?));
            }
        }
        pending.push(of_view);
    }
    Ok(Written { pending, anomalies: counts, found })
}

/// The rows of a unit in every view, generated a block at a time; and how many rows have each anomaly.
fn unit_frames(
    plan: &TablePlan,
    rows: std::ops::Range<u64>,
    views: &[View],
    block_rows: usize,
) -> Result<(Vec<DataFrame>, BTreeMap<String, u64>), Error> {
    let block_rows = block_rows.max(1) as u64;
    let mut start = rows.start;
    let mut whole: Vec<DataFrame> = Vec::new();
    let mut anomalies = BTreeMap::new();
    while start < rows.end || whole.is_empty() {
        let end = start.saturating_add(block_rows).min(rows.end);
        let block = Rows::Range(start..end);
        let frames = if plan.has_anomalies() {
            let spoilt = plan.spoilt(&block)?;
            marks::count(&spoilt, &mut anomalies);
            let frame = |view: &View| match view {
                View::Rows => Ok(spoilt.frame.clone()),
                View::Anomalies => marks::frame(plan, &spoilt),
                View::Clean => Ok(spoilt.clean.clone()),
            };
            views.iter().map(frame).collect::<Result<Vec<_>, Error>>()?
        } else {
            vec![plan.frame(&block)?]
        };
        if whole.is_empty() {
            whole = frames;
        } else {
            for (whole, frame) in whole.iter_mut().zip(&frames) {
                whole.vstack_mut(frame).map_err(|e| lookalike_engine::Error::Internal(e.to_string()))?;
            }
        }
        start = end;
    }
    Ok((whole, anomalies))
}
