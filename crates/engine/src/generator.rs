//! The shape of every generator: what it is told before the run, and what it must fill.

use std::borrow::Cow;
use std::sync::Arc;

use lookalike_core::{Rows, Seed, Stream, declared};
use lookalike_ruleset::decode::{Decode, FieldDoc};
use lookalike_ruleset::document::Lookup;
use lookalike_ruleset::texts::Texts;
use lookalike_ruleset::{Diagnostic, Json, Node, Problems, Span, Type};
use polars::prelude::*;

use crate::build::{Builder, Spec};
use crate::machine::Machine;
use crate::wanted::Wanted;

/// A column's rule, ready to run.
///
/// **`fill` is a pure function** of the generator's parameters, its seed, the row numbers, the attempt and the inputs. It
/// must give the same values for a row wherever and however often it is asked.
pub trait Generator: Send + Sync {
    /// Adds the columns that must be filled first.
    fn inputs(&self, _inputs: &mut Vec<InputName>) {}

    /// Checks the rule against its surroundings and gets ready; gives the type of the values. Called once, after the
    /// inputs' types are known and before any `fill`. Gives `None` after adding at least one problem.
    fn prepare(&mut self, site: &mut Site<'_>) -> Option<Output>;

    /// Makes the values for the block's rows, in order.
    ///
    /// # Errors
    /// When a value cannot be made, for example because it does not fit its type.
    fn fill(&self, block: &Block<'_>) -> Result<Series, Failure>;

    /// What validation may hold against the values. Asked after `prepare`.
    fn promise(&self) -> Promise<'_> {
        Promise::Nothing
    }

    /// Whether values hang on the row's number beyond its draws, or share draws with other rows: sequences, series.
    fn has_place(&self) -> bool {
        false
    }

    /// Whether no value comes twice, whatever the number of rows: those of a sequence.
    fn never_repeats(&self) -> bool {
        false
    }

    /// The column whose values these are, unchanged.
    fn copies(&self) -> Option<InputId> {
        None
    }
}

/// What a generator promises about its values.
pub enum Promise<'a> {
    /// Nothing that could be checked without making the values again.
    Nothing,
    /// The value follows from the inputs and the row's number: there is no chance in it.
    Computed,
    /// Drawn for each row by itself, independently of all else.
    Drawn(declared::Promise),
    /// What follows from the inputs and the row's number, and noise.
    Around(&'a dyn Around),
    /// By one of several rules, which the inputs choose.
    Cases(&'a dyn Cases),
}

/// A rule that adds noise to what it computes.
pub trait Around {
    /// The columns that are read to compute what is without noise.
    fn read(&self, inputs: &mut Vec<InputName>);

    /// The values without noise.
    ///
    /// # Errors
    /// As [`Generator::fill`].
    fn middle(&self, block: &Block<'_>) -> Result<Series, Failure>;

    /// The rule of the noise.
    fn noise(&self) -> &Spec;
}

/// Rules of which the inputs choose one for each row.
pub trait Cases {
    /// The column that chooses, and for each rule the case in words.
    fn cases(&self) -> (String, Vec<String>);

    /// The rules.
    fn specs(&self) -> &[Spec];

    /// The rule of each row of the block; [`crate::generators::branches::NONE`] where the row is null.
    ///
    /// # Errors
    /// When the inputs cannot be read.
    fn choose(&self, block: &Block<'_>) -> Result<Vec<u32>, Failure>;
}

/// A column that a generator reads, with the place where it is named.
#[derive(Clone, Debug, PartialEq)]
pub struct InputName {
    /// Name of a column or draw of the same table, or `link.column` for a parent's, or `link.#row`, `link.#ordinal` and
    /// `link.#count` for a row's place among its parent's children.
    pub name: String,
    /// Where it is named.
    pub span: Span,
}

/// What the values of a column are.
#[derive(Clone, Debug)]
pub struct Output {
    /// Logical type.
    pub ty: Type,
    /// Whether nulls can occur.
    pub nullable: bool,
    /// For text: see [`lookalike_ruleset::Field::plain`].
    pub plain: bool,
    /// For text: see [`lookalike_ruleset::Field::json`].
    pub json: bool,
    /// For text with few known values: all of them. The series is then a polars Enum with these categories in this order.
    pub categories: Option<Arc<Categories>>,
}

impl Output {
    /// Values of a type other than text, without nulls.
    pub fn of(ty: Type) -> Output {
        Output { ty, nullable: false, plain: false, json: false, categories: None }
    }

    /// Text without nulls; `plain` as in [`lookalike_ruleset::Field::plain`].
    pub fn text(plain: bool) -> Output {
        Output { plain, ..Output::of(Type::Text) }
    }

    /// Text that is always one of `categories`.
    pub fn categories(categories: Arc<Categories>) -> Output {
        let plain = categories.values().iter().all(|value| is_plain(value));
        Output { plain, categories: Some(categories), ..Output::of(Type::Text) }
    }
}

/// The known values of a text column, with the polars type that holds them.
#[derive(Debug)]
pub struct Categories {
    values: Vec<String>,
    dtype: DataType,
}

impl Categories {
    /// At most this many values are kept as categories; longer lists are ordinary text.
    pub const MAX: usize = 65_535;

    /// Categories in the order given, which must be free of duplicates.
    ///
    /// # Panics
    /// When there are duplicates.
    pub fn new(values: Vec<String>) -> Arc<Categories> {
        let frozen =
            FrozenCategories::new(values.iter().map(String::as_str)).expect("the caller removed duplicates");
        let mapping = frozen.mapping().clone();
        Arc::new(Categories { values, dtype: DataType::Enum(frozen, mapping) })
    }

    /// The values.
    pub fn values(&self) -> &[String] {
        &self.values
    }

    /// The polars type.
    pub fn dtype(&self) -> &DataType {
        &self.dtype
    }

    /// The code of a value.
    pub fn code(&self, value: &str) -> Option<u32> {
        self.values.iter().position(|v| v == value).map(|at| at as u32)
    }
}

/// Whether a text can stand in any text format without quotes or escapes.
pub fn is_plain(text: &str) -> bool {
    !text.is_empty()
        && !text.starts_with(' ')
        && !text.ends_with(' ')
        && !text.chars().any(|c| {
            c.is_control()
                || matches!(c, '"' | ',' | ';' | '\\' | '\u{2028}' | '\u{2029}' | '\t' | '|' | '\'')
        })
}

/// Number of a column in its table's plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct InputId(pub(crate) usize);

/// Modifiers that only the generator itself can carry out. A generator takes those it supports; what is left over is
/// reported to the user as not supported.
#[derive(Clone, Copy, Debug, Default)]
pub struct Demand {
    /// `unique: true`, and its place.
    pub unique: Option<Span>,
    /// `truncate: [low, high]`, and its place.
    pub truncate: Option<(f64, f64, Span)>,
    /// The words to draw with, because the column is a member of a `correlate` group, and the place that says so.
    /// Taken by [`Site::words`].
    pub words: Option<(InputId, Span)>,
    /// `type`, which a generator may use to read its parameters; carried out by the engine in any case.
    pub ty: Option<Type>,
}

/// Where a generator's one random word a row comes from; see [`Site::words`].
#[derive(Clone, Copy, Debug)]
pub enum Words {
    /// Draw 0 of a stream of its own.
    Drawn(Stream),
    /// A column of words.
    Given(InputId),
}

impl Words {
    /// Calls `f` with the word of each row of the block, in order.
    ///
    /// # Panics
    /// When the given column does not hold words.
    pub fn for_each(self, block: &Block<'_>, mut f: impl FnMut(u64)) {
        match self {
            Words::Drawn(stream) => stream.with_attempt(block.attempt).for_each_word(block.rows, 0, f),
            Words::Given(input) => {
                let words = block.input(input);
                let words = words.u64().expect("the plan gives words");
                words.downcast_iter().flat_map(|chunk| chunk.values_iter()).for_each(|word| f(*word));
            }
        }
    }
}

/// What a generator is told in [`Generator::prepare`].
pub struct Site<'a> {
    /// Seed of this generator, derived from the ruleset's seed and the names on the way. Parts of a generator derive
    /// their own from it, by name.
    pub seed: Seed,
    /// Seed of the table, for what several columns of a row share.
    pub table: Seed,
    /// How many rows the table has.
    pub rows: u64,
    /// Place of the generator in the ruleset.
    pub span: Span,
    /// What the modifiers ask of the generator.
    pub demand: Demand,
    /// Things of the ruleset that are not columns.
    pub world: &'a World,
    /// Names and types of the table's columns; `None` where a column failed to prepare.
    pub columns: &'a [(String, Option<Output>)],
    /// What names are tried with first, in this order: columns that only some rules see have it before their names.
    pub scope: &'a [String],
    /// Where problems go.
    pub problems: &'a mut Problems,
}

/// What a ruleset's columns share.
#[derive(Clone, Debug)]
pub struct World {
    /// The ruleset's seed, for what several tables share.
    pub seed: Seed,
    /// The ruleset's clock in microseconds since 1970-01-01T00:00:00Z.
    pub clock: Option<i64>,
    /// Lookup files.
    pub lookups: Vec<Lookup>,
    /// Texts by language models.
    pub texts: Vec<Arc<Texts>>,
    /// Where missing ones are listed; without it they are an error.
    pub wanted: Option<Arc<Wanted>>,
    /// Parameters, as literals.
    pub params: Vec<(String, lookalike_ruleset::document::Literal)>,
    /// State machines; `None` for one that has mistakes.
    pub machines: Vec<(String, Option<Arc<Machine>>)>,
}

/// The position of the column that a rule in a scope sees under a name.
pub(crate) fn position(columns: &[(String, Option<Output>)], scope: &[String], name: &str) -> Option<usize> {
    let with = |prefix: &String| {
        columns.iter().position(|(column, _)| column.strip_prefix(prefix.as_str()) == Some(name))
    };
    scope.iter().find_map(with).or_else(|| columns.iter().position(|(column, _)| column == name))
}

impl World {
    /// A world with nothing in it.
    pub fn new(seed: Seed) -> World {
        World {
            seed,
            clock: None,
            lookups: Vec::new(),
            texts: Vec::new(),
            wanted: None,
            params: Vec::new(),
            machines: Vec::new(),
        }
    }
}

impl Site<'_> {
    /// The number and type of an input. `None`, without a further problem, when the input does not exist or could not be
    /// prepared: that was reported already.
    pub fn input(&self, name: &str) -> Option<(InputId, Output)> {
        let at = self.position(name)?;
        Some((InputId(at), self.columns[at].1.clone()?))
    }

    /// The table's own column of a name, even where the rule sees another one under it. `None` as for
    /// [`input`](Self::input).
    pub fn clean(&self, name: &str) -> Option<(InputId, Output)> {
        let at = position(self.columns, &[], name)?;
        Some((InputId(at), self.columns[at].1.clone()?))
    }

    /// The position of a column that the rule sees under a name.
    pub(crate) fn position(&self, name: &str) -> Option<usize> {
        position(self.columns, self.scope, name)
    }

    /// Adds an error at the generator's place.
    pub fn error(&mut self, code: &'static str, message: impl Into<String>, help: impl Into<String>) {
        self.problems.push(Diagnostic::error(code, self.span, message).help(help));
    }

    /// The ruleset's clock, or a diagnostic that it is missing.
    pub fn clock(&mut self) -> Option<i64> {
        if self.world.clock.is_none() {
            self.error(
                "missing-key",
                "this needs the ruleset's `clock`",
                "add `clock: 2026-01-01T00:00:00Z` at the top of the ruleset",
            );
        }
        self.world.clock
    }

    /// Prepares a part of this generator under a seed of its own.
    pub fn prepare(
        &mut self,
        part: &mut dyn Generator,
        seed: Seed,
        span: Span,
        demand: Demand,
    ) -> Option<Output> {
        part.prepare(&mut self.part(seed, span, demand))
    }

    /// The site of a part of this generator.
    pub fn part(&mut self, seed: Seed, span: Span, demand: Demand) -> Site<'_> {
        Site {
            seed,
            table: self.table,
            rows: self.rows,
            span,
            demand,
            world: self.world,
            columns: self.columns,
            scope: self.scope,
            problems: self.problems,
        }
    }

    /// The random words of a generator that needs one a row: its own, or those of the group of correlated columns that it
    /// belongs to. A generator that asks for them here can be a member of such a group; larger words must then give
    /// larger values.
    pub fn words(&mut self, seed: Seed) -> Words {
        match self.demand.words.take() {
            Some((input, _)) => Words::Given(input),
            None => Words::Drawn(seed.stream()),
        }
    }
}

/// The rows to fill, with the columns that are filled already.
pub struct Block<'a> {
    /// Row numbers.
    pub rows: &'a Rows,
    /// How often these rows were refused by a `require`; part of the address of every draw.
    pub attempt: u32,
    columns: &'a [Option<Series>],
    /// Positions of `rows` among the rows of `columns`; `None` when they are the same.
    positions: Option<Vec<u32>>,
}

