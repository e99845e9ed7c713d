//! Fitting a graphical model to noisy marginals by mirror descent.

use super::domain::{Clique, Domain};
use super::junction::JunctionTree;
use super::model::{Model, Stepper};
use super::projection::Projection;

/// A noisy marginal.
#[derive(Clone, Debug)]
pub struct Measurement {
    /// Which columns.
    pub set: Clique,
    /// The noisy counts of the cells.
    pub values: Vec<f64>,
    /// The standard deviation of the noise of each cell.
    pub sigmas: Vec<f64>,
}

impl Measurement {
    /// Counts of which all have the same noise.
    pub fn even(set: Clique, values: Vec<f64>, sigma: f64) -> Measurement {
        let sigmas = vec![sigma; values.len()];
        Measurement { set, values, sigmas }
    }
}

/// Cells that cannot occur, by a public rule: all rows whose columns have these codes.
#[derive(Clone, Debug, Default)]
pub struct Zeros(Vec<(Clique, Vec<bool>)>);

impl Zeros {
    /// No cell is impossible.
    pub fn none() -> Zeros {
        Zeros::default()
    }

    /// Marks cells of a set of columns: true is impossible.
    pub fn add(&mut self, set: Clique, cells: Vec<bool>) {
        self.0.push((set, cells));
    }

    /// Whether no cell is impossible.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The sets of columns that have impossible cells.
    pub fn sets(&self) -> impl Iterator<Item = &Clique> {
        self.0.iter().map(|(set, _)| set)
    }

    /// The impossible cells.
    pub fn iter(&self) -> impl Iterator<Item = (&Clique, &[bool])> {
        self.0.iter().map(|(set, cells)| (set, cells.as_slice()))
    }
}

/// When to stop.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Most steps.
    pub steps: usize,
    /// Stop when a tenth of the steps so far, at least ten, brought the loss down by less than this share of it.
    pub tolerance: f64,
}

impl Default for Options {
    fn default() -> Options {
        Options { steps: 2000, tolerance: 1e-4 }
    }
}

/// Log-potentials of sets of columns, from which the next fit can start.
#[derive(Clone, Debug, Default)]
pub struct Theta(Vec<(Clique, Vec<f64>)>);

/// The total number of rows that measurements speak of: the mean of their sums, weighted by the inverse of their
/// variances; at least 1.
pub fn total(measurements: &[Measurement]) -> f64 {
    let (mut sum, mut weights) = (0.0, 0.0);
    for measurement in measurements {
        let variance: f64 = measurement.sigmas.iter().map(|sigma| sigma * sigma).sum();
        sum += measurement.values.iter().sum::<f64>() / variance;
        weights += 1.0 / variance;
    }
    if weights > 0.0 { (sum / weights).max(1.0) } else { 1.0 }
}

/// The point of the simplex { x ≥ 0, Σ x = total } with the least Σ ((x - y) / σ)²: x = max(0, y + λ σ²), where λ is such
/// that the sum fits. For even σ this is the projection of J. Duchi et al., ICML 2008.
pub fn project_to_simplex(values: &[f64], sigmas: &[f64], total: f64) -> Vec<f64> {
    // A value becomes positive where λ passes -y/σ²; between two such points the sum is linear in λ.
    let mut order: Vec<usize> = (0..values.len()).collect();
    let turn = |at: usize| -values[at] / (sigmas[at] * sigmas[at]);
    order.sort_by(|a, b| turn(*a).total_cmp(&turn(*b)));
    let (mut sum, mut slope) = (0.0, 0.0);
    let mut lambda = 0.0;
    for (number, at) in order.iter().enumerate() {
        sum += values[*at];
        slope += sigmas[*at] * sigmas[*at];
        lambda = (total - sum) / slope;
        if order.get(number + 1).is_none_or(|next| lambda <= turn(*next)) {
            break;
        }
    }
    values.iter().zip(sigmas).map(|(value, sigma)| (value + lambda * sigma * sigma).max(0.0)).collect()
}

