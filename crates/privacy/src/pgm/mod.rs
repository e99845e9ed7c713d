//! Private-PGM: the distribution that agrees best with noisy marginals.
//!
//! Given noisy counts of some marginals, [`estimate`] finds among all distributions over the domain the one whose own
//! marginals are nearest to them, weighted by their variances. It is a graphical model, so that the table of all cells
//! is never made: the model is held as tables on the cliques of a [junction tree](JunctionTree), and any other marginal is
//! answered from those. All of this is post-processing: it reads releases, never rows.
//!
//! R. McKenna, D. Sheldon, G. Miklau, "Graphical-model based estimation and inference for differential privacy", ICML 2019.

mod domain;
mod estimate;
mod junction;
mod model;
mod projection;

pub use domain::{Clique, Coded, Domain};
pub use estimate::{Measurement, Options, Theta, Zeros, estimate, independent, project_to_simplex, total};
pub use junction::JunctionTree;
pub use model::Model;
pub use projection::Projection;

/// A share of the total that counts as nothing, so that a cell can be small without being impossible for good.
pub(crate) const TINY: f64 = 1e-150;
