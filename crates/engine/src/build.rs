//! From a column's node to a generator: the kind, and the modifiers around it.
//!
//! A column is `{one kind, modifiers}`. Modifiers wrap the kind from outside and in a fixed order, so that no kind deals
//! with them: `truncate` and `unique` are asked of the kind itself; then come `clamp`, `round`, `type`, `only_if` and `null`.

use std::collections::BTreeMap;

use lookalike_core::Seed;
use lookalike_core::declared::{self, Spread};
use lookalike_ruleset::decode::{self, Decode, Int, Number, Pair, Share, Stamp, parse_time};
use lookalike_ruleset::diagnostic::did_you_mean;
use lookalike_ruleset::{Diagnostic, Entry, Json, Node, Problems, Span, Type, Value};
use polars::prelude::*;
use polars_arrow::bitmap::Bitmap;
use serde_json::json;

use crate::array;
use crate::formula::Formula;
use crate::generator::{Block, Demand, Failure, Generator, InputName, Kind, Output, Promise, Site};
use crate::generators::{branches::By, constant::Constant};

/// A key that may stand beside a kind and changes its values.
#[derive(Clone, Copy, Debug)]
pub struct Modifier {
    /// The key.
    pub name: &'static str,
    /// One line.
    pub summary: &'static str,
    /// What follows from it, and where its limits are.
    pub details: &'static str,
    /// A column's value in YAML, complete.
    pub example: &'static str,
}

/// All modifiers.
pub static MODIFIERS: &[Modifier] = &[
    Modifier {
        name: "about",
        summary: "what the column means, for readers",
        details: "It goes into the manifest and the preview, and changes no value.",
        example: "{about: 'Size in GiB', int_range: [1, 100]}",
    },
    Modifier {
        name: "type",
        summary: "the column's type: bool, int, float, decimal(2), text, date, datetime or duration",
        details: "Values are converted: numbers to other numbers (to an int by rounding, half away from zero), a date to a \
                  datetime at midnight and back, bool to int, everything to text. A value that does not fit ends the run \
                  with a message. Without it the kind decides.",
        example: "{log_normal: {median: 80, p95: 1000}, type: int}",
    },
    Modifier {
        name: "null",
        summary: "share of the rows that are null, independently of each other",
        details: "The values that are kept are the ones that stood there without it. In n rows the share varies around p \
                  with a standard deviation of √(p (1 - p) / n).",
        example: "{choice: [red, green], null: 30%}",
    },
    Modifier {
        name: "only_if",
        summary: "an expression; rows for which it does not hold are null",
        details: "A condition that is NULL does not hold. It may read any column or draw that does not depend on this one.",
        example: "{int_range: [1, 365], only_if: flag}",
    },
    Modifier {
        name: "unique",
        summary: "true: no value occurs twice (by construction, for kinds that can enumerate their values)",
        details: "Row i gets the value of a rank that a keyed permutation gives it, so nothing is remembered and rows can be \
                  made alone. More rows than values is an error. For `pattern`, `int_range`, `choice` without weights, \
                  `sequence`, `uuid`, the ranges of dates and times, and the addresses and ids of `person`, `company`, \
                  `internet` and `aws`.",
        example: "{pattern: '[A-Z]{2}-[0-9]{6}', unique: true}",
    },
    Modifier {
        name: "truncate",
        summary: "[low, high]: values follow the law given that they lie in this range",
        details: "The law is cut and scaled up exactly; nothing is thrown away or piled up at the ends. For laws of numbers. \
                  A range that holds next to nothing of the law is an error.",
        example: "{normal: {mean: 100, std_dev: 50}, truncate: [1, 200]}",
    },
    Modifier {
        name: "clamp",
        summary: "[low, high]: values outside are moved to the nearer end",
        details: "Works on any number, computed ones too. It piles values up at the ends; `truncate` does not.",
        example: "{normal: {mean: 100, std_dev: 50}, clamp: [0, 200]}",
    },
    Modifier {
        name: "round",
        summary: "digits after the point, 0 to 9; gives a decimal (0: int) unless `type` says otherwise",
        details: "Half away from zero, as the decimal digits say: 1.005 becomes 1.01. A decimal is written with all its \
                  digits (12.50) and is exact to 15 digits; expressions read it as a float.",
        example: "{uniform: [0, 100], round: 2}",
    },
];

