//! The door between a private table and the outside.

use std::any::Any;
use std::path::PathBuf;

use opendp::combinators::{make_fully_adaptive_composition, make_privacy_filter};
use opendp::core::{Function, Measurement, OdometerQueryable, PrivacyMap};
use opendp::domains::{AtomDomain, VectorDomain};
use opendp::error::Fallible;
use opendp::metrics::SymmetricDistance;
use opendp::traits::samplers::fill_bytes;

use crate::accounting::Rho;
use crate::ledger::ADJACENCY;
use crate::mechanisms::Noise;
use crate::state::hex;
use crate::{
    Account, Budget, Charge, Cost, Error, Ledger, Line, Result, State, Statement, Table, Unit, fault,
    gaussian_dp_epsilon,
};

/// What a session is opened on.
#[derive(Clone, Debug)]
pub struct Opening<'a> {
    /// The private table.
    pub table: Table<'a>,
    /// Whom the promise is made to.
    pub unit: Unit,
    /// What this run may spend.
    pub budget: Budget,
    /// What the table may give away over all runs. It is agreed at the table's first run and stays; unless given, the
    /// first run's budget.
    pub total: Option<Budget>,
    /// What kind of run, for the ledger: `release`, `fit`.
    pub stage: &'a str,
    /// The ledger, which gets new lines at its end.
    pub ledger: PathBuf,
    /// The budget file.
    pub state: PathBuf,
    /// The time, for the ledger.
    pub clock: fn() -> String,
}

impl Opening<'_> {
    /// Asks whether the run would be let in and may spend `cost` on `what`. Changes nothing: no file is made, nothing is agreed
    /// for the table. So whoever asks first leaves no trace of a run that is refused.
    ///
    /// # Errors
    /// As [`Session::open`] and [`Session::require`].
    pub fn check(&self, what: &str, cost: Cost) -> Result<()> {
        let limit = self.budget.cost()?;
        self.admitted(State::look(&self.state, self.table)?.as_ref(), limit)?;
        if cost.fits(limit) { Ok(()) } else { Err(over(what, cost, "the run", limit, self.budget)) }
    }

    /// The table's budget, and what was spent of it, if a run may begin that spends at most `limit`.
    fn admitted(&self, account: Option<&Account>, limit: Cost) -> Result<(Budget, Cost)> {
        let (total, left, before) = match account {
            None => {
                let total = self.total.unwrap_or(self.budget);
                (total, total.cost()?, Cost::default())
            }
            Some(account) => {
                agrees(self, account.unit.as_deref(), account.budget)?;
                (account.budget, account.left(), account.spent)
            }
        };
        if !limit.fits(left) {
            return Err(over(&format!("a run with {}", self.budget), limit, "the table", left, total));
        }
        Ok((total, before))
    }
}

/// Version of OpenDP, for the ledger.
pub(crate) const OPENDP: &str = "0.16.0";

type Tables = VectorDomain<AtomDomain<bool>>;
type Step = Measurement<Tables, SymmetricDistance, Rho, Box<dyn Any>>;
type Filter = OdometerQueryable<Step, Box<dyn Any>, u32, (f64, f64)>;

/// What a step is, without what a session adds to it.
pub(crate) struct Asked {
    pub mechanism: &'static str,
    pub query: String,
    pub sensitivity: f64,
    pub norm: &'static str,
    pub scale: f64,
    pub granularity: f64,
    pub cost: Cost,
    /// Whether the noise is Gaussian and nothing else.
    pub gaussian: bool,
}

