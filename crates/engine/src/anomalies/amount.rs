//! By how much something changes, and the columns of numbers that change.

use lookalike_core::Rows;
use lookalike_ruleset::decode::{DAY, Spanned, parse_number, parse_time};
use lookalike_ruleset::{Diagnostic, Node, Span, Type};
use polars::prelude::*;

use super::runs::{Patch, firsts};
use crate::anomaly::{Hits, Rules};
use crate::array;
use crate::generator::{Failure, InputId, InputName, Output, Site};

/// What an amount is an amount of.
#[derive(Clone, Copy)]
pub(super) enum Unit {
    /// Nothing: a factor.
    Factor,
    /// What is added to values of this type: numbers to numbers, lengths of time to stamps, either to dates.
    Like(Type),
}

impl Unit {
    fn what(self) -> &'static str {
        match self {
            Unit::Like(Type::Date) => "a number of days or a length of time",
            Unit::Like(Type::Datetime | Type::Duration) => {
                "a length of time such as 90s or {duration_range: [1m, 1h]}"
            }
            Unit::Factor | Unit::Like(_) => "a number such as 2.5 or {uniform: [2, 3]}",
        }
    }

    fn fixed(self, text: &str) -> Option<f64> {
        let time = || parse_time(text).map(|micros| micros as f64);
        match self {
            Unit::Like(Type::Date) => time().map(|micros| micros / DAY as f64).or_else(|| parse_number(text)),
            Unit::Like(Type::Datetime | Type::Duration) => time(),
            Unit::Factor | Unit::Like(_) => parse_number(text),
        }
    }

    /// What values of a type are to be multiplied with, if they can be such amounts.
    fn scale(self, ty: Type) -> Option<f64> {
        match (self, ty) {
            (Unit::Like(Type::Date), Type::Duration) => Some(1.0 / DAY as f64),
            (Unit::Like(Type::Datetime | Type::Duration), ty) => (ty == Type::Duration).then_some(1.0),
            (_, ty) => ty.is_number().then_some(1.0),
        }
    }
}

#[derive(Clone, Copy)]
enum Ready {
    Fixed(f64),
    Rule(InputId, f64),
}

/// A number or a length of time, fixed or by a column's rule.
pub(super) struct Amount {
    name: InputName,
    /// What is written, where that is no rule.
    text: Option<String>,
    ready: Option<Ready>,
}

impl Amount {
    /// The amount that is written under `key`.
    pub(super) fn build(key: &str, node: &Node, rules: &mut Rules<'_, '_>) -> Amount {
        let text = node.as_scalar().filter(|_| !node.is_null()).map(|scalar| scalar.text.clone());
        // With the mark, so that it hides no column.
        let name = format!("#{key}");
        let name = match text {
            Some(_) => InputName { name, span: node.span },
            None => rules.rule(&name, node),
        };
        Amount { name, text, ready: None }
    }

    pub(super) fn inputs(&self, inputs: &mut Vec<InputName>) {
        if self.text.is_none() {
            inputs.push(self.name.clone());
        }
    }

    pub(super) fn prepare(&mut self, unit: Unit, site: &mut Site<'_>) -> Option<()> {
        self.ready = match &self.text {
            Some(text) => unit.fixed(text).map(Ready::Fixed),
            None => {
                let (id, output) = site.input(&self.name.name)?;
                unit.scale(output.ty).map(|scale| Ready::Rule(id, scale))
            }
        };
        if self.ready.is_none() {
            site.problems.push(
                Diagnostic::error("wrong-type", self.name.span, "this amount does not fit the column")
                    .label(format!("expected {}", unit.what()))
                    .help("numbers are changed by numbers, stamps by lengths of time"),
            );
        }
        self.ready.map(|_| ())
    }

    /// The amount of each hit, by its row; `None` for null.
    pub(super) fn by_row(&self, hits: &Hits<'_>) -> Result<Vec<Option<f64>>, Failure> {
        match self.ready.expect("set in prepare") {
            Ready::Fixed(value) => Ok(vec![Some(value); hits.places.len()]),
            Ready::Rule(id, scale) => scaled(&hits.block.input(id), scale),
        }
    }

    /// The amount of each hit, by the first row of its instance, so that all rows of a burst share it.
    pub(super) fn by_instance(&self, hits: &Hits<'_>) -> Result<Vec<Option<f64>>, Failure> {
        match self.ready.expect("set in prepare") {
            Ready::Fixed(value) => Ok(vec![Some(value); hits.places.len()]),
            Ready::Rule(id, scale) => {
                let (rows, of) = firsts(hits.places);
                let values = scaled(&hits.look_up(id, &Rows::from(rows))?, scale)?;
                Ok(of.into_iter().map(|at| values[at]).collect())
            }
        }
    }
}

fn scaled(series: &Series, scale: f64) -> Result<Vec<Option<f64>>, Failure> {
    let values = array::to_floats(series)?.into_iter();
    Ok(values.map(|value| value.map(|value| value * scale).filter(|value| value.is_finite())).collect())
}

/// Changes a number: times a factor, or by something added.
pub(super) enum Change {
    Times(Amount),
    Plus(Amount),
}

