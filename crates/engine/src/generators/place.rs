//! `place`: cities with what belongs to them, and addresses in them.

use std::sync::Arc;

use lookalike_core::stream::below;
use lookalike_ruleset::decode::Spanned;
use lookalike_ruleset::{Span, Type, params, words};
use polars::prelude::*;

use super::text::{Texts, push_int};
use crate::array;
use crate::build::Builder;
use crate::generator::{
    Block, Categories, Failure, Generator, Group, InputName, Kind, Output, Rule, Site, is_plain,
};
use crate::locale::{
    Country, Form, Identity, Locales, OrShort, Place, Who, categories_of, write_codes, write_digits,
};
use crate::pick::Pick;

words! {
    /// What of a place.
    enum Part {
        City = "city",
        State = "state",
        StateCode = "state_code",
        Postcode = "postcode",
        Country = "country",
        CountryCode = "country_code",
        Currency = "currency",
        Street = "street",
        Address = "address",
        Latitude = "latitude",
        Longitude = "longitude",
        TimeZone = "time_zone",
    }
}

params! {
    /// A part of a place.
    struct Params {
        /// What of the place: city, state, state_code, postcode, country, country_code, currency, street, address, latitude,
        /// longitude or time_zone.
        part: Part,
        /// Which place, where a row has several: columns with the same word speak of the same one, and of its `person`.
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
        Some(Box::new(Places { part, who, ready: None }))
    }
}

struct Places {
    part: Part,
    who: Who,
    ready: Option<Ready>,
}

struct Ready {
    identity: Identity,
    /// By locale.
    countries: Vec<Ground>,
    /// For parts with few values: the code of each place of each locale.
    codes: Option<(Arc<Categories>, Vec<Vec<u32>>)>,
}

/// A country with its places.
struct Ground {
    country: &'static Country,
    places: Vec<&'static Place>,
    pick: Pick,
    street: Form,
    address: Form,
}

impl Ground {
    fn new(country: &'static Country) -> Ground {
        let places: Vec<&Place> = country.places().collect();
        let weights: Vec<f64> = places.iter().map(|place| place.people).collect();
        Ground {
            country,
            places,
            pick: Pick::new(&weights),
            street: Form::new(country.street_form, &["street", "house"]),
            address: Form::new(
                country.address_form,
                &["line", "city", "postcode", "state_code", "region", "region "],
            ),
        }
    }

    fn write_street(&self, street: u64, house: u64, out: &mut Vec<u8>) {
        let streets = self.country.streets;
        self.street.write(out, |slot, out| match slot {
            0 => out.extend_from_slice(streets[below(street, streets.len() as u64) as usize].as_bytes()),
            _ => write_house(self.country.house, house, out),
        });
    }

    fn write_address(&self, place: &Place, [street, house, postcode]: [u64; 3], out: &mut Vec<u8>) {
        self.address.write(out, |slot, out| match slot {
            0 => self.write_street(street, house, out),
            1 => out.extend_from_slice(place.city.as_bytes()),
            2 => write_digits(place.postcode, postcode, out),
            3 => out.extend_from_slice(place.state_code.as_bytes()),
            _ if place.state == place.city => {}
            _ => {
                out.extend_from_slice(place.state.as_bytes());
                out.extend_from_slice(if slot == 5 { b" " } else { b"" });
            }
        });
    }

    /// Whether streets, and with them addresses, can stand in any text format as they are.
    fn is_plain(&self, address: bool) -> bool {
        let streets = self.country.streets.iter().all(|street| is_plain(street));
        let inside = |text: &str| text.trim().is_empty() || is_plain(text.trim());
        let line = streets && self.street.texts().all(inside);
        let places = || self.places.iter().all(|place| is_plain(place.city) && is_plain(place.state));
        line && (!address || self.address.texts().all(inside) && places())
    }
}

/// Appends the number of a house. Low numbers are more common, as most streets are short.
fn write_house(most: &[u64], word: u64, out: &mut Vec<u8>) {
    if let [most] = most {
        let share = below(word, 1000);
        push_int(out, (1 + most * share * share / 1_000_000) as i64, 0);
        return;
    }
    let mut fraction = word;
    for (at, most) in most.iter().enumerate() {
        if at > 0 {
            out.push(b'-');
        }
        let product = u128::from(fraction) * u128::from(*most);
        fraction = product as u64;
        push_int(out, 1 + (product >> 64) as i64, 0);
    }
}

impl Generator for Places {
    fn inputs(&self, inputs: &mut Vec<InputName>) {
        self.who.inputs(inputs);
    }

