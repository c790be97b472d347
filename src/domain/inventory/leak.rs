//! What must not be in a published file, whoever wrote it (threats N4).
//!
//! Promises: (1) a repository that is not public is found by its full name and
//! its address, and by its name alone where that is unmistakable; (2) upper
//! case, JSON and percent escapes, full-width letters, look-alikes, letters
//! that have no width, and punycode hide nothing; (3) a repository called `api`
//! stops nothing; (4) what is said of a leak never repeats it.

use std::{
    borrow::Cow,
    collections::{BTreeSet, HashMap},
    fmt,
};

use aho_corasick::{AhoCorasick, MatchKind};
use code_json::record::Record;
use serde_json::Value;
use sha2::{Digest, Sha256};
use unicode_normalization::UnicodeNormalization as _;

use crate::domain::repository::RepositoryName;

/// A name is unmistakable from this length on, if it has a digit or a
/// separator in it.
const UNMISTAKABLE: usize = 8;

/// What a text would have told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// `owner/name`, or an address with it.
    FullName,
    /// The name alone.
    Name,
    /// A host of the agency's own network.
    Host,
    /// An e-mail address that no public source has.
    Mailbox,
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            What::FullName => "it names a repository that is not public",
            What::Name => "it has the name of a repository that is not public",
            What::Host => "it names a host of inventory.internal_hosts",
            What::Mailbox => "it has an e-mail address that no public source has",
        })
    }
}

/// A text would tell what it must not. Which words, nobody is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{what}")]
pub struct Leak {
    /// What it would tell.
    pub what: What,
}

/// What must not be told.
#[derive(Debug, Clone)]
pub struct Secrets {
    words: AhoCorasick,
    kinds: Vec<What>,
    mailboxes: Mailboxes,
    digest: [u8; 32],
}

/// E-mail addresses that some public source has, in lower case.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mailboxes(BTreeSet<String>);

impl Mailboxes {
    /// Adds those in a text.
    pub fn add(&mut self, text: &str) {
        if text.contains('@') {
            self.0.extend(mailboxes(text).map(str::to_ascii_lowercase));
        }
    }

    /// Adds those in all texts of a record.
    pub fn add_of(&mut self, record: &Record) {
        for (_, sourced) in record.entries() {
            // Looking never fails here: it only collects.
            let _: Result<(), Leak> = each_text(&sourced.value, &mut |text| {
                self.add(text);
                Ok(())
            });
        }
    }

    /// Adds those of another source.
    pub fn extend(&mut self, others: &Mailboxes) {
        self.0.extend(others.0.iter().cloned());
    }

    fn has(&self, mailbox: &str) -> bool {
        self.0.contains(&mailbox.to_ascii_lowercase())
    }
}

/// The words that must not be told, before they can be searched for.
#[derive(Debug)]
pub struct Words {
    words: Vec<String>,
    kinds: Vec<What>,
    digest: [u8; 32],
}

impl Words {
    /// Those of an agency: its repositories that are not public, and the hosts
    /// of its own network. `public` are the names that everybody knows.
    pub fn of<'a>(
        hidden: impl IntoIterator<Item = &'a RepositoryName>,
        public: impl IntoIterator<Item = &'a RepositoryName>,
        hosts: &[String],
    ) -> Words {
        let (mut words, mut kinds, mut telling) = (Vec::new(), Vec::new(), HashMap::new());
        for repository in hidden {
            words.push(repository.to_string());
            kinds.push(What::FullName);
            let name = repository.name();
            let tells = name.bytes().any(|byte| byte.is_ascii_digit() || b"-_.".contains(&byte));
            if name.len() >= UNMISTAKABLE && tells {
                telling.entry(name.to_ascii_lowercase()).or_insert(name);
            }
        }
        for repository in public {
            telling.remove(&repository.name().to_ascii_lowercase());
        }
        let mut telling: Vec<&str> = telling.into_values().collect();
        telling.sort_unstable();
        kinds.extend(telling.iter().map(|_| What::Name));
        words.extend(telling.into_iter().map(str::to_owned));
        for host in hosts {
            words.push(host.clone());
            kinds.push(What::Host);
        }
        let mut digest = Sha256::new();
        for (word, kind) in words.iter().zip(&kinds) {
            digest.update(format!("{kind:?} {word}\n"));
        }
        Words { words, kinds, digest: digest.finalize().into() }
    }

    /// Digest of every word that is searched for.
    #[must_use]
    pub fn digest(&self) -> [u8; 32] {
        self.digest
    }

    /// The same to be searched for; no e-mail address passes yet.
    ///
    /// # Errors
    /// If there are too many to be searched for at once (more than 4 GiB of
    /// states).
    pub fn secrets(self) -> Result<Secrets, aho_corasick::BuildError> {
        let words = AhoCorasick::builder()
            .ascii_case_insensitive(true)
            .match_kind(MatchKind::Standard)
            .build(self.words)?;
        Ok(Secrets { words, kinds: self.kinds, mailboxes: Mailboxes::default(), digest: self.digest })
    }
}