impl Change {
    /// The one of the two that is written.
    pub(super) fn build(
        span: Span,
        times: Option<Node>,
        plus: Option<Node>,
        rules: &mut Rules<'_, '_>,
    ) -> Option<Change> {
        match (times, plus) {
            (Some(times), None) => Some(Change::Times(Amount::build("times", &times, rules))),
            (None, Some(plus)) => Some(Change::Plus(Amount::build("plus", &plus, rules))),
            (times, _) => {
                let message =
                    if times.is_some() { "both `times` and `plus`" } else { "neither `times` nor `plus`" };
                rules.builder.problems.error("bad-anomaly", span, message, "write one of the two");
                None
            }
        }
    }

    pub(super) fn amount(&self) -> &Amount {
        match self {
            Change::Times(amount) | Change::Plus(amount) => amount,
        }
    }

    pub(super) fn prepare(&mut self, ty: Type, site: &mut Site<'_>) -> Option<()> {
        match self {
            Change::Plus(amount) => amount.prepare(Unit::Like(ty), site),
            Change::Times(amount) if matches!(ty, Type::Date | Type::Datetime) => {
                site.problems.push(
                    Diagnostic::error("wrong-type", amount.name.span, format!("a {ty} has no multiples"))
                        .help("write `plus` with a length of time"),
                );
                None
            }
            Change::Times(amount) => amount.prepare(Unit::Factor, site),
        }
    }

    pub(super) fn apply(&self, value: f64, amount: f64) -> f64 {
        match self {
            Change::Times(_) => value * amount,
            Change::Plus(_) => value + amount,
        }
    }
}

/// A column of numbers, dates, stamps or lengths of time that is changed.
pub(super) struct Numeric {
    /// Its name.
    pub(super) name: InputName,
    ready: Option<(InputId, Type)>,
}

impl Numeric {
    pub(super) fn new(name: InputName) -> Numeric {
        Numeric { name, ready: None }
    }

    pub(super) fn named(Spanned { value, span }: Spanned<String>) -> Numeric {
        Numeric::new(InputName { name: value, span })
    }

    /// The column's type, which stays.
    pub(super) fn prepare(&mut self, site: &mut Site<'_>) -> Option<Output> {
        let (id, output) = site.clean(&self.name.name)?;
        if matches!(output.ty, Type::Text | Type::Bool) {
            let message = format!("`{}` is {}", self.name.name, output.ty);
            site.problems.push(
                Diagnostic::error("wrong-type", self.name.span, message)
                    .label("expected numbers, dates, stamps or lengths of time")
                    .help("name another column, or change this one with `set`"),
            );
            return None;
        }
        self.ready = Some((id, output.ty));
        Some(output)
    }

    pub(super) fn id(&self) -> InputId {
        self.ready.expect("set in prepare").0
    }

    /// The column with new values, rounded to its type: `new` is called with each hit's position and clean value. Nulls,
    /// and values for which it gives `None`, stay.
    pub(super) fn change(
        &self,
        hits: &Hits<'_>,
        mut new: impl FnMut(usize, f64) -> Option<f64>,
    ) -> Result<Series, Failure> {
        let (id, ty) = self.ready.expect("set in prepare");
        let clean = hits.block.input(id).into_owned();
        let (mut positions, mut values) = (Vec::new(), Vec::new());
        for (at, value) in array::to_floats(&clean)?.into_iter().enumerate() {
            if let Some(value) = value.and_then(|value| new(at, value)) {
                positions.push(at);
                values.push(value);
            }
        }
        let mut patch = Patch::new(clean);
        patch.put(&from_floats(&values, ty)?, positions)?;
        patch.finish()
    }
}

/// Whole floats are exact up to here.
const EXACT: f64 = 9_007_199_254_740_992.0;
const I64_LIMIT: f64 = 9_223_372_036_854_774_000.0;
/// Days from 1970 to the last of the year 9999; no calendar goes further.
const LAST_DAY: f64 = 2_932_896.0;

/// Floats as values of a type, rounded half away from zero.
pub(super) fn from_floats(values: &[f64], ty: Type) -> Result<Series, Failure> {
    let (factor, limit) = match ty {
        Type::Decimal(scale) => (10f64.powi(i32::from(scale)), EXACT),
        Type::Date => (1.0, LAST_DAY),
        Type::Datetime => (1.0, LAST_DAY * DAY as f64),
        Type::Float => (1.0, f64::MAX),
        _ => (1.0, I64_LIMIT),
    };
    if let Some(value) = values.iter().find(|value| !value.is_finite() || (*value * factor).abs() > limit) {
        return Err(Failure::new(format!("the value {value:e} does not fit type {ty}; change it by less")));
    }
    Ok(match ty {
        Type::Float => array::floats(values.to_vec()),
        Type::Decimal(scale) => {
            let values = values.iter().map(|value| array::half_away(value * factor) as i128).collect();
            Int128Chunked::from_vec(PlSmallStr::EMPTY, values)
                .into_decimal_unchecked(array::DECIMAL_PRECISION, scale as usize)
                .into_series()
        }
        _ => array::from_ints(values.iter().map(|value| value.round() as i64).collect(), ty)?,
    })
}
