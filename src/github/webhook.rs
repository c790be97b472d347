//! Webhook deliveries: what their headers must look like, whether their
//! signature is true, and what the body says. Pure: no network, no clock.
//!
//! Promises: (1) a body is believed only if it is signed with one of the
//! configured secrets, and which one does not show in the time it takes, or if
//! GitHub's API handed it to the App;
//! (2) only the six headers named here are ever looked at, so that a secret
//! that travels in another one goes nowhere; (3) a secret never prints;
//! (4) an unknown event, action or shape is not an error. The identifier and
//! the event name are not signed: both are hints.

mod event;

use std::fmt;

use bytes::Bytes;
use hmac::{Hmac, Mac};
use http::HeaderMap;
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;

pub use event::{Account, Changes, Comment, Commits, Event, EventError, Installation, Item, Repository};

/// The longest body GitHub sends, in bytes (GitHub documentation, "Webhook
/// events and payloads": 25 MB).
pub const MAX_BODY: usize = 25 * 1024 * 1024;

/// The fewest bytes of a secret that Muster starts with.
pub const MIN_SECRET: usize = 20;

/// The secret of GitHub's documented test vector, known to everybody.
const SAMPLE: &str = "It's a Secret to Everybody";

/// A webhook secret of at least [`MIN_SECRET`] bytes; prints nothing.
#[derive(Clone)]
pub struct Secret(SecretString);

impl Secret {
    /// A secret as a person wrote it; one newline at the end is not part of it.
    ///
    /// # Errors
    /// [`SecretError`] if it is empty, short, holds white space at its ends, or
    /// is the documented sample.
    pub fn new(text: &str) -> std::result::Result<Secret, SecretError> {
        let text = text.strip_suffix('\n').unwrap_or(text);
        let text = text.strip_suffix('\r').unwrap_or(text);
        if text.is_empty() {
            return Err(SecretError::Empty);
        }
        if text == SAMPLE {
            return Err(SecretError::Sample);
        }
        if text.trim() != text {
            return Err(SecretError::WhiteSpace);
        }
        if text.len() < MIN_SECRET {
            return Err(SecretError::Short);
        }
        Ok(Secret(SecretString::from(text)))
    }

    /// Several secrets, none twice; the order does not matter.
    ///
    /// # Errors
    /// As [`Secret::new`], and [`SecretError::Twice`]; an empty list is
    /// [`SecretError::Empty`].
    pub fn list<'a>(
        texts: impl IntoIterator<Item = &'a str>,
    ) -> std::result::Result<Vec<Secret>, SecretError> {
        let secrets = texts.into_iter().map(Secret::new).collect::<std::result::Result<Vec<_>, _>>()?;
        if secrets.is_empty() {
            return Err(SecretError::Empty);
        }
        let mut sorted: Vec<&str> = secrets.iter().map(|secret| secret.0.expose_secret()).collect();
        sorted.sort_unstable();
        if sorted.windows(2).any(|pair| pair[0] == pair[1]) {
            return Err(SecretError::Twice);
        }
        Ok(secrets)
    }

    fn verifies(&self, body: &[u8], tag: &[u8; 32]) -> bool {
        let mut mac = <Hmac<Sha256> as Mac>::new_from_slice(self.0.expose_secret().as_bytes())
            .expect("HMAC takes a key of any length");
        mac.update(body);
        mac.verify_slice(tag).is_ok()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// Why a text cannot be a webhook secret. The text itself is never shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SecretError {
    /// Nothing, or an empty part of a list: HMAC would accept an empty key.
    #[error("a webhook secret is empty: remove the stray comma or line, or set a secret")]
    Empty,
    /// Too few bytes.
    #[error("a webhook secret has fewer than 20 bytes: use a longer random one")]
    Short,
    /// White space at an end, which is more often a slip than meant.
    #[error("a webhook secret begins or ends with white space: remove it")]
    WhiteSpace,
    /// The one GitHub's documentation shows.
    #[error("a webhook secret is the sample of GitHub's documentation: use a random one")]
    Sample,
    /// The same one twice.
    #[error("a webhook secret is listed twice: remove one")]
    Twice,
}

/// Why a delivery is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// Not exactly one `X-Hub-Signature-256` of the documented form (401).
    #[error("not exactly one X-Hub-Signature-256 header of the form sha256=<64 hexadecimal digits>")]
    SignatureForm,
    /// The signature fits none of the secrets (401).
    #[error("the signature fits none of the configured secrets")]
    SignatureWrong,
    /// A header that every delivery has is missing, doubled or malformed (400).
    #[error("the header {0} is missing, doubled or malformed")]
    Header(&'static str),
}

