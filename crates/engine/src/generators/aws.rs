//! `aws`: accounts, regions, ids and names of resources of Amazon Web Services.

use std::sync::Arc;

use lookalike_core::stream::below;
use lookalike_core::{Permutation, Seed};
use lookalike_ruleset::decode::Spanned;
use lookalike_ruleset::{Diagnostic, Span, params, words};
use polars::prelude::*;

use super::steps::enough_words;
use super::template::Template;
use super::text::{Texts, push_int};
use crate::array;
use crate::build::Builder;
use crate::generator::{Block, Categories, Failure, Generator, Group, InputName, Kind, Output, Rule, Site};
use crate::locale::OrShort;

words! {
    /// What of AWS.
    enum Part {
        AccountId = "account_id",
        Region = "region",
        AvailabilityZone = "availability_zone",
        Arn = "arn",
        InstanceId = "instance_id",
        VolumeId = "volume_id",
        SnapshotId = "snapshot_id",
        ImageId = "image_id",
        VpcId = "vpc_id",
        SubnetId = "subnet_id",
        SecurityGroupId = "security_group_id",
        NetworkInterfaceId = "network_interface_id",
    }
}

impl Part {
    /// What the ids of such resources begin with.
    fn prefix(self) -> Option<&'static str> {
        Some(match self {
            Part::InstanceId => "i-",
            Part::VolumeId => "vol-",
            Part::SnapshotId => "snap-",
            Part::ImageId => "ami-",
            Part::VpcId => "vpc-",
            Part::SubnetId => "subnet-",
            Part::SecurityGroupId => "sg-",
            Part::NetworkInterfaceId => "eni-",
            Part::AccountId | Part::Region | Part::AvailabilityZone | Part::Arn => return None,
        })
    }
}

params! {
    /// An account, region or id, or the name of a resource.
    struct Params {
        /// What it is: account_id, region, availability_zone, arn, or the id of a resource such as instance_id.
        part: Part,
        /// Which account and region, where a row has several: columns with the same word speak of the same ones.
        of: Option<Spanned<String>>,
        /// For arn: the service, such as ec2.
        service: Option<Spanned<String>>,
        /// For arn: the resource within the service, as a template such as 'instance/{Instance ID}'.
        resource: Option<Spanned<Template>>,
        /// For arn: the region as a template; without it the row's own, or none where the service has none.
        region: Option<Spanned<Template>>,
        /// For arn: the account as a template; without it the row's own, or none where the service has none.
        account: Option<Spanned<Template>>,
    }
}

impl From<Part> for Params {
    fn from(part: Part) -> Params {
        Params { part, of: None, service: None, resource: None, region: None, account: None }
    }
}

/// Services whose names of resources have no region; and whether they have an account.
const GLOBAL: [(&str, bool); 6] = [
    ("cloudfront", true),
    ("globalaccelerator", true),
    ("iam", true),
    ("organizations", true),
    ("route53", false),
    ("s3", false),
];

/// Regions that every account has.
const REGIONS: [&str; 17] = [
    "us-east-1",
    "us-east-2",
    "us-west-1",
    "us-west-2",
    "ca-central-1",
    "eu-central-1",
    "eu-north-1",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-northeast-3",
    "ap-south-1",
    "ap-southeast-1",
    "ap-southeast-2",
    "sa-east-1",
];

/// Letters of zones; which zone a letter means differs from account to account.
const ZONES: [&str; 3] = ["a", "b", "c"];

/// By this mark nobody takes an account or id for a real one.
const MARK: &str = "9999";

/// Accounts that are told apart: eight digits after the mark.
const ACCOUNTS: u64 = 100_000_000;

/// Ids that are told apart: thirteen hexadecimal digits after the mark.
const IDS: u64 = 1 << 52;

