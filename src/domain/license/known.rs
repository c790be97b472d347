//! The licenses, notices and statements Muster knows word for word.
//!
//! Promises: (1) the catalog is built once, for the first text that is not one
//! of them as a whole; (2) what may differ from the published text is listed here and
//! nowhere else: [`Text::absent`], [`NAMES`], [`EXTRAS`], [`SAME`], [`ADDRESS`].

use std::borrow::Cow;
use std::collections::HashMap;
use std::hash::BuildHasherDefault;
use std::ops::Range;
use std::sync::LazyLock;

use super::words::{self, WordHasher};
use super::{Form, LicenseId, exact};

/// Number of a word in the [`Catalog`]; [`UNKNOWN`] is no known license's.
pub(super) type Number = u32;
/// A word that occurs in no known license; equal to nothing, itself included.
pub(super) const UNKNOWN: Number = 0;

/// One known text, as the table below writes it.
pub(super) struct Text {
    /// SPDX identifier or expression.
    pub(super) id: &'static str,
    pub(super) form: Form,
    from: From,
    /// Passages that may be missing or filled in: from the first words to the
    /// end of the last; to before them after a `<`; to the end of the text if
    /// there are none.
    absent: &'static [(&'static str, &'static str)],
}

enum From {
    /// The text under this name in the SPDX license list.
    Spdx(&'static str),
    /// The same, and words the published license has after it.
    SpdxThen(&'static str, &'static str),
    /// A text SPDX does not publish, or not in this wording.
    Own(&'static str),
}

const fn spdx(id: &'static str) -> Text {
    Text { id, form: Form::Text, from: From::Spdx(id), absent: &[] }
}

const fn spdx_without(id: &'static str, absent: &'static [(&'static str, &'static str)]) -> Text {
    Text { id, form: Form::Text, from: From::Spdx(id), absent }
}

const fn named(
    id: &'static str,
    name: &'static str,
    absent: &'static [(&'static str, &'static str)],
) -> Text {
    Text { id, form: Form::Text, from: From::Spdx(name), absent }
}

const fn own(id: &'static str, form: Form, text: &'static str) -> Text {
    Text { id, form, from: From::Own(text), absent: &[] }
}

/// How to apply: a guide for readers after the terms of the GNU licenses.
const GNU_GUIDE: &[(&str, &str)] =
    &[("end of terms and conditions", ""), ("how to apply these terms to your new", "")];
/// What Creative Commons prints around its licenses.
const CC_FRAME: &[(&str, &str)] = &[
    ("creative commons corporation creative commons is not a law firm", "<by exercising the licensed rights"),
    ("creative commons is not a party to its public licenses", ""),
];

/// The same around version 3.
const CC_FRAME_3: &[(&str, &str)] = &[
    ("creative commons corporation is not a law firm", "<the work as defined below"),
    ("creative commons is not a party to this license", ""),
];

/// A license text alone does not say "or any later version"; so the text of a
/// GNU license is reported as `-only`, the narrower grant.
pub(super) const TEXTS: &[Text] = &[
    spdx("0BSD"),
    spdx("AFL-3.0"),
    named("AGPL-3.0-only", "AGPL-3.0", GNU_GUIDE),
    spdx("Apache-1.1"),
    spdx_without(
        "Apache-2.0",
        &[("end of terms and conditions", ""), ("appendix how to apply the apache license", "")],
    ),
    spdx("Artistic-1.0"),
    spdx("Artistic-1.0-Perl"),
    spdx("Artistic-2.0"),
    spdx("BlueOak-1.0.0"),
    spdx("BSD-1-Clause"),
    spdx("BSD-2-Clause"),
    spdx("BSD-2-Clause-Patent"),
    spdx("BSD-2-Clause-Views"),
    spdx("BSD-3-Clause"),
    spdx("BSD-3-Clause-Attribution"),
    spdx("BSD-3-Clause-Clear"),
    spdx("BSD-3-Clause-LBNL"),
    spdx("BSD-3-Clause-Modification"),
    spdx("BSD-3-Clause-No-Nuclear-License"),
    spdx("BSD-3-Clause-Open-MPI"),
    spdx("BSD-4-Clause"),
    spdx("BSD-4-Clause-UC"),
    spdx("BSD-Source-Code"),
    spdx("BSL-1.0"),
    spdx("BUSL-1.1"),
    spdx_without("CC-BY-3.0", CC_FRAME_3),
    spdx_without("CC-BY-4.0", CC_FRAME),
    spdx_without("CC-BY-NC-4.0", CC_FRAME),
    spdx_without("CC-BY-NC-SA-4.0", CC_FRAME),
    spdx_without("CC-BY-ND-4.0", CC_FRAME),
    spdx_without("CC-BY-SA-3.0", CC_FRAME_3),
    spdx_without("CC-BY-SA-4.0", CC_FRAME),
    spdx("CC-PDDC"),
    spdx_without("CC0-1.0", &[("creative commons corporation is not a law firm", "<statement of purpose")]),
    spdx("CDDL-1.0"),
    spdx("CDDL-1.1"),
    spdx("CDLA-Permissive-2.0"),
    spdx("CECILL-2.1"),
    spdx("curl"),
    spdx("ECL-2.0"),
    spdx("EPL-1.0"),
    spdx("EPL-2.0"),
    spdx("EUPL-1.2"),
    named("GFDL-1.2-only", "GFDL-1.2", &[("addendum how to use this license", "")]),
    named("GFDL-1.3-only", "GFDL-1.3", &[("addendum how to use this license", "")]),
    named(
        "GPL-1.0-only",
        "GPL-1.0",
        &[("end of terms and conditions", ""), ("appendix how to apply these terms", "")],
    ),
    Text {
        id: "GPL-2.0-only",
        form: Form::Text,
        from: From::SpdxThen("GPL-2.0", include_str!("known/gpl-2.0-end.txt")),
        absent: GNU_GUIDE,
    },
    named("GPL-3.0-only", "GPL-3.0", GNU_GUIDE),
    spdx("HPND"),
    spdx("ICU"),
    spdx("ISC"),
    spdx("JSON"),
    named("LGPL-2.0-only", "LGPL-2.0", GNU_GUIDE),
    named("LGPL-2.1-only", "LGPL-2.1", GNU_GUIDE),
    named("LGPL-3.0-only", "LGPL-3.0", &[("gnu general public license version 3 29 june 2007", "")]),
    spdx("Libpng"),
    spdx("LPPL-1.3c"),
    spdx("MIT"),
    spdx("MIT-0"),
    spdx("MIT-CMU"),
    spdx("MIT-Modern-Variant"),
    spdx_without("MPL-1.1", &[("exhibit a mozilla public license", "")]),
    spdx_without("MPL-2.0", &[("exhibit a source code form license notice", "")]),
    spdx("MS-PL"),
    spdx("MS-RL"),
    spdx("NASA-1.3"),
    spdx_without("NCSA", &[("developed by", "url for development group institution")]),
    spdx("NIST-PD"),
    spdx("NIST-PD-fallback"),
    spdx("NIST-PD-TNT"),
    spdx("NIST-Software"),
    spdx("NTP"),
    spdx("ODbL-1.0"),
    spdx("ODC-By-1.0"),
    spdx("OFL-1.1"),
    spdx("OpenSSL"),
    spdx("OSL-3.0"),
    spdx("PDDL-1.0"),
    spdx("PostgreSQL"),
    spdx("PSF-2.0"),
    spdx("Python-2.0"),
    spdx("Ruby"),
    spdx("SSPL-1.0"),
    spdx("Unicode-3.0"),
    spdx("Unicode-DFS-2016"),
    spdx_without("Unlicense", &[("for more information please refer to", "")]),
    spdx("UPL-1.0"),
    spdx("Vim"),
    spdx("W3C"),
    spdx("WTFPL"),
    spdx("X11"),
    spdx("Zlib"),
    spdx("zlib-acknowledgement"),
    named("Apache-2.0 WITH LLVM-exception", "LLVM-exception", &[]),
    own("CC0-1.0", Form::Notice, include_str!("known/cc0-summary.txt")),
    own("Apache-2.0", Form::Notice, include_str!("known/apache-2.0-notice.txt")),
    own("MPL-2.0", Form::Notice, include_str!("known/mpl-2.0-notice.txt")),
    own("OFL-1.1", Form::Notice, include_str!("known/ofl-1.1-notice.txt")),
    own("BSD-3-Clause", Form::Text, include_str!("known/bsd-3-clause-author.txt")),
    own("GPL-2.0-or-later", Form::Notice, include_str!("known/gpl-2.0-or-later-notice.txt")),
    own("GPL-3.0-or-later", Form::Notice, include_str!("known/gpl-3.0-or-later-notice.txt")),
    own("GPL-2.0-only", Form::Notice, include_str!("known/gpl-2.0-only-notice.txt")),
    own("GPL-3.0-only", Form::Notice, include_str!("known/gpl-3.0-only-notice.txt")),
    own("LGPL-2.1-or-later", Form::Notice, include_str!("known/lgpl-2.1-or-later-notice.txt")),
    own("LGPL-3.0-or-later", Form::Notice, include_str!("known/lgpl-3.0-or-later-notice.txt")),
    own("AGPL-3.0-or-later", Form::Notice, include_str!("known/agpl-3.0-or-later-notice.txt")),
];

/// Where a known text names its holder, anybody may stand.
const NAMES: &[&str] = &[
    "the copyright holders and contributors",
    "the copyright holders or contributors",
    "the copyright holder and contributors",
    "the copyright holder or contributors",
    "the copyright owner or contributors",
    "name of the copyright holder nor the names of its contributors",
    "the authors or copyright holders",
    "the copyright holders",
    "the copyright holder",
    "copyright holders",
    "copyright holder",
    "the regents and contributors",
    "the regents or contributors",
    "of the university nor the names of its contributors",
    "the authors",
    "the author",
    "this program",
    "this library",
    "the organization",
];

/// Said in some copies of a license and in others not.
const EXTRAS: &[&str] = &[
    "including the next paragraph",
    "all rights reserved",
    "end of terms and conditions",
    "terms and conditions",
];

/// Wordings that stand for one another in published copies.
const SAME: &[(&str, &str)] = &[
    ("author", "authors"),
    ("author disclaims", "authors disclaim"),
    ("his or her", "their"),
    ("expressed", "express"),
    ("owner", "holder"),
    ("owners", "holders"),
    ("sections 3 1 3 2 3 3 3 4 and", "section 3 1"),
];

/// Words of the addresses the Free Software Foundation has had.
const ADDRESS: &[&str] = &[
    "02110",
    "02111",
    "02139",
    "1301",
    "1307",
    "330",
    "51",
    "59",
    "675",
    "ave",
    "boston",
    "cambridge",
    "fifth",
    "floor",
    "franklin",
    "inc",
    "ma",
    "mass",
    "place",
    "st",
    "street",
    "suite",
    "temple",
    "usa",
];

/// A known text, ready to be compared.
pub(super) struct Known {
    pub(super) id: LicenseId,
    pub(super) form: Form,
    pub(super) words: Vec<Number>,
    /// May be missing or filled in.
    pub(super) absent: Vec<Range<usize>>,
    /// Any name may stand here.
    pub(super) names: Vec<Range<usize>>,
    /// Words of its title; a line of these alone adds nothing.
    title: &'static [String],
}

impl Known {
    /// The words of its names.
    pub(super) fn title(&self) -> impl Iterator<Item = &str> {
        self.title.iter().map(String::as_str)
    }

    /// Whether a word belongs to the title of this license.
    pub(super) fn titles(&self, word: &str) -> bool {
        is_title(word, self.title)
    }
}

/// All known texts, their words, and where each run of words occurs.
pub(super) struct Catalog {
    pub(super) known: Vec<Known>,
    numbers: HashMap<Box<str>, Number, BuildHasherDefault<WordHasher>>,
    /// The word of each number from 1.
    spelled: Vec<Box<str>>,
    pub(super) extras: Vec<Vec<Number>>,
    pub(super) same: Vec<(Vec<Number>, Vec<Number>)>,
    address: Vec<Number>,
}

static CATALOG: LazyLock<Catalog> = LazyLock::new(Catalog::build);

/// The one catalog of the process.
pub(super) fn catalog() -> &'static Catalog {
    &CATALOG
}

impl Catalog {
    fn build() -> Catalog {
        let mut catalog = Catalog {
            known: Vec::with_capacity(TEXTS.len()),
            numbers: HashMap::default(),
            spelled: Vec::new(),
            extras: Vec::new(),
            same: Vec::new(),
            address: Vec::new(),
        };
        for (index, text) in TEXTS.iter().enumerate() {
            catalog.add(text, exact::spelled(index));
        }
        catalog.extras = EXTRAS.iter().map(|extra| catalog.phrase(extra)).collect();
        catalog.same = SAME.iter().map(|(a, b)| (catalog.phrase(a), catalog.phrase(b))).collect();
        catalog.address = ADDRESS.iter().map(|word| catalog.number(word)).collect();
        catalog
    }

