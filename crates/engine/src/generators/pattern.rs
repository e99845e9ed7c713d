//! `pattern`: text in the form of a regular expression.

use std::sync::Arc;

use lookalike_core::stream::below;
use lookalike_core::{Permutation, Rows, Stream, declared};
use lookalike_ruleset::decode::{Decode, wrong};
use lookalike_ruleset::{Diagnostic, Json, Node, Problems, Span};
use polars::prelude::*;
use serde_json::json;

use super::language::{Language, Refusal, Walk};
use super::steps::enough_words;
use super::text::{SLACK, Texts};
use crate::array;
use crate::build::Builder;
use crate::generator::{
    Block, Categories, Failure, Generator, Group, Kind, Output, Promise, Rule, Site, is_plain,
};

/// Up to this many words are categories.
const MAX_CATEGORIES: u128 = 256;

/// Row numbers that are told apart in a language whose words cannot be counted in 64 bits.
const ROWS: u64 = 1 << 48;

struct Pattern {
    language: Arc<Language>,
    plan: Option<Plan>,
}

/// How a row gets its word.
struct Plan {
    /// Random words by row; for unique values only for what the permutation leaves open.
    stream: Stream,
    unique: Option<Permutation>,
    way: Way,
}

enum Way {
    /// Few words: the rank is the code of a category.
    Few(Arc<Categories>),
    /// Words of fixed length, put together from tables.
    Fixed(Fixed),
    /// Words of a rank, of which there are this many.
    Ranked(u64),
    /// Words of a rank that are too many for 64 bits; for unique values: row i gets one of the `stride` words from
    /// `stride × permutation(i)` on.
    Strided { stride: u128 },
    /// Words too many for ranks: character by character.
    Walk(Walk),
}

impl Pattern {
    /// Chooses the way for the language; `None` after adding a problem.
    fn plan(&self, site: &mut Site<'_>) -> Option<Plan> {
        let stream = site.seed.derive("word").stream();
        let unique = site.demand.unique.take();
        let size = self.language.size();
        let (way, words) = if let Some(few) = size.filter(|size| *size <= MAX_CATEGORIES) {
            let word = |rank| {
                let mut word = Vec::new();
                self.language.word(rank, &mut word);
                String::from_utf8(word).expect("words are made of characters")
            };
            (Way::Few(Categories::new((0..few).map(word).collect())), few as u64)
        } else if let Some(fixed) = Fixed::new(&self.language) {
            let words = fixed.segments[0].size;
            (Way::Fixed(fixed), words)
        } else if let Some(words) = size.and_then(|size| u64::try_from(size).ok()) {
            (Way::Ranked(words), words)
        } else {
            match (unique, size) {
                (Some(_), Some(size)) => (Way::Strided { stride: size / u128::from(ROWS) }, ROWS),
                (Some(span), None) => {
                    site.problems.push(
                        Diagnostic::error("cannot-be-unique", span, "this pattern has more than 2^128 words of various lengths, which cannot be numbered")
                            .help("remove `unique`, for so many words hardly ever repeat; or give all words the same length"),
                    );
                    return None;
                }
                (None, _) => (Way::Walk(self.language.walk()), 0),
            }
        };
        let unique = match unique {
            Some(span) => {
                enough_words(u128::from(words), span, site)?;
                Some(Permutation::new(words, site.seed.derive("unique")))
            }
            None => None,
        };
        Some(Plan { stream, unique, way })
    }
}

impl Generator for Pattern {
    fn prepare(&mut self, site: &mut Site<'_>) -> Option<Output> {
        let plan = self.plan(site)?;
        let output = match &plan.way {
            Way::Few(categories) => Output::categories(categories.clone()),
            _ => Output::text(
                self.language.is_plain(|char| char == ' ' || is_plain(char.encode_utf8(&mut [0; 4]))),
            ),
        };
        self.plan = Some(plan);
        Some(output)
    }