    fn prepare(&mut self, site: &mut Site<'_>) -> Option<Output> {
        let identity = self.who.prepare(site)?;
        let countries: Vec<Ground> =
            identity.locales.iter().map(|locale| Ground::new(locale.country())).collect();
        let value: Option<fn(&Country, &Place) -> &'static str> = match self.part {
            Part::City => Some(|_, place| place.city),
            Part::State => Some(|_, place| place.state),
            Part::StateCode => Some(|_, place| place.state_code),
            Part::TimeZone => Some(|_, place| place.time_zone),
            Part::Country => Some(|country, _| country.name),
            Part::CountryCode => Some(|country, _| country.code),
            Part::Currency => Some(|country, _| country.currency),
            Part::Postcode | Part::Street | Part::Address | Part::Latitude | Part::Longitude => None,
        };
        let codes = value.map(|value| {
            let list = |ground: &Ground| -> Vec<&str> {
                ground.places.iter().map(|place| value(ground.country, place)).collect()
            };
            categories_of(countries.iter().map(list))
        });
        let output = match (&codes, self.part) {
            (Some((categories, _)), _) => Output::categories(categories.clone()),
            (None, Part::Latitude | Part::Longitude) => Output::of(Type::Float),
            (None, Part::Postcode) => Output::text(true),
            (None, part) => {
                Output::text(countries.iter().all(|ground| ground.is_plain(part == Part::Address)))
            }
        };
        let output = Output { nullable: identity.nullable, ..output };
        self.ready = Some(Ready { identity, countries, codes });
        Some(output)
    }

    fn fill(&self, block: &Block<'_>) -> Result<Series, Failure> {
        let Ready { identity, countries, codes } = self.ready.as_ref().expect("set in prepare");
        let (locales, validity) = identity.locales_of(block)?;
        let words = |purpose| identity.words(purpose, block);
        let picks: Vec<(usize, usize)> = locales
            .into_iter()
            .zip(words("place"))
            .map(|(at, word)| (at as usize, countries[at as usize].pick.pick(word) as usize))
            .collect();
        if let Some((categories, codes)) = codes {
            return write_codes(picks.into_iter().map(|(at, place)| codes[at][place]), categories, validity);
        }
        let place = |(at, place): (usize, usize)| countries[at].places[place];
        if let Part::Latitude | Part::Longitude = self.part {
            let north = self.part == Part::Latitude;
            let offsets = words(if north { "latitude" } else { "longitude" });
            let degrees = picks.into_iter().zip(offsets).map(|(at, word)| {
                let centre = if north { place(at).latitude } else { place(at).longitude };
                (centre + below(word, 1001) as i64 - 500) as f64 / 10_000.0
            });
            let series = array::floats(degrees.collect());
            return match validity {
                Some(bits) => array::with_validity(series, bits),
                None => Ok(series),
            };
        }
        let mut texts = Texts::with_capacity(block.len(), 24);
        if self.part == Part::Postcode {
            for (at, word) in picks.into_iter().zip(words("postcode")) {
                texts.push(|out| write_digits(place(at).postcode, word, out));
            }
            return texts.finish(validity);
        }
        let [street, house, postcode] = ["street", "house", "postcode"].map(words);
        for (i, at) in picks.into_iter().enumerate() {
            let ground = &countries[at.0];
            texts.push(|out| match self.part {
                Part::Street => ground.write_street(street[i], house[i], out),
                _ => ground.write_address(place(at), [street[i], house[i], postcode[i]], out),
            });
        }
        texts.finish(validity)
    }
}

pub(super) const KIND: Kind = Kind {
    name: "place",
    group: Group::People,
    summary: "Cities with state, country, postcode and time zone, and addresses in them.",
    details: "All columns with the same `of` (by itself: none) and the same `locale` speak of one place in each row, so city, \
              state, postcode, country, currency and coordinates agree, and so do a `person` and a `company` of that name. \
              Cities are some fifteen large ones of each country, more often the larger they are; their names are in the \
              country's language, the country's is in English. `country_code` is ISO 3166-1, `state_code` the part of \
              ISO 3166-2 after the country, `currency` ISO 4217.\n\n\
              A postcode has the city's form and beginning, but need not exist. Streets are some that many towns have, with a \
              number: `address` has street, postcode and city in one line, in the order of the country. `latitude` and \
              `longitude` are degrees to four digits, within 0.05 of the centre. Locales are those of `person`, and `by` takes \
              the locale from a column.",
    example: "{place: {part: city, of: buyer, locale: {de_DE: 60%, fr_FR: 40%}}}",
    ..Kind::of::<OrShort<Part, Params>>()
};

