//! Countries: how people there are called by telephone, where they live, how firms name themselves.

use std::sync::LazyLock;

/// What is particular to a country. In forms, `#` is a digit and `@` a letter.
#[derive(Debug)]
pub(crate) struct Country {
    /// ISO 3166-1 code of two letters.
    pub code: &'static str,
    /// Name in English.
    pub name: &'static str,
    /// ISO 4217 code of the currency.
    pub currency: &'static str,
    /// Forms of telephone numbers that nobody has.
    pub phones: &'static [&'static str],
    /// Streets that many towns have.
    pub streets: &'static [&'static str],
    /// The largest number of a house; where a house has several numbers, the largest of each.
    pub house: &'static [u64],
    /// A street with a number, from `{street}` and `{house}`.
    pub street_form: &'static str,
    /// An address in one line, from `{line}` (street with number), `{city}`, `{postcode}`, `{state_code}` and `{region}`: the
    /// state, unless it is the city itself. `{region }` has a space after it.
    pub address_form: &'static str,
    /// Names of firms, from the surnames `{a}` and `{b}`. Earlier ones are more common.
    pub firms: &'static [&'static str],
}

impl Country {
    /// The country with a code.
    pub fn find(code: &str) -> Option<&'static Country> {
        COUNTRIES.iter().find(|country| country.code == code)
    }

    /// The places in the country.
    pub fn places(&self) -> impl Iterator<Item = &'static Place> {
        PLACES.iter().filter(|place| place.country == self.code)
    }
}

/// A city; see `data/README.md`.
#[derive(Debug)]
pub(crate) struct Place {
    /// ISO 3166-1 code.
    pub country: &'static str,
    /// Name in the country's language.
    pub city: &'static str,
    /// State, province or region.
    pub state: &'static str,
    /// Its code within the country, from ISO 3166-2.
    pub state_code: &'static str,
    /// Form of the postcodes.
    pub postcode: &'static str,
    /// Degrees north, times 10,000.
    pub latitude: i64,
    /// Degrees east, times 10,000.
    pub longitude: i64,
    /// Name in the tz database.
    pub time_zone: &'static str,
    /// Inhabitants, in thousands.
    pub people: f64,
}

/// All places, by country.
pub(crate) static PLACES: LazyLock<Vec<Place>> = LazyLock::new(|| {
    let rows = include_str!("../../data/places.csv").lines().skip(1);
    rows.map(|row| place(row).expect("the tests read every row of the file")).collect()
});

fn place(row: &'static str) -> Option<Place> {
    let mut cells = row.split(',');
    let mut next = || cells.next();
    let degrees = |text: &str| Some((text.parse::<f64>().ok()? * 10_000.0).round() as i64);
    let place = Place {
        country: next()?,
        city: next()?,
        state: next()?,
        state_code: next()?,
        postcode: next()?,
        latitude: degrees(next()?)?,
        longitude: degrees(next()?)?,
        time_zone: next()?,
        people: next()?.parse().ok()?,
    };
    next().is_none().then_some(place)
}

const HOUSE: &[u64] = &[150];