    fn promise(&self) -> Promise<'_> {
        Promise::Drawn(declared::Promise::Matches(self.language.clone()))
    }

    fn fill(&self, block: &Block<'_>) -> Result<Series, Failure> {
        let plan = self.plan.as_ref().expect("set in prepare");
        // The words of unique columns stay when a row is drawn again.
        let stream =
            if plan.unique.is_some() { plan.stream } else { plan.stream.with_attempt(block.attempt) };
        let rows = block.rows;
        match &plan.way {
            Way::Few(categories) => {
                let mut codes = Vec::with_capacity(rows.len());
                let words = categories.values().len() as u64;
                ranks(rows, &stream, plan.unique.as_ref(), words, |rank| codes.push(rank as u32));
                Ok(array::codes(codes.into_iter(), categories))
            }
            Way::Fixed(fixed) => fixed.fill(rows, &stream, plan.unique.as_ref()),
            Way::Ranked(words) => {
                let mut texts = Texts::with_capacity(rows.len(), 16);
                ranks(rows, &stream, plan.unique.as_ref(), *words, |rank| {
                    texts.push(|out| self.language.word(u128::from(rank), out));
                });
                texts.finish(None)
            }
            Way::Strided { stride } => {
                let permutation = plan.unique.as_ref().expect("only unique values need it");
                let mut texts = Texts::with_capacity(rows.len(), 24);
                for row in rows {
                    // 128 bits modulo the stride, of at most 80: the bias is less than 2^-48.
                    let random = u128::from(stream.word(row, 0)) << 64 | u128::from(stream.word(row, 1));
                    let rank = u128::from(permutation.apply(row)) * stride + random % stride;
                    texts.push(|out| self.language.word(rank, out));
                }
                texts.finish(None)
            }
            Way::Walk(walk) => {
                let mut texts = Texts::with_capacity(rows.len(), 32);
                for row in rows {
                    texts.push(|out| self.language.random_word(walk, &stream, row, out));
                }
                texts.finish(None)
            }
        }
    }
}

/// Calls `each` with a rank below `words` for every row.
#[inline]
fn ranks(rows: &Rows, stream: &Stream, unique: Option<&Permutation>, words: u64, mut each: impl FnMut(u64)) {
    match unique {
        Some(permutation) => permutation.for_each(rows, each),
        None => stream.for_each_word(rows, 0, |word| each(below(word, words))),
    }
}

// ---- words of fixed length -------------------------------------------------------------------------------------------

/// The words of a language in which the characters of each place are independent of the other places.
///
/// A random word w stands for the fraction w / 2^64. Times the number of choices of the first piece, its whole part is
/// the choice and what is left is the fraction for the next piece: one multiplication for each piece. The choices are the
/// digits, in mixed radix, of ⌊size × w / 2^64⌋, which is the word's rank.
struct Fixed {
    /// Bytes of a word.
    width: usize,
    /// Stretches of the word, from the last to the first, each chosen by a draw of its own: segment i by draw i. With
    /// `unique` the permutation chooses the last stretch, so that it alone never repeats; the others remain random.
    segments: Vec<Segment>,
}

/// Choices of a segment stay below this, so that ranks can be turned into fractions, see [`Segment::fraction`].
const MAX_SEGMENT: u64 = 1 << 62;

/// Choices of a piece.
const MAX_CHOICES: usize = 1024;

/// Bytes of a piece.
const PIECE: usize = 8;

struct Segment {
    /// How many different texts it has.
    size: u64,
    pieces: Vec<Piece>,
}

/// A few bytes of the word.
struct Piece {
    /// Where it starts in the word.
    at: usize,
    /// The text of each choice, with zeros behind it.
    choices: Arc<[[u8; PIECE]]>,
}

const _: () = assert!(PIECE <= SLACK, "a piece is stored as a whole, even at the end of a value");

