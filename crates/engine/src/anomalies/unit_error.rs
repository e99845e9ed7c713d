//! `unit_error`: a number in another unit than the column's.

use lookalike_ruleset::decode::{Decode, Spanned, wrong};
use lookalike_ruleset::diagnostic::did_you_mean;
use lookalike_ruleset::{Diagnostic, Json, Node, Problems, Span, Type, params};
use polars::prelude::*;
use serde_json::json;

use super::cells::{change_numbers, clean_of, named, number_rule, own};
use crate::anomaly::{Anomaly, AnomalyKind, AnomalyRule, Hits, Rules};
use crate::array;
use crate::build::Part;
use crate::generator::{Failure, InputId, InputName, Output, Site};

params! {
    /// Numbers in another unit.
    struct Params {
        /// Column of numbers.
        column: Spanned<String>,
        /// The value is multiplied by this: a number, or a generator of numbers.
        factor: Option<Part>,
        /// The column's unit.
        from: Option<Spanned<Unit>>,
        /// The unit in which the value is written instead.
        to: Option<Spanned<Unit>>,
    }
}

/// A unit of measurement: its name, what it measures, its size, and the value of its zero, both in a common unit.
#[derive(Debug, PartialEq)]
struct Measure(&'static str, &'static str, f64, f64);

/// All units. A pound is 0.45359237 kg and an inch 0.0254 m, by definition; gallons are those of the US.
const UNITS: &[Measure] = &[
    Measure("mm", "length", 0.001, 0.0),
    Measure("cm", "length", 0.01, 0.0),
    Measure("m", "length", 1.0, 0.0),
    Measure("km", "length", 1000.0, 0.0),
    Measure("inch", "length", 0.0254, 0.0),
    Measure("foot", "length", 0.3048, 0.0),
    Measure("yard", "length", 0.9144, 0.0),
    Measure("mile", "length", 1609.344, 0.0),
    Measure("mg", "mass", 1e-6, 0.0),
    Measure("g", "mass", 0.001, 0.0),
    Measure("kg", "mass", 1.0, 0.0),
    Measure("t", "mass", 1000.0, 0.0),
    Measure("ounce", "mass", 0.028_349_523_125, 0.0),
    Measure("pound", "mass", 0.453_592_37, 0.0),
    Measure("celsius", "temperature", 1.0, 273.15),
    Measure("fahrenheit", "temperature", 5.0 / 9.0, 273.15 - 160.0 / 9.0),
    Measure("kelvin", "temperature", 1.0, 0.0),
    Measure("us", "time", 1e-6, 0.0),
    Measure("ms", "time", 0.001, 0.0),
    Measure("s", "time", 1.0, 0.0),
    Measure("min", "time", 60.0, 0.0),
    Measure("h", "time", 3600.0, 0.0),
    Measure("d", "time", 86_400.0, 0.0),
    Measure("byte", "amount of data", 1.0, 0.0),
    Measure("kB", "amount of data", 1e3, 0.0),
    Measure("MB", "amount of data", 1e6, 0.0),
    Measure("GB", "amount of data", 1e9, 0.0),
    Measure("TB", "amount of data", 1e12, 0.0),
    Measure("KiB", "amount of data", 1024.0, 0.0),
    Measure("MiB", "amount of data", 1_048_576.0, 0.0),
    Measure("GiB", "amount of data", 1_073_741_824.0, 0.0),
    Measure("TiB", "amount of data", 1_099_511_627_776.0, 0.0),
    Measure("ml", "volume", 0.001, 0.0),
    Measure("litre", "volume", 1.0, 0.0),
    Measure("gallon", "volume", 3.785_411_784, 0.0),
    Measure("m/s", "speed", 1.0, 0.0),
    Measure("km/h", "speed", 1.0 / 3.6, 0.0),
    Measure("mph", "speed", 0.447_04, 0.0),
    Measure("share", "share", 1.0, 0.0),
    Measure("percent", "share", 0.01, 0.0),
];

