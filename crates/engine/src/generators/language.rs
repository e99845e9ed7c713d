//! The words that a pattern describes, in order: how many there are, and the one of any rank.
//!
//! A pattern is read into a deterministic automaton without loops. Each of its states knows how many words can follow, so
//! the word of rank r is found by one walk, and every word has one rank, however many ways the pattern has to spell it:
//! `(a|ab)(c|bc)` has the three words abbc, abc and ac. Words are ordered by code point, a word before those that it begins.

use std::collections::BTreeMap;
use std::ops::Range;

use lookalike_core::Stream;
use lookalike_core::declared::Matcher;
use lookalike_core::stream::below;
use regex_syntax::ast::{
    self, Ast, ClassPerlKind, ClassSet, ClassSetBinaryOpKind, ClassSetItem, RepetitionKind, RepetitionRange,
};
use regex_syntax::hir::{ClassUnicode, ClassUnicodeRange};

use crate::pick::threshold;

/// Longest word, in bytes.
pub(super) const MAX_WORD: u64 = 4096;

/// Most parts that a pattern may have when its repetitions are written out.
const MAX_PARTS: u64 = 1 << 16;

/// Most states of the automaton.
const MAX_STATES: usize = 1 << 16;

/// Most steps on the way to the automaton.
const MAX_WORK: usize = 1 << 24;

/// Why a pattern cannot be used: message, label, help, and the place in the pattern.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Refusal {
    pub message: String,
    pub help: String,
    pub place: Range<usize>,
}

impl Matcher for Language {
    fn matches(&self, text: &str) -> bool {
        self.words_contain(text)
    }
}

impl std::fmt::Debug for Language {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Language").field("states", &self.states.len()).finish_non_exhaustive()
    }
}

/// All words of a pattern.
pub(super) struct Language {
    /// The first is the start.
    states: Vec<State>,
}

#[derive(Default)]
struct State {
    /// Whether a word may end here.
    ends: bool,
    /// In the order of their characters.
    edges: Vec<Edge>,
    /// How many words can follow, at most 2^128 - 1, which stands for more.
    words: u128,
    /// The same roughly, of any size.
    scale: Scale,
}

/// Characters `first..first + chars` lead to state `to`.
struct Edge {
    first: u32,
    chars: u32,
    to: u32,
    /// Words of the state that come before those of this edge.
    before: u128,
}

impl Language {
    /// Reads a pattern.
    pub(super) fn parse(pattern: &str) -> Result<Language, Refusal> {
        let parsed = ast::parse::ParserBuilder::new().nest_limit(100).build().parse(pattern);
        let ast = parsed.map_err(|error| Refusal {
            message: format!("this pattern cannot be read: {}", error.kind()),
            help: "a pattern is a regular expression; a backslash makes a special character ordinary".into(),
            place: range(error.span()),
        })?;
        let whole = 0..pattern.len();
        let extent = extent(&ast)?;
        if extent.bytes > MAX_WORD {
            return Err(Refusal {
                message: format!(
                    "words of this pattern can have {} bytes; at most {MAX_WORD} are allowed",
                    extent.bytes
                ),
                help: "write smaller repetitions".into(),
                place: whole,
            });
        }
        let too_complex = || Refusal {
            message: "this pattern is too complex".into(),
            help: "use fewer or smaller repetitions of alternatives, or several columns joined by `template`"
                .into(),
            place: 0..pattern.len(),
        };
        if extent.parts > MAX_PARTS {
            return Err(too_complex());
        }
        let mut parts = Parts { list: vec![Part::End], sets: Vec::new() };
        let start = parts.add(&ast, END);
        parts.determine(start).ok_or_else(too_complex)
    }

    /// How many words there are, if less than 2^128 - 1.
    pub(super) fn size(&self) -> Option<u128> {
        Some(self.states[0].words).filter(|words| *words < u128::MAX)
    }

    /// Appends the word of a rank, which must be below the size.
    pub(super) fn word(&self, mut rank: u128, out: &mut Vec<u8>) {
        let mut state = &self.states[0];
        loop {
            if state.ends && rank == 0 {
                return;
            }
            let edge = &state.edges[state.edges.partition_point(|edge| edge.before <= rank) - 1];
            rank -= edge.before;
            let mut char = edge.first;
            state = &self.states[edge.to as usize];
            if edge.chars > 1 {
                char += (rank / state.words) as u32;
                rank %= state.words;
            }
            push(char, out);
        }
    }

