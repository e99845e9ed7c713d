//! Flags that say what to release, for those who have no rules file: they become the text of one.

use std::fmt::Write as _;

use lookalike_ruleset::decode::parse_number;
use lookalike_ruleset::diagnostic::did_you_mean;

use super::args;
use super::failure::Failure;

/// What to release, and what is public.
#[derive(clap::Args)]
pub struct Statistics {
    /// How many rows there are.
    #[arg(long, conflicts_with = "rules", help_heading = "Statistics, instead of --rules")]
    count: bool,
    /// The sum of a column; may be repeated, as may those below.
    #[arg(
        long,
        value_name = "COLUMN",
        conflicts_with = "rules",
        help_heading = "Statistics, instead of --rules"
    )]
    sum: Vec<String>,
    /// The mean of a column.
    #[arg(
        long,
        value_name = "COLUMN",
        conflicts_with = "rules",
        help_heading = "Statistics, instead of --rules"
    )]
    mean: Vec<String>,
    /// How many rows have a value of a column in each bin.
    #[arg(
        long,
        value_name = "COLUMN",
        conflicts_with = "rules",
        help_heading = "Statistics, instead of --rules"
    )]
    histogram: Vec<String>,
    /// The quartiles of a column.
    #[arg(
        long,
        value_name = "COLUMN",
        conflicts_with = "rules",
        help_heading = "Statistics, instead of --rules"
    )]
    quantiles: Vec<String>,
    /// All of these in each group of some columns: region,type.
    #[arg(long, value_name = "COLUMNS", value_delimiter = ',', conflicts_with = "rules")]
    #[arg(help_heading = "Statistics, instead of --rules")]
    by: Vec<String>,

    /// The values that a column of groups can have, region=north,south, or region=discover to pay for finding them.
    #[arg(long, value_name = "COLUMN=VALUES", value_parser = args::pair, conflicts_with = "rules")]
    #[arg(help_heading = "What is public")]
    values: Vec<(String, String)>,
    /// The least and the greatest value of a column of numbers: cost=0..500. What lies beyond is moved to them.
    #[arg(long, value_name = "COLUMN=LOW..HIGH", value_parser = bounds, conflicts_with = "rules")]
    #[arg(help_heading = "What is public")]
    bounds: Vec<(String, (f64, f64))>,
    /// What values of a column are rounded to a multiple of: cost=0.01 [default: 1].
    #[arg(long, value_name = "COLUMN=STEP", value_parser = number, conflicts_with = "rules")]
    #[arg(help_heading = "What is public")]
    step: Vec<(String, f64)>,
    /// Where the bins of a column begin and end: size=0,10,100.
    #[arg(long, value_name = "COLUMN=BOUNDS", value_parser = numbers, conflicts_with = "rules")]
    #[arg(help_heading = "What is public")]
    bins: Vec<(String, Vec<f64>)>,

    /// The column that names whom the promise is made to [default: each row for itself].
    #[arg(
        long,
        value_name = "COLUMN",
        requires = "max_rows",
        conflicts_with = "rules",
        help_heading = "Unit of privacy"
    )]
    unit: Option<String>,
    /// The most rows of a unit that are counted; the others are left out at random.
    #[arg(long, value_name = "N", value_parser = args::positive, requires = "unit", conflicts_with = "rules")]
    #[arg(help_heading = "Unit of privacy")]
    max_rows: Option<usize>,
    /// The most groups that a unit is counted in.
    #[arg(long, value_name = "N", value_parser = args::positive, requires = "unit", conflicts_with = "rules")]
    #[arg(help_heading = "Unit of privacy")]
    max_groups: Option<usize>,
    /// The most rows of a unit that are counted in one group.
    #[arg(long, value_name = "N", value_parser = args::positive, requires = "unit", conflicts_with = "rules")]
    #[arg(help_heading = "Unit of privacy")]
    max_rows_per_group: Option<usize>,
    /// How many units there are at most, as is known to everybody; delta is held against it.
    #[arg(long, value_name = "N", value_parser = args::positive, conflicts_with = "rules")]
    #[arg(help_heading = "Unit of privacy")]
    at_most: Option<usize>,
    /// Name of the table whose budget it is, for one whose file changes [default: the file's content].
    #[arg(long, value_name = "NAME", conflicts_with = "rules", help_heading = "Unit of privacy")]
    table_name: Option<String>,
}

/// `COLUMN=LOW..HIGH`.
fn bounds(text: &str) -> Result<(String, (f64, f64)), String> {
    let expected = || "expected a column and two numbers, such as cost=0..500".to_owned();
    let (column, bounds) = args::pair(text).map_err(|_| expected())?;
    let ends =
        bounds.split_once("..").and_then(|(low, high)| Some((parse_number(low)?, parse_number(high)?)));
    match ends {
        Some((low, high)) if low < high => Ok((column, (low, high))),
        Some(_) => Err("the bounds are the wrong way round; write the lower one first".into()),
        None => Err(expected()),
    }
}

