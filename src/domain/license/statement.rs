//! What no comparison of texts finds: statements of the Government, SPDX tags,
//! and references to other files.
//!
//! Promises: (1) a statement with a limit in it ("may not", "only", …) is
//! found but not [`Statement::firm`], so that a person looks; (2) an
//! expression the `spdx` crate cannot parse is no tag.

use std::collections::HashMap;
use std::hash::BuildHasherDefault;
use std::sync::LazyLock;

use super::LicenseId;
use super::words::{Word, WordHasher};

/// A sentence that says something on the Government's works or rights.
pub(super) struct Statement {
    /// What it says; `None` for a sentence that merely belongs to statements.
    pub(super) id: Option<LicenseId>,
    /// First and one past the last of its words.
    pub(super) words: std::ops::Range<usize>,
    /// Nothing in it limits what it says.
    pub(super) firm: bool,
}

/// 17 U.S.C. 101 and 105 in the wordings agencies use. NIST, NASA, USGS, GSA,
/// CFPB and DoD all write one of these.
const WORK: &[&str] = &[
    "work of the united states government",
    "work of the united states federal government",
    "work of the u s government",
    "work of the us government",
    "work of the federal government",
    "work of the u s federal government",
    "works of the united states government",
    "works of the u s government",
    "united states government work",
    "u s government work",
    "us government work",
    "work of the department of",
    "17 u s c 105",
    "17 u s c 101",
    "17 u s c section 105",
    "17 u s c sec 105",
    "17 usc 105",
    "17 usc 101",
    "17 usc section 105",
    "17 u s code 105",
    "title 17 section 105",
    "title 17 united states code section 105",
    "title 17 u s c section 105",
    "section 105 of title 17",
    "section 105 of the copyright act",
    "in the public domain within the united states",
    "in the public domain in the united states",
    "not subject to copyright protection",
    "not subject to copyright in the united states",
    "not subject to domestic copyright protection",
    "no copyright in the united states",
    "united states public domain",
    "u s public domain",
];

/// Rights the Government keeps in a contractor's work: FAR 52.227-14, DEAR
/// 970.5227-2, and the laboratories' usual lines.
const RIGHTS: &[&str] = &[
    "government retains certain rights",
    "government retains and the publisher",
    "government has certain rights",
    "government has been granted for itself",
    "government is granted for itself",
    "government consequently retains certain rights",
    "government retains a nonexclusive",
    "government retains a non exclusive",
    "government may retain certain rights",
    "government purpose rights",
    "government s rights",
    "government has unlimited rights",
    "required approvals from the u s dept of energy",
    "required approvals from the u s department of energy",
];

/// The waiver 18F, GSA, USGS and CFPB put beside their statement.
const WAIVER: &[&str] = &[
    "waive copyright and related rights in the work worldwide through the cc0 1 0 universal public domain dedication",
    "waives copyright and related rights in the work worldwide through the cc0 1 0 universal public domain dedication",
];

/// Sentences that accompany a statement and limit nothing.
const BESIDE: &[&str] = &[
    "for more information see",
    "by employees of the",
    "by an employee of the",
    "by government employees",
    "by the u s geological survey",
    "in the course of their official duties",
    "in the course of official duties",
    "as part of their official duties",
    "assumes no responsibility",
    "makes no guarantees",
    "makes no warranty",
    "makes any warranty",
    "no warranty",
    "without warranty of any kind",
    "shall not be held liable",
    "nor shall the fact of distribution constitute any such warranty",
    "nor shall the fact of release constitute any such warranty",
    "under the terms of contract",
    "under contract no",
    "under contract de",
    "contract with the u s department of energy",
    "subject to review",
    "released on condition that neither",
    "foreign copyright",
    "may be subject to foreign",
    "may be copyrighted in other countries",
    "we would appreciate acknowledgment",
    "appreciate acknowledgment if the software is used",
    "does not imply endorsement",
    "do not imply endorsement",
    "are not intended as an endorsement",
    "for the united states department of energy",
    "for the u s department of energy",
    "has no copyright protection",
    "was prepared as an account of work sponsored by an agency",
];

/// Whatever says these limits what is said beside them.
const LIMITS: &[&str] = &[
    "but",
    "classified",
    "commercial",
    "confidential",
    "cost",
    "costs",
    "distribution is",
    "evaluation",
    "except",
    "exceptions",
    "excluding",
    "export",
    "fee",
    "forbidden",
    "however",
    "internal",
    "may not",
    "must",
    "must not",
    "not authorized",
    "not be redistributed",
    "official use",
    "only",
    "other than",
    "parts of",
    "pay",
    "payment",
    "portions",
    "prohibited",
    "proprietary",
    "provided that",
    "purchase",
    "requires",
    "restricted",
    "royalty",
    "shall not be copied",
    "shall not be distributed",
    "shall not be used",
    "shall not redistribute",
    "some of",
    "trial",
    "unless",
];

