//! The outer form of a ruleset: what its sections are, with columns still as nodes. Which kinds of generator there are is
//! the engine's business; this module knows the language around them.

use std::path::PathBuf;
use std::sync::Arc;

use serde_json::json;

use crate::anomaly::Anomalies;
use crate::decode::{
    Count, Decode, Int, Named, NamedItem, Positive, Spanned, Stamp, Time, parse_stamp, wrong,
};
use crate::diagnostic::{Diagnostic, Problems, did_you_mean};
use crate::expect::ExpectDecl;
pub use crate::expr::Literal;
use crate::node::{Entry, Node, Scalar, Value};
use crate::protection::Protection;
use crate::read::{self, Format};
use crate::relation::{LinkDecl, Scaling};
use crate::source::{Sources, Span};
use crate::subset::Subsets;
use crate::texts::{self, Texts, TextsDecl};
use crate::{Json, Type, params};

/// The version of the ruleset language that this crate reads.
pub const LANGUAGE_VERSION: i64 = 1;

/// How many rows a table has where nobody says.
pub const DEFAULT_ROWS: u64 = 1000;

/// How many files one ruleset may include, itself not counted.
pub const MAX_INCLUDES: usize = 64;

params! {
    /// A ruleset: what to make, as data.
    pub struct Document {
        /// Version of the language; 1.
        lookalike: Spanned<Int>,
        /// Name of the ruleset: letters, digits, `-` and `_`. Names the output folder.
        name: Option<Spanned<String>>,
        /// What the data is, for readers.
        about: Option<String>,
        /// Where all randomness comes from. The same ruleset, seed and version give the same bytes.
        seed: Count = Count(0),
        /// The time that counts as now. Nothing ever reads the machine's clock.
        clock: Option<Stamp>,
        /// Further files, relative to this one, whose params, lookups, vocabulary and machines are shared.
        include: Vec<Spanned<String>> = Vec::new(),
        /// Inputs that a user may set with `--param name=value`.
        params: Named<ParamDecl>,
        /// Files with facts that columns look up.
        lookups: Named<LookupDecl>,
        /// Texts by a language model, which columns of the kind `llm_text` take.
        texts: Named<TextsDecl>,
        /// Generators under names of their own, used with `{ref: name}`.
        vocabulary: Named<Node>,
        /// State machines, whose paths columns show.
        machines: Named<MachineDecl>,
        /// Sizes under names of their own, chosen with `--profile NAME`: a few rows for tests, many for load.
        profiles: Named<ProfileDecl>,
        /// The tables.
        tables: Named<TableDecl>,
        /// Noise on columns, by table: differential privacy for each record by itself.
        privacy: Named<Named<Protection>>,
    }
}

params! {
    /// A size of the data, and perhaps a seed. What the command line says goes before it.
    pub struct ProfileDecl {
        /// What it is for.
        about: Option<String>,
        /// Rows of every table, but for those whose rows follow from a parent's.
        rows: Option<Spanned<Count>>,
        /// Rows of single tables, by name.
        tables: Named<Count>,
        /// Rows times this, as each table's `scaling` says.
        scale: Option<Spanned<Positive>>,
        /// Another seed.
        seed: Option<Count>,
    }
}

params! {
    /// An input of the ruleset.
    pub struct ParamDecl {
        /// Type of the value.
        r#type: Type,
        /// Value where the user gives none.
        default: Node,
        /// What it means.
        about: Option<String>,
    }
}

params! {
    /// A file with facts: CSV with a header line.
    pub struct LookupDecl {
        /// Path of the CSV file, relative to the file that declares the lookup.
        file: Spanned<String>,
        /// Columns of the file that together identify a line.
        key: Vec<Spanned<String>>,
        /// What it holds and where it comes from.
        about: Option<String>,
    }
}

params! {
    /// A state machine: states, which of them follow each other, and how long each lasts.
    pub struct MachineDecl {
        /// What it describes.
        about: Option<String>,
        /// The state in which a path begins, or several with their shares.
        start: Shares,
        /// For each state that is left again, the states that follow it with their shares.
        transitions: Named<Shares>,
        /// The states that are never left.
        r#final: Vec<Spanned<String>> = Vec::new(),
        /// For each state that is left again, a generator of how long a visit lasts; without it a visit is a step.
        dwell: Named<Node>,
        /// What a number under `dwell` counts, such as 1h.
        unit: Option<Spanned<Time>>,
    }
}

