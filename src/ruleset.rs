//! Rulesets and their tables, for library users.

mod loader;
mod table;

use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use lookalike_core::Rows;
use lookalike_engine::Kind;
use lookalike_engine::plan::{Overrides, Plan, TablePlan, compile};
use lookalike_engine::run::BLOCK_ROWS;
use lookalike_engine::wanted::{Ask, Wanted};
use lookalike_ruleset::document::{Document, Loaded, Param};
use lookalike_ruleset::read::Format;
use lookalike_ruleset::texts::Texts;
use lookalike_ruleset::{Diagnostic, Problems, Severity, Sources, render};
use sha2::{Digest, Sha256};

use crate::Error;
use crate::parts::PartFile;
#[cfg(feature = "pipeline")]
use crate::protect::Protected;

pub use loader::Loader;
pub use table::Table;

/// A checked ruleset: everything that can be wrong with it has been found, and any row of its tables can be made.
pub struct Ruleset {
    plan: Plan,
    loaded: Loaded,
    kinds: Vec<&'static [Kind]>,
    overrides: Overrides,
    digest: String,
    warnings: Vec<Diagnostic>,
    sources: Sources,
    #[cfg(feature = "pipeline")]
    protected: Vec<Protected>,
    parts: Vec<PartFile>,
}

impl Ruleset {
    /// Reads and checks the ruleset in a file: YAML, TOML or JSON by its extension.
    ///
    /// ```
    /// use lookalike::{Error, Ruleset};
    ///
    /// let ruleset = Ruleset::from_path("rulesets/tutorial/shop.yaml")?;
    /// assert_eq!(ruleset.tables().map(|table| table.name()).collect::<Vec<_>>(), ["customers", "orders", "items"]);
    /// # Ok::<(), Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Refused`] with every diagnostic when the ruleset cannot be used.
    pub fn from_path(path: impl AsRef<Path>) -> Result<Ruleset, Error> {
        Loader::new().path(path)
    }

    /// Reads and checks a ruleset given as YAML. It can name no other files.
    ///
    /// ```
    /// let text = "{lookalike: 1, tables: {orders: {columns: {state: {choise: [open, paid]}}}}}";
    /// let error = lookalike::Ruleset::from_str(text).err().expect("a mistake");
    /// assert!(error.to_string().contains("did you mean `choice`?"));
    /// ```
    ///
    /// # Errors
    /// [`Error::Refused`] with every diagnostic when the ruleset cannot be used.
    #[expect(
        clippy::should_implement_trait,
        reason = "a ruleset is compiled, not merely parsed; the name goes with `from_path`"
    )]
    pub fn from_str(yaml: &str) -> Result<Ruleset, Error> {
        Loader::new().text(yaml, Format::Yaml)
    }

    /// A loader, to change seed, rows, params and more.
    pub fn loader() -> Loader {
        Loader::new()
    }

    /// The table called `name`.
    ///
    /// ```
    /// let ruleset = lookalike::Ruleset::from_path("rulesets/tutorial/shop.yaml")?;
    /// let columns = ruleset.table("customers")?.schema().fields;
    /// assert_eq!((columns[0].name.as_str(), columns[0].ty.to_string().as_str()), ("id", "int"));
    /// let error = ruleset.table("clients").err().expect("no such table");
    /// assert_eq!(error.to_string(), "the ruleset has no table `clients`; it has `customers`, `orders`, `items`");
    /// # Ok::<(), lookalike::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::UnknownTable`], naming the tables that there are.
    pub fn table(&self, name: &str) -> Result<Table<'_>, Error> {
        let plan = self.plan.table(name).ok_or_else(|| Error::UnknownTable {
            table: name.to_owned(),
            known: self.plan.tables.iter().map(|t| t.name.clone()).collect(),
        })?;
        Ok(self.whole(plan))
    }

    /// All tables, in the order of the ruleset.
    pub fn tables(&self) -> impl Iterator<Item = Table<'_>> {
        self.plan.tables.iter().map(|plan| self.whole(plan))
    }

    fn whole<'a>(&'a self, plan: &'a TablePlan) -> Table<'a> {
        #[cfg(feature = "pipeline")]
        let is_protected = self.protected(&plan.name).is_some();
        // Without, a ruleset that protects anything is refused.
        #[cfg(not(feature = "pipeline"))]
        let is_protected = false;
        Table { plan, rows: 0..plan.rows, is_protected }
    }

    /// The ruleset's name.
    pub fn name(&self) -> &str {
        &self.plan.name
    }

    /// The seed in use.
    pub fn seed(&self) -> u64 {
        self.plan.seed
    }

    /// The clock in microseconds since 1970-01-01T00:00:00Z, if the ruleset has one.
    pub fn clock(&self) -> Option<i64> {
        self.plan.clock
    }

    /// The sections of the ruleset as written.
    pub fn document(&self) -> &Document {
        &self.loaded.document
    }

    /// The texts by language models, with those that are kept.
    pub fn texts(&self) -> &[Arc<Texts>] {
        &self.loaded.texts
    }

    /// The texts by language models that these rows need and that no file keeps, each once.
    ///
    /// # Errors
    /// When rows beyond a table's end are asked for, or a row cannot be made.
    pub fn missing_texts(&self, rows: &[(String, Range<u64>)]) -> Result<Vec<Ask>, Error> {
        if self.loaded.texts.is_empty() {
            return Ok(Vec::new());
        }
        let wanted = Arc::new(Wanted::new());
        let overrides = Overrides { wanted: Some(wanted.clone()), ..self.overrides.clone() };
        let plan = compile(&self.loaded, &self.kinds, &overrides, &mut Problems::new());
        // Making the plan may have made rows, too.
        wanted.clear();
        for (table, rows) in rows {
            let plan =
                plan.as_ref().and_then(|plan| plan.table(table)).ok_or_else(|| Error::UnknownTable {
                    table: table.clone(),
                    known: self.plan.tables.iter().map(|t| t.name.clone()).collect(),
                })?;
            walk(plan, rows.clone())?;
        }
        Ok(wanted.asks())
    }

    /// The parameters with their values.
    pub fn params(&self) -> &[Param] {
        &self.loaded.params
    }

    /// SHA-256 over the ruleset, its includes, lookups and files of rows and the values of its parameters, in hexadecimal.
    /// Together with the seed and the version it stands for the output.
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// What is worth a look although the ruleset can be used.
    pub fn warnings(&self) -> &[Diagnostic] {
        &self.warnings
    }

    /// The texts that the ruleset was read from, which the warnings point into.
    pub fn sources(&self) -> &Sources {
        &self.sources
    }

    /// How a table's columns are protected, where they are.
    #[cfg(feature = "pipeline")]
    pub(crate) fn protected(&self, table: &str) -> Option<&Protected> {
        self.protected.iter().find(|protected| protected.table == table)
    }

    /// The files whose rows are parts of tables.
    #[cfg(feature = "pipeline")]
    pub(crate) fn parts(&self) -> &[PartFile] {
        &self.parts
    }

    pub(crate) fn plan(&self) -> &Plan {
        &self.plan
    }

    /// The same ruleset with another seed and other numbers of rows; none where it cannot be had with those. Another seed makes
    /// other prompts, and what texts those lack is listed in `wanted`.
    #[cfg(feature = "validate")]
    pub(crate) fn twin(&self, seed: u64, rows: &[(String, u64)], wanted: &Arc<Wanted>) -> Option<Plan> {
        let wanted = (!self.loaded.texts.is_empty()).then(|| wanted.clone());
        let mut overrides = Overrides { seed: Some(seed), wanted, ..self.overrides.clone() };
        overrides.table_rows.extend(rows.iter().cloned());
        compile(&self.loaded, &self.kinds, &overrides, &mut Problems::new())
    }

    /// Whether quotas of anomalies may be missed where too few rows can take one.
    #[cfg(feature = "validate")]
    pub(crate) fn is_lenient(&self) -> bool {
        self.overrides.lenient
    }
}

