//! A whole fit: what it will cost, and from cells to a model.

use std::fmt::Write as _;

use super::coding::{Bins, Coding, Cut, Scale};
use super::schema::{Form, Schema};
use super::{Aim, AimPlan, Fitted, Mst, MstPlan, noise};
use crate::mechanisms::{quantile, threshold};
use crate::pgm::{Clique, Coded, Domain, Zeros};
use crate::{Cost, Error, Result, Session, Unit, keep_groups, share_out};

/// The cells of a column: each distinct text once.
#[derive(Clone, Debug, Default)]
pub struct Cells {
    /// The texts.
    pub texts: Vec<String>,
    /// For each row the number of its text; [`Cells::NULL`] for null.
    pub rows: Vec<u32>,
}

impl Cells {
    /// Stands for null.
    pub const NULL: u32 = u32::MAX;

    /// The rows with these numbers.
    #[must_use]
    pub fn kept(&self, rows: &[usize]) -> Cells {
        Cells { texts: self.texts.clone(), rows: rows.iter().map(|row| self.rows[*row]).collect() }
    }

    fn codes(&self, coding: &Coding) -> Vec<u32> {
        let known: Vec<u32> = self.texts.iter().map(|text| coding.code(Some(text))).collect();
        let null = coding.code(None);
        self.rows.iter().map(|text| known.get(*text as usize).copied().unwrap_or(null)).collect()
    }
}

/// How to fit.
#[derive(Clone, Debug)]
pub enum Method {
    /// A tree of pairs, at a cost known beforehand.
    Mst,
    /// Marginals chosen one by one for a workload: sets of columns, by their places among the modelled ones.
    Aim {
        /// The sets that matter.
        workload: Vec<Clique>,
        /// Most cells of the model.
        max_cells: usize,
    },
}

/// The share of the budget that finding values and bins takes, where a column asks for it.
const SEARCH_SHARE: f64 = 0.1;

/// Places among which a quantile is found.
const GRID: f64 = 1024.0;

/// What a fit will do and cost, known before any row is read.
#[derive(Clone, Debug)]
pub struct Plan {
    /// All that is spent.
    pub cost: Cost,
    /// What each search of values or bins spends.
    search: Cost,
    /// How many searches.
    searches: usize,
    /// What is left for the method.
    rho: f64,
    names: Vec<String>,
    /// Codes of each column, where they are known.
    sizes: Vec<Option<usize>>,
    unit: Unit,
    /// The unit as values are counted: once for each, for so many at most.
    counted: Unit,
    method: Method,
}

impl Plan {
    /// The plan for a schema.
    pub fn new(schema: &Schema, method: Method, cost: Cost) -> Plan {
        let unit = schema.unit.clone();
        let values = schema.max_values.unwrap_or(unit.k());
        let searches: Vec<f64> = schema
            .modelled()
            .flat_map(|column| match &column.form {
                Form::Quantiles { bins, .. } => vec![1.0; bins.saturating_sub(1)],
                Form::Discovered { .. } => vec![1.0],
                _ => Vec::new(),
            })
            .collect();
        let discovered =
            schema.modelled().filter(|column| matches!(column.form, Form::Discovered { .. })).count();
        let search = match searches.len() {
            0 => Cost::default(),
            _ => Cost {
                rho: share_out(cost.rho * SEARCH_SHARE, &searches)[0],
                delta: share_out(cost.delta, &vec![1.0; discovered.max(1)])[0],
            },
        };
        let rho = if searches.is_empty() {
            cost.rho
        } else {
            cost.rho * (1.0 - SEARCH_SHARE) * (1.0 - super::MARGIN)
        };
        let size = |form: &Form| match form {
            Form::Coded(coding) => Some(coding.size()),
            Form::Quantiles { bins, spikes, .. } => Some(bins + spikes.len() + 1),
            _ => None,
        };
        Plan {
            cost,
            search,
            searches: searches.len(),
            rho,
            names: schema.modelled().map(|column| column.name.clone()).collect(),
            sizes: schema.modelled().map(|column| size(&column.form)).collect(),
            counted: Unit { max_groups: Some(values), max_rows_per_group: Some(1), ..unit.clone() },
            unit,
            method,
        }
    }

