//! Entities: which rows belong together, for kinds whose values have a past within one entity.

use lookalike_ruleset::decode::{Decode, Spanned};
use lookalike_ruleset::{Diagnostic, Json, Node, Problems, Span, Type};
use serde_json::json;

use crate::generator::{Block, Failure, InputId, InputName, Site};

/// What the user writes under `per`: the name of a link, `table` or `row`.
#[derive(Clone, Debug, PartialEq)]
pub struct Per(Spanned<String>);

impl Per {
    /// The whole table is one entity: what holds where nothing is written.
    pub fn table() -> Per {
        Per(Spanned { value: TABLE.to_owned(), span: Span::default() })
    }
}

impl Per {
    /// What is written: the name of a link, `table` or `row`.
    pub fn name(&self) -> &str {
        &self.0.value
    }

    /// Where it is written.
    pub fn span(&self) -> Span {
        self.0.span
    }
}

const TABLE: &str = "table";
const ROW: &str = "row";

/// Names that a link cannot have, because they mean something where links are named.
pub const RESERVED: [&str; 3] = [TABLE, ROW, "param"];

impl Decode for Per {
    fn decode(node: &Node, problems: &mut Problems) -> Option<Self> {
        Spanned::decode(node, problems).map(Per)
    }
    fn what() -> String {
        "the name of a link (one entity for each parent), `table` (one for the whole table) or `row` (one for each row)".into()
    }
    fn schema() -> Json {
        json!({"type": "string"})
    }
}

/// The entities of a table, ready to be asked.
#[derive(Clone, Copy, Debug)]
pub enum Entity {
    /// The whole table is one entity.
    Table {
        /// Rows of the table.
        rows: u64,
    },
    /// Each row is an entity.
    Row,
    /// The children of one parent are an entity.
    Link {
        /// The parent's row.
        row: InputId,
        /// The row's place among its parent's children, and how many there are; where the link has `per_parent`.
        order: Option<(InputId, InputId)>,
    },
}

/// Where a row stands in its entity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Number of the entity: the parent's row, the row itself, or 0.
    pub entity: u64,
    /// The row's place in it, from 0.
    pub ordinal: u64,
    /// How many rows the entity has.
    pub count: u64,
}

impl Per {
    /// Adds what [`prepare`](Self::prepare) reads. With `ordered`, places within the entity are wanted, and not only which
    /// entity a row belongs to.
    pub fn inputs(&self, ordered: bool, inputs: &mut Vec<InputName>) {
        let Per(Spanned { value: name, span }) = self;
        if name != TABLE && name != ROW {
            let parts: &[&str] = if ordered { &["#row", "#ordinal", "#count"] } else { &["#row"] };
            inputs.extend(parts.iter().map(|part| InputName { name: format!("{name}.{part}"), span: *span }));
        }
    }

    /// Gets ready; `None` where the link's columns are not to be had, which was reported.
    pub fn prepare(&self, ordered: bool, site: &mut Site<'_>) -> Option<Entity> {
        let Per(Spanned { value: name, span }) = self;
        match name.as_str() {
            TABLE => return Some(Entity::Table { rows: site.rows }),
            ROW => return Some(Entity::Row),
            _ => {}
        }
        let mut input = |part: &str| {
            let (id, output) = site.input(&format!("{name}.{part}"))?;
            if output.ty == Type::Int && !output.nullable {
                return Some(id);
            }
            site.problems.push(
                Diagnostic::error(
                    "optional-link",
                    *span,
                    format!("rows without a `{name}` belong to no entity"),
                )
                .label("this link can be null")
                .help("give every row a parent, or use another link"),
            );
            None
        };
        let row = input("#row")?;
        let order = if ordered { Some((input("#ordinal")?, input("#count")?)) } else { None };
        Some(Entity::Link { row, order })
    }
}

impl Entity {
    /// The entity of each row of the block.
    ///
    /// # Errors
    /// When polars fails.
    pub fn numbers(&self, block: &Block<'_>) -> Result<Vec<u64>, Failure> {
        match self {
            Entity::Table { .. } => Ok(vec![0; block.len()]),
            Entity::Row => Ok(block.rows.iter().collect()),
            Entity::Link { row, .. } => whole(block, *row),
        }
    }

    /// The place of each row of the block in its entity.
    ///
    /// # Errors
    /// When polars fails.
    ///
    /// # Panics
    /// When [`Per::prepare`] was not asked for places.
    pub fn places(&self, block: &Block<'_>) -> Result<Vec<Place>, Failure> {
        match self {
            Entity::Table { rows } => {
                Ok(block.rows.iter().map(|row| Place { entity: 0, ordinal: row, count: *rows }).collect())
            }
            Entity::Row => {
                Ok(block.rows.iter().map(|row| Place { entity: row, ordinal: 0, count: 1 }).collect())
            }
            Entity::Link { row, order } => {
                let (ordinal, count) = order.expect("prepared with places");
                let (rows, ordinals, counts) =
                    (whole(block, *row)?, whole(block, ordinal)?, whole(block, count)?);
                let place = |((entity, ordinal), count)| Place { entity, ordinal, count };
                Ok(rows.into_iter().zip(ordinals).zip(counts).map(place).collect())
            }
        }
    }
}

/// Calls `each` for every entity among the places, with its number and the positions of its places, by ordinal. So what
/// belongs together is walked once and in order, however the rows are scattered.
pub fn for_each(places: &[Place], mut each: impl FnMut(u64, &[u32])) {
    let place = |position: u32| places[position as usize];
    let mut order: Vec<u32> = (0..places.len() as u32).collect();
    // Rows of a range are mostly in order already, which makes this cheap.
    order.sort_by_key(|position| (place(*position).entity, place(*position).ordinal));
    for positions in order.chunk_by(|a, b| place(*a).entity == place(*b).entity) {
        each(place(positions[0]).entity, positions);
    }
}

/// An input of whole numbers that are never null nor negative.
fn whole(block: &Block<'_>, id: InputId) -> Result<Vec<u64>, Failure> {
    let series = block.input(id);
    Ok(series.i64()?.iter().map(|value| value.unwrap_or(0) as u64).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scattered_places_are_brought_together() {
        let place = |entity, ordinal| Place { entity, ordinal, count: 9 };
        let places = [place(7, 3), place(2, 1), place(7, 0), place(2, 0), place(7, 3)];
        let mut seen = Vec::new();
        for_each(&places, |entity, positions| seen.push((entity, positions.to_vec())));
        assert_eq!(seen, [(2, vec![3, 1]), (7, vec![2, 0, 4])]);
    }
}
