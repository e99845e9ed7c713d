//! Junction trees: which tables hold a graphical model.

use super::domain::{Clique, Domain};

/// The maximal cliques of a triangulated graph, joined in a tree such that the cliques that have a column form a subtree.
/// Parts of the graph that do not hang together are joined by empty separators, so it is always one tree.
#[derive(Clone, Debug)]
pub struct JunctionTree {
    cliques: Vec<Clique>,
    /// For each clique but the root: its parent, and the columns that both have.
    parents: Vec<Option<(usize, Clique)>>,
    /// The cliques, parents before children.
    order: Vec<usize>,
    /// The columns in the order in which they were eliminated.
    elimination: Vec<usize>,
    /// For each column, those of its neighbours in the triangulated graph that are eliminated after it.
    later: Vec<Clique>,
}

impl JunctionTree {
    /// A tree over all columns whose cliques cover the sets given.
    ///
    /// Columns are eliminated greedily, that with the smallest resulting table first; what each elimination joins is
    /// filled in. The tree is a maximum spanning tree by the size of the separators, which makes it a junction tree
    /// (F. V. Jensen and F. Jensen, "Optimal junction trees", UAI 1994).
    pub fn new(domain: &Domain, sets: &[Clique]) -> JunctionTree {
        let n = domain.len();
        let mut neighbours = vec![vec![false; n]; n];
        for set in sets {
            for a in set {
                for b in set {
                    neighbours[*a][*b] = a != b || neighbours[*a][*b];
                }
            }
        }
        let mut left: Vec<usize> = (0..n).collect();
        let mut elimination = Vec::with_capacity(n);
        let mut later = vec![Vec::new(); n];
        let mut bags: Vec<Clique> = Vec::with_capacity(n);
        while !left.is_empty() {
            let around = |column: usize| -> Clique {
                left.iter().copied().filter(|other| neighbours[column][*other]).collect()
            };
            let cost = |column: usize| domain.cells(&around(column)) * domain.sizes()[column] as f64;
            // The first of equals, so that the result is a function of the input.
            let mut best = (0, f64::INFINITY);
            for (at, column) in left.iter().enumerate() {
                let cost = cost(*column);
                if cost < best.1 {
                    best = (at, cost);
                }
            }
            let column = left[best.0];
            let around = around(column);
            for a in &around {
                for b in &around {
                    neighbours[*a][*b] = a != b || neighbours[*a][*b];
                }
            }
            left.remove(best.0);
            let mut bag = around.clone();
            bag.push(column);
            bag.sort_unstable();
            bags.push(bag);
            later[column] = around;
            elimination.push(column);
        }
        let is_maximal = |at: usize| {
            let within = |other: &Clique| bags[at].iter().all(|column| other.contains(column));
            !bags
                .iter()
                .enumerate()
                .any(|(other, bag)| other != at && within(bag) && (bag.len() > bags[at].len() || other < at))
        };
        let cliques: Vec<Clique> =
            (0..bags.len()).filter(|at| is_maximal(*at)).map(|at| bags[at].clone()).collect();
        let (parents, order) = spanning_tree(&cliques);
        JunctionTree { cliques, parents, order, elimination, later }
    }

    /// The maximal cliques.
    pub fn cliques(&self) -> &[Clique] {
        &self.cliques
    }

    /// The parent of a clique and the columns shared with it; none for the root.
    pub fn parent(&self, clique: usize) -> Option<(usize, &Clique)> {
        self.parents[clique].as_ref().map(|(parent, separator)| (*parent, separator))
    }

    /// The cliques, parents before children.
    pub fn order(&self) -> &[usize] {
        &self.order
    }

    /// The columns in the order in which they can be drawn, each with the columns drawn before it that it depends on.
    pub fn drawing_order(&self) -> impl Iterator<Item = (usize, &Clique)> {
        self.elimination.iter().rev().map(|column| (*column, &self.later[*column]))
    }

    /// The smallest clique that holds all of a set of columns.
    pub fn holding(&self, domain: &Domain, set: &[usize]) -> Option<usize> {
        let holds = |clique: &Clique| set.iter().all(|column| clique.contains(column));
        let holding = self.cliques.iter().enumerate().filter(|(_, clique)| holds(clique));
        holding.min_by(|a, b| domain.cells(a.1).total_cmp(&domain.cells(b.1))).map(|(at, _)| at)
    }

    /// How many cells all cliques have together.
    pub fn cells(&self, domain: &Domain) -> f64 {
        self.cliques.iter().map(|clique| domain.cells(clique)).sum()
    }
}

