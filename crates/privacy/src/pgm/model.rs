//! A graphical model on its junction tree, and the marginals that it answers.

use super::TINY;
use super::domain::{Clique, Domain};
use super::junction::JunctionTree;

/// A distribution over a domain, as expected counts of the cells of each clique of a junction tree. Cliques agree on the
/// columns that they share.
#[derive(Clone, Debug)]
pub struct Model {
    domain: Domain,
    tree: JunctionTree,
    total: f64,
    /// For each clique, the expected counts of its cells.
    beliefs: Vec<Vec<f64>>,
}

/// log Σ exp over the cells that fall together.
fn log_sum(tree_cells: &[f64], projection: &super::Projection) -> Vec<f64> {
    let mut most = vec![f64::NEG_INFINITY; projection.len()];
    projection.fold(tree_cells, &mut most, |most, cell| *most = most.max(cell));
    // A cell of nothing but impossible ones stays impossible, rather than becoming ∞ - ∞.
    let shift: Vec<f64> = most.iter().map(|most| if most.is_finite() { *most } else { 0.0 }).collect();
    let mut shifted = tree_cells.to_vec();
    projection.zip(&mut shifted, &shift, |cell, shift| *cell = (*cell - shift).exp());
    projection.summed(&shifted).iter().zip(&shift).map(|(sum, shift)| sum.ln() + shift).collect()
}

impl Model {
    /// The distribution p ~ exp(Σ potentials), by two passes of messages in log space: inwards
    /// m(S) = log Σ exp(potential + messages from further out), and outwards the rest of the belief
    /// (P. P. Shenoy and G. Shafer, "Axioms for probability and belief-function propagation", UAI 1990).
    ///
    /// `potentials` has a table for each clique of the tree; -∞ makes a cell impossible.
    pub fn calibrate(domain: Domain, tree: JunctionTree, total: f64, mut potentials: Vec<Vec<f64>>) -> Model {
        let mut inwards: Vec<Vec<f64>> = vec![Vec::new(); tree.cliques().len()];
        for clique in tree.order().iter().rev() {
            if let Some((parent, shared)) = tree.parent(*clique) {
                let message =
                    log_sum(&potentials[*clique], &domain.projection(&tree.cliques()[*clique], shared));
                let down = domain.projection(&tree.cliques()[parent], shared);
                down.zip(&mut potentials[parent], &message, |cell, value| *cell += value);
                inwards[*clique] = message;
            }
        }
        for clique in tree.order() {
            match tree.parent(*clique) {
                None => {
                    let all = domain.projection(&tree.cliques()[*clique], &[]);
                    let norm = total.ln() - log_sum(&potentials[*clique], &all)[0];
                    potentials[*clique].iter_mut().for_each(|cell| *cell += norm);
                }
                Some((parent, shared)) => {
                    // The parent's belief over what it was told by this clique.
                    let up = domain.projection(&tree.cliques()[parent], shared);
                    let mut outwards = log_sum(&potentials[parent], &up);
                    for (value, told) in outwards.iter_mut().zip(&inwards[*clique]) {
                        *value = if *told == f64::NEG_INFINITY { f64::NEG_INFINITY } else { *value - told };
                    }
                    let down = domain.projection(&tree.cliques()[*clique], shared);
                    down.zip(&mut potentials[*clique], &outwards, |cell, value| *cell += value);
                }
            }
        }
        potentials.iter_mut().flatten().for_each(|cell| *cell = cell.exp());
        Model { domain, tree, total, beliefs: potentials }
    }

    /// A model from its parts: expected counts of cells that agree where cliques overlap.
    pub(super) fn new(domain: Domain, tree: JunctionTree, total: f64, beliefs: Vec<Vec<f64>>) -> Model {
        Model { domain, tree, total, beliefs }
    }

    /// The domain.
    pub fn domain(&self) -> &Domain {
        &self.domain
    }

    /// The tree.
    pub fn tree(&self) -> &JunctionTree {
        &self.tree
    }

    /// The sum of all expected counts.
    pub fn total(&self) -> f64 {
        self.total
    }

    /// The expected counts of a clique's cells.
    pub(super) fn belief(&self, clique: usize) -> &[f64] {
        &self.beliefs[clique]
    }