    fn add(&mut self, text: &Text, spelled: &'static exact::Spelled) {
        // The words of the title are known words too, though not compared.
        spelled.heading().for_each(|word| _ = self.learn(word));
        let numbers: Vec<Number> = spelled.body().map(|word| self.learn(word)).collect();
        let absent = text
            .absent
            .iter()
            .filter_map(|(first, last)| {
                let start = *self.find(&numbers, first).first()?;
                let end = match *last {
                    "" => numbers.len(),
                    last => {
                        let at = self.find(&numbers[start..], last.trim_start_matches('<'));
                        let kept = if last.starts_with('<') { 0 } else { last.split(' ').count() };
                        start + at.first()? + kept
                    }
                };
                Some(start..end)
            })
            .collect();
        let names = NAMES
            .iter()
            .flat_map(|name| {
                let length = name.split(' ').count();
                self.find(&numbers, name).into_iter().map(move |start| start..start + length)
            })
            .collect();
        let (id, title) = (text.license(), spelled.title());
        self.known.push(Known { id, form: text.form, words: numbers, absent, names, title });
    }

    /// The number of a word, a new one the first time.
    fn learn(&mut self, word: &str) -> Number {
        if let Some(number) = self.numbers.get(word) {
            return *number;
        }
        self.spelled.push(word.into());
        let number = self.spelled.len() as Number;
        self.numbers.insert(word.into(), number);
        number
    }

