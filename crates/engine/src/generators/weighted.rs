//! `weighted`: values from a file, by weight, given the values of other columns.

use std::collections::HashMap;

use lookalike_core::stream::{Stream, open01};
use lookalike_core::{Permutation, Seed};
use lookalike_ruleset::decode::{Spanned, parse_number};
use lookalike_ruleset::diagnostic::did_you_mean;
use lookalike_ruleset::document::Lookup as File;
use lookalike_ruleset::{Diagnostic, Span, Type, params};
use polars::prelude::*;

use super::lookup::{Column, Names, Values, codes, known_values};
use crate::build::Builder;
use crate::generator::{Block, Failure, Generator, Group, InputId, InputName, Kind, Output, Rule, Site};
use crate::pick::Pick;

params! {
    /// Where weighted values stand.
    struct Params {
        /// Name of the lookup, as under `lookups`. Its key is the columns `by`, in their order, and then the column with the values.
        r#in: Spanned<String>,
        /// Column of the file with the values; an empty field is null.
        take: Spanned<String>,
        /// Columns or draws of the table, in the order of the lookup's key; none for values that depend on nothing.
        by: Names = Names(Vec::new()),
        /// Column of the file with the weights; only the proportions among lines with the same `by` count.
        weight: Spanned<String> = Spanned { value: "weight".into(), span: Span::default() },
        /// For numbers of rows that are exact, not drawn: the lookups of the columns that come before this one, the first column's first, each the one that the next depends on. For the first column `[]`.
        exact: Option<Vec<Spanned<String>>>,
    }
}

impl Rule for Params {
    fn build(self, _: Span, _: &mut Builder<'_>) -> Option<Box<dyn Generator>> {
        let by =
            self.by.0.iter().map(|name| InputName { name: name.value.clone(), span: name.span }).collect();
        Some(Box::new(Weighted { params: self, by, ready: None }))
    }
}

struct Weighted {
    params: Params,
    by: Vec<InputName>,
    ready: Option<Ready>,
}

struct Ready {
    way: Way,
    values: Values,
}

/// How a row's line is found.
enum Way {
    /// Drawn, given the values of other columns.
    Drawn { inputs: Vec<Input>, table: Table, picks: Vec<Pick>, stream: Stream },
    /// By the row's place among all rows: the last link's line.
    Exact(Vec<Link>),
}

/// A column that is read, as positions among the values of the file.
struct Input {
    id: InputId,
    texts: HashMap<String, u32>,
    /// For a column with known values, the position of each.
    known: Option<Vec<u32>>,
}

/// Stands for a value that the file does not have.
const NOWHERE: u32 = u32::MAX;

/// The lines of a file, in groups with the same values before the last column of the key.
struct Table {
    /// For each column of the key but the last, the positions of its values.
    texts: Vec<HashMap<String, u32>>,
    /// The group with these positions, in mixed radix.
    groups: HashMap<u64, u32>,
    /// The lines of each group, in the order of the file.
    lines: Vec<Vec<u32>>,
    weights: Vec<f64>,
}

impl Table {
    /// Reads the groups of a file; gives what is wrong with it.
    fn read(file: &File, weight: &str) -> Result<Table, String> {
        let Some(weight) = file.header.iter().position(|name| name == weight) else {
            return Err(did_you_mean(weight, "columns", file.header.iter().map(String::as_str)));
        };
        let parents = &file.key[..file.key.len() - 1];
        let mut table = Table {
            texts: vec![HashMap::new(); parents.len()],
            groups: HashMap::new(),
            lines: Vec::new(),
            weights: Vec::with_capacity(file.lines.len()),
        };
        for line in &file.lines {
            for (texts, at) in table.texts.iter_mut().zip(parents) {
                let next = texts.len() as u32;
                texts.entry(line[*at].clone()).or_insert(next);
            }
        }
        let combinations =
            table.texts.iter().try_fold(1u64, |all, texts| all.checked_mul(texts.len().max(1) as u64));
        if combinations.is_none() {
            return Err("the key has too many combinations of values".into());
        }
        for (at, line) in file.lines.iter().enumerate() {
            match parse_number(&line[weight]).filter(|weight| *weight >= 0.0 && weight.is_finite()) {
                Some(weight) => table.weights.push(weight),
                None => {
                    return Err(format!(
                        "`{}` on line {} is not a weight of at least 0",
                        line[weight],
                        at + 2
                    ));
                }
            }
            let positions = table.texts.iter().zip(parents).map(|(texts, part)| texts[&line[*part]]);
            let code = table.code(positions).ok_or("the key has too many combinations of values")?;
            let next = table.lines.len() as u32;
            let group = *table.groups.entry(code).or_insert(next);
            if group == next {
                table.lines.push(Vec::new());
            }
            table.lines[group as usize].push(at as u32);
        }
        let empty = table.lines.iter().find(|lines| table.weight_of(lines) <= 0.0);
        match empty.map(|lines| lines[0] + 2) {
            Some(line) => {
                Err(format!("the weights of the lines that belong together with line {line} add up to 0"))
            }
            None if table.lines.is_empty() => Err("the file has no lines".into()),
            None => Ok(table),
        }
    }

