//! State machines: the paths that entities take through states in time.
//!
//! The path of entity number e through the machine `name` depends on the ruleset's seed, the name and e, and on no table or
//! column. So every table that looks at the same machine and entity sees the same path.
//!
//! # Addresses (frozen)
//!
//! With s = seed / "machine" / name, the states of entity e come from the stream of s / "path" / e as in [`crate::chain`];
//! the length of visit v to a state is the value that the state's generator, under the seed s / "dwell" / state, makes for
//! the row ⌊w / 2⌋, where w is draw 2³² - 1 of row v of the same stream. So lengths of visits are independent, whatever kind
//! makes them.

use std::sync::Arc;

use lookalike_core::{Rows, Seed, Stream};
use lookalike_ruleset::decode::{Named, NamedItem};
use lookalike_ruleset::diagnostic::did_you_mean;
use lookalike_ruleset::document::{Document, MachineDecl, Shares};
use lookalike_ruleset::{Diagnostic, Node, Problems, Span, Type};
use polars::prelude::*;

use crate::build::{Builder, Spec};
use crate::chain::{At, Chain, MAX_STATES};
use crate::entity::{Place, for_each};
use crate::generator::{Block, Categories, Demand, Failure, Generator, Kind, Site, World};
use crate::generators::choice::read_weights;
use crate::plan::MAX_ROWS;

/// How many visits of a path are walked for a point in time, before the run gives up.
pub const MAX_VISITS: u64 = 100_000;

/// About how many lengths of visits are made at once.
const AT_ONCE: usize = 16_384;

/// A state machine, ready to be asked.
pub struct Machine {
    name: String,
    states: Arc<Categories>,
    chain: Chain,
    /// For each state that is left again, how long a visit lasts; `None` where a visit is a step.
    dwell: Option<Vec<Option<Dwell>>>,
    paths: Seed,
}

/// How long visits to a state last.
struct Dwell {
    spec: Spec,
    /// Microseconds for a number; `None` where the generator makes lengths of time.
    unit: Option<i64>,
}

/// A visit to a state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Visit {
    /// Number of the visit in its path, from 0.
    pub number: u64,
    /// The state, by its place among the machine's.
    pub state: u32,
    /// When it began: microseconds since the path's beginning, or steps where visits are steps.
    pub since: i64,
    /// When it ends; `None` for a state that is never left.
    pub until: Option<i64>,
}