impl Secrets {
    /// The secrets of an agency ([`Words::of`]).
    ///
    /// # Errors
    /// As [`Words::secrets`].
    pub fn new<'a>(
        hidden: impl IntoIterator<Item = &'a RepositoryName>,
        public: impl IntoIterator<Item = &'a RepositoryName>,
        hosts: &[String],
    ) -> Result<Secrets, aho_corasick::BuildError> {
        Words::of(hidden, public, hosts).secrets()
    }

    /// Lets the addresses pass that the agency itself makes public.
    pub fn allow_mailboxes(&mut self, text: &str) {
        self.mailboxes.add(text);
    }

    /// Digest of every word that is searched for.
    #[must_use]
    pub fn digest(&self) -> [u8; 32] {
        self.digest
    }

    /// Looks through every text of a value, keys included. `known` are the
    /// e-mail addresses of its own sources.
    ///
    /// # Errors
    /// The first leak.
    pub fn look_through(&self, value: &Value, known: &Mailboxes) -> Result<(), Leak> {
        each_text(value, &mut |text| self.look_at(text, known))
    }

    /// Looks through the finished bytes of a file in JSON, of which each line
    /// holds whole texts; and at the addresses in it.
    ///
    /// # Errors
    /// The first leak.
    pub fn look_through_file(&self, bytes: &[u8], known: &Mailboxes) -> Result<(), Leak> {
        let text = String::from_utf8_lossy(bytes);
        self.look_at_plain(&text)?;
        for line in text.lines() {
            if is_plain(line) && !line.contains('\\') {
                if line.contains('@') {
                    self.look_for_mailboxes(line, known)?;
                }
                continue;
            }
            match serde_json::from_str::<Vec<String>>(&format!("[{}]", texts_of(line))) {
                Ok(texts) => texts.iter().try_for_each(|text| self.look_at(text, known))?,
                Err(_) => self.look_at(line, known)?,
            }
        }
        Ok(())
    }

    /// Looks at one text in all its readings.
    ///
    /// # Errors
    /// The first leak.
    pub fn look_at(&self, text: &str, known: &Mailboxes) -> Result<(), Leak> {
        self.look_at_plain(text)?;
        self.look_for_mailboxes(text, known)?;
        if is_plain(text) {
            return Ok(());
        }
        let mut reading = text.to_owned();
        // Each reading may hide another: `%2561` is `%61` is `a`.
        for _ in 0..4 {
            let next = fold(&percent_decoded(&reading));
            if next == reading {
                break;
            }
            reading = next;
            self.look_at_plain(&reading)?;
        }
        for host in reading.split(|c: char| c.is_whitespace() || "/:@\"'<>()".contains(c)) {
            if host.to_ascii_lowercase().contains("xn--") {
                let (unicode, _) = idna::domain_to_unicode(host);
                self.look_at_plain(&fold(&unicode))?;
            }
        }
        Ok(())
    }

    fn look_at_plain(&self, text: &str) -> Result<(), Leak> {
        for found in self.words.find_overlapping_iter(text) {
            let what = self.kinds[found.pattern().as_usize()];
            if is_whole(text, found.start(), found.end(), what) {
                return Err(Leak { what });
            }
        }
        Ok(())
    }

    fn look_for_mailboxes(&self, text: &str, known: &Mailboxes) -> Result<(), Leak> {
        let unknown = |mailbox: &str| !self.mailboxes.has(mailbox) && !known.has(mailbox);
        if mailboxes(text).any(unknown) { Err(Leak { what: What::Mailbox }) } else { Ok(()) }
    }
}

