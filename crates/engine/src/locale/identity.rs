//! Identities: what several columns of a row say about one and the same person, place or firm.
//!
//! An identity is a name under the table's seed. Columns of the same identity and the same locales draw from the same streams,
//! so they agree by construction, without knowing of each other.

use std::borrow::Cow;
use std::sync::Arc;

use lookalike_core::stream::below;
use lookalike_core::{Permutation, Seed, Stream};
use lookalike_ruleset::decode::{Decode, FieldDoc, Spanned, wrong};
use lookalike_ruleset::{Diagnostic, Json, Node, Problems, Span, Type, Value};
use polars::prelude::Series;
use polars_arrow::bitmap::Bitmap;
use serde_json::json;

use super::{DEFAULT, LOCALES, Locale};
use crate::array;
use crate::build::Builder;
use crate::generator::{Block, Categories, Failure, InputId, InputName, Site};
use crate::generators::choice::read_weights;
use crate::pick::Pick;

/// Locales with their weights.
#[derive(Clone, Debug)]
pub(crate) struct Locales {
    locales: Vec<&'static Locale>,
    weights: Option<Vec<f64>>,
}

impl Locales {
    fn default() -> Locales {
        Locales { locales: vec![Locale::find(DEFAULT).expect("the default is a locale")], weights: None }
    }

    /// The same for equal locales with equal shares.
    fn fingerprint(&self) -> String {
        let names: Vec<&str> = self.locales.iter().map(|locale| locale.name).collect();
        format!("{} {:?}", names.join(", "), self.weights)
    }
}

impl Decode for Locales {
    fn decode(node: &Node, problems: &mut Problems) -> Option<Self> {
        let mut find = |name: &str, span: Span| match Locale::find(name) {
            Ok(locale) => Some(locale),
            Err(help) => {
                problems.error("bad-value", span, format!("`{name}` is not a locale"), help);
                None
            }
        };
        match &node.value {
            Value::Scalar(scalar) => {
                Some(Locales { locales: vec![find(&scalar.text, node.span)?], weights: None })
            }
            Value::List(items) if !items.is_empty() => {
                let mut locales = Vec::with_capacity(items.len());
                for item in items {
                    match item.as_scalar() {
                        Some(scalar) => locales.push(find(&scalar.text, item.span)),
                        None => {
                            wrong(item, "a locale such as de_DE", problems);
                            return None;
                        }
                    }
                }
                Some(Locales { locales: locales.into_iter().collect::<Option<_>>()?, weights: None })
            }
            Value::Map(entries) if !entries.is_empty() => {
                let locales: Vec<_> = entries.iter().map(|entry| find(&entry.key, entry.key_span)).collect();
                let weights: Vec<&Node> = entries.iter().map(|entry| &entry.value).collect();
                let weights = read_weights(&weights, node.span, problems);
                Some(Locales {
                    locales: locales.into_iter().collect::<Option<_>>()?,
                    weights: Some(weights?),
                })
            }
            _ => {
                wrong(node, Self::what(), problems);
                None
            }
        }
    }
    fn what() -> String {
        "a locale such as de_DE, a list of locales, or a mapping from locales to shares".into()
    }
    fn schema() -> Json {
        let names: Vec<&str> = LOCALES.iter().map(|locale| locale.name).collect();
        let one = json!({"enum": names});
        let weight = json!({"anyOf": [{"type": "number", "minimum": 0}, {"type": "string"}]});
        json!({"anyOf": [
            one,
            {"type": "array", "items": one, "minItems": 1},
            {"type": "object", "propertyNames": one, "additionalProperties": weight, "minProperties": 1},
        ]})
    }
}

/// Who or what a column speaks of, as written.
#[derive(Clone, Debug, Default)]
pub(crate) struct Who {
    of: Option<Spanned<String>>,
    locale: Option<Spanned<Locales>>,
    by: Option<Spanned<String>>,
}

