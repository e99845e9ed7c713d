//! The statement that makes a table.

use std::fmt::Write as _;

use lookalike_core::declared::{Constraints, Foreign, Limits};
use lookalike_ruleset::{Field, TableSchema, Type};

use super::names::{name, title};
use super::values::quoted;
use crate::{Dialect, digits};

/// A table that is to be made.
pub(crate) struct Definition<'a> {
    /// For which database.
    pub dialect: Dialect,
    /// Name and columns.
    pub schema: &'a TableSchema,
    /// What holds for its rows.
    pub constraints: &'a Constraints,
}

impl Definition<'_> {
    /// `CREATE TABLE`. References to parents are in it where `inline` says so.
    pub(crate) fn create(&self, inline: impl Fn(&Foreign) -> bool) -> String {
        let mut lines: Vec<String> = self.schema.fields.iter().map(|field| self.column(field)).collect();
        let list = |columns: &[String]| {
            columns.iter().map(|column| name(self.dialect, column)).collect::<Vec<_>>().join(", ")
        };
        if let Some(primary) = &self.constraints.primary {
            lines.push(format!("PRIMARY KEY ({})", list(std::slice::from_ref(primary))));
        }
        lines.extend(self.constraints.unique.iter().map(|columns| format!("UNIQUE ({})", list(columns))));
        lines
            .extend(self.constraints.limits.iter().filter_map(|(column, limits)| self.check(column, limits)));
        let mut left_out = String::new();
        for foreign in &self.constraints.foreign {
            if inline(foreign) {
                let deferred =
                    if self.dialect == Dialect::Sqlite { " DEFERRABLE INITIALLY DEFERRED" } else { "" };
                lines.push(format!("{}{deferred}", self.reference(foreign)));
            } else if self.dialect == Dialect::Duckdb {
                let column = foreign.column.escape_debug();
                let _ = writeln!(
                    left_out,
                    "-- No foreign key for `{column}`: {} takes none to a table that is not complete.",
                    title(self.dialect)
                );
            }
        }
        let table = name(self.dialect, &self.schema.table);
        let end = if self.dialect == Dialect::Mysql {
            // Text is compared by its characters, so that what differs here is not the same there.
            ") DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin"
        } else {
            ")"
        };
        format!("{left_out}CREATE TABLE {table} (\n  {}\n{end};\n", lines.join(",\n  "))
    }

    /// The statements that add the references to parents, once all rows are there.
    pub(crate) fn references(&self) -> String {
        let table = name(self.dialect, &self.schema.table);
        let add = |foreign| format!("ALTER TABLE {table} ADD {};\n", self.reference(foreign));
        self.constraints.foreign.iter().map(add).collect()
    }

    fn reference(&self, foreign: &Foreign) -> String {
        let [column, parent, key] =
            [&foreign.column, &foreign.parent, &foreign.parent_column].map(|text| name(self.dialect, text));
        format!("FOREIGN KEY ({column}) REFERENCES {parent} ({key})")
    }

    fn column(&self, field: &Field) -> String {
        let required = if field.nullable { "" } else { " NOT NULL" };
        format!("{} {}{required}", name(self.dialect, &field.name), self.ty(field))
    }

    fn ty(&self, field: &Field) -> String {
        use Dialect::{Duckdb, Mysql, Postgres, Sqlite};
        let name = match (field.ty, self.dialect) {
            (Type::Bool, Postgres) => "boolean",
            (Type::Bool, _) => "BOOLEAN",
            (Type::Int, Postgres) => "bigint",
            (Type::Int, Sqlite) => "INTEGER",
            (Type::Int, _) => "BIGINT",
            (Type::Float, Postgres) => "double precision",
            (Type::Float, Sqlite) => "REAL",
            (Type::Float, _) => "DOUBLE",
            // The digits that a cell can have.
            (Type::Decimal(scale), Postgres) => return format!("numeric(18,{scale})"),
            (Type::Decimal(scale), _) => return format!("DECIMAL(18,{scale})"),
            (Type::Text, Postgres) => "text",
            (Type::Text, Sqlite) => "TEXT",
            (Type::Text, Duckdb) => "VARCHAR",
            // What is part of a key is of bounded length.
            (Type::Text, Mysql) if self.is_in_a_key(&field.name) => "VARCHAR(255)",
            (Type::Text, Mysql) => "LONGTEXT",
            (Type::Date, Postgres) => "date",
            (Type::Date, _) => "DATE",
            (Type::Datetime, Postgres) => "timestamp with time zone",
            (Type::Datetime, Duckdb) => "TIMESTAMPTZ",
            (Type::Datetime, Sqlite) => "DATETIME",
            (Type::Datetime, Mysql) => "DATETIME(6)",
            (Type::Duration, Postgres) => "interval",
            (Type::Duration, Duckdb) => "INTERVAL",
            (Type::Duration, Sqlite) => "INTEGER",
            (Type::Duration, Mysql) => "BIGINT",
        };
        name.to_owned()
    }

    fn is_in_a_key(&self, column: &String) -> bool {
        let Constraints { primary, unique, foreign, .. } = self.constraints;
        primary.as_ref() == Some(column)
            || unique.iter().flatten().any(|key| key == column)
            || foreign.iter().any(|foreign| foreign.column == *column)
    }

    /// What the values lie in, where it can be said in the column's type.
    fn check(&self, column: &str, limits: &Limits) -> Option<String> {
        let field = self.schema.fields.iter().find(|field| field.name == column)?;
        let quoted_name = name(self.dialect, column);
        let condition = match (limits, field.ty) {
            (Limits::OneOf(values), Type::Text) => {
                if self.dialect == Dialect::Postgres && values.iter().any(|value| value.contains('\0')) {
                    return None;
                }
                let mut list = String::new();
                for value in values {
                    list.push_str(if list.is_empty() { "" } else { ", " });
                    quoted(self.dialect, value, &mut list);
                }
                format!("{quoted_name} IN ({list})")
            }
            (Limits::Within(low, high), ty) => {
                let bound = |end: f64| if end.is_finite() { bound(ty, end).map(Some) } else { Some(None) };
                match (bound(*low)?, bound(*high)?) {
                    (Some(low), Some(high)) => format!("{quoted_name} BETWEEN {low} AND {high}"),
                    (Some(low), None) => format!("{quoted_name} >= {low}"),
                    (None, Some(high)) => format!("{quoted_name} <= {high}"),
                    (None, None) => return None,
                }
            }
            _ => return None,
        };
        Some(format!("CHECK ({condition})"))
    }
}

/// An end of a range as a literal, if the type has such ranges.
fn bound(ty: Type, end: f64) -> Option<String> {
    // Ends that were rounded to a decimal place are off it by an error of computation.
    let near = (end * 1e6).round() / 1e6;
    let end = if (end - near).abs() <= 1e-12 * end.abs() { near } else { end };
    match ty {
        Type::Int if end.abs() < 9e15 && end.fract() == 0.0 => Some(format!("{end:.0}")),
        Type::Decimal(scale) if end.abs() < 1e15 => Some(format!("{end:.*}", usize::from(scale))),
        Type::Float => Some(zmij::Buffer::new().format(end).to_owned()),
        Type::Date if end.fract() == 0.0 && (-719_162.0..=2_932_896.0).contains(&end) => {
            let mut text = [0; digits::ROOM];
            let len = digits::date(&mut text, end as i64);
            Some(format!("'{}'", String::from_utf8_lossy(&text[..len])))
        }
        _ => None,
    }
}