    fn weight_of(&self, lines: &[u32]) -> f64 {
        lines.iter().map(|line| self.weights[*line as usize]).sum()
    }

    /// A group's number in mixed radix; `None` where a value is not in the file.
    fn code(&self, positions: impl Iterator<Item = u32>) -> Option<u64> {
        let mut code = 0u64;
        for (position, texts) in positions.zip(&self.texts) {
            if position == NOWHERE {
                return None;
            }
            code = code * texts.len() as u64 + u64::from(position);
        }
        Some(code)
    }
}

// ---- exact numbers of rows -------------------------------------------------------------------------------------------

/// A column whose numbers of rows are fixed: how many rows each line has, and which ones.
///
/// The rows of a group are numbered from 0, and a permutation that belongs to the group sends them to the group's lines,
/// each of which owns an interval. So a row's line is found from its number in the group, and its number in the line is what
/// is left over. The next link's groups are unions of lines of this one: a row's number in such a group is its number in the
/// line, after the rows of the lines before. Thus every row is found alone, and each line has exactly its rows.
struct Link {
    groups: Vec<LinkGroup>,
    /// For each line of the file: the group of the next link that it belongs to, and how many rows of that group come before.
    next: Vec<(u32, u64)>,
}

struct LinkGroup {
    shuffle: Option<Permutation>,
    lines: Vec<u32>,
    /// Where each line's interval begins.
    starts: Vec<u64>,
}

impl Link {
    /// Fixes the numbers of rows of all lines: the expected ones, rounded down or up. In each group the sum of the lines so far
    /// is rounded at a common random place, which leaves every expectation as it is (systematic sampling; W. G. Madow, "On
    /// the theory of systematic sampling, II", Annals of Mathematical Statistics 20, 1949).
    fn new(table: &Table, rows: &[u64], seed: Seed) -> (Link, Vec<u64>) {
        let places = seed.derive("place").stream();
        let shuffles = seed.derive("shuffle");
        let mut counts = vec![0u64; table.weights.len()];
        let mut groups = Vec::with_capacity(table.lines.len());
        for (group, (lines, rows)) in table.lines.iter().zip(rows).enumerate() {
            let place = open01(places.word(group as u64, 0));
            let all = table.weight_of(lines);
            let last = lines.iter().rposition(|line| table.weights[*line as usize] > 0.0).unwrap_or(0);
            let (mut sum, mut start) = (0.0, 0);
            let mut starts = Vec::with_capacity(lines.len());
            for (at, line) in lines.iter().enumerate() {
                starts.push(start);
                sum += table.weights[*line as usize];
                let end = if at >= last { *rows } else { (sum / all * *rows as f64 + place).floor() as u64 };
                let end = end.clamp(start, *rows);
                counts[*line as usize] = end - start;
                start = end;
            }
            let shuffle = (*rows > 0).then(|| Permutation::new(*rows, shuffles.derive_index(group as u64)));
            groups.push(LinkGroup { shuffle, lines: lines.clone(), starts });
        }
        (Link { groups, next: Vec::new() }, counts)
    }

    /// The line of a row of a group, and its number among the rows of that line.
    fn find(&self, group: u32, row: u64) -> Option<(u32, u64)> {
        let group = self.groups.get(group as usize)?;
        let at = group.shuffle.as_ref().filter(|shuffle| row < shuffle.n())?.apply(row);
        let line = group.starts.partition_point(|start| *start <= at) - 1;
        Some((group.lines[line], at - group.starts[line]))
    }
}

impl Weighted {
    fn refuse(span: Span, message: String, help: impl Into<String>, site: &mut Site<'_>) {
        site.problems.error("bad-lookup", span, message, help);
    }