    /// Whether `text` is a word.
    pub(super) fn words_contain(&self, text: &str) -> bool {
        let step = |state: &State, char: u32| {
            state.edges.iter().find(|e| (e.first..e.first + e.chars).contains(&char)).map(|e| e.to)
        };
        let end = text.chars().try_fold(0, |at, char| step(&self.states[at as usize], char.into()));
        end.is_some_and(|at| self.states[at as usize].ends)
    }

    /// Gets ready for random words that are all alike probable, up to rounding (a share of about 10^-12 for the longest
    /// words), in languages whose words cannot be numbered.
    pub(super) fn walk(&self) -> Walk {
        let shares = |state: &State| {
            let edges = state.edges.iter().map(|edge| self.states[edge.to as usize].scale.times(edge.chars));
            let scales: Vec<Scale> = std::iter::once(Scale::of(u32::from(state.ends))).chain(edges).collect();
            let most = scales.iter().map(|scale| scale.exponent).max().unwrap_or(0);
            let weights: Vec<f64> = scales.iter().map(|scale| scale.relative_to(most)).collect();
            let total: f64 = weights.iter().sum();
            let mut sum = 0.0;
            let mut limit = |weight: &f64| {
                sum += weight;
                u64::try_from(threshold(sum / total)).unwrap_or(u64::MAX)
            };
            // Without the last, which takes all words that are left.
            weights[..weights.len() - 1].iter().map(&mut limit).collect()
        };
        Walk { limits: self.states.iter().map(shares).collect() }
    }

    /// Appends the word that a row's draws choose: at step i draw 2i the way, draw 2i + 1 the character.
    pub(super) fn random_word(&self, walk: &Walk, stream: &Stream, row: u64, out: &mut Vec<u8>) {
        let mut at = 0;
        for step in 0.. {
            let word = stream.word(row, 2 * step);
            let choice = walk.limits[at].partition_point(|limit| *limit <= word);
            let Some(edge) = choice.checked_sub(1) else { return };
            let edge = &self.states[at].edges[edge];
            let char = match edge.chars {
                1 => 0,
                chars => below(stream.word(row, 2 * step + 1), u64::from(chars)) as u32,
            };
            push(edge.first + char, out);
            at = edge.to as usize;
        }
    }

    /// For each place of the words the characters that can stand there, if all words have the same length, the places do
    /// not depend on each other, and the characters of each place have the same number of bytes; not for places with more
    /// than `most` characters.
    pub(super) fn places(&self, most: usize) -> Option<Vec<Vec<char>>> {
        let mut places = Vec::new();
        let mut state = &self.states[0];
        while let [first, ..] = state.edges.as_slice() {
            let count: usize = state.edges.iter().map(|edge| edge.chars as usize).sum();
            if state.ends || count > most || state.edges.iter().any(|edge| edge.to != first.to) {
                return None;
            }
            let chars = state.edges.iter().flat_map(|edge| edge.first..edge.first + edge.chars);
            let chars: Vec<char> = chars.map(char_of).collect();
            if chars.iter().any(|char| char.len_utf8() != chars[0].len_utf8()) {
                return None;
            }
            places.push(chars);
            state = &self.states[first.to as usize];
        }
        Some(places)
    }

    /// Whether every word can stand in any text format without quotes or escapes; `ordinary` says it of a character.
    pub(super) fn is_plain(&self, ordinary: impl Fn(char) -> bool) -> bool {
        let holds =
            |edge: &Edge, char: char| (edge.first..edge.first + edge.chars).contains(&u32::from(char));
        let edges = || self.states.iter().flat_map(|state| &state.edges);
        !self.states[0].ends
            && !self.states[0].edges.iter().any(|edge| holds(edge, ' '))
            && !edges().any(|edge| self.states[edge.to as usize].ends && holds(edge, ' '))
            && edges().all(|edge| (edge.first..edge.first + edge.chars).all(|char| ordinary(char_of(char))))
    }
}

/// See [`Language::walk`]: for each state one past the last random word that ends there, then the same for its edges.
pub(super) struct Walk {
    limits: Vec<Vec<u64>>,
}

fn char_of(code: u32) -> char {
    char::from_u32(code).expect("edges are made of ranges of characters without the gap")
}

