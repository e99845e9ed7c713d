//! `uuid`: universally unique identifiers, random or made from a name.

use lookalike_core::{Permutation, Stream};
use lookalike_ruleset::decode::{Decode, Spanned, wrong};
use lookalike_ruleset::{Diagnostic, Json, Node, Problems, Span, params};
use polars::prelude::*;
use serde_json::json;
use sha1::{Digest, Sha1};

use super::steps::enough_words;
use super::template::Template;
use super::text::Texts;
use crate::build::Builder;
use crate::generator::{Block, Failure, Generator, Group, InputName, Kind, Output, Promise, Rule, Site};

/// Namespaces of RFC 9562, section 6.6: all but the fourth byte are the same.
const NAMESPACES: &[(&str, u8)] = &[("dns", 0x10), ("url", 0x11), ("oid", 0x12), ("x500", 0x14)];

/// Row numbers that are told apart by `unique`.
const ROWS: u64 = 1 << 60;

params! {
    /// An identifier that is made from a name, version 5.
    struct Named {
        /// What kind of name it is: dns, url, oid, x500, or a UUID of your own.
        namespace: Spanned<String>,
        /// The name, as a template.
        name: Template,
    }
}

/// The parameters.
enum Params {
    Random,
    Named(Named),
}

impl Decode for Params {
    fn decode(node: &Node, problems: &mut Problems) -> Option<Self> {
        match node.as_scalar() {
            Some(scalar) if scalar.text == "v4" => Some(Params::Random),
            Some(_) => {
                wrong(node, Self::what(), problems);
                None
            }
            None => Named::decode(node, problems).map(Params::Named),
        }
    }
    fn what() -> String {
        format!("`v4`, or {}", Named::what())
    }
    fn schema() -> Json {
        json!({"anyOf": [{"const": "v4"}, Named::schema()]})
    }
    fn fields() -> Vec<lookalike_ruleset::decode::FieldDoc> {
        Named::fields()
    }
}

impl Rule for Params {
    fn build(self, _: Span, builder: &mut Builder<'_>) -> Option<Box<dyn Generator>> {
        let Named { namespace, name } = match self {
            Params::Random => return Some(Box::new(Random { stream: None, unique: None })),
            Params::Named(named) => named,
        };
        let Some(bytes) = namespace_of(&namespace.value) else {
            builder.problems.push(
                Diagnostic::error(
                    "bad-value",
                    namespace.span,
                    format!("`{}` is not a namespace", namespace.value),
                )
                .label("expected dns, url, oid, x500 or a UUID")
                .help("a UUID looks like 6ba7b810-9dad-11d1-80b4-00c04fd430c8"),
            );
            return None;
        };
        Some(Box::new(FromName { namespace: bytes, name }))
    }
}

fn namespace_of(text: &str) -> Option<[u8; 16]> {
    if let Some((_, last)) = NAMESPACES.iter().find(|(name, _)| *name == text) {
        let time_low = 0x6ba7_b800 | u128::from(*last);
        return Some((time_low << 96 | 0x9dad_11d1_80b4_00c0_4fd4_30c8).to_be_bytes());
    }
    let dashes = [8, 13, 18, 23].iter().all(|at| text.as_bytes().get(*at) == Some(&b'-'));
    let digits = text.replace('-', "");
    let hex = digits.len() == 32 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    if text.len() != 36 || !dashes || !hex {
        return None;
    }
    u128::from_str_radix(&digits, 16).ok().map(u128::to_be_bytes)
}

/// Sets the bits that say which version of identifier it is, and that it follows RFC 9562.
fn stamped(bits: u128, version: u128) -> u128 {
    bits & !(0xf << 76) & !(0b11 << 62) | version << 76 | 0b10 << 62
}

/// Two digits of every byte.
static HEX: [[u8; 2]; 256] = {
    let mut hex = [[0; 2]; 256];
    let mut byte = 0;
    while byte < 256 {
        hex[byte] = [b"0123456789abcdef"[byte >> 4], b"0123456789abcdef"[byte & 15]];
        byte += 1;
    }
    hex
};

/// Bytes of an identifier's text.
const WIDTH: usize = 36;

