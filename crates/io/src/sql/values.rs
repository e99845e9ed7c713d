//! Values as literals.
//!
//! | type | PostgreSQL | SQLite | DuckDB | MySQL |
//! |---|---|---|---|---|
//! | bool | `true` | `true` | `true` | `true` |
//! | int, decimal | `12.50` | `12.50` | `12.50` | `12.50` |
//! | float | `0.1`, `'-0.0'`, `'NaN'`, `'Infinity'` | `0.1`, `9e999` | as PostgreSQL | `0.1` |
//! | text | `'…'`, quotes doubled | also; with NUL as bytes | also; with NUL in pieces | backslashes and NUL escaped, too |
//! | date | `'2026-01-31'` | the same | the same | the same |
//! | datetime | `'2026-01-31T23:59:59Z'` | the same | the same | without the `Z` |
//! | duration | `'5400000000 microseconds'` | `5400000000` | as PostgreSQL | as SQLite |

use lookalike_ruleset::{Field, Type};
use polars::prelude::*;

use crate::{Dialect, Error, texts};

/// Digits that a double holds of any decimal number: beyond them SQLite, which has nothing better, would round.
const SQLITE_DIGITS: u32 = 15;

/// The values of a column, ready to be written into statements.
pub(crate) struct Literals {
    dialect: Dialect,
    copy: bool,
    ty: Type,
    texts: StringChunked,
}

impl Literals {
    /// The values of `series`, for `INSERT`, or for `COPY`.
    pub(crate) fn new(
        dialect: Dialect,
        copy: bool,
        format: &'static str,
        field: &Field,
        series: &Series,
    ) -> Result<Literals, Error> {
        fits(dialect, format, field, series)?;
        let texts = match field.ty {
            Type::Duration => {
                let micros = series.to_physical_repr().cast(&DataType::String);
                micros.and_then(|texts| texts.str().cloned()).map_err(Error::engine(format))?
            }
            _ => texts(field, series)?,
        };
        Ok(Literals { dialect, copy, ty: field.ty, texts })
    }

    /// The texts, one after the other; null for null.
    pub(crate) fn iter(&self) -> impl Iterator<Item = Option<&str>> {
        self.texts.iter()
    }

    /// Appends one of the texts as a literal.
    pub(crate) fn append(&self, text: Option<&str>, out: &mut String) {
        let Some(text) = text else {
            out.push_str(if self.copy { "\\N" } else { "NULL" });
            return;
        };
        match self.ty {
            Type::Bool | Type::Int | Type::Decimal(_) => out.push_str(text),
            Type::Float => self.float(text, out),
            Type::Duration => match self.dialect {
                Dialect::Sqlite | Dialect::Mysql => out.push_str(text),
                Dialect::Postgres | Dialect::Duckdb => self.quoted(&format!("{text} microseconds"), out),
            },
            Type::Datetime if self.dialect == Dialect::Mysql => self.quoted(text.trim_end_matches('Z'), out),
            Type::Date | Type::Datetime => self.quoted(text, out),
            Type::Text if self.copy => copied(text, out),
            Type::Text => quoted(self.dialect, text, out),
        }
    }

    /// A text that needs no escapes.
    fn quoted(&self, text: &str, out: &mut String) {
        let quote = if self.copy { "" } else { "'" };
        out.extend([quote, text, quote]);
    }

    fn float(&self, text: &str, out: &mut String) {
        let text = match (self.dialect, text) {
            (Dialect::Sqlite, "inf") => "9e999",
            (Dialect::Sqlite, "-inf") => "-9e999",
            (_, "inf") => return self.quoted("Infinity", out),
            (_, "-inf") => return self.quoted("-Infinity", out),
            // As a number it would be a decimal first, of which there is but one zero.
            (Dialect::Postgres | Dialect::Duckdb, "-0.0") => return self.quoted("-0.0", out),
            (Dialect::Mysql, "-0.0") => "-0e0",
            (_, "NaN") => return self.quoted("NaN", out),
            (_, text) => text,
        };
        out.push_str(text);
    }
}

