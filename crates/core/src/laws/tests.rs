//! Tests that run over every law.
//!
//! Statistical checks have a false-alarm rate of one in a million each; their draws are fixed, so they pass for good
//! or fail for good.

use std::sync::Arc;

use rand_distr::Distribution;

use super::*;
use crate::testing::{ks_p_value, ks_statistic, ks_two_samples};
use crate::{Law, LawError, RowRng, Rows, Seed, Truncated, stream::open01};

type Sampler = Box<dyn Fn(&mut RowRng) -> f64>;

/// A law, and a sampler of the same law from `rand_distr` where that has one.
struct Case {
    name: &'static str,
    law: Arc<dyn Law>,
    sampler: Option<Sampler>,
}

fn case(name: &'static str, law: Result<impl Law + 'static, LawError>) -> Case {
    let law = law.unwrap_or_else(|error| panic!("{name}: {error}"));
    Case { name, law: Arc::new(law), sampler: None }
}

impl Case {
    fn like<E: std::fmt::Debug>(self, sampler: Result<impl Distribution<f64> + 'static, E>) -> Case {
        let sampler = sampler.unwrap();
        Case { sampler: Some(Box::new(move |rng| sampler.sample(rng))), ..self }
    }

    fn like_counts<E: std::fmt::Debug>(self, sampler: Result<impl Distribution<u64> + 'static, E>) -> Case {
        let sampler = sampler.unwrap();
        Case { sampler: Some(Box::new(move |rng| sampler.sample(rng) as f64)), ..self }
    }
}

fn mixture_of(parts: Vec<(f64, Arc<dyn Law>)>) -> Result<Mixture, LawError> {
    let (weights, laws): (Vec<f64>, Vec<_>) = parts.into_iter().unzip();
    Mixture::new(&weights, laws)
}

fn normal(mean: f64, std_dev: f64) -> Arc<dyn Law> {
    Arc::new(Normal::new(mean, std_dev).unwrap())
}

