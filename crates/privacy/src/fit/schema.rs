//! The public schema of a private table: what is known about its columns without looking at a row.

use lookalike_ruleset::decode::{
    Count, Decode, Named, NamedItem, Pair, Spanned, Stamp, parse_number, parse_stamp,
};
use lookalike_ruleset::read::{self, Format};
use lookalike_ruleset::{Diagnostic, Node, Problems, Sources, Value, params};

use super::coding::{Bins, Coding, Cut, Scale};
use crate::Unit;

params! {
    /// What is known in public about a table whose rows are private.
    struct SchemaDecl {
        /// Version of the schema language: 1.
        schema: Spanned<Count>,
        /// Name of the table, and of the ruleset.
        table: Spanned<String>,
        /// What the table holds.
        about: Option<String>,
        /// Whom the promise is made to; unless given, each row for itself.
        unit: Option<UnitDecl>,
        /// The columns.
        columns: Named<ColumnDecl>,
        /// Combinations that cannot occur: for each column a value, a list of values, or for numbers `[low, high]`.
        impossible: Vec<Named<Node>> = Vec::new(),
    }
}

params! {
    /// Whom the promise is made to: all rows that share a value of a column.
    struct UnitDecl {
        /// The column that names the unit; a row is the unit, unless given. It is not modelled.
        column: Option<Spanned<String>>,
        /// The most rows of a unit that are counted; the others are left out, chosen at random. Known in public, not counted off the rows.
        max_rows: Option<Spanned<Count>>,
        /// The most values of a column with `discover` that a unit is counted for; its rows, unless given.
        max_values: Option<Spanned<Count>>,
        /// How many units there are at most, as is known to everybody. Delta is held against it.
        at_most: Option<Spanned<Count>>,
    }
}

params! {
    /// What is known in public about a column.
    struct ColumnDecl {
        /// What it holds.
        about: Option<String>,
        /// The values that there can be.
        categories: Option<Spanned<Vec<Spanned<String>>>>,
        /// The values are not known; those with enough rows are found, which costs something.
        discover: Option<Spanned<bool>>,
        /// What stands for values that are not listed or not found; unless given, they are null.
        other: Option<Spanned<String>>,
        /// A whole number between two bounds; what lies outside is moved to them.
        int: Option<Spanned<Pair<Spanned<String>>>>,
        /// A number between two bounds.
        float: Option<Spanned<Pair<Spanned<String>>>>,
        /// A date between two dates.
        date: Option<Spanned<Pair<Spanned<String>>>>,
        /// A point in time between two others, to the second.
        datetime: Option<Spanned<Pair<Spanned<String>>>>,
        /// Number of bins of equal width; 16 unless given, and never more than there are whole numbers.
        bins: Option<Spanned<Count>>,
        /// Where bins begin, beside the lower bound.
        edges: Option<Spanned<Vec<Spanned<String>>>>,
        /// Number of bins with about as many rows each, found at a cost.
        quantiles: Option<Spanned<Count>>,
        /// Values that have a bin of their own.
        spikes: Vec<Spanned<String>> = Vec::new(),
        /// Decimals of generated numbers.
        round: Option<Count>,
        /// A rule by which values are made; nothing is read of the private column. For identifiers and free text.
        generate: Option<Node>,
    }
}

/// What is known in public about a table.
#[derive(Clone, Debug)]
pub struct Schema {
    /// Name of the table.
    pub table: String,
    /// What it holds.
    pub about: Option<String>,
    /// Whom the promise is made to.
    pub unit: Unit,
    /// The most values of a column, whose values are to be found, that a unit is counted for; as many as its rows if none.
    pub max_values: Option<u32>,
    /// How many units there are at most, where that is public.
    pub units_at_most: Option<u64>,
    /// The columns, in order.
    pub columns: Vec<Column>,
    /// Combinations that cannot occur: columns, by their place among the modelled ones, with what of each.
    pub impossible: Vec<Vec<(usize, Vec<String>)>>,
}