fn is_modifier(key: &str) -> bool {
    MODIFIERS.iter().any(|modifier| modifier.name == key)
}

/// Makes generators from nodes.
pub struct Builder<'a> {
    /// Where problems go.
    pub problems: &'a mut Problems,
    kinds: &'a [&'a [Kind]],
    vocabulary: &'a decode::Named<Node>,
    depth: u32,
    /// What was said of each identity, and where it was said first; `None` where identities are not of one table.
    identities: Option<BTreeMap<String, (String, Span)>>,
}

/// How deep columns may nest in one another and in the vocabulary.
const MAX_NESTING: u32 = 16;

impl<'a> Builder<'a> {
    /// A builder that knows these kinds.
    pub fn new(
        kinds: &'a [&'a [Kind]],
        vocabulary: &'a decode::Named<Node>,
        problems: &'a mut Problems,
    ) -> Builder<'a> {
        Builder { problems, kinds, vocabulary, depth: 0, identities: Some(BTreeMap::new()) }
    }

    /// The builder for generators that are not of one table, so that what they say of identities is not compared.
    #[must_use]
    pub fn without_identities(self) -> Builder<'a> {
        Builder { identities: None, ..self }
    }

    /// Notes what a column says of the locale of an identity; warns where another column says something else.
    pub(crate) fn identity(&mut self, name: &str, said: String, span: Span) {
        let Some(identities) = &mut self.identities else { return };
        let (first, place) = identities.entry(name.to_owned()).or_insert_with(|| (said.clone(), span));
        if *first != said {
            let who = if name.is_empty() { "this row's identity".to_owned() } else { format!("`{name}`") };
            self.problems.push(
                Diagnostic::warning(
                    "two-locales",
                    span,
                    format!("{who} has other locales here than elsewhere"),
                )
                .label("these values will not agree")
                .related(*place, "with these")
                .help("give both the same `locale`, or name them apart with `of`"),
            );
        }
    }

    /// The kind called `name`.
    pub fn kind(&self, name: &str) -> Option<&'a Kind> {
        self.kinds.iter().flat_map(|list| list.iter()).find(|kind| kind.name == name)
    }

    /// Builds a column, or a part of one.
    pub fn spec(&mut self, node: &Node) -> Option<Spec> {
        if self.depth == MAX_NESTING {
            self.problems.error(
                "too-deep",
                node.span,
                "generators are nested too deeply",
                format!("at most {MAX_NESTING} levels; does a vocabulary entry refer to itself?"),
            );
            return None;
        }
        self.depth += 1;
        let spec = self.spec_inner(node);
        self.depth -= 1;
        spec
    }

    fn spec_inner(&mut self, node: &Node) -> Option<Spec> {
        let entries = match &node.value {
            // A scalar is a constant.
            Value::Scalar(_) => return Some(Spec::bare(Box::new(Constant::new(node)), node.span)),
            Value::List(_) => {
                self.problems.push(
                    Diagnostic::error("no-kind", node.span, "a column cannot be a list")
                        .label("expected a kind, such as `{choice: […]}`")
                        .help("to pick one of these values, write `{choice: […]}`"),
                );
                return None;
            }
            Value::Map(entries) => entries,
            Value::Reported => return None,
        };
        let resolved;
        let entries = match entries.iter().find(|entry| entry.key == "ref") {
            Some(reference) => {
                resolved = self.resolve(reference, entries)?;
                resolved.as_slice()
            }
            None => entries.as_slice(),
        };
        let errors_before = self.problems.len();
        let generator = self.generator(node, entries);
        let modifiers = self.modifiers(entries);
        let generator = generator?;
        (self.problems.len() == errors_before || modifiers.is_some()).then_some(())?;
        let mut spec = modifiers?;
        spec.span = node.span;
        spec.inner = generator;
        Some(spec)
    }

    /// The entries of a vocabulary entry, with those beside the `ref` put over them.
    fn resolve(&mut self, reference: &Entry, local: &[Entry]) -> Option<Vec<Entry>> {
        let name = String::decode(&reference.value, self.problems)?;
        let mut seen = vec![name.clone()];
        let mut entries: Vec<Entry> = local.iter().filter(|entry| entry.key != "ref").cloned().collect();
        let mut next = Some((name, reference.value.span));
        while let Some((name, span)) = next.take() {
            let Some(found) = self.vocabulary.find(&name) else {
                self.problems.error(
                    "unknown-vocabulary",
                    span,
                    format!("the vocabulary has no `{name}`"),
                    did_you_mean(&name, "entries", self.vocabulary.names()),
                );
                return None;
            };
            let shared = match &found.value.value {
                Value::Map(shared) => shared.clone(),
                _ => {
                    let key_span = found.value.span;
                    vec![Entry { key: "constant".into(), key_span, value: found.value.clone() }]
                }
            };
            for entry in shared {
                if entry.key == "ref" {
                    let target = String::decode(&entry.value, self.problems)?;
                    if seen.contains(&target) {
                        // A circle was reported when the vocabulary was looked through.
                        return None;
                    }
                    seen.push(target.clone());
                    next = Some((target, entry.value.span));
                } else if !entries.iter().any(|e| e.key == entry.key) {
                    entries.push(entry);
                }
            }
        }
        Some(entries)
    }

    fn generator(&mut self, node: &Node, entries: &[Entry]) -> Option<Box<dyn Generator>> {
        let mut found: Vec<(&Entry, Option<&'a Kind>)> = Vec::new();
        for entry in entries {
            if entry.key == "by" {
                found.push((entry, None));
            } else if let Some(kind) = self.kind(&entry.key) {
                found.push((entry, Some(kind)));
            } else if !is_modifier(&entry.key) && entry.key != "cases" && entry.key != "else" {
                let kinds = self.kinds.iter().flat_map(|list| list.iter()).map(|kind| kind.name);
                let known = kinds
                    .chain(MODIFIERS.iter().map(|modifier| modifier.name))
                    .chain(["ref", "by", "cases", "else"]);
                let help = did_you_mean(&entry.key, "kinds and modifiers", known);
                let help = if help.starts_with("did") {
                    help
                } else {
                    "`lookalike kinds` lists all kinds".to_owned()
                };
                self.problems.push(
                    Diagnostic::error(
                        "unknown-kind",
                        entry.key_span,
                        format!("unknown kind or modifier `{}`", entry.key),
                    )
                    .help(help),
                );
            }
        }
        match found.as_slice() {
            [(entry, None)] => By::build(entry, entries, node.span, self),
            [(entry, Some(kind))] => {
                for stray in entries.iter().filter(|e| e.key == "cases" || e.key == "else") {
                    self.problems.error(
                        "unknown-key",
                        stray.key_span,
                        format!("`{}` needs `by`", stray.key),
                        "write `by: <column>` beside it",
                    );
                }
                (kind.build)(&entry.value, self)
            }
            [] => {
                let unknown = entries.iter().any(|e| self.is_unknown(&e.key));
                if !unknown {
                    self.problems.push(
                        Diagnostic::error("no-kind", node.span, "this column has no kind")
                            .label("nothing here says how to make values")
                            .help("add a kind, such as `choice: [a, b]`; `lookalike kinds` lists them"),
                    );
                }
                None
            }
            [(first, _), (second, _), ..] => {
                self.problems.push(
                    Diagnostic::error("many-kinds", second.key_span, format!("a column has one kind, found `{}` and `{}`", first.key, second.key))
                        .label("the second")
                        .related(first.key_span, "the first")
                        .help("to mix kinds by share, use `mixture`; by the value of another column, `by` and `cases`"),
                );
                None
            }
        }
    }

    fn is_unknown(&self, key: &str) -> bool {
        self.kind(key).is_none() && !["ref", "by", "cases", "else"].contains(&key) && !is_modifier(key)
    }

    /// The modifiers among a column's entries, around a placeholder.
    fn modifiers(&mut self, entries: &[Entry]) -> Option<Spec> {
        let mut spec = Spec::bare(Box::new(Constant::null()), Span::default());
        let mut whole = true;
        for Entry { key, key_span, value } in entries {
            let problems = &mut *self.problems;
            let read = match key.as_str() {
                "about" => String::decode(value, problems).map(|about| spec.about = Some(about)),
                "type" => Type::decode(value, problems).map(|ty| spec.demand.ty = Some(ty)),
                "null" => Share::decode(value, problems).map(|share| spec.null = share.0),
                "only_if" => Formula::parse(value, problems).map(|formula| spec.only_if = Some(formula)),
                "unique" => bool::decode(value, problems)
                    .map(|unique| spec.demand.unique = unique.then_some(*key_span)),
                "truncate" => limits(value, problems)
                    .map(|(low, high)| spec.demand.truncate = Some((low, high, value.span))),
                "clamp" => limits(value, problems).map(|range| spec.clamp = Some(range)),
                "round" => match Int::decode(value, problems) {
                    Some(Int(digits @ 0..=9)) => {
                        spec.round = Some(digits as u8);
                        Some(())
                    }
                    Some(Int(other)) => {
                        decode::out_of_range(value.span, other, "expected 0 to 9 digits", problems);
                        None
                    }
                    None => None,
                },
                _ => Some(()),
            };
            whole &= read.is_some();
        }
        whole.then_some(spec)
    }
}