fn cases() -> Vec<Case> {
    let two_humps = vec![(3.0, normal(0.0, 1.0)), (1.0, normal(8.0, 0.5)), (0.0, normal(1e9, 1.0))];
    let jumps: Vec<(f64, Arc<dyn Law>)> =
        vec![(0.5, Arc::new(Poisson::new(3.0).unwrap())), (0.5, Arc::new(IntRange::new(10, 20).unwrap()))];
    let both: Vec<(f64, Arc<dyn Law>)> =
        vec![(0.3, Arc::new(IntRange::new(0, 0).unwrap())), (0.7, Arc::new(Exponential::new(2.0).unwrap()))];
    vec![
        case("uniform", Uniform::new(-1.0, 3.0)).like(rand_distr::Uniform::new(-1.0, 3.0)),
        case("uniform, far", Uniform::new(1e15, 1e15 + 1e6)),
        case("normal", Normal::new(10.0, 2.0)).like(rand_distr::Normal::new(10.0, 2.0)),
        case("normal, narrow", Normal::new(-5.0, 1e-3)),
        case("log_normal", LogNormal::new(1.0, 0.5)).like(rand_distr::LogNormal::new(1.0, 0.5)),
        case("log_normal, sizes", LogNormal::from_median_p95(80.0, 1000.0)),
        case("exponential", Exponential::new(3.0)).like(rand_distr::Exp::new(1.0 / 3.0)),
        case("exponential, by rate", Exponential::from_rate(1e6)),
        case("gamma", Gamma::new(2.5, 4.0)).like(rand_distr::Gamma::new(2.5, 4.0)),
        case("gamma, 1", Gamma::new(1.0, 1.0)).like(rand_distr::Gamma::new(1.0, 1.0)),
        case("gamma, small shape", Gamma::new(0.3, 1.0)).like(rand_distr::Gamma::new(0.3, 1.0)),
        case("gamma, tiny shape", Gamma::new(0.06, 1.0)),
        case("gamma, medium shape", Gamma::new(300.0, 0.1)).like(rand_distr::Gamma::new(300.0, 0.1)),
        case("gamma, large shape", Gamma::new(1e8, 1e-8)).like(rand_distr::Gamma::new(1e8, 1e-8)),
        case("beta", Beta::new(2.0, 5.0)).like(rand_distr::Beta::new(2.0, 5.0)),
        case("beta, arc sine", Beta::new(0.5, 0.5)).like(rand_distr::Beta::new(0.5, 0.5)),
        case("beta, uneven", Beta::new(0.4, 30.0)).like(rand_distr::Beta::new(0.4, 30.0)),
        case("beta, narrow", Beta::new(3e4, 5e4)).like(rand_distr::Beta::new(3e4, 5e4)),
        case("beta, between", Beta::new(2.0, 3.0).and_then(|beta| beta.between(-10.0, 30.0))),
        case("weibull", Weibull::new(1.5, 2.0)).like(rand_distr::Weibull::new(2.0, 1.5)),
        case("weibull, early failures", Weibull::new(0.5, 2.0)).like(rand_distr::Weibull::new(2.0, 0.5)),
        case("weibull, sharp", Weibull::new(200.0, 2.0)),
        case("pareto", Pareto::new(2.0, 3.0)).like(rand_distr::Pareto::new(2.0, 3.0)),
        case("pareto, no mean", Pareto::new(1.0, 0.8)).like(rand_distr::Pareto::new(1.0, 0.8)),
        case("triangular", Triangular::new(1.0, 2.0, 5.0)).like(rand_distr::Triangular::new(1.0, 5.0, 2.0)),
        case("triangular, mode at an end", Triangular::new(0.0, 0.0, 1.0)),
        case("histogram", Histogram::new(vec![0.0, 1.0, 2.0, 10.0], &[3.0, 0.0, 5.0])),
        case("histogram, empty ends", Histogram::new(vec![-1.0, 0.0, 0.5, 7.0, 9.0], &[0.0, 0.1, 0.2, 0.0])),
        case("int_range", IntRange::new(1, 6)).like_counts(rand_distr::Uniform::new_inclusive(1, 6)),
        case("int_range, wide", IntRange::new(-(1 << 40), 1 << 40)),
        case("int_range, one", IntRange::new(7, 7)),
        case("poisson", Poisson::new(4.2)).like(rand_distr::Poisson::new(4.2)),
        case("poisson, rare", Poisson::new(1e-3)).like(rand_distr::Poisson::new(1e-3)),
        case("poisson, frequent", Poisson::new(5e4)).like(rand_distr::Poisson::new(5e4)),
        case("poisson, beyond the table", Poisson::new(1e7)).like(rand_distr::Poisson::new(1e7)),
        case("poisson, never", Poisson::new(0.0)),
        case("binomial", Binomial::new(20, 0.3)).like_counts(rand_distr::Binomial::new(20, 0.3)),
        case("binomial, large p", Binomial::new(1000, 0.99))
            .like_counts(rand_distr::Binomial::new(1000, 0.99)),
        case("binomial, rare", Binomial::new(1 << 40, 1e-11))
            .like_counts(rand_distr::Binomial::new(1 << 40, 1e-11)),
        case("binomial, beyond the table", Binomial::new(100_000_000, 0.25))
            .like_counts(rand_distr::Binomial::new(100_000_000, 0.25)),
        case("binomial, always", Binomial::new(9, 1.0)),
        case("binomial, never", Binomial::new(9, 0.0)),
        case("geometric", Geometric::new(0.2)).like_counts(rand_distr::Geometric::new(0.2)),
        case("geometric, rare", Geometric::new(1e-6)).like_counts(rand_distr::Geometric::new(1e-6)),
        case("geometric, always", Geometric::new(1.0)),
        case("zipf", Zipf::new(1000, 1.2)).like(rand_distr::Zipf::new(1000.0, 1.2)),
        case("zipf, flat", Zipf::new(50, 0.0)).like(rand_distr::Zipf::new(50.0, 0.0)),
        case("zipf, many", Zipf::new(10_000_000, 0.9)).like(rand_distr::Zipf::new(1e7, 0.9)),
        case("zipf, exponent 1", Zipf::new(1_000_000_000_000, 1.0)).like(rand_distr::Zipf::new(1e12, 1.0)),
        case("zipf, steep", Zipf::new(1_000_000_000, 2.5)).like(rand_distr::Zipf::new(1e9, 2.5)),
        case("mixture", mixture_of(two_humps)),
        case("mixture of counts", mixture_of(jumps)),
        case("mixture with an atom", mixture_of(both)),
    ]
}

/// Ends of the unit interval, and a grid between them.
fn levels() -> Vec<f64> {
    let mut levels = vec![1e-16, 2f64.powi(-53), 1e-12, 1e-6];
    levels.extend((1..2000).map(|i| f64::from(i) / 2000.0));
    levels.extend([1.0 - 1e-6, 1.0 - 1e-12, 1.0 - 2f64.powi(-52), 1.0 - 2f64.powi(-53)]);
    levels
}

