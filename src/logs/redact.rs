//! What must not be told is written over.

use std::{borrow::Cow, fmt, sync::Arc};

use regex::{Captures, Regex};
use secrecy::{ExposeSecret, SecretString};

/// What stands in place of what must not be told.
const REDACTED: &str = "[redacted]";

/// Shorter ones would take half of every line with them; no secret that Muster
/// takes is as short.
const SHORTEST: usize = 8;

/// What a secret looks like (threats §4, Log redaction). A group `keep` stays,
/// so that one sees what was there. None goes past a quote: the line may be
/// JSON, and stays JSON.
const PATTERNS: [&str; 8] = [
    r"gh[pousr]_[A-Za-z0-9._-]{20,}",
    r"github_pat_[A-Za-z0-9_]{10,}",
    r"eyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+",
    r#"-----BEGIN [A-Z0-9 ]+-----[^"]*"#,
    r"(?P<scheme>\b(?:[Bb]earer|[Bb]asic) +)[A-Za-z0-9._~+/=-]{8,}",
    r#"(?P<header>(?i:authorization|x-hub-[a-z0-9-]+)[\\"')\]]*\s*[:=,]\s*[\\"'\[(]*)[^\s"'\\]+(?: [^\s"'\\]+)?"#,
    r#"(?P<parameter>\b(?i:client_secret|access_token|refresh_token|code|state)=)[^\s&"'\\]+"#,
    r#"(?P<address>[a-z][a-z0-9+.-]*://)[^/\s"'\\@]*:[^/\s"'\\@]+@"#,
];

/// Writes over what must not be told. A cheap handle.
#[derive(Clone)]
pub struct Redactor(Arc<Rules>);

struct Rules {
    looks: Regex,
    known: Option<Regex>,
}

impl fmt::Debug for Redactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Redactor")
    }
}

impl Redactor {
    /// Knows the looks of secrets, and these by heart.
    ///
    /// # Panics
    /// Never: what is written above is right, and secrets are escaped.
    #[must_use]
    pub fn new<'a>(secrets: impl Iterator<Item = &'a SecretString>) -> Redactor {
        let looks = Regex::new(&PATTERNS.join("|")).expect("the patterns above are right");
        let mut forms: Vec<String> = secrets.flat_map(|secret| forms(secret.expose_secret())).collect();
        // The longest first: one may begin another.
        forms.sort_by_key(|form| (std::cmp::Reverse(form.len()), form.clone()));
        forms.dedup();
        let any = forms.iter().map(|form| regex::escape(form)).collect::<Vec<_>>().join("|");
        let known = (!forms.is_empty()).then(|| Regex::new(&any).expect("an escaped text is a pattern"));
        Redactor(Arc::new(Rules { looks, known }))
    }

    /// The text without what must not be told.
    #[must_use]
    pub fn redact<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let kept = |found: &Captures<'_>| {
            let keep = ["scheme", "header", "parameter", "address"];
            let before = keep.iter().find_map(|name| found.name(name)).map_or("", |group| group.as_str());
            let end = if found.name("address").is_some() { "@" } else { "" };
            format!("{before}{REDACTED}{end}")
        };
        let known = match &self.0.known {
            Some(known) => known.replace_all(text, REDACTED),
            None => Cow::Borrowed(text),
        };
        match self.0.looks.replace_all(&known, kept) {
            Cow::Borrowed(_) => known,
            Cow::Owned(redacted) => Cow::Owned(redacted),
        }
    }
}

