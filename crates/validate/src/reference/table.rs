//! Tables, and what their columns are.

use std::collections::{BTreeMap, HashMap, HashSet};

use lookalike_ruleset::{TableSchema, Type};
use polars::prelude::{DataFrame, DataType, Series};

use super::Options;

/// A table to be compared: its schema and its rows.
#[derive(Clone, Copy, Debug)]
pub struct Table<'a> {
    /// The columns.
    pub schema: &'a TableSchema,
    /// The rows.
    pub frame: &'a DataFrame,
    /// What of the whole table is known, where these rows are a sample.
    pub sampled: Option<Sampled>,
}

/// A table of which some rows are held.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sampled {
    /// Rows of the whole.
    pub rows: u64,
    /// Share of all rows whose key occurs for the first time and is not null, where there is a key.
    pub unique: Option<f64>,
}

impl<'a> Table<'a> {
    /// A table of these columns and rows.
    pub fn new(schema: &'a TableSchema, frame: &'a DataFrame) -> Table<'a> {
        Table { schema, frame, sampled: None }
    }

    /// A sample of a table's rows.
    pub fn sample(schema: &'a TableSchema, frame: &'a DataFrame, sampled: Sampled) -> Table<'a> {
        Table { schema, frame, sampled: Some(sampled) }
    }

    /// How many rows the whole has, of which these may be a sample.
    pub fn all_rows(&self) -> u64 {
        self.sampled.map_or(self.rows() as u64, |sampled| sampled.rows)
    }

    /// How many rows are held.
    pub fn rows(&self) -> usize {
        self.frame.height()
    }

    /// The logical type of a column.
    pub(crate) fn ty(&self, column: &str) -> Option<Type> {
        self.schema.fields.iter().find(|field| field.name == column).map(|field| field.ty)
    }

    /// A column's values.
    pub(crate) fn series(&self, column: &str) -> Option<&'a Series> {
        self.frame.column(column).ok().map(|column| column.as_materialized_series())
    }
}

/// What a column is, and so how it is compared. (SDMetrics: sdtype.)
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// An amount: integers, floats, decimals, lengths of time.
    Number,
    /// A point in time.
    Time,
    /// One of a set of values.
    Category,
    /// True or false.
    Boolean,
    /// A name of its row, or free text: its values mean nothing beside those of other rows, so only nulls are compared.
    Id,
}

impl Role {
    /// Whether values have an order and distances.
    pub fn is_continuous(self) -> bool {
        matches!(self, Role::Number | Role::Time)
    }

    /// Whether values are compared by how often they occur.
    pub fn is_discrete(self) -> bool {
        matches!(self, Role::Category | Role::Boolean)
    }
}

/// Categories of a text column at most; beyond, it is free text.
const MAX_CATEGORIES: usize = 1_000;

/// What the columns of the reference are. Keys are ids. Text is a category as long as the reference has at most 1,000
/// values that on average occur at least twice; otherwise it is an id. [`Options::roles`] has the last word.
pub fn roles(real: &Table<'_>, options: &Options) -> BTreeMap<String, Role> {
    let role = |name: &str, ty: Type| {
        if let Some(&role) = options.roles.get(name) {
            return role;
        }
        if options.key.iter().any(|key| key == name) || options.sequence.as_deref() == Some(name) {
            return Role::Id;
        }
        match ty {
            Type::Bool => Role::Boolean,
            Type::Int | Type::Float | Type::Decimal(_) | Type::Duration => Role::Number,
            Type::Date | Type::Datetime => Role::Time,
            Type::Text => match real.series(name) {
                Some(series) if is_categorical(series) => Role::Category,
                _ => Role::Id,
            },
        }
    };
    real.schema.fields.iter().map(|field| (field.name.clone(), role(&field.name, field.ty))).collect()
}

fn is_categorical(series: &Series) -> bool {
    let Ok(text) = series.cast(&DataType::String) else { return false };
    let Ok(text) = text.str() else { return false };
    let values = text.len() - text.null_count();
    let limit = MAX_CATEGORIES.min(values / 2);
    let mut seen = HashSet::new();
    for value in text.iter().flatten() {
        if seen.insert(value) && seen.len() > limit {
            return false;
        }
    }
    true
}

/// Columns that both tables have with the same type.
pub(crate) struct Shared {
    /// Name and role.
    pub columns: Vec<(String, Role)>,
    /// Why others are left out.
    pub left_out: Vec<String>,
}