#[test]
fn quantiles_are_monotone_and_in_the_support() {
    for Case { name, law, .. } in cases() {
        let (low, high) = law.support();
        let mut last = f64::NEG_INFINITY;
        for u in levels() {
            let x = law.quantile(u);
            assert!(x.is_finite() && x >= low && x <= high, "{name}: quantile({u:e}) = {x:e}");
            assert!(x >= last, "{name}: quantile({u:e}) = {x:e} after {last:e}");
            last = x;
            if law.is_discrete() {
                assert_eq!(x, x.floor(), "{name}: quantile({u:e})");
            }
        }
    }
}

/// Discrete laws: exactly the smallest integer. Others: cdf(quantile(u)) is u to 1e-9 relative, in either tail, or as
/// near as neighbouring doubles allow.
#[test]
fn quantiles_invert_the_distribution_function() {
    for Case { name, law, .. } in cases() {
        for u in levels() {
            let x = law.quantile(u);
            if law.is_discrete() {
                let (here, before) = (law.cdf(x), law.cdf(x - 1.0));
                assert!(here >= u, "{name}: cdf({x}) = {here:e} for {u:e}");
                assert!(before < u, "{name}: cdf({x} - 1) = {before:e} for {u:e}");
            } else if name == "mixture with an atom" && law.cdf(0.0) >= u && law.cdf(-1e-300) < u {
                assert_eq!(x, 0.0, "{name}: quantile({u:e})");
            } else {
                let spread = law.cdf(x.next_up()) - law.cdf(x.next_down());
                let tolerance = 1e-9 * u.min(1.0 - u) + spread + 1e-15 * u;
                let got = law.cdf(x);
                assert!((got - u).abs() <= tolerance, "{name}: cdf({x:e}) = {got:e} for {u:e}");
            }
        }
    }
}

#[test]
fn distribution_functions_are_whole() {
    for Case { name, law, .. } in cases() {
        let (low, high) = law.support();
        assert_eq!(law.cdf(f64::NEG_INFINITY), 0.0, "{name}");
        assert_eq!(law.cdf(f64::INFINITY), 1.0, "{name}");
        assert_eq!(law.cdf(low.next_down()), 0.0, "{name}");
        assert_eq!(law.cdf(high), 1.0, "{name}");
    }
}

/// The first two moments about a point: ∫ (quantile(u) - point)ᵏ du by the midpoint rule on the logit of u, 10⁵ strata:
/// u = 1 / (1 + e⁻ᵗ), du = u (1 - u) dt. The strata thin out towards both ends, which resolves tails that equal strata
/// would miss.
fn moments_about(point: f64, law: &dyn Law) -> (f64, f64) {
    let (strata, reach) = (100_000, 36.0);
    let width = 2.0 * reach / f64::from(strata);
    (0..strata).fold((0.0, 0.0), |(first, second), i| {
        let t = (f64::from(i) + 0.5) * width - reach;
        let (u, rest) = (1.0 / (1.0 + libm::exp(-t)), 1.0 / (1.0 + libm::exp(t)));
        let (weight, x) = (width * u * rest, law.quantile(u) - point);
        (first + weight * x, second + weight * x * x)
    })
}

#[test]
fn moments_are_those_of_the_quantile_function() {
    for Case { name, law, .. } in cases() {
        // What lies beyond the last double below 1 is missing, much for heavy tails; jumps of the quantile
        // function (all there is in a discrete one) fall inside strata.
        let tolerance = match name {
            "pareto" => 1e-4,
            "log_normal, sizes" => 1e-5,
            "zipf, steep" => 1e-3,
            "histogram" | "mixture" | "mixture with an atom" => 1e-3,
            _ if law.is_discrete() => 1e-3,
            _ => 1e-7,
        };
        let mean = law.mean();
        if name == "pareto, no mean" {
            assert_eq!((mean, law.variance()), (None, None));
            continue;
        }
        let mean = mean.unwrap_or_else(|| panic!("{name} has a mean"));
        let spread = law.variance().unwrap_or_else(|| panic!("{name} has a variance")).sqrt();
        let (got, square) = moments_about(mean, &law);
        assert!(
            got.abs() <= tolerance * spread + 1e-14 * mean.abs(),
            "{name}: mean is off by {got:e} of {mean:e}"
        );
        if name == "zipf, steep" {
            continue; // Most of its variance comes from ranks that have less than 1e-16 of the probability.
        }
        let got = square.sqrt();
        let rest = 1e-7 * mean.abs() * f64::from(u8::from(name == "uniform, far"));
        assert!((got - spread).abs() <= tolerance * spread + rest, "{name}: spread {got:e}, not {spread:e}");
    }
}

