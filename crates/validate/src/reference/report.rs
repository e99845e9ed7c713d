//! The scores of SDMetrics' reports: *Quality* and *Diagnostic*, and what they are the means of.

use crate::model::{Attribute, Check, Direction, Metric, Question};

use super::{Comparison, Figure, check};

macro_rules! metric {
    ($name:literal, $summary:literal, $definition:literal, $attribute:ident) => {
        Metric {
            name: $name,
            summary: $summary,
            definition: concat!($definition, " Its ceiling and its threshold are the means of theirs."),
            direction: Direction::Higher,
            question: Question::Reference,
            attribute: Attribute::$attribute,
        }
    };
}

pub(crate) static COLUMN_SHAPES: Metric = metric!(
    "Column Shapes",
    "are single columns distributed alike?",
    "The mean of KSComplement of numbers and times, and TVComplement of the others.",
    Statistics
);
pub(crate) static COLUMN_PAIR_TRENDS: Metric = metric!(
    "Column Pair Trends",
    "do columns hang together alike?",
    "The mean of CorrelationSimilarity (Pearson) of pairs with |r| > 0.5 in the reference, and of ContingencySimilarity of pairs \
     with Cramér's V > 0.3 there; mixed pairs are binned as ContingencySimilarity says.",
    Statistics
);
pub(crate) static CARDINALITY: Metric = metric!(
    "Cardinality",
    "have parents as many children?",
    "The mean of CardinalityShapeSimilarity over all links.",
    Integrity
);
pub(crate) static INTERTABLE_TRENDS: Metric = metric!(
    "Intertable Trends",
    "do columns of parents and children hang together alike?",
    "As Column Pair Trends, of a parent's and a child's column.",
    Consistency
);
pub(crate) static DATA_VALIDITY: Metric = metric!(
    "Data Validity",
    "are values such as the reference has?",
    "The mean of BoundaryAdherence, CategoryAdherence and KeyUniqueness of the columns that they apply to.",
    Consistency
);
pub(crate) static DATA_STRUCTURE: Metric = metric!(
    "Data Structure",
    "are columns such as the reference has?",
    "TableStructure; of several tables, its mean.",
    Structure
);
pub(crate) static RELATIONSHIP_VALIDITY: Metric = metric!(
    "Relationship Validity",
    "are links such as the reference has?",
    "The mean of ReferentialIntegrity and CardinalityBoundaryAdherence over all links.",
    Integrity
);
pub(crate) static QUALITY: Metric = metric!(
    "Quality Score",
    "is the data distributed like the reference?",
    "The mean of Column Shapes and Column Pair Trends; of several tables also of Cardinality and Intertable Trends.",
    Statistics
);
pub(crate) static DIAGNOSTIC: Metric = metric!(
    "Diagnostic Score",
    "is the data valid beside the reference?",
    "The mean of Data Validity and Data Structure; of several tables also of Relationship Validity.",
    Structure
);

/// Value, ceiling and threshold of one score.
type Triple = [f64; 3];

fn mean(of: &'static str, items: &[Triple]) -> Result<Triple, String> {
    if items.is_empty() {
        return Err(of.to_owned());
    }
    let n = items.len() as f64;
    Ok([0, 1, 2].map(|i| items.iter().map(|item| item[i]).sum::<f64>() / n))
}

fn named<'c>(checks: impl Iterator<Item = &'c Check>, metrics: &[&Metric]) -> Vec<Triple> {
    checks
        .filter(|check| metrics.iter().any(|metric| metric.name == check.metric.name))
        .filter_map(|check| Some([check.value?, check.reference?, check.threshold?]))
        .collect()
}

/// The scores of which several are the mean, and what they are called.
struct Scores<'t> {
    table: &'t str,
    found: Vec<Triple>,
    checks: Vec<Check>,
}

impl Scores<'_> {
    fn add(&mut self, metric: &'static Metric, items: &[Triple], without: &'static str) {
        let score = mean(without, items);
        if let Ok(score) = score {
            self.found.push(score);
        }
        let outcome = score.map(|[value, expected, threshold]| Figure {
            value,
            expected,
            threshold,
            n: items.len() as u64,
            basis: "the means of the single checks",
            detail: format!("over {} checks", items.len()),
        });
        self.checks.push(check(metric, self.table, &[], outcome));
    }

    /// The mean of what was added.
    fn close(self, metric: &'static Metric) -> Vec<Check> {
        let mut all = Scores { table: self.table, found: Vec::new(), checks: self.checks };
        all.add(metric, &self.found, "none of its parts could be computed");
        all.checks
    }
}

