//! Columns as codes, and sets of them.

use super::projection::Projection;

/// How many codes each column has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Domain {
    sizes: Vec<usize>,
}

/// A set of columns, by number, in ascending order.
pub type Clique = Vec<usize>;

impl Domain {
    /// A domain of columns with these numbers of codes, each at least 1.
    ///
    /// # Panics
    /// If a column has no codes.
    pub fn new(sizes: Vec<usize>) -> Domain {
        assert!(sizes.iter().all(|size| *size > 0), "a column needs a code");
        Domain { sizes }
    }

    /// Numbers of codes, by column.
    pub fn sizes(&self) -> &[usize] {
        &self.sizes
    }

    /// How many columns there are.
    pub fn len(&self) -> usize {
        self.sizes.len()
    }

    /// Whether there are no columns.
    pub fn is_empty(&self) -> bool {
        self.sizes.is_empty()
    }

    /// How many cells a set of columns has; may be more than memory holds.
    pub fn cells(&self, clique: &[usize]) -> f64 {
        clique.iter().map(|column| self.sizes[*column] as f64).product()
    }

    /// [`cells`](Self::cells), for sets that are held in memory.
    pub fn len_of(&self, clique: &[usize]) -> usize {
        clique.iter().map(|column| self.sizes[*column]).product()
    }

    /// How the cells of `from` fall on those of `to`, a subset of it.
    pub fn projection(&self, from: &[usize], to: &[usize]) -> Projection {
        Projection::new(self, from, to)
    }
}

/// A table of codes.
#[derive(Clone, Debug)]
pub struct Coded {
    domain: Domain,
    columns: Vec<Vec<u32>>,
    rows: usize,
}

impl Coded {
    /// A table of codes, column by column.
    ///
    /// # Panics
    /// If the columns differ in length, or a code is not in the domain.
    pub fn new(domain: Domain, columns: Vec<Vec<u32>>) -> Coded {
        let rows = columns.first().map_or(0, Vec::len);
        assert_eq!(columns.len(), domain.len(), "a column for each of the domain's");
        for (column, size) in columns.iter().zip(domain.sizes()) {
            assert_eq!(column.len(), rows, "columns of one length");
            assert!(column.iter().all(|code| (*code as usize) < *size), "codes within the domain");
        }
        Coded { domain, columns, rows }
    }

    /// The domain.
    pub fn domain(&self) -> &Domain {
        &self.domain
    }

    /// The codes, column by column.
    pub fn columns(&self) -> &[Vec<u32>] {
        &self.columns
    }

    /// How many rows there are. Private: only what the filter lets through may depend on it.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// How many rows fall into each cell of a set of columns; the last column's code varies fastest.
    pub fn counts(&self, clique: &[usize]) -> Vec<i64> {
        let mut counts = vec![0; self.domain.len_of(clique)];
        match clique {
            [] => counts[0] = self.rows as i64,
            [a] => self.columns[*a].iter().for_each(|code| counts[*code as usize] += 1),
            [a, b] => {
                let size = self.domain.sizes[*b];
                let pairs = self.columns[*a].iter().zip(&self.columns[*b]);
                pairs.for_each(|(x, y)| counts[*x as usize * size + *y as usize] += 1);
            }
            _ => {
                for row in 0..self.rows {
                    let at = clique.iter().fold(0, |at, column| {
                        at * self.domain.sizes[*column] + self.columns[*column][row] as usize
                    });
                    counts[at] += 1;
                }
            }
        }
        counts
    }

    /// The table with other codes: code `c` of column `i` becomes `map[i][c]`.
    #[must_use]
    pub fn recoded(&self, map: &[Vec<u32>]) -> Coded {
        let size = |map: &Vec<u32>| map.iter().max().map_or(1, |code| *code as usize + 1);
        let recode =
            |(codes, map): (&Vec<u32>, &Vec<u32>)| codes.iter().map(|code| map[*code as usize]).collect();
        Coded {
            domain: Domain::new(map.iter().map(size).collect()),
            columns: self.columns.iter().zip(map).map(recode).collect(),
            rows: self.rows,
        }
    }
}
