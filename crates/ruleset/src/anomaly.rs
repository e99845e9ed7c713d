//! Anomalies of a table: which rows are spoilt on purpose, and how. Which kinds of anomaly there are is the engine's
//! business; this is the language around them.

use serde_json::json;

use crate::decode::{Count, Decode, Named, NonNegative, Share, Spanned, parse_number, parse_time, wrong};
use crate::diagnostic::Problems;
use crate::node::{Entry, Node};
use crate::{Json, params};

params! {
    /// Rows that are spoilt on purpose, with the truth about them.
    pub struct Anomalies {
        /// Share of the table's rows that get an anomaly, to the row: divided among the kinds by weight.
        rate: Option<Spanned<Share>>,
        /// How many rows get one, instead of `rate`.
        count: Option<Spanned<Count>>,
        /// Whether rows may have several anomalies: each kind then takes rows without looking at the others. Unless given,
        /// no row has more than one.
        overlap: bool = false,
        /// Name of a column that says which anomaly a row has, null for none; several are joined by `+`.
        label: Option<Spanned<String>>,
        /// The anomalies, by name.
        kinds: Named<AnomalyDecl>,
    }
}

params! {
    /// What an anomaly has besides its kind.
    pub struct AnomalyKeys {
        /// What it stands for, for readers.
        about: Option<String>,
        /// Proportion of the anomalous rows, among the anomalies without a `rate` or `count` of their own.
        weight: NonNegative = NonNegative(1.0),
        /// Share of the table's rows that get this one.
        rate: Option<Spanned<Share>>,
        /// How many times it happens: rows, bursts, windows or entities.
        count: Option<Spanned<Count>>,
        /// An expression; only rows for which it holds get this one.
        when: Option<Node>,
        /// How many consecutive rows it takes at a time; `[3, 10]` for between 3 and 10.
        burst: Option<Spanned<Burst>>,
        /// Takes all rows at a time whose value in a column lies in a window of this length.
        window: Option<Spanned<Window>>,
        /// A link, or a column that says whose a row is. With `burst` or `window`, each stays among the rows of one entity, a
        /// parent or a value of the column; alone, it takes all rows of an entity, and `rate` is a share of the entities. Rows
        /// where the column is null are nobody's.
        per: Option<Spanned<String>>,
        /// A column by whose values rows are in order for this anomaly, instead of by their numbers: for `burst`, for the rows
        /// of an entity, and for kinds that look at the rows near by. `{column: at, per: client}` orders the rows of each
        /// entity, which otherwise `per` names. Rows where it is null are in no order and get no burst.
        order: Option<Spanned<OrderBy>>,
        /// Whether it may take rows that have another anomaly, and others rows that have this one.
        overlap: bool = false,
        /// A column's rule that says how bad it is, from 0 to 1; part of the truth, and read as `severity` by its rules.
        severity: Option<Node>,
        /// Helper columns that only this anomaly sees.
        draws: Named<Node>,
        /// With `set`: columns that are made again by their own rules, from the new values.
        recompute: Vec<Spanned<String>> = Vec::new(),
    }
}

impl AnomalyKeys {
    /// The names of the keys.
    pub fn keys() -> impl Iterator<Item = &'static str> {
        AnomalyKeys::fields().into_iter().map(|field| field.name)
    }
}

/// An anomaly: one kind, and keys that every anomaly may have.
#[derive(Clone, Debug)]
pub struct AnomalyDecl {
    /// The common keys.
    pub keys: AnomalyKeys,
    /// What is left: the kind.
    pub kind: Vec<Entry>,
}

impl Decode for AnomalyDecl {
    fn decode(node: &Node, problems: &mut Problems) -> Option<Self> {
        let Some(entries) = node.as_map() else {
            wrong(node, Self::what(), problems);
            return None;
        };
        let common: Vec<&str> = AnomalyKeys::keys().collect();
        let (keys, kind) = entries.iter().cloned().partition(|entry| common.contains(&entry.key.as_str()));
        let keys = Node { span: node.span, value: crate::Value::Map(keys) };
        Some(AnomalyDecl { keys: AnomalyKeys::decode(&keys, problems)?, kind })
    }
    fn what() -> String {
        "an anomaly such as `{set: {Size: 'Size * 10'}}`".into()
    }
    fn schema() -> Json {
        AnomalyKeys::schema()
    }
}

