//! Markov chains whose state at any step can be had alone.
//!
//! Step v takes a chain from state s to a state that depends on draw s of row v of the chain's stream. So every step is a
//! random map of all states, whether or not the chain is in them, and the maps of far steps can be put together without what
//! came before: started from all states that are possible at some step, chains move on together and meet, mostly soon; once
//! they are one, so is the state, whatever the past was. This is coupling from the past (J. G. Propp and D. B. Wilson, "Exact
//! sampling with coupled Markov chains and applications to statistical mechanics", 1996), here to find a given path again and
//! not to make a new one: the result is exactly the state that walking from the beginning leads to.
//!
//! Chains whose step depends on the state alone, such as the phases of a traffic light, never meet. But then few states are
//! possible: which ones can be reached in exactly n steps follows from powers of the graph of transitions. And where the
//! distant past counts (a chain that can end in one of two ways), walking from the beginning settles the matter soon. Both
//! are tried with twice the length until one succeeds.

use lookalike_core::Stream;

use crate::pick::Pick;

/// How many states a chain may have.
pub const MAX_STATES: usize = 256;

/// A Markov chain over the states `0..n`.
#[derive(Clone, Debug)]
pub struct Chain {
    start: Follow,
    /// The states in which it can start.
    starts: States,
    /// What follows each state; `None` for a state that is never left.
    next: Vec<Option<Follow>>,
    /// For i in 0..63 and each state, the states that it can lead to in exactly 2^i steps.
    reach: Vec<Vec<States>>,
}

/// States with weights, one of which is picked.
#[derive(Clone, Debug)]
struct Follow {
    states: Vec<u32>,
    pick: Pick,
}

/// A set of states.
type States = [u64; MAX_STATES / 64];

/// A place on a chain's path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct At {
    /// Number of the step, from 0.
    pub step: u64,
    /// The state there.
    pub state: u32,
}

/// The length of the first stretch that is tried; shorter ones are walked.
const SHORTEST: u64 = 32;

impl Follow {
    fn new(weights: &[(u32, f64)]) -> Follow {
        Follow {
            states: weights.iter().map(|(state, _)| *state).collect(),
            pick: Pick::new(&weights.iter().map(|(_, weight)| *weight).collect::<Vec<_>>()),
        }
    }

    fn pick(&self, word: u64) -> u32 {
        self.states[self.pick.pick(word) as usize]
    }
}

fn members(set: &States) -> impl Iterator<Item = u32> {
    (0..MAX_STATES as u32).filter(|state| contains(set, *state))
}

fn contains(set: &States, state: u32) -> bool {
    set[state as usize / 64] >> (state % 64) & 1 == 1
}

fn insert(set: &mut States, state: u32) {
    set[state as usize / 64] |= 1 << (state % 64);
}

/// The union of the rows of a relation at the members of a set.
fn image(set: &States, relation: &[States]) -> States {
    let mut all = [0; MAX_STATES / 64];
    for (_, row) in relation.iter().enumerate().filter(|(state, _)| contains(set, *state as u32)) {
        all.iter_mut().zip(row).for_each(|(all, row)| *all |= row);
    }
    all
}

impl Chain {
    /// A chain that starts in one of `start` and goes on from state i to one of `next[i]`, by weight; a state without
    /// followers is never left. The weights of each list must be finite, not negative and not all 0.
    ///
    /// # Panics
    /// When there are more than [`MAX_STATES`] states.
    pub fn new(start: &[(u32, f64)], next: &[Vec<(u32, f64)>]) -> Chain {
        assert!(next.len() <= MAX_STATES, "{} states", next.len());
        let possible = |weights: &[(u32, f64)]| {
            let mut set = [0; MAX_STATES / 64];
            weights
                .iter()
                .filter(|(_, weight)| *weight > 0.0)
                .for_each(|(state, _)| insert(&mut set, *state));
            set
        };
        let stays = |state| [(state, 1.0)];
        let once: Vec<States> = (next.iter().zip(0..))
            .map(|(follow, state)| if follow.is_empty() { possible(&stays(state)) } else { possible(follow) })
            .collect();
        let twice = |relation: &Vec<States>| Some(relation.iter().map(|row| image(row, relation)).collect());
        Chain {
            start: Follow::new(start),
            starts: possible(start),
            next: next.iter().map(|follow| (!follow.is_empty()).then(|| Follow::new(follow))).collect(),
            reach: std::iter::successors(Some(once), twice).take(63).collect(),
        }
    }