impl Rule for OrShort<Part, Params> {
    fn build(self, span: Span, builder: &mut Builder<'_>) -> Option<Box<dyn Generator>> {
        let Params { part, of, service, resource, region, account } = self.long();
        let of = of.map_or_else(String::new, |of| of.value);
        if part != Part::Arn {
            let spans = [
                service.as_ref().map(|s| s.span),
                resource.as_ref().map(|r| r.span),
                region.as_ref().map(|r| r.span),
                account.as_ref().map(|a| a.span),
            ];
            if let Some(span) = spans.into_iter().flatten().next() {
                builder.problems.push(
                    Diagnostic::error(
                        "bad-value",
                        span,
                        "`service`, `resource`, `region` and `account` are for arn",
                    )
                    .label("has no meaning here")
                    .help("remove it, or write `part: arn`"),
                );
                return None;
            }
            return Some(Box::new(Simple { part, of, ready: None }));
        }
        let (Some(service), Some(resource)) = (service, resource) else {
            builder
                .problems
                .push(Diagnostic::error("missing-key", span, "an arn needs `service` and `resource`").help(
                "write for example `{aws: {part: arn, service: ec2, resource: 'instance/{Instance ID}'}}`",
            ));
            return None;
        };
        let letters = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if service.value.is_empty() || service.value.len() > 63 || !service.value.bytes().all(letters) {
            builder.problems.push(
                Diagnostic::error(
                    "bad-value",
                    service.span,
                    format!("`{}` cannot be a service", service.value.escape_debug()),
                )
                .label("expected small letters, digits and hyphens, such as ec2"),
            );
            return None;
        }
        let global = GLOBAL.iter().find(|(name, _)| *name == service.value);
        let own = |template: Option<Spanned<Template>>, has: bool| match template {
            Some(template) => Piece::Template(template.value),
            None if has => Piece::Own,
            None => Piece::Nothing,
        };
        Some(Box::new(Arn {
            of,
            service: service.value,
            region: own(region, global.is_none()),
            account: own(account, global.is_none_or(|(_, account)| *account)),
            resource: resource.value,
            seed: None,
        }))
    }
}

/// The account of a row.
fn account(seed: Seed, block: &Block<'_>) -> Vec<u64> {
    let mut words = Vec::new();
    seed.derive("account").stream().with_attempt(block.attempt).fill_words(block.rows, 0, &mut words);
    words.iter_mut().for_each(|word| *word = below(*word, ACCOUNTS));
    words
}

/// The region of a row, by its place in the list.
fn regions(seed: Seed, block: &Block<'_>) -> Vec<usize> {
    let mut regions = Vec::with_capacity(block.len());
    let stream = seed.derive("region").stream().with_attempt(block.attempt);
    stream.for_each_word(block.rows, 0, |word| regions.push(below(word, REGIONS.len() as u64) as usize));
    regions
}

fn write_account(account: u64, out: &mut Vec<u8>) {
    out.extend_from_slice(MARK.as_bytes());
    push_int(out, account as i64, 8);
}

/// All parts but names of resources.
struct Simple {
    part: Part,
    of: String,
    ready: Option<Ready>,
}

enum Ready {
    Account(Seed, Option<Permutation>),
    /// Regions, or zones when there are several values for each region.
    Codes(Seed, Arc<Categories>, usize),
    Id(&'static str, Seed, Option<Permutation>),
}

impl Generator for Simple {
    fn prepare(&mut self, site: &mut Site<'_>) -> Option<Output> {
        let identity = site.table.derive("identity").derive(&self.of);
        let permutation = |count: u64, site: &mut Site<'_>| match site.demand.unique.take() {
            Some(span) => {
                enough_words(u128::from(count), span, site)?;
                Some(Some(Permutation::new(count, site.seed.derive("unique"))))
            }
            None => Some(None),
        };
        let (ready, output) = match (self.part.prefix(), self.part) {
            (Some(prefix), _) => {
                let unique = permutation(IDS, site)?;
                (Ready::Id(prefix, site.seed, unique), Output::text(true))
            }
            (None, Part::AccountId) => {
                let unique = permutation(ACCOUNTS, site)?;
                (Ready::Account(identity, unique), Output::text(true))
            }
            (None, part) => {
                let zones = if part == Part::AvailabilityZone { &ZONES[..] } else { &[""] };
                let values = REGIONS
                    .iter()
                    .flat_map(|region| zones.iter().map(move |zone| format!("{region}{zone}")))
                    .collect();
                let categories = Categories::new(values);
                (Ready::Codes(identity, categories.clone(), zones.len()), Output::categories(categories))
            }
        };
        self.ready = Some(ready);
        Some(output)
    }

    fn fill(&self, block: &Block<'_>) -> Result<Series, Failure> {
        let mut texts = Texts::with_capacity(block.len(), 24);
        match self.ready.as_ref().expect("set in prepare") {
            Ready::Codes(seed, categories, zones) => {
                let mut words = Vec::new();
                let stream = seed.derive("zone").stream().with_attempt(block.attempt);
                stream.fill_words(block.rows, 0, &mut words);
                let codes = regions(*seed, block)
                    .into_iter()
                    .zip(words)
                    .map(|(region, word)| (region * zones) as u32 + below(word, *zones as u64) as u32);
                return Ok(array::codes(codes, categories));
            }
            Ready::Account(_, Some(permutation)) => {
                permutation.for_each(block.rows, |at| texts.push(|out| write_account(at, out)));
            }
            Ready::Account(seed, None) => {
                for at in account(*seed, block) {
                    texts.push(|out| write_account(at, out));
                }
            }
            Ready::Id(prefix, seed, permutation) => {
                let mut write = |at: u64| {
                    texts.push(|out| {
                        out.extend_from_slice(prefix.as_bytes());
                        out.extend_from_slice(MARK.as_bytes());
                        for digit in (0..13).rev() {
                            out.push(b"0123456789abcdef"[(at >> (4 * digit) & 15) as usize]);
                        }
                    });
                };
                match permutation {
                    Some(permutation) => permutation.for_each(block.rows, write),
                    None => {
                        let stream = seed.derive("word").stream().with_attempt(block.attempt);
                        stream.for_each_word(block.rows, 0, |word| write(below(word, IDS)));
                    }
                }
            }
        }
        texts.finish(None)
    }
}