impl std::fmt::Debug for Machine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Machine").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Machine {
    /// The states, in the order of `transitions` and then of `final`.
    pub fn states(&self) -> &Arc<Categories> {
        &self.states
    }

    /// Whether visits last some time; else each is a step.
    pub fn is_timed(&self) -> bool {
        self.dwell.is_some()
    }

    /// Whether there are states that are never left.
    pub fn has_final(&self) -> bool {
        self.chain.has_final()
    }

    fn path(&self, entity: u64) -> Stream {
        self.paths.derive_index(entity).stream()
    }

    /// The state after a visit; `None` if it is never left.
    pub fn next(&self, entity: u64, visit: &Visit) -> Option<u32> {
        let state = visit.state;
        let follow = || self.chain.follow(self.path(entity), visit.number + 1, state);
        (!self.chain.is_final(state)).then(follow)
    }

    /// For each place, the visit whose number is the place's ordinal, or the last one of a path that ends before. `since` and
    /// `until` count visits.
    pub fn by_number(&self, places: &[Place]) -> Vec<Visit> {
        let mut visits = vec![Visit { number: 0, state: 0, since: 0, until: None }; places.len()];
        for_each(places, |entity, positions| {
            let stream = self.path(entity);
            let mut here = self.chain.start(stream);
            let mut end = None;
            for at in positions.iter().map(|at| *at as usize) {
                let before = here;
                here = self.chain.at(stream, here, places[at].ordinal);
                if end.is_none() && self.chain.is_final(here.state) {
                    end = self.chain.end(stream, before, here.step);
                }
                let number = end.unwrap_or(here.step);
                let until = end.is_none().then_some((number as i64).saturating_add(1));
                visits[at] = Visit { number, state: here.state, since: number as i64, until };
            }
        });
        visits
    }

    /// For each place, the visit at the time that is the place's ordinal, in microseconds since the path's beginning; with
    /// `numbered`, the visit whose number is the ordinal, or the last one of a path that ends before.
    ///
    /// Paths are walked from their beginning, all of a block together.
    ///
    /// # Errors
    /// When a visit would last less than nothing or too long to be told, or a path has [`MAX_VISITS`] visits before then.
    ///
    /// # Panics
    /// When the machine is not [timed](Self::is_timed).
    pub fn by_time(&self, places: &[Place], numbered: bool) -> Result<Vec<Visit>, Failure> {
        struct Walker {
            entity: u64,
            stream: Stream,
            visit: Visit,
            /// Positions of the places that are still ahead, the nearest last.
            ahead: Vec<u32>,
        }
        let mut visits = vec![Visit { number: 0, state: 0, since: 0, until: None }; places.len()];
        let mut walkers = Vec::new();
        for_each(places, |entity, positions| {
            let stream = self.path(entity);
            let At { state, .. } = self.chain.start(stream);
            let ahead = positions.iter().rev().copied().collect();
            let visit = Visit { number: 0, state, since: 0, until: None };
            walkers.push(Walker { entity, stream, visit, ahead });
        });
        // Which states come next does not depend on how long they last, so the lengths of several visits are made at once:
        // more and more, as long paths show themselves to be long.
        let mut stretch = 1;
        while !walkers.is_empty() {
            let each = stretch.min(AT_ONCE / walkers.len()).max(1);
            let mut steps = Vec::new();
            let mut ends = Vec::with_capacity(walkers.len());
            for Walker { stream, visit, .. } in &walkers {
                let mut at = At { step: visit.number, state: visit.state };
                steps.push((*stream, at));
                for _ in 1..each {
                    if self.chain.is_final(at.state) {
                        break;
                    }
                    at.step += 1;
                    at.state = self.chain.follow(*stream, at.step, at.state);
                    steps.push((*stream, at));
                }
                ends.push(steps.len());
            }
            let lengths = self.lengths(&steps)?;
            let mut from = 0;
            for (Walker { entity, stream, visit, ahead }, end) in walkers.iter_mut().zip(ends) {
                for ((_, at), length) in steps[from..end].iter().zip(&lengths[from..end]) {
                    (visit.number, visit.state) = (at.step, at.state);
                    visit.until = match length {
                        None => None,
                        Some(micros) if *micros >= 0 => Some(visit.since.saturating_add(*micros)),
                        Some(_) => return Err(self.no_length(at.state)),
                    };
                    let is_here = |place: &u32| match visit.until {
                        None => true,
                        Some(_) if numbered => places[*place as usize].ordinal == visit.number,
                        Some(until) => (places[*place as usize].ordinal as i64) < until,
                    };
                    while let Some(place) = ahead.last().copied().filter(is_here) {
                        visits[place as usize] = *visit;
                        ahead.pop();
                    }
                    let (false, Some(until)) = (ahead.is_empty(), visit.until) else { break };
                    visit.since = until;
                }
                from = end;
                if !ahead.is_empty() {
                    visit.number += 1;
                    visit.state = self.chain.follow(*stream, visit.number, visit.state);
                }
                if visit.number >= MAX_VISITS {
                    return Err(Failure::new(format!(
                        "machine `{}`: entity {entity} makes {MAX_VISITS} visits before the one asked for; let visits last \
                         longer, or look at earlier ones",
                        self.name
                    )));
                }
            }
            walkers.retain(|walker| !walker.ahead.is_empty());
            stretch *= 2;
        }
        Ok(visits)
    }

    fn no_length(&self, state: u32) -> Failure {
        Failure::new(format!(
            "machine `{}`: a visit to `{}` would last less than nothing or beyond the range of times; bound its `dwell`, for \
             example with `truncate`",
            self.name,
            self.states.values()[state as usize]
        ))
    }

    /// How long visits last, in microseconds: `None` for states that are never left, less than 0 for what is no length. That
    /// matters only to whoever comes there.
    fn lengths(&self, steps: &[(Stream, At)]) -> Result<Vec<Option<i64>>, Failure> {
        let dwell = self.dwell.as_deref().expect("only machines with lengths are asked");
        let mut lengths = vec![None; steps.len()];
        // The visits to each state, so that its generator is asked once for all.
        let mut asked: Vec<(Vec<u64>, Vec<usize>)> = vec![Default::default(); dwell.len()];
        for (at, (stream, visit)) in steps.iter().enumerate() {
            let (rows, positions) = &mut asked[visit.state as usize];
            rows.push(stream.word(visit.step, u32::MAX) >> 1);
            positions.push(at);
        }
        for (dwell, (rows, positions)) in dwell.iter().zip(asked) {
            let (Some(dwell), false) = (dwell, rows.is_empty()) else { continue };
            let rows = Rows::from(rows);
            let series = dwell.spec.fill(&Block::new(&rows, 0, &[]))?;
            let mut put = |values: &mut dyn Iterator<Item = i64>| {
                positions.iter().zip(values).for_each(|(at, micros)| lengths[*at] = Some(micros));
            };
            match dwell.unit {
                None => put(&mut series.to_physical_repr().i64()?.iter().flatten()),
                Some(unit) => {
                    let micros = |value: f64| {
                        let micros = (value * unit as f64).round();
                        if micros < i64::MAX as f64 { micros as i64 } else { -1 }
                    };
                    put(&mut series.cast(&DataType::Float64)?.f64()?.iter().flatten().map(micros));
                }
            }
        }
        Ok(lengths)
    }
}

