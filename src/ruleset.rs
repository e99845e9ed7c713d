//! Rulesets and their tables, for library users.

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use lookalike_core::Rows;
use lookalike_engine::plan::{Overrides, Plan, TablePlan, compile};
use lookalike_engine::run::BLOCK_ROWS;
use lookalike_engine::wanted::{Ask, Wanted};
use lookalike_engine::{Given, GivenTable, KINDS, Kind};
use lookalike_io::files::{DiskFiles, read_file};
use lookalike_ruleset::diagnostic::did_you_mean;
use lookalike_ruleset::document::{Document, Files, Loaded, NoFiles, Param, load};
use lookalike_ruleset::read::{Format, text_of};
use lookalike_ruleset::texts::Texts;
use lookalike_ruleset::{Diagnostic, Problems, Severity, Sources, TableSchema, render};
use polars::prelude::DataFrame;
use sha2::{Digest, Sha256};

use crate::Error;
use crate::parts::{self, PartFile};
#[cfg(feature = "pipeline")]
use crate::protect::{self, Protected};
use crate::texts;

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
    /// # Errors
    /// [`Error::Refused`] with every diagnostic when the ruleset cannot be used.
    pub fn from_path(path: impl AsRef<Path>) -> Result<Ruleset, Error> {
        Loader::new().path(path)
    }

    /// Reads and checks a ruleset given as YAML. It can name no other files.
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

    #[cfg(feature = "validate")]
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

/// Reads rulesets, with changes.
///
/// ```
/// use lookalike::Ruleset;
/// use lookalike::language::read::Format;
///
/// let text = "
/// lookalike: 1
/// params:
///   dearest: {type: float, default: 9}
/// tables:
///   orders:
///     rows: 1m
///     columns:
///       price: {uniform: [1, {param: dearest}]}
/// ";
/// let ruleset = Ruleset::loader().seed(7).rows(100).param("dearest", "2").text(text, Format::Yaml)?;
/// let prices = ruleset.table("orders")?.collect()?;
/// assert!(prices.column("price")?.f64()?.iter().flatten().all(|price| price < 2.0));
/// assert_eq!((ruleset.seed(), prices.height()), (7, 100));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Loader {
    overrides: Overrides,
    params: Vec<(String, String)>,
    allowed: Vec<PathBuf>,
    kinds: Vec<&'static [Kind]>,
    given: Vec<(Option<String>, GivenRows)>,
}

/// Rows that are given; a wrapper, since they cannot be shown.
#[derive(Clone)]
struct GivenRows(Arc<dyn Given>);

impl std::fmt::Debug for GivenRows {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("GivenRows")
    }
}

impl Loader {
    /// A loader that changes nothing.
    pub fn new() -> Loader {
        Loader::default()
    }

