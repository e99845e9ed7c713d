//! Locales: names by language, and the country around them.
//!
//! Lists of names come from the crate `fake`, as data only: which name a row gets is decided by its own random words, so that
//! no output depends on how that crate draws. Its version is fixed, since a change of a list is a change of output.

mod country;
mod form;
mod identity;
mod names;

use fake::locales::{
    AR_SA, CY_GB, DE_DE, Data, EN, FA_IR, FR_FR, IT_IT, JA_JP, NL_NL, PT_BR, PT_PT, TR_TR, ZH_CN, ZH_TW,
};
use lookalike_ruleset::diagnostic::did_you_mean;

pub(crate) use country::{Country, Place};
pub(crate) use form::{Form, write_digits};
pub(crate) use identity::{Counter, Identity, Locales, OrShort, Who, categories_of, write_codes};

/// A language as it is spoken in a country.
#[derive(Debug)]
pub(crate) struct Locale {
    /// Name, such as `de_DE`.
    pub name: &'static str,
    /// ISO 3166-1 code of the country.
    country: &'static str,
    first: &'static [&'static [&'static str]],
    last: &'static [&'static [&'static str]],
    /// How the two names make one.
    pub order: Order,
    /// How a name becomes letters that may stand in an address of e-mail.
    handle: Handle,
}

/// How first name and surname make a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    /// Anna Weber
    FirstLast,
    /// 佐藤 結衣
    LastFirst,
    /// 김민준
    LastFirstJoined,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Handle {
    /// Accents go, other scripts are spelled in Latin letters.
    Folded,
    /// As before, but ä, ö, ü become ae, oe, ue.
    German,
    /// The script does not say how it is spoken, so nothing comes of the name.
    Neutral,
}

const fn latin(
    name: &'static str,
    country: &'static str,
    first: &'static [&'static [&'static str]],
    last: &'static [&'static [&'static str]],
) -> Locale {
    Locale { name, country, first, last, order: Order::FirstLast, handle: Handle::Folded }
}

/// All locales, by name. `en_GB` and `en_US` share names, and differ in everything that follows from the country.
pub(crate) static LOCALES: &[Locale] = &[
    Locale {
        handle: Handle::Neutral,
        ..latin("ar_SA", "SA", &[AR_SA::NAME_FIRST_NAME], &[AR_SA::NAME_LAST_NAME])
    },
    latin("cy_GB", "GB", &[CY_GB::NAME_FIRST_NAME], &[CY_GB::NAME_LAST_NAME]),
    Locale {
        handle: Handle::German,
        ..latin("de_DE", "DE", &[DE_DE::NAME_FIRST_NAME], &[DE_DE::NAME_LAST_NAME])
    },
    latin("en_GB", "GB", &[EN::NAME_FIRST_NAME], &[EN::NAME_LAST_NAME]),
    latin("en_US", "US", &[EN::NAME_FIRST_NAME], &[EN::NAME_LAST_NAME]),
    latin("es_ES", "ES", &[names::SPANISH_FIRST], &[names::SPANISH_LAST]),
    Locale {
        handle: Handle::Neutral,
        ..latin("fa_IR", "IR", &[FA_IR::NAME_FIRST_NAME], &[FA_IR::NAME_LAST_NAME])
    },
    latin("fr_FR", "FR", &[FR_FR::NAME_FIRST_NAME], &[FR_FR::NAME_LAST_NAME]),
    latin("it_IT", "IT", &[IT_IT::NAME_FIRST_NAME], &[IT_IT::NAME_LAST_NAME]),
    Locale {
        order: Order::LastFirst,
        handle: Handle::Neutral,
        ..latin("ja_JP", "JP", &[JA_JP::NAME_FIRST_NAME], &[JA_JP::NAME_LAST_NAME])
    },
    Locale {
        order: Order::LastFirstJoined,
        ..latin("ko_KR", "KR", &[names::KOREAN_FIRST], &[names::KOREAN_LAST])
    },
    latin("nl_NL", "NL", &[NL_NL::NAME_FIRST_NAME], &[NL_NL::NAME_LAST_NAME]),
    latin("pt_BR", "BR", &[PT_BR::NAME_FIRST_NAME], &[PT_BR::NAME_LAST_NAME]),
    latin("pt_PT", "PT", &[PT_PT::NAME_FIRST_NAME], &[PT_PT::NAME_LAST_NAME]),
    latin(
        "tr_TR",
        "TR",
        &[TR_TR::NAME_FIRST_NAME, names::TURKISH_FIRST],
        &[TR_TR::NAME_LAST_NAME, names::TURKISH_LAST],
    ),
    Locale {
        order: Order::LastFirstJoined,
        ..latin("zh_CN", "CN", &[ZH_CN::NAME_FIRST_NAME], &[ZH_CN::NAME_LAST_NAME])
    },
    Locale {
        order: Order::LastFirstJoined,
        ..latin("zh_TW", "TW", &[ZH_TW::NAME_FIRST_NAME], &[ZH_TW::NAME_LAST_NAME])
    },
];

/// The locale where none is written.
pub(crate) const DEFAULT: &str = "en_US";

impl Locale {
    /// The locale called `name`.
    ///
    /// # Errors
    /// A help line where there is none.
    pub fn find(name: &str) -> Result<&'static Locale, String> {
        let found = LOCALES.iter().find(|locale| locale.name == name);
        found.ok_or_else(|| did_you_mean(name, "locales", LOCALES.iter().map(|locale| locale.name)))
    }

    /// The country.
    pub fn country(&self) -> &'static Country {
        Country::find(self.country).expect("the tests look up the country of every locale")
    }

    /// First names, each once.
    pub fn first_names(&self) -> Vec<String> {
        clean(self.first)
    }

    /// Surnames, each once.
    pub fn last_names(&self) -> Vec<String> {
        clean(self.last)
    }

    /// A name in the letters a to z; `None` where the locale's script does not say how it is spoken.
    pub fn fold(&self, name: &str) -> Option<String> {
        let spelled = match self.handle {
            Handle::Neutral => return None,
            Handle::Folded => deunicode::deunicode(name),
            Handle::German => deunicode::deunicode(
                &name.to_lowercase().replace('ä', "ae").replace('ö', "oe").replace('ü', "ue"),
            ),
        };
        let mut folded: String = spelled.chars().filter(char::is_ascii_alphabetic).collect();
        folded.make_ascii_lowercase();
        (!folded.is_empty()).then_some(folded)
    }
}

/// The names of some lists, without what slipped into them: space, commas and other quotes than apostrophes, and repetitions.
fn clean(lists: &[&[&str]]) -> Vec<String> {
    let mut seen = std::collections::BTreeSet::new();
    let names = lists
        .iter()
        .copied()
        .flatten()
        .map(|name| name.trim_matches(|c: char| c.is_whitespace() || c == ',').replace(['"', '’'], "'"));
    names.filter(|name| !name.is_empty() && seen.insert(name.clone())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_locale_has_names_and_a_country() {
        assert!(LOCALES.is_sorted_by(|a, b| a.name < b.name));
        let english = Locale::find("en_US").unwrap();
        for locale in LOCALES {
            assert!(locale.name.ends_with(locale.country().code), "{}", locale.name);
            let (first, last) = (locale.first_names(), locale.last_names());
            assert!(first.len() >= 70 && last.len() >= 40, "{}: {} {}", locale.name, first.len(), last.len());
            for name in first.iter().chain(&last) {
                assert!(name.trim() == name && !name.contains([',', '"', '\t']), "{}: {name}", locale.name);
                let folded = locale.fold(name);
                assert_eq!(folded.is_none(), locale.handle == Handle::Neutral, "{}: {name}", locale.name);
                assert!(folded.is_none_or(|text| text.bytes().all(|byte| byte.is_ascii_lowercase())));
            }
            if !locale.name.starts_with("en") {
                assert_ne!(first, english.first_names(), "{}", locale.name);
                assert_ne!(last, english.last_names(), "{}", locale.name);
            }
        }
    }

    #[test]
    fn names_are_folded_as_people_do() {
        let fold = |locale, name| Locale::find(locale).unwrap().fold(name);
        for (locale, name, folded) in [
            ("de_DE", "Müller-Groß", "muellergross"),
            ("fr_FR", "Nathanaëlle", "nathanaelle"),
            ("tr_TR", "Yılmaz", "yilmaz"),
            ("en_US", "O'Connell", "oconnell"),
            ("pt_BR", "da Conceição", "daconceicao"),
            ("zh_CN", "张", "zhang"),
            ("ko_KR", "김", "gim"),
        ] {
            assert_eq!(fold(locale, name).as_deref(), Some(folded));
        }
        assert_eq!(fold("ja_JP", "佐藤"), None);
    }

    #[test]
    fn an_unknown_locale_has_a_neighbour() {
        assert_eq!(Locale::find("de_De").unwrap_err(), "did you mean `de_DE`?");
    }
}