/// Makes the machines of a ruleset, adding everything that is wrong with them to `problems`; `None` in place of one that has
/// mistakes.
pub fn compile(
    document: &Document,
    kinds: &[&[Kind]],
    world: &World,
    problems: &mut Problems,
) -> Vec<(String, Option<Arc<Machine>>)> {
    let mut machines = Vec::new();
    for NamedItem { name, name_span, value: decl, .. } in &document.machines.0 {
        let mut compiler = Compiler { name, span: *name_span, decl, states: Vec::new(), problems };
        let machine = compiler.compile(kinds, &document.vocabulary, world);
        machines.push((name.clone(), machine.map(Arc::new)));
    }
    machines
}

struct Compiler<'a> {
    name: &'a str,
    span: Span,
    decl: &'a MachineDecl,
    /// Names of the states with their places; those that are never left come last.
    states: Vec<(&'a str, Span)>,
    problems: &'a mut Problems,
}

impl Compiler<'_> {
    fn compile(&mut self, kinds: &[&[Kind]], vocabulary: &Named<Node>, world: &World) -> Option<Machine> {
        self.declare()?;
        let decl = self.decl;
        let start = self.shares(&decl.start, None);
        let next: Vec<Option<Vec<(u32, f64)>>> =
            decl.transitions.0.iter().map(|item| self.shares(&item.value, Some(&item.name))).collect();
        let seed = world.seed.derive("machine").derive(self.name);
        let dwell = self.dwell(kinds, vocabulary, world, seed);
        let (start, mut next) = (start?, next.into_iter().collect::<Option<Vec<_>>>()?);
        next.resize(self.states.len(), Vec::new());
        let chain = Chain::new(&start, &next);
        self.all_reached(&chain)?;
        Some(Machine {
            name: self.name.to_owned(),
            states: Categories::new(self.states.iter().map(|(name, _)| (*name).to_owned()).collect()),
            chain,
            dwell: dwell?,
            paths: seed.derive("path"),
        })
    }

    /// Collects the states: those with transitions, then those that are never left.
    fn declare(&mut self) -> Option<()> {
        let decl = self.decl;
        self.states = decl.transitions.0.iter().map(|item| (item.name.as_str(), item.name_span)).collect();
        let mut valid = true;
        for state in &decl.r#final {
            if let Some((_, first)) = self.states.iter().find(|(name, _)| *name == state.value) {
                self.problems.push(
                    Diagnostic::error(
                        "duplicate-name",
                        state.span,
                        format!("the state `{}` is declared twice", state.value),
                    )
                    .label("the second")
                    .related(*first, "the first")
                    .help("a state has transitions, or is never left and stands under `final`"),
                );
                valid = false;
            } else {
                self.states.push((&state.value, state.span));
            }
        }
        if self.states.is_empty() || self.states.len() > MAX_STATES {
            self.problems.error(
                "bad-value",
                self.span,
                format!("the machine has {} states", self.states.len()),
                format!("declare 1 to {MAX_STATES} states, under `transitions` or `final`"),
            );
            return None;
        }
        valid.then_some(())
    }

    /// The number of a state, or a diagnostic.
    fn state(&mut self, name: &str, span: Span) -> Option<u32> {
        let at = self.states.iter().position(|(state, _)| *state == name);
        if at.is_none() {
            let help = did_you_mean(name, "states", self.states.iter().map(|(state, _)| *state));
            self.problems.push(
                Diagnostic::error("unknown-state", span, format!("the machine has no state `{name}`"))
                    .label("not declared under `transitions` or `final`")
                    .help(help),
            );
        }
        at.map(|at| at as u32)
    }

    /// States with weights, as numbers. `before` is the state that they follow, if any.
    fn shares(&mut self, shares: &Shares, before: Option<&str>) -> Option<Vec<(u32, f64)>> {
        let states: Vec<Option<u32>> =
            shares.entries.iter().map(|entry| self.state(&entry.key, entry.key_span)).collect();
        if shares.entries.is_empty() {
            let (message, help) = match before {
                Some(state) => (
                    format!("nothing follows `{state}`"),
                    format!(
                        "name the states that follow, or list it as one that is never left: `final: [{state}]`"
                    ),
                ),
                None => {
                    ("the machine starts nowhere".to_owned(), "name the state in which it starts".to_owned())
                }
            };
            self.problems.error("bad-weights", shares.span, message, help);
            return None;
        }
        let weights: Vec<&Node> = shares.entries.iter().map(|entry| &entry.value).collect();
        let weights = read_weights(&weights, shares.span, self.problems)?;
        Some(states.into_iter().collect::<Option<Vec<_>>>()?.into_iter().zip(weights).collect())
    }

    /// The generators of lengths of visits, for each state; the outer `None` after a problem, the inner without `dwell`.
    fn dwell(
        &mut self,
        kinds: &[&[Kind]],
        vocabulary: &Named<Node>,
        world: &World,
        seed: Seed,
    ) -> Option<Option<Vec<Option<Dwell>>>> {
        let decl = self.decl;
        let mut valid = true;
        if let Some(unit) = decl.unit.filter(|unit| unit.value.0 <= 0) {
            self.problems.error(
                "bad-value",
                unit.span,
                "the unit must be longer than nothing",
                "write for example `unit: 1h`",
            );
            valid = false;
        }
        if decl.dwell.0.is_empty() {
            return valid.then_some(None);
        }
        let mut dwell: Vec<Option<Dwell>> = (0..self.states.len()).map(|_| None).collect();
        for item in &decl.dwell.0 {
            let Some(state) = self.state(&item.name, item.name_span) else {
                valid = false;
                continue;
            };
            if state as usize >= decl.transitions.0.len() {
                self.problems.push(
                    Diagnostic::error(
                        "bad-value",
                        item.name_span,
                        format!("`{}` is never left, so no visit to it ends", item.name),
                    )
                    .help("remove this line, or give the state transitions"),
                );
                valid = false;
                continue;
            }
            let seed = seed.derive("dwell").derive(&item.name);
            match self.length(item, kinds, vocabulary, world, seed) {
                Some(length) => dwell[state as usize] = Some(length),
                None => valid = false,
            }
        }
        for item in decl.transitions.0.iter().filter(|item| decl.dwell.find(&item.name).is_none()) {
            self.problems.push(
                Diagnostic::error(
                    "missing-key",
                    item.name_span,
                    format!("`dwell` does not say how long `{}` lasts", item.name),
                )
                .help("a machine has a `dwell` for every state that is left again, or for none"),
            );
            valid = false;
        }
        valid.then_some(Some(dwell))
    }

    /// One generator of lengths of visits.
    fn length(
        &mut self,
        item: &NamedItem<Node>,
        kinds: &[&[Kind]],
        vocabulary: &Named<Node>,
        world: &World,
        seed: Seed,
    ) -> Option<Dwell> {
        let mut spec = Builder::new(kinds, vocabulary, self.problems).spec(&item.value)?;
        let mut inputs = Vec::new();
        spec.inputs(&mut inputs);
        for input in &inputs {
            self.problems.push(
                Diagnostic::error(
                    "unknown-column",
                    input.span,
                    format!("a machine has no column `{}`", input.name),
                )
                .help("machines stand outside of tables; a visit's length depends on its state alone"),
            );
        }
        inputs.is_empty().then_some(())?;
        // Rows stand for visits here, and any row may be asked for.
        let output = spec.prepare(&mut Site {
            seed,
            table: seed,
            rows: MAX_ROWS,
            span: item.span,
            demand: Demand::default(),
            world,
            columns: &[],
            scope: &[],
            problems: self.problems,
        })?;
        let unit = match output.ty {
            Type::Duration => None,
            ty if ty.is_number() => {
                let Some(unit) = self.decl.unit else {
                    self.problems.push(
                        Diagnostic::error("missing-key", item.span, "these numbers have no unit")
                            .label(format!("makes {ty}"))
                            .help("say beside `dwell` what they count, for example `unit: 1h`"),
                    );
                    return None;
                };
                Some(unit.value.0)
            }
            ty => {
                self.problems.push(
                    Diagnostic::error("wrong-type", item.span, format!("a visit cannot last {ty}"))
                        .label("expected a generator of lengths of time or of numbers"),
                );
                return None;
            }
        };
        if output.nullable {
            self.problems.push(
                Diagnostic::error("wrong-type", item.span, "the length of a visit can be null")
                    .help("remove `null` and `only_if`; a state that is never left stands under `final`"),
            );
            return None;
        }
        Some(Dwell { spec, unit })
    }

    fn all_reached(&mut self, chain: &Chain) -> Option<()> {
        let mut all = true;
        for ((name, span), reached) in self.states.iter().zip(chain.reachable()) {
            if !reached {
                self.problems.push(
                    Diagnostic::error(
                        "unreachable-state",
                        *span,
                        format!("no path leads to the state `{name}`"),
                    )
                    .label("never reached")
                    .help("let a state that is reached lead here, begin here, or remove it"),
                );
                all = false;
            }
        }
        all.then_some(())
    }
}

