//! The rules of a release, as written.

use lookalike_ruleset::decode::{Count, Decode, Int, Named, Number, Positive, Share, Spanned, wrong};
use lookalike_ruleset::{Json, Node, Problems, params, words};
use serde_json::json;

words! {
    /// What is computed.
    pub enum Statistic {
        /// How many rows.
        Count = "count",
        /// The sum of a column.
        Sum = "sum",
        /// The mean of a column.
        Mean = "mean",
        /// Quantiles of a column.
        Quantiles = "quantiles",
        /// How many rows have a value in each bin.
        Histogram = "histogram",
    }
}

words! {
    /// What is added.
    pub enum NoiseKind {
        /// Discrete Gaussian noise: less of it where many figures are released.
        Gaussian = "gaussian",
        /// Discrete Laplace noise: pure differential privacy by itself.
        Laplace = "laplace",
    }
}

params! {
    /// What to release of a private table.
    pub struct Rules {
        /// Version of the language; 1.
        lookalike: Spanned<Int>,
        /// What the release is for, for readers.
        about: Option<String>,
        /// Name of the table whose budget it is; unless given, a file with the same bytes is the same table.
        table: Option<Spanned<String>>,
        /// Whom the promise is made to; a row, unless given.
        unit: Option<UnitRule>,
        /// What is public of the columns that are used.
        columns: Named<ColumnRule>,
        /// What to release.
        releases: Named<ReleaseRule>,
    }
}

params! {
    /// The unit of privacy.
    pub struct UnitRule {
        /// The column that names the unit; a row is the unit, unless given.
        column: Option<Spanned<String>>,
        /// The most rows of a unit that are counted; the others are left out at random.
        max_rows: Option<Spanned<Count>>,
        /// The most groups that a unit is counted in.
        max_groups: Option<Spanned<Count>>,
        /// The most rows of a unit that are counted in one group.
        max_rows_per_group: Option<Spanned<Count>>,
        /// How many units there are at most, as is known to everybody. Delta is held against it.
        at_most: Option<Spanned<Count>>,
        /// Where these bounds come from.
        about: Option<String>,
    }
}

params! {
    /// What is public of a column.
    pub struct ColumnRule {
        /// The values that a column of groups can have, as is known to everybody; or `discover`.
        values: Option<Spanned<Values>>,
        /// Least value that is counted as it is.
        min: Option<Spanned<Number>>,
        /// Greatest value that is counted as it is.
        max: Option<Spanned<Number>>,
        /// What values are rounded to a multiple of.
        step: Positive = Positive(1.0),
    }
}

params! {
    /// A release.
    pub struct ReleaseRule {
        /// What is computed: `count`, `sum`, `mean`, `quantiles` or `histogram`.
        statistic: Spanned<Statistic>,
        /// The column that it is computed of; none for a count.
        of: Option<Spanned<String>>,
        /// Columns that make the groups. Two or more make a contingency table.
        by: Vec<Spanned<String>> = Vec::new(),
        /// Quantiles: which.
        at: Vec<Share> = vec![Share(0.25), Share(0.5), Share(0.75)],
        /// Histogram and quantiles: the bounds of the bins, rising; for quantiles unless given 64 equal ones.
        bins: Option<Spanned<Vec<Number>>>,
        /// Its part of the budget, beside the other releases' parts.
        share: Positive = Positive(1.0),
        /// What is added: `gaussian` or `laplace`.
        noise: NoiseKind = NoiseKind::Gaussian,
        /// Afterwards, figures below 0 are set to 0.
        non_negative: bool = false,
        /// Afterwards, figures are moved alike so that they add up to that of this release, which has no groups.
        sums_to: Option<Spanned<String>>,
        /// What it means.
        about: Option<String>,
    }
}

/// The values of a column of groups.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Values {
    /// These, as is known to everybody.
    Public(Vec<String>),
    /// Whatever the rows hold, told only where enough units have it.
    Discover,
}

impl Decode for Values {
    fn decode(node: &Node, problems: &mut Problems) -> Option<Values> {
        match (node.as_list(), node.as_scalar()) {
            (Some(_), _) => Vec::<String>::decode(node, problems).map(Values::Public),
            (None, Some(scalar)) if scalar.text == "discover" => Some(Values::Discover),
            _ => {
                wrong(node, Values::what(), problems);
                None
            }
        }
    }
    fn what() -> String {
        "a list of values such as [gp2, gp3], or `discover`".into()
    }
    fn schema() -> Json {
        json!({"anyOf": [{"type": "array", "items": {"type": ["string", "number"]}}, {"const": "discover"}]})
    }
}
