//! What the kinds that change single cells share: columns named in short, rules of their own, numbers and text.

use lookalike_core::Stream;
use lookalike_core::stream::below;
use lookalike_ruleset::decode::{Decode, FieldDoc, Spanned, parse_number};
use lookalike_ruleset::node::Scalar;
use lookalike_ruleset::{Diagnostic, Entry, Json, Node, Problems, Span, Type, Value};
use polars::prelude::*;
use polars_arrow::array::MutablePlString;
use serde_json::json;

use crate::anomaly::{Hits, Rules};
use crate::array;
use crate::generator::{Failure, InputId, InputName, Output, Site};

/// A column alone, or a mapping with the key `column`: what is not said has its default.
pub(super) struct Short<P>(pub P);

impl<P: Decode> Decode for Short<P> {
    fn decode(node: &Node, problems: &mut Problems) -> Option<Self> {
        let alone = node.as_scalar().filter(|_| !node.is_null()).map(|_| {
            let entry = Entry { key: "column".into(), key_span: node.span, value: node.clone() };
            Node { span: node.span, value: Value::Map(vec![entry]) }
        });
        P::decode(alone.as_ref().unwrap_or(node), problems).map(Short)
    }
    fn what() -> String {
        format!("a column, or {}", P::what())
    }
    fn schema() -> Json {
        json!({"anyOf": [String::schema(), P::schema()]})
    }
    fn fields() -> Vec<FieldDoc> {
        P::fields()
    }
}

/// A column as an anomaly names it.
pub(super) fn named(column: &Spanned<String>) -> InputName {
    InputName { name: column.value.clone(), span: column.span }
}

/// The clean values of a column of a type that the anomaly knows how to change.
pub(super) fn clean_of(
    site: &mut Site<'_>,
    column: &InputName,
    expected: fn(Type) -> bool,
    what: &str,
) -> Option<(InputId, Output)> {
    let (id, output) = site.clean(&column.name)?;
    if !expected(output.ty) {
        wrong_type(site, column.span, format!("`{}` is {}", column.name, output.ty), what);
        return None;
    }
    Some((id, output))
}

/// Adds a column of numbers that only this anomaly sees. Units such as 10% and 2k may be written, as elsewhere; they mean
/// nothing in a constant.
pub(super) fn number_rule(rules: &mut Rules<'_, '_>, name: &str, node: &Node) -> InputName {
    let humane = node.as_scalar().filter(|scalar| scalar.text.parse::<f64>().is_err());
    match humane.and_then(|scalar| parse_number(&scalar.text)) {
        Some(number) => {
            let scalar = Scalar { text: number.to_string(), quoted: false, verbatim: None };
            rules.rule(name, &Node { span: node.span, value: Value::Scalar(scalar) })
        }
        None => rules.rule(name, node),
    }
}

/// A column that only this anomaly sees, of a type that it can use.
pub(super) fn own(
    site: &mut Site<'_>,
    rule: &InputName,
    expected: impl Fn(Type) -> bool,
    what: &str,
) -> Option<InputId> {
    let (id, output) = site.input(&rule.name)?;
    if !expected(output.ty) {
        wrong_type(site, rule.span, format!("this gives values of type {}", output.ty), what);
        return None;
    }
    Some(id)
}

fn wrong_type(site: &mut Site<'_>, span: Span, message: String, what: &str) {
    site.problems.push(Diagnostic::error("wrong-type", span, message).label(format!("expected {what}")));
}

/// The values of a rule of whole numbers.
pub(super) fn ints(series: &Series) -> Result<Vec<Option<i64>>, Failure> {
    Ok(series.i64()?.iter().collect())
}

/// Largest decimal, in units of its last digit, of which a float can hold every one.
const LARGEST_DECIMAL: f64 = 9_007_199_254_740_991.0;