    /// Uses another seed than the ruleset's.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Loader {
        self.overrides.seed = Some(seed);
        self
    }

    /// Gives every table this many rows, but for those whose rows follow from a parent's.
    #[must_use]
    pub fn rows(mut self, rows: u64) -> Loader {
        self.overrides.rows = Some(rows);
        self
    }

    /// Gives one table this many rows.
    #[must_use]
    pub fn table_rows(mut self, table: impl Into<String>, rows: u64) -> Loader {
        self.overrides.table_rows.push((table.into(), rows));
        self
    }

    /// Multiplies every table's rows by `factor`, rounded, as its `scaling` says.
    #[must_use]
    pub fn scale(mut self, factor: f64) -> Loader {
        self.overrides.scale = Some(factor);
        self
    }

    /// Where not enough rows can take an anomaly, takes those that there are, with a warning, instead of refusing.
    #[must_use]
    pub fn lenient(mut self, lenient: bool) -> Loader {
        self.overrides.lenient = lenient;
        self
    }

    /// Uses a profile of the ruleset; what is set here goes before it.
    #[must_use]
    pub fn profile(mut self, name: impl Into<String>) -> Loader {
        self.overrides.profile = Some(name.into());
        self
    }

    /// Sets a parameter; the value is written as in the ruleset.
    #[must_use]
    pub fn param(mut self, name: impl Into<String>, value: impl Into<String>) -> Loader {
        self.params.push((name.into(), value.into()));
        self
    }

    /// Lists texts by language models that are missing, instead of refusing: for finding out what to ask. The rows of such a
    /// ruleset are good for nothing else.
    #[must_use]
    pub fn wanted(mut self, wanted: Arc<Wanted>) -> Loader {
        self.overrides.wanted = Some(wanted);
        self
    }

    /// Lets the ruleset read files under this folder, too.
    #[must_use]
    pub fn allow_path(mut self, path: impl Into<PathBuf>) -> Loader {
        self.allowed.push(path.into());
        self
    }

    /// Gives a table its rows instead of having them made: the one called `table`, else the only one with anomalies, or the
    /// one of them that is called as the rows are. See [`Data::rows`](crate::data::Data::rows) and
    /// [`rows_of`](crate::data::rows_of).
    ///
    /// Its columns are those of the rows. Of the ruleset, its `draws` and `anomalies` count, and the rules of its `columns`
    /// where an anomaly makes them again (`recompute`); tables that are not given are left out.
    #[must_use]
    pub fn given(mut self, table: Option<&str>, rows: Arc<dyn Given>) -> Loader {
        self.given.push((table.map(str::to_owned), GivenRows(rows)));
        self
    }

    /// Adds kinds of generator to those that come with the library. They are used and checked like these; a program of yours
    /// lists and explains them, too, with [`program`](crate::program):
    ///
    /// ```
    /// use lookalike::core::Stream;
    /// use lookalike::core::stream::below;
    /// use lookalike::engine::build::Builder;
    /// use lookalike::engine::generator::Group;
    /// use lookalike::engine::{Block, Failure, Generator, Kind, Output, Rule, Site, array};
    /// use lookalike::language::decode::Count;
    /// use lookalike::language::{Span, Type, params};
    /// use lookalike::polars::prelude::Series;
    /// use lookalike::{Error, Ruleset};
    ///
    /// params! {
    ///     /// The sum of some dice.
    ///     struct Dice {
    ///         /// How many dice.
    ///         count: Count = Count(2),
    ///         /// Sides of each.
    ///         sides: Count = Count(6),
    ///     }
    /// }
    ///
    /// struct Rolls {
    ///     dice: Dice,
    ///     stream: Option<Stream>,
    /// }
    ///
    /// impl Generator for Rolls {
    ///     fn prepare(&mut self, site: &mut Site<'_>) -> Option<Output> {
    ///         self.stream = Some(site.seed.stream());
    ///         Some(Output::of(Type::Int))
    ///     }
    ///     fn fill(&self, block: &Block<'_>) -> Result<Series, Failure> {
    ///         let stream = self.stream.expect("set in prepare").with_attempt(block.attempt);
    ///         let roll = |row, die| 1 + below(stream.word(row, die), self.dice.sides.0) as i64;
    ///         let sum = |row| (0..self.dice.count.0 as u32).map(|die| roll(row, die)).sum();
    ///         Ok(array::ints(block.rows.iter().map(sum).collect()))
    ///     }
    /// }
    ///
    /// impl Rule for Dice {
    ///     fn build(self, _: Span, _: &mut Builder<'_>) -> Option<Box<dyn Generator>> {
    ///         Some(Box::new(Rolls { dice: self, stream: None }))
    ///     }
    /// }
    ///
    /// static KINDS: &[Kind] = &[Kind {
    ///     name: "dice",
    ///     group: Group::Numbers,
    ///     summary: "The sum of some dice.",
    ///     details: "Each die is even, and independent of the others.",
    ///     example: "{dice: {count: 2}}",
    ///     ..Kind::of::<Dice>()
    /// }];
    ///
    /// let text = "{lookalike: 1, tables: {rolls: {columns: {sum: {dice: {count: 3}, null: 10%}}}}}";
    /// let ruleset = Ruleset::loader().kinds(KINDS).text(text, lookalike::language::read::Format::Yaml)?;
    /// let sums = ruleset.table("rolls")?.collect()?;
    /// assert!(sums.column("sum").unwrap().i64().unwrap().iter().flatten().all(|sum| (3..=18).contains(&sum)));
    /// # Ok::<(), Error>(())
    /// ```
    #[must_use]
    pub fn kinds(mut self, kinds: &'static [Kind]) -> Loader {
        self.kinds.push(kinds);
        self
    }

    /// Reads and checks the ruleset in a file.
    ///
    /// # Errors
    /// [`Error::Refused`] with every diagnostic when the ruleset cannot be used.
    pub fn path(self, path: impl AsRef<Path>) -> Result<Ruleset, Error> {
        let path = path.as_ref();
        let name = path.display().to_string();
        let refuse = |diagnostic: Diagnostic| {
            Error::Refused(Box::new(Refusal { diagnostics: vec![diagnostic], sources: Sources::new() }))
        };
        let Some(format) = Format::of_path(&name) else {
            return Err(refuse(
                Diagnostic::error("cannot-read", None, format!("`{name}` is not a ruleset"))
                    .help("rulesets end in .yaml, .yml, .toml or .json"),
            ));
        };
        let bytes =
            read_file(path).map_err(|p| refuse(Diagnostic::error(p.code, None, p.message).help(p.help)))?;
        let text = text_of(bytes, &name).map_err(|diagnostic| refuse(*diagnostic))?;
        let files = DiskFiles::for_ruleset(path, &self.allowed);
        self.load(name, text, format, &files)
    }

    /// Reads and checks a ruleset given as text.
    ///
    /// # Errors
    /// [`Error::Refused`] with every diagnostic when the ruleset cannot be used.
    pub fn text(self, text: &str, format: Format) -> Result<Ruleset, Error> {
        self.load("<text>".to_owned(), text.to_owned(), format, &NoFiles)
    }

    /// Reads and checks a ruleset given as text, under a name for its diagnostics, with includes and lookups from `files`.
    ///
    /// # Errors
    /// [`Error::Refused`] with every diagnostic when the ruleset cannot be used.
    pub fn text_with(
        self,
        name: impl Into<String>,
        text: &str,
        format: Format,
        files: &dyn Files,
    ) -> Result<Ruleset, Error> {
        self.load(name.into(), text.to_owned(), format, files)
    }

    fn load(self, name: String, text: String, format: Format, files: &dyn Files) -> Result<Ruleset, Error> {
        let mut sources = Sources::new();
        let file = sources.add(name, text);
        let mut problems = Problems::new();
        let mut kinds: Vec<&'static [Kind]> = vec![KINDS];
        kinds.extend(&self.kinds);
        let from = sources.get(file).name.clone();
        let loaded = load(&mut sources, file, format, files, &self.params, &mut problems);
        let mut kept = self.overrides;
        let compiled = loaded.and_then(|mut loaded| {
            let given = give(&self.given, &mut loaded, &mut problems)?;
            let (parts, rows) = parts::open(&loaded, &from, files, &mut problems)?;
            kept.parts = rows;
            texts::check(&mut loaded, kept.wanted.as_ref(), &mut problems);
            let overrides = Overrides { given, ..kept.clone() };
            let plan = compile(&loaded, &kinds, &overrides, &mut problems)?;
            #[cfg(feature = "pipeline")]
            let protected = protect::resolve(&loaded.document, &plan, &mut problems);
            #[cfg(not(feature = "pipeline"))]
            let protected = refuse_protection(&loaded.document, &mut problems);
            Some((loaded, plan, protected, parts))
        });
        let has_errors = problems.has_errors();
        let diagnostics = problems.into_sorted();
        match compiled {
            #[cfg_attr(not(feature = "pipeline"), expect(unused_variables, reason = "nothing is protected"))]
            Some((loaded, plan, protected, parts)) if !has_errors => {
                let digest = digest(&sources, &loaded, &parts);
                Ok(Ruleset {
                    plan,
                    loaded,
                    kinds,
                    overrides: kept,
                    digest,
                    warnings: diagnostics,
                    sources,
                    #[cfg(feature = "pipeline")]
                    protected,
                    parts,
                })
            }
            _ => Err(Error::Refused(Box::new(Refusal { diagnostics, sources }))),
        }
    }
}