/// A private table with a budget, and the only way for anything to leave it.
///
/// Each step goes through OpenDP's fully adaptive composition inside a privacy filter: its cost may depend on what earlier
/// steps gave, and their sum never passes the budget. A step that does not fit is refused before it looks at what was
/// asked; it costs nothing, and the session goes on. What fits is charged in the budget file, then in the ledger, and both
/// are on the disk before noise is drawn.
///
/// The unit that OpenDP's odometer counts in is the unit of privacy: the sensitivity of each step is that of one unit with
/// its bounds. That counts, scores and sums handed in keep to it, when the table was truncated by [`Unit::truncate`], is
/// shown at each mechanism and tested on neighbouring tables.
pub struct Session {
    id: String,
    unit: Unit,
    budget: Budget,
    limit: Cost,
    stage: String,
    fingerprint: String,
    costs: Vec<Cost>,
    spent: Cost,
    all_gaussian: bool,
    before: Cost,
    /// The table's budget, until it is agreed on with the first charge.
    to_agree: Option<Budget>,
    state: State,
    ledger: Ledger,
    filter: Filter,
    clock: fn() -> String,
    pub(crate) noise: Noise,
}

impl Session {
    /// Opens a session. The first charge to a table agrees on the table's budget and unit.
    ///
    /// # Errors
    /// [`Error::Budget`] when the table's budget has not that much left; [`Error::Request`] when it goes against what was
    /// agreed for the table; [`Error::Held`] while another run is at it; and when files cannot be read or written.
    pub fn open(opening: Opening<'_>) -> Result<Session> {
        let limit = opening.budget.cost()?;
        let state = State::open(&opening.state)?;
        let fingerprint = state.fingerprint(opening.table)?;
        let account = state.account(&fingerprint);
        let (total, before) = opening.admitted(account, limit)?;
        let to_agree = account.is_none().then_some(total);
        let mut bytes = [0; 8];
        fill_bytes(&mut bytes)?;
        let id = hex(&bytes);
        let mut ledger = Ledger::open(&opening.ledger)?;
        ledger.append(&Line::Open {
            id: id.clone(),
            time: (opening.clock)(),
            stage: opening.stage.to_owned(),
            lookalike: env!("CARGO_PKG_VERSION").to_owned(),
            fingerprint: fingerprint.clone(),
            unit: opening.unit.clone(),
            adjacency: ADJACENCY.to_owned(),
            budget: opening.budget,
            allowed: limit,
            spent_before: before,
            table_budget: total,
        })?;
        let odometer = make_fully_adaptive_composition::<Tables, _, Rho, Box<dyn Any>>(
            VectorDomain::new(AtomDomain::default()),
            SymmetricDistance,
            Rho::default(),
        )?;
        // What a step reads is captured by the step itself, so the odometer holds no rows of its own.
        let filter = make_privacy_filter(odometer, 1, (limit.rho, limit.delta))?.invoke(&Vec::new())?;
        Ok(Session {
            id,
            unit: opening.unit,
            budget: opening.budget,
            limit,
            stage: opening.stage.to_owned(),
            fingerprint,
            costs: Vec::new(),
            spent: Cost::default(),
            all_gaussian: true,
            before,
            to_agree,
            state,
            ledger,
            filter,
            clock: opening.clock,
            noise: Noise::default(),
        })
    }

    /// The run's name in the ledger.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Whom the promise is made to.
    pub fn unit(&self) -> &Unit {
        &self.unit
    }

    /// What the run may spend.
    pub fn budget(&self) -> Budget {
        self.budget
    }

    /// What the run may spend, as a cost.
    pub fn limit(&self) -> Cost {
        self.limit
    }

    /// What the run has spent so far.
    pub fn spent(&self) -> Cost {
        self.spent
    }

    /// The rho that the run has spent so far.
    pub fn spent_rho(&self) -> f64 {
        self.spent.rho
    }

    /// The rho that the run has left, rounded down so that one more step of that cost fits.
    pub fn remaining_rho(&self) -> f64 {
        remaining(self.limit.rho, self.spent.rho)
    }

    /// The delta that the run has left for thresholds, rounded down.
    pub fn remaining_delta(&self) -> f64 {
        remaining(self.limit.delta, self.spent.delta)
    }

