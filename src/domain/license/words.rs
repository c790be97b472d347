//! A text as the words that matter, each with its line.
//!
//! Promises: (1) two texts that differ only in wrapping, line ends, case,
//! punctuation, Markdown or comment marks, list numbers, addresses of web
//! pages or copyright statements have the same words; (2) nothing that could
//! carry a condition is dropped: a copyright statement ends where a word of
//! [`WEIGHT`] begins; (3) a hidden change of direction is a word of its own,
//! so that a text that reads differently than it is stored never matches.

use std::{
    borrow::Cow,
    collections::HashSet,
    hash::{BuildHasherDefault, Hasher},
    sync::LazyLock,
};

use unicode_normalization::UnicodeNormalization;

/// One word, lower case, with what its surroundings say about it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Word<'a> {
    pub(super) text: &'a str,
    /// Line in the file, from 1.
    pub(super) line: u32,
    /// First word after a blank line, or of the file.
    pub(super) opens: bool,
    /// Last word before a full stop, question or exclamation mark, or colon.
    pub(super) closes: bool,
}

/// Words that can grant, forbid or limit. Beside them nothing is overlooked.
pub(super) const WEIGHT: &[&str] = &[
    "agree",
    "agreement",
    "allowed",
    "any",
    "anyone",
    "are",
    "be",
    "but",
    "can",
    "cannot",
    "charge",
    "clause",
    "commercial",
    "commercially",
    "condition",
    "conditions",
    "consent",
    "contract",
    "copies",
    "copy",
    "copying",
    "covered",
    "dedicated",
    "disclaimer",
    "distribute",
    "distributed",
    "distribution",
    "domain",
    "except",
    "exempt",
    "everyone",
    "export",
    "fee",
    "for",
    "forbidden",
    "free",
    "grant",
    "granted",
    "hereby",
    "if",
    "is",
    "law",
    "legal",
    "liability",
    "license",
    "licensed",
    "licenses",
    "licensing",
    "limited",
    "may",
    "modification",
    "modify",
    "must",
    "no",
    "non",
    "nor",
    "not",
    "only",
    "otherwise",
    "own",
    "patent",
    "pay",
    "permission",
    "permitted",
    "permits",
    "prohibited",
    "proprietary",
    "provided",
    "purpose",
    "purposes",
    "redistribute",
    "redistribution",
    "redistributions",
    "require",
    "required",
    "requires",
    "restricted",
    "restriction",
    "restrictions",
    "secret",
    "sell",
    "shall",
    "should",
    "subject",
    "sublicense",
    "terms",
    "this",
    "unless",
    "use",
    "used",
    "uses",
    "using",
    "warranty",
    "waive",
    "waived",
    "was",
    "were",
    "which",
    "will",
    "without",
    "you",
    "your",
];

/// [`WEIGHT`] for the search: it is asked for every word of a text.
static WEIGHTY: LazyLock<HashSet<&str, BuildHasherDefault<WordHasher>>> =
    LazyLock::new(|| WEIGHT.iter().copied().collect());

/// FNV-1a. The tables it serves are filled by us alone, so nobody can crowd
/// them.
#[derive(Default)]
pub(super) struct WordHasher(u64);

impl Hasher for WordHasher {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    fn finish(&self) -> u64 {
        self.0 ^ (self.0 >> 29)
    }
}

/// Whether a word can carry a condition.
pub(super) fn has_weight(word: &str) -> bool {
    WEIGHTY.contains(word) || word.starts_with('\u{202e}')
}

/// After these a number refers to a passage and is not a list number.
const REFERRING: &[&str] = &[
    "article",
    "and",
    "clause",
    "clauses",
    "or",
    "paragraph",
    "paragraphs",
    "section",
    "sections",
    "subsection",
    "through",
    "to",
    "under",
    "version",
];

/// Of these, the words that join list items as well: "…; and b) …".
const JOINING: &[&str] = &["and", "or"];

/// Spellings that mean the same in a license (SPDX matching guidelines).
const SPELLINGS: &[(&str, &str)] = &[
    ("acknowledgement", "acknowledgment"),
    ("authorisation", "authorization"),
    ("authorised", "authorized"),
    ("favour", "favor"),
    ("fulfil", "fulfill"),
    ("initialise", "initialize"),
    ("judgement", "judgment"),
    ("labour", "labor"),
    ("licence", "license"),
    ("licences", "licenses"),
    ("merchantibility", "merchantability"),
    ("organisation", "organization"),
    ("organisations", "organizations"),
    ("recognised", "recognized"),
    ("sublicence", "sublicense"),
];