    /// Whether a state is never left.
    pub fn is_final(&self, state: u32) -> bool {
        self.next[state as usize].is_none()
    }

    /// Whether any state is never left.
    pub fn has_final(&self) -> bool {
        self.next.iter().any(Option::is_none)
    }

    /// For each state, whether it can occur at all.
    pub fn reachable(&self) -> Vec<bool> {
        let mut seen = vec![false; self.next.len()];
        let mut open: Vec<u32> = members(&self.starts).collect();
        while let Some(state) = open.pop() {
            if !std::mem::replace(&mut seen[state as usize], true) {
                open.extend(members(&self.reach[0][state as usize]));
            }
        }
        seen
    }

    /// Where the path of a stream begins.
    pub fn start(&self, stream: Stream) -> At {
        At { step: 0, state: self.start.pick(stream.word(0, 0)) }
    }

    /// The state at a step, from that at the step before; a state that is never left stays.
    pub fn follow(&self, stream: Stream, step: u64, state: u32) -> u32 {
        match &self.next[state as usize] {
            Some(follow) => follow.pick(stream.word(step, state)),
            None => state,
        }
    }

    /// The place at a step, on the path that leads through `from`, which must not lie behind it.
    ///
    /// Costs at most as many draws as there are steps between, and for most chains a number that does not grow with them.
    pub fn at(&self, stream: Stream, from: At, step: u64) -> At {
        let mut here = from;
        let mut span = SHORTEST;
        loop {
            let whole = step - here.step <= 2 * span;
            let target = if whole { step } else { here.step + span };
            while here.step < target && !self.is_final(here.state) {
                here.step += 1;
                here.state = self.follow(stream, here.step, here.state);
            }
            if whole || self.is_final(here.state) {
                return At { step, state: here.state };
            }
            let begin = step - span;
            let mut states = self.possible(here.state, begin - here.step);
            for at in begin + 1..=step {
                states.iter_mut().for_each(|state| *state = self.follow(stream, at, *state));
                states.sort_unstable();
                states.dedup();
            }
            if let [state] = states[..] {
                return At { step, state };
            }
            span *= 2;
        }
    }

    /// The first step at which the state is one that is never left, if it comes no later than `step`.
    pub fn end(&self, stream: Stream, from: At, step: u64) -> Option<u64> {
        if !self.is_final(self.at(stream, from, step).state) {
            return None;
        }
        let (mut before, mut end) = (from, step);
        while before.step < end {
            let middle = self.at(stream, before, before.step + (end - before.step) / 2);
            if self.is_final(middle.state) {
                end = middle.step;
            } else {
                before = self.at(stream, middle, middle.step + 1);
            }
        }
        Some(end)
    }

    /// The states that can be reached from one in exactly so many steps.
    fn possible(&self, state: u32, steps: u64) -> Vec<u32> {
        let mut set = [0; MAX_STATES / 64];
        insert(&mut set, state);
        for (_, relation) in self.reach.iter().enumerate().filter(|(i, _)| steps >> i & 1 == 1) {
            set = image(&set, relation);
        }
        members(&set).collect()
    }
}

#[cfg(test)]
mod tests {
    use lookalike_core::Seed;
    use lookalike_core::testing::chi_squared_p_value;

    use super::*;

    fn stream(index: u64) -> Stream {
        Seed::new(11).derive_index(index).stream()
    }

