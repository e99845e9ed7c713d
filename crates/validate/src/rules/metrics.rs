//! What is held against the rules.

use crate::model::{Attribute, Direction, Metric, Question};

macro_rules! metrics {
    ($($name:ident, $attribute:ident, $direction:ident, $summary:literal, $definition:literal;)*) => {
        $(
            #[doc = $summary]
            pub static $name: Metric = Metric {
                name: stringify_camel(stringify!($name)),
                summary: $summary,
                definition: $definition,
                direction: Direction::$direction,
                question: Question::Rules,
                attribute: Attribute::$attribute,
            };
        )*
        /// All of them.
        pub static METRICS: &[&Metric] = &[$(&$name),*];
    };
}

/// Names of statics are in capitals, those of metrics are not: they stand in this table.
const fn stringify_camel(name: &'static str) -> &'static str {
    const NAMES: &[(&str, &str)] = &[
        ("COLUMN_NAMES", "ColumnNames"),
        ("COLUMN_TYPE", "ColumnType"),
        ("NOT_NULL", "NotNull"),
        ("ROW_COUNT", "RowCount"),
        ("VALUE_RANGE", "ValueRange"),
        ("PATTERN_MATCH", "PatternMatch"),
        ("CATEGORY_SET", "CategorySet"),
        ("UNIQUENESS", "Uniqueness"),
        ("NULL_SHARE", "NullShare"),
        ("ONLY_IF", "OnlyIf"),
        ("COMPUTED_VALUE", "ComputedValue"),
        ("REQUIREMENT", "Requirement"),
        ("DISTRIBUTION_FIT", "DistributionFit"),
        ("CATEGORY_FIT", "CategoryFit"),
        ("SEASONAL_FIT", "SeasonalFit"),
        ("DECLARED_COVERAGE", "DeclaredCoverage"),
        ("SAME_TRUTH", "SameTruth"),
        ("RANK_CORRELATION", "RankCorrelation"),
        ("SUBSET_SIZE", "SubsetSize"),
        ("FOREIGN_KEY", "ForeignKey"),
        ("COPIED_VALUE", "CopiedValue"),
        ("CHILDREN_RANGE", "ChildrenRange"),
        ("CHILDREN_FIT", "ChildrenFit"),
        ("ANOMALY_COUNT", "AnomalyCount"),
        ("MARKS_AGREE", "MarksAgree"),
        ("EXPECTATION", "Expectation"),
    ];
    let mut at = 0;
    while at < NAMES.len() {
        if same(NAMES[at].0.as_bytes(), name.as_bytes()) {
            return NAMES[at].1;
        }
        at += 1;
    }
    panic!("the table has no such name")
}

const fn same(a: &[u8], b: &[u8]) -> bool {
    if a.len() != b.len() {
        return false;
    }
    let mut at = 0;
    while at < a.len() {
        if a[at] != b[at] {
            return false;
        }
        at += 1;
    }
    true
}

metrics! {
    COLUMN_NAMES, Structure, Higher,
        "The table has the declared columns, in their order.",
        "Share of declared columns that stand at their place.";
    COLUMN_TYPE, Structure, Higher,
        "A column has its declared type.",
        "1 if every value of the column is of the declared type, else 0.";
    NOT_NULL, Structure, Lower,
        "A column that cannot be null has no nulls.",
        "Number of nulls.";
    ROW_COUNT, Scalability, Near,
        "The file has as many rows as were to be made.",
        "Rows found against rows in the manifest.";
    VALUE_RANGE, Structure, Lower,
        "Values lie in the range that their rule gives them.",
        "Number of values outside the support of the declared law, after truncate, clamp and round.";
    PATTERN_MATCH, Structure, Lower,
        "Texts have the declared form.",
        "Number of texts that are no words of the pattern.";
    CATEGORY_SET, Structure, Lower,
        "Values are among those declared.",
        "Number of values that the choice does not have.";
    UNIQUENESS, Integrity, Lower,
        "Values do not repeat.",
        "Number of rows whose value another row before them has; by 96-bit hashes of all values, sorted.";
    NULL_SHARE, Statistics, Near,
        "As large a share of the values is null as declared.",
        "Share of nulls among the rows that may have a value; exact binomial tails.";
    ONLY_IF, Consistency, Lower,
        "A value is null where its condition does not hold.",
        "Number of values in rows for which `only_if` does not hold or no case applies.";
    COMPUTED_VALUE, Consistency, Lower,
        "A computed column has the value that follows from the row's other columns.",
        "Number of rows whose value differs from the rule's; floats by more than 1e-9 of their size.";
    REQUIREMENT, Consistency, Lower,
        "Rows meet a `require` condition.",
        "Number of rows for which the condition is not true.";
    DISTRIBUTION_FIT, Statistics, Lower,
        "Numbers follow their declared law, case by case.",
        "Kolmogorov-Smirnov distance: the largest difference of the two distribution functions, at up to 1,024 places; P by the \
         Dvoretzky-Kiefer-Wolfowitz inequality with Massart's constant, which holds for every n and every law. With cases, that \
         of the case with the smallest P, times their number.";
    CATEGORY_FIT, Statistics, Lower,
        "Categories have their declared shares, case by case.",
        "Largest difference of a share from the declared one; P from exact binomial tails and from the likelihood ratio of all \
         categories (R. Agrawal 2020), whichever is smaller, doubled. The message has Pearson's chi-squared.";
    DECLARED_COVERAGE, Diversity, Higher,
        "Every declared value occurs that should.",
        "Share of the declared values that occur, among those that are to be expected 40 times or more: one of them is absent by \
         chance with a probability of e^-40 at most. With cases, of the values of all cases together.";
    SEASONAL_FIT, Time, Lower,
        "Hours of the day, days of the week and months have their declared shares.",
        "As CategoryFit, of the places of a cycle in UTC, with the shares that the declared law of the stamps gives them.";
    SAME_TRUTH, Statistics, Lower,
        "The column looks as the ruleset makes it with another seed.",
        "Distance of the column from a sample that the ruleset makes with another seed: of distribution functions for numbers and \
         lengths of text, of shares for categories and nulls. For columns whose law is not declared in closed form, and whose \
         rows are independent.";
    RANK_CORRELATION, Statistics, Near,
        "Two columns are correlated as declared.",
        "Correlation of F(X) and G(Y), middle ranks where there are ties, with the declared distribution functions (the grade \
         correlation, which is Spearman's of the law); P by Fisher's z.";
    SUBSET_SIZE, Statistics, Near,
        "A subset has exactly its rows.",
        "Rows of the part against the exact quota.";
    FOREIGN_KEY, Integrity, Lower,
        "Every child has a parent.",
        "Number of rows whose key no row of the parent table has; by 96-bit hashes of all keys, merged in order.";
    COPIED_VALUE, Consistency, Lower,
        "A column that repeats the parent's has the parent's value.",
        "Number of rows whose key and value together no row of the parent table has.";
    CHILDREN_RANGE, Integrity, Lower,
        "No parent has more or fewer children than declared.",
        "Number of parents whose number of children lies outside the support of the declared law.";
    CHILDREN_FIT, Integrity, Lower,
        "Parents have as many children as declared.",
        "Kolmogorov-Smirnov distance of the numbers of children from their declared law.";
    ANOMALY_COUNT, Anomalies, Near,
        "Exactly so many rows have an anomaly as were asked for.",
        "Rows with the label against the quota.";
    MARKS_AGREE, Anomalies, Lower,
        "The list of anomalies tells the truth about the rows.",
        "Number of marks whose value after the anomaly is not the one in the file, or whose row has another label.";
    EXPECTATION, Consistency, Near,
        "What the ruleset expects of the table holds.",
        "As the `expect` entry says: exact where it says `within`, `at_least` or `at_most`; with a tolerance that follows from the \
         number of rows where it says `is`.";
}