impl<'a> Block<'a> {
    /// A block over columns that are as long as `rows`.
    pub fn new(rows: &'a Rows, attempt: u32, columns: &'a [Option<Series>]) -> Block<'a> {
        Block { rows, attempt, columns, positions: None }
    }

    /// How many rows.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// An input's values for the block's rows.
    pub fn input(&self, id: InputId) -> Cow<'_, Series> {
        let series = self.columns[id.0].as_ref().expect("the plan fills inputs first");
        match &self.positions {
            None => Cow::Borrowed(series),
            Some(positions) => {
                Cow::Owned(series.take_slice(positions).expect("positions are within the block"))
            }
        }
    }

    /// Runs `then` on the block of the rows at `positions` of this one.
    pub fn at<T>(&self, positions: &[u32], then: impl FnOnce(&Block<'_>) -> T) -> T {
        let rows = self.rows.select(positions);
        let absolute = match &self.positions {
            None => positions.to_vec(),
            Some(outer) => positions.iter().map(|at| outer[*at as usize]).collect(),
        };
        then(&Block { rows: &rows, attempt: self.attempt, columns: self.columns, positions: Some(absolute) })
    }
}

/// A value that could not be made.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    /// What happened, with the row where that is known.
    pub message: String,
}

impl Failure {
    /// A failure with these words.
    pub fn new(message: impl Into<String>) -> Failure {
        Failure { message: message.into() }
    }
}

