//! Expectations: what must be true of a table once it is made. Generation and assertion live together; validation checks them.

use crate::decode::{Number, Pair, Share, Spanned};
use crate::{Diagnostic, Node, Problems, Span, params, words};

words! {
    /// Which rows an expectation is about.
    pub enum On {
        /// The rows as they are written, with their anomalies.
        Rows = "rows",
        /// The rows without anomalies.
        Clean = "clean",
    }
}

params! {
    /// Something that must be true of the table: one claim, and its limits.
    pub struct ExpectDecl {
        /// What it is for, for readers.
        about: Option<String>,
        /// Claim: a condition that holds in every row.
        holds: Option<Node>,
        /// Claim: the share of rows for which a condition holds, of those for which it is not null.
        share: Option<Node>,
        /// Claim: the number of rows, or with a condition, of those for which it holds: `count: true`.
        count: Option<Node>,
        /// Claim: the mean of a column.
        mean: Option<Spanned<String>>,
        /// Claim: the sum of a column.
        sum: Option<Spanned<String>>,
        /// Claim: the standard deviation of a column.
        std_dev: Option<Spanned<String>>,
        /// Claim: the least value of a column.
        min: Option<Spanned<String>>,
        /// Claim: the greatest value of a column.
        max: Option<Spanned<String>>,
        /// Claim: a quantile of a column, `at` which share.
        quantile: Option<Spanned<String>>,
        /// With `quantile`: the share of values below it, such as 95%.
        at: Option<Spanned<Share>>,
        /// Claim: the number of different values of a column.
        distinct: Option<Spanned<String>>,
        /// Claim: no value of a column occurs twice.
        unique: Option<Spanned<String>>,
        /// Claim: no value of a column is null.
        not_null: Option<Spanned<String>>,
        /// Claim: Pearson's correlation of two columns.
        correlation: Option<Spanned<Vec<Spanned<String>>>>,
        /// Limit: least and greatest, both allowed; exact.
        within: Option<Spanned<Pair<Number>>>,
        /// Limit: the least that is allowed; exact.
        at_least: Option<Spanned<Number>>,
        /// Limit: the greatest that is allowed; exact.
        at_most: Option<Spanned<Number>>,
        /// Limit: the value of the law, from which data of n rows may be as far as chance takes them. Of `share`, `mean` and
        /// `correlation`.
        r#is: Option<Spanned<Number>>,
        /// Which rows: as written, or `clean`.
        on: On = On::Rows,
        /// For each value of this column apart.
        by: Option<Spanned<String>>,
    }
}

/// What is claimed.
#[derive(Clone, Debug, PartialEq)]
pub enum Claim {
    /// A condition holds in every row.
    Holds,
    /// The share of rows for which a condition holds.
    Share,
    /// The number of rows for which a condition holds.
    Count,
    /// The mean of a column.
    Mean,
    /// The sum.
    Sum,
    /// The standard deviation.
    StdDev,
    /// The least value.
    Min,
    /// The greatest value.
    Max,
    /// The value below which this share of the values lies.
    Quantile(f64),
    /// The number of different values.
    Distinct,
    /// No value occurs twice.
    Unique,
    /// No value is null.
    NotNull,
    /// Pearson's correlation of two columns.
    Correlation,
}

impl Claim {
    /// Whether it is about numbers.
    pub fn needs_numbers(&self) -> bool {
        use Claim::{Correlation, Max, Mean, Min, Quantile, StdDev, Sum};
        matches!(self, Mean | Sum | StdDev | Min | Max | Quantile(_) | Correlation)
    }

    /// Whether it is true or false, without limits.
    pub fn is_absolute(&self) -> bool {
        matches!(self, Claim::Holds | Claim::Unique | Claim::NotNull)
    }
}

/// An expectation, read.
#[derive(Clone, Debug)]
pub struct Expectation {
    /// In words, as written: `share of Underutilized within 0.15 and 0.3`.
    pub text: String,
    /// What is claimed.
    pub claim: Claim,
    /// The condition, of claims that have one.
    pub condition: Option<Node>,
    /// The columns, of claims that have some.
    pub columns: Vec<Spanned<String>>,
    /// The least that is allowed.
    pub low: Option<f64>,
    /// The greatest that is allowed.
    pub high: Option<f64>,
    /// The value of the law.
    pub is: Option<f64>,
    /// Which rows.
    pub on: On,
    /// For each value of this column apart.
    pub by: Option<Spanned<String>>,
    /// Place.
    pub span: Span,
}