/// Without the cargo feature `pipeline` nothing is there that could protect columns, so a ruleset that asks for it is refused.
#[cfg(not(feature = "pipeline"))]
fn refuse_protection(document: &Document, problems: &mut Problems) {
    for table in &document.privacy.0 {
        let message = format!("this program cannot protect the columns of table `{}`", table.name);
        problems.push(
            Diagnostic::error("bad-privacy", table.name_span, message)
                .help("build it with the cargo feature `pipeline` of lookalike, or take out `privacy`"),
        );
    }
}

/// Finds the tables that rows are given for, and drops what those are not made by.
fn give(
    given: &[(Option<String>, GivenRows)],
    loaded: &mut Loaded,
    problems: &mut Problems,
) -> Option<Vec<GivenTable>> {
    let mut found = Vec::new();
    let protected: Vec<String> = loaded.document.privacy.names().map(str::to_owned).collect();
    let tables = &mut loaded.document.tables.0;
    for (name, GivenRows(rows)) in given {
        let spoilt: Vec<&str> = tables
            .iter()
            .filter(|table| table.value.anomalies.is_some() || protected.contains(&table.name))
            .map(|table| table.name.as_str())
            .collect();
        let own = rows.schema().table.as_str();
        let table = match (name, spoilt.as_slice()) {
            (Some(name), _) if spoilt.contains(&name.as_str()) => name.clone(),
            (Some(name), _) => {
                let help = did_you_mean(name, "tables", spoilt.iter().copied());
                let message = format!("the ruleset has no table `{name}` with anomalies or `privacy`");
                problems.push(Diagnostic::error("unknown-table", None, message).help(help));
                return None;
            }
            (None, [only]) => (*only).to_owned(),
            (None, several) if several.contains(&own) => own.to_owned(),
            (None, []) => {
                let message = "no table of the ruleset has anomalies, or `privacy`, to put into the data";
                let help = "add a table: `tables: {data: {anomalies: {rate: 1%, kinds: {gone: {missing: [column]}}}}}`";
                problems.push(Diagnostic::error("missing-key", Some(loaded.span), message).help(help));
                return None;
            }
            (None, several) => {
                let message = format!("several tables have anomalies or `privacy`: {}", several.join(", "));
                let help = "say which of them the data is, with `--table`";
                problems.push(Diagnostic::error("unknown-table", None, message).help(help));
                return None;
            }
        };
        found.push(GivenTable { table, rows: rows.clone() });
    }
    if !found.is_empty() {
        let is_found = |name: &str| found.iter().any(|given| given.table == name);
        tables.retain(|table| is_found(&table.name));
        loaded.document.privacy.0.retain(|table| is_found(&table.name));
        for table in tables {
            table.value.belongs_to.0.clear();
            table.value.unique.clear();
            table.value.require.clear();
            table.value.correlate.clear();
            table.value.subsets = None;
        }
    }
    Some(found)
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

/// A table of a ruleset, or a range of its rows.
#[derive(Clone)]
pub struct Table<'a> {
    plan: &'a TablePlan,
    rows: Range<u64>,
    is_protected: bool,
}

