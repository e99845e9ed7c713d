//! The types that a column can have.

use std::fmt;

/// The logical type of a column or an expression.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Type {
    /// True or false.
    Bool,
    /// Whole number, 64 bits signed.
    Int,
    /// Binary floating point, 64 bits.
    Float,
    /// Decimal number with this many digits after the point (0 to 9), exact to 15 digits in all. An expression reads it
    /// as a float.
    Decimal(u8),
    /// Text in UTF-8.
    Text,
    /// Calendar date.
    Date,
    /// Point in time, in microseconds, UTC.
    Datetime,
    /// Length of time, in microseconds.
    Duration,
}

impl Type {
    /// Whether it is a number: int, float or decimal.
    pub fn is_number(self) -> bool {
        matches!(self, Type::Int | Type::Float | Type::Decimal(_))
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Type::Bool => f.write_str("bool"),
            Type::Int => f.write_str("int"),
            Type::Float => f.write_str("float"),
            Type::Decimal(scale) => write!(f, "decimal({scale})"),
            Type::Text => f.write_str("text"),
            Type::Date => f.write_str("date"),
            Type::Datetime => f.write_str("datetime"),
            Type::Duration => f.write_str("duration"),
        }
    }
}

/// A column of a finished table, as sinks and readers see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// Column name.
    pub name: String,
    /// Logical type.
    pub ty: Type,
    /// Whether nulls can occur.
    pub nullable: bool,
    /// For text: whether no value can contain a quote, a comma, a semicolon, a backslash, a control character or a
    /// leading or trailing space, so that text formats may skip the search for them. Known from the generator when the
    /// plan is made.
    pub plain: bool,
    /// For text: whether every value is JSON on one line, which JSON lines holds as it is and not as a string.
    pub json: bool,
    /// The column's `about` text.
    pub about: Option<String>,
}

/// The columns of a finished table, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableSchema {
    /// Table name.
    pub table: String,
    /// The columns.
    pub fields: Vec<Field>,
}