/// Telephone numbers are out of ranges that a country's regulator keeps for films and books, where there are such:
/// 555-0100 to 555-0199 in North America (NANPA), the drama numbers of Ofcom in the United Kingdom, of the
/// Bundesnetzagentur in Germany and of ARCEP in France. Elsewhere the calling code is followed by 00, which is the prefix
/// of international calls there and so begins no number.
pub(crate) static COUNTRIES: &[Country] = &[
    Country {
        code: "BR",
        name: "Brazil",
        currency: "BRL",
        phones: &["+55 00 ####-####"],
        streets: &[
            "Rua das Flores",
            "Rua São José",
            "Rua Sete de Setembro",
            "Rua Quinze de Novembro",
            "Avenida Brasil",
            "Avenida Central",
            "Rua da Paz",
            "Rua São João",
            "Rua Principal",
            "Rua Santo Antônio",
            "Rua Bela Vista",
            "Avenida Atlântica",
            "Rua do Sol",
            "Travessa da Matriz",
        ],
        house: &[2400],
        street_form: "{street} {house}",
        address_form: "{line}, {city} - {state_code}, {postcode}",
        firms: &[
            "{a} Ltda.",
            "{a} & {b} Ltda.",
            "{a} S.A.",
            "{a} e Filhos",
            "{a} Comércio Ltda.",
            "{a} e Associados",
        ],
    },
    Country {
        code: "CN",
        name: "China",
        currency: "CNY",
        phones: &["+86 00 #### ####"],
        streets: &[
            "人民路",
            "解放路",
            "中山路",
            "建设路",
            "和平路",
            "新华路",
            "文化路",
            "胜利路",
            "长江路",
            "建国路",
            "北京路",
            "光明路",
            "幸福路",
            "青年路",
            "朝阳路",
        ],
        house: &[999],
        street_form: "{street}{house}号",
        address_form: "{postcode} {region}{city}{line}",
        firms: &[
            "{a}{b}有限公司",
            "{a}氏集团",
            "{a}{b}科技有限公司",
            "{a}{b}贸易有限公司",
            "{a}{b}股份有限公司",
        ],
    },
    Country {
        code: "DE",
        name: "Germany",
        currency: "EUR",
        phones: &[
            "+49 30 23125 ###",
            "+49 69 90009 ###",
            "+49 40 66969 ###",
            "+49 221 4710 ###",
            "+49 89 99998 ###",
            "+49 171 39200 ##",
            "+49 176 040690 ##",
        ],
        streets: &[
            "Hauptstraße",
            "Schulstraße",
            "Bahnhofstraße",
            "Gartenstraße",
            "Dorfstraße",
            "Bergstraße",
            "Birkenweg",
            "Lindenstraße",
            "Kirchstraße",
            "Waldstraße",
            "Ringstraße",
            "Amselweg",
            "Wiesenweg",
            "Goethestraße",
            "Schillerstraße",
            "Mühlenweg",
            "Am Markt",
            "Rosenweg",
        ],
        house: HOUSE,
        street_form: "{street} {house}",
        address_form: "{line}, {postcode} {city}",
        firms: &[
            "{a} GmbH",
            "{a} & {b} GmbH",
            "{a} KG",
            "{a} GmbH & Co. KG",
            "{a} AG",
            "{a} & Partner",
            "{a} UG",
        ],
    },
    Country {
        code: "ES",
        name: "Spain",
        currency: "EUR",
        phones: &["+34 00# ### ###"],
        streets: &[
            "Calle Mayor",
            "Calle Real",
            "Calle de la Iglesia",
            "Calle Nueva",
            "Plaza de España",
            "Calle del Sol",
            "Calle de las Flores",
            "Avenida de la Constitución",
            "Calle San José",
            "Calle San Juan",
            "Calle de la Paz",
            "Paseo del Prado",
            "Calle Cervantes",
            "Camino Viejo",
            "Avenida de la Libertad",
        ],
        house: HOUSE,
        street_form: "{street} {house}",
        address_form: "{line}, {postcode} {city}",
        firms: &[
            "{a} S.L.",
            "{a} y {b} S.L.",
            "{a} S.A.",
            "Hermanos {a}",
            "{a} e Hijos S.L.",
            "{a} y Asociados",
        ],
    },
    Country {
        code: "FR",
        name: "France",
        currency: "EUR",
        phones: &[
            "+33 1 99 00 ## ##",
            "+33 2 61 91 ## ##",
            "+33 3 53 01 ## ##",
            "+33 4 65 71 ## ##",
            "+33 5 36 49 ## ##",
            "+33 6 39 98 ## ##",
        ],
        streets: &[
            "rue de l'Église",
            "place de l'Église",
            "rue du Moulin",
            "Grande Rue",
            "rue de la Mairie",
            "rue des Écoles",
            "rue Pasteur",
            "rue Victor Hugo",
            "rue du Château",
            "rue de la Gare",
            "rue de la Paix",
            "avenue de la République",
            "rue des Lilas",
            "chemin des Vignes",
            "impasse des Roses",
            "rue de la Fontaine",
        ],
        house: HOUSE,
        street_form: "{house} {street}",
        address_form: "{line}, {postcode} {city}",
        firms: &["{a} SARL", "{a} SAS", "{a} et {b}", "{a} SA", "{a} et Fils", "Groupe {a}"],
    },
    Country {
        code: "GB",
        name: "United Kingdom",
        currency: "GBP",
        phones: &[
            "+44 20 7946 0###",
            "+44 121 496 0###",
            "+44 161 496 0###",
            "+44 131 496 0###",
            "+44 141 496 0###",
            "+44 117 496 0###",
            "+44 29 2018 0###",
            "+44 7700 900###",
        ],
        streets: &[
            "High Street",
            "Station Road",
            "Main Street",
            "Park Road",
            "Church Road",
            "Church Street",
            "London Road",
            "Victoria Road",
            "Green Lane",
            "Manor Road",
            "Church Lane",
            "Park Avenue",
            "The Avenue",
            "The Crescent",
            "Queens Road",
            "New Road",
            "Grange Road",
            "Mill Lane",
        ],
        house: HOUSE,
        street_form: "{house} {street}",
        address_form: "{line}, {city}, {postcode}",
        firms: &["{a} Ltd", "{a} & {b} Ltd", "{a} and Sons", "{a} plc", "{a} LLP", "{a} Group"],
    },
    Country {
        code: "IR",
        name: "Iran",
        currency: "IRR",
        phones: &["+98 00 #### ####"],
        streets: &[
            "خیابان آزادی",
            "خیابان انقلاب",
            "خیابان گلستان",
            "خیابان بهار",
            "خیابان حافظ",
            "خیابان سعدی",
            "خیابان فردوسی",
            "خیابان ولیعصر",
            "بلوار کشاورز",
            "کوچه لاله",
            "خیابان نیلوفر",
            "خیابان شقایق",
        ],
        house: HOUSE,
        street_form: "{street}، پلاک {house}",
        address_form: "{city}، {line}، {postcode}",
        firms: &["شرکت {a}", "شرکت {a} و {b}", "گروه {a}", "بازرگانی {a}", "صنایع {a}"],
    },
    Country {
        code: "IT",
        name: "Italy",
        currency: "EUR",
        phones: &["+39 00 ########"],
        streets: &[
            "Via Roma",
            "Via Garibaldi",
            "Via Marconi",
            "Via Mazzini",
            "Via Dante",
            "Piazza Italia",
            "Via Verdi",
            "Via Cavour",
            "Via Manzoni",
            "Corso Umberto",
            "Via San Francesco",
            "Via della Repubblica",
            "Via dei Mille",
            "Viale Europa",
            "Via Vittorio Veneto",
        ],
        house: HOUSE,
        street_form: "{street} {house}",
        address_form: "{line}, {postcode} {city}",
        firms: &[
            "{a} S.r.l.",
            "{a} e {b} S.n.c.",
            "{a} S.p.A.",
            "{a} e Figli",
            "Fratelli {a} S.r.l.",
            "Studio {a}",
        ],
    },
    Country {
        code: "JP",
        name: "Japan",
        currency: "JPY",
        phones: &["+81 00 #### ####"],
        streets: &[
            "本町",
            "中央",
            "栄町",
            "緑町",
            "旭町",
            "末広町",
            "若葉町",
            "桜木町",
            "大手町",
            "新町",
            "東町",
            "西町",
            "南町",
            "北町",
            "幸町",
        ],
        house: &[6, 30, 20],
        street_form: "{street}{house}",
        address_form: "〒{postcode} {region}{city}{line}",
        firms: &[
            "株式会社{a}",
            "{a}株式会社",
            "{a}商店",
            "有限会社{a}",
            "{a}工業株式会社",
            "{a}{b}法律事務所",
        ],
    },
    Country {
        code: "KR",
        name: "South Korea",
        currency: "KRW",
        phones: &["+82 00 #### ####"],
        streets: &[
            "중앙로",
            "시청로",
            "학교길",
            "공원로",
            "역전로",
            "강변로",
            "문화로",
            "평화로",
            "새마을길",
            "은행로",
            "동문로",
            "서문로",
            "남문로",
            "한빛로",
        ],
        house: &[300],
        street_form: "{street} {house}",
        address_form: "{region }{city} {line}, {postcode}",
        firms: &["주식회사 {a}{b}", "{a}{b}산업", "{a}{b}물산", "{a}{b}테크", "{a}{b}상사"],
    },
    Country {
        code: "NL",
        name: "Netherlands",
        currency: "EUR",
        phones: &["+31 00 ### ####"],
        streets: &[
            "Kerkstraat",
            "Schoolstraat",
            "Dorpsstraat",
            "Molenstraat",
            "Hoofdstraat",
            "Julianastraat",
            "Nieuwstraat",
            "Wilhelminastraat",
            "Beatrixstraat",
            "Stationsweg",
            "Molenweg",
            "Kastanjelaan",
            "Eikenlaan",
            "Marktplein",
            "Parallelweg",
        ],
        house: HOUSE,
        street_form: "{street} {house}",
        address_form: "{line}, {postcode} {city}",
        firms: &["{a} B.V.", "{a} & {b} B.V.", "{a} V.O.F.", "{a} N.V.", "Gebroeders {a}", "{a} Groep"],
    },
    Country {
        code: "PT",
        name: "Portugal",
        currency: "EUR",
        phones: &["+351 00# ### ###"],
        streets: &[
            "Rua da Igreja",
            "Rua Direita",
            "Rua do Comércio",
            "Avenida da Liberdade",
            "Rua da Escola",
            "Rua das Flores",
            "Rua da Fonte",
            "Rua do Sol",
            "Largo da Igreja",
            "Rua 25 de Abril",
            "Rua 5 de Outubro",
            "Travessa do Carmo",
            "Rua de Santo António",
            "Rua Nova",
        ],
        house: HOUSE,
        street_form: "{street} {house}",
        address_form: "{line}, {postcode} {city}",
        firms: &[
            "{a} Lda.",
            "{a} e {b} Lda.",
            "{a} S.A.",
            "{a} e Filhos",
            "{a} Unipessoal Lda.",
            "Grupo {a}",
        ],
    },
    Country {
        code: "SA",
        name: "Saudi Arabia",
        currency: "SAR",
        phones: &["+966 00 ### ####"],
        streets: &[
            "شارع الملك فهد",
            "شارع العليا",
            "شارع التحلية",
            "شارع الأمير سلطان",
            "شارع الستين",
            "طريق الملك عبدالعزيز",
            "شارع الجامعة",
            "شارع السلام",
            "شارع النخيل",
            "شارع الورود",
            "شارع البحر",
            "طريق المطار",
        ],
        house: &[9900],
        street_form: "{house} {street}",
        address_form: "{line}، {city} {postcode}",
        firms: &["شركة {a}", "مؤسسة {a}", "شركة {a} و{b}", "مجموعة {a}", "شركة {a} المحدودة"],
    },
    Country {
        code: "TR",
        name: "Türkiye",
        currency: "TRY",
        phones: &["+90 00# ### ## ##"],
        streets: &[
            "Atatürk Caddesi",
            "Cumhuriyet Caddesi",
            "İnönü Caddesi",
            "İstiklal Caddesi",
            "Gazi Caddesi",
            "Okul Sokak",
            "Çiçek Sokak",
            "Gül Sokak",
            "Lale Sokak",
            "Menekşe Sokak",
            "Bahçe Sokak",
            "Yeni Sokak",
            "Barış Sokak",
            "Zafer Caddesi",
        ],
        house: HOUSE,
        street_form: "{street} No: {house}",
        address_form: "{line}, {postcode} {city}",
        firms: &[
            "{a} Ltd. Şti.",
            "{a} A.Ş.",
            "{a} ve Oğulları",
            "{a} {b} Ticaret",
            "{a} Holding",
            "{a} Sanayi A.Ş.",
        ],
    },
    Country {
        code: "TW",
        name: "Taiwan",
        currency: "TWD",
        phones: &["+886 00 #### ###"],
        streets: &[
            "中山路",
            "中正路",
            "民生路",
            "民權路",
            "和平路",
            "復興路",
            "仁愛路",
            "信義路",
            "忠孝路",
            "光復路",
            "文化路",
            "建國路",
            "成功路",
            "自由路",
        ],
        house: &[500],
        street_form: "{street}{house}號",
        address_form: "{postcode} {region}{city}{line}",
        firms: &[
            "{a}{b}有限公司",
            "{a}{b}股份有限公司",
            "{a}{b}企業社",
            "{a}{b}科技股份有限公司",
            "{a}氏企業",
        ],
    },
    Country {
        code: "US",
        name: "United States",
        currency: "USD",
        phones: &[
            "+1 212 555 01##",
            "+1 213 555 01##",
            "+1 312 555 01##",
            "+1 713 555 01##",
            "+1 602 555 01##",
            "+1 215 555 01##",
            "+1 619 555 01##",
            "+1 512 555 01##",
            "+1 415 555 01##",
            "+1 206 555 01##",
            "+1 303 555 01##",
            "+1 617 555 01##",
            "+1 404 555 01##",
            "+1 305 555 01##",
            "+1 612 555 01##",
        ],
        streets: &[
            "Main Street",
            "Oak Street",
            "Maple Avenue",
            "Cedar Lane",
            "Park Avenue",
            "Washington Street",
            "Lake Drive",
            "Hill Road",
            "Elm Street",
            "Pine Street",
            "Walnut Street",
            "Sunset Boulevard",
            "Church Street",
            "Spring Street",
            "River Road",
            "Second Street",
            "Third Street",
            "Fifth Avenue",
            "Highland Avenue",
            "Franklin Street",
        ],
        house: &[9900],
        street_form: "{house} {street}",
        address_form: "{line}, {city}, {state_code} {postcode}",
        firms: &[
            "{a} LLC",
            "{a} Inc.",
            "{a} & {b}",
            "{a} Group",
            "{a} and Sons",
            "{a} Corporation",
            "{a} Partners",
        ],
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_facts_of_the_right_form() {
        for row in include_str!("../../data/places.csv").lines().skip(1) {
            let place = place(row).unwrap_or_else(|| panic!("{row}"));
            assert!(Country::find(place.country).is_some(), "{row}");
            assert!(
                !place.city.is_empty() && !place.state.is_empty() && !place.state_code.is_empty(),
                "{row}"
            );
            assert!(place.latitude.abs() < 700_000 && place.longitude.abs() < 1_800_000, "{row}");
            assert!(jiff::tz::TimeZone::get(place.time_zone).is_ok(), "{row}");
            assert!(place.people >= 10.0, "{row}");
            let form = |c: char| c.is_ascii_digit() || c.is_ascii_uppercase() || "#@ -".contains(c);
            assert!(place.postcode.contains('#') && place.postcode.chars().all(form), "{row}");
        }
    }

    #[test]
    fn every_country_has_a_dozen_cities_and_streets() {
        assert!(COUNTRIES.is_sorted_by(|a, b| a.code < b.code));
        for country in COUNTRIES {
            assert!(country.places().count() >= 12, "{}", country.name);
            assert!(country.streets.len() >= 12 && country.firms.len() >= 5, "{}", country.name);
            assert!(country.house.iter().all(|most| *most > 1), "{}", country.name);
            for form in country.phones {
                assert!(form.matches('#').count() >= 2 && form.starts_with('+'), "{form}");
            }
        }
    }
}
