//! Our clock against GitHub's, as the `Date` of every answer tells it.
//!
//! Promises: (1) how long an answer takes is never taken for a wrong clock;
//! (2) from 30 seconds on it is said once, and the App's signatures are dated
//! by GitHub's time; (3) from 5 minutes on the App asks for no token: every
//! date Muster would write or wait for is wrong; (4) a clock that is put right
//! is noticed within a minute, although nothing is asked of GitHub meanwhile.
//! Pure: the time comes in. Source: etiquette §4.11.

use std::time::Duration;

use http::HeaderMap;
use jiff::{SignedDuration, Timestamp};

/// From here on it is worth saying.
const WARN: SignedDuration = SignedDuration::from_secs(30);
/// From here on no token is asked for.
const REFUSE: SignedDuration = SignedDuration::from_mins(5);
/// How often GitHub is asked for the time while the clock is off.
const ASK_AGAIN: Duration = Duration::from_secs(60);

/// How far the clocks are apart, by what follows from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Less than 30 seconds.
    Right,
    /// Less than 5 minutes: signatures are dated by GitHub's time.
    Corrected,
    /// 5 minutes or more: no token is asked for.
    Off,
}

/// Sorts a difference.
#[must_use]
pub fn standing(ahead: SignedDuration) -> Standing {
    if ahead.abs() >= REFUSE {
        Standing::Off
    } else if ahead.abs() >= WARN {
        Standing::Corrected
    } else {
        Standing::Right
    }
}

/// What the answers told.
#[derive(Debug, Clone, Default)]
pub(super) struct Skew {
    /// How far our clock is ahead; below zero, behind.
    ahead: Option<SignedDuration>,
    /// What was said last.
    said: Option<Standing>,
    /// When GitHub was last asked, or answered.
    asked: Option<Timestamp>,
}

impl Skew {
    /// Takes in the date of an answer to what was sent at `sent` and had come
    /// at `received`. Returns where the clock stands if that is news.
    pub(super) fn note(
        &mut self,
        sent: Timestamp,
        received: Timestamp,
        date: Timestamp,
    ) -> Option<(Standing, SignedDuration)> {
        let ahead = ahead(sent, received, date);
        self.ahead = Some(ahead);
        self.asked = Some(received);
        let standing = standing(ahead);
        let news = self.said.unwrap_or(Standing::Right) != standing;
        self.said = Some(standing);
        news.then_some((standing, ahead))
    }

    /// How far our clock is ahead, if GitHub has answered yet.
    pub(super) fn measured(&self) -> Option<SignedDuration> {
        self.ahead
    }

    /// What to take from our time to have GitHub's; nothing while the clock is
    /// right.
    ///
    /// # Errors
    /// How far it is ahead, if that is too much.
    pub(super) fn correction(&self) -> Result<SignedDuration, SignedDuration> {
        let ahead = self.ahead.unwrap_or_default();
        match standing(ahead) {
            Standing::Right => Ok(SignedDuration::ZERO),
            Standing::Corrected => Ok(ahead),
            Standing::Off => Err(ahead),
        }
    }

    /// Whether GitHub is to be asked for the time now; then whoever asked
    /// does it. A clock that jumped back was just put right.
    pub(super) fn asks(&mut self, now: Timestamp) -> bool {
        let waits = |asked: Timestamp| asked <= now && now < asked + ASK_AGAIN;
        if self.correction().is_ok() || self.asked.is_some_and(waits) {
            return false;
        }
        self.asked = Some(now);
        true
    }
}

/// How far our clock is ahead at least. GitHub dated the answer, to the second,
/// between our sending and our receiving.
fn ahead(sent: Timestamp, received: Timestamp, date: Timestamp) -> SignedDuration {
    let latest = date + Duration::from_secs(1);
    if sent > latest {
        sent.duration_since(latest)
    } else if received < date {
        received.duration_since(date)
    } else {
        SignedDuration::ZERO
    }
}