    /// The number of a word, [`UNKNOWN`] if no known text has it.
    pub(super) fn number(&self, word: &str) -> Number {
        self.numbers.get(word).copied().unwrap_or(UNKNOWN)
    }

    /// The word with this number; empty for [`UNKNOWN`].
    pub(super) fn word(&self, number: Number) -> &str {
        (number as usize).checked_sub(1).map_or("", |at| &self.spelled[at])
    }

    fn phrase(&self, phrase: &str) -> Vec<Number> {
        phrase.split(' ').map(|word| self.number(word)).collect()
    }

    fn find(&self, words: &[Number], phrase: &str) -> Vec<usize> {
        let phrase = self.phrase(phrase);
        if phrase.contains(&UNKNOWN) {
            return Vec::new();
        }
        // The first words nearly always differ, which is cheap to see.
        let stands = |at: &usize| words[*at] == phrase[0] && words[*at..].starts_with(&phrase);
        (0..words.len()).filter(stands).collect()
    }

    /// Whether all words belong to an address of the Free Software Foundation.
    pub(super) fn is_address(&self, words: &[Number]) -> bool {
        words.iter().all(|word| self.address.contains(word))
    }
}

impl Text {
    pub(super) fn license(&self) -> LicenseId {
        LicenseId(Cow::Borrowed(self.id))
    }