    /// Chains of every nature: mixing, slow, periodic, periodic with a choice, with one end and with two, with closed parts.
    fn chains() -> Vec<Chain> {
        let even = |states: &[u32]| states.iter().map(|state| (*state, 1.0)).collect::<Vec<_>>();
        vec![
            Chain::new(
                &[(0, 1.0)],
                &[vec![(0, 0.2), (1, 0.8)], vec![(0, 0.5), (2, 0.5)], vec![(0, 1.0), (1, 0.0)]],
            ),
            Chain::new(&[(0, 1.0)], &[vec![(0, 0.999), (1, 0.001)], vec![(1, 0.998), (0, 0.002)]]),
            Chain::new(&even(&[0, 1, 2]), &[even(&[1]), even(&[2]), even(&[0])]),
            Chain::new(&even(&[0]), &[even(&[1, 2]), even(&[3]), even(&[3]), even(&[0])]),
            Chain::new(&even(&[0]), &[vec![(1, 0.9), (2, 0.1)], vec![(0, 0.99), (2, 0.01)], vec![]]),
            Chain::new(&even(&[0]), &[vec![(0, 0.99), (1, 0.005), (2, 0.005)], vec![], vec![]]),
            Chain::new(
                &even(&[0]),
                &[even(&[0, 1, 3]), even(&[2]), even(&[1]), even(&[3, 4]), even(&[3, 4])],
            ),
        ]
    }

    #[test]
    fn a_step_is_the_same_however_it_is_reached() {
        for (number, chain) in chains().iter().enumerate() {
            for index in 0..6 {
                let stream = stream(index);
                let start = chain.start(stream);
                let mut states = vec![start.state];
                for step in 1..3000 {
                    states.push(chain.follow(stream, step, states[step as usize - 1]));
                }
                let end = states.iter().position(|state| chain.is_final(*state)).map(|end| end as u64);
                assert_eq!(chain.end(stream, start, 2999), end, "chain {number}, path {index}");
                for step in (0..300).map(|i| i * 787 % 3000) {
                    let at = chain.at(stream, start, step as u64);
                    assert_eq!(at.state, states[step], "chain {number}, path {index}, step {step}");
                    let later = chain.at(stream, at, 2999);
                    assert_eq!(later.state, states[2999], "chain {number}, path {index}, from step {step}");
                }
            }
        }
    }

    #[test]
    fn far_steps_are_within_reach() {
        for chain in chains() {
            let stream = stream(1);
            let far = chain.at(stream, chain.start(stream), u64::MAX / 2);
            assert!(far.step == u64::MAX / 2 && chain.reachable()[far.state as usize]);
        }
    }

    /// The numbers of transitions of each kind on one long path; chi-squared for each state, false alarm 1e-6.
    #[test]
    fn transitions_have_their_shares() {
        let shares = [[0.2, 0.5, 0.3], [0.1, 0.6, 0.3], [0.7, 0.25, 0.05]];
        let next: Vec<Vec<(u32, f64)>> =
            shares.iter().map(|row| (0..).zip(row.iter().copied()).collect()).collect();
        let chain = Chain::new(&[(0, 1.0)], &next);
        let (stream, mut state, mut counts) = (stream(2), 0u32, [[0f64; 3]; 3]);
        for step in 1..100_000 {
            let next = chain.follow(stream, step, state);
            counts[state as usize][next as usize] += 1.0;
            state = next;
        }
        for (row, shares) in counts.iter().zip(shares) {
            let n: f64 = row.iter().sum();
            let statistic = row.iter().zip(shares).map(|(found, p)| (found - n * p).powi(2) / (n * p)).sum();
            assert!(chi_squared_p_value(statistic, 2.0) > 1e-6, "{row:?} for {shares:?}");
        }
    }

    #[test]
    fn what_has_no_weight_is_not_reached() {
        let chain = Chain::new(&[(0, 1.0), (3, 0.0)], &[vec![(1, 1.0), (2, 0.0)], vec![], vec![], vec![]]);
        assert_eq!(chain.reachable(), [true, true, false, false]);
    }
}