/// Reports circles among vocabulary entries, each once.
pub fn check_vocabulary(vocabulary: &decode::Named<Node>, problems: &mut Problems) {
    let mut done: Vec<&str> = Vec::new();
    for item in &vocabulary.0 {
        let mut path: Vec<&decode::NamedItem<Node>> = Vec::new();
        let mut next = Some(item);
        while let Some(item) = next.filter(|item| !done.contains(&item.name.as_str())) {
            if let Some(start) = path.iter().position(|p| p.name == item.name) {
                let circle: Vec<&str> =
                    path[start..].iter().chain([&item]).map(|p| p.name.as_str()).collect();
                let message =
                    format!("vocabulary entries refer to each other in a circle: {}", circle.join(" → "));
                problems.error(
                    "dependency-cycle",
                    item.name_span,
                    message,
                    "one of them needs a kind of its own",
                );
                break;
            }
            path.push(item);
            let target = item.value.get("ref").and_then(Node::as_scalar);
            next = target.and_then(|target| vocabulary.find(&target.text));
        }
        done.extend(path.iter().map(|p| p.name.as_str()));
    }
}

/// A column as part of a kind's parameters; [`Builder::spec`] reads it.
#[derive(Clone, Debug)]
pub struct Part(pub Node);

impl Decode for Part {
    fn decode(node: &Node, _: &mut Problems) -> Option<Self> {
        Some(Part(node.clone()))
    }
    fn what() -> String {
        "a generator: anything that can stand as a column".into()
    }
    fn schema() -> Json {
        json!({"$ref": "#/$defs/column"})
    }
}

