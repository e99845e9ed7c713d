//! `internet`: addresses of machines, and the programs that browse.

use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;

use lookalike_core::stream::below;
use lookalike_core::{Permutation, Stream};
use lookalike_ruleset::decode::Spanned;
use lookalike_ruleset::{Diagnostic, Span, params, words};
use polars::prelude::*;

use super::steps::enough_words;
use super::text::{Texts, push_int};
use crate::array;
use crate::build::Builder;
use crate::generator::{Block, Categories, Failure, Generator, Group, Kind, Output, Rule, Site};
use crate::locale::OrShort;
use crate::pick::Pick;

words! {
    /// What of the internet.
    enum Part {
        Ipv4 = "ipv4",
        Ipv6 = "ipv6",
        Mac = "mac",
        UserAgent = "user_agent",
    }
}

params! {
    /// An address, or what a browser calls itself.
    struct Params {
        /// What it is: ipv4, ipv6, mac or user_agent.
        part: Part,
        /// For ipv4 and ipv6: the network the addresses are in, such as 10.0.0.0/8. Without it the networks kept for
        /// documentation.
        r#in: Option<Spanned<String>>,
    }
}

impl From<Part> for Params {
    fn from(part: Part) -> Params {
        Params { part, r#in: None }
    }
}

/// A network of IP addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Network {
    first: u128,
    /// Bits that differ within the network.
    bits: u32,
}

impl Network {
    /// Reads `address/prefix`.
    fn parse(text: &str, part: Part) -> Result<Network, String> {
        let (address, prefix) =
            text.split_once('/').ok_or("a `/` with the length of the prefix is missing")?;
        let (first, width) = match (address.parse(), part) {
            (Ok(IpAddr::V4(address)), Part::Ipv4) => (u128::from(address.to_bits()), 32),
            (Ok(IpAddr::V6(address)), Part::Ipv6) => (address.to_bits(), 128),
            (Ok(_), _) => return Err("it is of the other version of IP".into()),
            (Err(_), _) => return Err(format!("`{address}` is not an address")),
        };
        let length: u32 = prefix.parse().ok().filter(|length| *length <= width).ok_or_else(|| {
            format!("the length of the prefix is a number from 0 to {width}, not `{prefix}`")
        })?;
        let bits = width - length;
        if bits < 128 && first & ((1 << bits) - 1) != 0 || bits == 128 && first != 0 {
            return Err(format!("bits are set after the first {length}"));
        }
        Ok(Network { first, bits })
    }

    /// How many addresses are told apart: all of them, but at most 2^64 - 1.
    fn count(self) -> u64 {
        if self.bits >= 64 { u64::MAX } else { 1 << self.bits }
    }
}

/// The networks of RFC 5737, kept for documentation.
const DOCUMENTATION_V4: [Network; 3] = [
    Network { first: 0xc000_0200, bits: 8 },
    Network { first: 0xc633_6400, bits: 8 },
    Network { first: 0xcb00_7100, bits: 8 },
];

/// The network of RFC 3849, kept for documentation.
const DOCUMENTATION_V6: [Network; 1] = [Network { first: 0x2001_0db8 << 96, bits: 96 }];

impl Rule for OrShort<Part, Params> {
    fn build(self, span: Span, builder: &mut Builder<'_>) -> Option<Box<dyn Generator>> {
        let Params { part, r#in } = self.long();
        let networks = match (part, &r#in) {
            (Part::Ipv4, None) => DOCUMENTATION_V4.to_vec(),
            (Part::Ipv6, None) => DOCUMENTATION_V6.to_vec(),
            (Part::Ipv4 | Part::Ipv6, Some(network)) => match Network::parse(&network.value, part) {
                Ok(network) => vec![network],
                Err(reason) => {
                    let (which, example) = match part {
                        Part::Ipv4 => ("IPv4", "10.0.0.0/8"),
                        _ => ("IPv6", "2001:db8::/32"),
                    };
                    builder.problems.push(
                        Diagnostic::error(
                            "bad-value",
                            network.span,
                            format!(
                                "`{}` is not a network of {which}: {reason}",
                                network.value.escape_debug()
                            ),
                        )
                        .label(format!("expected a network such as {example}"))
                        .help("after the length of the prefix, all bits of the address are 0"),
                    );
                    return None;
                }
            },
            (Part::Mac | Part::UserAgent, None) => Vec::new(),
            (Part::Mac | Part::UserAgent, Some(network)) => {
                builder.problems.push(
                    Diagnostic::error("bad-value", network.span, "`in` is for ipv4 and ipv6")
                        .label("has no meaning here")
                        .help("remove `in`"),
                );
                return None;
            }
        };
        Some(match part {
            Part::UserAgent => {
                let (names, weights) = user_agents();
                Box::new(UserAgent { names: Categories::new(names), pick: Pick::new(&weights), stream: None })
            }
            _ => Box::new(Address { part, span, networks, source: None }),
        })
    }
}

struct Address {
    part: Part,
    span: Span,
    networks: Vec<Network>,
    source: Option<Source>,
}

enum Source {
    /// Two words a row.
    Random(Stream),
    Unique(Permutation, Stream),
}

/// Bits of a MAC address that are free: the second lowest of the first byte says that it is locally administered and so
/// belongs to no maker of cards, the lowest that it is of one machine (IEEE 802).
const MAC_BITS: u32 = 46;

impl Address {
    fn count(&self) -> u64 {
        match self.part {
            Part::Mac => 1 << MAC_BITS,
            // Several networks are small ones, all of the same size.
            _ => self.networks[0].count().saturating_mul(self.networks.len() as u64),
        }
    }