    /// Whether values are searched, which spends some of delta.
    pub fn needs_delta(schema: &Schema) -> bool {
        schema.modelled().any(|column| matches!(column.form, Form::Discovered { .. }))
    }

    /// The noise of a column's counts.
    fn sigma_alone(&self) -> f64 {
        let (columns, k) = (self.names.len(), self.unit.k().into());
        match self.method {
            Method::Mst => MstPlan::new(columns, self.rho, k).sigma_columns,
            Method::Aim { .. } => AimPlan::new(columns, self.rho, k).sigma,
        }
    }

    /// Refuses a plan whose counts would say nothing about a table with so many units.
    ///
    /// # Errors
    /// When the noise of a single count is as large as the whole table can be.
    pub fn says_something(&self, units_at_most: Option<u64>) -> Result<()> {
        let Some(units) = units_at_most else { return Ok(()) };
        let most = units as f64 * f64::from(self.unit.k());
        let width = 1.96 * self.sigma_alone();
        if width < most {
            return Ok(());
        }
        Err(Error::request(
            format!(
                "epsilon is too small to say anything: each count would have noise of ± {width:.0} rows, where the whole table \
                 holds at most {most:.0}"
            ),
            "spend more, model fewer columns, or bound a unit's rows more tightly",
        ))
    }

    /// Noise and threshold of a search for values, if there is one.
    fn least(&self) -> Option<(f64, i64)> {
        if self.search.delta <= 0.0 {
            return None;
        }
        threshold::calibrate(&self.counted, self.search).ok()
    }

    /// The plan in words, with the error to be expected.
    pub fn describe(&self) -> String {
        let mut text = String::new();
        let columns = self.names.len();
        let _ = writeln!(
            text,
            "unit of privacy: {}; neighbouring tables differ in one unit's rows",
            self.unit.describe()
        );
        let _ = writeln!(text, "spends {} in all", self.cost);
        if self.searches > 0 {
            let _ = writeln!(
                text,
                "  {} searches of values and bins, each for rho {:.3e}",
                self.searches, self.search.rho
            );
        }
        if let Some((_, least)) = self.least() {
            let _ = writeln!(text, "  values are found that about {least} units or more have");
        }
        let k = self.unit.k().into();
        let (sigma, more) = match &self.method {
            Method::Mst => {
                let plan = MstPlan::new(columns, self.rho, k);
                let s = if plan.pairs == 1 { "" } else { "s" };
                let more = format!(
                    "  {} choice{s} of a pair, each with epsilon {:.4}\n  {} pair{s} of columns, noise of ± {} rows in each cell (standard deviation {:.2})\n",
                    plan.pairs,
                    plan.epsilon_choice,
                    plan.pairs,
                    half_width(plan.sigma_pairs),
                    plan.sigma_pairs
                );
                (plan.sigma_columns, more)
            }
            Method::Aim { workload, max_cells } => {
                let plan = AimPlan::new(columns, self.rho, k);
                let more = format!(
                    "  at most {} rounds: a choice with epsilon {:.4} or more among the subsets of {} sets, and a marginal with noise of ± {} rows \
                     in each cell or less\n  a model of at most {max_cells} cells\n",
                    plan.rounds,
                    plan.epsilon_choice,
                    workload.len(),
                    half_width(plan.sigma)
                );
                (plan.sigma, more)
            }
        };
        let width = self.names.iter().map(|name| name.chars().count()).max().unwrap_or(0);
        let _ = writeln!(
            text,
            "  {columns} columns alone, noise of ± {} rows in each cell (95 %, standard deviation {sigma:.2}); expected error of all cells:",
            half_width(sigma)
        );
        for (name, size) in self.names.iter().zip(&self.sizes) {
            let _ = match size {
                Some(size) => writeln!(
                    text,
                    "    {name:width$}  {size:>5} cells  {:>9.0} rows",
                    noise(sigma) * *size as f64
                ),
                None => writeln!(text, "    {name:width$}  as many cells as values are found"),
            };
        }
        text + &more
    }
}