#[cfg(test)]
mod tests {
    use lookalike_core::law::Law;
    use lookalike_core::laws::Exponential;
    use lookalike_core::testing::{chi_squared_p_value, ks_p_value, ks_statistic};
    use lookalike_ruleset::Sources;
    use lookalike_ruleset::document::{NoFiles, load};
    use lookalike_ruleset::read::Format;

    use super::*;

    const HOUR: f64 = 3_600e6;

    fn machine(yaml: &str) -> Result<Arc<Machine>, Vec<Diagnostic>> {
        let text = format!("lookalike: 1\nmachines:\n  m: {yaml}\ntables: {{t: {{columns: {{c: 1}}}}}}\n");
        let (mut sources, mut problems) = (Sources::new(), Problems::new());
        let file = sources.add("<text>", text);
        let loaded = load(&mut sources, file, Format::Yaml, &NoFiles, &[], &mut problems);
        let found = loaded.and_then(|loaded| {
            compile(&loaded.document, &[crate::KINDS], &World::new(Seed::new(1)), &mut problems).pop()?.1
        });
        found.ok_or_else(|| problems.into_sorted())
    }

    fn job() -> Arc<Machine> {
        machine(
            "{start: {idle: 75%, busy: 25%}, transitions: {idle: busy, busy: {idle: 70%, busy: 20%, dead: 10%}}, final: [dead], \
             unit: 1h, dwell: {idle: {exponential: {mean: 5}}, busy: {duration_range: {from: 0s, to: 2h, step: 1us}}}}",
        )
        .unwrap_or_else(|d| panic!("{d:#?}"))
    }