#[inline]
fn push(code: u32, out: &mut Vec<u8>) {
    match u8::try_from(code) {
        Ok(byte @ 0..0x80) => out.push(byte),
        _ => out.extend_from_slice(char_of(code).encode_utf8(&mut [0; 4]).as_bytes()),
    }
}

/// A count that may be far larger than the largest float: `mantissa × 2^exponent`.
#[derive(Clone, Copy, Default)]
struct Scale {
    mantissa: f64,
    exponent: i32,
}

impl Scale {
    fn new(value: f64, exponent: i32) -> Scale {
        let (mantissa, more) = libm::frexp(value);
        // Nothing must not seem larger than something.
        Scale { mantissa, exponent: if mantissa == 0.0 { i32::MIN / 2 } else { exponent + more } }
    }

    fn of(count: u32) -> Scale {
        Scale::new(f64::from(count), 0)
    }

    fn times(self, count: u32) -> Scale {
        Scale::new(self.mantissa * f64::from(count), self.exponent)
    }

    fn plus(self, other: Scale) -> Scale {
        let most = self.exponent.max(other.exponent);
        Scale::new(self.relative_to(most) + other.relative_to(most), most)
    }

    /// The value in units of `2^exponent`.
    fn relative_to(self, exponent: i32) -> f64 {
        libm::ldexp(self.mantissa, (self.exponent - exponent).max(-2000))
    }
}

// ---- from the syntax tree to parts -----------------------------------------------------------------------------------

fn range(span: &ast::Span) -> Range<usize> {
    span.start.offset..span.end.offset
}

fn refusal(span: &ast::Span, message: impl Into<String>, help: impl Into<String>) -> Refusal {
    Refusal { message: message.into(), help: help.into(), place: range(span) }
}

/// How large a part is when its repetitions are written out.
#[derive(Clone, Copy)]
struct Extent {
    /// Bytes of the longest word.
    bytes: u64,
    parts: u64,
}

/// Measures a syntax tree, and refuses what cannot be made.
fn extent(ast: &Ast) -> Result<Extent, Refusal> {
    let none = Extent { bytes: 0, parts: 0 };
    Ok(match ast {
        Ast::Empty(_) => none,
        Ast::Flags(flags) => return Err(flags_refused(&flags.span)),
        Ast::Assertion(assertion) => {
            return Err(refusal(
                &assertion.span,
                "a pattern cannot have anchors or boundaries",
                "remove it: a pattern always describes the whole value",
            ));
        }
        Ast::Literal(_) | Ast::Dot(_) | Ast::ClassUnicode(_) | Ast::ClassPerl(_) | Ast::ClassBracketed(_) => {
            let set = set(ast)?;
            let Some(last) = set.ranges().last() else {
                return Err(refusal(ast.span(), "this class has no characters", "allow at least one"));
            };
            Extent { bytes: last.end().len_utf8() as u64, parts: 1 }
        }
        Ast::Repetition(repetition) => {
            let inner = extent(&repetition.ast)?;
            let span = &repetition.op.span;
            let (_, most) = bounds(&repetition.op.kind).ok_or_else(|| {
                let help = match &repetition.op.kind {
                    RepetitionKind::ZeroOrMore => "write for example `{0,8}`".into(),
                    RepetitionKind::Range(RepetitionRange::AtLeast(least)) => {
                        format!("write for example `{{{least},{}}}`", least.saturating_add(8))
                    }
                    _ => "write for example `{1,8}`".into(),
                };
                refusal(span, "this repetition has no upper limit", help)
            })?;
            let most = u64::from(most);
            Extent { bytes: inner.bytes.saturating_mul(most), parts: (inner.parts + 1).saturating_mul(most) }
        }
        Ast::Group(group) => {
            if group.flags().is_some_and(|flags| !flags.items.is_empty()) {
                return Err(flags_refused(&group.span));
            }
            extent(&group.ast)?
        }
        Ast::Alternation(alternation) => {
            alternation.asts.iter().try_fold(Extent { bytes: 0, parts: 1 }, |sum, ast| {
                let part = extent(ast)?;
                Ok(Extent { bytes: sum.bytes.max(part.bytes), parts: sum.parts.saturating_add(part.parts) })
            })?
        }
        Ast::Concat(concat) => concat.asts.iter().try_fold(none, |sum, ast| {
            let part = extent(ast)?;
            Ok(Extent {
                bytes: sum.bytes.saturating_add(part.bytes),
                parts: sum.parts.saturating_add(part.parts),
            })
        })?,
    })
}