/// `COLUMN=NUMBER`.
fn number(text: &str) -> Result<(String, f64), String> {
    match numbers(text)? {
        (column, numbers) if numbers.len() == 1 && numbers[0] > 0.0 => Ok((column, numbers[0])),
        _ => Err("expected a column and a number above 0, such as cost=0.01".into()),
    }
}

/// `COLUMN=NUMBER,NUMBER,…`.
fn numbers(text: &str) -> Result<(String, Vec<f64>), String> {
    let expected = || "expected a column and numbers, such as size=0,10,100".to_owned();
    let (column, list) = args::pair(text).map_err(|_| expected())?;
    let numbers: Option<Vec<f64>> = list.split(',').map(parse_number).collect();
    Ok((column, numbers.ok_or_else(expected)?))
}

impl Statistics {
    /// Whether no statistic is asked for.
    pub fn is_empty(&self) -> bool {
        self.asked().is_empty()
    }

    /// The statistics: which, and of which column.
    fn asked(&self) -> Vec<(&'static str, Option<&str>)> {
        let mut asked = Vec::new();
        if self.count {
            asked.push(("count", None));
        }
        let of = [
            ("sum", &self.sum),
            ("mean", &self.mean),
            ("histogram", &self.histogram),
            ("quantiles", &self.quantiles),
        ];
        for (statistic, columns) in of {
            asked.extend(columns.iter().map(|column| (statistic, Some(column.as_str()))));
        }
        asked
    }

    /// The rules of the release as YAML.
    ///
    /// # Errors
    /// When something is missing that the flags have to say.
    pub fn rules(&self) -> Result<String, Failure> {
        let asked = self.asked();
        let measured: Vec<&str> = asked.iter().filter_map(|(_, column)| *column).collect();
        self.complete(&asked)?;
        self.used(&measured)?;
        let mut text = String::from("lookalike: 1\n");
        if let Some(name) = &self.table_name {
            let _ = writeln!(text, "table: {}", quoted(name));
        }
        self.write_unit(&mut text);
        let mut columns: Vec<&str> = self.by.iter().map(String::as_str).chain(measured).collect();
        columns.sort_unstable();
        columns.dedup();
        text.push_str(if columns.is_empty() { "columns: {}\n" } else { "columns:\n" });
        for column in columns {
            self.write_column(column, &mut text);
        }
        text.push_str("releases:\n");
        for (statistic, column) in asked {
            self.write_release(statistic, column, &mut text);
        }
        Ok(text)
    }

    /// Says which flag is missing, in place of a diagnostic about rules that nobody wrote.
    fn complete(&self, asked: &[(&str, Option<&str>)]) -> Result<(), Failure> {
        for column in &self.by {
            if find(&self.values, column).is_none() {
                return Err(Failure::usage(format!("the values of column `{column}` are not public")).help(format!(
                    "add `--values {column}=…`, what everybody knows that it can hold, with commas between; or pay for finding \
                     out, with `--values {column}=discover`"
                )));
            }
        }
        for (statistic, column) in asked {
            let Some(column) = column else { continue };
            if find(&self.bounds, column).is_none() {
                return Err(Failure::usage(format!("no bounds of column `{column}`")).help(format!(
                    "add `--bounds {column}=LOW..HIGH`, from what everybody knows: a single value may otherwise change the \
                     figure by any amount"
                )));
            }
            if *statistic == "histogram" && find(&self.bins, column).is_none() {
                return Err(Failure::usage(format!("a histogram of `{column}` needs bins"))
                    .help(format!("add `--bins {column}=0,10,100`, where they begin and end")));
            }
        }
        Ok(())
    }

    /// Refuses what is said about columns that are not used: as a rule a slip of the pen.
    fn used(&self, measured: &[&str]) -> Result<(), Failure> {
        let by: Vec<&str> = self.by.iter().map(String::as_str).collect();
        let names = |list: &[(String, (f64, f64))]| list.iter().map(|(name, _)| name.clone()).collect();
        let of_numbers: [(&str, Vec<String>); 3] = [
            ("--bounds", names(&self.bounds)),
            ("--step", self.step.iter().map(|(name, _)| name.clone()).collect()),
            ("--bins", self.bins.iter().map(|(name, _)| name.clone()).collect()),
        ];
        let of_groups = ("--values", self.values.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>());
        let all = of_numbers.iter().map(|flag| (flag, measured)).chain([(&of_groups, by.as_slice())]);
        for ((flag, said), used) in all {
            for (at, name) in said.iter().enumerate() {
                if said[..at].contains(name) {
                    return Err(Failure::usage(format!("{flag} is given twice for column `{name}`")));
                }
                if !used.contains(&name.as_str()) {
                    let help = match used.is_empty() {
                        false => did_you_mean(name, "columns", used.iter().copied()),
                        true if *flag == "--values" => {
                            format!("leave it out, or ask for groups: `--by {name}`")
                        }
                        true => format!("leave it out, or ask for something of it, such as `--mean {name}`"),
                    };
                    return Err(
                        Failure::usage(format!("{flag} is of column `{name}`, which is not used")).help(help)
                    );
                }
            }
        }
        Ok(())
    }

