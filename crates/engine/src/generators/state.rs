//! `state`: what a state machine is doing.

use std::sync::Arc;

use lookalike_ruleset::decode::{Decode, Spanned, wrong};
use lookalike_ruleset::diagnostic::did_you_mean;
use lookalike_ruleset::{Diagnostic, Json, Node, Problems, Span, Type, params};
use polars::prelude::*;
use serde_json::json;

use crate::array;
use crate::build::Builder;
use crate::entity::{Entity, Per, Place};
use crate::formula::{Expression, Formula};
use crate::generator::{Block, Failure, Generator, Group, InputName, Kind, Output, Rule, Site};
use crate::machine::{Machine, Visit};

params! {
    /// A look at a state machine.
    struct Params {
        /// The machine, by its name under `machines`.
        machine: Spanned<String>,
        /// Who goes through the states: a link (each parent), `table` (one path for all rows) or `row` (each row).
        per: Per = Per::table(),
        /// The time since the path's beginning, a length of time; for machines with `dwell`.
        at: Option<Expression>,
        /// The number of the visit, from 0; without `at` and `visit` it is the row's place among the rows of its path.
        visit: Option<Expression>,
        /// What to give: `state`, `next` (the state that follows), `visit` (its number), `since` or `until` (when the visit began and ends).
        give: Give = Give::State,
    }
}

/// What to give of a visit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Give {
    State,
    Next,
    Visit,
    Since,
    Until,
}

const GIVES: [(&str, Give); 5] = [
    ("state", Give::State),
    ("next", Give::Next),
    ("visit", Give::Visit),
    ("since", Give::Since),
    ("until", Give::Until),
];

impl Decode for Give {
    fn decode(node: &Node, problems: &mut Problems) -> Option<Self> {
        let Some(text) = node.as_scalar().map(|scalar| scalar.text.as_str()) else {
            wrong(node, Self::what(), problems);
            return None;
        };
        let found = GIVES.iter().find(|(name, _)| *name == text);
        if found.is_none() {
            let help = did_you_mean(text, "answers", GIVES.iter().map(|(name, _)| *name));
            problems.error("bad-value", node.span, format!("a machine cannot give `{text}`"), help);
        }
        found.map(|(_, give)| *give)
    }
    fn what() -> String {
        "`state`, `next`, `visit`, `since` or `until`".into()
    }
    fn schema() -> Json {
        json!({"enum": GIVES.map(|(name, _)| name)})
    }
}

/// Which visit is looked at.
enum When {
    /// The one at a time.
    Time(Formula),
    /// The one with a number.
    Number(Formula),
    /// The one whose number is the row's place.
    Ordinal,
}

struct State {
    machine: Spanned<String>,
    per: Per,
    when: When,
    give: Give,
    ready: Option<(Arc<Machine>, Entity)>,
}

impl Generator for State {
    fn inputs(&self, inputs: &mut Vec<InputName>) {
        self.per.inputs(matches!(self.when, When::Ordinal), inputs);
        if let When::Time(formula) | When::Number(formula) = &self.when {
            formula.inputs(inputs);
        }
    }

    fn prepare(&mut self, site: &mut Site<'_>) -> Option<Output> {
        let machine = self.find(site);
        let (wanted, what, help) = match &self.when {
            When::Time(_) => {
                (Type::Duration, "`at` needs a length of time", "subtract two stamps: `clock - created_at`")
            }
            _ => (Type::Int, "`visit` needs a whole number", "visits are numbered from 0"),
        };
        let mut nullable = false;
        if let When::Time(formula) | When::Number(formula) = &mut self.when {
            let span = formula.span;
            let (ty, _) = formula.prepare(site)?;
            if ty != Some(wanted) {
                let found = ty.map_or("always NULL".to_owned(), |ty| format!("of type {ty}"));
                site.problems.push(
                    Diagnostic::error("expression-type", span, format!("{what}; this is {found}"))
                        .label(format!("expected {wanted}"))
                        .help(help),
                );
                return None;
            }
            // What lies before the beginning is null, and any difference may be negative.
            nullable = true;
        }
        let entity = self.per.prepare(matches!(self.when, When::Ordinal), site)?;
        let machine = machine?;
        if let When::Time(formula) = &self.when
            && !machine.is_timed()
        {
            let name = &self.machine.value;
            site.problems.push(
                Diagnostic::error(
                    "missing-key",
                    formula.span,
                    format!("the visits of `{name}` have no length"),
                )
                .label("a time says nothing here")
                .help("give the machine a `dwell`, or count its steps with `visit` in place of `at`"),
            );
            return None;
        }
        nullable |= matches!(self.give, Give::Next | Give::Until) && machine.has_final();
        let output = match self.give {
            Give::State | Give::Next => Output::categories(machine.states().clone()),
            Give::Since | Give::Until if machine.is_timed() => Output::of(Type::Duration),
            Give::Visit | Give::Since | Give::Until => Output::of(Type::Int),
        };
        self.ready = Some((machine, entity));
        Some(Output { nullable, ..output })
    }

    fn has_place(&self) -> bool {
        true
    }

