//! `merge`: tables of files and rulesets brought together, in exact shares.
//!
//! ```no_run
//! use lookalike::merge::{Amount, Merge};
//!
//! let mut merge = Merge::of_one_table("findings", 42);
//! merge.add("prod.csv", Some(Amount::Share(0.9)))?;
//! merge.add("scenario.yaml#findings", Some(Amount::Share(0.1)))?;
//! merge.tables[0].rows = Some(1001);
//! let merged = merge.load()?;
//! println!("{}", merged.table("findings").unwrap().frame(0..10)?);
//! # Ok::<(), lookalike::Error>(())
//! ```

mod plan;
mod write;

use std::collections::BTreeMap;
use std::io::Read;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use lookalike_core::{Rows, Seed};
use lookalike_engine::TablePlan;
use lookalike_engine::merge::{Input, Merged, Parent, Part, Refused, Rule, by_shares, most_rows};
use lookalike_io::{Source, SourceOptions, sources};
use lookalike_ruleset::decode::Stamp;
use lookalike_ruleset::read::Format;
use lookalike_ruleset::subset::Align;
use lookalike_ruleset::{TableSchema, Type};
use polars::prelude::DataFrame;
use sha2::{Digest, Sha256};

use crate::{Error, Loader, Ruleset};

pub use write::{InputEntry, Manifest, TableEntry};

/// What is merged, and how.
#[derive(Clone, Debug)]
pub struct Merge {
    /// Name, for the output folder.
    pub name: String,
    /// Where all randomness comes from.
    pub seed: u64,
    /// Whether rows of the inputs lie mixed; else one input comes after the other.
    pub interleaved: bool,
    /// Name of a column that says which input a row comes from.
    pub provenance: Option<String>,
    /// The inputs.
    pub inputs: Vec<InputSpec>,
    /// The tables, of which every input has one each.
    pub tables: Vec<TableSpec>,
    /// Folders that rulesets among the inputs may read besides their own trees.
    pub allowed: Vec<PathBuf>,
}

/// An input.
#[derive(Clone, Debug)]
pub struct InputSpec {
    /// Name, as provenance and keys have it.
    pub name: String,
    /// How much of a table comes from it: everything, unless given.
    pub amount: Option<Amount>,
    /// How its times are moved.
    pub align: Option<Align>,
    /// Where each table is, in the order of the merge's tables.
    pub places: Vec<Place>,
}

/// How much comes from an input.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Amount {
    /// A share, from 0 to 1, of the rows that no input gives by number.
    Share(f64),
    /// A number of rows.
    Rows(u64),
}

/// Where the rows of a table are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// In a file.
    File(PathBuf),
    /// In a ruleset, under this name or as its only table.
    Ruleset(PathBuf, Option<String>),
}

impl Place {
    /// Reads `rows.csv`, `ruleset.yaml` or `ruleset.yaml#table`.
    pub fn of(text: &str) -> Place {
        let is_ruleset = |path: &str| Format::of_path(path).is_some();
        match text.rsplit_once('#') {
            Some((path, table)) if is_ruleset(path) => Place::Ruleset(path.into(), Some(table.to_owned())),
            _ if is_ruleset(text) => Place::Ruleset(text.into(), None),
            _ => Place::File(text.into()),
        }
    }

    fn path(&self) -> &Path {
        match self {
            Place::File(path) | Place::Ruleset(path, _) => path,
        }
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Place::File(path) | Place::Ruleset(path, None) => write!(f, "{}", path.display()),
            Place::Ruleset(path, Some(table)) => write!(f, "{}#{table}", path.display()),
        }
    }
}

/// A table of a merge.
#[derive(Clone, Debug, Default)]
pub struct TableSpec {
    /// Name.
    pub name: String,
    /// How many rows; unless given, all rows, or as many as the shares allow without taking one twice.
    pub rows: Option<u64>,
    /// The column that is numbered anew.
    pub key: Option<String>,
    /// The tables whose rows it follows, and for each the column with its key. A row comes as often as its first parent, if
    /// all its parents are taken.
    pub parents: Vec<(String, String)>,
    /// Columns whose values, combined, keep their shares in each input.
    pub stratify: Vec<String>,
    /// Whether rows are drawn with replacement.
    pub replace: bool,
    /// Types of columns, instead of those that are found in the files.
    pub types: Vec<(String, Type)>,
}