/// States with their weights, as written; a state alone has all the weight.
#[derive(Clone, Debug)]
pub struct Shares {
    /// Place of the whole.
    pub span: Span,
    /// States to weights.
    pub entries: Vec<Entry>,
}

impl Decode for Shares {
    fn decode(node: &Node, problems: &mut Problems) -> Option<Self> {
        let entries = match &node.value {
            Value::Map(entries) => entries.clone(),
            Value::Scalar(scalar) if !node.is_null() => {
                let all = Scalar { text: "100%".into(), quoted: false, verbatim: None };
                let value = Node { span: node.span, value: Value::Scalar(all) };
                vec![Entry { key: scalar.text.clone(), key_span: node.span, value }]
            }
            _ => {
                wrong(node, Self::what(), problems);
                return None;
            }
        };
        Some(Shares { span: node.span, entries })
    }
    fn what() -> String {
        "a state, or a mapping from states to shares such as `{open: 70%, shut: 30%}`".into()
    }
    fn schema() -> serde_json::Value {
        let weight = serde_json::json!({"anyOf": [{"type": "number", "minimum": 0}, {"type": "string"}]});
        serde_json::json!({"anyOf": [
            {"type": "string"},
            {"type": "object", "additionalProperties": weight, "minProperties": 1},
        ]})
    }
}

params! {
    /// A table.
    pub struct TableDecl {
        /// What a row is.
        about: Option<String>,
        /// How many rows to make where the command does not say; 1000 where nobody does.
        rows: Option<Spanned<Count>>,
        /// How the rows follow `--scale`: `linear`, `fixed` or `sub_linear`.
        scaling: Scaling,
        /// Links to parent tables, by name.
        belongs_to: Named<LinkDecl>,
        /// Links that together occur once: no two rows have the same parents in all of them.
        unique: Vec<Spanned<String>> = Vec::new(),
        /// The columns that are written, in order. Only a table whose rows are given, as by `lookalike inject`, may do
        /// without: then they are those of the data.
        columns: Named<Node>,
        /// Helper columns that are not written.
        draws: Named<Node>,
        /// Conditions that every row must meet; rows that do not are drawn again.
        require: Vec<Node> = Vec::new(),
        /// Groups of columns whose values rise and fall together. A column is in one group at most.
        correlate: Vec<Spanned<CorrelateDecl>> = Vec::new(),
        /// Parts of the table, in exact shares, in which some columns differ.
        subsets: Option<Spanned<Subsets>>,
        /// What must be true of the table once it is made; validation checks it.
        expect: Vec<Spanned<ExpectDecl>> = Vec::new(),
        /// Rows that are spoilt on purpose, with the truth about them.
        anomalies: Option<Spanned<Anomalies>>,
    }
}

params! {
    /// Columns or draws whose values rise and fall together: either `columns` with a matrix, or pairs.
    pub struct CorrelateDecl {
        /// The columns in the order of the matrix; left out where pairs are listed.
        columns: Option<Vec<Spanned<String>>>,
        /// Rank correlations: a matrix, or pairs such as `[income, age, 0.8]`; pairs that are not named have 0. With ties,
        /// ranks are middle ranks. The choices of a list rank as listed.
        spearman: Option<Correlations>,
        /// Correlations of the values themselves, written in the same way.
        pearson: Option<Correlations>,
    }
}

/// Correlations as written: the rows of a matrix, or pairs of columns with a number. Which of the two it is hangs on the
/// keys beside it.
#[derive(Clone, Debug)]
pub struct Correlations {
    /// Place of the whole.
    pub span: Span,
    /// Rows or pairs.
    pub items: Vec<Spanned<Vec<Node>>>,
}