    /// A file by its name, with its groups, or problems.
    fn table<'a>(&self, name: &Spanned<String>, site: &mut Site<'a>) -> Option<(&'a File, Table)> {
        let world = site.world;
        let Some(file) = world.lookups.iter().find(|lookup| lookup.name == name.value) else {
            let help =
                did_you_mean(&name.value, "lookups", world.lookups.iter().map(|lookup| lookup.name.as_str()));
            let message = format!("there is no lookup `{}`", name.value);
            site.problems.error("unknown-lookup", name.span, message, help);
            return None;
        };
        match Table::read(file, &self.params.weight.value) {
            Ok(table) => Some((file, table)),
            Err(help) => {
                let message =
                    format!("`{}` holds no weights in a column `{}`", file.file, self.params.weight.value);
                Self::refuse(name.span, message, help, site);
                None
            }
        }
    }

    /// The file of this column, or problems.
    fn own<'a>(&self, site: &mut Site<'a>) -> Option<(&'a File, Table, usize)> {
        let (file, table) = self.table(&self.params.r#in, site)?;
        let take = &self.params.take;
        let last = file.key.last().copied().unwrap_or_default();
        if file.header[last] != take.value {
            let message = format!(
                "the key of `{}` ends with `{}`, not with `{}`",
                file.name, file.header[last], take.value
            );
            Self::refuse(
                take.span,
                message,
                "the lookup's key is the columns in `by` and then the one to take",
                site,
            );
            return None;
        }
        if self.by.len() + 1 != file.key.len() {
            let key: Vec<&str> = file.key.iter().map(|at| file.header[*at].as_str()).collect();
            let message = format!(
                "the key of `{}` has {} columns before `{}`, but `by` names {}",
                file.name,
                key.len() - 1,
                take.value,
                self.by.len()
            );
            let span = self.by.first().map_or(site.span, |first| first.span);
            let help =
                format!("name the columns that hold {}, in this order", key[..key.len() - 1].join(", "));
            Self::refuse(span, message, help, site);
            return None;
        }
        Some((file, table, last))
    }

    fn drawn(&self, table: Table, site: &mut Site<'_>) -> Option<Way> {
        let mut inputs = Vec::new();
        for (by, texts) in self.by.iter().zip(&table.texts) {
            let (id, output) = site.input(&by.name)?;
            if !matches!(output.ty, Type::Text | Type::Int | Type::Bool | Type::Date) {
                let message = format!(
                    "`by` needs columns of type text, int, bool or date; `{}` is {}",
                    by.name, output.ty
                );
                site.problems.push(
                    Diagnostic::error("wrong-type", by.span, message)
                        .help("derive a column of text with `template` or `expr`, and use that"),
                );
                return None;
            }
            let position = |value: &String| texts.get(value).copied().unwrap_or(NOWHERE);
            let known = known_values(&output).map(|values| values.iter().map(position).collect());
            inputs.push(Input { id, texts: texts.clone(), known });
        }
        let weights =
            |lines: &Vec<u32>| lines.iter().map(|line| table.weights[*line as usize]).collect::<Vec<f64>>();
        let picks = table.lines.iter().map(|lines| Pick::new(&weights(lines))).collect();
        Some(Way::Drawn { inputs, table, picks, stream: site.seed.stream() })
    }

    /// The links from the first column to this one.
    fn exact(&self, before: &[Spanned<String>], own: (&File, Table), site: &mut Site<'_>) -> Option<Way> {
        let mut tables: Vec<(&File, Table)> = Vec::new();
        for name in before {
            tables.push(self.table(name, site)?);
        }
        tables.push(own);
        let names =
            |file: &File| -> Vec<String> { file.key.iter().map(|at| file.header[*at].clone()).collect() };
        let mut links: Vec<Link> = Vec::new();
        let mut rows = vec![site.rows];
        let first = before.first().map_or(site.span, |name| name.span);
        if tables[0].1.lines.len() != 1 || tables[0].0.key.len() != 1 {
            let message =
                format!("`{}` depends on other columns, so it cannot be the first", tables[0].0.name);
            Self::refuse(
                first,
                message,
                "`exact` begins with the lookup of a column that depends on nothing",
                site,
            );
            return None;
        }
        for (at, (file, table)) in tables.iter().enumerate() {
            let seed = site.table.derive("weighted").derive(&file.name);
            let (mut link, counts) = Link::new(table, &rows, seed);
            if let Some((following, next)) = tables.get(at + 1) {
                let (have, wanted) = (names(file), names(following));
                let wanted = &wanted[..wanted.len() - 1];
                let places: Option<Vec<usize>> =
                    wanted.iter().map(|name| have.iter().position(|own| own == name)).collect();
                let Some(places) = places else {
                    let span = before.get(at).map_or(site.span, |name| name.span);
                    let message = format!(
                        "`{}` depends on {}, not all of which are in `{}`",
                        following.name,
                        wanted.join(", "),
                        file.name
                    );
                    let help = "each lookup in `exact` has all columns that the next one depends on, under the same names";
                    Self::refuse(span, message, help, site);
                    return None;
                };
                rows = vec![0; next.lines.len()];
                for (line, count) in file.lines.iter().zip(&counts) {
                    let position = |(place, texts): (&usize, &HashMap<String, u32>)| {
                        texts.get(&line[file.key[*place]]).copied().unwrap_or(NOWHERE)
                    };
                    let group = next.code(places.iter().zip(&next.texts).map(position));
                    match group.and_then(|code| next.groups.get(&code)) {
                        Some(group) => {
                            link.next.push((*group, rows[*group as usize]));
                            rows[*group as usize] += count;
                        }
                        None if *count == 0 => link.next.push((NOWHERE, 0)),
                        None => {
                            let key: Vec<&str> =
                                places.iter().map(|place| line[file.key[*place]].as_str()).collect();
                            let message =
                                format!("`{}` has no line for ({})", following.file, key.join(", "));
                            Self::refuse(
                                site.span,
                                message,
                                "every combination that has rows needs lines",
                                site,
                            );
                            return None;
                        }
                    }
                }
            }
            links.push(link);
        }
        Some(Way::Exact(links))
    }
}

