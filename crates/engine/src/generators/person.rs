//! `person`: names, e-mail addresses and telephone numbers that belong to one made-up person.

use std::sync::Arc;

use lookalike_core::stream::below;
use lookalike_ruleset::decode::Spanned;
use lookalike_ruleset::{Span, params, words};
use polars::prelude::*;

use super::steps::enough_words;
use super::text::{Texts, push_int};
use crate::build::Builder;
use crate::generator::{
    Block, Categories, Failure, Generator, Group, InputName, Kind, Output, Rule, Site, is_plain,
};
use crate::locale::{
    Counter, Identity, Locales, OrShort, Order, Who, categories_of, write_codes, write_digits,
};

words! {
    /// What of a person.
    enum Part {
        FirstName = "first_name",
        LastName = "last_name",
        Name = "name",
        Email = "email",
        Username = "username",
        Phone = "phone",
        Locale = "locale",
    }
}

params! {
    /// A part of a person.
    struct Params {
        /// What of the person: first_name, last_name, name, email, username, phone or locale.
        part: Part,
        /// Which person, where a row has several: columns with the same word speak of the same one.
        of: Option<Spanned<String>>,
        /// Where the person lives: a locale such as de_DE, a list of locales, or locales with shares. Without it en_US.
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
        Some(Box::new(Person { part, who, ready: None }))
    }
}

struct Person {
    part: Part,
    who: Who,
    ready: Option<(Identity, Ready)>,
}

/// What a part needs, by locale.
enum Ready {
    Codes(&'static str, Arc<Categories>, Vec<Vec<u32>>),
    Locales(Arc<Categories>, Vec<u32>),
    /// First names, surnames and how they are joined.
    Names(Vec<(Vec<String>, Vec<String>, Order)>),
    /// First names and surnames in plain letters, `None` where there are none; and numbers for unique ones.
    Handles(Vec<Option<(Vec<String>, Vec<String>)>>, Option<Counter>),
    Phones(Vec<&'static [&'static str]>),
}

const FIRST: &str = "first name";
const LAST: &str = "last name";

/// Domains that RFC 2606 keeps for examples, so that no mail arrives anywhere.
const DOMAINS: [&str; 3] = ["example.com", "example.net", "example.org"];

impl Generator for Person {
    fn inputs(&self, inputs: &mut Vec<InputName>) {
        self.who.inputs(inputs);
    }

    fn prepare(&mut self, site: &mut Site<'_>) -> Option<Output> {
        let identity = self.who.prepare(site)?;
        let locales = || identity.locales.iter();
        let (output, ready) = match self.part {
            Part::FirstName => {
                let (categories, codes) = categories_of(locales().map(|locale| locale.first_names()));
                (Output::categories(categories.clone()), Ready::Codes(FIRST, categories, codes))
            }
            Part::LastName => {
                let (categories, codes) = categories_of(locales().map(|locale| locale.last_names()));
                (Output::categories(categories.clone()), Ready::Codes(LAST, categories, codes))
            }
            Part::Locale => {
                let (categories, codes) = categories_of([locales().map(|locale| locale.name).collect()]);
                (Output::categories(categories.clone()), Ready::Locales(categories, codes.concat()))
            }
            Part::Name => {
                let lists: Vec<_> = locales()
                    .map(|locale| (locale.first_names(), locale.last_names(), locale.order))
                    .collect();
                let plain =
                    lists.iter().all(|(first, last, _)| first.iter().chain(last).all(|n| is_plain(n)));
                (Output::text(plain), Ready::Names(lists))
            }
            Part::Email | Part::Username => {
                let lists = locales().map(|locale| {
                    let fold = |names: Vec<String>| names.iter().map(|name| locale.fold(name)).collect();
                    let first: Option<Vec<String>> = fold(locale.first_names());
                    first.zip(fold(locale.last_names()))
                });
                let lists = lists.collect();
                let counter = match site.demand.unique.take() {
                    Some(span) => {
                        enough_words(u128::from(Counter::ROWS), span, site)?;
                        Some(Counter::new(identity.seed("number")))
                    }
                    None => None,
                };
                (Output::text(true), Ready::Handles(lists, counter))
            }
            Part::Phone => {
                (Output::text(true), Ready::Phones(locales().map(|locale| locale.country().phones).collect()))
            }
        };
        let output = Output { nullable: identity.nullable, ..output };
        self.ready = Some((identity, ready));
        Some(output)
    }

