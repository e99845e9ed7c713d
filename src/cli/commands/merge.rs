//! `lookalike merge`: tables of files and rulesets brought together.

use std::fmt::Write as _;
use std::path::PathBuf;

use lookalike_ruleset::Type;
use lookalike_ruleset::decode::Decode;
use lookalike_ruleset::read::Format as TextFormat;
use lookalike_ruleset::{Node, Problems, Span, Value, node::Scalar};

use super::generate::stop_on_signal;
use crate::cli::failure::Failure;
use crate::cli::output::{Format, OutputArgs};
use crate::cli::{args, terminal};
use crate::merge::{Amount, Manifest, Merge};
use crate::pipeline::Destination;

/// Arguments of `merge`.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  lookalike merge a.csv b.parquet -o out                        all rows of both
  lookalike merge prod.csv=60% dev.parquet=30% scenario.yaml#findings=10% --rows 1001
  lookalike merge big.csv --rows 10k --stratify Region          a sample with the shares of the whole
  lookalike merge plan.yaml                                     several tables, keys and children

Shares are exact to the row. Rows of an input stay in their order; the same seed takes the same rows.")]
pub struct Args {
    /// Files and tables of rulesets, each with a share or a number of rows; or a plan, a .yaml file that says it all.
    #[arg(value_name = "INPUT[=SHARE|=ROWS]", required = true)]
    inputs: Vec<String>,

    /// Rows of the result, such as 10k [default: all, or as many as the shares allow].
    #[arg(long, value_name = "N", value_parser = args::whole, allow_negative_numbers = true, help_heading = "Rows")]
    rows: Option<u64>,
    /// Columns whose values, combined, keep their shares in each input, with commas between them.
    #[arg(long, value_name = "COLUMNS", value_delimiter = ',', help_heading = "Rows")]
    stratify: Vec<String>,
    /// Draw rows with replacement. Without it, no row comes twice before all came once.
    #[arg(long, help_heading = "Rows")]
    replace: bool,
    /// One input after the other, instead of mixed.
    #[arg(long, help_heading = "Rows")]
    in_order: bool,
    /// Let a plan, and rulesets, read files in this folder, too; may be repeated.
    #[arg(long = "allow-path", value_name = "DIR")]
    allow_paths: Vec<PathBuf>,
    /// Where all randomness comes from [default: 0].
    #[arg(long, value_name = "S", value_parser = args::whole, allow_negative_numbers = true, help_heading = "Rows")]
    seed: Option<u64>,

    /// Add a column that says which input a row comes from.
    #[arg(long, value_name = "COLUMN", help_heading = "Columns")]
    provenance: Option<String>,
    /// A column that is numbered anew, so that no two rows have the same.
    #[arg(long, value_name = "COLUMN", help_heading = "Columns")]
    key: Option<String>,
    /// Read a column as this type: bool, int, float, text, date, datetime, duration or decimal(2); may be repeated.
    #[arg(long = "type", value_name = "COLUMN=TYPE", value_parser = column_type, help_heading = "Columns")]
    types: Vec<(String, Type)>,

    /// Name of the table [default: merged].
    #[arg(long, value_name = "NAME", help_heading = "Output")]
    table: Option<String>,
    /// Formats, with commas between them [default: csv].
    #[arg(
        long = "format",
        value_name = "FORMAT",
        value_enum,
        value_delimiter = ',',
        help_heading = "Output"
    )]
    formats: Vec<Format>,
    #[command(flatten)]
    output: OutputArgs,
}

/// `COLUMN=TYPE`.
pub(super) fn column_type(text: &str) -> Result<(String, Type), String> {
    let (column, ty) = text.rsplit_once('=').ok_or("expected a column and a type, such as Size=text")?;
    let scalar = Scalar { text: ty.trim().to_owned(), quoted: false, verbatim: None };
    let node = Node { span: Span::default(), value: Value::Scalar(scalar) };
    let ty = Type::decode(&node, &mut Problems::new()).ok_or_else(|| format!("expected {}", Type::what()))?;
    Ok((column.to_owned(), ty))
}

/// An input and how much comes from it. What follows the last `=` and is no amount belongs to the name.
fn input(text: &str) -> (&str, Option<Amount>) {
    let amount = |amount: &str| match amount.trim().strip_suffix('%') {
        Some(_) => args::factor(amount).ok().filter(|share| *share <= 1.0).map(Amount::Share),
        None => args::whole(amount).ok().map(Amount::Rows),
    };
    match text.rsplit_once('=') {
        Some((place, text)) if amount(text).is_some() => (place, amount(text)),
        _ => (text, None),
    }
}