impl Fixed {
    fn new(language: &Language) -> Option<Fixed> {
        let places = language.places(MAX_CHOICES)?;
        let mut at = places.iter().map(|place| place[0].len_utf8()).sum();
        let mut fixed = Fixed { width: at, segments: Vec::new() };
        let mut segment = Segment { size: 1, pieces: Vec::new() };
        let mut choices = vec![[0; PIECE]];
        let mut bytes = 0;
        // From the last place to the first: each goes before the piece if that has room, else a new one is begun.
        for place in places.iter().rev() {
            let width = place[0].len_utf8();
            let of_segment = segment.size.checked_mul(place.len() as u64).filter(|size| *size <= MAX_SEGMENT);
            if of_segment.is_none() || bytes + width > PIECE || choices.len() * place.len() > MAX_CHOICES {
                segment.pieces.push(Piece { at, choices: choices.into() });
                (choices, bytes) = (vec![[0; PIECE]], 0);
            }
            segment.size = match of_segment {
                Some(size) => size,
                None => {
                    fixed
                        .segments
                        .push(std::mem::replace(&mut segment, Segment { size: 1, pieces: Vec::new() }));
                    place.len() as u64
                }
            };
            let longer = |char: &char, rest: &[u8; PIECE]| {
                let mut text = [0; PIECE];
                char.encode_utf8(&mut text);
                text[width..].copy_from_slice(&rest[..PIECE - width]);
                text
            };
            choices =
                place.iter().flat_map(|char| choices.iter().map(move |rest| longer(char, rest))).collect();
            bytes += width;
            at -= width;
        }
        segment.pieces.push(Piece { at, choices: choices.into() });
        fixed.segments.push(segment);
        fixed.segments.iter_mut().for_each(Segment::finish);
        Some(fixed)
    }

    fn fill(&self, rows: &Rows, stream: &Stream, unique: Option<&Permutation>) -> Result<Series, Failure> {
        let mut texts = Texts::with_capacity(rows.len(), self.width + 1);
        if let [only] = self.segments.as_slice() {
            // By far the commonest case.
            match unique {
                Some(permutation) => {
                    let step = only.step();
                    permutation.for_each(rows, |rank| {
                        texts.push_fixed(self.width, |out| only.write(fraction(rank, step), out));
                    });
                }
                None => stream
                    .for_each_word(rows, 0, |word| texts.push_fixed(self.width, |out| only.write(word, out))),
            }
            return texts.finish(None);
        }
        let steps: Vec<u128> = self.segments.iter().map(Segment::step).collect();
        for row in rows {
            texts.push_fixed(self.width, |out| {
                // From the first stretch to the last, as each may write beyond its end.
                for (draw, segment) in self.segments.iter().enumerate().rev() {
                    let word = match unique {
                        Some(permutation) if draw == 0 => fraction(permutation.apply(row), steps[0]),
                        _ => stream.word(row, draw as u32),
                    };
                    segment.write(word, out);
                }
            });
        }
        texts.finish(None)
    }
}

impl Segment {
    /// Puts the pieces in the order of the word, and lets equal ones share their table.
    fn finish(&mut self) {
        self.pieces.reverse();
        for at in 1..self.pieces.len() {
            if let Some(same) =
                self.pieces[..at].iter().find(|piece| piece.choices == self.pieces[at].choices)
            {
                self.pieces[at].choices = same.choices.clone();
            }
        }
    }

    /// ⌊(2^128 - 1) / size⌋, for [`fraction`].
    fn step(&self) -> u128 {
        u128::MAX / u128::from(self.size)
    }

    /// Writes the segment that the fraction `word / 2^64` chooses to its places in `out`.
    #[inline]
    fn write(&self, word: u64, out: &mut [u8]) {
        let mut rest = word;
        for piece in &self.pieces {
            let product = u128::from(rest) * piece.choices.len() as u128;
            rest = product as u64;
            let text = &piece.choices[(product >> 64) as usize];
            out[piece.at..piece.at + PIECE].copy_from_slice(text);
        }
    }
}

