//! The kinds of generator: a file each, and a line each in [`KINDS`].

mod amount;
mod ar1;
mod arrivals;
mod aws;
mod bernoulli;
mod beta;
mod binomial;
pub mod branches;
mod business_day;
pub(crate) mod choice;
mod company;
pub mod constant;
mod cycle;
mod date_range;
mod datetime_range;
mod days;
mod duration_range;
mod events;
mod exponential;
mod expr;
mod gamma;
mod geometric;
mod histogram;
mod int_range;
mod intensity;
mod internet;
mod interval;
mod json;
mod language;
mod late;
mod lengths;
mod llm_text;
mod log_normal;
mod lookup;
mod lorem;
mod mixture;
mod normal;
pub mod numbers;
mod ordinal;
mod pareto;
mod pattern;
mod person;
mod place;
mod poisson;
mod random_walk;
mod sequence;
mod series;
#[cfg(test)]
mod series_tests;
mod spread;
mod start;
mod state;
mod steps;
pub(crate) mod template;
mod text;
mod triangular;
mod uniform;
mod uuid;
mod weibull;
mod weighted;
mod zipf;
mod zone;

use crate::generator::Kind;

/// Every kind that comes with Lookalike. Lookup, the manual, the JSON Schema and the tests over all kinds are driven by it.
pub static KINDS: &[Kind] = &[
    ar1::KIND,
    arrivals::KIND,
    aws::KIND,
    bernoulli::KIND,
    beta::KIND,
    binomial::KIND,
    business_day::KIND,
    choice::KIND,
    company::KIND,
    constant::KIND,
    date_range::KIND,
    datetime_range::KIND,
    duration_range::KIND,
    events::KIND,
    exponential::KIND,
    expr::KIND,
    gamma::KIND,
    geometric::KIND,
    histogram::KIND,
    int_range::KIND,
    internet::KIND,
    interval::KIND,
    json::KIND,
    late::KIND,
    llm_text::KIND,
    log_normal::KIND,
    lookup::KIND,
    lorem::KIND,
    mixture::KIND,
    normal::KIND,
    ordinal::KIND,
    pareto::KIND,
    pattern::KIND,
    person::KIND,
    place::KIND,
    poisson::KIND,
    random_walk::KIND,
    sequence::KIND,
    series::KIND,
    state::KIND,
    template::KIND,
    triangular::KIND,
    uniform::KIND,
    uuid::KIND,
    weibull::KIND,
    weighted::KIND,
    zipf::KIND,
];
