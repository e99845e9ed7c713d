//! Groups of columns whose values rise and fall together, by a Gaussian copula (see [`lookalike_core::copula`]).
//!
//! A member's generator draws with words that the group makes instead of its own. Each word alone stays uniform, so a column's
//! law, and everything that its modifiers do, is the same in a group and out of it. The words live in columns of their own
//! behind those of the table; they read nothing and so can be filled first. A plan goes through four steps:
//!
//! 1. [`Group::declare`] checks what is written and says where the words will be;
//! 2. members are prepared with [`Group::words`] in their demand;
//! 3. [`Group::finish`] finds the normal correlations behind the wanted ones, for which it tries the members out;
//! 4. [`Group::fill`] makes the words of a block's rows.
//!
//! Member j draws from a stream of its own name, and its word depends on the members before it in the group. So a member that
//! is added at the end changes no other, and one that leaves changes itself and those after it. The exception are targets
//! that can only be met nearly (`approximate-correlation`): there everything hangs together.

use std::ops::Range;

use lookalike_core::copula::{Factor, MAX_MEMBERS, Matrix, MatrixError, Pair, Score, ScoreError};
use lookalike_core::copula::{normal_from_spearman, normal_of, word_at};
use lookalike_core::{Seed, Stream, declared};
use lookalike_ruleset::decode::{Decode, Number, Spanned, parse_number};
use lookalike_ruleset::diagnostic::did_you_mean;
use lookalike_ruleset::document::{CorrelateDecl, Correlations, TableDecl};
use lookalike_ruleset::{Diagnostic, Node, Problems, Span};
use polars::prelude::*;

use crate::build::Spec;
use crate::generator::{Block, InputId};

/// Columns that are correlated with each other.
#[derive(Debug)]
pub struct Group {
    /// Place in the ruleset.
    span: Span,
    members: Vec<Member>,
    /// Number of the column that holds the first member's words; the others' follow.
    first: usize,
    measure: Measure,
    /// Whether the matrix was written as pairs.
    pairs: bool,
    /// What the user wants; `None` where it was refused.
    target: Option<Target>,
    /// Set by `finish`.
    factor: Option<Factor>,
}

/// The wanted correlations and where each is written.
#[derive(Debug)]
struct Target {
    matrix: Matrix,
    /// The span of each entry below the diagonal, row by row.
    spans: Vec<Vec<Span>>,
}

#[derive(Debug)]
struct Member {
    name: String,
    /// Where the group names it.
    span: Span,
    /// Number of the column.
    column: usize,
    stream: Stream,
}

/// Of what the correlation is.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Measure {
    /// Of ranks, middle ranks where there are ties.
    Spearman,
    /// Of values.
    Pearson,
}

impl Group {
    /// The groups of a table whose columns and draws are called `names`, in the order of the plan. `table` is the table's
    /// seed, and the words are to be in columns numbered from `first`. Problems are added; what can be used of a group is
    /// given all the same, so that its members are checked.
    pub fn declare(
        decl: &TableDecl,
        names: &[String],
        table: Seed,
        mut first: usize,
        problems: &mut Problems,
    ) -> Vec<Group> {
        let mut groups: Vec<Group> = Vec::new();
        let mut taken: Vec<(usize, Span)> = Vec::new();
        for Spanned { value, span } in &decl.correlate {
            let place = Place { names, seed: table.derive("correlate"), span: *span, first };
            if let Some(group) = place.group(value, &mut taken, problems) {
                first = group.inputs().end;
                groups.push(group);
            }
        }
        groups
    }

    /// Where a column finds its words, and the place that makes it a member; `None` if it is in no group.
    pub fn words(groups: &[Group], column: usize) -> Option<(InputId, Span)> {
        groups.iter().find_map(|group| {
            let at = group.members.iter().position(|member| member.column == column)?;
            Some((InputId(group.first + at), group.members[at].span))
        })
    }

    /// Numbers of the columns that [`fill`](Group::fill) makes.
    pub fn inputs(&self) -> Range<usize> {
        self.first..self.first + self.members.len()
    }

    /// Numbers of the columns that read the words.
    pub fn columns(&self) -> impl Iterator<Item = usize> {
        self.members.iter().map(|member| member.column)
    }