/// Makes rows in blocks, and lets go of them.
fn walk(plan: &TablePlan, rows: Range<u64>) -> Result<(), Error> {
    let mut start = rows.start;
    while start < rows.end {
        let end = start.saturating_add(BLOCK_ROWS as u64).min(rows.end);
        plan.frame(&Rows::Range(start..end))?;
        start = end;
    }
    Ok(())
}

/// Hashes what decides a ruleset's output, seed and version aside. Names of files are left out, so that a ruleset may move.
fn digest(sources: &Sources, loaded: &Loaded, parts: &[PartFile]) -> String {
    let mut hasher = Sha256::new();
    let mut part = |tag: &str, text: &str| {
        hasher.update((tag.len() as u64).to_le_bytes());
        hasher.update(tag);
        hasher.update((text.len() as u64).to_le_bytes());
        hasher.update(text);
    };
    for source in sources.iter() {
        part("text", &source.text);
    }
    for lookup in &loaded.lookups {
        part("lookup", &lookup.name);
        for line in std::iter::once(&lookup.header).chain(&lookup.lines) {
            line.iter().for_each(|field| part("field", field));
        }
    }
    for texts in &loaded.texts {
        part("texts", &texts.name);
        for (address, kept) in &texts.kept {
            part("address", &address.to_string());
            part("text", &kept.text);
        }
    }
    for param in &loaded.params {
        part("param", &param.name);
        part("value", &param.value.describe());
    }
    let is_protected = |table: &str| loaded.document.privacy.names().any(|name| name == table);
    for file in parts {
        part("table", &file.table);
        part("part", &file.part);
        // The digest is told, and guesses at private rows could be held against it.
        part("rows", file.entry.sha256.as_deref().filter(|_| !is_protected(&file.table)).unwrap_or_default());
    }
    hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Why a ruleset was refused: every diagnostic, and the texts they point into.
#[derive(Clone, Debug)]
pub struct Refusal {
    /// All diagnostics, at least one of them an error.
    pub diagnostics: Vec<Diagnostic>,
    /// The texts.
    pub sources: Sources,
}

impl Refusal {
    /// How many of the diagnostics are errors.
    pub fn errors(&self) -> usize {
        self.diagnostics.iter().filter(|d| d.severity == Severity::Error).count()
    }
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(render::to_text(&self.diagnostics, &self.sources, false).trim_end())
    }
}
