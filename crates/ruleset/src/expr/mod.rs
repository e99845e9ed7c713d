//! The expression language: one SQL scalar expression over the cells of one row.
//!
//! `expr`, `when`, `require` and `expect` all speak it. A text becomes a [`Parsed`] (grammar and allow-list), which
//! [`Parsed::check`] turns into a [`Typed`] tree (names and types); an engine evaluates that tree. An expression has no
//! side effects, reads no clock and draws no randomness: equal cells in, equal value out, on every platform.
//!
//! # Names and literals
//!
//! Names are case-sensitive and stand bare or in double quotes: `size`, `"Volume Size"`. `param.name` reads a
//! parameter; other names of several parts, such as `customer.region`, are resolved by the caller. Text stands in single quotes (`'it''s'`). Other
//! literals: `42`, `1.5`, `1e6`, `TRUE`, `FALSE`, `NULL`, `DATE '2026-01-31'`, `TIMESTAMP '2026-01-31T12:00:00Z'` (UTC
//! unless an offset is given) and `INTERVAL '3 days 2 hours'` or `INTERVAL 3 DAY` in whole units of year, quarter,
//! month, week, day, hour, minute or second. Keywords and function names are not case-sensitive.
//!
//! # Meaning
//!
//! - **An operation without a result is NULL**, never an error and never NaN or infinity: overflow of whole numbers,
//!   division by zero, `ln` of a number that is not positive, `sqrt` of a negative one, `asin` of 2, a CAST that fails
//!   (CAST and TRY_CAST are the same), a date outside the years 1 to 9999, a text longer than [`MAX_TEXT`] bytes.
//! - **NULL in, NULL out**, but for AND and OR (three-valued), IS, CASE, `if`, `coalesce`, `nullif`, and `greatest`,
//!   `least` and `concat`, which pass over NULLs. A condition that is NULL does not hold.
//! - **Numbers.** `int` and `float` mix to `float`; a decimal column is read as `float`. Zero has no sign. `/` always gives a `float`;
//!   `//` divides and cuts the fraction off (`-7 // 2` is `-3`); `%` has the sign of the dividend (`-7 % 2` is `-1`).
//!   `round` and CAST to `int` round half away from zero, on the binary value: `round(x, d)` is `round(x * 10^d) / 10^d`.
//! - **Text** is compared by code point and measured in characters (code points), positions count from 1. `||` and
//!   `concat` take values of other types as CAST to text writes them. LIKE knows `%`, `_` and the escape `\`.
//! - **Time.** `date + n` adds days, `date - date` is a number of days. `datetime - datetime` is a duration; a duration
//!   can be multiplied and divided by a number, and `EXTRACT(epoch FROM d)` gives its seconds. A date plus an INTERVAL
//!   literal of whole days, months or years stays a date; plus any other duration it becomes a datetime (midnight UTC
//!   first). Adding months keeps the day of the month, or takes the month's last day (31 January + 1 month is 28 or 29
//!   February). Dates and datetimes compare as points in time.
//! - **Text and numbers do not mix**: `'5' = 5` is an error that names both types; CAST says which is meant.
//!
//! An expression sees its own row, through links its parents' (`customer.region`), and through aggregates its children's:
//! `count(orders)`, `count(orders.paid)` (of values that are not NULL), `sum`, `avg`, `min` and `max(orders.amount)`, which
//! pass over NULLs and, but for `count`, are NULL where there is nothing left. Other aggregates, window functions,
//! sub-selects, `random()` and `now()` do not exist.

mod check;
mod functions;
mod parse;
pub mod scalar;

pub use check::{Resolved, Scope};
pub use functions::{FUNCTIONS, Fun, Function, Gives, Want};
pub use parse::{Aggregate, MAX_DEPTH, MAX_SOURCE, Parsed, Reference};

use crate::source::Span;
use crate::types::Type;
use scalar::Like;

/// Longest text, in bytes, that an operation gives; a longer result is NULL.
pub const MAX_TEXT: usize = 1 << 20;