    fn fill(&self, block: &Block<'_>) -> Result<Series, Failure> {
        let (identity, ready) = self.ready.as_ref().expect("set in prepare");
        let (locales, validity) = identity.locales_of(block)?;
        let each = locales.iter().map(|at| *at as usize);
        match ready {
            Ready::Locales(categories, codes) => write_codes(each.map(|at| codes[at]), categories, validity),
            Ready::Codes(purpose, categories, codes) => {
                let words = identity.words(purpose, block);
                let codes = each.zip(words).map(|(at, word)| *pick(&codes[at], word));
                write_codes(codes, categories, validity)
            }
            Ready::Names(lists) => {
                let (first, last) = (identity.words(FIRST, block), identity.words(LAST, block));
                let mut texts = Texts::with_capacity(block.len(), 16);
                for ((at, first), last) in each.zip(first).zip(last) {
                    let (firsts, lasts, order) = &lists[at];
                    let (first, last) = (pick(firsts, first).as_bytes(), pick(lasts, last).as_bytes());
                    let joined = match order {
                        Order::FirstLast => [first, b" ", last],
                        Order::LastFirst => [last, b" ", first],
                        Order::LastFirstJoined => [last, b"", first],
                    };
                    texts.push(|out| joined.iter().for_each(|part| out.extend_from_slice(part)));
                }
                texts.finish(validity)
            }
            Ready::Handles(lists, counter) => {
                let words =
                    [FIRST, LAST, "handle", "digits", "domain"].map(|purpose| identity.words(purpose, block));
                let mut texts = Texts::with_capacity(block.len(), 32);
                for (i, (at, row)) in each.zip(block.rows).enumerate() {
                    let [first, last, form, digits, domain] = [0, 1, 2, 3, 4].map(|of| words[of][i]);
                    let number = counter.as_ref().map(|counter| counter.apply(row));
                    texts.push(|out| {
                        write_handle(lists[at].as_ref(), [first, last, form, digits], number, out);
                        if self.part == Part::Email {
                            out.push(b'@');
                            out.extend_from_slice(pick(&DOMAINS, domain).as_bytes());
                        }
                    });
                }
                texts.finish(validity)
            }
            Ready::Phones(forms) => {
                let (form, digits) = (identity.words("exchange", block), identity.words("phone", block));
                let mut texts = Texts::with_capacity(block.len(), 20);
                for ((at, form), digits) in each.zip(form).zip(digits) {
                    texts.push(|out| write_digits(pick::<&str>(forms[at], form), digits, out));
                }
                texts.finish(validity)
            }
        }
    }
}

fn pick<T>(list: &[T], word: u64) -> &T {
    &list[below(word, list.len() as u64) as usize]
}

/// Appends what stands before the @. As folded names hold no digits, those at its end are the number's, whatever is before.
fn write_handle(
    names: Option<&(Vec<String>, Vec<String>)>,
    [first, last, form, digits]: [u64; 4],
    number: Option<u64>,
    out: &mut Vec<u8>,
) {
    let Some((firsts, lasts)) = names else {
        out.extend_from_slice(b"user");
        return match number {
            Some(number) => push_int(out, number as i64, 0),
            None => write_digits("######", digits, out),
        };
    };
    let (first, last) = (pick(firsts, first).as_bytes(), pick(lasts, last).as_bytes());
    let form = below(form, 100);
    let (first, dot) = match form {
        40..60 => (&first[..1], b'.'),
        60..75 => (first, b'_'),
        _ => (first, b'.'),
    };
    out.extend_from_slice(first);
    out.push(dot);
    out.extend_from_slice(last);
    match number {
        Some(number) => push_int(out, number as i64, 0),
        None if form >= 75 => push_int(out, 1 + below(digits, 99) as i64, 0),
        None => {}
    }
}