#[cfg(test)]
mod tests {
    use lookalike_core::Rows;

    use super::*;
    use crate::locale::LOCALES;
    use crate::testing::{plan, rows_as_text};

    const PARTS: [&str; 12] = [
        "city",
        "state",
        "state_code",
        "postcode",
        "country",
        "country_code",
        "currency",
        "street",
        "address",
        "latitude",
        "longitude",
        "time_zone",
    ];

    fn rows_of(locale: &str, rows: u64) -> Vec<Vec<String>> {
        let column = |part| format!("{part}: {{place: {{part: {part}, locale: {locale}}}}}");
        rows_as_text(&PARTS.map(column), rows)
    }

    fn fits(code: &str, form: &str) -> bool {
        code.len() == form.len()
            && code.bytes().zip(form.bytes()).all(|(c, f)| match f {
                b'#' => c.is_ascii_digit(),
                b'@' => c.is_ascii_uppercase(),
                other => c == other,
            })
    }

    #[test]
    fn the_columns_of_a_row_speak_of_one_place() {
        let names: Vec<&str> = LOCALES.iter().map(|locale| locale.name).collect();
        let mut seen = std::collections::BTreeSet::new();
        for row in rows_of(&format!("[{}]", names.join(", ")), 2000) {
            let cell = |part: &str| row[PARTS.iter().position(|name| *name == part).unwrap()].as_str();
            let country = Country::find(cell("country_code")).unwrap();
            assert_eq!((country.name, country.currency), (cell("country"), cell("currency")));
            let place = country.places().find(|place| place.city == cell("city")).unwrap();
            assert_eq!(
                (place.state, place.state_code, place.time_zone),
                (cell("state"), cell("state_code"), cell("time_zone"))
            );
            assert!(fits(cell("postcode"), place.postcode), "{}", cell("postcode"));
            for (part, centre) in [("latitude", place.latitude), ("longitude", place.longitude)] {
                let degrees: f64 = cell(part).parse().unwrap();
                assert!((degrees * 1e4 - centre as f64).abs() < 500.5, "{degrees}");
            }
            let address = cell("address");
            assert!(address.contains(cell("street")) && address.contains(cell("postcode")), "{address}");
            assert!(address.contains(cell("city")), "{address}");
            assert!(!address.contains("  ") && address.trim() == address, "{address}");
            let twice = format!("{0}{0}", cell("city"));
            assert!(!address.contains(&twice), "{address}");
            assert!(country.streets.iter().any(|street| cell("street").contains(street)), "{address}");
            seen.insert(country.code);
        }
        assert_eq!(seen.len(), 16);
    }

    #[test]
    fn what_is_said_to_be_plain_is_plain() {
        for locale in LOCALES.iter().map(|locale| locale.name) {
            let text = format!(
                "lookalike: 1\nseed: 7\ntables:\n  t:\n    rows: 500\n    columns:\n      \
                 a: {{place: {{part: address, locale: {locale}}}}}\n      b: {{place: {{part: street, locale: {locale}}}}}\n      \
                 c: {{person: {{part: name, locale: {locale}}}}}\n      d: {{company: {{part: name, locale: {locale}}}}}\n      \
                 e: {{place: {{part: postcode, locale: {locale}}}}}\n      f: {{person: {{part: phone, locale: {locale}}}}}\n"
            );
            let plan = plan(&text).unwrap();
            let frame = plan.tables[0].frame(&Rows::from(0..500)).unwrap();
            for (field, column) in plan.tables[0].schema().fields.iter().zip(frame.columns()) {
                let all_plain = column.str().unwrap().iter().all(|text| is_plain(text.unwrap()));
                assert!(all_plain || !field.plain, "{locale}: {}", field.name);
            }
        }
    }

    /// Berlin has 3,700 of 13,260 thousand: 558 of 2,000 rows, ± 20; six standard deviations.
    #[test]
    fn larger_cities_come_up_more_often() {
        let berlin = rows_of("de_DE", 2000).iter().filter(|row| row[0] == "Berlin").count();
        assert!((438..678).contains(&berlin), "{berlin}");
    }

    #[test]
    fn houses_have_numbers_within_the_street() {
        for (most, low, high) in [(&[150][..], "1", "150"), (&[6, 30, 20], "1-1-1", "6-30-20")] {
            let house = |word| {
                let mut out = Vec::new();
                write_house(most, word, &mut out);
                String::from_utf8(out).unwrap()
            };
            assert_eq!((house(0).as_str(), house(u64::MAX).as_str()), (low, high));
        }
    }
}