impl Decode for Correlations {
    fn decode(node: &Node, problems: &mut Problems) -> Option<Self> {
        let Some(items) = node.as_list() else {
            wrong(node, Self::what(), problems);
            return None;
        };
        let items: Vec<_> = items
            .iter()
            .map(|item| {
                if item.as_list().is_none() {
                    wrong(item, "a row `[1, 0.8]` of a matrix, or a pair `[income, age, 0.8]`", problems);
                }
                Some(Spanned { value: item.as_list()?.to_vec(), span: item.span })
            })
            .collect();
        Some(Correlations { span: node.span, items: items.into_iter().collect::<Option<_>>()? })
    }
    fn what() -> String {
        "a matrix such as `[[1, 0.8], [0.8, 1]]`, or pairs such as `[[income, age, 0.8]]`".into()
    }
    fn schema() -> Json {
        let entry = json!({"anyOf": [{"type": "number"}, {"type": "string"}]});
        json!({"type": "array", "items": {"type": "array", "items": entry}})
    }
}

/// A file that the ruleset asks for could not be had.
#[derive(Clone, Debug)]
pub struct FileProblem {
    /// Diagnostic code: `cannot-read` or `outside-folder`.
    pub code: &'static str,
    /// What went wrong, in one sentence.
    pub message: String,
    /// How to mend it.
    pub help: String,
    /// Whether there is no such file, and it is not that it must not be read.
    pub is_missing: bool,
}

/// Where a ruleset's includes and lookups come from. Implementations decide which paths may be read.
pub trait Files {
    /// Reads `path`, which the file called `from` names, and gives the name under which it is known from now on.
    ///
    /// # Errors
    /// When the file cannot be read or must not be.
    fn read(&self, from: &str, path: &str) -> Result<(String, Vec<u8>), FileProblem>;

    /// Where `path`, which the file called `from` names, lies on the disk, and the name under which it is known: for rows,
    /// which are not read at once. Unless overridden, there are no such files.
    ///
    /// # Errors
    /// When the file is not there or must not be read.
    fn locate(&self, _from: &str, path: &str) -> Result<(String, PathBuf), FileProblem> {
        Err(not_from_disk(path))
    }
}

fn not_from_disk(path: &str) -> FileProblem {
    FileProblem {
        code: "cannot-read",
        message: format!("`{path}` cannot be read: this ruleset was given as text, without a folder"),
        help: "load the ruleset from its file".into(),
        is_missing: false,
    }
}

/// No files at all: for rulesets that stand alone.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoFiles;

impl Files for NoFiles {
    fn read(&self, _: &str, path: &str) -> Result<(String, Vec<u8>), FileProblem> {
        Err(not_from_disk(path))
    }
}

/// A parameter with its value.
#[derive(Clone, Debug)]
pub struct Param {
    /// Name.
    pub name: String,
    /// Type.
    pub ty: Type,
    /// Value, checked against the type.
    pub value: Node,
}

/// A lookup file, read.
#[derive(Clone, Debug)]
pub struct Lookup {
    /// Name in the ruleset.
    pub name: String,
    /// Where it is declared.
    pub span: Span,
    /// Names of the columns of the file.
    pub header: Vec<String>,
    /// Which columns of the file are the key.
    pub key: Vec<usize>,
    /// The lines, each with as many fields as the header.
    pub lines: Vec<Vec<String>>,
    /// Name of the file.
    pub file: String,
}

/// A ruleset with its includes, params and lookups resolved.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The main file's sections; `params`, `lookups`, `vocabulary` and `machines` of the includes are merged in.
    pub document: Document,
    /// Place of the whole document.
    pub span: Span,
    /// Parameters with their values.
    pub params: Vec<Param>,
    /// Lookup files.
    pub lookups: Vec<Lookup>,
    /// Texts by language models.
    pub texts: Vec<Arc<Texts>>,
}

