//! AIM: marginals chosen one by one, where the model is worst.
//!
//! All columns of the workload are measured alone; then each round chooses the marginal whose error, less what its own noise
//! would bring, is largest, measures it and fits the model anew. Where a round taught nothing beyond the noise, the next ones
//! spend four times as much. R. McKenna, B. Mullins, D. Sheldon, G. Miklau, "AIM: an adaptive and iterative mechanism for
//! differentially private synthetic data", VLDB 15(11), 2022.
//!
//! # Privacy
//! Neighbouring tables differ in one unit's rows, at most k. Each marginal is a Gaussian mechanism of rho = k² / (2 σ²). The
//! score of a candidate r is w_r (‖M_r(D) - M_r(model)‖₁ - √(2/π) σ n_r), of which only M_r(D) reads rows: it moves by at most
//! k max w, in either direction, so each choice is an exponential mechanism of rho = ε² / 8. What is left is asked of the
//! curator; no sum is kept here.

use super::{Curator, Fitted, MARGIN, Measuring, noise};
use crate::pgm::{Clique, Coded, JunctionTree, Measurement, Model, Options, Zeros, estimate};

/// The method and its settings.
#[derive(Clone, Debug)]
pub struct Aim {
    /// The marginals that matter, with their weights.
    pub workload: Vec<(Clique, f64)>,
    /// Most cells that the model's cliques may have together when all is spent; before, in proportion to what is spent.
    pub max_cells: usize,
    /// When the fit of a round stops.
    pub round_fit: Options,
    /// When the last fit stops.
    pub last_fit: Options,
}

impl Aim {
    /// AIM for a workload, with the usual settings: a model of 1 MiB.
    pub fn new(workload: Vec<(Clique, f64)>) -> Aim {
        Aim {
            workload,
            max_cells: 1 << 17,
            round_fit: Options { steps: 200, tolerance: 1e-3 },
            last_fit: Options::default(),
        }
    }

    /// The workload of all sets of `ways` columns, evenly.
    pub fn all_sets(columns: usize, ways: usize) -> Vec<(Clique, f64)> {
        let mut sets: Vec<Clique> = vec![Vec::new()];
        for _ in 0..ways.min(columns) {
            let longer = |set: Clique| {
                let next = set.last().map_or(0, |last| last + 1);
                (next..columns).map(move |column| set.iter().copied().chain([column]).collect())
            };
            sets = sets.into_iter().flat_map(longer).collect();
        }
        sets.into_iter().map(|set| (set, 1.0)).collect()
    }

    /// All non-empty subsets of the workload's sets, each with its weight: Σ over the sets of weight · |both|.
    fn candidates(&self) -> Vec<(Clique, f64)> {
        let mut sets: Vec<Clique> = Vec::new();
        for (set, _) in &self.workload {
            for mask in 1u32..1 << set.len().min(31) {
                let subset: Clique = set
                    .iter()
                    .enumerate()
                    .filter(|(at, _)| mask >> at & 1 == 1)
                    .map(|(_, column)| *column)
                    .collect();
                sets.push(subset);
            }
        }
        sets.sort_by(|a, b| a.len().cmp(&b.len()).then_with(|| a.cmp(b)));
        sets.dedup();
        let weight = |set: &Clique| {
            let both = |of: &Clique| set.iter().filter(|column| of.contains(column)).count() as f64;
            self.workload.iter().map(|(of, weight)| weight * both(of)).sum()
        };
        sets.into_iter().map(|set| (weight(&set), set)).map(|(weight, set)| (set, weight)).collect()
    }
}

/// How a run begins, known before any row is read; how it goes on follows from its releases.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AimPlan {
    /// All that is spent.
    pub rho: f64,
    /// How many columns are measured at first, each alone.
    pub columns: usize,
    /// Most rounds, if no round is taken for a larger one.
    pub rounds: usize,
    /// Noise of the counts, at first; it is halved, and halved again, where less teaches nothing.
    pub sigma: f64,
    /// Epsilon of each choice, at first.
    pub epsilon_choice: f64,
}