    /// Asks whether steps that cost so much in all would fit, before anything is read for them.
    ///
    /// # Errors
    /// [`Error::Budget`] when they would not.
    pub fn require(&self, what: &str, cost: Cost) -> Result<()> {
        let left = Cost { rho: self.remaining_rho(), delta: self.remaining_delta() };
        // One step, or the exact sum that the filter will make: whichever says yes is right.
        if cost.fits(left) || Cost::sum(self.costs.iter().copied().chain([cost]))?.fits(self.limit) {
            return Ok(());
        }
        Err(over(what, cost, "the run", left, self.budget))
    }

    /// Releases a step: refuses it, or charges it and then draws.
    pub(crate) fn release<T: 'static>(
        &mut self,
        asked: Asked,
        draw: impl Fn() -> Fallible<T> + 'static,
    ) -> Result<T> {
        let cost = asked.cost;
        if !(cost.rho.is_finite() && cost.rho >= 0.0 && cost.delta >= 0.0) {
            return Err(Error::Internal(format!("a step that costs {cost:?}")));
        }
        let spent = Cost::sum(self.costs.iter().copied().chain([cost]))?;
        if !spent.fits(self.limit) {
            let left = Cost { rho: self.remaining_rho(), delta: self.remaining_delta() };
            return Err(over(&asked.query, cost, "the run", left, self.budget));
        }
        fault::point("before the budget file");
        if let Some(total) = self.to_agree {
            self.state.meet(&self.fingerprint, total, &self.unit, (self.clock)())?;
            self.to_agree = None;
        }
        self.state.charge(&self.fingerprint, &self.id, cost, asked.gaussian)?;
        fault::point("between budget file and ledger");
        self.costs.push(cost);
        self.spent = spent;
        self.all_gaussian &= asked.gaussian;
        self.ledger.append(&Line::Charge(Charge {
            id: self.costs.len(),
            parent: self.id.clone(),
            time: (self.clock)(),
            stage: self.stage.clone(),
            mechanism: asked.mechanism.to_owned(),
            version: format!("lookalike {}, opendp {OPENDP}", env!("CARGO_PKG_VERSION")),
            query: asked.query,
            fingerprint: self.fingerprint.clone(),
            unit: self.unit.clone(),
            sensitivity: asked.sensitivity,
            norm: asked.norm.to_owned(),
            scale: asked.scale,
            granularity: asked.granularity,
            rho: cost.rho,
            delta: cost.delta,
            run_total: spent,
            table_total: self.table_spent()?,
            adjacency: ADJACENCY.to_owned(),
            randomness: self.noise.describe(),
        }))?;
        fault::point("after the ledger");
        let step = Measurement::new(
            VectorDomain::new(AtomDomain::default()),
            SymmetricDistance,
            Rho::default(),
            Function::new_fallible(move |_: &Vec<bool>| Ok(Box::new(draw()?) as Box<dyn Any>)),
            PrivacyMap::new(move |&units: &u32| match units {
                0 => (0.0, 0.0),
                1 => (cost.rho, cost.delta),
                // Only one unit is ever asked about; groups of units are not promised anything.
                _ => (f64::INFINITY, 1.0),
            }),
        )?;
        let released = self.filter.invoke_poly(step)?;
        fault::point("after the draw");
        Ok(released)
    }

    fn table_spent(&self) -> Result<Cost> {
        Cost::sum([self.before, self.spent])
    }

    /// Ends the run: writes the closing line and says what was promised. `public` and `not_counted` are for the reader:
    /// what was taken as known, and what the promise does not cover.
    ///
    /// A session that is dropped without it has spent what it spent; its ledger merely has no closing line.
    ///
    /// # Errors
    /// When the ledger cannot be written.
    pub fn close(mut self, public: Vec<String>, not_counted: Vec<String>) -> Result<Statement> {
        let counted = self.filter.privacy_loss(1)?;
        if counted != (self.spent.rho, self.spent.delta) {
            return Err(Error::Internal(format!(
                "the filter counts {counted:?}, the ledger {:?}",
                self.spent
            )));
        }
        let delta = self.budget.delta;
        let epsilon = self.spent.epsilon(delta)?;
        let curve = [delta / 10.0, delta, (delta * 10.0).min(0.1)]
            .into_iter()
            .filter(|&at| at > self.spent.delta)
            .map(|at| Ok((at, self.spent.epsilon(at)?)))
            .collect::<Result<Vec<_>>>()?;
        // Without a charge there is no account yet.
        let (table_budget, table_spent, table_runs) =
            match (self.to_agree, self.state.account(&self.fingerprint)) {
                (_, Some(account)) => (account.budget, account.spent, account.runs),
                (Some(total), None) => (total, Cost::default(), 0),
                (None, None) => return Err(Error::Internal("the table's account got lost".into())),
            };
        let table_epsilon = table_spent.epsilon(table_budget.delta)?;
        let statement = Statement {
            run: self.id.clone(),
            unit: self.unit,
            adjacency: ADJACENCY.to_owned(),
            epsilon,
            delta,
            budget: self.budget,
            spent: self.spent,
            curve: curve.clone(),
            epsilon_if_gaussian: (self.all_gaussian && self.spent.rho > 0.0)
                .then(|| gaussian_dp_epsilon(self.spent.rho, delta)),
            table_budget,
            table_epsilon,
            table_runs,
            randomness: self.noise.describe(),
            public,
            not_counted,
        };
        self.ledger.append(&Line::Close {
            id: self.id,
            time: (self.clock)(),
            charges: self.costs.len(),
            spent: self.spent,
            delta,
            epsilon,
            curve,
            table_spent,
            table_epsilon,
        })?;
        Ok(statement)
    }
}

