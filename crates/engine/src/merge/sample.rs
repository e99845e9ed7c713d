//! Which rows of a part are taken where it has no parents: so many by chance, or in the shares that it has by some columns.

use std::collections::BTreeMap;

use lookalike_core::Seed;
use polars::prelude::*;

use super::deal::Copies;
use super::picks::{Bits, Picks};
use super::{MAX_STRATA, Part, Refused, Rule, by_shares, internal};
use crate::generator::Failure;
use crate::generators::template::texts_of;
use crate::plan::Error;
use crate::run::BLOCK_ROWS;

/// Which rows of a part are taken, as many as it says.
pub(super) fn sample<E: From<Error>>(part: &Part<E>, rule: &Rule, seed: Seed) -> Result<Picks, Refused<E>> {
    let all = part.input.rows();
    if all == 0 && part.rows > 0 {
        return Err(Refused::Rule(format!(
            "{} has no rows, and {} are to come from it",
            part.name, part.rows
        )));
    }
    if rule.stratify.is_empty() || (part.rows == all && !rule.replace) {
        return Ok(Picks::of(all, part.rows, rule.replace, seed));
    }
    let mut bits = Bits::default();
    let mut sizes: BTreeMap<String, u64> = BTreeMap::new();
    for_each_stratum(part, rule, |stratum| {
        match sizes.get_mut(stratum) {
            Some(size) => *size += 1,
            None => {
                sizes.insert(stratum.to_owned(), 1);
            }
        }
        if sizes.len() > MAX_STRATA {
            let message = format!(
                "{} has more than {MAX_STRATA} combinations of {}; stratify by columns with few values",
                part.name,
                rule.stratify.iter().map(|column| format!("`{column}`")).collect::<Vec<_>>().join(", ")
            );
            return Err(Refused::Rule(message));
        }
        Ok(())
    })?;
    let shares: Vec<f64> = sizes.values().map(|size| *size as f64).collect();
    let mut strata: BTreeMap<&str, Copies> = BTreeMap::new();
    for ((stratum, size), wanted) in sizes.iter().zip(by_shares(part.rows, &shares)) {
        let seed = seed.derive("stratum").derive(stratum);
        strata.insert(stratum, Copies::new(*size, wanted, rule.replace, seed));
    }
    for_each_stratum(part, rule, |stratum| {
        let copies = strata.get_mut(stratum).map(Copies::next);
        bits.push(
            copies.ok_or_else(|| Refused::Rule(format!("{} has changed while it was read", part.name)))?,
        );
        Ok(())
    })?;
    Ok(Picks::Bits(bits))
}

/// Calls `each` with the stratum of every row of a part, in order.
fn for_each_stratum<E: From<Error>>(
    part: &Part<E>,
    rule: &Rule,
    mut each: impl FnMut(&str) -> Result<(), Refused<E>>,
) -> Result<(), Refused<E>> {
    let all = part.input.rows();
    let fields = &part.input.schema().fields;
    let columns: Vec<usize> =
        rule.stratify.iter().filter_map(|name| fields.iter().position(|field| field.name == *name)).collect();
    let mut stratum = String::new();
    for start in (0..all).step_by(BLOCK_ROWS) {
        let frame = part.input.columns(start..all.min(start + BLOCK_ROWS as u64), &columns)?;
        let text =
            |(column, at): (&Column, &usize)| texts_of(column.as_materialized_series(), fields[*at].ty);
        let texts: Result<Vec<Series>, Failure> = frame.columns().iter().zip(&columns).map(text).collect();
        let texts = texts.map_err(|f| Refused::Rule(format!("{}: {}", part.name, f.message)))?;
        for row in 0..frame.height() {
            stratum.clear();
            for series in &texts {
                let texts = series.str().map_err(|error| Refused::Read(internal(error).into()))?;
                // Null is a value of its own, and no text holds these two.
                stratum.push_str(texts.get(row).unwrap_or("\u{1}"));
                stratum.push('\u{0}');
            }
            each(&stratum)?;
        }
    }
    Ok(())
}
