//! How fast content is written on one installation, judged by what was
//! written in the last hour.
//!
//! Promises: (1) no minute and no hour holds more than the pace allows, and
//! half of that for an hour after GitHub refused; check runs and reactions
//! count for the minute only; (2) a second lies between
//! two pieces of content; (3) a call larger than the whole pace goes out
//! alone, not never. Source: GitHub documentation, "Best practices for using
//! the REST API", and etiquette 4.5.

use std::time::Duration;

use jiff::Timestamp;

/// The distance between two pieces of content.
const SPACING: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
/// How long a write counts, and how long a refusal halves the pace.
pub const HOUR: Duration = Duration::from_secs(3600);

/// How fast Muster writes on one installation (`limits` of the policy).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// Pieces of content in any 60 seconds.
    pub per_minute: u32,
    /// Pieces of content in any 3,600 seconds; `None` for what counts for the
    /// minute only.
    pub per_hour: Option<u32>,
}

impl Default for Pace {
    fn default() -> Self {
        Pace { per_minute: 20, per_hour: Some(200) }
    }
}

/// A call that wrote, or was about to: GitHub counts what it was asked, not
/// what came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Written {
    /// When it got its turn.
    pub at: Timestamp,
    /// How many pieces of content it was.
    pub pieces: u32,
    /// Whether it counts for the hour.
    pub hourly: bool,
}

/// When a write may go out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// Now.
    Now,
    /// A moment later, for the distance between two writes.
    Soon(Timestamp),
    /// The budget is spent or GitHub asked to wait: not before then.
    Not(Timestamp),
}

impl Pace {
    /// Half of it, at least one: for an hour after a refusal.
    #[must_use]
    pub fn halved(self) -> Pace {
        Pace {
            per_minute: self.per_minute.div_ceil(2),
            per_hour: self.per_hour.map(|pieces| pieces.div_ceil(2)),
        }
    }

    /// Whether a call that writes so many pieces of content may go out now,
    /// after these of the last hour, oldest first.
    #[must_use]
    pub fn turn(self, written: &[Written], pieces: u32, now: Timestamp) -> Turn {
        let hourly = || written.iter().filter(|call| call.hourly);
        let hour = self.per_hour.and_then(|limit| freed(hourly(), HOUR, limit, pieces, now));
        let minute = freed(written.iter(), MINUTE, self.per_minute, pieces, now);
        if let Some(until) = hour.max(minute) {
            return Turn::Not(until);
        }
        match written.last().map(|last| last.at + SPACING * last.pieces) {
            Some(soon) if soon > now => Turn::Soon(soon),
            Some(_) | None => Turn::Now,
        }
    }
}

