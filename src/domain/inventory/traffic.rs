//! How often repositories are cloned and looked at: which are asked about in a
//! night, and what the numbers of a year rest on.
//!
//! GitHub counts by days in UTC and forgets a day after 14 (GitHub
//! documentation, "REST API endpoints for repository traffic"). So each
//! repository is asked about once a week: the six nights after may fail, and
//! nothing is lost.
//!
//! Promises: (1) a night asks about a seventh, so that no night has all; (2)
//! all that are late come first, also where they are more, and the nights after
//! are even again; (3) a day counts as measured only when it was over, by all
//! that GitHub may lag.

use std::{collections::HashMap, time::Duration};

use jiff::{Timestamp, civil::Date, tz::TimeZone};

use crate::domain::{exemptions::report::FiscalYear, repository::RepositoryId};

/// How many days GitHub tells of, the one that is not over yet among them.
const TOLD: i64 = 14;
/// How many nights a repository is asked about in turn.
const NIGHTS: i64 = 7;
/// How long after its end a day may still be counted: GitHub does so every
/// hour, and our clock may be off by minutes.
const LAG: Duration = Duration::from_secs(3 * 60 * 60);

/// What GitHub counted on one day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Day {
    /// Which, in UTC.
    pub day: Date,
    /// Clones.
    pub clones: u64,
    /// Of how many people, as far as GitHub tells them apart. Those of two days
    /// may be the same, and are never added.
    pub cloners: u64,
    /// Views of its pages.
    pub views: u64,
    /// Of how many people; as `cloners`.
    pub visitors: u64,
}

impl Day {
    /// A day on which nobody came.
    #[must_use]
    pub fn nothing_on(day: Date) -> Day {
        Day { day, clones: 0, cloners: 0, views: 0, visitors: 0 }
    }
}

/// When a repository was asked about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Poll {
    /// The last time, whatever came of it.
    pub tried_on: Date,
    /// The last time that GitHub told.
    pub polled_on: Option<Date>,
}

/// Days without a gap, all of which were measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span {
    /// The first.
    pub first: Date,
    /// The last.
    pub last: Date,
}

/// The day of a moment.
#[must_use]
pub fn day_of(moment: Timestamp) -> Date {
    moment.to_zoned(TimeZone::UTC).date()
}

fn days(day: Date, by: i64) -> Date {
    day.saturating_add(jiff::Span::new().days(by))
}

impl Span {
    /// The days that an answer of this moment settles.
    #[must_use]
    pub fn settled_at(now: Timestamp) -> Span {
        // By a clock of GitHub's that may be ahead of ours.
        let first = days(day_of(now + LAG), 1 - TOLD);
        Span { first, last: days(day_of(now - LAG), -1) }
    }

    /// Both as one; `None` if a day lies between that neither has. `self` is
    /// the earlier one.
    #[must_use]
    pub fn joined(self, next: Span) -> Option<Span> {
        (next.first <= days(self.last, 1)).then(|| Span { first: self.first, last: self.last.max(next.last) })
    }
}

/// The repositories to ask about now, in this order. `known` are all of an
/// installation that are measured.
#[must_use]
pub fn tonight(known: &[(RepositoryId, Option<Poll>)], today: Date) -> Vec<RepositoryId> {
    let seventh = known.len().div_ceil(NIGHTS as usize);
    let done = known.iter().filter(|(_, poll)| poll.is_some_and(|poll| poll.tried_on >= today)).count();
    let polled = |poll: &Option<Poll>| poll.and_then(|poll| poll.polled_on);
    let mut due: Vec<_> = known
        .iter()
        .filter(|(_, poll)| poll.is_none_or(|poll| poll.tried_on < today))
        .filter(|(_, poll)| polled(poll).is_none_or(|day| day <= days(today, -NIGHTS)))
        .map(|(id, poll)| {
            let late = polled(poll).is_some_and(|day| day < days(today, -NIGHTS));
            (!late, poll.map(|poll| poll.tried_on), *id)
        })
        .collect();
    due.sort_unstable();
    let late = due.iter().filter(|(in_time, ..)| !in_time).count();
    due.truncate(late + seventh.saturating_sub(done + late));
    due.into_iter().map(|(.., id)| id).collect()
}

/// What was measured of a repository in a period.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Measured {
    /// Clones.
    pub clones: u64,
    /// Views of its pages.
    pub views: u64,
    /// The days that were measured, oldest first.
    pub spans: Vec<Span>,
}

/// What was measured in a fiscal year, by repository; those of which nothing
/// was measured are absent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Year(pub HashMap<RepositoryId, Measured>);

impl Measured {
    /// The first day.
    pub(super) fn first(&self) -> Option<Date> {
        self.spans.first().map(|span| span.first)
    }