    /// Finds the normal correlations that give the wanted ones, once all members are prepared; `spec` gives each by its
    /// column's number. `None` after adding at least one problem.
    pub fn finish<'a>(
        &mut self,
        spec: impl Fn(usize) -> Option<&'a Spec>,
        problems: &mut Problems,
    ) -> Option<()> {
        let target = self.target.as_ref()?;
        let scores: Vec<_> = self
            .members
            .iter()
            .enumerate()
            .map(|(at, member)| self.score(member, self.first + at, spec(member.column)?, problems))
            .collect();
        let scores = Scores(scores.into_iter().collect::<Option<_>>()?);
        let size = self.members.len();
        let mut normal = Matrix::identity(size);
        let mut attainable = true;
        for row in 0..size {
            for column in 0..row {
                let wanted = target.matrix.get(row, column);
                if wanted == 0.0 {
                    continue;
                }
                match scores.relation(row, column).normal(wanted) {
                    Ok(rho) => normal.set(row, column, rho),
                    Err(range) => {
                        attainable = false;
                        problems.push(self.unattainable(target, (column, row), wanted, range));
                    }
                }
            }
        }
        attainable.then_some(())?;
        self.factor = Some(match normal.factor() {
            Some(factor) => factor,
            None => {
                let factor = normal.nearest().factor()?;
                problems.extend(self.approximate(target, &scores, &factor.matrix()));
                factor
            }
        });
        Some(())
    }

    /// What is declared about each pair of members.
    pub fn declared(&self) -> Vec<declared::Correlation> {
        let (Some(target), Some(factor)) = (&self.target, &self.factor) else { return Vec::new() };
        let normal = factor.matrix();
        let mut pairs = Vec::new();
        for row in 0..self.members.len() {
            for column in 0..row {
                let wanted = target.matrix.get(row, column);
                // Of continuous values: W. Kruskal, "Ordinal Measures of Association", 1958.
                let grade = 6.0 / std::f64::consts::PI * libm::asin(normal.get(row, column) / 2.0);
                let columns = [column, row].map(|at| self.members[at].name.clone());
                let (spearman, pearson) = match self.measure {
                    Measure::Spearman => (Some(wanted), None),
                    Measure::Pearson => (None, Some(wanted)),
                };
                pairs.push(declared::Correlation { columns, spearman, pearson, grade });
            }
        }
        pairs
    }

    /// The words of the block's rows, one column for each member, in the order of [`inputs`](Group::inputs).
    ///
    /// # Panics
    /// When the group was not finished.
    pub fn fill(&self, block: &Block<'_>) -> Vec<Series> {
        let factor = self.factor.as_ref().expect("the plan finishes its groups");
        let mut normals: Vec<Vec<f64>> = Vec::with_capacity(self.members.len());
        let mut filled = Vec::with_capacity(self.members.len());
        for (at, member) in self.members.iter().enumerate() {
            let mut words = Vec::new();
            member.stream.with_attempt(block.attempt).fill_words(block.rows, 0, &mut words);
            normals.push(words.iter().map(|word| normal_of(*word)).collect());
            let row = factor.row(at);
            // A member that hangs on none before it keeps its words to the last bit.
            if row[..at].iter().any(|part| *part != 0.0) {
                let mut sums = vec![0.0; words.len()];
                for (part, normals) in row.iter().zip(&normals).filter(|(part, _)| **part != 0.0) {
                    sums.iter_mut().zip(normals).for_each(|(sum, normal)| *sum += part * normal);
                }
                words.iter_mut().zip(sums).for_each(|(word, sum)| *word = word_at(sum));
            }
            filled.push(UInt64Chunked::from_vec(PlSmallStr::EMPTY, words).into_series());
        }
        filled
    }
}

// ---- reading ---------------------------------------------------------------------------------------------------------

/// Where a group stands.
struct Place<'a> {
    names: &'a [String],
    seed: Seed,
    span: Span,
    first: usize,
}

