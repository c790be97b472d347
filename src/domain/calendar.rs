//! When Muster may create something: the window of a policy's `quiet` section
//! and the federal holidays.
//!
//! Promises: (1) a moment is open exactly when [`Quiet::next_open`] of it is
//! that moment; (2) the window is a wall-clock window in the organization's
//! own time zone, so it keeps its hours across daylight saving time; (3) every
//! search ends: a calendar without an opening within a year has none.

use std::{collections::BTreeSet, fmt, str::FromStr};

use jiff::{
    Timestamp,
    civil::{Date, Weekday},
    tz::TimeZone,
};
use schemars::JsonSchema;
use serde::{Serialize, Serializer};

/// How many days ahead an opening is looked for: a year, so that a list of
/// freezes without end costs a bounded search.
const SEARCH_DAYS: u32 = 366;

/// When issues and pull requests may be created (policy key `quiet`). Updates
/// that notify nobody and answers to commands are not held back by it.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(default, deny_unknown_fields)]
pub struct Quiet {
    /// The IANA time zone the days and hours are meant in.
    #[serde(with = "jiff::fmt::serde::tz::required")]
    #[schemars(with = "String")]
    pub timezone: TimeZone,
    /// The days on which creation is open; at least one.
    pub days: BTreeSet<Day>,
    /// The hours of those days, `HH:MM-HH:MM`; `00:00-24:00` is the whole day.
    #[schemars(with = "String", regex(pattern = r"^\d\d:\d\d-\d\d:\d\d$"))]
    pub hours: Hours,
    /// Whether federal holidays (5 U.S.C. 6103) are closed.
    pub federal_holidays: bool,
    /// Spans of days on which nothing is created, both ends included.
    pub freezes: Vec<Freeze>,
}

impl Default for Quiet {
    fn default() -> Self {
        Self {
            timezone: TimeZone::UTC,
            days: BTreeSet::from([Day::Mon, Day::Tue, Day::Wed, Day::Thu]),
            hours: Hours { from: 9 * 60, to: 16 * 60 },
            federal_holidays: true,
            freezes: Vec::new(),
        }
    }
}

impl Quiet {
    /// Whether something may be created at `now`.
    #[must_use]
    pub fn open_at(&self, now: Timestamp) -> bool {
        self.window(now.to_zoned(self.timezone.clone()).date())
            .is_some_and(|(start, end)| start <= now && now < end)
    }

    /// The first moment at or after `now` at which something may be created;
    /// `None` when the calendar does not open within a year.
    #[must_use]
    pub fn next_open(&self, now: Timestamp) -> Option<Timestamp> {
        let mut day = now.to_zoned(self.timezone.clone()).date();
        for _ in 0..=SEARCH_DAYS {
            if let Some((start, end)) = self.window(day)
                && now < end
            {
                return Some(start.max(now));
            }
            day = day.tomorrow().ok()?;
        }
        None
    }

    /// The half-open window of one day; `None` where that day does not open,
    /// also because a daylight saving gap has swallowed it.
    fn window(&self, day: Date) -> Option<(Timestamp, Timestamp)> {
        let closed = !self.days.contains(&Day::from(day.weekday()))
            || self.federal_holidays && federal_holiday(day).is_some()
            || self.freezes.iter().any(|freeze| freeze.from <= day && day <= freeze.to);
        if closed {
            return None;
        }
        let (start, end) = (self.moment(day, self.hours.from)?, self.moment(day, self.hours.to)?);
        (start < end).then_some((start, end))
    }

    /// `minutes` past midnight of `day` on the clock on the wall. A time that
    /// a gap skips is the one the gap ends at; of a time that comes twice it
    /// is the first.
    fn moment(&self, day: Date, minutes: u16) -> Option<Timestamp> {
        let (day, minutes) =
            if minutes == Hours::MIDNIGHT { (day.tomorrow().ok()?, 0) } else { (day, minutes) };
        let (hour, minute) = (i8::try_from(minutes / 60).ok()?, i8::try_from(minutes % 60).ok()?);
        Some(day.at(hour, minute, 0, 0).to_zoned(self.timezone.clone()).ok()?.timestamp())
    }
}

/// A span of days on which nothing is created, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Freeze {
    /// The first closed day.
    #[schemars(with = "String", extend("format" = "date"))]
    pub from: Date,
    /// The last closed day.
    #[schemars(with = "String", extend("format" = "date"))]
    pub to: Date,
}

/// A day of the week, as a policy writes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "the days of the week need no explanation")]
pub enum Day {
    Mon,
    Tue,
    Wed,
    Thu,
    Fri,
    Sat,
    Sun,
}

impl Day {
    /// All days, from Monday.
    pub const ALL: [Day; 7] = [Day::Mon, Day::Tue, Day::Wed, Day::Thu, Day::Fri, Day::Sat, Day::Sun];

