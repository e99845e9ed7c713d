//! Weights of the hours of the day, the days of the week and the months of the year.

use std::marker::PhantomData;

use lookalike_ruleset::decode::{Decode, NonNegative, wrong};
use lookalike_ruleset::{Diagnostic, Json, Node, Problems};
use serde_json::json;

/// What comes round in a cycle.
pub(super) trait Unit: Clone + std::fmt::Debug {
    /// One and many of it, in words.
    const NAMES: [&'static str; 2];
    /// How many there are.
    const COUNT: usize;
    /// An example of some with a weight.
    const EXAMPLE: &'static str;
    /// The number of the one that is written so, from 0.
    fn parse(text: &str) -> Option<usize>;
}

/// The hours of the day, `0` to `23`.
#[derive(Clone, Debug)]
pub(super) struct Hours;
/// The days of the week, `mon` to `sun`.
#[derive(Clone, Debug)]
pub(super) struct Weekdays;
/// The months of the year, `jan` to `dec`.
#[derive(Clone, Debug)]
pub(super) struct Months;

impl Unit for Hours {
    const NAMES: [&'static str; 2] = ["hour", "hours"];
    const COUNT: usize = 24;
    const EXAMPLE: &'static str = "{9-17: 10, else: 1}";
    fn parse(text: &str) -> Option<usize> {
        let digits = !text.is_empty() && text.len() <= 2 && text.bytes().all(|b| b.is_ascii_digit());
        text.parse().ok().filter(|hour| digits && *hour < 24)
    }
}

const WEEKDAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
const MONTHS: [&str; 12] =
    ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];

impl Unit for Weekdays {
    const NAMES: [&'static str; 2] = ["day of the week", "days of the week"];
    const COUNT: usize = 7;
    const EXAMPLE: &'static str = "{mon-fri: 10, sat: 4, sun: 2}";
    fn parse(text: &str) -> Option<usize> {
        WEEKDAYS.iter().position(|name| *name == text)
    }
}

impl Unit for Months {
    const NAMES: [&'static str; 2] = ["month", "months"];
    const COUNT: usize = 12;
    const EXAMPLE: &'static str = "{dec: 2}";
    fn parse(text: &str) -> Option<usize> {
        MONTHS.iter().position(|name| *name == text)
    }
}

/// A day of the week by its short English name; Monday is 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Weekday(pub(super) usize);

impl Decode for Weekday {
    fn decode(node: &Node, problems: &mut Problems) -> Option<Self> {
        let found = node.as_scalar().and_then(|scalar| Weekdays::parse(&scalar.text));
        if found.is_none() {
            wrong(node, Self::what(), problems);
        }
        found.map(Weekday)
    }
    fn what() -> String {
        "a day of the week: mon, tue, wed, thu, fri, sat or sun".into()
    }
    fn schema() -> Json {
        json!({"enum": WEEKDAYS})
    }
}

/// A weight for each unit of a cycle: a list of all, or a mapping from units and ranges of units (`mon-fri`, also `22-5`) to
/// weights; those that are not listed have the weight of `else`, or 1.
#[derive(Clone, Debug)]
pub(super) struct Cycle<U> {
    /// The weights, as many as there are units.
    pub(super) weights: Vec<f64>,
    unit: PhantomData<U>,
}

/// The key for all that is not listed.
const ELSE: &str = "else";

/// The units that a key stands for, in order.
fn units<U: Unit>(key: &str) -> Option<Vec<usize>> {
    if let Some(one) = U::parse(key) {
        return Some(vec![one]);
    }
    let (first, last) = key.split_once('-')?;
    let (first, last) = (U::parse(first.trim())?, U::parse(last.trim())?);
    let count = (last + U::COUNT - first) % U::COUNT + 1;
    Some((first..first + count).map(|at| at % U::COUNT).collect())
}

impl<U: Unit> Decode for Cycle<U> {
    fn decode(node: &Node, problems: &mut Problems) -> Option<Self> {
        let weights = match (node.as_list(), node.as_map()) {
            (Some(list), _) if list.len() == U::COUNT => {
                Vec::<NonNegative>::decode(node, problems)?.into_iter().map(|weight| weight.0).collect()
            }
            (Some(list), _) => {
                let message = format!("{} weights for {} {}", list.len(), U::COUNT, U::NAMES[1]);
                problems.push(
                    Diagnostic::error("bad-weights", node.span, message)
                        .label(format!("expected {} weights", U::COUNT))
                        .help(format!("or list some and leave the others at 1: {}", U::EXAMPLE)),
                );
                return None;
            }
            (_, Some(entries)) => {
                let mut weights = vec![None; U::COUNT];
                let mut others = None;
                let mut whole = true;
                for entry in entries {
                    let weight = NonNegative::decode(&entry.value, problems).map(|weight| weight.0);
                    whole &= weight.is_some();
                    if entry.key == ELSE {
                        others = weight;
                        continue;
                    }
                    let Some(units) = units::<U>(entry.key.trim()) else {
                        problems.push(
                            Diagnostic::error(
                                "unknown-key",
                                entry.key_span,
                                format!("`{}` is not a {} or a range of them", entry.key, U::NAMES[0]),
                            )
                            .label("not known here")
                            .help(format!("write for example {}", U::EXAMPLE)),
                        );
                        whole = false;
                        continue;
                    };
                    for at in units {
                        if weights[at].is_some() {
                            problems.push(
                                Diagnostic::error(
                                    "bad-weights",
                                    entry.key_span,
                                    format!("some {} of `{}` have a weight already", U::NAMES[1], entry.key),
                                )
                                .label("listed twice")
                                .help(
                                    "let the ranges not overlap; `else` stands for all that are not listed",
                                ),
                            );
                            return None;
                        }
                        weights[at] = Some(weight.unwrap_or(1.0));
                    }
                }
                if !whole {
                    return None;
                }
                // Whoever writes `{9-17: 1}` wants nothing at night, and would get it.
                let idle = others.is_none()
                    && weights.contains(&None)
                    && weights.iter().flatten().all(|weight| *weight == 1.0);
                if idle {
                    problems.push(
                        Diagnostic::error("bad-weights", node.span, "these weights are 1, like all others")
                            .label("changes nothing")
                            .help(format!("write `else: 0` to leave out the other {}", U::NAMES[1])),
                    );
                    return None;
                }
                weights.into_iter().map(|weight| weight.or(others).unwrap_or(1.0)).collect()
            }
            _ => {
                wrong(node, Self::what(), problems);
                return None;
            }
        };
        Some(Cycle { weights, unit: PhantomData })
    }
    fn what() -> String {
        format!(
            "a list of {} weights, or a mapping from {} to weights such as {}",
            U::COUNT,
            U::NAMES[1],
            U::EXAMPLE
        )
    }
    fn schema() -> Json {
        let weight = NonNegative::schema();
        json!({"anyOf": [
            {"type": "array", "items": weight, "minItems": U::COUNT, "maxItems": U::COUNT},
            {"type": "object", "additionalProperties": weight},
        ]})
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_run_round() {
        assert_eq!(units::<Hours>("22-1"), Some(vec![22, 23, 0, 1]));
        assert_eq!(units::<Weekdays>("sat-mon"), Some(vec![5, 6, 0]));
        assert_eq!(units::<Months>("feb"), Some(vec![1]));
        assert_eq!(units::<Hours>("0 - 23").map(|all| all.len()), Some(24));
        for wrong in ["24", "-1", "1-24", "+1", "", "-", "mon"] {
            assert_eq!(units::<Hours>(wrong), None, "{wrong}");
        }
    }
}