/// The rows of a file.
struct FileRows(Box<dyn Source>);

impl Input<Error> for FileRows {
    fn schema(&self) -> &TableSchema {
        self.0.schema()
    }
    fn rows(&self) -> u64 {
        self.0.rows()
    }
    fn columns(&self, rows: Range<u64>, wanted: &[usize]) -> Result<DataFrame, Error> {
        Ok(self.0.columns(rows, wanted)?)
    }
}

/// The rows of a ruleset's table.
struct RulesetRows(TablePlan, TableSchema);

impl RulesetRows {
    fn new(ruleset: &Ruleset, table: &str) -> Result<RulesetRows, Error> {
        let schema = ruleset.table(table)?.schema();
        let plan = ruleset.plan().table(table).cloned();
        let plan = plan.ok_or_else(|| Error::Request(format!("the ruleset has no table `{table}`")))?;
        Ok(RulesetRows(plan, schema))
    }
}

impl Input<Error> for RulesetRows {
    fn schema(&self) -> &TableSchema {
        &self.1
    }
    fn rows(&self) -> u64 {
        self.0.rows
    }
    fn columns(&self, rows: Range<u64>, wanted: &[usize]) -> Result<DataFrame, Error> {
        let names: Vec<&str> = wanted.iter().map(|at| self.1.fields[*at].name.as_str()).collect();
        Ok(self.0.select(&Rows::Range(rows), &names)?)
    }
}

/// An input of a table, opened.
struct Opened {
    rows: Arc<dyn Input<Error>>,
    /// Table of a ruleset.
    table: Option<String>,
    sha256: String,
}

/// Tables brought together, ready to make any of their rows.
pub struct MergedTables {
    merge: Merge,
    tables: Vec<(String, Merged<Error>)>,
    /// For each table and input, what the input's text is hashed to.
    digests: Vec<Vec<String>>,
}

impl Merge {
    /// A merge of one table, without inputs so far.
    pub fn of_one_table(table: impl Into<String>, seed: u64) -> Merge {
        let table = TableSpec { name: table.into(), ..TableSpec::default() };
        Merge {
            name: "merged".into(),
            seed,
            interleaved: true,
            provenance: None,
            inputs: Vec::new(),
            tables: vec![table],
            allowed: Vec::new(),
        }
    }

    /// Adds an input of a merge of one table: `rows.csv`, `ruleset.yaml` or `ruleset.yaml#table`.
    ///
    /// # Errors
    /// When it is there already.
    pub fn add(&mut self, place: &str, amount: Option<Amount>) -> Result<(), Error> {
        if self.inputs.iter().any(|input| input.name == place) {
            let message = format!("{place} is named twice; give it a larger share instead");
            return Err(Error::Request(message));
        }
        let (name, places) = (place.to_owned(), vec![Place::of(place)]);
        self.inputs.push(InputSpec { name, amount, align: None, places });
        Ok(())
    }

