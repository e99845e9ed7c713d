//! Arguments that several commands share, and how values on the command line are read.

use std::path::PathBuf;

use clap::ValueEnum;
use lookalike_ruleset::decode::parse_number;
use lookalike_ruleset::{Diagnostic, Sources, render};

use super::failure::Failure;
use super::terminal;
use crate::pipeline::Slice;
use crate::{Error, Loader, Ruleset};

/// Whether to use colours.
#[derive(clap::Args)]
pub struct Colour {
    /// Colours: auto (on a terminal, unless NO_COLOR is set), always or never.
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto", hide_default_value = true)]
    #[arg(hide_possible_values = true)]
    pub color: clap::ColorChoice,
}

/// Which ruleset, and what it may read.
#[derive(clap::Args)]
pub struct RulesetArgs {
    /// Ruleset: a .yaml, .toml or .json file.
    #[arg(value_name = "RULESET")]
    pub path: PathBuf,
    /// Set a parameter of the ruleset; may be repeated.
    #[arg(long = "param", value_name = "NAME=VALUE", value_parser = pair, help_heading = "Ruleset")]
    pub params: Vec<(String, String)>,
    /// A profile of the ruleset: rows and seed under a name.
    #[arg(short, long, value_name = "NAME", help_heading = "Ruleset")]
    pub profile: Option<String>,
    /// Let the ruleset read files in this folder, too; may be repeated.
    #[arg(long = "allow-path", value_name = "DIR", help_heading = "Ruleset")]
    pub allow_paths: Vec<PathBuf>,
}

impl RulesetArgs {
    /// A loader that was told the parameters and folders.
    pub fn loader(&self) -> Loader {
        let loader = Loader::new().kinds(super::own_kinds());
        let loader = self.params.iter().fold(loader, |loader, (name, value)| loader.param(name, value));
        let loader = self.profile.iter().fold(loader, Loader::profile);
        self.allow_paths.iter().fold(loader, Loader::allow_path)
    }

    /// The line about a ruleset without errors.
    pub fn verdict(&self, ruleset: &Ruleset) -> String {
        let tables: Vec<_> = ruleset.tables().collect();
        let columns = tables.iter().map(|table| table.schema().fields.len() as u64).sum();
        let rows = tables.iter().map(|table| u128::from(table.len())).sum::<u128>();
        let warnings = match ruleset.warnings().len() {
            0 => "no problems".to_owned(),
            n => terminal::counted(n as u64, "warning"),
        };
        format!(
            "{}: {}, {}, {}: {warnings}\n",
            self.path.display(),
            terminal::counted(tables.len() as u64, "table"),
            terminal::counted(columns, "column"),
            terminal::counted(u64::try_from(rows).unwrap_or(u64::MAX), "row"),
        )
    }
}

/// How diagnostics are written: for people, as a JSON array, or as SARIF 2.1.0 for code scanners. (Comments on the
/// values would turn the compact help into pages.)
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Report {
    Text,
    Json,
    Sarif,
}

impl Report {
    /// The diagnostics in this form.
    pub fn render(self, diagnostics: &[Diagnostic], sources: &Sources) -> String {
        let json = match self {
            Report::Text => return render::to_text(diagnostics, sources, true),
            Report::Json => render::to_json(diagnostics, sources),
            Report::Sarif => render::to_sarif(diagnostics, sources),
        };
        format!("{json:#}\n")
    }

    /// Loads a ruleset and hands what there is to say about it to `say`: errors, or warnings.
    ///
    /// # Errors
    /// When the ruleset was refused; the user was told then.
    pub fn load(
        self,
        loader: Loader,
        args: &RulesetArgs,
        say: impl Fn(&str) -> Result<(), Failure>,
    ) -> Result<Ruleset, Failure> {
        match loader.path(&args.path) {
            Ok(ruleset) => {
                say(&self.render(ruleset.warnings(), ruleset.sources()))?;
                Ok(ruleset)
            }
            Err(Error::Refused(refusal)) => {
                say(&self.render(&refusal.diagnostics, &refusal.sources))?;
                Err(Failure::told(super::exit::USAGE))
            }
            Err(other) => Err(other.into()),
        }
    }
}