/// Lower case, compatibility forms resolved, invisible characters gone, line
/// ends `\n`. Lines keep their numbers.
pub(super) fn normalise(text: &str) -> String {
    let text = line_ends(text);
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    let mut normal = String::with_capacity(text.len());
    let mut rest = &*text;
    while let Some(foreign) = rest.bytes().position(|byte| !byte.is_ascii()) {
        // The character before may take an accent from them; nothing joins the
        // one after, which is ASCII again.
        let (plain, joined) = rest.split_at(foreign.saturating_sub(1));
        let next = joined.bytes().skip(1).position(|byte| byte.is_ascii());
        let (joined, after) = joined.split_at(next.map_or(joined.len(), |next| next + 1));
        lower(&mut normal, plain);
        let visible = |c: &char| !matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}');
        normal.extend(joined.nfkc().filter(visible).flat_map(char::to_lowercase));
        rest = after;
    }
    lower(&mut normal, rest);
    normal
}

/// Adds ASCII text in lower case.
fn lower(normal: &mut String, ascii: &str) {
    let start = normal.len();
    normal.push_str(ascii);
    normal[start..].make_ascii_lowercase();
}

fn line_ends(text: &str) -> Cow<'_, str> {
    if text.contains('\r') {
        Cow::Owned(text.replace("\r\n", "\n").replace('\r', "\n"))
    } else {
        Cow::Borrowed(text)
    }
}

/// The words of a text already brought to its normal form by [`normalise`].
pub(super) fn words(normal: &str) -> Vec<Word<'_>> {
    let mut words = split(normal);
    drop_copyright(normal, &mut words);
    words
}

fn is_direction(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Splits into words, leaving out addresses and list numbers.
fn split(normal: &str) -> Vec<Word<'_>> {
    let bytes = normal.as_bytes();
    let mut found: Vec<Word<'_>> = Vec::with_capacity(normal.len() / 6);
    let (mut line, mut newlines, mut at) = (1u32, 2u32, 0usize);
    while at < bytes.len() {
        let end = end_of_word(normal, at);
        if end > at {
            let text = &normal[at..end];
            if matches!(bytes[at], b'h' | b'w')
                && let Some(length) = address(&normal[at..])
            {
                at += length;
                newlines = 0;
                continue;
            }
            if end - at > 5 || !is_marker(bytes, at, end, found.last()) {
                found.push(Word { text: spelling(text), line, opens: newlines > 1, closes: false });
                newlines = 0;
            }
            at = end;
            continue;
        }
        match bytes[at] {
            b'\n' => {
                line += 1;
                newlines += 1;
                at += 1;
            }
            b'.' | b'!' | b'?' | b':' | b';' => {
                let ends =
                    newlines == 0 && bytes.get(at + 1).is_none_or(|next| !next.is_ascii_alphanumeric());
                if let Some(last) = found.last_mut()
                    && ends
                {
                    last.closes = true;
                }
                at += 1;
            }
            byte if byte.is_ascii() => at += 1,
            _ => {
                let Some(c) = normal[at..].chars().next() else { break };
                if is_direction(c) {
                    found.push(Word { text: "\u{202e}", line, opens: false, closes: false });
                }
                at += c.len_utf8();
            }
        }
    }
    found
}

/// One past the last byte of the word that starts at `at`; `at` if none does.
fn end_of_word(normal: &str, at: usize) -> usize {
    let bytes = normal.as_bytes();
    let mut end = at;
    loop {
        while let Some(eight) = bytes[end..].first_chunk() {
            let plain = plain_bytes(u64::from_le_bytes(*eight));
            end += plain;
            if plain < 8 {
                break;
            }
        }
        end += bytes[end..].iter().take_while(|byte| byte.is_ascii_alphanumeric()).count();
        if bytes.get(end).is_none_or(u8::is_ascii) {
            return end;
        }
        match normal[end..].chars().next() {
            Some(c) if c.is_alphanumeric() => end += c.len_utf8(),
            _ => return end,
        }
    }
}

/// How many of eight bytes, from the lowest, are digits or small letters up to
/// the first that is not. All at once: where a word ends is a guess that
/// processors mostly lose, and nearly all the time goes into reading words.
fn plain_bytes(eight: u64) -> usize {
    const EACH: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x80 * EACH;
    // Seven bits each, so that no sum runs over into the next byte.
    let low = eight & !HIGH;
    // The high bit of each byte: from `first` on, but not beyond `last`.
    let within =
        |first: u8, last: u8| (low + u64::from(0x80 - first) * EACH) & !(low + u64::from(0x7f - last) * EACH);
    let plain = (within(b'0', b'9') | within(b'a', b'z')) & !eight & HIGH;
    ((plain ^ HIGH).trailing_zeros() / 8) as usize
}