/// What is known in public about a column.
#[derive(Clone, Debug)]
pub struct Column {
    /// Name.
    pub name: String,
    /// What it holds.
    pub about: Option<String>,
    /// How it is modelled, if it is.
    pub form: Form,
    /// Decimals of generated numbers.
    pub round: Option<u64>,
}

/// How a column is modelled.
#[derive(Clone, Debug)]
pub enum Form {
    /// By codes that are known.
    Coded(Coding),
    /// By values that are to be found.
    Discovered {
        /// What stands for values that were not found; null if none.
        other: Option<String>,
    },
    /// By bins that are to be found.
    Quantiles {
        /// How cells are read.
        scale: Scale,
        /// The bounds.
        bounds: (f64, f64),
        /// Number of bins.
        bins: usize,
        /// Values that have a bin of their own.
        spikes: Vec<f64>,
    },
    /// Not at all: a rule of the ruleset language, as YAML in one line.
    Generated(String),
}

/// Most codes of a column.
const MAX_CODES: u64 = 10_000;

impl Schema {
    /// Reads a schema: YAML, TOML or JSON by the extension of `name`.
    ///
    /// # Errors
    /// All that is wrong with it, and the text that this points into.
    pub fn read(name: &str, text: &str) -> Result<Schema, (Vec<Diagnostic>, Sources)> {
        let mut sources = Sources::new();
        let file = sources.add(name, text);
        let mut problems = Problems::new();
        let format = Format::of_path(name).unwrap_or(Format::Yaml);
        let schema = read::read(&sources, file, format, &mut problems)
            .and_then(|node| SchemaDecl::decode(&node, &mut problems))
            .and_then(|declared| check(declared, &mut problems));
        match schema {
            Some(schema) if !problems.has_errors() => Ok(schema),
            _ => Err((problems.into_sorted(), sources)),
        }
    }

    /// The columns that are modelled.
    pub fn modelled(&self) -> impl Iterator<Item = &Column> {
        self.columns.iter().filter(|column| !matches!(column.form, Form::Generated(_)))
    }

    /// What is taken as public, in sentences for the statement.
    pub fn public(&self) -> Vec<String> {
        let mut lines =
            vec![format!("that the table `{}` has the columns of the schema, and their types", self.table)];
        if self.unit.column.is_some() {
            lines.push(format!("the bounds on what a unit contributes: {}", self.unit.describe()));
        }
        if let Some(values) = self.max_values {
            lines.push(format!("that a unit is counted for at most {values} values of a column"));
        }
        if let Some(units) = self.units_at_most {
            lines.push(format!("that there are at most {units} units"));
        }
        for column in self.modelled() {
            let name = &column.name;
            lines.push(match &column.form {
                Form::Coded(Coding::Values { values, .. }) => {
                    format!("the {} categories of `{name}`", values.len())
                }
                Form::Coded(Coding::Bins(bins)) => {
                    format!(
                        "the bounds of `{name}`, {} to {}, and its {} bins",
                        bins.shown(bins.low()),
                        bins.shown(bins.high()),
                        bins.len()
                    )
                }
                Form::Quantiles { scale, bounds, .. } => {
                    format!("the bounds of `{name}`, {} to {}", scale.shown(bounds.0), scale.shown(bounds.1))
                }
                _ => continue,
            });
        }
        if !self.impossible.is_empty() {
            lines.push(format!("{} rules about what cannot occur", self.impossible.len()));
        }
        lines
    }
}