impl Who {
    /// From the parameters of those names; adds what is wrong with them, and a warning where a column before said
    /// something else of the same identity.
    pub fn new(
        of: Option<Spanned<String>>,
        locale: Option<Spanned<Locales>>,
        by: Option<Spanned<String>>,
        span: Span,
        builder: &mut Builder<'_>,
    ) -> Option<Who> {
        if let (Some(locale), Some(by)) = (&locale, &by) {
            builder.problems.push(
                Diagnostic::error("bad-value", by.span, "the locale is said twice")
                    .label("names a column with the locale")
                    .related(locale.span, "says the locale")
                    .help("remove one of `locale` and `by`"),
            );
            return None;
        }
        let name = of.as_ref().map_or("", |of| of.value.as_str());
        let said = match (&locale, &by) {
            (_, Some(by)) => format!("by {}", by.value),
            (Some(locale), None) => locale.value.fingerprint(),
            (None, None) => Locales::default().fingerprint(),
        };
        builder.identity(name, said, span);
        Some(Who { of, locale, by })
    }

    /// Adds the column that says the locale.
    pub fn inputs(&self, inputs: &mut Vec<InputName>) {
        inputs.extend(self.by.iter().map(|by| InputName { name: by.value.clone(), span: by.span }));
    }

    /// Gets ready; `None` after adding a problem.
    pub fn prepare(&self, site: &mut Site<'_>) -> Option<Identity> {
        let name = self.of.as_ref().map_or("", |of| of.value.as_str());
        let seed = site.table.derive("identity").derive(name);
        if let Some(by) = &self.by {
            return by_column(by, seed, site);
        }
        let Locales { locales, weights } =
            self.locale.as_ref().map_or_else(Locales::default, |locale| locale.value.clone());
        let source = if locales.len() == 1 {
            Source::One
        } else {
            Source::Drawn(seed.derive("locale").stream(), weights.as_deref().map(Pick::new))
        };
        Some(Identity { seed, locales, nullable: false, source })
    }
}

fn by_column(by: &Spanned<String>, seed: Seed, site: &mut Site<'_>) -> Option<Identity> {
    let (input, output) = site.input(&by.value)?;
    let refuse = |message: String, help: String| {
        Diagnostic::error("bad-value", by.span, message).label("should say the locale").help(help)
    };
    let Some(categories) = output.categories.filter(|_| output.ty == Type::Text) else {
        site.problems.push(refuse(
            format!("the values of `{}` are not known beforehand", by.value),
            "use a column that chooses among locales, such as `{choice: {de_DE: 60%, fr_FR: 40%}}`".into(),
        ));
        return None;
    };
    let mut locales = Vec::new();
    for value in categories.values() {
        match Locale::find(value) {
            Ok(locale) => locales.push(locale),
            Err(help) => {
                let message =
                    format!("`{}` can be `{}`, which is not a locale", by.value, value.escape_debug());
                site.problems.push(refuse(message, help));
                return None;
            }
        }
    }
    Some(Identity { seed, locales, nullable: output.nullable, source: Source::Column(input) })
}

/// An identity, ready to be asked.
#[derive(Debug)]
pub(crate) struct Identity {
    seed: Seed,
    /// The locales that occur; rows name them by their place here.
    pub locales: Vec<&'static Locale>,
    /// Whether rows can be without a locale.
    pub nullable: bool,
    source: Source,
}

#[derive(Debug)]
enum Source {
    One,
    Drawn(Stream, Option<Pick>),
    Column(InputId),
}

impl Identity {
    /// Which of the locales each row has, and which rows have one if some have none.
    ///
    /// # Errors
    /// When polars fails.
    pub fn locales_of(&self, block: &Block<'_>) -> Result<(Vec<u32>, Option<Bitmap>), Failure> {
        Ok(match &self.source {
            Source::One => (vec![0; block.len()], None),
            Source::Drawn(stream, pick) => {
                let mut locales = Vec::with_capacity(block.len());
                let count = self.locales.len() as u64;
                stream.with_attempt(block.attempt).for_each_word(block.rows, 0, |word| {
                    locales.push(
                        pick.as_ref().map_or_else(|| below(word, count) as u32, |pick| pick.pick(word)),
                    );
                });
                (locales, None)
            }
            Source::Column(input) => {
                let codes = array::codes_of(&block.input(*input))?;
                let validity = codes
                    .contains(&None)
                    .then(|| Bitmap::from_trusted_len_iter(codes.iter().map(Option::is_some)));
                (codes.into_iter().map(Option::unwrap_or_default).collect(), validity)
            }
        })
    }

    /// The random word of each row for one purpose: the same for all columns of the identity.
    pub fn words(&self, purpose: &str, block: &Block<'_>) -> Vec<u64> {
        let mut words = Vec::new();
        let stream = self.seed.derive(purpose).stream().with_attempt(block.attempt);
        stream.fill_words(block.rows, 0, &mut words);
        words
    }

