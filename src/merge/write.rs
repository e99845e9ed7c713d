//! Merged tables as files, and what a merge says of itself.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use lookalike_engine::merge::{Merged, Taken};
use lookalike_engine::run::{UNIT_ROWS, in_order};
use lookalike_io::{Encoder, Output, Pending, Sink, SinkKind};
use polars::prelude::DataFrame;
use serde::Serialize;

use super::{InputSpec, MergedTables};
use crate::Error;
use crate::pipeline::{self, ColumnEntry, Destination, FileEntry, Job, Progress, Timing};

impl MergedTables {
    /// Makes all rows and writes them, with a manifest; what `job` says of rulesets does not count. Files appear under their
    /// names only when all of them are complete.
    ///
    /// # Errors
    /// When rows cannot be read or written, or `stop` was set.
    pub fn write(&self, job: &Job, progress: &dyn Progress, stop: &AtomicBool) -> Result<Manifest, Error> {
        let started = Instant::now();
        if job.formats.is_empty() {
            return Err(Error::Request("no format was asked for".into()));
        }
        if job.destination == Destination::Stdout && (self.tables.len() > 1 || job.formats.len() > 1) {
            return Err(Error::Request("standard output takes one table in one format".to_owned()));
        }
        if let Destination::Folder(folder) = &job.destination {
            std::fs::create_dir_all(folder)
                .map_err(|source| lookalike_io::Error::Write { path: Some(folder.clone()), source })?;
        }
        let (mut entries, mut finished) = (Vec::new(), Vec::new());
        for ((name, table), digests) in self.tables.iter().zip(&self.digests) {
            progress.begin(name, table.rows());
            let pending = write_table(name, table, job, progress, stop)?;
            progress.end();
            entries.push(self.entry(name, table, digests, job, &pending));
            finished.extend(pending);
        }
        let bytes: u64 = finished.iter().map(|pending: &Pending| pending.written().bytes).sum();
        let rows: u64 = self.tables.iter().map(|(_, table)| table.rows()).sum();
        let seconds = started.elapsed().as_secs_f64();
        let manifest = Manifest {
            lookalike: env!("CARGO_PKG_VERSION"),
            manifest: 1,
            merge: self.merge.name.clone(),
            seed: self.merge.seed,
            order: if self.merge.interleaved { "interleaved" } else { "in_order" },
            tables: entries,
            timing: Timing {
                seconds: pipeline::round_to(seconds, 4),
                rows_per_second: (rows as f64 / seconds).round(),
                bytes_per_second: (bytes as f64 / seconds).round(),
                threads: job.threads,
            },
        };
        pipeline::publish(finished, &manifest, &job.destination)?;
        Ok(manifest)
    }

    fn entry(
        &self,
        name: &str,
        table: &Merged<Error>,
        digests: &[String],
        job: &Job,
        pending: &[Pending],
    ) -> TableEntry {
        let at = self.merge.tables.iter().position(|spec| spec.name == name).unwrap_or_default();
        let spec = &self.merge.tables[at];
        let input = |((input, taken), sha256): ((&InputSpec, Taken), &String)| InputEntry {
            input: input.name.clone(),
            place: input.places[at].to_string(),
            sha256: sha256.clone(),
            input_rows: taken.of,
            rows: taken.rows,
            share: pipeline::round_to(taken.rows as f64 / table.rows().max(1) as f64, 6),
            orphans: (!spec.parents.is_empty()).then_some(taken.orphans),
        };
        let column = |field: &lookalike_ruleset::Field| ColumnEntry {
            name: field.name.clone(),
            r#type: field.ty.to_string(),
            nullable: field.nullable,
            unique: spec.key.as_deref() == Some(&field.name),
            about: field.about.clone(),
        };
        let file = |(kind, pending): (&SinkKind, &Pending)| {
            let written = pending.written();
            let name = written.path.as_deref().and_then(Path::file_name);
            FileEntry {
                file: name.map_or_else(|| "-".into(), |name| name.to_string_lossy().into()),
                holds: "rows",
                format: kind.name,
                bytes: written.bytes,
                sha256: written.sha256.clone(),
            }
        };
        TableEntry {
            name: name.to_owned(),
            rows: table.rows(),
            parents: spec.parents.iter().map(|(parent, _)| parent.clone()).collect(),
            stratified_by: spec.stratify.clone(),
            with_replacement: spec.replace,
            inputs: self.merge.inputs.iter().zip(table.taken()).zip(digests).map(input).collect(),
            columns: table.schema().fields.iter().map(column).collect(),
            files: job.formats.iter().zip(pending).map(file).collect(),
        }
    }
}