/// A whole number, humane or exact: `250`, `10k`, `1_000_000`.
pub fn whole(text: &str) -> Result<u64, String> {
    if let Ok(exact) = text.trim().replace('_', "").parse() {
        return Ok(exact);
    }
    // Beyond 2^53 a float is no longer every whole number.
    match parse_number(text) {
        Some(value) if value.fract() == 0.0 && (0.0..=9_007_199_254_740_992.0).contains(&value) => {
            Ok(value as u64)
        }
        _ => Err("expected a whole number such as 250, 10k or 2m".into()),
    }
}

/// `N`, or `TABLE=N`.
pub fn rows(text: &str) -> Result<(Option<String>, u64), String> {
    match text.split_once('=') {
        Some((table, rows)) => Ok((Some(table.trim().to_owned()), whole(rows)?)),
        None => Ok((None, whole(text)?)),
    }
}

/// As [`whole`], but not 0.
pub fn positive(text: &str) -> Result<usize, String> {
    match usize::try_from(whole(text)?) {
        Ok(0) | Err(_) => Err("expected a whole number of at least 1".into()),
        Ok(number) => Ok(number),
    }
}

/// A share: `0.05`, `5%`.
pub fn share(text: &str) -> Result<f64, String> {
    parse_number(text)
        .filter(|share| (0.0..=1.0).contains(share))
        .ok_or_else(|| "expected a share from 0 to 1, such as 0.05 or 5%".into())
}

/// A factor: `0.1`, `10`, `5%`.
pub fn factor(text: &str) -> Result<f64, String> {
    parse_number(text)
        .filter(|factor| *factor >= 0.0)
        .ok_or_else(|| "expected a factor such as 0.1, 10 or 5%".into())
}

/// `NAME=VALUE`.
pub fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.trim().is_empty() => Ok((name.trim().to_owned(), value.to_owned())),
        _ => Err("expected a name and a value, such as region=eu-west-1".into()),
    }
}

/// `A..B`: rows from A up to, but not including, B.
pub fn range(text: &str) -> Result<Slice, String> {
    let ends = text.split_once("..").and_then(|(a, b)| Some((whole(a).ok()?, whole(b).ok()?)));
    match ends {
        Some((start, end)) if start <= end => Ok(Slice::Range(start, end)),
        Some(_) => Err("the range ends before it begins; expected two row numbers such as 5000..6000".into()),
        None => {
            Err("expected two row numbers such as 5000..6000 or 10k..20k; the second row is left out".into())
        }
    }
}

/// `I/N`: the I-th of N parts.
pub fn shard(text: &str) -> Result<Slice, String> {
    let parts = text.split_once('/').and_then(|(i, n)| Some((whole(i).ok()?, whole(n).ok()?)));
    match parts {
        Some((part, parts)) if (1..=parts).contains(&part) => Ok(Slice::Shard(part, parts)),
        _ => Err("expected a part and the number of parts, such as 1/4 to 4/4".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_humane_and_exact() {
        assert_eq!(whole("10k"), Ok(10_000));
        assert_eq!(whole("1_000"), Ok(1000));
        assert_eq!(whole("18446744073709551615"), Ok(u64::MAX));
        assert_eq!(whole("1e3"), Ok(1000));
        for wrong in ["", "-1", "1.5", "1e30", "nan", "ten", "0x10", "1 2"] {
            assert!(whole(wrong).is_err(), "{wrong}");
        }
        assert!(positive("0").is_err());
        assert_eq!(factor("5%"), Ok(0.05));
        assert!(factor("-1").is_err());
        assert!(factor("inf").is_err());
    }

    #[test]
    fn slices_are_read() {
        assert_eq!(range("5..7"), Ok(Slice::Range(5, 7)));
        assert_eq!(range("1k..2k"), Ok(Slice::Range(1000, 2000)));
        assert_eq!(range("3..3"), Ok(Slice::Range(3, 3)));
        for wrong in ["", "5", "7..5", "a..b", "..5", "5..", "1..2..3", "5...7"] {
            assert!(range(wrong).is_err(), "{wrong}");
        }
        assert_eq!(shard("1/4"), Ok(Slice::Shard(1, 4)));
        for wrong in ["0/4", "5/4", "1/0", "1", "/", "1/2/3"] {
            assert!(shard(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn params_have_a_name() {
        assert_eq!(pair("a=b=c"), Ok(("a".into(), "b=c".into())));
        assert_eq!(pair("a="), Ok(("a".into(), String::new())));
        assert!(pair("=b").is_err());
        assert!(pair("a").is_err());
    }
}