fn spelling(word: &str) -> &str {
    // Asked for every word: most are told by their first letters.
    let may_differ = matches!(
        word.as_bytes(),
        [b'a', b'c' | b'u', _, _, _, _, ..]
            | [b'f', b'a' | b'u', _, _, _, _, ..]
            | [b'i', b'n', b'i', _, _, _, ..]
            | [b'j', b'u', b'd', _, _, _, ..]
            | [b'l', b'a' | b'i', b'b' | b'c', _, _, _, ..]
            | [b'm', b'e', b'r', _, _, _, ..]
            | [b'o', b'r', b'g', _, _, _, ..]
            | [b'r', b'e', b'c', _, _, _, ..]
            | [b's', b'u', b'b', _, _, _, ..]
    );
    if !may_differ {
        return word;
    }
    match SPELLINGS.binary_search_by_key(&word, |(from, _)| from) {
        Ok(at) => SPELLINGS[at].1,
        Err(_) => word,
    }
}

/// Length in bytes of the web address that starts here, if one does.
fn address(rest: &str) -> Option<usize> {
    let is = ["http://", "https://", "www."].iter().any(|start| rest.starts_with(start));
    is.then(|| {
        rest.find(|c: char| c.is_whitespace() || matches!(c, '>' | ')' | ']' | '"' | '\'' | ','))
            .unwrap_or(rest.len())
    })
}

/// A list number or letter: `1.`, `a)`, `(iv)`, and the `c` of `(c)`.
fn is_marker(bytes: &[u8], at: usize, end: usize, before: Option<&Word<'_>>) -> bool {
    let word = &bytes[at..end];
    let shaped = match word {
        [b'0'..=b'9'] | [b'0'..=b'9', b'0'..=b'9'] | [b'a'..=b'z'] => true,
        _ => word.len() <= 5 && word.iter().all(|b| matches!(b, b'i' | b'v' | b'x')),
    };
    if !shaped {
        return false;
    }
    let previous = at.checked_sub(1).map(|at| bytes[at]);
    // The last letter of an abbreviation such as "U.S.C."
    if previous == Some(b'.') && word[0].is_ascii_alphabetic() {
        return false;
    }
    let after = bytes.get(end).copied();
    let wrapped = previous == Some(b'(') && after == Some(b')');
    let dotted = matches!(after, Some(b'.' | b')' | b'\\'))
        && bytes.get(end + 1).is_none_or(|b| b.is_ascii_whitespace() || b".*_".contains(b));
    let refers = before.is_some_and(|before| {
        REFERRING.contains(&before.text) && (word[0].is_ascii_digit() || !JOINING.contains(&before.text))
    });
    wrapped || (dotted && !refers)
}

/// Leaves out copyright statements: from "Copyright (c)", "Copyright 2020" or
/// "© 2020" to the end of the sentence or paragraph, or the first word of
/// weight; and "All rights reserved" wherever it stands.
fn drop_copyright(normal: &str, words: &mut Vec<Word<'_>>) {
    // What is kept moves to the front of the words themselves.
    let mut kept = 0;
    let mut at = 0;
    let mut opens = false;
    while at < words.len() {
        let word = words[at];
        opens |= word.opens;
        let before = || around(normal, word.text).0.trim_end();
        let after = || around(normal, word.text).1;
        let starts = match word.text {
            "copyright" => {
                let line_begins = at == 0 || words[at - 1].line != word.line;
                states_holder(after(), line_begins) || names_holder(&words[at..])
            }
            "spdx" => after().starts_with("-filecopyrighttext"),
            year if is_year(year) => before().ends_with("(c)") || before().ends_with('©'),
            _ => false,
        };
        if starts {
            kept = without_portions(&words[..kept], word.line);
            at = end_of_statement(words, at);
        } else if is_phrase(&words[at..], &["all", "rights", "reserved"]) {
            at += 3;
        } else {
            // What a statement leaves behind opens the paragraph in its place.
            words[kept] = Word { opens, ..word };
            kept += 1;
            opens = false;
            at += 1;
        }
    }
    words.truncate(kept);
}

/// The text before and after a word; nothing where the word is a spelling of
/// ours and not a piece of the text.
fn around<'a>(normal: &'a str, word: &str) -> (&'a str, &'a str) {
    let start = (word.as_ptr() as usize).wrapping_sub(normal.as_ptr() as usize);
    match start.checked_add(word.len()) {
        Some(end) if end <= normal.len() => (&normal[..start], &normal[end..]),
        _ => ("", ""),
    }
}

