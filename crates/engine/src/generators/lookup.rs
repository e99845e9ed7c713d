//! `lookup`: facts from a file, by the values of other columns.

use std::collections::HashMap;
use std::sync::Arc;

use lookalike_ruleset::decode::{Decode, Spanned, Stamp, parse_stamp, parse_time};
use lookalike_ruleset::diagnostic::did_you_mean;
use lookalike_ruleset::document::Lookup as File;
use lookalike_ruleset::{Diagnostic, Json, Node, Problems, Span, Type, params};
use polars::prelude::*;
use polars_arrow::bitmap::Bitmap;
use serde_json::json;

use crate::array;
use crate::build::Builder;
use crate::generator::{
    Block, Categories, Failure, Generator, Group, InputId, InputName, Kind, Output, Promise, Rule, Site,
};

/// One name, or a list of names.
#[derive(Clone, Debug)]
struct Names(Vec<Spanned<String>>);

impl Decode for Names {
    fn decode(node: &Node, problems: &mut Problems) -> Option<Self> {
        if node.as_list().is_some() {
            Vec::decode(node, problems).map(Names)
        } else {
            Spanned::decode(node, problems).map(|name| Names(vec![name]))
        }
    }
    fn what() -> String {
        "a column, or a list of columns".into()
    }
    fn schema() -> Json {
        json!({"anyOf": [String::schema(), Vec::<String>::schema()]})
    }
}

params! {
    /// Where a fact stands.
    struct Params {
        /// Name of the lookup, as under `lookups`.
        r#in: Spanned<String>,
        /// Column of the lookup's file whose value is taken.
        take: Spanned<String>,
        /// Columns or draws of the table, in the order of the lookup's key.
        by: Names,
        /// `null`: rows whose key is not in the file get null. Without it that is an error.
        missing: Option<Node>,
    }
}

impl Rule for Params {
    fn build(self, _: Span, builder: &mut Builder<'_>) -> Option<Box<dyn Generator>> {
        if let Some(node) = self.missing.as_ref().filter(|node| !node.is_null()) {
            builder.problems.push(
                Diagnostic::error("bad-value", node.span, format!("found {} where only null can stand", node.describe()))
                    .label("expected null")
                    .help("write `missing: null`; to use another value, wrap the column: `coalesce(\"Price\", 0)` in an `expr`"),
            );
            return None;
        }
        let by = self.by.0.into_iter().map(|name| InputName { name: name.value, span: name.span }).collect();
        Some(Box::new(Lookup {
            file: self.r#in,
            take: self.take,
            by,
            nulls: self.missing.is_some(),
            ready: None,
        }))
    }
}

struct Lookup {
    file: Spanned<String>,
    take: Spanned<String>,
    by: Vec<InputName>,
    /// Whether keys that are not in the file give null.
    nulls: bool,
    ready: Option<Ready>,
}

struct Ready {
    inputs: Vec<InputId>,
    finder: Finder,
    values: Values,
}

/// Stands for a line that does not exist.
const NO_LINE: u32 = u32::MAX;

/// Finds the line of a row.
enum Finder {
    /// For columns whose values are known: lines by the columns' codes in mixed radix, the last column's fastest.
    Dense { sizes: Vec<u32>, lines: Vec<u32> },
    /// By the text of the key, see [`push_key`].
    Sparse(HashMap<Vec<u8>, u32>),
}

/// Most combinations of known values for which lines are found by code.
const MAX_DENSE: usize = 1 << 20;

/// The taken column: a value for each line, typed, with its nulls.
struct Values {
    column: Column,
    valid: Vec<bool>,
}

enum Column {
    Bool(Vec<bool>),
    /// Values stored as whole numbers: int, date, datetime, duration.
    Whole(Vec<i64>, Type),
    Float(Vec<f64>),
    Categories(Vec<u32>, Arc<Categories>),
    Text(Vec<String>),
}

/// Appends a part of a key so that different keys never look alike.
fn push_key(key: &mut Vec<u8>, part: &str) {
    key.extend_from_slice(&part.len().to_le_bytes());
    key.extend_from_slice(part.as_bytes());
}