/// Longest sentence, in words, that is believed to say one thing.
const SENTENCE: usize = 120;

/// What a phrase tells of the sentence it stands in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sign {
    Rights,
    Waiver,
    Work,
    Beside,
    Limit,
    /// Common in USGS repositories: points to notes in single files.
    Unnoted,
}

type Phrases = HashMap<&'static str, Vec<(Vec<&'static str>, Sign)>, BuildHasherDefault<WordHasher>>;

/// All phrases by their first word.
static PHRASES: LazyLock<Phrases> = LazyLock::new(|| {
    let tables = [
        (RIGHTS, Sign::Rights),
        (WAIVER, Sign::Waiver),
        (WORK, Sign::Work),
        (BESIDE, Sign::Beside),
        (LIMITS, Sign::Limit),
        (&["unless otherwise noted"], Sign::Unnoted),
    ];
    let mut phrases = Phrases::default();
    for (phrase, sign) in
        tables.into_iter().flat_map(|(table, sign)| table.iter().map(move |phrase| (*phrase, sign)))
    {
        let words: Vec<&str> = phrase.split(' ').collect();
        phrases.entry(words[0]).or_default().push((words, sign));
    }
    phrases
});

/// Statements among the words `free` says nobody has explained yet.
pub(super) fn statements(words: &[Word<'_>], free: &[bool]) -> Vec<Statement> {
    let mut found = Vec::new();
    let mut at = 0;
    while at < words.len() {
        if !free[at] {
            at += 1;
            continue;
        }
        let start = at;
        loop {
            // "U.S." and "Sec." close no sentence, so short words never do.
            let ends = words[at].closes && words[at].text.len() > 3;
            at += 1;
            if ends || at == words.len() || !free[at] || words[at].opens {
                break;
            }
        }
        if let Some((id, firm)) = judge(&words[start..at]) {
            found.push(Statement { id, words: start..at, firm });
        }
    }
    if found.iter().all(|statement| statement.id.is_none()) {
        found.clear();
    }
    found
}

/// What a sentence says, and whether without limit.
fn judge(sentence: &[Word<'_>]) -> Option<(Option<LicenseId>, bool)> {
    let signs: Vec<Sign> = (0..sentence.len()).flat_map(|at| signs_at(&sentence[at..])).collect();
    let count = |sign: Sign| signs.iter().filter(|said| **said == sign).count();
    let limited = count(Sign::Limit) > count(Sign::Unnoted);
    let firm = !limited && sentence.len() <= SENTENCE;
    if count(Sign::Rights) > 0 {
        Some((Some(LicenseId::GOVERNMENT_RIGHTS), firm))
    } else if count(Sign::Waiver) > 0 {
        Some((Some(LicenseId::CC0), firm))
    } else if count(Sign::Work) > 0 {
        let denied =
            (0..sentence.len()).any(|at| DENIALS.iter().any(|denial| begins(&sentence[at..], denial)));
        (!denied).then_some((Some(LicenseId::GOVERNMENT_WORK), firm))
    } else {
        (count(Sign::Beside) > 0 && firm).then_some((None, true))
    }
}

/// The signs of the phrases that start with the first of these words.
fn signs_at(words: &[Word<'_>]) -> impl Iterator<Item = Sign> {
    let phrases = PHRASES.get(words[0].text).map_or(&[][..], Vec::as_slice);
    phrases.iter().filter(|(phrase, _)| begins(words, phrase)).map(|(_, sign)| *sign)
}

fn begins(words: &[Word<'_>], phrase: &[&str]) -> bool {
    words.len() >= phrase.len() && words.iter().zip(phrase).all(|(word, own)| word.text == *own)
}

/// Sentences with these say the opposite.
const DENIALS: &[&[&str]] = &[
    &["not", "a", "work", "of"],
    &["not", "the", "work", "of"],
    &["no", "work", "of"],
    &["not", "works", "of"],
    &["not", "in", "the", "public", "domain"],
];

/// The expression of each `SPDX-License-Identifier:` line, with its line.
/// Lines are those of the text, from 1.
/// A text that is nothing but an expression is a tag on its first line.
pub(super) fn tags(text: &str) -> Vec<(usize, LicenseId)> {
    const TAG: &str = "SPDX-License-Identifier:";
    let whole = text.trim();
    if whole.len() < 200 && spdx::Expression::parse(whole).is_ok() {
        let above = text.len() - text.trim_start().len();
        let line = 1 + text[..above].matches('\n').count();
        return vec![(line, LicenseId(whole.to_owned().into()))];
    }
    if !text.contains(TAG) {
        return Vec::new();
    }
    text.lines()
        .enumerate()
        .filter_map(|(at, line)| {
            let expression = line.split_once(TAG)?.1;
            let expression = expression.trim_matches(|c: char| {
                c.is_whitespace() || matches!(c, '*' | '/' | '-' | '>' | '<' | '!' | '`' | '#' | '"' | '_')
            });
            spdx::Expression::parse(expression).ok()?;
            Some((at + 1, LicenseId(expression.to_owned().into())))
        })
        .collect()
}

/// Names of license files a text mentions, in order, each once.
pub(super) fn files(text: &str) -> Vec<String> {
    let mut files: Vec<String> = Vec::new();
    let breaks = |c: char| {
        c.is_whitespace()
            || matches!(c, '(' | ')' | '[' | ']' | '`' | '"' | '\'' | '<' | '>' | ',' | ';' | '*')
    };
    for token in text.split(breaks) {
        let token = token.trim_end_matches(['.', ':', '!', '?']).trim_start_matches("./");
        let name = token.rsplit('/').next().unwrap_or_default();
        let named = ["LICENSE", "LICENCE", "COPYING", "UNLICENSE"].iter().any(|stem| name.starts_with(stem))
            || (name.contains(['-', '.', '_']) && name.to_ascii_lowercase().starts_with("licen"));
        let local = !token.contains("://") && !token.starts_with("www.");
        let shouted =
            name.contains(' ') || name.chars().any(|c| !(c.is_ascii_alphanumeric() || "-._".contains(c)));
        let held = super::is_license_path(name).is_some() && named && local && !shouted;
        // Two words in capitals, as in a heading, name no file.
        if held && name != "LICENSES" && !files.iter().any(|file| file == token) {
            files.push(token.to_owned());
        }
    }
    files
}

/// Licenses by the names people call them in a sentence.
const CALLED: &[(&str, &str)] = &[
    ("apache license version 2 0", "Apache-2.0"),
    ("apache license 2 0", "Apache-2.0"),
    ("apache 2 0", "Apache-2.0"),
    ("mit license", "MIT"),
    ("mit licenses", "MIT"),
    ("bsd 3 clause", "BSD-3-Clause"),
    ("bsd 2 clause", "BSD-2-Clause"),
    ("3 clause bsd", "BSD-3-Clause"),
    ("2 clause bsd", "BSD-2-Clause"),
    ("isc license", "ISC"),
    ("unlicense", "Unlicense"),
    ("cc0 1 0", "CC0-1.0"),
    ("mozilla public license version 2 0", "MPL-2.0"),
    ("boost software license version 1 0", "BSL-1.0"),
    ("zlib license", "Zlib"),
];

/// Licenses a text calls by name: (words, identifier), each name once.
pub(super) fn called(words: &[Word<'_>]) -> Vec<(std::ops::Range<usize>, LicenseId)> {
    let mut called: Vec<(std::ops::Range<usize>, LicenseId)> = Vec::new();
    for (phrase, id) in CALLED {
        let length = phrase.split(' ').count();
        let at = words
            .windows(length)
            .position(|window| window.iter().map(|word| word.text).eq(phrase.split(' ')));
        if let Some(at) = at
            && !called.iter().any(|(_, known)| known.as_str() == *id)
        {
            called.push((at..at + length, LicenseId((*id).into())));
        }
    }
    called.sort_by_key(|(words, _)| words.start);
    called
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_expressions() {
        let text = "// SPDX-License-Identifier: MIT OR Apache-2.0\n\n# SPDX-License-Identifier: what ever\n<!-- SPDX-License-Identifier: CC0-1.0 -->";
        let tags: Vec<(usize, String)> =
            tags(text).into_iter().map(|(line, id)| (line, id.to_string())).collect();
        assert_eq!(tags, [(1, "MIT OR Apache-2.0".to_owned()), (4, "CC0-1.0".to_owned())]);
    }

    #[test]
    fn file_names() {
        assert_eq!(
            files(
                "See LICENSE-MIT and [LICENSE-APACHE](LICENSE-APACHE), not License or https://x.test/LICENSE-2.0."
            ),
            ["LICENSE-MIT", "LICENSE-APACHE"]
        );
    }
}