/// The string literals of a line of JSON, with commas between.
fn texts_of(line: &str) -> String {
    let mut texts = String::new();
    let mut rest = line;
    while let Some(start) = rest.find('"') {
        let mut end = start + 1;
        let bytes = rest.as_bytes();
        while end < bytes.len() && bytes[end] != b'"' {
            end += if bytes[end] == b'\\' { 2 } else { 1 };
        }
        let end = (end + 1).min(rest.len());
        if !rest.is_char_boundary(end) {
            break;
        }
        if !texts.is_empty() {
            texts.push(',');
        }
        texts.push_str(&rest[start..end]);
        rest = &rest[end..];
    }
    texts
}

fn each_text(value: &Value, look: &mut impl FnMut(&str) -> Result<(), Leak>) -> Result<(), Leak> {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => Ok(()),
        Value::String(text) => look(text),
        Value::Array(list) => list.iter().try_for_each(|one| each_text(one, look)),
        Value::Object(map) => map.iter().try_for_each(|(key, one)| {
            look(key)?;
            each_text(one, look)
        }),
    }
}

/// Whether a text has one reading only.
fn is_plain(text: &str) -> bool {
    text.is_ascii() && !text.contains('%') && !text.contains("xn--") && !text.contains("XN--")
}

/// Whether a match is a word of its own, and not a part of a longer name.
fn is_whole(text: &str, start: usize, end: usize, what: What) -> bool {
    let in_name = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    let before = text[..start].chars().next_back();
    let rest = &text[end..];
    let goes_on = match rest.chars().next() {
        None => false,
        // `owner/name.git` is the repository; `name.gov` is another one, and
        // `name.` ends a sentence.
        Some('.') => {
            let after = &rest[1..];
            let git = after.get(..3).is_some_and(|git| git.eq_ignore_ascii_case("git"));
            let ends = |text: &str| text.chars().next().is_none_or(|c| !in_name(c));
            let is_git = git && ends(&after[3..]);
            !is_git && !ends(after)
        }
        Some(c) => in_name(c),
    };
    let began_before = match (what, before) {
        (_, None) => false,
        // A subdomain of an internal host is internal; a path before a full name is its server.
        (What::Host, Some('.')) | (What::FullName, Some('/')) => false,
        (What::Host | What::FullName | What::Name | What::Mailbox, Some(c)) => in_name(c) || c == '.',
    };
    !goes_on && !began_before
}

/// Everything in the text that has the form of an e-mail address.
fn mailboxes(text: &str) -> impl Iterator<Item = &str> {
    let local = |c: char| c.is_alphanumeric() || "._%+-".contains(c);
    let domain = |c: char| c.is_alphanumeric() || ".-".contains(c);
    text.match_indices('@').filter_map(move |(at, _)| {
        let from = text[..at].char_indices().rev().take_while(|(_, c)| local(*c)).last()?.0;
        let host = &text[at + 1..];
        let length: usize = host.chars().take_while(|c| domain(*c)).map(char::len_utf8).sum();
        let host = host[..length].trim_end_matches(['.', '-']);
        host.contains('.').then(|| &text[from..at + 1 + host.len()])
    })
}

fn percent_decoded(text: &str) -> Cow<'_, str> {
    if !text.contains('%') {
        return Cow::Borrowed(text);
    }
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let hex = |n: usize| bytes.get(at + n).and_then(|byte| char::from(*byte).to_digit(16));
        match (bytes[at], hex(1), hex(2)) {
            (b'%', Some(high), Some(low)) => {
                out.push((high * 16 + low) as u8);
                at += 3;
            }
            (byte, _, _) => {
                out.push(byte);
                at += 1;
            }
        }
    }
    Cow::Owned(String::from_utf8_lossy(&out).into_owned())
}

/// Letters as a reader takes them: NFKC, without what has no width, Cyrillic
/// and Greek look-alikes as the Latin letters they look like.
fn fold(text: &str) -> String {
    text.nfkc()
        .filter(|c| {
            !matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2064}' | '\u{feff}')
        })
        .map(|c| LOOK_ALIKES.iter().find(|(other, _)| *other == c).map_or(c, |(_, latin)| *latin))
        .collect()
}