    /// The day as written in a policy.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Day::Mon => "mon",
            Day::Tue => "tue",
            Day::Wed => "wed",
            Day::Thu => "thu",
            Day::Fri => "fri",
            Day::Sat => "sat",
            Day::Sun => "sun",
        }
    }
}

impl From<Weekday> for Day {
    fn from(weekday: Weekday) -> Self {
        match weekday {
            Weekday::Monday => Day::Mon,
            Weekday::Tuesday => Day::Tue,
            Weekday::Wednesday => Day::Wed,
            Weekday::Thursday => Day::Thu,
            Weekday::Friday => Day::Fri,
            Weekday::Saturday => Day::Sat,
            Weekday::Sunday => Day::Sun,
        }
    }
}

/// Hours of one day, in minutes past midnight; `from` is before `to`, and `to`
/// is at most 24:00. A window never crosses midnight: a day is open or it is
/// not, and the time zone is there to say which day it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hours {
    from: u16,
    to: u16,
}

impl Hours {
    const MIDNIGHT: u16 = 24 * 60;
}

/// Why a text is no [`Hours`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HoursError {
    /// Not `HH:MM-HH:MM`, or a time that no clock shows.
    #[error("is not a pair of times")]
    Malformed,
    /// Nothing lies between the two times.
    #[error("is an empty window: it ends before or when it starts")]
    Empty,
}

impl FromStr for Hours {
    type Err = HoursError;

    fn from_str(text: &str) -> Result<Self, HoursError> {
        let minutes = |time: &str| -> Option<u16> {
            let bytes = time.as_bytes();
            let digits = bytes.len() == 5
                && [0, 1, 3, 4].iter().all(|&i| bytes[i].is_ascii_digit())
                && bytes[2] == b':';
            let (hour, minute) = digits.then(|| time.split_once(':'))??;
            let (hour, minute) = (hour.parse::<u16>().ok()?, minute.parse::<u16>().ok()?);
            let total = hour * 60 + minute;
            (minute < 60 && total <= Hours::MIDNIGHT).then_some(total)
        };
        let (from, to) = text.split_once('-').ok_or(HoursError::Malformed)?;
        let (from, to) = minutes(from).zip(minutes(to)).ok_or(HoursError::Malformed)?;
        if from < to { Ok(Self { from, to }) } else { Err(HoursError::Empty) }
    }
}

impl fmt::Display for Hours {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { from, to } = self;
        write!(f, "{:02}:{:02}-{:02}:{:02}", from / 60, from % 60, to / 60, to % 60)
    }
}

impl Serialize for Hours {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// The federal holiday kept on `day`, if any: one of the eleven of 5 U.S.C.
/// 6103(a), on its own date and, where that is a weekend, also on the Friday
/// before or the Monday after. Inauguration Day is not counted: it is kept in
/// and around Washington only.
#[must_use]
pub fn federal_holiday(day: Date) -> Option<&'static str> {
    // New Year's Day of the next year may be kept on December 31 of this one.
    let years = [Some(day.year()), day.year().checked_add(1)];
    years.into_iter().flatten().flat_map(federal_holidays).find_map(|(kept, name)| {
        let observed = match kept.weekday() {
            Weekday::Saturday => kept.yesterday().ok()?,
            Weekday::Sunday => kept.tomorrow().ok()?,
            Weekday::Monday | Weekday::Tuesday | Weekday::Wednesday | Weekday::Thursday | Weekday::Friday => {
                kept
            }
        };
        (kept == day || observed == day).then_some(name)
    })
}

/// The eleven holidays of one year on their own dates, as the law stands since
/// 2021; empty for a year outside the calendar.
fn federal_holidays(year: i16) -> Vec<(Date, &'static str)> {
    let fixed = |month, day| Date::new(year, month, day).ok();
    let nth = |month, nth, weekday| Date::new(year, month, 1).ok()?.nth_weekday_of_month(nth, weekday).ok();
    let all = [
        (fixed(1, 1), "New Year's Day"),
        (nth(1, 3, Weekday::Monday), "Birthday of Martin Luther King, Jr."),
        (nth(2, 3, Weekday::Monday), "Washington's Birthday"),
        (nth(5, -1, Weekday::Monday), "Memorial Day"),
        (fixed(6, 19), "Juneteenth National Independence Day"),
        (fixed(7, 4), "Independence Day"),
        (nth(9, 1, Weekday::Monday), "Labor Day"),
        (nth(10, 2, Weekday::Monday), "Columbus Day"),
        (fixed(11, 11), "Veterans Day"),
        (nth(11, 4, Weekday::Thursday), "Thanksgiving Day"),
        (fixed(12, 25), "Christmas Day"),
    ];
    all.into_iter().filter_map(|(day, name)| Some((day?, name))).collect()
}

#[cfg(test)]
mod tests;