/// Reads the ruleset in text `file` of `sources`, with everything that it includes.
///
/// `overrides` are parameter values given by the user, as written on the command line. Texts that are read on the way are
/// added to `sources`.
pub fn load(
    sources: &mut Sources,
    file: u32,
    format: Format,
    files: &dyn Files,
    overrides: &[(String, String)],
    problems: &mut Problems,
) -> Option<Loaded> {
    let mut root = read::read(sources, file, format, problems)?;
    let mut includes = Vec::new();
    let mut seen = vec![sources.get(file).name.clone()];
    collect_includes(&root, file, sources, files, &mut seen, &mut includes, problems);

    // Parameters come first: any scalar elsewhere may be one.
    let mut params = Vec::new();
    for node in std::iter::once(&root).chain(&includes) {
        declare_params(node, overrides, &mut params, problems);
    }
    for (name, _) in overrides {
        if !params.iter().any(|p: &Param| p.name == *name) {
            problems.push(
                Diagnostic::error(
                    "unknown-param",
                    None,
                    format!("`--param {name}=…`: the ruleset has no param `{name}`"),
                )
                .help(did_you_mean(name, "params", params.iter().map(|p| p.name.as_str()))),
            );
        }
    }
    for node in std::iter::once(&mut root).chain(&mut includes) {
        substitute_params(node, &params, problems);
    }

    let span = root.span;
    let document = Document::decode(&root, problems);
    let mut lookups = Vec::new();
    let mut shared = Vec::new();
    for node in &includes {
        if let Some(part) = decode_include(node, problems) {
            shared.push((node.span.file, part));
        }
    }
    let mut document = document?;
    check_header(&document, problems);
    load_lookups(&document.lookups, file, sources, files, &mut lookups, problems);
    for (from, part) in shared {
        load_lookups(&part.lookups, from, sources, files, &mut lookups, problems);
        merge(&mut document.vocabulary, part.vocabulary, "vocabulary", problems);
        merge(&mut document.machines, part.machines, "machines", problems);
    }
    let texts = load_texts(&document.texts, &sources.get(file).name, files, problems);
    Some(Loaded { document, span, params, lookups, texts })
}

params! {
    /// What an included file may hold.
    pub struct Include {
        /// Version of the language; 1.
        lookalike: Spanned<Int>,
        /// What the file is for.
        about: Option<String>,
        /// Further files.
        include: Vec<Spanned<String>> = Vec::new(),
        /// Inputs.
        params: Named<ParamDecl>,
        /// Files with facts.
        lookups: Named<LookupDecl>,
        /// Generators under names of their own.
        vocabulary: Named<Node>,
        /// State machines.
        machines: Named<MachineDecl>,
    }
}

fn decode_include(node: &Node, problems: &mut Problems) -> Option<Include> {
    if let Some(entry) = node.as_map().and_then(|m| {
        m.iter().find(|e| ["tables", "seed", "clock", "name", "profiles", "texts"].contains(&e.key.as_str()))
    }) {
        problems.push(
            Diagnostic::error("bad-include", entry.key_span, format!("an included file cannot have `{}`", entry.key))
                .help("an include shares `params`, `lookups`, `vocabulary` and `machines`; tables, texts, profiles, seed and clock belong to the main file"),
        );
        return None;
    }
    let include = Include::decode(node, problems)?;
    check_version(include.lookalike, problems);
    Some(include)
}

fn check_version(version: Spanned<Int>, problems: &mut Problems) {
    if version.value.0 != LANGUAGE_VERSION {
        problems.error(
            "bad-language-version",
            version.span,
            format!("language version {} is not known", version.value.0),
            format!("this program reads version {LANGUAGE_VERSION}: write `lookalike: {LANGUAGE_VERSION}`"),
        );
    }
}

/// Whether `name` can stand in file names on every system.
fn is_file_name(name: &str) -> bool {
    (1..=100).contains(&name.len())
        && name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
        && !name.ends_with('.')
}

fn check_header(document: &Document, problems: &mut Problems) {
    check_version(document.lookalike, problems);
    let file_names = document
        .name
        .iter()
        .map(|name| (name.value.as_str(), name.span))
        .chain(document.tables.0.iter().map(|t| (t.name.as_str(), t.name_span)));
    for (name, span) in file_names {
        if !is_file_name(name) {
            problems.error(
                "bad-name",
                span,
                format!("`{name}` cannot be part of a file name"),
                "names of rulesets and tables start with a letter or digit and have letters, digits, `-`, `_` and `.`, at most 100",
            );
        }
    }
    for table in &document.tables.0 {
        let columns = &table.value.columns.0;
        for draw in &table.value.draws.0 {
            if let Some(column) = columns.iter().find(|c| c.name == draw.name) {
                problems.push(
                    Diagnostic::error(
                        "duplicate-name",
                        draw.name_span,
                        format!("`{}` is a column and a draw", draw.name),
                    )
                    .label("the second")
                    .related(column.name_span, "the first"),
                );
            }
        }
    }
    if document.tables.0.is_empty() && !problems.has_errors() {
        problems.push(
            Diagnostic::error("missing-key", document.lookalike.span, "the ruleset has no tables")
                .help("add `tables: {people: {columns: {id: {sequence: {start: 1}}}}}`"),
        );
    }
}