pub(crate) fn shared(real: &Table<'_>, synthetic: &Table<'_>, roles: &BTreeMap<String, Role>) -> Shared {
    let mut out = Shared { columns: Vec::new(), left_out: Vec::new() };
    for field in &real.schema.fields {
        let name = &field.name;
        match (synthetic.ty(name), roles.get(name)) {
            (None, _) => out.left_out.push(format!("column `{name}` of the reference is missing")),
            // Numbers can be compared with each other whatever they are held as.
            (Some(ty), Some(&role)) if ty == field.ty || (ty.is_number() && field.ty.is_number()) => {
                out.columns.push((name.clone(), role));
            }
            (Some(ty), _) => out.left_out.push(format!(
                "column `{name}` is not compared: it is {ty}, and {} in the reference",
                field.ty
            )),
        }
    }
    for field in &synthetic.schema.fields {
        if real.ty(&field.name).is_none() {
            out.left_out
                .push(format!("column `{}` is not compared: the reference does not have it", field.name));
        }
    }
    out
}

/// The values of a column as numbers: NaN for nulls and for what is not finite. Times are microseconds, dates days.
pub(crate) fn numbers(series: &Series) -> Vec<f64> {
    let physical = match series.dtype() {
        DataType::Decimal(..) | DataType::Boolean => series.cast(&DataType::Float64),
        _ => series.to_physical_repr().cast(&DataType::Float64),
    };
    let Ok(physical) = physical else { return vec![f64::NAN; series.len()] };
    let Ok(values) = physical.f64() else { return vec![f64::NAN; series.len()] };
    values.iter().map(|value| value.filter(|value| value.is_finite()).unwrap_or(f64::NAN)).collect()
}

/// What stands for a null among codes.
pub(crate) const NULL: u32 = u32::MAX;

/// Numbers values in the order in which they first occur, over several columns.
#[derive(Default)]
pub(crate) struct Coder {
    texts: HashMap<String, u32>,
    bits: HashMap<u64, u32>,
    next: u32,
}

impl Coder {
    /// How many values there are.
    pub(crate) fn len(&self) -> usize {
        self.next as usize
    }

    /// The texts, in the order of their codes; none for other values.
    pub(crate) fn names(&self) -> Vec<String> {
        let mut names: Vec<(u32, &String)> = self.texts.iter().map(|(text, &code)| (code, text)).collect();
        names.sort_unstable();
        names.into_iter().map(|(_, text)| text.clone()).collect()
    }

    /// What all values are called, in the order of their codes: texts as they are, numbers in digits, of a column of booleans
    /// `true` and `false`.
    pub(crate) fn labels(&self, booleans: bool) -> Vec<String> {
        let of_bits = |bits: &u64| match (f64::from_bits(*bits), booleans) {
            (value, true) => (value != 0.0).to_string(),
            (value, false) => value.to_string(),
        };
        let texts = self.texts.iter().map(|(text, code)| (*code, text.clone()));
        let mut labels: Vec<(u32, String)> =
            self.bits.iter().map(|(bits, code)| (*code, of_bits(bits))).chain(texts).collect();
        labels.sort_unstable();
        labels.into_iter().map(|(_, label)| label).collect()
    }

    /// The codes of a column's values; [`NULL`] for nulls.
    pub(crate) fn codes(&mut self, series: &Series) -> Vec<u32> {
        let is_text =
            matches!(series.dtype(), DataType::String | DataType::Enum(..) | DataType::Categorical(..));
        if !is_text {
            return self.number_codes(&numbers(series));
        }
        let Ok(text) = series.cast(&DataType::String) else { return vec![NULL; series.len()] };
        let Ok(text) = text.str() else { return vec![NULL; series.len()] };
        text.iter()
            .map(|value| match value {
                None => NULL,
                Some(value) => match self.texts.get(value) {
                    Some(&code) => code,
                    None => {
                        let code = self.next;
                        self.next += 1;
                        self.texts.insert(value.to_owned(), code);
                        code
                    }
                },
            })
            .collect()
    }

    fn number_codes(&mut self, values: &[f64]) -> Vec<u32> {
        values
            .iter()
            .map(|&value| {
                if value.is_nan() {
                    return NULL;
                }
                // 0.0 and -0.0 are one value.
                let bits = (value + 0.0).to_bits();
                *self.bits.entry(bits).or_insert_with(|| {
                    self.next += 1;
                    self.next - 1
                })
            })
            .collect()
    }
}
