//! What a database can be told to enforce of a table: keys, references to parents, and what values lie in.

use lookalike_core::declared::{self, Constraints, Foreign, Limits, Promise};

use crate::audit::is_key;
use crate::links::Mode;
use crate::plan::{Column, TablePlan};

/// The most texts that are listed as the only ones of a column.
const MAX_LISTED: usize = 50;

impl TablePlan {
    /// What holds for all rows as they are written. Columns that anomalies change promise nothing, unless it is the rows
    /// without anomalies (`clean`) that are meant.
    pub fn constraints(&self, clean: bool) -> Constraints {
        let sound = |column: &&Column| column.written && (clean || column.dirty.is_none());
        let columns = || self.columns.iter().filter(sound);
        let mut keys: Vec<&Column> = columns().filter(|column| is_key(column)).collect();
        let primary = keys.iter().position(|key| !key.output.nullable).map(|at| keys.remove(at).name.clone());
        let is_sound = |name: &str| columns().any(|column| column.name == *name);
        let mut references: Vec<declared::Reference> = self.references();
        references.retain(|reference| reference.is_key && is_sound(&reference.column));
        let mut unique: Vec<Vec<String>> = keys.iter().map(|key| vec![key.name.clone()]).collect();
        unique.extend(self.combination(&references));
        let audit = self.audit(is_sound);
        let limits = audit.declared().columns.iter().filter_map(limits).collect();
        let foreign = references.into_iter().map(|reference| Foreign {
            column: reference.column,
            parent: reference.parent,
            parent_column: reference.parent_column,
        });
        Constraints { primary, unique, foreign: foreign.collect(), limits }
    }

    /// The columns with the keys of the parents of which no combination comes twice.
    fn combination(&self, references: &[declared::Reference]) -> Option<Vec<String>> {
        let mut unique = Vec::new();
        for link in &self.links {
            match link.mode {
                Mode::Combination { .. } => unique.push(&link.name),
                Mode::Within { within, .. } => unique.extend([&self.links[within].name, &link.name]),
                _ => {}
            }
        }
        unique.sort();
        unique.dedup();
        let key = |link: &&String| references.iter().find(|reference| reference.link == **link);
        let keys: Option<Vec<String>> = unique.iter().map(|link| Some(key(link)?.column.clone())).collect();
        keys.filter(|keys| !keys.is_empty())
    }
}

/// What the values of a column lie in, over all rules behind it.
fn limits(column: &declared::Column) -> Option<(String, Limits)> {
    let mut all: Option<Limits> = None;
    for leaf in &column.leaves {
        let of = match &leaf.promise {
            Promise::Spread(spread) => {
                let (low, high) = spread.support();
                Limits::Within(low, high)
            }
            Promise::Shares(shares) => Limits::OneOf(shares.iter().map(|(value, _)| value.clone()).collect()),
            _ => return None,
        };
        all = Some(match (all, of) {
            (None, of) => of,
            (Some(Limits::Within(a, b)), Limits::Within(c, d)) => Limits::Within(a.min(c), b.max(d)),
            (Some(Limits::OneOf(mut values)), Limits::OneOf(more)) => {
                values.extend(more.into_iter().filter(|value| !values.contains(value)).collect::<Vec<_>>());
                Limits::OneOf(values)
            }
            _ => return None,
        });
    }
    match all? {
        Limits::Within(low, high)
            if low.is_nan() || high.is_nan() || low.is_infinite() && high.is_infinite() =>
        {
            None
        }
        Limits::OneOf(values) if values.len() > MAX_LISTED => None,
        limits => Some((column.name.clone(), limits)),
    }
}