/// Parents and separators, with the cliques in an order that has parents first.
type Rooted = (Vec<Option<(usize, Clique)>>, Vec<usize>);

/// Prim's algorithm from clique 0.
fn spanning_tree(cliques: &[Clique]) -> Rooted {
    let shared = |a: usize, b: usize| -> Clique {
        cliques[a].iter().copied().filter(|column| cliques[b].contains(column)).collect()
    };
    let mut parents = vec![None; cliques.len()];
    let mut order = Vec::new();
    // For each clique outside of the tree, the best clique inside and how many columns they share.
    let mut best: Vec<(usize, usize)> = vec![(0, 0); cliques.len()];
    let mut outside: Vec<usize> = (0..cliques.len()).collect();
    while !outside.is_empty() {
        let mut at = 0;
        for other in 1..outside.len() {
            if best[outside[other]].1 > best[outside[at]].1 {
                at = other;
            }
        }
        let next = outside.remove(at);
        if !order.is_empty() {
            parents[next] = Some((best[next].0, shared(best[next].0, next)));
        }
        order.push(next);
        for other in &outside {
            let columns = shared(next, *other).len();
            if columns > best[*other].1 {
                best[*other] = (next, columns);
            }
        }
    }
    (parents, order)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn domain_and_sets() -> impl Strategy<Value = (Vec<usize>, Vec<Clique>)> {
        (2usize..8).prop_flat_map(|n| {
            let set = prop::collection::btree_set(0..n, 1..4).prop_map(|set| set.into_iter().collect());
            (prop::collection::vec(1usize..5, n), prop::collection::vec(set, 0..8))
        })
    }

    proptest! {
        #[test]
        fn trees_cover_the_sets_and_columns_form_subtrees((sizes, sets) in domain_and_sets()) {
            let domain = Domain::new(sizes);
            let tree = JunctionTree::new(&domain, &sets);
            for set in &sets {
                prop_assert!(tree.holding(&domain, set).is_some(), "{:?} in {:?}", set, tree.cliques());
            }
            // One root, parents first.
            prop_assert_eq!(tree.order().len(), tree.cliques().len());
            for (at, clique) in tree.order().iter().enumerate() {
                match tree.parent(*clique) {
                    None => prop_assert_eq!(at, 0),
                    Some((parent, _)) => prop_assert!(tree.order()[..at].contains(&parent)),
                }
            }
            for column in 0..domain.len() {
                // Cliques with the column, and links between them: a subtree has one link fewer than it has cliques.
                let with: Vec<usize> = (0..tree.cliques().len()).filter(|at| tree.cliques()[*at].contains(&column)).collect();
                let links = with.iter().filter(|at| tree.parent(**at).is_some_and(|(_, shared)| shared.contains(&column))).count();
                prop_assert_eq!(links + 1, with.len(), "column {} in {:?}", column, tree);
            }
            // Maximal: none within another.
            for a in tree.cliques() {
                for b in tree.cliques() {
                    prop_assert!(a == b || !a.iter().all(|column| b.contains(column)));
                }
            }
            // Every column is drawn once, after those it depends on, and shares a clique with them.
            let mut drawn = Vec::new();
            for (column, parents) in tree.drawing_order() {
                prop_assert!(parents.iter().all(|parent| drawn.contains(parent)));
                let mut set = parents.clone();
                set.push(column);
                prop_assert!(tree.holding(&domain, &set).is_some());
                drawn.push(column);
            }
            prop_assert_eq!(drawn.len(), domain.len());
        }
    }

    #[test]
    fn a_tree_of_pairs_needs_no_fill_in() {
        let domain = Domain::new(vec![3; 5]);
        let pairs = vec![vec![0, 1], vec![1, 2], vec![1, 3], vec![3, 4]];
        let tree = JunctionTree::new(&domain, &pairs);
        let mut cliques = tree.cliques().to_vec();
        cliques.sort();
        assert_eq!(cliques, pairs);
        assert_eq!(tree.cells(&domain), 36.0);
    }

    #[test]
    fn a_circle_is_filled_in() {
        let domain = Domain::new(vec![2; 4]);
        let tree = JunctionTree::new(&domain, &[vec![0, 1], vec![1, 2], vec![2, 3], vec![0, 3]]);
        assert_eq!(tree.cliques().len(), 2);
        assert!(tree.cliques().iter().all(|clique| clique.len() == 3));
    }
}