fn check(declared: SchemaDecl, problems: &mut Problems) -> Option<Schema> {
    if declared.schema.value.0 != 1 {
        problems.error(
            "bad-value",
            declared.schema.span,
            "there is only version 1 of the schema language",
            "write `schema: 1`",
        );
    }
    let table = &declared.table;
    let is_name = table.value.starts_with(|c: char| c.is_ascii_alphabetic())
        && table.value.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'));
    if !is_name {
        let help = "it becomes a file name: letters, digits, `-` and `_`, beginning with a letter";
        problems.error("bad-name", table.span, format!("`{}` cannot name a table", table.value), help);
    }
    let units_at_most = declared.unit.as_ref().and_then(|unit| Some(unit.at_most.as_ref()?.value.0));
    let (unit, max_values) = unit(declared.unit.as_ref(), problems);
    let mut columns = Vec::new();
    for item in declared.columns.0 {
        if unit.column.as_ref() == Some(&item.name) && item.value.generate.is_none() {
            let help = "make it by a rule, such as `generate: {uuid: {}}`, or leave it out";
            problems.error(
                "bad-value",
                item.name_span,
                format!("`{}` names the unit, so it is not modelled", item.name),
                help,
            );
            continue;
        }
        columns.extend(column(item, problems));
    }
    let modelled = columns.iter().filter(|column| !matches!(column.form, Form::Generated(_))).count();
    if modelled == 0 && !problems.has_errors() {
        problems.error(
            "missing-key",
            table.span,
            "no column is modelled",
            "give at least one column categories or bounds",
        );
    }
    let mut schema = Schema {
        table: declared.table.value,
        about: declared.about,
        unit,
        max_values,
        units_at_most,
        columns,
        impossible: Vec::new(),
    };
    for rule in declared.impossible {
        let rule = impossible(&rule, &schema, problems);
        schema.impossible.extend(rule);
    }
    Some(schema)
}

/// The unit with its bound on rows, and its bound on values.
fn unit(declared: Option<&UnitDecl>, problems: &mut Problems) -> (Unit, Option<u32>) {
    let Some(declared) = declared else { return (Unit::row(), None) };
    let mut bound = |bound: Option<&Spanned<Count>>, what: &str| {
        let bound = bound?;
        match u32::try_from(bound.value.0) {
            Ok(bound @ 1..) => Some(bound),
            _ => {
                let help =
                    "expected at least 1; choose it from what is known about the units, not from the rows";
                problems.error(
                    "bad-value",
                    bound.span,
                    format!("`{}` {what} of a unit", bound.value.0),
                    help,
                );
                None
            }
        }
    };
    let rows = bound(declared.max_rows.as_ref(), "rows");
    let values = bound(declared.max_values.as_ref(), "values");
    let unit = match (&declared.column, rows) {
        (Some(column), Some(max_rows)) => {
            Unit { column: Some(column.value.clone()), max_rows, ..Unit::row() }
        }
        (Some(column), None) => {
            if declared.max_rows.is_none() {
                let message = format!("no bound on the rows of one `{}`", column.value);
                let help = "add `max_rows`, from what is known in public: one unit may otherwise change the counts by any amount";
                problems.error("missing-key", column.span, message, help);
            }
            Unit::row()
        }
        (None, _) => {
            for key in [&declared.max_rows, &declared.max_values].into_iter().flatten() {
                let help = "where a row is the unit, it is one row with one value; name the unit's `column`, or leave this out";
                problems.error("unknown-key", key.span, "a bound on a unit without a `column`", help);
            }
            Unit::row()
        }
    };
    (unit, values)
}

/// A bound or edge, read by the column's scale.
fn number(text: &Spanned<String>, scale: Scale, problems: &mut Problems) -> Option<f64> {
    let value = match scale {
        Scale::Int => {
            parse_number(&text.value).filter(|value| value.fract() == 0.0 && value.abs() <= 2f64.powi(53))
        }
        Scale::Float => parse_number(&text.value).filter(|value| value.is_finite()),
        Scale::Date => match parse_stamp(&text.value) {
            Some(Stamp::Date(days)) => Some(f64::from(days)),
            _ => None,
        },
        Scale::Datetime => match parse_stamp(&text.value) {
            Some(stamp @ (Stamp::Date(_) | Stamp::Instant(_))) => {
                Some(stamp.micros(0).div_euclid(1_000_000) as f64)
            }
            _ => None,
        },
    };
    if value.is_none() {
        problems.push(
            Diagnostic::error("bad-value", text.span, format!("`{}` is not {}", text.value, scale.what()))
                .label(format!("expected {}", scale.what())),
        );
    }
    value
}