/// The known values of a column, if it has any; their positions are the codes of [`codes`].
fn known_values(output: &Output) -> Option<Vec<String>> {
    match (&output.categories, output.ty) {
        (Some(categories), _) => Some(categories.values().to_vec()),
        (None, Type::Bool) => Some(vec!["false".into(), "true".into()]),
        _ => None,
    }
}

/// Codes of a column with known values; `None` for nulls.
fn codes(series: &Series) -> Result<Vec<Option<u32>>, Failure> {
    match series.dtype() {
        DataType::Boolean => Ok(series.bool()?.iter().map(|value| value.map(u32::from)).collect()),
        _ => array::codes_of(series),
    }
}

impl Lookup {
    fn refuse(&self, span: Span, message: String, help: impl Into<String>, site: &mut Site<'_>) {
        site.problems.error("bad-lookup", span, message, help);
    }

    /// The file and the number of the column to take, or problems.
    fn find<'a>(&self, site: &mut Site<'a>) -> Option<(&'a File, usize)> {
        let world = site.world;
        let Some(file) = world.lookups.iter().find(|lookup| lookup.name == self.file.value) else {
            let help = did_you_mean(
                &self.file.value,
                "lookups",
                world.lookups.iter().map(|lookup| lookup.name.as_str()),
            );
            site.problems.error(
                "unknown-lookup",
                self.file.span,
                format!("there is no lookup `{}`", self.file.value),
                help,
            );
            return None;
        };
        let take = file.header.iter().position(|name| *name == self.take.value);
        if take.is_none() {
            let help = did_you_mean(&self.take.value, "columns", file.header.iter().map(String::as_str));
            self.refuse(
                self.take.span,
                format!("`{}` has no column `{}`", file.file, self.take.value),
                help,
                site,
            );
        }
        if self.by.len() != file.key.len() {
            let key: Vec<&str> = file.key.iter().map(|at| file.header[*at].as_str()).collect();
            let span = self.by.first().map_or(site.span, |first| first.span);
            let message = format!(
                "the key of `{}` has {} columns, but `by` names {}",
                file.name,
                key.len(),
                self.by.len()
            );
            self.refuse(
                span,
                message,
                format!("name the columns that hold {}, in this order", key.join(", ")),
                site,
            );
            return None;
        }
        Some((file, take?))
    }

    /// The line of every combination of the known values, and the lines that are used.
    fn dense(&self, file: &File, known: &[Vec<String>], site: &mut Site<'_>) -> Option<Finder> {
        let by_key = sparse(file);
        let combinations = known.iter().map(Vec::len).product();
        let mut lines = Vec::with_capacity(combinations);
        let mut missing = Vec::new();
        let mut key = Vec::new();
        for combination in 0..combinations {
            let mut rest = combination;
            let mut values: Vec<&str> = known
                .iter()
                .rev()
                .map(|values| {
                    let value = &values[rest % values.len()];
                    rest /= values.len();
                    value.as_str()
                })
                .collect();
            values.reverse();
            key.clear();
            values.iter().for_each(|value| push_key(&mut key, value));
            let line = by_key.get(&key).copied();
            if line.is_none() {
                missing.push(values.join(", "));
            }
            lines.push(line.unwrap_or(NO_LINE));
        }
        if !missing.is_empty() && !self.nulls {
            let more =
                if missing.len() > 5 { format!(" and {} more", missing.len() - 5) } else { String::new() };
            let shown: Vec<String> = missing.iter().take(5).map(|key| format!("({key})")).collect();
            let message = format!("`{}` has no line for {}{more}", file.file, shown.join(", "));
            self.refuse(
                self.file.span,
                message,
                "add the lines, or write `missing: null` for null in such rows",
                site,
            );
            return None;
        }
        Some(Finder::Dense { sizes: known.iter().map(|values| values.len() as u32).collect(), lines })
    }
}