/// The ends of a range for `truncate` and `clamp`: numbers, or lengths of time in microseconds.
fn limits(node: &Node, problems: &mut Problems) -> Option<(f64, f64)> {
    let as_times = node.as_list().filter(|l| l.len() == 2).and_then(|l| {
        let end = |n: &Node| n.as_scalar().and_then(|s| parse_time(&s.text)).map(|t| t as f64);
        Some((end(&l[0])?, end(&l[1])?))
    });
    let (low, high) = match as_times {
        Some(times) => times,
        None => Pair::<Number>::decode(node, problems).map(|Pair(low, high)| (low.0, high.0))?,
    };
    if low > high {
        problems.push(
            Diagnostic::error("bad-value", node.span, format!("the range runs from {low} down to {high}"))
                .help("write the smaller number first"),
        );
        return None;
    }
    Some((low, high))
}

/// A generator with its modifiers: a whole column, or a part of one.
pub struct Spec {
    inner: Box<dyn Generator>,
    /// Place in the ruleset.
    pub span: Span,
    /// The user's words about it.
    pub about: Option<String>,
    demand: Demand,
    clamp: Option<(f64, f64)>,
    round: Option<u8>,
    only_if: Option<Formula>,
    null: f64,
    null_seed: Option<Seed>,
    from: Type,
    to: Type,
    /// Whether the generator itself can give null.
    inner_nullable: bool,
}