impl From<PolarsError> for Failure {
    fn from(error: PolarsError) -> Failure {
        Failure::new(error.to_string())
    }
}

/// What the user writes for a kind: parameters that become a generator.
pub trait Rule: Decode {
    /// Makes the generator, adding what is wrong with the parameters to the builder's problems.
    fn build(self, span: Span, builder: &mut Builder<'_>) -> Option<Box<dyn Generator>>;
}

/// Groups of kinds, for the manual.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Group {
    /// Fixed values, sequences and choices.
    Basic,
    /// Numbers by a probability distribution.
    Numbers,
    /// Dates, times and lengths of time.
    Time,
    /// Values with a past: series and state machines.
    Series,
    /// Text, identifiers.
    Text,
    /// Values that follow from other columns or files.
    Derived,
    /// People, places, firms and machines that do not exist.
    People,
}

/// A kind of generator: one file under `generators/` and one line in [`crate::generators::KINDS`].
#[derive(Clone, Copy)]
pub struct Kind {
    /// Key in the ruleset; also the name of the file.
    pub name: &'static str,
    /// Where the manual lists it.
    pub group: Group,
    /// One line.
    pub summary: &'static str,
    /// Some lines: formula and source, edge cases, what the modifiers do.
    pub details: &'static str,
    /// A column's value in YAML, complete.
    pub example: &'static str,
    /// Makes the generator from the value under the key.
    pub build: fn(&Node, &mut Builder<'_>) -> Option<Box<dyn Generator>>,
    /// What may be written under the key, in words.
    pub what: fn() -> String,
    /// The keys, if it is a mapping.
    pub fields: fn() -> Vec<FieldDoc>,
    /// JSON Schema of the value under the key.
    pub schema: fn() -> Json,
}

impl Kind {
    /// A kind whose parameters are `R`; name, summary, details and example are still to be set.
    pub const fn of<R: Rule>() -> Kind {
        fn build<R: Rule>(node: &Node, builder: &mut Builder<'_>) -> Option<Box<dyn Generator>> {
            R::decode(node, builder.problems)?.build(node.span, builder)
        }
        Kind {
            name: "",
            group: Group::Basic,
            summary: "",
            details: "",
            example: "",
            build: build::<R>,
            what: R::what,
            fields: R::fields,
            schema: R::schema,
        }
    }
}

impl std::fmt::Debug for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Kind").field("name", &self.name).finish_non_exhaustive()
    }
}