/// The signature of a delivery, checked for its form before the body is read.
#[derive(Clone)]
pub struct Signature([u8; 32]);

impl Signature {
    /// Reads the one signature header.
    ///
    /// # Errors
    /// [`Rejection::SignatureForm`].
    pub fn of(headers: &HeaderMap) -> std::result::Result<Signature, Rejection> {
        let text = only(headers, "x-hub-signature-256").ok_or(Rejection::SignatureForm)?;
        let digits = text.strip_prefix("sha256=").ok_or(Rejection::SignatureForm)?.as_bytes();
        let mut tag = [0; 32];
        if digits.len() != 64 {
            return Err(Rejection::SignatureForm);
        }
        for (byte, pair) in tag.iter_mut().zip(digits.chunks_exact(2)) {
            let digit = |b: u8| char::from(b).to_digit(16).ok_or(Rejection::SignatureForm);
            *byte = (digit(pair[0])? << 4 | digit(pair[1])?) as u8;
        }
        Ok(Signature(tag))
    }

    /// Compares with what each secret makes of `body`; all of them are tried,
    /// also after one has fitted.
    ///
    /// # Errors
    /// [`Rejection::SignatureWrong`].
    pub fn verify(&self, secrets: &[Secret], body: &[u8]) -> std::result::Result<(), Rejection> {
        let fits = one_fits(secrets, |secret| secret.verifies(body, &self.0));
        if fits { Ok(()) } else { Err(Rejection::SignatureWrong) }
    }
}

/// Whether one of the secrets fits. All are asked, so that the time it takes
/// does not tell which (threats W3).
fn one_fits(secrets: &[Secret], mut fits: impl FnMut(&Secret) -> bool) -> bool {
    secrets.iter().fold(false, |found, secret| fits(secret) | found)
}

/// A delivery whose body GitHub is known to have sent. Only this room makes
/// one.
#[derive(Debug, Clone)]
pub struct Authentic {
    guid: String,
    event: String,
    body: Bytes,
}

impl Authentic {
    /// One that came to the webhook, if its signature is true.
    ///
    /// # Errors
    /// [`Rejection::SignatureWrong`].
    pub fn signed(
        delivery: Delivery,
        signature: &Signature,
        secrets: &[Secret],
        body: Bytes,
    ) -> std::result::Result<Authentic, Rejection> {
        signature.verify(secrets, &body)?;
        Ok(Authentic { guid: delivery.guid, event: delivery.event, body })
    }

    /// One that GitHub's API handed to the App, if its names are of the form
    /// that headers must have.
    pub(super) fn handed_out(
        guid: &str,
        event: &str,
        body: Bytes,
    ) -> std::result::Result<Authentic, Rejection> {
        if !is_uuid(guid) {
            return Err(Rejection::Header("X-GitHub-Delivery"));
        }
        if !is_word(event) {
            return Err(Rejection::Header("X-GitHub-Event"));
        }
        Ok(Authentic { guid: guid.to_ascii_lowercase(), event: event.to_owned(), body })
    }

    /// The GUID, in lower case.
    #[must_use]
    pub fn guid(&self) -> &str {
        &self.guid
    }

    /// The name of the event: a hint, since it is not signed.
    #[must_use]
    pub fn event(&self) -> &str {
        &self.event
    }

    /// The body.
    #[must_use]
    pub fn body(&self) -> &Bytes {
        &self.body
    }
}

/// What the headers of a delivery say; nothing of it is signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// `X-GitHub-Delivery`, a UUID in lower case; the same on a redelivery.
    pub guid: String,
    /// `X-GitHub-Event`: lower-case letters, digits and `_`.
    pub event: String,
    /// `X-GitHub-Hook-ID`.
    pub hook: Option<u64>,
    /// `X-GitHub-Hook-Installation-Target-Type`: `integration` for an App.
    pub target_type: Option<String>,
    /// `X-GitHub-Hook-Installation-Target-ID`: the App's id.
    pub target_id: Option<u64>,
}