impl Generator for Weighted {
    fn inputs(&self, inputs: &mut Vec<InputName>) {
        inputs.extend(self.by.iter().cloned());
    }

    fn prepare(&mut self, site: &mut Site<'_>) -> Option<Output> {
        let (file, table, take) = self.own(site)?;
        let used: Vec<u32> =
            (0..table.weights.len() as u32).filter(|line| table.weights[*line as usize] > 0.0).collect();
        let cells: Vec<&str> = file.lines.iter().map(|line| line[take].as_str()).collect();
        let values = match Values::read(&cells, &used, site.demand.ty) {
            Ok(values) => values,
            Err((line, ty)) => {
                let message =
                    format!("`{}` on line {} of `{}` is not of type {ty}", cells[line], line + 2, file.file);
                let help = "mend the file, or leave `type` to be inferred";
                Self::refuse(self.params.take.span, message, help, site);
                return None;
            }
        };
        let nullable = used.iter().any(|line| cells[*line as usize].is_empty());
        let output = match &values.column {
            Column::Bool(_) => Output::of(Type::Bool),
            Column::Whole(_, ty) => Output::of(*ty),
            Column::Float(_) => Output::of(Type::Float),
            Column::Categories(_, categories) => Output::categories(categories.clone()),
            Column::Text(_) => Output::text(false),
        };
        let way = match &self.params.exact {
            None => self.drawn(table, site)?,
            Some(before) => self.exact(before, (file, table), site)?,
        };
        self.ready = Some(Ready { way, values });
        Some(Output { nullable, ..output })
    }

    fn fill(&self, block: &Block<'_>) -> Result<Series, Failure> {
        let Ready { way, values } = self.ready.as_ref().expect("set in prepare");
        let lines = match way {
            Way::Drawn { inputs, table, picks, stream } => {
                self.drawn_lines(inputs, table, picks, *stream, block)?
            }
            Way::Exact(links) => exact_lines(links, block)?,
        };
        values.at(&lines)
    }
}

fn exact_lines(links: &[Link], block: &Block<'_>) -> Result<Vec<u32>, Failure> {
    let line = |row: u64| {
        let (mut group, mut at) = (0, row);
        let mut line = 0;
        for link in links {
            (line, at) = link.find(group, at)?;
            if let Some((next, before)) = link.next.get(line as usize) {
                (group, at) = (*next, at + before);
            }
        }
        Some(line)
    };
    let found = block.rows.iter().map(|row| {
        line(row).ok_or_else(|| {
            Failure::new(format!("row {row} lies beyond the rows that `exact` numbers of rows are for"))
        })
    });
    found.collect()
}

