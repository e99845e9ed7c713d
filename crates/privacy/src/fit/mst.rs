//! MST: a tree of pairs.
//!
//! All columns are measured alone, then a spanning tree of pairs is chosen, then the tree's pairs are measured; each takes
//! a third of the budget. R. McKenna, G. Miklau, D. Sheldon, "Winning the NIST contest: a scalable and general approach to
//! differentially private synthetic data", Journal of Privacy and Confidentiality 11(3), 2021.
//!
//! # Privacy
//! Neighbouring tables differ in one unit's rows, at most k. Each marginal moves by at most k in L1, hence in L2, so each is a
//! Gaussian mechanism of rho = k² / (2 σ²). The score of a pair is ‖M(D) - N p_a × p_b‖₁, whose second term reads releases only:
//! it moves by at most k, in either direction. Each of the d - 1 choices is an exponential mechanism of rho = ε² / 8.

use super::{Curator, Fitted, MARGIN, Measuring};
use crate::pgm::{Clique, Coded, Measurement, Options, Zeros, estimate, independent, total};

/// The method and its settings.
#[derive(Clone, Debug)]
pub struct Mst {
    /// Values whose noisy count is below so many standard deviations become one.
    pub merge_below: f64,
    /// Pairs with more cells, after merging, are not considered; columns may then be left without a pair.
    pub max_cells: usize,
    /// When the last fit stops.
    pub fit: Options,
}

impl Default for Mst {
    fn default() -> Mst {
        Mst { merge_below: 3.0, max_cells: 1_000_000, fit: Options::default() }
    }
}

/// What a run will cost, known before any row is read.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MstPlan {
    /// All that is spent.
    pub rho: f64,
    /// How many columns are measured, each alone.
    pub columns: usize,
    /// Noise of their counts.
    pub sigma_columns: f64,
    /// How many pairs are chosen and measured.
    pub pairs: usize,
    /// Epsilon of each choice.
    pub epsilon_choice: f64,
    /// Noise of the pairs' counts.
    pub sigma_pairs: f64,
}

impl MstPlan {
    /// The plan for a number of columns, with rho to spend on units of at most `k` rows.
    pub fn new(columns: usize, rho: f64, k: u64) -> MstPlan {
        let third = rho / 3.0 * (1.0 - MARGIN);
        let pairs = columns.saturating_sub(1);
        // With a single column there is nothing to choose.
        let (first, k) = (if pairs == 0 { rho * (1.0 - MARGIN) } else { third }, k as f64);
        MstPlan {
            rho,
            columns,
            sigma_columns: k * (columns as f64 / (2.0 * first)).sqrt(),
            pairs,
            epsilon_choice: (8.0 * third / pairs as f64).sqrt(),
            sigma_pairs: k * (pairs as f64 / (2.0 * third)).sqrt(),
        }
    }
}

impl Mst {
    /// Fits the table, spending `rho`.
    ///
    /// # Errors
    /// When the curator refuses.
    pub fn fit<C: Curator>(
        &self,
        table: &Coded,
        zeros: &Zeros,
        names: &[String],
        rho: f64,
        curator: &mut C,
    ) -> Result<Fitted, C::Error> {
        let columns = table.domain().len();
        let plan = MstPlan::new(columns, rho, curator.rows_per_unit());
        let mut measuring = Measuring::new(names);
        let mut wide: Vec<Vec<f64>> = Vec::new();
        for column in 0..columns {
            wide.push(measuring.measure(table, vec![column], plan.sigma_columns, curator)?.values);
        }
        // Columns of impossible cells keep their codes, which the rules name.
        let fixed = |column: usize| zeros.sets().any(|set| set.contains(&column));
        let merged: Vec<Vec<u32>> = wide
            .iter()
            .enumerate()
            .map(|(column, counts)| {
                let least =
                    if fixed(column) { f64::NEG_INFINITY } else { self.merge_below * plan.sigma_columns };
                merge(counts, least)
            })
            .collect();
        let narrow = table.recoded(&merged);
        let mut measurements: Vec<Measurement> = (0..columns)
            .map(|column| narrowed(column, &wide[column], &merged[column], plan.sigma_columns))
            .collect();

        for pair in choose_tree(&narrow, &measurements, names, &plan, self.max_cells, curator)? {
            measurements.push(measuring.measure(&narrow, pair, plan.sigma_pairs, curator)?);
        }
        let (model, _) = estimate(narrow.domain(), &measurements, zeros, None, self.fit);
        Ok(Fitted { model, merged, measured: measuring.measured })
    }
}

