//! From rules to a plan: checks what is asked for, and shares the budget out.

use lookalike_ruleset::decode::{NamedItem, Spanned};
use lookalike_ruleset::diagnostic::did_you_mean;
use lookalike_ruleset::{Diagnostic, Problems, Span};

use super::plan::{Draw, Groups, Item, MAX_CELLS, Measure, NULL, Noise, OTHER, Plan, Query, number};
use super::rules::{ColumnRule, NoiseKind, ReleaseRule, Rules, Statistic, UnitRule, Values};
use crate::mechanisms::{gaussian, laplace, threshold};
use crate::{Budget, Cost, Error, Result, Unit, gaussian_sigma, share_out};

/// Largest bound of a value in its steps, so that sums fit.
const MAX_STEPS: f64 = (1u64 << 40) as f64;

/// Makes the plan for a budget.
///
/// # Errors
/// None where `problems` got an error; [`Error`] where the budget makes no sense of it.
pub fn plan(rules: &Rules, budget: Budget, problems: &mut Problems) -> Option<Result<Plan>> {
    if rules.lookalike.value.0 != 1 {
        problems.error(
            "bad-language-version",
            rules.lookalike.span,
            format!("version {} of the language", rules.lookalike.value.0),
            "expected `lookalike: 1`",
        );
    }
    let (unit, units_at_most) = unit(rules.unit.as_ref(), problems);
    if rules.releases.0.is_empty() {
        bad(
            Span::default(),
            "nothing is to be released",
            "list at least one release under `releases`",
            problems,
        );
    }
    let asked: Vec<Option<Asked>> =
        rules.releases.0.iter().map(|release| asked(release, rules, problems)).collect();
    for release in &rules.releases.0 {
        sums_to(release, rules, problems);
    }
    if problems.has_errors() {
        return None;
    }
    let asked: Vec<Asked> = asked.into_iter().flatten().collect();
    Some(calibrate(rules, &unit, units_at_most, budget, asked))
}

/// A release before its noise is known.
struct Asked {
    query: Query,
    groups: Groups,
    share: f64,
    noise: NoiseKind,
}

impl Asked {
    /// Whether its keys are to be discovered.
    fn searches(&self) -> bool {
        matches!(self.groups, Groups::Discover(_))
    }
}

fn bad(span: Span, message: impl Into<String>, help: impl Into<String>, problems: &mut Problems) {
    problems.push(Diagnostic::error("bad-release", span, message).help(help));
}

fn unit(rule: Option<&UnitRule>, problems: &mut Problems) -> (Unit, Option<u64>) {
    let Some(rule) = rule else { return (Unit::row(), None) };
    let mut bound = |bound: &Option<Spanned<lookalike_ruleset::decode::Count>>| -> Option<u32> {
        let bound = bound.as_ref()?;
        match u32::try_from(bound.value.0) {
            Ok(count @ 1..=1_000_000) => Some(count),
            _ => {
                let message = format!("a unit is bounded to {}", bound.value.0);
                bad(bound.span, message, "expected 1 to 1,000,000", problems);
                None
            }
        }
    };
    let (rows, groups, per_group) =
        (bound(&rule.max_rows), bound(&rule.max_groups), bound(&rule.max_rows_per_group));
    let at_most = rule.at_most.as_ref().map(|count| count.value.0);
    let Some(column) = &rule.column else {
        for (bound, name) in [
            (&rule.max_rows, "max_rows"),
            (&rule.max_groups, "max_groups"),
            (&rule.max_rows_per_group, "max_rows_per_group"),
        ] {
            if let Some(bound) = bound {
                let message = format!("`{name}` without a `column`");
                bad(bound.span, message, "where a row is the unit, it is one row in one group", problems);
            }
        }
        return (Unit::row(), at_most);
    };
    let Some(rows) = rows else {
        if rule.max_rows.is_none() {
            bad(
                column.span,
                format!("no bound on the rows of one `{}`", column.value),
                "add `max_rows`, from what is known in public: one unit may otherwise change the figures by any amount",
                problems,
            );
        }
        return (Unit::row(), at_most);
    };
    let unit = Unit {
        column: Some(column.value.clone()),
        max_rows: rows,
        max_groups: groups,
        max_rows_per_group: per_group,
    };
    (unit, at_most)
}