impl Input {
    /// The positions of the rows' values among those of the file.
    fn positions(&self, block: &Block<'_>) -> Result<Vec<u32>, Failure> {
        let null = self.texts.get("").copied().unwrap_or(NOWHERE);
        let series = block.input(self.id);
        if let Some(known) = &self.known {
            let position = |code: Option<u32>| code.map_or(null, |code| known[code as usize]);
            return Ok(codes(&series)?.into_iter().map(position).collect());
        }
        let texts = series.cast(&DataType::String)?;
        let position =
            |text: Option<&str>| text.map_or(null, |text| self.texts.get(text).copied().unwrap_or(NOWHERE));
        Ok(texts.str()?.iter().map(position).collect())
    }
}

impl Weighted {
    fn drawn_lines(
        &self,
        inputs: &[Input],
        table: &Table,
        picks: &[Pick],
        stream: Stream,
        block: &Block<'_>,
    ) -> Result<Vec<u32>, Failure> {
        let mut columns = Vec::with_capacity(inputs.len());
        for input in inputs {
            columns.push(input.positions(block)?);
        }
        let mut lines = Vec::with_capacity(block.len());
        let mut missing = None;
        stream.with_attempt(block.attempt).for_each_word(block.rows, 0, |word| {
            let at = lines.len();
            let code = table.code(columns.iter().map(|column| column[at]));
            match code.and_then(|code| table.groups.get(&code)) {
                Some(group) => {
                    lines.push(table.lines[*group as usize][picks[*group as usize].pick(word) as usize])
                }
                None => {
                    missing = missing.or(Some(at));
                    lines.push(0);
                }
            }
        });
        let Some(at) = missing else { return Ok(lines) };
        let mut wanted = Vec::new();
        for (by, input) in self.by.iter().zip(inputs) {
            let series = block.input(input.id).cast(&DataType::String)?;
            wanted.push(format!("{} = {}", by.name, series.str()?.get(at).unwrap_or("null")));
        }
        Err(Failure::new(format!(
            "lookup `{}` has no line for {} (row {})",
            self.params.r#in.value,
            wanted.join(", "),
            block.rows.get(at)
        )))
    }
}

