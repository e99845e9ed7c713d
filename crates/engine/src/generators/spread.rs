//! Stamps of an entity in order: the k-th of n, without the others.
//!
//! n independent draws over an interval fall into its two halves by a binomial law, and within each half they are
//! independent draws again. So the place of the k-th smallest is found by going down a binary tree: at each node a binomial
//! number, drawn from the node's own seed, says how many points lie in its left half. A node with few points draws and
//! sorts them. (The same multinomial splitting as in L. Devroye, "Non-Uniform Random Variate Generation", 1986, ch. V.)
//!
//! Points must differ. A node never gets more points than it has stamps: what a half cannot hold goes to the other one.
//! In a leaf, a point on a stamp that is taken moves to the next free one. While stamps are much more than points both are
//! rare; the closer they come, the more evenly points lie, up to every stamp being used once. It always works out.

use std::ops::Range;

use lookalike_core::laws::Binomial;
use lookalike_core::special::normal_quantile;
use lookalike_core::stream::open01;
use lookalike_core::{Law, Seed};

use super::intensity::Intensity;
use crate::entity::Place;

/// Up to this many points are drawn and sorted together.
const LEAF: u64 = 64;

/// Below this depth nodes are halved by weight, further down by stamps, so that even absurd weights end.
const BY_WEIGHT: u32 = 64;

#[derive(Clone, Debug, PartialEq)]
struct Node {
    seed: Seed,
    depth: u32,
    /// The ordinals of its points.
    points: Range<u64>,
    /// The positions on which they lie; at least as many.
    within: Range<u64>,
}

/// Finds points, and remembers the way to the last one: neighbours of one entity share most of it.
pub(super) struct Spread<'a> {
    intensity: &'a Intensity,
    seed: Seed,
    path: Vec<Node>,
    /// The leaf that is drawn, with the positions of its points.
    leaf: Option<(Node, Vec<u64>)>,
}

impl<'a> Spread<'a> {
    /// Points by this intensity. Each entity has a seed of its own under `seed`.
    pub(super) fn new(intensity: &'a Intensity, seed: Seed) -> Spread<'a> {
        Spread { intensity, seed, path: Vec::new(), leaf: None }
    }

    /// The position of a place's point among the entity's, all of which lie `within` these positions. `None` if there are
    /// more points than positions.
    pub(super) fn position(&mut self, place: Place, within: Range<u64>) -> Option<u64> {
        let Place { entity, ordinal, count } = place;
        if ordinal >= count || count > within.end.saturating_sub(within.start) {
            return None;
        }
        let root = Node { seed: self.seed.derive_index(entity), depth: 0, points: 0..count, within };
        if self.path.first() != Some(&root) {
            self.path.clear();
            self.path.push(root);
        }
        while self.path.last().is_some_and(|node| !node.points.contains(&ordinal)) {
            self.path.pop();
        }
        loop {
            let node = self.path.last()?;
            let (points, stamps) = (node.points.end - node.points.start, node.within.end - node.within.start);
            if points == stamps {
                return Some(node.within.start + (ordinal - node.points.start));
            }
            if points <= LEAF {
                let at = (ordinal - node.points.start) as usize;
                if self.leaf.as_ref().is_none_or(|(drawn, _)| drawn != node) {
                    self.leaf = Some((node.clone(), draw(self.intensity, node)));
                }
                return self.leaf.as_ref().map(|(_, positions)| positions[at]);
            }
            let [left, right] = split(self.intensity, node);
            self.path.push(if left.points.contains(&ordinal) { left } else { right });
        }
    }
}

/// The two halves of a node with at least two points and more stamps than points.
fn split(intensity: &Intensity, node: &Node) -> [Node; 2] {
    let Node { seed, depth, points, within } = node;
    // Two points at least, so there is a part.
    let (middle, share) = intensity.part(within.clone()).map_or((within.start, 0.5), |part| {
        let middle = if *depth < BY_WEIGHT {
            intensity.at_share(&part, 0.5)
        } else {
            within.start + (within.end - within.start) / 2
        };
        let middle = middle.clamp(within.start + 1, within.end - 1);
        let share = (intensity.weight_before(middle) - part.low) / (part.high - part.low);
        // Weights that are nothing beside those before them are lost in the sum.
        (middle, if share.is_finite() { share.clamp(0.0, 1.0) } else { 0.5 })
    });
    let count = points.end - points.start;
    let left = binomial(count, share, seed.stream().word(0, 0));
    let room = (middle - within.start, within.end - middle);
    let left = left.clamp(count.saturating_sub(room.1), count.min(room.0));
    let half = |index: u64, points: Range<u64>, within: Range<u64>| Node {
        seed: seed.derive_index(index),
        depth: depth + 1,
        points,
        within,
    };
    let border = points.start + left;
    [half(0, points.start..border, within.start..middle), half(1, border..points.end, middle..within.end)]
}

/// How many of n independent points fall into a part that each hits with probability `p`.
fn binomial(n: u64, p: f64, word: u64) -> u64 {
    // Up to here the law's table is small enough to be made for one number.
    const TABLE: f64 = 2500.0;
    let (u, variance) = (open01(word), n as f64 * p * (1.0 - p));
    if variance <= TABLE {
        // n is at most 1e15 in every table that can be made; beyond, next to no point falls into one of the parts.
        return Binomial::new(n, p).map_or(if p < 0.5 { 0 } else { n }, |law| law.quantile(u) as u64);
    }
    // Cornish and Fisher's expansion up to the skewness. Within four standard deviations its next terms are less than a
    // tenth of a point.
    let z = normal_quantile(u);
    let value = n as f64 * p + variance.sqrt() * z + (1.0 - 2.0 * p) * (z * z - 1.0) / 6.0;
    (value.round().max(0.0) as u64).min(n)
}

/// The positions of a leaf's points, rising strictly.
fn draw(intensity: &Intensity, node: &Node) -> Vec<u64> {
    let Range { start, end } = node.within;
    let stream = node.seed.stream();
    let count = node.points.end - node.points.start;
    let Some(part) = intensity.part(start..end) else { return Vec::new() };
    let mut positions: Vec<u64> =
        (0..count).map(|at| intensity.at_share(&part, open01(stream.word(at, 0)))).collect();
    positions.sort_unstable();
    let mut free = start;
    for position in &mut positions {
        *position = (*position).max(free);
        free = *position + 1;
    }
    // Those that were moved beyond the end come back.
    let mut free = end;
    for position in positions.iter_mut().rev() {
        *position = (*position).min(free - 1);
        free = *position;
    }
    positions
}

#[cfg(test)]
mod tests {
    use lookalike_core::special::beta_i;
    use lookalike_core::testing::{ks_p_value, ks_statistic};

