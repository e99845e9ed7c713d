//! A fitted model as a ruleset that people can read.
//!
//! Each modelled column is a table of weights given the columns drawn before it, in a CSV file of its own; the ruleset draws from
//! them with the kind `weighted`. All that stands there is computed from releases.

use std::fmt::Write as _;

use super::coding::Coding;
use super::run::Outcome;
use super::schema::{Form, Schema, name, quoted};
use crate::pgm::{Clique, Model};

/// How to write.
#[derive(Clone, Debug)]
pub struct Style {
    /// Folder of the tables, as the ruleset names it.
    pub folder: String,
    /// Whether numbers of rows are exact rather than drawn.
    pub exact: bool,
    /// What stands at the top, line by line.
    pub remarks: Vec<String>,
}

/// A ruleset and the files that it names.
#[derive(Clone, Debug)]
pub struct Written {
    /// The ruleset, in YAML.
    pub ruleset: String,
    /// File names, within the folder, and contents.
    pub tables: Vec<(String, String)>,
}

/// Expected rows of a cell below which it is left out, unless its group has nothing larger.
const NOTHING: f64 = 1e-5;

/// Names of a modelled column.
struct Names {
    /// The column or draw that is drawn.
    drawn: String,
    /// The lookup.
    lookup: String,
    /// The file.
    file: String,
}

/// Writes the model.
pub fn write(schema: &Schema, outcome: &Outcome, style: &Style) -> Written {
    let names = names(schema, &outcome.codings);
    let model = &outcome.fitted.model;
    let order: Vec<(usize, Clique)> =
        model.tree().drawing_order().map(|(column, parents)| (column, parents.clone())).collect();
    let (tables, used) = tables(outcome, &names, &order);
    Written { ruleset: ruleset(schema, outcome, style, &names, &order, &used), tables }
}

fn names(schema: &Schema, codings: &[Coding]) -> Vec<Names> {
    let mut taken: Vec<String> = schema.columns.iter().map(|column| column.name.to_lowercase()).collect();
    let mut fresh = |wanted: String| {
        let mut found = wanted.clone();
        let mut number = 2;
        while taken.contains(&found.to_lowercase()) {
            found = format!("{wanted}_{number}");
            number += 1;
        }
        taken.push(found.to_lowercase());
        found
    };
    let word = |text: &str| {
        let word: String = text.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
        let word: String = word.chars().take(60).collect();
        if word.starts_with(|c: char| c.is_ascii_alphabetic()) { word } else { format!("c_{word}") }
    };
    let of_column = |(column, coding): (&super::schema::Column, &Coding)| {
        let word = word(&column.name);
        let drawn = if coding.is_direct() { column.name.clone() } else { fresh(format!("{word}_bin")) };
        let lookup = fresh(format!("{word}_weights"));
        let file = format!("{}.csv", lookup.trim_end_matches("_weights"));
        Names { drawn, lookup, file }
    };
    schema.modelled().zip(codings).map(of_column).collect()
}

/// A number with seven digits: more than any release has.
fn short(value: f64) -> String {
    let rounded: f64 = format!("{value:.6e}").parse().unwrap_or(value);
    format!("{rounded}")
}

fn csv_field(text: &str) -> String {
    if text.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}

/// Files with their names, and for each column which of its codes occur in its file.
type Tables = (Vec<(String, String)>, Vec<Vec<bool>>);