fn flags_refused(span: &ast::Span) -> Refusal {
    refusal(span, "a pattern cannot have flags", "remove them; for letters of either case write `[Aa]`")
}

/// Least and greatest number of repetitions, if limited.
fn bounds(kind: &RepetitionKind) -> Option<(u32, u32)> {
    match kind {
        RepetitionKind::ZeroOrOne => Some((0, 1)),
        RepetitionKind::Range(RepetitionRange::Exactly(n)) => Some((*n, *n)),
        RepetitionKind::Range(RepetitionRange::Bounded(m, n)) => Some((*m, *n)),
        RepetitionKind::ZeroOrMore
        | RepetitionKind::OneOrMore
        | RepetitionKind::Range(RepetitionRange::AtLeast(_)) => None,
    }
}

fn chars(ranges: &[(char, char)]) -> ClassUnicode {
    ClassUnicode::new(ranges.iter().map(|(first, last)| ClassUnicodeRange::new(*first, *last)))
}

/// What `.` stands for, and what a negation leaves over: printable ASCII.
fn printable() -> ClassUnicode {
    chars(&[(' ', '~')])
}

fn negate_if(negated: bool, set: ClassUnicode) -> ClassUnicode {
    if !negated {
        return set;
    }
    let mut rest = printable();
    rest.difference(&set);
    rest
}

/// The characters of a part of the syntax tree that stands for one character.
fn set(ast: &Ast) -> Result<ClassUnicode, Refusal> {
    match ast {
        Ast::Literal(literal) => Ok(chars(&[(literal.c, literal.c)])),
        Ast::Dot(_) => Ok(printable()),
        Ast::ClassPerl(class) => Ok(perl(class)),
        Ast::ClassUnicode(class) => Err(properties_refused(&class.span)),
        Ast::ClassBracketed(class) => bracketed(class),
        _ => Ok(ClassUnicode::empty()),
    }
}

fn properties_refused(span: &ast::Span) -> Refusal {
    refusal(span, "a pattern cannot have Unicode classes", "write the characters, for example `[a-zäöü]`")
}

fn perl(class: &ast::ClassPerl) -> ClassUnicode {
    negate_if(
        class.negated,
        match class.kind {
            ClassPerlKind::Digit => chars(&[('0', '9')]),
            ClassPerlKind::Space => chars(&[(' ', ' ')]),
            ClassPerlKind::Word => chars(&[('0', '9'), ('A', 'Z'), ('_', '_'), ('a', 'z')]),
        },
    )
}

fn bracketed(class: &ast::ClassBracketed) -> Result<ClassUnicode, Refusal> {
    Ok(negate_if(class.negated, class_set(&class.kind)?))
}

fn class_set(set: &ClassSet) -> Result<ClassUnicode, Refusal> {
    match set {
        ClassSet::Item(item) => class_item(item),
        ClassSet::BinaryOp(op) => {
            let mut left = class_set(&op.lhs)?;
            let right = class_set(&op.rhs)?;
            match op.kind {
                ClassSetBinaryOpKind::Intersection => left.intersect(&right),
                ClassSetBinaryOpKind::Difference => left.difference(&right),
                ClassSetBinaryOpKind::SymmetricDifference => left.symmetric_difference(&right),
            }
            Ok(left)
        }
    }
}

fn class_item(item: &ClassSetItem) -> Result<ClassUnicode, Refusal> {
    Ok(match item {
        ClassSetItem::Empty(_) => ClassUnicode::empty(),
        ClassSetItem::Literal(literal) => chars(&[(literal.c, literal.c)]),
        ClassSetItem::Range(range) => chars(&[(range.start.c, range.end.c)]),
        ClassSetItem::Ascii(class) => negate_if(class.negated, ascii(&class.kind)),
        ClassSetItem::Unicode(class) => return Err(properties_refused(&class.span)),
        ClassSetItem::Perl(class) => perl(class),
        ClassSetItem::Bracketed(class) => bracketed(class)?,
        ClassSetItem::Union(union) => {
            let mut all = ClassUnicode::empty();
            for item in &union.items {
                all.union(&class_item(item)?);
            }
            all
        }
    })
}