fn is_phrase(words: &[Word<'_>], phrase: &[&str]) -> bool {
    words.len() >= phrase.len() && words.iter().zip(phrase).all(|(word, text)| word.text == *text)
}

fn is_year(word: &str) -> bool {
    word.len() == 4
        && (word.starts_with("19") || word.starts_with("20"))
        && word.bytes().all(|b| b.is_ascii_digit())
}

/// Whether the text after "copyright" names a year, a holder or a place for one.
fn states_holder(after: &str, line_begins: bool) -> bool {
    let line = after.split('\n').next().unwrap_or_default();
    let rest = line.trim_start_matches([' ', '\t', '*', '_', ',']);
    rest.starts_with("(c)")
        || rest.starts_with(['©', '<', '[', '{'])
        || rest.starts_with("&copy;")
        || rest.get(..4).is_some_and(is_year)
        || (line_begins
            && (rest.starts_with(':')
                || rest.starts_with("by ")
                || line.split(|c: char| !c.is_alphanumeric()).any(is_year)))
}

/// A paragraph of "Copyright" and a name, without a year.
fn names_holder(words: &[Word<'_>]) -> bool {
    let paragraph = || {
        let rest = words[1..].iter().take_while(|word| !word.opens);
        words[..1].iter().chain(rest)
    };
    words[0].text == "copyright"
        && words[0].opens
        && words.get(1).is_some_and(|next| next.text != "notice")
        && paragraph().take(13).count() <= 12
        && !paragraph().any(|word| has_weight(word.text))
}

/// How many words are left without "Portions of this work" at their end: before
/// a copyright statement, on its line, it belongs to it.
fn without_portions(kept: &[Word<'_>], line: u32) -> usize {
    const PORTIONS: &[&[&str]] = &[
        &["portions"],
        &["portions", "of", "this", "work"],
        &["portions", "of", "this", "software"],
        &["parts", "of", "this", "software"],
    ];
    let mut left = kept.len();
    for portions in PORTIONS {
        let start = left.saturating_sub(portions.len());
        let last = &kept[start..left];
        if last.first().is_some_and(|word| word.line == line) && is_phrase(last, portions) {
            left = start;
        }
    }
    left
}

/// Longest copyright statement that is believed to be one, in words.
const STATEMENT: usize = 40;

fn end_of_statement(words: &[Word<'_>], start: usize) -> usize {
    let mut at = start + 1;
    while at < words.len() && at - start < STATEMENT {
        let word = &words[at];
        if word.opens || has_weight(word.text) || word.text == "portions" {
            break;
        }
        if is_phrase(&words[at..], &["all", "rights", "reserved"]) {
            return at + 3;
        }
        // "Inc.", "U.S.", "J." close no sentence.
        let ends = word.closes && word.text.len() > 4;
        at += 1;
        if ends {
            break;
        }
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(text: &str) -> String {
        let normal = normalise(text);
        words(&normal).iter().map(|word| word.text).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn tables_are_sorted_for_the_search() {
        assert!(SPELLINGS.is_sorted());
        for (from, to) in SPELLINGS {
            assert_eq!(spelling(from), *to);
        }
    }

    #[test]
    fn marks_numbers_and_addresses_do_not_count() {
        assert_eq!(listed("# 1. **The** Licence\r\n(a) See <https://x.test/a>."), "the license see");
        assert_eq!(listed("under section 3. Then"), "under section 3 then");
        assert_eq!(listed("17 U.S.C. § 105"), "17 u s c 105");
    }

    #[test]
    fn copyright_statements_go_and_conditions_stay() {
        for text in [
            "Copyright (c) 2020 The Foo Authors\n\nkept",
            "Copyright 2001, 2020 Foo, Inc. All rights reserved.\nkept",
            "© 2020 U.S. Federal Government (in countries where recognized)\n\nkept",
            "Copyright (c) <year> <holder>\nCopyright (C) 2020 by Bar <bar@example.gov>\n\nkept",
        ] {
            assert_eq!(listed(text), "kept", "{text}");
        }
        assert_eq!(listed("Copyright (c) 2020 Foo. You may not use this."), "you may not use this");
        assert_eq!(listed("the above copyright notice"), "the above copyright notice");
    }

    #[test]
    fn eight_bytes_at_once_are_as_one_by_one() {
        for byte in 0..=u8::MAX {
            for at in 0..8 {
                for beside in [b'a', b'z', b'0', b'9', 0, 0xff] {
                    let mut eight = [beside; 8];
                    eight[at] = byte;
                    let plain = |byte: &&u8| byte.is_ascii_digit() || byte.is_ascii_lowercase();
                    let count = eight.iter().take_while(plain).count();
                    assert_eq!(plain_bytes(u64::from_le_bytes(eight)), count, "{eight:?}");
                }
            }
        }
    }

    #[test]
    fn accents_join_what_they_stand_on() {
        assert_eq!(normalise("Cafe\u{301} ﬁ\u{200b}x\u{feff}\rÀ É K"), "café fix\nà é k");
        assert_eq!(normalise("\u{301}a\u{323}\u{307}B"), "\u{301}ạ\u{307}b");
    }

    #[test]
    fn hidden_direction_is_a_word() {
        assert_eq!(listed("may \u{202e}not"), "may \u{202e} not");
    }
}