const NO_SHAPES: &str = "there is no column to compare";
const NO_TRENDS: &str = "no pair of columns hangs together strongly enough in the reference";
const NO_VALIDITY: &str = "there is no column with a range, categories or a key";
const NO_STRUCTURE: &str = "there is no table to compare";
const NO_LINKS: &str = "there is no link to compare";

use super::{
    boundary_adherence as boundary, cardinality_boundary_adherence as child_boundary,
    cardinality_shape_similarity as shape, category_adherence as category, key_uniqueness as key,
    ks_complement as ks, referential_integrity as integrity, table_structure as structure,
    tv_complement as tv,
};

/// Adds the scores of one table.
pub(crate) fn single(table: &str, out: &mut Comparison) {
    let of = |metrics: &[&Metric]| named(out.checks.iter(), metrics);
    let mut quality = Scores { table, found: Vec::new(), checks: Vec::new() };
    quality.add(&COLUMN_SHAPES, &of(&[&ks::METRIC, &tv::METRIC]), NO_SHAPES);
    quality.add(&COLUMN_PAIR_TRENDS, &out.trends, NO_TRENDS);
    let mut diagnostic = Scores { table, found: Vec::new(), checks: Vec::new() };
    diagnostic.add(&DATA_VALIDITY, &of(&[&boundary::METRIC, &category::METRIC, &key::METRIC]), NO_VALIDITY);
    diagnostic.add(&DATA_STRUCTURE, &of(&[&structure::METRIC]), NO_STRUCTURE);
    out.checks.extend(quality.close(&QUALITY));
    out.checks.extend(diagnostic.close(&DIAGNOSTIC));
}

/// What the table is called of checks that speak of all tables together.
pub const ALL_TABLES: &str = "all tables";

/// Adds the scores of links.
pub(crate) fn links(out: &mut Comparison) {
    let of = |metrics: &[&Metric]| named(out.checks.iter(), metrics);
    let mut scores = Scores { table: ALL_TABLES, found: Vec::new(), checks: Vec::new() };
    scores.add(&CARDINALITY, &of(&[&shape::METRIC]), NO_LINKS);
    scores.add(&INTERTABLE_TRENDS, &out.trends, NO_TRENDS);
    scores.add(&RELATIONSHIP_VALIDITY, &of(&[&integrity::METRIC, &child_boundary::METRIC]), NO_LINKS);
    out.checks.extend(scores.checks);
}

/// The scores of several tables together, as SDMetrics' multi-table reports have them: means over all columns, pairs and links,
/// and the means of those. The checks are of [`ALL_TABLES`].
pub fn overall(tables: &[Comparison], links: &Comparison) -> Vec<Check> {
    let checks = || tables.iter().flat_map(|table| &table.checks);
    let of = |metrics: &[&Metric]| named(checks(), metrics);
    let across = |metrics: &[&Metric]| named(links.checks.iter(), metrics);
    let trends: Vec<Triple> = tables.iter().flat_map(|table| table.trends.iter().copied()).collect();
    let mut quality = Scores { table: ALL_TABLES, found: Vec::new(), checks: Vec::new() };
    quality.add(&COLUMN_SHAPES, &of(&[&ks::METRIC, &tv::METRIC]), NO_SHAPES);
    quality.add(&COLUMN_PAIR_TRENDS, &trends, NO_TRENDS);
    let mut diagnostic = Scores { table: ALL_TABLES, found: Vec::new(), checks: Vec::new() };
    diagnostic.add(&DATA_VALIDITY, &of(&[&boundary::METRIC, &category::METRIC, &key::METRIC]), NO_VALIDITY);
    diagnostic.add(&DATA_STRUCTURE, &of(&[&structure::METRIC]), NO_STRUCTURE);
    // Those of the links are there already.
    quality.found.extend(across(&[&CARDINALITY, &INTERTABLE_TRENDS]));
    diagnostic.found.extend(across(&[&RELATIONSHIP_VALIDITY]));
    let mut out = quality.close(&QUALITY);
    out.extend(diagnostic.close(&DIAGNOSTIC));
    out
}