/// When enough of what was written has left the window for so many pieces
/// more; `None` if that is so now.
fn freed<'w>(
    written: impl Iterator<Item = &'w Written> + Clone,
    window: Duration,
    limit: u32,
    pieces: u32,
    now: Timestamp,
) -> Option<Timestamp> {
    let within = || written.clone().filter(|call| call.at + window > now);
    let sum: u32 = within().map(|call| call.pieces).sum();
    let mut excess = (sum + pieces).saturating_sub(limit.max(pieces));
    for call in within() {
        if excess == 0 {
            break;
        }
        excess = excess.saturating_sub(call.pieces);
        if excess == 0 {
            return Some(call.at + window);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    /// Asks for a turn, and counts it if it is now.
    fn ask(pace: Pace, written: &mut Vec<Written>, pieces: u32, now: Timestamp) -> Turn {
        let turn = pace.turn(written, pieces, now);
        if turn == Turn::Now {
            written.push(Written { at: now, pieces, hourly: pace.per_hour.is_some() });
        }
        turn
    }

    #[test]
    fn the_budgets_of_minute_and_hour_are_kept() {
        let (pace, mut written) = (Pace { per_minute: 3, per_hour: Some(4) }, Vec::new());
        for second in 0..3 {
            assert_eq!(ask(pace, &mut written, 1, at(second)), Turn::Now);
        }
        assert_eq!(ask(pace, &mut written, 1, at(3)), Turn::Not(at(60)));
        assert_eq!(ask(pace, &mut written, 1, at(60)), Turn::Now);
        assert_eq!(ask(pace, &mut written, 1, at(200)), Turn::Not(at(3600)));
        assert_eq!(ask(pace, &mut written, 1, at(3600)), Turn::Now);
    }

    #[test]
    fn a_second_lies_between_two_pieces() {
        let (pace, mut written) = (Pace::default(), Vec::new());
        assert_eq!(ask(pace, &mut written, 3, at(0)), Turn::Now);
        assert_eq!(ask(pace, &mut written, 1, at(1)), Turn::Soon(at(3)));
        assert_eq!(ask(pace, &mut written, 1, at(3)), Turn::Now);
        assert_eq!(ask(pace, &mut written, 1, at(3)), Turn::Soon(at(4)));
    }

    #[test]
    fn a_call_larger_than_the_pace_goes_out_alone() {
        let (one, mut written) = (Pace { per_minute: 1, per_hour: Some(1) }, Vec::new());
        assert_eq!(ask(one, &mut written, 3, at(0)), Turn::Now);
        assert_eq!(ask(one, &mut written, 3, at(60)), Turn::Not(at(3600)));
        assert_eq!(ask(one, &mut written, 3, at(3600)), Turn::Now);
    }

    #[test]
    fn what_counts_for_the_minute_only_spends_nothing_of_the_hour() {
        let (pace, mut written) = (Pace { per_minute: 2, per_hour: Some(2) }, Vec::new());
        let passing = Pace { per_hour: None, ..pace };
        for second in [0, 1, 60, 61, 120, 121] {
            assert_eq!(ask(passing, &mut written, 1, at(second)), Turn::Now);
        }
        assert_eq!(ask(passing, &mut written, 1, at(122)), Turn::Not(at(180)));
        assert_eq!(ask(pace, &mut written, 1, at(122)), Turn::Not(at(180)), "the minute is of both");
        assert_eq!(ask(pace, &mut written, 2, at(240)), Turn::Now);
        assert_eq!(ask(pace, &mut written, 1, at(300)), Turn::Not(at(3840)));
        assert_eq!(ask(passing, &mut written, 1, at(300)), Turn::Now);
    }

    #[test]
    fn half_a_pace_is_never_none() {
        assert_eq!(
            Pace { per_minute: 1, per_hour: Some(5) }.halved(),
            Pace { per_minute: 1, per_hour: Some(3) }
        );
    }

    proptest! {
        /// Whoever asks, and whenever: no window holds more than is allowed,
        /// and whoever comes back when told gets a turn or is told a later time.
        #[test]
        fn no_window_holds_more(
            per_minute in 3u32..30, extra in 0u32..300,
            asks in prop::collection::vec((0i64..40, 1u32..4), 1..200),
        ) {
            let pace = Pace { per_minute, per_hour: Some(per_minute + extra) };
            let (mut written, mut now) = (Vec::new(), at(0));
            for (wait, pieces) in asks {
                now += Duration::from_secs(wait.unsigned_abs());
                match ask(pace, &mut written, pieces, now) {
                    Turn::Now => {}
                    Turn::Soon(when) | Turn::Not(when) => {
                        prop_assert!(when > now);
                        now = when;
                        ask(pace, &mut written, pieces, now);
                    }
                }
            }
            for (first, call) in written.iter().enumerate() {
                let sum = |window| -> u32 {
                    let within = written[first..].iter().take_while(|later| later.at < call.at + window);
                    within.map(|later| later.pieces).sum()
                };
                prop_assert!(sum(MINUTE) <= pace.per_minute && sum(HOUR) <= per_minute + extra);
                if let Some(next) = written.get(first + 1) {
                    prop_assert!(call.at + SPACING * call.pieces <= next.at);
                }
            }
        }
    }
}
