//! A truth from which samples are drawn, and what can go wrong with them.

use lookalike_core::Seed;
use lookalike_core::special::normal_quantile;
use lookalike_core::stream::open01;
use lookalike_ruleset::Type;

use crate::frames::{Data, bools, floats, ints, texts, times};

/// A row. Defects change rows, so what depends on what stays plain.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    pub id: i64,
    pub amount: f64,
    pub count: i64,
    /// Goes with the amount.
    pub score: Option<f64>,
    pub when: i64,
    pub kind: String,
    /// Goes with the kind.
    pub zone: Option<String>,
    pub flag: bool,
    pub email: String,
}

const KINDS: [(&str, f64); 5] = [("gp2", 0.4), ("gp3", 0.3), ("io1", 0.15), ("st1", 0.1), ("sc1", 0.05)];

pub fn rows(seed: u64, n: usize) -> Vec<Row> {
    let stream = Seed::new(seed).derive("truth").stream();
    (0..n as u64)
        .map(|row| {
            let draw = |lane: u32| open01(stream.word(row, lane));
            let normal = |lane: u32| normal_quantile(draw(lane));
            let z = normal(0);
            let amount = libm::exp(3.0 + 0.8 * z);
            let mut u = draw(1);
            let kind = KINDS.iter().find(|(_, share)| {
                u -= share;
                u < 0.0
            });
            let kind = kind.map_or("gp2", |(kind, _)| kind);
            let zone = if draw(2) < 0.7 { format!("z-{kind}") } else { "z-any".to_owned() };
            Row {
                id: row as i64,
                amount: (amount * 100.0).round() / 100.0,
                count: (-libm::log(draw(3)) * 4.0) as i64,
                score: (draw(4) > 0.15).then(|| 10.0 * (0.8 * z + 0.6 * normal(5))),
                when: 1_700_000_000_000_000 + (draw(6) * 3e7) as i64 * 1_000_000,
                kind: kind.to_owned(),
                zone: (draw(7) > 0.1).then_some(zone),
                flag: draw(8) < 0.3,
                email: format!("{:012x}@example.org", stream.word(row, 9) >> 16),
            }
        })
        .collect()
}

pub fn table(rows: &[Row]) -> Data {
    let column = |of: &dyn Fn(&Row) -> Option<f64>| floats(rows.iter().map(of).collect());
    Data::new(
        "volumes",
        vec![
            ("id", Type::Int, ints(rows.iter().map(|row| Some(row.id)).collect())),
            ("amount", Type::Float, column(&|row| Some(row.amount))),
            ("count", Type::Int, ints(rows.iter().map(|row| Some(row.count)).collect())),
            ("score", Type::Float, column(&|row| row.score)),
            ("when", Type::Datetime, times(rows.iter().map(|row| Some(row.when)).collect())),
            ("kind", Type::Text, texts(rows.iter().map(|row| Some(&row.kind)).collect())),
            ("zone", Type::Text, texts(rows.iter().map(|row| row.zone.as_ref()).collect())),
            ("flag", Type::Bool, bools(rows.iter().map(|row| Some(row.flag)).collect())),
            ("email", Type::Text, texts(rows.iter().map(|row| Some(&row.email)).collect())),
        ],
    )
}