const DRAWS: u64 = 20_000;

fn draws(law: &dyn Law, name: &str) -> Vec<f64> {
    let mut values = Vec::new();
    let stream = Seed::new(2026).derive(name).stream();
    stream.for_each_word(&Rows::from(0..DRAWS), 0, |word| values.push(law.quantile(open01(word))));
    values
}

/// Kolmogorov-Smirnov, of draws against the distribution function, and against the draws of `rand_distr`'s algorithm
/// for the same law on this crate's own generator.
#[test]
fn draws_follow_the_law() {
    let n = DRAWS as f64;
    for Case { name, law, sampler } in cases() {
        let values = draws(&law, name);
        let distance = ks_statistic(values.clone(), |x| law.cdf(x));
        assert!(ks_p_value(distance, n) > 1e-6, "{name}: distance {distance}");
        if let Some(sampler) = sampler {
            let stream = Seed::new(2026).derive(name).derive("rand_distr").stream();
            let theirs = (0..DRAWS).map(|row| sampler(&mut stream.rng(row))).collect();
            let distance = ks_two_samples(values, theirs);
            assert!(ks_p_value(distance, n / 2.0) > 1e-6, "{name}: distance {distance} from rand_distr");
        }
    }
}

/// Each law cut to its middle 60 % and to its upper 5 %: the same inverse property and Kolmogorov-Smirnov test against
/// the conditional distribution, which is computed here from that of the whole.
#[test]
fn truncated_draws_follow_the_conditional_law() {
    for Case { name, law, .. } in cases() {
        for (from, to) in [(0.2, 0.8), (0.95, 1.0)] {
            let low = law.quantile(from);
            let high = if to == 1.0 { f64::INFINITY } else { law.quantile(to) };
            let cut = match Truncated::try_new(law.clone(), low, high) {
                Ok(cut) => cut,
                Err(error) => panic!("{name}: {error}"),
            };
            let below = law.cdf(low.next_down());
            let conditional = |x: f64| {
                if x < low { 0.0 } else { ((law.cdf(x) - below) / (law.cdf(high) - below)).min(1.0) }
            };
            let values = draws(&cut, name);
            assert!(values.iter().all(|&x| x >= low && x <= high), "{name}");
            let distance = ks_statistic(values, conditional);
            assert!(
                ks_p_value(distance, DRAWS as f64) > 1e-6,
                "{name} from {low} to {high}: distance {distance}"
            );
            for u in levels() {
                let x = cut.quantile(u);
                let (above, before) =
                    if law.is_discrete() { (x, x - 1.0) } else { (x.next_up(), x.next_down()) };
                assert!(cut.cdf(above) >= u - 1e-9, "{name} from {low} to {high}: {x} is too low for {u:e}");
                assert!(cut.cdf(before) < u + 1e-9, "{name} from {low} to {high}: {x} is too high for {u:e}");
            }
        }
    }
}

#[test]
fn truncation_to_next_to_nothing_is_refused() {
    let normal = Normal::new(0.0, 1.0).unwrap();
    for (low, high) in [(9.0, 10.0), (0.5, 0.5), (f64::INFINITY, f64::INFINITY)] {
        let error = Truncated::try_new(normal, low, high).unwrap_err();
        assert!(matches!(error, LawError::Improbable { .. }), "{error}");
    }
    for (low, high) in [(1.0, 0.0), (f64::NAN, 1.0), (0.0, f64::NAN)] {
        let error = Truncated::try_new(normal, low, high).unwrap_err();
        assert!(matches!(error, LawError::Parameter { .. }), "{error}");
    }
    let die = IntRange::new(1, 6).unwrap();
    assert!(Truncated::try_new(die, 2.1, 2.9).is_err());
    let cut = Truncated::try_new(die, 1.5, 4.5).unwrap();
    assert_eq!(
        (cut.support(), cut.quantile(1e-9), cut.quantile(0.5), cut.cdf(2.0)),
        ((2.0, 4.0), 2.0, 3.0, 1.0 / 3.0)
    );
}