/// The product of the measured 1-way marginals, each brought to the simplex: the exact optimum where nothing but single
/// columns was measured, once each. Columns that were not measured are even.
pub fn independent(domain: &Domain, measurements: &[Measurement]) -> Vec<Vec<f64>> {
    let total = total(measurements);
    let column = |column: usize| {
        let own = measurements.iter().find(|measurement| measurement.set == [column]);
        match own {
            Some(measurement) => project_to_simplex(&measurement.values, &measurement.sigmas, total),
            None => vec![total / domain.sizes()[column] as f64; domain.sizes()[column]],
        }
    };
    (0..domain.len()).map(column).collect()
}

/// A measured set that is not within another, with the measured subsets.
struct Top {
    set: Clique,
    clique: usize,
    /// From the clique to this set.
    down: Projection,
    /// Measurements on this set or within it, with the way there.
    measured: Vec<(usize, Projection)>,
}

/// What one evaluation gives: the loss, and for each top its marginal and the gradient on it.
struct Evaluation {
    loss: f64,
    marginals: Vec<Vec<f64>>,
    gradients: Vec<Vec<f64>>,
}

fn evaluate(tops: &[Top], measurements: &[Measurement], beliefs: &[Vec<f64>]) -> Evaluation {
    let mut evaluation = Evaluation { loss: 0.0, marginals: Vec::new(), gradients: Vec::new() };
    for top in tops {
        let marginal = top.down.summed(&beliefs[top.clique]);
        let mut gradient = vec![0.0; marginal.len()];
        for (at, projection) in &top.measured {
            let Measurement { values, sigmas, .. } = &measurements[*at];
            let mut own = projection.summed(&marginal);
            for ((cell, value), sigma) in own.iter_mut().zip(values).zip(sigmas) {
                let scaled = (*cell - value) / sigma;
                evaluation.loss += 0.5 * scaled * scaled;
                *cell = scaled / sigma;
            }
            projection.zip(&mut gradient, &own, |cell, value| *cell += value);
        }
        evaluation.marginals.push(marginal);
        evaluation.gradients.push(gradient);
    }
    evaluation
}

/// The distribution whose marginals are nearest to the measured ones: minimises Σ ½ ‖(μ - y) / σ‖² over the marginals μ that
/// some distribution with this total has.
///
/// Mirror descent with entropy: the log-potentials go against the gradient, θ ← θ - α ∇L(μ), with μ the marginals of
/// p ~ exp(θ). A step is taken if L(μ) - L(μ′) ≥ c ⟨∇L, μ - μ′⟩ with c = 0.3; then α grows, else it is halved. (Half of the
/// inner product is what a step of the right length gains, since it is the sum of two nearly equal divergences over α.) The first fit starts at
/// the product of the 1-way marginals; a later one can start where an earlier one, on fewer measurements, ended.
pub fn estimate(
    domain: &Domain,
    measurements: &[Measurement],
    zeros: &Zeros,
    start: Option<&Theta>,
    options: Options,
) -> (Model, Theta) {
    let total = total(measurements);
    let mut sets: Vec<Clique> = measurements.iter().map(|measurement| measurement.set.clone()).collect();
    sets.extend(zeros.sets().cloned());
    let tree = JunctionTree::new(domain, &sets);
    let tops = tops(domain, &tree, measurements);

    let fallback;
    let start = match start {
        Some(start) => start,
        None => {
            fallback = from_independent(domain, measurements, total);
            &fallback
        }
    };
    let mut theta: Vec<Vec<f64>> = tops.iter().map(|top| vec![0.0; top.down.len()]).collect();
    // What no top holds, such as an unmeasured column's weights, goes straight into the cliques.
    let mut potentials: Vec<Vec<f64>> =
        tree.cliques().iter().map(|clique| vec![0.0; domain.len_of(clique)]).collect();
    let within = |small: &Clique, large: &Clique| small.iter().all(|column| large.contains(column));
    for (set, values) in &start.0 {
        match tops.iter().position(|top| within(set, &top.set)) {
            Some(at) => domain
                .projection(&tops[at].set, set)
                .zip(&mut theta[at], values, |cell, value| *cell += value),
            None => {
                let clique = tree.holding(domain, set).expect("earlier sets are covered");
                let projection = domain.projection(&tree.cliques()[clique], set);
                projection.zip(&mut potentials[clique], values, |cell, value| *cell += value);
            }
        }
    }
    for (top, values) in tops.iter().zip(&theta) {
        top.down.zip(&mut potentials[top.clique], values, |cell, value| *cell += value);
    }
    for (set, cells) in zeros.iter() {
        let clique = tree.holding(domain, set).expect("zeros are covered");
        let barred: Vec<f64> = cells.iter().map(|zero| if *zero { f64::NEG_INFINITY } else { 0.0 }).collect();
        let projection = domain.projection(&tree.cliques()[clique], set);
        projection.zip(&mut potentials[clique], &barred, |cell, value| *cell += value);
    }
    let model = Model::calibrate(domain.clone(), tree, total, potentials);
    let beliefs = descend(&model, &tops, measurements, &mut theta, !zeros.is_empty(), options);
    let theta = Theta(tops.into_iter().map(|top| top.set).zip(theta).collect());
    let tree = model.tree().clone();
    (Model::new(domain.clone(), tree, total, beliefs), theta)
}