fn remaining(limit: f64, spent: f64) -> f64 {
    if spent == 0.0 { limit } else { (limit - spent).next_down().max(0.0) }
}

/// Whether an opening keeps to what was agreed for its table.
fn agrees(opening: &Opening<'_>, unit: Option<&str>, budget: Budget) -> Result<()> {
    let name = |unit: Option<&str>| unit.map_or("a row".to_owned(), |column| format!("column `{column}`"));
    if opening.unit.column.as_deref() != unit {
        return Err(Error::request(
            format!(
                "this run's unit of privacy is {}, but the table's budget counts per {}",
                name(opening.unit.column.as_deref()),
                name(unit)
            ),
            "costs for different units do not add up; keep to the unit of the first run",
        ));
    }
    // How much of delta thresholds may take was agreed, too, and is not asked for again.
    if let Some(total) = opening.total
        && (total.epsilon, total.delta) != (budget.epsilon, budget.delta)
    {
        return Err(Error::request(
            format!("the table's total is to be {total}, but {budget} was agreed at its first run"),
            "a total that was promised stays; leave it out to go on with it",
        ));
    }
    Ok(())
}

/// The refusal of a cost that does not fit.
fn over(what: &str, asked: Cost, whose: &'static str, left: Cost, budget: Budget) -> Error {
    let words = |cost: Cost| match cost.epsilon(budget.delta) {
        Ok(epsilon) if cost.rho > 0.0 => format!("epsilon {epsilon:.4} ({cost})"),
        _ if cost.rho == 0.0 && cost.delta == 0.0 => "nothing".to_owned(),
        _ => cost.to_string(),
    };
    let lacks_delta = asked.delta > left.delta && asked.rho <= left.rho;
    let left_in_words = match (lacks_delta, left.delta > 0.0) {
        (false, _) => words(left),
        (true, true) => format!("only delta {:.2e} for keys that nobody knows", left.delta),
        (true, false) => "no part of delta for keys that nobody knows".to_owned(),
    };
    Error::Budget {
        what: what.to_owned(),
        asked: words(asked),
        whose,
        left: left_in_words,
        whole: budget.to_string(),
        lacks_delta,
    }
}