/// The lines by their keys.
fn sparse(file: &File) -> HashMap<Vec<u8>, u32> {
    let lines = file.lines.iter().enumerate().map(|(at, line)| {
        let mut key = Vec::new();
        file.key.iter().for_each(|part| push_key(&mut key, &line[*part]));
        (key, at as u32)
    });
    lines.collect()
}

impl Generator for Lookup {
    fn inputs(&self, inputs: &mut Vec<InputName>) {
        inputs.extend(self.by.iter().cloned());
    }

    fn prepare(&mut self, site: &mut Site<'_>) -> Option<Output> {
        let (file, take) = self.find(site)?;
        let mut inputs = Vec::new();
        let mut nullable = self.nulls;
        let mut known: Option<Vec<Vec<String>>> = Some(Vec::new());
        for by in &self.by {
            let (input, output) = site.input(&by.name)?;
            if !matches!(output.ty, Type::Text | Type::Int | Type::Bool | Type::Date) {
                site.problems.push(
                    Diagnostic::error(
                        "wrong-type",
                        by.span,
                        format!(
                            "`by` needs columns of type text, int, bool or date; `{}` is {}",
                            by.name, output.ty
                        ),
                    )
                    .help("derive a column of text with `template` or `expr`, and use that"),
                );
                return None;
            }
            nullable |= output.nullable;
            inputs.push(input);
            known = known.zip(known_values(&output)).map(|(mut all, values)| {
                all.push(values);
                all
            });
        }
        let dense = known.filter(|known| {
            let combinations =
                known.iter().try_fold(1usize, |product, values| product.checked_mul(values.len()));
            combinations.is_some_and(|combinations| combinations <= MAX_DENSE)
        });
        let finder = match dense {
            Some(known) => self.dense(file, &known, site)?,
            None => Finder::Sparse(sparse(file)),
        };
        let used: Vec<u32> = match &finder {
            Finder::Dense { lines, .. } => {
                let mut used: Vec<u32> = lines.iter().copied().filter(|line| *line != NO_LINE).collect();
                used.sort_unstable();
                used.dedup();
                used
            }
            Finder::Sparse(_) => (0..file.lines.len() as u32).collect(),
        };
        let cells: Vec<&str> = file.lines.iter().map(|line| line[take].as_str()).collect();
        let values = match Values::read(&cells, &used, site.demand.ty) {
            Ok(values) => values,
            Err((line, ty)) => {
                let message =
                    format!("`{}` on line {} of `{}` is not of type {ty}", cells[line], line + 2, file.file);
                self.refuse(self.take.span, message, "mend the file, or leave `type` to be inferred", site);
                return None;
            }
        };
        nullable |= used.iter().any(|line| !values.valid[*line as usize]);
        let output = match &values.column {
            Column::Bool(_) => Output::of(Type::Bool),
            Column::Whole(_, ty) => Output::of(*ty),
            Column::Float(_) => Output::of(Type::Float),
            Column::Categories(_, categories) => Output::categories(categories.clone()),
            Column::Text(_) => Output::text(false),
        };
        self.ready = Some(Ready { inputs, finder, values });
        Some(Output { nullable, ..output })
    }

    fn promise(&self) -> Promise<'_> {
        Promise::Computed
    }

    fn fill(&self, block: &Block<'_>) -> Result<Series, Failure> {
        let Ready { inputs, finder, values } = self.ready.as_ref().expect("set in prepare");
        let lines = match finder {
            Finder::Dense { sizes, lines } => dense_lines(inputs, sizes, lines, block)?,
            Finder::Sparse(by_key) => self.sparse_lines(inputs, by_key, block)?,
        };
        values.at(&lines)
    }
}

fn dense_lines(
    inputs: &[InputId],
    sizes: &[u32],
    lines: &[u32],
    block: &Block<'_>,
) -> Result<Vec<u32>, Failure> {
    // First the combination of each row, and then its line.
    let mut found: Vec<u32> = vec![0; block.len()];
    for (input, size) in inputs.iter().zip(sizes) {
        for (at, code) in found.iter_mut().zip(codes(&block.input(*input))?) {
            *at = match code {
                Some(code) if *at != NO_LINE => *at * size + code,
                _ => NO_LINE,
            };
        }
    }
    for at in &mut found {
        *at = lines.get(*at as usize).copied().unwrap_or(NO_LINE);
    }
    Ok(found)
}