    /// Opens all inputs and finds out which of their rows are taken.
    ///
    /// # Errors
    /// When an input cannot be read, types do not go together, or what is asked for cannot be.
    pub fn load(self) -> Result<MergedTables, Error> {
        if self.inputs.is_empty() {
            return Err(Error::Request(
                "there is nothing to merge: name at least one file or ruleset".into(),
            ));
        }
        let order = self.order()?;
        let mut rulesets: BTreeMap<PathBuf, Ruleset> = BTreeMap::new();
        let mut opened = Vec::with_capacity(self.tables.len());
        for (at, table) in self.tables.iter().enumerate() {
            let open = |input: &InputSpec| self.open(&input.places[at], table, &mut rulesets);
            opened.push(self.inputs.iter().map(open).collect::<Result<Vec<Opened>, Error>>()?);
        }
        let mut wanted = Vec::with_capacity(self.tables.len());
        for (table, inputs) in self.tables.iter().zip(&opened) {
            let sizes: Vec<u64> = inputs.iter().map(|input| input.rows.rows()).collect();
            let own = table.parents.is_empty();
            wanted.push(if own { self.amounts(table, &sizes)? } else { vec![0; sizes.len()] });
        }
        self.grow(&mut opened, &wanted)?;
        let seed = Seed::new(self.seed).derive("merge");
        let mut tables: Vec<(String, Merged<Error>)> = Vec::with_capacity(order.len());
        for at in order {
            let table = &self.tables[at];
            let rule = Rule {
                table: table.name.clone(),
                names: self.inputs.iter().map(|input| input.name.clone()).collect(),
                seed: seed.derive(&table.name),
                interleaved: self.interleaved,
                replace: table.replace,
                stratify: table.stratify.clone(),
                key: table.key.clone(),
                provenance: self.provenance.clone(),
            };
            let part = |(number, input): (usize, &InputSpec)| {
                let opened = &opened[at][number];
                let align = input.align.as_ref().map(|align| self.align(align, opened, &input.name));
                let align = align.transpose()?.filter(|(align, _)| !align.columns.is_empty());
                Ok(Part {
                    name: input.places[at].to_string(),
                    input: Arc::clone(&opened.rows),
                    rows: wanted[at][number],
                    align,
                })
            };
            let parts = self.inputs.iter().enumerate().map(part).collect::<Result<Vec<_>, Error>>()?;
            let parents = table.parents.iter().filter_map(|(parent, column)| {
                let (_, table) = tables.iter().find(|(name, _)| name == parent)?;
                Some(Parent { table, column: column.clone() })
            });
            let parents: Vec<Parent<'_, Error>> = parents.collect();
            let merged = Merged::new(parts, &rule, &parents).map_err(refused)?;
            tables.push((table.name.clone(), merged));
        }
        // As they are named, not as they were made.
        tables.sort_by_key(|(name, _)| self.tables.iter().position(|table| table.name == *name));
        let digests =
            opened.into_iter().map(|inputs| inputs.into_iter().map(|input| input.sha256).collect()).collect();
        Ok(MergedTables { merge: self, tables, digests })
    }

    /// The tables' positions, parents first.
    fn order(&self) -> Result<Vec<usize>, Error> {
        let mut order: Vec<usize> = Vec::new();
        let is_done = |order: &[usize], name: &str| order.iter().any(|at| self.tables[*at].name == name);
        while order.len() < self.tables.len() {
            let before = order.len();
            for (at, table) in self.tables.iter().enumerate() {
                let ready = table.parents.iter().all(|(parent, _)| is_done(&order, parent));
                if ready && !order.contains(&at) {
                    order.push(at);
                }
            }
            if order.len() == before {
                let stuck = self.tables.iter().find(|table| !is_done(&order, &table.name));
                let open = |table: &TableSpec| {
                    table
                        .parents
                        .iter()
                        .find(|(parent, _)| !is_done(&order, parent))
                        .map(|(parent, _)| parent.clone())
                };
                let name = stuck.map_or("", |table| &table.name);
                let parent = stuck.and_then(open).unwrap_or_default();
                return Err(Error::Request(format!(
                    "`{name}` follows `{parent}`, which is no table of the merge or follows `{name}` itself"
                )));
            }
        }
        Ok(order)
    }

    /// The columns of an input's table that are moved, and about which point in time.
    fn align(&self, align: &Align, opened: &Opened, name: &str) -> Result<(Align, i64), Error> {
        let has = |column: &str| opened.rows.schema().fields.iter().any(|field| field.name == column);
        let mut align = align.clone();
        align.columns.retain(|column| has(&column.value));
        let anchor = match align.from {
            Some(Stamp::Clock(_)) => {
                let message = format!("`align` of `{name}` has no clock to go by; write the date itself");
                return Err(Error::Request(message));
            }
            Some(stamp) => stamp.micros(0),
            None => 0,
        };
        Ok((align, anchor))
    }