    /// The address of a number below [`count`](Self::count); `low` fills up networks that hold more than 64 bits count.
    fn address(&self, at: u64, low: u64) -> u128 {
        if self.part == Part::Mac {
            // Five bytes as they are; before them the byte whose two lowest bits are fixed.
            let upper = at >> 40 << 2 | 0b10;
            return u128::from(upper << 40 | at & ((1 << 40) - 1));
        }
        let size = self.networks[0].count();
        let network = self.networks[(at / size) as usize % self.networks.len()];
        let offset = if network.bits > 64 {
            u128::from(at) << (network.bits - 64) | u128::from(low) >> (128 - network.bits)
        } else {
            u128::from(at % size)
        };
        network.first | offset
    }

    fn write(&self, address: u128, out: &mut Vec<u8>) {
        match self.part {
            Part::Ipv4 => {
                for (at, byte) in (address as u32).to_be_bytes().into_iter().enumerate() {
                    if at > 0 {
                        out.push(b'.');
                    }
                    push_int(out, i64::from(byte), 0);
                }
            }
            Part::Mac => {
                const HEX: &[u8; 16] = b"0123456789abcdef";
                for (at, byte) in address.to_be_bytes()[10..].iter().enumerate() {
                    if at > 0 {
                        out.push(b':');
                    }
                    out.extend_from_slice(&[HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]]);
                }
            }
            _ => {
                use std::io::Write as _;
                // Writing to memory does not fail.
                let _ = write!(out, "{}", Ipv6Addr::from_bits(address));
            }
        }
    }
}

impl Generator for Address {
    fn prepare(&mut self, site: &mut Site<'_>) -> Option<Output> {
        let stream = site.seed.derive("word").stream();
        self.source = Some(match site.demand.unique.take() {
            None => Source::Random(stream),
            Some(span) => {
                let count = self.count();
                if self.part == Part::Ipv4 && site.rows > count && self.networks.len() > 1 {
                    site.problems.push(
                        Diagnostic::error(
                            "too-few-words",
                            span,
                            format!("{} rows need different addresses, but the networks for documentation hold {count}", site.rows),
                        )
                        .label("cannot hold")
                        .related(self.span, "says no network")
                        .help("name a larger one: `{internet: {part: ipv4, in: 10.0.0.0/8}}`"),
                    );
                    return None;
                }
                enough_words(u128::from(count), span, site)?;
                Source::Unique(Permutation::new(count, site.seed.derive("unique")), stream)
            }
        });
        Some(Output::text(true))
    }

    fn fill(&self, block: &Block<'_>) -> Result<Series, Failure> {
        let mut texts = Texts::with_capacity(block.len(), 24);
        let (mut high, mut low) = (Vec::new(), Vec::new());
        match self.source.as_ref().expect("set in prepare") {
            Source::Random(stream) => {
                let count = self.count();
                stream.with_attempt(block.attempt).fill_words(block.rows, 0, &mut high);
                high.iter_mut().for_each(|word| *word = below(*word, count));
                stream.with_attempt(block.attempt).fill_words(block.rows, 1, &mut low);
            }
            Source::Unique(permutation, stream) => {
                permutation.for_each(block.rows, |at| high.push(at));
                stream.fill_words(block.rows, 1, &mut low);
            }
        }
        for (high, low) in high.into_iter().zip(low) {
            texts.push(|out| self.write(self.address(high, low), out));
        }
        texts.finish(None)
    }
}