impl Spec {
    /// A generator without modifiers.
    pub(crate) fn bare(inner: Box<dyn Generator>, span: Span) -> Spec {
        Spec {
            inner,
            span,
            about: None,
            demand: Demand::default(),
            clamp: None,
            round: None,
            only_if: None,
            null: 0.0,
            null_seed: None,
            from: Type::Text,
            to: Type::Text,
            inner_nullable: false,
        }
    }

    /// Converts the values to this type, unless the user says another.
    pub(crate) fn become_type(&mut self, ty: Type) {
        self.demand.ty = self.demand.ty.or(Some(ty));
    }

    /// The type that the user says.
    pub(crate) fn declared_type(&self) -> Option<Type> {
        self.demand.ty
    }

    /// Whether the values are declared free of repetitions.
    pub fn is_unique(&self) -> bool {
        self.demand.unique.is_some()
    }

    /// Whether the values, before `only_if` and `null`, follow from the column's own draws alone.
    pub(crate) fn stands_alone(&self) -> bool {
        let mut inputs = Vec::new();
        self.inner.inputs(&mut inputs);
        inputs.is_empty()
    }

    /// The values before `only_if` and `null`.
    pub(crate) fn values(&self, block: &Block<'_>) -> Result<Series, Failure> {
        let series = self.inner.fill(block)?;
        if self.clamp.is_some() || self.round.is_some() || self.from != self.to {
            return self.convert(series);
        }
        Ok(series)
    }
}