/// A constant.
#[derive(Clone, Debug, PartialEq)]
pub enum Literal {
    /// No value; of every type.
    Null,
    /// True or false.
    Bool(bool),
    /// Whole number.
    Int(i64),
    /// Finite number.
    Float(f64),
    /// Text.
    Text(String),
    /// Days since 1970-01-01.
    Date(i32),
    /// Microseconds since 1970-01-01T00:00:00Z.
    Datetime(i64),
    /// Microseconds.
    Duration(i64),
}

impl Literal {
    /// The type, unless it is NULL.
    pub fn ty(&self) -> Option<Type> {
        match self {
            Literal::Null => None,
            Literal::Bool(_) => Some(Type::Bool),
            Literal::Int(_) => Some(Type::Int),
            Literal::Float(_) => Some(Type::Float),
            Literal::Text(_) => Some(Type::Text),
            Literal::Date(_) => Some(Type::Date),
            Literal::Datetime(_) => Some(Type::Datetime),
            Literal::Duration(_) => Some(Type::Duration),
        }
    }
}

/// A checked expression: names are resolved, types agree, every conversion is written out as a [`Kind::Cast`].
#[derive(Clone, Debug, PartialEq)]
pub struct Typed {
    /// What it computes.
    pub kind: Kind,
    /// The type of its value, never [`Type::Decimal`]; `None` only when the whole expression is the literal NULL.
    pub ty: Option<Type>,
    /// Where it stands.
    pub span: Span,
}

/// The operations of a [`Typed`] expression. Unless said otherwise the operands of one node have one and the same type.
#[derive(Clone, Debug, PartialEq)]
pub enum Kind {
    /// A constant; NULL carries the type that its surroundings ask for.
    Literal(Literal),
    /// The cell of the column of this name in the row; a name of several parts is joined by points.
    Column(String),
    /// Minus a number or a duration.
    Neg(Box<Typed>),
    /// Three-valued NOT.
    Not(Box<Typed>),
    /// Arithmetic. Operand types: int or float both; date ± int; date − date; datetime ± duration;
    /// datetime − datetime; duration ± duration; duration × int or float; duration ÷ float or duration. `Divide` of
    /// numbers has float operands.
    Arithmetic(Arithmetic, Box<Typed>, Box<Typed>),
    /// Comparison of two values.
    Compare(Compare, Box<Typed>, Box<Typed>),
    /// Three-valued AND.
    And(Box<Typed>, Box<Typed>),
    /// Three-valued OR.
    Or(Box<Typed>, Box<Typed>),
    /// `IS NULL`, `IS TRUE`, `IS FALSE`: never NULL.
    Is(Test, Box<Typed>),
    /// Whether the first equals one of the others; NULL if it equals none and any is NULL.
    In(Box<Typed>, Vec<Typed>),
    /// `low <= value AND value <= high`, three-valued.
    Between {
        /// What is tested.
        value: Box<Typed>,
        /// Lowest value that passes.
        low: Box<Typed>,
        /// Highest value that passes.
        high: Box<Typed>,
    },
    /// `||`: two texts joined; unlike `concat` it hands a NULL on.
    Join(Box<Typed>, Box<Typed>),
    /// Whether a text matches a pattern.
    Like(Box<Typed>, Like),
    /// The value of the first branch that holds, else `otherwise` (NULL if there is none).
    Case {
        /// If given, a branch holds when its first member equals this; else when its first member is true.
        operand: Option<Box<Typed>>,
        /// Condition and value.
        branches: Vec<(Typed, Typed)>,
        /// Value when no branch holds.
        otherwise: Option<Box<Typed>>,
    },
    /// Conversion to the node's type, see [`scalar::cast`].
    Cast(Box<Typed>),
    /// A part of a date, a datetime or (epoch only) a duration.
    Extract(Field, Box<Typed>),
    /// A date or datetime moved by calendar months, then by microseconds (whole days if it gives a date).
    Shift {
        /// The date or datetime.
        value: Box<Typed>,
        /// Calendar months.
        months: i32,
        /// Microseconds.
        micros: i64,
    },
    /// A function; arguments as its entry of [`FUNCTIONS`] says.
    Call(Fun, Vec<Typed>),
}