/// The moment at which GitHub says it answered.
pub(super) fn date(headers: &HeaderMap) -> Option<Timestamp> {
    jiff::fmt::rfc2822::DateTimeParser::new()
        .parse_timestamp(headers.get(http::header::DATE)?.as_bytes())
        .ok()
}

/// A difference in words: `6 min ahead of`.
#[must_use]
pub fn shown(ahead: SignedDuration) -> String {
    let seconds = ahead.abs().as_secs();
    let side = if ahead.is_negative() { "behind" } else { "ahead of" };
    match seconds {
        0..120 => format!("{seconds} s {side}"),
        120..7200 => format!("{} min {side}", seconds / 60),
        _ => format!("{} h {side}", seconds / 3600),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn a_slow_answer_is_no_wrong_clock() {
        let seconds = |sent, received, date| ahead(at(sent), at(received), at(date)).as_secs();
        assert_eq!(seconds(1000, 1060, 1000), 0);
        assert_eq!(seconds(1000, 1060, 1060), 0);
        // GitHub's second has not ended.
        assert_eq!(seconds(1000, 1060, 999), 0);
        assert_eq!(seconds(1000, 1060, 960), 39);
        assert_eq!(seconds(1000, 1060, 1100), -40);
    }

    #[test]
    fn each_step_is_said_once() {
        let mut skew = Skew::default();
        let mut note = |ahead: i64| skew.note(at(10_000 + ahead), at(10_000 + ahead), at(10_000));
        let said = |standing, ahead| Some((standing, SignedDuration::from_secs(ahead)));
        assert_eq!(note(1), None);
        assert_eq!(note(-29), None);
        assert_eq!(note(-30), said(Standing::Corrected, -30));
        assert_eq!(note(61), None);
        assert_eq!(note(301), said(Standing::Off, 300));
        assert_eq!(note(-3600), None);
        assert_eq!(note(0), said(Standing::Right, 0));
        assert_eq!(note(0), None);
    }

    #[test]
    fn signatures_are_dated_by_github_up_to_five_minutes() {
        for (ahead, expected) in
            [(29, Ok(0)), (31, Ok(30)), (-299, Ok(-299)), (301, Err(300)), (-300, Err(-300))]
        {
            let mut skew = Skew::default();
            skew.note(at(10_000 + ahead), at(10_000 + ahead), at(10_000));
            let seconds = |ahead: SignedDuration| ahead.as_secs();
            assert_eq!(skew.correction().map(seconds).map_err(seconds), expected, "{ahead}");
        }
        assert_eq!(Skew::default().correction(), Ok(SignedDuration::ZERO));
    }

    #[test]
    fn a_clock_that_is_off_is_compared_once_a_minute_and_when_it_jumps() {
        let mut skew = Skew::default();
        assert!(!skew.asks(at(0)), "nothing is wrong yet");
        skew.note(at(10_000), at(10_000), at(1000));
        assert!(!skew.asks(at(10_059)));
        assert!(skew.asks(at(10_060)));
        assert!(!skew.asks(at(10_060)), "somebody asks already");
        assert!(skew.asks(at(1060)), "it was put right");
        skew.note(at(1060), at(1060), at(1060));
        assert!(!skew.asks(at(9000)));
    }

    #[test]
    fn the_date_of_an_answer_is_read() {
        let mut headers = HeaderMap::new();
        assert_eq!(date(&headers), None);
        headers.insert("date", "Tue, 17 Nov 2026 15:00:00 GMT".parse().unwrap());
        assert_eq!(date(&headers), Some("2026-11-17T15:00:00Z".parse().unwrap()));
        headers.insert("date", "yesterday".parse().unwrap());
        assert_eq!(date(&headers), None);
    }

    #[test]
    fn a_difference_is_shown_in_words() {
        for (seconds, words) in
            [(42, "42 s ahead of"), (-301, "5 min behind"), (7200, "2 h ahead of"), (-119, "119 s behind")]
        {
            assert_eq!(shown(SignedDuration::from_secs(seconds)), words);
        }
    }
}