const LOOK_ALIKES: &[(char, char)] = &[
    ('а', 'a'),
    ('е', 'e'),
    ('о', 'o'),
    ('р', 'p'),
    ('с', 'c'),
    ('х', 'x'),
    ('у', 'y'),
    ('і', 'i'),
    ('ј', 'j'),
    ('ѕ', 's'),
    ('һ', 'h'),
    ('ԁ', 'd'),
    ('ԛ', 'q'),
    ('ԝ', 'w'),
    ('в', 'b'),
    ('к', 'k'),
    ('м', 'm'),
    ('т', 't'),
    ('А', 'A'),
    ('В', 'B'),
    ('Е', 'E'),
    ('К', 'K'),
    ('М', 'M'),
    ('Н', 'H'),
    ('О', 'O'),
    ('Р', 'P'),
    ('С', 'C'),
    ('Т', 'T'),
    ('Х', 'X'),
    ('ο', 'o'),
    ('α', 'a'),
    ('ν', 'v'),
    ('ι', 'i'),
    ('κ', 'k'),
    ('ρ', 'p'),
    ('τ', 't'),
    ('Α', 'A'),
    ('Β', 'B'),
    ('Ε', 'E'),
    ('Ο', 'O'),
    ('‐', '-'),
    ('‑', '-'),
    ('–', '-'),
    ('−', '-'),
    ('∕', '/'),
    ('⁄', '/'),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn secrets() -> Secrets {
        let names =
            |names: &[&str]| names.iter().map(|name| name.parse().unwrap()).collect::<Vec<RepositoryName>>();
        let hidden = names(&[
            "agency/falcon-tracker",
            "agency/api",
            "agency/site",
            "agency/data2024",
            "bureau/license",
        ]);
        let public = names(&["agency/data2024", "agency/site.gov"]);
        let mut secrets = Secrets::new(&hidden, &public, &["git.agency.internal".to_owned()]).unwrap();
        secrets.allow_mailboxes("Write to opensource@agency.gov.");
        secrets
    }

    #[test]
    fn a_private_name_is_found_in_every_dress() {
        let of = |text: &str| secrets().look_at(text, &Mailboxes::default()).err().map(|leak| leak.what);
        for (text, what) in [
            ("see agency/falcon-tracker", What::FullName),
            ("https://github.com/Agency/API", What::FullName),
            ("git@github.com:agency/api.git", What::FullName),
            ("https://github.com/agency/site/issues", What::FullName),
            ("agency/site.", What::FullName),
            ("the Falcon-Tracker of old", What::Name),
            ("falcon-tracker.git", What::Name),
            ("falcon%2Dtracker", What::Name),
            ("falcon%252dtracker", What::Name),
            ("ｆａｌｃｏｎ－ｔｒａｃｋｅｒ", What::Name),
            ("fаlcon-trаcker", What::Name),
            ("falcon\u{200b}-track\u{ad}er", What::Name),
            ("https://git.agency.internal/x", What::Host),
            ("ci.GIT.agency.internal:8443", What::Host),
            ("agency%2Fapi", What::FullName),
            ("jane.doe@agency.gov", What::Mailbox),
        ] {
            assert_eq!(of(text), Some(what), "{text}");
        }
        let value = serde_json::json!({ "a": [{ "falcon-tracker": 1 }] });
        assert!(secrets().look_through(&value, &Mailboxes::default()).is_err(), "a key is a text too");
    }

    #[test]
    fn common_words_and_longer_names_are_nobodys() {
        for text in [
            "an api for data and a license",
            "agency/site.gov",
            "agency/site-2 and agency/apis",
            "data2024",
            "falcon-trackers, my-falcon-tracker",
            "opensource@agency.gov",
            "100% of it",
            "notgit.agency.internal.example",
            "user@localhost",
        ] {
            assert_eq!(secrets().look_at(text, &Mailboxes::default()), Ok(()), "{text}");
        }
    }

    #[test]
    fn the_finished_bytes_are_read_as_json_reads_them() {
        let file = |text: &str| {
            let found = secrets().look_through_file(text.as_bytes(), &Mailboxes::default());
            found.err().map(|leak| leak.what)
        };
        assert_eq!(file("{\n  \"name\": \"falcon-tracker\"\n}\n"), Some(What::Name));
        assert_eq!(file("{\n  \"name\": \"falcon\\u002dtracker\",\n}\n"), Some(What::Name));
        assert_eq!(file("{\n  \"name\": \"agency\\/api\"\n}\n"), Some(What::FullName));
        assert_eq!(file("{\n  \"name\": \"says \\\"falcon\\\\-tracker\\\"\"\n}\n"), None);
        assert_eq!(file("{\n  \"email\": \"jane@agency.gov\"\n}\n"), Some(What::Mailbox));
        assert_eq!(file("{\n  \"email\": \"opensource@agency.gov\",\n  \"ä\": \"100 %\"\n}\n"), None);
    }
}