/// What a column or a part of one promises, for validation.
impl Spec {
    /// What the generator promises, with the modifiers that change values.
    pub(crate) fn promise(&self) -> Promise<'_> {
        match self.inner.promise() {
            Promise::Drawn(promise) => Promise::Drawn(self.modified(promise)),
            other => other,
        }
    }

    /// The promise of a rule whose values are drawn and never null.
    pub(crate) fn drawn_always(&self) -> Option<declared::Promise> {
        match self.promise() {
            Promise::Drawn(promise) if self.null == 0.0 && self.only_if.is_none() && !self.inner_nullable => {
                Some(promise)
            }
            _ => None,
        }
    }

    /// Whether there is no chance in the column, nulls included.
    pub(crate) fn is_computed(&self) -> bool {
        self.null == 0.0
            && match self.inner.promise() {
                Promise::Computed => true,
                Promise::Cases(cases) => cases.specs().iter().all(Spec::is_computed),
                _ => false,
            }
    }

    /// Whether values hang on the row's number beyond its draws, or share draws with other rows.
    pub(crate) fn has_place(&self) -> bool {
        self.inner.has_place()
            || matches!(self.inner.promise(), Promise::Cases(cases) if cases.specs().iter().any(Spec::has_place))
    }

    /// Whether no value comes twice by the generator alone, and modifiers leave the values as they are.
    pub(crate) fn never_repeats(&self) -> bool {
        let plain = self.from == self.to && self.clamp.is_none() && self.round.is_none();
        plain && self.inner.never_repeats()
    }

    /// The number of the column whose values these are, unchanged where they are not null.
    pub(crate) fn copies(&self) -> Option<usize> {
        let plain = self.from == self.to && self.clamp.is_none() && self.round.is_none();
        self.inner.copies().filter(|_| plain).map(|id| id.0)
    }

    /// Share of the rows that the modifier `null` makes null.
    pub(crate) fn null(&self) -> f64 {
        self.null
    }

    /// Whether the generator itself can give null.
    pub(crate) fn inner_nullable(&self) -> bool {
        self.inner_nullable
    }

    /// The condition of `only_if`.
    pub(crate) fn only_if(&self) -> Option<&Formula> {
        self.only_if.as_ref()
    }

    /// The generator without its modifiers.
    pub(crate) fn inner(&self) -> &dyn Generator {
        &*self.inner
    }

    /// Values of the generator, or of a part of it, with the modifiers that change values.
    pub(crate) fn modify(&self, series: Series) -> Result<Series, Failure> {
        let series = series.cast(&array::dtype_of(self.from))?;
        if self.clamp.is_some() || self.round.is_some() || self.from != self.to {
            return self.convert(series);
        }
        Ok(series)
    }

    /// The promise of the generator, or of a part of it, with the modifiers that change values.
    pub(crate) fn modified(&self, promise: declared::Promise) -> declared::Promise {
        let numeric = |ty: Type| ty.is_number() || ty == Type::Duration;
        match promise {
            declared::Promise::Spread(spread) if numeric(self.from) && numeric(self.to) => {
                let mut spread = spread;
                if let Some((low, high)) = self.clamp {
                    spread = Spread::Clamped { of: Box::new(spread), low, high };
                }
                let step = match (self.to, self.round) {
                    (Type::Int | Type::Duration, _) if matches!(self.from, Type::Int | Type::Duration) => {
                        None
                    }
                    (Type::Int | Type::Duration, _) => Some(0),
                    (Type::Decimal(scale), digits) => Some(digits.unwrap_or(scale).min(scale)),
                    (_, digits) => digits,
                };
                if let Some(digits) = step {
                    spread = Spread::Rounded { of: Box::new(spread), step: 0.1f64.powi(i32::from(digits)) };
                }
                declared::Promise::Spread(spread)
            }
            // What is rounded or cut is no longer the sum.
            declared::Promise::Around(_) if self.clamp.is_some() || self.round.is_some() => {
                declared::Promise::Nothing
            }
            same if self.from == self.to => same,
            _ => declared::Promise::Nothing,
        }
    }
}

impl Generator for Spec {
    fn inputs(&self, inputs: &mut Vec<InputName>) {
        self.inner.inputs(inputs);
        if let Some(only_if) = &self.only_if {
            only_if.inputs(inputs);
        }
    }