/// Every form in which a secret of the settings may turn up: whole, one entry
/// of a list, one line of a key, the password of an address; each as it is, as
/// JSON and Rust's debug write it, and one within the other.
fn forms(secret: &str) -> Vec<String> {
    let whole = secret.trim();
    let mut parts = vec![whole.to_owned()];
    parts.extend(whole.split([',', '\n', '\r']).map(|part| part.trim().to_owned()));
    parts.extend(whole.split("\\n").map(|part| part.trim().to_owned()));
    if let Some(password) = password(whole) {
        parts.extend([password.to_owned(), percent_decoded(password)]);
    }
    // The first and the last line of a key are no secret; an address without
    // a password is none either.
    let plain = |part: &str| part.starts_with("-----") || (part.contains("://") && password(part).is_none());
    parts.retain(|part| part.len() >= SHORTEST && !plain(part));
    let json = |text: &str| {
        let quoted = serde_json::Value::from(text).to_string();
        quoted[1..quoted.len() - 1].to_owned()
    };
    let debug = |text: &str| {
        let quoted = format!("{text:?}");
        quoted[1..quoted.len() - 1].to_owned()
    };
    let all = |part: &String| {
        let debugged = debug(part);
        let twice = debug(&format!("{part:?}"));
        let inner = twice[2..twice.len() - 2].to_owned();
        [part.clone(), json(part), json(&debugged), json(&inner), debugged, inner]
    };
    parts.iter().flat_map(all).collect()
}

/// The password in an address, as it stands there.
fn password(address: &str) -> Option<&str> {
    let (user, _) = address.split_once("://")?.1.rsplit_once('@')?;
    Some(user.split_once(':')?.1)
}

/// A text whose `%41` are written out.
fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let digits = after.get(..2).and_then(|two| std::str::from_utf8(two).ok());
        match digits.and_then(|two| u8::from_str_radix(two, 16).ok()).filter(|_| *first == b'%') {
            Some(byte) => {
                bytes.push(byte);
                rest = &after[2..];
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn redacted(secrets: &[&str], text: &str) -> String {
        let secrets: Vec<SecretString> = secrets.iter().map(|text| SecretString::from(*text)).collect();
        Redactor::new(secrets.iter()).redact(text).into_owned()
    }

    #[test]
    fn what_looks_like_a_secret_is_written_over() {
        for (text, expected) in [
            ("x ghs_0123456789abcdefghij0123 y", "x [redacted] y"),
            ("ghp_16C7e42F292c6912E7710c838347Ae178B4a", "[redacted]"),
            ("github_pat_11ABCDEFG0_canary", "[redacted]"),
            ("jwt eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJJdiJ9.c2lnbmF0dXJl.", "jwt [redacted]."),
            ("Bearer abcdefgh12345", "Bearer [redacted]"),
            (r#"{"authorization": "token abcdef"}"#, r#"{"authorization": "[redacted]"}"#),
            (r#""authorization": Sensitive"#, r#""authorization": [redacted]"#),
            ("X-Hub-Signature-256: sha256=00ff", "X-Hub-Signature-256: [redacted]"),
            ("/setup?code=abc&state=def&x=1", "/setup?code=[redacted]&state=[redacted]&x=1"),
            ("postgres://muster:pass@db/muster", "postgres://[redacted]@db/muster"),
            (r#"{"key":"-----BEGIN PRIVATE KEY-----\nabc\n-----END"}"#, r#"{"key":"[redacted]"}"#),
        ] {
            assert_eq!(redacted(&[], text), expected);
        }
    }

    #[test]
    fn what_is_no_secret_stays() {
        for text in [
            "a job failed: GET /repos/{owner}/{repo} answered 502: try again later",
            "postgres://muster@db/muster and https://github.com/orgs",
            "the basic rules; a token is asked for; statecode = 4; this machine's clock is 40 s ahead",
        ] {
            assert_eq!(redacted(&["postgres://muster@db/muster", "short"], text), text);
        }
    }

    #[test]
    fn what_the_settings_hide_is_known_in_every_part() {
        let key = "-----BEGIN RSA PRIVATE KEY-----\nAAAAlineone1234\nBBBBlinetwo1234\n-----END RSA PRIVATE KEY-----\n";
        let secrets =
            ["first-secret-of-two,second-secret-of-two", key, "postgres://muster:p%40ssw%6Frd@db/muster"];
        for text in [
            "first-secret-of-two",
            "second-secret-of-two",
            "AAAAlineone1234",
            "BBBBlinetwo1234",
            "p%40ssw%6Frd",
            "p@ssword",
        ] {
            assert_eq!(redacted(&secrets, &format!("a {text} b")), "a [redacted] b");
        }
    }
}