fn ascii(kind: &ast::ClassAsciiKind) -> ClassUnicode {
    use ast::ClassAsciiKind::*;
    match kind {
        Alnum => chars(&[('0', '9'), ('A', 'Z'), ('a', 'z')]),
        Alpha => chars(&[('A', 'Z'), ('a', 'z')]),
        Ascii => chars(&[('\0', '\x7f')]),
        Blank => chars(&[('\t', '\t'), (' ', ' ')]),
        Cntrl => chars(&[('\0', '\x1f'), ('\x7f', '\x7f')]),
        Digit => chars(&[('0', '9')]),
        Graph => chars(&[('!', '~')]),
        Lower => chars(&[('a', 'z')]),
        Print => printable(),
        Punct => chars(&[('!', '/'), (':', '@'), ('[', '`'), ('{', '~')]),
        Space => chars(&[('\t', '\r'), (' ', ' ')]),
        Upper => chars(&[('A', 'Z')]),
        Word => chars(&[('0', '9'), ('A', 'Z'), ('_', '_'), ('a', 'z')]),
        Xdigit => chars(&[('0', '9'), ('A', 'F'), ('a', 'f')]),
    }
}

// ---- from parts to states --------------------------------------------------------------------------------------------

/// A pattern with its repetitions written out, from its end to its start.
struct Parts {
    list: Vec<Part>,
    sets: Vec<Vec<(u32, u32)>>,
}

enum Part {
    /// The word ends.
    End,
    /// A character of the set, then the part.
    Char { set: u32, next: u32 },
    /// Any of the parts.
    Any(Vec<u32>),
}

/// The part where a word ends.
const END: u32 = 0;

impl Parts {
    fn push(&mut self, part: Part) -> u32 {
        self.list.push(part);
        self.list.len() as u32 - 1
    }

    /// Adds a tree that [`extent`] has accepted, followed by `next`; gives where it starts.
    fn add(&mut self, ast: &Ast, next: u32) -> u32 {
        match ast {
            Ast::Repetition(repetition) => {
                let (least, most) = bounds(&repetition.op.kind).expect("unlimited repetitions were refused");
                let mut start = next;
                for _ in least..most {
                    let once = self.add(&repetition.ast, start);
                    start = self.push(Part::Any(vec![once, next]));
                }
                (0..least).fold(start, |start, _| self.add(&repetition.ast, start))
            }
            Ast::Group(group) => self.add(&group.ast, next),
            Ast::Alternation(alternation) => {
                let starts = alternation.asts.iter().map(|ast| self.add(ast, next)).collect();
                self.push(Part::Any(starts))
            }
            Ast::Concat(concat) => concat.asts.iter().rev().fold(next, |next, ast| self.add(ast, next)),
            Ast::Empty(_) | Ast::Flags(_) | Ast::Assertion(_) => next,
            Ast::Literal(_)
            | Ast::Dot(_)
            | Ast::ClassUnicode(_)
            | Ast::ClassPerl(_)
            | Ast::ClassBracketed(_) => {
                let ranges = set(ast).map(|set| code_ranges(&set)).unwrap_or_default();
                let set = self.sets.iter().position(|known| *known == ranges).unwrap_or_else(|| {
                    self.sets.push(ranges);
                    self.sets.len() - 1
                });
                self.push(Part::Char { set: set as u32, next })
            }
        }
    }

    /// The automaton whose states are sets of parts. `None` if it becomes too large.
    fn determine(&self, start: u32) -> Option<Language> {
        let mut work = 0;
        let mut states: Vec<State> = Vec::new();
        let mut numbers: BTreeMap<Vec<u32>, u32> = BTreeMap::new();
        let mut todo = vec![self.reach([start], &mut work)];
        numbers.insert(todo[0].clone(), 0);
        let mut at = 0;
        while at < todo.len() {
            let parts = std::mem::take(&mut todo[at]);
            let mut ranges: Vec<(u32, u32, u32)> = Vec::new();
            for part in &parts {
                if let Part::Char { set, next } = self.list[*part as usize] {
                    ranges.extend(self.sets[set as usize].iter().map(|(first, last)| (*first, *last, next)));
                }
            }
            // Between two neighbouring cuts every character leads to the same parts.
            let mut cuts: Vec<u32> = ranges.iter().flat_map(|(first, last, _)| [*first, last + 1]).collect();
            cuts.sort_unstable();
            cuts.dedup();
            work += cuts.len() * ranges.len();
            if work > MAX_WORK {
                return None;
            }
            let mut edges: Vec<Edge> = Vec::new();
            for cut in cuts.windows(2) {
                let next = ranges
                    .iter()
                    .filter(|(first, last, _)| *first <= cut[0] && cut[0] <= *last)
                    .map(|range| range.2);
                let reached = self.reach(next, &mut work);
                if reached.is_empty() {
                    continue;
                }
                let number = *numbers.entry(reached).or_insert_with_key(|parts| {
                    todo.push(parts.clone());
                    todo.len() as u32 - 1
                });
                match edges.last_mut() {
                    Some(edge) if edge.to == number && edge.first + edge.chars == cut[0] => {
                        edge.chars += cut[1] - cut[0]
                    }
                    _ => edges.push(Edge { first: cut[0], chars: cut[1] - cut[0], to: number, before: 0 }),
                }
                if todo.len() > MAX_STATES || work > MAX_WORK {
                    return None;
                }
            }
            states.push(State { ends: parts.first() == Some(&END), edges, ..State::default() });
            at += 1;
        }
        count(&mut states);
        Some(Language { states })
    }