#[inline]
fn write(bits: u128, out: &mut [u8]) {
    let out: &mut [u8; WIDTH] = (&mut out[..WIDTH]).try_into().expect("the slice has this length");
    *out = *b"........-....-....-....-............";
    let places = [0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34];
    for (byte, at) in bits.to_be_bytes().into_iter().zip(places) {
        [out[at], out[at + 1]] = HEX[usize::from(byte)];
    }
}

/// Version 4.
struct Random {
    stream: Option<Stream>,
    unique: Option<Permutation>,
}

impl Generator for Random {
    fn prepare(&mut self, site: &mut Site<'_>) -> Option<Output> {
        self.stream = Some(site.seed.derive("word").stream());
        if let Some(span) = site.demand.unique.take() {
            enough_words(u128::from(ROWS), span, site)?;
            self.unique = Some(Permutation::new(ROWS, site.seed.derive("unique")));
        }
        Some(Output::text(true))
    }

    fn fill(&self, block: &Block<'_>) -> Result<Series, Failure> {
        let stream = self.stream.expect("set in prepare");
        let mut texts = Texts::with_capacity(block.len(), WIDTH);
        if let Some(permutation) = &self.unique {
            let mut upper = Vec::new();
            stream.fill_words(block.rows, 0, &mut upper);
            for (row, word) in block.rows.iter().zip(upper) {
                // The lowest 60 bits never repeat. Between them and the upper half lie the two fixed bits and two that
                // are taken from those of the random word that the version covers.
                let lower = permutation.apply(row) | (word >> 12 & 0b11) << 60;
                let bits = stamped(u128::from(word) << 64 | u128::from(lower), 4);
                texts.push_fixed(WIDTH, |out| write(bits, out));
            }
        } else {
            let stream = stream.with_attempt(block.attempt);
            let (mut upper, mut lower) = (Vec::new(), Vec::new());
            stream.fill_words(block.rows, 0, &mut upper);
            stream.fill_words(block.rows, 1, &mut lower);
            for (upper, lower) in upper.into_iter().zip(lower) {
                let bits = stamped(u128::from(upper) << 64 | u128::from(lower), 4);
                texts.push_fixed(WIDTH, |out| write(bits, out));
            }
        }
        texts.finish(None)
    }
}

/// Version 5.
struct FromName {
    namespace: [u8; 16],
    name: Template,
}

impl Generator for FromName {
    fn inputs(&self, inputs: &mut Vec<InputName>) {
        self.name.inputs(inputs);
    }

    fn prepare(&mut self, site: &mut Site<'_>) -> Option<Output> {
        let name = self.name.prepare(site)?;
        Some(Output { nullable: name.nullable, ..Output::text(true) })
    }

    fn promise(&self) -> Promise<'_> {
        Promise::Computed
    }

    fn fill(&self, block: &Block<'_>) -> Result<Series, Failure> {
        let mut texts = Texts::with_capacity(block.len(), WIDTH);
        let mut valid = Vec::with_capacity(block.len());
        let namespace = Sha1::new_with_prefix(self.namespace);
        self.name.for_each_text(block, |name| {
            valid.push(name.is_some());
            match name {
                Some(name) => {
                    let hash = namespace.clone().chain_update(name).finalize();
                    let bits = hash[..16].iter().fold(0, |bits, byte| bits << 8 | u128::from(*byte));
                    texts.push_fixed(WIDTH, |out| write(stamped(bits, 5), out));
                }
                None => texts.push(|_| ()),
            }
        })?;
        texts.finish(valid.contains(&false).then(|| valid.into()))
    }
}

