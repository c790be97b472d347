//! Web addresses: which texts are some, and which mean the same place.

/// Whether a text is a URI (RFC 3986), as JSON Schema's `uri` format has it: a
/// scheme, and only characters that are allowed.
#[must_use]
pub fn is_uri(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once(':') else { return false };
    let scheme_fits = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c));
    let bytes = rest.as_bytes();
    let fits = |(at, byte): (usize, &u8)| match byte {
        b'%' => bytes.get(at + 1..at + 3).is_some_and(|hex| hex.iter().all(u8::is_ascii_hexdigit)),
        byte => byte.is_ascii_alphanumeric() || b"-._~:/?#@!$&'()*+,;=".contains(byte),
    };
    let host = rest.strip_prefix("//").map(|rest| rest.split(['/', '?', '#']).next().unwrap_or_default());
    scheme_fits
        && bytes.iter().enumerate().all(fits)
        && rest.matches('#').count() <= 1
        && host.is_none_or(|host| !host.is_empty() && !host.ends_with(':') && port_fits(host))
        && !rest.is_empty()
}

fn port_fits(host: &str) -> bool {
    let after_user = host.rsplit('@').next().unwrap_or(host);
    after_user.matches(':').count() <= 1
        && after_user.split_once(':').is_none_or(|(_, port)| port.bytes().all(|b| b.is_ascii_digit()))
}

/// Whether two addresses name the same repository: the scheme, `www.`, a user,
/// `.git`, a last slash and letters' case do not matter, as on GitHub.
#[must_use]
pub fn same_place(one: &str, other: &str) -> bool {
    one == other || place(one) == place(other)
}

fn place(address: &str) -> String {
    let lower = address.trim().to_lowercase();
    let rest = match lower.split_once("://") {
        Some((_, rest)) => rest.to_owned(),
        // git@host:owner/name
        None => match lower.split_once('@') {
            Some((_, rest)) => rest.replacen(':', "/", 1),
            None => lower,
        },
    };
    let host = rest.split('/').next().unwrap_or_default();
    let rest = host.rfind('@').map_or(&rest[..], |at| &rest[at + 1..]);
    let rest = rest.strip_prefix("www.").unwrap_or(rest).trim_end_matches('/');
    rest.strip_suffix(".git").unwrap_or(rest).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_told_from_other_texts() {
        for text in
            ["https://a.gov/b?c=d#e", "git://github.com/a/b.git", "mailto:a@b.gov", "http://a.gov:8080/%20"]
        {
            assert!(is_uri(text), "{text}");
        }
        for text in [
            "",
            "private",
            "www.a.gov",
            "https://",
            "https://a b.gov",
            "http://a.gov/%zz",
            "é://a",
            "a:",
            "http://a:b/",
        ] {
            assert!(!is_uri(text), "{text}");
        }
    }

    #[test]
    fn one_place_has_many_spellings() {
        for other in [
            "http://github.com/Agency/Site",
            "git://github.com/agency/site.git",
            "git@github.com:agency/site.git",
            "https://user@www.github.com/agency/site/",
        ] {
            assert!(same_place("https://github.com/agency/site", other), "{other}");
        }
        assert!(!same_place("https://github.com/agency/site", "https://github.com/agency/site2"));
    }
}