fn collect_includes(
    node: &Node,
    file: u32,
    sources: &mut Sources,
    files: &dyn Files,
    seen: &mut Vec<String>,
    includes: &mut Vec<Node>,
    problems: &mut Problems,
) {
    // What is wrong with the section's form is reported when the document is decoded.
    let mut ignored = Problems::new();
    let Some(list) = node.get("include").and_then(|n| Vec::<Spanned<String>>::decode(n, &mut ignored)) else {
        return;
    };
    for path in list {
        let from = sources.get(file).name.clone();
        let (name, bytes) = match files.read(&from, &path.value) {
            Ok(found) => found,
            Err(problem) => {
                problems.push(Diagnostic::error(problem.code, path.span, problem.message).help(problem.help));
                continue;
            }
        };
        if seen.contains(&name) {
            // Two files may share an include; a file that includes itself is a mistake.
            if seen[0] == name || name == from {
                problems.error(
                    "include-cycle",
                    path.span,
                    format!("`{name}` includes itself"),
                    "remove this line",
                );
            }
            continue;
        }
        if seen.len() > MAX_INCLUDES {
            problems.error(
                "bad-include",
                path.span,
                "too many includes",
                format!("at most {MAX_INCLUDES} files are read"),
            );
            return;
        }
        seen.push(name.clone());
        let Some(format) = Format::of_path(&name) else {
            problems.error(
                "bad-include",
                path.span,
                format!("`{name}` is not a ruleset"),
                "includes end in .yaml, .yml, .toml or .json",
            );
            continue;
        };
        match read::text_of(bytes, &name) {
            Ok(text) => {
                let index = sources.add(name, text);
                if let Some(included) = read::read(sources, index, format, problems) {
                    collect_includes(&included, index, sources, files, seen, includes, problems);
                    includes.push(included);
                }
            }
            Err(diagnostic) => problems.push(*diagnostic),
        }
    }
}

