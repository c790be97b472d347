//! The limits of one installation, as a state machine over GitHub's answers.
//!
//! Promises: (1) after a 403 or 429 nothing goes out before the moment GitHub
//! names, or a minute, then two, four … if it names none; (2) the headers of
//! the primary limit are believed, and their absence means there is none (a
//! GitHub Enterprise Server); (3) a moment that GitHub names is a moment of its
//! clock, and is waited for by the time left until then, not by ours; (4) what
//! is too much for one call is halved until it is not, and grown back. How fast
//! content is written is not judged here: that holds for all replicas together
//! (`domain::pace`).
//! Pure: the time comes in. Source: GitHub documentation, "Rate limits for the
//! REST API" and "Rate limits and query limits for the GraphQL API".

mod page;

use std::time::Duration;

use http::{HeaderMap, StatusCode};
use jiff::Timestamp;

pub use page::PageSize;

/// The two purses GitHub counts apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Purse {
    /// The REST API.
    Rest,
    /// The GraphQL API.
    GraphQl,
}

/// What GitHub's answer says about limits, beside its headers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing: it was answered.
    Answered,
    /// The points of the hour are spent (`RATE_LIMITED` in GraphQL, or
    /// `x-ratelimit-remaining: 0`).
    Primary,
    /// Too much at once (403 or 429, "submitted too quickly").
    Secondary,
}

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);
/// The longest wait taken from a header: GitHub's hour, and some.
const LONGEST: Duration = Duration::from_secs(2 * 3600);

/// What is known of one installation's limits.
#[derive(Debug, Clone, Default)]
pub struct Limits {
    /// Everything waits until then.
    paused: Option<Timestamp>,
    /// Spent until then, by purse.
    rest_spent: Option<Timestamp>,
    graphql_spent: Option<Timestamp>,
    /// Refusals without a named moment in a row.
    strikes: u32,
}

impl Limits {
    /// Whether a call may go out now, or when.
    ///
    /// # Errors
    /// The moment to wait for.
    pub fn read(&self, purse: Purse, now: Timestamp) -> Result<(), Timestamp> {
        let spent = match purse {
            Purse::Rest => self.rest_spent,
            Purse::GraphQl => self.graphql_spent,
        };
        match self.paused.max(spent) {
            Some(until) if until > now => Err(until),
            Some(_) | None => Ok(()),
        }
    }

    /// Takes in what an answer says; returns until when the caller has to
    /// wait if it was refused for a limit.
    pub fn answered(
        &mut self,
        purse: Purse,
        verdict: Verdict,
        headers: &HeaderMap,
        now: Timestamp,
    ) -> Option<Timestamp> {
        let number = |name| headers.get(name)?.to_str().ok()?.trim().parse::<u64>().ok();
        let spent = number("x-ratelimit-remaining") == Some(0);
        let reset = number("x-ratelimit-reset")
            .and_then(|second| Timestamp::from_second(i64::try_from(second).ok()?).ok())
            .map(|reset| super::skew::date(headers).map_or(reset, |date| now + reset.duration_since(date)))
            .map(|reset| reset.min(now + LONGEST));
        if spent && let Some(reset) = reset {
            match purse {
                Purse::Rest => self.rest_spent = Some(reset),
                Purse::GraphQl => self.graphql_spent = Some(reset),
            }
        }
        if verdict == Verdict::Answered {
            self.strikes = 0;
            return None;
        }
        let named = number("retry-after")
            .map(|seconds| now + Duration::from_secs(seconds).clamp(Duration::from_secs(1), LONGEST));
        // The reset of a purse concerns that purse alone; any other refusal
        // concerns the installation.
        if named.is_none()
            && spent
            && let Some(reset) = reset
        {
            return Some(reset.max(now + Duration::from_secs(1)));
        }
        let until = named.unwrap_or_else(|| {
            self.strikes += 1;
            now + (MINUTE * 2u32.pow((self.strikes - 1).min(6))).min(HOUR)
        });
        self.paused = self.paused.max(Some(until));
        // A purse that is spent stays so after the wait.
        Some(reset.filter(|_| spent).map_or(until, |reset| reset.max(until)))
    }
}

/// Whether a REST answer refuses for a limit, and which. A 403 for want of a
/// permission is told apart by its headers and words.
#[must_use]
pub fn verdict(status: StatusCode, headers: &HeaderMap, message: &str) -> Verdict {
    let spent = headers.get("x-ratelimit-remaining").is_some_and(|value| value == "0");
    let words = message.to_ascii_lowercase();
    let limited = words.contains("rate limit") || words.contains("abuse detection") || too_quick(message);
    match status {
        StatusCode::TOO_MANY_REQUESTS | StatusCode::FORBIDDEN => {
            if headers.contains_key("retry-after") {
                Verdict::Secondary
            } else if spent {
                Verdict::Primary
            } else if status == StatusCode::TOO_MANY_REQUESTS || limited {
                Verdict::Secondary
            } else {
                Verdict::Answered
            }
        }
        _ => Verdict::Answered,
    }
}