fn from_independent(domain: &Domain, measurements: &[Measurement], total: f64) -> Theta {
    // A cell that the noise brought to nothing must be able to come back.
    let log = |counts: Vec<f64>| -> Vec<f64> {
        let least = 0.1 / counts.len() as f64;
        counts.iter().map(|count| (count.max(least) / total).ln()).collect()
    };
    let measured = |column: &usize| measurements.iter().any(|measurement| measurement.set == [*column]);
    let columns = independent(domain, measurements).into_iter().enumerate();
    Theta(columns.filter(|(at, _)| measured(at)).map(|(at, counts)| (vec![at], log(counts))).collect())
}

fn tops(domain: &Domain, tree: &JunctionTree, measurements: &[Measurement]) -> Vec<Top> {
    let within = |small: &Clique, large: &Clique| small.iter().all(|column| large.contains(column));
    let mut sets: Vec<Clique> = Vec::new();
    for measurement in measurements {
        let set = &measurement.set;
        if sets.iter().any(|top| within(set, top)) {
            continue;
        }
        sets.retain(|top| !within(top, set));
        sets.push(set.clone());
    }
    let mut tops: Vec<Top> = sets
        .into_iter()
        .map(|set| {
            let clique = tree.holding(domain, &set).expect("measured sets are covered");
            let down = domain.projection(&tree.cliques()[clique], &set);
            Top { set, clique, down, measured: Vec::new() }
        })
        .collect();
    for (at, measurement) in measurements.iter().enumerate() {
        let top = tops.iter_mut().find(|top| within(&measurement.set, &top.set)).expect("covered by a top");
        top.measured.push((at, domain.projection(&top.set, &measurement.set)));
    }
    tops
}

/// By which share of ⟨∇L, μ - μ′⟩ the loss must fall for a step to be taken.
const SUFFICIENT: f64 = 0.3;
/// How much longer the next step is after one that was taken.
const GROWTH: f64 = 1.25;

/// A length for the first step: 1 / (N Σ 1/σ²), the sum over the measurements on one clique. Entropy is 1/N-strongly convex in
/// the L1 norm, in which the loss is that smooth.
fn first_step(model: &Model, tops: &[Top], measurements: &[Measurement]) -> f64 {
    let weight = |at: usize| {
        let least = measurements[at].sigmas.iter().fold(f64::INFINITY, |least, sigma| least.min(*sigma));
        1.0 / (least * least)
    };
    let of_clique = |clique: usize| -> f64 {
        let own = tops.iter().filter(|top| top.clique == clique);
        own.flat_map(|top| &top.measured).map(|(at, _)| weight(*at)).sum()
    };
    let most = (0..model.tree().cliques().len()).map(of_clique).fold(0.0, f64::max);
    1.0 / (model.total() * most)
}