/// Makes and encodes in parallel, writes in order.
fn write_table(
    name: &str,
    table: &Merged<Error>,
    job: &Job,
    progress: &dyn Progress,
    stop: &AtomicBool,
) -> Result<Vec<Pending>, Error> {
    let open = |kind: &SinkKind| -> Result<Box<dyn Sink>, Error> {
        let output = match &job.destination {
            Destination::Folder(folder) => Output::file(folder.join(format!("{name}.{}", kind.extension)))?,
            Destination::Stdout => Output::stdout(),
        };
        Ok((kind.open)(table.schema(), output, &job.options)?)
    };
    let mut sinks = job.formats.iter().map(open).collect::<Result<Vec<_>, _>>()?;
    let encoders: Vec<Arc<dyn Encoder>> = sinks.iter().map(|sink| sink.encoder()).collect();
    let units = table.rows().div_ceil(UNIT_ROWS);
    let work = |unit: u64| -> Result<_, Error> {
        let (start, end) = (unit * UNIT_ROWS, ((unit + 1) * UNIT_ROWS).min(table.rows()));
        let mut whole: Option<DataFrame> = None;
        for start in (start..end).step_by(job.block_rows.max(1)) {
            let frame = table.frame(start..end.min(start + job.block_rows.max(1) as u64))?;
            match &mut whole {
                None => whole = Some(frame),
                Some(whole) => {
                    whole.vstack_mut(&frame).map_err(|e| lookalike_engine::Error::Internal(e.to_string()))?;
                }
            }
        }
        let whole = whole.unwrap_or_default();
        let parts = encoders.iter().map(|encoder| encoder.encode(&whole)).collect::<Result<Vec<_>, _>>()?;
        Ok((end - start, parts))
    };
    in_order(units, job.threads, stop, work, |(rows, parts)| {
        for (sink, part) in sinks.iter_mut().zip(parts) {
            sink.write(part)?;
        }
        progress.advance(rows);
        Ok(())
    })?;
    if stop.load(Ordering::Relaxed) {
        return Err(Error::Interrupted);
    }
    Ok(sinks.into_iter().map(|sink| sink.finish()).collect::<Result<_, _>>()?)
}

/// What a merge made, and where its rows came from. Written as `manifest.json` beside the files.
#[derive(Clone, Debug, Serialize)]
pub struct Manifest {
    /// Version of the program.
    pub lookalike: &'static str,
    /// Version of this file's form.
    pub manifest: u32,
    /// Name of the merge.
    pub merge: String,
    /// Seed in use.
    pub seed: u64,
    /// How the inputs lie: `interleaved` or `in_order`.
    pub order: &'static str,
    /// The tables.
    pub tables: Vec<TableEntry>,
    /// How long it took. The only part that differs from run to run.
    pub timing: Timing,
}

/// A table of a [`Manifest`].
#[derive(Clone, Debug, Serialize)]
pub struct TableEntry {
    /// Name.
    pub name: String,
    /// Rows.
    pub rows: u64,
    /// The tables whose rows it follows.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub parents: Vec<String>,
    /// Columns whose values keep their shares.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub stratified_by: Vec<String>,
    /// Whether rows were drawn with replacement.
    pub with_replacement: bool,
    /// Where the rows come from.
    pub inputs: Vec<InputEntry>,
    /// The columns, in order.
    pub columns: Vec<ColumnEntry>,
    /// The files.
    pub files: Vec<FileEntry>,
}

/// An input of a [`TableEntry`].
#[derive(Clone, Debug, Serialize)]
pub struct InputEntry {
    /// Name.
    pub input: String,
    /// File, or ruleset and table.
    pub place: String,
    /// SHA-256 of the file, or over the ruleset's texts, lookups and parameters.
    pub sha256: String,
    /// Rows that the input has.
    pub input_rows: u64,
    /// Rows that come from it.
    pub rows: u64,
    /// Their share of the table.
    pub share: f64,
    /// Rows that were left out because the input lacks a parent for them; absent where no parent is followed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub orphans: Option<u64>,
}
