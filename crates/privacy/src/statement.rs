//! What a run promises, in words and numbers.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

use crate::{Budget, Cost, Unit, belief_factor};

/// What a run promises. Stands in the manifest, and as text beside the figures.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Statement {
    /// The run, as in the ledger.
    pub run: String,
    /// The unit of privacy with its bounds.
    pub unit: Unit,
    /// What neighbouring tables are.
    pub adjacency: String,
    /// Epsilon of this run at `delta`.
    pub epsilon: f64,
    /// Delta of the run's budget.
    pub delta: f64,
    /// The budget of the run.
    pub budget: Budget,
    /// What the run spent.
    pub spent: Cost,
    /// Delta and epsilon at three deltas.
    pub curve: Vec<(f64, f64)>,
    /// Epsilon at `delta` by Gaussian differential privacy, where all noise was Gaussian; for information only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub epsilon_if_gaussian: Option<f64>,
    /// What the table may give away over all runs.
    pub table_budget: Budget,
    /// Epsilon of all runs so far, this one with them, at the delta of the table's budget.
    pub table_epsilon: f64,
    /// How many runs have spent something of it, this one with them.
    pub table_runs: usize,
    /// Where the randomness comes from.
    pub randomness: String,
    /// What was taken as known to everybody: bounds, categories, bins, and so on.
    pub public: Vec<String>,
    /// What the promise does not cover.
    pub not_counted: Vec<String>,
}

impl Statement {
    /// The statement as Markdown.
    pub fn to_markdown(&self) -> String {
        let mut text = String::from("## Privacy\n\n");
        let _ = writeln!(
            text,
            "These figures are ({:.4}, {:e})-differentially private. Whatever somebody knows already, what they believe about \
             whether any one unit was among the data moves by a factor of at most {:.1}, but for a probability of about {:e}.\n",
            self.epsilon,
            self.delta,
            belief_factor(self.epsilon),
            self.delta
        );
        let _ = writeln!(text, "- **Unit of privacy**: {}.", self.unit.describe());
        let _ = writeln!(text, "- **Neighbouring tables**: {}.", self.adjacency);
        let _ = writeln!(
            text,
            "- **Spent in this run**: epsilon {:.4} at delta {:e} ({}), of a budget of {}.",
            self.epsilon, self.delta, self.spent, self.budget
        );
        let curve: Vec<String> =
            self.curve.iter().map(|(delta, epsilon)| format!("{epsilon:.4} at {}", power(*delta))).collect();
        let _ = writeln!(text, "- **Epsilon at other deltas**: {}.", curve.join(", "));
        if let Some(epsilon) = self.epsilon_if_gaussian {
            let _ = writeln!(
                text,
                "- **For information**: all noise was Gaussian, and by the accounting for such noise alone epsilon is \
                 {epsilon:.4}. No budget was decided by it."
            );
        }
        let runs = if self.table_runs == 1 { "1 run".into() } else { format!("{} runs", self.table_runs) };
        let _ = writeln!(
            text,
            "- **Spent of the table in {runs}**: epsilon {:.4} at delta {:e}, of {}.",
            self.table_epsilon, self.table_budget.delta, self.table_budget
        );
        let _ = writeln!(text, "- **Randomness**: {}.", self.randomness);
        list(&mut text, "Taken as public", &self.public);
        list(&mut text, "Not counted", &self.not_counted);
        text
    }

    /// Which files of a run may leave and which must not, as Markdown.
    pub fn files(for_release: &[String], not_for_release: &[String]) -> String {
        let mut text = String::from("## Files\n\n");
        list(&mut text, "For release", for_release);
        list(&mut text, "Not for release", not_for_release);
        text
    }
}

/// A delta without the last bits of a product.
fn power(delta: f64) -> String {
    let rounded: f64 = format!("{delta:.2e}").parse().unwrap_or(delta);
    format!("{rounded:e}")
}

fn list(text: &mut String, title: &str, items: &[String]) {
    if items.is_empty() {
        return;
    }
    let _ = writeln!(text, "- **{title}**:");
    for item in items {
        let _ = writeln!(text, "  - {item}");
    }
}