fn column(item: NamedItem<ColumnDecl>, problems: &mut Problems) -> Option<Column> {
    let NamedItem { name, name_span, value: decl, .. } = item;
    let numbers = [
        (Scale::Int, &decl.int),
        (Scale::Float, &decl.float),
        (Scale::Date, &decl.date),
        (Scale::Datetime, &decl.datetime),
    ];
    let given = numbers.iter().filter(|(_, bounds)| bounds.is_some()).count()
        + usize::from(decl.categories.is_some())
        + usize::from(decl.discover.is_some_and(|discover| discover.value))
        + usize::from(decl.generate.is_some());
    if given != 1 {
        let message = match given {
            0 => format!("`{name}` does not say what it holds"),
            _ => format!("`{name}` says {given} times what it holds, not once"),
        };
        problems.push(
            Diagnostic::error("missing-key", name_span, message)
                .label("expected one of categories, discover, int, float, date, datetime, generate")
                .help("bounds and categories are taken as public: write what is known about the column, not what its rows hold"),
        );
        return None;
    }
    let only_numbers = [
        decl.bins.as_ref().map(|key| ("bins", key.span)),
        decl.edges.as_ref().map(|key| ("edges", key.span)),
        decl.quantiles.as_ref().map(|key| ("quantiles", key.span)),
        decl.spikes.first().map(|key| ("spikes", key.span)),
    ];
    let form = if let Some((scale, Some(bounds))) = numbers.iter().find(|(_, bounds)| bounds.is_some()) {
        if let Some(other) = &decl.other {
            problems.error(
                "unknown-key",
                other.span,
                "numbers have no `other`",
                "what lies outside the bounds is moved to them",
            );
        }
        number_form(*scale, bounds, &decl, problems)?
    } else {
        for (key, span) in only_numbers.into_iter().flatten() {
            let help = "it goes with int, float, date or datetime";
            problems.error("unknown-key", span, format!("`{name}` is no number, so it has no `{key}`"), help);
        }
        let other = decl.other.as_ref().map(|other| other.value.clone());
        if let Some(generate) = &decl.generate {
            Form::Generated(flow(generate))
        } else if decl.discover.is_some() {
            Form::Discovered { other }
        } else {
            let listed = decl.categories.as_ref()?;
            let mut values: Vec<String> = Vec::new();
            for value in &listed.value {
                if values.contains(&value.value) || Some(&value.value) == other.as_ref() {
                    problems.error(
                        "duplicate-name",
                        value.span,
                        format!("`{}` is listed twice", value.value),
                        "remove one",
                    );
                }
                values.push(value.value.clone());
            }
            if values.is_empty() || values.len() as u64 > MAX_CODES {
                let help = format!("list 1 to {MAX_CODES}; what has more is made by a rule, with `generate`");
                problems.error(
                    "bad-value",
                    listed.span,
                    format!("`{name}` has {} categories", values.len()),
                    help,
                );
                return None;
            }
            Form::Coded(Coding::Values { values, other })
        }
    };
    Some(Column { name, about: decl.about, form, round: decl.round.map(|round| round.0) })
}

