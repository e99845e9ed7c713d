//! A kind of generator of one's own: it is used, checked, explained and listed like those that come with the library.
//!
//! Without arguments it makes rows. With arguments it is the program `lookalike` that knows the kind, too:
//!
//!     cargo run --example custom_kind
//!     cargo run --example custom_kind -- explain dice

use std::process::ExitCode;

use lookalike::core::Stream;
use lookalike::core::stream::below;
use lookalike::engine::build::Builder;
use lookalike::engine::generator::Group;
use lookalike::engine::schema::ruleset_schema;
use lookalike::engine::{Block, Failure, Generator, KINDS, Kind, Output, Rule, Site, array};
use lookalike::language::decode::Count;
use lookalike::language::read::Format;
use lookalike::language::{Span, Type, params};
use lookalike::polars::prelude::Series;
use lookalike::{Error, Ruleset};

// What may be written under `dice`. The comments become the manual, the schema and the help of `explain`.
params! {
    /// The sum of some dice.
    struct Dice {
        /// How many dice.
        count: Count = Count(2),
        /// Sides of each.
        sides: Count = Count(6),
    }
}

/// The parameters, and where random words come from.
struct Rolls {
    dice: Dice,
    stream: Option<Stream>,
}

impl Generator for Rolls {
    fn prepare(&mut self, site: &mut Site<'_>) -> Option<Output> {
        if self.dice.sides.0 < 2 {
            site.error("bad-value", "a die with fewer than 2 sides", "write for example `sides: 6`");
            return None;
        }
        self.stream = Some(site.seed.stream());
        Some(Output::of(Type::Int))
    }

    // A value follows from the row's number and nothing else: draw `die` of row `row` is always the same word.
    fn fill(&self, block: &Block<'_>) -> Result<Series, Failure> {
        let stream = self.stream.expect("set in prepare").with_attempt(block.attempt);
        let roll = |row, die| 1 + below(stream.word(row, die), self.dice.sides.0) as i64;
        let sum = |row| (0..self.dice.count.0 as u32).map(|die| roll(row, die)).sum();
        Ok(array::ints(block.rows.iter().map(sum).collect()))
    }
}

impl Rule for Dice {
    fn build(self, _: Span, _: &mut Builder<'_>) -> Option<Box<dyn Generator>> {
        Some(Box::new(Rolls { dice: self, stream: None }))
    }
}

static OWN: &[Kind] = &[Kind {
    name: "dice",
    group: Group::Numbers,
    summary: "The sum of some dice.",
    details: "Each die is even, and independent of the others.",
    example: "{dice: {count: 2}}",
    ..Kind::of::<Dice>()
}];

const GAME: &str = "
lookalike: 1
tables:
  turns:
    rows: 1000
    columns:
      thrown: {dice: {count: 3}, null: 10%}
      moved: {expr: thrown * 2}
";

fn main() -> ExitCode {
    if std::env::args().len() > 1 {
        return lookalike::program(OWN);
    }
    show().expect("the example works");
    ExitCode::SUCCESS
}

#[expect(clippy::print_stdout, reason = "the example shows its result")]
fn show() -> Result<(), Error> {
    let load = |text: &str| Ruleset::loader().kinds(OWN).text(text, Format::Yaml);
    let turns = load(GAME)?.table("turns")?.collect()?;
    println!("{turns}");
    let thrown = turns.column("thrown").expect("a column").i64().expect("an int");
    assert!(thrown.iter().flatten().all(|sum| (3..=18).contains(&sum)) && thrown.null_count() > 0);

    // Mistakes are told as for any other kind.
    for (mistake, told) in [("count: 3", "sides: 1"), ("dice", "dise"), ("count", "cuont")]
        .map(|(right, wrong)| (wrong, load(&GAME.replace(right, wrong)).err().expect("refused").to_string()))
    {
        println!("{told}\n");
        assert!(
            told.contains("<text>:7") && (mistake == "sides: 1" || told.contains("did you mean")),
            "{told}"
        );
    }
    let schema = ruleset_schema(&[KINDS, OWN]).to_string();
    assert!(schema.contains(r#""dice""#) && schema.contains("How many dice."));
    Ok(())
}
