//! `series`: a level with a trend, seasons and noise.

use std::f64::consts::TAU;

use lookalike_ruleset::decode::{DAY, Decode, Number, Time, parse_number, parse_time, wrong};
use lookalike_ruleset::{Diagnostic, Json, Node, Problems, Span, Type, params};
use polars::prelude::*;
use serde_json::json;

use super::amount::{self, Amount};
use crate::build::{Builder, Part, Spec};
use crate::entity::{Entity, Per};
use crate::formula::{Expression, Formula};
use crate::generator::{
    Around, Block, Demand, Failure, Generator, Group, InputName, Kind, Output, Promise, Rule, Site,
};

params! {
    /// A level with a trend, seasons and noise.
    struct Params {
        /// Whose rows are one series: a link, `table` or `row`. Time counts its rows, from 0.
        per: Option<Per>,
        /// In place of `per`: the time of a row, a date, a stamp or a length of time.
        at: Option<Expression>,
        /// Value without trend, season and noise.
        level: Amount = Amount::Number(0.0),
        /// What each row adds; with `at`, what each day adds: since the clock, or since a length of time of 0.
        trend: Option<Amount>,
        /// What comes back again and again.
        season: Vec<Season> = Vec::new(),
        /// A generator of numbers that are added.
        noise: Option<Part>,
    }
}

params! {
    /// A cosine.
    struct Season {
        /// After how many rows it comes back; with `at`, after what length of time.
        period: Extent,
        /// Distance of the highest value from the middle.
        amplitude: Number,
        /// Where in the period the highest value lies: in rows, or a length of time since midnight (for a week, since Monday).
        peak: Option<Extent>,
    }
}

/// A number of rows or a length of time, as `at` decides.
#[derive(Clone, Debug)]
struct Extent(Node);

impl Decode for Extent {
    fn decode(node: &Node, problems: &mut Problems) -> Option<Self> {
        match node.as_scalar().filter(|_| !node.is_null()) {
            Some(s) if parse_number(&s.text).is_some() || parse_time(&s.text).is_some() => {
                Some(Extent(node.clone()))
            }
            _ => {
                wrong(node, Self::what(), problems);
                None
            }
        }
    }
    fn what() -> String {
        "a number of rows, or with `at` a length of time such as 1d or 7d".into()
    }
    fn schema() -> Json {
        json!({"anyOf": [Number::schema(), Time::schema()]})
    }
}

impl Extent {
    /// In rows, or in microseconds where the series follows the time.
    fn read(&self, timed: bool, problems: &mut Problems) -> Option<f64> {
        let Extent(node) = self;
        let text = &node.as_scalar()?.text;
        let (value, code, message, help) = if timed {
            let help = "write for example 1d, 7d or 12h; without `at` periods are numbers of rows";
            (parse_time(text).map(|t| t as f64), "bad-duration", "is not a length of time", help)
        } else {
            let help = "to count time, name the column that holds it: `at: created_at`";
            (parse_number(text), "bad-number", "is not a number of rows", help)
        };
        if value.is_none() {
            problems.error(code, node.span, format!("{} {message}", node.describe()), help);
        }
        value
    }
}

/// A season: rows or microseconds.
struct Cosine {
    period: f64,
    amplitude: f64,
    peak: f64,
}

impl Cosine {
    fn at(&self, time: f64) -> f64 {
        // Reduced to one period first: the remainder is exact, and so are far seasons.
        let turn = (time % self.period - self.peak % self.period) / self.period;
        self.amplitude * libm::cos(TAU * turn)
    }
}

/// Monday, 1 January 2001, 00:00 UTC in microseconds since 1970: where seasons begin.
const MONDAY: i64 = 978_307_200_000_000;

struct Trended {
    per: Per,
    at: Option<Formula>,
    level: Amount,
    trend: Option<Amount>,
    seasons: Vec<Cosine>,
    noise: Option<Spec>,
    time: Option<Ready>,
}

/// What the time of a row is.
#[derive(Clone, Copy)]
enum Ready {
    /// The row's place in its entity.
    Ordinal(Entity),
    /// The expression's value in microseconds; seasons begin at the first, the trend at the second.
    Micros(i64, i64),
}

impl Generator for Trended {
    fn inputs(&self, inputs: &mut Vec<InputName>) {
        self.read(inputs);
        self.noise.iter().for_each(|noise| noise.inputs(inputs));
    }