    /// Expected counts of the cells of any set of columns, in ascending order. What no clique holds is found by variable
    /// elimination over the part of the tree between its columns.
    pub fn marginal(&self, set: &[usize]) -> Vec<f64> {
        if let Some(clique) = self.tree.holding(&self.domain, set) {
            return self.domain.projection(&self.tree.cliques()[clique], set).summed(&self.beliefs[clique]);
        }
        let part = self.part_between(set);
        // Parents before children: the first is the part's root. Messages go from children to parents.
        let mut messages: Vec<Vec<Factor>> = vec![Vec::new(); self.tree.cliques().len()];
        for (at, clique) in part.iter().enumerate().rev() {
            let parent = self.tree.parent(*clique).filter(|_| at > 0);
            let shared: &[usize] = parent.map_or(&[], |(_, shared)| shared.as_slice());
            let told = std::mem::take(&mut messages[*clique]);
            let mut keep: Clique = shared.to_vec();
            keep.extend(set.iter().filter(|column| self.tree.cliques()[*clique].contains(column)));
            keep.extend(told.iter().flat_map(|message| &message.set));
            keep.sort_unstable();
            keep.dedup();
            let mut kept = keep.clone();
            kept.retain(|column| self.tree.cliques()[*clique].contains(column));
            let mut factor = Factor {
                values: self
                    .domain
                    .projection(&self.tree.cliques()[*clique], &kept)
                    .summed(&self.beliefs[*clique]),
                set: kept,
            };
            if parent.is_some() {
                let within = self.domain.projection(&factor.set, shared);
                let sums = within.summed(&factor.values);
                // The belief given what is shared with the parent.
                within.zip(&mut factor.values, &sums, |cell, sum| {
                    if sum > 0.0 {
                        *cell /= sum
                    }
                });
            }
            // The smallest messages first, so that products stay small as long as possible.
            let mut told = told;
            told.sort_by_key(|message| message.values.len());
            let count = told.len();
            for (number, message) in told.iter().enumerate() {
                let needed = |column: &usize| {
                    set.contains(column)
                        || shared.contains(column)
                        || told[number + 1..count].iter().any(|later| later.set.contains(column))
                };
                factor = factor.times(message, needed, &self.domain);
            }
            match parent {
                Some((parent, _)) => messages[parent].push(factor),
                None => return self.domain.projection(&factor.set, set).summed(&factor.values),
            }
        }
        unreachable!("a part has a root")
    }

    /// The cliques of the smallest subtree that has all of a set's columns, parents first.
    fn part_between(&self, set: &[usize]) -> Vec<usize> {
        let mut part: Vec<usize> = self.tree.order().to_vec();
        loop {
            // A leaf goes if what it has of the set is also in its neighbour.
            let leaf = part.iter().position(|clique| {
                let mut links: Vec<&Clique> = Vec::new();
                if let Some((parent, shared)) = self.tree.parent(*clique)
                    && part.contains(&parent)
                {
                    links.push(shared);
                }
                links.extend(part.iter().filter_map(|other| {
                    self.tree.parent(*other).filter(|(parent, _)| parent == clique).map(|(_, shared)| shared)
                }));
                let of_set = |column: &usize| set.contains(column);
                links.len() == 1
                    && self.tree.cliques()[*clique].iter().filter(|c| of_set(c)).all(|c| links[0].contains(c))
            });
            match leaf {
                Some(at) => part.remove(at),
                None => return part,
            };
        }
    }
}

/// A table over a set of columns.
#[derive(Clone, Debug)]
struct Factor {
    set: Clique,
    values: Vec<f64>,
}