impl Lookup {
    fn sparse_lines(
        &self,
        inputs: &[InputId],
        by_key: &HashMap<Vec<u8>, u32>,
        block: &Block<'_>,
    ) -> Result<Vec<u32>, Failure> {
        let mut columns = Vec::with_capacity(inputs.len());
        for input in inputs {
            columns.push(block.input(*input).cast(&DataType::String)?);
        }
        let mut parts = Vec::with_capacity(columns.len());
        for column in &columns {
            parts.push(column.str()?);
        }
        let mut found = Vec::with_capacity(block.len());
        let mut key = Vec::new();
        'rows: for at in 0..block.len() {
            key.clear();
            for part in &parts {
                let Some(text) = part.get(at) else {
                    found.push(NO_LINE);
                    continue 'rows;
                };
                push_key(&mut key, text);
            }
            match by_key.get(&key) {
                Some(line) => found.push(*line),
                None if self.nulls => found.push(NO_LINE),
                None => {
                    let wanted = self.by.iter().zip(&parts);
                    let wanted: Vec<String> = wanted
                        .map(|(by, part)| format!("{} = {}", by.name, part.get(at).unwrap_or_default()))
                        .collect();
                    return Err(Failure::new(format!(
                        "lookup `{}` has no line for {} (row {}); add it to the file, or write `missing: null`",
                        self.file.value,
                        wanted.join(", "),
                        block.rows.get(at)
                    )));
                }
            }
        }
        Ok(found)
    }
}

// ---- the taken column ------------------------------------------------------------------------------------------------

/// Reads a whole number that is written as a number is: `007` and `+7` are names rather than numbers.
fn int(text: &str) -> Option<i64> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let padded = digits.len() > 1 && digits.starts_with('0');
    if padded || text.starts_with('+') { None } else { text.parse().ok() }
}

fn float(text: &str) -> Option<f64> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let padded = digits.len() > 1 && digits.starts_with('0') && digits.as_bytes()[1].is_ascii_digit();
    let numeric = digits.starts_with(|char: char| char.is_ascii_digit() || char == '.');
    if padded || !numeric { None } else { text.parse().ok().filter(|value: &f64| value.is_finite()) }
}

fn truth(text: &str) -> Option<bool> {
    text.parse().ok()
}

fn date(text: &str) -> Option<i64> {
    match parse_stamp(text) {
        Some(Stamp::Date(days)) => Some(days.into()),
        _ => None,
    }
}

fn datetime(text: &str) -> Option<i64> {
    match parse_stamp(text) {
        Some(stamp @ (Stamp::Date(_) | Stamp::Instant(_))) => Some(stamp.micros(0)),
        _ => None,
    }
}

impl Values {
    /// Reads the cells as the column's type where it is given, else as the first type that fits them all. Of text, only the
    /// values of the lines `used` are categories. In case of error the cell that does not fit.
    fn read(cells: &[&str], used: &[u32], wanted: Option<Type>) -> Result<Values, (usize, Type)> {
        /// All cells by one reader; empty ones are null.
        fn all<T: Default>(cells: &[&str], read: impl Fn(&str) -> Option<T>) -> Result<Vec<T>, usize> {
            let read = |(at, cell): (usize, &&str)| {
                if cell.is_empty() { Ok(T::default()) } else { read(cell).ok_or(at) }
            };
            cells.iter().enumerate().map(read).collect()
        }
        let valid = cells.iter().map(|cell| !cell.is_empty()).collect();
        let empty = cells.iter().all(|cell| cell.is_empty());
        let ints = || all(cells, int).map(|values| Column::Whole(values, Type::Int));
        let floats = || all(cells, float).map(Column::Float);
        let truths = || all(cells, truth).map(Column::Bool);
        let dates = || all(cells, date).map(|values| Column::Whole(values, Type::Date));
        let datetimes = || all(cells, datetime).map(|values| Column::Whole(values, Type::Datetime));
        let column = match wanted {
            Some(ty) => match ty {
                Type::Text => Ok(text_column(cells, used)),
                Type::Int | Type::Float | Type::Decimal(_) => {
                    // Codes such as 007 are numbers if the user says so.
                    ints().or_else(|_| {
                        all(cells, |cell| cell.parse::<f64>().ok().filter(|value| value.is_finite()))
                            .map(Column::Float)
                    })
                }
                Type::Bool => truths(),
                Type::Date => dates(),
                Type::Datetime => datetimes(),
                Type::Duration => all(cells, parse_time).map(|values| Column::Whole(values, ty)),
            }
            .map_err(|at| (at, ty))?,
            None if empty => text_column(cells, used),
            None => ints()
                .or_else(|_| floats())
                .or_else(|_| truths())
                .or_else(|_| dates())
                .or_else(|_| datetimes())
                .unwrap_or_else(|_| text_column(cells, used)),
        };
        Ok(Values { column, valid })
    }