    fn prepare(&mut self, site: &mut Site<'_>) -> Option<Output> {
        // What an outer part demands of this one goes on to the generator, unless this part says otherwise itself.
        let demand = Demand {
            unique: self.demand.unique.or(site.demand.unique),
            truncate: self.demand.truncate.or(site.demand.truncate),
            words: site.demand.words,
            ty: self.demand.ty.or(site.demand.ty),
        };
        let mut inner_site = site.part(site.seed, self.span, demand);
        let mut output = self.inner.prepare(&mut inner_site);
        // What the generator took from the demand is done; the rest it cannot do.
        let left = inner_site.demand;
        if output.is_some() {
            if let Some(span) = left.unique {
                site.problems.error(
                    "cannot-be-unique",
                    span,
                    "this kind cannot promise unique values",
                    "use `pattern`, `sequence`, `int_range`, `uuid` or a list of `choice` without weights",
                );
                output = None;
            }
            if let Some((_, _, span)) = left.truncate {
                site.problems.error(
                    "unsupported-modifier",
                    span,
                    "this kind cannot be truncated",
                    "`truncate` works on laws of numbers; `clamp` moves values to the ends of a range",
                );
                output = None;
            }
            if let Some((_, span)) = left.words {
                site.problems.error(
                    "cannot-correlate",
                    span,
                    "this column's kind cannot be correlated",
                    "members are numbers by a law, `int_range`, the ranges of dates and times, `events` in random order, and `choice`; \
                     none with `unique`",
                );
                output = None;
            }
        }
        site.demand = Demand::default();
        if self.null > 0.0 {
            self.null_seed = Some(site.seed.derive("null"));
        }
        let condition = match &mut self.only_if {
            Some(only_if) => only_if.prepare_condition("only_if", site),
            None => Some(()),
        };
        let mut output = output?;
        condition?;
        self.from = output.ty;
        self.inner_nullable = output.nullable;
        let modified = self.clamp.is_some() || self.round.is_some();
        if modified && !(output.ty.is_number() || output.ty == Type::Duration) {
            site.problems.error(
                "unsupported-modifier",
                self.span,
                format!("`clamp` and `round` work on numbers, not on {}", output.ty),
                "remove the modifier",
            );
            return None;
        }
        self.to = match (self.demand.ty, self.round) {
            (Some(ty), _) => ty,
            (None, Some(0)) => Type::Int,
            (None, Some(digits)) => Type::Decimal(digits),
            (None, None) => output.ty,
        };
        if !can_become(self.from, self.to) {
            site.problems.push(
                Diagnostic::error(
                    "wrong-type",
                    self.span,
                    format!("values of type {} cannot become {}", self.from, self.to),
                )
                .help("change `type` or the kind"),
            );
            return None;
        }
        if self.to != self.from {
            output.categories = None;
            output.ty = self.to;
            output.plain = self.to == Type::Text;
            output.json = false;
        }
        output.nullable |= self.null > 0.0 || self.only_if.is_some();
        Some(output)
    }

    fn fill(&self, block: &Block<'_>) -> Result<Series, Failure> {
        let mut series = self.values(block)?;
        if let Some(only_if) = &self.only_if {
            series = array::keep_where(series, only_if.evaluate(block)?.bool()?)?;
        }
        if let Some(seed) = self.null_seed {
            series = array::with_validity(series, kept(seed, self.null, block))?;
        }
        Ok(series)
    }
}

/// The rows that are not made null.
fn kept(seed: Seed, share: f64, block: &Block<'_>) -> Bitmap {
    let mut words = Vec::new();
    seed.stream().with_attempt(block.attempt).fill_words(block.rows, 0, &mut words);
    let limit = crate::pick::threshold(share);
    Bitmap::from_trusted_len_iter(words.iter().map(|word| u128::from(*word) >= limit))
}

/// Whether values of type `from` can be turned into `to`.
fn can_become(from: Type, to: Type) -> bool {
    from == to
        || (from.is_number() && to.is_number())
        || to == Type::Text
        || matches!(
            (from, to),
            (Type::Date, Type::Datetime) | (Type::Datetime, Type::Date) | (Type::Bool, Type::Int)
        )
        || (from.is_number() && to == Type::Duration)
}