/// By what rows are in order, and whose rows.
#[derive(Clone, Debug)]
pub struct OrderBy {
    /// Column or draw of dates, stamps, lengths of time or numbers.
    pub column: Spanned<String>,
    /// A link, or a column that says whose a row is.
    pub per: Option<Spanned<String>>,
}

params! {
    /// By what rows are in order, and whose rows.
    struct OrderDecl {
        /// Column or draw of dates, stamps, lengths of time or numbers.
        column: Spanned<String>,
        /// A link, or a column that says whose a row is.
        per: Option<Spanned<String>>,
    }
}

impl Decode for OrderBy {
    fn decode(node: &Node, problems: &mut Problems) -> Option<Self> {
        if node.as_scalar().is_some() && !node.is_null() {
            return Some(OrderBy { column: Spanned::decode(node, problems)?, per: None });
        }
        let OrderDecl { column, per } = OrderDecl::decode(node, problems)?;
        Some(OrderBy { column, per })
    }
    fn what() -> String {
        "a column, or `{column: at, per: client}`".into()
    }
    fn schema() -> Json {
        json!({"anyOf": [String::schema(), OrderDecl::schema()]})
    }
}

params! {
    /// Rows whose value in a column lies in a window: of time or of numbers.
    pub struct Window {
        /// Column or draw of dates, stamps, lengths of time or numbers.
        column: Spanned<String>,
        /// How long a window is: a length of time, or a number where the column has numbers.
        length: Spanned<Length>,
    }
}

/// A length of time or a number: which of the two depends on what it measures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Length(String);

impl Length {
    /// In microseconds.
    pub fn time(&self) -> Option<f64> {
        parse_time(&self.0).map(|micros| micros as f64)
    }

    /// As a number.
    pub fn number(&self) -> Option<f64> {
        parse_number(&self.0)
    }
}

impl Decode for Length {
    fn decode(node: &Node, problems: &mut Problems) -> Option<Self> {
        let length = node.as_scalar().map(|scalar| Length(scalar.text.clone()));
        match length.filter(|length| length.time().or(length.number()).is_some_and(|length| length > 0.0)) {
            Some(length) => Some(length),
            None => {
                wrong(node, Self::what(), problems);
                None
            }
        }
    }
    fn what() -> String {
        "a length above 0: of time, such as 2h, or a number".into()
    }
    fn schema() -> Json {
        json!({"type": ["string", "number"]})
    }
}

/// Lengths of runs of rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Burst {
    /// Fewest rows, at least 1.
    pub low: u64,
    /// Most rows.
    pub high: u64,
}

/// Longest burst: all of its rows are made together.
pub const MAX_BURST: u64 = 100_000;

impl Decode for Burst {
    fn decode(node: &Node, problems: &mut Problems) -> Option<Self> {
        let (low, high) = match node.as_list() {
            Some([low, high]) => (Count::decode(low, problems)?.0, Count::decode(high, problems)?.0),
            Some(_) => {
                wrong(node, Self::what(), problems);
                return None;
            }
            None => {
                let Count(rows) = Count::decode(node, problems)?;
                (rows, rows)
            }
        };
        if low == 0 || low > high || high > MAX_BURST {
            let message = format!("a burst of {low} to {high} rows");
            problems.error(
                "bad-value",
                node.span,
                message,
                format!("at least 1 row, at most {MAX_BURST}, the smaller number first"),
            );
            return None;
        }
        Some(Burst { low, high })
    }
    fn what() -> String {
        "a number of rows, or a list of the fewest and the most such as [3, 10]".into()
    }
    fn schema() -> Json {
        json!({"anyOf": [Count::schema(), {"type": "array", "items": Count::schema(), "minItems": 2, "maxItems": 2}]})
    }
}
