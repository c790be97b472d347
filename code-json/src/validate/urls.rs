//! Addresses.

use super::{Judging, keys::question, licenses, shown, violations::Spot};
use crate::{
    checks::urls,
    document::{Kind, Value},
    edit::{Fix, quote},
};

/// Keys of a record that hold an address people follow.
const KEYS: [&str; 6] =
    ["repositoryURL", "homepageURL", "downloadURL", "disclaimerURL", "feedbackMechanism", "SBOM"];

/// Whether a text is one of the words for nothing, or empty.
pub(super) fn is_word_for_nothing(text: &str) -> bool {
    let bare: String = text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect();
    ["", "none", "na", "null", "nil", "tbd", "notapplicable", "unknown", "undefined"].contains(&bare.as_str())
}

/// An address that is none by the schema.
pub(super) fn wrong<'d>(judging: &mut Judging<'d>, spot: &Spot<'d, '_>) {
    let value = spot.value;
    let raw = value.as_str().unwrap_or_default();
    let text = raw.trim();
    let in_license = value.parent().and_then(Value::parent).and_then(Value::as_member);
    let in_license = spot.key == "URL" && in_license.is_some_and(|member| member.key == "licenses");
    if let Some(address) = mended(text) {
        let write = format!("Write {}.", quote(&address));
        return judging.tell(&urls::URL_SCHEME, value, shown(value), write, Some(Fix::text(value, &address)));
    }
    if in_license {
        return licenses::wrong_url(judging, value, spot.optional);
    }
    let empty = text.is_empty();
    let (check, write, fix) = match (is_word_for_nothing(text), spot.optional) {
        (true, true) => {
            let check = if empty { &urls::EMPTY_URL } else { &urls::WORD_URL };
            (check, "Leave it out.", Fix::remove(value))
        }
        _ if spot.key == "repositoryURL" => (&urls::NO_REPOSITORY, question("repositoryURL"), None),
        (true, false) => {
            let check = if empty { &urls::EMPTY_URL } else { &urls::WORD_URL };
            (check, question(&spot.key), None)
        }
        (false, _) => (&urls::URL, "Which address is meant? Begin it with https://.", None),
    };
    let write = if write.is_empty() { "Which address is meant?" } else { write };
    judging.tell(check, value, shown(value), write, fix);
}

/// The address that a text without a scheme, or with spaces, means.
fn mended(text: &str) -> Option<String> {
    if text.is_empty() {
        return None;
    }
    let encoded = text.replace(' ', "%20");
    let with_scheme = if let Some((_, rest)) = encoded.split_once("://") {
        (!rest.is_empty()).then_some(encoded)?
    } else if let Some((host, path)) = encoded.strip_prefix("git@").and_then(|rest| rest.split_once(':')) {
        format!("https://{host}/{path}")
    } else {
        let rest = encoded.strip_prefix("//").unwrap_or(&encoded);
        let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
        let (name, ending) = host.rsplit_once('.')?;
        let plausible = !name.is_empty()
            && (2..=12).contains(&ending.len())
            && ending.bytes().all(|byte| byte.is_ascii_lowercase())
            && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-".contains(&byte));
        // `LICENSE.md` and `page.html` are files next door.
        let file = !rest.contains('/')
            && ["md", "txt", "html", "htm", "json", "rst", "zip", "pdf"].contains(&ending);
        (plausible && !file && !text.contains(' ')).then(|| format!("https://{rest}"))?
    };
    // What is left must be an address, and another than before.
    let valid = has_only_uri_characters(&with_scheme) && with_scheme != text;
    valid.then_some(with_scheme)
}

/// Whether the characters are those of RFC 3986.
fn has_only_uri_characters(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_graphic() && !b"<>\"{}|\\^`".contains(&byte))
}

/// A record's address for people, where the one given is for git.
fn for_browsers(text: &str) -> Option<String> {
    let rest = ["git://", "ssh://git@", "git+https://", "git+ssh://git@", "http+git://"]
        .iter()
        .find_map(|scheme| text.strip_prefix(scheme))?;
    let known = ["github.com/", "gitlab.com/", "bitbucket.org/"];
    known.iter().any(|host| rest.starts_with(host)).then(|| format!("https://{rest}"))
}

impl<'d> Judging<'d> {
    /// What can be said of addresses beyond the schema.
    pub(super) fn urls(&mut self, record: Value<'d>) {
        for key in KEYS {
            let Some(value) = record.get(key).filter(|value| value.kind() == Kind::String) else { continue };
            let text = value.as_str().unwrap_or_default();
            let Some((scheme, _)) = text.split_once("://") else { continue };
            if ["http", "https"].contains(&scheme.to_ascii_lowercase().as_str()) {
                continue;
            }
            let address = for_browsers(&text);
            let write = match &address {
                Some(address) => format!("Write {}.", quote(address)),
                None => "Which address opens in a browser?".into(),
            };
            let fix = address.map(|address| Fix::text(value, &address));
            self.tell(&urls::NOT_HTTP, value, shown(value), write, fix);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_mended_only_if_one_is_meant() {
        for (text, expected) in [
            ("www.apache.org/licenses/LICENSE-2.0", Some("https://www.apache.org/licenses/LICENSE-2.0")),
            ("github.com/example/x", Some("https://github.com/example/x")),
            ("//github.com/example/x", Some("https://github.com/example/x")),
            ("git@github.com:example/x.git", Some("https://github.com/example/x.git")),
            ("https://x.gov/a b.zip", Some("https://x.gov/a%20b.zip")),
            ("LICENSE", None),
            ("LICENSE.md", None),
            ("our home page", None),
            ("private", None),
            ("http://", None),
            ("None.", None),
        ] {
            assert_eq!(mended(text).as_deref(), expected, "{text}");
        }
    }
}