fn declare_params(
    node: &Node,
    overrides: &[(String, String)],
    params: &mut Vec<Param>,
    problems: &mut Problems,
) {
    // Problems in the section's form are reported when the document is decoded.
    let mut ignored = Problems::new();
    let Some(declared) = node.get("params").and_then(|n| Named::<ParamDecl>::decode(n, &mut ignored)) else {
        return;
    };
    for NamedItem { name, name_span, value: decl, .. } in declared.0 {
        if params.iter().any(|p| p.name == name) {
            problems.error(
                "duplicate-name",
                name_span,
                format!("param `{name}` is declared twice"),
                "remove or rename one",
            );
            continue;
        }
        let given = overrides.iter().rev().find(|(key, _)| *key == name);
        let value = match given {
            Some((_, text)) => Node {
                span: decl.default.span,
                value: Value::Scalar(Scalar {
                    text: text.clone(),
                    quoted: decl.r#type == Type::Text,
                    verbatim: None,
                }),
            },
            None => decl.default.clone(),
        };
        let mut found = Problems::new();
        if literal(&value, decl.r#type, &mut found).is_none() {
            let shown = value.describe();
            let source = if given.is_some() { "given with --param" } else { "the default" };
            problems.push(
                Diagnostic::error(
                    "bad-param",
                    value.span,
                    format!("{shown}, {source} of param `{name}`, is not of type {}", decl.r#type),
                )
                .label(format!("expected {}", decl.r#type)),
            );
            let value = Node { span: value.span, value: Value::Reported };
            params.push(Param { name, ty: decl.r#type, value });
            continue;
        }
        params.push(Param { name, ty: decl.r#type, value });
    }
}

/// Replaces every `{param: name}` by the parameter's value.
fn substitute_params(root: &mut Node, params: &[Param], problems: &mut Problems) {
    fn walk(node: &mut Node, params: &[Param], problems: &mut Problems) {
        let reference = match &node.value {
            Value::Map(entries) => match entries.as_slice() {
                [Entry { key, value, .. }] if key == "param" => {
                    value.as_scalar().map(|s| (s.text.clone(), value.span))
                }
                _ => None,
            },
            _ => None,
        };
        if let Some((name, span)) = reference {
            match params.iter().find(|p| p.name == name) {
                // The place stays that of the use, so that a diagnostic points where the value is wrong.
                Some(param) => node.value = param.value.value.clone(),
                None => {
                    node.value = Value::Reported;
                    problems.error(
                        "unknown-param",
                        span,
                        format!("unknown param `{name}`"),
                        did_you_mean(&name, "params", params.iter().map(|p| p.name.as_str())),
                    );
                }
            }
            if let Value::Scalar(scalar) = &mut node.value {
                scalar.verbatim = None;
            }
            return;
        }
        match &mut node.value {
            Value::List(items) => items.iter_mut().for_each(|item| walk(item, params, problems)),
            Value::Map(entries) => {
                entries.iter_mut().for_each(|entry| walk(&mut entry.value, params, problems))
            }
            Value::Scalar(_) | Value::Reported => {}
        }
    }
    if let Value::Map(entries) = &mut root.value {
        for entry in entries.iter_mut().filter(|entry| entry.key != "params") {
            walk(&mut entry.value, params, problems);
        }
    }
}

/// Reads a scalar as a value of type `ty`.
pub fn literal(node: &Node, ty: Type, problems: &mut Problems) -> Option<Literal> {
    Some(match ty {
        Type::Bool => Literal::Bool(bool::decode(node, problems)?),
        Type::Int => Literal::Int(Int::decode(node, problems)?.0),
        Type::Float | Type::Decimal(_) => Literal::Float(crate::decode::Number::decode(node, problems)?.0),
        Type::Text => Literal::Text(String::decode(node, problems)?),
        Type::Duration => Literal::Duration(Time::decode(node, problems)?.0),
        Type::Date | Type::Datetime => match (ty, Stamp::decode(node, problems)?) {
            (Type::Date, Stamp::Date(days)) => Literal::Date(days),
            (Type::Datetime, stamp @ (Stamp::Date(_) | Stamp::Instant(_))) => {
                Literal::Datetime(stamp.micros(0))
            }
            _ => {
                wrong(
                    node,
                    if ty == Type::Date { "a date such as 2026-01-31" } else { "a fixed date or stamp" },
                    problems,
                );
                return None;
            }
        },
    })
}

/// Reads a scalar as the type that it looks like, by the core schema of YAML 1.2: bool, int or float when plain, else text;
/// a plain date or stamp is a date or datetime.
pub fn guess(scalar: &Scalar) -> Literal {
    let text = scalar.text.as_str();
    if scalar.quoted {
        return Literal::Text(text.to_owned());
    }
    match text {
        "true" | "True" | "TRUE" => return Literal::Bool(true),
        "false" | "False" | "FALSE" => return Literal::Bool(false),
        _ => {}
    }
    if let Ok(int) = text.parse::<i64>() {
        return Literal::Int(int);
    }
    let numeric =
        text.strip_prefix(['-', '+']).unwrap_or(text).starts_with(|c: char| c.is_ascii_digit() || c == '.');
    if numeric && let Ok(float) = text.parse::<f64>() {
        return Literal::Float(float);
    }
    match parse_stamp(text) {
        Some(Stamp::Date(days)) if text.len() == 10 => Literal::Date(days),
        Some(Stamp::Instant(micros)) => Literal::Datetime(micros),
        _ => Literal::Text(text.to_owned()),
    }
}

fn merge<T>(into: &mut Named<T>, from: Named<T>, what: &str, problems: &mut Problems) {
    for item in from.0 {
        if let Some(first) = into.find(&item.name) {
            problems.push(
                Diagnostic::error(
                    "duplicate-name",
                    item.name_span,
                    format!("`{}` is in the {what} twice", item.name),
                )
                .label("the second")
                .related(first.name_span, "the first"),
            );
        } else {
            into.0.push(item);
        }
    }
}

/// Reads the files with texts. One that is not there yet is no mistake: `lookalike texts` makes it.
fn load_texts(
    declared: &Named<TextsDecl>,
    from: &str,
    files: &dyn Files,
    problems: &mut Problems,
) -> Vec<Arc<Texts>> {
    let mut all: Vec<Arc<Texts>> = Vec::new();
    for item in &declared.0 {
        let file = &item.value.file;
        if texts::check(&item.value, problems).is_none() {
            continue;
        }
        let (name, bytes) = match files.read(from, &file.value) {
            Ok((name, bytes)) => (name, Some(bytes)),
            Err(problem) if problem.is_missing => (file.value.clone(), None),
            Err(p) => {
                problems.push(Diagnostic::error(p.code, file.span, p.message).help(p.help));
                continue;
            }
        };
        if let Some(first) = all.iter().find(|texts| texts.decl.file.value == file.value) {
            let message = format!("`{}` keeps the texts of `{}` already", file.value, first.name);
            problems.error("bad-texts", file.span, message, "give each its own file");
            continue;
        }
        all.extend(Texts::read(item, name, bytes, problems).map(Arc::new));
    }
    all
}

/// How many lines a lookup file may have.
pub const MAX_LOOKUP_LINES: usize = 1_000_000;

fn load_lookups(
    declared: &Named<LookupDecl>,
    from: u32,
    sources: &Sources,
    files: &dyn Files,
    lookups: &mut Vec<Lookup>,
    problems: &mut Problems,
) {
    for NamedItem { name, name_span, value: decl, .. } in &declared.0 {
        if lookups.iter().any(|l| l.name == *name) {
            problems.error(
                "duplicate-name",
                *name_span,
                format!("lookup `{name}` is declared twice"),
                "remove or rename one",
            );
            continue;
        }
        match files.read(&sources.get(from).name, &decl.file.value) {
            Ok((file, bytes)) => lookups.extend(read_lookup(name, *name_span, decl, &file, bytes, problems)),
            Err(p) => problems.push(Diagnostic::error(p.code, decl.file.span, p.message).help(p.help)),
        }
    }
}

fn read_lookup(
    name: &str,
    span: Span,
    decl: &LookupDecl,
    file: &str,
    bytes: Vec<u8>,
    problems: &mut Problems,
) -> Option<Lookup> {
    let text = match read::text_of(bytes, file) {
        Ok(text) => text,
        Err(diagnostic) => {
            problems.push(*diagnostic);
            return None;
        }
    };
    let refuse = |message: String, help: &str, problems: &mut Problems| {
        problems.error("bad-lookup", decl.file.span, message, help);
    };
    let mut reader = csv::ReaderBuilder::new().from_reader(text.as_bytes());
    let header: Vec<String> = match reader.headers() {
        Ok(header) => header.iter().map(str::to_owned).collect(),
        Err(error) => {
            refuse(format!("`{file}` is not CSV: {error}"), "the first line names the columns", problems);
            return None;
        }
    };
    let mut key = Vec::new();
    for column in &decl.key {
        match header.iter().position(|h| *h == column.value) {
            Some(at) => key.push(at),
            None => problems.error(
                "bad-lookup",
                column.span,
                format!("`{file}` has no column `{}`", column.value),
                did_you_mean(&column.value, "columns", header.iter().map(String::as_str)),
            ),
        }
    }
    if decl.key.is_empty() || key.len() < decl.key.len() {
        if decl.key.is_empty() {
            problems.error(
                "bad-lookup",
                span,
                format!("lookup `{name}` has an empty key"),
                "name at least one column of the file",
            );
        }
        return None;
    }
    let mut lines: Vec<Vec<String>> = Vec::new();
    let mut seen = std::collections::BTreeMap::new();
    for (at, record) in reader.records().enumerate() {
        let record = match record {
            Ok(record) => record,
            Err(error) => {
                refuse(
                    format!("`{file}`: {error}"),
                    "every line needs as many fields as the header",
                    problems,
                );
                return None;
            }
        };
        if at == MAX_LOOKUP_LINES {
            refuse(
                format!("`{file}` has more than {MAX_LOOKUP_LINES} lines"),
                "lookups are for facts, not for data",
                problems,
            );
            return None;
        }
        let line: Vec<String> = record.iter().map(str::to_owned).collect();
        let this: Vec<String> = key.iter().map(|k| line[*k].clone()).collect();
        if let Some(first) = seen.insert(this.clone(), at + 2) {
            let message = format!("`{file}` has the key {} on lines {first} and {}", this.join(", "), at + 2);
            refuse(message, "keys must be unique", problems);
            return None;
        }
        lines.push(line);
    }
    Some(Lookup { name: name.into(), span, header, key, lines, file: file.into() })
}