impl Spec {
    /// Carries out `clamp`, `round` and `type`.
    fn convert(&self, series: Series) -> Result<Series, Failure> {
        let numeric = |ty: Type| ty.is_number() || ty == Type::Duration;
        if !(numeric(self.from) && numeric(self.to)) {
            return to_type(series, self.from, self.to);
        }
        let whole =
            matches!(self.from, Type::Int | Type::Duration) && matches!(self.to, Type::Int | Type::Duration);
        if whole {
            // Whole numbers stay exact over 64 bits.
            let physical = series.to_physical_repr();
            let column = physical.i64()?;
            let values = match self.clamp {
                Some((low, high)) => column.apply_values(|v| v.clamp(low.ceil() as i64, high.floor() as i64)),
                None => column.clone(),
            };
            return Ok(values.into_series().cast(&array::dtype_of(self.to))?);
        }
        let floats = series.to_physical_repr();
        let floats = match self.from {
            Type::Decimal(_) => series.cast(&DataType::Float64)?,
            _ => floats.cast(&DataType::Float64)?,
        };
        let column = floats.f64()?;
        let clamp = |v: f64| self.clamp.map_or(v, |(low, high)| v.clamp(low, high));
        let digits = self.round.unwrap_or(0);
        match self.to {
            Type::Float => {
                let factor = 10f64.powi(i32::from(digits));
                let round = self.round.is_some();
                Ok(column
                    .apply_values(|v| if round { (clamp(v) * factor).round() / factor } else { clamp(v) })
                    .into_series())
            }
            Type::Int | Type::Duration => {
                let values: Int64Chunked =
                    column.apply_nonnull_values_generic(DataType::Int64, |v| clamp(v).round() as i64);
                check_fits(column, 1.0, I64_LIMIT, self.to)?;
                Ok(values.into_series().cast(&array::dtype_of(self.to))?)
            }
            Type::Decimal(scale) => {
                let digits = self.round.unwrap_or(scale).min(scale);
                let coarse = 10i128.pow(u32::from(scale - digits));
                let factor = 10f64.powi(i32::from(digits));
                check_fits(column, factor, EXACT, self.to)?;
                let values: Int128Chunked = column.apply_nonnull_values_generic(DataType::Int128, |v| {
                    array::half_away(clamp(v) * factor) as i128 * coarse
                });
                Ok(values.into_decimal_unchecked(array::DECIMAL_PRECISION, scale as usize).into_series())
            }
            other => Err(Failure::new(format!("numbers cannot become {other}"))),
        }
    }
}

/// Whole floats are exact up to here.
const EXACT: f64 = 9_007_199_254_740_992.0;
const I64_LIMIT: f64 = 9_223_372_036_854_775_000.0;

fn check_fits(column: &Float64Chunked, factor: f64, limit: f64, ty: Type) -> Result<(), Failure> {
    match (column.min(), column.max()) {
        (Some(min), Some(max)) if min * factor < -limit || max * factor > limit => {
            let value = if max * factor > limit { max } else { min };
            Err(Failure::new(format!(
                "the value {value:e} does not fit type {ty}; bound the column with `truncate` or `clamp`"
            )))
        }
        _ => Ok(()),
    }
}

fn to_type(series: Series, from: Type, to: Type) -> Result<Series, Failure> {
    if to == Type::Text && matches!(from, Type::Datetime | Type::Duration) {
        // The same text as the text formats write.
        let physical = series.to_physical_repr();
        let text = |micros: i64| match from {
            Type::Datetime => stamp_text(micros),
            _ => jiff::SignedDuration::from_micros(micros).to_string(),
        };
        let values: StringChunked = physical.i64()?.iter().map(|v| v.map(text)).collect();
        return Ok(values.into_series());
    }
    Ok(series.cast(&array::dtype_of(to))?)
}

/// A stamp in RFC 3339.
pub(crate) fn stamp_text(micros: i64) -> String {
    jiff::Timestamp::from_microsecond(micros)
        .map_or_else(|_| format!("{micros} us"), |stamp| stamp.to_string())
}

/// A stamp that may depend on the clock, as microseconds; with a diagnostic where the clock is needed and missing.
pub fn resolve_stamp(stamp: Stamp, site: &mut Site<'_>) -> Option<i64> {
    match stamp {
        Stamp::Clock(_) => site.clock().map(|clock| stamp.micros(clock)),
        fixed => Some(fixed.micros(0)),
    }
}