    /// The values of these lines; null where there is no line, or nothing on it.
    fn at(&self, lines: &[u32]) -> Result<Series, Failure> {
        fn gather<T: Copy + Default>(values: &[T], lines: &[u32]) -> Vec<T> {
            lines.iter().map(|line| values.get(*line as usize).copied().unwrap_or_default()).collect()
        }
        let series = match &self.column {
            Column::Bool(values) => array::bools(gather(values, lines)),
            Column::Whole(values, ty) => array::from_ints(gather(values, lines), *ty)?,
            Column::Float(values) => array::floats(gather(values, lines)),
            Column::Categories(codes, categories) => {
                array::codes(gather(codes, lines).into_iter(), categories)
            }
            Column::Text(values) => array::texts(
                lines.iter().map(|line| values.get(*line as usize).map_or("", String::as_str)),
                lines.len(),
            ),
        };
        let valid = |line: &u32| self.valid.get(*line as usize).copied().unwrap_or(false);
        if lines.iter().all(valid) {
            return Ok(series);
        }
        array::with_validity(series, lines.iter().map(valid).collect::<Bitmap>())
    }
}

fn text_column(cells: &[&str], used: &[u32]) -> Column {
    let mut values: Vec<String> = Vec::new();
    let mut numbers: HashMap<&str, u32> = HashMap::new();
    let mut codes = vec![0; cells.len()];
    for line in used {
        let cell = cells[*line as usize];
        if cell.is_empty() {
            continue;
        }
        codes[*line as usize] = *numbers.entry(cell).or_insert_with(|| {
            values.push(cell.to_owned());
            values.len() as u32 - 1
        });
    }
    // Categories without a single value could not hold the code of a null.
    if values.len() > Categories::MAX || values.is_empty() {
        return Column::Text(cells.iter().map(|cell| (*cell).to_owned()).collect());
    }
    Column::Categories(codes, Categories::new(values))
}

pub(super) const KIND: Kind = Kind {
    name: "lookup",
    group: Group::Derived,
    summary: "A fact from a file, by the values of other columns.",
    details: "Finds the line of a lookup file (CSV, declared under `lookups`) whose key equals the row's values of the \
              columns `by`, in the order of the lookup's key, and takes a column of that line. Key columns are of type \
              text, int, bool or date and are compared as text. The type of the result is what all values of the taken \
              column look like: int, float, bool, date or datetime, else text (numbers with leading zeros, such as `007`, \
              are text); the column's `type` overrides this. Empty fields are null.\n\n\
              Where the values of all columns in `by` are known beforehand, every combination of them must be in the file, \
              and the ruleset is refused if one is missing; else a missing key stops the run and is named. With \
              `missing: null` such rows are null instead. A row with a null among its key is null. `unique` and `truncate` \
              are not supported; `round` and `clamp` work on numbers.",
    example: "{lookup: {in: colours, take: price, by: [word]}}",
    ..Kind::of::<Params>()
};

