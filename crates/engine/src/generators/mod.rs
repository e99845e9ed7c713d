//! The kinds of generator: a file each, and a line each in [`KINDS`].

mod aws;
mod bernoulli;
mod beta;
mod binomial;
pub mod branches;
pub(crate) mod choice;
mod company;
pub mod constant;
mod date_range;
mod datetime_range;
mod duration_range;
mod exponential;
mod expr;
mod gamma;
mod geometric;
mod histogram;
mod int_range;
mod internet;
mod language;
mod log_normal;
mod lookup;
mod lorem;
mod mixture;
mod normal;
pub mod numbers;
mod pareto;
mod pattern;
mod person;
mod place;
mod poisson;
mod sequence;
mod steps;
mod template;
mod text;
mod triangular;
mod uniform;
mod uuid;
mod weibull;
mod zipf;

use crate::generator::Kind;

/// Every kind that comes with Lookalike. Lookup, the manual, the JSON Schema and the tests over all kinds are driven by it.
pub static KINDS: &[Kind] = &[
    aws::KIND,
    bernoulli::KIND,
    beta::KIND,
    binomial::KIND,
    choice::KIND,
    company::KIND,
    constant::KIND,
    date_range::KIND,
    datetime_range::KIND,
    duration_range::KIND,
    exponential::KIND,
    expr::KIND,
    gamma::KIND,
    geometric::KIND,
    histogram::KIND,
    int_range::KIND,
    internet::KIND,
    log_normal::KIND,
    lookup::KIND,
    lorem::KIND,
    mixture::KIND,
    normal::KIND,
    pareto::KIND,
    pattern::KIND,
    person::KIND,
    place::KIND,
    poisson::KIND,
    sequence::KIND,
    template::KIND,
    triangular::KIND,
    uniform::KIND,
    uuid::KIND,
    weibull::KIND,
    zipf::KIND,
];
