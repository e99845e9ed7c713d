//! What a fit leaves for programs: `NAME.manifest.json` beside the ruleset.

use std::path::Path;

use serde::Serialize;
use sha2::{Digest, Sha256};

use super::{Args, Places, file_name};
use crate::Error;
use crate::io::Pending;
use crate::privacy::Statement;
use crate::privacy::fit::{self, Schema};

/// What a fit made, from what and how. Nothing in it is computed from the rows but what was released; of the private table it
/// holds neither size nor digest.
#[derive(Debug, Serialize)]
pub(super) struct Manifest {
    lookalike: &'static str,
    manifest: u32,
    table: String,
    schema: SchemaEntry,
    method: MethodEntry,
    exact: bool,
    /// The noisy number of rows.
    rows: u64,
    /// The marginals that the model was found from, in order.
    measured: Vec<MeasuredEntry>,
    privacy: Statement,
    /// The same in words, as Markdown.
    statement: String,
    /// The ledger's name; it also holds other runs of the same name.
    ledger: String,
    files: Vec<FileEntry>,
    for_release: Vec<String>,
    not_for_release: Vec<String>,
}

/// The public schema.
#[derive(Debug, Serialize)]
pub(super) struct SchemaEntry {
    file: String,
    sha256: String,
}

impl SchemaEntry {
    pub(super) fn new(path: &Path, bytes: &[u8]) -> SchemaEntry {
        let sha256 = Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        SchemaEntry { file: file_name(path), sha256 }
    }
}

#[derive(Debug, Serialize)]
struct MethodEntry {
    name: &'static str,
    /// The sets of columns that mattered.
    #[serde(skip_serializing_if = "Option::is_none")]
    workload: Option<Vec<Vec<String>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_cells: Option<usize>,
}

/// A marginal and the noise that was put on it.
#[derive(Debug, Serialize)]
struct MeasuredEntry {
    columns: Vec<String>,
    cells: usize,
    std_dev: f64,
    /// A bound on the expected sum of the errors of all cells, in rows.
    expected_error: f64,
}

#[derive(Debug, Serialize)]
struct FileEntry {
    file: String,
    holds: &'static str,
    bytes: u64,
    sha256: String,
}

/// A file that is about to appear, with its name relative to the manifest.
pub(super) struct Made {
    pub(super) name: String,
    pub(super) holds: &'static str,
    pub(super) pending: Pending,
}

/// What is said beside the model itself.
pub(super) struct About<'a> {
    pub(super) schema: &'a Schema,
    pub(super) read_from: SchemaEntry,
    pub(super) places: &'a Places,
    pub(super) leaves: [Vec<String>; 2],
}

impl Manifest {
    pub(super) fn new(
        args: &Args,
        about: About<'_>,
        method: &fit::Method,
        outcome: &fit::Outcome,
        privacy: Statement,
        files: &[Made],
    ) -> Manifest {
        let names: Vec<&str> = about.schema.modelled().map(|column| column.name.as_str()).collect();
        let named =
            |set: &[usize]| -> Vec<String> { set.iter().map(|column| names[*column].to_owned()).collect() };
        let method = match method {
            fit::Method::Mst => MethodEntry { name: "mst", workload: None, max_cells: None },
            fit::Method::Aim { workload, max_cells } => MethodEntry {
                name: "aim",
                workload: Some(workload.iter().map(|set| named(set)).collect()),
                max_cells: Some(*max_cells),
            },
        };
        let measured = outcome.fitted.measured.iter().map(|measured| MeasuredEntry {
            columns: named(&measured.set),
            cells: measured.cells,
            std_dev: measured.sigma,
            expected_error: measured.expected_error(),
        });
        let entry = |made: &Made| {
            let written = made.pending.written();
            let (bytes, sha256) = (written.bytes, written.sha256.clone());
            FileEntry { file: made.name.clone(), holds: made.holds, bytes, sha256 }
        };
        let [for_release, not_for_release] = about.leaves;
        Manifest {
            lookalike: env!("CARGO_PKG_VERSION"),
            manifest: 1,
            table: about.schema.table.clone(),
            schema: about.read_from,
            method,
            exact: args.exact,
            rows: outcome.rows(),
            measured: measured.collect(),
            statement: privacy.to_markdown(),
            privacy,
            ledger: file_name(&about.places.ledger),
            files: files.iter().map(entry).collect(),
            for_release,
            not_for_release,
        }
    }

    pub(super) fn text(&self) -> Result<String, Error> {
        let text = serde_json::to_string_pretty(self).map_err(|e| Error::Request(e.to_string()))?;
        Ok(text + "\n")
    }
}