impl Factor {
    /// The product with another factor, summed over the columns that are not `needed`. The product itself is never held.
    fn times(&self, other: &Factor, needed: impl Fn(&usize) -> bool, domain: &Domain) -> Factor {
        let mut union: Clique = self.set.iter().chain(&other.set).copied().collect();
        union.sort_unstable();
        union.dedup();
        let set: Clique = union.iter().copied().filter(|column| needed(column)).collect();
        // A column that only the other factor has goes last: then the innermost loop adds a multiple of one row to another.
        let last = union.iter().rposition(|column| needed(column) && !self.set.contains(column));
        if let Some(last) = last {
            let column = union.remove(last);
            union.push(column);
        }
        let strides = |of: &[usize]| -> Vec<usize> {
            union
                .iter()
                .map(|column| match of.iter().position(|at| at == column) {
                    Some(at) => of[at + 1..].iter().map(|later| domain.sizes()[*later]).product(),
                    None => 0,
                })
                .collect()
        };
        let (mine, theirs, out) = (strides(&self.set), strides(&other.set), strides(&set));
        let sizes: Vec<usize> = union.iter().map(|column| domain.sizes()[*column]).collect();
        let mut values = vec![0.0; domain.len_of(&set)];
        let Some(inner) = sizes.len().checked_sub(1) else {
            return Factor { set, values: vec![self.values[0] * other.values[0]] };
        };
        let mut digits = vec![0usize; inner];
        let (mut a, mut b, mut o) = (0, 0, 0);
        let runs: usize = sizes[..inner].iter().product();
        for _ in 0..runs {
            if mine[inner] == 0 && theirs[inner] == 1 && out[inner] == 1 {
                let factor = self.values[a];
                if factor != 0.0 {
                    let size = sizes[inner];
                    let row = &other.values[b..b + size];
                    values[o..o + size].iter_mut().zip(row).for_each(|(sum, value)| *sum += factor * value);
                }
            } else {
                for at in 0..sizes[inner] {
                    values[o + at * out[inner]] +=
                        self.values[a + at * mine[inner]] * other.values[b + at * theirs[inner]];
                }
            }
            for at in (0..inner).rev() {
                digits[at] += 1;
                a += mine[at];
                b += theirs[at];
                o += out[at];
                if digits[at] < sizes[at] {
                    break;
                }
                a -= mine[at] * sizes[at];
                b -= theirs[at] * sizes[at];
                o -= out[at] * sizes[at];
                digits[at] = 0;
            }
        }
        Factor { set, values }
    }
}

/// Beliefs that are changed by factors on parts of the cliques, without logarithms: what a step of the optimiser needs.
///
/// Each clique is held as its belief given what it shares with its parent. All numbers are between 0 and the total, and
/// what would become less than [`TINY`] of the total is held there, so that a cell can come back.
pub(super) struct Stepper<'a> {
    model: &'a Model,
    /// For each clique with a parent: from it and from its parent to the separator.
    links: Vec<Option<(usize, super::Projection, super::Projection)>>,
    conditionals: Vec<Vec<f64>>,
    /// Whether any cell is impossible, so that it must not come back.
    has_zeros: bool,
}