fn column<'a>(
    name: &Spanned<String>,
    rules: &'a Rules,
    needs: &str,
    problems: &mut Problems,
) -> Option<&'a ColumnRule> {
    match rules.columns.find(&name.value) {
        Some(item) => Some(&item.value),
        None => {
            let help = format!(
                "say under `columns` what is public of it: {needs}; {}",
                did_you_mean(&name.value, "columns", rules.columns.names())
            );
            bad(name.span, format!("nothing is said of column `{}`", name.value), help, problems);
            None
        }
    }
}

fn asked(release: &NamedItem<ReleaseRule>, rules: &Rules, problems: &mut Problems) -> Option<Asked> {
    let rule = &release.value;
    let name_is_plain = release.name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'));
    if !name_is_plain {
        bad(
            release.name_span,
            format!("release `{}` cannot name a file", release.name),
            "letters, digits, `-` and `_` are allowed",
            problems,
        );
    }
    let groups = groups(rule, rules, problems);
    let statistic = rule.statistic.value;
    let measure = match (&rule.of, statistic) {
        (None, Statistic::Count) => None,
        (Some(of), Statistic::Count) => {
            bad(of.span, "a count is of rows", "leave `of` out", problems);
            return None;
        }
        (None, _) => {
            bad(release.span, "the column is missing", "add `of: column`", problems);
            return None;
        }
        (Some(of), _) => Some(measure(of, rules, problems)?),
    };
    let bins = |measure: &Measure, problems: &mut Problems| bins(rule, release.span, measure, problems);
    let query = match (statistic, measure) {
        (Statistic::Sum, Some(of)) => Query::Sum(of),
        (Statistic::Mean, Some(of)) => Query::Mean(of),
        (Statistic::Histogram, Some(of)) => {
            let bins = bins(&of, problems)?;
            Query::Histogram(of, bins)
        }
        (Statistic::Quantiles, Some(of)) => {
            let bins = bins(&of, problems)?;
            Query::Quantiles(of, bins, rule.at.iter().map(|share| share.0).collect())
        }
        _ => Query::Count,
    };
    let groups = groups?;
    if matches!(groups, Groups::Discover(_)) {
        let refused = match (&query, rule.noise, &rule.sums_to) {
            (Query::Count, NoiseKind::Laplace, _) => {
                Some(("counts by unknown keys are released with Gaussian noise", "leave `noise` out"))
            }
            (_, _, Some(_)) => Some((
                "figures by unknown keys cannot add up: what few have is left out",
                "leave `sums_to` out, or list the keys under `values`",
            )),
            _ => None,
        };
        if let Some((message, help)) = refused {
            bad(release.span, message, help, problems);
            return None;
        }
    }
    if rule.noise == NoiseKind::Laplace && matches!(query, Query::Quantiles(..) | Query::Mean(_)) {
        bad(
            release.span,
            "means and quantiles are released with Gaussian noise",
            "leave `noise` out",
            problems,
        );
        return None;
    }
    if matches!(groups, Groups::Public(_)) && groups.count().is_none() {
        bad(release.span, format!("more than {MAX_CELLS} groups"), "group by fewer columns", problems);
        return None;
    }
    let post = rule.non_negative || rule.sums_to.is_some();
    if post && matches!(query, Query::Mean(_) | Query::Quantiles(..)) {
        bad(
            release.span,
            "only counts, histograms and sums can be made non-negative or add up",
            "leave it out",
            problems,
        );
        return None;
    }
    Some(Asked { query, groups, share: rule.share.0, noise: rule.noise })
}

fn groups(rule: &ReleaseRule, rules: &Rules, problems: &mut Problems) -> Option<Groups> {
    let mut public = Vec::new();
    let mut discover = false;
    let mut complete = true;
    for by in &rule.by {
        let Some(column) = column(by, rules, "`values: [...]`", problems) else {
            complete = false;
            continue;
        };
        match column.values.as_ref().map(|values| &values.value) {
            None => {
                bad(
                    by.span,
                    format!("the values of column `{}` are not public", by.value),
                    "list under `values` what everybody knows that it can hold, or write `values: discover` to pay for \
                     finding out",
                    problems,
                );
                complete = false;
            }
            Some(Values::Discover) => {
                discover = true;
                public.push((by.value.clone(), Vec::new()));
            }
            Some(Values::Public(values)) => {
                let mut sorted = values.clone();
                sorted.sort_unstable();
                sorted.dedup();
                if sorted.len() < values.len() || values.iter().any(|v| v == OTHER || v == NULL) {
                    bad(
                        by.span,
                        format!("a value of `{}` is listed twice, or is {OTHER} or {NULL}", by.value),
                        "list each value once; these two are always there",
                        problems,
                    );
                    complete = false;
                }
                public.push((by.value.clone(), values.clone()));
            }
        }
    }
    complete.then(|| {
        if discover {
            Groups::Discover(public.into_iter().map(|(name, _)| name).collect())
        } else {
            Groups::Public(public)
        }
    })
}