/// A fraction, in units of 2^-64, whose product with the segment's size has the whole part `rank`.
///
/// All w with rank ≤ size × w / 2^64 < rank + 1 will do, which are at least four, as the size is at most 2^62. The product
/// of the rank with the rounded `step` is at most two too small; hence two more is never too small, nor too large.
#[inline]
fn fraction(rank: u64, step: u128) -> u64 {
    ((u128::from(rank) * step) >> 64) as u64 + 2
}

// ---- the kind --------------------------------------------------------------------------------------------------------

/// The parameters: a pattern that was read.
struct Params(Language);

/// Reads a pattern; what is wrong with it is shown at its place in the scalar where possible.
fn read(node: &Node, problems: &mut Problems) -> Option<Language> {
    let Some(scalar) = node.as_scalar().filter(|_| !node.is_null()) else {
        wrong(node, Params::what(), problems);
        return None;
    };
    match Language::parse(&scalar.text) {
        Ok(language) => Some(language),
        Err(Refusal { message, help, place }) => {
            let span = match scalar.verbatim {
                Some(start) => {
                    Span::new(node.span.file, start as usize + place.start, start as usize + place.end)
                }
                None => node.span,
            };
            problems.push(Diagnostic::error("bad-pattern", span, message).label("here").help(help));
            None
        }
    }
}

impl Decode for Params {
    fn decode(node: &Node, problems: &mut Problems) -> Option<Self> {
        read(node, problems).map(Params)
    }
    fn what() -> String {
        "a pattern such as 'vol-[0-9a-f]{17}'".into()
    }
    fn schema() -> Json {
        json!({"type": ["string", "number"]})
    }
}

impl Rule for Params {
    fn build(self, _: Span, _: &mut Builder<'_>) -> Option<Box<dyn Generator>> {
        Some(Box::new(Pattern { language: Arc::new(self.0), plan: None }))
    }
}