impl Delivery {
    /// Reads the documented headers and no others.
    ///
    /// # Errors
    /// [`Rejection::Header`]; the last three may be absent, not malformed.
    pub fn headers(headers: &HeaderMap) -> std::result::Result<Delivery, Rejection> {
        let guid = only(headers, "x-github-delivery")
            .filter(|text| is_uuid(text))
            .ok_or(Rejection::Header("X-GitHub-Delivery"))?;
        let event = only(headers, "x-github-event")
            .filter(|text| is_word(text))
            .ok_or(Rejection::Header("X-GitHub-Event"))?;
        let number = |name: &'static str, shown: &'static str| match headers.contains_key(name) {
            false => Ok(None),
            true => only(headers, name)
                .and_then(|text| text.parse().ok())
                .map(Some)
                .ok_or(Rejection::Header(shown)),
        };
        let target_type = match headers.contains_key("x-github-hook-installation-target-type") {
            false => None,
            true => Some(
                only(headers, "x-github-hook-installation-target-type")
                    .filter(|text| is_word(text))
                    .ok_or(Rejection::Header("X-GitHub-Hook-Installation-Target-Type"))?
                    .to_owned(),
            ),
        };
        Ok(Delivery {
            guid: guid.to_ascii_lowercase(),
            event: event.to_owned(),
            hook: number("x-github-hook-id", "X-GitHub-Hook-ID")?,
            target_type,
            target_id: number(
                "x-github-hook-installation-target-id",
                "X-GitHub-Hook-Installation-Target-ID",
            )?,
        })
    }
}

/// The value of a header that is there exactly once.
fn only<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?;
    if values.next().is_some() {
        return None;
    }
    value.to_str().ok()
}

fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

fn is_word(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}

#[cfg(test)]
mod tests {
    use http::{HeaderName, HeaderValue};

    use super::*;