impl Place<'_> {
    fn group(
        &self,
        decl: &CorrelateDecl,
        taken: &mut Vec<(usize, Span)>,
        problems: &mut Problems,
    ) -> Option<Group> {
        let (measure, written) = match (&decl.spearman, &decl.pearson) {
            (Some(written), None) => (Measure::Spearman, written),
            (None, Some(written)) => (Measure::Pearson, written),
            (None, None) => {
                // They may be there, but were reported as something else.
                if !problems.has_errors() {
                    problems.push(
                        Diagnostic::error("missing-key", self.span, "the group has no correlations")
                            .label("needs `spearman` or `pearson`")
                            .help("write for example `spearman: [[income, age, 0.8]]`"),
                    );
                }
                return None;
            }
            (Some(_), Some(second)) => {
                problems.push(
                    Diagnostic::error("bad-correlation", second.span, "a group has one measure, found two")
                        .help("keep `spearman` (of ranks, for any columns) or `pearson` (of values)"),
                );
                return None;
            }
        };
        let (names, target) = match &decl.columns {
            Some(columns) => (columns.clone(), self.matrix(columns, written, problems)),
            None => self.pairs(written, problems)?,
        };
        if target.is_none() && names.len() < 2 {
            return None; // What is wrong was reported.
        }
        if !(2..=MAX_MEMBERS).contains(&names.len()) {
            problems.push(
                Diagnostic::error(
                    "bad-correlation",
                    self.span,
                    format!("the group has size {}", names.len()),
                )
                .label(format!("expected 2 to {MAX_MEMBERS} columns")),
            );
            return None;
        }
        let members: Vec<_> = names.into_iter().map(|name| self.member(name, taken, problems)).collect();
        let members = members.into_iter().collect::<Option<Vec<_>>>()?;
        let mut group = Group {
            span: self.span,
            members,
            first: self.first,
            measure,
            pairs: decl.columns.is_none(),
            target,
            factor: None,
        };
        if group.target.as_ref().is_some_and(|target| target.matrix.factor().is_none()) {
            problems.extend(group.indefinite(written.span));
            group.target = None;
        }
        Some(group)
    }

    fn member(
        &self,
        Spanned { value: name, span }: Spanned<String>,
        taken: &mut Vec<(usize, Span)>,
        problems: &mut Problems,
    ) -> Option<Member> {
        let Some(column) = self.names.iter().position(|known| *known == name) else {
            problems.error(
                "unknown-column",
                span,
                format!("the table has no column `{name}`"),
                did_you_mean(&name, "columns", self.names.iter().map(String::as_str)),
            );
            return None;
        };
        if let Some((_, first)) = taken.iter().find(|(other, _)| *other == column) {
            problems.push(
                Diagnostic::error("bad-correlation", span, format!("`{name}` is a member already"))
                    .label("the second time")
                    .related(*first, "the first")
                    .help("put all columns that are correlated with it into one group"),
            );
            return None;
        }
        taken.push((column, span));
        let stream = self.seed.derive(&name).stream();
        Some(Member { name, span, column, stream })
    }

    /// A matrix over `columns`.
    fn matrix(
        &self,
        columns: &[Spanned<String>],
        written: &Correlations,
        problems: &mut Problems,
    ) -> Option<Target> {
        let size = columns.len();
        if written.items.len() != size {
            let rows = written.items.len();
            problems.push(
                Diagnostic::error("bad-correlation", written.span, format!("{rows} rows for {size} columns"))
                    .label("expected a row for each of `columns`")
                    .help("to name pairs instead of a matrix, leave `columns` out"),
            );
            return None;
        }
        if size > MAX_MEMBERS {
            return None; // Reported with the number of members.
        }
        let mut rows = Vec::with_capacity(size);
        let mut whole = true;
        for item in &written.items {
            let row: Vec<Option<f64>> = item.value.iter().map(|node| correlation(node, problems)).collect();
            whole &= row.iter().all(Option::is_some);
            rows.push(row.into_iter().flatten().collect());
        }
        whole.then_some(())?;
        let cell = |row: usize, column: usize| &written.items[row].value[column];
        let text = |row: usize, column: usize| cell(row, column).describe();
        match Matrix::from_rows(&rows) {
            Ok(matrix) => {
                let spans = (0..size).map(|row| (0..row).map(|column| cell(row, column).span).collect());
                return Some(Target { matrix, spans: spans.collect() });
            }
            Err(MatrixError::NotSquare { row }) => problems.push(
                Diagnostic::error(
                    "bad-correlation",
                    written.items[row].span,
                    format!("the row has length {}, for {size} columns", written.items[row].value.len()),
                )
                .label("expected an entry for each of `columns`"),
            ),
            Err(MatrixError::Diagonal { row }) => problems.push(
                Diagnostic::error(
                    "bad-correlation",
                    cell(row, row).span,
                    format!(
                        "the correlation of `{}` with itself is 1, found {}",
                        columns[row].value,
                        text(row, row)
                    ),
                )
                .label("expected 1"),
            ),
            Err(MatrixError::NotSymmetric { row, column }) => {
                let [left, right] = [column, row].map(|at| &columns[at].value);
                problems.push(
                    Diagnostic::error(
                        "bad-correlation",
                        cell(row, column).span,
                        format!("the correlation of `{left}` and `{right}` is written twice and differs"),
                    )
                    .label(format!("{} here", text(row, column)))
                    .related(cell(column, row).span, format!("{} here", text(column, row)))
                    .help("write the same number on both sides of the diagonal, or name pairs instead of a matrix"),
                );
            }
            // `correlation` saw to that.
            Err(MatrixError::OutOfRange { .. }) => {}
        }
        None
    }

    /// Pairs, with their members in the order in which they are first named.
    fn pairs(
        &self,
        written: &Correlations,
        problems: &mut Problems,
    ) -> Option<(Vec<Spanned<String>>, Option<Target>)> {
        let mut names: Vec<Spanned<String>> = Vec::new();
        let mut entries: Vec<((usize, usize), f64, Span)> = Vec::new();
        let mut whole = true;
        for item in &written.items {
            let [left, right, value] = item.value.as_slice() else {
                problems.push(
                    Diagnostic::error("bad-correlation", item.span, "this is not a pair")
                        .label("expected two columns and a number, such as `[income, age, 0.8]`")
                        .help("a matrix needs `columns` beside it"),
                );
                return None;
            };
            let is_number = |node: &Node| {
                node.as_scalar()
                    .is_some_and(|s| parse_number(&s.text).is_some() && !self.names.contains(&s.text))
            };
            if is_number(left) && is_number(right) {
                problems.push(
                    Diagnostic::error("bad-correlation", written.span, "a matrix needs `columns`")
                        .label("whose correlations are these?")
                        .help("add for example `columns: [income, age, tier]`, in the order of the rows"),
                );
                return None;
            }
            let mut number = |node: &Node, problems: &mut Problems| {
                let name = Spanned::<String>::decode(node, problems)?;
                let known = names.iter().position(|known| known.value == name.value);
                Some(known.unwrap_or_else(|| {
                    names.push(name);
                    names.len() - 1
                }))
            };
            let (left, right) = (number(left, problems), number(right, problems));
            let value = correlation(value, problems);
            let (Some(left), Some(right), Some(value)) = (left, right, value) else {
                whole = false;
                continue;
            };
            let pair = (left.min(right), left.max(right));
            if left == right {
                problems.push(
                    Diagnostic::error("bad-correlation", item.span, "a column is not paired with itself")
                        .label("expected two columns"),
                );
                whole = false;
            } else if let Some((_, _, first)) = entries.iter().find(|(other, ..)| *other == pair) {
                problems.push(
                    Diagnostic::error("bad-correlation", item.span, "this pair is listed twice")
                        .label("the second time")
                        .related(*first, "the first"),
                );
                whole = false;
            } else if names.len() > MAX_MEMBERS {
                return Some((names, None)); // Reported with the number of members.
            } else {
                entries.push((pair, value, item.span));
            }
        }
        if !whole {
            return Some((names, None));
        }
        let mut matrix = Matrix::identity(names.len());
        let mut spans: Vec<Vec<Span>> = (0..names.len()).map(|row| vec![written.span; row]).collect();
        for ((low, high), value, span) in entries {
            matrix.set(low, high, value);
            spans[high][low] = span;
        }
        Some((names, Some(Target { matrix, spans })))
    }
}