fn number_form(
    scale: Scale,
    bounds: &Spanned<Pair<Spanned<String>>>,
    decl: &ColumnDecl,
    problems: &mut Problems,
) -> Option<Form> {
    let (low, high) = (number(&bounds.value.0, scale, problems), number(&bounds.value.1, scale, problems));
    let (low, high) = (low?, high?);
    if low > high || (low == high && scale == Scale::Float) {
        problems.error(
            "bad-value",
            bounds.span,
            "the bounds are the wrong way round",
            "write the lower one first",
        );
        return None;
    }
    let mut inside = |texts: &[Spanned<String>]| -> Option<Vec<f64>> {
        let mut values = Vec::new();
        for text in texts {
            let value = number(text, scale, problems)?;
            if !(low..=high).contains(&value) {
                problems.error(
                    "bad-value",
                    text.span,
                    format!("`{}` lies outside the bounds", text.value),
                    "widen them, or leave it out",
                );
                return None;
            }
            values.push(value);
        }
        values.sort_by(f64::total_cmp);
        values.dedup();
        Some(values)
    };
    let spikes = inside(&decl.spikes)?;
    let edges = match &decl.edges {
        Some(edges) => Some(inside(&edges.value)?),
        None => None,
    };
    let cuts = usize::from(decl.bins.is_some())
        + usize::from(edges.is_some())
        + usize::from(decl.quantiles.is_some());
    if cuts > 1 {
        problems.error(
            "bad-value",
            bounds.span,
            "bins are cut in more than one way",
            "give one of `bins`, `edges`, `quantiles`",
        );
        return None;
    }
    let mut count = |count: &Spanned<Count>| -> Option<usize> {
        if !(1..=MAX_CODES).contains(&count.value.0) {
            problems.error(
                "bad-value",
                count.span,
                format!("{} bins", count.value.0),
                format!("expected 1 to {MAX_CODES}"),
            );
            return None;
        }
        Some(count.value.0 as usize)
    };
    if let Some(quantiles) = &decl.quantiles {
        return Some(Form::Quantiles { scale, bounds: (low, high), bins: count(quantiles)?, spikes });
    }
    let cut = match (&decl.bins, edges) {
        (_, Some(edges)) => Cut::At(edges),
        (Some(bins), None) => Cut::Even(count(bins)?),
        (None, None) => Cut::Even(16),
    };
    Some(Form::Coded(Coding::Bins(Bins::new(scale, low, high, cut, &spikes))))
}

fn impossible(
    rule: &Named<Node>,
    schema: &Schema,
    problems: &mut Problems,
) -> Option<Vec<(usize, Vec<String>)>> {
    let modelled: Vec<&Column> = schema.modelled().collect();
    let mut parts = Vec::new();
    for item in &rule.0 {
        let Some(at) = modelled.iter().position(|column| column.name == item.name) else {
            let names = modelled.iter().map(|column| column.name.as_str());
            let help = lookalike_ruleset::diagnostic::did_you_mean(&item.name, "columns", names);
            problems.error(
                "unknown-column",
                item.name_span,
                format!("no modelled column is called `{}`", item.name),
                help,
            );
            return None;
        };
        let nodes: Vec<&Node> = match item.value.as_list() {
            Some(items) => items.iter().collect(),
            None => vec![&item.value],
        };
        let values: Vec<String> =
            nodes.iter().filter_map(|node| node.as_scalar()).map(|scalar| scalar.text.clone()).collect();
        let known = match &modelled[at].form {
            Form::Coded(coding) => {
                coding.matching(&values).is_some_and(|codes| codes.iter().any(|code| *code))
            }
            _ => false,
        };
        if !known || values.len() != nodes.len() {
            problems.push(
                Diagnostic::error(
                    "bad-value",
                    item.span,
                    format!("nothing of `{}` is meant by this", item.name),
                )
                .label("expected categories, or two bounds that hold whole bins")
                .help("only columns whose categories or bins are public can have impossible combinations"),
            );
            return None;
        }
        parts.push((at, values));
    }
    parts.sort();
    (!parts.is_empty()).then_some(parts)
}