/// The half-width of a 95 % interval.
fn half_width(sigma: f64) -> String {
    format!("{:.0}", (1.96 * sigma).ceil())
}

/// A model, and what its codes mean.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The coding of each modelled column.
    pub codings: Vec<Coding>,
    /// The model.
    pub fitted: Fitted,
}

impl Outcome {
    /// The noisy number of rows; at least 1.
    pub fn rows(&self) -> u64 {
        self.fitted.model.total().round().max(1.0) as u64
    }
}

/// Fits the cells of the modelled columns, in the order of the schema, truncated to the unit's rows. `units` has the unit of
/// each row.
///
/// # Errors
/// When the budget does not cover it, or books cannot be kept.
pub fn run(
    schema: &Schema,
    plan: &Plan,
    cells: &[Cells],
    units: &[u64],
    session: &mut Session,
) -> Result<Outcome> {
    let mut codings = Vec::new();
    for (column, cells) in schema.modelled().zip(cells) {
        codings.push(match &column.form {
            Form::Coded(coding) => coding.clone(),
            Form::Quantiles { scale, bounds, bins, spikes } => {
                quantiles(&column.name, *scale, *bounds, *bins, spikes, cells, plan.search.rho, session)?
            }
            Form::Discovered { other } => {
                discover(&column.name, other.as_ref(), cells, units, plan, session)?
            }
            Form::Generated(_) => continue,
        });
    }
    let domain = Domain::new(codings.iter().map(Coding::size).collect());
    let codes = codings.iter().zip(cells).map(|(coding, cells)| cells.codes(coding)).collect();
    let table = Coded::new(domain.clone(), codes);
    let zeros = zeros(schema, &codings, &domain);
    let fitted = match &plan.method {
        Method::Mst => Mst::default().fit(&table, &zeros, &plan.names, plan.rho, session)?,
        Method::Aim { workload, max_cells } => {
            let sets = workload.iter().map(|set| (set.clone(), 1.0)).collect();
            let aim = Aim { max_cells: *max_cells, ..Aim::new(sets) };
            aim.fit(&table, &zeros, &plan.names, plan.rho, session)?
        }
    };
    Ok(Outcome { codings, fitted })
}

/// The public rules as impossible cells.
fn zeros(schema: &Schema, codings: &[Coding], domain: &Domain) -> Zeros {
    let mut zeros = Zeros::none();
    for rule in &schema.impossible {
        let set: Clique = rule.iter().map(|(column, _)| *column).collect();
        let mut cells = vec![1.0; domain.len_of(&set)];
        for (column, values) in rule {
            let barred =
                codings[*column].matching(values).unwrap_or_else(|| vec![false; codings[*column].size()]);
            let barred: Vec<f64> = barred.into_iter().map(|code| f64::from(u8::from(code))).collect();
            domain.projection(&set, &[*column]).zip(&mut cells, &barred, |cell, barred| *cell *= barred);
        }
        zeros.add(set, cells.into_iter().map(|cell| cell > 0.0).collect());
    }
    zeros
}

/// Bins with about as many rows each: each edge is a private quantile on a grid over the public bounds.
#[expect(clippy::too_many_arguments, reason = "the parts of one declaration")]
fn quantiles(
    name: &str,
    scale: Scale,
    (low, high): (f64, f64),
    bins: usize,
    spikes: &[f64],
    cells: &Cells,
    rho: f64,
    session: &mut Session,
) -> Result<Coding> {
    let whole = scale != Scale::Float;
    let width = if whole { high - low + 1.0 } else { high - low };
    let places = if whole { GRID.min(width) } else { GRID };
    let all = Bins::new(scale, low, high, Cut::Even(1), &[]);
    let place = |text: &String| all.value(text).map(|value| ((value - low) / width * places).floor() as i64);
    let known: Vec<Option<i64>> = cells.texts.iter().map(place).collect();
    let values: Vec<i64> =
        cells.rows.iter().filter_map(|text| known.get(*text as usize).copied().flatten()).collect();
    let candidates: Vec<i64> = (0..=places as i64).collect();
    let rows = session.unit().k();
    let mut edges = Vec::new();
    for edge in 1..bins {
        let alpha = edge as f64 / bins as f64;
        let query = format!("the {edge}. of {bins} quantiles of {name}");
        let at = session.quantile(
            &query,
            &values,
            rows,
            &candidates,
            alpha,
            quantile::scale(alpha, rho, rows)?,
        )?;
        let value = low + at as f64 * width / places;
        edges.push(if whole { value.round() } else { value }.clamp(low, high));
    }
    Ok(Coding::Bins(Bins::new(scale, low, high, Cut::At(edges), spikes)))
}