/// A number from -1 to 1.
fn correlation(node: &Node, problems: &mut Problems) -> Option<f64> {
    let Number(value) = Number::decode(node, problems)?;
    if !(-1.0..=1.0).contains(&value) {
        problems.push(
            Diagnostic::error(
                "bad-correlation",
                node.span,
                format!("{} is not a correlation", node.describe()),
            )
            .label("expected a number from -1 to 1"),
        );
        return None;
    }
    Some(value)
}

// ---- diagnostics -----------------------------------------------------------------------------------------------------

/// A number with three digits, without a minus before zero.
fn three_digits(value: f64) -> String {
    let rounded = (value * 1000.0).round() / 1000.0 + 0.0;
    rounded.to_string()
}

/// A name as it can stand in a list in YAML.
fn yaml_name(name: &str) -> String {
    let is_word = |c: char| c.is_ascii_alphanumeric() || "_- ".contains(c);
    if name.starts_with(|c: char| c.is_ascii_alphabetic()) && name.chars().all(is_word) {
        name.to_owned()
    } else {
        format!("'{}'", name.replace('\'', "''"))
    }
}

impl Group {
    fn indefinite(&self, span: Span) -> Option<Diagnostic> {
        /// A larger matrix is more than anybody reads.
        const SHOWN: usize = 8;
        let matrix = &self.target.as_ref()?.matrix;
        let size = matrix.size();
        let help = if size > SHOWN {
            let factor = ((1.0 - matrix.excess()) * 1000.0 - 0.001).floor() / 1000.0;
            format!("they could be if all were closer to 0: multiply them by {factor}")
        } else {
            let nearest = matrix.nearest_rounded(3);
            let cells: Vec<String> = if self.pairs {
                let pairs = (0..size).flat_map(|high| (0..high).map(move |low| (low, high)));
                pairs
                    .filter(|(low, high)| nearest.get(*low, *high) != 0.0)
                    .map(|(low, high)| {
                        let [left, right] = [low, high].map(|at| yaml_name(&self.members[at].name));
                        format!("[{left}, {right}, {}]", nearest.get(low, high))
                    })
                    .collect()
            } else {
                let row = |row: usize| {
                    let cells: Vec<String> =
                        (0..size).map(|column| nearest.get(row, column).to_string()).collect();
                    format!("[{}]", cells.join(", "))
                };
                (0..size).map(row).collect()
            };
            format!("the nearest correlations that can be: [{}]", cells.join(", "))
        };
        let message = "no columns can have all these correlations at once";
        Some(
            Diagnostic::error("not-positive-definite", span, message)
                .label(if self.pairs {
                    "these contradict each other; pairs that are not listed have 0"
                } else {
                    "these contradict each other"
                })
                .help(help),
        )
    }