/// A part of an Amazon Resource Name.
enum Piece {
    Nothing,
    /// The row's own account or region.
    Own,
    Template(Template),
}

struct Arn {
    of: String,
    service: String,
    region: Piece,
    account: Piece,
    resource: Template,
    seed: Option<Seed>,
}

/// The texts of a template for the rows of a block, one after the other.
#[derive(Default)]
struct Rendered {
    bytes: Vec<u8>,
    ends: Vec<usize>,
    valid: Vec<bool>,
}

impl Rendered {
    fn new(template: &Template, block: &Block<'_>) -> Result<Rendered, Failure> {
        let mut rendered = Rendered::default();
        template.for_each_text(block, |text| {
            rendered.bytes.extend_from_slice(text.unwrap_or_default());
            rendered.ends.push(rendered.bytes.len());
            rendered.valid.push(text.is_some());
        })?;
        Ok(rendered)
    }

    fn get(&self, row: usize) -> &[u8] {
        let start = if row == 0 { 0 } else { self.ends[row - 1] };
        &self.bytes[start..self.ends[row]]
    }
}

/// The partition of a region.
fn partition(region: &[u8]) -> &'static [u8] {
    match region {
        [b'c', b'n', b'-', ..] => b"aws-cn",
        [b'u', b's', b'-', b'g', b'o', b'v', b'-', ..] => b"aws-us-gov",
        _ => b"aws",
    }
}

impl Arn {
    fn templates(&self) -> impl Iterator<Item = &Template> {
        let pieces = [&self.region, &self.account].into_iter().filter_map(|piece| match piece {
            Piece::Template(template) => Some(template),
            Piece::Nothing | Piece::Own => None,
        });
        pieces.chain([&self.resource])
    }
}

impl Generator for Arn {
    fn inputs(&self, inputs: &mut Vec<InputName>) {
        self.templates().for_each(|template| template.inputs(inputs));
    }

    fn prepare(&mut self, site: &mut Site<'_>) -> Option<Output> {
        self.seed = Some(site.table.derive("identity").derive(&self.of));
        let mut output = Output::text(true);
        let mut whole = true;
        let pieces = [&mut self.region, &mut self.account].into_iter().filter_map(|piece| match piece {
            Piece::Template(template) => Some(template),
            Piece::Nothing | Piece::Own => None,
        });
        for template in pieces.chain([&mut self.resource]) {
            match template.prepare(site) {
                Some(part) => {
                    output.nullable |= part.nullable;
                    output.plain &= part.plain;
                }
                None => whole = false,
            }
        }
        whole.then_some(output)
    }

    fn fill(&self, block: &Block<'_>) -> Result<Series, Failure> {
        let seed = self.seed.expect("set in prepare");
        let (own_regions, own_accounts) = (regions(seed, block), account(seed, block));
        let rendered = |piece: &Piece| match piece {
            Piece::Template(template) => Rendered::new(template, block).map(Some),
            Piece::Nothing | Piece::Own => Ok(None),
        };
        let (region, account) = (rendered(&self.region)?, rendered(&self.account)?);
        let resource = Rendered::new(&self.resource, block)?;
        let mut valid = Vec::with_capacity(block.len());
        let mut texts = Texts::with_capacity(block.len(), 64);
        for row in 0..block.len() {
            let there = |part: &Option<Rendered>| part.as_ref().is_none_or(|part| part.valid[row]);
            valid.push(there(&region) && there(&account) && resource.valid[row]);
            let place = match (&region, &self.region) {
                (Some(region), _) => region.get(row),
                (None, Piece::Own) => REGIONS[own_regions[row]].as_bytes(),
                (None, _) => b"",
            };
            texts.push(|out| {
                out.extend_from_slice(b"arn:");
                out.extend_from_slice(partition(place));
                out.push(b':');
                out.extend_from_slice(self.service.as_bytes());
                out.push(b':');
                out.extend_from_slice(place);
                out.push(b':');
                match (&account, &self.account) {
                    (Some(account), _) => out.extend_from_slice(account.get(row)),
                    (None, Piece::Own) => write_account(own_accounts[row], out),
                    (None, _) => {}
                }
                out.push(b':');
                out.extend_from_slice(resource.get(row));
            });
        }
        texts.finish(valid.contains(&false).then(|| valid.into()))
    }
}