impl<'a> Table<'a> {
    /// The table's name.
    pub fn name(&self) -> &'a str {
        &self.plan.name
    }

    /// Names and types of the columns.
    pub fn schema(&self) -> TableSchema {
        self.plan.schema()
    }

    /// How many rows are asked for: all of the table's, unless [`rows`](Self::rows) said otherwise.
    pub fn len(&self) -> u64 {
        self.rows.end - self.rows.start
    }

    /// Whether no rows are asked for.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Only these rows. They are the same rows that the whole table has there, and cost no more than their number.
    ///
    /// ```
    /// let text = "{lookalike: 1, tables: {orders: {rows: 10m, columns: {price: {uniform: [1, 9]}}}}}";
    /// let ruleset = lookalike::Ruleset::from_str(text)?;
    /// let orders = ruleset.table("orders")?;
    /// let ten = orders.clone().rows(9_999_990..10_000_000).collect()?;
    /// assert!(orders.rows(9_999_995..10_000_000).collect()?.equals(&ten.tail(Some(5))));
    /// # Ok::<(), lookalike::Error>(())
    /// ```
    #[must_use]
    pub fn rows(mut self, rows: Range<u64>) -> Table<'a> {
        self.rows = rows.start..rows.end.max(rows.start);
        self
    }

    /// Whether the ruleset's `privacy` asks for noise on its columns. [`generate`](crate::pipeline::generate) puts it on while it
    /// writes, into a ledger as well; what a table gives by itself is without it.
    pub fn is_protected(&self) -> bool {
        self.is_protected
    }

    /// Makes the rows as one polars `DataFrame`.
    ///
    /// Of a table that [is protected](Self::is_protected) these are the rows *before* the noise, and not for release: noise comes
    /// from the operating system, and each draw of it is a release that belongs into a ledger. The same goes for all below.
    ///
    /// Text columns with few known values are polars Enums; the others are what their type says.
    ///
    /// # Errors
    /// When rows beyond the table's end are asked for, or a row cannot be made.
    pub fn collect(&self) -> Result<DataFrame, Error> {
        Ok(self.plan.frame(&Rows::Range(self.rows.clone()))?)
    }

    /// Makes the rows in blocks, and lets go of them: for finding out what texts they lack.
    #[cfg(feature = "bedrock")]
    pub(crate) fn walk(&self) -> Result<(), Error> {
        walk(self.plan, self.rows.clone())
    }

    /// Makes the rows without their anomalies.
    ///
    /// # Errors
    /// As [`collect`](Self::collect).
    pub fn clean(&self) -> Result<DataFrame, Error> {
        Ok(self.plan.clean(&Rows::Range(self.rows.clone()))?)
    }

    /// The cells that anomalies changed in these rows, a row for each: see [`crate::marks::schema`].
    ///
    /// ```
    /// let ruleset = lookalike::Ruleset::from_str("
    /// lookalike: 1
    /// tables:
    ///   readings:
    ///     columns:
    ///       load: {uniform: [1, 9]}
    ///     anomalies: {rate: 1%, kinds: {thousandfold: {unit_error: {column: load, factor: 1000}}}}
    /// ")?;
    /// let readings = ruleset.table("readings")?;
    /// assert_eq!(readings.marks()?.height(), 10);
    /// assert!(!readings.collect()?.equals(&readings.clean()?));
    /// # Ok::<(), lookalike::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`collect`](Self::collect).
    pub fn marks(&self) -> Result<DataFrame, Error> {
        crate::marks::frame(self.plan, &self.plan.spoilt(&Rows::Range(self.rows.clone()))?)
    }

    /// Makes some columns only, in the order given; nothing is computed but these and what they follow from.
    ///
    /// ```
    /// let text = "{lookalike: 1, tables: {orders: {columns: {id: {sequence: {start: 1}}, price: {uniform: [1, 9]}}}}}";
    /// let prices = lookalike::Ruleset::from_str(text)?.table("orders")?.select(&["price"])?;
    /// assert_eq!(prices.width(), 1);
    /// # Ok::<(), lookalike::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`collect`](Self::collect), and when a name is not a column.
    pub fn select(&self, columns: &[&str]) -> Result<DataFrame, Error> {
        Ok(self.plan.select(&Rows::Range(self.rows.clone()), columns)?)
    }

    /// Makes the rows as values of a type of yours, one after the other; memory does not grow with the table.
    ///
    /// Fields are found by the names of columns. A null is `None`; text with few values can be an enum; a decimal is a
    /// number, or text such as `12.50`; dates, stamps and lengths of time are text as CSV has it, which the types of jiff
    /// and chrono read, or a number of days (dates) or microseconds.
    ///
    /// ```
    /// #[derive(serde::Deserialize)]
    /// struct Order {
    ///     id: u64,
    ///     state: State,
    ///     coupon: Option<String>,
    /// }
    ///
    /// #[derive(serde::Deserialize, PartialEq)]
    /// #[serde(rename_all = "lowercase")]
    /// enum State {
    ///     Open,
    ///     Paid,
    /// }
    ///
    /// let ruleset = lookalike::Ruleset::from_str("
    /// lookalike: 1
    /// tables:
    ///   orders:
    ///     columns:
    ///       id: {sequence: {start: 1}}
    ///       state: {choice: {open: 20%, paid: 80%}}
    ///       coupon: {pattern: 'SAVE-[1-9]0', null: 60%}
    /// ")?;
    /// let orders = ruleset.table("orders")?.rows(0..100).typed::<Order>().collect::<Result<Vec<_>, _>>()?;
    /// assert_eq!(orders[99].id, 100);
    /// assert!(orders.iter().any(|order| order.state == State::Open && order.coupon.is_none()));
    /// # Ok::<(), lookalike::Error>(())
    /// ```
    ///
    /// # Errors
    /// Each item may be one: [`Error::Typed`] names row and column of a value that does not fit; else as
    /// [`collect`](Self::collect), after which the iterator ends.
    pub fn typed<T: serde::de::DeserializeOwned>(&self) -> crate::TypedRows<'a, T> {
        crate::TypedRows::new(self.clone(), self.rows.clone())
    }

    /// Makes the rows in blocks of `block_rows`, one after the other, so that memory does not grow with the table.
    ///
    /// ```
    /// let text = "{lookalike: 1, tables: {orders: {rows: 2500, columns: {id: {sequence: {start: 1}}}}}}";
    /// let ruleset = lookalike::Ruleset::from_str(text)?;
    /// let mut heights = Vec::new();
    /// for block in ruleset.table("orders")?.batches(1000) {
    ///     heights.push(block?.height());
    /// }
    /// assert_eq!(heights, [1000, 1000, 500]);
    /// # Ok::<(), lookalike::Error>(())
    /// ```
    pub fn batches(&self, block_rows: usize) -> impl Iterator<Item = Result<DataFrame, Error>> + 'a {
        let (plan, rows, step) = (self.plan, self.rows.clone(), block_rows.max(1));
        (rows.start..rows.end).step_by(step).map(move |start| {
            let end = start.saturating_add(step as u64).min(rows.end);
            Ok(plan.frame(&Rows::Range(start..end))?)
        })
    }

    /// Makes the rows in blocks, as a [`Stream`](futures_core::Stream) for asynchronous programs, on any runtime.
    ///
    /// A thread of its own makes the blocks, at most two ahead of the reader, so that neither memory nor work runs away. It
    /// begins with the first poll. Dropping the stream ends it after the block that it is at.
    ///
    /// ```
    /// # async fn send(_: lookalike::polars::prelude::DataFrame) {}
    /// async fn serve(ruleset: lookalike::Ruleset) -> Result<(), lookalike::Error> {
    ///     let mut blocks = ruleset.table("orders")?.stream(1000);
    ///     while let Some(block) = blocks.next().await {
    ///         send(block?).await;
    ///     }
    ///     Ok(())
    /// }
    /// ```
    ///
    /// `examples/stream.rs` runs it.
    ///
    /// # Errors
    /// An item may be one, as of [`collect`](Self::collect); nothing comes after it.
    pub fn stream(&self, block_rows: usize) -> crate::RowStream {
        crate::RowStream::new(self.plan, self.rows.clone(), block_rows)
    }

    /// The rows as a query of polars' lazy engine, which makes only the columns and rows that are asked for: columns that are
    /// not selected, and rows before and after a `slice`, `limit` or `tail`, cost nothing. Conditions are about what is made.
    ///
    /// While the query lives it holds four bytes for each row of the table, and no more for each column.
    ///
    /// ```
    /// use lookalike::polars::prelude::{col, lit};
    ///
    /// let text = "{lookalike: 1, tables: {orders: {rows: 10m, columns: {
    ///     id: {sequence: {start: 1}}, price: {uniform: [1, 9]}, note: {lorem: {words: [5, 20]}}}}}}";
    /// let ruleset = lookalike::Ruleset::from_str(text)?;
    /// let orders = ruleset.table("orders")?.lazy()?;
    /// let ten = orders.clone().select([col("id"), col("price")]).slice(5_000_000, 10).collect()?;
    /// assert_eq!(ten.column("id")?.i64()?.get(0), Some(5_000_001));
    /// let dear = orders.limit(1000).filter(col("price").gt(lit(8.0))).collect()?;
    /// assert!((80..170).contains(&dear.height()));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// When rows beyond the table's end are asked for, or more than polars can number (2^32 - 2). What goes wrong while rows
    /// are made is an error of the query.
    #[cfg(feature = "lazy")]
    pub fn lazy(&self) -> Result<polars::prelude::LazyFrame, Error> {
        crate::lazy::frame(self.plan, self.rows.clone())
    }
}