fn measure(of: &Spanned<String>, rules: &Rules, problems: &mut Problems) -> Option<Measure> {
    let column = column(of, rules, "`min`, `max` and `step`", problems)?;
    let (Some(min), Some(max)) = (&column.min, &column.max) else {
        bad(
            of.span,
            format!("no bounds of column `{}`", of.value),
            "add `min` and `max` under `columns`, from what everybody knows: a single value may otherwise change the figure \
             by any amount",
            problems,
        );
        return None;
    };
    let step = column.step.0;
    let steps = |value: f64| value / step;
    let (low, high) = (steps(min.value.0), steps(max.value.0));
    if low >= high || low.abs() > MAX_STEPS || high.abs() > MAX_STEPS {
        bad(
            max.span,
            format!("column `{}` is bounded from {} to {}", of.value, min.value.0, max.value.0),
            "expected `min` below `max`, and both within 2^40 steps",
            problems,
        );
        return None;
    }
    let measure =
        Measure { column: of.value.clone(), low: low.round() as i64, high: high.round() as i64, step };
    if measure.low >= measure.high {
        bad(max.span, "the bounds are less than a step apart", "take a smaller `step`", problems);
        return None;
    }
    Some(measure)
}

fn bins(rule: &ReleaseRule, span: Span, of: &Measure, problems: &mut Problems) -> Option<Vec<i64>> {
    match &rule.bins {
        None if rule.statistic.value == Statistic::Histogram => {
            bad(span, "a histogram needs bins", "add `bins: [0, 10, 100]`, the bounds of the bins", problems);
            None
        }
        None => {
            let width = of.high - of.low;
            let count = width.min(64);
            Some((0..=count).map(|at| of.low + (width as i128 * at as i128 / count as i128) as i64).collect())
        }
        Some(bins) => {
            let steps: Vec<i64> = bins.value.iter().map(|bound| (bound.0 / of.step).round() as i64).collect();
            if steps.len() < 2 || steps.len() > 10_001 || steps.windows(2).any(|pair| pair[0] >= pair[1]) {
                bad(
                    bins.span,
                    "the bounds of the bins do not rise",
                    "expected 2 to 10,001 numbers, each at least a step above the one before",
                    problems,
                );
                return None;
            }
            Some(steps)
        }
    }
}

fn sums_to(release: &NamedItem<ReleaseRule>, rules: &Rules, problems: &mut Problems) {
    let Some(total) = &release.value.sums_to else { return };
    let rule = &release.value;
    let place = |name: &str| rules.releases.names().position(|other| other == name);
    let same = |other: &ReleaseRule| match rule.statistic.value {
        Statistic::Sum => {
            other.statistic.value == Statistic::Sum
                && other.of.as_ref().map(|of| &of.value) == rule.of.as_ref().map(|of| &of.value)
        }
        _ => other.statistic.value == Statistic::Count,
    };
    match rules.releases.find(&total.value) {
        None => {
            let help = did_you_mean(&total.value, "releases", rules.releases.names());
            bad(total.span, format!("there is no release `{}`", total.value), help, problems);
        }
        Some(other)
            if other.value.by.is_empty()
                && same(&other.value)
                && place(&total.value) < place(&release.name) => {}
        Some(_) => bad(
            total.span,
            format!("`{}` cannot add up to `{}`", release.name, total.value),
            "expected a release of the same statistic without `by`, listed before this one",
            problems,
        ),
    }
}