    use super::super::intensity::Shape;
    use super::super::zone::Zone;
    use super::*;

    fn even(stamps: i64) -> Intensity {
        let shape = Shape { hours: None, weekdays: None, months: None, holidays: None, rate: 0.0 };
        Intensity::new(0, stamps, 1, &Zone::utc(), &shape).unwrap()
    }

    fn place(entity: u64, ordinal: u64, count: u64) -> Place {
        Place { entity, ordinal, count }
    }

    /// Order statistics of uniform numbers follow beta laws: the k-th of n, from 1, Beta(k, n - k + 1). Four tests, each
    /// with a false alarm in a million: of a leaf, and of two, three and nine levels above it.
    #[test]
    fn order_statistics_follow_their_law() {
        const STAMPS: u64 = 1_000_000_000;
        let intensity = even(STAMPS as i64);
        for (ordinal, count, entities) in
            [(1, 3, 20_000), (29, 100, 2000), (250, 300, 1000), (7000, 20_000, 300)]
        {
            let mut spread = Spread::new(&intensity, Seed::new(count));
            let sample: Vec<f64> = (0..entities)
                .map(|entity| spread.position(place(entity, ordinal, count), 0..STAMPS).unwrap())
                .map(|position| (position as f64 + 0.5) / STAMPS as f64)
                .collect();
            let (a, b) = ((ordinal + 1) as f64, (count - ordinal) as f64);
            let distance = ks_statistic(sample, |x| beta_i(a, b, x));
            assert!(ks_p_value(distance, entities as f64) > 1e-6, "{ordinal} of {count}: {distance}");
        }
    }

    #[test]
    fn points_rise_however_dense_they_are() {
        for (count, stamps) in [
            (1, 1),
            (64, 64),
            (63, 64),
            (60, 64),
            (1000, 1000),
            (999, 1000),
            (900, 1000),
            (500, 1000),
            (5000, 5001),
        ] {
            let intensity = even(stamps + 10);
            let mut spread = Spread::new(&intensity, Seed::new(5));
            let within = 7..7 + stamps as u64;
            let points: Vec<u64> =
                (0..count).map(|at| spread.position(place(3, at, count), within.clone()).unwrap()).collect();
            assert!(points.is_sorted_by(|a, b| a < b), "{count} of {stamps}");
            assert!(points.iter().all(|point| within.contains(point)), "{count} of {stamps}");
            // In any order, and with another entity between.
            for at in (0..count).rev().step_by(7) {
                spread.position(place(4, at, count), within.clone());
                assert_eq!(spread.position(place(3, at, count), within.clone()), Some(points[at as usize]));
            }
        }
    }

    #[test]
    fn what_does_not_fit_has_no_position() {
        let intensity = even(10);
        let mut spread = Spread::new(&intensity, Seed::new(5));
        assert_eq!(spread.position(place(0, 0, 11), 0..10), None);
        assert_eq!(spread.position(place(0, 3, 3), 0..10), None);
        #[expect(clippy::reversed_empty_ranges)]
        let backwards = 7..3;
        assert_eq!(spread.position(place(0, 0, 1), backwards), None);
    }

    #[test]
    fn billions_of_points_are_no_matter() {
        let intensity = even(i64::MAX / 100);
        let mut spread = Spread::new(&intensity, Seed::new(5));
        let count = 9_000_000_000_000;
        let len = intensity.len();
        let points: Vec<u64> =
            (0..50).map(|at| spread.position(place(0, count / 50 * at, count), 0..len).unwrap()).collect();
        assert!(points.is_sorted_by(|a, b| a < b));
    }
}