/// What common browsers call themselves, and how common they are. Since 2022 most tell little more than their version
/// (User-Agent reduction), so the list is short; shares are rough.
fn user_agents() -> (Vec<String>, Vec<f64>) {
    const KIT: &str = "AppleWebKit/537.36 (KHTML, like Gecko)";
    let mut all: Vec<(String, f64)> = Vec::new();
    for (newer, version) in (132..=143).enumerate() {
        // Most run the last few versions.
        let share = if newer < 8 { 1.0 } else { 4.0 };
        for (system, users) in [
            ("Windows NT 10.0; Win64; x64", 30.0),
            ("Macintosh; Intel Mac OS X 10_15_7", 9.0),
            ("X11; Linux x86_64", 3.0),
        ] {
            all.push((
                format!("Mozilla/5.0 ({system}) {KIT} Chrome/{version}.0.0.0 Safari/537.36"),
                users * share,
            ));
        }
        all.push((
            format!("Mozilla/5.0 (Linux; Android 10; K) {KIT} Chrome/{version}.0.0.0 Mobile Safari/537.36"),
            35.0 * share,
        ));
        let edge = format!("{KIT} Chrome/{version}.0.0.0 Safari/537.36 Edg/{version}.0.0.0");
        all.push((format!("Mozilla/5.0 (Windows NT 10.0; Win64; x64) {edge}"), 8.0 * share));
    }
    for (newer, version) in (134..=145).enumerate() {
        let share = if newer < 8 { 1.0 } else { 4.0 };
        for (system, users) in [
            ("Windows NT 10.0; Win64; x64", 4.0),
            ("Macintosh; Intel Mac OS X 10.15", 1.0),
            ("X11; Linux x86_64", 1.0),
        ] {
            let name = format!("Mozilla/5.0 ({system}; rv:{version}.0) Gecko/20100101 Firefox/{version}.0");
            all.push((name, users * share));
        }
    }
    for (version, share) in [("17_6", 40.0), ("18_3", 60.0), ("18_5", 150.0), ("18_6", 150.0)] {
        let dotted = version.replace('_', ".");
        let kit = "AppleWebKit/605.1.15 (KHTML, like Gecko)";
        all.push((
            format!("Mozilla/5.0 (iPhone; CPU iPhone OS {version} like Mac OS X) {kit} Version/{dotted} Mobile/15E148 Safari/604.1"),
            share,
        ));
        all.push((
            format!("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) {kit} Version/{dotted} Safari/605.1.15"),
            share / 2.0,
        ));
    }
    all.into_iter().unzip()
}

struct UserAgent {
    names: Arc<Categories>,
    pick: Pick,
    stream: Option<Stream>,
}

impl Generator for UserAgent {
    fn prepare(&mut self, site: &mut Site<'_>) -> Option<Output> {
        self.stream = Some(site.seed.stream());
        Some(Output::categories(self.names.clone()))
    }

    fn fill(&self, block: &Block<'_>) -> Result<Series, Failure> {
        let stream = self.stream.expect("set in prepare").with_attempt(block.attempt);
        Ok(array::codes(self.pick.picks(block.rows, stream).into_iter(), &self.names))
    }
}

