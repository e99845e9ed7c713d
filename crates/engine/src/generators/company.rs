//! `company`: names of firms, with domain and e-mail address.

use lookalike_core::stream::below;
use lookalike_ruleset::decode::Spanned;
use lookalike_ruleset::{Span, params, words};
use polars::prelude::*;

use super::steps::enough_words;
use super::text::{Texts, push_int};
use crate::build::Builder;
use crate::generator::{Block, Failure, Generator, Group, InputName, Kind, Output, Rule, Site, is_plain};
use crate::locale::{Counter, Form, Identity, Locale, Locales, OrShort, Who, write_digits};
use crate::pick::Pick;

words! {
    /// What of a firm.
    enum Part {
        Name = "name",
        Domain = "domain",
        Email = "email",
        Url = "url",
    }
}

params! {
    /// A part of a firm.
    struct Params {
        /// What of the firm: name, domain, email or url.
        part: Part,
        /// Which firm, where a row has several: columns with the same word speak of the same one.
        of: Option<Spanned<String>>,
        /// Where it is: a locale such as de_DE, a list of locales, or locales with shares. Without it en_US.
        locale: Option<Spanned<Locales>>,
        /// Instead of `locale`, a column whose values are locales.
        by: Option<Spanned<String>>,
    }
}

impl From<Part> for Params {
    fn from(part: Part) -> Params {
        Params { part, of: None, locale: None, by: None }
    }
}

impl Rule for OrShort<Part, Params> {
    fn build(self, span: Span, builder: &mut Builder<'_>) -> Option<Box<dyn Generator>> {
        let Params { part, of, locale, by } = self.long();
        let who = Who::new(of, locale, by, span, builder)?;
        Some(Box::new(Company { part, who, ready: None }))
    }
}

struct Company {
    part: Part,
    who: Who,
    ready: Option<Ready>,
}

struct Ready {
    identity: Identity,
    /// By locale.
    firms: Vec<Firms>,
    counter: Option<Counter>,
}

struct Firms {
    forms: Vec<Form>,
    pick: Pick,
    names: Vec<String>,
    /// The names in plain letters, where there are such.
    folded: Option<Vec<String>>,
}

/// Where mail for a firm goes.
const BOXES: [&str; 4] = ["info", "office", "contact", "hello"];

impl Firms {
    fn new(locale: &Locale) -> Firms {
        let forms: Vec<Form> =
            locale.country().firms.iter().map(|text| Form::new(text, &["a", "b"])).collect();
        // Halves, thirds, quarters: the first forms are the common ones.
        let weights: Vec<f64> = (0..forms.len()).map(|at| 1.0 / (at + 1) as f64).collect();
        let names = locale.last_names();
        let folded = names.iter().map(|name| locale.fold(name)).collect();
        Firms { forms, pick: Pick::new(&weights), names, folded }
    }

    fn is_plain(&self) -> bool {
        let inside = |text: &str| text.trim().is_empty() || is_plain(text.trim());
        self.names.iter().all(|name| is_plain(name)) && self.forms.iter().all(|form| form.texts().all(inside))
    }

    /// Two different names of the list.
    fn two(&self, first: u64, second: u64) -> [usize; 2] {
        let count = self.names.len() as u64;
        let first = below(first, count);
        [first, (first + 1 + below(second, count - 1)) % count].map(|at| at as usize)
    }
}

impl Generator for Company {
    fn inputs(&self, inputs: &mut Vec<InputName>) {
        self.who.inputs(inputs);
    }

    fn prepare(&mut self, site: &mut Site<'_>) -> Option<Output> {
        let identity = self.who.prepare(site)?;
        let firms: Vec<Firms> = identity.locales.iter().map(|locale| Firms::new(locale)).collect();
        let mut counter = None;
        if self.part != Part::Name
            && let Some(span) = site.demand.unique.take()
        {
            enough_words(u128::from(Counter::ROWS), span, site)?;
            counter = Some(Counter::new(identity.seed("firm number")));
        }
        let plain = self.part != Part::Name || firms.iter().all(Firms::is_plain);
        let output = Output { nullable: identity.nullable, ..Output::text(plain) };
        self.ready = Some(Ready { identity, firms, counter });
        Some(output)
    }