impl AimPlan {
    /// The plan for a table of `columns`, with rho to spend on units of at most `k` rows: nine tenths for counts.
    pub fn new(columns: usize, rho: f64, k: u64) -> AimPlan {
        let rounds = 16 * columns;
        let share = rho * (1.0 - MARGIN) / rounds as f64;
        AimPlan {
            rho,
            columns,
            rounds: rounds - columns,
            sigma: k as f64 / (2.0 * 0.9 * share).sqrt(),
            epsilon_choice: (8.0 * 0.1 * share).sqrt(),
        }
    }
}

/// Scores of candidates, and the sum of their errors that noise explains.
pub(super) fn score(counts: &[i64], model: &[f64], weight: f64, sigma: f64) -> f64 {
    let distance: f64 = counts.iter().zip(model).map(|(count, cell)| (*count as f64 - cell).abs()).sum();
    weight * (distance - noise(sigma) * counts.len() as f64)
}

impl Aim {
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
        let domain = table.domain();
        let k = curator.rows_per_unit();
        let plan = AimPlan::new(domain.len(), rho, k);
        let (mut sigma, mut epsilon) = (plan.sigma, plan.epsilon_choice);
        let candidates = self.candidates();
        // What others may have left to spend stays.
        let reserve = (curator.remaining_rho() - rho).max(0.0);
        let left = |curator: &C| curator.remaining_rho() - reserve;