pub(super) const KIND: Kind = Kind {
    name: "pattern",
    group: Group::Text,
    summary: "Text in the form of a regular expression.",
    details: "The pattern is the list of all words that match it as a whole; every word is equally likely, also where the \
              pattern can spell it in more than one way. (So of `[0-9]{1,2}` ten words in 110 have one digit.) It may have \
              characters, `.`, classes such as `[0-9a-f]`, `[^abc]`, `[a-z&&[^aeiou]]`, `[[:upper:]]`, `\\d`, `\\w` and \
              `\\s` (a space), groups, alternatives `a|b`, and limited repetitions `{3}`, `{0,8}` and `?`. `.` and \
              negated classes are printable ASCII, from the space to `~`. Refused are `*`, `+` and `{3,}`, which have no \
              upper limit, anchors (a pattern is always the whole value), boundaries, look-around, back-references, \
              flags and Unicode classes. A word has at most 4096 bytes. In YAML, write patterns in single quotes.\n\n\
              A pattern with at most 256 words has these as known values, for `by` and lookups.\n\n\
              With `unique: true` no word occurs twice: row i gets the i-th word of a keyed permutation of all words. A \
              table cannot have more rows than there are words. Of words of a fixed length that are more than 2^62, the \
              last characters alone never repeat, and those before them are random. Words of various lengths may be up \
              to 2^128 for that (then 2^48 rows, and a share of up to 2^-16 of the words, the last ones, is left out).",
    example: "{pattern: 'vol-[0-9a-f]{17}', unique: true}",
    ..Kind::of::<Params>()
};

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use lookalike_core::Seed;
    use lookalike_core::testing::chi_squared_p_value;

    use super::*;
    use crate::generator::{Demand, World};

    fn prepare(pattern: &str, unique: bool, rows: u64) -> Result<(Pattern, Output), &'static str> {
        let world = World::new(Seed::new(1));
        let mut problems = Problems::new();
        let mut generator = Pattern { language: Arc::new(Language::parse(pattern).unwrap()), plan: None };
        let demand = Demand { unique: unique.then(Span::default), ..Demand::default() };
        let mut site = Site {
            seed: Seed::new(11),
            table: Seed::new(1),
            rows,
            span: Span::default(),
            demand,
            world: &world,
            columns: &[],
            scope: &[],
            problems: &mut problems,
        };
        match generator.prepare(&mut site) {
            Some(output) => Ok((generator, output)),
            None => Err(problems.into_sorted()[0].code),
        }
    }

    fn texts(generator: &Pattern, rows: impl Into<Rows>, attempt: u32) -> Vec<String> {
        let series =
            generator.fill(&Block::new(&rows.into(), attempt, &[])).unwrap().cast(&DataType::String).unwrap();
        series.str().unwrap().iter().map(|text| text.unwrap().to_owned()).collect()
    }

    /// Patterns that take each way, with their number of words.
    const PATTERNS: &[(&str, Option<u64>)] = &[
        ("(us|eu)-(east|west)-[12]", Some(8)),
        ("[0-9]{3}", Some(1000)),
        ("[a-c]{1,6}", Some(1092)),
        ("x-é[0-9a-f]{2}[äöü][0-9]", Some(7680)),
        ("vol-[0-9a-f]{17}", None),
        ("[A-Z]{3}-[0-9]{30}-[a-z]{40}", None),
        ("[a-z]{8,20}", None),
        ("[a-zA-Z0-9]{8,60}", None),
    ];

    #[test]
    fn a_row_has_the_same_word_whoever_asks() {
        for (pattern, _) in PATTERNS {
            for unique in [false, true] {
                let Ok((generator, _)) = prepare(pattern, unique, 5) else { continue };
                let all = texts(&generator, 0..8, 0);
                assert_eq!(
                    texts(&generator, vec![7, 2, 2], 0),
                    [7, 2, 2].map(|row: usize| all[row].clone()),
                    "{pattern}"
                );
                assert_eq!(texts(&generator, 3..8, 0), all[3..], "{pattern}");
                let again = texts(&generator, 0..8, 1);
                assert_eq!(
                    again == all,
                    unique,
                    "{pattern}: only unique words stay when a row is drawn again"
                );
            }
        }
    }

    #[test]
    fn every_word_of_a_unique_column_occurs_once() {
        for (pattern, words) in PATTERNS {
            let rows = words.unwrap_or(20_000);
            let Ok((generator, _)) = prepare(pattern, true, rows) else {
                assert_eq!(*pattern, "[a-zA-Z0-9]{8,60}");
                assert_eq!(prepare(pattern, true, rows).err(), Some("cannot-be-unique"));
                continue;
            };
            let all = texts(&generator, 0..rows, 0);
            assert_eq!(all.iter().collect::<BTreeSet<_>>().len() as u64, rows, "{pattern}");
            let language = Language::parse(pattern).unwrap();
            for text in all.iter().take(100) {
                assert!(language.words_contain(text), "{pattern}: {text}");
            }
            if words.is_some() {
                assert_eq!(prepare(pattern, true, rows + 1).err(), Some("too-few-words"), "{pattern}");
            }
        }
    }

    #[test]
    fn tables_and_ranks_agree() {
        for pattern in [
            "vol-[0-9a-f]{13}",
            "[0-9]{7}",
            "[a-zA-Z0-9]{4}-x",
            "x-é[0-9a-f]{2}[äöü][0-9]",
            "[ab]{3}literal text of many bytes[0-9]{9}",
        ] {
            let language = Language::parse(pattern).unwrap();
            let fixed = Fixed::new(&language).unwrap();
            let size = language.size().unwrap() as u64;
            let [only] = fixed.segments.as_slice() else { panic!("{pattern} has one segment") };
            assert_eq!(only.size, size);
            let ranks = [0, 1, size / 3, size / 2, size - 2, size - 1];
            for rank in ranks {
                let mut expected = Vec::new();
                language.word(u128::from(rank), &mut expected);
                let mut out = vec![0; fixed.width + SLACK];
                only.write(fraction(rank, only.step()), &mut out);
                assert_eq!(out[..fixed.width], expected, "{pattern}, rank {rank}");
                let word = rank.wrapping_mul(0x9e37_79b9_7f4a_7c15);
                only.write(word, &mut out);
                expected.clear();
                language.word(u128::from(below(word, size)), &mut expected);
                assert_eq!(out[..fixed.width], expected, "{pattern}, word {word}");
            }
        }
    }

    /// Every rank of segments of many sizes survives the way through a fraction.
    #[test]
    fn fractions_give_their_rank_back() {
        let sizes = (1..200).chain([10u64.pow(18), 36u64.pow(11), (1 << 62) - 1, 1 << 62, 3u64.pow(39)]);
        for size in sizes {
            let step = u128::MAX / u128::from(size);
            let some = (0..200.min(size)).chain((0..200).filter_map(|back| size.checked_sub(1 + back)));
            for rank in some.chain((1..60).map(|bit| (1 << bit) % size)) {
                assert_eq!(below(fraction(rank, step), size), rank, "{rank} of {size}");
            }
        }
    }

    /// At each of 17 places and for each of 3 attempts, 16 characters are alike frequent in 40,000 words, unique or not:
    /// 102 tests at 1e-8 each, a false alarm in a million.
    #[test]
    fn characters_are_alike_frequent_at_every_place() {
        for unique in [false, true] {
            let (generator, output) = prepare("vol-[0-9a-f]{17}", unique, 40_000).unwrap();
            assert!(output.plain);
            for attempt in 0..3 {
                let words = texts(&generator, 0..40_000, attempt);
                for place in 4..21 {
                    let mut counts = [0.0; 16];
                    for word in &words {
                        assert_eq!(word.len(), 21);
                        counts[usize::from_str_radix(&word[place..=place], 16).unwrap()] += 1.0;
                    }
                    let statistic = counts.iter().map(|count: &f64| (count - 2500.0).powi(2) / 2500.0).sum();
                    assert!(chi_squared_p_value(statistic, 15.0) > 1e-8, "place {place}: {counts:?}");
                }
            }
        }
    }

    /// 50,000 words of the 1092 of `[a-c]{1,6}`: a false alarm in a million.
    #[test]
    fn words_of_all_lengths_are_alike_frequent() {
        let (generator, _) = prepare("[a-c]{1,6}", false, 1).unwrap();
        let mut counts = std::collections::BTreeMap::new();
        for word in texts(&generator, 0..50_000, 0) {
            *counts.entry(word).or_insert(0.0) += 1.0;
        }
        let expected = 50_000.0 / 1092.0;
        let missing = (1092 - counts.len()) as f64 * expected;
        let statistic: f64 = counts.values().map(|count: &f64| (count - expected).powi(2) / expected).sum();
        assert!(chi_squared_p_value(statistic + missing, 1091.0) > 1e-6);
    }

    #[test]
    fn few_words_are_categories() {
        let (_, output) = prepare("(us|eu)-(east|west)-[12]", false, 1).unwrap();
        assert_eq!(output.categories.unwrap().values()[..2], ["eu-east-1", "eu-east-2"]);
        assert!(prepare("[0-9]{3}", false, 1).unwrap().1.categories.is_none());
    }

    #[test]
    fn a_refusal_points_into_the_scalar() {
        let diagnostic = &crate::testing::column("{pattern: 'vol-[0-9a-f]+'}", 10).err().unwrap()[0];
        assert_eq!(diagnostic.code, "bad-pattern");
        let span = diagnostic.span.unwrap();
        assert_eq!(span.end - span.start, 1);
        assert!(diagnostic.help.as_ref().unwrap().contains("{1,8}"));
    }
}