    fn unattainable(
        &self,
        target: &Target,
        (low, high): (usize, usize),
        wanted: f64,
        (least, most): (f64, f64),
    ) -> Diagnostic {
        let [left, right] = [low, high].map(|at| &self.members[at].name);
        // Rounded inwards, so that what is shown can be used.
        let (least, most) = ((least * 1000.0).ceil() / 1000.0 + 0.0, (most * 1000.0).floor() / 1000.0 + 0.0);
        let why = match self.measure {
            Measure::Spearman => "values that many rows share tie, and ties cannot be put in order",
            Measure::Pearson => "laws of different shapes cannot be proportional; `spearman` asks for less",
        };
        Diagnostic::error(
            "unattainable-correlation",
            target.spans[high][low],
            format!("`{left}` and `{right}` cannot have the correlation {wanted}"),
        )
        .label(format!("expected {least} to {most}"))
        .help(why)
    }

    /// The correlations that will be, where they are not the wanted ones.
    fn approximate(&self, target: &Target, scores: &Scores, normal: &Matrix) -> Option<Diagnostic> {
        /// More are left out.
        const SHOWN: usize = 8;
        let size = self.members.len();
        let mut changed = Vec::new();
        for (low, high) in (0..size).flat_map(|high| (0..high).map(move |low| (low, high))) {
            let wanted = target.matrix.get(low, high);
            let got = scores.relation(high, low).correlation(normal.get(low, high));
            if (got - wanted).abs() >= 0.0005 {
                let [left, right] = [low, high].map(|at| &self.members[at].name);
                changed.push(format!("`{left}` and `{right}` {} (wanted {wanted})", three_digits(got)));
            }
        }
        (!changed.is_empty()).then(|| {
            let more = changed.len().saturating_sub(SHOWN);
            changed.truncate(SHOWN);
            if more > 0 {
                changed.push(format!("and {more} more"));
            }
            Diagnostic::warning(
                "approximate-correlation",
                self.span,
                "these correlations can only be met nearly by columns of these laws",
            )
            .label("strong correlations of columns that differ in shape")
            .help(format!("correlations will be: {}", changed.join(", ")))
        })
    }
}