    /// How many rows of a table come from each input.
    fn amounts(&self, table: &TableSpec, sizes: &[u64]) -> Result<Vec<u64>, Error> {
        let name = &table.name;
        let given = self.inputs.iter().filter(|input| input.amount.is_some()).count();
        if given == 0 {
            let shares: Vec<f64> = sizes.iter().map(|size| *size as f64).collect();
            return Ok(match table.rows {
                None => sizes.to_vec(),
                Some(rows) => by_shares(rows, &shares),
            });
        }
        if let Some(input) = self.inputs.iter().find(|input| input.amount.is_none()) {
            return Err(Error::Request(format!(
                "{} has neither a share nor a number of rows, and others have; give it one",
                input.name
            )));
        }
        let shares: Vec<f64> = self
            .inputs
            .iter()
            .map(|input| if let Some(Amount::Share(share)) = input.amount { share } else { 0.0 })
            .collect();
        let mut counts: Vec<u64> = self
            .inputs
            .iter()
            .map(|input| if let Some(Amount::Rows(rows)) = input.amount { rows } else { 0 })
            .collect();
        let has_shares = self.inputs.iter().any(|input| matches!(input.amount, Some(Amount::Share(_))));
        let sum: f64 = shares.iter().sum();
        if has_shares && (sum - 1.0).abs() > 1e-9 {
            let sum = format!("{:.6}", sum * 100.0);
            let sum = sum.trim_end_matches('0').trim_end_matches('.');
            return Err(Error::Request(format!("the shares add up to {sum} %; all together are 100 %")));
        }
        if let Some(at) =
            (0..sizes.len()).find(|at| sizes[*at] == 0 && (counts[*at] > 0 || shares[*at] > 0.0))
        {
            let message =
                format!("{} has no rows, and some of `{name}` are to come from it", self.inputs[at].name);
            return Err(Error::Request(message));
        }
        let fixed: u64 = counts.iter().fold(0, |sum, count| sum.saturating_add(*count));
        let left = match table.rows {
            Some(rows) => {
                rows.checked_sub(fixed).filter(|left| has_shares || *left == 0).ok_or_else(|| {
                    Error::Request(format!(
                        "the inputs of `{name}` give {fixed} rows by number, but {rows} are wanted"
                    ))
                })?
            }
            None if !has_shares => 0,
            None => {
                let shared: Vec<(u64, f64)> = sizes
                    .iter()
                    .copied()
                    .zip(shares.iter().copied())
                    .filter(|(_, share)| *share > 0.0)
                    .collect();
                let (sizes, shares): (Vec<u64>, Vec<f64>) = shared.into_iter().unzip();
                most_rows(&sizes, &shares)
            }
        };
        for (count, shared) in counts.iter_mut().zip(by_shares(left, &shares)) {
            *count += shared;
        }
        Ok(counts)
    }

    /// Lets rulesets make as many rows as are wanted, rather than take some twice.
    fn grow(&self, opened: &mut [Vec<Opened>], wanted: &[Vec<u64>]) -> Result<(), Error> {
        for number in 0..self.inputs.len() {
            let mut needs: BTreeMap<&Path, Vec<(String, u64)>> = BTreeMap::new();
            for (at, table) in self.tables.iter().enumerate() {
                let (input, rows) = (&opened[at][number], wanted[at][number]);
                if let (Some(own), false) = (&input.table, table.replace)
                    && rows > input.rows.rows()
                {
                    let place = self.inputs[number].places[at].path();
                    needs.entry(place).or_default().push((own.clone(), rows));
                }
            }
            for (path, tables) in needs {
                let loader = tables
                    .iter()
                    .fold(self.loader(), |loader, (table, rows)| loader.table_rows(table, *rows));
                let ruleset = loader.path(path)?;
                for (at, inputs) in opened.iter_mut().enumerate() {
                    let input = &mut inputs[number];
                    if self.inputs[number].places[at].path() == path
                        && let Some(own) = &input.table
                    {
                        input.rows = Arc::new(RulesetRows::new(&ruleset, own)?);
                    }
                }
            }
        }
        Ok(())
    }