/// Shares the budget out, and finds the noise of each release.
fn calibrate(
    rules: &Rules,
    unit: &Unit,
    units_at_most: Option<u64>,
    budget: Budget,
    asked: Vec<Asked>,
) -> Result<Plan> {
    budget.held_against(units_at_most)?;
    let limit = budget.cost()?;
    let keyed = asked.iter().filter(|asked| asked.searches()).count();
    if keyed > 0 && limit.delta <= 0.0 {
        return Err(Error::request(
            "keys are to be discovered, but no part of delta is set aside for it",
            "set some aside with --threshold-delta",
        ));
    }
    // A mean is two draws, and keys that nobody knows are searched for by another; all of the same cost.
    let weights: Vec<f64> = asked
        .iter()
        .flat_map(|asked| {
            let own = if matches!(asked.query, Query::Mean(_)) { 2 } else { 1 };
            let draws = if asked.searches() && asked.query != Query::Count { own + 1 } else { own };
            vec![asked.share / draws as f64; draws]
        })
        .collect();
    let mut shares = share_out(limit.rho, &weights).into_iter();
    let deltas = share_out(limit.delta, &vec![1.0; keyed.max(1)]);
    let mut items = Vec::new();
    for (asked, release) in asked.into_iter().zip(&rules.releases.0) {
        let mut next = || shares.next().ok_or_else(|| Error::Internal("a share is missing".into()));
        let single = asked.groups.columns().is_empty();
        // Without groups there is one cell, which all k rows can be in; bounds by group are then of no use.
        let (l1, l2) =
            if single { (f64::from(unit.k()), f64::from(unit.k())) } else { (unit.l1(), unit.l2()) };
        let noisy = |rho: f64, size: f64| -> Result<Draw> {
            match asked.noise {
                NoiseKind::Gaussian => {
                    let sensitivity = size * l2;
                    let sigma = gaussian_sigma(rho, sensitivity)?;
                    Ok(Draw {
                        sensitivity,
                        noise: Noise::Gaussian(sigma),
                        cost: gaussian::cost(sigma, sensitivity)?,
                    })
                }
                NoiseKind::Laplace => {
                    let sensitivity = size * l1;
                    let scale = laplace::scale(rho, sensitivity)?;
                    Ok(Draw {
                        sensitivity,
                        noise: Noise::Laplace(scale),
                        cost: laplace::cost(scale, sensitivity)?,
                    })
                }
            }
        };
        let mut draws = Vec::new();
        if asked.searches() {
            let (sigma, at) = threshold::calibrate(unit, Cost { rho: next()?, delta: deltas[0] })?;
            draws.push(Draw {
                sensitivity: l2,
                noise: Noise::Threshold(sigma, at),
                cost: threshold::cost(unit, sigma, at)?,
            });
        }
        match &asked.query {
            // The counts that keys were found by are the figures.
            Query::Count if asked.searches() => {}
            Query::Sum(of) => draws.push(noisy(next()?, of.size())?),
            Query::Mean(of) => draws.extend([noisy(next()?, of.spread())?, noisy(next()?, 1.0)?]),
            _ => draws.push(noisy(next()?, 1.0)?),
        }
        let item = Item {
            name: release.name.clone(),
            about: release.value.about.clone(),
            query: asked.query,
            groups: asked.groups,
            draws,
            non_negative: release.value.non_negative,
            sums_to: release.value.sums_to.as_ref().map(|total| total.value.clone()),
        };
        says_something(&item, unit, units_at_most, budget)?;
        items.push(item);
    }
    Ok(Plan {
        table: rules.table.as_ref().map(|name| name.value.clone()),
        about: rules.about.clone(),
        unit: unit.clone(),
        units_at_most,
        unit_about: rules.unit.as_ref().and_then(|unit| unit.about.clone()),
        budget,
        items,
    })
}

/// Refuses a count whose noise is larger than the whole table can be, as far as that is public.
fn says_something(item: &Item, unit: &Unit, units_at_most: Option<u64>, budget: Budget) -> Result<()> {
    let (Some(units), Some(draw)) = (units_at_most, item.draws.last()) else { return Ok(()) };
    let most = units as f64 * f64::from(unit.k());
    let width = draw.noise.half_width()
        * match &item.query {
            Query::Sum(of) => 1.0 / of.size(),
            _ => 1.0,
        };
    if width >= most {
        let (of, noise) = match &item.query {
            Query::Sum(_) => ("", item.expected_error()),
            Query::Mean(_) => ("the number of rows in ", format!("± {} rows", number(width))),
            _ => ("", format!("± {} rows", number(width))),
        };
        return Err(Error::request(
            format!(
                "epsilon {} is too small to say anything: the noise of {of}`{}` is {noise} where the whole table holds at most {} rows",
                budget.epsilon,
                item.name,
                number(most)
            ),
            "spend more on it, release less, or bound a unit's rows more tightly",
        ));
    }
    Ok(())
}