    fn prepare(&mut self, site: &mut Site<'_>) -> Option<Output> {
        let level = self.level.prepare(site);
        let trend = self.trend.as_mut().map_or(Some(false), |trend| trend.prepare(site));
        let noise = match &mut self.noise {
            None => Some(false),
            Some(noise) => {
                let span = noise.span;
                let output = site.prepare(noise, site.seed.derive("noise"), span, Demand::default());
                match output {
                    Some(output) if !output.ty.is_number() => {
                        site.problems.push(
                            Diagnostic::error("wrong-type", span, format!("the noise is {}", output.ty))
                                .label("expected a generator of numbers"),
                        );
                        None
                    }
                    other => other.map(|output| output.nullable),
                }
            }
        };
        let (time, timeless) = match &mut self.at {
            None => (Ready::Ordinal(self.per.prepare(true, site)?), false),
            Some(at) => {
                let (ty, nullable) = at.prepare(site)?;
                let ready = match ty {
                    Some(Type::Duration) => Ready::Micros(0, 0),
                    Some(Type::Date | Type::Datetime) => {
                        let clock = if self.trend.is_some() { site.clock()? } else { 0 };
                        Ready::Micros(MONDAY, clock)
                    }
                    other => {
                        let found = other.map_or("always NULL".to_owned(), |ty| format!("of type {ty}"));
                        site.problems.push(
                            Diagnostic::error(
                                "expression-type",
                                at.span,
                                format!("`at` needs a time; this is {found}"),
                            )
                            .label("expected a date, a stamp or a length of time")
                            .help("name a column of type date or datetime, or leave `at` out to count rows"),
                        );
                        return None;
                    }
                };
                (ready, nullable)
            }
        };
        self.time = Some(time);
        Some(amount::output(level? | trend? | noise? | timeless))
    }

    fn has_place(&self) -> bool {
        true
    }

    fn fill(&self, block: &Block<'_>) -> Result<Series, Failure> {
        self.values(block, self.noise.as_ref())
    }

    fn promise(&self) -> Promise<'_> {
        if self.noise.is_some() { Promise::Around(self) } else { Promise::Nothing }
    }
}

impl Around for Trended {
    fn read(&self, inputs: &mut Vec<InputName>) {
        self.times(inputs);
        self.level.inputs(inputs);
        self.trend.iter().for_each(|trend| trend.inputs(inputs));
    }

    fn middle(&self, block: &Block<'_>) -> Result<Series, Failure> {
        self.values(block, None)
    }

    fn noise(&self) -> &Spec {
        self.noise.as_ref().expect("only a rule with noise says that it has some")
    }
}

impl Trended {
    fn times(&self, inputs: &mut Vec<InputName>) {
        match &self.at {
            Some(at) => at.inputs(inputs),
            None => self.per.inputs(true, inputs),
        }
    }

    fn values(&self, block: &Block<'_>, noise: Option<&Spec>) -> Result<Series, Failure> {
        let level = self.level.values(block)?;
        let trend = self.trend.as_ref().map(|trend| trend.values(block)).transpose()?;
        let noise = match noise {
            Some(noise) => Some(amount::numbers(&noise.fill(block)?)?),
            None => None,
        };
        let value = |at: usize, season: f64, time: f64| {
            let mut value = level.get(at)?;
            if let Some(trend) = &trend {
                value += trend.get(at)? * time;
            }
            value += self.seasons.iter().map(|cosine| cosine.at(season)).sum::<f64>();
            if let Some(noise) = &noise {
                value += noise.get(at)?;
            }
            Some(value)
        };
        match self.time.expect("set in prepare") {
            Ready::Ordinal(entity) => {
                let places = entity.places(block)?;
                amount::floats(block, |at| {
                    let time = places[at].ordinal as f64;
                    value(at, time, time)
                })
            }
            Ready::Micros(seasons, start) => {
                let formula = self.at.as_ref().expect("there is a time");
                let series = formula.evaluate(block)?;
                let factor = if *series.dtype() == DataType::Date { DAY } else { 1 };
                let times = series.to_physical_repr().cast(&DataType::Int64)?;
                let times = times.i64()?.rechunk();
                amount::floats(block, |at| {
                    let micros = times.get(at)?.saturating_mul(factor);
                    let since = |origin: i64| micros.saturating_sub(origin) as f64;
                    value(at, since(seasons), since(start) / DAY as f64)
                })
            }
        }
    }
}

impl Rule for Params {
    fn build(self, _: Span, builder: &mut Builder<'_>) -> Option<Box<dyn Generator>> {
        let timed = self.at.is_some();
        if let (Some(Expression(at)), Some(_)) = (&self.at, &self.per) {
            builder.problems.push(
                Diagnostic::error(
                    "bad-value",
                    at.span,
                    "time is counted in rows by `per` and measured by `at`",
                )
                .help("remove one of them"),
            );
            return None;
        }
        let mut seasons = Vec::new();
        let mut whole = true;
        for Season { period, amplitude, peak } in &self.season {
            let length = period.read(timed, builder.problems);
            let peak = peak.as_ref().map_or(Some(0.0), |peak| peak.read(timed, builder.problems));
            match (length, peak) {
                (Some(length), Some(peak)) if length > 0.0 => {
                    seasons.push(Cosine { period: length, amplitude: amplitude.0, peak });
                }
                (Some(length), _) if length <= 0.0 => {
                    builder.problems.push(
                        Diagnostic::error(
                            "bad-value",
                            period.0.span,
                            "a season needs a period longer than nothing",
                        )
                        .label("expected for example 24, or with `at` 1d"),
                    );
                    whole = false;
                }
                _ => whole = false,
            }
        }
        let at = match &self.at {
            Some(Expression(node)) => Some(Formula::parse(node, builder.problems)?),
            None => None,
        };
        let noise = match &self.noise {
            Some(Part(node)) => Some(builder.spec(node)?),
            None => None,
        };
        whole.then(|| -> Box<dyn Generator> {
            Box::new(Trended {
                per: self.per.unwrap_or_else(Per::table),
                at,
                level: self.level,
                trend: self.trend,
                seasons,
                noise,
                time: None,
            })
        })
    }
}

