//! From a ruleset's text to a plan, with what the user changes of it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use lookalike_engine::plan::{Overrides, compile};
use lookalike_engine::wanted::Wanted;
use lookalike_engine::{Given, GivenTable, KINDS, Kind};
use lookalike_io::files::{DiskFiles, read_file};
use lookalike_ruleset::diagnostic::did_you_mean;
#[cfg(not(feature = "pipeline"))]
use lookalike_ruleset::document::Document;
use lookalike_ruleset::document::{Files, Loaded, NoFiles, load};
use lookalike_ruleset::read::{Format, text_of};
use lookalike_ruleset::{Diagnostic, Problems, Sources};

use super::{Refusal, Ruleset, digest};
#[cfg(feature = "pipeline")]
use crate::protect;
use crate::{Error, parts, texts};

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