pub(super) const KIND: Kind = Kind {
    name: "weighted",
    group: Group::Derived,
    summary: "Values from a file, by weight, given the values of other columns.",
    details: "A lookup file (CSV, declared under `lookups`) has a line for each value and each combination of the columns `by`, \
              with a weight; its key is the columns `by` and then the column to take. A row takes one of the lines with its own \
              values of `by`, with a probability in proportion to their weights; a combination without lines stops the run. \
              Null stands in the file as an empty field. Columns that depend on each other in this way are a graphical model; \
              `lookalike fit` writes such rulesets.\n\n\
              With `exact`, numbers of rows are not drawn: each line gets its expected number of rows, rounded down or up, and \
              only which rows they are is random. That takes most of the sampling error out, and any row can still be made \
              alone; but numbers follow from the number of rows, so a small table is not the beginning of a large one, and \
              `require` cannot draw such a column again. `exact` names the lookups on the way from the first column to this one, \
              each of which has all columns that the next depends on, under the same names; the columns themselves then have \
              `exact`, too. Types are found as `lookup` finds them. `unique` and `truncate` are not supported.",
    example: "{weighted: {in: colours, take: word, weight: price}}",
    ..Kind::of::<Params>()
};

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use lookalike_core::Rows;
    use lookalike_ruleset::document::{FileProblem, Files};

    use super::*;
    use crate::plan::{Overrides, Plan};
    use crate::testing::plan_with;

    struct Csv;

    /// A clique of three columns and a leaf on two of them: a, b | a, c | a b, d | b c.
    fn csv(path: &str) -> String {
        let weight = |code: usize| 0.2 + ((code * 7919) % 13) as f64 * 0.37;
        let mut text = String::new();
        match path {
            "a.csv" => text.push_str("a,weight\nx,5.5\ny,3.25\n,1\n"),
            "b.csv" => {
                text.push_str("a,b,weight\n");
                for (at, a) in ["x", "y", ""].iter().enumerate() {
                    (0..4).for_each(|b| text.push_str(&format!("{a},{b},{}\n", weight(at * 4 + b))));
                }
            }
            "c.csv" => {
                text.push_str("b,a,c,weight\n");
                for (at, a) in ["x", "y", ""].iter().enumerate() {
                    for b in 0..4 {
                        (0..3).for_each(|c| {
                            text.push_str(&format!("{b},{a},k{c},{}\n", weight(at * 17 + b * 5 + c)))
                        });
                    }
                }
            }
            _ => {
                text.push_str("b,c,d,weight\n");
                for b in 0..4 {
                    for c in 0..3 {
                        (0..2).for_each(|d| {
                            text.push_str(&format!("{b},k{c},{d},{}\n", weight(b * 11 + c * 3 + d * 2)))
                        });
                    }
                }
            }
        }
        text
    }

    impl Files for Csv {
        fn read(&self, _: &str, path: &str) -> Result<(String, Vec<u8>), FileProblem> {
            Ok((path.to_owned(), csv(path).into_bytes()))
        }
    }

    fn ruleset(exact: bool, rows: u64) -> String {
        let on = |list: &str| if exact { format!(", exact: {list}") } else { String::new() };
        format!(
            "lookalike: 1\nseed: 3\nlookups:\n  fa: {{file: a.csv, key: [a]}}\n  fb: {{file: b.csv, key: [a, b]}}\n  \
             fc: {{file: c.csv, key: [b, a, c]}}\n  fd: {{file: d.csv, key: [b, c, d]}}\ntables:\n  t:\n    rows: {rows}\n    columns:\n      \
             a: {{weighted: {{in: fa, take: a{}}}}}\n      b: {{weighted: {{in: fb, take: b, by: a{}}}}}\n      \
             c: {{weighted: {{in: fc, take: c, by: [b, a]{}}}}}\n      d: {{weighted: {{in: fd, take: d, by: [b, c]{}}}}}\n",
            on("[]"),
            on("[fa]"),
            on("[fa, fb]"),
            on("[fa, fb, fc]")
        )
    }

    fn compile(text: &str) -> Plan {
        plan_with(text, &Csv, &Overrides::default()).unwrap_or_else(|problems| panic!("{text}: {problems:?}"))
    }

    fn rows(plan: &Plan, rows: Rows) -> Vec<[String; 4]> {
        let frame = plan.tables[0].frame(&rows).unwrap();
        let texts: Vec<Vec<String>> = ["a", "b", "c", "d"]
            .iter()
            .map(|name| {
                let column = frame.column(name).unwrap().cast(&DataType::String).unwrap();
                column.str().unwrap().iter().map(|value| value.unwrap_or("").to_owned()).collect()
            })
            .collect();
        (0..frame.height()).map(|at| std::array::from_fn(|column| texts[column][at].clone())).collect()
    }

    /// The probability of every row that there can be.
    fn model() -> BTreeMap<[String; 4], f64> {
        let read = |path: &str| -> Vec<(Vec<String>, f64)> {
            let lines: Vec<(Vec<String>, f64)> = csv(path)
                .lines()
                .skip(1)
                .map(|line| {
                    let mut cells: Vec<String> = line.split(',').map(str::to_owned).collect();
                    let weight = cells.pop().unwrap().parse().unwrap();
                    (cells, weight)
                })
                .collect();
            let given = |cells: &Vec<String>| -> f64 {
                let parents = &cells[..cells.len() - 1];
                lines
                    .iter()
                    .filter(|(other, _)| other[..other.len() - 1] == *parents)
                    .map(|(_, weight)| weight)
                    .sum()
            };
            lines.iter().map(|(cells, weight)| (cells.clone(), weight / given(cells))).collect()
        };
        let mut all = BTreeMap::new();
        for (a, pa) in read("a.csv") {
            for (b, pb) in read("b.csv").iter().filter(|(b, _)| b[0] == a[0]) {
                for (c, pc) in read("c.csv").iter().filter(|(c, _)| c[0] == b[1] && c[1] == a[0]) {
                    for (d, pd) in read("d.csv").iter().filter(|(d, _)| d[0] == b[1] && d[1] == c[2]) {
                        all.insert(
                            [a[0].clone(), b[1].clone(), c[2].clone(), d[2].clone()],
                            pa * pb * pc * pd,
                        );
                    }
                }
            }
        }
        all
    }

    /// Expected and found counts of each combination of some columns.
    fn marginal(rows: &[[String; 4]], columns: &[usize]) -> Vec<(f64, f64)> {
        let mut counts: HashMap<Vec<String>, (f64, f64)> = HashMap::new();
        let key = |row: &[String; 4]| columns.iter().map(|at| row[*at].clone()).collect::<Vec<_>>();
        for (row, probability) in model() {
            counts.entry(key(&row)).or_default().0 += probability * rows.len() as f64;
        }
        for row in rows {
            counts.get_mut(&key(row)).expect("only rows that the model has").1 += 1.0;
        }
        let mut counts: Vec<_> = counts.into_values().collect();
        counts.sort_by(|a, b| a.0.total_cmp(&b.0));
        counts
    }

    const PAIRS: [[usize; 2]; 6] = [[0, 1], [0, 2], [1, 2], [1, 3], [2, 3], [0, 3]];

    #[test]
    fn drawn_rows_agree_with_the_model_on_every_pair_measured_or_not() {
        let rows = rows(&compile(&ruleset(false, 40_000)), Rows::from(0..40_000));
        for pair in PAIRS {
            let counts = marginal(&rows, &pair);
            // Chi-square with at most 11 degrees of freedom; beyond 46 by chance once in 10^5.
            let chi: f64 = counts.iter().map(|(expected, found)| (found - expected).powi(2) / expected).sum();
            assert!(chi < 46.0, "{pair:?}: {chi}");
        }
    }

    #[test]
    fn exact_rows_are_exact_where_there_is_a_table_and_agree_with_the_model_elsewhere() {
        let rows = rows(&compile(&ruleset(true, 40_000)), Rows::from(0..40_000));
        for columns in [&[0][..], &[0, 1]] {
            // Rounded once a column, each time by less than 1 in each group.
            for (expected, found) in marginal(&rows, columns) {
                assert!((expected - found).abs() < 4.0, "{columns:?}: {expected} {found}");
            }
        }
        for (expected, found) in marginal(&rows, &[0, 1, 2]) {
            assert!((expected - found).abs() < 4.0, "{expected} {found}");
        }
        for pair in PAIRS {
            let counts = marginal(&rows, &pair);
            let chi: f64 = counts.iter().map(|(expected, found)| (found - expected).powi(2) / expected).sum();
            assert!(chi < 46.0, "{pair:?}: {chi}");
            // All rows of one group moving together, as without the shuffle, would give thousands.
            let most = if pair == [0, 3] { 46.0 } else { 1.0 };
            assert!(chi < most, "{pair:?}: {chi}");
        }
    }

    #[test]
    fn any_rows_can_be_made_alone() {
        for exact in [false, true] {
            let plan = compile(&ruleset(exact, 1000));
            let all = rows(&plan, Rows::from(0..1000));
            assert_eq!(rows(&plan, Rows::from(617..640)), all[617..640]);
            assert_eq!(
                rows(&plan, Rows::List([999, 3, 500].into())),
                [all[999].clone(), all[3].clone(), all[500].clone()]
            );
        }
        assert!(rows(&compile(&ruleset(true, 0)), Rows::from(0..0)).is_empty());
        assert_eq!(rows(&compile(&ruleset(true, 1)), Rows::from(0..1)).len(), 1);
    }

    #[test]
    fn mistakes_are_told() {
        let first = |text: &str| {
            let problems = plan_with(text, &Csv, &Overrides::default()).err().expect("refused");
            (problems[0].code, problems[0].message.clone())
        };
        let text = ruleset(true, 10);
        let (code, message) = first(&text.replace("exact: [fa, fb, fc]", "exact: [fa, fb]"));
        assert_eq!(code, "bad-lookup");
        assert!(message.contains("`fd` depends on b, c, not all of which are in `fb`"), "{message}");
        let (_, message) = first(&text.replace("exact: [fa, fb, fc]", "exact: [fb, fc]"));
        assert!(message.contains("`fb` depends on other columns"), "{message}");
        let (code, _) = first(&text.replace("exact: [fa, fb, fc]", "exact: [fa, fb, fx]"));
        assert_eq!(code, "unknown-lookup");
        let (_, message) = first(&text.replace("take: d", "take: c"));
        assert!(message.contains("ends with `d`, not with `c`"), "{message}");
        let (_, message) = first(&text.replace("by: [b, c]", "by: b"));
        assert!(message.contains("has 2 columns before `d`, but `by` names 1"), "{message}");
        let (_, message) = first(&text.replace("take: d,", "take: d, weight: c,"));
        assert!(message.contains("no weights in a column `c`"), "{message}");
    }
}