/// New codes: values with a noisy count below `least` share the last one, if there are at least two of them.
fn merge(counts: &[f64], least: f64) -> Vec<u32> {
    let is_rare = |count: &f64| *count < least;
    if counts.iter().filter(|count| is_rare(count)).count() < 2 {
        return (0..counts.len() as u32).collect();
    }
    let rest = counts.iter().filter(|count| !is_rare(count)).count() as u32;
    let mut next = 0;
    let mut code = |count: &f64| {
        if is_rare(count) {
            return rest;
        }
        next += 1;
        next - 1
    };
    counts.iter().map(&mut code).collect()
}

/// A column's measurement in the new codes: noisy counts add up, and so do their variances.
fn narrowed(column: usize, counts: &[f64], merged: &[u32], sigma: f64) -> Measurement {
    let size = merged.iter().max().map_or(1, |code| *code as usize + 1);
    let (mut values, mut members) = (vec![0.0; size], vec![0.0f64; size]);
    for (count, code) in counts.iter().zip(merged) {
        values[*code as usize] += count;
        members[*code as usize] += 1.0;
    }
    Measurement { set: vec![column], values, sigmas: members.iter().map(|m| sigma * m.sqrt()).collect() }
}

/// The distance between the counts of a pair and those that two independent columns would have.
pub(super) fn pair_score(counts: &[i64], first: &[f64], second: &[f64], total: f64) -> f64 {
    let expected = first.iter().flat_map(|a| second.iter().map(move |b| a * b / total));
    counts.iter().zip(expected).map(|(count, expected)| (*count as f64 - expected).abs()).sum()
}