    fn fill(&self, block: &Block<'_>) -> Result<Series, Failure> {
        let Ready { identity, firms, counter } = self.ready.as_ref().expect("set in prepare");
        let (locales, validity) = identity.locales_of(block)?;
        let words =
            ["firm", "first owner", "second owner", "firm digits"].map(|of| identity.words(of, block));
        let mut texts = Texts::with_capacity(block.len(), 24);
        for (i, (at, row)) in locales.into_iter().zip(block.rows).enumerate() {
            let firm = &firms[at as usize];
            let form = &firm.forms[firm.pick.pick(words[0][i]) as usize];
            let owners = firm.two(words[1][i], words[2][i]);
            if self.part == Part::Name {
                texts.push(|out| {
                    form.write(out, |slot, out| out.extend_from_slice(firm.names[owners[slot]].as_bytes()));
                });
                continue;
            }
            texts.push(|out| {
                match self.part {
                    Part::Email => {
                        let at = below(words[3][i], BOXES.len() as u64);
                        out.extend_from_slice(BOXES[at as usize].as_bytes());
                        out.push(b'@');
                    }
                    Part::Url => out.extend_from_slice(b"https://www."),
                    Part::Name | Part::Domain => {}
                }
                match &firm.folded {
                    Some(folded) => {
                        for (at, slot) in form.slots().enumerate() {
                            out.extend_from_slice(if at > 0 { b"-" } else { b"" });
                            out.extend_from_slice(folded[owners[slot]].as_bytes());
                        }
                    }
                    None => {
                        out.extend_from_slice(b"firm");
                        if counter.is_none() {
                            out.push(b'-');
                            write_digits("######", words[3][i], out);
                        }
                    }
                }
                if let Some(counter) = counter {
                    out.push(b'-');
                    push_int(out, counter.apply(row) as i64, 0);
                }
                out.extend_from_slice(b".example");
            });
        }
        texts.finish(validity)
    }
}

pub(super) const KIND: Kind = Kind {
    name: "company",
    group: Group::People,
    summary: "Names of made-up firms, with domain, address of e-mail and of the web.",
    details: "A name is one or two surnames with the legal forms of the country. All columns with the same `of` and `locale` \
              speak of one firm in each row, in the country of the `person` and the `place` of that name; its owners have \
              names of their own. The domain is made of the same surnames and ends in .example, which is nobody's (RFC 2606); for \
              ar_SA, fa_IR and ja_JP it is a neutral word with digits. `unique: true` works for domain, email and url: a number \
              that no other row has is put at the end of the domain.\n\n\
              Locales are those of `person`, and `by` takes the locale from a column. A real firm may have the same name by \
              chance.",
    example: "{company: {part: name, of: supplier, locale: [de_DE, it_IT]}}",
    ..Kind::of::<OrShort<Part, Params>>()
};

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use crate::locale::LOCALES;
    use crate::testing::{column, rows_as_text};

    /// Name, domain, address of e-mail and of the web.
    fn rows_of(locale: &str, modifier: &str, rows: u64) -> Vec<[String; 4]> {
        let column =
            |part, modifier| format!("{part}: {{company: {{part: {part}, locale: {locale}}}{modifier}}}");
        let columns = [("name", ""), ("domain", modifier), ("email", modifier), ("url", modifier)];
        let rows = rows_as_text(&columns.map(|(part, modifier)| column(part, modifier)), rows);
        rows.into_iter().map(|row| row.try_into().unwrap()).collect()
    }

    #[test]
    fn the_columns_of_a_row_speak_of_one_firm() {
        for locale in LOCALES {
            let rows = rows_of(locale.name, "", 100);
            for [name, domain, email, url] in &rows {
                assert!(email.ends_with(&format!("@{domain}")) && *url == format!("https://www.{domain}"));
                let host = domain.strip_suffix(".example").unwrap();
                assert!(
                    host.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-'),
                    "{host}"
                );
                if let Some(folded) = locale.fold(name) {
                    let owner = host.split('-').next().unwrap();
                    assert!(folded.contains(owner), "{name}: {host}");
                }
            }
            assert!(rows.iter().map(|row| &row[0]).collect::<BTreeSet<_>>().len() > 30, "{}", locale.name);
        }
    }

    #[test]
    fn unique_domains_are_unique() {
        let rows = rows_of("[ja_JP, nl_NL]", ", unique: true", 5000);
        for part in 1..4 {
            assert_eq!(rows.iter().map(|row| &row[part]).collect::<BTreeSet<_>>().len(), 5000);
        }
        assert!(rows.iter().all(|[_, domain, email, _]| email.ends_with(domain)));
        assert_eq!(column("{company: name, unique: true}", 10).err().unwrap()[0].code, "cannot-be-unique");
    }
}