pub(super) const KIND: Kind = Kind {
    name: "internet",
    group: Group::People,
    summary: "IP and MAC addresses, and what browsers call themselves.",
    details: "`ipv4` and `ipv6` are in the networks kept for documentation (192.0.2.0/24, 198.51.100.0/24 and 203.0.113.0/24, \
              RFC 5737; 2001:db8::/32, RFC 3849), so no machine has them; `in` names another network: \
              `{internet: {part: ipv4, in: 10.0.0.0/8}}`. All addresses of a network are alike probable, its first and last too. \
              `mac` is locally administered and of one machine, so it belongs to no maker. `unique: true` works for these three \
              by a permutation of the addresses. `user_agent` is one of some hundred that common browsers of 2025 send, by rough \
              shares. Domains and addresses of the web are parts of `company`.",
    example: "{internet: {part: ipv4, in: 10.0.0.0/8}}",
    ..Kind::of::<OrShort<Part, Params>>()
};

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::net::Ipv4Addr;

    use lookalike_core::Rows;

    use super::*;
    use crate::testing::column;

    fn texts(yaml: &str, rows: u64) -> Vec<String> {
        let plan = column(yaml, rows).unwrap_or_else(|problems| panic!("{yaml}: {problems:?}"));
        let frame = plan.tables[0].frame(&Rows::from(0..rows)).unwrap();
        let column = frame.column("c").unwrap().cast(&DataType::String).unwrap();
        column.str().unwrap().iter().map(|text| text.unwrap().to_owned()).collect()
    }

    #[test]
    fn addresses_are_in_their_network() {
        for text in texts("{internet: {part: ipv4, in: 10.32.0.0/11}}", 2000) {
            let address: Ipv4Addr = text.parse().unwrap();
            assert_eq!(address.to_bits() >> 21, 0x0a20_0000 >> 21, "{text}");
        }
        for text in texts("{internet: {part: ipv6, in: 'fd00:1234::/48'}}", 500) {
            assert!(text.starts_with("fd00:1234:0:") || text.starts_with("fd00:1234::"), "{text}");
            assert!(text.parse::<Ipv6Addr>().is_ok());
        }
        assert!(
            texts("{internet: ipv4}", 500).iter().all(|t| t.parse::<Ipv4Addr>().unwrap().is_documentation())
        );
        assert!(texts("{internet: ipv6}", 500).iter().all(|t| t.starts_with("2001:db8:")));
        assert_eq!(texts("{internet: {part: ipv4, in: 10.1.2.3/32}}", 2), ["10.1.2.3", "10.1.2.3"]);
        assert!(
            texts("{internet: {part: ipv6, in: '::/0'}}", 20).iter().all(|t| t.parse::<Ipv6Addr>().is_ok())
        );
    }

    #[test]
    fn unique_addresses_use_up_their_network() {
        let all = texts("{internet: {part: ipv4, in: 10.0.0.0/22}, unique: true}", 1024);
        let seen: BTreeSet<Ipv4Addr> = all.iter().map(|text| text.parse().unwrap()).collect();
        assert!(seen.iter().map(|address| address.to_bits()).eq(0x0a00_0000..0x0a00_0400));
        assert_eq!(texts("{internet: ipv4, unique: true}", 768).iter().collect::<BTreeSet<_>>().len(), 768);
        for part in ["ipv6", "mac"] {
            let all = texts(&format!("{{internet: {part}, unique: true}}"), 5000);
            assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), 5000);
        }
    }

    /// Every bit of the last three bytes of 4,000 addresses is set in half of them, within six standard deviations: a false
    /// alarm in 20 million.
    #[test]
    fn mac_addresses_belong_to_no_maker() {
        let mut set = [0i32; 24];
        for text in texts("{internet: mac}", 4000) {
            let bytes: Vec<u8> = text.split(':').map(|byte| u8::from_str_radix(byte, 16).unwrap()).collect();
            assert_eq!((text.len(), bytes.len(), bytes[0] & 3), (17, 6, 2), "{text}");
            let low = u32::from_be_bytes([0, bytes[3], bytes[4], bytes[5]]);
            (0..24).for_each(|bit| set[bit] += (low >> bit & 1) as i32);
        }
        assert!(set.iter().all(|count| (count - 2000).abs() < 190), "{set:?}");
    }

    #[test]
    fn user_agents_are_many_and_all_different() {
        let (names, weights) = user_agents();
        assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), weights.len());
        assert!(texts("{internet: user_agent}", 2000).iter().collect::<BTreeSet<_>>().len() > 50);
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for (yaml, code) in [
            ("{internet: ip}", "bad-value"),
            ("{internet: {part: ipv4, in: 10.0.0.0}}", "bad-value"),
            ("{internet: {part: ipv4, in: 10.0.0.1/8}}", "bad-value"),
            ("{internet: {part: ipv4, in: 10.0.0.0/33}}", "bad-value"),
            ("{internet: {part: ipv4, in: 'fd00::/8'}}", "bad-value"),
            ("{internet: {part: ipv6, in: 'x/8'}}", "bad-value"),
            ("{internet: {part: mac, in: 10.0.0.0/8}}", "bad-value"),
            ("{internet: {part: ipv4, in: 10.0.0.0/30}, unique: true}", "too-few-words"),
            ("{internet: user_agent, unique: true}", "cannot-be-unique"),
        ] {
            assert_eq!(column(yaml, 10).err().unwrap()[0].code, code, "{yaml}");
        }
        assert_eq!(column("{internet: ipv4, unique: true}", 769).err().unwrap()[0].code, "too-few-words");
    }
}