    /// The parts that take a character, or end the word, that can be reached without one; sorted.
    fn reach(&self, from: impl IntoIterator<Item = u32>, work: &mut usize) -> Vec<u32> {
        let mut stack: Vec<u32> = from.into_iter().collect();
        let mut seen: std::collections::BTreeSet<u32> = stack.iter().copied().collect();
        let mut reached = Vec::new();
        while let Some(part) = stack.pop() {
            *work += 1;
            match &self.list[part as usize] {
                Part::Any(parts) => stack.extend(parts.iter().filter(|part| seen.insert(**part))),
                Part::Char { .. } | Part::End => reached.push(part),
            }
        }
        reached.sort_unstable();
        reached
    }
}

/// A set of characters as ranges of code points that do not cross the gap in which there are no characters.
fn code_ranges(set: &ClassUnicode) -> Vec<(u32, u32)> {
    const GAP: Range<u32> = 0xd800..0xe000;
    let mut ranges = Vec::new();
    for range in set.iter() {
        let (first, last) = (u32::from(range.start()), u32::from(range.end()));
        if first < GAP.start && last >= GAP.end {
            ranges.extend([(first, GAP.start - 1), (GAP.end, last)]);
        } else {
            ranges.push((first, last));
        }
    }
    ranges
}

/// Counts the words that can follow each state, the states behind it first.
fn count(states: &mut [State]) {
    let mut done = vec![false; states.len()];
    // A state with the number of its next edge. Words have no more than `MAX_WORD` characters, hence neither has the stack.
    let mut stack = vec![(0usize, 0usize)];
    while let Some((at, edge)) = stack.pop() {
        if let Some(next) = states[at].edges.get(edge) {
            stack.push((at, edge + 1));
            if !done[next.to as usize] {
                stack.push((next.to as usize, 0));
            }
            continue;
        }
        let mut words = u128::from(states[at].ends);
        let mut scale = Scale::of(u32::from(states[at].ends));
        let mut edges = std::mem::take(&mut states[at].edges);
        for edge in &mut edges {
            let next = &states[edge.to as usize];
            edge.before = words;
            words = words.saturating_add(next.words.saturating_mul(u128::from(edge.chars)));
            scale = scale.plus(next.scale.times(edge.chars));
        }
        states[at].edges = edges;
        (states[at].words, states[at].scale) = (words, scale);
        done[at] = true;
    }
}

#[cfg(test)]
mod tests {
    use lookalike_core::Seed;
    use lookalike_core::testing::chi_squared_p_value;

    use super::*;

    fn words(pattern: &str) -> Vec<String> {
        let language = Language::parse(pattern).unwrap();
        let word = |rank| {
            let mut out = Vec::new();
            language.word(rank, &mut out);
            String::from_utf8(out).unwrap()
        };
        (0..language.size().unwrap()).map(word).collect()
    }

    fn refused(pattern: &str) -> (String, &str) {
        let refusal = Language::parse(pattern).err().unwrap_or_else(|| panic!("{pattern} is not refused"));
        (refusal.message, &pattern[refusal.place])
    }

    #[test]
    fn every_word_has_one_rank() {
        for (pattern, expected) in [
            ("", vec![""]),
            ("a", vec!["a"]),
            ("a?", vec!["", "a"]),
            ("a?a?", vec!["", "a", "aa"]),
            ("(a|ab)(c|bc)", vec!["abbc", "abc", "ac"]),
            ("x{2,3}|x{3}y", vec!["xx", "xxx", "xxxy"]),
            ("(?:|b|a)", vec!["", "a", "b"]),
            ("[a-c&&[^b]]-[[:digit:]&&[12]]", vec!["a-1", "a-2", "c-1", "c-2"]),
            ("é[äa]", vec!["éa", "éä"]),
            (r"\.\x41\u{e9}", vec![".Aé"]),
            ("(a{0}b){2}", vec!["bb"]),
        ] {
            assert_eq!(words(pattern), expected, "{pattern}");
        }
    }