/// Appends a text as a literal.
pub(super) fn quoted(dialect: Dialect, text: &str, out: &mut String) {
    let has_nul = text.contains('\0');
    match dialect {
        // The text of a statement ends at a NUL, so the bytes are given in hexadecimal digits.
        Dialect::Sqlite if has_nul => {
            out.push_str("CAST(X'");
            text.bytes().for_each(|byte| out.push_str(&format!("{byte:02X}")));
            out.push_str("' AS TEXT)");
        }
        Dialect::Duckdb if has_nul => {
            out.push_str("concat('");
            out.push_str(&text.replace('\'', "''").replace('\0', "', chr(0), '"));
            out.push_str("')");
        }
        Dialect::Mysql => {
            out.push('\'');
            for character in text.chars() {
                match character {
                    '\'' => out.push_str("''"),
                    '\\' => out.push_str("\\\\"),
                    '\0' => out.push_str("\\0"),
                    '\n' => out.push_str("\\n"),
                    '\r' => out.push_str("\\r"),
                    '\u{1a}' => out.push_str("\\Z"),
                    other => out.push(other),
                }
            }
            out.push('\'');
        }
        Dialect::Postgres | Dialect::Sqlite | Dialect::Duckdb => {
            out.push('\'');
            for (at, piece) in text.split('\'').enumerate() {
                out.push_str(if at > 0 { "''" } else { "" });
                out.push_str(piece);
            }
            out.push('\'');
        }
    }
}

/// Appends a text as a value in the lines behind `COPY`.
fn copied(text: &str, out: &mut String) {
    for character in text.chars() {
        match character {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            other => out.push(other),
        }
    }
}

/// Refuses values that the database cannot hold as they are.
pub(crate) fn fits(
    dialect: Dialect,
    format: &'static str,
    field: &Field,
    series: &Series,
) -> Result<(), Error> {
    let refuse = |value: String| Err(Error::Value { column: field.name.clone(), format, value });
    match (field.ty, dialect) {
        (Type::Text, Dialect::Postgres) => {
            let texts = texts(field, series)?;
            match texts.iter().flatten().find(|text| text.contains('\0')) {
                Some(text) => refuse(format!("`{}`: PostgreSQL has no text with NUL", text.escape_debug())),
                None => Ok(()),
            }
        }
        (Type::Float, Dialect::Sqlite | Dialect::Mysql) => {
            let numbers = series.f64().map_err(Error::engine(format))?;
            let wrong = |x: &f64| x.is_nan() || dialect == Dialect::Mysql && x.is_infinite();
            numbers.iter().flatten().find(wrong).map_or(Ok(()), |x| refuse(x.to_string()))
        }
        (Type::Decimal(scale), Dialect::Sqlite) => {
            let units = series.to_physical_repr().cast(&DataType::Int64).map_err(Error::engine(format))?;
            let wide = |units: &i64| units.unsigned_abs() >= 10u64.pow(SQLITE_DIGITS);
            match units.i64().map_err(Error::engine(format))?.iter().flatten().find(wide) {
                Some(units) => refuse(format!("{units}e-{scale}: SQLite keeps {SQLITE_DIGITS} digits")),
                None => Ok(()),
            }
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_texts_stay_in_their_quotes() {
        let said = |dialect, text| {
            let mut out = String::new();
            quoted(dialect, text, &mut out);
            out
        };
        for (text, postgres, sqlite, duckdb, mysql) in [
            ("O'Brien", "'O''Brien'", "'O''Brien'", "'O''Brien'", "'O''Brien'"),
            ("", "''", "''", "''", "''"),
            ("\\", "'\\'", "'\\'", "'\\'", "'\\\\'"),
            (
                "\\'; DROP TABLE x; --",
                "'\\''; DROP TABLE x; --'",
                "'\\''; DROP TABLE x; --'",
                "'\\''; DROP TABLE x; --'",
                "'\\\\''; DROP TABLE x; --'",
            ),
            ("a\nb\r\u{1a}", "'a\nb\r\u{1a}'", "'a\nb\r\u{1a}'", "'a\nb\r\u{1a}'", "'a\\nb\\r\\Z'"),
            ("🌍", "'🌍'", "'🌍'", "'🌍'", "'🌍'"),
        ] {
            assert_eq!(said(Dialect::Postgres, text), postgres);
            assert_eq!(said(Dialect::Sqlite, text), sqlite);
            assert_eq!(said(Dialect::Duckdb, text), duckdb);
            assert_eq!(said(Dialect::Mysql, text), mysql);
        }
        assert_eq!(said(Dialect::Sqlite, "a'\0"), "CAST(X'612700' AS TEXT)");
        assert_eq!(said(Dialect::Duckdb, "a'\0"), "concat('a''', chr(0), '')");
        assert_eq!(said(Dialect::Mysql, "a'\0"), "'a''\\0'");
        let mut line = String::new();
        copied("\\.\t\n\\N", &mut line);
        assert_eq!(line, "\\\\.\\t\\n\\\\N");
    }
}