        let mut measuring = Measuring::new(names);
        let mut measurements = Vec::new();
        for column in 0..domain.len() {
            measurements.push(measuring.measure(table, vec![column], sigma, curator)?);
        }
        let (mut model, mut theta) = estimate(domain, &measurements, zeros, None, self.round_fit);
        loop {
            let cost = (k as f64 / sigma).powi(2) / 2.0 + epsilon * epsilon / 8.0;
            let remaining = left(curator);
            let is_last = remaining < 2.0 * cost;
            if is_last {
                let remaining = remaining * (1.0 - MARGIN);
                if remaining <= 0.0 {
                    break;
                }
                sigma = k as f64 / (2.0 * 0.9 * remaining).sqrt();
                epsilon = (8.0 * 0.1 * remaining).sqrt();
            }
            let spent = if is_last { 1.0 } else { 1.0 - (remaining - cost) / rho };
            let kept = self.keep(&candidates, &model, &measurements, zeros, spent);
            if kept.is_empty() {
                break;
            }
            let expected: Vec<Vec<f64>> = kept.iter().map(|(set, _)| model.marginal(set)).collect();
            let scores: Vec<f64> = kept
                .iter()
                .zip(&expected)
                .map(|((set, weight), cells)| score(&table.counts(set), cells, *weight, sigma))
                .collect();
            let sensitivity = k as f64 * kept.iter().map(|(_, weight)| *weight).fold(0.0, f64::max);
            let query = format!("the worst of {} marginals", kept.len());
            let chosen = curator.choose(&query, &scores, sensitivity, epsilon)?;
            let set = kept[chosen].0.clone();
            measurements.push(measuring.measure(table, set.clone(), sigma, curator)?);
            if is_last {
                break;
            }
            (model, theta) = estimate(domain, &measurements, zeros, Some(&theta), self.round_fit);
            let moved: f64 =
                model.marginal(&set).iter().zip(&expected[chosen]).map(|(new, old)| (new - old).abs()).sum();
            if moved <= noise(sigma) * expected[chosen].len() as f64 {
                sigma /= 2.0;
                epsilon *= 2.0;
            }
        }
        let (model, _) = estimate(domain, &measurements, zeros, Some(&theta), self.last_fit);
        let merged = domain.sizes().iter().map(|size| (0..*size as u32).collect()).collect();
        Ok(Fitted { model, merged, measured: measuring.measured })
    }

    /// The candidates that keep the model small enough. Reads no rows.
    fn keep(
        &self,
        candidates: &[(Clique, f64)],
        model: &Model,
        measurements: &[Measurement],
        zeros: &Zeros,
        spent: f64,
    ) -> Vec<(Clique, f64)> {
        let domain = model.domain();
        let most = self.max_cells as f64 * spent;
        let mut sets: Vec<Clique> = measurements.iter().map(|m| m.set.clone()).collect();
        sets.extend(zeros.sets().cloned());
        let fits = |set: &Clique| {
            if model.tree().holding(domain, set).is_some() {
                return true;
            }
            let mut with = sets.clone();
            with.push(set.clone());
            JunctionTree::new(domain, &with).cells(domain) <= most
        };
        candidates.iter().filter(|(set, _)| fits(set)).cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::testing::{Double, correlated, names, neighbours};
    use super::*;

    /// A privacy budget of (ε = 1, δ = 1e-9) as rho.
    const RHO: f64 = 0.014_973_057_673_588_53;

    #[test]
    fn the_plan_has_the_known_noise() {
        let plan = AimPlan::new(14, RHO, 1);
        assert_eq!(plan.rounds + 14, 224);
        assert!((plan.sigma / 91.165_917_669_929_01 - 1.0).abs() < 1e-9, "{plan:?}");
        assert!((plan.epsilon_choice / 0.007_312_674_338_236_448 - 1.0).abs() < 1e-9, "{plan:?}");
    }

    #[test]
    fn candidates_are_all_subsets_and_weigh_what_they_share() {
        let aim = Aim::new(vec![(vec![0, 1], 1.0), (vec![1, 2], 2.0)]);
        let expected = [(vec![0], 1.0), (vec![1], 3.0), (vec![2], 2.0), (vec![0, 1], 4.0), (vec![1, 2], 5.0)];
        assert_eq!(aim.candidates(), expected);
        assert_eq!(Aim::all_sets(14, 2).len(), 91);
        assert_eq!(Aim::all_sets(14, 3).len(), 364);
        assert_eq!(Aim::all_sets(2, 3), [(vec![0, 1], 1.0)]);
    }

    #[test]
    fn all_is_spent_and_pairs_are_met() {
        let table = correlated(20_000);
        let mut curator = Double::new(1, 10.0);
        let aim = Aim::new(Aim::all_sets(4, 2));
        let fitted = aim.fit(&table, &Zeros::none(), &names(&table), 10.0, &mut curator).unwrap();
        assert!(
            curator.remaining_rho() >= 0.0 && curator.remaining_rho() < 10.0 * 1e-6,
            "{}",
            curator.remaining_rho()
        );
        for (pair, _) in &aim.workload {
            let truth = table.counts(pair);
            let model = fitted.model.marginal(pair);
            let distance: f64 = truth.iter().zip(&model).map(|(a, b)| (*a as f64 - b).abs()).sum();
            assert!(distance / 20_000.0 < 0.02, "{pair:?}: {distance}");
        }
    }

    #[test]
    fn the_model_stays_small_enough() {
        let table = correlated(5_000);
        let mut curator = Double::new(2, 10.0);
        let aim = Aim { max_cells: 40, ..Aim::new(Aim::all_sets(4, 2)) };
        let fitted = aim.fit(&table, &Zeros::none(), &names(&table), 10.0, &mut curator).unwrap();
        assert!(fitted.model.tree().cells(table.domain()) <= 40.0);
    }

    proptest! {
        #[test]
        fn one_unit_moves_scores_by_no_more_than_declared(
            rows in prop::collection::vec((0u32..4, 0u32..3), 1..40), k in 1usize..5,
            model in prop::collection::vec(0.0..20.0, 12), weight in 0.0..9.0, sigma in 0.1..9.0
        ) {
            let (all, fewer) = neighbours(&rows, k);
            let of = |table: &Coded| score(&table.counts(&[0, 1]), &model, weight, sigma);
            prop_assert!((of(&all) - of(&fewer)).abs() <= k as f64 * weight + 1e-9);
        }

        #[test]
        fn what_is_asked_does_not_depend_on_the_rows(seed in 0u64..20) {
            let queries = |rows| {
                let table = correlated(rows);
                let mut curator = Double::fixed(1, 1.0, seed);
                let aim = Aim::new(Aim::all_sets(4, 2));
                aim.fit(&table, &Zeros::none(), &names(&table), 1.0, &mut curator).unwrap();
                curator.queries
            };
            prop_assert_eq!(queries(500), queries(499));
        }
    }
}
