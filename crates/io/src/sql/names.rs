//! Names of tables and columns.

use lookalike_ruleset::TableSchema;

use crate::{Dialect, Error};

/// Columns that every table of PostgreSQL has already.
const POSTGRES_OWN: [&str; 6] = ["tableoid", "xmin", "cmin", "xmax", "cmax", "ctid"];

/// A name in quotes, so that any character and any reserved word may be in it.
pub(crate) fn name(dialect: Dialect, name: &str) -> String {
    match dialect {
        Dialect::Mysql => format!("`{}`", name.replace('`', "``")),
        Dialect::Postgres | Dialect::Sqlite | Dialect::Duckdb => format!("\"{}\"", name.replace('"', "\"\"")),
    }
}

/// Refuses names that the database would refuse, cut off, or take for each other.
pub(crate) fn check_names(dialect: Dialect, schema: &TableSchema) -> Result<(), Error> {
    let columns = || schema.fields.iter().map(|field| field.name.as_str());
    for (what, name) in [("table", schema.table.as_str())].into_iter().chain(columns().map(|c| ("column", c)))
    {
        if let Some(why) = fault(dialect, what == "table", name) {
            return Err(Error::Option(format!(
                "{} has no {what} `{}`: {why}; give it another name, or write another format",
                title(dialect),
                name.escape_debug()
            )));
        }
    }
    // PostgreSQL alone tells names in quotes apart by their case.
    if dialect != Dialect::Postgres {
        let mut seen = std::collections::BTreeMap::new();
        for column in columns() {
            if let Some(before) = seen.insert(column.to_lowercase(), column) {
                return Err(Error::Option(format!(
                    "table `{}`: {} takes the columns `{before}` and `{column}` for the same",
                    schema.table,
                    title(dialect)
                )));
            }
        }
    }
    Ok(())
}

/// Why a name cannot be.
fn fault(dialect: Dialect, table: bool, name: &str) -> Option<&'static str> {
    if name.is_empty() {
        return Some("it is empty");
    }
    if name.contains('\0') {
        return Some("a name cannot contain NUL");
    }
    match dialect {
        Dialect::Postgres if name.len() > 63 => Some("a name has at most 63 bytes"),
        Dialect::Postgres if !table && POSTGRES_OWN.contains(&name) => Some("every table has such a column"),
        Dialect::Mysql if name.chars().count() > 64 => Some("a name has at most 64 characters"),
        Dialect::Mysql if name.ends_with([' ', '\t', '\n', '\u{b}', '\u{c}', '\r']) => {
            Some("a name does not end in a space, tab or line end")
        }
        Dialect::Mysql if name.chars().any(|c| c > '\u{ffff}') => {
            Some("a name has no characters beyond U+FFFF")
        }
        Dialect::Sqlite if table && name.to_ascii_lowercase().starts_with("sqlite_") => {
            Some("such names are SQLite's own")
        }
        _ => None,
    }
}

/// What the database is called.
pub(super) fn title(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Postgres => "PostgreSQL",
        Dialect::Sqlite => "SQLite",
        Dialect::Duckdb => "DuckDB",
        Dialect::Mysql => "MySQL",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lookalike_ruleset::{Field, Type};

    fn schema(table: &str, columns: &[&str]) -> TableSchema {
        let field = |name: &&str| Field {
            name: (*name).into(),
            ty: Type::Int,
            nullable: true,
            plain: false,
            json: false,
            about: None,
        };
        TableSchema { table: table.into(), fields: columns.iter().map(field).collect() }
    }

    #[test]
    fn quotes_in_names_are_doubled() {
        assert_eq!(name(Dialect::Postgres, r#"a"; DROP TABLE b; --"#), r#""a""; DROP TABLE b; --""#);
        assert_eq!(name(Dialect::Mysql, "a`; DROP"), "`a``; DROP`");
        assert_eq!(name(Dialect::Mysql, "a\\`"), "`a\\```");
    }

    #[test]
    fn names_that_would_not_survive_are_refused() {
        let all = [Dialect::Postgres, Dialect::Sqlite, Dialect::Duckdb, Dialect::Mysql];
        let refused = |schema: &TableSchema| -> Vec<Dialect> {
            all.into_iter().filter(|dialect| check_names(*dialect, schema).is_err()).collect()
        };
        assert_eq!(refused(&schema("select", &["from", "order by", "1", "ä b", "\n."])), []);
        for name in ["a ", "\n", "a\u{b}"] {
            assert_eq!(refused(&schema("t", &[name])), [Dialect::Mysql]);
        }
        assert_eq!(refused(&schema("t", &["a\0b"])), all);
        assert_eq!(refused(&schema("t", &[""])), all);
        assert_eq!(refused(&schema(&"x".repeat(64), &["a"])), [Dialect::Postgres]);
        assert_eq!(refused(&schema(&"x".repeat(65), &["a"])), [Dialect::Postgres, Dialect::Mysql]);
        assert_eq!(
            refused(&schema("t", &["Größe", "größe"])),
            [Dialect::Sqlite, Dialect::Duckdb, Dialect::Mysql]
        );
        assert_eq!(refused(&schema("t", &["xmin"])), [Dialect::Postgres]);
        assert_eq!(refused(&schema("xmin", &["a"])), []);
        assert_eq!(refused(&schema("SQLite_x", &["sqlite_x"])), [Dialect::Sqlite]);
        assert_eq!(refused(&schema("t", &["🌍", "a "])), [Dialect::Mysql]);
        let error = check_names(Dialect::Postgres, &schema("t", &["ctid"])).unwrap_err().to_string();
        assert_eq!(
            error,
            "PostgreSQL has no column `ctid`: every table has such a column; give it another name, or write another format"
        );
    }
}