    #[test]
    fn words_are_sorted_and_counted() {
        for (pattern, size) in [
            ("[0-9a-f]{3}", 4096),
            (".", 95),
            (r"\d{1,2}[0-9]{1,2}", 11_100),
            ("[^a-z]", 69),
            (r"\w\S", 63 * 94),
        ] {
            let words = words(pattern);
            assert_eq!(words.len(), size, "{pattern}");
            assert!(words.is_sorted_by(|a, b| a < b), "{pattern}");
        }
        assert_eq!(Language::parse("[0-9a-f]{31}").unwrap().size(), Some(1 << 124));
        assert_eq!(Language::parse("[0-9a-f]{64}").unwrap().size(), None);
        // All characters but the gap of surrogates.
        assert_eq!(Language::parse(r"[\u{0}-\u{10ffff}]").unwrap().size(), Some(0x11_0000 - 0x800));
    }

    #[test]
    fn what_cannot_be_made_is_refused_with_its_place() {
        for (pattern, place) in [
            ("vol-[0-9a-f]+", "+"),
            ("a*", "*"),
            ("a{3,}", "{3,}"),
            ("^a", "^"),
            (r"a\b", r"\b"),
            ("(?i)a", "(?i)"),
            ("(?i:a)", "(?i:a)"),
            (r"\p{Greek}", r"\p{Greek}"),
            ("x[a&&b]", "[a&&b]"),
            ("a{1000}{1000}", "a{1000}{1000}"),
            ("(a|b|c|d|e|f|g){4096}{2,1}", "{2,1}"),
            ("(){100000}", "(){100000}"),
            ("((a?){0,4000}){0,4000}", "((a?){0,4000}){0,4000}"),
            ("(a|b){0,40}a(a|b){40}", "(a|b){0,40}a(a|b){40}"),
        ] {
            assert_eq!(refused(pattern).1, place, "{pattern}");
        }
        for pattern in ["(a", r"(a)\1", "(?=a)", "[a", "a{2", "**"] {
            assert!(refused(pattern).0.starts_with("this pattern cannot be read"), "{pattern}");
        }
    }

    #[test]
    fn the_longest_words_are_possible() {
        let language = Language::parse(".{0,4096}").unwrap();
        let mut out = Vec::new();
        language.random_word(&language.walk(), &Seed::new(1).stream(), 0, &mut out);
        // Nearly all words have nearly the full length.
        assert!((4090..=4096).contains(&out.len()), "{}", out.len());
        out.clear();
        let language = Language::parse("[ab]{4096}").unwrap();
        language.random_word(&language.walk(), &Seed::new(1).stream(), 0, &mut out);
        assert_eq!(out.len(), 4096);
    }

    /// 40,000 walks over the 15 words of `[ab]{0,3}`: a false alarm in a million.
    #[test]
    fn walks_reach_all_words_alike() {
        let language = Language::parse("[ab]{0,3}").unwrap();
        let walk = language.walk();
        let stream = Seed::new(9).stream();
        let mut counts = BTreeMap::new();
        for row in 0..40_000 {
            let mut out = Vec::new();
            language.random_word(&walk, &stream, row, &mut out);
            *counts.entry(out).or_insert(0.0) += 1.0;
        }
        assert_eq!(counts.len(), 15);
        let expected = 40_000.0 / 15.0;
        let statistic = counts.values().map(|count: &f64| (count - expected).powi(2) / expected).sum();
        assert!(chi_squared_p_value(statistic, 14.0) > 1e-6, "{counts:?}");
    }

    #[test]
    fn plain_means_no_special_character_and_no_space_at_an_end() {
        for (pattern, plain) in [
            ("[a-z]{2} [a-z]", true),
            (" a", false),
            ("a[ b]", false),
            ("a,b", false),
            ("a?", false),
            ("a[bc ]d", true),
        ] {
            assert_eq!(Language::parse(pattern).unwrap().is_plain(|c| c != ','), plain, "{pattern}");
        }
    }
}