    /// Whether days are missing between the first and the end of the year, or
    /// today. The last two weeks GitHub can still tell of.
    pub(super) fn has_gaps(&self, year: FiscalYear, today: Date) -> bool {
        let until = year.last().min(days(today, -TOLD));
        match &self.spans[..] {
            [] => false,
            [one] => one.last < until,
            [..] => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn an_answer_settles_the_days_that_are_over() {
        let span = |now| Span::settled_at(at(now));
        let of = |first, last| Span { first: date(2026, 11, first), last: date(2026, 11, last) };
        assert_eq!(span("2026-11-17T06:00:00Z"), of(4, 16));
        // Around midnight a day is left out on either side.
        assert_eq!(span("2026-11-17T01:00:00Z"), of(4, 15));
        assert_eq!(span("2026-11-17T23:00:00Z"), of(5, 16));
    }

    #[test]
    fn spans_that_meet_are_one() {
        let of = |first, last| Span { first: date(2026, 11, first), last: date(2026, 11, last) };
        assert_eq!(of(1, 5).joined(of(3, 9)), Some(of(1, 9)));
        assert_eq!(of(1, 5).joined(of(6, 9)), Some(of(1, 9)));
        assert_eq!(of(1, 5).joined(of(2, 4)), Some(of(1, 5)));
        assert_eq!(of(1, 5).joined(of(7, 9)), None);
    }

    /// Asks every night but those in `fails`; how many of the 100 each night
    /// asks about, and the longest time that one waited.
    fn nights(fails: &[i64], last: i64) -> (Vec<usize>, i64) {
        let mut known: Vec<(RepositoryId, Option<Poll>)> =
            (1..=100).map(|id| (RepositoryId(id), None)).collect();
        let (mut asked, mut longest) = (Vec::new(), 0);
        for night in 0..last {
            let today = days(date(2026, 11, 1), night);
            if fails.contains(&night) {
                asked.push(0);
                continue;
            }
            let chosen = tonight(&known, today);
            asked.push(chosen.len());
            for (id, poll) in &mut known {
                if chosen.contains(id) {
                    if let Some(before) = poll.and_then(|poll| poll.polled_on) {
                        longest = longest.max(i64::from((today - before).get_days()));
                    }
                    *poll = Some(Poll { tried_on: today, polled_on: Some(today) });
                }
            }
            assert_eq!(tonight(&known, today), [], "a second run of the night");
        }
        (asked, longest)
    }

    #[test]
    fn each_night_asks_about_a_seventh_and_each_repository_weekly() {
        let (asked, longest) = nights(&[], 60);
        assert!(asked.iter().all(|count| (10..=15).contains(count)), "{asked:?}");
        assert_eq!(longest, 7);
    }

    #[test]
    fn two_nights_that_fail_lose_nothing_and_are_made_up_for_at_once() {
        for first in 0..14 {
            let (asked, longest) = nights(&[first, first + 1, first + 20], 60);
            assert!(longest <= 9, "{asked:?}");
            assert!(asked.iter().all(|count| *count <= 45), "{asked:?}");
            assert!(asked[46..].iter().all(|count| *count <= 15), "{asked:?}");
        }
    }

    #[test]
    fn one_that_fails_every_time_keeps_no_other_waiting() {
        let today = date(2026, 11, 17);
        let failed = Poll { tried_on: date(2026, 11, 16), polled_on: None };
        let mut known: Vec<(RepositoryId, Option<Poll>)> =
            (1..=7).map(|id| (RepositoryId(id), Some(failed))).collect();
        known.push((RepositoryId(8), None));
        assert_eq!(tonight(&known, today), [RepositoryId(8), RepositoryId(1)]);
        assert_eq!(tonight(&[], today), []);
    }

    #[test]
    fn days_that_are_missing_are_gaps_unless_github_still_knows_them() {
        let year: FiscalYear = "2027".parse().unwrap();
        let of = |spans: &[(Date, Date)]| Measured {
            spans: spans.iter().map(|&(first, last)| Span { first, last }).collect(),
            ..Measured::default()
        };
        let (october, today) = (date(2026, 10, 20), date(2026, 11, 17));
        assert!(!of(&[(october, date(2026, 11, 3))]).has_gaps(year, today));
        assert!(of(&[(october, date(2026, 11, 2))]).has_gaps(year, today));
        let apart = [(october, date(2026, 10, 30)), (date(2026, 11, 2), date(2026, 11, 16))];
        assert!(of(&apart).has_gaps(year, today));
        // Of a year that is over.
        assert!(!of(&[(october, date(2027, 9, 30))]).has_gaps(year, date(2028, 1, 1)));
    }
}