/// Values of `scipy.stats` 1.17 (the comment names the frozen distribution); the large Poisson and binomial laws, which
/// SciPy has to 11 digits only, and Zipf's beyond a million ranks from mpmath at 40 digits.
#[test]
fn distribution_functions_have_known_values() {
    fn check(name: &str, law: Result<impl Law, LawError>, values: [(f64, f64); 3]) {
        let law = law.unwrap_or_else(|error| panic!("{name}: {error}"));
        for (x, expected) in values {
            let got = law.cdf(x);
            assert!(
                (got - expected).abs() <= 1e-12 * expected.min(1.0),
                "{name}: cdf({x}) = {got:e}, not {expected:e}"
            );
        }
    }
    check(
        "norm(10, 2)",
        Normal::new(10.0, 2.0),
        [(5.0, 0.006209665325776132), (10.5, 0.5987063256829237), (16.0, 0.9986501019683699)],
    );
    check(
        "lognorm(0.5, scale=e)",
        LogNormal::new(1.0, 0.5),
        [(1.0, 0.022750131948179195), (3.0, 0.5781741008028732), (10.0, 0.99540856824253)],
    );
    check(
        "expon(scale=3)",
        Exponential::new(3.0),
        [(0.1, 0.03278389951799409), (3.0, 0.6321205588285577), (20.0, 0.9987273661986602)],
    );
    check(
        "gamma(2.5, scale=4)",
        Gamma::new(2.5, 4.0),
        [(0.5, 0.001520818553368441), (9.0, 0.5201165618867003), (40.0, 0.9987502694369687)],
    );
    check(
        "gamma(0.3)",
        Gamma::new(0.3, 1.0),
        [(0.001, 0.1402424589248674), (0.3, 0.7269573437103662), (3.0, 0.9935096273009015)],
    );
    check(
        "beta(2, 5)",
        Beta::new(2.0, 5.0),
        [(0.05, 0.032773828124999994), (0.3, 0.5798250000000003), (0.8, 0.9984)],
    );
    check(
        "weibull_min(1.5, scale=2)",
        Weibull::new(1.5, 2.0),
        [(0.2, 0.03112800565992458), (2.0, 0.6321205588285577), (5.0, 0.9808000398449904)],
    );
    check(
        "pareto(3, scale=2)",
        Pareto::new(2.0, 3.0),
        [(2.1, 0.13616240146852399), (3.0, 0.7037037037037037), (20.0, 0.999)],
    );
    check(
        "triang(0.25, loc=1, scale=4)",
        Triangular::new(1.0, 2.0, 5.0),
        [(1.5, 0.0625), (2.0, 0.25), (4.0, 0.9166666666666666)],
    );
    check("uniform(-1, 4)", Uniform::new(-1.0, 3.0), [(-0.5, 0.125), (0.0, 0.25), (2.9, 0.975)]);
    check(
        "randint(1, 7)",
        IntRange::new(1, 6),
        [(1.0, 0.16666666666666666), (3.5, 0.5), (5.0, 0.8333333333333334)],
    );
    check(
        "poisson(4.2)",
        Poisson::new(4.2),
        [(0.0, 0.014995576820477707), (4.0, 0.5898270213105775), (12.5, 0.9995693705825935)],
    );
    check(
        "poisson(1e7)",
        Poisson::new(1e7),
        [(9990000.0, 0.0007818510924077965), (1e7, 0.500084104416326), (10008000.0, 0.9942919255373728)],
    );
    check(
        "binom(20, 0.3)",
        Binomial::new(20, 0.3),
        [(1.0, 0.007637259774199995), (6.0, 0.6080098122009244), (15.0, 0.9999944497469218)],
    );
    check(
        "binom(10**8, 0.25)",
        Binomial::new(100_000_000, 0.25),
        [(24990000.0, 0.010461556578477936), (25e6, 0.5000537435340885), (25012000.0, 0.9972080795677875)],
    );
    check("geom(0.2, loc=-1)", Geometric::new(0.2), [(0.0, 0.2), (3.0, 0.5904), (20.0, 0.9907766279631453)]);
    check(
        "zipfian(1.2, 1000)",
        Zipf::new(1000, 1.2),
        [(1.0, 0.23063981727964883), (10.0, 0.5691529596418368), (900.0, 0.993835169695999)],
    );
    check(
        "zipfian(0.9, 100000)",
        Zipf::new(100_000, 0.9),
        [(1.0, 0.04505990589609501), (2000.0, 0.5386962468238154), (90000.0, 0.9850658592082379)],
    );
    check(
        "Zipf 1.1",
        Zipf::new(1_000_000_000_000, 1.1),
        [(1024.0, 0.561078770681786), (1025.0, 0.5611277743188535), (1e11, 0.9835865739702395)],
    );
    check(
        "Zipf 1",
        Zipf::new(1_000_000_000_000, 1.0),
        [(1025.0, 0.266239656891206), (1e6, 0.5102313496122722), (1e11, 0.9183718886479885)],
    );
    check(
        "Zipf 2.5",
        Zipf::new(1_000_000_000, 2.5),
        [(1.0, 0.7454412962887889), (2000.0, 0.999994445891781), (1e6, 0.9999999995030552)],
    );
}