    fn loader(&self) -> Loader {
        self.allowed.iter().fold(Ruleset::loader(), Loader::allow_path)
    }

    /// Opens the rows of a table in an input. A ruleset is read once.
    fn open(
        &self,
        place: &Place,
        table: &TableSpec,
        rulesets: &mut BTreeMap<PathBuf, Ruleset>,
    ) -> Result<Opened, Error> {
        match place {
            Place::File(path) => {
                let mut options =
                    SourceOptions { table: Some(table.name.clone()), ..SourceOptions::default() };
                let found = sources::open(path, None, &options)?;
                let has = |name: &str| found.schema().fields.iter().any(|field| field.name == name);
                options.types = table.types.iter().filter(|(name, _)| has(name)).cloned().collect();
                let rows =
                    if options.types.is_empty() { found } else { sources::open(path, None, &options)? };
                Ok(Opened { rows: Arc::new(FileRows(rows)), table: None, sha256: sha256(path)? })
            }
            Place::Ruleset(path, own) => {
                if !rulesets.contains_key(path) {
                    rulesets.insert(path.clone(), self.loader().path(path)?);
                }
                let ruleset = &rulesets[path];
                let tables: Vec<&str> = ruleset.tables().map(|table| table.name()).collect();
                let own = match (own, tables.as_slice()) {
                    (Some(own), _) => own.clone(),
                    (None, [only]) => (*only).to_owned(),
                    (None, _) if tables.contains(&table.name.as_str()) => table.name.clone(),
                    (None, _) => {
                        let path = path.display();
                        let known = tables.iter().map(|table| format!("{path}#{table}")).collect::<Vec<_>>();
                        return Err(Error::Request(format!(
                            "{path} has several tables; name one: {}",
                            known.join(", ")
                        )));
                    }
                };
                let rows = RulesetRows::new(ruleset, &own)?;
                Ok(Opened { rows: Arc::new(rows), table: Some(own), sha256: ruleset.digest().to_owned() })
            }
        }
    }
}

fn sha256(path: &Path) -> Result<String, Error> {
    let failed = |source| lookalike_io::Error::Read { path: path.to_owned(), source };
    let mut file = std::fs::File::open(path).map_err(failed)?;
    let (mut hasher, mut buffer) = (Sha256::new(), vec![0; 1 << 20]);
    loop {
        let read = file.read(&mut buffer).map_err(failed)?;
        if read == 0 {
            break;
        }
        hasher.update(&buffer[..read]);
    }
    Ok(hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}

fn refused(refused: Refused<Error>) -> Error {
    match refused {
        Refused::Read(error) => error,
        Refused::Rule(message) => Error::Request(message),
        Refused::Conflicts(conflicts) => {
            let lines: Vec<String> = conflicts.iter().map(ToString::to_string).collect();
            let first = conflicts.first().map_or("", |conflict| &conflict.column);
            Error::Request(format!(
                "{}; to read both alike, give a type: `--type {first}=text`, or `types` in a plan",
                lines.join("\n")
            ))
        }
    }
}

impl MergedTables {
    /// Name, for the output folder.
    pub fn name(&self) -> &str {
        &self.merge.name
    }

    /// The seed in use.
    pub fn seed(&self) -> u64 {
        self.merge.seed
    }

    /// The table called `name`.
    pub fn table(&self, name: &str) -> Option<&Merged<Error>> {
        self.tables.iter().find(|(table, _)| table == name).map(|(_, table)| table)
    }

    /// The tables, by name.
    pub fn tables(&self) -> impl Iterator<Item = (&str, &Merged<Error>)> {
        self.tables.iter().map(|(name, table)| (name.as_str(), table))
    }
}