/// A node as YAML in one line.
fn flow(node: &Node) -> String {
    match &node.value {
        Value::Scalar(scalar) if scalar.quoted => quoted(&scalar.text),
        Value::Scalar(scalar) if scalar.text.is_empty() => "null".into(),
        Value::Scalar(scalar)
            if scalar.text.chars().all(|c| c.is_ascii_alphanumeric() || "-_.+%".contains(c)) =>
        {
            scalar.text.clone()
        }
        Value::Scalar(scalar) => quoted(&scalar.text),
        Value::List(items) => format!("[{}]", items.iter().map(flow).collect::<Vec<_>>().join(", ")),
        Value::Map(entries) => {
            let entry =
                |entry: &lookalike_ruleset::Entry| format!("{}: {}", name(&entry.key), flow(&entry.value));
            format!("{{{}}}", entries.iter().map(entry).collect::<Vec<_>>().join(", "))
        }
        Value::Reported => "null".into(),
    }
}

/// A text in quotes, as JSON and YAML have them.
pub(super) fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// A text as it can stand in a flow of YAML: plain where it is a word, else in quotes.
pub(super) fn name(text: &str) -> String {
    let is_word = text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    let reserved = ["null", "true", "false", "yes", "no", "on", "off", "y", "n"];
    if is_word && !reserved.contains(&text.to_ascii_lowercase().as_str()) {
        text.to_owned()
    } else {
        quoted(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codes_of(text: &str) -> Vec<(&'static str, String)> {
        match Schema::read("s.yaml", text) {
            Ok(_) => Vec::new(),
            Err((problems, _)) => {
                problems.into_iter().map(|problem| (problem.code, problem.message)).collect()
            }
        }
    }

    #[test]
    fn schemas_are_read() {
        let text = "schema: 1\ntable: people\nunit: {column: client, max_rows: 3}\ncolumns:\n  sex: {categories: [f, m], other: x}\n  \
                    age: {int: [0, 99], bins: 10, spikes: [18]}\n  pay: {float: [0, 1e5], edges: [100, 1k], round: 2}\n  \
                    born: {date: [2000-01-01, 2000-12-31], bins: 4}\n  city: {discover: true}\n  \
                    height: {float: [0, 3], quantiles: 8}\n  id: {generate: {uuid: {}}}\n\
                    impossible:\n  - {sex: m, age: [90, 99]}\n";
        let schema = Schema::read("s.yaml", text).unwrap_or_else(|(problems, _)| panic!("{problems:?}"));
        assert_eq!(schema.unit, Unit::column("client", 3).unwrap());
        assert_eq!(schema.columns.len(), 7);
        assert_eq!(schema.modelled().count(), 6);
        assert_eq!(schema.impossible, [vec![(0, vec!["m".to_owned()]), (1, vec!["90".into(), "99".into()])]]);
        assert!(matches!(&schema.columns[6].form, Form::Generated(rule) if rule == "{uuid: {}}"));
        assert!(schema.public().iter().any(|line| line.contains("the 2 categories of `sex`")));
    }

    #[test]
    fn mistakes_are_told_all_at_once() {
        let text = "schema: 1\ntable: people\ncolumns:\n  a: {}\n  b: {int: [5, 1]}\n  c: {categories: [x, x]}\n  d: {categories: [x], bins: 3}\n  \
                    e: {int: [0, 9], spikes: [12]}\n  f: {date: [1, 2]}\n  g: {int: [0, 9], bins: 0}\nimpossible: [{zz: 1}]\n";
        let found: Vec<&str> = codes_of(text).into_iter().map(|(code, _)| code).collect();
        for code in ["missing-key", "bad-value", "duplicate-name", "unknown-key", "unknown-column"] {
            assert!(found.contains(&code), "{code} in {found:?}");
        }
        assert!(found.len() >= 8, "{found:?}");
        for unit in ["{column: a}", "{max_rows: 3}", "{column: a, max_rows: 0}", "{max_values: 2}"] {
            let text = format!("schema: 1\ntable: t\nunit: {unit}\ncolumns:\n  b: {{int: [0, 9]}}\n");
            assert_eq!(codes_of(&text).len(), 1, "{unit}");
        }
        let found = codes_of("schema: 1\ntable: t\ncolumns:\n  id: {generate: {uuid: {}}}\n");
        assert!(found[0].1.contains("no column is modelled"), "{found:?}");
    }
}