    fn fill(&self, block: &Block<'_>) -> Result<Series, Failure> {
        let (machine, entity) = self.ready.as_ref().expect("set in prepare");
        // The rows that have a visit, with entity and time or number.
        let (places, shown) = match &self.when {
            When::Ordinal => (entity.places(block)?, None),
            When::Time(formula) | When::Number(formula) => {
                let values = formula.evaluate(block)?.cast(&DataType::Int64)?;
                let values = values.i64()?.rechunk();
                let goal = |at: usize| values.get(at).and_then(|value| u64::try_from(value).ok());
                let (mut places, mut shown) = (Vec::new(), Vec::new());
                for (at, entity) in entity.numbers(block)?.into_iter().enumerate() {
                    let goal = goal(at);
                    shown.push(goal.is_some());
                    places.extend(goal.map(|ordinal| Place { entity, ordinal, count: 0 }));
                }
                (places, Some(shown))
            }
        };
        let timed = machine.is_timed() && matches!(self.give, Give::Since | Give::Until);
        let visits = match self.when {
            When::Time(_) => machine.by_time(&places, false)?,
            _ if timed => machine.by_time(&places, true)?,
            _ => machine.by_number(&places),
        };
        let mut values =
            places.iter().zip(&visits).map(|(place, visit)| self.value(machine, place.entity, visit));
        let values: Vec<Option<i64>> = match shown {
            None => values.collect(),
            Some(shown) => {
                shown.into_iter().map(|shown| if shown { values.next().flatten() } else { None }).collect()
            }
        };
        let valid = values.iter().map(Option::is_some).collect();
        let numbers = values.iter().map(|value| value.unwrap_or(0));
        let series = match self.give {
            Give::State | Give::Next => array::codes(numbers.map(|code| code as u32), machine.states()),
            Give::Since | Give::Until if machine.is_timed() => {
                array::from_ints(numbers.collect(), Type::Duration)?
            }
            _ => array::ints(numbers.collect()),
        };
        if values.iter().all(Option::is_some) { Ok(series) } else { array::with_validity(series, valid) }
    }
}

impl State {
    /// The machine, if it is there and without mistakes.
    fn find(&self, site: &mut Site<'_>) -> Option<Arc<Machine>> {
        let Spanned { value: name, span } = &self.machine;
        let machines = &site.world.machines;
        match machines.iter().find(|(machine, _)| machine == name) {
            // One with mistakes was reported.
            Some((_, machine)) => machine.clone(),
            None => {
                let help =
                    did_you_mean(name, "machines", machines.iter().map(|(machine, _)| machine.as_str()));
                site.problems.error("unknown-machine", *span, format!("there is no machine `{name}`"), help);
                None
            }
        }
    }

    /// What is given of a visit, as a number or a state's place.
    fn value(&self, machine: &Machine, entity: u64, visit: &Visit) -> Option<i64> {
        match self.give {
            Give::State => Some(i64::from(visit.state)),
            Give::Next => machine.next(entity, visit).map(i64::from),
            Give::Visit => Some(visit.number as i64),
            Give::Since => Some(visit.since),
            Give::Until => visit.until,
        }
    }
}

impl Rule for Params {
    fn build(self, _: Span, builder: &mut Builder<'_>) -> Option<Box<dyn Generator>> {
        let mut formula = |expression: &Expression| Formula::parse(&expression.0, builder.problems);
        let when = match (&self.at, &self.visit) {
            (Some(at), None) => When::Time(formula(at)?),
            (None, Some(visit)) => When::Number(formula(visit)?),
            (None, None) => When::Ordinal,
            (Some(Expression(at)), Some(Expression(visit))) => {
                builder.problems.push(
                    Diagnostic::error(
                        "bad-value",
                        visit.span,
                        "`at` and `visit` both say which visit is meant",
                    )
                    .label("the second")
                    .related(at.span, "the first")
                    .help("remove one of them"),
                );
                return None;
            }
        };
        Some(Box::new(State { machine: self.machine, per: self.per, when, give: self.give, ready: None }))
    }
}

pub(super) const KIND: Kind = Kind {
    name: "state",
    group: Group::Series,
    summary: "What a state machine is doing: its state at a time or a step.",
    details: "`machines` declares states, transitions with their shares, `final` states and, with `dwell`, how long visits \
              last. The path of an entity depends on the machine's name and the entity's number alone: a child table that looks \
              `per: parent` sees what the parent sees `per: row`. So things that should live independent lives need machines \
              of their own. `at` asks for the visit at a time since the path's beginning, NULL before it; \
              `visit` for the one of a number; without both, row k of an entity shows visit k. A path that has ended \
              stays in its final state: `until` and `next` are then NULL. A state may follow itself, which makes a visit of its \
              own. Without `dwell` a visit is a step, `since` and `until` count steps, and any step is reached at once; times \
              are reached by walking, at most 100,000 visits far. A row that a `require` refuses keeps its path.",
    example: "{state: {machine: job, per: row, at: 'clock - when'}}",
    ..Kind::of::<Params>()
};

#[cfg(test)]
mod tests {
    use lookalike_core::Rows;
    use polars::prelude::*;