    fn places(goals: impl IntoIterator<Item = (u64, u64)>) -> Vec<Place> {
        goals.into_iter().map(|(entity, ordinal)| Place { entity, ordinal, count: 0 }).collect()
    }

    /// Lengths of visits by Kolmogorov-Smirnov, first states and transitions by chi-squared; false alarm 1e-6 each.
    #[test]
    fn visits_follow_their_laws() {
        let machine = job();
        let n = 20_000;
        let first = machine.by_time(&places((0..n).map(|entity| (entity, 0))), true).unwrap();
        let second = machine.by_time(&places((0..n).map(|entity| (entity, 1))), true).unwrap();
        let idle = first.iter().filter(|visit| visit.state == 0).count() as f64;
        let expected = 0.75 * n as f64;
        let statistic = (idle - expected).powi(2) / expected * 4.0;
        assert!(chi_squared_p_value(statistic, 1.0) > 1e-6, "{idle} of {n} start idle");
        let length = |visit: &Visit| (visit.until.unwrap() - visit.since) as f64 / HOUR;
        let lengths: Vec<f64> = first.iter().filter(|visit| visit.state == 0).map(length).collect();
        let law = Exponential::new(5.0).unwrap();
        assert!(ks_p_value(ks_statistic(lengths, |x| law.cdf(x)), idle) > 1e-6);
        let lengths: Vec<f64> = second.iter().filter(|visit| visit.state == 1).map(length).collect();
        let count = lengths.len() as f64;
        assert!(ks_p_value(ks_statistic(lengths, |x| (x / 2.0).clamp(0.0, 1.0)), count) > 1e-6);
        let mut after_busy = [0.0; 3];
        for (first, second) in first.iter().zip(&second).filter(|(first, _)| first.state == 1) {
            after_busy[second.state as usize] += 1.0;
            assert_eq!(first.until, Some(second.since));
        }
        let n: f64 = after_busy.iter().sum();
        let statistic =
            after_busy.iter().zip([0.7, 0.2, 0.1]).map(|(k, p)| (k - n * p).powi(2) / (n * p)).sum();
        assert!(chi_squared_p_value(statistic, 2.0) > 1e-6, "{after_busy:?}");
    }