/// GitHub's words for a secondary limit where no status says so.
#[must_use]
pub fn too_quick(message: &str) -> bool {
    let words = message.to_ascii_lowercase();
    words.contains("submitted too quickly") || words.contains("secondary rate limit")
}

#[cfg(test)]
mod tests {
    use http::HeaderName;

    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap())).collect()
    }

    #[test]
    fn a_refusal_waits_as_long_as_github_says() {
        let table: &[(&[(&str, &str)], i64)] = &[
            (&[("retry-after", "7")], 7),
            (&[("retry-after", "7"), ("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "1900")], 900),
            (&[("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "1900")], 900),
            (&[("x-ratelimit-remaining", "12"), ("x-ratelimit-reset", "1900")], 60),
            (&[("retry-after", "soon")], 60),
            (&[("retry-after", "99999999999")], 7200),
            (&[], 60),
        ];
        for (pairs, wait) in table {
            let pairs: Vec<(&'static str, &str)> = pairs.to_vec();
            let mut limits = Limits::default();
            let until = limits.answered(Purse::Rest, Verdict::Secondary, &headers(&pairs), at(1000)).unwrap();
            assert_eq!(until, at(1000 + wait), "{pairs:?}");
            assert_eq!(limits.read(Purse::Rest, at(1000)), Err(until), "{pairs:?}");
            assert_eq!(limits.read(Purse::Rest, until), Ok(()), "{pairs:?}");
        }
    }

    #[test]
    fn a_reset_is_a_moment_of_githubs_clock() {
        // Ours is an hour behind, then an hour ahead: a minute is left.
        let pairs = [
            ("date", "Tue, 17 Nov 2026 15:00:00 GMT"),
            ("x-ratelimit-remaining", "0"),
            ("x-ratelimit-reset", "1794927660"),
        ];
        for now in ["2026-11-17T14:00:00Z", "2026-11-17T16:00:00Z"] {
            let now: Timestamp = now.parse().unwrap();
            let mut limits = Limits::default();
            let until = limits.answered(Purse::Rest, Verdict::Primary, &headers(&pairs), now).unwrap();
            assert_eq!(until, now + MINUTE);
        }
    }

    #[test]
    fn refusals_without_a_moment_wait_twice_as_long_each_time() {
        let mut limits = Limits::default();
        let mut now = at(0);
        for wait in [60, 120, 240, 480, 960, 1920, 3600, 3600] {
            let until = limits.answered(Purse::Rest, Verdict::Secondary, &HeaderMap::new(), now).unwrap();
            assert_eq!(until, now + Duration::from_secs(wait));
            now = until;
        }
        assert_eq!(limits.answered(Purse::Rest, Verdict::Answered, &HeaderMap::new(), now), None);
        let until = limits.answered(Purse::Rest, Verdict::Secondary, &HeaderMap::new(), now).unwrap();
        assert_eq!(until, now + MINUTE);
    }

    #[test]
    fn a_spent_purse_leaves_the_other_open() {
        let mut limits = Limits::default();
        let spent = headers(&[("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "500")]);
        assert_eq!(limits.answered(Purse::GraphQl, Verdict::Primary, &spent, at(0)), Some(at(500)));
        assert_eq!(limits.read(Purse::GraphQl, at(499)), Err(at(500)));
        assert_eq!(limits.read(Purse::Rest, at(0)), Ok(()));
        // The last answer of an hour is good, and says there will be no other.
        let mut limits = Limits::default();
        assert_eq!(limits.answered(Purse::Rest, Verdict::Answered, &spent, at(0)), None);
        assert_eq!(limits.read(Purse::Rest, at(0)), Err(at(500)));
    }

    #[test]
    fn no_headers_mean_no_primary_limit() {
        let mut limits = Limits::default();
        assert_eq!(limits.answered(Purse::Rest, Verdict::Answered, &HeaderMap::new(), at(0)), None);
        assert_eq!(limits.read(Purse::Rest, at(0)), Ok(()));
    }

    #[test]
    fn a_403_is_a_limit_only_if_it_says_so() {
        let none = HeaderMap::new();
        let verdict_of = |status: u16, headers: &HeaderMap, words| {
            verdict(StatusCode::from_u16(status).unwrap(), headers, words)
        };
        assert_eq!(verdict_of(403, &none, "Resource not accessible by integration"), Verdict::Answered);
        assert_eq!(verdict_of(403, &none, "You have exceeded a secondary rate limit."), Verdict::Secondary);
        assert_eq!(verdict_of(403, &headers(&[("retry-after", "5")]), "no"), Verdict::Secondary);
        let spent = headers(&[("x-ratelimit-remaining", "0")]);
        assert_eq!(verdict_of(403, &spent, "API rate limit exceeded"), Verdict::Primary);
        assert_eq!(verdict_of(429, &none, ""), Verdict::Secondary);
        assert_eq!(verdict_of(422, &spent, "Validation Failed"), Verdict::Answered);
        assert!(too_quick("was submitted too quickly") && !too_quick("Could not resolve"));
    }
}