impl<'a> Stepper<'a> {
    pub(super) fn new(model: &'a Model, has_zeros: bool) -> Stepper<'a> {
        let tree = &model.tree;
        let links = (0..tree.cliques().len()).map(|clique| {
            tree.parent(clique).map(|(parent, shared)| {
                let from = |clique: usize| model.domain.projection(&tree.cliques()[clique], shared);
                (parent, from(clique), from(parent))
            })
        });
        let mut stepper = Stepper {
            model,
            links: links.collect(),
            conditionals: vec![Vec::new(); tree.cliques().len()],
            has_zeros,
        };
        stepper.set(&model.beliefs);
        stepper
    }

    /// Starts from these beliefs from now on.
    pub(super) fn set(&mut self, beliefs: &[Vec<f64>]) {
        let least = TINY * self.model.total;
        for ((conditional, belief), link) in self.conditionals.iter_mut().zip(beliefs).zip(&self.links) {
            conditional.clone_from(belief);
            for cell in conditional.iter_mut() {
                if *cell < least && !(self.has_zeros && *cell == 0.0) {
                    *cell = least;
                }
            }
            if let Some((_, shared, _)) = link {
                let sums = shared.summed(conditional);
                shared.zip(conditional, &sums, |cell, sum| {
                    if sum > 0.0 {
                        *cell /= sum
                    }
                });
            }
        }
    }

    /// The beliefs after every clique's cells are multiplied by `change(clique, cells)`, written to `beliefs`.
    pub(super) fn step(&self, beliefs: &mut [Vec<f64>], change: impl Fn(usize, &mut [f64])) {
        for (clique, (belief, conditional)) in beliefs.iter_mut().zip(&self.conditionals).enumerate() {
            belief.copy_from_slice(conditional);
            change(clique, belief);
        }
        let order = self.model.tree.order();
        let mut inwards: Vec<Vec<f64>> = vec![Vec::new(); beliefs.len()];
        for clique in order.iter().rev() {
            if let Some((parent, own, parents)) = &self.links[*clique] {
                let mut message = own.summed(&beliefs[*clique]);
                // Only proportions count; the largest is made 1, so that nothing overflows.
                let most = message.iter().fold(0.0, |most: f64, value| most.max(*value));
                if most > 0.0 {
                    message.iter_mut().for_each(|value| *value /= most);
                    beliefs[*clique].iter_mut().for_each(|cell| *cell /= most);
                }
                parents.zip(&mut beliefs[*parent], &message, |cell, value| *cell *= value);
                inwards[*clique] = message;
            }
        }
        for clique in order {
            match &self.links[*clique] {
                None => {
                    let sum: f64 = beliefs[*clique].iter().sum();
                    let norm = self.model.total / sum;
                    beliefs[*clique].iter_mut().for_each(|cell| *cell *= norm);
                }
                Some((parent, own, parents)) => {
                    let mut outwards = parents.summed(&beliefs[*parent]);
                    for (value, told) in outwards.iter_mut().zip(&inwards[*clique]) {
                        *value = if *told > 0.0 { *value / told } else { 0.0 };
                    }
                    own.zip(&mut beliefs[*clique], &outwards, |cell, value| *cell *= value);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Expected counts of all cells, by multiplying everything out.
    fn brute_force(domain: &Domain, tree: &JunctionTree, total: f64, potentials: &[Vec<f64>]) -> Vec<f64> {
        let all: Clique = (0..domain.len()).collect();
        let mut logs = vec![0.0; domain.len_of(&all)];
        for (clique, table) in tree.cliques().iter().zip(potentials) {
            domain.projection(&all, clique).zip(&mut logs, table, |cell, value| *cell += value);
        }
        let weights: Vec<f64> = logs.iter().map(|log| log.exp()).collect();
        let sum: f64 = weights.iter().sum();
        weights.iter().map(|weight| weight / sum * total).collect()
    }

    fn models() -> impl Strategy<Value = (Vec<usize>, Vec<Clique>, Vec<f64>)> {
        (2usize..6).prop_flat_map(|n| {
            let set = prop::collection::btree_set(0..n, 1..4).prop_map(|set| set.into_iter().collect());
            (
                prop::collection::vec(1usize..4, n),
                prop::collection::vec(set, 0..6),
                prop::collection::vec(-3.0..3.0, 4096),
            )
        })
    }

    fn close(a: &[f64], b: &[f64]) -> bool {
        a.iter().zip(b).all(|(a, b)| (a - b).abs() <= 1e-9 * (1.0 + b.abs()))
    }

    proptest! {
        #[test]
        fn marginals_agree_with_brute_force((sizes, sets, numbers) in models(), mask in 1usize..64, zeros in any::<bool>()) {
            let domain = Domain::new(sizes);
            let tree = JunctionTree::new(&domain, &sets);
            let mut numbers = numbers.into_iter().cycle();
            let mut potentials: Vec<Vec<f64>> =
                tree.cliques().iter().map(|clique| numbers.by_ref().take(domain.len_of(clique)).collect()).collect();
            if zeros && potentials[0].len() > 1 {
                potentials[0][0] = f64::NEG_INFINITY;
            }
            let all: Clique = (0..domain.len()).collect();
            let expected = brute_force(&domain, &tree, 1000.0, &potentials);
            let model = Model::calibrate(domain.clone(), tree, 1000.0, potentials);
            let set: Clique = all.iter().copied().filter(|at| mask >> at & 1 == 1).collect();
            for wanted in [&set, &all] {
                let exact = domain.projection(&all, wanted).summed(&expected);
                prop_assert!(close(&model.marginal(wanted), &exact), "{:?}", wanted);
            }
        }

        #[test]
        fn steps_agree_with_calibrating_anew((sizes, sets, numbers) in models()) {
            let domain = Domain::new(sizes);
            let tree = JunctionTree::new(&domain, &sets);
            let mut numbers = numbers.into_iter().cycle();
            let mut tables = || -> Vec<Vec<f64>> {
                tree.cliques().iter().map(|clique| numbers.by_ref().take(domain.len_of(clique)).collect()).collect()
            };
            let (before, change) = (tables(), tables());
            let both: Vec<Vec<f64>> =
                before.iter().zip(&change).map(|(a, b)| a.iter().zip(b).map(|(a, b)| a + b).collect()).collect();
            let model = Model::calibrate(domain.clone(), tree.clone(), 50.0, before);
            let anew = Model::calibrate(domain.clone(), tree, 50.0, both);
            let mut beliefs = model.beliefs.clone();
            Stepper::new(&model, false).step(&mut beliefs, |clique, cells| {
                cells.iter_mut().zip(&change[clique]).for_each(|(cell, log)| *cell *= log.exp());
            });
            for (stepped, anew) in beliefs.iter().zip(&anew.beliefs) {
                prop_assert!(close(stepped, anew));
            }
        }
    }
}