// ---- scores ----------------------------------------------------------------------------------------------------------

/// What is known of the members' values, or of their ranks: `None` for ranks without ties. Those of a member that cannot be
/// tried out alone are taken for such.
struct Scores(Vec<Option<Score>>);

/// How the correlation of two members hangs on that of their normal numbers.
enum Relation {
    /// Ranks without ties.
    Continuous,
    Scores(Box<Pair>),
}

impl Scores {
    fn relation(&self, left: usize, right: usize) -> Relation {
        let [left, right] = [left, right].map(|at| self.0[at].as_ref());
        if left.is_none() && right.is_none() {
            return Relation::Continuous;
        }
        let [left, right] = [left, right].map(|score| score.unwrap_or_else(|| Score::continuous_ranks()));
        Relation::Scores(Box::new(Pair::new(left, right)))
    }
}

impl Relation {
    /// The normal correlation for a wanted one; the range that can be had as the error.
    fn normal(&self, wanted: f64) -> Result<f64, (f64, f64)> {
        match self {
            Relation::Continuous => Ok(normal_from_spearman(wanted)),
            Relation::Scores(pair) => pair.solve(wanted).ok_or_else(|| pair.range()),
        }
    }

    fn correlation(&self, normal: f64) -> f64 {
        match self {
            Relation::Continuous => 6.0 / std::f64::consts::PI * libm::asin(0.5 * normal.clamp(-1.0, 1.0)),
            Relation::Scores(pair) => pair.correlation(normal),
        }
    }
}

impl Group {
    /// A member's entry in [`Scores`], found by trying its generator on words in order; outer `None` after adding a problem.
    fn score(
        &self,
        member: &Member,
        input: usize,
        spec: &Spec,
        problems: &mut Problems,
    ) -> Option<Option<Score>> {
        let name = &member.name;
        let mut refuse = |message: String, help: &str| {
            problems.error("cannot-correlate", member.span, message, help);
            None
        };
        let sampled = if spec.stands_alone() {
            Score::sample(|words| values(spec, input, words).ok_or(())).ok()
        } else {
            None
        };
        let score = match sampled {
            Some(Ok(score)) => Some(score),
            Some(Err(ScoreError::Constant)) => {
                return refuse(
                    format!("`{name}` is the same in all rows, so nothing can rise and fall with it"),
                    "take it out of the group",
                );
            }
            Some(Err(ScoreError::NotRising)) => {
                return refuse(
                    format!("the values of `{name}` are not in rising order"),
                    "list a choice of numbers, dates or times from the least to the greatest, each once",
                );
            }
            None => None,
        };
        match (self.measure, score) {
            // Without ties, ranks are the same for all laws.
            (Measure::Spearman, score) => {
                Some(score.filter(|score| !score.is_continuous()).map(|score| score.ranks()))
            }
            (Measure::Pearson, None) => refuse(
                format!("the law of `{name}` cannot be known beforehand, as a Pearson correlation needs"),
                "it must not read other columns and must be a number, a date, a time or one of a list; or use `spearman`",
            ),
            (Measure::Pearson, Some(score)) if score.tail_share() > 0.5 => refuse(
                format!("the variance of `{name}` hangs on values that one row in a billion has"),
                "a Pearson correlation means nothing for it: use `spearman`, or bound it with `truncate`",
            ),
            (Measure::Pearson, score) => Some(score),
        }
    }
}

/// What a prepared member makes of these words, as numbers that rise with its order; `None` where it has no order or a
/// value cannot be made.
fn values(spec: &Spec, input: usize, words: &[u64]) -> Option<Vec<f64>> {
    let mut columns: Vec<Option<Series>> = vec![None; input];
    columns.push(Some(UInt64Chunked::from_slice(PlSmallStr::EMPTY, words).into_series()));
    let rows = (0..words.len() as u64).into();
    let values = spec.values(&Block::new(&rows, 0, &columns)).ok()?;
    let numbers = match values.dtype() {
        DataType::String => return None,
        DataType::Decimal(..) => values.cast(&DataType::Float64),
        _ => values.to_physical_repr().cast(&DataType::Float64),
    };
    let numbers = numbers.ok()?;
    let numbers = numbers.f64().ok()?;
    // A column with nulls has no slice.
    numbers.cont_slice().ok().map(<[f64]>::to_vec)
}