    /// The text as it is published.
    pub(super) fn source(&self) -> Cow<'static, str> {
        match self.from {
            From::Own(text) => Cow::Borrowed(text),
            From::Spdx(name) => Cow::Borrowed(published(name)),
            From::SpdxThen(name, end) => Cow::Owned(format!("{}\n\n{end}", published(name))),
        }
    }
}

/// The text SPDX publishes under a name; a test sees to it that all are there.
fn published(name: &str) -> &'static str {
    spdx::text::LICENSE_TEXTS
        .iter()
        .chain(spdx::text::EXCEPTION_TEXTS)
        .find_map(|(id, text)| (*id == name).then_some(*text))
        .unwrap_or_default()
}

/// Words of titles in general.
const COMMON: &[&str] = &[
    "2004",
    "agreement",
    "and",
    "april",
    "august",
    "conditions",
    "copyright",
    "deed",
    "dual",
    "expat",
    "february",
    "foundation",
    "full",
    "general",
    "january",
    "july",
    "june",
    "legal",
    "license",
    "licenses",
    "march",
    "modified",
    "new",
    "notice",
    "of",
    "open",
    "or",
    "public",
    "revised",
    "simplified",
    "software",
    "source",
    "standard",
    "terms",
    "text",
    "the",
    "universal",
    "version",
];

/// Whether a word stands in titles of any license and says nothing alone.
pub(super) fn is_common(word: &str) -> bool {
    // The shortest and the longest of them.
    (2..=10).contains(&word.len()) && COMMON.binary_search(&word).is_ok()
}

/// Whether a word may stand in a title line, beside the license's own words.
pub(super) fn is_title(word: &str, own: &[String]) -> bool {
    is_common(word) || own.iter().any(|own| own == word)
}

/// Words a title line of the license may consist of.
pub(super) fn title_of(id: &str) -> Vec<String> {
    let base = id.trim_end_matches("-only").trim_end_matches("-or-later");
    let names = [id, base]
        .into_iter()
        .filter_map(spdx::license_id)
        .flat_map(|license| [license.name, license.full_name])
        .chain([id]);
    let mut title = Vec::new();
    for name in names {
        let normal = words::normalise(name);
        let words = normal.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
        title.extend(words.map(str::to_owned));
    }
    title
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_text_is_there_and_its_variations_are_found() {
        assert!(COMMON.is_sorted());
        let mut wrong = Vec::new();
        for (text, known) in TEXTS.iter().zip(&catalog().known) {
            if known.words.len() <= 10 || spdx::Expression::parse(text.id).is_err() {
                wrong.push(format!("{}: no text, or no SPDX expression", text.id));
            }
            for (first, last) in text.absent {
                for phrase in [first, last] {
                    let phrase = phrase.trim_start_matches('<');
                    if !phrase.is_empty() && catalog().find(&known.words, phrase).is_empty() {
                        wrong.push(format!("{}: {phrase:?} is not in its text", text.id));
                    }
                }
            }
        }
        assert!(wrong.is_empty(), "{wrong:#?}");
    }
}
