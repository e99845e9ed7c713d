//! Subsets of a table: parts with a share of the rows each, in which some columns differ.

use serde_json::json;

use crate::decode::{Count, Decode, Named, Positive, Share, Spanned, Stamp, Time, wrong};
use crate::diagnostic::Problems;
use crate::node::Node;
use crate::{Json, Type, params};

params! {
    /// Parts of a table, in exact shares.
    pub struct Subsets {
        /// Name of a column that says which part a row is of.
        label: Option<Spanned<String>>,
        /// `interleaved`: the parts lie mixed; `in_order`: one after the other.
        order: Order,
        /// The parts, by name.
        parts: Named<Subset>,
    }
}

params! {
    /// A part of a table.
    pub struct Subset {
        /// What it stands for, for readers.
        about: Option<String>,
        /// Share of the rows that no part takes by `count`; all shares together are 100 %.
        share: Option<Spanned<Share>>,
        /// How many rows it has, instead of `share`. With `from`, unless one of the two is said, all rows of the file.
        count: Option<Spanned<Count>>,
        /// A CSV, JSON lines, Parquet or Arrow file in the ruleset's folder tree, whose rows these are: where it has a column
        /// of the name, a column or draw has its values.
        from: Option<Spanned<String>>,
        /// With `from`: rows are drawn with replacement. Without it, none comes twice before all came once.
        replace: bool = false,
        /// With `from`: types of the file's columns, instead of those that are found.
        types: Named<Type>,
        /// The columns that differ, with their rules.
        columns: Named<Node>,
        /// The draws that differ.
        draws: Named<Node>,
        /// How its times lie against the table's.
        align: Option<Align>,
    }
}

params! {
    /// A shift and stretch of times: `from` + (time − `from`) × `stretch` + `shift`.
    pub struct Align {
        /// Columns or draws of dates or stamps.
        columns: Vec<Spanned<String>>,
        /// How much later; earlier with a minus sign.
        shift: Time = Time(0),
        /// By how much distances from `from` grow.
        stretch: Positive = Positive(1.0),
        /// The point in time that a stretch leaves where it is.
        from: Option<Stamp>,
    }
}

/// How the parts of a table lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// Mixed, by a keyed permutation of the rows.
    Interleaved,
    /// One after the other, as listed.
    InOrder,
}

impl Decode for Order {
    fn decode(node: &Node, problems: &mut Problems) -> Option<Self> {
        match node.as_scalar().map(|scalar| scalar.text.as_str()) {
            Some("interleaved") => Some(Order::Interleaved),
            Some("in_order") => Some(Order::InOrder),
            _ => {
                wrong(node, Self::what(), problems);
                None
            }
        }
    }
    fn missing() -> Option<Self> {
        Some(Order::Interleaved)
    }
    fn what() -> String {
        "`interleaved` or `in_order`".into()
    }
    fn schema() -> Json {
        json!({"enum": ["interleaved", "in_order"]})
    }
}
