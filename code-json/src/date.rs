//! Days and moments as inventories write them.
//!
//! GSA 2.0.0 wants a day (`format: date`), gov 2.0.0 a moment (`date-time`,
//! RFC 3339); files have both everywhere.

use jiff::civil;

/// What a text about time says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum When {
    /// A day, and nothing of the hour.
    Day(civil::Date),
    /// A moment as RFC 3339 has it, in the writer's spelling.
    Moment(String),
    /// A day and a time of day, of an unknown zone.
    Local(civil::DateTime),
}

/// Reads a text. One-digit months and days are understood (`2015-7-7`); nothing
/// is guessed (`2015-26-2`, `2013`).
#[must_use]
pub fn read(text: &str) -> Option<When> {
    let text = text.trim();
    if is_moment(text) {
        return Some(When::Moment(text.to_owned()));
    }
    let (day, time) = match text.find(['T', 't', ' ']) {
        Some(at) => (&text[..at], Some(text[at + 1..].trim())),
        None => (text, None),
    };
    let date = read_day(day)?;
    let Some(time) = time else { return Some(When::Day(date)) };
    // Moments that are not quite RFC 3339, such as an offset of `+0000`.
    let Some((clock, offset)) = split_offset(time) else {
        return Some(When::Local(date.to_datetime(read_clock(time)?)));
    };
    let clock = read_clock(clock)?;
    let seconds = clock.strftime(if clock.subsec_nanosecond() == 0 { "%H:%M:%S" } else { "%H:%M:%S%.f" });
    Some(When::Moment(format!("{date}T{seconds}{offset}")))
}

impl When {
    /// The day, as it was written: in the writer's zone.
    #[must_use]
    pub fn day(&self) -> String {
        match self {
            When::Day(date) => date.to_string(),
            When::Moment(text) => text[..10].to_owned(),
            When::Local(local) => local.date().to_string(),
        }
    }

    /// The moment; midnight where nothing is said of the hour, UTC where nothing
    /// is said of the zone.
    #[must_use]
    pub fn moment(&self) -> String {
        match self {
            When::Day(date) => format!("{date}T00:00:00Z"),
            When::Moment(text) => text.clone(),
            When::Local(local) => format!("{}Z", local.strftime("%Y-%m-%dT%H:%M:%S")),
        }
    }
}

/// Whether a text is a `full-date` of RFC 3339.
#[must_use]
pub fn is_day(text: &str) -> bool {
    text.len() == 10 && text.is_ascii() && read_day(text).is_some()
}

/// Whether a text is a `date-time` of RFC 3339.
#[must_use]
pub fn is_moment(text: &str) -> bool {
    let bytes = text.as_bytes();
    if !text.is_ascii() || bytes.len() < 20 || !matches!(bytes[10], b'T' | b't') || !is_day(&text[..10]) {
        return false;
    }
    let Some((clock, offset)) = split_offset(&text[11..]) else { return false };
    let strict = offset.len() == 1 || text.as_bytes()[text.len() - 3] == b':';
    let seconds = clock.len() >= 8 && clock.as_bytes()[2] == b':' && clock.as_bytes()[5] == b':';
    let fraction = clock.get(8..).is_none_or(|rest| {
        rest.is_empty()
            || rest.strip_prefix('.').is_some_and(|f| !f.is_empty() && f.bytes().all(|b| b.is_ascii_digit()))
    });
    strict
        && seconds
        && fraction
        && clock.get(..8).and_then(read_clock).is_some()
        && !clock.get(6..8).is_some_and(|second| second == "60")
}

/// `2026-01-31`, or with one digit where two belong.
fn read_day(text: &str) -> Option<civil::Date> {
    let mut parts = text.split('-');
    let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
    let digits = |text: &str, most: usize| {
        (!text.is_empty() && text.len() <= most && text.bytes().all(|b| b.is_ascii_digit()))
            .then(|| text.parse::<i16>().ok())
            .flatten()
    };
    if year.len() != 4 || parts.next().is_some() {
        return None;
    }
    let small = |part: i16| i8::try_from(part).ok();
    civil::Date::new(digits(year, 4)?, small(digits(month, 2)?)?, small(digits(day, 2)?)?).ok()
}

/// A time of day and nothing else.
fn read_clock(text: &str) -> Option<civil::Time> {
    text.bytes().all(|b| b.is_ascii_digit() || matches!(b, b':' | b'.')).then(|| text.parse().ok()).flatten()
}

/// A time of day and its offset, the offset as RFC 3339 spells it.
fn split_offset(time: &str) -> Option<(&str, String)> {
    if let Some(clock) = time.strip_suffix(['Z', 'z']) {
        return Some((clock, "Z".into()));
    }
    let at = time.rfind(['+', '-'])?;
    let (clock, offset) = time.split_at(at);
    let digits: String = offset[1..].chars().filter(|c| *c != ':').collect();
    if digits.len() != 4 || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let (hours, minutes) = digits.split_at(2);
    let fits = hours.parse::<u8>().is_ok_and(|h| h < 24) && minutes.parse::<u8>().is_ok_and(|m| m < 60);
    fits.then(|| (clock.trim_end(), format!("{}{hours}:{minutes}", &offset[..1])))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_of_the_field_are_read() {
        for (text, day, moment) in [
            ("2018-06-11", "2018-06-11", "2018-06-11T00:00:00Z"),
            ("2015-7-7", "2015-07-07", "2015-07-07T00:00:00Z"),
            ("2017-04-26T00:00:00Z", "2017-04-26", "2017-04-26T00:00:00Z"),
            ("2017-04-26T01:02:03.5-05:00", "2017-04-26", "2017-04-26T01:02:03.5-05:00"),
            ("2017-04-26T01:02:03+0000", "2017-04-26", "2017-04-26T01:02:03+00:00"),
            ("2017-04-26T01:02", "2017-04-26", "2017-04-26T01:02:00Z"),
            ("2017-04-26 01:02:03", "2017-04-26", "2017-04-26T01:02:03Z"),
            ("2017-04-26T01:02Z", "2017-04-26", "2017-04-26T01:02:00Z"),
        ] {
            let when = read(text).unwrap_or_else(|| panic!("{text}"));
            assert_eq!((when.day().as_str(), when.moment().as_str()), (day, moment), "{text}");
            assert!(is_day(&when.day()) && is_moment(&when.moment()), "{text}");
        }
        for text in [
            "",
            "2013",
            "2015-26-2",
            "201-10-24",
            "42736",
            "2015-02-30",
            "yesterday",
            "2017-04-26T25:00:00Z",
            "2017-04-26T",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_panics(text in "\\PC{0,30}", near in "[0-9TZ:+. -]{0,30}") {
            for text in [text, near] {
                if let Some(when) = read(&text) {
                    proptest::prop_assert!(is_day(&when.day()) && is_moment(&when.moment()), "{text}");
                }
            }
        }
    }
}