/// The lines of each column's table, in the order in which columns are drawn. Cells that no row can come to are left out.
fn tables(outcome: &Outcome, names: &[Names], order: &[(usize, Clique)]) -> Tables {
    let model = &outcome.fitted.model;
    let domain = model.domain();
    // For each column, the codes of the table that share a code of the model.
    let members: Vec<Vec<Vec<usize>>> = outcome
        .fitted
        .merged
        .iter()
        .zip(domain.sizes())
        .map(|(map, size)| {
            let mut members = vec![Vec::new(); *size];
            map.iter().enumerate().for_each(|(code, merged)| members[*merged as usize].push(code));
            members
        })
        .collect();
    let label =
        |column: usize, code: usize| csv_field(&outcome.codings[column].label(code).unwrap_or_default());
    let mut kept: Vec<Option<(Clique, Vec<f64>)>> = vec![None; domain.len()];
    let mut files = Vec::new();
    let mut used: Vec<Vec<bool>> = outcome.codings.iter().map(|coding| vec![false; coding.size()]).collect();
    for (column, parents) in order {
        let set = joined(parents, *column);
        let cells = model.marginal(&set);
        let reached = reached(model, order, parents, &kept);
        let mut text = String::new();
        for parent in parents {
            let _ = write!(text, "{},", csv_field(&names[*parent].drawn));
        }
        let _ = writeln!(text, "{},weight", csv_field(&names[*column].drawn));
        let mut flags = vec![0.0; cells.len()];
        for (group, _) in reached.iter().enumerate().filter(|(_, reached)| **reached) {
            let codes = digits(domain.sizes(), parents, group);
            let place = |code: usize| {
                let code_of = |other: &usize| match parents.iter().position(|parent| parent == other) {
                    Some(at) => codes[at],
                    None => code,
                };
                set.iter().fold(0, |at, other| at * domain.sizes()[*other] + code_of(other))
            };
            let places: Vec<usize> = (0..domain.sizes()[*column]).map(place).collect();
            let most = places.iter().map(|at| cells[*at]).fold(0.0, f64::max);
            // Where the model says next to nothing, as of a group that it takes to be impossible, any value will do.
            let even = most <= 0.0;
            let wanted = |weight: f64| even || weight >= NOTHING || weight >= 0.5 * most;
            let before: Vec<Vec<String>> = parents
                .iter()
                .zip(&codes)
                .map(|(parent, code)| {
                    members[*parent][*code].iter().map(|code| label(*parent, *code)).collect()
                })
                .collect();
            let heads = combinations(&before);
            for (code, at) in places.iter().enumerate().filter(|(_, at)| wanted(cells[**at])) {
                flags[*at] = 1.0;
                let own = &members[*column][code];
                own.iter().for_each(|code| used[*column][*code] = true);
                let weight = if even { 1.0 } else { cells[*at] } / own.len() as f64;
                for head in &heads {
                    for code in own {
                        let _ = writeln!(text, "{head}{},{}", label(*column, *code), short(weight));
                    }
                }
            }
        }
        kept[*column] = Some((set, flags));
        files.push((names[*column].file.clone(), text));
    }
    (files, used)
}

/// Columns with another one, in ascending order.
fn joined(parents: &Clique, column: usize) -> Clique {
    let mut set = parents.clone();
    set.push(column);
    set.sort_unstable();
    set
}

/// Which combinations of some columns, drawn before, rows can have: those of a cell kept of the last of them.
fn reached(
    model: &Model,
    order: &[(usize, Clique)],
    parents: &Clique,
    kept: &[Option<(Clique, Vec<f64>)>],
) -> Vec<bool> {
    let last = order.iter().rev().map(|(column, _)| *column).find(|column| parents.contains(column));
    match last.and_then(|last| kept[last].as_ref()) {
        Some((set, flags)) => {
            let counts = model.domain().projection(set, parents).summed(flags);
            counts.into_iter().map(|count| count > 0.0).collect()
        }
        None => vec![true],
    }
}

/// The codes of a cell of some columns.
fn digits(sizes: &[usize], columns: &[usize], cell: usize) -> Vec<usize> {
    let mut rest = cell;
    let mut digits: Vec<usize> = columns
        .iter()
        .rev()
        .map(|column| {
            let digit = rest % sizes[*column];
            rest /= sizes[*column];
            digit
        })
        .collect();
    digits.reverse();
    digits
}

/// All ways to take one of each, each with a comma behind.
fn combinations(lists: &[Vec<String>]) -> Vec<String> {
    lists.iter().fold(vec![String::new()], |heads, list| {
        heads.iter().flat_map(|head| list.iter().map(move |item| format!("{head}{item},"))).collect()
    })
}

