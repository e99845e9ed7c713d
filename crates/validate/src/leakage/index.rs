//! An index of rows, to find the closest ones without looking at all.
//!
//! A tree of boxes: the rows are split in two again and again, by categories first, then by the number that spreads most,
//! and each part knows the least and the greatest value of each column. A part whose box is farther away than what was found
//! already is not looked at. The tree is exact for the distance of [`Space`], nulls and categories included, which those that
//! are to be had for points in plain space are not.

use super::space::{Dimension, Space};

/// Rows of a leaf.
const LEAF: usize = 24;

/// The index of a space.
pub(crate) struct Index<'s> {
    space: &'s Space,
    order: Vec<u32>,
    nodes: Vec<Node>,
    /// Of each node and column: least and greatest value, and whether there are nulls.
    boxes: Vec<Extent>,
}

struct Node {
    start: u32,
    end: u32,
    /// The first of two parts, side by side; 0 for a leaf.
    parts: u32,
}

#[derive(Clone, Copy)]
struct Extent {
    least: f64,
    greatest: f64,
    nulls: bool,
}

/// The two closest rows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Closest {
    /// Distance of the closest, as a mean over the columns: 0 to 1.
    pub first: f64,
    /// Distance of the second closest.
    pub second: f64,
}

impl<'s> Index<'s> {
    pub fn new(space: &'s Space) -> Index<'s> {
        let mut index = Index {
            space,
            order: (0..space.rows as u32).collect(),
            nodes: vec![Node { start: 0, end: space.rows as u32, parts: 0 }],
            boxes: Vec::new(),
        };
        let mut at = 0;
        while at < index.nodes.len() {
            index.split(at);
            at += 1;
        }
        index
    }

    /// Measures a node's box, and makes its parts.
    fn split(&mut self, at: usize) {
        let (start, end) = (self.nodes[at].start as usize, self.nodes[at].end as usize);
        let width = self.space.width;
        let extents: Vec<Extent> = (0..width)
            .map(|column| {
                let mut extent = Extent { least: f64::INFINITY, greatest: f64::NEG_INFINITY, nulls: false };
                for &row in &self.order[start..end] {
                    let value = self.space.row(row as usize)[column];
                    if value.is_nan() {
                        extent.nulls = true;
                    } else {
                        extent.least = extent.least.min(value);
                        extent.greatest = extent.greatest.max(value);
                    }
                }
                extent
            })
            .collect();
        self.boxes.extend(&extents);
        if end - start <= LEAF {
            return;
        }
        let spread = |column: usize| {
            let Extent { least, greatest, nulls } = extents[column];
            match (nulls, least < greatest, self.space.dimensions[column]) {
                (true, _, _) if least <= greatest => 1.0,
                (_, true, Dimension::Range(range)) => 0.99 * (greatest - least) / range,
                (_, true, Dimension::Code) => 1.0,
                _ => 0.0,
            }
        };
        let column =
            (0..width).fold(0, |best, column| if spread(column) > spread(best) { column } else { best });
        if width == 0 || spread(column) == 0.0 {
            return; // All rows are alike.
        }
        let space = self.space;
        let key = |row: u32| {
            let value = space.row(row as usize)[column];
            if value.is_nan() { f64::NEG_INFINITY } else { value }
        };
        let part = &mut self.order[start..end];
        let middle = part.len() / 2;
        let (_, &mut median, _) = part.select_nth_unstable_by(middle, |&a, &b| key(a).total_cmp(&key(b)));
        let pivot = key(median);
        // What is below the median goes left; where nothing is, what equals it does.
        let mut cut = partition(part, |row| key(row) < pivot);
        if cut == 0 {
            cut = partition(part, |row| key(row) <= pivot);
        }
        let parts = self.nodes.len() as u32;
        self.nodes[at].parts = parts;
        let cut = (start + cut) as u32;
        self.nodes.push(Node { start: start as u32, end: cut, parts: 0 });
        self.nodes.push(Node { start: cut, end: end as u32, parts: 0 });
    }

    /// How far a point is from a node's box, at least.
    fn beyond(&self, node: usize, point: &[f64], limit: f64) -> f64 {
        let width = self.space.width;
        let mut sum = 0.0;
        for (column, extent) in self.boxes[node * width..(node + 1) * width].iter().enumerate() {
            let x = point[column];
            sum += if x.is_nan() {
                f64::from(u8::from(!extent.nulls))
            } else if extent.least > extent.greatest {
                1.0
            } else {
                let nearest = x.clamp(extent.least, extent.greatest);
                self.space.dimensions[column].distance(x, nearest)
            };
            if sum > limit {
                break;
            }
        }
        sum
    }

    /// The two rows closest to a point, but for one row.
    pub fn closest(&self, point: &[f64], but: Option<usize>) -> Closest {
        let (mut first, mut second) = (f64::INFINITY, f64::INFINITY);
        let mut open = vec![(0.0, 0)];
        while let Some((least, at)) = open.pop() {
            if least >= second {
                continue;
            }
            let node = &self.nodes[at];
            if node.parts == 0 {
                for &row in &self.order[node.start as usize..node.end as usize] {
                    if Some(row as usize) == but {
                        continue;
                    }
                    let distance = self.space.distance(point, row as usize, second);
                    if distance < first {
                        (first, second) = (distance, first);
                    } else if distance < second {
                        second = distance;
                    }
                }
                continue;
            }
            let parts = [node.parts as usize, node.parts as usize + 1]
                .map(|part| (self.beyond(part, point, second), part));
            // The nearer part is looked at first, so it is put on top.
            let [a, b] = parts;
            open.extend(if a.0 <= b.0 { [b, a] } else { [a, b] });
        }
        let width = self.space.width as f64;
        Closest { first: first / width, second: second / width }
    }
}

/// Moves what meets a condition to the front, and says how many do.
fn partition(rows: &mut [u32], first: impl Fn(u32) -> bool) -> usize {
    let mut at = 0;
    for i in 0..rows.len() {
        if first(rows[i]) {
            rows.swap(i, at);
            at += 1;
        }
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;
    use lookalike_core::Seed;
    use lookalike_core::stream::open01;

    /// The index finds what a look at all rows finds: numbers, categories, nulls, constants, ties.
    #[test]
    fn as_a_look_at_all_rows() {
        let (rows, width) = (700, 5);
        let stream = Seed::new(5).stream();
        let mut values = Vec::new();
        for row in 0..rows as u64 {
            let draw = |lane: u32| open01(stream.word(row, lane));
            values.push(-libm::log(draw(0)));
            values.push((draw(1) * 4.0).floor());
            values.push(if draw(2) < 0.2 { f64::NAN } else { (draw(3) * 10.0).floor() });
            values.push(7.0);
            values.push(if draw(4) < 0.5 { f64::NAN } else { (draw(5) * draw(5) * 30.0).floor() });
        }
        let range = |column: usize| {
            let all = values.iter().skip(column).step_by(width).filter(|x| !x.is_nan());
            let (least, greatest) =
                all.fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), &x| (a.min(x), b.max(x)));
            Dimension::Range(greatest - least)
        };
        let dimensions = vec![range(0), Dimension::Code, range(2), range(3), Dimension::Code];
        let space = Space { values, width, rows, all_rows: rows, dimensions };
        let index = Index::new(&space);
        for query in 0..200 {
            for but in [None, Some(query)] {
                let mut all: Vec<f64> = (0..rows)
                    .filter(|row| Some(*row) != but)
                    .map(|row| space.distance(space.row(query), row, f64::INFINITY) / width as f64)
                    .collect();
                all.sort_unstable_by(f64::total_cmp);
                let found = index.closest(space.row(query), but);
                assert_eq!((found.first, found.second), (all[0], all[1]), "row {query}");
            }
        }
    }
}