    fn write_unit(&self, text: &mut String) {
        let mut parts = Vec::new();
        parts.extend(self.unit.as_ref().map(|column| format!("column: {}", quoted(column))));
        for (key, bound) in [
            ("max_rows", self.max_rows),
            ("max_groups", self.max_groups),
            ("max_rows_per_group", self.max_rows_per_group),
            ("at_most", self.at_most),
        ] {
            parts.extend(bound.map(|bound| format!("{key}: {bound}")));
        }
        if !parts.is_empty() {
            let _ = writeln!(text, "unit: {{{}}}", parts.join(", "));
        }
    }

    fn write_column(&self, column: &str, text: &mut String) {
        let mut parts = Vec::new();
        if let Some(values) = find(&self.values, column) {
            parts.push(match values.trim() {
                "discover" => "values: discover".to_owned(),
                values => format!(
                    "values: [{}]",
                    values.split(',').map(str::trim).map(quoted).collect::<Vec<_>>().join(", ")
                ),
            });
        }
        if let Some((low, high)) = find(&self.bounds, column) {
            parts.push(format!("min: {low}, max: {high}"));
        }
        parts.extend(find(&self.step, column).map(|step| format!("step: {step}")));
        let _ = writeln!(text, "  {}: {{{}}}", quoted(column), parts.join(", "));
    }

    fn write_release(&self, statistic: &str, column: Option<&str>, text: &mut String) {
        // The name becomes a file's.
        let plain = |c: char| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' };
        let mut name = statistic.to_owned();
        let mut parts = vec![format!("statistic: {statistic}")];
        if let Some(column) = column {
            name.push_str(&format!("_{column}"));
            parts.push(format!("of: {}", quoted(column)));
            if matches!(statistic, "histogram" | "quantiles")
                && let Some(bins) = find(&self.bins, column)
            {
                let bins: Vec<String> = bins.iter().map(f64::to_string).collect();
                parts.push(format!("bins: [{}]", bins.join(", ")));
            }
        }
        if !self.by.is_empty() {
            name.push_str(&format!("_by_{}", self.by.join("_")));
            parts.push(format!("by: [{}]", self.by.iter().map(|c| quoted(c)).collect::<Vec<_>>().join(", ")));
        }
        let name: String = name.chars().map(plain).collect();
        let _ = writeln!(text, "  {name}: {{{}}}", parts.join(", "));
    }
}

fn find<'a, T>(list: &'a [(String, T)], column: &str) -> Option<&'a T> {
    list.iter().find(|(name, _)| name == column).map(|(_, value)| value)
}

/// A text in quotes, as YAML and JSON have them.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;

    #[derive(clap::Parser)]
    struct Program {
        #[command(flatten)]
        statistics: Statistics,
        #[arg(long)]
        rules: Option<String>,
    }

    fn rules(flags: &[&str]) -> Result<String, Failure> {
        let program =
            Program::try_parse_from([&["program"], flags].concat()).unwrap_or_else(|e| panic!("{e}"));
        program.statistics.rules()
    }

    #[test]
    fn flags_become_rules() {
        let text = rules(&[
            "--count",
            "--mean",
            "Monthly Cost",
            "--by",
            "region,type",
            "--values",
            "region=north,south \"bank\"",
            "--values",
            "type=discover",
            "--bounds",
            "Monthly Cost=-1k..1k",
            "--step",
            "Monthly Cost=0.01",
            "--unit",
            "client",
            "--max-rows",
            "3",
            "--at-most",
            "10k",
            "--table-name",
            "spring",
        ]);
        let text = text.unwrap_or_else(|_| panic!("refused"));
        assert_eq!(
            text,
            "lookalike: 1\ntable: \"spring\"\nunit: {column: \"client\", max_rows: 3, at_most: 10000}\ncolumns:\n  \
             \"Monthly Cost\": {min: -1000, max: 1000, step: 0.01}\n  \"region\": {values: [\"north\", \"south \\\"bank\\\"\"]}\n  \
             \"type\": {values: discover}\nreleases:\n  count_by_region_type: {statistic: count, by: [\"region\", \"type\"]}\n  \
             mean_Monthly_Cost_by_region_type: {statistic: mean, of: \"Monthly Cost\", by: [\"region\", \"type\"]}\n"
        );
    }

    #[test]
    fn what_is_missing_or_unused_is_refused() {
        for flags in [
            &["--count", "--by", "region"][..],
            &["--sum", "cost"],
            &["--histogram", "cost", "--bounds", "cost=0..9"],
            &["--count", "--values", "region=a,b"],
            &["--sum", "cost", "--bounds", "cost=0..9", "--bounds", "cost=0..8"],
        ] {
            assert!(rules(flags).is_err(), "{flags:?}");
        }
        for wrong in ["cost", "cost=1", "cost=9..1", "cost=a..b", "=0..1"] {
            assert!(bounds(wrong).is_err(), "{wrong}");
        }
        assert_eq!(bounds("a=b=0..1k").ok(), None);
        assert_eq!(bounds("a=0..1k"), Ok(("a".into(), (0.0, 1000.0))));
        assert!(number("a=0").is_err() && number("a=1,2").is_err() && numbers("a=1,x").is_err());
    }
}