/// A unit; `None` for one that is not known, which is reported.
#[derive(Clone, Copy, Debug)]
struct Unit(Option<&'static Measure>);

impl Decode for Unit {
    fn decode(node: &Node, problems: &mut Problems) -> Option<Self> {
        let Some(scalar) = node.as_scalar().filter(|_| !node.is_null()) else {
            wrong(node, Self::what(), problems);
            return Some(Unit(None));
        };
        let found = UNITS.iter().find(|unit| unit.0 == scalar.text);
        if found.is_none() {
            let help = did_you_mean(&scalar.text, "units", UNITS.iter().map(|unit| unit.0));
            problems.error(
                "bad-value",
                node.span,
                format!("`{}` is not a unit known here", scalar.text),
                help,
            );
        }
        Some(Unit(found))
    }
    fn what() -> String {
        let names: Vec<&str> = UNITS.iter().map(|unit| unit.0).collect();
        format!("a unit: {}", names.join(", "))
    }
    fn schema() -> Json {
        json!({"enum": UNITS.iter().map(|unit| unit.0).collect::<Vec<_>>()})
    }
}

impl AnomalyRule for Params {
    fn build(self, span: Span, rules: &mut Rules<'_, '_>) -> Option<Box<dyn Anomaly>> {
        let column = named(&self.column);
        let (change, rule) = match (self.factor, self.from, self.to) {
            (Some(factor), None, None) => (Change::Factor, Some(number_rule(rules, "#factor", &factor.0))),
            (None, Some(from), Some(to)) => {
                let (one, other) = (from.value.0?, to.value.0?);
                if one.1 != other.1 || one == other {
                    let message = format!("{} measures {}, {} {}", one.0, one.1, other.0, other.1);
                    rules.builder.problems.push(
                        Diagnostic::error("bad-anomaly", to.span, message)
                            .related(from.span, "the column's unit")
                            .help("name another unit for the same thing"),
                    );
                    return None;
                }
                (Change::Units { size: one.2 / other.2, shift: (one.3 - other.3) / other.2 }, None)
            }
            _ => {
                rules.builder.problems.error(
                    "bad-anomaly",
                    span,
                    "a unit error has either a `factor`, or `from` and `to`",
                    "such as `factor: 1000` or `from: celsius, to: fahrenheit`",
                );
                return None;
            }
        };
        Some(Box::new(UnitError { column, change, rule, ready: None }))
    }
}

enum Change {
    Factor,
    /// The value times `size`, plus `shift`.
    Units {
        size: f64,
        shift: f64,
    },
}

struct UnitError {
    column: InputName,
    change: Change,
    rule: Option<InputName>,
    ready: Option<(InputId, Type, Option<InputId>)>,
}

impl Anomaly for UnitError {
    fn columns(&self) -> Vec<InputName> {
        vec![self.column.clone()]
    }

    fn inputs(&self, inputs: &mut Vec<InputName>) {
        inputs.extend(self.rule.clone());
    }

    fn prepare(&mut self, site: &mut Site<'_>) -> Option<Vec<Output>> {
        let (id, clean) = clean_of(site, &self.column, Type::is_number, "a number")?;
        let rule = match &self.rule {
            Some(rule) => Some(own(site, rule, Type::is_number, "a number")?),
            None => None,
        };
        self.ready = Some((id, clean.ty, rule));
        Some(vec![clean])
    }

    fn spoil(&self, hits: &Hits<'_>) -> Result<Vec<Series>, Failure> {
        let (id, ty, rule) = self.ready.ok_or_else(|| Failure::new("not prepared"))?;
        let factors = rule.map(|rule| array::to_floats(&hits.block.input(rule))).transpose()?;
        let change = |at: usize, value: f64| match self.change {
            Change::Factor => Some(value * factors.as_ref()?[at]?),
            Change::Units { size, shift } => Some(value * size + shift),
        };
        Ok(vec![change_numbers(&hits.block.input(id), ty, change)?])
    }
}

pub(super) const KIND: AnomalyKind = AnomalyKind {
    name: "unit_error",
    summary: "A number in another unit than the column's.",
    details: "`factor` multiplies the value: a number such as 100 (cents for euros) or 0.001, or a generator. `from` \
              and `to` name two units of length, mass, temperature, time, data, volume, speed or share: the value is \
              what the same quantity is in `to`, such as 68 for 20 with `from: celsius, to: fahrenheit`. The result is \
              rounded to the column's digits. Nulls stay, and so does what the change happens not to alter, such as 0 \
              times 1000.",
    example: "{unit_error: {column: Temperature, from: celsius, to: fahrenheit}}",
    ..AnomalyKind::of::<Params>()
};

#[cfg(test)]
mod tests {
    use super::super::testing::{changed_numbers, refused};
    use super::{KIND, UNITS};

    const COLUMNS: &[&str] = &[
        "Temperature: {int_range: [0, 40]}",
        "Price: {uniform: [1, 20], round: 2}",
        "Length: {uniform: [1, 2]}",
        "Name: {choice: [ada, bob]}",
    ];

    #[test]
    fn values_are_in_other_units() {
        for (celsius, fahrenheit) in changed_numbers(COLUMNS, KIND.example) {
            assert_eq!(fahrenheit, (celsius * 1.8 + 32.0).round());
        }
        for (euros, cents) in changed_numbers(COLUMNS, "{unit_error: {column: Price, factor: 100}}") {
            assert!((cents - 100.0 * euros).abs() < 1e-9);
        }
        for (metres, feet) in changed_numbers(COLUMNS, "{unit_error: {column: Length, from: m, to: foot}}") {
            assert!((feet * 0.3048 - metres).abs() < 1e-12);
        }
        for (before, after) in
            changed_numbers(COLUMNS, "{unit_error: {column: Length, factor: {choice: [10, 1000]}}}")
        {
            assert!(after == 10.0 * before || after == 1000.0 * before);
        }
    }

    #[test]
    fn names_of_units_are_unique() {
        assert!(UNITS.iter().enumerate().all(|(at, unit)| UNITS[..at].iter().all(|other| other.0 != unit.0)));
    }

    #[test]
    fn mistakes_are_reported() {
        for wrong in
            ["", ", factor: 2, from: m, to: km", ", from: m", ", from: m, to: kg", ", from: m, to: m"]
        {
            assert_eq!(
                refused(COLUMNS, &format!("{{unit_error: {{column: Length{wrong}}}}}")),
                ["bad-anomaly"]
            );
        }
        assert_eq!(refused(COLUMNS, "{unit_error: {column: Name, factor: 2}}"), ["wrong-type"]);
        assert_eq!(refused(COLUMNS, "{unit_error: {column: Length, from: m, to: metre}}"), ["bad-value"]);
    }
}