/// A spanning tree of the columns: Kruskal's algorithm, with a private choice of each edge.
fn choose_tree<C: Curator>(
    table: &Coded,
    measurements: &[Measurement],
    names: &[String],
    plan: &MstPlan,
    max_cells: usize,
    curator: &mut C,
) -> Result<Vec<Clique>, C::Error> {
    let columns = table.domain().len();
    let alone = independent(table.domain(), measurements);
    let total = total(measurements);
    let mut edges: Vec<(Clique, f64)> = Vec::new();
    for a in 0..columns {
        for b in (a + 1..columns).filter(|b| table.domain().cells(&[a, *b]) <= max_cells as f64) {
            edges.push((vec![a, b], pair_score(&table.counts(&[a, b]), &alone[a], &alone[b], total)));
        }
    }
    let mut component: Vec<usize> = (0..columns).collect();
    let mut tree = Vec::new();
    for round in 1..columns {
        edges.retain(|(edge, _)| component[edge[0]] != component[edge[1]]);
        if edges.is_empty() {
            break;
        }
        let scores: Vec<f64> = edges.iter().map(|(_, score)| *score).collect();
        let query = format!("edge {round} of a tree over {}", names.join(", "));
        let chosen = curator.choose(&query, &scores, curator.rows_per_unit() as f64, plan.epsilon_choice)?;
        let edge = edges[chosen].0.clone();
        let (from, to) = (component[edge[0]], component[edge[1]]);
        component.iter_mut().filter(|part| **part == from).for_each(|part| *part = to);
        tree.push(edge);
    }
    Ok(tree)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::testing::{Double, correlated, names, neighbours};
    use super::*;

    /// A privacy budget of (ε = 1, δ = 1e-9) as rho.
    const RHO: f64 = 0.014_973_057_673_588_53;

    fn near(found: f64, known: f64) -> bool {
        (found / known - 1.0).abs() < 1e-9
    }

    #[test]
    fn the_plan_has_the_known_noise() {
        let plan = MstPlan::new(14, RHO, 1);
        assert!(near(plan.sigma_columns, 37.450_222_187_609_2), "{plan:?}");
        assert!(near(plan.sigma_pairs, 36.087_937_086_983_25), "{plan:?}");
        assert!(near(plan.epsilon_choice, 0.055_420_180_853_767_64), "{plan:?}");
        let spent = |plan: &MstPlan, k: f64| {
            14.0 * k * k / (2.0 * plan.sigma_columns.powi(2))
                + 13.0 * k * k / (2.0 * plan.sigma_pairs.powi(2))
                + 13.0 * plan.epsilon_choice.powi(2) / 8.0
        };
        for k in [1, 5] {
            let spent = spent(&MstPlan::new(14, RHO, k), k as f64);
            assert!(spent <= RHO && spent > RHO * (1.0 - 1e-9));
        }
    }

    #[test]
    fn rare_values_are_merged() {
        assert_eq!(merge(&[100.0, 2.0, 50.0, -3.0, 1.0], 9.0), [0, 2, 1, 2, 2]);
        assert_eq!(merge(&[100.0, 2.0, 50.0], 9.0), [0, 1, 2]);
        assert_eq!(merge(&[1.0, 2.0], 9.0), [0, 0]);
        let narrow = narrowed(0, &[100.0, 2.0, 50.0, -3.0, 1.0], &[0, 2, 1, 2, 2], 2.0);
        assert_eq!(narrow.values, [100.0, 50.0, 0.0]);
        assert!((narrow.sigmas[2] - 2.0 * 3.0f64.sqrt()).abs() < 1e-12);
    }

    #[test]
    fn the_tree_is_found_and_its_pairs_are_met() {
        let table = correlated(20_000);
        let mut curator = Double::new(1, 50.0);
        let fitted = Mst::default().fit(&table, &Zeros::none(), &names(&table), 50.0, &mut curator).unwrap();
        assert!(curator.remaining_rho() >= 0.0 && curator.remaining_rho() < 50.0 * 1e-9);
        // Columns depend on the one before them.
        let pairs: Vec<Clique> =
            fitted.measured.iter().map(|m| m.set.clone()).filter(|set| set.len() == 2).collect();
        let mut sorted = pairs.clone();
        sorted.sort();
        assert_eq!(sorted, [[0, 1], [1, 2], [2, 3]]);
        for pair in pairs {
            let truth = table.recoded(&fitted.merged).counts(&pair);
            let model = fitted.model.marginal(&pair);
            let distance: f64 = truth.iter().zip(&model).map(|(a, b)| (*a as f64 - b).abs()).sum();
            assert!(distance / 20_000.0 < 0.01, "{pair:?}: {distance}");
        }
    }

    proptest! {
        #[test]
        fn one_unit_moves_scores_by_no_more_than_its_rows(
            rows in prop::collection::vec((0u32..4, 0u32..3), 1..40), k in 1usize..5,
            first in prop::collection::vec(0.0..20.0, 4), second in prop::collection::vec(0.0..20.0, 3)
        ) {
            let (all, fewer) = neighbours(&rows, k);
            let score = |table: &Coded| pair_score(&table.counts(&[0, 1]), &first, &second, 50.0);
            prop_assert!((score(&all) - score(&fewer)).abs() <= k as f64 + 1e-9);
        }

        #[test]
        fn what_is_asked_does_not_depend_on_the_rows(seed in 0u64..50) {
            // Fixed answers; only the rows differ.
            let queries = |rows| {
                let table = correlated(rows);
                let mut curator = Double::fixed(1, 1.0, seed);
                let fitted = Mst::default().fit(&table, &Zeros::none(), &names(&table), 1.0, &mut curator).unwrap();
                (curator.queries, fitted.model.domain().clone())
            };
            prop_assert_eq!(queries(500), queries(499));
        }
    }
}