/// The values that enough units have.
fn discover(
    name: &str,
    other: Option<&String>,
    cells: &Cells,
    units: &[u64],
    plan: &Plan,
    session: &mut Session,
) -> Result<Coding> {
    let Some((sigma, least)) = plan.least() else {
        return Err(Error::Internal(format!("nothing of delta is set aside to find the values of {name}")));
    };
    let query = format!("units with each value of {name}, counted for at most {} each", plan.counted.m());
    let counts = units_by_value(&plan.counted, cells, units)?;
    let found = session.threshold(&query, &plan.counted, &counts, sigma, least)?;
    let values = found.into_iter().map(|(value, _)| value).filter(|value| Some(value) != other).collect();
    Ok(Coding::Values { values, other: other.cloned() })
}

/// How many units have each value. A unit is counted once for a value, and for no more values than its bound, which are chosen
/// at random; so it moves the counts by at most 1 each and √m in the L2 norm.
fn units_by_value(counted: &Unit, cells: &Cells, units: &[u64]) -> Result<Vec<(String, i64)>> {
    let rows: Vec<(u64, u64)> = units
        .iter()
        .zip(&cells.rows)
        .filter(|(_, text)| **text != Cells::NULL)
        .map(|(unit, text)| (*unit, u64::from(*text)))
        .collect();
    let (units, texts): (Vec<u64>, Vec<u64>) = rows.into_iter().unzip();
    let mut counts = vec![0i64; cells.texts.len()];
    for row in keep_groups(counted, &units, &texts)? {
        counts[texts[row] as usize] += 1;
    }
    let counts = cells.texts.iter().cloned().zip(counts);
    Ok(counts.filter(|(_, count)| *count > 0).collect())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::output::{Style, Written, write};
    use super::*;
    use crate::{Budget, Ledger, Line, Opening, Table};

    const SCHEMA: &str = "schema: 1\ntable: people\nunit: {column: client, max_rows: 2}\ncolumns:\n  sex: {categories: [f, m]}\n  \
                          married: {categories: [yes, no], about: With a ring}\n  age: {int: [0, 99], bins: 10, spikes: [18]}\n  \
                          height: {float: [0, 4], quantiles: 4, round: 2}\n  city: {discover: true, other: elsewhere}\n  \
                          id: {generate: {uuid: {}}}\nimpossible: [{married: 'yes', age: [0, 9]}]\n";

    fn column(rows: usize, cell: impl Fn(usize) -> Option<String>) -> Cells {
        let mut cells = Cells::default();
        for row in 0..rows {
            cells.rows.push(match cell(row) {
                None => Cells::NULL,
                Some(text) => match cells.texts.iter().position(|known| *known == text) {
                    Some(at) => at as u32,
                    None => {
                        cells.texts.push(text);
                        cells.texts.len() as u32 - 1
                    }
                },
            });
        }
        cells
    }

    /// 6,000 rows in which sex follows from the row, marriage from age, and everything else from residues.
    fn people(rows: usize) -> Vec<Cells> {
        let age = |row: usize| (row * 37 + row / 50) % 100;
        vec![
            column(rows, |row| Some(if row % 3 == 0 { "f" } else { "m" }.into())),
            column(rows, |row| Some(if age(row) >= 30 { "yes" } else { "no" }.into())),
            column(rows, |row| Some(age(row).to_string())),
            column(rows, |row| (row % 10 > 0).then(|| format!("{}", 1.4 + (row % 50) as f64 / 100.0))),
            column(rows, |row| {
                Some(["Ulm", "Bonn", "Kiel"].get(row % 4).map_or(format!("hamlet {row}"), |c| (*c).into()))
            }),
        ]
    }

    fn fit(method: Method, exact: bool, rows: usize) -> (Outcome, Written, Vec<Line>, Plan) {
        let schema = Schema::read("s.yaml", SCHEMA).unwrap_or_else(|(problems, _)| panic!("{problems:?}"));
        let folder = tempfile::tempdir().unwrap();
        let budget = Budget::new(60.0, 1e-6).unwrap().with_thresholds(5e-7).unwrap();
        let plan = Plan::new(&schema, method, budget.cost().unwrap());
        let ledger = folder.path().join("ledger.jsonl");
        let mut session = Session::open(Opening {
            table: Table::Named("people"),
            unit: schema.unit.clone(),
            budget,
            total: None,
            stage: "fit",
            ledger: ledger.clone(),
            state: folder.path().join("budget.jsonl"),
            clock: || "2026-01-01T00:00:00Z".into(),
        })
        .unwrap();
        let units: Vec<u64> = (0..rows as u64).map(|row| row / 2).collect();
        let outcome = run(&schema, &plan, &people(rows), &units, &mut session).unwrap();
        let statement = session.close(schema.public(), Vec::new()).unwrap();
        assert!(statement.epsilon <= 60.0 && statement.epsilon > 58.0, "{}", statement.epsilon);
        let style = Style { folder: "people.model".into(), exact, remarks: vec!["A remark.".into()] };
        let written = write(&schema, &outcome, &style);
        (outcome, written, Ledger::read(&ledger).unwrap(), plan)
    }

    #[test]
    fn a_table_becomes_a_ruleset() {
        let (outcome, written, ledger, plan) = fit(Method::Mst, false, 6000);
        // 3 quantiles, 1 search for cities, 5 columns, 4 choices, 4 pairs.
        let charges: Vec<_> = ledger
            .iter()
            .filter_map(|line| match line {
                Line::Charge(charge) => Some(charge),
                _ => None,
            })
            .collect();
        assert_eq!(charges.len(), 3 + 1 + 5 + 4 + 4);
        let sum: f64 = charges.iter().map(|charge| charge.rho).sum();
        assert!(sum <= plan.cost.rho * (1.0 + 1e-12) && sum > plan.cost.rho * 0.98, "{sum} of {}", plan.cost);
        // Cities with enough rows are found, hamlets are not.
        assert!(
            matches!(&outcome.codings[4], Coding::Values { values, .. } if values == &["Bonn", "Kiel", "Ulm"])
        );
        let total = outcome.fitted.model.total();
        assert!((total - 6000.0).abs() < 60.0, "{total}");
        // Nobody under ten is married; most over thirty are.
        let yes = outcome.fitted.merged[1][0] as usize;
        let pairs = outcome.fitted.model.marginal(&[1, 2]);
        let ages = outcome.fitted.model.domain().sizes()[2];
        assert_eq!(pairs[yes * ages], 0.0);
        let married: f64 = pairs[yes * ages..(yes + 1) * ages].iter().sum();
        assert!((married / total - 0.7).abs() < 0.05, "{married}");

        let text = &written.ruleset;
        for part in [
            "# A remark.",
            "name: people",
            "{file: \"people.model/sex.csv\"",
            "sex: {weighted: {in: sex_weights, take: sex",
            "about: \"With a ring\"",
            "by: age_bin",
            "\"18\": {constant: 18}",
            "round: 2",
            "id: {uuid: {}}",
            "age_bin: {weighted:",
        ] {
            assert!(text.contains(part), "{part} in\n{text}");
        }
        assert!(!text.contains("hamlet") && !text.contains("client"), "{text}");
        assert_eq!(written.tables.len(), 5);
        for (file, table) in &written.tables {
            assert!(table.lines().count() > 2, "{file}:\n{table}");
            assert!(table.lines().next().is_some_and(|head| head.ends_with(",weight")), "{file}");
        }
    }

    #[test]
    fn aim_fits_the_same_table_and_exact_names_the_way() {
        let workload = Aim::all_sets(5, 2).into_iter().map(|(set, _)| set).collect();
        let (outcome, written, _, plan) = fit(Method::Aim { workload, max_cells: 5000 }, true, 6000);
        assert!(
            written.ruleset.contains("exact: []") && written.ruleset.contains("_weights]"),
            "{}",
            written.ruleset
        );
        let pairs = outcome.fitted.model.marginal(&[0, 1]);
        assert!(pairs.iter().all(|cell| *cell >= 0.0));
        let text = plan.describe();
        assert!(
            text.contains("at most 75 rounds") && text.contains("`client`, at most 2 rows of each"),
            "{text}"
        );
    }

    #[test]
    fn the_shape_of_the_output_does_not_depend_on_what_is_public_being_in_the_rows() {
        // A row more or less changes neither columns nor codes; nulls have their code though none occurs in `sex`.
        for rows in [400, 399] {
            let (outcome, _, _, _) = fit(Method::Mst, false, rows);
            let sizes: Vec<usize> = outcome.codings.iter().map(Coding::size).collect();
            assert_eq!(&sizes[..3], [3, 3, 13]);
            assert_eq!(outcome.codings[0].label(2), None);
        }
    }

    proptest! {
        /// What a unit adds to the counts of values is what its coming or going changes.
        #[test]
        fn one_unit_moves_counts_of_values_by_no_more_than_declared(
            rows in prop::collection::vec((0u64..4, 0u32..7), 1..60), k in 1u32..9, m in 1u32..5
        ) {
            let unit = Unit::column("client", k).unwrap();
            let units: Vec<u64> = rows.iter().map(|row| row.0).collect();
            let kept = unit.truncate(&units).unwrap();
            let counted = unit.by_group(Some(m), Some(1)).unwrap();
            for one in 0..4 {
                let own: Vec<&(u64, u32)> = kept.iter().map(|&row| &rows[row]).filter(|row| row.0 == one).collect();
                let cells = Cells {
                    texts: (0..7).map(|text| format!("v{text}")).collect(),
                    rows: own.iter().map(|row| if row.1 == 6 { Cells::NULL } else { row.1 }).collect(),
                };
                let part = units_by_value(&counted, &cells, &vec![one; own.len()]).unwrap();
                prop_assert!(part.iter().all(|(_, count)| *count == 1));
                prop_assert!(part.len() as u64 <= counted.l2_squared());
                prop_assert!(part.len() as u32 <= m.min(k));
            }
        }
    }

    #[test]
    fn a_bound_on_values_lowers_what_a_value_must_have() {
        let least = |unit: &str| {
            let text = SCHEMA.replace("{column: client, max_rows: 2}", unit);
            let schema = Schema::read("s.yaml", &text).unwrap_or_else(|(problems, _)| panic!("{problems:?}"));
            let budget = Budget::new(1.0, 1e-6).unwrap().with_thresholds(5e-7).unwrap();
            Plan::new(&schema, Method::Mst, budget.cost().unwrap()).least().unwrap()
        };
        let (wide, narrow) =
            (least("{column: client, max_rows: 40}"), least("{column: client, max_rows: 40, max_values: 4}"));
        // √m: √40 against 2.
        assert!((wide.0 / narrow.0 - 10f64.sqrt()).abs() < 1e-9, "{wide:?} {narrow:?}");
        assert!(wide.1 > 3 * narrow.1);
    }

    #[test]
    fn a_plan_that_says_nothing_is_refused() {
        let schema = Schema::read("s.yaml", SCHEMA).unwrap_or_else(|(problems, _)| panic!("{problems:?}"));
        let budget = Budget::new(0.01, 1e-6).unwrap().with_thresholds(5e-7).unwrap();
        let plan = Plan::new(&schema, Method::Mst, budget.cost().unwrap());
        plan.says_something(None).unwrap();
        plan.says_something(Some(1_000_000)).unwrap();
        let refusal = plan.says_something(Some(100)).unwrap_err().to_string();
        assert!(refusal.contains("holds at most 200"), "{refusal}");
    }
}