/// Changes numbers or lengths of time (in microseconds): `change` gets a position and a value, and gives `None` to leave it
/// as it is. Whole numbers and decimals are rounded; what does not fit the type becomes the largest that does.
pub(super) fn change_numbers(
    series: &Series,
    ty: Type,
    mut change: impl FnMut(usize, f64) -> Option<f64>,
) -> Result<Series, Failure> {
    let mut change = |at: usize, value: f64| change(at, value).filter(|value| !value.is_nan());
    let physical = series.to_physical_repr();
    Ok(match ty {
        Type::Float => {
            let new = |(at, value): (usize, Option<f64>)| {
                value.map(|v| change(at, v).map_or(v, |new| new.clamp(f64::MIN, f64::MAX)))
            };
            physical.f64()?.iter().enumerate().map(new).collect::<Float64Chunked>().into_series()
        }
        Type::Decimal(scale) => {
            let factor = 10f64.powi(i32::from(scale));
            let units =
                |value: f64| (value * factor).round().clamp(-LARGEST_DECIMAL, LARGEST_DECIMAL) as i128;
            let new = |(at, value): (usize, Option<i128>)| {
                value.map(|v| change(at, v as f64 / factor).map_or(v, units))
            };
            let values: Int128Chunked = physical.i128()?.iter().enumerate().map(new).collect();
            values.into_decimal_unchecked(array::DECIMAL_PRECISION, usize::from(scale)).into_series()
        }
        _ => {
            let new = |(at, value): (usize, Option<i64>)| {
                value.map(|v| change(at, v as f64).map_or(v, |new| new.round() as i64))
            };
            let values: Int64Chunked = physical.i64()?.iter().enumerate().map(new).collect();
            values.into_series().cast(&array::dtype_of(ty))?
        }
    })
}

/// A text column with nulls where there is no value.
pub(super) fn texts<T: AsRef<str>>(values: impl ExactSizeIterator<Item = Option<T>>) -> Series {
    let mut builder = MutablePlString::with_capacity(values.len());
    values.for_each(|value| builder.push(value));
    array::text_series(builder)
}

/// The text of a column, of known values or any.
pub(super) fn as_text(series: &Series) -> Result<Series, Failure> {
    Ok(if *series.dtype() == DataType::String { series.clone() } else { series.cast(&DataType::String)? })
}

/// Picks values out of several columns of one type: for each position its column, and the position there.
pub(super) fn gather(columns: &[Series], chosen: &[(usize, usize)]) -> Result<Series, Failure> {
    let mut starts = Vec::with_capacity(columns.len());
    let mut all = columns.first().ok_or_else(|| Failure::new("no columns"))?.clone();
    starts.push(0);
    for column in &columns[1..] {
        starts.push(all.len());
        all.append(column)?;
    }
    let index: Vec<IdxSize> = chosen.iter().map(|(of, at)| (starts[*of] + at) as IdxSize).collect();
    Ok(all.rechunk().take_slice(&index)?)
}

/// The random choices of one row, one after another.
pub(super) struct Draws {
    stream: Stream,
    row: u64,
    next: u32,
}

impl Draws {
    /// The choices of a row.
    pub fn new(stream: Stream, row: u64) -> Draws {
        Draws { stream, row, next: 0 }
    }

    /// A number below `n`.
    pub fn below(&mut self, n: usize) -> usize {
        self.next += 1;
        below(self.stream.word(self.row, self.next - 1), n as u64) as usize
    }

    /// One of the items, each with the same probability.
    pub fn pick<'a, T>(&mut self, items: &'a [T]) -> Option<&'a T> {
        if items.is_empty() { None } else { items.get(self.below(items.len())) }
    }
}

/// New values for a text column, cell by cell; `change` gives `None` to leave a cell as it is.
pub(super) fn change_text(
    hits: &Hits<'_>,
    column: InputId,
    stream: Stream,
    mut change: impl FnMut(usize, &str, &mut Draws) -> Option<String>,
) -> Result<Series, Failure> {
    let series = as_text(&hits.block.input(column))?;
    let column = series.str()?;
    let mut values = Vec::with_capacity(column.len());
    for (at, (text, row)) in column.iter().zip(hits.block.rows).enumerate() {
        values.push(
            text.map(|text| {
                change(at, text, &mut Draws::new(stream, row)).unwrap_or_else(|| text.to_owned())
            }),
        );
    }
    Ok(texts(values.into_iter()))
}

/// Any text, with nulls where the clean column has some.
pub(super) fn any_text(clean: &Output) -> Output {
    Output { nullable: clean.nullable, ..Output::text(false) }
}
