//! One type for a column that several inputs have.

use lookalike_ruleset::{Field, TableSchema, Type};
use polars::prelude::*;

use crate::array;
use crate::generator::Failure;
use crate::generators::branches::common_type;

/// Two inputs whose columns do not go together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conflict {
    /// The column.
    pub column: String,
    /// An input, and the column's type there.
    pub first: (String, Type),
    /// Another, and its type.
    pub second: (String, Type),
}

impl std::fmt::Display for Conflict {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Conflict { column, first: (one, ty), second: (other, other_ty) } = self;
        write!(f, "column `{column}` is {ty} in {one} and {other_ty} in {other}, and no type holds both")
    }
}

/// The columns of all inputs, by name: those of the first in its order, then those that only later ones have.
///
/// # Errors
/// Each column whose types do not go together, with two inputs that show it.
pub fn reconcile(table: &str, inputs: &[(&str, &TableSchema)]) -> Result<TableSchema, Vec<Conflict>> {
    let mut fields: Vec<Field> = Vec::new();
    let mut conflicts: Vec<Conflict> = Vec::new();
    for (name, schema) in inputs {
        for field in &schema.fields {
            let Some(known) = fields.iter_mut().find(|known| known.name == field.name) else {
                fields.push(field.clone());
                continue;
            };
            known.nullable |= field.nullable;
            known.plain &= field.plain;
            known.json &= field.json;
            known.about = known.about.take().or_else(|| field.about.clone());
            match common_type(known.ty, field.ty) {
                Some(ty) => known.ty = ty,
                None if conflicts.iter().any(|conflict| conflict.column == field.name) => {}
                None => {
                    let of = |(name, schema): &(&str, &TableSchema)| {
                        let other = schema.fields.iter().find(|other| other.name == field.name)?;
                        common_type(other.ty, field.ty).is_none().then(|| ((*name).to_owned(), other.ty))
                    };
                    conflicts.push(Conflict {
                        column: field.name.clone(),
                        first: inputs.iter().find_map(of).unwrap_or_else(|| ((*name).to_owned(), known.ty)),
                        second: ((*name).to_owned(), field.ty),
                    });
                }
            }
        }
    }
    for field in &mut fields {
        field.nullable |= inputs.iter().any(|(_, schema)| schema.fields.iter().all(|f| f.name != field.name));
    }
    if conflicts.is_empty() { Ok(TableSchema { table: table.to_owned(), fields }) } else { Err(conflicts) }
}

/// The values as another type that holds them.
///
/// # Errors
/// When one is not held: a whole number with more digits than a decimal has room for.
pub(super) fn convert(series: &Series, ty: Type) -> Result<Series, Failure> {
    let wanted = array::dtype_of(ty);
    if *series.dtype() == wanted {
        return Ok(series.clone());
    }
    let short = |_| Failure::new(format!("a value does not fit the type {ty} that the inputs have together"));
    series.strict_cast(&wanted).map_err(short)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schema(fields: &[(&str, Type)]) -> TableSchema {
        let field = |(name, ty): &(&str, Type)| Field {
            name: (*name).into(),
            ty: *ty,
            nullable: false,
            plain: false,
            json: false,
            about: None,
        };
        TableSchema { table: "t".into(), fields: fields.iter().map(field).collect() }
    }

    #[test]
    fn types_widen_and_columns_are_found_by_name() {
        let one = schema(&[("id", Type::Int), ("price", Type::Decimal(2)), ("at", Type::Date)]);
        let two =
            schema(&[("at", Type::Datetime), ("price", Type::Int), ("id", Type::Int), ("more", Type::Text)]);
        let three = schema(&[("price", Type::Decimal(4)), ("id", Type::Float)]);
        let found = reconcile("t", &[("a", &one), ("b", &two), ("c", &three)]).unwrap();
        let found: Vec<_> = found.fields.iter().map(|f| (f.name.as_str(), f.ty, f.nullable)).collect();
        assert_eq!(
            found,
            [
                ("id", Type::Float, false),
                ("price", Type::Decimal(4), false),
                ("at", Type::Datetime, true),
                ("more", Type::Text, true)
            ]
        );
    }

    #[test]
    fn conflicts_name_both_inputs() {
        let one = schema(&[("id", Type::Int), ("day", Type::Date)]);
        let two = schema(&[("id", Type::Text), ("day", Type::Bool)]);
        let found = reconcile("t", &[("a.csv", &one), ("same.csv", &one), ("b.csv", &two)]).unwrap_err();
        let words: Vec<_> = found.iter().map(Conflict::to_string).collect();
        assert_eq!(words[0], "column `id` is int in a.csv and text in b.csv, and no type holds both");
        assert_eq!(words[1], "column `day` is date in a.csv and bool in b.csv, and no type holds both");
    }

    #[test]
    fn values_are_kept() {
        let whole = Series::new("".into(), [1i64, -20]);
        let cents = convert(&whole, Type::Decimal(2)).unwrap();
        assert_eq!(cents.cast(&DataType::String).unwrap().str().unwrap().get(1), Some("-20.00"));
        let many = Series::new("".into(), [i64::MAX]);
        assert!(convert(&many, Type::Decimal(9)).is_err());
        let days = Series::new("".into(), [1i32]).cast(&DataType::Date).unwrap();
        assert_eq!(
            convert(&days, Type::Datetime).unwrap().to_physical_repr().i64().unwrap().get(0),
            Some(86_400_000_000)
        );
    }
}