#[cfg(test)]
mod tests {
    use lookalike_core::Rows;
    use lookalike_ruleset::diagnostic::Severity;
    use lookalike_ruleset::document::{FileProblem, Files};

    use super::*;
    use crate::plan::{Overrides, Plan};
    use crate::testing::plan_with;

    /// Gives the same CSV text whatever is asked for.
    struct Csv(&'static str);

    impl Files for Csv {
        fn read(&self, _: &str, path: &str) -> Result<(String, Vec<u8>), FileProblem> {
            Ok((path.to_owned(), self.0.as_bytes().to_vec()))
        }
    }

    const PRICES: &str = "region,type,usd,zip,since,name,spare\n\
        eu,gp3,0.5,007,2020-01-01,first,1\neu,io2,2,100,2021-01-01,second,\nus,gp3,0.25,8,2022-01-01,first,3\nus,io2,1e1,9,2023-01-01,third,4\n";

    fn ruleset(lookup: &str) -> String {
        format!(
            "lookalike: 1\nlookups: {{prices: {{file: prices.csv, key: [region, type]}}}}\ntables:\n  t:\n    rows: 40\n    draws:\n      \
             region: {{choice: [eu, us]}}\n      type: {{choice: [gp3, io2]}}\n      any: {{pattern: '(eu|us|fr){{1}}[a-z]{{0,9}}'}}\n      \
             other: {{choice: [gp3, st1]}}\n      late: {{expr: 'lower(type)'}}\n      holes: {{choice: [eu, us], null: 50%}}\n    columns:\n      \
             c: {lookup}\n"
        )
    }

    fn compile(lookup: &str) -> Result<Plan, Vec<Diagnostic>> {
        plan_with(&ruleset(lookup), &Csv(PRICES), &Overrides::default())
    }

    fn first_error(lookup: &str) -> Diagnostic {
        let problems = compile(lookup).err().unwrap_or_else(|| panic!("{lookup} is accepted"));
        problems
            .into_iter()
            .find(|problem| problem.severity == Severity::Error)
            .expect("only errors prevent a plan")
    }

    fn rows(lookup: &str, columns: &[&str]) -> Vec<(Option<String>, Vec<Option<String>>)> {
        let plan = compile(lookup).unwrap_or_else(|problems| panic!("{lookup}: {problems:?}"));
        let names: Vec<&str> = std::iter::once("c").chain(columns.iter().copied()).collect();
        let frame = plan.tables[0].select(&Rows::from(0..40), &names).unwrap();
        let text = |name: &str| {
            let series = frame.column(name).unwrap().cast(&DataType::String).unwrap();
            series.str().unwrap().iter().map(|v| v.map(str::to_owned)).collect::<Vec<_>>()
        };
        let inputs: Vec<_> = columns.iter().map(|name| text(name)).collect();
        text("c")
            .into_iter()
            .enumerate()
            .map(|(at, c)| (c, inputs.iter().map(|input| input[at].clone()).collect()))
            .collect()
    }

    /// The field of the line with this key.
    fn field(region: &str, kind: &str, at: usize) -> String {
        let line = PRICES.lines().find(|line| line.starts_with(&format!("{region},{kind},"))).unwrap();
        line.split(',').nth(at).unwrap().to_owned()
    }

    #[test]
    fn a_row_gets_the_fact_of_its_key() {
        // By codes where all values are known, and by text where they are not.
        for by in ["[region, type]", "[region, late]"] {
            for (take, at) in [("name", 5), ("zip", 3), ("since", 4)] {
                let second = if by.contains("late") { "late" } else { "type" };
                for (value, key) in
                    rows(&format!("{{lookup: {{in: prices, take: {take}, by: {by}}}}}"), &["region", second])
                {
                    assert_eq!(
                        value.unwrap(),
                        field(key[0].as_ref().unwrap(), key[1].as_ref().unwrap(), at),
                        "{by} {take}"
                    );
                }
            }
        }
    }

    #[test]
    fn types_are_those_of_all_values() {
        let output = |lookup: &str| {
            let plan = compile(lookup).unwrap();
            let field = &plan.tables[0].schema().fields[0];
            (field.ty, field.nullable)
        };
        for (take, ty, nullable) in [
            ("usd", Type::Float, false),
            ("zip", Type::Text, false),
            ("since", Type::Date, false),
            ("name", Type::Text, false),
            ("spare", Type::Int, true),
        ] {
            assert_eq!(
                output(&format!("{{lookup: {{in: prices, take: {take}, by: [region, type]}}}}")),
                (ty, nullable),
                "{take}"
            );
        }
        assert_eq!(
            output("{lookup: {in: prices, take: zip, by: [region, type]}, type: int}"),
            (Type::Int, false)
        );
        assert_eq!(
            output("{lookup: {in: prices, take: usd, by: [region, type]}, type: decimal(2)}"),
            (Type::Decimal(2), false)
        );
        assert_eq!(
            output("{lookup: {in: prices, take: usd, by: [region, type]}, type: text}"),
            (Type::Text, false)
        );
    }

    #[test]
    fn nulls_come_from_empty_fields_null_keys_and_allowed_gaps() {
        for (value, key) in
            rows("{lookup: {in: prices, take: spare, by: [region, type]}}", &["region", "type"])
        {
            let gap = key == [Some("eu".to_owned()), Some("io2".to_owned())];
            assert_eq!(value.is_none(), gap, "{key:?}");
        }
        for (value, key) in rows("{lookup: {in: prices, take: usd, by: [holes, type]}}", &["holes"]) {
            assert_eq!(value.is_none(), key[0].is_none());
        }
        for (value, key) in
            rows("{lookup: {in: prices, take: name, by: [region, other], missing: null}}", &["other"])
        {
            assert_eq!(value.is_none(), key[0].as_deref() == Some("st1"));
        }
        let all = rows("{lookup: {in: prices, take: name, by: [any, type], missing: null}}", &["any"]);
        for (value, key) in all {
            assert_eq!(value.is_some(), ["eu", "us"].contains(&key[0].as_deref().unwrap()));
        }
    }

    #[test]
    fn only_values_that_can_occur_are_categories() {
        let plan = compile("{lookup: {in: prices, take: name, by: [region, other], missing: null}}").unwrap();
        let column = plan.tables[0].columns.iter().find(|column| column.name == "c").unwrap();
        assert_eq!(column.output.categories.as_ref().unwrap().values(), ["first"]);
    }

    #[test]
    fn a_missing_key_is_named() {
        let plan = compile("{lookup: {in: prices, take: usd, by: [any, type]}}").unwrap();
        let error = plan.tables[0].frame(&Rows::from(0..40)).err().unwrap().to_string();
        assert!(error.contains("any = ") && error.contains("type = "), "{error}");
        let diagnostic = first_error("{lookup: {in: prices, take: usd, by: [region, other]}}");
        assert_eq!(diagnostic.code, "bad-lookup");
        assert!(
            diagnostic.message.contains("(eu, st1), (us, st1)") && diagnostic.message.contains("prices.csv")
        );
    }

    #[test]
    fn mistakes_are_shown_at_their_place() {
        for (lookup, code, place) in [
            ("{lookup: {in: price, take: usd, by: [region, type]}}", "unknown-lookup", "price"),
            ("{lookup: {in: prices, take: eur, by: [region, type]}}", "bad-lookup", "eur"),
            ("{lookup: {in: prices, take: usd, by: region}}", "bad-lookup", "region"),
            ("{lookup: {in: prices, take: usd, by: [region, typ]}}", "unknown-column", "typ"),
            ("{lookup: {in: prices, take: name, by: [region, type]}, type: int}", "bad-lookup", "name"),
            ("{lookup: {in: prices, take: usd, by: [region, type], missing: 0}}", "bad-value", "0"),
        ] {
            let text = ruleset(lookup);
            let diagnostic = first_error(lookup);
            assert_eq!((diagnostic.code, &text[diagnostic.span.unwrap().range()]), (code, place), "{lookup}");
        }
    }
}