    const SECRET: &str = "a secret of more than twenty bytes";

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let mut map = HeaderMap::new();
        for (name, value) in pairs {
            map.append(HeaderName::from_static(name), HeaderValue::from_str(value).unwrap());
        }
        map
    }

    fn signed(secret: &str, body: &[u8]) -> String {
        let mut mac = <Hmac<Sha256> as Mac>::new_from_slice(secret.as_bytes()).unwrap();
        mac.update(body);
        format!("sha256={}", hex::encode(mac.finalize().into_bytes()))
    }

    fn verify(secrets: &[Secret], headers: &HeaderMap, body: &[u8]) -> std::result::Result<(), Rejection> {
        Signature::of(headers)?.verify(secrets, body)
    }

    #[test]
    fn what_the_api_hands_out_has_the_form_of_a_delivery() {
        let guid = "72D3162E-cc78-11e3-81ab-4c9367dc0958";
        let handed = Authentic::handed_out(guid, "push", Bytes::from_static(b"{}")).unwrap();
        assert_eq!((handed.guid(), handed.event()), (guid.to_ascii_lowercase().as_str(), "push"));
        for (guid, event) in [("1", "push"), (guid, "pull request"), (guid, "")] {
            assert!(Authentic::handed_out(guid, event, Bytes::new()).is_err(), "{guid} {event}");
        }
    }

    #[test]
    fn githubs_documented_vector_verifies() {
        let secret = Secret(SecretString::from(SAMPLE));
        let map = headers(&[(
            "x-hub-signature-256",
            "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17",
        )]);
        assert_eq!(verify(std::slice::from_ref(&secret), &map, b"Hello, World!"), Ok(()));
        assert_eq!(verify(&[secret], &map, b"Hello, World?"), Err(Rejection::SignatureWrong));
    }

    #[test]
    fn w3_every_secret_is_asked_whichever_fits() {
        let texts = ["the first secret of ours", "the second secret of ours", "the third secret of ours"];
        let secrets = Secret::list(texts).unwrap();
        for fitting in [Some(0), Some(1), Some(2), None] {
            let mut asked = 0;
            let found = one_fits(&secrets, |_| {
                asked += 1;
                Some(asked - 1) == fitting
            });
            assert_eq!((asked, found), (3, fitting.is_some()), "{fitting:?}");
        }
    }

    #[test]
    fn w3_what_is_secret_cannot_be_compared_by_equality() {
        // The constant of the type itself is taken where its bound holds.
        struct Of<T>(std::marker::PhantomData<T>);
        impl<T: PartialEq> Of<T> {
            const COMPARES: bool = true;
        }
        trait Not {
            const COMPARES: bool = false;
        }
        impl<T> Not for Of<T> {}
        const { assert!(Of::<[u8; 32]>::COMPARES) };
        const { assert!(!Of::<Secret>::COMPARES && !Of::<SecretString>::COMPARES) };
        const { assert!(!Of::<Signature>::COMPARES) };
    }

    #[test]
    fn w2_every_malformed_signature_is_refused_before_the_body() {
        let good = signed(SECRET, b"{}");
        let map = headers(&[("x-hub-signature-256", &good)]);
        let secrets = Secret::list([SECRET, "another secret of twenty bytes"]).unwrap();
        assert_eq!(verify(&secrets, &map, b"{}"), Ok(()));
        assert_eq!(verify(&[], &map, b"{}"), Err(Rejection::SignatureWrong));
        for bad in [
            "",
            "sha256=",
            &good[7..],
            &format!("{good}0"),
            &good[..70],
            &good.replace("sha256", "sha1"),
            &good.replace("sha256=", "SHA256="),
            &format!("{}g", &good[..70]),
            &format!("{}+1", &good[..69]),
            &format!("{good}, {good}"),
        ] {
            let map = headers(&[("x-hub-signature-256", bad)]);
            assert_eq!(Signature::of(&map).err(), Some(Rejection::SignatureForm), "{bad:?}");
        }
        let twice = headers(&[("x-hub-signature-256", &good), ("x-hub-signature-256", &good)]);
        assert_eq!(Signature::of(&twice).err(), Some(Rejection::SignatureForm));
        let old = headers(&[("x-hub-signature", "sha1=00")]);
        assert_eq!(Signature::of(&old).err(), Some(Rejection::SignatureForm));
    }

    #[test]
    fn a_secret_is_long_enough_and_never_prints() {
        let why = |text: &str| Secret::new(text).err();
        assert_eq!(why(""), Some(SecretError::Empty));
        assert_eq!(why("\n"), Some(SecretError::Empty));
        assert_eq!(why("short"), Some(SecretError::Short));
        assert_eq!(why(SAMPLE), Some(SecretError::Sample));
        assert_eq!(why(&format!("{SAMPLE}\n")), Some(SecretError::Sample));
        assert_eq!(why(&format!(" {SECRET}")), Some(SecretError::WhiteSpace));
        assert_eq!(why(&format!("{SECRET}\n\n")), Some(SecretError::WhiteSpace));
        assert_eq!(why(&" ".repeat(30)), Some(SecretError::WhiteSpace));
        assert_eq!(why(&format!("{SECRET}\n")), None);
        assert_eq!(Secret::list(format!("{SECRET},").split(',')).err(), Some(SecretError::Empty));
        assert_eq!(Secret::list([SECRET, SECRET]).err(), Some(SecretError::Twice));
        assert_eq!(Secret::list([]).err(), Some(SecretError::Empty));
        assert!(!format!("{:?}", Secret::new(SECRET).unwrap()).contains("twenty"));
    }

    #[test]
    fn the_headers_are_read_by_an_allow_list() {
        let guid = "72D3162E-cc78-11e3-81ab-4c9367dc0958";
        let map = headers(&[
            ("x-github-delivery", guid),
            ("x-github-event", "pull_request"),
            ("x-github-hook-id", "292430182"),
            ("x-github-hook-installation-target-id", "79929171"),
            ("x-github-hook-installation-target-type", "integration"),
            ("x-github-encoded-secret", "canary"),
        ]);
        let delivery = Delivery::headers(&map).unwrap();
        assert_eq!(delivery.guid, guid.to_ascii_lowercase());
        assert_eq!(delivery.target_id, Some(79_929_171));
        assert!(!format!("{delivery:?}").contains("canary"));
        let fails = |pairs: &[(&'static str, &str)], name| {
            assert_eq!(Delivery::headers(&headers(pairs)), Err(Rejection::Header(name)), "{pairs:?}");
        };
        fails(&[("x-github-event", "push")], "X-GitHub-Delivery");
        fails(&[("x-github-event", "push"), ("x-github-delivery", "1")], "X-GitHub-Delivery");
        fails(&[("x-github-delivery", guid)], "X-GitHub-Event");
        fails(&[("x-github-delivery", guid), ("x-github-event", "pull request")], "X-GitHub-Event");
        fails(
            &[("x-github-delivery", guid), ("x-github-event", "push"), ("x-github-event", "issues")],
            "X-GitHub-Event",
        );
        fails(
            &[("x-github-delivery", guid), ("x-github-event", "push"), ("x-github-hook-id", "x")],
            "X-GitHub-Hook-ID",
        );
    }
}