/// Operators of arithmetic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arithmetic {
    /// `+`
    Add,
    /// `-`
    Subtract,
    /// `*`
    Multiply,
    /// `/`, true division.
    Divide,
    /// `//`, division with the fraction cut off.
    IntDivide,
    /// `%`, the remainder of `//`.
    Remainder,
}

/// Operators of comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compare {
    /// `=`
    Equal,
    /// `<>` or `!=`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    LessEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterEqual,
}

/// What [`Kind::Is`] asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Test {
    /// Whether there is no value.
    Null,
    /// Whether it is true, not false and not NULL.
    True,
    /// Whether it is false, not true and not NULL.
    False,
}

/// What [`Kind::Extract`] gives: an int, but for `Epoch` of a duration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    /// Year.
    Year,
    /// Quarter, 1 to 4.
    Quarter,
    /// Month, 1 to 12.
    Month,
    /// ISO week, 1 to 53.
    Week,
    /// Day of the month, 1 to 31.
    Day,
    /// Day of the week, Sunday 0 to Saturday 6.
    Dow,
    /// Day of the week, Monday 1 to Sunday 7.
    Isodow,
    /// Day of the year, 1 to 366.
    Doy,
    /// Hour, 0 to 23; of a date 0, as with minute and second.
    Hour,
    /// Minute, 0 to 59.
    Minute,
    /// Whole second, 0 to 59.
    Second,
    /// Whole seconds since 1970-01-01T00:00:00Z; of a duration all its seconds, a float.
    Epoch,
}

impl Typed {
    /// Whether the value can be NULL, where `column` says it of a column. Errs on the side of yes: of arithmetic and most
    /// functions, any of which may have no result.
    pub fn nullable(&self, column: &impl Fn(&str) -> bool) -> bool {
        let any = |parts: &[&Typed]| parts.iter().any(|part| part.nullable(column));
        match &self.kind {
            Kind::Literal(literal) => *literal == Literal::Null,
            Kind::Column(name) => column(name),
            Kind::Is(..) => false,
            Kind::Not(a) | Kind::Like(a, _) => a.nullable(column),
            Kind::Compare(_, a, b) | Kind::And(a, b) | Kind::Or(a, b) => any(&[a, b]),
            Kind::Between { value, low, high } => any(&[value, low, high]),
            Kind::In(value, list) => value.nullable(column) || list.iter().any(|item| item.nullable(column)),
            Kind::Case { branches, otherwise, .. } => {
                otherwise.as_ref().is_none_or(|value| value.nullable(column))
                    || branches.iter().any(|(_, value)| value.nullable(column))
            }
            Kind::Call(Fun::Coalesce, values) => values.iter().all(|value| value.nullable(column)),
            _ => true,
        }
    }

    /// Calls `visit` with the name of every column that is read, with repetitions.
    pub fn visit_columns<'a>(&'a self, visit: &mut impl FnMut(&'a str)) {
        match &self.kind {
            Kind::Literal(_) => {}
            Kind::Column(name) => visit(name),
            Kind::Neg(a) | Kind::Not(a) | Kind::Is(_, a) | Kind::Like(a, _) | Kind::Cast(a) => {
                a.visit_columns(visit)
            }
            Kind::Extract(_, a) | Kind::Shift { value: a, .. } => a.visit_columns(visit),
            Kind::Arithmetic(_, a, b)
            | Kind::Compare(_, a, b)
            | Kind::And(a, b)
            | Kind::Or(a, b)
            | Kind::Join(a, b) => {
                a.visit_columns(visit);
                b.visit_columns(visit);
            }
            Kind::In(a, list) => {
                a.visit_columns(visit);
                list.iter().for_each(|item| item.visit_columns(visit));
            }
            Kind::Between { value, low, high } => {
                [value, low, high].into_iter().for_each(|a| a.visit_columns(visit))
            }
            Kind::Case { operand, branches, otherwise } => {
                operand.iter().chain(otherwise).for_each(|a| a.visit_columns(visit));
                for (condition, value) in branches {
                    condition.visit_columns(visit);
                    value.visit_columns(visit);
                }
            }
            Kind::Call(_, args) => args.iter().for_each(|a| a.visit_columns(visit)),
        }
    }
}

#[cfg(test)]
mod tests;