#[test]
fn integers_are_exact_over_wide_ranges() {
    let max = 1i64 << 53;
    let law = IntRange::new(1 - max, 0).unwrap();
    assert_eq!(law.quantile(2f64.powi(-53)), (1 - max) as f64);
    assert_eq!(law.quantile(2f64.powi(-52)), (2 - max) as f64);
    assert_eq!(law.quantile(1.0 - 2f64.powi(-53)), -1.0);
    assert!(IntRange::new(0, max).is_err() && IntRange::new(i64::MIN, i64::MAX).is_err());
}

#[test]
fn parameters_outside_their_ranges_are_refused() {
    let nan = f64::NAN;
    let inf = f64::INFINITY;
    fn refused(law: Result<impl Law, LawError>) {
        if let Ok(law) = law {
            panic!("{law:?} was made");
        }
    }
    for (low, high) in [(1.0, 1.0), (2.0, 1.0), (nan, 1.0), (0.0, inf), (-f64::MAX, f64::MAX)] {
        refused(Uniform::new(low, high));
        refused(Beta::new(1.0, 1.0).unwrap().between(low, high));
        refused(Triangular::new(low, low, high));
    }
    refused(Triangular::new(0.0, 2.0, 1.0));
    refused(Triangular::new(0.0, nan, 1.0));
    for bad in [0.0, -1.0, nan, inf] {
        refused(Normal::new(0.0, bad));
        refused(LogNormal::new(0.0, bad));
        refused(LogNormal::from_median_p95(bad, 10.0));
        refused(Exponential::new(bad));
        refused(Exponential::from_rate(bad));
        refused(Gamma::new(bad, 1.0));
        refused(Gamma::new(1.0, bad));
        refused(Beta::new(bad, 1.0));
        refused(Beta::new(1.0, bad));
        refused(Weibull::new(bad, 1.0));
        refused(Weibull::new(1.0, bad));
        refused(Pareto::new(bad, 1.0));
        refused(Pareto::new(1.0, bad));
        refused(Geometric::new(bad));
        refused(Histogram::new(vec![0.0, 1.0], &[bad]));
        refused(Mixture::new(&[bad], vec![normal(0.0, 1.0)]));
    }
    refused(Normal::new(inf, 1.0));
    refused(LogNormal::from_median_p95(10.0, 10.0));
    refused(Exponential::from_rate(1e-310));
    refused(Poisson::new(-1.0));
    refused(Poisson::new(nan));
    refused(Binomial::new(1, 1.5));
    refused(Binomial::new(u64::MAX, 0.5));
    refused(Zipf::new(0, 1.0));
    refused(Zipf::new(10, -1.0));
    refused(IntRange::new(2, 1));
    refused(Histogram::new(vec![0.0], &[]));
    refused(Histogram::new(vec![0.0, 1.0], &[1.0, 1.0]));
    refused(Histogram::new(vec![0.0, 0.0], &[1.0]));
    refused(Mixture::new(&[], vec![]));
    refused(Mixture::new(&[1.0, 2.0], vec![normal(0.0, 1.0)]));
}

#[test]
fn errors_say_what_would_do() {
    let error = Normal::new(0.0, -2.0).unwrap_err();
    assert_eq!(error.to_string(), "std_dev is -2, but must be a finite number greater than 0");
}

#[test]
fn people_s_parameters_mean_what_they_say() {
    let law = LogNormal::from_median_p95(80.0, 1000.0).unwrap();
    assert!((law.quantile(0.5) - 80.0).abs() < 1e-12);
    assert!((law.quantile(0.95) - 1000.0).abs() < 1e-9);
}