/// The steps. Gives the beliefs, and adds to `theta` what they moved by.
fn descend(
    model: &Model,
    tops: &[Top],
    measurements: &[Measurement],
    theta: &mut [Vec<f64>],
    has_zeros: bool,
    options: Options,
) -> Vec<Vec<f64>> {
    let cliques = model.tree().cliques().len();
    let mut beliefs: Vec<Vec<f64>> = (0..cliques).map(|clique| model.belief(clique).to_vec()).collect();
    if tops.is_empty() {
        return beliefs;
    }
    let mut stepper = Stepper::new(model, has_zeros);
    let mut next = beliefs.clone();
    let mut now = evaluate(tops, measurements, &beliefs);
    let mut alpha = first_step(model, tops, measurements);
    let mut losses = vec![now.loss];
    for _ in 0..options.steps {
        // Only differences count, so the largest factor can be 1.
        let factors: Vec<Vec<f64>> = now
            .gradients
            .iter()
            .map(|gradient| {
                let least = gradient.iter().fold(f64::INFINITY, |least, value| least.min(*value));
                gradient.iter().map(|value| (-alpha * (value - least)).exp()).collect()
            })
            .collect();
        stepper.step(&mut next, |clique, cells| {
            for (top, factor) in tops.iter().zip(&factors).filter(|(top, _)| top.clique == clique) {
                top.down.zip(cells, factor, |cell, value| *cell *= value);
            }
        });
        let then = evaluate(tops, measurements, &next);
        let mut gain = 0.0;
        for ((gradient, before), after) in now.gradients.iter().zip(&now.marginals).zip(&then.marginals) {
            gain += gradient.iter().zip(before.iter().zip(after)).map(|(g, (b, a))| g * (b - a)).sum::<f64>();
        }
        if gain <= options.tolerance * 1e-6 * now.loss {
            break;
        }
        // Also when the step was so long that everything vanished, and the loss is not a number.
        let enough = now.loss - then.loss >= SUFFICIENT * gain;
        if !enough {
            alpha *= 0.5;
            continue;
        }
        for (theta, gradient) in theta.iter_mut().zip(&now.gradients) {
            theta.iter_mut().zip(gradient).for_each(|(cell, value)| *cell -= alpha * value);
        }
        std::mem::swap(&mut beliefs, &mut next);
        stepper.set(&beliefs);
        now = then;
        alpha *= GROWTH;
        losses.push(now.loss);
        let back = (losses.len() / 10).max(10);
        if losses.len() > back && losses[losses.len() - 1 - back] - now.loss < options.tolerance * now.loss {
            break;
        }
    }
    beliefs
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn totals_weigh_by_variance() {
        let measurements = [
            Measurement::even(vec![0], vec![10.0, 20.0], 1.0),
            Measurement::even(vec![1], vec![5.0, 5.0, 5.0, 5.0], 3.0),
        ];
        // Variances of the sums: 2 and 36.
        let expected = (30.0 / 2.0 + 20.0 / 36.0) / (1.0 / 2.0 + 1.0 / 36.0);
        assert!((total(&measurements) - expected).abs() < 1e-12);
        assert_eq!(total(&[]), 1.0);
        assert_eq!(total(&[Measurement::even(vec![0], vec![-5.0], 1.0)]), 1.0);
    }

    proptest! {
        #[test]
        fn the_projection_meets_the_conditions_of_the_optimum(
            pairs in prop::collection::vec((-50.0..50.0, 0.5..4.0), 1..20), total in 1.0..100.0
        ) {
            let (values, sigmas): (Vec<f64>, Vec<f64>) = pairs.into_iter().unzip();
            let found = project_to_simplex(&values, &sigmas, total);
            prop_assert!((found.iter().sum::<f64>() - total).abs() < 1e-9 * total.max(50.0));
            // (x - y)/σ² is λ where x > 0, and at least λ where x = 0.
            let slope = |at: usize| (found[at] - values[at]) / (sigmas[at] * sigmas[at]);
            let inside: Vec<usize> = (0..found.len()).filter(|at| found[*at] > 0.0).collect();
            let lambda = slope(inside[0]);
            for at in 0..found.len() {
                prop_assert!(found[at] >= 0.0);
                let met = if found[at] > 0.0 { (slope(at) - lambda).abs() < 1e-7 } else { slope(at) >= lambda - 1e-7 };
                prop_assert!(met, "{} of {:?}", at, found);
            }
        }
    }

    fn distance(a: &[f64], b: &[f64]) -> f64 {
        a.iter().zip(b).map(|(a, b)| (a - b).abs()).sum()
    }

    /// Noise that is the same every time, of about this size.
    fn wobble(at: usize, size: f64) -> f64 {
        ((at * 7919 % 101) as f64 / 50.0 - 1.0) * size
    }

    #[test]
    fn single_columns_end_at_their_closed_form() {
        let domain = Domain::new(vec![3, 40]);
        let wide: Vec<f64> = (0..40).map(|at| 1000.0 / (1.0 + at as f64) + wobble(at, 30.0)).collect();
        let narrow = vec![2000.0, 1500.0, 700.0];
        let measurements = [Measurement::even(vec![0], narrow, 20.0), Measurement::even(vec![1], wide, 20.0)];
        let exact = independent(&domain, &measurements);
        let options = Options { steps: 5000, tolerance: 1e-9 };
        let (model, _) = estimate(&domain, &measurements, &Zeros::none(), None, options);
        for (column, exact) in exact.iter().enumerate() {
            assert!(distance(&model.marginal(&[column]), exact) < 1.0, "column {column}");
        }
    }

    #[test]
    fn exact_marginals_of_a_model_are_met_and_a_later_fit_starts_where_an_earlier_one_ended() {
        let domain = Domain::new(vec![3, 4, 2, 5]);
        let sets: [Clique; 3] = [vec![0, 1], vec![1, 2], vec![0, 2]];
        let all: Vec<f64> = (0..120).map(|at| 1.0 + ((at * 31 + 7) % 23) as f64).collect();
        let truth = |set: &[usize]| domain.projection(&[0, 1, 2, 3], set).summed(&all);
        let mut measurements: Vec<Measurement> =
            sets.iter().map(|set| Measurement::even(set.clone(), truth(set), 1.0)).collect();
        let options = Options { steps: 4000, tolerance: 1e-10 };
        let (model, theta) = estimate(&domain, &measurements, &Zeros::none(), None, options);
        for set in &sets {
            assert!(distance(&model.marginal(set), &truth(set)) < 0.5, "{set:?}");
        }
        let without = model.marginal(&[3]);
        assert!(
            without.iter().all(|count| (count - without[0]).abs() < 1e-6),
            "an unmeasured column is even"
        );

        measurements.push(Measurement::even(vec![1, 3], truth(&[1, 3]), 1.0));
        let (later, _) =
            estimate(&domain, &measurements, &Zeros::none(), Some(&theta), Options { steps: 0, ..options });
        for set in &sets {
            assert!(distance(&later.marginal(set), &model.marginal(set)) < 1e-6, "{set:?} before any step");
        }
        let (later, _) = estimate(&domain, &measurements, &Zeros::none(), Some(&theta), options);
        assert!(distance(&later.marginal(&[1, 3]), &truth(&[1, 3])) < 0.5);
    }

    #[test]
    fn impossible_cells_stay_empty() {
        let domain = Domain::new(vec![2, 3, 2]);
        let mut zeros = Zeros::none();
        zeros.add(vec![0, 1], vec![false, false, true, true, false, false]);
        let measurements = [
            Measurement::even(vec![0, 1], vec![50.0, 40.0, 9.0, -3.0, 60.0, 55.0], 5.0),
            Measurement::even(vec![1, 2], vec![20.0, 30.0, 60.0, 40.0, 25.0, 30.0], 5.0),
        ];
        let (model, _) = estimate(&domain, &measurements, &zeros, None, Options::default());
        let pairs = model.marginal(&[0, 1]);
        assert_eq!((pairs[2], pairs[3]), (0.0, 0.0));
        assert!(pairs[0] > 20.0 && (pairs.iter().sum::<f64>() - model.total()).abs() < 1e-6);
    }
}