impl ExpectDecl {
    /// The expectation, or `None` after adding what is wrong with it.
    pub fn read(&self, span: Span, problems: &mut Problems) -> Option<Expectation> {
        let column = |claim: Claim, name: &str, value: &Option<Spanned<String>>| {
            value.clone().map(|value| (claim, name.to_owned(), None, vec![value]))
        };
        let condition = |claim: Claim, name: &str, value: &Option<Node>| {
            value.clone().map(|value| (claim, name.to_owned(), Some(value), Vec::new()))
        };
        let at = self.at.as_ref().map(|at| at.value.0);
        let pair = self
            .correlation
            .as_ref()
            .map(|pair| (Claim::Correlation, "correlation".to_owned(), None, pair.value.clone()));
        let claims: Vec<_> = [
            condition(Claim::Holds, "holds", &self.holds),
            condition(Claim::Share, "share", &self.share),
            condition(Claim::Count, "count", &self.count),
            column(Claim::Mean, "mean", &self.mean),
            column(Claim::Sum, "sum", &self.sum),
            column(Claim::StdDev, "std_dev", &self.std_dev),
            column(Claim::Min, "min", &self.min),
            column(Claim::Max, "max", &self.max),
            column(Claim::Quantile(at.unwrap_or(0.5)), "quantile", &self.quantile),
            column(Claim::Distinct, "distinct", &self.distinct),
            column(Claim::Unique, "unique", &self.unique),
            column(Claim::NotNull, "not_null", &self.not_null),
            pair,
        ]
        .into_iter()
        .flatten()
        .collect();
        let mut bad = |span: Span, message: &str, help: &str| {
            problems.push(Diagnostic::error("bad-expectation", span, message).help(help));
            None
        };
        let [(claim, name, condition, columns)] = claims.as_slice() else {
            let message =
                if claims.is_empty() { "nothing is claimed" } else { "an expectation claims one thing" };
            return bad(
                span,
                message,
                "write one of holds, share, count, mean, sum, std_dev, min, max, quantile, distinct, unique, not_null, correlation",
            );
        };
        if *claim == Claim::Correlation && columns.len() != 2 {
            return bad(span, "a correlation is of two columns", "write `correlation: [size, cost]`");
        }
        if let (Some(at), None) = (&self.at, &self.quantile) {
            return bad(at.span, "`at` belongs to `quantile`", "remove it");
        }
        let limits = [
            self.within.as_ref().map(|limit| limit.span),
            self.at_least.as_ref().map(|limit| limit.span),
            self.at_most.as_ref().map(|limit| limit.span),
            self.is.as_ref().map(|limit| limit.span),
        ];
        let first = limits.into_iter().flatten().next();
        match (claim.is_absolute(), first) {
            (true, Some(limit)) => {
                return bad(limit, "this claim is true or false: it has no limits", "remove the limit");
            }
            (false, None) => {
                return bad(
                    span,
                    "the expectation has no limits",
                    "add `within: [low, high]`, `at_least`, `at_most` or `is`",
                );
            }
            _ => {}
        }
        if let Some(is) = &self.is {
            if self.within.is_some() || self.at_least.is_some() || self.at_most.is_some() {
                return bad(
                    is.span,
                    "`is` stands alone: its tolerance follows from the number of rows",
                    "remove the other limits",
                );
            }
            if !matches!(claim, Claim::Share | Claim::Mean | Claim::Correlation) {
                return bad(
                    is.span,
                    "`is` works with `share`, `mean` and `correlation`",
                    "write `within: [low, high]`",
                );
            }
        }
        if let Some(within) = &self.within {
            if self.at_least.is_some() || self.at_most.is_some() {
                return bad(within.span, "`within` says both ends", "remove `at_least` and `at_most`");
            }
            if within.value.0.0 > within.value.1.0 {
                return bad(within.span, "the range runs downwards", "write the smaller number first");
            }
        }
        let low = self.within.as_ref().map(|w| w.value.0.0).or(self.at_least.as_ref().map(|l| l.value.0));
        let high = self.within.as_ref().map(|w| w.value.1.0).or(self.at_most.as_ref().map(|h| h.value.0));
        let of = match condition {
            Some(node) => node.as_scalar().map(|scalar| scalar.text.clone()).unwrap_or_default(),
            None => columns.iter().map(|column| column.value.as_str()).collect::<Vec<_>>().join(", "),
        };
        let at = at.map_or_else(String::new, |at| format!(" at {at}"));
        let is = self.is.as_ref().map(|is| is.value.0);
        let limits = match (low, high, is) {
            (Some(low), Some(high), _) => format!(" within [{low}, {high}]"),
            (Some(low), None, _) => format!(" at least {low}"),
            (None, Some(high), _) => format!(" at most {high}"),
            (None, None, Some(is)) => format!(" is {is}"),
            _ => String::new(),
        };
        let by = self.by.as_ref().map_or_else(String::new, |by| format!(" by {}", by.value));
        Some(Expectation {
            text: format!("{name} {of}{at}{limits}{by}"),
            claim: claim.clone(),
            condition: condition.clone(),
            columns: columns.clone(),
            low,
            high,
            is,
            on: self.on,
            by: self.by.clone(),
            span,
        })
    }
}