    /// The seed for one purpose.
    pub fn seed(&self, purpose: &str) -> Seed {
        self.seed.derive(purpose)
    }
}

/// A number for each row that no other row has, as short as it may be: rows below a thousand share the numbers below a
/// thousand, those below a million the next, and so on; within each, order is lost. So the number of rows changes none.
#[derive(Debug)]
pub(crate) struct Counter(Vec<Permutation>);

impl Counter {
    /// Rows that are told apart.
    pub const ROWS: u64 = 1_000_000_000_000_000;

    /// The numbers that a seed chooses.
    pub fn new(seed: Seed) -> Counter {
        let levels = (1..=5).map(|level| {
            let (low, high) = (Self::low(level - 1), Self::low(level));
            Permutation::new(high - low, seed.derive_index(u64::from(level)))
        });
        Counter(levels.collect())
    }

    fn low(level: u32) -> u64 {
        if level == 0 { 0 } else { 1000u64.pow(level) }
    }

    /// The number of a row below [`ROWS`](Self::ROWS).
    pub fn apply(&self, row: u64) -> u64 {
        let level = (1..5).take_while(|level| row >= Self::low(*level)).count() as u32;
        let low = Self::low(level);
        low + self.0[level as usize].apply(row - low)
    }
}

/// A part by itself, or a mapping with it: the two ways to write the kinds that give parts of an identity.
#[derive(Clone, Debug)]
pub(crate) enum OrShort<P, L> {
    Short(P),
    Long(L),
}

impl<P, L: From<P>> OrShort<P, L> {
    /// The mapping.
    pub fn long(self) -> L {
        match self {
            OrShort::Short(part) => part.into(),
            OrShort::Long(long) => long,
        }
    }
}

impl<P: Decode, L: Decode> Decode for OrShort<P, L> {
    fn decode(node: &Node, problems: &mut Problems) -> Option<Self> {
        match &node.value {
            Value::Map(_) => L::decode(node, problems).map(OrShort::Long),
            _ => P::decode(node, problems).map(OrShort::Short),
        }
    }
    fn what() -> String {
        format!("{}; or {}", P::what(), L::what())
    }
    fn schema() -> Json {
        json!({"anyOf": [P::schema(), L::schema()]})
    }
    fn fields() -> Vec<FieldDoc> {
        L::fields()
    }
}

/// A column of categories from a code for each row, without those that are not valid.
pub(crate) fn write_codes(
    codes: impl Iterator<Item = u32>,
    categories: &Arc<Categories>,
    validity: Option<Bitmap>,
) -> Result<Series, Failure> {
    let series = array::codes(codes, categories);
    match validity {
        Some(bits) => array::with_validity(series, bits),
        None => Ok(series),
    }
}

/// Values by locale as one list of categories: the code of value j of list i is `codes[i][j]`.
pub(crate) fn categories_of<'a, T: Into<Cow<'a, str>>>(
    lists: impl IntoIterator<Item = Vec<T>>,
) -> (Arc<Categories>, Vec<Vec<u32>>) {
    let mut values: Vec<String> = Vec::new();
    let mut index = std::collections::BTreeMap::new();
    let mut code = |value: T| {
        let value: Cow<'a, str> = value.into();
        *index.entry(value.to_string()).or_insert_with(|| {
            values.push(value.into_owned());
            values.len() as u32 - 1
        })
    };
    let codes = lists.into_iter().map(|list| list.into_iter().map(&mut code).collect()).collect();
    (Categories::new(values), codes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_give_every_number_once_and_short_ones_first() {
        let counter = Counter::new(Seed::new(1));
        let mut first: Vec<u64> = (0..1000).map(|row| counter.apply(row)).collect();
        assert_ne!(first[..3], [0, 1, 2]);
        first.sort_unstable();
        assert!(first.into_iter().eq(0..1000));
        let next: std::collections::BTreeSet<u64> = (1000..20_000).map(|row| counter.apply(row)).collect();
        assert_eq!(next.len(), 19_000);
        assert!(next.iter().all(|number| (1000..1_000_000).contains(number)));
        assert!(counter.apply(Counter::ROWS - 1) < Counter::ROWS);
    }
}