pub(super) const KIND: Kind = Kind {
    name: "series",
    group: Group::Series,
    summary: "Numbers with a trend, seasons and noise.",
    details: "The value at time t is level + trend t + Σ amplitude cos(2π (t - peak) / period) + noise. Without `at`, t is the \
              number of the row in its entity; with it, a stamp or a length of time: the trend is then counted in days, \
              since the ruleset's clock or since 0, and the seasons of stamps begin on Mondays at 00:00 UTC. The noise is any \
              generator of numbers, such as `normal` or, for noise with a memory, `ar1`. `level` and `trend` may be columns. \
              Nothing keeps the values positive; `clamp` does.",
    example: "{series: {level: 100, trend: 0.01, season: [{period: 24, amplitude: 20, peak: 14}], noise: {normal: {mean: 0, std_dev: 2}}}}",
    ..Kind::of::<Params>()
};

#[cfg(test)]
mod tests {
    use lookalike_core::Rows;

    use crate::testing::plan;

    fn values(clock: &str, columns: &str, rows: u64) -> Result<Vec<Option<f64>>, String> {
        let text = format!("lookalike: 1\n{clock}tables:\n  t:\n    rows: {rows}\n    columns:\n{columns}");
        let plan = plan(&text).map_err(|d| d[0].code.to_owned() + ": " + &d[0].message)?;
        let frame = plan.table("t").unwrap().frame(&Rows::Range(0..rows)).map_err(|e| e.to_string())?;
        Ok(frame.column("c").unwrap().f64().unwrap().iter().collect())
    }

    #[test]
    fn rows_follow_the_formula() {
        let found = values(
            "",
            "      c: {series: {level: 10, trend: 0.5, season: [{period: 4, amplitude: 3, peak: 1}]}}\n",
            9,
        );
        for (row, value) in found.unwrap().into_iter().enumerate() {
            let season = [0.0, 3.0, 0.0, -3.0][row % 4];
            assert!(
                (value.unwrap() - (10.0 + 0.5 * row as f64 + season)).abs() < 1e-12,
                "row {row}: {value:?}"
            );
        }
    }

    #[test]
    fn stamps_are_measured_from_the_clock_and_from_mondays() {
        // 2026-01-05 is a Monday; steps of 12 hours; the week is highest on Wednesday at noon.
        let columns = "      when: {sequence: {start: 2026-01-05, step: 12h}}\n      \
                       c: {series: {at: when, level: 10, trend: 2, season: [{period: 7d, amplitude: 1, peak: 2d 12h}, {period: 1d, amplitude: 5}]}}\n";
        let found = values("clock: 2026-01-06\n", columns, 29).unwrap();
        for (row, value) in found.iter().enumerate() {
            let days = row as f64 / 2.0;
            let week = (std::f64::consts::TAU * (days - 2.5) / 7.0).cos();
            let day = if row % 2 == 0 { 5.0 } else { -5.0 };
            let expected = 10.0 + 2.0 * (days - 1.0) + week + day;
            assert!((value.unwrap() - expected).abs() < 1e-9, "row {row}: {value:?}, expected {expected}");
        }
        assert!(values("", columns, 3).unwrap_err().starts_with("missing-key"));
    }

    #[test]
    fn levels_and_noise_come_from_columns_and_generators() {
        let columns = "      base: {int_range: [1, 9], null: 30%}\n      \
                       c: {series: {level: {column: base}, noise: {constant: 0.25}}}\n      noise: {expr: 'c - base'}\n";
        let found = values("", columns, 200).unwrap();
        assert!(found.iter().flatten().all(|value| value.fract() == 0.25));
        assert!(found.iter().any(Option::is_none));
    }

    #[test]
    fn rows_and_time_are_not_mixed_up() {
        for (series, start) in [
            ("{season: [{period: 1d, amplitude: 1}]}", "bad-number"),
            ("{at: '''x''', season: [{period: 24, amplitude: 1}]}", "bad-duration"),
            ("{at: '''x'''}", "expression-type"),
            ("{at: 'NULL', per: table}", "bad-value"),
            ("{season: [{period: 0, amplitude: 1}]}", "bad-value"),
            ("{noise: {choice: [a, b]}}", "wrong-type"),
            ("{level: {column: nothing}}", "unknown-column"),
        ] {
            let error = values("", &format!("      c: {{series: {series}}}\n"), 3).unwrap_err();
            assert!(error.starts_with(start), "{series}: {error}");
        }
    }
}