impl Args {
    fn merge(&self) -> Result<Merge, Failure> {
        if let [plan] = self.inputs.as_slice()
            && TextFormat::of_path(plan).is_some()
            && !plan.contains('#')
        {
            let own = [
                ("--rows", self.rows.is_some()),
                ("--stratify", !self.stratify.is_empty()),
                ("--replace", self.replace),
                ("--key", self.key.is_some()),
                ("--type", !self.types.is_empty()),
                ("--table", self.table.is_some()),
            ];
            if let Some((name, _)) = own.iter().find(|(_, given)| *given) {
                let message = format!("`{name}` goes with inputs; {plan} is a plan, which says it itself");
                return Err(Failure::usage(message).help("for a ruleset's table write ruleset.yaml#table"));
            }
            let mut merge = Merge::from_path(plan, &self.allow_paths)?;
            merge.seed = self.seed.unwrap_or(merge.seed);
            merge.interleaved &= !self.in_order;
            merge.provenance = self.provenance.clone().or(merge.provenance);
            return Ok(merge);
        }
        let table = self.table.clone().unwrap_or_else(|| "merged".to_owned());
        if table.contains(['/', '\\']) || table.starts_with('.') || table.is_empty() {
            return Err(Failure::usage(format!("`{table}` cannot name a file; choose another name")));
        }
        let mut merge = Merge::of_one_table(&table, self.seed.unwrap_or(0));
        merge.name = table;
        merge.allowed.clone_from(&self.allow_paths);
        merge.interleaved = !self.in_order;
        merge.provenance.clone_from(&self.provenance);
        for text in &self.inputs {
            let (place, amount) = input(text);
            merge.add(place, amount)?;
        }
        let spec = &mut merge.tables[0];
        spec.rows = self.rows;
        spec.replace = self.replace;
        spec.key.clone_from(&self.key);
        spec.stratify.clone_from(&self.stratify);
        spec.types.clone_from(&self.types);
        Ok(merge)
    }
}

/// Merges.
pub fn run(args: &Args) -> Result<(), Failure> {
    let merged = args.merge()?.load()?;
    let job = args.output.job(merged.name(), merged.seed(), &args.formats, &["csv"]);
    let stop = stop_on_signal();
    let progress = terminal::progress(args.output.quiet);
    let result = merged.write(&job, &*progress, &stop);
    // The bar is to be gone before anything else is said.
    drop(progress);
    let manifest = result?;
    if !args.output.quiet {
        terminal::tell(&summary(&manifest, &job.destination));
    }
    Ok(())
}

/// What was made and from what, in a few lines.
fn summary(manifest: &Manifest, destination: &Destination) -> String {
    let (strong, dim) = (terminal::STRONG, terminal::DIM);
    let mut text = String::new();
    for table in &manifest.tables {
        let _ = writeln!(text, "{strong}{}{strong:#}  {}", table.name, terminal::counted(table.rows, "row"));
        for input in &table.inputs {
            let mut more = format!("of {}", terminal::grouped(input.input_rows));
            if input.rows > input.input_rows && !table.with_replacement {
                more.push_str(", some repeated");
            }
            if let Some(orphans) = input.orphans.filter(|orphans| *orphans > 0) {
                let _ = write!(more, ", {} without a parent left out", terminal::counted(orphans, "row"));
            }
            let rows = terminal::grouped(input.rows);
            let _ = writeln!(text, "  {}: {rows} {dim}{more}{dim:#}", input.place);
        }
    }
    let place = match destination {
        Destination::Folder(folder) => folder.display().to_string(),
        Destination::Stdout => "standard output".to_owned(),
    };
    let speed = terminal::grouped(manifest.timing.rows_per_second as u64);
    let _ =
        writeln!(text, "in {:.2} s, {speed} rows/s, to {strong}{place}{strong:#}", manifest.timing.seconds);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inputs_have_amounts() {
        assert_eq!(input("a.csv"), ("a.csv", None));
        assert_eq!(input("a.csv=60%"), ("a.csv", Some(Amount::Share(0.6))));
        assert_eq!(input("a.csv=10k"), ("a.csv", Some(Amount::Rows(10_000))));
        assert_eq!(input("x=y.yaml#t=5%"), ("x=y.yaml#t", Some(Amount::Share(0.05))));
        assert_eq!(input("x=y.csv"), ("x=y.csv", None));
    }

    #[test]
    fn columns_have_types() {
        assert_eq!(column_type("a=b=text"), Ok(("a=b".to_owned(), Type::Text)));
        assert!(column_type("a").is_err());
        assert!(column_type("a=texts").is_err());
    }
}