pub(super) const KIND: Kind = Kind {
    name: "aws",
    group: Group::People,
    summary: "AWS accounts, regions, ids of resources and Amazon Resource Names (ARNs).",
    details: "Accounts are 12 digits; ids are a prefix such as `i-` and 17 hexadecimal digits. Both begin with the mark 9999, by \
              which nobody takes them for real ones. `unique: true` works for them by a permutation, up to 10^8 accounts and \
              2^52 ids of a kind. `region` and `availability_zone` are drawn evenly from the regions that every account has.\n\n\
              `arn` is arn:partition:service:region:account:resource; `resource`, `region` and `account` are templates, and \
              where one is null, so is the ARN. The partition follows from the region. Without `region` and `account` they are \
              those that the columns `{aws: region}` and `{aws: account_id}` of the row have (for the same `of`, and unless \
              they are unique: then write `account: '{Account}'`), or are left out where a service has none, as iam and s3.",
    example: "{aws: {part: arn, service: ec2, resource: 'instance/i-{number:017}'}}",
    ..Kind::of::<OrShort<Part, Params>>()
};

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::testing::{column, rows_as_text};

    #[test]
    fn an_arn_agrees_with_its_row() {
        let columns = [
            "a: {aws: account_id}",
            "r: {aws: region}",
            "z: {aws: availability_zone}",
            "i: {aws: instance_id}",
            "n: {aws: {part: arn, service: ec2, resource: 'instance/{i}'}}",
            "u: {aws: {part: arn, service: iam, resource: 'role/{i}'}}",
            "b: {aws: {part: arn, service: s3, resource: 'bucket-{i}'}}",
            "c: {aws: {part: arn, service: sns, region: '{cn}', account: '{x}', resource: 'topic'}}",
            "cn: {choice: [cn-north-1, us-gov-west-1, eu-west-1]}",
            "x: {constant: '111122223333', null: 50%}",
        ];
        for row in rows_as_text(&columns.map(str::to_owned), 500) {
            let row: Vec<&str> = row.iter().map(String::as_str).collect();
            let [account, region, zone, id, arn, role, bucket, topic, place, x] = row[..] else {
                panic!("{row:?}");
            };
            assert!(account.len() == 12 && account.starts_with("9999") && account.parse::<u64>().is_ok());
            assert!(REGIONS.contains(&region) && ZONES.contains(&zone.strip_prefix(region).unwrap()));
            assert!(id.len() == 19 && id.starts_with("i-9999"), "{id}");
            assert_eq!(arn, format!("arn:aws:ec2:{region}:{account}:instance/{id}"));
            assert_eq!(role, format!("arn:aws:iam::{account}:role/{id}"));
            assert_eq!(bucket, format!("arn:aws:s3:::bucket-{id}"));
            let partition = match place {
                "cn-north-1" => "aws-cn",
                "us-gov-west-1" => "aws-us-gov",
                _ => "aws",
            };
            let expected =
                if x.is_empty() { String::new() } else { format!("arn:{partition}:sns:{place}:{x}:topic") };
            assert_eq!(topic, expected);
        }
    }

    #[test]
    fn unique_ids_are_unique() {
        for part in ["account_id", "volume_id", "subnet_id"] {
            let all = rows_as_text(&[format!("c: {{aws: {part}, unique: true}}")], 20_000).concat();
            assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), 20_000);
        }
        assert_eq!(
            column("{aws: account_id, unique: true}", 100_000_001).err().unwrap()[0].code,
            "too-few-words"
        );
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for (yaml, code) in [
            ("{aws: account}", "bad-value"),
            ("{aws: arn}", "missing-key"),
            ("{aws: {part: arn, service: ec2}}", "missing-key"),
            ("{aws: {part: arn, service: 'e c', resource: x}}", "bad-value"),
            ("{aws: {part: arn, service: ec2, resource: '{nobody}'}}", "unknown-column"),
            ("{aws: {part: region, service: ec2}}", "bad-value"),
            ("{aws: region, unique: true}", "cannot-be-unique"),
        ] {
            assert_eq!(column(yaml, 10).err().unwrap()[0].code, code, "{yaml}");
        }
    }
}