    /// A parent's look at its own path, one row an entity, and the looks of children at several times are the same.
    #[test]
    fn everyone_sees_the_same_path() {
        let machine = job();
        let goals: Vec<(u64, u64)> =
            (0..300).flat_map(|e| (0..9).map(move |k| (e * 7 % 300, k * 5 * HOUR as u64))).collect();
        let together = machine.by_time(&places(goals.clone()), false).unwrap();
        let mut backwards = machine.by_time(&places(goals.iter().rev().copied()), false).unwrap();
        backwards.reverse();
        assert_eq!(together, backwards);
        for (at, goal) in goals.iter().enumerate().step_by(7) {
            let alone = machine.by_time(&places([*goal]), false).unwrap()[0];
            assert_eq!(together[at], alone);
            let numbered = places([(goal.0, alone.number)]);
            assert_eq!(machine.by_time(&numbered, true).unwrap()[0], alone);
            assert_eq!(machine.by_number(&numbered)[0].state, alone.state);
            let next = machine.by_number(&places([(goal.0, alone.number + 1)]))[0];
            assert_eq!(machine.next(goal.0, &alone).unwrap_or(2), next.state);
        }
    }

    #[test]
    fn a_long_path_is_the_same_in_stretches_and_at_once() {
        let machine = machine(
            "{start: a, transitions: {a: {a: 50%, b: 50%}, b: a}, unit: 1s, dwell: {a: {exponential: {mean: 3}}, b: {uniform: [0, 2]}}}",
        )
        .unwrap();
        let all = machine.by_time(&places((0..3000).map(|number| (8, number))), true).unwrap();
        for (number, visit) in all.iter().enumerate() {
            assert_eq!(visit.number, number as u64);
            assert_eq!(visit.until, all.get(number + 1).map_or(visit.until, |next| Some(next.since)));
        }
        for number in [0, 1, 2, 500, 2999] {
            let others = (0..40).map(|entity| (entity, number));
            assert_eq!(machine.by_time(&places(others), true).unwrap()[8], all[number as usize]);
            let begins = places([(8, all[number as usize].since as u64)]);
            assert_eq!(machine.by_time(&begins, false).unwrap()[0], all[number as usize]);
        }
    }

    #[test]
    fn a_path_rests_in_its_final_state() {
        let machine = job();
        let late = machine.by_time(&places((0..100).map(|e| (e, 10_000 * HOUR as u64))), false).unwrap();
        let last = machine.by_number(&places((0..100).map(|e| (e, 1 << 40))));
        for (late, last) in late.iter().zip(&last) {
            assert_eq!((late.state, late.until, last.until), (2, None, None));
            assert_eq!(late.number, last.number);
        }
    }

    #[test]
    fn endless_and_negative_visits_are_refused() {
        for (dwell, words) in
            [("{constant: 0}", "makes 100000 visits"), ("{constant: -1}", "less than nothing")]
        {
            let machine =
                machine(&format!("{{start: a, transitions: {{a: a}}, unit: 1s, dwell: {{a: {dwell}}}}}"));
            let error = machine.unwrap().by_time(&places([(0, 5)]), false).err().unwrap();
            assert!(error.message.contains(words), "{error}");
        }
    }
}