fn ruleset(
    schema: &Schema,
    outcome: &Outcome,
    style: &Style,
    names: &[Names],
    order: &[(usize, Clique)],
    used: &[Vec<bool>],
) -> String {
    let mut text = String::new();
    for remark in &style.remarks {
        let _ = writeln!(text, "# {remark}");
    }
    let _ = writeln!(text, "lookalike: 1\nname: {}", schema.table);
    if let Some(about) = &schema.about {
        let _ = writeln!(text, "about: {}", quoted(about));
    }
    let _ =
        writeln!(text, "seed: 42\n\nlookups: # weights of values, given the columns that were drawn before");
    let modelled: Vec<&super::schema::Column> = schema.modelled().collect();
    for (column, parents) in order {
        let key: Vec<String> = parents.iter().chain([column]).map(|at| name(&names[*at].drawn)).collect();
        let file = quoted(&format!("{}/{}", style.folder, names[*column].file));
        let _ = writeln!(text, "  {}: {{file: {file}, key: [{}]}}", names[*column].lookup, key.join(", "));
    }
    let rows = outcome.rows();
    let _ = writeln!(text, "\ntables:\n  {}:\n    rows: {rows} # a noisy count\n    columns:", schema.table);
    let weighted = |at: usize| {
        let parents =
            order.iter().find(|(column, _)| *column == at).map_or(&[][..], |(_, parents)| parents.as_slice());
        let by: Vec<String> = parents.iter().map(|parent| name(&names[*parent].drawn)).collect();
        let by = if by.is_empty() { String::new() } else { format!(", by: [{}]", by.join(", ")) };
        let exact = if style.exact {
            format!(", exact: [{}]", chain(at, order, names).join(", "))
        } else {
            String::new()
        };
        format!("weighted: {{in: {}, take: {}{by}{exact}}}", names[at].lookup, name(&names[at].drawn))
    };
    let mut draws = String::new();
    for column in &schema.columns {
        let at = modelled.iter().position(|other| other.name == column.name);
        let coding = at.map(|at| (at, &outcome.codings[at]));
        let about =
            column.about.as_ref().map_or(String::new(), |about| format!("about: {}, ", quoted(about)));
        let round = column.round.map_or(String::new(), |round| format!(", round: {round}"));
        match (coding, &column.form) {
            (None, Form::Generated(rule)) => {
                let _ = writeln!(text, "      {}: {rule}", name(&column.name));
            }
            (None, _) => {}
            (Some((at, coding)), _) => {
                let ty = coding.type_name().map_or(String::new(), |ty| format!(", type: {ty}"));
                if coding.is_direct() {
                    let _ = writeln!(text, "      {}: {{{about}{}{ty}}}", name(&column.name), weighted(at));
                    continue;
                }
                let _ = writeln!(draws, "      {}: {{{}, type: text}}", names[at].drawn, weighted(at));
                let _ = writeln!(text, "      {}:", name(&column.name));
                if let Some(about) = &column.about {
                    let _ = writeln!(text, "        about: {}", quoted(about));
                }
                let _ = writeln!(text, "        by: {}\n        cases:", names[at].drawn);
                // A case that never occurs would be a mistake in a ruleset.
                let codes = (0..coding.size()).filter(|code| used[at][*code]);
                for (code, label) in codes.filter_map(|code| Some((code, coding.label(code)?))) {
                    let _ = writeln!(text, "          {}: {}", quoted(&label), coding.rule(code));
                }
                let _ = writeln!(text, "        type: {}", coding.type_name().unwrap_or("float"));
                if !round.is_empty() {
                    let _ = writeln!(text, "        {}", round.trim_start_matches(", "));
                }
            }
        }
    }
    if !draws.is_empty() {
        let _ = write!(text, "    draws:\n{draws}");
    }
    text
}

/// The lookups of the columns before one, from the first on: its last parent's, before that the last parent's of that one.
fn chain(column: usize, order: &[(usize, Clique)], names: &[Names]) -> Vec<String> {
    let mut chain = Vec::new();
    let mut at = column;
    loop {
        let parents = order.iter().find(|(other, _)| *other == at).map(|(_, parents)| parents.as_slice());
        let last = order
            .iter()
            .rev()
            .map(|(other, _)| *other)
            .find(|other| parents.is_some_and(|p| p.contains(other)));
        match last {
            Some(last) => {
                chain.push(names[last].lookup.clone());
                at = last;
            }
            None => break,
        }
    }
    chain.reverse();
    chain
}