pub(super) const KIND: Kind = Kind {
    name: "person",
    group: Group::People,
    summary: "Names, e-mail addresses and phone numbers of a made-up person.",
    details: "All columns with the same `of` (by itself: none) and the same `locale` speak of one person in each row, and of \
              the same `place` and `company`: the name, the address of e-mail made from it, the country of the phone number. \
              Locales are ar_SA, cy_GB, de_DE, en_GB, en_US, es_ES, fa_IR, fr_FR, it_IT, ja_JP, ko_KR, nl_NL, pt_BR, pt_PT, \
              tr_TR, zh_CN and zh_TW; en_GB and en_US share names. `locale: {de_DE: 60%, fr_FR: 40%}` mixes them, and the part \
              `locale` tells which a row has. Given another column's values, write `by: column` instead.\n\n\
              E-mail addresses end in example.com, .net or .org, which are nobody's (RFC 2606). Before the @ stands the name \
              without accents, Chinese and Korean in Latin letters; for ar_SA, fa_IR and ja_JP, whose script does not tell \
              enough, a neutral word with digits. `username` is the same without the domain. `unique: true` works for both: a \
              number that no other row has is put at the end.\n\n\
              Phone numbers are kept free for fiction by the regulators in de_DE, en_GB, en_US and fr_FR; elsewhere the \
              calling code is followed by 00, with which no number begins. They repeat.\n\n\
              First names and surnames are drawn evenly and independently from lists of common ones, so a name may be \
              somebody's; everything beside it is not.",
    example: "{person: {part: email, of: buyer, locale: {de_DE: 60%, fr_FR: 40%}}}",
    ..Kind::of::<OrShort<Part, Params>>()
};

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::locale::LOCALES;
    use crate::testing::{column, plan, rows_as_text, warnings};

    /// Parts of a person, and at the end the country of the place.
    fn rows_of(locale: &str) -> Vec<[String; 7]> {
        let parts = ["first_name", "last_name", "name", "email", "username", "phone"];
        let mut columns =
            parts.map(|part| format!("{part}: {{person: {{part: {part}, locale: {locale}}}}}")).to_vec();
        columns.push(format!("country: {{place: {{part: country_code, locale: {locale}}}}}"));
        rows_as_text(&columns, 300).into_iter().map(|row| row.try_into().unwrap()).collect()
    }

    #[test]
    fn the_columns_of_a_row_speak_of_one_person() {
        for locale in LOCALES {
            for [first, last, name, email, username, phone, country] in &rows_of(locale.name) {
                let expected = match locale.order {
                    Order::FirstLast => format!("{first} {last}"),
                    Order::LastFirst => format!("{last} {first}"),
                    Order::LastFirstJoined => format!("{last}{first}"),
                };
                assert_eq!(*name, expected);
                let (local, domain) = email.split_once('@').unwrap();
                assert_eq!(local, username);
                assert!(DOMAINS.contains(&domain), "{email}");
                assert!(email.is_ascii() && is_plain(email), "{email}");
                match locale.fold(last) {
                    Some(folded) => assert!(local.contains(&folded), "{email} of {name}"),
                    None => assert!(local.starts_with("user") && local.len() == 10, "{email}"),
                }
                assert_eq!(country, locale.country().code);
                let starts = locale.country().phones.iter().map(|form| form.split('#').next().unwrap());
                assert!(starts.clone().any(|start| phone.starts_with(start)), "{phone} in {country}");
            }
        }
    }

    #[test]
    fn locales_differ_and_mixtures_keep_them_together() {
        let mixed = rows_of("{ja_JP: 1, de_DE: 3}");
        let mut japanese = 0;
        for [first, _, _, email, _, phone, country] in &mixed {
            let is_japanese = country == "JP";
            assert!(is_japanese || country == "DE");
            assert_eq!(first.chars().all(|c| c > '\u{2fff}'), is_japanese);
            assert_eq!(phone.starts_with("+81"), is_japanese);
            assert_eq!(email.starts_with("user"), is_japanese);
            japanese += i32::from(is_japanese);
        }
        // 300 rows at 25 %: 75 ± 7.5; six standard deviations, a false alarm in 500 million.
        assert!((30..120).contains(&japanese), "{japanese}");
        let first_names = |locale| rows_of(locale).into_iter().map(|[first, ..]| first);
        let english: BTreeSet<String> = first_names("en_US").collect();
        assert!(first_names("cy_GB").filter(|name| english.contains(name)).count() < 100);
    }

    #[test]
    fn the_locale_may_come_from_a_column() {
        let columns = [
            "home: {choice: [tr_TR, ko_KR], null: 20%}",
            "name: {person: {part: name, by: home}}",
            "phone: {person: {part: phone, by: home}}",
            "where: {place: {part: country, by: home}}",
        ];
        for row in rows_as_text(&columns.map(str::to_owned), 300) {
            let (country, start) = match row[0].as_str() {
                "tr_TR" => ("Türkiye", "+90"),
                "ko_KR" => ("South Korea", "+82"),
                _ => ("", ""),
            };
            assert_eq!(row[3], country);
            assert!(row[2].starts_with(start) && row[2].is_empty() == country.is_empty());
            assert_eq!(row[1].is_empty(), country.is_empty());
        }
    }

    #[test]
    fn other_persons_are_others() {
        let columns =
            ["a: {person: name}", "b: {person: {part: name, of: seller}}", "c: {person: {part: name}}"];
        for row in rows_as_text(&columns.map(str::to_owned), 200) {
            assert_eq!(row[0], row[2]);
            // Of 3,000 × 474 names two agree by chance once in 7,000 tables.
            assert_ne!(row[0], row[1]);
        }
    }

    #[test]
    fn unique_addresses_are_unique_however_many_rows_there_are() {
        let column_of = "c: {person: {part: email, locale: [tr_TR, ja_JP]}, unique: true}".to_owned();
        let unique = |rows| rows_as_text(std::slice::from_ref(&column_of), rows).concat();
        let all = unique(20_000);
        assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), 20_000);
        assert_eq!(all[..500], unique(500));
        assert!(all[..1000].iter().all(|email| email.len() < 40));
        assert!(column("{person: phone, unique: true}", 10).is_err());
    }

    #[test]
    fn columns_that_cannot_agree_are_pointed_out() {
        for (one, other, codes) in [
            ("{person: name}", "{person: {part: email, locale: de_DE}}", &["two-locales"][..]),
            ("{person: name}", "{person: {part: email, locale: en_US}}", &[]),
            ("{person: name}", "{person: {part: email, of: x, locale: de_DE}}", &[]),
            (
                "{place: {part: city, locale: {de_DE: 1, fr_FR: 2}}}",
                "{company: {part: name, locale: [de_DE, fr_FR]}}",
                &["two-locales"],
            ),
        ] {
            let text = format!(
                "lookalike: 1\nname: x\ntables:\n  t:\n    rows: 9\n    columns:\n      a: {one}\n      b: {other}\n"
            );
            assert_eq!(warnings(&text), codes, "{one} {other}");
        }
    }

    #[test]
    fn mistakes_are_explained() {
        for (yaml, code) in [
            ("{person: nmae}", "bad-value"),
            ("{person: {of: buyer}}", "missing-key"),
            ("{person: {part: name, locale: de_ED}}", "bad-value"),
            ("{person: {part: name, locale: []}}", "wrong-type"),
            ("{person: {part: name, locale: {de_DE: 50%, fr_FR: 40%}}}", "bad-weights"),
            ("{person: {part: name, locale: [[de_DE]]}}", "wrong-type"),
            ("{person: {part: name, by: home}}", "unknown-column"),
            ("{person: {part: name, by: home, locale: de_DE}}", "bad-value"),
        ] {
            let problems = column(yaml, 10).err().unwrap_or_else(|| panic!("{yaml} is accepted"));
            assert_eq!(problems[0].code, code, "{yaml}");
        }
        for home in ["{choice: [de_DE, mars]}", "{pattern: '[a-z]{2}_[A-Z]{2}'}", "{int_range: [1, 2]}"] {
            let text = format!(
                "lookalike: 1\ntables:\n  t:\n    rows: 9\n    columns:\n      home: {home}\n      c: {{person: {{part: name, by: home}}}}\n"
            );
            assert_eq!(plan(&text).err().unwrap()[0].code, "bad-value", "{home}");
        }
    }
}