    use crate::testing::{column, plan};

    const RULESET: &str = "
lookalike: 1
seed: 5
clock: 2026-01-01
machines:
  life:
    start: creating
    transitions:
      creating: {in-use: 95%, deleted: 5%}
      in-use: {available: 80%, deleted: 20%}
      available: {in-use: 60%, deleted: 40%}
    final: [deleted]
    dwell:
      creating: {duration_range: [1s, 1m]}
      in-use: {exponential: {mean: 30}}
      available: {exponential: {mean: 10}}
    unit: 1d
  light:
    start: {green: 50%, red: 50%}
    transitions: {green: amber, amber: red, red: green}
tables:
  t:
    rows: 2000
    columns:
      created: {datetime_range: [2025-01-01, 2026-01-31]}
      age: {expr: 'clock - created'}
      state: {state: {machine: life, per: row, at: age}}
      since: {state: {machine: life, per: row, at: age, give: since}}
      until: {state: {machine: life, per: row, at: age, give: until}}
      visit: {state: {machine: life, per: row, at: age, give: visit}}
      next: {state: {machine: life, per: row, at: age, give: next}}
      by_visit: {state: {machine: life, per: row, visit: visit}}
      began: {state: {machine: life, per: row, visit: visit, give: since}}
      following: {state: {machine: life, per: row, visit: 'visit + 1'}}
      price: {by: state, cases: {creating: 0, in-use: 2, available: 1, deleted: 0}}
      lamp: {state: {machine: light}}
    require: ['visit IS NULL OR visit < 1000']
";

    fn frame(rows: Rows) -> DataFrame {
        let plan = plan(RULESET).unwrap_or_else(|d| panic!("{d:#?}"));
        plan.table("t").unwrap().frame(&rows).unwrap()
    }

    fn whole(frame: &DataFrame, name: &str) -> Vec<Option<i64>> {
        let column = frame.column(name).unwrap().cast(&DataType::Int64).unwrap();
        column.i64().unwrap().iter().collect()
    }

    fn text(frame: &DataFrame, name: &str) -> Vec<Option<String>> {
        let column = frame.column(name).unwrap().cast(&DataType::String).unwrap();
        column.str().unwrap().iter().map(|value| value.map(str::to_owned)).collect()
    }

    #[test]
    fn what_is_given_of_a_visit_fits_together() {
        let frame = frame(Rows::Range(0..2000));
        let [age, since, until] = ["age", "since", "until"].map(|name| whole(&frame, name));
        let [state, next, following] = ["state", "next", "following"].map(|name| text(&frame, name));
        let mut seen = [0; 3];
        for row in 0..2000 {
            let age = age[row].unwrap();
            assert_eq!(state[row].is_none(), age < 0, "row {row}");
            if let Some(state) = &state[row] {
                assert!(since[row].unwrap() <= age, "row {row}");
                assert_eq!(until[row].is_none(), state == "deleted", "row {row}");
                assert!(until[row].is_none_or(|until| age < until), "row {row}");
                assert_eq!(
                    next[row].as_ref(),
                    following[row].as_ref().filter(|_| state != "deleted"),
                    "row {row}"
                );
                seen[["in-use", "available", "deleted"].iter().position(|s| s == state).unwrap_or(0)] += 1;
            }
        }
        assert!(seen.iter().all(|n| *n > 30), "{seen:?}");
        assert_eq!(state, text(&frame, "by_visit"));
        assert_eq!(since, whole(&frame, "began"));
        let lamp = text(&frame, "lamp");
        for pair in lamp.windows(2) {
            let [Some(before), Some(after)] = pair else { panic!("{pair:?}") };
            assert!(
                ["green amber", "amber red", "red green"].contains(&format!("{before} {after}").as_str())
            );
        }
    }

    #[test]
    fn any_rows_can_be_made_alone() {
        let all = frame(Rows::Range(0..2000));
        for list in [vec![1999, 3, 1000, 3], (0..2000).rev().step_by(37).collect::<Vec<_>>(), vec![777]] {
            let part = frame(Rows::from(list.clone()));
            let positions: IdxCa = list.iter().map(|row| Some(*row as IdxSize)).collect();
            assert!(part.equals_missing(&all.take(&positions).unwrap()), "{list:?}");
        }
    }

    #[test]
    fn questions_that_make_no_sense_are_refused() {
        for (state, code) in [
            ("{machine: lift}", "unknown-machine"),
            ("{machine: light, at: 'clock - clock'}", "missing-key"),
            ("{machine: light, visit: 'clock'}", "expression-type"),
            ("{machine: light, visit: 1, at: 2}", "bad-value"),
            ("{machine: light, give: colour}", "bad-value"),
        ] {
            let text =
                RULESET.replace("lamp: {state: {machine: light}}", &format!("lamp: {{state: {state}}}"));
            let problems = plan(&text).err().unwrap_or_else(|| panic!("{state}"));
            assert_eq!(problems[0].code, code, "{state}");
        }
        assert_eq!(column("{state: {machine: light}}", 1).err().unwrap()[0].code, "unknown-machine");
    }
}