pub(super) const KIND: Kind = Kind {
    name: "uuid",
    group: Group::Text,
    summary: "Universally unique identifiers, random or made from a name.",
    details: "`v4` has 122 random bits (RFC 9562, section 5.4). With `unique: true` 60 of them come from a keyed \
              permutation of the row number, so that no identifier occurs twice in up to 2^60 rows; without it a \
              repetition is possible, though never seen in practice.\n\n\
              `{namespace: …, name: …}` is version 5 (section 5.5): made from the SHA-1 of a namespace and a name, so equal \
              names always have equal identifiers, here and in every other program. The namespace is dns, url, oid, x500 or \
              a UUID of your own; the name is a `template` over other columns, and where it is null, so is the identifier. \
              `unique` is refused, as names may repeat.",
    example: "{uuid: {namespace: url, name: 'https://example.com/{word}/{number}'}}",
    ..Kind::of::<Params>()
};

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use lookalike_core::Rows;
    use lookalike_core::testing::chi_squared_p_value;

    use super::*;
    use crate::testing::column;

    fn texts(yaml: &str, rows: u64) -> Vec<String> {
        let plan = column(yaml, rows).unwrap_or_else(|problems| panic!("{yaml}: {problems:?}"));
        let frame = plan.tables[0].frame(&Rows::from(0..rows)).unwrap();
        let series = frame.column("c").unwrap().as_materialized_series().clone();
        series.str().unwrap().iter().map(|text| text.unwrap().to_owned()).collect()
    }

    /// Each of 122 bits is set in half of 10,000 identifiers, within 6 standard deviations (2e-9 each): a false alarm in
    /// two million. The fixed bits are as RFC 9562 says.
    #[test]
    fn random_identifiers_have_122_random_bits() {
        for unique in ["false", "true"] {
            let all = texts(&format!("{{uuid: v4, unique: {unique}}}"), 10_000);
            assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), 10_000);
            let mut set = [0i32; 128];
            for text in &all {
                assert_eq!((text.len(), &text[14..15]), (36, "4"));
                assert!(["8", "9", "a", "b"].contains(&&text[19..20]), "{text}");
                let bits = u128::from_str_radix(&text.replace('-', ""), 16).unwrap();
                (0..128).for_each(|bit| set[bit] += (bits >> bit & 1) as i32);
            }
            for (bit, count) in set
                .into_iter()
                .enumerate()
                .filter(|(bit, _)| !(76..80).contains(bit) && !(62..64).contains(bit))
            {
                assert!((count - 5000).abs() < 300, "bit {bit}: {count}");
            }
        }
    }

    /// The first eight bits of unique identifiers, from random words, and the last eight, from the permutation: two tests
    /// at 5e-7 each.
    #[test]
    fn ends_of_unique_identifiers_are_uniform() {
        let all = texts("{uuid: v4, unique: true}", 51_200);
        for range in [0..2, 34..36] {
            let mut counts = [0.0; 256];
            all.iter()
                .for_each(|text| counts[usize::from_str_radix(&text[range.clone()], 16).unwrap()] += 1.0);
            let statistic = counts.iter().map(|count: &f64| (count - 200.0).powi(2) / 200.0).sum();
            assert!(chi_squared_p_value(statistic, 255.0) > 5e-7, "{range:?}");
        }
    }

    #[test]
    fn names_give_the_known_identifiers() {
        // RFC 9562, appendix A.4, and the same by Python's uuid.uuid5.
        for (namespace, name, expected) in [
            ("dns", "www.example.com", "2ed6657d-e927-568b-95e1-2665a8aea6a2"),
            (
                "6ba7b810-9dad-11d1-80b4-00c04fd430c8",
                "www.example.com",
                "2ed6657d-e927-568b-95e1-2665a8aea6a2",
            ),
        ] {
            let yaml = format!("{{uuid: {{namespace: {namespace}, name: {name}}}}}");
            assert_eq!(texts(&yaml, 2), [expected, expected]);
        }
        for (name, last) in NAMESPACES {
            let text = namespace_of(&format!("6ba7b8{last:02x}-9dad-11d1-80b4-00c04fd430c8"));
            assert_eq!(namespace_of(name), text, "{name}");
        }
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for (yaml, code) in [
            ("{uuid: v5}", "wrong-type"),
            ("{uuid: {namespace: web, name: x}}", "bad-value"),
            ("{uuid: {namespace: 6ba7b810-9dad-11d1-80b4-00c04fd430c, name: x}}", "bad-value"),
            ("{uuid: {namespace: dns, name: x}, unique: true}", "cannot-be-unique"),
        ] {
            assert_eq!(column(yaml, 10).err().unwrap()[0].code, code, "{yaml}");
        }
    }
}
